/* recover.c - a start after a crash: a long history in the database, few bookings still live.
 *
 *   a child fills the database through store and fold, and ends without closing anything: a log
 *   and a tail that is not folded are left, as after kill -9
 *   then:  open (log taken in, names) ─ engine made ─ tables and tail loaded      measured
 *
 * History is written in bulk (bookings that ended, a rid each); what is live was decided by the
 * engine. The files are dropped from the page cache first, as after a reboot.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

struct handed {
    uint8_t digest[32];
    uint64_t bookings, live, events, rids, tail;
};

static const struct bench_size size = {
    .households = 5000, .plates = 4, .zones = 50, .slots = 100, .live_max = 32};

static void add_effect(struct engine_effects *effects, enum engine_verb verb, unsigned kind,
                       const void *record)
{
    uint8_t *out = effects->buf + effects->len;
    out[0] = (uint8_t)verb;
    out[1] = (uint8_t)kind;
    effects->len += 2 + tide_record_pack(tide_record_of(kind), record, out + 2, 254);
    effects->count++;
}

/* Bookings that were kept long ago, as the engine would have left them. */
static void write_history(struct bench_world *world, uint32_t count)
{
    uint8_t bytes[1024];
    struct engine_event tick = {.when_ms = world->now_ms, .kind = TIDE_REC_tick};
    for (uint32_t id = 1; id <= count; id++) {
        struct engine_effects effects = {.buf = bytes, .cap = sizeof bytes};
        uint64_t bits = bench_random(&world->seed);
        uint32_t home = (uint32_t)bits % size.households;
        tide_ms start = BENCH_START_MS - (tide_ms)(1 + (bits >> 32) % 8000) * 3600000;
        struct tide_booking row = {.id = id,
                                   .state = TIDE_BOOKING_STATE_kept,
                                   .plate = world->plates[home * size.plates],
                                   .zone = world->zones[id % size.zones],
                                   .slot = 1 + (uint32_t)(bits >> 8) % (size.zones * size.slots),
                                   .household = world->households[home],
                                   .person = home + 2,
                                   .by = world->users[home],
                                   .session = id,
                                   .start_ms = start,
                                   .end_ms = start + 3600000,
                                   .no_show_ms = start + 1800000,
                                   .made_ms = start - 7200000,
                                   .ended_ms = start + 3500000,
                                   .charged_min = 60};
        struct tide_counter_row counter = {.counter = TIDE_COUNTER_booking, .next = id + 1};
        struct tide_reply reply = {.id = id};
        struct store_origin origin;
        add_effect(&effects, ENGINE_PUT, TIDE_REC_booking, &row);
        add_effect(&effects, ENGINE_PUT, TIDE_REC_counter_row, &counter);
        add_effect(&effects, ENGINE_REPLY, TIDE_REC_reply, &reply);
        bench_world_origin(world, row.by, &origin);
        bench_world_write(world, &tick, &origin, &effects);
        if (id % 256 == 0)
            bench_world_turn(world);
    }
    bench_world_catch_up(world);
}

/* In the child. */
static void fill(const char *folder, uint32_t bookings, uint32_t live, int to)
{
    struct bench_world world;
    struct handed handed = {.bookings = bookings, .live = live, .rids = bookings};
    bench_world_make(&world, &size, folder);
    write_history(&world, bookings - live);
    size_t bytes = (engine_size(&world.limits) + 63) & ~(size_t)63;
    struct store_position position;
    world.engine = engine_init(world.memory, bytes, &world.limits);
    if (store_load(world.store, world.domain, world.engine, &position) != STORE_OK)
        bench_die("cannot load what it wrote itself");
    while (world.accepted < live) {
        bench_world_book(&world);
        bench_world_turn(&world);
    }
    handed.rids += world.asked - world.accepted;
    bench_world_drain(&world);
    handed.events = store_durable_seq(world.store, world.domain);
    handed.tail = handed.events - store_applied_seq(world.store, world.domain);
    engine_digest(world.engine, handed.digest);
    if (write(to, &handed, sizeof handed) != sizeof handed)
        _exit(1);
    _exit(0); /* as if killed: nothing is closed */
}

static void drop_from_cache(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

struct started {
    double seconds, open_s, load_s;
    bool same;
};

static void start(const char *folder, const struct handed *handed, struct started *ret)
{
    struct bench_world world;
    char path[320], wal[330];
    uint8_t digest[32];
    snprintf(path, sizeof path, "%s/tide.db", folder);
    snprintf(wal, sizeof wal, "%s-wal", path);
    drop_from_cache(path);
    drop_from_cache(wal);
    double from = bench_now_s();
    bench_world_open(&world, &size, folder);
    ret->seconds = bench_now_s() - from;
    ret->open_s = world.open_s;
    ret->load_s = world.load_s;
    engine_digest(world.engine, digest);
    ret->same = memcmp(digest, handed->digest, sizeof digest) == 0;
    bench_world_close(&world);
}

int bench_recover(int argc, char **argv)
{
    uint32_t bookings = (uint32_t)bench_option(argc, argv, "bookings", 1000000);
    uint32_t live = (uint32_t)bench_option(argc, argv, "live", 20000);
    struct handed handed;
    struct started started = {0};
    char folder[256], machine[256];
    int ends[2], status = 0;
    if (live > bookings || live > size.households * size.live_max / 2)
        bench_die("too many live bookings");
    bench_folder("recover", folder, sizeof folder);
    double fsync_us = bench_fsync_us(folder);
    if (pipe(ends) != 0)
        bench_die("no pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        fill(folder, bookings, live, ends[1]);
    close(ends[1]);
    if (child < 0 || read(ends[0], &handed, sizeof handed) != sizeof handed ||
        waitpid(child, &status, 0) != child || status != 0)
        bench_die("the database could not be filled");
    fprintf(stderr, "%llu events written\n", (unsigned long long)handed.events);
    start(folder, &handed, &started);
    bench_folder_remove(folder);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"recover\",\"bookings\":%llu,\"seconds\":%.3f,\"live\":%llu,"
           "\"rids\":%llu,\"events\":%llu,\"not_folded\":%llu,\"same_digest\":%s,\"open_s\":%.3f,"
           "\"load_s\":%.3f,"
           "\"fsync_us\":%.0f,\"machine\":\"%s\"}\n",
           (unsigned long long)handed.bookings, started.seconds, (unsigned long long)handed.live,
           (unsigned long long)handed.rids, (unsigned long long)handed.events,
           (unsigned long long)handed.tail, started.same ? "true" : "false", started.open_s,
           started.load_s, fsync_us, machine);
    return started.same ? 0 : 1;
}
