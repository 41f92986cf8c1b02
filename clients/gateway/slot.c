/* slot.c - see slot.h. */
#include "clients/gateway/slot.h"

#include <stdio.h>

#include "protocol/codec.h"

#define UNKNOWN (-1)

void gw_slot_begin(struct gw_slot *slot, int64_t now_ms)
{
    *slot = (struct gw_slot){
        .state = UNKNOWN, .candidate = UNKNOWN, .battery_pct = -1, .heard_ms = now_ms};
}

/* What this one reading says; *ret_says false: nothing about the state. */
static int reading(const struct gw_slot *slot, const struct gw_device_conf *conf,
                   const struct gw_event *event, bool *ret_says)
{
    *ret_says = true;
    if (event->kind == GW_TAMPER)
        return UNKNOWN;
    if (!conf->model->by_distance) {
        *ret_says = event->occupied >= 0;
        return event->occupied;
    }
    if (event->distance_mm < 0)
        *ret_says = false;
    else if (event->distance_mm <= conf->distance_occupied_mm)
        return 1;
    else if (event->distance_mm >= conf->distance_free_mm)
        return 0;
    return slot->state; /* between the thresholds, or no echo */
}

/* A distance wavers, so several readings must agree; a sensor that decided by itself has done so.
 * Coming from unknown, and becoming unknown, the first one counts. */
static bool settles(struct gw_slot *slot, const struct gw_device_conf *conf, int state)
{
    if (state == slot->state) {
        slot->agreed = 0;
        return false;
    }
    slot->agreed = state == slot->candidate ? slot->agreed + 1 : 1;
    slot->candidate = state;
    bool at_once = !conf->model->by_distance || state == UNKNOWN || slot->state == UNKNOWN;
    return at_once || slot->agreed >= conf->debounce_count;
}

bool gw_slot_take(struct gw_slot *slot, const struct gw_device_conf *conf,
                  const struct gw_event *event, int64_t now_ms, struct gw_slot_fact *ret)
{
    bool says = false;
    if (event->battery_pct >= 0)
        slot->battery_pct = event->battery_pct;
    if (event->kind == GW_STATUS)
        return false; /* goes along with the next state */
    int state = reading(slot, conf, event, &says);
    bool returned = slot->silent;
    slot->heard_ms = now_ms;
    slot->silent = false;
    bool changed = says && settles(slot, conf, state);
    if (!says && !slot->told)
        return false; /* nothing is known, and this adds nothing */
    if (changed) {
        slot->state = state;
        slot->agreed = 0;
    }
    *ret = (struct gw_slot_fact){.state = slot->state,
                                 .heartbeat = !changed && slot->told && !returned,
                                 .battery_pct = slot->battery_pct,
                                 .device_ms = event->device_ms,
                                 .replay = event->replay};
    slot->told = true;
    slot->battery_pct = -1;
    return true;
}

int64_t gw_slot_silence_due(const struct gw_slot *slot, const struct gw_device_conf *conf)
{
    return slot->silent ? INT64_MAX : slot->heard_ms + conf->heartbeat_min * 150000;
}

bool gw_slot_silence(struct gw_slot *slot, const struct gw_device_conf *conf, int64_t now_ms,
                     struct gw_slot_fact *ret)
{
    if (now_ms < gw_slot_silence_due(slot, conf))
        return false;
    slot->silent = slot->told = true;
    slot->state = slot->candidate = UNKNOWN;
    slot->agreed = 0;
    *ret = (struct gw_slot_fact){.state = UNKNOWN, .battery_pct = -1};
    return true;
}

size_t gw_slot_members(char *out, size_t cap, const char *slot, const struct gw_slot_fact *fact,
                       int utc_offset_min)
{
    static const char *const names[] = {"unknown", "free", "occupied"};
    char quoted[2 * GW_NAME_CAP + 2], at[64] = "", battery[32] = "", time[48];
    if (gw_json_quote(quoted, sizeof quoted, slot) == 0)
        return 0;
    if (fact->device_ms > 0 &&
        tide_time_format(time, sizeof time, fact->device_ms, utc_offset_min) > 0)
        snprintf(at, sizeof at, ",\"at\":\"%s\"", time);
    if (fact->battery_pct >= 0)
        snprintf(battery, sizeof battery, ",\"battery_pct\":%d", fact->battery_pct);
    int n = snprintf(out, cap, "\"slot\":%s,\"state\":\"%s\"%s%s%s%s", quoted,
                     names[fact->state + 1], fact->heartbeat ? ",\"heartbeat\":true" : "", at,
                     battery, fact->replay ? ",\"replay\":true" : "");
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}
