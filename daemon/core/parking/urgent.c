/* urgent.c - an ambulance's visit, a certified carer's: a place now, if others were promised it.
 *
 *   slot 1   ▓▓▓ a parked ▓▓▓▓▓▓▓▓           never: a car that is there is not sent away
 *   slot 2   ░░░▓▓▓ b ▓▓▓▓▓▓▓▓▓▓▓░░          180 minutes would have to give way
 *   slot 3   ▓ c ▓░░▓ d ▓▓░░░░░░░░░           90 minutes: these are asked
 *            ├── visit ───┤
 *
 * Who may ask is the desk, the property and the guard, for a plate that is on file as an emergency
 * vehicle or as certified care (vehicle kind `care`, as long as its until_ms), and for the
 * household that is visited. When a place is
 * free, directly or by moves, it is a booking like any other. Else the slot is cleared on which the
 * fewest promised minutes are in the way, ties by the lower id: each of these bookings is moved
 * (seat_elsewhere), or broken with compensation and told why (preempted). Untouched are cars that
 * are there, slots by right (their owner's, a substitute), other urgent visits, and hours that a
 * draw gives away. The visit costs its household nothing, the pool pays who lends; it is not
 * extended, but asked anew.
 */
#include "daemon/core/authority.h"
#include "daemon/core/parking/parking.h"

#define IN_THE_WAY_MAX 8u /* bookings on one slot */

bool urgent_party(struct step *step, const struct tide_book *ask, struct party *ret)
{
    const struct engine *engine = step->engine;
    const struct zone_state *zone = zone_of(engine, ask->zone);
    const struct vehicle_state *vehicle = vehicle_of(engine, ask->plate);
    const struct place_state *place = place_of(engine, ask->household);
    if (zone == NULL || place == NULL || place->row.kind != TIDE_PLACE_KIND_household) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return false;
    }
    if (!step_need_role(step, ROLES_GATE, zone->row.place))
        return false;
    if (vehicle == NULL || (vehicle->row.until_ms != 0 && vehicle->row.until_ms <= step->now_ms) ||
        (vehicle->row.kind != TIDE_VEHICLE_KIND_emergency &&
         vehicle->row.kind != TIDE_VEHICLE_KIND_care)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_certified);
        return false;
    }
    *ret = (struct party){.household = ask->household};
    return true;
}

static bool is_in_the_way(const struct tide_booking *row, struct span span)
{
    struct span theirs = booking_hold(row, 0);
    return theirs.from < span.until && span.from < theirs.until;
}

/* Promised minutes that would have to give way there; INT64_MAX when somebody may not. */
static int64_t minutes_in_the_way(const struct engine *engine, const struct slot_state *slot,
                                  struct span span)
{
    int64_t minutes = 0;
    unsigned count = 0;
    if (!freemap_is_open(engine, slot, span.from, span.until) ||
        (span.from <= span.now && spot_taken_by_other(engine, slot, 0)))
        return INT64_MAX;
    for (uint32_t id = slot->bookings.first; id != 0;) {
        const struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        id = order_next(engine, booking, ORDER_OF_SLOT);
        if (!is_in_the_way(row, span))
            continue;
        if (row->state != TIDE_BOOKING_STATE_booked || row->urgent || row->substitute_for != 0 ||
            row->household == slot->row.owner || ++count > IN_THE_WAY_MAX)
            return INT64_MAX;
        minutes += (row->end_ms - row->start_ms) / TIDE_MINUTE_MS;
    }
    return minutes;
}

static void clear(struct step *step, const struct slot_state *slot, struct span span)
{
    struct engine *engine = step->engine;
    for (uint32_t id = slot->bookings.first; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        id = order_next(engine, booking, ORDER_OF_SLOT);
        if (is_in_the_way(&booking->row, span))
            booking_reseat_or_break(step, booking, TIDE_WHY_preempted);
    }
}

tide_id urgent_seat(struct step *step, const struct booking_wish *wish, struct span span)
{
    struct engine *engine = step->engine;
    const struct slot_state *best = NULL;
    int64_t least = INT64_MAX;
    for (tide_id id = zone_of(engine, wish->zone)->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        int64_t minutes =
            slot->row.cls == wish->cls ? minutes_in_the_way(engine, slot, span) : INT64_MAX;
        if (minutes < least || (minutes == least && best != NULL && id < best->row.id)) {
            best = slot;
            least = minutes;
        }
        id = slot->next_in_zone;
    }
    if (best == NULL)
        return 0;
    trace(engine, "urgent.clears", best->row.id, least, 0);
    clear(step, best, span);
    CHECK(freemap_is_free(engine, best, span.from, span.until)); /* nobody was moved onto it */
    return best->row.id;
}
