/* libc.c - see libc.h. Descriptors of the disk in memory are numbers from FIRST_FD on. */
#include "tests/crash/libc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/crash/disk.h"
#include "tests/crash/fail.h"

#define FIRST_FD 100000
#define FDS_MAX 32
#define REAL_START_S 1558310400 /* 2019-05-20 */

struct open_file {
    struct disk_file *file; /* NULL with folder: the folder itself */
    uint64_t at;
    bool used, folder, append, locked;
};

static struct open_file files[FDS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)
WRAP(int, open, const char *path, int flags, ...);
WRAP(int, close, int fd);
WRAP(ssize_t, read, int fd, void *out, size_t len);
WRAP(ssize_t, write, int fd, const void *bytes, size_t len);
WRAP(ssize_t, pread, int fd, void *out, size_t len, off_t at);
WRAP(ssize_t, pwrite, int fd, const void *bytes, size_t len, off_t at);
WRAP(off_t, lseek, int fd, off_t at, int from);
WRAP(int, ftruncate, int fd, off_t len);
WRAP(int, fsync, int fd);
WRAP(int, fdatasync, int fd);
WRAP(int, flock, int fd, int how);
WRAP(int, rename, const char *from, const char *to);
WRAP(int, unlink, const char *path);
WRAP(int, access, const char *path, int how);
WRAP(int, stat, const char *path, struct stat *ret);
WRAP(FILE *, fopen, const char *path, const char *how);
WRAP(int, clock_gettime, clockid_t id, struct timespec *ret);
WRAP(int, nanosleep, const struct timespec *time, struct timespec *left);
WRAP(int, pthread_cond_timedwait, pthread_cond_t *wake, pthread_mutex_t *with,
     const struct timespec *until);

static int fails(int error)
{
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

static struct open_file *of(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + FDS_MAX ? &files[fd - FIRST_FD] : NULL;
}

/* ---- files ----------------------------------------------------------------------------------- */
static int take_fd(struct open_file open)
{
    pthread_mutex_lock(&lock);
    unsigned i = 0;
    while (i < FDS_MAX && files[i].used)
        i++;
    if (i == FDS_MAX)
        abort(); /* somebody does not close */
    files[i] = open;
    files[i].used = true;
    pthread_mutex_unlock(&lock);
    return FIRST_FD + (int)i;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!disk_owns(path))
        return __real_open(path, flags, mode);
    struct open_file open = {.append = (flags & O_APPEND) != 0};
    open.folder = strcmp(path, DISK_FOLDER) == 0;
    int error = open.folder ? 0 : disk_open(path, flags, &open.file);
    return error != 0 ? fails(error) : take_fd(open);
}

int __wrap_close(int fd)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_close(fd);
    if (!open->folder)
        disk_close(open->file);
    pthread_mutex_lock(&lock);
    memset(open, 0, sizeof *open);
    pthread_mutex_unlock(&lock);
    return 0;
}

ssize_t __wrap_pread(int fd, void *out, size_t len, off_t at)
{
    struct open_file *open = of(fd);
    size_t got = 0;
    if (open == NULL)
        return __real_pread(fd, out, len, at);
    int error = disk_read(open->file, out, len, (uint64_t)at, &got);
    return error != 0 ? fails(error) : (ssize_t)got;
}

ssize_t __wrap_read(int fd, void *out, size_t len)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_read(fd, out, len);
    ssize_t got = __wrap_pread(fd, out, len, (off_t)open->at);
    open->at += got > 0 ? (uint64_t)got : 0;
    return got;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    struct open_file *open = of(fd);
    size_t wrote = 0;
    if (open == NULL)
        return __real_pwrite(fd, bytes, len, at);
    int error = disk_write(open->file, bytes, len, (uint64_t)at, &wrote);
    return error != 0 && wrote == 0 ? fails(error) : (ssize_t)wrote;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_write(fd, bytes, len);
    if (open->append)
        open->at = disk_size(open->file);
    ssize_t wrote = __wrap_pwrite(fd, bytes, len, (off_t)open->at);
    open->at += wrote > 0 ? (uint64_t)wrote : 0;
    return wrote;
}

off_t __wrap_lseek(int fd, off_t at, int from)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_lseek(fd, at, from);
    uint64_t base = from == SEEK_END ? disk_size(open->file) : from == SEEK_CUR ? open->at : 0;
    open->at = base + (uint64_t)at;
    return (off_t)open->at;
}

int __wrap_ftruncate(int fd, off_t len)
{
    struct open_file *open = of(fd);
    return open == NULL ? __real_ftruncate(fd, len)
                        : fails(disk_truncate(open->file, (uint64_t)len));
}

int __wrap_fsync(int fd)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_fsync(fd);
    return fails(open->folder ? disk_sync_folder() : disk_sync(open->file));
}

int __wrap_fdatasync(int fd)
{
    return of(fd) == NULL ? __real_fdatasync(fd) : __wrap_fsync(fd);
}

int __wrap_flock(int fd, int how)
{
    struct open_file *open = of(fd);
    if (open == NULL)
        return __real_flock(fd, how);
    for (unsigned i = 0; i < FDS_MAX; i++)
        if (files[i].used && files[i].locked && files[i].file == open->file)
            return fails(EWOULDBLOCK);
    open->locked = true;
    return 0;
}

/* ---- names ----------------------------------------------------------------------------------- */
int __wrap_rename(const char *from, const char *to)
{
    return disk_owns(from) ? fails(disk_rename(from, to)) : __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
    return disk_owns(path) ? fails(disk_remove(path)) : __real_unlink(path);
}

int __wrap_access(const char *path, int how)
{
    if (!disk_owns(path))
        return __real_access(path, how);
    return fails(disk_has(path) ? 0 : ENOENT);
}

int __wrap_stat(const char *path, struct stat *ret)
{
    if (!disk_owns(path))
        return __real_stat(path, ret);
    if (!disk_has(path))
        return fails(ENOENT);
    memset(ret, 0, sizeof *ret);
    ret->st_size = 4096;
    return 0;
}

/* Only for reading: a copy of what is there. */
FILE *__wrap_fopen(const char *path, const char *how)
{
    if (!disk_owns(path))
        return __real_fopen(path, how);
    int fd = __wrap_open(path, O_RDONLY);
    if (fd < 0)
        return NULL;
    size_t len = (size_t)__wrap_lseek(fd, 0, SEEK_END);
    char *bytes = fail_not_realloc(NULL, len + 1);
    ssize_t got = __wrap_pread(fd, bytes, len, 0);
    int error = errno;
    (void)__wrap_close(fd);
    FILE *file = got > 0    ? fmemopen(NULL, (size_t)got, "w+")
                 : got == 0 ? __real_fopen("/dev/null", "re")
                            : NULL;
    if (got > 0 && file != NULL) {
        (void)fwrite(bytes, 1, (size_t)got, file);
        rewind(file);
    }
    free(bytes);
    if (got < 0)
        errno = error;
    return file;
}

/* ---- time ------------------------------------------------------------------------------------ */
static _Atomic int64_t now_us;
static pthread_mutex_t nap_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nap_changed = PTHREAD_COND_INITIALIZER;
static uint64_t naps;
static bool asleep;

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int64_t us = atomic_load(&now_us);
    if (id == CLOCK_REALTIME)
        us += (int64_t)REAL_START_S * 1000000;
    else
        us += 3600LL * 1000000;
    *ret = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)time;
    (void)left;
    return 0;
}

/* The journal thread, until somebody wakes it: time does not pass by itself here. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *wake, pthread_mutex_t *with,
                                  const struct timespec *until)
{
    (void)until;
    pthread_mutex_lock(&nap_lock);
    asleep = true;
    naps++;
    pthread_cond_broadcast(&nap_changed);
    pthread_mutex_unlock(&nap_lock);
    int rc = pthread_cond_wait(wake, with);
    pthread_mutex_lock(&nap_lock);
    asleep = false;
    pthread_mutex_unlock(&nap_lock);
    return rc;
}

void clock_forward(int64_t us)
{
    atomic_fetch_add(&now_us, us);
}

void journal_sleeps(uint64_t naps_before)
{
    pthread_mutex_lock(&nap_lock);
    while (!asleep || naps <= naps_before)
        pthread_cond_wait(&nap_changed, &nap_lock);
    pthread_mutex_unlock(&nap_lock);
}

uint64_t journal_naps(void)
{
    pthread_mutex_lock(&nap_lock);
    uint64_t count = naps;
    pthread_mutex_unlock(&nap_lock);
    return count;
}
