/* test_naive_windows.c - supply against a second opinion: whatever windows, recalls, blackouts and
 * holiday files come together, the engine's open bits say grain by grain what the slow way says
 * (tests/sim/naive.h), also after days have passed.
 */
#include "daemon/core/calendar.h"
#include "daemon/core/parking/parking.h"
#include "tests/sim/naive.h"
#include "tests/sim/rng.h"
#include "tests/unit/engine_fixture.h"

#define ROUNDS 12
#define CHANGES 14
#define WINDOWS_MAX 256
#define DAYS_MAX 64

struct opinion {
    struct tide_day days[DAYS_MAX];
    const struct tide_window *windows[WINDOWS_MAX];
    struct naive_calendar calendar;
    struct naive_windows supply;
};

/* What the naive side knows: the rows, nothing else. */
static void opinion_of(const struct engine *engine, struct opinion *ret)
{
    uint32_t cursor = 0;
    const void *row;
    ret->calendar = (struct naive_calendar){.utc_offset_min = 480, .days = ret->days};
    ret->supply = (struct naive_windows){.list = ret->windows};
    while ((row = engine_next(engine, TIDE_REC_day, &cursor)) != NULL) {
        assert_true(ret->calendar.count < DAYS_MAX);
        ret->days[ret->calendar.count++] = *(const struct tide_day *)row;
    }
    cursor = 0;
    while ((row = engine_next(engine, TIDE_REC_window, &cursor)) != NULL) {
        assert_true(ret->supply.count < WINDOWS_MAX);
        ret->windows[ret->supply.count++] = row;
    }
}

static void compare(const struct engine *engine, tide_id id, tide_ms now_ms)
{
    static struct opinion opinion;
    const struct slot_state *slot = slot_of(engine, id);
    opinion_of(engine, &opinion);
    grain from = grain_floor(now_ms);
    grain until = grain_floor(calendar_day_start(engine, windows_last_day(engine) + 1));
    for (grain g = from; g < until; g++) {
        bool fast = freemap_is_open(engine, slot, g, g + 1);
        bool slow =
            naive_grain_open(&opinion.calendar, &slot->row, &opinion.supply, g * TIDE_GRAIN_MS);
        if (fast != slow)
            fail_msg("slot %u at %lld: the engine says %d, the slow way %d", id,
                     (long long)(g * TIDE_GRAIN_MS), fast, slow);
    }
    assert_true(until > from);
    assert_false(freemap_is_open(engine, slot, until, until + 1)); /* beyond lies nothing */
}

/* ---- changes ------------------------------------------------------------------------------- */
static uint8_t some_days(struct sim_rng *rng)
{
    return (uint8_t)sim_rng_range(rng, 1, 15);
}

static void change_share(struct fixture *f, struct sim_rng *rng)
{
    struct tide_share share = {.slot = 1 + sim_rng_below(rng, 8)};
    if (sim_rng_chance(rng, 600)) {
        int32_t today = calendar_date(f->engine, f->now_ms);
        share.kind = TIDE_WINDOW_KIND_weekly;
        share.days = some_days(rng);
        share.weekdays = (uint8_t)sim_rng_range(rng, 0, TIDE_WEEKDAYS_ALL);
        share.opens_min = (int32_t)sim_rng_below(rng, 1440);
        share.closes_min = share.opens_min + 1 + (int32_t)sim_rng_below(rng, 1440);
        if (sim_rng_chance(rng, 300))
            share.from_date = today + (int32_t)sim_rng_below(rng, 8);
        if (sim_rng_chance(rng, 300))
            share.until_date = today + 8 + (int32_t)sim_rng_below(rng, 8);
    } else {
        share.kind = TIDE_WINDOW_KIND_once;
        share.start_ms = f->now_ms + sim_rng_range(rng, -HOUR_MS, 10 * TIDE_DAY_MS);
        share.end_ms = f->now_ms + 2 * HOUR_MS + sim_rng_range(rng, 0, 12 * TIDE_DAY_MS);
    }
    fixture_send(f, CLERK, TIDE_REC_share, &share);
}

static void change_recall(struct fixture *f, struct sim_rng *rng)
{
    struct tide_recall recall = {.slot = 1 + sim_rng_below(rng, 8)};
    recall.start_ms = f->now_ms + sim_rng_range(rng, 0, 8 * TIDE_DAY_MS);
    recall.end_ms = recall.start_ms + sim_rng_range(rng, 1, 2 * TIDE_DAY_MS);
    fixture_send(f, CLERK, TIDE_REC_recall, &recall);
}

static void change_blackout(struct fixture *f, struct sim_rng *rng)
{
    struct tide_blackout blackout = {.zone = 1 + sim_rng_below(rng, 3)};
    if (sim_rng_chance(rng, 500))
        blackout = (struct tide_blackout){.slot = 1 + sim_rng_below(rng, 8)};
    blackout.start_ms = f->now_ms + sim_rng_range(rng, 0, 8 * TIDE_DAY_MS);
    blackout.end_ms = blackout.start_ms + sim_rng_range(rng, 1, 9 * HOUR_MS);
    fixture_send(f, CLERK, TIDE_REC_blackout, &blackout);
}

static void change_unshare(struct fixture *f, struct sim_rng *rng)
{
    struct tide_unshare unshare = {.window = 1 + sim_rng_below(rng, 24)};
    fixture_send(f, CLERK, TIDE_REC_unshare, &unshare);
}

static void change_calendar(struct fixture *f, struct sim_rng *rng)
{
    static uint8_t blob[4096];
    size_t at = 0;
    int32_t today = calendar_date(f->engine, f->now_ms);
    for (int32_t i = -2; i < 20; i++)
        if (sim_rng_chance(rng, 250))
            ROW(day, today + i,
                sim_rng_chance(rng, 500) ? TIDE_DAY_CLASS_holiday : TIDE_DAY_CLASS_workday);
    fixture_pass(f, 0);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_calendar);
}

static void change_agreement(struct fixture *f, struct sim_rng *rng)
{
    static uint8_t blob[4096];
    size_t at = 0;
    tide_id id = 1 + sim_rng_below(rng, 8);
    struct tide_slot slot =
        *(const struct tide_slot *)engine_find(f->engine, TIDE_REC_slot, id, 0, 0);
    slot.lent_until = sim_rng_chance(rng, 400)
                          ? 0
                          : calendar_date(f->engine, f->now_ms) + (int32_t)sim_rng_below(rng, 12);
    at = fixture_row(blob, at, TIDE_REC_slot, &slot);
    fixture_pass(f, 0);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
}

static void change_time(struct fixture *f, struct sim_rng *rng)
{
    fixture_pass(f, sim_rng_range(rng, 1, 30 * HOUR_MS));
}

static void windows_agree_with_the_slow_way(void **state)
{
    static void (*const changes[])(struct fixture * f, struct sim_rng * rng) = {
        change_share,   change_share,    change_share,     change_recall, change_blackout,
        change_unshare, change_calendar, change_agreement, change_time};
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct sim_rng rng;
        void *fresh = NULL;
        sim_rng_init(&rng, round, 1);
        fixture_set_up(&fresh);
        struct fixture *f = fresh;
        for (unsigned i = 0; i < CHANGES; i++) {
            changes[sim_rng_below(&rng, sizeof changes / sizeof *changes)](f, &rng);
            compare(f->engine, 1 + sim_rng_below(&rng, 8), f->now_ms);
        }
        for (tide_id id = 1; id <= 8; id++)
            compare(f->engine, id, f->now_ms);
        fixture_tear_down(&fresh);
    }
}

/* ---- days ---------------------------------------------------------------------------------- */
static void days_agree_with_counting(void **state)
{
    (void)state;
    for (int32_t date = 0; date < 40000; date += 13) {
        int year, month, day;
        naive_civil(date, &year, &month, &day);
        assert_int_equal(calendar_month(date), year * 12 + month - 1);
        assert_int_equal(calendar_weekday(date), naive_weekday(date));
        assert_int_equal(naive_days_from(year, month, day), date);
    }
}

static void classes_agree_with_counting(void **state)
{
    struct fixture *f = *state;
    static struct opinion opinion;
    struct sim_rng rng;
    sim_rng_init(&rng, 7, 1);
    for (unsigned round = 0; round < 20; round++) {
        change_calendar(f, &rng);
        opinion_of(f->engine, &opinion);
        int32_t today = calendar_date(f->engine, f->now_ms);
        for (int32_t date = today - 5; date < today + 25; date++) {
            uint8_t days = some_days(&rng), weekdays = (uint8_t)sim_rng_below(&rng, 128);
            assert_int_equal(calendar_class(f->engine, date),
                             naive_day_class(&opinion.calendar, date));
            assert_int_equal(calendar_matches(f->engine, date, days, weekdays),
                             naive_day_matches(&opinion.calendar, days, weekdays, 0, 0, date));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows_agree_with_the_slow_way),
                                       cmocka_unit_test(days_agree_with_counting),
                                       cmocka_unit_test_setup_teardown(classes_agree_with_counting,
                                                                       fixture_set_up,
                                                                       fixture_tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
