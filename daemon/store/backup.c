/* backup.c - a copy of the database while it is in use.
 *
 *   loop: store_backup ──► journal thread: 64 pages between two transactions, again and again
 *                              │ done
 *                              ▼
 *                          a thread of its own: integrity_check, fsync, rename ──► journal: fn
 *
 * The copy grows under another name, one and the same in a folder, so that what a crash left is
 * found and removed by the next start; it gets its own only when it is whole and on disk. Writes of
 * the writer's connection reach a running copy by themselves (SQLite's backup interface).
 */
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/internal.h"

#define SLICE_PAGES 64

struct store_backup {
    struct store *store;
    char *path, *part; /* part: what grows */
    store_backup_fn *fn;
    void *arg;
    sqlite3 *to;
    sqlite3_backup *copy; /* NULL when all pages are there */
    pthread_t checker;
    bool checking;
    _Atomic bool checked;
    enum store_error error; /* the checker's until checked */
    uint64_t bytes;
};

static void free_backup(struct store_backup *backup)
{
    free(backup->path);
    free(backup->part);
    free(backup);
}

/* ---- checking -------------------------------------------------------------------------------- */
static enum store_error check(struct store_backup *backup)
{
    sqlite3 *db = NULL;
    struct stat file;
    enum store_error error = store_sql_open(&db, backup->part, STORE_SQL_SCRATCH);
    if (error != STORE_OK)
        return error;
    if (!store_sql_is_whole(db, NULL, 0))
        error = STORE_CORRUPT;
    store_sql_close(db);
    if (error == STORE_OK)
        error = store_path_sync(backup->part);
    if (error == STORE_OK && stat(backup->part, &file) == 0)
        backup->bytes = (uint64_t)file.st_size;
    if (error == STORE_OK && rename(backup->part, backup->path) != 0)
        error = STORE_IO;
    return error == STORE_OK ? store_path_sync_folder(backup->path) : error;
}

static void *checker(void *arg)
{
    struct store_backup *backup = arg;
    backup->error = check(backup);
    struct store_journal *journal = backup->store->journal;
    atomic_store(&backup->checked, true); /* from here on it is the journal thread's again */
    store_journal_wake(journal);
    return NULL;
}

static bool start_checker(struct store_backup *backup)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    backup->checking = pthread_create(&backup->checker, NULL, checker, backup) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return backup->checking;
}

/* ---- copying --------------------------------------------------------------------------------- */
static void end(struct store *store, enum store_error error)
{
    struct store_backup *backup = store->backup;
    store->backup = NULL;
    if (backup->copy != NULL)
        sqlite3_backup_finish(backup->copy);
    if (backup->to != NULL)
        store_sql_close(backup->to);
    if (error != STORE_OK)
        unlink(backup->part);
    if (backup->fn != NULL)
        backup->fn(backup->arg, error, backup->path, backup->bytes);
    free_backup(backup);
}

bool store_backup_slice(struct store *store)
{
    struct store_backup *backup = store->backup;
    if (backup == NULL)
        return false;
    if (backup->checking) {
        if (!atomic_load(&backup->checked))
            return false; /* the checker wakes the journal thread */
        pthread_join(backup->checker, NULL);
        end(store, backup->error);
        return true;
    }
    int code = sqlite3_backup_step(backup->copy, SLICE_PAGES);
    if (code == SQLITE_OK)
        return true;
    enum store_error error = store_sql_error(backup->to, code);
    if (code == SQLITE_DONE) {
        sqlite3_backup_finish(backup->copy);
        backup->copy = NULL;
        backup->to = store_sql_close(backup->to);
        if (start_checker(backup))
            return true;
        error = STORE_LIMIT;
    }
    end(store, error);
    return true;
}

void store_backup_stop(struct store *store)
{
    struct store_backup *backup = store->backup;
    if (backup == NULL)
        return;
    if (backup->checking) {
        pthread_join(backup->checker, NULL);
        end(store, backup->error);
        return;
    }
    end(store, STORE_USAGE);
}

static enum store_error begin(struct store_journal *journal, sqlite3 *db, void *arg)
{
    (void)journal;
    struct store_backup *backup = arg;
    if (backup->store->backup != NULL)
        return STORE_USAGE; /* one at a time */
    unlink(backup->part);
    int fd = open(backup->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return STORE_IO;
    close(fd);
    enum store_error error = store_sql_open(&backup->to, backup->part, STORE_SQL_SCRATCH);
    if (error == STORE_OK) {
        backup->copy = sqlite3_backup_init(backup->to, "main", db, "main");
        if (backup->copy == NULL)
            error = store_sql_error(backup->to, sqlite3_extended_errcode(backup->to));
    }
    if (error != STORE_OK) {
        if (backup->to != NULL)
            backup->to = store_sql_close(backup->to);
        unlink(backup->part);
        return error;
    }
    backup->store->backup = backup;
    return STORE_OK;
}

char *store_backup_part(const char *folder)
{
    return store_path_with(folder, "/.tide-copying");
}

static char *part_beside(const char *path)
{
    char *copy = store_path_with(path, "");
    char *part = copy != NULL ? store_backup_part(dirname(copy)) : NULL;
    free(copy);
    return part;
}

enum store_error store_backup(struct store *store, const char *path, store_backup_fn *fn, void *arg)
{
    struct store_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL || store->journal == NULL) {
        free(backup);
        return backup == NULL ? STORE_LIMIT : STORE_USAGE;
    }
    backup->store = store;
    backup->fn = fn;
    backup->arg = arg;
    backup->path = store_path_with(path, "");
    backup->part = part_beside(path);
    enum store_error error = STORE_LIMIT;
    if (backup->path != NULL && backup->part != NULL)
        error = store_journal_call(store->journal, begin, backup);
    if (error != STORE_OK)
        free_backup(backup);
    return error;
}
