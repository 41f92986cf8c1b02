/* test_rules_people.c - papers of a year, people who are forgotten with all that is theirs, pools
 * that run full.
 */
#include "tests/unit/rules_table.h"

#define TODAY 18036 /* 2019-05-20 */

/* ---- the calendar --------------------------------------------------------------------------- */
static void put_year(struct fixture *f, tide_id user, int32_t year, const uint8_t *blob, size_t len)
{
    struct engine_event event = {.kind = TIDE_REC_calendar,
                                 .user = user,
                                 .when_ms = f->now_ms,
                                 .blob = blob,
                                 .blob_len = (uint32_t)len};
    event.as.calendar.year = year;
    f->effects.len = f->effects.count = 0;
    engine_step(f->engine, &event, &f->effects);
    assert_true(fixture_effect(f, ENGINE_REPLY, TIDE_REC_reply, 0, &f->reply));
    struct tide_reply reply = f->reply;
    fixture_pass(f, 0); /* the promises are looked at again */
    f->reply = reply;
}

static void papers_of_a_year(void **state)
{
    static const struct {
        const char *rule;
        tide_id user;
        int32_t year, date;
        unsigned day_class, kind, rows, cut;
        const char *code, *why;
    } rows[] = {
        {"a holiday", CLERK, 2019, TODAY + 1, TIDE_DAY_CLASS_holiday, 0, 1, 0, "ok", "none"},
        {"no day at all", CLERK, 2019, 0, 0, 0, 0, 0, "ok", "none"},
        {"not by a resident", OWNER, 2019, TODAY, 1, 0, 1, 0, "not_authorized", "role_missing"},
        {"not by the guard", GUARD, 2019, TODAY, 1, 0, 1, 0, "not_authorized", "role_missing"},
        {"the first year", CLERK, 1970, 5, 1, 0, 1, 0, "ok", "none"},
        {"before the epoch", CLERK, 1969, 5, 1, 0, 1, 0, "invalid", "none"},
        {"the last year", CLERK, 9999, 0, 0, 0, 0, 0, "ok", "none"},
        {"five digits", CLERK, 10000, 0, 0, 0, 0, 0, "invalid", "none"},
        {"a day without a class", CLERK, 2019, TODAY, 0, 0, 1, 0, "invalid", "none"},
        {"a row that is no day", CLERK, 2019, TODAY, 1, TIDE_REC_place, 1, 0, "invalid", "none"},
        {"cut off", CLERK, 2019, TODAY, 1, 0, 2, 1, "invalid", "none"},
        {"of the year before", CLERK, 2020, TODAY, 1, 0, 1, 0, "ok", "none"},
        {"of the year after", CLERK, 2018, TODAY, 1, 0, 1, 0, "ok", "none"},
        {"of two years before", CLERK, 2021, TODAY, 1, 0, 1, 0, "invalid", "none"},
        {"of two years after", CLERK, 2017, TODAY, 1, 0, 1, 0, "invalid", "none"},
        {"as many as there may be", CLERK, 2019, TODAY, 1, 0, 120, 0, "ok", "none"},
        {"one more", CLERK, 2019, TODAY, 1, 0, 121, 0, "invalid", "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t blob[4096];
        size_t at = 0;
        struct fixture *f = fresh();
        for (unsigned n = 0; n < rows[i].rows; n++) {
            struct tide_day day = {rows[i].date + (int32_t)n, (uint8_t)rows[i].day_class};
            at = fixture_row(blob, at, TIDE_REC_day, &day);
            if (rows[i].kind != 0)
                blob[0] = (uint8_t)rows[i].kind;
        }
        put_year(f, rows[i].user, rows[i].year, blob, at - rows[i].cut);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        done(f);
    }
}

static void a_new_paper_replaces_the_old_one(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    size_t at = 0;
    ROW(day, TODAY + 1, TIDE_DAY_CLASS_holiday);
    ROW(day, TODAY + 2, TIDE_DAY_CLASS_holiday);
    put_year(f, CLERK, 2019, blob, at);
    fixture_book(f, NEIGHBOUR, 50, 3, 1440 + 60, 1440 + 120);
    expect(f, "no workday", "full", "no_window");
    at = 0;
    ROW(day, TODAY + 2, TIDE_DAY_CLASS_holiday);
    put_year(f, CLERK, 2019, blob, at);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 3, 1440 + 60, 1440 + 120), 0);
    fixture_book(f, NEIGHBOUR, 51, 3, 2880 + 60, 2880 + 120);
    expect(f, "still none", "full", "no_window");
    assert_null(engine_find(f->engine, TIDE_REC_day, TODAY + 1, 0, 0));
}

/* ---- forgetting ----------------------------------------------------------------------------- */
static unsigned forgotten(const struct fixture *f, unsigned kind, uint32_t id)
{
    struct tide_forgotten row;
    unsigned found = 0;
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_forgotten, n, &row); n++)
        found += row.kind == kind && row.id == id;
    return found;
}

static void a_person_goes_with_all_that_is_his(void **state)
{
    struct fixture *f = *state;
    struct tide_repeat repeat = {.plate = 60,
                                 .zone = 3,
                                 .days = TIDE_DAYS_WORKDAY,
                                 .opens_min = 14 * 60,
                                 .closes_min = 15 * 60};
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    uint32_t other = fixture_book(f, THIRD, 51, 3, 60, 120);
    fixture_send(f, NEIGHBOUR, TIDE_REC_repeat, &repeat);
    CODE_IS(f, ok);
    uint32_t series = f->reply.id;
    repeat.plate = 61;
    fixture_send(f, THIRD, TIDE_REC_repeat, &repeat);
    uint32_t theirs = f->reply.id;
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){TIDE_NAME_KIND_person, NEIGHBOUR});
    CODE_IS(f, ok);
    assert_null(engine_find(f->engine, TIDE_REC_person, NEIGHBOUR, 0, 0));
    assert_null(engine_find(f->engine, TIDE_REC_user, NEIGHBOUR, 0, 0));
    assert_null(engine_find(f->engine, TIDE_REC_vehicle, 2, 0, 0)); /* the last of the household */
    assert_null(fixture_booking(f, booking));
    assert_non_null(fixture_booking(f, other));
    assert_null(engine_find(f->engine, TIDE_REC_series, series, 0, 0));
    assert_non_null(engine_find(f->engine, TIDE_REC_series, theirs, 0, 0));
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_person, NEIGHBOUR), 1);
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_full_name, NEIGHBOUR), 1);
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_phone, NEIGHBOUR), 1);
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_user, NEIGHBOUR), 1);
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_credential, NEIGHBOUR), 1);
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_plate, 2), 1);
    fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    CODE_IS(f, not_authorized);
}

static void who_lives_with_somebody_leaves_the_cars(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    size_t at = 0;
    ROW(person, 20, HOME_NEIGHBOUR);
    ROW(role_row, NEIGHBOUR, TIDE_ROLE_steward, COMPOUND);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){TIDE_NAME_KIND_person, NEIGHBOUR});
    CODE_IS(f, ok);
    assert_non_null(engine_find(f->engine, TIDE_REC_vehicle, 2, 0, 0));
    assert_null(engine_find(f->engine, TIDE_REC_role_row, NEIGHBOUR, TIDE_ROLE_steward, COMPOUND));
}

/* What hangs on a chain goes in the order of its keys, however it came. */
static void all_goes_in_order(void **state)
{
    struct fixture *f = *state;
    static const uint32_t ids[] = {34, 31, 35, 33, 32};
    for (unsigned i = 0; i < 5; i++) {
        uint8_t blob[256];
        size_t at = 0;
        ROW(user, ids[i], NEIGHBOUR, TIDE_USER_KIND_app);
        ROW(vehicle, ids[i], HOME_NEIGHBOUR, TIDE_VEHICLE_KIND_resident);
        ROW(role_row, NEIGHBOUR, TIDE_ROLE_guard, i == 0 ? COMPOUND : i == 1 ? HOME_THIRD : i);
        fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    }
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){TIDE_NAME_KIND_person, NEIGHBOUR});
    CODE_IS(f, ok);
    struct tide_user user;
    struct tide_vehicle vehicle;
    struct tide_role_row role;
    uint32_t last = 0, n = 0;
    for (; fixture_effect(f, ENGINE_DEL, TIDE_REC_user, n, &user); n++, last = user.id)
        assert_true(user.id > last);
    assert_int_equal(n, 6);
    for (n = last = 0; fixture_effect(f, ENGINE_DEL, TIDE_REC_vehicle, n, &vehicle); n++) {
        assert_true(vehicle.plate > last);
        last = vehicle.plate;
    }
    assert_int_equal(n, 6);
    for (n = last = 0; fixture_effect(f, ENGINE_DEL, TIDE_REC_role_row, n, &role); n++) {
        assert_true(role.place > last);
        last = role.place;
    }
    assert_true(n >= 4);
}

static void slots_come_in_order(void **state)
{
    struct fixture *f = *state;
    static const tide_id ids[] = {24, 21, 23, 22};
    uint8_t blob[1024];
    size_t at = 0;
    ROW(zone, 4, COMPOUND, 0, TIDE_SENSE_HAND, 1, 1);
    for (unsigned i = 0; i < 4; i++) {
        ROW(slot, ids[i], 4, TIDE_SLOT_TITLE_owned, 0, HOME_THIRD);
        ROW(window, .slot = ids[i], .days = TIDE_DAYS_ALL, .weekdays = TIDE_WEEKDAYS_ALL,
            .opens_min = 8 * 60, .closes_min = 20 * 60);
    }
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    for (unsigned i = 0; i < 4; i++)
        assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50 + i, 4, 60, 120), 0);
    struct tide_booking booking;
    struct tide_window window;
    tide_id last = 0;
    fixture_send(f, GUARD, TIDE_REC_ask_sheet, &(struct tide_ask_sheet){.zone = 4});
    for (unsigned n = 0; n < 4; n++) {
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, n, &booking));
        assert_true(booking.slot > last);
        last = booking.slot;
    }
    last = 0;
    fixture_send(f, THIRD, TIDE_REC_ask_shares, &(struct tide_ask_shares){0});
    for (unsigned n = 0; n < 4; n++) {
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_window, n, &window));
        assert_true(window.slot > last);
        last = window.slot;
    }
}

static void a_plate_in_use_is_not_forgotten(void **state)
{
    struct fixture *f = *state;
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    struct tide_forget forget = {TIDE_NAME_KIND_plate, 50};
    fixture_send(f, CLERK, TIDE_REC_forget, &forget);
    expect(f, "promised", "conflict", "in_use");
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = booking});
    fixture_send(f, CLERK, TIDE_REC_forget, &forget);
    expect(f, "not any more", "ok", "none");
    assert_int_equal(forgotten(f, TIDE_NAME_KIND_plate, 50), 1);
    forget.id = 1;
    fixture_send(f, 0, TIDE_REC_forget, &forget);
    expect(f, "the daemon lets residents' cars be", "conflict", "in_use");
    fixture_send(f, CLERK, TIDE_REC_forget, &forget);
    expect(f, "the desk does not", "ok", "none");
    assert_null(engine_find(f->engine, TIDE_REC_vehicle, 1, 0, 0));
}

/* ---- who is told, what is shown ------------------------------------------------------------- */
static void all_who_have_a_role_are_told(void **state)
{
    struct fixture *f = *state;
    static const tide_id clerks[] = {14, 11, 15, 12, 13};
    for (unsigned i = 0; i < 5; i++) {
        uint8_t blob[256];
        size_t at = 0;
        ROW(person, clerks[i], HOME_OWNER);
        ROW(role_row, clerks[i], TIDE_ROLE_clerk, COMMUNITY);
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
    }
    fixture_send(f, ADMIN, TIDE_REC_drop,
                 &(struct tide_drop){TIDE_REC_role_row, 13, TIDE_ROLE_clerk, COMMUNITY});
    CODE_IS(f, ok);
    f->now_ms += 4 * HOUR_MS;
    fixture_send(f, 0, TIDE_REC_clock,
                 &(struct tide_clock){f->now_ms - 4 * HOUR_MS, f->now_ms, true});
    for (tide_id id = 11; id <= 15; id++)
        assert_int_equal(fixture_told(f, id, TIDE_NOTICE_KIND_clock_jump), id != 13);
    assert_true(fixture_told(f, CLERK, TIDE_NOTICE_KIND_clock_jump));
    assert_false(fixture_told(f, OWNER, TIDE_NOTICE_KIND_clock_jump));
}

static void a_zone_at_this_moment(void **state)
{
    struct fixture *f = *state;
    struct tide_zone_now now;
    while (engine_take_dirty_zone(f->engine) != 0)
        ;
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 3, 0, 60);
    assert_int_equal(engine_take_dirty_zone(f->engine), 3);
    assert_int_equal(engine_take_dirty_zone(f->engine), 0);
    engine_zone_now(f->engine, 3, &now);
    assert_int_equal(now.slots, 2);
    assert_int_equal(now.open, 2);
    assert_int_equal(now.promised, 1);
    assert_int_equal(now.parked, 0);
    assert_int_equal(now.free, 1);
    tide_id other = fixture_booking(f, booking)->slot == 7 ? 8 : 7;
    fixture_sensor(f, other, TIDE_OCCUPANCY_occupied);
    engine_zone_now(f->engine, 3, &now);
    assert_int_equal(now.free, 0);
    fixture_sensor(f, other, TIDE_OCCUPANCY_free);
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){other, 0, f->now_ms, f->now_ms + HOUR_MS, 0});
    engine_zone_now(f->engine, 3, &now);
    assert_int_equal(now.open, 1);
    assert_int_equal(now.free, 0);
}

static void nobody_asks_for_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, 0, 50, 3, 60, 120);
    CODE_IS(f, not_authorized);
}

/* ---- what is refused has not happened ------------------------------------------------------- */
static void a_recall_that_cannot_be_moves_nobody(void **state)
{
    struct fixture *f = *state;
    uint32_t parked = fixture_book(f, NEIGHBOUR, 50, 3, 0, 60);
    uint32_t late = fixture_book(f, NEIGHBOUR, 50, 3, 180, 240);
    tide_id slot = fixture_booking(f, parked)->slot;
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.booking = parked, .slot = slot});
    CODE_IS(f, ok);
    tide_id was = fixture_booking(f, late)->slot;
    fixture_send(f, CLERK, TIDE_REC_recall,
                 &(struct tide_recall){slot, MONDAY_0800, MONDAY_0800 + 5 * HOUR_MS, 0, 0, 0});
    expect(f, "a parked car is never moved", "conflict", "promised");
    assert_int_equal(fixture_booking(f, parked)->slot, slot);
    assert_int_equal(fixture_booking(f, late)->slot, was);
}

/* What ends as the recall begins, or begins as it ends, is not in its way. */
static void a_recall_meets_nobody(void **state)
{
    struct fixture *f = *state;
    uint32_t before = fixture_book(f, NEIGHBOUR, 50, 3, 0, 60);
    uint32_t after = fixture_book(f, NEIGHBOUR, 51, 3, 120, 180);
    tide_id slot = fixture_booking(f, before)->slot;
    assert_int_equal(fixture_booking(f, after)->slot, slot);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = before});
    CODE_IS(f, ok);
    fixture_send(
        f, CLERK, TIDE_REC_recall,
        &(struct tide_recall){slot, MONDAY_0800 + HOUR_MS, MONDAY_0800 + 2 * HOUR_MS, 0, 0, 0});
    expect(f, "between two promises", "ok", "none");
    assert_int_equal(fixture_booking(f, before)->slot, slot);
    assert_int_equal(fixture_booking(f, after)->slot, slot);
    assert_int_equal(fixture_booking(f, after)->moves, 0);
}

static void the_first_moved_moves_back(void **state)
{
    struct fixture *f = *state;
    uint32_t a = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    uint32_t b = fixture_book(f, NEIGHBOUR, 51, 3, 120, 180);
    uint32_t c = fixture_book(f, THIRD, 52, 3, 120, 180); /* the other slot is taken then */
    tide_id slot = fixture_booking(f, b)->slot;
    assert_int_equal(fixture_booking(f, a)->slot, slot);
    assert_int_not_equal(fixture_booking(f, c)->slot, slot);
    fixture_send(
        f, CLERK, TIDE_REC_recall,
        &(struct tide_recall){slot, MONDAY_0800 + HOUR_MS, MONDAY_0800 + 3 * HOUR_MS, 0, 0, 0});
    expect(f, "the second has nowhere to go", "conflict", "promised");
    assert_int_equal(fixture_booking(f, a)->slot, slot);
    assert_int_equal(fixture_booking(f, a)->moves, 0);
    assert_int_equal(fixture_booking(f, b)->slot, slot);
    struct tide_booking row;
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_booking, 0, &row));
    assert_int_equal(fixture_book(f, OWNER, 53, 3, 60, 120) != 0,
                     true); /* the place is free again */
    assert_int_not_equal(fixture_booking(f, f->reply.id)->slot, slot);
    assert_int_equal(fixture_book(f, OWNER, 54, 3, 60, 120), 0); /* and a's is still a's */
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = a});
    CODE_IS(f, ok);
    assert_int_equal(fixture_book(f, OWNER, 54, 3, 60, 120) != 0, true);
    assert_int_equal(fixture_booking(f, f->reply.id)->slot, slot);
}

static void an_order_is_lifted_by_the_desk(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){1, 0, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0});
    CODE_IS(f, ok);
    fixture_send(f, CLERK, TIDE_REC_unshare, &(struct tide_unshare){.window = f->reply.id});
    expect(f, "lifted", "ok", "none");
}

static void a_command_that_was_never_given(void **state)
{
    struct fixture *f = *state;
    struct tide_command command = fixture_camera(f, 1, 1), more;
    assert_int_not_equal(command.id, 0);
    for (unsigned n = 1; fixture_effect(f, ENGINE_PUT, TIDE_REC_command, n, &more); n++)
        command.id = more.id; /* the last that was given */
    static const struct {
        int ahead;
        bool known;
    } rows[] = {{1, false}, {2, false}, {0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture_send(f, GATEWAY, TIDE_REC_command_done,
                     &(struct tide_command_done){.command = command.id + (uint32_t)rows[i].ahead,
                                                 .state = TIDE_COMMAND_STATE_done,
                                                 .boot = 1,
                                                 .seq = ++f->seq});
        struct tide_outcome outcome;
        assert_int_equal(fixture_effect(f, ENGINE_PUT, TIDE_REC_outcome, 0, &outcome),
                         rows[i].known);
    }
}

/* The widest numbers there are, and one bit more. */
static void numbers_to_their_ends(void **state)
{
    static const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    const struct tide_record *desc = tide_record_of(TIDE_REC_setting_row);
    uint8_t bytes[32];
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct tide_setting_row seen, row = {.key = 3, .value = values[i]};
        size_t used = tide_record_pack(desc, &row, bytes, sizeof bytes);
        assert_int_not_equal(used, 0);
        assert_int_equal(tide_record_unpack(desc, bytes, used, &seen), used);
        assert_true(seen.value == values[i]);
    }
    struct tide_setting_row seen;
    size_t used = tide_record_pack(desc, &(struct tide_setting_row){3, INT64_MIN}, bytes, 32);
    assert_int_equal(bytes[used - 1], 1); /* the tenth byte holds one bit */
    bytes[used - 1] = 2;
    assert_int_equal(tide_record_unpack(desc, bytes, used, &seen), 0);
}

/* ---- what runs full ------------------------------------------------------------------------- */
static void windows_run_full(void **state)
{
    struct fixture *f = *state;
    struct tide_share share = {.slot = 1, .kind = TIDE_WINDOW_KIND_once};
    share.start_ms = MONDAY_0800;
    unsigned made = 0;
    for (; made < 300; made++) {
        share.end_ms = MONDAY_0800 + HOUR_MS + made;
        fixture_send(f, OWNER, TIDE_REC_share, &share);
        if (f->reply.code != TIDE_CODE_ok)
            break;
    }
    expect(f, "a window more", "full", "pool_full");
    assert_int_equal(made, 256 - 8);
    fixture_send(f, OWNER, TIDE_REC_recall,
                 &(struct tide_recall){1, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0, 0, 0});
    expect(f, "a recall more", "full", "pool_full");
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){1, 0, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0});
    expect(f, "a blackout more", "full", "pool_full");
    uint8_t blob[256];
    size_t at = 0;
    ROW(place, 20, TIDE_PLACE_KIND_stair, COMPOUND);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    expect(f, "a row more", "full", "pool_full");
}

static void series_run_full(void **state)
{
    struct fixture *f = *state;
    unsigned made = 0;
    for (; made < 40; made++) {
        struct tide_repeat repeat = {.plate = 100 + made,
                                     .zone = 3,
                                     .days = TIDE_DAYS_HOLIDAY,
                                     .opens_min = 14 * 60,
                                     .closes_min = 15 * 60};
        fixture_send(f, NEIGHBOUR, TIDE_REC_repeat, &repeat);
        if (f->reply.code != TIDE_CODE_ok)
            break;
    }
    expect(f, "a series more", "full", "pool_full");
    assert_int_equal(made, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(papers_of_a_year),
        cmocka_unit_test_setup_teardown(a_new_paper_replaces_the_old_one, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_person_goes_with_all_that_is_his, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_lives_with_somebody_leaves_the_cars, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_plate_in_use_is_not_forgotten, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(all_who_have_a_role_are_told, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_zone_at_this_moment, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(nobody_asks_for_nothing, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(all_goes_in_order, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(slots_come_in_order, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_recall_that_cannot_be_moves_nobody, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_recall_meets_nobody, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_first_moved_moves_back, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(an_order_is_lifted_by_the_desk, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_command_that_was_never_given, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(numbers_to_their_ends),
        cmocka_unit_test_setup_teardown(windows_run_full, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(series_run_full, fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
