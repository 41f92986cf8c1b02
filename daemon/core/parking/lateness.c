/* lateness.c - cars leave late: how late, learned by zone and class of day, and so long after a
 * promise its slot is kept free.
 *
 *   stays    ▇
 *            █
 *            █  ▄
 *            █  █  ▃  ▂  ▂  ▁  ▁  ▁
 *            0  5 10 15 20 30 40 50 ...   minutes after the promised end, at most
 *                           │
 *                         buffer: so few are later that the zone's risk holds
 *
 *   slot     ▓▓▓▓▓ a's promise ▓▓▓▓▓│ buffer │▓▓ b's promise ▓▓▓▓▓▓│ buffer ┃ its owner is back
 *
 * A zone says which risk it takes (risk_permille): of a thousand promises, or returns of owners, so
 * many may find a car that has not left. The buffer is the least edge with k of n stays later where
 *
 *     k/n < R   and   (R - k/n)^2 >= z^2 R (1 - R) / n                  R = risk_permille / 1000
 *
 * that is, Wilson's interval (1927) around k/n ends below R. z is twice the 1.645 of one side at
 * 95 %: once for the stays that were learned from, once for as many that come: what is counted on
 * days that nobody has seen is to stay below R with its own interval. Where that cannot be had, and
 * where too little is known, it is TIDE_BUFFER_MIN_MAX. A class of days of which little is known is
 * taken as all days together.
 *
 * Nobody's own habits are kept: a row counts stays of a zone. The buffer of a booking is written
 * into it when it is made and stays; only who extends, or is moved to where it does not fit, loses
 * some of it.
 */
#include <stddef.h>
#include <string.h>

#include "daemon/core/calendar.h"
#include "daemon/core/parking/parking.h"

#define CLASSES 3u
#define CASES_MIN 30   /* of a class of days, before it counts by itself */
#define Z2_MILLI 10824 /* (2 * 1.645)^2 */

static const uint8_t edge_min[TIDE_LATENESS_BINS - 1] = {0,  5,  10, 15,  20,  30,  40,  50,
                                                         60, 75, 90, 105, 120, 150, 180, 240};
_Static_assert(offsetof(struct tide_lateness, later) - offsetof(struct tide_lateness, in_time) ==
                   (TIDE_LATENESS_BINS - 1) * sizeof(uint16_t),
               "the bins of a row stand beside each other");

/* ---- rows ------------------------------------------------------------------------------------ */
static uint32_t cell_number(tide_id zone, unsigned class)
{
    CHECK(class >= TIDE_DAY_CLASS_workday && class <= TIDE_DAY_CLASS_holiday);
    return zone * CLASSES + class - 1;
}

struct tide_lateness *lateness_of(const struct engine *engine, tide_id zone, unsigned class)
{
    struct lateness_state *state = table_at(&engine->lateness, cell_number(zone, class));
    return state != NULL ? &state->row : NULL;
}

struct tide_lateness *lateness_make(struct engine *engine, tide_id zone, unsigned class)
{
    struct lateness_state *state = table_add(&engine->lateness, cell_number(zone, class));
    CHECK(state != NULL); /* as many as zones and classes */
    state->row.zone = zone;
    state->row.day_class = (uint8_t) class;
    return &state->row;
}

static void bins_read(const struct tide_lateness *row, uint16_t bins[TIDE_LATENESS_BINS])
{
    memcpy(bins, (const char *)row + offsetof(struct tide_lateness, in_time),
           TIDE_LATENESS_BINS * sizeof *bins);
}

static void bins_write(struct tide_lateness *row, const uint16_t bins[TIDE_LATENESS_BINS])
{
    memcpy((char *)row + offsetof(struct tide_lateness, in_time), bins,
           TIDE_LATENESS_BINS * sizeof *bins);
}

uint32_t lateness_cases(const struct tide_lateness *row)
{
    uint16_t bins[TIDE_LATENESS_BINS];
    uint32_t cases = 0;
    bins_read(row, bins);
    for (unsigned i = 0; i < TIDE_LATENESS_BINS; i++)
        cases += bins[i];
    return cases;
}

/* The class of the day on which a promise ends; midnight ends the day before. */
static unsigned class_at(const struct engine *engine, tide_ms end_ms)
{
    return calendar_class(engine, calendar_date(engine, end_ms - 1));
}

/* ---- learning -------------------------------------------------------------------------------- */
void lateness_learn(struct step *step, const struct tide_booking *booking)
{
    struct engine *engine = step->engine;
    unsigned class = class_at(engine, booking->end_ms), bin = 0;
    struct tide_lateness *row = lateness_of(engine, booking->zone, class);
    uint16_t bins[TIDE_LATENESS_BINS];
    if (row == NULL)
        row = lateness_make(engine, booking->zone, class);
    while (bin < TIDE_LATENESS_BINS - 1 &&
           booking->ended_ms - booking->end_ms > edge_min[bin] * TIDE_MINUTE_MS)
        bin++;
    bins_read(row, bins);
    bins[bin]++;
    bins_write(row, bins);
    if (lateness_cases(row) >= TIDE_LATENESS_CASES_MAX) {
        for (unsigned i = 0; i < TIDE_LATENESS_BINS; i++)
            bins[i] /= 2;
        bins_write(row, bins);
    }
    trace(engine, "lateness.learned", booking->zone, bin, lateness_cases(row));
    step_put(step, TIDE_REC_lateness, row);
}

/* ---- the buffer ------------------------------------------------------------------------------ */
static int32_t buffer_of(const uint32_t bins[TIDE_LATENESS_BINS], int64_t risk_permille)
{
    int64_t cases = 0, later;
    for (unsigned i = 0; i < TIDE_LATENESS_BINS; i++)
        cases += bins[i];
    later = cases;
    for (unsigned i = 0; i < TIDE_LATENESS_BINS - 1; i++) {
        later -= bins[i];
        int64_t spare = cases * risk_permille - 1000 * later;
        if (spare > 0 &&
            spare * spare * 1000 >= Z2_MILLI * cases * risk_permille * (1000 - risk_permille))
            return edge_min[i];
    }
    return TIDE_BUFFER_MIN_MAX;
}

int32_t lateness_buffer_min(const struct engine *engine, tide_id zone, tide_ms end_ms)
{
    const struct zone_state *state = zone_of(engine, zone);
    uint32_t sums[TIDE_LATENESS_BINS] = {0};
    uint16_t bins[TIDE_LATENESS_BINS];
    if (state->row.risk_permille == 0)
        return 0;
    unsigned own = class_at(engine, end_ms);
    const struct tide_lateness *row = lateness_of(engine, zone, own);
    bool known = row != NULL && lateness_cases(row) >= CASES_MIN;
    for (unsigned class = TIDE_DAY_CLASS_workday; class <= TIDE_DAY_CLASS_holiday; class ++) {
        row = lateness_of(engine, zone, class);
        if (row == NULL || (known && class != own))
            continue;
        bins_read(row, bins);
        for (unsigned i = 0; i < TIDE_LATENESS_BINS; i++)
            sums[i] += bins[i];
    }
    return buffer_of(sums, state->row.risk_permille);
}

/* What lies beyond the horizon is nobody's yet. */
struct span lateness_hold(const struct engine *engine, tide_id zone, struct span span)
{
    grain horizon = grain_floor(calendar_day_start(engine, windows_last_day(engine) + 1));
    int32_t buffer_min = lateness_buffer_min(engine, zone, span.until * TIDE_GRAIN_MS);
    grain until = span.until + buffer_min / TIDE_GRAIN_MIN;
    if (until > horizon)
        until = span.until > horizon ? span.until : horizon;
    return (struct span){span.from, until, span.now};
}

grain lateness_until(const struct engine *engine, tide_id zone, struct span span, grain carried)
{
    grain until = span.until < carried ? span.until : carried;
    while (until > span.from &&
           lateness_hold(engine, zone, (struct span){span.from, until, span.now}).until > carried)
        until--;
    return until;
}
