/* vfs.c - SQLite's files on the disk in memory. A power cut, a full disk, a failed sync reach
 * SQLite as the result codes that its own unix VFS would give.
 *
 *   connection ─ file ─┐                    locks     shared, reserved, pending, exclusive
 *   connection ─ file ─┴─► disk_file ─ extra┤
 *                                           shm       regions of 32 KiB, 8 locks (WAL index)
 *
 * Like unix, a new log is made to last in its folder with its first sync.
 */
#include "tests/crash/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/crash/disk.h"
#include "tests/crash/fail.h"

#define REGIONS_MAX 64

struct shared { /* of all connections to a file; disk.c frees it with the file */
    unsigned users;
    unsigned shared_count;
    const void *reserved, *pending, *exclusive;
    unsigned shm_users;
    void *regions[REGIONS_MAX];
    unsigned shm_shared[SQLITE_SHM_NLOCK];
    const void *shm_exclusive[SQLITE_SHM_NLOCK];
};

struct file {
    sqlite3_file base;
    struct disk_file *disk;
    struct shared *shared;
    char *remove; /* path, when it goes with its last user */
    int level;
    bool in_shm, sync_folder;
    uint16_t shm_shared, shm_exclusive; /* masks */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int last_error; /* errno of the last failure */

static int code_of(int error, int code)
{
    if (error == 0)
        return SQLITE_OK;
    last_error = error;
    return error == ENOSPC && code == SQLITE_IOERR_WRITE ? SQLITE_FULL : code;
}

/* ---- bytes ----------------------------------------------------------------------------------- */
static int file_close(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    pthread_mutex_lock(&lock);
    file->shared->users--;
    pthread_mutex_unlock(&lock);
    disk_close(file->disk);
    if (file->remove != NULL)
        (void)disk_remove(file->remove);
    free(file->remove);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int len, sqlite3_int64 at)
{
    struct file *file = (struct file *)base;
    size_t got = 0;
    int error = disk_read(file->disk, out, (size_t)len, (uint64_t)at, &got);
    if (error != 0)
        return code_of(error, SQLITE_IOERR_READ);
    if (got == (size_t)len)
        return SQLITE_OK;
    memset((char *)out + got, 0, (size_t)len - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
    struct file *file = (struct file *)base;
    size_t wrote = 0;
    int error = disk_write(file->disk, bytes, (size_t)len, (uint64_t)at, &wrote);
    return code_of(error, SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 len)
{
    struct file *file = (struct file *)base;
    return code_of(disk_truncate(file->disk, (uint64_t)len), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct file *file = (struct file *)base;
    (void)flags;
    int error = disk_sync(file->disk);
    if (error != 0)
        return code_of(error, SQLITE_IOERR_FSYNC);
    if (file->sync_folder)
        (void)disk_sync_folder(); /* unix does not look at the outcome either */
    file->sync_folder = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)disk_size(((struct file *)base)->disk);
    return SQLITE_OK;
}

/* ---- locks ----------------------------------------------------------------------------------- */
/* With the lock. False: busy. */
static bool may_lock(struct file *file, int level)
{
    struct shared *s = file->shared;
    if (level == SQLITE_LOCK_SHARED)
        return (s->pending == NULL || s->pending == file) && s->exclusive == NULL;
    if (level == SQLITE_LOCK_RESERVED)
        return s->reserved == NULL || s->reserved == file;
    if ((s->pending != NULL && s->pending != file) || (s->reserved != NULL && s->reserved != file))
        return false;
    s->pending = file;
    return s->shared_count == 1; /* else it stays pending, as with unix */
}

static int file_lock(sqlite3_file *base, int level)
{
    struct file *file = (struct file *)base;
    if (file->level >= level)
        return SQLITE_OK;
    pthread_mutex_lock(&lock);
    bool may = may_lock(file, level);
    if (may) {
        if (level == SQLITE_LOCK_SHARED)
            file->shared->shared_count++;
        else if (level == SQLITE_LOCK_RESERVED)
            file->shared->reserved = file;
        else
            file->shared->exclusive = file;
        file->level = level;
    }
    pthread_mutex_unlock(&lock);
    return may ? SQLITE_OK : SQLITE_BUSY;
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct file *file = (struct file *)base;
    struct shared *s = file->shared;
    pthread_mutex_lock(&lock);
    if (s->reserved == file)
        s->reserved = NULL;
    if (s->pending == file)
        s->pending = NULL;
    if (s->exclusive == file)
        s->exclusive = NULL;
    if (level == SQLITE_LOCK_NONE && file->level > SQLITE_LOCK_NONE)
        s->shared_count--;
    if (file->level > level)
        file->level = level;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *ret)
{
    struct file *file = (struct file *)base;
    pthread_mutex_lock(&lock);
    *ret = file->shared->reserved != NULL || file->shared->exclusive != NULL;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int what, void *arg)
{
    (void)base;
    (void)what;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- the shared memory of the log ------------------------------------------------------------ */
static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret)
{
    struct file *file = (struct file *)base;
    struct shared *s = file->shared;
    if (region >= REGIONS_MAX)
        return SQLITE_IOERR_SHMMAP;
    pthread_mutex_lock(&lock);
    if (!file->in_shm) {
        file->in_shm = true;
        s->shm_users++;
    }
    if (s->regions[region] == NULL && extend != 0)
        s->regions[region] = memset(fail_not_realloc(NULL, (size_t)size), 0, (size_t)size);
    *ret = s->regions[region];
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

/* With the lock: whether somebody else is in the way. */
static bool shm_busy(const struct file *file, int slot, bool exclusive)
{
    const struct shared *s = file->shared;
    unsigned own = (file->shm_shared >> slot & 1u) != 0 ? 1 : 0;
    if (s->shm_exclusive[slot] != NULL && s->shm_exclusive[slot] != file)
        return true;
    return exclusive && s->shm_shared[slot] > own;
}

static void shm_take(struct file *file, int slot, bool exclusive)
{
    uint16_t bit = (uint16_t)(1u << slot);
    if (exclusive) {
        file->shared->shm_exclusive[slot] = file;
        file->shm_exclusive |= bit;
    } else if ((file->shm_shared & bit) == 0) {
        file->shared->shm_shared[slot]++;
        file->shm_shared |= bit;
    }
}

static void shm_drop(struct file *file, int slot)
{
    uint16_t bit = (uint16_t)(1u << slot);
    if ((file->shm_exclusive & bit) != 0)
        file->shared->shm_exclusive[slot] = NULL;
    if ((file->shm_shared & bit) != 0)
        file->shared->shm_shared[slot]--;
    file->shm_exclusive &= (uint16_t)~bit;
    file->shm_shared &= (uint16_t)~bit;
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags)
{
    struct file *file = (struct file *)base;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0, busy = false;
    pthread_mutex_lock(&lock);
    for (int i = first; i < first + count && (flags & SQLITE_SHM_LOCK) != 0; i++)
        busy = busy || shm_busy(file, i, exclusive);
    for (int i = first; i < first + count && !busy; i++) {
        if ((flags & SQLITE_SHM_LOCK) != 0)
            shm_take(file, i, exclusive);
        else
            shm_drop(file, i);
    }
    pthread_mutex_unlock(&lock);
    return busy ? SQLITE_BUSY : SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base)
{
    (void)base;
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static int shm_unmap(sqlite3_file *base, int remove)
{
    struct file *file = (struct file *)base;
    struct shared *s = file->shared;
    (void)remove;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        shm_drop(file, i);
    if (file->in_shm && --s->shm_users == 0)
        for (unsigned i = 0; i < REGIONS_MAX; i++) {
            free(s->regions[i]);
            s->regions[i] = NULL;
        }
    file->in_shm = false;
    pthread_mutex_unlock(&lock);
    return SQLITE_OK;
}

/* ---- the file system ------------------------------------------------------------------------- */
static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector,
                                           .xDeviceCharacteristics = file_traits,
                                           .xShmMap = shm_map,
                                           .xShmLock = shm_lock,
                                           .xShmBarrier = shm_barrier,
                                           .xShmUnmap = shm_unmap};

static struct shared *shared_of(struct disk_file *disk)
{
    void **extra = disk_extra(disk);
    pthread_mutex_lock(&lock);
    if (*extra == NULL)
        *extra = memset(fail_not_realloc(NULL, sizeof(struct shared)), 0, sizeof(struct shared));
    struct shared *shared = *extra;
    shared->users++;
    pthread_mutex_unlock(&lock);
    return shared;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *ret)
{
    struct file *file = (struct file *)base;
    (void)vfs;
    memset(file, 0, sizeof *file);
    if (path == NULL) {
        file->disk = disk_temporary();
    } else {
        bool make = (flags & SQLITE_OPEN_CREATE) != 0 && !disk_has(path);
        int how = (flags & SQLITE_OPEN_CREATE) != 0 ? O_CREAT : 0;
        how |= (flags & SQLITE_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0;
        int error = disk_open(path, how, &file->disk);
        if (error != 0)
            return code_of(error, SQLITE_CANTOPEN);
        file->sync_folder = make && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
        if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
            file->remove = fail_not_realloc(NULL, strlen(path) + 1);
            memcpy(file->remove, path, strlen(path) + 1);
        }
    }
    file->shared = shared_of(file->disk);
    file->base.pMethods = &methods;
    if (ret != NULL)
        *ret = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    int error = disk_remove(path);
    if (error != 0)
        return code_of(error, error == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE);
    return sync_folder == 0 ? SQLITE_OK : code_of(disk_sync_folder(), SQLITE_IOERR_DIR_FSYNC);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
    (void)vfs;
    (void)flags;
    *ret = disk_has(path);
    return SQLITE_OK;
}

static int vfs_path(sqlite3_vfs *vfs, const char *path, int len, char *ret)
{
    (void)vfs;
    return snprintf(ret, (size_t)len, "%s", path) < len ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_random(sqlite3_vfs *vfs, int len, char *ret)
{
    (void)vfs;
    memset(ret, 7, (size_t)len); /* the same salts in each run */
    return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
    (void)vfs;
    *ret = 2458624.5;
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *vfs, int len, char *ret)
{
    (void)vfs;
    (void)len;
    (void)ret;
    return last_error;
}

void vfs_install(void)
{
    static sqlite3_vfs ours = {.iVersion = 1,
                               .szOsFile = sizeof(struct file),
                               .mxPathname = 256,
                               .zName = "crash",
                               .xOpen = vfs_open,
                               .xDelete = vfs_delete,
                               .xAccess = vfs_access,
                               .xFullPathname = vfs_path,
                               .xRandomness = vfs_random,
                               .xSleep = vfs_sleep,
                               .xCurrentTime = vfs_time,
                               .xGetLastError = vfs_error};
    if (sqlite3_vfs_register(&ours, 1) != SQLITE_OK)
        abort();
}
