/* test_auditor.c - the auditor notices: each row is a run of events in which one thing is wrong,
 * and the words with which it must be noticed. The first row is right all through. Fairness, waits
 * and moves: test_auditor_fair.c.
 */
#include "tests/unit/auditor_tape.h"

/* ---- right --------------------------------------------------------------------------------- */
static void leaves(struct tape *t, unsigned learned)
{
    struct tide_booking booking = parked(t);
    t->now_ms = NOW + 110 * MIN_MS;
    booking.state = TIDE_BOOKING_STATE_kept;
    booking.ended_ms = t->now_ms;
    booking.held_min = 0;
    booking.charged_min = 50;
    EVENT(1, leave, .booking = 1);
    PUT(session, .id = 1, .state = TIDE_SESSION_STATE_ended, .right = TIDE_SESSION_RIGHT_booking,
        .plate = 9, .place = 1, .zone = 1, .slot = 1, .booking = 1, .household = 2,
        .start_ms = NOW + 60 * MIN_MS, .end_ms = t->now_ms);
    PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_stay, .from = 2,
        .to = 3, .minutes = 50, .booking = 1);
    PUT(account, .household = 2, .balance_min = 950);
    PUT(account, .household = 3, .balance_min = 1050);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    if (learned != 0)
        PUT(lateness, .zone = 1, .day_class = TIDE_DAY_CLASS_workday, .in_time = (uint16_t)learned);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_posting, 4);
    done(t);
}

static void a_whole_stay(struct tape *t)
{
    leaves(t, 1);
}

/* ---- lateness ------------------------------------------------------------------------------ */
static void a_stay_that_teaches_nothing(struct tape *t)
{
    leaves(t, 0);
}

static void a_stay_learned_twice(struct tape *t)
{
    leaves(t, 2);
}

static void a_buffer_without_a_risk(struct tape *t)
{
    struct tide_booking booking = promise(t, 1, 9, 1);
    booking.buffer_min = 30;
    book_as(t, &booking, 60);
}

/* Of a zone that takes a risk and has seen nothing, all of 240 minutes are due. */
static void risky(struct tape *t, uint8_t buffer_min, tide_ms next_ms)
{
    EVENT(3, put, .rows = 1);
    PUT(zone, .id = 1, .place = 1, .risk_permille = 100);
    REPLY(.code = TIDE_CODE_ok);
    done(t);
    struct tide_booking booking = promise(t, 1, 9, 1), next = promise(t, 2, 10, 1);
    booking.buffer_min = buffer_min;
    book_as(t, &booking, 60);
    next.start_ms = next_ms;
    next.end_ms = next_ms + 60 * MIN_MS;
    next.no_show_ms = next_ms + 30 * MIN_MS;
    next.buffer_min = 240;
    book_as(t, &next, 120);
}

static void a_buffer_too_short(struct tape *t)
{
    risky(t, 60, NOW + 600 * MIN_MS);
}

static void within_the_buffer(struct tape *t)
{
    risky(t, 240, NOW + 180 * MIN_MS);
}

/* ---- frame --------------------------------------------------------------------------------- */
static void time_goes_back(struct tape *t)
{
    t->now_ms -= 1;
    EVENT(0, tick, 0);
    done(t);
}

static void a_request_without_reply(struct tape *t)
{
    EVENT(1, cancel, .booking = 5);
    done(t);
}

static void two_replies(struct tape *t)
{
    EVENT(1, cancel, .booking = 5);
    REPLY(.code = TIDE_CODE_not_found);
    REPLY(.code = TIDE_CODE_not_found);
    done(t);
}

static void a_refusal_that_acts(struct tape *t)
{
    EVENT(1, cancel, .booking = 5);
    PUT(notice, .id = 1, .person = 1, .kind = TIDE_NOTICE_KIND_no_show, .at_ms = t->now_ms);
    REPLY(.code = TIDE_CODE_not_found);
    done(t);
}

static void an_id_left_out(struct tape *t)
{
    struct tide_booking booking = promise(t, 2, 9, 1);
    book_as(t, &booking, 60);
}

static void a_booking_deleted(struct tape *t)
{
    booked(t);
    EVENT(1, cancel, .booking = 1);
    DEL(booking, .id = 1);
    PUT(account, .household = 2, .balance_min = 1000);
    REPLY(.code = TIDE_CODE_ok);
    done(t);
}

static void a_row_deleted_twice(struct tape *t)
{
    EVENT(3, unshare, .window = 9);
    DEL(window, .id = 9);
    REPLY(.code = TIDE_CODE_ok);
    done(t);
}

/* ---- promises ------------------------------------------------------------------------------ */
static void two_on_a_slot(struct tape *t)
{
    booked(t);
    struct tide_booking second = promise(t, 2, 10, 1);
    book_as(t, &second, 120);
}

static void one_plate_twice(struct tape *t)
{
    booked(t);
    struct tide_booking second = promise(t, 2, 9, 2);
    book_as(t, &second, 120);
}

static void outside_every_window(struct tape *t)
{
    EVENT(3, unshare, .window = 1);
    DEL(window, .id = 1);
    REPLY(.id = 1);
    done(t);
    booked(t);
}

static void a_window_goes_and_no_word(struct tape *t)
{
    booked(t);
    EVENT(3, blackout, .slot = 1);
    PUT(window, .id = 3, .slot = 1, .zone = 1, .kind = TIDE_WINDOW_KIND_blackout,
        .start_ms = NOW + 100 * MIN_MS, .end_ms = NOW + 101 * MIN_MS);
    REPLY(.id = 3);
    PUT(counter_row, TIDE_COUNTER_window, 4);
    done(t);
}

static void over_the_cap(struct tape *t)
{
    EVENT(3, put, .rows = 1);
    PUT(setting_row, TIDE_SETTING_household_live_max, 1);
    REPLY(.limit = 1);
    done(t);
    booked(t);
    struct tide_booking second = promise(t, 2, 10, 2);
    book_as(t, &second, 120);
}

static void not_what_was_asked(struct tape *t)
{
    struct tide_booking booking = promise(t, 1, 9, 1);
    booking.end_ms -= 5 * MIN_MS;
    booking.held_min = 55;
    book_as(t, &booking, 55);
}

static void for_a_stranger_household(struct tape *t)
{
    struct tide_booking booking = promise(t, 1, 9, 1);
    booking.household = 3;
    EVENT(1, book, .plate = 9, .zone = 1, .start_ms = booking.start_ms, .end_ms = booking.end_ms,
          .household = 3);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    PUT(account, .household = 3, .balance_min = 1000, .held_min = 60);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_booking, 2);
    done(t);
}

static void full_and_a_slot_is_free(struct tape *t)
{
    booked(t);
    EVENT(1, book, .plate = 10, .zone = 1, .start_ms = NOW + 60 * MIN_MS,
          .end_ms = NOW + 120 * MIN_MS);
    REPLY(.code = TIDE_CODE_full, .why = TIDE_WHY_all_taken);
    done(t);
}

static void broken_for_nothing(struct tape *t)
{
    struct tide_booking booking = booked(t);
    booking.state = TIDE_BOOKING_STATE_broken;
    booking.reason = TIDE_WHY_blackout;
    booking.ended_ms = t->now_ms;
    booking.held_min = 0;
    EVENT(0, tick, 0);
    PUT(account, .household = 2, .balance_min = 1000);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

static void back_from_the_dead(struct tape *t)
{
    struct tide_booking booking = booked(t);
    booking.state = TIDE_BOOKING_STATE_cancelled;
    booking.ended_ms = t->now_ms;
    booking.held_min = 0;
    EVENT(1, cancel, .booking = 1);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    PUT(account, .household = 2, .balance_min = 1000);
    REPLY(.id = 1);
    done(t);
    booking.state = TIDE_BOOKING_STATE_booked;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

static void kept_beyond_its_deadline(struct tape *t)
{
    booked(t);
    t->now_ms = NOW + 91 * MIN_MS;
    EVENT(1, cancel, .booking = 7);
    REPLY(.code = TIDE_CODE_not_found);
    done(t);
}

static void no_show_too_early(struct tape *t)
{
    struct tide_booking booking = booked(t);
    booking.state = TIDE_BOOKING_STATE_no_show;
    t->now_ms = booking.ended_ms = NOW + 70 * MIN_MS;
    booking.held_min = 0;
    EVENT(0, tick, 0);
    PUT(account, .household = 2, .balance_min = 1000);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

static void cancelled_in_words_only(struct tape *t)
{
    booked(t);
    EVENT(1, cancel, .booking = 1);
    REPLY(.id = 1);
    done(t);
}

/* ---- cars ---------------------------------------------------------------------------------- */
static void a_parked_car_is_moved(struct tape *t)
{
    struct tide_booking booking = parked(t);
    booking.slot = 2;
    EVENT(0, tick, 0);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    done(t);
}

static void parked_without_a_car(struct tape *t)
{
    struct tide_booking booking = booked(t);
    booking.state = TIDE_BOOKING_STATE_parked;
    EVENT(1, arrive, .booking = 1);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    REPLY(.id = 1);
    done(t);
}

static void two_cars_on_a_slot(struct tape *t)
{
    parked(t);
    EVENT(5, arrive, .plate = 11, .slot = 1);
    PUT(session, .id = 2, .plate = 11, .place = 1, .zone = 1, .slot = 1, .start_ms = t->now_ms);
    REPLY(.id = 2);
    PUT(counter_row, TIDE_COUNTER_session, 3);
    done(t);
}

static void see_plate(struct tape *t, tide_id plate, uint32_t seq, bool open)
{
    EVENT(4, plate_seen, .lane = 1, .plate = plate, .ask = seq, .boot = 1, .seq = seq);
    PUT(gateway_cursor, .gateway = 4, .boot = 1, .seq = seq, .seen_ms = t->now_ms);
    PUT(passage, .id = seq, .lane = 1, .dir = TIDE_LANE_DIR_in, .plate = plate,
        .decision = open ? TIDE_DECISION_open : TIDE_DECISION_deny, .at_ms = t->now_ms);
    PUT(command, .id = seq, .gateway = 4, .lane = 1,
        .kind = open ? TIDE_COMMAND_KIND_open : TIDE_COMMAND_KIND_deny, .plate = plate,
        .at_ms = t->now_ms, .ask = seq);
    REPLY(.id = seq);
    PUT(counter_row, TIDE_COUNTER_passage, seq + 1);
    PUT(counter_row, TIDE_COUNTER_command, seq + 1);
    done(t);
}

static void locked_out_of_home(struct tape *t)
{
    see_plate(t, 7, 1, false);
}

static void a_fact_taken_twice(struct tape *t)
{
    see_plate(t, 7, 1, true);
    EVENT(4, slot_seen, .slot = 1, .state = TIDE_OCCUPANCY_free, .boot = 1, .seq = 1);
    PUT(spot, .slot = 1, .state = TIDE_OCCUPANCY_free);
    REPLY(.id = 1);
    done(t);
}

static void a_fact_left_out(struct tape *t)
{
    see_plate(t, 7, 1, true);
    EVENT(4, slot_seen, .slot = 1, .state = TIDE_OCCUPANCY_free, .boot = 1, .seq = 3);
    PUT(gateway_cursor, .gateway = 4, .boot = 1, .seq = 3, .seen_ms = t->now_ms);
    PUT(spot, .slot = 1, .state = TIDE_OCCUPANCY_free);
    REPLY(.id = 1);
    done(t);
}

static void the_guard_is_not_obeyed(struct tape *t)
{
    EVENT(5, hand, .lane = 1, .plate = 11);
    PUT(command, .id = 1, .gateway = 4, .lane = 1, .kind = TIDE_COMMAND_KIND_deny);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_command, 2);
    done(t);
}

/* ---- minutes ------------------------------------------------------------------------------- */
static void minutes_from_nowhere(struct tape *t)
{
    EVENT(0, tick, 0);
    PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_grant, .to = 2,
        .minutes = 10);
    PUT(account, .household = 2, .balance_min = 1010);
    PUT(counter_row, TIDE_COUNTER_posting, 4);
    done(t);
}

static void below_the_floor(struct tape *t)
{
    EVENT(0, tick, 0);
    PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_overstay, .from = 2,
        .to = 3, .minutes = 1001);
    PUT(account, .household = 2, .balance_min = -1);
    PUT(account, .household = 3, .balance_min = 2001);
    PUT(counter_row, TIDE_COUNTER_posting, 4);
    done(t);
}

static void held_by_nobody(struct tape *t)
{
    EVENT(0, tick, 0);
    PUT(account, .household = 2, .balance_min = 1000, .held_min = 5);
    done(t);
}

static void promised_without_minutes(struct tape *t)
{
    EVENT(0, tick, 0);
    PUT(posting, .id = 3, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_stay, .from = 2,
        .to = 3, .minutes = 990);
    PUT(account, .household = 2, .balance_min = 10);
    PUT(account, .household = 3, .balance_min = 1990);
    PUT(counter_row, TIDE_COUNTER_posting, 4);
    done(t);
    struct tide_booking booking = promise(t, 1, 9, 1);
    EVENT(1, book, .plate = 9, .zone = 1, .start_ms = booking.start_ms, .end_ms = booking.end_ms);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    PUT(account, .household = 2, .balance_min = 10, .held_min = 60);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_booking, 2);
    done(t);
}

/* ---- shown --------------------------------------------------------------------------------- */
static void the_slot_before_he_came(struct tape *t)
{
    struct tide_booking booking = booked(t);
    begin(t, 1, TIDE_REC_ask_bookings);
    REPLY(.items = 1);
    effect(t, ENGINE_ITEM, TIDE_REC_booking, &booking);
    audit_answer(t->audit, &t->event, t->bytes, t->len);
}

static void what_is_another_households(struct tape *t)
{
    begin(t, 1, TIDE_REC_ask_account);
    REPLY(.items = 1);
    ITEM(account, .household = 3, .balance_min = 1000);
    audit_answer(t->audit, &t->event, t->bytes, t->len);
}

static void when_a_slot_is_empty(struct tape *t)
{
    begin(t, 1, TIDE_REC_ask_shares);
    REPLY(.items = 1);
    ITEM(window, .id = 1, .slot = 1, .zone = 1);
    audit_answer(t->audit, &t->event, t->bytes, t->len);
}

static void a_question_that_acts(struct tape *t)
{
    begin(t, 1, TIDE_REC_ask_shares);
    PUT(counter_row, TIDE_COUNTER_notice, 1);
    REPLY(.items = 0);
    audit_answer(t->audit, &t->event, t->bytes, t->len);
}

static void a_notice_with_the_slot(struct tape *t)
{
    booked(t);
    EVENT(0, tick, 0);
    PUT(notice, .id = 1, .person = 1, .kind = TIDE_NOTICE_KIND_booking_moved, .at_ms = t->now_ms,
        .booking = 1, .slot = 1);
    PUT(counter_row, TIDE_COUNTER_notice, 2);
    done(t);
}

static const struct tape_row rows[] = {
    {a_whole_stay, NULL},
    {time_goes_back, "time went back"},
    {a_request_without_reply, "got 0 replies"},
    {two_replies, "got 2 replies"},
    {a_refusal_that_acts, "was refused (not_found) and changed a notice"},
    {an_id_left_out, "a new booking has id 2 after 0"},
    {a_booking_deleted, "a booking was deleted"},
    {a_row_deleted_twice, "deleted a window that was not there"},
    {two_on_a_slot, "bookings 1 and 2 overlap on slot 1"},
    {one_plate_twice, "plate 9 holds two promises at once"},
    {outside_every_window, "is closed at 1558314000000 and no word why"},
    {a_window_goes_and_no_word, "is closed at 1558316400000 and no word why"},
    {over_the_cap, "got live booking number 2 of 1"},
    {not_what_was_asked, "is not what was asked for"},
    {for_a_stranger_household, "booked for household 3 and may not"},
    {full_and_a_slot_is_free, "refused as full, and slot 2 was free"},
    {broken_for_nothing, "broken without its compensation"},
    {back_from_the_dead, "went from cancelled to booked"},
    {kept_beyond_its_deadline, "should have been given back"},
    {no_show_too_early, "is a no-show before its time"},
    {cancelled_in_words_only, "was said to be cancelled and is not"},
    {a_parked_car_is_moved, "was moved from slot 1 to 2"},
    {parked_without_a_car, "is parked and no car is there"},
    {two_cars_on_a_slot, "two cars on slot 1"},
    {locked_out_of_home, "a resident is locked out of home"},
    {a_fact_taken_twice, "fact 1.1 of gateway 4 was taken after 1.1"},
    {a_fact_left_out, "fact 1.3 of gateway 4 was taken after 1.1"},
    {the_guard_is_not_obeyed, "the guard's hand: the arm was told deny"},
    {minutes_from_nowhere, "account 0 moved by 0, its postings say -10"},
    {below_the_floor, "household 2 fell to -1 minutes"},
    {held_by_nobody, "household 2 holds 5 minutes, its bookings 0"},
    {promised_without_minutes, "promises 60 minutes out of 10"},
    {the_slot_before_he_came, "was shown the slot of booking 1 before he came"},
    {what_is_another_households, "was shown the account of household 3"},
    {when_a_slot_is_empty, "was shown when slot 1 is empty"},
    {a_question_that_acts, "is not journaled and changed a counter_row"},
    {a_stay_that_teaches_nothing, "1 stays were kept, and nothing was learned of them"},
    {a_stay_learned_twice, "lateness of zone 1 went from 0 stays to 2"},
    {a_buffer_without_a_risk, "booking 1 keeps 30 minutes free after it, not 0"},
    {a_buffer_too_short, "booking 1 keeps 60 minutes free after it, not 240"},
    {within_the_buffer, "overlap on slot 1"},
    {a_notice_with_the_slot, "shows person 1 the slot of booking 1 before he came"},
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
