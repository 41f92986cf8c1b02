/* net.c - what lies between clients and daemon: messages come late, twice, out of order, or never.
 *
 *   request:  sent ── lost ─┐        a client asks again with the same rid until it has its answer
 *             │    └ late   │        or the rid's life is over
 *             ▼             ▼
 *           pump          retry      fact: the gateway's spool sends in order, again from the first
 *                                    that is not acknowledged
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define RETRY_MS 3000
#define RETRY_MS_MAX 600000
#define LIFE_MS_LEAST (2 * 60000)
#define LIFE_MS_MOST (3 * 3600000)
#define RESEND_MS 10000

static tide_ms on_the_way(struct sim *sim)
{
    if (sim_may(sim, SIM_FAULT_reorder) && sim_rng_chance(&sim->net, 30))
        return sim_rng_range(&sim->net, 500, 20000);
    return sim_rng_range(&sim->net, 2, 120);
}

static bool lost(struct sim *sim)
{
    return sim_may(sim, SIM_FAULT_lose) && sim_rng_chance(&sim->net, 25);
}

/* ---- requests ------------------------------------------------------------------------------ */
static struct sim_call *call_new(struct sim *sim, uint32_t person, const struct engine_event *event)
{
    struct sim_call *call = calloc(1, sizeof *call);
    if (call == NULL)
        abort();
    sim->calls = sim_grow(sim->calls, &sim->call_room, sim->call_count + 1, sizeof(void *));
    sim->calls[sim->call_count++] = call;
    call->person = person;
    call->event = *event;
    call->event.blob = NULL;
    if (event->blob_len > 0) {
        call->blob = malloc(event->blob_len);
        if (call->blob == NULL)
            abort();
        memcpy(call->blob, event->blob, event->blob_len);
        call->event.blob = call->blob;
    }
    return call;
}

static void send(struct sim *sim, uint32_t number)
{
    struct sim_call *call = sim->calls[number];
    call->attempts++;
    if (sim->clients[call->person].offline_until <= sim->real_ms && !lost(sim)) {
        sim_later(sim, on_the_way(sim), SIM_TODO_DELIVER, number, 0);
        if (sim_may(sim, SIM_FAULT_duplicate) && sim_rng_chance(&sim->net, 40))
            sim_later(sim, sim_rng_range(&sim->net, 1, 4 * 3600000), SIM_TODO_DELIVER, number, 0);
    }
    tide_ms wait = (tide_ms)RETRY_MS << (call->attempts < 8 ? call->attempts - 1 : 8);
    sim_later(sim, wait < RETRY_MS_MAX ? wait : RETRY_MS_MAX, SIM_TODO_RETRY, number, 0);
}

/* The same rid under another body: it must never be done. */
static void send_twin(struct sim *sim, const struct sim_call *call)
{
    struct engine_event other = call->event;
    if (other.kind == TIDE_REC_book)
        other.as.book.end_ms += TIDE_GRAIN_MS;
    else if (other.kind == TIDE_REC_cancel)
        other.as.cancel.booking++;
    else
        return;
    struct sim_call *twin = call_new(sim, call->person, &other);
    memcpy(twin->rid, call->rid, sizeof twin->rid);
    twin->expires_ms = call->expires_ms;
    twin->twin = true;
    sim_later(sim, 1000 + on_the_way(sim), SIM_TODO_DELIVER, sim->call_count - 1, 0);
}

uint32_t sim_net_call(struct sim *sim, uint32_t person, const struct engine_event *event,
                      uint32_t context)
{
    struct sim_client *client = &sim->clients[person];
    struct sim_call *call = call_new(sim, person, event);
    uint32_t number = sim->call_count - 1;
    snprintf(call->rid, sizeof call->rid, "p%u-%u", person, ++client->next_rid);
    call->event.user = sim->world.persons[person].user;
    call->expires_ms = sim->real_ms + sim_rng_range(&sim->net, LIFE_MS_LEAST, LIFE_MS_MOST);
    call->context = context;
    send(sim, number);
    if (sim_may(sim, SIM_FAULT_conflict) && sim_rng_chance(&sim->net, 20))
        send_twin(sim, call);
    return number;
}

void sim_net_retry(struct sim *sim, uint32_t number)
{
    struct sim_call *call = sim->calls[number];
    if (call->done)
        return;
    if (sim->real_ms > call->expires_ms + RETRY_MS_MAX) {
        call->done = true; /* gives up; what the daemon did, if anything, stands */
        return;
    }
    send(sim, number);
}

/* What is read may be read anew, and `invalid`, `busy`, `unavailable` bind nothing; all else
 * stands. */
static bool binds(const struct sim_call *call)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    if (call->answer == NULL || TIDE_EVENT_IS_ASK(call->event.kind))
        return false;
    while (engine_effect_next(call->answer, call->answer_len, &at, &verb, &kind, &any))
        if (verb == ENGINE_REPLY)
            return any.reply.code != TIDE_CODE_invalid && any.reply.code != TIDE_CODE_busy &&
                   any.reply.code != TIDE_CODE_unavailable;
    return false;
}

/* The daemon publishes a reply (once more, when it was asked once more). */
void sim_net_answer(struct sim *sim, uint32_t number, const uint8_t *effects, size_t len)
{
    struct sim_call *call = sim->calls[number];
    if (!binds(call)) {
        free(call->answer);
        call->answer = malloc(len > 0 ? len : 1);
        if (call->answer == NULL)
            abort();
        memcpy(call->answer, effects, len);
        call->answer_len = len;
    } else if (call->answer_len != len || memcmp(call->answer, effects, len) != 0) {
        sim_fail(sim, "rid %s of person %u got two different answers", call->rid, call->person);
        return;
    }
    if (call->twin || sim->clients[call->person].offline_until > sim->real_ms || lost(sim))
        return;
    sim_later(sim, on_the_way(sim), SIM_TODO_ANSWER, number, 0);
}

void sim_net_answered(struct sim *sim, uint32_t number)
{
    struct sim_call *call = sim->calls[number];
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    if (call->done)
        return;
    call->done = true;
    sim->stats.replies++;
    while (engine_effect_next(call->answer, call->answer_len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_REPLY)
            continue;
        if (any.reply.code != TIDE_CODE_ok)
            sim->stats.refusals++;
        sim_workload_reply(sim, number, &any.reply, call->answer, call->answer_len);
        return;
    }
    sim_fail(sim, "an answer without its head (rid %s)", call->rid);
}

/* ---- facts --------------------------------------------------------------------------------- */
static void spool_send(struct sim *sim, uint32_t gateway)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    if (g->offline_until > sim->real_ms)
        return;
    while (g->sent < g->spool_count) {
        if (g->sent > g->acked && g->spool[g->sent].boot != g->spool[g->acked].boot)
            return; /* gaps show within a boot only: the next one waits for the last one's ack */
        sim_later(sim, 30, SIM_TODO_FACT, gateway, g->sent);
        if (sim_may(sim, SIM_FAULT_duplicate) && sim_rng_chance(&sim->net, 20))
            sim_later(sim, sim_rng_range(&sim->net, 30, 90000), SIM_TODO_FACT, gateway, g->sent);
        g->sent++;
    }
}

static void number_fact(struct engine_event *event, uint32_t boot, uint32_t seq)
{
    const struct tide_record *desc = tide_record_of(event->kind);
    for (unsigned i = 0; i < desc->field_count; i++) {
        if (strcmp(desc->fields[i].name, "boot") == 0)
            tide_field_set(&desc->fields[i], &event->as, boot);
        if (strcmp(desc->fields[i].name, "seq") == 0)
            tide_field_set(&desc->fields[i], &event->as, seq);
    }
}

void sim_net_fact(struct sim *sim, uint32_t gateway, const struct engine_event *event,
                  uint32_t trip)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    g->spool = sim_grow(g->spool, &g->spool_room, g->spool_count + 1, sizeof *g->spool);
    struct sim_fact *fact = &g->spool[g->spool_count++];
    memset(fact, 0, sizeof *fact);
    fact->event = *event;
    fact->event.user = sim->world.gateways[gateway];
    fact->boot = g->boot;
    fact->seq = g->next_seq++;
    fact->trip = trip;
    number_fact(&fact->event, fact->boot, fact->seq);
    spool_send(sim, gateway);
}

void sim_net_fact_arrives(struct sim *sim, uint32_t gateway, uint32_t index)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    assert(index < g->spool_count);
    if (g->offline_until > sim->real_ms)
        return; /* went down on the way; sent again later */
    sim_pump_fact(sim, gateway, index);
}

/* Cumulative: all up to this one are safe. */
void sim_net_acked(struct sim *sim, uint32_t gateway, uint32_t boot, uint32_t seq)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    if (g->offline_until > sim->real_ms || lost(sim))
        return;
    while (g->acked < g->sent) {
        const struct sim_fact *fact = &g->spool[g->acked];
        if (fact->boot > boot || (fact->boot == boot && fact->seq > seq))
            break;
        if (!fact->taken) {
            sim_fail(sim, "fact %u.%u of gateway %u is acknowledged and was never taken",
                     fact->boot, fact->seq, gateway);
            return;
        }
        g->acked++;
    }
}

void sim_net_resend(struct sim *sim, uint32_t gateway)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    sim_later(sim, RESEND_MS + sim_rng_below(&sim->net, 5000), SIM_TODO_RESEND, gateway, 0);
    if (g->offline_until > sim->real_ms)
        return;
    g->sent = g->acked;
    spool_send(sim, gateway);
}

/* "What comes next is the one after this": said when the gateway is connected again. */
static void say_hello(struct sim *sim, uint32_t gateway)
{
    const struct sim_gateway *g = &sim->gateways[gateway];
    struct engine_event hello = sim_event(TIDE_REC_hello);
    hello.user = sim->world.gateways[gateway];
    hello.as.hello.boot = g->acked < g->spool_count ? g->spool[g->acked].boot : g->boot;
    hello.as.hello.seq = g->acked < g->spool_count ? g->spool[g->acked].seq - 1 : g->next_seq - 1;
    sim_pump_hello(sim, &hello);
}

void sim_net_connected(struct sim *sim, uint32_t gateway)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    if (g->offline_until > sim->real_ms)
        return;
    say_hello(sim, gateway);
    g->sent = g->acked;
    spool_send(sim, gateway);
}

/* The gateway starts anew; its spool outlived it, its numbers begin again under a higher boot. */
void sim_net_reboot(struct sim *sim, uint32_t gateway)
{
    struct sim_gateway *g = &sim->gateways[gateway];
    g->boot++;
    g->next_seq = 1;
}
