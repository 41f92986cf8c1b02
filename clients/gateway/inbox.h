/* inbox.h - from the threads of two MQTT libraries to our loop.
 *
 * paho calls back under a mutex of its whole process: a callback copies what is needed, signals and
 * returns. Bounded: past GW_INBOX_ITEMS or GW_INBOX_BYTES messages are counted and thrown away (the
 * device says it again with its next heartbeat, the daemon sends its facts' acknowledgement anew).
 */
#ifndef TIDE_GATEWAY_INBOX_H
#define TIDE_GATEWAY_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_INBOX_ITEMS 4096
#define GW_INBOX_BYTES (8u << 20)

enum gw_item_kind { GW_ITEM_FIELD, GW_ITEM_PEOPLE, GW_ITEM_FIELD_STATE, GW_ITEM_PEOPLE_STATE };

struct gw_item {
    struct gw_item *next;
    enum gw_item_kind kind;
    bool up;             /* of the two STATE kinds */
    int64_t received_ms; /* elapsed */
    const char *topic;   /* both in this block, NUL-terminated */
    const char *text;
    size_t len;
};

struct gw_inbox;

/* 0 or -1 with errno. */
int gw_inbox_open(struct gw_inbox **ret);
struct gw_inbox *gw_inbox_close(struct gw_inbox *inbox);
/* Readable when something waits. */
int gw_inbox_fd(const struct gw_inbox *inbox);

/* From any thread. Copies. false: full, counted. */
bool gw_inbox_put(struct gw_inbox *inbox, enum gw_item_kind kind, const char *topic,
                  const char *text, size_t len, int64_t now_ms);
void gw_inbox_put_state(struct gw_inbox *inbox, enum gw_item_kind kind, bool up, int64_t now_ms);
/* A message that was no JSON, or none that is bearable. */
void gw_inbox_count_bad(struct gw_inbox *inbox);

/* On the loop. All that waits, in order; the caller frees each. NULL: nothing. */
struct gw_item *gw_inbox_take(struct gw_inbox *inbox);
struct gw_inbox_stats {
    uint64_t taken, dropped, bad;
};
void gw_inbox_stats(struct gw_inbox *inbox, struct gw_inbox_stats *ret);

#endif
