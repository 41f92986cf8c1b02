/* audit_substitutes.c - the owner comes first: what he is promised while another has his slot.
 *
 *   his slot is taken (or, after a recall, promised) ──► another slot near by, at no cost
 *   his slot is free again                           ──► what he did not take up is given back
 *   a car stays beyond its promise                   ──► it is looked at every 15 minutes
 */
#include "tests/sim/audit_state.h"

bool audit_zones_near(const struct audit *audit, tide_id a, tide_id b)
{
    const union tide_any *one = sim_rows_find(audit->rows, TIDE_REC_zone, a, 0, 0);
    const union tide_any *other = sim_rows_find(audit->rows, TIDE_REC_zone, b, 0, 0);
    if (a == b)
        return true;
    if (one == NULL || other == NULL || one->zone.walk_group == 0 ||
        one->zone.walk_group != other->zone.walk_group)
        return false;
    int64_t walk = (int64_t)one->zone.walk_m - other->zone.walk_m;
    return (walk < 0 ? -walk : walk) <= audit_setting(audit, TIDE_SETTING_walk_max_m);
}

/* When deadlines stood still for a while, many fall in one event: the stranger is seen, the owner
 * is promised another slot, and then the sensor has been silent for too long to say anything. */
static bool somebody_was_reported(const struct audit *audit, tide_id slot)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_incident, &cursor)) != NULL)
        if (row->incident.slot == slot && row->incident.state == TIDE_INCIDENT_STATE_open &&
            row->incident.substitute != 0)
            return true;
    return false;
}

/* Somebody stands there who should be gone, or nobody knows who. */
static bool stays_there(const struct audit *audit, tide_id slot)
{
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        if (other->slot == slot && other->state == TIDE_BOOKING_STATE_parked)
            return other->end_ms <= audit->when_ms;
    }
    return audit_slot_is_taken_now(audit, slot);
}

static void check_made(struct audit *audit, const struct tide_booking *booking)
{
    tide_ms soon = audit->when_ms + TIDE_OVERRUN_AHEAD_MIN * TIDE_MINUTE_MS;
    if (booking->start_ms <= soon && stays_there(audit, booking->slot))
        audit_fail(audit, "the substitute %u is named slot %u, where somebody stays", booking->id,
                   booking->slot);

    const struct tide_slot *own = audit_slot(audit, booking->substitute_for);
    audit->counts.substitutes++;
    if (own == NULL || own->owner != booking->household || own->id == booking->slot) {
        audit_fail(audit, "booking %u is a substitute for slot %u, which is not its owner's",
                   booking->id, booking->substitute_for);
        return;
    }
    if (!audit_zones_near(audit, own->zone, booking->zone))
        audit_fail(audit, "the substitute %u lies in zone %u, too far from slot %u", booking->id,
                   booking->zone, own->id);
    if (booking->reason == TIDE_WHY_recall
            ? audit->event->kind != TIDE_REC_recall
            : !audit_slot_is_taken_now(audit, own->id) && !somebody_was_reported(audit, own->id))
        audit_fail(audit, "booking %u is a substitute for slot %u, and nothing is in the way there",
                   booking->id, own->id);
}

/* Who gave way at a recall and has been there has his compensation in the same event. */
static void check_thanks(struct audit *audit, const struct audit_change *change)
{
    const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
    int64_t due = audit_setting(audit, TIDE_SETTING_compensation_min);
    bool gave_way = was->reason == TIDE_WHY_recall && is->state == TIDE_BOOKING_STATE_kept;
    int64_t posted = 0;
    if (!change->had || !TIDE_BOOKING_LIVE(was->state) || TIDE_BOOKING_LIVE(is->state) ||
        is->state == TIDE_BOOKING_STATE_broken)
        return; /* it does not end here, or as any other that is broken */
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct tide_posting *posting = &audit->changes[i].is.posting;
        if (audit->changes[i].kind == TIDE_REC_posting && posting->booking == is->id &&
            posting->reason == TIDE_POSTING_REASON_compensation && posting->from == 0 &&
            posting->to == is->household)
            posted += posting->minutes;
    }
    if (posted != (gave_way ? due : 0))
        audit_fail(audit, "the swap %u is compensated with %lld minutes of %lld", is->id,
                   (long long)posted, (long long)(gave_way ? due : 0));
}

static void check_costs(struct audit *audit, const struct tide_booking *booking)
{
    if (booking->held_min != 0 || booking->charged_min != 0)
        audit_fail(audit, "the substitute %u costs its owner %d minutes", booking->id,
                   booking->held_min + booking->charged_min);
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct tide_posting *posting = &audit->changes[i].is.posting;
        if (audit->changes[i].kind == TIDE_REC_posting && posting->booking == booking->id &&
            posting->from == booking->household)
            audit_fail(audit, "the owner paid for his substitute %u", booking->id);
    }
}

/* ---- slots called back ----------------------------------------------------------------------- */
static bool in_the_way(const struct tide_booking *booking, const struct tide_recall *ask)
{
    tide_ms start = ask->start_ms - ask->start_ms % TIDE_GRAIN_MS;
    tide_ms end = (ask->end_ms + TIDE_GRAIN_MS - 1) / TIDE_GRAIN_MS * TIDE_GRAIN_MS;
    return booking->slot == ask->slot && booking->start_ms < end && start < booking->end_ms;
}

/* Some other slot that is free for the whole of a booking. */
static bool has_a_seat(struct audit *audit, const struct tide_booking *booking)
{
    tide_ms now = audit->when_ms - audit->when_ms % TIDE_GRAIN_MS;
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == booking->zone && row->slot.cls == booking->cls &&
            row->slot.id != booking->slot &&
            (booking->start_ms > now || !audit_slot_is_taken_now(audit, row->slot.id)) &&
            audit_slot_is_free(audit, &row->slot, booking->start_ms,
                               booking->end_ms + booking->buffer_min * TIDE_MINUTE_MS))
            return true;
    return false;
}

/* No, said the engine. Somebody is in the way, and one alone who could have moved is no reason. */
static void check_refused(struct audit *audit, const struct tide_recall *ask)
{
    unsigned count = 0, could_move = 0;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        if (!in_the_way(booking, ask))
            continue;
        count++;
        could_move += booking->state == TIDE_BOOKING_STATE_booked && booking->substitute_for == 0 &&
                      has_a_seat(audit, booking);
    }
    if (count == 0 || (count == 1 && could_move == 1))
        audit_fail(audit, "slot %u could have been called back: %u in the way", ask->slot, count);
    if (audit->change_count != 0)
        audit_fail(audit, "the recall of slot %u is refused and changed something", ask->slot);
}

static void check_swap(struct audit *audit, const struct tide_recall *ask,
                       const struct tide_swap *swap)
{
    const struct tide_slot *own = audit_slot(audit, ask->slot);
    const struct tide_slot *other = audit_slot(audit, swap->slot);
    tide_ms now = audit->when_ms - audit->when_ms % TIDE_GRAIN_MS;
    if (own == NULL || other == NULL || own == other ||
        !audit_zones_near(audit, own->zone, other->zone) ||
        !audit_slot_is_free(audit, other, swap->start_ms, swap->end_ms) ||
        (swap->start_ms <= now && audit_slot_is_taken_now(audit, other->id)))
        audit_fail(audit, "slot %u is offered for slot %u and cannot be had", swap->slot,
                   ask->slot);
}

static void check_recall(struct audit *audit)
{
    const struct tide_recall *ask = &audit->event->as.recall;
    const struct tide_booking *booking = audit_booking(audit, audit->reply.id);
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    size_t at = 0;
    if (audit->reply.code == TIDE_CODE_conflict)
        check_refused(audit, ask);
    while (engine_effect_next(audit->effects, audit->effects_len, &at, &verb, &kind, &any)) {
        if (kind == TIDE_REC_swap)
            check_swap(audit, ask, &any.swap);
        bool taken = verb == ENGINE_ITEM && kind == TIDE_REC_booking;
        if (taken && (booking == NULL || booking->slot != ask->swap ||
                      booking->substitute_for != ask->slot || ask->swap == 0))
            audit_fail(audit, "slot %u was to be swapped for %u and is not", ask->slot, ask->swap);
    }
    if (ask->plan && audit->change_count != 0)
        audit_fail(audit, "the recall of slot %u was to be planned only", ask->slot);
    for (uint32_t i = 0; audit->reply.code == TIDE_CODE_ok && ask->swap == 0 && !ask->plan &&
                         i < audit->live_bookings.count;
         i++) {
        const struct tide_booking *left = audit_booking(audit, audit->live_bookings.list[i]);
        if (in_the_way(left, ask))
            audit_fail(audit, "slot %u was called back and booking %u is still on it", ask->slot,
                       left->id);
    }
}

void audit_substitutes_event(struct audit *audit)
{
    if (audit->event->kind == TIDE_REC_recall)
        check_recall(audit);
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind != TIDE_REC_booking || change->verb != ENGINE_PUT)
            continue;
        if (change->had && change->was.booking.substitute_for != change->is.booking.substitute_for)
            audit_fail(audit, "booking %u became a substitute", change->is.booking.id);
        if (change->is.booking.substitute_for == 0)
            continue;
        if (!change->had)
            check_made(audit, &change->is.booking);
        check_thanks(audit, change);
        check_costs(audit, &change->is.booking);
    }
}

/* Somebody may be on the slot, for all that is known. */
static bool may_be_taken(const struct audit *audit, tide_id slot)
{
    const union tide_any *spot = sim_rows_find(audit->rows, TIDE_REC_spot, slot, 0, 0);
    return audit_slot_is_taken_now(audit, slot) ||
           (spot != NULL && spot->spot.state == TIDE_OCCUPANCY_unknown);
}

void audit_substitutes_live(struct audit *audit, const struct tide_booking *booking,
                            bool deadlines_ran)
{
    tide_ms every_ms = TIDE_OVERRUN_EVERY_MIN * TIDE_MINUTE_MS;
    if (booking->state == TIDE_BOOKING_STATE_parked) {
        if (deadlines_ran && booking->end_ms <= audit->when_ms &&
            (booking->looked_ms < booking->end_ms ||
             booking->looked_ms + every_ms <= audit->when_ms))
            audit_fail(audit, "booking %u overstays since %lld and was last looked at at %lld",
                       booking->id, (long long)booking->end_ms, (long long)booking->looked_ms);
        return;
    }
    if (booking->substitute_for != 0 && booking->reason == TIDE_WHY_overstayer &&
        !may_be_taken(audit, booking->substitute_for))
        audit_fail(audit, "slot %u is free again and its owner still holds the substitute %u",
                   booking->substitute_for, booking->id);
}
