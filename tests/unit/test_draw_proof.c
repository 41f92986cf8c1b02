/* test_draw_proof.c - what decides a draw, held against a second writing of draw_proof.h: tree,
 * lots, the order of spans, the blob of a result and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/parking/draw_proof.h"
#include "daemon/core/sha256.h"

static struct draw_lot lot;

static uint64_t mixed(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    return z ^ z >> 31;
}

/* ---- bytes in a row, and their digest -------------------------------------------------------- */
struct bytes {
    uint8_t byte[256];
    size_t len;
};

static void put(struct bytes *to, const void *what, size_t len)
{
    assert_true(to->len + len <= sizeof to->byte);
    memcpy(to->byte + to->len, what, len);
    to->len += len;
}

static void put_number(struct bytes *to, uint64_t value, unsigned width)
{
    for (unsigned i = width; i > 0; i--) {
        uint8_t byte = (uint8_t)(value >> 8 * (i - 1) & 255);
        put(to, &byte, 1);
    }
}

static void digest(const struct bytes *of, uint8_t ret[32])
{
    struct sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, of->byte, of->len);
    sha256_end(&sha, ret);
}

static uint64_t first_eight(const uint8_t of[32])
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value * 256 + of[i];
    return value;
}

/* ---- a lot ----------------------------------------------------------------------------------- */
static void make_lot(uint64_t seed, uint32_t spans, uint32_t wishes)
{
    memset(&lot, 0, sizeof lot);
    lot.draw = (uint32_t)mixed(&seed);
    lot.base_grain = 5000000 + (int64_t)(mixed(&seed) % 1000000);
    lot.span_count = spans;
    lot.wish_count = wishes;
    for (unsigned i = 0; i < 32; i++)
        lot.secret[i] = (uint8_t)mixed(&seed);
    for (uint32_t i = 0; i < spans; i++) {
        uint32_t from = (uint32_t)(mixed(&seed) % 200);
        lot.spans[i] = (struct draw_span){.pool = (uint32_t)(mixed(&seed) % 3), .from = from};
        lot.spans[i].until = from + 1 + (uint32_t)(mixed(&seed) % 90);
        lot.spans[i].slot = i + 70000;
    }
    for (uint32_t i = 0; i < wishes; i++) {
        tide_ms start_ms = (lot.base_grain + (int64_t)(mixed(&seed) % 250)) * TIDE_GRAIN_MS;
        struct tide_wish row = {.id = 0x7f000000u + 77 * i,
                                .cls = (uint8_t)(mixed(&seed) % 3),
                                .start_ms = start_ms,
                                .end_ms =
                                    start_ms + (1 + (int64_t)(mixed(&seed) % 30)) * TIDE_GRAIN_MS,
                                .used_min = (int32_t)(mixed(&seed) % 70000),
                                .nonce_1 = (int64_t)mixed(&seed),
                                .nonce_2 = (int64_t)mixed(&seed)};
        draw_lot_set(&lot, i, &row);
    }
}

/* ---- the tree: RFC 6962, 2.1, as it is written there ---------------------------------------- */
static void leaf_of(uint32_t i, uint8_t ret[32])
{
    struct bytes of = {.len = 0};
    const struct draw_wish *wish = &lot.wishes[i];
    put(&of, "\0tide.wish.1", 12);
    put_number(&of, lot.draw, 4);
    put_number(&of, lot.named[i].wish, 4);
    put_number(&of, wish->pool, 1);
    put_number(&of, (uint64_t)lot.base_grain + wish->from, 8);
    put_number(&of, (uint64_t)lot.base_grain + wish->until, 8);
    put_number(&of, wish->used_min, 4);
    put_number(&of, (uint64_t)lot.named[i].nonce[0], 8);
    put_number(&of, (uint64_t)lot.named[i].nonce[1], 8);
    digest(&of, ret);
}

static void tree_of(uint32_t first, uint32_t count, uint8_t ret[32])
{
    struct bytes of = {.len = 0};
    uint8_t half[32];
    uint32_t k = 1;
    if (count == 0) {
        digest(&of, ret);
        return;
    }
    if (count == 1) {
        leaf_of(first, ret);
        return;
    }
    while (k * 2 < count)
        k *= 2;
    put_number(&of, 1, 1);
    tree_of(first, k, half);
    put(&of, half, 32);
    tree_of(first + k, count - k, half);
    put(&of, half, 32);
    digest(&of, ret);
}

static void the_tree_is_as_the_rfc_says(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= 70; count++) {
        uint8_t seen[32], expected[32];
        make_lot(count, 0, count);
        draw_root(&lot, seen);
        tree_of(0, count, expected);
        assert_memory_equal(seen, expected, 32);
    }
}

/* ---- lots, and the order of spans ----------------------------------------------------------- */
static void decide(struct draw_outcome *ret)
{
    size_t size = draw_decide_bytes(&lot);
    void *mem = malloc(size);
    assert_non_null(mem);
    draw_root(&lot, lot.root);
    draw_decide(&lot, mem, size, ret);
    free(mem);
}

static void lots_come_from_secret_root_and_source(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct draw_outcome outcome;
        struct bytes of = {.len = 0};
        uint8_t seed[32], drawn[32];
        make_lot(round, 5, 20);
        lot.source = round; /* 0: none, its value counts nothing */
        lot.value = 12345;
        decide(&outcome);
        put(&of, lot.secret, 32);
        put(&of, lot.root, 32);
        if (round != 0)
            put_number(&of, 12345, 8);
        digest(&of, seed);
        for (uint32_t i = 0; i < lot.wish_count; i++) {
            of.len = 0;
            put(&of, seed, 32);
            put_number(&of, lot.named[i].wish, 4);
            digest(&of, drawn);
            assert_true(lot.wishes[i].lot == first_eight(drawn));
        }
    }
}

static bool in_order(const struct draw_span *a, const struct draw_span *b)
{
    if (a->pool != b->pool)
        return a->pool < b->pool;
    return a->from != b->from ? a->from < b->from : a->until <= b->until;
}

/* However the slots are numbered, the same wishes are served. */
static void the_order_of_spans_is_nothing(void **state)
{
    static uint32_t served[TIDE_DRAW_WISHES_MAX];
    (void)state;
    for (uint32_t spans = 1; spans <= 130; spans = spans * 3 + 1) {
        struct draw_outcome first, again;
        make_lot(spans, spans, 60);
        decide(&first);
        for (uint32_t i = 0; i + 1 < spans; i++)
            assert_true(in_order(&lot.spans[i], &lot.spans[i + 1]));
        for (uint32_t i = 0; i < lot.wish_count; i++)
            served[i] = lot.wishes[i].span;
        make_lot(spans, spans, 60);
        for (uint32_t i = 0; i < spans / 2; i++) {
            struct draw_span other = lot.spans[i];
            lot.spans[i] = lot.spans[spans - 1 - i];
            lot.spans[spans - 1 - i] = other;
        }
        decide(&again);
        assert_int_equal(again.grains, first.grains);
        for (uint32_t i = 0; i < lot.wish_count; i++)
            assert_int_equal(lot.wishes[i].span, served[i]);
    }
}

/* ---- the blob -------------------------------------------------------------------------------- */
static uint8_t blob[4 + 8 * (TIDE_DRAW_SPANS_MAX + 1) + 6 * (TIDE_DRAW_WISHES_MAX + 2)];

static void a_result_is_read_as_it_was_written(void **state)
{
    struct draw_blob seen;
    uint32_t chosen = 0;
    (void)state;
    make_lot(9, 300, 400);
    for (uint32_t i = 0; i < lot.wish_count; i++)
        lot.wishes[i].span = i % 3 == 0 ? 0 : (i * 257) % 300 + 1;
    size_t len = draw_blob_write(&lot, blob);
    assert_true(draw_blob_open(blob, (uint32_t)len, &seen));
    assert_int_equal(seen.span_count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        struct draw_span span = draw_blob_span(&seen, i);
        assert_int_equal(span.slot, lot.spans[i].slot);
        assert_int_equal(span.from, lot.spans[i].from);
        assert_int_equal(span.until, lot.spans[i].until);
    }
    for (uint32_t i = 0; i < lot.wish_count; i++) {
        uint32_t wish, span;
        if (lot.wishes[i].span == 0)
            continue;
        draw_blob_chosen(&seen, chosen++, &wish, &span);
        assert_int_equal(wish, lot.named[i].wish);
        assert_int_equal(span, lot.wishes[i].span);
    }
    assert_int_equal(seen.chosen_count, chosen);
    assert_int_equal(len, 4 + 300 * 8 + chosen * 6);
}

static void bytes_that_are_no_result(void **state)
{
    static const struct {
        uint32_t spans, len;
        bool is_one;
    } rows[] = {
        {0, 0, false},
        {0, 3, false},
        {0, 4, true},
        {0, 9, false},
        {0, 10, true},
        {1, 11, false},
        {1, 12, true},
        {1, 13, false},
        {1, 18, true},
        {2, 19, false},
        {UINT32_MAX, 12, false},
        {TIDE_DRAW_SPANS_MAX, 4 + 8 * TIDE_DRAW_SPANS_MAX, true},
        {TIDE_DRAW_SPANS_MAX + 1, 4 + 8 * (TIDE_DRAW_SPANS_MAX + 1), false},
        {0, 4 + 6 * TIDE_DRAW_WISHES_MAX, true},
        {0, 4 + 6 * (TIDE_DRAW_WISHES_MAX + 1), false},
    };
    struct draw_blob seen;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned k = 0; k < 4; k++)
            blob[k] = (uint8_t)(rows[i].spans >> 8 * k);
        assert_true(draw_blob_open(blob, rows[i].len, &seen) == rows[i].is_one);
    }
    assert_false(draw_blob_open(NULL, 4, &seen));
}

static void digests_as_numbers_and_back(void **state)
{
    int64_t quarters[4];
    uint8_t in[32], out[32];
    (void)state;
    for (unsigned i = 0; i < 32; i++)
        in[i] = (uint8_t)(7 * i + 250);
    draw_hex_set(in, quarters);
    assert_true(quarters[3] == (int64_t)0xa2a9b0b7bec5ccd3);
    draw_hex_get(quarters, out);
    assert_memory_equal(in, out, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_as_the_rfc_says),
        cmocka_unit_test(lots_come_from_secret_root_and_source),
        cmocka_unit_test(the_order_of_spans_is_nothing),
        cmocka_unit_test(a_result_is_read_as_it_was_written),
        cmocka_unit_test(bytes_that_are_no_result),
        cmocka_unit_test(digests_as_numbers_and_back),
    };
    return cmocka_run_group_tests_name("draw_proof", tests, NULL, NULL);
}
