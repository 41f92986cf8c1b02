/* inbox.h - what came from the broker and waits for the loop.
 *
 *     paho's thread ── push ──►  [ row: at most max ]  ── take ──► loop
 *                        └────►  [ side: 8192     ]  ── take_overflow ──► loop answers `busy`
 *                        └────►  counted, gone
 *
 * A full inbox is answered, not silent: the side row holds some of those that found no place, so
 * that the loop can refuse them; only what does not fit there either is lost without a word, and
 * the sender repeats it.
 */
#ifndef TIDE_NET_INBOX_H
#define TIDE_NET_INBOX_H

#include "daemon/net/message.h"

struct inbox;

/* 0, -1 when there is no memory. */
int inbox_new(struct inbox **ret, uint32_t max, size_t bytes_max);
struct inbox *inbox_free(struct inbox *inbox); /* NULL is fine; returns NULL */

/* Any thread. Copies; cuts a payload to TIDE_PACKET_BYTES_MAX + 1 bytes, which no request may
 * have. Returns true when the loop must be woken: its row was empty before. */
bool inbox_push(struct inbox *inbox, const char *topic, size_t topic_len, const void *payload,
                size_t len, int qos);
/* From now on push throws everything away (shutdown); what waits may still be taken. */
void inbox_shut(struct inbox *inbox);

/* The loop. Gives at most cap messages, oldest first; the caller frees them. */
uint32_t inbox_take(struct inbox *inbox, struct net_message **ret, uint32_t cap);
uint32_t inbox_take_overflow(struct inbox *inbox, struct net_message **ret, uint32_t cap);

struct inbox_stats {
    uint64_t received, dropped; /* dropped: found no place, answered or not */
    uint32_t depth, side;
};
void inbox_stats(struct inbox *inbox, struct inbox_stats *ret);

#endif
