/* plan.h - what everybody means to do today: one trip a car, with the habits of real people.
 *
 *     owner       leaves in the morning, lends his slot meanwhile, comes back in the evening
 *     commuter    works in the park across the road, wants a place for the day
 *     night       lives here, has a car and no slot: wants a place until the morning
 *     visitor     somebody's guest; the host books him in
 *     stranger    nobody's guest: denied at the gate, or let in by the guard and left on a slot
 *     emergency   an ambulance
 *
 * A plan is what is meant, in minutes of the day; what comes of it is the player's.
 */
#ifndef DEMO_PLAN_H
#define DEMO_PLAN_H

#include "deploy/demo/hood.h"
#include "deploy/demo/stays.h"

enum demo_kind {
    DEMO_OWNER,
    DEMO_COMMUTER,
    DEMO_NIGHT,
    DEMO_VISITOR,
    DEMO_STRANGER,
    DEMO_EMERGENCY,
    DEMO_KINDS
};

enum demo_habit {
    DEMO_KEEPS,     /* comes when he said, leaves in time */
    DEMO_NO_SHOW,   /* does not come */
    DEMO_CANCELS,   /* cancels in time */
    DEMO_OVERSTAYS, /* stays longer than he said */
    DEMO_EXTENDS,   /* stays longer, and asks for it */
    DEMO_EARLY,     /* an owner who is back before the time he gave */
    DEMO_RECALLS,   /* an owner who is back early and says so an hour before */
    DEMO_LATE,      /* an owner who leaves later than he said */
    DEMO_HABITS
};

struct demo_trip {
    enum demo_kind kind;
    enum demo_habit habit;
    int car;                   /* of the hood */
    int household;             /* the party; -1: none */
    const char *cls;           /* of slot that he wants: standard, charger, accessible */
    bool by_phone;             /* the clerk books for him */
    bool repeats;              /* every workday, as a series */
    bool misread;              /* the camera takes a letter of the plate for another */
    bool by_hand;              /* a stranger whom the guard lets in */
    int zones[DEMO_ZONES_MAX]; /* in the order of his wishes */
    int zone_count;
    int books_min;                     /* when he asks for a place */
    int asks_from_min, asks_until_min; /* for when; multiples of five */
    int arrives_min, leaves_min;       /* when he really comes and goes; an owner leaves first */
    int cancels_min;
};

#define DEMO_TRIPS_MAX 4096

struct demo_plan {
    struct demo_trip trips[DEMO_TRIPS_MAX];
    size_t count;
};

struct demo_plan_conf {
    uint64_t seed;
    bool workday;
    int first_min, last_min; /* the part of the day that is played */
    const struct demo_stays *home, *park;
};

/* Makes the day's plan; adds the visitors' cars to the hood. Freed by free(). NULL when there is
 * no memory. The same seed, hood and stays give the same plan. */
struct demo_plan *demo_plan_make(struct demo_hood *hood, const struct demo_plan_conf *conf);

/* The plate as a bad camera might read it: one 8 for a B, 0 for a D, 1 for a 7. Returns false when
 * there is nothing to confuse; out gets the plate then as well. */
bool demo_plate_misread(const char *plate, char *out, size_t cap);

#endif
