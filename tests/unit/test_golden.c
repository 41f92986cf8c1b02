/* test_golden.c - what was decided once is decided again, byte for byte: the golden journal of
 * these rules. A change of decisions is fine, but never silent: it raises ENGINE_RULES and brings
 * its own golden journal (tests/sim/golden.h says how). Older ones must stay readable: their rows
 * still make an engine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/golden.h"
#include "tests/sim/rows.h"

struct replay {
    struct engine_limits limits;
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    struct sim_rows *rows;
    tide_ms when_ms;
    uint64_t events;
    unsigned kinds[TIDE_REC_MAX];
    uint64_t first_fault; /* seq, 0: none */
    uint8_t fault_kind;
};

static void *engine_block(const struct engine_limits *limits)
{
    void *memory = aligned_alloc(64, (engine_size(limits) + 63) & ~(size_t)63);
    assert_non_null(memory);
    return memory;
}

static void fold(struct replay *r, const uint8_t *effects, size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_PUT)
            sim_rows_put(r->rows, kind, &any);
        else if (verb == ENGINE_DEL)
            sim_rows_del(r->rows, kind, &any);
    }
    assert_int_equal(at, len);
}

static void take(void *arg, uint64_t seq, const struct engine_event *event, const uint8_t *effects,
                 size_t len)
{
    struct replay *r = arg;
    fold(r, effects, len);
    r->when_ms = event->when_ms;
    r->events = seq;
    r->kinds[event->kind]++;
    if (r->engine == NULL || r->first_fault != 0)
        return;
    r->effects.len = r->effects.count = 0;
    if (TIDE_EVENT_IS_ASK(event->kind))
        engine_query(r->engine, event, &r->effects);
    else
        engine_step(r->engine, event, &r->effects);
    if (r->effects.len != len || memcmp(r->effects.buf, effects, len) != 0) {
        r->first_fault = seq;
        r->fault_kind = event->kind;
    }
}

static int set_up(void **state)
{
    struct replay *r = calloc(1, sizeof *r);
    assert_non_null(r);
    golden_limits(&r->limits);
    r->memory = engine_block(&r->limits);
    r->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    r->effects.buf = malloc(r->effects.cap);
    assert_non_null(r->effects.buf);
    r->rows = sim_rows_new();
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct replay *r = *state;
    free(r->memory);
    free(r->effects.buf);
    sim_rows_free(r->rows);
    free(r);
    return 0;
}

static bool read_golden(unsigned rules, struct replay *r, uint8_t digest[32])
{
    char path[64];
    uint32_t seen = 0;
    (void)snprintf(path, sizeof path, "tests/sim/golden/rules-%u.bin", rules);
    if (golden_read(path, &seen, take, r, digest) != 0)
        return false;
    assert_int_equal(seen, rules);
    return true;
}

/* An engine from the rows alone. */
static void load(struct replay *r, uint8_t ret_digest[32])
{
    void *memory = engine_block(&r->limits);
    struct engine *engine = engine_init(memory, engine_size(&r->limits), &r->limits);
    for (unsigned kind = 1; kind < 100; kind++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while ((row = sim_rows_next(r->rows, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row))
                assert_int_equal(engine_load(engine, kind, row), 0);
    }
    assert_int_equal(engine_load_end(engine, r->when_ms), 0);
    engine_digest(engine, ret_digest);
    free(memory);
}

static void decided_again_byte_for_byte(void **state)
{
    struct replay *r = *state;
    uint8_t kept[32], now[32], loaded[32];
    r->engine = engine_init(r->memory, engine_size(&r->limits), &r->limits);
    if (!read_golden(ENGINE_RULES, r, kept))
        fail_msg("no golden journal of rules %u: build/tide-sim --write-golden "
                 "tests/sim/golden/rules-%u.bin",
                 ENGINE_RULES, ENGINE_RULES);
    if (r->first_fault != 0)
        fail_msg("event %llu (%s) is decided otherwise now: raise ENGINE_RULES and keep this file",
                 (unsigned long long)r->first_fault, tide_record_of(r->fault_kind)->name);
    assert_true(r->events > 300);
    engine_digest(r->engine, now);
    assert_memory_equal(now, kept, sizeof kept);
    load(r, loaded);
    assert_memory_equal(loaded, kept, sizeof kept);
}

/* A journal without the usual events would hold nothing. */
static void a_little_of_everything_is_in_it(void **state)
{
    static const uint8_t wanted[] = {
        TIDE_REC_genesis,     TIDE_REC_tick,     TIDE_REC_put,        TIDE_REC_book,
        TIDE_REC_cancel,      TIDE_REC_extend,   TIDE_REC_repeat,     TIDE_REC_share,
        TIDE_REC_recall,      TIDE_REC_arrive,   TIDE_REC_plate_seen, TIDE_REC_slot_seen,
        TIDE_REC_leave,       TIDE_REC_calendar, TIDE_REC_forget,     TIDE_REC_gate_report,
        TIDE_REC_ask_quote,   TIDE_REC_ask_tide, TIDE_REC_ask_sheet,  TIDE_REC_drop,
        TIDE_REC_correct,     TIDE_REC_reloaded, TIDE_REC_draw_ask,   TIDE_REC_draw_seal,
        TIDE_REC_draw_result, TIDE_REC_wait,     TIDE_REC_unwait,     TIDE_REC_confirm};
    struct replay *r = *state;
    uint8_t kept[32];
    if (!read_golden(ENGINE_RULES, r, kept))
        fail();
    for (size_t i = 0; i < sizeof wanted; i++)
        if (r->kinds[wanted[i]] == 0)
            fail_msg("no %s", tide_record_of(wanted[i])->name);
}

static void older_ones_still_make_an_engine(void **state)
{
    (void)state;
    for (unsigned rules = 1; rules < ENGINE_RULES; rules++) {
        void *fresh = NULL;
        uint8_t kept[32], loaded[32];
        set_up(&fresh);
        assert_true(read_golden(rules, fresh, kept));
        load(fresh, loaded);
        tear_down(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decided_again_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_little_of_everything_is_in_it, set_up, tear_down),
        cmocka_unit_test(older_ones_still_make_an_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
