/* test_rules_asks.c - who disposes of a slot, who is answered what, and what the answers hold. */
#include "tests/unit/rules_table.h"

/* ---- shares --------------------------------------------------------------------------------- */
static void who_disposes_of_a_slot(void **state)
{
    static const struct {
        const char *rule;
        tide_id user, slot;
        unsigned kind;
        int from_min, until_min;
        const char *share, *recall, *blackout;
    } rows[] = {
        {"its owner", OWNER, 1, TIDE_WINDOW_KIND_once, 0, 60, "ok/none", "ok/none",
         "not_authorized/role_missing"},
        {"a neighbour", NEIGHBOUR, 1, TIDE_WINDOW_KIND_once, 0, 60, "not_authorized/not_yours",
         "not_authorized/not_yours", "not_authorized/role_missing"},
        {"a common slot is nobody's", OWNER, 2, TIDE_WINDOW_KIND_once, 0, 60,
         "not_authorized/not_yours", "not_authorized/not_yours", "not_authorized/role_missing"},
        {"nor one who has no household", GUARD, 2, TIDE_WINDOW_KIND_once, 0, 60,
         "not_authorized/not_yours", "not_authorized/not_yours", "not_authorized/role_missing"},
        {"the desk", CLERK, 1, TIDE_WINDOW_KIND_once, 0, 60, "ok/none", "ok/none", "ok/none"},
        {"no slot", CLERK, 30, TIDE_WINDOW_KIND_once, 0, 60, "not_found/none", "not_found/none",
         "not_found/none"},
        {"over already", CLERK, 1, TIDE_WINDOW_KIND_once, -60, 0, "invalid/none", "invalid/none",
         "invalid/none"},
        {"not over yet", CLERK, 1, TIDE_WINDOW_KIND_once, -60, 1, "ok/none", "ok/none", "ok/none"},
        {"backwards", CLERK, 1, TIDE_WINDOW_KIND_once, 60, 0, "invalid/none", "invalid/none",
         "invalid/none"},
        {"a share is no recall", CLERK, 1, TIDE_WINDOW_KIND_recall, 0, 60, "invalid/none",
         "ok/none", "ok/none"},
        {"nor a blackout", CLERK, 1, TIDE_WINDOW_KIND_blackout, 0, 60, "invalid/none", "ok/none",
         "ok/none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        tide_ms from = MONDAY_0800 + rows[i].from_min * MIN_MS;
        tide_ms until = MONDAY_0800 + rows[i].until_min * MIN_MS;
        const char *expected[] = {rows[i].share, rows[i].recall, rows[i].blackout};
        for (unsigned n = 0; n < 3; n++) {
            char seen[64];
            if (n == 0)
                fixture_send(f, rows[i].user, TIDE_REC_share,
                             &(struct tide_share){.slot = rows[i].slot,
                                                  .kind = (uint8_t)rows[i].kind,
                                                  .start_ms = from,
                                                  .end_ms = until});
            else if (n == 1)
                fixture_send(f, rows[i].user, TIDE_REC_recall,
                             &(struct tide_recall){rows[i].slot, from, until, 0});
            else
                fixture_send(f, rows[i].user, TIDE_REC_blackout,
                             &(struct tide_blackout){rows[i].slot, 0, from, until, 0});
            (void)snprintf(seen, sizeof seen, "%s/%s", code_name(f->reply.code),
                           why_name(f->reply.why));
            if (strcmp(seen, expected[n]) != 0)
                fail_msg("%s, %u: expected %s, seen %s", rows[i].rule, n, expected[n], seen);
        }
        done(f);
    }
}

static void a_share_without_days_is_for_workdays(void **state)
{
    struct fixture *f = *state;
    struct tide_window shown;
    fixture_send(f, OWNER, TIDE_REC_share,
                 &(struct tide_share){.slot = 1, .opens_min = 60, .closes_min = 120});
    CODE_IS(f, ok);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_window, 0, &shown));
    assert_int_equal(shown.days, TIDE_DAYS_WORKDAY);
    assert_int_equal(shown.weekdays, TIDE_WEEKDAYS_ALL);
    assert_int_equal(shown.id, f->reply.id);
    fixture_send(f, NEIGHBOUR, TIDE_REC_unshare, &(struct tide_unshare){.window = shown.id});
    expect(f, "another's window", "not_authorized", "not_yours");
    fixture_send(f, OWNER, TIDE_REC_unshare, &(struct tide_unshare){.window = shown.id});
    expect(f, "his own", "ok", "none");
    fixture_send(f, OWNER, TIDE_REC_unshare, &(struct tide_unshare){.window = shown.id});
    expect(f, "twice", "not_found", "none");
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){1, 0, MONDAY_0800, MONDAY_0800 + HOUR_MS, 0});
    fixture_send(f, OWNER, TIDE_REC_unshare, &(struct tide_unshare){.window = f->reply.id});
    expect(f, "an order is not the owner's to lift", "not_authorized", "role_missing");
}

/* ---- who is answered ------------------------------------------------------------------------ */
static void who_may_ask_what(void **state)
{
    static const struct rule_row rules[] = {
        RULE_("his own inbox", OWNER, ask_inbox, "ok", "none", 0, 0),
        RULE_("his own by name", OWNER, ask_inbox, "ok", "none", 0, OWNER),
        RULE_("another's", OWNER, ask_inbox, "not_authorized", "role_missing", 0, NEIGHBOUR),
        RULE_("the desk asks", CLERK, ask_inbox, "ok", "none", 0, NEIGHBOUR),
        RULE_("his own history", OWNER, ask_history, "ok", "none", 0, 0),
        RULE_("another's history", OWNER, ask_history, "not_authorized", "not_yours",
              HOME_NEIGHBOUR, 0),
        RULE_("the arm's log", GUARD, ask_passages, "ok", "none", 1, 0),
        RULE_("not for residents", OWNER, ask_passages, "not_authorized", "role_missing", 1, 0),
        RULE_("himself", OWNER, ask_person, "ok", "none", OWNER),
        RULE_("another", OWNER, ask_person, "not_authorized", "role_missing", NEIGHBOUR),
        RULE_("the desk looks", CLERK, ask_person, "ok", "none", NEIGHBOUR),
        RULE_("a backup", ADMIN, backup, "ok", "none", 0),
        RULE_("not by the clerk", CLERK, backup, "not_authorized", "role_missing", 0),
        RULE_("his account", OWNER, ask_account, "ok", "none", 0),
        RULE_("another's account", OWNER, ask_account, "not_authorized", "not_yours",
              HOME_NEIGHBOUR),
        RULE_("no household", CLERK, ask_account, "not_found", "none", COMPOUND),
        RULE_("the sheet", GUARD, ask_sheet, "ok", "none", 1, 0, 0, 0),
        RULE_("the sheet of no zone", GUARD, ask_sheet, "not_found", "none", 9, 0, 0, 0),
        RULE_("not for residents", OWNER, ask_sheet, "not_authorized", "role_missing", 1, 0, 0, 0),
        RULE_("incidents", GUARD, ask_incidents, "ok", "none", 0, 0),
        RULE_("not for residents", OWNER, ask_incidents, "not_authorized", "role_missing", 0, 0),
        RULE_("the tide of no zone", OWNER, ask_tide, "not_found", "none", 9, 0, 0),
        RULE_("windows of a common slot", OWNER, ask_shares, "not_authorized", "role_missing", 2,
              0),
        RULE_("... the desk", CLERK, ask_shares, "ok", "none", 2, 0),
        RULE_("windows of another", NEIGHBOUR, ask_shares, "not_authorized", "not_yours", 1, 0),
        RULE_("a place for no zone", OWNER, ask_quote, "not_found", "none", 0, 9, 0, MONDAY_0800,
              MONDAY_0800 + HOUR_MS),
        RULE_("correct himself", OWNER, correct, "ok", "none", TIDE_NAME_KIND_phone, OWNER),
        RULE_("correct another", OWNER, correct, "not_authorized", "role_missing",
              TIDE_NAME_KIND_phone, NEIGHBOUR),
        RULE_("the desk corrects", CLERK, correct, "ok", "none", TIDE_NAME_KIND_phone, OWNER),
        RULE_("correct nobody", CLERK, correct, "not_found", "none", TIDE_NAME_KIND_phone, 50),
        RULE_("correct nothing", CLERK, correct, "not_found", "none", 0, OWNER),
        RULE_("forget himself", OWNER, forget, "ok", "none", TIDE_NAME_KIND_person, OWNER),
        RULE_("forget another", OWNER, forget, "not_authorized", "role_missing",
              TIDE_NAME_KIND_person, NEIGHBOUR),
        RULE_("forget nobody", CLERK, forget, "not_found", "none", TIDE_NAME_KIND_person, 50),
        RULE_("the admin forgets himself", ADMIN, forget, "conflict", "in_use",
              TIDE_NAME_KIND_person, ADMIN),
        RULE_("the clerk the admin", CLERK, forget, "not_authorized", "role_missing",
              TIDE_NAME_KIND_person, ADMIN),
        RULE_("forget a plate", CLERK, forget, "ok", "none", TIDE_NAME_KIND_plate, 60),
        RULE_("... as a resident", OWNER, forget, "not_authorized", "role_missing",
              TIDE_NAME_KIND_plate, 60),
        RULE_("forget no plate", CLERK, forget, "invalid", "none", TIDE_NAME_KIND_plate, 0),
        RULE_("forget a zone", CLERK, forget, "invalid", "none", TIDE_NAME_KIND_zone, 1),
        RULE_("a gateway does not ask", GATEWAY, ask_zones, "not_authorized", "role_missing", 0),
        RULE_("a person tells no facts", OWNER, hello, "not_authorized", "role_missing", 1, 1),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct fixture *f = fresh();
        fixture_send(f, rules[i].user, rules[i].kind, &rules[i].row);
        expect(f, rules[i].rule, rules[i].code, rules[i].why);
        done(f);
    }
}

static unsigned items(const struct fixture *f, unsigned kind)
{
    union tide_any any;
    unsigned n = 0;
    while (fixture_effect(f, ENGINE_ITEM, kind, n, &any))
        n++;
    return n;
}

static void what_the_answers_hold(void **state)
{
    struct fixture *f = *state;
    struct tide_status status;
    struct tide_zone_now now;
    struct tide_tide_hour hour;
    struct tide_whoami who;
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 3, 60, 120), 0);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 51, 3, 180, 240), 0);
    fixture_send(f, OWNER, TIDE_REC_ask_status, &(struct tide_ask_status){0});
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_status, 0, &status));
    assert_int_equal(status.zones, 3);
    assert_int_equal(status.slots, 8);
    assert_int_equal(status.persons, 9);
    assert_int_equal(status.bookings, 2);
    assert_int_equal(status.sessions, 0);
    assert_int_equal(status.clock_suspended, 0);
    assert_int_equal(status.now_ms, f->now_ms);
    assert_int_equal(items(f, TIDE_REC_setting_row),
                     TIDE_SETTING_compensation_min - TIDE_SETTING_horizon_days + 1);
    fixture_send(f, OWNER, TIDE_REC_ask_zones, &(struct tide_ask_zones){0});
    assert_int_equal(items(f, TIDE_REC_zone), 3);
    assert_int_equal(items(f, TIDE_REC_zone_now), 0); /* small: burglars read it too */
    assert_int_equal(f->reply.more, 0);
    fixture_send(f, GUARD, TIDE_REC_ask_zones, &(struct tide_ask_zones){0});
    assert_int_equal(items(f, TIDE_REC_zone_now), 3);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_zone_now, 2, &now));
    assert_int_equal(now.slots, 2);
    assert_int_equal(now.open, 2);
    fixture_send(f, OWNER, TIDE_REC_ask_tide, &(struct tide_ask_tide){.zone = 3});
    assert_int_equal(items(f, TIDE_REC_tide_hour), 24);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_tide_hour, 1, &hour));
    assert_int_equal(hour.promised, 1);
    assert_int_equal(hour.supply, 2);
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_tide_hour, 2, &hour));
    assert_int_equal(hour.promised, 0);
    static const struct {
        uint16_t asked;
        unsigned shown;
    } hours[] = {{1, 1}, {48, 48}, {49, 24}, {0, 24}};
    for (unsigned i = 0; i < 4; i++) {
        fixture_send(f, OWNER, TIDE_REC_ask_tide,
                     &(struct tide_ask_tide){.zone = 3, .hours = hours[i].asked});
        assert_int_equal(items(f, TIDE_REC_tide_hour), hours[i].shown);
    }
    fixture_send(f, NEIGHBOUR, TIDE_REC_ask_bookings, &(struct tide_ask_bookings){0});
    assert_int_equal(items(f, TIDE_REC_booking), 2);
    assert_int_equal(f->reply.more, 0);
    fixture_send(f, OWNER, TIDE_REC_ask_shares, &(struct tide_ask_shares){0});
    assert_int_equal(items(f, TIDE_REC_window), 1);
    fixture_send(f, GUARD, TIDE_REC_ask_whoami, &(struct tide_ask_whoami){0});
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_whoami, 0, &who));
    assert_int_equal(who.roles, 1u << TIDE_ROLE_guard);
    assert_int_equal(who.person, GUARD);
}

static void what_the_sheet_holds(void **state)
{
    struct fixture *f = *state;
    uint32_t first = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    uint32_t second = fixture_book(f, NEIGHBOUR, 51, 3, 180, 240);
    fixture_send(f, GUARD, TIDE_REC_ask_sheet, &(struct tide_ask_sheet){.zone = 3});
    assert_int_equal(items(f, TIDE_REC_booking), 2);
    assert_int_equal(f->reply.id, 8);
    static const struct {
        int from_min, until_min;
        unsigned shown;
    } spans[] = {{60, 120, 1}, {120, 180, 0}, {119, 181, 2}, {0, 60, 0}, {0, 61, 1}};
    for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++) {
        fixture_send(f, GUARD, TIDE_REC_ask_sheet,
                     &(struct tide_ask_sheet){.zone = 3,
                                              .start_ms = MONDAY_0800 + spans[i].from_min * MIN_MS,
                                              .end_ms = MONDAY_0800 + spans[i].until_min * MIN_MS});
        assert_int_equal(items(f, TIDE_REC_booking), spans[i].shown);
    }
    tide_id slot = fixture_booking(f, first)->slot;
    assert_int_equal(fixture_booking(f, second)->slot, slot);
    fixture_send(f, GUARD, TIDE_REC_ask_sheet, &(struct tide_ask_sheet){.zone = 3, .after = slot});
    assert_int_equal(items(f, TIDE_REC_booking), 0);
}

static void the_daemons_own_word(void **state)
{
    struct fixture *f = *state;
    f->reply.code = 0;
    fixture_send(f, 0, TIDE_REC_reloaded, &(struct tide_reloaded){.checksum = 7});
    assert_int_equal(f->reply.code, 0xff); /* taken, and nobody is answered */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_disposes_of_a_slot),
        cmocka_unit_test_setup_teardown(a_share_without_days_is_for_workdays, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(who_may_ask_what),
        cmocka_unit_test_setup_teardown(what_the_answers_hold, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_daemons_own_word, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(what_the_sheet_holds, fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
