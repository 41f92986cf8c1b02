/* dice.h - chance that comes out the same everywhere: a PCG-XSH-RR of 64 bits of state.
 *
 * Everything random in the demo is drawn from one of these, seeded by --seed, so that a day can be
 * played again. Streams that must not disturb each other take a dice of their own.
 */
#ifndef DEMO_DICE_H
#define DEMO_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct demo_dice {
    uint64_t state;
};

static inline uint32_t demo_dice_word(struct demo_dice *dice)
{
    uint64_t old = dice->state;
    dice->state = old * 6364136223846793005ULL + 1442695040888963407ULL;
    uint32_t word = (uint32_t)(((old >> 18) ^ old) >> 27);
    unsigned turn = (unsigned)(old >> 59);
    return (word >> turn) | (word << ((32 - turn) & 31));
}

static inline void demo_dice_seed(struct demo_dice *dice, uint64_t seed)
{
    dice->state = seed * 2 + 1;
    for (int i = 0; i < 4; i++) {
        (void)demo_dice_word(dice);
    }
}

/* 0 .. n-1; n > 0. */
static inline int demo_dice_below(struct demo_dice *dice, int n)
{
    return (int)(((uint64_t)demo_dice_word(dice) * (uint64_t)n) >> 32);
}

/* low .. high, both included. */
static inline int demo_dice_range(struct demo_dice *dice, int low, int high)
{
    return low + demo_dice_below(dice, high - low + 1);
}

static inline bool demo_dice_percent(struct demo_dice *dice, int percent)
{
    return demo_dice_below(dice, 100) < percent;
}

#endif
