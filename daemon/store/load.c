/* load.c - fills an engine from the tables, overlaid with what the fold has not reached.
 *
 *   tables as of `applied`  ──┐  a row whose key the tail names is taken from the tail
 *   journal after `applied` ──┴──► engine_load(row) for each live row ──► engine_load_end
 *
 * Nothing is written, so it works on a full disk and beside a running fold; one read transaction
 * holds it together. History is never walked: partial indexes name the live rows.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/store/internal.h"

enum store_error store_position_of(sqlite3 *db, uint32_t domain, struct store_position *ret)
{
    sqlite3_stmt *statement =
        store_sql_prepare(db, "SELECT seq, when_ms, rules FROM journal WHERE domain=?1"
                              " ORDER BY seq DESC LIMIT 1");
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(statement, 1, domain);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        ret->seq = (uint64_t)sqlite3_column_int64(statement, 0);
        ret->when_ms = sqlite3_column_int64(statement, 1);
        ret->rules = (uint32_t)sqlite3_column_int64(statement, 2);
    }
    store_sql_finalize(statement);
    return store_sql_error(db, code);
}

static enum store_error read_tail(sqlite3 *db, uint32_t domain, uint64_t applied,
                                  struct store_overlay *overlay)
{
    sqlite3_stmt *statement = store_sql_prepare(
        db, "SELECT effects FROM journal WHERE domain=?1 AND seq>?2 ORDER BY seq");
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(statement, 1, domain);
    sqlite3_bind_int64(statement, 2, (int64_t)applied);
    enum store_error error = STORE_OK;
    int code = SQLITE_DONE;
    while (error == STORE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        error = store_overlay_take(overlay, sqlite3_column_blob(statement, 0),
                                   (size_t)sqlite3_column_bytes(statement, 0), true);
    if (error == STORE_OK)
        error = store_sql_error(db, code);
    store_sql_finalize(statement);
    return error;
}

struct sink {
    store_row_fn *fn;
    void *arg;
};

static enum store_error give(const struct sink *sink, unsigned kind, const void *row)
{
    return engine_row_is_live(kind, row) ? sink->fn(sink->arg, kind, row) : STORE_OK;
}

static enum store_error load_kind(sqlite3 *db, uint32_t domain, const struct tide_record *desc,
                                  const struct store_overlay *overlay, const struct sink *sink)
{
    if (store_table_live(desc->kind) == NULL)
        return STORE_OK;
    sqlite3_stmt *statement = store_table_select_live(db, desc);
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(statement, 1, domain);
    enum store_error error = STORE_OK;
    int code = SQLITE_DONE;
    union tide_any row;
    while (error == STORE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!store_table_read(statement, desc, &row))
            error = STORE_CORRUPT;
        else if (store_overlay_find(overlay, desc->kind, &row) == NULL)
            error = give(sink, desc->kind, &row);
    }
    if (error == STORE_OK)
        error = store_sql_error(db, code);
    store_sql_finalize(statement);
    return error;
}

static enum store_error load_rows(sqlite3 *db, uint32_t domain, const struct store_overlay *overlay,
                                  const struct sink *sink)
{
    enum store_error error = STORE_OK;
    for (unsigned kind = 1; kind < STORE_ROW_KINDS && error == STORE_OK; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        if (desc != NULL)
            error = load_kind(db, domain, desc, overlay, sink);
    }
    for (uint32_t i = 0; i < overlay->count && error == STORE_OK; i++)
        if (overlay->rows[i].verb == ENGINE_PUT)
            error = give(sink, overlay->rows[i].kind, &overlay->rows[i].record);
    return error;
}

enum store_error store_live_rows(sqlite3 *db, uint32_t domain, store_row_fn *fn, void *arg)
{
    struct store_overlay overlay;
    store_overlay_init(&overlay);
    char ask[96];
    snprintf(ask, sizeof ask, "SELECT seq FROM applied WHERE domain=%u", domain);
    int64_t applied = 0;
    enum store_error error = store_sql_ask(db, ask, &applied);
    if (error == STORE_OK)
        error = read_tail(db, domain, (uint64_t)applied, &overlay);
    if (error == STORE_OK)
        error = load_rows(db, domain, &overlay, &(struct sink){fn, arg});
    store_overlay_done(&overlay);
    return error;
}

static enum store_error into_engine(void *arg, unsigned kind, const void *row)
{
    return engine_load(arg, kind, row) == 0 ? STORE_OK : STORE_LIMIT;
}

enum store_error store_load_engine(sqlite3 *db, uint32_t domain, struct engine *engine,
                                   struct store_position *ret)
{
    bool own = sqlite3_get_autocommit(db) != 0; /* else somebody holds a transaction open */
    int code = own ? store_sql_run(db, "BEGIN") : SQLITE_OK;
    if (code != SQLITE_OK)
        return store_sql_error(db, code);
    enum store_error error = store_position_of(db, domain, ret);
    if (error == STORE_OK)
        error = store_live_rows(db, domain, into_engine, engine);
    if (own)
        store_sql_run(db, "COMMIT");
    int fault = error == STORE_OK ? engine_load_end(engine, ret->when_ms) : 0;
    if (fault != 0)
        error = fault == -2 ? STORE_CORRUPT : STORE_LIMIT;
    return error;
}

enum store_error store_load(struct store *store, uint32_t domain, struct engine *engine,
                            struct store_position *ret)
{
    if (domain == 0 || domain >= STORE_DOMAIN_SLOTS || store->domains[domain].name[0] == '\0')
        return STORE_USAGE;
    struct store_position position = {.incarnation = store->incarnation};
    store_reader_look(store);
    enum store_error error = store_load_engine(store->reader.db, domain, engine, &position);
    if (error == STORE_OK)
        *ret = position;
    return error;
}
