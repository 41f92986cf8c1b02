/* base.c - see base.h. */
#include "daemon/core/base.h"

#include <string.h>

void *carve_take(struct carve *carve, size_t bytes)
{
    size_t at = carve->used;
    carve->used += (bytes + 63) & ~(size_t)63;
    return carve->base != NULL ? carve->base + at : NULL;
}

/* ---- tables -------------------------------------------------------------------------------- */
static uint32_t key_of(const void *element)
{
    uint32_t key;
    memcpy(&key, element, sizeof key);
    return key;
}

static void *element_at(const struct table *table, uint32_t index)
{
    return table->elements + (size_t)index * table->stride;
}

/* Eight keys that follow on each other share a cache line: what is made one after the other, under
 * numbers that count up, finds its bucket at hand. */
static uint32_t bucket_of(const struct table *table, uint32_t key)
{
    uint64_t mixed = (uint64_t)(key >> 3) * 0x9e3779b97f4a7c15u;
    return ((uint32_t)(mixed >> 32) << 3 | (key & 7)) & table->mask;
}

void table_carve(struct table *table, struct carve *carve, uint32_t stride, uint32_t cap,
                 bool dense)
{
    uint32_t buckets = 16;
    while (!dense && buckets < 2 * (uint64_t)cap)
        buckets *= 2;
    CHECK(stride >= sizeof(uint32_t) && cap > 0);
    stride = (stride + 7) & ~7u; /* elements hold 64-bit fields */
    table->stride = stride;
    table->cap = cap;
    table->mask = buckets - 1;
    table->elements = carve_take(carve, (size_t)stride * (cap + 1));
    table->buckets = dense ? NULL : carve_take(carve, sizeof(struct bucket) * buckets);
    table->links = dense ? NULL : carve_take(carve, sizeof(uint32_t) * (cap + 1));
    if (carve->base == NULL)
        return;
    memset(table->elements, 0, (size_t)stride * (cap + 1));
    if (dense)
        return;
    memset(table->buckets, 0, sizeof(struct bucket) * buckets);
    for (uint32_t i = 1; i <= cap; i++)
        table->links[i] = i < cap ? i + 1 : 0;
    table->free = 1;
}

void *table_find(const struct table *table, uint32_t key)
{
    if (key == 0)
        return NULL;
    if (table->buckets == NULL) {
        void *element = key <= table->cap ? element_at(table, key) : NULL;
        return element != NULL && key_of(element) == key ? element : NULL;
    }
    for (uint32_t b = bucket_of(table, key); table->buckets[b].key != 0; b = (b + 1) & table->mask)
        if (table->buckets[b].key == key)
            return element_at(table, table->buckets[b].index);
    return NULL;
}

void *table_add(struct table *table, uint32_t key)
{
    CHECK(key != 0 && table_find(table, key) == NULL);
    uint32_t index = key;
    if (table->buckets == NULL) {
        if (key > table->cap)
            return NULL;
    } else {
        if (table->free == 0)
            return NULL;
        index = table->free;
        table->free = table->links[index];
        uint32_t b = bucket_of(table, key);
        while (table->buckets[b].key != 0)
            b = (b + 1) & table->mask;
        table->buckets[b] = (struct bucket){key, index};
    }
    void *element = element_at(table, index);
    memset(element, 0, table->stride);
    memcpy(element, &key, sizeof key);
    table->count++;
    return element;
}

void table_expect(const struct table *table, uint32_t key)
{
    bool dense = table->buckets == NULL;
    if (dense && key > table->cap)
        return;
    if (!dense)
        __builtin_prefetch(&table->buckets[bucket_of(table, key)]);
    const uint8_t *element = element_at(table, dense ? key : table->free);
    for (uint32_t at = 0; at < table->stride; at += 64)
        __builtin_prefetch(element + at, 1);
    __builtin_prefetch(element + table->stride - 1, 1);
}

static void bucket_remove(struct table *table, uint32_t hole)
{
    uint32_t b = hole;
    for (;;) {
        b = (b + 1) & table->mask;
        struct bucket moved = table->buckets[b];
        if (moved.key == 0)
            break;
        uint32_t home = bucket_of(table, moved.key);
        if (((b - home) & table->mask) >= ((b - hole) & table->mask)) {
            table->buckets[hole] = moved;
            hole = b;
        }
    }
    table->buckets[hole] = (struct bucket){0};
}

void table_remove(struct table *table, void *element)
{
    uint32_t key = key_of(element);
    CHECK(table_find(table, key) == element);
    if (table->buckets != NULL) {
        uint32_t b = bucket_of(table, key);
        while (table->buckets[b].key != key)
            b = (b + 1) & table->mask;
        uint32_t index = table->buckets[b].index;
        bucket_remove(table, b);
        table->links[index] = table->free;
        table->free = index;
    }
    memset(element, 0, table->stride);
    CHECK(table->count > 0);
    table->count--;
}

void *table_next(const struct table *table, uint32_t *cursor)
{
    while (*cursor < table->cap) {
        void *element = element_at(table, ++*cursor);
        if (key_of(element) != 0)
            return element;
    }
    return NULL;
}

/* ---- deadlines ------------------------------------------------------------------------------ */
static bool due_before(const struct due *a, const struct due *b)
{
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->id < b->id;
}

static void heap_place(struct heap *heap, uint32_t at, struct due entry)
{
    heap->entries[at] = entry;
    *entry.position = at + 1;
}

static void heap_up(struct heap *heap, uint32_t at, struct due entry)
{
    while (at > 0 && due_before(&entry, &heap->entries[(at - 1) / 2])) {
        heap_place(heap, at, heap->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(heap, at, entry);
}

static void heap_down(struct heap *heap, uint32_t at, struct due entry)
{
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && due_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (!due_before(&heap->entries[child], &entry))
            break;
        heap_place(heap, at, heap->entries[child]);
        at = child;
    }
    heap_place(heap, at, entry);
}

void heap_carve(struct heap *heap, struct carve *carve, uint32_t cap)
{
    heap->cap = cap;
    heap->count = 0;
    heap->entries = carve_take(carve, sizeof(struct due) * cap);
}

static void heap_remove(struct heap *heap, uint32_t at)
{
    *heap->entries[at].position = 0;
    heap->count--;
    if (at == heap->count)
        return;
    struct due last = heap->entries[heap->count];
    if (at > 0 && due_before(&last, &heap->entries[(at - 1) / 2]))
        heap_up(heap, at, last);
    else
        heap_down(heap, at, last);
}

void heap_set(struct heap *heap, enum due_kind kind, uint32_t id, uint32_t *position,
              int64_t time_ms)
{
    if (*position != 0) {
        uint32_t at = *position - 1;
        CHECK(at < heap->count && heap->entries[at].id == id && heap->entries[at].kind == kind);
        if (heap->entries[at].time_ms == time_ms)
            return;
        heap_remove(heap, at);
    }
    if (time_ms == DUE_NEVER)
        return;
    CHECK(heap->count < heap->cap);
    struct due entry = {.time_ms = time_ms, .id = id, .kind = kind, .position = position};
    heap_up(heap, heap->count++, entry);
}

void heap_expect(const struct heap *heap)
{
    __builtin_prefetch(heap->entries + heap->count, 1);
    __builtin_prefetch(heap->entries + heap->count / 2, 1);
    __builtin_prefetch(heap->entries + heap->count / 4, 1);
}

const struct due *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? &heap->entries[0] : NULL;
}

/* ---- digest --------------------------------------------------------------------------------- */
/* The finaliser of splitmix64 (public domain, Vigna): a bijection that spreads every bit. */
static uint64_t spread(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void digest_add(struct digest *digest, uint32_t kind, const uint8_t *bytes, size_t len)
{
    for (unsigned lane = 0; lane < 4; lane++) {
        uint64_t hash = spread(0x9e3779b97f4a7c15u * (lane + 1) + kind);
        for (size_t at = 0; at < len; at += 8) {
            uint64_t word = 0;
            memcpy(&word, bytes + at, len - at < 8 ? len - at : 8);
            hash = spread(hash ^ word) + len;
        }
        digest->lanes[lane] += spread(hash);
    }
}

void digest_out(const struct digest *digest, uint8_t ret[32])
{
    for (unsigned lane = 0; lane < 4; lane++)
        for (unsigned i = 0; i < 8; i++)
            ret[lane * 8 + i] = (uint8_t)(digest->lanes[lane] >> (8 * i));
}
