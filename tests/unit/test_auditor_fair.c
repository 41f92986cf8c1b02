/* test_auditor_fair.c - the auditor notices: who is moved and should not be, or should have been;
 * who waits and is passed over; what is held against a household before its time; an owner who gave
 * way for nothing.
 */
#include "tests/unit/auditor_tape.h"

#define DAY_MS TIDE_DAY_MS

/* ---- moves ----------------------------------------------------------------------------------- */
/* Booking 1, on slot 1 from nine on, is on slot 2 after a tick so many minutes after eight. */
static struct tide_booking moved(struct tape *t, int at_min)
{
    struct tide_booking booking = booked(t);
    t->now_ms = NOW + at_min * MIN_MS;
    booking.slot = 2;
    booking.moves = 1;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
    return booking;
}

/* Somebody nobody knows stands on a slot, says the guard. */
static void stands_on(struct tape *t, tide_id slot)
{
    EVENT(5, arrive, .plate = 11, .slot = slot);
    PUT(session, .id = 1, .plate = 11, .place = 1, .zone = 1, .slot = slot, .start_ms = t->now_ms);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_session, 2);
    done(t);
}

static void moved_in_time(struct tape *t)
{
    moved(t, 30);
}

static void frozen_and_moved(struct tape *t)
{
    moved(t, 45);
}

static void frozen_and_its_slot_taken(struct tape *t)
{
    stands_on(t, 1);
    moved(t, 50);
}

static void frozen_and_its_slot_closed(struct tape *t)
{
    struct tide_booking booking = booked(t);
    t->now_ms = NOW + 50 * MIN_MS;
    booking.slot = 2;
    booking.moves = 1;
    EVENT(3, blackout, .slot = 1);
    PUT(window, .id = 3, .slot = 1, .zone = 1, .kind = TIDE_WINDOW_KIND_blackout,
        .start_ms = NOW + 100 * MIN_MS, .end_ms = NOW + 101 * MIN_MS);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    REPLY(.id = 3);
    PUT(counter_row, TIDE_COUNTER_window, 4);
    done(t);
}

static void moved_from_its_own_slot(struct tape *t)
{
    EVENT(3, put, .rows = 1);
    PUT(slot, .id = 1, .zone = 1, .title = TIDE_SLOT_TITLE_owned, .owner = 2);
    REPLY(.limit = 1);
    done(t);
    moved(t, 10);
}

static void moved_and_not_counted(struct tape *t)
{
    struct tide_booking booking = moved(t, 10);
    booking.slot = 1;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

/* Car 1 is on slot 1 until ten, and booking 2 comes after it there, at a quarter past. */
static struct tide_booking two_in_a_row(struct tape *t)
{
    struct tide_booking first = parked(t), next = promise(t, 2, 10, 1);
    next.start_ms = NOW + 135 * MIN_MS;
    next.end_ms = next.start_ms + 60 * MIN_MS;
    next.no_show_ms = next.start_ms + 30 * MIN_MS;
    EVENT(1, book, .plate = 10, .zone = 1, .start_ms = next.start_ms, .end_ms = next.end_ms);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &next);
    PUT(account, .household = 2, .balance_min = 1000, .held_min = 120);
    REPLY(.id = 2);
    PUT(counter_row, TIDE_COUNTER_booking, 3);
    done(t);
    t->now_ms = first.end_ms;
    return first;
}

static void nobody_is_moved_away(struct tape *t)
{
    struct tide_booking first = two_in_a_row(t);
    first.looked_ms = t->now_ms;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &first);
    done(t);
}

static void nobody_has_looked(struct tape *t)
{
    two_in_a_row(t);
    EVENT(1, cancel, .booking = 7);
    REPLY(.code = TIDE_CODE_not_found);
    done(t);
}

static void it_begins_and_nobody_is_told(struct tape *t)
{
    struct tide_booking booking = booked(t);
    stands_on(t, 1);
    t->now_ms = booking.start_ms;
    booking.warned = 1;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

/* ---- the owner ------------------------------------------------------------------------------- */
/* The window of slot 1 ends at half past ten, its owner has a car, and booking 1 stays. */
static void the_owner_gets_nothing(struct tape *t)
{
    EVENT(3, put, .rows = 2);
    PUT(window, .id = 1, .slot = 1, .zone = 1, .days = TIDE_DAYS_ALL, .weekdays = TIDE_WEEKDAYS_ALL,
        .closes_min = 630);
    PUT(vehicle, 8, 3, TIDE_VEHICLE_KIND_resident, 0);
    REPLY(.limit = 2);
    done(t);
    struct tide_booking booking = parked(t);
    t->now_ms = booking.looked_ms = booking.end_ms;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

/* The owner of slot 1 takes slot 2 instead, from ten to eleven. */
static struct tide_booking swapped(struct tape *t, tide_id on)
{
    struct tide_booking other = promise(t, 1, 8, on);
    other.household = 3;
    other.person = other.by = 2;
    other.held_min = 0;
    other.substitute_for = 1;
    other.reason = TIDE_WHY_recall;
    EVENT(2, recall, .slot = 1, .start_ms = other.start_ms, .end_ms = other.end_ms, .swap = 2);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &other);
    REPLY(.id = 1);
    effect(t, ENGINE_ITEM, TIDE_REC_booking, &other);
    PUT(counter_row, TIDE_COUNTER_booking, 2);
    done(t);
    return other;
}

static void another_slot_than_swapped(struct tape *t)
{
    EVENT(3, put, .rows = 1);
    PUT(slot, .id = 3, .zone = 1, .title = TIDE_SLOT_TITLE_common);
    PUT(window, .id = 3, .slot = 3, .zone = 1, .days = TIDE_DAYS_ALL, .weekdays = TIDE_WEEKDAYS_ALL,
        .closes_min = 1440);
    REPLY(.limit = 2);
    PUT(counter_row, TIDE_COUNTER_window, 4);
    done(t);
    swapped(t, 3);
}

static void end_swap(struct tape *t, int32_t minutes)
{
    struct tide_booking other = swapped(t, 2);
    t->now_ms = other.start_ms;
    other.state = TIDE_BOOKING_STATE_parked;
    other.session = 1;
    struct tide_session session = {.id = 1,
                                   .right = TIDE_SESSION_RIGHT_booking,
                                   .plate = 8,
                                   .place = 1,
                                   .zone = 1,
                                   .slot = 2,
                                   .booking = 1,
                                   .household = 3,
                                   .start_ms = t->now_ms};
    EVENT(2, arrive, .booking = 1);
    effect(t, ENGINE_PUT, TIDE_REC_session, &session);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &other);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_session, 2);
    done(t);
    t->now_ms = other.ended_ms = session.end_ms = other.end_ms;
    other.state = TIDE_BOOKING_STATE_kept;
    other.reason = TIDE_WHY_none;
    session.state = TIDE_SESSION_STATE_ended;
    EVENT(2, leave, .booking = 1);
    effect(t, ENGINE_PUT, TIDE_REC_session, &session);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &other);
    if (minutes != 0) {
        PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_compensation,
            .to = 3, .minutes = minutes, .booking = 1);
        PUT(account, .household = 3, .balance_min = 1000 + minutes);
        PUT(account, .household = 0, .balance_min = -2000 - minutes);
        PUT(counter_row, TIDE_COUNTER_posting, 4);
    }
    REPLY(.id = 1);
    done(t);
}

static void a_swap_with_thanks(struct tape *t)
{
    end_swap(t, 60);
}

static void a_swap_for_nothing(struct tape *t)
{
    end_swap(t, 0);
}

/* ---- who waits ------------------------------------------------------------------------------- */
static struct tide_waiting waits(struct tape *t, tide_id id, tide_id person, tide_id plate)
{
    struct tide_waiting wait = {.id = id,
                                .plate = plate,
                                .zone = 1,
                                .household = person + 1,
                                .person = person,
                                .by = person,
                                .start_ms = NOW + 60 * MIN_MS,
                                .end_ms = NOW + 120 * MIN_MS,
                                .made_ms = t->now_ms,
                                .first_position = (uint16_t)id};
    EVENT(person, wait, .plate = plate, .zone = 1, .start_ms = wait.start_ms,
          .end_ms = wait.end_ms);
    effect(t, ENGINE_PUT, TIDE_REC_waiting, &wait);
    REPLY(.id = id);
    PUT(counter_row, TIDE_COUNTER_waiting, id + 1);
    done(t);
    return wait;
}

/* Both slots are promised; households 2 and 3 wait, in this order; booking 2 is taken back. */
static struct tide_waiting queue(struct tape *t)
{
    struct tide_booking second = promise(t, 2, 10, 2);
    booked(t);
    book_as(t, &second, 120);
    waits(t, 1, 1, 12);
    struct tide_waiting wait = waits(t, 2, 2, 13);
    second.state = TIDE_BOOKING_STATE_cancelled;
    second.ended_ms = t->now_ms;
    second.held_min = 0;
    EVENT(1, cancel, .booking = 2);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &second);
    PUT(account, .household = 2, .balance_min = 1000, .held_min = 60);
    REPLY(.id = 2);
    done(t);
    return wait;
}

/* What comes free is offered to this one; booking 3. */
static struct tide_waiting offered(struct tape *t, struct tide_waiting wait, tide_id plate)
{
    struct tide_booking made = promise(t, 3, plate, 2);
    made.household = wait.household;
    made.person = made.by = wait.person;
    made.waiting = wait.id;
    wait.state = TIDE_WAITING_STATE_offered;
    wait.booking = 3;
    wait.confirm_by_ms = t->now_ms + 15 * MIN_MS;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &made);
    PUT(account, .household = wait.household, .balance_min = 1000,
        .held_min = wait.household == 2 ? 120 : 60);
    effect(t, ENGINE_PUT, TIDE_REC_waiting, &wait);
    PUT(counter_row, TIDE_COUNTER_booking, 4);
    done(t);
    return wait;
}

static struct tide_waiting first_of(struct tide_waiting wait)
{
    wait.id = wait.first_position = 1;
    wait.household = 2;
    wait.person = wait.by = 1;
    wait.plate = 12;
    return wait;
}

static void one_after_the_other(struct tape *t)
{
    offered(t, first_of(queue(t)), 12);
}

static void out_of_order(struct tape *t)
{
    offered(t, queue(t), 13);
}

static void another_car_than_waited(struct tape *t)
{
    offered(t, first_of(queue(t)), 14);
}

static void passed_on_too_early(struct tape *t)
{
    struct tide_waiting wait = offered(t, first_of(queue(t)), 12);
    struct tide_booking made = promise(t, 3, 12, 2);
    t->now_ms += 14 * MIN_MS;
    made.waiting = 1;
    made.made_ms = NOW;
    made.state = TIDE_BOOKING_STATE_cancelled;
    made.reason = TIDE_WHY_not_confirmed;
    made.held_min = 0;
    made.ended_ms = wait.ended_ms = t->now_ms;
    wait.state = TIDE_WAITING_STATE_passed;
    wait.confirm_by_ms = 0;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &made);
    PUT(account, .household = 2, .balance_min = 1000, .held_min = 60);
    effect(t, ENGINE_PUT, TIDE_REC_waiting, &wait);
    done(t);
}

static void nobody_confirms_and_it_stays(struct tape *t)
{
    offered(t, first_of(queue(t)), 12);
    t->now_ms += 15 * MIN_MS;
    EVENT(1, cancel, .booking = 9);
    REPLY(.code = TIDE_CODE_not_found);
    done(t);
}

static void he_waits_for_what_is_free(struct tape *t)
{
    waits(t, 1, 1, 12);
}

/* ---- strikes --------------------------------------------------------------------------------- */
/* Booking 1 is a no-show at half past nine; its party has accepted the rules, or not. */
static struct tide_strike struck(struct tape *t, uint16_t accepted)
{
    struct tide_booking booking = booked(t);
    EVENT(3, put, .rows = 2);
    PUT(setting_row, TIDE_SETTING_rules_text_version, 1);
    PUT(person, 1, 2, accepted);
    REPLY(.limit = 2);
    done(t);
    t->now_ms = booking.ended_ms = booking.no_show_ms;
    booking.state = TIDE_BOOKING_STATE_no_show;
    booking.held_min = 0;
    booking.charged_min = 30;
    struct tide_strike strike = {.id = 1,
                                 .kind = TIDE_STRIKE_KIND_no_show,
                                 .household = 2,
                                 .person = 1,
                                 .plate = 9,
                                 .booking = 1,
                                 .zone = 1,
                                 .slot = 1,
                                 .start_ms = booking.start_ms,
                                 .at_ms = t->now_ms,
                                 .minutes = 30,
                                 .made_ms = t->now_ms,
                                 .contest_until_ms = t->now_ms + 7 * DAY_MS,
                                 .expires_ms = t->now_ms + 90 * DAY_MS};
    EVENT(0, tick, 0);
    PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_stay, .from = 2,
        .to = 3, .minutes = 30, .booking = 1);
    PUT(account, .household = 2, .balance_min = 970);
    PUT(account, .household = 3, .balance_min = 1030);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    effect(t, ENGINE_PUT, TIDE_REC_strike, &strike);
    PUT(counter_row, TIDE_COUNTER_posting, 4);
    PUT(counter_row, TIDE_COUNTER_strike, 2);
    done(t);
    return strike;
}

static void strike_becomes(struct tape *t, struct tide_strike *strike, enum tide_strike_state state)
{
    strike->state = (uint8_t)state;
    effect(t, ENGINE_PUT, TIDE_REC_strike, strike);
}

static void it_counts_after(struct tape *t, tide_ms after_ms)
{
    struct tide_strike strike = struck(t, 1);
    t->now_ms += after_ms;
    EVENT(0, tick, 0);
    strike.decided_ms = t->now_ms;
    strike_becomes(t, &strike, TIDE_STRIKE_STATE_upheld);
    done(t);
}

static void it_counts_in_time(struct tape *t)
{
    it_counts_after(t, 7 * DAY_MS);
}

static void it_counts_too_early(struct tape *t)
{
    it_counts_after(t, 7 * DAY_MS - 1);
}

static void it_binds_who_never_agreed(struct tape *t)
{
    struck(t, 0);
}

static struct tide_strike contested(struct tape *t)
{
    struct tide_strike strike = struck(t, 1);
    t->now_ms += DAY_MS;
    strike.contested_ms = t->now_ms;
    strike.decide_until_ms = t->now_ms + 14 * DAY_MS;
    EVENT(1, strike_contest, .strike = 1);
    strike_becomes(t, &strike, TIDE_STRIKE_STATE_contested);
    REPLY(.id = 1);
    done(t);
    return strike;
}

static void decided_by(struct tape *t, tide_id user, tide_ms after_ms)
{
    EVENT(3, put, .rows = 2);
    PUT(role_row, 1, TIDE_ROLE_committee, 1);
    PUT(role_row, 5, TIDE_ROLE_committee, 1);
    REPLY(.limit = 2);
    done(t);
    struct tide_strike strike = contested(t);
    t->now_ms += after_ms;
    strike.decided_by = user;
    strike.decided_ms = t->now_ms;
    EVENT(user, strike_decide, .strike = 1, .verdict = TIDE_STRIKE_STATE_upheld);
    strike_becomes(t, &strike, TIDE_STRIKE_STATE_upheld);
    REPLY(.id = 1);
    done(t);
}

static void decided_by_somebody_else(struct tape *t)
{
    decided_by(t, 5, DAY_MS);
}

static void decided_by_its_own_party(struct tape *t)
{
    decided_by(t, 1, DAY_MS);
}

static void decided_too_late(struct tape *t)
{
    decided_by(t, 5, 14 * DAY_MS);
}

static void contested_and_counts_by_itself(struct tape *t)
{
    struct tide_strike strike = contested(t);
    t->now_ms += 14 * DAY_MS;
    EVENT(0, tick, 0);
    strike_becomes(t, &strike, TIDE_STRIKE_STATE_upheld);
    done(t);
}

static const struct tape_row rows[] = {
    {moved_in_time, NULL},
    {frozen_and_moved, "booking 1 is frozen and was moved from slot 1 to 2"},
    {frozen_and_its_slot_taken, NULL},
    {frozen_and_its_slot_closed, NULL},
    {moved_from_its_own_slot, "booking 1 is on its own slot and was moved"},
    {moved_and_not_counted, "counts 1 moves after 1"},
    {nobody_is_moved_away, "booking 2 comes after a car that stays on slot 1; 2 was free"},
    {nobody_has_looked, "overstays since 1558317600000 and was last looked at at 0"},
    {it_begins_and_nobody_is_told, "booking 1 begins, slot 1 is taken, and nobody was told"},
    {the_owner_gets_nothing, "its owner comes home and is promised nothing; 2 was free"},
    {another_slot_than_swapped, "slot 1 was to be swapped for 2 and is not"},
    {a_swap_with_thanks, NULL},
    {a_swap_for_nothing, "the swap 1 is compensated with 0 minutes of 60"},
    {one_after_the_other, NULL},
    {out_of_order, "wait 1 was passed over by wait 2"},
    {another_car_than_waited, "wait 1 was offered booking 3, which is not it"},
    {passed_on_too_early, "wait 1 was passed on before its time"},
    {nobody_confirms_and_it_stays, "wait 1 should have been passed on"},
    {he_waits_for_what_is_free, "wait 1 waits for what is free"},
    {it_counts_in_time, NULL},
    {it_counts_too_early, "strike 1 goes from state 0 to 2"},
    {it_binds_who_never_agreed, "strike 1 binds who is not bound"},
    {decided_by_somebody_else, NULL},
    {decided_by_its_own_party, "strike 1 goes from state 1 to 2"},
    {decided_too_late, "strike 1 goes from state 1 to 2"},
    {contested_and_counts_by_itself, "strike 1 goes from state 1 to 2"},
};

static void each_wrong_is_noticed(void **state)
{
    (void)state;
    tape_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_wrong_is_noticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
