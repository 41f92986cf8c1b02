/* modes.h - the three ways to spoil a story. */
#ifndef TIDE_CRASH_MODES_H
#define TIDE_CRASH_MODES_H

#include "tests/crash/life.h"

struct mode {
    const char *name;
    /* Plays the story without a fault; how many calls can be spoilt. 0: it does not play. */
    uint32_t (*count)(struct life *life);
    /* Spoils call `at` (from 1); false: life->why. */
    bool (*point)(struct life *life, uint32_t at, uint64_t seed);
};

extern const struct mode modes[];
extern const unsigned mode_count;

#endif
