/* naive.h - days and windows worked out the slow way: a second opinion on what the engine computes.
 *
 * Nothing here is fast, cached or resolved ahead: a moment is asked for, and every rule of the slot
 * is asked whether it holds then. Written from design.md and the comments in records.h alone; the
 * auditor and the property tests judge the engine by it.
 */
#ifndef TIDE_SIM_NAIVE_H
#define TIDE_SIM_NAIVE_H

#include "tide/limits.h"
#include "tide/records.h"

struct naive_calendar {
    int32_t utc_offset_min;
    const struct tide_day *days; /* the exceptions, in any order */
    size_t count;
};

/* Civil days since 1970-01-01 of a moment; the first moment of a civil day. */
int32_t naive_date(const struct naive_calendar *calendar, tide_ms at);
tide_ms naive_midnight(const struct naive_calendar *calendar, int32_t date);
/* Counts years and months one by one. month and day from 1. */
void naive_civil(int32_t date, int *ret_year, int *ret_month, int *ret_day);
int32_t naive_days_from(int year, int month, int day);
/* 0 Monday .. 6 Sunday. */
int naive_weekday(int32_t date);
enum tide_day_class naive_day_class(const struct naive_calendar *calendar, int32_t date);
/* Whether a rule with these masks holds on a day. */
bool naive_day_matches(const struct naive_calendar *calendar, uint8_t days, uint8_t weekdays,
                       int32_t from_date, int32_t until_date, int32_t date);

/* Whether this window's time covers all of [from, until), or any of it. A weekly rule is asked for
 * the days around. */
bool naive_window_covers(const struct naive_calendar *calendar, const struct tide_window *window,
                         tide_ms from, tide_ms until);
bool naive_window_touches(const struct naive_calendar *calendar, const struct tide_window *window,
                          tide_ms from, tide_ms until);

/* All windows there are; those of other slots are passed over. */
struct naive_windows {
    const struct tide_window **list;
    size_t count;
};
/* Whether a slot is open during one grain: a window covers it whole, no blackout or recall touches
 * it, and the agreement under which the slot is lent still runs. */
bool naive_grain_open(const struct naive_calendar *calendar, const struct tide_slot *slot,
                      const struct naive_windows *windows, tide_ms grain_ms);
/* Whether it is open during all grains that [start, end) touches. *ret_first_closed (may be
 * NULL) is the first grain in which it is not. */
bool naive_slot_open(const struct naive_calendar *calendar, const struct tide_slot *slot,
                     const struct naive_windows *windows, tide_ms start, tide_ms end,
                     tide_ms *ret_first_closed);

#endif
