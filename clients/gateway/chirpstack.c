/* chirpstack.c - the envelope of ChirpStack v4's MQTT integration.
 *
 *   topic  application/{uuid}/device/{devEui}/event/{up|status|join|...}
 *   up     deduplicationId, time, deviceInfo.devEui, fCnt, fPort, data (base64 of the payload)
 *   status deduplicationId, batteryLevel (percent), externalPowerSource, batteryLevelUnavailable
 *
 * The topic says which device it is: the broker's rules cover topics, not payloads. Version 3 has
 * the same topic and the same fPort and data, but no deduplicationId.
 */
#include <string.h>

#include "clients/gateway/decoder.h"
#include "protocol/codec.h"

#define PAYLOAD_BYTES_MAX 256

/* The part of topic at `at` up to the next '/', lower-cased hex or not as wanted. */
static const char *part(const char *at, char *out, size_t cap)
{
    size_t len = strcspn(at, "/");
    if (len == 0 || len >= cap)
        return NULL;
    memcpy(out, at, len);
    out[len] = '\0';
    return at[len] == '/' ? at + len + 1 : at + len;
}

int gw_chirpstack_topic(const char *topic, char *ret_eui, size_t eui_cap, char *ret_event,
                        size_t event_cap)
{
    char word[64], eui[GW_DEVICE_NAME_MAX], event[16];
    const char *at = part(topic, word, sizeof word);
    if (at == NULL || strcmp(word, "application") != 0)
        return -1;
    at = part(at, word, sizeof word); /* the application's id */
    if (at == NULL || (at = part(at, word, sizeof word)) == NULL || strcmp(word, "device") != 0)
        return -1;
    if ((at = part(at, eui, sizeof eui)) == NULL)
        return -1;
    if ((at = part(at, word, sizeof word)) == NULL || strcmp(word, "event") != 0)
        return -1;
    if ((at = part(at, event, sizeof event)) == NULL || *at != '\0')
        return -1;
    if (strlen(eui) >= eui_cap || strlen(event) >= event_cap)
        return -1;
    for (char *c = eui; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    memcpy(ret_eui, eui, strlen(eui) + 1);
    memcpy(ret_event, event, strlen(event) + 1);
    return 0;
}

static int64_t time_of(const cJSON *body)
{
    char text[48];
    int64_t ms = 0;
    if (!gw_json_text(body, "time", text, sizeof text) ||
        tide_time_parse(text, strlen(text), &ms) != 0)
        return 0;
    return ms;
}

static enum gw_verdict decode_status(const cJSON *body, struct gw_event *ret)
{
    const cJSON *level = gw_json_at(body, "batteryLevel");
    ret->kind = GW_STATUS;
    if (!cJSON_IsNumber(level) || gw_json_flag(body, "batteryLevelUnavailable") ||
        gw_json_flag(body, "externalPowerSource"))
        return GW_PASS_OVER;
    if (!(level->valuedouble >= 0 && level->valuedouble <= 100))
        return GW_MALFORMED;
    ret->battery_pct = (int)(level->valuedouble + 0.5);
    return GW_DECODED;
}

static enum gw_verdict decode_up(const cJSON *body, const struct gw_model *model,
                                 struct gw_event *ret)
{
    char data[GW_JSON_STRING_MAX + 1];
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    int64_t port = 0, count = 0;
    const cJSON *item = gw_json_at(body, "data");
    if (item == NULL || cJSON_IsNull(item))
        return GW_PASS_OVER; /* an empty uplink only answers the network */
    if (!gw_json_text(body, "data", data, sizeof data))
        return GW_MALFORMED;
    if (data[0] == '\0')
        return GW_PASS_OVER;
    if (!gw_json_int(body, "fPort", 0, 255, &port))
        return GW_MALFORMED;
    int len = gw_base64(data, bytes, sizeof bytes);
    if (len < 0)
        return GW_MALFORMED;
    if (gw_json_int(body, "fCnt", 0, UINT32_MAX, &count))
        ret->seq = (uint32_t)count;
    return model->decode((unsigned)port, bytes, (size_t)len, ret);
}

enum gw_verdict gw_chirpstack_decode(const char *event, const cJSON *body,
                                     const struct gw_model *model, struct gw_event *ret)
{
    char key[80], eui[GW_DEVICE_NAME_MAX];
    struct gw_event made = *ret;
    if (!cJSON_IsObject(body))
        return GW_MALFORMED;
    made.device_ms = time_of(body);
    if (gw_json_text(body, "deduplicationId", key, sizeof key))
        made.digest = gw_digest(key);
    if (gw_json_text(body, "deviceInfo.devEui", eui, sizeof eui))
        made.identity_differs = strcasecmp(eui, made.device) != 0;
    enum gw_verdict verdict = GW_PASS_OVER;
    if (strcmp(event, "up") == 0)
        verdict = decode_up(body, model, &made);
    else if (strcmp(event, "status") == 0)
        verdict = decode_status(body, &made);
    if (verdict == GW_DECODED)
        *ret = made;
    return verdict;
}
