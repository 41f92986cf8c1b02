/* bytes.h - numbers as bytes, the low ones first: what the journal and a draw's result hold. */
#ifndef TIDE_BYTES_H
#define TIDE_BYTES_H

#include <stdint.h>

/* The low `bytes` bytes of a number, at most 8. */
static inline void tide_little_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t tide_little_get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

#endif
