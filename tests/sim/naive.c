/* naive.c - see naive.h. */
#include "tests/sim/naive.h"

#include <assert.h>

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int32_t naive_date(const struct naive_calendar *calendar, tide_ms at)
{
    tide_ms local = at + calendar->utc_offset_min * TIDE_MINUTE_MS;
    tide_ms day = local / TIDE_DAY_MS;
    if (local < 0 && day * TIDE_DAY_MS != local)
        day--;
    return (int32_t)day;
}

tide_ms naive_midnight(const struct naive_calendar *calendar, int32_t date)
{
    return date * TIDE_DAY_MS - calendar->utc_offset_min * TIDE_MINUTE_MS;
}

void naive_civil(int32_t date, int *ret_year, int *ret_month, int *ret_day)
{
    assert(date >= 0);
    int year = 1970, month = 1;
    int32_t left = date;
    while (left >= (is_leap(year) ? 366 : 365)) {
        left -= is_leap(year) ? 366 : 365;
        year++;
    }
    while (left >= month_days(year, month)) {
        left -= month_days(year, month);
        month++;
    }
    *ret_year = year;
    *ret_month = month;
    *ret_day = left + 1;
}

int32_t naive_days_from(int year, int month, int day)
{
    assert(year >= 1970 && month >= 1 && month <= 12);
    int32_t date = day - 1;
    for (int y = 1970; y < year; y++)
        date += is_leap(y) ? 366 : 365;
    for (int m = 1; m < month; m++)
        date += month_days(year, m);
    return date;
}

int naive_weekday(int32_t date)
{
    int32_t since_monday = (date + 3) % 7; /* 1970-01-01 was a Thursday */
    return since_monday < 0 ? since_monday + 7 : since_monday;
}

enum tide_day_class naive_day_class(const struct naive_calendar *calendar, int32_t date)
{
    for (size_t i = 0; i < calendar->count; i++)
        if (calendar->days[i].date == date)
            return (enum tide_day_class)calendar->days[i].day_class;
    return naive_weekday(date) < 5 ? TIDE_DAY_CLASS_workday : TIDE_DAY_CLASS_restday;
}

bool naive_day_matches(const struct naive_calendar *calendar, uint8_t days, uint8_t weekdays,
                       int32_t from_date, int32_t until_date, int32_t date)
{
    if (date < from_date || (until_date != 0 && date > until_date))
        return false;
    if ((weekdays & (1u << naive_weekday(date))) == 0)
        return false;
    switch (naive_day_class(calendar, date)) {
    case TIDE_DAY_CLASS_workday:
        if (days & TIDE_DAYS_WORKDAY)
            return true;
        return (days & TIDE_DAYS_EVE) &&
               naive_day_class(calendar, date + 1) != TIDE_DAY_CLASS_workday;
    case TIDE_DAY_CLASS_restday:
        return days & TIDE_DAYS_RESTDAY;
    case TIDE_DAY_CLASS_holiday:
        return days & TIDE_DAYS_HOLIDAY;
    default:
        return false;
    }
}

/* The first moment from which the window holds, and its end, for one civil day of a weekly rule. */
static bool occurrence(const struct naive_calendar *calendar, const struct tide_window *window,
                       int32_t date, tide_ms *ret_start, tide_ms *ret_end)
{
    if (!naive_day_matches(calendar, window->days, window->weekdays, window->from_date,
                           window->until_date, date))
        return false;
    tide_ms midnight = naive_midnight(calendar, date);
    *ret_start = midnight + window->opens_min * TIDE_MINUTE_MS;
    *ret_end = midnight + window->closes_min * TIDE_MINUTE_MS;
    return true;
}

bool naive_window_covers(const struct naive_calendar *calendar, const struct tide_window *window,
                         tide_ms from, tide_ms until)
{
    if (window->kind != TIDE_WINDOW_KIND_weekly)
        return window->start_ms <= from && until <= window->end_ms;
    for (int32_t date = naive_date(calendar, from) - 2; date <= naive_date(calendar, until);
         date++) {
        tide_ms start, end;
        if (occurrence(calendar, window, date, &start, &end) && start <= from && until <= end)
            return true;
    }
    return false;
}

bool naive_window_touches(const struct naive_calendar *calendar, const struct tide_window *window,
                          tide_ms from, tide_ms until)
{
    if (window->kind != TIDE_WINDOW_KIND_weekly)
        return window->start_ms < until && from < window->end_ms;
    for (int32_t date = naive_date(calendar, from) - 2; date <= naive_date(calendar, until);
         date++) {
        tide_ms start, end;
        if (occurrence(calendar, window, date, &start, &end) && start < until && from < end)
            return true;
    }
    return false;
}

static bool concerns(const struct tide_window *window, const struct tide_slot *slot)
{
    if (window->slot != 0)
        return window->slot == slot->id;
    return window->kind == TIDE_WINDOW_KIND_blackout && window->zone == slot->zone;
}

bool naive_grain_open(const struct naive_calendar *calendar, const struct tide_slot *slot,
                      const struct naive_windows *windows, tide_ms grain_ms)
{
    tide_ms end = grain_ms + TIDE_GRAIN_MS;
    bool open = false;
    if (slot->lent_until != 0 && naive_date(calendar, grain_ms) > slot->lent_until)
        return false;
    for (size_t i = 0; i < windows->count; i++) {
        const struct tide_window *window = windows->list[i];
        if (!concerns(window, slot))
            continue;
        if (window->kind == TIDE_WINDOW_KIND_blackout || window->kind == TIDE_WINDOW_KIND_recall) {
            if (naive_window_touches(calendar, window, grain_ms, end))
                return false;
        } else if (!open) {
            open = naive_window_covers(calendar, window, grain_ms, end);
        }
    }
    return open;
}

bool naive_slot_open(const struct naive_calendar *calendar, const struct tide_slot *slot,
                     const struct naive_windows *windows, tide_ms start, tide_ms end,
                     tide_ms *ret_first_closed)
{
    tide_ms first = start - start % TIDE_GRAIN_MS;
    assert(start >= 0);
    for (tide_ms at = first; at < end; at += TIDE_GRAIN_MS) {
        if (naive_grain_open(calendar, slot, windows, at))
            continue;
        if (ret_first_closed != NULL)
            *ret_first_closed = at;
        return false;
    }
    return true;
}
