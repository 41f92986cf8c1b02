/* inbox.c - see inbox.h. */
#include "clients/gateway/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct gw_inbox {
    pthread_mutex_t lock;
    struct gw_item *first, **tail;
    size_t items, bytes;
    struct gw_inbox_stats stats;
    int fd;
};

int gw_inbox_open(struct gw_inbox **ret)
{
    struct gw_inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return -1;
    inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->fd < 0) {
        free(inbox);
        return -1;
    }
    pthread_mutex_init(&inbox->lock, NULL);
    inbox->tail = &inbox->first;
    *ret = inbox;
    return 0;
}

struct gw_inbox *gw_inbox_close(struct gw_inbox *inbox)
{
    if (inbox == NULL)
        return NULL;
    for (struct gw_item *item = gw_inbox_take(inbox), *next; item != NULL; item = next) {
        next = item->next;
        free(item);
    }
    close(inbox->fd);
    pthread_mutex_destroy(&inbox->lock);
    free(inbox);
    return NULL;
}

int gw_inbox_fd(const struct gw_inbox *inbox)
{
    return inbox->fd;
}

static void link_in(struct gw_inbox *inbox, struct gw_item *item)
{
    bool was_empty = inbox->first == NULL;
    *inbox->tail = item;
    inbox->tail = &item->next;
    inbox->items++;
    inbox->bytes += item->len;
    if (was_empty) {
        uint64_t one = 1;
        (void)!write(inbox->fd, &one, sizeof one); /* full only when it is readable anyway */
    }
}

bool gw_inbox_put(struct gw_inbox *inbox, enum gw_item_kind kind, const char *topic,
                  const char *text, size_t len, int64_t now_ms)
{
    size_t topic_len = strlen(topic);
    struct gw_item *item = malloc(sizeof *item + topic_len + 1 + len + 1);
    bool kept = false;
    if (item != NULL) {
        char *at = (char *)(item + 1);
        memcpy(at, topic, topic_len + 1);
        memcpy(at + topic_len + 1, text, len);
        at[topic_len + 1 + len] = '\0';
        *item = (struct gw_item){.kind = kind,
                                 .received_ms = now_ms,
                                 .topic = at,
                                 .text = at + topic_len + 1,
                                 .len = len};
    }
    pthread_mutex_lock(&inbox->lock);
    if (item != NULL && inbox->items < GW_INBOX_ITEMS && inbox->bytes + len <= GW_INBOX_BYTES) {
        link_in(inbox, item);
        kept = true;
    } else {
        inbox->stats.dropped++;
    }
    pthread_mutex_unlock(&inbox->lock);
    if (!kept)
        free(item);
    return kept;
}

void gw_inbox_put_state(struct gw_inbox *inbox, enum gw_item_kind kind, bool up, int64_t now_ms)
{
    struct gw_item *item = calloc(1, sizeof *item);
    if (item == NULL)
        abort(); /* the loop would believe in a line that is gone; a restart is better */
    *item =
        (struct gw_item){.kind = kind, .up = up, .received_ms = now_ms, .topic = "", .text = ""};
    pthread_mutex_lock(&inbox->lock);
    link_in(inbox, item);
    pthread_mutex_unlock(&inbox->lock);
}

void gw_inbox_count_bad(struct gw_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->stats.bad++;
    pthread_mutex_unlock(&inbox->lock);
}

struct gw_item *gw_inbox_take(struct gw_inbox *inbox)
{
    uint64_t count;
    pthread_mutex_lock(&inbox->lock);
    (void)!read(inbox->fd, &count, sizeof count);
    struct gw_item *all = inbox->first;
    inbox->stats.taken += inbox->items;
    inbox->first = NULL;
    inbox->tail = &inbox->first;
    inbox->items = inbox->bytes = 0;
    pthread_mutex_unlock(&inbox->lock);
    return all;
}

void gw_inbox_stats(struct gw_inbox *inbox, struct gw_inbox_stats *ret)
{
    pthread_mutex_lock(&inbox->lock);
    *ret = inbox->stats;
    pthread_mutex_unlock(&inbox->lock);
}
