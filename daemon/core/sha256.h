/* sha256.h - SHA-256 (FIPS 180-4), for what anybody must be able to compute anew: the commitment,
 * the tree of wishes and the seed of a draw. The core decides by it, so it cannot come from
 * outside.
 */
#ifndef TIDE_CORE_SHA256_H
#define TIDE_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
};
void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t len);
void sha256_end(struct sha256 *sha, uint8_t ret[32]);

#endif
