/* when.c - times as people say them.
 *
 *   now · 现在                     +2h · +90m · +1d2h · +2小时 · +30分钟      a span
 *   18:00                          the next time it is 18:00
 *   tomorrow 08:30 · 明天 08:30     fri 9:00 · 周五 9:00     05-21 08:30
 *   2019-05-20 18:00               2019-05-20T18:00+08:00   as on the wire
 *
 * Days are civil days of the domain; the clock to which "now" refers is the daemon's.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

#define DAY_MS 86400000LL
#define MINUTE_MS 60000LL

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool take_word(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncasecmp(*at, word, len) != 0)
        return false;
    if (isalpha((unsigned char)word[len - 1]) && isalpha((unsigned char)(*at)[len]))
        return false;
    *at += len;
    return true;
}

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        ++*at;
}

/* At most `most` digits; false when there is none. */
static bool take_number(const char **at, int most, int *ret)
{
    int value = 0, count = 0;

    while (count < most && isdigit((unsigned char)(*at)[count]))
        value = value * 10 + ((*at)[count++] - '0');
    *at += count;
    *ret = value;
    return count > 0;
}

/* 8:30, 08:30, 24:00, 8：30 */
static bool take_hour(const char **at, int *ret_minute)
{
    const char *begin = *at;
    int hour, minute;

    if (take_number(at, 2, &hour) && (take_word(at, ":") || take_word(at, "：")) &&
        isdigit((unsigned char)(*at)[0]) && isdigit((unsigned char)(*at)[1])) {
        minute = ((*at)[0] - '0') * 10 + ((*at)[1] - '0');
        *at += 2;
        *ret_minute = hour * 60 + minute;
        if (minute < 60 && *ret_minute < 2880)
            return true;
    }
    *at = begin;
    return false;
}

static bool parse_span(const char *at, struct ctl_when *ret)
{
    static const struct {
        const char *word;
        int64_t ms;
    } units[] = {{"小时", 60 * MINUTE_MS}, {"分钟", MINUTE_MS}, {"hours", 60 * MINUTE_MS},
                 {"hour", 60 * MINUTE_MS}, {"min", MINUTE_MS},  {"天", DAY_MS},
                 {"时", 60 * MINUTE_MS},   {"分", MINUTE_MS},   {"h", 60 * MINUTE_MS},
                 {"m", MINUTE_MS},         {"d", DAY_MS}};
    int64_t sum = 0;

    if (*at++ != '+' || !*at)
        return false;
    while (*at) {
        int number;
        size_t i = 0;

        if (!take_number(&at, 5, &number))
            return false;
        while (i < sizeof units / sizeof *units &&
               strncasecmp(at, units[i].word, strlen(units[i].word)) != 0)
            i++;
        if (i == sizeof units / sizeof *units)
            return false;
        at += strlen(units[i].word);
        sum += number * units[i].ms;
        skip_blanks(&at);
    }
    *ret = (struct ctl_when){.kind = CTL_WHEN_SPAN, .ms = sum, .plus_days = -1, .weekday = -1};
    return true;
}

/* today, tomorrow, fri, 05-21 in front of an hour. */
static void take_day(const char **at, struct ctl_when *when)
{
    static const char *const plus[3][4] = {
        {"today", "今天", "今日", NULL}, {"tomorrow", "明天", "明日", NULL}, {"后天", NULL}};
    static const char *const days[7][7] = {
        {"monday", "mon", "周一", "星期一", NULL},
        {"tuesday", "tue", "周二", "星期二", NULL},
        {"wednesday", "wed", "周三", "星期三", NULL},
        {"thursday", "thu", "周四", "星期四", NULL},
        {"friday", "fri", "周五", "星期五", NULL},
        {"saturday", "sat", "周六", "星期六", NULL},
        {"sunday", "sun", "周日", "周天", "星期日", NULL},
    };

    for (int i = 0; i < 3; i++)
        for (int k = 0; plus[i][k]; k++)
            if (take_word(at, plus[i][k])) {
                when->plus_days = i;
                return;
            }
    for (int i = 0; i < 7; i++)
        for (int k = 0; days[i][k]; k++)
            if (take_word(at, days[i][k])) {
                when->weekday = i;
                return;
            }
    const char *begin = *at;
    if (take_number(at, 2, &when->month) && take_word(at, "-") && take_number(at, 2, &when->mday) &&
        when->month >= 1 && when->month <= 12 && when->mday >= 1 && when->mday <= 31)
        return;
    when->month = when->mday = 0;
    *at = begin;
}

static bool parse_day(const char *at, struct ctl_when *ret)
{
    struct ctl_when when = {.kind = CTL_WHEN_DAY, .plus_days = -1, .weekday = -1};

    take_day(&at, &when);
    when.any_day = when.plus_days < 0 && when.weekday < 0 && when.month == 0;
    skip_blanks(&at);
    if (!take_hour(&at, &when.minute))
        return false;
    skip_blanks(&at);
    if (*at)
        return false;
    *ret = when;
    return true;
}

/* 2019-05-20 18:00 and what RFC 3339 allows. */
static bool parse_absolute(const char *text, int utc_offset_min, struct ctl_when *ret)
{
    char copy[48];
    int offset = utc_offset_min;
    size_t len = strlen(text);

    if (len < 16 || len > 36 || text[4] != '-' || text[7] != '-')
        return false;
    snprintf(copy, sizeof copy, "%s", text);
    if (copy[10] == ' ')
        copy[10] = 'T';
    if (len == 16)
        snprintf(copy + 16, sizeof copy - 16, "%c%02d:%02d", offset < 0 ? '-' : '+',
                 abs(offset) / 60 % 24, abs(offset) % 60);
    if (len == 19 && copy[16] == ':')
        snprintf(copy + 19, sizeof copy - 19, "%c%02d:%02d", offset < 0 ? '-' : '+',
                 abs(offset) / 60 % 24, abs(offset) % 60);
    *ret = (struct ctl_when){.kind = CTL_WHEN_ABSOLUTE, .plus_days = -1, .weekday = -1};
    return tide_time_parse(copy, strlen(copy), &ret->ms) == 0;
}

int ctl_when_parse(const char *text, int utc_offset_min, struct ctl_when *ret)
{
    const char *at = text;

    skip_blanks(&at);
    if (strcasecmp(at, "now") == 0 || strcmp(at, "现在") == 0) {
        *ret = (struct ctl_when){.kind = CTL_WHEN_SPAN, .plus_days = 0, .weekday = -1};
        return 0;
    }
    if (parse_span(at, ret) || parse_day(at, ret) || parse_absolute(at, utc_offset_min, ret))
        return 0;
    return -1;
}

/* Days since 1970-01-01 of a date of the year that `today` lies in, or of the next. */
static int64_t day_of_date(int64_t today, int month, int mday)
{
    char text[40];
    tide_ms now_ms = today * DAY_MS, found;

    for (int plus = 0; plus < 5; plus++) {
        int year;

        tide_time_format(text, sizeof text, now_ms, 0);
        year = (int)strtol(text, NULL, 10) + plus;
        snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, mday);
        if (tide_time_parse(text, strlen(text), &found) == 0 && found / DAY_MS >= today)
            return found / DAY_MS;
    }
    return today;
}

int64_t ctl_when_resolve(const struct ctl_when *when, int64_t base_ms, int64_t after_ms,
                         int utc_offset_min)
{
    int64_t offset = utc_offset_min * MINUTE_MS, after = after_ms ? after_ms : base_ms;
    int64_t today = floor_div(base_ms + offset, DAY_MS), day = today, at;

    if (when->kind == CTL_WHEN_ABSOLUTE)
        return when->ms;
    if (when->kind == CTL_WHEN_SPAN)
        return (when->ms && after_ms ? after_ms : base_ms) + when->ms;
    if (when->plus_days >= 0)
        day = today + when->plus_days;
    else if (when->weekday >= 0)
        day = today + (when->weekday - (today + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    else if (when->month)
        day = day_of_date(today, when->month, when->mday);
    at = day * DAY_MS - offset + when->minute * MINUTE_MS;
    if (when->any_day && after_ms) { /* an end: the first such time behind the start */
        day = floor_div(after_ms + offset, DAY_MS);
        at = day * DAY_MS - offset + when->minute * MINUTE_MS;
    }
    while (when->any_day && (after_ms ? at <= after : at < after - 5 * MINUTE_MS))
        at += DAY_MS;
    if (when->weekday >= 0 && at < base_ms - 5 * MINUTE_MS)
        at += 7 * DAY_MS;
    return at;
}

int ctl_when_date(const char *word, int64_t base_ms, int utc_offset_min, char *text, size_t cap)
{
    struct ctl_when when;
    char spoken[64], full[40];

    snprintf(spoken, sizeof spoken, "%.40s 12:00", word);
    if (ctl_when_parse(spoken, utc_offset_min, &when) != 0 || when.any_day ||
        when.kind == CTL_WHEN_SPAN)
        return -1;
    if (tide_time_format(full, sizeof full, ctl_when_resolve(&when, base_ms, 0, utc_offset_min),
                         utc_offset_min) < 10)
        return -1;
    snprintf(text, cap, "%.10s", full);
    return 0;
}

int ctl_when_hour(const char *word, char *text, size_t cap)
{
    int minute;

    if (!take_hour(&word, &minute) || *word)
        return -1;
    snprintf(text, cap, "%02d:%02d", minute / 60, minute % 60);
    return 0;
}

void ctl_when_show(const char *json_time, char *out, size_t cap)
{
    static const char *const en[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const zh[] = {"周一", "周二", "周三", "周四", "周五", "周六", "周日"};
    tide_ms time_ms;
    char local[40];
    size_t len = strlen(json_time);

    snprintf(out, cap, "%s", json_time);
    if (len < 16 || tide_time_parse(json_time, len, &time_ms) != 0)
        return;
    /* the day as it is written, whatever its offset: read it again as if it were UTC */
    snprintf(local, sizeof local, "%.10sT12:00:00Z", json_time);
    if (tide_time_parse(local, strlen(local), &time_ms) != 0)
        return;
    int weekday = (int)((time_ms / DAY_MS + 3) % 7);
    snprintf(out, cap, "%.5s %s %.5s", json_time + 5, ctl_chinese ? zh[weekday] : en[weekday],
             json_time + 11);
}
