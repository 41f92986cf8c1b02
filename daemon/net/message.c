/* message.c - messages and rows of them: see message.h. */
#include "daemon/net/message.h"

#include <stdlib.h>
#include <string.h>

struct net_message *net_message_new(const char *topic, size_t topic_len, const void *payload,
                                    size_t len, int qos, bool retain)
{
    if (topic_len > UINT16_MAX || len > UINT32_MAX / 2)
        return NULL;
    struct net_message *message = malloc(sizeof *message + topic_len + 1 + len);
    if (message == NULL)
        return NULL;
    *message = (struct net_message){.topic_len = (uint32_t)topic_len,
                                    .len = (uint32_t)len,
                                    .qos = (uint8_t)qos,
                                    .retain = retain};
    memcpy(message->topic, topic, topic_len);
    message->topic[topic_len] = '\0';
    if (len > 0)
        memcpy(message->topic + topic_len + 1, payload, len);
    return message;
}

size_t net_message_bytes(const struct net_message *message)
{
    return sizeof *message + message->topic_len + 1 + message->len;
}

int net_row_init(struct net_row *row, uint32_t cap, size_t bytes_max)
{
    *row = (struct net_row){.cap = cap, .bytes_max = bytes_max};
    row->slots = calloc(cap, sizeof(struct net_message *));
    return row->slots != NULL ? 0 : -1;
}

void net_row_done(struct net_row *row)
{
    net_row_clear(row);
    free(row->slots);
    row->slots = NULL;
    row->cap = 0;
}

bool net_row_push(struct net_row *row, struct net_message *message)
{
    size_t bytes = net_message_bytes(message);
    if (row->count == row->cap || bytes > row->bytes_max - row->bytes)
        return false;
    uint32_t at = row->first + row->count;
    row->slots[at < row->cap ? at : at - row->cap] = message;
    row->count++;
    row->bytes += bytes;
    return true;
}

struct net_message *net_row_pop(struct net_row *row)
{
    if (row->count == 0)
        return NULL;
    struct net_message *message = row->slots[row->first];
    row->first = row->first + 1 == row->cap ? 0 : row->first + 1;
    row->count--;
    row->bytes -= net_message_bytes(message);
    return message;
}

uint32_t net_row_clear(struct net_row *row)
{
    uint32_t cleared = row->count;
    for (uint32_t i = 0, at = row->first; i < cleared; i++) {
        free(row->slots[at]);
        row->slots[at] = NULL;
        at = at + 1 == row->cap ? 0 : at + 1;
    }
    row->count = 0;
    row->bytes = 0;
    return cleared;
}
