/* time.c - times, dates and minutes of a day as text: a narrow RFC 3339, no locale, no time zones
 * beyond an offset in minutes.
 *
 *     2019-05-20T18:00+08:00        seconds may be left out on input, never on output
 *     2019-05-20T10:00:00.250Z      a fraction is cut to milliseconds
 *     2019-05-20                    a civil day, counted from 1970-01-01
 *     08:30  24:00  25:15           a minute of a civil day; from 24:00 on it is the next day's
 */
#include <stdbool.h>
#include <string.h>

#include "protocol/wire.h"

/* ---- days (H. Hinnant, chrono-compatible low-level date algorithms) -------------------------- */
int32_t wire_days_from_civil(int year, unsigned month, unsigned day)
{
    int y = year - (month <= 2 ? 1 : 0);
    int era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + (int32_t)day_of_era - 719468;
}

struct civil {
    int year;
    unsigned month, day;
};

static struct civil civil_from_days(int32_t days)
{
    int32_t z = days + 719468;
    int32_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned m = (5 * of_year + 2) / 153;
    struct civil civil = {.day = of_year - (153 * m + 2) / 5 + 1, .month = m < 10 ? m + 3 : m - 9};
    civil.year = (int)year + era * 400 + (civil.month <= 2 ? 1 : 0);
    return civil;
}

static unsigned days_of_month(int year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- reading --------------------------------------------------------------------------------- */
struct reader {
    const char *at, *end;
    bool bad;
};

static unsigned digits(struct reader *r, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9') {
            r->bad = true;
            return 0;
        }
        value = value * 10 + (unsigned)(*r->at++ - '0');
    }
    return value;
}

static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static void expect(struct reader *r, char c)
{
    if (!take(r, c))
        r->bad = true;
}

static int32_t read_date(struct reader *r)
{
    int year = (int)digits(r, 4);
    expect(r, '-');
    unsigned month = digits(r, 2);
    expect(r, '-');
    unsigned day = digits(r, 2);
    if (r->bad || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) {
        r->bad = true;
        return 0;
    }
    return wire_days_from_civil(year, month, day);
}

/* After the dot: 1 to 9 digits, of which three count. */
static unsigned read_fraction_ms(struct reader *r)
{
    unsigned ms = 0, count = 0;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        unsigned digit = digits(r, 1);
        if (count++ < 3)
            ms = ms * 10 + digit;
    }
    if (count == 0 || count > 9)
        r->bad = true;
    for (; count < 3; count++)
        ms *= 10;
    return ms;
}

/* Z, +hh:mm, -hh:mm; minutes east of Greenwich. */
static int read_offset(struct reader *r)
{
    if (take(r, 'Z'))
        return 0;
    bool west = take(r, '-');
    if (!west)
        expect(r, '+');
    unsigned hours = digits(r, 2);
    expect(r, ':');
    unsigned minutes = digits(r, 2);
    if (hours > 23 || minutes > 59)
        r->bad = true;
    int offset = (int)(hours * 60 + minutes);
    return west ? -offset : offset;
}

int tide_time_parse(const char *text, size_t len, tide_ms *ret)
{
    struct reader r = {.at = text, .end = text + len};
    unsigned second = 0, ms = 0;
    int32_t days = read_date(&r);
    expect(&r, 'T');
    unsigned hour = digits(&r, 2);
    expect(&r, ':');
    unsigned minute = digits(&r, 2);
    if (take(&r, ':')) {
        second = digits(&r, 2);
        if (take(&r, '.'))
            ms = read_fraction_ms(&r);
    }
    int offset_min = read_offset(&r);
    if (r.bad || r.at != r.end || hour > 23 || minute > 59 || second > 59)
        return -1;
    tide_ms time = days * TIDE_DAY_MS +
                   ((tide_ms)hour * 60 + (tide_ms)minute - offset_min) * TIDE_MINUTE_MS +
                   (tide_ms)second * 1000 + (tide_ms)ms;
    if (time <= 0 || time > TIDE_TIME_MAX)
        return -1;
    *ret = time;
    return 0;
}

int tide_date_parse(const char *text, size_t len, int32_t *ret)
{
    struct reader r = {.at = text, .end = text + len};
    int32_t days = read_date(&r);
    if (r.bad || r.at != r.end || days <= 0)
        return -1;
    *ret = days;
    return 0;
}

int tide_dayminute_parse(const char *text, size_t len, int32_t *ret)
{
    struct reader r = {.at = text, .end = text + len};
    unsigned hour = digits(&r, 2);
    expect(&r, ':');
    unsigned minute = digits(&r, 2);
    if (r.bad || r.at != r.end || minute > 59 || hour * 60 + minute > 2880)
        return -1;
    *ret = (int32_t)(hour * 60 + minute);
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */
static char *write_digits(char *out, unsigned value, unsigned count)
{
    for (unsigned i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + count;
}

static char *write_date(char *out, int32_t days)
{
    struct civil civil = civil_from_days(days);
    out = write_digits(out, (unsigned)civil.year, 4);
    *out++ = '-';
    out = write_digits(out, civil.month, 2);
    *out++ = '-';
    return write_digits(out, civil.day, 2);
}

static char *write_clock(char *out, unsigned hour, unsigned minute)
{
    out = write_digits(out, hour, 2);
    *out++ = ':';
    return write_digits(out, minute, 2);
}

static size_t format(char *out, size_t cap, tide_ms time_ms, int utc_offset_min, bool with_ms)
{
    if (cap < WIRE_TIME_MAX || time_ms < 0 || time_ms > TIDE_TIME_MAX)
        return 0;
    tide_ms local = time_ms + utc_offset_min * TIDE_MINUTE_MS;
    if (local < 0 || local > TIDE_TIME_MAX)
        return 0;
    unsigned of_day_ms = (unsigned)(local % TIDE_DAY_MS);
    char *p = write_date(out, (int32_t)(local / TIDE_DAY_MS));
    *p++ = 'T';
    p = write_clock(p, of_day_ms / 3600000, of_day_ms / 60000 % 60);
    *p++ = ':';
    p = write_digits(p, of_day_ms / 1000 % 60, 2);
    if (with_ms) {
        *p++ = '.';
        p = write_digits(p, of_day_ms % 1000, 3);
    }
    if (utc_offset_min == 0) {
        *p++ = 'Z';
    } else {
        unsigned offset = (unsigned)(utc_offset_min < 0 ? -utc_offset_min : utc_offset_min);
        *p++ = utc_offset_min < 0 ? '-' : '+';
        p = write_clock(p, offset / 60, offset % 60);
    }
    *p = '\0';
    return (size_t)(p - out);
}

size_t tide_time_format(char *out, size_t cap, tide_ms time_ms, int utc_offset_min)
{
    return format(out, cap, time_ms, utc_offset_min, false);
}

size_t wire_time_format_ms(char *out, size_t cap, tide_ms time_ms, int utc_offset_min)
{
    return format(out, cap, time_ms, utc_offset_min, true);
}

size_t tide_date_format(char *out, size_t cap, int32_t date)
{
    if (cap < WIRE_TIME_MAX || date < 0 || date > TIDE_TIME_MAX / TIDE_DAY_MS)
        return 0;
    char *end = write_date(out, date);
    *end = '\0';
    return (size_t)(end - out);
}

size_t tide_dayminute_format(char *out, size_t cap, int32_t minute)
{
    if (cap < WIRE_TIME_MAX || minute < 0 || minute > 2880)
        return 0;
    char *end = write_clock(out, (unsigned)minute / 60, (unsigned)minute % 60);
    *end = '\0';
    return (size_t)(end - out);
}
