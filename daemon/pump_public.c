/* pump_public.c - what everybody may see, retained at the broker, rebuilt from the engine.
 *
 * At most one message a zone a second. Zones under TIDE_PUBLIC_ZONE_SLOTS_MIN slots are merged into
 * one, "others": which slot is empty when must not be read out of a small number (design, privacy).
 * After a reconnect everything is published anew: a broker may come back empty.
 */
#include <string.h>

#include "daemon/pump.h"
#include "tide/check.h"

#define HOURS 24
#define HOUR_MS (60 * TIDE_MINUTE_MS)
#define OTHERS "others"

struct zone_view {
    struct tide_zone_now now;
    struct tide_tide_hour hours[HOURS];
};

static void view_add(struct zone_view *view, const struct engine *engine, tide_id zone,
                     tide_ms start_ms)
{
    struct tide_zone_now now;
    engine_zone_now(engine, zone, &now);
    view->now.at_ms = now.at_ms;
    view->now.slots += now.slots;
    view->now.open += now.open;
    view->now.promised += now.promised;
    view->now.parked += now.parked;
    view->now.free += now.free;
    for (unsigned i = 0; i < HOURS; i++) {
        struct tide_tide_hour hour;
        engine_tide_hour(engine, zone, start_ms + i * HOUR_MS, &hour);
        view->hours[i].start_ms = hour.start_ms;
        view->hours[i].supply += hour.supply;
        view->hours[i].promised += hour.promised;
        view->hours[i].parked += hour.parked;
    }
}

static void publish_view(struct pump *pump, struct domain *domain, const char *name,
                         const struct zone_view *view)
{
    char topic[256];
    size_t len = tide_encode_zone(pump->text, TIDE_MESSAGE_BYTES_MAX, &domain->frame, name,
                                  ++domain->public_ver, &view->now, view->hours, HOURS);
    if (len > 0 && tide_topic_make(topic, sizeof topic, "zone", domain->name, NULL, name) > 0)
        mqtt_publish(pump->mqtt, topic, pump->text, len, 1, true);
}

static uint32_t zone_slots(const struct domain *domain, tide_id zone)
{
    struct tide_zone_now now;
    engine_zone_now(domain->engine, zone, &now);
    return now.slots;
}

static void publish_others(struct pump *pump, struct domain *domain, tide_ms start_ms)
{
    struct zone_view view = {.now = {.at_ms = start_ms}};
    uint32_t cursor = 0;
    const struct tide_zone *zone;
    bool any = false;
    while ((zone = engine_next(domain->engine, TIDE_REC_zone, &cursor)) != NULL) {
        uint32_t slots = zone_slots(domain, zone->id);
        if (slots == 0 || slots >= TIDE_PUBLIC_ZONE_SLOTS_MIN)
            continue;
        view_add(&view, domain->engine, zone->id, start_ms);
        any = true;
    }
    if (any)
        publish_view(pump, domain, OTHERS, &view);
}

static void publish_zone(struct pump *pump, struct domain *domain, tide_id zone, tide_ms start_ms,
                         bool *ret_others)
{
    const char *name = domain->names->text(domain->names->arg, TIDE_NAME_KIND_zone, zone);
    struct zone_view view = {.now = {.zone = zone}};
    if (zone_slots(domain, zone) < TIDE_PUBLIC_ZONE_SLOTS_MIN) {
        *ret_others = true;
        return;
    }
    view_add(&view, domain->engine, zone, start_ms);
    if (name != NULL)
        publish_view(pump, domain, name, &view);
}

static void publish_domain(struct pump *pump, struct domain *domain)
{
    tide_ms now_ms = pump_now(pump, domain), start_ms = now_ms - now_ms % HOUR_MS;
    bool others = false;
    tide_id zone;
    if (domain->public_hour != start_ms) { /* a new hour moves every table */
        domain->public_hour = start_ms;
        domain->all_dirty = true;
    }
    if (!domain->all_dirty) {
        while ((zone = engine_take_dirty_zone(domain->engine)) != 0)
            publish_zone(pump, domain, zone, start_ms, &others);
    } else {
        uint32_t cursor = 0;
        const struct tide_zone *row;
        while (engine_take_dirty_zone(domain->engine) != 0)
            continue;
        while ((row = engine_next(domain->engine, TIDE_REC_zone, &cursor)) != NULL)
            publish_zone(pump, domain, row->id, start_ms, &others);
        domain->all_dirty = false;
    }
    if (others)
        publish_others(pump, domain, start_ms);
}

void pump_public(struct pump *pump)
{
    if (pump->mqtt == NULL || !mqtt_is_up(pump->mqtt) || pump->unavailable)
        return;
    for (unsigned i = 0; i < pump->domain_count; i++)
        publish_domain(pump, &pump->domains[i]);
}

void pump_node_state(struct pump *pump, const char *state)
{
    char topic[256];
    struct tide_node_state node = {
        .node = pump->conf->node,
        .state = state,
        .civil_ms = clock_civil_ms(pump->clock),
        .real_ms = clock_real_ms(),
        .scale = pump->clock->scale,
        .incarnation = pump->domain_count > 0 ? pump->domains[0].position.incarnation : 0};
    size_t len = tide_encode_node(pump->text, TIDE_PACKET_BYTES_MAX, &node);
    if (pump->mqtt != NULL && len > 0 &&
        tide_topic_make(topic, sizeof topic, "sys", NULL, NULL, pump->conf->node) > 0)
        mqtt_publish(pump->mqtt, topic, pump->text, len, 1, true);
}

void pump_on_state(void *arg, bool up)
{
    struct pump *pump = arg;
    pump->metrics.broker_up = up;
    log_event(up ? LOG_INFO_ : LOG_WARN_, up ? "broker.up" : "broker.down", "\"uri\":%s",
              log_str(pump->conf->broker_uri));
    if (!up)
        return;
    for (unsigned i = 0; i < pump->domain_count; i++)
        pump->domains[i].all_dirty = true;
    pump_node_state(pump, pump->unavailable ? "unavailable" : "up");
    pump_public(pump);
}

/* ---- once a second -------------------------------------------------------------------------- */
#define NODE_STATE_EVERY_S 15
#define RETENTION_EVERY_S 60
#define ACCOUNTS_EVERY_S 2
#define SMALL_DRIFT_MS 2000

/* The wall clock went elsewhere: the anchor follows, as an event; a far jump waits for a hand. Far
 * is measured from the engine's own time: a clock that went back an hour and comes again to where
 * it was skips no deadline. */
static void look_at_clock(struct pump *pump)
{
    int64_t drift_ms = clock_drift_ms(pump->clock);
    if (drift_ms > -SMALL_DRIFT_MS && drift_ms < SMALL_DRIFT_MS)
        return;
    tide_ms new_ms = clock_real_ms();
    bool any_far = false;
    for (unsigned i = 0; i < pump->domain_count; i++) {
        struct domain *domain = &pump->domains[i];
        struct engine_event event = {.when_ms = pump_now(pump, domain), .kind = TIDE_REC_clock};
        bool far = new_ms - event.when_ms > pump->conf->clock_jump_s * 1000;
        event.as.clock =
            (struct tide_clock){.old_ms = event.when_ms, .new_ms = new_ms, .suspend = far};
        if (!pump_step_own(pump, domain, &event))
            return; /* in a second again */
        any_far |= far;
    }
    clock_reanchor(pump->clock);
    log_event(LOG_WARN_, "clock.jump", "\"by_ms\":%lld,\"deadlines\":%s", (long long)drift_ms,
              any_far ? "\"suspended until tidectl clock accept\"" : "\"go on\"");
    pump_commit(pump);
}

/* Names whose time is over go through the engine: whoever still needs one keeps it. */
static void forget_due(struct pump *pump, struct domain *domain)
{
    struct tide_forgotten due[16];
    unsigned count = store_names_due(pump->store, domain->number, pump_now(pump, domain),
                                     sizeof due / sizeof *due, due);
    for (unsigned i = 0; i < count && pump_has_room(pump); i++) {
        struct engine_event event = {.when_ms = pump_now(pump, domain), .kind = TIDE_REC_forget};
        event.as.forget = (struct tide_forget){.kind = due[i].kind, .id = due[i].id};
        if (!pump_ticks_domain(pump, domain, event.when_ms) || !pump_has_room(pump))
            return;
        pump_step(pump, domain, &event, NULL, NULL);
    }
    pump_commit(pump);
}

void pump_gather_metrics(struct pump *pump)
{
    struct mqtt_stats mqtt = {0};
    struct store_stats store = {0};
    struct metrics *m = &pump->metrics;
    uint64_t lag = 0, suspended = 0;
    if (pump->mqtt != NULL)
        mqtt_stats(pump->mqtt, &mqtt);
    store_stats(pump->store, &store);
    m->inbox_depth = mqtt.inbox_depth;
    m->inbox_dropped_total = mqtt.inbox_dropped;
    m->outbox_depth = mqtt.outbox_depth;
    m->outbox_dropped_total = mqtt.outbox_dropped;
    m->reconnects_total = mqtt.reconnects;
    m->wal_bytes = store.wal_bytes;
    m->pool_used_ratio_pct = 0;
    for (unsigned i = 0; i < pump->domain_count; i++) {
        const struct domain *domain = &pump->domains[i];
        unsigned used = engine_pool_used_pct(domain->engine);
        lag += store_last_seq(pump->store, domain->number) -
               store_applied_seq(pump->store, domain->number);
        suspended |= engine_setting(domain->engine, TIDE_SETTING_clock_suspended) != 0;
        if (used > m->pool_used_ratio_pct)
            m->pool_used_ratio_pct = used;
    }
    m->fold_lag_events = lag;
    m->clock_suspended = suspended;
    if (m->pool_used_ratio_pct >= 80)
        log_event(LOG_WARN_, "pool.fills", "\"used_pct\":%llu,\"advice\":%s",
                  (unsigned long long)m->pool_used_ratio_pct,
                  log_str("raise the pool sizes in the configuration"));
}

void pump_second(struct pump *pump)
{
    static unsigned seconds;
    seconds++;
    pump_gather_metrics(pump);
    /* A broker that lost its disk cannot come up before its accounts are there again. */
    if (!pump->metrics.broker_up && seconds % ACCOUNTS_EVERY_S == 0 && !pump->draining)
        pump_write_accounts(pump, true);
    if (pump->draining || pump->unavailable)
        return;
    pump_public(pump);
    pump_draws(pump);
    if (!pump->own_clock)
        look_at_clock(pump);
    if (pump->clock->scale > 1 || seconds % NODE_STATE_EVERY_S == 0)
        pump_node_state(pump, "up");
    for (unsigned i = 0; i < pump->domain_count && seconds % RETENTION_EVERY_S == 0; i++)
        forget_due(pump, &pump->domains[i]);
}
