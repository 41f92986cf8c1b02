/* caps.c - see caps.h. Without a cap in the settings nothing is counted.
 *
 *   days of the wish   │  Mon  │  Tue  │  Wed  │      used[] minutes of each day, all three sources
 *   months             │  May          │  June │      month[] likewise, at most two
 *
 * Day by day the wish's part is held against what is left of the day and of the month; the first
 * day on which it is more says why, and until when it would have fitted.
 */
#include "daemon/core/parking/caps.h"

#include "daemon/core/calendar.h"

#define DAYS_MAX 64 /* a stay is at most 14 days long, whatever the horizon */
#define MINUTES_COUNTED_MAX 100000000

struct count {
    const struct engine *engine;
    int32_t first_day, days; /* counted one by one */
    int32_t first_month, months;
    int64_t day_min[DAYS_MAX], month_min[2];
};

static int64_t overlap_min(grain from, grain until, grain a, grain b)
{
    grain first = from > a ? from : a, last = until < b ? until : b;
    return first < last ? (last - first) * TIDE_GRAIN_MIN : 0;
}

static grain day_grain(const struct engine *engine, int32_t date)
{
    return grain_floor(calendar_day_start(engine, date));
}

static void count_span(struct count *count, grain from, grain until)
{
    const struct engine *engine = count->engine;
    for (int32_t i = 0; i < count->days; i++)
        count->day_min[i] += overlap_min(from, until, day_grain(engine, count->first_day + i),
                                         day_grain(engine, count->first_day + i + 1));
    for (int32_t i = 0; i < count->months; i++) {
        int32_t month = count->first_month + i;
        count->month_min[i] +=
            overlap_min(from, until, day_grain(engine, calendar_month_start(month)),
                        day_grain(engine, calendar_month_start(month + 1)));
    }
}

static void count_ended(struct count *count, const struct tide_account *account)
{
    int32_t day = account->day_date - count->first_day, month = account->month - count->first_month;
    if (day >= 0 && day < count->days)
        count->day_min[day] += account->day_min;
    if (month >= 0 && month < count->months)
        count->month_min[month] += account->month_min;
}

static void count_waiting(struct count *count, tide_id household)
{
    uint32_t cursor = 0, left = count->engine->wishes.count;
    const struct wish_state *wish;
    while (left-- > 0 && (wish = table_next(&count->engine->wishes, &cursor)) != NULL)
        if (wish->row.household == household)
            count_span(count, grain_floor(wish->row.start_ms), grain_ceil(wish->row.end_ms));
}

static void count_all(struct count *count, tide_id household, bool drawn)
{
    const struct engine *engine = count->engine;
    const struct account_state *account = table_find(&engine->accounts, household);
    const struct place_state *place = place_of(engine, household);
    CHECK(account != NULL && place != NULL);
    count_ended(count, &account->row);
    for (uint32_t id = place->bookings.first; id != 0;) {
        const struct booking_state *booking = booking_of(engine, id);
        struct span theirs = booking_span(&booking->row, 0);
        if (booking->row.substitute_for == 0 && !booking->row.urgent) /* these are free */
            count_span(count, theirs.from, theirs.until);
        id = order_next(engine, booking, ORDER_OF_HOUSEHOLD);
    }
    if (!drawn && place->wishes != 0)
        count_waiting(count, household);
}

static struct count counted(const struct engine *engine, tide_id household, struct span added,
                            bool drawn)
{
    struct count count = {.engine = engine};
    count.first_day = calendar_date(engine, added.from * TIDE_GRAIN_MS);
    int32_t last_day = calendar_date(engine, added.until * TIDE_GRAIN_MS - 1);
    count.days = last_day - count.first_day + 1;
    count.first_month = calendar_month(count.first_day);
    count.months = calendar_month(last_day) - count.first_month + 1;
    CHECK(count.days > 0 && count.days <= DAYS_MAX && count.months <= 2);
    count_all(&count, household, drawn);
    return count;
}

bool caps_allow(const struct engine *engine, tide_id household, struct span added, bool drawn,
                struct tide_reply *ret_reply)
{
    int64_t day_max = engine->setting[TIDE_SETTING_household_day_max_min];
    int64_t month_max = engine->setting[TIDE_SETTING_household_month_max_min];
    if ((day_max == 0 && month_max == 0) || added.from >= added.until)
        return true;
    struct count count = counted(engine, household, added, drawn);
    for (int32_t i = 0; i < count.days; i++) {
        int32_t date = count.first_day + i;
        int32_t month = calendar_month(date) - count.first_month;
        grain midnight = day_grain(engine, date);
        int64_t part = overlap_min(added.from, added.until, midnight, day_grain(engine, date + 1));
        int64_t day_left = day_max != 0 ? day_max - count.day_min[i] : INT64_MAX;
        int64_t month_left = month_max != 0 ? month_max - count.month_min[month] : INT64_MAX;
        bool by_day = day_left <= month_left;
        int64_t left = by_day ? day_left : month_left;
        count.month_min[month] += part;
        if (part <= left)
            continue;
        grain fits = (midnight > added.from ? midnight : added.from) +
                     (left > 0 ? left / TIDE_GRAIN_MIN : 0);
        *ret_reply =
            (struct tide_reply){.code = TIDE_CODE_quota,
                                .why = by_day ? TIDE_WHY_day_cap : TIDE_WHY_month_cap,
                                .limit = by_day ? day_max : month_max,
                                .left_min = left > 0 ? (int32_t)left : 0,
                                .free_until_ms = fits > added.from ? fits * TIDE_GRAIN_MS : 0};
        trace(engine, "booking.refuse", ret_reply->code, ret_reply->why, ret_reply->limit);
        return false;
    }
    return true;
}

static int32_t added_up(int32_t sum, int64_t more)
{
    int64_t both = sum + more;
    return both < MINUTES_COUNTED_MAX ? (int32_t)both : MINUTES_COUNTED_MAX;
}

void caps_note_used(struct step *step, tide_id household, grain from, grain until)
{
    const struct engine *engine = step->engine;
    struct account_state *account = table_find(&engine->accounts, household);
    int32_t today = calendar_date(engine, step->now_ms), month = calendar_month(today);
    CHECK(account != NULL);
    struct tide_account *row = &account->row;
    if (from >= until)
        return;
    if (row->day_date != today)
        row->day_min = 0;
    if (row->month != month)
        row->month_min = 0;
    row->day_date = today;
    row->month = month;
    row->day_min = added_up(row->day_min, overlap_min(from, until, day_grain(engine, today),
                                                      day_grain(engine, today + 1)));
    row->month_min = added_up(
        row->month_min, overlap_min(from, until, day_grain(engine, calendar_month_start(month)),
                                    day_grain(engine, calendar_month_start(month + 1))));
    step_put(step, TIDE_REC_account, row);
}
