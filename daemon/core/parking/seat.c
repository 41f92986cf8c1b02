/* seat.c - which slot: best fit, so that long free spans stay whole for long stays.
 *
 * For a span [from, until) a slot that is free all through leaves a gap before and a gap after it:
 *
 *     ▓▓▓▓░░░░░[ span ]░░▓▓▓▓     left 5 + right 2 = 7 grains left over
 *
 * The walls are promises and the ends of windows alike. Chosen is the slot with the least left
 * over; among equals the one with the lower id. A gap longer than a day counts as a day; what lies
 * in the past is nobody's gap.
 */
#include "daemon/core/parking/parking.h"

#define GAP_GRAINS_MAX TIDE_GRAINS_A_DAY

/* A slot on which somebody stands at the moment is no place for who comes now. */
static bool stands_empty(const struct engine *engine, const struct slot_state *slot,
                         struct span span)
{
    if (span.from > span.now)
        return true;
    return !spot_taken_by_other(engine, slot, 0);
}

static bool fits(const struct engine *engine, const struct slot_state *slot,
                 enum tide_slot_class cls, struct span span, const struct freemap_probe *probe)
{
    return slot->row.cls == cls && freemap_probe_fits(probe, slot) &&
           stands_empty(engine, slot, span);
}

static grain left_over(const struct engine *engine, const struct slot_state *slot, struct span span)
{
    grain before = span.from > span.now ? span.from - span.now : 0;
    if (before > GAP_GRAINS_MAX)
        before = GAP_GRAINS_MAX;
    return freemap_free_before(engine, slot, span.from, before) +
           freemap_free_until(engine, slot, span.until, span.until + GAP_GRAINS_MAX) - span.until;
}

tide_id seat_find(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span, tide_id avoid)
{
    const struct zone_state *state = zone_of(engine, zone);
    grain best_left = INT64_MAX;
    tide_id best = 0;
    struct freemap_probe probe;
    CHECK(state != NULL && span.from < span.until);
    freemap_probe_make(engine, span.from, span.until, &probe);
    for (tide_id id = state->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        if (slot->row.id == avoid || !fits(engine, slot, cls, span, &probe))
            continue;
        grain left = left_over(engine, slot, span);
        if (left < best_left) {
            best_left = left;
            best = slot->row.id;
        }
    }
    trace(engine, best != 0 ? "seat.best_fit" : "seat.none", best, best_left, zone);
    return best;
}

uint32_t seat_count(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                    struct span span)
{
    const struct zone_state *state = zone_of(engine, zone);
    uint32_t count = 0;
    struct freemap_probe probe;
    freemap_probe_make(engine, span.from, span.until, &probe);
    for (tide_id id = state->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        count += fits(engine, slot, cls, span, &probe);
        id = slot->next_in_zone;
    }
    return count;
}

/* Earliest start in [from, limit] of `length` free grains on a slot; limit + 1 when none. */
static grain earliest(const struct engine *engine, const struct slot_state *slot, grain from,
                      grain length, grain limit)
{
    for (grain at = from; at <= limit;) {
        at = freemap_next_free(engine, slot, at, limit + 1);
        grain end = freemap_free_until(engine, slot, at, at + length);
        if (at <= limit && end == at + length)
            return at;
        at = end > at ? end : at + 1;
    }
    return limit + 1;
}

void seat_hints(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                struct span span, struct seat_hints *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    grain limit = span.from + TIDE_GRAINS_A_DAY, first = limit + 1, last = span.from;
    *ret = (struct seat_hints){0};
    for (tide_id id = state->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        if (slot->row.cls != cls)
            continue;
        ret->any_open |= freemap_is_open(engine, slot, span.from, span.until);
        grain end = freemap_free_until(engine, slot, span.from, span.until);
        if (end > last && stands_empty(engine, slot, span))
            last = end;
        if (first > span.from) {
            grain start = earliest(engine, slot, span.from + 1, span.until - span.from, first - 1);
            first = start < first ? start : first;
        }
    }
    ret->free_until_ms = last > span.from ? last * TIDE_GRAIN_MS : 0;
    ret->free_from_ms = first <= limit ? first * TIDE_GRAIN_MS : 0;
    trace(engine, "seat.hints", ret->free_until_ms, ret->free_from_ms, ret->any_open);
}
