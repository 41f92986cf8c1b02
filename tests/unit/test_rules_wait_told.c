/* test_rules_wait_told.c - what is told to who waits, or might: where he stands, how likely it is
 * that a place comes free, and that one may wait at all.
 */
#include "tests/unit/wait_fixture.h"

static struct tide_wait_place place_of(struct fixture *f, tide_id user, tide_id id)
{
    struct tide_wait_place place = {.waiting = 0};
    fixture_send(f, user, TIDE_REC_ask_bookings, &(struct tide_ask_bookings){.household = 0});
    for (unsigned n = 0; fixture_effect(f, ENGINE_ITEM, TIDE_REC_wait_place, n, &place); n++)
        if (place.waiting == id)
            return place;
    return (struct tide_wait_place){.waiting = 0};
}

/* Before one stand those who asked sooner for the same class and some of the same time. */
static void where_one_stands(void **state)
{
    struct fixture *f = *state;
    struct tide_waiting row;
    fill(f);
    assert_int_equal(want(f, OWNER, 70, 60, 120), 1);
    assert_int_equal(want(f, NEIGHBOUR, 71, 90, 240), 2);
    assert_int_equal(want(f, OUTSIDER, 72, 120, 240), 3);
    struct tide_wait charging = wanting(73, 60, 240);
    charging.cls = TIDE_SLOT_CLASS_charger;
    fixture_send(f, THIRD, TIDE_REC_wait, &charging);
    assert_int_equal(f->reply.id, 4);
    assert_int_equal(want(f, THIRD, 74, 60, 240), 5);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_waiting, 0, &row));
    assert_int_equal(row.first_position, 4);
    static const unsigned positions[] = {0, 1, 2, 2, 1, 4};
    static const tide_id whose[] = {0, OWNER, NEIGHBOUR, OUTSIDER, THIRD, THIRD};
    for (tide_id id = 1; id <= 5; id++)
        assert_int_equal(place_of(f, whose[id], id).position, positions[id]);
    fixture_send(f, NEIGHBOUR, TIDE_REC_unwait, &(struct tide_unwait){.waiting = 2});
    assert_int_equal(place_of(f, THIRD, 5).position, 3);
    assert_int_equal(place_of(f, OUTSIDER, 3).position, 1);
}

/* ---- chances --------------------------------------------------------------------------------- */
/* Two waits of a day: the first is offered a place and does not confirm it, which counts as got;
 * the second finds that over and gets none. */
static void chances_are_learned(void **state)
{
    static const struct {
        uint16_t asked, got;
        unsigned pct, of;
    } first[] = {{1, 1, 0, 0}, {2, 2, 0, 0}, {3, 3, 80, 3}, {4, 4, 83, 4}};
    struct fixture *f = *state;
    for (unsigned day = 0; day < 4; day++) {
        int at = 60 + (int)day * 1440;
        tide_id held = fixture_book(f, OWNER, 61, ZONE, at, at + 180);
        assert_int_not_equal(fixture_book(f, NEIGHBOUR, 62, ZONE, at, at + 180), 0);
        tide_id one = want(f, THIRD, 63, at, at + 180);
        tide_id two = want(f, OUTSIDER, 64, at, at + 180);
        assert_int_equal(two, one + 1);
        cancel(f, OWNER, held);
        assert_int_not_equal(fixture_book(f, THIRD, 69, ZONE, at + 180, at + 181), 0);
        fixture_send(f, OUTSIDER, TIDE_REC_unwait, &(struct tide_unwait){.waiting = two});
        fixture_pass(f, 15 * MIN_MS);
        assert_null(waiting(f, one));
        const struct tide_wait_record *record =
            engine_find(f->engine, TIDE_REC_wait_record, ZONE, 0, 0);
        assert_int_equal(record->asked, first[day].asked);
        assert_int_equal(record->got, first[day].got);
        assert_null(engine_find(f->engine, TIDE_REC_wait_record, ZONE, 1, 0)); /* withdrawn */
        assert_int_not_equal(fixture_book(f, OWNER, 61, ZONE, at, at + 180), 0);
        struct tide_wait_place place;
        tide_id three = want(f, THIRD, 63, at, at + 180);
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wait_place, 0, &place));
        assert_int_equal(place.chance_pct, first[day].pct);
        assert_int_equal(place.of, first[day].of);
        fixture_send(f, THIRD, TIDE_REC_unwait, &(struct tide_unwait){.waiting = three});
        f->now_ms = AT((int)(day + 1) * 1440) - 1;
        fixture_pass(f, 1);
    }
}

/* A refusal offers to wait, where that would be accepted. */
static void a_refusal_offers_to_wait(void **state)
{
    struct fixture *f = *state;
    struct tide_offer offer;
    bool seen = false;
    fill(f);
    assert_int_equal(want(f, OUTSIDER, 64, 60, 120), 1);
    assert_int_equal(fixture_book(f, THIRD, 63, ZONE, 60, 240), 0);
    for (unsigned n = 0; fixture_effect(f, ENGINE_ITEM, TIDE_REC_offer, n, &offer); n++)
        if (offer.kind == TIDE_OFFER_KIND_wait) {
            seen = true;
            assert_int_equal(offer.start_ms, AT(60));
            assert_int_equal(offer.end_ms, AT(240));
            assert_int_equal(offer.position, 2);
            assert_int_equal(offer.of, 0);
        }
    assert_true(seen);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 2);
    assert_int_equal(fixture_book(f, THIRD, 63, ZONE, 60, 200), 0);
    for (unsigned n = 0; fixture_effect(f, ENGINE_ITEM, TIDE_REC_offer, n, &offer); n++)
        assert_int_not_equal(offer.kind, TIDE_OFFER_KIND_wait); /* this plate waits already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(where_one_stands),
        TEST_(chances_are_learned),
        TEST_(a_refusal_offers_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
