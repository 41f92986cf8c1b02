/* test_codec_encode.c - what goes out: every case of protocol/vectors/{replies,messages}.json,
 * byte for byte; buffers that are too small; the hot path's cost, told. */
#include <time.h>

#include "tests/unit/vectors.h"

static struct directory dir;
static struct tide_frame frame;
static char out[TIDE_MESSAGE_BYTES_MAX];

static int setup(void **state)
{
    (void)state;
    directory_load(&dir);
    frame = (struct tide_frame){&dir.names, dir.utc_offset_min, dir.incarnation};
    return 0;
}

/* ---- effects from a vector ------------------------------------------------------------------- */
static size_t effect_add(uint8_t *buf, size_t cap, size_t len, enum engine_verb verb, unsigned kind,
                         const void *record)
{
    assert_true(cap - len > 2);
    buf[len] = (uint8_t)verb;
    buf[len + 1] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), record, buf + len + 2, cap - len - 2);
    assert_true(used > 0);
    return len + 2 + used;
}

static size_t effects_of(const cJSON *list, uint8_t *buf, size_t cap)
{
    size_t len = 0;
    const cJSON *effect;
    cJSON_ArrayForEach(effect, list)
    {
        union tide_any record;
        const char *verb = cJSON_GetArrayItem(effect, 0)->valuestring;
        bool is_reply = strcmp(verb, "reply") == 0;
        unsigned kind = is_reply ? TIDE_REC_reply
                                 : tide_record_named(cJSON_GetArrayItem(effect, 1)->valuestring);
        vectors_record(kind, cJSON_GetArrayItem(effect, is_reply ? 1 : 2), &record);
        len = effect_add(buf, cap, len,
                         is_reply                   ? ENGINE_REPLY
                         : strcmp(verb, "put") == 0 ? ENGINE_PUT
                                                    : ENGINE_ITEM,
                         kind, &record);
    }
    return len;
}

/* The bytes are those of the vector, whose members stand in the order in which they are written. */
static void assert_json(const char *name, const cJSON *expected, size_t len)
{
    struct tide_fault fault;
    char *text = cJSON_PrintUnformatted(expected);
    assert_non_null(text);
    if (len == 0 || strcmp(text, out) != 0)
        fail_msg("%s:\n  is        %s\n  should be %s", name, len > 0 ? out : "(nothing)", text);
    assert_int_equal(len, strlen(text));
    assert_int_equal(tide_json_check((const uint8_t *)out, len, &fault), 0);
    free(text);
}

static void replies(void **state)
{
    cJSON *file = vectors_read("replies.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        uint8_t effects[4096];
        size_t len =
            effects_of(cJSON_GetObjectItemCaseSensitive(test, "effects"), effects, sizeof effects);
        size_t n = tide_encode_reply(out, sizeof out, &frame, "r-1", effects, len);
        assert_json(vectors_text(test, "name"), cJSON_GetObjectItemCaseSensitive(test, "reply"), n);
        for (size_t cap = 0; cap <= n;
             cap++) { /* a smaller buffer: less, or nothing, never beyond */
            struct tide_fault fault;
            char *small = malloc(cap + 1);
            assert_non_null(small);
            size_t used = tide_encode_reply(small, cap, &frame, "r-1", effects, len);
            assert_true(used < cap || used == 0);
            if (used > 0)
                assert_int_equal(tide_json_check((const uint8_t *)small, used, &fault), 0);
            free(small);
        }
    }
    cJSON_Delete(file);
}

/* ---- all other messages ---------------------------------------------------------------------- */
static size_t encode_refusal(const cJSON *test, char *buf, size_t cap)
{
    const cJSON *fault = cJSON_GetObjectItemCaseSensitive(test, "fault");
    const char *code = vectors_text(test, "code");
    int number = tide_enum_value(TIDE_ENUM_FIELD_TYPE(code), code, strlen(code));
    struct tide_fault built = {.what = vectors_text(fault, "what")};
    assert_true(number > 0);
    if (fault != NULL)
        (void)snprintf(built.path, sizeof built.path, "%s", vectors_text(fault, "path"));
    return tide_encode_refusal(buf, cap, &frame, vectors_text(test, "rid"), (enum tide_code)number,
                               fault != NULL ? &built : NULL);
}

static size_t encode_list(const cJSON *test, char *buf, size_t cap)
{
    struct tide_pass passes[8];
    size_t count = 0;
    const cJSON *pass;
    cJSON_ArrayForEach(pass, cJSON_GetObjectItemCaseSensitive(test, "passes"))
    {
        passes[count++] = (struct tide_pass){.plate = (tide_id)vectors_int(pass, "plate"),
                                             .from_ms = vectors_int(pass, "from_ms"),
                                             .until_ms = vectors_int(pass, "until_ms"),
                                             .booking = (tide_id)vectors_int(pass, "booking")};
    }
    return tide_encode_passes(
        buf, cap, &frame, (uint32_t)vectors_int(test, "ver"), (unsigned)vectors_int(test, "page"),
        (unsigned)vectors_int(test, "pages"),
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(test, "delta")), passes, count);
}

static size_t encode_zone(const cJSON *test, const struct tide_zone_now *now, char *buf, size_t cap)
{
    struct tide_tide_hour hours[24];
    size_t count = 0;
    const cJSON *hour;
    cJSON_ArrayForEach(hour, cJSON_GetObjectItemCaseSensitive(test, "hours"))
    {
        vectors_record(TIDE_REC_tide_hour, hour, &hours[count++]);
    }
    return tide_encode_zone(buf, cap, &frame, vectors_text(test, "zone_name"),
                            (uint64_t)vectors_int(test, "ver"), now, hours, count);
}

static size_t encode_node(const cJSON *test, char *buf, size_t cap)
{
    struct tide_node_state node = {.node = vectors_text(test, "node"),
                                   .state = vectors_text(test, "state"),
                                   .civil_ms = vectors_int(test, "civil_ms"),
                                   .real_ms = vectors_int(test, "real_ms"),
                                   .scale = (int)vectors_int(test, "scale"),
                                   .incarnation = dir.incarnation};
    return tide_encode_node(buf, cap, &node);
}

static size_t encode(const cJSON *test, char *buf, size_t cap)
{
    const char *message = vectors_text(test, "message");
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(test, "record");
    union tide_any record;
    if (strcmp(message, "refusal") == 0)
        return encode_refusal(test, buf, cap);
    if (strcmp(message, "list") == 0)
        return encode_list(test, buf, cap);
    if (strcmp(message, "node") == 0)
        return encode_node(test, buf, cap);
    if (strcmp(message, "ack") == 0)
        return tide_encode_ack(buf, cap, &frame, (uint32_t)vectors_int(test, "boot"),
                               (uint32_t)vectors_int(test, "seq"));
    if (strcmp(message, "notice") == 0) {
        vectors_record(TIDE_REC_notice, fields, &record);
        return tide_encode_notice(buf, cap, &frame, &record.notice);
    }
    if (strcmp(message, "command") == 0) {
        vectors_record(TIDE_REC_command, fields, &record);
        return tide_encode_command(buf, cap, &frame, &record.command,
                                   vectors_int(test, "valid_until_ms"));
    }
    assert_string_equal(message, "zone");
    vectors_record(TIDE_REC_zone_now, fields, &record);
    return encode_zone(test, &record.zone_now, buf, cap);
}

static void messages(void **state)
{
    cJSON *file = vectors_read("messages.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        size_t n = encode(test, out, sizeof out);
        assert_json(vectors_text(test, "name"), cJSON_GetObjectItemCaseSensitive(test, "json"), n);
        for (size_t cap = 0; cap <= n; cap++) {
            char *small = malloc(cap + 1);
            assert_non_null(small);
            assert_int_equal(encode(test, small, cap), 0);
            free(small);
        }
        char *exact = malloc(n + 1);
        assert_non_null(exact);
        assert_int_equal(encode(test, exact, n + 1), n);
        free(exact);
    }
    cJSON_Delete(file);
}

/* ---- what no vector states ------------------------------------------------------------------- */
static const struct tide_booking booking = {.id = 123456,
                                            .plate = 2,
                                            .zone = 1,
                                            .household = 10,
                                            .person = 21,
                                            .by = 31,
                                            .start_ms = 1558346400000,
                                            .end_ms = 1558359000000,
                                            .no_show_ms = 1558348200000,
                                            .made_ms = 1558342800000,
                                            .held_min = 210};

static void more_than_fits_is_cut_at_an_item(void **state)
{
    uint8_t effects[8192];
    struct tide_reply reply = {.code = TIDE_CODE_ok};
    size_t len = effect_add(effects, sizeof effects, 0, ENGINE_REPLY, TIDE_REC_reply, &reply);
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        len = effect_add(effects, sizeof effects, len, ENGINE_ITEM, TIDE_REC_booking, &booking);
    size_t n = tide_encode_reply(out, sizeof out, &frame, "r-1", effects, len);
    assert_in_range(n, sizeof out - 600, sizeof out - 1);
    cJSON *root = cJSON_ParseWithLength(out, n);
    assert_non_null(root);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "more")));
    assert_int_equal(vectors_int(root, "incarnation"), dir.incarnation);
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(root, "items"), *item;
    assert_true(cJSON_GetArraySize(items) >= TIDE_REPLY_ITEMS_MAX);
    cJSON_ArrayForEach(item, items)
    {
        assert_int_equal(vectors_int(item, "booking"), 123456);
    }
    cJSON_Delete(root);
}

static void effects_without_a_reply_are_none(void **state)
{
    uint8_t effects[512];
    (void)state;
    size_t len = effect_add(effects, sizeof effects, 0, ENGINE_PUT, TIDE_REC_booking, &booking);
    assert_int_equal(tide_encode_reply(out, sizeof out, &frame, "r-1", effects, len), 0);
    assert_int_equal(tide_encode_reply(out, sizeof out, &frame, "r-1", effects, 0), 0);
}

/* Texts of the directory are escaped, whatever they hold. */
static const char *odd_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    (void)arg;
    (void)kind;
    (void)id;
    return "a\"b\\c\nd\x01 \x7f 王";
}

static void texts_are_escaped(void **state)
{
    struct tide_names names = {.text = odd_text};
    struct tide_frame odd = {&names, 480, 1};
    struct tide_notice notice = {.id = 1, .kind = TIDE_NOTICE_KIND_no_show, .zone = 1};
    struct tide_fault fault;
    (void)state;
    size_t n = tide_encode_notice(out, sizeof out, &odd, &notice);
    assert_int_equal(tide_json_check((const uint8_t *)out, n, &fault), 0);
    assert_non_null(strstr(out, "\"zone\":\"a\\\"b\\\\c\\u000ad\\u0001 \x7f 王\""));
}

/* Every record that a reply may carry can be written, whatever its numbers are. */
static void any_record_can_be_written(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < TIDE_REC_MAX; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        static const int64_t values[] = {0, 1, 2, 255, 65535, INT32_MAX, INT64_MAX, -1, INT64_MIN};
        if (desc == NULL)
            continue;
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            uint8_t effects[1024];
            union tide_any record;
            struct tide_fault fault;
            struct tide_reply reply = {.code = TIDE_CODE_ok};
            memset(&record, 0, sizeof record);
            for (unsigned f = 0; f < desc->field_count; f++)
                if (tide_field_fits(&desc->fields[f], values[i]))
                    tide_field_set(&desc->fields[f], &record, values[i]);
            size_t len =
                effect_add(effects, sizeof effects, 0, ENGINE_REPLY, TIDE_REC_reply, &reply);
            len = effect_add(effects, sizeof effects, len, ENGINE_ITEM, kind, &record);
            size_t n = tide_encode_reply(out, sizeof out, &frame, "r-1", effects, len);
            cJSON *root = cJSON_ParseWithLength(out, n);
            if (n == 0 || root == NULL)
                fail_msg("%s with %lld: %s", desc->name, (long long)values[i], out);
            cJSON_Delete(root);
            if (values[i] >= 0 && values[i] <= INT32_MAX)
                assert_int_equal(tide_json_check((const uint8_t *)out, n, &fault), 0);
        }
    }
}

static void the_cost_of_a_booking(void **state)
{
    static const char text[] =
        "{\"rid\":\"123e4567-e89b-12d3-a456-426614174000\",\"expires\":\"2026-05-20T10:00:00."
        "250Z\","
        "\"plate\":\"浙F12345\",\"zone\":\"A\",\"start\":\"2019-05-20T18:00+08:00\","
        "\"end\":\"2019-05-20T21:30+08:00\",\"for\":\"3-2-501\"}";
    static struct tide_request request;
    enum { ROUNDS = 20000 };
    struct tide_fault fault;
    struct timespec before, after;
    uint8_t effects[512];
    struct tide_reply reply = {.code = TIDE_CODE_ok, .id = booking.id};
    size_t len = effect_add(effects, sizeof effects, 0, ENGINE_REPLY, TIDE_REC_reply, &reply);
    len = effect_add(effects, sizeof effects, len, ENGINE_ITEM, TIDE_REC_booking, &booking);
    const struct tide_op *op = tide_op_find("parking.book");
    (void)state;
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_int_equal(tide_decode_request(op, (const uint8_t *)text, sizeof text - 1, &dir.names,
                                             480, &request, &fault),
                         0);
        assert_true(tide_encode_reply(out, sizeof out, &frame, request.rid, effects, len) > 0);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    double us =
        ((double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec)) /
        1e3 / ROUNDS;
    print_message("a booking decoded and its reply encoded: %.2f us\n", us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(messages),
        cmocka_unit_test(more_than_fits_is_cut_at_an_item),
        cmocka_unit_test(effects_without_a_reply_are_none),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(any_record_can_be_written),
        cmocka_unit_test(the_cost_of_a_booking),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
