/* store.h - the journal first, the tables after it, names apart from both.
 *
 *   loop thread                          journal thread (the only writer connection)
 *   store_batch_take ─ fill ─ _commit ─► one transaction: journal rows + names (+ a slice of fold)
 *                                              │ COMMIT, synchronous=FULL
 *   store_fn on_durable(batch, error) ◄────────┘   (called ON the journal thread: hand it over)
 *
 *   journal(domain, seq, when_ms, rules, origin, event, effects)   append-only; the whole truth
 *   booking, slot, account, ...                                   its fold, at most a second behind
 *   applied(domain, seq)                                           how far the fold has come
 *   name(domain, kind, id, text, salt, forget_at)                  what can be forgotten
 *
 * One thread (the loop) calls everything here unless a line says otherwise. Knows SQLite and
 * pthreads; no libuv, no MQTT, no JSON; of the engine only include/tide.
 */
#ifndef TIDE_STORE_H
#define TIDE_STORE_H

#include "tide/engine.h"
#include "tide/names.h"

enum store_error {
    STORE_OK = 0,
    STORE_FULL,    /* no room: rolled back, go on later in the same process */
    STORE_IO,      /* a write or sync failed: exit at once, recovery mends */
    STORE_CORRUPT, /* exit and stay down; say where the backup is */
    STORE_LOCKED,  /* another daemon has this database: exit 75 */
    STORE_VERSION, /* written by a newer Tide, or scaled against real */
    STORE_LIMIT,   /* a pool or a name table is full */
    STORE_USAGE
};
const char *store_error_name(enum store_error error);

struct store;
struct store_batch;

/* Both run on the journal thread and must only hand over (uv_async_send). */
typedef void store_durable_fn(void *arg, struct store_batch *batch, enum store_error error);
typedef void store_applied_fn(void *arg);

struct store_conf {
    const char *path;     /* the database file; its folder holds lock, backups, forgotten list */
    uint32_t names_max;   /* names a domain at most; 0: 1,000,000 */
    uint32_t batches;     /* buffers in flight; 0: 4 */
    uint32_t batch_bytes; /* bytes a batch; 0: 4 MiB */
    const char *backups;  /* folder of copies: what was cut short there goes; NULL: none */
    bool scaled;          /* opened by a daemon with scaled time */
    bool read_only;       /* for verify and reports: no lock, no thread, no migration */
    store_durable_fn *on_durable;
    store_applied_fn *on_applied; /* the fold came further */
    void *arg;
};

/* Opens, takes the lock, migrates, finishes a checkpoint, loads the names, starts the journal
 * thread. On failure *ret is untouched and why (if given) says in a sentence what and what to do.
 */
enum store_error store_open(struct store **ret, const struct store_conf *conf, char *why,
                            size_t why_cap);

/* Waits for what is in flight, folds the rest, checkpoints TRUNCATE, closes. Returns NULL. */
struct store *store_close(struct store *store);

/* ---- domains ------------------------------------------------------------------------------ */
/* The number of a domain by name, made when create is set; 0 when there is none. */
uint32_t store_domain(struct store *store, const char *name, bool create);
/* Calls fn for each domain. */
void store_domains(struct store *store, void (*fn)(void *arg, uint32_t domain, const char *name),
                   void *arg);

struct store_position {
    uint64_t seq;         /* last journal row, 0 when empty */
    tide_ms when_ms;      /* its time */
    uint32_t incarnation; /* raised by a restore */
    uint32_t rules;       /* of the last row */
};

/* Fills an empty engine (engine_init) from the tables overlaid with the tail of the journal that
 * is not folded yet; needs no write. Calls engine_load_end at the time of the last row. */
enum store_error store_load(struct store *store, uint32_t domain, struct engine *engine,
                            struct store_position *ret);

/* After store_load, when ret->rules is not ENGINE_RULES and ret->seq > 0: writes down where the new
 * rules begin (digests, a snapshot of the live rows), so that --verify can decide again from there.
 * digest_before: of the engine before a migration. Blocks for one commit. */
enum store_error store_epoch(struct store *store, uint32_t domain, const struct engine *engine,
                             const uint8_t digest_before[32]);

/* ---- writing ------------------------------------------------------------------------------ */
/* Whose request it was, so that a repeat finds its answer. rid "" for what is no request. */
struct store_origin {
    tide_id user;
    char rid[TIDE_RID_BYTES_MAX + 1];
    uint8_t digest[16];  /* of the body, keyed: store_body_digest */
    tide_ms expires_ms;  /* real time */
    uint8_t qos;         /* of the request, for its answer; carried along, not kept */
    uint64_t arrived_ns; /* when it came, monotonic, for the histogram; carried along, not kept */
};

/* A free batch, or NULL when all are in flight: then stop taking input. */
struct store_batch *store_batch_take(struct store *store);
/* Adds one event with its effects. Returns its seq (gapless a domain), 0 when the batch has no
 * room left (commit it and take the next). */
uint64_t store_batch_add(struct store_batch *batch, uint32_t domain,
                         const struct store_origin *origin, const struct engine_event *event,
                         const struct engine_effects *effects);
size_t store_batch_count(const struct store_batch *batch);
/* Hands the batch (and the names made since the last one) to the journal thread. */
void store_batch_commit(struct store *store, struct store_batch *batch);
/* After on_durable, on the loop: walk the rows to release them, then give the batch back. */
struct store_row {
    uint32_t domain;
    uint64_t seq;
    tide_ms when_ms;
    const struct store_origin *origin;
    uint8_t event_kind;
    const uint8_t *effects;
    size_t effects_len;
};
bool store_batch_row(const struct store_batch *batch, size_t index, struct store_row *ret);
/* Also for a batch that was taken and never committed, before store_rollback or store_close. */
void store_batch_release(struct store *store, struct store_batch *batch);

/* After STORE_FULL: forget every batch in flight and every unsaved name; the caller then makes its
 * engines anew with store_load. Not STORE_OK when what is durable cannot be read again: only a new
 * start helps then. */
enum store_error store_rollback(struct store *store);
/* Tries to write; STORE_OK when there is room again. Blocks for one small commit. */
enum store_error store_probe(struct store *store);

/* ---- requests already answered ------------------------------------------------------------ */
enum store_rid {
    STORE_RID_NEW,      /* not seen */
    STORE_RID_PENDING,  /* being made durable; its answer will come */
    STORE_RID_KNOWN,    /* effects hold the answer: REPLY and ITEMs */
    STORE_RID_CONFLICT, /* same rid, another body */
};
/* *ret_effects is valid until the next call. */
enum store_rid store_rid_find(struct store *store, uint32_t domain,
                              const struct store_origin *origin, const uint8_t **ret_effects,
                              size_t *ret_len);
/* A turn of the loop may share one look at the tables among many store_rid_find: between these two
 * calls. Never wait for anything inside. */
void store_turn_begin(struct store *store);
void store_turn_end(struct store *store);
/* Digest of a request's bytes under the database's own secret key. */
void store_body_digest(const struct store *store, const uint8_t *bytes, size_t len,
                       uint8_t ret[16]);

/* ---- reading the tables ------------------------------------------------------------------- */
uint64_t store_last_seq(const struct store *store, uint32_t domain);    /* given out */
uint64_t store_durable_seq(const struct store *store, uint32_t domain); /* committed */
uint64_t store_applied_seq(const struct store *store, uint32_t domain); /* folded */
/* Fold now, somebody waits; on_applied tells. */
void store_hurry(struct store *store);

struct store_select {
    uint8_t kind;      /* which table */
    const char *field; /* "person", "household", "plate", ... ; must be indexed */
    int64_t equals;
    uint32_t after;  /* ids above; 0: from the first */
    uint32_t before; /* ids below; 0: no bound */
    bool newest_first;
    uint32_t limit;
    const char *also; /* a second field that has also_equals; may lack an index. NULL: none */
    int64_t also_equals;
};
/* Appends ITEM effects; *ret_more when the limit cut. */
enum store_error store_rows(struct store *store, uint32_t domain, const struct store_select *select,
                            struct engine_effects *effects, bool *ret_more);

/* ---- names -------------------------------------------------------------------------------- */
/* The directory of a domain; valid as long as the store. */
const struct tide_names *store_names(struct store *store, uint32_t domain);
/* Existing plates that one misread character away could be (8/B 0/D/O/Q 1/7/I 2/Z 5/S); at most
 * TIDE_ALTERNATES_MAX ids, ascending. Returns their number. */
unsigned store_plate_alternates(struct store *store, uint32_t domain, tide_id plate,
                                tide_id ret[TIDE_ALTERNATES_MAX]);
/* Names whose time is over (strangers' plates) as ids to be sent through the engine as forget
 * events: at most cap. */
unsigned store_names_due(struct store *store, uint32_t domain, tide_ms now, unsigned cap,
                         struct tide_forgotten *ret);
/* PUT forgotten effects delete the name in the same transaction as the journal row; nothing to
 * call. The bytes leave the WAL with the checkpoint that follows. */

/* ---- keeping house ------------------------------------------------------------------------ */
typedef void store_backup_fn(void *arg, enum store_error error, const char *path,
                             uint64_t bytes); /* on the journal thread */
/* Online copy in slices between batches, then integrity_check on the copy and rename in place. */
enum store_error store_backup(struct store *store, const char *path, store_backup_fn *fn,
                              void *arg);
/* Puts a backup in place of a database that no daemon holds: checks it, raises the incarnation,
 * re-applies the list of the forgotten. Progress and faults go to why. */
enum store_error store_restore(const char *backup_path, const char *path, char *why,
                               size_t why_cap);

struct store_report { /* of verify */
    uint64_t events, rows, faults;
    uint32_t domains;
    uint64_t redecided;
    char first_fault[256];
    uint8_t digest[32]; /* of the last domain's engine, from the journal */
};
typedef void store_progress_fn(void *arg, const char *phase, uint64_t done, uint64_t all);
/* Fold: recorded effects rebuild the tables. Re-decide: events give the same effects. */
enum store_error store_verify(const char *path, const struct engine_limits *limits,
                              store_progress_fn *progress, void *arg, struct store_report *ret);

struct store_stats {
    uint64_t commits, rows, folded, wal_bytes, db_bytes, names;
    uint64_t commit_us_last, fsync_us_ewma;
};
void store_stats(struct store *store, struct store_stats *ret); /* any thread */

#endif
