/* golden.h - a golden journal: events and the effects that a version of the rules decided for them,
 * and questions with their answers, kept for ever. Decided again, the same events must give the
 * same bytes; who changes decisions raises ENGINE_RULES and writes a new file beside the old ones:
 *
 *     build/tide-sim --write-golden tests/sim/golden/rules-N.bin
 *
 *   │ "TIDEGOLD" │ rules u32 │ entry … │ 0 i64 │ digest of the engine after the last, 32 bytes │
 *   entry: │ when_ms i64 │ event bytes u32 │ effects bytes u32 │ event │ effects │   little-endian
 */
#ifndef TIDE_SIM_GOLDEN_H
#define TIDE_SIM_GOLDEN_H

#include "tide/engine.h"

/* Pools of the engine that decides a golden journal; part of what it means. */
void golden_limits(struct engine_limits *ret);

struct golden;
/* NULL when the file cannot be made. */
struct golden *golden_begin(const char *path);
void golden_add(struct golden *golden, const struct engine_event *event, const uint8_t *effects,
                size_t len);
/* Closes; NULL is fine. 0, or -1 when not all could be written. */
int golden_end(struct golden *golden, const struct engine *engine);

typedef void golden_fn(void *arg, uint64_t seq, const struct engine_event *event,
                       const uint8_t *effects, size_t len);
/* Reads a file: its rules, each entry to fn, its digest. 0, or -1 when it is none. */
int golden_read(const char *path, uint32_t *ret_rules, golden_fn *fn, void *arg,
                uint8_t ret_digest[32]);

#endif
