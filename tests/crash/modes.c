/* modes.c - see modes.h. */
#include "tests/crash/modes.h"

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

const struct mode modes[] = {{"cut", cut_count, cut_point}};
const unsigned mode_count = sizeof modes / sizeof *modes;
