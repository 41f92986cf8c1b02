/* lifetime.c - what time does to a booking, and how it ends.
 *
 *   booked:  start ──────────► is its place free? else move, else tell (late_supply)
 *            no_show_ms ─────► no_show: the place is given back
 *   parked:  end - soon ─────► a word to the driver
 *            end, then every 15 minutes ─► who comes after it is moved, see overrun.c
 *            end + grace ────► overstay: an incident until the car leaves
 *
 * Which of these were done stands in the row (`warned`), so a reloaded engine does none twice.
 */
#include "daemon/core/ledger.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/caps.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"

#define DONE_START 1u
#define DONE_SOON 2u
#define DONE_OVERSTAY 4u
#define OVER_MIN_MAX 1000000

/* ---- ends ----------------------------------------------------------------------------------- */
/* Who earns: the owner of the slot, or, for what is common, the pool. */
static tide_id lender_of(const struct engine *engine, const struct tide_booking *booking)
{
    const struct slot_state *slot = slot_of(engine, booking->slot);
    return slot != NULL ? slot->row.owner : 0;
}

/* What was used, by the grain: from the start of the promise to when it was given back. */
static struct span used_span(const struct tide_booking *booking, tide_ms ended_ms)
{
    tide_ms until = ended_ms < booking->end_ms ? ended_ms : booking->end_ms;
    struct span span = {.from = grain_floor(booking->start_ms)};
    span.until = until > booking->start_ms ? grain_ceil(until) : span.from;
    return span;
}

static void charge(struct step *step, struct tide_booking *booking, enum tide_booking_state state)
{
    tide_id lender = lender_of(step->engine, booking);
    int32_t minutes = 0;
    struct span used = used_span(booking, booking->ended_ms);
    if (state == TIDE_BOOKING_STATE_kept || state == TIDE_BOOKING_STATE_no_show)
        minutes = (int32_t)(used.until - used.from) * TIDE_GRAIN_MIN;
    if (booking->substitute_for != 0 || booking->urgent) { /* free: the pool pays who lends */
        ledger_post(step, TIDE_POSTING_REASON_stay, 0, lender, minutes, booking->id);
        return;
    }
    if (state == TIDE_BOOKING_STATE_kept)
        lateness_learn(step, booking);
    if (minutes > 0)
        caps_note_used(step, booking->household, used.from, used.until);
    booking->charged_min = ledger_post(step, TIDE_POSTING_REASON_stay, booking->household, lender,
                                       minutes, booking->id);
    int64_t over_ms = booking->ended_ms - booking->end_ms;
    if (state == TIDE_BOOKING_STATE_kept && (booking->warned & DONE_OVERSTAY) != 0 && over_ms > 0) {
        int64_t over_min = (over_ms + TIDE_MINUTE_MS - 1) / TIDE_MINUTE_MS;
        if (over_min > OVER_MIN_MAX)
            over_min = OVER_MIN_MAX;
        strike_make(step, booking,
                    (struct tide_strike){.kind = TIDE_STRIKE_KIND_overstay,
                                         .at_ms = booking->ended_ms,
                                         .minutes = (int32_t)over_min,
                                         .charge_min = (int32_t)over_min,
                                         .lender = lender});
    }
}

void booking_end(struct step *step, struct booking_state *booking, enum tide_booking_state state,
                 enum tide_why reason)
{
    struct engine *engine = step->engine;
    CHECK(!TIDE_BOOKING_LIVE(state) && TIDE_BOOKING_LIVE(booking->row.state));
    struct tide_booking row = booking->row;
    booking_detach(engine, booking);
    table_remove(&engine->bookings, booking);
    int32_t held = row.held_min;
    bool gave_way = row.substitute_for != 0 && row.reason == TIDE_WHY_recall &&
                    state == TIDE_BOOKING_STATE_kept;
    row.state = (uint8_t)state;
    row.reason = (uint8_t)reason;
    if (row.ended_ms == 0)
        row.ended_ms = step->now_ms;
    row.held_min = 0;
    ledger_hold(step, row.household, -held);
    charge(step, &row, state);
    if (gave_way)
        ledger_post(step, TIDE_POSTING_REASON_compensation, 0, row.household, swap_minutes(engine),
                    row.id);
    trace(engine, "booking.end", row.id, state, row.charged_min);
    step_put(step, TIDE_REC_booking, &row);
    incidents_close_booking(step, row.id, ~0u);
    waits_freed(engine, row.zone);
    waiting_lost(step, &row);
}

void booking_break(struct step *step, struct booking_state *booking, enum tide_why reason)
{
    struct engine *engine = step->engine;
    struct tide_booking row = booking->row;
    int32_t compensation = (int32_t)engine->setting[TIDE_SETTING_compensation_min];
    notice_party(step, &row, TIDE_NOTICE_KIND_booking_broken, reason);
    booking_end(step, booking, TIDE_BOOKING_STATE_broken, reason);
    ledger_post(step, TIDE_POSTING_REASON_compensation, 0, row.household, compensation, row.id);
}

void booking_disturb(struct step *step, struct booking_state *booking, enum tide_why why)
{
    if (booking->row.disturbed != TIDE_WHY_none)
        return;
    booking->row.disturbed = (uint8_t)why;
    step_put(step, TIDE_REC_booking, &booking->row);
}

bool booking_reseat_or_break(struct step *step, struct booking_state *booking, enum tide_why reason)
{
    struct tide_booking *row = &booking->row;
    CHECK(row->state == TIDE_BOOKING_STATE_booked);
    booking_disturb(step, booking, reason);
    tide_id slot = seat_elsewhere(step, row, NULL);
    if (slot != 0) {
        booking_move(step, booking, slot);
        return true;
    }
    booking_break(step, booking, reason);
    return false;
}

/* ---- deadlines ------------------------------------------------------------------------------ */
void booking_due(struct engine *engine, struct booking_state *booking)
{
    const struct tide_booking *row = &booking->row;
    tide_ms soon_ms = engine->setting[TIDE_SETTING_ending_soon_min] * TIDE_MINUTE_MS;
    tide_ms grace_ms = engine->setting[TIDE_SETTING_overstay_grace_min] * TIDE_MINUTE_MS;
    tide_ms due = DUE_NEVER;
    if (row->state == TIDE_BOOKING_STATE_booked)
        due = (row->warned & DONE_START) == 0 ? row->start_ms : row->no_show_ms;
    else if ((row->warned & DONE_SOON) == 0 && soon_ms > 0)
        due = row->end_ms - soon_ms;
    else {
        due = overrun_look_ms(row);
        if ((row->warned & DONE_OVERSTAY) == 0 && row->end_ms + grace_ms < due)
            due = row->end_ms + grace_ms;
    }
    heap_set(&engine->heap, DUE_BOOKING, row->id, &booking->due_position, due);
}

/* The promise begins: whoever still stands on the slot makes it somebody else's slot. */
static void start_check(struct step *step, struct booking_state *booking)
{
    struct engine *engine = step->engine;
    struct tide_booking *row = &booking->row;
    const struct slot_state *slot = slot_of(engine, row->slot);
    row->warned |= DONE_START;
    step_put(step, TIDE_REC_booking, row);
    if (!spot_taken_by_other(engine, slot, 0))
        return;
    booking_disturb(step, booking, TIDE_WHY_overstayer);
    tide_id other = seat_elsewhere(step, row, NULL);
    trace(engine, "start.taken", row->id, row->slot, other);
    if (other != 0) {
        booking_move(step, booking, other);
        return;
    }
    incident_open(step, (struct tide_incident){.kind = TIDE_INCIDENT_KIND_late_supply,
                                               .zone = row->zone,
                                               .slot = row->slot,
                                               .plate = row->plate,
                                               .booking = row->id,
                                               .household = row->household});
}

static void no_show(struct step *step, struct booking_state *booking)
{
    struct account_state *account = table_find(&step->engine->accounts, booking->row.household);
    CHECK(account != NULL);
    booking->row.ended_ms = booking->row.no_show_ms; /* however late the clock came to it */
    if (booking->row.substitute_for != 0) {          /* he had no need of it */
        booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_none);
        return;
    }
    notice_party(step, &booking->row, TIDE_NOTICE_KIND_no_show, TIDE_WHY_none);
    if (booking->row.urgent) { /* nobody's fault */
        booking_end(step, booking, TIDE_BOOKING_STATE_no_show, TIDE_WHY_none);
        return;
    }
    if (account->row.no_shows < UINT16_MAX)
        account->row.no_shows++;
    struct tide_booking row = booking->row;
    booking_end(step, booking, TIDE_BOOKING_STATE_no_show, TIDE_WHY_none);
    step_put(step, TIDE_REC_account, &account->row);
    strike_make(
        step, &row,
        (struct tide_strike){.kind = TIDE_STRIKE_KIND_no_show,
                             .at_ms = row.ended_ms,
                             .minutes = (int32_t)((row.ended_ms - row.start_ms) / TIDE_MINUTE_MS)});
}

static void overstay(struct step *step, struct booking_state *booking)
{
    struct tide_booking *row = &booking->row;
    struct account_state *account = table_find(&step->engine->accounts, row->household);
    CHECK(account != NULL);
    row->warned |= DONE_OVERSTAY;
    if (row->substitute_for == 0 && !row->urgent && account->row.overstays < UINT16_MAX)
        account->row.overstays++;
    step_put(step, TIDE_REC_booking, row);
    step_put(step, TIDE_REC_account, &account->row);
    incident_open(step, (struct tide_incident){.kind = TIDE_INCIDENT_KIND_overstay,
                                               .zone = row->zone,
                                               .slot = row->slot,
                                               .plate = row->plate,
                                               .booking = row->id,
                                               .session = row->session,
                                               .household = row->household});
}

void booking_fall_due(struct step *step, struct booking_state *booking)
{
    struct tide_booking *row = &booking->row;
    if (row->state == TIDE_BOOKING_STATE_booked) {
        if ((row->warned & DONE_START) == 0)
            start_check(step, booking);
        else {
            no_show(step, booking);
            return;
        }
    } else if ((row->warned & DONE_SOON) == 0 &&
               step->engine->setting[TIDE_SETTING_ending_soon_min] > 0) {
        row->warned |= DONE_SOON;
        step_put(step, TIDE_REC_booking, row);
        notice_party(step, row, TIDE_NOTICE_KIND_ending_soon, TIDE_WHY_none);
    } else if (overrun_look_ms(row) <= step->now_ms) {
        row->looked_ms = step->now_ms;
        step_put(step, TIDE_REC_booking, row);
        overrun_look(step, slot_of(step->engine, row->slot));
    } else {
        overstay(step, booking);
    }
    booking_due(step->engine, booking);
}
