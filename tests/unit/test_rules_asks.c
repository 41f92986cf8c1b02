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
                             &(struct tide_recall){rows[i].slot, from, until, 0, 0, 0});
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

/* ---- series, quotes, greetings -------------------------------------------------------------- */
#define TODAY 18036 /* 2019-05-20 */
#define REPEAT_(what, code_, why_, days_, weekdays_, opens_, closes_, from_, until_)               \
    RULE_(what, NEIGHBOUR, repeat, code_, why_, .plate = 50, .zone = 3, .days = days_,             \
          .weekdays = weekdays_, .opens_min = opens_, .closes_min = closes_, .from_date = from_,   \
          .until_date = until_)

static void which_series_there_are(void **state)
{
    static const struct rule_row rules[] = {
        REPEAT_("every workday", "ok", "none", 1, 127, 600, 660, 0, 0),
        REPEAT_("on all days", "ok", "none", 15, 127, 600, 660, 0, 0),
        REPEAT_("no day named: workdays", "ok", "none", 0, 127, 600, 660, 0, 0),
        REPEAT_("on days there are not", "invalid", "none", 16, 127, 600, 660, 0, 0),
        REPEAT_("no weekday named: all", "ok", "none", 1, 0, 600, 660, 0, 0),
        REPEAT_("on an eighth weekday", "invalid", "none", 1, 128, 600, 660, 0, 0),
        REPEAT_("before the day", "invalid", "none", 1, 127, -1, 60, 0, 0),
        REPEAT_("after it", "invalid", "none", 1, 127, 1440, 1500, 0, 0),
        REPEAT_("for no time", "invalid", "none", 1, 127, 600, 600, 0, 0),
        REPEAT_("backwards", "invalid", "none", 1, 127, 600, 599, 0, 0),
        REPEAT_("too long", "invalid", "none", 1, 127, 600, 600 + 1441, 0, 0),
        REPEAT_("beyond the next day", "invalid", "none", 1, 127, 1439, 2881, 0, 0),
        REPEAT_("from today", "ok", "none", 1, 127, 600, 660, TODAY, 0),
        REPEAT_("from yesterday", "invalid", "none", 1, 127, 600, 660, TODAY - 1, 0),
        REPEAT_("until today", "ok", "none", 1, 127, 600, 660, 0, TODAY),
        REPEAT_("until yesterday", "invalid", "none", 1, 127, 600, 660, 0, TODAY - 1),
        REPEAT_("until before it begins", "invalid", "none", 1, 127, 600, 660, TODAY + 2,
                TODAY + 1),
        REPEAT_("for one day", "ok", "none", 1, 127, 600, 660, TODAY + 2, TODAY + 2),
        REPEAT_("a day to the minute", "ok", "none", 1, 127, 600, 600 + 1440, 0, 0),
        REPEAT_("to the end of the next day", "ok", "none", 1, 127, 1439, 2879, 0, 0),
        REPEAT_("and its last minute", "invalid", "none", 1, 127, 1439, 2880, 0, 0),
        REPEAT_("from two years ahead", "ok", "none", 1, 127, 600, 660, TODAY + 730, 0),
        REPEAT_("from a day later", "invalid", "none", 1, 127, 600, 660, TODAY + 731, 0),
        REPEAT_("until four years ahead", "ok", "none", 1, 127, 600, 660, 0, TODAY + 1460),
        REPEAT_("until a day later", "invalid", "none", 1, 127, 600, 660, 0, TODAY + 1461),
        REPEAT_("from the far future", "invalid", "none", 1, 127, 600, 660, TODAY + 4000, 0),
        REPEAT_("until the far future", "invalid", "none", 1, 127, 600, 660, 0, TODAY + 4000),
        RULE_("of no plate", NEIGHBOUR, repeat, "not_found", "none", .zone = 3, .days = 1,
              .weekdays = 127, .opens_min = 600, .closes_min = 660),
        RULE_("in no zone", NEIGHBOUR, repeat, "not_found", "none", .plate = 50, .zone = 9,
              .days = 1, .weekdays = 127, .opens_min = 600, .closes_min = 660),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct fixture *f = fresh();
        fixture_send(f, rules[i].user, rules[i].kind, &rules[i].row);
        expect(f, rules[i].rule, rules[i].code, rules[i].why);
        done(f);
    }
}

static void what_is_quoted(void **state)
{
    static const struct {
        const char *rule;
        int from_min, until_min;
        const char *code, *why;
        unsigned places;
    } rows[] = {
        {"an hour", 60, 120, "ok", "none", 2},
        {"this very grain", 0, 5, "ok", "none", 2},
        {"no time", 60, 60, "invalid", "ends_before_start", 0},
        {"backwards and past", -60, -120, "invalid", "ends_before_start", 0},
        {"past", -5, 60, "invalid", "in_the_past", 0},
        {"to the horizon", 60, 40 * 1440, "invalid", "beyond_horizon", 0},
        {"at night", 13 * 60, 14 * 60, "full", "no_window", 0},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tide_quote quote = {0};
        fixture_send(f, NEIGHBOUR, TIDE_REC_ask_quote,
                     &(struct tide_ask_quote){.zone = 3,
                                              .start_ms = MONDAY_0800 + rows[i].from_min * MIN_MS,
                                              .end_ms = MONDAY_0800 + rows[i].until_min * MIN_MS});
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        (void)fixture_effect(f, ENGINE_ITEM, TIDE_REC_quote, 0, &quote);
        assert_int_equal(quote.places, rows[i].places);
        if (quote.places > 0)
            assert_int_equal(quote.minutes, rows[i].until_min - rows[i].from_min);
    }
}

static void a_greeting_never_moves_the_cursor_back(void **state)
{
    static const struct {
        uint32_t boot, seq, holds_boot, holds_seq;
    } rows[] = {{3, 5, 3, 5},  {3, 4, 3, 5}, {3, 5, 3, 5}, {3, 9, 3, 9},
                {2, 99, 3, 9}, {4, 0, 4, 0}, {4, 1, 4, 1}, {3, 99, 4, 1}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture_send(f, GATEWAY, TIDE_REC_hello, &(struct tide_hello){rows[i].boot, rows[i].seq});
        CODE_IS(f, ok);
        const struct tide_gateway_cursor *cursor =
            engine_find(f->engine, TIDE_REC_gateway_cursor, GATEWAY, 0, 0);
        assert_int_equal(cursor->boot, rows[i].holds_boot);
        assert_int_equal(cursor->seq, rows[i].holds_seq);
    }
}

static void the_calendar_reaches_to_the_end_of_its_year(void **state)
{
    struct fixture *f = *state;
    struct tide_status status;
    uint8_t blob[64];
    size_t at = 0;
    fixture_send(f, OWNER, TIDE_REC_ask_status, &(struct tide_ask_status){0});
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_status, 0, &status));
    assert_int_equal(status.calendar_until, 0);
    ROW(day, TODAY + 1, TIDE_DAY_CLASS_holiday);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_calendar);
    CODE_IS(f, ok);
    fixture_send(f, OWNER, TIDE_REC_ask_status, &(struct tide_ask_status){0});
    assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_status, 0, &status));
    assert_int_equal(status.calendar_until, 18261); /* 2019-12-31 */
}

/* ---- bytes ---------------------------------------------------------------------------------- */
static void an_event_needs_all_its_bytes(void **state)
{
    (void)state;
    uint8_t blob[3] = {1, 2, 3}, bytes[256];
    struct engine_event seen, event = {.kind = TIDE_REC_put, .user = 0x7f654321, .blob = blob};
    event.as.put.rows = 3;
    event.blob_len = sizeof blob;
    size_t size = engine_event_pack(&event, bytes, sizeof bytes);
    assert_true(size > 12);
    for (size_t cap = 0; cap < size; cap++) {
        uint8_t some[256];
        assert_int_equal(engine_event_pack(&event, some, cap), 0);
        assert_int_equal(engine_event_unpack(bytes, cap, &seen), 0);
    }
    uint8_t exact[256];
    assert_int_equal(engine_event_pack(&event, exact, size), size);
    assert_int_equal(engine_event_unpack(bytes, sizeof bytes, &seen), size);
    assert_int_equal(seen.user, 0x7f654321);
    assert_int_equal(seen.as.put.rows, 3);
    assert_memory_equal(seen.blob, blob, sizeof blob);
    static const uint8_t no_events[] = {0, TIDE_REC_booking, 99, 170, TIDE_REC_reply, 255};
    for (size_t i = 0; i < sizeof no_events; i++) {
        bytes[0] = no_events[i];
        assert_int_equal(engine_event_unpack(bytes, sizeof bytes, &seen), 0);
    }
}

static void names_of_members_end(void **state)
{
    (void)state;
    for (unsigned type = TIDE_FT_ENUMS + 1; type < TIDE_FT_COUNT; type++) {
        unsigned count = 0;
        while (count < 300 && tide_enum_name(type, count) != NULL) {
            const char *name = tide_enum_name(type, count);
            assert_int_equal(tide_enum_value(type, name, strlen(name)), count);
            assert_int_equal(tide_enum_value(type, name, strlen(name) - 1) == (int)count, 0);
            count++;
        }
        assert_in_range(count, 1, 100);
        assert_int_equal(tide_enum_value(type, "nothing of the kind", 19), -1);
    }
    assert_null(tide_enum_name(TIDE_FT_COUNT, 0));
    assert_null(tide_enum_name(TIDE_FT_u8, 0));
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
        cmocka_unit_test(which_series_there_are),
        cmocka_unit_test_setup_teardown(what_is_quoted, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_greeting_never_moves_the_cursor_back, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_calendar_reaches_to_the_end_of_its_year, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(an_event_needs_all_its_bytes),
        cmocka_unit_test(names_of_members_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
