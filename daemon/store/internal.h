/* internal.h - what the files of the store share; nobody outside daemon/store includes it.
 *
 *        loop thread                                   journal thread
 *   batch · identity · replies ──── batches ────►  journal ─► write ─► fold, house, backup
 *        reader (read only)                            writer (the only one that writes,
 *                                                      and the only one that checkpoints)
 *
 * Each field of struct store below says whose it is. What both touch is atomic, or under the lock
 * of the journal.
 */
#ifndef TIDE_STORE_INTERNAL_H
#define TIDE_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "daemon/store/store.h"

#define STORE_APPLICATION_ID 0x54494445           /* "TIDE" in the head of the file */
#define STORE_SCHEMA 3                            /* PRAGMA user_version */
#define STORE_DOMAIN_SLOTS (TIDE_DOMAINS_MAX + 1) /* arrays by number; 0 is no domain */
#define STORE_ROW_KINDS 100                       /* kinds of rows are numbers below this */
#define STORE_NAME_KINDS (TIDE_NAME_KIND_zone_title + 1)
#define STORE_BATCHES_MAX 16
#define STORE_META_WIPE "wipe" /* in meta: a text went away and the names are not scrubbed yet */
#define STORE_KEYS_MAX 3

/* ---- sql.c: one way to talk to SQLite -------------------------------------------------------- */
enum store_sql_mode {
    STORE_SQL_WRITER, /* creates; WAL, FULL, every promise read back */
    STORE_SQL_READER, /* never writes, never checkpoints */
    STORE_SQL_SCRATCH /* a temporary database that nobody needs after a crash */
};
enum store_error store_sql_open(sqlite3 **ret, const char *path, enum store_sql_mode mode);
sqlite3 *store_sql_close(sqlite3 *db);
/* Closes without SQLite's own checkpoint: after a failed write or sync, which must not be made
 * again as if nothing had been. The next start recovers from the log. */
sqlite3 *store_sql_abandon(sqlite3 *db);
/* What a result code means for the daemon. */
enum store_error store_sql_error(sqlite3 *db, int code);
int store_sql_run(sqlite3 *db, const char *text);
/* The first column of the first row; `otherwise` when there is none. */
int64_t store_sql_number(sqlite3 *db, const char *text, int64_t otherwise);
/* The same, but says when the answer could not be read; then, and without a row, *number stays. */
enum store_error store_sql_ask(sqlite3 *db, const char *text, int64_t *number);
/* A statement that is kept; NULL when it cannot be. */
sqlite3_stmt *store_sql_prepare(sqlite3 *db, const char *text);
/* Steps once, resets, clears. SQLITE_DONE and SQLITE_ROW become SQLITE_OK. */
int store_sql_once(sqlite3_stmt *statement);
sqlite3_stmt *store_sql_finalize(sqlite3_stmt *statement); /* takes NULL, returns NULL */

/* Elapsed microseconds of a clock that is never set. */
int64_t store_now_us(void);
/* Says in a sentence what went wrong; why may be NULL. Returns error. */
enum store_error store_say(char *why, size_t why_cap, enum store_error error, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));

/* ---- schema.c -------------------------------------------------------------------------------- */
/* Brings a database, empty or older, to STORE_SCHEMA; each step is one transaction. */
enum store_error store_schema_migrate(sqlite3 *db, char *why, size_t why_cap);
/* The bare tables without indexes and triggers, for a rebuild in a scratch database. */
int store_schema_scratch(sqlite3 *db);

/* ---- table.c: statements from descriptors ---------------------------------------------------- */
/* Which rows of a kind the engine may hold, as SQL over its columns: "" all, NULL none. */
const char *store_table_live(unsigned kind);
sqlite3_stmt *store_table_put(sqlite3 *db, const struct tide_record *desc);
sqlite3_stmt *store_table_delete(sqlite3 *db, const struct tide_record *desc);
/* SELECT the record's columns FROM its table WHERE domain = ?1 and what `rest` adds. */
sqlite3_stmt *store_table_select(sqlite3 *db, const struct tide_record *desc, const char *rest);
/* The rows that store_table_live names, by their partial index: history is never walked. */
sqlite3_stmt *store_table_select_live(sqlite3 *db, const struct tide_record *desc);
/* Columns of the row under a statement of store_table_select; false when one does not fit. */
bool store_table_read(sqlite3_stmt *statement, const struct tide_record *desc, void *ret);
int store_table_bind(sqlite3_stmt *statement, const struct tide_record *desc, uint32_t domain,
                     const void *record, unsigned fields);

/* ---- origin.c: the bytes of an origin -------------------------------------------------------- */
#define STORE_ORIGIN_BYTES_MAX (4 + 8 + 16 + TIDE_RID_BYTES_MAX)
size_t store_origin_pack(const struct store_origin *origin, uint8_t *out);
bool store_origin_unpack(const uint8_t *in, size_t len, struct store_origin *ret);

/* ---- hash.c ---------------------------------------------------------------------------------- */
struct store_hash_key {
    uint64_t k0, k1;
};
/* SipHash-1-3: texts and rids are chosen by strangers. */
uint64_t store_hash(const struct store_hash_key *key, const void *bytes, size_t len);
/* Random bytes of the system; aborts when there are none. */
void store_random(void *out, size_t len);
void store_sha256(const uint8_t *bytes, size_t len, uint8_t ret[32]);

/* ---- overlay.c: the last word on each row ---------------------------------------------------- */
struct store_overlay_row {
    uint64_t hash;
    uint8_t verb, kind; /* ENGINE_PUT or ENGINE_DEL */
    union tide_any record;
};
struct store_overlay {
    struct store_overlay_row *rows;
    uint32_t *slots; /* position in rows plus 1 */
    uint32_t count, cap, mask;
};
void store_overlay_init(struct store_overlay *overlay);
void store_overlay_done(struct store_overlay *overlay);
void store_overlay_clear(struct store_overlay *overlay);
/* Takes the PUTs and DELs of one event. STORE_CORRUPT for bytes that are no effects, STORE_LIMIT
 * without memory. live_only leaves out kinds that no engine ever holds. */
enum store_error store_overlay_take(struct store_overlay *overlay, const uint8_t *effects,
                                    size_t len, bool live_only);
const struct store_overlay_row *store_overlay_find(const struct store_overlay *overlay,
                                                   unsigned kind, const void *record);

/* ---- fold.c: effects become rows ------------------------------------------------------------- */
struct store_fold {
    sqlite3 *source;                    /* the journal is read here */
    sqlite3 *db;                        /* the tables are written here; often the same */
    sqlite3_stmt *scan, *rid, *applied; /* rid: NULL when rids go another way */
    sqlite3_stmt *put[STORE_ROW_KINDS], *del[STORE_ROW_KINDS];
    struct store_overlay overlay;
    struct store_fold_rid *rids;
    uint32_t rid_count, rid_cap;
    uint32_t *order;
    uint32_t order_cap;
};
enum store_error store_fold_init(struct store_fold *fold, sqlite3 *source, sqlite3 *db,
                                 bool with_rids);
void store_fold_done(struct store_fold *fold);
/* Folds at most `events` rows after `seq` inside the open transaction, and writes how far it came.
 * ret_seq is the last row folded, seq itself when there was none. */
enum store_error store_fold_unit(struct store_fold *fold, uint32_t domain, uint64_t seq,
                                 uint32_t events, uint64_t *ret_seq);

/* ---- rids.c: rids on their way into their table ---------------------------------------------- */
struct store_rids;
sqlite3_stmt *store_rid_statement(sqlite3 *db);
int store_rid_put(sqlite3_stmt *statement, uint32_t domain, uint64_t seq, tide_id user,
                  const char *rid, tide_ms expires_ms);
struct store_rids *store_rids_new(sqlite3 *db);
struct store_rids *store_rids_free(struct store_rids *rids);
/* A row of the journal with a rid was appended in the open transaction. */
bool store_rids_add(struct store_rids *rids, uint32_t domain, uint64_t seq,
                    const struct store_origin *origin);
/* The transaction is durable: journal says how far each domain has come. Fills ret_upto (by domain)
 * when the table of rids came further with it. */
bool store_rids_committed(struct store_rids *rids, const uint64_t journal[STORE_DOMAIN_SLOTS],
                          uint64_t ret_upto[STORE_DOMAIN_SLOTS]);
/* The transaction was rolled back. */
void store_rids_undo(struct store_rids *rids);
/* When some should be written although nothing presses; INT64_MAX: never. */
int64_t store_rids_due_us(const struct store_rids *rids);
/* How long a slice may take now, 0: not needed. idle: nobody waits; all: the end is near. */
int64_t store_rids_budget_us(const struct store_rids *rids, bool idle, bool all);
/* Writes some rids in the open transaction. */
enum store_error store_rids_slice(struct store_rids *rids, int64_t budget_us);

/* ---- names ----------------------------------------------------------------------------------- */
enum store_change_op {
    STORE_CHANGE_MAKE,  /* a new name with a new id */
    STORE_CHANGE_SET,   /* another text for an id */
    STORE_CHANGE_KEEP,  /* only forget_at */
    STORE_CHANGE_FORGET /* gone for good */
};
struct store_change {
    uint8_t op, kind;
    uint16_t len;
    uint32_t domain, id;
    tide_ms forget_at; /* 0: kept until told otherwise */
    size_t text_at;
};
struct store_changes {
    struct store_change *items;
    uint32_t count, cap;
    char *text;
    size_t text_len, text_cap;
    bool lost; /* one found no memory, and it may not be lost: the batch must not become durable */
};
void store_changes_clear(struct store_changes *changes); /* keeps the memory, wipes the texts */
void store_changes_done(struct store_changes *changes);
/* False without memory. */
bool store_changes_add(struct store_changes *changes, const struct store_change *change,
                       const char *text);

/* identity.c: the directory of one domain in memory; the loop's. */
struct store_identity;
struct store_identity *store_identity_new(struct store *store, uint32_t domain, uint32_t names_max);
struct store_identity *store_identity_free(struct store_identity *identity);
const struct tide_names *store_identity_face(const struct store_identity *identity);
uint32_t store_identity_count(const struct store_identity *identity);
/* Forgets everything in memory and reads it anew. */
enum store_error store_identity_load(struct store_identity *identity, sqlite3 *db);
void store_identity_forget(struct store_identity *identity, unsigned kind, tide_id id);
/* A plate became a vehicle's (forget_at 0), or is no longer one. */
void store_identity_keep(struct store_identity *identity, tide_id plate, tide_ms forget_at);
/* Decides when the plates made since the last commit are to be forgotten. */
void store_identity_settle(struct store_identity *identity, struct store_changes *changes,
                           uint32_t domain, tide_ms forget_at);

/* namerows.c: names in the database; the writer's. */
struct store_namerows {
    sqlite3 *db;
    sqlite3_stmt *make, *set, *keep, *salt, *forget, *next;
    int list_fd;        /* the list of the forgotten */
    uint8_t salts[256]; /* drawn, not used yet */
    unsigned salts_left;
};
enum store_error store_namerows_init(struct store_namerows *rows, sqlite3 *db, const char *path);
void store_namerows_done(struct store_namerows *rows);
/* Writes changes in order inside the open transaction; *ret_wipe tells whether a text
 * went away (forgotten or corrected). The list of the forgotten is on disk before this returns. */
enum store_error store_namerows_write(struct store_namerows *rows, const struct store *store,
                                      const struct store_changes *changes, bool *ret_wipe);
/* Writes the table of names anew, so that no page holds what was deleted. In a transaction of its
 * own. */
enum store_error store_namerows_scrub(sqlite3 *db);
/* Deletes what the list says from a database that is being restored. */
enum store_error store_namerows_reapply(sqlite3 *db, const char *list_path, uint64_t *ret_count);

/* ---- replies.c: rids that the reader cannot see yet ------------------------------------------ */
struct store_replies;
struct store_replies *store_replies_new(void);
struct store_replies *store_replies_free(struct store_replies *replies);
bool store_replies_add(struct store_replies *replies, uint32_t domain, uint64_t seq,
                       const struct store_origin *origin);
/* Forgets what the table of rids shows by now. */
void store_replies_trim(struct store_replies *replies, const uint64_t rids[STORE_DOMAIN_SLOTS]);
/* Forgets what never became durable. */
void store_replies_rollback(struct store_replies *replies,
                            const uint64_t durable[STORE_DOMAIN_SLOTS]);
/* The row that answered this rid, 0 when it is not here. */
uint64_t store_replies_find(const struct store_replies *replies, uint32_t domain,
                            const struct store_origin *origin, bool *ret_same_body);

/* ---- read.c: the loop's connection ----------------------------------------------------------- */
#define STORE_SELECTS_MAX 32
struct store_reader {
    sqlite3 *db;
    sqlite3_stmt *begin, *end, *rid, *effects;
    bool in_turn;                      /* between store_turn_begin and _end */
    bool open;                         /* a read transaction is open */
    uint64_t seen[STORE_DOMAIN_SLOTS]; /* applied when it was opened */
    uint64_t seen_rids[STORE_DOMAIN_SLOTS];
    struct {
        uint8_t kind;
        bool newest_first;
        char field[32], also[32];
        sqlite3_stmt *statement;
    } selects[STORE_SELECTS_MAX];
    unsigned select_count;
    uint8_t *answer; /* of store_rid_find */
    size_t answer_cap;
};
enum store_error store_reader_init(struct store_reader *reader, const char *path);
void store_reader_done(struct store_reader *reader);
/* Lets go of what the turn has seen so far: the next statement sees what is durable now. */
void store_reader_look(struct store *store);

/* ---- lock.c ---------------------------------------------------------------------------------- */
/* Holds `<path>.lock`; *ret is the descriptor. STORE_LOCKED when somebody else does. */
enum store_error store_lock_take(const char *path, int *ret, char *why, size_t why_cap);
int store_lock_drop(int fd); /* returns -1 */
/* path with a suffix in new memory; NULL without memory. */
char *store_path_with(const char *path, const char *suffix);
/* Makes renames and new files of the folder of path last. */
enum store_error store_path_sync_folder(const char *path);
enum store_error store_path_sync(const char *path);
/* Removes what a restore of this database left that was cut short. */
enum store_error store_restore_sweep(const char *path);

/* ---- batch.c --------------------------------------------------------------------------------- */
enum store_batch_state { STORE_BATCH_FREE, STORE_BATCH_FILLING, STORE_BATCH_GIVEN };
struct store_batch_row {
    uint32_t domain;
    uint8_t event_kind;
    bool has_origin;
    uint64_t seq;
    tide_ms when_ms;
    size_t event_at, effects_at; /* effects follow the event */
    size_t effects_len;
    struct store_origin origin;
};
struct store_batch {
    struct store *store;
    enum store_batch_state state; /* the loop's */
    uint8_t *bytes;
    size_t len, cap;
    struct store_batch_row *rows;
    uint32_t count, rows_cap;
    struct store_changes changes;
};
enum store_error store_batches_init(struct store *store);
void store_batches_done(struct store *store);

/* ---- journal.c: the thread ------------------------------------------------------------------- */
struct store_journal;
enum store_error store_journal_start(struct store *store, sqlite3 *writer, char *why,
                                     size_t why_cap);
/* Folds and checkpoints what is left, ends the thread, closes the writer. */
void store_journal_stop(struct store *store);
void store_journal_give(struct store_journal *journal, struct store_batch *batch);
void store_journal_hurry(struct store_journal *journal);
/* Any thread: there may be something to do. */
void store_journal_wake(struct store_journal *journal);
/* Runs fn on the journal thread, outside a transaction, and waits for it. */
typedef enum store_error store_task_fn(struct store_journal *journal, sqlite3 *db, void *arg);
enum store_error store_journal_call(struct store_journal *journal, store_task_fn *fn, void *arg);
/* Waits until no batch is queued or being written, then takes back a STORE_FULL. */
void store_journal_settle(struct store_journal *journal);

/* ---- house.c: checkpoints, old rids, scrubbing; on the journal thread ------------------------ */
struct store_house {
    struct store *store;
    sqlite3 *db;
    int wal_pages;          /* in the log after the last commit */
    int wal_pages_seen;     /* when a checkpoint was last tried */
    bool blocked;           /* by a reader: it did not get to the end */
    bool truncate, scrub;   /* a text went away: no byte of it may stay */
    int64_t truncate_at_us; /* try again then */
    int64_t purge_at_us;
    struct store_origin purge_from; /* where the walk over old rids goes on */
    uint32_t purge_domain;
    sqlite3_stmt *old_rids, *drop_rid;
};
enum store_error store_house_init(struct store_house *house, struct store *store, sqlite3 *db);
void store_house_done(struct store_house *house);
/* After a commit. far_behind: the tables have much to catch up. */
enum store_error store_house_after(struct store_house *house, bool far_behind);
/* Something to do when nothing else is; false when there is not. quiet: nobody has given anything
 * for a while. */
bool store_house_idle(struct store_house *house, bool quiet, enum store_error *ret_error);
/* When store_house_idle is worth a call again; quiet_us: when it will be quiet. */
int64_t store_house_due_us(const struct store_house *house, int64_t quiet_us);

/* ---- backup.c -------------------------------------------------------------------------------- */
struct store_backup;
/* One slice; false when none is running. On the journal thread. */
bool store_backup_slice(struct store *store);
/* What a copy into this folder is called while it grows, in new memory; NULL without memory. */
char *store_backup_part(const char *folder);
void store_backup_stop(struct store *store); /* gives up what is running */

/* ---- the store itself ------------------------------------------------------------------------ */
struct store_domain_state {
    char name[TIDE_NAME_BYTES_MAX + 1];      /* "" when no domain has this number */
    struct store_identity *identity;         /* the loop's */
    uint64_t last_seq;                       /* the loop's: given out */
    tide_ms last_ms;                         /* the loop's: time of the last row given out */
    int64_t stranger_days;                   /* the loop's: follows the setting */
    _Atomic uint64_t durable, applied, rids; /* last rows: of journal, in tables, in table rid */
};

struct store_counts {
    _Atomic uint64_t commits, rows, folded, wal_bytes, names;
    _Atomic uint64_t commit_us_last, fsync_us_ewma;
};

struct store {
    struct store_conf conf;
    char *path;
    int lock_fd;
    uint32_t incarnation;
    struct store_hash_key hash_key; /* of this run */
    void *mac;                      /* EVP_MAC_CTX with the key of bodies */
    struct store_domain_state domains[STORE_DOMAIN_SLOTS];
    struct store_reader reader;    /* the loop's */
    struct store_replies *replies; /* the loop's */
    struct store_changes staged;   /* the loop's: names changed since the last commit */
    struct store_batch *batches;   /* the loop's, apart from those given away */
    struct store_journal *journal; /* NULL when read only */
    struct store_backup *backup;   /* the journal thread's */
    struct store_counts counts;
};

/* ---- store.c --------------------------------------------------------------------------------- */
/* Small things that belong to the file as a whole: body_key, incarnation, scaled. */
bool store_meta_number(sqlite3 *db, const char *key, int64_t *ret);
int store_meta_put_number(sqlite3 *db, const char *key, int64_t value);
/* Runs PRAGMA integrity_check; false and the first complaint when there is one. */
bool store_sql_is_whole(sqlite3 *db, char *why, size_t why_cap);

/* ---- load.c ---------------------------------------------------------------------------------- */
typedef enum store_error store_row_fn(void *arg, unsigned kind, const void *row);
/* Gives each live row as of the end of the journal: tables overlaid with the tail. In the open
 * transaction. */
enum store_error store_live_rows(sqlite3 *db, uint32_t domain, store_row_fn *fn, void *arg);
/* The same into an empty engine, with the position of the last journal row. */
enum store_error store_load_engine(sqlite3 *db, uint32_t domain, struct engine *engine,
                                   struct store_position *ret);

/* The last row of a domain's journal, as the connection sees it. */
enum store_error store_position_of(sqlite3 *db, uint32_t domain, struct store_position *ret);

#endif
