/* test_rules_booking.c - the rules of promises as tables: one row a rule, by precedence. */
#include "tests/unit/engine_fixture.h"

/* ---- who may book what, when ---------------------------------------------------------------- */
static void booking_rules(void **state)
{
    static const struct {
        const char *rule;
        tide_id user, plate, zone, household;
        int from_min, until_min;
        const char *code, *why;
    } rows[] = {
        {"a resident books", NEIGHBOUR, 50, 1, 0, 60, 120, "ok", "none"},
        {"from this very grain", NEIGHBOUR, 50, 1, 0, 0, 60, "ok", "none"},
        {"not for another household", NEIGHBOUR, 50, 1, HOME_OWNER, 60, 120, "not_authorized",
         "not_yours"},
        {"the clerk does", CLERK, 50, 1, HOME_OWNER, 60, 120, "ok", "none"},
        {"the clerk has no household of his own", CLERK, 50, 1, 0, 60, 120, "not_found", "none"},
        {"nobody books for a compound", CLERK, 50, 1, COMPOUND, 60, 120, "not_found", "none"},
        {"an unknown zone", NEIGHBOUR, 50, 9, 0, 60, 120, "not_found", "none"},
        {"no plate", NEIGHBOUR, 0, 1, 0, 60, 120, "not_found", "none"},
        {"ends before it starts", NEIGHBOUR, 50, 1, 0, 120, 60, "invalid", "ends_before_start"},
        {"lasts no time", NEIGHBOUR, 50, 1, 0, 60, 60, "invalid", "ends_before_start"},
        {"in the past", NEIGHBOUR, 50, 1, 0, -10, 60, "invalid", "in_the_past"},
        {"beyond the horizon", NEIGHBOUR, 50, 1, 0, 60, 16 * 1440, "invalid", "beyond_horizon"},
        {"longer than a day", NEIGHBOUR, 50, 1, 0, 60, 60 + 1445, "invalid", "too_long"},
        {"a blocked plate", NEIGHBOUR, 4, 1, 0, 60, 120, "not_authorized", "blocked"},
        {"an outsider where residents only are", OUTSIDER, 50, 1, 0, 60, 120, "not_authorized",
         "not_open_to_outsiders"},
        {"an outsider where the resolution allows it", OUTSIDER, 50, 2, 0, 60, 120, "ok", "none"},
        {"before the windows open is full", NEIGHBOUR, 50, 1, 0, 13 * 60, 14 * 60, "full",
         "no_window"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        struct tide_book book = {.plate = rows[i].plate,
                                 .zone = rows[i].zone,
                                 .household = rows[i].household,
                                 .start_ms = MONDAY_0800 + rows[i].from_min * MIN_MS,
                                 .end_ms = MONDAY_0800 + rows[i].until_min * MIN_MS};
        fixture_send(f, rows[i].user, TIDE_REC_book, &book);
        if (strcmp(code_name(f->reply.code), rows[i].code) != 0 ||
            strcmp(why_name(f->reply.why), rows[i].why) != 0)
            fail_msg("%s: expected %s/%s, seen %s/%s", rows[i].rule, rows[i].code, rows[i].why,
                     code_name(f->reply.code), why_name(f->reply.why));
        fixture_tear_down(&fresh);
    }
}

static void an_unknown_or_revoked_user_does_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, 40, 50, 1, 60, 120);
    CODE_IS(f, not_authorized);
    fixture_send(f, ADMIN, TIDE_REC_drop,
                 &(struct tide_drop){.kind = TIDE_REC_user, .k1 = NEIGHBOUR});
    CODE_IS(f, ok);
    fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    CODE_IS(f, not_authorized);
    WHY_IS(f, revoked);
}

static void one_plate_has_one_promise_at_a_time(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    assert_int_not_equal(first, 0);
    fixture_book(f, OWNER, 50, 3, 115, 180);
    CODE_IS(f, conflict);
    WHY_IS(f, plate_overlap);
    assert_int_equal(f->reply.id, first);
    assert_int_not_equal(fixture_book(f, OWNER, 50, 3, 120, 180), 0); /* half-open: back to back */
}

static void times_are_rounded_to_the_grain_outwards(void **state)
{
    struct fixture *f = *state;
    struct tide_book book = {.plate = 50,
                             .zone = 1,
                             .start_ms = MONDAY_0800 + 61 * MIN_MS,
                             .end_ms = MONDAY_0800 + 119 * MIN_MS};
    fixture_send(f, NEIGHBOUR, TIDE_REC_book, &book);
    const struct tide_booking *row = fixture_booking(f, f->reply.id);
    assert_int_equal(row->start_ms, MONDAY_0800 + 60 * MIN_MS);
    assert_int_equal(row->end_ms, MONDAY_0800 + 120 * MIN_MS);
    assert_int_equal(row->held_min, 60);
}

static void the_driver_is_not_told_his_slot_before_he_is_there(void **state)
{
    struct fixture *f = *state;
    struct tide_booking shown = {0};
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, 0, &shown));
    assert_int_equal(shown.slot, 0);
    assert_int_not_equal(fixture_booking(f, id)->slot, 0);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    CODE_IS(f, ok);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, 0, &shown));
    assert_int_equal(shown.slot, fixture_booking(f, id)->slot);
}

static void best_fit_fills_the_smaller_gap(void **state)
{
    struct fixture *f = *state;
    uint32_t a = fixture_book(f, NEIGHBOUR, 50, 3, 120, 240); /* slot 7, leaves 08:00-10:00 */
    uint32_t b = fixture_book(f, NEIGHBOUR, 51, 3, 60, 180);  /* overlaps: slot 8, leaves an hour */
    assert_int_equal(fixture_booking(f, a)->slot, 7);
    assert_int_equal(fixture_booking(f, b)->slot, 8);
    uint32_t c = fixture_book(f, NEIGHBOUR, 52, 3, 0, 60); /* fits both: the hour is filled whole */
    assert_int_equal(fixture_booking(f, c)->slot, 8);
}

static void full_says_what_would_have_worked(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, NEIGHBOUR, 50, 3, 120, 240);
    fixture_book(f, NEIGHBOUR, 51, 3, 150, 240);
    fixture_book(f, NEIGHBOUR, 52, 3, 60, 180);
    CODE_IS(f, full);
    WHY_IS(f, all_taken);
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800 + 150 * MIN_MS);
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + 240 * MIN_MS);
}

static void household_caps_and_minutes_bind(void **state)
{
    struct fixture *f = *state;
    int64_t cap = engine_setting(f->engine, TIDE_SETTING_household_live_max);
    for (int i = 0; i < cap; i++)
        assert_int_not_equal(fixture_book(f, NEIGHBOUR, 100 + (tide_id)i, 1, 10 * i, 10 * i + 5),
                             0);
    fixture_book(f, NEIGHBOUR, 99, 1, 600, 660);
    CODE_IS(f, quota);
    WHY_IS(f, household_cap);
    assert_int_equal(f->reply.limit, cap);
}

static void who_has_no_minutes_does_not_book(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[64];
    size_t at = 0;
    ROW(setting_row, TIDE_SETTING_account_floor_min, 0);
    ROW(setting_row, TIDE_SETTING_stay_max_min, 20160);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    struct tide_share share = {.slot = 1,
                               .kind = TIDE_WINDOW_KIND_once,
                               .start_ms = MONDAY_0800,
                               .end_ms = MONDAY_0800 + 13 * TIDE_DAY_MS};
    fixture_send(f, OWNER, TIDE_REC_share, &share);
    CODE_IS(f, ok);
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 12 * 1440);
    CODE_IS(f, quota);
    WHY_IS(f, minutes_short);
    assert_int_equal(f->reply.limit, 9000); /* the monthly grant */
}

/* A row with days that there are not would not be loaded again: the next start would call the
 * database damaged. */
static void what_a_window_does_not_use_must_be_a_number_of_its_field(void **state)
{
    struct fixture *f = *state;
    const struct tide_share good = {.slot = 1,
                                    .kind = TIDE_WINDOW_KIND_once,
                                    .start_ms = MONDAY_0800,
                                    .end_ms = MONDAY_0800 + TIDE_DAY_MS};
    struct tide_share bad[] = {good, good, good, good, good, good};
    bad[0].days = 16;
    bad[1].weekdays = 128;
    bad[2].from_date = -1;
    bad[3].until_date = TIDE_DATE_MAX + 1;
    bad[4].opens_min = -1;
    bad[5].closes_min = 2881;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fixture_send(f, OWNER, TIDE_REC_share, &bad[i]);
        CODE_IS(f, invalid);
    }
    fixture_send(f, OWNER, TIDE_REC_share, &good);
    CODE_IS(f, ok);
}

/* ---- cancel, extend ------------------------------------------------------------------------- */
static void cancelling_gives_back_time_and_minutes(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->held_min, 60);
    fixture_send(f, OWNER, TIDE_REC_cancel, &(struct tide_cancel){.booking = id});
    CODE_IS(f, not_authorized);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = id});
    CODE_IS(f, ok);
    assert_int_equal(account->held_min, 0);
    assert_int_equal(account->balance_min, 9000);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = id});
    CODE_IS(f, conflict);
    WHY_IS(f, already_ended);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = 77});
    CODE_IS(f, not_found);
}

/* A car that is there may be given any end that is still to come, and none that is not. */
static void an_end_is_still_to_come(void **state)
{
    static const struct {
        int until_min;
        const char *code;
    } rows[] = {{60, "invalid"}, {65, "ok"}, {15, "invalid"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh_state = NULL;
        fixture_set_up(&fresh_state);
        struct fixture *f = fresh_state;
        uint32_t id = fixture_book(f, NEIGHBOUR, 50, 2, 0, 240);
        fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
        CODE_IS(f, ok);
        fixture_pass(f, HOUR_MS);
        struct tide_extend ask = {.booking = id,
                                  .end_ms = MONDAY_0800 + rows[i].until_min * MIN_MS};
        fixture_send(f, NEIGHBOUR, TIDE_REC_extend, &ask);
        assert_string_equal(code_name(f->reply.code), rows[i].code);
        fixture_tear_down(&fresh_state);
    }
}

static void extending_stops_at_the_next_promise_or_moves_before_arrival(void **state)
{
    struct fixture *f = *state;
    uint32_t parked = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = parked});
    tide_id slot = fixture_booking(f, parked)->slot;
    uint32_t other = fixture_book(f, OWNER, 51, 2, 90, 180);
    assert_int_equal(fixture_booking(f, other)->slot, slot); /* best fit: beside the first */
    struct tide_extend extend = {.booking = parked, .end_ms = MONDAY_0800 + 120 * MIN_MS};
    fixture_send(f, NEIGHBOUR, TIDE_REC_extend, &extend);
    CODE_IS(f, full);
    WHY_IS(f, promised);
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800 + 90 * MIN_MS);
    extend.end_ms = f->reply.free_until_ms;
    fixture_send(f, NEIGHBOUR, TIDE_REC_extend, &extend);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, parked)->slot, slot); /* a parked car stays */
    extend = (struct tide_extend){.booking = other, .end_ms = MONDAY_0800 + 13 * HOUR_MS};
    fixture_send(f, OWNER, TIDE_REC_extend, &extend);
    CODE_IS(f, full);
    WHY_IS(f, no_window);
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800 + 12 * HOUR_MS);
}

/* ---- what time does ------------------------------------------------------------------------- */
static void who_does_not_come_loses_the_place_and_pays_the_wait(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 60, 240);
    fixture_pass(f, 89 * MIN_MS);
    assert_non_null(fixture_booking(f, id));
    fixture_pass(f, MIN_MS);
    assert_null(fixture_booking(f, id));
    struct tide_booking ended = {0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_booking, n, &ended); n++)
        continue;
    assert_int_equal(ended.state, TIDE_BOOKING_STATE_no_show);
    assert_int_equal(ended.charged_min, 30);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_no_show));
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->no_shows, 1);
    assert_int_equal(account->balance_min, 9000 - 30);
}

static void overstaying_opens_an_incident_and_costs_nothing_yet(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    fixture_pass(f, 45 * MIN_MS);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_ending_soon));
    fixture_pass(f, 29 * MIN_MS);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_overstay));
    fixture_pass(f, MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_overstay));
    assert_true(fixture_told(f, GUARD, TIDE_NOTICE_KIND_overstay));
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_overstay));
    fixture_pass(f, 30 * MIN_MS);
    assert_true(fixture_told(f, PROPERTY, TIDE_NOTICE_KIND_overstay)); /* nobody acted */
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.booking = id});
    CODE_IS(f, ok);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_overstay));
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->balance_min, 9000 - 60); /* test_rules_strike.c */
}

static void leaving_early_costs_what_was_used(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 1, 2, 0, 180); /* of another: a guest's plate */
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    fixture_pass(f, 62 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.plate = 1});
    CODE_IS(f, ok);
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->balance_min, 9000 - 65); /* by the grain */
    assert_int_equal(account->held_min, 0);
}

static void who_lends_earns(void **state)
{
    struct fixture *f = *state;
    for (tide_id plate = 60; plate < 63; plate++) /* no-shows: they pay half an hour each */
        fixture_book(f, THIRD, plate, 1, 0, 120);
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 0, 120);
    const struct tide_booking *row = fixture_booking(f, id);
    fixture_send(f, CLERK, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    tide_id owner = row->slot == 1 ? HOME_OWNER : 0;
    fixture_pass(f, 60 * MIN_MS);
    fixture_send(f, CLERK, TIDE_REC_leave, &(struct tide_leave){.booking = id});
    const struct tide_account *earned = engine_find(f->engine, TIDE_REC_account, HOME_OWNER, 0, 0);
    assert_int_equal(earned->balance_min, 9000 + (owner != 0 ? 60 : 30));
    int64_t sum = 0;
    for (tide_id household = 0; household <= HOME_THIRD; household++) {
        const struct tide_account *account =
            engine_find(f->engine, TIDE_REC_account, household, 0, 0);
        sum += account != NULL ? account->balance_min : 0;
    }
    assert_int_equal(sum, 0);
}

/* ---- series --------------------------------------------------------------------------------- */
static void a_series_makes_workdays_and_goes_on_at_midnight(void **state)
{
    struct fixture *f = *state;
    struct tide_repeat repeat = {.plate = 50,
                                 .zone = 1,
                                 .days = TIDE_DAYS_WORKDAY,
                                 .opens_min = 9 * 60,
                                 .closes_min = 17 * 60};
    fixture_send(f, NEIGHBOUR, TIDE_REC_repeat, &repeat);
    CODE_IS(f, ok);
    uint32_t series = f->reply.id;
    struct tide_booking row;
    unsigned made = 0;
    while (fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, made, &row))
        made++;
    assert_int_equal(made, 11); /* this Monday to Monday in two weeks */
    fixture_pass(f, 16 * HOUR_MS);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_series, 0, &(struct tide_series){0}));
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.series = series});
    CODE_IS(f, ok);
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->held_min, 0);
}

/* ---- supply --------------------------------------------------------------------------------- */
static void a_recall_moves_promises_or_is_refused(void **state)
{
    struct fixture *f = *state;
    tide_id plate = 50;
    uint32_t on_owners = 0;
    for (; plate < 54 && on_owners == 0; plate++) {
        uint32_t id = fixture_book(f, NEIGHBOUR, plate, 1, 60, 120);
        on_owners = fixture_booking(f, id)->slot == 1 ? id : 0;
    }
    assert_int_not_equal(on_owners, 0);
    struct tide_recall recall = {
        .slot = 1, .start_ms = MONDAY_0800 + HOUR_MS, .end_ms = MONDAY_0800 + 3 * HOUR_MS};
    fixture_send(f, NEIGHBOUR, TIDE_REC_recall, &recall);
    CODE_IS(f, not_authorized);
    fixture_send(f, OWNER, TIDE_REC_recall, &recall);
    CODE_IS(f, ok);
    assert_int_not_equal(fixture_booking(f, on_owners)->slot, 1);
    for (; plate < 60; plate++)
        fixture_book(f, NEIGHBOUR, plate, 1, 240, 300);
    uint8_t before[32], after[32];
    engine_digest(f->engine, before);
    recall.start_ms = MONDAY_0800 + 4 * HOUR_MS;
    recall.end_ms = MONDAY_0800 + 5 * HOUR_MS;
    fixture_send(f, OWNER, TIDE_REC_recall, &recall);
    CODE_IS(f, conflict);
    WHY_IS(f, promised);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32); /* what is refused has not happened */
}

static void a_blackout_breaks_with_compensation_what_it_cannot_move(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    struct tide_blackout blackout = {
        .zone = 3, .start_ms = MONDAY_0800, .end_ms = MONDAY_0800 + 6 * HOUR_MS};
    fixture_send(f, NEIGHBOUR, TIDE_REC_blackout, &blackout);
    CODE_IS(f, not_authorized);
    fixture_send(f, CLERK, TIDE_REC_blackout, &blackout);
    CODE_IS(f, ok);
    fixture_pass(f, 0);
    assert_null(fixture_booking(f, id));
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_booking_broken));
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->balance_min, 9000 + 60);
}

static void a_changed_calendar_keeps_promises_and_tells(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 1440 + 60, 1440 + 120);
    uint8_t blob[64];
    size_t at = 0;
    ROW(day, 18037, TIDE_DAY_CLASS_holiday); /* Tuesday 2019-05-21 */
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_calendar);
    CODE_IS(f, ok);
    fixture_pass(f, 0);
    assert_int_equal(fixture_booking(f, id)->outside, TIDE_WHY_calendar);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_calendar_changed));
    fixture_book(f, NEIGHBOUR, 51, 1, 1440 + 60, 1440 + 120);
    CODE_IS(f, full);
    WHY_IS(f, no_window);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(booking_rules),
        T(an_unknown_or_revoked_user_does_nothing),
        T(one_plate_has_one_promise_at_a_time),
        T(times_are_rounded_to_the_grain_outwards),
        T(the_driver_is_not_told_his_slot_before_he_is_there),
        T(best_fit_fills_the_smaller_gap),
        T(full_says_what_would_have_worked),
        T(household_caps_and_minutes_bind),
        T(what_a_window_does_not_use_must_be_a_number_of_its_field),
        T(who_has_no_minutes_does_not_book),
        T(cancelling_gives_back_time_and_minutes),
        cmocka_unit_test(an_end_is_still_to_come),
        T(extending_stops_at_the_next_promise_or_moves_before_arrival),
        T(who_does_not_come_loses_the_place_and_pays_the_wait),
        T(overstaying_opens_an_incident_and_costs_nothing_yet),
        T(leaving_early_costs_what_was_used),
        T(who_lends_earns),
        T(a_series_makes_workdays_and_goes_on_at_midnight),
        T(a_recall_moves_promises_or_is_refused),
        T(a_blackout_breaks_with_compensation_what_it_cannot_move),
        T(a_changed_calendar_keeps_promises_and_tells),
    };
    return cmocka_run_group_tests_name("booking rules", tests, NULL, NULL);
}
