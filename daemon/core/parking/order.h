/* order.h - bookings of one slot, one plate or one household, in the order of (start, id).
 *
 * A list to walk and a tree to find one's place in it, over the same bookings:
 *
 *   first ──► 08:00 ──► 09:30 ──► 12:00 ──► 18:00        next: ids
 *
 *   root ──►        09:30                                left, right: places in the pool
 *                  ╱     ╲
 *              08:00     18:00                           a treap: (start, id) from left to right,
 *                       ╱                                a mix of the id from top to bottom
 *                   12:00
 *
 * The shape follows from what is in it, whatever the way it came in, so an engine that was loaded
 * has the same as one that lived through it. Adding and removing are O(log n) expected; walking is
 * as cheap as a list.
 */
#ifndef TIDE_CORE_PARKING_ORDER_H
#define TIDE_CORE_PARKING_ORDER_H

#include "daemon/core/state.h"

/* Which of its three orders a booking is linked into. */
enum order_of { ORDER_OF_SLOT, ORDER_OF_PLATE, ORDER_OF_HOUSEHOLD };

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
