/* vz.c - 臻识 plate cameras, what they say.
 *
 *   device/{sn}/message/up/ivs_result        a plate: payload.AlarmInfoPlate.result.PlateResult
 *   device/{sn}/message/up/keep_alive        every 10 s
 *   device/{sn}/message/up/gpio_in           a loop or a button: payload.body.AlarmGioIn
 *   device/{sn}/message/up/barr_gate_status  the arm: payload.body.gate_status
 *   device/{sn}/message/down/{name}/reply    the answer to what we sent: id, code (200 is good)
 *
 * Some firmware writes {sn}/device/message/... instead. `license` is base64 of UTF-8 (as is
 * user_data); "_无_" stands for no plate. The topic's sn, the envelope's sn and the payload's
 * serialno may all differ, as may the two times: the topic counts, and of the times the one of the
 * picture (Timeval), since the envelope's says when an offline record was sent.
 */
#include <stdio.h>
#include <string.h>

#include "clients/gateway/decoder.h"

/* By the camera's own clock: what it sends so long after the picture is history. */
#define SENT_LATE_MS 60000

/* ---- topics --------------------------------------------------------------------------------- */
static const struct {
    enum gw_vz_form form;
    const char *before, *between; /* around the serial number */
} forms[] = {
    {GW_VZ_DEVICE_FIRST, "device/", "/message/"},
    {GW_VZ_SN_FIRST, "", "/device/message/"},
};

static int topic_tail(const char *at, struct gw_vz_topic *ret)
{
    bool up = strncmp(at, "up/", 3) == 0;
    if (!up && strncmp(at, "down/", 5) != 0)
        return -1;
    at += up ? 3 : 5;
    size_t len = strcspn(at, "/");
    if (len == 0 || len >= sizeof ret->name)
        return -1;
    memcpy(ret->name, at, len);
    ret->name[len] = '\0';
    ret->reply = !up;
    return strcmp(at + len, up ? "" : "/reply") == 0 ? 0 : -1;
}

int gw_vz_topic(const char *topic, struct gw_vz_topic *ret)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct gw_vz_topic made = {.form = forms[i].form};
        size_t head = strlen(forms[i].before), middle = strlen(forms[i].between);
        if (strncmp(topic, forms[i].before, head) != 0)
            continue;
        size_t len = strcspn(topic + head, "/");
        if (len == 0 || len >= sizeof made.sn ||
            strncmp(topic + head + len, forms[i].between, middle) != 0)
            continue;
        memcpy(made.sn, topic + head, len);
        if (topic_tail(topic + head + len + middle, &made) != 0)
            continue;
        *ret = made;
        return 0;
    }
    return -1;
}

/* ---- what they say -------------------------------------------------------------------------- */
static bool take_license(const cJSON *plate, struct gw_event *ret)
{
    char text[64];
    uint8_t bytes[GW_PLATE_CAP - 1];
    if (!gw_json_text(plate, "license", text, sizeof text))
        return false;
    int len = gw_base64(text, bytes, sizeof bytes);
    if (len < 0 || memchr(bytes, '\0', (size_t)len) != NULL)
        return false;
    memcpy(ret->plate, bytes, (size_t)len);
    ret->plate[len] = '\0';
    return true;
}

static enum gw_verdict decode_plate(const cJSON *body, struct gw_event *ret)
{
    const cJSON *plate = gw_json_at(body, "payload.AlarmInfoPlate.result.PlateResult");
    int64_t value = 0, micro = 0;
    char key[160], id[64] = "", serial[GW_DEVICE_NAME_MAX];
    if (!cJSON_IsObject(plate) || !take_license(plate, ret))
        return GW_MALFORMED;
    ret->kind = GW_PLATE;
    if (gw_json_int(plate, "confidence", 0, 100, &value))
        ret->confidence = (int)value;
    if (gw_json_int(plate, "triggerType", 0, 1000, &value))
        ret->trigger = (int)value;
    if (gw_json_int(plate, "plateid", 0, UINT32_MAX, &value))
        ret->seq = (uint32_t)value;
    ret->replay = gw_json_flag(plate, "isoffline");
    if (gw_json_int(plate, "timeStamp.Timeval.sec", 1, 253402300799, &value)) {
        (void)gw_json_int(plate, "timeStamp.Timeval.usec", 0, 999999, &micro);
        int64_t seen_ms = value * 1000 + micro / 1000;
        ret->replay |= ret->device_ms - seen_ms > SENT_LATE_MS;
        ret->device_ms = seen_ms;
    }
    if (gw_json_text(body, "payload.AlarmInfoPlate.serialno", serial, sizeof serial))
        ret->identity_differs |= strcmp(serial, ret->device) != 0;
    /* The message's own id repeats on a re-delivery; an offline record has a new one. */
    (void)gw_json_text(body, "id", id, sizeof id);
    snprintf(key, sizeof key, "%s/%u/%lld/%s", ret->device, ret->seq, (long long)ret->device_ms,
             ret->seq == 0 && ret->device_ms == 0 ? id : ret->plate);
    ret->digest = gw_digest(key);
    return GW_DECODED;
}

static enum gw_verdict decode_loop(const cJSON *body, struct gw_event *ret)
{
    int64_t value = 0, source = 0;
    ret->kind = GW_GATE;
    if (!gw_json_int(body, "payload.body.AlarmGioIn.result.TriggerResult.value", 0, 255, &value))
        return GW_MALFORMED;
    (void)gw_json_int(body, "payload.body.AlarmGioIn.result.TriggerResult.source", 0, 255, &source);
    ret->occupied = value == 1;
    ret->gate_state = (int)source;
    return GW_DECODED;
}

static enum gw_verdict decode_arm(const cJSON *body, struct gw_event *ret)
{
    int64_t value = 0;
    ret->kind = GW_GATE;
    if (!gw_json_int(body, "payload.body.gate_status", -1, 255, &value))
        return GW_MALFORMED;
    ret->gate_state = (int)value;
    return GW_DECODED;
}

static enum gw_verdict decode_alive(const cJSON *body, struct gw_event *ret)
{
    (void)body;
    ret->kind = GW_ALIVE;
    return GW_DECODED;
}

static const struct {
    const char *name;
    enum gw_verdict (*decode)(const cJSON *body, struct gw_event *ret);
} ups[] = {
    {"ivs_result", decode_plate},
    {"gpio_in", decode_loop},
    {"barr_gate_status", decode_arm},
    {"keep_alive", decode_alive},
};

enum gw_verdict gw_vz_decode(const char *name, const cJSON *body, struct gw_event *ret)
{
    struct gw_event made = *ret;
    char serial[GW_DEVICE_NAME_MAX];
    int64_t seconds = 0;
    if (!cJSON_IsObject(body))
        return GW_MALFORMED;
    if (gw_json_text(body, "sn", serial, sizeof serial))
        made.identity_differs = strcmp(serial, made.device) != 0;
    if (gw_json_int(body, "timestamp", 1, 253402300799, &seconds))
        made.device_ms = seconds * 1000;
    for (size_t i = 0; i < sizeof ups / sizeof *ups; i++) {
        if (strcmp(ups[i].name, name) != 0)
            continue;
        enum gw_verdict verdict = ups[i].decode(body, &made);
        if (verdict == GW_DECODED)
            *ret = made;
        return verdict;
    }
    return GW_PASS_OVER;
}

int gw_vz_reply(const cJSON *body, struct gw_vz_reply *ret)
{
    struct gw_vz_reply made;
    int64_t code = 0;
    if (!gw_json_text(body, "id", made.id, sizeof made.id) ||
        !gw_json_int(body, "code", -1, 100000, &code))
        return -1;
    made.code = (int)code;
    *ret = made;
    return 0;
}
