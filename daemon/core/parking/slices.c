/* slices.c - see slices.h. */
#include "daemon/core/parking/slices.h"

#include <string.h>

#define CLASSES 8u

static struct slice_set *carve_sets(struct carve *carve, size_t sets)
{
    struct slice_set *taken = carve_take(carve, sets * sizeof *taken);
    if (carve->base != NULL)
        memset(taken, 0, sets * sizeof *taken);
    return taken;
}

void slices_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits)
{
    struct slices *s = &engine->slices;
    s->positions = engine->ring_days * TIDE_GRAINS_A_DAY;
    s->chunks = limits->slots / SLICE_SLOTS + 1;
    s->rows = carve_sets(carve, (size_t)s->positions * s->chunks);
    s->blocks = carve_sets(carve, (size_t)s->positions / SLICE_BLOCK * s->chunks);
    s->zones = carve_sets(carve, (size_t)(limits->zones + 1) * s->chunks);
    s->classes = carve_sets(carve, (size_t)CLASSES * s->chunks);
    s->spans = carve_take(carve, (size_t)(limits->zones + 1) * sizeof *s->spans);
    if (carve->base != NULL)
        memset(s->spans, 0, (size_t)(limits->zones + 1) * sizeof *s->spans);
}

/* ---- writing -------------------------------------------------------------------------------- */
/* The bit of a slot in its chunk. */
static void put_bit(struct slice_set *set, tide_id slot, bool value)
{
    uint64_t bit = (uint64_t)1 << slot % 64, word = set->word[slot / 64 % SLICE_CHUNK];
    set->word[slot / 64 % SLICE_CHUNK] = value ? word | bit : word & ~bit;
}

void slices_write(const struct engine *engine, tide_id slot, uint32_t word, uint64_t changed,
                  uint64_t now)
{
    const struct slices *s = &engine->slices;
    size_t first = (size_t)(slot / SLICE_SLOTS) * s->positions + (size_t)word * 64;
    struct slice_set *rows = s->rows + first, *blocks = s->blocks + first / SLICE_BLOCK;
    uint64_t bit = (uint64_t)1 << slot % 64;
    unsigned word_at = slot / 64 % SLICE_CHUNK;
    for (uint64_t left = changed & now; left != 0; left &= left - 1)
        rows[__builtin_ctzll(left)].word[word_at] |= bit;
    for (uint64_t left = changed & ~now; left != 0; left &= left - 1)
        rows[__builtin_ctzll(left)].word[word_at] &= ~bit;
    for (unsigned block = 0; block < 64 / SLICE_BLOCK; block++)
        if (changed >> block * SLICE_BLOCK & 0xff)
            put_bit(blocks + block, slot, (now >> block * SLICE_BLOCK & 0xff) == 0xff);
}

/* The zone's chunks, from the first with a slot of it to behind the last. */
static void measure(const struct slices *s, tide_id zone)
{
    const struct slice_set *mask = s->zones + (size_t)zone * s->chunks;
    uint32_t first = 0, until = s->chunks;
    while (first < until && !slice_any(mask + first))
        first++;
    while (until > first && !slice_any(mask + until - 1))
        until--;
    s->spans[zone] = (struct slice_span){first, until};
}

void slices_mark(const struct engine *engine, tide_id slot, tide_id zone, unsigned cls, bool is)
{
    const struct slices *s = &engine->slices;
    uint32_t chunk = slot / SLICE_SLOTS;
    CHECK(cls < CLASSES);
    put_bit(s->zones + (size_t)zone * s->chunks + chunk, slot, is);
    put_bit(s->classes + (size_t)cls * s->chunks + chunk, slot, is);
    measure(s, zone);
}

/* ---- reading -------------------------------------------------------------------------------- */
struct slice_span slices_span(const struct engine *engine, tide_id zone)
{
    return engine->slices.spans[zone];
}

/* Positions [at, until) of the ring, blocks where they fit. */
static bool and_part(const struct engine *engine, struct slice_set *set, uint32_t chunk,
                     uint32_t at, uint32_t until)
{
    const struct slice_set *row = slices_row(engine, chunk, at);
    while (at < until) {
        if (at % SLICE_BLOCK == 0 && until - at >= SLICE_BLOCK) {
            set->word &= slices_block(engine, chunk, at / SLICE_BLOCK)->word;
            at += SLICE_BLOCK;
            row += SLICE_BLOCK;
        } else {
            set->word &= row->word;
            at++;
            row++;
        }
        if (!slice_any(set))
            return false;
    }
    return true;
}

bool slices_free(const struct engine *engine, struct slice_set *set, uint32_t chunk, tide_id zone,
                 unsigned cls, uint32_t at, uint32_t count)
{
    const struct slices *s = &engine->slices;
    uint32_t ring = s->positions, end = at + count < ring ? at + count : ring;
    CHECK(cls < CLASSES && at < ring && count <= ring);
    set->word = s->zones[(size_t)zone * s->chunks + chunk].word &
                s->classes[(size_t)cls * s->chunks + chunk].word;
    return slice_any(set) && and_part(engine, set, chunk, at, end) &&
           and_part(engine, set, chunk, 0, at + count - end);
}
