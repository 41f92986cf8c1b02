/* order.c - see order.h. */
#include "daemon/core/parking/order.h"

/* One walk down a tree: where it stands, and what it passed on its left. */
struct descent {
    struct engine *engine;
    struct booking_state *booking; /* whose place is looked for */
    enum order_of of;
    struct booking_state *before; /* the last one passed that comes before it */
};

static struct order_links *links_of(struct booking_state *booking, enum order_of of)
{
    return &booking->links[of];
}

static struct booking_state *node_at(struct engine *engine, uint32_t index)
{
    return table_by_index(&engine->bookings, index);
}

static uint32_t index_of(const struct engine *engine, const struct booking_state *booking)
{
    return table_index(&engine->bookings, booking);
}

/* Who stands higher in the tree; ids differ, and so do their mixes: the factor is odd. */
static uint32_t height_of(const struct booking_state *booking)
{
    return booking->row.id * 0x9e3779b1u;
}

static bool comes_before(const struct booking_state *a, const struct booking_state *b)
{
    if (a->row.start_ms != b->row.start_ms)
        return a->row.start_ms < b->row.start_ms;
    return a->row.id < b->row.id;
}

/* The link below `node` on the side where the booking belongs. */
static uint32_t *pass(struct descent *descent, struct booking_state *node)
{
    struct order_links *links = links_of(node, descent->of);
    if (!comes_before(node, descent->booking))
        return &links->left;
    descent->before = node;
    return &links->right;
}

/* Puts the booking in place of the tree at `link`, and what was there on its two sides. */
static void split(struct descent *descent, uint32_t *link)
{
    struct order_links *mine = links_of(descent->booking, descent->of);
    uint32_t *left = &mine->left, *right = &mine->right, rest = *link;
    *link = index_of(descent->engine, descent->booking);
    while (rest != 0) {
        struct booking_state *node = node_at(descent->engine, rest);
        uint32_t *inner = pass(descent, node);
        if (descent->before == node) {
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
    struct descent descent = {.engine = engine, .booking = booking, .of = of};
    uint32_t *link = &order->root, *next = &order->first;
    while (*link != 0) {
        struct booking_state *node = node_at(engine, *link);
        if (height_of(node) < height_of(booking))
            break;
        link = pass(&descent, node);
    }
    split(&descent, link);
    if (descent.before != NULL)
        next = &links_of(descent.before, of)->next;
    links_of(booking, of)->next = *next;
    *next = booking->row.id;
}

/* Puts two trees, all of `left` before all of `right`, where `link` is. */
static void join(struct engine *engine, uint32_t *link, uint32_t left, uint32_t right,
                 enum order_of of)
{
    while (left != 0 && right != 0) {
        struct booking_state *a = node_at(engine, left), *b = node_at(engine, right);
        if (height_of(a) >= height_of(b)) {
            *link = left;
            link = &links_of(a, of)->right;
            left = *link;
        } else {
            *link = right;
            link = &links_of(b, of)->left;
            right = *link;
        }
    }
    *link = left != 0 ? left : right;
}

void order_remove(struct engine *engine, struct order *order, struct booking_state *booking,
                  enum order_of of)
{
    struct descent descent = {.engine = engine, .booking = booking, .of = of};
    struct order_links *links = links_of(booking, of);
    uint32_t *link = &order->root, *next = &order->first;
    struct booking_state *node;
    while ((node = node_at(engine, *link)) != booking)
        link = pass(&descent, node);
    for (uint32_t at = links->left; at != 0; at = links_of(node, of)->right)
        descent.before = node = node_at(engine, at);
    join(engine, link, links->left, links->right, of);
    if (descent.before != NULL)
        next = &links_of(descent.before, of)->next;
    CHECK(*next == booking->row.id);
    *next = links->next;
    *links = (struct order_links){0};
}

struct booking_state *order_after(const struct engine *engine, const struct order *order,
                                  enum order_of of, tide_ms time_ms)
{
    struct booking_state *first = NULL;
    for (uint32_t at = order->root; at != 0;) {
        struct booking_state *node = table_by_index(&engine->bookings, at);
        bool later = node->row.end_ms > time_ms;
        first = later ? node : first;
        at = later ? node->links[of].left : node->links[of].right;
    }
    return first;
}
