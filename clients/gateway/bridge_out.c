/* bridge_out.c - what goes out: facts, pulses, rows of white lists, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/gateway/bridge.h"
#include "clients/gateway/spool_file.h"
#include "daemon/ops/ops.h"

#define TEXT_CAP 1024
#define ROW_EXPIRY_S 10
#define ORDER_BYTES 24
#define SHORT_LIST 1000

/* ---- facts ---------------------------------------------------------------------------------- */
int gw_bridge_send(void *arg, const char *kind, const char *json)
{
    struct gw_bridge *bridge = arg;
    return tide_client_publish(bridge->people, kind, json);
}

void gw_bridge_fact(struct gw_bridge *bridge, enum gw_fact_kind kind, bool heartbeat,
                    const char *members, bool *ret_kept)
{
    uint32_t seq = 0;
    int fault = gw_spool_append(bridge->spool, kind, heartbeat, members, bridge->real_ms, &seq);
    *ret_kept = fault == 0;
    if (fault != 0 && !heartbeat)
        log_event(LOG_ERROR_, "spool.lost", "\"kind\":\"%s\",\"error\":%s", gw_fact_name(kind),
                  log_str(strerror(errno)));
    if (fault == 0)
        gw_uplink_pump(&bridge->uplink, bridge->now_ms, bridge->real_ms);
}

static void gate_fact(void *arg, enum gw_fact_kind kind, const char *members)
{
    bool kept;
    gw_bridge_fact(arg, kind, false, members, &kept);
}

/* ---- cameras -------------------------------------------------------------------------------- */
/* Our messages' ids: what it is, this boot, a number. Another boot's replies are of no concern. */
static void make_id(char out[static 24], char what, uint32_t boot, uint32_t serial)
{
    snprintf(out, 24, "%c-%08x-%08x", what, boot, serial);
}

static bool send_down(struct gw_bridge *bridge, unsigned camera, const char *name, const char *text,
                      uint32_t expiry_s)
{
    char topic[256];
    return gw_vz_down_topic(topic, sizeof topic, bridge->forms[camera],
                            bridge->conf->cameras[camera].device, name) > 0 &&
           gw_field_publish(bridge->field, topic, text, expiry_s);
}

static bool gate_pulse(void *arg, unsigned camera, uint32_t serial, int64_t valid_ms)
{
    struct gw_bridge *bridge = arg;
    const struct gw_camera_conf *conf = &bridge->conf->cameras[camera];
    char id[24], text[TEXT_CAP];
    make_id(id, 'p', gw_spool_boot(bridge->spool), serial);
    if (gw_vz_gpio_out(text, sizeof text, conf->device, id, bridge->real_ms / 1000,
                       (int)conf->gpio_io, (int)conf->pulse_delay_ms) == 0)
        return false;
    int64_t expiry_s = valid_ms > 5000 ? 5 : (valid_ms + 999) / 1000;
    return send_down(bridge, camera, "gpio_out", text, (uint32_t)expiry_s);
}

static bool gate_may_pass(void *arg, const char *plate)
{
    struct gw_bridge *bridge = arg;
    return gw_passes_may(&bridge->passes, plate,
                         gw_civil_ms(&bridge->passes.civil, bridge->real_ms));
}

static void gate_tell(void *arg, const char *what, unsigned camera, const char *plate,
                      int64_t wait_ms)
{
    struct gw_bridge *bridge = arg;
    log_event(LOG_INFO_, what, "\"lane\":%s,\"plate\":%s,\"wait_ms\":%lld",
              log_str(bridge->conf->cameras[camera].lane), log_str(plate), (long long)wait_ms);
}

static bool list_write(void *arg, const struct gw_camera_conf *conf, const char *verb,
                       const struct gw_row *row, uint32_t serial)
{
    struct gw_bridge *bridge = arg;
    unsigned camera = (unsigned)(conf - bridge->conf->cameras);
    char id[24], text[TEXT_CAP];
    int64_t now_s = bridge->real_ms / 1000;
    make_id(id, 'w', gw_spool_boot(bridge->spool), serial);
    size_t len =
        strcmp(verb, "delete") == 0
            ? gw_vz_list_delete(text, sizeof text, conf->device, id, now_s, row->plate)
            : gw_vz_list_put(text, sizeof text, conf->device, id, now_s, verb, row->plate,
                             row->from_ms, row->until_ms, (int)bridge->conf->own.utc_offset_min);
    return len > 0 && send_down(bridge, camera, "white_list_operator", text, ROW_EXPIRY_S);
}

static void list_tell(void *arg, const struct gw_camera_conf *conf, const char *what,
                      const char *plate)
{
    (void)arg;
    log_event(LOG_WARN_, what, "\"lane\":%s,\"plate\":%s", log_str(conf->lane), log_str(plate));
}

struct gw_whitelist_io gw_bridge_list_io(struct gw_bridge *bridge)
{
    return (struct gw_whitelist_io){.arg = bridge, .write = list_write, .tell = list_tell};
}

static bool read_id(const char *id, char *ret_what, uint32_t *ret_boot, uint32_t *ret_serial)
{
    char again[24];
    if (strlen(id) != 19)
        return false;
    *ret_what = id[0];
    *ret_boot = (uint32_t)strtoul(id + 2, NULL, 16);
    *ret_serial = (uint32_t)strtoul(id + 11, NULL, 16);
    make_id(again, id[0], *ret_boot, *ret_serial);
    return strcmp(again, id) == 0;
}

void gw_bridge_reply(struct gw_bridge *bridge, unsigned camera, const struct gw_vz_reply *reply)
{
    char what = 0;
    uint32_t boot = 0, serial = 0;
    struct gw_whitelist_io io = gw_bridge_list_io(bridge);
    if (!read_id(reply->id, &what, &boot, &serial) || boot != gw_spool_boot(bridge->spool))
        return; /* to somebody else's message, or to one of an earlier life */
    if (what == 'p')
        gw_gate_reply(&bridge->gate, camera, serial, reply->code);
    else if (what == 'w')
        gw_whitelist_reply(&bridge->lists[camera], &io, serial, reply->code, bridge->now_ms);
}

void gw_bridge_reconcile(struct gw_bridge *bridge)
{
    int64_t civil_ms = gw_civil_ms(&bridge->passes.civil, bridge->real_ms);
    for (size_t i = 0; i < bridge->conf->camera_count; i++)
        if (bridge->conf->cameras[i].white_list)
            gw_whitelist_reconcile(&bridge->lists[i], &bridge->passes, civil_ms, bridge->now_ms);
}

/* ---- files ---------------------------------------------------------------------------------- */
static void path_of(const struct gw_bridge *bridge, char *out, size_t cap, const char *name,
                    const char *tail)
{
    snprintf(out, cap, "%s/%s%s", bridge->conf->own.state_folder, name, tail);
}

/* An order in its place, in the page cache before the arm moves: that outlives our own crash, and a
 * power cut takes longer than an order is valid. */
static void gate_remember(void *arg, unsigned slot, const struct gw_order *order)
{
    struct gw_bridge *bridge = arg;
    uint8_t bytes[ORDER_BYTES] = {0};
    uint32_t words[2] = {order->command, order->ask};
    memcpy(bytes, words, sizeof words);
    memcpy(bytes + 8, &order->valid_until_ms, 8);
    bytes[16] = order->state;
    uint32_t crc = gw_crc32(bytes, ORDER_BYTES - 4);
    memcpy(bytes + ORDER_BYTES - 4, &crc, sizeof crc);
    if (bridge->commands_fd >= 0 &&
        pwrite(bridge->commands_fd, bytes, sizeof bytes, (off_t)slot * ORDER_BYTES) < 0)
        log_event(LOG_ERROR_, "orders.write", "\"error\":%s", log_str(strerror(errno)));
}

static void load_orders(struct gw_bridge *bridge)
{
    char path[GW_PATH_MAX + 64];
    uint8_t bytes[ORDER_BYTES];
    path_of(bridge, path, sizeof path, "orders", "");
    bridge->commands_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (unsigned slot = 0; bridge->commands_fd >= 0 && slot < GW_COMMANDS_MAX; slot++) {
        struct gw_order order = {.state = 0};
        uint32_t words[2], crc;
        if (pread(bridge->commands_fd, bytes, sizeof bytes, (off_t)slot * ORDER_BYTES) !=
            (ssize_t)sizeof bytes)
            return;
        memcpy(&crc, bytes + ORDER_BYTES - 4, sizeof crc);
        if (crc != gw_crc32(bytes, ORDER_BYTES - 4))
            continue;
        memcpy(words, bytes, sizeof words);
        memcpy(&order.valid_until_ms, bytes + 8, 8);
        order.command = words[0];
        order.ask = words[1];
        order.state = bytes[16] <= GW_ORDER_FAILED ? bytes[16] : GW_ORDER_FAILED;
        gw_gate_recall(&bridge->gate, slot, &order);
    }
}

struct gw_gate_io gw_bridge_gate_io(struct gw_bridge *bridge)
{
    return (struct gw_gate_io){.arg = bridge,
                               .fact = gate_fact,
                               .pulse = gate_pulse,
                               .may_pass = gate_may_pass,
                               .remember = gate_remember,
                               .tell = gate_tell};
}

int gw_bridge_load(struct gw_bridge *bridge)
{
    char path[GW_PATH_MAX + 64];
    path_of(bridge, path, sizeof path, "passes", "");
    if (gw_passes_read(&bridge->passes, path) != 0 && errno != ENOENT)
        log_event(LOG_ERROR_, "list.damaged", "\"file\":%s", log_str(path));
    for (size_t i = 0; i < bridge->conf->camera_count; i++) {
        gw_whitelist_begin(&bridge->lists[i], &bridge->conf->cameras[i]);
        path_of(bridge, path, sizeof path, "white-", bridge->conf->cameras[i].device);
        if (gw_whitelist_read(&bridge->lists[i], path) != 0 && errno != ENOENT)
            log_event(LOG_ERROR_, "list.damaged", "\"file\":%s", log_str(path));
    }
    load_orders(bridge);
    return 0;
}

static void save(struct gw_bridge *bridge, const char *path, char *text, size_t len)
{
    if (text == NULL || gw_disk_save(bridge->disk, path, text, len) != 0)
        log_event(LOG_ERROR_, "list.save", "\"file\":%s", log_str(path));
}

/* A row that was written and is not yet on disk as ours would be taken for somebody else's after a
 * crash. So short lists are saved on each change (the disk's thread takes what comes together),
 * long ones with the second. */
void gw_bridge_save(struct gw_bridge *bridge, bool all)
{
    char path[GW_PATH_MAX + 64];
    size_t len = 0;
    if (bridge->passes_changed && all) {
        bridge->passes_changed = false;
        path_of(bridge, path, sizeof path, "passes", "");
        char *text = gw_passes_write(&bridge->passes, &len);
        save(bridge, path, text, len);
    }
    for (size_t i = 0; i < bridge->conf->camera_count; i++) {
        struct gw_whitelist *list = &bridge->lists[i];
        if (!list->changed || (!all && list->count > SHORT_LIST))
            continue;
        path_of(bridge, path, sizeof path, "white-", bridge->conf->cameras[i].device);
        char *text = gw_whitelist_write(list, &len);
        save(bridge, path, text, len);
    }
}
