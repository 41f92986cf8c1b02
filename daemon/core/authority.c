/* authority.c - see authority.h. Roles are looked up at each request: taking one away works at
 * once, whatever credentials are still out there. */
#include "daemon/core/authority.h"

#define PLACE_DEPTH_MAX 16

bool place_within(const struct engine *engine, tide_id inner, tide_id outer)
{
    for (unsigned depth = 0; inner != 0 && depth < PLACE_DEPTH_MAX; depth++) {
        if (inner == outer)
            return true;
        const struct place_state *place = place_of(engine, inner);
        inner = place != NULL ? place->row.parent : 0;
    }
    return false;
}

static struct role_state *role_numbered(const struct engine *engine, uint32_t number)
{
    return table_find(&engine->roles, number);
}

uint32_t roles_at(const struct engine *engine, tide_id person, tide_id place)
{
    const struct person_state *state = person_of(engine, person);
    uint32_t mask = 0;
    if (state == NULL)
        return 0;
    for (uint32_t n = state->first_role; n != 0;) {
        const struct role_state *role = role_numbered(engine, n);
        CHECK(role != NULL && role->row.person == person);
        if (place == 0 || place_within(engine, place, role->row.place))
            mask |= ROLE_BIT(role->row.role);
        n = role->next_of_person;
    }
    return mask;
}

bool engine_has_role(const struct engine *engine, tide_id person, enum tide_role role)
{
    return (roles_at(engine, person, 0) & ROLE_BIT(role)) != 0;
}

bool step_identify(struct step *step)
{
    const struct user_state *user = user_of(step->engine, step->event->user);
    if (user == NULL || user->row.state != TIDE_USER_STATE_active) {
        step_refuse(step, TIDE_CODE_not_authorized,
                    user == NULL ? TIDE_WHY_none : TIDE_WHY_revoked);
        return false;
    }
    const struct person_state *person = person_of(step->engine, user->row.person);
    step->user = user->row.id;
    step->person = user->row.person;
    step->household = person != NULL ? person->row.household : 0;
    return true;
}

bool step_has_role(const struct step *step, uint32_t roles, tide_id place)
{
    return (roles_at(step->engine, step->person, place) & roles) != 0;
}

bool step_need_role(struct step *step, uint32_t roles, tide_id place)
{
    if (step_has_role(step, roles, place))
        return true;
    trace(step->engine, "authority.role", step->person, (int64_t)roles, place);
    step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_role_missing);
    return false;
}

#define ROLES_ON_BEHALF (ROLES_DESK | ROLE_BIT(TIDE_ROLE_steward) | ROLE_BIT(TIDE_ROLE_property))

bool step_party(struct step *step, tide_id household, tide_id person, struct party *ret)
{
    const struct engine *engine = step->engine;
    struct party party = {.household = household, .person = person};
    if (household == 0 && person == 0)
        party = (struct party){.household = step->household, .person = step->person};
    if (party.household == 0) {
        const struct person_state *state = person_of(engine, party.person);
        party.household = state != NULL ? state->row.household : 0;
    }
    const struct place_state *place = place_of(engine, party.household);
    if (place == NULL || (place->row.kind != TIDE_PLACE_KIND_household &&
                          place->row.kind != TIDE_PLACE_KIND_organisation)) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return false;
    }
    if (party.household != step->household &&
        !step_has_role(step, ROLES_ON_BEHALF, party.household)) {
        trace(engine, "authority.party", step->person, party.household, 0);
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        return false;
    }
    if (party.person == 0 && party.household == step->household)
        party.person = step->person;
    *ret = party;
    return true;
}

bool step_owns(const struct step *step, tide_id household, tide_id person)
{
    (void)person;
    if (household != 0 && household == step->household)
        return true;
    return step_has_role(step, ROLES_ON_BEHALF, household);
}

void for_each_on_duty(struct step *step, enum tide_role role, tide_id place,
                      void (*fn)(struct step *step, tide_id person, void *arg), void *arg)
{
    uint32_t n = step->engine->first_of_role[role];
    while (n != 0) {
        const struct role_state *state = role_numbered(step->engine, n);
        CHECK(state != NULL && state->row.role == role);
        n = state->next_of_role;
        if (place_within(step->engine, place, state->row.place))
            fn(step, state->row.person, arg);
    }
}
