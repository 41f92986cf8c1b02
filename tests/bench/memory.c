/* memory.c - what a large community takes at rest: engine, names and store of a started daemon.
 *
 * A child makes the neighbourhood and ends; this process opens it, loads it, lets the tables
 * settle, takes some requests, and looks how much of it is resident.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static double rss_mib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        fclose(file);
    return (double)kib / 1024;
}

int bench_memory(int argc, char **argv)
{
    uint32_t slots = (uint32_t)bench_option(argc, argv, "slots", 5000);
    struct bench_size size = {.households = (uint32_t)bench_option(argc, argv, "households", 5000),
                              .plates = 1,
                              .zones = 50,
                              .slots = slots / 50,
                              .live_max = 4};
    struct bench_world world;
    struct store_stats stats;
    char folder[256], machine[256];
    int status = 0;
    if (slots < 50)
        bench_die("--slots wants 50 or more");
    bench_folder("memory", folder, sizeof folder);
    double fsync_us = bench_fsync_us(folder), before = rss_mib();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        bench_world_make(&world, &size, folder);
        bench_world_close(&world);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        bench_die("the neighbourhood could not be made");
    bench_world_open(&world, &size, folder);
    double loaded = rss_mib();
    uint32_t wanted = size.households * 2;
    while (world.asked < wanted) {
        for (unsigned i = 0; i < 16; i++)
            bench_world_book(&world);
        bench_world_turn(&world);
    }
    bench_world_catch_up(&world);
    double rss = rss_mib();
    store_stats(world.store, &stats);
    size_t engine = engine_size(&world.limits);
    bench_world_close(&world);
    bench_folder_remove(folder);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"memory\",\"slots\":%u,\"households\":%u,\"rss_mib\":%.1f,"
           "\"bookings\":%llu,\"horizon_days\":14,\"engine_mib\":%.1f,\"rss_loaded_mib\":%.1f,"
           "\"rss_before_mib\":%.1f,\"fsync_us\":%.0f,\"machine\":\"%s\"}\n",
           size.zones * size.slots, size.households, rss, (unsigned long long)world.accepted,
           (double)engine / 1048576, loaded, before, fsync_us, machine);
    return 0;
}
