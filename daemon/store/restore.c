/* restore.c - a backup takes the place of a database that no daemon holds.
 *
 *   backup ──copy──► tide.db.restoring ── whole? ours? ── forget again ── incarnation + 1
 *                                                                              │ fsync
 *   tide.db: its log taken in and emptied (else it would be read into the new file) ◄── rename
 *
 * The incarnation is one above whatever either file had: replies, notices and retained messages
 * carry it, so that clients see that time went back. It is also kept in a file of its own
 * (tide.db.incarnation): a database that was lost or damaged after a restore cannot tell that there
 * was one, and the same backup would give the same numbers a second time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store/internal.h"

#define COPY_BYTES (1u << 20)

static enum store_error copy_bytes(int from, int to)
{
    char *buffer = malloc(COPY_BYTES);
    if (buffer == NULL)
        return STORE_LIMIT;
    enum store_error error = STORE_OK;
    for (;;) {
        ssize_t got = read(from, buffer, COPY_BYTES);
        if (got == 0)
            break;
        if (got < 0 || write(to, buffer, (size_t)got) != got) {
            error = errno == ENOSPC ? STORE_FULL : STORE_IO;
            break;
        }
    }
    free(buffer);
    return error;
}

static enum store_error copy_file(const char *from_path, const char *to_path, char *why,
                                  size_t why_cap)
{
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return store_say(why, why_cap, STORE_USAGE, "cannot read %s: %s", from_path,
                         strerror(errno));
    unlink(to_path);
    int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum store_error error = to < 0 ? STORE_IO : copy_bytes(from, to);
    close(from);
    if (to >= 0)
        close(to);
    if (error != STORE_OK)
        store_say(why, why_cap, error, "cannot copy %s to %s: %s", from_path, to_path,
                  strerror(errno));
    return error;
}

/* The incarnation of the database that is there; 0 when there is none that can be read. Its log
 * goes into its file, so that none is left beside the new one: until the new one stands in its
 * place, the old one is whole. */
static enum store_error settle_old(const char *path, int64_t *ret)
{
    int64_t incarnation = 0;
    sqlite3 *db = NULL;
    if (access(path, F_OK) != 0 || store_sql_open(&db, path, STORE_SQL_WRITER) != STORE_OK)
        return STORE_OK;
    if (!store_meta_number(db, "incarnation", &incarnation))
        incarnation = 0;
    int code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    enum store_error error = code == SQLITE_BUSY ? STORE_OK : store_sql_error(db, code);
    store_sql_abandon(db);
    *ret = incarnation;
    return error == STORE_CORRUPT ? STORE_OK : error; /* what is damaged is given up */
}

/* The incarnation of the last restore, when the database itself can no longer tell; 0: none. */
static int64_t read_kept(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    long long kept = len > 0 ? strtoll(text, NULL, 10) : 0;
    return kept > 0 && kept < INT32_MAX ? kept : 0;
}

/* Over the old number, of one length, in one sector: a crash leaves the one or the other. */
static enum store_error write_kept(const char *path, int64_t incarnation)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%010lld\n", (long long)incarnation);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return STORE_IO;
    bool written = pwrite(fd, text, (size_t)len, 0) == len && fsync(fd) == 0;
    close(fd);
    return written ? STORE_OK : STORE_IO;
}

static enum store_error examine(sqlite3 *db, const char *backup_path, char *why, size_t why_cap)
{
    int64_t id = 0;
    enum store_error error = store_sql_ask(db, "PRAGMA application_id", &id);
    if (error != STORE_OK)
        return store_say(why, why_cap, error, "%s cannot be read", backup_path);
    if (id != STORE_APPLICATION_ID)
        return store_say(why, why_cap, STORE_USAGE, "%s is not a Tide database", backup_path);
    char fault[256];
    if (!store_sql_is_whole(db, fault, sizeof fault))
        return store_say(why, why_cap, STORE_CORRUPT, "%s is damaged: %s", backup_path, fault);
    return store_schema_migrate(db, why, why_cap);
}

/* Forgets again and raises the incarnation: *incarnation is the highest known, then the new. */
static enum store_error renew(sqlite3 *db, const char *list_path, int64_t *incarnation,
                              uint64_t *ret_forgotten)
{
    int64_t copied = 0;
    if (!store_meta_number(db, "incarnation", &copied)) {
        enum store_error read = store_sql_error(db, sqlite3_extended_errcode(db));
        return read != STORE_OK ? read : STORE_CORRUPT;
    }
    *incarnation = (copied > *incarnation ? copied : *incarnation) + 1;
    int code = store_sql_run(db, "BEGIN IMMEDIATE");
    enum store_error error = store_sql_error(db, code);
    if (error == STORE_OK)
        error = store_namerows_reapply(db, list_path, ret_forgotten);
    if (error == STORE_OK)
        error = store_sql_error(db, store_meta_put_number(db, "incarnation", *incarnation));
    if (error == STORE_OK)
        error = store_sql_error(db, store_sql_run(db, "COMMIT"));
    if (sqlite3_get_autocommit(db) == 0)
        store_sql_run(db, "ROLLBACK");
    if (error == STORE_OK && *ret_forgotten > 0)
        error = store_namerows_scrub(db);
    return error;
}

static enum store_error prepare(const char *part, const char *list, const char *backup_path,
                                int64_t *incarnation, char *why, size_t why_cap,
                                uint64_t *ret_forgotten)
{
    sqlite3 *db = NULL;
    enum store_error error = store_sql_open(&db, part, STORE_SQL_WRITER);
    if (error != STORE_OK)
        return store_say(why, why_cap, error, "%s cannot be opened as a database", backup_path);
    error = examine(db, backup_path, why, why_cap);
    if (error == STORE_OK) {
        error = renew(db, list, incarnation, ret_forgotten);
        if (error != STORE_OK)
            store_say(why, why_cap, error, "the copy of %s cannot be brought up to date: %s",
                      backup_path, sqlite3_errmsg(db));
    }
    int code = SQLITE_OK;
    if (error == STORE_OK)
        code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code != SQLITE_OK)
        error = store_say(why, why_cap, STORE_IO, "the copy of %s cannot be finished", backup_path);
    if (error == STORE_OK)
        store_sql_close(db);
    else
        store_sql_abandon(db);
    return error;
}

struct paths {
    char *part, *part_wal, *part_shm, *list, *kept, *wal, *shm;
};

static enum store_error replace(const struct paths *paths, const char *path)
{
    enum store_error error = store_path_sync(paths->part);
    if (error != STORE_OK)
        return error;
    if ((unlink(paths->wal) != 0 && errno != ENOENT) ||
        (unlink(paths->shm) != 0 && errno != ENOENT) || rename(paths->part, path) != 0)
        return STORE_IO;
    return store_path_sync_folder(path);
}

static void sweep(const struct paths *paths)
{
    unlink(paths->part);
    unlink(paths->part_wal);
    unlink(paths->part_shm);
}

static enum store_error restore(const struct paths *paths, const char *backup_path,
                                const char *path, char *why, size_t why_cap)
{
    uint64_t forgotten = 0;
    sweep(paths); /* of a restore that was cut short */
    enum store_error error = copy_file(backup_path, paths->part, why, why_cap);
    int64_t incarnation = 0;
    if (error == STORE_OK && (error = settle_old(path, &incarnation)) != STORE_OK)
        store_say(why, why_cap, error,
                  "the log of %s cannot be taken in; move both away to give them up", path);
    if (error == STORE_OK) {
        int64_t kept = read_kept(paths->kept);
        incarnation = kept > incarnation ? kept : incarnation;
        error =
            prepare(paths->part, paths->list, backup_path, &incarnation, why, why_cap, &forgotten);
        if (error == STORE_OK && write_kept(paths->kept, incarnation) != STORE_OK)
            error = store_say(why, why_cap, STORE_IO, "%s cannot be written", paths->kept);
    }
    if (error == STORE_OK) {
        error = replace(paths, path);
        store_say(why, why_cap, error,
                  error == STORE_OK ? "%s restored; %llu names forgotten again"
                                    : "%s cannot be replaced (%llu names were forgotten again)",
                  path, (unsigned long long)forgotten);
    }
    if (error != STORE_OK)
        sweep(paths);
    return error;
}

static void paths_done(struct paths *paths)
{
    free(paths->part);
    free(paths->part_wal);
    free(paths->part_shm);
    free(paths->list);
    free(paths->kept);
    free(paths->wal);
    free(paths->shm);
}

static bool paths_init(struct paths *paths, const char *path)
{
    *paths = (struct paths){.part = store_path_with(path, ".restoring"),
                            .part_wal = store_path_with(path, ".restoring-wal"),
                            .part_shm = store_path_with(path, ".restoring-shm"),
                            .list = store_path_with(path, ".forgotten"),
                            .kept = store_path_with(path, ".incarnation"),
                            .wal = store_path_with(path, "-wal"),
                            .shm = store_path_with(path, "-shm")};
    return paths->part != NULL && paths->part_wal != NULL && paths->part_shm != NULL &&
           paths->list != NULL && paths->kept != NULL && paths->wal != NULL && paths->shm != NULL;
}

enum store_error store_restore_sweep(const char *path)
{
    struct paths paths;
    bool room = paths_init(&paths, path);
    if (room)
        sweep(&paths);
    paths_done(&paths);
    return room ? STORE_OK : STORE_LIMIT;
}

enum store_error store_restore(const char *backup_path, const char *path, char *why, size_t why_cap)
{
    int lock = -1;
    enum store_error error = store_lock_take(path, &lock, why, why_cap);
    if (error != STORE_OK)
        return error;
    struct paths paths;
    if (paths_init(&paths, path))
        error = restore(&paths, backup_path, path, why, why_cap);
    else
        error = store_say(why, why_cap, STORE_LIMIT, "no memory");
    paths_done(&paths);
    store_lock_drop(lock);
    return error;
}
