/* disk.c - the thread behind disk.h.
 *
 * `asked` counts what was asked, `done` up to where it is finished; a flush waits for its own
 * count. A round takes everything that waits out of the shared struct and works on it unlocked.
 */
#include "clients/gateway/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETIRED_MAX 16
#define SAVES_MAX 80 /* the list, one file a camera, and some */

struct save {
    char *path;
    void *bytes;
    size_t len;
};

struct work {
    int dirty, folder; /* -1: none */
    int retired[RETIRED_MAX];
    unsigned retired_count;
    struct save saves[SAVES_MAX];
    unsigned save_count;
};

struct gw_disk {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;
    struct work work;
    uint64_t asked, done, failures;
    unsigned flushing;
    bool stop;
};

static const struct work no_work = {.dirty = -1, .folder = -1};

int gw_disk_replace(const char *path, const void *bytes, size_t len)
{
    char beside[4096], folder[4096];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    const char *slash = strrchr(path, '/');
    if (n < 0 || (size_t)n >= sizeof beside || slash == NULL) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    for (size_t at = 0; at < len;) {
        ssize_t written = write(fd, (const char *)bytes + at, len - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            goto failed;
        at += (size_t)written;
    }
    if (fdatasync(fd) != 0)
        goto failed;
    close(fd);
    if (rename(beside, path) != 0)
        return -1;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int fault = fsync(fd);
    close(fd);
    return fault;
failed:
    n = errno;
    close(fd);
    (void)unlink(beside);
    errno = n;
    return -1;
}

static unsigned carry_out(struct work *work)
{
    unsigned failures = 0;
    for (unsigned i = 0; i < work->retired_count; i++) {
        failures += fdatasync(work->retired[i]) != 0;
        close(work->retired[i]);
    }
    if (work->dirty >= 0)
        failures += fdatasync(work->dirty) != 0;
    if (work->folder >= 0)
        failures += fsync(work->folder) != 0;
    for (unsigned i = 0; i < work->save_count; i++) {
        struct save *save = &work->saves[i];
        failures += gw_disk_replace(save->path, save->bytes, save->len) != 0;
        free(save->path);
        free(save->bytes);
    }
    return failures;
}

/* Sleeps until 20 ms after the last round, or until somebody waits for this one. Locked. */
static void pace(struct gw_disk *disk, const struct timespec *not_before)
{
    while (!disk->stop && disk->flushing == 0)
        if (pthread_cond_timedwait(&disk->wake, &disk->lock, not_before) == ETIMEDOUT)
            return;
}

static void *rounds(void *arg)
{
    struct gw_disk *disk = arg;
    struct timespec not_before = {0};
    pthread_mutex_lock(&disk->lock);
    while (!disk->stop || disk->asked != disk->done) {
        if (disk->asked == disk->done) {
            pthread_cond_wait(&disk->wake, &disk->lock);
            continue;
        }
        pace(disk, &not_before);
        struct work work = disk->work;
        uint64_t upto = disk->asked;
        disk->work = no_work;
        pthread_mutex_unlock(&disk->lock);
        unsigned failures = carry_out(&work);
        clock_gettime(CLOCK_MONOTONIC, &not_before);
        not_before.tv_nsec += GW_DISK_SYNC_MS * 1000000L;
        if (not_before.tv_nsec >= 1000000000L) {
            not_before.tv_nsec -= 1000000000L;
            not_before.tv_sec++;
        }
        pthread_mutex_lock(&disk->lock);
        disk->failures += failures;
        disk->done = upto;
        pthread_cond_broadcast(&disk->finished);
    }
    pthread_mutex_unlock(&disk->lock);
    return NULL;
}

int gw_disk_open(struct gw_disk **ret)
{
    struct gw_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        return -1;
    pthread_condattr_t monotonic;
    disk->work = no_work;
    pthread_mutex_init(&disk->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&disk->wake, &monotonic);
    pthread_cond_init(&disk->finished, NULL);
    pthread_condattr_destroy(&monotonic);
    int fault = pthread_create(&disk->thread, NULL, rounds, disk);
    if (fault != 0) {
        free(disk);
        errno = fault;
        return -1;
    }
    *ret = disk;
    return 0;
}

static void asked(struct gw_disk *disk)
{
    disk->asked++;
    pthread_cond_signal(&disk->wake);
}

void gw_disk_dirty(struct gw_disk *disk, int fd)
{
    pthread_mutex_lock(&disk->lock);
    assert(disk->work.dirty == -1 || disk->work.dirty == fd);
    disk->work.dirty = fd;
    asked(disk);
    pthread_mutex_unlock(&disk->lock);
}

/* Locked. Lets the thread take what waits. */
static void wait_round(struct gw_disk *disk)
{
    uint64_t mine = disk->asked;
    disk->flushing++;
    pthread_cond_signal(&disk->wake);
    while (disk->done < mine)
        pthread_cond_wait(&disk->finished, &disk->lock);
    disk->flushing--;
}

void gw_disk_retire(struct gw_disk *disk, int fd)
{
    pthread_mutex_lock(&disk->lock);
    while (disk->work.retired_count == RETIRED_MAX)
        wait_round(disk);
    if (disk->work.dirty == fd)
        disk->work.dirty = -1;
    disk->work.retired[disk->work.retired_count++] = fd;
    asked(disk);
    pthread_mutex_unlock(&disk->lock);
}

void gw_disk_folder(struct gw_disk *disk, int fd)
{
    pthread_mutex_lock(&disk->lock);
    disk->work.folder = fd;
    asked(disk);
    pthread_mutex_unlock(&disk->lock);
}

int gw_disk_save(struct gw_disk *disk, const char *path, void *bytes, size_t len)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        free(bytes);
        return -1;
    }
    pthread_mutex_lock(&disk->lock);
    while (disk->work.save_count == SAVES_MAX)
        wait_round(disk);
    struct work *work = &disk->work;
    unsigned i = 0;
    while (i < work->save_count && strcmp(work->saves[i].path, path) != 0)
        i++;
    if (i < work->save_count) {
        free(work->saves[i].path);
        free(work->saves[i].bytes);
    } else {
        work->save_count++;
    }
    work->saves[i] = (struct save){copy, bytes, len};
    asked(disk);
    pthread_mutex_unlock(&disk->lock);
    return 0;
}

void gw_disk_flush(struct gw_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    wait_round(disk);
    pthread_mutex_unlock(&disk->lock);
}

uint64_t gw_disk_failures(struct gw_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    uint64_t failures = disk->failures;
    pthread_mutex_unlock(&disk->lock);
    return failures;
}

struct gw_disk *gw_disk_close(struct gw_disk *disk)
{
    if (disk == NULL)
        return NULL;
    pthread_mutex_lock(&disk->lock);
    disk->stop = true;
    pthread_cond_signal(&disk->wake);
    pthread_mutex_unlock(&disk->lock);
    pthread_join(disk->thread, NULL);
    pthread_cond_destroy(&disk->wake);
    pthread_cond_destroy(&disk->finished);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
    return NULL;
}
