/* field.h - our connection to the devices' broker.
 *
 * Everything there is a stranger's: topics, sizes, contents. We subscribe only to what we can read,
 * take no retained messages (history), keep no session (what was said while we were away would look
 * as if it were said now, and lift an arm), and send at QoS 0 and only while connected (a pulse
 * that a library keeps for later is a pulse at the wrong moment).
 */
#ifndef TIDE_GATEWAY_FIELD_H
#define TIDE_GATEWAY_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_field;

#define GW_FIELD_PACKET_MAX (1 << 20) /* told to an MQTT 5 broker: larger ones it keeps */
#define GW_FIELD_BEAT_MS 400          /* keeps paho's receive thread awake */
#define GW_FIELD_FILTERS_MAX 16

struct gw_field_conf {
    const char *uri, *client_id;
    const char *user, *secret;  /* NULL: none */
    const char *ca_file;        /* NULL: none */
    int mqtt;                   /* 3 or 5 */
    const char *const *filters; /* NULL-terminated */
    const char *beat_topic;
    /* On paho's thread: must not block, nor call back into this. payload is borrowed. */
    void (*on_message)(void *arg, const char *topic, const void *payload, size_t len);
    void (*on_state)(void *arg, bool up);
    void *arg;
};

/* Begins to connect; keeps trying from gw_field_tick. 0 or -1. Signals must be blocked. */
int gw_field_open(struct gw_field **ret, const struct gw_field_conf *conf);
struct gw_field *gw_field_close(struct gw_field *field);

/* On the loop, at gw_field_due (elapsed): connects anew, beats. */
void gw_field_tick(struct gw_field *field, int64_t now_ms);
int64_t gw_field_due(const struct gw_field *field);
/* Connected, subscribed, and the last beat came back. */
bool gw_field_is_up(struct gw_field *field);
/* expiry_s: an MQTT 5 broker throws it away after. false: not connected. */
bool gw_field_publish(struct gw_field *field, const char *topic, const char *text,
                      uint32_t expiry_s);

struct gw_field_stats {
    uint64_t received, connects, beats; /* beats that came back */
    int nodelay;                        /* sockets on which Nagle was turned off */
    int refused;                        /* filters that the broker refused */
    int last_error;                     /* of the last attempt to connect */
};
void gw_field_stats(struct gw_field *field, struct gw_field_stats *ret);

#endif
