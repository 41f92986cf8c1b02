/* test_calendar.c - civil days and their classes, against real holiday files where they lie.
 *
 * The files (holiday-cn, see SOURCES.md beside them) are read from $TIDE_SHARED/data/calendar;
 * without them these tests say so and are skipped.
 */
#include <cjson/cJSON.h>
#include <time.h>

#include "daemon/core/calendar.h"
#include "protocol/codec.h"
#include "tests/unit/engine_fixture.h"

/* ---- arithmetic ----------------------------------------------------------------------------- */
static void days_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int32_t date = -30000; date < 60000; date += 7) {
        time_t seconds = (time_t)date * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        int32_t month = (tm.tm_year + 1900) * 12 + tm.tm_mon;
        assert_int_equal(calendar_month(date), month);
        assert_int_equal(calendar_year(date), tm.tm_year + 1900);
        assert_int_equal(calendar_weekday(date), (tm.tm_wday + 6) % 7);
        assert_int_equal(calendar_month_start(month), date - tm.tm_mday + 1);
    }
}

static void a_civil_day_begins_at_its_own_midnight(void **state)
{
    struct fixture *f = *state;
    tide_ms midnight = MONDAY_0800 - 8 * HOUR_MS;
    int32_t date = calendar_date(f->engine, midnight);
    assert_int_equal(calendar_day_start(f->engine, date), midnight);
    assert_int_equal(calendar_date(f->engine, midnight - 1), date - 1);
    assert_int_equal(calendar_date(f->engine, -1), 0); /* 1970-01-01 07:59:59.999 at +08:00 */
    assert_int_equal(calendar_date(f->engine, -9 * HOUR_MS), -1);
}

static void without_a_file_the_weekday_decides(void **state)
{
    struct fixture *f = *state;
    int32_t monday = calendar_date(f->engine, MONDAY_0800);
    for (int32_t i = 0; i < 14; i++)
        assert_int_equal(calendar_class(f->engine, monday + i),
                         i % 7 < 5 ? TIDE_DAY_CLASS_workday : TIDE_DAY_CLASS_restday);
    assert_true(calendar_matches(f->engine, monday + 4, TIDE_DAYS_EVE, TIDE_WEEKDAYS_ALL));
    assert_false(calendar_matches(f->engine, monday + 3, TIDE_DAYS_EVE, TIDE_WEEKDAYS_ALL));
    assert_false(calendar_matches(f->engine, monday, TIDE_DAYS_WORKDAY, 0x7e)); /* not Mondays */
}

/* ---- real files ----------------------------------------------------------------------------- */
static char *file_text(const char *name)
{
    char path[4096];
    const char *shared = getenv("TIDE_SHARED");
    (void)snprintf(path, sizeof path, "%s/data/calendar/%s", shared != NULL ? shared : "../shared",
                   name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("skipped: no %s\n", name);
        return NULL;
    }
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    (void)fclose(file);
    return text;
}

/* Sends the file as an event; returns its tree. */
static cJSON *take_file(struct fixture *f, const char *name, int year)
{
    static uint8_t blob[4096];
    size_t at = 0;
    char *text = file_text(name);
    if (text == NULL)
        return NULL;
    cJSON *root = cJSON_Parse(text), *item;
    free(text);
    assert_non_null(root);
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(root, "days"))
    {
        const char *date_text = cJSON_GetObjectItem(item, "date")->valuestring;
        bool off = cJSON_IsTrue(cJSON_GetObjectItem(item, "isOffDay"));
        int32_t date = 0;
        assert_int_equal(tide_date_parse(date_text, strlen(date_text), &date), 0);
        ROW(day, date, off ? TIDE_DAY_CLASS_holiday : TIDE_DAY_CLASS_workday);
    }
    struct engine_event event = {.kind = TIDE_REC_calendar,
                                 .user = CLERK,
                                 .when_ms = f->now_ms,
                                 .blob = blob,
                                 .blob_len = (uint32_t)at};
    event.as.calendar.year = year;
    engine_step(f->engine, &event, &f->effects);
    fixture_pass(f, 0); /* promises are looked at again */
    return root;
}

static void real_years_give_their_own_classes(void **state)
{
    static const int years[] = {2019, 2024, 2025, 2026};
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d.json", years[i]);
        cJSON *root = take_file(f, name, years[i]), *item;
        if (root == NULL)
            skip();
        cJSON_ArrayForEach(item, cJSON_GetObjectItem(root, "days"))
        {
            const char *text = cJSON_GetObjectItem(item, "date")->valuestring;
            int32_t date = 0;
            assert_int_equal(tide_date_parse(text, strlen(text), &date), 0);
            enum tide_day_class expected = cJSON_IsTrue(cJSON_GetObjectItem(item, "isOffDay"))
                                               ? TIDE_DAY_CLASS_holiday
                                               : TIDE_DAY_CLASS_workday;
            assert_int_equal(calendar_class(f->engine, date), expected);
        }
        cJSON_Delete(root);
    }
}

static void make_up_workdays_of_2026_are_workdays(void **state)
{
    static const char *const days[] = {"2026-01-04", "2026-02-14", "2026-02-28",
                                       "2026-05-09", "2026-09-20", "2026-10-10"};
    struct fixture *f = *state;
    cJSON *root = take_file(f, "2026.json", 2026);
    if (root == NULL)
        skip();
    cJSON_Delete(root);
    for (unsigned i = 0; i < sizeof days / sizeof *days; i++) {
        int32_t date = 0;
        assert_int_equal(tide_date_parse(days[i], 10, &date), 0);
        assert_true(calendar_weekday(date) >= 5);
        assert_int_equal(calendar_class(f->engine, date), TIDE_DAY_CLASS_workday);
        assert_true(calendar_covers(f->engine, date));
    }
    assert_false(calendar_covers(f->engine, calendar_month_start(2027 * 12)));
}

static void a_missing_year_is_told_once_when_it_comes_into_sight(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[64];
    size_t at = 0;
    ROW(day, 17900, TIDE_DAY_CLASS_holiday); /* any day of 2019 */
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_calendar);
    CODE_IS(f, ok);
    unsigned told = 0;
    while (f->now_ms < MONDAY_0800 + 240 * TIDE_DAY_MS) { /* into January 2020 */
        fixture_pass(f, TIDE_DAY_MS);
        told += fixture_told(f, CLERK, TIDE_NOTICE_KIND_calendar_missing);
    }
    assert_int_equal(told, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_agree_with_the_c_library),
        T(a_civil_day_begins_at_its_own_midnight),
        T(without_a_file_the_weekday_decides),
        T(real_years_give_their_own_classes),
        T(make_up_workdays_of_2026_are_workdays),
        T(a_missing_year_is_told_once_when_it_comes_into_sight),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
