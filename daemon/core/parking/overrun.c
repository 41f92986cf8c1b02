/* overrun.c - a car stands where it should be gone: who comes after it is moved before he arrives,
 * and the owner who returns is promised another slot before he reaches the gate.
 *
 *     slot 1   ▓▓▓▓▓▓ a's promise ▓▓▓▓▓▓│ still there ...      ┃ the window ends: its owner is back
 *                                       ├── looked at every 15 minutes ──►
 *                                       │    b, begins within the hour: moved now
 *                                       │    the window ends within the hour: a substitute
 *
 * A look moves what begins within TIDE_OVERRUN_AHEAD_MIN, the soonest first: onto the best other
 * slot, else with a chain of moves. What cannot be moved is tried again at the next look, and is a
 * late_supply incident at its start; who was told so is told when he is moved after all. A
 * stranger's car is looked at when it is found out and when its incident climbs.
 *
 * A substitute is a promise like any other, of a slot that is open for sharing, free, and not one
 * where somebody stays as well (it is named to him, so it should hold): first in
 * the zone, then in those within the walk, for as long as half a day. It costs the owner nothing;
 * the lender of that slot earns from the pool, and who overstays pays the owner (lifetime.c). Its
 * plate is that of the household's first car (by id) that is not in; at the gate it becomes that of
 * whichever comes. A household without a car on file is promised nothing: it is told of the
 * incident. It ends when the stranger leaves before the owner came, or when the owner leaves. Who
 * called a slot back and took another for it (share.c) has the same kind of promise, which no
 * stranger's leaving ends.
 */
#include "daemon/core/notice.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"

#define AHEAD_GRAINS (TIDE_OVERRUN_AHEAD_MIN / TIDE_GRAIN_MIN)

tide_ms overrun_look_ms(const struct tide_booking *booking)
{
    return booking->looked_ms == 0 ? booking->end_ms
                                   : booking->looked_ms + TIDE_OVERRUN_EVERY_MIN * TIDE_MINUTE_MS;
}

/* ---- who comes after ------------------------------------------------------------------------ */
static void move_away(struct step *step, const struct slot_state *slot)
{
    struct engine *engine = step->engine;
    tide_ms until_ms = step->now_ms + TIDE_OVERRUN_AHEAD_MIN * TIDE_MINUTE_MS;
    unsigned tried = 0;
    for (uint32_t id = slot->bookings.first; id != 0 && tried < TIDE_OVERRUN_MOVES_A_STEP;) {
        struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        id = order_next(engine, booking, ORDER_OF_SLOT);
        if (row->state != TIDE_BOOKING_STATE_booked || row->start_ms > until_ms)
            continue;
        tried++;
        tide_id other = seat_elsewhere(step, row, NULL);
        trace(engine, "overrun.next", row->id, slot->row.id, other);
        if (other == 0)
            continue;
        bool waits = incident_open_of(engine, row->id, TIDE_INCIDENT_KIND_late_supply) != 0;
        booking_disturb(step, booking, TIDE_WHY_overstayer);
        booking_move(step, booking, other);
        incidents_close_booking(step, row->id, 1u << TIDE_INCIDENT_KIND_late_supply);
        if (waits) /* he was told that his place is taken */
            notice_party(step, row, TIDE_NOTICE_KIND_booking_moved, TIDE_WHY_none);
    }
}

/* ---- the owner ------------------------------------------------------------------------------ */
struct booking_state *substitute_of(const struct engine *engine, const struct slot_state *slot)
{
    const struct place_state *owner = place_of(engine, slot->row.owner);
    for (uint32_t id = owner != NULL ? owner->bookings.first : 0; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        if (booking->row.substitute_for == slot->row.id)
            return booking;
        id = order_next(engine, booking, ORDER_OF_HOUSEHOLD);
    }
    return NULL;
}

void substitute_tell(struct step *step, const struct tide_booking *booking)
{
    notice_household(step, booking->household,
                     (struct tide_notice){.kind = TIDE_NOTICE_KIND_substitute,
                                          .booking = booking->id,
                                          .plate = booking->plate,
                                          .zone = booking->zone,
                                          .slot = booking->slot,
                                          .start_ms = booking->start_ms,
                                          .end_ms = booking->end_ms,
                                          .why = booking->reason});
}

/* The car for which a household is promised something: the first that is not in and has no other
 * promise then; 0 when there is none. */
static tide_id car_of(const struct engine *engine, tide_id household, struct span span)
{
    const struct place_state *place = place_of(engine, household);
    tide_id found = 0;
    for (uint32_t id = place != NULL ? place->first_vehicle : 0; id != 0;) {
        const struct vehicle_state *vehicle = vehicle_of(engine, id);
        const struct tide_vehicle *row = &vehicle->row;
        const struct plate_state *plate = plate_of(engine, row->plate);
        id = vehicle->next_of_household;
        if (row->kind == TIDE_VEHICLE_KIND_resident &&
            (row->until_ms == 0 || row->until_ms > engine->now_ms) &&
            (plate == NULL || plate->session == 0) &&
            booking_overlapping(engine, row->plate, 0, span) == 0 &&
            (found == 0 || row->plate < found))
            found = row->plate;
    }
    return found;
}

struct booking_state *substitute_hold(struct step *step, const struct slot_state *slot,
                                      tide_id seat, struct span span, enum tide_why why,
                                      tide_id plate)
{
    struct engine *engine = step->engine;
    const struct slot_state *other = slot_of(engine, seat);
    if (plate == 0)
        plate = car_of(engine, slot->row.owner, span);
    if (plate == 0 || booking_overlapping(engine, plate, 0, span) != 0 ||
        engine->bookings.count == engine->bookings.cap ||
        (plate_of(engine, plate) == NULL && engine->plates.count == engine->plates.cap))
        return NULL;
    struct booking_wish wish = {.plate = plate,
                                .zone = other->row.zone,
                                .household = slot->row.owner,
                                .cls = (enum tide_slot_class)other->row.cls,
                                .substitute_for = slot->row.id,
                                .why = why};
    struct booking_state *booking = booking_write(step, &wish, span, seat);
    trace(engine, "substitute.held", slot->row.id, seat, booking->row.end_ms);
    substitute_tell(step, &booking->row);
    return booking;
}

int32_t swap_minutes(const struct engine *engine)
{
    return (int32_t)engine->setting[TIDE_SETTING_compensation_min];
}

bool substitute_could(const struct engine *engine, const struct slot_state *slot, struct span span)
{
    return car_of(engine, slot->row.owner, span) != 0;
}

/* His own class, or standard. */
static tide_id seat_as(const struct engine *engine, const struct slot_state *slot, tide_id zone,
                       struct span span)
{
    tide_id seat = seat_find(engine, zone, (enum tide_slot_class)slot->row.cls, span, slot->row.id);
    if (seat == 0 && slot->row.cls != TIDE_SLOT_CLASS_standard)
        seat = seat_find(engine, zone, TIDE_SLOT_CLASS_standard, span, slot->row.id);
    return seat;
}

bool slot_is_blocked(const struct engine *engine, const struct slot_state *slot)
{
    const struct session_state *there = session_of(engine, slot->session);
    const struct booking_state *booking =
        there != NULL ? booking_of(engine, there->row.booking) : NULL;
    return spot_taken_by_other(engine, slot, 0) &&
           (booking == NULL || booking->row.end_ms <= engine->now_ms);
}

/* A seat in a zone for an owner; not where a draw decides. He is told which: within the hour it is
 * one that stands empty now, else one whose car has still time to leave. */
tide_id substitute_seat(const struct engine *engine, const struct slot_state *slot, tide_id zone,
                        struct span span)
{
    tide_ms from_ms;
    if (draw_keeps(engine, zone, span, &from_ms))
        return 0;
    if (span.from > span.now + AHEAD_GRAINS)
        return seat_as(engine, slot, zone, span);
    tide_id seat = seat_as(engine, slot, zone, (struct span){span.from, span.until, span.from});
    if (seat == 0)
        seat = seat_as(engine, slot, zone, span);
    return seat != 0 && slot_is_blocked(engine, slot_of(engine, seat)) ? 0 : seat;
}

/* Another slot for the owner from a grain on, for this plate (0: any of his); NULL: none. */
static struct booking_state *substitute_make(struct step *step, const struct slot_state *slot,
                                             grain from, tide_id plate)
{
    struct engine *engine = step->engine;
    struct zone_near near[TIDE_OFFER_ZONES_MAX];
    struct span span = {from, from + TIDE_SUBSTITUTE_GRAINS_MAX, grain_floor(step->now_ms)};
    unsigned count = zones_near(engine, slot->row.zone, near);
    while (span.until - from >= TIDE_SUBSTITUTE_GRAINS_MIN) {
        tide_id seat = substitute_seat(engine, slot, slot->row.zone, span);
        for (unsigned i = 0; i < count && seat == 0; i++)
            seat = substitute_seat(engine, slot, near[i].zone, span);
        struct booking_state *booking =
            seat != 0 ? substitute_hold(step, slot, seat, span, TIDE_WHY_overstayer, plate) : NULL;
        if (booking != NULL)
            return booking;
        span.until = from + (span.until - from) / 2;
    }
    trace(engine, "substitute.none", slot->row.id, from * TIDE_GRAIN_MS, 0);
    return NULL;
}

/* Somebody of another household stands there, or nobody knows who. */
static bool taken_by_another(const struct engine *engine, const struct slot_state *slot)
{
    const struct session_state *there = session_of(engine, slot->session);
    return spot_taken_by_other(engine, slot, 0) &&
           (there == NULL || there->row.household != slot->row.owner);
}

static void owner_returns(struct step *step, const struct slot_state *slot)
{
    struct engine *engine = step->engine;
    grain now = grain_floor(step->now_ms), back = now;
    if (slot->row.owner == 0 || !taken_by_another(engine, slot))
        return;
    while (back < now + AHEAD_GRAINS && freemap_is_open(engine, slot, back, back + 1))
        back++;
    if (back == now + AHEAD_GRAINS || substitute_of(engine, slot) != NULL)
        return;
    const struct booking_state *booking = substitute_make(step, slot, back, 0);
    incidents_substitute(step, slot->row.id, booking != NULL ? booking->row.slot : 0);
}

void overrun_look(struct step *step, const struct slot_state *slot)
{
    move_away(step, slot);
    owner_returns(step, slot);
}

void overrun_over(struct step *step, const struct slot_state *slot)
{
    struct booking_state *booking = substitute_of(step->engine, slot);
    if (booking == NULL || booking->row.state != TIDE_BOOKING_STATE_booked ||
        booking->row.reason != TIDE_WHY_overstayer || spot_taken_by_other(step->engine, slot, 0))
        return;
    struct tide_notice what = {.kind = TIDE_NOTICE_KIND_slot_free,
                               .booking = booking->row.id,
                               .zone = slot->row.zone,
                               .slot = slot->row.id,
                               .start_ms = step->now_ms};
    notice_household(step, slot->row.owner, what);
    booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
}

/* ---- at the gate ----------------------------------------------------------------------------- */
/* The household's promise becomes that of the car which came. */
static void give_plate(struct step *step, struct booking_state *booking, tide_id plate)
{
    struct engine *engine = step->engine;
    booking_detach(engine, booking);
    booking->row.plate = plate;
    booking_attach(engine, booking);
    step_put(step, TIDE_REC_booking, &booking->row);
}

struct booking_state *substitute_for_car(struct step *step, const struct slot_state *slot,
                                         tide_id plate)
{
    struct engine *engine = step->engine;
    struct booking_state *booking = substitute_of(engine, slot);
    tide_ms early_ms = engine->setting[TIDE_SETTING_early_min] * TIDE_MINUTE_MS;
    if (!taken_by_another(engine, slot))
        return NULL;
    if (booking == NULL)
        return substitute_make(step, slot, grain_floor(step->now_ms), plate);
    const struct tide_booking *row = &booking->row;
    struct span span = booking_span(row, step->now_ms);
    if (row->state != TIDE_BOOKING_STATE_booked || row->start_ms - early_ms > step->now_ms ||
        booking_overlapping(engine, plate, row->id, span) != 0 ||
        (plate_of(engine, plate) == NULL && engine->plates.count == engine->plates.cap))
        return NULL;
    if (row->plate != plate)
        give_plate(step, booking, plate);
    return booking;
}
