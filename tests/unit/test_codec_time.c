/* test_codec_time.c - times, dates and minutes of a day: the vectors, and every day of 400 years
 * against the C library. */
#include <time.h>

#include "tests/unit/vectors.h"

static void vectors(void **state)
{
    cJSON *file = vectors_read("times.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        const char *text = vectors_text(test, "text");
        tide_ms time_ms = -5;
        int error = tide_time_parse(text, strlen(text), &time_ms);
        if ((error == 0) != cJSON_HasObjectItem(test, "ms"))
            fail_msg("'%s': %d", text, error);
        assert_int_equal(time_ms, error == 0 ? vectors_int(test, "ms") : -5);
    }
    cJSON_Delete(file);
}

static void every_day_of_400_years(void **state)
{
    (void)state;
    for (int32_t day = 1; day < 146097 + 1; day++) {
        char text[32], expected[32];
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        int32_t back = 0;
        tide_ms time_ms = 0;
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_int_equal(strftime(expected, sizeof expected, "%Y-%m-%d", &tm), 10);
        assert_int_equal(tide_date_format(text, sizeof text, day), 10);
        assert_string_equal(text, expected);
        assert_int_equal(tide_date_parse(text, 10, &back), 0);
        assert_int_equal(back, day);
        assert_int_equal(tide_time_format(text, sizeof text, day * TIDE_DAY_MS, 0), 20);
        assert_int_equal(tide_time_parse(text, 20, &time_ms), 0);
        assert_int_equal(time_ms, day * TIDE_DAY_MS);
    }
}

static void offsets(void **state)
{
    static const struct {
        int offset_min;
        const char *text;
    } rows[] = {
        {0, "2019-05-20T10:00:00Z"},        {480, "2019-05-20T18:00:00+08:00"},
        {840, "2019-05-21T00:00:00+14:00"}, {-720, "2019-05-19T22:00:00-12:00"},
        {345, "2019-05-20T15:45:00+05:45"}, {-210, "2019-05-20T06:30:00-03:30"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        tide_ms back = 0;
        size_t len = tide_time_format(text, sizeof text, 1558346400999, rows[i].offset_min);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(tide_time_parse(text, len, &back), 0);
        assert_int_equal(back, 1558346400000);
    }
}

static void what_cannot_be_written(void **state)
{
    char text[32] = "untouched";
    (void)state;
    assert_int_equal(tide_time_format(text, sizeof text, -1, 0), 0);
    assert_int_equal(tide_time_format(text, sizeof text, INT64_MAX, 480), 0);
    assert_int_equal(tide_time_format(text, sizeof text, INT64_MIN, 480), 0);
    assert_int_equal(tide_time_format(text, sizeof text, 0, -1), 0);
    assert_int_equal(tide_time_format(text, 31, 1, 0), 0);
    assert_int_equal(tide_date_format(text, sizeof text, -1), 0);
    assert_int_equal(tide_date_format(text, sizeof text, INT32_MAX), 0);
    assert_int_equal(tide_dayminute_format(text, sizeof text, 2881), 0);
    assert_int_equal(tide_dayminute_format(text, sizeof text, -1), 0);
    assert_string_equal(text, "untouched");
}

static void minutes_of_a_day(void **state)
{
    static const char *const bad[] = {"",      "8:30",  "08:3",   "08:60", "48:01", "99:00",
                                      "-1:00", "08-30", "08:30 ", "0830",  "08:300"};
    (void)state;
    for (int32_t minute = 0; minute <= 2880; minute++) {
        char text[32];
        int32_t back = -1;
        assert_int_equal(tide_dayminute_format(text, sizeof text, minute), 5);
        assert_int_equal(tide_dayminute_parse(text, 5, &back), 0);
        assert_int_equal(back, minute);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int32_t minute = -5;
        assert_int_equal(tide_dayminute_parse(bad[i], strlen(bad[i]), &minute), -1);
        assert_int_equal(minute, -5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),          cmocka_unit_test(every_day_of_400_years),
        cmocka_unit_test(offsets),          cmocka_unit_test(what_cannot_be_written),
        cmocka_unit_test(minutes_of_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
