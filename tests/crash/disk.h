/* disk.h - a disk in memory that loses power, runs full, and fails at the n-th call.
 *
 *   SQLite ── vfs.c ──┐                      file   seen    what a reader gets now
 *                     ├──► disk.c                   kept    what is on the platter
 *   the store's own ──┘                             wanted  writes and cuts since the last sync
 *   open, rename, fsync: libc.c              folder seen, kept, wanted: names, renames, removals
 *
 * A cut of power keeps the platter; of what was wanted, each write is by seed kept, dropped, or
 * torn between sectors of 512 bytes, and of the folder's changes a first part is kept (file systems
 * log them in order). A sync that fails takes with it what it should have written: the next one has
 * nothing to write and succeeds, as Linux does it.
 *
 * One folder, DISK_FOLDER. All calls are safe from any thread.
 */
#ifndef TIDE_CRASH_DISK_H
#define TIDE_CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_FOLDER "/crash"
#define DISK_SECTOR 512u

enum disk_call {
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_MAKE,   /* a file */
    DISK_RENAME, /* ... */
    DISK_REMOVE,
    DISK_READ,
    DISK_OPEN,
    DISK_CALLS
};
#define DISK_BIT(call) (1u << (call))
/* What changes something; a cut of power is told apart at these. */
#define DISK_CHANGES ((DISK_BIT(DISK_REMOVE) << 1) - 1)
#define DISK_ALL ((1u << DISK_CALLS) - 1)

enum disk_fault {
    DISK_SOUND,
    DISK_CUT,  /* from this call on nothing gets through: the power is off */
    DISK_ONCE, /* this call fails with `error` */
    DISK_LASTS /* and every later one of the same mask */
};
struct disk_plan {
    enum disk_fault fault;
    uint32_t at;   /* the n-th call of `mask` from disk_plan on; from 1 */
    uint32_t mask; /* DISK_BITs */
    int error;     /* EIO, ENOSPC, ... */
    bool partly;   /* a write gets half through before it fails */
};

struct disk_file;

/* ---- the life of the disk ------------------------------------------------------------------- */
void disk_format(void); /* empty, sound */
/* Counts from anew; the plan holds until the next one. */
void disk_plan(const struct disk_plan *plan);
uint32_t disk_calls(void); /* of the plan's mask since disk_plan */
uint32_t disk_calls_of(uint32_t mask);
/* Syncs since disk_plan of a file whose sync had failed before: what nobody may trust. */
uint32_t disk_retried(void);
bool disk_struck(void); /* the planned fault came */
/* Nothing is changed any more, whoever asks: the process is dead. Counts nothing. */
void disk_halt(bool halted);
/* The power comes back: what the platter kept. Nothing may be open. The plan stays. */
void disk_power(uint64_t seed);

struct disk_image;
/* A copy of all that is there, and back. Nothing may be open. */
struct disk_image *disk_save(void);
void disk_load(const struct disk_image *image);
struct disk_image *disk_forget(struct disk_image *image); /* returns NULL */

/* ---- calls: 0, or an errno ------------------------------------------------------------------ */
bool disk_owns(const char *path);
/* flags: O_CREAT, O_EXCL. The file counts one user more. */
int disk_open(const char *path, int flags, struct disk_file **ret);
struct disk_file *disk_temporary(void); /* without a name; no call on it counts or fails */
void disk_close(struct disk_file *file);
int disk_read(struct disk_file *file, void *out, size_t len, uint64_t at, size_t *ret_got);
/* *ret_wrote may be less than len when it fails. */
int disk_write(struct disk_file *file, const void *bytes, size_t len, uint64_t at,
               size_t *ret_wrote);
int disk_truncate(struct disk_file *file, uint64_t len);
int disk_sync(struct disk_file *file);
int disk_sync_folder(void);
int disk_remove(const char *path);
int disk_rename(const char *from, const char *to);
bool disk_has(const char *path);
uint64_t disk_size(struct disk_file *file);

/* Files that hold these bytes, seen now; *ret_name: the first one's. */
unsigned disk_search(const void *bytes, size_t len, const char **ret_name);
/* The names of all files, one after the other; NULL after the last. */
const char *disk_name(unsigned index);

/* What SQLite keeps with a file: locks and shared memory of its connections. */
void **disk_extra(struct disk_file *file);

#endif
