/* lateness.c - does the buffer keep what it promises? On recorded stays of an office's lot.
 *
 *   commuters of P4: in before 10:00, at least six hours, out the same day     booked until 18:00
 *
 *   days   1 ............ 60 % ............................. 100 %
 *          learned from       judged: was the car still there when the buffer of its booking ended?
 *
 * The buffers are those that the engine wrote into the bookings, each before its car came. A zone
 * goes on learning while it is judged, as it would. Broken: the car left after the end and its
 * buffer, so that whoever came next, or the owner, found it. upper_95: the upper end of Wilson's
 * interval, one side. The data: record.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/record.h"

#define JUDGED_FROM_PCT 60
#define Z95 1.645

struct figures {
    uint32_t stays, late, broken;
    uint64_t buffer_min;
};

static tide_ms day_start(tide_ms at)
{
    return at - (at + RECORD_OFFSET_MS) % TIDE_DAY_MS;
}

static tide_ms promised_end(const struct stay *stay)
{
    return day_start(stay->from) + 18 * HOUR_MS;
}

static bool is_commuter(const struct lot_record *lot, const struct stay *stay)
{
    tide_ms day = day_start(stay->from);
    return lot->class[(day - lot->start_ms) / TIDE_DAY_MS] == TIDE_DAY_CLASS_workday &&
           stay->from - day < 10 * HOUR_MS && stay->until - stay->from >= 6 * HOUR_MS &&
           day_start(stay->until) == day;
}

static void book(struct drive *d, struct lot_record *lot, uint32_t i)
{
    struct stay *stay = &lot->stays[i];
    struct engine_event event = {
        .kind = TIDE_REC_book, .user = RECORD_HOME + i % RECORD_HOMES, .when_ms = stay->from};
    event.as.book =
        (struct tide_book){.plate = i + 1, .zone = RECORD_ZONE, .end_ms = promised_end(stay)};
    event.as.book.start_ms = stay->from - stay->from % TIDE_GRAIN_MS;
    drive_send(d, event);
    uint32_t cursor = 0;
    const struct tide_booking *booking;
    while ((booking = engine_next(d->engine, TIDE_REC_booking, &cursor)) != NULL)
        if (booking->plate == i + 1)
            stay->booking = booking->id;
    if (stay->booking == 0)
        bench_die("stay %u found no place", i);
    event =
        (struct engine_event){.kind = TIDE_REC_arrive, .user = RECORD_GUARD, .when_ms = stay->from};
    event.as.arrive.booking = stay->booking;
    drive_send(d, event);
}

static void judge(const struct drive *d, const struct stay *stay, struct figures *figures)
{
    const struct tide_booking *booking =
        engine_find(d->engine, TIDE_REC_booking, stay->booking, 0, 0);
    if (booking == NULL)
        bench_die("booking %u is gone before its car", stay->booking);
    tide_ms over_ms = stay->until - booking->end_ms;
    figures->stays++;
    figures->late += over_ms > 0;
    figures->broken += over_ms > booking->buffer_min * TIDE_MINUTE_MS;
    figures->buffer_min += booking->buffer_min;
}

/* The first of those that are there to leave by then; -1: none. */
static int64_t first_to_leave(const struct lot_record *lot, uint32_t from, uint32_t until,
                              tide_ms by)
{
    int64_t first = -1;
    for (uint32_t i = from; i < until; i++)
        if (lot->stays[i].booking != 0 && lot->stays[i].until <= by &&
            (first < 0 || lot->stays[i].until < lot->stays[first].until))
            first = i;
    return first;
}

static void leave(struct drive *d, struct lot_record *lot, uint32_t i)
{
    struct engine_event event = {
        .kind = TIDE_REC_leave, .user = RECORD_GUARD, .when_ms = lot->stays[i].until};
    event.as.leave.booking = lot->stays[i].booking;
    drive_send(d, event);
    if (engine_find(d->engine, TIDE_REC_booking, lot->stays[i].booking, 0, 0) != NULL)
        bench_die("stay %u does not end", i);
    lot->stays[i].booking = 0;
}

static struct figures play(struct lot_record *lot, const char *calendar, uint16_t risk_permille)
{
    struct drive *d = calloc(1, sizeof *d);
    struct figures figures = {0};
    tide_ms judged_ms = lot->start_ms + lot->hours / 24 * JUDGED_FROM_PCT / 100 * TIDE_DAY_MS;
    if (d == NULL)
        bench_die("no memory");
    drive_begin(d, lot, calendar, risk_permille);
    uint32_t morning = 0; /* the first stay of the day */
    int64_t gone;
    for (uint32_t i = 0; i < lot->stay_count; i++) {
        bool last = i + 1 == lot->stay_count;
        if (day_start(lot->stays[i].from) - lot->start_ms >= (tide_ms)lot->hours * HOUR_MS)
            break;
        while (morning < i && day_start(lot->stays[morning].from) < day_start(lot->stays[i].from) &&
               lot->stays[morning].booking == 0)
            morning++;
        while ((gone = first_to_leave(lot, morning, i, lot->stays[i].from)) >= 0)
            leave(d, lot, (uint32_t)gone);
        if (!is_commuter(lot, &lot->stays[i]) || last)
            continue;
        book(d, lot, i);
        if (lot->stays[i].from >= judged_ms)
            judge(d, &lot->stays[i], &figures);
    }
    drive_end(d);
    free(d);
    for (uint32_t i = 0; i < lot->stay_count; i++)
        lot->stays[i].booking = 0;
    return figures;
}

/* The largest share of which k of n is not too few to be believed, by halving. */
static double upper_95(double k, double n)
{
    double low = k / n, high = 1;
    for (unsigned i = 0; i < 60; i++) {
        double p = (low + high) / 2;
        if ((p - k / n) * (p - k / n) <= Z95 * Z95 * p * (1 - p) / n)
            low = p;
        else
            high = p;
    }
    return low;
}

int bench_lateness(int argc, char **argv)
{
    static struct lot_record lot = {.name = "P4", .slots = 62};
    static const uint16_t risks[] = {50, 100, 200, 300};
    const char *shared = getenv("TIDE_SHARED");
    const char *data = bench_option_text(argc, argv, "data", shared != NULL ? shared : "../shared");
    char path[1024], machine[256];
    bool holds = true;
    (void)snprintf(path, sizeof path, "%s/data/parking/%s.csv", data, lot.name);
    if (!record_read(&lot, path)) {
        printf("{\"bench\":\"lateness\",\"skipped\":\"no stays in %s (TIDE_SHARED)\"}\n", path);
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/data/calendar/2019.json", data);
    printf("{\"bench\":\"lateness\",\"lot\":\"P4\",\"judged_from_pct\":%d", JUDGED_FROM_PCT);
    for (size_t i = 0; i < sizeof risks / sizeof *risks; i++) {
        struct figures f = play(&lot, path, risks[i]);
        double upper = upper_95(f.broken, f.stays);
        holds = holds && upper * 1000 <= risks[i];
        printf(",\"risk_%u\":{\"stays\":%u,\"late\":%u,\"broken\":%u,\"broken_permille\":%.1f,"
               "\"upper_95_permille\":%.1f,\"mean_buffer_min\":%.1f}",
               risks[i], f.stays, f.late, f.broken, 1000.0 * f.broken / f.stays, 1000 * upper,
               (double)f.buffer_min / f.stays);
    }
    bench_machine(machine, sizeof machine);
    printf(",\"holds\":%s,\"machine\":\"%s\"}\n", holds ? "true" : "false", machine);
    return 0;
}
