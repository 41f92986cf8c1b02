/* fail.c - see fail.h. */
#include "tests/crash/fail.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static _Atomic bool armed, struck, lasting;
static _Atomic uint32_t calls, fails_at;
static sqlite3_mem_methods plain;

static bool fails(void)
{
    if (!atomic_load(&armed))
        return false;
    uint32_t call = atomic_fetch_add(&calls, 1) + 1, at = atomic_load(&fails_at);
    if (at == 0 || call < at || (call > at && !atomic_load(&lasting)))
        return false;
    atomic_store(&struck, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *fail_not_realloc(void *memory, size_t size)
{
    void *more = __real_realloc(memory, size > 0 ? size : 1);
    if (more == NULL)
        abort();
    return more;
}

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : plain.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return fails() ? NULL : plain.xRealloc(memory, size);
}

void fail_install(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain) != SQLITE_OK)
        abort();
    sqlite3_mem_methods ours = plain;
    ours.xMalloc = sqlite_malloc;
    ours.xRealloc = sqlite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
        abort();
}

void fail_arm(uint32_t at, bool lasts)
{
    atomic_store(&calls, 0);
    atomic_store(&fails_at, at);
    atomic_store(&lasting, lasts);
    atomic_store(&struck, false);
    atomic_store(&armed, true);
}

uint32_t fail_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&calls);
}

bool fail_struck(void)
{
    return atomic_load(&struck);
}
