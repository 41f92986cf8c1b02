/* sound.h - whether rows that were loaded can be true together: see sound.c. */
#ifndef TIDE_CORE_SOUND_H
#define TIDE_CORE_SOUND_H

#include "daemon/core/state.h"

/* Each row by itself and by what it names; before anything is derived from it. */
bool rows_are_sound(const struct engine *engine);
/* What the lists show once they are there: one promise of a slot at a time, one car on it. */
bool links_are_sound(const struct engine *engine);

#endif
