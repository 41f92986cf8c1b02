/* tally.h - what the demo counts while it plays, and how long the gates took to answer.
 *
 * The counters are one list; from it come the struct, the file that `play` leaves for `table`, and
 * its reading back.
 */
#ifndef DEMO_TALLY_H
#define DEMO_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* X(name): what our own side saw; the database is asked for the rest. */
#define DEMO_COUNTERS(X)                                                                           \
    X(requests)       /* all that were sent */                                                     \
    X(wishes)         /* cars that wanted a place */                                               \
    X(bookings_asked) /* book and repeat, each attempt */                                          \
    X(promised)       /* of these accepted */                                                      \
    X(by_clerk)       /* of these entered by the clerk for somebody */                             \
    X(series)         /* accepted as every workday */                                              \
    X(adapted)        /* accepted after "leave by then and it fits" or "come at" */                \
    X(unmet)          /* wishes that nothing came of */                                            \
    X(cancelled)      /* cancels accepted */                                                       \
    X(extensions_asked)                                                                            \
    X(extensions_granted)                                                                          \
    X(recalls_asked)                                                                               \
    X(recalls_granted)                                                                             \
    X(plates_read)    /* by a camera */                                                            \
    X(plates_misread) /* of these not as they are */                                               \
    X(opened)         /* arms lifted */                                                            \
    X(denied)         /* answers that were no */                                                   \
    X(silent)         /* of these found nowhere in the gate's log */                               \
    X(turned_away)    /* promised, yet the gate did not open */                                    \
    X(by_hand)        /* arms lifted by the guard */                                               \
    X(sensor_messages)                                                                             \
    X(notices)                                                                                     \
    X(slot_taken)       /* somebody found the slot promised him taken */                           \
    X(owner_slot_taken) /* an owner found his own slot taken, in truth */                          \
    X(strangers)        /* put on slots, in truth */                                               \
    X(overstayed)       /* in truth */                                                             \
    X(no_shows)         /* in truth */                                                             \
    X(unanswered)       /* requests without any reply */                                           \
    X(late_ms_max)      /* how far the demo itself ran behind, real milliseconds */

#define DEMO_WHYS_MAX 64
#define DEMO_LATENCIES_MAX 65536

struct demo_tally {
#define DEMO_COUNTER_FIELD_(name) uint64_t name;
    DEMO_COUNTERS(DEMO_COUNTER_FIELD_)
#undef DEMO_COUNTER_FIELD_
    struct {
        char why[48]; /* "full, all_taken" */
        uint64_t count;
    } refusals[DEMO_WHYS_MAX];
    size_t refusal_count;
    uint32_t latency_us[DEMO_LATENCIES_MAX]; /* gate answers */
    size_t latency_count;
};

void demo_tally_refusal(struct demo_tally *tally, const char *code, const char *why);
void demo_tally_latency(struct demo_tally *tally, int64_t us);
/* The latency that `permille` thousandths of the answers did not exceed; 0 when there were none.
 * Sorts the latencies. */
int64_t demo_tally_quantile_us(struct demo_tally *tally, unsigned permille);
uint64_t demo_tally_refusals(const struct demo_tally *tally);

/* One "key value" a line. Return 0 or -1. */
int demo_tally_write(struct demo_tally *tally, const char *path);
int demo_tally_read(struct demo_tally *ret, const char *path);

#endif
