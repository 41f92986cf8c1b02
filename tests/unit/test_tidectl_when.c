/* Tests how tidectl reads and shows times. Base: Monday 2019-05-20 15:01:30 of +08:00. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

#define OFFSET 480
static const char base_text[] = "2019-05-20T15:01:30+08:00";

static int64_t ms_of(const char *text)
{
    tide_ms ms = 0;

    assert_int_equal(tide_time_parse(text, strlen(text), &ms), 0);
    return ms;
}

/* As "2019-05-20T15:01:30+08:00"; "" when it is no time. */
static const char *resolved(const char *said, const char *after)
{
    static char text[40];
    struct ctl_when when;

    text[0] = '\0';
    if (ctl_when_parse(said, OFFSET, &when) == 0)
        tide_time_format(
            text, sizeof text,
            ctl_when_resolve(&when, ms_of(base_text), after ? ms_of(after) : 0, OFFSET), OFFSET);
    return text;
}

static void starts(void **state)
{
    static const char *const rows[][2] = {
        {"now", "2019-05-20T15:01:30+08:00"},
        {"现在", "2019-05-20T15:01:30+08:00"},
        {"18:00", "2019-05-20T18:00:00+08:00"},
        {"8:30", "2019-05-21T08:30:00+08:00"},  /* past today: the next one */
        {"15:00", "2019-05-20T15:00:00+08:00"}, /* a moment ago is now */
        {"14:55", "2019-05-21T14:55:00+08:00"},
        {"24:00", "2019-05-21T00:00:00+08:00"},
        {"18:00", "2019-05-20T18:00:00+08:00"},
        {"+2h", "2019-05-20T17:01:30+08:00"},
        {"+1d2h30m", "2019-05-21T17:31:30+08:00"},
        {"+90min", "2019-05-20T16:31:30+08:00"},
        {"+2小时", "2019-05-20T17:01:30+08:00"},
        {"+1小时30分钟", "2019-05-20T16:31:30+08:00"},
        {"today 08:00", "2019-05-20T08:00:00+08:00"}, /* what was said, past or not */
        {"tomorrow 08:30", "2019-05-21T08:30:00+08:00"},
        {"明天 08:30", "2019-05-21T08:30:00+08:00"},
        {"明天08:30", "2019-05-21T08:30:00+08:00"},
        {"后天 8:30", "2019-05-22T08:30:00+08:00"},
        {"fri 9:00", "2019-05-24T09:00:00+08:00"},
        {"Friday 09:00", "2019-05-24T09:00:00+08:00"},
        {"周五 09:00", "2019-05-24T09:00:00+08:00"},
        {"星期日 09:00", "2019-05-26T09:00:00+08:00"},
        {"mon 18:00", "2019-05-20T18:00:00+08:00"}, /* today, still ahead */
        {"mon 08:00", "2019-05-27T08:00:00+08:00"}, /* past: next week */
        {"05-21 08:30", "2019-05-21T08:30:00+08:00"},
        {"5-1 08:30", "2020-05-01T08:30:00+08:00"}, /* past: next year */
        {"02-29 08:30", "2020-02-29T08:30:00+08:00"},
        {"2019-05-20 18:00", "2019-05-20T18:00:00+08:00"},
        {"2019-05-20T18:00", "2019-05-20T18:00:00+08:00"},
        {"2019-05-20T18:00:05", "2019-05-20T18:00:05+08:00"},
        {"2019-05-20T10:00:00Z", "2019-05-20T18:00:00+08:00"},
        {"2019-05-20T18:00+08:00", "2019-05-20T18:00:00+08:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(resolved(rows[i][0], NULL), rows[i][1]);
}

static void ends_count_from_the_start(void **state)
{
    static const char *const rows[][3] = {
        {"+2h", "2019-05-21T18:00:00+08:00", "2019-05-21T20:00:00+08:00"},
        {"20:00", "2019-05-21T18:00:00+08:00", "2019-05-21T20:00:00+08:00"},
        {"08:00", "2019-05-21T18:00:00+08:00", "2019-05-22T08:00:00+08:00"}, /* across midnight */
        {"18:00", "2019-05-21T18:00:00+08:00", "2019-05-22T18:00:00+08:00"}, /* behind the start */
        {"24:00", "2019-05-21T18:00:00+08:00", "2019-05-22T00:00:00+08:00"},
        {"tomorrow 09:00", "2019-05-20T18:00:00+08:00", "2019-05-21T09:00:00+08:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(resolved(rows[i][0], rows[i][1]), rows[i][2]);
}

static void what_is_no_time(void **state)
{
    static const char *const rows[] = {
        "",
        "noon",
        "25",
        "18",
        "48:00",
        "18:60",
        "+",
        "+2",
        "+h",
        "+2x",
        "18:00 tomorrow",
        "tomorrow",
        "fri",
        "13-01 08:00",
        "1:2:3",
        "2019-05-20",
        "2019-13-20T18:00",
        "2019-05-20T25:00",
        "nowish",
        "monday08",
        "monda 8:00",
        "-2h",
        "2h",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (resolved(rows[i], NULL)[0])
            fail_msg("'%s' was taken for %s", rows[i], resolved(rows[i], NULL));
}

static void dates_and_hours(void **state)
{
    static const char *const dates[][2] = {{"2019-06-30", "2019-06-30"},
                                           {"today", "2019-05-20"},
                                           {"明天", "2019-05-21"},
                                           {"fri", "2019-05-24"},
                                           {"06-30", "2019-06-30"},
                                           {"2019-6-30", ""},
                                           {"+2h", ""},
                                           {"18:00", ""},
                                           {"", ""},
                                           {"2019-02-30", ""}};
    static const char *const hours[][2] = {
        {"8:30", "08:30"}, {"24:00", "24:00"}, {"25:15", "25:15"}, {"8", ""},
        {"8:3", ""},       {"8:60", ""},       {"48:00", ""},      {"08:30 ", ""}};
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int rc = ctl_when_date(dates[i][0], ms_of(base_text), OFFSET, text, sizeof text);

        assert_string_equal(rc == 0 ? text : "", dates[i][1]);
    }
    for (size_t i = 0; i < sizeof hours / sizeof *hours; i++) {
        int rc = ctl_when_hour(hours[i][0], text, sizeof text);

        assert_string_equal(rc == 0 ? text : "", hours[i][1]);
    }
}

static void shown_as_the_domain_writes_them(void **state)
{
    char text[64];

    (void)state;
    ctl_chinese = false;
    ctl_when_show("2019-05-20T18:00:00+08:00", text, sizeof text);
    assert_string_equal(text, "05-20 Mon 18:00");
    ctl_when_show("2019-05-20T00:30:00+08:00", text, sizeof text); /* still UTC's Sunday */
    assert_string_equal(text, "05-20 Mon 00:30");
    ctl_chinese = true;
    ctl_when_show("2019-05-26T18:00:00+08:00", text, sizeof text);
    assert_string_equal(text, "05-26 周日 18:00");
    ctl_chinese = false;
    ctl_when_show("", text, sizeof text);
    assert_string_equal(text, "");
    ctl_when_show("someday", text, sizeof text);
    assert_string_equal(text, "someday");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(starts),
    cmocka_unit_test(ends_count_from_the_start),
    cmocka_unit_test(what_is_no_time),
    cmocka_unit_test(dates_and_hours),
    cmocka_unit_test(shown_as_the_domain_writes_them),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
