/* bridge_people.c - what the daemon says: commands, acknowledgements, lists, and of itself. */
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/bridge.h"
#include "daemon/ops/ops.h"
#include "protocol/codec.h"

static bool take_time(const cJSON *body, const char *name, int64_t *ret)
{
    char text[48];
    return gw_json_text(body, name, text, sizeof text) &&
           tide_time_parse(text, strlen(text), ret) == 0;
}

static bool take_command(struct gw_bridge *bridge, const cJSON *body)
{
    struct gw_command command = {.open = false};
    char kind[16];
    int64_t id = 0, ask = 0;
    if (!gw_json_int(body, "command", 1, UINT32_MAX, &id) ||
        !gw_json_text(body, "kind", kind, sizeof kind) ||
        !gw_json_text(body, "lane", command.lane, sizeof command.lane) ||
        !take_time(body, "valid_until", &command.valid_until_ms))
        return false;
    command.open = strcmp(kind, "open") == 0;
    if (!command.open && strcmp(kind, "deny") != 0)
        return false;
    if (gw_json_at(body, "ask") != NULL && !gw_json_int(body, "ask", 0, UINT32_MAX, &ask))
        return false;
    (void)gw_json_text(body, "plate", command.plate, sizeof command.plate); /* for the log */
    command.command = (uint32_t)id;
    command.ask = (uint32_t)ask;
    gw_gate_command(&bridge->gate, &command, bridge->now_ms, bridge->real_ms);
    return true;
}

static bool take_ack(struct gw_bridge *bridge, const cJSON *body)
{
    int64_t boot = 0, seq = 0;
    if (!gw_json_int(body, "boot", 0, UINT32_MAX, &boot) ||
        !gw_json_int(body, "seq", 0, UINT32_MAX, &seq))
        return false;
    gw_uplink_ack(&bridge->uplink, (uint32_t)boot, (uint32_t)seq, bridge->now_ms, bridge->real_ms);
    return true;
}

static bool take_list(struct gw_bridge *bridge, const cJSON *body)
{
    switch (gw_passes_take(&bridge->passes, body)) {
    case GW_PASSES_INVALID:
        return false;
    case GW_PASSES_PART:
        return true;
    case GW_PASSES_NEW:
        log_event(LOG_DEBUG_, "list", "\"ver\":%u,\"passes\":%zu", bridge->passes.ver,
                  bridge->passes.count);
        break;
    }
    bridge->passes_changed = true;
    bridge->reconcile_ms = bridge->now_ms; /* with the next second: changes may come in crowds */
    return true;
}

void gw_bridge_daemon(struct gw_bridge *bridge, bool people_up, bool daemon_down)
{
    bool was = bridge->people_up && !bridge->daemon_down;
    bool line_changed = people_up != bridge->people_up;
    bridge->people_up = people_up;
    bridge->daemon_down = daemon_down;
    bool is = people_up && !daemon_down;
    if (is == was && !line_changed)
        return;
    log_event(LOG_INFO_, "daemon", "\"line\":%s,\"answers\":%s", people_up ? "true" : "false",
              is ? "true" : "false");
    gw_gate_state(&bridge->gate, is, bridge->now_ms);
    gw_uplink_state(&bridge->uplink, is, bridge->now_ms, bridge->real_ms);
}

/* Retained and live: what a daemon says of itself. Of several nodes ours is the one that was up. */
static bool take_node(struct gw_bridge *bridge, const cJSON *body)
{
    char node[GW_NAME_CAP], state[24];
    int64_t scale = 1;
    struct gw_civil civil = {.scale = 1};
    if (!gw_json_text(body, "node", node, sizeof node) ||
        !gw_json_text(body, "state", state, sizeof state))
        return false;
    bool up = strcmp(state, "up") == 0;
    if (up && gw_json_int(body, "scale", 1, 100000, &scale) && scale > 1 &&
        take_time(body, "civil", &civil.civil_ms) && take_time(body, "real", &civil.real_ms))
        civil.scale = scale;
    if (up) {
        bridge->passes.civil = civil;
        memcpy(bridge->node, node, sizeof bridge->node);
    } else if (bridge->node[0] != '\0' && strcmp(bridge->node, node) != 0) {
        return true; /* another daemon's */
    }
    gw_bridge_daemon(bridge, bridge->people_up, !up);
    return true;
}

static bool take(struct gw_bridge *bridge, const char *topic, const cJSON *body)
{
    static const struct {
        const char *tail;
        bool (*take)(struct gw_bridge *bridge, const cJSON *body);
    } rows[] = {{"command", take_command}, {"ack", take_ack}, {"list", take_list}};
    size_t len = strlen(bridge->down_prefix);
    if (strncmp(topic, "tide/1/sys/", 11) == 0)
        return take_node(bridge, body);
    if (strncmp(topic, bridge->down_prefix, len) != 0)
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(topic + len, rows[i].tail) == 0)
            return rows[i].take(bridge, body);
    return true; /* what a later daemon may say */
}

void gw_bridge_people(struct gw_bridge *bridge, const struct gw_item *item)
{
    static char slim[GW_JSON_SLIM_MAX];
    const char *why = "";
    cJSON *body = NULL;
    size_t len = gw_json_slim((const uint8_t *)item->text, item->len, slim, sizeof slim, &why);
    if (len > 0)
        body = cJSON_ParseWithLength(slim, len);
    if (body == NULL || !take(bridge, item->topic, body))
        log_event(LOG_WARN_, "daemon.malformed", "\"topic\":%s,\"about\":%s", log_str(item->topic),
                  log_str(why));
    cJSON_Delete(body);
}
