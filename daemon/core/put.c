/* put.c - rows in, all or none.
 *
 *   blob ──► rows ──► each checked against the state *and the rows before it* ──► applied
 *
 * Nothing is applied before everything is checked, so that applying cannot fail. What a row leaves
 * unsaid is not touched; nothing is ever deleted because a later file does not name it.
 */
#include "daemon/core/put.h"

#include <string.h>

#include "daemon/core/authority.h"
#include "daemon/core/ledger.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"

struct rows {
    unsigned count;
    uint8_t kind[TIDE_ITEMS_MAX];
    union tide_any row[TIDE_ITEMS_MAX];
};

struct fault {
    enum tide_code code;
    enum tide_why why;
};

static bool rows_read(const struct engine_event *event, struct rows *ret)
{
    size_t at = 0;
    ret->count = 0;
    while (at < event->blob_len) {
        const struct tide_record *desc = tide_record_of(event->blob[at]);
        if (ret->count == TIDE_ITEMS_MAX || desc == NULL || desc->key_count == 0)
            return false;
        size_t used = tide_record_unpack(desc, event->blob + at + 1, event->blob_len - at - 1,
                                         &ret->row[ret->count]);
        if (used == 0)
            return false;
        ret->kind[ret->count++] = desc->kind;
        at += 1 + used;
    }
    return ret->count > 0;
}

/* ---- checking ------------------------------------------------------------------------------- */
/* The id stands for something: in the state, or in a row before row n. */
static bool known(const struct engine *engine, const struct rows *rows, unsigned n, unsigned kind,
                  tide_id id)
{
    if (id == 0)
        return false;
    if (engine_find(engine, kind, id, 0, 0) != NULL)
        return true;
    const struct tide_field *key = tide_record_of(kind)->fields;
    for (unsigned i = 0; i < n; i++)
        if (rows->kind[i] == kind && tide_field_get(key, &rows->row[i]) == id)
            return true;
    return false;
}

static const struct fault fine = {TIDE_CODE_ok, TIDE_WHY_none};
static const struct fault wrong = {TIDE_CODE_invalid, TIDE_WHY_none};
static const struct fault absent = {TIDE_CODE_not_found, TIDE_WHY_none};

static struct fault check_place(const struct engine *engine, const struct rows *rows, unsigned n)
{
    const struct tide_place *row = &rows->row[n].place;
    const struct place_state *old = place_of(engine, row->id);
    bool top = row->kind == TIDE_PLACE_KIND_community || row->kind == TIDE_PLACE_KIND_city;
    if (row->id == 0 || row->kind == TIDE_PLACE_KIND_none || row->parent == row->id)
        return wrong;
    if (row->parent == 0 ? !top : !known(engine, rows, n, TIDE_REC_place, row->parent))
        return absent;
    if (old != NULL && (old->row.kind != row->kind || place_within(engine, row->parent, row->id)))
        return (struct fault){TIDE_CODE_conflict, TIDE_WHY_in_use};
    return fine;
}

static struct fault check_slot(const struct engine *engine, const struct rows *rows, unsigned n)
{
    const struct tide_slot *row = &rows->row[n].slot;
    const struct slot_state *old = slot_of(engine, row->id);
    bool needs_owner = row->title != TIDE_SLOT_TITLE_common;
    if (row->id == 0 || row->title == TIDE_SLOT_TITLE_none)
        return wrong;
    if (!known(engine, rows, n, TIDE_REC_zone, row->zone) ||
        (row->owner != 0 && !known(engine, rows, n, TIDE_REC_place, row->owner)) ||
        (needs_owner && row->owner == 0))
        return absent;
    if (old != NULL && (old->row.zone != row->zone || old->row.cls != row->cls) &&
        (old->bookings.first != 0 || old->session != 0))
        return (struct fault){TIDE_CODE_conflict, TIDE_WHY_in_use};
    return fine;
}

static struct fault check_setting(const struct engine *engine, const struct tide_setting_row *row)
{
    int64_t least, most;
    if (row->key == TIDE_SETTING_horizon_days && row->value > engine->limits.horizon_days_max)
        return (struct fault){TIDE_CODE_full, TIDE_WHY_pool_full};
    if (!setting_bounds(row->key, &least, &most) || row->value < least || row->value > most)
        return wrong;
    return fine;
}

/* Whoever has the desk may not hand out the desk: that is the admin's. */
static struct fault check_role(const struct step *step, const struct rows *rows, unsigned n)
{
    const struct tide_role_row *row = &rows->row[n].role_row;
    bool high = row->role == TIDE_ROLE_admin || row->role == TIDE_ROLE_clerk ||
                row->role == TIDE_ROLE_committee || row->role == TIDE_ROLE_gateway;
    if (row->role == TIDE_ROLE_none)
        return wrong;
    if (high && !step_has_role(step, ROLE_BIT(TIDE_ROLE_admin), 0))
        return (struct fault){TIDE_CODE_not_authorized, TIDE_WHY_role_missing};
    if (!known(step->engine, rows, n, TIDE_REC_person, row->person) ||
        !known(step->engine, rows, n, TIDE_REC_place, row->place))
        return absent;
    return fine;
}

static struct fault check_user(const struct step *step, const struct rows *rows, unsigned n)
{
    const struct tide_user *row = &rows->row[n].user;
    const struct user_state *old = user_of(step->engine, row->id);
    bool admin = step_has_role(step, ROLE_BIT(TIDE_ROLE_admin), 0);
    tide_id person = old != NULL ? old->row.person : row->person;
    if (row->id == 0 || row->kind == TIDE_USER_KIND_none)
        return wrong;
    if (!known(step->engine, rows, n, TIDE_REC_person, row->person))
        return absent;
    /* A device of somebody with more rights than the desk would hand these rights over. */
    if (!admin && (row->kind == TIDE_USER_KIND_gateway || person != row->person ||
                   (roles_at(step->engine, row->person, 0) & ROLE_BIT(TIDE_ROLE_admin)) != 0))
        return (struct fault){TIDE_CODE_not_authorized, TIDE_WHY_role_missing};
    return fine;
}

static struct fault check_row(const struct step *step, const struct rows *rows, unsigned n)
{
    const struct engine *engine = step->engine;
    const union tide_any *row = &rows->row[n];
    bool ok = true;
    switch (rows->kind[n]) {
    case TIDE_REC_setting_row:
        return check_setting(engine, &row->setting_row);
    case TIDE_REC_place:
        return check_place(engine, rows, n);
    case TIDE_REC_slot:
        return check_slot(engine, rows, n);
    case TIDE_REC_role_row:
        return check_role(step, rows, n);
    case TIDE_REC_user:
        return check_user(step, rows, n);
    case TIDE_REC_person:
        if (row->person.id == 0)
            return wrong;
        ok = row->person.household == 0 ||
             known(engine, rows, n, TIDE_REC_place, row->person.household);
        break;
    case TIDE_REC_vehicle:
        if (row->vehicle.plate == 0)
            return wrong;
        ok = row->vehicle.household != 0
                 ? known(engine, rows, n, TIDE_REC_place, row->vehicle.household)
                 : row->vehicle.kind != TIDE_VEHICLE_KIND_resident;
        break;
    case TIDE_REC_zone:
        if (row->zone.id == 0 || (row->zone.outsiders && row->zone.resolution == 0))
            return wrong; /* outsiders need a resolution on file (design, parking) */
        if (!draw_zone_is_sound(&row->zone))
            return wrong;
        ok = known(engine, rows, n, TIDE_REC_place, row->zone.place);
        break;
    case TIDE_REC_lane:
        if (row->lane.id == 0)
            return wrong;
        ok = known(engine, rows, n, TIDE_REC_place, row->lane.place) &&
             (row->lane.gateway == 0 || known(engine, rows, n, TIDE_REC_user, row->lane.gateway));
        break;
    case TIDE_REC_window:
        if (!window_is_sound(&row->window) || row->window.id != 0)
            return wrong;
        ok = known(engine, rows, n, TIDE_REC_slot, row->window.slot);
        break;
    default:
        return wrong;
    }
    return ok ? fine : absent;
}

/* Room for every row as if all were new. */
static bool has_room(const struct engine *engine, const struct rows *rows)
{
    const struct table *hashed[] = {&engine->roles, &engine->vehicles, &engine->windows,
                                    &engine->plates};
    for (unsigned i = 0; i < sizeof hashed / sizeof *hashed; i++)
        if (hashed[i]->cap - hashed[i]->count < rows->count)
            return false;
    for (unsigned n = 0; n < rows->count; n++) {
        const struct tide_field *key = tide_record_of(rows->kind[n])->fields;
        int64_t id = tide_field_get(key, &rows->row[n]);
        uint32_t cap = rows->kind[n] == TIDE_REC_place    ? engine->places.cap
                       : rows->kind[n] == TIDE_REC_person ? engine->persons.cap
                       : rows->kind[n] == TIDE_REC_user   ? engine->users.cap
                       : rows->kind[n] == TIDE_REC_zone   ? engine->zones.cap
                       : rows->kind[n] == TIDE_REC_slot   ? engine->slots.cap
                       : rows->kind[n] == TIDE_REC_lane   ? engine->lanes.cap
                                                          : UINT32_MAX;
        if (id > cap)
            return false;
    }
    return true;
}

/* ---- applying ------------------------------------------------------------------------------- */
static void *upsert(struct table *table, uint32_t key, bool *ret_new)
{
    void *element = table_find(table, key);
    *ret_new = element == NULL;
    element = element != NULL ? element : table_add(table, key);
    CHECK(element != NULL);
    return element;
}

static void put_place(struct step *step, const struct tide_place *row)
{
    bool is_new;
    struct place_state *place = upsert(&step->engine->places, row->id, &is_new);
    place->row = *row;
    step_put(step, TIDE_REC_place, row);
    if (row->kind == TIDE_PLACE_KIND_household || row->kind == TIDE_PLACE_KIND_organisation)
        CHECK(ledger_open(step, row->id)); /* as many accounts as places */
}

static void put_person(struct step *step, const struct tide_person *row)
{
    bool is_new;
    struct person_state *person = upsert(&step->engine->persons, row->id, &is_new);
    if (!is_new)
        person_detach(step->engine, person);
    uint16_t accepted = person->row.rules_version;
    person->row = *row;
    person->row.rules_version = accepted; /* only he himself accepts */
    person_attach(step->engine, person);
    step_put(step, TIDE_REC_person, &person->row);
}

static void put_slot(struct step *step, const struct tide_slot *row)
{
    struct engine *engine = step->engine;
    bool is_new;
    struct slot_state *slot = upsert(&engine->slots, row->id, &is_new);
    if (is_new)
        freemap_adopt(engine, slot);
    else
        slot_detach_zone(engine, slot);
    slot->row = *row;
    slot_attach_zone(engine, slot);
    int32_t first = windows_first_day(engine), last = windows_last_day(engine);
    if (first <= last)
        windows_resolve(engine, slot, first, last);
    zone_touch(engine, row->zone);
    step_put(step, TIDE_REC_slot, row);
    window_resettle_slot(step, slot, TIDE_WHY_withdrawn);
}

static bool same_window(const struct tide_window *a, struct tide_window b)
{
    b.id = a->id;
    b.by = a->by;
    uint8_t x[128], y[128];
    const struct tide_record *desc = tide_record_of(TIDE_REC_window);
    size_t nx = tide_record_pack(desc, a, x, sizeof x),
           ny = tide_record_pack(desc, &b, y, sizeof y);
    CHECK(nx > 0 && ny > 0);
    return nx == ny && memcmp(x, y, nx) == 0;
}

static void put_window(struct step *step, struct tide_window row)
{
    struct engine *engine = step->engine;
    struct slot_state *slot = slot_of(engine, row.slot);
    row.zone = slot->row.zone;
    row.by = step->person;
    for (uint32_t id = slot->first_window; id != 0; id = window_of(engine, id)->next)
        if (same_window(&window_of(engine, id)->row, row))
            return; /* the same file twice */
    struct window_state *window =
        table_add(&engine->windows, step_new_id(step, TIDE_COUNTER_window));
    CHECK(window != NULL);
    row.id = window->row.id;
    window->row = row;
    window_attach(engine, window);
    step_put(step, TIDE_REC_window, &row);
    int32_t first = windows_first_day(engine), last = windows_last_day(engine);
    if (first <= last)
        windows_resolve(engine, slot, first, last);
    zone_touch(engine, row.zone);
    window_resettle_slot(
        step, slot, row.kind == TIDE_WINDOW_KIND_blackout ? TIDE_WHY_blackout : TIDE_WHY_recall);
}

static void put_vehicle(struct step *step, const struct tide_vehicle *row)
{
    bool is_new;
    struct vehicle_state *vehicle = upsert(&step->engine->vehicles, row->plate, &is_new);
    if (!is_new)
        vehicle_detach(step->engine, vehicle);
    vehicle->row = *row;
    vehicle_attach(step->engine, vehicle);
    step_put(step, TIDE_REC_vehicle, row);
}

static void put_user(struct step *step, const struct tide_user *row)
{
    bool is_new;
    struct user_state *user = upsert(&step->engine->users, row->id, &is_new);
    if (!is_new)
        user_detach(step->engine, user);
    user->row = *row;
    user_attach(step->engine, user);
    step_put(step, TIDE_REC_user, row);
}

static void put_row(struct step *step, unsigned kind, const union tide_any *row)
{
    struct engine *engine = step->engine;
    bool is_new;
    switch (kind) {
    case TIDE_REC_setting_row:
        step_setting(step, (enum tide_setting)row->setting_row.key, row->setting_row.value);
        break;
    case TIDE_REC_place:
        put_place(step, &row->place);
        break;
    case TIDE_REC_person:
        put_person(step, &row->person);
        break;
    case TIDE_REC_role_row:
        if (role_find(engine, row->role_row.person, (enum tide_role)row->role_row.role,
                      row->role_row.place) != NULL)
            break;
        CHECK(role_add(engine, &row->role_row) != NULL);
        step_put(step, kind, row);
        break;
    case TIDE_REC_user:
        put_user(step, &row->user);
        break;
    case TIDE_REC_vehicle:
        put_vehicle(step, &row->vehicle);
        break;
    case TIDE_REC_zone:
        draw_zone_put(step, &row->zone);
        break;
    case TIDE_REC_slot:
        put_slot(step, &row->slot);
        break;
    case TIDE_REC_lane:
        ((struct lane_state *)upsert(&engine->lanes, row->lane.id, &is_new))->row = row->lane;
        step_put(step, kind, row);
        break;
    default:
        CHECK(kind == TIDE_REC_window);
        put_window(step, row->window);
    }
}

void put_take(struct step *step)
{
    struct rows rows;
    bool settings = false;
    if (!step_need_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee), 0))
        return;
    if (!rows_read(step->event, &rows)) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    bool desk = step_has_role(step, ROLES_DESK, 0);
    for (unsigned n = 0; n < rows.count; n++) {
        struct fault fault = check_row(step, &rows, n);
        settings |= rows.kind[n] == TIDE_REC_setting_row;
        if (!desk && rows.kind[n] != TIDE_REC_setting_row) /* the committee sets settings only */
            fault = (struct fault){TIDE_CODE_not_authorized, TIDE_WHY_role_missing};
        if (fault.code != TIDE_CODE_ok) {
            trace(step->engine, "put.refuse", n, rows.kind[n], fault.code);
            step_reply(step, &(struct tide_reply){.code = (uint8_t)fault.code,
                                                  .why = (uint8_t)fault.why,
                                                  .limit = n});
            return;
        }
    }
    if (!has_room(step->engine, &rows)) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    for (unsigned n = 0; n < rows.count; n++)
        put_row(step, rows.kind[n], &rows.row[n]);
    if (settings)
        deadlines_rebuild(step->engine);
    step_reply(step, &(struct tide_reply){.limit = rows.count});
}

/* ---- one row out ---------------------------------------------------------------------------- */
static void drop_window(struct step *step, tide_id id)
{
    struct window_state *window = window_of(step->engine, id);
    if (window == NULL || window->row.slot != 0) { /* an owner's: share.close keeps its promises */
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    tide_id zone = window->row.zone;
    step_del(step, TIDE_REC_window, &window->row);
    window_detach(step->engine, window);
    table_remove(&step->engine->windows, window);
    windows_resolve_zone(step->engine, zone);
    step_ok(step, id);
}

static void drop_role(struct step *step, const struct tide_drop *ask)
{
    struct role_state *role = role_find(step->engine, ask->k1, (enum tide_role)ask->k2, ask->k3);
    if (role == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    bool high = role->row.role == TIDE_ROLE_admin || role->row.role == TIDE_ROLE_clerk;
    if (high && !step_need_role(step, ROLE_BIT(TIDE_ROLE_admin), 0))
        return;
    if (role->row.role == TIDE_ROLE_admin && role->row.person == step->person) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use); /* nobody locks himself out */
        return;
    }
    step_del(step, TIDE_REC_role_row, &role->row);
    role_remove(step->engine, role);
    step_ok(step, ask->k1);
}

void drop_take(struct step *step)
{
    const struct tide_drop *ask = &step->event->as.drop;
    struct engine *engine = step->engine;
    if (!step_need_role(step, ROLES_DESK, 0))
        return;
    struct vehicle_state *vehicle = vehicle_of(engine, ask->k1);
    struct user_state *user = user_of(engine, ask->k1);
    if (ask->kind == TIDE_REC_role_row) {
        drop_role(step, ask);
    } else if (ask->kind == TIDE_REC_window) {
        drop_window(step, ask->k1);
    } else if (ask->kind == TIDE_REC_vehicle && vehicle != NULL) {
        vehicle_detach(engine, vehicle);
        step_del(step, TIDE_REC_vehicle, &vehicle->row);
        table_remove(&engine->vehicles, vehicle);
        step_ok(step, ask->k1);
    } else if (ask->kind == TIDE_REC_user && user != NULL) {
        bool admin = (roles_at(engine, user->row.person, 0) & ROLE_BIT(TIDE_ROLE_admin)) != 0;
        if (admin && !step_need_role(step, ROLE_BIT(TIDE_ROLE_admin), 0))
            return;
        user->row.state = TIDE_USER_STATE_revoked; /* its name stays taken */
        step_put(step, TIDE_REC_user, &user->row);
        step_ok(step, ask->k1);
    } else {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
    }
}
