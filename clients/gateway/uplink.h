/* uplink.h - from the spool to the daemon: in order, with a window, until acknowledged.
 *
 *   connected ──► hello ──► facts from the first unacknowledged on, at most `window` ahead of the
 *                           last acknowledgement
 *   5 s without progress ──► again from hello on (then 10, 20, 40, at most 60 s); a hello alone
 *                           counts as well: a broker that lost its sessions may have taken it
 *                           before the daemon was back to hear it
 *
 * hello says: what comes next is the fact after this one; all before is with you, or gone for good.
 * The daemon takes a fact only when it is the next one. So hello goes out again before a fact that
 * does not follow on the one before (damage on disk), and past a fact that the daemon does not
 * acknowledge although it acknowledges hello, four times in a row: that one is no fact to it, and
 * would hold up all others. A plate that is sent after its car was let in or turned away here is
 * history: "replay":true.
 */
#ifndef TIDE_GATEWAY_UPLINK_H
#define TIDE_GATEWAY_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/gateway/spool.h"

#define GW_UPLINK_WINDOW 200
#define GW_UPLINK_STALL_MS 5000
#define GW_UPLINK_STALL_MS_MAX 60000
#define GW_UPLINK_RETRY_MS 100
#define GW_UPLINK_REFUSALS 4

/* Publishes up/{kind}. 0, or another number: not taken, try again. */
typedef int gw_uplink_send_fn(void *arg, const char *kind, const char *json);

struct gw_uplink {
    struct gw_spool *spool;
    gw_uplink_send_fn *send;
    void *arg;
    int64_t answer_ms;              /* a plate older than this was decided here */
    bool up, greeted;               /* connected; hello is out */
    bool blocked;                   /* send refused: wait for retry_ms */
    uint32_t hello_boot, hello_seq; /* as said last */
    bool hello_acked;               /* and acknowledged, without more */
    bool hello_waits;               /* nothing was acknowledged since it went out */
    unsigned refused;               /* how often in a row */
    uint32_t last_boot, last_seq;   /* sent last, or said by hello */
    int64_t progress_ms;            /* elapsed: last acknowledgement, or when waiting began */
    int64_t retry_ms;
    int64_t stall_ms;
    uint64_t sent, resends, skipped; /* since the start */
};

void gw_uplink_begin(struct gw_uplink *uplink, struct gw_spool *spool, gw_uplink_send_fn *send,
                     void *arg, int64_t answer_ms);
/* The connection came or went; also called up again when the daemon started anew. */
void gw_uplink_state(struct gw_uplink *uplink, bool up, int64_t now_ms, int64_t real_ms);
/* Sends what may be sent. */
void gw_uplink_pump(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms);
void gw_uplink_ack(struct gw_uplink *uplink, uint32_t boot, uint32_t seq, int64_t now_ms,
                   int64_t real_ms);
/* Begins anew when nothing moved for too long. */
void gw_uplink_tick(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms);
/* Elapsed time of the next tick, INT64_MAX: none. */
int64_t gw_uplink_due(const struct gw_uplink *uplink);

#endif
