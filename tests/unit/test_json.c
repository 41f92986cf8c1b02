/* test_json.c - the strict gate: a table of texts that pass, a table of those that do not with the
 * place of the fault, the limits exactly at their edges, and many broken texts against cJSON. */
#include "tests/unit/vectors.h"

static int check(const char *text, struct tide_fault *fault)
{
    /* exactly as long as the text, so that a sanitizer sees a byte read too far */
    size_t len = strlen(text);
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    uint8_t *bytes = len > 0 ? realloc(copy, len) : copy;
    assert_non_null(bytes);
    memcpy(bytes, text, len);
    int error = tide_json_check(bytes, len, fault);
    free(bytes);
    return error;
}

static void what_passes(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ } \n",
        "true",
        "false",
        "null",
        "0",
        "-1",
        "\"\"",
        "9007199254740991",
        "-9007199254740991",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "[[[[[[[[1]]]]]]]]",
        "[{\"a\":1},{\"a\":2}]",
        "{\"a\":1,\"A\":2,\"aa\":3,\"\":4}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE97\"",
        "\"é王🚗\"",
        "\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf\"",
        "\"\xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"",
        "\"\xef\xbb\xbf within a text\"",
        "\"\x7f\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tide_fault fault;
        if (check(texts[i], &fault) != 0)
            fail_msg("%s: %s at %ld", texts[i], fault.what, fault.offset);
    }
}

struct broken {
    const char *text, *path;
    long offset;
};

static const struct broken broken_marks[] = {
    {"", "", 0},
    {" ", "", 1},
    {"{", "", 1},
    {"[", "[0]", 1},
    {"[1", "[0]", 2},
    {"[1,", "[1]", 3},
    {"[1,]", "[1]", 3},
    {"[,1]", "[0]", 1},
    {"[1 2]", "[0]", 3},
    {"{\"a\"}", "a", 4},
    {"{\"a\":}", "a", 5},
    {"{\"a\":1,}", "", 7},
    {"{\"a\" 1}", "a", 5},
    {"{a:1}", "", 1},
    {"{\"a\":1}}", "", 7},
    {"{\"a\":1]", "a", 6},
    {"1 1", "", 2},
    {"tru", "", 0},
    {"True", "", 0},
    {"nul", "", 0},
    {"truefalse", "", 4},
    {"01", "", 0},
    {"-", "", 0},
    {"-01", "", 0},
    {"--1", "", 0},
    {"1.", "", 0},
    {"1.0", "", 0},
    {".5", "", 0},
    {"1e1", "", 0},
    {"1E1", "", 0},
    {"-0.0", "", 0},
    {"Infinity", "", 0},
    {"9007199254740992", "", 0},
    {"-9007199254740992", "", 0},
    {"9223372036854775807", "", 0},
    {"18446744073709551617", "", 0},
};

static const struct broken broken_texts[] = {
    {"\"a", "", 2},
    {"\"\\", "", 1},
    {"\"\\a\"", "", 1},
    {"\"\\u12\"", "", 1},
    {"\"\\u12g4\"", "", 1},
    {"\"\\u0000\"", "", 1},
    {"\"\\ud800\\u0041\"", "", 1},
    {"\"\\udc00\"", "", 1},
    {"\"\x1f\"", "", 1},
    {"\"\x80\"", "", 1},
    {"\"\xc0\x80\"", "", 1},
    {"\"\xc1\xbf\"", "", 1},
    {"\"\xc2\"", "", 1},
    {"\"\xe0\x9f\xbf\"", "", 1},
    {"\"\xed\xa0\x80\"", "", 1},
    {"\"\xf0\x8f\xbf\xbf\"", "", 1},
    {"\"\xf4\x90\x80\x80\"", "", 1},
    {"\"\xf5\x80\x80\x80\"", "", 1},
    {"\"\xe7\x8e\"", "", 1},
    {"\xef\xbb\xbf{}", "", 0},
    {"{\"a\":1,\"b\":2,\"a\":3}", "a", 13},
    {"{\"b\":[{},{\"c\":[1,{\"d\":1.5}]}]}", "b[1].c[1].d", 22},
    {"{\"\\u0061\":1}", "?", 1},
    {"{\"a b\":.}", "?", 7},
    {"{\"1\":.}", "?", 5},
    {"[[[[[[[[[1]]]]]]]]]", "[0][0][0][0][0][0][0][0]", 8},
};

static void assert_broken(const struct broken *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tide_fault fault;
        if (check(rows[i].text, &fault) == 0)
            fail_msg("%s: passed", rows[i].text);
        assert_int_equal(fault.code, TIDE_CODE_invalid);
        if (strcmp(fault.path, rows[i].path) != 0 || fault.offset != rows[i].offset)
            fail_msg("%s: at '%s' %ld (%s), should be '%s' %ld", rows[i].text, fault.path,
                     fault.offset, fault.what, rows[i].path, rows[i].offset);
    }
}

static void what_does_not(void **state)
{
    (void)state;
    assert_broken(broken_marks, sizeof broken_marks / sizeof *broken_marks);
    assert_broken(broken_texts, sizeof broken_texts / sizeof *broken_texts);
}

static void a_nul_is_no_end(void **state)
{
    struct tide_fault fault;
    (void)state;
    assert_int_equal(tide_json_check((const uint8_t *)"{}\0", 3, &fault), -1);
    assert_int_equal(fault.offset, 2);
    assert_int_equal(tide_json_check((const uint8_t *)"\"a\0b\"", 5, &fault), -1);
    assert_int_equal(fault.offset, 2);
}

/* "[1,1,...]" with so many elements, or an object with so many members. */
static char *many(unsigned count, bool members)
{
    char *text = malloc(16 * (size_t)count + 16);
    assert_non_null(text);
    size_t cap = 16 * (size_t)count + 16;
    int len = snprintf(text, cap, "%s", members ? "{" : "[");
    for (unsigned i = 0; i < count; i++)
        len += members ? snprintf(text + len, cap - (size_t)len, "%s\"m%u\":1", i > 0 ? "," : "", i)
                       : snprintf(text + len, cap - (size_t)len, "%s1", i > 0 ? "," : "");
    (void)snprintf(text + len, cap - (size_t)len, "%s", members ? "}" : "]");
    return text;
}

static void limits_at_their_edges(void **state)
{
    struct tide_fault fault;
    static const struct {
        unsigned count;
        bool members;
        int error;
    } rows[] = {
        {TIDE_JSON_MEMBERS_MAX, false, 0},
        {TIDE_JSON_MEMBERS_MAX + 1, false, -1},
        {TIDE_JSON_OBJECT_MEMBERS_MAX, true, 0},
        {TIDE_JSON_OBJECT_MEMBERS_MAX + 1, true, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = many(rows[i].count, rows[i].members);
        assert_int_equal(check(text, &fault), rows[i].error);
        free(text);
    }
}

static void a_long_path_ends_early_and_whole(void **state)
{
    static const char text[] =
        "{\"a_name_of_thirty_letters_which_is\":{\"a_name_of_thirty_letters_more\":"
        "{\"a_name_of_thirty_letters_last\":.}}}";
    struct tide_fault fault;
    (void)state;
    assert_int_equal(check(text, &fault), -1);
    assert_true(strlen(fault.path) < sizeof fault.path);
    assert_string_equal(fault.path,
                        "?.a_name_of_thirty_letters_more.a_name_of_thirty_letters_last");
}

/* ---- many broken texts ----------------------------------------------------------------------- */
static uint32_t random_state = 20190520;
static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % bound;
}

/* What passes is JSON to another parser too, and means the same when printed and read again. */
static void what_passes_is_json_for_others(void **state)
{
    static const char seed[] =
        "{\"rid\":\"r-1\",\"plate\":\"浙F\\u00b712345\",\"days\":[\"mon\",\"tue\"],"
        "\"n\":-120,\"deep\":[[{\"a\":true},{}],null,\"\\ud83d\\ude97\"]}";
    static const char alphabet[] =
        "\"\\{}[],:0123456789.eE+-u \n\tabtrnulfs\x80\xbf\xc2\xe0\xed\xf0";
    unsigned passed = 0;
    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        char text[sizeof seed];
        size_t len = sizeof seed - 1;
        struct tide_fault fault;
        memcpy(text, seed, sizeof seed);
        for (uint32_t n = 1 + random_below(3); n > 0; n--)
            text[random_below((uint32_t)len)] = alphabet[random_below(sizeof alphabet - 1)];
        if (random_below(8) == 0)
            len = random_below((uint32_t)len);
        if (tide_json_check((const uint8_t *)text, len, &fault) != 0) {
            assert_true(fault.offset >= 0 && fault.offset <= (long)len);
            continue;
        }
        passed++;
        cJSON *tree = cJSON_ParseWithLength(text, len);
        assert_non_null(tree);
        char *printed = cJSON_PrintUnformatted(tree);
        assert_int_equal(tide_json_check((const uint8_t *)printed, strlen(printed), &fault), 0);
        cJSON *again = cJSON_Parse(printed);
        assert_true(cJSON_Compare(tree, again, true));
        cJSON_Delete(tree);
        cJSON_Delete(again);
        free(printed);
    }
    assert_in_range(passed, 1000, 199999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes),
        cmocka_unit_test(what_does_not),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(limits_at_their_edges),
        cmocka_unit_test(a_long_path_ends_early_and_whole),
        cmocka_unit_test(what_passes_is_json_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
