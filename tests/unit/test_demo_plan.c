/* test_demo_plan.c - the example neighbourhood as it is generated, and the day planned for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "deploy/demo/plan.h"

static char folder[] = "/tmp/tide-example-XXXXXX";

static int run(const char *a, const char *b, const char *c)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execl(a, a, b, c, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static int generate(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL &&
                   run("/usr/bin/python3", "deploy/example/generate.py", folder) == 0
               ? 0
               : -1;
}

static int forget(void **state)
{
    (void)state;
    return run("/bin/rm", "-r", folder);
}

static struct demo_hood *read_hood(void)
{
    struct demo_hood *hood = demo_hood_read(folder, NULL);
    assert_non_null(hood);
    return hood;
}

static void test_the_neighbourhood_is_as_promised(void **state)
{
    (void)state;
    struct demo_hood *hood = read_hood();
    size_t homes = 0, titles[4] = {0}, cars = 0;
    for (size_t i = 0; i < hood->household_count; i++) {
        homes += !hood->households[i].outsider;
        cars += !hood->households[i].outsider && hood->households[i].car >= 0;
    }
    for (size_t i = 0; i < hood->slot_count; i++) {
        const struct demo_slot *slot = &hood->slots[i];
        titles[slot->title]++;
        assert_int_equal(slot->sensed, hood->zones[slot->zone].sensor);
        bool private = slot->title == DEMO_OWNED || slot->title == DEMO_RENTED;
        assert_int_equal(slot->household >= 0, private);
        assert_true(private || slot->opens_min >= 0); /* common ones are always open */
    }
    assert_int_equal(homes, 500);
    assert_int_equal(titles[DEMO_OWNED] + titles[DEMO_RENTED] + titles[DEMO_COMMON], 450);
    assert_true(titles[DEMO_OWNED] > 0 && titles[DEMO_RENTED] > 0 && titles[DEMO_COMMON] > 0);
    assert_int_equal(titles[DEMO_ORGANISATION], 80);
    assert_true(cars > titles[DEMO_OWNED]);
    assert_int_equal(hood->zone_count, 5);
    assert_true(hood->account_count <= 200);
    assert_true(hood->zones[demo_hood_zone(hood, "C")].hand);
    assert_false(hood->zones[demo_hood_zone(hood, "C")].gate);
    demo_hood_free(hood);
}

static struct demo_plan *make(struct demo_hood *hood, uint64_t seed, bool workday)
{
    static struct demo_stays home, park;
    struct demo_dice dice;
    demo_dice_seed(&dice, seed);
    demo_stays_draw(&home, &dice, &demo_lot_home_workday, 700);
    demo_stays_draw(&park, &dice, &demo_lot_park_workday, 106);
    const struct demo_plan_conf conf = {.seed = seed,
                                        .workday = workday,
                                        .first_min = 5 * 60,
                                        .last_min = 24 * 60,
                                        .home = &home,
                                        .park = &park};
    struct demo_plan *plan = demo_plan_make(hood, &conf);
    assert_non_null(plan);
    return plan;
}

static void check_booking(const struct demo_hood *hood, const struct demo_trip *trip)
{
    assert_int_equal(trip->asks_from_min % 5, 0);
    assert_int_equal(trip->asks_until_min % 5, 0);
    assert_true(trip->books_min > 5 * 60);
    assert_true(trip->asks_from_min >= trip->books_min + 5);
    assert_true(trip->asks_until_min >= trip->asks_from_min + 20);
    assert_true(trip->asks_until_min - trip->asks_from_min <= 24 * 60);
    assert_true(trip->arrives_min > trip->books_min);
    assert_true(trip->zone_count >= 1);
    assert_true(trip->household >= 0);
    assert_true(trip->by_phone || hood->households[trip->household].account >= 0);
    if (trip->habit == DEMO_CANCELS) {
        assert_true(trip->cancels_min > trip->books_min);
    }
}

static void test_a_day_has_everything(void **state)
{
    (void)state;
    struct demo_hood *hood = read_hood();
    struct demo_plan *plan = make(hood, 1, true);
    int kinds[DEMO_KINDS] = {0}, habits[DEMO_HABITS] = {0};
    bool seen[DEMO_CARS_MAX] = {false};
    for (size_t i = 0; i < plan->count; i++) {
        const struct demo_trip *trip = &plan->trips[i];
        kinds[trip->kind]++;
        habits[trip->habit]++;
        assert_false(seen[trip->car]); /* one trip a car */
        seen[trip->car] = true;
        if (trip->kind == DEMO_COMMUTER || trip->kind == DEMO_NIGHT || trip->kind == DEMO_VISITOR) {
            check_booking(hood, trip);
        }
    }
    for (int kind = 0; kind < DEMO_KINDS; kind++) {
        assert_true(kinds[kind] > 0);
    }
    for (int habit = 0; habit < DEMO_HABITS; habit++) {
        assert_true(habits[habit] > 0);
    }
    assert_true(kinds[DEMO_OWNER] > 150);
    assert_true(kinds[DEMO_COMMUTER] > 80);
    free(plan);
    demo_hood_free(hood);
}

static void test_same_seed_same_plan(void **state)
{
    (void)state;
    struct demo_hood *one = read_hood(), *two = read_hood();
    struct demo_plan *first = make(one, 5, true), *second = make(two, 5, true);
    assert_int_equal(first->count, second->count);
    for (size_t i = 0; i < first->count; i++) {
        const struct demo_trip *a = &first->trips[i], *b = &second->trips[i];
        assert_string_equal(one->cars[a->car].plate, two->cars[b->car].plate);
        assert_int_equal(a->arrives_min, b->arrives_min);
        assert_int_equal(a->habit, b->habit);
    }
    free(first);
    free(second);
    demo_hood_free(one);
    demo_hood_free(two);
}

/* On a day off owners stay at home, and nobody lends by the rule for workdays. */
static void test_a_day_off(void **state)
{
    (void)state;
    struct demo_hood *hood = read_hood();
    struct demo_plan *plan = make(hood, 1, false);
    size_t owners = 0;
    for (size_t i = 0; i < plan->count; i++) {
        owners += plan->trips[i].kind == DEMO_OWNER;
        assert_true(plan->trips[i].habit != DEMO_RECALLS);
        assert_false(plan->trips[i].repeats);
    }
    assert_in_range(owners, 30, 130);
    free(plan);
    demo_hood_free(hood);
}

static void test_what_is_missing_is_told(void **state)
{
    (void)state;
    assert_null(demo_hood_read("/nowhere", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_neighbourhood_is_as_promised),
        cmocka_unit_test(test_a_day_has_everything),
        cmocka_unit_test(test_same_seed_same_plan),
        cmocka_unit_test(test_a_day_off),
        cmocka_unit_test(test_what_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, generate, forget);
}
