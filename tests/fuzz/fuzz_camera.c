/* fuzz_camera.c - what a plate camera says: its topic in the first line, then the body.
 *
 * Properties as for sensors; and the plate that the gateway makes of it, with its time, is a fact
 * that the daemon takes. */
#include <stdio.h>
#include <string.h>

#include "clients/gateway/decoder.h"
#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static void check_fact(const struct gw_event *event)
{
    char plate[GW_PLATE_CAP] = "", quoted[2 * GW_PLATE_CAP + 2], at[48], body[400];
    if (tide_plate_normalise(event->plate, strlen(event->plate), plate, sizeof plate) < 0)
        plate[0] = '\0';
    if (gw_json_quote(quoted, sizeof quoted, plate) == 0)
        fuzz_fail("a plate fits");
    bool timed = event->device_ms > 0 && tide_time_format(at, sizeof at, event->device_ms, 480) > 0;
    snprintf(body, sizeof body, "{\"boot\":1,\"seq\":1,\"lane\":\"G1-in\",\"plate\":%s%s%s%s}",
             quoted, timed ? ",\"at\":\"" : "", timed ? at : "", timed ? "\"" : "");
    struct engine_event out;
    struct tide_fault fault;
    fuzz_names_reset();
    if (tide_decode_fact("plate", (const uint8_t *)body, strlen(body), fuzz_names(), 480, &out,
                         &fault) != 0) {
        fprintf(stderr, "%s: %s at %s\n", body, fault.what, fault.path);
        fuzz_fail("the daemon takes what the gateway makes");
    }
}

static void check_event(const struct gw_event *event)
{
    if (strnlen(event->plate, sizeof event->plate) == sizeof event->plate ||
        event->confidence < -1 || event->confidence > 100 || event->device_ms < 0)
        fuzz_fail("what was read lies within its ranges");
    if (event->kind == GW_PLATE)
        check_fact(event);
    else if (event->kind != GW_GATE && event->kind != GW_ALIVE)
        fuzz_fail("a camera says what cameras say");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    char text[160] = "";
    struct gw_vz_topic topic;
    if (end == NULL || (size_t)(end - data) >= sizeof text)
        return 0;
    memcpy(text, data, (size_t)(end - data));
    if (gw_vz_topic(text, &topic) != 0)
        return 0;
    if (topic.sn[0] == '\0' || strpbrk(topic.sn, "/") != NULL || strpbrk(topic.name, "/") != NULL)
        fuzz_fail("a part of a topic is one part");
    cJSON *body = fuzz_slim(end + 1, size - (size_t)(end + 1 - data));
    if (body == NULL)
        return 0;
    struct gw_event event = gw_event_none(), before;
    struct gw_vz_reply reply = {.code = -7};
    memcpy(event.device, topic.sn, sizeof event.device);
    before = event;
    if (topic.reply) {
        if (gw_vz_reply(body, &reply) == 0 ? reply.code < -1 : reply.code != -7)
            fuzz_fail("a reply has its code, or is left alone");
    } else if (gw_vz_decode(topic.name, body, &event) == GW_DECODED) {
        check_event(&event);
    } else if (!fuzz_same(&event, &before, sizeof event)) {
        fuzz_fail("what is not taken changes nothing");
    }
    cJSON_Delete(body);
    return 0;
}
