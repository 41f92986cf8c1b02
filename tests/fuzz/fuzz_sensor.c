/* fuzz_sensor.c - what a LoRaWAN network says of a parking sensor, up to the fact for the daemon.
 *
 *   up bosch_tps110\n{"fPort":1,"data":"AQ==",...}     the envelope, then the payload
 *   : b 1\n<bytes>                                     the payload alone: model b, n, m and a port
 *
 * Properties: what is not JSON is refused; what the walk lets through cJSON takes; a refusal leaves
 * the event as it was; what is decoded lies within its ranges; and a fact that the gateway makes of
 * it is one that the daemon takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/decoder.h"
#include "clients/gateway/slot.h"
#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static void check_ranges(const struct gw_event *event)
{
    if (event->occupied < -1 || event->occupied > 1 || event->battery_pct < -1 ||
        event->battery_pct > 100 || event->battery_mv < -1 || event->battery_mv > 12700)
        fuzz_fail("state and battery lie within their ranges");
    if (event->distance_mm < -1 || event->distance_mm == 0 || event->distance_mm > 65000)
        fuzz_fail("a distance is one, or is none");
}

/* What the gateway would tell of it, decoded as the daemon does. */
static void check_fact(const struct gw_event *event, const struct gw_model *model)
{
    struct gw_device_conf conf = {.model = model,
                                  .heartbeat_min = 60,
                                  .distance_occupied_mm = 1000,
                                  .distance_free_mm = 1500,
                                  .debounce_count = 1};
    struct gw_slot slot;
    struct gw_slot_fact fact;
    gw_slot_begin(&slot, 0);
    if (!gw_slot_take(&slot, &conf, event, 1000, &fact))
        return;
    char members[512], body[600];
    if (gw_slot_members(members, sizeof members, "A-017", &fact, 480) == 0)
        fuzz_fail("a fact fits");
    snprintf(body, sizeof body, "{\"boot\":1,\"seq\":1,%s}", members);
    struct engine_event out;
    struct tide_fault fault;
    if (tide_decode_fact("slot", (const uint8_t *)body, strlen(body), fuzz_names(), 480, &out,
                         &fault) != 0) {
        fprintf(stderr, "%s: %s at %s\n", body, fault.what, fault.path);
        fuzz_fail("the daemon takes what the gateway makes");
    }
}

static const struct gw_model *model_of(int letter)
{
    return letter == 'b'   ? &gw_bosch_tps110
           : letter == 'n' ? &gw_netvox_r719a
           : letter == 'm' ? &gw_milesight_em400
                           : NULL;
}

static void bare(const uint8_t *head, const uint8_t *bytes, size_t len)
{
    const struct gw_model *model = model_of(head[2]);
    if (model == NULL)
        return;
    struct gw_event event = gw_event_none();
    uint8_t *exact = malloc(len > 0 ? len : 1); /* one byte too many is seen */
    if (exact == NULL)
        fuzz_fail("there is memory");
    if (len > 0)
        memcpy(exact, bytes, len);
    if (model->decode((unsigned)(head[4] - '0'), exact, len, &event) == GW_DECODED) {
        check_ranges(&event);
        check_fact(&event, model);
    }
    free(exact);
}

static void enveloped(const char *event_name, const struct gw_model *model, const uint8_t *bytes,
                      size_t len)
{
    cJSON *body = fuzz_slim(bytes, len);
    if (body == NULL)
        return;
    struct gw_event event = gw_event_none(), before;
    memcpy(event.device, "0004a30b001c0530", 17);
    before = event;
    enum gw_verdict verdict = gw_chirpstack_decode(event_name, body, model, &event);
    cJSON_Delete(body);
    if (verdict != GW_DECODED) {
        if (!fuzz_same(&event, &before, sizeof event))
            fuzz_fail("what is not taken changes nothing");
        return;
    }
    if (strcmp(event.device, before.device) != 0 || event.device_ms < 0)
        fuzz_fail("the topic says which device it is");
    check_ranges(&event);
    check_fact(&event, model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    if (end == NULL || end - data < 5 || end - data > 40)
        return 0;
    size_t left = size - (size_t)(end + 1 - data);
    if (data[0] == ':') {
        bare(data, end + 1, left);
        return 0;
    }
    char head[41] = "";
    memcpy(head, data, (size_t)(end - data));
    char *blank = strchr(head, ' ');
    if (blank == NULL)
        return 0;
    *blank = '\0';
    const struct gw_model *model = gw_model_named(blank + 1);
    if (model != NULL)
        enveloped(head, model, end + 1, left);
    return 0;
}
