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

/* Something went out and nothing came back yet. */
static bool waits(const struct gw_uplink *uplink)
{
    return (uplink->greeted && uplink->hello_waits) || outstanding(uplink) > 0;
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

static bool say_hello(struct gw_uplink *uplink, uint32_t boot, uint32_t seq, int64_t now_ms)
{
    char json[64];
    snprintf(json, sizeof json, "{\"boot\":%u,\"seq\":%u}", boot, seq);
    if (uplink->send(uplink->arg, "hello", json) != 0) {
        block(uplink, now_ms);
        return false;
    }
    uplink->greeted = uplink->hello_waits = true;
    uplink->hello_acked = false;
    if (outstanding(uplink) == 0)
        uplink->progress_ms = now_ms;
    uplink->hello_boot = uplink->last_boot = boot;
    uplink->hello_seq = uplink->last_seq = seq;
    return true;
}

/* The cursor stands at the first unacknowledged fact. */
static bool greet(struct gw_uplink *uplink, int64_t now_ms)
{
    struct gw_fact fact;
    if (gw_spool_next(uplink->spool, &fact) == 0)
        return say_hello(uplink, gw_spool_boot(uplink->spool), gw_spool_seq(uplink->spool), now_ms);
    bool skip = uplink->refused >= GW_UPLINK_REFUSALS;
    bool said = say_hello(uplink, fact.boot, skip ? fact.seq : fact.seq - 1, now_ms);
    if (!said || !skip) {
        gw_spool_unread(uplink->spool);
        return said;
    }
    uplink->skipped++;
    uplink->refused = 0;
    return true;
}

static bool follows(const struct gw_uplink *uplink, const struct gw_fact *fact)
{
    return fact->boot == uplink->last_boot ? fact->seq == uplink->last_seq + 1
                                           : fact->boot > uplink->last_boot && fact->seq == 1;
}

/* Sends the next fact. false: there is none, or it must wait. */
static bool send_next(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    struct gw_fact fact;
    uint64_t ahead = outstanding(uplink);
    if (ahead >= GW_UPLINK_WINDOW || gw_spool_next(uplink->spool, &fact) == 0)
        return false;
    /* The daemon sees gaps within a boot only: a new boot waits until the old one is acknowledged.
     * A hole on our own disk waits too, for hello to lead over it. */
    bool leap = fact.boot != uplink->last_boot || !follows(uplink, &fact);
    if (leap && ahead > 0) {
        gw_spool_unread(uplink->spool);
        return false;
    }
    if (!follows(uplink, &fact)) {
        gw_spool_unread(uplink->spool);
        return greet(uplink, now_ms);
    }
    if (send_fact(uplink, &fact, real_ms) != 0) {
        gw_spool_unread(uplink->spool);
        block(uplink, now_ms);
        return false;
    }
    if (ahead == 0)
        uplink->progress_ms = now_ms;
    uplink->last_boot = fact.boot;
    uplink->last_seq = fact.seq;
    uplink->sent++;
    return true;
}

void gw_uplink_pump(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    if (!uplink->up || (uplink->blocked && now_ms < uplink->retry_ms))
        return;
    uplink->blocked = false;
    if (!uplink->greeted && !greet(uplink, now_ms))
        return;
    while (send_next(uplink, now_ms, real_ms)) {
    }
}

void gw_uplink_state(struct gw_uplink *uplink, bool up, int64_t now_ms, int64_t real_ms)
{
    uplink->up = up;
    uplink->greeted = uplink->blocked = false;
    uplink->hello_acked = false;
    uplink->refused = 0;
    uplink->stall_ms = GW_UPLINK_STALL_MS;
    uplink->progress_ms = now_ms;
    gw_spool_rewind(uplink->spool);
    gw_uplink_pump(uplink, now_ms, real_ms);
}

void gw_uplink_ack(struct gw_uplink *uplink, uint32_t boot, uint32_t seq, int64_t now_ms,
                   int64_t real_ms)
{
    uplink->hello_waits = false;
    if (gw_spool_ack(uplink->spool, boot, seq) == 0) {
        uplink->hello_acked |= boot == uplink->hello_boot && seq == uplink->hello_seq;
        return;
    }
    uplink->progress_ms = now_ms;
    uplink->stall_ms = GW_UPLINK_STALL_MS;
    uplink->hello_acked = false;
    uplink->refused = 0;
    gw_uplink_pump(uplink, now_ms, real_ms);
}

static void begin_anew(struct gw_uplink *uplink, int64_t now_ms)
{
    uplink->refused = uplink->hello_acked ? uplink->refused + 1 : 0;
    uplink->resends++;
    uplink->progress_ms = now_ms;
    uplink->stall_ms *= 2;
    if (uplink->stall_ms > GW_UPLINK_STALL_MS_MAX)
        uplink->stall_ms = GW_UPLINK_STALL_MS_MAX;
    uplink->greeted = false;
    gw_spool_rewind(uplink->spool);
}

void gw_uplink_tick(struct gw_uplink *uplink, int64_t now_ms, int64_t real_ms)
{
    if (uplink->up && waits(uplink) && now_ms - uplink->progress_ms >= uplink->stall_ms)
        begin_anew(uplink, now_ms);
    gw_uplink_pump(uplink, now_ms, real_ms);
}

int64_t gw_uplink_due(const struct gw_uplink *uplink)
{
    if (!uplink->up)
        return INT64_MAX;
    if (uplink->blocked)
        return uplink->retry_ms;
    return waits(uplink) ? uplink->progress_ms + uplink->stall_ms : INT64_MAX;
}
