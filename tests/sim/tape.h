/* tape.h - the inputs of a run, kept where the death of the player cannot reach them, and played
 * again to a bare engine with an auditor: that is how a failing run is made short.
 *
 *   player (a process)  ── every event, as decoded ──► tape (shared memory)
 *                                                        │
 *   shrink.c: leaves out a part, plays the rest in a process of its own, keeps what still fails
 *                                                        │
 *   retell.c: the few that are left, as a story of script.h
 *
 * Ids that an event makes (bookings, windows, series, commands) are other ones when an event before
 * it is left out; so each entry knows what it made, and who refers to it is told the new id.
 */
#ifndef TIDE_SIM_TAPE_H
#define TIDE_SIM_TAPE_H

#include <stdio.h>

#include "tests/sim/auditor.h"
#include "tests/sim/rows.h"

enum tape_made { TAPE_BOOKING, TAPE_WINDOW, TAPE_SERIES, TAPE_COMMAND, TAPE_MADE_KINDS };

struct tape_ids { /* first id of each kind, and how many */
    uint32_t first[TAPE_MADE_KINDS], count[TAPE_MADE_KINDS];
};

struct tape_entry {
    struct engine_event event; /* its blob is owned */
    struct tape_ids made;      /* in the run that was recorded */
    struct tape_ids now;       /* in the last replay */
    bool kept;
};

struct tape;

struct tape *tape_new(void);
struct tape *tape_free(struct tape *tape); /* returns NULL */
/* The limits of the engine that plays. */
void tape_begin(struct tape *tape, const struct engine_limits *limits);
/* Before an event is decided; after it was. */
void tape_add(struct tape *tape, const struct engine_event *event);
void tape_decided(struct tape *tape, const uint8_t *effects, size_t len);
const struct engine_limits *tape_limits(const struct tape *tape);
/* All entries, puts of many rows taken apart into one row each. Returns the count. */
uint32_t tape_read(const struct tape *tape, struct tape_entry **ret);
/* What an event made. */
void tape_ids_of(const struct engine_event *event, const uint8_t *effects, size_t len,
                 struct tape_ids *ret);

/* ---- shrink.c ------------------------------------------------------------------------------- */
struct replay {
    struct engine_limits limits;
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    struct audit *audit;
    struct sim_rows *rows;
    uint64_t seq;
    tide_ms now_ms;
};

/* Finds the fewest events that still fail and tells them. 0, or 1 when the tape does not fail. */
int shrink_tell(const struct tape *tape, FILE *out);

/* ---- retell.c ------------------------------------------------------------------------------- */
struct retell {
    FILE *out;
    tide_ms shift_ms, minute;
};

/* The line of an event that is about to be played; the arrow behind it when it was. */
void retell_event(struct retell *r, const struct replay *replay, const struct engine_event *event);
void retell_reply(struct retell *r, const struct replay *replay, const struct engine_event *event,
                  const uint8_t *effects, size_t len);

#endif
