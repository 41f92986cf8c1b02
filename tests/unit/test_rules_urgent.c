/* test_rules_urgent.c - a place at once for who must have one: who may ask, and who gives way.
 * Zone 1 has the slots 1 (the owner's own) to 4, zone 2 has 5 and 6, open from 08:00 to 20:00.
 */
#include "tests/unit/owner_fixture.h"
#include "tests/unit/rules_table.h"

enum { AMBULANCE = 3, CARER = 60, EXPIRED = 61 };

static int prepare(void **state)
{
    uint8_t blob[128];
    size_t at = 0;
    fixture_set_up(state);
    ROW(vehicle, CARER, 0, TIDE_VEHICLE_KIND_care, 0);
    ROW(vehicle, EXPIRED, 0, TIDE_VEHICLE_KIND_care, MONDAY_0800);
    fixture_put_blob(*state, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS((struct fixture *)*state, ok);
    return 0;
}

static uint32_t visit(struct fixture *f, tide_id user, tide_id plate, tide_id zone, int from_min,
                      int until_min)
{
    fixture_send(f, user, TIDE_REC_book,
                 &(struct tide_book){.plate = plate,
                                     .zone = zone,
                                     .household = HOME_THIRD,
                                     .start_ms = MONDAY_0800 + from_min * MIN_MS,
                                     .end_ms = MONDAY_0800 + until_min * MIN_MS,
                                     .urgent = 1});
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

static void who_may_ask(void **state)
{
    static const struct {
        const char *rule;
        tide_id user, plate, zone;
        const char *code, *why;
    } rows[] = {
        {"the guard", GUARD, CARER, 2, "ok", "none"},
        {"the desk", CLERK, AMBULANCE, 2, "ok", "none"},
        {"the property", PROPERTY, CARER, 2, "ok", "none"},
        {"a resident", THIRD, CARER, 2, "not_authorized", "role_missing"},
        {"any plate", GUARD, 50, 2, "not_authorized", "not_certified"},
        {"a resident's plate", GUARD, 2, 2, "not_authorized", "not_certified"},
        {"a certificate that has ended", GUARD, EXPIRED, 2, "not_authorized", "not_certified"},
        {"no zone", GUARD, CARER, 7, "not_found", "none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *own = NULL;
        (void)state;
        prepare(&own);
        visit(own, rows[i].user, rows[i].plate, rows[i].zone, 60, 120);
        expect(own, rows[i].rule, rows[i].code, rows[i].why);
        done(own);
    }
}

/* Both slots of zone 2 are promised: 180 minutes on one, 60 and 60 on the other. */
static void fill(struct fixture *f, uint32_t ids[3])
{
    ids[0] = fixture_book(f, NEIGHBOUR, 50, 2, 60, 240);
    ids[1] = fixture_book(f, NEIGHBOUR, 51, 2, 60, 120);
    ids[2] = fixture_book(f, NEIGHBOUR, 52, 2, 120, 180);
    assert_true(ids[0] != 0 && ids[1] != 0 && ids[2] != 0);
    assert_int_not_equal(fixture_booking(f, ids[0])->slot, fixture_booking(f, ids[1])->slot);
    assert_int_equal(fixture_booking(f, ids[1])->slot, fixture_booking(f, ids[2])->slot);
}

static void the_fewest_minutes_give_way(void **state)
{
    struct fixture *f = *state;
    uint32_t ids[3];
    fill(f, ids);
    int32_t had = account(f, HOME_NEIGHBOUR)->balance_min;
    uint32_t id = visit(f, GUARD, CARER, 2, 90, 150);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, ids[0])->moves, 0);
    assert_null(fixture_booking(f, ids[1]));
    assert_null(fixture_booking(f, ids[2]));
    struct tide_booking one = written(f, ids[1]), two = written(f, ids[2]);
    assert_int_equal(one.state, TIDE_BOOKING_STATE_broken);
    assert_int_equal(one.reason, TIDE_WHY_preempted);
    assert_int_equal(two.state, TIDE_BOOKING_STATE_broken);
    assert_int_equal(account(f, HOME_NEIGHBOUR)->balance_min, had + 2 * 60); /* compensation_min */
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_booking_broken));
    assert_int_equal(fixture_booking(f, id)->slot, one.slot);
    assert_int_equal(fixture_booking(f, id)->urgent, 1);
    assert_int_equal(fixture_booking(f, id)->held_min, 0);
    assert_int_equal(account(f, HOME_THIRD)->held_min, 0);
}

static void who_fits_elsewhere_is_moved(void **state)
{
    struct fixture *f = *state;
    set(f, TIDE_SETTING_reseat_steps, 0); /* else room would have been made before */
    uint32_t longer = fixture_book(f, NEIGHBOUR, 50, 2, 100, 400);
    uint32_t way = fixture_book(f, NEIGHBOUR, 51, 2, 60, 95);
    tide_id slot = fixture_booking(f, way)->slot;
    assert_int_equal(fixture_booking(f, longer)->slot, slot);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, 2, 98, 700), 0);
    uint32_t id = visit(f, GUARD, CARER, 2, 70, 99);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, id)->slot, slot);
    assert_int_not_equal(fixture_booking(f, way)->slot, slot);
    assert_int_equal(fixture_booking(f, way)->disturbed, TIDE_WHY_preempted);
}

static void a_free_place_is_taken_first(void **state)
{
    struct fixture *f = *state;
    uint32_t one = fixture_book(f, NEIGHBOUR, 50, 2, 60, 240);
    uint32_t id = visit(f, GUARD, CARER, 2, 60, 240);
    assert_int_not_equal(fixture_booking(f, id)->slot, fixture_booking(f, one)->slot);
    assert_int_equal(fixture_booking(f, one)->disturbed, TIDE_WHY_none);
}

static void who_stays(void **state)
{
    struct fixture *f = *state;
    uint32_t first = visit(f, GUARD, CARER, 2, 60, 240);
    uint32_t there = fixture_book(f, NEIGHBOUR, 50, 2, 0, 240);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = there});
    CODE_IS(f, ok);
    visit(f, GUARD, AMBULANCE, 2, 60, 120); /* one is a visit, one is there */
    expect(f, "nobody gives way", "full", "all_taken");
    assert_int_equal(fixture_booking(f, first)->state, TIDE_BOOKING_STATE_booked);
    assert_int_equal(fixture_booking(f, there)->state, TIDE_BOOKING_STATE_parked);
    visit(f, GUARD, AMBULANCE, 2, 250, 800);
    expect(f, "nothing is open so late", "full", "no_window");
}

/* All four are promised for the same time; slot 1 to its owner, who asked first. */
static void an_owner_keeps_his_slot(void **state)
{
    struct fixture *f = *state;
    uint32_t own = fixture_book(f, OWNER, 41, 1, 60, 300);
    for (tide_id plate = 50; plate < 53; plate++)
        assert_int_not_equal(fixture_book(f, NEIGHBOUR, plate, 1, 60, 300), 0);
    assert_int_equal(fixture_booking(f, own)->slot, 1);
    uint32_t id = visit(f, GUARD, CARER, 1, 60, 120);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, id)->slot, 2); /* of equals the lower, but for his */
    assert_int_equal(fixture_booking(f, own)->slot, 1);
}

/* Neither account, nor caps: a household without a minute is visited all the same. */
static void no_account_is_asked(void **state)
{
    struct fixture *f = *state;
    set(f, TIDE_SETTING_household_day_max_min, 5);
    set(f, TIDE_SETTING_household_live_max, 1);
    assert_int_not_equal(visit(f, GUARD, CARER, 2, 60, 120), 0);
    uint32_t id = visit(f, GUARD, AMBULANCE, 2, 60, 120);
    assert_int_not_equal(id, 0);
    int32_t had = account(f, HOME_THIRD)->balance_min;
    fixture_send(f, CLERK, TIDE_REC_extend,
                 &(struct tide_extend){.booking = id, .end_ms = MONDAY_0800 + 180 * MIN_MS});
    CODE_IS(f, conflict);
    fixture_pass(f, 60 * MIN_MS);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    CODE_IS(f, ok);
    fixture_pass(f, 90 * MIN_MS); /* half an hour too long */
    fixture_send(f, GUARD, TIDE_REC_leave, &(struct tide_leave){.booking = id});
    CODE_IS(f, ok);
    assert_int_equal(account(f, HOME_THIRD)->balance_min, had);
    assert_int_equal(account(f, HOME_THIRD)->overstays, 0);
}

static void who_does_not_come_is_not_blamed(void **state)
{
    struct fixture *f = *state;
    uint32_t id = visit(f, GUARD, CARER, 2, 0, 120);
    fixture_pass(f, 30 * MIN_MS);
    assert_int_equal(written(f, id).state, TIDE_BOOKING_STATE_no_show);
    assert_int_equal(account(f, HOME_THIRD)->no_shows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_ask),
        cmocka_unit_test_setup_teardown(the_fewest_minutes_give_way, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_fits_elsewhere_is_moved, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_free_place_is_taken_first, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_stays, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(an_owner_keeps_his_slot, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(no_account_is_asked, prepare, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_come_is_not_blamed, prepare,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
