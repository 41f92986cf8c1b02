/* base.h - memory without allocation: tables of rows, the deadline heap, the digest's mixing.
 *
 * A *table* is a pool of elements of one size. Each element begins with its row, and each row with
 * its key (a u32, never 0), so an element whose first word is 0 is free.
 *
 *   dense   (places, persons, slots, ...): element i holds key i.
 *   hashed  (bookings, sessions, ...):     buckets ──► element; linear probing, backward shift
 *
 *     buckets: │ - │ key 7 │ - │ key 3 │   elements: │ - │ row │ row │ - │ ...
 *                    └─────────────┼─────────────────────────▲
 *                                                     free ──► next free ──► ...
 *
 * Where an element lies never influences a decision: whatever is chosen is chosen by key or time.
 */
#ifndef TIDE_CORE_BASE_H
#define TIDE_CORE_BASE_H

#include "tide/check.h"
#include "tide/types.h"

/* Cuts the engine's block into pieces of 64-byte alignment. With base NULL it only counts. */
struct carve {
    uint8_t *base;
    size_t used;
};
void *carve_take(struct carve *carve, size_t bytes);

struct bucket { /* the key stands here too: who is not sought costs no look at its element */
    uint32_t key, index; /* 0: empty */
};
struct table {
    uint8_t *elements;
    struct bucket *buckets; /* NULL for dense tables */
    uint32_t *links;        /* next free element */
    uint32_t stride, cap, count, mask, free;
};
/* cap elements, keys 1..cap when dense. */
void table_carve(struct table *table, struct carve *carve, uint32_t stride, uint32_t cap,
                 bool dense);
void *table_find(const struct table *table, uint32_t key);
/* The same for a dense table, short enough to stand where it is used. */
static inline void *table_at(const struct table *table, uint32_t key)
{
    uint32_t found;
    if (key == 0 || key > table->cap)
        return NULL;
    uint8_t *element = table->elements + (size_t)key * table->stride;
    __builtin_memcpy(&found, element, sizeof found);
    return found == key ? element : NULL;
}
/* Where an element lies in its table, 1..cap, for links between elements; and back. */
static inline uint32_t table_index(const struct table *table, const void *element)
{
    return (uint32_t)((size_t)((const uint8_t *)element - table->elements) / table->stride);
}
static inline void *table_by_index(const struct table *table, uint32_t index)
{
    CHECK(index != 0 && index <= table->cap);
    return table->elements + (size_t)index * table->stride;
}
/* A zeroed element whose first word is key; NULL when full, or when a dense key is out of range.
 * The key must not be there yet. */
void *table_add(struct table *table, uint32_t key);
void table_remove(struct table *table, void *element);
/* The key will be added soon, or looked for in a dense table: its memory may come meanwhile. */
void table_expect(const struct table *table, uint32_t key);
/* Walks; start with *cursor = 0; NULL at the end. */
void *table_next(const struct table *table, uint32_t *cursor);

/* Deadlines, earliest first; ties by kind, then id, so that the order is the same everywhere.
 * Each entry knows where its owner keeps the position, so it can be moved in O(log n). */
enum due_kind {
    DUE_WAITING, /* who has not confirmed is no no-show: before DUE_BOOKING */
    DUE_DAY,
    DUE_RESETTLE,
    DUE_GRANT,
    DUE_SERIES,
    DUE_BOOKING,
    DUE_SPOT,
    DUE_INCIDENT,
    DUE_ZONE_DRAW,
    DUE_DRAW,
    DUE_FORECAST,
    DUE_STRIKE,
    DUE_WAITS
};
#define DUE_NEVER INT64_MAX
struct due {
    int64_t time_ms;
    uint32_t id;
    uint32_t kind;
    uint32_t *position; /* 0: not in the heap, else index + 1 */
};
struct heap {
    struct due *entries;
    uint32_t count, cap;
};
void heap_carve(struct heap *heap, struct carve *carve, uint32_t cap);
/* Sets, moves or (DUE_NEVER) removes the deadline whose position is kept in *position. */
void heap_set(struct heap *heap, enum due_kind kind, uint32_t id, uint32_t *position,
              int64_t time_ms);
/* A deadline will be set soon: where it begins its way up may come meanwhile. */
void heap_expect(const struct heap *heap);
const struct due *heap_first(const struct heap *heap);

/* A digest that does not depend on the order in which rows are added. */
struct digest {
    uint64_t lanes[4];
};
void digest_add(struct digest *digest, uint32_t kind, const uint8_t *bytes, size_t len);
void digest_out(const struct digest *digest, uint8_t ret[32]);

#endif
