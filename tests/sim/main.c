/* main.c - tide-sim: plays a made-up neighbourhood against the real engine and the real store, or
 * audits the database of a real one.
 *
 *   tide-sim --seed N --days D [--clients N] [--runs N] [--faults all|none|crash,clock,…]
 *            [--minutes M] [--store sqlite|memory] [--dir FOLDER] [--trace] [--quiet]
 *            [--shrink]
 *   tide-sim --audit DB
 *   tide-sim --write-golden FILE
 */
#include <ftw.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/sim.h"

static void usage(FILE *out)
{
    fputs(
        "usage: tide-sim --seed N --days D [--clients N] [--runs N] [--faults LIST]\n"
        "                [--minutes M] [--store sqlite|memory] [--dir FOLDER] [--trace] [--quiet]\n"
        "       tide-sim --audit DB | --write-golden FILE\n"
        "  LIST: all, none, or names joined by commas:",
        out);
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        fprintf(out, " %s", sim_fault_name(i));
    fputs("\n  --clients: households, at least 8. --runs: so many seeds from N on;\n"
          "  --minutes: seeds from N on for so long.\n"
          "  --shrink: of a run that fails, the few events that matter, as a story for a test.\n",
          out);
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

/* ---- one run ------------------------------------------------------------------------------- */
static void tell_failure(const struct sim_conf *conf, const char *what)
{
    sim_ring_tell(conf->ring, stdout, 60);
    printf("tide-sim: seed %llu, after %llu events: %s\n", (unsigned long long)conf->seed,
           (unsigned long long)sim_ring_last_seq(conf->ring), what);
}

static void tell_summary(const struct sim_conf *conf, const struct sim_stats *s, int violations)
{
    printf(
        "tide-sim: seed %llu, %u days: %llu events, %llu reads, %llu bookings (%llu kept, "
        "%llu cancelled, %llu no-shows, %llu broken, %llu waited for), %llu facts, %llu repeats, "
        "%llu crashes, %llu restarts, %llu clock steps, %d violations\n",
        (unsigned long long)conf->seed, conf->days, (unsigned long long)s->events,
        (unsigned long long)s->asks, (unsigned long long)s->bookings, (unsigned long long)s->kept,
        (unsigned long long)s->cancelled, (unsigned long long)s->no_shows,
        (unsigned long long)s->broken, (unsigned long long)s->waited, (unsigned long long)s->facts,
        (unsigned long long)s->repeats, (unsigned long long)s->crashes,
        (unsigned long long)s->restarts, (unsigned long long)s->jumps, violations);
}

static int play_here(const struct sim_conf *conf)
{
    struct sim *sim = sim_new(conf);
    int rc = sim_play(sim);
    if (rc != 0)
        tell_failure(conf, sim->failure);
    if (rc != 0 || !conf->quiet)
        tell_summary(conf, &sim->stats, rc != 0);
    sim_free(sim);
    (void)fflush(stdout);
    return rc;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
    (void)stat, (void)flag, (void)ftw;
    return remove(path);
}

/* In a process of its own: a failed assertion kills the player, not who tells of it. */
static int play_watched(struct sim_conf conf, const char *parent)
{
    char root[4096];
    int status = 0;
    (void)snprintf(root, sizeof root, "%s/tide-sim-XXXXXX", parent);
    if (mkdtemp(root) == NULL) {
        (void)fprintf(stderr, "tide-sim: no folder can be made in %s\n", parent);
        return 1;
    }
    conf.folder = root;
    conf.ring = sim_ring_new(conf.trace);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(play_here(&conf)); /* not _exit: what counts lines writes at exit */
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = 1 << 8;
    if (WIFSIGNALED(status))
        tell_failure(&conf, strsignal(WTERMSIG(status)));
    if (conf.tape != NULL && status != 0)
        (void)shrink_tell(conf.tape, stdout);
    sim_ring_free(conf.ring);
    (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* ---- options ------------------------------------------------------------------------------- */
struct options {
    struct sim_conf conf;
    uint64_t runs, minutes;
    const char *audit, *parent;
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
    case 'M':
        return number_read(text, 1, 10000, &o->minutes);
    case 'f':
        return sim_faults_read(text, &o->conf.faults);
    case 'm':
        o->conf.memory = strcmp(text, "memory") == 0;
        return o->conf.memory || strcmp(text, "sqlite") == 0;
    case 'D':
        o->parent = text;
        return true;
    case 't':
        o->conf.trace = true;
        return true;
    case 'S':
        o->conf.tape = o->conf.tape != NULL ? o->conf.tape : tape_new();
        return true;
    case 'q':
        o->conf.quiet = true;
        return true;
    case 'a':
        o->audit = text;
        return true;
    case 'g': /* always the same run, in which a little of everything happens */
        o->conf.golden = text;
        o->conf.seed = 11;
        o->conf.days = 8;
        o->conf.households = 14;
        o->conf.memory = true;
        o->conf.faults = 1u << SIM_FAULT_clock | 1u << SIM_FAULT_forget |
                         1u << SIM_FAULT_reconnect | 1u << SIM_FAULT_calendar |
                         1u << SIM_FAULT_settings | 1u << SIM_FAULT_chaos;
        return true;
    default:
        return false;
    }
}

/* Which of all events there are were never done: a simulator that does not try proves nothing. */
static void tell_operations(const uint64_t *done)
{
    unsigned all = 0, never = 0;
    for (unsigned kind = TIDE_REC_tick; kind < TIDE_REC_reply; kind++) {
        if (tide_record_of(kind) == NULL)
            continue;
        all++;
        if (done[kind] > 0)
            continue;
        never++;
        printf("tide-sim: never: %s\n", tide_record_of(kind)->name);
    }
    printf("tide-sim: %u of %u operations were done, %u never\n", all - never, all, never);
}

/* One seed after the other, to the first violation, the last run, or the end of the time. */
static int play_all(const struct options *o)
{
    time_t until = time(NULL) + (time_t)o->minutes * 60;
    struct sim_conf conf = o->conf;
    uint64_t runs = 0;
    conf.done = mmap(NULL, 256 * sizeof *conf.done, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (conf.done == MAP_FAILED)
        abort();
    int violations = 0;
    while (violations == 0 && (o->minutes > 0 ? time(NULL) < until : runs < o->runs)) {
        violations = play_watched(conf, o->parent);
        conf.seed++;
        runs++;
    }
    if (runs > 1)
        tell_operations(conf.done);
    if (runs > 1)
        printf("tide-sim: %llu runs, %llu days in all, %d violations\n", (unsigned long long)runs,
               (unsigned long long)runs * conf.days, violations);
    return violations;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"seed", required_argument, NULL, 's'},
                                          {"days", required_argument, NULL, 'd'},
                                          {"clients", required_argument, NULL, 'c'},
                                          {"runs", required_argument, NULL, 'r'},
                                          {"minutes", required_argument, NULL, 'M'},
                                          {"faults", required_argument, NULL, 'f'},
                                          {"store", required_argument, NULL, 'm'},
                                          {"dir", required_argument, NULL, 'D'},
                                          {"trace", no_argument, NULL, 't'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"shrink", no_argument, NULL, 'S'},
                                          {"audit", required_argument, NULL, 'a'},
                                          {"write-golden", required_argument, NULL, 'g'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
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
    if (o.audit != NULL)
        return audit_database(o.audit, stdout);
    if (o.parent == NULL) /* quick where memory can be had as a disk */
        o.parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    return play_all(&o);
}
