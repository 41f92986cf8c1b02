/* world.h - the made-up neighbourhood: who lives there, what they own, what stands where.
 *
 *     community ─ compound ─ building ─ stair ─ household ─ persons, plates, perhaps a slot
 *               └ organisation across the road ─ its people
 *     zones    A camera and sensors · B camera alone · C the guard's hand · D the organisation's
 *     lanes    two of the compound (in, out), one of the organisation (both ways)
 *
 * Plates are *numbers* here (index + 1 into `plates`). Events carry these numbers until the pump
 * turns them into ids, as the codec does with texts: after a crash the same text may get another
 * id.
 */
#ifndef TIDE_SIM_WORLD_H
#define TIDE_SIM_WORLD_H

#include "tests/sim/rng.h"
#include "tide/engine.h"
#include "tide/names.h"

#define SIM_UTC_OFFSET_MIN 480
#define SIM_ZONES 4
#define SIM_DRAW_ZONE 1 /* decides its days by draw */
#define SIM_LANES 3
#define SIM_GATEWAYS 3 /* compound's gates, organisation's gate, sensors */

enum sim_plate_kind {
    SIM_PLATE_OWN,
    SIM_PLATE_VISITOR,
    SIM_PLATE_STRANGER,
    SIM_PLATE_EMERGENCY,
    SIM_PLATE_BLOCKED
};

struct sim_plate {
    char text[24];
    enum sim_plate_kind kind;
    uint32_t household; /* index, of an own plate */
};

struct sim_household {
    tide_id id;
    char name[24];
    uint32_t plate; /* its first own plate's number */
    uint32_t slot;  /* index + 1 of the slot it owns, 0: none */
    bool organisation;
};

struct sim_person {
    tide_id id, user;
    uint32_t household; /* index; UINT32_MAX for staff */
    enum tide_role role;
};

struct sim_slot {
    tide_id id;
    uint32_t zone; /* index */
    bool sensed;
    uint32_t owner; /* household index, UINT32_MAX for none */
    uint32_t car;   /* what really stands there: a plate's number, 0 for nothing */
};

struct sim_zone {
    tide_id id;
    uint8_t sense;
    uint32_t first_slot, slot_count;
    uint32_t lane_in, lane_out; /* indices */
};

struct sim_world {
    tide_id community, compound, organisation;
    tide_id admin_user, admin_person;
    struct sim_household *households;
    uint32_t household_count;
    struct sim_person *persons; /* households' people first, then staff */
    uint32_t person_count;
    struct sim_plate *plates;
    uint32_t plate_count, plate_room;
    struct sim_slot *slots;
    uint32_t slot_count;
    struct sim_zone zones[SIM_ZONES];
    tide_id lanes[SIM_LANES];
    tide_id gateways[SIM_GATEWAYS]; /* users */
};

/* Takes an event of the founding; its blob holds ids already, plates' numbers excepted. */
typedef void sim_founding_fn(void *arg, const struct engine_event *event);

/* Draws a neighbourhood of so many households and tells the events that found it. Names are made in
 * the directory as they come. */
void sim_world_found(struct sim_world *world, uint32_t households, struct sim_rng *rng,
                     const struct tide_names *names, sim_founding_fn *fn, void *arg);
void sim_world_done(struct sim_world *world);
/* A new plate; sometimes one character's misreading away from another. Returns its number. */
/* The hours of draws in the row of a zone. */
void sim_world_draws(struct tide_zone *row, enum tide_draw_aim aim);
uint32_t sim_world_plate(struct sim_world *world, struct sim_rng *rng, enum sim_plate_kind kind);
/* Misreads a plate: another text that a camera could take it for. Returns a number. */
uint32_t sim_world_misread(struct sim_world *world, struct sim_rng *rng, uint32_t plate);

#endif
