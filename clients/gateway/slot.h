/* slot.h - from what a sensor said to what is true of its slot.
 *
 *   reading ──► state of the reading ──► state of the slot ──► fact `slot`
 *               occupied bit, or          N readings in a row
 *               threshold on distance     that agree
 *
 *        distance   0 ──────────── occupied_mm ───────── free_mm ────────►
 *                     occupied          │   as before       │   free
 *
 * A heartbeat carries the state too: when it differs from what we know, a change was lost, and the
 * heartbeat repairs it. A sensor that is silent for 2.5 heartbeats, or tilted, makes its slot
 * unknown, never free. Pure: time comes in, a fact comes out.
 */
#ifndef TIDE_GATEWAY_SLOT_H
#define TIDE_GATEWAY_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/decoder.h"

struct gw_slot {
    int state;       /* 1 occupied, 0 free, -1 unknown: what was told last */
    int candidate;   /* another state that was read */
    int agreed;      /* how often in a row */
    int battery_pct; /* -1: not heard since it was told last */
    int64_t heard_ms;
    bool told;   /* anything at all since the start */
    bool silent; /* silence was told */
    bool owed;   /* a heartbeat that found no room in the spool */
};

struct gw_slot_fact {
    int state;
    bool heartbeat; /* nothing new: may fall away when the spool is full */
    int battery_pct;
    int64_t device_ms;
    bool replay;
};

void gw_slot_begin(struct gw_slot *slot, int64_t now_ms);
/* What follows from an event of its device. true: *ret is to be told. */
bool gw_slot_take(struct gw_slot *slot, const struct gw_device_conf *conf,
                  const struct gw_event *event, int64_t now_ms, struct gw_slot_fact *ret);
/* Elapsed time at which silence makes it unknown, INT64_MAX when it is already. */
int64_t gw_slot_silence_due(const struct gw_slot *slot, const struct gw_device_conf *conf);
/* true: it has been silent for too long, and *ret says so. */
bool gw_slot_silence(struct gw_slot *slot, const struct gw_device_conf *conf, int64_t now_ms,
                     struct gw_slot_fact *ret);
/* Inside of the fact's JSON object. Returns its length, 0 when cap is too small. */
size_t gw_slot_members(char *out, size_t cap, const char *slot, const struct gw_slot_fact *fact,
                       int utc_offset_min);

#endif
