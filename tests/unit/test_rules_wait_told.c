/* test_rules_wait_told.c - what is told to who waits, or might: where he stands, how likely it is
 * that a place comes free, and that one may wait at all.
 */
#include "daemon/core/parking/wait.h"

#include "tests/unit/wait_fixture.h"

static struct tide_wait_place place_told(struct fixture *f, tide_id user, tide_id id)
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
        assert_int_equal(place_told(f, whose[id], id).position, positions[id]);
    fixture_send(f, NEIGHBOUR, TIDE_REC_unwait, &(struct tide_unwait){.waiting = 2});
    assert_int_equal(place_told(f, THIRD, 5).position, 3);
    assert_int_equal(place_told(f, OUTSIDER, 3).position, 1);
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

/* What is long ago counts half: at 200 cases both numbers are halved, and not at 199. */
static void old_cases_are_halved(void **state)
{
    static const struct {
        unsigned asked, got, then_asked, then_got;
    } rows[] = {
        {197, 100, 198, 101}, {198, 100, 199, 101}, {199, 100, 100, 50}, {199, 199, 100, 100}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_wait_record *record = wait_record_make(f->engine, ZONE, 0);
        record->asked = (uint16_t)rows[i].asked;
        record->got = (uint16_t)rows[i].got;
        fill(f);
        assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
        cancel(f, OWNER, 1);
        fixture_send(f, THIRD, TIDE_REC_confirm,
                     &(struct tide_confirm){.booking = waiting(f, 1)->booking});
        CODE_IS(f, ok);
        assert_int_equal(record->asked, rows[i].then_asked);
        assert_int_equal(record->got, rows[i].then_got);
        done(f);
    }
}

/* Position and cases: in which bucket one learns, and from which one is told. */
static void a_bucket_for_each_position(void **state)
{
    static const unsigned bucket_of[] = {0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4};
    struct fixture *f = *state;
    for (unsigned bucket = 0; bucket < TIDE_WAIT_BUCKETS; bucket++) {
        struct tide_wait_record *record = wait_record_make(f->engine, ZONE, bucket);
        record->asked = (uint16_t)(3 + bucket);
        record->got = (uint16_t)bucket;
    }
    for (uint16_t position = 1; position <= 10; position++) {
        struct tide_wait_place place = {.position = position};
        unsigned bucket = bucket_of[position];
        chance_of(f->engine, ZONE, &place);
        assert_int_equal(place.of, 3 + bucket);
        assert_int_equal(place.chance_pct, 100 * (bucket + 1) / (5 + bucket));
    }
    wait_record_of(f->engine, ZONE, 0)->asked = 2; /* no ground */
    struct tide_wait_place place = {.position = 1};
    chance_of(f->engine, ZONE, &place);
    assert_int_equal(place.of, 0);
    assert_int_equal(place.chance_pct, 0);
}

/* A reply holds 32 items, a wait takes two of them and one that was offered a place one. */
static void more_waits_than_fit(void **state)
{
    struct fixture *f = *state;
    struct tide_waiting row;
    fill(f);
    for (unsigned n = 1; n <= 17; n++) {
        assert_int_equal(want(f, THIRD, 100 + n, 60, 65 + 5 * (int)n), n);
        fixture_send(f, THIRD, TIDE_REC_ask_bookings, &(struct tide_ask_bookings){.household = 0});
        CODE_IS(f, ok);
        assert_int_equal(f->reply.more, n > 16);
        unsigned shown = n <= 16 ? n : 16;
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_waiting, shown - 1, &row));
        assert_int_equal(row.id, shown);
        assert_false(fixture_effect(f, ENGINE_ITEM, TIDE_REC_waiting, shown, &row));
    }
}

/* Whose offer the clerk takes back for him is told so; who takes it back himself knows. */
static void who_is_told_of_an_offer_taken_back(void **state)
{
    (void)state;
    for (unsigned by_clerk = 0; by_clerk < 2; by_clerk++) {
        struct fixture *f = fresh();
        fill(f);
        assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
        cancel(f, OWNER, 1);
        tide_id booking = waiting(f, 1)->booking;
        fixture_send(f, by_clerk ? CLERK : THIRD, TIDE_REC_unwait,
                     &(struct tide_unwait){.waiting = 1});
        CODE_IS(f, ok);
        assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_booking_cancelled) == (by_clerk != 0));
        assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_withdrawn);
        assert_null(fixture_booking(f, booking));
        done(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(where_one_stands),
        TEST_(chances_are_learned),
        TEST_(a_refusal_offers_to_wait),
        TEST_(a_bucket_for_each_position),
        TEST_(more_waits_than_fit),
        cmocka_unit_test(old_cases_are_halved),
        cmocka_unit_test(who_is_told_of_an_offer_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
