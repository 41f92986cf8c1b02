/* order.h - bookings of one slot, one plate or one household, in the order of (start, id).
 *
 * A list to walk and a tree to find one's place in it, over the same bookings:
 *
 *   first ──► 08:00 ──► 09:30 ──► 12:00 ──► 18:00 ──► ...       next: ids, beside the bookings
 *               │                   │
 *   root ──► [ ─┬─ │ 12:00 ─┬─ │ ... ]                          inner: where each child begins
 *               ▼           ▼
 *       [ 08:00 │ 09:30 ] [ 12:00 │ 18:00 │ ... ]               leaf: minutes, places in the pool
 *
 * A node is two cache lines, at most ORDER_FAN entries and, but for the root, half as many: a
 * slot's hundred bookings are found with two nodes. In a node stand minutes; only two starts within
 * one minute are compared by the bookings' own rows. The key of a child may be earlier than its
 * first entry (that one was removed), never later, and never earlier than what stands before it. A
 * single booking, as a plate mostly has, needs no node.
 *
 * The order follows from what is in it; the tree's shape from how it came about as well, and
 * decides nothing. Adding and removing are O(log n); walking is as cheap as a list.
 */
#ifndef TIDE_CORE_PARKING_ORDER_H
#define TIDE_CORE_PARKING_ORDER_H

#include "daemon/core/state.h"

#define ORDER_FAN 15u

struct order_node {
    uint16_t count, height; /* 0: a leaf */
    uint32_t free;          /* next one that is not in use */
    uint32_t minute[ORDER_FAN];
    uint32_t below[ORDER_FAN]; /* node, in a leaf the booking's index in its table */
};
_Static_assert(sizeof(struct order_node) == 128, "two cache lines");

/* Which of its three orders a booking is linked into. */
enum order_of { ORDER_OF_SLOT, ORDER_OF_PLATE, ORDER_OF_HOUSEHOLD };

/* Takes the nodes out of the engine's block, none in use. */
void orders_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits);

/* The booking that follows on this one; 0: none. */
static inline tide_id order_next(const struct engine *engine, const struct booking_state *booking,
                                 enum order_of of)
{
    return engine->orders[of].next[table_index(&engine->bookings, booking)];
}

/* The booking must not be in the order yet; its start may not change while it is. */
void order_add(struct engine *engine, struct order *order, struct booking_state *booking,
               enum order_of of);
/* The booking must be in the order. */
void order_remove(struct engine *engine, struct order *order, struct booking_state *booking,
                  enum order_of of);

/* A booking will be put into the order soon: its top may come from memory meanwhile; then, once
 * that is there, what lies below it where a booking of this start belongs. Nothing changes. */
static inline void order_expect(const struct engine *engine, const struct order *order,
                                enum order_of of)
{
    const struct order_node *root = engine->orders[of].nodes + order->root;
    __builtin_prefetch(root, 1);
    __builtin_prefetch(&root->below[0], 1);
}
void order_expect_below(const struct engine *engine, const struct order *order, enum order_of of,
                        tide_ms start_ms);

/* The first booking that ends after this time; of a slot, whose bookings do not overlap. NULL when
 * there is none. */
struct booking_state *order_after(const struct engine *engine, const struct order *order,
                                  enum order_of of, tide_ms time_ms);

#endif
