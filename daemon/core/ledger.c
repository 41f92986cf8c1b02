/* ledger.c - see ledger.h. */
#include "daemon/core/ledger.h"

#include "daemon/core/calendar.h"

#define GRANTS_A_STEP_MAX 64
#define USED_MIN_MAX 500000000

static struct account_state *account_of(const struct engine *engine, tide_id household)
{
    return table_find(&engine->accounts, household);
}

static struct tide_account *account_row(struct engine *engine, tide_id household)
{
    struct account_state *account = account_of(engine, household);
    if (household == 0)
        return &engine->pool;
    return account != NULL ? &account->row : NULL;
}

int64_t ledger_available(const struct engine *engine, tide_id household)
{
    const struct account_state *account = account_of(engine, household);
    if (account == NULL)
        return 0;
    return (int64_t)account->row.balance_min - account->row.held_min -
           engine->setting[TIDE_SETTING_account_floor_min];
}

void ledger_hold(struct step *step, tide_id household, int32_t minutes)
{
    struct account_state *account = account_of(step->engine, household);
    CHECK(account != NULL);
    account->row.held_min += minutes;
    CHECK(account->row.held_min >= 0);
    if (minutes != 0)
        step_put(step, TIDE_REC_account, &account->row);
}

void ledger_pend(struct step *step, tide_id household, int32_t minutes)
{
    struct account_state *account = account_of(step->engine, household);
    CHECK(account != NULL);
    account->row.pending_min += minutes;
    CHECK(account->row.pending_min >= 0);
    if (minutes != 0)
        step_put(step, TIDE_REC_account, &account->row);
}

int32_t ledger_post(struct step *step, enum tide_posting_reason reason, tide_id from, tide_id to,
                    int32_t minutes, tide_id booking)
{
    struct engine *engine = step->engine;
    struct tide_account *giver = account_row(engine, from), *taker = account_row(engine, to);
    CHECK(giver != NULL && minutes >= 0);
    if (taker == NULL)
        taker = &engine->pool; /* what belongs to nobody goes to all */
    if (from != 0) {
        int64_t left = ledger_available(engine, from);
        if (minutes > left)
            minutes = left > 0 ? (int32_t)left : 0;
    }
    if (minutes == 0 || giver == taker || taker->balance_min > INT32_MAX - minutes ||
        giver->balance_min < INT32_MIN + minutes)
        return 0;
    bool stayed = reason == TIDE_POSTING_REASON_stay || reason == TIDE_POSTING_REASON_overstay;
    if (stayed && from != 0)
        giver->used_min += minutes < USED_MIN_MAX - giver->used_min ? minutes : 0;
    if (stayed && taker != &engine->pool)
        taker->lent_min += minutes < USED_MIN_MAX - taker->lent_min ? minutes : 0;
    giver->balance_min -= minutes;
    taker->balance_min += minutes;
    struct tide_posting posting = {.id = step_new_id(step, TIDE_COUNTER_posting),
                                   .at_ms = step->now_ms,
                                   .reason = (uint8_t)reason,
                                   .from = from,
                                   .to = taker->household,
                                   .minutes = minutes,
                                   .booking = booking};
    step_put(step, TIDE_REC_posting, &posting);
    step_put(step, TIDE_REC_account, giver);
    step_put(step, TIDE_REC_account, taker);
    return minutes;
}

static void grant(struct step *step, struct account_state *account, int32_t month)
{
    account->row.granted_month = month;
    account->row.used_min /= 2;
    account->row.lent_min /= 2;
    int32_t minutes = (int32_t)step->engine->setting[TIDE_SETTING_grant_min];
    tide_id household = account->row.household;
    if (ledger_post(step, TIDE_POSTING_REASON_grant, 0, household, minutes, 0) == 0)
        step_put(step, TIDE_REC_account, &account->row);
}

bool ledger_open(struct step *step, tide_id household)
{
    struct engine *engine = step->engine;
    if (account_of(engine, household) != NULL)
        return true;
    struct account_state *account = table_add(&engine->accounts, household);
    if (account == NULL)
        return false;
    grant(step, account, calendar_month(calendar_date(engine, step->now_ms)));
    return true;
}

void ledger_grant_due(struct engine *engine)
{
    int32_t month = (int32_t)engine->setting[TIDE_SETTING_granted_month];
    tide_ms due =
        month == 0 ? DUE_NEVER : calendar_day_start(engine, calendar_month_start(month + 1));
    heap_set(&engine->heap, DUE_GRANT, 0, &engine->grant_due_position, due);
}

void ledger_grant(struct step *step)
{
    struct engine *engine = step->engine;
    int32_t month = calendar_month(calendar_date(engine, step->now_ms));
    struct account_state *account;
    uint32_t cursor = 0;
    unsigned done = 0;
    while ((account = table_next(&engine->accounts, &cursor)) != NULL) {
        if (account->row.granted_month >= month)
            continue;
        if (done++ == GRANTS_A_STEP_MAX)
            return; /* still due: the next tick goes on */
        grant(step, account, month);
    }
    trace(engine, "ledger.granted", month, done, 0);
    step_setting(step, TIDE_SETTING_granted_month, month);
    ledger_grant_due(engine);
}
