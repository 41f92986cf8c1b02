/* record.c - see record.h. */
#include "tests/bench/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

#define NOISE_MS (5 * TIDE_MINUTE_MS) /* shorter ones are no stays */
enum { COMMUNITY = 1, ADMIN = 1 };

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
    return (tide_ms)timegm(&tm) * 1000 - RECORD_OFFSET_MS;
}

static tide_ms midnight(tide_ms at)
{
    return at - (at + RECORD_OFFSET_MS) % TIDE_DAY_MS;
}

static int by_start(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
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

bool record_read(struct lot_record *lot, const char *path)
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
    if (lot->hours >= HOURS_MAX)
        return false;
    count_cars(lot);
    return true;
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
void drive_send(struct drive *d, struct engine_event event)
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
    drive_send(d, event);
    *len = *rows = 0;
}

static void found(struct drive *d, const struct lot_record *lot, tide_ms when_ms,
                  uint16_t risk_permille)
{
    size_t len = 0;
    uint16_t rows = 0;
    struct engine_event genesis = {.kind = TIDE_REC_genesis, .when_ms = when_ms};
    genesis.as.genesis = (struct tide_genesis){COMMUNITY, ADMIN, ADMIN, 480, 0};
    engine_step(d->engine, &genesis, &d->effects);
    put(d, &len, &rows, TIDE_REC_person, &(struct tide_person){.id = RECORD_GUARD});
    put(d, &len, &rows, TIDE_REC_user,
        &(struct tide_user){
            .id = RECORD_GUARD, .person = RECORD_GUARD, .kind = TIDE_USER_KIND_app});
    put(d, &len, &rows, TIDE_REC_role_row,
        &(struct tide_role_row){
            .person = RECORD_GUARD, .role = TIDE_ROLE_guard, .place = COMMUNITY});
    for (tide_id id = RECORD_HOME; id < RECORD_HOME + RECORD_HOMES; id++) {
        put(d, &len, &rows, TIDE_REC_place,
            &(struct tide_place){.id = id, .kind = TIDE_PLACE_KIND_household, .parent = COMMUNITY});
        put(d, &len, &rows, TIDE_REC_person, &(struct tide_person){.id = id, .household = id});
        put(d, &len, &rows, TIDE_REC_user,
            &(struct tide_user){.id = id, .person = id, .kind = TIDE_USER_KIND_app});
        put(d, &len, &rows, TIDE_REC_role_row,
            &(struct tide_role_row){.person = id, .role = TIDE_ROLE_resident, .place = id});
        if (rows > 50)
            flush(d, when_ms, &len, &rows);
    }
    put(d, &len, &rows, TIDE_REC_zone,
        &(struct tide_zone){.id = RECORD_ZONE, .place = COMMUNITY, .risk_permille = risk_permille});
    for (tide_id slot = 1; slot <= lot->slots; slot++) {
        struct tide_slot row = {.id = slot, .zone = RECORD_ZONE, .title = TIDE_SLOT_TITLE_common};
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
    drive_send(d, event);
}

void drive_begin(struct drive *d, struct lot_record *lot, const char *calendar,
                 uint16_t risk_permille)
{
    struct engine_limits limits = {.zones = 2, .slots = 128, .bookings = 128, .sessions = 256};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    memset(d, 0, sizeof *d);
    if ((d->memory = aligned_alloc(64, size)) == NULL ||
        (d->effects.buf = malloc(TIDE_EFFECTS_BYTES_MAX)) == NULL)
        bench_die("no memory");
    d->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    d->engine = engine_init(d->memory, size, &limits);
    found(d, lot, lot->start_ms - TIDE_DAY_MS, risk_permille);
    take_calendar(d, calendar, lot->start_ms - TIDE_DAY_MS);
    for (uint32_t day = 0; day <= lot->hours / 24; day++) {
        int32_t date = (int32_t)((lot->start_ms + RECORD_OFFSET_MS) / TIDE_DAY_MS + day);
        const struct tide_day *row = engine_find(d->engine, TIDE_REC_day, (uint32_t)date, 0, 0);
        lot->class[day] = row != NULL          ? row->day_class
                          : (date + 3) % 7 < 5 ? TIDE_DAY_CLASS_workday
                                               : TIDE_DAY_CLASS_restday;
    }
}

void drive_end(struct drive *d)
{
    free(d->memory);
    free(d->effects.buf);
}
