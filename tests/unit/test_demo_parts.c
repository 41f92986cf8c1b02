/* test_demo_parts.c - the demo's agenda, tally, chart and misread plates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "deploy/demo/agenda.h"
#include "deploy/demo/chart.h"
#include "deploy/demo/dice.h"
#include "deploy/demo/plan.h"
#include "deploy/demo/tally.h"

static void test_agenda_keeps_order(void **state)
{
    (void)state;
    struct demo_agenda agenda = {0};
    struct demo_dice dice;
    demo_dice_seed(&dice, 9);
    for (int i = 0; i < 5000; i++) {
        demo_agenda_add(&agenda, demo_dice_below(&dice, 100), 0, i);
    }
    struct demo_act act, before = {.at_ms = -1};
    size_t count = 0;
    assert_false(demo_agenda_take(&agenda, -1, &act));
    while (demo_agenda_take(&agenda, 100, &act)) {
        assert_true(act.at_ms > before.at_ms ||
                    (act.at_ms == before.at_ms && act.who > before.who));
        before = act;
        count++;
    }
    assert_int_equal(count, 5000);
    assert_null(demo_agenda_first(&agenda));
    demo_agenda_clear(&agenda);
}

static struct demo_tally tally, again;

static void test_tally_survives_its_file(void **state)
{
    (void)state;
    char path[] = "/tmp/tide-tally-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    memset(&tally, 0, sizeof(tally));
    tally.requests = 12;
    tally.late_ms_max = 7;
    demo_tally_refusal(&tally, "full", "all_taken");
    demo_tally_refusal(&tally, "quota", NULL);
    demo_tally_refusal(&tally, "full", "all_taken");
    for (int i = 100; i >= 1; i--) {
        demo_tally_latency(&tally, i * 10);
    }
    assert_int_equal(demo_tally_quantile_us(&tally, 500), 500);
    assert_int_equal(demo_tally_quantile_us(&tally, 990), 990);
    assert_int_equal(demo_tally_quantile_us(&tally, 1000), 1000);
    assert_int_equal(demo_tally_write(&tally, path), 0);
    assert_int_equal(demo_tally_read(&again, path), 0);
    assert_memory_equal(&tally, &again, sizeof(tally));
    assert_int_equal(demo_tally_refusals(&again), 3);
    assert_string_equal(again.refusals[0].why, "full, all_taken");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(demo_tally_read(&again, path), -1);
}

static void test_no_answers_no_quantile(void **state)
{
    (void)state;
    memset(&tally, 0, sizeof(tally));
    assert_int_equal(demo_tally_quantile_us(&tally, 990), 0);
}

static void test_chart_stacks_the_tide(void **state)
{
    (void)state;
    struct demo_chart chart = {.first_hour = 7, .last_hour = 9, .rows = 4};
    chart.hour[7] = (struct demo_hour){.supply = 20, .known = true};
    chart.hour[8] = (struct demo_hour){.supply = 20, .promised = 15, .parked = 10, .known = true};
    char out[4096];
    size_t len = demo_chart_draw(&chart, out, sizeof(out));
    assert_int_equal(len, strlen(out));
    assert_string_equal(out, "    20┤░░░░░░   \n"
                             "      │░░░▒▒▒   \n"
                             "    10┤░░░━━━   \n"
                             "      │░░░▒▒▒   \n"
                             "     0└─────────\n"
                             "       07 08 09 \n"
                             "       ░ open to others   ▒ promised   ━ cars that are there\n");
}

static void test_chart_never_overruns(void **state)
{
    (void)state;
    struct demo_chart chart = {
        .first_hour = 0, .last_hour = 23, .rows = 14, .now_hour = 9, .color = true};
    for (int h = 0; h < 24; h++) {
        chart.hour[h] = (struct demo_hour){
            .supply = 300, .promised = (uint32_t)h * 10, .parked = (uint32_t)h * 5, .known = true};
    }
    char out[9000];
    for (size_t cap = 1; cap < 400; cap++) {
        memset(out, 'x', sizeof(out));
        assert_true(demo_chart_draw(&chart, out, cap) < cap);
        assert_int_equal(out[cap], 'x');
    }
    assert_true(demo_chart_draw(&chart, out, sizeof(out)) < sizeof(out) - 1);
}

static void test_chart_line(void **state)
{
    (void)state;
    struct demo_chart chart = {.first_hour = 5, .last_hour = 23, .rows = 4};
    chart.hour[8] = (struct demo_hour){.supply = 20, .promised = 15, .parked = 10, .known = true};
    char out[512];
    (void)demo_chart_line(&chart, 8, out, sizeof(out));
    assert_string_equal(out, "08:00  supply   20  promised   15  parked   10  "
                             "▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┃▒▒▒▒▒▒▒▒▒▒░░░░░░░░░░");
}

static void test_misread(void **state)
{
    (void)state;
    static const struct {
        const char *plate, *read;
        bool changed;
    } rows[] = {
        {"浙Z8K123", "浙Z8K723", true},    {"浙Z2K358", "浙Z2K35B", true},
        {"浙Z2K0A0", "浙Z2K0AD", true},    {"浙Z2K345", "浙Z2K345", false},
        {"浙ZD12818", "浙ZD12818", false}, /* new energy: a letter there would be no plate */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[DEMO_NAME];
        assert_int_equal(demo_plate_misread(rows[i].plate, out, sizeof(out)), rows[i].changed);
        assert_string_equal(out, rows[i].read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agenda_keeps_order),
        cmocka_unit_test(test_tally_survives_its_file),
        cmocka_unit_test(test_no_answers_no_quantile),
        cmocka_unit_test(test_chart_stacks_the_tide),
        cmocka_unit_test(test_chart_never_overruns),
        cmocka_unit_test(test_chart_line),
        cmocka_unit_test(test_misread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
