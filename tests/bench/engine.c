/* engine.c - decisions a second in the engine alone, in a zone that is nearly full.
 *
 * Slots stand open for all of the horizon. Stays of half an hour to four hours are booked until
 * the fill is reached. Then, turn by turn:
 *
 *   give back   some bookings, drawn by lot, are cancelled (not counted)
 *   decide      as many wishes for the same hours are asked, in another order
 *
 * so that the zone stays as full as wanted and nearly every wish finds a direct fit. A decision is
 * a whole engine_step: who speaks, the rules, the seat, the account, the effects packed. Seconds
 * are those of one processor, so that a busy machine shows the same figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/lot.h"

#define LIVE_EACH 24u /* bookings a household, about */
#define TURN 64u

struct stay {
    tide_id booking; /* 0: refused */
    uint32_t household, start, grains;
};

struct town {
    struct lot lot;
    uint32_t slots, days, households;
    uint64_t seed;
    tide_id plate;
    struct stay *stays;
    uint32_t count, cap;
    uint64_t grains; /* promised */
};

static bool ask(struct town *town, struct stay *stay)
{
    stay->household = (uint32_t)(bench_random(&town->seed) % town->households);
    struct lot_wish wish = {.household = stay->household,
                            .plate = 1 + town->plate++ % 4000000,
                            .zone = 1,
                            .from_min = (int64_t)stay->start * TIDE_GRAIN_MIN,
                            .until_min = (int64_t)(stay->start + stay->grains) * TIDE_GRAIN_MIN};
    stay->booking = lot_book(&town->lot, &wish);
    town->grains += stay->booking != 0 ? stay->grains : 0;
    return stay->booking != 0;
}

static void make(struct town *town, uint32_t slots, uint32_t days)
{
    *town = (struct town){.slots = slots, .days = days - 1, .seed = 2019};
    town->cap = slots * days * 12; /* stays of two hours a slot */
    town->households = town->cap / LIVE_EACH + 64;
    struct engine_limits limits = {
        .zones = 80, .slots = slots + 80, .windows = slots + 80, .bookings = town->cap + 4096};
    town->stays = calloc(town->cap, sizeof *town->stays);
    if (town->stays == NULL)
        bench_die("no memory");
    lot_open(&town->lot, limits, town->households, 32, days);
    lot_setting(&town->lot, TIDE_SETTING_account_floor_min, -1000000);
    lot_zone(&town->lot, 1);
    for (uint32_t i = 1; i <= slots; i++) {
        lot_slot(&town->lot, i, 1);
        lot_window(&town->lot, i, 0, (int64_t)days * 1440);
    }
    lot_flush(&town->lot);
}

static double filled(const struct town *town)
{
    return (double)town->grains / ((double)town->slots * town->days * TIDE_GRAINS_A_DAY);
}

/* Fills to the wanted share, or as far as it goes. */
static void fill(struct town *town, double wanted)
{
    for (uint32_t refused = 0;
         filled(town) < wanted && refused < 2000 && town->count < town->cap;) {
        uint64_t bits = bench_random(&town->seed);
        struct stay stay = {.grains = 6 + (uint32_t)(bits & 0xffff) % 43};
        stay.start = (uint32_t)((bits >> 16) % (town->days * TIDE_GRAINS_A_DAY - stay.grains));
        refused++;
        if (!ask(town, &stay))
            continue;
        town->stays[town->count++] = stay;
        refused = 0;
    }
}

/* Draws some stays to the end of the list and cancels them. */
static void give_back(struct town *town)
{
    for (uint32_t i = 0; i < TURN; i++) {
        uint32_t last = town->count - 1 - i;
        uint32_t drawn = (uint32_t)(bench_random(&town->seed) % (last + 1));
        struct stay stay = town->stays[drawn];
        town->stays[drawn] = town->stays[last];
        town->stays[last] = stay;
        if (stay.booking == 0)
            continue;
        if (!lot_cancel(&town->lot, stay.household, stay.booking))
            bench_die("a booking cannot be cancelled");
        town->grains -= stay.grains;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct figures {
    uint64_t decisions, booked;
    double seconds, p50_us, p99_us;
};

/* each: the clock is read around each decision, which costs some itself. */
static void decide(struct town *town, double seconds, bool each, struct figures *ret)
{
    enum { SAMPLES = 400000 };
    double *us = calloc(SAMPLES, sizeof *us);
    size_t samples = 0;
    if (us == NULL)
        bench_die("no memory");
    for (double end = bench_now_s() + seconds; bench_now_s() < end;) {
        give_back(town);
        double start = bench_cpu_s(), last = bench_now_s();
        for (unsigned i = 0; i < TURN; i++) {
            ret->booked += ask(town, &town->stays[town->count - TURN + i]);
            if (each && samples < SAMPLES) {
                double now = bench_now_s();
                us[samples++] = (now - last) * 1e6;
                last = now;
            }
        }
        ret->seconds += bench_cpu_s() - start;
        ret->decisions += TURN;
    }
    if (each) {
        qsort(us, samples, sizeof *us, by_size);
        ret->p50_us = us[samples / 2];
        ret->p99_us = us[samples * 99 / 100];
    }
    free(us);
}

int bench_engine(int argc, char **argv)
{
    uint32_t slots = (uint32_t)bench_option(argc, argv, "slots", 500);
    uint32_t days = (uint32_t)bench_option(argc, argv, "horizon-days", 14);
    double wanted = bench_option(argc, argv, "fill", 0.8);
    double seconds = bench_option(argc, argv, "seconds", 3);
    struct figures fast = {0}, each = {0};
    static struct town town;
    char machine[256];
    if (slots < 10 || slots > 20000 || days < 2 || days > TIDE_HORIZON_DAYS_MAX - 2)
        bench_die("--slots wants 10 to 20000, --horizon-days 2 to 58");
    make(&town, slots, days);
    fill(&town, wanted);
    double reached = filled(&town);
    decide(&town, seconds, false, &fast);
    decide(&town, seconds / 2, true, &each);
    lot_close(&town.lot);
    free(town.stays);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"engine\",\"slots\":%u,\"fill\":%.3f,\"horizon_days\":%u,"
           "\"decisions_per_s\":%.0f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"booked_share\":%.3f,"
           "\"machine\":\"%s\"}\n",
           slots, reached, days, (double)fast.decisions / fast.seconds, each.p50_us, each.p99_us,
           (double)fast.booked / (double)fast.decisions, machine);
    return 0;
}
