/* test_rules_wait.c - waiting for a place: who may, where he stands, who comes next when something
 * comes free, and what becomes of an offer that nobody confirms.
 *
 * Zone 2 has slots 5 and 6, open from 08:00 to 20:00. Plates 61 and 62 hold both from 09:00 to
 * 12:00. It is Monday 08:00.
 */
#include "tests/unit/wait_fixture.h"

static void confirm(struct fixture *f, tide_id user, tide_id id)
{
    fixture_send(f, user, TIDE_REC_confirm, &(struct tide_confirm){.booking = id});
}

/* ---- promoted -------------------------------------------------------------------------------- */
static void the_second_waits_the_first_cancels(void **state)
{
    struct fixture *f = *state;
    struct tide_wait_place place;
    fill(f);
    assert_int_equal(fixture_book(f, THIRD, 63, ZONE, 60, 240), 0);
    WHY_IS(f, all_taken);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_wait_place, 0, &place));
    assert_int_equal(place.position, 1);
    assert_int_equal(place.of, 0);
    fixture_pass(f, 0);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    cancel(f, OWNER, 1);
    const struct tide_waiting *row = waiting(f, 1);
    assert_int_equal(row->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(row->confirm_by_ms, f->now_ms + 15 * MIN_MS);
    const struct tide_booking *booking = fixture_booking(f, row->booking);
    assert_int_equal(booking->plate, 63);
    assert_int_equal(booking->waiting, 1);
    assert_int_equal(booking->start_ms, AT(60));
    assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_wait_offered));
    struct tide_notice notice = {0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, n, &notice); n++)
        if (notice.kind == TIDE_NOTICE_KIND_wait_offered)
            assert_int_equal(notice.until_ms, row->confirm_by_ms);
    tide_id id = row->booking;
    confirm(f, THIRD, id);
    CODE_IS(f, ok);
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_taken);
    assert_null(waiting(f, 1));
    fixture_pass(f, 30 * MIN_MS); /* confirmed stays */
    assert_non_null(fixture_booking(f, id));
    confirm(f, THIRD, id);
    WHY_IS(f, duplicate);
}

/* Not confirmed: the place goes to the next, and nobody pays. */
static void what_is_not_confirmed_goes_on(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(want(f, OUTSIDER, 64, 60, 240), 1);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 2);
    cancel(f, OWNER, 1);
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_OUTSIDE, 0, 0);
    tide_id lapsed = waiting(f, 1)->booking;
    assert_int_equal(waiting(f, 2)->state, TIDE_WAITING_STATE_waiting);
    assert_int_equal(account->held_min, 180);
    int32_t balance = account->balance_min;
    fixture_pass(f, 15 * MIN_MS - 1);
    assert_non_null(fixture_booking(f, lapsed));
    fixture_pass(f, 1);
    assert_null(fixture_booking(f, lapsed));
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_passed);
    assert_int_equal(written(f, 1).why, TIDE_WHY_not_confirmed);
    assert_true(fixture_told(f, OUTSIDER, TIDE_NOTICE_KIND_wait_passed));
    assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_wait_offered));
    assert_int_equal(waiting(f, 2)->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(account->balance_min, balance);
    assert_int_equal(account->held_min, 0);
    assert_int_equal(account->no_shows, 0);
    confirm(f, OUTSIDER, lapsed);
    WHY_IS(f, already_ended);
}

/* Who wants what does not fit holds up nobody; among those whom it fits the first is served. */
static void the_first_whom_it_fits(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(fixture_book(f, OWNER, 65, ZONE, 240, 720), 3);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 66, ZONE, 240, 720), 4);
    assert_int_equal(want(f, THIRD, 63, 120, 480), 1);
    assert_int_equal(want(f, OUTSIDER, 64, 60, 240), 2);
    assert_int_equal(want(f, THIRD, 67, 60, 240), 3);
    cancel(f, OWNER, 1);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    assert_int_equal(waiting(f, 2)->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(waiting(f, 3)->state, TIDE_WAITING_STATE_waiting);
}

/* Each thing that may free a place is looked at when it happens. */
static void what_frees_a_place(void **state)
{
    enum { CANCEL, NO_SHOW, LEAVE, SHORTER, SHARE, FORGET, UNTIE };
    static const struct {
        const char *what;
        int how, from_min, until_min;
    } rows[] = {
        {"cancelled", CANCEL, 120, 240},           {"never came", NO_SHOW, 120, 240},
        {"left before its time", LEAVE, 120, 240}, {"ends sooner", SHORTER, 120, 240},
        {"one window more", SHARE, 720, 780},      {"its person is forgotten", FORGET, 120, 240},
        {"a blackout is lifted", UNTIE, 400, 460},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        fill(f);
        tide_id window = 0;
        if (rows[i].how == UNTIE) {
            fixture_send(
                f, CLERK, TIDE_REC_blackout,
                &(struct tide_blackout){.zone = ZONE, .start_ms = AT(300), .end_ms = AT(500)});
            CODE_IS(f, ok);
            window = f->reply.id;
        }
        assert_int_equal(want(f, THIRD, 63, rows[i].from_min, rows[i].until_min), 1);
        fixture_pass(f, 0);
        assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
        switch (rows[i].how) {
        case CANCEL:
            fixture_send(f, OWNER, TIDE_REC_cancel, &(struct tide_cancel){.booking = 1});
            break;
        case NO_SHOW:
            fixture_pass(f, 90 * MIN_MS);
            break;
        case LEAVE:
            fixture_pass(f, 60 * MIN_MS);
            fixture_send(f, OWNER, TIDE_REC_arrive, &(struct tide_arrive){.booking = 1});
            fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = 2});
            fixture_pass(f, 40 * MIN_MS);
            assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
            fixture_send(f, OWNER, TIDE_REC_leave, &(struct tide_leave){.booking = 1});
            break;
        case SHORTER:
            fixture_send(f, OWNER, TIDE_REC_extend,
                         &(struct tide_extend){.booking = 1, .end_ms = AT(120)});
            break;
        case SHARE:
            fixture_send(f, CLERK, TIDE_REC_share,
                         &(struct tide_share){.slot = 5,
                                              .kind = TIDE_WINDOW_KIND_once,
                                              .start_ms = AT(720),
                                              .end_ms = AT(800)});
            break;
        case FORGET:
            fixture_send(f, CLERK, TIDE_REC_forget,
                         &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = OWNER});
            break;
        default:
            fixture_send(f, CLERK, TIDE_REC_drop,
                         &(struct tide_drop){.kind = TIDE_REC_window, .k1 = window});
        }
        if (rows[i].how != NO_SHOW)
            expect(f, rows[i].what, "ok", "none");
        fixture_pass(f, 0);
        if (waiting(f, 1) == NULL || waiting(f, 1)->state != TIDE_WAITING_STATE_offered)
            fail_msg("%s: no offer", rows[i].what);
        done(f);
    }
}

/* Room by moving others is room, too: what ends sooner on slot 6 is taken by what is on slot 5. */
static void others_are_moved(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_book(f, OWNER, 61, ZONE, 60, 180), 1);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 62, ZONE, 240, 300), 2);
    assert_int_equal(fixture_booking(f, 2)->slot, 5);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 66, ZONE, 100, 260), 3);
    assert_int_equal(want(f, THIRD, 63, 180, 300), 1);
    fixture_pass(f, 0);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    fixture_send(f, NEIGHBOUR, TIDE_REC_extend,
                 &(struct tide_extend){.booking = 3, .end_ms = AT(220)});
    fixture_pass(f, 0);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(fixture_booking(f, 2)->slot, 6);
}

/* What comes free is theirs who wait before anybody else can ask. */
static void nobody_books_it_away(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    fixture_send(f, OWNER, TIDE_REC_cancel, &(struct tide_cancel){.booking = 1});
    assert_int_equal(fixture_book(f, NEIGHBOUR, 66, ZONE, 60, 240), 0);
    WHY_IS(f, all_taken);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_offered);
}

/* More wait than one step looks at: the ticks after it go on, and the last one is served. */
static void a_long_queue_is_gone_through(void **state)
{
    struct fixture *f = *state;
    tide_id last = 0;
    uint8_t blob[256];
    struct tide_setting_row many = {.key = TIDE_SETTING_household_live_max, .value = 32};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &many),
                     TIDE_REC_put);
    fill(f);
    for (tide_id plate = 100; plate < 130; plate++)
        for (unsigned i = 0; i < 3; i++) {
            static const tide_id who[] = {THIRD, OUTSIDER, NEIGHBOUR};
            last = want(f, who[i], plate + 100 * i, 715, 735); /* closed from 20:00 on */
            CODE_IS(f, ok);
        }
    last = want(f, OWNER, 99, 60, 230);
    assert_int_equal(last, 91);
    cancel(f, OWNER, 1);
    assert_int_equal(waiting(f, 90)->state, TIDE_WAITING_STATE_waiting);
    assert_int_equal(waiting(f, last)->state, TIDE_WAITING_STATE_offered);
}

/* ---- time ------------------------------------------------------------------------------------ */
static void what_is_left_of_it(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(fixture_book(f, OWNER, 65, ZONE, 240, 720), 3);
    assert_int_equal(want(f, THIRD, 63, 60, 300), 1);
    fixture_pass(f, 62 * MIN_MS);
    fixture_send(f, OWNER, TIDE_REC_arrive, &(struct tide_arrive){.booking = 1});
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = 2});
    fixture_pass(f, 185 * MIN_MS); /* 12:07: booking 2 ended at 12:00, its car stays */
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.booking = 2});
    fixture_pass(f, 0);
    const struct tide_waiting *row = waiting(f, 1);
    assert_int_equal(row->state, TIDE_WAITING_STATE_offered);
    const struct tide_booking *booking = fixture_booking(f, row->booking);
    assert_int_equal(booking->start_ms, AT(245));
    assert_int_equal(booking->end_ms, AT(300));
    fixture_send(f, THIRD, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking->id});
    CODE_IS(f, ok); /* who comes has confirmed it */
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_taken);
    assert_null(waiting(f, 1));
}

static void it_is_over(void **state)
{
    static const struct {
        const char *what;
        int until_min, over_min; /* from 09:00 on */
    } rows[] = {{"half an hour is left until here", 240, 215},
                {"a short one needs all of its time", 75, 65},
                {"as short as can be", 65, 65}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        fill(f);
        fixture_pass(f, 60 * MIN_MS);
        fixture_send(f, OWNER, TIDE_REC_arrive, &(struct tide_arrive){.booking = 1});
        fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = 2});
        assert_int_equal(want(f, THIRD, 63, 60, rows[i].until_min), 1);
        fixture_pass(f, (rows[i].over_min - 60) * MIN_MS - 1);
        if (waiting(f, 1) == NULL)
            fail_msg("%s: over too soon", rows[i].what);
        fixture_pass(f, 1);
        if (waiting(f, 1) != NULL)
            fail_msg("%s: goes on", rows[i].what);
        assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_over);
        assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_wait_over));
        done(f);
    }
}

/* A slot that opens later opens by the clock alone: nothing happens then. */
static void the_clock_alone_brings_a_window(void **state)
{
    struct fixture *f = *state;
    struct tide_wait ask = {
        .plate = 63, .zone = ZONE, .start_ms = AT(1380), .end_ms = AT(1560)}; /* from 07:00 */
    fixture_send(f, THIRD, TIDE_REC_wait, &ask);
    CODE_IS(f, ok);
    fixture_pass(f, 1439 * MIN_MS);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_waiting);
    fixture_pass(f, 1 * MIN_MS);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_offered);
    assert_int_equal(fixture_booking(f, waiting(f, 1)->booking)->start_ms, AT(1440));
}

/* ---- rules ----------------------------------------------------------------------------------- */
#define ASK_IN_(zone_, what, by, code_, why_, plate_, from_, until_, ...)                          \
    RULE_(what, by, wait, code_, why_, .plate = plate_, .zone = zone_, .start_ms = AT(from_),      \
          .end_ms = AT(until_), __VA_ARGS__)
#define ASK_(...) ASK_IN_(ZONE, __VA_ARGS__)

static void asking_rules(void **state)
{
    static const struct rule_row rows[] = {
        ASK_("full: one may wait", THIRD, "ok", "none", 63, 60, 240, ),
        ASK_IN_(7, "a zone that is not", THIRD, "not_found", "none", 63, 60, 240, ),
        ASK_("no plate", THIRD, "not_found", "none", 0, 60, 240, ),
        ASK_("over before it begins", THIRD, "invalid", "ends_before_start", 63, 240, 60, ),
        ASK_("in the past", THIRD, "invalid", "in_the_past", 63, -60, 240, ),
        ASK_("too long", THIRD, "invalid", "too_long", 63, 60, 60 + 1445, ),
        ASK_("too far", THIRD, "invalid", "beyond_horizon", 63, 60, 20 * 1440, ),
        ASK_("a blocked plate", THIRD, "not_authorized", "blocked", 4, 60, 240, ),
        ASK_("somebody else's household", THIRD, "not_authorized", "not_yours", 63, 60, 240,
             .household = HOME_OWNER),
        ASK_("the desk, for one who telephoned", CLERK, "ok", "none", 63, 60, 240,
             .household = HOME_OWNER),
        ASK_("outsiders, where they may book", OUTSIDER, "ok", "none", 63, 60, 240, ),
        ASK_IN_(1, "outsiders, where they may not", OUTSIDER, "not_authorized",
                "not_open_to_outsiders", 63, 60, 240, ),
        ASK_("the plate has a promise then", OWNER, "conflict", "plate_overlap", 61, 120, 300, ),
        ASK_("it fits: book it", THIRD, "conflict", "fits_now", 63, 240, 300, ),
        ASK_("of a class of which there is none", THIRD, "ok", "none", 63, 240, 300,
             .cls = TIDE_SLOT_CLASS_charger),
        ASK_("nothing is open then: there may be", THIRD, "ok", "none", 63, 730, 790, ),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        fill(f);
        fixture_send(f, rows[i].user, rows[i].kind, &rows[i].row);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        done(f);
    }
}

/* Wait 1 is for what does not come free; wait 2 has been offered booking 5. */
static void answering_rules(void **state)
{
    static const struct rule_row rows[] = {
        RULE_("taken back", THIRD, unwait, "ok", "none", .waiting = 1),
        RULE_("taken back by the desk", CLERK, unwait, "ok", "none", .waiting = 1),
        RULE_("another's", OWNER, unwait, "not_authorized", "not_yours", .waiting = 1),
        RULE_("there is none", THIRD, unwait, "not_found", "none", .waiting = 9),
        RULE_("no number", THIRD, unwait, "not_found", "none", .waiting = 0),
        RULE_("never waited for", NEIGHBOUR, confirm, "conflict", "duplicate", .booking = 2),
        RULE_("none to confirm", THIRD, confirm, "not_found", "none", .booking = 9),
        RULE_("offered: taken back", OUTSIDER, unwait, "ok", "none", .waiting = 2),
        RULE_("offered: confirmed", OUTSIDER, confirm, "ok", "none", .booking = 5),
        RULE_("offered: confirmed at the desk", CLERK, confirm, "ok", "none", .booking = 5),
        RULE_("offered to another", THIRD, confirm, "not_authorized", "not_yours", .booking = 5),
        RULE_("offered: cancelled as a booking", OUTSIDER, cancel, "ok", "none", .booking = 5),
        RULE_("a plate that waits is in use", CLERK, forget, "conflict", "in_use",
              .kind = TIDE_NAME_KIND_plate, .id = 63),
        RULE_("who waits may be forgotten", CLERK, forget, "ok", "none",
              .kind = TIDE_NAME_KIND_person, .id = THIRD),
    };
    static const struct {
        unsigned state[3]; /* after it, of waits 1 and 2 */
    } after[] = {{{0, 4, 1}}, {{0, 4, 1}}, {{0, 0, 1}}, {{0, 0, 1}}, {{0, 0, 1}},
                 {{0, 0, 1}}, {{0, 0, 1}}, {{0, 0, 4}}, {{0, 0, 2}}, {{0, 0, 2}},
                 {{0, 0, 1}}, {{0, 0, 4}}, {{0, 0, 1}}, {{0, 4, 1}}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        fill(f);
        assert_int_equal(fixture_book(f, OWNER, 65, ZONE, 240, 720), 3);
        assert_int_equal(fixture_book(f, NEIGHBOUR, 66, ZONE, 240, 720), 4);
        assert_int_equal(want(f, THIRD, 63, 120, 480), 1);
        assert_int_equal(want(f, OUTSIDER, 64, 60, 240), 2);
        cancel(f, OWNER, 1);
        assert_int_equal(waiting(f, 2)->booking, 5);
        fixture_send(f, rows[i].user, rows[i].kind, &rows[i].row);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        for (tide_id id = 1; id <= 2; id++) {
            struct tide_waiting row = written(f, id);
            const struct tide_waiting *is = waiting(f, id) != NULL ? waiting(f, id) : &row;
            if (is->state != after[i].state[id] || (is == &row && row.id == 0))
                fail_msg("%s: wait %u is %u", rows[i].rule, id, is->state);
        }
        done(f);
    }
}

/* One waits once for a time; who waits counts against the household's cap; who took it back does
 * not. */
static void others_that_one_waits_for(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    struct tide_setting_row few = {.key = TIDE_SETTING_household_live_max, .value = 2};
    fill(f);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &few),
                     TIDE_REC_put);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    assert_int_equal(want(f, THIRD, 63, 230, 300), 0);
    WHY_IS(f, plate_overlap);
    assert_int_equal(f->reply.id, 1);
    assert_int_equal(want(f, THIRD, 64, 60, 240), 2);
    assert_int_equal(want(f, THIRD, 65, 60, 240), 0);
    WHY_IS(f, household_cap);
    fixture_send(f, THIRD, TIDE_REC_unwait, &(struct tide_unwait){.waiting = 1});
    assert_int_equal(want(f, THIRD, 65, 60, 240), 3);
}

/* A refused request frees nothing, not even where it tried moves. */
static void what_is_refused_changes_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t before[32], after[32];
    fill(f);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    fixture_pass(f, 0);
    engine_digest(f->engine, before);
    fixture_send(f, CLERK, TIDE_REC_recall,
                 &(struct tide_recall){.slot = 5, .start_ms = AT(60), .end_ms = AT(240)});
    WHY_IS(f, promised);
    want(f, OUTSIDER, 61, 60, 240);
    WHY_IS(f, plate_overlap);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
}

/* The zone's row comes again from the desk: who waits there is not lost. */
static void a_zone_put_again_keeps_its_queue(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[256];
    struct tide_zone row = {.id = ZONE,
                            .place = COMPOUND,
                            .sense = TIDE_SENSE_HAND,
                            .outsiders = 1,
                            .resolution = 2020};
    fill(f);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    fixture_pass(f, 0);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, &row), TIDE_REC_put);
    CODE_IS(f, ok);
    const struct tide_zone *zone = engine_find(f->engine, TIDE_REC_zone, ZONE, 0, 0);
    assert_int_not_equal(zone->wait_look_ms, 0);
    cancel(f, OWNER, 1);
    assert_int_equal(waiting(f, 1)->state, TIDE_WAITING_STATE_offered);
}

/* A broken promise is no withdrawal: the party is told and compensated, the wait is over. */
static void what_was_offered_is_lost(void **state)
{
    struct fixture *f = *state;
    fill(f);
    assert_int_equal(want(f, THIRD, 63, 60, 240), 1);
    cancel(f, OWNER, 1);
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){.slot = 5, .start_ms = AT(60), .end_ms = AT(240)});
    CODE_IS(f, ok);
    assert_int_equal(written(f, 1).state, TIDE_WAITING_STATE_over);
    assert_int_equal(written(f, 1).why, TIDE_WHY_blackout);
    assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_booking_broken));
    assert_false(fixture_told(f, THIRD, TIDE_NOTICE_KIND_wait_over));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(the_second_waits_the_first_cancels),
        TEST_(what_is_not_confirmed_goes_on),
        TEST_(the_first_whom_it_fits),
        TEST_(others_are_moved),
        TEST_(nobody_books_it_away),
        TEST_(a_long_queue_is_gone_through),
        TEST_(what_is_left_of_it),
        TEST_(the_clock_alone_brings_a_window),
        cmocka_unit_test(what_frees_a_place),
        cmocka_unit_test(it_is_over),
        cmocka_unit_test(asking_rules),
        cmocka_unit_test(answering_rules),
        TEST_(others_that_one_waits_for),
        TEST_(what_is_refused_changes_nothing),
        TEST_(a_zone_put_again_keeps_its_queue),
        TEST_(what_was_offered_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
