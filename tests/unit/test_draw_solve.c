/* test_draw_solve.c - the solver of draws against everything that can be counted out by hand, and
 * against what must hold of any answer.
 *
 * Small: up to 3 spans x 4 wishes x 6 grains. There are 25.6 million of these; a run takes every
 * 4001st, TIDE_TEST_STRIDE=1 takes all (half an hour). For each the answer must be the best there
 * is: most grains, and among those the ones with the best ranks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/parking/draw_solve.h"

#define GRAINS 6u
#define SPANS_MAX 3u
#define WISHES_MAX 4u
#define SPAN_KINDS (GRAINS * (GRAINS + 1) / 2)

static uint8_t memory[1 << 22] __attribute__((aligned(8)));

static uint64_t mixed(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    return z ^ z >> 31;
}

static struct draw_outcome solve(struct draw_problem *problem)
{
    struct draw_outcome outcome;
    assert_true(draw_problem_is_sound(problem));
    assert_true(draw_solve_bytes(problem) <= sizeof memory);
    draw_solve(problem, memory, sizeof memory, &outcome);
    return outcome;
}

/* ---- what must hold of any answer ------------------------------------------------------------ */
static void is_an_allocation(const struct draw_problem *p, const struct draw_outcome *outcome)
{
    uint32_t served = 0;
    int64_t grains = 0;
    for (uint32_t i = 0; i < p->wish_count; i++) {
        const struct draw_wish *w = &p->wishes[i];
        if (w->span == 0)
            continue;
        assert_true(w->span <= p->span_count);
        const struct draw_span *span = &p->spans[w->span - 1];
        assert_true(w->pool == span->pool && span->from <= w->from && w->until <= span->until);
        for (uint32_t k = 0; k < i; k++)
            assert_false(p->wishes[k].span == w->span && p->wishes[k].from < w->until &&
                         w->from < p->wishes[k].until);
        served++;
        grains += w->until - w->from;
    }
    assert_int_equal(served, outcome->served);
    assert_int_equal(grains, outcome->grains);
    assert_true((p->aim == DRAW_AIM_minutes ? grains : served) <= outcome->limit);
}

/* Who has had less comes first; among these the lot, then the place in the list. */
static bool comes_before(const struct draw_problem *p, uint32_t a, uint32_t b)
{
    const struct draw_wish *x = &p->wishes[a], *y = &p->wishes[b];
    if (x->used_min != y->used_min)
        return x->used_min < y->used_min;
    return x->lot != y->lot ? x->lot < y->lot : a < b;
}

/* Nobody who was refused could take the place of one who was served, losing nothing, and comes
 * before him. */
static void nobody_is_passed_over(const struct draw_problem *p)
{
    for (uint32_t out = 0; out < p->wish_count; out++) {
        const struct draw_wish *w = &p->wishes[out];
        for (uint32_t in = 0; w->span == 0 && in < p->wish_count; in++) {
            const struct draw_wish *v = &p->wishes[in];
            if (v->span != 0 && v->pool == w->pool && v->from == w->from && v->until == w->until)
                assert_true(comes_before(p, in, out));
        }
    }
}

/* ---- counted out ----------------------------------------------------------------------------- */
struct best {
    int64_t value; /* grains or wishes, then ranks */
    uint8_t seat[WISHES_MAX];
};

static void try_all(const struct draw_problem *p, uint32_t at, int64_t value, uint8_t *seat,
                    const int64_t *gain, struct best *best)
{
    if (at == p->wish_count) {
        if (value > best->value)
            best->value = value;
        return;
    }
    const struct draw_wish *w = &p->wishes[at];
    seat[at] = 0;
    try_all(p, at + 1, value, seat, gain, best);
    for (uint32_t s = 0; s < p->span_count; s++) {
        bool fits = p->spans[s].pool == w->pool && p->spans[s].from <= w->from &&
                    w->until <= p->spans[s].until;
        for (uint32_t k = 0; k < at && fits; k++)
            fits =
                seat[k] != s + 1 || p->wishes[k].until <= w->from || w->until <= p->wishes[k].from;
        if (!fits)
            continue;
        seat[at] = (uint8_t)(s + 1);
        try_all(p, at + 1, value + gain[at], seat, gain, best);
    }
    seat[at] = 0;
}

static void is_the_best(struct draw_problem *p)
{
    struct best best = {0};
    uint8_t seat[WISHES_MAX];
    int64_t gain[WISHES_MAX], value = 0;
    for (uint32_t i = 0; i < p->wish_count; i++) {
        const struct draw_wish *w = &p->wishes[i];
        gain[i] = 1000 * (p->aim == DRAW_AIM_minutes ? w->until - w->from : 1);
        for (uint32_t k = 0; k < p->wish_count; k++)
            gain[i] += k == i || comes_before(p, i, k);
    }
    struct draw_outcome outcome = solve(p);
    is_an_allocation(p, &outcome);
    for (uint32_t i = 0; i < p->wish_count; i++)
        value += p->wishes[i].span != 0 ? gain[i] : 0;
    try_all(p, 0, 0, seat, gain, &best);
    if (value == best.value)
        return;
    for (uint32_t i = 0; i < p->span_count; i++)
        print_message("span %u-%u\n", p->spans[i].from, p->spans[i].until);
    for (uint32_t i = 0; i < p->wish_count; i++)
        print_message("wish %u-%u used %u: span %u\n", p->wishes[i].from, p->wishes[i].until,
                      p->wishes[i].used_min, p->wishes[i].span);
    fail_msg("value %lld, the best is %lld", (long long)value, (long long)best.value);
}

/* The n-th multiset of `count` out of SPAN_KINDS intervals; false after the last. */
static bool next_of(uint8_t *set, uint32_t count)
{
    uint32_t i = count;
    while (i > 0 && set[i - 1] == SPAN_KINDS - 1)
        i--;
    if (i == 0)
        return false;
    uint8_t value = (uint8_t)(set[i - 1] + 1);
    for (uint32_t k = i - 1; k < count; k++)
        set[k] = value;
    return true;
}

static void interval_of(uint8_t kind, uint32_t *ret_from, uint32_t *ret_until)
{
    uint32_t from = 0;
    while (kind >= GRAINS - from) {
        kind = (uint8_t)(kind - (GRAINS - from));
        from++;
    }
    *ret_from = from;
    *ret_until = from + 1 + kind;
}

static void one_small(const uint8_t *spans_of, uint32_t span_count, const uint8_t *wishes_of,
                      uint32_t wish_count, uint64_t number)
{
    struct draw_span spans[SPANS_MAX] = {{0}};
    struct draw_wish wishes[WISHES_MAX] = {{0}};
    uint64_t seed = number;
    struct draw_problem p = {.spans = spans,
                             .wishes = wishes,
                             .span_count = span_count,
                             .wish_count = wish_count,
                             .aim = number % 3 == 0 ? DRAW_AIM_households : DRAW_AIM_minutes,
                             .seed = number,
                             .steps_max = 50000};
    for (uint32_t i = 0; i < span_count; i++)
        interval_of(spans_of[i], &spans[i].from, &spans[i].until);
    for (uint32_t i = 0; i < wish_count; i++) {
        interval_of(wishes_of[i], &wishes[i].from, &wishes[i].until);
        wishes[i].used_min = (uint32_t)(mixed(&seed) % 3) * 60;
        wishes[i].lot = mixed(&seed) % 5;
    }
    is_the_best(&p);
}

static void small_ones_are_optimal(void **state)
{
    (void)state;
    const char *given = getenv("TIDE_TEST_STRIDE");
    uint64_t stride = given != NULL ? strtoull(given, NULL, 10) : 4001, number = 0;
    for (uint32_t span_count = 1; span_count <= SPANS_MAX; span_count++)
        for (uint32_t wish_count = 1; wish_count <= WISHES_MAX; wish_count++) {
            uint8_t spans[SPANS_MAX] = {0};
            do {
                uint8_t wishes[WISHES_MAX] = {0};
                do {
                    if (number++ % stride == 0)
                        one_small(spans, span_count, wishes, wish_count, number);
                } while (next_of(wishes, wish_count));
            } while (next_of(spans, span_count));
        }
    print_message("%llu instances, one in %llu\n", (unsigned long long)number,
                  (unsigned long long)stride);
}

/* ---- larger ones, by what must hold ---------------------------------------------------------- */
#define MANY_SPANS 40u
#define MANY_WISHES 300u

static void make_many(struct draw_problem *p, struct draw_span *spans, struct draw_wish *wishes,
                      uint64_t seed)
{
    *p = (struct draw_problem){.spans = spans,
                               .wishes = wishes,
                               .span_count = MANY_SPANS,
                               .wish_count = MANY_WISHES,
                               .aim = seed % 2 != 0 ? DRAW_AIM_minutes : DRAW_AIM_households,
                               .seed = seed,
                               .steps_max = 3000000};
    for (uint32_t i = 0; i < MANY_SPANS; i++) {
        uint32_t from = (uint32_t)(mixed(&seed) % 40);
        spans[i] = (struct draw_span){.pool = i % 3, .from = from};
        spans[i].until = from + 10 + (uint32_t)(mixed(&seed) % 90);
    }
    for (uint32_t i = 0; i < MANY_WISHES; i++) {
        uint32_t from = (uint32_t)(mixed(&seed) % 30) * 4;
        wishes[i] = (struct draw_wish){.pool = (uint32_t)(mixed(&seed) % 3), .from = from};
        wishes[i].until = from + 4 + (uint32_t)(mixed(&seed) % 8) * 4;
        wishes[i].used_min = (uint32_t)(mixed(&seed) % 10) * 30;
        wishes[i].lot = mixed(&seed);
    }
}

static void many_hold_what_is_promised(void **state)
{
    (void)state;
    static struct draw_span spans[MANY_SPANS];
    static struct draw_wish wishes[MANY_WISHES], again[MANY_WISHES];
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct draw_problem p;
        make_many(&p, spans, wishes, seed);
        struct draw_outcome outcome = solve(&p), twice;
        is_an_allocation(&p, &outcome);
        assert_true(outcome.settled);
        nobody_is_passed_over(&p);
        int64_t reached = p.aim == DRAW_AIM_minutes ? outcome.grains : outcome.served;
        assert_true(reached * 100 >= outcome.limit * 95);
        memcpy(again, wishes, sizeof again);
        memset(memory, 0xa5, sizeof memory); /* what lay there before is of no meaning */
        twice = solve(&p);
        assert_memory_equal(again, wishes, sizeof again);
        assert_int_equal(twice.steps, outcome.steps);
        assert_true(outcome.steps < p.steps_max * 5 / 4);
    }
}

/* ---- what was drawn once --------------------------------------------------------------------- */
/* Anybody may decide an old draw again, with a tidectl of this year (draw verify): so the answer to
 * a problem, and what it costs, stay what they are. An answer that is to be another is another
 * ENGINE_RULES; what these are then, the failing row says. */
static const struct old {
    uint32_t spans, wishes, pools, grains, longest;
    enum draw_aim aim;
    uint64_t steps_max, answer;
} olds[] = {
    {1, 1, 1, 6, 6, DRAW_AIM_minutes, 0, 0xb63408e10251e526u},
    {1, 40, 1, 60, 20, DRAW_AIM_minutes, 0, 0x2cf13195027d2e97u},
    {2, 9, 1, 12, 6, DRAW_AIM_households, 0, 0x0f0ca1849d1adfceu},
    {3, 30, 1, 48, 12, DRAW_AIM_minutes, 100000, 0xcf750af5bb2c8375u},
    {6, 60, 2, 120, 30, DRAW_AIM_households, 200000, 0x43b25276c41cd0f4u},
    {9, 20, 3, 17280, 900, DRAW_AIM_minutes, 200000, 0xbb3532233aa5b5e2u},
    {12, 100, 1, 120, 40, DRAW_AIM_minutes, 5000,
     0x94c4a960a765f35cu}, /* ends before it is through */
    {12, 100, 1, 120, 40, DRAW_AIM_minutes, 900000, 0x052e8275c58152a8u},
    {30, 400, 4, 288, 100, DRAW_AIM_minutes, 1500000, 0x74860408ebaf9ccdu},
    {300, 700, 300, 288, 60, DRAW_AIM_households, 800000, 0xadb0d0c406386c77u},
    {60, 20, 1, 96, 50, DRAW_AIM_minutes, 0, 0xf392fe121a18b18eu}, /* room for all */
};

static uint64_t hashed(uint64_t hash, uint64_t value) /* FNV-1a, by numbers */
{
    return (hash ^ value) * 0x100000001b3u;
}

static uint64_t answer_to(const struct old *old)
{
    static struct draw_span spans[300];
    static struct draw_wish wishes[700];
    uint64_t seed = old->spans * 1000 + old->wishes, hash = 0xcbf29ce484222325u;
    struct draw_problem p = {.spans = spans,
                             .wishes = wishes,
                             .span_count = old->spans,
                             .wish_count = old->wishes,
                             .aim = old->aim,
                             .seed = seed,
                             .steps_max = old->steps_max};
    for (uint32_t i = 0; i < old->spans; i++) {
        uint32_t from = (uint32_t)(mixed(&seed) % (old->grains / 2));
        uint32_t left = old->grains - from;
        spans[i] = (struct draw_span){.pool = i % old->pools * 7, .from = from};
        spans[i].until = from + left / 2 + (uint32_t)(mixed(&seed) % (left - left / 2 + 1));
    }
    for (uint32_t i = 0; i < old->wishes; i++) {
        uint32_t from = (uint32_t)(mixed(&seed) % old->grains);
        uint32_t most = old->grains - from < old->longest ? old->grains - from : old->longest;
        wishes[i] =
            (struct draw_wish){.pool = (uint32_t)(mixed(&seed) % old->pools) * 7, .from = from};
        wishes[i].until = from + 1 + (uint32_t)(mixed(&seed) % most);
        wishes[i].used_min = (uint32_t)(mixed(&seed) % 5) * 60000;
        wishes[i].lot = i % 4 == 0 ? 1 : mixed(&seed);
    }
    memset(memory, 0x5a, draw_solve_bytes(&p));
    struct draw_outcome outcome = solve(&p);
    is_an_allocation(&p, &outcome);
    for (uint32_t i = 0; i < old->wishes; i++)
        hash = hashed(hash, wishes[i].span);
    hash = hashed(hashed(hash, outcome.served), (uint64_t)outcome.grains);
    hash = hashed(hashed(hash, (uint64_t)outcome.limit), outcome.steps);
    return hashed(hash, outcome.settled);
}

static void an_answer_stays_what_it_is(void **state)
{
    bool same = true;
    (void)state;
    for (size_t i = 0; i < sizeof olds / sizeof *olds; i++) {
        uint64_t answer = answer_to(&olds[i]);
        if (answer != olds[i].answer)
            print_message("row %zu: 0x%016llx\n", i, (unsigned long long)answer);
        same &= answer == olds[i].answer;
    }
    assert_true(same);
}

static void nothing_and_too_much(void **state)
{
    (void)state;
    struct draw_span span = {.from = 3, .until = 9};
    struct draw_wish wish = {.from = 3, .until = 9};
    struct draw_problem p = {.spans = &span, .wishes = &wish};
    struct draw_outcome outcome = solve(&p);
    assert_int_equal(outcome.served, 0);
    p.wish_count = 1;
    outcome = solve(&p);
    assert_int_equal(wish.span, 0);
    p.span_count = 1;
    outcome = solve(&p);
    assert_int_equal(outcome.grains, 6);
    assert_int_equal(outcome.limit, 6);
    assert_int_equal(wish.span, 1);
    wish.until = 3;
    assert_false(draw_problem_is_sound(&p));
    wish.until = DRAW_GRAINS_MAX + 1;
    assert_false(draw_problem_is_sound(&p));
    wish.until = 9;
    span.until = span.from;
    assert_false(draw_problem_is_sound(&p));
    span.until = 9;
    span.pool = DRAW_POOLS_MAX + 1;
    assert_false(draw_problem_is_sound(&p));
    span.pool = 0;
    p.wish_count = DRAW_WISHES_MAX + 1;
    assert_false(draw_problem_is_sound(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_and_too_much),
        cmocka_unit_test(small_ones_are_optimal),
        cmocka_unit_test(many_hold_what_is_promised),
        cmocka_unit_test(an_answer_stays_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
