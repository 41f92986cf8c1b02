/* devices.c - see devices.h. */
#include "deploy/demo/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES_MAX 256
#define APPLICATION "71de0000-0000-4000-8000-000000000001"

void demo_camera_sn(int lane, char out[DEMO_DEVICE])
{
    (void)snprintf(out, DEMO_DEVICE, "71de0000-%08x", (unsigned)lane + 1);
}

void demo_sensor_eui(int slot, char out[DEMO_DEVICE])
{
    (void)snprintf(out, DEMO_DEVICE, "71de00000000%04x", (unsigned)slot + 1);
}

static void base64(const uint8_t *in, size_t len, char *out, size_t cap)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < len && at + 4 < cap; i += 3) {
        unsigned long word = (unsigned long)in[i] << 16;
        word |= i + 1 < len ? (unsigned long)in[i + 1] << 8 : 0;
        word |= i + 2 < len ? in[i + 2] : 0;
        out[at++] = letters[word >> 18];
        out[at++] = letters[word >> 12 & 63];
        out[at++] = i + 1 < len ? letters[word >> 6 & 63] : '=';
        out[at++] = i + 2 < len ? letters[word & 63] : '=';
    }
    out[at] = '\0';
}

static size_t fits(int written, size_t cap)
{
    return written > 0 && (size_t)written < cap ? (size_t)written : 0;
}

static size_t camera_topic(char *topic, size_t cap, int lane, const char *tail)
{
    char sn[DEMO_DEVICE];
    demo_camera_sn(lane, sn);
    return fits(snprintf(topic, cap, "device/%s/message/%s", sn, tail), cap);
}

size_t demo_say_plate(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                      const char *plate, uint32_t number, int64_t civil_ms)
{
    char sn[DEMO_DEVICE], license[96];
    demo_camera_sn(lane, sn);
    base64((const uint8_t *)plate, strlen(plate), license, sizeof(license));
    int64_t sec = civil_ms / 1000;
    if (camera_topic(topic, topic_cap, lane, "up/ivs_result") == 0) {
        return 0;
    }
    return fits(
        snprintf(out, cap,
                 "{\"id\":\"%08x%08x\",\"bv\":12378,\"sn\":\"%s\",\"name\":\"ivs_result\","
                 "\"version\":\"1.0\",\"timestamp\":%" PRId64 ",\"payload\":{\"AlarmInfoPlate\":{"
                 "\"channel\":0,\"deviceName\":\"lane %d\",\"ipaddr\":\"192.0.2.%d\",\"result\":{"
                 "\"PlateResult\":{\"bright\":0,\"carColor\":0,\"colorType\":1,\"confidence\":97,"
                 "\"direction\":0,\"imagePath\":\"\",\"isoffline\":0,\"is_fake_plate\":0,"
                 "\"license\":\"%s\",\"location\":{\"RECT\":{\"bottom\":555,\"left\":954,"
                 "\"right\":1109,\"top\":502}},\"plateid\":%" PRIu32 ",\"timeStamp\":{\"Timeval\":{"
                 "\"sec\":%" PRId64 ",\"usec\":%d}},\"triggerType\":2,\"type\":1}},"
                 "\"serialno\":\"%s\",\"user_data\":\"\"}}}",
                 (unsigned)lane, (unsigned)number, sn, sec, lane, lane + 1, license, number, sec,
                 (int)(civil_ms % 1000) * 1000, sn),
        cap);
}

size_t demo_say_alive(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                      int64_t civil_ms)
{
    char sn[DEMO_DEVICE];
    demo_camera_sn(lane, sn);
    if (camera_topic(topic, topic_cap, lane, "up/keep_alive") == 0) {
        return 0;
    }
    return fits(snprintf(out, cap,
                         "{\"id\":\"alive\",\"sn\":\"%s\",\"name\":\"keep_alive\",\"version\":"
                         "\"1.0\",\"timestamp\":%" PRId64 ",\"payload\":{\"body\":{}}}",
                         sn, civil_ms / 1000),
                cap);
}

size_t demo_say_done(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                     const char *name, const char *id, int64_t civil_ms)
{
    char sn[DEMO_DEVICE], tail[64];
    demo_camera_sn(lane, sn);
    (void)snprintf(tail, sizeof(tail), "down/%s/reply", name);
    if (camera_topic(topic, topic_cap, lane, tail) == 0) {
        return 0;
    }
    return fits(snprintf(out, cap,
                         "{\"id\":\"%s\",\"sn\":\"%s\",\"name\":\"%s\",\"version\":\"1.0\","
                         "\"timestamp\":%" PRId64 ",\"code\":200,\"payload\":{}}",
                         id, sn, name, civil_ms / 1000),
                cap);
}

size_t demo_say_slot(char *topic, size_t topic_cap, char *out, size_t cap, int slot, bool occupied,
                     bool heartbeat, uint32_t count, int64_t civil_ms)
{
    char eui[DEMO_DEVICE], data[16], when[40];
    demo_sensor_eui(slot, eui);
    uint8_t bytes[2] = {occupied, 18}; /* state; a heartbeat adds degrees Celsius */
    base64(bytes, heartbeat ? 2 : 1, data, sizeof(data));
    time_t sec = (time_t)(civil_ms / 1000);
    struct tm parts = {0};
    (void)gmtime_r(&sec, &parts);
    if (strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &parts) == 0 ||
        fits(snprintf(topic, topic_cap, "application/%s/device/%s/event/up", APPLICATION, eui),
             topic_cap) == 0) {
        return 0;
    }
    return fits(
        snprintf(out, cap,
                 "{\"deduplicationId\":\"%s-%08x\",\"time\":\"%s.%03d+00:00\",\"deviceInfo\":{"
                 "\"tenantName\":\"Tide\",\"applicationId\":\"" APPLICATION "\","
                 "\"deviceProfileName\":\"TPS110\",\"devEui\":\"%s\",\"tags\":{}},\"devAddr\":"
                 "\"2%07x\",\"adr\":true,\"dr\":5,\"fCnt\":%u,\"fPort\":%d,\"confirmed\":false,"
                 "\"data\":\"%s\",\"rxInfo\":[{\"gatewayId\":\"71de000000000000\",\"rssi\":-71,"
                 "\"snr\":9.5}],\"txInfo\":{\"frequency\":486300000}}",
                 eui, (unsigned)count, when, (int)(civil_ms % 1000), eui, (unsigned)slot + 1,
                 (unsigned)count, heartbeat ? 2 : 1, data),
        cap);
}

int demo_heard_lane(const char *topic, char *ret_name, size_t cap)
{
    static const char head[] = "device/71de0000-", middle[] = "/message/down/";
    char *end = NULL;
    if (strncmp(topic, head, sizeof(head) - 1) != 0) {
        return -1;
    }
    unsigned long number = strtoul(topic + sizeof(head) - 1, &end, 16);
    if (number == 0 || number > LANES_MAX || strncmp(end, middle, sizeof(middle) - 1) != 0) {
        return -1;
    }
    const char *name = end + sizeof(middle) - 1;
    if (strchr(name, '/') != NULL) {
        return -1; /* an answer, our own */
    }
    (void)snprintf(ret_name, cap, "%s", name);
    return (int)number - 1;
}
