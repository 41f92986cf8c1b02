/* test_rules_recall.c - a slot called back: who moves, what is offered in exchange, and the no. */
#include "tests/unit/owner_fixture.h"

/* ---- a slot called back ---------------------------------------------------------------------- */
static void call_back(struct fixture *f, int from_min, int until_min, tide_id swap, bool plan)
{
    fixture_send(f, OWNER, TIDE_REC_recall,
                 &(struct tide_recall){.slot = 1,
                                       .start_ms = MONDAY_0800 + from_min * MIN_MS,
                                       .end_ms = MONDAY_0800 + until_min * MIN_MS,
                                       .swap = swap,
                                       .plan = plan});
}

static unsigned swaps(const struct fixture *f, struct tide_swap *ret_first)
{
    struct tide_swap swap;
    unsigned n = 0;
    for (; fixture_effect(f, ENGINE_ITEM, TIDE_REC_swap, n, &swap); n++)
        if (n == 0)
            *ret_first = swap;
    return n;
}

/* As above: 51 on slot 1 fits nowhere unless 55 makes room. Told first, then done. */
static void who_is_in_the_way_moves_with_others_if_need_be(void **state)
{
    struct fixture *f = *state;
    uint8_t before[32], after[32];
    set(f, TIDE_SETTING_reseat_steps, 0);
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
    uint32_t way = fixture_book(f, NEIGHBOUR, 51, 1, 80, 200);
    fixture_book(f, NEIGHBOUR, 52, 1, 0, 720);
    fixture_book(f, NEIGHBOUR, 53, 1, 0, 70);
    uint32_t behind = fixture_book(f, NEIGHBOUR, 55, 1, 180, 300);
    fixture_book(f, NEIGHBOUR, 54, 1, 0, 150);
    tide_id slots[] = {fixture_booking(f, way)->slot, fixture_booking(f, behind)->slot};
    assert_int_equal(slots[0], 1);
    fixture_pass(f, 0);
    engine_digest(f->engine, before);
    call_back(f, 80, 200, 0, false);
    CODE_IS(f, conflict); /* while nothing makes room */
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
    set(f, TIDE_SETTING_reseat_steps, 1000);
    engine_digest(f->engine, before);
    call_back(f, 80, 200, 0, true);
    CODE_IS(f, ok);
    unsigned moves = (unsigned)f->reply.limit;
    assert_true(moves >= 2);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
    call_back(f, 80, 200, 0, false);
    CODE_IS(f, ok);
    assert_int_equal(f->reply.limit, moves);
    assert_int_not_equal(fixture_booking(f, way)->slot, 1);
    assert_int_not_equal(fixture_booking(f, behind)->slot, slots[1]);
}

/* 50 is parked on slot 1 until 10:00, 51 comes there from 10:00 to 11:00. */
static uint32_t parked_in_the_way(struct fixture *f)
{
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 0, 120);
    fixture_camera(f, 1, 50);
    assert_int_equal(fixture_booking(f, id)->slot, 1);
    assert_int_equal(fixture_booking(f, fixture_book(f, NEIGHBOUR, 51, 1, 120, 180))->slot, 1);
    return id;
}

/* Who waits is looked at when a move makes room; of one that was only planned he hears nothing. */
static void a_plan_frees_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t before[32], after[32];
    uint32_t way = fixture_book(f, NEIGHBOUR, 51, 1, 80, 200);
    for (tide_id plate = 52; plate < 54; plate++)
        fixture_book(f, NEIGHBOUR, plate, 1, 0, 720);
    assert_int_equal(fixture_booking(f, way)->slot, 1);
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){.slot = 4,
                                         .start_ms = MONDAY_0800 + 300 * MIN_MS,
                                         .end_ms = MONDAY_0800 + 720 * MIN_MS});
    CODE_IS(f, ok);
    set(f, TIDE_SETTING_reseat_steps, 0);
    struct tide_wait want = {.plate = 55,
                             .zone = 1,
                             .start_ms = MONDAY_0800 + 30 * MIN_MS,
                             .end_ms = MONDAY_0800 + 400 * MIN_MS};
    fixture_send(f, THIRD, TIDE_REC_wait, &want);
    CODE_IS(f, ok);
    fixture_pass(f, 0);
    engine_digest(f->engine, before);
    call_back(f, 80, 200, 0, true);
    CODE_IS(f, ok);
    assert_int_equal(f->reply.limit, 1);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
}

static void no_says_from_when_on(void **state)
{
    struct fixture *f = *state;
    parked_in_the_way(f);
    call_back(f, 60, 240, 0, false);
    CODE_IS(f, conflict);
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800);
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + 120 * MIN_MS); /* 51 moves */
    call_back(f, 120, 240, 0, false);
    CODE_IS(f, ok);
}

static void another_slot_in_exchange(void **state)
{
    struct fixture *f = *state;
    struct tide_swap swap = {0};
    uint32_t parked = parked_in_the_way(f);
    int32_t had = account(f, HOME_OWNER)->balance_min;
    call_back(f, 60, 240, 0, false);
    assert_int_equal(swaps(f, &swap), 1);
    assert_int_equal(swap.slot, 2);
    assert_int_equal(swap.minutes, 60);
    call_back(f, 60, 240, swap.slot, true); /* only told */
    assert_int_equal(swaps(f, &swap), 1);
    assert_null(substitute(f));
    call_back(f, 60, 240, swap.slot, false);
    CODE_IS(f, ok);
    const struct tide_booking *other = substitute(f);
    assert_non_null(other);
    assert_int_equal(other->slot, 2);
    assert_int_equal(other->reason, TIDE_WHY_recall);
    uint32_t id = other->id;
    assert_int_equal(fixture_booking(f, parked)->slot, 1); /* the bookings stay */
    call_back(f, 60, 240, 3, false);
    CODE_IS(f, conflict); /* one is enough */
    assert_int_equal(swaps(f, &swap), 0);
    fixture_pass(f, 60 * MIN_MS);
    assert_int_equal(fixture_camera(f, 1, 1).slot, 2);
    fixture_camera(f, 2, 50); /* his own slot is free: nothing is taken from him */
    assert_int_equal(fixture_booking(f, id)->state, TIDE_BOOKING_STATE_parked);
    int32_t earned = account(f, HOME_OWNER)->balance_min - had;
    fixture_camera(f, 2, 1);
    assert_int_equal(account(f, HOME_OWNER)->balance_min, had + earned + 60);
}

static void what_is_swapped_must_fit(void **state)
{
    static const struct {
        const char *rule;
        tide_id swap;
        bool taken;
    } rows[] = {
        {"free, in his zone", 3, true},
        {"taken at the time", 2, false},
        {"another zone, no walk to it", 5, false},
        {"his own", 1, false},
        {"none such", 99, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        parked_in_the_way(f);
        assert_int_equal(fixture_booking(f, fixture_book(f, NEIGHBOUR, 52, 1, 100, 200))->slot, 2);
        call_back(f, 60, 240, rows[i].swap, false);
        if ((substitute(f) != NULL) != rows[i].taken ||
            (f->reply.code == TIDE_CODE_ok) != rows[i].taken)
            fail_msg("%s: %s", rows[i].rule, code_name(f->reply.code));
        fixture_tear_down(&fresh);
    }
}

/* From now on: what is named instead must be empty now; and it may be in another zone, if that is
 * within the walk: the nearest as well as others. */
static void what_is_swapped_now_must_be_empty(void **state)
{
    static const struct {
        const char *rule;
        tide_id swap;
        int from_min;
        bool taken;
    } rows[] = {
        {"somebody is there", 3, 0, false}, {"nor for later on", 3, 60, false},
        {"nobody is there", 4, 0, true},    {"in the nearest zone", 5, 60, true},
        {"in the next", 7, 60, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static uint8_t blob[512];
        size_t at = 0;
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        for (tide_id zone = 1; zone <= 3; zone++)
            ROW(zone, .id = zone, .place = COMPOUND,
                .sense = zone == 1 ? TIDE_SENSE_GATE | TIDE_SENSE_SENSOR : TIDE_SENSE_SENSOR,
                .outsiders = 1, .resolution = 2019, .walk_group = 1,
                .walk_m = (uint16_t)(50 * zone));
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
        parked_in_the_way(f);
        fixture_sensor(f, 3, TIDE_OCCUPANCY_occupied);
        call_back(f, rows[i].from_min, 240, rows[i].swap, false);
        if ((substitute(f) != NULL) != rows[i].taken)
            fail_msg("%s: %s", rows[i].rule, code_name(f->reply.code));
        fixture_tear_down(&fresh);
    }
}

static void only_who_was_there_earns(void **state)
{
    struct fixture *f = *state;
    parked_in_the_way(f);
    call_back(f, 60, 240, 2, false);
    CODE_IS(f, ok);
    int32_t had = account(f, HOME_OWNER)->balance_min;
    fixture_send(f, OWNER, TIDE_REC_cancel, &(struct tide_cancel){.booking = substitute(f)->id});
    CODE_IS(f, ok);
    assert_int_equal(account(f, HOME_OWNER)->balance_min, had);
}

static void without_a_car_on_file_nothing_is_offered(void **state)
{
    struct fixture *f = *state;
    struct tide_swap swap;
    uint8_t blob[64];
    struct tide_slot slot = {
        .id = 1, .zone = 1, .title = TIDE_SLOT_TITLE_owned, .owner = HOME_THIRD, .sensed = 1};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_slot, &slot), TIDE_REC_put);
    CODE_IS(f, ok);
    parked_in_the_way(f);
    struct tide_recall recall = {
        .slot = 1, .start_ms = MONDAY_0800 + HOUR_MS, .end_ms = MONDAY_0800 + 4 * HOUR_MS};
    fixture_send(f, THIRD, TIDE_REC_recall, &recall);
    CODE_IS(f, conflict);
    assert_int_equal(swaps(f, &swap), 0);
    recall.swap = 2;
    fixture_send(f, THIRD, TIDE_REC_recall, &recall);
    CODE_IS(f, conflict);
    assert_null(substitute(f));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_is_in_the_way_moves_with_others_if_need_be),
        T(a_plan_frees_nothing),
        T(no_says_from_when_on),
        T(another_slot_in_exchange),
        cmocka_unit_test(what_is_swapped_must_fit),
        cmocka_unit_test(what_is_swapped_now_must_be_empty),
        T(only_who_was_there_earns),
        T(without_a_car_on_file_nothing_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
