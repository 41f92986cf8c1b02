/* test_gateway_passes.c - the gateway's own list: pages, changes, holes, spans, and its file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/gateway/passes.h"

#define A "浙FA1234"
#define B "沪B5678"
#define C "京C0001"
#define HOUR_MS 3600000LL
#define NOON_MS (1558346400000 - 6 * HOUR_MS) /* 2019-05-20T12:00+08:00 */

static enum gw_passes_result take(struct gw_passes *passes, const char *text)
{
    cJSON *body = cJSON_Parse(text);
    if (body == NULL)
        fail_msg("no JSON: %s", text);
    enum gw_passes_result result = gw_passes_take(passes, body);
    cJSON_Delete(body);
    return result;
}

/* The list in words: plate[from-until] in hours of the day, 0 for good. */
static const char *words(const struct gw_passes *passes)
{
    static char text[1024];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < passes->count; i++) {
        const struct gw_pass *row = &passes->rows[i];
        const char *name = strcmp(row->plate, A) == 0   ? "A"
                           : strcmp(row->plate, B) == 0 ? "B"
                                                        : "C";
        long long midnight = NOON_MS - 12 * HOUR_MS;
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s[%lld-%lld]", i > 0 ? " " : "",
                               name, row->from_ms == 0 ? 0 : (row->from_ms - midnight) / HOUR_MS,
                               row->until_ms == 0 ? 0 : (row->until_ms - midnight) / HOUR_MS);
    }
    return text;
}

#define T(hour) "2019-05-20T" hour ":00+08:00"
#define PASS(plate, from, until)                                                                   \
    "{\"plate\":\"" plate "\",\"from\":\"" T(from) "\",\"until\":\"" T(until) "\"}"
#define OFF(plate) PASS(plate, "10", "09")
#define ALWAYS(plate) "{\"plate\":\"" plate "\"}"
#define WHOLE(ver, page, pages, rows)                                                              \
    "{\"ver\":" ver ",\"page\":" page ",\"pages\":" pages ",\"delta\":false,\"passes\":[" rows "]" \
    "}"
#define DELTA(ver, rows)                                                                           \
    "{\"ver\":" ver ",\"page\":0,\"pages\":1,\"delta\":true,\"passes\":[" rows "]}"

static void lists_come_whole_or_as_changes(void **state)
{
    static const struct {
        const char *what, *message;
        enum gw_passes_result result;
        const char *list;
    } steps[] = {
        {"a page of two", WHOLE("5", "0", "2", ALWAYS(B)), GW_PASSES_PART, ""},
        {"the other page", WHOLE("5", "1", "2", PASS(A, "08", "18")), GW_PASSES_NEW,
         "B[0-0] A[8-18]"},
        {"a plate comes on", DELTA("6", PASS(C, "13", "15")), GW_PASSES_NEW,
         "C[13-15] B[0-0] A[8-18]"},
        {"another span takes the place of the old one", DELTA("7", PASS(A, "20", "22")),
         GW_PASSES_NEW, "C[13-15] B[0-0] A[20-22]"},
        {"a right for good, too", DELTA("8", ALWAYS(A)), GW_PASSES_NEW, "C[13-15] B[0-0] A[0-0]"},
        {"a plate goes off, another is changed", DELTA("9", OFF(C) "," PASS(A, "08", "18")),
         GW_PASSES_NEW, "B[0-0] A[8-18]"},
        {"off what is not on", DELTA("10", OFF("粤B99999")), GW_PASSES_NEW, "B[0-0] A[8-18]"},
        {"a change that came before", DELTA("9", OFF(A)), GW_PASSES_PART, "B[0-0] A[8-18]"},
        {"the same change again", DELTA("10", OFF(A)), GW_PASSES_PART, "B[0-0] A[8-18]"},
        {"numbers in between were another gateway's", DELTA("14", OFF(B)), GW_PASSES_NEW,
         "A[8-18]"},
        {"a new whole list begins; the old one stands", WHOLE("15", "1", "3", ALWAYS(C)),
         GW_PASSES_PART, "A[8-18]"},
        {"the same page again counts once", WHOLE("15", "1", "3", ALWAYS(C)), GW_PASSES_PART,
         "A[8-18]"},
        {"pages in any order", WHOLE("15", "0", "3", ALWAYS(A)), GW_PASSES_PART, "A[8-18]"},
        {"a newer list overtakes it", WHOLE("16", "0", "1", ALWAYS(B)), GW_PASSES_NEW, "B[0-0]"},
        {"what is left of the older one", WHOLE("15", "2", "3", ""), GW_PASSES_PART, "B[0-0]"},
        {"a plate twice in a whole list", WHOLE("17", "0", "1", ALWAYS(C) "," ALWAYS(C)),
         GW_PASSES_NEW, "C[0-0]"},
        {"a daemon that began anew counts anew", WHOLE("1", "0", "1", ALWAYS(A)), GW_PASSES_NEW,
         "A[0-0]"},
        {"and its changes", DELTA("2", OFF(A)), GW_PASSES_NEW, ""},
        {"an empty list", WHOLE("3", "0", "1", ""), GW_PASSES_NEW, ""},
        {"no ver", "{\"passes\":[]}", GW_PASSES_INVALID, ""},
        {"no passes", "{\"ver\":16}", GW_PASSES_INVALID, ""},
        {"a pass without a plate", DELTA("16", "{}"), GW_PASSES_INVALID, ""},
        {"a plate with a blank", DELTA("17", ALWAYS("A 1")), GW_PASSES_INVALID, ""},
        {"a time that is none costs its own row only",
         DELTA("18", "{\"plate\":\"x\",\"from\":\"noon\"}," ALWAYS(B)), GW_PASSES_INVALID,
         "B[0-0]"},
        {"too many pages", WHOLE("19", "0", "100000", ""), GW_PASSES_INVALID, "B[0-0]"},
    };
    struct gw_passes passes = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum gw_passes_result result = take(&passes, steps[i].message);
        if (result != steps[i].result || strcmp(words(&passes), steps[i].list) != 0)
            fail_msg("%s: %d, %s", steps[i].what, result, words(&passes));
    }
    gw_passes_done(&passes);
}

static void spans_are_half_open(void **state)
{
    static const struct {
        const char *plate;
        int64_t minutes_after_noon;
        bool may;
    } rows[] = {
        {A, -241, false}, {A, -240, true},     {A, 359, true}, {A, 360, false}, {B, -9999, true},
        {B, 0, true},     {B, 99999999, true}, {C, 0, false},  {C, 480, true},  {"", 0, false},
    };
    struct gw_passes passes = {.count = 0};
    (void)state;
    assert_int_equal(
        take(&passes,
             WHOLE("1", "0", "1", PASS(A, "08", "18") "," PASS(C, "20", "22") "," ALWAYS(B))),
        GW_PASSES_NEW);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (gw_passes_may(&passes, rows[i].plate, NOON_MS + rows[i].minutes_after_noon * 60000) !=
            rows[i].may)
            fail_msg("%s at %+lld min", rows[i].plate, (long long)rows[i].minutes_after_noon);
    gw_passes_done(&passes);
}

/* The same, against a list that is merely walked. */
static void a_large_list_is_searched_right(void **state)
{
    enum { ROWS = 3000 };
    static char text[ROWS * 48 + 100];
    struct gw_passes passes = {.count = 0};
    (void)state;
    for (int page = 0; page < 3; page++) {
        size_t at = (size_t)snprintf(text, sizeof text,
                                     "{\"ver\":1,\"page\":%d,\"pages\":3,\"passes\":[", page);
        for (int i = page; i < ROWS; i += 3)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s{\"plate\":\"浙F%05d\"}",
                                   i > 2 ? "," : "", i * 7919 % ROWS * 2);
        snprintf(text + at, sizeof text - at, "]}");
        assert_int_equal(take(&passes, text), page == 2 ? GW_PASSES_NEW : GW_PASSES_PART);
    }
    assert_int_equal(passes.count, ROWS);
    for (int i = 0; i < 2 * ROWS; i++) {
        char plate[GW_PLATE_CAP];
        snprintf(plate, sizeof plate, "浙F%05d", i);
        assert_int_equal(gw_passes_may(&passes, plate, NOON_MS), i % 2 == 0);
    }
    gw_passes_done(&passes);
}

static char path[64];

static void write_whole(const char *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void the_file_keeps_all_and_shows_damage(void **state)
{
    struct gw_passes passes = {.count = 0}, again = {.count = 0};
    size_t len = 0;
    char before[1024];
    (void)state;
    snprintf(path, sizeof path, "/tmp/tide-passes-%d", (int)getpid());
    assert_int_equal(
        take(&passes,
             WHOLE("77", "0", "1", PASS(A, "08", "18") "," PASS(C, "20", "22") "," ALWAYS(B))),
        GW_PASSES_NEW);
    passes.civil = (struct gw_civil){.civil_ms = NOON_MS, .real_ms = 1753080000000, .scale = 720};
    snprintf(before, sizeof before, "%s", words(&passes));
    char *text = gw_passes_write(&passes, &len);
    assert_non_null(text);
    write_whole(text, len);
    assert_int_equal(gw_passes_read(&again, path), 0);
    assert_string_equal(words(&again), before);
    assert_int_equal(again.ver, 77);
    assert_int_equal(gw_civil_ms(&again.civil, 1753080001000), NOON_MS + 720000);
    gw_passes_done(&again);
    for (size_t at = 0; at < len; at++) { /* cut anywhere */
        write_whole(text, at);
        if (gw_passes_read(&again, path) != -1 || errno != EBADMSG || again.count != 0)
            fail_msg("cut at %zu and nobody saw", at);
    }
    for (size_t at = 0; at + 1 < len; at++) { /* a bit flipped anywhere */
        text[at] = (char)(text[at] ^ 4);
        write_whole(text, len);
        if (gw_passes_read(&again, path) != -1)
            fail_msg("byte %zu flipped and nobody saw", at);
        text[at] = (char)(text[at] ^ 4);
    }
    unlink(path);
    assert_int_equal(gw_passes_read(&again, path), -1);
    assert_int_equal(errno, ENOENT);
    free(text);
    gw_passes_done(&passes);
}

static void civil_time_is_the_wall_clock_unless_scaled(void **state)
{
    struct gw_civil civil = {.civil_ms = NOON_MS, .real_ms = 1000, .scale = 1};
    (void)state;
    assert_int_equal(gw_civil_ms(&civil, 5000), 5000);
    civil.scale = 720;
    assert_int_equal(gw_civil_ms(&civil, 2000), NOON_MS + 720000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_whole_or_as_changes),
        cmocka_unit_test(spans_are_half_open),
        cmocka_unit_test(a_large_list_is_searched_right),
        cmocka_unit_test(the_file_keeps_all_and_shows_damage),
        cmocka_unit_test(civil_time_is_the_wall_clock_unless_scaled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
