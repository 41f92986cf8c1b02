/* lot.h - a parking lot on the engine alone: what the allocator is measured on.
 *
 *   lot.c        households, zones, slots, windows, bookings; straight into engine_step
 *   engine.c     decisions a second          allocate.c   quality, on instances from files
 *   instance.c   makes such files            bound.c      what nobody can exceed
 *
 * Household i has place i + 2, person and user i + 2; plates are the caller's. Times count from
 * lot->base_ms, a midnight of the next civil day.
 */
#ifndef TIDE_BENCH_LOT_H
#define TIDE_BENCH_LOT_H

#include "tide/engine.h"

struct lot {
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    tide_ms now_ms, base_ms;
    uint32_t households;
    tide_id windows; /* last id given */
    struct {
        uint8_t bytes[16384];
        size_t len;
        unsigned count;
    } rows;                  /* waiting to be put */
    struct tide_reply reply; /* of the last step */
};

/* All limits that are 0 are set so that they hold so many. live_max: bookings a household. */
void lot_open(struct lot *lot, struct engine_limits limits, uint32_t households, uint32_t live_max,
              uint32_t horizon_days);
void lot_close(struct lot *lot);
void lot_setting(struct lot *lot, enum tide_setting key, int64_t value);
void lot_zone(struct lot *lot, tide_id zone);
void lot_slot(struct lot *lot, tide_id slot, tide_id zone);
/* Open once, [from_min, until_min) from base_ms on. */
void lot_window(struct lot *lot, tide_id slot, int64_t from_min, int64_t until_min);
/* Brings what waits into the engine. Must be called before the first booking. */
void lot_flush(struct lot *lot);

struct lot_wish {
    uint32_t household;
    tide_id plate, zone;
    int64_t from_min, until_min;
};
/* The booking's id, 0 when it is refused; lot->effects holds the step's effects. */
tide_id lot_book(struct lot *lot, const struct lot_wish *wish);
/* False when it is refused. */
bool lot_cancel(struct lot *lot, uint32_t household, tide_id booking);

#endif
