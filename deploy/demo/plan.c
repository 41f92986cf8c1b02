/* plan.c - see plan.h. Percentages below are the demo's own choice, made to show each case some
 * times a day; how long people overstay follows the lateness measured in the office park's records
 * (median 34 minutes, nine tenths under 132). */
#include "deploy/demo/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MIN (24 * 60)
#define STAY_ASKED_MAX_MIN (DAY_MIN - 30)
#define NIGHT_STAY_MIN (4 * 60)
#define NIGHT_FROM_MIN (16 * 60)
#define STRANGERS 7

struct planner {
    struct demo_hood *hood;
    const struct demo_plan_conf *conf;
    struct demo_plan *plan;
    struct demo_dice dice;
};

static int down_to(int minute, int grain)
{
    return minute / grain * grain;
}

static int up_to(int minute, int grain)
{
    return (minute + grain - 1) / grain * grain;
}

static struct demo_trip *add_trip(struct planner *p, enum demo_kind kind, int car)
{
    if (p->plan->count == DEMO_TRIPS_MAX || car < 0) {
        return NULL;
    }
    struct demo_trip *trip = &p->plan->trips[p->plan->count++];
    *trip = (struct demo_trip){.kind = kind, .car = car, .household = p->hood->cars[car].household};
    return trip;
}

bool demo_plate_misread(const char *plate, char *out, size_t cap)
{
    static const char pairs[][2] = {{'8', 'B'}, {'0', 'D'}, {'1', '7'}};
    size_t len = strlen(plate);
    (void)snprintf(out, cap, "%s", plate);
    if (len >= cap || len != 3 + 6) {
        return false; /* province of three bytes, region, five signs: an ordinary plate */
    }
    for (size_t i = len - 1; i >= len - 5; i--) {
        for (size_t pair = 0; pair < sizeof(pairs) / sizeof(pairs[0]); pair++) {
            if (plate[i] == pairs[pair][0]) {
                out[i] = pairs[pair][1];
                return true;
            }
        }
    }
    return false;
}

/* ---- owners ------------------------------------------------------------------------------ */

static void plan_owner_lending(struct planner *p, struct demo_trip *trip,
                               const struct demo_slot *slot)
{
    int roll = demo_dice_below(&p->dice, 100);
    trip->leaves_min = slot->opens_min - demo_dice_range(&p->dice, 2, 25);
    trip->arrives_min = slot->closes_min + demo_dice_range(&p->dice, 0, 45);
    if (roll < 4) {
        trip->habit = DEMO_LATE;
        trip->leaves_min = slot->opens_min + demo_dice_range(&p->dice, 10, 40);
    } else if (roll < 9) {
        trip->habit = DEMO_EARLY;
        trip->arrives_min = slot->closes_min - demo_dice_range(&p->dice, 15, 90);
    } else if (roll < 14) {
        trip->habit = DEMO_RECALLS;
        trip->arrives_min = slot->closes_min - demo_dice_range(&p->dice, 30, 120);
    }
}

static void plan_owners(struct planner *p)
{
    for (size_t i = 0; i < p->hood->household_count; i++) {
        const struct demo_household *household = &p->hood->households[i];
        if (household->slot < 0 || household->car < 0) {
            continue;
        }
        const struct demo_slot *slot = &p->hood->slots[household->slot];
        bool lends = p->conf->workday && slot->opens_min >= 0 && slot->closes_min <= DAY_MIN;
        if (!lends && !demo_dice_percent(&p->dice, p->conf->workday ? 60 : 25)) {
            continue; /* stays at home today */
        }
        struct demo_trip *trip = add_trip(p, DEMO_OWNER, household->car);
        if (trip == NULL) {
            return;
        }
        if (lends) {
            plan_owner_lending(p, trip, slot);
        } else {
            trip->leaves_min = demo_figures_owner_leaves(&p->dice);
            trip->arrives_min = demo_figures_owner_returns(&p->dice);
        }
        trip->misread = demo_dice_percent(&p->dice, 1);
    }
}

/* ---- those who book ---------------------------------------------------------------------- */

/* How long somebody overstays. */
static int overstay_min(struct planner *p)
{
    int roll = demo_dice_below(&p->dice, 100);
    return roll < 50   ? demo_dice_range(&p->dice, 16, 34)
           : roll < 90 ? demo_dice_range(&p->dice, 34, 132)
                       : demo_dice_range(&p->dice, 132, 180);
}

static enum demo_habit draw_habit(struct planner *p)
{
    int roll = demo_dice_below(&p->dice, 100);
    return roll < 4    ? DEMO_NO_SHOW
           : roll < 8  ? DEMO_CANCELS
           : roll < 12 ? DEMO_OVERSTAYS
           : roll < 18 ? DEMO_EXTENDS
                       : DEMO_KEEPS;
}

/* Green plates (eight signs behind the province) are of electric cars: some want to charge. */
static const char *draw_class(struct planner *p, const struct demo_trip *trip)
{
    bool electric = strlen(p->hood->cars[trip->car].plate) > 3 + 6;
    if (electric && demo_dice_percent(&p->dice, 55)) {
        return "charger";
    }
    return demo_dice_percent(&p->dice, 3) ? "accessible" : "standard";
}

/* From when he comes and goes: what he asks for, and when. */
static void plan_asking(struct planner *p, struct demo_trip *trip, const struct demo_stay *stay,
                        int ahead_min, int ahead_max)
{
    trip->habit = draw_habit(p);
    trip->cls = draw_class(p, trip);
    trip->arrives_min = stay->arrives_min;
    trip->leaves_min = stay->leaves_min;
    trip->misread = demo_dice_percent(&p->dice, 2);
    trip->asks_from_min = down_to(stay->arrives_min + demo_dice_range(&p->dice, -15, 5), 5);
    trip->asks_until_min = up_to(stay->leaves_min + demo_dice_range(&p->dice, 4, 30), 15);
    int longest = trip->asks_from_min + STAY_ASKED_MAX_MIN;
    if (trip->habit == DEMO_OVERSTAYS) {
        trip->asks_until_min = up_to(stay->leaves_min - overstay_min(p), 5);
    } else if (trip->habit == DEMO_EXTENDS) {
        trip->asks_until_min = up_to(stay->leaves_min - demo_dice_range(&p->dice, 20, 90), 15);
    }
    if (trip->asks_until_min > longest) {
        trip->asks_until_min = longest;
        trip->leaves_min = longest - demo_dice_range(&p->dice, 0, 20);
    }
    if (trip->asks_until_min < trip->asks_from_min + 30) {
        trip->asks_until_min = trip->asks_from_min + 30;
    }
    trip->books_min = trip->arrives_min - demo_dice_range(&p->dice, ahead_min, ahead_max);
    if (trip->books_min < p->conf->first_min + 5) {
        trip->books_min = p->conf->first_min + demo_dice_range(&p->dice, 4, 12);
    }
    if (trip->asks_from_min < trip->books_min + 5) {
        trip->asks_from_min = up_to(trip->books_min + 5, 5);
    }
    if (trip->arrives_min < trip->books_min + 4) {
        trip->arrives_min = trip->books_min + 4;
    }
    int until_start = trip->asks_from_min - trip->books_min;
    trip->cancels_min = trip->books_min + (until_start > 10 ? until_start / 2 : 2);
}

/* The zones that one of this kind would use, in an order of his own. */
static void plan_zones(struct planner *p, struct demo_trip *trip, const char *names)
{
    for (const char *at = names; *at != '\0'; at++) {
        char name[2] = {*at, '\0'};
        int zone = demo_hood_zone(p->hood, name);
        if (zone >= 0) {
            trip->zones[trip->zone_count++] = zone;
        }
    }
    for (int i = trip->zone_count - 1; i > 0; i--) {
        int j = demo_dice_below(&p->dice, i + 1);
        int kept = trip->zones[i];
        trip->zones[i] = trip->zones[j];
        trip->zones[j] = kept;
    }
}

static bool is_played(const struct planner *p, const struct demo_stay *stay)
{
    return stay->arrives_min >= p->conf->first_min + 20 && stay->arrives_min < p->conf->last_min;
}

static void plan_commuters(struct planner *p)
{
    size_t next = 0;
    for (size_t i = 0; i < p->conf->park->count; i++) {
        const struct demo_stay *stay = &p->conf->park->stay[i];
        while (next < p->hood->household_count &&
               (!p->hood->households[next].outsider || p->hood->households[next].car < 0)) {
            next++;
        }
        if (next == p->hood->household_count) {
            return;
        }
        if (!is_played(p, stay)) {
            continue;
        }
        const struct demo_household *household = &p->hood->households[next++];
        struct demo_trip *trip = add_trip(p, DEMO_COMMUTER, household->car);
        if (trip == NULL) {
            return;
        }
        plan_asking(p, trip, stay, 10, 180);
        plan_zones(p, trip, "ABC");
        trip->by_phone = household->account < 0;
        trip->repeats = p->conf->workday && stay->arrives_min > 7 * 60 + 30 &&
                        stay->leaves_min - stay->arrives_min > 5 * 60 &&
                        demo_dice_percent(&p->dice, 25);
    }
}

/* The next household that has a car and no slot; -1 when all have been taken. */
static int next_without_slot(const struct demo_hood *hood, size_t *next)
{
    for (; *next < hood->household_count; (*next)++) {
        const struct demo_household *household = &hood->households[*next];
        if (!household->outsider && household->slot < 0 && household->car >= 0) {
            return (int)(*next)++;
        }
    }
    return -1;
}

/* A host: in two of five cases one with an app. */
static int draw_host(struct planner *p)
{
    bool with_app = demo_dice_percent(&p->dice, 40);
    for (int tries = 0;; tries++) {
        int host = demo_dice_below(&p->dice, (int)p->hood->household_count);
        const struct demo_household *household = &p->hood->households[host];
        if (tries == 1000 || (!household->outsider && (!with_app || household->account >= 0))) {
            return host;
        }
    }
}

/* Letter Z: in these provinces no city has it, so these plates are nobody's. */
static int new_visitor_car(struct planner *p)
{
    static const char *const provinces[] = {"浙", "苏", "皖", "沪"};
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ";
    char plate[DEMO_NAME];
    (void)snprintf(
        plate, sizeof(plate), "%sZ%c%04d",
        provinces[demo_dice_below(&p->dice, 100) < 70 ? 0 : demo_dice_range(&p->dice, 1, 3)],
        letters[demo_dice_below(&p->dice, 24)], demo_dice_below(&p->dice, 10000));
    for (size_t i = 0; i < p->hood->car_count; i++) {
        if (strcmp(p->hood->cars[i].plate, plate) == 0) {
            return new_visitor_car(p);
        }
    }
    return demo_hood_add_car(p->hood, plate);
}

static void plan_home_stays(struct planner *p)
{
    size_t next = 0;
    for (size_t i = 0; i < p->conf->home->count; i++) {
        const struct demo_stay *stay = &p->conf->home->stay[i];
        if (!is_played(p, stay)) {
            continue;
        }
        bool overnight = stay->arrives_min >= NIGHT_FROM_MIN &&
                         stay->leaves_min - stay->arrives_min >= NIGHT_STAY_MIN;
        int household = overnight ? next_without_slot(p->hood, &next) : -1;
        struct demo_trip *trip;
        if (household >= 0) {
            trip = add_trip(p, DEMO_NIGHT, p->hood->households[household].car);
        } else {
            household = draw_host(p);
            trip = add_trip(p, DEMO_VISITOR, new_visitor_car(p));
        }
        if (trip == NULL) {
            return;
        }
        trip->household = household;
        trip->by_phone = p->hood->households[household].account < 0;
        if (trip->kind == DEMO_NIGHT) {
            plan_asking(p, trip, stay, 20, 360);
            plan_zones(p, trip, "ABCP");
        } else {
            plan_asking(p, trip, stay, 6, 240);
            plan_zones(p, trip, "ABCV");
        }
    }
}

/* ---- the others -------------------------------------------------------------------------- */

static void plan_others(struct planner *p)
{
    for (int i = 0; i < STRANGERS; i++) {
        struct demo_trip *trip = add_trip(p, DEMO_STRANGER, new_visitor_car(p));
        if (trip == NULL) {
            return;
        }
        trip->household = -1;
        trip->by_hand = i % 2 == 0;
        trip->arrives_min = demo_dice_range(&p->dice, 8 * 60, 20 * 60);
        trip->leaves_min = trip->arrives_min + demo_dice_range(&p->dice, 25, 80);
    }
    for (size_t car = 0; car < p->hood->car_count; car++) {
        if (p->hood->cars[car].emergency) {
            struct demo_trip *trip = add_trip(p, DEMO_EMERGENCY, (int)car);
            if (trip != NULL) {
                trip->arrives_min = demo_dice_range(&p->dice, 10 * 60, 16 * 60);
                trip->leaves_min = trip->arrives_min + 35;
            }
        }
    }
}

struct demo_plan *demo_plan_make(struct demo_hood *hood, const struct demo_plan_conf *conf)
{
    assert(conf->home != NULL && conf->park != NULL);
    struct planner p = {.hood = hood, .conf = conf, .plan = calloc(1, sizeof(*p.plan))};
    if (p.plan == NULL) {
        return NULL;
    }
    demo_dice_seed(&p.dice, conf->seed);
    plan_owners(&p);
    plan_commuters(&p);
    plan_home_stays(&p);
    plan_others(&p);
    return p.plan;
}
