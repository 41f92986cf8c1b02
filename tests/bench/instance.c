/* instance.c - makes an instance of the allocation problem: windows of owners who leave in the
 * morning and come back in the evening, and wishes as they were seen at two real lots.
 *
 * Windows: half-hour bins of when owners leave and return, uniform within the bin (He, Liu, Xiong,
 * Li, doi 10.19734/j.issn.1001-3695.2018.05.0503); the start rounded up, the end down to a grain.
 * Wishes: stays drawn with replacement from a recorded lot (office: P4, home: P10; weekdays, at
 * least 5 minutes, over on the same day), rounded outwards to grains, until their length reaches
 * load x the length of all windows. They are decided in the order in which they were drawn.
 *
 * Large: 5 zones of 120 slots, each open once on each of 3 days (1,800 windows), and 31,494
 * wishes: a zone and a day at random, the stay of either lot in turn (sizes: J. Adv. Transp. 2022,
 * 1373391).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

#define DAY_MIN 1440

struct stays {
    struct stay_min {
        int from, until;
    } * list;
    size_t count, cap;
};

static double uniform(uint64_t *seed)
{
    return (double)(bench_random(seed) >> 11) / 9007199254740992.0;
}

/* A minute of the day drawn from half-hour bins of percents. */
static double draw_bins(uint64_t *seed, int first_min, const double *percents, size_t bins)
{
    double left = uniform(seed), sum = 0;
    for (size_t i = 0; i < bins; i++)
        sum += percents[i];
    left *= sum;
    for (size_t i = 0; i < bins; i++) {
        if (left < percents[i])
            return first_min + 30.0 * ((double)i + uniform(seed));
        left -= percents[i];
    }
    return first_min + 30.0 * (double)bins - 1;
}

/* 0 Monday .. 6 Sunday, of a date of the Gregorian calendar (Zeller's congruence). */
static int weekday(int year, int month, int day)
{
    if (month < 3) {
        month += 12;
        year--;
    }
    int h = (day + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400) % 7;
    return (h + 5) % 7;
}

static void add_stay(struct stays *stays, int from, int until)
{
    if (stays->count == stays->cap) {
        stays->cap = stays->cap == 0 ? 1024 : stays->cap * 2;
        stays->list = realloc(stays->list, stays->cap * sizeof *stays->list);
        if (stays->list == NULL)
            bench_die("no memory");
    }
    stays->list[stays->count].from = from / 5 * 5;
    stays->list[stays->count++].until = (until + 4) / 5 * 5;
}

/* arrival,departure,...: 2019-03-12 10:59,2019-03-12 11:00,0,0 */
static void read_stays(const char *path, struct stays *stays)
{
    char line[256];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        bench_die("cannot read %s (say where with --stays FILE)", path);
    while (fgets(line, sizeof line, file) != NULL) {
        int y, mo, d, h, mi, y2, mo2, d2, h2, mi2;
        if (sscanf(line, "%d-%d-%d %d:%d,%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi, &y2, &mo2, &d2, &h2,
                   &mi2) != 10)
            continue;
        int from = h * 60 + mi, until = h2 * 60 + mi2;
        if (y == y2 && mo == mo2 && d == d2 && until - from >= 5 && weekday(y, mo, d) < 5)
            add_stay(stays, from, until);
    }
    fclose(file);
    if (stays->count == 0)
        bench_die("%s has no stays", path);
}

static FILE *create(const char *path, const char *headings)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        bench_die("cannot write %s", path);
    fprintf(out, "%s\n", headings);
    return out;
}

static void done(FILE *out, const char *path)
{
    if (fclose(out) != 0)
        bench_die("cannot write %s", path);
}

static int64_t write_window(FILE *out, unsigned zone, unsigned slot, int day, uint64_t *seed)
{
    static const double leave[] = {11.76, 17.65, 26.48, 15.68, 14.70, 13.73};
    static const double back[] = {20.00, 36.67, 23.33, 20.00};
    int from = (int)draw_bins(seed, 7 * 60, leave, 6), until;
    until = (int)draw_bins(seed, 17 * 60, back, 4) / 5 * 5;
    from = (from + 5) / 5 * 5;
    fprintf(out, "%u,%u,%d,%d\n", zone, slot, day * DAY_MIN + from, day * DAY_MIN + until);
    return until - from;
}

static int64_t write_slots(const char *path, unsigned slots, uint64_t *seed)
{
    int64_t total = 0;
    FILE *out = create(path, "zone,slot,from_min,until_min");
    for (unsigned i = 1; i <= slots; i++)
        total += write_window(out, 1, i, 0, seed);
    done(out, path);
    return total;
}

static unsigned write_requests(const char *path, const struct stays *stays, double minutes,
                               uint64_t *seed)
{
    FILE *out = create(path, "id,zone,from_min,until_min");
    unsigned count = 0;
    while (minutes > 0) {
        const struct stay_min *stay = &stays->list[bench_random(seed) % stays->count];
        int until = stay->until < DAY_MIN ? stay->until : DAY_MIN;
        fprintf(out, "%u,1,%d,%d\n", ++count, stay->from, until);
        minutes -= until - stay->from;
    }
    done(out, path);
    return count;
}

/* ---- the large one --------------------------------------------------------------------------- */
#define LARGE_ZONES 5u
#define LARGE_SLOTS 600u
#define LARGE_DAYS 3
#define LARGE_WISHES 31494u

static int64_t write_large_slots(const char *path, uint64_t *seed)
{
    int64_t total = 0;
    FILE *out = create(path, "zone,slot,from_min,until_min");
    for (unsigned i = 1; i <= LARGE_SLOTS; i++)
        for (int day = 0; day < LARGE_DAYS; day++)
            total += write_window(out, 1 + (i - 1) % LARGE_ZONES, i, day, seed);
    done(out, path);
    return total;
}

static int64_t write_large_requests(const char *path, const struct stays lots[2], uint64_t *seed)
{
    int64_t total = 0;
    FILE *out = create(path, "id,zone,from_min,until_min");
    for (unsigned i = 1; i <= LARGE_WISHES; i++) {
        const struct stays *lot = &lots[i % 2];
        const struct stay_min *stay = &lot->list[bench_random(seed) % lot->count];
        unsigned zone = 1 + (unsigned)(bench_random(seed) % LARGE_ZONES);
        int day_min = (int)(bench_random(seed) % LARGE_DAYS) * DAY_MIN;
        int until = stay->until < DAY_MIN ? stay->until : DAY_MIN;
        total += until - stay->from;
        fprintf(out, "%u,%u,%d,%d\n", i, zone, day_min + stay->from, day_min + until);
    }
    done(out, path);
    return total;
}

static void read_lot(int argc, char **argv, const char *lot, struct stays *stays)
{
    char path[512];
    const char *shared = getenv("TIDE_SHARED");
    snprintf(path, sizeof path, "%s/data/parking/%s.csv", shared != NULL ? shared : "../shared",
             lot);
    read_stays(bench_option_text(argc, argv, "stays", path), stays);
}

int bench_instance(int argc, char **argv)
{
    const char *kind = bench_option_text(argc, argv, "kind", "office");
    const char *slots_path = bench_option_text(argc, argv, "out-slots", NULL);
    const char *requests_path = bench_option_text(argc, argv, "out-requests", NULL);
    unsigned slots = (unsigned)bench_option(argc, argv, "slots", 60), count = LARGE_WISHES;
    double load = bench_option(argc, argv, "load", 1.0);
    uint64_t seed = (uint64_t)bench_option(argc, argv, "seed", 1) * 1000003u;
    bool office = strcmp(kind, "office") == 0, large = strcmp(kind, "large") == 0;
    struct stays lots[2] = {{0}};
    int64_t minutes;
    if ((!office && !large && strcmp(kind, "home") != 0) || slots_path == NULL ||
        requests_path == NULL)
        bench_die("instance --kind office|home|large --slots N --load L --seed K --out-slots S.csv"
                  " --out-requests R.csv");
    read_lot(argc, argv, office || large ? "P4" : "P10", &lots[0]);
    if (large) {
        slots = LARGE_SLOTS;
        read_lot(argc, argv, "P10", &lots[1]);
        minutes = write_large_slots(slots_path, &seed);
        load = (double)write_large_requests(requests_path, lots, &seed) / (double)minutes;
    } else {
        minutes = write_slots(slots_path, slots, &seed);
        count = write_requests(requests_path, &lots[0], load * (double)minutes, &seed);
    }
    free(lots[0].list);
    free(lots[1].list);
    printf("{\"bench\":\"instance\",\"kind\":\"%s\",\"slots\":%u,\"window_min\":%lld,"
           "\"requests\":%u,\"load\":%.2f}\n",
           kind, slots, (long long)minutes, count, load);
    return 0;
}
