/* rng.c - xoshiro256** (Blackman, Vigna), seeded through splitmix64. */
#include "tests/sim/rng.h"

#include <assert.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;
    uint64_t mixed = splitmix(&state) ^ (stream * 0xd1342543de82ef95u);
    for (unsigned i = 0; i < 4; i++)
        rng->s[i] = splitmix(&mixed);
}

uint64_t sim_rng_next(struct sim_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t sim_rng_below(struct sim_rng *rng, uint32_t bound)
{
    assert(bound > 0);
    return (uint32_t)(((sim_rng_next(rng) >> 32) * bound) >> 32);
}

int64_t sim_rng_range(struct sim_rng *rng, int64_t least, int64_t most)
{
    assert(least <= most);
    return least + (int64_t)(sim_rng_next(rng) % (uint64_t)(most - least + 1));
}

bool sim_rng_chance(struct sim_rng *rng, uint32_t permille)
{
    return sim_rng_below(rng, 1000) < permille;
}

int64_t sim_rng_bell(struct sim_rng *rng, int64_t spread)
{
    int64_t third = spread / 3;
    int64_t sum = 0;
    for (unsigned i = 0; i < 3; i++)
        sum += sim_rng_range(rng, -third, third);
    return sum;
}

void sim_rng_fill(struct sim_rng *rng, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(sim_rng_next(rng) >> 56);
}
