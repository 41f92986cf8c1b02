/* notice.h - who is told. A notice is a row; that it is published is only a hint (design, notices).
 */
#ifndef TIDE_CORE_NOTICE_H
#define TIDE_CORE_NOTICE_H

#include "daemon/core/authority.h"

/* What a notice says; `person`, `id` and `at_ms` are filled in. */
void notice_person(struct step *step, tide_id person, struct tide_notice what);
/* To each person of a household. */
void notice_household(struct step *step, tide_id household, struct tide_notice what);
/* To the person; when there is none (he has no account), to his household. */
void notice_one(struct step *step, tide_id person, tide_id household, struct tide_notice what);
/* To each person on duty in this role for the place. */
void notice_duty(struct step *step, enum tide_role role, tide_id place, struct tide_notice what);
/* To the party of a booking: its person, or, when that one has no account, his household. The slot
 * is shown only when the car is there: until then the seat may still change. */
void notice_party(struct step *step, const struct tide_booking *booking, enum tide_notice_kind kind,
                  enum tide_why why);

#endif
