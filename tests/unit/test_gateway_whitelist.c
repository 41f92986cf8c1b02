/* test_gateway_whitelist.c - plates in a camera's own list. A fake camera keeps rows, of which some
 * are another system's; it answers, refuses, or is silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/gateway/whitelist.h"
#include "protocol/codec.h"

#define A "浙FA1234"
#define B "沪B5678"
#define F "京C0001" /* somebody else's row */
#define DAY_MS 86400000LL
#define NOW_MS 1558346400000 /* civil */

struct camera_row {
    char plate[GW_PLATE_CAP];
    int64_t from_ms, until_ms;
    bool foreign;
};

static struct {
    struct gw_whitelist list;
    struct gw_passes passes;
    struct camera_row rows[400];
    size_t count;
    int64_t now_ms; /* elapsed */
    int64_t civil_ms;
    bool silent, away; /* answers nothing; is not even reached */
    char log[8192];
    unsigned writes;
} stage;

static uint32_t ver;
static const struct gw_camera_conf conf = {
    .device = "cam", .lane = "in", .white_list = 1, .white_list_days = 7, .white_list_per_s = 5};

static struct camera_row *row_of(const char *plate)
{
    for (size_t i = 0; i < stage.count; i++)
        if (strcmp(stage.rows[i].plate, plate) == 0)
            return &stage.rows[i];
    return NULL;
}

static void tell(void *arg, const struct gw_camera_conf *camera, const char *what,
                 const char *plate)
{
    size_t at = strlen(stage.log);
    (void)arg;
    (void)camera;
    snprintf(stage.log + at, sizeof stage.log - at, "%s%s %s", at > 0 ? "; " : "",
             strchr(what, '.') != NULL ? strchr(what, '.') + 1 : what, plate);
}

static bool write_row(void *arg, const struct gw_camera_conf *camera, const char *verb,
                      const struct gw_row *row, uint32_t serial);
static const struct gw_whitelist_io io = {NULL, write_row, tell};

static uint32_t last_serial;
static int last_code;

/* What a camera does: a plate is there once; who wrote it, it does not know. */
static bool write_row(void *arg, const struct gw_camera_conf *camera, const char *verb,
                      const struct gw_row *row, uint32_t serial)
{
    if (stage.away)
        return false;
    stage.writes++;
    tell(arg, camera, verb, row->plate);
    struct camera_row *known = row_of(row->plate);
    last_serial = serial;
    last_code = 200;
    if (verb[0] == 'a' && known != NULL)
        last_code = 409;
    if (verb[0] != 'a' && known == NULL)
        last_code = 404;
    if (known != NULL && last_code == 200 && known->foreign)
        fail_msg("%s of %s, which is not ours", verb, row->plate);
    if (last_code != 200 || stage.silent)
        return true;
    if (verb[0] == 'd') {
        *known = stage.rows[--stage.count];
        return true;
    }
    if (known == NULL)
        known = &stage.rows[stage.count++];
    memcpy(known->plate, row->plate, sizeof known->plate);
    known->from_ms = row->from_ms;
    known->until_ms = row->until_ms;
    return true;
}

/* A pass as the daemon sends it; from 0: for good. */
static void pass(const char *plate, int64_t from_ms, int64_t until_ms)
{
    char text[256], times[128] = "";
    if (from_ms != 0) {
        char from[48], until[48];
        assert_true(tide_time_format(from, sizeof from, from_ms, 480) > 0);
        assert_true(tide_time_format(until, sizeof until, until_ms, 480) > 0);
        snprintf(times, sizeof times, ",\"from\":\"%s\",\"until\":\"%s\"", from, until);
    }
    snprintf(text, sizeof text, "{\"ver\":%u,\"delta\":true,\"passes\":[{\"plate\":\"%s\"%s}]}",
             ++ver, plate, times);
    cJSON *body = cJSON_Parse(text);
    assert_true(gw_passes_take(&stage.passes, body) != GW_PASSES_INVALID);
    cJSON_Delete(body);
}

static void no_passes(void)
{
    gw_passes_done(&stage.passes);
}

static void reconcile(void)
{
    gw_whitelist_reconcile(&stage.list, &stage.passes, stage.civil_ms, stage.now_ms);
}

/* Lets time go by in steps of 50 ms, the camera answering each write 20 ms later. */
static void run(int64_t ms)
{
    for (int64_t end_ms = stage.now_ms + ms; stage.now_ms < end_ms; stage.now_ms += 50) {
        unsigned before = stage.writes;
        gw_whitelist_tick(&stage.list, &io, stage.now_ms);
        if (!stage.silent && stage.writes != before) {
            gw_whitelist_alive(&stage.list, stage.now_ms + 20);
            gw_whitelist_reply(&stage.list, &io, last_serial, last_code, stage.now_ms + 20);
        }
    }
}

static void logged(const char *expected)
{
    if (strcmp(stage.log, expected) != 0)
        fail_msg("expected %s\n seen     %s", expected, stage.log);
    stage.log[0] = '\0';
}

static int begin(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    stage.now_ms = 1000000;
    stage.civil_ms = NOW_MS;
    gw_whitelist_begin(&stage.list, &conf);
    stage.rows[stage.count++] = (struct camera_row){F, 1, 2, true};
    gw_whitelist_alive(&stage.list, stage.now_ms);
    return 0;
}

static int end(void **state)
{
    (void)state;
    gw_whitelist_done(&stage.list);
    gw_passes_done(&stage.passes);
    return 0;
}

static void rows_come_and_go_with_their_passes(void **state)
{
    (void)state;
    pass(A, NOW_MS - 3600000, NOW_MS + 7200000);
    pass(B, 0, 0);
    reconcile();
    run(1000);
    logged("add " B "; add " A);
    assert_int_equal(row_of(A)->from_ms, NOW_MS - 3600000);
    assert_int_equal(row_of(A)->until_ms, NOW_MS + 7200000);
    assert_int_equal(row_of(B)->until_ms, NOW_MS + 7 * DAY_MS); /* for good: lapses all the same */
    reconcile();
    run(1000);
    logged("");
    no_passes();
    pass(B, 0, 0);
    reconcile();
    run(1000);
    logged("delete " A);
    assert_null(row_of(A));
    assert_int_equal(stage.list.count, 1);
}

static void rows_of_others_are_left_alone(void **state)
{
    (void)state;
    pass(F, 0, 0);
    reconcile();
    run(1000);
    logged("add " F "; foreign " F);
    assert_int_equal(row_of(F)->until_ms, 2); /* untouched */
    reconcile();
    run(5000);
    logged("");
    stage.now_ms += DAY_MS; /* tried again in a day: it may have gone */
    gw_whitelist_alive(&stage.list, stage.now_ms);
    reconcile();
    run(1000);
    logged("add " F "; foreign " F);
    no_passes();
    reconcile();
    run(5000);
    logged(""); /* nor is it deleted */
    assert_non_null(row_of(F));
    assert_int_equal(stage.list.count, 0);
}

static void what_lapses_is_renewed_at_half(void **state)
{
    (void)state;
    pass(B, 0, 0);
    reconcile();
    run(1000);
    logged("add " B);
    stage.civil_ms += 7 * DAY_MS / 2;
    reconcile();
    run(1000);
    logged("");
    stage.civil_ms += 60000;
    reconcile();
    run(1000);
    logged("update " B);
    assert_int_equal(row_of(B)->until_ms, stage.civil_ms + 7 * DAY_MS);
}

static void a_changed_span_is_written_anew(void **state)
{
    (void)state;
    pass(A, NOW_MS + 3600000, NOW_MS + 7200000);
    reconcile();
    run(1000);
    logged("add " A);
    no_passes();
    pass(A, NOW_MS + 3600000, NOW_MS + 9000000); /* extended */
    reconcile();
    run(1000);
    logged("update " A);
    assert_int_equal(row_of(A)->until_ms, NOW_MS + 9000000);
    no_passes();
    pass(A, NOW_MS + 1800000, NOW_MS + 9000000); /* earlier */
    reconcile();
    run(1000);
    logged("update " A);
    stage.civil_ms = NOW_MS + 9000000; /* over: nothing to write, the row lapsed by itself */
    reconcile();
    run(1000);
    logged("delete " A);
}

/* Changed while its writing is under way: what was sent is not what is wanted. */
static void a_change_during_the_write_is_not_lost(void **state)
{
    (void)state;
    pass(A, NOW_MS, NOW_MS + 3600000);
    reconcile();
    stage.silent = true;
    run(50);
    logged("add " A);
    stage.rows[stage.count++] = (struct camera_row){A, NOW_MS, NOW_MS + 3600000, false};
    no_passes();
    pass(A, NOW_MS, NOW_MS + 5400000);
    reconcile();
    stage.silent = false;
    gw_whitelist_reply(&stage.list, &io, last_serial, 200, stage.now_ms);
    run(1000);
    logged("update " A);
    assert_int_equal(row_of(A)->until_ms, NOW_MS + 5400000);
}

static void taken_off_during_the_write_it_is_deleted(void **state)
{
    (void)state;
    pass(A, NOW_MS, NOW_MS + 3600000);
    reconcile();
    stage.silent = true;
    run(50);
    logged("add " A);
    stage.rows[stage.count++] = (struct camera_row){A, NOW_MS, NOW_MS + 3600000, false};
    no_passes();
    reconcile();
    stage.silent = false;
    gw_whitelist_reply(&stage.list, &io, last_serial, 200, stage.now_ms);
    run(1000);
    logged("delete " A);
    assert_null(row_of(A));
    assert_int_equal(stage.list.count, 0);
}

static void writes_are_spread(void **state)
{
    char plate[GW_PLATE_CAP];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(plate, sizeof plate, "浙F%05d", i);
        pass(plate, 0, 0);
    }
    reconcile();
    run(10000);
    assert_in_range(stage.writes, 49, 51); /* 5 a second */
    run(11000);
    assert_int_equal(stage.writes, 100);
    assert_int_equal(stage.count, 101);
}

static void a_silent_camera_is_not_bothered_and_gets_all_anew(void **state)
{
    (void)state;
    pass(A, 0, 0);
    reconcile();
    run(1000);
    logged("add " A);
    stage.silent = true;
    pass(B, 0, 0);
    reconcile();
    run(20000);
    logged("add " B "; add " B "; add " B "; camera_silent ");
    assert_true(gw_whitelist_due(&stage.list) == INT64_MAX);
    run(60000);
    logged("");
    stage.silent = false;
    stage.count = 1; /* it was replaced: only the other system's row is there */
    gw_whitelist_alive(&stage.list, stage.now_ms);
    run(2000);
    logged("add " B "; update " A "; add " A);
    assert_int_equal(stage.count, 3);
}

/* 36 s without a word are an absence, also when there was nothing to write. */
static void a_camera_that_was_away_is_written_anew(void **state)
{
    (void)state;
    pass(A, 0, 0);
    reconcile();
    run(1000);
    logged("add " A);
    stage.now_ms += 34000;
    gw_whitelist_alive(&stage.list, stage.now_ms);
    run(1000);
    logged("");
    stage.now_ms += 36000;
    gw_whitelist_alive(&stage.list, stage.now_ms);
    run(1000);
    logged("update " A);
}

static void what_is_not_sent_is_not_awaited(void **state)
{
    (void)state;
    stage.away = true;
    pass(A, 0, 0);
    reconcile();
    run(5000);
    logged("");
    stage.away = false;
    run(1000);
    logged("add " A);
}

/* An answer that nobody waits for, or waits for no more, changes nothing. */
static void stray_answers_are_passed_over(void **state)
{
    (void)state;
    pass(A, 0, 0);
    reconcile();
    gw_whitelist_reply(&stage.list, &io, 0, 200, stage.now_ms);
    gw_whitelist_reply(&stage.list, &io, 5, 500, stage.now_ms);
    run(1000);
    uint32_t serial = last_serial;
    gw_whitelist_reply(&stage.list, &io, serial, 500, stage.now_ms);
    gw_whitelist_reply(&stage.list, &io, serial + 4, 500, stage.now_ms);
    run(1000);
    logged("add " A);
    assert_int_equal(stage.list.rows[0].state, GW_ROW_WRITTEN);
}

static void what_is_far_off_waits(void **state)
{
    (void)state;
    pass(A, NOW_MS + 9 * DAY_MS, NOW_MS + 10 * DAY_MS);
    reconcile();
    run(1000);
    logged("");
    stage.civil_ms += 3 * DAY_MS; /* it comes into the horizon of 7 days */
    reconcile();
    run(1000);
    logged("add " A);
    assert_int_equal(row_of(A)->from_ms, NOW_MS + 9 * DAY_MS);
}

/* What is ours is known after a restart: deleted when it must go, and nothing else is. */
static void the_file_tells_what_is_ours(void **state)
{
    char path[64];
    size_t len = 0;
    (void)state;
    pass(A, 0, 0);
    pass(B, 0, 0);
    pass(F, 0, 0);
    reconcile();
    run(2000);
    stage.log[0] = '\0';
    assert_true(stage.list.changed);
    char *text = gw_whitelist_write(&stage.list, &len);
    assert_false(stage.list.changed);
    snprintf(path, sizeof path, "/tmp/tide-white-%d", (int)getpid());
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    fclose(out);
    gw_whitelist_done(&stage.list);
    gw_whitelist_begin(&stage.list, &conf);
    assert_int_equal(gw_whitelist_read(&stage.list, path), 0);
    assert_int_equal(stage.list.count, 3);
    no_passes();
    reconcile();
    run(2000);
    logged(""); /* not before it says that it is there */
    gw_whitelist_alive(&stage.list, stage.now_ms);
    run(2000);
    logged("delete " B "; delete " A);
    assert_int_equal(stage.count, 1);
    assert_non_null(row_of(F));
    for (size_t at = 0; at < len; at += 3) {
        out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(text, 1, at, out);
        fclose(out);
        struct gw_whitelist damaged = {.count = 0};
        if (gw_whitelist_read(&damaged, path) != -1 || damaged.count != 0)
            fail_msg("cut at %zu and nobody saw", at);
    }
    unlink(path);
    free(text);
}

/* Passes come and go at random, the camera is away now and then: in the end it holds what is wanted
 * and what is others', and no row of others was ever touched (the camera checks). */
static void all_is_right_in_the_end(void **state)
{
    uint32_t dice = 3;
    char plate[GW_PLATE_CAP];
    bool wanted[40] = {false};
    (void)state;
    for (int i = 0; i < 40; i += 5) {
        snprintf(plate, sizeof plate, "浙F%05d", i);
        struct camera_row *row = &stage.rows[stage.count++];
        *row = (struct camera_row){"", 1, 2, true};
        memcpy(row->plate, plate, sizeof plate);
    }
    for (int round = 0; round < 300; round++) {
        dice = dice * 1664525u + 1013904223u;
        int i = (int)(dice >> 16) % 40;
        wanted[i] = !wanted[i];
        no_passes();
        for (int k = 0; k < 40; k++) {
            snprintf(plate, sizeof plate, "浙F%05d", k);
            if (wanted[k])
                pass(plate, 0, 0);
        }
        reconcile();
        stage.away = (dice >> 8 & 7) == 0;
        if ((dice >> 4 & 7) == 0)
            stage.now_ms += 40000;
        gw_whitelist_alive(&stage.list, stage.now_ms);
        run(200 * (dice & 7));
        stage.log[0] = '\0';
    }
    stage.away = false;
    run(30000);
    for (int k = 0; k < 40; k++) {
        snprintf(plate, sizeof plate, "浙F%05d", k);
        assert_int_equal(row_of(plate) != NULL, wanted[k] || k % 5 == 0);
    }
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(rows_come_and_go_with_their_passes),
        ON_STAGE(rows_of_others_are_left_alone),
        ON_STAGE(what_lapses_is_renewed_at_half),
        ON_STAGE(a_changed_span_is_written_anew),
        ON_STAGE(a_change_during_the_write_is_not_lost),
        ON_STAGE(taken_off_during_the_write_it_is_deleted),
        ON_STAGE(writes_are_spread),
        ON_STAGE(a_silent_camera_is_not_bothered_and_gets_all_anew),
        ON_STAGE(a_camera_that_was_away_is_written_anew),
        ON_STAGE(what_is_not_sent_is_not_awaited),
        ON_STAGE(stray_answers_are_passed_over),
        ON_STAGE(what_is_far_off_waits),
        ON_STAGE(the_file_tells_what_is_ours),
        ON_STAGE(all_is_right_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
