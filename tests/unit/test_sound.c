/* test_sound.c - a state with one row of each kind, and one number in one of them changed: the last
 * value that is still a state, and the first that is none.
 */
#include "daemon/core/parking/parking.h"

#include "tests/unit/rules_table.h"

#define DAY TIDE_DAY_MS
#define NOW MONDAY_0800
#define AT(min) (NOW + (min)*MIN_MS)
#define NOBODY 7 /* there is room for such an id, and nobody has it */
#define GRAIN TIDE_GRAIN_MS
#define LEARNED 100000000

struct some_row {
    unsigned kind;
    union tide_any row;
};
#define SOME(name, ...)                                                                            \
    {                                                                                              \
        .kind = TIDE_REC_##name, .row = {.name = {__VA_ARGS__} }                                   \
    }

/* Household 3 lends slot 1, has wished in draw 1, waits by wait 1, was offered booking 2 for wait 2
 * and has a car on slot 2 by booking 3; strike 1 is contested. */
static const struct some_row base[] = {
    SOME(setting_row, TIDE_SETTING_rolled_date, 18036 + 14),
    SOME(counter_row, TIDE_COUNTER_booking, 10),
    SOME(counter_row, TIDE_COUNTER_session, 10),
    SOME(counter_row, TIDE_COUNTER_series, 10),
    SOME(counter_row, TIDE_COUNTER_window, 10),
    SOME(counter_row, TIDE_COUNTER_incident, 10),
    SOME(counter_row, TIDE_COUNTER_draw, 10),
    SOME(counter_row, TIDE_COUNTER_wish, 10),
    SOME(counter_row, TIDE_COUNTER_strike, 10),
    SOME(counter_row, TIDE_COUNTER_waiting, 10),
    SOME(place, 1, TIDE_PLACE_KIND_community, 0),
    SOME(place, 3, TIDE_PLACE_KIND_household, 1),
    SOME(place, 4, TIDE_PLACE_KIND_household, 1),
    SOME(account, .household = 3, .balance_min = 300, .held_min = 120),
    SOME(person, 1, 3),
    SOME(user, 2, 1, TIDE_USER_KIND_app),
    SOME(role_row, 1, TIDE_ROLE_guard, 1),
    SOME(vehicle, 50, 3, TIDE_VEHICLE_KIND_resident),
    SOME(zone, .id = 1, .place = 1, .policy = TIDE_ZONE_POLICY_draw, .draw_opens_min = 600,
         .draw_closes_min = 700, .draw_from_min = 480, .draw_until_min = 1000, .draw_next = 18037,
         .wait_look_ms = AT(15)),
    SOME(zone, .id = 2, .place = 1),
    SOME(slot, 1, 1, TIDE_SLOT_TITLE_owned, .owner = 3),
    SOME(slot, 2, 1, TIDE_SLOT_TITLE_common),
    SOME(lane, 1, 1, TIDE_LANE_DIR_in, 0),
    SOME(window, .id = 1, .zone = 1, .slot = 1, .days = 1, .weekdays = 127, .opens_min = 480,
         .closes_min = 1200),
    SOME(booking, .id = 2, .plate = 53, .zone = 1, .slot = 1, .household = 3, .start_ms = AT(60),
         .end_ms = AT(120), .held_min = 60, .waiting = 2),
    SOME(booking, .id = 3, .state = TIDE_BOOKING_STATE_parked, .plate = 51, .zone = 1, .slot = 2,
         .household = 3, .session = 7, .start_ms = AT(-60), .end_ms = AT(60), .held_min = 60),
    SOME(series, .id = 1, .plate = 50, .zone = 1, .household = 3, .days = 1, .weekdays = 127,
         .opens_min = 60, .closes_min = 120, .from_date = 18036, .until_date = 18040),
    SOME(session, .id = 7, .right = TIDE_SESSION_RIGHT_booking, .plate = 51, .place = 1, .zone = 1,
         .slot = 2, .booking = 3, .household = 3, .start_ms = AT(-60)),
    SOME(spot, .slot = 2),
    SOME(incident, .id = 1, .kind = TIDE_INCIDENT_KIND_overstay, .zone = 1, .slot = 2),
    SOME(gateway_cursor, .gateway = 2),
    SOME(draw, .id = 1, .zone = 1, .ask_from_ms = AT(-120), .ask_until_ms = AT(120),
         .start_ms = AT(240), .end_ms = AT(480)),
    SOME(wish, .id = 1, .draw = 1, .plate = 52, .zone = 1, .household = 3, .start_ms = AT(300),
         .end_ms = AT(360)),
    SOME(strike, .id = 1, .kind = TIDE_STRIKE_KIND_no_show, .state = TIDE_STRIKE_STATE_contested,
         .household = 3, .zone = 1, .lender = 4, .start_ms = AT(-300), .at_ms = AT(-240),
         .made_ms = AT(-240), .contest_until_ms = AT(900), .decide_until_ms = AT(900),
         .charge_min = 5),
    SOME(waiting, .id = 1, .plate = 54, .zone = 1, .household = 3, .start_ms = AT(500),
         .end_ms = AT(600)),
    SOME(waiting, .id = 2, .state = TIDE_WAITING_STATE_offered, .plate = 53, .zone = 1,
         .household = 3, .start_ms = AT(60), .end_ms = AT(120), .booking = 2,
         .confirm_by_ms = AT(15)),
    SOME(wait_record, .zone = 1, .bucket = 0, .asked = 5, .got = 5),
    SOME(forecast, .zone = 1, .day_class = TIDE_DAY_CLASS_workday, .hour = 8),
    SOME(forecast_level, .zone = 1, .at_ms = AT(0)),
    SOME(day, .date = 18036, .day_class = TIDE_DAY_CLASS_workday),
};

/* The first row of the kind (of the base, with this number where there are two), so changed. */
static const struct {
    unsigned kind;
    int64_t number; /* 0: the only one */
    const char *field;
    int64_t last, first; /* still a state, no more */
} rows[] = {
    {TIDE_REC_person, 0, "household", 0, NOBODY},
    {TIDE_REC_user, 0, "person", 0, NOBODY},
    {TIDE_REC_vehicle, 0, "household", 0, NOBODY},
    {TIDE_REC_slot, 1, "owner", 0, NOBODY},
    {TIDE_REC_window, 0, "days", 15, 16},
    {TIDE_REC_window, 0, "days", 1, 0},
    {TIDE_REC_window, 0, "weekdays", 1, 0},
    {TIDE_REC_window, 0, "weekdays", 127, 128},
    {TIDE_REC_window, 0, "opens_min", 0, -1},
    {TIDE_REC_window, 0, "opens_min", 1199, 1200},
    {TIDE_REC_window, 0, "closes_min", 481, 480},
    {TIDE_REC_window, 0, "closes_min", 480 + 1440, 480 + 1441},
    {TIDE_REC_window, 0, "until_date", 0, -1},
    {TIDE_REC_window, 0, "id", 9, 10},
    {TIDE_REC_account, 0, "held_min", 120, 119},
    {TIDE_REC_account, 0, "pending_min", 0, -1},
    {TIDE_REC_account, 0, "balance_min", 1000000000, 1000000001},
    {TIDE_REC_account, 0, "balance_min", -1000000000, -1000000001},
    {TIDE_REC_zone, 1, "draw_opens_min", 0, -1},
    {TIDE_REC_zone, 1, "draw_opens_min", 699, 700},
    {TIDE_REC_zone, 1, "draw_closes_min", 1440, 1441},
    {TIDE_REC_zone, 1, "draw_from_min", 0, -5},
    {TIDE_REC_zone, 1, "draw_from_min", 995, 1000},
    {TIDE_REC_zone, 1, "draw_from_min", 475, 476},
    {TIDE_REC_zone, 1, "draw_until_min", 1440, 1445},
    {TIDE_REC_zone, 1, "draw_until_min", 485, 484},
    {TIDE_REC_zone, 2, "draw_opens_min", 0, 1},
    {TIDE_REC_zone, 2, "draw_closes_min", 0, 1},
    {TIDE_REC_zone, 2, "draw_from_min", 0, 5},
    {TIDE_REC_zone, 2, "draw_until_min", 0, 5},
    {TIDE_REC_booking, 2, "start_ms", AT(120) - 24 * DAY, AT(120) - 24 * DAY - 1},
    {TIDE_REC_booking, 2, "state", TIDE_BOOKING_STATE_booked, TIDE_BOOKING_STATE_parked},
    {TIDE_REC_booking, 2, "waiting", 2, 0},
    {TIDE_REC_booking, 2, "plate", 53, 54},
    {TIDE_REC_booking, 3, "session", 7, 8},
    {TIDE_REC_series, 0, "plate", 1, 0},
    {TIDE_REC_series, 0, "opens_min", 119, 120},
    {TIDE_REC_series, 0, "closes_min", 2880, 2881},
    {TIDE_REC_series, 0, "until_date", 18036, 18035},
    {TIDE_REC_series, 0, "until_date", 0, 1},
    {TIDE_REC_incident, 0, "slot", 0, NOBODY},
    {TIDE_REC_session, 0, "household", 0, NOBODY},
    {TIDE_REC_session, 0, "place", 0, NOBODY},
    {TIDE_REC_draw, 0, "zone", 1, 3},
    {TIDE_REC_draw, 0, "zone", 1, 2}, /* its wish is of zone 1 */
    {TIDE_REC_draw, 0, "ask_from_ms", AT(120) - 1, AT(120)},
    {TIDE_REC_draw, 0, "ask_until_ms", AT(-120) + 1, AT(-120)},
    {TIDE_REC_draw, 0, "ask_until_ms", AT(240), AT(240) + 1},
    {TIDE_REC_draw, 0, "start_ms", AT(300), AT(305)},
    {TIDE_REC_draw, 0, "start_ms", AT(120), AT(120) + 1},
    {TIDE_REC_draw, 0, "end_ms", AT(360), AT(355)},
    {TIDE_REC_draw, 0, "end_ms", AT(360), AT(360) + 1},
    {TIDE_REC_draw, 0, "end_ms", AT(240) + TIDE_HORIZON_DAYS_MAX *DAY,
     AT(240) + TIDE_HORIZON_DAYS_MAX *DAY + GRAIN},
    {TIDE_REC_draw, 0, "id", 1, 2},
    {TIDE_REC_wish, 0, "draw", 1, 2},
    {TIDE_REC_wish, 0, "zone", 1, 2},
    {TIDE_REC_wish, 0, "household", 3, 4},
    {TIDE_REC_wish, 0, "plate", 1, 0},
    {TIDE_REC_wish, 0, "used_min", 0, -1},
    {TIDE_REC_wish, 0, "start_ms", AT(355), AT(360)},
    {TIDE_REC_wish, 0, "start_ms", AT(240), AT(235)},
    {TIDE_REC_wish, 0, "start_ms", AT(240), AT(240) + 1},
    {TIDE_REC_wish, 0, "end_ms", AT(480), AT(485)},
    {TIDE_REC_wish, 0, "end_ms", AT(305), AT(305) + 1},
    {TIDE_REC_wish, 0, "id", 9, 10},
    {TIDE_REC_strike, 0, "household", 3, 4},
    {TIDE_REC_strike, 0, "zone", 2, 3},
    {TIDE_REC_strike, 0, "lender", 0, NOBODY},
    {TIDE_REC_strike, 0, "kind", TIDE_STRIKE_KIND_no_show, 0},
    {TIDE_REC_strike, 0, "charge_min", 0, -1},
    {TIDE_REC_strike, 0, "start_ms", AT(-240), AT(-240) + 1},
    {TIDE_REC_strike, 0, "contest_until_ms", AT(-240) + 1, AT(-240)},
    {TIDE_REC_strike, 0, "decide_until_ms", AT(-240) + 1, AT(-240)},
    {TIDE_REC_strike, 0, "id", 9, 10},
    {TIDE_REC_waiting, 1, "zone", 1, 2}, /* where nobody looks */
    {TIDE_REC_waiting, 1, "zone", 1, 3},
    {TIDE_REC_waiting, 1, "household", 3, 4},
    {TIDE_REC_waiting, 1, "plate", 1, 0},
    {TIDE_REC_waiting, 1, "start_ms", AT(595), AT(600)},
    {TIDE_REC_waiting, 1, "start_ms", AT(500), AT(500) + 1},
    {TIDE_REC_waiting, 1, "end_ms", AT(505), AT(505) + 1},
    {TIDE_REC_waiting, 1, "booking", 9, 2}, /* ended long ago; somebody else's */
    {TIDE_REC_waiting, 1, "confirm_by_ms", 0, 1},
    {TIDE_REC_waiting, 1, "state", TIDE_WAITING_STATE_waiting, TIDE_WAITING_STATE_offered},
    {TIDE_REC_waiting, 2, "confirm_by_ms", 1, 0},
    {TIDE_REC_waiting, 2, "booking", 2, 9},
    {TIDE_REC_waiting, 2, "booking", 2, 3},
    {TIDE_REC_waiting, 2, "plate", 53, 54},
    {TIDE_REC_waiting, 2, "id", 2, 3},
    {TIDE_REC_wait_record, 0, "got", 5, 6},
    {TIDE_REC_wait_record, 0, "asked", 5, 4},
    {TIDE_REC_wait_record, 0, "asked", TIDE_WAIT_CASES_MAX - 1, TIDE_WAIT_CASES_MAX},
    {TIDE_REC_wait_record, 0, "bucket", TIDE_WAIT_BUCKETS - 1, TIDE_WAIT_BUCKETS},
    {TIDE_REC_wait_record, 0, "zone", 2, 3},
    {TIDE_REC_wait_record, 0, "zone", 2, 0},
    {TIDE_REC_wait_record, 0, "zone", 2, 5},
    {TIDE_REC_forecast, 0, "zone", 2, 3},
    {TIDE_REC_forecast, 0, "zone", 2, 0},
    {TIDE_REC_forecast, 0, "zone", 2, 5},
    {TIDE_REC_forecast, 0, "hour", 23, 24},
    {TIDE_REC_forecast, 0, "day_class", TIDE_DAY_CLASS_workday, TIDE_DAY_CLASS_workday - 1},
    {TIDE_REC_forecast, 0, "day_class", TIDE_DAY_CLASS_holiday, TIDE_DAY_CLASS_holiday + 1},
    {TIDE_REC_forecast, 0, "used_milli", 0, -1},
    {TIDE_REC_forecast, 0, "used_milli", LEARNED, LEARNED + 1},
    {TIDE_REC_forecast, 0, "spread_milli", 0, -1},
    {TIDE_REC_forecast, 0, "spread_milli", LEARNED, LEARNED + 1},
    {TIDE_REC_forecast_level, 0, "zone", 2, 3},
    {TIDE_REC_forecast_level, 0, "at_ms", NOW, NOW + 1},
    {TIDE_REC_forecast_level, 0, "drift_milli", LEARNED, LEARNED + 1},
    {TIDE_REC_forecast_level, 0, "drift_milli", -LEARNED, -LEARNED - 1},
    {TIDE_REC_forecast_level, 0, "low_milli", LEARNED, LEARNED + 1},
    {TIDE_REC_forecast_level, 0, "low_milli", -LEARNED, -LEARNED - 1},
    {TIDE_REC_forecast_level, 0, "high_milli", LEARNED, LEARNED + 1},
    {TIDE_REC_forecast_level, 0, "high_milli", -LEARNED, -LEARNED - 1},
    {TIDE_REC_day, 0, "day_class", TIDE_DAY_CLASS_holiday, 0},
    {TIDE_REC_day, 0, "date", TIDE_DATE_MAX, TIDE_DATE_MAX + 1},
};

static void *memory;
static size_t memory_size;
static const struct engine_limits limits = {.places = 8,
                                            .persons = 8,
                                            .users = 8,
                                            .roles = 8,
                                            .vehicles = 8,
                                            .zones = 4,
                                            .slots = 8,
                                            .lanes = 8,
                                            .windows = 8,
                                            .bookings = 8,
                                            .sessions = 8,
                                            .series = 8,
                                            .incidents = 8,
                                            .horizon_days_max = 20};

static int64_t number_of(const struct some_row *some)
{
    return tide_field_get(tide_record_of(some->kind)->fields, &some->row);
}

static const struct tide_field *field_named(const struct tide_record *desc, const char *name)
{
    for (unsigned i = 0; i < desc->field_count; i++)
        if (strcmp(desc->fields[i].name, name) == 0)
            return &desc->fields[i];
    fail_msg("%s has no %s", desc->name, name);
    return NULL;
}

/* 0 when the rows are a state with this number instead. */
static int load(unsigned kind, int64_t number, const char *field, int64_t value)
{
    struct engine *engine = engine_init(memory, memory_size, &limits);
    bool changed = false;
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        struct some_row some = base[i];
        const struct tide_record *desc = tide_record_of(some.kind);
        if (some.kind == kind && (number == 0 || number == number_of(&base[i]))) {
            assert_false(changed);
            tide_field_set(field_named(desc, field), &some.row, value);
            changed = true;
        }
        if (engine_load(engine, some.kind, &some.row) != 0)
            return -1;
    }
    assert_true(changed || kind == 0);
    return engine_load_end(engine, NOW);
}

static void the_last_that_is_and_the_first_that_is_none(void **state)
{
    (void)state;
    assert_int_equal(load(0, 0, NULL, 0), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = tide_record_of(rows[i].kind)->name;
        if (load(rows[i].kind, rows[i].number, rows[i].field, rows[i].last) != 0)
            fail_msg("%s.%s = %lld was refused", name, rows[i].field, (long long)rows[i].last);
        if (load(rows[i].kind, rows[i].number, rows[i].field, rows[i].first) == 0)
            fail_msg("%s.%s = %lld was taken", name, rows[i].field, (long long)rows[i].first);
    }
}

static const struct tide_window weekly = {.slot = 1,
                                          .zone = 1,
                                          .days = 1,
                                          .weekdays = 127,
                                          .opens_min = 480,
                                          .closes_min = 1200},
                                once = {.slot = 1,
                                        .zone = 1,
                                        .kind = TIDE_WINDOW_KIND_once,
                                        .start_ms = AT(0),
                                        .end_ms = AT(60)},
                                blackout = {.slot = 1,
                                            .zone = 1,
                                            .kind = TIDE_WINDOW_KIND_blackout,
                                            .start_ms = AT(0),
                                            .end_ms = AT(60)};
static const struct {
    const struct tide_window *of;
    const char *field;
    int64_t last, first;
} window_cases[] = {
    {&weekly, "slot", 1, 0},
    {&once, "slot", 1, 0},
    {&weekly, "days", 15, 16},
    {&weekly, "days", 1, 0},
    {&once, "days", 15, 16},
    {&weekly, "weekdays", 127, 128},
    {&weekly, "weekdays", 1, 0},
    {&once, "weekdays", 127, 128},
    {&weekly, "opens_min", 0, -1},
    {&weekly, "opens_min", 1199, 1200},
    {&weekly, "closes_min", 481, 480},
    {&weekly, "closes_min", 1920, 1921},
    {&once, "opens_min", 0, -1},
    {&once, "opens_min", 2880, 2881},
    {&once, "closes_min", 0, -1},
    {&once, "closes_min", 2880, 2881},
    {&weekly, "from_date", 0, -1},
    {&weekly, "from_date", TIDE_DATE_MAX, TIDE_DATE_MAX + 1},
    {&weekly, "until_date", 0, -1},
    {&weekly, "until_date", TIDE_DATE_MAX, TIDE_DATE_MAX + 1},
    {&weekly, "start_ms", 0, -1},
    {&weekly, "start_ms", TIDE_TIME_MAX, TIDE_TIME_MAX + 1},
    {&weekly, "end_ms", 0, -1},
    {&weekly, "end_ms", TIDE_TIME_MAX, TIDE_TIME_MAX + 1},
    {&once, "start_ms", 1, 0},
    {&once, "start_ms", AT(60) - 1, AT(60)},
    {&once, "end_ms", AT(0) + 1, AT(0)},
    {&once, "end_ms", TIDE_TIME_MAX, TIDE_TIME_MAX + 1},
};

/* A window that the desk puts in: what its kind does not use is a number of its field all the same,
 * else it could not be loaded again. */
static void windows_that_can_be(void **state)
{
    const struct tide_record *desc = tide_record_of(TIDE_REC_window);
    (void)state;
    for (size_t i = 0; i < sizeof window_cases / sizeof *window_cases; i++) {
        const struct tide_field *field = field_named(desc, window_cases[i].field);
        struct tide_window row = *window_cases[i].of;
        tide_field_set(field, &row, window_cases[i].last);
        if (!window_is_sound(&row))
            fail_msg("%s = %lld was refused", window_cases[i].field,
                     (long long)window_cases[i].last);
        tide_field_set(field, &row, window_cases[i].first);
        if (window_is_sound(&row))
            fail_msg("%s = %lld was taken", window_cases[i].field,
                     (long long)window_cases[i].first);
    }
    struct tide_window row = blackout; /* of a whole zone */
    row.slot = 0;
    assert_true(window_is_sound(&row));
    row.zone = 0;
    assert_false(window_is_sound(&row));
    row = weekly;
    row.from_date = row.until_date = 18036;
    assert_true(window_is_sound(&row));
    row.until_date = 18035;
    assert_false(window_is_sound(&row));
    row = weekly; /* from the last minute of a day to the end of the next */
    row.opens_min = 1439;
    row.closes_min = 2879;
    assert_true(window_is_sound(&row));
    row.closes_min = 2880;
    assert_false(window_is_sound(&row));
    row.opens_min = 1440;
    assert_false(window_is_sound(&row));
}

static void nothing_stands_twice(void **state)
{
    static const unsigned kinds[] = {TIDE_REC_forecast, TIDE_REC_wait_record, TIDE_REC_draw};
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        assert_int_equal(load(0, 0, NULL, 0), 0);
        for (size_t i = 0; i < sizeof base / sizeof *base; i++)
            if (base[i].kind == kinds[k])
                assert_int_equal(engine_load(memory, kinds[k], &base[i].row), -1);
    }
}

/* What is asked for by its key is that row or none, never that of a neighbour. */
static void found_by_its_key(void **state)
{
    const struct engine *engine = memory;
    (void)state;
    assert_int_equal(load(TIDE_REC_forecast, 0, "day_class", TIDE_DAY_CLASS_holiday), 0);
    for (unsigned zone = 0; zone < 6; zone++)
        for (unsigned class = 0; class < TIDE_DAY_CLASS_holiday + 2; class ++)
            for (unsigned hour = 0; hour < 26; hour++) {
                bool is = zone == 1 && class == TIDE_DAY_CLASS_holiday && hour == 8;
                assert_true((engine_find(engine, TIDE_REC_forecast, zone, class, hour) != NULL) ==
                            is);
            }
    for (unsigned zone = 0; zone < 6; zone++)
        for (unsigned bucket = 0; bucket < TIDE_WAIT_BUCKETS + 2; bucket++)
            assert_true((engine_find(engine, TIDE_REC_wait_record, zone, bucket, 0) != NULL) ==
                        (zone == 1 && bucket == 0));
}

static int set_up(void **state)
{
    (void)state;
    memory_size = (engine_size(&limits) + 63) & ~(size_t)63;
    memory = aligned_alloc(64, memory_size);
    assert_non_null(memory);
    memset(memory, 0xff, memory_size); /* what lay there before is of no meaning */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_that_is_and_the_first_that_is_none),
        cmocka_unit_test(windows_that_can_be),
        cmocka_unit_test(nothing_stands_twice),
        cmocka_unit_test(found_by_its_key),
    };
    return cmocka_run_group_tests_name("sound", tests, set_up, tear_down);
}
