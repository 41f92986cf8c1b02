/* audit_db.c - the auditor over a database: its journal event by event, its tables row by row.
 *
 * Opens read-only. Of the store it knows what the README tells every reader: the journal's columns,
 * that a table is named like its record, a column like its field, and `name` holds what can be
 * forgotten.
 */
#include <sqlite3.h>
#include <string.h>

#include "tests/sim/audit_state.h"

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    return sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK ? statement : NULL;
}

static sqlite3 *open_database(const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
        return db;
    sqlite3_close(db);
    return NULL;
}

/* ---- tables -------------------------------------------------------------------------------- */
static sqlite3_stmt *select_rows(sqlite3 *db, const struct tide_record *desc)
{
    char sql[2048];
    int used = snprintf(sql, sizeof sql, "SELECT ");
    for (unsigned i = 0; i < desc->field_count; i++)
        used += snprintf(sql + used, sizeof sql - (size_t)used, "%s\"%s\"", i > 0 ? "," : "",
                         desc->fields[i].name);
    snprintf(sql + used, sizeof sql - (size_t)used, " FROM \"%s\" WHERE domain=?1", desc->name);
    return prepare(db, sql);
}

/* One row of a table against ours. */
static void check_row(struct audit *audit, const struct tide_record *desc, sqlite3_stmt *statement)
{
    uint32_t key[3] = {0};
    for (unsigned i = 0; i < desc->key_count; i++)
        key[i] = (uint32_t)sqlite3_column_int64(statement, (int)i);
    const union tide_any *ours = sim_rows_find(audit->rows, desc->kind, key[0], key[1], key[2]);
    if (ours == NULL) {
        audit_fail(audit, "table %s has row %u, the journal does not", desc->name, key[0]);
        return;
    }
    for (unsigned i = 0; i < desc->field_count; i++) {
        int64_t theirs = sqlite3_column_int64(statement, (int)i);
        if (theirs != tide_field_get(&desc->fields[i], ours))
            audit_fail(audit, "table %s, row %u: %s is %lld, the journal says %lld", desc->name,
                       key[0], desc->fields[i].name, (long long)theirs,
                       (long long)tide_field_get(&desc->fields[i], ours));
    }
}

static void check_table(struct audit *audit, sqlite3 *db, int64_t domain,
                        const struct tide_record *desc)
{
    sqlite3_stmt *statement = select_rows(db, desc);
    uint32_t rows = 0;
    if (statement == NULL) {
        audit_fail(audit, "table %s: %s", desc->name, sqlite3_errmsg(db));
        return;
    }
    sqlite3_bind_int64(statement, 1, domain);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        check_row(audit, desc, statement);
        rows++;
    }
    sqlite3_finalize(statement);
    if (rows != sim_rows_count(audit->rows, desc->kind))
        audit_fail(audit, "table %s has %u rows, the journal makes %u", desc->name, rows,
                   sim_rows_count(audit->rows, desc->kind));
}

static void check_names(struct audit *audit, sqlite3 *db, int64_t domain)
{
    sqlite3_stmt *statement =
        prepare(db, "SELECT n.kind, n.id FROM name n JOIN forgotten f ON f.domain = n.domain AND"
                    " f.kind = n.kind AND f.id = n.id WHERE n.domain=?1");
    if (statement == NULL) {
        audit_fail(audit, "names: %s", sqlite3_errmsg(db));
        return;
    }
    sqlite3_bind_int64(statement, 1, domain);
    while (sqlite3_step(statement) == SQLITE_ROW)
        audit_fail(audit, "name %lld of kind %lld is forgotten and still there",
                   (long long)sqlite3_column_int64(statement, 1),
                   (long long)sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
}

static void check_tables(struct audit *audit, sqlite3 *db, int64_t domain)
{
    for (unsigned kind = 1; kind < 100; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        if (desc != NULL)
            check_table(audit, db, domain, desc);
    }
    check_names(audit, db, domain);
}

void audit_tables(struct audit *audit, const char *database)
{
    sqlite3 *db = open_database(database);
    if (db == NULL) {
        audit_fail(audit, "the database cannot be opened");
        return;
    }
    check_tables(audit, db, 1);
    sqlite3_close(db);
}

/* ---- the journal --------------------------------------------------------------------------- */
static void take_row(struct audit *audit, sqlite3_stmt *row)
{
    struct engine_event event;
    const uint8_t *bytes = sqlite3_column_blob(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    if (bytes == NULL || engine_event_unpack(bytes, len, &event) != len) {
        audit_fail(audit, "row %lld is no event", (long long)sqlite3_column_int64(row, 0));
        return;
    }
    event.when_ms = sqlite3_column_int64(row, 1);
    audit_event(audit, (uint64_t)sqlite3_column_int64(row, 0), &event, sqlite3_column_blob(row, 3),
                (size_t)sqlite3_column_bytes(row, 3));
}

static void print_verdict(struct audit *audit, const char *name, FILE *out)
{
    struct audit_counts c;
    audit_count(audit, &c);
    fprintf(out, "domain %s: %llu events, %u violations\n", name, (unsigned long long)c.events,
            audit_violations(audit));
    fprintf(out,
            "  promises  %llu made: %llu kept, %llu cancelled, %llu no-shows, %llu broken and "
            "compensated, %llu live\n",
            (unsigned long long)c.bookings, (unsigned long long)c.kept,
            (unsigned long long)c.cancelled, (unsigned long long)c.no_show,
            (unsigned long long)c.broken, (unsigned long long)c.live);
    fprintf(out,
            "  checked   no two on a slot; %llu times that a promise lies in an open window; "
            "%llu refusals that nothing was free\n",
            (unsigned long long)c.checked_windows, (unsigned long long)c.checked_refusals);
    fprintf(out,
            "            %llu postings that sum to zero; %llu passages at the arm; %llu rows, the "
            "same in the tables\n",
            (unsigned long long)c.postings, (unsigned long long)c.passages,
            (unsigned long long)c.rows);
    if (audit_violations(audit) > 0)
        fprintf(out, "  first violation: %s\n", audit_first(audit));
}

static unsigned audit_domain(sqlite3 *db, int64_t domain, const char *name, FILE *out,
                             uint64_t *events)
{
    struct audit *audit = audit_new();
    sqlite3_stmt *rows = prepare(
        db, "SELECT seq, when_ms, event, effects FROM journal WHERE domain=?1 ORDER BY seq");
    if (rows == NULL) {
        audit_fail(audit, "journal: %s", sqlite3_errmsg(db));
    } else {
        sqlite3_bind_int64(rows, 1, domain);
        while (sqlite3_step(rows) == SQLITE_ROW)
            take_row(audit, rows);
        sqlite3_finalize(rows);
        audit_end(audit);
        check_tables(audit, db, domain);
    }
    print_verdict(audit, name, out);
    struct audit_counts counts;
    audit_count(audit, &counts);
    *events += counts.events;
    unsigned violations = audit_violations(audit);
    audit_free(audit);
    return violations;
}

int audit_database(const char *path, FILE *out)
{
    sqlite3 *db = open_database(path);
    sqlite3_stmt *domains = db != NULL ? prepare(db, "SELECT domain, name FROM domain") : NULL;
    uint64_t events = 0;
    unsigned violations = 0;
    if (domains == NULL) {
        fprintf(out, "auditor: %s is no database of Tide\n", path);
        sqlite3_close(db);
        return 2;
    }
    while (sqlite3_step(domains) == SQLITE_ROW) {
        violations += audit_domain(db, sqlite3_column_int64(domains, 0),
                                   (const char *)sqlite3_column_text(domains, 1), out, &events);
    }
    sqlite3_finalize(domains);
    sqlite3_close(db);
    fprintf(out, "auditor: %llu events, %u violations\n", (unsigned long long)events, violations);
    return violations == 0 ? 0 : 1;
}
