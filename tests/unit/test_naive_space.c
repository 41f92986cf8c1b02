/* test_naive_space.c - free time in bits (freemap.h, slices.h, seat.c, board.h) against a yes or no
 * for each five minutes of each slot.
 *
 * 1,100 slots in three zones, of two classes; their ids lie in three chunks of words. What is open
 * and what is taken is drawn anew each round in a part of the ring: at its first day, at its last,
 * over the end of the ring, and in between.
 *
 *   grain        known_from                                            known_until
 *                    ├──────────────────── what the ring knows ────────────┤
 *   part         ├─────────┤      ├─────────┤     ring's end ├─────────┤
 */
#include "daemon/core/parking/board.h"
#include "daemon/core/parking/slices.h"
#include "tests/sim/rng.h"

#include "tests/unit/engine_fixture.h"

#define SLOTS 1100u
#define ZONES 3u
#define PART 700 /* grains that are looked at */
#define ROUNDS 24
#define ASKED 120
#define TODAY 18036

struct space {
    struct engine *engine;
    struct sim_rng rng;
    grain zero; /* of the part */
    bool open[SLOTS + 1][PART], busy[SLOTS + 1][PART];
};

static unsigned zone_of_id(tide_id id)
{
    return id <= 70 || (id > 500 && id <= 560) || id > 1020 ? 1 : id <= 200 ? 2 : 3;
}

static unsigned class_of_id(tide_id id)
{
    return id % 5 == 0 ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard;
}

static void load(struct engine *engine, unsigned kind, const void *row)
{
    assert_int_equal(engine_load(engine, kind, row), 0);
}

static struct engine *make_engine(void)
{
    static const struct engine_limits limits = {
        .places = 4, .persons = 4, .users = 4, .zones = ZONES, .slots = SLOTS, .bookings = 8};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    assert_non_null(memory);
    memset(memory, 0xff, size); /* what lay there before is of no meaning */
    struct engine *engine = engine_init(memory, size, &limits);
    load(engine, TIDE_REC_setting_row,
         &(struct tide_setting_row){TIDE_SETTING_rolled_date, TODAY + 14});
    load(engine, TIDE_REC_place, &(struct tide_place){1, TIDE_PLACE_KIND_community, 0});
    for (tide_id zone = 1; zone <= ZONES; zone++)
        load(engine, TIDE_REC_zone, &(struct tide_zone){.id = zone, .place = 1});
    for (tide_id id = 1; id <= SLOTS; id++)
        load(engine, TIDE_REC_slot,
             &(struct tide_slot){.id = id,
                                 .zone = zone_of_id(id),
                                 .title = TIDE_SLOT_TITLE_common,
                                 .cls = (uint8_t)class_of_id(id)});
    assert_int_equal(engine_load_end(engine, MONDAY_0800), 0);
    return engine;
}

/* ---- drawing --------------------------------------------------------------------------------- */
static bool knows(const struct space *s, int g)
{
    grain at = s->zero + g;
    return g >= 0 && g < PART && at >= s->engine->known_from && at < s->engine->known_until;
}

/* Runs that are and runs that are not, in the bits and in the yes or no. */
static void draw_runs(struct space *s, uint64_t *bits, bool *is, int long_run)
{
    for (int g = 0; g < PART;) {
        int until = g + 1 + (int)sim_rng_below(&s->rng, (uint32_t)long_run);
        bool set = sim_rng_chance(&s->rng, 500);
        for (; g < until && g < PART; g++) {
            if (!knows(s, g)) /* other days' bits lie there */
                continue;
            is[g] = set;
            if (set)
                freemap_set(s->engine, bits, s->zero + g, s->zero + g + 1);
            else
                freemap_clear(s->engine, bits, s->zero + g, s->zero + g + 1);
        }
    }
}

static void draw_all(struct space *s)
{
    static const int runs[] = {8, 60, 300, 1200};
    grain from = s->zero > s->engine->known_from ? s->zero : s->engine->known_from;
    grain until = s->zero + PART < s->engine->known_until ? s->zero + PART : s->engine->known_until;
    memset(s->open, 0, sizeof s->open);
    memset(s->busy, 0, sizeof s->busy);
    for (tide_id id = 1; id <= SLOTS; id++) {
        const struct slot_state *slot = slot_of(s->engine, id);
        freemap_clear(s->engine, slot->open, s->engine->known_from, s->engine->known_until);
        freemap_clear(s->engine, slot->busy, s->engine->known_from, s->engine->known_until);
        freemap_publish(s->engine, slot, s->engine->known_from, s->engine->known_until);
        if (sim_rng_chance(&s->rng, 600)) /* most are closed all day: else little is the best */
            continue;
        draw_runs(s, slot->open, s->open[id], runs[1 + sim_rng_below(&s->rng, 3)]);
        draw_runs(s, slot->busy, s->busy[id], runs[sim_rng_below(&s->rng, 3)]);
        freemap_publish(s->engine, slot, from, until);
    }
}

/* ---- the slow way ---------------------------------------------------------------------------- */
static bool is_open(const struct space *s, tide_id id, int g)
{
    return knows(s, g) && s->open[id][g];
}

static bool is_free(const struct space *s, tide_id id, int g)
{
    return is_open(s, id, g) && !s->busy[id][g];
}

static int left_over(const struct space *s, tide_id id, int from, int until, int now)
{
    int left = 0;
    for (int g = from - 1; g >= now && g >= from - TIDE_GRAINS_A_DAY && is_free(s, id, g); g--)
        left++;
    for (int g = until; g < until + TIDE_GRAINS_A_DAY && is_free(s, id, g); g++)
        left++;
    return left;
}

struct asked {
    tide_id zone, avoid;
    enum tide_slot_class cls;
    int from, until, now;
};

static struct asked draw_asked(struct space *s)
{
    static const int lengths[] = {1, 8, 40, 130, 300};
    struct asked a = {.zone = 1 + sim_rng_below(&s->rng, ZONES), .cls = TIDE_SLOT_CLASS_standard};
    if (sim_rng_chance(&s->rng, 300))
        a.cls = TIDE_SLOT_CLASS_charger;
    if (sim_rng_chance(&s->rng, 300))
        a.avoid = 1 + sim_rng_below(&s->rng, SLOTS);
    a.from = 1 + (int)sim_rng_below(&s->rng, PART - 310);
    a.until = a.from + 1 + (int)sim_rng_below(&s->rng, (uint32_t)lengths[a.zone + 1]);
    if (sim_rng_chance(&s->rng, 500))
        a.until = a.from + 1 + (int)sim_rng_below(&s->rng, 20);
    a.now = a.from - 1 - (int)sim_rng_below(&s->rng, 400);
    return a;
}

static void compare_seats(struct space *s, const struct asked *a)
{
    struct span span = {s->zero + a->from, s->zero + a->until, s->zero + a->now};
    tide_id best = 0;
    int least = 0, farthest = a->from;
    uint32_t count = 0;
    for (tide_id id = 1; id <= SLOTS; id++) {
        int end = a->from;
        if (zone_of_id(id) != a->zone || class_of_id(id) != a->cls)
            continue;
        while (end < a->until && is_free(s, id, end))
            end++;
        farthest = end > farthest ? end : farthest;
        count += end == a->until;
        if (end < a->until || id == a->avoid)
            continue;
        int left = left_over(s, id, a->from, a->until, a->now);
        if (best == 0 || left < least) {
            best = id;
            least = left;
        }
    }
    assert_int_equal(seat_find(s->engine, a->zone, a->cls, span, a->avoid), best);
    assert_int_equal(seat_count(s->engine, a->zone, a->cls, span), count);
    assert_int_equal(seats_carry(s->engine, a->zone, a->cls, span), s->zero + farthest);
}

static void compare_slot(const struct space *s, tide_id id, int from, int until)
{
    const struct slot_state *slot = slot_of(s->engine, id);
    grain first = s->zero + from, last = s->zero + until;
    int open = from, free = from, next = from;
    while (open < until && is_open(s, id, open))
        open++;
    while (free < until && is_free(s, id, free))
        free++;
    while (next < until && !is_free(s, id, next))
        next++;
    assert_true(freemap_is_open(s->engine, slot, first, last) == (open == until));
    assert_true(freemap_is_free(s->engine, slot, first, last) == (free == until));
    assert_int_equal(freemap_free_until(s->engine, slot, first, last), s->zero + free);
    assert_int_equal(freemap_next_free(s->engine, slot, first, last), s->zero + next);
    if (!freemap_knows(s->engine, first, last))
        return;
    uint64_t bits[PART / 64 + 2] = {0};
    freemap_or_open(s->engine, slot, first, last, bits);
    for (int g = from; g < from + (until - from + 63) / 64 * 64; g++)
        assert_true((bits[(g - from) / 64] >> (g - from) % 64 & 1) ==
                    (g < until && is_open(s, id, g)));
}

/* ---- the board ------------------------------------------------------------------------------- */
static void compare_piece(const struct space *s, struct board *board, int begin, struct span span)
{
    unsigned number = board_add_piece(board, 0, span);
    const struct piece *piece = &board->pieces[number];
    int from = (int)(span.from - s->zero), until = (int)(span.until - s->zero);
    for (unsigned i = 0; i < board->slot_count; i++) {
        tide_id id = board->slots[i].id;
        bool open = true, free = true;
        unsigned grains = 0, left = 0;
        for (int g = from; g < until; g++) {
            open &= is_open(s, id, g);
            free &= is_free(s, id, g);
            grains += is_free(s, id, g);
        }
        for (int g = from - 1; g >= begin && is_free(s, id, g); g--)
            left++;
        for (int g = until; g < begin + BOARD_GRAINS && is_free(s, id, g); g++)
            left++;
        assert_true(board_is_open(board, piece, i) == open);
        assert_true(board_is_free(board, piece, i) == free);
        assert_int_equal(board_free_grains(board, piece, i), grains);
        if (free) /* nobody asks of another */
            assert_int_equal(board_left_over(board, piece, i), left);
        if (!free || board->piece_count % 3 != 0)
            continue;
        board_move(board, number, i); /* there, it is in nobody's way once it is gone */
        assert_int_equal(board_free_grains(board, piece, i), 0);
        board_move(board, number, BOARD_SLOTS);
        assert_int_equal(board_free_grains(board, piece, i), grains);
    }
    board->piece_count--;
}

static void compare_board(struct space *s, const struct asked *a)
{
    static struct board board;
    struct span span = {s->zero + a->from, s->zero + a->until, s->zero + a->now};
    if (a->from < TIDE_GRAINS_A_DAY || span.until - span.from > TIDE_GRAINS_A_DAY ||
        a->from - TIDE_GRAINS_A_DAY + (int)BOARD_GRAINS > PART + TIDE_GRAINS_A_DAY)
        return;
    board_begin(&board, s->engine, span, s->engine->now_ms);
    for (unsigned i = 0; i < 6; i++)
        assert_true(board_add_slot(&board, slot_of(s->engine, 1 + sim_rng_below(&s->rng, SLOTS))));
    int begin = a->from - TIDE_GRAINS_A_DAY;
    compare_piece(s, &board, begin, span);
    for (unsigned i = 0; i < 4; i++) {
        int from = begin + (int)sim_rng_below(&s->rng, BOARD_GRAINS - 130);
        int until = from + 1 + (int)sim_rng_below(&s->rng, 129);
        if (until < PART)
            compare_piece(s, &board, begin,
                          (struct span){s->zero + from, s->zero + until, span.now});
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */
static grain zero_of(const struct space *s, unsigned round)
{
    const struct engine *engine = s->engine;
    grain ring = (grain)engine->ring_days * TIDE_GRAINS_A_DAY;
    grain known = engine->known_until - engine->known_from;
    switch (round % 4) {
    case 0:
        return engine->known_from - 100;
    case 1:
        return engine->known_until - PART + 250;
    case 2: /* over the ring's end, where that is known */
        for (grain g = engine->known_from; g < engine->known_until; g++)
            if (g % ring == 0)
                return g - PART / 2;
        fail_msg("the ring ends where nothing is known");
        return 0;
    default:
        return engine->known_from + (known - PART) * round / ROUNDS;
    }
}

static void bits_agree_with_yes_and_no(void **state)
{
    static struct space s;
    (void)state;
    s.engine = make_engine();
    for (unsigned round = 0; round < ROUNDS; round++) {
        sim_rng_init(&s.rng, round, 5);
        s.zero = zero_of(&s, round);
        draw_all(&s);
        for (unsigned i = 0; i < ASKED; i++) {
            struct asked a = draw_asked(&s);
            compare_seats(&s, &a);
            compare_slot(&s, 1 + sim_rng_below(&s.rng, SLOTS), a.from, a.until);
            compare_board(&s, &a);
        }
    }
    free(s.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bits_agree_with_yes_and_no)};
    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
