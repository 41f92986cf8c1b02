/* libc.h - the store's own calls to the system, turned to the disk in memory; and a clock that only
 * the test moves, so that the journal thread does the same things in each run.
 *
 * Which calls: the linker's --wrap, listed in deploy/make/crash.mk. A call of daemon/store that is
 * not among them fails the build there.
 */
#ifndef TIDE_CRASH_LIBC_H
#define TIDE_CRASH_LIBC_H

#include <stdint.h>

/* Moves both clocks. */
void clock_forward(int64_t us);
/* Waits until the journal thread sleeps, and has gone to sleep more often than that. */
void journal_sleeps(uint64_t naps_before);
/* How often it went to sleep. */
uint64_t journal_naps(void);

#endif
