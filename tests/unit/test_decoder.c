/* test_decoder.c - what devices say, byte by byte: rows from the makers' tables, the makers' own
 * messages where they are at hand, and bytes that no device should send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clients/gateway/decoder.h"

#define NONE (-1)
#define NO_TEMPERATURE INT16_MIN

/* ---- sensors -------------------------------------------------------------------------------- */
static const struct {
    const char *what;
    const struct gw_model *model;
    unsigned port;
    const char *hex;
    enum gw_verdict verdict;
    enum gw_kind kind;
    int occupied, distance_mm, battery_pct, battery_mv, temperature_dc;
} payloads[] = {
    {"bosch: free", &gw_bosch_tps110, 1, "00", GW_DECODED, GW_CHANGE, 0, NONE, NONE, NONE,
     NO_TEMPERATURE},
    {"bosch: taken", &gw_bosch_tps110, 1, "01", GW_DECODED, GW_CHANGE, 1, NONE, NONE, NONE,
     NO_TEMPERATURE},
    {"bosch: only bit 0 counts", &gw_bosch_tps110, 1, "fe", GW_DECODED, GW_CHANGE, 0, NONE, NONE,
     NONE, NO_TEMPERATURE},
    {"bosch: heartbeat, 18 degrees", &gw_bosch_tps110, 2, "0112", GW_DECODED, GW_HEARTBEAT, 1, NONE,
     NONE, NONE, 180},
    {"bosch: heartbeat, frost", &gw_bosch_tps110, 2, "00f6", GW_DECODED, GW_HEARTBEAT, 0, NONE,
     NONE, NONE, -100},
    {"bosch: heartbeat of the first firmware", &gw_bosch_tps110, 2, "01", GW_DECODED, GW_HEARTBEAT,
     1, NONE, NONE, NONE, NO_TEMPERATURE},
    {"bosch: started, taken", &gw_bosch_tps110, 3, "00000000990200d100050000001d020201", GW_DECODED,
     GW_START, 1, NONE, NONE, NONE, NO_TEMPERATURE},
    {"bosch: started, one byte short", &gw_bosch_tps110, 3, "00000000990200d100050000001d0202",
     GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"bosch: nothing", &gw_bosch_tps110, 1, "", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"bosch: another port", &gw_bosch_tps110, 9, "01", GW_PASS_OVER, 0, 0, 0, 0, 0, 0},
    {"netvox: taken, 3.6 V", &gw_netvox_r719a, 6, "0159012401000000000000", GW_DECODED,
     GW_HEARTBEAT, 1, NONE, NONE, 3600, NO_TEMPERATURE},
    {"netvox: free, battery low", &gw_netvox_r719a, 6, "0159019e00000000000000", GW_DECODED,
     GW_HEARTBEAT, 0, NONE, NONE, 3000, NO_TEMPERATURE},
    {"netvox: an answer to configuration", &gw_netvox_r719a, 7, "8259003c003c0100000000",
     GW_PASS_OVER, 0, 0, 0, 0, 0, 0},
    {"netvox: another report", &gw_netvox_r719a, 6, "0159022401000000000000", GW_PASS_OVER, 0, 0, 0,
     0, 0, 0},
    {"netvox: another device's bytes", &gw_netvox_r719a, 6, "0158012401000000000000", GW_MALFORMED,
     0, 0, 0, 0, 0, 0},
    {"netvox: state 2", &gw_netvox_r719a, 6, "0159012402", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"netvox: short", &gw_netvox_r719a, 6, "01590124", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"em400: battery, temperature, distance", &gw_milesight_em400, 85, "01755c0367010104824408",
     GW_DECODED, GW_HEARTBEAT, NONE, 2116, 92, NONE, 257},
    {"em400: tilted", &gw_milesight_em400, 85, "01755c0367010104824408050001", GW_DECODED,
     GW_TAMPER, NONE, 2116, 92, NONE, 257},
    {"em400: upright", &gw_milesight_em400, 85, "050000", GW_DECODED, GW_HEARTBEAT, NONE, NONE,
     NONE, NONE, NO_TEMPERATURE},
    {"em400: alarms", &gw_milesight_em400, 85, "8367e800018482410601", GW_DECODED, GW_HEARTBEAT,
     NONE, 1601, NONE, NONE, 232},
    {"em400: frost", &gw_milesight_em400, 85, "0367 9cff", GW_DECODED, GW_HEARTBEAT, NONE, NONE,
     NONE, NONE, -100},
    {"em400: no echo", &gw_milesight_em400, 85, "0482ffff", GW_DECODED, GW_HEARTBEAT, NONE, NONE,
     NONE, NONE, NO_TEMPERATURE},
    {"em400: distance 0 is none", &gw_milesight_em400, 85, "04820000", GW_DECODED, GW_HEARTBEAT,
     NONE, NONE, NONE, NONE, NO_TEMPERATURE},
    {"em400: location is skipped", &gw_milesight_em400, 85, "0688000102030405060708 0482e803",
     GW_DECODED, GW_HEARTBEAT, NONE, 1000, NONE, NONE, NO_TEMPERATURE},
    {"em400: unknown channel after a known one", &gw_milesight_em400, 85, "0482e803 ff0b00",
     GW_DECODED, GW_HEARTBEAT, NONE, 1000, NONE, NONE, NO_TEMPERATURE},
    {"em400: start-up, all unknown", &gw_milesight_em400, 85, "ff0bff ff0101", GW_PASS_OVER, 0, 0,
     0, 0, 0, 0},
    {"em400: cut in a value", &gw_milesight_em400, 85, "0482e8", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"em400: battery of 101 %", &gw_milesight_em400, 85, "017565", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"em400: position 2", &gw_milesight_em400, 85, "050002", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"em400: one byte", &gw_milesight_em400, 85, "04", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
    {"em400: nothing", &gw_milesight_em400, 85, "", GW_MALFORMED, 0, 0, 0, 0, 0, 0},
};

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = 0;
    for (const char *at = hex; *at != '\0'; at += 2) {
        char *end, two[3];
        at += *at == ' ';
        memcpy(two, at, 2);
        two[2] = '\0';
        unsigned long byte = strtoul(two, &end, 16);
        assert_ptr_equal(end, two + 2);
        out[len++] = (uint8_t)byte;
    }
    return len;
}

static void payloads_as_in_the_makers_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        uint8_t bytes[64];
        size_t len = unhex(payloads[i].hex, bytes);
        uint8_t *exact = malloc(len == 0 ? 1 : len); /* a sanitizer sees one byte too many */
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        struct gw_event event = gw_event_none();
        enum gw_verdict verdict = payloads[i].model->decode(payloads[i].port, exact, len, &event);
        free(exact);
        if (verdict != payloads[i].verdict)
            fail_msg("%s: verdict %d", payloads[i].what, verdict);
        if (verdict != GW_DECODED)
            continue;
        if (event.kind != payloads[i].kind || event.occupied != payloads[i].occupied ||
            event.distance_mm != payloads[i].distance_mm ||
            event.battery_pct != payloads[i].battery_pct ||
            event.battery_mv != payloads[i].battery_mv ||
            event.temperature_dc != payloads[i].temperature_dc)
            fail_msg("%s: kind %d occupied %d distance %d battery %d%% %d mV temperature %d",
                     payloads[i].what, event.kind, event.occupied, event.distance_mm,
                     event.battery_pct, event.battery_mv, event.temperature_dc);
    }
}

static void models_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(gw_model_named("bosch_tps110"), &gw_bosch_tps110);
    assert_ptr_equal(gw_model_named("milesight_em400"), &gw_milesight_em400);
    assert_null(gw_model_named("bosch"));
}

static void base64_is_strict(void **state)
{
    static const struct {
        const char *text;
        int len;
        const char *bytes;
    } rows[] = {
        {"", 0, ""},
        {"AQ==", 1, "\1"},
        {"ARI=", 2, "\1\x12"},
        {"YWJj", 3, "abc"},
        {"+/+/", 3, "\xfb\xff\xbf"},
        {"A", -1, NULL},
        {"AQ=", -1, NULL},
        {"=AQ=", -1, NULL},
        {"A===", -1, NULL},
        {"AQ=A", -1, NULL},
        {"A Q=", -1, NULL},
        {"-_-_", -1, NULL},
        {"AQ==AQ==", -1, NULL},
        {"YWJjZA==", -1, NULL /* no room */},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t out[3];
        int len = gw_base64(rows[i].text, out, sizeof out);
        if (len != rows[i].len || (len > 0 && memcmp(out, rows[i].bytes, (size_t)len) != 0))
            fail_msg("base64 of \"%s\": %d", rows[i].text, len);
    }
}

/* ---- ChirpStack ----------------------------------------------------------------------------- */
static void chirpstack_topics(void **state)
{
    static const struct {
        const char *topic, *eui, *event; /* eui NULL: none of ours */
    } rows[] = {
        {"application/ca739e26-7b67-4f14-b69e-d568c22a5a75/device/1000000000000001/event/up",
         "1000000000000001", "up"},
        {"application/7/device/0004A30B001C0530/event/status", "0004a30b001c0530", "status"},
        {"application/7/device/0004a30b001c0530/event/up/more", NULL, NULL},
        {"application/7/device/0004a30b001c0530/command/down", NULL, NULL},
        {"application/7/device//event/up", NULL, NULL},
        {"application/7/device/0004a30b001c0530/event/", NULL, NULL},
        {"application//device/0004a30b001c0530/event/up", NULL, NULL},
        {"application/7/gateway/0004a30b001c0530/event/up", NULL, NULL},
        {"application", NULL, NULL},
        {"", NULL, NULL},
        {"applications/7/device/0004a30b001c0530/event/up", NULL, NULL},
        {"application/7/device/0123456789012345678901234567890123456789/event/up", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char eui[GW_DEVICE_NAME_MAX] = "", event[16] = "";
        int fault = gw_chirpstack_topic(rows[i].topic, eui, sizeof eui, event, sizeof event);
        if (fault != (rows[i].eui == NULL ? -1 : 0))
            fail_msg("%s: %d", rows[i].topic, fault);
        if (rows[i].eui != NULL) {
            assert_string_equal(eui, rows[i].eui);
            assert_string_equal(event, rows[i].event);
        }
    }
}

#define UP(members)                                                                                \
    "{\"deduplicationId\":\"57433366-50a6\",\"time\":\"2023-05-22T07:47:05.404859+00:00\","        \
    "\"deviceInfo\":{\"devEui\":\"1000000000000001\"}," members "}"

static void chirpstack_envelopes(void **state)
{
    static const struct {
        const char *what, *event, *body;
        enum gw_verdict verdict;
        enum gw_kind kind;
        int occupied, battery_pct;
    } rows[] = {
        {"a heartbeat", "up", UP("\"fCnt\":4,\"fPort\":2,\"data\":\"ARI=\""), GW_DECODED,
         GW_HEARTBEAT, 1, NONE},
        {"no data: an answer to the network", "up", UP("\"fPort\":0"), GW_PASS_OVER, 0, 0, 0},
        {"empty data", "up", UP("\"fPort\":2,\"data\":\"\""), GW_PASS_OVER, 0, 0, 0},
        {"data without a port", "up", UP("\"data\":\"ARI=\""), GW_MALFORMED, 0, 0, 0},
        {"data that is no base64", "up", UP("\"fPort\":2,\"data\":\"A!I=\""), GW_MALFORMED, 0, 0,
         0},
        {"data that is a number", "up", UP("\"fPort\":2,\"data\":7"), GW_MALFORMED, 0, 0, 0},
        {"a port as a string", "up", UP("\"fPort\":\"2\",\"data\":\"ARI=\""), GW_MALFORMED, 0, 0,
         0},
        {"a port past 255", "up", UP("\"fPort\":258,\"data\":\"ARI=\""), GW_MALFORMED, 0, 0, 0},
        {"battery", "status", UP("\"margin\":10,\"batteryLevel\":88.3"), GW_DECODED, GW_STATUS,
         NONE, 88},
        {"battery unavailable", "status", UP("\"batteryLevelUnavailable\":true,\"batteryLevel\":0"),
         GW_PASS_OVER, 0, 0, 0},
        {"mains", "status", UP("\"externalPowerSource\":true,\"batteryLevel\":0"), GW_PASS_OVER, 0,
         0, 0},
        {"battery of 254", "status", UP("\"batteryLevel\":254"), GW_MALFORMED, 0, 0, 0},
        {"join", "join", UP("\"devAddr\":\"00189440\""), GW_PASS_OVER, 0, 0, 0},
        {"an array", "up", "[1]", GW_MALFORMED, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_event event = gw_event_none();
        memcpy(event.device, "1000000000000001", 17);
        cJSON *body = cJSON_Parse(rows[i].body);
        assert_non_null(body);
        enum gw_verdict verdict =
            gw_chirpstack_decode(rows[i].event, body, &gw_bosch_tps110, &event);
        cJSON_Delete(body);
        if (verdict != rows[i].verdict)
            fail_msg("%s: verdict %d", rows[i].what, verdict);
        if (verdict != GW_DECODED)
            continue;
        if (event.kind != rows[i].kind || event.occupied != rows[i].occupied ||
            event.battery_pct != rows[i].battery_pct)
            fail_msg("%s: kind %d occupied %d battery %d", rows[i].what, event.kind, event.occupied,
                     event.battery_pct);
        assert_int_equal(event.device_ms, 1684741625404);
        assert_true(event.digest != 0 && !event.identity_differs);
    }
}

/* The topic says which device it is; that the payload says otherwise is noted. */
static void chirpstack_trusts_the_topic(void **state)
{
    struct gw_event event = gw_event_none();
    (void)state;
    memcpy(event.device, "1000000000000002", 17);
    cJSON *body = cJSON_Parse(UP("\"fPort\":1,\"data\":\"AQ==\""));
    assert_int_equal(gw_chirpstack_decode("up", body, &gw_bosch_tps110, &event), GW_DECODED);
    cJSON_Delete(body);
    assert_true(event.identity_differs);
    assert_string_equal(event.device, "1000000000000002");
}

/* ---- 臻识 ------------------------------------------------------------------------------------- */
static void vz_topics(void **state)
{
    static const struct {
        const char *topic, *sn, *name; /* sn NULL: none of ours */
        enum gw_vz_form form;
        bool reply;
    } rows[] = {
        {"device/265e1040-85e01fb7/message/up/ivs_result", "265e1040-85e01fb7", "ivs_result",
         GW_VZ_DEVICE_FIRST, false},
        {"265e1040-85e01fb7/device/message/up/keep_alive", "265e1040-85e01fb7", "keep_alive",
         GW_VZ_SN_FIRST, false},
        {"device/265e1040-85e01fb7/message/down/gpio_out/reply", "265e1040-85e01fb7", "gpio_out",
         GW_VZ_DEVICE_FIRST, true},
        {"265e1040-85e01fb7/device/message/down/white_list_operator/reply", "265e1040-85e01fb7",
         "white_list_operator", GW_VZ_SN_FIRST, true},
        {"device/265e1040-85e01fb7/message/down/gpio_out", NULL, NULL, 0, false},
        {"device/265e1040-85e01fb7/message/up/ivs_result/more", NULL, NULL, 0, false},
        {"device/265e1040-85e01fb7/message/up/", NULL, NULL, 0, false},
        {"device//message/up/ivs_result", NULL, NULL, 0, false},
        {"device/message/up/ivs_result", NULL, NULL, 0, false},
        {"/device/push/result", NULL, NULL, 0, false},
        {"device/device/message/up/keep_alive", "device", "keep_alive", GW_VZ_DEVICE_FIRST, false},
        {"device/0123456789012345678901234567890123456789/message/up/keep_alive", NULL, NULL, 0,
         false},
        {"", NULL, NULL, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_vz_topic topic;
        int fault = gw_vz_topic(rows[i].topic, &topic);
        if (fault != (rows[i].sn == NULL ? -1 : 0))
            fail_msg("%s: %d", rows[i].topic, fault);
        if (rows[i].sn == NULL)
            continue;
        assert_string_equal(topic.sn, rows[i].sn);
        assert_string_equal(topic.name, rows[i].name);
        assert_int_equal(topic.form, rows[i].form);
        assert_int_equal(topic.reply, rows[i].reply);
    }
}

#define PLATE(envelope, plate)                                                                     \
    "{\"id\":\"iUA4\"," envelope                                                                   \
    "\"payload\":{\"AlarmInfoPlate\":{\"serialno\":\"265e1040-85e01fb7\","                         \
    "\"result\":{\"PlateResult\":{" plate "}}}}}"
#define ENVELOPE "\"sn\":\"265e1040-85e01fb7\",\"timestamp\":1628670620,"
#define TIMEVAL ",\"timeStamp\":{\"Timeval\":{\"sec\":1628670619,\"usec\":539956}}"

static void vz_plates(void **state)
{
    static const struct {
        const char *what, *body;
        enum gw_verdict verdict;
        const char *plate;
        int64_t device_ms;
        bool replay, differs;
    } rows[] = {
        {"a plate",
         PLATE(ENVELOPE, "\"license\":\"6LWjR1o3UzEz\",\"confidence\":97,\"isoffline\":0" TIMEVAL),
         GW_DECODED, "赣GZ7S13", 1628670619539, false, false},
        {"only the envelope's time", PLATE(ENVELOPE, "\"license\":\"6LWjR1o3UzEz\""), GW_DECODED,
         "赣GZ7S13", 1628670620000, false, false},
        {"offline", PLATE(ENVELOPE, "\"license\":\"6LWjR1o3UzEz\",\"isoffline\":1" TIMEVAL),
         GW_DECODED, "赣GZ7S13", 1628670619539, true, false},
        {"sent 61 s after the picture",
         PLATE("\"sn\":\"265e1040-85e01fb7\",\"timestamp\":1628670681,",
               "\"license\":\"6LWjR1o3UzEz\",\"isoffline\":0" TIMEVAL),
         GW_DECODED, "赣GZ7S13", 1628670619539, true, false},
        {"another sn in the envelope",
         PLATE("\"sn\":\"8fcd1c4e-20ca9ecb\",", "\"license\":\"6LWjR1o3UzEz\""), GW_DECODED,
         "赣GZ7S13", 0, false, true},
        {"no plate on the car", PLATE(ENVELOPE, "\"license\":\"X+aXoF8=\""), GW_DECODED, "_无_",
         1628670620000, false, false},
        {"an empty plate", PLATE(ENVELOPE, "\"license\":\"\""), GW_DECODED, "", 1628670620000,
         false, false},
        {"plain UTF-8 instead of base64", PLATE(ENVELOPE, "\"license\":\"赣GZ7S13\""), GW_MALFORMED,
         NULL, 0, false, false},
        {"a NUL in the plate", PLATE(ENVELOPE, "\"license\":\"AAAA\""), GW_MALFORMED, NULL, 0,
         false, false},
        {"a plate of 33 bytes",
         PLATE(ENVELOPE, "\"license\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\""),
         GW_MALFORMED, NULL, 0, false, false},
        {"no license", PLATE(ENVELOPE, "\"confidence\":97"), GW_MALFORMED, NULL, 0, false, false},
        {"no result", "{\"payload\":{}}", GW_MALFORMED, NULL, 0, false, false},
        {"a string", "\"ivs_result\"", GW_MALFORMED, NULL, 0, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gw_event event = gw_event_none();
        memcpy(event.device, "265e1040-85e01fb7", 18);
        cJSON *body = cJSON_Parse(rows[i].body);
        if (body == NULL)
            fail_msg("%s: no JSON", rows[i].what);
        enum gw_verdict verdict = gw_vz_decode("ivs_result", body, &event);
        cJSON_Delete(body);
        if (verdict != rows[i].verdict)
            fail_msg("%s: verdict %d", rows[i].what, verdict);
        if (verdict != GW_DECODED)
            continue;
        if (strcmp(event.plate, rows[i].plate) != 0 || event.device_ms != rows[i].device_ms ||
            event.replay != rows[i].replay || event.identity_differs != rows[i].differs)
            fail_msg("%s: %s at %lld replay %d differs %d", rows[i].what, event.plate,
                     (long long)event.device_ms, event.replay, event.identity_differs);
    }
}

static struct gw_event vz_event(const char *name, const char *text)
{
    struct gw_event event = gw_event_none();
    memcpy(event.device, "265e1040-85e01fb7", 18);
    cJSON *body = cJSON_Parse(text);
    assert_int_equal(gw_vz_decode(name, body, &event), GW_DECODED);
    cJSON_Delete(body);
    return event;
}

static void vz_says_more_than_plates(void **state)
{
    (void)state;
    struct gw_event event =
        vz_event("gpio_in", "{\"payload\":{\"body\":{\"AlarmGioIn\":{\"result\":{\"TriggerResult\":"
                            "{\"source\":0,\"value\":1}}}}}}");
    assert_int_equal(event.kind, GW_GATE);
    assert_int_equal(event.occupied, 1);
    event = vz_event("barr_gate_status", "{\"payload\":{\"body\":{\"gate_status\":2}}}");
    assert_int_equal(event.gate_state, 2);
    assert_int_equal(event.occupied, -1);
    assert_int_equal(vz_event("keep_alive", "{\"payload\":{}}").kind, GW_ALIVE);
    event = gw_event_none();
    cJSON *body = cJSON_Parse("{}");
    assert_int_equal(gw_vz_decode("snapshot", body, &event), GW_PASS_OVER);
    assert_int_equal(gw_vz_decode("gpio_in", body, &event), GW_MALFORMED);
    cJSON_Delete(body);
}

/* The same record sent again has the same digest; another car does not. */
static void vz_records_are_told_apart(void **state)
{
    (void)state;
    const char *first = PLATE(ENVELOPE, "\"license\":\"6LWjR1o3UzEz\",\"plateid\":7" TIMEVAL);
    const char *again = PLATE("\"sn\":\"265e1040-85e01fb7\",\"timestamp\":1628670999,",
                              "\"license\":\"6LWjR1o3UzEz\",\"plateid\":7,\"isoffline\":1" TIMEVAL);
    const char *other = PLATE(ENVELOPE, "\"license\":\"6LWjR1o3UzEz\",\"plateid\":8" TIMEVAL);
    uint64_t digest = vz_event("ivs_result", first).digest;
    assert_true(digest == vz_event("ivs_result", again).digest);
    assert_true(digest != vz_event("ivs_result", other).digest);
}

static void vz_is_told(void **state)
{
    char out[1024], topic[128];
    struct gw_vz_reply reply = {.code = 0};
    (void)state;
    assert_true(gw_vz_down_topic(topic, sizeof topic, GW_VZ_DEVICE_FIRST, "sn1", "gpio_out") > 0);
    assert_string_equal(topic, "device/sn1/message/down/gpio_out");
    assert_true(gw_vz_down_topic(topic, sizeof topic, GW_VZ_SN_FIRST, "sn1", "gpio_out") > 0);
    assert_string_equal(topic, "sn1/device/message/down/gpio_out");
    assert_int_equal(gw_vz_down_topic(topic, 8, GW_VZ_SN_FIRST, "sn1", "gpio_out"), 0);
    assert_true(gw_vz_gpio_out(out, sizeof out, "sn1", "p-1", 1628670619, 1, 500) > 0);
    assert_string_equal(out,
                        "{\"id\":\"p-1\",\"sn\":\"sn1\",\"name\":\"gpio_out\",\"version\":\"1.0\","
                        "\"timestamp\":1628670619,\"payload\":{\"type\":\"gpio_out\",\"body\":"
                        "{\"io\":1,\"value\":2,\"delay\":500}}}");
    /* 1558346400000 is 2019-05-20T10:00Z, 18:00 in China. */
    assert_true(gw_vz_list_put(out, sizeof out, "sn1", "w-1", 7, "add", "浙F12345", 1558346400000,
                               1558349940000, 480) > 0);
    assert_non_null(strstr(out, "\"operator_type\":\"add\""));
    assert_non_null(strstr(out, "\"plate\":\"浙F12345\",\"enable\":1"));
    assert_non_null(strstr(out, "\"enable_time\":\"2019-05-20 18:00:00\""));
    assert_non_null(strstr(out, "\"overdue_time\":\"2019-05-20 18:59:00\""));
    assert_int_equal(gw_vz_list_put(out, 200, "sn1", "w-1", 7, "add", "浙F12345", 0, 1, 480), 0);
    assert_true(gw_vz_list_delete(out, sizeof out, "sn1", "w-2", 7, "浙F12345") > 0);
    assert_non_null(strstr(out, "\"body\":{\"operator_type\":\"delete\",\"plate\":\"浙F12345\"}"));
    cJSON *body = cJSON_Parse("{\"id\":\"p-1\",\"code\":200}");
    assert_int_equal(gw_vz_reply(body, &reply), 0);
    cJSON_Delete(body);
    assert_string_equal(reply.id, "p-1");
    assert_int_equal(reply.code, 200);
    body = cJSON_Parse("{\"id\":\"p-1\",\"code\":\"200\"}");
    assert_int_equal(gw_vz_reply(body, &reply), -1);
    cJSON_Delete(body);
}

/* ---- the makers' own messages --------------------------------------------------------------- */
static char *read_shared(const char *path, size_t *ret_len)
{
    char whole[512];
    const char *shared = getenv("TIDE_SHARED");
    snprintf(whole, sizeof whole, "%s/data/sensors/%s", shared != NULL ? shared : "../shared",
             path);
    FILE *in = fopen(whole, "rb");
    if (in == NULL)
        return NULL;
    char *text = malloc(GW_JSON_BYTES_MAX + 1);
    assert_non_null(text);
    *ret_len = fread(text, 1, GW_JSON_BYTES_MAX, in);
    text[*ret_len] = '\0';
    fclose(in);
    return text;
}

/* As a message comes in: slim, then cJSON. */
static cJSON *shared_json(const char *path)
{
    static char slim[GW_JSON_SLIM_MAX];
    const char *why = NULL;
    size_t len = 0;
    char *text = read_shared(path, &len);
    if (text == NULL)
        return NULL;
    size_t left = gw_json_slim((const uint8_t *)text, len, slim, sizeof slim, &why);
    free(text);
    if (left == 0)
        fail_msg("%s: %s", path, why);
    cJSON *json = cJSON_ParseWithLength(slim, left);
    assert_non_null(json);
    return json;
}

static void compare(const char *path, const struct gw_event *event, const cJSON *result)
{
    const cJSON *telemetry = cJSON_GetArrayItem(gw_json_at(result, "telemetry"), 0);
    const cJSON *values = gw_json_at(telemetry, "values");
    const cJSON *occupied = gw_json_at(values, "occupied"), *item;
    char text[16] = "";
    int64_t number;
    assert_non_null(values);
    if (occupied != NULL) {
        bool on = cJSON_IsTrue(occupied) ||
                  (gw_json_text(values, "occupied", text, sizeof text) && strcmp(text, "on") == 0);
        if (event->occupied != on)
            fail_msg("%s: occupied %d", path, event->occupied);
    }
    if (gw_json_int(values, "distance", 0, 100000, &number))
        assert_int_equal(event->distance_mm, number);
    if (gw_json_int(values, "battery", 0, 100, &number))
        assert_int_equal(event->battery_pct, number);
    if ((item = gw_json_at(values, "battery_voltage")) != NULL)
        assert_int_equal(event->battery_mv, (int)(item->valuedouble * 1000 + 0.5));
    if ((item = gw_json_at(values, "temperature")) != NULL)
        assert_int_equal(event->temperature_dc, (int)(item->valuedouble * 10 + 0.5));
    assert_int_equal(event->kind == GW_TAMPER,
                     gw_json_text(values, "position", text, sizeof text) &&
                         strcmp(text, "tilt") == 0);
    assert_true(gw_json_int(telemetry, "ts", 0, INT64_C(9007199254740991), &number));
    assert_int_equal(event->device_ms, number);
}

static void the_makers_messages(void **state)
{
    static const struct {
        const char *folder, *suffix;
        const struct gw_model *model;
        enum gw_verdict verdict;
    } rows[] = {
        {"Bosch/Parking_Lot_Sensor", "", &gw_bosch_tps110, GW_DECODED},
        {"Bosch/Parking_Lot_Sensor", "_1", &gw_bosch_tps110, GW_DECODED},
        {"Bosch/Parking_Lot_Sensor", "_2", &gw_bosch_tps110, GW_DECODED},
        {"Netvox/R719A", "", &gw_netvox_r719a, GW_DECODED},
        {"Netvox/R719A", "_1", &gw_netvox_r719a, GW_PASS_OVER},
        {"Milesight/EM400-UDL", "", &gw_milesight_em400, GW_DECODED},
        {"Milesight/EM400-UDL", "_1", &gw_milesight_em400, GW_DECODED},
        {"Milesight/EM400-TLD", "", &gw_milesight_em400, GW_DECODED},
        {"Milesight/EM400-TLD", "_1", &gw_milesight_em400, GW_DECODED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[256];
        struct gw_event event = gw_event_none();
        memcpy(event.device, "1000000000000001", 17);
        snprintf(path, sizeof path, "lorawan/%s/ChirpStack/uplink/payload%s.json", rows[i].folder,
                 rows[i].suffix);
        cJSON *body = shared_json(path);
        if (body == NULL) {
            print_message("the makers' messages are not at hand (TIDE_SHARED)\n");
            skip();
        }
        assert_int_equal(gw_chirpstack_decode("up", body, rows[i].model, &event), rows[i].verdict);
        cJSON_Delete(body);
        if (rows[i].verdict != GW_DECODED)
            continue;
        snprintf(path, sizeof path, "lorawan/%s/ChirpStack/uplink/result%s.json", rows[i].folder,
                 rows[i].suffix);
        cJSON *result = shared_json(path);
        assert_non_null(result);
        compare(path, &event, result);
        cJSON_Delete(result);
    }
}

static void the_cameras_messages(void **state)
{
    struct gw_event event = gw_event_none();
    (void)state;
    memcpy(event.device, "265e1040-85e01fb7", 18);
    cJSON *body = shared_json("plate-camera/vz_ivs_result.json");
    if (body == NULL) {
        print_message("the makers' messages are not at hand (TIDE_SHARED)\n");
        skip();
    }
    assert_int_equal(gw_vz_decode("ivs_result", body, &event), GW_DECODED);
    cJSON_Delete(body);
    assert_string_equal(event.plate, "赣GZ7S13");
    assert_string_equal(event.device, "265e1040-85e01fb7");
    assert_true(event.identity_differs); /* envelope and serialno name two cameras */
    assert_int_equal(event.device_ms, 1628670619539);
    assert_int_equal(event.seq, 594785);
    assert_false(event.replay);
    body = shared_json("plate-camera/vz_gpio_in.json");
    assert_int_equal(gw_vz_decode("gpio_in", body, &event), GW_DECODED);
    cJSON_Delete(body);
    assert_int_equal(event.occupied, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_as_in_the_makers_tables),
        cmocka_unit_test(models_are_found_by_name),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(chirpstack_topics),
        cmocka_unit_test(chirpstack_envelopes),
        cmocka_unit_test(chirpstack_trusts_the_topic),
        cmocka_unit_test(vz_topics),
        cmocka_unit_test(vz_plates),
        cmocka_unit_test(vz_says_more_than_plates),
        cmocka_unit_test(vz_records_are_told_apart),
        cmocka_unit_test(vz_is_told),
        cmocka_unit_test(the_makers_messages),
        cmocka_unit_test(the_cameras_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
