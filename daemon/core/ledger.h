/* ledger.h - minutes: who lends earns, who parks pays, every household gets a monthly grant.
 *
 * Double entry: a posting moves minutes from one account to another, so all balances sum to zero;
 * account 0 is the pool, out of which grants come. What live bookings will cost is *held*.
 */
#ifndef TIDE_CORE_LEDGER_H
#define TIDE_CORE_LEDGER_H

#include "daemon/core/state.h"

/* Minutes that a household may still promise: balance - held - floor. */
int64_t ledger_available(const struct engine *engine, tide_id household);
/* Changes what is held by so many minutes; the account must exist. */
void ledger_hold(struct step *step, tide_id household, int32_t minutes);
/* Likewise of charges that are not final. */
void ledger_pend(struct step *step, tide_id household, int32_t minutes);
/* Moves minutes; from and to may be 0 (the pool). Never takes an account below its floor: returns
 * what was really moved. */
int32_t ledger_post(struct step *step, enum tide_posting_reason reason, tide_id from, tide_id to,
                    int32_t minutes, tide_id booking);
/* Opens the account of a new household with this month's grant. False when the pool is full. */
bool ledger_open(struct step *step, tide_id household);
/* Deadline: the next households that have not had this month's grant. */
void ledger_grant(struct step *step);
void ledger_grant_due(struct engine *engine);

#endif
