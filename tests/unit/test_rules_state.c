/* test_rules_state.c - a small state, row by row, and which other rows beside them make it none:
 * what stands in the same place twice, what leads nowhere, what has no room. And bytes of rows.
 */
#include "tests/unit/rules_table.h"

#define TODAY 18036 /* 2019-05-20 */
#define AT(min) (MONDAY_0800 + (min)*MIN_MS)

enum { REFUSED = -1, UNSOUND = -2 }; /* by engine_load or its end: no room; by its end: no state */

struct some_row {
    unsigned kind;
    union tide_any row;
};
#define SOME(name, ...)                                                                            \
    {                                                                                              \
        .kind = TIDE_REC_##name, .row = {.name = {__VA_ARGS__} }                                   \
    }

/* Household 3 has promises 1 and 2 on slot 1, one after the other; car 51 of promise 3 is there on
 * slot 2; slot 5 is of another zone. */
static const struct some_row base[] = {
    SOME(setting_row, TIDE_SETTING_rolled_date, TODAY + 14),
    SOME(counter_row, TIDE_COUNTER_booking, 10),
    SOME(counter_row, TIDE_COUNTER_session, 10),
    SOME(counter_row, TIDE_COUNTER_series, 10),
    SOME(counter_row, TIDE_COUNTER_window, 10),
    SOME(place, 1, TIDE_PLACE_KIND_community, 0),
    SOME(place, 3, TIDE_PLACE_KIND_household, 1),
    SOME(place, 4, TIDE_PLACE_KIND_household, 1),
    SOME(account, .household = 0, .balance_min = -300),
    SOME(account, .household = 3, .balance_min = 300, .held_min = 180),
    SOME(person, 1, 3),
    SOME(zone, 1, 1),
    SOME(zone, 2, 1),
    SOME(slot, 1, 1, TIDE_SLOT_TITLE_common),
    SOME(slot, 2, 1, TIDE_SLOT_TITLE_common),
    SOME(slot, 5, 2, TIDE_SLOT_TITLE_common),
    SOME(booking, .id = 1, .plate = 50, .zone = 1, .slot = 1, .household = 3, .start_ms = AT(60),
         .end_ms = AT(120), .held_min = 60),
    SOME(booking, .id = 2, .plate = 50, .zone = 1, .slot = 1, .household = 3, .start_ms = AT(120),
         .end_ms = AT(180), .held_min = 60),
    SOME(booking, .id = 3, .state = TIDE_BOOKING_STATE_parked, .plate = 51, .zone = 1, .slot = 2,
         .household = 3, .session = 7, .start_ms = AT(-60), .end_ms = AT(60), .held_min = 60),
    SOME(session, .id = 7, .right = TIDE_SESSION_RIGHT_booking, .plate = 51, .place = 1, .zone = 1,
         .slot = 2, .booking = 3, .household = 3, .start_ms = AT(-60)),
};

static void *memory;
static size_t memory_size;
static const struct engine_limits limits = {.places = 8,
                                            .persons = 8,
                                            .users = 8,
                                            .roles = 2,
                                            .zones = 4,
                                            .slots = 8,
                                            .bookings = 8,
                                            .sessions = 8,
                                            .horizon_days_max = 20};

/* Loads the base, but for the row of this kind and number, and then the other (kind 0: none). */
static int load(unsigned but, int64_t number, const struct some_row *other, tide_ms now_ms)
{
    struct engine *engine = engine_init(memory, memory_size, &limits);
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) {
        const struct tide_record *desc = tide_record_of(base[i].kind);
        if (base[i].kind == but && tide_field_get(desc->fields, &base[i].row) == number)
            continue;
        assert_int_equal(engine_load(engine, base[i].kind, &base[i].row), 0);
    }
    if (other != NULL && other->kind != 0 && engine_load(engine, other->kind, &other->row) != 0)
        return REFUSED;
    return engine_load_end(engine, now_ms);
}

static int set_up(void **state)
{
    (void)state;
    memory_size = (engine_size(&limits) + 63) & ~(size_t)63;
    memory = aligned_alloc(64, memory_size);
    return memory == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

#define BOOKING(zone_, ...)                                                                        \
    SOME(booking, .id = 4, .plate = 52, .zone = zone_, .household = 3, __VA_ARGS__)
#define CAR(id_, ...) SOME(session, .id = id_, .place = 1, .household = 3, __VA_ARGS__)
#define SERIES(...)                                                                                \
    SOME(series, .id = 1, .plate = 50, .zone = 1, .household = 3, .days = 1, .weekdays = 127,      \
         __VA_ARGS__)

/* One row more. */
static const struct {
    const char *rule;
    struct some_row row;
    int expected;
} more[] = {
    {"nothing", {0}, 0},
    {"a promise between two", BOOKING(1, .slot = 1, .start_ms = AT(180), .end_ms = AT(181)), 0},
    {"one that meets the next", BOOKING(1, .slot = 1, .start_ms = AT(0), .end_ms = AT(61)),
     UNSOUND},
    {"one within another", BOOKING(1, .slot = 1, .start_ms = AT(125), .end_ms = AT(130)), UNSOUND},
    {"one by its grain", BOOKING(1, .slot = 1, .start_ms = AT(178), .end_ms = AT(181)), UNSOUND},
    {"one on another slot", BOOKING(2, .slot = 5, .start_ms = AT(0), .end_ms = AT(61)), 0},
    {"one that lasts no time", BOOKING(2, .slot = 5, .start_ms = AT(5), .end_ms = AT(5)), UNSOUND},
    {"one of a household without an account",
     SOME(booking, .id = 4, .plate = 52, .zone = 1, .slot = 1, .household = 4, .start_ms = AT(300),
          .end_ms = AT(360)),
     UNSOUND},
    {"more held than the account holds",
     SOME(booking, .id = 4, .plate = 52, .zone = 1, .slot = 1, .household = 3, .start_ms = AT(300),
          .end_ms = AT(360), .held_min = 1),
     UNSOUND},
    {"a promise twice",
     SOME(booking, .id = 1, .plate = 52, .zone = 1, .slot = 1, .household = 3, .start_ms = AT(300),
          .end_ms = AT(360)),
     REFUSED},
    {"a promise without number", SOME(booking, .plate = 52), REFUSED},
    {"a car on a free slot", CAR(8, .plate = 60, .zone = 1, .slot = 1), 0},
    {"a car anywhere", CAR(8, .plate = 60), 0},
    {"a second car on a slot", CAR(8, .plate = 60, .zone = 1, .slot = 2), UNSOUND},
    {"a plate that is there twice", CAR(8, .plate = 51), UNSOUND},
    {"a car on a slot of another zone", CAR(8, .plate = 60, .zone = 2, .slot = 1), UNSOUND},
    {"a car of a promise that has another", CAR(8, .plate = 51, .zone = 1, .slot = 2, .booking = 3),
     UNSOUND},
    {"a car of a promise for later", CAR(8, .plate = 50, .zone = 1, .slot = 1, .booking = 1),
     UNSOUND},
    {"a series", SERIES(.opens_min = 60, .closes_min = 120, .from_date = TODAY), 0},
    {"to the day on which it begins",
     SERIES(.opens_min = 60, .closes_min = 120, .from_date = TODAY, .until_date = TODAY), 0},
    {"to the day before",
     SERIES(.opens_min = 60, .closes_min = 120, .from_date = TODAY, .until_date = TODAY - 1),
     UNSOUND},
    {"on days there are not",
     SOME(series, .id = 1, .plate = 50, .zone = 1, .household = 3, .days = 16, .weekdays = 127,
          .opens_min = 60, .closes_min = 120),
     UNSOUND},
    {"a device of somebody", SOME(user, 1, 1, TIDE_USER_KIND_app), 0},
    {"a device of nobody", SOME(user, 1, 0, TIDE_USER_KIND_app), 0},
    {"a device of the unknown", SOME(user, 1, 2, TIDE_USER_KIND_app), UNSOUND},
    {"of no minute", SERIES(.opens_min = 60, .closes_min = 60, .from_date = TODAY), UNSOUND},
    {"from the last minute of a day", SERIES(.opens_min = 1439, .closes_min = 1440), 0},
    {"from the next day", SERIES(.opens_min = 1440, .closes_min = 1441), UNSOUND},
    {"a setting that is none", SOME(setting_row, 200, 1), REFUSED},
    {"the first that is none", SOME(setting_row, TIDE_SETTINGS_COUNT, 1), REFUSED},
    {"a counter that is none", SOME(counter_row, 200, 1), REFUSED},
    {"a number far on", SOME(counter_row, TIDE_COUNTER_notice, 3000000000u), 0},
    {"the last number", SOME(counter_row, TIDE_COUNTER_notice, UINT32_MAX), UNSOUND},
    {"what is no state", SOME(posting, .id = 1), REFUSED},
    {"what is no row", SOME(cancel, .booking = 1), REFUSED},
    {"a horizon beyond the ring", SOME(setting_row, TIDE_SETTING_horizon_days, 21), REFUSED},
    {"the longest horizon", SOME(setting_row, TIDE_SETTING_horizon_days, 20), 0},
    {"days known beyond it", SOME(setting_row, TIDE_SETTING_rolled_date, TODAY + 21), UNSOUND},
    {"as many days as there may be", SOME(setting_row, TIDE_SETTING_rolled_date, TODAY + 20), 0},
    {"a house on itself", SOME(place, 5, TIDE_PLACE_KIND_stair, 5), UNSOUND},
};

static void one_row_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        int seen = load(0, 0, &more[i].row, MONDAY_0800);
        if (seen != more[i].expected)
            fail_msg("%s: expected %d, seen %d", more[i].rule, more[i].expected, seen);
    }
}

/* One row in the place of another. */
static void one_row_instead(void **state)
{
    static const struct {
        const char *rule;
        unsigned kind;
        int64_t number;
        struct some_row row;
        int expected;
    } rows[] = {
        {"a parked promise without its car", TIDE_REC_session, 7, {0}, UNSOUND},
        {"a car without its promise", TIDE_REC_booking, 3, {0}, UNSOUND},
        {"a slot gone from under a promise", TIDE_REC_slot, 1, {0}, UNSOUND},
        {"an account gone", TIDE_REC_account, 3, {0}, UNSOUND},
        {"a car with another plate", TIDE_REC_session, 7,
         CAR(7, .plate = 52, .zone = 1, .slot = 2, .booking = 3), UNSOUND},
        {"a car on another slot", TIDE_REC_session, 7,
         CAR(7, .plate = 51, .zone = 1, .slot = 1, .booking = 3), UNSOUND},
        {"a car of nothing promised", TIDE_REC_session, 7,
         CAR(7, .plate = 51, .zone = 1, .slot = 2), UNSOUND},
        {"the same car", TIDE_REC_session, 7,
         CAR(7, .plate = 51, .zone = 1, .slot = 2, .booking = 3), 0},
        {"as much held as is promised", TIDE_REC_account, 3,
         SOME(account, .household = 3, .balance_min = 300, .held_min = 180), 0},
        {"a minute less", TIDE_REC_account, 3,
         SOME(account, .household = 3, .balance_min = 300, .held_min = 179), UNSOUND},
        {"all the minutes there may be", TIDE_REC_account, 3,
         SOME(account, .household = 3, .balance_min = 1000000000, .held_min = 180), 0},
        {"and all that may be owed", TIDE_REC_account, 3,
         SOME(account, .household = 3, .balance_min = -1000000000, .held_min = 180), 0},
        {"a number that was not given out", TIDE_REC_counter_row, TIDE_COUNTER_booking,
         SOME(counter_row, TIDE_COUNTER_booking, 3), UNSOUND},
        {"the last that was", TIDE_REC_counter_row, TIDE_COUNTER_booking,
         SOME(counter_row, TIDE_COUNTER_booking, 4), 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int seen = load(rows[i].kind, rows[i].number, &rows[i].row, MONDAY_0800);
        if (seen != rows[i].expected)
            fail_msg("%s: expected %d, seen %d", rows[i].rule, rows[i].expected, seen);
    }
}

static void a_time_there_is(void **state)
{
    (void)state;
    assert_int_equal(load(0, 0, NULL, -1), UNSOUND);
    assert_int_equal(load(0, 0, NULL, TIDE_TIME_MAX + 1), UNSOUND);
    assert_int_equal(load(0, 0, NULL, MONDAY_0800), 0);
}

/* What was under way goes on after a start. */
static void a_look_at_the_promises_goes_on(void **state)
{
    static const struct some_row half_way = SOME(setting_row, TIDE_SETTING_resettle_from, 2);
    struct engine *engine = memory;
    (void)state;
    assert_int_equal(load(0, 0, NULL, MONDAY_0800), 0);
    assert_true(engine_next_deadline(engine) > 0);
    assert_int_equal(load(0, 0, &half_way, MONDAY_0800), 0);
    assert_int_equal(engine_next_deadline(engine), 0);
}

/* More roles than there is room for: refused, not forgotten. */
static void more_roles_than_room(void **state)
{
    struct engine *engine = engine_init(memory, memory_size, &limits);
    struct tide_role_row role = {1, TIDE_ROLE_guard, 1};
    (void)state;
    assert_int_equal(engine_load(engine, TIDE_REC_role_row, &role), 0);
    role.role = TIDE_ROLE_clerk;
    assert_int_equal(engine_load(engine, TIDE_REC_role_row, &role), 0);
    role.role = TIDE_ROLE_property;
    assert_int_equal(engine_load(engine, TIDE_REC_role_row, &role), REFUSED);
}

/* ---- bytes ---------------------------------------------------------------------------------- */
static void bytes_of_another_row(void **state)
{
    static const struct {
        const char *rule;
        uint8_t bytes[12];
        size_t len;
        size_t used; /* 0: refused */
    } rows[] = {
        {"nothing at all", {0}, 0, 0},
        {"an empty row", {0}, 1, 1},
        {"a counter", {2, 3, 9}, 3, 3},
        {"a counter and more of a newer Tide", {3, 3, 9, 1}, 4, 4},
        {"shorter than it says", {3, 3, 9}, 3, 0},
        {"a counter that there is not", {3, 0xff, 0x01, 9}, 4, 0},
        {"the largest number", {6, 3, 0xff, 0xff, 0xff, 0xff, 0x0f}, 7, 7},
        {"one more", {6, 3, 0x80, 0x80, 0x80, 0x80, 0x10}, 7, 0},
        {"a number without end", {2, 3, 0x80}, 3, 0},
        {"65 bits", {11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 12, 0},
        {"64 bits", {11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 12, 0},
        {"a length without end", {0x80, 0x80}, 2, 0},
    };
    const struct tide_record *desc = tide_record_of(TIDE_REC_counter_row);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tide_counter_row row = {77, 77};
        size_t used = tide_record_unpack(desc, rows[i].bytes, rows[i].len, &row);
        if (used != rows[i].used)
            fail_msg("%s: %zu bytes", rows[i].rule, used);
    }
    struct tide_counter_row row;
    struct tide_backup byte;
    assert_int_equal(tide_record_unpack(desc, (const uint8_t[]){2, 3, 9}, 3, &row), 3);
    assert_int_equal(row.counter, 3);
    assert_int_equal(row.next, 9);
    desc = tide_record_of(TIDE_REC_backup);
    assert_int_equal(tide_record_unpack(desc, (const uint8_t[]){2, 0xff, 0x01}, 3, &byte), 3);
    assert_int_equal(byte.unused, 255);
    assert_int_equal(tide_record_unpack(desc, (const uint8_t[]){2, 0x80, 0x02}, 3, &byte), 0);
}

/* A row that does not fit is not written by half. */
static void room_for_a_row(void **state)
{
    const struct tide_record *desc = tide_record_of(TIDE_REC_counter_row);
    struct tide_counter_row row = {3, 1000};
    uint8_t out[16];
    (void)state;
    for (size_t cap = 0; cap < sizeof out; cap++)
        assert_int_equal(tide_record_pack(desc, &row, out, cap), cap >= 4 ? 4 : 0);
    assert_memory_equal(out, ((const uint8_t[]){3, 3, 0xe8, 0x07}), 4);
}

static void effects_that_are_none(void **state)
{
    static const struct {
        const char *rule;
        uint8_t bytes[8];
        size_t len;
        bool is_one;
    } rows[] = {
        {"a put", {ENGINE_PUT, TIDE_REC_counter_row, 2, 3, 9}, 5, true},
        {"an item", {ENGINE_ITEM, TIDE_REC_counter_row, 0}, 3, true},
        {"before the first verb", {ENGINE_PUT - 1, TIDE_REC_counter_row, 0}, 3, false},
        {"after the last", {ENGINE_ITEM + 1, TIDE_REC_counter_row, 0}, 3, false},
        {"no such row", {ENGINE_PUT, 0, 0}, 3, false},
        {"cut off", {ENGINE_PUT, TIDE_REC_counter_row, 2, 3}, 4, false},
        {"no room for a row", {ENGINE_PUT, TIDE_REC_counter_row}, 2, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = 0;
        enum engine_verb verb;
        unsigned kind = 0;
        union tide_any any;
        bool is_one = engine_effect_next(rows[i].bytes, rows[i].len, &at, &verb, &kind, &any);
        if (is_one != rows[i].is_one || at != (is_one ? rows[i].len : 0))
            fail_msg("%s: %d at %zu", rows[i].rule, is_one, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_more),         cmocka_unit_test(one_row_instead),
        cmocka_unit_test(a_time_there_is),      cmocka_unit_test(a_look_at_the_promises_goes_on),
        cmocka_unit_test(more_roles_than_room), cmocka_unit_test(bytes_of_another_row),
        cmocka_unit_test(room_for_a_row),       cmocka_unit_test(effects_that_are_none),
    };
    return cmocka_run_group_tests_name("state", tests, set_up, tear_down);
}
