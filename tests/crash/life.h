/* life.h - a store that lives through a tape, and what must hold when it comes back.
 *
 *   image ─ open ─ act act act ─╳ cut ── what was kept ── open ─ checks ─ the rest ─ close
 *                  told ≤ there ≤ given                            whole · audited · verified
 *
 * told: what on_durable said is durable. given: what was handed over. Nothing in between may be
 * half there: a batch is, or is not.
 */
#ifndef TIDE_CRASH_LIFE_H
#define TIDE_CRASH_LIFE_H

#include "tests/crash/disk.h"
#include "tests/crash/stories.h"
#include "tests/crash/tape.h"

#define LIFE_DOMAINS_MAX 2u
#define LIFE_PATH DISK_FOLDER "/tide.db"
#define LIFE_COPY DISK_FOLDER "/copy.db"

struct life {
    const struct story *story;
    const struct tape *tape;
    struct disk_image *image; /* NULL: an empty disk */
    uint64_t seed;            /* of the power that fails by the story's own will */
    char why[1024];           /* the first thing that is wrong; "" */

    struct store *store;
    struct store_batch *batch;
    uint32_t domains[LIFE_DOMAINS_MAX], domain_count;
    uint64_t told, given;
    uint64_t copied; /* told when the last whole backup began; UINT64_MAX: there is none */
    bool restoring;  /* told may go back to copied */
    bool looking;    /* between look and away */
    bool spoilt;     /* a call may fail at any moment: an answer may have to wait */
    uint32_t incarnation;
    unsigned act;           /* how far it came */
    enum store_error error; /* of the store, which ended it */
    char said[512];         /* with it */
};

/* Makes the database that the lives of a story begin with. False: life->why. */
bool life_prepare(struct life *life, const struct story *story, const struct tape *tape);
void life_done(struct life *life);

/* The disk is the image's; nothing was told but what is in it. */
void life_begin(struct life *life);
/* These are false when the store says an error (life->error) or when something is wrong
 * (life->why). */
bool life_open(struct life *life);
bool life_play(struct life *life);
/* What of the tape is not durable yet up to where it came; as clients repeat. */
bool life_resend(struct life *life);
/* An orderly stop. */
void life_shut(struct life *life);
/* The process is gone; the disk is as it is. */
void life_kill(struct life *life);
/* After STORE_FULL, in the same process. */
bool life_roll_back(struct life *life);
/* The origin of an event that has a rid. */
void life_origin(const struct life *life, const struct act *act, struct store_origin *ret);
void life_wrong(struct life *life, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- check.c --------------------------------------------------------------------------------- */
/* Of an open store: nothing told is missing, nothing is half there, each rid has its answer. */
bool life_promises(struct life *life);
/* Plays the rest of the tape, closes, and looks at the whole: pages, auditor, fold and re-decide,
 * digest, forgotten texts. */
bool life_finish(struct life *life);
/* A new process on a sound disk: open, promises, finish. */
bool life_recover(struct life *life);

#endif
