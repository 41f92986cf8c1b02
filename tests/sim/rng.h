/* rng.h - chance that repeats: the same seed gives the same numbers on every machine. */
#ifndef TIDE_SIM_RNG_H
#define TIDE_SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_rng {
    uint64_t s[4];
};

/* Streams of one seed are independent, so that a new fault does not change what the clients do. */
void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint64_t stream);
uint64_t sim_rng_next(struct sim_rng *rng);
/* 0 .. bound-1; bound > 0. */
uint32_t sim_rng_below(struct sim_rng *rng, uint32_t bound);
/* least .. most, both included. */
int64_t sim_rng_range(struct sim_rng *rng, int64_t least, int64_t most);
/* True in `permille` of 1000 cases. */
bool sim_rng_chance(struct sim_rng *rng, uint32_t permille);
/* Roughly bell-shaped around 0: the sum of three uniform numbers of +-spread/3 each. */
int64_t sim_rng_bell(struct sim_rng *rng, int64_t spread);
void sim_rng_fill(struct sim_rng *rng, uint8_t *out, size_t len);

#endif
