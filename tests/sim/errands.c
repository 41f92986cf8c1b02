/* errands.c - what the desk does once in a while: a steward named and dismissed, a telephone lost
 * and found, a car sold, a name corrected, a zone closed to outsiders; the configuration read
 * again, a backup. And the questions that are seldom asked.
 */
#include <string.h>

#include "tests/sim/sim.h"

static uint32_t one_of(struct sim *sim, enum tide_role role)
{
    uint32_t begin = sim_rng_below(&sim->people, sim->world.person_count);
    for (uint32_t i = 0; i < sim->world.person_count; i++) {
        uint32_t person = (begin + i) % sim->world.person_count;
        if (sim->world.persons[person].role == role)
            return person;
    }
    return begin;
}

/* One row of admin.put, by the clerk or the admin. */
static void put(struct sim *sim, enum tide_role by, unsigned kind, const void *row)
{
    uint8_t blob[256] = {(uint8_t)kind};
    struct engine_event event = sim_event(TIDE_REC_put);
    event.as.put.rows = 1;
    event.blob = blob;
    event.blob_len =
        1 + (uint32_t)tide_record_pack(tide_record_of(kind), row, blob + 1, sizeof blob - 1);
    sim_net_call(sim, one_of(sim, by), &event, 0);
}

static void drop(struct sim *sim, enum tide_role by, unsigned kind, const uint32_t keys[3])
{
    struct engine_event event = sim_event(TIDE_REC_drop);
    event.as.drop =
        (struct tide_drop){.kind = (uint8_t)kind, .k1 = keys[0], .k2 = keys[1], .k3 = keys[2]};
    sim_net_call(sim, one_of(sim, by), &event, 0);
}

/* ---- errands ------------------------------------------------------------------------------- */
static void name_a_steward(struct sim *sim)
{
    const struct sim_person *p = &sim->world.persons[one_of(sim, TIDE_ROLE_resident)];
    struct tide_role_row row = {
        .person = p->id, .role = TIDE_ROLE_steward, .place = sim->world.compound};
    if (sim_rng_chance(&sim->people, 600))
        put(sim, TIDE_ROLE_clerk, TIDE_REC_role_row, &row);
    else
        drop(sim, TIDE_ROLE_clerk, TIDE_REC_role_row,
             (uint32_t[3]){row.person, row.role, row.place});
}

/* A telephone is lost, and found again after some hours or days. */
static void lose_a_telephone(struct sim *sim)
{
    const struct sim_person *p = &sim->world.persons[one_of(sim, TIDE_ROLE_resident)];
    if (sim_rng_chance(&sim->people, 300)) {
        drop(sim, TIDE_ROLE_clerk, TIDE_REC_user, (uint32_t[3]){p->user, 0, 0});
        return;
    }
    put(sim, TIDE_ROLE_clerk, TIDE_REC_user,
        &(struct tide_user){.id = p->user, .person = p->id, .kind = TIDE_USER_KIND_app});
}

static void sell_a_car(struct sim *sim)
{
    uint32_t number = 1 + sim_rng_below(&sim->people, sim->world.plate_count);
    const struct sim_plate *plate = &sim->world.plates[number - 1];
    if (plate->kind == SIM_PLATE_OWN && !sim_rng_chance(&sim->people, 300))
        return;
    drop(sim, TIDE_ROLE_clerk, TIDE_REC_vehicle, (uint32_t[3]){number, 0, 0});
}

static void reopen_a_zone(struct sim *sim)
{
    uint32_t index = sim_rng_below(&sim->people, SIM_ZONES);
    const struct sim_zone *zone = &sim->world.zones[index];
    struct tide_zone row = {.id = zone->id,
                            .place = index == 3 ? sim->world.organisation : sim->world.compound,
                            .sense = zone->sense,
                            .outsiders = sim_rng_chance(&sim->people, 700),
                            .walk_group = (uint16_t)(1 + sim_rng_below(&sim->people, 2)),
                            .walk_m = (uint16_t)(index * 150),
                            .resolution = 1 + sim_rng_below(&sim->people, 3)};
    if (index != SIM_DRAW_ZONE && sim_rng_chance(&sim->people, 300))
        row.risk_permille = (uint16_t)sim_rng_range(&sim->people, 100, TIDE_RISK_PERMILLE_MAX + 20);
    if (index == SIM_DRAW_ZONE && sim_rng_chance(&sim->people, 800))
        sim_world_draws(&row, TIDE_DRAW_AIM_minutes);
    put(sim, TIDE_ROLE_admin, TIDE_REC_zone, &row);
}

static void end_a_blackout(struct sim *sim)
{
    drop(sim, TIDE_ROLE_clerk, TIDE_REC_window,
         (uint32_t[3]){1 + sim_rng_below(&sim->people, 200), 0, 0});
}

static void correct_a_name(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_correct);
    event.as.correct.kind =
        sim_rng_chance(&sim->people, 500) ? TIDE_NAME_KIND_full_name : TIDE_NAME_KIND_phone;
    event.as.correct.id = sim->world.persons[one_of(sim, TIDE_ROLE_resident)].id;
    sim_net_call(sim, one_of(sim, TIDE_ROLE_clerk), &event, 0);
}

static void accept_the_rules(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_accept_rules);
    event.as.accept_rules.rules_version = (uint16_t)(1 + sim_rng_below(&sim->people, 4));
    sim_net_call(sim, one_of(sim, TIDE_ROLE_resident), &event, 0);
}

static void ask_seldom(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_ask_person);
    uint32_t person = one_of(sim, TIDE_ROLE_resident);
    event.as.ask_person.person = sim->world.persons[person].id;
    sim_net_call(sim, person, &event, 0);
    event = sim_event(TIDE_REC_ask_passages);
    event.as.ask_passages.lane = sim->world.lanes[sim_rng_below(&sim->people, SIM_LANES)];
    sim_net_call(sim, one_of(sim, TIDE_ROLE_guard), &event, 0);
    event = sim_event(TIDE_REC_backup);
    sim_net_call(sim, one_of(sim, TIDE_ROLE_admin), &event, 0);
}

static void read_configuration_again(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_reloaded);
    event.as.reloaded.checksum = (uint32_t)sim_rng_next(&sim->people);
    sim_pump_hello(sim, &event); /* the daemon's own, as a gateway's greeting nobody waits for */
}

void sim_errands_day(struct sim *sim)
{
    static void (*const errands[])(struct sim * sim) = {
        name_a_steward, lose_a_telephone, sell_a_car, reopen_a_zone,           end_a_blackout,
        correct_a_name, accept_the_rules, ask_seldom, read_configuration_again};
    uint32_t count = 2 + sim_rng_below(&sim->people, 5);
    sim_draws_day(sim);
    for (uint32_t i = 0; i < count && !sim->failed; i++)
        errands[sim_rng_below(&sim->people, sizeof errands / sizeof *errands)](sim);
}
