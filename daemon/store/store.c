/* store.c - opening and closing, in order and in reverse; domains; small questions.
 *
 *   lock ─► writer ─► migrate ─► checkpoint ─► meta ─► domains ─► reader ─► names ─► rids of the
 *   tail ─► buffers ─► journal thread
 */
#include <assert.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/internal.h"

#define NAMES_MAX_DEFAULT 1000000
#define BATCHES_DEFAULT 4
#define STRANGER_DAYS_DEFAULT 30

/* ---- meta ------------------------------------------------------------------------------------ */
static sqlite3_stmt *meta_select(sqlite3 *db, const char *key)
{
    sqlite3_stmt *statement = store_sql_prepare(db, "SELECT value FROM meta WHERE key=?1");
    if (statement == NULL)
        return NULL;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    return sqlite3_step(statement) == SQLITE_ROW ? statement : store_sql_finalize(statement);
}

bool store_meta_number(sqlite3 *db, const char *key, int64_t *ret)
{
    sqlite3_stmt *row = meta_select(db, key);
    if (row == NULL)
        return false;
    *ret = sqlite3_column_int64(row, 0);
    store_sql_finalize(row);
    return true;
}

static bool meta_bytes(sqlite3 *db, const char *key, void *ret, int len)
{
    sqlite3_stmt *row = meta_select(db, key);
    bool fits = row != NULL && sqlite3_column_bytes(row, 0) == len;
    if (fits)
        memcpy(ret, sqlite3_column_blob(row, 0), (size_t)len);
    store_sql_finalize(row);
    return fits;
}

static int meta_put(sqlite3 *db, const char *key, int64_t number, const void *bytes, int len)
{
    sqlite3_stmt *statement =
        store_sql_prepare(db, "INSERT OR REPLACE INTO meta(key, value) VALUES(?1,?2)");
    if (statement == NULL)
        return sqlite3_extended_errcode(db);
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (bytes != NULL)
        sqlite3_bind_blob(statement, 2, bytes, len, SQLITE_STATIC);
    else
        sqlite3_bind_int64(statement, 2, number);
    int code = store_sql_once(statement);
    store_sql_finalize(statement);
    return code;
}

int store_meta_put_number(sqlite3 *db, const char *key, int64_t value)
{
    return meta_put(db, key, value, NULL, 0);
}

/* A new database gets its key, its first incarnation and its kind of time. */
static enum store_error meta_begin(sqlite3 *db, bool scaled)
{
    uint8_t key[32];
    int64_t number = 0;
    if (store_meta_number(db, "incarnation", &number))
        return STORE_OK;
    enum store_error error = store_sql_error(db, sqlite3_extended_errcode(db));
    if (error != STORE_OK) /* cannot be read: that does not make it new */
        return error;
    store_random(key, sizeof key);
    int code = store_sql_run(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = meta_put(db, "body_key", 0, key, sizeof key);
    if (code == SQLITE_OK)
        code = store_meta_put_number(db, "scaled", scaled);
    if (code == SQLITE_OK)
        code = store_meta_put_number(db, "incarnation", 1);
    if (code == SQLITE_OK)
        code = store_sql_run(db, "COMMIT");
    error = store_sql_error(db, code);
    if (sqlite3_get_autocommit(db) == 0)
        store_sql_run(db, "ROLLBACK");
    return error;
}

static enum store_error mac_begin(struct store *store, const uint8_t key[32])
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    if (context == NULL || EVP_MAC_init(context, key, 32, params) != 1) {
        EVP_MAC_CTX_free(context);
        return STORE_LIMIT;
    }
    store->mac = context;
    return STORE_OK;
}

static enum store_error meta_load(struct store *store, sqlite3 *db, char *why, size_t why_cap)
{
    uint8_t key[32];
    int64_t incarnation = 0, scaled = 0;
    if (!meta_bytes(db, "body_key", key, sizeof key) ||
        !store_meta_number(db, "incarnation", &incarnation) ||
        !store_meta_number(db, "scaled", &scaled)) {
        enum store_error error = store_sql_error(db, sqlite3_extended_errcode(db));
        return store_say(why, why_cap, error != STORE_OK ? error : STORE_CORRUPT,
                         error != STORE_OK ? "the marks of the database cannot be read"
                                           : "the database lacks its own marks");
    }
    if (!store->conf.read_only && (scaled != 0) != store->conf.scaled)
        return store_say(why, why_cap, STORE_VERSION,
                         scaled != 0 ? "this database lived in scaled time; a real daemon needs "
                                       "another one"
                                     : "this database lives in real time; a demo with scaled time "
                                       "needs another one");
    store->incarnation = (uint32_t)incarnation;
    enum store_error error = mac_begin(store, key);
    explicit_bzero(key, sizeof key);
    return error == STORE_OK ? error : store_say(why, why_cap, error, "no memory for a key");
}

void store_body_digest(const struct store *store, const uint8_t *bytes, size_t len, uint8_t ret[16])
{
    uint8_t full[32];
    size_t size = 0;
    EVP_MAC_CTX *context = store->mac;
    if (EVP_MAC_init(context, NULL, 0, NULL) != 1 || EVP_MAC_update(context, bytes, len) != 1 ||
        EVP_MAC_final(context, full, &size, sizeof full) != 1 || size != sizeof full)
        abort(); /* only without memory */
    memcpy(ret, full, 16);
}

/* ---- domains --------------------------------------------------------------------------------- */
static bool domain_name_is_good(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    size_t len = strlen(name);
    return len > 0 && len <= TIDE_NAME_BYTES_MAX && strspn(name, allowed) == len;
}

static enum store_error domain_load(struct store *store, sqlite3 *db, uint32_t number,
                                    const char *name)
{
    struct store_domain_state *domain = &store->domains[number];
    struct store_position position = {0};
    char ask[96];
    sqlite3_snprintf(sizeof ask, ask, "SELECT seq FROM applied WHERE domain=%u", number);
    enum store_error error = store_position_of(db, number, &position);
    int64_t applied = 0, rids = 0;
    if (error == STORE_OK)
        error = store_sql_ask(db, ask, &applied);
    sqlite3_snprintf(sizeof ask, ask, "SELECT rids FROM applied WHERE domain=%u", number);
    if (error == STORE_OK)
        error = store_sql_ask(db, ask, &rids);
    if (error != STORE_OK)
        return error;
    if (!domain_name_is_good(name) || (uint64_t)applied > position.seq ||
        (uint64_t)rids > position.seq)
        return STORE_CORRUPT;
    domain->identity = store_identity_new(store, number, store->conf.names_max);
    if (domain->identity == NULL)
        return STORE_LIMIT;
    memcpy(domain->name, name, strlen(name) + 1);
    domain->last_seq = position.seq;
    domain->last_ms = position.when_ms;
    domain->stranger_days = STRANGER_DAYS_DEFAULT;
    atomic_store(&domain->durable, position.seq);
    atomic_store(&domain->applied, (uint64_t)applied);
    atomic_store(&domain->rids, (uint64_t)rids);
    return STORE_OK;
}

static enum store_error domains_load(struct store *store, sqlite3 *db)
{
    sqlite3_stmt *statement = store_sql_prepare(db, "SELECT domain, name FROM domain");
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    enum store_error error = STORE_OK;
    int code = SQLITE_DONE;
    while (error == STORE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t number = sqlite3_column_int64(statement, 0);
        const char *name = (const char *)sqlite3_column_text(statement, 1);
        error = number > 0 && number < STORE_DOMAIN_SLOTS && name != NULL
                    ? domain_load(store, db, (uint32_t)number, name)
                    : STORE_CORRUPT;
    }
    if (error == STORE_OK)
        error = store_sql_error(db, code);
    store_sql_finalize(statement);
    return error;
}

struct domain_task {
    uint32_t number;
    const char *name;
};

static enum store_error domain_insert(struct store_journal *journal, sqlite3 *db, void *arg)
{
    (void)journal;
    const struct domain_task *task = arg;
    sqlite3_stmt *statement =
        store_sql_prepare(db, "INSERT INTO domain(domain, name) VALUES(?1,?2)");
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(statement, 1, task->number);
    sqlite3_bind_text(statement, 2, task->name, -1, SQLITE_STATIC);
    int code = store_sql_once(statement);
    store_sql_finalize(statement);
    return store_sql_error(db, code);
}

uint32_t store_domain(struct store *store, const char *name, bool create)
{
    struct domain_task task = {.name = name};
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS; i++) {
        if (strcmp(store->domains[i].name, name) == 0 && name[0] != '\0')
            return i;
        if (store->domains[i].name[0] == '\0' && task.number == 0)
            task.number = i;
    }
    if (!create || task.number == 0 || store->journal == NULL || !domain_name_is_good(name) ||
        store_journal_call(store->journal, domain_insert, &task) != STORE_OK)
        return 0;
    return domain_load(store, store->reader.db, task.number, name) == STORE_OK ? task.number : 0;
}

void store_domains(struct store *store, void (*fn)(void *arg, uint32_t domain, const char *name),
                   void *arg)
{
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS; i++)
        if (store->domains[i].name[0] != '\0')
            fn(arg, i, store->domains[i].name);
}

const struct tide_names *store_names(struct store *store, uint32_t domain)
{
    if (domain == 0 || domain >= STORE_DOMAIN_SLOTS || store->domains[domain].identity == NULL)
        return NULL;
    return store_identity_face(store->domains[domain].identity);
}

uint64_t store_last_seq(const struct store *store, uint32_t domain)
{
    assert(domain < STORE_DOMAIN_SLOTS);
    return store->domains[domain].last_seq;
}

uint64_t store_durable_seq(const struct store *store, uint32_t domain)
{
    assert(domain < STORE_DOMAIN_SLOTS);
    return atomic_load(&store->domains[domain].durable);
}

uint64_t store_applied_seq(const struct store *store, uint32_t domain)
{
    assert(domain < STORE_DOMAIN_SLOTS);
    return atomic_load(&store->domains[domain].applied);
}

void store_hurry(struct store *store)
{
    if (store->journal != NULL)
        store_journal_hurry(store->journal);
}

/* ---- opening --------------------------------------------------------------------------------- */
static enum store_error create_private(const char *path, char *why, size_t why_cap)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return store_say(why, why_cap, STORE_IO, "cannot open or make %s; check folder and rights",
                         path);
    close(fd);
    return STORE_OK;
}

static enum store_error damaged(const struct store *store, char *why, size_t why_cap,
                                enum store_error error, sqlite3 *db)
{
    if (error == STORE_CORRUPT)
        return store_say(why, why_cap, error,
                         "%s is damaged (%s); do not use it any more: restore the newest backup "
                         "with tided --restore BACKUP",
                         store->path, db != NULL ? sqlite3_errmsg(db) : "not a database");
    return store_say(why, why_cap, error, "cannot open %s: %s (%s)", store->path,
                     store_error_name(error), db != NULL ? sqlite3_errmsg(db) : "");
}

static enum store_error open_writer(struct store *store, sqlite3 **ret, char *why, size_t why_cap)
{
    sqlite3 *db = NULL;
    enum store_error error = create_private(store->path, why, why_cap);
    if (error != STORE_OK)
        return error;
    error = store_sql_open(&db, store->path, STORE_SQL_WRITER);
    if (error != STORE_OK)
        return damaged(store, why, why_cap, error, NULL);
    error = store_schema_migrate(db, why, why_cap);
    if (error == STORE_OK) {
        int code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        if (code != SQLITE_OK && code != SQLITE_BUSY) /* busy: somebody reads a report */
            error = damaged(store, why, why_cap, store_sql_error(db, code), db);
    }
    if (error == STORE_OK) {
        error = meta_begin(db, store->conf.scaled);
        if (error != STORE_OK)
            damaged(store, why, why_cap, error, db);
    }
    if (error != STORE_OK)
        store_sql_abandon(db);
    else
        *ret = db;
    return error;
}

/* The rids that their table does not have yet, and the setting that names need. */
static enum store_error tail_load(struct store *store, uint32_t number)
{
    struct store_domain_state *domain = &store->domains[number];
    sqlite3 *db = store->reader.db;
    char ask[128];
    sqlite3_snprintf(sizeof ask, ask, "SELECT value FROM setting_row WHERE domain=%u AND key=%d",
                     number, TIDE_SETTING_stranger_kept_days);
    domain->stranger_days = store_sql_number(db, ask, domain->stranger_days);
    sqlite3_stmt *tail = store_sql_prepare(
        db, "SELECT seq, origin FROM journal WHERE domain=?1 AND seq>?2 ORDER BY seq");
    if (tail == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(tail, 1, number);
    sqlite3_bind_int64(tail, 2, (int64_t)atomic_load(&domain->rids));
    enum store_error error = STORE_OK;
    int code = SQLITE_DONE;
    struct store_origin origin;
    while (error == STORE_OK && (code = sqlite3_step(tail)) == SQLITE_ROW) {
        if (sqlite3_column_type(tail, 1) == SQLITE_NULL)
            continue;
        if (!store_origin_unpack(sqlite3_column_blob(tail, 1),
                                 (size_t)sqlite3_column_bytes(tail, 1), &origin))
            error = STORE_CORRUPT;
        else if (!store_replies_add(store->replies, number, (uint64_t)sqlite3_column_int64(tail, 0),
                                    &origin))
            error = STORE_LIMIT;
    }
    if (error == STORE_OK)
        error = store_sql_error(db, code);
    store_sql_finalize(tail);
    return error;
}

static enum store_error open_reading(struct store *store, char *why, size_t why_cap)
{
    enum store_error error = store_reader_init(&store->reader, store->path);
    if (error != STORE_OK)
        return damaged(store, why, why_cap, error, NULL);
    sqlite3 *db = store->reader.db;
    if (store->conf.read_only &&
        (store_sql_number(db, "PRAGMA application_id", 0) != STORE_APPLICATION_ID ||
         store_sql_number(db, "PRAGMA user_version", 0) != STORE_SCHEMA))
        return store_say(why, why_cap, STORE_VERSION,
                         "%s is not a Tide database of version %d; start the daemon on it once",
                         store->path, STORE_SCHEMA);
    error = meta_load(store, db, why, why_cap);
    if (error != STORE_OK)
        return error;
    error = domains_load(store, db);
    store->replies = store_replies_new();
    if (error == STORE_OK && store->replies == NULL)
        error = STORE_LIMIT;
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS && error == STORE_OK; i++) {
        if (store->domains[i].identity == NULL)
            continue;
        error = store_identity_load(store->domains[i].identity, db);
        if (error == STORE_OK)
            error = tail_load(store, i);
    }
    return error == STORE_OK ? error : damaged(store, why, why_cap, error, db);
}

static struct store *free_all(struct store *store)
{
    store_batches_done(store);
    store_replies_free(store->replies);
    for (unsigned i = 1; i < STORE_DOMAIN_SLOTS; i++)
        store_identity_free(store->domains[i].identity);
    if (store->reader.db != NULL)
        store_reader_done(&store->reader);
    store_changes_done(&store->staged);
    EVP_MAC_CTX_free(store->mac);
    store_lock_drop(store->lock_fd);
    free(store->path);
    free(store);
    return NULL;
}

static void defaults(struct store_conf *conf)
{
    if (conf->names_max == 0)
        conf->names_max = NAMES_MAX_DEFAULT;
    if (conf->batches == 0)
        conf->batches = BATCHES_DEFAULT;
    if (conf->batches > STORE_BATCHES_MAX)
        conf->batches = STORE_BATCHES_MAX;
}

/* Half a copy and half a restore hold names that may be forgotten by now. */
static enum store_error sweep_halves(const struct store *store)
{
    enum store_error error = store_restore_sweep(store->path);
    if (error != STORE_OK || store->conf.backups == NULL)
        return error;
    char *part = store_backup_part(store->conf.backups);
    if (part == NULL)
        return STORE_LIMIT;
    unlink(part);
    free(part);
    return STORE_OK;
}

static enum store_error open_all(struct store *store, char *why, size_t why_cap)
{
    sqlite3 *writer = NULL;
    enum store_error error = STORE_OK;
    if (!store->conf.read_only) {
        error = store_lock_take(store->path, &store->lock_fd, why, why_cap);
        if (error == STORE_OK && sweep_halves(store) != STORE_OK)
            error = store_say(why, why_cap, STORE_LIMIT, "no memory");
        if (error == STORE_OK)
            error = open_writer(store, &writer, why, why_cap);
    }
    if (error == STORE_OK)
        error = open_reading(store, why, why_cap);
    if (error == STORE_OK && !store->conf.read_only) {
        error = store_batches_init(store);
        if (error == STORE_OK)
            error = store_journal_start(store, writer, why, why_cap);
        else
            store_say(why, why_cap, error, "no memory for the buffers");
    }
    if (error != STORE_OK && writer != NULL) {
        if (store->reader.db != NULL)
            store_reader_done(&store->reader);
        store_sql_abandon(writer);
    }
    return error;
}

enum store_error store_open(struct store **ret, const struct store_conf *conf, char *why,
                            size_t why_cap)
{
    if (conf->path == NULL || conf->path[0] == '\0' ||
        (!conf->read_only && conf->on_durable == NULL))
        return store_say(why, why_cap, STORE_USAGE, "a path and on_durable are needed");
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return store_say(why, why_cap, STORE_LIMIT, "no memory");
    store->conf = *conf;
    store->lock_fd = -1;
    defaults(&store->conf);
    store_random(&store->hash_key, sizeof store->hash_key);
    store->path = store_path_with(conf->path, "");
    store->conf.path = store->path;
    enum store_error error = store->path != NULL ? open_all(store, why, why_cap) : STORE_LIMIT;
    if (error != STORE_OK) {
        free_all(store);
        return error;
    }
    *ret = store;
    return STORE_OK;
}

struct store *store_close(struct store *store)
{
    if (store == NULL)
        return NULL;
    sqlite3 *reader = store->reader.db;
    assert(!store->reader.in_turn && reader != NULL);
    store_reader_done(&store->reader); /* first: the last checkpoint wants no reader */
    if (store->journal != NULL)
        store_journal_stop(store);
    return free_all(store);
}

/* ---- after a full disk ----------------------------------------------------------------------- */
static enum store_error domain_rollback(struct store *store, uint32_t number)
{
    struct store_domain_state *domain = &store->domains[number];
    struct store_position position = {0};
    enum store_error error = store_position_of(store->reader.db, number, &position);
    if (error == STORE_OK)
        error = store_identity_load(domain->identity, store->reader.db);
    if (error != STORE_OK) /* no memory is no limit of somebody's configuration */
        return error == STORE_CORRUPT ? error : STORE_IO;
    domain->last_seq = atomic_load(&domain->durable);
    domain->last_ms = position.when_ms;
    return STORE_OK;
}

enum store_error store_rollback(struct store *store)
{
    uint64_t durable[STORE_DOMAIN_SLOTS] = {0};
    enum store_error error = STORE_OK;
    store_journal_settle(store->journal);
    for (uint32_t i = 0; i < store->conf.batches; i++) {
        store_changes_clear(&store->batches[i].changes);
        store->batches[i].state = STORE_BATCH_FREE;
    }
    store_changes_clear(&store->staged);
    store_reader_look(store);
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS && error == STORE_OK; i++) {
        if (store->domains[i].identity == NULL)
            continue;
        durable[i] = atomic_load(&store->domains[i].durable);
        error = domain_rollback(store, i);
    }
    if (error == STORE_OK)
        store_replies_rollback(store->replies, durable);
    return error;
}

static enum store_error probe(struct store_journal *journal, sqlite3 *db, void *arg)
{
    (void)journal;
    (void)arg;
    int code = store_sql_run(db, "BEGIN IMMEDIATE;"
                                 "INSERT OR REPLACE INTO meta VALUES('probe', zeroblob(262144));"
                                 "COMMIT");
    if (code == SQLITE_OK)
        code = store_sql_run(db, "DELETE FROM meta WHERE key='probe'");
    enum store_error error = store_sql_error(db, code);
    if (sqlite3_get_autocommit(db) == 0)
        store_sql_run(db, "ROLLBACK");
    return error;
}

enum store_error store_probe(struct store *store)
{
    return store_journal_call(store->journal, probe, NULL);
}

/* ---- figures --------------------------------------------------------------------------------- */
void store_stats(struct store *store, struct store_stats *ret)
{
    struct store_counts *counts = &store->counts;
    struct stat file;
    *ret = (struct store_stats){
        .commits = atomic_load(&counts->commits),
        .rows = atomic_load(&counts->rows),
        .folded = atomic_load(&counts->folded),
        .wal_bytes = atomic_load(&counts->wal_bytes),
        .db_bytes = stat(store->path, &file) == 0 ? (uint64_t)file.st_size : 0,
        .names = atomic_load(&counts->names),
        .commit_us_last = atomic_load(&counts->commit_us_last),
        .fsync_us_ewma = atomic_load(&counts->fsync_us_ewma),
    };
}
