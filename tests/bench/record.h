/* record.h - recorded stays of a real lot, and an engine that lives through them.
 *
 *   arrival,departure (CSV) ──► stays ──► who uses it says what each of them asks of the engine
 *   holidays (JSON)         ──► its calendar
 *
 * The data is Zhang et al., PewLSTM, IJCAI 2020 (MIT): P10, a community in Changsha, 65 slots; P4,
 * an industrial park in Ningbo, 62 slots. It is read from $TIDE_SHARED/data, and not part of Tide.
 */
#ifndef TIDE_BENCH_RECORD_H
#define TIDE_BENCH_RECORD_H

#include "tide/engine.h"

#define HOUR_MS (60 * TIDE_MINUTE_MS)
#define RECORD_OFFSET_MS (480 * TIDE_MINUTE_MS)
#define STAYS_MAX 20000
#define HOURS_MAX (24 * 400)
#define RECORD_HOMES 64u /* households, each with a person and a user of its number */
enum { RECORD_ZONE = 1, RECORD_GUARD = 2, RECORD_HOME = 10 };

struct stay {
    tide_ms from, until;
    tide_id slot, booking;
};
struct lot_record {
    const char *name;
    uint32_t slots;
    struct stay stays[STAYS_MAX]; /* by arrival */
    uint32_t stay_count;
    tide_ms start_ms; /* a civil midnight */
    uint32_t hours;
    int cars[HOURS_MAX];               /* there when the hour begins */
    uint8_t class[HOURS_MAX / 24 + 8]; /* of each day, once a drive has begun */
};
struct drive {
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];
};

/* Reads the stays; false when there are none. */
bool record_read(struct lot_record *lot, const char *path);
/* A community with one zone of so many common slots, open all the time, from the day before the
 * first stay on; with the calendar of that year. */
void drive_begin(struct drive *d, struct lot_record *lot, const char *calendar,
                 uint16_t risk_permille);
/* One event at its time, after all deadlines before it. */
void drive_send(struct drive *d, struct engine_event event);
void drive_end(struct drive *d);

#endif
