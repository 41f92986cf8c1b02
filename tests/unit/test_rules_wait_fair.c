/* test_rules_wait_fair.c - waiting and what else is counted: caps and strikes bind who waits as
 * they bind who books, and what was offered and not confirmed is held against nobody.
 */
#include "tests/unit/wait_fixture.h"

enum { RULES = 3 };

static void set(struct fixture *f, enum tide_setting key, int64_t value)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    fixture_pass(f, 0);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
}

static void bind(struct fixture *f, tide_id user)
{
    set(f, TIDE_SETTING_rules_text_version, RULES);
    fixture_send(f, user, TIDE_REC_accept_rules,
                 &(struct tide_accept_rules){.rules_version = RULES});
    CODE_IS(f, ok);
}

/* Something is held against THIRD by the last steps. */
static bool struck(const struct fixture *f)
{
    struct tide_strike strike;
    bool found = false;
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_strike, n, &strike); n++)
        found |= strike.household == HOME_THIRD;
    return found;
}

static void not_confirmed_is_no_strike(void **state)
{
    struct fixture *f = *state;
    fill(f);
    bind(f, THIRD);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    fixture_pass(f, 60 * MIN_MS); /* the offer ends with the time to come: both are due at once */
    set(f, TIDE_SETTING_wait_confirm_min, 720);
    cancel(f, OWNER, 1);
    const struct tide_booking *booking = fixture_booking(f, waiting(f, 1)->booking);
    assert_int_equal(waiting(f, 1)->confirm_by_ms, booking->no_show_ms);
    fixture_pass(f, booking->no_show_ms - f->now_ms);
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_passed);
    assert_false(struck(f));
}

static void confirmed_and_not_come_is_one(void **state)
{
    struct fixture *f = *state;
    fill(f);
    bind(f, THIRD);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    cancel(f, OWNER, 1);
    tide_id id = waiting(f, 1)->booking;
    fixture_send(f, THIRD, TIDE_REC_confirm, &(struct tide_confirm){.booking = id});
    CODE_IS(f, ok);
    fixture_pass(f, fixture_booking(f, id)->no_show_ms - f->now_ms);
    assert_null(fixture_booking(f, id));
    assert_true(struck(f));
}

static void an_offer_counts_in_the_cap(void **state)
{
    struct fixture *f = *state;
    fill(f);
    set(f, TIDE_SETTING_household_day_max_min, 200);
    assert_int_equal(want(f, THIRD, 63, 60, 265), 0);
    WHY_IS(f, day_cap);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    cancel(f, OWNER, 1);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(fixture_book(f, THIRD, 67, ZONE, 300, 330), 0);
    WHY_IS(f, day_cap);
    fixture_pass(f, 15 * MIN_MS);
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_passed);
    assert_int_not_equal(fixture_book(f, THIRD, 67, ZONE, 300, 330), 0);
}

/* Who has used his share up since he asked is not served, and holds up nobody. */
static void the_cap_is_looked_at_again(void **state)
{
    struct fixture *f = *state;
    fill(f);
    set(f, TIDE_SETTING_household_day_max_min, 200);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    assert_int_equal(want(f, OUTSIDER, 64, 60, 240), 2);
    assert_int_not_equal(fixture_book(f, THIRD, 67, ZONE, 300, 330), 0);
    cancel(f, OWNER, 1);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    assert_int_equal(waiting(f, 2)->state, TIDE_WAITING_STATE_offered);
}

static void strikes_bind_who_waits(void **state)
{
    struct fixture *f = *state;
    bind(f, THIRD);
    set(f, TIDE_SETTING_strike_contest_days, 1);
    set(f, TIDE_SETTING_strikes_max, 1);
    set(f, TIDE_SETTING_strike_lead_min, 90);
    assert_int_not_equal(fixture_book(f, THIRD, 63, ZONE, 60, 120), 0);
    fixture_pass(f, 100 * MIN_MS); /* he did not come */
    fixture_pass(f, 24 * HOUR_MS + 20 * MIN_MS);
    assert_int_not_equal(fixture_book(f, OWNER, 61, ZONE, 1600, 1920), 0);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 62, ZONE, 1600, 1920), 0);
    assert_int_equal(want(f, THIRD, 63, 1655, 1800), 0);
    WHY_IS(f, strikes);
    assert_int_equal(want(f, THIRD, 63, 1650, 1800), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(not_confirmed_is_no_strike), TEST_(confirmed_and_not_come_is_one),
        TEST_(an_offer_counts_in_the_cap), TEST_(the_cap_is_looked_at_again),
        TEST_(strikes_bind_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
