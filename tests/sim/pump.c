/* pump.c - the daemon's stand-in: decode, deadlines, engine, batch.
 *
 *     call ── expired? ── seen? ── ticks ── engine_step ── add ──┐
 *     fact ─────────────────────── ticks ── engine_step ── add ──┤ pending: waits for its commit,
 *     ask  ─────────────────────── ticks ── engine_query ────────┘ then release.c
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define TICKS_MAX 20000
#define COMMIT_WAIT_MS 40
#define COMMIT_PERMILLE 300

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* ---- one step ------------------------------------------------------------------------------ */
struct sim_pending *sim_pump_pend(struct sim *sim, const struct engine_event *event)
{
    sim->pending =
        sim_grow(sim->pending, &sim->pending_room, sim->pending_count + 1, sizeof *sim->pending);
    struct sim_pending *p = &sim->pending[sim->pending_count++];
    memset(p, 0, sizeof *p);
    p->event = *event;
    if (event->blob_len > 0) {
        p->blob = copy_of(event->blob, event->blob_len);
        p->event.blob = p->blob;
    }
    p->effects = copy_of(sim->effects.buf, sim->effects.len);
    p->effects_len = sim->effects.len;
    return p;
}

void sim_pump_plan_commit(struct sim *sim)
{
    if (sim->commit_planned || sim->founding)
        return;
    sim->commit_planned = true;
    sim_later(sim, sim_rng_range(&sim->net, 1, COMMIT_WAIT_MS), SIM_TODO_COMMIT, 0, 0);
}

enum tide_code sim_pump_code(const uint8_t *effects, size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any))
        if (verb == ENGINE_REPLY)
            return (enum tide_code)any.reply.code;
    return TIDE_CODE_ok;
}

/* Decides an event and adds it to the open batch. Returns its row among the pending. */
struct sim_pending *sim_pump_decide(struct sim *sim, const struct engine_event *event,
                                    const struct store_origin *origin)
{
    sim->last_when_ms = event->when_ms;
    sim->effects.len = 0;
    sim->effects.count = 0;
    tape_add(sim->conf.tape, event);
    engine_step(sim->live, event, &sim->effects);
    if (event->kind != TIDE_REC_tick)
        tape_decided(sim->conf.tape, sim->effects.buf, sim->effects.len);
    enum tide_code code = sim_pump_code(sim->effects.buf, sim->effects.len);
    bool binds =
        code != TIDE_CODE_invalid && code != TIDE_CODE_busy && code != TIDE_CODE_unavailable;
    uint64_t seq = 0;
    if (binds) {
        seq = sim->journal->ops->add(sim->journal, origin, event, &sim->effects);
        if (seq == 0) {
            sim_pump_commit(sim);
            seq = sim->journal->ops->add(sim->journal, origin, event, &sim->effects);
        }
        if (seq == 0)
            sim_fail(sim, "an empty batch has no room for an event");
        sim->stats.events++;
    }
    sim_ring_event(sim->ring, seq, event);
    sim_ring_effects(sim->ring, sim->effects.buf, sim->effects.len);
    struct sim_pending *p = sim_pump_pend(sim, event);
    p->seq = seq;
    sim_pump_plan_commit(sim);
    return p;
}

void sim_pump_ticks(struct sim *sim)
{
    struct engine_event tick = sim_event(TIDE_REC_tick);
    tick.when_ms = sim_civil(sim);
    for (unsigned i = 0; engine_next_deadline(sim->live) <= tick.when_ms; i++) {
        if (i == TICKS_MAX) {
            sim_fail(sim, "deadlines do not come to an end");
            return;
        }
        sim->stats.ticks++;
        sim_pump_decide(sim, &tick, NULL);
    }
}

static void maybe_commit(struct sim *sim)
{
    if (!sim->failed && sim_rng_chance(&sim->net, COMMIT_PERMILLE))
        sim_pump_commit(sim);
    if (!sim->failed)
        sim_faults_after_event(sim);
}

/* ---- requests ------------------------------------------------------------------------------ */
static void refuse(struct sim *sim, uint32_t number, enum tide_code code)
{
    struct tide_reply reply = {.code = (uint8_t)code};
    uint8_t bytes[64] = {ENGINE_REPLY, TIDE_REC_reply};
    size_t used =
        tide_record_pack(tide_record_of(TIDE_REC_reply), &reply, bytes + 2, sizeof bytes - 2);
    struct sim_call *call = sim->calls[number];
    if (code == TIDE_CODE_expired) {
        sim->stats.expired++;
        call->done = true; /* over: whatever the client does, it is never done now */
        return;
    }
    sim_net_answer(sim, number, bytes, used + 2);
}

static void call_ask(struct sim *sim, uint32_t number, struct engine_event *event)
{
    sim_pump_ticks(sim);
    event->when_ms = sim_civil(sim);
    sim->effects.len = 0;
    sim->effects.count = 0;
    tape_add(sim->conf.tape, event);
    engine_query(sim->live, event, &sim->effects);
    tape_decided(sim->conf.tape, NULL, 0);
    sim->stats.asks++;
    sim_ring_event(sim->ring, 0, event);
    sim_ring_effects(sim->ring, sim->effects.buf, sim->effects.len);
    struct sim_pending *p = sim_pump_pend(sim, event);
    p->call = number + 1;
    sim_pump_plan_commit(sim);
}

/* The store forgets rids by the clock of today; simulated times lie years behind it. */
#define YEARS_AHEAD_MS (100 * 365 * TIDE_DAY_MS)

static void origin_of(struct sim *sim, const struct sim_call *call, struct store_origin *ret)
{
    size_t len = engine_event_pack(&call->event, sim->bytes, TIDE_EVENT_BLOB_BYTES_MAX + 1024);
    assert(len > 0);
    memset(ret, 0, sizeof *ret);
    ret->user = call->event.user;
    ret->expires_ms = call->expires_ms + YEARS_AHEAD_MS;
    memcpy(ret->rid, call->rid, sizeof ret->rid);
    sim->journal->ops->digest(sim->journal, sim->bytes, len, ret->digest);
}

static void call_execute(struct sim *sim, uint32_t number)
{
    struct sim_call *call = sim->calls[number];
    struct store_origin origin;
    struct engine_event event;
    const uint8_t *effects;
    size_t len;
    origin_of(sim, call, &origin);
    switch (sim->journal->ops->find(sim->journal, &origin, &effects, &len)) {
    case STORE_RID_KNOWN:
        sim->stats.repeats++;
        sim_net_answer(sim, number, effects, len);
        return;
    case STORE_RID_PENDING:
        return;
    case STORE_RID_CONFLICT:
        refuse(sim, number, TIDE_CODE_conflict);
        return;
    case STORE_RID_NEW:
        break;
    }
    if (call->executed) {
        sim_fail(sim, "rid %s was answered and is not known any more", call->rid);
        return;
    }
    sim_pump_ticks(sim);
    sim_pump_decode(sim, &call->event, &event);
    event.when_ms = sim_civil(sim);
    sim_pump_decide(sim, &event, &origin)->call = number + 1;
    maybe_commit(sim);
}

void sim_pump_call(struct sim *sim, uint32_t number)
{
    struct sim_call *call = sim->calls[number];
    if (sim->clients[call->person].offline_until > sim->real_ms)
        return;
    if (sim->real_ms >= call->expires_ms) {
        refuse(sim, number, TIDE_CODE_expired);
        return;
    }
    if (TIDE_EVENT_IS_ASK(call->event.kind)) {
        struct engine_event event;
        if (call->done)
            return;
        sim_pump_decode(sim, &call->event, &event);
        call_ask(sim, number, &event);
        return;
    }
    call_execute(sim, number);
}

void sim_pump_fact(struct sim *sim, uint32_t gateway, uint32_t index)
{
    struct sim_fact *fact = &sim->gateways[gateway].spool[index];
    struct engine_event event;
    if (sim_may(sim, SIM_FAULT_lose) && sim_rng_chance(&sim->bad, 10))
        return; /* the inbox was full: the gateway sends again */
    sim_pump_ticks(sim);
    sim_pump_decode(sim, &fact->event, &event);
    event.when_ms = sim_civil(sim);
    sim->stats.facts++;
    struct sim_pending *p = sim_pump_decide(sim, &event, NULL);
    p->fact = index + 1;
    p->gateway = gateway;
    maybe_commit(sim);
}

void sim_pump_hello(struct sim *sim, const struct engine_event *hello)
{
    struct engine_event event = *hello;
    sim_pump_ticks(sim);
    event.when_ms = sim_civil(sim);
    sim_pump_decide(sim, &event, NULL);
    maybe_commit(sim);
}

void sim_pump_clock(struct sim *sim, tide_ms old_ms, tide_ms new_ms, bool suspend)
{
    struct engine_event clock = sim_event(TIDE_REC_clock);
    clock.as.clock = (struct tide_clock){.old_ms = old_ms, .new_ms = new_ms, .suspend = suspend};
    clock.when_ms = new_ms > sim->last_when_ms ? new_ms : sim->last_when_ms;
    sim_pump_decide(sim, &clock, NULL);
    if (suspend && !sim->suspended)
        sim_later(sim, sim_rng_range(&sim->bad, 60000, 3600000), SIM_TODO_TRUST, 0, 0);
    sim->suspended = sim->suspended || suspend;
}
