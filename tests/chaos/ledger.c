/* ledger.c - what clients were told, a line each, and hearing it again.
 *
 *     user ⇥ rid ⇥ operation ⇥ digest of the body (FNV-1a 64) ⇥ code ⇥ booking ⇥ reply
 *
 * A line is in the file before the client asks for anything else. The audit sends a rid of the
 * ledger once more, with the same bytes, and compares the answer byte by byte.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/swarm.h"

#define AUDIT_WINDOW 200
#define ENTRIES_MAX 300000u /* kept to be heard again; beyond, a new one takes the place of any */

int ledger_open(struct swarm *swarm)
{
    if (swarm->options.ledger == NULL)
        return 0;
    swarm->ledger = fopen(swarm->options.ledger, "we");
    return swarm->ledger != NULL ? 0 : -1;
}

void ledger_close(struct swarm *swarm)
{
    for (uint32_t i = 0; i < swarm->entry_count; i++) {
        free(swarm->entries[i].rid);
        free(swarm->entries[i].body);
        free(swarm->entries[i].reply);
    }
    free(swarm->entries);
    free(swarm->entry_of_n);
    free(swarm->audit);
    if (swarm->ledger != NULL)
        (void)fclose(swarm->ledger);
}

static void *grown(void *block, uint32_t cap, size_t each)
{
    void *more = realloc(block, cap * each);
    if (more == NULL)
        abort();
    return more;
}

/* A place for one more entry; NOBODY when the one that should go is being asked for. */
static uint32_t make_room(struct swarm *swarm)
{
    if (swarm->entry_count < ENTRIES_MAX) {
        if (swarm->entry_count == swarm->entry_cap) {
            swarm->entry_cap = swarm->entry_cap != 0 ? swarm->entry_cap * 2 : 4096;
            swarm->entries = grown(swarm->entries, swarm->entry_cap, sizeof *swarm->entries);
        }
        return swarm->entry_count++;
    }
    uint32_t at = (uint32_t)swarm_random(swarm, ENTRIES_MAX);
    struct entry *old = &swarm->entries[at];
    if (old->lane != NOBODY)
        return NOBODY;
    swarm->entry_of_n[old->n] = NOBODY;
    free(old->rid);
    free(old->body);
    free(old->reply);
    return at;
}

static void remember(struct swarm *swarm, const struct ask *ask, const struct answer *answer)
{
    uint32_t at = make_room(swarm);
    if (at == NOBODY)
        return;
    while (ask->n >= swarm->n_cap) {
        uint32_t cap = swarm->n_cap != 0 ? swarm->n_cap * 2 : 4096;
        swarm->entry_of_n = grown(swarm->entry_of_n, cap, sizeof *swarm->entry_of_n);
        memset(swarm->entry_of_n + swarm->n_cap, 0xff,
               (cap - swarm->n_cap) * sizeof *swarm->entry_of_n);
        swarm->n_cap = cap;
    }
    swarm->entry_of_n[ask->n] = at;
    swarm->entries[at] = (struct entry){.client = ask->client,
                                        .n = ask->n,
                                        .lane = NOBODY,
                                        .kind = ask->kind,
                                        .rid = strdup(ask->rid),
                                        .body = strndup(ask->body, ask->len),
                                        .reply = strndup(answer->body, answer->len)};
}

void ledger_write(struct swarm *swarm, const struct ask *ask, const struct answer *answer)
{
    static const char *const kinds[] = {"book", "cancel", "extend"};
    uint64_t digest = 14695981039346656037u;
    if (swarm->ledger == NULL)
        return;
    remember(swarm, ask, answer);
    for (size_t i = 0; i < ask->len; i++)
        digest = (digest ^ (uint8_t)ask->body[i]) * 1099511628211u;
    uint32_t booking = ask->kind == ASK_BOOK ? answer->id : ask->booking;
    (void)fprintf(swarm->ledger, "%s%u\t%s\t%s\t%016llx\t%s\t%u\t%.*s\n", swarm->options.prefix,
                  swarm->options.first + ask->client, ask->rid, kinds[ask->kind],
                  (unsigned long long)digest, answer->code, booking, (int)answer->len,
                  answer->body);
    (void)fflush(swarm->ledger);
}

/* ---- hearing again -------------------------------------------------------------------------- */

void ledger_audit(struct swarm *swarm, uint32_t count, bool first)
{
    bool all = count == 0 || count >= swarm->entry_count;
    swarm->audit_count = all ? swarm->entry_count : count;
    swarm->audit = grown(swarm->audit, swarm->audit_count + 1, sizeof *swarm->audit);
    for (uint32_t i = 0; i < swarm->audit_count; i++)
        swarm->audit[i] = all || first ? i : (uint32_t)swarm_random(swarm, swarm->entry_count);
    swarm->audit_at = swarm->audit_busy = swarm->audit_same = 0; /* what differed stays */
}

void ledger_audit_tick(struct swarm *swarm)
{
    while (swarm->audit_at < swarm->audit_count && swarm->audit_busy < AUDIT_WINDOW) {
        uint32_t which = swarm->audit[swarm->audit_at];
        struct entry *entry = &swarm->entries[which];
        if (entry->lane != NOBODY) { /* drawn twice, and still under way */
            swarm->audit[swarm->audit_at] = swarm->audit[--swarm->audit_count];
            continue;
        }
        struct ask *ask = ask_new(swarm, entry->client, entry->kind, FOR_AUDIT);
        if (ask == NULL)
            return;
        entry->lane = ask_lane(swarm, ask);
        ask->entry = which;
        ask->len = strlen(entry->body);
        memcpy(ask->body, entry->body, ask->len);
        swarm->audit_at++;
        swarm->audit_busy++;
        (void)ask_send(swarm, ask);
    }
}

/* The incarnation stands at the end of a reply; a restore raises it, and nothing else. */
static bool is_same(const struct swarm *swarm, const char *told, const char *body, size_t len)
{
    const char *tail = swarm->restored ? strstr(told, ",\"incarnation\":") : NULL;
    size_t told_len = tail != NULL ? (size_t)(tail - told) : strlen(told);
    return tail != NULL ? told_len <= len && memcmp(told, body, told_len) == 0
                        : told_len == len && memcmp(told, body, len) == 0;
}

void ledger_heard(struct swarm *swarm, uint32_t n, const char *rid, size_t rid_len,
                  const char *body, size_t len)
{
    uint32_t which = n < swarm->n_cap ? swarm->entry_of_n[n] : NOBODY;
    if (which == NOBODY)
        return;
    struct entry *entry = &swarm->entries[which];
    if (strlen(entry->rid) != rid_len || memcmp(entry->rid, rid, rid_len) != 0)
        return;
    struct answer answer;
    answer_read(body, len, &answer);
    if (strcmp(answer.code, "busy") == 0 || strcmp(answer.code, "unavailable") == 0)
        return; /* its own repeat comes */
    bool same = is_same(swarm, entry->reply, body, len);
    if (!same && swarm->differs[0] == '\0')
        (void)snprintf(swarm->differs, sizeof swarm->differs, "%.500s | %.*s", entry->reply,
                       (int)(len < 500 ? len : 500), body);
    if (entry->lane == NOBODY) { /* an answer that came once more: it must be the same as well */
        swarm->counts.twice++;
        swarm->audit_differ += !same;
        return;
    }
    ask_done(swarm, &swarm->asks[entry->lane]);
    entry->lane = NOBODY;
    swarm->audit_busy--;
    swarm->audit_same += same;
    swarm->audit_differ += !same;
}
