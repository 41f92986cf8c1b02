/* schema.c - the versions of the database and the steps between them.
 *
 *   empty ──► 1 ──► 2 ──► 3 ...         user_version says where a database stands; each step is one
 *                                  transaction, so a crash leaves it at one version or the next
 */
#include <stdio.h>

#include "daemon/store/internal.h"
#include "daemon/store/schema.h"

static int step_to_1(sqlite3 *db)
{
    const char *const texts[] = {store_schema_v1_own, store_schema_v1_fold, store_schema_v1_indexes,
                                 store_schema_v1_triggers};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int code = store_sql_run(db, texts[i]);
        if (code != SQLITE_OK)
            return code;
    }
    return SQLITE_OK;
}

static int step_to_2(sqlite3 *db)
{
    int code = store_sql_run(db, store_schema_v2_fold);
    return code == SQLITE_OK ? store_sql_run(db, store_schema_v2_indexes) : code;
}

static int step_to_3(sqlite3 *db)
{
    return store_sql_run(db, store_schema_v3_fold);
}

static int (*const steps[STORE_SCHEMA])(sqlite3 *db) = {step_to_1, step_to_2, step_to_3};

static int take_step(sqlite3 *db, int64_t from)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%lld",
             STORE_APPLICATION_ID, (long long)from + 1);
    int code = store_sql_run(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = steps[from](db);
    if (code == SQLITE_OK)
        code = store_sql_run(db, mark);
    if (code == SQLITE_OK)
        code = store_sql_run(db, "COMMIT");
    if (code != SQLITE_OK && sqlite3_get_autocommit(db) == 0)
        store_sql_run(db, "ROLLBACK");
    return code;
}

enum store_error store_schema_migrate(sqlite3 *db, char *why, size_t why_cap)
{
    int64_t id = 0, version = 0, tables = 0;
    enum store_error error = store_sql_ask(db, "PRAGMA application_id", &id);
    if (error == STORE_OK)
        error = store_sql_ask(db, "PRAGMA user_version", &version);
    if (error == STORE_OK)
        error = store_sql_ask(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (error != STORE_OK)
        return store_say(why, why_cap, error, "the database cannot be read: %s",
                         sqlite3_errmsg(db));
    if (id != STORE_APPLICATION_ID && tables > 0)
        return store_say(why, why_cap, STORE_VERSION,
                         "this file is a database of another program; choose another path");
    if (version > STORE_SCHEMA)
        return store_say(why, why_cap, STORE_VERSION,
                         "the database has version %lld, this program knows up to %d; use the "
                         "newer Tide that wrote it",
                         (long long)version, STORE_SCHEMA);
    for (; version < STORE_SCHEMA; version++) {
        int code = take_step(db, version);
        if (code != SQLITE_OK)
            return store_say(why, why_cap, store_sql_error(db, code),
                             "cannot bring the database to version %lld: %s",
                             (long long)version + 1, sqlite3_errmsg(db));
    }
    return STORE_OK;
}

int store_schema_scratch(sqlite3 *db)
{
    int code = store_sql_run(db, store_schema_v1_fold);
    if (code == SQLITE_OK)
        code = store_sql_run(db, store_schema_v2_fold);
    return code == SQLITE_OK ? store_sql_run(db, store_schema_v3_fold) : code;
}
