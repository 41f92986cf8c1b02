/* test_reseat.c - room for one more by moving others: who moves, who never does, and that a search
 * that fails leaves no trace.
 */
#include "tests/unit/engine_fixture.h"

#define TUESDAY 1440
#define ZONE 2 /* slots 5 and 6 */

static void set(struct fixture *f, enum tide_setting key, int64_t value)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
}

/* 10:00-12:00 stands on slot 5, 16:00-20:00 on slot 6; what is free is free in two pieces. */
struct pieces {
    uint32_t morning, evening;
};
static struct pieces make_pieces(struct fixture *f, int day)
{
    struct pieces p;
    p.morning = fixture_book(f, OUTSIDER, 101, ZONE, day + 120, day + 240);
    uint32_t between = fixture_book(f, OUTSIDER, 102, ZONE, day + 130, day + 480);
    p.evening = fixture_book(f, OUTSIDER, 103, ZONE, day + 480, day + 720);
    assert_int_equal(fixture_booking(f, p.morning)->slot, 5);
    assert_int_equal(fixture_booking(f, p.evening)->slot, 6);
    fixture_send(f, OUTSIDER, TIDE_REC_cancel, &(struct tide_cancel){.booking = between});
    CODE_IS(f, ok);
    return p;
}

static void a_move_makes_room(void **state)
{
    struct fixture *f = *state;
    struct pieces p = make_pieces(f, TUESDAY);
    set(f, TIDE_SETTING_reseat_steps, 0); /* a community may do without */
    assert_int_equal(fixture_book(f, NEIGHBOUR, 104, ZONE, TUESDAY + 180, TUESDAY + 720), 0);
    WHY_IS(f, all_taken);
    set(f, TIDE_SETTING_reseat_steps, 1000);
    uint32_t wish = fixture_book(f, NEIGHBOUR, 104, ZONE, TUESDAY + 180, TUESDAY + 720);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, wish)->slot, 5);
    assert_int_equal(fixture_booking(f, wish)->moves, 0);
    assert_int_equal(fixture_booking(f, p.morning)->slot, 6);
    assert_int_equal(fixture_booking(f, p.morning)->moves, 1);
    assert_int_equal(fixture_booking(f, p.evening)->slot, 6);
    assert_int_equal(fixture_booking(f, p.evening)->moves, 0);
    struct tide_booking told; /* the tables learn of both */
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_booking, 0, &told));
    assert_int_equal(told.id, p.morning);
    assert_int_equal(told.slot, 6);
    struct tide_notice notice;
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, 0, &notice)); /* nobody notices */
}

/* The wish is refused, and nothing has changed. */
static void refused_without_a_trace(struct fixture *f, int day)
{
    uint8_t before[32], after[32];
    engine_digest(f->engine, before);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 104, ZONE, day + 180, day + 720), 0);
    WHY_IS(f, all_taken);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 105, ZONE, day + 240, day + 480) != 0, true);
}

static void frozen_seats_stay(void **state)
{
    struct fixture *f = *state;
    struct pieces p = make_pieces(f, 0); /* in two hours, at 10:00; and in eight */
    set(f, TIDE_SETTING_reseat_steps, 1000);
    set(f, TIDE_SETTING_freeze_min, 121);
    uint32_t wish = fixture_book(f, NEIGHBOUR, 104, ZONE, 180, 720);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, wish)->slot, 6);
    assert_int_equal(fixture_booking(f, p.morning)->slot, 5);
    assert_int_equal(fixture_booking(f, p.evening)->slot, 5);
}

static void parked_cars_stay(void **state)
{
    struct fixture *f = *state;
    struct pieces p = make_pieces(f, 0);
    set(f, TIDE_SETTING_reseat_steps, 1000);
    set(f, TIDE_SETTING_freeze_min, 0);
    fixture_pass(f, 2 * HOUR_MS);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = p.morning});
    CODE_IS(f, ok);
    uint32_t wish = fixture_book(f, NEIGHBOUR, 104, ZONE, 180, 720); /* the evening moves instead */
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, wish)->slot, 6);
    assert_int_equal(fixture_booking(f, p.morning)->slot, 5);
    assert_int_equal(fixture_booking(f, p.evening)->slot, 5);
}

/* A car that will be gone by then is in nobody's way. */
static void who_is_gone_by_then_is_not_in_the_way(void **state)
{
    struct fixture *f = *state;
    uint32_t early = fixture_book(f, OUTSIDER, 100, ZONE, 0, 60);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = early});
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, early)->slot, 5);
    struct pieces p = make_pieces(f, 0);
    set(f, TIDE_SETTING_reseat_steps, 1000);
    set(f, TIDE_SETTING_freeze_min, 0);
    uint32_t wish = fixture_book(f, NEIGHBOUR, 104, ZONE, 180, 720);
    CODE_IS(f, ok);
    assert_int_equal(fixture_booking(f, wish)->slot, 5);
    assert_int_equal(fixture_booking(f, p.morning)->slot, 6);
    assert_int_equal(fixture_booking(f, p.evening)->slot, 6);
    assert_int_equal(fixture_booking(f, early)->slot, 5);
}

static void the_search_is_bounded(void **state)
{
    struct fixture *f = *state;
    make_pieces(f, TUESDAY);
    set(f, TIDE_SETTING_reseat_steps, 1); /* less than the wish and one more */
    refused_without_a_trace(f, TUESDAY);
}

/* ---- many ------------------------------------------------------------------------------------ */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

/* No two on one slot at one time, each within the hours of its slot; returns all moves so far. */
static unsigned check_all(const struct fixture *f)
{
    unsigned moves = 0;
    uint32_t cursor = 0;
    const struct tide_booking *a;
    while ((a = engine_next(f->engine, TIDE_REC_booking, &cursor)) != NULL) {
        uint32_t inner = cursor;
        const struct tide_booking *b;
        tide_ms day_ms = (a->start_ms - MONDAY_0800) % TIDE_DAY_MS;
        assert_in_range(a->slot, 1, 4);
        assert_true(day_ms + (a->end_ms - a->start_ms) <= 12 * HOUR_MS);
        moves += a->moves;
        while ((b = engine_next(f->engine, TIDE_REC_booking, &inner)) != NULL)
            assert_true(a->slot != b->slot || a->end_ms <= b->start_ms || b->end_ms <= a->start_ms);
    }
    return moves;
}

static void many_fit_and_nothing_overlaps(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 7;
    uint32_t live[64], count = 0, reseated = 0, refused = 0;
    set(f, TIDE_SETTING_reseat_steps, 2000);
    set(f, TIDE_SETTING_household_live_max, 32);
    for (unsigned i = 0; i < 3000; i++) {
        if (count > 24 || (count > 0 && draw(&seed, 4) == 0)) {
            uint32_t at = draw(&seed, count);
            fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = live[at]});
            CODE_IS(f, ok);
            live[at] = live[--count];
            continue;
        }
        int from = (int)draw(&seed, 130) * 5, length = 30 + (int)draw(&seed, 60) * 5;
        int day = TUESDAY * (1 + (int)draw(&seed, 3));
        unsigned before = check_all(f);
        uint8_t was[32], is[32];
        engine_digest(f->engine, was);
        int until = from + length < 720 ? from + length : 720;
        uint32_t id = fixture_book(f, NEIGHBOUR, 200 + i, 1, day + from, day + until);
        if (id == 0) {
            engine_digest(f->engine, is);
            assert_memory_equal(was, is, sizeof was);
            refused++;
            continue;
        }
        live[count++] = id;
        reseated += check_all(f) > before;
    }
    assert_true(reseated > 20); /* else nothing was tried here */
    assert_true(refused > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_move_makes_room),     TEST(frozen_seats_stay),
        TEST(parked_cars_stay),      TEST(who_is_gone_by_then_is_not_in_the_way),
        TEST(the_search_is_bounded), TEST(many_fit_and_nothing_overlaps),
    };
    return cmocka_run_group_tests_name("reseat", tests, NULL, NULL);
}
