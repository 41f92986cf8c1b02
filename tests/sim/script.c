/* script.c - see script.h. Reads a story line by line and plays it. */
#include "tests/sim/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/naive.h"
#include "tests/sim/narrate.h"
#include "tests/sim/script_state.h"

void script_fail(struct script *s, const char *format, ...)
{
    va_list args;
    if (s->failed)
        return;
    va_start(args, format);
    vsnprintf(s->why, s->why_cap, format, args);
    va_end(args);
    s->failed = true;
}

/* ---- names and times ----------------------------------------------------------------------- */
void script_name(struct script *s, enum script_name kind, const char *text, uint32_t id)
{
    struct script_names *names = &s->names[kind];
    if (names->count == SCRIPT_NAMES_MAX) {
        script_fail(s, "too many names");
        return;
    }
    snprintf(names->text[names->count], sizeof names->text[0], "%s", text);
    names->id[names->count++] = id;
}

uint32_t script_id(struct script *s, enum script_name kind, const char *text)
{
    const struct script_names *names = &s->names[kind];
    for (unsigned i = names->count; text != NULL && i > 0; i--)
        if (strcmp(names->text[i - 1], text) == 0)
            return names->id[i - 1];
    if (kind == NAME_PLATE && text != NULL) { /* any plate may come along */
        script_name(s, kind, text, names->count + 1);
        return names->count;
    }
    script_fail(s, "nobody told of %s", text != NULL ? text : "what is missing here");
    return 0;
}

tide_id script_person(struct script *s, const char *text)
{
    static const struct {
        const char *name;
        tide_id id;
    } staff[] = {{"admin", ADMIN}, {"clerk", CLERK}, {"guard", GUARD}, {"property", PROPERTY}};
    for (size_t i = 0; i < sizeof staff / sizeof *staff; i++)
        if (strcmp(staff[i].name, text) == 0)
            return staff[i].id;
    uint32_t household = script_id(s, NAME_HOUSEHOLD, text);
    return household - COMPOUND - 1 + FIRST_HOUSEHOLD;
}

bool script_pair(const char *text, char between, int *ret_first, int *ret_second)
{
    char *end;
    long first = strtol(text, &end, 10), second;
    if (end == text || *end != between)
        return false;
    text = end + 1;
    second = strtol(text, &end, 10);
    if (end == text || first < 0 || first > 9999 || second < 0 || second > 9999)
        return false;
    *ret_first = (int)first;
    *ret_second = (int)second;
    return true;
}

bool script_clock(const char *text, int *ret_minutes)
{
    int hours, minutes;
    if (!script_pair(text, ':', &hours, &minutes))
        return false;
    *ret_minutes = hours * 60 + minutes;
    return true;
}

tide_ms script_time(struct script *s, unsigned *at)
{
    const struct naive_calendar plain = {.utc_offset_min = SCRIPT_UTC_OFFSET_MIN};
    int32_t date = s->now_ms > 0 ? naive_date(&plain, s->now_ms) : 0;
    int month, day, minutes = 0;
    if (*at < s->count && strchr(s->token[*at], ':') == NULL &&
        script_pair(s->token[*at], '-', &month, &day)) {
        date = naive_days_from(2019, month, day);
        ++*at;
    }
    if (*at >= s->count || !script_clock(s->token[*at], &minutes)) {
        script_fail(s, "a time is missing");
        return 0;
    }
    ++*at;
    return naive_midnight(&plain, date) + minutes * TIDE_MINUTE_MS;
}

/* "09:00-11:00", its end after midnight when it is not later; or "05-21 09:00-11:00". */
void script_span(struct script *s, unsigned at, tide_ms *ret_start, tide_ms *ret_end)
{
    unsigned last = at + 1 < s->count && strchr(s->token[at], ':') == NULL ? at + 1 : at;
    char *dash = last < s->count ? strchr(s->token[last], '-') : NULL;
    int minutes = 0;
    if (dash == NULL || !script_clock(dash + 1, &minutes)) {
        script_fail(s, "a span is missing");
        return;
    }
    *dash = '\0';
    *ret_start = script_time(s, &at);
    *dash = '-';
    const struct naive_calendar plain = {.utc_offset_min = SCRIPT_UTC_OFFSET_MIN};
    *ret_end = naive_midnight(&plain, naive_date(&plain, *ret_start)) + minutes * TIDE_MINUTE_MS;
    if (*ret_end <= *ret_start)
        *ret_end += TIDE_DAY_MS;
}

void script_words(const struct script *s, unsigned first, char *out, size_t cap)
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = first; i < s->count && used < cap; i++)
        used += (size_t)snprintf(out + used, cap - used, "%s%s", i > first ? " " : "", s->token[i]);
}

/* ---- one event ----------------------------------------------------------------------------- */
static void hear(void *arg, const struct engine_trace *line)
{
    struct script *s = arg;
    char words[400];
    if (!narrate_knows(line->rule))
        script_fail(s, "narrate.c has no words for %s", line->rule);
    narrate_line(line, SCRIPT_UTC_OFFSET_MIN, words, sizeof words);
    s->story_len +=
        (size_t)snprintf(s->story + s->story_len, sizeof s->story - s->story_len, "%s\n", words);
    if (s->story_len >= sizeof s->story)
        s->story_len = sizeof s->story - 1;
}

static void remember(struct script *s)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(s->effects.buf, s->effects.len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_REPLY) {
            s->reply = any.reply;
            s->replied = true;
        }
        if (verb == ENGINE_DEL)
            sim_rows_del(s->rows, kind, &any);
        if (verb != ENGINE_PUT)
            continue;
        sim_rows_put(s->rows, kind, &any);
        if (kind == TIDE_REC_notice && s->notice_count < 256)
            s->notices[s->notice_count++] = any.notice;
        if (kind == TIDE_REC_passage)
            s->passage = any.passage;
        if (kind == TIDE_REC_command)
            s->command = any.command;
    }
}

void script_step(struct script *s, struct engine_event *event)
{
    event->when_ms = s->now_ms;
    s->effects.len = s->effects.count = 0;
    engine_step(s->engine, event, &s->effects);
    remember(s);
    audit_event(s->audit, ++s->seq, event, s->effects.buf, s->effects.len);
    if (s->stage != NULL)
        s->stage->step(s->stage->arg, s->seq, event, &s->effects);
    if (audit_violations(s->audit) > 0)
        script_fail(s, "the auditor: %s", audit_first(s->audit));
}

void script_ticks(struct script *s)
{
    for (unsigned i = 0; engine_next_deadline(s->engine) <= s->now_ms && i < 10000; i++) {
        struct engine_event tick = {.kind = TIDE_REC_tick};
        script_step(s, &tick);
    }
}

void script_send(struct script *s, tide_id user, unsigned kind, const void *record)
{
    struct engine_event event = {.kind = (uint8_t)kind, .user = user};
    memcpy(&event.as, record, tide_record_of(kind)->size);
    script_ticks(s);
    s->replied = false;
    script_step(s, &event);
}

void script_put(struct script *s, unsigned kind, const void *row)
{
    uint8_t blob[512] = {(uint8_t)kind};
    struct engine_event event = {.kind = TIDE_REC_put, .user = ADMIN, .blob = blob};
    event.as.put.rows = 1;
    event.blob_len =
        1 + (uint32_t)tide_record_pack(tide_record_of(kind), row, blob + 1, sizeof blob - 1);
    script_ticks(s);
    script_step(s, &event);
    if (s->reply.code != TIDE_CODE_ok)
        script_fail(s, "the put was refused: %s", tide_enum_name(TIDE_FT_enum_code, s->reply.code));
}

/* ---- lines --------------------------------------------------------------------------------- */
static void tell_time(struct script *s)
{
    unsigned at = 1;
    tide_ms then = script_time(s, &at);
    if (then < s->now_ms) {
        script_fail(s, "time goes back");
        return;
    }
    while (engine_next_deadline(s->engine) <= then) { /* each at its own time */
        tide_ms due = engine_next_deadline(s->engine);
        s->now_ms = due > s->now_ms ? due : s->now_ms;
        script_ticks(s);
    }
    s->now_ms = then;
}

static void play_line(struct script *s)
{
    if (script_check(s))
        return;
    s->story_len = 0;
    s->story[0] = '\0';
    s->notice_count = 0;
    if (strcmp(s->token[0], "at") == 0)
        tell_time(s);
    else if (!script_tell(s) && !script_act(s) &&
             (s->stage == NULL || !s->stage->line(s->stage->arg, s)))
        script_fail(s, "nobody understands this");
}

static void cut_line(struct script *s, char *line)
{
    char *comment = strchr(line, '#');
    if (comment != NULL)
        *comment = '\0';
    s->count = 0;
    for (char *at = line; s->count < SCRIPT_TOKENS_MAX;) {
        at += strspn(at, " ");
        if (*at == '\0')
            break;
        s->token[s->count++] = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
    }
    s->arrow = 0;
    while (s->arrow < s->count && strcmp(s->token[s->arrow], "->") != 0)
        s->arrow++;
}

/* An engine that is loaded from the rows is the one that never stopped. */
static void check_loaded(struct script *s)
{
    size_t size = (engine_size(&s->limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    if (memory == NULL)
        abort();
    struct engine *loaded = engine_init(memory, size, &s->limits);
    uint8_t a[32], b[32];
    int rc = 0;
    for (unsigned kind = 1; kind < 100; kind++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while ((row = sim_rows_next(s->rows, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row))
                rc |= engine_load(loaded, kind, row);
    }
    rc |= engine_load_end(loaded, s->now_ms);
    engine_digest(s->engine, a);
    engine_digest(loaded, b);
    if (rc != 0 || memcmp(a, b, sizeof a) != 0 ||
        engine_next_deadline(loaded) != engine_next_deadline(s->engine))
        script_fail(s, "loaded from its rows the engine is another");
    free(memory);
}

void script_limits(struct engine_limits *ret)
{
    *ret = (struct engine_limits){.places = 64,
                                  .persons = 64,
                                  .roles = 64,
                                  .users = 64,
                                  .vehicles = 64,
                                  .zones = 8,
                                  .slots = 32,
                                  .lanes = 8,
                                  .windows = 128,
                                  .bookings = 128,
                                  .series = 16,
                                  .sessions = 64,
                                  .incidents = 32,
                                  .horizon_days_max = 16};
}

static void open_stage(struct script *s, char *why, size_t why_cap)
{
    memset(s, 0, sizeof *s);
    s->why = why;
    s->why_cap = why_cap;
    script_limits(&s->limits);
    size_t size = (engine_size(&s->limits) + 63) & ~(size_t)63;
    s->memory = aligned_alloc(64, size);
    s->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    s->effects.buf = malloc(s->effects.cap);
    if (s->memory == NULL || s->effects.buf == NULL)
        abort();
    s->engine = engine_init(s->memory, size, &s->limits);
    engine_set_trace(s->engine, hear, s);
    s->audit = audit_new();
    audit_room(s->audit, s->limits.bookings);
    s->rows = sim_rows_new();
}

int script_play_on(const struct script_stage *stage, const char *text, char *why, size_t why_cap)
{
    static struct script script;
    struct script *s = &script;
    char line[400];
    unsigned number = 0;
    open_stage(s, why, why_cap);
    s->stage = stage;
    script_begin(s);
    while (!s->failed && *text != '\0') {
        size_t len = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, text);
        text += len + (text[len] == '\n' ? 1 : 0);
        number++;
        cut_line(s, line);
        if (s->count > 0)
            play_line(s);
    }
    if (!s->failed)
        check_loaded(s);
    if (!s->failed && stage != NULL)
        stage->end(stage->arg, s->engine);
    if (s->failed) {
        char words[400], reason[600];
        script_words(s, 0, words, sizeof words);
        snprintf(reason, sizeof reason, "%s", why);
        snprintf(why, why_cap, "line %u (%s): %s\n%s", number, words, reason, s->story);
    }
    audit_free(s->audit);
    sim_rows_free(s->rows);
    free(s->memory);
    free(s->effects.buf);
    return s->failed ? -1 : 0;
}

int script_play(const char *text, char *why, size_t why_cap)
{
    return script_play_on(NULL, text, why, why_cap);
}
