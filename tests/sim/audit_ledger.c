/* audit_ledger.c - minutes: every posting takes from one what it gives to another, balances are
 * the sum of postings, nobody falls below the floor, and what is held is what live bookings hold.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/audit_state.h"

#define TOUCHED_MAX 4096

struct touched {
    tide_id household;
    int64_t posted, moved; /* by postings; by the account rows */
    bool settled;          /* its row was written */
};

static struct touched *touch(struct touched *list, uint32_t *count, tide_id household)
{
    for (uint32_t i = 0; i < *count; i++)
        if (list[i].household == household)
            return &list[i];
    if (*count == TOUCHED_MAX)
        return NULL;
    list[*count] = (struct touched){.household = household};
    return &list[(*count)++];
}

static void check_posting(struct audit *audit, const struct tide_posting *posting)
{
    audit->counts.postings++;
    if (posting->minutes <= 0 || posting->from == posting->to ||
        posting->reason == TIDE_POSTING_REASON_none || posting->at_ms != audit->when_ms)
        audit_fail(audit, "posting %u cannot be", posting->id);
}

static void check_account(struct audit *audit, const struct audit_change *change)
{
    const struct tide_account *was = &change->was.account, *is = &change->is.account;
    int64_t floor = audit_setting(audit, TIDE_SETTING_account_floor_min);
    bool less = !change->had || is->balance_min < was->balance_min;
    bool held_more = is->held_min > (change->had ? was->held_min : 0);
    if (is->held_min < 0)
        audit_fail(audit, "household %u holds %d minutes", is->household, is->held_min);
    if (is->household != 0 && less && is->balance_min < floor)
        audit_fail(audit, "household %u fell to %d minutes", is->household, is->balance_min);
    if (is->household != 0 && held_more && is->balance_min - is->held_min < floor)
        audit_fail(audit, "household %u promises %d minutes out of %d", is->household, is->held_min,
                   is->balance_min);
    if (change->had && is->granted_month < was->granted_month)
        audit_fail(audit, "household %u was granted an earlier month", is->household);
}

static void check_held(struct audit *audit, tide_id household)
{
    int64_t held = 0;
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_account, household, 0, 0);
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        if (booking->household == household)
            held += booking->held_min;
    }
    if (row != NULL && row->account.held_min != held)
        audit_fail(audit, "household %u holds %d minutes, its bookings %lld", household,
                   row->account.held_min, (long long)held);
    if (row == NULL && held != 0)
        audit_fail(audit, "household %u has no account and holds %lld minutes", household,
                   (long long)held);
}

void audit_ledger_event(struct audit *audit)
{
    static struct touched list[TOUCHED_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_posting) {
            check_posting(audit, &change->is.posting);
            struct touched *from = touch(list, &count, change->is.posting.from);
            struct touched *to = touch(list, &count, change->is.posting.to);
            if (from != NULL && to != NULL) {
                from->posted -= change->is.posting.minutes;
                to->posted += change->is.posting.minutes;
            }
        } else if (change->kind == TIDE_REC_account) {
            check_account(audit, change);
            struct touched *account = touch(list, &count, change->is.account.household);
            if (account != NULL)
                account->moved += change->is.account.balance_min -
                                  (change->had ? change->was.account.balance_min : 0);
        } else if (change->kind == TIDE_REC_booking) {
            touch(list, &count, change->is.booking.household);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].posted != list[i].moved)
            audit_fail(audit, "account %u moved by %lld, its postings say %lld", list[i].household,
                       (long long)list[i].moved, (long long)list[i].posted);
        if (list[i].household != 0)
            check_held(audit, list[i].household);
    }
}

/* The whole book, from the first posting on. */
void audit_ledger_always(struct audit *audit)
{
    uint32_t cursor = 0;
    int64_t sum = 0;
    const union tide_any *row, *posting;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_account, &cursor)) != NULL) {
        int64_t balance = 0;
        uint32_t at = 0;
        while ((posting = sim_rows_next(audit->rows, TIDE_REC_posting, &at)) != NULL) {
            if (posting->posting.to == row->account.household)
                balance += posting->posting.minutes;
            if (posting->posting.from == row->account.household)
                balance -= posting->posting.minutes;
        }
        if (balance != row->account.balance_min)
            audit_fail(audit, "account %u stands at %d, its postings sum to %lld",
                       row->account.household, row->account.balance_min, (long long)balance);
        sum += row->account.balance_min;
    }
    if (sum != 0)
        audit_fail(audit, "all balances sum to %lld", (long long)sum);
}
