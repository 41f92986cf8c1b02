/* calendar.c - see calendar.h. */
#include "daemon/core/calendar.h"

#include <string.h>

#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    CHECK(b > 0);
    return a / b - (a % b < 0);
}

int32_t calendar_date(const struct engine *engine, tide_ms time_ms)
{
    int64_t offset_ms = engine->setting[TIDE_SETTING_utc_offset_min] * TIDE_MINUTE_MS;
    return (int32_t)floor_div(time_ms + offset_ms, TIDE_DAY_MS);
}

tide_ms calendar_day_start(const struct engine *engine, int32_t date)
{
    int64_t offset_ms = engine->setting[TIDE_SETTING_utc_offset_min] * TIDE_MINUTE_MS;
    return date * TIDE_DAY_MS - offset_ms;
}

unsigned calendar_weekday(int32_t date)
{
    return (unsigned)((((int64_t)date + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* Year and month of a day: Howard Hinnant's civil_from_days (public domain). */
int32_t calendar_month(int32_t date)
{
    int64_t z = (int64_t)date + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    return (int32_t)(year * 12 + month - 1);
}

int32_t calendar_year(int32_t date)
{
    return (int32_t)floor_div(calendar_month(date), 12);
}

int32_t calendar_month_start(int32_t month)
{
    int64_t year = floor_div(month, 12), mon = month - year * 12 + 1;
    int64_t y = mon <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (mon > 2 ? mon - 3 : mon + 9) + 2) / 5;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int32_t)(era * 146097 + doe - 719468);
}

/* ---- classes of days ------------------------------------------------------------------------ */
enum tide_day_class calendar_class(const struct engine *engine, int32_t date)
{
    const struct day_state *day = table_find(&engine->days, (uint32_t)date);
    if (day != NULL)
        return (enum tide_day_class)day->row.day_class;
    return calendar_weekday(date) < 5 ? TIDE_DAY_CLASS_workday : TIDE_DAY_CLASS_restday;
}

bool calendar_matches(const struct engine *engine, int32_t date, uint8_t days, uint8_t weekdays)
{
    if ((weekdays & (1u << calendar_weekday(date))) == 0)
        return false;
    enum tide_day_class class = calendar_class(engine, date);
    if ((days & (1u << (class - 1))) != 0)
        return true;
    return (days & TIDE_DAYS_EVE) != 0 && class == TIDE_DAY_CLASS_workday &&
           calendar_class(engine, date + 1) != TIDE_DAY_CLASS_workday;
}

bool calendar_covers(const struct engine *engine, int32_t date)
{
    return calendar_year(date) <= engine->setting[TIDE_SETTING_calendar_through_year];
}

/* ---- the event ------------------------------------------------------------------------------ */
#define CALENDAR_DAYS_MAX 120 /* exceptions of one year; the State Council names about 40 */

static bool days_read(const struct engine_event *event, struct tide_day *days, unsigned *ret_count)
{
    const struct tide_record *desc = tide_record_of(TIDE_REC_day);
    int32_t year = event->as.calendar.year;
    size_t at = 0;
    unsigned count = 0;
    while (at < event->blob_len) {
        if (count == CALENDAR_DAYS_MAX || event->blob[at] != TIDE_REC_day)
            return false;
        size_t used =
            tide_record_unpack(desc, event->blob + at + 1, event->blob_len - at - 1, &days[count]);
        if (used == 0 || days[count].day_class == TIDE_DAY_CLASS_none)
            return false;
        /* A year's paper also names days of the end of the year before. */
        int32_t of = calendar_year(days[count].date);
        if (days[count].date == 0 || of < year - 1 || of > year + 1)
            return false;
        count++;
        at += 1 + used;
    }
    *ret_count = count;
    return true;
}

/* By date, not by where the rows lie. */
static void year_clear(struct step *step, int32_t year)
{
    struct engine *engine = step->engine;
    int32_t end = calendar_month_start((year + 1) * 12);
    for (int32_t date = calendar_month_start(year * 12); date < end; date++) {
        struct day_state *day = table_find(&engine->days, (uint32_t)date);
        if (day == NULL)
            continue;
        step_del(step, TIDE_REC_day, &day->row);
        table_remove(&engine->days, day);
    }
}

void calendar_take(struct step *step)
{
    struct engine *engine = step->engine;
    struct tide_day days[CALENDAR_DAYS_MAX];
    unsigned count = 0;
    int32_t year = step->event->as.calendar.year;
    if (!step_need_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee), 0))
        return;
    if (year < 1970 || year > 9999 || !days_read(step->event, days, &count)) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    if (engine->days.count + count > engine->days.cap) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    year_clear(step, year);
    for (unsigned i = 0; i < count; i++) {
        struct day_state *day = table_find(&engine->days, (uint32_t)days[i].date);
        if (day == NULL)
            day = table_add(&engine->days, (uint32_t)days[i].date);
        CHECK(day != NULL);
        day->row = days[i];
        step_put(step, TIDE_REC_day, &day->row);
    }
    if (year > engine->setting[TIDE_SETTING_calendar_through_year])
        step_setting(step, TIDE_SETTING_calendar_through_year, year);
    trace(engine, "calendar.take", year, (int64_t)count, 0);
    windows_resolve_all(engine);
    if (!windows_resettle(step, TIDE_WHY_calendar)) {
        /* One is under way: from the first slot again; a promise is rather kept than broken. */
        step_setting(step, TIDE_SETTING_resettle_from, 1);
        step_setting(step, TIDE_SETTING_resettle_why, TIDE_WHY_calendar);
    }
    step_ok(step, (uint32_t)year);
}
