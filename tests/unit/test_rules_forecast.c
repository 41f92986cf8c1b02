/* test_rules_forecast.c - the tide table: what is learned at a full hour, of which days, and what
 * is told of the hours ahead to whom.
 */
#include "tests/unit/rules_table.h"

#define ZONE 2 /* slots 5 and 6; open on workdays 08:00 to 20:00 */

static const struct tide_forecast *cell(const struct fixture *f, tide_id zone, unsigned class,
                                        unsigned hour)
{
    return engine_find(f->engine, TIDE_REC_forecast, zone, class, hour);
}

/* To a moment, minutes from Monday 08:00, an hour at a time as time passes. */
static void pass_until(struct fixture *f, int minute)
{
    while (f->now_ms < MONDAY_0800 + minute * MIN_MS) {
        tide_ms left = MONDAY_0800 + minute * MIN_MS - f->now_ms;
        fixture_pass(f, left < 15 * MIN_MS ? left : 15 * MIN_MS);
    }
}

/* A car of the guard's stands on slot 5 from 10:20 to 14:10 of a day. */
static void car_of_the_day(struct fixture *f, int day)
{
    pass_until(f, day + 140);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.plate = 90, .slot = 5});
    CODE_IS(f, ok);
    pass_until(f, day + 370);
    fixture_send(f, GUARD, TIDE_REC_leave, &(struct tide_leave){.plate = 90});
    CODE_IS(f, ok);
}

static void learning_begins_at_the_first_midnight(void **state)
{
    struct fixture *f = *state;
    pass_until(f, 15 * 60);
    assert_null(engine_find(f->engine, TIDE_REC_forecast_level, ZONE, 0, 0));
    pass_until(f, 17 * 60);
    assert_non_null(engine_find(f->engine, TIDE_REC_forecast_level, ZONE, 0, 0));
    assert_null(cell(f, ZONE, TIDE_DAY_CLASS_workday, 0)); /* what went before was not seen */
    assert_int_equal(cell(f, ZONE, TIDE_DAY_CLASS_workday, 1)->days, 1);
}

/* A zone of one slot is learned about, one without slots is not. */
static void zones_with_slots(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    size_t at = 0;
    ROW(zone, .id = 4, .place = COMPOUND);
    ROW(zone, .id = 5, .place = COMPOUND);
    ROW(slot, 20, 4, TIDE_SLOT_TITLE_common, 0, 0, 1, 0);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    pass_until(f, 17 * 60);
    assert_non_null(engine_find(f->engine, TIDE_REC_forecast_level, 4, 0, 0));
    assert_null(engine_find(f->engine, TIDE_REC_forecast_level, 5, 0, 0));
    assert_non_null(engine_find(f->engine, TIDE_REC_forecast_level, ZONE, 0, 0));
}

static void an_hour_holds_what_was_used_when_it_began(void **state)
{
    static const struct {
        const char *rule;
        unsigned hour;
        int32_t used_milli;
    } rows[] = {
        {"before the car", 10, 0},
        {"the car stands there", 11, 1000},
        {"it still does", 14, 1000},
        {"it has gone", 15, 0},
        {"a promise counts", 17, 1000},
        {"the promise is over", 18, 0},
        {"closed", 21, 0},
    };
    struct fixture *f = *state;
    pass_until(f, 16 * 60);
    assert_int_not_equal(fixture_book(f, OUTSIDER, 91, ZONE, 1440 + 530, 1440 + 590), 0);
    car_of_the_day(f, 1440);
    pass_until(f, 2 * 1440);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct tide_forecast *row = cell(f, ZONE, TIDE_DAY_CLASS_workday, rows[i].hour);
        if (row == NULL || row->used_milli != rows[i].used_milli || row->days != 1)
            fail_msg("%s: hour %u holds %d", rows[i].rule, rows[i].hour,
                     row != NULL ? row->used_milli : -1);
    }
}

static struct tide_forecast_hour told(struct fixture *f, tide_id user, tide_id zone, unsigned nth)
{
    struct tide_forecast_hour hour = {0};
    fixture_send(f, user, TIDE_REC_ask_forecast, &(struct tide_ask_forecast){.zone = zone});
    CODE_IS(f, ok);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_forecast_hour, nth, &hour));
    return hour;
}

static void what_is_known_is_told(void **state)
{
    struct fixture *f = *state;
    struct tide_forecast_hour hour = told(f, GUARD, ZONE, 0);
    assert_int_equal(hour.start_ms, MONDAY_0800 + HOUR_MS);
    assert_int_equal(hour.supply, 2);
    assert_int_equal(hour.free, 2); /* nothing was learned yet: what is not promised */
    assert_int_equal(hour.days, 0);
    assert_int_not_equal(fixture_book(f, OUTSIDER, 91, ZONE, 60, 120), 0);
    assert_int_equal(told(f, GUARD, ZONE, 0).free_high, 1);
    for (int day = 1; day <= 4; day++) /* Tuesday to Friday */
        car_of_the_day(f, day * 1440);
    pass_until(f, 4 * 1440 + 600); /* Friday 18:00; Saturday is closed, Sunday too */
    assert_int_equal(told(f, GUARD, ZONE, 16).supply, 0);
    pass_until(f, 6 * 1440 + 600);   /* Sunday 18:00 */
    hour = told(f, GUARD, ZONE, 16); /* Monday 11:00 */
    assert_int_equal(hour.start_ms, MONDAY_0800 + (7 * 1440 + 180) * MIN_MS);
    assert_int_equal(hour.supply, 2);
    assert_int_equal(hour.free, 1);
    assert_int_equal(hour.days, 4);
    assert_true(hour.free_low <= 1 && hour.free_high >= 1);
    hour = told(f, GUARD, ZONE, 20); /* Monday 15:00 */
    assert_int_equal(hour.free, 2);
}

static void small_zones_are_told_together(void **state)
{
    struct fixture *f = *state;
    struct tide_forecast_hour hour = told(f, NEIGHBOUR, ZONE, 0);
    assert_int_equal(hour.zone, 0);
    assert_int_equal(hour.supply, 8); /* zones 1, 2 and 3 */
    hour = told(f, GUARD, ZONE, 0);
    assert_int_equal(hour.zone, ZONE);
    assert_int_equal(hour.supply, 2);
}

static void asking_has_bounds(void **state)
{
    static const struct {
        const char *rule;
        tide_id user, zone;
        uint16_t hours;
        const char *code;
        unsigned items;
    } rows[] = {
        {"two days as a rule", GUARD, ZONE, 0, "ok", 48},
        {"as many as are asked for", GUARD, ZONE, 5, "ok", 5},
        {"no more than two days", GUARD, ZONE, 500, "ok", 48},
        {"an unknown zone", GUARD, 7, 5, "not_found", 0},
        {"no zone", GUARD, 0, 5, "not_found", 0},
        {"an unknown user", 60, ZONE, 5, "not_authorized", 0},
        {"a gateway asks nothing", GATEWAY, ZONE, 5, "not_authorized", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_forecast_hour hour;
        unsigned items = 0;
        struct tide_ask_forecast ask = {.zone = rows[i].zone, .hours = rows[i].hours};
        fixture_send(f, rows[i].user, TIDE_REC_ask_forecast, &ask);
        while (fixture_effect(f, ENGINE_ITEM, TIDE_REC_forecast_hour, items, &hour))
            items++;
        if (strcmp(code_name(f->reply.code), rows[i].code) != 0 || items != rows[i].items)
            fail_msg("%s: %s, %u hours", rows[i].rule, code_name(f->reply.code), items);
        done(f);
    }
}

static void an_hour_that_was_slept_through_is_not_learned(void **state)
{
    struct fixture *f = *state;
    pass_until(f, 1440);
    const struct tide_forecast *at_eight = cell(f, ZONE, TIDE_DAY_CLASS_workday, 8);
    assert_int_equal(at_eight->days, 1);
    f->now_ms += 3 * HOUR_MS + 30 * MIN_MS;
    fixture_pass(f, 0);
    assert_null(cell(f, ZONE, TIDE_DAY_CLASS_workday, 9));
    assert_null(cell(f, ZONE, TIDE_DAY_CLASS_workday, 11));
    fixture_pass(f, 30 * MIN_MS);
    assert_int_equal(cell(f, ZONE, TIDE_DAY_CLASS_workday, 12)->days, 1);
}

/* Loaded = lived: an engine made of the rows tells the same of each hour, and has one digest. */
static void what_was_learned_survives_a_start(void **state)
{
    struct fixture *f = *state;
    struct fixture again = {.effects = f->effects, .now_ms = 0};
    uint8_t lived[32], loaded[32];
    for (int day = 1; day <= 3; day++)
        car_of_the_day(f, day * 1440);
    fixture_make_engine(&again);
    for (unsigned kind = TIDE_REC_setting_row; kind < 100; kind++) {
        uint32_t cursor = 0;
        const void *row;
        while (tide_record_of(kind) != NULL &&
               (row = engine_next(f->engine, kind, &cursor)) != NULL) {
            union tide_any copy = {0}; /* aligned for each */
            memcpy(&copy, row, tide_record_of(kind)->size);
            assert_int_equal(engine_load(again.engine, kind, &copy), 0);
        }
    }
    const void *pool = engine_find(f->engine, TIDE_REC_account, 0, 0, 0);
    assert_int_equal(engine_load(again.engine, TIDE_REC_account, pool), 0);
    for (unsigned key = 1; key < TIDE_SETTINGS_COUNT; key++) {
        struct tide_setting_row row = {.key = (uint8_t)key,
                                       .value = engine_setting(f->engine, key)};
        assert_int_equal(engine_load(again.engine, TIDE_REC_setting_row, &row), 0);
    }
    for (unsigned counter = 1; counter <= TIDE_COUNTER_window; counter++) {
        struct tide_counter_row row = {.counter = (uint8_t)counter, .next = 1000};
        assert_int_equal(engine_load(f->engine, TIDE_REC_counter_row, &row), 0);
        assert_int_equal(engine_load(again.engine, TIDE_REC_counter_row, &row), 0);
    }
    assert_int_equal(engine_load_end(again.engine, f->now_ms), 0);
    engine_digest(f->engine, lived);
    engine_digest(again.engine, loaded);
    assert_memory_equal(lived, loaded, sizeof lived);
    assert_int_equal(engine_next_deadline(f->engine), engine_next_deadline(again.engine));
    for (unsigned i = 1; i <= 48; i++) {
        struct tide_forecast_hour a, b;
        engine_forecast_hour(f->engine, ZONE, f->now_ms + i * HOUR_MS, &a);
        engine_forecast_hour(again.engine, ZONE, f->now_ms + i * HOUR_MS, &b);
        uint8_t x[64] = {0}, y[64] = {0}; /* without what lies between the members */
        const struct tide_record *desc = tide_record_of(TIDE_REC_forecast_hour);
        assert_int_equal(tide_record_pack(desc, &a, x, sizeof x),
                         tide_record_pack(desc, &b, y, sizeof y));
        assert_memory_equal(x, y, sizeof x);
    }
    free(again.memory);
}

static void rows_that_make_no_sense_are_not_loaded(void **state)
{
    static const struct {
        const char *rule;
        struct tide_forecast row;
    } rows[] = {
        {"no zone", {.zone = 0, .day_class = 1}},
        {"more zones than there may be", {.zone = 9, .day_class = 1}},
        {"no class", {.zone = 1, .day_class = 0}},
        {"an hour too many", {.zone = 1, .day_class = 1, .hour = 24}},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (engine_load(f->engine, TIDE_REC_forecast, &rows[i].row) != -1)
            fail_msg("%s: loaded", rows[i].rule);
    struct tide_forecast fine = {.zone = 1, .day_class = 3, .hour = 23, .days = 1};
    assert_int_equal(engine_load(f->engine, TIDE_REC_forecast, &fine), 0);
    assert_int_equal(engine_load(f->engine, TIDE_REC_forecast, &fine), -1); /* twice */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(learning_begins_at_the_first_midnight),
        TEST(zones_with_slots),
        TEST(an_hour_holds_what_was_used_when_it_began),
        TEST(what_is_known_is_told),
        TEST(small_zones_are_told_together),
        cmocka_unit_test(asking_has_bounds),
        TEST(an_hour_that_was_slept_through_is_not_learned),
        TEST(what_was_learned_survives_a_start),
        TEST(rows_that_make_no_sense_are_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
