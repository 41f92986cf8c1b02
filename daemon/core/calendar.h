/* calendar.h - civil days of a domain: which are workdays, and where a day begins.
 *
 * A day's class comes from the State Council's list (rows `day`: holidays and make-up workdays, 调休)
 * or, where that says nothing, from its weekday. One fixed offset from UTC a domain.
 */
#ifndef TIDE_CORE_CALENDAR_H
#define TIDE_CORE_CALENDAR_H

#include "daemon/core/state.h"

/* Civil day and minute of a time, and back. Floors also before 1970. */
int32_t calendar_date(const struct engine *engine, tide_ms time_ms);
tide_ms calendar_day_start(const struct engine *engine, int32_t date);
/* 0 Monday .. 6 Sunday. */
unsigned calendar_weekday(int32_t date);
/* year * 12 + month - 1. */
int32_t calendar_month(int32_t date);
int32_t calendar_year(int32_t date);
/* First day of a year * 12 + month - 1. */
int32_t calendar_month_start(int32_t month);

enum tide_day_class calendar_class(const struct engine *engine, int32_t date);
/* True when a rule with these masks holds on this day. */
bool calendar_matches(const struct engine *engine, int32_t date, uint8_t days, uint8_t weekdays);
/* The holiday file of a year is in. */
bool calendar_covers(const struct engine *engine, int32_t date);

/* Event `calendar`: replaces a year's exceptions, resolves windows anew, keeps promises, tells. */
void calendar_take(struct step *step);

#endif
