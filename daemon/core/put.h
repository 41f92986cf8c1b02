/* put.h - the neighbourhood itself: places, people, vehicles, zones, slots, lanes, settings. */
#ifndef TIDE_CORE_PUT_H
#define TIDE_CORE_PUT_H

#include "daemon/core/state.h"

/* Event `put`: rows in, all or none. Event `drop`: one row out. */
void put_take(struct step *step);
void drop_take(struct step *step);

/* Links a row that just came to stand (by put or by load) into what follows from it, and out. */
void person_attach(struct engine *engine, struct person_state *person);
void person_detach(struct engine *engine, struct person_state *person);
struct role_state *role_add(struct engine *engine, const struct tide_role_row *row);
void role_remove(struct engine *engine, struct role_state *role);
struct role_state *role_find(const struct engine *engine, tide_id person, enum tide_role role,
                             tide_id place);
void user_attach(struct engine *engine, struct user_state *user);
void user_detach(struct engine *engine, struct user_state *user);
void vehicle_attach(struct engine *engine, struct vehicle_state *vehicle);
void vehicle_detach(struct engine *engine, struct vehicle_state *vehicle);
void slot_attach_zone(struct engine *engine, struct slot_state *slot);
void slot_detach_zone(struct engine *engine, struct slot_state *slot);
/* Least and most that a setting may be; false when it is not for people to set. */
bool setting_bounds(unsigned key, int64_t *ret_least, int64_t *ret_most);
int64_t setting_default(unsigned key);
/* All deadlines anew, from rows and settings. */
void deadlines_rebuild(struct engine *engine);

#endif
