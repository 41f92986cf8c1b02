/* disk.h - what must reach the disk without holding the loop: one thread that syncs and saves.
 *
 * The loop writes (into the page cache: microseconds) and says so here; the thread syncs at most
 * every 20 ms, whatever was written meanwhile together. A file that changes as a whole is handed
 * over as bytes and replaced atomically: written beside, synced, renamed, folder synced. Of several
 * versions of one file that wait, only the newest is written.
 */
#ifndef TIDE_GATEWAY_DISK_H
#define TIDE_GATEWAY_DISK_H

#include <stddef.h>
#include <stdint.h>

#define GW_DISK_SYNC_MS 20

struct gw_disk;

/* 0 or -1 with errno. */
int gw_disk_open(struct gw_disk **ret);
/* fd was written to; it stays the caller's and must be retired, not closed. */
void gw_disk_dirty(struct gw_disk *disk, int fd);
/* Syncs fd and closes it. */
void gw_disk_retire(struct gw_disk *disk, int fd);
/* An entry of the folder changed; fd stays the caller's until gw_disk_close. */
void gw_disk_folder(struct gw_disk *disk, int fd);
/* Takes bytes (malloc'ed). path is copied. 0, or -1 with errno (bytes are freed then too). */
int gw_disk_save(struct gw_disk *disk, const char *path, void *bytes, size_t len);
/* Waits until all that was asked before is on disk. */
void gw_disk_flush(struct gw_disk *disk);
/* Syncs and saves that failed since the start. */
uint64_t gw_disk_failures(struct gw_disk *disk);
/* Flushes, ends the thread. Returns NULL. */
struct gw_disk *gw_disk_close(struct gw_disk *disk);

/* The atomic replacement itself, on the caller's thread. 0 or -1 with errno. */
int gw_disk_replace(const char *path, const void *bytes, size_t len);

#endif
