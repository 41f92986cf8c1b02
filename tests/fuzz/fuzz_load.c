/* fuzz_load.c - the rows of a database, some of them wrong, into an engine.
 *
 * A busy morning is played once; its rows are the base. The input changes them, 12 bytes a change:
 *
 *   0  which row   1  which field   2  what: set, drop the row, add another   4..11  the value
 *
 * Values are within their column (the store checks that), but need not make sense. Properties: the
 * rows are refused, or the engine has a digest and lives through two more days of deadlines. */
#include <stdio.h>
#include <string.h>

#include "protocol/codec.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/world.h"

#define ROWS_MAX 128
#define CHANGE_BYTES 12
#define DAYS_AFTER 2

struct row {
    unsigned kind;
    union tide_any any;
};
static struct row base[ROWS_MAX];
static size_t base_count;
static tide_ms base_ms;

/* ---- the busy morning ------------------------------------------------------------------------ */
static uint8_t buf[TIDE_EFFECTS_BYTES_MAX];

static void step(struct engine *engine, struct engine_event *event, tide_id user)
{
    struct engine_effects effects = {.buf = buf, .cap = sizeof buf};
    for (unsigned i = 0; i < 1000 && engine_next_deadline(engine) <= base_ms; i++)
        engine_step(engine, &(struct engine_event){.when_ms = base_ms, .kind = TIDE_REC_tick},
                    &effects);
    event->when_ms = base_ms;
    event->user = user;
    engine_step(engine, event, &effects);
}

static void keep(unsigned kind, const void *row)
{
    if (base_count == ROWS_MAX)
        fuzz_fail("there is room for the base");
    base[base_count].kind = kind;
    memcpy(&base[base_count++].any, row, tide_record_of(kind)->size);
}

static void ask(struct engine *engine, tide_id user, const char *op, const char *members)
{
    static struct tide_request request;
    static unsigned number;
    struct tide_fault fault;
    char body[600];
    int len =
        snprintf(body, sizeof body, "{\"rid\":\"b%u\",\"expires\":\"2030-01-01T00:00:00Z\",%s}",
                 number++, members);
    if (tide_decode_request(tide_op_find(op), (const uint8_t *)body, (size_t)len, fuzz_names(), 480,
                            &request, &fault) != 0)
        fuzz_fail("the base is well-formed");
    step(engine, &request.event, user);
}

static void see(struct engine *engine, const char *kind, const char *body)
{
    struct engine_event event;
    struct tide_fault fault;
    memset(&event, 0, sizeof event);
    if (tide_decode_fact(kind, (const uint8_t *)body, strlen(body), fuzz_names(), 480, &event,
                         &fault) != 0)
        fuzz_fail("the base is well-formed");
    step(engine, &event, fuzz_names()->find(NULL, TIDE_NAME_KIND_user, "gw1", 3));
}

static void keep_rows(const struct engine *engine)
{
    for (unsigned key = 1; key < TIDE_SETTINGS_COUNT; key++)
        keep(TIDE_REC_setting_row,
             &(struct tide_setting_row){.key = (uint8_t)key,
                                        .value = engine_setting(engine, (enum tide_setting)key)});
    for (unsigned counter = 1; tide_enum_name(TIDE_ENUM_FIELD_TYPE(counter), counter) != NULL;
         counter++)
        keep(TIDE_REC_counter_row,
             &(struct tide_counter_row){.counter = (uint8_t)counter, .next = 1000});
    keep(TIDE_REC_account, engine_find(engine, TIDE_REC_account, 0, 0, 0));
    for (unsigned kind = 1; kind < 100; kind++) {
        uint32_t cursor = 0;
        const void *row;
        if (tide_record_of(kind) == NULL || kind == TIDE_REC_setting_row)
            continue;
        while ((row = engine_next(engine, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row))
                keep(kind, row);
    }
}

static void make_base(void)
{
    struct engine *engine = fuzz_world();
    base_ms = FUZZ_MORNING_MS;
    ask(engine, 1, "parking.repeat",
        "\"plate\":\"浙FA1234\",\"zone\":\"A\",\"opens\":\"19:00\",\"closes\":\"21:00\"");
    ask(engine, 1, "parking.book",
        "\"plate\":\"浙FD12345\",\"zone\":\"A\",\"for\":\"3-2-501\","
        "\"start\":\"2019-05-20T09:00+08:00\",\"end\":\"2019-05-20T11:00+08:00\"");
    ask(engine, 1, "parking.book",
        "\"plate\":\"浙FA1234\",\"zone\":\"A\",\"for\":\"3-2-501\","
        "\"start\":\"2019-05-20T06:00+08:00\",\"end\":\"2019-05-20T08:00+08:00\"");
    see(engine, "hello", "{\"boot\":1,\"seq\":0}");
    see(engine, "plate",
        "{\"boot\":1,\"seq\":1,\"lane\":\"G1-in\",\"plate\":\"浙FA1234\","
        "\"dir\":\"in\",\"ask\":1}");
    see(engine, "slot", "{\"boot\":1,\"seq\":2,\"slot\":\"A-017\",\"state\":\"occupied\"}");
    ask(engine, 1, "calendar.put",
        "\"year\":2019,\"days\":[{\"date\":\"2019-05-21\",\"isOffDay\":true}]");
    base_ms += 15 * TIDE_MINUTE_MS; /* a car without a right becomes an incident */
    step(engine, &(struct engine_event){.kind = TIDE_REC_tick}, 0);
    keep_rows(engine);
}

/* ---- the same, changed ----------------------------------------------------------------------- */
static size_t change(struct row *rows, size_t count, const uint8_t *bytes)
{
    struct row *row = &rows[bytes[0] % count];
    const struct tide_record *desc = tide_record_of(row->kind);
    const struct tide_field *field = &desc->fields[bytes[1] % desc->field_count];
    int64_t value;
    memcpy(&value, bytes + 4, sizeof value);
    if (bytes[2] % 8 == 1 && count > 1) {
        *row = rows[count - 1];
        return count - 1;
    }
    if (bytes[2] % 8 == 2 && count < ROWS_MAX) {
        rows[count] = *row;
        row = &rows[count++];
    } else if (bytes[2] % 8 == 3) { /* a little more or less than it was */
        value = (int64_t)((uint64_t)tide_field_get(field, &row->any) + bytes[4] - 128u);
    }
    if (tide_field_fits(field, value))
        tide_field_set(field, &row->any, value);
    return count;
}

static void live_on(struct engine *engine)
{
    uint8_t first[32], again[32];
    engine_digest(engine, first);
    engine_digest(engine, again);
    if (memcmp(first, again, sizeof first) != 0)
        fuzz_fail("one state has one digest");
    tide_ms end_ms = base_ms + DAYS_AFTER * TIDE_DAY_MS;
    for (unsigned i = 0; i < 1000 && engine_next_deadline(engine) <= end_ms; i++) {
        struct engine_effects effects = {.buf = buf, .cap = sizeof buf};
        tide_ms due = engine_next_deadline(engine);
        struct engine_event tick = {.when_ms = due > base_ms ? due : base_ms,
                                    .kind = TIDE_REC_tick};
        engine_step(engine, &tick, &effects);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct row rows[ROWS_MAX];
    if (base_count == 0)
        make_base();
    memcpy(rows, base, sizeof rows);
    size_t count = base_count;
    for (size_t at = 0; at + CHANGE_BYTES <= size && at < 64u * CHANGE_BYTES; at += CHANGE_BYTES)
        count = change(rows, count, data + at);
    struct engine *engine = fuzz_engine_empty();
    for (size_t i = 0; i < count; i++)
        if (engine_row_is_live(rows[i].kind, &rows[i].any) &&
            engine_load(engine, rows[i].kind, &rows[i].any) != 0)
            return 0;
    if (engine_load_end(engine, base_ms) == 0)
        live_on(engine);
    else if (size < CHANGE_BYTES)
        fuzz_fail("the base itself can be loaded");
    return 0;
}
