/* test_decoder_json.c - JSON from strangers: grammar, UTF-8, bounds, and many broken texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clients/gateway/decoder.h"
#include "clients/gateway/json.h"

static char slim[GW_JSON_SLIM_MAX];

static const struct {
    const char *in, *out; /* out NULL: refused */
} rows[] = {
    {"{}", "{}"},
    {" [ ] ", "[]"},
    {"{ \"a\" : [ 1 , -0.5e+3 , true , false , null , \"x\" ] }",
     "{\"a\":[1,-0.5e+3,true,false,null,\"x\"]}"},
    {"\"\\u6d59\\ud83d\\ude00\\n\"", "\"\\u6d59\\ud83d\\ude00\\n\""},
    {"\"浙F12345\"", "\"浙F12345\""},
    {"[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]"},
    {"[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", NULL}, /* 17 deep */
    {"", NULL},
    {"   ", NULL},
    {"{", NULL},
    {"}", NULL},
    {"[1", NULL},
    {"[1,]", NULL},
    {"[,1]", NULL},
    {"[1 2]", NULL},
    {"[1}", NULL},
    {"{\"a\"}", NULL},
    {"{\"a\":}", NULL},
    {"{\"a\":1,}", NULL},
    {"{a:1}", NULL},
    {"{1:1}", NULL},
    {"{\"a\" 1}", NULL},
    {"1 1", NULL},
    {"{}x", NULL},
    {"tru", NULL},
    {"truex", NULL},
    {"nul", NULL},
    {"01", NULL},
    {"-", NULL},
    {"1.", NULL},
    {".5", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {"+1", NULL},
    {"0x10", NULL},
    {"NaN", NULL},
    {"123456789012345678901234567890123", NULL}, /* 33 digits */
    {"\"", NULL},
    {"\"\\", NULL},
    {"\"\\x\"", NULL},
    {"\"\\u12\"", NULL},
    {"\"\\u12g4\"", NULL},
    {"\"\\u0000\"", NULL},
    {"\"\\udc00\"", NULL},
    {"\"\\ud800\"", NULL},
    {"\"\\ud800\\n\"", NULL},
    {"\"\\ud800\\u0041\"", NULL},
    {"\"a\nb\"", NULL},
    {"\"\xff\"", NULL},
    {"\"\xc0\x80\"", NULL},         /* overlong */
    {"\"\xe0\x80\x80\"", NULL},     /* overlong */
    {"\"\xed\xa0\x80\"", NULL},     /* a surrogate */
    {"\"\xf4\x90\x80\x80\"", NULL}, /* past U+10FFFF */
    {"\"\xe6\xb5\"", NULL},         /* cut */
    {"\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\""},
};

static void texts_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *why = NULL;
        size_t len = strlen(rows[i].in);
        uint8_t *exact = malloc(len == 0 ? 1 : len); /* no NUL after it */
        assert_non_null(exact);
        memcpy(exact, rows[i].in, len);
        size_t left = gw_json_slim(exact, len, slim, sizeof slim, &why);
        free(exact);
        if (rows[i].out == NULL && (left != 0 || why == NULL))
            fail_msg("%s was taken", rows[i].in);
        if (rows[i].out != NULL && (left == 0 || strcmp(slim, rows[i].out) != 0))
            fail_msg("%s became %s (%s)", rows[i].in, left == 0 ? "nothing" : slim, why);
    }
}

/* A picture of 400 KB on both sides of the plate: what is left is small, and has the plate. */
static void pictures_are_passed_over(void **state)
{
    static const char head[] = "{\"payload\":{\"AlarmInfoPlate\":{\"result\":{\"PlateResult\":{"
                               "\"full_image_content\":\"";
    static const char middle[] = "\",\"license\":\"6LWjR1o3UzEz\",\"small_image_content\":\"";
    static const char tail[] = "\"}}}}}";
    const size_t picture = 400 * 1024;
    const char *why = NULL;
    char license[32];
    (void)state;
    char *text = malloc(2 * picture + 1024), *at = text;
    assert_non_null(text);
    memcpy(at, head, sizeof head - 1);
    at += sizeof head - 1;
    memset(at, 'A', picture);
    at += picture;
    memcpy(at, middle, sizeof middle - 1);
    at += sizeof middle - 1;
    memset(at, 'B', picture);
    at += picture;
    memcpy(at, tail, sizeof tail - 1);
    at += sizeof tail - 1;
    size_t left = gw_json_slim((uint8_t *)text, (size_t)(at - text), slim, sizeof slim, &why);
    free(text);
    assert_in_range(left, 1, 300);
    cJSON *body = cJSON_ParseWithLength(slim, left);
    assert_true(gw_json_text(body, "payload.AlarmInfoPlate.result.PlateResult.license", license,
                             sizeof license));
    assert_string_equal(license, "6LWjR1o3UzEz");
    assert_true(gw_json_text(body, "payload.AlarmInfoPlate.result.PlateResult.full_image_content",
                             license, sizeof license));
    assert_string_equal(license, "");
    cJSON_Delete(body);
}

static void bounds_hold(void **state)
{
    const char *why = NULL;
    size_t cap = GW_JSON_BYTES_MAX + 16, n = 0;
    (void)state;
    char *text = malloc(cap);
    assert_non_null(text);
    memset(text, ' ', cap);
    text[0] = '7';
    assert_int_equal(gw_json_slim((uint8_t *)text, GW_JSON_BYTES_MAX, slim, sizeof slim, &why), 1);
    assert_int_equal(gw_json_slim((uint8_t *)text, GW_JSON_BYTES_MAX + 1, slim, sizeof slim, &why),
                     0);
    assert_string_equal(why, "more than 1 MiB");
    text[n++] = '[';
    for (int i = 0; i < GW_JSON_VALUES_MAX; i++) {
        text[n++] = '0';
        text[n++] = ',';
    }
    text[n - 1] = ']';
    assert_int_equal(gw_json_slim((uint8_t *)text, n, slim, sizeof slim, &why), 0);
    assert_string_equal(why, "too many values");
    n = 0; /* many strings that are short enough each */
    text[n++] = '[';
    while (n < 100000) {
        n += (size_t)snprintf(text + n, cap - n, "\"%0900d\",", 7);
    }
    text[n - 1] = ']';
    assert_int_equal(gw_json_slim((uint8_t *)text, n, slim, sizeof slim, &why), 0);
    assert_string_equal(why, "too much beside its pictures");
    assert_int_equal(gw_json_slim((const uint8_t *)"{}", 2, slim, 2, &why), 0);
    free(text);
}

static void members_are_read_by_path(void **state)
{
    char text[4];
    int64_t number = 42;
    (void)state;
    cJSON *body = cJSON_Parse("{\"a\":{\"b\":7,\"c\":\"abc\",\"d\":1.5,\"e\":1e300,\"f\":true},"
                              "\"g\":[1],\"A\":1}");
    assert_non_null(body);
    assert_true(gw_json_int(body, "a.b", 0, 7, &number));
    assert_int_equal(number, 7);
    assert_false(gw_json_int(body, "a.b", 0, 6, &number));
    assert_false(gw_json_int(body, "a.d", 0, 7, &number));
    assert_false(gw_json_int(body, "a.e", 0, INT64_MAX, &number));
    assert_false(gw_json_int(body, "a.c", 0, 7, &number));
    assert_false(gw_json_int(body, "g.0", 0, 7, &number));
    assert_false(gw_json_int(body, "a.b.c", 0, 7, &number));
    assert_int_equal(number, 7);
    assert_true(gw_json_text(body, "a.c", text, sizeof text));
    assert_false(gw_json_text(body, "a.c", text, 3));
    assert_true(gw_json_flag(body, "a.f") && gw_json_flag(body, "A"));
    assert_false(gw_json_flag(body, "a.b") || gw_json_flag(body, "a"));
    cJSON_Delete(body);
}

static void texts_are_quoted(void **state)
{
    char out[32];
    (void)state;
    assert_int_equal(gw_json_quote(out, sizeof out, "浙F\"\\\n"), 16);
    assert_string_equal(out, "\"浙F\\\"\\\\\\u000a\"");
    assert_int_equal(gw_json_quote(out, 6, "浙F12345"), 0);
    assert_int_equal(gw_json_quote(out, 2, ""), 0);
}

/* ---- broken on purpose ---------------------------------------------------------------------- */
static uint32_t dice_state = 1;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static void decode_all(const char *text, size_t len)
{
    static const char *const names[] = {"ivs_result", "gpio_in", "barr_gate_status", "keep_alive"};
    static const struct gw_model *const models[] = {&gw_bosch_tps110, &gw_netvox_r719a,
                                                    &gw_milesight_em400, NULL};
    const char *why = NULL;
    struct gw_vz_reply reply;
    size_t left = gw_json_slim((const uint8_t *)text, len, slim, sizeof slim, &why);
    if (left == 0)
        return;
    cJSON *body = cJSON_ParseWithLength(slim, left);
    if (body == NULL)
        fail_msg("cJSON refuses what the walk let through: %s", slim);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct gw_event event = gw_event_none();
        (void)gw_vz_decode(names[i], body, &event);
    }
    for (size_t i = 0; models[i] != NULL; i++) {
        struct gw_event event = gw_event_none();
        (void)gw_chirpstack_decode("up", body, models[i], &event);
        (void)gw_chirpstack_decode("status", body, models[i], &event);
    }
    (void)gw_vz_reply(body, &reply);
    cJSON_Delete(body);
}

static void broken_texts_break_nothing(void **state)
{
    static const char *const seeds[] = {
        "{\"deduplicationId\":\"5743\",\"time\":\"2023-05-22T07:47:05.404859+00:00\","
        "\"deviceInfo\":"
        "{\"devEui\":\"1000000000000001\"},\"fCnt\":4,\"fPort\":85,\"data\":\"AXVcA2cBAQSCRAgFAAE="
        "\","
        "\"batteryLevel\":88.3}",
        "{\"id\":\"iUA4\",\"sn\":\"265e\",\"code\":200,\"timestamp\":1621926595,\"payload\":{"
        "\"body\":"
        "{\"gate_status\":1},\"AlarmInfoPlate\":{\"result\":{\"PlateResult\":{\"confidence\":100,"
        "\"isoffline\":0,\"license\":\"6LWjR1o3UzEz\",\"plateid\":594785,\"timeStamp\":{"
        "\"Timeval\":"
        "{\"sec\":1628670619,\"usec\":539956}},\"triggerType\":4}},\"serialno\":\"8fcd\"}}}"};
    static const char spice[] = "{}[]\",:\\u0e-.\x80\xff \n9";
    (void)state;
    for (int round = 0; round < 60000; round++) {
        const char *seed = seeds[round % 2];
        char text[640];
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        for (uint32_t change = 1 + dice(3); change > 0 && len > 1; change--) {
            size_t at = dice((uint32_t)len);
            switch (dice(4)) {
            case 0:
                text[at] = (char)dice(256);
                break;
            case 1:
                text[at] = spice[dice(sizeof spice - 1)];
                break;
            case 2:
                memmove(text + at, text + at + 1, len - at - 1);
                len--;
                break;
            default:
                len = at + 1;
            }
        }
        char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, text, len);
        decode_all(exact, len);
        free(exact);
    }
}

static void random_payloads_break_nothing(void **state)
{
    static const uint8_t known[] = {0x01, 0x75, 0x03, 0x67, 0x04, 0x82, 0x05, 0x59};
    static const struct gw_model *const models[] = {&gw_bosch_tps110, &gw_netvox_r719a,
                                                    &gw_milesight_em400};
    (void)state;
    for (int round = 0; round < 60000; round++) {
        size_t len = dice(24);
        uint8_t *bytes = malloc(len == 0 ? 1 : len);
        assert_non_null(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = dice(2) == 0 ? (uint8_t)dice(256) : known[i % sizeof known];
        struct gw_event event = gw_event_none();
        enum gw_verdict verdict = models[round % 3]->decode(dice(9), bytes, len, &event);
        free(bytes);
        assert_in_range(verdict + 1, 0, 2);
        assert_in_range(event.occupied + 1, 0, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_or_refused),
        cmocka_unit_test(pictures_are_passed_over),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(members_are_read_by_path),
        cmocka_unit_test(texts_are_quoted),
        cmocka_unit_test(broken_texts_break_nothing),
        cmocka_unit_test(random_payloads_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
