/* inbox.c - the bounded row between paho's receive thread and the loop: see inbox.h. */
#include "daemon/net/inbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "tide/limits.h"

/* Whoever finds the inbox full is told so: the side takes what a busy loop has not refused yet. */
#define SIDE_MAX 8192
#define SIDE_BYTES_MAX (8 << 20)

struct inbox {
    pthread_mutex_t lock;
    struct net_row row, side;
    bool shut;
    uint64_t received, dropped;
};

int inbox_new(struct inbox **ret, uint32_t max, size_t bytes_max)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return -1;
    pthread_mutex_init(&inbox->lock, NULL);
    if (net_row_init(&inbox->row, max, bytes_max) != 0 ||
        net_row_init(&inbox->side, SIDE_MAX, SIDE_BYTES_MAX) != 0) {
        inbox_free(inbox);
        return -1;
    }
    *ret = inbox;
    return 0;
}

struct inbox *inbox_free(struct inbox *inbox)
{
    if (inbox == NULL)
        return NULL;
    net_row_done(&inbox->row);
    net_row_done(&inbox->side);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
    return NULL;
}

bool inbox_push(struct inbox *inbox, const char *topic, size_t topic_len, const void *payload,
                size_t len, int qos)
{
    if (len > TIDE_PACKET_BYTES_MAX + 1)
        len = TIDE_PACKET_BYTES_MAX + 1;
    struct net_message *message = net_message_new(topic, topic_len, payload, len, qos, false);
    struct net_row *row = &inbox->row;
    bool kept = false, first = false;
    pthread_mutex_lock(&inbox->lock);
    if (!inbox->shut) {
        inbox->received++;
        first = row->count == 0;
        kept = message != NULL && net_row_push(row, message);
        if (!kept) {
            inbox->dropped++;
            row = &inbox->side; /* the loop looks here even while it takes nothing from the row */
            first = row->count == 0;
            kept = message != NULL && net_row_push(row, message);
        }
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!kept)
        free(message);
    return kept && first;
}

void inbox_shut(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->shut = true;
    pthread_mutex_unlock(&inbox->lock);
}

static uint32_t take(struct inbox *inbox, struct net_row *row, struct net_message **ret,
                     uint32_t cap)
{
    uint32_t count = 0;
    pthread_mutex_lock(&inbox->lock);
    while (count < cap && (ret[count] = net_row_pop(row)) != NULL)
        count++;
    pthread_mutex_unlock(&inbox->lock);
    return count;
}

uint32_t inbox_take(struct inbox *inbox, struct net_message **ret, uint32_t cap)
{
    return take(inbox, &inbox->row, ret, cap);
}

uint32_t inbox_take_overflow(struct inbox *inbox, struct net_message **ret, uint32_t cap)
{
    return take(inbox, &inbox->side, ret, cap);
}

void inbox_stats(struct inbox *inbox, struct inbox_stats *ret)
{
    pthread_mutex_lock(&inbox->lock);
    *ret = (struct inbox_stats){.received = inbox->received,
                                .dropped = inbox->dropped,
                                .depth = inbox->row.count,
                                .side = inbox->side.count};
    pthread_mutex_unlock(&inbox->lock);
}
