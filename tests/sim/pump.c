/* pump.c - the daemon's stand-in: decode, deadlines, engine, batch, release; and its deaths.
 *
 *     call ── expired? ── seen? ── ticks ── engine_step ── add ──┐
 *                                                          pending │  commit: audit each, let the
 *     ask  ── ticks ── engine_query ───────────────────────────────┘  shadow decide it anew, answer
 *
 * What the live engine decided is believed only when it is durable. The shadow engine gets exactly
 * the durable events and never dies: after each death the live one, loaded from the tables, must be
 * what the shadow is.
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

/* ---- the directory, with the auditor listening ---------------------------------------------------- */
static const struct tide_names *directory(struct sim *sim)
{
    return sim->journal->ops->names(sim->journal);
}

static void hear(struct sim *sim, enum tide_name_kind kind, tide_id id, const char *text)
{
    if (id != 0 && (kind == TIDE_NAME_KIND_plate || kind == TIDE_NAME_KIND_full_name ||
                    kind == TIDE_NAME_KIND_phone))
        audit_name(sim->audit, kind, id, text);
}

static tide_id names_find(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    return names->find(names->arg, kind, text, len);
}

static tide_id names_make(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    tide_id id = names->make(names->arg, kind, text, len);
    hear(arg, kind, id, text);
    return id;
}

static int names_set(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    hear(arg, kind, id, text);
    return names->set(names->arg, kind, id, text, len);
}

static const char *names_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    const struct tide_names *names = directory(arg);
    return names->text(names->arg, kind, id);
}

/* ---- decoding: numbers of plates become ids -------------------------------------------------------- */
static tide_id plate_id(struct sim *sim, uint32_t number)
{
    if (number == 0 || number > sim->world.plate_count)
        return 0;
    const char *text = sim->world.plates[number - 1].text;
    return sim->names.make(sim, TIDE_NAME_KIND_plate, text, strlen(text));
}

static void decode_record(struct sim *sim, unsigned kind, void *record)
{
    const struct tide_record *desc = tide_record_of(kind);
    for (unsigned i = 0; i < desc->field_count; i++)
        if (desc->fields[i].type == TIDE_FT_plate)
            tide_field_set(&desc->fields[i], record,
                           plate_id(sim, (uint32_t)tide_field_get(&desc->fields[i], record)));
}

static uint32_t decode_rows(struct sim *sim, const struct engine_event *event, uint8_t *out)
{
    size_t at = 0, len = 0;
    while (at < event->blob_len) {
        unsigned kind = event->blob[at];
        const struct tide_record *desc = tide_record_of(kind);
        union tide_any any;
        size_t used = desc == NULL ? 0
                                   : tide_record_unpack(desc, event->blob + at + 1,
                                                        event->blob_len - at - 1, &any);
        if (used == 0) { /* a chaotic blob: as it is */
            memcpy(out + len, event->blob + at, event->blob_len - at);
            return (uint32_t)(len + event->blob_len - at);
        }
        at += 1 + used;
        decode_record(sim, kind, &any);
        out[len] = (uint8_t)kind;
        len += 1 + tide_record_pack(desc, &any, out + len + 1, TIDE_EVENT_BLOB_BYTES_MAX - len - 1);
    }
    return (uint32_t)len;
}

/* Fills *ret from an event with numbers; its blob lies in sim->bytes afterwards. */
static void decode(struct sim *sim, const struct engine_event *event, struct engine_event *ret)
{
    *ret = *event;
    decode_record(sim, ret->kind, &ret->as);
    if (ret->kind == TIDE_REC_forget && ret->as.forget.kind == TIDE_NAME_KIND_plate)
        ret->as.forget.id = plate_id(sim, ret->as.forget.id);
    if (ret->kind == TIDE_REC_drop && ret->as.drop.kind == TIDE_REC_vehicle)
        ret->as.drop.k1 = plate_id(sim, ret->as.drop.k1);
    if (ret->kind == TIDE_REC_plate_seen) {
        tide_id alt[TIDE_ALTERNATES_MAX] = {0};
        struct tide_plate_seen *seen = &ret->as.plate_seen;
        sim->journal->ops->alternates(sim->journal, seen->plate, alt);
        seen->alt1 = alt[0];
        seen->alt2 = alt[1];
        seen->alt3 = alt[2];
        seen->alt4 = alt[3];
    }
    if (event->blob_len > 0 && event->kind == TIDE_REC_put) {
        ret->blob_len = decode_rows(sim, event, sim->bytes);
        ret->blob = sim->bytes;
    }
}

/* ---- one step ------------------------------------------------------------------------------------------ */
static struct sim_pending *pending_add(struct sim *sim, const struct engine_event *event)
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

static void plan_commit(struct sim *sim)
{
    if (sim->commit_planned || sim->founding)
        return;
    sim->commit_planned = true;
    sim_later(sim, sim_rng_range(&sim->net, 1, COMMIT_WAIT_MS), SIM_TODO_COMMIT, 0, 0);
}

static enum tide_code code_of(const uint8_t *effects, size_t len)
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

static void say_event(struct sim *sim, uint64_t seq, const struct engine_event *event)
{
    char when[40], what[360];
    ring_say(sim->ring, "#%llu %s user %u: %s", (unsigned long long)seq,
             narrate_time(event->when_ms, SIM_UTC_OFFSET_MIN, when, sizeof when), event->user,
             narrate_record(event->kind, &event->as, SIM_UTC_OFFSET_MIN, what, sizeof what));
}

static void say_effects(struct sim *sim, const uint8_t *effects, size_t len)
{
    static const char *const verbs[] = {"?", "put", "del", "reply", "item"};
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    char what[400];
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any))
        ring_say(sim->ring, "    %s %s", verbs[verb],
                 narrate_record(kind, &any, SIM_UTC_OFFSET_MIN, what, sizeof what));
}

/* Decides an event and adds it to the open batch. Returns its row among the pending. */
static struct sim_pending *decide(struct sim *sim, const struct engine_event *event,
                                  const struct store_origin *origin)
{
    sim->last_when_ms = event->when_ms;
    sim->effects.len = 0;
    sim->effects.count = 0;
    engine_step(sim->live, event, &sim->effects);
    enum tide_code code = code_of(sim->effects.buf, sim->effects.len);
    bool binds =
        code != TIDE_CODE_invalid && code != TIDE_CODE_busy && code != TIDE_CODE_unavailable;
    uint64_t seq = 0;
    if (binds) {
        seq = sim->journal->ops->add(sim->journal, origin, event, &sim->effects);
        if (seq == 0) {
            pump_commit(sim);
            seq = sim->journal->ops->add(sim->journal, origin, event, &sim->effects);
        }
        if (seq == 0)
            sim_fail(sim, "an empty batch has no room for an event");
        sim->stats.events++;
    }
    say_event(sim, seq, event);
    say_effects(sim, sim->effects.buf, sim->effects.len);
    struct sim_pending *p = pending_add(sim, event);
    p->seq = seq;
    plan_commit(sim);
    return p;
}

void pump_ticks(struct sim *sim)
{
    struct engine_event tick = sim_event(TIDE_REC_tick);
    tick.when_ms = sim_civil(sim);
    for (unsigned i = 0; engine_next_deadline(sim->live) <= tick.when_ms; i++) {
        if (i == TICKS_MAX) {
            sim_fail(sim, "deadlines do not come to an end");
            return;
        }
        sim->stats.ticks++;
        decide(sim, &tick, NULL);
    }
}

static void maybe_commit(struct sim *sim)
{
    if (!sim->failed && sim_rng_chance(&sim->net, COMMIT_PERMILLE))
        pump_commit(sim);
    if (!sim->failed)
        faults_after_event(sim);
}

/* ---- requests -------------------------------------------------------------------------------------------- */
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
    net_answer(sim, number, bytes, used + 2);
}

static void call_ask(struct sim *sim, uint32_t number, struct engine_event *event)
{
    pump_ticks(sim);
    event->when_ms = sim_civil(sim);
    sim->effects.len = 0;
    sim->effects.count = 0;
    engine_query(sim->live, event, &sim->effects);
    sim->stats.asks++;
    say_event(sim, 0, event);
    say_effects(sim, sim->effects.buf, sim->effects.len);
    struct sim_pending *p = pending_add(sim, event);
    p->call = number + 1;
    plan_commit(sim);
}

static void origin_of(struct sim *sim, const struct sim_call *call, struct store_origin *ret)
{
    size_t len = engine_event_pack(&call->event, sim->bytes, TIDE_EVENT_BLOB_BYTES_MAX + 1024);
    assert(len > 0);
    memset(ret, 0, sizeof *ret);
    ret->user = call->event.user;
    ret->expires_ms = call->expires_ms;
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
        net_answer(sim, number, effects, len);
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
    pump_ticks(sim);
    decode(sim, &call->event, &event);
    event.when_ms = sim_civil(sim);
    decide(sim, &event, &origin)->call = number + 1;
    maybe_commit(sim);
}

void pump_call(struct sim *sim, uint32_t number)
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
        decode(sim, &call->event, &event);
        call_ask(sim, number, &event);
        return;
    }
    call_execute(sim, number);
}

void pump_fact(struct sim *sim, uint32_t gateway, uint32_t index)
{
    struct sim_fact *fact = &sim->gateways[gateway].spool[index];
    struct engine_event event;
    if (sim_may(sim, SIM_FAULT_lose) && sim_rng_chance(&sim->bad, 10))
        return; /* the inbox was full: the gateway sends again */
    pump_ticks(sim);
    decode(sim, &fact->event, &event);
    event.when_ms = sim_civil(sim);
    sim->stats.facts++;
    struct sim_pending *p = decide(sim, &event, NULL);
    p->fact = index + 1;
    p->gateway = gateway;
    maybe_commit(sim);
}

void pump_clock(struct sim *sim, tide_ms old_ms, tide_ms new_ms, bool suspend)
{
    struct engine_event clock = sim_event(TIDE_REC_clock);
    clock.as.clock = (struct tide_clock){.old_ms = old_ms, .new_ms = new_ms, .suspend = suspend};
    clock.when_ms = new_ms > sim->last_when_ms ? new_ms : sim->last_when_ms;
    decide(sim, &clock, NULL);
    if (suspend && !sim->suspended)
        sim_later(sim, sim_rng_range(&sim->bad, 60000, 3600000), SIM_TODO_TRUST, 0, 0);
    sim->suspended = sim->suspended || suspend;
}

/* ---- releasing ---------------------------------------------------------------------------------------------- */
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
    ring_say(sim->ring, "  the live engine decided from here on:");
    say_effects(sim, a + at, a_len - at);
    ring_say(sim->ring, "  the shadow engine decides instead:");
    say_effects(sim, b + at, b_len - at);
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
            cars_command(sim, &any.command);
        if (kind == TIDE_REC_booking) {
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
    } else {
        audit_answer(sim->audit, &p->event, p->effects, p->effects_len);
    }
    if (audit_violations(sim->audit) > 0)
        sim_fail(sim, "%s", audit_first(sim->audit));
    if (sim->failed)
        return;
    shadow_decides(sim, p);
    if (!tell)
        return;
    if (p->call != 0) {
        sim->calls[p->call - 1]->executed = p->seq != 0;
        net_answer(sim, p->call - 1, p->effects, p->effects_len);
    }
    tell_devices(sim, p);
    if (p->fact != 0) {
        const struct sim_fact *fact = &sim->gateways[p->gateway].spool[p->fact - 1];
        const struct tide_gateway_cursor *cursor = engine_find(
            sim->shadow, TIDE_REC_gateway_cursor, sim->world.gateways[p->gateway], 0, 0);
        if (cursor != NULL && cursor->boot >= fact->boot)
            net_acked(sim, p->gateway, cursor->boot, cursor->seq);
    }
}

static void pending_clear(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->pending_count; i++) {
        free(sim->pending[i].blob);
        free(sim->pending[i].effects);
    }
    sim->pending_count = 0;
}

static void release_all(struct sim *sim, bool tell)
{
    for (uint32_t i = 0; i < sim->pending_count && !sim->failed; i++) {
        struct sim_pending *p = &sim->pending[i];
        if (tell || p->seq != 0)
            release(sim, p, tell);
    }
    pending_clear(sim);
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

static void commit(struct sim *sim, bool hold)
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
    release_all(sim, true);
}

void pump_commit(struct sim *sim)
{
    if (sim->hold_commits > 0)
        return; /* a kill is near; it shall find an open batch */
    if (sim->pending_count > 0)
        commit(sim, false);
}

void pump_hold(struct sim *sim)
{
    commit(sim, true);
}

/* ---- birth, death --------------------------------------------------------------------------------------------- */
static void load(struct sim *sim)
{
    struct store_position position;
    uint8_t live[32], shadow[32];
    sim->live = engine_init(sim->live_mem, engine_size(&sim->limits), &sim->limits);
    engine_set_trace(sim->live, ring_trace, sim->ring);
    memset(&position, 0, sizeof position);
    if (sim->journal->ops->load(sim->journal, sim->live, &position) != 0) {
        sim_fail(sim, "the engine could not be loaded");
        return;
    }
    if (position.seq != sim->durable_seq) {
        sim_fail(sim, "loaded up to %llu, durable was %llu", (unsigned long long)position.seq,
                 (unsigned long long)sim->durable_seq);
        return;
    }
    sim->last_when_ms = position.when_ms;
    engine_digest(sim->live, live);
    engine_digest(sim->shadow, shadow);
    if (memcmp(live, shadow, sizeof live) != 0)
        sim_fail(sim, "loaded and never-crashed engines differ in their digest");
    else if (engine_next_deadline(sim->live) != engine_next_deadline(sim->shadow))
        sim_fail(sim, "loaded and never-crashed engines have another next deadline: %lld, %lld",
                 (long long)engine_next_deadline(sim->live),
                 (long long)engine_next_deadline(sim->shadow));
}

/* How long nobody was there; a start far from the last row distrusts the clock. */
static void come_back(struct sim *sim)
{
    sim->real_ms += sim_rng_chance(&sim->bad, 700) ? sim_rng_range(&sim->bad, 500, 20000)
                                                   : sim_rng_range(&sim->bad, 20000, 900000);
    tide_ms now = sim->real_ms + sim->offset_ms;
    if (sim->last_when_ms > 0 && now - sim->last_when_ms > 60000 && sim_rng_chance(&sim->bad, 500))
        pump_clock(sim, sim->last_when_ms, now, true);
    plan_commit(sim);
}

static void come_up(struct sim *sim)
{
    sim->commit_planned = false;
    sim->hold_commits = 0;
    load(sim);
    for (uint32_t i = 0; i < SIM_GATEWAYS; i++)
        sim->gateways[i].sent = sim->gateways[i].acked;
    if (!sim->failed)
        come_back(sim);
}

void pump_kill(struct sim *sim, enum sim_kill how)
{
    static const char *const names[] = {"between commits", "inside a commit", "after a commit"};
    ring_say(sim->ring, "---- the daemon is killed %s", names[how]);
    sim->stats.crashes++;
    if (sim->journal->ops->kill(sim->journal, how) != 0) {
        sim_fail(sim, "the database does not open after a kill");
        return;
    }
    if (how == SIM_KILL_UNTOLD)
        release_all(sim, false);
    else
        pending_clear(sim);
    if (!sim->failed)
        come_up(sim);
}

void pump_restart(struct sim *sim)
{
    if (sim->hold_commits > 0)
        return;
    ring_say(sim->ring, "---- the daemon is restarted");
    sim->stats.restarts++;
    pump_commit(sim);
    if (!sim->failed && sim->journal->ops->restart(sim->journal) != 0)
        sim_fail(sim, "the database does not open after a restart");
    if (!sim->failed)
        audit_files(sim->audit, sim->journal->ops->folder(sim->journal));
    if (!sim->failed)
        come_up(sim);
}

static void founding_event(void *arg, const struct engine_event *event)
{
    struct sim *sim = arg;
    struct engine_event decoded;
    decode(sim, event, &decoded);
    decoded.when_ms = sim_civil(sim);
    decide(sim, &decoded, NULL);
    enum tide_code code = code_of(sim->effects.buf, sim->effects.len);
    if (code != TIDE_CODE_ok)
        sim_fail(sim, "the founding was refused");
}

int pump_open(struct sim *sim)
{
    char why[512] = "";
    sim->journal = sim->conf.memory ? sim_journal_memory()
                                    : sim_journal_store(sim->conf.folder, why, sizeof why);
    if (sim->journal == NULL) {
        sim_fail(sim, "no database: %s", why);
        return -1;
    }
    sim->live = engine_init(sim->live_mem, engine_size(&sim->limits), &sim->limits);
    sim->shadow = engine_init(sim->shadow_mem, engine_size(&sim->limits), &sim->limits);
    engine_set_trace(sim->live, ring_trace, sim->ring);
    sim->founding = true;
    sim->names = (struct tide_names){
        .arg = sim, .find = names_find, .make = names_make, .set = names_set, .text = names_text};
    sim_world_found(&sim->world, sim->conf.households, &sim->people, &sim->names, founding_event,
                    sim);
    sim->founding = false;
    if (!sim->failed)
        pump_commit(sim);
    return sim->failed ? -1 : 0;
}

void pump_finish(struct sim *sim)
{
    char why[512] = "";
    sim->hold_commits = 0;
    pump_commit(sim);
    if (sim->failed)
        return;
    pump_restart(sim);
    pump_commit(sim);
    if (sim->failed)
        return;
    audit_end(sim->audit);
    if (audit_violations(sim->audit) > 0)
        sim_fail(sim, "%s", audit_first(sim->audit));
    else if (sim->journal->ops->verify(sim->journal, &sim->limits, why, sizeof why) != 0)
        sim_fail(sim, "verify: %s", why);
}

void pump_close(struct sim *sim)
{
    pending_clear(sim);
    if (sim->journal != NULL)
        sim->journal->ops->free(sim->journal);
    sim->journal = NULL;
}
