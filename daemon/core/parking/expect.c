/* expect.c - what a promise will touch is asked of memory before it is needed.
 *
 * A promise is made of rows that lie far apart, and each look at one that is in no cache costs more
 * than a hundred steps of reckoning. Most of them are known at once:
 *
 *   asked:         household's account, plate, the next booking, heap; the top of his bookings
 *   rules kept:    his bookings, one below the top           (meanwhile the seat is looked for)
 *   seat found:    the slot's bits, the top of its bookings  (meanwhile the row is written)
 *
 * Nothing is read by this and nothing decided: without it the same happens, later.
 */
#include "daemon/core/parking/parking.h"

void booking_expect(const struct engine *engine, const struct booking_wish *wish)
{
    const struct place_state *household = place_of(engine, wish->household);
    if (household != NULL)
        order_expect(engine, &household->bookings, ORDER_OF_HOUSEHOLD);
    table_expect(&engine->accounts, wish->household);
    table_expect(&engine->plates, wish->plate);
    table_expect(&engine->bookings, engine->counter[TIDE_COUNTER_booking]);
    heap_expect(&engine->heap);
}

void booking_expect_order(const struct engine *engine, const struct booking_wish *wish)
{
    const struct place_state *household = place_of(engine, wish->household);
    CHECK(household != NULL);
    order_expect_below(engine, &household->bookings, ORDER_OF_HOUSEHOLD, wish->start_ms);
}

void seat_expect(const struct engine *engine, tide_id slot, struct span span)
{
    const struct slot_state *state = slot_of(engine, slot);
    CHECK(state != NULL);
    order_expect(engine, &state->bookings, ORDER_OF_SLOT);
    freemap_expect(engine, state, span.from);
}
