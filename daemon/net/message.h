/* message.h - one MQTT message in memory, and a bounded first-in-first-out row of them.
 *
 *     one allocation:  [topic_len | len | qos | retain | topic … NUL | payload …]
 *
 * Internal to daemon/net. Not thread-safe: inbox and outbox bring their own lock.
 */
#ifndef TIDE_NET_MESSAGE_H
#define TIDE_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_message {
    uint32_t topic_len, len;
    uint8_t qos;
    bool retain;
    char topic[]; /* NUL-terminated; the payload begins behind the NUL */
};

static inline const uint8_t *net_message_payload(const struct net_message *message)
{
    return (const uint8_t *)message->topic + message->topic_len + 1;
}

/* Copies. Returns NULL when there is no memory; freed with free(). */
struct net_message *net_message_new(const char *topic, size_t topic_len, const void *payload,
                                    size_t len, int qos, bool retain);

/* What it costs to keep one. */
size_t net_message_bytes(const struct net_message *message);

struct net_row {
    struct net_message **slots;
    uint32_t cap, first, count;
    size_t bytes, bytes_max;
};

/* 0, -1 when there is no memory. */
int net_row_init(struct net_row *row, uint32_t cap, size_t bytes_max);
/* Frees what it holds and itself. */
void net_row_done(struct net_row *row);
/* False when there is no room; then the message stays the caller's. */
bool net_row_push(struct net_row *row, struct net_message *message);
/* NULL when it is empty. The caller owns what it gets. */
struct net_message *net_row_pop(struct net_row *row);
/* Frees what it holds; returns how many. */
uint32_t net_row_clear(struct net_row *row);

#endif
