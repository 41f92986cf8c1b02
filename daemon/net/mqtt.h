/* mqtt.h - the daemon's one connection to the broker of the people.
 *
 *    paho's threads ──► inbox (bounded) ──uv_async──► loop: mqtt_message_fn
 *    loop: mqtt_publish ──► outbox (bounded) ──► outbox thread ──► paho, own send window
 *
 * facts on paho and mosquitto that shape this file stand in its .c files. One loop thread calls all
 * functions here.
 */
#ifndef TIDE_NET_MQTT_H
#define TIDE_NET_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct mqtt;

struct mqtt_message {
    const char *topic; /* NUL-terminated */
    size_t topic_len;
    const uint8_t *payload;
    size_t len;
    int qos;
};

/* On the loop, one a message, at most 256 in a row. Returns false to be asked again with the same
 * message later (back-pressure: the pump has no free batch) -- call mqtt_resume then. */
typedef bool mqtt_message_fn(void *arg, const struct mqtt_message *message);
/* On the loop after each turn in which messages were offered, taken or not: the pump commits its
 * batch. */
typedef void mqtt_turn_fn(void *arg);
/* On the loop: connected and subscribed (publish all retained state anew) or gone. */
typedef void mqtt_state_fn(void *arg, bool up);
/* On the loop: a message had to be thrown away because the inbox is full; refuse it with `busy`. */
typedef void mqtt_overflow_fn(void *arg, const struct mqtt_message *message);

struct mqtt_conf {
    const char *uri; /* tcp://127.0.0.1:1883 or ssl://... */
    const char *user, *secret;
    const char *client_id; /* NULL: user and a random number (who knows it can throw us out) */
    const char *ca_file;   /* NULL: none */
    const char *const *subscriptions;   /* NULL-terminated; QoS 1 */
    const char *will_topic, *will_body; /* retained; NULL: none */
    const char *heartbeat_topic;        /* self-subscribed, every 400 ms */
    uint32_t window;                    /* outstanding sends, 0: 1000 */
    uint32_t inbox_max, outbox_max;     /* messages, 0: 8192 / 65536 */
    mqtt_message_fn *on_message;
    mqtt_turn_fn *on_turn;
    mqtt_state_fn *on_state;
    mqtt_overflow_fn *on_overflow;
    void *arg;
};

/* Starts connecting; keeps trying until stopped. Returns 0 or -1 (bad configuration). */
int mqtt_start(struct mqtt **ret, uv_loop_t *loop, const struct mqtt_conf *conf);
void mqtt_resume(struct mqtt *mqtt);
bool mqtt_is_up(const struct mqtt *mqtt);

/* Copies and queues. Returns 0, -1 when the outbox is full or the broker is away and the message
 * is not worth keeping (all are: what matters is asked for again or published anew). */
int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t len, int qos,
                 bool retain);

struct mqtt_stats {
    uint64_t received, sent, inbox_dropped, outbox_dropped, reconnects;
    uint32_t inbox_depth, outbox_depth, in_flight;
    bool nodelay_set;
    uint64_t last_heartbeat_ms;     /* uv_now of the last one that came back */
    uint32_t in_flight_max, window; /* most so far; now allowed (the broker may want less) */
    uint64_t nudges;                /* empty messages that woke the client library */
    int refused_code;               /* MQTT reason of the last refused CONNECT or SUBSCRIBE, 0 */
};
void mqtt_stats(const struct mqtt *mqtt, struct mqtt_stats *ret);

/* Shutdown in two steps: no more input; then flush for at most wait_ms, disconnect and destroy off
 * the loop; done is called on the loop when nothing of it is left. */
void mqtt_stop_intake(struct mqtt *mqtt);
void mqtt_stop(struct mqtt *mqtt, unsigned wait_ms, void (*done)(void *arg), void *arg);

#endif
