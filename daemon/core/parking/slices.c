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
    s->words = limits->slots / 64 + 1;
    s->rows = carve_words(carve, grains * s->words);
    s->blocks = carve_words(carve, grains / SLICE_BLOCK * s->words);
    s->zones = carve_words(carve, (size_t)(limits->zones + 1) * s->words);
    s->classes = carve_words(carve, (size_t)CLASSES * s->words);
    s->scratch = carve_words(carve, (size_t)SLICE_SETS * s->words);
    s->spans = carve_take(carve, (size_t)(limits->zones + 1) * sizeof *s->spans);
    if (carve->base != NULL)
        memset(s->spans, 0, (size_t)(limits->zones + 1) * sizeof *s->spans);
}

uint64_t *slices_scratch(const struct engine *engine, unsigned which)
{
    CHECK(which < SLICE_SETS);
    return engine->slices.scratch + (size_t)which * engine->slices.words;
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

/* The zone's words, from the first with a slot of it to behind the last. */
static void measure(const struct slices *s, tide_id zone)
{
    const uint64_t *mask = s->zones + (size_t)zone * s->words;
    uint32_t first = 0, until = s->words;
    while (first < until && mask[first] == 0)
        first++;
    while (until > first && mask[until - 1] == 0)
        until--;
    s->spans[zone] = (struct slice_words){first, until};
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
struct slice_words slices_words(const struct engine *engine, tide_id zone)
{
    return engine->slices.spans[zone];
}

static uint64_t and_row(uint64_t *set, const uint64_t *row, struct slice_words words)
{
    uint64_t any = 0;
    for (uint32_t i = words.first; i < words.until; i++)
        any |= set[i] &= row[i];
    return any;
}

bool slices_and(const struct engine *engine, uint64_t *set, struct slice_words words, uint32_t at)
{
    const struct slices *s = &engine->slices;
    return and_row(set, s->rows + (size_t)at * s->words, words) != 0;
}

/* Positions [at, until) of the ring, blocks where they fit. */
static bool and_part(const struct slices *s, uint64_t *set, struct slice_words words, uint32_t at,
                     uint32_t until)
{
    while (at < until) {
        bool block = at % SLICE_BLOCK == 0 && until - at >= SLICE_BLOCK;
        const uint64_t *row = block ? s->blocks + (size_t)(at / SLICE_BLOCK) * s->words
                                    : s->rows + (size_t)at * s->words;
        if (and_row(set, row, words) == 0)
            return false;
        at += block ? SLICE_BLOCK : 1;
    }
    return true;
}

bool slices_free(const struct engine *engine, uint64_t *set, tide_id zone, unsigned cls,
                 uint32_t at, uint32_t count)
{
    const struct slices *s = &engine->slices;
    struct slice_words words = s->spans[zone];
    const uint64_t *in_zone = s->zones + (size_t)zone * s->words;
    const uint64_t *of_class = s->classes + (size_t)cls * s->words;
    uint32_t ring = engine->ring_days * TIDE_GRAINS_A_DAY;
    uint32_t end = at + count < ring ? at + count : ring;
    CHECK(cls < CLASSES && at < ring && count <= ring);
    for (uint32_t i = words.first; i < words.until; i++)
        set[i] = in_zone[i] & of_class[i];
    return words.first < words.until && and_part(s, set, words, at, end) &&
           and_part(s, set, words, 0, at + count - end);
}
