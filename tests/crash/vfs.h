/* vfs.h - SQLite on the disk in memory (disk.h). */
#ifndef TIDE_CRASH_VFS_H
#define TIDE_CRASH_VFS_H

/* Makes it the one that every connection of this process gets. */
void vfs_install(void);

#endif
