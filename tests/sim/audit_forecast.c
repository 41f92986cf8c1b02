/* audit_forecast.c - the tide table: what was written down was so at that hour, and what is told of
 * the hours ahead adds up. How good it is, is no matter of right and wrong (tide-bench forecast).
 */
#include "tests/sim/audit_state.h"

#define HOUR_MS (60 * TIDE_MINUTE_MS)
#define LATE_MS (10 * TIDE_MINUTE_MS)

static bool is_promised(const struct audit *audit, tide_id slot, tide_ms from, tide_ms until)
{
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *b = audit_booking(audit, audit->live_bookings.list[i]);
        if (b->slot == slot && b->start_ms < until && from < b->end_ms)
            return true;
    }
    return false;
}

struct counted {
    uint32_t slots, open, promised, used; /* of the open ones; used: promised or taken now */
};

static struct counted count_zone(struct audit *audit, tide_id zone, tide_ms grain_ms)
{
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    struct counted n = {0};
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL) {
        if (row->slot.zone != zone)
            continue;
        n.slots++;
        if (!naive_grain_open(&calendar, &row->slot, &windows, grain_ms))
            continue;
        bool promised = is_promised(audit, row->slot.id, grain_ms, grain_ms + TIDE_GRAIN_MS);
        n.open++;
        n.promised += promised;
        n.used += promised || audit_slot_is_taken_now(audit, row->slot.id);
    }
    return n;
}

/* ---- what is learned ------------------------------------------------------------------------- */
/* Whether the tick did nothing else: then the tables are as they were when the hour was seen. */
static bool is_alone(const struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (audit->changes[i].kind != TIDE_REC_forecast &&
            audit->changes[i].kind != TIDE_REC_forecast_level)
            return false;
    return true;
}

static void check_cell(struct audit *audit, const struct audit_change *change)
{
    const struct tide_forecast *is = &change->is.forecast;
    struct naive_calendar calendar = audit_calendar(audit);
    const union tide_any *level =
        sim_rows_find(audit->rows, TIDE_REC_forecast_level, is->zone, 0, 0);
    tide_ms hour_ms = audit->when_ms - audit->when_ms % HOUR_MS;
    int32_t date = naive_date(&calendar, hour_ms);
    unsigned before = change->had ? change->was.forecast.days : 0;
    if (is->days != before + 1 || is->day_class != naive_day_class(&calendar, date) ||
        is->hour != (hour_ms - naive_midnight(&calendar, date)) / HOUR_MS)
        audit_fail(audit, "zone %u learned hour %u of class %u, day %u, at another time", is->zone,
                   is->hour, is->day_class, is->days);
    if (level == NULL || level->forecast_level.at_ms != hour_ms ||
        audit->when_ms - hour_ms > LATE_MS) {
        audit_fail(audit, "zone %u learned of an hour that had begun long before", is->zone);
        return;
    }
    int64_t used = (int64_t)is->used_milli + level->forecast_level.drift_milli;
    struct counted n = count_zone(audit, is->zone, audit->when_ms - audit->when_ms % TIDE_GRAIN_MS);
    if (is_alone(audit) && used != (int64_t)n.used * 1000)
        audit_fail(audit, "zone %u learned %lld thousandths used, %u of %u are", is->zone,
                   (long long)used, n.used, n.open);
}

void audit_forecast_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        bool learned = change->kind == TIDE_REC_forecast || change->kind == TIDE_REC_forecast_level;
        if (learned && (change->verb != ENGINE_PUT || audit->event->kind != TIDE_REC_tick))
            audit_fail(audit, "a %s was touched, and no hour had begun",
                       tide_record_of(change->kind)->name);
        else if (change->kind == TIDE_REC_forecast)
            check_cell(audit, change);
    }
}

/* ---- what is told ---------------------------------------------------------------------------- */
static struct counted count_told(struct audit *audit, tide_id zone, tide_ms at_ms)
{
    struct counted sum = {0};
    uint32_t cursor = 0;
    const union tide_any *row;
    if (zone != 0)
        return count_zone(audit, zone, at_ms);
    while ((row = sim_rows_next(audit->rows, TIDE_REC_zone, &cursor)) != NULL) {
        struct counted n = count_zone(audit, row->zone.id, at_ms);
        if (n.slots >= TIDE_PUBLIC_ZONE_SLOTS_MIN)
            continue;
        sum.open += n.open;
        sum.promised += n.promised;
    }
    return sum;
}

void audit_forecast_asked(struct audit *audit, const struct tide_forecast_hour *hour, unsigned nth)
{
    const struct tide_ask_forecast *ask = &audit->event->as.ask_forecast;
    const struct tide_person *speaker = audit_speaker(audit);
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, ask->zone, 0, 0);
    const uint32_t duty = 1u << TIDE_ROLE_clerk | 1u << TIDE_ROLE_admin | 1u << TIDE_ROLE_guard |
                          1u << TIDE_ROLE_property;
    tide_ms now_ms = audit->event->when_ms;
    if (hour->free_low > hour->free || hour->free > hour->free_high ||
        hour->free_high > hour->supply)
        audit_fail(audit, "forecast %u to %u to %u of %u", hour->free_low, hour->free,
                   hour->free_high, hour->supply);
    if (hour->start_ms != now_ms - now_ms % HOUR_MS + (nth + 1) * HOUR_MS)
        audit_fail(audit, "hour %u of the forecast is another", nth);
    if (nth % 7 != 0 || zone == NULL || speaker == NULL)
        return; /* counting takes long: some hours */
    struct counted here = count_zone(audit, ask->zone, now_ms - now_ms % TIDE_GRAIN_MS);
    bool alone = here.slots >= TIDE_PUBLIC_ZONE_SLOTS_MIN ||
                 (audit_roles(audit, speaker->id, zone->zone.place) & duty) != 0;
    if ((hour->zone == 0) == alone || (alone && hour->zone != ask->zone))
        audit_fail(audit, "zone %u of %u slots is told as zone %u", ask->zone, here.slots,
                   hour->zone);
    struct counted then = count_told(audit, hour->zone, hour->start_ms);
    if (hour->supply != then.open || hour->free_high > then.open - then.promised)
        audit_fail(audit, "forecast %u free of %u; open are %u, %u promised", hour->free_high,
                   hour->supply, then.open, then.promised);
}
