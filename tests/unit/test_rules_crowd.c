/* test_rules_crowd.c - a car park of 192 slots, as many as there may be: what is kept in words of
 * 64 bits ends nowhere at a word's end. And who has the desk of a part only.
 */
#include "tests/unit/rules_table.h"

#define SLOTS 192u /* three words of bits, and the last slot begins a fourth */

/* Slots 1..192: every third a charger; from 1 to 130 in zone 1, the others in zone 2. */
static unsigned zone_of_slot(unsigned id)
{
    return id <= 130 ? 1 : 2;
}

static unsigned class_of_slot(unsigned id)
{
    return id % 3 == 0 ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard;
}

static unsigned slots_of(unsigned zone, unsigned cls)
{
    unsigned count = 0;
    for (unsigned id = 1; id <= SLOTS; id++)
        count += zone_of_slot(id) == zone && class_of_slot(id) == cls;
    return count;
}

static void put_crowd(struct fixture *f)
{
    static uint8_t blob[65536];
    size_t at = 0;
    ROW(place, HOME_OWNER, TIDE_PLACE_KIND_household, COMMUNITY);
    ROW(person, OWNER, HOME_OWNER);
    ROW(user, OWNER, OWNER, TIDE_USER_KIND_app);
    ROW(setting_row, TIDE_SETTING_household_live_max, 32);
    ROW(setting_row, TIDE_SETTING_grant_min, 1000000);
    ROW(zone, 1, COMMUNITY, 0, TIDE_SENSE_HAND, 1, 1);
    ROW(zone, 2, COMMUNITY, 0, TIDE_SENSE_HAND, 1, 1);
    for (unsigned h = 0; h < 8; h++)
        ROW(place, 20 + h, TIDE_PLACE_KIND_household, COMMUNITY);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    for (unsigned first = 1; first <= SLOTS; first += 16) {
        at = 0;
        for (unsigned id = first; id < first + 16; id++) {
            ROW(slot, id, zone_of_slot(id), TIDE_SLOT_TITLE_common, (uint8_t)class_of_slot(id));
            ROW(window, .slot = id, .days = TIDE_DAYS_ALL, .weekdays = TIDE_WEEKDAYS_ALL,
                .opens_min = 8 * 60, .closes_min = 20 * 60);
        }
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
    }
}

static int crowd_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    f->effects.buf = malloc(f->effects.cap);
    f->now_ms = MONDAY_0800;
    struct engine_limits limits = {.slots = SLOTS,
                                   .zones = 8,
                                   .windows = 512,
                                   .bookings = 512,
                                   .places = 64,
                                   .persons = 64,
                                   .users = 64,
                                   .roles = 64};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    f->memory = aligned_alloc(64, size);
    assert_non_null(f->memory);
    f->engine = engine_init(f->memory, size, &limits);
    fixture_genesis(f);
    put_crowd(f);
    *state = f;
    return 0;
}

static uint32_t book_one(struct fixture *f, tide_id household, tide_id plate, unsigned zone,
                         unsigned cls)
{
    struct tide_book book = {.plate = plate,
                             .zone = zone,
                             .cls = (uint8_t)cls,
                             .household = household,
                             .start_ms = MONDAY_0800 + HOUR_MS,
                             .end_ms = MONDAY_0800 + 2 * HOUR_MS};
    fixture_send(f, ADMIN, TIDE_REC_book, &book);
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

static unsigned quoted(struct fixture *f, unsigned zone, unsigned cls)
{
    struct tide_quote quote = {0};
    fixture_send(f, OWNER, TIDE_REC_ask_quote,
                 &(struct tide_ask_quote){.zone = zone,
                                          .cls = (uint8_t)cls,
                                          .start_ms = MONDAY_0800 + HOUR_MS,
                                          .end_ms = MONDAY_0800 + 2 * HOUR_MS});
    (void)fixture_effect(f, ENGINE_ITEM, TIDE_REC_quote, 0, &quote);
    return quote.places;
}

/* Every slot is given once, to who asked for its class and zone; then there is none. */
static void every_slot_is_given_once(void **state)
{
    struct fixture *f = *state;
    bool given[SLOTS + 1] = {false};
    uint32_t bookings[SLOTS + 1] = {0}, made = 0;
    for (unsigned zone = 1; zone <= 2; zone++)
        for (unsigned c = 0; c < 2; c++) {
            unsigned cls = c == 0 ? TIDE_SLOT_CLASS_standard : TIDE_SLOT_CLASS_charger;
            for (unsigned left = slots_of(zone, cls); left > 0; left--) {
                assert_int_equal(quoted(f, zone, cls), left);
                uint32_t id = book_one(f, 20 + made / 30, 1000 + made, zone, cls);
                CODE_IS(f, ok);
                tide_id slot = fixture_booking(f, id)->slot;
                assert_in_range(slot, 1, SLOTS);
                assert_false(given[slot]);
                assert_int_equal(zone_of_slot(slot), zone);
                assert_int_equal(class_of_slot(slot), cls);
                given[slot] = true;
                bookings[slot] = id;
                made++;
            }
        }
    assert_int_equal(made, SLOTS);
    for (unsigned id = 1; id <= SLOTS; id += 7) { /* the one that is given back is the one */
        unsigned zone = zone_of_slot(id), cls = class_of_slot(id);
        assert_int_equal(book_one(f, 27, 5000, zone, cls), 0);
        fixture_send(f, ADMIN, TIDE_REC_cancel, &(struct tide_cancel){.booking = bookings[id]});
        CODE_IS(f, ok);
        assert_int_equal(quoted(f, zone, cls), 1);
        uint32_t again = book_one(f, 27, 3000 + id, zone, cls);
        CODE_IS(f, ok);
        assert_int_equal(fixture_booking(f, again)->slot, id);
    }
}

/* The slot on which the least is left over is taken, in whatever word its bit lies: it closes at
 * noon, or an hour before or after it. */
static void the_least_left_over_of_many(void **state)
{
    struct fixture *f = *state;
    static const tide_id wanted[] = {1, 62, 63, 64, 65, 126, 127, 128, 129, 131, 191, 192};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        for (int closes = 11; closes <= 13; closes++) {
            unsigned zone = zone_of_slot(wanted[i]), cls = class_of_slot(wanted[i]);
            tide_ms shut = MONDAY_0800 + (closes - 8) * HOUR_MS;
            tide_id plate = 1000 + (tide_id)i * 10 + (tide_id)closes;
            fixture_send(f, ADMIN, TIDE_REC_blackout,
                         &(struct tide_blackout){wanted[i], 0, shut, shut + 6 * HOUR_MS, 0});
            CODE_IS(f, ok);
            tide_id window = f->reply.id;
            struct tide_book book = {.plate = plate,
                                     .zone = zone,
                                     .cls = (uint8_t)cls,
                                     .household = HOME_OWNER,
                                     .start_ms = MONDAY_0800 + 30 * MIN_MS,
                                     .end_ms = MONDAY_0800 + 150 * MIN_MS};
            fixture_send(f, OWNER, TIDE_REC_book, &book);
            CODE_IS(f, ok);
            uint32_t id = f->reply.id;
            assert_int_equal(fixture_booking(f, id)->slot, wanted[i]);
            fixture_send(f, OWNER, TIDE_REC_cancel, &(struct tide_cancel){.booking = id});
            CODE_IS(f, ok);
            fixture_send(f, ADMIN, TIDE_REC_unshare, &(struct tide_unshare){.window = window});
            CODE_IS(f, ok);
        }
}

/* The guard's sheet, page by page: every promise once, slot by slot, no page too long. */
static void a_sheet_of_many_pages(void **state)
{
    struct fixture *f = *state;
    uint32_t made = 0, seen = 0, after = 0, pages = 0;
    for (; made < 70; made++) {
        book_one(f, 20 + made / 30, 1000 + made, 1, TIDE_SLOT_CLASS_standard);
        CODE_IS(f, ok);
    }
    do {
        struct tide_booking row;
        tide_id last = after;
        fixture_send(f, ADMIN, TIDE_REC_ask_sheet,
                     &(struct tide_ask_sheet){.zone = 1, .after = after});
        CODE_IS(f, ok);
        unsigned n = 0;
        for (; fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, n, &row); n++) {
            assert_true(row.slot > last);
            last = row.slot;
        }
        assert_in_range(n, 1, TIDE_REPLY_ITEMS_MAX);
        seen += n;
        pages++;
        assert_true(f->reply.id >= last);
        after = f->reply.id;
    } while (f->reply.more);
    assert_int_equal(seen, made);
    assert_in_range(pages, 3, 4);
}

static uint32_t book_tuesday(struct fixture *f, tide_id plate, int from_h, int until_h)
{
    struct tide_book book = {.plate = plate,
                             .zone = 1,
                             .household = 20 + plate % 8,
                             .start_ms = MONDAY_0800 + (16 + from_h) * HOUR_MS,
                             .end_ms = MONDAY_0800 + (16 + until_h) * HOUR_MS};
    fixture_send(f, ADMIN, TIDE_REC_book, &book);
    CODE_IS(f, ok);
    return f->reply.id;
}

/* More slots than a search looks at: those on which most is free are among them. */
static void in_a_crowd_the_free_ones_are_looked_at(void **state)
{
    struct fixture *f = *state;
    unsigned full = slots_of(1, TIDE_SLOT_CLASS_standard) - 2;
    assert_true(full > 64);
    for (unsigned i = 0; i < full; i++)
        book_tuesday(f, 200 + i, 8, 20);
    uint32_t morning = book_tuesday(f, 101, 10, 12), between = book_tuesday(f, 102, 11, 16);
    uint32_t evening = book_tuesday(f, 103, 16, 20);
    fixture_send(f, ADMIN, TIDE_REC_cancel, &(struct tide_cancel){.booking = between});
    tide_id kept = fixture_booking(f, evening)->slot;
    assert_int_not_equal(fixture_booking(f, morning)->slot, kept);
    book_tuesday(f, 104, 11, 20);
    assert_int_equal(fixture_booking(f, morning)->slot, fixture_booking(f, evening)->slot);
    assert_int_equal(fixture_booking(f, morning)->moves + fixture_booking(f, evening)->moves, 1);
}

/* Moved away is never moved to where it is. */
static void a_recall_moves_to_another_slot(void **state)
{
    struct fixture *f = *state;
    for (unsigned n = 0; n < 8; n++) {
        uint32_t id = book_one(f, 20, 1000 + n, 2, TIDE_SLOT_CLASS_charger);
        tide_id slot = fixture_booking(f, id)->slot;
        fixture_send(
            f, ADMIN, TIDE_REC_recall,
            &(struct tide_recall){slot, MONDAY_0800 + HOUR_MS, MONDAY_0800 + 2 * HOUR_MS, 0, 0, 0});
        CODE_IS(f, ok);
        assert_int_not_equal(fixture_booking(f, id)->slot, slot);
        assert_int_equal(zone_of_slot(fixture_booking(f, id)->slot), 2);
    }
}

/* ---- the desk of a part --------------------------------------------------------------------- */
static void a_clerk_of_the_compound_has_a_desk(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    size_t at = 0;
    ROW(person, 20, 0);
    ROW(user, 20, 20, TIDE_USER_KIND_console);
    ROW(role_row, 20, TIDE_ROLE_clerk, COMPOUND);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    at = 0;
    ROW(place, 21, TIDE_PLACE_KIND_stair, COMPOUND);
    fixture_put_blob(f, 20, blob, at, TIDE_REC_put);
    expect(f, "puts rows", "ok", "none");
    fixture_send(f, 20, TIDE_REC_ask_shares, &(struct tide_ask_shares){.slot = 2});
    expect(f, "looks at common slots", "ok", "none");
    fixture_send(f, 20, TIDE_REC_ask_incidents, &(struct tide_ask_incidents){0});
    expect(f, "looks at incidents", "ok", "none");
    fixture_send(f, 20, TIDE_REC_ask_inbox, &(struct tide_ask_inbox){.person = OWNER});
    expect(f, "looks into an inbox", "ok", "none");
    fixture_send(f, 20, TIDE_REC_clock_accept, &(struct tide_clock_accept){0});
    expect(f, "accepts the clock", "ok", "none");
    fixture_send(f, 20, TIDE_REC_drop, &(struct tide_drop){TIDE_REC_vehicle, 4, 0, 0});
    expect(f, "drops a row", "ok", "none");
    fixture_send(f, 20, TIDE_REC_correct, &(struct tide_correct){TIDE_NAME_KIND_phone, OWNER, 0});
    expect(f, "corrects", "ok", "none");
    fixture_send(f, 20, TIDE_REC_forget, &(struct tide_forget){TIDE_NAME_KIND_plate, 70});
    expect(f, "forgets", "ok", "none");
    fixture_send(f, 20, TIDE_REC_accept_rules, &(struct tide_accept_rules){3, OWNER, 0});
    expect(f, "notes that somebody accepted the rules", "ok", "none");
    fixture_send(f, 20, TIDE_REC_forget, &(struct tide_forget){TIDE_NAME_KIND_person, THIRD});
    expect(f, "forgets a person", "ok", "none");
    fixture_camera(f, 1, 50); /* the gateway's role is the compound's as well */
    assert_int_not_equal(f->reply.code, TIDE_CODE_not_authorized);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_slot_is_given_once, crowd_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_least_left_over_of_many, crowd_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_sheet_of_many_pages, crowd_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(in_a_crowd_the_free_ones_are_looked_at, crowd_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_recall_moves_to_another_slot, crowd_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_clerk_of_the_compound_has_a_desk, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
