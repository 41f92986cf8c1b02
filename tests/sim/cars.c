/* cars.c - what really happens on the ground, whatever was promised.
 *
 *   COMING ── at the gate ──► AT_GATE ── arm opens ──► INSIDE ── leaves ──► GONE
 *      └── a zone without a camera: straight in, and the driver's word ───┘
 *
 * Cars come early, late or never, park on the wrong slot, stay too long; cameras misread, sensors
 * miss changes. The simulated daemon hears of it only through facts.
 */
#include <assert.h>
#include <string.h>

#include "tests/sim/sim.h"

#define GATE_PATIENCE_MS 400
#define BEAT_MS 3600000
#define GATEWAY_SENSORS 2u

static uint32_t gateway_of_lane(uint32_t lane)
{
    return lane == 2 ? 1 : 0;
}

/* ---- the ground ---------------------------------------------------------------------------- */
static struct sim_slot *slot_of_trip(struct sim *sim, const struct sim_trip *trip)
{
    return trip->slot != 0 ? &sim->world.slots[trip->slot - 1] : NULL;
}

static void slot_changes(struct sim *sim, uint32_t index, uint32_t car)
{
    sim->world.slots[index].car = car;
    if (sim->world.slots[index].sensed && !sim_rng_chance(&sim->bad, 20))
        sim_later(sim, sim_rng_range(&sim->net, 2000, 40000), SIM_TODO_SENSE, index, 0);
}

/* Index + 1 of a slot with this id; 0 when there is none. */
static uint32_t slot_with_id(const struct sim *sim, tide_id id)
{
    for (uint32_t i = 0; i < sim->world.slot_count; i++)
        if (sim->world.slots[i].id == id)
            return i + 1;
    return 0;
}

static uint32_t some_empty_slot(struct sim *sim, uint32_t zone)
{
    const struct sim_zone *z = &sim->world.zones[zone];
    uint32_t begin = sim_rng_below(&sim->people, z->slot_count);
    for (uint32_t i = 0; i < z->slot_count; i++) {
        uint32_t index = z->first_slot + (begin + i) % z->slot_count;
        if (sim->world.slots[index].car == 0)
            return index + 1;
    }
    return 0;
}

static void park(struct sim *sim, struct sim_trip *trip, uint32_t told)
{
    bool obeys = told != 0 && sim_rng_chance(&sim->people, 930);
    trip->slot =
        obeys && sim->world.slots[told - 1].car == 0 ? told : some_empty_slot(sim, trip->zone);
    if (trip->slot != 0)
        slot_changes(sim, trip->slot - 1, trip->plate);
    trip->state = SIM_TRIP_INSIDE;
    sim->stats.arrivals++;
    uint32_t number = (uint32_t)(trip - sim->trips);
    sim_later(sim, trip->leave_real - sim->real_ms, SIM_TODO_CAR, number, 0);
}

/* ---- the camera ---------------------------------------------------------------------------- */
static void camera(struct sim *sim, struct sim_trip *trip, bool in)
{
    const struct sim_zone *zone = &sim->world.zones[trip->zone];
    uint32_t lane = in ? zone->lane_in : zone->lane_out;
    uint32_t gateway = gateway_of_lane(lane);
    struct engine_event seen = sim_event(TIDE_REC_plate_seen);
    struct tide_plate_seen *p = &seen.as.plate_seen;
    p->lane = sim->world.lanes[lane];
    p->dir = in ? TIDE_LANE_DIR_in : TIDE_LANE_DIR_out;
    p->plate = sim_rng_chance(&sim->people, 40)
                   ? sim_world_misread(&sim->world, &sim->people, trip->plate)
                   : trip->plate;
    p->plate_class = TIDE_PLATE_CLASS_ordinary;
    p->device_ms = sim_civil(sim) + sim_rng_bell(&sim->net, 4000);
    p->replay = sim->gateways[gateway].offline_until > sim->real_ms;
    p->ask = ++sim->gateways[gateway].next_ask;
    uint32_t number = (uint32_t)(trip - sim->trips);
    trip->ask = p->ask;
    sim_net_fact(sim, gateway, &seen, number + 1);
    if (sim_rng_chance(&sim->bad, 30)) /* the camera reads the same plate twice */
        sim_net_fact(sim, gateway, &seen, 0);
    if (in)
        sim_later(sim, GATE_PATIENCE_MS, SIM_TODO_GATE, number, p->ask);
}

/* The arm's gateway did not hear from the daemon in time: its own list decides, and reports. */
void sim_cars_gate_silent(struct sim *sim, uint32_t number, uint32_t ask)
{
    struct sim_trip *trip = &sim->trips[number];
    if (trip->state != SIM_TRIP_AT_GATE || trip->ask != ask)
        return;
    uint32_t lane = sim->world.zones[trip->zone].lane_in;
    uint32_t gateway = gateway_of_lane(lane);
    bool open = trip->booking != 0 || sim->world.plates[trip->plate - 1].kind == SIM_PLATE_OWN;
    struct engine_event report = sim_event(TIDE_REC_gate_report);
    struct tide_gate_report *r = &report.as.gate_report;
    r->lane = sim->world.lanes[lane];
    r->dir = TIDE_LANE_DIR_in;
    r->plate = trip->plate;
    r->decision = open ? TIDE_DECISION_open : TIDE_DECISION_deny;
    r->device_ms = sim_civil(sim);
    r->ask = ask;
    sim_net_fact(sim, gateway, &report, 0);
    sim_cars_open(sim, number, open);
}

void sim_cars_command(struct sim *sim, const struct tide_command *command)
{
    for (uint32_t g = 0; g < SIM_GATEWAYS; g++) {
        struct sim_gateway *gateway = &sim->gateways[g];
        if (sim->world.gateways[g] != command->gateway || gateway->offline_until > sim->real_ms)
            continue;
        for (uint32_t i = gateway->spool_count; i > 0 && i + 64 > gateway->spool_count; i--) {
            const struct sim_fact *fact = &gateway->spool[i - 1];
            if (fact->trip == 0 || fact->event.kind != TIDE_REC_plate_seen ||
                fact->event.as.plate_seen.ask != command->ask)
                continue;
            struct sim_trip *trip = &sim->trips[fact->trip - 1];
            if (command->slot != 0 && trip->state == SIM_TRIP_AT_GATE)
                trip->slot = slot_with_id(sim, command->slot);
            sim_later(sim, sim_rng_range(&sim->net, 5, 60), SIM_TODO_OPEN, fact->trip - 1,
                      command->kind == TIDE_COMMAND_KIND_open);
            break;
        }
        if (sim_rng_chance(&sim->net, 300)) {
            struct engine_event done = sim_event(TIDE_REC_command_done);
            done.as.command_done.command = command->id;
            done.as.command_done.state = sim_rng_chance(&sim->net, 950) ? TIDE_COMMAND_STATE_done
                                                                        : TIDE_COMMAND_STATE_failed;
            sim_net_fact(sim, g, &done, 0);
        }
    }
}

void sim_cars_open(struct sim *sim, uint32_t number, bool open)
{
    struct sim_trip *trip = &sim->trips[number];
    if (trip->state != SIM_TRIP_AT_GATE)
        return;
    if (open) {
        uint32_t told = trip->slot;
        if (sim->world.plates[trip->plate - 1].kind == SIM_PLATE_OWN && trip->booking == 0) {
            uint32_t h = sim->world.plates[trip->plate - 1].household;
            told = h != UINT32_MAX ? sim->world.households[h].slot : 0;
        }
        park(sim, trip, told);
        return;
    }
    if (trip->tries++ < 2) { /* waits, tries again */
        trip->state = SIM_TRIP_COMING;
        sim_later(sim, sim_rng_range(&sim->people, 60000, 1200000), SIM_TODO_CAR, number, 0);
        return;
    }
    if (sim_rng_chance(&sim->people, 400)) { /* the guard has a heart */
        struct engine_event hand = sim_event(TIDE_REC_hand);
        hand.as.hand.lane = sim->world.lanes[sim->world.zones[trip->zone].lane_in];
        hand.as.hand.plate = trip->plate;
        hand.as.hand.dir = TIDE_LANE_DIR_in;
        for (uint32_t p = 0; p < sim->world.person_count; p++)
            if (sim->world.persons[p].role == TIDE_ROLE_guard) {
                sim_net_call(sim, p, &hand, 0);
                break;
            }
        park(sim, trip, 0);
        return;
    }
    trip->state = SIM_TRIP_GONE;
}

/* ---- sensors ------------------------------------------------------------------------------- */
void sim_cars_sense(struct sim *sim, uint32_t index, bool heartbeat)
{
    const struct sim_slot *slot = &sim->world.slots[index];
    struct engine_event seen = sim_event(TIDE_REC_slot_seen);
    seen.as.slot_seen.slot = slot->id;
    seen.as.slot_seen.state = slot->car != 0 ? TIDE_OCCUPANCY_occupied : TIDE_OCCUPANCY_free;
    seen.as.slot_seen.heartbeat = heartbeat;
    seen.as.slot_seen.battery_pct = (uint8_t)sim_rng_below(&sim->net, 101);
    seen.as.slot_seen.replay = sim->gateways[GATEWAY_SENSORS].offline_until > sim->real_ms;
    sim_net_fact(sim, GATEWAY_SENSORS, &seen, 0);
}

void sim_cars_beat(struct sim *sim, uint32_t index)
{
    sim_later(sim, BEAT_MS + sim_rng_bell(&sim->net, 60000), SIM_TODO_BEAT, index, 0);
    if (sim_rng_chance(&sim->bad, 150))
        return; /* a dead battery, a lorry in the way */
    sim_cars_sense(sim, index, true);
}

/* ---- trips --------------------------------------------------------------------------------- */
static uint32_t trip_new(struct sim *sim, uint32_t plate, uint32_t zone, tide_ms come_ms,
                         tide_ms leave_ms)
{
    sim->trips = sim_grow(sim->trips, &sim->trip_room, sim->trip_count + 1, sizeof *sim->trips);
    struct sim_trip *trip = &sim->trips[sim->trip_count++];
    memset(trip, 0, sizeof *trip);
    trip->plate = plate;
    trip->zone = zone;
    trip->leave_real = leave_ms - sim->offset_ms;
    sim_later(sim, come_ms - sim->offset_ms - sim->real_ms, SIM_TODO_CAR, sim->trip_count - 1, 0);
    return sim->trip_count - 1;
}

void sim_cars_promised(struct sim *sim, uint32_t person, const struct sim_held *held)
{
    if (!sim_rng_chance(&sim->people, 860))
        return; /* never comes */
    tide_ms come = held->start_ms + sim_rng_bell(&sim->people, 40 * 60000);
    tide_ms leave = held->end_ms - sim_rng_range(&sim->people, 0, 40 * 60000);
    if (sim_rng_chance(&sim->people, 150))
        leave = held->end_ms + sim_rng_range(&sim->people, 0, 150 * 60000); /* stays too long */
    if (leave < come + 60000)
        leave = come + 60000;
    uint32_t trip = trip_new(sim, held->plate, held->zone, come, leave);
    sim->trips[trip].booking = held->booking;
    sim->trips[trip].person = person;
}

static void say_arrived(struct sim *sim, const struct sim_trip *trip)
{
    struct engine_event arrive = sim_event(TIDE_REC_arrive);
    arrive.as.arrive.booking = trip->booking;
    if (trip->booking == 0) {
        arrive.as.arrive.plate = trip->plate;
        arrive.as.arrive.zone = sim->world.zones[trip->zone].id;
        arrive.as.arrive.slot = trip->slot != 0 ? sim->world.slots[trip->slot - 1].id : 0;
    }
    sim_net_call(sim, trip->person, &arrive, (uint32_t)(trip - sim->trips));
}

static void say_left(struct sim *sim, const struct sim_trip *trip)
{
    struct engine_event leave = sim_event(TIDE_REC_leave);
    if (trip->booking != 0)
        leave.as.leave.booking = trip->booking;
    else
        leave.as.leave.plate = trip->plate;
    sim_net_call(sim, trip->person, &leave, 0);
}

static void come(struct sim *sim, uint32_t number)
{
    struct sim_trip *trip = &sim->trips[number];
    if (sim->world.zones[trip->zone].sense & TIDE_SENSE_GATE) {
        trip->state = SIM_TRIP_AT_GATE;
        camera(sim, trip, true);
        return;
    }
    park(sim, trip, 0);
    if (!sim_rng_chance(&sim->people, 100)) /* some never say a word */
        say_arrived(sim, &sim->trips[number]);
}

void sim_cars_step(struct sim *sim, uint32_t number)
{
    struct sim_trip *trip = &sim->trips[number];
    if (trip->state == SIM_TRIP_COMING) {
        come(sim, number);
        return;
    }
    if (trip->state != SIM_TRIP_INSIDE)
        return;
    struct sim_slot *slot = slot_of_trip(sim, trip);
    if (slot != NULL && slot->car == trip->plate)
        slot_changes(sim, trip->slot - 1, 0);
    trip->state = SIM_TRIP_GONE;
    if (sim->world.zones[trip->zone].sense & TIDE_SENSE_GATE) {
        if (!sim_rng_chance(&sim->bad, 15)) /* out behind a lorry, unseen */
            camera(sim, trip, false);
    } else if (!sim_rng_chance(&sim->people, 120)) {
        say_left(sim, trip);
    }
}

/* Each day the residents' own cars go to work and come home, and strangers try their luck. */
void sim_cars_day(struct sim *sim)
{
    struct sim_world *w = &sim->world;
    tide_ms now = sim_civil(sim);
    for (uint32_t h = 0; h < w->household_count; h++) {
        const struct sim_household *house = &w->households[h];
        if (house->organisation || !sim_rng_chance(&sim->people, 700))
            continue;
        uint32_t zone = house->slot != 0 ? w->slots[house->slot - 1].zone : 1;
        tide_ms home = now + 12 * 3600000 + sim_rng_bell(&sim->people, 3 * 3600000);
        tide_ms away = home + 12 * 3600000 + sim_rng_bell(&sim->people, 2 * 3600000);
        uint32_t trip = trip_new(sim, house->plate, zone, home, away);
        for (uint32_t p = 0; p < w->person_count; p++)
            if (w->persons[p].household == h)
                sim->trips[trip].person = p;
    }
    for (uint32_t i = 0; i < 3; i++) {
        static const enum sim_plate_kind kinds[] = {SIM_PLATE_STRANGER, SIM_PLATE_BLOCKED,
                                                    SIM_PLATE_EMERGENCY};
        uint32_t plate = 0;
        for (uint32_t p = 0; kinds[i] != SIM_PLATE_STRANGER && p < w->plate_count; p++)
            if (w->plates[p].kind == kinds[i])
                plate = p + 1;
        if (plate == 0)
            plate = sim_world_plate(w, &sim->people, SIM_PLATE_STRANGER);
        tide_ms at = now + sim_rng_range(&sim->people, 3600000, 20 * 3600000);
        trip_new(sim, plate, sim_rng_below(&sim->people, SIM_ZONES), at,
                 at + sim_rng_range(&sim->people, 600000, 6 * 3600000));
    }
}

void sim_cars_begin(struct sim *sim)
{
    for (uint32_t g = 0; g < SIM_GATEWAYS; g++) {
        sim->gateways[g].boot = 1;
        sim->gateways[g].next_seq = 1;
        sim_later(sim, 1000 + g, SIM_TODO_RESEND, g, 0);
    }
    for (uint32_t i = 0; i < sim->world.slot_count; i++)
        if (sim->world.slots[i].sensed)
            sim_later(sim, sim_rng_range(&sim->net, 1000, BEAT_MS), SIM_TODO_BEAT, i, 0);
}
