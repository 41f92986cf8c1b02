/* freemap.c - see freemap.h. Spans are cut where the ring ends, then taken a word at a time. */
#include "daemon/core/parking/freemap.h"

#include <string.h>

#include "daemon/core/calendar.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/slices.h"

uint32_t freemap_ring_days(uint32_t horizon_days)
{
    uint32_t days = horizon_days + 3;
    return days + (days & 1); /* two days are 9 whole words */
}

static grain ring_grains(const struct engine *engine)
{
    return (grain)engine->ring_days * TIDE_GRAINS_A_DAY;
}

/* A division a grain would cost more than all the rest: what the ring knows lies within one ring
 * length of ring_base. */
uint32_t freemap_at(const struct engine *engine, grain g)
{
    grain ring = ring_grains(engine), at = g - engine->ring_base;
    while (at < 0)
        at += ring;
    while (at >= ring)
        at -= ring;
    return (uint32_t)at;
}

static uint64_t mask_of(uint32_t from, uint32_t until) /* bits of one word, from < until <= 64 */
{
    uint64_t high = until == 64 ? UINT64_MAX : ((uint64_t)1 << until) - 1;
    return high & ~(((uint64_t)1 << from) - 1);
}

static void range_write(uint64_t *bits, uint32_t from, uint32_t until, bool value)
{
    while (from < until) {
        uint32_t word = from / 64, end = until < (word + 1) * 64 ? until : (word + 1) * 64;
        uint64_t mask = mask_of(from % 64, end - word * 64);
        bits[word] = value ? bits[word] | mask : bits[word] & ~mask;
        from = end;
    }
}

static void span_write(const struct engine *engine, uint64_t *bits, grain from, grain until,
                       bool value)
{
    if (from >= until)
        return;
    grain ring = ring_grains(engine);
    CHECK(until - from <= ring);
    uint32_t at = freemap_at(engine, from), len = (uint32_t)(until - from);
    uint32_t first = len < (uint32_t)ring - at ? len : (uint32_t)ring - at;
    range_write(bits, at, at + first, value);
    range_write(bits, 0, len - first, value);
}

void freemap_set(const struct engine *engine, uint64_t *bits, grain from, grain until)
{
    span_write(engine, bits, from, until, true);
}

void freemap_clear(const struct engine *engine, uint64_t *bits, grain from, grain until)
{
    span_write(engine, bits, from, until, false);
}

void freemap_horizon(struct engine *engine)
{
    engine->known_from = grain_floor(calendar_day_start(engine, windows_first_day(engine)));
    engine->known_until = grain_floor(calendar_day_start(engine, windows_last_day(engine) + 1));
    engine->ring_base = engine->known_from - engine->known_from % ring_grains(engine);
}

/* The first grain in [from, until) whose bit in (free or open) is `wanted`; until when none is.
 * What the ring does not know is neither open nor free. */
static grain find(const struct engine *engine, const struct slot_state *slot, grain from,
                  grain until, bool wanted, bool look_at_busy)
{
    grain at = from, first = engine->known_from, last = engine->known_until;
    if (at < first || at >= last) {
        if (!wanted || until <= first || at >= last)
            return wanted ? until : from;
        at = first;
    }
    grain end = until < last ? until : last;
    while (at < end) {
        uint32_t bit = freemap_at(engine, at), word = bit / 64;
        uint64_t value = look_at_busy ? slot->free[word] : slot->open[word];
        if (!wanted)
            value = ~value;
        value >>= bit % 64;
        if (value != 0) {
            grain found = at + __builtin_ctzll(value);
            if (found < end)
                return found;
            break;
        }
        at += 64 - bit % 64;
    }
    return wanted ? until : end;
}

bool freemap_is_free(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until)
{
    return find(engine, slot, from, until, false, true) == until;
}

bool freemap_is_open(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until)
{
    return find(engine, slot, from, until, false, false) == until;
}

grain freemap_free_until(const struct engine *engine, const struct slot_state *slot, grain from,
                         grain until)
{
    return find(engine, slot, from, until, false, true);
}

grain freemap_next_free(const struct engine *engine, const struct slot_state *slot, grain from,
                        grain until)
{
    return find(engine, slot, from, until, true, true);
}

void freemap_or_open(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until, uint64_t *bits)
{
    CHECK(freemap_knows(engine, from, until));
    for (grain at = from; at < until; at += 64, bits++) {
        uint32_t bit = freemap_at(engine, at), word = bit / 64,
                 next = (word + 1) % engine->ring_words;
        *bits |= slot->open[word] >> bit % 64;
        if (bit % 64 != 0)
            *bits |= slot->open[next] << (64 - bit % 64);
        if (until - at < 64) /* behind the end lie other grains */
            *bits &= ((uint64_t)1 << (until - at)) - 1;
    }
}

/* ---- publishing ----------------------------------------------------------------------------- */
static void publish_word(const struct engine *engine, const struct slot_state *slot, uint32_t word)
{
    uint64_t now = slot->open[word] & ~slot->busy[word], changed = now ^ slot->free[word];
    if (changed == 0)
        return;
    slot->free[word] = now;
    slices_write(engine, slot->row.id, word, changed, now);
}

void freemap_publish(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until)
{
    CHECK(until - from <= ring_grains(engine));
    while (from < until) {
        uint32_t bit = freemap_at(engine, from);
        publish_word(engine, slot, bit / 64);
        from += 64 - bit % 64;
    }
}

void freemap_expect(const struct engine *engine, const struct slot_state *slot, grain from)
{
    uint32_t word = freemap_at(engine, from) / 64;
    __builtin_prefetch(slot->open + word);
    __builtin_prefetch(slot->busy + word, 1);
    __builtin_prefetch(slot->free + word, 1);
}

bool freemap_knows(const struct engine *engine, grain from, grain until)
{
    return from < until && from >= engine->known_from && until <= engine->known_until;
}

void freemap_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits)
{
    size_t bytes = (size_t)limits->slots * 3 * engine->ring_words * sizeof(uint64_t);
    engine->ring_bits = carve_take(carve, bytes);
    if (carve->base != NULL)
        memset(engine->ring_bits, 0, bytes);
}

void freemap_adopt(const struct engine *engine, struct slot_state *slot)
{
    CHECK(slot->row.id > 0 && slot->row.id <= engine->slots.cap);
    size_t words = engine->ring_words;
    slot->open = engine->ring_bits + (size_t)(slot->row.id - 1) * 3 * words;
    slot->busy = slot->open + words;
    slot->free = slot->busy + words;
    memset(slot->open, 0, 2 * words * sizeof(uint64_t));
    for (uint32_t word = 0; word < words; word++) /* of one that had this id before */
        publish_word(engine, slot, word);
}
