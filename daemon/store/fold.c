/* fold.c - effects become rows, without any logic.
 *
 *   journal rows (seq, seq + events]  ──gather──►  overlay: last word a row   ──sort──►  tables
 *                                                                                        applied
 *
 * A unit is gathered whole, then written in the order of kinds and keys, so that neighbours in a
 * table are written together and a row that changed ten times is written once. All of it happens
 * inside the transaction that the caller has open: the tables stand at `applied`, never between.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

struct store_fold_rid {
    uint64_t seq;
    struct store_origin origin;
};

enum store_error store_fold_init(struct store_fold *fold, sqlite3 *source, sqlite3 *db,
                                 bool with_rids)
{
    memset(fold, 0, sizeof *fold);
    fold->source = source;
    fold->db = db;
    store_overlay_init(&fold->overlay);
    fold->scan = store_sql_prepare(source, "SELECT seq, origin, effects FROM journal WHERE"
                                           " domain=?1 AND seq>?2 ORDER BY seq LIMIT ?3");
    fold->rid = with_rids ? store_rid_statement(db) : NULL;
    fold->applied = store_sql_prepare(db, "INSERT INTO applied(domain, seq, rids) VALUES(?1,?2,0)"
                                          " ON CONFLICT DO UPDATE SET seq=excluded.seq");
    if (fold->scan != NULL && (fold->rid != NULL || !with_rids) && fold->applied != NULL)
        return STORE_OK;
    enum store_error error =
        store_sql_error(source, sqlite3_extended_errcode(fold->scan == NULL ? source : db));
    store_fold_done(fold);
    return error != STORE_OK ? error : STORE_IO;
}

void store_fold_done(struct store_fold *fold)
{
    fold->scan = store_sql_finalize(fold->scan);
    fold->rid = store_sql_finalize(fold->rid);
    fold->applied = store_sql_finalize(fold->applied);
    for (unsigned kind = 0; kind < STORE_ROW_KINDS; kind++) {
        fold->put[kind] = store_sql_finalize(fold->put[kind]);
        fold->del[kind] = store_sql_finalize(fold->del[kind]);
    }
    store_overlay_done(&fold->overlay);
    free(fold->rids);
    free(fold->order);
    memset(fold, 0, sizeof *fold);
}

/* ---- gathering ------------------------------------------------------------------------------- */
static enum store_error gather_rid(struct store_fold *fold, uint64_t seq, const void *bytes,
                                   size_t len)
{
    if (fold->rid_count == fold->rid_cap) {
        uint32_t cap = fold->rid_cap == 0 ? 1024 : fold->rid_cap * 2;
        struct store_fold_rid *rids = realloc(fold->rids, cap * sizeof *rids);
        if (rids == NULL)
            return STORE_LIMIT;
        fold->rids = rids;
        fold->rid_cap = cap;
    }
    struct store_fold_rid *rid = &fold->rids[fold->rid_count];
    if (!store_origin_unpack(bytes, len, &rid->origin))
        return STORE_CORRUPT;
    rid->seq = seq;
    fold->rid_count++;
    return STORE_OK;
}

static enum store_error gather_row(struct store_fold *fold, uint64_t expected)
{
    if ((uint64_t)sqlite3_column_int64(fold->scan, 0) != expected)
        return STORE_CORRUPT; /* a row is missing */
    enum store_error error = STORE_OK;
    if (fold->rid != NULL && sqlite3_column_type(fold->scan, 1) != SQLITE_NULL)
        error = gather_rid(fold, expected, sqlite3_column_blob(fold->scan, 1),
                           (size_t)sqlite3_column_bytes(fold->scan, 1));
    const uint8_t *effects = sqlite3_column_blob(fold->scan, 2);
    size_t len = (size_t)sqlite3_column_bytes(fold->scan, 2);
    if (error == STORE_OK && len > 0)
        error = store_overlay_take(&fold->overlay, effects, len, false);
    return error;
}

static enum store_error gather(struct store_fold *fold, uint32_t domain, uint64_t seq,
                               uint32_t events, uint64_t *ret_seq)
{
    uint64_t last = seq;
    enum store_error error = STORE_OK;
    store_overlay_clear(&fold->overlay);
    fold->rid_count = 0;
    sqlite3_bind_int64(fold->scan, 1, domain);
    sqlite3_bind_int64(fold->scan, 2, (int64_t)seq);
    sqlite3_bind_int64(fold->scan, 3, events);
    int code = SQLITE_ROW;
    while (error == STORE_OK && (code = sqlite3_step(fold->scan)) == SQLITE_ROW) {
        error = gather_row(fold, last + 1);
        if (error == STORE_OK)
            last++;
    }
    if (error == STORE_OK)
        error = store_sql_error(fold->source, code);
    sqlite3_reset(fold->scan);
    if (error == STORE_OK)
        *ret_seq = last;
    return error;
}

/* ---- writing --------------------------------------------------------------------------------- */
static int compare_rows(const void *a, const void *b, void *arg)
{
    const struct store_overlay *overlay = arg;
    const struct store_overlay_row *x = &overlay->rows[*(const uint32_t *)a];
    const struct store_overlay_row *y = &overlay->rows[*(const uint32_t *)b];
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    const struct tide_record *desc = tide_record_of(x->kind);
    for (unsigned i = 0; i < desc->key_count; i++) {
        int64_t p = tide_field_get(&desc->fields[i], &x->record);
        int64_t q = tide_field_get(&desc->fields[i], &y->record);
        if (p != q)
            return p < q ? -1 : 1;
    }
    return 0;
}

static int compare_rids(const void *a, const void *b)
{
    const struct store_fold_rid *x = a, *y = b;
    if (x->origin.user != y->origin.user)
        return x->origin.user < y->origin.user ? -1 : 1;
    int order = strcmp(x->origin.rid, y->origin.rid);
    if (order != 0)
        return order;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int write_row(struct store_fold *fold, uint32_t domain, const struct store_overlay_row *row)
{
    const struct tide_record *desc = tide_record_of(row->kind);
    bool put = row->verb == ENGINE_PUT;
    sqlite3_stmt **statement = put ? &fold->put[row->kind] : &fold->del[row->kind];
    if (*statement == NULL)
        *statement = put ? store_table_put(fold->db, desc) : store_table_delete(fold->db, desc);
    if (*statement == NULL)
        return sqlite3_extended_errcode(fold->db);
    unsigned fields = put ? desc->field_count : desc->key_count;
    int code = store_table_bind(*statement, desc, domain, &row->record, fields);
    if (code != SQLITE_OK)
        return code;
    sqlite3_step(*statement);
    return sqlite3_reset(*statement); /* each parameter is bound anew the next time */
}

static int write_rows(struct store_fold *fold, uint32_t domain)
{
    struct store_overlay *overlay = &fold->overlay;
    if (fold->order_cap < overlay->count) {
        free(fold->order);
        fold->order_cap = overlay->cap;
        fold->order = malloc(fold->order_cap * sizeof *fold->order);
        if (fold->order == NULL) {
            fold->order_cap = 0;
            return SQLITE_NOMEM;
        }
    }
    for (uint32_t i = 0; i < overlay->count; i++)
        fold->order[i] = i;
    if (overlay->count == 0)
        return SQLITE_OK;
    qsort_r(fold->order, overlay->count, sizeof *fold->order, compare_rows, overlay);
    int code = SQLITE_OK;
    for (uint32_t i = 0; i < overlay->count && code == SQLITE_OK; i++)
        code = write_row(fold, domain, &overlay->rows[fold->order[i]]);
    return code;
}

static int write_rids(struct store_fold *fold, uint32_t domain)
{
    int code = SQLITE_OK;
    if (fold->rid_count > 0)
        qsort(fold->rids, fold->rid_count, sizeof *fold->rids, compare_rids);
    for (uint32_t i = 0; i < fold->rid_count && code == SQLITE_OK; i++) {
        const struct store_fold_rid *rid = &fold->rids[i];
        code = store_rid_put(fold->rid, domain, rid->seq, rid->origin.user, rid->origin.rid,
                             rid->origin.expires_ms);
    }
    return code;
}

enum store_error store_fold_unit(struct store_fold *fold, uint32_t domain, uint64_t seq,
                                 uint32_t events, uint64_t *ret_seq)
{
    assert(domain > 0 && events > 0);
    uint64_t last = seq;
    enum store_error error = gather(fold, domain, seq, events, &last);
    if (error != STORE_OK || last == seq) {
        if (error == STORE_OK)
            *ret_seq = seq;
        return error;
    }
    int code = write_rows(fold, domain);
    if (code == SQLITE_OK)
        code = write_rids(fold, domain);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(fold->applied, 1, domain);
        sqlite3_bind_int64(fold->applied, 2, (int64_t)last);
        code = store_sql_once(fold->applied);
    }
    if (code != SQLITE_OK)
        return store_sql_error(fold->db, code);
    *ret_seq = last;
    return STORE_OK;
}
