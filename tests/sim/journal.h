/* journal.h - where the simulated daemon writes: the real store, or memory. One interface, so
 * that a fault in the store and a fault in the engine are told apart by running the other.
 *
 *      find ─ add ─ add ─ ... ─ commit ──► each row once to `released`   (now it is durable)
 *                       │          │
 *               kill: open     kill: torn (lost)  ·  kill: untold (kept, nobody heard)
 *
 * All calls come from one thread; commit waits for the store's journal thread, so that no outcome
 * depends on which thread was quicker.
 */
#ifndef TIDE_SIM_JOURNAL_H
#define TIDE_SIM_JOURNAL_H

#include "daemon/store/store.h"

enum sim_kill {
    SIM_KILL_OPEN,   /* between commits: what was added since the last one is lost */
    SIM_KILL_TORN,   /* inside the commit: its end did not reach the disk */
    SIM_KILL_UNTOLD, /* after the commit, before anybody heard of it */
    SIM_KILL_COUNT
};

struct sim_journal;

typedef void sim_released_fn(void *arg, const struct store_row *row);

struct sim_journal_ops {
    /* Whether this request was seen; as store_rid_find. */
    enum store_rid (*find)(struct sim_journal *j, const struct store_origin *origin,
                           const uint8_t **ret_effects, size_t *ret_len);
    void (*digest)(struct sim_journal *j, const uint8_t *bytes, size_t len, uint8_t ret[16]);
    /* Adds an event to the open batch. Returns its seq; 0: no room, commit first. */
    uint64_t (*add)(struct sim_journal *j, const struct store_origin *origin,
                    const struct engine_event *event, const struct engine_effects *effects);
    /* Makes the open batch durable, tells each row. hold: the journal stands still afterwards until
     * the next call, so that a kill can follow. 0, or -1 when the store failed. */
    int (*commit)(struct sim_journal *j, bool hold, sim_released_fn *fn, void *arg);
    /* For TORN and UNTOLD the open batch is committed within. Afterwards the journal stands as a
     * new process finds it. 0 or -1. */
    int (*kill)(struct sim_journal *j, enum sim_kill how);
    /* An orderly stop, after which only folder, start, verify and free may come; a new start. */
    int (*stop)(struct sim_journal *j);
    int (*start)(struct sim_journal *j);
    int (*load)(struct sim_journal *j, struct engine *engine, struct store_position *ret);
    const struct tide_names *(*names)(struct sim_journal *j);
    unsigned (*alternates)(struct sim_journal *j, tide_id plate, tide_id ret[TIDE_ALTERNATES_MAX]);
    unsigned (*names_due)(struct sim_journal *j, tide_ms now, unsigned cap,
                          struct tide_forgotten *ret);
    /* Where the files are, NULL for memory; valid until kill or restart. */
    const char *(*folder)(struct sim_journal *j);
    /* Closes and checks the whole: fold and re-decide. Writes what is wrong to why. */
    int (*verify)(struct sim_journal *j, const struct engine_limits *limits, char *why,
                  size_t why_cap);
    void (*free)(struct sim_journal *j);
};

struct sim_journal {
    const struct sim_journal_ops *ops;
};

struct sim_journal *sim_journal_memory(void);
/* root: an empty folder, in which each life of the database gets one of its own. NULL with why on
 * failure. */
struct sim_journal *sim_journal_store(const char *root, char *why, size_t why_cap);

#endif
