/* waits.c - people who wait for a place that is not free: asked, taken back, confirmed or not. Who
 * is offered a place looks at his telephone now and then; some never do.
 */
#include "tests/sim/sim.h"

#define HOUR_MS 3600000LL
#define CONFIRMS_PERMILLE 120 /* at each look */

/* What he wanted to book, as a wait. */
void sim_waits_instead(struct sim *sim, uint32_t person, const struct tide_book *book,
                       uint32_t zone)
{
    struct engine_event event = sim_event(TIDE_REC_wait);
    event.as.wait = (struct tide_wait){.plate = book->plate,
                                       .zone = book->zone,
                                       .cls = book->cls,
                                       .start_ms = book->start_ms,
                                       .end_ms = book->end_ms,
                                       .household = book->household,
                                       .person = book->person,
                                       .via = book->via,
                                       .visitor = book->visitor};
    sim_net_call(sim, person, &event, zone);
}

/* Waits for one of the hours that everybody wants; or no longer. */
void sim_waits_want(struct sim *sim, uint32_t person)
{
    const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
    struct sim_client *client = &sim->clients[person];
    if (client->waiting != 0 && sim_rng_chance(&sim->people, 250)) {
        struct engine_event event = sim_event(TIDE_REC_unwait);
        event.as.unwait.waiting = client->waiting;
        client->waiting = 0;
        sim_net_call(sim, person, &event, 0);
        return;
    }
    uint32_t zone = sim_rng_below(&sim->people, SIM_ZONES);
    int32_t day = naive_date(&plain, sim_civil(sim)) + (int32_t)sim_rng_below(&sim->people, 2);
    tide_ms start_ms =
        naive_midnight(&plain, day) + sim_rng_range(&sim->people, 7 * 12, 15 * 12) * TIDE_GRAIN_MS;
    struct tide_book book = {
        .plate = sim_rng_chance(&sim->people, 600)
                     ? 1 + sim_rng_below(&sim->people, sim->world.plate_count)
                     : sim_world_plate(&sim->world, &sim->people, SIM_PLATE_VISITOR),
        .zone = sim->world.zones[zone].id,
        .cls =
            sim_rng_chance(&sim->people, 80) ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard,
        .start_ms = start_ms,
        .end_ms = start_ms + sim_rng_range(&sim->people, 1, 90) * TIDE_GRAIN_MS};
    sim_waits_instead(sim, person, &book, zone);
}

void sim_waits_look(struct sim *sim)
{
    uint32_t cursor = 0;
    const struct tide_waiting *row;
    while ((row = engine_next(sim->live, TIDE_REC_waiting, &cursor)) != NULL) {
        uint32_t person = 0;
        while (person < sim->world.person_count && sim->world.persons[person].id != row->person)
            person++;
        if (row->state != TIDE_WAITING_STATE_offered || person == sim->world.person_count ||
            !sim_rng_chance(&sim->people, CONFIRMS_PERMILLE))
            continue;
        struct engine_event event = sim_event(TIDE_REC_confirm);
        event.as.confirm.booking = row->booking;
        sim_net_call(sim, person, &event, sim->clients[person].wait_zone);
        return; /* what it brings about may change the rows */
    }
}
