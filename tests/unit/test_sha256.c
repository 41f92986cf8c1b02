/* test_sha256.c - the core's SHA-256 against the examples of FIPS 180-4, and against OpenSSL for
 * every length around the edges of a block, taken in one piece and in many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "daemon/core/sha256.h"

static void digest_in_pieces(const uint8_t *bytes, size_t len, size_t piece, uint8_t ret[32])
{
    struct sha256 sha;
    sha256_begin(&sha);
    for (size_t at = 0; at < len; at += piece)
        sha256_add(&sha, bytes + at, len - at < piece ? len - at : piece);
    sha256_end(&sha, ret);
}

static void the_standard_s_examples(void **state)
{
    static const struct {
        const char *text;
        uint8_t head[4];
    } rows[] = {
        {"", {0xe3, 0xb0, 0xc4, 0x42}},
        {"abc", {0xba, 0x78, 0x16, 0xbf}},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", {0x24, 0x8d, 0x6a, 0x61}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t seen[32];
        digest_in_pieces((const uint8_t *)rows[i].text, strlen(rows[i].text), 64, seen);
        assert_memory_equal(seen, rows[i].head, sizeof rows[i].head);
    }
}

static void every_length_around_a_block(void **state)
{
    uint8_t bytes[300], seen[32], right[32];
    unsigned size = sizeof right;
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        assert_int_equal(EVP_Digest(bytes, len, right, &size, EVP_sha256(), NULL), 1);
        for (size_t piece = 1; piece <= 130; piece += 43) {
            digest_in_pieces(bytes, len, piece, seen);
            assert_memory_equal(seen, right, sizeof right);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_s_examples),
        cmocka_unit_test(every_length_around_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
