/* decoder.h - whatever a device says becomes one kind of event.
 *
 *   topic + bytes ──► envelope (chirpstack.c, vz.c) ──► payload (a model's decoder) ──► gw_event
 *
 * Decoders are pure: bytes in, event out; no state, no clock, no log. They believe nothing: every
 * length is checked, and what they do not know they say so. The polarity of a sensor is a constant
 * of its model, never guessed from a field's name.
 */
#ifndef TIDE_GATEWAY_DECODER_H
#define TIDE_GATEWAY_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/json.h"

enum gw_kind {
    GW_CHANGE,    /* the device reports a change */
    GW_HEARTBEAT, /* the device is alive; its state repairs a lost change */
    GW_START,     /* the device started */
    GW_STATUS,    /* battery only */
    GW_TAMPER,    /* moved or tilted: its reading means nothing */
    GW_PLATE,     /* a camera read a plate */
    GW_GATE,      /* an arm or a loop at a gate */
    GW_ALIVE      /* a camera is there */
};

#define GW_PLATE_CAP 32

/* One canonical event, whatever the source. */
struct gw_event {
    enum gw_kind kind;
    char device[GW_DEVICE_NAME_MAX]; /* from the topic, in the form of the configuration */
    int occupied;                    /* 1, 0; -1: does not say */
    int distance_mm;                 /* -1: measures none, or no echo */
    int battery_pct;                 /* -1: does not say */
    int battery_mv;                  /* -1: does not say */
    int temperature_dc;              /* 0.1 degree Celsius; INT16_MIN: does not say */
    uint32_t seq;                    /* the device's own counter, 0: none */
    int64_t device_ms;               /* the device's or its network's time, 0: none */
    bool replay;                     /* history: it opens nothing */
    uint64_t digest;                 /* of the source's own key: what comes twice counts once */

    char plate[GW_PLATE_CAP]; /* as the camera read it, UTF-8 */
    int confidence;           /* 0..100, -1: does not say */
    int trigger;              /* 臻识: 1 video, 2 loop, 4 software, 8 virtual loop */
    int gate_state;           /* GW_GATE: as the camera numbers it */
    bool identity_differs;    /* payload and topic name different devices: the topic counts */
};

enum gw_verdict {
    GW_DECODED = 0,
    GW_PASS_OVER = 1, /* well-formed, of no concern */
    GW_MALFORMED = -1
};

/* ---- sensors: a payload of a few bytes ------------------------------------------------------ */
struct gw_model {
    const char *name;
    bool by_distance; /* the state comes from a threshold on distance_mm */
    /* Fills what the bytes say; *ret begins as gw_event_none(). */
    enum gw_verdict (*decode)(unsigned port, const uint8_t *bytes, size_t len,
                              struct gw_event *ret);
};
extern const struct gw_model gw_bosch_tps110, gw_netvox_r719a, gw_milesight_em400;
/* NULL when no decoder is called so. */
const struct gw_model *gw_model_named(const char *name);
struct gw_event gw_event_none(void);

/* ---- ChirpStack v4 (v3 has the same shape where we look) ------------------------------------ */
/* Takes the EUI and the event ("up", "status") out of application/{id}/device/{eui}/event/{event}.
 * 0 or -1. */
int gw_chirpstack_topic(const char *topic, char *ret_eui, size_t eui_cap, char *ret_event,
                        size_t event_cap);
/* model: of the device that the topic names. */
enum gw_verdict gw_chirpstack_decode(const char *event, const cJSON *body,
                                     const struct gw_model *model, struct gw_event *ret);

/* ---- 臻识 plate camera: vz.c ------------------------------------------------------------------ */
enum gw_vz_form {
    GW_VZ_DEVICE_FIRST, /* device/{sn}/message/up/{name} */
    GW_VZ_SN_FIRST      /* {sn}/device/message/up/{name} */
};
struct gw_vz_topic {
    enum gw_vz_form form;
    char sn[GW_DEVICE_NAME_MAX];
    char name[32]; /* "ivs_result", "gpio_out" */
    bool reply;    /* .../down/{name}/reply */
};
int gw_vz_topic(const char *topic, struct gw_vz_topic *ret);
/* up/…: a plate, a loop, an arm, a sign of life. */
enum gw_verdict gw_vz_decode(const char *name, const cJSON *body, struct gw_event *ret);

struct gw_vz_reply {
    char id[24];
    int code; /* 200 is good */
};
int gw_vz_reply(const cJSON *body, struct gw_vz_reply *ret);

/* Texts for down/…; each returns its length, 0 when cap is too small. id names the message and
 * comes back in its reply; now_s is the camera's clock, seconds. */
size_t gw_vz_down_topic(char *out, size_t cap, enum gw_vz_form form, const char *sn,
                        const char *name);
size_t gw_vz_gpio_out(char *out, size_t cap, const char *sn, const char *id, int64_t now_s, int io,
                      int delay_ms);
/* verb "add", "update"; times are civil, written in the camera's local time. */
size_t gw_vz_list_put(char *out, size_t cap, const char *sn, const char *id, int64_t now_s,
                      const char *verb, const char *plate, int64_t from_ms, int64_t until_ms,
                      int utc_offset_min);
size_t gw_vz_list_delete(char *out, size_t cap, const char *sn, const char *id, int64_t now_s,
                         const char *plate);

/* Strict base64 with padding. Returns the bytes, -1 when it is none or cap is too small. */
int gw_base64(const char *text, uint8_t *out, size_t cap);
/* FNV-1a, 64 bits; digests of keys, not of secrets. */
uint64_t gw_digest(const char *text);

#endif
