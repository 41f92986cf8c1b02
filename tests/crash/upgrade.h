/* upgrade.h - databases that older versions left, opened by this one.
 *
 * tests/sim/golden/schema-N.db is one for every version of the schema; who raises STORE_SCHEMA adds
 * the new one beside the old:   build/tide-crash write-golden tests/sim/golden/schema-N.db
 */
#ifndef TIDE_CRASH_UPGRADE_H
#define TIDE_CRASH_UPGRADE_H

/* Each golden database: opened, and cut at each call of its opening; a newer one is refused. Prints
 * a line a database; returns the number of violations. */
unsigned upgrade_play(void);
/* A database of this version, after a day of everything. 0 or -1. */
int upgrade_write(const char *path);

#endif
