/* test_rules_presence.c - gates, sensors, hands and incidents: one test a rule. */
#include "tests/unit/engine_fixture.h"

/* ---- the gate ------------------------------------------------------------------------------- */
static void gate_rules(void **state)
{
    static const struct {
        const char *rule;
        tide_id lane, plate;
        unsigned plate_class;
        tide_id alt1, alt2;
        const char *decision, *why;
    } rows[] = {
        {"a resident's own plate always enters", 1, 1, 0, 0, 0, "open", "resident"},
        {"a promise for now", 1, 50, 0, 0, 0, "open", "booking"},
        {"a promise for later", 1, 51, 0, 0, 0, "deny", "too_early"},
        {"a stranger", 1, 90, 0, 0, 0, "deny", "unknown_plate"},
        {"nothing readable", 1, 0, 0, 0, 0, "deny", "unknown_plate"},
        {"an emergency vehicle", 1, 3, 0, 0, 0, "open", "emergency"},
        {"a police plate", 1, 90, TIDE_PLATE_CLASS_police, 0, 0, "open", "emergency"},
        {"a blocked plate", 1, 4, 0, 0, 0, "deny", "blocked"},
        {"one misreading with a right", 1, 90, 0, 50, 0, "open", "misread"},
        {"one of two misreadings has a right", 1, 90, 0, 50, 91, "open", "misread"},
        {"two misreadings with a right", 1, 90, 0, 50, 1, "deny", "ambiguous"},
        {"a right of its own needs no candidates", 1, 51, 0, 50, 0, "deny", "too_early"},
        {"who leaves is never held", 2, 90, 0, 0, 0, "open", "leaving"},
        {"nor is a blocked one", 2, 4, 0, 0, 0, "open", "leaving"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *fresh = NULL;
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        fixture_book(f, NEIGHBOUR, 50, 1, 0, 120);
        fixture_book(f, NEIGHBOUR, 51, 1, 300, 360);
        struct tide_plate_seen seen = {.lane = rows[i].lane,
                                       .plate = rows[i].plate,
                                       .plate_class = (uint8_t)rows[i].plate_class,
                                       .alt1 = rows[i].alt1,
                                       .alt2 = rows[i].alt2,
                                       .ask = 7,
                                       .boot = 1,
                                       .seq = 1};
        struct tide_command command = {0};
        fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
        assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
        const char *kind = tide_enum_name(TIDE_ENUM_FIELD_TYPE(command_kind), command.kind);
        if (strcmp(kind, rows[i].decision) != 0 || strcmp(why_name(command.why), rows[i].why) != 0)
            fail_msg("%s: expected %s/%s, seen %s/%s", rows[i].rule, rows[i].decision, rows[i].why,
                     kind, why_name(command.why));
        assert_int_equal(command.ask, 7);
        fixture_tear_down(&fresh);
    }
}

static void a_fact_known_already_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct tide_plate_seen seen = {.lane = 1, .plate = 1, .boot = 2, .seq = 1};
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, ok);
    uint8_t before[32], after[32];
    engine_digest(f->engine, before);
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, stale);
    seen.boot = 1;
    seen.seq = 9; /* of an earlier life of the gateway */
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, stale);
    WHY_IS(f, duplicate);
    seen.boot = 2;
    seen.seq = 3; /* the one before it is missing: an ack would lose it */
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, stale);
    WHY_IS(f, gap);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
}

static void hello_says_where_a_gateway_goes_on(void **state)
{
    struct fixture *f = *state;
    struct tide_plate_seen seen = {.lane = 1, .plate = 1, .boot = 7, .seq = 41};
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    WHY_IS(f, gap);
    fixture_send(f, GATEWAY, TIDE_REC_hello, &(struct tide_hello){.boot = 7, .seq = 40});
    CODE_IS(f, ok);
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, ok);
    fixture_send(f, GATEWAY, TIDE_REC_hello, &(struct tide_hello){.boot = 7, .seq = 40});
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen); /* hello never goes back */
    WHY_IS(f, duplicate);
}

static void a_replayed_plate_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct tide_command command;
    struct tide_passage passage;
    struct tide_plate_seen seen = {.lane = 1, .plate = 1, .replay = 1, .boot = 1, .seq = 1};
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_passage, 0, &passage));
    assert_int_equal(passage.replayed, 1);
}

static void a_resident_user_is_no_gateway_nor_a_guard(void **state)
{
    struct fixture *f = *state;
    struct tide_plate_seen seen = {.lane = 1, .plate = 1, .boot = 1, .seq = 1};
    fixture_send(f, NEIGHBOUR, TIDE_REC_plate_seen, &seen);
    CODE_IS(f, not_authorized);
    fixture_send(f, NEIGHBOUR, TIDE_REC_hand, &(struct tide_hand){.lane = 1});
    CODE_IS(f, not_authorized);
    WHY_IS(f, role_missing);
}

static void the_guards_hand_always_opens_and_is_written_down(void **state)
{
    struct fixture *f = *state;
    struct tide_command command = {0};
    struct tide_passage passage = {0};
    fixture_send(f, GUARD, TIDE_REC_hand, &(struct tide_hand){.lane = 1, .plate = 90});
    CODE_IS(f, ok);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_passage, 0, &passage));
    WHY_IS(f, none);
    assert_int_equal(passage.why, TIDE_WHY_by_hand);
}

static void a_booked_car_read_twice_is_let_in_twice_and_parked_once(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 0, 120);
    struct tide_command first = fixture_camera(f, 1, 50), second = fixture_camera(f, 1, 50);
    assert_int_equal(first.kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(second.kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(first.slot, second.slot);
    assert_int_equal(fixture_booking(f, id)->state, TIDE_BOOKING_STATE_parked);
    fixture_camera(f, 2, 50);
    assert_null(fixture_booking(f, id));
}

static void who_comes_early_may_stay_if_his_place_is_free(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 20, 120);
    struct tide_command command = fixture_camera(f, 1, 50);
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open);
    assert_int_equal(fixture_booking(f, id)->start_ms, MONDAY_0800);
    assert_int_equal(fixture_booking(f, id)->held_min, 120);
}

/* ---- sensors -------------------------------------------------------------------------------- */
static void silence_makes_a_slot_unknown_never_free(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 2, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 149 * MIN_MS);
    const struct tide_spot *spot = engine_find(f->engine, TIDE_REC_spot, 2, 0, 0);
    assert_int_equal(spot->state, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, MIN_MS);
    assert_int_equal(spot->state, TIDE_OCCUPANCY_unknown);
    fixture_sensor(f, 2, TIDE_OCCUPANCY_occupied); /* a heartbeat repairs it */
    assert_int_equal(spot->state, TIDE_OCCUPANCY_occupied);
}

static void a_taken_slot_without_a_right_is_a_stranger_after_settling(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied); /* the owner's slot, nobody is in */
    fixture_pass(f, 9 * MIN_MS);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
    fixture_pass(f, MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
    assert_true(fixture_told(f, GUARD, TIDE_NOTICE_KIND_stranger));
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_stranger));
    fixture_sensor(f, 1, TIDE_OCCUPANCY_free);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
}

static void the_owners_own_car_is_no_stranger(void **state)
{
    struct fixture *f = *state;
    fixture_camera(f, 1, 1);
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 60 * MIN_MS);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
}

static void a_parked_car_whose_slot_reads_empty_is_a_ghost(void **state)
{
    struct fixture *f = *state;
    fixture_book(f, NEIGHBOUR, 50, 1, 0, 240);
    tide_id slot = fixture_camera(f, 1, 50).slot;
    fixture_sensor(f, slot, TIDE_OCCUPANCY_free);
    fixture_pass(f, 10 * MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_ghost));
    assert_true(fixture_told(f, GUARD, TIDE_NOTICE_KIND_ghost));
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_ghost));
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_ghost));
}

static void without_a_gate_the_sensor_says_who_came_and_left(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 0, 120);
    tide_id slot = fixture_booking(f, id)->slot;
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    assert_int_equal(fixture_booking(f, id)->state, TIDE_BOOKING_STATE_parked);
    fixture_pass(f, 60 * MIN_MS);
    fixture_sensor(f, slot, TIDE_OCCUPANCY_free);
    assert_null(fixture_booking(f, id));
}

static void nobody_is_promised_a_slot_on_which_somebody_stands(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 7, TIDE_OCCUPANCY_occupied);
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 0, 60);
    assert_int_equal(fixture_booking(f, id)->slot, 8);
    fixture_book(f, NEIGHBOUR, 51, 3, 0, 60);
    CODE_IS(f, full);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 51, 3, 10, 60), 0); /* later he may be gone */
}

/* ---- incidents of promises ------------------------------------------------------------------ */
static void a_promise_moves_when_its_slot_is_still_taken(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    tide_id slot = fixture_booking(f, id)->slot;
    fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 60 * MIN_MS);
    assert_int_not_equal(fixture_booking(f, id)->slot, slot);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
}

static void with_no_other_place_the_driver_and_the_guard_are_told(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    fixture_sensor(f, 7, TIDE_OCCUPANCY_occupied);
    fixture_sensor(f, 8, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 60 * MIN_MS);
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_late_supply));
    assert_true(fixture_told(f, GUARD, TIDE_NOTICE_KIND_late_supply));
    fixture_sensor(f, fixture_booking(f, id)->slot, TIDE_OCCUPANCY_free);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_late_supply));
}

static void an_owner_who_finds_his_slot_taken_gets_a_substitute(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    struct tide_command command = fixture_camera(f, 1, 1);
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open); /* he is let in all the same */
    assert_non_null(fixture_incident(f, TIDE_INCIDENT_KIND_owner_taken));
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_owner_taken));
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_substitute));
    assert_true(fixture_told(f, GUARD, TIDE_NOTICE_KIND_owner_taken));
    struct tide_notice notice;
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, n, &notice); n++)
        if (notice.person == OWNER)
            assert_true(notice.kind == TIDE_NOTICE_KIND_substitute || notice.booking == 0);
}

static void a_promise_that_cannot_be_kept_is_broken_with_compensation(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    fixture_sensor(f, 7, TIDE_OCCUPANCY_occupied);
    fixture_sensor(f, 8, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 60 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
    CODE_IS(f, ok);
    WHY_IS(f, overstayer);
    struct tide_booking shown = {0};
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_booking, 0, &shown));
    assert_int_equal(shown.state, TIDE_BOOKING_STATE_broken);
    const struct tide_account *account =
        engine_find(f->engine, TIDE_REC_account, HOME_NEIGHBOUR, 0, 0);
    assert_int_equal(account->balance_min, 9000 + 60);
}

static void the_guard_closes_an_incident_a_resident_does_not(void **state)
{
    struct fixture *f = *state;
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    fixture_pass(f, 10 * MIN_MS);
    struct tide_resolve resolve = {.incident =
                                       fixture_incident(f, TIDE_INCIDENT_KIND_stranger)->id};
    fixture_send(f, NEIGHBOUR, TIDE_REC_resolve, &resolve);
    CODE_IS(f, not_authorized);
    fixture_send(f, GUARD, TIDE_REC_resolve, &resolve);
    CODE_IS(f, ok);
    assert_null(fixture_incident(f, TIDE_INCIDENT_KIND_stranger));
}

/* ---- forgetting ----------------------------------------------------------------------------- */
static void forgetting_a_person_names_all_that_must_go(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    fixture_send(f, OWNER, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = NEIGHBOUR});
    CODE_IS(f, not_authorized);
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = NEIGHBOUR});
    CODE_IS(f, ok);
    assert_null(fixture_booking(f, id));
    assert_null(engine_find(f->engine, TIDE_REC_person, NEIGHBOUR, 0, 0));
    unsigned kinds = 0;
    struct tide_forgotten gone;
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_forgotten, n, &gone); n++)
        kinds |= 1u << gone.kind;
    assert_int_equal(kinds, 1u << TIDE_NAME_KIND_full_name | 1u << TIDE_NAME_KIND_phone |
                                1u << TIDE_NAME_KIND_person | 1u << TIDE_NAME_KIND_user |
                                1u << TIDE_NAME_KIND_credential | 1u << TIDE_NAME_KIND_plate);
    fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    CODE_IS(f, not_authorized);
}

static void a_suspended_clock_lets_no_deadline_fall(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 60, 240);
    struct engine_event jump = {.kind = TIDE_REC_clock, .when_ms = f->now_ms};
    jump.as.clock = (struct tide_clock){.old_ms = f->now_ms, .new_ms = f->now_ms, .suspend = 1};
    engine_step(f->engine, &jump, &f->effects);
    fixture_pass(f, 200 * MIN_MS);
    assert_int_equal(fixture_booking(f, id)->state, TIDE_BOOKING_STATE_booked);
    fixture_send(f, NEIGHBOUR, TIDE_REC_clock_accept, &(struct tide_clock_accept){0});
    CODE_IS(f, not_authorized);
    fixture_send(f, CLERK, TIDE_REC_clock_accept, &(struct tide_clock_accept){0});
    CODE_IS(f, ok);
    fixture_pass(f, 0);
    assert_null(fixture_booking(f, id));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_rules),
        T(a_fact_known_already_changes_nothing),
        T(hello_says_where_a_gateway_goes_on),
        T(a_replayed_plate_opens_nothing),
        T(a_resident_user_is_no_gateway_nor_a_guard),
        T(the_guards_hand_always_opens_and_is_written_down),
        T(a_booked_car_read_twice_is_let_in_twice_and_parked_once),
        T(who_comes_early_may_stay_if_his_place_is_free),
        T(silence_makes_a_slot_unknown_never_free),
        T(a_taken_slot_without_a_right_is_a_stranger_after_settling),
        T(the_owners_own_car_is_no_stranger),
        T(a_parked_car_whose_slot_reads_empty_is_a_ghost),
        T(without_a_gate_the_sensor_says_who_came_and_left),
        T(nobody_is_promised_a_slot_on_which_somebody_stands),
        T(a_promise_moves_when_its_slot_is_still_taken),
        T(with_no_other_place_the_driver_and_the_guard_are_told),
        T(an_owner_who_finds_his_slot_taken_gets_a_substitute),
        T(a_promise_that_cannot_be_kept_is_broken_with_compensation),
        T(the_guard_closes_an_incident_a_resident_does_not),
        T(forgetting_a_person_names_all_that_must_go),
        T(a_suspended_clock_lets_no_deadline_fall),
    };
    return cmocka_run_group_tests_name("presence rules", tests, NULL, NULL);
}
