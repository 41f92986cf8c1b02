/* outbox.h - what waits to be sent, and the thread that sends it.
 *
 *     loop ── put ──► [ row: at most max ] ──► outbox thread ── send() ──► paho
 *                                                   ▲                       │
 *                                    window: at most so many under way      │
 *                                                   └──── outbox_done ◄─────┘
 *
 * The window is ours because paho's is not usable: past the broker's Receive Maximum its sender
 * stops until some timer fires (26 messages a second). The thread is there because sending takes
 * paho's one mutex, which callbacks hold: the loop must never wait for it.
 *
 * A lost connection empties the row: replies are asked for again, commands are re-sent, retained
 * state is published anew.
 */
#ifndef TIDE_NET_OUTBOX_H
#define TIDE_NET_OUTBOX_H

#include "daemon/net/message.h"

struct outbox;

struct outbox_conf {
    uint32_t max, window;
    size_t bytes_max;
    /* All on the outbox thread, without the lock. */
    /* Hands one message to the client library; on 0 outbox_done(ticket) must follow from any
     * thread, else nothing will. */
    int (*send)(void *arg, const struct net_message *message, uint32_t ticket);
    /* Nothing came back for a while: perhaps a lost wake-up of the library's own thread. */
    void (*nudge)(void *arg);
    /* While shut: tries to connect, looks after time-outs. Called about every 100 ms and after
     * outbox_shut. */
    void (*idle)(void *arg);
    /* The last thing the thread does: disconnect, destroy. */
    void (*end)(void *arg);
    void *arg;
};

/* Starts shut. 0, -1 when there is no memory or no thread. */
int outbox_start(struct outbox **ret, const struct outbox_conf *conf);

/* Any thread: a connection is there; at most window_limit (0: as configured) may be under way.
 * Completions of earlier connections count no more. */
void outbox_open(struct outbox *outbox, uint32_t window_limit);
/* Any thread: it is gone. */
void outbox_shut(struct outbox *outbox);
/* Any thread: a message is settled, well or not. */
void outbox_done(struct outbox *outbox, uint32_t ticket);

/* Takes the message over in any case. 0, -1 when it was thrown away (shut or full). */
int outbox_put(struct outbox *outbox, struct net_message *message);

/* Sends what waits and waits for its completion, for at most wait_ms; then end() and the thread is
 * over. Returns at once; follow with outbox_join after end() ran. */
void outbox_stop(struct outbox *outbox, unsigned wait_ms);
/* Waits for the thread (which has called end) and frees. Returns NULL. */
struct outbox *outbox_join(struct outbox *outbox);

struct outbox_stats {
    uint64_t sent, dropped, nudges;
    uint32_t depth, under_way, under_way_max, window;
};
void outbox_stats(struct outbox *outbox, struct outbox_stats *ret);

#endif
