/* test_order.c - bookings in the order of (start, id), against a plain sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/parking/order.h"

#define POOL 300u
#define ROUNDS 20000u

struct world {
    struct engine *engine;
    void *memory;
    struct order order;
    uint32_t ids[POOL]; /* what is in it, in order */
    uint32_t count;
    uint64_t seed;
};

static uint32_t draw(struct world *world, uint32_t below)
{
    world->seed = world->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->seed >> 33) % below;
}

static void open_world(struct world *world, uint64_t seed)
{
    struct engine_limits limits = {
        .places = 8, .persons = 8, .users = 8, .slots = 8, .windows = 8, .bookings = POOL};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    *world = (struct world){.seed = seed, .memory = aligned_alloc(64, size)};
    assert_non_null(world->memory);
    world->engine = engine_init(world->memory, size, &limits);
}

static uint32_t minute_of(const struct world *world, uint32_t at)
{
    tide_ms minute = booking_of(world->engine, world->ids[at])->row.start_ms / TIDE_MINUTE_MS;
    return minute < 0 ? 0 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

static bool before(const struct world *world, uint32_t a, uint32_t b)
{
    tide_ms x = booking_of(world->engine, a)->row.start_ms;
    tide_ms y = booking_of(world->engine, b)->row.start_ms;
    return x != y ? x < y : a < b;
}

static void add(struct world *world, uint32_t id, tide_ms start_ms)
{
    struct booking_state *booking = table_add(&world->engine->bookings, id);
    uint32_t at = world->count++;
    assert_non_null(booking);
    booking->row.start_ms = start_ms;
    for (; at > 0 && before(world, id, world->ids[at - 1]); at--)
        world->ids[at] = world->ids[at - 1];
    world->ids[at] = id;
    order_add(world->engine, &world->order, booking, ORDER_OF_PLATE);
}

static void take(struct world *world, uint32_t at)
{
    struct booking_state *booking = booking_of(world->engine, world->ids[at]);
    order_remove(world->engine, &world->order, booking, ORDER_OF_PLATE);
    table_remove(&world->engine->bookings, booking);
    world->count--;
    memmove(world->ids + at, world->ids + at + 1, (world->count - at) * sizeof *world->ids);
}

/* Walks the tree from left to right: no node has too few or too many, no key stands on the wrong
 * side of its child. Returns how high it is. */
static uint32_t check_tree(const struct world *world, uint32_t number, bool is_root, uint32_t *at)
{
    const struct order_node *node = &world->engine->orders[ORDER_OF_PLATE].nodes[number];
    assert_in_range(node->count, is_root ? 2 : ORDER_FAN / 2, ORDER_FAN);
    for (unsigned i = 0; i < node->count; i++) {
        uint32_t first = *at;
        if (node->height == 0) {
            const struct booking_state *booking =
                table_by_index(&world->engine->bookings, node->below[i]);
            assert_true(*at < world->count);
            assert_int_equal(booking->row.id, world->ids[(*at)++]);
            assert_int_equal(node->minute[i], minute_of(world, first));
            continue;
        }
        assert_int_equal(check_tree(world, node->below[i], false, at), node->height);
        if (i > 0) {
            assert_true(node->minute[i] <= minute_of(world, first));
            assert_true(node->minute[i] >= minute_of(world, first - 1));
        }
    }
    return node->height + 1u;
}

static uint32_t check(const struct world *world)
{
    uint32_t id = world->order.first, at = 0;
    for (uint32_t i = 0; i < world->count; i++) {
        assert_int_equal(id, world->ids[i]);
        id = order_next(world->engine, booking_of(world->engine, id), ORDER_OF_PLATE);
    }
    assert_int_equal(id, 0);
    assert_int_equal(world->order.root != 0, world->count > 1); /* one alone needs no node */
    if (world->order.root == 0)
        return 0;
    uint32_t height = check_tree(world, world->order.root, true, &at);
    assert_int_equal(at, world->count);
    return height;
}

/* A slot's bookings do not overlap: who ends after a time is found among them. */
static void check_after(const struct world *world, tide_ms time_ms)
{
    const struct booking_state *found =
        order_after(world->engine, &world->order, ORDER_OF_PLATE, time_ms);
    uint32_t at = 0;
    while (at < world->count && booking_of(world->engine, world->ids[at])->row.end_ms <= time_ms)
        at++;
    assert_int_equal(found != NULL ? found->row.id : 0, at < world->count ? world->ids[at] : 0);
}

static void same_as_a_sorted_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world world;
        open_world(&world, seed);
        for (uint32_t i = 1; i <= ROUNDS; i++) {
            bool grow = world.count == 0 || (world.count < POOL && draw(&world, 100) < 52);
            if (grow) /* many start at the same time */
                add(&world, i, (tide_ms)draw(&world, 40) * TIDE_GRAIN_MS);
            else
                take(&world, draw(&world, world.count));
            if (i % 16 == 0)
                check(&world);
        }
        while (world.count > 0) {
            take(&world, draw(&world, world.count));
            check(&world);
        }
        free(world.memory);
    }
}

/* Bookings often come in the order of their start: no chain may grow of that. */
static void stays_flat(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, 1);
    for (uint32_t i = 1; i <= POOL; i++)
        add(&world, i, (tide_ms)i * TIDE_GRAIN_MS);
    assert_int_equal(check(&world), 3); /* 15 x 15 are fewer, 7 x 7 x 7 are more */
    free(world.memory);
}

/* Starts within one minute, and far outside of what minutes can say, are told apart by the rows. */
static void close_and_far_starts(void **state)
{
    (void)state;
    static const tide_ms starts[] = {60000, 119999, 60001,         INT64_MIN / 2,     -1,
                                     0,     60000,  INT64_MAX / 2, INT64_MAX / 2 - 1, -60000};
    struct world world;
    open_world(&world, 1);
    for (uint32_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        add(&world, i + 1, starts[i]);
        check(&world);
    }
    while (world.count > 0) {
        take(&world, world.count / 2);
        check(&world);
    }
    free(world.memory);
}

/* Every minute of a day is asked for, of bookings with gaps and without. */
static void who_ends_after_a_time(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, 7);
    for (uint32_t i = 1; i <= 120; i++) {
        add(&world, i, (tide_ms)(i * 97 % 120) * 12 * TIDE_MINUTE_MS);
        booking_of(world.engine, i)->row.end_ms =
            booking_of(world.engine, i)->row.start_ms + (5 + i % 8) * TIDE_MINUTE_MS;
        for (tide_ms minute = -1; minute < 1450; minute += i < 120 ? 37 : 1)
            check_after(&world, minute * TIDE_MINUTE_MS);
    }
    free(world.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_a_sorted_array),
        cmocka_unit_test(stays_flat),
        cmocka_unit_test(close_and_far_starts),
        cmocka_unit_test(who_ends_after_a_time),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
