/* journal.c - engine and store without a broker: durable bookings a second, beside PostgreSQL.
 *
 *   bookings_per_s   accepted bookings ÷ time until the tables show the last of them
 *   peak_per_s       accepted bookings that were durable and released within the peak ÷ its length,
 *                    the tables following meanwhile (peak_behind rows at its end)
 *   postgres_per_s   the same rows in one transaction each, at its best of 1, 4, 16, 64 clients
 */
#include <stdio.h>
#include <string.h>

#include "tests/bench/bench.h"

#define TURN 128 /* requests a turn of the loop */

static void book_for(struct bench_world *world, double seconds)
{
    uint64_t room = (uint64_t)world->size.households * world->size.live_max * 9 / 10;
    for (double end = bench_now_s() + seconds; bench_now_s() < end && world->asked < room;) {
        store_turn_begin(world->store);
        for (unsigned i = 0; i < TURN; i++)
            bench_world_book(world);
        store_turn_end(world->store);
        bench_world_turn(world);
    }
}

struct figures {
    double bookings_per_s, peak_per_s, fsync_us;
    uint64_t bookings, peak_bookings, peak_behind, wal_mib;
};

static void sustained(const struct bench_size *size, const char *folder, double seconds,
                      struct figures *ret)
{
    struct bench_world world;
    bench_world_make(&world, size, folder);
    double start = bench_now_s();
    book_for(&world, seconds);
    bench_world_catch_up(&world);
    double took = bench_now_s() - start;
    ret->bookings = world.accepted;
    ret->bookings_per_s = (double)world.accepted / took;
    bench_world_close(&world);
}

static void peak(const struct bench_size *size, const char *folder, double seconds,
                 struct figures *ret)
{
    struct bench_world world;
    struct store_stats stats;
    bench_world_make(&world, size, folder);
    uint64_t before = world.released;
    double start = bench_now_s();
    book_for(&world, seconds);
    bench_world_drain(&world);
    double took = bench_now_s() - start;
    ret->peak_bookings = world.released - before;
    ret->peak_per_s = (double)ret->peak_bookings / took;
    ret->peak_behind =
        store_durable_seq(world.store, world.domain) - store_applied_seq(world.store, world.domain);
    store_stats(world.store, &stats);
    ret->wal_mib = stats.wal_bytes >> 20;
    bench_world_close(&world);
}

static void print(const struct figures *f, const struct bench_peer *peer, double seconds)
{
    char machine[256];
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"journal\",\"bookings_per_s\":%.0f,\"peak_per_s\":%.0f", f->bookings_per_s,
           f->peak_per_s);
    if (peer != NULL)
        printf(",\"postgres_per_s\":%.0f,\"ratio\":%.2f,\"peak_ratio\":%.2f", peer->per_s,
               f->bookings_per_s / peer->per_s, f->peak_per_s / peer->per_s);
    printf(",\"fsync_us\":%.0f,\"bookings\":%llu,\"peak_bookings\":%llu,\"peak_behind\":%llu,"
           "\"seconds\":%.1f",
           f->fsync_us, (unsigned long long)f->bookings, (unsigned long long)f->peak_bookings,
           (unsigned long long)f->peak_behind, seconds);
    if (peer != NULL)
        printf(",\"postgres\":{\"version\":\"%s\",\"clients\":%u,\"commit_delay_us\":%u,"
               "\"c1\":%.0f,\"c4\":%.0f,\"c16\":%.0f,\"c64\":%.0f}",
               peer->version, peer->clients, peer->commit_delay_us, peer->by_clients[0],
               peer->by_clients[1], peer->by_clients[2], peer->by_clients[3]);
    printf(",\"machine\":\"%s\"}\n", machine);
}

int bench_journal(int argc, char **argv)
{
    double seconds = bench_option(argc, argv, "seconds", 10);
    double peer_seconds = bench_option(argc, argv, "peer-seconds", seconds / 2);
    const char *peer_name = bench_option_text(argc, argv, "peer", "none");
    bool with_peer = strcmp(peer_name, "postgres") == 0;
    if (!with_peer && strcmp(peer_name, "none") != 0)
        bench_die("--peer wants postgres or none, not %s", peer_name);
    struct bench_size size = {.households = (uint32_t)bench_option(argc, argv, "households", 40000),
                              .plates = 4,
                              .zones = (uint32_t)bench_option(argc, argv, "zones", 400),
                              .slots = (uint32_t)bench_option(argc, argv, "slots", 20),
                              .live_max = 32};
    struct figures figures = {0};
    struct bench_peer peer = {0};
    char folder[256];
    bench_folder("journal", folder, sizeof folder);
    figures.fsync_us = bench_fsync_us(folder);
    fprintf(stderr, "fsync %.0f us\n", figures.fsync_us);
    sustained(&size, folder, seconds, &figures);
    fprintf(stderr, "caught up: %.0f bookings a second\n", figures.bookings_per_s);
    bench_folder_remove(folder);
    bench_folder("journal", folder, sizeof folder);
    peak(&size, folder, seconds, &figures);
    fprintf(stderr, "peak: %.0f bookings a second, tables %llu rows behind at its end\n",
            figures.peak_per_s, (unsigned long long)figures.peak_behind);
    bench_folder_remove(folder);
    if (with_peer) {
        bench_folder("pg", folder, sizeof folder);
        bench_postgres(folder, &size, peer_seconds, &peer);
        bench_folder_remove(folder);
    }
    print(&figures, with_peer ? &peer : NULL, seconds);
    return 0;
}
