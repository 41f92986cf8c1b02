/* script_state.h - what the two halves of the story teller share: script.c reads lines and plays
 * the world, script_check.c compares.
 */
#ifndef TIDE_SIM_SCRIPT_STATE_H
#define TIDE_SIM_SCRIPT_STATE_H

#include "tests/sim/auditor.h"
#include "tests/sim/rows.h"
#include "tests/sim/script.h"

#define SCRIPT_TOKENS_MAX 40
#define SCRIPT_NAMES_MAX 64
#define SCRIPT_UTC_OFFSET_MIN 480

/* Who is there from the start; households' people come after. Persons and users have one number. */
enum { ADMIN = 1, CLERK, GUARD, PROPERTY, GATEWAY, FIRST_HOUSEHOLD };
enum { COMMUNITY = 1, COMPOUND = 2 };
enum { LANE_IN = 1, LANE_OUT = 2 };

enum script_name {
    NAME_HOUSEHOLD,
    NAME_ZONE,
    NAME_SLOT,
    NAME_PLATE,
    NAME_BOOKING,
    NAME_WINDOW,
    NAME_SERIES,
    NAME_WAITING,
    NAME_STRIKE,
    NAME_KINDS
};

struct script_names {
    char text[SCRIPT_NAMES_MAX][16];
    uint32_t id[SCRIPT_NAMES_MAX];
    unsigned count;
};

struct script {
    void *memory;
    struct engine *engine;
    struct engine_limits limits;
    struct engine_effects effects;
    struct audit *audit;
    struct sim_rows *rows;
    uint64_t seq;
    tide_ms now_ms;
    uint32_t fact;
    struct tide_reply reply; /* of the last request */
    bool replied;
    char story[1 << 16]; /* the narrative since the last thing that happened */
    size_t story_len;
    struct tide_notice notices[256]; /* likewise */
    unsigned notice_count;
    struct tide_passage passage;
    struct tide_command command;

    struct script_names names[NAME_KINDS];
    char *token[SCRIPT_TOKENS_MAX]; /* of the line at hand */
    unsigned count;
    unsigned arrow;                   /* index of `->`, count when there is none */
    const struct script_stage *stage; /* NULL: nobody listens */
    char *why;
    size_t why_cap;
    bool failed;
};

void script_fail(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The id under a name; fails the story when there is none. */
uint32_t script_id(struct script *s, enum script_name kind, const char *text);
void script_name(struct script *s, enum script_name kind, const char *text, uint32_t id);
/* The person and user of a name: a household's, or clerk, guard, property. */
tide_id script_person(struct script *s, const char *text);
/* "09:00" of the day at hand, "05-21 09:00" from two tokens; moves *at on. */
tide_ms script_time(struct script *s, unsigned *at);
/* The words from token `first` on, as they stood. */
void script_words(const struct script *s, unsigned first, char *out, size_t cap);

/* Two numbers with a character between: "05-21", "09:30". */
bool script_pair(const char *text, char between, int *ret_first, int *ret_second);
/* Minutes of "09:30". */
bool script_clock(const char *text, int *ret_minutes);
/* "09:00-11:00" (to the next day when it ends no later), "05-21 09:00-11:00" from token `at` on. */
void script_span(struct script *s, unsigned at, tide_ms *ret_start, tide_ms *ret_end);
/* "workday 08:00-17:30", "once 05-20 18:00-23:00" from token `at` on. */
struct tide_window script_window(struct script *s, unsigned at);
bool script_has(const struct script *s, const char *word);
/* The token after this word, NULL when it is not there. */
const char *script_after(const struct script *s, const char *word);

/* One event, with all deadlines before it; the auditor looks. */
void script_step(struct script *s, struct engine_event *event);
void script_ticks(struct script *s);
void script_send(struct script *s, tide_id user, unsigned kind, const void *record);
void script_put(struct script *s, unsigned kind, const void *row);
#define SEND(user, kind, ...)                                                                      \
    script_send(s, user, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})
#define PUT(kind, ...) script_put(s, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})

/* The staff, the lanes. */
void script_begin(struct script *s);
/* A line that says what is there; that says what is done. False when it is none. */
bool script_tell(struct script *s);
bool script_act(struct script *s);

/* Of draws (script_draws.c): held by somebody, wished in, and what the daemon does for them. */
void script_draw_open(struct script *s, tide_id user);
void script_draw_wish(struct script *s, tide_id user);
void script_draw_needs(struct script *s);

/* What follows `->` in the line, against the last reply. */
void script_check_reply(struct script *s, enum script_name kind);
void script_check_arm(struct script *s);
/* Lines that only look: say, silent, told, booking, waiting, strike, incident, account. False when
 * the line is none of these. */
bool script_check(struct script *s);

#endif
