/* tape.h - a story (tests/sim/script.h) played once to an engine, kept as what a daemon would do
 * with its store. Nobody decides anything again: the same events, the same effects, at each cut.
 *
 *   before `mark`        the neighbourhood, in one batch: the database that a life begins with
 *                        (no mark: it begins with an empty disk)
 *   any line of a story  its events, each committed by itself; between `batch` and `done` together
 *   forget P9            the plate's name goes
 *   correct h1           a full name, and another one in its place
 *   crowd, rename        names of hundreds; some of them are changed
 *   rest MS              time passes, the journal thread does what it does then
 *   hurry, reopen, power, kill, backup, copying, restore, verify, epoch, probe, look, away, churn N
 */
#ifndef TIDE_CRASH_TAPE_H
#define TIDE_CRASH_TAPE_H

#include "daemon/store/store.h"

enum act_kind {
    ACT_EVENT,
    ACT_NAME, /* made, with the next event */
    ACT_SET,  /* set, with the next event */
    ACT_COMMIT,
    ACT_REST,    /* number: milliseconds */
    ACT_HURRY,   /* tables, now */
    ACT_REOPEN,  /* an orderly stop and a start */
    ACT_POWER,   /* the power fails here, and comes back */
    ACT_KILL,    /* the process is killed here, and started again */
    ACT_BACKUP,  /* to its end */
    ACT_COPYING, /* a backup begins; what comes next comes while it runs */
    ACT_RESTORE, /* of the last backup */
    ACT_VERIFY,  /* while the store is in use */
    ACT_EPOCH,
    ACT_PROBE,
    ACT_LOOK, /* the loop's look at the tables begins, with a question */
    ACT_AWAY  /* and ends */
};

struct act {
    enum act_kind kind;
    uint32_t number;
    /* of an event; of the event that a name comes with */
    uint64_t seq;
    struct engine_event event;
    uint8_t *bytes, *effects;
    size_t effects_len;
    bool asked; /* it has a rid */
    /* of a name */
    enum tide_name_kind name_kind;
    tide_id name_id;
    char text[48];
};

struct tape {
    struct act *acts;
    unsigned count, cap;
    unsigned mark;   /* the act with which a life begins */
    uint64_t events; /* seq of the last */
    uint8_t digest[32];
    bool together; /* while recording: between batch and done */
    struct {       /* texts that no file may hold at the end */
        char text[48];
        uint64_t forgotten; /* by this event; 0: corrected */
    } gone[16];
    unsigned gone_count;
    unsigned corrected;
};

/* False with a reason when the story does not play. */
bool tape_record(struct tape *tape, const char *story, char *why, size_t why_cap);
void tape_done(struct tape *tape);

#endif
