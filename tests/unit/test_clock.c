/* Civil time: scaled or not, it follows CLOCK_BOOTTIME and never goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ops/ops.h"

#define DAY_MS 86400000LL

static void real_time(void **state)
{
    (void)state;
    struct clock_state clock;
    clock_begin(&clock, 1, 0);
    assert_in_range(clock_civil_ms(&clock) - clock_real_ms() + 100, 0, 200);
    assert_in_range(clock_drift_ms(&clock) + 50, 0, 100);
    int64_t before = clock_elapsed_ms(), civil = clock_civil_ms(&clock);
    usleep(30000);
    assert_in_range(clock_elapsed_ms() - before, 29, 500);
    assert_in_range(clock_civil_ms(&clock) - civil, 29, 500);
}

static void scaled(void **state)
{
    (void)state;
    struct clock_state clock;
    clock_begin(&clock, 720, 1558299600000LL);
    assert_in_range(clock_civil_ms(&clock) - 1558299600000LL, 0, 7200);
    usleep(50000);
    assert_in_range(clock_civil_ms(&clock) - 1558299600000LL, 720 * 50, 720 * 500);
    assert_int_equal(clock_drift_ms(&clock), 0); /* nothing to compare it with */
    struct clock_state before = clock;
    clock_reanchor(&clock);
    assert_int_equal(clock.anchor_civil_ms, before.anchor_civil_ms);
}

/* A scale times years of nanoseconds does not fit into 64 bits; the arithmetic must not try. */
static void a_long_life(void **state)
{
    (void)state;
    struct clock_state clock;
    clock_begin(&clock, 86400, 1558299600000LL);
    clock.anchor_boot_ns -= 1000LL * DAY_MS * 1000000; /* 1,000 days ago */
    int64_t civil = clock_civil_ms(&clock);
    assert_in_range(civil - (1558299600000LL + 1000LL * DAY_MS * 86400), 0, 86400LL * 1000);
}

static void never_back(void **state)
{
    (void)state;
    struct clock_state clock;
    clock_begin(&clock, 1, clock_real_ms() + 10 * DAY_MS);
    int64_t civil = clock_civil_ms(&clock);
    assert_in_range(clock_drift_ms(&clock) + 10 * DAY_MS + 50, 0, 100);
    clock_reanchor(&clock); /* ten days back: time stands still instead */
    assert_in_range(clock_drift_ms(&clock) + 50, 0, 100);
    usleep(5000);
    assert_in_range(clock_civil_ms(&clock), civil, civil);
}

static void waits(void **state)
{
    (void)state;
    struct clock_state clock;
    clock_begin(&clock, 100, 1000000000000LL);
    assert_int_equal(clock_wait_ms(&clock, 999999999999LL, 1000), 0);
    assert_in_range(clock_wait_ms(&clock, 1000000000000LL + 100 * 5000, 60000), 4500, 5000);
    assert_int_equal(clock_wait_ms(&clock, 1000000000000LL + 100 * 5000, 60), 60);
    assert_int_equal(clock_wait_ms(&clock, INT64_MAX / 2, 1000), 1000);
    clock_begin(&clock, 1000, 1000000000000LL);
    assert_in_range(clock_wait_ms(&clock, clock_civil_ms(&clock) + 300, 60), 0, 1); /* rounds up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_time),  cmocka_unit_test(scaled), cmocka_unit_test(a_long_life),
        cmocka_unit_test(never_back), cmocka_unit_test(waits),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
