/* main.c - tide-sim: plays a made-up neighbourhood against the real engine and the real store, or
 * audits the database of a real one.
 *
 *   tide-sim --seed N --days D [--clients N] [--runs N] [--faults all|none|crash,clock,…]
 *            [--store sqlite|memory] [--dir FOLDER] [--trace] [--quiet]
 *   tide-sim --audit DB
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/sim.h"

static struct sim *playing; /* for the handler of a failed assertion */

static void on_abort(int number)
{
    if (playing != NULL) {
        snprintf(playing->failure, sizeof playing->failure, "signal %d", number);
        sim_tell_failure(playing, stderr);
    }
    _exit(70);
}

static void usage(FILE *out)
{
    fputs("usage: tide-sim --seed N --days D [--clients N] [--runs N] [--faults LIST]\n"
          "                [--store sqlite|memory] [--dir FOLDER] [--trace] [--quiet]\n"
          "       tide-sim --audit DB\n"
          "  LIST: all, none, or names joined by commas:",
          out);
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        fprintf(out, " %s", sim_fault_name(i));
    fputs("\n  --clients: households, at least 8. --runs: so many seeds from N on.\n", out);
}

static bool sim_faults_read(const char *list, uint32_t *ret)
{
    uint32_t mask = 0;
    if (strcmp(list, "all") == 0)
        mask = (1u << SIM_FAULT_COUNT) - 1;
    else if (strcmp(list, "none") != 0)
        for (const char *at = list; *at != '\0';) {
            size_t len = strcspn(at, ",");
            unsigned kind = 0;
            while (kind < SIM_FAULT_COUNT && (strlen(sim_fault_name(kind)) != len ||
                                              memcmp(sim_fault_name(kind), at, len) != 0))
                kind++;
            if (kind == SIM_FAULT_COUNT)
                return false;
            mask |= 1u << kind;
            at += len + (at[len] == ',' ? 1 : 0);
        }
    *ret = mask;
    return true;
}

static bool number_read(const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
        return false;
    *ret = value;
    return true;
}

static int play(const struct sim_conf *conf)
{
    struct sim *sim = sim_new(conf);
    playing = sim;
    int rc = sim_play(sim);
    playing = NULL;
    if (rc != 0)
        sim_tell_failure(sim, stdout);
    const struct sim_stats *s = &sim->stats;
    if (rc != 0 || !conf->quiet)
        printf("tide-sim: seed %llu, %u days: %llu events, %llu reads, %llu bookings (%llu kept, "
               "%llu cancelled, %llu no-shows, %llu broken), %llu facts, %llu repeats, "
               "%llu crashes, %llu restarts, %llu clock steps, %d violations\n",
               (unsigned long long)conf->seed, conf->days, (unsigned long long)s->events,
               (unsigned long long)s->asks, (unsigned long long)s->bookings,
               (unsigned long long)s->kept, (unsigned long long)s->cancelled,
               (unsigned long long)s->no_shows, (unsigned long long)s->broken,
               (unsigned long long)s->facts, (unsigned long long)s->repeats,
               (unsigned long long)s->crashes, (unsigned long long)s->restarts,
               (unsigned long long)s->jumps, rc != 0);
    fflush(stdout);
    sim_free(sim);
    return rc;
}

struct options {
    struct sim_conf conf;
    uint64_t runs;
    const char *audit;
};

static bool option_take(struct options *o, int option, const char *text)
{
    uint64_t value = 0;
    switch (option) {
    case 's':
        return number_read(text, 0, UINT64_MAX - 1, &o->conf.seed);
    case 'd':
        if (!number_read(text, 1, 400, &value))
            return false;
        o->conf.days = (uint32_t)value;
        return true;
    case 'c':
        if (!number_read(text, 8, 2000, &value))
            return false;
        o->conf.households = (uint32_t)value;
        return true;
    case 'r':
        return number_read(text, 1, 1000000, &o->runs);
    case 'f':
        return sim_faults_read(text, &o->conf.faults);
    case 'm':
        o->conf.memory = strcmp(text, "memory") == 0;
        return o->conf.memory || strcmp(text, "sqlite") == 0;
    case 'D':
        o->conf.folder = text;
        return true;
    case 't':
        o->conf.trace = true;
        return true;
    case 'q':
        o->conf.quiet = true;
        return true;
    case 'a':
        o->audit = text;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},    {"days", required_argument, NULL, 'd'},
        {"clients", required_argument, NULL, 'c'}, {"runs", required_argument, NULL, 'r'},
        {"faults", required_argument, NULL, 'f'},  {"store", required_argument, NULL, 'm'},
        {"dir", required_argument, NULL, 'D'},     {"trace", no_argument, NULL, 't'},
        {"quiet", no_argument, NULL, 'q'},         {"audit", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct options o = {
        .conf = {.seed = 1, .days = 10, .households = 24, .faults = (1u << SIM_FAULT_COUNT) - 1},
        .runs = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            usage(stdout);
            return 0;
        }
        if (!option_take(&o, option, optarg)) {
            usage(stderr);
            return 64;
        }
    }
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    if (o.audit != NULL)
        return audit_database(o.audit, stdout);
    for (uint64_t i = 0; i < o.runs; i++, o.conf.seed++)
        if (play(&o.conf) != 0)
            return 1;
    return 0;
}
