/* mqlink.h - paho's side of the connection: connect, subscribe, send, be told.
 *
 *              step: time to try            CONNACK              SUBACK, all granted
 *     DOWN ─────────────────► CONNECTING ─────────► SUBSCRIBING ─────────────► UP
 *       ▲                         │                      │                     │
 *       └──── refused, too late ──┴──────────────────────┴──── connection lost ┘
 *
 * The steps are made by the outbox thread, the other changes by paho's threads. Reconnecting is
 * done here and not by paho, which looks at its timers every three seconds only, and tells nothing
 * of the broker's Receive Maximum when it reconnects by itself.
 *
 * Internal to daemon/net. The hooks run on paho's threads under paho's one mutex: they may not
 * block and may not call anything here.
 */
#ifndef TIDE_NET_MQLINK_H
#define TIDE_NET_MQLINK_H

#include "daemon/net/message.h"
#include "daemon/net/mqtt.h"

struct mqlink;

struct mqlink_hooks {
    void (*up)(void *arg, uint32_t send_max); /* 0: no limit of the broker's */
    void (*down)(void *arg);
    void (*arrived)(void *arg, const char *topic, size_t topic_len, const void *payload, size_t len,
                    int qos);
    void (*settled)(void *arg, uint32_t ticket);
    void *arg;
};

/* Copies what it needs of conf. Opens nothing yet. 0, -1 on bad configuration or no memory. */
int mqlink_new(struct mqlink **ret, const struct mqtt_conf *conf, const struct mqlink_hooks *hooks);

/* The outbox thread: */
void mqlink_step(struct mqlink *link);
int mqlink_send(struct mqlink *link, const struct net_message *message, uint32_t ticket);
void mqlink_nudge(struct mqlink *link);
/* Disconnects and destroys; takes up to two seconds. No hook runs afterwards. */
void mqlink_close(struct mqlink *link);

struct mqlink *mqlink_free(struct mqlink *link); /* after mqlink_close; returns NULL */

struct mqlink_stats {
    bool nodelay_set;
    int refused_code;
};
void mqlink_stats(struct mqlink *link, struct mqlink_stats *ret);

#endif
