/* verify_fold.c - recorded effects rebuild the tables; then both are walked side by side.
 *
 *   database   ... booking 16 │ booking 17 │ booking 19 ...      in the order of keys
 *   rebuilt    ... booking 16 │ booking 17'│ booking 18 │ ...    differs · missing · too much
 *
 * The rebuilt tables stand in a temporary database without indexes, which SQLite keeps in memory
 * while it is small and in an unlinked file when it is not.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/store/verify.h"

#define FOLD_EVENTS 8192
#define COLUMNS_MAX 32

struct side {
    sqlite3_stmt *statement;
    bool has_row;
};

static bool side_next(struct side *side)
{
    side->has_row = sqlite3_step(side->statement) == SQLITE_ROW;
    return side->has_row;
}

/* ---- rebuilding ------------------------------------------------------------------------------ */
static enum store_error rebuild(struct store_verify *verify, sqlite3 *scratch)
{
    struct store_fold fold;
    uint64_t seq = 0;
    if (store_schema_scratch(scratch) != SQLITE_OK)
        return store_sql_error(scratch, sqlite3_extended_errcode(scratch));
    enum store_error error = store_fold_init(&fold, verify->db, scratch, true);
    if (error != STORE_OK)
        return error;
    store_sql_run(scratch, "BEGIN");
    while (seq < verify->applied && error == STORE_OK) {
        uint64_t left = verify->applied - seq, from = seq;
        error = store_fold_unit(&fold, verify->domain, from,
                                (uint32_t)(left < FOLD_EVENTS ? left : FOLD_EVENTS), &seq);
        if (error == STORE_CORRUPT || (error == STORE_OK && seq == from)) {
            store_verify_fault(verify,
                               "journal of domain %u: a row after %llu is missing or unreadable",
                               verify->domain, (unsigned long long)from);
            error = STORE_OK;
            break;
        }
        store_verify_tell(verify, "fold", seq, verify->applied);
    }
    store_sql_run(scratch, "COMMIT");
    store_fold_done(&fold);
    return error;
}

/* ---- comparing rows -------------------------------------------------------------------------- */
static int compare_keys(const struct tide_record *desc, const struct side *a, const struct side *b)
{
    for (int i = 0; i < desc->key_count; i++) {
        int64_t x = sqlite3_column_int64(a->statement, i);
        int64_t y = sqlite3_column_int64(b->statement, i);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static void name_row(const struct tide_record *desc, const struct side *side, char *out, size_t cap)
{
    size_t len = (size_t)snprintf(out, cap, "%s", desc->name);
    for (int i = 0; i < desc->key_count && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, " %s=%lld", desc->fields[i].name,
                                (long long)sqlite3_column_int64(side->statement, i));
}

static void compare_values(struct store_verify *verify, const struct tide_record *desc,
                           const struct side *table, const struct side *rebuilt)
{
    char name[128];
    for (int i = desc->key_count; i < desc->field_count; i++) {
        int64_t is = sqlite3_column_int64(table->statement, i);
        int64_t expected = sqlite3_column_int64(rebuilt->statement, i);
        if (is == expected)
            continue;
        name_row(desc, table, name, sizeof name);
        store_verify_fault(verify, "domain %u, %s: %s is %lld, the journal says %lld",
                           verify->domain, name, desc->fields[i].name, (long long)is,
                           (long long)expected);
        return;
    }
}

static void compare_table(struct store_verify *verify, const struct tide_record *desc,
                          struct side *table, struct side *rebuilt)
{
    char name[128];
    side_next(table);
    side_next(rebuilt);
    while (table->has_row || rebuilt->has_row) {
        int order = !rebuilt->has_row ? -1
                    : !table->has_row ? 1
                                      : compare_keys(desc, table, rebuilt);
        if (order == 0) {
            compare_values(verify, desc, table, rebuilt);
            verify->report->rows++;
        } else {
            name_row(desc, order < 0 ? table : rebuilt, name, sizeof name);
            store_verify_fault(verify, "domain %u, %s: %s", verify->domain, name,
                               order < 0 ? "is in the table, not in the journal"
                                         : "is missing in the table");
        }
        if (order <= 0)
            side_next(table);
        if (order >= 0)
            side_next(rebuilt);
    }
}

static enum store_error compare_kind(struct store_verify *verify, sqlite3 *scratch,
                                     const struct tide_record *desc)
{
    char rest[128] = "ORDER BY";
    size_t len = strlen(rest);
    for (unsigned i = 0; i < desc->key_count; i++)
        len += (size_t)snprintf(rest + len, sizeof rest - len, "%s \"%s\"", i > 0 ? "," : "",
                                desc->fields[i].name);
    struct side table = {.statement = store_table_select(verify->db, desc, rest)};
    struct side rebuilt = {.statement = store_table_select(scratch, desc, rest)};
    enum store_error error = STORE_IO;
    if (table.statement != NULL && rebuilt.statement != NULL) {
        sqlite3_bind_int64(table.statement, 1, verify->domain);
        sqlite3_bind_int64(rebuilt.statement, 1, verify->domain);
        compare_table(verify, desc, &table, &rebuilt);
        error = STORE_OK;
    }
    store_sql_finalize(table.statement);
    store_sql_finalize(rebuilt.statement);
    return error;
}

/* ---- comparing rids -------------------------------------------------------------------------- */
static const char rids[] =
    "SELECT user, rid, seq, expires_ms FROM rid WHERE domain=?1 ORDER BY user, rid";

static int compare_blobs(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    int x = sqlite3_column_bytes(a, column), y = sqlite3_column_bytes(b, column);
    int order = memcmp(sqlite3_column_blob(a, column), sqlite3_column_blob(b, column),
                       (size_t)(x < y ? x : y));
    return order != 0 ? order : x - y;
}

static int compare_rid_keys(const struct side *a, const struct side *b)
{
    int64_t x = sqlite3_column_int64(a->statement, 0), y = sqlite3_column_int64(b->statement, 0);
    if (x != y)
        return x < y ? -1 : 1;
    return compare_blobs(a->statement, b->statement, 1);
}

static bool same_rid(sqlite3_stmt *a, sqlite3_stmt *b)
{
    return sqlite3_column_int64(a, 2) == sqlite3_column_int64(b, 2) &&
           sqlite3_column_int64(a, 3) == sqlite3_column_int64(b, 3);
}

/* Rids are written after the tables, some before their time: what is older than the last sweep and
 * not too old must be there; what is younger than the tables cannot be judged by them. */
static bool excused(const struct store_verify *verify, int order, const struct side *table,
                    const struct side *rebuilt, tide_ms now)
{
    if (order > 0)
        return sqlite3_column_int64(rebuilt->statement, 3) < now ||
               (uint64_t)sqlite3_column_int64(rebuilt->statement, 2) > verify->rids;
    return (uint64_t)sqlite3_column_int64(table->statement, 2) > verify->applied;
}

static void compare_rids(struct store_verify *verify, struct side *table, struct side *rebuilt)
{
    tide_ms now = (tide_ms)time(NULL) * 1000;
    side_next(table);
    side_next(rebuilt);
    while (table->has_row || rebuilt->has_row) {
        int order = !rebuilt->has_row ? -1 : !table->has_row ? 1 : compare_rid_keys(table, rebuilt);
        if (!excused(verify, order, table, rebuilt, now) &&
            (order != 0 || !same_rid(table->statement, rebuilt->statement))) {
            const struct side *side = order <= 0 ? table : rebuilt;
            store_verify_fault(verify, "domain %u, rid of user %lld, row %lld: %s", verify->domain,
                               (long long)sqlite3_column_int64(side->statement, 0),
                               (long long)sqlite3_column_int64(side->statement, 2),
                               order == 0  ? "differs from the journal"
                               : order < 0 ? "is not in the journal"
                                           : "is missing");
        }
        verify->report->rows += order == 0;
        if (order <= 0)
            side_next(table);
        if (order >= 0)
            side_next(rebuilt);
    }
}

static enum store_error compare_all_rids(struct store_verify *verify, sqlite3 *scratch)
{
    struct side table = {.statement = store_sql_prepare(verify->db, rids)};
    struct side rebuilt = {.statement = store_sql_prepare(scratch, rids)};
    enum store_error error = STORE_IO;
    if (table.statement != NULL && rebuilt.statement != NULL) {
        sqlite3_bind_int64(table.statement, 1, verify->domain);
        sqlite3_bind_int64(rebuilt.statement, 1, verify->domain);
        compare_rids(verify, &table, &rebuilt);
        error = STORE_OK;
    }
    store_sql_finalize(table.statement);
    store_sql_finalize(rebuilt.statement);
    return error;
}

enum store_error store_verify_fold(struct store_verify *verify)
{
    sqlite3 *scratch = NULL;
    enum store_error error = store_sql_open(&scratch, "", STORE_SQL_SCRATCH);
    if (error != STORE_OK)
        return error;
    error = rebuild(verify, scratch);
    for (unsigned kind = 1; kind < STORE_ROW_KINDS && error == STORE_OK; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        if (desc == NULL)
            continue;
        store_verify_tell(verify, "compare", kind, STORE_ROW_KINDS);
        error = compare_kind(verify, scratch, desc);
    }
    if (error == STORE_OK)
        error = compare_all_rids(verify, scratch);
    store_sql_close(scratch);
    return error;
}
