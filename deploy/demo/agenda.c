/* agenda.c - see agenda.h. */
#include "deploy/demo/agenda.h"

#include <stdio.h>
#include <stdlib.h>

static bool before(const struct demo_act *a, const struct demo_act *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct demo_act *a, struct demo_act *b)
{
    struct demo_act kept = *a;
    *a = *b;
    *b = kept;
}

void demo_agenda_add(struct demo_agenda *agenda, int64_t at_ms, int what, int who)
{
    if (agenda->count == agenda->cap) {
        size_t cap = agenda->cap == 0 ? 1024 : agenda->cap * 2;
        struct demo_act *heap = realloc(agenda->heap, cap * sizeof(*heap));
        if (heap == NULL) {
            (void)fputs("tide-demo: out of memory\n", stderr);
            exit(1);
        }
        agenda->heap = heap;
        agenda->cap = cap;
    }
    size_t at = agenda->count++;
    agenda->heap[at] =
        (struct demo_act){.at_ms = at_ms, .order = agenda->next_order++, .what = what, .who = who};
    while (at > 0 && before(&agenda->heap[at], &agenda->heap[(at - 1) / 2])) {
        swap(&agenda->heap[at], &agenda->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

const struct demo_act *demo_agenda_first(const struct demo_agenda *agenda)
{
    return agenda->count == 0 ? NULL : &agenda->heap[0];
}

bool demo_agenda_take(struct demo_agenda *agenda, int64_t now_ms, struct demo_act *ret)
{
    if (agenda->count == 0 || agenda->heap[0].at_ms > now_ms) {
        return false;
    }
    *ret = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < agenda->count; child++) {
            if (before(&agenda->heap[child], &agenda->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return true;
        }
        swap(&agenda->heap[at], &agenda->heap[least]);
        at = least;
    }
}

void demo_agenda_clear(struct demo_agenda *agenda)
{
    free(agenda->heap);
    *agenda = (struct demo_agenda){0};
}
