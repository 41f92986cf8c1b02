/* seat.c - which slot: best fit, so that long free spans stay whole for long stays.
 *
 * For a span [from, until) a slot that is free all through leaves a gap before and a gap after it:
 *
 *     ▓▓▓▓░░░░░[ span ]░░▓▓▓▓     left 5 + right 2 = 7 grains left over
 *
 * The walls are promises and the ends of windows alike. Chosen is the slot with the least left
 * over; among equals the one with the lower id. A gap longer than a day counts as a day; what lies
 * in the past is nobody's gap.
 */
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/slices.h"

#define GAP_GRAINS_MAX TIDE_GRAINS_A_DAY
#define LEVELS_MAX ((SLICE_SETS - SLICE_LEVELS) / 2)

/* ---- who is free ---------------------------------------------------------------------------- */
static tide_id first_of(const uint64_t *set, struct slice_words words)
{
    for (uint32_t i = words.first; i < words.until; i++)
        if (set[i] != 0)
            return i * 64 + (tide_id)__builtin_ctzll(set[i]);
    return 0;
}

/* A slot on which somebody stands at the moment is no place for who comes now. */
static void drop_taken(const struct engine *engine, uint64_t *set, struct slice_words words)
{
    for (uint32_t i = words.first; i < words.until; i++)
        for (uint64_t left = set[i]; left != 0; left &= left - 1) {
            tide_id id = i * 64 + (tide_id)__builtin_ctzll(left);
            if (spot_taken_by_other(engine, slot_of(engine, id), 0))
                set[i] &= ~(left & -left);
        }
}

bool seats_free(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                struct span span, uint64_t *set)
{
    if (!freemap_knows(engine, span.from, span.until) ||
        !slices_free(engine, set, zone, cls, freemap_at(engine, span.from),
                     (uint32_t)(span.until - span.from)))
        return false;
    if (span.from > span.now)
        return true;
    drop_taken(engine, set, slices_words(engine, zone));
    return first_of(set, slices_words(engine, zone)) != 0;
}

/* ---- what would be left over ---------------------------------------------------------------- */
/* One side of the span: set k holds who has at least k free grains there, one row more each.
 *
 *     set 0   1 1 0 1 1        slot 1: gap 0, slot 2: gap 2 or more, ...
 *     set 1   0 1 0 1 0
 *     set 2   0 1 0 0 0   */
struct side {
    uint64_t *set[LEVELS_MAX];
    unsigned count; /* sets that are not empty */
    bool cut;       /* the last one's gaps may be wider than that */
};

static void side_make(const struct engine *engine, struct slice_words words, const uint64_t *found,
                      grain next, int step, grain max, struct side *side)
{
    size_t bytes = (words.until - words.first) * sizeof *found;
    __builtin_memcpy(side->set[0] + words.first, found + words.first, bytes);
    side->cut = false;
    for (side->count = 1; (grain)side->count <= max; side->count++, next += step) {
        if (side->count == LEVELS_MAX) {
            side->cut = true;
            return;
        }
        if (!freemap_knows(engine, next, next + 1))
            return;
        uint64_t *set = side->set[side->count];
        __builtin_memcpy(set + words.first, side->set[side->count - 1] + words.first, bytes);
        if (!slices_and(engine, set, words, freemap_at(engine, next)))
            return;
    }
}

/* The lowest slot with exactly these gaps on both sides, below `limit`; limit: none. */
static tide_id with_gaps(const struct side *before, unsigned b, const struct side *after,
                         unsigned a, struct slice_words words, tide_id limit)
{
    for (uint32_t i = words.first; i < words.until && i * 64 < limit; i++) {
        uint64_t set = before->set[b][i] & after->set[a][i];
        if (b + 1 < before->count)
            set &= ~before->set[b + 1][i];
        if (a + 1 < after->count)
            set &= ~after->set[a + 1][i];
        if (set != 0) {
            tide_id id = i * 64 + (tide_id)__builtin_ctzll(set);
            return id < limit ? id : limit;
        }
    }
    return limit;
}

static grain gap_before_max(struct span span)
{
    grain before = span.from > span.now ? span.from - span.now : 0;
    return before < GAP_GRAINS_MAX ? before : GAP_GRAINS_MAX;
}

/* Slot by slot: for those whose gaps are wide. */
static tide_id least_left_over(const struct engine *engine, const uint64_t *set,
                               struct slice_words words, struct span span, grain *ret_left)
{
    grain before = gap_before_max(span), best_left = INT64_MAX;
    tide_id best = 0;
    for (uint32_t i = words.first; i < words.until; i++)
        for (uint64_t left = set[i]; left != 0; left &= left - 1) {
            tide_id id = i * 64 + (tide_id)__builtin_ctzll(left);
            const struct slot_state *slot = slot_of(engine, id);
            grain gap = freemap_free_before(engine, slot, span.from, before);
            if (gap >= best_left)
                continue;
            grain until = span.until + GAP_GRAINS_MAX;
            if (until - span.until > best_left - gap)
                until = span.until + best_left - gap;
            gap += freemap_free_until(engine, slot, span.until, until) - span.until;
            if (gap < best_left) {
                best_left = gap;
                best = id;
            }
        }
    *ret_left = best_left;
    return best;
}

static tide_id best_fit(const struct engine *engine, const uint64_t *found,
                        struct slice_words words, struct span span, grain *ret_left)
{
    struct side before = {.count = 0}, after = {.count = 0};
    for (unsigned k = 0; k < LEVELS_MAX; k++) {
        before.set[k] = slices_scratch(engine, SLICE_LEVELS + k);
        after.set[k] = slices_scratch(engine, SLICE_LEVELS + LEVELS_MAX + k);
    }
    side_make(engine, words, found, span.from - 1, -1, gap_before_max(span), &before);
    side_make(engine, words, found, span.until, 1, GAP_GRAINS_MAX, &after);
    const tide_id none = words.until * 64;
    for (unsigned total = 0; total + 1 < LEVELS_MAX; total++) {
        tide_id best = none;
        unsigned b = total < after.count ? 0 : total - after.count + 1;
        for (; b <= total && b < before.count; b++)
            best = with_gaps(&before, b, &after, total - b, words, best);
        if (best != none) {
            *ret_left = total;
            return best;
        }
        if (total + 2 >= before.count + after.count && !before.cut && !after.cut)
            break;
    }
    return least_left_over(engine, found, words, span, ret_left);
}

tide_id seat_find(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span, tide_id avoid)
{
    struct slice_words words = slices_words(engine, zone);
    uint64_t *found = slices_scratch(engine, SLICE_FOUND);
    grain left = INT64_MAX;
    tide_id best = 0;
    CHECK(zone_of(engine, zone) != NULL && span.from < span.until);
    if (seats_free(engine, zone, cls, span, found)) {
        if (avoid / 64 >= words.first && avoid / 64 < words.until)
            found[avoid / 64] &= ~((uint64_t)1 << avoid % 64);
        if (first_of(found, words) != 0)
            best = best_fit(engine, found, words, span, &left);
    }
    trace(engine, best != 0 ? "seat.best_fit" : "seat.none", best, left, zone);
    return best;
}

uint32_t seat_count(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                    struct span span)
{
    struct slice_words words = slices_words(engine, zone);
    uint64_t *found = slices_scratch(engine, SLICE_FOUND);
    uint32_t count = 0;
    if (!seats_free(engine, zone, cls, span, found))
        return 0;
    for (uint32_t i = words.first; i < words.until; i++)
        count += (uint32_t)__builtin_popcountll(found[i]);
    return count;
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

void seat_hints(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                struct span span, struct seat_hints *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    grain limit = span.from + TIDE_GRAINS_A_DAY, first = limit + 1, last = span.from;
    *ret = (struct seat_hints){0};
    for (tide_id id = state->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        if (slot->row.cls != cls)
            continue;
        ret->any_open |= freemap_is_open(engine, slot, span.from, span.until);
        grain end = freemap_free_until(engine, slot, span.from, span.until);
        if (end > last && (span.from > span.now || !spot_taken_by_other(engine, slot, 0)))
            last = end;
        if (first > span.from) {
            grain start = earliest(engine, slot, span.from + 1, span.until - span.from, first - 1);
            first = start < first ? start : first;
        }
    }
    ret->free_until_ms = last > span.from ? last * TIDE_GRAIN_MS : 0;
    ret->free_from_ms = first <= limit ? first * TIDE_GRAIN_MS : 0;
    trace(engine, "seat.hints", ret->free_until_ms, ret->free_from_ms, ret->any_open);
}
