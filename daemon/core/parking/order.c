/* order.c - see order.h. */
#include "daemon/core/parking/order.h"

#include <string.h>

#define HALF (ORDER_FAN / 2)
#define HEIGHT_MAX 12 /* 7 to the 12th bookings */

/* Each order with nodes has one root, of two entries at least; all other nodes have seven. */
static uint32_t nodes_max(uint32_t bookings, uint32_t orders)
{
    uint32_t by_root = bookings / 2, by_order = bookings / 6 + orders;
    return (by_root < by_order ? by_root : by_order) + 16;
}

void orders_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits)
{
    size_t bytes = ((size_t)limits->bookings + 1) * sizeof(uint32_t);
    const uint32_t orders_max[] = {[ORDER_OF_SLOT] = limits->slots,
                                   [ORDER_OF_PLATE] = limits->bookings,
                                   [ORDER_OF_HOUSEHOLD] = limits->places};
    for (unsigned of = ORDER_OF_SLOT; of <= ORDER_OF_HOUSEHOLD; of++) {
        struct orders *orders = &engine->orders[of];
        orders->cap = nodes_max(limits->bookings, orders_max[of]);
        orders->next = carve_take(carve, bytes);
        orders->nodes = carve_take(carve, ((size_t)orders->cap + 1) * sizeof *orders->nodes);
        if (carve->base != NULL)
            memset(orders->next, 0, bytes);
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */
/* Those that were never used are not touched, so that their memory costs nothing. */
static uint32_t node_take(struct orders *orders, unsigned height)
{
    uint32_t taken = orders->free;
    if (taken != 0)
        orders->free = orders->nodes[taken].free;
    else
        taken = ++orders->used;
    CHECK(taken <= orders->cap);
    orders->nodes[taken].count = 0;
    orders->nodes[taken].height = (uint16_t)height;
    return taken;
}

static void node_give(struct orders *orders, uint32_t node)
{
    orders->nodes[node].free = orders->free;
    orders->free = node;
}

static void entry_put(struct order_node *node, unsigned at, uint32_t minute, uint32_t below)
{
    CHECK(node->count < ORDER_FAN && at <= node->count);
    size_t behind = (node->count - at) * sizeof node->minute[0];
    memmove(node->minute + at + 1, node->minute + at, behind);
    memmove(node->below + at + 1, node->below + at, behind);
    node->minute[at] = minute;
    node->below[at] = below;
    node->count++;
}

static void entry_take(struct order_node *node, unsigned at)
{
    CHECK(at < node->count);
    node->count--;
    size_t behind = (node->count - at) * sizeof node->minute[0];
    memmove(node->minute + at, node->minute + at + 1, behind);
    memmove(node->below + at, node->below + at + 1, behind);
}

/* All entries of `from` on, from the one at `at`, to the end of another node. */
static void entries_move(struct order_node *to, struct order_node *from, unsigned at)
{
    unsigned moved = from->count - at;
    CHECK(to->count + moved <= ORDER_FAN);
    memcpy(to->minute + to->count, from->minute + at, moved * sizeof to->minute[0]);
    memcpy(to->below + to->count, from->below + at, moved * sizeof to->below[0]);
    to->count = (uint16_t)(to->count + moved);
    from->count = (uint16_t)at;
}

/* ---- who comes first ------------------------------------------------------------------------- */
/* Minutes since 1970, or the nearest that there is: the order among those is told by the rows. */
static uint32_t minute_of(tide_ms time_ms)
{
    int64_t minute = time_ms / TIDE_MINUTE_MS;
    return minute < 0 ? 0 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

static const struct tide_booking *row_at(const struct engine *engine, uint32_t index)
{
    return &((const struct booking_state *)table_by_index(&engine->bookings, index))->row;
}

static bool row_comes_before(const struct tide_booking *one, const struct tide_booking *other)
{
    return one->start_ms != other->start_ms ? one->start_ms < other->start_ms : one->id < other->id;
}

/* The first or the last booking below a node. */
static uint32_t outermost(const struct orders *orders, const struct order_node *node, bool last)
{
    while (node->height > 0)
        node = &orders->nodes[node->below[last ? node->count - 1u : 0]];
    return node->below[last ? node->count - 1u : 0];
}

/* A way down the tree: at each height a node, and which entry was taken. */
struct way {
    uint32_t node[HEIGHT_MAX];
    unsigned at[HEIGHT_MAX];
};

/* In an inner node: the child below which the booking belongs. In a leaf: how many come before. */
static unsigned place_in(const struct engine *engine, const struct orders *orders,
                         const struct order_node *node, const struct tide_booking *row)
{
    uint32_t minute = minute_of(row->start_ms);
    bool inner = node->height > 0;
    unsigned at = inner;
    while (at < node->count && node->minute[at] < minute)
        at++;
    for (; at < node->count && node->minute[at] == minute; at++) {
        uint32_t index =
            inner ? outermost(orders, &orders->nodes[node->below[at]], false) : node->below[at];
        const struct tide_booking *other = row_at(engine, index);
        if (inner ? row_comes_before(row, other) : !row_comes_before(other, row))
            break;
    }
    return at - inner;
}

/* Fills the way to the leaf and the place in it; returns the index of who comes before, 0: none. */
static uint32_t find(const struct engine *engine, const struct orders *orders, uint32_t root,
                     const struct tide_booking *row, struct way *way)
{
    const struct order_node *node = &orders->nodes[root], *left = NULL;
    CHECK(node->height < HEIGHT_MAX);
    way->node[node->height] = root;
    for (;;) {
        unsigned at = place_in(engine, orders, node, row), height = node->height;
        way->at[height] = at;
        if (height == 0) {
            if (at > 0)
                return node->below[at - 1];
            return left != NULL ? outermost(orders, left, true) : 0;
        }
        if (at > 0)
            left = &orders->nodes[node->below[at - 1]];
        way->node[height - 1] = node->below[at];
        node = &orders->nodes[node->below[at]];
    }
}

/* ---- adding ---------------------------------------------------------------------------------- */
/* Puts an entry where the way ends; full nodes are split, up to the root if need be. */
static void insert(struct orders *orders, uint32_t *root, const struct way *way, uint32_t minute,
                   uint32_t below)
{
    unsigned height = 0, at = way->at[0], top = orders->nodes[*root].height;
    for (;;) {
        uint32_t full = way->node[height];
        struct order_node *node = &orders->nodes[full];
        if (node->count < ORDER_FAN) {
            entry_put(node, at, minute, below);
            return;
        }
        uint32_t fresh = node_take(orders, height);
        struct order_node *right = &orders->nodes[fresh];
        entries_move(right, node, HALF + 1);
        if (at <= HALF + 1)
            entry_put(node, at, minute, below);
        else
            entry_put(right, at - (HALF + 1), minute, below);
        minute = right->minute[0];
        below = fresh;
        if (height == top) {
            *root = node_take(orders, top + 1);
            entry_put(&orders->nodes[*root], 0, 0, full);
            entry_put(&orders->nodes[*root], 1, minute, fresh);
            return;
        }
        height++;
        at = way->at[height] + 1;
    }
}

/* The order's only booking gets a leaf, now that there will be another. */
static void plant(const struct engine *engine, struct orders *orders, struct order *order)
{
    const struct booking_state *only = booking_of(engine, order->first);
    CHECK(only != NULL && order->root == 0);
    order->root = node_take(orders, 0);
    entry_put(&orders->nodes[order->root], 0, minute_of(only->row.start_ms),
              table_index(&engine->bookings, only));
}

void order_add(struct engine *engine, struct order *order, struct booking_state *booking,
               enum order_of of)
{
    uint32_t index = table_index(&engine->bookings, booking);
    struct orders *orders = &engine->orders[of];
    uint32_t *next = &order->first;
    if (order->first != 0) {
        struct way way;
        if (order->root == 0)
            plant(engine, orders, order);
        uint32_t before = find(engine, orders, order->root, &booking->row, &way);
        insert(orders, &order->root, &way, minute_of(booking->row.start_ms), index);
        if (before != 0)
            next = &orders->next[before];
    }
    orders->next[index] = *next;
    *next = booking->row.id;
}

void order_expect_below(const struct engine *engine, const struct order *order, enum order_of of,
                        tide_ms start_ms)
{
    const struct order_node *root = engine->orders[of].nodes + order->root, *below;
    uint32_t minute = minute_of(start_ms);
    unsigned at = 1;
    if (order->root == 0 || root->height == 0)
        return;
    while (at < root->count && root->minute[at] <= minute)
        at++;
    below = engine->orders[of].nodes + root->below[at - 1];
    __builtin_prefetch(below, 1);
    __builtin_prefetch(&below->below[0], 1);
}

/* ---- removing -------------------------------------------------------------------------------- */
/* A node has too few: its neighbour gives one, or both become one. True when the parent has lost an
 * entry by that. */
static bool mend(struct orders *orders, struct order_node *parent, unsigned at)
{
    unsigned right_at = at > 0 ? at : 1; /* the pair is (right_at - 1, right_at) */
    struct order_node *left = &orders->nodes[parent->below[right_at - 1]];
    struct order_node *right = &orders->nodes[parent->below[right_at]];
    if (right->height > 0) /* a first child has no key of its own: the parent has it */
        right->minute[0] = parent->minute[right_at];
    if (left->count + right->count <= 2 * HALF) {
        entries_move(left, right, 0);
        node_give(orders, parent->below[right_at]);
        entry_take(parent, right_at);
        return true;
    }
    if (at > 0) {
        unsigned last = left->count - 1u;
        entry_put(right, 0, left->minute[last], left->below[last]);
        entry_take(left, last);
    } else {
        entry_put(left, left->count, right->minute[0], right->below[0]);
        entry_take(right, 0);
    }
    parent->minute[right_at] = right->minute[0];
    return false;
}

static void take_out(struct orders *orders, struct order *order, const struct way *way)
{
    struct order_node *root = &orders->nodes[order->root];
    unsigned top = root->height, height = 0;
    entry_take(&orders->nodes[way->node[0]], way->at[0]);
    while (height < top && orders->nodes[way->node[height]].count < HALF) {
        height++;
        if (!mend(orders, &orders->nodes[way->node[height]], way->at[height]))
            break;
    }
    if (root->count > 1)
        return;
    uint32_t gone = order->root; /* one entry alone: the child is the root, or needs no leaf */
    order->root = top > 0 ? root->below[0] : 0;
    node_give(orders, gone);
}

void order_remove(struct engine *engine, struct order *order, struct booking_state *booking,
                  enum order_of of)
{
    uint32_t index = table_index(&engine->bookings, booking);
    struct orders *orders = &engine->orders[of];
    uint32_t *next = &order->first;
    if (order->root != 0) {
        struct way way;
        uint32_t before = find(engine, orders, order->root, &booking->row, &way);
        const struct order_node *leaf = &orders->nodes[way.node[0]];
        CHECK(way.at[0] < leaf->count && leaf->below[way.at[0]] == index);
        take_out(orders, order, &way);
        if (before != 0)
            next = &orders->next[before];
    }
    CHECK(*next == booking->row.id);
    *next = orders->next[index];
    orders->next[index] = 0;
}

/* ---- asked ----------------------------------------------------------------------------------- */
struct booking_state *order_after(const struct engine *engine, const struct order *order,
                                  enum order_of of, tide_ms time_ms)
{
    const struct orders *orders = &engine->orders[of];
    struct booking_state *booking = booking_of(engine, order->first);
    if (order->root != 0) { /* who began last before that time */
        const struct tide_booking row = {.start_ms = time_ms};
        struct way way;
        uint32_t before = find(engine, orders, order->root, &row, &way);
        if (before != 0)
            booking = table_by_index(&engine->bookings, before);
    }
    while (booking != NULL && booking->row.end_ms <= time_ms)
        booking = booking_of(engine, order_next(engine, booking, of));
    return booking;
}
