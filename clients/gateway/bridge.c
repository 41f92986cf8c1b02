/* bridge.c - up in order, a loop, down in reverse. */
#include "clients/gateway/bridge.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ops/ops.h"

#define EXIT_CONFIG 78
#define EXIT_HELD 75
#define SECOND_MS 1000
#define RECONCILE_MS 60000

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t gw_elapsed_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

int64_t gw_real_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

/* ---- on the threads of the MQTT libraries --------------------------------------------------- */
static void on_field_message(void *arg, const char *topic, const void *payload, size_t len)
{
    static _Thread_local char slim[GW_JSON_SLIM_MAX];
    struct gw_bridge *bridge = arg;
    const char *why = NULL;
    if (!gw_bridge_wants(topic))
        return;
    size_t left = gw_json_slim(payload, len, slim, sizeof slim, &why);
    if (left == 0) {
        gw_inbox_count_bad(bridge->inbox);
        log_event(LOG_WARN_, "device.no_json", "\"topic\":%s,\"why\":%s,\"bytes\":%zu",
                  log_str(topic), log_str(why), len);
        return;
    }
    (void)gw_inbox_put(bridge->inbox, GW_ITEM_FIELD, topic, slim, left, gw_elapsed_ms());
}

static void on_field_state(void *arg, bool up)
{
    struct gw_bridge *bridge = arg;
    gw_inbox_put_state(bridge->inbox, GW_ITEM_FIELD_STATE, up, gw_elapsed_ms());
}

static void on_people_message(void *arg, const char *topic, const char *payload, size_t len,
                              bool retained)
{
    struct gw_bridge *bridge = arg;
    (void)retained;
    if (len <= GW_JSON_BYTES_MAX)
        (void)gw_inbox_put(bridge->inbox, GW_ITEM_PEOPLE, topic, payload, len, gw_elapsed_ms());
}

static void on_people_state(void *arg, bool up)
{
    struct gw_bridge *bridge = arg;
    gw_inbox_put_state(bridge->inbox, GW_ITEM_PEOPLE_STATE, up, gw_elapsed_ms());
}

/* ---- opening -------------------------------------------------------------------------------- */
static int read_secrets(struct gw_bridge *bridge, char *why, size_t why_cap)
{
    const struct gw_conf *conf = bridge->conf;
    if (conf->people.secret_file[0] != '\0' &&
        gw_secret_read(conf->people.secret_file, bridge->people_secret,
                       sizeof bridge->people_secret, why, why_cap) != 0)
        return -1;
    if (conf->field.secret_file[0] != '\0' &&
        gw_secret_read(conf->field.secret_file, bridge->field_secret, sizeof bridge->field_secret,
                       why, why_cap) != 0)
        return -1;
    return 0;
}

static int open_state(struct gw_bridge *bridge, char *why, size_t why_cap, int *ret_exit)
{
    const struct gw_conf *conf = bridge->conf;
    struct gw_spool_stats stats;
    if (gw_disk_open(&bridge->disk) != 0 || gw_inbox_open(&bridge->inbox) != 0) {
        snprintf(why, why_cap, "cannot begin: %s", strerror(errno));
        return -1;
    }
    if (gw_spool_open(&bridge->spool, conf->own.state_folder, (uint64_t)conf->own.spool_mib << 20,
                      bridge->disk, (uint32_t)(bridge->real_ms / 1000)) != 0) {
        bool held = errno == EWOULDBLOCK;
        *ret_exit = held ? EXIT_HELD : EXIT_CONFIG;
        snprintf(why, why_cap, "%s: %s", conf->own.state_folder,
                 held ? "another gateway uses this folder" : strerror(errno));
        return -1;
    }
    gw_spool_stats(bridge->spool, &stats);
    log_event(stats.torn_bytes > 0 ? LOG_WARN_ : LOG_INFO_, "spool",
              "\"boot\":%u,\"facts\":%llu,\"bytes\":%llu,\"torn_bytes\":%llu",
              gw_spool_boot(bridge->spool), (unsigned long long)stats.records,
              (unsigned long long)stats.bytes, (unsigned long long)stats.torn_bytes);
    return 0;
}

static int open_devices(struct gw_bridge *bridge, char *why, size_t why_cap)
{
    const struct gw_conf *conf = bridge->conf;
    bridge->slots = calloc(conf->device_count + 1, sizeof *bridge->slots);
    bridge->lists = calloc(conf->camera_count + 1, sizeof *bridge->lists);
    if (bridge->slots == NULL || bridge->lists == NULL) {
        snprintf(why, why_cap, "out of memory");
        return -1;
    }
    for (size_t i = 0; i < conf->device_count; i++)
        gw_slot_begin(&bridge->slots[i], bridge->now_ms);
    for (size_t i = 0; i < GW_CAMERAS_MAX; i++)
        bridge->arms[i] = -2;
    struct gw_gate_io io = gw_bridge_gate_io(bridge);
    gw_gate_begin(&bridge->gate, conf, &io, gw_spool_boot(bridge->spool));
    gw_uplink_begin(&bridge->uplink, bridge->spool, gw_bridge_send, bridge, conf->own.answer_ms);
    gw_bridge_load(bridge);
    gw_bridge_reconcile(bridge);
    return 0;
}

static int open_field(struct gw_bridge *bridge)
{
    static const char *const filters[] = {"application/+/device/+/event/up",
                                          "application/+/device/+/event/status",
                                          "device/+/message/up/ivs_result",
                                          "device/+/message/up/keep_alive",
                                          "device/+/message/up/gpio_in",
                                          "device/+/message/up/barr_gate_status",
                                          "device/+/message/down/+/reply",
                                          "+/device/message/up/ivs_result",
                                          "+/device/message/up/keep_alive",
                                          "+/device/message/up/gpio_in",
                                          "+/device/message/up/barr_gate_status",
                                          "+/device/message/down/+/reply",
                                          NULL};
    const struct gw_broker_conf *conf = &bridge->conf->field;
    snprintf(bridge->client_id, sizeof bridge->client_id, "tide-gw-%s", bridge->conf->own.name);
    snprintf(bridge->beat_topic, sizeof bridge->beat_topic, "tide-gateway/%s/beat",
             bridge->conf->own.name);
    struct gw_field_conf field = {.uri = conf->uri,
                                  .client_id = bridge->client_id,
                                  .user = conf->user[0] != '\0' ? conf->user : NULL,
                                  .secret = conf->user[0] != '\0' ? bridge->field_secret : NULL,
                                  .ca_file = conf->ca_file[0] != '\0' ? conf->ca_file : NULL,
                                  .mqtt = (int)conf->mqtt,
                                  .filters = filters,
                                  .beat_topic = bridge->beat_topic,
                                  .on_message = on_field_message,
                                  .on_state = on_field_state,
                                  .arg = bridge};
    return gw_field_open(&bridge->field, &field);
}

static int open_people(struct gw_bridge *bridge)
{
    static const char *const more[] = {"tide/1/sys/+", NULL};
    const struct gw_broker_conf *conf = &bridge->conf->people;
    snprintf(bridge->down_prefix, sizeof bridge->down_prefix, "tide/1/%s/gw/%s/down/", conf->domain,
             conf->user);
    struct tide_client_conf people = {.uri = conf->uri,
                                      .domain = conf->domain,
                                      .user = conf->user,
                                      .secret = bridge->people_secret,
                                      .ca_file = conf->ca_file[0] != '\0' ? conf->ca_file : NULL,
                                      .gateway = true,
                                      .qos = 1,
                                      .subscriptions = more,
                                      .on_message = on_people_message,
                                      .on_state = on_people_state,
                                      .arg = bridge};
    return tide_client_open(&bridge->people, &people);
}

int gw_bridge_open(struct gw_bridge *bridge, const struct gw_conf *conf, int *ret_exit, char *why,
                   size_t why_cap)
{
    bridge->conf = conf;
    bridge->commands_fd = -1;
    bridge->now_ms = gw_elapsed_ms();
    bridge->real_ms = gw_real_ms();
    *ret_exit = EXIT_CONFIG;
    if (read_secrets(bridge, why, why_cap) != 0)
        return -1;
    *ret_exit = EXIT_FAILURE;
    if (open_state(bridge, why, why_cap, ret_exit) != 0 || open_devices(bridge, why, why_cap) != 0)
        return -1;
    if (open_field(bridge) != 0) {
        snprintf(why, why_cap, "%s: no connection can be made to such a broker", conf->field.uri);
        return -1;
    }
    int fault = open_people(bridge);
    if (fault != 0) {
        snprintf(why, why_cap, "%s: %s", conf->people.uri, tide_client_strerror(fault));
        return -1;
    }
    return 0;
}

/* ---- the loop ------------------------------------------------------------------------------- */
static void take_field_state(struct gw_bridge *bridge, bool up)
{
    struct gw_field_stats stats;
    gw_field_stats(bridge->field, &stats);
    log_event(up ? LOG_INFO_ : LOG_WARN_, "field",
              "\"line\":%s,\"nodelay\":%d,\"filters_refused\":%d,\"connects\":%llu",
              up ? "true" : "false", stats.nodelay, stats.refused,
              (unsigned long long)stats.connects);
}

static void take_item(struct gw_bridge *bridge, const struct gw_item *item)
{
    switch (item->kind) {
    case GW_ITEM_FIELD:
        gw_bridge_field(bridge, item);
        return;
    case GW_ITEM_PEOPLE:
        gw_bridge_people(bridge, item);
        return;
    case GW_ITEM_FIELD_STATE:
        take_field_state(bridge, item->up);
        return;
    case GW_ITEM_PEOPLE_STATE:
        gw_bridge_daemon(bridge, item->up, false);
        return;
    }
}

static void read_clocks(struct gw_bridge *bridge)
{
    bridge->now_ms = gw_elapsed_ms();
    bridge->real_ms = gw_real_ms();
}

static void drain(struct gw_bridge *bridge)
{
    struct gw_item *next;
    for (struct gw_item *item = gw_inbox_take(bridge->inbox); item != NULL; item = next) {
        next = item->next;
        read_clocks(bridge);
        take_item(bridge, item);
        /* A long queue must not make a car wait for more than its time. */
        gw_gate_tick(&bridge->gate, bridge->now_ms);
        free(item);
    }
}

/* Says once what went wrong since the last second. */
static void tell_troubles(struct gw_bridge *bridge)
{
    struct gw_inbox_stats inbox;
    uint64_t failures = gw_disk_failures(bridge->disk);
    gw_inbox_stats(bridge->inbox, &inbox);
    if (failures != bridge->disk_failures)
        log_event(LOG_ERROR_, "disk.failed", "\"times\":%llu", (unsigned long long)failures);
    if (inbox.dropped != bridge->dropped)
        log_event(LOG_ERROR_, "inbox.full", "\"dropped\":%llu", (unsigned long long)inbox.dropped);
    if (bridge->uplink.skipped != bridge->skipped)
        log_event(LOG_ERROR_, "fact.refused", "\"times\":%llu",
                  (unsigned long long)bridge->uplink.skipped);
    bridge->skipped = bridge->uplink.skipped;
    bridge->disk_failures = failures;
    bridge->dropped = inbox.dropped;
}

static void notify(struct gw_bridge *bridge)
{
    char state[160];
    struct gw_spool_stats stats;
    gw_spool_stats(bridge->spool, &stats);
    snprintf(state, sizeof state,
             "%sWATCHDOG=1\nSTATUS=daemon %s, field %s, %llu facts unacknowledged, %zu passes",
             bridge->ready ? "" : "READY=1\n",
             bridge->people_up && !bridge->daemon_down ? "answers" : "away",
             gw_field_is_up(bridge->field) ? "connected" : "away",
             (unsigned long long)stats.records, bridge->passes.count);
    bridge->ready = true;
    (void)notify_send(state);
}

static void every_second(struct gw_bridge *bridge)
{
    if (bridge->now_ms < bridge->second_ms)
        return;
    bridge->second_ms = bridge->now_ms + SECOND_MS;
    gw_bridge_slots(bridge);
    if (bridge->now_ms >= bridge->reconcile_ms) {
        bridge->reconcile_ms = bridge->now_ms + RECONCILE_MS;
        gw_bridge_reconcile(bridge);
    }
    gw_bridge_save(bridge, true);
    tell_troubles(bridge);
    notify(bridge);
}

static void tick(struct gw_bridge *bridge)
{
    struct gw_whitelist_io io = gw_bridge_list_io(bridge);
    read_clocks(bridge);
    gw_gate_tick(&bridge->gate, bridge->now_ms);
    gw_uplink_tick(&bridge->uplink, bridge->now_ms, bridge->real_ms);
    gw_field_tick(bridge->field, bridge->now_ms);
    for (size_t i = 0; i < bridge->conf->camera_count; i++)
        gw_whitelist_tick(&bridge->lists[i], &io, bridge->now_ms);
    gw_bridge_save(bridge, false);
    every_second(bridge);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_ms(const struct gw_bridge *bridge)
{
    int64_t due = least(bridge->second_ms, gw_gate_due(&bridge->gate));
    due = least(due, gw_uplink_due(&bridge->uplink));
    due = least(due, gw_field_due(bridge->field));
    for (size_t i = 0; i < bridge->conf->camera_count; i++)
        due = least(due, gw_whitelist_due(&bridge->lists[i]));
    int64_t left = due - gw_elapsed_ms();
    return left < 0 ? 0 : left > SECOND_MS ? SECOND_MS : (int)left;
}

static void take_signal(struct gw_bridge *bridge, int signal_fd)
{
    struct signalfd_siginfo info;
    if (read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP) {
        log_event(LOG_INFO_, "reload", "\"about\":\"restart the gateway to read its file anew\"");
        return;
    }
    bridge->stop = true;
}

void gw_bridge_run(struct gw_bridge *bridge, int signal_fd)
{
    struct pollfd fds[] = {{.fd = gw_inbox_fd(bridge->inbox), .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};
    while (!bridge->stop) {
        if (poll(fds, 2, wait_ms(bridge)) < 0 && errno != EINTR)
            abort(); /* only a programming error makes it fail */
        if (fds[1].revents != 0)
            take_signal(bridge, signal_fd);
        drain(bridge);
        tick(bridge);
    }
    (void)notify_send("STOPPING=1");
}

void gw_bridge_close(struct gw_bridge *bridge)
{
    if (bridge->spool != NULL && bridge->lists != NULL) {
        /* Cars that still wait are decided; their reports are kept for the next start. */
        gw_gate_state(&bridge->gate, false, gw_elapsed_ms());
        gw_bridge_save(bridge, true);
    }
    bridge->field = gw_field_close(bridge->field);
    bridge->people = tide_client_close(bridge->people);
    bridge->spool = gw_spool_close(bridge->spool);
    bridge->disk = gw_disk_close(bridge->disk);
    bridge->inbox = gw_inbox_close(bridge->inbox);
    for (size_t i = 0; bridge->lists != NULL && i < bridge->conf->camera_count; i++)
        gw_whitelist_done(&bridge->lists[i]);
    gw_passes_done(&bridge->passes);
    free(bridge->lists);
    free(bridge->slots);
    bridge->lists = NULL;
    bridge->slots = NULL;
    if (bridge->commands_fd >= 0)
        close(bridge->commands_fd);
    bridge->commands_fd = -1;
}
