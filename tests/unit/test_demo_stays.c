/* test_demo_stays.c - the demo's demand: dates, figures, traces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "deploy/demo/stays.h"

static struct demo_stays stays;

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int date, weekday;
    } rows[] = {
        {"1970-01-01", 0, 3},           {"2019-05-20", 18036, 0}, {"2019-05-19", 18035, 6},
        {"2020-02-29", 18321, 5},       {"2019-02-29", -1, 0},    {"2019-04-31", -1, 0},
        {"2019-13-01", -1, 0},          {"2019-5-20", -1, 0},     {"", -1, 0},
        {"2026-11-24 10:00", 20781, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(demo_date_parse(rows[i].text), rows[i].date);
        if (rows[i].date >= 0) {
            char back[16];
            demo_date_format(rows[i].date, back, sizeof(back));
            assert_memory_equal(back, rows[i].text, 10);
            assert_int_equal(demo_date_weekday(rows[i].date), rows[i].weekday);
        }
    }
}

static void test_minutes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int minute;
    } rows[] = {{"00:00", 0},  {"18:33", 1113}, {"24:00", 1440}, {"24:01", -1}, {"8:30", -1},
                {"08:60", -1}, {"08-30", -1},   {"", -1},        {"08:3", -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(demo_minute_parse(rows[i].text), rows[i].minute);
    }
}

static void test_drawn_days_resemble_the_figures(void **state)
{
    (void)state;
    struct demo_dice dice;
    demo_dice_seed(&dice, 7);
    demo_stays_draw(&stays, &dice, &demo_lot_park_workday, 4000);
    assert_int_equal(stays.count, 4000);
    size_t morning = 0, long_ones = 0;
    for (size_t i = 0; i < stays.count; i++) {
        const struct demo_stay *stay = &stays.stay[i];
        assert_true(stay->leaves_min - stay->arrives_min >= 5);
        assert_true(i == 0 || stay->arrives_min >= stays.stay[i - 1].arrives_min);
        if (stay->arrives_min >= 7 * 60 && stay->arrives_min < 10 * 60) {
            morning++;
            long_ones += stay->leaves_min - stay->arrives_min > 529; /* the median */
        }
    }
    /* 2,806 of 3,887 arrivals lie between 7 and 10. */
    assert_in_range(morning, 4000 * 69 / 100, 4000 * 75 / 100);
    assert_in_range(long_ones, morning * 46 / 100, morning * 54 / 100);
}

static void test_same_seed_same_day(void **state)
{
    (void)state;
    static struct demo_stays again;
    struct demo_dice dice;
    demo_dice_seed(&dice, 42);
    demo_stays_draw(&stays, &dice, &demo_lot_home_workday, 300);
    demo_dice_seed(&dice, 42);
    demo_stays_draw(&again, &dice, &demo_lot_home_workday, 300);
    assert_int_equal(stays.count, again.count);
    assert_memory_equal(stays.stay, again.stay, stays.count * sizeof(stays.stay[0]));
}

static void test_owners_leave_and_return_in_their_hours(void **state)
{
    (void)state;
    struct demo_dice dice;
    demo_dice_seed(&dice, 3);
    int peak = 0;
    for (int i = 0; i < 4000; i++) {
        int leaves = demo_figures_owner_leaves(&dice);
        int returns = demo_figures_owner_returns(&dice);
        assert_in_range(leaves, 7 * 60, 10 * 60 - 1);
        assert_in_range(returns, 17 * 60, 19 * 60 - 1);
        peak += leaves >= 8 * 60 && leaves < 8 * 60 + 30;
    }
    assert_in_range(peak, 4000 * 24 / 100, 4000 * 29 / 100); /* 26.48 % */
}

static void write_trace(char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    (void)fputs("arrival,departure,cost_cny,stable\n"
                "2019-05-20 18:33,2019-05-20 18:33,0,0\n" /* too short */
                "2019-05-20 22:00,2019-05-21 07:30,5,1\n" /* across midnight */
                "2019-05-20 08:05,2019-05-20 17:40,5,1\r\n"
                "nonsense\n"
                "2019-05-18 09:00,2019-05-18 10:00,0,0\n" /* a Saturday */
                "2019-05-16 09:00,2019-05-16 10:00,0,0\n"
                "2019-05-16 09:30,2019-05-16 10:00,0,0\n"
                "2019-05-16 08:00,2019-05-16 10:00,0,0\n",
                out);
    assert_int_equal(fclose(out), 0);
}

static void test_trace(void **state)
{
    (void)state;
    char path[] = "/tmp/tide-trace-XXXXXX";
    int used = 0;
    write_trace(path);
    assert_int_equal(demo_stays_read(&stays, path, demo_date_parse("2019-05-20"), 1, &used), 0);
    assert_int_equal(used, demo_date_parse("2019-05-20"));
    assert_int_equal(stays.count, 2);
    assert_int_equal(stays.stay[0].arrives_min, 8 * 60 + 5);
    assert_int_equal(stays.stay[0].leaves_min, 17 * 60 + 40);
    assert_int_equal(stays.stay[1].arrives_min, 22 * 60);
    assert_int_equal(stays.stay[1].leaves_min, 24 * 60 + 7 * 60 + 30);

    /* Too few that Monday: the Thursday before, not the Saturday. */
    assert_int_equal(demo_stays_read(&stays, path, demo_date_parse("2019-05-20"), 3, &used), 0);
    assert_int_equal(used, demo_date_parse("2019-05-16"));
    assert_int_equal(stays.count, 3);
    assert_int_equal(demo_stays_read(&stays, path, demo_date_parse("2019-05-20"), 4, &used), -1);
    assert_int_equal(errno, ENODATA);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(demo_stays_read(&stays, path, 0, 1, &used), -1);
    assert_int_equal(errno, ENOENT);
}

static void test_copies(void **state)
{
    (void)state;
    struct demo_dice dice;
    demo_dice_seed(&dice, 1);
    stays.count = 1;
    stays.stay[0] = (struct demo_stay){.arrives_min = 600, .leaves_min = 700};
    demo_stays_copy(&stays, &dice, 5);
    assert_int_equal(stays.count, 5);
    for (size_t i = 0; i < stays.count; i++) {
        assert_int_equal(stays.stay[i].leaves_min - stays.stay[i].arrives_min, 100);
        assert_in_range(stays.stay[i].arrives_min, 588, 612);
    }
}

static void test_recorded_day(void **state)
{
    (void)state;
    const char *shared = getenv("TIDE_SHARED");
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/data/parking/P10.csv",
                   shared != NULL ? shared : "../shared");
    if (access(path, R_OK) != 0) {
        print_message("%s is not here: skipped\n", path);
        skip();
    }
    int used = 0;
    assert_int_equal(demo_stays_read(&stays, path, demo_date_parse("2019-05-20"), 20, &used), 0);
    assert_int_equal(used, demo_date_parse("2019-05-20"));
    assert_in_range(stays.count, 80, 136);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_minutes),
        cmocka_unit_test(test_drawn_days_resemble_the_figures),
        cmocka_unit_test(test_same_seed_same_day),
        cmocka_unit_test(test_owners_leave_and_return_in_their_hours),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_recorded_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
