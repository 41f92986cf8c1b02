/* test_gateway_uplink.c - the spool on its way to the daemon: order, window, acknowledgement, and
 * what is sent again when. A fake daemon takes facts as the real one does: what is not beyond its
 * cursor is old. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/gateway/json.h"
#include "clients/gateway/uplink.h"

#define REAL_MS 1753080000000

static struct {
    char folder[64];
    struct gw_disk *disk;
    struct gw_spool *spool;
    struct gw_uplink uplink;
    int64_t now_ms;
    int refuse_after; /* sends that are still taken; -1: all */
    char log[4096];   /* "hello(7,0) slot(7,1) ..." */
    uint32_t boot, seq, taken, repeats;
} stage;

static int send_fact(void *arg, const char *kind, const char *json)
{
    int64_t boot = 0, seq = 0;
    (void)arg;
    if (stage.refuse_after == 0)
        return -1;
    stage.refuse_after -= stage.refuse_after > 0;
    cJSON *body = cJSON_Parse(json);
    if (body == NULL)
        fail_msg("no JSON: %s", json);
    const char *replay = strstr(json, "replay");
    assert_true(replay == NULL || strstr(replay + 1, "replay") == NULL);
    assert_true(gw_json_int(body, "boot", 1, UINT32_MAX, &boot));
    assert_true(gw_json_int(body, "seq", 0, UINT32_MAX, &seq));
    size_t at = strlen(stage.log);
    int64_t first = gw_spool_boot(stage.spool);
    snprintf(stage.log + at, sizeof stage.log - at, "%s%s(%+d,%d)%s", at > 0 ? " " : "", kind,
             (int)(boot - first), (int)seq, gw_json_flag(body, "replay") ? "!" : "");
    cJSON_Delete(body);
    if (strcmp(kind, "hello") == 0)
        return 0;
    bool is_new =
        (uint32_t)boot > stage.boot || ((uint32_t)boot == stage.boot && (uint32_t)seq > stage.seq);
    stage.taken += is_new;
    stage.repeats += !is_new;
    if (is_new) {
        stage.boot = (uint32_t)boot;
        stage.seq = (uint32_t)seq;
    }
    return 0;
}

static void open_spool(void)
{
    assert_int_equal(gw_spool_open(&stage.spool, stage.folder, 1 << 20, stage.disk, 1), 0);
    gw_uplink_begin(&stage.uplink, stage.spool, send_fact, NULL, 150);
}

static int begin(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    snprintf(stage.folder, sizeof stage.folder, "%s/tide-uplink-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    stage.refuse_after = -1;
    stage.now_ms = 1000;
    if (mkdtemp(stage.folder) == NULL || gw_disk_open(&stage.disk) != 0)
        return -1;
    open_spool();
    return 0;
}

static int end(void **state)
{
    char path[512];
    (void)state;
    stage.spool = gw_spool_close(stage.spool);
    stage.disk = gw_disk_close(stage.disk);
    DIR *listing = opendir(stage.folder);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", stage.folder, entry->d_name);
        (void)unlink(path);
    }
    if (listing != NULL)
        closedir(listing);
    return rmdir(stage.folder);
}

static int64_t real_ms(void)
{
    return REAL_MS + stage.now_ms;
}

static void fact(enum gw_fact_kind kind)
{
    uint32_t seq;
    const char *members =
        kind == GW_FACT_PLATE ? "\"plate\":\"浙FA1234\",\"ask\":1" : "\"slot\":\"A\"";
    assert_int_equal(gw_spool_append(stage.spool, kind, false, members, real_ms(), &seq), 0);
    gw_uplink_pump(&stage.uplink, stage.now_ms, real_ms());
}

static void line(bool up)
{
    gw_uplink_state(&stage.uplink, up, stage.now_ms, real_ms());
}

static void later(int64_t ms)
{
    stage.now_ms += ms;
    gw_uplink_tick(&stage.uplink, stage.now_ms, real_ms());
}

static void ack(uint32_t boot, uint32_t seq)
{
    gw_uplink_ack(&stage.uplink, boot, seq, stage.now_ms, real_ms());
}

static void logged(const char *expected)
{
    if (strcmp(stage.log, expected) != 0)
        fail_msg("expected %s\n sent     %s", expected, stage.log);
    stage.log[0] = '\0';
}

static void hello_comes_first_then_facts_as_they_happen(void **state)
{
    (void)state;
    fact(GW_FACT_SLOT);
    logged("");
    assert_true(gw_uplink_due(&stage.uplink) == INT64_MAX);
    line(true);
    logged("hello(+0,1) slot(+0,1)");
    fact(GW_FACT_PLATE);
    logged("plate(+0,2)");
    assert_int_equal(gw_uplink_due(&stage.uplink), 1000 + GW_UPLINK_STALL_MS);
    ack(gw_spool_boot(stage.spool), 2);
    assert_true(gw_uplink_due(&stage.uplink) == INT64_MAX);
    later(60000);
    logged("");
}

static void a_new_line_begins_at_the_first_unacknowledged(void **state)
{
    (void)state;
    line(true);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    ack(gw_spool_boot(stage.spool), 1);
    line(false);
    fact(GW_FACT_SLOT);
    logged("hello(+0,0) slot(+0,1) slot(+0,2) slot(+0,3)");
    line(true);
    logged("hello(+0,4) slot(+0,2) slot(+0,3) slot(+0,4)");
}

static void nothing_moves_for_five_seconds(void **state)
{
    static const int64_t pauses[] = {5000, 10000, 20000, 40000, 60000, 60000};
    (void)state;
    line(true);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    logged("hello(+0,0) slot(+0,1) slot(+0,2)");
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        later(pauses[i] - 1);
        logged("");
        later(1);
        logged("slot(+0,1) slot(+0,2)");
    }
    ack(gw_spool_boot(stage.spool), 1); /* it moves again: patience begins anew */
    later(4999);
    logged("");
    later(1);
    logged("slot(+0,2)");
}

static void the_window_holds(void **state)
{
    uint32_t boot = gw_spool_boot(stage.spool);
    (void)state;
    for (int i = 0; i < 3 * GW_UPLINK_WINDOW; i++)
        fact(GW_FACT_SLOT);
    line(true);
    assert_int_equal(stage.taken, GW_UPLINK_WINDOW);
    ack(boot, 50);
    assert_int_equal(stage.taken, GW_UPLINK_WINDOW + 50);
    ack(boot, 49);
    assert_int_equal(stage.taken, GW_UPLINK_WINDOW + 50);
    for (uint32_t seq = 100; seq <= 3 * GW_UPLINK_WINDOW; seq += 10)
        ack(boot, seq);
    assert_int_equal(stage.taken, 3 * GW_UPLINK_WINDOW);
    assert_int_equal(stage.repeats, 0);
}

static void the_library_may_refuse(void **state)
{
    (void)state;
    stage.refuse_after = 2;
    line(true);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    logged("hello(+0,0) slot(+0,1)");
    later(GW_UPLINK_RETRY_MS - 1);
    stage.refuse_after = -1;
    logged("");
    later(1);
    logged("slot(+0,2)");
    stage.refuse_after = 0;
    line(true);
    logged("");
    stage.refuse_after = -1;
    later(GW_UPLINK_RETRY_MS);
    logged("hello(+0,2) slot(+0,1) slot(+0,2)");
}

/* A plate whose car was decided here is history when it is sent, or sent again. */
static void a_plate_grows_old(void **state)
{
    (void)state;
    line(true);
    fact(GW_FACT_PLATE);
    logged("hello(+0,0) plate(+0,1)");
    stage.now_ms += 100;
    line(true);
    logged("hello(+0,1) plate(+0,1)");
    stage.now_ms += 51;
    line(true);
    logged("hello(+0,1) plate(+0,1)!");
    fact(GW_FACT_REPORT);
    logged("gate(+0,2)");
}

static void what_is_replayed_is_said_once(void **state)
{
    uint32_t seq;
    (void)state;
    assert_int_equal(gw_spool_append(stage.spool, GW_FACT_PLATE, false,
                                     "\"plate\":\"浙FA1234\",\"replay\":true", 1, &seq),
                     0);
    line(true);
    logged("hello(+0,1) plate(+0,1)!");
}

static void an_earlier_life_goes_out_first(void **state)
{
    (void)state;
    fact(GW_FACT_PLATE);
    fact(GW_FACT_SLOT);
    stage.spool = gw_spool_close(stage.spool);
    open_spool();
    fact(GW_FACT_PLATE);
    line(true);
    logged("hello(+0,1) plate(-1,1)! slot(-1,2) plate(+0,1)");
    assert_int_equal(stage.taken, 3);
    ack(gw_spool_boot(stage.spool), 1);
    struct gw_spool_stats stats;
    gw_spool_stats(stage.spool, &stats);
    assert_int_equal(stats.records, 0);
}

/* Lines break, sends are refused, we restart, the daemon forgets nothing: all arrives, once each. */
static void all_arrive_in_any_weather(void **state)
{
    uint32_t facts = 0, dice = 7;
    (void)state;
    for (int round = 0; round < 4000; round++) {
        dice = dice * 1664525u + 1013904223u;
        switch (dice >> 24 & 15) {
        case 0:
            line(false);
            break;
        case 1:
            line(true);
            break;
        case 2:
            stage.refuse_after = (int)(dice >> 16 & 3);
            break;
        case 3:
            stage.refuse_after = -1;
            break;
        case 4:
            ack(stage.boot, stage.seq);
            break;
        case 5:
            later(5000);
            break;
        case 6:
            if (round % 8 == 0) {
                stage.spool = gw_spool_close(stage.spool);
                open_spool();
            }
            break;
        default:
            fact(dice >> 16 & 1 ? GW_FACT_SLOT : GW_FACT_PLATE);
            facts++;
        }
        stage.log[0] = '\0';
    }
    stage.refuse_after = -1;
    line(true);
    for (int i = 0; i < 100 && stage.taken < facts; i++) {
        ack(stage.boot, stage.seq);
        later(100);
        stage.log[0] = '\0';
    }
    assert_int_equal(stage.taken, facts);
    assert_true(stage.repeats > 0);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(hello_comes_first_then_facts_as_they_happen),
        ON_STAGE(a_new_line_begins_at_the_first_unacknowledged),
        ON_STAGE(nothing_moves_for_five_seconds),
        ON_STAGE(the_window_holds),
        ON_STAGE(the_library_may_refuse),
        ON_STAGE(a_plate_grows_old),
        ON_STAGE(what_is_replayed_is_said_once),
        ON_STAGE(an_earlier_life_goes_out_first),
        ON_STAGE(all_arrive_in_any_weather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
