/* pump.c - events into the engine, its effects into a batch, the batch to the journal: pump.h. */
#include "daemon/pump.h"

#include <stdlib.h>
#include <string.h>

#include "tide/check.h"

#define DEADLINE_WAIT_MS_MAX 1000
#define PROBE_EVERY_MS 5000

/* When many speak, each commit costs every thread a wake-up: it is worth more with some rows more.
 * So a batch that follows one of CROWD_ROWS at least is handed over when it has ENOUGH_ROWS or
 * GATHER_NS have passed since; a batch after a small one at once: who is alone does not wait. On a
 * disk whose sync takes as long, nothing changes. */
#define CROWD_ROWS 3
#define ENOUGH_ROWS 8
#define GATHER_NS 2000000u

tide_ms pump_now(struct pump *pump, const struct domain *domain)
{
    tide_ms civil = clock_civil_ms(pump->clock), last = engine_now(domain->engine);
    return civil > last ? civil : last; /* an engine's time never goes back */
}

struct domain *pump_domain(struct pump *pump, uint32_t number)
{
    for (unsigned i = 0; i < pump->domain_count; i++)
        if (pump->domains[i].number == number)
            return &pump->domains[i];
    return NULL;
}

bool pump_has_room(const struct pump *pump)
{
    return !pump->held && pump->batch != NULL && !pump->unavailable;
}

/* ---- batches -------------------------------------------------------------------------------- */
static void hand_over(struct pump *pump)
{
    struct store_batch *batch = pump->batch;
    pump->batch = NULL;
    pump->in_flight++;
    pump->handed_ns = uv_hrtime();
    pump->handed_rows = (uint32_t)store_batch_count(batch);
    pump->metrics.commits_total++;
    store_batch_commit(pump->store, batch);
    pump->batch = store_batch_take(pump->store);
}

static bool can_hand_over(const struct pump *pump)
{
    return pump->batch != NULL && pump->in_flight == 0 && store_batch_count(pump->batch) > 0;
}

static void on_gathered(uv_timer_t *timer)
{
    struct pump *pump = timer->data;
    if (can_hand_over(pump))
        hand_over(pump);
}

void pump_commit(struct pump *pump)
{
    if (!can_hand_over(pump))
        return;
    uint64_t since_ns = uv_hrtime() - pump->handed_ns;
    bool crowd = pump->handed_rows >= CROWD_ROWS && store_batch_count(pump->batch) < ENOUGH_ROWS;
    if (pump->draining || !crowd || since_ns >= GATHER_NS)
        hand_over(pump);
    else if (!uv_is_active((uv_handle_t *)&pump->gather_timer))
        uv_timer_start(&pump->gather_timer, on_gathered, (GATHER_NS - since_ns) / 1000000 + 1, 0);
}

/* Adds what stands in pump->effects; false when no batch has room for it now. */
static bool append(struct pump *pump, struct domain *domain, const struct store_origin *origin,
                   const struct engine_event *event)
{
    for (unsigned tries = 0; tries < 2 && pump->batch != NULL; tries++) {
        if (store_batch_add(pump->batch, domain->number, origin, event, &pump->effects) != 0)
            return true;
        CHECK(store_batch_count(pump->batch) > 0); /* an empty batch holds any step */
        hand_over(pump);
    }
    return false;
}

static void hold(struct pump *pump, struct domain *domain, const struct store_origin *origin,
                 const struct engine_event *event)
{
    CHECK(!pump->held);
    pump->held = true;
    pump->held_domain = domain;
    pump->held_event = *event;
    memset(&pump->held_origin, 0, sizeof pump->held_origin);
    if (origin != NULL)
        pump->held_origin = *origin;
}

static void unhold(struct pump *pump)
{
    if (!pump->held || pump->batch == NULL)
        return;
    const struct store_origin *origin = pump->held_origin.user != 0 ? &pump->held_origin : NULL;
    if (append(pump, pump->held_domain, origin, &pump->held_event))
        pump->held = false;
}

/* ---- one event ------------------------------------------------------------------------------ */
static enum tide_code code_of(const struct engine_effects *effects)
{
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    for (size_t at = 0; engine_effect_next(effects->buf, effects->len, &at, &verb, &kind, &record);)
        if (verb == ENGINE_REPLY)
            return (enum tide_code)record.reply.code;
    return TIDE_CODE_ok;
}

static bool step(struct pump *pump, struct domain *domain, const struct engine_event *event,
                 const struct store_origin *origin, enum tide_code *ret_code)
{
    pump->effects.len = 0;
    pump->effects.count = 0;
    engine_step(domain->engine, event, &pump->effects);
    pump->metrics.events_total++;
    if (ret_code != NULL)
        *ret_code = code_of(&pump->effects);
    if (append(pump, domain, origin, event))
        return true;
    hold(pump, domain, origin, event);
    return false;
}

/* Deadlines up to now; false when the last one is held. */
bool pump_ticks_domain(struct pump *pump, struct domain *domain, tide_ms now_ms)
{
    for (unsigned i = 0; engine_next_deadline(domain->engine) <= now_ms; i++) {
        struct engine_event tick = {.when_ms = now_ms, .kind = TIDE_REC_tick};
        pump->metrics.ticks_total++;
        CHECK(i < 1000000); /* a deadline that does not go away would turn here for ever */
        if (!step(pump, domain, &tick, NULL, NULL))
            return false;
    }
    return true;
}

bool pump_step(struct pump *pump, struct domain *domain, const struct engine_event *event,
               const struct store_origin *origin, enum tide_code *ret_code)
{
    CHECK(pump_has_room(pump));
    return step(pump, domain, event, origin, ret_code);
}

bool pump_step_own(struct pump *pump, struct domain *domain, const struct engine_event *event)
{
    if (!pump_has_room(pump) || !pump_ticks_domain(pump, domain, event->when_ms) ||
        !pump_has_room(pump))
        return false;
    pump_step(pump, domain, event, NULL, NULL);
    return true;
}

void pump_ticks(struct pump *pump)
{
    uint64_t wait_ms = DEADLINE_WAIT_MS_MAX;
    for (unsigned i = 0; i < pump->domain_count && pump_has_room(pump) && !pump->stopping; i++) {
        struct domain *domain = &pump->domains[i];
        if (!pump_ticks_domain(pump, domain, pump_now(pump, domain)))
            break;
        uint64_t next =
            clock_wait_ms(pump->clock, engine_next_deadline(domain->engine), DEADLINE_WAIT_MS_MAX);
        wait_ms = next < wait_ms ? next : wait_ms;
    }
    pump_commit(pump);
    if (!pump->stopping)
        uv_timer_start(&pump->deadline_timer, pump->deadline_timer.timer_cb,
                       wait_ms > 0 ? wait_ms : 1, 0);
}

/* ---- what the journal thread hands back ----------------------------------------------------- */
void pump_on_durable(void *arg, struct store_batch *batch, enum store_error error)
{
    struct pump *pump = arg;
    uv_mutex_lock(&pump->mutex);
    CHECK(pump->durable_count < PUMP_DURABLE_MAX); /* never more than there are batches */
    pump->durable[pump->durable_count].batch = batch;
    pump->durable[pump->durable_count++].error = error;
    bool first = pump->durable_count == 1 && !pump->applied && pump->started;
    uv_mutex_unlock(&pump->mutex);
    if (first)
        uv_async_send(&pump->wake);
}

void pump_on_applied(void *arg)
{
    struct pump *pump = arg;
    uv_mutex_lock(&pump->mutex);
    /* Recovery folds before there is a loop to be woken. */
    bool first = pump->durable_count == 0 && !pump->applied && pump->started;
    pump->applied = pump->started;
    uv_mutex_unlock(&pump->mutex);
    if (first)
        uv_async_send(&pump->wake);
}

enum store_error domain_load(struct pump *pump, struct domain *domain)
{
    size_t size = (engine_size(&pump->limits) + 63) & ~(size_t)63;
    if (domain->memory == NULL)
        domain->memory = memory_block(size);
    if (domain->memory == NULL)
        return STORE_LIMIT;
    domain->engine = engine_init(domain->memory, size, &pump->limits);
    enum store_error error =
        store_load(pump->store, domain->number, domain->engine, &domain->position);
    domain->names = store_names(pump->store, domain->number);
    domain->frame.names = domain->names;
    domain->frame.incarnation = domain->position.incarnation;
    domain->frame.utc_offset_min = (int)engine_setting(domain->engine, TIDE_SETTING_utc_offset_min);
    domain->all_dirty = true;
    return error;
}

/* The disk is full: what was not durable has not happened. */
static void become_unavailable(struct pump *pump)
{
    log_event(LOG_ERROR_, "disk.full", "\"advice\":%s",
              log_str("make room; service goes on by itself"));
    pump->unavailable = true;
    pump->metrics.unavailable = 1;
    pump->probed_elapsed_ms = clock_elapsed_ms();
    pump->held = false;
    pump_reads_drop(pump);
    pump_node_state(pump, "unavailable");
}

static bool reload_all(struct pump *pump)
{
    enum store_error error = store_rollback(pump->store);
    for (unsigned i = 0; i < pump->domain_count && error == STORE_OK; i++)
        error = domain_load(pump, &pump->domains[i]);
    if (error != STORE_OK) {
        pump->on_fatal(pump->arg, error);
        return false;
    }
    pump->batch = store_batch_take(pump->store);
    CHECK(pump->batch != NULL);
    return true;
}

static void probe(struct pump *pump)
{
    int64_t now_ms = clock_elapsed_ms();
    if (!pump->unavailable || pump->in_flight > 0 ||
        now_ms - pump->probed_elapsed_ms < PROBE_EVERY_MS)
        return;
    pump->probed_elapsed_ms = now_ms;
    enum store_error error = store_probe(pump->store);
    if (error == STORE_FULL)
        return;
    if (error != STORE_OK) {
        pump->on_fatal(pump->arg, error);
        return;
    }
    log_event(LOG_WARN_, "disk.room", "\"advice\":%s", log_str("there is room again"));
    pump->unavailable = false;
    pump->metrics.unavailable = 0;
    pump_node_state(pump, "up");
    pump_ticks(pump);
}

static void batch_back(struct pump *pump, struct store_batch *batch, enum store_error error)
{
    CHECK(pump->in_flight > 0);
    pump->in_flight--;
    if (error == STORE_OK) {
        pump_release(pump, batch);
        store_batch_release(pump->store, batch);
        return;
    }
    if (error != STORE_FULL) {
        pump->on_fatal(pump->arg, error);
        return;
    }
    if (!pump->unavailable)
        become_unavailable(pump);
    pump_fail(pump, batch);
    store_batch_release(pump->store, batch);
    if (pump->in_flight > 0)
        return; /* the others will come back too */
    if (pump->batch != NULL) {
        pump_fail(pump, pump->batch);
        store_batch_release(pump->store, pump->batch);
        pump->batch = NULL;
    }
    reload_all(pump);
}

static void take_back(struct pump *pump)
{
    for (;;) {
        struct store_batch *batch = NULL;
        enum store_error error = STORE_OK;
        uv_mutex_lock(&pump->mutex);
        pump->applied = false;
        if (pump->durable_count > 0) {
            batch = pump->durable[0].batch;
            error = pump->durable[0].error;
            pump->durable_count--;
            memmove(&pump->durable[0], &pump->durable[1],
                    pump->durable_count * sizeof pump->durable[0]);
        }
        uv_mutex_unlock(&pump->mutex);
        if (batch == NULL)
            return;
        batch_back(pump, batch, error);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct pump *pump = handle->data;
    bool waited = !pump_has_room(pump);
    take_back(pump);
    if (pump->batch == NULL && !pump->unavailable)
        pump->batch = store_batch_take(pump->store);
    unhold(pump);
    pump_reads_ready(pump);
    pump_commit(pump);
    if (waited && pump_has_room(pump) && pump->mqtt != NULL) {
        pump_ticks(pump);
        mqtt_resume(pump->mqtt);
    }
    pump_write_accounts(pump, false);
}

/* ---- life ----------------------------------------------------------------------------------- */
static void on_deadline(uv_timer_t *timer)
{
    pump_ticks(timer->data);
}

static void on_second(uv_timer_t *timer)
{
    struct pump *pump = timer->data;
    probe(pump);
    pump_unmute(pump);
    pump_tell_broker_again(pump);
    pump_second(pump);
}

static void on_gate_timer(uv_timer_t *timer)
{
    pump_commands_again(timer->data);
}

int pump_start(struct pump *pump)
{
    pump->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    pump->effects.buf = malloc(pump->effects.cap);
    pump->request = calloc(1, sizeof *pump->request);
    pump->text = malloc(TIDE_PACKET_BYTES_MAX);
    pump->digest_bytes = malloc(TIDE_PACKET_BYTES_MAX + TIDE_NAME_BYTES_MAX + 2);
    pump->waits.last = &pump->waits.first;
    if (pump->effects.buf == NULL || pump->request == NULL || pump->text == NULL ||
        pump->digest_bytes == NULL)
        return -1;
    uv_mutex_lock(&pump->mutex);
    uv_async_init(pump->loop, &pump->wake, on_wake);
    pump->wake.data = pump;
    pump->started = true;
    uv_mutex_unlock(&pump->mutex);
    uv_timer_init(pump->loop, &pump->deadline_timer);
    uv_timer_init(pump->loop, &pump->second_timer);
    uv_timer_init(pump->loop, &pump->gate_timer);
    uv_timer_init(pump->loop, &pump->gather_timer);
    pump->gather_timer.data = pump;
    pump->deadline_timer.data = pump;
    pump->second_timer.data = pump->gate_timer.data = pump;
    pump->batch = store_batch_take(pump->store);
    CHECK(pump->batch != NULL);
    uv_timer_start(&pump->deadline_timer, on_deadline, 1, 0);
    uv_timer_start(&pump->second_timer, on_second, 1000, 1000);
    uv_timer_start(&pump->gate_timer, on_gate_timer, 500, 500);
    return 0;
}

void pump_drain(struct pump *pump)
{
    pump->draining = true;
    for (unsigned turns = 0; turns < 10000; turns++) {
        take_back(pump);
        if (pump->batch == NULL && !pump->unavailable)
            pump->batch = store_batch_take(pump->store);
        unhold(pump);
        pump_commit(pump);
        if (pump->in_flight == 0 && !pump->held &&
            (pump->batch == NULL || store_batch_count(pump->batch) == 0))
            break;
        uv_sleep(1);
    }
    pump_reads_ready(pump);
    pump_write_accounts(pump, false);
}

void pump_close(struct pump *pump)
{
    pump->stopping = true;
    uv_mutex_lock(&pump->mutex);
    pump->started = false;
    uv_mutex_unlock(&pump->mutex);
    pump_reads_drop(pump);
    if (pump->batch != NULL)
        store_batch_release(pump->store, pump->batch);
    pump->batch = NULL;
    uv_close((uv_handle_t *)&pump->wake, NULL);
    uv_close((uv_handle_t *)&pump->deadline_timer, NULL);
    uv_close((uv_handle_t *)&pump->second_timer, NULL);
    uv_close((uv_handle_t *)&pump->gate_timer, NULL);
    uv_close((uv_handle_t *)&pump->gather_timer, NULL);
    free(pump->effects.buf);
    free(pump->request);
    free(pump->text);
    free(pump->digest_bytes);
    free(pump->draw_blob);
    pump->draw_blob = NULL;
    pump->effects.buf = NULL;
}
