/* wait_fixture.h - people who wait, for tests of the rules of waiting.
 *
 * Zone 2 has slots 5 and 6, open from 08:00 to 20:00. Plates 61 and 62 hold both from 09:00 to
 * 12:00 (fill). It is Monday 08:00.
 */
#ifndef TIDE_TESTS_WAIT_FIXTURE_H
#define TIDE_TESTS_WAIT_FIXTURE_H

#include "tests/unit/rules_table.h"

#define ZONE 2
#define AT(min) (MONDAY_0800 + (min)*MIN_MS)

static inline struct tide_wait wanting(tide_id plate, int from_min, int until_min)
{
    return (struct tide_wait){
        .plate = plate, .zone = ZONE, .start_ms = AT(from_min), .end_ms = AT(until_min)};
}

static inline tide_id want(struct fixture *f, tide_id user, tide_id plate, int from_min,
                           int until_min)
{
    struct tide_wait ask = wanting(plate, from_min, until_min);
    fixture_send(f, user, TIDE_REC_wait, &ask);
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

/* Both slots are promised from 09:00 to 12:00: bookings 1 and 2. */
static inline void fill(struct fixture *f)
{
    assert_int_equal(fixture_book(f, OWNER, 61, ZONE, 60, 240), 1);
    assert_int_equal(fixture_book(f, NEIGHBOUR, 62, ZONE, 60, 240), 2);
}

static inline const struct tide_waiting *waiting(const struct fixture *f, tide_id id)
{
    return engine_find(f->engine, TIDE_REC_waiting, id, 0, 0);
}

/* What the last steps wrote about a wait, the last word. */
static inline struct tide_waiting written(const struct fixture *f, tide_id id)
{
    struct tide_waiting row, found = {.id = 0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_waiting, n, &row); n++)
        if (row.id == id)
            found = row;
    return found;
}

static inline void cancel(struct fixture *f, tide_id user, tide_id booking)
{
    fixture_send(f, user, TIDE_REC_cancel, &(struct tide_cancel){.booking = booking});
    CODE_IS(f, ok);
    fixture_pass(f, 0); /* who waits is looked at before anything else */
}

#endif
