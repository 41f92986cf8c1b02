/* clock.c - civil and elapsed time; the only place that asks the system what time it is.
 *
 *     civil = anchor_civil + (boottime - anchor_boot) × scale        never goes back
 *
 * CLOCK_BOOTTIME runs through suspend and is not moved by anybody who sets the wall clock; so a
 * wrong wall clock changes nothing until the difference is told to the engine as an event and the
 * anchor is moved (clock_reanchor).
 */
#include <time.h>

#include "daemon/ops/ops.h"

#define NS_A_MS 1000000LL

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t clock_real_ms(void)
{
    return read_ns(CLOCK_REALTIME) / NS_A_MS;
}

int64_t clock_elapsed_ms(void)
{
    return read_ns(CLOCK_BOOTTIME) / NS_A_MS;
}

void clock_begin(struct clock_state *clock, int scale, int64_t start_ms)
{
    clock->scale = scale < 1 ? 1 : scale;
    clock->anchor_boot_ns = read_ns(CLOCK_BOOTTIME);
    clock->anchor_civil_ms = start_ms != 0 ? start_ms : clock_real_ms();
    clock->last_ms = clock->anchor_civil_ms;
}

/* Civil time by the anchor alone. */
static int64_t by_anchor_ms(const struct clock_state *clock)
{
    int64_t ns = read_ns(CLOCK_BOOTTIME) - clock->anchor_boot_ns;
    /* Milliseconds and their rest apart: years of nanoseconds times the scale would overflow. */
    return clock->anchor_civil_ms + ns / NS_A_MS * clock->scale +
           ns % NS_A_MS * clock->scale / NS_A_MS;
}

int64_t clock_civil_ms(struct clock_state *clock)
{
    int64_t now = by_anchor_ms(clock);
    if (now > clock->last_ms)
        clock->last_ms = now;
    return clock->last_ms;
}

int64_t clock_drift_ms(const struct clock_state *clock)
{
    return clock->scale == 1 ? clock_real_ms() - by_anchor_ms(clock) : 0;
}

void clock_reanchor(struct clock_state *clock)
{
    if (clock->scale != 1)
        return; /* scaled time has nothing to do with the wall clock */
    clock->anchor_boot_ns = read_ns(CLOCK_BOOTTIME);
    clock->anchor_civil_ms = clock_real_ms();
}

uint64_t clock_wait_ms(struct clock_state *clock, int64_t civil_ms, uint64_t max)
{
    int64_t left = civil_ms - by_anchor_ms(clock);
    if (left <= 0)
        return 0;
    uint64_t wait = ((uint64_t)left + (uint64_t)clock->scale - 1) / (uint64_t)clock->scale;
    return wait < max ? wait : max;
}
