/* write.c - one transaction of the journal thread.
 *
 *   BEGIN IMMEDIATE · journal rows of the waiting batches · their names · a unit of fold · COMMIT
 *
 * `journal` and `folded` run ahead inside the transaction; store->domains learns of them when the
 * COMMIT is through. On an error everything goes back to what is durable.
 */
#include "daemon/store/write.h"

#include <assert.h>
#include <string.h>

#define UNIT_EVENTS_MIN 16
#define UNIT_EVENTS_MAX 8192

static void take_back(struct store_writer *writer)
{
    for (unsigned i = 1; i < STORE_DOMAIN_SLOTS; i++) {
        writer->journal[i] = atomic_load(&writer->store->domains[i].durable);
        writer->folded[i] = atomic_load(&writer->store->domains[i].applied);
    }
    writer->wipe = false;
}

/* Rids of rows that the table of rids does not have yet. */
static enum store_error load_rids_of(struct store_writer *writer, uint32_t domain)
{
    sqlite3_stmt *tail = store_sql_prepare(
        writer->db, "SELECT seq, origin FROM journal WHERE domain=?1 AND seq>?2 ORDER BY seq");
    if (tail == NULL)
        return store_sql_error(writer->db, sqlite3_extended_errcode(writer->db));
    sqlite3_bind_int64(tail, 1, domain);
    sqlite3_bind_int64(tail, 2, (int64_t)atomic_load(&writer->store->domains[domain].rids));
    enum store_error error = STORE_OK;
    int code = SQLITE_DONE;
    struct store_origin origin;
    while (error == STORE_OK && (code = sqlite3_step(tail)) == SQLITE_ROW) {
        uint64_t seq = (uint64_t)sqlite3_column_int64(tail, 0);
        if (sqlite3_column_type(tail, 1) == SQLITE_NULL)
            continue;
        if (!store_origin_unpack(sqlite3_column_blob(tail, 1),
                                 (size_t)sqlite3_column_bytes(tail, 1), &origin))
            error = STORE_CORRUPT;
        else if (!store_rids_add(writer->rids, domain, seq, &origin))
            error = STORE_LIMIT;
    }
    if (error == STORE_OK)
        error = store_sql_error(writer->db, code);
    store_sql_finalize(tail);
    return error;
}

static enum store_error load_rids(struct store_writer *writer)
{
    uint64_t upto[STORE_DOMAIN_SLOTS];
    enum store_error error = STORE_OK;
    writer->rids = store_rids_new(writer->db);
    if (writer->rids == NULL)
        return STORE_LIMIT;
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS && error == STORE_OK; i++)
        if (writer->store->domains[i].name[0] != '\0')
            error = load_rids_of(writer, i);
    if (error == STORE_OK)
        store_rids_committed(writer->rids, writer->journal, upto);
    return error;
}

enum store_error store_writer_init(struct store_writer *writer, struct store *store, sqlite3 *db)
{
    memset(writer, 0, sizeof *writer);
    writer->store = store;
    writer->db = db;
    writer->names.list_fd = -1;
    writer->event_ns = 20000;
    take_back(writer);
    writer->begin = store_sql_prepare(db, "BEGIN IMMEDIATE");
    writer->commit = store_sql_prepare(db, "COMMIT");
    writer->rollback = store_sql_prepare(db, "ROLLBACK");
    writer->append =
        store_sql_prepare(db, "INSERT INTO journal(domain, seq, when_ms, rules, origin, event,"
                              " effects) VALUES(?,?,?,?,?,?,?)");
    enum store_error error = STORE_OK;
    if (writer->begin == NULL || writer->commit == NULL || writer->rollback == NULL ||
        writer->append == NULL)
        error = STORE_IO;
    if (error == STORE_OK)
        error = store_fold_init(&writer->fold, db, db, false);
    if (error == STORE_OK)
        error = load_rids(writer);
    if (error == STORE_OK)
        error = store_namerows_init(&writer->names, db, store->path);
    if (error == STORE_OK)
        error = store_house_init(&writer->house, store, db);
    if (error == STORE_OK)
        error = store_path_sync_folder(store->path); /* the files themselves, once */
    if (error == STORE_OK && store_writer_behind(writer) > 0)
        writer->behind_since_us = store_now_us();
    return error;
}

void store_writer_done(struct store_writer *writer)
{
    store_house_done(&writer->house);
    store_namerows_done(&writer->names);
    if (writer->fold.db != NULL)
        store_fold_done(&writer->fold);
    writer->rids = store_rids_free(writer->rids);
    writer->begin = store_sql_finalize(writer->begin);
    writer->commit = store_sql_finalize(writer->commit);
    writer->rollback = store_sql_finalize(writer->rollback);
    writer->append = store_sql_finalize(writer->append);
}

uint64_t store_writer_behind(const struct store_writer *writer)
{
    uint64_t rows = 0;
    for (unsigned i = 1; i < STORE_DOMAIN_SLOTS; i++)
        rows += writer->journal[i] - writer->folded[i];
    return rows;
}

/* ---- appending ------------------------------------------------------------------------------- */
static int append_row(struct store_writer *writer, const struct store_batch *batch,
                      const struct store_batch_row *row)
{
    uint8_t origin[STORE_ORIGIN_BYTES_MAX];
    sqlite3_stmt *append = writer->append;
    assert(row->seq == writer->journal[row->domain] + 1);
    sqlite3_bind_int64(append, 1, row->domain);
    sqlite3_bind_int64(append, 2, (int64_t)row->seq);
    sqlite3_bind_int64(append, 3, row->when_ms);
    sqlite3_bind_int64(append, 4, ENGINE_RULES);
    if (row->has_origin)
        sqlite3_bind_blob(append, 5, origin, (int)store_origin_pack(&row->origin, origin),
                          SQLITE_STATIC);
    else
        sqlite3_bind_null(append, 5);
    sqlite3_bind_blob(append, 6, batch->bytes + row->event_at,
                      (int)(row->effects_at - row->event_at), SQLITE_STATIC);
    sqlite3_bind_blob(append, 7, batch->bytes + row->effects_at, (int)row->effects_len,
                      SQLITE_STATIC);
    sqlite3_step(append);
    int code = sqlite3_reset(append);
    if (code != SQLITE_OK)
        return code;
    writer->journal[row->domain] = row->seq;
    if (row->has_origin && !store_rids_add(writer->rids, row->domain, row->seq, &row->origin))
        return SQLITE_NOMEM;
    return SQLITE_OK;
}

enum store_error store_writer_append(struct store_writer *writer, const struct store_batch *batch)
{
    int code = SQLITE_OK;
    for (uint32_t i = 0; i < batch->count && code == SQLITE_OK; i++)
        code = append_row(writer, batch, &batch->rows[i]);
    sqlite3_clear_bindings(writer->append);
    if (code != SQLITE_OK)
        return store_sql_error(writer->db, code);
    bool wipe = false;
    enum store_error error =
        store_namerows_write(&writer->names, writer->store, &batch->changes, &wipe);
    if (error == STORE_OK && wipe) /* with the names, so that no crash forgets to scrub */
        error = store_sql_error(writer->db, store_meta_put_number(writer->db, STORE_META_WIPE, 1));
    writer->wipe = writer->wipe || wipe;
    return error;
}

/* ---- folding --------------------------------------------------------------------------------- */
static uint32_t next_behind(struct store_writer *writer)
{
    for (unsigned i = 0; i < STORE_DOMAIN_SLOTS; i++) {
        writer->fold_domain = writer->fold_domain % (STORE_DOMAIN_SLOTS - 1) + 1;
        if (writer->journal[writer->fold_domain] > writer->folded[writer->fold_domain])
            return writer->fold_domain;
    }
    return 0;
}

enum store_error store_writer_fold(struct store_writer *writer, int64_t budget_us)
{
    uint32_t domain = next_behind(writer);
    if (domain == 0 || budget_us <= 0)
        return STORE_OK;
    int64_t events = budget_us * 1000 / writer->event_ns;
    if (events < UNIT_EVENTS_MIN)
        events = UNIT_EVENTS_MIN;
    if (events > UNIT_EVENTS_MAX)
        events = UNIT_EVENTS_MAX;
    int64_t start_us = store_now_us();
    uint64_t from = writer->folded[domain], upto = from;
    enum store_error error = store_fold_unit(&writer->fold, domain, from, (uint32_t)events, &upto);
    if (error != STORE_OK)
        return error;
    if (upto == from)
        return STORE_CORRUPT; /* rows that were there are gone */
    writer->folded[domain] = upto;
    int64_t ns = (store_now_us() - start_us) * 1000 / (int64_t)(upto - from);
    writer->event_ns += (ns - writer->event_ns) / 8;
    if (writer->event_ns < 1000)
        writer->event_ns = 1000;
    return STORE_OK;
}

bool store_writer_sweep_is_due(const struct store_writer *writer, bool all)
{
    return store_rids_budget_us(writer->rids, true, all) > 0;
}

enum store_error store_writer_sweep(struct store_writer *writer, bool idle, bool all)
{
    int64_t budget = store_rids_budget_us(writer->rids, idle, all);
    return budget > 0 ? store_rids_slice(writer->rids, budget) : STORE_OK;
}

/* ---- beginning and ending -------------------------------------------------------------------- */
enum store_error store_writer_begin(struct store_writer *writer)
{
    assert(sqlite3_get_autocommit(writer->db) != 0);
    return store_sql_error(writer->db, store_sql_once(writer->begin));
}

void store_writer_undo(struct store_writer *writer)
{
    if (sqlite3_get_autocommit(writer->db) == 0) /* some errors roll back by themselves */
        store_sql_once(writer->rollback);
    take_back(writer);
    store_rids_undo(writer->rids);
}

static void tell(struct store_writer *writer)
{
    struct store *store = writer->store;
    struct store_counts *counts = &store->counts;
    for (unsigned i = 1; i < STORE_DOMAIN_SLOTS; i++) {
        struct store_domain_state *domain = &store->domains[i];
        atomic_fetch_add(&counts->rows, writer->journal[i] - atomic_load(&domain->durable));
        atomic_fetch_add(&counts->folded, writer->folded[i] - atomic_load(&domain->applied));
        atomic_store(&domain->durable, writer->journal[i]);
        atomic_store(&domain->applied, writer->folded[i]);
    }
    uint64_t upto[STORE_DOMAIN_SLOTS];
    if (store_rids_committed(writer->rids, writer->journal, upto))
        for (unsigned i = 1; i < STORE_DOMAIN_SLOTS; i++)
            atomic_store(&store->domains[i].rids, upto[i]);
    if (store_writer_behind(writer) == 0)
        writer->behind_since_us = 0;
    else if (writer->behind_since_us == 0)
        writer->behind_since_us = store_now_us();
    if (writer->wipe) {
        writer->house.scrub = writer->house.truncate = true;
        writer->wipe = false;
    }
}

enum store_error store_writer_commit(struct store_writer *writer)
{
    struct store_counts *counts = &writer->store->counts;
    int64_t start_us = store_now_us();
    int code = store_sql_once(writer->commit);
    if (code != SQLITE_OK) {
        enum store_error error = store_sql_error(writer->db, code);
        store_writer_undo(writer);
        return error;
    }
    uint64_t us = (uint64_t)(store_now_us() - start_us);
    uint64_t average = atomic_load(&counts->fsync_us_ewma);
    atomic_store(&counts->commit_us_last, us);
    atomic_store(&counts->fsync_us_ewma, average == 0 ? us : (average * 15 + us) / 16);
    atomic_fetch_add(&counts->commits, 1);
    tell(writer);
    return STORE_OK;
}
