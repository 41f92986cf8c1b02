/* audit_fair.c - fairness: nobody is promised more of a day or a month than the caps say, added up
 * from the bookings themselves, minute by minute. A strike says what its booking's row says, binds
 * who accepted the rules, counts not a moment before its time, is never decided by its own party or
 * reporter, and once it is over never comes back.
 */
#include "tests/sim/audit_state.h"

static tide_ms grain_up(tide_ms at)
{
    return (at + TIDE_GRAIN_MS - 1) / TIDE_GRAIN_MS * TIDE_GRAIN_MS;
}

/* ---- caps ----------------------------------------------------------------------------------- */
static int32_t date_of(const struct audit *audit, tide_ms at)
{
    tide_ms local = at + audit_setting(audit, TIDE_SETTING_utc_offset_min) * TIDE_MINUTE_MS;
    return (int32_t)(local / TIDE_DAY_MS);
}

/* First day of the month that a day lies in, and of the next, counted from 1970 one by one. */
struct month {
    int32_t first, next;
};
static struct month month_of(int32_t date)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct month month = {0, 31};
    for (int32_t n = 1; month.next <= date; n++) {
        int32_t year = 1970 + n / 12;
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        month.first = month.next;
        month.next += lengths[n % 12] + (n % 12 == 1 && leap);
    }
    return month;
}

/* What a booking takes, from its start to: its end while it lives, when it was given back. */
static tide_ms taken_until(const struct tide_booking *booking)
{
    if (TIDE_BOOKING_LIVE(booking->state))
        return booking->end_ms;
    if (booking->state != TIDE_BOOKING_STATE_kept && booking->state != TIDE_BOOKING_STATE_no_show)
        return booking->start_ms;
    return grain_up(booking->ended_ms < booking->end_ms ? booking->ended_ms : booking->end_ms);
}

struct taken {
    int64_t day_min, month_min;
};

static void take(const struct audit *audit, struct taken *taken, int32_t date, tide_ms from,
                 tide_ms until)
{
    struct month month = month_of(date);
    for (tide_ms at = from; at < until; at += TIDE_GRAIN_MS) {
        int32_t day = date_of(audit, at);
        taken->day_min += day == date ? TIDE_GRAIN_MIN : 0;
        taken->month_min += day >= month.first && day < month.next ? TIDE_GRAIN_MIN : 0;
    }
}

static struct taken taken_of(const struct audit *audit, tide_id household, int32_t date)
{
    struct taken taken = {0};
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_booking, &cursor)) != NULL) {
        if (row->booking.household != household || row->booking.substitute_for != 0 ||
            row->booking.urgent)
            continue;
        take(audit, &taken, date, row->booking.start_ms, taken_until(&row->booking));
    }
    return taken;
}

/* What the wishes take that wait for a draw: they count before anything new. */
static void take_wishes(const struct audit *audit, struct taken *taken, tide_id household,
                        int32_t date)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_wish, &cursor)) != NULL)
        if (row->wish.household == household && row->wish.state == TIDE_WISH_STATE_waiting)
            take(audit, taken, date, row->wish.start_ms, row->wish.end_ms);
}

/* A span of a promise is new: each day that it lies on still keeps the caps. */
static void check_caps(struct audit *audit, const struct tide_booking *booking, tide_ms from,
                       tide_ms until)
{
    int64_t day_max = audit_setting(audit, TIDE_SETTING_household_day_max_min);
    int64_t month_max = audit_setting(audit, TIDE_SETTING_household_month_max_min);
    if ((day_max == 0 && month_max == 0) || from >= until)
        return;
    for (int32_t date = date_of(audit, from); date <= date_of(audit, until - 1); date++) {
        struct taken taken = taken_of(audit, booking->household, date);
        audit->counts.checked_caps++;
        if ((day_max != 0 && taken.day_min > day_max) ||
            (month_max != 0 && taken.month_min > month_max))
            audit_fail(audit, "booking %u: household %u takes %lld min of a day, %lld of a month",
                       booking->id, booking->household, (long long)taken.day_min,
                       (long long)taken.month_min);
    }
}

/* ---- strikes -------------------------------------------------------------------------------- */
static void check_evidence(struct audit *audit, const struct tide_strike *is)
{
    const struct tide_booking *booking = audit_booking(audit, is->booking);
    bool late = is->kind == TIDE_STRIKE_KIND_overstay;
    if (booking == NULL || booking->household != is->household || booking->plate != is->plate ||
        booking->zone != is->zone || booking->slot != is->slot || booking->person != is->person ||
        booking->state != (late ? TIDE_BOOKING_STATE_kept : TIDE_BOOKING_STATE_no_show) ||
        booking->ended_ms != is->at_ms ||
        is->start_ms != (late ? booking->end_ms : booking->start_ms) ||
        is->minutes !=
            (is->at_ms - is->start_ms + (late ? TIDE_MINUTE_MS - 1 : 0)) / TIDE_MINUTE_MS)
        audit_fail(audit, "strike %u says otherwise than booking %u", is->id, is->booking);
    else if (is->state != TIDE_STRIKE_STATE_void && (booking->outside | booking->disturbed) != 0)
        audit_fail(audit, "strike %u is of what others caused", is->id);
}

static void check_made(struct audit *audit, const struct tide_strike *is)
{
    const union tide_any *person = sim_rows_find(audit->rows, TIDE_REC_person, is->person, 0, 0);
    int64_t version = audit_setting(audit, TIDE_SETTING_rules_text_version);
    tide_ms days = audit_setting(audit, TIDE_SETTING_strike_contest_days) * TIDE_DAY_MS;
    bool bound = version != 0 && person != NULL && person->person.rules_version >= version;
    audit->counts.strikes++;
    check_evidence(audit, is);
    if (is->made_ms != audit->when_ms || (is->state == TIDE_STRIKE_STATE_void) != (is->why != 0))
        audit_fail(audit, "strike %u is made as it cannot be", is->id);
    if (is->state != TIDE_STRIKE_STATE_void && (is->state != TIDE_STRIKE_STATE_pending || !bound ||
                                                is->contest_until_ms - days != is->made_ms))
        audit_fail(audit, "strike %u binds who is not bound", is->id);
}

/* Who speaks may decide: in a role for it, at the place, and not for himself. */
static bool is_judge(struct audit *audit, const struct tide_strike *strike)
{
    const struct tide_person *judge = audit_speaker(audit);
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, strike->zone, 0, 0);
    if (judge == NULL || zone == NULL || strike->decided_by != judge->id)
        return false;
    uint32_t roles = audit_roles(audit, judge->id, zone->zone.place);
    return (roles & (1u << TIDE_ROLE_committee | 1u << TIDE_ROLE_property)) != 0 &&
           judge->id != strike->person && judge->id != strike->reporter &&
           (judge->household == 0 || judge->household != strike->household);
}

static bool may_become(struct audit *audit, const struct tide_strike *was,
                       const struct tide_strike *is)
{
    bool ticks = audit->event->kind == TIDE_REC_tick;
    bool decided = audit->event->kind == TIDE_REC_strike_decide && is_judge(audit, is);
    tide_ms now = audit->when_ms;
    if (was->state > TIDE_STRIKE_STATE_upheld)
        return false;
    if (is->state == TIDE_STRIKE_STATE_void && audit->event->kind == TIDE_REC_forget)
        return true;
    if (is->state == TIDE_STRIKE_STATE_void && is->why == TIDE_WHY_local_list)
        return was->state != TIDE_STRIKE_STATE_upheld &&
               (audit->event->kind == TIDE_REC_gate_report ||
                audit->event->kind == TIDE_REC_plate_seen);
    switch ((enum tide_strike_state)was->state) {
    case TIDE_STRIKE_STATE_pending:
        return is->state == TIDE_STRIKE_STATE_contested
                   ? audit->event->kind == TIDE_REC_strike_contest && now < was->contest_until_ms
                   : is->state == TIDE_STRIKE_STATE_upheld && ticks && now >= was->contest_until_ms;
    case TIDE_STRIKE_STATE_contested:
        return is->state == TIDE_STRIKE_STATE_void && is->why == TIDE_WHY_undecided
                   ? ticks && now >= was->decide_until_ms
                   : decided && now < was->decide_until_ms;
    default:
        return is->state == TIDE_STRIKE_STATE_expired && ticks && now >= was->expires_ms;
    }
}

/* Minutes of overstays are posted by a strike that is upheld, and by nothing else. */
static void check_charges(struct audit *audit)
{
    int64_t posted = 0, charged = 0;
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_posting &&
            change->is.posting.reason == TIDE_POSTING_REASON_overstay)
            posted += change->is.posting.minutes;
        if (change->kind == TIDE_REC_strike && change->had &&
            change->was.strike.state < TIDE_STRIKE_STATE_upheld &&
            change->is.strike.state == TIDE_STRIKE_STATE_upheld)
            charged += change->is.strike.charged_min;
    }
    if (posted != charged)
        audit_fail(audit, "%lld minutes over were posted, strikes say %lld", (long long)posted,
                   (long long)charged);
}

/* What the strikes of a household add up to. */
struct held_against {
    int64_t upheld, pending_min;
};

static struct held_against held_against(const struct audit *audit, tide_id household)
{
    struct held_against sum = {0};
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_strike, &cursor)) != NULL)
        if (row->strike.household == household) {
            sum.upheld += row->strike.state == TIDE_STRIKE_STATE_upheld;
            sum.pending_min +=
                row->strike.state < TIDE_STRIKE_STATE_upheld ? row->strike.charge_min : 0;
        }
    return sum;
}

bool audit_was_drawn(const struct audit *audit, tide_id booking)
{
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (audit->changes[i].kind == TIDE_REC_wish && audit->changes[i].is.wish.booking == booking)
            return true;
    return false;
}

/* Strikes that came to count in this very event: what it did before may not have known of them. */
static int64_t upheld_just_now(const struct audit *audit, tide_id household)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        count += change->kind == TIDE_REC_strike && change->is.strike.household == household &&
                 change->is.strike.state == TIDE_STRIKE_STATE_upheld &&
                 !(change->had && change->was.strike.state == TIDE_STRIKE_STATE_upheld);
    }
    return count;
}

/* but: strikes that are not to count. */
static bool is_too_far_ahead(const struct audit *audit, tide_id household, tide_ms start,
                             int64_t but)
{
    int64_t most = audit_setting(audit, TIDE_SETTING_strikes_max);
    tide_ms lead_ms = audit_setting(audit, TIDE_SETTING_strike_lead_min) * TIDE_MINUTE_MS;
    return most != 0 && start > audit->when_ms + lead_ms &&
           held_against(audit, household).upheld - but >= most;
}

bool audit_fair_may(const struct audit *audit, tide_id household, tide_ms start, tide_ms end)
{
    int64_t day_max = audit_setting(audit, TIDE_SETTING_household_day_max_min);
    int64_t month_max = audit_setting(audit, TIDE_SETTING_household_month_max_min);
    if (is_too_far_ahead(audit, household, start, 0))
        return false;
    if (day_max == 0 && month_max == 0)
        return true;
    for (int32_t date = date_of(audit, start); date <= date_of(audit, end - 1); date++) {
        struct taken taken = taken_of(audit, household, date);
        take_wishes(audit, &taken, household, date);
        take(audit, &taken, date, start, end);
        if ((day_max != 0 && taken.day_min > day_max) ||
            (month_max != 0 && taken.month_min > month_max))
            return false;
    }
    return true;
}

static void check_lead(struct audit *audit, const struct tide_booking *booking)
{
    if (is_too_far_ahead(audit, booking->household, booking->start_ms,
                         upheld_just_now(audit, booking->household)) &&
        !audit_was_drawn(audit, booking->id))
        audit_fail(audit, "booking %u starts too late for a household with strikes", booking->id);
}

static void check_strike_change(struct audit *audit, const struct audit_change *change)
{
    const struct tide_strike *is = &change->is.strike;
    if (change->kind == TIDE_REC_account && change->is.account.household != 0) {
        int64_t pending = held_against(audit, change->is.account.household).pending_min;
        const union tide_any *now =
            sim_rows_find(audit->rows, TIDE_REC_account, change->is.account.household, 0, 0);
        if (now == NULL || now->account.pending_min != pending)
            audit_fail(audit, "household %u: charges of %lld minutes are pending",
                       change->is.account.household, (long long)pending);
    }
    if (change->kind != TIDE_REC_strike)
        return;
    if (!change->had)
        check_made(audit, is);
    else if (!may_become(audit, &change->was.strike, is))
        audit_fail(audit, "strike %u goes from state %u to %u", is->id, change->was.strike.state,
                   is->state);
    /* Who is forgotten after it counted was charged: what is posted stays posted. */
    bool counted = change->had && change->was.strike.state == TIDE_STRIKE_STATE_upheld;
    if (is->state != TIDE_STRIKE_STATE_upheld && is->state != TIDE_STRIKE_STATE_expired &&
        !counted && is->charged_min != 0)
        audit_fail(audit, "strike %u does not count and was charged", is->id);
}

void audit_fair_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
        check_strike_change(audit, change);
        if (change->kind != TIDE_REC_booking || change->verb != ENGINE_PUT ||
            !TIDE_BOOKING_LIVE(is->state) || is->substitute_for != 0 || is->urgent)
            continue;
        if (!change->had) {
            check_lead(audit, is);
            check_caps(audit, is, is->start_ms, is->end_ms);
        } else {
            check_caps(audit, is, is->start_ms, was->start_ms);
            check_caps(audit, is, was->end_ms, is->end_ms);
        }
    }
    check_charges(audit);
}
