/* test_enumeration.c - everything that can happen in a small zone, counted out.
 *
 *                grain 0 1 2 3 4 5
 *   slot 1   [0,6)     ▓▓▓░░░▓▓▓▓▓      a window is one of the 21 intervals of six grains, so is a
 *   slot 2   [1,5)     . ░░░▓▓▓ .       promise; nobody has arrived
 *   wish     [1,4)       ├────┤         slot 2 has room for it once its promise is on slot 1
 *
 * Seats: all windows of one to three slots, all seatings of one to three promises on them, each
 * wish. Instances that differ in when they begin, in the numbers of slots with one window, or by a
 * slot on which nothing has room, are one: 14,147,160. Where a slot is free for the wish
 * (7,909,185), the best fitting one must be found; where none is, but wish and promises could all
 * be seated, by whatever moves (1,843,542), the usual depth of the search must find moves that
 * seat them; where they could not (4,394,433), none. A run takes one in 16, and of those that need
 * moves one in 8; TIDE_ENUMERATION_STRIDE=1 takes all (10 s).
 *
 * Draws: all wishes, one to four, and all spans, one to three, that differ in what they are good
 * for: a span begins where a wish in it begins and ends where one ends, and each wish fits
 * somewhere: 271,971, all of them in each run. Served must be as many grains as the best of all
 * ways to seat them serves.
 */
#include "daemon/core/parking/draw_solve.h"
#include "daemon/core/parking/freemap.h"
#include "daemon/core/parking/order.h"
#include "daemon/core/parking/parking.h"

#include "tests/unit/engine_fixture.h"

#define GRAINS 6u
#define KINDS (GRAINS * (GRAINS + 1) / 2)
#define SLOTS_MAX 3u
#define PROMISES_MAX 3u
#define WISHES_MAX 4u
#define ZONE 4 /* slots 9 to 11, which have no windows of their own */
#define FIRST_SLOT 9

struct interval {
    uint8_t from, until, mask;
};
static struct interval intervals[KINDS];

static void make_intervals(void)
{
    unsigned n = 0;
    for (unsigned from = 0; from < GRAINS; from++)
        for (unsigned until = from + 1; until <= GRAINS; until++)
            intervals[n++] = (struct interval){(uint8_t)from, (uint8_t)until,
                                               (uint8_t)((1u << until) - (1u << from))};
    assert_int_equal(n, KINDS);
}

#if defined(__SANITIZE_ADDRESS__)
#define SLOWER 16u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOWER 16u
#endif
#endif
#ifndef SLOWER
#define SLOWER 1u
#endif

/* One in so many. */
static uint64_t stride_of(uint64_t usual)
{
    const char *given = getenv("TIDE_ENUMERATION_STRIDE");
    return given != NULL ? strtoull(given, NULL, 10) : usual * SLOWER;
}

/* ---- seats ----------------------------------------------------------------------------------- */
struct world {
    struct fixture *f;
    struct engine *engine;
    struct step step;
    struct engine_event event;
    grain zero;
    unsigned slots, promises;
    uint8_t open[SLOTS_MAX], busy[SLOTS_MAX];
    uint8_t kind[PROMISES_MAX + 1], slot[PROMISES_MAX + 1]; /* of promises; then the wish */
    unsigned made;                                          /* in the engine */
    uint8_t made_kind[PROMISES_MAX], made_slot[PROMISES_MAX];
    uint64_t direct, moved, stuck, stride, moved_stride;
};

static struct span span_of(const struct world *w, unsigned kind)
{
    return (struct span){w->zero + intervals[kind].from, w->zero + intervals[kind].until,
                         grain_floor(w->f->now_ms)};
}

static void promise(struct world *w, unsigned slot, unsigned kind)
{
    w->kind[w->promises] = (uint8_t)kind;
    w->slot[w->promises++] = (uint8_t)slot;
    w->busy[slot] |= intervals[kind].mask;
}

static void take_back(struct world *w)
{
    w->promises--;
    w->busy[w->slot[w->promises]] &= (uint8_t)~intervals[w->kind[w->promises]].mask;
}

/* ---- the same in the engine ------------------------------------------------------------------ */
static void make_booking(struct world *w)
{
    unsigned n = w->made++;
    struct booking_state *booking = table_add(&w->engine->bookings, n + 1);
    struct span span = span_of(w, w->kind[n]);
    assert_non_null(booking);
    booking->row.plate = 200 + n;
    booking->row.zone = ZONE;
    booking->row.slot = FIRST_SLOT + w->slot[n];
    booking->row.household = HOME_OUTSIDE;
    booking->row.start_ms = span.from * TIDE_GRAIN_MS;
    booking->row.end_ms = booking->row.no_show_ms = span.until * TIDE_GRAIN_MS;
    booking_attach(w->engine, booking);
    w->made_kind[n] = w->kind[n];
    w->made_slot[n] = w->slot[n];
}

static void drop_booking(struct world *w)
{
    struct booking_state *booking = booking_of(w->engine, w->made--);
    booking_detach(w->engine, booking);
    table_remove(&w->engine->bookings, booking);
}

/* Brings the engine up to the seating at hand. */
static void keep_up(struct world *w)
{
    unsigned same = 0;
    while (same < w->made && same < w->promises && w->made_kind[same] == w->kind[same] &&
           w->made_slot[same] == w->slot[same])
        same++;
    while (w->made > same)
        drop_booking(w);
    while (w->made < w->promises)
        make_booking(w);
}

static void write_open(struct world *w, unsigned slot, uint8_t mask)
{
    const struct slot_state *state = slot_of(w->engine, FIRST_SLOT + slot);
    while (w->made > 0)
        drop_booking(w);
    w->open[slot] = mask;
    freemap_clear(w->engine, state->open, w->zero, w->zero + GRAINS);
    for (unsigned g = 0; g < GRAINS; g++)
        if ((mask >> g & 1) != 0)
            freemap_set(w->engine, state->open, w->zero + g, w->zero + g + 1);
    freemap_publish(w->engine, state, w->zero, w->zero + GRAINS);
}

/* Whether the first n pieces can all be seated, wherever. */
static bool could_seat(const struct world *w, unsigned n, uint8_t *busy)
{
    if (n == 0)
        return true;
    uint8_t mask = intervals[w->kind[n - 1]].mask;
    for (unsigned s = 0; s < w->slots; s++) {
        if ((mask & (uint8_t)~w->open[s]) != 0 || (mask & busy[s]) != 0)
            continue;
        busy[s] |= mask;
        bool all = could_seat(w, n - 1, busy);
        busy[s] &= (uint8_t)~mask;
        if (all)
            return true;
    }
    return false;
}

/* Free grains right before and after. */
static unsigned left_over(const struct world *w, unsigned slot, unsigned kind)
{
    uint8_t free = w->open[slot] & (uint8_t)~w->busy[slot];
    unsigned left = 0;
    for (unsigned g = intervals[kind].from; g > 0 && (free >> (g - 1) & 1) != 0; g--)
        left++;
    for (unsigned g = intervals[kind].until; g < GRAINS && (free >> g & 1) != 0; g++)
        left++;
    return left;
}

/* The slot that is free for it and leaves least over; SLOTS_MAX: none. */
static unsigned best_slot(const struct world *w, unsigned kind)
{
    unsigned best = SLOTS_MAX, least = GRAINS;
    uint8_t mask = intervals[kind].mask;
    for (unsigned s = 0; s < w->slots; s++)
        if ((mask & (uint8_t) ~(w->open[s] & (uint8_t)~w->busy[s])) == 0 &&
            left_over(w, s, kind) < least) {
            best = s;
            least = left_over(w, s, kind);
        }
    return best;
}

static void tell(const struct world *w, const char *what, unsigned kind)
{
    for (unsigned s = 0; s < w->slots; s++)
        print_message("slot %u open %#x\n", s, w->open[s]);
    for (unsigned n = 0; n < w->promises; n++)
        print_message("%u-%u on %u\n", intervals[w->kind[n]].from, intervals[w->kind[n]].until,
                      w->slot[n]);
    fail_msg("%s: wish %u-%u", what, intervals[kind].from, intervals[kind].until);
}

/* All sit in windows and none on another; the wish has the slot. */
static void all_are_seated(const struct world *w, unsigned kind, tide_id slot)
{
    uint8_t busy[SLOTS_MAX] = {0};
    busy[slot - FIRST_SLOT] = intervals[kind].mask;
    for (unsigned n = 0; n < w->promises; n++) {
        unsigned at = booking_of(w->engine, n + 1)->row.slot - FIRST_SLOT;
        assert_true(at < w->slots);
        if ((busy[at] & intervals[w->kind[n]].mask) != 0)
            tell(w, "two on one slot", kind);
        busy[at] |= intervals[w->kind[n]].mask;
    }
    for (unsigned s = 0; s < w->slots; s++)
        if ((busy[s] & (uint8_t)~w->open[s]) != 0)
            tell(w, "outside its window", kind);
}

static void ask_for_moves(struct world *w, unsigned kind, bool possible)
{
    static struct reseat_log log;
    struct span span = span_of(w, kind);
    keep_up(w);
    log.count = 0;
    w->f->effects.len = w->f->effects.count = 0;
    w->step.reseat_spent = 0;
    tide_id slot = reseat_find_but(&w->step, ZONE, TIDE_SLOT_CLASS_standard, span, 0, &log);
    if ((slot != 0) != possible)
        tell(w, possible ? "not found" : "found what is none", kind);
    if (!possible)
        return;
    all_are_seated(w, kind, slot);
    reseat_undo(w->engine, &log);
    for (unsigned n = 0; n < w->promises; n++)
        assert_int_equal(booking_of(w->engine, n + 1)->row.slot, FIRST_SLOT + w->slot[n]);
}

static void ask_directly(struct world *w, unsigned kind)
{
    keep_up(w);
    unsigned best = best_slot(w, kind);
    tide_id found = seat_find(w->engine, ZONE, TIDE_SLOT_CLASS_standard, span_of(w, kind), 0);
    if (found != (best == SLOTS_MAX ? 0 : FIRST_SLOT + best))
        tell(w, "another slot", kind);
}

/* Slots with one and the same window are told apart by their numbers alone: of all ways to deal
 * seats out to them, the one in which those of the first come first. */
static bool is_the_first_of_its_like(const struct world *w)
{
    uint32_t seats[SLOTS_MAX] = {0};
    for (unsigned n = 0; n < w->promises; n++)
        seats[w->slot[n]] = seats[w->slot[n]] * (KINDS + 1) + w->kind[n] + 1;
    for (unsigned s = 0; s + 1 < w->slots; s++)
        if (w->open[s] == w->open[s + 1] && seats[s] < seats[s + 1])
            return false;
    return true;
}

/* A slot on which neither the wish nor a promise has room is as good as none: the same with one
 * slot less is counted there. */
static bool all_slots_matter(const struct world *w)
{
    for (unsigned s = 0; s < w->slots; s++) {
        bool fits = false;
        for (unsigned n = 0; n <= w->promises && !fits; n++)
            fits = (intervals[w->kind[n]].mask & (uint8_t)~w->open[s]) == 0;
        if (!fits)
            return false;
    }
    return true;
}

static bool is_open_somewhere(const struct world *w, uint8_t mask)
{
    for (unsigned s = 0; s < w->slots; s++)
        if ((mask & (uint8_t)~w->open[s]) == 0)
            return true;
    return false;
}

static void each_wish(struct world *w)
{
    if (!is_the_first_of_its_like(w))
        return;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint8_t busy[SLOTS_MAX] = {0};
        w->kind[w->promises] = (uint8_t)kind;
        if (!is_open_somewhere(w, intervals[kind].mask) || !all_slots_matter(w))
            continue;
        if (best_slot(w, kind) != SLOTS_MAX) {
            if (w->direct++ % w->stride == 0)
                ask_directly(w, kind);
        } else if (could_seat(w, w->promises + 1, busy)) {
            if (w->moved++ % w->moved_stride != 0)
                continue;
            ask_directly(w, kind);
            ask_for_moves(w, kind, true);
        } else if (w->stuck++ % w->stride == 0) {
            ask_for_moves(w, kind, false);
        }
    }
}

static void each_seating(struct world *w, unsigned slot, unsigned first)
{
    if (w->promises > 0)
        each_wish(w);
    if (w->promises == PROMISES_MAX)
        return;
    for (unsigned s = slot; s < w->slots; s++)
        for (unsigned kind = s == slot ? first : 0; kind < KINDS; kind++) {
            uint8_t mask = intervals[kind].mask;
            if ((mask & (uint8_t) ~(w->open[s] & (uint8_t)~w->busy[s])) != 0)
                continue;
            promise(w, s, kind);
            each_seating(w, s, kind);
            take_back(w);
        }
}

static void world_begin(struct world *w, struct fixture *f)
{
    static uint8_t blob[4096];
    size_t at = 0;
    *w = (struct world){
        .f = f, .engine = f->engine, .stride = stride_of(16), .moved_stride = stride_of(8)};
    ROW(zone, .id = ZONE, .place = COMPOUND, .outsiders = 1, .resolution = 2019);
    for (tide_id id = FIRST_SLOT; id < FIRST_SLOT + SLOTS_MAX; id++)
        ROW(slot, id, ZONE, TIDE_SLOT_TITLE_common, 0, 0, 1, 0);
    fixture_put_blob(f, ADMIN, blob, at, TIDE_REC_put);
    CODE_IS(f, ok);
    w->step = (struct step){
        .engine = f->engine, .event = &w->event, .effects = &f->effects, .now_ms = f->now_ms};
    w->zero = grain_floor(f->now_ms) + TIDE_GRAINS_A_DAY;
    while (freemap_at(f->engine, w->zero) % 64 != 61) /* over the edge of a word */
        w->zero++;
}

static void each_zone_seats_whom_it_can(void **state)
{
    struct world w;
    world_begin(&w, *state);
    for (w.slots = 1; w.slots <= SLOTS_MAX; w.slots++)
        for (unsigned a = 0; a < KINDS; a++)
            for (unsigned b = w.slots > 1 ? a : KINDS - 1; b < KINDS; b++)
                for (unsigned c = w.slots > 2 ? b : KINDS - 1; c < KINDS; c++) {
                    if (intervals[a].from != 0) /* the same, later */
                        continue;
                    write_open(&w, 0, intervals[a].mask);
                    write_open(&w, 1, w.slots > 1 ? intervals[b].mask : 0);
                    write_open(&w, 2, w.slots > 2 ? intervals[c].mask : 0);
                    each_seating(&w, 0, 0);
                }
    assert_int_equal(w.direct, 7909185); /* none was left out */
    assert_int_equal(w.moved, 1843542);
    assert_int_equal(w.stuck, 4394433);
}

/* ---- draws ----------------------------------------------------------------------------------- */
struct drawing {
    struct draw_span spans[SLOTS_MAX];
    struct draw_wish wishes[WISHES_MAX];
    uint32_t span_count, wish_count;
    uint8_t kinds[KINDS]; /* of spans that are good for something */
    unsigned kind_count;
    uint64_t number, stride;
};

static uint8_t memory[1 << 20] __attribute__((aligned(8)));

static bool is_within(unsigned kind, unsigned span)
{
    return (intervals[kind].mask & (uint8_t)~intervals[span].mask) == 0;
}

/* The most grains that wishes from `at` on can have, by trying all. */
static unsigned most_grains(const struct drawing *d, const uint8_t *wish_of, uint32_t at,
                            uint8_t *left)
{
    if (at == d->wish_count)
        return 0;
    unsigned most = most_grains(d, wish_of, at + 1, left);
    uint8_t mask = intervals[wish_of[at]].mask;
    for (uint32_t s = 0; s < d->span_count; s++) {
        if ((mask & (uint8_t)~left[s]) != 0)
            continue;
        left[s] &= (uint8_t)~mask;
        unsigned all = most_grains(d, wish_of, at + 1, left) +
                       (unsigned)(intervals[wish_of[at]].until - intervals[wish_of[at]].from);
        left[s] |= mask;
        most = all > most ? all : most;
    }
    return most;
}

static void one_draw(struct drawing *d, const uint8_t *wish_of, const uint8_t *span_of_)
{
    uint8_t left[SLOTS_MAX], busy[SLOTS_MAX] = {0};
    struct draw_problem p = {.spans = d->spans,
                             .wishes = d->wishes,
                             .span_count = d->span_count,
                             .wish_count = d->wish_count,
                             .seed = d->number,
                             .steps_max = 3000};
    struct draw_outcome outcome;
    for (uint32_t i = 0; i < d->wish_count; i++)
        d->wishes[i] = (struct draw_wish){.from = intervals[wish_of[i]].from,
                                          .until = intervals[wish_of[i]].until};
    for (uint32_t i = 0; i < d->span_count; i++) {
        left[i] = intervals[span_of_[i]].mask;
        d->spans[i] = (struct draw_span){.from = intervals[span_of_[i]].from,
                                         .until = intervals[span_of_[i]].until};
    }
    draw_solve(&p, memory, sizeof memory, &outcome);
    for (uint32_t i = 0; i < d->wish_count; i++) {
        uint32_t at = d->wishes[i].span;
        if (at == 0)
            continue;
        assert_true(at <= d->span_count && is_within(wish_of[i], span_of_[at - 1]));
        assert_int_equal(busy[at - 1] & intervals[wish_of[i]].mask, 0);
        busy[at - 1] |= intervals[wish_of[i]].mask;
    }
    unsigned most = most_grains(d, wish_of, 0, left);
    if (outcome.grains != most || outcome.limit < most) {
        for (uint32_t i = 0; i < d->span_count; i++)
            print_message("span %u-%u\n", d->spans[i].from, d->spans[i].until);
        for (uint32_t i = 0; i < d->wish_count; i++)
            print_message("wish %u-%u\n", d->wishes[i].from, d->wishes[i].until);
        fail_msg("%lld grains, %u can be served", (long long)outcome.grains, most);
    }
}

static void each_spans(struct drawing *d, const uint8_t *wish_of, uint8_t *span_of_, unsigned first)
{
    if (d->span_count > 0) {
        bool all = true;
        for (uint32_t i = 0; i < d->wish_count && all; i++) {
            all = false;
            for (uint32_t s = 0; s < d->span_count && !all; s++)
                all = is_within(wish_of[i], span_of_[s]);
        }
        if (all && d->number++ % d->stride == 0)
            one_draw(d, wish_of, span_of_);
    }
    if (d->span_count == SLOTS_MAX)
        return;
    for (unsigned k = first; k < d->kind_count; k++) {
        span_of_[d->span_count++] = d->kinds[k];
        each_spans(d, wish_of, span_of_, k);
        d->span_count--;
    }
}

/* Spans that begin where a wish in them begins, and end where one ends. */
static void find_kinds(struct drawing *d, const uint8_t *wish_of)
{
    d->kind_count = 0;
    for (unsigned k = 0; k < KINDS; k++) {
        bool begins = false, ends = false;
        for (uint32_t i = 0; i < d->wish_count; i++) {
            bool in = is_within(wish_of[i], k);
            begins |= in && intervals[wish_of[i]].from == intervals[k].from;
            ends |= in && intervals[wish_of[i]].until == intervals[k].until;
        }
        if (begins && ends)
            d->kinds[d->kind_count++] = (uint8_t)k;
    }
}

static void each_wishes(struct drawing *d, uint8_t *wish_of, unsigned first)
{
    uint8_t span_of_[SLOTS_MAX];
    if (d->wish_count > 0) {
        find_kinds(d, wish_of);
        each_spans(d, wish_of, span_of_, 0);
    }
    if (d->wish_count == WISHES_MAX)
        return;
    for (unsigned k = first; k < KINDS; k++) {
        if (d->wish_count == 0 && intervals[k].from != 0) /* the same, later */
            break;
        wish_of[d->wish_count++] = (uint8_t)k;
        each_wishes(d, wish_of, k);
        d->wish_count--;
    }
}

static void each_draw_serves_the_most(void **state)
{
    struct drawing d = {.stride = stride_of(1)};
    uint8_t wish_of[WISHES_MAX];
    (void)state;
    each_wishes(&d, wish_of, 0);
    assert_int_equal(d.number, 271971);
}

int main(void)
{
    make_intervals();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_zone_seats_whom_it_can, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test(each_draw_serves_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
