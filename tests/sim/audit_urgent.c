/* audit_urgent.c - urgent visits: asked by who may, for a plate that is certified; and nobody gives
 * way who is there, who has his slot by right, or who need not.
 */
#include "tests/sim/audit_state.h"

/* After the event: some slot, other than the visit's, is free for the whole of what was broken. */
static bool had_a_seat(struct audit *audit, const struct tide_booking *broken)
{
    tide_ms now = audit->when_ms - audit->when_ms % TIDE_GRAIN_MS;
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == broken->zone && row->slot.cls == broken->cls &&
            row->slot.id != broken->slot &&
            (broken->start_ms > now || !audit_slot_is_taken_now(audit, row->slot.id)) &&
            audit_slot_is_free(audit, &row->slot, broken->start_ms, broken->end_ms))
            return true;
    return false;
}

static void check_gave_way(struct audit *audit, const struct tide_booking *made,
                           const struct audit_change *change)
{
    const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
    const struct tide_slot *slot = audit_slot(audit, was->slot);
    tide_ms kept_ms = was->end_ms + was->buffer_min * TIDE_MINUTE_MS;
    if (was->zone != made->zone || is->id == made->id)
        return;
    if (was->state != TIDE_BOOKING_STATE_booked || was->urgent || was->substitute_for != 0 ||
        (slot != NULL && slot->owner != 0 && slot->owner == was->household))
        audit_fail(audit, "booking %u gave way to the urgent %u and need not", was->id, made->id);
    if (is->state != TIDE_BOOKING_STATE_broken)
        return;
    if (is->reason != TIDE_WHY_preempted || was->slot != made->slot ||
        was->start_ms >= made->end_ms || made->start_ms >= kept_ms)
        audit_fail(audit, "booking %u was broken, and was not in the way of %u", was->id, made->id);
    if (had_a_seat(audit, was))
        audit_fail(audit, "booking %u was broken for %u and could have been moved", was->id,
                   made->id);
}

void audit_urgent(struct audit *audit, const struct tide_booking *made)
{
    const uint32_t may = 1u << TIDE_ROLE_clerk | 1u << TIDE_ROLE_admin | 1u << TIDE_ROLE_guard |
                         1u << TIDE_ROLE_property;
    const struct tide_person *speaker = audit_speaker(audit);
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, made->zone, 0, 0);
    const union tide_any *vehicle = sim_rows_find(audit->rows, TIDE_REC_vehicle, made->plate, 0, 0);
    if (speaker == NULL || zone == NULL ||
        (audit_roles(audit, speaker->id, zone->zone.place) & may) == 0)
        audit_fail(audit, "user %u called booking %u urgent and may not", audit->event->user,
                   made->id);
    if (vehicle == NULL ||
        (vehicle->vehicle.kind != TIDE_VEHICLE_KIND_emergency &&
         vehicle->vehicle.kind != TIDE_VEHICLE_KIND_care) ||
        (vehicle->vehicle.until_ms != 0 && vehicle->vehicle.until_ms <= audit->when_ms))
        audit_fail(audit, "booking %u is urgent for plate %u, which is not certified", made->id,
                   made->plate);
    if (made->held_min != 0)
        audit_fail(audit, "the urgent booking %u holds %d minutes", made->id, made->held_min);
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (audit->changes[i].kind == TIDE_REC_booking && audit->changes[i].had)
            check_gave_way(audit, made, &audit->changes[i]);
}

/* All who are promised some of the span there may give way, and the slot is open. */
static bool could_be_cleared(struct audit *audit, const struct tide_slot *slot, tide_ms start,
                             tide_ms end)
{
    tide_ms now = audit->when_ms - audit->when_ms % TIDE_GRAIN_MS;
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    unsigned count = 0;
    if (!naive_slot_open(&calendar, slot, &windows, start, end, NULL) ||
        (start <= now && audit_slot_is_taken_now(audit, slot->id)))
        return false;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        if (other->slot != slot->id || other->start_ms >= end ||
            start >= other->end_ms + other->buffer_min * TIDE_MINUTE_MS)
            continue;
        if (other->state != TIDE_BOOKING_STATE_booked || other->urgent ||
            other->substitute_for != 0 || other->household == slot->owner || ++count > 8)
            return false;
    }
    return true;
}

void audit_urgent_refused(struct audit *audit, const struct tide_book *ask)
{
    tide_ms start = ask->start_ms - ask->start_ms % TIDE_GRAIN_MS;
    tide_ms end = (ask->end_ms + TIDE_GRAIN_MS - 1) / TIDE_GRAIN_MS * TIDE_GRAIN_MS;
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == ask->zone && row->slot.cls == ask->cls &&
            could_be_cleared(audit, &row->slot, start, end))
            audit_fail(audit, "an urgent visit is refused, and slot %u could have been cleared",
                       row->slot.id);
}
