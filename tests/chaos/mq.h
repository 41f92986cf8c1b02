/* mq.h - as little of MQTT 3.1.1 as thousands of clients in one thread need.
 *
 * Not paho and not libtide: paho has one mutex and one receive thread for all clients of a process,
 * and an idle blind spot of 100 ms (see outbox.c); ten thousand of its clients measure paho. And
 * what is proved here should not lean on the library that ships. So: one non-blocking socket a
 * client, a buffer each way, made when there is something to put into it.
 *
 *     closed ──mq_open──► opening ──SUBACK──► up ──any error──► closed
 *                (CONNECT and SUBSCRIBE go out together, as the standard allows)
 */
#ifndef TIDE_CHAOS_MQ_H
#define TIDE_CHAOS_MQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mq_state { MQ_CLOSED, MQ_OPENING, MQ_UP };

struct mq_buffer {
    uint8_t *bytes;
    size_t len, cap;
};

struct mq {
    int fd; /* -1 when closed */
    enum mq_state state;
    bool refused; /* the broker knows us not (CONNACK other than 0) */
    uint16_t last_id;
    struct mq_buffer in, out;
};

struct mq_identity {
    const char *client_id, *user, *secret, *filter; /* filter: what to subscribe to, QoS 1 */
};

/* A message has come; the bytes are valid during the call only. */
typedef void mq_message_fn(void *arg, const char *topic, size_t topic_len, const char *body,
                           size_t len);

void mq_init(struct mq *mq);
/* Starts to connect to 127.0.0.1. 0, or -1 when there is no socket to be had. */
int mq_open(struct mq *mq, uint16_t port, const struct mq_identity *identity);
void mq_close(struct mq *mq);
/* Puts a PUBLISH into the buffer; false when the peer has taken nothing for too long (the buffer is
 * full) or the connection is not up. */
bool mq_publish(struct mq *mq, const char *topic, const char *body, size_t len, int qos);
void mq_ping(struct mq *mq);
/* Reads what there is. -1: the connection is over (and closed). */
int mq_readable(struct mq *mq, mq_message_fn *fn, void *arg);
/* Writes what the socket takes. -1: the connection is over. */
int mq_writable(struct mq *mq);
bool mq_wants_write(const struct mq *mq);

#endif
