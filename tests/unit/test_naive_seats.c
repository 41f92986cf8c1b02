/* test_naive_seats.c - promises against a second implementation: a slow one that keeps a yes or
 * no for each five minutes of each slot, looks at all slots for each wish, and must come to the
 * same slot, the same refusal, the same offer.
 *
 *   grain     0 1 2 3 4 5 6 7 ...        open: by naive.h        busy: by the promises made here
 *   slot 1    . o o o # # o .            wish [1,3): left over = free grains right before and after
 *   slot 2    . o o o o o o .            best = least left over, then the lower slot
 */
#include "tests/sim/naive.h"
#include "tests/sim/rng.h"
#include "tide/check.h"

#include "tests/unit/engine_fixture.h"

#define SLOTS 8
#define ZONE_SLOTS 4
#define DAY 288
#define GRAINS (17 * DAY)
#define ROUNDS 60
#define WISHES 220
#define STAY_MAX_MIN 1440
#define LIVE_MAX 30

struct promise {
    tide_id booking, slot, plate;
    int from, until; /* grains */
};

struct slow {
    struct fixture *f;
    struct sim_rng rng;
    tide_ms zero_ms; /* of grain 0 */
    int end;         /* first grain beyond the horizon */
    bool open[SLOTS + 1][GRAINS], busy[SLOTS + 1][GRAINS];
    uint8_t cls[SLOTS + 1];
    struct promise made[WISHES];
    int count;
    int32_t minutes[HOME_THIRD + 1]; /* that a household may still promise */
    int live[HOME_THIRD + 1];
    tide_id next_plate;
};

/* ---- the slow side's knowledge ------------------------------------------------------------- */
static int grain_now(const struct slow *s)
{
    return (int)((s->f->now_ms - s->zero_ms) / TIDE_GRAIN_MS);
}

static void learn_windows(struct slow *s)
{
    const struct tide_window *list[256];
    struct naive_calendar calendar = {.utc_offset_min = 480};
    struct naive_windows windows = {.list = list};
    uint32_t cursor = 0;
    const void *row;
    while ((row = engine_next(s->f->engine, TIDE_REC_window, &cursor)) != NULL)
        list[windows.count++] = row;
    int32_t today = naive_date(&calendar, s->f->now_ms);
    s->end = (int)((naive_midnight(&calendar, today + 15) - s->zero_ms) / TIDE_GRAIN_MS);
    assert_true(s->end > 0 && s->end <= GRAINS);
    for (tide_id id = 1; id <= ZONE_SLOTS; id++) {
        const struct tide_slot *slot = engine_find(s->f->engine, TIDE_REC_slot, id, 0, 0);
        s->cls[id] = slot->cls;
        for (int g = 0; g < s->end; g++)
            s->open[id][g] =
                naive_grain_open(&calendar, slot, &windows, s->zero_ms + g * TIDE_GRAIN_MS);
    }
}

static bool is_free(const struct slow *s, tide_id slot, int g)
{
    return g >= grain_now(s) && g < s->end && s->open[slot][g] && !s->busy[slot][g];
}

static bool all_free(const struct slow *s, tide_id slot, int from, int until)
{
    for (int g = from; g < until; g++)
        if (!is_free(s, slot, g))
            return false;
    return true;
}

static int left_over(const struct slow *s, tide_id slot, int from, int until)
{
    int left = 0;
    for (int g = from - 1; g >= from - DAY && is_free(s, slot, g); g--)
        left++;
    for (int g = until; g < until + DAY && is_free(s, slot, g); g++)
        left++;
    return left;
}

static tide_id best_slot(const struct slow *s, unsigned cls, int from, int until)
{
    tide_id best = 0;
    int least = 0;
    for (tide_id id = 1; id <= ZONE_SLOTS; id++) {
        if (s->cls[id] != cls || !all_free(s, id, from, until))
            continue;
        int left = left_over(s, id, from, until);
        if (best == 0 || left < least) {
            best = id;
            least = left;
        }
    }
    return best;
}

/* ---- what a wish must come to -------------------------------------------------------------- */
struct wish {
    tide_id household, plate;
    unsigned cls;
    tide_ms start_ms, end_ms;
    int from, until;
};

struct expected {
    enum tide_code code;
    enum tide_why why;
    tide_id slot;
    int free_until, free_from; /* grains, 0: none */
};

static void expect_offers(const struct slow *s, const struct wish *w, struct expected *e)
{
    int last = w->from, first = w->from + DAY + 1;
    bool open_through = false;
    for (tide_id id = 1; id <= ZONE_SLOTS; id++) {
        if (s->cls[id] != w->cls)
            continue;
        int end = w->from;
        while (end < w->until && is_free(s, id, end))
            end++;
        last = end > last ? end : last;
        bool open = true;
        for (int g = w->from; g < w->until; g++)
            open &= s->open[id][g];
        open_through |= open;
        for (int g = w->from + 1; g < first; g++)
            if (all_free(s, id, g, g + w->until - w->from))
                first = g;
    }
    e->code = TIDE_CODE_full;
    e->why = open_through ? TIDE_WHY_all_taken : TIDE_WHY_no_window;
    e->free_until = last > w->from ? last : 0;
    e->free_from = first <= w->from + DAY ? first : 0;
}

static bool plate_is_promised(const struct slow *s, const struct wish *w)
{
    for (int i = 0; i < s->count; i++)
        if (s->made[i].plate == w->plate && s->made[i].from < w->until &&
            w->from < s->made[i].until)
            return true;
    return false;
}

static struct expected expect(const struct slow *s, const struct wish *w)
{
    struct expected e = {.code = TIDE_CODE_invalid};
    int length_min = (w->until - w->from) * TIDE_GRAIN_MIN;
    if (w->end_ms <= w->start_ms)
        e.why = TIDE_WHY_ends_before_start;
    else if (w->from < grain_now(s))
        e.why = TIDE_WHY_in_the_past;
    else if (w->until > s->end)
        e.why = TIDE_WHY_beyond_horizon;
    else if (length_min > STAY_MAX_MIN)
        e.why = TIDE_WHY_too_long;
    else if (plate_is_promised(s, w))
        e = (struct expected){.code = TIDE_CODE_conflict, .why = TIDE_WHY_plate_overlap};
    else if (s->live[w->household] >= LIVE_MAX)
        e = (struct expected){.code = TIDE_CODE_quota, .why = TIDE_WHY_household_cap};
    else if (length_min > s->minutes[w->household])
        e = (struct expected){.code = TIDE_CODE_quota, .why = TIDE_WHY_minutes_short};
    else if ((e.slot = best_slot(s, w->cls, w->from, w->until)) != 0)
        e.code = TIDE_CODE_ok;
    else
        expect_offers(s, w, &e);
    return e;
}

/* ---- comparing ----------------------------------------------------------------------------- */
static int grain_of(const struct slow *s, tide_ms at)
{
    return at == 0 ? 0 : (int)((at - s->zero_ms) / TIDE_GRAIN_MS);
}

static void mark(struct slow *s, const struct promise *p, bool busy)
{
    for (int g = p->from; g < p->until; g++)
        s->busy[p->slot][g] = busy;
}

static struct wish some_wish(struct slow *s)
{
    struct wish w = {.household = HOME_OWNER + sim_rng_below(&s->rng, 2)};
    w.plate = sim_rng_chance(&s->rng, 900) ? s->next_plate++ : 100 + sim_rng_below(&s->rng, 20);
    w.cls = sim_rng_chance(&s->rng, 150) ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard;
    w.start_ms = s->f->now_ms + sim_rng_range(&s->rng, -5 * MIN_MS, 60 * HOUR_MS);
    if (sim_rng_chance(&s->rng, 100)) /* where the horizon ends */
        w.start_ms = s->zero_ms + (s->end - (int)sim_rng_below(&s->rng, 2 * DAY)) * TIDE_GRAIN_MS;
    w.end_ms = w.start_ms + sim_rng_range(&s->rng, -10, 400) * MIN_MS;
    if (sim_rng_chance(&s->rng, 30))
        w.end_ms += TIDE_DAY_MS;
    w.from = grain_of(s, w.start_ms);
    w.until = grain_of(s, w.end_ms + TIDE_GRAIN_MS - 1);
    return w;
}

static void compare_reply(struct slow *s, const struct wish *w, const struct expected *e)
{
    const struct tide_reply *reply = &s->f->reply;
    if (reply->code != e->code || reply->why != e->why)
        fail_msg("wish %d..%d: the slow way says %s/%s, the engine %s/%s", w->from, w->until,
                 code_name(e->code), why_name(e->why), code_name(reply->code),
                 why_name(reply->why));
    if (e->code != TIDE_CODE_full)
        return;
    assert_int_equal(grain_of(s, reply->free_until_ms), e->free_until);
    assert_int_equal(grain_of(s, reply->free_from_ms), e->free_from);
}

static void wish_for(struct slow *s)
{
    struct wish w = some_wish(s);
    struct expected e = expect(s, &w);
    struct tide_book book = {.plate = w.plate,
                             .zone = 1,
                             .cls = (uint8_t)w.cls,
                             .household = w.household,
                             .start_ms = w.start_ms,
                             .end_ms = w.end_ms};
    fixture_send(s->f, CLERK, TIDE_REC_book, &book);
    compare_reply(s, &w, &e);
    if (e.code != TIDE_CODE_ok)
        return;
    struct promise *p = &s->made[s->count++];
    *p = (struct promise){s->f->reply.id, e.slot, w.plate, w.from, w.until};
    assert_int_equal(fixture_booking(s->f, p->booking)->slot, e.slot);
    mark(s, p, true);
    s->minutes[w.household] -= (w.until - w.from) * TIDE_GRAIN_MIN;
    s->live[w.household]++;
}

static void quote_for(struct slow *s)
{
    struct wish w = some_wish(s);
    struct tide_ask_quote ask = {.plate = w.plate,
                                 .zone = 1,
                                 .cls = (uint8_t)w.cls,
                                 .start_ms = w.start_ms,
                                 .end_ms = w.end_ms};
    struct tide_quote quote = {0};
    unsigned places = 0;
    fixture_send(s->f, OWNER, TIDE_REC_ask_quote, &ask);
    if (s->f->reply.code == TIDE_CODE_invalid) {
        assert_true(w.until <= w.from || w.from < grain_now(s) || w.until > s->end);
        return;
    }
    for (tide_id id = 1; id <= ZONE_SLOTS; id++)
        places += s->cls[id] == w.cls && all_free(s, id, w.from, w.until);
    assert_true(fixture_effect(s->f, ENGINE_ITEM, TIDE_REC_quote, 0, &quote));
    assert_int_equal(quote.places, places);
    assert_int_equal(s->f->reply.code, places > 0 ? TIDE_CODE_ok : TIDE_CODE_full);
    assert_int_equal(quote.minutes, (w.until - w.from) * TIDE_GRAIN_MIN);
}

static void cancel_one(struct slow *s)
{
    if (s->count == 0)
        return;
    int i = (int)sim_rng_below(&s->rng, (uint32_t)s->count);
    struct promise *p = &s->made[i];
    const struct tide_booking *row = fixture_booking(s->f, p->booking);
    assert_non_null(row);
    s->minutes[row->household] += row->held_min;
    s->live[row->household]--;
    fixture_send(s->f, CLERK, TIDE_REC_cancel, &(struct tide_cancel){.booking = p->booking});
    CODE_IS(s->f, ok);
    mark(s, p, false);
    *p = s->made[--s->count];
}

/* An extension stays on its slot when it can, else moves to the best that can take all of it. */
static void extend_one(struct slow *s)
{
    if (s->count == 0)
        return;
    struct promise *p = &s->made[sim_rng_below(&s->rng, (uint32_t)s->count)];
    tide_id household = fixture_booking(s->f, p->booking)->household;
    int more = 1 + (int)sim_rng_below(&s->rng, 24), until = p->until + more;
    struct tide_extend ask = {.booking = p->booking, .end_ms = s->zero_ms + until * TIDE_GRAIN_MS};
    struct wish w = {.plate = p->plate, .from = p->until, .until = until};
    bool clear = !plate_is_promised(s, &w);
    bool can = (until - p->from) * TIDE_GRAIN_MIN <= STAY_MAX_MIN && until <= s->end && clear &&
               more * TIDE_GRAIN_MIN <= s->minutes[household];
    tide_id slot = can && all_free(s, p->slot, p->until, until) ? p->slot : 0;
    if (can && slot == 0)
        slot = best_slot(s, s->cls[p->slot], p->from, until);
    fixture_send(s->f, CLERK, TIDE_REC_extend, &ask);
    if ((s->f->reply.code == TIDE_CODE_ok) != (slot != 0))
        fail_msg("extend %d..%d to %d: the slow way says slot %u, the engine %s/%s", p->from,
                 p->until, until, slot, code_name(s->f->reply.code), why_name(s->f->reply.why));
    if (slot == 0)
        return;
    assert_int_equal(fixture_booking(s->f, p->booking)->slot, slot);
    mark(s, p, false);
    p->slot = slot;
    p->until = until;
    mark(s, p, true);
    s->minutes[household] -= more * TIDE_GRAIN_MIN;
}

/* ---- a round ------------------------------------------------------------------------------- */
static void open_slots(struct slow *s)
{
    static uint8_t blob[4096];
    size_t at = 0;
    ROW(setting_row, TIDE_SETTING_household_live_max, LIVE_MAX);
    ROW(setting_row, TIDE_SETTING_reseat_steps, 0); /* moves have a test of their own */
    ROW(slot, 4, 1, TIDE_SLOT_TITLE_common, TIDE_SLOT_CLASS_charger, 0, 1, 0);
    for (tide_id id = 1; id <= ZONE_SLOTS; id++)
        for (unsigned i = 0; i < 2; i++)
            ROW(window, .slot = id, .kind = TIDE_WINDOW_KIND_once,
                .start_ms = s->f->now_ms + sim_rng_range(&s->rng, 0, 4 * TIDE_DAY_MS),
                .end_ms = s->f->now_ms + sim_rng_range(&s->rng, 5, 15) * TIDE_DAY_MS);
    fixture_put_blob(s->f, CLERK, blob, at, TIDE_REC_put);
    CODE_IS(s->f, ok);
    for (tide_id id = HOME_OWNER; id <= HOME_NEIGHBOUR; id++) {
        const struct tide_account *account = engine_find(s->f->engine, TIDE_REC_account, id, 0, 0);
        s->minutes[id] = account->balance_min;
    }
}

static void promises_agree_with_the_slow_way(void **state)
{
    static void (*const deeds[])(struct slow * s) = {wish_for,  wish_for,   wish_for,   wish_for,
                                                     quote_for, cancel_one, extend_one, extend_one};
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct slow *s = calloc(1, sizeof *s);
        void *fresh = NULL;
        assert_non_null(s);
        fixture_set_up(&fresh);
        s->f = fresh;
        s->next_plate = 200;
        s->zero_ms = MONDAY_0800 - 8 * HOUR_MS;
        sim_rng_init(&s->rng, round, 2);
        s->f->now_ms += sim_rng_range(&s->rng, 0, 20 * MIN_MS);
        open_slots(s);
        learn_windows(s);
        for (int i = 0; i < WISHES; i++)
            deeds[sim_rng_below(&s->rng, sizeof deeds / sizeof *deeds)](s);
        assert_true(s->count > 10);
        fixture_tear_down(&fresh);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(promises_agree_with_the_slow_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
