/* write.h - what the journal thread does inside its transactions; used by journal.c and write.c. */
#ifndef TIDE_STORE_WRITE_H
#define TIDE_STORE_WRITE_H

#include "daemon/store/internal.h"

/* All of it is the journal thread's. */
struct store_writer {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback, *append;
    struct store_fold fold;
    struct store_rids *rids;
    struct store_namerows names;
    struct store_house house;
    uint64_t journal[STORE_DOMAIN_SLOTS]; /* last row written, in this transaction or before */
    uint64_t folded[STORE_DOMAIN_SLOTS];  /* last row folded, likewise */
    bool wipe;                            /* a text went away in this transaction */
    uint32_t fold_domain;                 /* whose turn it is */
    int64_t event_ns;                     /* what folding one event costs, on average */
    int64_t behind_since_us;              /* 0: the tables are as far as the journal */
    int64_t fold_again_us;                /* after a fold that failed: not before */
};

enum store_error store_writer_init(struct store_writer *writer, struct store *store, sqlite3 *db);
void store_writer_done(struct store_writer *writer);

/* Rows that are durable and not folded, all domains. */
uint64_t store_writer_behind(const struct store_writer *writer);

enum store_error store_writer_begin(struct store_writer *writer);
enum store_error store_writer_append(struct store_writer *writer, const struct store_batch *batch);
/* Folds one unit that takes about budget_us. STORE_OK also when nothing is left. */
enum store_error store_writer_fold(struct store_writer *writer, int64_t budget_us);
/* Writes some rids into their table, when that is due. */
enum store_error store_writer_sweep(struct store_writer *writer, bool idle, bool all);
bool store_writer_sweep_is_due(const struct store_writer *writer, bool all);
/* Makes all since _begin durable and tells store->domains; on an error all of it is undone. */
enum store_error store_writer_commit(struct store_writer *writer);
void store_writer_undo(struct store_writer *writer);

#endif
