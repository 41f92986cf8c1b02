/* civil.h - civil time as the daemon counts it. It is the wall clock, except in a demonstration
 * whose days pass faster: then tide/1/sys/{node} says which civil moment belonged to which real
 * one, and at what rate it goes on from there.
 */
#ifndef TIDE_GATEWAY_CIVIL_H
#define TIDE_GATEWAY_CIVIL_H

#include <stdint.h>

struct gw_civil {
    int64_t civil_ms, real_ms;
    int64_t scale; /* 0 and 1: the wall clock */
};

static inline int64_t gw_civil_ms(const struct gw_civil *civil, int64_t real_ms)
{
    if (civil->scale <= 1)
        return real_ms;
    return civil->civil_ms + (real_ms - civil->real_ms) * civil->scale;
}

#endif
