/* uplink.c - see uplink.h. */
#include "clients/gateway/uplink.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void gw_uplink_begin(struct gw_uplink *uplink, struct gw_spool *spool, gw_uplink_send_fn *send,
                     void *arg, int64_t answer_ms)
{
    *uplink = (struct gw_uplink){.spool = spool,
                                 .send = send,
                                 .arg = arg,
                                 .answer_ms = answer_ms,
                                 .stall_ms = GW_UPLINK_STALL_MS};
}

static uint64_t outstanding(const struct gw_uplink *uplink)
{
    struct gw_spool_stats stats;
    gw_spool_stats(uplink->spool, &stats);
    return stats.sent;
}

static void block(struct gw_uplink *uplink, int64_t now_ms)
{
    uplink->blocked = true;
    uplink->retry_ms = now_ms + GW_UPLINK_RETRY_MS;
}

/* Its car waits no longer: the list here has decided, or an earlier life of ours had to. */
static bool is_history(const struct gw_uplink *uplink, const struct gw_fact *fact, int64_t real_ms)
{
    if (fact->kind != GW_FACT_PLATE || strstr(fact->members, "\"replay\":true") != NULL)
        return false;
    return fact->boot != gw_spool_boot(uplink->spool) ||
           real_ms - fact->taken_ms > uplink->answer_ms || real_ms < fact->taken_ms;
}

static int send_fact(struct gw_uplink *uplink, const struct gw_fact *fact, int64_t real_ms)
{
    char json[GW_FACT_BYTES_MAX + 96];
    int n = snprintf(json, sizeof json, "{\"boot\":%u,\"seq\":%u,%s%s}", fact->boot, fact->seq,
                     fact->members, is_history(uplink, fact, real_ms) ? ",\"replay\":true" : "");
    assert(n > 0 && (size_t)n < sizeof json);
    return uplink->send(uplink->arg, gw_fact_name(fact->kind), json);
}

static bool greet(struct gw_uplink *uplink, int64_t now_ms)
{
    char json[64];
    struct gw_fact first = {.boot = gw_spool_boot(uplink->spool),
                            .seq = gw_spool_seq(uplink->spool) + 1};
    /* "What comes next is the one after this": whatever is before is with the daemon, or gone. */
    gw_spool_rewind(uplink->spool);
    if (gw_spool_next(uplink->spool, &first) == 1)
        gw_spool_unread(uplink->spool);
    snprintf(json, sizeof json, "{\"boot\":%u,\"seq\":%u}", first.boot, first.seq - 1);
    if (uplink->send(uplink->arg, "hello", json) != 0) {
        block(uplink, now_ms);
        return false;
    }
    uplink->greeted = true;
    return true;
}

void gw_uplink_pump(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    struct gw_fact fact;
    if (!uplink->up || (uplink->blocked && now_ms < uplink->retry_ms))
        return;
    uplink->blocked = false;
    if (!uplink->greeted && !greet(uplink, now_ms))
        return;
    uint64_t ahead = outstanding(uplink);
    while (ahead < GW_UPLINK_WINDOW && gw_spool_next(uplink->spool, &fact) == 1) {
        /* The daemon sees gaps within a boot only: a new boot waits until the old one is acked. */
        if (ahead > 0 && fact.boot != uplink->last_boot) {
            gw_spool_unread(uplink->spool);
            return;
        }
        uplink->last_boot = fact.boot;
        if (send_fact(uplink, &fact, real_ms) != 0) {
            gw_spool_unread(uplink->spool);
            block(uplink, now_ms);
            return;
        }
        if (ahead++ == 0)
            uplink->progress_ms = now_ms;
        uplink->sent++;
    }
}

void gw_uplink_state(struct gw_uplink *uplink, bool up, int64_t now_ms, int64_t real_ms)
{
    uplink->up = up;
    uplink->greeted = uplink->blocked = false;
    uplink->stall_ms = GW_UPLINK_STALL_MS;
    uplink->progress_ms = now_ms;
    gw_spool_rewind(uplink->spool);
    gw_uplink_pump(uplink, now_ms, real_ms);
}

void gw_uplink_greet(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    uplink->greeted = false;
    gw_uplink_pump(uplink, now_ms, real_ms);
}

void gw_uplink_ack(struct gw_uplink *uplink, uint32_t boot, uint32_t seq, int64_t now_ms,
                   int64_t real_ms)
{
    uplink->acks++;
    if (gw_spool_ack(uplink->spool, boot, seq) == 0)
        return;
    uplink->progress_ms = now_ms;
    uplink->stall_ms = GW_UPLINK_STALL_MS;
    gw_uplink_pump(uplink, now_ms, real_ms);
}

void gw_uplink_tick(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    if (uplink->up && outstanding(uplink) > 0 && now_ms - uplink->progress_ms >= uplink->stall_ms) {
        uplink->resends++;
        uplink->progress_ms = now_ms;
        uplink->stall_ms *= 2;
        if (uplink->stall_ms > GW_UPLINK_STALL_MS_MAX)
            uplink->stall_ms = GW_UPLINK_STALL_MS_MAX;
        gw_spool_rewind(uplink->spool);
    }
    gw_uplink_pump(uplink, now_ms, real_ms);
}

int64_t gw_uplink_due(const struct gw_uplink *uplink)
{
    if (!uplink->up)
        return INT64_MAX;
    if (uplink->blocked)
        return uplink->retry_ms;
    return outstanding(uplink) > 0 ? uplink->progress_ms + uplink->stall_ms : INT64_MAX;
}
