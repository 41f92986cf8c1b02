/* audit_bookings.c - promises: made as asked, one at a time on a slot, never lost, never moved
 * once the car is there.
 *
 *   booked ──► parked ──► kept          whatever is not drawn here is a violation
 *     ├──► cancelled, no_show
 *     └──► broken, with its compensation posted in the same event
 */
#include "tests/sim/audit_state.h"

static tide_ms grain_floor(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

static tide_ms grain_ceil(tide_ms at)
{
    return grain_floor(at + TIDE_GRAIN_MS - 1);
}

/* ---- states -------------------------------------------------------------------------------- */
static bool may_become(enum tide_booking_state was, enum tide_booking_state is)
{
    if (was == TIDE_BOOKING_STATE_booked)
        return is != TIDE_BOOKING_STATE_kept;
    if (was == TIDE_BOOKING_STATE_parked)
        return is == TIDE_BOOKING_STATE_parked || is == TIDE_BOOKING_STATE_kept;
    return false;
}

static const char *state_name(unsigned state)
{
    return tide_enum_name(TIDE_FT_enum_booking_state, state);
}

static bool compensated(const struct audit *audit, const struct tide_booking *booking)
{
    int64_t due = audit_setting(audit, TIDE_SETTING_compensation_min);
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct tide_posting *posting = &audit->changes[i].is.posting;
        if (audit->changes[i].kind == TIDE_REC_posting && posting->booking == booking->id &&
            posting->reason == TIDE_POSTING_REASON_compensation &&
            posting->to == booking->household && posting->from == 0 && posting->minutes == due)
            return true;
    }
    return due == 0;
}

static void check_end(struct audit *audit, const struct tide_booking *was,
                      const struct tide_booking *is)
{
    if (is->ended_ms == 0 || is->ended_ms > audit->when_ms)
        audit_fail(audit, "booking %u ended at no time", is->id);
    if (is->held_min != 0)
        audit_fail(audit, "booking %u ended and still holds %d minutes", is->id, is->held_min);
    switch ((enum tide_booking_state)is->state) {
    case TIDE_BOOKING_STATE_broken:
        audit->counts.broken++;
        if (!compensated(audit, is))
            audit_fail(audit, "booking %u is broken without its compensation", is->id);
        if (is->reason == TIDE_WHY_none)
            audit_fail(audit, "booking %u is broken and does not say why", is->id);
        break;
    case TIDE_BOOKING_STATE_no_show:
        audit->counts.no_show++;
        if (audit->event->kind != TIDE_REC_tick || audit->when_ms < was->no_show_ms)
            audit_fail(audit, "booking %u is a no-show before its time", is->id);
        break;
    case TIDE_BOOKING_STATE_kept:
        audit->counts.kept++;
        break;
    default:
        audit->counts.cancelled++;
        break;
    }
}

static void check_put(struct audit *audit, const struct audit_change *change)
{
    const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
    if (!change->had) {
        audit->counts.bookings++;
        if (is->state != TIDE_BOOKING_STATE_booked)
            audit_fail(audit, "booking %u begins as %s", is->id, state_name(is->state));
        return;
    }
    if (audit->event->kind == TIDE_REC_forget && was->state == is->state)
        return;
    if (!may_become((enum tide_booking_state)was->state, (enum tide_booking_state)is->state))
        audit_fail(audit, "booking %u went from %s to %s", is->id, state_name(was->state),
                   state_name(is->state));
    bool plate_kept = was->plate == is->plate || /* whichever car of the owner's comes first */
                      (was->substitute_for != 0 && was->state == TIDE_BOOKING_STATE_booked);
    if (was->household != is->household || !plate_kept || was->zone != is->zone)
        audit_fail(audit, "booking %u became somebody else's", is->id);
    if (was->state == TIDE_BOOKING_STATE_parked && was->slot != is->slot)
        audit_fail(audit, "parked car of booking %u was moved from slot %u to %u", is->id,
                   was->slot, is->slot);
    if (was->state == TIDE_BOOKING_STATE_parked && was->start_ms != is->start_ms)
        audit_fail(audit, "booking %u is parked and got another start", is->id);
    if (TIDE_BOOKING_LIVE(was->state) && !TIDE_BOOKING_LIVE(is->state))
        check_end(audit, was, is);
}

/* Its end, and for how long its slot is kept free after it. */
static tide_ms kept_until(const struct tide_booking *booking)
{
    return booking->end_ms + booking->buffer_min * TIDE_MINUTE_MS;
}

/* ---- one at a time ------------------------------------------------------------------------- */
static void check_alone(struct audit *audit, const struct tide_booking *booking)
{
    const struct tide_slot *slot = audit_slot(audit, booking->slot);
    if (slot == NULL || slot->zone != booking->zone)
        audit_fail(audit, "booking %u lies on slot %u, which is not of its zone", booking->id,
                   booking->slot);
    if (booking->start_ms % TIDE_GRAIN_MS != 0 || booking->end_ms % TIDE_GRAIN_MS != 0 ||
        booking->end_ms <= booking->start_ms)
        audit_fail(audit, "booking %u has no sound span", booking->id);
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        if (other->id == booking->id || other->start_ms >= kept_until(booking) ||
            booking->start_ms >= kept_until(other))
            continue;
        if (other->slot == booking->slot)
            audit_fail(audit, "bookings %u and %u overlap on slot %u", other->id, booking->id,
                       booking->slot);
        if (other->plate == booking->plate && other->start_ms < booking->end_ms &&
            booking->start_ms < other->end_ms)
            audit_fail(audit, "plate %u holds two promises at once: bookings %u and %u",
                       booking->plate, other->id, booking->id);
    }
}

static void check_cap(struct audit *audit, const struct tide_booking *booking)
{
    int64_t most = audit_setting(audit, TIDE_SETTING_household_live_max), have = 0;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++)
        have += audit_booking(audit, audit->live_bookings.list[i])->household == booking->household;
    if (have > most)
        audit_fail(audit, "household %u got live booking number %lld of %lld", booking->household,
                   (long long)have, (long long)most);
}

/* ---- requests against what came of them ---------------------------------------------------- */
static bool may_act_for(const struct audit *audit, tide_id household)
{
    const struct tide_person *speaker = audit_speaker(audit);
    if (speaker == NULL)
        return false;
    const uint32_t staff = 1u << TIDE_ROLE_clerk | 1u << TIDE_ROLE_admin | 1u << TIDE_ROLE_steward |
                           1u << TIDE_ROLE_property;
    return speaker->household == household ||
           (audit_roles(audit, speaker->id, household) & staff) != 0;
}

static void check_book(struct audit *audit)
{
    const struct tide_book *ask = &audit->event->as.book;
    if (audit->reply.code == TIDE_CODE_full && audit->reply.why != TIDE_WHY_pool_full) {
        audit_refusal(audit, ask);
        if (ask->urgent)
            audit_urgent_refused(audit, ask);
        return;
    }
    if (audit->reply.code != TIDE_CODE_ok)
        return;
    const struct tide_booking *made = audit_booking(audit, audit->reply.id);
    if (made == NULL) {
        audit_fail(audit, "booking %u was promised and is not there", audit->reply.id);
        return;
    }
    if (made->made_ms != audit->when_ms || made->plate != ask->plate || made->zone != ask->zone ||
        made->cls != ask->cls || made->start_ms != grain_floor(ask->start_ms) ||
        made->end_ms != grain_ceil(ask->end_ms) || made->by != audit->event->user)
        audit_fail(audit, "booking %u is not what was asked for", made->id);
    if (ask->household != 0 && made->household != ask->household)
        audit_fail(audit, "booking %u is on another household's account", made->id);
    if (ask->urgent != made->urgent)
        audit_fail(audit, "booking %u is urgent by itself", made->id);
    if (ask->urgent) {
        audit_urgent(audit, made);
        return;
    }
    if (!may_act_for(audit, made->household))
        audit_fail(audit, "user %u booked for household %u and may not", audit->event->user,
                   made->household);
    if ((made->end_ms - made->start_ms) / TIDE_MINUTE_MS != made->held_min)
        audit_fail(audit, "booking %u holds %d minutes", made->id, made->held_min);
    if (made->start_ms < grain_floor(audit->when_ms))
        audit_fail(audit, "booking %u begins in the past", made->id);
}

static void check_cancel(struct audit *audit)
{
    const struct tide_cancel *ask = &audit->event->as.cancel;
    if (ask->series != 0)
        return;
    const struct tide_booking *booking = audit_booking(audit, ask->booking);
    bool ok = audit->reply.code == TIDE_CODE_ok;
    if (ok && (booking == NULL || booking->state != TIDE_BOOKING_STATE_cancelled))
        audit_fail(audit, "booking %u was said to be cancelled and is not", ask->booking);
    if (ok && booking != NULL && !may_act_for(audit, booking->household))
        audit_fail(audit, "user %u cancelled booking %u and may not", audit->event->user,
                   booking->id);
    if (!ok && booking != NULL && booking->state == TIDE_BOOKING_STATE_booked &&
        may_act_for(audit, booking->household))
        audit_fail(audit, "booking %u could have been cancelled", booking->id);
}

static void check_extend(struct audit *audit)
{
    const struct tide_extend *ask = &audit->event->as.extend;
    const struct tide_booking *booking = audit_booking(audit, ask->booking);
    if (audit->reply.code == TIDE_CODE_ok) {
        if (booking == NULL || booking->end_ms != grain_ceil(ask->end_ms))
            audit_fail(audit, "booking %u was said to end otherwise and does not", ask->booking);
        return;
    }
    if (audit->reply.code != TIDE_CODE_full || booking == NULL)
        return;
    const struct tide_slot *slot = audit_slot(audit, booking->slot);
    tide_ms end = grain_ceil(ask->end_ms), offered = audit->reply.free_until_ms;
    tide_ms own = kept_until(booking), kept = audit_kept_until(audit, booking->zone, end);
    bool uses_own = booking->state == TIDE_BOOKING_STATE_parked && end <= own;
    if (slot != NULL &&
        audit_slot_is_free_but(audit, slot, booking->end_ms, uses_own ? end : kept, booking->id))
        audit_fail(audit, "booking %u could have been extended on its slot", booking->id);
    if (slot != NULL && offered > booking->end_ms &&
        !audit_slot_is_free_but(audit, slot, booking->end_ms,
                                booking->state == TIDE_BOOKING_STATE_parked && offered <= own
                                    ? offered
                                    : audit_kept_until(audit, booking->zone, offered),
                                booking->id))
        audit_fail(audit, "booking %u was offered an end that is not free", booking->id);
}

void audit_bookings_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind != TIDE_REC_booking || change->verb != ENGINE_PUT)
            continue;
        check_put(audit, change);
        const struct tide_booking *now = audit_booking(audit, change->is.booking.id);
        if (!TIDE_BOOKING_LIVE(now->state))
            continue;
        check_alone(audit, now);
        if (!change->had && now->substitute_for == 0 && !now->urgent)
            check_cap(audit, now);
    }
    if (audit->event->kind == TIDE_REC_book)
        check_book(audit);
    else if (audit->event->kind == TIDE_REC_cancel)
        check_cancel(audit);
    else if (audit->event->kind == TIDE_REC_extend)
        check_extend(audit);
}

/* ---- after every event --------------------------------------------------------------------- */
/* A promise whose car did not come is given back in time: deadlines run before what comes after. */
static bool deadlines_ran(const struct audit *audit)
{
    if (audit->event == NULL)
        return false;
    unsigned kind = audit->event->kind;
    return kind != TIDE_REC_tick && kind != TIDE_REC_clock && kind != TIDE_REC_clock_accept &&
           kind != TIDE_REC_genesis && audit_setting(audit, TIDE_SETTING_clock_suspended) == 0;
}

static void check_live(struct audit *audit, const struct tide_booking *booking)
{
    const union tide_any *session =
        sim_rows_find(audit->rows, TIDE_REC_session, booking->session, 0, 0);
    if (booking->state == TIDE_BOOKING_STATE_parked) {
        if (session == NULL || session->session.state != TIDE_SESSION_STATE_live)
            audit_fail(audit, "booking %u is parked and no car is there", booking->id);
        else if (session->session.slot != booking->slot || session->session.booking != booking->id)
            audit_fail(audit, "booking %u is parked on slot %u, its car stands on %u", booking->id,
                       booking->slot, session->session.slot);
        return;
    }
    if (deadlines_ran(audit) && booking->no_show_ms <= audit->when_ms)
        audit_fail(audit, "booking %u should have been given back at %lld", booking->id,
                   (long long)booking->no_show_ms);
}

void audit_bookings_always(struct audit *audit)
{
    bool ran = deadlines_ran(audit);
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        check_live(audit, booking);
        audit_substitutes_live(audit, booking, ran);
    }
}
