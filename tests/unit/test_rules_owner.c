/* test_rules_owner.c - the owner comes first: cars that stay too long, who comes after them, and
 * what an owner is promised while somebody else has his slot.
 */
#include "tests/unit/owner_fixture.h"

/* Plate 50 of the neighbour stands on slot 1 from 18:30, promised until 19:30; the owner is back at
 * eight, when all windows end. */
static uint32_t overstayer(struct fixture *f)
{
    until(f, 18, 30);
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, AT(18, 30), AT(19, 30));
    struct tide_command command = fixture_camera(f, 1, 50);
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(fixture_booking(f, id)->slot, 1);
    return id;
}

/* ---- who comes after ------------------------------------------------------------------------- */
static void who_comes_after_is_moved_before_he_comes(void **state)
{
    static const struct {
        const char *rule;
        int from_min,
            looked_min; /* when it begins; when it has been moved, 0: not before it begins */
    } rows[] = {
        {"right behind", 60, 60},           {"within the hour", 120, 60},
        {"at the next look", 125, 75},      {"at a later one", 150, 90},
        {"none before its hour", 600, 540},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        uint32_t first = fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
        fixture_camera(f, 1, 50);
        uint32_t next = fixture_book(f, NEIGHBOUR, 51, 1, rows[i].from_min, rows[i].from_min + 60);
        assert_int_equal(fixture_booking(f, next)->slot, fixture_booking(f, first)->slot);
        for (int minute = 1; minute < rows[i].looked_min; minute++)
            fixture_pass(f, MIN_MS);
        if (fixture_booking(f, next)->moves != 0)
            fail_msg("%s: moved too early", rows[i].rule);
        fixture_pass(f, MIN_MS);
        if (fixture_booking(f, next)->slot == fixture_booking(f, first)->slot)
            fail_msg("%s: still behind the overstayer", rows[i].rule);
        assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
        fixture_tear_down(&fresh);
    }
}

static void who_left_in_time_moves_nobody(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
    fixture_camera(f, 1, 50);
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, 1, 60, 120);
    fixture_pass(f, 59 * MIN_MS);
    fixture_camera(f, 2, 50);
    fixture_pass(f, MIN_MS);
    assert_int_equal(fixture_booking(f, next)->moves, 0);
}

/* Three slots are left to who comes after 50: 52 has one all day, 53 and 54 have one each but for
 * some time, and 55 lies behind 53:
 *
 *     slot 1   50 50 50│    51 51 51 51          51 fits nowhere; but when 55 goes behind 54 ...
 *     slot 2   52 52 52 52 52 52 52 52 52
 *     slot 3   53 53 53            55 55 55
 *     slot 4   54 54 54 54 54 54
 */
static void others_make_room_for_who_comes_after(void **state)
{
    static const struct {
        const char *rule;
        int64_t steps;
        bool moved;
    } rows[] = {{"by a chain of moves", 1000, true}, {"which the setting forbids", 0, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        set(f, TIDE_SETTING_no_show_min, 720);
        set(f, TIDE_SETTING_reseat_steps, 0); /* all sit where they fit directly */
        fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
        fixture_camera(f, 1, 50);
        uint32_t next = fixture_book(f, NEIGHBOUR, 51, 1, 80, 200);
        fixture_book(f, NEIGHBOUR, 52, 1, 0, 720);
        fixture_book(f, NEIGHBOUR, 53, 1, 0, 70);
        uint32_t behind = fixture_book(f, NEIGHBOUR, 55, 1, 180, 300);
        fixture_book(f, NEIGHBOUR, 54, 1, 0, 150);
        assert_int_equal(fixture_booking(f, next)->slot, 1);
        assert_int_equal(fixture_booking(f, behind)->slot, 3);
        set(f, TIDE_SETTING_reseat_steps, rows[i].steps);
        fixture_pass(f, 60 * MIN_MS);
        if ((fixture_booking(f, next)->slot == 3) != rows[i].moved ||
            (fixture_booking(f, behind)->slot == 4) != rows[i].moved)
            fail_msg("%s: on slots %u and %u", rows[i].rule, fixture_booking(f, next)->slot,
                     fixture_booking(f, behind)->slot);
        fixture_tear_down(&fresh);
    }
}

/* Two moves deep, the only room left for the last would be behind the overstayer: he is left alone,
 * and who comes after him stays for now.
 *
 *     slot 1   50 50│  51 51 51 51
 *     slot 3   53 53          55 55 55 57 57      55 could go to slot 4 if 56 went to slot 1
 *     slot 4   54 54 54 54 54    56 56 56
 */
static void nobody_is_moved_behind_the_overstayer(void **state)
{
    struct fixture *f = *state;
    set(f, TIDE_SETTING_no_show_min, 720);
    set(f, TIDE_SETTING_reseat_steps, 0);
    set(f, TIDE_SETTING_reseat_depth, 2);
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
    fixture_camera(f, 1, 50);
    fixture_book(f, NEIGHBOUR, 52, 1, 0, 720);
    fixture_book(f, NEIGHBOUR, 53, 1, 0, 55);
    fixture_book(f, NEIGHBOUR, 54, 1, 0, 150);
    uint32_t last = fixture_book(f, NEIGHBOUR, 56, 1, 210, 400);
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, 1, 80, 200);
    uint32_t behind = fixture_book(f, NEIGHBOUR, 55, 1, 180, 300);
    fixture_book(f, NEIGHBOUR, 57, 1, 310, 500);
    assert_int_equal(fixture_booking(f, last)->slot, 4);
    assert_int_equal(fixture_booking(f, next)->slot, 1);
    assert_int_equal(fixture_booking(f, behind)->slot, 3);
    set(f, TIDE_SETTING_reseat_steps, 1000);
    fixture_pass(f, MONDAY_0800 + 60 * MIN_MS - f->now_ms);
    assert_int_equal(fixture_booking(f, last)->slot, 4);
    assert_int_equal(fixture_booking(f, next)->slot, 1);
}

static void what_cannot_move_is_told_at_its_start(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.booking = first});
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, 2, 90, 150);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, 2, 80, 160), 0);
    fixture_pass(f, 89 * MIN_MS);
    assert_int_equal(fixture_booking(f, next)->moves, 0);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
    fixture_pass(f, MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
    fixture_send(f, GUARD, TIDE_REC_leave, &(struct tide_leave){.plate = 50});
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
}

/* He was told that his place is taken; when there is another for him he is told as well. */
static void who_was_told_to_wait_is_told_that_there_is_one(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.booking = first});
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, 2, 90, 150);
    uint32_t other = fixture_book(f, NEIGHBOUR, 52, 2, 80, 160);
    fixture_pass(f, 90 * MIN_MS);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_late_supply));
    fixture_pass(f, 5 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_cancel, &(struct tide_cancel){.booking = other});
    fixture_pass(f, 9 * MIN_MS);
    assert_int_equal(fixture_booking(f, next)->moves, 0);
    fixture_pass(f, MIN_MS);
    assert_int_equal(fixture_booking(f, next)->moves, 1);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_booking_moved));
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
}

/* Who is moved before he comes was told of no slot, and hears nothing. */
static void who_was_told_nothing_hears_nothing(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
    fixture_camera(f, 1, 50);
    uint32_t next = fixture_book(f, NEIGHBOUR, 51, 1, 60, 120);
    fixture_pass(f, 60 * MIN_MS);
    assert_int_equal(fixture_booking(f, next)->moves, 1);
    assert_false(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_booking_moved));
}

/* Found out after ten minutes; who begins within the hour is moved then, others when it climbs. */
static void behind_a_strangers_car_nobody_is_left(void **state)
{
    struct fixture *f = *state;
    uint32_t soon = fixture_book(f, NEIGHBOUR, 51, 1, 60, 120);
    uint32_t later = fixture_book(f, NEIGHBOUR, 52, 1, 120, 180);
    assert_int_equal(fixture_booking(f, soon)->slot, 1);
    assert_int_equal(fixture_booking(f, later)->slot, 1);
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 20 * MIN_MS); /* still somebody's who is expected? then settle again */
    fixture_pass(f, 20 * MIN_MS);
    if (fixture_incident(f, TIDE_INCIDENT_KIND_stranger) == NULL)
        fail_msg("nobody noticed");
    assert_int_not_equal(fixture_booking(f, soon)->slot, 1);
    fixture_pass(f, 40 * MIN_MS);
    assert_int_not_equal(fixture_booking(f, later)->slot, 1);
}

/* ---- the owner returns ----------------------------------------------------------------------- */
static void an_owner_is_promised_another_slot_before_he_comes(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    int32_t lent = account(f, HOME_OWNER)->balance_min;
    uint32_t id = overstayer(f);
    until(f, 19, 29);
    assert_null(substitute(f));
    until(f, 19, 30);
    const struct tide_booking *other = substitute(f);
    assert_non_null(other);
    assert_int_equal(other->household, HOME_OWNER);
    assert_int_equal(other->plate, 1);
    assert_int_equal(other->slot, 3);
    assert_int_equal(other->start_ms, MONDAY_0800 + AT(20, 0) * MIN_MS);
    assert_int_equal(other->end_ms, MONDAY_0800 + AT(32, 0) * MIN_MS);
    assert_int_equal(other->held_min, 0);
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_substitute));
    until(f, 19, 45); /* the grace is over: the incident knows of it */
    assert_int_equal(fixture_incident(f, TIDE_INCIDENT_KIND_overstay)->substitute, 3);
    until(f, 20, 10);
    uint32_t promised = other->id;
    struct tide_command command = fixture_camera(f, 1, 1);
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(command.slot, 3); /* what the gate says */
    assert_int_equal(fixture_booking(f, promised)->state, TIDE_BOOKING_STATE_parked);
    fixture_camera(f, 2, 50); /* the owner is paid, for the time over: a strike */
    assert_int_equal(written(f, id).charged_min, 60);
    assert_int_equal(account(f, HOME_OWNER)->balance_min, lent + 60);
    until(f, 23, 0);
    fixture_camera(f, 2, 1);
    assert_int_equal(written(f, promised).state, TIDE_BOOKING_STATE_kept);
    assert_int_equal(written(f, promised).charged_min, 0);
    assert_int_equal(account(f, HOME_OWNER)->balance_min, lent + 60);
}

/* Slot 3 is lent by household 6 now: the pool pays for the owner's stay there. */
/* Slot 2 would be the first to fit, and a car stands there whose time is over. */
static void he_is_not_named_a_slot_where_somebody_stays(void **state)
{
    struct fixture *f = *state;
    overstayer(f);
    uint32_t other = fixture_book(f, THIRD, 60, 1, AT(18, 30), AT(18, 40));
    fixture_camera(f, 1, 60);
    assert_int_equal(fixture_booking(f, other)->slot, 2);
    open_for_the_night(f, 2);
    open_for_the_night(f, 3);
    until(f, 19, 30);
    assert_non_null(substitute(f));
    assert_int_equal(substitute(f)->slot, 3);
}

static void where_somebody_stays_on_the_only_one_there_is_none(void **state)
{
    struct fixture *f = *state;
    overstayer(f);
    fixture_book(f, THIRD, 60, 1, AT(18, 30), AT(18, 40));
    fixture_camera(f, 1, 60);
    open_for_the_night(f, 2);
    until(f, 19, 45);
    assert_null(substitute(f));
    uint32_t cursor = 0;
    const struct tide_incident *incident;
    while ((incident = engine_next(f->engine, TIDE_REC_incident, &cursor)) != NULL)
        if (incident->slot == 1)
            assert_int_equal(incident->why, TIDE_WHY_all_taken);
}

static void who_lends_the_substitute_earns_from_the_pool(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[64];
    struct tide_slot slot = {
        .id = 3, .zone = 1, .title = TIDE_SLOT_TITLE_owned, .owner = HOME_THIRD, .sensed = 1};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_slot, &slot), TIDE_REC_put);
    CODE_IS(f, ok);
    open_for_the_night(f, 3);
    overstayer(f);
    until(f, 20, 0);
    int32_t had = account(f, HOME_THIRD)->balance_min, mine = account(f, HOME_OWNER)->balance_min;
    fixture_camera(f, 1, 1);
    until(f, 21, 0);
    fixture_camera(f, 2, 1);
    assert_int_equal(account(f, HOME_THIRD)->balance_min, had + 60);
    assert_int_equal(account(f, HOME_OWNER)->balance_min, mine);
}

static void it_is_given_back_when_his_slot_is_free_again(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    overstayer(f);
    until(f, 19, 50);
    uint32_t id = substitute(f)->id;
    fixture_camera(f, 2, 50);
    assert_null(substitute(f));
    assert_int_equal(written(f, id).state, TIDE_BOOKING_STATE_cancelled);
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_slot_free));
    until(f, 20, 10);
    assert_int_equal(fixture_camera(f, 1, 1).slot, 1); /* home */
}

static void who_does_not_come_for_it_is_no_no_show(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    overstayer(f);
    until(f, 20, 0);
    uint32_t id = substitute(f)->id;
    until(f, 31, 59);
    assert_int_equal(fixture_booking(f, id)->state, TIDE_BOOKING_STATE_booked);
    until(f, 32, 0);
    assert_int_equal(written(f, id).state, TIDE_BOOKING_STATE_cancelled);
    assert_int_equal(account(f, HOME_OWNER)->no_shows, 0);
}

static void it_is_for_whichever_car_comes(void **state)
{
    struct fixture *f = *state;
    put_vehicle(f, 21, HOME_OWNER);
    open_for_the_night(f, 3);
    overstayer(f);
    until(f, 20, 0);
    assert_int_equal(substitute(f)->plate, 1); /* the first that is not in */
    assert_int_equal(fixture_camera(f, 1, 21).slot, 3);
    assert_int_equal(substitute(f)->plate, 21);
    assert_int_equal(substitute(f)->state, TIDE_BOOKING_STATE_parked);
    assert_int_equal(fixture_camera(f, 1, 1).slot, 0); /* the second car finds nothing */
}

static void found_at_the_gate_at_the_latest(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    until(f, 20, 30);
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied); /* nobody knows who, a minute ago */
    struct tide_command command = fixture_camera(f, 1, 1);
    assert_int_equal(command.slot, 3);
    assert_int_equal(fixture_incident(f, TIDE_INCIDENT_KIND_owner_taken)->substitute, 3);
}

static void where_there_is_none_the_incident_says_so(void **state)
{
    struct fixture *f = *state;
    overstayer(f); /* nothing is open after eight */
    until(f, 19, 45);
    assert_null(substitute(f));
    assert_int_equal(fixture_incident(f, TIDE_INCIDENT_KIND_overstay)->why, TIDE_WHY_all_taken);
    until(f, 20, 10);
    assert_int_equal(fixture_camera(f, 1, 1).kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(fixture_incident(f, TIDE_INCIDENT_KIND_owner_taken)->why, TIDE_WHY_all_taken);
    open_for_the_night(f, 3);
    until(f, 20, 15); /* looked at again: his car is in already, so there is none to promise to */
    assert_null(substitute(f));
}

static void while_his_window_is_open_he_is_promised_nothing(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 60);
    fixture_camera(f, 1, 50);
    until(f, 18, 59);
    assert_null(substitute(f));
    until(f, 19, 15); /* eight is within the hour */
    assert_non_null(substitute(f));
}

static void it_cannot_be_made_longer(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    overstayer(f);
    until(f, 20, 0);
    fixture_send(f, OWNER, TIDE_REC_extend,
                 &(struct tide_extend){substitute(f)->id, MONDAY_0800 + AT(33, 0) * MIN_MS, 0});
    CODE_IS(f, conflict);
    WHY_IS(f, overstayer);
}

static void another_zone_within_the_walk_will_do(void **state)
{
    static const struct {
        unsigned group, walk_m;
        bool found;
    } rows[] = {{1, 400, true}, {1, 401, false}, {2, 10, false}, {0, 0, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        uint8_t blob[128];
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        struct tide_zone here = {.id = 1,
                                 .place = COMPOUND,
                                 .sense = TIDE_SENSE_GATE | TIDE_SENSE_SENSOR,
                                 .walk_group = 1};
        struct tide_zone there = {.id = 2,
                                  .place = COMPOUND,
                                  .sense = TIDE_SENSE_HAND,
                                  .walk_group = (uint16_t)rows[i].group,
                                  .walk_m = (uint16_t)rows[i].walk_m};
        size_t at = fixture_row(blob, 0, TIDE_REC_zone, &here);
        at = fixture_row(blob, at, TIDE_REC_zone, &there);
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
        open_for_the_night(f, 6);
        overstayer(f);
        until(f, 20, 0);
        assert_int_equal(substitute(f) != NULL, rows[i].found);
        if (rows[i].found)
            assert_int_equal(substitute(f)->slot, 6);
        fixture_tear_down(&fresh);
    }
}

/* Whose promise is moved has been named a slot: he is named the other. */
static void a_substitute_that_moves_is_told_anew(void **state)
{
    struct fixture *f = *state;
    open_for_the_night(f, 3);
    open_for_the_night(f, 4);
    overstayer(f);
    until(f, 19, 45);
    assert_int_equal(substitute(f)->slot, 3);
    fixture_sensor(f, 3, TIDE_OCCUPANCY_occupied);
    until(f, 20, 0);
    assert_int_equal(substitute(f)->slot, 4);
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_substitute));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_after_is_moved_before_he_comes),
        T(who_left_in_time_moves_nobody),
        cmocka_unit_test(others_make_room_for_who_comes_after),
        T(nobody_is_moved_behind_the_overstayer),
        T(what_cannot_move_is_told_at_its_start),
        T(who_was_told_to_wait_is_told_that_there_is_one),
        T(who_was_told_nothing_hears_nothing),
        T(behind_a_strangers_car_nobody_is_left),
        T(an_owner_is_promised_another_slot_before_he_comes),
        T(he_is_not_named_a_slot_where_somebody_stays),
        T(where_somebody_stays_on_the_only_one_there_is_none),
        T(who_lends_the_substitute_earns_from_the_pool),
        T(it_is_given_back_when_his_slot_is_free_again),
        T(who_does_not_come_for_it_is_no_no_show),
        T(it_is_for_whichever_car_comes),
        T(found_at_the_gate_at_the_latest),
        T(where_there_is_none_the_incident_says_so),
        T(while_his_window_is_open_he_is_promised_nothing),
        T(it_cannot_be_made_longer),
        cmocka_unit_test(another_zone_within_the_walk_will_do),
        T(a_substitute_that_moves_is_told_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
