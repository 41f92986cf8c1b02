/* test_rules_edges.c - what is rare and decided all the same: papers that ran out, gateways that
 * have lost their role, arms that nobody watches, a house that is full, a month with many homes.
 */
#include "tests/unit/rules_table.h"

#define PUT(f, kind, ...) put_one(f, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})

static void put_one(struct fixture *f, unsigned kind, const void *row)
{
    uint8_t blob[512];
    fixture_pass(f, 0); /* what is due comes first */
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, kind, row), TIDE_REC_put);
    CODE_IS(f, ok);
}

static unsigned sessions(const struct fixture *f)
{
    uint32_t cursor = 0;
    unsigned count = 0;
    while (engine_next(f->engine, TIDE_REC_session, &cursor) != NULL)
        count++;
    return count;
}

static const struct tide_session *session_of_plate(const struct fixture *f, tide_id plate)
{
    uint32_t cursor = 0;
    const struct tide_session *session;
    while ((session = engine_next(f->engine, TIDE_REC_session, &cursor)) != NULL)
        if (session->plate == plate)
            return session;
    return NULL;
}

/* ---- the gate ------------------------------------------------------------------------------- */
/* A right ends with its last moment; a plate that was read twice is still the same car. */
static void rights_that_run_out(void **state)
{
    static const struct {
        const char *rule;
        int at_min;
        tide_id plate, alt1, alt2;
        unsigned plate_class;
        unsigned kind;
        const char *why;
    } rows[] = {
        {"until nine, at a minute to", 59, 60, 0, 0, 0, TIDE_COMMAND_KIND_open, "resident"},
        {"until nine, at nine", 60, 60, 0, 0, 0, TIDE_COMMAND_KIND_deny, "unknown_plate"},
        {"an ambulance until nine", 59, 61, 0, 0, 0, TIDE_COMMAND_KIND_open, "emergency"},
        {"which has become a car", 60, 61, 0, 0, 0, TIDE_COMMAND_KIND_deny, "unknown_plate"},
        {"blocked until nine", 59, 62, 0, 0, 0, TIDE_COMMAND_KIND_deny, "blocked"},
        {"and then a stranger", 60, 62, 0, 0, 0, TIDE_COMMAND_KIND_deny, "unknown_plate"},
        {"the armed police", 0, 90, 0, 0, TIDE_PLATE_CLASS_armed_police, TIDE_COMMAND_KIND_open,
         "emergency"},
        {"a taxi", 0, 90, 0, 0, TIDE_PLATE_CLASS_ordinary, TIDE_COMMAND_KIND_deny, "unknown_plate"},
        {"the same candidate twice", 0, 90, 1, 1, 0, TIDE_COMMAND_KIND_open, "misread"},
        {"a candidate without a right", 0, 90, 91, 0, 0, TIDE_COMMAND_KIND_deny, "unknown_plate"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        tide_ms nine = MONDAY_0800 + HOUR_MS;
        PUT(f, vehicle, 60, HOME_NEIGHBOUR, TIDE_VEHICLE_KIND_resident, nine);
        PUT(f, vehicle, 61, 0, TIDE_VEHICLE_KIND_emergency, nine);
        PUT(f, vehicle, 62, 0, TIDE_VEHICLE_KIND_blocked, nine);
        fixture_pass(f, rows[i].at_min * MIN_MS);
        struct tide_command command = {0};
        struct tide_plate_seen seen = {.lane = 1,
                                       .plate = rows[i].plate,
                                       .plate_class = (uint8_t)rows[i].plate_class,
                                       .alt1 = rows[i].alt1,
                                       .alt2 = rows[i].alt2,
                                       .boot = 1,
                                       .seq = 1};
        fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
        assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
        if (command.kind != rows[i].kind || strcmp(why_name(command.why), rows[i].why) != 0)
            fail_msg("%s: seen %u %s", rows[i].rule, command.kind, why_name(command.why));
        done(f);
    }
}

/* The list that a gateway decides by when nobody answers. */
static void who_is_on_the_list(void **state)
{
    struct fixture *f = *state;
    tide_ms early = engine_setting(f->engine, TIDE_SETTING_early_min) * MIN_MS;
    uint32_t first = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 1, 200, 260), 0);
    PUT(f, vehicle, 60, HOME_OWNER, TIDE_VEHICLE_KIND_resident, MONDAY_0800 + HOUR_MS);
    const struct {
        const char *rule;
        tide_id plate, place;
        bool passes;
        tide_ms from_ms, until_ms;
        uint32_t booking;
    } rows[] = {
        {"a resident for good", 1, COMPOUND, true, 0, 0, 0},
        {"a resident until nine", 60, COMPOUND, true, 0, MONDAY_0800 + HOUR_MS, 0},
        {"in the whole community", 1, COMMUNITY, true, 0, 0, 0},
        {"an ambulance", 3, COMPOUND, true, 0, 0, 0},
        {"a blocked one", 4, COMPOUND, false, 0, 0, 0},
        {"a stranger", 90, COMPOUND, false, 0, 0, 0},
        {"two promises, from the first to the last", 50, COMPOUND, true,
         MONDAY_0800 + HOUR_MS - early, MONDAY_0800 + 260 * MIN_MS, first},
        {"promises elsewhere", 50, COMMUNITY, false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tide_ms from_ms = -1, until_ms = -1;
        tide_id booking = 99;
        bool passes =
            engine_pass_of(f->engine, rows[i].plate, rows[i].place, &from_ms, &until_ms, &booking);
        if (passes != rows[i].passes ||
            (passes && (from_ms != rows[i].from_ms || until_ms != rows[i].until_ms ||
                        booking != rows[i].booking)))
            fail_msg("%s: %d from %lld until %lld for %u", rows[i].rule, passes, (long long)from_ms,
                     (long long)until_ms, booking);
    }
}

/* What a gateway decided by itself is written down as it was, and moves the cars. */
static void reports_of_a_gateway_alone(void **state)
{
    static const struct {
        const char *rule;
        tide_id lane, plate;
        unsigned decision, before, after;
    } rows[] = {
        {"a resident was let in", 1, 2, TIDE_DECISION_open, 1, 2},
        {"and one turned away", 1, 2, TIDE_DECISION_deny, 1, 1},
        {"one was let out", 2, 1, TIDE_DECISION_open, 1, 0},
        {"the arm did not lift for it", 2, 1, TIDE_DECISION_deny, 1, 1},
        {"nothing readable", 1, 0, TIDE_DECISION_open, 1, 1},
        {"a stranger out", 2, 90, TIDE_DECISION_open, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_passage passage = {0};
        struct tide_command command;
        fixture_camera(f, 1, 1);
        assert_int_equal(sessions(f), rows[i].before);
        struct tide_gate_report report = {.lane = rows[i].lane,
                                          .plate = rows[i].plate,
                                          .decision = (uint8_t)rows[i].decision,
                                          .device_ms = 5,
                                          .boot = 1,
                                          .seq = ++f->seq};
        fixture_send(f, GATEWAY, TIDE_REC_gate_report, &report);
        expect(f, rows[i].rule, "ok", "none");
        if (sessions(f) != rows[i].after)
            fail_msg("%s: %u cars", rows[i].rule, sessions(f));
        assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_passage, 0, &passage));
        assert_int_equal(passage.decision, rows[i].decision);
        assert_int_equal(passage.why, TIDE_WHY_local_list);
        assert_int_equal(passage.replayed, 1);
        assert_int_equal(passage.device_ms, 5);
        assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
        done(f);
    }
}

static void hands_at_lanes(void **state)
{
    struct fixture *f = *state;
    struct tide_command command;
    PUT(f, lane, 3, COMPOUND, TIDE_LANE_DIR_both, 0);
    fixture_send(f, GUARD, TIDE_REC_hand, &(struct tide_hand){.lane = 9});
    expect(f, "no such lane", "not_found", "none");
    fixture_send(f, GUARD, TIDE_REC_hand, &(struct tide_hand){1, 2, 0});
    CODE_IS(f, ok);
    assert_int_equal(sessions(f), 1);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
    assert_int_equal(command.kind, TIDE_COMMAND_KIND_open);
    fixture_send(f, GUARD, TIDE_REC_hand, &(struct tide_hand){.lane = 2});
    CODE_IS(f, ok);
    assert_int_equal(sessions(f), 1); /* nobody said who */
    fixture_send(f, GUARD, TIDE_REC_hand, &(struct tide_hand){2, 2, 0});
    CODE_IS(f, ok);
    assert_int_equal(sessions(f), 0);
    for (unsigned n = 0; n < 2; n++) { /* in and out at an arm that the guard lifts himself */
        struct tide_hand hand = {
            .lane = 3, .plate = 2, .dir = n == 0 ? TIDE_LANE_DIR_in : TIDE_LANE_DIR_out};
        fixture_send(f, GUARD, TIDE_REC_hand, &hand);
        CODE_IS(f, ok);
        assert_int_equal(sessions(f), 1 - n);
        assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command));
    }
}

/* ---- gateways ------------------------------------------------------------------------------- */
static void send_fact(struct fixture *f, tide_id user, unsigned kind, tide_id lane, uint32_t seq)
{
    union tide_any any = {.setting_row = {0}};
    switch (kind) {
    case TIDE_REC_plate_seen:
        any.plate_seen = (struct tide_plate_seen){.lane = lane, .plate = 1, .boot = 1, .seq = seq};
        break;
    case TIDE_REC_gate_report:
        any.gate_report = (struct tide_gate_report){
            .lane = lane, .plate = 1, .decision = TIDE_DECISION_open, .boot = 1, .seq = seq};
        break;
    case TIDE_REC_slot_seen:
        any.slot_seen = (struct tide_slot_seen){
            .slot = lane, .state = TIDE_OCCUPANCY_occupied, .boot = 1, .seq = seq};
        break;
    case TIDE_REC_command_done:
        any.command_done = (struct tide_command_done){.command = 1, .boot = 1, .seq = seq};
        break;
    default:
        any.hello = (struct tide_hello){.boot = 1, .seq = seq};
        break;
    }
    fixture_send(f, user, kind, &any);
}

static void a_gateway_without_its_role_is_nobody(void **state)
{
    static const unsigned facts[] = {TIDE_REC_plate_seen, TIDE_REC_gate_report, TIDE_REC_slot_seen,
                                     TIDE_REC_command_done, TIDE_REC_hello};
    struct fixture *f = *state;
    PUT(f, person, 20, 0, 0);
    PUT(f, user, 20, 20, TIDE_USER_KIND_gateway, 0);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        uint8_t before[32], after[32];
        engine_digest(f->engine, before);
        send_fact(f, 20, facts[i], 1, 1);
        expect(f, tide_record_of(facts[i])->name, "not_authorized", "role_missing");
        engine_digest(f->engine, after);
        assert_memory_equal(before, after, sizeof before);
    }
}

/* Whose lane it is not: taken, so that it is not sent for ever, and nothing moves. */
static void another_ones_lane(void **state)
{
    static const unsigned facts[] = {TIDE_REC_plate_seen, TIDE_REC_gate_report};
    struct fixture *f = *state;
    struct tide_passage passage;
    uint32_t seq = 0;
    PUT(f, person, 20, 0, 0);
    PUT(f, role_row, 20, TIDE_ROLE_gateway, COMPOUND);
    PUT(f, user, 20, 20, TIDE_USER_KIND_gateway, 0);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        for (tide_id lane = 1; lane <= 9; lane += 8) { /* the other's, and none */
            send_fact(f, 20, facts[i], lane, ++seq);
            expect(f, tide_record_of(facts[i])->name, "ok", "not_yours");
            assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_passage, 0, &passage));
            assert_int_equal(sessions(f), 0);
        }
    send_fact(f, 20, TIDE_REC_slot_seen, 30, ++seq);
    expect(f, "no such slot", "ok", "not_yours");
    send_fact(f, 20, TIDE_REC_slot_seen, 2, ++seq);
    expect(f, "a slot", "ok", "none");
}

/* ---- by hand -------------------------------------------------------------------------------- */
static void the_guard_says_who_stands_where(void **state)
{
    static const struct {
        const char *rule;
        tide_id user, plate, slot;
        const char *code, *why;
        int right; /* of the session; -1: there is none */
    } rows[] = {
        {"the owner on his own", GUARD, 1, 1, "ok", "none", TIDE_SESSION_RIGHT_standing},
        {"a neighbour on the owner's", GUARD, 2, 1, "ok", "none", TIDE_SESSION_RIGHT_none},
        {"a neighbour on a common one", GUARD, 2, 4, "ok", "none", TIDE_SESSION_RIGHT_standing},
        {"a neighbour on a promised one", GUARD, 2, 2, "ok", "none", TIDE_SESSION_RIGHT_none},
        {"a stranger", GUARD, 90, 4, "ok", "none", TIDE_SESSION_RIGHT_none},
        {"where somebody stands", GUARD, 90, 3, "conflict", "in_use", -1},
        {"no such slot", GUARD, 90, 30, "not_found", "none", -1},
        {"no slot", GUARD, 90, 0, "not_found", "none", -1},
        {"nobody", GUARD, 0, 4, "not_found", "unknown_plate", -1},
        {"says a neighbour", NEIGHBOUR, 90, 4, "not_authorized", "role_missing", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        while (fixture_book(f, NEIGHBOUR, 50 + f->seq, 1, 0, 300) != 0 &&
               fixture_booking(f, f->reply.id)->slot != 2)
            f->seq++;
        CODE_IS(f, ok);
        fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.plate = 80, .slot = 3});
        CODE_IS(f, ok);
        struct tide_arrive arrive = {.plate = rows[i].plate, .slot = rows[i].slot};
        fixture_send(f, rows[i].user, TIDE_REC_arrive, &arrive);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        const struct tide_session *there = session_of_plate(f, rows[i].plate);
        if ((there == NULL) != (rows[i].right < 0) ||
            (there != NULL && there->right != rows[i].right))
            fail_msg("%s: %s", rows[i].rule, there == NULL ? "no session" : "another right");
        struct tide_incident incident = {0};
        bool opened = fixture_effect(f, ENGINE_PUT, TIDE_REC_incident, 0, &incident);
        assert_int_equal(opened, rows[i].right == TIDE_SESSION_RIGHT_none);
        assert_int_equal(incident.plate, opened ? rows[i].plate : 0);
        done(f);
    }
}

/* Before his time somebody may come in if his place is free until then, and nobody loses by it. */
static void too_early_is_told_with_its_time(void **state)
{
    static const struct {
        const char *rule;
        bool sensor_says_taken, others_before, no_minutes;
        const char *code, *why;
    } rows[] = {
        {"free until then", false, false, false, "ok", "none"},
        {"somebody stands there", true, false, false, "conflict", "too_early"},
        {"promised until then", false, true, false, "conflict", "too_early"},
        {"no minutes for it", false, false, true, "conflict", "too_early"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        PUT(f, setting_row, TIDE_SETTING_grant_min, rows[i].no_minutes ? 119 : 120);
        PUT(f, place, 20, TIDE_PLACE_KIND_household, COMMUNITY);
        PUT(f, person, 20, 20, 0);
        PUT(f, user, 20, 20, TIDE_USER_KIND_app, 0);
        for (tide_id n = 0; n < 2 && rows[i].others_before; n++)
            assert_int_not_equal(fixture_book(f, OUTSIDER, 70 + n, 2, 0, 20), 0);
        uint32_t id = fixture_book(f, 20, 50, 2, 20, 120);
        CODE_IS(f, ok);
        tide_id slot = fixture_booking(f, id)->slot;
        if (rows[i].sensor_says_taken)
            fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
        fixture_send(f, 20, TIDE_REC_arrive, &(struct tide_arrive){.booking = id});
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        bool in = f->reply.code == TIDE_CODE_ok;
        if (!in)
            assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + 20 * MIN_MS);
        assert_int_equal(fixture_booking(f, id)->start_ms,
                         in ? MONDAY_0800 : MONDAY_0800 + 20 * MIN_MS);
        assert_int_equal(fixture_booking(f, id)->held_min, in ? 120 : 100);
        assert_int_equal(sessions(f), in ? 1 : 0);
        done(f);
    }
}

/* ---- a full house --------------------------------------------------------------------------- */
#define SESSIONS_MAX 64u /* of the fixture */

static void a_full_house_still_lets_its_own_in(void **state)
{
    struct fixture *f = *state;
    struct tide_passage passage = {0};
    uint32_t booked = fixture_book(f, OUTSIDER, 50, 2, 0, 60);
    for (tide_id plate = 100; plate < 160; plate++)
        PUT(f, vehicle, plate, HOME_NEIGHBOUR, TIDE_VEHICLE_KIND_resident, 0);
    for (tide_id plate = 100; plate < 160; plate++)
        assert_int_equal(fixture_camera(f, 1, plate).kind, TIDE_COMMAND_KIND_open);
    for (tide_id slot = 1; slot <= 4; slot++) {
        fixture_send(f, GUARD, TIDE_REC_arrive,
                     &(struct tide_arrive){.plate = 80 + slot, .slot = slot});
        CODE_IS(f, ok);
    }
    assert_int_equal(sessions(f), SESSIONS_MAX);
    fixture_send(f, GUARD, TIDE_REC_arrive, &(struct tide_arrive){.plate = 90, .slot = 7});
    expect(f, "one more by hand", "full", "pool_full");
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = booked});
    expect(f, "one more with a promise", "full", "pool_full");
    assert_int_equal(fixture_booking(f, booked)->state, TIDE_BOOKING_STATE_booked);
    assert_int_equal(fixture_camera(f, 1, 2).kind, TIDE_COMMAND_KIND_open); /* he lives here */
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_passage, 0, &passage));
    assert_int_equal(passage.session, 0);
    assert_int_equal(sessions(f), SESSIONS_MAX);
    fixture_camera(f, 2, 100);
    fixture_send(f, OUTSIDER, TIDE_REC_arrive, &(struct tide_arrive){.booking = booked});
    expect(f, "one went", "ok", "none");
    assert_int_equal(sessions(f), SESSIONS_MAX);
}

/* ---- a month with many homes ---------------------------------------------------------------- */
#define HOMES 200u /* more than are granted in one step */

static int homes_set_up(void **state)
{
    static uint8_t blob[16384];
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    f->effects.buf = malloc(f->effects.cap);
    f->now_ms = MONDAY_0800;
    struct engine_limits limits = {
        .places = 300, .persons = 300, .users = 8, .zones = 64, .slots = 64};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    f->memory = aligned_alloc(64, size);
    assert_non_null(f->memory);
    f->engine = engine_init(f->memory, size, &limits);
    fixture_genesis(f);
    for (unsigned first = 0; first < HOMES; first += 50) {
        size_t at = 0;
        for (unsigned n = first; n < first + 50; n++)
            ROW(place, 10 + n, TIDE_PLACE_KIND_household, COMMUNITY);
        fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
        CODE_IS(f, ok);
    }
    *state = f;
    return 0;
}

static const struct tide_account *account(const struct fixture *f, tide_id household)
{
    return engine_find(f->engine, TIDE_REC_account, household, 0, 0);
}

static void every_home_gets_its_month_once(void **state)
{
    struct fixture *f = *state;
    int32_t grant = (int32_t)engine_setting(f->engine, TIDE_SETTING_grant_min);
    assert_int_equal(engine_pool_used_pct(f->engine), (HOMES + 1) * 100 / 300);
    struct engine_event jump = {.kind = TIDE_REC_clock, .when_ms = f->now_ms};
    jump.as.clock = (struct tide_clock){f->now_ms, f->now_ms, 1};
    engine_step(f->engine, &jump, &f->effects);
    fixture_pass(f, 12 * TIDE_DAY_MS); /* June, and nobody knows whether it is true */
    PUT(f, place, 250, TIDE_PLACE_KIND_household, COMMUNITY);
    assert_int_equal(account(f, 250)->balance_min, grant);
    assert_int_equal(account(f, 10)->balance_min, grant);
    fixture_send(f, ADMIN, TIDE_REC_clock_accept, &(struct tide_clock_accept){0});
    for (unsigned month = 2; month <= 10; month++) { /* June to February */
        static const int days[] = {0, 30, 31, 31, 30, 31, 30, 31, 31};
        fixture_pass(f, days[month - 2] * TIDE_DAY_MS);
        assert_int_equal(account(f, 10)->granted_month, 2019 * 12 + 4 + (int32_t)month - 1);
        for (tide_id home = 10; home < 10 + HOMES; home++)
            assert_int_equal(account(f, home)->balance_min, (int32_t)month * grant);
        assert_int_equal(account(f, 250)->balance_min, (int32_t)(month - 1) * grant);
        assert_int_equal(account(f, 0)->balance_min, -(int32_t)(month * HOMES + month - 1) * grant);
    }
}

/* Pages of zones: each once, in their order. */
static void more_zones_than_fit_a_page(void **state)
{
    struct fixture *f = *state;
    uint32_t after = 0, seen = 0, pages = 0;
    for (tide_id zone = 1; zone <= 40; zone++)
        PUT(f, zone, zone, COMMUNITY, 0, TIDE_SENSE_HAND);
    do {
        struct tide_zone zone;
        struct tide_zone_now now;
        fixture_send(f, ADMIN, TIDE_REC_ask_zones, &(struct tide_ask_zones){.after = after});
        CODE_IS(f, ok);
        unsigned n = 0;
        for (; fixture_effect(f, ENGINE_ITEM, TIDE_REC_zone, n, &zone); n++) {
            assert_int_equal(zone.id, ++seen);
            assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_zone_now, n, &now));
            assert_int_equal(now.zone, zone.id);
        }
        assert_in_range(n, 1, TIDE_REPLY_ITEMS_MAX / 2);
        after = f->reply.id;
        pages++;
    } while (f->reply.more);
    assert_int_equal(seen, 40);
    assert_int_equal(pages, 3);
}

/* Nothing to give is given as well: the account says for which month. */
static void a_month_without_minutes(void **state)
{
    struct fixture *f = *state;
    struct tide_account seen = {0};
    struct tide_posting posting;
    PUT(f, setting_row, TIDE_SETTING_grant_min, 0);
    PUT(f, place, 250, TIDE_PLACE_KIND_household, COMMUNITY);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_account, 0, &seen));
    assert_int_equal(seen.household, 250);
    assert_int_equal(seen.balance_min, 0);
    assert_int_equal(seen.granted_month, 2019 * 12 + 4);
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_posting, 0, &posting));
}

/* ---- clocks and papers ---------------------------------------------------------------------- */
static void a_small_jump_suspends_nothing(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 1, 60, 240);
    struct engine_event jump = {.kind = TIDE_REC_clock, .when_ms = f->now_ms};
    struct tide_notice notice;
    jump.as.clock = (struct tide_clock){f->now_ms, f->now_ms + 1, 0};
    f->effects.len = f->effects.count = 0;
    engine_step(f->engine, &jump, &f->effects);
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, 0, &notice));
    assert_int_equal(engine_setting(f->engine, TIDE_SETTING_clock_suspended), 0);
    fixture_pass(f, 200 * MIN_MS);
    assert_null(fixture_booking(f, id)); /* he did not come */
}

static void after_months_away_the_days_are_new(void **state)
{
    struct fixture *f = *state;
    int days = 15 * 7;
    fixture_pass(f, days * TIDE_DAY_MS);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 1, days * 1440 + 60, days * 1440 + 120), 0);
    int horizon = days + (int)engine_setting(f->engine, TIDE_SETTING_horizon_days);
    assert_int_equal(
        fixture_book(f, NEIGHBOUR, 51, 1, horizon * 1440 + 1500, horizon * 1440 + 1560), 0);
    WHY_IS(f, beyond_horizon);
}

static void the_committee_sets_settings_only(void **state)
{
    static const struct rule_row rules[] = {
        RULE_("a setting", 20, setting_row, "ok", "none", TIDE_SETTING_grant_min, 1),
        RULE_("a stair", 20, place, "not_authorized", "role_missing", 21, TIDE_PLACE_KIND_stair,
              COMPOUND),
        RULE_("a car", 20, vehicle, "not_authorized", "role_missing", 60, HOME_OWNER,
              TIDE_VEHICLE_KIND_resident),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct fixture *f = fresh();
        uint8_t blob[512];
        PUT(f, person, 20, 0, 0);
        PUT(f, role_row, 20, TIDE_ROLE_committee, COMMUNITY);
        PUT(f, user, 20, 20, TIDE_USER_KIND_console, 0);
        fixture_put_blob(f, rules[i].user, blob, fixture_row(blob, 0, rules[i].kind, &rules[i].row),
                         TIDE_REC_put);
        expect(f, rules[i].rule, rules[i].code, rules[i].why);
        done(f);
    }
}

/* A car that is put once more changes its home, not its number. */
static void a_car_changes_its_home(void **state)
{
    struct fixture *f = *state;
    PUT(f, vehicle, 2, HOME_OWNER, TIDE_VEHICLE_KIND_resident, 0);
    PUT(f, vehicle, 2, HOME_THIRD, TIDE_VEHICLE_KIND_resident, 0);
    const struct tide_vehicle *vehicle = engine_find(f->engine, TIDE_REC_vehicle, 2, 0, 0);
    assert_int_equal(vehicle->household, HOME_THIRD);
    fixture_camera(f, 1, 2);
    assert_int_equal(session_of_plate(f, 2)->household, HOME_THIRD);
    fixture_camera(f, 2, 2);
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = NEIGHBOUR});
    CODE_IS(f, ok);
    assert_non_null(engine_find(f->engine, TIDE_REC_vehicle, 2, 0, 0)); /* it is not his */
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = THIRD});
    CODE_IS(f, ok);
    assert_null(engine_find(f->engine, TIDE_REC_vehicle, 2, 0, 0));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_that_run_out),
        T(who_is_on_the_list),
        cmocka_unit_test(reports_of_a_gateway_alone),
        T(hands_at_lanes),
        T(a_gateway_without_its_role_is_nobody),
        T(another_ones_lane),
        cmocka_unit_test(the_guard_says_who_stands_where),
        cmocka_unit_test(too_early_is_told_with_its_time),
        T(a_full_house_still_lets_its_own_in),
        cmocka_unit_test_setup_teardown(every_home_gets_its_month_once, homes_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(more_zones_than_fit_a_page, homes_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_month_without_minutes, homes_set_up, fixture_tear_down),
        T(a_small_jump_suspends_nothing),
        T(after_months_away_the_days_are_new),
        cmocka_unit_test(the_committee_sets_settings_only),
        T(a_car_changes_its_home),
    };
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
