/* main.c - tide-crash: cuts the power, fails calls, refuses memory, at the n-th, in every story.
 *
 *   tide-crash cut    --points N [--seed S] [--part I/N] [--story NAME] [--at N]
 *   tide-crash errors ...      tide-crash memory ...
 *   tide-crash upgrade      golden databases of every schema      tide-crash write-golden FILE
 *   tide-crash list
 *
 * A point is a story, the number of a call, and a seed. With fewer points than there are calls a
 * seeded choice is made, every story at least once; with 200 a story no call is left out, and all
 * come again and again, the power failing otherwise each time. Ends with `N points, N violations`.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/crash/fail.h"
#include "tests/crash/modes.h"
#include "tests/crash/upgrade.h"
#include "tests/crash/vfs.h"
#include "tests/sim/rng.h"

#define EVERY_CALL_FROM 200u /* with so many points a story, no call is left out */

struct options {
    const struct mode *mode;
    uint32_t points, at;
    uint64_t seed;
    unsigned part, parts;
    const char *story;
};

struct tally {
    uint64_t points, calls, violations;
};

static char now_at[160]; /* for who dies in the middle */

static void on_death(int signal)
{
    (void)!write(STDOUT_FILENO, now_at, strlen(now_at));
    _exit(128 + signal);
}

static void at_point(const struct options *o, const struct story *story, uint32_t at, uint64_t seed)
{
    (void)snprintf(now_at, sizeof now_at,
                   "not ok %s: died in: tide-crash %s --story %s --at %u --seed %llu\n",
                   story->name, o->mode->name, story->name, at, (unsigned long long)seed);
}

static bool play_point(const struct options *o, struct life *life, uint32_t at, uint64_t seed)
{
    at_point(o, life->story, at, seed);
    if (o->mode->point(life, at, seed))
        return true;
    printf("# %s\n# again: tide-crash %s --story %s --at %u --seed %llu\n", life->why,
           o->mode->name, life->story->name, at, (unsigned long long)seed);
    return false;
}

/* The points of one story: `want` of its calls, drawn by the seed; all of them when that is no
 * more. */
static uint64_t play_story(const struct options *o, const struct story *story, uint32_t want,
                           struct tally *tally)
{
    struct tape tape;
    struct life life;
    char why[2048];
    struct sim_rng rng;
    sim_rng_init(&rng, o->seed, 21);
    if (!tape_record(&tape, story->text, why, sizeof why)) {
        printf("not ok %s: %s\n", story->name, why);
        tape_done(&tape);
        return 1;
    }
    at_point(o, story, 0, o->seed);
    bool ready = life_prepare(&life, story, &tape);
    uint32_t calls = ready ? o->mode->count(&life) : 0;
    uint64_t bad = calls == 0 ? 1 : 0;
    if (want >= EVERY_CALL_FROM && want < calls)
        want = calls;
    if (bad > 0)
        printf("# without any fault: %s\n", life.why);
    if (o->at > 0)
        bad += !play_point(o, &life, o->at, o->seed);
    for (uint32_t i = 0; o->at == 0 && i < want && bad < 5 && calls > 0; i++) {
        uint32_t at = want < calls ? sim_rng_below(&rng, calls) : i % calls;
        bad += !play_point(o, &life, at + 1, o->seed + i / calls + (want < calls ? i : 0));
        tally->points++;
    }
    tally->calls += calls;
    printf("%s %s%s%u calls, %u points\n", bad == 0 ? "ok" : "not ok", story->name,
           bad == 0 ? " - " : ": ", calls, o->at > 0 ? 1 : want);
    (void)fflush(stdout);
    life_done(&life);
    tape_done(&tape);
    return bad;
}

static int play(const struct options *o)
{
    struct tally tally = {0};
    uint32_t share = (o->points + story_count - 1) / story_count;
    for (unsigned i = 0; i < story_count; i++) {
        if (o->story != NULL ? strcmp(o->story, stories[i].name) != 0 : i % o->parts != o->part)
            continue;
        tally.violations +=
            play_story(o, &stories[i], o->story != NULL ? o->points : share, &tally);
    }
    printf("%s: %llu calls of %u stories, %llu points, %llu violations\n", o->mode->name,
           (unsigned long long)tally.calls, story_count, (unsigned long long)tally.points,
           (unsigned long long)tally.violations);
    return tally.violations == 0 ? 0 : 1;
}

static bool read_part(struct options *o, const char *value)
{
    char *slash = NULL;
    o->part = (unsigned)strtoul(value, &slash, 10);
    o->parts = *slash == '/' ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
    return o->part < o->parts;
}

static bool read_option(struct options *o, const char *word, const char *value)
{
    if (strcmp(word, "--points") == 0)
        o->points = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(word, "--at") == 0)
        o->at = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(word, "--seed") == 0)
        o->seed = strtoull(value, NULL, 10);
    else if (strcmp(word, "--story") == 0)
        o->story = value;
    else if (strcmp(word, "--part") == 0)
        return read_part(o, value);
    else
        return false;
    return true;
}

static void install(void)
{
    (void)signal(SIGABRT, on_death);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    fail_install();
    vfs_install();
}

int main(int argc, char **argv)
{
    struct options o = {.points = 1000, .seed = 1, .parts = 1};
    for (unsigned i = 0; argc > 1 && i < mode_count; i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            o.mode = &modes[i];
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (unsigned i = 0; i < story_count; i++)
            printf("%s\n", stories[i].name);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "upgrade") == 0) {
        install();
        return upgrade_play() == 0 ? 0 : 1;
    }
    if (argc == 3 && strcmp(argv[1], "write-golden") == 0) {
        install();
        return upgrade_write(argv[2]) == 0 ? 0 : 1;
    }
    bool good = o.mode != NULL && argc % 2 == 0;
    for (int i = 2; good && i < argc; i += 2)
        good = read_option(&o, argv[i], argv[i + 1]);
    if (!good) {
        (void)fputs("usage: tide-crash cut|errors|memory [--points N] [--seed S] [--part I/N]\n"
                    "                  [--story NAME] [--at N]\n"
                    "       tide-crash upgrade | write-golden FILE | list\n",
                    stderr);
        return 64;
    }
    install();
    return play(&o);
}
