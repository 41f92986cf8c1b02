/* erase.h - what is kept about a person, and how it goes. */
#ifndef TIDE_CORE_ERASE_H
#define TIDE_CORE_ERASE_H

#include "daemon/core/state.h"

/* Event `forget`: a person, or a plate that nobody has a live promise for. */
void forget_take(struct step *step);
/* Event `correct`: may the speaker change this name? The text itself never comes here. */
void correct_take(struct step *step);
/* Event `accept_rules`. */
void accept_rules_take(struct step *step);

#endif
