/* model.h - what one zone promises, said a second time: the sequential specification of check.c.
 *
 * Knows nothing of the daemon's headers. A slot is a word of bits, a half hour each:
 *
 *     slot 0   ...1111....11......      a booking takes the slot that leaves the least free time
 *     slot 1   .........1111111...      before and behind it (a gap counts up to a day; what lies
 *                                       outside of the words is free); the lower one among equals
 */
#ifndef TIDE_CHAOS_MODEL_H
#define TIDE_CHAOS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_SLOTS_MAX 8
#define MODEL_BOOKINGS_MAX 192

enum model_kind { MODEL_BOOK, MODEL_CANCEL, MODEL_EXTEND, MODEL_NOTHING, MODEL_QUOTE };

struct model_op {
    enum model_kind kind;
    uint32_t booking, from, until; /* until: behind the last half hour */
    bool open;                     /* nobody heard an answer */
    char code[16], why[20];
    uint32_t id; /* the booking made; places of a quote */
};

struct model_booking {
    uint32_t id; /* 0: nobody was told */
    uint8_t slot, from, until;
};

struct model {
    uint32_t slots, last_id;
    uint32_t busy[MODEL_SLOTS_MAX];
    uint32_t count;
    struct model_booking bookings[MODEL_BOOKINGS_MAX];
};

/* Does the operation. False when its answer is not the one that follows from the state, or when it
 * is open and would change nothing (then it need not be looked at). */
bool model_apply(struct model *model, const struct model_op *op);
/* The same for states that differ only in the order in which they came about. */
uint64_t model_digest(const struct model *model, uint64_t salt);

#endif
