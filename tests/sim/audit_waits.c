/* audit_waits.c - who waits: nobody is passed over by a younger one who got what he could have had,
 * each offer is a live booking and ends in time, positions and chances are told as they are, and
 * what was not confirmed cost nothing.
 */
#include "tests/sim/audit_state.h"

static const struct tide_waiting *waiting_of(const struct audit *audit, tide_id id)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_waiting, id, 0, 0);
    return row != NULL ? &row->waiting : NULL;
}

static tide_ms floor_of(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

static const char *state_name(unsigned state)
{
    return tide_enum_name(TIDE_FT_enum_waiting_state, state);
}

/* ---- where one stands ------------------------------------------------------------------------ */
static unsigned position_of(const struct audit *audit, tide_id zone, unsigned cls, tide_ms start,
                            tide_ms end, tide_id before)
{
    unsigned position = 1;
    for (uint32_t i = 0; i < audit->live_waits.count; i++) {
        const struct tide_waiting *other = waiting_of(audit, audit->live_waits.list[i]);
        position += other->state == TIDE_WAITING_STATE_waiting && other->zone == zone &&
                    other->cls == cls && other->start_ms < end && start < other->end_ms &&
                    (before == 0 || other->id < before);
    }
    return position;
}

static bool chance_is_right(const struct audit *audit, tide_id zone, unsigned position,
                            unsigned chance_pct, unsigned of)
{
    unsigned bucket = position <= 2 ? position - 1 : position <= 4 ? 2 : position <= 8 ? 3 : 4;
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_wait_record, zone, bucket, 0);
    if (row == NULL || row->wait_record.asked < 3)
        return chance_pct == 0 && of == 0;
    return of == row->wait_record.asked &&
           chance_pct == 100u * (row->wait_record.got + 1u) / (row->wait_record.asked + 2u);
}

void audit_wait_place(struct audit *audit, const struct tide_wait_place *place)
{
    const struct tide_waiting *row = waiting_of(audit, place->waiting);
    if (row == NULL || !TIDE_WAITING_LIVE(row->state)) {
        audit_fail(audit, "wait %u has a position and is none", place->waiting);
        return;
    }
    unsigned position =
        position_of(audit, row->zone, row->cls, row->start_ms, row->end_ms, row->id);
    if (position != place->position)
        audit_fail(audit, "wait %u was told position %u and has %u", row->id, place->position,
                   position);
    if (!chance_is_right(audit, row->zone, position, place->chance_pct, place->of))
        audit_fail(audit, "wait %u was told a chance of %u %% of %u", row->id, place->chance_pct,
                   place->of);
}

bool audit_wait_offer(struct audit *audit, const struct tide_offer *it)
{
    return it->position == position_of(audit, it->zone, it->cls, it->start_ms, it->end_ms, 0) &&
           chance_is_right(audit, it->zone, it->position, it->chance_pct, it->of);
}

/* ---- one after the other --------------------------------------------------------------------- */
static bool party_may(const struct audit *audit, const struct tide_waiting *wait, tide_ms start)
{
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, wait->zone, 0, 0);
    const union tide_any *account =
        sim_rows_find(audit->rows, TIDE_REC_account, wait->household, 0, 0);
    const union tide_any *vehicle = sim_rows_find(audit->rows, TIDE_REC_vehicle, wait->plate, 0, 0);
    int64_t live = 0;
    if (zone == NULL || account == NULL ||
        (!zone->zone.outsiders && !audit_within(audit, wait->household, zone->zone.place)) ||
        (vehicle != NULL && vehicle->vehicle.kind == TIDE_VEHICLE_KIND_blocked))
        return false;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        live += other->household == wait->household;
        if (other->plate == wait->plate && other->start_ms < wait->end_ms && start < other->end_ms)
            return false;
    }
    return live < audit_setting(audit, TIDE_SETTING_household_live_max) &&
           audit_fair_may(audit, wait->household, start, wait->end_ms) &&
           (wait->end_ms - start) / TIDE_MINUTE_MS <=
               account->account.balance_min - account->account.held_min -
                   audit_setting(audit, TIDE_SETTING_account_floor_min);
}

static bool enough_is_left(const struct tide_waiting *wait, tide_ms start)
{
    tide_ms least = wait->end_ms - wait->start_ms;
    least = least < 30 * TIDE_MINUTE_MS ? least : 30 * TIDE_MINUTE_MS;
    return wait->end_ms - start >= least;
}

/* Whoever asked before and wanted some of what this one was offered would have had it. */
static void check_order(struct audit *audit, const struct tide_waiting *served,
                        const struct tide_booking *booking)
{
    for (uint32_t i = 0; i < audit->live_waits.count; i++) {
        const struct tide_waiting *older = waiting_of(audit, audit->live_waits.list[i]);
        tide_ms now = floor_of(audit->when_ms);
        tide_ms start = older->start_ms > now ? older->start_ms : now;
        if (older->id < served->id && older->state == TIDE_WAITING_STATE_waiting &&
            older->zone == served->zone && older->cls == served->cls &&
            older->household != served->household && older->plate != served->plate &&
            booking->start_ms <= start && older->end_ms <= booking->end_ms &&
            enough_is_left(older, start) && party_may(audit, older, start))
            audit_fail(audit, "wait %u was passed over by wait %u", older->id, served->id);
    }
}

/* ---- one wait -------------------------------------------------------------------------------- */
static void check_offered(struct audit *audit, const struct tide_waiting *is)
{
    const struct tide_booking *booking = audit_booking(audit, is->booking);
    tide_ms most = audit_setting(audit, TIDE_SETTING_wait_confirm_min) * TIDE_MINUTE_MS;
    if (booking == NULL || booking->state != TIDE_BOOKING_STATE_booked ||
        booking->plate != is->plate || booking->household != is->household ||
        booking->zone != is->zone || booking->cls != is->cls || booking->waiting != is->id ||
        booking->start_ms < is->start_ms || booking->end_ms != is->end_ms) {
        audit_fail(audit, "wait %u was offered booking %u, which is not it", is->id, is->booking);
        return;
    }
    if (is->confirm_by_ms <= audit->when_ms || is->confirm_by_ms > booking->no_show_ms ||
        is->confirm_by_ms > audit->when_ms + most)
        audit_fail(audit, "wait %u may confirm until %lld", is->id, (long long)is->confirm_by_ms);
    if (audit->event->kind != TIDE_REC_tick)
        audit_fail(audit, "wait %u was offered a place by %s", is->id,
                   tide_record_of(audit->event->kind)->name);
    check_order(audit, is, booking);
}

static void check_passed(struct audit *audit, const struct tide_waiting *was,
                         const struct tide_waiting *is)
{
    const struct tide_booking *booking = audit_booking(audit, is->booking);
    if (audit->event->kind != TIDE_REC_tick || audit->when_ms < was->confirm_by_ms)
        audit_fail(audit, "wait %u was passed on before its time", is->id);
    if (booking == NULL || booking->state != TIDE_BOOKING_STATE_cancelled ||
        booking->reason != TIDE_WHY_not_confirmed || booking->charged_min != 0)
        audit_fail(audit, "booking %u was not confirmed and is not simply gone", is->booking);
}

static bool may_become(unsigned from, unsigned to)
{
    if (from == TIDE_WAITING_STATE_waiting)
        return to == TIDE_WAITING_STATE_offered || to == TIDE_WAITING_STATE_withdrawn ||
               to == TIDE_WAITING_STATE_over;
    return from == TIDE_WAITING_STATE_offered && !TIDE_WAITING_LIVE(to);
}

static void check_end(struct audit *audit, const struct tide_waiting *was,
                      const struct tide_waiting *is)
{
    const struct tide_booking *booking = audit_booking(audit, was->booking);
    if (is->ended_ms != audit->when_ms || is->confirm_by_ms != 0)
        audit_fail(audit, "wait %u does not say when it ended", is->id);
    if (is->state == TIDE_WAITING_STATE_passed)
        check_passed(audit, was, is);
    else if (is->state == TIDE_WAITING_STATE_taken &&
             (booking == NULL || !TIDE_BOOKING_LIVE(booking->state)))
        audit_fail(audit, "wait %u is taken and booking %u is over", is->id, was->booking);
    else if (is->state == TIDE_WAITING_STATE_over && was->booking == 0 &&
             enough_is_left(is, floor_of(audit->when_ms) > is->start_ms ? floor_of(audit->when_ms)
                                                                        : is->start_ms))
        audit_fail(audit, "wait %u is over before its time", is->id);
}

static void check_wait(struct audit *audit, const struct audit_change *change)
{
    const struct tide_waiting *was = &change->was.waiting, *is = &change->is.waiting;
    if (!change->had) {
        if (is->state != TIDE_WAITING_STATE_waiting ||
            is->first_position !=
                position_of(audit, is->zone, is->cls, is->start_ms, is->end_ms, is->id))
            audit_fail(audit, "wait %u begins as %s at position %u", is->id, state_name(is->state),
                       is->first_position);
        return;
    }
    if (audit->event->kind == TIDE_REC_forget && was->state == is->state)
        return;
    if (!may_become(was->state, is->state))
        audit_fail(audit, "wait %u went from %s to %s", is->id, state_name(was->state),
                   state_name(is->state));
    if (was->plate != is->plate || was->zone != is->zone || was->cls != is->cls ||
        was->household != is->household || was->start_ms != is->start_ms ||
        was->end_ms != is->end_ms || was->made_ms != is->made_ms ||
        was->first_position != is->first_position)
        audit_fail(audit, "wait %u became another", is->id);
    if (is->state == TIDE_WAITING_STATE_offered)
        check_offered(audit, is);
    else
        check_end(audit, was, is);
}

/* ---- asking ---------------------------------------------------------------------------------- */
static bool any_slot(struct audit *audit, const struct tide_wait *ask)
{
    tide_ms start = floor_of(ask->start_ms), end = floor_of(ask->end_ms + TIDE_GRAIN_MS - 1);
    tide_ms until = audit_kept_until(audit, ask->zone, end);
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == ask->zone && row->slot.cls == ask->cls &&
            !(start <= floor_of(audit->when_ms) && audit_slot_is_taken_now(audit, row->slot.id)) &&
            audit_slot_is_free(audit, &row->slot, start, until))
            return true;
    return false;
}

static void check_asked(struct audit *audit)
{
    const struct tide_wait *ask = &audit->event->as.wait;
    if (audit->reply.code == TIDE_CODE_ok && any_slot(audit, ask))
        audit_fail(audit, "wait %u waits for what is free", audit->reply.id);
    if (audit->reply.why == TIDE_WHY_fits_now && !any_slot(audit, ask))
        audit_fail(audit, "nothing is free, and waiting was refused as if it were");
}

/* ---- always ---------------------------------------------------------------------------------- */
static void check_live(struct audit *audit, const struct tide_waiting *wait)
{
    const struct tide_booking *booking = audit_booking(audit, wait->booking);
    bool ran = audit->event != NULL && audit->event->kind != TIDE_REC_tick &&
               audit->event->kind != TIDE_REC_clock &&
               audit->event->kind != TIDE_REC_clock_accept &&
               audit_setting(audit, TIDE_SETTING_clock_suspended) == 0;
    if (wait->state == TIDE_WAITING_STATE_offered &&
        (booking == NULL || booking->state != TIDE_BOOKING_STATE_booked))
        audit_fail(audit, "wait %u is offered booking %u, which is not there", wait->id,
                   wait->booking);
    if (ran && wait->state == TIDE_WAITING_STATE_offered && wait->confirm_by_ms <= audit->when_ms)
        audit_fail(audit, "wait %u should have been passed on", wait->id);
    if (ran && wait->state == TIDE_WAITING_STATE_waiting && wait->end_ms <= audit->when_ms)
        audit_fail(audit, "wait %u should be over", wait->id);
}

/* What the answer says of a position. */
static void check_told(struct audit *audit)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(audit->effects, audit->effects_len, &at, &verb, &kind, &any))
        if (verb == ENGINE_ITEM && kind == TIDE_REC_wait_place)
            audit_wait_place(audit, &any.wait_place);
}

void audit_waits_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (audit->changes[i].kind == TIDE_REC_waiting && audit->changes[i].verb == ENGINE_PUT)
            check_wait(audit, &audit->changes[i]);
    if (audit->event->kind == TIDE_REC_wait)
        check_asked(audit);
    check_told(audit);
    for (uint32_t i = 0; i < audit->live_waits.count; i++)
        check_live(audit, waiting_of(audit, audit->live_waits.list[i]));
}
