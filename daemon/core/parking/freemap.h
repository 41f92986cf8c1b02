/* freemap.h - the free time of a slot as bits, one a grain of five minutes.
 *
 *   ring of days:    today-1   today   today+1  ...  today+horizon   (one day of slack)
 *                  ┌────────┬────────┬────────┬─   ─┬────────┬────────┐
 *   open           │        │  ▓▓▓▓▓ │  ▓▓▓▓▓ │     │  ▓▓▓▓▓ │        │   its windows, resolved
 *   busy           │        │   ▓▓   │        │     │        │        │   promised to bookings
 *                  └────────┴────────┴────────┴─   ─┴────────┴────────┘
 *   free           │        │  ▓░░▓▓ │  ▓▓▓▓▓ │     │  ▓▓▓▓▓ │        │   open and not busy
 *
 * open and busy are written; freemap_publish then brings free up to date, and with it the rows of
 * slices.h. Whoever writes publishes before anybody asks.
 *
 * A grain is counted from 1970 UTC; it lies at (grain mod ring). The ring is a whole number of
 * 64-bit words and of days. Before a day is resolved its old bits are cleared.
 */
#ifndef TIDE_CORE_FREEMAP_H
#define TIDE_CORE_FREEMAP_H

#include "daemon/core/state.h"

typedef int64_t grain;

static inline grain grain_floor(tide_ms time_ms)
{
    return time_ms / TIDE_GRAIN_MS - (time_ms % TIDE_GRAIN_MS < 0);
}
static inline grain grain_ceil(tide_ms time_ms)
{
    return time_ms / TIDE_GRAIN_MS + (time_ms % TIDE_GRAIN_MS > 0);
}

/* Days that a ring holds for a horizon, and its words. */
uint32_t freemap_ring_days(uint32_t horizon_days);

/* Takes the rings of all slots out of the engine's block, all clear. */
void freemap_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits);

/* Gives a new slot its rings, which lie at its id in the engine's block; all clear. */
void freemap_adopt(const struct engine *engine, struct slot_state *slot);

/* What the ring knows: yesterday to the last resolved day. Grains outside are other days' bits, and
 * neither open nor free. To be called whenever the time or the last resolved day moves. */
void freemap_horizon(struct engine *engine);

/* Sets or clears the grains [from, until) of a ring; a span no longer than the ring. */
void freemap_set(const struct engine *engine, uint64_t *bits, grain from, grain until);
void freemap_clear(const struct engine *engine, uint64_t *bits, grain from, grain until);
/* After open or busy of [from, until) were written. */
void freemap_publish(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until);
/* A span that is known will be written soon: its words may come from memory meanwhile. */
void freemap_expect(const struct engine *engine, const struct slot_state *slot, grain from);
/* True when the ring knows all of [from, until), which is not empty. */
bool freemap_knows(const struct engine *engine, grain from, grain until);
/* Where a grain that is known lies in the ring. */
uint32_t freemap_at(const struct engine *engine, grain g);
/* True when all of [from, until) is open and not busy. */
bool freemap_is_free(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until);
bool freemap_is_open(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until);
/* bits |= the open grains of [from, until), bit 0 for `from`; all of them known. bits holds a bit a
 * grain, whole words. */
void freemap_or_open(const struct engine *engine, const struct slot_state *slot, grain from,
                     grain until, uint64_t *bits);
/* The first grain at or after from that is not free, at most until. */
grain freemap_free_until(const struct engine *engine, const struct slot_state *slot, grain from,
                         grain until);
/* The first free grain at or after from, at most until. */
grain freemap_next_free(const struct engine *engine, const struct slot_state *slot, grain from,
                        grain until);

#endif
