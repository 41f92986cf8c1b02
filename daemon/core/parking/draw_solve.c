/* draw_solve.c - see draw_solve.h.
 *
 * Each wish is a number, its *gain*: grains x unit + rank, where the ranks of all wishes together
 * are less than one unit. A free span is a *lane*. For one lane alone the best chain of wishes is
 * found exactly, by walking over them in the order of their ends (weighted interval scheduling):
 *
 *     best(t) = max( best(t - 1),  best(from) + gain   for each wish that ends at t )
 *
 * What makes the whole hard is that many lanes want the same wish. So:
 *
 *  1. Prices (Lagrangian relaxation; Fisher 1981). Each wish may be served any number of times,
 *     at its price. Lane by lane, the best chain at gain - price; a wish that is taken becomes
 *     dearer, one that is not becomes cheaper, in steps that shrink. Whatever the prices are, their
 *     sum plus the values of all best chains at these prices is more than any allocation can
 *     reach: the least that was seen is the *limit* that comes with the answer, and proves how
 *     good it is.
 *  2. Lanes are filled one after the other at these prices, so that none takes what another needs
 *     more, then at no price with what is left.
 *  3. Some lanes that meet are emptied and filled anew, in another order and at a part of the
 *     prices; what is not worse stays (large neighbourhood search; Shaw 1998). It ends when the
 *     limit is reached, when nothing has come of it for long, or when the steps are spent.
 *  4. Each lane is filled anew with its best chain out of its own wishes and those that sit
 *     nowhere, round and round until nothing changes.
 *
 * Guaranteed, always: an allocation; never more than `limit`, which nobody can exceed; the work
 * bounded by steps_max. When `settled` is true (step 4 came to its end): no set of refused wishes,
 * and so no single one, could take the place of what sits on one span and be worth more, in the
 * order of aims. Wishes of one span of time in one pool are therefore served strictly by who has
 * had least, then by lot. Not guaranteed: the very best; measured, it is within 0.3 % of the limit
 * (tests/bench, allocate --policy draw), and the best of every instance of 3 spans x 4 wishes x 6
 * grains (tests/unit/test_draw_solve.c).
 */
#include "daemon/core/parking/draw_solve.h"

#include <string.h>

#include "tide/check.h"

#define NONE UINT32_MAX
#define PRICE_WHOLE 256 /* the weight at which a price counts fully */
#define TOGETHER 8u     /* lanes that are emptied and filled anew at once */

#define IDLE_MAX(s) (1000u * (s)->lane_count + 2000u) /* tries in vain, and it is enough */

struct item { /* a wish, in the order (pool, until, from, index) */
    uint32_t from, until, wish;
    uint32_t seat; /* span + 1 */
    uint32_t next; /* on the same span */
    int64_t gain, price;
};
struct lane { /* a span, in the order (pool, from, until, index) */
    uint32_t pool, from, until, span;
    uint32_t low, high; /* items that may fit: [low, high) */
    uint32_t first;     /* item on it */
    int64_t value;
};
struct solver {
    struct item *items;
    struct lane *lanes;
    uint32_t item_count, lane_count;
    int64_t *best; /* by grain of a lane */
    uint32_t *via;
    uint32_t *order, *kept; /* scratch */
    uint64_t *keys, *spare;
    int64_t unit; /* one grain, or one wish, as a gain */
    uint64_t steps, steps_max;
    uint64_t random;
};

bool draw_problem_is_sound(const struct draw_problem *problem)
{
    if (problem->span_count > DRAW_SPANS_MAX || problem->wish_count > DRAW_WISHES_MAX)
        return false;
    for (uint32_t i = 0; i < problem->span_count; i++) {
        const struct draw_span *span = &problem->spans[i];
        if (span->pool > DRAW_POOLS_MAX || span->from >= span->until ||
            span->until > DRAW_GRAINS_MAX)
            return false;
    }
    for (uint32_t i = 0; i < problem->wish_count; i++) {
        const struct draw_wish *wish = &problem->wishes[i];
        if (wish->pool > DRAW_POOLS_MAX || wish->from >= wish->until ||
            wish->until > DRAW_GRAINS_MAX)
            return false;
    }
    return true;
}

/* ---- memory --------------------------------------------------------------------------------- */
static void *take(uint8_t *base, size_t *used, size_t bytes)
{
    void *at = base != NULL ? base + *used : NULL;
    *used += (bytes + 7) & ~(size_t)7;
    return at;
}

static size_t carve(struct solver *s, const struct draw_problem *problem, uint8_t *base)
{
    size_t used = 0, n = problem->wish_count, m = problem->span_count, most = n > m ? n : m;
    s->items = take(base, &used, n * sizeof *s->items);
    s->lanes = take(base, &used, m * sizeof *s->lanes);
    s->best = take(base, &used, (DRAW_GRAINS_MAX + 1) * sizeof *s->best);
    s->via = take(base, &used, (DRAW_GRAINS_MAX + 1) * sizeof *s->via);
    s->order = take(base, &used, most * sizeof *s->order);
    s->kept = take(base, &used, (n + TOGETHER) * sizeof *s->kept);
    s->keys = take(base, &used, most * 2 * sizeof *s->keys);
    s->spare = take(base, &used, most * 2 * sizeof *s->spare);
    return used;
}

size_t draw_solve_bytes(const struct draw_problem *problem)
{
    struct solver counted;
    return carve(&counted, problem, NULL);
}

static uint64_t random_next(struct solver *s) /* splitmix64 (Steele, Lea, Flood 2014) */
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t random_below(struct solver *s, uint32_t n)
{
    return (uint32_t)((random_next(s) >> 32) * n >> 32);
}

/* ---- order ---------------------------------------------------------------------------------- */
/* Sorts pairs (key, index) by key, stable: a byte at a time. */
static void sort_pairs(struct solver *s, uint32_t n)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        uint32_t start[257] = {0};
        for (uint32_t i = 0; i < n; i++)
            start[(s->keys[2 * i] >> shift & 255) + 1]++;
        if (start[(s->keys[0] >> shift & 255) + 1] == n)
            continue;
        for (unsigned b = 0; b < 256; b++)
            start[b + 1] += start[b];
        for (uint32_t i = 0; i < n; i++) {
            uint32_t to = start[s->keys[2 * i] >> shift & 255]++;
            s->spare[2 * to] = s->keys[2 * i];
            s->spare[2 * to + 1] = s->keys[2 * i + 1];
        }
        uint64_t *other = s->keys;
        s->keys = s->spare;
        s->spare = other;
    }
}

static uint64_t place_key(uint32_t pool, uint32_t first, uint32_t second)
{
    return (uint64_t)pool << 32 | (uint64_t)first << 16 | second;
}

static void make_items(struct solver *s, const struct draw_problem *p)
{
    uint32_t n = s->item_count = p->wish_count;
    for (uint32_t i = 0; i < n; i++) {
        s->keys[2 * i] = place_key(p->wishes[i].pool, p->wishes[i].until, p->wishes[i].from);
        s->keys[2 * i + 1] = i;
    }
    if (n > 0)
        sort_pairs(s, n);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t wish = (uint32_t)s->keys[2 * k + 1];
        s->items[k] = (struct item){
            .from = p->wishes[wish].from, .until = p->wishes[wish].until, .wish = wish};
        s->order[wish] = k;
    }
}

static void make_gains(struct solver *s, const struct draw_problem *p)
{
    uint32_t n = p->wish_count;
    for (s->unit = 1; s->unit <= (int64_t)n * (n + 1) / 2;)
        s->unit *= 2;
    for (uint32_t i = 0; i < n; i++) {
        s->keys[2 * i] = p->wishes[i].lot;
        s->keys[2 * i + 1] = i;
    }
    if (n == 0)
        return;
    sort_pairs(s, n);
    for (uint32_t k = 0; k < n; k++)
        s->keys[2 * k] = p->wishes[s->keys[2 * k + 1]].used_min;
    sort_pairs(s, n);
    for (uint32_t k = 0; k < n; k++) {
        const struct draw_wish *wish = &p->wishes[s->keys[2 * k + 1]];
        int64_t units = p->aim == DRAW_AIM_minutes ? wish->until - wish->from : 1;
        s->items[s->order[s->keys[2 * k + 1]]].gain = units * s->unit + (n - k);
    }
}

static uint32_t first_item(const struct solver *s, const struct draw_problem *p, uint32_t pool,
                           uint32_t until)
{
    uint32_t low = 0, high = s->item_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct item *item = &s->items[mid];
        uint32_t of = p->wishes[item->wish].pool;
        if (of < pool || (of == pool && item->until < until))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void make_lanes(struct solver *s, const struct draw_problem *p)
{
    uint32_t m = s->lane_count = p->span_count;
    for (uint32_t i = 0; i < m; i++) {
        s->keys[2 * i] = place_key(p->spans[i].pool, p->spans[i].from, p->spans[i].until);
        s->keys[2 * i + 1] = i;
    }
    if (m > 0)
        sort_pairs(s, m);
    for (uint32_t k = 0; k < m; k++) {
        uint32_t i = (uint32_t)s->keys[2 * k + 1];
        const struct draw_span *span = &p->spans[i];
        s->lanes[k] = (struct lane){.pool = span->pool,
                                    .from = span->from,
                                    .until = span->until,
                                    .span = i,
                                    .low = first_item(s, p, span->pool, span->from + 1),
                                    .high = first_item(s, p, span->pool, span->until + 1),
                                    .first = NONE};
    }
}

/* ---- one lane, exactly ---------------------------------------------------------------------- */
/* The chain of greatest value among wishes that sit nowhere, each at its gain less weight/256ths of
 * its price. It is left in s->via; its end is in *ret_end. */
static int64_t chain_find(struct solver *s, const struct lane *lane, int64_t weight,
                          uint32_t *ret_end)
{
    uint32_t a = lane->from, at = 0;
    s->best[0] = 0;
    s->via[0] = NONE;
    s->steps += lane->high - lane->low + 16;
    for (uint32_t k = lane->low; k < lane->high; k++) {
        const struct item *item = &s->items[k];
        if (item->from < a || item->seat != 0)
            continue;
        int64_t gain = item->gain - (item->price * weight >> 8);
        if (gain <= 0)
            continue;
        uint32_t end = item->until - a;
        for (; at < end; at++) {
            s->best[at + 1] = s->best[at];
            s->via[at + 1] = NONE;
        }
        gain += s->best[item->from - a];
        if (gain > s->best[end]) {
            s->best[end] = gain;
            s->via[end] = k;
        }
    }
    *ret_end = at;
    return s->best[at];
}

static uint32_t chain_step(const struct solver *s, const struct lane *lane, uint32_t *at)
{
    while (*at > 0 && s->via[*at] == NONE)
        --*at;
    if (*at == 0)
        return NONE;
    uint32_t k = s->via[*at];
    *at = s->items[k].from - lane->from;
    return k;
}

static void lane_clear(struct solver *s, struct lane *lane)
{
    for (uint32_t k = lane->first; k != NONE; k = s->items[k].next)
        s->items[k].seat = 0;
    lane->first = NONE;
    lane->value = 0;
}

static void lane_seat(struct solver *s, struct lane *lane, uint32_t k)
{
    s->items[k].seat = (uint32_t)(lane - s->lanes) + 1;
    s->items[k].next = lane->first;
    lane->first = k;
    lane->value += s->items[k].gain;
}

/* Clears the lane and fills it with its best chain. */
static void lane_fill(struct solver *s, struct lane *lane, int64_t weight)
{
    uint32_t at;
    lane_clear(s, lane);
    chain_find(s, lane, weight, &at);
    for (uint32_t k; (k = chain_step(s, lane, &at)) != NONE;)
        lane_seat(s, lane, k);
}

/* ---- prices --------------------------------------------------------------------------------- */
static void shuffle(struct solver *s, uint32_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        list[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = random_below(s, i), t = list[i - 1];
        list[i - 1] = list[j];
        list[j] = t;
    }
}

static void price_pass(struct solver *s, int64_t by)
{
    shuffle(s, s->order, s->lane_count);
    for (uint32_t i = 0; i < s->lane_count; i++) {
        const struct lane *lane = &s->lanes[s->order[i]];
        uint32_t at;
        chain_find(s, lane, PRICE_WHOLE, &at);
        for (uint32_t k; (k = chain_step(s, lane, &at)) != NONE;)
            s->items[k].price += by;
    }
    for (uint32_t k = 0; k < s->item_count; k++) { /* dearer than its gain is never needed */
        struct item *item = &s->items[k];
        int64_t price = item->price < item->gain ? item->price : item->gain;
        item->price = price > by ? price - by : 0;
    }
}

static int64_t dual_value(struct solver *s)
{
    int64_t sum = 0;
    uint32_t at;
    for (uint32_t k = 0; k < s->item_count; k++)
        sum += s->items[k].price;
    for (uint32_t i = 0; i < s->lane_count; i++)
        sum += chain_find(s, &s->lanes[i], PRICE_WHOLE, &at);
    return sum;
}

static int64_t find_prices(struct solver *s, uint64_t steps_max)
{
    int64_t most = 0, best = INT64_MAX, by;
    for (uint32_t k = 0; k < s->item_count; k++)
        most = s->items[k].gain > most ? s->items[k].gain : most;
    by = most / 4;
    for (unsigned pass = 1; s->steps < steps_max && by * 64 > s->unit; pass++) {
        price_pass(s, by);
        by -= by / 16 + (by < 16);
        if (pass % 8 == 0 || pass == 1) {
            int64_t value = dual_value(s);
            best = value < best ? value : best;
        }
    }
    int64_t value = dual_value(s);
    return value < best ? value : best;
}

/* ---- the first allocation, and better ones --------------------------------------------------- */
static int64_t value_of(const struct solver *s)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < s->lane_count; i++)
        sum += s->lanes[i].value;
    return sum;
}

/* Steps 2 and 4 of the method above. */
static void fill_all(struct solver *s)
{
    shuffle(s, s->order, s->lane_count);
    for (uint32_t i = 0; i < s->lane_count; i++)
        lane_fill(s, &s->lanes[s->order[i]], PRICE_WHOLE);
    for (uint32_t i = 0; i < s->lane_count; i++)
        lane_fill(s, &s->lanes[s->order[i]], 0);
}

/* True when it came to its end before the steps did. */
static bool settle(struct solver *s)
{
    uint32_t quiet = 0;
    for (uint32_t i = 0; s->steps < s->steps_max && quiet < s->lane_count; i++) {
        struct lane *lane = &s->lanes[i % s->lane_count];
        int64_t before = lane->value;
        lane_fill(s, lane, 0);
        CHECK(lane->value >= before);
        quiet = lane->value > before ? 0 : quiet + 1;
    }
    return quiet >= s->lane_count;
}

static bool overlap(const struct lane *a, const struct lane *b)
{
    return a->pool == b->pool && a->from < b->until && b->from < a->until;
}

static uint32_t pick(struct solver *s, uint32_t ret[TOGETHER])
{
    uint32_t want = 2 + random_below(s, TOGETHER - 2), n = 1;
    ret[0] = random_below(s, s->lane_count);
    for (unsigned tries = 0; n < want && tries < 3 * want; tries++) {
        uint32_t other = random_below(s, s->lane_count);
        bool taken = !overlap(&s->lanes[ret[0]], &s->lanes[other]);
        for (uint32_t i = 0; i < n && !taken; i++)
            taken = ret[i] == other;
        if (!taken)
            ret[n++] = other;
    }
    return n;
}

/* Empties lanes and remembers what sat on them, each list with NONE behind; their value. */
static int64_t lift(struct solver *s, const uint32_t *some, uint32_t n)
{
    uint32_t kept = 0;
    int64_t value = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct lane *lane = &s->lanes[some[i]];
        value += lane->value;
        for (uint32_t k = lane->first; k != NONE; k = s->items[k].next)
            s->kept[kept++] = k;
        s->kept[kept++] = NONE;
        lane_clear(s, lane);
    }
    return value;
}

static void put_back(struct solver *s, const uint32_t *some, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        lane_clear(s, &s->lanes[some[i]]);
    for (uint32_t i = 0, k = 0; i < n; i++, k++)
        for (; s->kept[k] != NONE; k++)
            lane_seat(s, &s->lanes[some[i]], s->kept[k]);
}

static int64_t fill_anew(struct solver *s, const uint32_t *some, uint32_t n, int64_t weight)
{
    int64_t value = 0;
    for (uint32_t i = n; i > 0; i--)
        lane_fill(s, &s->lanes[some[i - 1]], weight);
    for (uint32_t i = 0; weight != 0 && i < n; i++)
        lane_fill(s, &s->lanes[some[i]], 0);
    for (uint32_t i = 0; i < n; i++)
        value += s->lanes[some[i]].value;
    return value;
}

static void improve(struct solver *s, int64_t limit, uint64_t steps_max)
{
    uint32_t some[TOGETHER], idle = 0;
    int64_t total = value_of(s);
    while (s->steps < steps_max && total < limit && idle < IDLE_MAX(s)) {
        uint32_t n = pick(s, some);
        int64_t weight = random_below(s, 4) == 0 ? 0 : 64 + random_below(s, 240);
        int64_t before = lift(s, some, n), after = fill_anew(s, some, n, weight);
        idle = after > before ? 0 : idle + 1;
        if (after < before)
            put_back(s, some, n);
        else
            total += after - before;
    }
}

static void tell(const struct solver *s, struct draw_problem *problem, struct draw_outcome *ret)
{
    for (uint32_t k = 0; k < s->item_count; k++) {
        const struct item *item = &s->items[k];
        struct draw_wish *wish = &problem->wishes[item->wish];
        wish->span = item->seat != 0 ? s->lanes[item->seat - 1].span + 1 : 0;
        ret->served += wish->span != 0;
        ret->grains += wish->span != 0 ? wish->until - wish->from : 0;
    }
}

void draw_solve(struct draw_problem *problem, void *mem, size_t size, struct draw_outcome *ret)
{
    uint64_t most = problem->steps_max != 0 ? problem->steps_max : DRAW_STEPS_MAX_DEFAULT;
    struct solver s = {.steps_max = most, .random = problem->seed};
    CHECK(((uintptr_t)mem & 7) == 0 && size >= carve(&s, problem, mem));
    CHECK(draw_problem_is_sound(problem));
    make_items(&s, problem);
    make_gains(&s, problem);
    make_lanes(&s, problem);
    *ret = (struct draw_outcome){.settled = true};
    for (uint32_t i = 0; i < problem->wish_count; i++)
        problem->wishes[i].span = 0;
    if (s.lane_count == 0 || s.item_count == 0)
        return;
    int64_t limit = find_prices(&s, most / 3);
    fill_all(&s);
    improve(&s, limit, most / 3 * 2);
    ret->settled = settle(&s);
    ret->limit = limit / s.unit;
    ret->steps = s.steps;
    tell(&s, problem, ret);
}
