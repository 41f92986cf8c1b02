/* test_rules_offer.c - refusals that help: what is in the way, what is offered, and that each
 * offer, booked as offered, is granted.
 */
#include "daemon/core/parking/parking.h"

#include "tests/unit/rules_table.h"

#define MAX 16

/* Minutes from Monday 08:00 of what the last refusal says, in words: "120-240 all_taken". */
static void told(const struct fixture *f, char *out, size_t cap)
{
    struct tide_binding binding;
    struct tide_offer offer;
    size_t len = 0;
    out[0] = '\0';
    for (unsigned n = 0; fixture_effect(f, ENGINE_ITEM, TIDE_REC_binding, n, &binding); n++)
        len +=
            (size_t)snprintf(out + len, cap - len, "%s%d-%d %s", len > 0 ? "; " : "",
                             (int)((binding.start_ms - MONDAY_0800) / MIN_MS),
                             (int)((binding.end_ms - MONDAY_0800) / MIN_MS), why_name(binding.why));
    for (unsigned n = 0; fixture_effect(f, ENGINE_ITEM, TIDE_REC_offer, n, &offer); n++) {
        if (offer.kind == TIDE_OFFER_KIND_wait)
            continue; /* test_rules_wait.c */
        len += (size_t)snprintf(out + len, cap - len, "; %s %d-%d in %u",
                                tide_enum_name(TIDE_ENUM_FIELD_TYPE(offer_kind), offer.kind),
                                (int)((offer.start_ms - MONDAY_0800) / MIN_MS),
                                (int)((offer.end_ms - MONDAY_0800) / MIN_MS), offer.zone);
    }
}

static void put_zone(struct fixture *f, tide_id zone, bool outsiders, unsigned group, unsigned at_m)
{
    uint8_t blob[128];
    struct tide_zone row = {.id = zone,
                            .place = COMPOUND,
                            .sense = TIDE_SENSE_HAND,
                            .outsiders = outsiders,
                            .resolution = outsiders ? 2019 : 0,
                            .walk_group = (uint16_t)group,
                            .walk_m = (uint16_t)at_m};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, &row), TIDE_REC_put);
    CODE_IS(f, ok);
}

/* ---- what is in the way, what is offered ----------------------------------------------------- */
struct promise {
    int from_min, until_min;
};

/* Zone 3 has slots 7 and 8, open 08:00 to 20:00: minutes 0 to 720. */
static void a_refusal_says_what_binds_and_what_would_fit(void **state)
{
    static const struct {
        const char *rule;
        struct promise there[5];
        struct promise wish;
        const char *expected;
    } rows[] = {
        {"both slots taken in the middle",
         {{120, 240}, {120, 240}},
         {60, 300},
         "120-240 all_taken; shorter 60-120 in 3; later 240-480 in 3"},
        {"the first minutes are taken: nothing shorter",
         {{60, 180}, {60, 120}},
         {60, 240},
         "60-120 all_taken; later 120-300 in 3"},
        {"an earlier start fits as well",
         {{300, 400}, {300, 400}},
         {240, 360},
         "300-360 all_taken; shorter 240-300 in 3; later 400-520 in 3; earlier 180-300 in 3"},
        {"after the windows close",
         {{0, 0}},
         {660, 780},
         "720-780 no_window; shorter 660-720 in 3; later 1440-1560 in 3; earlier 600-720 in 3"},
        {"twice taken, and in pieces between",
         {{60, 120}, {60, 120}, {300, 400}, {300, 400}},
         {0, 480},
         "60-120 all_taken; 300-400 all_taken; shorter 0-60 in 3; later 1440-1920 in 3"},
        {"ten minutes are no offer",
         {{70, 720}, {70, 720}},
         {60, 120},
         "70-120 all_taken; later 1440-1500 in 3; earlier 10-70 in 3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        char seen[600];
        for (size_t n = 0; n < 5 && rows[i].there[n].until_min > 0; n++)
            if (fixture_book(f, OWNER, 60 + (tide_id)n, 3, rows[i].there[n].from_min,
                             rows[i].there[n].until_min) == 0)
                fail_msg("%s: promise %zu could not be made", rows[i].rule, n);
        fixture_book(f, NEIGHBOUR, 50, 3, rows[i].wish.from_min, rows[i].wish.until_min);
        CODE_IS(f, full);
        told(f, seen, sizeof seen);
        if (strcmp(seen, rows[i].expected) != 0)
            fail_msg("%s: expected\n  %s, seen\n  %s", rows[i].rule, rows[i].expected, seen);
        done(f);
    }
}

static void in_pieces_is_not_full(void **state)
{
    struct fixture *f = *state;
    char seen[600];
    uint8_t blob[64];
    size_t at = 0;
    ROW(setting_row, TIDE_SETTING_reseat_steps, 0); /* else the other one moves */
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    uint32_t first = fixture_book(f, OWNER, 60, 3, 0, 200);
    fixture_book(f, OWNER, 61, 3, 180, 720); /* on the other slot */
    struct tide_extend sooner = {.booking = first, .end_ms = MONDAY_0800 + 120 * MIN_MS};
    fixture_send(f, OWNER, TIDE_REC_extend, &sooner);
    CODE_IS(f, ok);
    fixture_book(f, NEIGHBOUR, 50, 3, 60, 720); /* one slot until 180, the other from 120 on */
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "60-185 in_pieces; shorter 60-180 in 3; later 1440-2100 in 3");
}

static void other_zones_within_the_walk_are_offered(void **state)
{
    static const struct {
        const char *rule;
        tide_id user;
        unsigned group1, at1, group3, at3;
        bool outsiders3;
        const char *expected; /* of the end of the answer */
    } rows[] = {
        {"the nearer zone first", NEIGHBOUR, 1, 300, 1, 100, false,
         "; elsewhere 720-840 in 3; elsewhere 720-840 in 1"},
        {"the same distance: the lower number first", NEIGHBOUR, 1, 150, 1, 150, false,
         "; elsewhere 720-840 in 1; elsewhere 720-840 in 3"},
        {"too far is not offered", NEIGHBOUR, 1, 401, 1, 400, false, "; elsewhere 720-840 in 3"},
        {"another walk is not offered", NEIGHBOUR, 2, 10, 0, 10, false,
         "later 1440-1560 in 2; "
         "earlier 600-720 in 2"},
        {"a zone that is not open to outsiders is not offered to one", OUTSIDER, 1, 10, 1, 20, true,
         "; elsewhere 720-840 in 3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        char seen[600];
        uint8_t blob[256];
        size_t at = 0;
        put_zone(f, 1, false, rows[i].group1, rows[i].at1);
        put_zone(f, 2, true, 1, 0);
        put_zone(f, 3, rows[i].outsiders3, rows[i].group3, rows[i].at3);
        ROW(window, .slot = 2, .kind = TIDE_WINDOW_KIND_once, .start_ms = MONDAY_0800,
            .end_ms = MONDAY_0800 + 24 * HOUR_MS);
        ROW(window, .slot = 7, .kind = TIDE_WINDOW_KIND_once, .start_ms = MONDAY_0800,
            .end_ms = MONDAY_0800 + 24 * HOUR_MS);
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
        fixture_book(f, rows[i].user, 50, 2, 720, 840); /* 20:00: zone 2 is closed */
        CODE_IS(f, full);
        told(f, seen, sizeof seen);
        size_t have = strlen(seen), want = strlen(rows[i].expected);
        if (have < want || strcmp(seen + have - want, rows[i].expected) != 0 ||
            (rows[i].expected[2] == 'e' && strstr(seen, "elsewhere") != seen + have - want + 2))
            fail_msg("%s: expected …%s, seen %s", rows[i].rule, rows[i].expected, seen);
        done(f);
    }
}

static void what_the_party_may_not_have_is_not_offered(void **state)
{
    struct fixture *f = *state;
    char seen[600];
    fixture_book(f, OWNER, 60, 3, 120, 240);
    fixture_book(f, OWNER, 61, 3, 120, 240);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 2, 240, 300),
                         0); /* his own car, elsewhere */
    fixture_book(f, NEIGHBOUR, 50, 3, 180, 240);
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "180-240 all_taken; later 300-360 in 3; earlier 60-120 in 3");
    fixture_book(f, NEIGHBOUR, 51, 3, 180, 240); /* another car may come at once */
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "180-240 all_taken; later 240-300 in 3; earlier 60-120 in 3");
}

static void who_comes_now_needs_a_place_that_is_empty(void **state)
{
    struct fixture *f = *state;
    char seen[600];
    fixture_sensor(f, 7, TIDE_OCCUPANCY_occupied);
    fixture_sensor(f, 8, TIDE_OCCUPANCY_occupied);
    fixture_book(f, NEIGHBOUR, 50, 3, 0, 60);
    CODE_IS(f, full);
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "0-5 all_taken; later 5-65 in 3");
}

static void other_refusals_offer_nothing(void **state)
{
    struct fixture *f = *state;
    char seen[600];
    fixture_book(f, NEIGHBOUR, 50, 1, 60, 60 + 1445);
    CODE_IS(f, invalid);
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "");
    fixture_book(f, NEIGHBOUR, 4, 1, 60, 120);
    WHY_IS(f, blocked);
    told(f, seen, sizeof seen);
    assert_string_equal(seen, "");
}

static void a_quote_says_the_same(void **state)
{
    struct fixture *f = *state;
    char booked[600], quoted[600];
    fixture_book(f, OWNER, 60, 3, 120, 240);
    fixture_book(f, OWNER, 61, 3, 150, 300);
    struct tide_ask_quote ask = {.plate = 50,
                                 .zone = 3,
                                 .start_ms = MONDAY_0800 + 60 * MIN_MS,
                                 .end_ms = MONDAY_0800 + 360 * MIN_MS};
    fixture_send(f, NEIGHBOUR, TIDE_REC_ask_quote, &ask);
    CODE_IS(f, full);
    told(f, quoted, sizeof quoted);
    fixture_book(f, NEIGHBOUR, 50, 3, 60, 360);
    told(f, booked, sizeof booked);
    assert_string_equal(booked, quoted);
    assert_non_null(strstr(booked, "150-240 all_taken"));
}

/* ---- each offer, booked as offered, is granted ----------------------------------------------- */
static uint64_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static unsigned take_each(struct fixture *f, tide_id user, tide_id plate)
{
    struct tide_offer offers[MAX];
    unsigned count = 0;
    while (count < MAX && fixture_effect(f, ENGINE_ITEM, TIDE_REC_offer, count, &offers[count]))
        count++;
    for (unsigned n = 0; n < count; n++) {
        struct tide_book book = {.plate = plate,
                                 .zone = offers[n].zone,
                                 .cls = offers[n].cls,
                                 .start_ms = offers[n].start_ms,
                                 .end_ms = offers[n].end_ms};
        const struct tide_wait wait = {.plate = plate,
                                       .zone = offers[n].zone,
                                       .cls = offers[n].cls,
                                       .start_ms = offers[n].start_ms,
                                       .end_ms = offers[n].end_ms};
        bool waits = offers[n].kind == TIDE_OFFER_KIND_wait;
        fixture_send(f, user, waits ? TIDE_REC_wait : TIDE_REC_book,
                     waits ? (const void *)&wait : &book);
        if (f->reply.code != TIDE_CODE_ok)
            fail_msg("offer %u (kind %u, zone %u) was refused: %s, %s", n, offers[n].kind,
                     offers[n].zone, code_name(f->reply.code), why_name(f->reply.why));
        if (waits)
            fixture_send(f, user, TIDE_REC_unwait, &(struct tide_unwait){.waiting = f->reply.id});
        else
            fixture_send(f, user, TIDE_REC_cancel, &(struct tide_cancel){.booking = f->reply.id});
        CODE_IS(f, ok);
    }
    return count;
}

static void each_offer_is_granted(void **state)
{
    unsigned taken = 0, refused = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct fixture *f = fresh();
        uint64_t draw = seed;
        for (tide_id zone = 1; zone <= 3; zone++)
            put_zone(f, zone, zone == 2, 1, zone * 100);
        for (unsigned i = 0; i < 120; i++) {
            tide_id user = next(&draw) % 3 == 0 ? OUTSIDER : next(&draw) % 2 ? OWNER : THIRD;
            tide_id zone = 1 + (tide_id)(next(&draw) % 3), plate = 60 + (tide_id)(next(&draw) % 9);
            int from = (int)(next(&draw) % 140) * 5, length = 15 + (int)(next(&draw) % 60) * 5;
            fixture_book(f, user, plate, zone, from, from + length);
            if (f->reply.code != TIDE_CODE_full)
                continue;
            refused++;
            taken += take_each(f, user, plate);
        }
        done(f);
    }
    assert_true(refused > 200);
    assert_true(taken > 2 * refused);
}

/* ---- which zones are near -------------------------------------------------------------------- */
#define ZONES 24u

/* The nearest 16 of one group within the walk, by distance and number; found by choosing the next
 * each time. */
static void zones_by_their_walk(void **state)
{
    static const struct engine_limits limits = {.places = 4, .zones = ZONES, .slots = 4};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    uint32_t seed = 1;
    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct engine *engine = engine_init(memory, size, &limits);
        struct tide_place place = {1, TIDE_PLACE_KIND_community, 0};
        struct zone_near near[TIDE_OFFER_ZONES_MAX];
        uint32_t walk[ZONES + 1], group[ZONES + 1], max_m = 50 * (round % 5);
        bool told[ZONES + 1] = {false};
        assert_int_equal(engine_load(engine, TIDE_REC_place, &place), 0);
        for (tide_id id = 1; id <= ZONES; id++) {
            seed = seed * 1664525 + 1013904223;
            walk[id] = 10 * (seed >> 16 & 31);
            group[id] = (seed >> 24) % 8 > (round & 3) ? 1 : (seed >> 22 & 1) * 2;
            struct tide_zone zone = {.id = id,
                                     .place = 1,
                                     .walk_group = (uint16_t)group[id],
                                     .walk_m = (uint16_t)walk[id]};
            assert_int_equal(engine_load(engine, TIDE_REC_zone, &zone), 0);
        }
        struct tide_setting_row setting = {TIDE_SETTING_walk_max_m, max_m};
        assert_int_equal(engine_load(engine, TIDE_REC_setting_row, &setting), 0);
        tide_id here = 1 + round % ZONES;
        unsigned count = zones_near(engine, here, near), expected = 0;
        for (; expected < TIDE_OFFER_ZONES_MAX; expected++) {
            tide_id next = 0;
            uint32_t least = max_m + 1;
            for (tide_id id = 1; id <= ZONES; id++) {
                uint32_t far =
                    walk[id] > walk[here] ? walk[id] - walk[here] : walk[here] - walk[id];
                if (id != here && !told[id] && group[here] != 0 && group[id] == group[here] &&
                    far < least) {
                    next = id;
                    least = far;
                }
            }
            if (next == 0)
                break;
            told[next] = true;
            assert_true(expected < count);
            assert_int_equal(near[expected].zone, next);
            assert_int_equal(near[expected].walk_m, least);
        }
        assert_int_equal(count, expected);
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_says_what_binds_and_what_would_fit),
        cmocka_unit_test_setup_teardown(in_pieces_is_not_full, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(other_zones_within_the_walk_are_offered),
        cmocka_unit_test_setup_teardown(what_the_party_may_not_have_is_not_offered, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(who_comes_now_needs_a_place_that_is_empty, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(other_refusals_offer_nothing, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_quote_says_the_same, fixture_set_up, fixture_tear_down),
        cmocka_unit_test(each_offer_is_granted),
        cmocka_unit_test(zones_by_their_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
