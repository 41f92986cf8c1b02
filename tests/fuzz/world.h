/* world.h - a small neighbourhood in an engine, the same at each call. */
#ifndef TIDE_FUZZ_WORLD_H
#define TIDE_FUZZ_WORLD_H

#include "tide/engine.h"

#define FUZZ_MORNING_MS 1558303200000LL /* 2019-05-20T06:00+08:00 */

/* An engine with nothing in it, and small pools; the next call empties it again. */
struct engine *fuzz_engine_empty(void);
/* The same with a household, a gateway, two slots and their windows. User 1 is the admin, 8 a
 * resident; the gateway is called gw1. Names are those of fuzz_names, begun anew. */
struct engine *fuzz_world(void);

#endif
