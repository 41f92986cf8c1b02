/* bound.c - see bound.h.
 *
 *        ──── idle, any number ────►          Units of flow walk from grain 0 to the end, one for
 *   (t)  ──── closed, C - c(t), forced ──►  (t+1)      each of the C = max c slots; where fewer
 *     └────── a wish, once, gains its length ──► (e)   are open, the rest must take the closed way.
 *
 * Shortest paths one after the other, with potentials, so that all lengths stay non-negative.
 */
#include "tests/bench/bound.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FORCED 1000000LL /* more than any wish gains in a grain */
#define FAR INT64_MAX

struct edge {
    uint32_t to, next;
    int64_t room, cost;
};
struct graph {
    struct edge *edges; /* an edge and its reverse stand side by side */
    uint32_t *first, count, nodes;
    int64_t *potential, *distance;
    uint32_t *through; /* edge by which a node was reached */
    uint32_t *heap, *place, heap_count;
};

static void add_edge(struct graph *g, uint32_t from, uint32_t to, int64_t room, int64_t cost)
{
    g->edges[g->count] = (struct edge){to, g->first[from], room, cost};
    g->first[from] = g->count++;
    g->edges[g->count] = (struct edge){from, g->first[to], 0, -cost};
    g->first[to] = g->count++;
}

/* ---- a heap of nodes by distance ------------------------------------------------------------- */
static void put(struct graph *g, uint32_t at, uint32_t node)
{
    g->heap[at] = node;
    g->place[node] = at + 1;
}

static void up(struct graph *g, uint32_t at)
{
    uint32_t node = g->heap[at];
    while (at > 0 && g->distance[g->heap[(at - 1) / 2]] > g->distance[node]) {
        put(g, at, g->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(g, at, node);
}

static uint32_t pop(struct graph *g)
{
    uint32_t least = g->heap[0], node = g->heap[--g->heap_count], at = 0;
    g->place[least] = 0;
    if (g->heap_count == 0)
        return least;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= g->heap_count)
            break;
        if (child + 1 < g->heap_count &&
            g->distance[g->heap[child + 1]] < g->distance[g->heap[child]])
            child++;
        if (g->distance[g->heap[child]] >= g->distance[node])
            break;
        put(g, at, g->heap[child]);
        at = child;
    }
    put(g, at, node);
    return least;
}

/* ---- one unit more --------------------------------------------------------------------------- */
static void reach(struct graph *g, uint32_t from)
{
    for (uint32_t e = g->first[from]; e != UINT32_MAX; e = g->edges[e].next) {
        const struct edge *edge = &g->edges[e];
        if (edge->room == 0)
            continue;
        int64_t d = g->distance[from] + edge->cost + g->potential[from] - g->potential[edge->to];
        if (d >= g->distance[edge->to])
            continue;
        g->distance[edge->to] = d;
        g->through[edge->to] = e;
        if (g->place[edge->to] == 0)
            put(g, g->heap_count++, edge->to);
        up(g, g->place[edge->to] - 1);
    }
}

/* The cost of the cheapest way for one more unit, which it takes. */
static int64_t augment(struct graph *g)
{
    for (uint32_t i = 0; i < g->nodes; i++)
        g->distance[i] = FAR;
    g->distance[0] = 0;
    put(g, g->heap_count++, 0);
    while (g->heap_count > 0)
        reach(g, pop(g));
    int64_t cost = 0;
    for (uint32_t i = 0; i < g->nodes; i++)
        g->potential[i] += g->distance[i];
    for (uint32_t node = g->nodes - 1; node != 0;) {
        uint32_t e = g->through[node];
        g->edges[e].room--;
        g->edges[e ^ 1].room++;
        cost += g->edges[e].cost;
        node = g->edges[e ^ 1].to;
    }
    return cost;
}

/* The first potentials: edges lead forwards only, so one walk over the grains will do. */
static void first_potentials(struct graph *g)
{
    for (uint32_t i = 0; i < g->nodes; i++)
        g->potential[i] = FAR;
    g->potential[0] = 0;
    for (uint32_t node = 0; node < g->nodes; node++)
        for (uint32_t e = g->first[node]; e != UINT32_MAX; e = g->edges[e].next) {
            const struct edge *edge = &g->edges[e];
            if (edge->room > 0 && g->potential[node] + edge->cost < g->potential[edge->to])
                g->potential[edge->to] = g->potential[node] + edge->cost;
        }
}

static bool make(struct graph *g, uint32_t grains, uint32_t count)
{
    g->nodes = grains + 1;
    g->edges = calloc(2 * ((size_t)grains * 2 + count), sizeof *g->edges);
    g->first = malloc(g->nodes * sizeof *g->first);
    g->potential = malloc(g->nodes * sizeof *g->potential);
    g->distance = malloc(g->nodes * sizeof *g->distance);
    g->through = malloc(g->nodes * sizeof *g->through);
    g->heap = malloc(g->nodes * sizeof *g->heap);
    g->place = calloc(g->nodes, sizeof *g->place);
    if (g->edges == NULL || g->first == NULL || g->potential == NULL || g->distance == NULL ||
        g->through == NULL || g->heap == NULL || g->place == NULL)
        return false;
    memset(g->first, 0xff, g->nodes * sizeof *g->first);
    return true;
}

static void unmake(struct graph *g)
{
    free(g->edges);
    free(g->first);
    free(g->potential);
    free(g->distance);
    free(g->through);
    free(g->heap);
    free(g->place);
}

int64_t bound_profile(const uint32_t *open, uint32_t grains, const struct bound_wish *wishes,
                      uint32_t count)
{
    struct graph g = {.nodes = 0};
    uint32_t most = 0;
    int64_t forced = 0, cost = 0;
    bool ok = make(&g, grains, count);
    for (uint32_t t = 0; ok && t < grains; t++)
        most = open[t] > most ? open[t] : most;
    for (uint32_t t = 0; ok && t < grains; t++) {
        add_edge(&g, t, t + 1, most, 0);
        if (most > open[t])
            add_edge(&g, t, t + 1, most - open[t], -FORCED);
        forced += (int64_t)(most - open[t]) * FORCED;
    }
    for (uint32_t i = 0; ok && i < count; i++)
        if (wishes[i].from < wishes[i].until && wishes[i].until <= grains)
            add_edge(&g, wishes[i].from, wishes[i].until, 1,
                     -(int64_t)(wishes[i].until - wishes[i].from));
    if (ok)
        first_potentials(&g);
    for (uint32_t unit = 0; ok && unit < most; unit++)
        cost += augment(&g);
    unmake(&g);
    return ok ? -cost - forced : -1;
}
