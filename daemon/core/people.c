/* people.c - how persons, roles, vehicles and slots hang together: lists chained by id.
 *
 * Every list is kept in the order of its keys, so that whoever walks one walks it the same way in
 * an engine that was loaded and in one that never stopped.
 */
#include "daemon/core/parking/slices.h"
#include "daemon/core/put.h"

/* ---- persons of a household ----------------------------------------------------------------- */
void person_attach(struct engine *engine, struct person_state *person)
{
    struct place_state *place = place_of(engine, person->row.household);
    if (place == NULL)
        return;
    uint32_t *link = &place->first_person;
    while (*link != 0 && *link < person->row.id)
        link = &person_of(engine, *link)->next_in_household;
    person->next_in_household = *link;
    *link = person->row.id;
}

void person_detach(struct engine *engine, struct person_state *person)
{
    struct place_state *place = place_of(engine, person->row.household);
    if (place == NULL)
        return;
    uint32_t *link = &place->first_person;
    while (*link != person->row.id) {
        CHECK(*link != 0);
        link = &person_of(engine, *link)->next_in_household;
    }
    *link = person->next_in_household;
    person->next_in_household = 0;
}

/* ---- roles ---------------------------------------------------------------------------------- */
static struct role_state *role_at(const struct engine *engine, uint32_t number)
{
    return table_find(&engine->roles, number);
}

struct role_state *role_find(const struct engine *engine, tide_id person, enum tide_role role,
                             tide_id place)
{
    const struct person_state *state = person_of(engine, person);
    for (uint32_t n = state != NULL ? state->first_role : 0; n != 0;) {
        struct role_state *found = role_at(engine, n);
        if (found->row.role == role && found->row.place == place)
            return found;
        n = found->next_of_person;
    }
    return NULL;
}

static bool role_before(const struct tide_role_row *a, const struct tide_role_row *b)
{
    if (a->person != b->person)
        return a->person < b->person;
    return a->role != b->role ? a->role < b->role : a->place < b->place;
}

struct role_state *role_add(struct engine *engine, const struct tide_role_row *row)
{
    struct person_state *person = person_of(engine, row->person);
    CHECK(person != NULL && row->role < 16);
    struct role_state *role = table_add(&engine->roles, ++engine->role_number);
    if (role == NULL)
        return NULL;
    role->row = *row;
    uint32_t *link = &person->first_role;
    while (*link != 0 && role_before(&role_at(engine, *link)->row, row))
        link = &role_at(engine, *link)->next_of_person;
    role->next_of_person = *link;
    *link = role->number;
    if (row->role == TIDE_ROLE_resident) /* many, and nobody is told "as a resident on duty" */
        return role;
    link = &engine->first_of_role[row->role];
    while (*link != 0 && role_before(&role_at(engine, *link)->row, row))
        link = &role_at(engine, *link)->next_of_role;
    role->next_of_role = *link;
    *link = role->number;
    return role;
}

void role_remove(struct engine *engine, struct role_state *role)
{
    struct person_state *person = person_of(engine, role->row.person);
    CHECK(person != NULL);
    uint32_t *link = &person->first_role;
    while (*link != role->number)
        link = &role_at(engine, *link)->next_of_person;
    *link = role->next_of_person;
    if (role->row.role != TIDE_ROLE_resident) {
        link = &engine->first_of_role[role->row.role];
        while (*link != role->number)
            link = &role_at(engine, *link)->next_of_role;
        *link = role->next_of_role;
    }
    table_remove(&engine->roles, role);
}

/* ---- vehicles of a household ---------------------------------------------------------------- */
void vehicle_attach(struct engine *engine, struct vehicle_state *vehicle)
{
    struct place_state *place = place_of(engine, vehicle->row.household);
    if (place == NULL)
        return;
    uint32_t *link = &place->first_vehicle;
    while (*link != 0 && *link < vehicle->row.plate)
        link = &vehicle_of(engine, *link)->next_of_household;
    vehicle->next_of_household = *link;
    *link = vehicle->row.plate;
}

void vehicle_detach(struct engine *engine, struct vehicle_state *vehicle)
{
    struct place_state *place = place_of(engine, vehicle->row.household);
    if (place == NULL)
        return;
    uint32_t *link = &place->first_vehicle;
    while (*link != vehicle->row.plate) {
        CHECK(*link != 0);
        link = &vehicle_of(engine, *link)->next_of_household;
    }
    *link = vehicle->next_of_household;
    vehicle->next_of_household = 0;
}

/* ---- slots of a zone, of an owner ----------------------------------------------------------- */
static void chain_in(struct engine *engine, uint32_t *link, struct slot_state *slot, bool by_owner)
{
    while (*link != 0 && *link < slot->row.id) {
        struct slot_state *other = slot_of(engine, *link);
        link = by_owner ? &other->next_of_owner : &other->next_in_zone;
    }
    *(by_owner ? &slot->next_of_owner : &slot->next_in_zone) = *link;
    *link = slot->row.id;
}

static void chain_out(struct engine *engine, uint32_t *link, struct slot_state *slot, bool by_owner)
{
    while (*link != slot->row.id) {
        CHECK(*link != 0);
        struct slot_state *other = slot_of(engine, *link);
        link = by_owner ? &other->next_of_owner : &other->next_in_zone;
    }
    *link = by_owner ? slot->next_of_owner : slot->next_in_zone;
}

void slot_attach_zone(struct engine *engine, struct slot_state *slot)
{
    struct zone_state *zone = zone_of(engine, slot->row.zone);
    struct place_state *owner = place_of(engine, slot->row.owner);
    CHECK(zone != NULL);
    chain_in(engine, &zone->first_slot, slot, false);
    zone->slot_count++;
    slices_mark(engine, slot->row.id, slot->row.zone, slot->row.cls, true);
    if (owner != NULL)
        chain_in(engine, &owner->first_slot, slot, true);
}

void slot_detach_zone(struct engine *engine, struct slot_state *slot)
{
    struct zone_state *zone = zone_of(engine, slot->row.zone);
    struct place_state *owner = place_of(engine, slot->row.owner);
    CHECK(zone != NULL && zone->slot_count > 0);
    chain_out(engine, &zone->first_slot, slot, false);
    zone->slot_count--;
    slices_mark(engine, slot->row.id, slot->row.zone, slot->row.cls, false);
    if (owner != NULL)
        chain_out(engine, &owner->first_slot, slot, true);
    slot->next_in_zone = slot->next_of_owner = 0;
}

/* ---- devices of a person -------------------------------------------------------------------- */
void user_attach(struct engine *engine, struct user_state *user)
{
    struct person_state *person = person_of(engine, user->row.person);
    if (person == NULL)
        return;
    uint32_t *link = &person->first_user;
    while (*link != 0 && *link < user->row.id)
        link = &user_of(engine, *link)->next_of_person;
    user->next_of_person = *link;
    *link = user->row.id;
}

void user_detach(struct engine *engine, struct user_state *user)
{
    struct person_state *person = person_of(engine, user->row.person);
    if (person == NULL)
        return;
    uint32_t *link = &person->first_user;
    while (*link != user->row.id) {
        CHECK(*link != 0);
        link = &user_of(engine, *link)->next_of_person;
    }
    *link = user->next_of_person;
    user->next_of_person = 0;
}

const struct tide_user *engine_user_of(const struct engine *engine, tide_id person, tide_id after)
{
    const struct person_state *state = person_of(engine, person);
    for (uint32_t id = state != NULL ? state->first_user : 0; id != 0;) {
        const struct user_state *user = user_of(engine, id);
        CHECK(user != NULL);
        if (id > after)
            return &user->row;
        id = user->next_of_person;
    }
    return NULL;
}
