/* script.h - small stories told to a real engine, with what must come of them.
 *
 *     household h1                     a household with one person, who is its user
 *     zone A gate sensor               slot A1 of h1 · plate P1 of h1 · emergency P9 · blocked P8
 *     window A1 workday 08:00-17:30    staff: clerk, guard and property are there from the start
 *     at 05-20 08:00                   time passes, with all its deadlines (the year is 2019)
 *
 *     h2 books P2 in A 09:00-18:00 -> full no_window until 17:30
 *     say free until 05-20 17:30, or from -; open all through: no
 *     h2 books P2 in A 09:00-11:00 -> ok as b1
 *     camera in P2 -> open booking
 *     booking b1 parked on A1
 *     told h2 overstay
 *
 *     h3 waits P4 in A 09:00-11:00 -> ok as q1
 *     waiting q1 offered as b2         the booking that he was offered has a name from here on
 *     strike h2 pending as x1          the last one that is held against him
 *     clerk draws ...                  see script_draws.c
 *     property upholds x1              or voids it; h2 contests x1, h2 accepts 1 (the rules)
 *
 * A line after `->` is checked against the reply, `say` against the narrative (narrate.h) since the
 * last thing that happened. After each event the auditor looks, and at the end an engine that is
 * loaded from the rows must have the same digest.
 */
#ifndef TIDE_SIM_SCRIPT_H
#define TIDE_SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct script;
struct engine;
struct engine_event;
struct engine_effects;

/* Who listens to a story as it is played, and may have lines of its own. */
struct script_stage {
    void *arg;
    /* Each event with its effects; `seq` from 1. */
    void (*step)(void *arg, unsigned long long seq, const struct engine_event *event,
                 const struct engine_effects *effects);
    /* A line that nobody here understands; false: not understood there either. */
    bool (*line)(void *arg, struct script *script);
    void (*end)(void *arg, const struct engine *engine);
};

/* Plays a story. 0, or -1 with the line and what is wrong with it in why. */
int script_play(const char *text, char *why, size_t why_cap);
int script_play_on(const struct script_stage *stage, const char *text, char *why, size_t why_cap);
/* Pools of the engine that plays. */
struct engine_limits;
void script_limits(struct engine_limits *ret);

#endif
