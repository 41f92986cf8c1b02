/* bridge.h - the gateway put together: one loop between two brokers.
 *
 *   field broker ─► field.c ─┐                                  ┌─► libtide ─► people's broker
 *                            ├─► inbox ─► bridge loop ─► spool ─┤
 *   people's broker ─► libtide ┘     │      │   │   └─ uplink ──┘
 *                                    │      │   └─► passes, gate ─► field.c: gpio_out
 *                                    │      └─────► whitelist ────► field.c: white_list_operator
 *                                    └────────────► slot
 *
 * All state belongs to the loop's thread. The files share struct gw_bridge; nobody else sees in.
 */
#ifndef TIDE_GATEWAY_BRIDGE_H
#define TIDE_GATEWAY_BRIDGE_H

#include "clients/gateway/conf.h"
#include "clients/gateway/disk.h"
#include "clients/gateway/field.h"
#include "clients/gateway/gate.h"
#include "clients/gateway/inbox.h"
#include "clients/gateway/passes.h"
#include "clients/gateway/slot.h"
#include "clients/gateway/spool.h"
#include "clients/gateway/uplink.h"
#include "clients/gateway/whitelist.h"
#include "tide/client.h"

#define GW_SEEN_MAX 4096 /* digests remembered: what comes twice counts once */

struct gw_bridge {
    const struct gw_conf *conf;
    char people_secret[256], field_secret[256];
    char down_prefix[3 * GW_NAME_CAP + 32]; /* tide/1/{domain}/gw/{user}/down/ */
    char client_id[GW_NAME_CAP + 16];
    char beat_topic[GW_NAME_CAP + 32];

    struct gw_disk *disk;
    struct gw_spool *spool;
    struct gw_inbox *inbox;
    struct gw_field *field;
    struct tide_client *people;

    struct gw_uplink uplink;
    struct gw_gate gate;
    struct gw_passes passes;
    bool passes_changed;
    struct gw_slot *slots;                 /* as conf->devices */
    struct gw_whitelist *lists;            /* as conf->cameras */
    enum gw_vz_form forms[GW_CAMERAS_MAX]; /* how the camera's topics look */
    int arms[GW_CAMERAS_MAX];              /* last gate_state told, -2: none */
    int commands_fd;                       /* orders, for gw_gate_recall; -1: none */

    bool people_up, daemon_down;
    char node[GW_NAME_CAP]; /* of the daemon that said "up" last */

    uint64_t seen[GW_SEEN_MAX];
    unsigned seen_next;

    int64_t now_ms, real_ms;                  /* of this turn: elapsed, wall clock */
    int64_t second_ms;                        /* elapsed: next housekeeping */
    int64_t reconcile_ms;                     /* elapsed: next comparison of the white lists */
    uint64_t disk_failures, dropped, skipped; /* as last told */
    bool stop, ready;
};

/* Reads the secrets, recovers the state folder, begins both connections. 0; -1 with the reason in
 * why and the exit code in *ret_exit. The caller zeroes bridge, and calls gw_bridge_close in any
 * case. */
int gw_bridge_open(struct gw_bridge *bridge, const struct gw_conf *conf, int *ret_exit, char *why,
                   size_t why_cap);
/* Until SIGTERM or SIGINT (which must be blocked; signal_fd reads them). */
void gw_bridge_run(struct gw_bridge *bridge, int signal_fd);
void gw_bridge_close(struct gw_bridge *bridge);

/* ---- among the bridge's files --------------------------------------------------------------- */
int64_t gw_elapsed_ms(void); /* CLOCK_BOOTTIME */
int64_t gw_real_ms(void);

/* bridge_field.c: whether a topic concerns us (any thread), and what a message means (the loop). */
bool gw_bridge_wants(const char *topic);
void gw_bridge_field(struct gw_bridge *bridge, const struct gw_item *item);
/* Silent sensors, heartbeats that found no room: once a second. */
void gw_bridge_slots(struct gw_bridge *bridge);
/* bridge_people.c */
void gw_bridge_people(struct gw_bridge *bridge, const struct gw_item *item);
/* The line to the daemon, or what it says of itself, changed. */
void gw_bridge_daemon(struct gw_bridge *bridge, bool people_up, bool daemon_down);
/* bridge_out.c: facts, pulses, rows, files. */
void gw_bridge_fact(struct gw_bridge *bridge, enum gw_fact_kind kind, bool heartbeat,
                    const char *members, bool *ret_kept);
struct gw_gate_io gw_bridge_gate_io(struct gw_bridge *bridge);
struct gw_whitelist_io gw_bridge_list_io(struct gw_bridge *bridge);
int gw_bridge_send(void *bridge, const char *kind, const char *json); /* a gw_uplink_send_fn */
void gw_bridge_reply(struct gw_bridge *bridge, unsigned camera, const struct gw_vz_reply *reply);
int gw_bridge_load(struct gw_bridge *bridge); /* lists and orders; -1 only for lack of memory */
void gw_bridge_save(struct gw_bridge *bridge, bool all);
void gw_bridge_reconcile(struct gw_bridge *bridge);

#endif
