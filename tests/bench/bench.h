/* bench.h - what the measurements share: the machine, its clock and disk, options, a neighbourhood.
 *
 *     main.c      tide-bench WHAT [options]
 *     world.c     households, plates, zones, slots on a real engine and store; bookings without end
 *     journal.c   engine + store, durable, beside      postgres.c   the same rows in PostgreSQL
 *     recover.c   a start over a long history          memory.c     a large community at rest
 *     verify.c    --verify over a million events       peak.c       through the broker
 *     forecast.c  the tide table, on recorded stays (record.c)
 *     lateness.c  whether a zone's risk holds, on the same
 *
 * Each prints one JSON object as its last line, with the machine and the time of an fsync beside
 * its figures.
 */
#ifndef TIDE_BENCH_H
#define TIDE_BENCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "daemon/store/store.h"

int bench_journal(int argc, char **argv);
int bench_recover(int argc, char **argv);
int bench_memory(int argc, char **argv);
int bench_engine(int argc, char **argv);
int bench_instance(int argc, char **argv);
int bench_allocate(int argc, char **argv);
int bench_verify(int argc, char **argv);
int bench_forecast(int argc, char **argv);
int bench_lateness(int argc, char **argv);

/* ---- main.c ---------------------------------------------------------------------------------- */
double bench_now_s(void); /* elapsed */
double bench_cpu_s(void); /* of this thread's processor: what others take does not count */
/* nproc and processor, ready to stand in a JSON string. */
void bench_machine(char *out, size_t cap);
/* Median time of a 4 KiB write with fdatasync in this folder. */
double bench_fsync_us(const char *folder);
/* A number that follows --name, or otherwise. */
double bench_option(int argc, char **argv, const char *name, double otherwise);
const char *bench_option_text(int argc, char **argv, const char *name, const char *otherwise);
/* A new folder under build (TIDE_BUILD, else the program's own folder); aborts when it cannot. */
void bench_folder(const char *what, char *out, size_t cap);
/* Removes a folder that bench_folder made, with the files in it. */
void bench_folder_remove(const char *folder);
uint64_t bench_random(uint64_t *state); /* same seed, same numbers */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- world.c --------------------------------------------------------------------------------- */
struct bench_size {
    uint32_t households, plates; /* plates a household */
    uint32_t zones, slots;       /* slots a zone */
    uint32_t live_max;           /* live bookings a household */
};

struct bench_world {
    struct bench_size size;
    struct engine_limits limits;
    char folder[256], path[300];
    struct store *store;
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    struct store_batch *batch;
    uint32_t domain;
    tide_ms now_ms, first_ms; /* first_ms: the first moment that is booked */
    uint32_t grains;          /* that are booked from there on */
    tide_ms step_ms;          /* time that passes with each booking; spans follow it */
    tide_id community, admin, *users, *plates, *zones, *households;
    uint64_t seed, asked, accepted, released;
    double open_s, load_s; /* of bench_world_open */
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct {
        struct store_batch *batch;
        enum store_error error;
    } back[16];
    unsigned back_count;
    _Atomic unsigned back_waiting;
    unsigned in_flight;
};

#define BENCH_START_MS 1558310400000LL /* 2019-05-20T00:00Z */

/* Makes the neighbourhood in a new database of the folder. */
void bench_world_make(struct bench_world *world, const struct bench_size *size, const char *folder);
/* Opens the database that is there; the engine is loaded. Takes the ids anew. */
void bench_world_open(struct bench_world *world, const struct bench_size *size, const char *folder);
/* Closes the store; frees all. */
void bench_world_close(struct bench_world *world);

/* One booking of a fresh random span, the daemon's way: digest, rid, engine, batch. */
void bench_world_book(struct bench_world *world);
/* Any other event, after the deadlines that fell due. */
void bench_world_event(struct bench_world *world, struct engine_event *event);
/* A turn of the loop: releases what is durable, commits when the journal thread is idle. */
void bench_world_turn(struct bench_world *world);
/* Waits until everything is durable and released. */
void bench_world_drain(struct bench_world *world);
/* Waits until the tables show it all. */
void bench_world_catch_up(struct bench_world *world);
/* A rid that nobody had before, with the digest of a body of usual size. */
void bench_world_origin(struct bench_world *world, tide_id user, struct store_origin *ret);
/* Puts an event with effects made by hand into the batch: history in bulk. */
void bench_world_write(struct bench_world *world, const struct engine_event *event,
                       const struct store_origin *origin, const struct engine_effects *effects);

/* ---- postgres.c ------------------------------------------------------------------------------ */
struct bench_peer {
    double per_s;     /* at its best */
    unsigned clients; /* with so many */
    unsigned commit_delay_us;
    double by_clients[4]; /* 1, 4, 16, 64 */
    char version[64];
};
/* Runs a throw-away cluster under the folder. */
void bench_postgres(const char *folder, const struct bench_size *size, double seconds,
                    struct bench_peer *ret);

#endif
