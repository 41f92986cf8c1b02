/* draw_solve.h - who gets which place, decided for all at once. A pure function of a snapshot.
 *
 *     spans   free time of slots, [from, until) in grains        ▓▓├──────────────┤▓▓▓   slot 7
 *     wishes  [from, until) of a pool; a wish that is served       ├───┤├──────┤
 *             lies in one span and touches no other
 *
 * A pool is what may stand for each other: the slots of one class in one zone. The order of aims:
 *  1. the most grains served (DRAW_AIM_minutes), or the most wishes (DRAW_AIM_households; there a
 *     household has one wish);
 *  2. those whose households have had the least (`used_min`), the least first;
 *  3. by lot (`lot`), and after that by place in the list.
 * No grain is given up for 2 and nothing of 2 for 3: all three go into one number a wish.
 *
 * Same problem, same answer, on every machine: integers only, no clock, no memory but the caller's.
 */
#ifndef TIDE_CORE_PARKING_DRAW_SOLVE_H
#define TIDE_CORE_PARKING_DRAW_SOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRAW_WISHES_MAX 32768u
#define DRAW_SPANS_MAX 32768u
#define DRAW_GRAINS_MAX 17280u /* 60 days: times are 0 to this */
#define DRAW_POOLS_MAX 65535u
#define DRAW_STEPS_MAX_DEFAULT 40000000u /* looks at a wish: less than half a second */

enum draw_aim { DRAW_AIM_minutes, DRAW_AIM_households };

struct draw_span {
    uint32_t pool, from, until; /* grains, from < until */
    uint32_t slot;              /* the caller's own; not looked at */
};
struct draw_wish {
    uint32_t pool, from, until; /* grains, from < until */
    uint32_t used_min;          /* what its household has had */
    uint64_t lot;
    uint32_t span; /* out: index of its span + 1, 0 when it is not served */
};
struct draw_problem {
    const struct draw_span *spans; /* none of a slot may overlap another */
    struct draw_wish *wishes;
    uint32_t span_count, wish_count;
    enum draw_aim aim;
    uint64_t seed;      /* of the search; `lot` decides between equals */
    uint64_t steps_max; /* 0: DRAW_STEPS_MAX_DEFAULT */
};
struct draw_outcome {
    uint32_t served; /* wishes */
    int64_t grains;  /* served */
    int64_t limit;   /* no allocation serves more grains (or wishes) than this: proved */
    uint64_t steps;  /* spent */
    bool settled;    /* see draw_solve.c, what is guaranteed */
};

/* True when counts and times are within the limits above. */
bool draw_problem_is_sound(const struct draw_problem *problem);

/* Bytes that draw_solve needs for a sound problem, and solves it: fills in `span` of each wish and
 * *ret. mem is aligned to 8, at least draw_solve_bytes large, the caller's, of no meaning after. */
size_t draw_solve_bytes(const struct draw_problem *problem);
void draw_solve(struct draw_problem *problem, void *mem, size_t size, struct draw_outcome *ret);

#endif
