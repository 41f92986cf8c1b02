/* peak.c - durable bookings a second through the broker, against a bare echo.
 *
 *     clients ──QoS 1──► mosquitto ──► tided ──► COMMIT ──► reply     "home"
 *     clients ──QoS 1──► mosquitto ──► echo  ──────────────► reply    "echo"
 *
 * One run, one machine, one broker, one client code; window and bytes the same. The two take turns
 * (echo, tided, echo, tided, …) so that what else the machine does hits both, and the medians are
 * compared. Each request is a booking, none is taken back: the live bookings grow all the while.
 *
 * Then paced at half of what was reached: p50, p99, counted from the moment when a request was due.
 * Then one client alone with one request at a time. At the end tided is stopped and its database
 * read: every acknowledged booking is there, none twice.
 */
#include "tests/bench/peak.h"

#include <getopt.h>
#include <stdlib.h>

#include "tests/bench/bench.h"

int bench_peak(int argc, char **argv);

#define ROUNDS_MAX 9
#define SETTLE_MS 1500 /* the tables follow within a second */

struct options {
    double seconds;
    unsigned users, window, rounds;
};

struct figures {
    double home[ROUNDS_MAX], echo[ROUNDS_MAX];
    struct peak_result half, half_echo, alone, alone_echo;
    uint64_t refused, repeated;
};

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(const double *values, unsigned count)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* Who of the three used how much of the processors. */
struct cpu {
    double clients, broker, server;
};

static struct cpu cpu_now(const struct peak_world *world, const struct peak_phase *phase)
{
    bool is_home = strcmp(phase->domain, "home") == 0;
    return (struct cpu){.clients = peak_cpu_us(0),
                        .broker = peak_cpu_us(world->broker.pid),
                        .server = peak_cpu_us(is_home ? world->daemon : world->echo)};
}

static void print_phase(const char *name, const struct peak_result *r, struct cpu before,
                        struct cpu after)
{
    double n = r->answered > 0 ? (double)r->answered : 1;
    fprintf(stderr,
            "%-15s %7.0f/s  p50 %8.3f ms  p99 %8.3f ms  most %7.1f ms  us of processor each: "
            "clients %.0f, broker %.0f, server %.0f\n",
            name, r->per_s, r->p50_ms, r->p99_ms, r->max_ms, (after.clients - before.clients) / n,
            (after.broker - before.broker) / n, (after.server - before.server) / n);
}

static int run_phase(const struct peak_world *world, struct peak_swarm *swarm, const char *name,
                     const struct peak_phase *phase, struct figures *figures,
                     struct peak_result *ret)
{
    broker_fixture_sleep_ms(SETTLE_MS);
    struct cpu before = cpu_now(world, phase);
    if (peak_swarm_run(swarm, phase, ret) != 0) {
        fprintf(stderr, "%s: requests stay without an answer\n", name);
        return -1;
    }
    print_phase(name, ret, before, cpu_now(world, phase));
    if (ret->refused > 0)
        fprintf(stderr, "%s: %llu refused, first: %s\n", name, (unsigned long long)ret->refused,
                ret->refusal);
    figures->refused += ret->refused;
    figures->repeated += ret->repeated;
    return 0;
}

static int run_rounds(const struct peak_world *world, struct peak_swarm *swarm,
                      const struct options *o, struct figures *figures)
{
    struct peak_result result;
    struct peak_phase phase = {
        .clients = o->users, .window = o->window / o->users, .warm_up_s = 1, .seconds = o->seconds};
    for (unsigned i = 0; i < o->rounds; i++) {
        phase.domain = "echo";
        if (run_phase(world, swarm, "echo", &phase, figures, &result) != 0)
            return -1;
        figures->echo[i] = result.per_s;
        phase.domain = "home";
        if (run_phase(world, swarm, "tided", &phase, figures, &result) != 0)
            return -1;
        figures->home[i] = result.per_s;
    }
    return 0;
}

static int run_calm(const struct peak_world *world, struct peak_swarm *swarm,
                    const struct options *o, struct figures *figures)
{
    double half = median(figures->home, o->rounds) / 2;
    struct peak_phase paced = {.domain = "echo",
                               .clients = o->users,
                               .rate_per_s = half > 1 ? half : 1,
                               .warm_up_s = 1,
                               .seconds = o->seconds};
    struct peak_phase one = {
        .domain = "echo", .clients = 1, .window = 1, .warm_up_s = 0.5, .seconds = o->seconds / 2};
    if (run_phase(world, swarm, "echo, half", &paced, figures, &figures->half_echo) != 0)
        return -1;
    paced.domain = "home";
    if (run_phase(world, swarm, "tided, half", &paced, figures, &figures->half) != 0 ||
        run_phase(world, swarm, "echo, alone", &one, figures, &figures->alone_echo) != 0)
        return -1;
    one.domain = "home";
    return run_phase(world, swarm, "tided, alone", &one, figures, &figures->alone);
}

/* A few bookings first: what the replies weigh is what the echo will answer with. */
static int measure(struct peak_world *world, struct peak_swarm *swarm, const struct options *o,
                   struct figures *figures)
{
    struct peak_result result;
    const struct peak_phase taste = {
        .domain = "home", .clients = o->users, .window = 1, .seconds = 0.3};
    if (run_phase(world, swarm, "tided, a taste", &taste, figures, &result) != 0)
        return -1;
    size_t bytes = peak_swarm_reply_bytes(swarm);
    fprintf(stderr, "%u clients, %u requests under way, replies of %zu bytes\n", o->users,
            o->window, bytes);
    if (peak_world_start_echo(world, bytes) != 0) {
        fprintf(stderr, "the echo does not start\n");
        return -1;
    }
    return run_rounds(world, swarm, o, figures) == 0 ? run_calm(world, swarm, o, figures) : -1;
}

static void print_line(const struct options *o, const struct figures *f,
                       const struct peak_check *check, double fsync_us)
{
    char machine[256];
    double home = median(f->home, o->rounds), echo = median(f->echo, o->rounds);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"peak\",\"bookings_per_s\":%.0f,\"echo_per_s\":%.0f,\"ratio\":%.3f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"alone_p50_ms\":%.3f,\"lost\":%llu,\"twice\":%llu,"
           "\"acknowledged\":%llu,\"refused\":%llu,\"repeated\":%llu,\"half_per_s\":%.0f,"
           "\"echo_p50_ms\":%.3f,\"echo_p99_ms\":%.3f,\"echo_alone_p50_ms\":%.3f,"
           "\"window\":%u,\"clients\":%u,\"seconds\":%.1f,\"rounds\":%u,\"fsync_us\":%.0f,"
           "\"machine\":\"%s\"}\n",
           home, echo, echo > 0 ? home / echo : 0, f->half.p50_ms, f->half.p99_ms, f->alone.p50_ms,
           (unsigned long long)check->lost, (unsigned long long)check->twice,
           (unsigned long long)check->acknowledged, (unsigned long long)f->refused,
           (unsigned long long)f->repeated, f->half.per_s, f->half_echo.p50_ms, f->half_echo.p99_ms,
           f->alone_echo.p50_ms, o->window, o->users, o->seconds, o->rounds, fsync_us, machine);
}

static int usage(void)
{
    fputs("tide-bench peak [--seconds S] [--users N] [--window N] [--rounds N] [--quick]\n"
          "  --seconds  how long each phase is measured (5)\n"
          "  --users    connections (64)\n"
          "  --window   requests under way, all together (256)\n"
          "  --rounds   echo and tided in turn, so many times; medians count (3)\n"
          "  --quick    1.5 seconds, one round\n"
          "PEAK_KEEP=1 leaves the folder with database and logs.\n",
          stderr);
    return 64;
}

static int parse(int argc, char **argv, struct options *ret)
{
    static const struct option known[] = {
        {"seconds", required_argument, NULL, 's'}, {"users", required_argument, NULL, 'u'},
        {"window", required_argument, NULL, 'w'},  {"rounds", required_argument, NULL, 'r'},
        {"quick", no_argument, NULL, 'q'},         {NULL, 0, NULL, 0}};
    *ret = (struct options){.seconds = 5, .users = 64, .window = 256, .rounds = 3};
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 's')
            ret->seconds = strtod(optarg, NULL);
        else if (c == 'u')
            ret->users = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'w')
            ret->window = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            ret->rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'q')
            ret->seconds = 1.5, ret->rounds = 1;
        else
            return -1;
    }
    return optind == argc && ret->seconds > 0 && ret->users > 0 && ret->users <= 500 &&
                   ret->window >= ret->users && ret->window <= 4096 && ret->rounds > 0 &&
                   ret->rounds <= ROUNDS_MAX
               ? 0
               : -1;
}

int bench_peak(int argc, char **argv)
{
    struct options o;
    struct figures figures = {.refused = 0};
    struct peak_check check = {0};
    struct peak_world world;
    struct peak_swarm *swarm = NULL;
    if (argc == 5 && strcmp(argv[1], "--echo") == 0)
        return peak_echo_main(argv[2], argv[3], strtoul(argv[4], NULL, 10));
    if (parse(argc, argv, &o) != 0)
        return usage();
    double most = 12000 * (o.rounds * (o.seconds + 1) + o.seconds) + 20000;
    int result = 1;
    if (peak_world_start(&world, o.users, most < 500000 ? (uint32_t)most : 500000) == 0 &&
        peak_swarm_open(&swarm, world.broker.uri, world.secret, o.users, &world.plan) == 0 &&
        measure(&world, swarm, &o, &figures) == 0) {
        double fsync_us = bench_fsync_us(world.folder);
        if (peak_world_stop_daemon(&world) != 0)
            fprintf(stderr, "tided did not end in order\n");
        else if (peak_world_check(&world, swarm, &check) == 0) {
            print_line(&o, &figures, &check, fsync_us);
            result = check.lost == 0 && check.twice == 0 ? 0 : 1;
        }
    }
    peak_swarm_close(swarm);
    peak_world_end(&world);
    return result;
}
