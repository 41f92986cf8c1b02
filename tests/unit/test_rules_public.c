/* test_rules_public.c - what everybody sees of a zone: after which word it is told again, and that
 * its numbers are those of the slots.
 */
#include "tests/unit/rules_table.h"

#define ZONE 3 /* slots 7 and 8, by sensor alone */

static void put_one(struct fixture *f, unsigned kind, const void *row)
{
    uint8_t blob[512];
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, kind, row), TIDE_REC_put);
    CODE_IS(f, ok);
}

/* Whether the zone is to be told, and no other; takes it. */
static bool touched(struct fixture *f, tide_id zone)
{
    tide_id seen = engine_take_dirty_zone(f->engine), more = seen;
    while (more != 0)
        more = engine_take_dirty_zone(f->engine);
    return seen == zone;
}

static struct tide_zone_now now_of(const struct fixture *f, tide_id zone)
{
    struct tide_zone_now now = {0};
    engine_zone_now(f->engine, zone, &now);
    return now;
}

static void numbers_are(const struct fixture *f, const char *when, unsigned open, unsigned promised,
                        unsigned parked, unsigned free)
{
    struct tide_zone_now now = now_of(f, ZONE);
    if (now.slots != 2 || now.open != open || now.promised != promised || now.parked != parked ||
        now.free != free)
        fail_msg("%s: %u slots, %u open, %u promised, %u parked, %u free", when, now.slots,
                 now.open, now.promised, now.parked, now.free);
}

static void a_day_of_a_zone(void **state)
{
    struct fixture *f = *state;
    (void)touched(f, 0);
    assert_false(touched(f, ZONE));
    numbers_are(f, "in the morning", 2, 0, 0, 2);
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
    assert_true(touched(f, ZONE));
    numbers_are(f, "promised", 2, 1, 0, 1);
    tide_id slot = fixture_booking(f, booking)->slot, other = slot == 7 ? 8 : 7;
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    assert_true(touched(f, ZONE));
    numbers_are(f, "it came", 2, 1, 1, 1);
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied); /* a heartbeat tells nothing */
    assert_false(touched(f, ZONE));
    fixture_sensor(f, other, TIDE_OCCUPANCY_occupied);
    assert_true(touched(f, ZONE));
    numbers_are(f, "somebody stands on the other", 2, 1, 1, 0);
    fixture_sensor(f, other, TIDE_OCCUPANCY_free);
    assert_true(touched(f, ZONE));
    fixture_sensor(f, slot, TIDE_OCCUPANCY_free);
    assert_true(touched(f, ZONE));
    numbers_are(f, "it went", 2, 0, 0, 2);
    booking = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
    (void)touched(f, 0);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = booking});
    assert_true(touched(f, ZONE));
    numbers_are(f, "given back", 2, 0, 0, 2);
    fixture_pass(f, 149 * MIN_MS);
    (void)touched(f, 0);
    fixture_pass(f, 2 * MIN_MS); /* the sensors are silent */
    assert_true(touched(f, ZONE));
}

/* By hand, in a zone of the guard's: who comes and goes is seen as well. */
static void cars_by_hand(void **state)
{
    struct fixture *f = *state;
    uint32_t booking = fixture_book(f, OUTSIDER, 50, 2, 0, 60);
    (void)touched(f, 0);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
    CODE_IS(f, ok);
    assert_true(touched(f, 2));
    assert_int_equal(now_of(f, 2).parked, 1);
    fixture_send(f, OUTSIDER, TIDE_REC_leave, &(struct tide_leave){.booking = booking});
    CODE_IS(f, ok);
    assert_true(touched(f, 2));
    assert_int_equal(now_of(f, 2).parked, 0);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.plate = 90, .slot = 6});
    CODE_IS(f, ok);
    assert_true(touched(f, 2));
    assert_int_equal(now_of(f, 2).parked, 1);
    fixture_send(f, GUARD, TIDE_REC_leave, &(struct tide_leave){.plate = 90});
    CODE_IS(f, ok);
    assert_true(touched(f, 2));
    assert_int_equal(now_of(f, 2).parked, 0);
}

static void what_the_desk_changes(void **state)
{
    struct fixture *f = *state;
    (void)touched(f, 0);
    put_one(f, TIDE_REC_zone, &(struct tide_zone){ZONE, COMPOUND, 0, TIDE_SENSE_SENSOR, 1, 7, 0});
    assert_true(touched(f, ZONE));
    put_one(f, TIDE_REC_slot, &(struct tide_slot){9, ZONE, TIDE_SLOT_TITLE_common, 0, 0, 1, 0});
    assert_true(touched(f, ZONE));
    assert_int_equal(now_of(f, ZONE).slots, 3);
    assert_int_equal(now_of(f, ZONE).open, 2); /* it has no hours yet */
    fixture_send(
        f, CLERK, TIDE_REC_share,
        &(struct tide_share){
            .slot = 9, .kind = TIDE_WINDOW_KIND_weekly, .opens_min = 0, .closes_min = 1440});
    CODE_IS(f, ok);
    assert_true(touched(f, ZONE));
    assert_int_equal(now_of(f, ZONE).open, 3);
    fixture_send(f, CLERK, TIDE_REC_unshare, &(struct tide_unshare){.window = f->reply.id});
    CODE_IS(f, ok);
    assert_true(touched(f, ZONE));
    assert_int_equal(now_of(f, ZONE).open, 2);
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){0, ZONE, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0});
    CODE_IS(f, ok);
    assert_true(touched(f, ZONE));
    assert_int_equal(now_of(f, ZONE).open, 0);
    fixture_pass(f, HOUR_MS);
    assert_int_equal(now_of(f, ZONE).open, 2);
}

/* The clock goes on by one step, whether something is due or not. */
static void go_on(struct fixture *f, tide_ms ms)
{
    f->now_ms += ms;
    struct engine_event tick = {.kind = TIDE_REC_tick, .when_ms = f->now_ms};
    f->effects.len = f->effects.count = 0;
    engine_step(f->engine, &tick, &f->effects);
}

/* Until its last grain a slot is open, and then it is not. */
static void the_last_minutes_of_a_day(void **state)
{
    struct fixture *f = *state;
    go_on(f, (12 * 60 - 5) * MIN_MS);
    numbers_are(f, "five to eight", 2, 0, 0, 2);
    go_on(f, 5 * MIN_MS - 1);
    numbers_are(f, "a moment to eight", 2, 0, 0, 2);
    go_on(f, 1);
    numbers_are(f, "at eight", 0, 0, 0, 0);
}

static void a_zone_of_any_number_is_closed(void **state)
{
    struct fixture *f = *state;
    for (tide_id zone = 1; zone <= 3; zone++) {
        fixture_send(f, CLERK, TIDE_REC_blackout,
                     &(struct tide_blackout){0, zone, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0});
        expect(f, "by order", "ok", "none");
        assert_int_equal(now_of(f, zone).open, 0);
        fixture_pass(f, 0);
    }
}

/* ---- what is off ---------------------------------------------------------------------------- */
static void set(struct fixture *f, unsigned key, int64_t value)
{
    put_one(f, TIDE_REC_setting_row, &(struct tide_setting_row){(uint8_t)key, value});
}

/* A sensor that speaks again ends a ghost; a stranger is still a stranger. */
static void only_what_has_ended_is_closed(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 10 * MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
    fixture_pass(f, 150 * MIN_MS); /* silence: unknown */
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
    fixture_sensor(f, 1, TIDE_OCCUPANCY_free);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
}

/* Whose place was late and who came to stand elsewhere is served: nothing is off any more. */
static void late_supply_ends_when_he_stands(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, 60, 120);
    tide_id slot = fixture_booking(f, id)->slot, other = slot == 7 ? 8 : 7;
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    fixture_sensor(f, other, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 60 * MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
    fixture_sensor(f, other, TIDE_OCCUPANCY_free);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, id)->slot, other);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
}

/* With ending_soon_min 0 nobody is reminded; who stays is an overstayer all the same. */
static void nobody_is_reminded_who_does_not_want_it(void **state)
{
    static const struct {
        int64_t soon_min;
        bool reminded;
    } rows[] = {{0, false}, {15, true}, {1, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        bool reminded = false;
        set(f, TIDE_SETTING_ending_soon_min, rows[i].soon_min);
        uint32_t id = fixture_book(f, OUTSIDER, 50, 2, 0, 60);
        fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
        CODE_IS(f, ok);
        for (unsigned min = 0; min < 74; min++) {
            go_on(f, MIN_MS);
            reminded |= fixture_told(f, OUTSIDER, TIDE_NOTICE_KIND_ending_soon);
            assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_overstay));
        }
        assert_int_equal(reminded, rows[i].reminded);
        fixture_pass(f, MIN_MS);
        assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_overstay));
        done(f);
    }
}

/* The clerk is told when the days of a year come into sight for which there are no papers. */
static void papers_that_are_missing(void **state)
{
    struct fixture *f = *state;
    unsigned told = 0;
    fixture_put_blob(f, CLERK, NULL, 0, TIDE_REC_calendar); /* of 2019 */
    CODE_IS(f, ok);
    fixture_pass(f, 0);
    for (unsigned day = 0; day < 220; day++) {
        fixture_pass(f, TIDE_DAY_MS);
        struct tide_notice notice;
        for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, n, &notice); n++) {
            if (notice.kind != TIDE_NOTICE_KIND_calendar_missing)
                continue;
            assert_int_equal(notice.person, CLERK); /* nobody else, and once */
            told++;
        }
        if (told != (day >= 211)) /* from 2019-12-18 on the first of January is in sight */
            fail_msg("day %u: told %u times", day, told);
    }
}

/* One role more than there is room for is refused, and nobody has it. */
static void roles_run_full(void **state)
{
    static const unsigned roles[] = {TIDE_ROLE_guard, TIDE_ROLE_property, TIDE_ROLE_steward};
    struct fixture *f = *state;
    unsigned made = 5; /* of the fixture */
    for (tide_id person = OWNER; person <= PROPERTY; person++)
        for (unsigned n = 0; n < 9; n++) {
            struct tide_role_row row = {person, (uint8_t)roles[n % 3], COMMUNITY + n / 3};
            uint8_t blob[64];
            bool had = engine_find(f->engine, TIDE_REC_role_row, row.person, row.role, row.place);
            fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_role_row, &row),
                             TIDE_REC_put);
            if (made == 64) {
                expect(f, "one more", "full", "pool_full");
                assert_int_equal(had, engine_find(f->engine, TIDE_REC_role_row, row.person,
                                                  row.role, row.place) != NULL);
                return;
            }
            CODE_IS(f, ok);
            made += !had;
        }
    fail_msg("there was room for %u", made);
}

/* ---- minutes to the last one ---------------------------------------------------------------- */
static void home_with(struct fixture *f, int32_t minutes)
{
    put_one(f, TIDE_REC_setting_row, &(struct tide_setting_row){TIDE_SETTING_grant_min, minutes});
    put_one(f, TIDE_REC_place, &(struct tide_place){20, TIDE_PLACE_KIND_household, COMMUNITY});
    put_one(f, TIDE_REC_person, &(struct tide_person){20, 20, 0});
    put_one(f, TIDE_REC_user, &(struct tide_user){20, 20, TIDE_USER_KIND_app, 0});
}

static const struct tide_account *account(const struct fixture *f, tide_id household)
{
    return engine_find(f->engine, TIDE_REC_account, household, 0, 0);
}

static void all_minutes_and_not_one_more(void **state)
{
    struct fixture *f = *state;
    home_with(f, 60);
    assert_int_equal(fixture_book(f, 20, 50, 2, 60, 125), 0);
    expect(f, "65 of 60", "quota", "minutes_short");
    assert_int_not_equal(fixture_book(f, 20, 50, 2, 60, 120), 0);
    assert_int_equal(account(f, 20)->held_min, 60);
    assert_int_equal(fixture_book(f, 20, 51, 2, 60, 65), 0);
    expect(f, "nothing is left", "quota", "minutes_short");
}

/* Who has less than he owes pays what he has. */
static void rules_bind(struct fixture *f, tide_id user)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = TIDE_SETTING_rules_text_version, .value = 1};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
    fixture_send(f, user, TIDE_REC_accept_rules, &(struct tide_accept_rules){.rules_version = 1});
    CODE_IS(f, ok);
}

static void nobody_pays_what_he_has_not(void **state)
{
    static const struct {
        int32_t minutes, paid, over_min;
    } rows[] = {{60, 60, 45}, {90, 90, 45}, {120, 105, 45}, {105, 105, 45}, {104, 104, 45}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        home_with(f, rows[i].minutes);
        rules_bind(f, 20);
        uint32_t booking = fixture_book(f, 20, 50, 2, 0, 60);
        fixture_send(f, 20, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
        CODE_IS(f, ok);
        fixture_pass(f, (60 + rows[i].over_min) * MIN_MS);
        fixture_send(f, 20, TIDE_REC_leave, &(struct tide_leave){.booking = booking});
        CODE_IS(f, ok);
        assert_int_equal(account(f, 20)->balance_min, rows[i].minutes - 60);
        assert_int_equal(account(f, 20)->pending_min, 45);
        fixture_pass(f, 7 * 24 * HOUR_MS); /* nobody objects */
        assert_int_equal(account(f, 20)->balance_min, rows[i].minutes - rows[i].paid);
        assert_int_equal(account(f, 20)->pending_min, 0);
        assert_int_equal(account(f, 20)->held_min, 0);
        assert_int_equal(account(f, 20)->overstays, 1);
        done(f);
    }
}

/* The first moment at which one may come. */
static void early_by_the_minute(void **state)
{
    struct fixture *f = *state;
    int early = (int)engine_setting(f->engine, TIDE_SETTING_early_min);
    uint32_t booking = fixture_book(f, OUTSIDER, 50, 2, 120, 180);
    fixture_pass(f, (120 - early) * MIN_MS - 1);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
    expect(f, "a moment before", "conflict", "too_early");
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + (120 - early) * MIN_MS);
    fixture_pass(f, 1);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
    expect(f, "then", "ok", "none");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_day_of_a_zone),
        T(cars_by_hand),
        T(what_the_desk_changes),
        T(the_last_minutes_of_a_day),
        T(a_zone_of_any_number_is_closed),
        T(only_what_has_ended_is_closed),
        T(late_supply_ends_when_he_stands),
        cmocka_unit_test(nobody_is_reminded_who_does_not_want_it),
        T(papers_that_are_missing),
        T(roles_run_full),
        T(all_minutes_and_not_one_more),
        cmocka_unit_test(nobody_pays_what_he_has_not),
        T(early_by_the_minute),
    };
    return cmocka_run_group_tests_name("public", tests, NULL, NULL);
}
