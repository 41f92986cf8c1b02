/* presence.c - cars that are there: sessions begin and end, bookings become parked and kept.
 *
 *   zone watched by     a session begins with         and ends with
 *     gate              the camera at the way in      the camera at the way out
 *     sensor alone      the slot's sensor: taken      the slot's sensor: free
 *     hand              the driver's or guard's word  their word
 *
 * A session with slot 0 stands somewhere in the compound (a resident without a slot of his own).
 */
#include "daemon/core/authority.h"
#include "daemon/core/ledger.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/caps.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/wait.h"

void session_attach(struct engine *engine, struct session_state *session)
{
    struct plate_state *plate = plate_of(engine, session->row.plate);
    if (plate == NULL)
        plate = table_add(&engine->plates, session->row.plate);
    CHECK(plate != NULL);
    plate->session = session->row.id;
    if (session->row.slot != 0) {
        struct slot_state *slot = slot_of(engine, session->row.slot);
        CHECK(slot != NULL);
        slot->session = session->row.id;
        zone_touch(engine, slot->row.zone);
    }
}

static void session_detach(struct engine *engine, struct session_state *session)
{
    struct plate_state *plate = plate_of(engine, session->row.plate);
    CHECK(plate != NULL && plate->session == session->row.id);
    plate->session = 0;
    if (plate->bookings.first == 0)
        table_remove(&engine->plates, plate);
    struct slot_state *slot = slot_of(engine, session->row.slot);
    if (slot != NULL) {
        CHECK(slot->session == session->row.id);
        slot->session = 0;
        zone_touch(engine, slot->row.zone);
        waits_freed(engine, slot->row.zone);
    }
}

static bool session_room(const struct engine *engine, tide_id plate)
{
    return engine->sessions.count < engine->sessions.cap &&
           (plate_of(engine, plate) != NULL || engine->plates.count < engine->plates.cap);
}

struct session_state *session_begin(struct step *step, const struct arrival *arrival)
{
    struct engine *engine = step->engine;
    CHECK(arrival->plate != 0);
    if (!session_room(engine, arrival->plate))
        return NULL;
    struct session_state *session =
        table_add(&engine->sessions, step_new_id(step, TIDE_COUNTER_session));
    CHECK(session != NULL);
    uint32_t id = session->row.id;
    session->row = (struct tide_session){.id = id,
                                         .right = (uint8_t)arrival->right,
                                         .plate = arrival->plate,
                                         .place = arrival->place,
                                         .zone = arrival->zone,
                                         .slot = arrival->slot,
                                         .booking = arrival->booking,
                                         .household = arrival->household,
                                         .source = (uint8_t)arrival->source,
                                         .start_ms = arrival->at_ms};
    session_attach(engine, session);
    step_put(step, TIDE_REC_session, &session->row);
    trace(engine, "session.begin", id, arrival->slot, arrival->right);
    return session;
}

void session_end(struct step *step, struct session_state *session, tide_ms at_ms)
{
    struct engine *engine = step->engine;
    struct tide_session row = session->row;
    struct booking_state *booking = booking_of(engine, row.booking);
    session_detach(engine, session);
    table_remove(&engine->sessions, session);
    row.state = TIDE_SESSION_STATE_ended;
    row.end_ms = at_ms;
    step_put(step, TIDE_REC_session, &row);
    trace(engine, "session.end", row.id, row.slot, at_ms);
    if (booking != NULL && booking->row.state == TIDE_BOOKING_STATE_parked) {
        booking->row.ended_ms = at_ms;
        booking_end(step, booking, TIDE_BOOKING_STATE_kept, TIDE_WHY_none);
    }
    if (row.slot != 0) {
        if (row.right == TIDE_SESSION_RIGHT_none)
            incidents_close_slot(step, row.slot, 1u << TIDE_INCIDENT_KIND_stranger);
        incidents_close_slot(step, row.slot,
                             1u << TIDE_INCIDENT_KIND_overstay | 1u << TIDE_INCIDENT_KIND_ghost |
                                 1u << TIDE_INCIDENT_KIND_owner_taken |
                                 1u << TIDE_INCIDENT_KIND_late_supply);
        overrun_over(step, slot_of(engine, row.slot));
        struct spot_state *spot = spot_of(engine, row.slot);
        if (spot != NULL && spot->row.state == TIDE_OCCUPANCY_occupied) {
            /* It left by the gate and the slot still reads taken: settle before crying wolf. */
            spot->row.settle_ms =
                step->now_ms + engine->setting[TIDE_SETTING_settle_min] * TIDE_MINUTE_MS;
            step_put(step, TIDE_REC_spot, &spot->row);
            spot_due(engine, spot);
        }
    }
}

struct session_state *booking_arrive(struct step *step, struct booking_state *booking,
                                     enum tide_source source, tide_ms at_ms)
{
    struct engine *engine = step->engine;
    struct tide_booking *row = &booking->row;
    CHECK(row->state == TIDE_BOOKING_STATE_booked);
    const struct slot_state *slot = slot_of(engine, row->slot);
    if (source != TIDE_SOURCE_sensor && spot_taken_by_other(engine, slot, 0) &&
        !booking_reseat_or_break(step, booking, TIDE_WHY_overstayer))
        return NULL;
    const struct zone_state *zone = zone_of(engine, row->zone);
    struct arrival arrival = {.plate = row->plate,
                              .place = zone->row.place,
                              .zone = row->zone,
                              .slot = row->slot,
                              .booking = row->id,
                              .household = row->household,
                              .right = TIDE_SESSION_RIGHT_booking,
                              .source = source,
                              .at_ms = at_ms};
    struct session_state *session = session_begin(step, &arrival);
    if (session == NULL)
        return NULL;
    row->state = TIDE_BOOKING_STATE_parked;
    row->session = session->row.id;
    step_put(step, TIDE_REC_booking, row);
    booking_due(engine, booking);
    waiting_came(step, row);
    incidents_close_booking(step, row->id, 1u << TIDE_INCIDENT_KIND_late_supply);
    if (row->visitor)
        notice_party(step, row, TIDE_NOTICE_KIND_visitor_came, TIDE_WHY_none);
    zone_touch(engine, row->zone);
    return session;
}

/* ---- by hand -------------------------------------------------------------------------------- */
static enum tide_source source_of(const struct step *step)
{
    uint32_t roles = roles_at(step->engine, step->person, 0);
    if ((roles & (ROLE_BIT(TIDE_ROLE_guard) | ROLE_BIT(TIDE_ROLE_property))) != 0)
        return TIDE_SOURCE_guard;
    return (roles & ROLES_DESK) != 0 ? TIDE_SOURCE_clerk : TIDE_SOURCE_driver;
}

struct booking_state *booking_for_plate(const struct engine *engine, tide_id plate, tide_id place,
                                        tide_ms now_ms, tide_ms early_ms)
{
    const struct plate_state *state = plate_of(engine, plate);
    for (uint32_t id = state != NULL ? state->bookings.first : 0; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        const struct zone_state *zone = zone_of(engine, row->zone);
        if (row->state == TIDE_BOOKING_STATE_booked && row->start_ms - early_ms <= now_ms &&
            row->end_ms > now_ms && (place == 0 || zone->row.place == place))
            return booking;
        id = order_next(engine, booking, ORDER_OF_PLATE);
    }
    return NULL;
}

/* Who comes before his time may stay if his place is free until then: the promise begins now. */
bool booking_begin_early(struct step *step, struct booking_state *booking)
{
    struct engine *engine = step->engine;
    struct tide_booking *row = &booking->row;
    struct span span = booking_span(row, step->now_ms);
    const struct slot_state *slot = slot_of(engine, row->slot);
    if (span.from <= span.now)
        return true;
    int32_t more = row->substitute_for != 0 || row->urgent
                       ? 0
                       : (int32_t)((span.from - span.now) * TIDE_GRAIN_MIN);
    struct span sooner = {span.now, span.from, span.now};
    struct tide_reply capped;
    if (!freemap_is_free(engine, slot, span.now, span.from) ||
        spot_taken_by_other(engine, slot, 0) ||
        booking_overlapping(engine, row->plate, row->id, sooner) != 0 ||
        more > ledger_available(engine, row->household) || !session_room(engine, row->plate) ||
        (row->substitute_for == 0 && !row->urgent &&
         !caps_allow(engine, row->household, sooner, false, &capped)))
        return false;
    booking_detach(engine, booking);
    row->start_ms = span.now * TIDE_GRAIN_MS;
    row->held_min += more;
    row->warned |= 1u; /* the start is now: nothing is left to check */
    booking_attach(engine, booking);
    step_put(step, TIDE_REC_booking, row);
    ledger_hold(step, row->household, more);
    trace(engine, "arrive.early", row->id, row->start_ms, more);
    return true;
}

static void arrive_booked(struct step *step, struct booking_state *booking)
{
    uint32_t id = booking->row.id;
    if (!session_room(step->engine, booking->row.plate)) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    if (booking->row.start_ms > step->now_ms && !booking_begin_early(step, booking)) {
        step_reply(step, &(struct tide_reply){.code = TIDE_CODE_conflict,
                                              .why = TIDE_WHY_too_early,
                                              .free_from_ms = booking->row.start_ms});
        return;
    }
    struct tide_booking lost = booking->row;
    if (booking_arrive(step, booking, source_of(step), step->now_ms) == NULL) {
        /* Its place is taken and there is no other: the promise is broken, and that is done. */
        lost.state = TIDE_BOOKING_STATE_broken;
        lost.reason = TIDE_WHY_overstayer;
        lost.ended_ms = step->now_ms;
        step_reply(step, &(struct tide_reply){.why = TIDE_WHY_overstayer, .id = id});
        booking_item(step, &lost);
        return;
    }
    step_ok(step, id);
    step_item(step, TIDE_REC_booking, &booking_of(step->engine, id)->row);
}

/* The guard saw a car on a slot that nobody promised. */
static void arrive_unbooked(struct step *step, const struct tide_arrive *ask)
{
    struct engine *engine = step->engine;
    struct slot_state *slot = slot_of(engine, ask->slot);
    const struct zone_state *zone = slot != NULL ? zone_of(engine, slot->row.zone) : NULL;
    if (zone == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_GATE, zone->row.place))
        return;
    const struct vehicle_state *vehicle = vehicle_of(engine, ask->plate);
    tide_id household = vehicle != NULL ? vehicle->row.household : 0;
    bool promised =
        freemap_is_open(engine, slot, grain_floor(step->now_ms), grain_floor(step->now_ms) + 1) &&
        slot->bookings.first != 0;
    bool owner = household != 0 && (household == slot->row.owner ||
                                    (slot->row.title == TIDE_SLOT_TITLE_common && !promised));
    if (slot->session != 0) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use);
        return;
    }
    struct arrival arrival = {.plate = ask->plate,
                              .place = zone->row.place,
                              .zone = zone->row.id,
                              .slot = slot->row.id,
                              .household = household,
                              .right =
                                  owner ? TIDE_SESSION_RIGHT_standing : TIDE_SESSION_RIGHT_none,
                              .source = source_of(step),
                              .at_ms = step->now_ms};
    const struct session_state *session = session_begin(step, &arrival);
    if (session == NULL) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    step_ok(step, session->row.id);
    step_item(step, TIDE_REC_session, &session->row);
    if (!owner)
        incident_open(step, (struct tide_incident){.kind = TIDE_INCIDENT_KIND_stranger,
                                                   .zone = zone->row.id,
                                                   .slot = slot->row.id,
                                                   .plate = ask->plate,
                                                   .session = session->row.id,
                                                   .household = household});
}

void arrive_take(struct step *step)
{
    struct engine *engine = step->engine;
    const struct tide_arrive *ask = &step->event->as.arrive;
    tide_ms early_ms = engine->setting[TIDE_SETTING_early_min] * TIDE_MINUTE_MS;
    struct booking_state *booking =
        ask->booking != 0 ? booking_of(engine, ask->booking)
                          : booking_for_plate(engine, ask->plate, 0, step->now_ms, early_ms);
    if (booking == NULL && ask->booking != 0) {
        step_refuse_gone(step, TIDE_COUNTER_booking, ask->booking);
        return;
    }
    tide_id plate = booking != NULL ? booking->row.plate : ask->plate;
    const struct plate_state *state = plate_of(engine, plate);
    if (plate == 0) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_unknown_plate);
    } else if (booking != NULL && !step_owns(step, booking->row.household, booking->row.person) &&
               !step_has_role(step, ROLES_GATE, zone_of(engine, booking->row.zone)->row.place)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
    } else if (state != NULL && state->session != 0) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_already_parked);
    } else if (booking != NULL) {
        if (booking->row.start_ms - early_ms > step->now_ms)
            step_reply(step,
                       &(struct tide_reply){.code = TIDE_CODE_conflict,
                                            .why = TIDE_WHY_too_early,
                                            .free_from_ms = booking->row.start_ms - early_ms});
        else
            arrive_booked(step, booking);
    } else {
        arrive_unbooked(step, ask);
    }
}

void leave_take(struct step *step)
{
    struct engine *engine = step->engine;
    const struct tide_leave *ask = &step->event->as.leave;
    const struct booking_state *booking = booking_of(engine, ask->booking);
    const struct plate_state *plate = plate_of(engine, ask->plate);
    tide_id id = booking != NULL ? booking->row.session : plate != NULL ? plate->session : 0;
    struct session_state *session = session_of(engine, id);
    if (session == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_already_ended);
        return;
    }
    if (!step_owns(step, session->row.household, 0) &&
        !step_has_role(step, ROLES_GATE, session->row.place)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        return;
    }
    struct tide_session shown = session->row;
    session_end(step, session, step->now_ms);
    shown.state = TIDE_SESSION_STATE_ended;
    shown.end_ms = step->now_ms;
    step_ok(step, shown.id);
    step_item(step, TIDE_REC_session, &shown);
}
