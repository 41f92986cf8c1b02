/* overlay.c - the last word on each row: what a run of events leaves of PUTs and DELs.
 *
 *   effects of events 17, 18, 19          rows                         slots (hash of the key)
 *   PUT account 7 {..}                    0: PUT account 7 {third}     ... 1 ... 0 ... 2 ...
 *   PUT booking 4 {..}             ──►    1: DEL window 3
 *   PUT account 7 {..} ...                2: PUT booking 4
 *
 * The fold writes a row once however often it changed in the run; a start reads the tables and
 * takes the rows that stand here instead.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

void store_overlay_init(struct store_overlay *overlay)
{
    memset(overlay, 0, sizeof *overlay);
}

void store_overlay_done(struct store_overlay *overlay)
{
    free(overlay->rows);
    free(overlay->slots);
    memset(overlay, 0, sizeof *overlay);
}

void store_overlay_clear(struct store_overlay *overlay)
{
    overlay->count = 0;
    if (overlay->slots != NULL)
        memset(overlay->slots, 0, ((size_t)overlay->mask + 1) * sizeof *overlay->slots);
}

static uint64_t key_hash(const struct tide_record *desc, const void *record)
{
    uint64_t hash = desc->kind;
    for (unsigned i = 0; i < desc->key_count; i++) {
        hash = (hash ^ (uint64_t)tide_field_get(&desc->fields[i], record)) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash * 0xbf58476d1ce4e5b9u;
}

static bool key_same(const struct tide_record *desc, const void *a, const void *b)
{
    for (unsigned i = 0; i < desc->key_count; i++)
        if (tide_field_get(&desc->fields[i], a) != tide_field_get(&desc->fields[i], b))
            return false;
    return true;
}

static bool grow(struct store_overlay *overlay)
{
    uint32_t cap = overlay->cap == 0 ? 1024 : overlay->cap * 2;
    struct store_overlay_row *rows = realloc(overlay->rows, cap * sizeof *rows);
    if (rows == NULL)
        return false;
    overlay->rows = rows;
    uint32_t *slots = calloc((size_t)cap * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    free(overlay->slots);
    overlay->slots = slots;
    overlay->cap = cap;
    overlay->mask = cap * 2 - 1;
    for (uint32_t i = 0; i < overlay->count; i++) {
        uint32_t at = (uint32_t)(rows[i].hash >> 32) & overlay->mask;
        while (slots[at] != 0)
            at = (at + 1) & overlay->mask;
        slots[at] = i + 1;
    }
    return true;
}

/* The slot where this key is, or where it would go. */
static uint32_t slot_of(const struct store_overlay *overlay, const struct tide_record *desc,
                        uint64_t hash, const void *record)
{
    uint32_t at = (uint32_t)(hash >> 32) & overlay->mask;
    for (; overlay->slots[at] != 0; at = (at + 1) & overlay->mask) {
        const struct store_overlay_row *row = &overlay->rows[overlay->slots[at] - 1];
        if (row->hash == hash && row->kind == desc->kind && key_same(desc, &row->record, record))
            break;
    }
    return at;
}

static bool note(struct store_overlay *overlay, unsigned verb, const struct tide_record *desc,
                 const union tide_any *record)
{
    if (overlay->count == overlay->cap && !grow(overlay))
        return false;
    uint64_t hash = key_hash(desc, record);
    uint32_t slot = slot_of(overlay, desc, hash, record);
    if (overlay->slots[slot] == 0) {
        overlay->rows[overlay->count].hash = hash;
        overlay->rows[overlay->count].kind = desc->kind;
        overlay->slots[slot] = ++overlay->count;
    }
    struct store_overlay_row *row = &overlay->rows[overlay->slots[slot] - 1];
    row->verb = (uint8_t)verb;
    memcpy(&row->record, record, desc->size);
    return true;
}

enum store_error store_overlay_take(struct store_overlay *overlay, const uint8_t *effects,
                                    size_t len, bool live_only)
{
    size_t at = 0, record_at = 0;
    unsigned verb = 0, kind = 0;
    while (engine_effect_skip(effects, len, &at, &verb, &kind, &record_at)) {
        if (verb != ENGINE_PUT && verb != ENGINE_DEL)
            continue;
        const struct tide_record *desc = tide_record_of(kind);
        if (desc == NULL || desc->key_count == 0 || kind >= STORE_ROW_KINDS)
            return STORE_CORRUPT;
        if (live_only && store_table_live(kind) == NULL)
            continue;
        union tide_any record;
        if (tide_record_unpack(desc, effects + record_at, at - record_at, &record) == 0)
            return STORE_CORRUPT;
        if (!note(overlay, verb, desc, &record))
            return STORE_LIMIT;
    }
    return at == len ? STORE_OK : STORE_CORRUPT;
}

const struct store_overlay_row *store_overlay_find(const struct store_overlay *overlay,
                                                   unsigned kind, const void *record)
{
    const struct tide_record *desc = tide_record_of(kind);
    assert(desc != NULL && desc->key_count > 0);
    if (overlay->count == 0)
        return NULL;
    uint32_t slot = slot_of(overlay, desc, key_hash(desc, record), record);
    return overlay->slots[slot] != 0 ? &overlay->rows[overlay->slots[slot] - 1] : NULL;
}
