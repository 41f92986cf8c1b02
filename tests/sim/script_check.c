/* script_check.c - the lines of a story that say what must have come of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/narrate.h"
#include "tests/sim/script_state.h"

static const char *code_name(unsigned code)
{
    return tide_enum_name(TIDE_FT_enum_code, code);
}

static const char *why_name(unsigned why)
{
    return tide_enum_name(TIDE_FT_enum_why, why);
}

static void expect_time(struct script *s, const char *what, unsigned *at, tide_ms seen)
{
    char text[40];
    tide_ms wanted = script_time(s, at);
    if (wanted != seen)
        script_fail(s, "offered %s %s", what,
                    narrate_time(seen, SCRIPT_UTC_OFFSET_MIN, text, sizeof text));
}

/* "-> code [why] [until T] [from T] [limit N] [as NAME]" */
void script_check_reply(struct script *s, enum script_name kind)
{
    unsigned at = s->arrow + 1;
    if (!s->replied) {
        script_fail(s, "no reply");
        return;
    }
    if (at > s->count) { /* nothing was said: it must have been done */
        if (s->reply.code != TIDE_CODE_ok)
            script_fail(s, "refused: %s %s", code_name(s->reply.code), why_name(s->reply.why));
        return;
    }
    if (at == s->count || strcmp(s->token[at], code_name(s->reply.code)) != 0) {
        script_fail(s, "replied %s %s", code_name(s->reply.code), why_name(s->reply.why));
        return;
    }
    for (at++; at < s->count && !s->failed;) {
        const char *word = s->token[at++];
        if (strcmp(word, "until") == 0)
            expect_time(s, "until", &at, s->reply.free_until_ms);
        else if (strcmp(word, "from") == 0)
            expect_time(s, "from", &at, s->reply.free_from_ms);
        else if (strcmp(word, "as") == 0 && at < s->count)
            script_name(s, kind, s->token[at++], s->reply.id);
        else if (strcmp(word, "limit") == 0 && at < s->count) {
            if (strtoll(s->token[at++], NULL, 10) != s->reply.limit)
                script_fail(s, "limit %lld", (long long)s->reply.limit);
        } else if (strcmp(word, why_name(s->reply.why)) != 0)
            script_fail(s, "replied %s %s", code_name(s->reply.code), why_name(s->reply.why));
    }
}

/* "-> open|deny why [slot NAME]" */
void script_check_arm(struct script *s)
{
    unsigned at = s->arrow + 1;
    const char *decision = tide_enum_name(TIDE_FT_enum_decision, s->passage.decision);
    if (s->reply.code != TIDE_CODE_ok) {
        script_fail(s, "refused: %s %s", code_name(s->reply.code), why_name(s->reply.why));
        return;
    }
    if (at + 1 >= s->count)
        return;
    if (strcmp(s->token[at], decision) != 0 ||
        strcmp(s->token[at + 1], why_name(s->passage.why)) != 0)
        script_fail(s, "the arm: %s %s", decision, why_name(s->passage.why));
    else if (at + 3 < s->count && strcmp(s->token[at + 2], "slot") == 0 &&
             script_id(s, NAME_SLOT, s->token[at + 3]) != s->command.slot)
        script_fail(s, "the arm names slot %u", s->command.slot);
}

/* ---- lines that look ----------------------------------------------------------------------- */
static bool was_told(const struct script *s, const char *words)
{
    size_t len = strlen(words);
    for (const char *at = s->story; (at = strstr(at, words)) != NULL; at++)
        if ((at == s->story || at[-1] == '\n') && at[len] == '\n')
            return true;
    return false;
}

static void check_say(struct script *s)
{
    char words[400];
    script_words(s, 1, words, sizeof words);
    if (!was_told(s, words))
        script_fail(s, "nobody said so");
}

static void check_silent(struct script *s)
{
    char words[400];
    script_words(s, 1, words, sizeof words);
    if (strstr(s->story, words) != NULL)
        script_fail(s, "somebody said so");
}

/* "told NAME kind [slot NAME]", "not told NAME kind" */
static bool told(struct script *s, unsigned at)
{
    tide_id person = script_person(s, s->token[at]);
    const char *slot = at + 3 < s->count ? s->token[at + 3] : NULL;
    for (unsigned i = 0; i < s->notice_count; i++) {
        const struct tide_notice *n = &s->notices[i];
        const char *kind = tide_enum_name(TIDE_FT_enum_notice_kind, n->kind);
        if (n->person == person && strcmp(kind, s->token[at + 1]) == 0 &&
            (slot == NULL || n->slot == script_id(s, NAME_SLOT, slot)))
            return true;
    }
    return false;
}

static void check_told(struct script *s)
{
    if (!told(s, 1))
        script_fail(s, "nobody told him");
}

static void check_not_told(struct script *s)
{
    if (told(s, 2))
        script_fail(s, "he was told");
}

/* "booking NAME state [on SLOT] [outside why] [reason why] [moves N] [charged N] [until T]" */
static void check_booking(struct script *s)
{
    tide_id id = script_id(s, NAME_BOOKING, s->token[1]);
    const union tide_any *row = sim_rows_find(s->rows, TIDE_REC_booking, id, 0, 0);
    if (row == NULL) {
        script_fail(s, "there is no such booking");
        return;
    }
    const struct tide_booking *b = &row->booking;
    const char *state = tide_enum_name(TIDE_FT_enum_booking_state, b->state);
    if (strcmp(state, s->token[2]) != 0)
        script_fail(s, "it is %s", state);
    for (unsigned at = 3; at + 1 < s->count && !s->failed;) {
        const char *word = s->token[at++];
        if (strcmp(word, "until") == 0)
            expect_time(s, "until", &at, b->end_ms);
        else if (strcmp(word, "on") == 0) {
            if (script_id(s, NAME_SLOT, s->token[at++]) != b->slot)
                script_fail(s, "it is on slot %u", b->slot);
        } else if (strcmp(word, "outside") == 0) {
            if (strcmp(s->token[at++], why_name(b->outside)) != 0)
                script_fail(s, "outside: %s", why_name(b->outside));
        } else if (strcmp(word, "reason") == 0) {
            if (strcmp(s->token[at++], why_name(b->reason)) != 0)
                script_fail(s, "reason: %s", why_name(b->reason));
        } else if (strcmp(word, "moves") == 0) {
            if (strtoll(s->token[at++], NULL, 10) != b->moves)
                script_fail(s, "moved %u times", b->moves);
        } else if (strcmp(word, "charged") == 0) {
            if (strtoll(s->token[at++], NULL, 10) != b->charged_min)
                script_fail(s, "charged %d", b->charged_min);
        } else
            script_fail(s, "nobody understands %s", word);
    }
}

/* "waiting NAME state [as BOOKING]" */
static void check_waiting(struct script *s)
{
    tide_id id = script_id(s, NAME_WAITING, s->token[1]);
    const union tide_any *row = sim_rows_find(s->rows, TIDE_REC_waiting, id, 0, 0);
    if (row == NULL) {
        script_fail(s, "there is no such wait");
        return;
    }
    const char *state = tide_enum_name(TIDE_FT_enum_waiting_state, row->waiting.state);
    if (strcmp(state, s->token[2]) != 0)
        script_fail(s, "it is %s", state);
    else if (s->count > 4)
        script_name(s, NAME_BOOKING, s->token[4], row->waiting.booking);
}

/* "strike HOUSEHOLD state [why WORD] [charged N] [as NAME]": the last of the household's */
static void check_strike(struct script *s)
{
    uint32_t cursor = 0;
    tide_id household = script_id(s, NAME_HOUSEHOLD, s->token[1]);
    const union tide_any *row;
    const struct tide_strike *last = NULL;
    while ((row = sim_rows_next(s->rows, TIDE_REC_strike, &cursor)) != NULL)
        if (row->strike.household == household && (last == NULL || row->strike.id > last->id))
            last = &row->strike;
    if (last == NULL) {
        script_fail(s, "he has none");
        return;
    }
    const char *state = tide_enum_name(TIDE_FT_enum_strike_state, last->state);
    if (strcmp(state, s->token[2]) != 0) {
        script_fail(s, "it is %s", state);
        return;
    }
    for (unsigned at = 3; at + 1 < s->count && !s->failed; at += 2) {
        const char *word = s->token[at], *value = s->token[at + 1];
        if (strcmp(word, "as") == 0)
            script_name(s, NAME_STRIKE, value, last->id);
        else if (strcmp(word, "why") == 0 && strcmp(value, why_name(last->why)) != 0)
            script_fail(s, "why: %s", why_name(last->why));
        else if (strcmp(word, "charged") == 0 && strtol(value, NULL, 10) != last->charged_min)
            script_fail(s, "charged %d", last->charged_min);
    }
}

static bool incident_is_open(struct script *s, const char *kind, const char *slot)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    tide_id id = script_id(s, NAME_SLOT, slot);
    while ((row = sim_rows_next(s->rows, TIDE_REC_incident, &cursor)) != NULL)
        if (row->incident.state == TIDE_INCIDENT_STATE_open && row->incident.slot == id &&
            strcmp(tide_enum_name(TIDE_FT_enum_incident_kind, row->incident.kind), kind) == 0)
            return true;
    return false;
}

static void check_incident(struct script *s)
{
    if (!incident_is_open(s, s->token[1], s->token[3]))
        script_fail(s, "there is no such incident");
}

static void check_no_incident(struct script *s)
{
    if (incident_is_open(s, s->token[2], s->token[4]))
        script_fail(s, "there is one");
}

/* "account NAME balance [held N]" */
static void check_account(struct script *s)
{
    tide_id id = script_id(s, NAME_HOUSEHOLD, s->token[1]);
    const union tide_any *row = sim_rows_find(s->rows, TIDE_REC_account, id, 0, 0);
    long long balance = strtoll(s->token[2], NULL, 10);
    long long held = s->count > 4 ? strtoll(s->token[4], NULL, 10) : 0;
    if (row == NULL || row->account.balance_min != balance || row->account.held_min != held)
        script_fail(s, "it stands at %d, held %d", row != NULL ? row->account.balance_min : 0,
                    row != NULL ? row->account.held_min : 0);
}

bool script_check(struct script *s)
{
    static const struct {
        const char *first, *second; /* second NULL: any */
        void (*fn)(struct script *s);
        unsigned tokens;
    } checks[] = {{"say", NULL, check_say, 2},
                  {"silent", NULL, check_silent, 2},
                  {"told", NULL, check_told, 3},
                  {"not", "told", check_not_told, 4},
                  {"booking", NULL, check_booking, 3},
                  {"waiting", NULL, check_waiting, 3},
                  {"strike", NULL, check_strike, 3},
                  {"incident", NULL, check_incident, 4},
                  {"no", "incident", check_no_incident, 5},
                  {"account", NULL, check_account, 3}};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (strcmp(checks[i].first, s->token[0]) != 0 ||
            (checks[i].second != NULL &&
             (s->count < 2 || strcmp(checks[i].second, s->token[1]) != 0)))
            continue;
        if (s->count < checks[i].tokens)
            script_fail(s, "something is missing here");
        else
            checks[i].fn(s);
        return true;
    }
    return false;
}
