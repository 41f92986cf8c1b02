/* mq.c - as little of MQTT 3.1.1 as thousands of clients in one thread need: see mq.h. */
#include "tests/chaos/mq.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_BYTES_MAX (64 * 1024)
#define PACKET_BYTES_MAX (1 << 20)
#define READ_BYTES 8192
#define KEEP_ALIVE_S 300

enum {
    CONNECT = 0x10,
    CONNACK = 0x20,
    PUBLISH = 0x30,
    PUBACK = 0x40,
    SUBSCRIBE = 0x82,
    SUBACK = 0x90,
    PINGREQ = 0xc0
};

/* ---- buffers -------------------------------------------------------------------------------- */

static uint8_t *room(struct mq_buffer *buffer, size_t more)
{
    if (buffer->len + more > buffer->cap) {
        size_t cap = buffer->cap != 0 ? buffer->cap : 512;
        while (cap < buffer->len + more)
            cap *= 2;
        uint8_t *bytes = realloc(buffer->bytes, cap);
        if (bytes == NULL)
            abort(); /* a test without memory has nothing to say */
        buffer->bytes = bytes;
        buffer->cap = cap;
    }
    return buffer->bytes + buffer->len;
}

static void put(struct mq_buffer *buffer, const void *bytes, size_t len)
{
    memcpy(room(buffer, len), bytes, len);
    buffer->len += len;
}

static void put_byte(struct mq_buffer *buffer, unsigned byte)
{
    uint8_t one = (uint8_t)byte;
    put(buffer, &one, 1);
}

static void put_u16(struct mq_buffer *buffer, unsigned value)
{
    put_byte(buffer, value >> 8);
    put_byte(buffer, value & 0xff);
}

static void put_text(struct mq_buffer *buffer, const char *text)
{
    size_t len = strlen(text);
    put_u16(buffer, (unsigned)len);
    put(buffer, text, len);
}

static void put_head(struct mq_buffer *buffer, unsigned type, size_t rest)
{
    put_byte(buffer, type);
    do {
        put_byte(buffer, (unsigned)(rest % 128) | (rest >= 128 ? 128u : 0));
        rest /= 128;
    } while (rest > 0);
}

static void drop_front(struct mq_buffer *buffer, size_t len)
{
    buffer->len -= len;
    if (buffer->len > 0)
        memmove(buffer->bytes, buffer->bytes + len, buffer->len);
}

static void buffer_done(struct mq_buffer *buffer)
{
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}

/* ---- out ------------------------------------------------------------------------------------ */

void mq_init(struct mq *mq)
{
    memset(mq, 0, sizeof *mq);
    mq->fd = -1;
}

static uint16_t next_id(struct mq *mq)
{
    mq->last_id = (uint16_t)(mq->last_id == UINT16_MAX ? 1 : mq->last_id + 1);
    return mq->last_id;
}

static void greet(struct mq *mq, const struct mq_identity *who)
{
    size_t rest = 10 + 6 + strlen(who->client_id) + strlen(who->user) + strlen(who->secret);
    put_head(&mq->out, CONNECT, rest);
    put_text(&mq->out, "MQTT");
    put_byte(&mq->out, 4);    /* 3.1.1 */
    put_byte(&mq->out, 0xc2); /* user, password, clean session */
    put_u16(&mq->out, KEEP_ALIVE_S);
    put_text(&mq->out, who->client_id);
    put_text(&mq->out, who->user);
    put_text(&mq->out, who->secret);
    put_head(&mq->out, SUBSCRIBE, 2 + 2 + strlen(who->filter) + 1);
    put_u16(&mq->out, next_id(mq));
    put_text(&mq->out, who->filter);
    put_byte(&mq->out, 1);
}

int mq_open(struct mq *mq, uint16_t port, const struct mq_identity *identity)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0 &&
        errno != EINPROGRESS) {
        (void)close(fd);
        return -1;
    }
    mq->fd = fd;
    mq->state = MQ_OPENING;
    mq->refused = false;
    greet(mq, identity);
    return 0;
}

void mq_close(struct mq *mq)
{
    if (mq->fd >= 0)
        (void)close(mq->fd); /* epoll forgets it by itself */
    buffer_done(&mq->in);
    buffer_done(&mq->out);
    mq->fd = -1;
    mq->state = MQ_CLOSED;
}

bool mq_publish(struct mq *mq, const char *topic, const char *body, size_t len, int qos)
{
    size_t topic_len = strlen(topic);
    if (mq->state != MQ_UP || mq->out.len + topic_len + len > OUT_BYTES_MAX)
        return false;
    put_head(&mq->out, PUBLISH | (unsigned)qos << 1, 2 + topic_len + (qos > 0 ? 2 : 0) + len);
    put_text(&mq->out, topic);
    if (qos > 0)
        put_u16(&mq->out, next_id(mq));
    put(&mq->out, body, len);
    return true;
}

void mq_ping(struct mq *mq)
{
    if (mq->state == MQ_UP)
        put_head(&mq->out, PINGREQ, 0);
}

bool mq_wants_write(const struct mq *mq)
{
    return mq->out.len > 0;
}

int mq_writable(struct mq *mq)
{
    while (mq->out.len > 0) {
        ssize_t sent = send(mq->fd, mq->out.bytes, mq->out.len, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (sent <= 0) {
            mq_close(mq);
            return -1;
        }
        drop_front(&mq->out, (size_t)sent);
    }
    return 0;
}

/* ---- in ------------------------------------------------------------------------------------- */

/* One packet's head: its type and where its rest lies. 0: not all there yet; -1: nonsense. */
static int head_of(const struct mq_buffer *in, size_t at, size_t *ret_head, size_t *ret_rest)
{
    size_t rest = 0, shift = 0, i = at + 1;
    do {
        if (i >= in->len)
            return 0;
        if (shift > 21)
            return -1;
        rest |= (size_t)(in->bytes[i] & 127) << shift;
        shift += 7;
    } while ((in->bytes[i++] & 128) != 0);
    if (rest > PACKET_BYTES_MAX)
        return -1;
    *ret_head = i - at;
    *ret_rest = rest;
    return i + rest <= in->len;
}

static int take_publish(struct mq *mq, unsigned type, const uint8_t *rest, size_t len,
                        mq_message_fn *fn, void *arg)
{
    if (len < 2)
        return -1;
    size_t topic_len = (size_t)rest[0] << 8 | rest[1], at = 2 + topic_len;
    unsigned qos = type >> 1 & 3;
    if (at > len || (qos > 0 && at + 2 > len))
        return -1;
    if (qos > 0) {
        put_head(&mq->out, PUBACK, 2);
        put(&mq->out, rest + at, 2);
        at += 2;
    }
    fn(arg, (const char *)rest + 2, topic_len, (const char *)rest + at, len - at);
    return 0;
}

static int take_packet(struct mq *mq, unsigned type, const uint8_t *rest, size_t len,
                       mq_message_fn *fn, void *arg)
{
    switch (type & 0xf0) {
    case CONNACK:
        mq->refused = len < 2 || rest[1] != 0;
        return mq->refused ? -1 : 0;
    case SUBACK:
        mq->state = MQ_UP;
        return 0;
    case PUBLISH:
        return take_publish(mq, type, rest, len, fn, arg);
    default:
        return 0;
    }
}

static int take_all(struct mq *mq, mq_message_fn *fn, void *arg)
{
    size_t at = 0, head = 0, rest = 0;
    int whole = 0;
    while (at < mq->in.len && (whole = head_of(&mq->in, at, &head, &rest)) > 0) {
        if (take_packet(mq, mq->in.bytes[at], mq->in.bytes + at + head, rest, fn, arg) != 0)
            return -1;
        at += head + rest;
    }
    drop_front(&mq->in, at);
    return whole < 0 ? -1 : 0;
}

int mq_readable(struct mq *mq, mq_message_fn *fn, void *arg)
{
    for (;;) {
        ssize_t got = recv(mq->fd, room(&mq->in, READ_BYTES), READ_BYTES, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (got > 0)
            mq->in.len += (size_t)got;
        if (got <= 0 || take_all(mq, fn, arg) != 0) {
            bool refused = mq->refused;
            mq_close(mq);
            mq->refused = refused;
            return -1;
        }
        if (got < READ_BYTES) {
            if (mq->in.len == 0)
                buffer_done(&mq->in);
            return 0;
        }
    }
}
