/* test_naive_waits.c - who is offered a place that comes free, against a slow way that, whenever
 * anything has happened, goes through all who wait from the first on and looks at each five minutes
 * of each slot.
 *
 *   waits, by id        1 waits    2 offered (booking 7, confirm by 08:40)    3 waits    4 waits
 *   something happens ──► 1: fits? no.  3: fits? yes: the best slot, offered.  4: fits still? ...
 *
 * Two slots, open from 08:00 to 20:00, on one day; all that is asked for begins at 13:00 or later,
 * and the clock ends before that. Moves that make room have a test of their own (reseat_steps 0).
 */
#include "tests/sim/rng.h"

#include "tests/unit/wait_fixture.h"

#define ROUNDS 60
#define DEEDS 120
#define FIRST 60 /* grain: 13:00 */
#define END 144  /* 20:00 */
#define SLOTS 2  /* 5 and 6 */
#define MANY 200
#define LIVE_MAX 12
#define CONFIRM_MIN 20

struct piece { /* a promise or a wait */
    tide_id id, plate, household;
    int from, until; /* grains from 08:00 */
    unsigned slot;   /* of a promise: 0, 1 */
    tide_id waiting; /* of a promise: who waited for it and has not confirmed */
    tide_ms confirm_by_ms;
};

struct slow {
    struct fixture *f;
    struct sim_rng rng;
    struct piece promises[MANY], waits[MANY];
    unsigned promised, waiting;
    struct {
        tide_id window;
        unsigned slot;
        int from, until;
    } closed[MANY];
    unsigned closures;
    int32_t minutes[HOME_THIRD + 1];
    tide_id next_plate, next_booking, next_wait;
    unsigned offered, lapsed, extended, moved, confirmed;
};

static tide_id user_of(tide_id household)
{
    static const tide_id users[] = {[HOME_OWNER] = OWNER,
                                    [HOME_NEIGHBOUR] = NEIGHBOUR,
                                    [HOME_OUTSIDE] = OUTSIDER,
                                    [HOME_THIRD] = THIRD};
    return users[household];
}

/* ---- what is free ---------------------------------------------------------------------------- */
static bool is_free(const struct slow *s, unsigned slot, int grain, tide_id but)
{
    if (grain < 0 || grain >= END || grain < (s->f->now_ms - MONDAY_0800) / TIDE_GRAIN_MS)
        return false;
    for (unsigned i = 0; i < s->closures; i++)
        if (s->closed[i].slot == slot && s->closed[i].from <= grain && grain < s->closed[i].until)
            return false;
    for (unsigned i = 0; i < s->promised; i++) {
        const struct piece *p = &s->promises[i];
        if (p->id != but && p->slot == slot && p->from <= grain && grain < p->until)
            return false;
    }
    return true;
}

static bool all_free(const struct slow *s, unsigned slot, int from, int until, tide_id but)
{
    for (int g = from; g < until; g++)
        if (!is_free(s, slot, g, but))
            return false;
    return true;
}

/* Free with least left over around it; SLOTS: none. */
static unsigned best_slot(const struct slow *s, int from, int until, unsigned avoid)
{
    unsigned best = SLOTS;
    int least = 0;
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        int left = 0;
        if (slot == avoid || !all_free(s, slot, from, until, 0))
            continue;
        for (int g = from - 1; is_free(s, slot, g, 0); g--)
            left++;
        for (int g = until; is_free(s, slot, g, 0); g++)
            left++;
        if (best == SLOTS || left < least) {
            best = slot;
            least = left;
        }
    }
    return best;
}

/* ---- what the rules say ---------------------------------------------------------------------- */
static bool meet(const struct piece *a, const struct piece *b)
{
    return a->from < b->until && b->from < a->until;
}

static int32_t minutes_of(const struct piece *p)
{
    return (p->until - p->from) * TIDE_GRAIN_MIN;
}

static bool is_promised(const struct slow *s, const struct piece *w, tide_id but)
{
    for (unsigned i = 0; i < s->promised; i++)
        if (s->promises[i].id != but && s->promises[i].plate == w->plate &&
            meet(&s->promises[i], w))
            return true;
    return false;
}

static int live_of(const struct slow *s, tide_id household)
{
    int live = 0;
    for (unsigned i = 0; i < s->promised; i++)
        live += s->promises[i].household == household;
    return live;
}

static bool may_have(const struct slow *s, const struct piece *w)
{
    return !is_promised(s, w, 0) && live_of(s, w->household) < LIVE_MAX &&
           minutes_of(w) <= s->minutes[w->household];
}

/* ---- what happens ---------------------------------------------------------------------------- */
static struct piece *promise(struct slow *s, const struct piece *w, unsigned slot)
{
    struct piece *p = &s->promises[s->promised++];
    assert_true(s->promised < MANY);
    *p = *w;
    p->id = s->next_booking++;
    p->slot = slot;
    s->minutes[p->household] -= minutes_of(p);
    return p;
}

static void end_promise(struct slow *s, unsigned i)
{
    s->minutes[s->promises[i].household] += minutes_of(&s->promises[i]);
    memmove(&s->promises[i], &s->promises[i + 1], (--s->promised - i) * sizeof *s->promises);
}

/* From the first who waits on: whoever fits is offered a place. */
static void offer_all(struct slow *s)
{
    for (unsigned i = 0; i < s->waiting; i++) {
        struct piece *w = &s->waits[i];
        unsigned slot = best_slot(s, w->from, w->until, SLOTS);
        if (slot == SLOTS || !may_have(s, w))
            continue;
        struct piece *p = promise(s, w, slot);
        p->waiting = w->id;
        p->confirm_by_ms = s->f->now_ms + CONFIRM_MIN * MIN_MS;
        memmove(w, w + 1, (--s->waiting - i--) * sizeof *w);
        s->offered++;
    }
}

/* The first offer that nobody confirmed in time; MANY: none. */
static unsigned first_lapsed(const struct slow *s, tide_ms until_ms)
{
    unsigned found = MANY;
    for (unsigned i = 0; i < s->promised; i++) {
        const struct piece *p = &s->promises[i];
        if (p->waiting == 0 || p->confirm_by_ms > until_ms)
            continue;
        if (found == MANY || p->confirm_by_ms < s->promises[found].confirm_by_ms ||
            (p->confirm_by_ms == s->promises[found].confirm_by_ms &&
             p->waiting < s->promises[found].waiting))
            found = i;
    }
    return found;
}

/* A minute on (0: at this moment); places that nobody took go on. */
static void pass(struct slow *s, tide_ms ms)
{
    unsigned lapsed;
    fixture_pass(s->f, ms);
    while ((lapsed = first_lapsed(s, s->f->now_ms)) != MANY) {
        end_promise(s, lapsed);
        s->lapsed++;
    }
    offer_all(s);
}

static void compare(const struct slow *s)
{
    uint32_t cursor = 0, seen = 0;
    const struct tide_waiting *row;
    for (unsigned i = 0; i < s->promised; i++) {
        const struct piece *p = &s->promises[i];
        const struct tide_booking *booking = fixture_booking(s->f, p->id);
        if (booking == NULL)
            fail_msg("booking %u of plate %u is missing", p->id, p->plate);
        assert_int_equal(booking->plate, p->plate);
        assert_int_equal(booking->slot, 5 + p->slot);
        assert_int_equal(booking->start_ms, AT(p->from * 5));
        assert_int_equal(booking->end_ms, AT(p->until * 5));
        if (p->waiting == 0)
            continue;
        assert_int_equal(booking->waiting, p->waiting);
        row = waiting(s->f, p->waiting);
        assert_non_null(row);
        assert_int_equal(row->state, TIDE_WAITING_STATE_offered);
        assert_int_equal(row->booking, p->id);
        assert_int_equal(row->confirm_by_ms, p->confirm_by_ms);
        seen++;
    }
    for (unsigned i = 0; i < s->waiting; i++) {
        row = waiting(s->f, s->waits[i].id);
        if (row == NULL || row->state != TIDE_WAITING_STATE_waiting)
            fail_msg("wait %u should wait on", s->waits[i].id);
        seen++;
    }
    while (engine_next(s->f->engine, TIDE_REC_waiting, &cursor) != NULL)
        seen--;
    assert_int_equal(seen, 0);
}

/* ---- deeds ----------------------------------------------------------------------------------- */
static struct piece some_piece(struct slow *s)
{
    struct piece w = {.household = HOME_OWNER + sim_rng_below(&s->rng, 4)};
    w.plate = sim_rng_chance(&s->rng, 850) ? s->next_plate++ : 100 + sim_rng_below(&s->rng, 6);
    w.from = (int)sim_rng_range(&s->rng, FIRST, END - 8);
    w.until = w.from + (int)sim_rng_range(&s->rng, 2, 26);
    w.until = w.until < END ? w.until : END;
    return w;
}

static void book(struct slow *s)
{
    struct piece w = some_piece(s);
    bool may = may_have(s, &w);
    unsigned slot = best_slot(s, w.from, w.until, SLOTS);
    tide_id id = fixture_book(s->f, user_of(w.household), w.plate, ZONE, w.from * 5, w.until * 5);
    assert_int_equal(id != 0, may && slot != SLOTS);
    if (id != 0)
        assert_int_equal(promise(s, &w, slot)->id, id);
}

static bool waits_already(const struct slow *s, const struct piece *w)
{
    for (unsigned i = 0; i < s->waiting; i++)
        if (s->waits[i].plate == w->plate && meet(&s->waits[i], w))
            return true;
    return false;
}

static void wait_for(struct slow *s)
{
    struct piece w = some_piece(s);
    int live = live_of(s, w.household);
    int32_t need = minutes_of(&w);
    for (unsigned i = 0; i < s->waiting; i++)
        if (s->waits[i].household == w.household) {
            live++;
            need += minutes_of(&s->waits[i]);
        }
    bool may = !waits_already(s, &w) && !is_promised(s, &w, 0) && live < LIVE_MAX &&
               need <= s->minutes[w.household] && best_slot(s, w.from, w.until, SLOTS) == SLOTS;
    tide_id id = want(s->f, user_of(w.household), w.plate, w.from * 5, w.until * 5);
    assert_int_equal(id, may ? s->next_wait : 0);
    if (id == 0)
        return;
    w.id = s->next_wait++;
    s->waits[s->waiting++] = w;
}

static void cancel_one(struct slow *s)
{
    if (s->promised == 0)
        return;
    unsigned i = sim_rng_below(&s->rng, s->promised);
    struct tide_cancel ask = {.booking = s->promises[i].id};
    fixture_send(s->f, user_of(s->promises[i].household), TIDE_REC_cancel, &ask);
    CODE_IS(s->f, ok);
    end_promise(s, i);
}

static void unwait_one(struct slow *s)
{
    bool offered = s->waiting == 0 || sim_rng_chance(&s->rng, 300);
    if (!offered) {
        unsigned i = sim_rng_below(&s->rng, s->waiting);
        struct tide_unwait ask = {.waiting = s->waits[i].id};
        fixture_send(s->f, user_of(s->waits[i].household), TIDE_REC_unwait, &ask);
        CODE_IS(s->f, ok);
        memmove(&s->waits[i], &s->waits[i + 1], (--s->waiting - i) * sizeof *s->waits);
        return;
    }
    for (unsigned i = 0; i < s->promised; i++)
        if (s->promises[i].waiting != 0) {
            struct tide_unwait ask = {.waiting = s->promises[i].waiting};
            fixture_send(s->f, user_of(s->promises[i].household), TIDE_REC_unwait, &ask);
            CODE_IS(s->f, ok);
            end_promise(s, i);
            return;
        }
}

static void confirm_one(struct slow *s)
{
    for (unsigned i = 0; i < s->promised; i++)
        if (s->promises[i].waiting != 0) {
            struct tide_confirm ask = {.booking = s->promises[i].id};
            fixture_send(s->f, user_of(s->promises[i].household), TIDE_REC_confirm, &ask);
            CODE_IS(s->f, ok);
            s->promises[i].waiting = 0;
            s->confirmed++;
            return;
        }
}

/* Longer or shorter; on its slot when it can be, else on the other. */
static void extend_one(struct slow *s)
{
    if (s->promised == 0)
        return;
    struct piece *p = &s->promises[sim_rng_below(&s->rng, s->promised)];
    int until = p->until + (int)sim_rng_range(&s->rng, -4, 12), more = until - p->until;
    struct piece w = {.plate = p->plate, .from = p->from, .until = until};
    bool may = until > p->from && until <= END &&
               more * TIDE_GRAIN_MIN <= s->minutes[p->household] && !is_promised(s, &w, p->id);
    unsigned slot = p->slot;
    if (more > 0 && !all_free(s, slot, p->until, until, p->id))
        slot = best_slot(s, p->from, until, p->slot);
    struct tide_extend ask = {.booking = p->id, .end_ms = AT(until * 5)};
    fixture_send(s->f, user_of(p->household), TIDE_REC_extend, &ask);
    assert_int_equal(s->f->reply.code == TIDE_CODE_ok, may && slot != SLOTS);
    if (!may || slot == SLOTS)
        return;
    s->extended++;
    s->moved += p->slot != slot;
    s->minutes[p->household] -= more * TIDE_GRAIN_MIN;
    p->slot = slot;
    p->until = until;
}

/* Closes hours of a slot in which nobody has a promise, or opens them again. */
static void close_or_open(struct slow *s)
{
    unsigned slot = sim_rng_below(&s->rng, SLOTS);
    int from = (int)sim_rng_range(&s->rng, FIRST, END - 10), until = from + 10;
    if (s->closures > 0 && sim_rng_chance(&s->rng, 500)) {
        struct tide_unshare ask = {.window = s->closed[--s->closures].window};
        fixture_send(s->f, CLERK, TIDE_REC_unshare, &ask);
        CODE_IS(s->f, ok);
        return;
    }
    if (!all_free(s, slot, from, until, 0))
        return;
    struct tide_blackout ask = {
        .slot = 5 + slot, .start_ms = AT(from * 5), .end_ms = AT(until * 5)};
    fixture_send(s->f, CLERK, TIDE_REC_blackout, &ask);
    CODE_IS(s->f, ok);
    s->closed[s->closures].window = s->f->reply.id;
    s->closed[s->closures].slot = slot;
    s->closed[s->closures].from = from;
    s->closed[s->closures++].until = until;
}

/* ---- a round --------------------------------------------------------------------------------- */
static void begin(struct slow *s, struct fixture *f, uint64_t seed)
{
    static uint8_t blob[256];
    size_t at = 0;
    *s = (struct slow){.f = f, .next_plate = 200, .next_booking = 1, .next_wait = 1};
    sim_rng_init(&s->rng, seed, 4);
    ROW(setting_row, TIDE_SETTING_household_live_max, LIVE_MAX);
    ROW(setting_row, TIDE_SETTING_reseat_steps, 0);
    ROW(setting_row, TIDE_SETTING_wait_confirm_min, CONFIRM_MIN);
    fixture_put_blob(f, CLERK, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    for (tide_id id = HOME_OWNER; id <= HOME_THIRD; id++) {
        const struct tide_account *account = engine_find(f->engine, TIDE_REC_account, id, 0, 0);
        s->minutes[id] = account->balance_min;
    }
}

static void offers_agree_with_the_slow_way(void **state)
{
    static void (*const deeds[])(struct slow * s) = {
        book,       wait_for,    wait_for,   wait_for,      cancel_one,
        unwait_one, confirm_one, extend_one, close_or_open, book};
    static struct slow s;
    unsigned offered = 0, lapsed = 0, moved = 0, confirmed = 0;
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct fixture *f = fresh();
        begin(&s, f, round);
        for (unsigned i = 0; i < DEEDS; i++) {
            if (s.promised + 2 >= MANY || s.closures + 2 >= MANY)
                break;
            deeds[sim_rng_below(&s.rng, sizeof deeds / sizeof *deeds)](&s);
            offer_all(&s);
            pass(&s, 0);
            compare(&s);
            for (uint32_t minutes = sim_rng_below(&s.rng, 5); minutes > 1; minutes--)
                pass(&s, MIN_MS);
            compare(&s);
        }
        offered += s.offered;
        lapsed += s.lapsed;
        moved += s.moved;
        confirmed += s.confirmed;
        void *gone = f;
        fixture_tear_down(&gone);
    }
    assert_true(offered > 200 && lapsed > 30 && moved > 10 && confirmed > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offers_agree_with_the_slow_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
