/* replies.c - requests whose rid the tables do not show yet.
 *
 *   ring, in the order of the journal            slots: hash of (domain, user, rid) ──► ring
 *   │ seq 41 │ seq 42 │ seq 43 │ ... │
 *   ▲ trimmed when in the table  ▲ rolled back when the disk was full
 *
 * A rid is here from the moment its event is in a batch until its row is in the table of rids and
 * the reader can see it; so a repeat is never executed twice, however soon it comes. The loop's.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

/* 64 bits of a hash with a secret key stand for domain, user and rid. */
struct pending {
    uint64_t seq, hash;
    uint32_t domain;
    uint8_t digest[16];
};

struct store_replies {
    struct store_hash_key key;
    struct pending *ring; /* position & mask */
    uint32_t *slots;      /* place in the ring + 1; twice as many as the ring has */
    uint32_t head, tail;  /* positions: head is the oldest; both wrap */
    uint32_t mask;        /* of the ring */
};

#define SLOT_MASK(replies) ((replies)->mask * 2 + 1)

static bool allocate(struct store_replies *replies, uint32_t cap)
{
    struct pending *ring = malloc(cap * sizeof *ring);
    uint32_t *slots = calloc((size_t)cap * 2, sizeof *slots);
    if (ring == NULL || slots == NULL) {
        free(ring);
        free(slots);
        return false;
    }
    replies->ring = ring;
    replies->slots = slots;
    replies->mask = cap - 1;
    return true;
}

struct store_replies *store_replies_new(void)
{
    struct store_replies *replies = calloc(1, sizeof *replies);
    if (replies == NULL)
        return NULL;
    store_random(&replies->key, sizeof replies->key);
    if (!allocate(replies, 1024)) {
        free(replies);
        return NULL;
    }
    return replies;
}

struct store_replies *store_replies_free(struct store_replies *replies)
{
    if (replies == NULL)
        return NULL;
    free(replies->ring);
    free(replies->slots);
    free(replies);
    return NULL;
}

static uint64_t hash_of(const struct store_replies *replies, uint32_t domain,
                        const struct store_origin *origin)
{
    uint8_t bytes[8 + TIDE_RID_BYTES_MAX];
    size_t len = strnlen(origin->rid, TIDE_RID_BYTES_MAX);
    memcpy(bytes, &domain, 4);
    memcpy(bytes + 4, &origin->user, 4);
    memcpy(bytes + 8, origin->rid, len);
    return store_hash(&replies->key, bytes, 8 + len);
}

static struct pending *at(const struct store_replies *replies, uint32_t position)
{
    return &replies->ring[position & replies->mask];
}

static void slot_add(struct store_replies *replies, uint32_t position)
{
    uint32_t mask = SLOT_MASK(replies), slot = (uint32_t)at(replies, position)->hash & mask;
    while (replies->slots[slot] != 0)
        slot = (slot + 1) & mask;
    replies->slots[slot] = (position & replies->mask) + 1;
}

static void slot_drop(struct store_replies *replies, uint32_t position)
{
    uint32_t mask = SLOT_MASK(replies), value = (position & replies->mask) + 1;
    uint32_t gap = (uint32_t)at(replies, position)->hash & mask;
    while (replies->slots[gap] != value) {
        assert(replies->slots[gap] != 0);
        gap = (gap + 1) & mask;
    }
    uint32_t next = gap;
    for (;;) {
        replies->slots[gap] = 0;
        do {
            next = (next + 1) & mask;
            if (replies->slots[next] == 0)
                return;
        } while (((next - (uint32_t)replies->ring[replies->slots[next] - 1].hash) & mask) <
                 ((next - gap) & mask));
        replies->slots[gap] = replies->slots[next];
        gap = next;
    }
}

static bool grow(struct store_replies *replies)
{
    struct store_replies old = *replies;
    if (!allocate(replies, (old.mask + 1) * 2))
        return false;
    for (uint32_t position = old.head; position != old.tail; position++) {
        *at(replies, position) = *at(&old, position);
        slot_add(replies, position);
    }
    free(old.ring);
    free(old.slots);
    return true;
}

bool store_replies_add(struct store_replies *replies, uint32_t domain, uint64_t seq,
                       const struct store_origin *origin)
{
    if (replies->tail - replies->head > replies->mask && !grow(replies))
        return false;
    struct pending *pending = at(replies, replies->tail);
    pending->seq = seq;
    pending->hash = hash_of(replies, domain, origin);
    pending->domain = domain;
    memcpy(pending->digest, origin->digest, sizeof pending->digest);
    slot_add(replies, replies->tail++);
    return true;
}

void store_replies_trim(struct store_replies *replies, const uint64_t rids[STORE_DOMAIN_SLOTS])
{
    for (; replies->head != replies->tail; replies->head++) {
        const struct pending *oldest = at(replies, replies->head);
        if (oldest->seq > rids[oldest->domain])
            return;
        slot_drop(replies, replies->head);
    }
}

void store_replies_rollback(struct store_replies *replies,
                            const uint64_t durable[STORE_DOMAIN_SLOTS])
{
    for (; replies->head != replies->tail; replies->tail--) {
        const struct pending *newest = at(replies, replies->tail - 1);
        if (newest->seq <= durable[newest->domain])
            return;
        slot_drop(replies, replies->tail - 1);
    }
}

uint64_t store_replies_find(const struct store_replies *replies, uint32_t domain,
                            const struct store_origin *origin, bool *ret_same_body)
{
    uint32_t mask = SLOT_MASK(replies);
    uint64_t hash = hash_of(replies, domain, origin);
    for (uint32_t slot = (uint32_t)hash & mask; replies->slots[slot] != 0;
         slot = (slot + 1) & mask) {
        const struct pending *pending = &replies->ring[replies->slots[slot] - 1];
        if (pending->hash == hash) {
            *ret_same_body = memcmp(pending->digest, origin->digest, sizeof pending->digest) == 0;
            return pending->seq;
        }
    }
    return 0;
}
