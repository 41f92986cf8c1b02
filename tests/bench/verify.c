/* verify.c - tided --verify over a long journal that the real engine made.
 *
 * Bookings for the next two hours while time goes on: they are made, lapse as no-shows, are
 * charged and told. So the journal has requests and deadlines, and the tables have history.
 */
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

#define STEP_MS 4000 /* a booking every 4 seconds: half of the places are taken */

static void told(void *arg, const char *phase, uint64_t done, uint64_t all)
{
    static const char *last = "";
    (void)arg;
    if (strcmp(phase, last) != 0)
        fprintf(stderr, "%.1f s: %s (%llu of %llu)\n", bench_now_s() - *(double *)arg, phase,
                (unsigned long long)done, (unsigned long long)all);
    last = phase;
}

static void make(struct bench_world *world, const struct bench_size *size, const char *folder,
                 uint64_t events)
{
    bench_world_make(world, size, folder);
    world->step_ms = STEP_MS;
    world->grains = 24;
    while (store_last_seq(world->store, world->domain) < events) {
        store_turn_begin(world->store);
        for (unsigned i = 0; i < 64; i++)
            bench_world_book(world);
        store_turn_end(world->store);
        bench_world_turn(world);
    }
    bench_world_catch_up(world);
}

int bench_verify(int argc, char **argv)
{
    uint64_t events = (uint64_t)bench_option(argc, argv, "events", 1000000);
    struct bench_size size = {
        .households = 5000, .plates = 4, .zones = 20, .slots = 50, .live_max = 32};
    struct bench_world world;
    struct store_report report = {0};
    char folder[256], machine[256], path[300];
    uint8_t digest[32];
    bench_folder("verify", folder, sizeof folder);
    double fsync_us = bench_fsync_us(folder);
    make(&world, &size, folder, events);
    fprintf(stderr, "%llu events, %llu bookings\n",
            (unsigned long long)store_last_seq(world.store, world.domain),
            (unsigned long long)world.accepted);
    engine_digest(world.engine, digest);
    snprintf(path, sizeof path, "%s", world.path);
    struct engine_limits limits = world.limits;
    bench_world_close(&world);
    double start = bench_now_s();
    enum store_error error = store_verify(path, &limits, told, &start, &report);
    double took = bench_now_s() - start;
    bench_folder_remove(folder);
    if (error != STORE_OK)
        bench_die("verify: %s", store_error_name(error));
    if (report.faults > 0)
        fprintf(stderr, "first fault: %s\n", report.first_fault);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"verify\",\"events\":%llu,\"seconds\":%.2f,\"rows\":%llu,"
           "\"redecided\":%llu,\"faults\":%llu,\"same_digest\":%s,\"fsync_us\":%.0f,"
           "\"machine\":\"%s\"}\n",
           (unsigned long long)report.events, took, (unsigned long long)report.rows,
           (unsigned long long)report.redecided, (unsigned long long)report.faults,
           memcmp(digest, report.digest, sizeof digest) == 0 ? "true" : "false", fsync_us, machine);
    return report.faults == 0 ? 0 : 1;
}
