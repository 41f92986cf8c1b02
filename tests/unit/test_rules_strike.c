/* test_rules_strike.c - what is held against a household: made with its evidence, void where others
 * caused it, contested, decided by somebody else, without effect until then, gone after its time.
 */
#include "tests/unit/rules_table.h"

#define DAY (24 * HOUR_MS)
enum { COMMITTEE = PROPERTY, RULES = 3 };

static void set(struct fixture *f, enum tide_setting key, int64_t value)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    fixture_pass(f, 0);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
}

static void accept(struct fixture *f, tide_id user)
{
    fixture_send(f, user, TIDE_REC_accept_rules,
                 &(struct tide_accept_rules){.rules_version = RULES});
    CODE_IS(f, ok);
}

static struct fixture *bound(void)
{
    struct fixture *f = fresh();
    set(f, TIDE_SETTING_rules_text_version, RULES);
    accept(f, NEIGHBOUR);
    accept(f, OWNER);
    return f;
}

static const struct tide_account *account(const struct fixture *f, tide_id household)
{
    return engine_find(f->engine, TIDE_REC_account, household, 0, 0);
}

/* The strike that the last step made or ended. */
static struct tide_strike written(const struct fixture *f)
{
    struct tide_strike strike = {0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_strike, n, &strike); n++)
        continue;
    return strike;
}

static const struct tide_strike *live(const struct fixture *f, tide_id id)
{
    return engine_find(f->engine, TIDE_REC_strike, id, 0, 0);
}

/* Nobody comes for a place by hand; 0 when no strike of it lives. */
static tide_id no_show(struct fixture *f)
{
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 2, 60, 120), 0);
    fixture_pass(f, 91 * MIN_MS);
    tide_id id = written(f).id;
    return live(f, id) != NULL ? id : 0;
}

/* A car stays 35 minutes too long, on a slot by hand of nobody in particular. */
static tide_id overstay(struct fixture *f, tide_id tells)
{
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 2, 0, 60);
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
    fixture_pass(f, 95 * MIN_MS);
    fixture_send(f, tells, TIDE_REC_leave, &(struct tide_leave){.plate = 50});
    CODE_IS(f, ok);
    tide_id id = written(f).id;
    return live(f, id) != NULL ? id : 0;
}

static void contest(struct fixture *f, tide_id user, tide_id strike)
{
    fixture_send(f, user, TIDE_REC_strike_contest, &(struct tide_strike_contest){.strike = strike});
}

static void decide(struct fixture *f, tide_id user, tide_id strike, enum tide_strike_state verdict)
{
    fixture_send(f, user, TIDE_REC_strike_decide,
                 &(struct tide_strike_decide){.strike = strike, .verdict = (uint8_t)verdict});
}

/* ---- evidence ------------------------------------------------------------------------------- */
static void the_evidence_is_shown(void **state)
{
    struct fixture *f = bound();
    tide_id id = no_show(f);
    const struct tide_strike *strike = live(f, id);
    (void)state;
    assert_non_null(strike);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_strike_made));
    assert_int_equal(strike->kind, TIDE_STRIKE_KIND_no_show);
    assert_int_equal(strike->witness, TIDE_WITNESS_clock);
    assert_int_equal(strike->minutes, 30);
    assert_int_equal(strike->at_ms, MONDAY_0800 + 90 * MIN_MS);
    assert_int_equal(strike->rules_version, RULES);
    assert_int_equal(strike->contest_until_ms, f->now_ms + 7 * DAY);
    done(f);
    f = bound();
    id = overstay(f, GUARD);
    strike = live(f, id);
    assert_non_null(strike);
    assert_int_equal(strike->kind, TIDE_STRIKE_KIND_overstay);
    assert_int_equal(strike->witness, TIDE_WITNESS_hand);
    assert_int_equal(strike->reporter, GUARD);
    assert_int_not_equal(strike->incident, 0);
    assert_int_equal(strike->minutes, 35);
    assert_int_equal(strike->start_ms, MONDAY_0800 + HOUR_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_ask_strikes, &(struct tide_ask_strikes){0});
    struct tide_strike shown = {0};
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_strike, 0, &shown));
    assert_memory_equal(&shown, strike, sizeof shown);
    fixture_send(f, OWNER, TIDE_REC_ask_strikes,
                 &(struct tide_ask_strikes){.household = HOME_NEIGHBOUR});
    CODE_IS(f, not_authorized);
    done(f);
}

/* ---- void from the beginning -------- */
enum cause {
    NOTHING,
    NO_RULES,
    NOT_ACCEPTED,
    SENSOR_SILENT,
    SENSOR_TAKEN,
    SENSOR_CHANGED,
    BLACKOUT,
    OVERSTAYER,
    GATE_BEFORE,
    GATE_WHILE
};

static void gate_alone(struct fixture *f, tide_ms device_ms)
{
    struct tide_gate_report report = {.lane = 1,
                                      .plate = 70,
                                      .decision = TIDE_DECISION_deny,
                                      .device_ms = device_ms,
                                      .boot = 1,
                                      .seq = ++f->seq};
    fixture_send(f, GATEWAY, TIDE_REC_gate_report, &report);
    CODE_IS(f, ok);
}

/* Before the promise begins (now is 08:30, it begins at 09:00 in zone 1, or zone 3 where only
 * sensors watch). */
static void cause_before(struct fixture *f, enum cause cause, tide_id slot)
{
    if (cause == NO_RULES)
        set(f, TIDE_SETTING_rules_text_version, 0);
    if (cause == NOT_ACCEPTED)
        set(f, TIDE_SETTING_rules_text_version, RULES + 1);
    if (cause != SENSOR_SILENT)
        fixture_sensor(f, slot,
                       cause == OVERSTAYER ? TIDE_OCCUPANCY_occupied : TIDE_OCCUPANCY_free);
    if (cause == BLACKOUT) {
        struct tide_blackout order = {
            .slot = slot, .start_ms = MONDAY_0800 + HOUR_MS, .end_ms = MONDAY_0800 + 2 * HOUR_MS};
        fixture_send(f, CLERK, TIDE_REC_blackout, &order);
        CODE_IS(f, ok);
    }
    if (cause == GATE_BEFORE)
        gate_alone(f, f->now_ms);
}

static void cause_while(struct fixture *f, enum cause cause, tide_id slot)
{
    if (cause == GATE_WHILE)
        gate_alone(f, f->now_ms);
    if (cause == SENSOR_TAKEN || cause == SENSOR_CHANGED)
        fixture_sensor(f, slot, TIDE_OCCUPANCY_occupied);
    if (cause == SENSOR_CHANGED)
        fixture_sensor(f, slot, TIDE_OCCUPANCY_free);
}

static void causes_of_others_make_it_void(void **state)
{
    static const struct {
        const char *rule;
        enum cause cause;
        const char *why; /* none: it lives */
    } rows[] = {
        {"nothing speaks for him", NOTHING, "none"},
        {"no rules text", NO_RULES, "rules_not_accepted"},
        {"a newer version than he accepted", NOT_ACCEPTED, "rules_not_accepted"},
        {"the sensor says nothing", SENSOR_SILENT, "sensor_unsure"},
        {"another car took the slot", SENSOR_TAKEN, "overstayer"},
        {"the sensor changed meanwhile", SENSOR_CHANGED, "sensor_unsure"},
        {"moved by a blackout", BLACKOUT, "blackout"},
        {"the slot was still taken", OVERSTAYER, "overstayer"},
        {"the gate was alone before", GATE_BEFORE, "none"},
        {"the gate was alone meanwhile", GATE_WHILE, "local_list"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = bound();
        uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
        fixture_pass(f, 30 * MIN_MS);
        for (tide_id slot = 1; slot <= 4 && rows[i].cause != SENSOR_SILENT; slot++)
            if (slot != fixture_booking(f, booking)->slot)
                fixture_sensor(f, slot, TIDE_OCCUPANCY_free);
        cause_before(f, rows[i].cause, fixture_booking(f, booking)->slot);
        fixture_pass(f, 35 * MIN_MS);
        cause_while(f, rows[i].cause, fixture_booking(f, booking)->slot);
        fixture_pass(f, 30 * MIN_MS);
        struct tide_strike strike = written(f);
        if (strike.id == 0 || strcmp(why_name(strike.why), rows[i].why) != 0)
            fail_msg("%s: seen %s", rows[i].rule, why_name(strike.why));
        assert_int_equal(strike.state, strike.why == TIDE_WHY_none ? TIDE_STRIKE_STATE_pending
                                                                   : TIDE_STRIKE_STATE_void);
        assert_int_equal(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_strike_made),
                         strike.why == TIDE_WHY_none);
        assert_int_equal(live(f, strike.id) != NULL, strike.why == TIDE_WHY_none);
        done(f);
    }
}

static void a_recall_frees_from_the_charge(void **state)
{
    struct fixture *f = bound();
    uint8_t blob[256];
    uint32_t booking = 0;
    (void)state;
    for (tide_id plate = 60; booking == 0 || fixture_booking(f, booking)->slot != 1; plate++)
        booking = fixture_book(f, NEIGHBOUR, plate, 1, 0, 60);
    tide_id plate = fixture_booking(f, booking)->plate;
    fixture_send(f, NEIGHBOUR, TIDE_REC_arrive, &(struct tide_arrive){.booking = booking});
    CODE_IS(f, ok);
    fixture_sensor(f, 1, TIDE_OCCUPANCY_occupied);
    struct tide_window recall = {.slot = 1,
                                 .kind = TIDE_WINDOW_KIND_recall,
                                 .start_ms = MONDAY_0800 + 30 * MIN_MS,
                                 .end_ms = MONDAY_0800 + 2 * HOUR_MS};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_window, &recall), TIDE_REC_put);
    CODE_IS(f, ok);
    fixture_pass(f, 95 * MIN_MS);
    fixture_send(f, NEIGHBOUR, TIDE_REC_leave, &(struct tide_leave){.plate = plate});
    struct tide_strike strike = written(f);
    assert_int_equal(strike.kind, TIDE_STRIKE_KIND_overstay);
    assert_string_equal(why_name(strike.why), "recall");
    assert_int_equal(strike.charge_min, 35);
    assert_int_equal(account(f, HOME_NEIGHBOUR)->pending_min, 0);
    done(f);
}

static void a_gate_that_tells_late_frees_too(void **state)
{
    struct fixture *f = bound();
    tide_id id;
    (void)state;
    uint32_t booking = fixture_book(f, NEIGHBOUR, 50, 1, 60, 120);
    fixture_sensor(f, fixture_booking(f, booking)->slot, TIDE_OCCUPANCY_free);
    fixture_pass(f, 91 * MIN_MS);
    id = written(f).id;
    assert_non_null(live(f, id));
    fixture_pass(f, 20 * MIN_MS);
    gate_alone(f, MONDAY_0800 + 50 * MIN_MS);
    assert_non_null(live(f, id)); /* before his time */
    gate_alone(f, MONDAY_0800 + 70 * MIN_MS);
    assert_null(live(f, id));
    assert_int_equal(written(f).why, TIDE_WHY_local_list);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_strike_decided));
    done(f);
}

/* ---- contested, decided -------- */
static void who_may_what(void **state)
{
    struct fixture *f = bound();
    uint8_t blob[256];
    size_t at = 0;
    (void)state;
    ROW(role_row, NEIGHBOUR, TIDE_ROLE_committee, COMPOUND);
    ROW(role_row, GUARD, TIDE_ROLE_committee, COMPOUND);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    tide_id id = overstay(f, GUARD);
    decide(f, PROPERTY, id, TIDE_STRIKE_STATE_void);
    expect(f, "nobody contested it", "conflict", "too_early");
    contest(f, OWNER, id);
    expect(f, "not by another household", "not_authorized", "not_yours");
    contest(f, NEIGHBOUR, 99);
    expect(f, "there is none", "not_found", "none");
    contest(f, CLERK, id);
    expect(f, "at the desk", "ok", "none");
    assert_true(fixture_told(f, PROPERTY, TIDE_NOTICE_KIND_strike_contested));
    assert_int_equal(live(f, id)->decide_until_ms, f->now_ms + 14 * DAY);
    contest(f, NEIGHBOUR, id);
    expect(f, "once is enough", "conflict", "duplicate");
    decide(f, CLERK, id, TIDE_STRIKE_STATE_void);
    expect(f, "the desk does not decide", "not_authorized", "role_missing");
    decide(f, NEIGHBOUR, id, TIDE_STRIKE_STATE_void);
    expect(f, "the party does not", "not_authorized", "own_case");
    decide(f, GUARD, id, TIDE_STRIKE_STATE_upheld);
    expect(f, "who reported it does not", "not_authorized", "own_case");
    decide(f, PROPERTY, id, TIDE_STRIKE_STATE_expired);
    expect(f, "no verdict", "invalid", "none");
    fixture_send(f, PROPERTY, TIDE_REC_ask_strikes, &(struct tide_ask_strikes){.zone = 2});
    struct tide_strike shown = {0};
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_strike, 0, &shown));
    assert_int_equal(shown.id, id);
    fixture_send(f, OWNER, TIDE_REC_ask_strikes, &(struct tide_ask_strikes){.zone = 2});
    expect(f, "that list is for those who decide", "not_authorized", "role_missing");
    decide(f, PROPERTY, id, TIDE_STRIKE_STATE_void);
    expect(f, "the property does", "ok", "none");
    assert_int_equal(written(f).decided_by, PROPERTY);
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_strike_decided));
    decide(f, PROPERTY, id, TIDE_STRIKE_STATE_upheld);
    expect(f, "it is over", "conflict", "already_ended");
    done(f);
}

/* Deadlines stand still while the clock is doubted; what is too late is too late all the same. */
static void too_late_while_the_clock_is_doubted(void **state)
{
    (void)state;
    for (unsigned contested = 0; contested <= 1; contested++) {
        struct fixture *f = bound();
        tide_id id = overstay(f, GUARD);
        if (contested)
            contest(f, NEIGHBOUR, id);
        struct engine_event jump = {.kind = TIDE_REC_clock, .when_ms = f->now_ms};
        jump.as.clock = (struct tide_clock){.old_ms = f->now_ms, .new_ms = f->now_ms, .suspend = 1};
        engine_step(f->engine, &jump, &f->effects);
        fixture_pass(f, 15 * DAY);
        assert_non_null(live(f, id)); /* no deadline fell */
        if (contested)
            decide(f, PROPERTY, id, TIDE_STRIKE_STATE_upheld);
        else
            contest(f, NEIGHBOUR, id);
        expect(f, "its time is over", "conflict", "already_ended");
        done(f);
    }
}

/* ---- charges -------- */
static void a_charge_waits_for_its_strike(void **state)
{
    enum { UNOPPOSED, UPHELD, VOIDED, UNDECIDED, FORGOTTEN };
    (void)state;
    for (int way = UNOPPOSED; way <= FORGOTTEN; way++) {
        struct fixture *f = bound();
        tide_id id = overstay(f, NEIGHBOUR);
        int32_t balance = account(f, HOME_NEIGHBOUR)->balance_min;
        assert_int_equal(account(f, HOME_NEIGHBOUR)->pending_min, 35);
        if (way != UNOPPOSED)
            contest(f, NEIGHBOUR, id);
        fixture_pass(f, 7 * DAY - MIN_MS);
        assert_int_equal(account(f, HOME_NEIGHBOUR)->balance_min, balance); /* nothing yet */
        if (way == UPHELD || way == VOIDED)
            decide(f, PROPERTY, id,
                   way == UPHELD ? TIDE_STRIKE_STATE_upheld : TIDE_STRIKE_STATE_void);
        if (way == FORGOTTEN)
            fixture_send(f, NEIGHBOUR, TIDE_REC_forget,
                         &(struct tide_forget){TIDE_NAME_KIND_person, NEIGHBOUR});
        fixture_pass(f, (way == UNDECIDED ? 8 : 1) * DAY);
        bool charged = way == UNOPPOSED || way == UPHELD;
        if (f->now_ms < MONDAY_0800 + 11 * DAY) /* before the next month's grant */
            assert_int_equal(account(f, HOME_NEIGHBOUR)->balance_min, balance - 35 * charged);
        assert_int_equal(account(f, HOME_NEIGHBOUR)->pending_min, 0);
        assert_int_equal(live(f, id) != NULL, charged);
        if (charged)
            assert_int_equal(live(f, id)->charged_min, 35);
        if (way == UNDECIDED)
            assert_int_equal(written(f).why, TIDE_WHY_undecided);
        done(f);
    }
}

/* ---- what it does -------- */
static void only_what_is_upheld_counts_and_it_expires(void **state)
{
    struct fixture *f = bound();
    (void)state;
    set(f, TIDE_SETTING_strikes_max, 1);
    set(f, TIDE_SETTING_strike_life_days, 10);
    tide_id id = no_show(f);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 51, 2, 1440 + 60, 1440 + 120),
                         0); /* none yet */
    tide_ms expires = live(f, id)->expires_ms;
    fixture_pass(f, 7 * DAY);
    assert_int_equal(live(f, id)->state, TIDE_STRIKE_STATE_upheld);
    int now_min = (int)((f->now_ms - MONDAY_0800) / MIN_MS) / 5 * 5;
    fixture_book(f, NEIGHBOUR, 52, 2, now_min + 130, now_min + 190);
    expect(f, "only what starts soon", "quota", "strikes");
    assert_true(f->reply.limit >= 1);
    assert_true(f->reply.free_from_ms == expires);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 52, 2, now_min + 115, now_min + 190), 0);
    assert_int_not_equal(fixture_book(f, OWNER, 53, 2, now_min + 130, now_min + 190), 0);
    set(f, TIDE_SETTING_strikes_max, 0);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 54, 2, now_min + 1500, now_min + 1530), 0);
    fixture_pass(f, expires - f->now_ms);
    assert_null(live(f, id));
    assert_false(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_strike_decided)); /* quietly */
    done(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_evidence_is_shown),
        cmocka_unit_test(causes_of_others_make_it_void),
        cmocka_unit_test(a_recall_frees_from_the_charge),
        cmocka_unit_test(a_gate_that_tells_late_frees_too),
        cmocka_unit_test(who_may_what),
        cmocka_unit_test(too_late_while_the_clock_is_doubted),
        cmocka_unit_test(a_charge_waits_for_its_strike),
        cmocka_unit_test(only_what_is_upheld_counts_and_it_expires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
