/* caps.h - how much of a civil day, and of a month, one household's promises may take.
 *
 * What counts is minutes, not bookings: whoever splits a wish gains nothing. Those of a day are
 *
 *     what ended bookings used of it (account: day_min of day_date, month_min of month)
 *   + what live ones promise of it
 *   + what its wishes in draws ask of it, until they are decided
 *
 * A visitor's booking is its host's household's. Minutes of an overstay are no promise: they are
 * paid for, and not counted here.
 */
#ifndef TIDE_CORE_CAPS_H
#define TIDE_CORE_CAPS_H

#include "daemon/core/parking/parking.h"

/* Whether a household may have these grains besides; on refusal fills *ret_reply: quota, the limit,
 * what is left of it, and until when it would fit. drawn: the wish that is decided now is among
 * those that wait, and was asked about when it was made. */
bool caps_allow(const struct engine *engine, tide_id household, struct span added, bool drawn,
                struct tide_reply *ret_reply);
/* A booking ended after it used [from, until): the account of its household remembers as much as
 * today and this month need. */
void caps_note_used(struct step *step, tide_id household, grain from, grain until);

#endif
