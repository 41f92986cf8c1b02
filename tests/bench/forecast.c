/* forecast.c - how good the tide table is, on recorded stays of two real lots.
 *
 *   stays (CSV) ──► arrive, leave ──► the engine, hour by hour ──► what it expects of 48 hours
 *                                                                      │ against
 *   hourly cars counted from the same stays ◄──────────────────────────┘
 *
 * The engine learns from the first day on and is judged on the last 40 % of the days: each forecast
 * was made before the hours that it is about. Beside it stand two that take no thought: the same
 * hour of the last such day, and the mean (for quantiles: the empirical ones) of that hour over all
 * such days before. Error: mean absolute, in slots; pinball loss: mean over 10, 50 and 90 %.
 * The data: record.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/record.h"

#define JUDGED_FROM_PCT 60
enum way { OURS, LAST_DAY, HOUR_MEAN, WAYS };

struct score {
    double error, pinball;
    double below, above; /* share of hours under the 10 %, over the 90 % */
    uint64_t count;
};
struct judged {
    struct lot_record record;
    struct score scores[WAYS];
};

/* ---- the engine ------------------------------------------------------------------------------ */
static void arrive(struct drive *d, struct lot_record *lot, uint32_t i, tide_id *on_slot)
{
    struct engine_event event = {
        .kind = TIDE_REC_arrive, .user = RECORD_GUARD, .when_ms = lot->stays[i].from};
    tide_id slot = 1;
    while (slot <= lot->slots && on_slot[slot] != 0)
        slot++;
    if (slot > lot->slots)
        return; /* more cars than slots: stands somewhere */
    event.as.arrive = (struct tide_arrive){.plate = i + 1, .zone = RECORD_ZONE, .slot = slot};
    drive_send(d, event);
    lot->stays[i].slot = slot;
    on_slot[slot] = i + 1;
}

/* The cars that have gone by then, the first to go first. */
static void leave_until(struct drive *d, struct lot_record *lot, tide_id *on_slot, tide_ms until)
{
    for (;;) {
        tide_id first = 0;
        for (tide_id slot = 1; slot <= lot->slots; slot++)
            if (on_slot[slot] != 0 && lot->stays[on_slot[slot] - 1].until <= until &&
                (first == 0 ||
                 lot->stays[on_slot[slot] - 1].until < lot->stays[on_slot[first] - 1].until))
                first = slot;
        if (first == 0)
            return;
        const struct stay *stay = &lot->stays[on_slot[first] - 1];
        struct engine_event event = {
            .kind = TIDE_REC_leave, .user = RECORD_GUARD, .when_ms = stay->until};
        event.as.leave.plate = on_slot[first];
        if (event.when_ms < engine_now(d->engine))
            event.when_ms = engine_now(d->engine);
        drive_send(d, event);
        on_slot[first] = 0;
    }
}

/* ---- judging --------------------------------------------------------------------------------- */
static double pinball(double said, double seen, int pct)
{
    return seen >= said ? (seen - said) * pct / 100 : (said - seen) * (100 - pct) / 100;
}

static void add(struct score *score, double low, double mid, double high, double seen)
{
    score->error += mid > seen ? mid - seen : seen - mid;
    score->pinball +=
        (pinball(low, seen, 10) + pinball(mid, seen, 50) + pinball(high, seen, 90)) / 3;
    score->below += seen < low;
    score->above += seen > high;
    score->count++;
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Hours of such days before `now`, as they come; what was free then. */
static uint32_t such_hours(const struct lot_record *lot, uint32_t now, uint32_t at, int *found)
{
    uint32_t count = 0;
    for (uint32_t h = at % 24; h <= now; h += 24)
        if (lot->class[h / 24] == lot->class[at / 24])
            found[count++] = (int)lot->slots - lot->cars[h];
    return count;
}

static void judge_hour(struct drive *d, struct judged *judged, uint32_t now, uint32_t at)
{
    const struct lot_record *lot = &judged->record;
    static int found[HOURS_MAX / 24 + 1];
    struct tide_forecast_hour hour;
    double seen = (double)lot->slots - lot->cars[at], mean = 0;
    engine_forecast_hour(d->engine, RECORD_ZONE, lot->start_ms + at * HOUR_MS, &hour);
    uint32_t count = such_hours(lot, now, at, found);
    if (count == 0)
        return; /* the first such day: nothing to hold it against */
    add(&judged->scores[OURS], hour.free_low, hour.free, hour.free_high, seen);
    add(&judged->scores[LAST_DAY], found[count - 1], found[count - 1], found[count - 1], seen);
    for (uint32_t i = 0; i < count; i++)
        mean += (double)found[i] / count;
    qsort(found, count, sizeof *found, by_value);
    const int *low = &found[count / 10], *high = &found[count * 9 / 10];
    add(&judged->scores[HOUR_MEAN], *low, mean, *high, seen);
}

static void play(struct drive *d, struct judged *judged)
{
    struct lot_record *lot = &judged->record;
    tide_id on_slot[128] = {0};
    uint32_t next = 0;
    for (uint32_t h = 0; h < lot->hours; h++) {
        tide_ms at = lot->start_ms + h * HOUR_MS;
        for (; next < lot->stay_count && lot->stays[next].from <= at; next++) {
            leave_until(d, lot, on_slot, lot->stays[next].from);
            arrive(d, lot, next, on_slot);
        }
        leave_until(d, lot, on_slot, at);
        drive_send(d, (struct engine_event){.kind = TIDE_REC_tick, .when_ms = at});
        for (uint32_t ahead = 1; ahead <= TIDE_FORECAST_HOURS_MAX && h + ahead < lot->hours;
             ahead++)
            if ((uint64_t)(h + ahead) / 24 * 100 >= (uint64_t)lot->hours / 24 * JUDGED_FROM_PCT)
                judge_hour(d, judged, h, h + ahead);
    }
}

static void run(struct judged *judged, const char *calendar)
{
    struct drive *d = calloc(1, sizeof *d);
    if (d == NULL)
        bench_die("no memory");
    drive_begin(d, &judged->record, calendar, 0);
    play(d, judged);
    drive_end(d);
    free(d);
}

/* ---- telling --------------------------------------------------------------------------------- */
static void tell(const char *name, const struct score scores[WAYS])
{
    static const char *const ways[] = {"ours", "last_day", "hour_mean"};
    printf("\"%s\":{\"hours\":%llu", name, (unsigned long long)scores[OURS].count);
    for (unsigned way = 0; way < WAYS; way++) {
        double n = scores[way].count > 0 ? (double)scores[way].count : 1;
        printf(",\"%s\":{\"mae\":%.3f,\"pinball\":%.3f,\"below_10\":%.3f,\"above_90\":%.3f}",
               ways[way], scores[way].error / n, scores[way].pinball / n, scores[way].below / n,
               scores[way].above / n);
    }
    printf("}");
}

int bench_forecast(int argc, char **argv)
{
    static struct judged lots[] = {{.record = {.name = "P10", .slots = 65}},
                                   {.record = {.name = "P4", .slots = 62}}};
    const char *shared = getenv("TIDE_SHARED");
    const char *data = bench_option_text(argc, argv, "data", shared != NULL ? shared : "../shared");
    struct score all[WAYS] = {{0}};
    char path[1024], machine[256];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/data/parking/%s.csv", data, lots[i].record.name);
        if (!record_read(&lots[i].record, path)) {
            printf("{\"bench\":\"forecast\",\"skipped\":\"no stays in %s (TIDE_SHARED)\"}\n", path);
            return 0;
        }
        snprintf(path, sizeof path, "%s/data/calendar/2019.json", data);
        run(&lots[i], path);
        for (unsigned way = 0; way < WAYS; way++) {
            all[way].error += lots[i].scores[way].error;
            all[way].pinball += lots[i].scores[way].pinball;
            all[way].below += lots[i].scores[way].below;
            all[way].above += lots[i].scores[way].above;
            all[way].count += lots[i].scores[way].count;
        }
    }
    bool beats = true;
    for (unsigned way = LAST_DAY; way < WAYS; way++)
        for (size_t i = 0; i < 2; i++)
            beats = beats && lots[i].scores[OURS].error < lots[i].scores[way].error &&
                    lots[i].scores[OURS].pinball < lots[i].scores[way].pinball;
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"forecast\",\"judged_from_pct\":%d,\"ahead_hours\":%d,", JUDGED_FROM_PCT,
           TIDE_FORECAST_HOURS_MAX);
    tell("P10", lots[0].scores);
    printf(",");
    tell("P4", lots[1].scores);
    printf(",");
    tell("together", all);
    printf(",\"beats_both\":%s,\"machine\":\"%s\"}\n", beats ? "true" : "false", machine);
    return 0;
}
