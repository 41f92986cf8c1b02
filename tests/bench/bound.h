/* bound.h - what nobody can exceed: the capacity-profile bound.
 *
 * Forget which slot: c(t) slots are open at grain t. Chosen are wishes of the greatest total length
 * such that never more than c(t) of them run at t. Constraints of consecutive grains make an
 * interval matrix, so the linear programme has a whole solution, and is one flow of least cost.
 */
#ifndef TIDE_BENCH_BOUND_H
#define TIDE_BENCH_BOUND_H

#include <stdint.h>

struct bound_wish {
    uint32_t from, until; /* grains, [from, until) */
};
/* The greatest total length in grains. open: c(t) by grain; returns -1 without memory. */
int64_t bound_profile(const uint32_t *open, uint32_t grains, const struct bound_wish *wishes,
                      uint32_t count);

#endif
