/* tape.c - see tape.h. The tape is one block of shared memory: a head, then entries end to end. */
#include "tests/sim/tape.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TAPE_BYTES (1ull << 30) /* of address space; only what is written takes memory */

struct tape {
    struct engine_limits limits;
    size_t used, last; /* bytes after the head; the last entry */
    uint32_t count;
};

struct head { /* of an entry; the blob follows */
    size_t size;
    struct engine_event event;
    struct tape_ids made;
};

static uint8_t *at(const struct tape *tape, size_t offset)
{
    return (uint8_t *)(uintptr_t)tape + 4096 + offset;
}

struct tape *tape_new(void)
{
    void *memory = mmap(NULL, TAPE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

struct tape *tape_free(struct tape *tape)
{
    if (tape != NULL)
        munmap(tape, TAPE_BYTES);
    return NULL;
}

void tape_begin(struct tape *tape, const struct engine_limits *limits)
{
    if (tape != NULL)
        tape->limits = *limits;
}

const struct engine_limits *tape_limits(const struct tape *tape)
{
    return &tape->limits;
}

void tape_add(struct tape *tape, const struct engine_event *event)
{
    size_t size = (sizeof(struct head) + event->blob_len + 15) & ~(size_t)15;
    if (tape == NULL || event->kind == TIDE_REC_tick || tape->used + size + 4096 > TAPE_BYTES)
        return;
    struct head head = {.size = size, .event = *event};
    memcpy(at(tape, tape->used), &head, sizeof head);
    if (event->blob_len > 0)
        memcpy(at(tape, tape->used + sizeof head), event->blob, event->blob_len);
    tape->last = tape->used;
    tape->used += size;
    tape->count++;
}

/* ---- what came into being ------------------------------------------------------------------- */
static void made(struct tape_ids *ids, enum tape_made kind, uint32_t id)
{
    if (ids->count[kind]++ == 0 || id < ids->first[kind])
        ids->first[kind] = id;
}

void tape_ids_of(const struct engine_event *event, const uint8_t *effects, size_t len,
                 struct tape_ids *ret)
{
    size_t offset = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    memset(ret, 0, sizeof *ret);
    while (engine_effect_next(effects, len, &offset, &verb, &kind, &any)) {
        if (verb != ENGINE_PUT)
            continue;
        if (kind == TIDE_REC_booking && any.booking.made_ms == event->when_ms &&
            any.booking.moves == 0 && any.booking.state == TIDE_BOOKING_STATE_booked)
            made(ret, TAPE_BOOKING, any.booking.id);
        if (kind == TIDE_REC_window)
            made(ret, TAPE_WINDOW, any.window.id);
        if (kind == TIDE_REC_series && event->kind == TIDE_REC_repeat)
            made(ret, TAPE_SERIES, any.series.id);
        if (kind == TIDE_REC_command && any.command.state == TIDE_COMMAND_STATE_sent)
            made(ret, TAPE_COMMAND, any.command.id);
    }
}

void tape_decided(struct tape *tape, const uint8_t *effects, size_t len)
{
    if (tape == NULL || tape->count == 0)
        return;
    struct head *head = (struct head *)(void *)at(tape, tape->last);
    tape_ids_of(&head->event, effects, len, &head->made);
}

/* ---- reading -------------------------------------------------------------------------------- */
struct entries {
    struct tape_entry *list;
    uint32_t count, room;
};

static struct tape_entry *entry_add(struct entries *all, const struct head *head,
                                    const uint8_t *blob, uint32_t blob_len)
{
    if (all->count == all->room) {
        all->room = all->room > 0 ? 2 * all->room : 1024;
        all->list = realloc(all->list, all->room * sizeof *all->list);
        if (all->list == NULL)
            abort();
    }
    struct tape_entry *entry = &all->list[all->count++];
    memset(entry, 0, sizeof *entry);
    entry->event = head->event;
    entry->made = head->made;
    entry->kept = true;
    uint8_t *copy = malloc(blob_len > 0 ? blob_len : 1);
    if (copy == NULL)
        abort();
    if (blob_len > 0)
        memcpy(copy, blob, blob_len);
    entry->event.blob = blob_len > 0 ? copy : NULL;
    entry->event.blob_len = blob_len;
    if (blob_len == 0)
        free(copy);
    return entry;
}

/* A put that went through, one entry a row. False when its bytes are no rows. */
static bool take_apart(struct entries *all, const struct head *head, const uint8_t *blob)
{
    uint32_t begin = all->count, windows = 0;
    for (size_t offset = 0; offset < head->event.blob_len;) {
        const struct tide_record *desc = tide_record_of(blob[offset]);
        union tide_any row;
        size_t used = desc == NULL ? 0
                                   : tide_record_unpack(desc, blob + offset + 1,
                                                        head->event.blob_len - offset - 1, &row);
        if (used == 0) {
            all->count = begin;
            return false;
        }
        struct tape_entry *entry = entry_add(all, head, blob + offset, (uint32_t)used + 1);
        bool window = desc->kind == TIDE_REC_window;
        entry->event.as.put.rows = 1;
        entry->made.first[TAPE_WINDOW] += windows;
        entry->made.count[TAPE_WINDOW] = window;
        windows += window;
        offset += used + 1;
    }
    return all->count > begin;
}

uint32_t tape_read(const struct tape *tape, struct tape_entry **ret)
{
    struct entries all = {0};
    for (size_t offset = 0; offset < tape->used;) {
        struct head head;
        memcpy(&head, at(tape, offset), sizeof head);
        const uint8_t *blob = at(tape, offset + sizeof head);
        if (head.event.kind != TIDE_REC_put || !take_apart(&all, &head, blob))
            entry_add(&all, &head, blob, head.event.blob_len);
        offset += head.size;
    }
    *ret = all.list;
    return all.count;
}
