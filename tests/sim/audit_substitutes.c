/* audit_substitutes.c - the owner comes first: what he is promised while another has his slot.
 *
 *   his slot is taken (or, after a recall, promised) ──► another slot near by, at no cost
 *   his slot is free again                           ──► what he did not take up is given back
 *   a car stays beyond its promise                   ──► it is looked at every 15 minutes
 */
#include "tests/sim/audit_state.h"

static bool near(const struct audit *audit, tide_id a, tide_id b)
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

static void check_made(struct audit *audit, const struct tide_booking *booking)
{
    const struct tide_slot *own = audit_slot(audit, booking->substitute_for);
    audit->counts.substitutes++;
    if (own == NULL || own->owner != booking->household || own->id == booking->slot) {
        audit_fail(audit, "booking %u is a substitute for slot %u, which is not its owner's",
                   booking->id, booking->substitute_for);
        return;
    }
    if (!near(audit, own->zone, booking->zone))
        audit_fail(audit, "the substitute %u lies in zone %u, too far from slot %u", booking->id,
                   booking->zone, own->id);
    if (booking->reason == TIDE_WHY_recall ? audit->event->kind != TIDE_REC_recall
                                           : !audit_slot_is_taken_now(audit, own->id))
        audit_fail(audit, "booking %u is a substitute for slot %u, and nothing is in the way there",
                   booking->id, own->id);
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

void audit_substitutes_event(struct audit *audit)
{
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
