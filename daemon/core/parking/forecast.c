/* forecast.c - the tide table: how many places will be free, hour by hour, two days ahead.
 *
 *   each full hour, a zone:   used = open slots that are promised or taken
 *                               │
 *           workday  restday  holiday          (statutory, through the calendar)
 *     00:00   ┌─┐      ┌─┐      ┌─┐
 *      ..     │ │      │ │      │ │   a cell: what is usually used, and by how much it is off
 *     18:00 ──►█│      │ │      │ │
 *             └─┘      └─┘      └─┘
 *                               │
 *     drift = used - cell      how much fuller than usual it is now; fades with the hours
 *     low, high                how far the days lie from their cell, in its spread: 10 % and 90 %
 *
 *     used at t = cell(class, hour of t) + drift * 0.95 ^ hours + (low .. high) * spread * width
 *     free at t = open at t (windows are known) - used at t, at most what is not promised already
 *
 * All in thousandths of a slot, in integers. Rows `forecast` (a cell) and `forecast_level` (a zone)
 * hold all of it; one deadline a zone and hour, nothing on the way of a booking. A new cell takes
 * the mean of its first days, later two fifths of each new day: people change within weeks. The
 * constants were chosen on the first 60 % of the days of two recorded lots (Zhang et al., PewLSTM,
 * IJCAI 2020, data/record P10 and P4, MIT); `tide-bench forecast` judges them on the other 40 %.
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/parking/parking.h"

#define HOUR_MS (60 * TIDE_MINUTE_MS)
#define LATE_MS (10 * TIDE_MINUTE_MS) /* what is seen later is not how the hour began */
#define FADE_PERMILLE 950             /* of the drift, an hour */
#define SHARE_KNOWN_PERMILLE 100      /* of the variance that is left when the present is known */
#define DAYS_MAX 9999u
#define SPREAD_FIRST_MILLI 2000
#define SPREAD_LEAST_MILLI 500
#define BAND_STEP_MILLI 20 /* of low and high: how fast they follow */
#define BAND_MAX_MILLI 10000

/* ---- cells ----------------------------------------------------------------------------------- */
static uint32_t cell_number(tide_id zone, unsigned class, unsigned hour)
{
    CHECK(class >= TIDE_DAY_CLASS_workday && class <= TIDE_DAY_CLASS_holiday && hour < 24);
    return zone * FORECAST_CELLS_A_ZONE + (class - 1) * 24 + hour;
}

struct tide_forecast *forecast_cell(const struct engine *engine, tide_id zone, unsigned class,
                                    unsigned hour)
{
    struct forecast_state *state = table_at(&engine->forecasts, cell_number(zone, class, hour));
    return state != NULL ? &state->row : NULL;
}

struct tide_forecast *forecast_cell_make(struct engine *engine, tide_id zone, unsigned class,
                                         unsigned hour)
{
    struct forecast_state *state = table_add(&engine->forecasts, cell_number(zone, class, hour));
    CHECK(state != NULL); /* as many as zones, classes and hours */
    state->row.zone = zone;
    state->row.day_class = (uint8_t) class;
    state->row.hour = (uint8_t)hour;
    return &state->row;
}

/* The cell of this class, or of the one that is most like it; NULL when nothing was learned yet. */
static const struct tide_forecast *cell_like(const struct engine *engine, tide_id zone,
                                             unsigned class, unsigned hour)
{
    static const uint8_t like[][3] = {
        [TIDE_DAY_CLASS_workday] = {TIDE_DAY_CLASS_workday, TIDE_DAY_CLASS_restday,
                                    TIDE_DAY_CLASS_holiday},
        [TIDE_DAY_CLASS_restday] = {TIDE_DAY_CLASS_restday, TIDE_DAY_CLASS_holiday,
                                    TIDE_DAY_CLASS_workday},
        [TIDE_DAY_CLASS_holiday] = {TIDE_DAY_CLASS_holiday, TIDE_DAY_CLASS_restday,
                                    TIDE_DAY_CLASS_workday}};
    const struct tide_forecast *cell = NULL;
    for (unsigned i = 0; i < 3 && cell == NULL; i++)
        cell = forecast_cell(engine, zone, like[class][i], hour);
    return cell;
}

/* Day class and hour of the day of a moment. */
static void when_is(const struct engine *engine, tide_ms at_ms, unsigned *ret_class,
                    unsigned *ret_hour)
{
    int32_t date = calendar_date(engine, at_ms);
    *ret_class = calendar_class(engine, date);
    *ret_hour = (unsigned)((at_ms - calendar_day_start(engine, date)) / HOUR_MS);
}

static tide_ms hour_floor(const struct engine *engine, tide_ms at_ms)
{
    tide_ms day_ms = calendar_day_start(engine, calendar_date(engine, at_ms));
    return at_ms - (at_ms - day_ms) % HOUR_MS;
}

/* ---- numbers --------------------------------------------------------------------------------- */
/* 0.95 ^ hours, in millionths. */
static int64_t faded(tide_ms hours)
{
    int64_t left = 1000000;
    for (tide_ms i = 0; i < hours && left > 0; i++)
        left = left * FADE_PERMILLE / 1000;
    return left;
}

/* The largest r with r * r <= n; n below 10^12. */
static int64_t root(int64_t n)
{
    int64_t low = 0, high = 1000000;
    while (low < high) {
        int64_t mid = (low + high + 1) / 2;
        if (mid * mid <= n)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* How wide the band is, in thousandths of what it is far ahead: sqrt(1 - 0.9 * fade ^ 2). */
static int64_t width_permille(int64_t fade)
{
    int64_t fade_permille = fade / 1000;
    return root(1000000 - (1000 - SHARE_KNOWN_PERMILLE) * fade_permille * fade_permille / 1000);
}

static int32_t clamp(int64_t value, int64_t least, int64_t most)
{
    return (int32_t)(value < least ? least : value > most ? most : value);
}

/* ---- learning -------------------------------------------------------------------------------- */
static int32_t spread_of(const struct tide_forecast *cell)
{
    return cell->spread_milli > SPREAD_LEAST_MILLI ? cell->spread_milli : SPREAD_LEAST_MILLI;
}

/* A quantile follows what it is asked about: up a little or down a little, so that in the long run
 * `percent` of the days lie below it (Robbins and Monro's stochastic approximation). */
static int32_t band_next(int32_t band_milli, int64_t seen_milli, int percent)
{
    int64_t step = BAND_STEP_MILLI * (seen_milli < band_milli ? percent - 100 : percent) / 100;
    return clamp(band_milli + step, -BAND_MAX_MILLI, BAND_MAX_MILLI);
}

static void learn(struct step *step, struct tide_forecast_level *level, int32_t used_milli)
{
    struct engine *engine = step->engine;
    unsigned class, hour;
    when_is(engine, level->at_ms, &class, &hour);
    const struct tide_forecast *like = cell_like(engine, level->zone, class, hour);
    struct tide_forecast *cell = forecast_cell(engine, level->zone, class, hour);
    if (cell == NULL) {
        int32_t spread_milli = like != NULL ? like->spread_milli : SPREAD_FIRST_MILLI;
        cell = forecast_cell_make(engine, level->zone, class, hour);
        cell->used_milli = used_milli;
        cell->spread_milli = spread_milli;
    } else {
        int32_t off = used_milli - cell->used_milli, far = off < 0 ? -off : off;
        int64_t seen = (int64_t)off * 1000 / spread_of(cell);
        level->low_milli = band_next(level->low_milli, seen, 10);
        level->high_milli = band_next(level->high_milli, seen, 90);
        cell->spread_milli += (far - cell->spread_milli) / (cell->days < 4 ? cell->days + 1 : 5);
        cell->used_milli += cell->days < 2 ? off / 2 : off * 2 / 5;
    }
    if (cell->days < DAYS_MAX)
        cell->days++;
    level->drift_milli = used_milli - cell->used_milli;
    trace(engine, "forecast.learn", level->zone, used_milli, level->drift_milli);
    step_put(step, TIDE_REC_forecast, cell);
}

void forecast_due(struct engine *engine, struct zone_state *zone)
{
    const struct tide_forecast_level *level = table_at(&engine->levels, zone->row.id);
    heap_set(&engine->heap, DUE_FORECAST, zone->row.id, &zone->forecast_position,
             level != NULL ? level->at_ms + HOUR_MS : DUE_NEVER);
}

void forecast_begin(struct step *step)
{
    struct engine *engine = step->engine;
    uint32_t cursor = 0;
    struct zone_state *zone;
    while ((zone = table_next(&engine->zones, &cursor)) != NULL) {
        if (zone->slot_count == 0 || table_at(&engine->levels, zone->row.id) != NULL)
            continue;
        struct tide_forecast_level *level = table_add(&engine->levels, zone->row.id);
        CHECK(level != NULL);
        level->at_ms = hour_floor(engine, step->now_ms);
        level->low_milli = -1000;
        level->high_milli = 1000;
        step_put(step, TIDE_REC_forecast_level, level);
        forecast_due(engine, zone);
    }
}

/* An hour has begun. When it was slept through, only the drift fades. */
void forecast_fall_due(struct step *step, struct zone_state *zone)
{
    struct engine *engine = step->engine;
    struct tide_forecast_level *level = table_at(&engine->levels, zone->row.id);
    struct tide_zone_now now;
    CHECK(level != NULL);
    tide_ms hour_ms = hour_floor(engine, step->now_ms);
    if (step->now_ms - hour_ms <= LATE_MS) {
        level->at_ms = hour_ms;
        engine_zone_now(engine, zone->row.id, &now);
        learn(step, level, (int32_t)(now.open - now.free) * 1000);
    } else {
        tide_ms hours = (hour_ms - level->at_ms) / HOUR_MS;
        level->drift_milli = (int32_t)(level->drift_milli * faded(hours) / 1000000);
        level->at_ms = hour_ms;
    }
    step_put(step, TIDE_REC_forecast_level, level);
    forecast_due(engine, zone);
}

/* ---- looking ahead --------------------------------------------------------------------------- */
/* Slots that are open at a grain, and those of them that nobody is promised. */
static void count_open(const struct engine *engine, const struct zone_state *zone, grain at,
                       uint32_t *ret_open, uint32_t *ret_free)
{
    *ret_open = *ret_free = 0;
    if (!freemap_knows(engine, at, at + 1))
        return;
    uint32_t bit = freemap_at(engine, at);
    for (tide_id id = zone->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        *ret_open += slot->open[bit / 64] >> bit % 64 & 1;
        *ret_free += slot->free[bit / 64] >> bit % 64 & 1;
        id = slot->next_in_zone;
    }
}

static uint32_t whole(int64_t milli, uint32_t most)
{
    return milli <= 0 ? 0 : (uint32_t)clamp((milli + 500) / 1000, 0, most);
}

void engine_forecast_hour(const struct engine *engine, tide_id zone, tide_ms start_ms,
                          struct tide_forecast_hour *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    const struct tide_forecast_level *level = table_at(&engine->levels, zone);
    unsigned class, hour;
    uint32_t open = 0, free = 0;
    start_ms = hour_floor(engine, start_ms);
    when_is(engine, start_ms, &class, &hour);
    if (state != NULL)
        count_open(engine, state, grain_floor(start_ms), &open, &free);
    *ret = (struct tide_forecast_hour){.zone = zone,
                                       .start_ms = start_ms,
                                       .supply = open,
                                       .free_low = free,
                                       .free = free,
                                       .free_high = free};
    const struct tide_forecast *cell =
        state != NULL && level != NULL ? cell_like(engine, zone, class, hour) : NULL;
    if (cell == NULL)
        return; /* nothing was learned yet: what is not promised */
    tide_ms hours = start_ms > level->at_ms ? (start_ms - level->at_ms) / HOUR_MS : 0;
    int64_t fade = faded(hours);
    int64_t used = cell->used_milli + level->drift_milli * fade / 1000000;
    int64_t band = spread_of(cell) * width_permille(fade) / 1000;
    int64_t low = used + (level->low_milli < 0 ? level->low_milli : 0) * band / 1000;
    int64_t high = used + (level->high_milli > 0 ? level->high_milli : 0) * band / 1000;
    ret->free = whole((int64_t)open * 1000 - used, free);
    ret->free_low = whole((int64_t)open * 1000 - high, free);
    ret->free_high = whole((int64_t)open * 1000 - low, free);
    ret->days = cell->days;
}

static void hour_add(struct tide_forecast_hour *sum, const struct tide_forecast_hour *hour)
{
    sum->supply += hour->supply;
    sum->free_low += hour->free_low;
    sum->free += hour->free;
    sum->free_high += hour->free_high;
    if (sum->days == 0 || hour->days < sum->days)
        sum->days = hour->days;
}

/* Zones that are too small to be shown by themselves, as one: like `others` in public. */
static void small_zones_hour(const struct engine *engine, tide_ms start_ms,
                             struct tide_forecast_hour *ret)
{
    uint32_t cursor = 0;
    const struct zone_state *zone;
    *ret = (struct tide_forecast_hour){.start_ms = start_ms};
    while ((zone = table_next(&engine->zones, &cursor)) != NULL) {
        struct tide_forecast_hour hour;
        if (zone->slot_count == 0 || zone->slot_count >= TIDE_PUBLIC_ZONE_SLOTS_MIN)
            continue;
        engine_forecast_hour(engine, zone->row.id, start_ms, &hour);
        hour_add(ret, &hour);
    }
}

void ask_forecast(struct step *step)
{
    const struct tide_ask_forecast *ask = &step->event->as.ask_forecast;
    const struct engine *engine = step->engine;
    const struct zone_state *zone = zone_of(engine, ask->zone);
    unsigned hours = ask->hours == 0 || ask->hours > TIDE_FORECAST_HOURS_MAX
                         ? TIDE_FORECAST_HOURS_MAX
                         : ask->hours;
    if (zone == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    bool alone = zone->slot_count >= TIDE_PUBLIC_ZONE_SLOTS_MIN ||
                 step_has_role(step, ROLES_GATE, zone->row.place);
    tide_ms first_ms = hour_floor(engine, step->now_ms) + HOUR_MS;
    for (unsigned i = 0; i < hours; i++) {
        struct tide_forecast_hour hour;
        if (alone)
            engine_forecast_hour(engine, ask->zone, first_ms + i * HOUR_MS, &hour);
        else
            small_zones_hour(engine, first_ms + i * HOUR_MS, &hour);
        step_item(step, TIDE_REC_forecast_hour, &hour);
    }
    step_ok(step, 0);
}
