/* authority.h - who may do what, where. A topic proves who speaks; this decides what he may. */
#ifndef TIDE_CORE_AUTHORITY_H
#define TIDE_CORE_AUTHORITY_H

#include "daemon/core/state.h"

#define ROLE_BIT(role) (1u << (role))
#define ROLES_DESK (ROLE_BIT(TIDE_ROLE_clerk) | ROLE_BIT(TIDE_ROLE_admin))
#define ROLES_GATE (ROLES_DESK | ROLE_BIT(TIDE_ROLE_guard) | ROLE_BIT(TIDE_ROLE_property))

/* True when inner is outer or lies in it. */
bool place_within(const struct engine *engine, tide_id inner, tide_id outer);
/* Mask of the roles that a person has at this place or above it; place 0: anywhere. */
uint32_t roles_at(const struct engine *engine, tide_id person, tide_id place);
/* Fills in who speaks. False (and refused) when the user is unknown or revoked. */
bool step_identify(struct step *step);
/* True when the speaker has one of the roles at the place; else refuses role_missing. */
bool step_need_role(struct step *step, uint32_t roles, tide_id place);
bool step_has_role(const struct step *step, uint32_t roles, tide_id place);
/* Whose account and caps a request is on: the speaker's own household, or, when `household` or
 * `person` name another's, that one, if the speaker may act for it (desk; the steward and the
 * property of a place above it). On failure refuses and returns false. */
struct party {
    tide_id household, person;
};
bool step_party(struct step *step, tide_id household, tide_id person, struct party *ret);
/* True when the speaker may act on what belongs to this party. */
bool step_owns(const struct step *step, tide_id household, tide_id person);
/* Calls fn for each person on duty in a role for a place. */
void for_each_on_duty(struct step *step, enum tide_role role, tide_id place,
                      void (*fn)(struct step *step, tide_id person, void *arg), void *arg);

#endif
