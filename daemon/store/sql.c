/* sql.c - one way to talk to SQLite: how connections are opened, what result codes mean.
 *
 * A promise of the writer (WAL, synchronous=FULL, ...) is read back after it was asked for: a
 * pragma that SQLite does not know or cannot keep is silent.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/store/internal.h"

const char *store_error_name(enum store_error error)
{
    static const char *const names[] = {
        [STORE_OK] = "ok",           [STORE_FULL] = "full",     [STORE_IO] = "io",
        [STORE_CORRUPT] = "corrupt", [STORE_LOCKED] = "locked", [STORE_VERSION] = "version",
        [STORE_LIMIT] = "limit",     [STORE_USAGE] = "usage",
    };
    assert((unsigned)error < sizeof names / sizeof *names);
    return names[error];
}

enum store_error store_sql_error(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STORE_OK;
    case SQLITE_FULL:
        return STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT: /* the tables no longer agree with the journal */
    case SQLITE_MISMATCH:
        return STORE_CORRUPT;
    case SQLITE_IOERR: {
        int system = db != NULL ? sqlite3_system_errno(db) : 0;
        bool sync = code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
        return !sync && (system == ENOSPC || system == EDQUOT) ? STORE_FULL : STORE_IO;
    }
    default:
        return STORE_IO;
    }
}

int store_sql_run(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

int64_t store_sql_number(sqlite3 *db, const char *text, int64_t otherwise)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = otherwise;
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

enum store_error store_sql_ask(sqlite3 *db, const char *text, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return store_sql_error(db, code);
}

sqlite3_stmt *store_sql_prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    return code == SQLITE_OK ? statement : NULL;
}

int store_sql_once(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (code == SQLITE_DONE || code == SQLITE_ROW)
        return reset;
    return reset != SQLITE_OK ? reset : code;
}

sqlite3_stmt *store_sql_finalize(sqlite3_stmt *statement)
{
    sqlite3_finalize(statement);
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */
static bool text_pragma_is(sqlite3 *db, const char *text, const char *expected)
{
    sqlite3_stmt *statement = NULL;
    bool same = sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW &&
                sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), expected) == 0;
    int code = sqlite3_finalize(statement); /* what it wrote is written here, and may fail */
    return same && code == SQLITE_OK;
}

struct promise {
    const char *ask, *read_back;
    int64_t expected;
};

static const struct promise common[] = {
    {"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", 1},
    {"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", 0},
    {"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", 1},
    {"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", 2},
    {"PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", 0},
    {NULL, NULL, 0},
};

static const struct promise writer[] = {
    {"PRAGMA synchronous=FULL", "PRAGMA synchronous", 2},
    {"PRAGMA secure_delete=ON", "PRAGMA secure_delete", 1},
    {"PRAGMA cache_size=-16384", "PRAGMA cache_size", -16384},
    {NULL, NULL, 0},
};

static const struct promise reader[] = {
    {"PRAGMA query_only=ON", "PRAGMA query_only", 1},
    {"PRAGMA cache_size=-4096", "PRAGMA cache_size", -4096},
    {NULL, NULL, 0},
};

static const struct promise scratch[] = {
    {"PRAGMA synchronous=OFF", "PRAGMA synchronous", 0},
    {"PRAGMA secure_delete=OFF", "PRAGMA secure_delete", 0},
    {"PRAGMA cache_size=-131072", "PRAGMA cache_size", -131072},
    {NULL, NULL, 0},
};

static int keep_promises(sqlite3 *db, const struct promise *promises)
{
    for (; promises->ask != NULL; promises++) {
        int code = store_sql_run(db, promises->ask);
        if (code != SQLITE_OK)
            return code;
        if (store_sql_number(db, promises->read_back, -1) != promises->expected)
            return SQLITE_ERROR;
    }
    return SQLITE_OK;
}

static int configure(sqlite3 *db, enum store_sql_mode mode)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, mode != STORE_SQL_SCRATCH, NULL);
    int code = keep_promises(db, common);
    if (code != SQLITE_OK)
        return code;
    switch (mode) {
    case STORE_SQL_WRITER:
        if (!text_pragma_is(db, "PRAGMA journal_mode=WAL", "wal"))
            return sqlite3_errcode(db) != SQLITE_OK ? sqlite3_extended_errcode(db) : SQLITE_ERROR;
        return keep_promises(db, writer);
    case STORE_SQL_READER:
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return keep_promises(db, reader);
    case STORE_SQL_SCRATCH:
        if (!text_pragma_is(db, "PRAGMA journal_mode=OFF", "off"))
            return SQLITE_ERROR;
        return keep_promises(db, scratch);
    }
    return SQLITE_MISUSE;
}

/* Once, before SQLite is used: without its memory statistics, which cost a lock an allocation. When
 * somebody used it earlier, they stay. */
static void set_up(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum store_error store_sql_open(sqlite3 **ret, const char *path, enum store_sql_mode mode)
{
    int flags = SQLITE_OPEN_NOMUTEX |
                (mode == STORE_SQL_READER ? SQLITE_OPEN_READONLY
                                          : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sqlite3 *db = NULL;
    pthread_once(&once, set_up);
    int code = sqlite3_open_v2(path, &db, flags, NULL);
    if (code == SQLITE_OK)
        code = configure(db, mode);
    if (code == SQLITE_OK) {
        *ret = db;
        return STORE_OK;
    }
    enum store_error error = store_sql_error(db, code);
    sqlite3_close(db);
    return error;
}

sqlite3 *store_sql_close(sqlite3 *db)
{
    int code = sqlite3_close(db);
    assert(code == SQLITE_OK); /* else a statement or a backup was left open */
    return NULL;
}

sqlite3 *store_sql_abandon(sqlite3 *db)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return store_sql_close(db);
}

/* ---- small things ---------------------------------------------------------------------------- */
int64_t store_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum store_error store_say(char *why, size_t why_cap, enum store_error error, const char *format,
                           ...)
{
    if (why != NULL && why_cap > 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(why, why_cap, format, args);
        va_end(args);
    }
    return error;
}

bool store_sql_is_whole(sqlite3 *db, char *why, size_t why_cap)
{
    sqlite3_stmt *check = NULL;
    bool whole = false;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &check, NULL) == SQLITE_OK &&
        sqlite3_step(check) == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(check, 0);
        whole = said != NULL && strcmp(said, "ok") == 0;
        if (!whole)
            store_say(why, why_cap, STORE_CORRUPT, "%s", said != NULL ? said : "no answer");
    } else {
        store_say(why, why_cap, STORE_CORRUPT, "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(check);
    return whole;
}
