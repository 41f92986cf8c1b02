/* test_rules_desk.c - the desk's rules as tables: which row may come in, which may go, by whom.
 * One row a rule, each told to a fresh neighbourhood.
 */
#include "tests/unit/rules_table.h"

#define STEWARD TIDE_ROLE_steward

static void put_one(struct fixture *f, tide_id user, unsigned kind, const void *row)
{
    uint8_t blob[512];
    fixture_put_blob(f, user, blob, fixture_row(blob, 0, kind, row), TIDE_REC_put);
}

/* ---- one row in ----------------------------------------------------------------------------- */
static void play_puts(const struct rule_row *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture *f = fresh();
        put_one(f, rules[i].user, rules[i].kind, &rules[i].row);
        expect(f, rules[i].rule, rules[i].code, rules[i].why);
        union tide_any seen;
        bool kept = fixture_effect(f, ENGINE_PUT, rules[i].kind, 0, &seen);
        if (kept != (f->reply.code == TIDE_CODE_ok))
            fail_msg("%s: %s, and the row was %skept", rules[i].rule, rules[i].code,
                     kept ? "" : "not ");
        done(f);
    }
}

static void rows_of_places_and_people(void **state)
{
    static const struct rule_row rules[] = {
        RULE_("a stair", CLERK, place, "ok", "none", 20, TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("no id", CLERK, place, "invalid", "none", 0, TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("no kind", CLERK, place, "invalid", "none", 20, 0, COMPOUND),
        RULE_("within itself", CLERK, place, "invalid", "none", 20, TIDE_PLACE_KIND_stair, 20),
        RULE_("nowhere", CLERK, place, "not_found", "none", 20, TIDE_PLACE_KIND_stair, 0),
        RULE_("in the unknown", CLERK, place, "not_found", "none", 20, TIDE_PLACE_KIND_stair, 50),
        RULE_("a city stands alone", CLERK, place, "ok", "none", 20, TIDE_PLACE_KIND_city, 0),
        RULE_("a community too", CLERK, place, "ok", "none", 20, TIDE_PLACE_KIND_community, 0),
        RULE_("a household becomes no stair", CLERK, place, "conflict", "in_use", HOME_OWNER,
              TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("a household may move", CLERK, place, "ok", "none", HOME_OWNER,
              TIDE_PLACE_KIND_household, COMMUNITY),
        RULE_("no circles", CLERK, place, "conflict", "in_use", COMPOUND, TIDE_PLACE_KIND_compound,
              HOME_OWNER),
        RULE_("the last place there is room for", CLERK, place, "ok", "none", 64,
              TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("one more", CLERK, place, "full", "pool_full", 65, TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("a resident puts nothing", OWNER, place, "not_authorized", "role_missing", 20,
              TIDE_PLACE_KIND_stair, COMPOUND),
        RULE_("a person", CLERK, person, "ok", "none", 20, HOME_OWNER),
        RULE_("a person of no household", CLERK, person, "ok", "none", 20, 0),
        RULE_("a person without id", CLERK, person, "invalid", "none", 0, HOME_OWNER),
        RULE_("a person of an unknown household", CLERK, person, "not_found", "none", 20, 50),
        RULE_("one person too many", CLERK, person, "full", "pool_full", 65, 0),
        RULE_("a car", CLERK, vehicle, "ok", "none", 60, HOME_OWNER, TIDE_VEHICLE_KIND_resident),
        RULE_("a car of nobody", CLERK, vehicle, "not_found", "none", 60, 0,
              TIDE_VEHICLE_KIND_resident),
        RULE_("a blocked car", CLERK, vehicle, "ok", "none", 60, 0, TIDE_VEHICLE_KIND_blocked),
        RULE_("a car without plate", CLERK, vehicle, "invalid", "none", 0, HOME_OWNER,
              TIDE_VEHICLE_KIND_resident),
        RULE_("a car of an unknown household", CLERK, vehicle, "not_found", "none", 60, 50,
              TIDE_VEHICLE_KIND_resident),
    };
    (void)state;
    play_puts(rules, sizeof rules / sizeof *rules);
}

static void rows_of_roles_and_devices(void **state)
{
    static const struct rule_row rules[] = {
        RULE_("a steward", CLERK, role_row, "ok", "none", OWNER, STEWARD, COMPOUND),
        RULE_("a guard", CLERK, role_row, "ok", "none", OWNER, TIDE_ROLE_guard, COMPOUND),
        RULE_("no role", CLERK, role_row, "invalid", "none", OWNER, 0, COMPOUND),
        RULE_("of nobody", CLERK, role_row, "not_found", "none", 50, STEWARD, COMPOUND),
        RULE_("nowhere", CLERK, role_row, "not_found", "none", OWNER, STEWARD, 50),
        RULE_("the clerk makes no clerk", CLERK, role_row, "not_authorized", "role_missing", OWNER,
              TIDE_ROLE_clerk, COMMUNITY),
        RULE_("no admin", CLERK, role_row, "not_authorized", "role_missing", OWNER, TIDE_ROLE_admin,
              COMMUNITY),
        RULE_("no committee", CLERK, role_row, "not_authorized", "role_missing", OWNER,
              TIDE_ROLE_committee, COMMUNITY),
        RULE_("no gateway", CLERK, role_row, "not_authorized", "role_missing", OWNER,
              TIDE_ROLE_gateway, COMMUNITY),
        RULE_("the admin makes a clerk", ADMIN, role_row, "ok", "none", OWNER, TIDE_ROLE_clerk,
              COMMUNITY),
        RULE_("a telephone", CLERK, user, "ok", "none", 20, OWNER, TIDE_USER_KIND_app),
        RULE_("a telephone without id", CLERK, user, "invalid", "none", 0, OWNER,
              TIDE_USER_KIND_app),
        RULE_("of no kind", CLERK, user, "invalid", "none", 20, OWNER, 0),
        RULE_("of nobody", CLERK, user, "not_found", "none", 20, 50, TIDE_USER_KIND_app),
        RULE_("the clerk makes no gateway", CLERK, user, "not_authorized", "role_missing", 20,
              GATEWAY, TIDE_USER_KIND_gateway),
        RULE_("nor a telephone of the admin", CLERK, user, "not_authorized", "role_missing", 20,
              ADMIN, TIDE_USER_KIND_app),
        RULE_("nor gives one to another", CLERK, user, "not_authorized", "role_missing", OWNER,
              NEIGHBOUR, TIDE_USER_KIND_app),
        RULE_("the admin does", ADMIN, user, "ok", "none", OWNER, NEIGHBOUR, TIDE_USER_KIND_app),
        RULE_("the admin makes gateways", ADMIN, user, "ok", "none", 20, GATEWAY,
              TIDE_USER_KIND_gateway),
        RULE_("one device too many", CLERK, user, "full", "pool_full", 65, OWNER,
              TIDE_USER_KIND_app),
    };
    (void)state;
    play_puts(rules, sizeof rules / sizeof *rules);
}

static void rows_of_zones_slots_lanes(void **state)
{
    static const struct rule_row rules[] = {
        RULE_("a zone", CLERK, zone, "ok", "none", 5, COMPOUND, 0, TIDE_SENSE_HAND),
        RULE_("a zone without id", CLERK, zone, "invalid", "none", 0, COMPOUND, 0, TIDE_SENSE_HAND),
        RULE_("outsiders without a resolution", CLERK, zone, "invalid", "none", 5, COMPOUND, 0, 1,
              1, 0),
        RULE_("outsiders with one", CLERK, zone, "ok", "none", 5, COMPOUND, 0, 1, 1, 7),
        RULE_("a zone nowhere", CLERK, zone, "not_found", "none", 5, 50, 0, TIDE_SENSE_HAND),
        RULE_("the last zone", CLERK, zone, "ok", "none", 8, COMPOUND),
        RULE_("one zone too many", CLERK, zone, "full", "pool_full", 9, COMPOUND),
        RULE_("a slot", CLERK, slot, "ok", "none", 20, 1, TIDE_SLOT_TITLE_common),
        RULE_("a slot without id", CLERK, slot, "invalid", "none", 0, 1, TIDE_SLOT_TITLE_common),
        RULE_("a slot without title", CLERK, slot, "invalid", "none", 20, 1, 0),
        RULE_("a slot in no zone", CLERK, slot, "not_found", "none", 20, 6, TIDE_SLOT_TITLE_common),
        RULE_("owned by nobody", CLERK, slot, "not_found", "none", 20, 1, TIDE_SLOT_TITLE_owned),
        RULE_("owned by the unknown", CLERK, slot, "not_found", "none", 20, 1,
              TIDE_SLOT_TITLE_owned, 0, 50),
        RULE_("owned", CLERK, slot, "ok", "none", 20, 1, TIDE_SLOT_TITLE_owned, 0, HOME_OWNER),
        RULE_("a free slot changes its zone", CLERK, slot, "ok", "none", 2, 2,
              TIDE_SLOT_TITLE_common),
        RULE_("one slot too many", CLERK, slot, "full", "pool_full", 33, 1, TIDE_SLOT_TITLE_common),
        RULE_("a lane", CLERK, lane, "ok", "none", 3, COMPOUND, TIDE_LANE_DIR_in, GATEWAY),
        RULE_("a lane by hand", CLERK, lane, "ok", "none", 3, COMPOUND, TIDE_LANE_DIR_in, 0),
        RULE_("a lane without id", CLERK, lane, "invalid", "none", 0, COMPOUND, 1, GATEWAY),
        RULE_("a lane nowhere", CLERK, lane, "not_found", "none", 3, 50, 1, GATEWAY),
        RULE_("a lane of no gateway", CLERK, lane, "not_found", "none", 3, COMPOUND, 1, 50),
        RULE_("one lane too many", CLERK, lane, "full", "pool_full", 9, COMPOUND, 1, 0),
        RULE_("no bookings by the way", CLERK, booking, "invalid", "none", .id = 1),
    };
    (void)state;
    play_puts(rules, sizeof rules / sizeof *rules);
}

#define WEEKLY_(what, code_, days_, weekdays_, opens_, closes_, from_, until_)                     \
    RULE_(what, CLERK, window, code_, "none", .slot = 2, .days = days_, .weekdays = weekdays_,     \
          .opens_min = opens_, .closes_min = closes_, .from_date = from_, .until_date = until_)
#define SPAN_(what, code_, kind_, start_, end_)                                                    \
    RULE_(what, CLERK, window, code_, "none", .slot = 2, .kind = TIDE_WINDOW_KIND_##kind_,         \
          .start_ms = start_, .end_ms = end_)

static void rows_of_windows(void **state)
{
    static const struct rule_row rules[] = {
        WEEKLY_("all day", "ok", 15, 127, 0, 1440, 0, 0),
        WEEKLY_("no days", "invalid", 0, 127, 0, 1440, 0, 0),
        WEEKLY_("days there are not", "invalid", 16, 127, 0, 1440, 0, 0),
        WEEKLY_("no weekdays", "invalid", 1, 0, 0, 1440, 0, 0),
        WEEKLY_("an eighth weekday", "invalid", 1, 128, 0, 1440, 0, 0),
        WEEKLY_("opens before the day", "invalid", 1, 127, -1, 60, 0, 0),
        WEEKLY_("opens in its last minute", "ok", 1, 127, 1439, 2879, 0, 0),
        WEEKLY_("opens on the next day", "invalid", 1, 127, 1440, 1500, 0, 0),
        WEEKLY_("closes as it opens", "invalid", 1, 127, 60, 60, 0, 0),
        WEEKLY_("for a minute", "ok", 1, 127, 60, 61, 0, 0),
        WEEKLY_("longer than a day", "invalid", 1, 127, 60, 1501, 0, 0),
        WEEKLY_("a day long", "ok", 1, 127, 60, 1500, 0, 0),
        WEEKLY_("beyond the next day", "invalid", 1, 127, 1439, 2881, 0, 0),
        WEEKLY_("ends before it begins", "invalid", 1, 127, 0, 60, 20000, 19999),
        WEEKLY_("on one day", "ok", 1, 127, 0, 60, 20000, 20000),
        SPAN_("once", "ok", once, MONDAY_0800, MONDAY_0800 + HOUR_MS),
        SPAN_("once, no time", "invalid", once, MONDAY_0800, MONDAY_0800),
        SPAN_("once, backwards", "invalid", once, MONDAY_0800, MONDAY_0800 - 1),
        SPAN_("once, from nothing", "invalid", once, 0, MONDAY_0800),
        SPAN_("to the end of time", "ok", blackout, MONDAY_0800, TIDE_TIME_MAX),
        SPAN_("beyond the end of time", "invalid", blackout, MONDAY_0800, TIDE_TIME_MAX + 1),
        RULE_("with an id", CLERK, window, "invalid", "none", .id = 1, .slot = 2, .days = 1,
              .weekdays = 127, .opens_min = 0, .closes_min = 60),
        RULE_("of no slot", CLERK, window, "invalid", "none", .days = 1, .weekdays = 127,
              .opens_min = 0, .closes_min = 60),
        RULE_("of a zone, and not by order", CLERK, window, "invalid", "none", .zone = 1, .days = 1,
              .weekdays = 127, .opens_min = 0, .closes_min = 60),
        RULE_("of an unknown slot", CLERK, window, "not_found", "none", .slot = 30, .days = 1,
              .weekdays = 127, .opens_min = 0, .closes_min = 60),
    };
    (void)state;
    play_puts(rules, sizeof rules / sizeof *rules);
}

/* Each setting takes its least and its most, and nothing beyond. */
static void settings_have_bounds(void **state)
{
    static const struct {
        unsigned key;
        int64_t least, most;
    } bounds[] = {
#define BOUNDS_(number, name, def, least_, most_) {number, least_, most_},
        TIDE_SETTINGS(BOUNDS_)
#undef BOUNDS_
    };
    (void)state;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        int64_t tries[] = {bounds[i].least - 1, bounds[i].least, bounds[i].most,
                           bounds[i].most + 1};
        unsigned key = bounds[i].key; /* the rest is the engine's own */
        bool ours = (key >= TIDE_SETTING_horizon_days && key <= TIDE_SETTING_compensation_min) ||
                    key >= TIDE_SETTING_reseat_steps;
        for (unsigned t = 0; t < 4; t++) {
            struct fixture *f = fresh();
            put_one(f, ADMIN, TIDE_REC_setting_row,
                    &(struct tide_setting_row){.key = (uint8_t)bounds[i].key, .value = tries[t]});
            bool inside = ours && (t == 1 || t == 2);
            bool too_far = key == TIDE_SETTING_horizon_days && t == 2; /* of this installation */
            if (!too_far && (f->reply.code == TIDE_CODE_ok) != inside)
                fail_msg("setting %u to %lld: %s", bounds[i].key, (long long)tries[t],
                         code_name(f->reply.code));
            done(f);
        }
    }
}

/* ---- several rows --------------------------------------------------------------------------- */
static void all_rows_or_none(void **state)
{
    struct fixture *f = *state;
    uint8_t blob[2048];
    size_t at = 0;
    ROW(place, 20, TIDE_PLACE_KIND_stair, COMPOUND);
    ROW(place, 21, TIDE_PLACE_KIND_household, 20); /* in the one before it */
    ROW(person, 20, 21);
    ROW(user, 20, 20, TIDE_USER_KIND_app);
    ROW(role_row, 20, STEWARD, 20);
    size_t good = at;
    ROW(person, 21, 50);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    expect(f, "one of six is wrong", "not_found", "none");
    assert_int_equal(f->reply.limit, 5); /* which one */
    assert_null(engine_find(f->engine, TIDE_REC_place, 20, 0, 0));
    fixture_put_blob(f, CLERK, blob, good, TIDE_REC_put);
    expect(f, "five are right", "ok", "none");
    assert_int_equal(f->reply.limit, 5);
    assert_non_null(engine_find(f->engine, TIDE_REC_account, 21, 0, 0));
    assert_non_null(engine_find(f->engine, TIDE_REC_role_row, 20, STEWARD, 20));
    fixture_put_blob(f, CLERK, blob, good - 1, TIDE_REC_put);
    expect(f, "cut off", "invalid", "none");
    fixture_put_blob(f, CLERK, blob, 0, TIDE_REC_put);
    expect(f, "nothing", "invalid", "none");
    blob[0] = TIDE_REC_book; /* no row */
    fixture_put_blob(f, CLERK, blob, good, TIDE_REC_put);
    expect(f, "an event among the rows", "invalid", "none");
}

static void the_same_window_twice_is_one(void **state)
{
    struct fixture *f = *state;
    struct tide_window kept, row = {.slot = 2,
                                    .days = TIDE_DAYS_ALL,
                                    .weekdays = TIDE_WEEKDAYS_ALL,
                                    .opens_min = 60,
                                    .closes_min = 120};
    put_one(f, CLERK, TIDE_REC_window, &row);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_window, 0, &kept));
    assert_int_equal(kept.by, CLERK);
    assert_int_equal(kept.zone, 1);
    put_one(f, CLERK, TIDE_REC_window, &row);
    CODE_IS(f, ok);
    assert_false(fixture_effect(f, ENGINE_PUT, TIDE_REC_window, 0, &kept));
    row.closes_min++;
    put_one(f, CLERK, TIDE_REC_window, &row);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_window, 0, &kept));
}

static void a_slot_in_use_stays_where_it_is(void **state)
{
    struct fixture *f = *state;
    uint32_t id = fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    tide_id slot = fixture_booking(f, id)->slot;
    struct tide_slot row =
        *(const struct tide_slot *)engine_find(f->engine, TIDE_REC_slot, slot, 0, 0);
    row.zone = 2;
    put_one(f, CLERK, TIDE_REC_slot, &row);
    expect(f, "another zone", "conflict", "in_use");
    row.zone = 3;
    row.cls = TIDE_SLOT_CLASS_charger;
    put_one(f, CLERK, TIDE_REC_slot, &row);
    expect(f, "another class", "conflict", "in_use");
    row.cls = TIDE_SLOT_CLASS_standard;
    row.title = TIDE_SLOT_TITLE_owned;
    row.owner = HOME_THIRD;
    put_one(f, CLERK, TIDE_REC_slot, &row);
    expect(f, "another owner", "ok", "none");
}

static void only_he_himself_accepts_the_rules(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *rule;
        tide_id user, person;
        uint16_t version;
        const char *code, *why;
        uint16_t holds;
    } rows[] = {{"he accepts", OWNER, 0, 3, "ok", "none", 3},
                {"the same again", OWNER, OWNER, 3, "ok", "none", 3},
                {"never an older one", OWNER, 0, 2, "conflict", "none", 3},
                {"nobody for him", NEIGHBOUR, OWNER, 4, "not_authorized", "role_missing", 3},
                {"the desk on paper", CLERK, OWNER, 5, "ok", "none", 5},
                {"for nobody", CLERK, 50, 5, "not_found", "none", 5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture_send(f, rows[i].user, TIDE_REC_accept_rules,
                     &(struct tide_accept_rules){.rules_version = rows[i].version,
                                                 .person = rows[i].person});
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        const struct tide_person *p = engine_find(f->engine, TIDE_REC_person, OWNER, 0, 0);
        assert_int_equal(p->rules_version, rows[i].holds);
    }
    put_one(f, CLERK, TIDE_REC_person, &(struct tide_person){OWNER, HOME_OWNER, 9});
    const struct tide_person *p = engine_find(f->engine, TIDE_REC_person, OWNER, 0, 0);
    assert_int_equal(p->rules_version, 5);
}

/* ---- one row out ---------------------------------------------------------------------------- */
static void rows_that_go(void **state)
{
    static const struct {
        const char *rule;
        tide_id user;
        unsigned kind;
        uint32_t k1, k2, k3;
        const char *code, *why;
    } rows[] = {
        {"a guard is dismissed", CLERK, TIDE_REC_role_row, GUARD, TIDE_ROLE_guard, COMPOUND, "ok",
         "none"},
        {"of another place", CLERK, TIDE_REC_role_row, GUARD, TIDE_ROLE_guard, COMMUNITY,
         "not_found", "none"},
        {"another role", CLERK, TIDE_REC_role_row, GUARD, STEWARD, COMPOUND, "not_found", "none"},
        {"of another person", CLERK, TIDE_REC_role_row, OWNER, TIDE_ROLE_guard, COMPOUND,
         "not_found", "none"},
        {"no clerk by a clerk", CLERK, TIDE_REC_role_row, CLERK, TIDE_ROLE_clerk, COMMUNITY,
         "not_authorized", "role_missing"},
        {"no admin by a clerk", CLERK, TIDE_REC_role_row, ADMIN, TIDE_ROLE_admin, COMMUNITY,
         "not_authorized", "role_missing"},
        {"a clerk by the admin", ADMIN, TIDE_REC_role_row, CLERK, TIDE_ROLE_clerk, COMMUNITY, "ok",
         "none"},
        {"nobody locks himself out", ADMIN, TIDE_REC_role_row, ADMIN, TIDE_ROLE_admin, COMMUNITY,
         "conflict", "in_use"},
        {"nothing by a resident", OWNER, TIDE_REC_role_row, GUARD, TIDE_ROLE_guard, COMPOUND,
         "not_authorized", "role_missing"},
        {"a telephone", CLERK, TIDE_REC_user, OWNER, 0, 0, "ok", "none"},
        {"no telephone", CLERK, TIDE_REC_user, 50, 0, 0, "not_found", "none"},
        {"not the admin's", CLERK, TIDE_REC_user, ADMIN, 0, 0, "not_authorized", "role_missing"},
        {"the admin's by himself", ADMIN, TIDE_REC_user, ADMIN, 0, 0, "ok", "none"},
        {"a car", CLERK, TIDE_REC_vehicle, 1, 0, 0, "ok", "none"},
        {"no car", CLERK, TIDE_REC_vehicle, 50, 0, 0, "not_found", "none"},
        {"a window of a slot", CLERK, TIDE_REC_window, 2, 0, 0, "not_found", "none"},
        {"no window", CLERK, TIDE_REC_window, 90, 0, 0, "not_found", "none"},
        {"no place goes", CLERK, TIDE_REC_place, HOME_OWNER, 0, 0, "not_found", "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        fixture_send(f, rows[i].user, TIDE_REC_drop,
                     &(struct tide_drop){.kind = (uint8_t)rows[i].kind,
                                         .k1 = rows[i].k1,
                                         .k2 = rows[i].k2,
                                         .k3 = rows[i].k3});
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        union tide_any row = {.user = {0}}; /* the tables learn of it; a device is only revoked */
        bool device = rows[i].kind == TIDE_REC_user;
        bool told = fixture_effect(f, device ? ENGINE_PUT : ENGINE_DEL, rows[i].kind, 0, &row);
        if (told != (f->reply.code == TIDE_CODE_ok))
            fail_msg("%s: %s", rows[i].rule, told ? "told" : "not told");
        if (told && device)
            assert_int_equal(row.user.state, TIDE_USER_STATE_revoked);
        done(f);
    }
}

static void a_blackout_of_a_zone_goes_again(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, CLERK, TIDE_REC_blackout,
                 &(struct tide_blackout){
                     .zone = 3, .start_ms = MONDAY_0800, .end_ms = MONDAY_0800 + 9 * HOUR_MS});
    CODE_IS(f, ok);
    uint32_t window = f->reply.id;
    fixture_book(f, NEIGHBOUR, 50, 3, 60, 120);
    expect(f, "while it is black", "full", "no_window");
    fixture_send(f, CLERK, TIDE_REC_drop,
                 &(struct tide_drop){.kind = TIDE_REC_window, .k1 = window});
    expect(f, "gone", "ok", "none");
    fixture_pass(f, MIN_MS);
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 50, 3, 60, 120), 0);
}

static void a_chain_survives_whatever_leaves_it(void **state)
{
    struct fixture *f = *state;
    static const tide_id order[] = {14, 11, 15, 12, 13};
    for (unsigned i = 0; i < 5; i++) {
        put_one(f, CLERK, TIDE_REC_person, &(struct tide_person){order[i], HOME_OWNER, 0});
        put_one(f, CLERK, TIDE_REC_user,
                &(struct tide_user){order[i], OWNER, TIDE_USER_KIND_app, 0});
        put_one(f, CLERK, TIDE_REC_vehicle,
                &(struct tide_vehicle){order[i], HOME_OWNER, TIDE_VEHICLE_KIND_resident, 0});
        put_one(f, CLERK, TIDE_REC_role_row,
                &(struct tide_role_row){order[i], TIDE_ROLE_guard, COMPOUND});
    }
    tide_id after = 0;
    for (unsigned i = 0; i < 6; i++) { /* devices come by id, however they came in */
        const struct tide_user *user = engine_user_of(f->engine, OWNER, after);
        assert_non_null(user);
        assert_true(user->id > after);
        after = user->id;
    }
    assert_null(engine_user_of(f->engine, OWNER, after));
    assert_null(engine_user_of(f->engine, 50, 0));
    put_one(f, ADMIN, TIDE_REC_user,
            &(struct tide_user){13, NEIGHBOUR, TIDE_USER_KIND_app, 0}); /* from the middle */
    assert_int_equal(engine_user_of(f->engine, OWNER, 12)->id, 14);
    assert_int_equal(engine_user_of(f->engine, NEIGHBOUR, 3)->id, 13);
    for (unsigned i = 0; i < 5; i++) {
        fixture_send(f, CLERK, TIDE_REC_drop,
                     &(struct tide_drop){TIDE_REC_role_row, order[i], TIDE_ROLE_guard, COMPOUND});
        CODE_IS(f, ok);
        fixture_send(f, CLERK, TIDE_REC_drop,
                     &(struct tide_drop){TIDE_REC_vehicle, order[i], 0, 0});
        CODE_IS(f, ok);
        put_one(f, CLERK, TIDE_REC_person, &(struct tide_person){order[i], HOME_THIRD, 0});
        CODE_IS(f, ok);
    }
    assert_true(engine_has_role(f->engine, GUARD, TIDE_ROLE_guard));
    assert_false(engine_has_role(f->engine, 14, TIDE_ROLE_guard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_places_and_people),
        cmocka_unit_test(rows_of_roles_and_devices),
        cmocka_unit_test(rows_of_zones_slots_lanes),
        cmocka_unit_test(rows_of_windows),
        cmocka_unit_test(settings_have_bounds),
        cmocka_unit_test_setup_teardown(all_rows_or_none, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(the_same_window_twice_is_one, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_slot_in_use_stays_where_it_is, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(only_he_himself_accepts_the_rules, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(rows_that_go),
        cmocka_unit_test_setup_teardown(a_blackout_of_a_zone_goes_again, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(a_chain_survives_whatever_leaves_it, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
