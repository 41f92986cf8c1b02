/* fail.h - memory that is not there: the n-th allocation fails, once or from then on.
 *
 *   daemon, core, ... ── malloc, calloc, realloc (the linker's --wrap) ──┐
 *   SQLite ── its own methods (sqlite3_config) ──────────────────────────┴──► counted, or NULL
 */
#ifndef TIDE_CRASH_FAIL_H
#define TIDE_CRASH_FAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before SQLite is used. */
void fail_install(void);
/* From now on allocations count; the at-th (from 1) fails, 0: none. */
void fail_arm(uint32_t at, bool lasts);
/* No more; returns how many were counted. */
uint32_t fail_disarm(void);
bool fail_struck(void);
/* For the harness itself: never counted, never NULL. */
void *fail_not_realloc(void *memory, size_t size);

#endif
