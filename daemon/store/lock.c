/* lock.c - one daemon a database, and the files around it.
 *
 *   tide.db   tide.db-wal   tide.db-shm    SQLite's
 *   tide.db.lock                           held with flock while a daemon lives; holds its pid
 *   tide.db.forgotten                      what a restore must forget again
 *   tide.db.incarnation                    the number of the last restore
 *
 * flock is held by the open file, so it goes with the process however that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "daemon/store/internal.h"

char *store_path_with(const char *path, const char *suffix)
{
    size_t a = strlen(path), b = strlen(suffix);
    char *both = malloc(a + b + 1);
    if (both == NULL)
        return NULL;
    memcpy(both, path, a);
    memcpy(both + a, suffix, b + 1);
    return both;
}

enum store_error store_path_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STORE_IO;
    int failed = fsync(fd);
    close(fd);
    return failed != 0 ? STORE_IO : STORE_OK;
}

enum store_error store_path_sync_folder(const char *path)
{
    char *copy = store_path_with(path, "");
    if (copy == NULL)
        return STORE_LIMIT;
    enum store_error error = store_path_sync(dirname(copy));
    free(copy);
    return error;
}

static void write_pid(int fd)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return; /* only a courtesy to whoever looks */
}

enum store_error store_lock_take(const char *path, int *ret, char *why, size_t why_cap)
{
    char *name = store_path_with(path, ".lock");
    if (name == NULL)
        return store_say(why, why_cap, STORE_LIMIT, "no memory");
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum store_error error = STORE_OK;
    if (fd < 0) {
        error = store_say(why, why_cap, STORE_IO, "cannot open %s: %s; is its folder there?", name,
                          strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char holder[24] = "";
        ssize_t got = pread(fd, holder, sizeof holder - 1, 0);
        holder[got > 0 ? strcspn(holder, "\n") : 0] = '\0';
        error = store_say(why, why_cap, STORE_LOCKED,
                          "%s is in use by another daemon (process %s); stop that one first", path,
                          holder[0] != '\0' ? holder : "unknown");
        close(fd);
    } else {
        write_pid(fd);
        *ret = fd;
    }
    free(name);
    return error;
}

int store_lock_drop(int fd)
{
    if (fd >= 0)
        close(fd);
    return -1;
}
