/* draws.c - what a draw needs from outside in a run, and who asks for one.
 *
 *     engine_draw_needs ─► secret: sealed at once ─► solved at once, told some time later: what has
 *                          changed by then, or whether the daemon has died, is a matter of luck
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/core/parking/draw_proof.h"
#include "daemon/core/sha256.h"
#include "tests/sim/sim.h"

#define LOOK_EVERY_MS 20000
#define HOUR_MS 3600000LL

struct sim_draws { /* the answer that is on its way; dies with the daemon */
    struct engine_event event;
    uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];
    struct draw_lot lot;
    bool waits;
};

struct sim_draws *sim_draws_new(void)
{
    struct sim_draws *draws = calloc(1, sizeof *draws);
    if (draws == NULL)
        abort();
    return draws;
}

/* ---- the daemon's part ----------------------------------------------------------------------- */
static void secret_of(const struct sim *sim, tide_id draw, uint8_t ret[32])
{
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, &sim->conf.seed, sizeof sim->conf.seed);
    sha256_add(&sha, &draw, sizeof draw);
    sha256_end(&sha, ret);
}

static void own(struct sim *sim, struct engine_event *event)
{
    sim_pump_ticks(sim);
    event->when_ms = sim_civil(sim);
    if (!sim->failed)
        sim_pump_decide(sim, event, NULL);
    if (!sim->failed)
        sim_pump_ticks(sim);
}

static void seal(struct sim *sim, tide_id draw)
{
    struct engine_event event = sim_event(TIDE_REC_draw_seal);
    uint8_t secret[32], commit[32];
    secret_of(sim, draw, secret);
    draw_commit_of(secret, commit);
    event.as.draw_seal.draw = draw;
    draw_hex_set(commit, &event.as.draw_seal.commit_1);
    own(sim, &event);
}

static void solve(struct sim *sim, tide_id draw)
{
    struct sim_draws *draws = sim->draws;
    struct draw_outcome outcome;
    if (!engine_draw_lot(sim->live, draw, &draws->lot))
        return;
    secret_of(sim, sim_rng_chance(&sim->bad, 30) ? draw + 1 : draw, draws->lot.secret);
    size_t size = draw_decide_bytes(&draws->lot);
    void *memory = malloc(size);
    if (memory == NULL)
        abort();
    draw_decide(&draws->lot, memory, size, &outcome);
    free(memory);
    draws->event = sim_event(TIDE_REC_draw_result);
    draws->event.as.draw_result.draw = draw;
    draws->event.as.draw_result.limit = outcome.limit;
    draw_hex_set(draws->lot.secret, &draws->event.as.draw_result.secret_1);
    draws->event.blob = draws->blob;
    draws->event.blob_len = (uint32_t)draw_blob_write(&draws->lot, draws->blob);
    draws->waits = true;
}

void sim_draws_forget(struct sim *sim)
{
    sim->draws->waits = false;
}

static uint32_t the_clerk(const struct sim *sim)
{
    uint32_t clerk = 0;
    while (clerk + 1 < sim->world.person_count && sim->world.persons[clerk].role != TIDE_ROLE_clerk)
        clerk++;
    return clerk;
}

/* What a public source said for the draws that name one, too early or not. */
static void tell_values(struct sim *sim, uint32_t clerk, uint32_t chance)
{
    uint32_t cursor = 0;
    const struct tide_draw *draw;
    while ((draw = engine_next(sim->live, TIDE_REC_draw, &cursor)) != NULL) {
        struct engine_event event = sim_event(TIDE_REC_draw_value);
        event.as.draw_value.draw = draw->id;
        event.as.draw_value.value = (int64_t)sim_rng_below(&sim->people, 1000000) + 1;
        if (draw->source != TIDE_DRAW_SOURCE_none && sim_rng_chance(&sim->people, chance))
            sim_net_call(sim, clerk, &event, 0);
    }
}

/* The answer of the last look, then what is needed now. */
void sim_draws_look(struct sim *sim)
{
    tide_id draw = 0;
    enum engine_draw_need need;
    sim_later(sim, LOOK_EVERY_MS, SIM_TODO_DRAW, 0, 0);
    if (sim_rng_chance(&sim->people, 10)) /* every half an hour or so */
        tell_values(sim, the_clerk(sim), 300);
    if (sim->draws->waits) {
        sim->draws->waits = false;
        own(sim, &sim->draws->event);
    }
    while (!sim->failed && !sim->draws->waits &&
           (need = engine_draw_needs(sim->live, draw, &draw)) != ENGINE_DRAW_NOTHING)
        if (need == ENGINE_DRAW_SECRET)
            seal(sim, draw);
        else
            solve(sim, draw);
}

/* ---- people ---------------------------------------------------------------------------------- */
/* Some draw that wishes are taken for, as the list shows it; NULL when there is none. */
static const struct tide_draw *open_draw(struct sim *sim)
{
    uint32_t cursor = 0, seen = 0;
    const struct tide_draw *draw, *chosen = NULL;
    while ((draw = engine_next(sim->live, TIDE_REC_draw, &cursor)) != NULL)
        if (draw->state == TIDE_DRAW_STATE_open && sim_rng_below(&sim->people, ++seen) == 0)
            chosen = draw;
    return chosen;
}

void sim_draws_want(struct sim *sim, uint32_t person)
{
    const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
    struct sim_client *client = &sim->clients[person];
    struct engine_event event = sim_event(TIDE_REC_draw_ask);
    struct tide_draw_ask *ask = &event.as.draw_ask;
    if (client->wish != 0 && sim_rng_chance(&sim->people, 150)) {
        event = sim_event(TIDE_REC_draw_withdraw);
        event.as.draw_withdraw.wish = client->wish;
        client->wish = 0;
        sim_net_call(sim, person, &event, 0);
        return;
    }
    int32_t tomorrow = naive_date(&plain, sim_civil(sim)) + 1;
    ask->zone = sim->world.zones[SIM_DRAW_ZONE].id;
    ask->plate = sim_rng_chance(&sim->people, 700)
                     ? 1 + sim_rng_below(&sim->people, sim->world.plate_count)
                     : sim_world_plate(&sim->world, &sim->people, SIM_PLATE_VISITOR);
    ask->start_ms = naive_midnight(&plain, tomorrow) +
                    sim_rng_range(&sim->people, 6 * 12, 16 * 12) * TIDE_GRAIN_MS;
    ask->end_ms = ask->start_ms + sim_rng_range(&sim->people, 6, 60) * TIDE_GRAIN_MS;
    const struct tide_draw *draw = sim_rng_chance(&sim->people, 500) ? open_draw(sim) : NULL;
    if (draw != NULL) { /* one of the committee's, perhaps */
        tide_ms length = (draw->end_ms - draw->start_ms) / TIDE_GRAIN_MS;
        ask->zone = draw->zone;
        ask->start_ms = draw->start_ms + sim_rng_range(&sim->people, 0, length / 2) * TIDE_GRAIN_MS;
        ask->end_ms = ask->start_ms + sim_rng_range(&sim->people, 1, length / 2) * TIDE_GRAIN_MS;
    }
    ask->nonce_1 = (int64_t)sim_rng_next(&sim->people);
    ask->nonce_2 = (int64_t)sim_rng_next(&sim->people);
    sim_net_call(sim, person, &event, SIM_DRAW_ZONE);
}

/* The committee's own draws, and what a public source said for them. */
void sim_draws_day(struct sim *sim)
{
    uint32_t clerk = the_clerk(sim);
    tide_ms now = sim_civil(sim);
    struct engine_event event = sim_event(TIDE_REC_draw_open);
    struct tide_draw_open *open = &event.as.draw_open;
    open->zone = sim->world.zones[sim_rng_below(&sim->people, SIM_ZONES)].id;
    open->ask_from_ms = now;
    open->ask_until_ms = now + sim_rng_range(&sim->people, 1, 12) * HOUR_MS;
    open->start_ms = open->ask_until_ms + sim_rng_range(&sim->people, 1, 30) * HOUR_MS;
    open->end_ms = open->start_ms + sim_rng_range(&sim->people, 2, 60) * HOUR_MS;
    open->aim = sim_rng_chance(&sim->people, 500);
    if (sim_rng_chance(&sim->people, 400)) {
        open->source = TIDE_DRAW_SOURCE_ssq;
        open->issue = 2019057;
    }
    if (sim_rng_chance(&sim->people, 400))
        sim_net_call(sim, clerk, &event, 0);
    tell_values(sim, clerk, 1000);
    event = sim_event(TIDE_REC_ask_draws);
    sim_net_call(sim, clerk, &event, 0);
    event = sim_event(TIDE_REC_ask_proof);
    event.as.ask_proof.draw = 1 + sim_rng_below(&sim->people, 4);
    sim_net_call(sim, clerk, &event, 0);
}
