/* order.c - see order.h. */
#include "daemon/core/parking/order.h"

void orders_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits)
{
    size_t bytes = ((size_t)limits->bookings + 1) * sizeof *engine->nodes[0];
    for (unsigned of = ORDER_OF_SLOT; of <= ORDER_OF_HOUSEHOLD; of++) {
        engine->nodes[of] = carve_take(carve, bytes);
        if (carve->base != NULL)
            __builtin_memset(engine->nodes[of], 0, bytes);
    }
}

/* One walk down a tree: where it stands, and what it passed on its left. */
struct descent {
    const struct engine *engine;
    struct order_node *nodes;
    uint32_t index,
        before; /* whose place is looked for; the last one passed that comes before it */
};

/* Who stands higher in the tree; indexes differ, and so do their mixes: the factor is odd. */
static uint32_t height_of(uint32_t index)
{
    return index * 0x9e3779b1u;
}

/* Minutes since 1970, or the nearest that there is: the order among those is told by the rows. */
static uint32_t minute_of(tide_ms time_ms)
{
    int64_t minute = time_ms / TIDE_MINUTE_MS;
    return minute < 0 ? 0 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

static bool row_comes_before(const struct engine *engine, uint32_t a, uint32_t b)
{
    const struct booking_state *one = table_by_index(&engine->bookings, a);
    const struct booking_state *other = table_by_index(&engine->bookings, b);
    if (one->row.start_ms != other->row.start_ms)
        return one->row.start_ms < other->row.start_ms;
    return one->row.id < other->row.id;
}

/* The link below `other` on the side where the sought one belongs. */
static uint32_t *pass(struct descent *descent, uint32_t other)
{
    struct order_node *nodes = descent->nodes;
    uint32_t mine = nodes[descent->index].start_min, theirs = nodes[other].start_min;
    if (theirs != mine ? theirs > mine : !row_comes_before(descent->engine, other, descent->index))
        return &nodes[other].left;
    descent->before = other;
    return &nodes[other].right;
}

/* Puts the node in place of the tree at `link`, and what was there on its two sides. */
static void split(struct descent *descent, uint32_t *link)
{
    struct order_node *mine = &descent->nodes[descent->index];
    uint32_t *left = &mine->left, *right = &mine->right, rest = *link;
    *link = descent->index;
    while (rest != 0) {
        uint32_t *inner = pass(descent, rest);
        if (descent->before == rest) {
            *left = rest;
            left = inner;
        } else {
            *right = rest;
            right = inner;
        }
        rest = *inner;
    }
    *left = *right = 0;
}

void order_add(struct engine *engine, struct order *order, struct booking_state *booking,
               enum order_of of)
{
    uint32_t index = table_index(&engine->bookings, booking);
    struct order_node *nodes = engine->nodes[of];
    struct descent descent = {.engine = engine, .nodes = nodes, .index = index};
    uint32_t *link = &order->root, *next = &order->first;
    nodes[index].start_min = minute_of(booking->row.start_ms);
    while (*link != 0 && height_of(*link) >= height_of(index))
        link = pass(&descent, *link);
    split(&descent, link);
    if (descent.before != 0)
        next = &nodes[descent.before].next;
    nodes[index].next = *next;
    *next = booking->row.id;
}

/* Puts two trees, all of `left` before all of `right`, where `link` is. */
static void join(struct order_node *nodes, uint32_t *link, uint32_t left, uint32_t right)
{
    while (left != 0 && right != 0) {
        if (height_of(left) >= height_of(right)) {
            *link = left;
            link = &nodes[left].right;
            left = *link;
        } else {
            *link = right;
            link = &nodes[right].left;
            right = *link;
        }
    }
    *link = left != 0 ? left : right;
}

void order_remove(struct engine *engine, struct order *order, struct booking_state *booking,
                  enum order_of of)
{
    uint32_t index = table_index(&engine->bookings, booking);
    struct order_node *nodes = engine->nodes[of], *mine = &nodes[index];
    struct descent descent = {.engine = engine, .nodes = nodes, .index = index};
    uint32_t *link = &order->root, *next = &order->first;
    CHECK(mine->start_min == minute_of(booking->row.start_ms));
    while (*link != index) {
        CHECK(*link != 0);
        link = pass(&descent, *link);
    }
    for (uint32_t at = mine->left; at != 0; at = nodes[at].right)
        descent.before = at;
    join(nodes, link, mine->left, mine->right);
    if (descent.before != 0)
        next = &nodes[descent.before].next;
    CHECK(*next == booking->row.id);
    *next = mine->next;
    *mine = (struct order_node){0};
}

struct booking_state *order_after(const struct engine *engine, const struct order *order,
                                  enum order_of of, tide_ms time_ms)
{
    struct booking_state *first = NULL;
    for (uint32_t at = order->root; at != 0;) {
        struct booking_state *booking = table_by_index(&engine->bookings, at);
        bool later = booking->row.end_ms > time_ms;
        first = later ? booking : first;
        at = later ? engine->nodes[of][at].left : engine->nodes[of][at].right;
    }
    return first;
}
