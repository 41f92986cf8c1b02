/* seat.c - which slot: best fit, so that long free spans stay whole for long stays.
 *
 * For a span [from, until) a slot that is free all through leaves a gap before and a gap after it:
 *
 *     ▓▓▓▓░░░░░[ span ]░░▓▓▓▓     left 5 + right 2 = 7 grains left over
 *
 * The walls are promises and the ends of windows alike. Chosen is the slot with the least left
 * over; among equals the one with the lower id. A gap longer than a day counts as a day; what lies
 * in the past is nobody's gap.
 *
 * All slots of a chunk are measured at once. Both sides are walked away from the span, grain by
 * grain or block by block. Who is free there so far is a set that only shrinks, so how far each one
 * came stands upright in numbers that need no carrying: after step k the set is turned into the
 * ones, after each second step into the twos, after each fourth into the fours:
 *
 *     slot    1 2 3 4
 *   step 1    1 1 1 0      ones = 1 ^ 2 ^ 3    1 0 1 0      slot 1: 3 grains, slot 2: 2,
 *   step 2    1 1 0 0      twos = 2            1 1 0 0      slot 3: 1, slot 4: none
 *   step 3    1 0 0 0
 *
 * The two sides are added when somebody may have won. The walk ends as soon as who still walks
 * cannot win any more, which is soon where much is taken.
 */
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/slices.h"

#define GAP_GRAINS_MAX TIDE_GRAINS_A_DAY
#define DIGITS 9u /* of a gap, at most a day: below 2^9 */
_Static_assert(GAP_GRAINS_MAX < 1 << DIGITS, "a gap fits its digits");

/* ---- who is free ---------------------------------------------------------------------------- */
/* A slot on which somebody stands at the moment is no place for who comes now. */
static bool drop_taken(const struct engine *engine, struct slice_set *set, uint32_t chunk)
{
    for (uint32_t i = 0; i < SLICE_CHUNK; i++)
        for (uint64_t left = set->word[i]; left != 0; left &= left - 1) {
            tide_id id = chunk * SLICE_SLOTS + i * 64 + (tide_id)__builtin_ctzll(left);
            if (spot_taken_by_other(engine, slot_of(engine, id), 0))
                set->word[i] &= ~(left & -left);
        }
    return slice_any(set);
}

/* The slots of the zone and class, in this chunk, that could take the span; false: none. */
static bool find_free(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                      struct span span, uint32_t chunk, struct slice_set *set)
{
    return slices_free(engine, set, chunk, zone, cls, freemap_at(engine, span.from),
                       (uint32_t)(span.until - span.from)) &&
           (span.from > span.now || drop_taken(engine, set, chunk));
}

/* ---- what would be left over ---------------------------------------------------------------- */
struct side {
    struct slice_set walking;       /* free so far */
    struct slice_set digit[DIGITS]; /* how many grains */
    bool any, forward;
    uint32_t at; /* ring position of the next grain */
    uint32_t walked, max;
};
struct measure {
    const struct engine *engine;
    uint32_t chunk, ring; /* ring: positions in it */
    struct side before, after;
};

/* Step number k is made: from this digit on it turns those of which 2^digit divides k. */
static void count_up(struct side *side, uint32_t k, unsigned digit)
{
    for (; (k & ((1u << digit) - 1)) == 0; digit++)
        side->digit[digit].word ^= side->walking.word;
}

static void advance(const struct measure *m, struct side *side, uint32_t grains)
{
    side->walked += grains;
    if (side->forward)
        side->at = side->at + grains < m->ring ? side->at + grains : 0;
    else
        side->at = (side->at >= grains ? side->at : side->at + m->ring) - grains;
}

/* A whole block further, if all who walk are free in all of it. */
static bool walk_block(struct measure *m, struct side *side)
{
    bool at_edge = (side->forward ? side->at : side->at + 1) % SLICE_BLOCK == 0;
    if (!at_edge || side->max - side->walked < SLICE_BLOCK)
        return false;
    const struct slice_set *block = slices_block(m->engine, m->chunk, side->at / SLICE_BLOCK);
    struct slice_set lost = {side->walking.word & ~block->word};
    if (slice_any(&lost))
        return false;
    /* One of these steps has a number that 8 divides; the others turn a digit back again. */
    count_up(side, (side->walked / SLICE_BLOCK + 1) * SLICE_BLOCK, 3);
    advance(m, side, SLICE_BLOCK);
    return true;
}

static void walk(struct measure *m, struct side *side)
{
    if (walk_block(m, side))
        return;
    side->any =
        side->walked < side->max && slices_and(m->engine, &side->walking, m->chunk, side->at);
    if (!side->any) {
        side->walking = (struct slice_set){0};
        return;
    }
    advance(m, side, 1);
    count_up(side, side->walked, 0);
}

static unsigned digits_of(uint32_t number)
{
    return number == 0 ? 0 : 32 - (unsigned)__builtin_clz(number);
}

/* Of those in `set`, who has the least left over, and how much; 0 when the set is empty. */
static tide_id least(const struct measure *m, const struct slice_set *among, grain *ret_left)
{
    struct slice_set set = *among, sum[DIGITS + 1], carry = {0};
    uint32_t farther = m->before.walked > m->after.walked ? m->before.walked : m->after.walked;
    unsigned digits = digits_of(farther);
    for (unsigned d = 0; d < digits; d++) {
        slice_words a = m->before.digit[d].word, b = m->after.digit[d].word, both = a ^ b;
        sum[d].word = both ^ carry.word;
        carry.word = (a & b) | (both & carry.word);
    }
    sum[digits] = carry;
    *ret_left = 0;
    for (unsigned d = digits + 1; d-- > 0;) {
        struct slice_set fewer = {set.word & ~sum[d].word};
        if (slice_any(&fewer))
            set = fewer;
        else
            *ret_left |= (grain)1 << d;
    }
    for (uint32_t i = 0; i < SLICE_CHUNK; i++)
        if (set.word[i] != 0)
            return m->chunk * SLICE_SLOTS + i * 64 + (tide_id)__builtin_ctzll(set.word[i]);
    return 0;
}

/* The best of those who walk no more, when nobody who walks can be as good; else 0. */
static tide_id settled(const struct measure *m, const struct slice_set *found, grain reached,
                       grain *ret_left)
{
    struct slice_set set = {found->word & ~m->before.walking.word & ~m->after.walking.word};
    *ret_left = 0;
    if (!slice_any(&set))
        return 0;
    tide_id best = least(m, &set, ret_left);
    return *ret_left < reached ? best : 0;
}

/* Who walks on a side has at least that much left over. */
static grain reached_by(const struct measure *m)
{
    grain before = m->before.any ? m->before.walked : INT64_MAX;
    grain after = m->after.any ? m->after.walked : INT64_MAX;
    return before < after ? before : after;
}

/* How far a side may be walked: a day, not into the past, and not out of what is known. */
static uint32_t gap_before_max(const struct engine *engine, struct span span)
{
    grain first = span.now > engine->known_from ? span.now : engine->known_from;
    grain before = span.from > first ? span.from - first : 0;
    return before < GAP_GRAINS_MAX ? (uint32_t)before : GAP_GRAINS_MAX;
}

static uint32_t gap_after_max(const struct engine *engine, struct span span)
{
    grain after = engine->known_until - span.until;
    return after < GAP_GRAINS_MAX ? (uint32_t)after : GAP_GRAINS_MAX;
}

static struct measure measure_begin(const struct engine *engine, const struct slice_set *found,
                                    uint32_t chunk, struct span span)
{
    uint32_t ring = engine->ring_days * TIDE_GRAINS_A_DAY, from = freemap_at(engine, span.from);
    uint32_t until = (from + (uint32_t)(span.until - span.from)) % ring;
    return (struct measure){.engine = engine,
                            .chunk = chunk,
                            .ring = ring,
                            .before = {.walking = *found,
                                       .any = true,
                                       .at = (from > 0 ? from : ring) - 1,
                                       .max = gap_before_max(engine, span)},
                            .after = {.walking = *found,
                                      .any = true,
                                      .forward = true,
                                      .at = until,
                                      .max = gap_after_max(engine, span)}};
}

/* The best slot of a chunk that leaves less than *left; keeps what there is when none does. */
static void improve(const struct engine *engine, const struct slice_set *found, uint32_t chunk,
                    struct span span, tide_id *best, grain *left)
{
    struct measure m = measure_begin(engine, found, chunk, span);
    grain asked = 0;
    for (;;) {
        struct side *slower = &m.before;
        if (!slower->any || (m.after.any && m.after.walked < slower->walked))
            slower = &m.after;
        if (slower->any)
            walk(&m, slower);
        grain reached = reached_by(&m), mine;
        if (reached < *left && reached <= asked)
            continue;
        asked = reached < *left ? 2 * reached : 0; /* measuring costs more than a step */
        tide_id winner = settled(&m, found, reached, &mine);
        if (winner != 0 && mine < *left) {
            *best = winner;
            *left = mine;
        }
        if (winner != 0 || reached >= *left)
            return;
    }
}

tide_id seat_find(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span, tide_id avoid)
{
    struct slice_span chunks = slices_span(engine, zone);
    struct slice_set found;
    grain left = INT64_MAX;
    tide_id best = 0;
    CHECK(zone_of(engine, zone) != NULL && span.from < span.until);
    if (!freemap_knows(engine, span.from, span.until))
        chunks.until = chunks.first;
    for (uint32_t chunk = chunks.first; chunk < chunks.until && left > 0; chunk++) {
        if (!find_free(engine, zone, cls, span, chunk, &found))
            continue;
        if (avoid / SLICE_SLOTS == chunk)
            found.word[avoid / 64 % SLICE_CHUNK] &= ~((uint64_t)1 << avoid % 64);
        improve(engine, &found, chunk, span, &best, &left);
    }
    trace(engine, best != 0 ? "seat.best_fit" : "seat.none", best, left, zone);
    return best;
}

uint32_t seat_count(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                    struct span span)
{
    struct slice_span chunks = slices_span(engine, zone);
    struct slice_set found;
    uint32_t count = 0;
    if (!freemap_knows(engine, span.from, span.until))
        return 0;
    for (uint32_t chunk = chunks.first; chunk < chunks.until; chunk++)
        if (find_free(engine, zone, cls, span, chunk, &found))
            for (uint32_t i = 0; i < SLICE_CHUNK; i++)
                count += (uint32_t)__builtin_popcountll(found.word[i]);
    return count;
}

grain seats_carry(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span)
{
    struct slice_span chunks = slices_span(engine, zone);
    struct span first = {span.from, span.from + 1, span.now};
    struct slice_set found;
    grain farthest = span.from;
    if (!freemap_knows(engine, first.from, first.until))
        return span.from;
    for (uint32_t chunk = chunks.first; chunk < chunks.until && farthest < span.until; chunk++) {
        if (!find_free(engine, zone, cls, first, chunk, &found))
            continue;
        grain at = span.from + 1;
        while (at < span.until && freemap_knows(engine, at, at + 1) &&
               slices_and(engine, &found, chunk, freemap_at(engine, at)))
            at++;
        farthest = at > farthest ? at : farthest;
    }
    return farthest;
}

/* Earliest start in [from, limit] of `length` free grains on a slot; limit + 1 when none. */
static grain earliest(const struct engine *engine, const struct slot_state *slot, grain from,
                      grain length, grain limit)
{
    for (grain at = from; at <= limit;) {
        at = freemap_next_free(engine, slot, at, limit + 1);
        grain end = freemap_free_until(engine, slot, at, at + length);
        if (at <= limit && end == at + length)
            return at;
        at = end > at ? end : at + 1;
    }
    return limit + 1;
}

enum tide_why seat_hints(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                         struct span span, struct seat_hints *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    struct span hold = lateness_hold(engine, zone, span);
    grain limit = span.from + TIDE_GRAINS_A_DAY, first = limit + 1;
    grain last = lateness_until(engine, zone, span, seats_carry(engine, zone, cls, hold));
    bool any_open = false;
    *ret = (struct seat_hints){0};
    for (tide_id id = state->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        if (slot->row.cls != cls)
            continue;
        any_open |= freemap_is_open(engine, slot, span.from, span.until);
        if (first > span.from) {
            grain start = earliest(engine, slot, span.from + 1, hold.until - hold.from, first - 1);
            first = start < first ? start : first;
        }
    }
    struct span later = {first, first + span.until - span.from, span.now};
    if (lateness_hold(engine, zone, later).until - first > hold.until - hold.from)
        first = limit + 1; /* another class of day, with cars that are later */
    ret->free_until_ms = last > span.from ? last * TIDE_GRAIN_MS : 0;
    ret->free_from_ms = first <= limit ? first * TIDE_GRAIN_MS : 0;
    trace(engine, "seat.hints", ret->free_until_ms, ret->free_from_ms, any_open);
    if (hold.until > span.until && seats_carry(engine, zone, cls, span) == span.until)
        return TIDE_WHY_kept_for_late;
    return any_open ? TIDE_WHY_all_taken : TIDE_WHY_no_window;
}
