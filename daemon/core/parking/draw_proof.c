/* draw_proof.c - see draw_proof.h. */
#include "daemon/core/parking/draw_proof.h"

#include <string.h>

#include "daemon/core/sha256.h"
#include "tide/bytes.h"
#include "tide/check.h"

#define SPAN_BYTES 8u
#define CHOSEN_BYTES 6u
#define TREE_DEPTH_MAX 32u

_Static_assert(4 + SPAN_BYTES * TIDE_DRAW_SPANS_MAX + CHOSEN_BYTES * TIDE_DRAW_WISHES_MAX <=
                   TIDE_EVENT_BLOB_BYTES_MAX,
               "a result fits into an event");

/* ---- numbers as bytes ------------------------------------------------------------------------ */
static void big_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static uint64_t big_get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | in[i];
    return value;
}

static void add_number(struct sha256 *sha, uint64_t value, unsigned bytes)
{
    uint8_t out[8];
    big_put(out, value, bytes);
    sha256_add(sha, out, bytes);
}

void draw_hex_get(const int64_t *quarters, uint8_t ret[32])
{
    for (unsigned i = 0; i < 4; i++)
        big_put(ret + 8 * i, (uint64_t)quarters[i], 8);
}

void draw_hex_set(const uint8_t digest[32], int64_t *ret_quarters)
{
    for (unsigned i = 0; i < 4; i++)
        ret_quarters[i] = (int64_t)big_get(digest + 8 * i, 8);
}

/* ---- commitment, tree ------------------------------------------------------------------------ */
void draw_commit_of(const uint8_t secret[32], uint8_t ret[32])
{
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, secret, 32);
    sha256_end(&sha, ret);
}

void draw_lot_set(struct draw_lot *lot, uint32_t i, const struct tide_wish *row)
{
    lot->wishes[i] =
        (struct draw_wish){.pool = row->cls,
                           .from = (uint32_t)(row->start_ms / TIDE_GRAIN_MS - lot->base_grain),
                           .until = (uint32_t)(row->end_ms / TIDE_GRAIN_MS - lot->base_grain),
                           .used_min = (uint32_t)row->used_min};
    lot->named[i] = (struct draw_named){.wish = row->id, .nonce = {row->nonce_1, row->nonce_2}};
}

void draw_leaf(const struct draw_lot *lot, uint32_t i, uint8_t ret[32])
{
    static const uint8_t head[] = "\0tide.wish.1";
    const struct draw_wish *wish = &lot->wishes[i];
    const struct draw_named *named = &lot->named[i];
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, head, sizeof head - 1);
    add_number(&sha, lot->draw, 4);
    add_number(&sha, named->wish, 4);
    add_number(&sha, wish->pool, 1);
    add_number(&sha, (uint64_t)(lot->base_grain + wish->from), 8);
    add_number(&sha, (uint64_t)(lot->base_grain + wish->until), 8);
    add_number(&sha, wish->used_min, 4);
    add_number(&sha, (uint64_t)named->nonce[0], 8);
    add_number(&sha, (uint64_t)named->nonce[1], 8);
    sha256_end(&sha, ret);
}

static void node(const uint8_t left[32], const uint8_t right[32], uint8_t ret[32])
{
    static const uint8_t head = 1;
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, &head, 1);
    sha256_add(&sha, left, 32);
    sha256_add(&sha, right, 32);
    sha256_end(&sha, ret);
}

/* Whole subtrees wait on a stack, the largest at the bottom; two of one size become one, as in
 * counting: after leaf i, as many joins as i has ones at its end. */
void draw_root(const struct draw_lot *lot, uint8_t ret[32])
{
    uint8_t stack[TREE_DEPTH_MAX][32];
    unsigned depth = 0;
    struct sha256 sha;
    for (uint32_t i = 0; i < lot->wish_count; i++) {
        CHECK(depth < TREE_DEPTH_MAX);
        draw_leaf(lot, i, stack[depth++]);
        for (uint32_t ones = i; (ones & 1) != 0; ones >>= 1, depth--)
            node(stack[depth - 2], stack[depth - 1], stack[depth - 2]);
    }
    for (; depth > 1; depth--)
        node(stack[depth - 2], stack[depth - 1], stack[depth - 2]);
    sha256_begin(&sha);
    sha256_end(&sha, ret);
    if (depth == 1)
        memcpy(ret, stack[0], 32);
}

/* ---- deciding -------------------------------------------------------------------------------- */
static uint64_t drawn(const uint8_t seed[32], const void *what, size_t len)
{
    struct sha256 sha;
    uint8_t digest[32];
    sha256_begin(&sha);
    sha256_add(&sha, seed, 32);
    sha256_add(&sha, what, len);
    sha256_end(&sha, digest);
    return big_get(digest, 8);
}

static void seed_of(const struct draw_lot *lot, uint8_t ret[32])
{
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, lot->secret, 32);
    sha256_add(&sha, lot->root, 32);
    if (lot->source != 0)
        add_number(&sha, (uint64_t)lot->value, 8);
    sha256_end(&sha, ret);
}

static uint64_t span_key(const struct draw_span *span)
{
    return (uint64_t)span->pool << 32 | (uint64_t)span->from << 16 | span->until;
}

/* Equal ones may end in any order: a slot is nothing to the solver. Shell's sort. */
static void sort_spans(struct draw_lot *lot)
{
    static const uint32_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (unsigned g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (uint32_t i = gaps[g]; i < lot->span_count; i++) {
            struct draw_span span = lot->spans[i];
            uint32_t at = i;
            for (; at >= gaps[g] && span_key(&lot->spans[at - gaps[g]]) > span_key(&span);
                 at -= gaps[g])
                lot->spans[at] = lot->spans[at - gaps[g]];
            lot->spans[at] = span;
        }
}

static struct draw_problem problem_of(struct draw_lot *lot)
{
    return (struct draw_problem){.spans = lot->spans,
                                 .wishes = lot->wishes,
                                 .span_count = lot->span_count,
                                 .wish_count = lot->wish_count,
                                 .aim = (enum draw_aim)lot->aim};
}

size_t draw_decide_bytes(const struct draw_lot *lot)
{
    struct draw_problem problem = {.span_count = lot->span_count, .wish_count = lot->wish_count};
    return draw_solve_bytes(&problem);
}

void draw_decide(struct draw_lot *lot, void *mem, size_t size, struct draw_outcome *ret)
{
    uint8_t seed[32], number[4];
    CHECK(lot->span_count <= TIDE_DRAW_SPANS_MAX && lot->wish_count <= TIDE_DRAW_WISHES_MAX);
    seed_of(lot, seed);
    sort_spans(lot);
    for (uint32_t i = 0; i < lot->wish_count; i++) {
        big_put(number, lot->named[i].wish, 4);
        lot->wishes[i].lot = drawn(seed, number, sizeof number);
    }
    struct draw_problem problem = problem_of(lot);
    problem.seed = drawn(seed, "search", 6);
    draw_solve(&problem, mem, size, ret);
}

/* ---- the event's blob ------------------------------------------------------------------------ */
size_t draw_blob_write(const struct draw_lot *lot, uint8_t *out)
{
    size_t at = 4;
    tide_little_put(out, lot->span_count, 4);
    for (uint32_t i = 0; i < lot->span_count; i++, at += SPAN_BYTES) {
        tide_little_put(out + at, lot->spans[i].slot, 4);
        tide_little_put(out + at + 4, lot->spans[i].from, 2);
        tide_little_put(out + at + 6, lot->spans[i].until, 2);
    }
    for (uint32_t i = 0; i < lot->wish_count; i++) {
        if (lot->wishes[i].span == 0)
            continue;
        tide_little_put(out + at, lot->named[i].wish, 4);
        tide_little_put(out + at + 4, lot->wishes[i].span, 2);
        at += CHOSEN_BYTES;
    }
    return at;
}

bool draw_blob_open(const uint8_t *bytes, uint32_t len, struct draw_blob *ret)
{
    if (bytes == NULL || len < 4)
        return false;
    uint32_t spans = (uint32_t)tide_little_get(bytes, 4);
    if (spans > TIDE_DRAW_SPANS_MAX || (len - 4) / SPAN_BYTES < spans)
        return false;
    uint32_t left = len - 4 - spans * SPAN_BYTES;
    if (left % CHOSEN_BYTES != 0 || left / CHOSEN_BYTES > TIDE_DRAW_WISHES_MAX)
        return false;
    *ret = (struct draw_blob){bytes, len, spans, left / CHOSEN_BYTES};
    return true;
}

struct draw_span draw_blob_span(const struct draw_blob *blob, uint32_t i)
{
    const uint8_t *at = blob->bytes + 4 + (size_t)i * SPAN_BYTES;
    CHECK(i < blob->span_count);
    return (struct draw_span){.slot = (uint32_t)tide_little_get(at, 4),
                              .from = (uint32_t)tide_little_get(at + 4, 2),
                              .until = (uint32_t)tide_little_get(at + 6, 2)};
}

void draw_blob_chosen(const struct draw_blob *blob, uint32_t i, uint32_t *ret_wish,
                      uint32_t *ret_span)
{
    const uint8_t *at = blob->bytes + 4 + (size_t)blob->span_count * SPAN_BYTES;
    CHECK(i < blob->chosen_count);
    at += (size_t)i * CHOSEN_BYTES;
    *ret_wish = (uint32_t)tide_little_get(at, 4);
    *ret_span = (uint32_t)tide_little_get(at + 4, 2);
}
