/* strike.h - what is held against a household, with its evidence. See strike.c. */
#ifndef TIDE_CORE_PARKING_STRIKE_H
#define TIDE_CORE_PARKING_STRIKE_H

#include "daemon/core/parking/parking.h"

/* A booking that has ended was not come for, or its car left too late: makes the strike, void at
 * once where somebody else caused it or the rules bind nobody. The kind, the time, the minutes and
 * the charge come with `what`; the rest is read off the booking and the event at hand. */
void strike_make(struct step *step, const struct tide_booking *booking, struct tide_strike what);
/* Into the list of its household. */
void strike_attach(struct engine *engine, struct strike_state *strike);
void strike_due(struct engine *engine, struct strike_state *strike);
void strike_fall_due(struct step *step, struct strike_state *strike);
/* Whether a household with its strikes may be promised something that starts then; on refusal fills
 * *ret_reply: quota, how many live, when the next one expires. */
bool strikes_allow(const struct engine *engine, tide_id household, tide_ms start_ms,
                   struct tide_reply *ret_reply);
/* A gate decided by itself at that time: strikes of its place whose evidence covers it are void. */
void strikes_gate_alone(struct step *step, tide_id place, tide_ms at_ms);
/* The strikes of somebody who is forgotten are void. */
void strikes_forget(struct step *step, tide_id person);
void strike_contest_take(struct step *step);
void strike_decide_take(struct step *step);
void strikes_ask(struct step *step);

#endif
