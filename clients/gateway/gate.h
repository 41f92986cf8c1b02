/* gate.h - a car stands before the arm: who decides, and when.
 *
 *        plate ──► question to the daemon ──┬── its command within answer_ms ──► pulse, done
 *                  (fact `plate`, ask n)    │
 *                                           └── none ──► our own list ──► pulse or not,
 *                                                        fact `gate` (what we decided)
 *
 *   - An arm is never lifted after the command's valid_until, nor for history (a replayed plate).
 *   - A question is decided once. What comes later for it is answered `failed` and lifts nothing.
 *   - A command that comes twice pulses once and is answered as before.
 *   - Without a connection nobody is waited for. Who leaves (a lane out) is never held.
 *
 * The rules are pure: time comes in, what is to be done goes out through gw_gate_io.
 */
#ifndef TIDE_GATEWAY_GATE_H
#define TIDE_GATEWAY_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/decoder.h"
#include "clients/gateway/spool.h"

#define GW_ASKS_MAX 256     /* remembered, the oldest fall out; one a camera is open at most */
#define GW_COMMANDS_MAX 256 /* remembered */
#define GW_REPLY_MS 2000    /* a camera must acknowledge a pulse within */

enum gw_ask_state { GW_ASK_NONE, GW_ASK_OPEN, GW_ASK_ANSWERED, GW_ASK_LOCAL };
struct gw_ask {
    uint32_t ask;
    uint8_t state, camera; /* enum gw_ask_state; index of the camera */
    char plate[GW_PLATE_CAP];
    int64_t due_ms;    /* elapsed: when our own list decides */
    int64_t device_ms; /* for the report */
};

enum gw_order_state { GW_ORDER_NONE, GW_ORDER_PULSED, GW_ORDER_DONE, GW_ORDER_FAILED };
struct gw_order {
    uint32_t command, ask;
    int64_t valid_until_ms; /* with the above its identity: a restored daemon counts anew */
    uint8_t state;          /* enum gw_order_state */
    uint8_t camera;
    int64_t due_ms;  /* PULSED: give up waiting for the camera */
    uint32_t serial; /* of the pulse, comes back in the camera's reply */
};

/* down/command */
struct gw_command {
    uint32_t command, ask;
    bool open;
    char lane[GW_NAME_CAP];
    char plate[GW_PLATE_CAP];
    int64_t valid_until_ms; /* wall clock */
};

struct gw_gate_io {
    void *arg;
    /* Keeps and sends a fact. */
    void (*fact)(void *arg, enum gw_fact_kind kind, const char *members);
    /* Lifts the camera's arm; valid_ms: how long the order is good. false: no line to it. */
    bool (*pulse)(void *arg, unsigned camera, uint32_t serial, int64_t valid_ms);
    /* Does our own list let it in? */
    bool (*may_pass)(void *arg, const char *plate);
    /* An order's state changed: kept so that a restart does not pulse again. slot: its place. */
    void (*remember)(void *arg, unsigned slot, const struct gw_order *order);
    /* For the log: "asked", "opened", "denied", "late", ... wait_ms since the plate, -1: none. */
    void (*tell)(void *arg, const char *what, unsigned camera, const char *plate, int64_t wait_ms);
};

struct gw_gate {
    const struct gw_conf *conf;
    struct gw_gate_io io;
    bool up; /* the daemon can be asked */
    uint32_t ask_base, ask_count, serial;
    struct gw_ask asks[GW_ASKS_MAX];
    unsigned ask_next;
    struct gw_order orders[GW_COMMANDS_MAX];
    unsigned order_next;
    uint32_t recalled;            /* the highest command that was recalled */
    int open_ask[GW_CAMERAS_MAX]; /* place in asks of the camera's open question, -1: none */
};

void gw_gate_begin(struct gw_gate *gate, const struct gw_conf *conf, const struct gw_gate_io *io,
                   uint32_t boot);
/* What was kept by io.remember, before anything else happens. */
void gw_gate_recall(struct gw_gate *gate, unsigned slot, const struct gw_order *order);

/* A camera read a plate (normalised). received_ms: elapsed, when it came in. at_ms: civil. */
void gw_gate_plate(struct gw_gate *gate, unsigned camera, const char *plate, int64_t at_ms,
                   bool replay, int64_t received_ms);
void gw_gate_command(struct gw_gate *gate, const struct gw_command *command, int64_t now_ms,
                     int64_t real_ms);
/* A camera acknowledged pulse `serial`. */
void gw_gate_reply(struct gw_gate *gate, unsigned camera, uint32_t serial, int code);
/* The connection to the daemon came or went. Gone: what is open is decided now. */
void gw_gate_state(struct gw_gate *gate, bool up, int64_t now_ms);
void gw_gate_tick(struct gw_gate *gate, int64_t now_ms);
/* Elapsed time of the next tick, INT64_MAX: none. */
int64_t gw_gate_due(const struct gw_gate *gate);

#endif
