/* release.c - what is durable now: audited, decided again, and told.
 *
 * What the live engine decided is believed only when it is durable. The shadow engine gets exactly
 * the durable events and never dies; from the same events it must decide the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

/* ---- releasing ----------------------------------------------------------------------------- */
/* The first effect in which two runs of effects differ. */
static void say_difference(struct sim *sim, const uint8_t *a, size_t a_len, const uint8_t *b,
                           size_t b_len)
{
    size_t at = 0, next = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(a, a_len, &next, &verb, &kind, &any) && next <= b_len &&
           memcmp(a + at, b + at, next - at) == 0)
        at = next;
    sim_ring_say(sim->ring, "  the live engine decided from here on:");
    sim_ring_effects(sim->ring, a + at, a_len - at);
    sim_ring_say(sim->ring, "  the shadow engine decides instead:");
    sim_ring_effects(sim->ring, b + at, b_len - at);
}

static void shadow_decides(struct sim *sim, const struct sim_pending *p)
{
    sim->again.len = 0;
    sim->again.count = 0;
    if (p->seq == 0 && TIDE_EVENT_IS_ASK(p->event.kind))
        engine_query(sim->shadow, &p->event, &sim->again);
    else
        engine_step(sim->shadow, &p->event, &sim->again);
    if (sim->again.len == p->effects_len && memcmp(sim->again.buf, p->effects, p->effects_len) == 0)
        return;
    say_difference(sim, p->effects, p->effects_len, sim->again.buf, sim->again.len);
    sim_fail(sim, "event %llu (%s) decided again gives other effects", (unsigned long long)p->seq,
             tide_record_of(p->event.kind)->name);
}

static void tell_devices(struct sim *sim, const struct sim_pending *p)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(p->effects, p->effects_len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_PUT)
            continue;
        if (kind == TIDE_REC_command && any.command.state == TIDE_COMMAND_STATE_sent)
            sim_cars_command(sim, &any.command);
        if (kind == TIDE_REC_booking) {
            sim->stats.waited += any.booking.waiting != 0 && TIDE_BOOKING_LIVE(any.booking.state) &&
                                 any.booking.made_ms == p->event.when_ms;
            sim->stats.bookings += any.booking.made_ms == p->event.when_ms &&
                                   any.booking.moves == 0 &&
                                   any.booking.state == TIDE_BOOKING_STATE_booked;
            sim->stats.kept += any.booking.state == TIDE_BOOKING_STATE_kept;
            sim->stats.cancelled += any.booking.state == TIDE_BOOKING_STATE_cancelled;
            sim->stats.no_shows += any.booking.state == TIDE_BOOKING_STATE_no_show;
            sim->stats.broken += any.booking.state == TIDE_BOOKING_STATE_broken;
        }
    }
}

/* Durable now: audited, decided again, and, when somebody is there to tell, told. */
static void release(struct sim *sim, struct sim_pending *p, bool tell)
{
    if (p->seq != 0) {
        sim->durable_seq = p->seq;
        audit_event(sim->audit, p->seq, &p->event, p->effects, p->effects_len);
        if (sim->golden != NULL)
            golden_add(sim->golden, &p->event, p->effects, p->effects_len);
    } else {
        audit_answer(sim->audit, &p->event, p->effects, p->effects_len);
        if (sim->golden != NULL && TIDE_EVENT_IS_ASK(p->event.kind))
            golden_add(sim->golden, &p->event, p->effects, p->effects_len);
    }
    if (audit_violations(sim->audit) > 0)
        sim_fail(sim, "%s", audit_first(sim->audit));
    if (sim->failed)
        return;
    if (sim->conf.done != NULL)
        sim->conf.done[p->event.kind] += sim_pump_code(p->effects, p->effects_len) == TIDE_CODE_ok;
    shadow_decides(sim, p);
    if (p->fact != 0 && sim_pump_code(p->effects, p->effects_len) != TIDE_CODE_stale)
        sim->gateways[p->gateway].spool[p->fact - 1].taken = true;
    if (!tell)
        return;
    if (p->call != 0) {
        sim->calls[p->call - 1]->executed = p->seq != 0;
        sim_net_answer(sim, p->call - 1, p->effects, p->effects_len);
    }
    tell_devices(sim, p);
    if (p->fact != 0) {
        const struct sim_fact *fact = &sim->gateways[p->gateway].spool[p->fact - 1];
        const struct tide_gateway_cursor *cursor = engine_find(
            sim->shadow, TIDE_REC_gateway_cursor, sim->world.gateways[p->gateway], 0, 0);
        if (cursor != NULL && cursor->boot >= fact->boot)
            sim_net_acked(sim, p->gateway, cursor->boot, cursor->seq);
    }
}

void sim_pump_unpend(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->pending_count; i++) {
        free(sim->pending[i].blob);
        free(sim->pending[i].effects);
    }
    sim->pending_count = 0;
}

void sim_pump_release(struct sim *sim, bool tell)
{
    for (uint32_t i = 0; i < sim->pending_count && !sim->failed; i++) {
        struct sim_pending *p = &sim->pending[i];
        if (tell || p->seq != 0)
            release(sim, p, tell);
    }
    sim_pump_unpend(sim);
}

struct row_check {
    struct sim *sim;
    uint32_t next;
};

/* What the journal says it made durable must be what was given to it. */
static void row_is_durable(void *arg, const struct store_row *row)
{
    struct row_check *check = arg;
    struct sim *sim = check->sim;
    while (check->next < sim->pending_count && sim->pending[check->next].seq == 0)
        check->next++;
    if (check->next == sim->pending_count) {
        sim_fail(sim, "the journal released more rows than it was given");
        return;
    }
    const struct sim_pending *p = &sim->pending[check->next++];
    if (p->seq != row->seq || p->event.when_ms != row->when_ms ||
        p->effects_len != row->effects_len ||
        memcmp(p->effects, row->effects, row->effects_len) != 0)
        sim_fail(sim, "the journal released row %llu in place of %llu",
                 (unsigned long long)row->seq, (unsigned long long)p->seq);
}

static void sim_pump_commit_now(struct sim *sim, bool hold)
{
    struct row_check check = {.sim = sim};
    if (sim->journal->ops->commit(sim->journal, hold, row_is_durable, &check) != 0) {
        sim_fail(sim, "the journal could not commit");
        return;
    }
    while (check.next < sim->pending_count && sim->pending[check.next].seq == 0)
        check.next++;
    if (!sim->failed && check.next != sim->pending_count)
        sim_fail(sim, "the journal did not release all rows of a batch");
    sim_pump_release(sim, true);
}

void sim_pump_commit(struct sim *sim)
{
    if (sim->hold_commits > 0)
        return; /* a kill is near; it shall find an open batch */
    if (sim->pending_count > 0)
        sim_pump_commit_now(sim, false);
}

void sim_pump_hold(struct sim *sim)
{
    sim_pump_commit_now(sim, true);
}
