/* tape.c - see tape.h. */
#include "tests/crash/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/fail.h"
#include "tests/sim/script_state.h"

#define PLATES 9u

static struct act *add(struct tape *tape, enum act_kind kind)
{
    if (tape->count == tape->cap) {
        tape->cap = tape->cap == 0 ? 64 : 2 * tape->cap;
        tape->acts = fail_not_realloc(tape->acts, tape->cap * sizeof *tape->acts);
    }
    struct act *act = &tape->acts[tape->count++];
    memset(act, 0, sizeof *act);
    act->kind = kind;
    act->seq = tape->events + 1;
    return act;
}

/* ---- names ----------------------------------------------------------------------------------- */
static void add_name(struct tape *tape, enum act_kind act_kind, enum tide_name_kind kind,
                     tide_id id, const char *text)
{
    struct act *act = add(tape, act_kind);
    act->name_kind = kind;
    act->name_id = id;
    (void)snprintf(act->text, sizeof act->text, "%s", text);
}

static void plate_text(tide_id id, char *out, size_t cap)
{
    (void)snprintf(out, cap, "浙F%05uZ", 40000 + id * 7);
}

/* The plates of a story are the numbers from 1; so are the names' in an empty database. */
static void add_plates(struct tape *tape)
{
    char text[48];
    for (tide_id id = 1; id <= PLATES; id++) {
        plate_text(id, text, sizeof text);
        add_name(tape, ACT_NAME, TIDE_NAME_KIND_plate, id, text);
    }
}

static void goes(struct tape *tape, const char *text)
{
    if (tape->gone_count == sizeof tape->gone / sizeof *tape->gone)
        abort();
    (void)snprintf(tape->gone[tape->gone_count++].text, sizeof tape->gone[0].text, "%s", text);
}

/* ---- what the story tells -------------------------------------------------------------------- */
static void on_step(void *arg, unsigned long long seq, const struct engine_event *event,
                    const struct engine_effects *effects)
{
    struct tape *tape = arg;
    struct act *act = add(tape, ACT_EVENT);
    size_t cap = event->blob_len + 1024;
    act->seq = tape->events = seq;
    act->bytes = fail_not_realloc(NULL, cap);
    size_t len = engine_event_pack(event, act->bytes, cap);
    if (len == 0 || engine_event_unpack(act->bytes, len, &act->event) != len)
        abort();
    act->event.when_ms = event->when_ms;
    act->effects = fail_not_realloc(NULL, effects->len);
    act->effects_len = effects->len;
    if (effects->len > 0)
        memcpy(act->effects, effects->buf, effects->len);
    act->asked = event->user != 0 && event->user != GATEWAY && event->kind != TIDE_REC_tick;
    if (!tape->together)
        add(tape, ACT_COMMIT);
}

static void on_end(void *arg, const struct engine *engine)
{
    engine_digest(engine, ((struct tape *)arg)->digest);
}

static void do_forget(struct tape *tape, struct script *s)
{
    char text[48];
    tide_id id = script_id(s, NAME_PLATE, s->token[1]);
    plate_text(id, text, sizeof text);
    goes(tape, text);
    SEND(ADMIN, forget, .kind = TIDE_NAME_KIND_plate, .id = id);
    tape->gone[tape->gone_count - 1].forgotten = tape->events;
    if (s->reply.code != TIDE_CODE_ok)
        script_fail(s, "not forgotten: %u", s->reply.why);
}

static void do_correct(struct tape *tape, struct script *s)
{
    char text[48];
    tide_id person = script_person(s, s->token[1]);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "full name %u of %u", ++tape->corrected, person);
        if (i == 0)
            goes(tape, text);
        add_name(tape, ACT_SET, TIDE_NAME_KIND_full_name, person, text);
        SEND(ADMIN, correct, .kind = TIDE_NAME_KIND_person, .id = person);
        if (s->reply.code != TIDE_CODE_ok)
            script_fail(s, "not corrected: %u", s->reply.why);
    }
}

#define CROWD 401u /* a prime: its names come in no order, so that their rows move between pages */

static void crowd_text(tide_id id, const char *what, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s of one in the crowd, %u", what, id);
}

static void do_crowd(struct tape *tape, struct script *s)
{
    char text[48];
    for (tide_id i = 0; i < CROWD; i++) {
        tide_id id = 100 + i * 233 % CROWD;
        crowd_text(id, "old name", text, sizeof text);
        add_name(tape, ACT_SET, TIDE_NAME_KIND_full_name, id, text);
    }
    PUT(setting_row, .key = TIDE_SETTING_household_live_max, .value = 9);
}

/* Some in the crowd get other names; the old ones must go from every file. */
static void do_rename(struct tape *tape, struct script *s)
{
    char text[48];
    for (tide_id id = 105; id < 100 + CROWD; id += 40) {
        crowd_text(id, "old name", text, sizeof text);
        goes(tape, text);
        crowd_text(id, "new name", text, sizeof text);
        add_name(tape, ACT_SET, TIDE_NAME_KIND_full_name, id, text);
    }
    PUT(setting_row, .key = TIDE_SETTING_household_live_max, .value = 8);
}

static void do_churn(struct script *s)
{
    long times = s->count > 1 ? strtol(s->token[1], NULL, 10) : 1;
    for (long i = 0; i < times && !s->failed; i++) {
        s->fact++;
        SEND(GATEWAY, plate_seen, .lane = LANE_IN, .plate = script_id(s, NAME_PLATE, "P8"),
             .ask = s->fact, .boot = 1, .seq = s->fact);
    }
}

static bool plain_act(struct tape *tape, const char *word, uint32_t number)
{
    static const struct {
        const char *word;
        enum act_kind kind;
    } plain[] = {{"rest", ACT_REST},       {"hurry", ACT_HURRY},     {"reopen", ACT_REOPEN},
                 {"power", ACT_POWER},     {"kill", ACT_KILL},       {"backup", ACT_BACKUP},
                 {"copying", ACT_COPYING}, {"restore", ACT_RESTORE}, {"verify", ACT_VERIFY},
                 {"epoch", ACT_EPOCH},     {"probe", ACT_PROBE},     {"look", ACT_LOOK},
                 {"away", ACT_AWAY}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i].word, word) == 0) {
            add(tape, plain[i].kind)->number = number;
            return true;
        }
    return false;
}

static bool on_line(void *arg, struct script *s)
{
    struct tape *tape = arg;
    const char *word = s->token[0];
    if (strcmp(word, "mark") == 0) {
        add(tape, ACT_COMMIT);
        tape->mark = tape->count;
        tape->together = false;
    } else if (strcmp(word, "batch") == 0) {
        tape->together = true;
    } else if (strcmp(word, "done") == 0) {
        tape->together = false;
        add(tape, ACT_COMMIT);
    } else if (strcmp(word, "forget") == 0 && s->count > 1) {
        do_forget(tape, s);
    } else if (strcmp(word, "correct") == 0 && s->count > 1) {
        do_correct(tape, s);
    } else if (strcmp(word, "crowd") == 0) {
        do_crowd(tape, s);
    } else if (strcmp(word, "rename") == 0) {
        do_rename(tape, s);
    } else if (strcmp(word, "churn") == 0) {
        do_churn(s);
    } else {
        return plain_act(tape, word, s->count > 1 ? (uint32_t)strtoul(s->token[1], NULL, 10) : 0);
    }
    return true;
}

bool tape_record(struct tape *tape, const char *story, char *why, size_t why_cap)
{
    const struct script_stage stage = {
        .arg = tape, .step = on_step, .line = on_line, .end = on_end};
    memset(tape, 0, sizeof *tape);
    tape->together = strstr(story, "mark\n") != NULL;
    add_plates(tape);
    return script_play_on(&stage, story, why, why_cap) == 0;
}

void tape_done(struct tape *tape)
{
    for (unsigned i = 0; i < tape->count; i++) {
        free(tape->acts[i].bytes);
        free(tape->acts[i].effects);
    }
    free(tape->acts);
    memset(tape, 0, sizeof *tape);
}
