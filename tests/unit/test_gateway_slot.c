/* test_gateway_slot.c - from readings to the state of a slot: rows of them, and what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clients/gateway/slot.h"

#define MINUTE_MS 60000

/* A reading: minute, then what it says. Told: "o" occupied, "f" free, "u" unknown, in capitals when
 * it is news and small when it is a heartbeat; "-": nothing is told. */
struct reading {
    int minute,
        value; /* a distance in mm, or 0 / 1 of a sensor that decides itself; -1: says none */
    enum gw_kind kind;
};

static const struct row {
    const char *what;
    bool by_distance;
    int debounce;
    struct reading readings[12];
    size_t count;
    const char *told;
} rows[] = {
    {"a change is told at once, a heartbeat is one",
     false,
     2,
     {{0, 0, GW_CHANGE}, {1, 1, GW_CHANGE}, {60, 1, GW_HEARTBEAT}, {61, 0, GW_CHANGE}},
     4,
     "FOoF"},
    {"a heartbeat repairs a lost change",
     false,
     2,
     {{0, 0, GW_CHANGE}, {60, 1, GW_HEARTBEAT}, {120, 1, GW_HEARTBEAT}},
     3,
     "FOo"},
    {"the first word is news, whatever it is",
     false,
     2,
     {{0, 0, GW_HEARTBEAT}, {60, 0, GW_HEARTBEAT}},
     2,
     "Ff"},
    {"a start carries the state", false, 2, {{0, 1, GW_CHANGE}, {5, 0, GW_START}}, 2, "OF"},
    {"battery alone tells nothing", false, 2, {{0, -1, GW_STATUS}, {1, 1, GW_CHANGE}}, 2, "-O"},
    {"a report that says nothing of the state is a sign of life",
     true,
     2,
     {{0, -1, GW_HEARTBEAT}, {1, 800, GW_HEARTBEAT}, {2, -1, GW_HEARTBEAT}},
     3,
     "-Oo"},
    {"the thresholds themselves belong to their sides",
     true,
     1,
     {{0, 900, GW_HEARTBEAT}, {1, 1400, GW_HEARTBEAT}, {2, 900, GW_HEARTBEAT}},
     3,
     "OFO"},
    {"between the thresholds it stays as it was",
     true,
     1,
     {{0, 800, GW_HEARTBEAT},
      {1, 901, GW_HEARTBEAT},
      {2, 1399, GW_HEARTBEAT},
      {3, 1400, GW_HEARTBEAT},
      {4, 1399, GW_HEARTBEAT},
      {5, 901, GW_HEARTBEAT},
      {6, 900, GW_HEARTBEAT}},
     7,
     "OooFffO"},
    {"nothing known and between the thresholds: unknown is told",
     true,
     1,
     {{0, 1000, GW_HEARTBEAT}, {1, 1000, GW_HEARTBEAT}, {2, 500, GW_HEARTBEAT}},
     3,
     "UuO"},
    {"one stray reading changes nothing",
     true,
     2,
     {{0, 2000, GW_HEARTBEAT},
      {1, 300, GW_HEARTBEAT},
      {2, 2000, GW_HEARTBEAT},
      {3, 300, GW_HEARTBEAT},
      {4, 300, GW_HEARTBEAT}},
     5,
     "FfffO"},
    {"three in a row where three are asked for, and the count begins anew",
     true,
     3,
     {{0, 2000, GW_HEARTBEAT},
      {1, 300, GW_HEARTBEAT},
      {2, 300, GW_HEARTBEAT},
      {3, 2000, GW_HEARTBEAT},
      {4, 300, GW_HEARTBEAT},
      {5, 300, GW_HEARTBEAT},
      {6, 300, GW_HEARTBEAT}},
     7,
     "FfffffO"},
    {"no echo is no reading, and does not break a row of them",
     true,
     2,
     {{0, 2000, GW_HEARTBEAT},
      {1, 300, GW_HEARTBEAT},
      {2, -1, GW_HEARTBEAT},
      {3, 300, GW_HEARTBEAT}},
     4,
     "FffO"},
    {"a tilted sensor knows nothing, and comes back at once",
     true,
     3,
     {{0, 300, GW_HEARTBEAT}, {1, 300, GW_TAMPER}, {2, 2000, GW_TAMPER}, {3, 2000, GW_HEARTBEAT}},
     4,
     "OUuF"},
};

static const struct gw_device_conf *device(bool by_distance, int debounce)
{
    static struct gw_device_conf conf;
    conf = (struct gw_device_conf){.slot = "A-1",
                                   .model = by_distance ? &gw_milesight_em400 : &gw_bosch_tps110,
                                   .heartbeat_min = 60,
                                   .distance_occupied_mm = by_distance ? 900 : 0,
                                   .distance_free_mm = by_distance ? 1400 : 0,
                                   .debounce_count = debounce};
    return &conf;
}

static struct gw_event event_of(const struct reading *reading, bool by_distance)
{
    struct gw_event event = gw_event_none();
    event.kind = reading->kind;
    if (by_distance)
        event.distance_mm = reading->value;
    else
        event.occupied = reading->value;
    return event;
}

static char letter(const struct gw_slot_fact *fact)
{
    return fact->heartbeat ? "ufo"[fact->state + 1] : "UFO"[fact->state + 1];
}

static void readings_become_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const struct gw_device_conf *conf = device(row->by_distance, row->debounce);
        struct gw_slot slot;
        char told[16] = "";
        gw_slot_begin(&slot, 0);
        for (size_t k = 0; k < row->count; k++) {
            struct gw_event event = event_of(&row->readings[k], row->by_distance);
            struct gw_slot_fact fact;
            bool tells = gw_slot_take(&slot, conf, &event,
                                      row->readings[k].minute * (int64_t)MINUTE_MS, &fact);
            told[k] = tells ? letter(&fact) : '-';
        }
        if (strcmp(told, row->told) != 0)
            fail_msg("%s: expected %s, told %s", row->what, row->told, told);
    }
}

static void silence_makes_unknown_never_free(void **state)
{
    const struct gw_device_conf *conf = device(false, 2);
    struct gw_event event = gw_event_none();
    struct gw_slot slot;
    struct gw_slot_fact fact;
    (void)state;
    gw_slot_begin(&slot, 1000);
    assert_int_equal(gw_slot_silence_due(&slot, conf), 1000 + 150 * MINUTE_MS);
    event.kind = GW_HEARTBEAT;
    event.occupied = 1;
    assert_true(gw_slot_take(&slot, conf, &event, 10 * MINUTE_MS, &fact));
    assert_false(gw_slot_silence(&slot, conf, 160 * MINUTE_MS - 1, &fact));
    assert_true(gw_slot_silence(&slot, conf, 160 * MINUTE_MS, &fact));
    assert_int_equal(letter(&fact), 'U');
    assert_false(gw_slot_silence(&slot, conf, 900 * MINUTE_MS, &fact)); /* told once */
    assert_true(gw_slot_silence_due(&slot, conf) == INT64_MAX);
    assert_true(gw_slot_take(&slot, conf, &event, 901 * MINUTE_MS, &fact));
    assert_int_equal(letter(&fact), 'O'); /* news again */
    assert_int_equal(gw_slot_silence_due(&slot, conf), (901 + 150) * MINUTE_MS);
}

/* Heard again after a silence, without a word on the state: still unknown, as news. */
static void a_sign_of_life_after_silence(void **state)
{
    const struct gw_device_conf *conf = device(true, 2);
    struct gw_event event = gw_event_none();
    struct gw_slot slot;
    struct gw_slot_fact fact;
    (void)state;
    gw_slot_begin(&slot, 0);
    assert_true(gw_slot_silence(&slot, conf, 150 * MINUTE_MS, &fact));
    event.kind = GW_HEARTBEAT;
    assert_true(gw_slot_take(&slot, conf, &event, 151 * MINUTE_MS, &fact));
    assert_int_equal(letter(&fact), 'U');
}

static void battery_goes_along_once(void **state)
{
    const struct gw_device_conf *conf = device(false, 2);
    struct gw_event event = gw_event_none();
    struct gw_slot slot;
    struct gw_slot_fact fact;
    (void)state;
    gw_slot_begin(&slot, 0);
    event.kind = GW_STATUS;
    event.battery_pct = 88;
    assert_false(gw_slot_take(&slot, conf, &event, 1, &fact));
    event = gw_event_none();
    event.kind = GW_CHANGE;
    event.occupied = 1;
    assert_true(gw_slot_take(&slot, conf, &event, 2, &fact));
    assert_int_equal(fact.battery_pct, 88);
    assert_true(gw_slot_take(&slot, conf, &event, 3, &fact));
    assert_int_equal(fact.battery_pct, -1);
}

static void facts_are_written(void **state)
{
    static const struct {
        struct gw_slot_fact fact;
        const char *text;
    } facts[] = {
        {{.state = 1, .battery_pct = -1}, "\"slot\":\"A-1\",\"state\":\"occupied\""},
        {{.state = 0, .heartbeat = true, .battery_pct = 0, .device_ms = 1558346400250},
         "\"slot\":\"A-1\",\"state\":\"free\",\"heartbeat\":true,"
         "\"at\":\"2019-05-20T18:00:00+08:00\",\"battery_pct\":0"},
        {{.state = -1, .battery_pct = -1, .replay = true},
         "\"slot\":\"A-1\",\"state\":\"unknown\",\"replay\":true"},
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        size_t len = gw_slot_members(text, sizeof text, "A-1", &facts[i].fact, 480);
        assert_string_equal(text, facts[i].text);
        assert_int_equal(len, strlen(facts[i].text));
        assert_int_equal(gw_slot_members(text, len, "A-1", &facts[i].fact, 480), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_become_states),
        cmocka_unit_test(silence_makes_unknown_never_free),
        cmocka_unit_test(a_sign_of_life_after_silence),
        cmocka_unit_test(battery_goes_along_once),
        cmocka_unit_test(facts_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
