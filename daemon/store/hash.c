/* hash.c - hashing and random bytes. Texts and rids are chosen by strangers, so the maps that
 * hold them hash with a secret key of this run (SipHash-1-3, Aumasson and Bernstein).
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/store/internal.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t store_hash(const struct store_hash_key *key, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
                     key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
    size_t left = len;
    for (; left >= 8; left -= 8, in += 8) {
        uint64_t word;
        memcpy(&word, in, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)in[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void store_random(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len < 256 ? len : 256, 0);
        if (got <= 0)
            abort(); /* no entropy: no key, no salt, nothing can go on */
        at += got;
        len -= (size_t)got;
    }
}

void store_sha256(const uint8_t *bytes, size_t len, uint8_t ret[32])
{
    unsigned size = 32;
    if (EVP_Digest(bytes, len, ret, &size, EVP_sha256(), NULL) != 1 || size != 32)
        abort();
}
