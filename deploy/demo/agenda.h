/* agenda.h - what is to happen next in the demo: a binary heap by (time, order of entry).
 *
 *              08:02 leave           the earliest on top; equal times come out
 *             /           \          in the order in which they went in
 *        08:05 book    08:30 gate
 */
#ifndef DEMO_AGENDA_H
#define DEMO_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct demo_act {
    int64_t at_ms; /* civil */
    uint32_t order;
    int what; /* the player's word */
    int who;  /* index of a trip, a slot, ... */
};

struct demo_agenda {
    struct demo_act *heap;
    size_t count, cap;
    uint32_t next_order;
};

/* Grows as needed; out of memory ends the program. */
void demo_agenda_add(struct demo_agenda *agenda, int64_t at_ms, int what, int who);
/* The earliest act; NULL when there is none. Valid until the next call. */
const struct demo_act *demo_agenda_first(const struct demo_agenda *agenda);
/* Takes the earliest act when it is due at now_ms. */
bool demo_agenda_take(struct demo_agenda *agenda, int64_t now_ms, struct demo_act *ret);
void demo_agenda_clear(struct demo_agenda *agenda);

#endif
