/* order.h - bookings of one slot, one plate or one household, in the order of (start, id).
 *
 * A list to walk and a tree to find one's place in it, over the same bookings:
 *
 *   first ──► 08:00 ──► 09:30 ──► 12:00 ──► 18:00        next: ids
 *
 *   root ──►        09:30                                left, right: places in the pool
 *                  ╱     ╲
 *              08:00     18:00                           a treap: (start, id) from left to right,
 *                       ╱                                a mix of the place from top to bottom
 *                   12:00
 *
 * Its nodes lie close together, beside the bookings, with no more in them than a walk down needs:
 * the minute of the start, and places. Only two starts within one minute are compared by the
 * bookings' own rows.
 *
 * The order follows from what is in it; the shape from where it lies as well, and decides nothing.
 * Adding and removing are O(log n) expected; walking is as cheap as a list.
 */
#ifndef TIDE_CORE_PARKING_ORDER_H
#define TIDE_CORE_PARKING_ORDER_H

#include "daemon/core/state.h"

/* Which of its three orders a booking is linked into. */
enum order_of { ORDER_OF_SLOT, ORDER_OF_PLATE, ORDER_OF_HOUSEHOLD };

/* Takes the nodes out of the engine's block, all clear. */
void orders_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits);

/* The booking that follows on this one; 0: none. */
static inline tide_id order_next(const struct engine *engine, const struct booking_state *booking,
                                 enum order_of of)
{
    return engine->nodes[of][table_index(&engine->bookings, booking)].next;
}

/* The booking must not be in the order yet; its start may not change while it is. */
void order_add(struct engine *engine, struct order *order, struct booking_state *booking,
               enum order_of of);
/* The booking must be in the order. */
void order_remove(struct engine *engine, struct order *order, struct booking_state *booking,
                  enum order_of of);

/* The first booking that ends after this time; of a slot, whose bookings do not overlap. NULL when
 * there is none. */
struct booking_state *order_after(const struct engine *engine, const struct order *order,
                                  enum order_of of, tide_ms time_ms);

#endif
