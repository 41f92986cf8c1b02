/* audit_moves.c - who is moved, and who should have been.
 *
 *   firm: frozen, named his slot, on a slot by right       stays, unless it is lost to him:
 *                                                          another stands there, or it is closed
 *   a look at a slot that is blocked                       whoever comes next and had another seat
 *                                                          has it now; so has the owner who returns
 *   a promise begins on a taken slot                       it is elsewhere, or an incident says so
 *
 * A look is told from the row that keeps its time. What else happened after it in the same event
 * may have freed what was not free at the look: then nothing is said of it.
 */
#include "tests/sim/audit_state.h"

#define STARTED 1u /* of `warned`: its start was looked at */

static tide_ms grain_of(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

static const struct tide_zone *zone_of(const struct audit *audit, tide_id id)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_zone, id, 0, 0);
    return row != NULL ? &row->zone : NULL;
}

static bool slot_open(struct audit *audit, const struct tide_slot *slot, tide_ms start, tide_ms end)
{
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    return naive_slot_open(&calendar, slot, &windows, start, end, NULL);
}

/* ---- who stays ------------------------------------------------------------------------------- */
static const char *firm_because(const struct audit *audit, const struct tide_booking *was)
{
    const struct tide_slot *slot = audit_slot(audit, was->slot);
    tide_ms freeze_ms = audit_setting(audit, TIDE_SETTING_freeze_min) * TIDE_MINUTE_MS;
    if (was->start_ms - freeze_ms <= audit->when_ms)
        return "frozen";
    if (was->substitute_for != 0)
        return "a substitute that was named";
    if (was->cls != TIDE_SLOT_CLASS_standard)
        return "of a class of its own";
    if (was->outside != TIDE_WHY_none)
        return "kept on a slot that is not open";
    return slot != NULL && slot->owner != 0 && slot->owner == was->household ? "on its own slot"
                                                                             : NULL;
}

/* Somebody is, or was in this very event, where he should not be. */
static bool was_reported(const struct audit *audit, tide_id slot)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (audit->changes[i].kind == TIDE_REC_incident &&
            audit->changes[i].is.incident.slot == slot)
            return true;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_incident, &cursor)) != NULL)
        if (row->incident.slot == slot && row->incident.state == TIDE_INCIDENT_STATE_open)
            return true;
    return false;
}

static bool is_lost(struct audit *audit, const struct tide_booking *was)
{
    const struct tide_slot *slot = audit_slot(audit, was->slot);
    tide_ms from = was->start_ms > audit->when_ms ? was->start_ms : audit->when_ms;
    return slot == NULL || audit_slot_is_taken_now(audit, slot->id) ||
           was_reported(audit, slot->id) || from >= was->end_ms ||
           !slot_open(audit, slot, from, was->end_ms);
}

static void check_moved(struct audit *audit, const struct tide_booking *was,
                        const struct tide_booking *is)
{
    const char *firm = firm_because(audit, was);
    bool asked = audit->event->kind == TIDE_REC_extend && audit->event->as.extend.booking == is->id;
    audit->counts.moves++;
    if (firm != NULL && !asked && !is_lost(audit, was))
        audit_fail(audit, "booking %u is %s and was moved from slot %u to %u", is->id, firm,
                   was->slot, is->slot);
    if (is->moves != was->moves + 1 && was->moves < UINT16_MAX)
        audit_fail(audit, "booking %u was moved and counts %u moves after %u", is->id, is->moves,
                   was->moves);
}

/* ---- who comes next -------------------------------------------------------------------------- */
/* After this change of the event, time was freed that was not free then; the moves away from the
 * slot itself free nothing that they could have had. */
static bool freed_since(const struct audit *audit, uint32_t first, tide_id slot)
{
    for (uint32_t i = first + 1; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
        if (change->kind == TIDE_REC_session || change->kind == TIDE_REC_spot ||
            change->kind == TIDE_REC_window || change->kind == TIDE_REC_slot ||
            change->kind == TIDE_REC_zone || change->kind == TIDE_REC_draw ||
            change->kind == TIDE_REC_setting_row)
            return true;
        if (change->kind != TIDE_REC_booking || !change->had)
            continue;
        if (!TIDE_BOOKING_LIVE(is->state) || is->end_ms < was->end_ms ||
            (is->slot != was->slot && was->slot != slot))
            return true;
    }
    return false;
}

/* It came to lie there only after the look. */
static bool came_since(const struct audit *audit, uint32_t first, tide_id booking)
{
    for (uint32_t i = first + 1; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_booking && change->is.booking.id == booking &&
            (!change->had || change->was.booking.slot != change->is.booking.slot))
            return true;
    }
    return false;
}

/* Another slot of the zone and class that is free for the whole of a promise to come. */
static tide_id seat_for(struct audit *audit, const struct tide_booking *booking)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == booking->zone && row->slot.cls == booking->cls &&
            row->slot.id != booking->slot &&
            audit_slot_is_free(audit, &row->slot, booking->start_ms,
                               booking->end_ms + booking->buffer_min * TIDE_MINUTE_MS))
            return row->slot.id;
    return 0;
}

static void check_next(struct audit *audit, uint32_t look, tide_id slot)
{
    tide_ms until = audit->when_ms + TIDE_OVERRUN_AHEAD_MIN * TIDE_MINUTE_MS;
    unsigned left = 0;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        left += booking->slot == slot && booking->state == TIDE_BOOKING_STATE_booked &&
                booking->start_ms <= until;
    }
    for (uint32_t i = 0; left <= TIDE_OVERRUN_MOVES_A_STEP && i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        if (booking->slot != slot || booking->state != TIDE_BOOKING_STATE_booked ||
            booking->start_ms > until || grain_of(audit->when_ms) >= booking->start_ms ||
            came_since(audit, look, booking->id))
            continue;
        tide_id seat = seat_for(audit, booking);
        if (seat != 0)
            audit_fail(audit, "booking %u comes after a car that stays on slot %u; %u was free",
                       booking->id, slot, seat);
    }
}

/* ---- the owner ------------------------------------------------------------------------------- */
/* From when on the slot is its owner's again, within the hour; 0: it is not. */
static tide_ms back_ms(struct audit *audit, const struct tide_slot *slot)
{
    tide_ms now = grain_of(audit->when_ms);
    for (unsigned i = 0; i < TIDE_OVERRUN_AHEAD_MIN / TIDE_GRAIN_MIN; i++)
        if (!slot_open(audit, slot, now + i * TIDE_GRAIN_MS, now + (i + 1) * TIDE_GRAIN_MS))
            return now + i * TIDE_GRAIN_MS;
    return 0;
}

static bool by_another(const struct audit *audit, const struct tide_slot *slot)
{
    for (uint32_t i = 0; i < audit->live_sessions.count; i++) {
        const union tide_any *row =
            sim_rows_find(audit->rows, TIDE_REC_session, audit->live_sessions.list[i], 0, 0);
        if (row != NULL && row->session.slot == slot->id)
            return row->session.household != slot->owner;
    }
    return audit_slot_is_taken_now(audit, slot->id);
}

static bool plate_is_busy(const struct audit *audit, tide_id plate, tide_ms start, tide_ms end)
{
    for (uint32_t i = 0; i < audit->live_sessions.count; i++) {
        const union tide_any *row =
            sim_rows_find(audit->rows, TIDE_REC_session, audit->live_sessions.list[i], 0, 0);
        if (row != NULL && row->session.plate == plate)
            return true;
    }
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        if (booking->plate == plate && booking->start_ms < end && start < booking->end_ms)
            return true;
    }
    return false;
}

static bool has_a_car(const struct audit *audit, tide_id household, tide_ms start, tide_ms end)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_vehicle, &cursor)) != NULL)
        if (row->vehicle.household == household &&
            row->vehicle.kind == TIDE_VEHICLE_KIND_resident &&
            (row->vehicle.until_ms == 0 || row->vehicle.until_ms > audit->when_ms) &&
            !plate_is_busy(audit, row->vehicle.plate, start, end))
            return true;
    return false;
}

static bool is_drawn(const struct audit *audit, const struct tide_zone *zone)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_draw, &cursor)) != NULL)
        if (row->draw.zone == zone->id && TIDE_DRAW_LIVE(row->draw.state))
            return true;
    return zone->policy == TIDE_ZONE_POLICY_draw;
}

/* A slot that could have been promised to the owner for the least time. */
static tide_id seat_for_owner(struct audit *audit, const struct tide_slot *own, tide_ms start,
                              tide_ms end)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL) {
        const struct tide_zone *zone = zone_of(audit, row->slot.zone);
        if (row->slot.id != own->id && zone != NULL &&
            (row->slot.cls == own->cls || row->slot.cls == TIDE_SLOT_CLASS_standard) &&
            audit_zones_near(audit, own->zone, zone->id) && !is_drawn(audit, zone) &&
            !audit_slot_is_taken_now(audit, row->slot.id) &&
            audit_slot_is_free(audit, &row->slot, start, end))
            return row->slot.id;
    }
    return 0;
}

static bool has_substitute(const struct audit *audit, tide_id slot)
{
    for (uint32_t i = 0; i < audit->live_bookings.count; i++)
        if (audit_booking(audit, audit->live_bookings.list[i])->substitute_for == slot)
            return true;
    return false;
}

static void check_owner(struct audit *audit, const struct tide_slot *slot)
{
    if (slot->owner == 0 || audit->live_bookings.count >= audit->room || !by_another(audit, slot) ||
        has_substitute(audit, slot->id))
        return;
    tide_ms start = back_ms(audit, slot);
    tide_ms end = start + TIDE_SUBSTITUTE_GRAINS_MIN * TIDE_GRAIN_MS;
    if (start == 0 || !has_a_car(audit, slot->owner, start, end))
        return;
    tide_id seat = seat_for_owner(audit, slot, start, end);
    if (seat != 0)
        audit_fail(audit,
                   "slot %u is taken, its owner comes home and is promised nothing; %u was "
                   "free",
                   slot->id, seat);
}

/* ---- looks ----------------------------------------------------------------------------------- */
/* The slot that this change says was looked at; 0: it says nothing of the kind. */
static tide_id looked_at(const struct audit *audit, const struct audit_change *change)
{
    if (change->verb != ENGINE_PUT)
        return 0;
    if (change->kind == TIDE_REC_booking)
        return change->had && change->is.booking.state == TIDE_BOOKING_STATE_parked &&
                       change->is.booking.looked_ms == audit->when_ms &&
                       change->was.booking.looked_ms != audit->when_ms
                   ? change->is.booking.slot
                   : 0;
    const struct tide_incident *is = &change->is.incident;
    return change->kind == TIDE_REC_incident && is->state == TIDE_INCIDENT_STATE_open &&
                   is->kind == TIDE_INCIDENT_KIND_stranger &&
                   (!change->had || change->was.incident.level != is->level)
               ? is->slot
               : 0;
}

/* A promise begins, and somebody stands on its slot. */
static void check_start(struct audit *audit, const struct audit_change *change)
{
    const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
    if (change->kind != TIDE_REC_booking || !change->had || change->verb != ENGINE_PUT ||
        audit->event->kind != TIDE_REC_tick || (was->warned & STARTED) != 0 ||
        (is->warned & STARTED) == 0)
        return;
    const struct tide_booking *now = audit_booking(audit, is->id);
    if (now->state != TIDE_BOOKING_STATE_booked || now->slot != is->slot ||
        !audit_slot_is_taken_now(audit, is->slot))
        return;
    if (!was_reported(audit, is->slot))
        audit_fail(audit, "booking %u begins, slot %u is taken, and nobody was told", is->id,
                   is->slot);
}

void audit_moves_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_booking && change->verb == ENGINE_PUT && change->had &&
            change->was.booking.slot != change->is.booking.slot)
            check_moved(audit, &change->was.booking, &change->is.booking);
        check_start(audit, change);
        const struct tide_slot *slot = audit_slot(audit, looked_at(audit, change));
        if (slot == NULL || !audit_slot_is_taken_now(audit, slot->id) ||
            freed_since(audit, i, slot->id))
            continue;
        audit->counts.looks++;
        check_next(audit, i, slot->id);
        check_owner(audit, slot);
    }
}
