/* test_rules_load.c - rows that no engine wrote are no state: one row a rule. Taken are the rows
 * that the golden journal, or a story, leaves behind, with one number in one of them changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/golden.h"
#include "tests/sim/rows.h"
#include "tests/sim/script.h"

#define NOBODY 60001 /* an id that stands for nothing */

struct stage {
    struct engine_limits limits;
    struct sim_rows *rows;
    tide_ms when_ms;
    void *memory;
    size_t size;
    bool full; /* there is a row of each kind */
};

static void fold(void *arg, uint64_t seq, const struct engine_event *event, const uint8_t *effects,
                 size_t len)
{
    struct stage *s = arg;
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    if (s->full)
        return;
    s->when_ms = event->when_ms;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_PUT)
            sim_rows_put(s->rows, kind, &any);
        else if (verb == ENGINE_DEL)
            sim_rows_del(s->rows, kind, &any);
        uint32_t cursor = 0;
        s->full |= seq > 1500 && verb == ENGINE_PUT && kind == TIDE_REC_incident &&
                   any.incident.state == TIDE_INCIDENT_STATE_open &&
                   sim_rows_next(s->rows, TIDE_REC_day, &cursor) != NULL;
    }
}

static int set_up(void **state)
{
    static struct stage stage;
    char path[64];
    uint32_t rules;
    uint8_t digest[32];
    golden_limits(&stage.limits);
    stage.rows = sim_rows_new();
    stage.size = (engine_size(&stage.limits) + 63) & ~(size_t)63;
    stage.memory = aligned_alloc(64, stage.size);
    assert_non_null(stage.memory);
    (void)snprintf(path, sizeof path, "tests/sim/golden/rules-%u.bin", ENGINE_RULES);
    assert_int_equal(golden_read(path, &rules, fold, &stage, digest), 0);
    *state = &stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    free(s->memory);
    s->rows = sim_rows_free(s->rows);
    return 0;
}

/* Loads all rows, `other` in place of the one that it stands for (NULL: as they are). */
static int load(const struct stage *s, unsigned changed, const union tide_any *old,
                const union tide_any *other)
{
    struct engine *engine = engine_init(s->memory, s->size, &s->limits);
    for (unsigned kind = 1; kind < 100; kind++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while ((row = sim_rows_next(s->rows, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row) &&
                engine_load(engine, kind, kind == changed && row == old ? other : row) != 0)
                return -1;
    }
    return engine_load_end(engine, s->when_ms);
}

static const struct tide_field *field_named(const struct tide_record *desc, const char *name)
{
    for (unsigned i = 0; i < desc->field_count; i++)
        if (strcmp(desc->fields[i].name, name) == 0)
            return &desc->fields[i];
    fail_msg("%s has no %s", desc->name, name);
    return NULL;
}

/* The first live row of a kind for which `needs` (NULL: any) is not 0. */
static const union tide_any *some_row(const struct stage *s, const struct tide_record *desc,
                                      const char *needs)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    const struct tide_field *field = needs != NULL ? field_named(desc, needs) : NULL;
    while ((row = sim_rows_next(s->rows, desc->kind, &cursor)) != NULL)
        if (engine_row_is_live(desc->kind, row) &&
            (field == NULL || tide_field_get(field, row) != 0))
            return row;
    fail_msg("no %s to change", desc->name);
    return NULL;
}

static void as_it_is(void **state)
{
    assert_int_equal(load(*state, 0, NULL, NULL), 0);
}

struct spoilt { /* of a row in which `needs` is not 0, this field */
    unsigned kind;
    const char *needs, *field;
    int64_t value;
};

static const struct spoilt rows[] = {
    {TIDE_REC_place, "parent", "parent", NOBODY},
    {TIDE_REC_person, "household", "household", NOBODY},
    {TIDE_REC_role_row, NULL, "person", NOBODY},
    {TIDE_REC_role_row, NULL, "place", NOBODY},
    {TIDE_REC_role_row, NULL, "place", 0},
    {TIDE_REC_user, NULL, "person", NOBODY},
    {TIDE_REC_vehicle, "household", "household", NOBODY},
    {TIDE_REC_zone, NULL, "place", NOBODY},
    {TIDE_REC_zone, NULL, "place", 0},
    {TIDE_REC_slot, NULL, "zone", 31},
    {TIDE_REC_slot, NULL, "zone", 0},
    {TIDE_REC_slot, NULL, "owner", NOBODY},
    {TIDE_REC_lane, NULL, "place", NOBODY},
    {TIDE_REC_window, "slot", "slot", NOBODY},
    {TIDE_REC_window, "slot", "zone", 0},
    {TIDE_REC_window, "slot", "zone", 31},
    {TIDE_REC_window, "days", "days", 0},
    {TIDE_REC_window, "days", "days", 16},
    {TIDE_REC_window, "days", "weekdays", 0},
    {TIDE_REC_window, "days", "weekdays", 128},
    {TIDE_REC_window, "days", "closes_min", 0},
    {TIDE_REC_window, "days", "closes_min", 2881},
    {TIDE_REC_window, "days", "opens_min", -1},
    {TIDE_REC_window, NULL, "id", 1000000},
    {TIDE_REC_account, "household", "household", NOBODY},
    {TIDE_REC_account, "household", "held_min", -1},
    {TIDE_REC_account, "household", "balance_min", 1000000001},
    {TIDE_REC_account, "household", "balance_min", -1000000001},
    {TIDE_REC_account, "held_min", "held_min", 0},
    {TIDE_REC_booking, NULL, "slot", NOBODY},
    {TIDE_REC_booking, NULL, "slot", 0},
    {TIDE_REC_booking, NULL, "zone", 31},
    {TIDE_REC_booking, NULL, "household", NOBODY},
    {TIDE_REC_booking, NULL, "household", 0},
    {TIDE_REC_booking, NULL, "plate", 0},
    {TIDE_REC_booking, NULL, "start_ms", 0},
    {TIDE_REC_booking, NULL, "end_ms", 1},
    {TIDE_REC_booking, NULL, "end_ms", TIDE_TIME_MAX},
    {TIDE_REC_booking, NULL, "end_ms", TIDE_TIME_MAX + 1},
    {TIDE_REC_booking, NULL, "held_min", -1},
    {TIDE_REC_booking, NULL, "visitor", 2},
    {TIDE_REC_booking, NULL, "id", 1000000},
    {TIDE_REC_series, NULL, "zone", 31},
    {TIDE_REC_series, NULL, "household", 0},
    {TIDE_REC_series, NULL, "household", NOBODY},
    {TIDE_REC_series, NULL, "plate", 0},
    {TIDE_REC_series, NULL, "opens_min", 1440},
    {TIDE_REC_series, NULL, "closes_min", 0},
    {TIDE_REC_series, NULL, "id", 1000000},
    {TIDE_REC_session, NULL, "plate", 0},
    {TIDE_REC_session, NULL, "place", NOBODY},
    {TIDE_REC_session, NULL, "zone", 31},
    {TIDE_REC_session, NULL, "household", NOBODY},
    {TIDE_REC_session, NULL, "slot", NOBODY},
    {TIDE_REC_session, NULL, "booking", NOBODY},
    {TIDE_REC_session, NULL, "id", 1000000},
    {TIDE_REC_spot, NULL, "slot", NOBODY},
    {TIDE_REC_spot, NULL, "seen_ms", -1},
    {TIDE_REC_incident, NULL, "kind", 0},
    {TIDE_REC_incident, NULL, "zone", 31},
    {TIDE_REC_incident, NULL, "slot", NOBODY},
    {TIDE_REC_incident, NULL, "id", 1000000},
    {TIDE_REC_gateway_cursor, NULL, "gateway", 0},
    {TIDE_REC_counter_row, NULL, "next", UINT32_MAX},
    {TIDE_REC_day, NULL, "day_class", 0},
    {TIDE_REC_day, NULL, "date", -1},
    {TIDE_REC_day, NULL, "date", 2932897},
};

static void each_is_refused(const struct stage *s, const struct spoilt *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tide_record *desc = tide_record_of(list[i].kind);
        const union tide_any *row = some_row(s, desc, list[i].needs);
        union tide_any other = *row;
        tide_field_set(field_named(desc, list[i].field), &other, list[i].value);
        if (load(s, list[i].kind, row, &other) == 0)
            fail_msg("%s with %s=%lld was taken", desc->name, list[i].field,
                     (long long)list[i].value);
    }
}

static void one_number_makes_it_no_state(void **state)
{
    each_is_refused(*state, rows, sizeof rows / sizeof *rows);
}

/* ---- who waits, strikes, what an owner has instead ------------------------------------------- */
/* Wait 2 was offered booking 6, wait 3 waits; one strike is pending and one contested; the owner of
 * A2 has A3 instead. Wait 1 was offered something and has it no more: a case to learn from. */
static const char story[] = "household h1\n"
                            "household h2\n"
                            "household h3\n"
                            "plate P1 of h1\n"
                            "zone A gate\n"
                            "slot A1 of h1\n"
                            "slot A2 of h1\n"
                            "slot A3\n"
                            "window A1 workday 08:00-17:30\n"
                            "window A2 workday 08:00-17:30\n"
                            "window A3 workday 12:30-16:00\n"
                            "zone B hand\n"
                            "slot B1\n"
                            "window B1 all 00:00-24:00\n"
                            "set rules_text_version 1\n"
                            "h2 accepts 1 -> ok\n"
                            "h2 books P3 in B 08:00-08:10 -> ok as b1\n"
                            "h2 arrives b1 -> ok\n"
                            "at 08:30\n"
                            "h2 leaves b1 -> ok\n"
                            "strike h2 pending as x1\n"
                            "h2 contests x1 -> ok\n"
                            "h2 books P3 in B 08:30-08:40 -> ok\n"
                            "h2 books P4 in A 09:30-12:00 -> ok as b3\n"
                            "h2 books P5 in A 09:30-15:00 -> ok\n"
                            "h3 waits P6 in A 09:30-11:00 -> ok as q1\n"
                            "h2 cancels b3 -> ok\n"
                            "at 08:41\n"
                            "strike h2 pending\n"
                            "waiting q1 offered\n"
                            "h3 unwaits q1 -> ok\n"
                            "h2 books P4 in A 09:30-12:00 -> ok as b5\n"
                            "h3 waits P6 in A 09:30-11:00 -> ok as q2\n"
                            "h3 waits P7 in A 09:30-11:00 -> ok as q3\n"
                            "h1 recalls A2 12:30-14:00 swap A3 -> ok\n"
                            "h2 cancels b5 -> ok\n"
                            "at 08:42\n"
                            "waiting q2 offered\n"
                            "waiting q3 waiting\n";

static void fold_story(void *arg, unsigned long long seq, const struct engine_event *event,
                       const struct engine_effects *effects)
{
    fold(arg, seq, event, effects->buf, effects->len);
}

static bool no_line(void *arg, struct script *script)
{
    (void)arg, (void)script;
    return false;
}

static void no_end(void *arg, const struct engine *engine)
{
    (void)arg, (void)engine;
}

#define STRIKE_MADE 1558312200000LL /* 08:30 */

static const struct spoilt newer[] = {
    {TIDE_REC_waiting, NULL, "zone", 31},
    {TIDE_REC_waiting, NULL, "household", 0},
    {TIDE_REC_waiting, NULL, "household", NOBODY},
    {TIDE_REC_waiting, NULL, "plate", 0},
    {TIDE_REC_waiting, NULL, "start_ms", TIDE_TIME_MAX},
    {TIDE_REC_waiting, NULL, "start_ms", 1},
    {TIDE_REC_waiting, NULL, "end_ms", 0},
    {TIDE_REC_waiting, NULL, "end_ms", STRIKE_MADE + 1},
    {TIDE_REC_waiting, NULL, "visitor", 2},
    {TIDE_REC_waiting, NULL, "id", 1000000},
    {TIDE_REC_waiting, "booking", "booking", NOBODY},
    {TIDE_REC_waiting, "booking", "booking", 0},
    {TIDE_REC_waiting, "booking", "plate", 60},
    {TIDE_REC_waiting, "booking", "confirm_by_ms", 0},
    {TIDE_REC_waiting, "booking", "state", TIDE_WAITING_STATE_waiting},
    {TIDE_REC_booking, "waiting", "waiting", 1},
    {TIDE_REC_booking, "waiting", "plate", 60},
    {TIDE_REC_zone, "wait_look_ms", "wait_look_ms", 0},
    {TIDE_REC_zone, "wait_look_ms", "wait_look_ms", -1},
    {TIDE_REC_wait_record, NULL, "zone", 31},
    {TIDE_REC_wait_record, NULL, "asked", 0},
    {TIDE_REC_wait_record, NULL, "asked", TIDE_WAIT_CASES_MAX},
    {TIDE_REC_wait_record, NULL, "got", TIDE_WAIT_CASES_MAX},
    {TIDE_REC_wait_record, NULL, "bucket", TIDE_WAIT_BUCKETS},
    {TIDE_REC_strike, NULL, "kind", 0},
    {TIDE_REC_strike, NULL, "zone", 31},
    {TIDE_REC_strike, NULL, "household", 0},
    {TIDE_REC_strike, NULL, "household", NOBODY},
    {TIDE_REC_strike, NULL, "lender", NOBODY},
    {TIDE_REC_strike, NULL, "charge_min", -1},
    {TIDE_REC_strike, NULL, "at_ms", 0},
    {TIDE_REC_strike, NULL, "contest_until_ms", STRIKE_MADE},
    {TIDE_REC_strike, NULL, "id", 1000000},
    {TIDE_REC_strike, "decide_until_ms", "decide_until_ms", STRIKE_MADE},
    {TIDE_REC_booking, "substitute_for", "substitute_for", NOBODY},
    {TIDE_REC_booking, "substitute_for", "held_min", 5},
    {TIDE_REC_account, "pending_min", "pending_min", -1},
};

static void nor_is_it_one_of_the_newer_ones(void **state)
{
    struct stage s = *(const struct stage *)*state;
    const struct script_stage listens = {
        .arg = &s, .step = fold_story, .line = no_line, .end = no_end};
    char why[4096];
    s.rows = sim_rows_new();
    s.full = false;
    script_limits(&s.limits);
    s.size = (engine_size(&s.limits) + 63) & ~(size_t)63;
    s.memory = aligned_alloc(64, s.size);
    assert_non_null(s.memory);
    if (script_play_on(&listens, story, why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(load(&s, 0, NULL, NULL), 0);
    each_is_refused(&s, newer, sizeof newer / sizeof *newer);
    free(s.memory);
    sim_rows_free(s.rows);
}

/* Each setting that the rows hold: its bounds, and nothing beyond. */
static void settings_within_their_bounds(void **state)
{
    static const struct {
        unsigned key;
        int64_t least, most;
    } bounds[] = {
#define BOUNDS_(number, name, def, least_, most_) {number, least_, most_},
        TIDE_SETTINGS(BOUNDS_)
#undef BOUNDS_
    };
    const struct stage *s = *state;
    for (size_t i = 1; i < sizeof bounds / sizeof *bounds; i++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while ((row = sim_rows_next(s->rows, TIDE_REC_setting_row, &cursor)) != NULL) {
            union tide_any other = *row;
            if (row->setting_row.key != bounds[i].key)
                continue;
            other.setting_row.value = bounds[i].least - 1;
            assert_int_not_equal(load(s, TIDE_REC_setting_row, row, &other), 0);
            other.setting_row.value = bounds[i].most + 1;
            assert_int_not_equal(load(s, TIDE_REC_setting_row, row, &other), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_is),
        cmocka_unit_test(one_number_makes_it_no_state),
        cmocka_unit_test(nor_is_it_one_of_the_newer_ones),
        cmocka_unit_test(settings_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
