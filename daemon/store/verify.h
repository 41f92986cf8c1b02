/* verify.h - the two halves of --verify; used by verify*.c, and by why.c. */
#ifndef TIDE_STORE_VERIFY_H
#define TIDE_STORE_VERIFY_H

#include "daemon/store/internal.h"

struct store_verify {
    sqlite3 *db; /* one read transaction from the first look to the last */
    const struct engine_limits *limits;
    store_progress_fn *progress; /* may be NULL */
    void *arg;
    struct store_report *report;
    uint32_t domain;
    struct store_position position;
    uint64_t applied, rids;
};

/* Counts a fault; the first one is kept in words. */
void store_verify_fault(struct store_verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void store_verify_tell(const struct store_verify *verify, const char *phase, uint64_t done,
                       uint64_t all);

/* verify_fold.c: rebuilds the tables of a domain from recorded effects and compares them. */
enum store_error store_verify_fold(struct store_verify *verify);
/* verify_decide.c: decides the events of a domain again and compares effects and digests. */
enum store_error store_verify_decide(struct store_verify *verify);

/* An empty engine with these limits, to be freed; NULL without memory. */
struct engine *store_verify_engine(const struct engine_limits *limits);
/* Fills an empty engine from the snapshot of an epoch, as of when_ms. */
enum store_error store_verify_snapshot(struct engine *engine, const uint8_t *bytes, size_t len,
                                       tide_ms when_ms);
/* Whether the event can have been the next one of this engine. */
bool store_verify_may_step(const struct engine *engine, const struct engine_event *event);

#endif
