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
 *
 * The data is Zhang et al., PewLSTM, IJCAI 2020 (MIT): P10, a community in Changsha, 65 slots; P4,
 * an industrial park in Ningbo, 62 slots. It is read from $TIDE_SHARED/data, and not part of Tide.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

#define HOUR_MS (60 * TIDE_MINUTE_MS)
#define OFFSET_MS (480 * TIDE_MINUTE_MS)
#define STAYS_MAX 20000
#define HOURS_MAX (24 * 400)
#define NOISE_MS (5 * TIDE_MINUTE_MS) /* shorter ones are no stays */
#define JUDGED_FROM_PCT 60
enum { COMMUNITY = 1, ADMIN = 1, GUARD, HOME, ZONE = 1 };
enum way { OURS, LAST_DAY, HOUR_MEAN, WAYS };

struct stay {
    tide_ms from, until;
    tide_id slot;
};
struct score {
    double error, pinball;
    double below, above; /* share of hours under the 10 %, over the 90 % */
    uint64_t count;
};
struct lot_record {
    const char *name;
    uint32_t slots;
    struct stay stays[STAYS_MAX];
    uint32_t stay_count;
    tide_ms start_ms; /* a civil midnight */
    uint32_t hours;
    int cars[HOURS_MAX];
    uint8_t class[HOURS_MAX / 24 + 8];
    struct score scores[WAYS];
};

struct drive {
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];
};

/* ---- the data -------------------------------------------------------------------------------- */
/* Numbers with one character between them; how many there were. */
static unsigned read_numbers(const char *text, int *ret, unsigned most)
{
    unsigned count = 0;
    char *end = NULL;
    for (; count < most; text = end + 1) {
        long value = strtol(text, &end, 10);
        if (end == text || value < 0 || value > 9999)
            break;
        ret[count++] = (int)value;
        if (*end == '\0')
            break;
    }
    return count;
}

static tide_ms read_time(const char *text)
{
    int n[5];
    if (read_numbers(text, n, 5) != 5)
        return 0;
    struct tm tm = {.tm_year = n[0] - 1900,
                    .tm_mon = n[1] - 1,
                    .tm_mday = n[2],
                    .tm_hour = n[3],
                    .tm_min = n[4]};
    return (tide_ms)timegm(&tm) * 1000 - OFFSET_MS;
}

static tide_ms midnight(tide_ms at)
{
    return at - (at + OFFSET_MS) % TIDE_DAY_MS;
}

static int by_start(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static bool read_stays(struct lot_record *lot, const char *path)
{
    char line[256];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL && lot->stay_count < STAYS_MAX) {
        const char *second = strchr(line, ',');
        struct stay stay = {.from = read_time(line)};
        stay.until = second != NULL ? read_time(second + 1) : 0;
        if (stay.from != 0 && stay.until - stay.from >= NOISE_MS)
            lot->stays[lot->stay_count++] = stay;
    }
    (void)fclose(file);
    if (lot->stay_count == 0)
        return false;
    qsort(lot->stays, lot->stay_count, sizeof *lot->stays, by_start);
    lot->start_ms = midnight(lot->stays[0].from);
    lot->hours =
        (uint32_t)((midnight(lot->stays[lot->stay_count - 1].from) - lot->start_ms) / HOUR_MS);
    return lot->hours < HOURS_MAX;
}

/* Cars that are there when the hour begins: a car that leaves then is gone. */
static void count_cars(struct lot_record *lot)
{
    for (uint32_t i = 0; i < lot->stay_count; i++) {
        tide_ms first = (lot->stays[i].from - lot->start_ms + HOUR_MS - 1) / HOUR_MS;
        for (tide_ms h = first; h < lot->hours && lot->start_ms + h * HOUR_MS < lot->stays[i].until;
             h++)
            lot->cars[h]++;
    }
}

static size_t read_holidays(uint8_t *blob, const char *path, uint16_t *ret_rows)
{
    char line[512];
    int n[3], date = 0;
    size_t len = 0;
    FILE *file = fopen(path, "re");
    *ret_rows = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, "\"date\": \""), *off = strstr(line, "\"isOffDay\": ");
        if (at != NULL && read_numbers(at + 9, n, 3) == 3) {
            struct tm tm = {.tm_year = n[0] - 1900, .tm_mon = n[1] - 1, .tm_mday = n[2]};
            date = (int)(timegm(&tm) / 86400);
        }
        if (off == NULL || date == 0)
            continue;
        bool is_off = strncmp(off + 12, "true", 4) == 0;
        struct tide_day row = {
            .date = date, .day_class = is_off ? TIDE_DAY_CLASS_holiday : TIDE_DAY_CLASS_workday};
        blob[len] = TIDE_REC_day;
        len += 1 + tide_record_pack(tide_record_of(TIDE_REC_day), &row, blob + len + 1, 64);
        (*ret_rows)++;
    }
    if (file != NULL)
        (void)fclose(file);
    return len;
}

/* ---- the engine ------------------------------------------------------------------------------ */
static void send(struct drive *d, struct engine_event event)
{
    d->effects.len = d->effects.count = 0;
    struct engine_event tick = {.kind = TIDE_REC_tick, .when_ms = event.when_ms};
    while (engine_next_deadline(d->engine) < event.when_ms) { /* each at its time */
        tick.when_ms = engine_next_deadline(d->engine);
        tick.when_ms = tick.when_ms > engine_now(d->engine) ? tick.when_ms : engine_now(d->engine);
        d->effects.len = d->effects.count = 0;
        engine_step(d->engine, &tick, &d->effects);
    }
    tick.when_ms = event.when_ms;
    while (engine_next_deadline(d->engine) <= event.when_ms) {
        d->effects.len = d->effects.count = 0;
        engine_step(d->engine, &tick, &d->effects);
    }
    if (event.kind != TIDE_REC_tick) {
        d->effects.len = d->effects.count = 0;
        engine_step(d->engine, &event, &d->effects);
    }
}

static void put(struct drive *d, size_t *len, uint16_t *rows, unsigned kind, const void *row)
{
    d->blob[*len] = (uint8_t)kind;
    *len += 1 + tide_record_pack(tide_record_of(kind), row, d->blob + *len + 1, 300);
    (*rows)++;
}

static void flush(struct drive *d, tide_ms when_ms, size_t *len, uint16_t *rows)
{
    struct engine_event event = {.kind = TIDE_REC_put,
                                 .user = ADMIN,
                                 .when_ms = when_ms,
                                 .blob = d->blob,
                                 .blob_len = (uint32_t)*len};
    event.as.put.rows = *rows;
    send(d, event);
    *len = *rows = 0;
}

static void found(struct drive *d, const struct lot_record *lot, tide_ms when_ms)
{
    size_t len = 0;
    uint16_t rows = 0;
    struct engine_event genesis = {.kind = TIDE_REC_genesis, .when_ms = when_ms};
    genesis.as.genesis = (struct tide_genesis){COMMUNITY, ADMIN, ADMIN, 480, 0};
    engine_step(d->engine, &genesis, &d->effects);
    put(d, &len, &rows, TIDE_REC_person, &(struct tide_person){.id = GUARD});
    put(d, &len, &rows, TIDE_REC_user,
        &(struct tide_user){.id = GUARD, .person = GUARD, .kind = TIDE_USER_KIND_app});
    put(d, &len, &rows, TIDE_REC_role_row,
        &(struct tide_role_row){.person = GUARD, .role = TIDE_ROLE_guard, .place = COMMUNITY});
    put(d, &len, &rows, TIDE_REC_zone, &(struct tide_zone){.id = ZONE, .place = COMMUNITY});
    for (tide_id slot = 1; slot <= lot->slots; slot++) {
        struct tide_slot row = {.id = slot, .zone = ZONE, .title = TIDE_SLOT_TITLE_common};
        struct tide_window always = {.slot = slot,
                                     .kind = TIDE_WINDOW_KIND_once,
                                     .start_ms = when_ms,
                                     .end_ms = when_ms + 500 * TIDE_DAY_MS};
        put(d, &len, &rows, TIDE_REC_slot, &row);
        put(d, &len, &rows, TIDE_REC_window, &always);
        if (rows > 50)
            flush(d, when_ms, &len, &rows);
    }
    flush(d, when_ms, &len, &rows);
}

static void take_calendar(struct drive *d, const char *path, tide_ms when_ms)
{
    struct engine_event event = {
        .kind = TIDE_REC_calendar, .user = ADMIN, .when_ms = when_ms, .blob = d->blob};
    event.as.calendar.year = 2019;
    event.blob_len = (uint32_t)read_holidays(d->blob, path, &event.as.calendar.rows);
    if (event.blob_len == 0)
        bench_die("no holidays in %s", path);
    send(d, event);
}

static void arrive(struct drive *d, struct lot_record *lot, uint32_t i, tide_id *on_slot)
{
    struct engine_event event = {
        .kind = TIDE_REC_arrive, .user = GUARD, .when_ms = lot->stays[i].from};
    tide_id slot = 1;
    while (slot <= lot->slots && on_slot[slot] != 0)
        slot++;
    if (slot > lot->slots)
        return; /* more cars than slots: stands somewhere */
    event.as.arrive = (struct tide_arrive){.plate = i + 1, .zone = ZONE, .slot = slot};
    send(d, event);
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
        struct engine_event event = {.kind = TIDE_REC_leave, .user = GUARD, .when_ms = stay->until};
        event.as.leave.plate = on_slot[first];
        if (event.when_ms < engine_now(d->engine))
            event.when_ms = engine_now(d->engine);
        send(d, event);
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

static void judge_hour(struct drive *d, struct lot_record *lot, uint32_t now, uint32_t at)
{
    static int found[HOURS_MAX / 24 + 1];
    struct tide_forecast_hour hour;
    double seen = (double)lot->slots - lot->cars[at], mean = 0;
    engine_forecast_hour(d->engine, ZONE, lot->start_ms + at * HOUR_MS, &hour);
    uint32_t count = such_hours(lot, now, at, found);
    if (count == 0)
        return; /* the first such day: nothing to hold it against */
    add(&lot->scores[OURS], hour.free_low, hour.free, hour.free_high, seen);
    add(&lot->scores[LAST_DAY], found[count - 1], found[count - 1], found[count - 1], seen);
    for (uint32_t i = 0; i < count; i++)
        mean += (double)found[i] / count;
    qsort(found, count, sizeof *found, by_value);
    const int *low = &found[count / 10], *high = &found[count * 9 / 10];
    add(&lot->scores[HOUR_MEAN], *low, mean, *high, seen);
}

static void play(struct drive *d, struct lot_record *lot)
{
    tide_id on_slot[128] = {0};
    uint32_t next = 0;
    for (uint32_t h = 0; h < lot->hours; h++) {
        tide_ms at = lot->start_ms + h * HOUR_MS;
        for (; next < lot->stay_count && lot->stays[next].from <= at; next++) {
            leave_until(d, lot, on_slot, lot->stays[next].from);
            arrive(d, lot, next, on_slot);
        }
        leave_until(d, lot, on_slot, at);
        send(d, (struct engine_event){.kind = TIDE_REC_tick, .when_ms = at});
        for (uint32_t ahead = 1; ahead <= TIDE_FORECAST_HOURS_MAX && h + ahead < lot->hours;
             ahead++)
            if ((uint64_t)(h + ahead) / 24 * 100 >= (uint64_t)lot->hours / 24 * JUDGED_FROM_PCT)
                judge_hour(d, lot, h, h + ahead);
    }
}

static void run(struct lot_record *lot, const char *calendar)
{
    struct engine_limits limits = {.zones = 2, .slots = 128, .bookings = 128, .sessions = 256};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    struct drive *d = calloc(1, sizeof *d);
    if (d == NULL || (d->memory = aligned_alloc(64, size)) == NULL ||
        (d->effects.buf = malloc(TIDE_EFFECTS_BYTES_MAX)) == NULL)
        bench_die("no memory");
    d->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    d->engine = engine_init(d->memory, size, &limits);
    found(d, lot, lot->start_ms - TIDE_DAY_MS);
    take_calendar(d, calendar, lot->start_ms - TIDE_DAY_MS);
    for (uint32_t day = 0; day <= lot->hours / 24; day++) {
        int32_t date = (int32_t)((lot->start_ms + OFFSET_MS) / TIDE_DAY_MS + day);
        const struct tide_day *row = engine_find(d->engine, TIDE_REC_day, (uint32_t)date, 0, 0);
        lot->class[day] = row != NULL          ? row->day_class
                          : (date + 3) % 7 < 5 ? TIDE_DAY_CLASS_workday
                                               : TIDE_DAY_CLASS_restday;
    }
    play(d, lot);
    free(d->memory);
    free(d->effects.buf);
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
    static struct lot_record lots[] = {{.name = "P10", .slots = 65}, {.name = "P4", .slots = 62}};
    const char *shared = getenv("TIDE_SHARED");
    const char *data = bench_option_text(argc, argv, "data", shared != NULL ? shared : "../shared");
    struct score all[WAYS] = {{0}};
    char path[1024], machine[256];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/data/parking/%s.csv", data, lots[i].name);
        if (!read_stays(&lots[i], path)) {
            printf("{\"bench\":\"forecast\",\"skipped\":\"no stays in %s (TIDE_SHARED)\"}\n", path);
            return 0;
        }
        count_cars(&lots[i]);
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
