/* modes.c - see modes.h. */
#include "tests/crash/modes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/crash/fail.h"

/* ---- power ----------------------------------------------------------------------------------- */
static const struct disk_plan sound = {.fault = DISK_SOUND, .mask = DISK_CHANGES};

static uint32_t cut_count(struct life *life)
{
    life_begin(life);
    disk_plan(&sound);
    bool ok = life_open(life) && life_play(life);
    uint32_t calls = disk_calls();
    if (!ok)
        life_wrong(life, "%s, %s", store_error_name(life->error), life->said);
    else
        ok = life_finish(life);
    life_kill(life);
    return ok ? calls : 0;
}

static bool cut_point(struct life *life, uint32_t at, uint64_t seed)
{
    struct disk_plan cut = {.fault = DISK_CUT, .at = at, .mask = DISK_CHANGES};
    life->seed = seed;
    life_begin(life);
    disk_plan(&cut);
    (void)(life_open(life) && life_play(life));
    life_kill(life);
    disk_power(seed * 3 + at);
    disk_plan(&sound);
    if (seed % 3 == 0 && life->why[0] == '\0') { /* and again while it comes back */
        cut.at = 1 + (uint32_t)(seed / 3 + at) % 60;
        disk_plan(&cut);
        if (life_open(life) && life_promises(life)) {
            life->act = life->tape->count;
            (void)life_resend(life);
        }
        life_kill(life);
        disk_power(seed * 5 + at);
        disk_plan(&sound);
    }
    bool ok = life->why[0] == '\0' && life_recover(life);
    life_kill(life);
    return ok;
}

/* ---- calls that fail ------------------------------------------------------------------------- */
#define GROWS (DISK_BIT(DISK_WRITE) | DISK_BIT(DISK_MAKE))

static const struct disk_plan faults[] = {
    {.fault = DISK_ONCE, .mask = DISK_CHANGES, .error = EIO},
    {.fault = DISK_LASTS, .mask = DISK_CHANGES, .error = EIO},
    {.fault = DISK_ONCE, .mask = GROWS, .error = ENOSPC},
    {.fault = DISK_LASTS, .mask = GROWS, .error = ENOSPC},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_WRITE), .error = ENOSPC, .partly = true},
    {.fault = DISK_LASTS, .mask = DISK_BIT(DISK_WRITE), .error = ENOSPC, .partly = true},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_WRITE), .error = EIO, .partly = true},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_SYNC), .error = EIO},
    {.fault = DISK_LASTS, .mask = DISK_BIT(DISK_SYNC), .error = EIO},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_SYNC), .error = ENOSPC},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_READ), .error = EIO},
    {.fault = DISK_LASTS, .mask = DISK_BIT(DISK_READ), .error = EIO},
    {.fault = DISK_ONCE, .mask = DISK_BIT(DISK_OPEN), .error = EMFILE},
    {.fault = DISK_LASTS, .mask = DISK_BIT(DISK_OPEN), .error = EACCES},
};
#define FAULTS (sizeof faults / sizeof *faults)

static uint32_t fault_calls[FAULTS]; /* of the story that was counted last */

static uint32_t errors_count(struct life *life)
{
    uint32_t all = 0;
    life_begin(life);
    disk_plan(&sound);
    bool ok = life_open(life) && life_play(life);
    for (unsigned i = 0; i < FAULTS; i++)
        all += fault_calls[i] = disk_calls_of(faults[i].mask);
    life_kill(life);
    if (!ok)
        life_wrong(life, "%s, %s", store_error_name(life->error), life->said);
    return ok ? all : 0;
}

/* What an error may be called: damage is only said when there is damage. */
static bool may_say(struct life *life)
{
    enum act_kind kind =
        life->act < life->tape->count ? life->tape->acts[life->act].kind : ACT_REST;
    bool may = life->error == STORE_OK || life->error == STORE_FULL || life->error == STORE_IO ||
               life->error == STORE_LIMIT;
    if (kind == ACT_RESTORE) /* "cannot read that copy"; "cannot read all of its pages" */
        may = may || life->error == STORE_USAGE || life->error == STORE_CORRUPT;
    if (kind == ACT_BACKUP) /* the copy could not be read again */
        may = may || life->error == STORE_CORRUPT;
    if (!may)
        life_wrong(life, "says %s: %s", store_error_name(life->error), life->said);
    return may;
}

/* Plays on as the daemon does: a full disk is waited for in the same process, any other error of a
 * commit ends it, a copy that failed is a line in the log. True: it came to its end. */
static bool play_on(struct life *life, bool *ret_waited)
{
    *ret_waited = false;
    while (!life_play(life)) {
        if (life->why[0] != '\0' || !may_say(life) || life->store == NULL)
            return false;
        enum act_kind kind = life->tape->acts[life->act].kind;
        bool copy = kind == ACT_BACKUP || kind == ACT_COPYING || kind == ACT_VERIFY;
        if (life->error != STORE_FULL && !copy)
            return false;
        if (!copy || life->error == STORE_FULL) {
            disk_plan(&sound); /* there is room */
            life->spoilt = false;
            *ret_waited = true;
        }
        life->error = STORE_OK;
        life->act++;
        if (!copy && !life_roll_back(life))
            return false;
    }
    return true;
}

static bool errors_point(struct life *life, uint32_t at, uint64_t seed)
{
    unsigned kind = 0;
    uint32_t n = at;
    while (kind + 1 < FAULTS && n > fault_calls[kind])
        n -= fault_calls[kind++];
    struct disk_plan plan = faults[kind];
    plan.at = n;
    life->seed = seed;
    life_begin(life);
    disk_plan(&plan);
    life->spoilt = true;
    bool waited = false, ended = life_open(life) && play_on(life, &waited);
    (void)may_say(life);
    if (ended)
        life_shut(life); /* in order, whatever failed on the way */
    else
        life_kill(life);
    /* A file that is given up, SQLite takes back with a sync of its own: half a restore, a database
     * that was only being made. */
    bool given_up = life->error != STORE_OK && (life->restoring || life->told == 0);
    if (disk_retried() > 0 && !given_up)
        life_wrong(life, "a sync failed and was made again");
    if (waited && life->error == STORE_IO && plan.error == ENOSPC)
        life_wrong(life, "did not serve again when there was room: %s", life->said);
    disk_plan(&sound);
    life->spoilt = false;
    if (seed % 2 == 1 && life->why[0] == '\0' && life_open(life)) { /* started, then no power */
        life_kill(life);
        disk_power(seed * 7 + at);
    }
    bool ok = life->why[0] == '\0' && life_recover(life);
    life_kill(life);
    if (!ok) {
        char why[sizeof life->why];
        memcpy(why, life->why, sizeof why);
        (void)snprintf(life->why, sizeof life->why, "fault %u, call %u: %.900s", kind, n, why);
    }
    return ok;
}

/* ---- memory ---------------------------------------------------------------------------------- */
static uint32_t memory_count(struct life *life)
{
    life_begin(life);
    disk_plan(&sound);
    fail_arm(0, false);
    bool ok = life_open(life) && life_play(life);
    life_shut(life);
    uint32_t calls = fail_disarm();
    if (!ok)
        life_wrong(life, "%s, %s", store_error_name(life->error), life->said);
    return ok ? calls : 0;
}

static bool memory_point(struct life *life, uint32_t at, uint64_t seed)
{
    life->seed = seed;
    life_begin(life);
    disk_plan(&sound);
    life->spoilt = true;
    fail_arm(at, (seed + at) % 4 == 0);
    bool waited = false, ended = life_open(life) && play_on(life, &waited);
    (void)may_say(life);
    if (ended)
        life_shut(life);
    (void)fail_disarm();
    life_kill(life);
    life->spoilt = false;
    bool ok = life->why[0] == '\0' && life_recover(life);
    life_kill(life);
    return ok;
}

const struct mode modes[] = {{"cut", cut_count, cut_point},
                             {"errors", errors_count, errors_point},
                             {"memory", memory_count, memory_point}};
const unsigned mode_count = sizeof modes / sizeof *modes;
