/* test_rules_draw_open.c - draws that the committee opens by hand, and what is told of draws and
 * wishes: in which order, to whom, and where the limits are.
 *
 * It is Monday 2019-05-20, 08:00; the horizon ends with the 14th day from now.
 */
#include "tests/unit/rules_table.h"

#define AT(min) (MONDAY_0800 + (min)*MIN_MS)
#define TUESDAY 1440
#define HORIZON (15 * 1440 - 480)

static struct tide_draw_open opening(tide_id zone)
{
    return (struct tide_draw_open){.zone = zone,
                                   .ask_from_ms = AT(0),
                                   .ask_until_ms = AT(60),
                                   .start_ms = AT(TUESDAY),
                                   .end_ms = AT(TUESDAY + 600)};
}

static tide_id open_draw(struct fixture *f, tide_id zone, int until_min)
{
    struct tide_draw_open ask = opening(zone);
    ask.ask_until_ms = AT(until_min);
    fixture_send(f, CLERK, TIDE_REC_draw_open, &ask);
    CODE_IS(f, ok);
    tide_id id = f->reply.id;
    fixture_pass(f, 0);
    fixture_send(f, 0, TIDE_REC_draw_seal,
                 &(struct tide_draw_seal){.draw = id, .commit_1 = 1, .commit_4 = 4});
    return id;
}

static tide_id wish(struct fixture *f, tide_id user, tide_id plate, tide_id zone, int from_min)
{
    struct tide_draw_ask ask = {.plate = plate,
                                .zone = zone,
                                .start_ms = AT(TUESDAY + from_min),
                                .end_ms = AT(TUESDAY + from_min + 60)};
    fixture_send(f, user, TIDE_REC_draw_ask, &ask);
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

/* ---- opening --------------------------------------------------------------------------------- */
static void opening_rules(void **state)
{
    static const struct {
        const char *what;
        tide_id user, zone;
        tide_ms ask_from, ask_until, start, end; /* ms after 08:00; 0: as usual */
        unsigned source, issue;
        const char *code, *why;
    } rows[] = {
        {"as usual", CLERK, 2, 0, 0, 0, 0, 0, 0, "ok", "none"},
        {"no such zone", CLERK, 7, 0, 0, 0, 0, 0, 0, "not_found", "none"},
        {"no such zone, 0", CLERK, 0, 0, 0, 0, 0, 0, 0, "not_found", "none"},
        {"a resident", OWNER, 2, 0, 0, 0, 0, 0, 0, "not_authorized", "role_missing"},
        {"asked for no time", CLERK, 2, 60 * MIN_MS, 60 * MIN_MS, 0, 0, 0, 0, "invalid",
         "ends_before_start"},
        {"asked for a moment", CLERK, 2, 60 * MIN_MS - 1, 60 * MIN_MS, 0, 0, 0, 0, "ok", "none"},
        {"of no time", CLERK, 2, 0, 0, TUESDAY * MIN_MS, TUESDAY * MIN_MS, 0, 0, "invalid",
         "ends_before_start"},
        {"of five minutes", CLERK, 2, 0, 0, TUESDAY * MIN_MS, (TUESDAY + 5) * MIN_MS, 0, 0, "ok",
         "none"},
        {"of less than a grain", CLERK, 2, 0, 0, (TUESDAY + 1) * MIN_MS, (TUESDAY + 4) * MIN_MS, 0,
         0, "invalid", "none"},
        {"closed already", CLERK, 2, -60 * MIN_MS, 1, 0, 0, 0, 0, "ok", "none"},
        {"at this moment", CLERK, 2, -60 * MIN_MS, -1, 0, 0, 0, 0, "invalid", "in_the_past"},
        {"closes as it begins", CLERK, 2, 0, TUESDAY * MIN_MS, 0, 0, 0, 0, "ok", "none"},
        {"closes after it began", CLERK, 2, 0, TUESDAY * MIN_MS + 1, 0, 0, 0, 0, "invalid",
         "in_the_past"},
        {"to the horizon", CLERK, 2, 0, 0, 0, HORIZON * MIN_MS, 0, 0, "ok", "none"},
        {"beyond it", CLERK, 2, 0, 0, 0, HORIZON * MIN_MS + 1, 0, 0, "invalid", "beyond_horizon"},
        {"a source and its issue", CLERK, 2, 0, 0, 0, 0, 1, 7, "ok", "none"},
        {"a source of no issue", CLERK, 2, 0, 0, 0, 0, 1, 0, "invalid", "none"},
        {"an issue of no source", CLERK, 2, 0, 0, 0, 0, 0, 7, "invalid", "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_draw_open ask = opening(rows[i].zone);
        if (rows[i].ask_from != 0)
            ask.ask_from_ms = AT(0) + rows[i].ask_from;
        if (rows[i].ask_until != 0)
            ask.ask_until_ms = AT(0) + rows[i].ask_until;
        if (rows[i].start != 0)
            ask.start_ms = AT(0) + rows[i].start;
        if (rows[i].end != 0)
            ask.end_ms = AT(0) + rows[i].end;
        ask.source = (uint8_t)rows[i].source;
        ask.issue = rows[i].issue;
        fixture_send(f, rows[i].user, TIDE_REC_draw_open, &ask);
        if (strcmp(code_name(f->reply.code), rows[i].code) != 0 ||
            (f->reply.code != TIDE_CODE_ok && strcmp(why_name(f->reply.why), rows[i].why) != 0))
            fail_msg("%s: %s %s", rows[i].what, code_name(f->reply.code), why_name(f->reply.why));
        done(f);
    }
}

/* One time of one zone is given away once; what touches it is another time. */
static void once_at_a_time(void **state)
{
    struct fixture *f = *state;
    open_draw(f, 2, 60);
    struct tide_draw_open ask = opening(2);
    ask.start_ms = AT(TUESDAY + 595);
    ask.end_ms = AT(TUESDAY + 700);
    fixture_send(f, CLERK, TIDE_REC_draw_open, &ask);
    CODE_IS(f, conflict);
    WHY_IS(f, in_use);
    ask.start_ms = AT(TUESDAY + 600);
    fixture_send(f, CLERK, TIDE_REC_draw_open, &ask);
    CODE_IS(f, ok);
    open_draw(f, 1, 60);
}

/* ---- told ------------------------------------------------------------------------------------ */
static void draws_are(const struct fixture *f, const tide_id *expected, unsigned count)
{
    struct tide_draw draw;
    for (unsigned n = 0; n < count; n++) {
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_draw, n, &draw));
        assert_int_equal(draw.id, expected[n]);
    }
    assert_false(fixture_effect(f, ENGINE_ITEM, TIDE_REC_draw, count, &draw));
}

static void wishes_are(const struct fixture *f, const tide_id *expected, unsigned count)
{
    struct tide_wish row;
    for (unsigned n = 0; n < count; n++) {
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wish, n, &row));
        assert_int_equal(row.id, expected[n]);
        assert_int_equal(row.slot, 0);
    }
    assert_false(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wish, count, &row));
}

/* By their numbers, whatever place they took in memory: 4 comes into that of the first. */
static void draws_and_wishes_in_their_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_draw(f, 2, 30), 1);
    assert_int_equal(open_draw(f, 1, 300), 2);
    assert_int_equal(open_draw(f, 3, 300), 3);
    fixture_pass(f, 31 * MIN_MS); /* nobody asked for the first */
    assert_null(engine_find(f->engine, TIDE_REC_draw, 1, 0, 0));
    assert_int_equal(open_draw(f, 2, 300), 4);
    assert_int_equal(wish(f, OWNER, 60, 1, 0), 1);
    assert_int_equal(wish(f, OWNER, 61, 2, 0), 2);
    assert_int_equal(wish(f, OWNER, 62, 1, 100), 3);
    assert_int_equal(wish(f, THIRD, 63, 2, 0), 4);
    fixture_send(f, OWNER, TIDE_REC_draw_withdraw, &(struct tide_draw_withdraw){.wish = 1});
    CODE_IS(f, ok);
    assert_int_equal(wish(f, OWNER, 64, 3, 0), 5);
    fixture_send(f, OWNER, TIDE_REC_ask_draws, &(struct tide_ask_draws){.zone = 0});
    CODE_IS(f, ok);
    assert_int_equal(f->reply.more, 0);
    draws_are(f, (const tide_id[]){2, 3, 4}, 3);
    wishes_are(f, (const tide_id[]){2, 3, 5}, 3);
    fixture_send(f, THIRD, TIDE_REC_ask_draws, &(struct tide_ask_draws){.zone = 2});
    draws_are(f, (const tide_id[]){4}, 1);
    wishes_are(f, (const tide_id[]){4}, 1);
    fixture_send(f, CLERK, TIDE_REC_ask_draws,
                 &(struct tide_ask_draws){.zone = 1, .household = HOME_OWNER});
    draws_are(f, (const tide_id[]){2}, 1);
    wishes_are(f, (const tide_id[]){2, 3, 5}, 3);
    fixture_send(f, THIRD, TIDE_REC_ask_draws,
                 &(struct tide_ask_draws){.zone = 1, .household = HOME_OWNER});
    CODE_IS(f, not_authorized);
}

/* 29 wishes and 3 draws fill a reply; one more and it says that there are more. */
static void as_many_as_fit(void **state)
{
    struct fixture *f = *state;
    struct tide_wish row;
    uint8_t blob[64];
    size_t at = 0;
    ROW(setting_row, TIDE_SETTING_household_live_max, 32);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    for (tide_id zone = 1; zone <= 3; zone++)
        open_draw(f, zone, 300);
    for (unsigned n = 1; n <= 30; n++) {
        assert_int_equal(wish(f, THIRD, 100 + n, 2, 0), n);
        fixture_send(f, THIRD, TIDE_REC_ask_draws, &(struct tide_ask_draws){.zone = 0});
        CODE_IS(f, ok);
        assert_int_equal(f->reply.more, n >= 29);
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wish, n <= 29 ? n - 1 : 28, &row));
        assert_false(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wish, 29, &row));
    }
}

/* Where households are counted, each has one wish; whoever has one elsewhere may wish here. */
static void one_wish_a_household(void **state)
{
    struct fixture *f = *state;
    struct tide_draw_open ask = opening(2);
    ask.aim = TIDE_DRAW_AIM_households;
    fixture_send(f, CLERK, TIDE_REC_draw_open, &ask);
    fixture_pass(f, 0);
    fixture_send(f, 0, TIDE_REC_draw_seal, &(struct tide_draw_seal){.draw = 1, .commit_1 = 1});
    open_draw(f, 1, 300);
    assert_int_equal(wish(f, OWNER, 60, 1, 0), 1);
    assert_int_equal(wish(f, OWNER, 61, 1, 0), 2);
    assert_int_equal(wish(f, OWNER, 62, 2, 0), 3);
    assert_int_equal(wish(f, OWNER, 63, 2, 300), 0);
    CODE_IS(f, quota);
    WHY_IS(f, household_cap);
    assert_int_equal(f->reply.limit, 1);
    assert_int_equal(wish(f, OWNER, 62, 2, 30), 0); /* whose plate it is tells first */
    WHY_IS(f, plate_overlap);
    assert_int_equal(f->reply.id, 3);
    assert_int_equal(wish(f, THIRD, 64, 2, 0), 4);
}

/* What was used, is promised and is wished for already counts against a household. */
static void what_counts_as_used(void **state)
{
    struct fixture *f = *state;
    struct tide_receipt receipt;
    open_draw(f, 1, 300);
    assert_int_not_equal(fixture_book(f, OWNER, 70, 2, 100, 190), 0);
    assert_int_equal(wish(f, OWNER, 60, 1, 0), 1);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_receipt, 0, &receipt));
    assert_int_equal(receipt.used_min, 90);
    assert_int_equal(receipt.commit_1, 1);
    assert_int_equal(receipt.commit_4, 4);
    assert_int_equal(wish(f, OWNER, 61, 1, 0), 2);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_receipt, 0, &receipt));
    assert_int_equal(receipt.used_min, 150);
}

/* Wishes that wait count with the bookings of a household. */
static void wishes_count_in_the_cap(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[64];
    size_t at = 0;
    ROW(setting_row, TIDE_SETTING_household_live_max, 3);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    open_draw(f, 2, 300);
    assert_int_not_equal(fixture_book(f, OWNER, 70, 1, 100, 190), 0);
    assert_int_equal(wish(f, OWNER, 60, 2, 0), 1);
    assert_int_equal(wish(f, OWNER, 61, 2, 0), 2);
    assert_int_equal(wish(f, OWNER, 62, 2, 0), 0);
    WHY_IS(f, household_cap);
    assert_int_equal(wish(f, THIRD, 63, 2, 0), 3);
}

/* A zone that is to draw from now on begins today, until the minute at which it would open. */
static void the_first_draw_of_a_zone(void **state)
{
    static const struct tide_zone drawing = {.id = 2,
                                             .place = COMPOUND,
                                             .policy = TIDE_ZONE_POLICY_draw,
                                             .sense = TIDE_SENSE_HAND,
                                             .outsiders = 1,
                                             .resolution = 2019,
                                             .draw_opens_min = 9 * 60,
                                             .draw_closes_min = 9 * 60 + 15,
                                             .draw_from_min = 8 * 60,
                                             .draw_until_min = 20 * 60};
    static const struct {
        tide_ms after_eight;
        int32_t next;
    } rows[] = {{60 * MIN_MS - 1, 18036}, {60 * MIN_MS, 18037}, {60 * MIN_MS + 1, 18037}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        uint8_t blob[256];
        fixture_pass(f, rows[i].after_eight);
        fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, &drawing),
                         TIDE_REC_put);
        CODE_IS(f, ok);
        const struct tide_zone *zone = engine_find(f->engine, TIDE_REC_zone, 2, 0, 0);
        assert_int_equal(zone->draw_next, rows[i].next);
        done(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(once_at_a_time),
        TEST_(draws_and_wishes_in_their_order),
        TEST_(as_many_as_fit),
        TEST_(one_wish_a_household),
        TEST_(what_counts_as_used),
        TEST_(wishes_count_in_the_cap),
        cmocka_unit_test(the_first_draw_of_a_zone),
        cmocka_unit_test(opening_rules),
    };
    return cmocka_run_group_tests_name("draw_open", tests, NULL, NULL);
}
