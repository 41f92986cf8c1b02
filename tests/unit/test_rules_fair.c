/* test_rules_fair.c - fairness with memory: caps on a day and a month, whatever way it is asked. */
#include "tests/unit/rules_table.h"

static void set(struct fixture *f, enum tide_setting key, int64_t value)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    fixture_pass(f, 0);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
}

static const struct tide_account *account_of(const struct fixture *f, tide_id household)
{
    return engine_find(f->engine, TIDE_REC_account, household, 0, 0);
}

/* ---- caps ----------------------------------------------------------------------------------- */
static void caps_are_told_as_a_table(void **state)
{
    static const struct {
        const char *rule;
        int day_max, month_max, from_min, until_min;
        const char *code, *why;
        int limit, left, fits_min; /* minutes after 08:00; 0: not told */
    } rows[] = {
        {"no cap", 0, 0, 120, 720, "ok", "none", 0, 0, 0},
        {"just the rest of the day", 180, 0, 120, 240, "ok", "none", 0, 0, 0},
        {"a grain more", 180, 0, 120, 245, "quota", "day_cap", 180, 120, 240},
        {"nothing is left", 60, 0, 120, 180, "quota", "day_cap", 60, 0, 0},
        {"less than is used", 30, 0, 120, 125, "quota", "day_cap", 30, 0, 0},
        {"another day has its own", 60, 0, 1440, 1500, "ok", "none", 0, 0, 0},
        {"just the rest of the month", 0, 180, 120, 240, "ok", "none", 0, 0, 0},
        {"more than the month has", 0, 180, 1440, 1565, "quota", "month_cap", 180, 120, 1560},
        {"the day is nearer", 100, 160, 120, 300, "quota", "day_cap", 100, 40, 160},
        {"the month is nearer", 200, 100, 120, 300, "quota", "month_cap", 100, 40, 160},
        {"another month has its own", 0, 60, 14 * 1440, 14 * 1440 + 60, "ok", "none", 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 2, 0, 60), 0);
        set(f, TIDE_SETTING_household_day_max_min, rows[i].day_max);
        set(f, TIDE_SETTING_household_month_max_min, rows[i].month_max);
        fixture_book(f, NEIGHBOUR, 51, 2, rows[i].from_min, rows[i].until_min);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        if (strcmp(rows[i].code, "ok") != 0) {
            tide_ms fits = rows[i].fits_min != 0 ? MONDAY_0800 + rows[i].fits_min * MIN_MS : 0;
            if (f->reply.limit != rows[i].limit || f->reply.left_min != rows[i].left ||
                f->reply.free_until_ms != fits)
                fail_msg("%s: limit %d, left %d", rows[i].rule, (int)f->reply.limit,
                         (int)f->reply.left_min);
        }
        done(f);
    }
}

static void what_is_used_up_stays_used(void **state)
{
    struct fixture *f = *state;
    set(f, TIDE_SETTING_household_day_max_min, 120);
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 2, 0, 120);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    fixture_pass(f, 60 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.booking = id});
    assert_int_equal(account_of(f, HOME_NEIGHBOUR)->day_min, 60);
    assert_int_equal(account_of(f, HOME_NEIGHBOUR)->month_min, 60);
    fixture_book(f, NEIGHBOUR, 50, 2, 120, 185);
    expect(f, "an hour is used, an hour is left", "quota", "day_cap");
    id = fixture_book(f, NEIGHBOUR, 50, 2, 120, 180);
    assert_int_not_equal(id, 0);
    fixture_send(f, NEIGHBOUR, TIDE_REC_extend,
                 &(struct tide_extend){.booking = id, .end_ms = MONDAY_0800 + 185 * MIN_MS});
    expect(f, "nor by an extension", "quota", "day_cap");
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = id});
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 2, 130, 190), 0);
    fixture_pass(f, 24 * HOUR_MS);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, 2, 1600, 1720), 0); /* a new day */
    assert_int_equal(account_of(f, HOME_NEIGHBOUR)->month_min, 60 + 30);    /* a no-show's, too */
}

static void guests_count_for_their_host(void **state)
{
    struct fixture *f = *state;
    struct tide_book book = {.plate = 77,
                             .zone = 2,
                             .start_ms = MONDAY_0800,
                             .end_ms = MONDAY_0800 + 60 * MIN_MS,
                             .visitor = 1};
    set(f, TIDE_SETTING_household_day_max_min, 100);
    fixture_send(f, NEIGHBOUR, TIDE_REC_book, &book);
    CODE_IS(f, ok);
    fixture_book(f, NEIGHBOUR, 50, 2, 60, 120);
    expect(f, "his guest's hour counts", "quota", "day_cap");
    assert_int_not_equal(fixture_book(f, OWNER, 51, 2, 60, 120), 0); /* another household */
}

static void a_booking_past_midnight_counts_on_both_days(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    struct tide_window night = {.slot = 5,
                                .kind = TIDE_WINDOW_KIND_once,
                                .start_ms = MONDAY_0800 + 12 * HOUR_MS,
                                .end_ms = MONDAY_0800 + 24 * HOUR_MS};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_window, &night), TIDE_REC_put);
    set(f, TIDE_SETTING_household_day_max_min, 180);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 2, 14 * 60, 18 * 60), 0);
    fixture_book(f, NEIGHBOUR, 51, 2, 0, 65);
    expect(f, "two hours are taken of Monday", "quota", "day_cap");
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 51, 2, 0, 60), 0);
    fixture_book(f, NEIGHBOUR, 51, 2, 1440, 1440 + 65);
    expect(f, "and two of Tuesday", "quota", "day_cap");
    assert_int_equal(f->reply.left_min, 60);
}

/* Minutes lent: what others parked on its slot, halved with each grant like used_min. */
static void who_lends_is_remembered(void **state)
{
    struct fixture *f = *state;
    unsigned on_his = 0;
    for (tide_id plate = 60; plate < 64; plate++) /* all four slots, one of them his */
        on_his += fixture_booking(f, fixture_book(f, NEIGHBOUR, plate, 1, 0, 120))->slot == 1;
    assert_int_equal(on_his, 1);
    fixture_pass(f, 31 * MIN_MS); /* no-shows all, each pays half an hour */
    assert_int_equal(account_of(f, HOME_OWNER)->lent_min, 30);
    assert_int_equal(account_of(f, HOME_OWNER)->used_min, 0);
    assert_int_equal(account_of(f, HOME_NEIGHBOUR)->lent_min, 0);
    fixture_pass(f, 14 * 24 * HOUR_MS); /* a new month */
    assert_int_equal(account_of(f, HOME_OWNER)->lent_min, 15);
}

/* ---- splitting gains nothing ----------------------------------------------------------------- */
static uint32_t mixed(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* What a stay of [from, until) costs, asked in one or in two pieces; -1: refused. */
static int asked(uint32_t seed, int cut)
{
    struct fixture *f = fresh();
    int at_min = 0, from, until, cost = -1;
    set(f, TIDE_SETTING_household_day_max_min, 100 + (int)(mixed(&seed) % 60) * 5);
    set(f, TIDE_SETTING_household_month_max_min, 200 + (int)(mixed(&seed) % 60) * 5);
    for (unsigned n = mixed(&seed) % 3; n > 0; n--, at_min += 90) /* what was asked before */
        fixture_book(f, NEIGHBOUR, 40 + n, 2, at_min, at_min + 5 * (int)(1 + mixed(&seed) % 15));
    from = 500 + 5 * (int)(mixed(&seed) % 10) - (mixed(&seed) % 2 != 0 ? 300 : 0);
    until = from + 10 + 5 * (int)(mixed(&seed) % 30);
    cut = cut != 0 ? from + 5 * (1 + (int)(mixed(&seed) % (unsigned)((until - from) / 5 - 1))) : 0;
    int32_t held = account_of(f, HOME_NEIGHBOUR)->held_min;
    bool granted = cut != 0 ? fixture_book(f, NEIGHBOUR, 50, 2, from, cut) != 0 &&
                                  fixture_book(f, NEIGHBOUR, 50, 2, cut, until) != 0
                            : fixture_book(f, NEIGHBOUR, 50, 2, from, until) != 0;
    if (granted)
        cost = account_of(f, HOME_NEIGHBOUR)->held_min - held;
    else
        CODE_IS(f, quota);
    done(f);
    return cost;
}

static void splitting_a_wish_gains_nothing(void **state)
{
    unsigned granted = 0, refused = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        int whole = asked(seed, 0), split = asked(seed, 1);
        if (whole != split)
            fail_msg("seed %u: whole %d, split %d", seed, whole, split);
        granted += whole >= 0;
        refused += whole < 0;
    }
    assert_true(granted > 20 && refused > 20); /* both were met */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caps_are_told_as_a_table),
        cmocka_unit_test_setup_teardown(what_is_used_up_stays_used, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(guests_count_for_their_host, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_booking_past_midnight_counts_on_both_days, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_lends_is_remembered, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(splitting_a_wish_gains_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
