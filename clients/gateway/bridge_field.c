/* bridge_field.c - what devices say. */
#include <string.h>

#include "clients/gateway/bridge.h"
#include "daemon/ops/ops.h"
#include "protocol/codec.h"

bool gw_bridge_wants(const char *topic)
{
    char eui[GW_DEVICE_NAME_MAX], event[16];
    struct gw_vz_topic vz;
    return gw_vz_topic(topic, &vz) == 0 ||
           gw_chirpstack_topic(topic, eui, sizeof eui, event, sizeof event) == 0;
}

/* A digest that was seen before. 0 is none. */
static bool is_repeat(struct gw_bridge *bridge, uint64_t digest)
{
    if (digest == 0)
        return false;
    for (size_t i = 0; i < GW_SEEN_MAX; i++)
        if (bridge->seen[i] == digest)
            return true;
    bridge->seen[bridge->seen_next] = digest;
    bridge->seen_next = (bridge->seen_next + 1) % GW_SEEN_MAX;
    return false;
}

/* A device's name must be readable in the log, or nobody could put it into the file. log_str would
 * mask its digits; what is no EUI and no serial number goes through it. */
static const char *name_of(const char *device, char out[static GW_DEVICE_NAME_MAX + 2])
{
    size_t hex = strspn(device, "0123456789abcdefABCDEF"), len = strlen(device);
    bool is_eui = hex == 16 && len == 16;
    bool is_serial = hex == 8 && len == 17 && device[8] == '-' &&
                     strspn(device + 9, "0123456789abcdefABCDEF") == 8;
    if (!is_eui && !is_serial)
        return log_str(device);
    (void)gw_json_quote(out, GW_DEVICE_NAME_MAX + 2, device);
    return out;
}

static void malformed(const char *device, const char *what)
{
    char name[GW_DEVICE_NAME_MAX + 2];
    log_event(LOG_WARN_, "device.malformed", "\"device\":%s,\"about\":%s", name_of(device, name),
              log_str(what));
}

static void unknown(const char *device)
{
    char name[GW_DEVICE_NAME_MAX + 2];
    log_event(LOG_INFO_, "device.unknown", "\"device\":%s", name_of(device, name));
}

static void mismatch(const struct gw_event *event)
{
    if (!event->identity_differs)
        return;
    char name[GW_DEVICE_NAME_MAX + 2];
    log_event(LOG_INFO_, "device.names_differ", "\"device\":%s", name_of(event->device, name));
}

/* ---- sensors -------------------------------------------------------------------------------- */
static void tell_slot(struct gw_bridge *bridge, size_t index, const struct gw_slot_fact *fact)
{
    char members[512];
    bool kept = false;
    const char *slot = bridge->conf->devices[index].slot;
    if (gw_slot_members(members, sizeof members, slot, fact,
                        (int)bridge->conf->own.utc_offset_min) == 0)
        return;
    gw_bridge_fact(bridge, GW_FACT_SLOT, fact->heartbeat, members, &kept);
    bridge->slots[index].owed = !kept && fact->heartbeat;
    if (!fact->heartbeat)
        log_event(LOG_INFO_, "slot", "\"slot\":%s,\"state\":%d", log_str(slot), fact->state);
}

static void take_sensor(struct gw_bridge *bridge, const char *eui, const char *name,
                        const cJSON *body)
{
    const struct gw_device_conf *conf = gw_conf_device(bridge->conf, eui);
    struct gw_event event = gw_event_none();
    struct gw_slot_fact fact;
    if (conf == NULL) {
        unknown(eui);
        return;
    }
    memcpy(event.device, conf->device, sizeof event.device);
    enum gw_verdict verdict = gw_chirpstack_decode(name, body, conf->model, &event);
    if (verdict == GW_MALFORMED)
        malformed(eui, conf->model->name);
    if (verdict != GW_DECODED || is_repeat(bridge, event.digest))
        return;
    mismatch(&event);
    size_t index = (size_t)(conf - bridge->conf->devices);
    if (event.kind == GW_TAMPER)
        log_event(LOG_WARN_, "device.tampered", "\"slot\":%s", log_str(conf->slot));
    if (gw_slot_take(&bridge->slots[index], conf, &event, bridge->now_ms, &fact))
        tell_slot(bridge, index, &fact);
}

void gw_bridge_slots(struct gw_bridge *bridge)
{
    struct gw_slot_fact fact;
    for (size_t i = 0; i < bridge->conf->device_count; i++) {
        const struct gw_device_conf *conf = &bridge->conf->devices[i];
        struct gw_slot *slot = &bridge->slots[i];
        if (gw_slot_silence(slot, conf, bridge->now_ms, &fact)) {
            log_event(LOG_WARN_, "device.silent", "\"slot\":%s", log_str(conf->slot));
            tell_slot(bridge, i, &fact);
        } else if (slot->owed && gw_spool_has_room(bridge->spool)) {
            fact = (struct gw_slot_fact){
                .state = slot->state, .heartbeat = true, .battery_pct = slot->battery_pct};
            tell_slot(bridge, i, &fact);
        }
    }
}

/* ---- cameras -------------------------------------------------------------------------------- */
/* What is no plate ("_无_", another country's) is a car that could not be read: it is asked about
 * all the same, without a text. */
static void take_plate(struct gw_bridge *bridge, unsigned camera, const struct gw_event *event,
                       int64_t received_ms)
{
    char plate[GW_PLATE_CAP] = "";
    int64_t at_ms = event->device_ms;
    if (tide_plate_normalise(event->plate, strlen(event->plate), plate, sizeof plate) < 0) {
        plate[0] = '\0';
        log_event(LOG_INFO_, "plate.unreadable", "\"lane\":%s",
                  log_str(bridge->conf->cameras[camera].lane));
    }
    if (at_ms == 0)
        at_ms = gw_civil_ms(&bridge->passes.civil, bridge->real_ms);
    gw_gate_plate(&bridge->gate, camera, plate, at_ms, event->replay, received_ms);
}

static void take_event(struct gw_bridge *bridge, unsigned camera, const struct gw_event *event,
                       int64_t received_ms)
{
    const char *lane = bridge->conf->cameras[camera].lane;
    switch (event->kind) {
    case GW_PLATE:
        if (!is_repeat(bridge, event->digest))
            take_plate(bridge, camera, event, received_ms);
        return;
    case GW_GATE:
        if (event->occupied < 0 && bridge->arms[camera] != event->gate_state) {
            bridge->arms[camera] = event->gate_state;
            log_event(LOG_INFO_, "gate.arm", "\"lane\":%s,\"state\":%d", log_str(lane),
                      event->gate_state);
        } else if (event->occupied >= 0) {
            log_event(LOG_DEBUG_, "gate.loop", "\"lane\":%s,\"input\":%d,\"value\":%d",
                      log_str(lane), event->gate_state, event->occupied);
        }
        return;
    default:
        return;
    }
}

static void take_camera(struct gw_bridge *bridge, const struct gw_vz_topic *topic,
                        const cJSON *body, int64_t received_ms)
{
    struct gw_event event = gw_event_none();
    struct gw_vz_reply reply;
    int camera = gw_conf_camera(bridge->conf, topic->sn);
    if (camera < 0) {
        unknown(topic->sn);
        return;
    }
    bridge->forms[camera] = topic->form;
    gw_whitelist_alive(&bridge->lists[camera], bridge->now_ms);
    if (topic->reply) {
        if (gw_vz_reply(body, &reply) == 0)
            gw_bridge_reply(bridge, (unsigned)camera, &reply);
        else
            malformed(topic->sn, topic->name);
        return;
    }
    memcpy(event.device, topic->sn, sizeof event.device);
    enum gw_verdict verdict = gw_vz_decode(topic->name, body, &event);
    if (verdict == GW_MALFORMED)
        malformed(topic->sn, topic->name);
    if (verdict != GW_DECODED)
        return;
    mismatch(&event);
    take_event(bridge, (unsigned)camera, &event, received_ms);
}

void gw_bridge_field(struct gw_bridge *bridge, const struct gw_item *item)
{
    char eui[GW_DEVICE_NAME_MAX], event[16];
    struct gw_vz_topic topic;
    cJSON *body = cJSON_ParseWithLength(item->text, item->len);
    if (body == NULL)
        return; /* out of memory: the text was checked */
    if (gw_vz_topic(item->topic, &topic) == 0)
        take_camera(bridge, &topic, body, item->received_ms);
    else if (gw_chirpstack_topic(item->topic, eui, sizeof eui, event, sizeof event) == 0)
        take_sensor(bridge, eui, event, body);
    cJSON_Delete(body);
}
