/* test_rules_draw.c - draws: who may ask when, what is drawn, what happens when something has
 * changed since, and that the proof is one.
 *
 * Zone 2 (slots 5 and 6, open to outsiders) decides 08:00 to 20:00 of the next day between 09:00
 * and 09:15. It is Monday 08:00.
 */
#include "daemon/core/parking/draw_proof.h"
#include "tests/unit/rules_table.h"

#define ZONE 2
#define TUESDAY 1440
#define OPENS (60 * MIN_MS)
#define CLOSES (75 * MIN_MS)

static const uint8_t secret[32] = "a secret that nobody knows yet.";

static const struct tide_zone drawing = {.id = ZONE,
                                         .place = COMPOUND,
                                         .policy = TIDE_ZONE_POLICY_draw,
                                         .sense = TIDE_SENSE_HAND,
                                         .outsiders = 1,
                                         .resolution = 2019,
                                         .draw_opens_min = 9 * 60,
                                         .draw_closes_min = 9 * 60 + 15,
                                         .draw_from_min = 8 * 60,
                                         .draw_until_min = 20 * 60};

static void put_zone(struct fixture *f, const struct tide_zone *zone)
{
    uint8_t blob[256];
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_zone, zone), TIDE_REC_put);
}

/* The daemon's own event, with a blob. */
static void own(struct fixture *f, unsigned kind, const void *record, const uint8_t *blob,
                size_t len)
{
    struct engine_event event = {
        .kind = (uint8_t)kind, .when_ms = f->now_ms, .blob = blob, .blob_len = (uint32_t)len};
    memcpy(&event.as, record, tide_record_of(kind)->size);
    fixture_pass(f, 0);
    f->effects.len = f->effects.count = 0;
    engine_step(f->engine, &event, &f->effects);
}

static void seal(struct fixture *f, tide_id draw)
{
    struct tide_draw_seal told = {.draw = draw};
    uint8_t commit[32];
    draw_commit_of(secret, commit);
    draw_hex_set(commit, &told.commit_1);
    own(f, TIDE_REC_draw_seal, &told, NULL, 0);
}

/* The first draw, open: it is 09:00. */
static void open_draw(struct fixture *f, enum tide_draw_aim aim)
{
    struct tide_zone zone = drawing;
    tide_id draw;
    zone.draw_aim = (uint8_t)aim;
    put_zone(f, &zone);
    CODE_IS(f, ok);
    fixture_pass(f, OPENS);
    assert_int_equal(engine_draw_needs(f->engine, 0, &draw), ENGINE_DRAW_SECRET);
    assert_int_equal(draw, 1);
    seal(f, 1);
    assert_int_equal(engine_draw_needs(f->engine, 0, &draw), ENGINE_DRAW_NOTHING);
}

static struct tide_draw_ask asking(tide_id plate, int from_min, int until_min)
{
    return (struct tide_draw_ask){.plate = plate,
                                  .zone = ZONE,
                                  .start_ms = MONDAY_0800 + (TUESDAY + from_min) * MIN_MS,
                                  .end_ms = MONDAY_0800 + (TUESDAY + until_min) * MIN_MS,
                                  .nonce_1 = (int64_t)plate * 77,
                                  .nonce_2 = -5};
}

static tide_id ask(struct fixture *f, tide_id user, tide_id plate, int from_min, int until_min)
{
    struct tide_draw_ask want = asking(plate, from_min, until_min);
    fixture_send(f, user, TIDE_REC_draw_ask, &want);
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

static const struct tide_draw *the_draw(const struct fixture *f)
{
    return engine_find(f->engine, TIDE_REC_draw, 1, 0, 0);
}

static struct draw_lot lot;
static uint8_t memory[1 << 22] __attribute__((aligned(8)));
static uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];

static void solve(struct fixture *f, const uint8_t with[32], struct tide_draw_result *ret_told,
                  size_t *ret_len)
{
    struct draw_outcome outcome;
    assert_true(engine_draw_lot(f->engine, 1, &lot));
    memcpy(lot.secret, with, 32);
    assert_true(draw_decide_bytes(&lot) <= sizeof memory);
    draw_decide(&lot, memory, sizeof memory, &outcome);
    *ret_told = (struct tide_draw_result){.draw = 1, .limit = outcome.limit};
    draw_hex_set(with, &ret_told->secret_1);
    *ret_len = draw_blob_write(&lot, blob);
}

/* Closes the draw and brings its result in; the wishes are settled. */
static void decide(struct fixture *f)
{
    struct tide_draw_result told;
    size_t len;
    tide_id draw;
    fixture_pass(f, CLOSES - OPENS);
    assert_int_equal(engine_draw_needs(f->engine, 0, &draw), ENGINE_DRAW_SOLVED);
    solve(f, secret, &told, &len);
    own(f, TIDE_REC_draw_result, &told, blob, len);
}

/* What the last step wrote about a wish; its state, or -1. */
static struct tide_wish wish_written(const struct fixture *f, tide_id id)
{
    struct tide_wish wish, found = {.id = 0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_wish, n, &wish); n++)
        if (wish.id == id)
            found = wish;
    return found;
}

/* ---- the life of one ------------------------------------------------------------------------- */
static void decided_together(void **state)
{
    struct fixture *f = *state;
    struct tide_draw over;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    assert_int_equal(the_draw(f)->state, TIDE_DRAW_STATE_open);
    tide_id morning = ask(f, OUTSIDER, 50, 0, 240), noon = ask(f, THIRD, 51, 200, 500);
    tide_id day = ask(f, NEIGHBOUR, 52, 0, 720), evening = ask(f, OWNER, 53, 240, 720);
    assert_true(morning != 0 && noon != 0 && day != 0 && evening != 0);
    fixture_book(f, OWNER, 60, ZONE, TUESDAY, TUESDAY + 60);
    CODE_IS(f, conflict);
    WHY_IS(f, to_be_drawn);
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + OPENS);
    decide(f);
    fixture_pass(f, 0);
    assert_int_equal(wish_written(f, day).state, TIDE_WISH_STATE_won); /* 12 h and 4 + 8 h */
    assert_int_equal(wish_written(f, morning).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, evening).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, noon).state, TIDE_WISH_STATE_lost);
    assert_int_equal(wish_written(f, noon).why, TIDE_WHY_not_drawn);
    assert_true(fixture_told(f, THIRD, TIDE_NOTICE_KIND_draw_lost));
    assert_true(fixture_told(f, NEIGHBOUR, TIDE_NOTICE_KIND_draw_won));
    const struct tide_booking *booking = fixture_booking(f, wish_written(f, day).booking);
    assert_non_null(booking);
    assert_int_equal(booking->by, NEIGHBOUR);
    assert_int_equal(booking->end_ms - booking->start_ms, 720 * MIN_MS);
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_draw, 0, &over));
    assert_int_equal(over.state, TIDE_DRAW_STATE_decided);
    assert_int_equal(over.chosen, 3);
    assert_int_equal(over.limit, 2 * 144);
    assert_null(the_draw(f));
    fixture_book(f, OWNER, 60, ZONE, TUESDAY, TUESDAY + 60); /* what is left is booked as ever */
    CODE_IS(f, full);
    fixture_book(f, OWNER, 60, ZONE, TUESDAY + 1440, TUESDAY + 1500);
    WHY_IS(f, to_be_drawn); /* the day after: tomorrow's draw */
    assert_int_equal(f->reply.free_from_ms, MONDAY_0800 + OPENS + TIDE_DAY_MS);
    fixture_pass(f, TIDE_DAY_MS - CLOSES + OPENS);
    assert_int_equal(((const struct tide_draw *)engine_find(f->engine, TIDE_REC_draw, 2, 0, 0))->id,
                     2);
}

static void most_households(void **state)
{
    struct fixture *f = *state;
    open_draw(f, TIDE_DRAW_AIM_households);
    assert_int_not_equal(ask(f, NEIGHBOUR, 50, 0, 720), 0);
    assert_int_not_equal(ask(f, OWNER, 51, 0, 720), 0);
    tide_id first = ask(f, THIRD, 52, 0, 360), second = ask(f, OUTSIDER, 53, 360, 720);
    assert_int_equal(ask(f, THIRD, 54, 400, 500), 0); /* one wish a household */
    WHY_IS(f, household_cap);
    decide(f);
    fixture_pass(f, 0);
    assert_int_equal(wish_written(f, first).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, second).state, TIDE_WISH_STATE_won);
}

/* Who had more comes after who had less; the rest is by lot, and by nothing else. */
static void least_served_first(void **state)
{
    struct fixture *f = *state;
    assert_int_not_equal(fixture_book(f, NEIGHBOUR, 60, 1, 600, 700), 0); /* 100 minutes held */
    assert_int_not_equal(fixture_book(f, OWNER, 61, 1, 600, 650), 0);
    open_draw(f, TIDE_DRAW_AIM_minutes);
    tide_id much = ask(f, NEIGHBOUR, 50, 0, 720), some = ask(f, OWNER, 51, 0, 720);
    tide_id none = ask(f, OUTSIDER, 52, 0, 720);
    struct tide_wish wish;
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_wish, 0, &wish));
    assert_int_equal(wish.used_min, 0);
    decide(f);
    fixture_pass(f, 0);
    assert_int_equal(wish_written(f, none).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, some).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, much).state, TIDE_WISH_STATE_lost);
    assert_int_equal(wish_written(f, much).used_min, 100);
}

/* ---- the proof ------------------------------------------------------------------------------- */
static void the_proof_is_one(void **state)
{
    struct fixture *f = *state;
    uint8_t leaf[32], root[32], told_root[32];
    struct tide_receipt receipt[3];
    open_draw(f, TIDE_DRAW_AIM_minutes);
    for (unsigned i = 0; i < 3; i++) {
        static const tide_id users[] = {OWNER, OUTSIDER, THIRD};
        ask(f, users[i], 50 + i, (int)i * 60, 400);
        assert_true(fixture_effect(f, ENGINE_ITEM, TIDE_REC_receipt, 0, &receipt[i]));
    }
    fixture_pass(f, CLOSES - OPENS);
    assert_true(engine_draw_lot(f->engine, 1, &lot));
    draw_root(&lot, root);
    draw_hex_get(&the_draw(f)->root_1, told_root);
    assert_memory_equal(root, told_root, 32);
    for (uint32_t i = 0; i < 3; i++) { /* each finds himself in it */
        int64_t quarters[4];
        draw_leaf(&lot, i, leaf);
        draw_hex_set(leaf, quarters);
        assert_memory_equal(quarters, &receipt[i].leaf_1, sizeof quarters);
    }
    lot.wishes[1].used_min++;
    draw_root(&lot, root);
    assert_memory_not_equal(root, told_root, 32);
}

static void voided(struct fixture *f, tide_id wish)
{
    struct tide_draw over;
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_draw, 0, &over));
    while (over.state == TIDE_DRAW_STATE_settling)
        assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_draw, 1, &over));
    assert_int_equal(over.state, TIDE_DRAW_STATE_void);
    assert_int_equal(wish_written(f, wish).state, TIDE_WISH_STATE_lost);
    assert_int_equal(wish_written(f, wish).why, TIDE_WHY_draw_void);
    assert_true(fixture_told(f, OWNER, TIDE_NOTICE_KIND_draw_lost));
}

static void another_secret_is_void(void **state)
{
    struct fixture *f = *state;
    static const uint8_t other[32] = "one that suits somebody better";
    struct tide_draw_result told;
    size_t len;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    tide_id wish = ask(f, OWNER, 50, 0, 60);
    fixture_pass(f, CLOSES - OPENS);
    solve(f, other, &told, &len);
    own(f, TIDE_REC_draw_result, &told, blob, len);
    fixture_pass(f, 0);
    voided(f, wish);
}

static void undecided_at_its_time_is_void(void **state)
{
    struct fixture *f = *state;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    tide_id wish = ask(f, OWNER, 50, 0, 60);
    fixture_pass(f, CLOSES - OPENS);
    assert_int_equal(the_draw(f)->state, TIDE_DRAW_STATE_closed);
    fixture_pass(f, TIDE_DAY_MS - CLOSES);
    voided(f, wish);
}

static void bytes_that_are_no_result_are_void(void **state)
{
    static const struct {
        const char *what;
        size_t cut, at;
        uint8_t byte;
    } rows[] = {
        {"nothing", 0, 0, 0},
        {"half a span", 7, 0, 1},
        {"a slot of elsewhere", 26, 4, 1},
        {"a span that is over before it begins", 26, 10, 0},
        {"a wish on span 9", 26, 24, 9},
        {"half a wish", 25, 0, 2},
        {"more spans than bytes", 26, 0, 90},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_draw_result told;
        size_t len;
        open_draw(f, TIDE_DRAW_AIM_minutes);
        ask(f, OWNER, 50, 0, 60);
        fixture_pass(f, CLOSES - OPENS);
        solve(f, secret, &told, &len);
        assert_int_equal(len, 26);
        blob[rows[i].at] = rows[i].byte;
        own(f, TIDE_REC_draw_result, &told, blob, rows[i].cut);
        fixture_pass(f, 0);
        struct tide_wish wish = wish_written(f, 1);
        if (wish.why != TIDE_WHY_draw_void)
            fail_msg("%s: %s", rows[i].what, why_name(wish.why));
        done(f);
    }
}

/* ---- what has changed since ------------------------------------------------------------------ */
static void a_lost_slot_is_no_lost_wish(void **state)
{
    struct fixture *f = *state;
    struct tide_draw_result told;
    size_t len;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    tide_id first = ask(f, OWNER, 50, 0, 720);
    fixture_pass(f, CLOSES - OPENS);
    solve(f, secret, &told, &len);
    tide_id drawn = lot.spans[lot.wishes[0].span - 1].slot;
    struct tide_blackout black = {.slot = drawn,
                                  .start_ms = MONDAY_0800 + TUESDAY * MIN_MS,
                                  .end_ms = MONDAY_0800 + (TUESDAY + 60) * MIN_MS};
    fixture_send(f, CLERK, TIDE_REC_blackout, &black);
    CODE_IS(f, ok);
    own(f, TIDE_REC_draw_result, &told, blob, len);
    fixture_pass(f, 0);
    struct tide_wish wish = wish_written(f, first);
    assert_int_equal(wish.state, TIDE_WISH_STATE_won);
    assert_int_equal(fixture_booking(f, wish.booking)->slot, 5 + 6 - drawn);
}

static void who_is_forgotten_wins_nothing(void **state)
{
    struct fixture *f = *state;
    struct tide_draw_result told;
    size_t len;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    tide_id gone = ask(f, THIRD, 50, 0, 720), stays = ask(f, OWNER, 51, 0, 720);
    fixture_send(f, CLERK, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_plate, .id = 50});
    WHY_IS(f, in_use);
    fixture_pass(f, CLOSES - OPENS);
    solve(f, secret, &told, &len);
    fixture_send(f, THIRD, TIDE_REC_forget,
                 &(struct tide_forget){.kind = TIDE_NAME_KIND_person, .id = THIRD});
    CODE_IS(f, ok);
    assert_int_equal(wish_written(f, gone).state, TIDE_WISH_STATE_lost);
    own(f, TIDE_REC_draw_result, &told, blob, len);
    fixture_pass(f, 0);
    assert_int_equal(wish_written(f, stays).state, TIDE_WISH_STATE_won);
    assert_int_equal(wish_written(f, gone).id, 0);
}

/* ---- who may what, when ---------------------------------------------------------------------- */
#define AT(minute) (MONDAY_0800 + (TUESDAY + (minute)) * MIN_MS)
#define ASK(what, by, plate_, code_, why_, ...)                                                    \
    RULE_(what, by, draw_ask, code_, why_, .plate = plate_, .zone = ZONE, .start_ms = AT(0),       \
          .end_ms = AT(60), __VA_ARGS__)

static void asking_rules(void **state)
{
    static const struct rule_row rows[] = {
        ASK("a resident asks", OWNER, 70, "ok", "none", .nonce_1 = 1),
        ASK("the clerk for a household", CLERK, 70, "ok", "none", .household = HOME_OWNER),
        ASK("nobody for another", THIRD, 70, "not_authorized", "not_yours",
            .household = HOME_OWNER),
        ASK("a guard has no household", GUARD, 70, "not_found", "none", .nonce_1 = 1),
        ASK("no plate", OWNER, 0, "not_found", "none", .nonce_1 = 1),
        ASK("a blocked plate", OWNER, 4, "not_authorized", "blocked", .nonce_1 = 1),
        ASK("a plate that waits already", OWNER, 69, "conflict", "plate_overlap", .nonce_1 = 1),
        RULE_("a zone that is not", OWNER, draw_ask, "not_found", "none", .plate = 70, .zone = 8,
              .start_ms = AT(0), .end_ms = AT(60)),
        RULE_("a zone without draws", OWNER, draw_ask, "not_found", "none", .plate = 70, .zone = 1,
              .start_ms = AT(0), .end_ms = AT(60)),
        RULE_("over before it begins", OWNER, draw_ask, "invalid", "ends_before_start", .plate = 70,
              .zone = ZONE, .start_ms = AT(60), .end_ms = AT(60)),
        RULE_("half outside of the draw", OWNER, draw_ask, "conflict", "too_early", .plate = 70,
              .zone = ZONE, .start_ms = AT(-60), .end_ms = AT(60)),
        RULE_("the day after's draw", OWNER, draw_ask, "conflict", "too_early", .plate = 70,
              .zone = ZONE, .start_ms = AT(1440), .end_ms = AT(1500)),
        RULE_("another's wish", THIRD, draw_withdraw, "not_authorized", "not_yours", .wish = 1),
        RULE_("a wish that is not", THIRD, draw_withdraw, "not_found", "none", .wish = 9),
        RULE_("one's own wish", NEIGHBOUR, draw_withdraw, "ok", "none", .wish = 1),
        RULE_("a second draw for that time", CLERK, draw_open, "conflict", "in_use", .zone = ZONE,
              .ask_from_ms = AT(-1380), .ask_until_ms = AT(-1300), .start_ms = AT(0),
              .end_ms = AT(60)),
        RULE_("a draw by the committee", CLERK, draw_open, "ok", "none", .zone = 1,
              .ask_from_ms = AT(-1380), .ask_until_ms = AT(-1300), .start_ms = AT(0),
              .end_ms = AT(60), .source = TIDE_DRAW_SOURCE_ssq, .issue = 2019057),
        RULE_("a source without its issue", CLERK, draw_open, "invalid", "none", .zone = 1,
              .ask_from_ms = AT(-1380), .ask_until_ms = AT(-1300), .start_ms = AT(0),
              .end_ms = AT(60), .source = TIDE_DRAW_SOURCE_ssq),
        RULE_("asked after it began", CLERK, draw_open, "invalid", "in_the_past", .zone = 1,
              .ask_from_ms = AT(-60), .ask_until_ms = AT(30), .start_ms = AT(0), .end_ms = AT(60)),
        RULE_("beyond the horizon", CLERK, draw_open, "invalid", "beyond_horizon", .zone = 1,
              .ask_from_ms = AT(-60), .ask_until_ms = AT(-30), .start_ms = AT(0),
              .end_ms = AT(30 * 1440)),
        RULE_("a resident opens none", OWNER, draw_open, "not_authorized", "role_missing",
              .zone = 1, .ask_from_ms = AT(-60), .ask_until_ms = AT(-30), .start_ms = AT(0),
              .end_ms = AT(60)),
        RULE_("a value nobody waits for", CLERK, draw_value, "conflict", "too_early", .draw = 1,
              .value = 5),
        RULE_("a value for no draw", CLERK, draw_value, "not_found", "none", .draw = 7, .value = 5),
        RULE_("no value", CLERK, draw_value, "invalid", "none", .draw = 1),
        RULE_("a resident tells no value", OWNER, draw_value, "not_authorized", "role_missing",
              .draw = 1, .value = 5),
        RULE_("who is asked what is drawn", OWNER, ask_quote, "conflict", "to_be_drawn",
              .zone = ZONE, .start_ms = AT(0), .end_ms = AT(60)),
        RULE_("the proof of what is not over", OWNER, ask_proof, "conflict", "too_early",
              .draw = 1),
        RULE_("the proof of no draw", OWNER, ask_proof, "not_found", "none", .draw = 5),
        RULE_("draws for all", OWNER, ask_draws, "ok", "none", .zone = 0),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        open_draw(f, TIDE_DRAW_AIM_minutes);
        assert_int_equal(ask(f, NEIGHBOUR, 69, 0, 60), 1);
        fixture_send(f, rows[i].user, rows[i].kind, &rows[i].row);
        expect(f, rows[i].rule, rows[i].code, rows[i].why);
        done(f);
    }
}

static void hours_of_a_zone(void **state)
{
    static const struct {
        const char *what;
        uint8_t policy;
        int32_t opens, closes, from, until;
        const char *code;
    } rows[] = {
        {"an evening's draw", TIDE_ZONE_POLICY_draw, 1200, 1215, 480, 1200, "ok"},
        {"until midnight", TIDE_ZONE_POLICY_draw, 1200, 1440, 0, 1440, "ok"},
        {"closes before it opens", TIDE_ZONE_POLICY_draw, 1215, 1200, 480, 1200, "invalid"},
        {"closes tomorrow", TIDE_ZONE_POLICY_draw, 1200, 1441, 480, 1200, "invalid"},
        {"no time to give away", TIDE_ZONE_POLICY_draw, 1200, 1215, 480, 480, "invalid"},
        {"off the grain", TIDE_ZONE_POLICY_draw, 1200, 1215, 481, 1200, "invalid"},
        {"hours without a draw", TIDE_ZONE_POLICY_fcfs, 1200, 1215, 480, 1200, "invalid"},
        {"no hours and no draw", TIDE_ZONE_POLICY_fcfs, 0, 0, 0, 0, "ok"},
        {"a draw without hours", TIDE_ZONE_POLICY_draw, 0, 0, 0, 0, "invalid"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *f = fresh();
        struct tide_zone zone = drawing;
        zone.policy = rows[i].policy;
        zone.draw_opens_min = rows[i].opens;
        zone.draw_closes_min = rows[i].closes;
        zone.draw_from_min = rows[i].from;
        zone.draw_until_min = rows[i].until;
        put_zone(f, &zone);
        expect(f, rows[i].what, rows[i].code, "none");
        done(f);
    }
}

/* A yearly draw with a public source waits for it, and is not decided without. */
static void the_public_source(void **state)
{
    struct fixture *f = *state;
    tide_id draw;
    struct tide_draw_open opened = {.zone = 1,
                                    .ask_from_ms = f->now_ms,
                                    .ask_until_ms = f->now_ms + HOUR_MS,
                                    .start_ms = AT(0),
                                    .end_ms = AT(3 * 1440),
                                    .source = TIDE_DRAW_SOURCE_ssq,
                                    .issue = 2019057};
    fixture_send(f, ADMIN, TIDE_REC_draw_open, &opened);
    CODE_IS(f, ok);
    seal(f, 1);
    struct tide_draw_ask want = asking(50, 0, 60);
    want.zone = 1;
    fixture_send(f, OWNER, TIDE_REC_draw_ask, &want);
    CODE_IS(f, ok);
    fixture_pass(f, HOUR_MS);
    assert_int_equal(the_draw(f)->state, TIDE_DRAW_STATE_closed);
    assert_int_equal(engine_draw_needs(f->engine, 0, &draw), ENGINE_DRAW_NOTHING);
    fixture_send(f, OWNER, TIDE_REC_draw_withdraw, &(struct tide_draw_withdraw){.wish = 1});
    WHY_IS(f, draw_closed);
    fixture_send(f, OWNER, TIDE_REC_draw_ask, &want);
    WHY_IS(f, draw_closed);
    struct tide_draw_value value = {.draw = 1, .value = 3081217263309};
    fixture_send(f, CLERK, TIDE_REC_draw_value, &value);
    CODE_IS(f, ok);
    fixture_send(f, CLERK, TIDE_REC_draw_value, &value);
    WHY_IS(f, in_use); /* said once */
    assert_int_equal(engine_draw_needs(f->engine, 0, &draw), ENGINE_DRAW_SOLVED);
    struct tide_draw_result told;
    size_t len;
    solve(f, secret, &told, &len);
    uint64_t with = lot.wishes[0].lot;
    lot.value++; /* another value, other lots */
    struct draw_outcome outcome;
    draw_decide(&lot, memory, sizeof memory, &outcome);
    assert_true(with != lot.wishes[0].lot);
    own(f, TIDE_REC_draw_result, &told, blob, len);
    fixture_pass(f, 0);
    assert_int_equal(wish_written(f, 1).state, TIDE_WISH_STATE_won);
}

/* Events that come too late, twice, or for no draw change nothing. */
static void late_words_change_nothing(void **state)
{
    struct fixture *f = *state;
    uint8_t before[32], after[32];
    open_draw(f, TIDE_DRAW_AIM_minutes);
    engine_digest(f->engine, before);
    seal(f, 1);
    seal(f, 9);
    own(f, TIDE_REC_draw_result, &(struct tide_draw_result){.draw = 1}, blob, 4);
    own(f, TIDE_REC_draw_result, &(struct tide_draw_result){.draw = 9}, blob, 4);
    engine_digest(f->engine, after);
    assert_memory_equal(before, after, 32);
}

static void nobody_asks(void **state)
{
    struct fixture *f = *state;
    struct tide_draw over;
    open_draw(f, TIDE_DRAW_AIM_minutes);
    fixture_pass(f, CLOSES - OPENS);
    assert_null(the_draw(f));
    assert_true(fixture_effect(f, ENGINE_PUT, TIDE_REC_draw, 1, &over));
    assert_int_equal(over.state, TIDE_DRAW_STATE_decided);
    assert_int_not_equal(fixture_book(f, OWNER, 60, ZONE, TUESDAY, TUESDAY + 60), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST_(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
        TEST_(decided_together),
        TEST_(most_households),
        TEST_(least_served_first),
        TEST_(the_proof_is_one),
        TEST_(another_secret_is_void),
        TEST_(undecided_at_its_time_is_void),
        TEST_(a_lost_slot_is_no_lost_wish),
        TEST_(who_is_forgotten_wins_nothing),
        TEST_(the_public_source),
        TEST_(late_words_change_nothing),
        TEST_(nobody_asks),
        cmocka_unit_test(bytes_that_are_no_result_are_void),
        cmocka_unit_test(asking_rules),
        cmocka_unit_test(hours_of_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
