/* world.c - see world.h. */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_A_PUT 48

struct founding {
    struct sim_world *world;
    const struct tide_names *names;
    struct sim_rng *rng;
    sim_founding_fn *fn;
    void *arg;
    uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];
    uint32_t blob_len;
    uint16_t rows;
};

static void *grow(void *old, size_t count, size_t size)
{
    void *grown = realloc(old, count * size);
    if (grown == NULL)
        abort();
    return grown;
}

static tide_id name_of(struct founding *f, enum tide_name_kind kind, const char *text)
{
    tide_id id = f->names->make(f->names->arg, kind, text, strlen(text));
    assert(id != 0);
    return id;
}

/* ---- rows ---------------------------------------------------------------------------------- */
static void flush(struct founding *f)
{
    if (f->rows == 0)
        return;
    struct engine_event event;
    memset(&event, 0, sizeof event);
    event.kind = TIDE_REC_put;
    event.user = f->world->admin_user;
    event.as.put.rows = f->rows;
    event.blob = f->blob;
    event.blob_len = f->blob_len;
    f->fn(f->arg, &event);
    f->rows = 0;
    f->blob_len = 0;
}

static void row(struct founding *f, unsigned kind, const void *record)
{
    f->blob[f->blob_len++] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), record, f->blob + f->blob_len,
                                   sizeof f->blob - f->blob_len);
    assert(used > 0);
    f->blob_len += (uint32_t)used;
    if (++f->rows == ROWS_A_PUT)
        flush(f);
}

static tide_id place(struct founding *f, const char *name, enum tide_place_kind kind,
                     tide_id parent)
{
    struct tide_place p = {
        .id = name_of(f, TIDE_NAME_KIND_place, name), .kind = (uint8_t)kind, .parent = parent};
    row(f, TIDE_REC_place, &p);
    return p.id;
}

static void person(struct founding *f, const char *name, uint32_t household, enum tide_role role,
                   tide_id at, enum tide_user_kind kind)
{
    struct sim_world *w = f->world;
    w->persons = grow(w->persons, w->person_count + 1, sizeof *w->persons);
    struct sim_person *p = &w->persons[w->person_count++];
    p->household = household;
    p->role = role;
    p->id = name_of(f, TIDE_NAME_KIND_person, name);
    p->user = name_of(f, TIDE_NAME_KIND_user, name);
    char text[48];
    int len = snprintf(text, sizeof text, "陈%s先生", name);
    f->names->set(f->names->arg, TIDE_NAME_KIND_full_name, p->id, text, (size_t)len);
    len = snprintf(text, sizeof text, "1390573%04u", p->id);
    f->names->set(f->names->arg, TIDE_NAME_KIND_phone, p->id, text, (size_t)len);
    tide_id home = household == UINT32_MAX ? 0 : w->households[household].id;
    row(f, TIDE_REC_person, &(struct tide_person){.id = p->id, .household = home});
    row(f, TIDE_REC_role_row,
        &(struct tide_role_row){.person = p->id, .role = (uint8_t)role, .place = at});
    row(f, TIDE_REC_user,
        &(struct tide_user){.id = p->user, .person = p->id, .kind = (uint8_t)kind});
}

/* ---- plates -------------------------------------------------------------------------------- */
static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";

static bool plate_exists(const struct sim_world *world, const char *text)
{
    for (uint32_t i = 0; i < world->plate_count; i++)
        if (strcmp(world->plates[i].text, text) == 0)
            return true;
    return false;
}

static uint32_t plate_add(struct sim_world *world, const char *text, enum sim_plate_kind kind)
{
    if (world->plate_count == world->plate_room) {
        world->plate_room = world->plate_room > 0 ? 2 * world->plate_room : 64;
        world->plates = grow(world->plates, world->plate_room, sizeof *world->plates);
    }
    struct sim_plate *p = &world->plates[world->plate_count++];
    memset(p, 0, sizeof *p);
    snprintf(p->text, sizeof p->text, "%s", text);
    p->kind = kind;
    p->household = UINT32_MAX;
    return world->plate_count;
}

static bool misread_text(const char *text, struct sim_rng *rng, char *ret, size_t cap)
{
    static const char pairs[][2] = {{'8', 'B'}, {'0', 'D'}, {'0', 'Q'}, {'1', '7'},
                                    {'2', 'Z'}, {'5', 'S'}, {'D', 'Q'}};
    snprintf(ret, cap, "%s", text);
    size_t len = strlen(text);
    size_t begin = sim_rng_below(rng, 5);
    for (size_t i = 0; i < 5; i++) {
        size_t at = len - 5 + (begin + i) % 5;
        for (size_t p = 0; p < sizeof pairs / sizeof *pairs; p++) {
            char other = text[at] == pairs[p][0]   ? pairs[p][1]
                         : text[at] == pairs[p][1] ? pairs[p][0]
                                                   : '\0';
            if (other == '\0')
                continue;
            ret[at] = other;
            return true;
        }
    }
    return false;
}

uint32_t sim_world_plate(struct sim_world *world, struct sim_rng *rng, enum sim_plate_kind kind)
{
    char text[24];
    do {
        const struct sim_plate *like = world->plate_count > 0 && sim_rng_chance(rng, 60)
                                           ? &world->plates[sim_rng_below(rng, world->plate_count)]
                                           : NULL;
        if (like != NULL && misread_text(like->text, rng, text, sizeof text))
            continue;
        int at = snprintf(text, sizeof text, "浙F");
        for (unsigned i = 0; i < 5; i++)
            text[at + (int)i] = letters[sim_rng_below(rng, sizeof letters - 1)];
        text[at + 5] = '\0';
    } while (plate_exists(world, text));
    return plate_add(world, text, kind);
}

uint32_t sim_world_misread(struct sim_world *world, struct sim_rng *rng, uint32_t plate)
{
    char text[24];
    assert(plate > 0 && plate <= world->plate_count);
    if (!misread_text(world->plates[plate - 1].text, rng, text, sizeof text))
        return plate;
    for (uint32_t i = 0; i < world->plate_count; i++)
        if (strcmp(world->plates[i].text, text) == 0)
            return i + 1;
    return plate_add(world, text, SIM_PLATE_STRANGER);
}

/* ---- who lives there ----------------------------------------------------------------------- */
static void household(struct founding *f, uint32_t index, tide_id parent, bool organisation)
{
    struct sim_world *w = f->world;
    struct sim_household *h = &w->households[index];
    memset(h, 0, sizeof *h);
    snprintf(h->name, sizeof h->name, organisation ? "org-%u" : "1-1-%u", 101 + index);
    h->organisation = organisation;
    h->id = place(f, h->name, TIDE_PLACE_KIND_household, parent);
    unsigned people = 1 + sim_rng_below(f->rng, 2);
    for (unsigned i = 1; i <= people; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s/%u", h->name, i);
        person(f, name, index, TIDE_ROLE_resident, h->id, TIDE_USER_KIND_app);
    }
    unsigned plates = 1 + (sim_rng_chance(f->rng, 200) ? 1 : 0);
    for (unsigned i = 0; i < plates; i++) {
        uint32_t number = sim_world_plate(w, f->rng, SIM_PLATE_OWN);
        w->plates[number - 1].household = index;
        if (h->plate == 0)
            h->plate = number;
        if (!organisation)
            row(f, TIDE_REC_vehicle,
                &(struct tide_vehicle){
                    .plate = number, .household = h->id, .kind = TIDE_VEHICLE_KIND_resident});
    }
}

static void people(struct founding *f, uint32_t households)
{
    struct sim_world *w = f->world;
    uint32_t commuters = households / 4;
    w->households = grow(NULL, households, sizeof *w->households);
    w->household_count = households;
    tide_id building = place(f, "1", TIDE_PLACE_KIND_building, w->compound);
    tide_id stair = place(f, "1-1", TIDE_PLACE_KIND_stair, building);
    for (uint32_t i = 0; i < households; i++) {
        bool commuter = i >= households - commuters;
        household(f, i, commuter ? w->organisation : stair, commuter);
    }
    person(f, "clerk/1", UINT32_MAX, TIDE_ROLE_clerk, w->community, TIDE_USER_KIND_console);
    person(f, "guard/1", UINT32_MAX, TIDE_ROLE_guard, w->community, TIDE_USER_KIND_console);
    person(f, "guard/2", UINT32_MAX, TIDE_ROLE_guard, w->compound, TIDE_USER_KIND_app);
    person(f, "property/1", UINT32_MAX, TIDE_ROLE_property, w->compound, TIDE_USER_KIND_app);
    person(f, "steward/1", UINT32_MAX, TIDE_ROLE_steward, stair, TIDE_USER_KIND_app);
    person(f, "committee/1", UINT32_MAX, TIDE_ROLE_committee, w->community, TIDE_USER_KIND_app);
    for (unsigned i = 0; i < SIM_GATEWAYS; i++) {
        char name[16];
        snprintf(name, sizeof name, "gw%u", i + 1);
        person(f, name, UINT32_MAX, TIDE_ROLE_gateway, w->community, TIDE_USER_KIND_gateway);
        w->gateways[i] = w->persons[w->person_count - 1].user;
    }
    for (unsigned i = 0; i < 3; i++) {
        uint32_t emergency = sim_world_plate(w, f->rng, SIM_PLATE_EMERGENCY);
        row(f, TIDE_REC_vehicle,
            &(struct tide_vehicle){.plate = emergency,
                                   .kind = i == 2 ? TIDE_VEHICLE_KIND_care
                                                  : TIDE_VEHICLE_KIND_emergency});
        uint32_t blocked = sim_world_plate(w, f->rng, SIM_PLATE_BLOCKED);
        row(f, TIDE_REC_vehicle,
            &(struct tide_vehicle){.plate = blocked, .kind = TIDE_VEHICLE_KIND_blocked});
    }
}

/* ---- what stands where --------------------------------------------------------------------- */
static void slots(struct founding *f, uint32_t zone, uint32_t count, enum tide_slot_title title)
{
    struct sim_world *w = f->world;
    struct sim_zone *z = &w->zones[zone];
    z->first_slot = w->slot_count;
    z->slot_count = count;
    w->slots = grow(w->slots, w->slot_count + count, sizeof *w->slots);
    for (uint32_t i = 0; i < count; i++) {
        struct sim_slot *s = &w->slots[w->slot_count++];
        char name[16];
        memset(s, 0, sizeof *s);
        snprintf(name, sizeof name, "%c-%03u", (char)('A' + zone), i + 1);
        s->id = name_of(f, TIDE_NAME_KIND_slot, name);
        s->zone = zone;
        s->sensed = (z->sense & TIDE_SENSE_SENSOR) != 0;
        s->owner = UINT32_MAX;
        struct tide_slot r = {.id = s->id,
                              .zone = z->id,
                              .title = (uint8_t)title,
                              .cls = sim_rng_chance(f->rng, 120) ? TIDE_SLOT_CLASS_charger
                                                                 : TIDE_SLOT_CLASS_standard,
                              .sensed = s->sensed};
        for (uint32_t h = 0; title == TIDE_SLOT_TITLE_owned && h < w->household_count; h++)
            if (w->households[h].slot == 0 && !w->households[h].organisation) {
                s->owner = h;
                w->households[h].slot = w->slot_count;
                r.owner = w->households[h].id;
                break;
            }
        if (title == TIDE_SLOT_TITLE_organisation)
            r.owner = w->organisation;
        else if (r.owner == 0)
            r.title = TIDE_SLOT_TITLE_common;
        row(f, TIDE_REC_slot, &r);
    }
}

void sim_world_draws(struct tide_zone *row, enum tide_draw_aim aim)
{
    row->policy = TIDE_ZONE_POLICY_draw;
    row->draw_opens_min = 17 * 60;
    row->draw_closes_min = 21 * 60;
    row->draw_from_min = 7 * 60;
    row->draw_until_min = 19 * 60;
    row->draw_aim = (uint8_t)aim;
}

static void zones(struct founding *f)
{
    static const uint8_t sense[SIM_ZONES] = {TIDE_SENSE_GATE | TIDE_SENSE_SENSOR, TIDE_SENSE_GATE,
                                             TIDE_SENSE_HAND, TIDE_SENSE_GATE | TIDE_SENSE_HAND};
    static const enum tide_lane_dir dirs[SIM_LANES] = {TIDE_LANE_DIR_in, TIDE_LANE_DIR_out,
                                                       TIDE_LANE_DIR_both};
    struct sim_world *w = f->world;
    uint32_t residents = w->household_count - w->household_count / 4;
    uint32_t counts[SIM_ZONES] = {residents / 3, residents / 3, residents / 6,
                                  w->household_count / 6};
    for (unsigned i = 0; i < SIM_LANES; i++) {
        char name[16];
        snprintf(name, sizeof name, "lane-%u", i + 1);
        w->lanes[i] = name_of(f, TIDE_NAME_KIND_lane, name);
        row(f, TIDE_REC_lane,
            &(struct tide_lane){.id = w->lanes[i],
                                .place = i == 2 ? w->organisation : w->compound,
                                .dir = (uint8_t)dirs[i],
                                .gateway = w->gateways[i == 2 ? 1 : 0]});
    }
    for (uint32_t i = 0; i < SIM_ZONES; i++) {
        char name[2] = {(char)('A' + i), '\0'};
        struct sim_zone *z = &w->zones[i];
        z->id = name_of(f, TIDE_NAME_KIND_zone, name);
        z->sense = sense[i];
        z->lane_in = i == 3 ? 2 : 0;
        z->lane_out = i == 3 ? 2 : 1;
        struct tide_zone r = {.id = z->id,
                              .place = i == 3 ? w->organisation : w->compound,
                              .sense = sense[i],
                              .outsiders = i != 2,
                              .resolution = 1,
                              .walk_group = 1,
                              .walk_m = (uint16_t)(i * 150)};
        if (i == 0 && sim_rng_chance(f->rng, 400))
            r.risk_permille = (uint16_t)sim_rng_range(f->rng, 200, TIDE_RISK_PERMILLE_MAX);
        if (i == SIM_DRAW_ZONE)
            sim_world_draws(&r, sim_rng_chance(f->rng, 500) ? TIDE_DRAW_AIM_minutes
                                                            : TIDE_DRAW_AIM_households);
        row(f, TIDE_REC_zone, &r);
        slots(f, i, counts[i] > 2 ? counts[i] : 2,
              i == 3 ? TIDE_SLOT_TITLE_organisation : TIDE_SLOT_TITLE_owned);
    }
}

void sim_world_found(struct sim_world *world, uint32_t households, struct sim_rng *rng,
                     const struct tide_names *names, sim_founding_fn *fn, void *arg)
{
    struct founding *f = calloc(1, sizeof *f);
    if (f == NULL)
        abort();
    assert(households >= 8);
    memset(world, 0, sizeof *world);
    *f = (struct founding){.world = world, .names = names, .rng = rng, .fn = fn, .arg = arg};
    world->community = name_of(f, TIDE_NAME_KIND_place, "home");
    world->admin_person = name_of(f, TIDE_NAME_KIND_person, "admin/1");
    world->admin_user = name_of(f, TIDE_NAME_KIND_user, "admin");
    struct engine_event genesis;
    memset(&genesis, 0, sizeof genesis);
    genesis.kind = TIDE_REC_genesis;
    genesis.as.genesis = (struct tide_genesis){.community = world->community,
                                               .admin = world->admin_person,
                                               .admin_user = world->admin_user,
                                               .utc_offset_min = SIM_UTC_OFFSET_MIN};
    fn(arg, &genesis);
    static const int64_t grants[] = {9000, 1500, 300}; /* plenty, enough, hardly any */
    row(f, TIDE_REC_setting_row,
        &(struct tide_setting_row){.key = TIDE_SETTING_grant_min,
                                   .value = grants[sim_rng_below(rng, 3)]});
    world->compound = place(f, "east", TIDE_PLACE_KIND_compound, world->community);
    world->organisation = place(f, "office", TIDE_PLACE_KIND_organisation, world->community);
    people(f, households);
    world->persons = grow(world->persons, world->person_count + 1, sizeof *world->persons);
    world->persons[world->person_count++] = (struct sim_person){.id = world->admin_person,
                                                                .user = world->admin_user,
                                                                .household = UINT32_MAX,
                                                                .role = TIDE_ROLE_admin};
    zones(f);
    flush(f);
    free(f);
}

void sim_world_done(struct sim_world *world)
{
    free(world->households);
    free(world->persons);
    free(world->plates);
    free(world->slots);
    memset(world, 0, sizeof *world);
}
