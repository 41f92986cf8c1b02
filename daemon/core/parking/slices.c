/* slices.c - see slices.h. */
#include "daemon/core/parking/slices.h"

#include <string.h>

#define CLASSES 8u

static uint64_t *carve_words(struct carve *carve, size_t words)
{
    uint64_t *taken = carve_take(carve, words * sizeof *taken);
    if (carve->base != NULL)
        memset(taken, 0, words * sizeof *taken);
    return taken;
}

void slices_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits)
{
    struct slices *s = &engine->slices;
    size_t grains = (size_t)engine->ring_days * TIDE_GRAINS_A_DAY;
    s->words = (limits->slots / SLICE_SLOTS + 1) * SLICE_CHUNK;
    s->rows = carve_words(carve, grains * s->words);
    s->blocks = carve_words(carve, grains / SLICE_BLOCK * s->words);
    s->zones = carve_words(carve, (size_t)(limits->zones + 1) * s->words);
    s->classes = carve_words(carve, (size_t)CLASSES * s->words);
    s->spans = carve_take(carve, (size_t)(limits->zones + 1) * sizeof *s->spans);
    if (carve->base != NULL)
        memset(s->spans, 0, (size_t)(limits->zones + 1) * sizeof *s->spans);
}

/* ---- writing -------------------------------------------------------------------------------- */
static void put_bit(uint64_t *word, uint64_t bit, bool value)
{
    *word = value ? *word | bit : *word & ~bit;
}

void slices_write(const struct engine *engine, tide_id slot, uint32_t word, uint64_t changed,
                  uint64_t now)
{
    const struct slices *s = &engine->slices;
    uint64_t bit = (uint64_t)1 << slot % 64;
    uint64_t *rows = s->rows + (size_t)word * 64 * s->words + slot / 64;
    uint64_t *blocks = s->blocks + (size_t)word * (64 / SLICE_BLOCK) * s->words + slot / 64;
    for (uint64_t left = changed; left != 0; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        put_bit(rows + (size_t)at * s->words, bit, now >> at & 1);
    }
    for (unsigned block = 0; block < 64 / SLICE_BLOCK; block++)
        if (changed >> block * SLICE_BLOCK & 0xff)
            put_bit(blocks + (size_t)block * s->words, bit,
                    (now >> block * SLICE_BLOCK & 0xff) == 0xff);
}

static bool chunk_is_empty(const uint64_t *mask, uint32_t chunk)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < SLICE_CHUNK; i++)
        any |= mask[chunk * SLICE_CHUNK + i];
    return any == 0;
}

/* The zone's chunks, from the first with a slot of it to behind the last. */
static void measure(const struct slices *s, tide_id zone)
{
    const uint64_t *mask = s->zones + (size_t)zone * s->words;
    uint32_t first = 0, until = s->words / SLICE_CHUNK;
    while (first < until && chunk_is_empty(mask, first))
        first++;
    while (until > first && chunk_is_empty(mask, until - 1))
        until--;
    s->spans[zone] = (struct slice_span){first, until};
}

void slices_mark(const struct engine *engine, tide_id slot, tide_id zone, unsigned cls, bool is)
{
    const struct slices *s = &engine->slices;
    uint64_t bit = (uint64_t)1 << slot % 64;
    CHECK(cls < CLASSES);
    put_bit(s->zones + (size_t)zone * s->words + slot / 64, bit, is);
    put_bit(s->classes + (size_t)cls * s->words + slot / 64, bit, is);
    measure(s, zone);
}

/* ---- reading -------------------------------------------------------------------------------- */
struct slice_span slices_span(const struct engine *engine, tide_id zone)
{
    return engine->slices.spans[zone];
}

static bool and_row(const struct slices *s, struct slice_set *set, uint32_t chunk,
                    const uint64_t *rows, uint32_t at)
{
    const uint64_t *row = rows + (size_t)at * s->words + (size_t)chunk * SLICE_CHUNK;
    uint64_t any = 0;
    for (uint32_t i = 0; i < SLICE_CHUNK; i++)
        any |= set->word[i] &= row[i];
    return any != 0;
}

bool slices_and(const struct engine *engine, struct slice_set *set, uint32_t chunk, uint32_t at)
{
    return and_row(&engine->slices, set, chunk, engine->slices.rows, at);
}

bool slices_and_block(const struct engine *engine, struct slice_set *set, uint32_t chunk,
                      uint32_t block)
{
    return and_row(&engine->slices, set, chunk, engine->slices.blocks, block);
}

/* Positions [at, until) of the ring, blocks where they fit. */
static bool and_part(const struct slices *s, struct slice_set *set, uint32_t chunk, uint32_t at,
                     uint32_t until)
{
    while (at < until) {
        bool block = at % SLICE_BLOCK == 0 && until - at >= SLICE_BLOCK;
        if (!and_row(s, set, chunk, block ? s->blocks : s->rows, block ? at / SLICE_BLOCK : at))
            return false;
        at += block ? SLICE_BLOCK : 1;
    }
    return true;
}

bool slices_free(const struct engine *engine, struct slice_set *set, uint32_t chunk, tide_id zone,
                 unsigned cls, uint32_t at, uint32_t count)
{
    const struct slices *s = &engine->slices;
    uint32_t ring = engine->ring_days * TIDE_GRAINS_A_DAY;
    uint32_t end = at + count < ring ? at + count : ring;
    CHECK(cls < CLASSES && at < ring && count <= ring);
    memcpy(set, s->zones + (size_t)zone * s->words + (size_t)chunk * SLICE_CHUNK, sizeof *set);
    return and_row(s, set, chunk, s->classes, cls) && and_part(s, set, chunk, at, end) &&
           and_part(s, set, chunk, 0, at + count - end);
}
