/* test_rules_late.c - cars leave late: what a zone learns of it, and what it keeps free for that.
 * Zone 2 has the slots 5 and 6, open from 08:00 to 20:00.
 */
#include "tests/unit/rules_table.h"

enum { ZONE = 2 };

static void risk(struct fixture *f, unsigned permille, const char *code)
{
    uint8_t blob[128];
    struct tide_zone row = {.id = ZONE,
                            .place = COMPOUND,
                            .sense = TIDE_SENSE_HAND,
                            .outsiders = 1,
                            .resolution = 2019,
                            .risk_permille = (uint16_t)permille};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, &row), TIDE_REC_put);
    expect(f, "the risk is put", code, "none");
}

/* As if so many workday stays had been seen. */
static void seen(struct fixture *f, unsigned in_time, unsigned late_30, unsigned later)
{
    struct tide_lateness row = {.zone = ZONE,
                                .day_class = TIDE_DAY_CLASS_workday,
                                .in_time = (uint16_t)in_time,
                                .late_30 = (uint16_t)late_30,
                                .later = (uint16_t)later};
    assert_int_equal(engine_load(f->engine, TIDE_REC_lateness, &row), 0);
}

static const struct tide_lateness *learned(const struct fixture *f)
{
    return engine_find(f->engine, TIDE_REC_lateness, ZONE, TIDE_DAY_CLASS_workday, 0);
}

static void extend(struct fixture *f, uint32_t id, int until_min)
{
    fixture_send(f, NEIGHBOUR, TIDE_REC_extend,
                 &(struct tide_extend){.booking = id, .end_ms = MONDAY_0800 + until_min * MIN_MS});
}

static void arrive(struct fixture *f, uint32_t id)
{
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    CODE_IS(f, ok);
}

/* ---- how long -------------------------------------------------------------------------------- */
/* R = 0.1, z^2 = 10.824: of 400 stays 20 are just few enough to be later, 21 are not; and it takes
 * 98 without a late one before anything is believed. */
static void the_buffer_as_a_table(void **state)
{
    static const struct {
        const char *rule;
        unsigned risk, in_time, late_30, later;
        int buffer_min;
    } rows[] = {
        {"no risk is named", 0, 0, 400, 0, 0},
        {"nothing is known", 100, 0, 0, 0, 240},
        {"too little is known", 100, 97, 0, 0, 240},
        {"just enough is known", 100, 98, 0, 0, 0},
        {"few enough are late", 100, 380, 20, 0, 0},
        {"one too many", 100, 379, 21, 0, 30},
        {"too many are later than that", 100, 379, 0, 21, 240},
        {"nearly all are late", 100, 1, 399, 0, 30},
        {"more may be", 300, 379, 21, 0, 0},
        {"the most that may be", 500, 250, 150, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        seen(f, rows[i].in_time, rows[i].late_30, rows[i].later);
        risk(f, rows[i].risk, "ok");
        uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 120);
        expect(f, rows[i].rule, "ok", "none");
        if (fixture_booking(f, id)->buffer_min != rows[i].buffer_min)
            fail_msg("%s: %u minutes", rows[i].rule, fixture_booking(f, id)->buffer_min);
        done(f);
    }
}

/* Monday is a workday; nothing was seen of holidays, so all days stand for one; of a class that was
 * seen often enough, it alone. */
static void a_class_of_days_by_itself(void **state)
{
    struct fixture *f = *state;
    struct tide_lateness rest = {.zone = ZONE, .day_class = TIDE_DAY_CLASS_restday, .late_60 = 400};
    assert_int_equal(engine_load(f->engine, TIDE_REC_lateness, &rest), 0);
    risk(f, 100, "ok");
    uint32_t pooled = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
    assert_int_equal(fixture_booking(f, pooled)->buffer_min, 60);
    seen(f, 400, 0, 0);
    uint32_t own = fixture_book(f, NEIGHBOUR, 51, ZONE, 0, 60);
    assert_int_equal(fixture_booking(f, own)->buffer_min, 0);
    assert_int_equal(fixture_booking(f, pooled)->buffer_min, 60); /* what is promised stays */
}

static void what_may_be_risked(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[128];
    struct tide_zone drawn = {.id = ZONE,
                              .place = COMPOUND,
                              .sense = TIDE_SENSE_HAND,
                              .policy = TIDE_ZONE_POLICY_draw,
                              .draw_opens_min = 1200,
                              .draw_closes_min = 1215,
                              .draw_from_min = 480,
                              .draw_until_min = 1080,
                              .risk_permille = 50};
    risk(f, 500, "ok");
    risk(f, 501, "invalid");
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, &drawn), TIDE_REC_put);
    CODE_IS(f, invalid);
}

/* ---- kept free ------------------------------------------------------------------------------- */
static void nobody_comes_within_the_buffer(void **state)
{
    struct fixture *f = *state;
    seen(f, 379, 21, 0);
    risk(f, 100, "ok");
    uint32_t a = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 120);
    uint32_t b = fixture_book(f, NEIGHBOUR, 51, ZONE, 0, 120);
    assert_int_not_equal(fixture_booking(f, a)->slot, fixture_booking(f, b)->slot);
    fixture_book(f, NEIGHBOUR, 52, ZONE, 145, 200);
    CODE_IS(f, full);
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + 150 * MIN_MS);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, ZONE, 150, 200), 0);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = a});
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 53, ZONE, 0, 120), 0); /* and its buffer */
}

static void the_owner_who_returns_is_not_kept_out(void **state)
{
    struct fixture *f = *state;
    struct tide_offer offer = {0};
    seen(f, 379, 21, 0);
    risk(f, 100, "ok");
    fixture_book(f, NEIGHBOUR, 50, ZONE, 600, 720); /* until all windows end */
    expect(f, "until the end", "full", "kept_for_late");
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800 + 690 * MIN_MS);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_offer, 0, &offer));
    assert_int_equal(offer.kind, TIDE_OFFER_KIND_shorter);
    assert_int_equal(offer.end_ms, f->reply.free_until_ms);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, ZONE, 600, 690), 0);
    fixture_send(f, NEIGHBOUR, TIDE_REC_ask_quote,
                 &(struct tide_ask_quote){.zone = ZONE,
                                          .start_ms = MONDAY_0800 + 600 * MIN_MS,
                                          .end_ms = MONDAY_0800 + 695 * MIN_MS});
    expect(f, "a quote says the same", "full", "kept_for_late");
}

/* The horizon ends at midnight: what lies beyond is nobody's, and needs no buffer yet. */
static void the_horizon_cuts_it(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[128];
    risk(f, 100, "ok");
    struct tide_window night = {.slot = 5,
                                .kind = TIDE_WINDOW_KIND_once,
                                .start_ms = MONDAY_0800,
                                .end_ms = MONDAY_0800 + 30 * TIDE_DAY_MS};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_window, &night), TIDE_REC_put);
    CODE_IS(f, ok);
    int last = 14 * 1440 + 15 * 60 + 30; /* 23:30 of the last day */
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, last - 60, last);
    assert_int_equal(fixture_booking(f, id)->buffer_min, 30);
}

/* ---- who loses it ---------------------------------------------------------------------------- */
static void who_is_there_may_use_his_own(void **state)
{
    struct fixture *f = *state;
    seen(f, 379, 21, 0);
    risk(f, 100, "ok");
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 690); /* 19:30, and half an hour */
    extend(f, id, 700);
    expect(f, "before he is there", "full", "kept_for_late");
    arrive(f, id);
    extend(f, id, 725);
    expect(f, "more than that", "full", "no_window");
    assert_int_equal(f->reply.free_until_ms, MONDAY_0800 + 720 * MIN_MS);
    extend(f, id, 710);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, id)->buffer_min, 10);
    extend(f, id, 600);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, id)->buffer_min, 30); /* there is room again */
}

static void rather_late_than_broken(void **state)
{
    struct fixture *f = *state;
    seen(f, 379, 21, 0);
    risk(f, 100, "ok");
    uint32_t moved = fixture_book(f, NEIGHBOUR, 50, ZONE, 60, 120);
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, ZONE, 150, 300);
    tide_id slot = fixture_booking(f, moved)->slot;
    assert_int_equal(fixture_booking(f, next)->slot, slot); /* end to end with its buffer */
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, ZONE, 130, 690), 0);
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){.slot = slot,
                                         .start_ms = MONDAY_0800 + 60 * MIN_MS,
                                         .end_ms = MONDAY_0800 + 120 * MIN_MS});
    CODE_IS(f, ok);
    assert_int_not_equal(fixture_booking(f, moved)->slot, slot);
    assert_int_equal(fixture_booking(f, moved)->buffer_min, 0);
    assert_int_equal(fixture_booking(f, next)->buffer_min, 30);
}

/* ---- learning -------------------------------------------------------------------------------- */
static void each_stay_once(void **state)
{
    static const struct {
        int late_min;
        const char *bin;
    } rows[] = {{-30, "in_time"}, {0, "in_time"},  {1, "late_5"},   {5, "late_5"},
                {6, "late_10"},   {25, "late_30"}, {61, "late_75"}, {240, "late_240"},
                {241, "later"},   {1000, "later"}};
    (void)state;
    const struct tide_record *desc = tide_record_of(TIDE_REC_lateness);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
        arrive(f, id);
        assert_null(learned(f));
        fixture_pass(f, (60 + rows[i].late_min) * MIN_MS);
        fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.booking = id});
        CODE_IS(f, ok);
        for (unsigned k = 2; k < desc->field_count; k++)
            if (tide_field_get(&desc->fields[k], learned(f)) !=
                (strcmp(desc->fields[k].name, rows[i].bin) == 0))
                fail_msg("%d minutes late: %s", rows[i].late_min, desc->fields[k].name);
        done(f);
    }
}

static void who_did_not_come_teaches_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
    fixture_pass(f, 90 * MIN_MS);
    assert_null(learned(f));
}

static void what_is_long_ago_counts_less(void **state)
{
    struct fixture *f = *state;
    seen(f, 2000, 46, 1);
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, ZONE, 0, 60);
    arrive(f, id);
    fixture_pass(f, 30 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.booking = id});
    assert_int_equal(learned(f)->in_time, 1000);
    assert_int_equal(learned(f)->late_30, 23);
    assert_int_equal(learned(f)->later, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_buffer_as_a_table),
        cmocka_unit_test_setup_teardown(a_class_of_days_by_itself, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_may_be_risked, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(nobody_comes_within_the_buffer, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_owner_who_returns_is_not_kept_out, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_horizon_cuts_it, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_is_there_may_use_his_own, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(rather_late_than_broken, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(each_stay_once),
        cmocka_unit_test_setup_teardown(who_did_not_come_teaches_nothing, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_is_long_ago_counts_less, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
