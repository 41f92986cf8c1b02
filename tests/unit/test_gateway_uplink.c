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
    uint32_t boot, seq, taken, repeats, gaps;
    uint32_t refuses_seq;  /* of any boot: no fact to the daemon */
    unsigned loses_one_in; /* facts on their way; 0: none */
    uint32_t dice;
} stage;

static void daemon_takes(bool is_hello, uint32_t boot, uint32_t seq)
{
    bool beyond = boot > stage.boot || (boot == stage.boot && seq > stage.seq);
    bool is_next = boot == stage.boot ? seq == stage.seq + 1 : boot > stage.boot && seq == 1;
    stage.dice = stage.dice * 1664525u + 1013904223u;
    if (!is_hello) {
        if (stage.loses_one_in != 0 && (stage.dice >> 8) % stage.loses_one_in == 0)
            return;
        if (seq == stage.refuses_seq)
            return;
        stage.taken += is_next;
        stage.repeats += !beyond;
        stage.gaps += beyond && !is_next;
    }
    if (is_hello ? beyond : is_next) {
        stage.boot = boot;
        stage.seq = seq;
    }
}

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
    daemon_takes(strcmp(kind, "hello") == 0, (uint32_t)boot, (uint32_t)seq);
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
    logged("hello(+0,0) slot(+0,1)");
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
    logged("hello(+0,1) slot(+0,2) slot(+0,3) slot(+0,4)");
    ack(gw_spool_boot(stage.spool), 4);
    line(true);
    logged("hello(+0,4)");
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
        logged("hello(+0,0) slot(+0,1) slot(+0,2)");
    }
    ack(gw_spool_boot(stage.spool), 1); /* it moves again: patience begins anew */
    later(4999);
    logged("");
    later(1);
    logged("hello(+0,1) slot(+0,2)");
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
    logged("hello(+0,0) slot(+0,1) slot(+0,2)");
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
    logged("hello(+0,0) plate(+0,1)");
    stage.now_ms += 51;
    line(true);
    logged("hello(+0,0) plate(+0,1)!");
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
    logged("hello(+0,0) plate(+0,1)!");
}

/* The new boot waits for the old one: over a change of boots the daemon sees no gap. */
static void an_earlier_life_goes_out_first(void **state)
{
    (void)state;
    fact(GW_FACT_PLATE);
    fact(GW_FACT_SLOT);
    uint32_t first = gw_spool_boot(stage.spool);
    stage.spool = gw_spool_close(stage.spool);
    open_spool();
    fact(GW_FACT_PLATE);
    line(true);
    logged("hello(-1,0) plate(-1,1)! slot(-1,2)");
    ack(first, 1);
    logged("");
    ack(first, 2);
    logged("plate(+0,1)");
    assert_int_equal(stage.taken, 3);
    ack(first + 1, 1);
    struct gw_spool_stats stats;
    gw_spool_stats(stage.spool, &stats);
    assert_int_equal(stats.records, 0);
}

/* Acknowledged before we died, and the file that says so was lost: known facts are acked again. */
static void the_daemon_is_ahead_of_us(void **state)
{
    (void)state;
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    stage.boot = gw_spool_boot(stage.spool);
    stage.seq = 2;
    line(true);
    logged("hello(+0,0) slot(+0,1) slot(+0,2)");
    assert_int_equal(stage.taken, 0);
    ack(stage.boot, stage.seq);
    fact(GW_FACT_SLOT);
    logged("slot(+0,3)");
    assert_int_equal(stage.taken, 1);
}

/* One fact that the daemon cannot read must not hold up all others for ever. */
static void a_fact_that_is_none_is_passed(void **state)
{
    uint32_t boot = gw_spool_boot(stage.spool);
    (void)state;
    stage.refuses_seq = 2;
    line(true);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    fact(GW_FACT_SLOT);
    ack(boot, 1);
    logged("hello(+0,0) slot(+0,1) slot(+0,2) slot(+0,3)");
    assert_int_equal(stage.gaps, 1);
    for (int64_t pause_ms = 5000; pause_ms <= 40000; pause_ms *= 2) {
        later(pause_ms); /* perhaps it is only busy */
        logged("hello(+0,1) slot(+0,2) slot(+0,3)");
        ack(boot, 1); /* it hears us, and takes no slot 2 */
    }
    later(60000);
    logged("hello(+0,2) slot(+0,3)");
    assert_int_equal(stage.taken, 2);
    ack(stage.boot, stage.seq);
    assert_int_equal(stage.seq, 3);
    assert_int_equal(stage.uplink.skipped, 1);
    later(60000);
    logged("");
}

/* A daemon that says nothing at all may be without disk: nothing is passed over then. */
static void a_silent_daemon_is_waited_for(void **state)
{
    (void)state;
    line(true);
    fact(GW_FACT_SLOT);
    for (int i = 0; i < 50; i++)
        later(60000);
    assert_int_equal(stage.uplink.skipped, 0);
    assert_true(stage.uplink.resends > 40);
}

/* A broker that lost its sessions took hello before the daemon was back: it is said again, and not
 * any more when something came back. */
static void a_hello_that_nobody_heard_is_said_again(void **state)
{
    (void)state;
    line(true);
    logged("hello(+0,0)");
    later(4999);
    logged("");
    assert_int_equal(gw_uplink_due(&stage.uplink), stage.now_ms + 1);
    later(1);
    logged("hello(+0,0)");
    later(9999);
    logged("");
    later(1);
    logged("hello(+0,0)");
    ack(gw_spool_boot(stage.spool), 0);
    assert_true(gw_uplink_due(&stage.uplink) == INT64_MAX);
    later(120000);
    logged("");
}

/* A record that the disk lost: hello leads over the hole, when all before it is acknowledged. */
static void a_hole_on_our_disk_is_led_over(void **state)
{
    char path[512];
    (void)state;
    uint32_t boot = gw_spool_boot(stage.spool);
    stage.spool = gw_spool_close(stage.spool);
    assert_int_equal(gw_spool_open(&stage.spool, stage.folder, 16 * 1024, stage.disk, 1), 0);
    gw_uplink_begin(&stage.uplink, stage.spool, send_fact, NULL, 150);
    boot++;
    for (int i = 0; i < 60; i++)
        fact(GW_FACT_SLOT); /* segments of 1 KiB */
    stage.spool = gw_spool_close(stage.spool);
    snprintf(path, sizeof path, "%s/spool-00000002.seg", stage.folder);
    assert_int_equal(truncate(path, 500), 0);
    open_spool();
    line(true);
    uint32_t before = stage.seq;
    assert_in_range(before, 20, 40);
    assert_int_equal(stage.gaps, 0);
    ack(boot, before);
    assert_int_equal(stage.seq, 60);
    assert_int_equal(stage.gaps, 0);
    assert_non_null(strstr(stage.log + 10, "hello"));
}

/* Lines break, sends are refused, we restart, the daemon drops what it has no room for: all arrive,
 * once each. */
static void all_arrive_in_any_weather(void **state)
{
    uint32_t facts = 0, dice = 7;
    (void)state;
    stage.loses_one_in = 10;
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
            if (stage.boot != 0)
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
    stage.loses_one_in = 0;
    line(true);
    for (int i = 0; i < 1000 && stage.taken < facts; i++) {
        ack(stage.boot, stage.seq);
        later(1000);
        stage.log[0] = '\0';
    }
    assert_int_equal(stage.taken, facts);
    assert_int_equal(stage.uplink.skipped, 0);
    assert_true(stage.repeats > 0 && stage.gaps > 0);
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
        ON_STAGE(the_daemon_is_ahead_of_us),
        ON_STAGE(a_fact_that_is_none_is_passed),
        ON_STAGE(a_silent_daemon_is_waited_for),
        ON_STAGE(a_hello_that_nobody_heard_is_said_again),
        ON_STAGE(a_hole_on_our_disk_is_led_over),
        ON_STAGE(all_arrive_in_any_weather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
