/* erase.c - forgetting (design, forgetting).
 *
 * The engine knows ids only. To forget is to say, as rows, which names are to go; the store deletes
 * the texts in the same transaction. What the ids did stays: it tells nobody anything any more.
 *
 *   person ──► his live promises are cancelled, his devices revoked, his roles dropped
 *         └──► forgotten: full_name, phone, the key in the committee's books, credentials, users,
 *              and, when he was the last of his household, its plates
 */
#include "daemon/core/erase.h"

#include "daemon/core/authority.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"
#include "daemon/core/put.h"

static void forgotten(struct step *step, enum tide_name_kind kind, uint32_t id)
{
    struct tide_forgotten row = {.kind = (uint8_t)kind, .id = id, .at_ms = step->now_ms};
    step_put(step, TIDE_REC_forgotten, &row);
}

static void cancel_of_person(struct step *step, tide_id person, tide_id household)
{
    const struct place_state *place = place_of(step->engine, household);
    for (uint32_t id = place != NULL ? place->bookings.first : 0; id != 0;) {
        struct booking_state *booking = booking_of(step->engine, id);
        id = order_next(step->engine, booking, ORDER_OF_HOUSEHOLD);
        if (booking->row.person == person && booking->row.state == TIDE_BOOKING_STATE_booked)
            booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
    }
}

static void end_series_of(struct step *step, tide_id person)
{
    struct engine *engine = step->engine;
    for (;;) { /* by id, so that the order is everywhere the same */
        uint32_t cursor = 0;
        struct series_state *series, *next = NULL;
        while ((series = table_next(&engine->series, &cursor)) != NULL)
            if (series->row.person == person && (next == NULL || series->row.id < next->row.id))
                next = series;
        if (next == NULL)
            return;
        series_end(step, next);
    }
}

static void forget_vehicles(struct step *step, tide_id household)
{
    struct engine *engine = step->engine;
    struct place_state *place = place_of(engine, household);
    while (place != NULL && place->first_vehicle != 0) {
        struct vehicle_state *vehicle = vehicle_of(engine, place->first_vehicle);
        tide_id plate = vehicle->row.plate;
        vehicle_detach(engine, vehicle);
        step_del(step, TIDE_REC_vehicle, &vehicle->row);
        table_remove(&engine->vehicles, vehicle);
        if (plate_of(engine, plate) == NULL && !wishes_have_plate(engine, plate) &&
            !waits_have_plate(engine, plate))
            forgotten(step, TIDE_NAME_KIND_plate, plate);
    }
}

static void forget_person(struct step *step, struct person_state *person)
{
    struct engine *engine = step->engine;
    tide_id id = person->row.id, household = person->row.household;
    end_series_of(step, id);
    cancel_of_person(step, id, household);
    wishes_forget(step, id);
    strikes_forget(step, id);
    waits_forget(step, id);
    while (person->first_user != 0) {
        struct user_state *user = user_of(engine, person->first_user);
        tide_id user_id = user->row.id;
        user_detach(engine, user);
        step_del(step, TIDE_REC_user, &user->row);
        table_remove(&engine->users, user);
        forgotten(step, TIDE_NAME_KIND_credential, user_id);
        forgotten(step, TIDE_NAME_KIND_user, user_id);
    }
    while (person->first_role != 0) {
        struct role_state *role = table_find(&engine->roles, person->first_role);
        step_del(step, TIDE_REC_role_row, &role->row);
        role_remove(engine, role);
    }
    person_detach(engine, person);
    step_del(step, TIDE_REC_person, &person->row);
    table_remove(&engine->persons, person);
    const struct place_state *place = place_of(engine, household);
    if (place != NULL && place->first_person == 0)
        forget_vehicles(step, household);
    forgotten(step, TIDE_NAME_KIND_full_name, id);
    forgotten(step, TIDE_NAME_KIND_phone, id);
    forgotten(step, TIDE_NAME_KIND_person, id);
}

static bool may_forget(struct step *step, tide_id person)
{
    uint32_t theirs = roles_at(step->engine, person, 0);
    bool admin = (theirs & ROLE_BIT(TIDE_ROLE_admin)) != 0;
    if (person == step->person && !admin)
        return true;
    if (person == step->person) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use); /* nobody locks himself out */
        return false;
    }
    return step_need_role(step, admin ? ROLE_BIT(TIDE_ROLE_admin) : ROLES_DESK, 0);
}

void forget_take(struct step *step)
{
    const struct tide_forget *ask = &step->event->as.forget;
    struct engine *engine = step->engine;
    bool daemon = step->user == 0; /* retention: a stranger's plate whose time is over */
    if (ask->kind == TIDE_NAME_KIND_person) {
        struct person_state *person = person_of(engine, ask->id);
        if (person == NULL)
            step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        else if (daemon || may_forget(step, ask->id)) {
            forget_person(step, person);
            step_ok(step, ask->id);
        }
        return;
    }
    if (ask->kind != TIDE_NAME_KIND_plate || ask->id == 0) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    if (!daemon && !step_need_role(step, ROLES_DESK, 0))
        return;
    struct vehicle_state *vehicle = vehicle_of(engine, ask->id);
    if (plate_of(engine, ask->id) != NULL || wishes_have_plate(engine, ask->id) ||
        waits_have_plate(engine, ask->id) || (daemon && vehicle != NULL)) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use);
        return;
    }
    if (vehicle != NULL) {
        vehicle_detach(engine, vehicle);
        step_del(step, TIDE_REC_vehicle, &vehicle->row);
        table_remove(&engine->vehicles, vehicle);
    }
    forgotten(step, TIDE_NAME_KIND_plate, ask->id);
    step_ok(step, ask->id);
}

void correct_take(struct step *step)
{
    const struct tide_correct *ask = &step->event->as.correct;
    if (person_of(step->engine, ask->id) == NULL || ask->kind == TIDE_NAME_KIND_none) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (ask->id != step->person && !step_need_role(step, ROLES_DESK, 0))
        return;
    step_ok(step, ask->id);
}

void accept_rules_take(struct step *step)
{
    const struct tide_accept_rules *ask = &step->event->as.accept_rules;
    tide_id id = ask->person != 0 ? ask->person : step->person;
    struct person_state *person = person_of(step->engine, id);
    if (person == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (id != step->person && !step_need_role(step, ROLES_DESK, 0))
        return;
    if (ask->rules_version < person->row.rules_version) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_none);
        return;
    }
    person->row.rules_version = ask->rules_version;
    step_put(step, TIDE_REC_person, &person->row);
    step_ok(step, id);
}
