/* run.c - one run: the queue of things to do, played in order of time. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define START_YEAR 2019
#define SEED_STREAMS 3

void *sim_grow(void *array, uint32_t *room, uint32_t need, size_t size)
{
    if (need <= *room)
        return array;
    while (*room < need)
        *room = *room > 0 ? 2 * *room : 64;
    void *grown = realloc(array, *room * size);
    if (grown == NULL)
        abort();
    return grown;
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    if (sim->failed)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(sim->failure, sizeof sim->failure, format, args);
    va_end(args);
    sim->failed = true;
}

tide_ms sim_civil(const struct sim *sim)
{
    tide_ms civil = sim->real_ms + sim->offset_ms;
    return civil > sim->last_when_ms ? civil : sim->last_when_ms;
}

bool sim_may(const struct sim *sim, enum sim_fault_kind kind)
{
    return (sim->conf.faults & (1u << kind)) != 0;
}

/* ---- the queue ----------------------------------------------------------------------------- */
static bool todo_before(const struct sim_todo *a, const struct sim_todo *b)
{
    return a->at_real != b->at_real ? a->at_real < b->at_real : a->order < b->order;
}

void sim_later(struct sim *sim, tide_ms delay_ms, enum sim_todo_kind kind, uint32_t a, uint32_t b)
{
    struct sim_todo todo = {.at_real = sim->real_ms + (delay_ms > 0 ? delay_ms : 0),
                            .order = sim->queue_order++,
                            .kind = (uint8_t)kind,
                            .a = a,
                            .b = b};
    sim->queue = sim_grow(sim->queue, &sim->queue_room, sim->queue_count + 1, sizeof todo);
    uint32_t at = sim->queue_count++;
    while (at > 0 && todo_before(&todo, &sim->queue[(at - 1) / 2])) {
        sim->queue[at] = sim->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->queue[at] = todo;
}

static struct sim_todo queue_take(struct sim *sim)
{
    struct sim_todo first = sim->queue[0], last = sim->queue[--sim->queue_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= sim->queue_count)
            break;
        if (child + 1 < sim->queue_count && todo_before(&sim->queue[child + 1], &sim->queue[child]))
            child++;
        if (!todo_before(&sim->queue[child], &last))
            break;
        sim->queue[at] = sim->queue[child];
        at = child;
    }
    sim->queue[at] = last;
    return first;
}

/* ---- beginning and end --------------------------------------------------------------------- */
static void limits_of(struct sim *sim)
{
    uint32_t h = sim->conf.households;
    engine_limits_default(&sim->limits);
    sim->limits.places = h + 64;
    sim->limits.persons = 4 * h + 64;
    sim->limits.roles = 4 * h + 64;
    sim->limits.users = 4 * h + 64;
    sim->limits.vehicles = 4 * h + 64;
    sim->limits.zones = 32;
    sim->limits.slots = 4 * h + 64;
    sim->limits.lanes = 32;
    sim->limits.windows = 16 * h + 64;
    sim->limits.bookings = 10 * h + 40;
    sim->limits.series = h + 16;
    sim->limits.sessions = 6 * h + 64;
    sim->limits.incidents = 2 * h + 32;
    sim->limits.commands = 256;
    sim->limits.horizon_days_max = 16;
    if (sim_rng_chance(&sim->bad, 300)) /* a tight installation: pools run full */
        sim->limits.bookings = sim->limits.sessions = h > 24 ? h : 24;
}

static void *engine_block(const struct engine_limits *limits)
{
    size_t size = (engine_size(limits) + 63) & ~(size_t)63;
    void *mem = aligned_alloc(64, size);
    if (mem == NULL)
        abort();
    memset(mem, 0xa5, size); /* what was there before must not matter */
    return mem;
}

struct sim *sim_new(const struct sim_conf *conf)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        abort();
    sim->conf = *conf;
    sim_rng_init(&sim->people, conf->seed, 1);
    sim_rng_init(&sim->net, conf->seed, 2);
    sim_rng_init(&sim->bad, conf->seed, 3);
    const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
    int32_t day = naive_days_from(START_YEAR, 4, 22) + (int32_t)sim_rng_below(&sim->bad, 60);
    sim->start_ms = naive_midnight(&plain, day) + 5 * 3600000;
    sim->real_ms = sim->start_ms;
    sim->end_ms = sim->start_ms + conf->days * TIDE_DAY_MS;
    limits_of(sim);
    if (conf->golden != NULL) {
        golden_limits(&sim->limits);
        sim->golden = golden_begin(conf->golden);
    }
    sim->live_mem = engine_block(&sim->limits);
    sim->shadow_mem = engine_block(&sim->limits);
    sim->effects.cap = sim->again.cap = TIDE_EFFECTS_BYTES_MAX;
    sim->effects.buf = malloc(sim->effects.cap);
    sim->again.buf = malloc(sim->again.cap);
    sim->bytes = malloc(TIDE_EVENT_BLOB_BYTES_MAX + 1024);
    if (sim->effects.buf == NULL || sim->again.buf == NULL || sim->bytes == NULL)
        abort();
    tape_begin(conf->tape, &sim->limits);
    sim->ring = conf->ring;
    sim->draws = sim_draws_new();
    sim->audit = audit_new();
    audit_room(sim->audit, sim->limits.bookings);
    return sim;
}

static void free_calls(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->call_count; i++) {
        free(sim->calls[i]->blob);
        free(sim->calls[i]->answer);
        free(sim->calls[i]);
    }
    free(sim->calls);
    for (uint32_t i = 0; i < SIM_GATEWAYS; i++)
        free(sim->gateways[i].spool);
}

struct sim *sim_free(struct sim *sim)
{
    if (sim == NULL)
        return NULL;
    sim_pump_close(sim);
    free_calls(sim);
    sim_world_done(&sim->world);
    free(sim->clients);
    free(sim->trips);
    free(sim->queue);
    free(sim->pending);
    free(sim->live_mem);
    free(sim->shadow_mem);
    free(sim->effects.buf);
    free(sim->again.buf);
    free(sim->bytes);
    free(sim->draws);
    audit_free(sim->audit);
    free(sim);
    return NULL;
}

/* ---- playing ------------------------------------------------------------------------------- */
static void play_one(struct sim *sim, const struct sim_todo *todo)
{
    switch ((enum sim_todo_kind)todo->kind) {
    case SIM_TODO_WAKE:
        sim_workload_wake(sim, todo->a);
        break;
    case SIM_TODO_DELIVER:
        sim_pump_call(sim, todo->a);
        break;
    case SIM_TODO_ANSWER:
        sim_net_answered(sim, todo->a);
        break;
    case SIM_TODO_RETRY:
        sim_net_retry(sim, todo->a);
        break;
    case SIM_TODO_FACT:
        sim_net_fact_arrives(sim, todo->a, todo->b);
        break;
    case SIM_TODO_ONLINE:
        sim_net_connected(sim, todo->a);
        break;
    case SIM_TODO_RESEND:
        sim_net_resend(sim, todo->a);
        break;
    case SIM_TODO_CAR:
        sim_cars_step(sim, todo->a);
        break;
    case SIM_TODO_GATE:
        sim_cars_gate_silent(sim, todo->a, todo->b);
        break;
    case SIM_TODO_BEAT:
        sim_cars_beat(sim, todo->a);
        break;
    case SIM_TODO_SENSE:
        sim_cars_sense(sim, todo->a, false);
        break;
    case SIM_TODO_OPEN:
        sim_cars_open(sim, todo->a, todo->b != 0);
        break;
    case SIM_TODO_COMMIT:
        sim->commit_planned = false;
        sim_pump_commit(sim);
        break;
    case SIM_TODO_TRUST:
        sim_workload_trust(sim);
        break;
    case SIM_TODO_DRAW:
        sim_draws_look(sim);
        sim_waits_look(sim);
        break;
    case SIM_TODO_DAY:
        sim_workload_day(sim);
        sim_cars_day(sim);
        break;
    }
}

/* The daemon's own timer: deadlines are run when they fall due, not when the next message comes. */
static void run_timer(struct sim *sim, tide_ms until_real)
{
    for (;;) {
        tide_ms due = engine_next_deadline(sim->live);
        if (due == INT64_MAX || due - sim->offset_ms > until_real || sim->failed)
            return;
        tide_ms at = due - sim->offset_ms;
        if (at > sim->real_ms)
            sim->real_ms = at;
        sim_pump_ticks(sim);
    }
}

int sim_play(struct sim *sim)
{
    if (sim_pump_open(sim) != 0)
        return 1;
    sim_workload_begin(sim);
    sim_cars_begin(sim);
    sim_faults_begin(sim);
    sim_later(sim, 1000, SIM_TODO_DRAW, 0, 0);
    while (!sim->failed && sim->queue_count > 0 && sim->queue[0].at_real < sim->end_ms) {
        run_timer(sim, sim->queue[0].at_real);
        if (sim->failed)
            break;
        struct sim_todo todo = queue_take(sim);
        sim->real_ms = todo.at_real > sim->real_ms ? todo.at_real : sim->real_ms;
        play_one(sim, &todo);
    }
    if (!sim->failed)
        sim_pump_finish(sim);
    return sim->failed ? 1 : 0;
}
