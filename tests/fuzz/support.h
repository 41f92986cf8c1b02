/* support.h - what the fuzz targets share: a directory of names without a database.
 *
 * Each kind knows a few texts; `make` hands out ids above them. Enough for every path through the
 * codec, and the same at each run. */
#ifndef TIDE_FUZZ_SUPPORT_H
#define TIDE_FUZZ_SUPPORT_H

#include <cjson/cJSON.h>

#include "tide/engine.h"
#include "tide/names.h"

/* Valid for the life of the process; ids given by make start over with fuzz_names_reset. */
const struct tide_names *fuzz_names(void);
void fuzz_names_reset(void);

/* Packs an event, unpacks it, packs it again: the bytes must be the same. Aborts when not. */
void fuzz_event_round_trip(const struct engine_event *event);

/* A device's text as the gateway reads it: walked, slimmed, parsed. NULL when the walk refuses it;
 * aborts when cJSON refuses what the walk lets through. */
cJSON *fuzz_slim(const uint8_t *bytes, size_t len);

/* A path under which these bytes can be read as a file; the next call takes its place. */
const char *fuzz_file(const uint8_t *bytes, size_t len);

/* A bare abort with words, for properties that do not hold. */
_Noreturn void fuzz_fail(const char *what);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that were copied, and should be as they were. */
bool fuzz_same(const void *a, const void *b, size_t len);

#endif
