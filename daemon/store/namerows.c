/* namerows.c - names in the database, and the list of the forgotten beside it.
 *
 *   loop: make, set, forget ──► store->staged ──► batch.changes ──► here, with the journal rows
 *
 *   tide.db.forgotten:   1 home plate 17 9f2c...   one line a name that must not come back:
 *                        version, domain, kind, id, SHA-256 of its salt
 *
 * A salt is made with a name and goes with it; its hash tells nothing, but finds the same name in
 * an older backup, and not another name that got the same id after a restore. The list is on disk
 * before the deletion is, so that no crash can lose a line.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store/internal.h"

/* ---- changes on their way -------------------------------------------------------------------- */
void store_changes_clear(struct store_changes *changes)
{
    if (changes->text_len > 0)
        explicit_bzero(changes->text, changes->text_len);
    changes->text_len = 0;
    changes->count = 0;
    changes->lost = false;
}

void store_changes_done(struct store_changes *changes)
{
    store_changes_clear(changes);
    free(changes->items);
    free(changes->text);
    memset(changes, 0, sizeof *changes);
}

bool store_changes_add(struct store_changes *changes, const struct store_change *change,
                       const char *text)
{
    if (changes->count == changes->cap) {
        uint32_t cap = changes->cap == 0 ? 64 : changes->cap * 2;
        struct store_change *items = realloc(changes->items, cap * sizeof *items);
        if (items == NULL)
            return false;
        changes->items = items;
        changes->cap = cap;
    }
    if (changes->text_cap - changes->text_len < change->len) {
        size_t cap = (changes->text_cap + change->len) * 2;
        char *bytes = realloc(changes->text, cap);
        if (bytes == NULL)
            return false;
        changes->text = bytes;
        changes->text_cap = cap;
    }
    struct store_change *item = &changes->items[changes->count++];
    *item = *change;
    item->text_at = changes->text_len;
    if (change->len > 0)
        memcpy(changes->text + changes->text_len, text, change->len);
    changes->text_len += change->len;
    return true;
}

/* ---- the list -------------------------------------------------------------------------------- */
/* A crash may have cut the last line: what comes next begins on a line of its own. */
static int list_open(const char *path)
{
    char last = '\n';
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n' && write(fd, "\n", 1) != 1) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Adds a whole line or nothing. */
static enum store_error list_write(int fd, const char *line, size_t len)
{
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t wrote = write(fd, line, len);
    if (wrote == (ssize_t)len)
        return STORE_OK;
    if (wrote > 0 && (end < 0 || ftruncate(fd, end) != 0))
        return STORE_IO;
    return wrote > 0 || errno == ENOSPC || errno == EDQUOT ? STORE_FULL : STORE_IO;
}

/* ---- statements ------------------------------------------------------------------------------ */
enum store_error store_namerows_init(struct store_namerows *rows, sqlite3 *db, const char *path)
{
    memset(rows, 0, sizeof *rows);
    rows->db = db;
    rows->list_fd = -1;
    char *list = store_path_with(path, ".forgotten");
    if (list == NULL)
        return STORE_LIMIT;
    rows->list_fd = list_open(list);
    free(list);
    rows->make = store_sql_prepare(db, "INSERT INTO name(domain, kind, id, text, salt, forget_at)"
                                       " VALUES(?1,?2,?3,?4,?5,?6)");
    rows->set = store_sql_prepare(db, "INSERT INTO name(domain, kind, id, text, salt, forget_at)"
                                      " VALUES(?1,?2,?3,?4,?5,?6)"
                                      " ON CONFLICT DO UPDATE SET text=excluded.text");
    rows->keep =
        store_sql_prepare(db, "UPDATE name SET forget_at=?4 WHERE domain=?1 AND kind=?2 AND id=?3");
    rows->salt =
        store_sql_prepare(db, "SELECT salt FROM name WHERE domain=?1 AND kind=?2 AND id=?3");
    rows->forget = store_sql_prepare(db, "DELETE FROM name WHERE domain=?1 AND kind=?2 AND id=?3");
    rows->next = store_sql_prepare(db, "INSERT INTO name_next(domain, kind, next) VALUES(?1,?2,?3)"
                                       " ON CONFLICT DO UPDATE SET next=max(next, excluded.next)");
    if (rows->list_fd >= 0 && rows->make != NULL && rows->set != NULL && rows->keep != NULL &&
        rows->salt != NULL && rows->forget != NULL && rows->next != NULL)
        return STORE_OK;
    enum store_error error = store_sql_error(db, sqlite3_extended_errcode(db));
    store_namerows_done(rows);
    return error != STORE_OK ? error : STORE_IO;
}

void store_namerows_done(struct store_namerows *rows)
{
    sqlite3_stmt **const all[] = {&rows->make, &rows->set,    &rows->keep,
                                  &rows->salt, &rows->forget, &rows->next};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = store_sql_finalize(*all[i]);
    if (rows->list_fd >= 0)
        close(rows->list_fd);
    rows->list_fd = -1;
}

/* ---- writing --------------------------------------------------------------------------------- */
static void bind_key(sqlite3_stmt *statement, const struct store_change *change)
{
    sqlite3_bind_int64(statement, 1, change->domain);
    sqlite3_bind_int64(statement, 2, change->kind);
    sqlite3_bind_int64(statement, 3, change->id);
}

static void draw_salt(struct store_namerows *rows, uint8_t ret[16])
{
    if (rows->salts_left == 0) {
        store_random(rows->salts, sizeof rows->salts);
        rows->salts_left = sizeof rows->salts / 16;
    }
    uint8_t *salt = rows->salts + 16 * (size_t)--rows->salts_left;
    memcpy(ret, salt, 16);
    explicit_bzero(salt, 16);
}

static int write_text(struct store_namerows *rows, sqlite3_stmt *statement,
                      const struct store_change *change, const char *text)
{
    uint8_t salt[16];
    draw_salt(rows, salt);
    bind_key(statement, change);
    sqlite3_bind_text(statement, 4, text, change->len, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 5, salt, sizeof salt, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 6, change->forget_at);
    return store_sql_once(statement);
}

static void hex(const uint8_t *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
}

static enum store_error list_add(struct store_namerows *rows, const char *domain,
                                 const struct store_change *change, const uint8_t *salt,
                                 size_t salt_len)
{
    uint8_t digest[32];
    char text[65], line[256];
    store_sha256(salt, salt_len, digest);
    hex(digest, sizeof digest, text);
    const char *kind = tide_enum_name(TIDE_ENUM_FIELD_TYPE(name_kind), change->kind);
    assert(kind != NULL);
    int len = snprintf(line, sizeof line, "1 %s %s %u %s\n", domain, kind, change->id, text);
    assert(len > 0 && (size_t)len < sizeof line);
    return list_write(rows->list_fd, line, (size_t)len);
}

static enum store_error forget(struct store_namerows *rows, const char *domain,
                               const struct store_change *change)
{
    enum store_error error = STORE_OK;
    bind_key(rows->salt, change);
    int code = sqlite3_step(rows->salt);
    if (code == SQLITE_ROW)
        error = list_add(rows, domain, change, sqlite3_column_blob(rows->salt, 0),
                         (size_t)sqlite3_column_bytes(rows->salt, 0));
    sqlite3_reset(rows->salt);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? STORE_OK : store_sql_error(rows->db, code);
    if (error != STORE_OK)
        return error;
    bind_key(rows->forget, change);
    return store_sql_error(rows->db, store_sql_once(rows->forget));
}

static enum store_error write_change(struct store_namerows *rows, const char *domain,
                                     const struct store_changes *changes,
                                     const struct store_change *change)
{
    int code = SQLITE_OK;
    const char *text = changes->text != NULL ? changes->text + change->text_at : "";
    switch ((enum store_change_op)change->op) {
    case STORE_CHANGE_MAKE:
        code = write_text(rows, rows->make, change, text);
        if (code == SQLITE_OK) {
            sqlite3_bind_int64(rows->next, 1, change->domain);
            sqlite3_bind_int64(rows->next, 2, change->kind);
            sqlite3_bind_int64(rows->next, 3, (int64_t)change->id + 1);
            code = store_sql_once(rows->next);
        }
        break;
    case STORE_CHANGE_SET:
        code = write_text(rows, rows->set, change, text);
        break;
    case STORE_CHANGE_KEEP:
        bind_key(rows->keep, change);
        sqlite3_bind_int64(rows->keep, 4, change->forget_at);
        code = store_sql_once(rows->keep);
        break;
    case STORE_CHANGE_FORGET:
        return forget(rows, domain, change);
    }
    return store_sql_error(rows->db, code);
}

enum store_error store_namerows_write(struct store_namerows *rows, const struct store *store,
                                      const struct store_changes *changes, bool *ret_wipe)
{
    bool forgot = false, corrected = false;
    if (changes->lost)
        return STORE_IO;
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct store_change *change = &changes->items[i];
        enum store_error error =
            write_change(rows, store->domains[change->domain].name, changes, change);
        if (error != STORE_OK)
            return error;
        forgot = forgot || change->op == STORE_CHANGE_FORGET;
        corrected = corrected || change->op == STORE_CHANGE_SET;
    }
    if (forgot && fdatasync(rows->list_fd) != 0)
        return STORE_IO;
    *ret_wipe = forgot || corrected;
    return STORE_OK;
}

/* ---- leaving nothing behind ------------------------------------------------------------------ */
/* secure_delete wipes what is deleted, but when SQLite shares out rows between pages it leaves
 * copies of moved rows in the gaps. Writing the table anew frees all its pages, and freed pages
 * are wiped. The rows stand in memory meanwhile (temp_store=MEMORY). */
static const char scrub[] = "CREATE TEMP TABLE kept AS SELECT * FROM name;"
                            "DELETE FROM name;"
                            "INSERT INTO name SELECT domain, kind, id, text, salt, forget_at"
                            "  FROM kept ORDER BY domain, kind, id;"
                            "DROP TABLE temp.kept;"
                            "DELETE FROM meta WHERE key='" STORE_META_WIPE "';";

enum store_error store_namerows_scrub(sqlite3 *db)
{
    int code = store_sql_run(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = store_sql_run(db, scrub);
    if (code == SQLITE_OK)
        code = store_sql_run(db, "COMMIT");
    enum store_error error = store_sql_error(db, code);
    if (code != SQLITE_OK && sqlite3_get_autocommit(db) == 0)
        store_sql_run(db, "ROLLBACK");
    return error;
}

/* ---- forgetting again, after a restore ------------------------------------------------------- */
struct listed {
    char domain[TIDE_NAME_BYTES_MAX + 1], kind[32], id_text[12], digest[65];
    uint32_t id;
};

static bool read_line(const char *line, struct listed *ret)
{
    if (sscanf(line, "1 %64s %31s %10[0-9] %64[0-9a-f]", ret->domain, ret->kind, ret->id_text,
               ret->digest) != 4)
        return false;
    ret->id = (uint32_t)strtoul(ret->id_text, NULL, 10);
    return true;
}

static bool same_salt(const void *salt, size_t len, const char *expected)
{
    uint8_t digest[32];
    char text[65];
    store_sha256(salt, len, digest);
    hex(digest, sizeof digest, text);
    return strcmp(text, expected) == 0;
}

static int reapply_one(sqlite3_stmt *salt, sqlite3_stmt *drop, const struct listed *listed,
                       uint64_t *count)
{
    int kind = tide_enum_value(TIDE_ENUM_FIELD_TYPE(name_kind), listed->kind, strlen(listed->kind));
    sqlite3_bind_text(salt, 1, listed->domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(salt, 2, kind);
    sqlite3_bind_int64(salt, 3, listed->id);
    int code = sqlite3_step(salt);
    bool found =
        code == SQLITE_ROW && same_salt(sqlite3_column_blob(salt, 1),
                                        (size_t)sqlite3_column_bytes(salt, 1), listed->digest);
    int64_t domain = found ? sqlite3_column_int64(salt, 0) : 0;
    sqlite3_reset(salt);
    if (!found)
        return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    sqlite3_bind_int64(drop, 1, domain);
    sqlite3_bind_int64(drop, 2, kind);
    sqlite3_bind_int64(drop, 3, listed->id);
    (*count)++;
    return store_sql_once(drop);
}

enum store_error store_namerows_reapply(sqlite3 *db, const char *list_path, uint64_t *ret_count)
{
    uint64_t count = 0;
    FILE *list = fopen(list_path, "re");
    if (list == NULL && errno != ENOENT)
        return STORE_IO; /* else the forgotten would be back */
    if (list == NULL) {
        *ret_count = 0;
        return STORE_OK; /* nobody was forgotten yet */
    }
    sqlite3_stmt *salt =
        store_sql_prepare(db, "SELECT domain, salt FROM name JOIN domain USING (domain)"
                              " WHERE domain.name=?1 AND kind=?2 AND id=?3");
    sqlite3_stmt *drop =
        store_sql_prepare(db, "DELETE FROM name WHERE domain=?1 AND kind=?2 AND id=?3");
    int code = salt != NULL && drop != NULL ? SQLITE_OK : sqlite3_extended_errcode(db);
    char line[256];
    struct listed listed;
    while (code == SQLITE_OK && fgets(line, sizeof line, list) != NULL)
        if (read_line(line, &listed)) /* a line cut by a crash names nobody */
            code = reapply_one(salt, drop, &listed, &count);
    store_sql_finalize(salt);
    store_sql_finalize(drop);
    bool failed = ferror(list) != 0;
    fclose(list);
    enum store_error error = store_sql_error(db, code);
    if (error == STORE_OK && failed)
        error = STORE_IO;
    if (error == STORE_OK)
        *ret_count = count;
    return error;
}
