/* rows.c - see rows.h. Chained hash over one growing array; indices, since the array moves. */
#include "tests/sim/rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sim_rows {
    struct sim_row **chunks; /* of CHUNK rows each: rows never move */
    uint32_t count;          /* rows in use; index 0 is never used */
    uint32_t *buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t first[TIDE_REC_MAX], last[TIDE_REC_MAX], live[TIDE_REC_MAX];
};

#define CHUNK 1024u

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

static struct sim_row *row_at(const struct sim_rows *rows, uint32_t index)
{
    assert(index > 0 && index < rows->count);
    return &rows->chunks[index / CHUNK][index % CHUNK];
}

static uint32_t hash_key(unsigned kind, const uint32_t key[3])
{
    uint64_t h = kind * 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < 3; i++) {
        h = (h ^ key[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

void sim_rows_key(unsigned kind, const void *row, uint32_t ret_key[3])
{
    const struct tide_record *desc = tide_record_of(kind);
    assert(desc != NULL && desc->key_count > 0 && desc->key_count <= 3);
    memset(ret_key, 0, 3 * sizeof *ret_key);
    for (unsigned i = 0; i < desc->key_count; i++)
        ret_key[i] = (uint32_t)tide_field_get(&desc->fields[i], row);
}

struct sim_rows *sim_rows_new(void)
{
    struct sim_rows *rows = must(calloc(1, sizeof *rows));
    rows->bucket_count = 1024;
    rows->buckets = must(calloc(rows->bucket_count, sizeof *rows->buckets));
    rows->chunks = must(calloc(1, sizeof(void *)));
    rows->chunks[0] = must(calloc(CHUNK, sizeof **rows->chunks));
    rows->count = 1;
    return rows;
}

struct sim_rows *sim_rows_free(struct sim_rows *rows)
{
    if (rows == NULL)
        return NULL;
    for (uint32_t i = 0; i <= (rows->count - 1) / CHUNK; i++)
        free(rows->chunks[i]);
    free(rows->chunks);
    free(rows->buckets);
    free(rows);
    return NULL;
}

static struct sim_row *find(const struct sim_rows *rows, unsigned kind, const uint32_t key[3])
{
    uint32_t at = rows->buckets[hash_key(kind, key) & (rows->bucket_count - 1)];
    while (at != 0) {
        struct sim_row *row = row_at(rows, at);
        if (row->kind == kind && memcmp(row->key, key, sizeof row->key) == 0)
            return row;
        at = row->next_hash;
    }
    return NULL;
}

static void rehash(struct sim_rows *rows)
{
    free(rows->buckets);
    rows->bucket_count *= 2;
    rows->buckets = must(calloc(rows->bucket_count, sizeof *rows->buckets));
    for (uint32_t i = 1; i < rows->count; i++) {
        struct sim_row *row = row_at(rows, i);
        uint32_t *head = &rows->buckets[hash_key(row->kind, row->key) & (rows->bucket_count - 1)];
        row->next_hash = *head;
        *head = i;
    }
}

static struct sim_row *append(struct sim_rows *rows, unsigned kind, const uint32_t key[3])
{
    if (rows->count % CHUNK == 0) {
        uint32_t chunk = rows->count / CHUNK;
        rows->chunks = must(realloc(rows->chunks, (chunk + 1) * sizeof(void *)));
        rows->chunks[chunk] = must(calloc(CHUNK, sizeof **rows->chunks));
    }
    uint32_t at = rows->count++;
    struct sim_row *row = row_at(rows, at);
    row->kind = (uint8_t)kind;
    memcpy(row->key, key, sizeof row->key);
    uint32_t *head = &rows->buckets[hash_key(kind, key) & (rows->bucket_count - 1)];
    row->next_hash = *head;
    *head = at;
    if (rows->last[kind] != 0)
        row_at(rows, rows->last[kind])->next_of_kind = at;
    else
        rows->first[kind] = at;
    rows->last[kind] = at;
    if (rows->count > rows->bucket_count)
        rehash(rows);
    return row;
}

const union tide_any *sim_rows_find(const struct sim_rows *rows, unsigned kind, uint32_t k1,
                                    uint32_t k2, uint32_t k3)
{
    uint32_t key[3] = {k1, k2, k3};
    const struct sim_row *row = find(rows, kind, key);
    return row != NULL && row->live ? &row->as : NULL;
}

void sim_rows_put(struct sim_rows *rows, unsigned kind, const union tide_any *any)
{
    uint32_t key[3];
    sim_rows_key(kind, any, key);
    struct sim_row *row = find(rows, kind, key);
    if (row == NULL)
        row = append(rows, kind, key);
    rows->live[kind] += row->live ? 0 : 1;
    row->live = true;
    row->as = *any;
}

bool sim_rows_del(struct sim_rows *rows, unsigned kind, const union tide_any *any)
{
    uint32_t key[3];
    sim_rows_key(kind, any, key);
    struct sim_row *row = find(rows, kind, key);
    if (row == NULL || !row->live)
        return false;
    row->live = false;
    rows->live[kind]--;
    return true;
}

const union tide_any *sim_rows_next(const struct sim_rows *rows, unsigned kind, uint32_t *cursor)
{
    uint32_t at = *cursor == 0 ? rows->first[kind] : row_at(rows, *cursor)->next_of_kind;
    while (at != 0 && !row_at(rows, at)->live)
        at = row_at(rows, at)->next_of_kind;
    if (at == 0)
        return NULL;
    *cursor = at;
    return &row_at(rows, at)->as;
}

uint32_t sim_rows_count(const struct sim_rows *rows, unsigned kind)
{
    return rows->live[kind];
}
