/* test_codec.c - what comes in: every case of protocol/vectors/{requests,bad_requests,facts}.json,
 * and the promises that no vector can state (nothing made by a message with a fault, bounds). */
#include "tests/unit/vectors.h"

static struct directory dir;
static struct tide_request request;

static int setup(void **state)
{
    (void)state;
    directory_load(&dir);
    return 0;
}

/* ---- comparing ------------------------------------------------------------------------------- */
static void assert_record(const char *name, unsigned kind, const cJSON *expected, const void *got)
{
    const struct tide_record *desc = tide_record_of(kind);
    union tide_any wanted;
    vectors_record(kind, expected, &wanted);
    for (unsigned i = 0; i < desc->field_count; i++) {
        int64_t want = tide_field_get(&desc->fields[i], &wanted);
        int64_t have = tide_field_get(&desc->fields[i], got);
        if (want != have)
            fail_msg("%s: %s.%s is %lld, should be %lld", name, desc->name, desc->fields[i].name,
                     (long long)have, (long long)want);
    }
}

static void assert_rows(const char *name, const cJSON *rows, const struct engine_event *event)
{
    size_t at = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        union tide_any got;
        unsigned kind = tide_record_named(vectors_text(row, "record"));
        assert_true(at < event->blob_len);
        assert_int_equal(event->blob[at], kind);
        size_t used = tide_record_unpack(tide_record_of(kind), event->blob + at + 1,
                                         event->blob_len - at - 1, &got);
        assert_true(used > 0);
        assert_record(name, kind, row, &got);
        at += 1 + used;
    }
    assert_int_equal(at, event->blob_len);
}

static void assert_sets(const char *name, const cJSON *sets)
{
    if ((size_t)cJSON_GetArraySize(sets) != request.set_count)
        fail_msg("%s: %zu texts", name, request.set_count);
    size_t i = 0;
    const cJSON *set;
    cJSON_ArrayForEach(set, sets)
    {
        const struct tide_name_set *got = &request.sets[i++];
        const char *kind = tide_enum_name(TIDE_ENUM_FIELD_TYPE(name_kind), got->kind);
        assert_string_equal(kind, vectors_text(set, "kind"));
        assert_int_equal(got->id, vectors_int(set, "id"));
        assert_string_equal(got->text, vectors_text(set, "text"));
    }
}

static void assert_made(const char *name, const cJSON *makes)
{
    unsigned i = dir.given;
    const cJSON *make;
    cJSON_ArrayForEach(make, makes)
    {
        if (i >= dir.count)
            fail_msg("%s: not made: %s", name, vectors_text(make, "text"));
        const struct directory_entry *entry = &dir.entry[i++];
        const char *kind = tide_enum_name(TIDE_ENUM_FIELD_TYPE(name_kind), entry->kind);
        assert_string_equal(kind, vectors_text(make, "kind"));
        assert_string_equal(entry->text, vectors_text(make, "text"));
        assert_int_equal(entry->id, vectors_int(make, "id"));
    }
    if (i != dir.count)
        fail_msg("%s: made %s", name, dir.entry[i].text);
}

/* ---- the cases ------------------------------------------------------------------------------- */
/* The bytes of a case: of its object, text or hexadecimal. The caller frees. */
static uint8_t *case_bytes(const cJSON *test, const char *object, size_t *ret_len)
{
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(test, object);
    const char *text = vectors_text(test, "text"), *hex = vectors_text(test, "bytes");
    uint8_t *bytes;
    if (hex != NULL) {
        size_t len = strlen(hex) / 2;
        bytes = malloc(len + 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++) {
            char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
            bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
        }
        *ret_len = len;
        return bytes;
    }
    char *printed = body != NULL ? cJSON_PrintUnformatted(body) : strdup(text);
    assert_non_null(printed);
    *ret_len = strlen(printed);
    bytes = malloc(*ret_len + 1); /* exactly as long as the message: the sanitizer sees overruns */
    assert_non_null(bytes);
    memcpy(bytes, printed, *ret_len);
    free(printed);
    return bytes;
}

static int decode(const cJSON *test, struct tide_fault *fault)
{
    size_t len;
    const struct tide_op *op = tide_op_find(vectors_text(test, "op"));
    assert_non_null(op);
    uint8_t *bytes = case_bytes(test, "request", &len);
    directory_reset(&dir);
    memset(&request, 0x5a, sizeof request);
    int error =
        tide_decode_request(op, bytes, len, &dir.names, dir.utc_offset_min, &request, fault);
    free(bytes);
    return error;
}

static void requests_that_are_right(void **state)
{
    cJSON *file = vectors_read("requests.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        struct tide_fault fault;
        const char *name = vectors_text(test, "name"), *rid = vectors_text(test, "rid");
        const struct tide_op *op = tide_op_find(vectors_text(test, "op"));
        const cJSON *body = cJSON_GetObjectItemCaseSensitive(test, "request");
        if (decode(test, &fault) != 0)
            fail_msg("%s: refused: %s: %s", name, fault.path, fault.what);
        assert_string_equal(request.rid, rid != NULL ? rid : "r-1");
        if (cJSON_HasObjectItem(test, "expires_ms"))
            assert_int_equal(request.expires_ms, vectors_int(test, "expires_ms"));
        else
            assert_int_equal(request.expires_ms,
                             vectors_text(body, "expires") != NULL ? 1779271200250 : 0);
        assert_int_equal(request.event.kind, op->event_kind);
        assert_int_equal(request.event.user, 0);
        assert_record(name, op->event_kind, cJSON_GetObjectItemCaseSensitive(test, "event"),
                      &request.event.as);
        assert_rows(name, cJSON_GetObjectItemCaseSensitive(test, "rows"), &request.event);
        assert_sets(name, cJSON_GetObjectItemCaseSensitive(test, "sets"));
        assert_made(name, cJSON_GetObjectItemCaseSensitive(test, "makes"));
    }
    cJSON_Delete(file);
}

static void assert_fault(const char *name, const cJSON *test, const struct tide_fault *fault)
{
    const cJSON *expected = cJSON_GetObjectItemCaseSensitive(test, "fault");
    const char *code = tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), fault->code);
    if (strcmp(code, vectors_text(expected, "code")) != 0 ||
        strcmp(fault->path, vectors_text(expected, "path")) != 0)
        fail_msg("%s: %s at '%s' (%s), should be %s at '%s'", name, code, fault->path, fault->what,
                 vectors_text(expected, "code"), vectors_text(expected, "path"));
    assert_non_null(fault->what);
    assert_true(fault->what[0] != '\0' && strlen(fault->what) < 64);
}

static void requests_with_faults(void **state)
{
    cJSON *file = vectors_read("bad_requests.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        struct tide_fault fault;
        const char *name = vectors_text(test, "name");
        if (decode(test, &fault) == 0)
            fail_msg("%s: taken", name);
        assert_fault(name, test, &fault);
        if (strcmp(request.rid, vectors_text(test, "rid")) != 0)
            fail_msg("%s: rid '%s'", name, request.rid);
        assert_made(name, NULL);
    }
    cJSON_Delete(file);
}

static void facts(void **state)
{
    cJSON *file = vectors_read("facts.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        struct tide_fault fault;
        struct engine_event event, untouched;
        size_t len;
        const char *name = vectors_text(test, "name");
        uint8_t *bytes = case_bytes(test, "fact", &len);
        directory_reset(&dir);
        memset(&event, 0x5a, sizeof event);
        untouched = event;
        int error = tide_decode_fact(vectors_text(test, "kind"), bytes, len, &dir.names,
                                     dir.utc_offset_min, &event, &fault);
        free(bytes);
        if (cJSON_HasObjectItem(test, "fault")) {
            if (error == 0)
                fail_msg("%s: taken", name);
            assert_fault(name, test, &fault);
            assert_memory_equal(&event, &untouched, sizeof event);
            assert_made(name, NULL);
            continue;
        }
        if (error != 0)
            fail_msg("%s: refused: %s: %s", name, fault.path, fault.what);
        assert_record(name, event.kind, cJSON_GetObjectItemCaseSensitive(test, "event"), &event.as);
        assert_made(name, cJSON_GetObjectItemCaseSensitive(test, "makes"));
    }
    cJSON_Delete(file);
}

/* ---- what no vector states ------------------------------------------------------------------- */
static int decode_text(const char *op, const char *text, struct tide_fault *fault)
{
    directory_reset(&dir);
    return tide_decode_request(tide_op_find(op), (const uint8_t *)text, strlen(text), &dir.names,
                               dir.utc_offset_min, &request, fault);
}

static void a_full_directory_is_unavailable(void **state)
{
    struct tide_fault fault;
    static const char text[] =
        "{\"rid\":\"r\",\"expires\":\"2026-05-20T10:00Z\",\"lane\":\"north-in\","
        "\"plate\":\"苏E99999\"}";
    (void)state;
    directory_reset(&dir);
    dir.room = 0;
    assert_int_equal(tide_decode_request(tide_op_find("gate.open"), (const uint8_t *)text,
                                         sizeof text - 1, &dir.names, 480, &request, &fault),
                     -1);
    assert_int_equal(fault.code, TIDE_CODE_unavailable);
    assert_string_equal(fault.path, "plate");
}

static void the_largest_import_fits(void **state)
{
    static char text[TIDE_PACKET_BYTES_MAX + 1];
    struct tide_fault fault;
    int len =
        snprintf(text, sizeof text, "{\"rid\":\"r\",\"expires\":\"2026-05-20T10:00Z\",\"rows\":[");
    (void)state;
    for (int i = 0; i < TIDE_ITEMS_MAX; i++)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        "%s{\"is\":\"person\",\"person\":\"n%d\",\"household\":\"3-2-501\","
                        "\"full_name\":\"王%d\",\"phone\":\"138%05d\"}",
                        i > 0 ? "," : "", i, i, i);
    len += snprintf(text + len, sizeof text - (size_t)len, "]}");
    assert_true(len < TIDE_PACKET_BYTES_MAX);
    assert_int_equal(decode_text("admin.put", text, &fault), 0);
    assert_int_equal(request.event.as.put.rows, TIDE_ITEMS_MAX);
    assert_int_equal(request.set_count, 2 * TIDE_ITEMS_MAX);
    assert_int_equal(request.sets[127].id, 1063);
}

static void ops_are_whole(void **state)
{
    size_t count = 0;
    const struct tide_op *op;
    (void)state;
    for (; (op = tide_op_at(count)) != NULL; count++) {
        assert_ptr_equal(tide_op_find(op->name), op);
        assert_non_null(tide_record_of(op->event_kind));
        assert_int_equal(op->is_read, TIDE_EVENT_IS_ASK(op->event_kind));
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(tide_op_at(i)->name, op->name);
    }
    assert_true(count >= 30);
    assert_null(tide_op_find("parking.steal"));
    assert_null(tide_op_find(""));
    assert_int_equal(tide_op_find("admin.put")->makes_names, 1);
    assert_int_equal(tide_op_find("parking.book")->makes_names, 0);
    assert_int_equal(tide_op_find("parking.book")->roles, 0);
    assert_int_equal(tide_op_find("backup.start")->roles, 1u << TIDE_ROLE_admin);
}

static void a_rid_is_found_in_any_body(void **state)
{
    static const struct {
        const char *text, *rid;
    } rows[] = {
        {"{\"rid\":\"r-1\"}", "r-1"},
        {"{\"zone\":{\"rid\":\"inner\"},\"rid\":\"r-1\",\"x\":oops", "r-1"},
        {" { \"rid\" : \"r-1\" , ", "r-1"},
        {"{\"rid\":\"r-1", ""},
        {"{\"rid\":\"a b\"}", ""},
        {"{\"rid\":\"\\u0061\"}", ""},
        {"{\"rid\":7}", ""},
        {"[\"rid\"]", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char rid[TIDE_RID_BYTES_MAX + 1] = "x";
        int error = tide_request_rid((const uint8_t *)rows[i].text, strlen(rows[i].text), rid);
        assert_string_equal(rid, rows[i].rid);
        assert_int_equal(error, rows[i].rid[0] != '\0' ? 0 : -1);
    }
}

/* Every op's every prefix and every single changed byte: nothing but 0 or -1, nothing out of
 * bounds (run with the sanitizers), and no name made when it fails. */
static void no_mutation_breaks_it(void **state)
{
    static const uint8_t changes[] = {0,   '"', '\\', '{', '}', '[',  ']',  ',',
                                      ':', '9', '-',  '.', ' ', 0x80, 0xe6, 0xff};
    cJSON *file = vectors_read("requests.json");
    const cJSON *test;
    (void)state;
    cJSON_ArrayForEach(test, vectors_cases(file))
    {
        struct tide_fault fault;
        size_t len;
        const struct tide_op *op = tide_op_find(vectors_text(test, "op"));
        uint8_t *bytes = case_bytes(test, "request", &len);
        for (size_t i = 0; i < len; i++) {
            uint8_t kept = bytes[i];
            bytes[i] = changes[i * 7 % sizeof changes];
            directory_reset(&dir);
            if (tide_decode_request(op, bytes, len, &dir.names, 480, &request, &fault) != 0)
                assert_int_equal(dir.count, dir.given);
            bytes[i] = kept;
            directory_reset(&dir);
            assert_int_equal(tide_decode_request(op, bytes, i, &dir.names, 480, &request, &fault),
                             -1);
            assert_int_equal(dir.count, dir.given);
        }
        free(bytes);
    }
    cJSON_Delete(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_that_are_right),
        cmocka_unit_test(requests_with_faults),
        cmocka_unit_test(facts),
        cmocka_unit_test(a_full_directory_is_unavailable),
        cmocka_unit_test(the_largest_import_fits),
        cmocka_unit_test(ops_are_whole),
        cmocka_unit_test(a_rid_is_found_in_any_body),
        cmocka_unit_test(no_mutation_breaks_it),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
