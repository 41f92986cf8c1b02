/* series.c - "every workday 08:30-17:30": one booking a day, made as days come into the horizon.
 *
 *   next_date ──► made up to the last resolved day when asked, then a day at a time at midnight.
 *   A day that cannot be promised is told to the party and left out; the series goes on.
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

#define SERIES_LENGTH_DAYS_MAX 730

/* The last civil day that a booking of this day reaches into. */
static int32_t last_needed(const struct tide_series *row, int32_t date)
{
    return row->closes_min > 1440 ? date + 1 : date;
}

void series_due(struct engine *engine, struct series_state *series)
{
    const struct tide_series *row = &series->row;
    /* The day that must be resolved first comes into the horizon at a midnight; DUE_DAY, which
     * resolves it, falls due then too and runs before (base.h orders by kind). */
    int32_t needed = last_needed(row, row->next_date);
    int32_t horizon = (int32_t)engine->setting[TIDE_SETTING_horizon_days];
    tide_ms due = row->until_date != 0 && row->next_date > row->until_date
                      ? calendar_day_start(engine, row->until_date + 2)
                      : calendar_day_start(engine, needed - horizon);
    heap_set(&engine->heap, DUE_SERIES, row->id, &series->due_position, due);
}

static struct booking_wish wish_of(const struct engine *engine, const struct tide_series *row,
                                   int32_t date)
{
    tide_ms day = calendar_day_start(engine, date);
    return (struct booking_wish){.plate = row->plate,
                                 .zone = row->zone,
                                 .household = row->household,
                                 .person = row->person,
                                 .series = row->id,
                                 .cls = (enum tide_slot_class)row->cls,
                                 .via = (enum tide_via)row->via,
                                 .visitor = row->visitor,
                                 .start_ms = day + row->opens_min * TIDE_MINUTE_MS,
                                 .end_ms = day + row->closes_min * TIDE_MINUTE_MS};
}

/* Makes what can be made up to (and with) a day whose whole span is resolved. */
static unsigned series_make(struct step *step, struct series_state *series, bool show)
{
    struct engine *engine = step->engine;
    struct tide_series *row = &series->row;
    int32_t last = windows_last_day(engine) - last_needed(row, 0);
    unsigned made = 0;
    if (row->until_date != 0 && row->until_date < last)
        last = row->until_date;
    for (; row->next_date <= last; row->next_date++) {
        struct booking_wish wish = wish_of(engine, row, row->next_date);
        struct tide_reply reply = {0};
        if (!calendar_matches(engine, row->next_date, row->days, row->weekdays) ||
            wish.start_ms <= step->now_ms)
            continue;
        const struct booking_state *booking = booking_make(step, &wish, &reply);
        if (booking != NULL) {
            made++;
            if (show)
                booking_item(step, &booking->row);
            continue;
        }
        if (show)
            step_item(step, TIDE_REC_gap_day,
                      &(struct tide_gap_day){.date = row->next_date, .why = reply.why});
        else
            notice_person(step, row->person,
                          (struct tide_notice){.kind = TIDE_NOTICE_KIND_series_gap,
                                               .plate = row->plate,
                                               .zone = row->zone,
                                               .start_ms = wish.start_ms,
                                               .end_ms = wish.end_ms,
                                               .why = reply.why});
    }
    return made;
}

static bool repeat_is_sound(const struct engine *engine, const struct tide_repeat *ask,
                            int32_t today)
{
    return ask->days != 0 && ask->days <= 15 && ask->weekdays != 0 &&
           ask->weekdays <= TIDE_WEEKDAYS_ALL && ask->opens_min >= 0 && ask->opens_min < 1440 &&
           ask->closes_min > ask->opens_min && ask->closes_min <= 2880 &&
           ask->closes_min - ask->opens_min <= engine->setting[TIDE_SETTING_stay_max_min] &&
           (ask->from_date == 0 ||
            (ask->from_date >= today && ask->from_date <= today + SERIES_LENGTH_DAYS_MAX)) &&
           (ask->until_date == 0 ||
            (ask->until_date >= today && ask->until_date >= ask->from_date &&
             ask->until_date <= today + 2 * SERIES_LENGTH_DAYS_MAX));
}

static void repeat_write(struct step *step, const struct tide_repeat *ask,
                         const struct party *party, int32_t today)
{
    struct engine *engine = step->engine;
    struct series_state *series =
        table_add(&engine->series, step_new_id(step, TIDE_COUNTER_series));
    CHECK(series != NULL);
    uint32_t id = series->row.id;
    series->row = (struct tide_series){.id = id,
                                       .plate = ask->plate,
                                       .zone = ask->zone,
                                       .cls = ask->cls,
                                       .household = party->household,
                                       .person = party->person,
                                       .by = step->user,
                                       .via = ask->via,
                                       .visitor = ask->visitor,
                                       .days = ask->days,
                                       .weekdays = ask->weekdays,
                                       .opens_min = ask->opens_min,
                                       .closes_min = ask->closes_min,
                                       .from_date = ask->from_date != 0 ? ask->from_date : today,
                                       .until_date = ask->until_date};
    series->row.next_date = series->row.from_date;
    unsigned made = series_make(step, series, true);
    trace(engine, "series.made", id, made, series->row.next_date);
    step_put(step, TIDE_REC_series, &series->row);
    series_due(engine, series);
    step_ok(step, id);
}

void repeat_take(struct step *step)
{
    struct engine *engine = step->engine;
    struct tide_repeat ask = step->event->as.repeat;
    int32_t today = calendar_date(engine, step->now_ms);
    struct party party;
    if (ask.weekdays == 0)
        ask.weekdays = TIDE_WEEKDAYS_ALL;
    if (ask.days == 0)
        ask.days = TIDE_DAYS_WORKDAY;
    if (!step_party(step, ask.household, ask.person, &party))
        return;
    if (!repeat_is_sound(engine, &ask, today)) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    const struct zone_state *zone = zone_of(engine, ask.zone);
    if (zone == NULL || ask.plate == 0) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!zone->row.outsiders && !place_within(engine, party.household, zone->row.place)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_open_to_outsiders);
        return;
    }
    if (engine->series.count == engine->series.cap) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    repeat_write(step, &ask, &party, today);
}

void series_end(struct step *step, struct series_state *series)
{
    struct engine *engine = step->engine;
    uint32_t id = series->row.id;
    const struct plate_state *plate = plate_of(engine, series->row.plate);
    uint32_t next = plate != NULL ? plate->bookings.first : 0;
    series->row.state = TIDE_SERIES_STATE_ended;
    step_put(step, TIDE_REC_series, &series->row);
    heap_set(&engine->heap, DUE_SERIES, id, &series->due_position, DUE_NEVER);
    table_remove(&engine->series, series);
    while (next != 0) {
        struct booking_state *booking = booking_of(engine, next);
        next = order_next(engine, booking, ORDER_OF_PLATE);
        if (booking->row.series == id && booking->row.state == TIDE_BOOKING_STATE_booked)
            booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
    }
}

void series_fall_due(struct step *step, struct series_state *series)
{
    struct engine *engine = step->engine;
    const struct tide_series *row = &series->row;
    if (row->until_date != 0 && row->next_date > row->until_date) {
        series_end(step, series); /* over: its last day is past */
        return;
    }
    series_make(step, series, false);
    step_put(step, TIDE_REC_series, row);
    series_due(engine, series);
}
