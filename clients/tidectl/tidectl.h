/* tidectl.h - what the files of tidectl share.
 *
 *   argv ─► args.c (by the tables of command.c) ─► members of a request ─► session.c ─► libtide
 *                       when.c: "18:00", "+2h"                                │
 *   terminal ◄─ table.c ◄─ show.c (items) · say.c (sentences) ◄───────────────┘ reply
 *
 * Everything a person reads exists in English and in Chinese, side by side in the code: CTL_T.
 */
#ifndef TIDECTL_H
#define TIDECTL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tide/client.h"

extern bool ctl_chinese;      /* set once, by main, from the locale */
extern const char *ctl_doing; /* the command's name, for complaints; set once, by main */
#define CTL_T(en, zh) (ctl_chinese ? (zh) : (en))

enum ctl_exit {
    CTL_EXIT_OK = 0,
    CTL_EXIT_REFUSED = 1,   /* the daemon, or the check of files, said no */
    CTL_EXIT_USAGE = 2,     /* the command line cannot be understood */
    CTL_EXIT_NO_ANSWER = 3, /* connected, but no answer in time */
    CTL_EXIT_OFFLINE = 4    /* no connection, or not let in */
};

/* ---- conf.c -------------------------------------------------------------------------------- */
#define CTL_PATH_MAX 4096
struct ctl_conf {
    char uri[256], domain[72], user[72], secret[256];
    char secret_file[CTL_PATH_MAX], ca_file[CTL_PATH_MAX];
    long mqtt;      /* 3 or 5 */
    long timeout_s; /* for an answer */
    bool json, ascii, quiet;
};
void ctl_conf_default(struct ctl_conf *ret);
/* Sets a key as in the file (uri, domain, user, secret_file, ca_file, mqtt, timeout). base: the
 * folder that a relative path is seen from, NULL: the working folder. 0, or -1 with why. */
int ctl_conf_set(struct ctl_conf *conf, const char *key, const char *value, const char *base,
                 char *why, size_t cap);
/* Reads key = value lines over what conf holds. 0, 1 when there is no such file, -1 with why. */
int ctl_conf_read(struct ctl_conf *conf, const char *path, char *why, size_t cap);
/* The files in order: ~/.config/tide/tidectl.conf (or $XDG_CONFIG_HOME), $TIDECTL_CONF. */
int ctl_conf_files(struct ctl_conf *conf, char *why, size_t cap);
/* Fills secret from secret_file when it is empty. 0 or -1. */
int ctl_conf_secret(struct ctl_conf *conf, char *why, size_t cap);

/* ---- when.c -------------------------------------------------------------------------------- */
enum ctl_when_kind { CTL_WHEN_ABSOLUTE, CTL_WHEN_SPAN, CTL_WHEN_DAY };
struct ctl_when {
    enum ctl_when_kind kind;
    int64_t ms;      /* ABSOLUTE: the instant; SPAN: how much later */
    int minute;      /* DAY: minute of that day, up to 2879 */
    bool any_day;    /* DAY: the next day on which it lies ahead */
    int plus_days;   /* DAY: today 0, tomorrow 1 (-1: not said) */
    int weekday;     /* DAY: 0 Monday..6 (-1: not said) */
    int month, mday; /* DAY: 0: not said */
};
/* "now", "18:00", "tomorrow 08:30", "fri 9:00", "05-21 08:30", "+2h30m", "2019-05-20T18:00+08:00",
 * and the Chinese ones. utc_offset_min is for absolute times without an offset. 0 or -1. */
int ctl_when_parse(const char *text, int utc_offset_min, struct ctl_when *ret);
/* The instant. Spans count from after_ms, days lie after it (after_ms 0: base_ms, inclusive). */
int64_t ctl_when_resolve(const struct ctl_when *when, int64_t base_ms, int64_t after_ms,
                         int utc_offset_min);
/* "2019-05-20", "today", "tomorrow", "fri" as a date; text gets "2019-05-20". 0 or -1. */
int ctl_when_date(const char *word, int64_t base_ms, int utc_offset_min, char *text, size_t cap);
/* "8:30", "24:00", "25:15" checked and written with two digits. 0 or -1. */
int ctl_when_hour(const char *word, char *text, size_t cap);
/* For people: "05-20 Mon 18:00"; "" for what is no time. json_time is a time of the wire. */
void ctl_when_show(const char *json_time, char *out, size_t cap);

/* ---- command.c, args.c --------------------------------------------------------------------- */
enum ctl_kind {
    CTL_TEXT,
    CTL_PLATE,
    CTL_TIME, /* when.c */
    CTL_DATE,
    CTL_HOUR,
    CTL_INT,
    CTL_FLAG,  /* --visitor: true */
    CTL_WORD,  /* one of words */
    CTL_WORDS, /* some of words, + or , between them: an array */
    CTL_FILES, /* all positionals that are left; not a member */
    CTL_PATH,  /* a file's name, for completion; not a member */
    CTL_COMMANDS
};
struct ctl_param {
    const char *name;   /* "PLATE": a positional; "--zone": an option */
    const char *member; /* of the request; NULL: the command looks at it itself */
    enum ctl_kind kind;
    bool required;
    const char *words;
    const char *en, *zh;
};
struct ctl_args;
struct ctl;
struct ctl_command {
    const char *name; /* "book", "incident close" */
    const char *op;
    const struct ctl_param *params;                           /* ends with a NULL name */
    int (*run)(struct ctl *ctl, const struct ctl_args *args); /* NULL: ask op, show the reply */
    const char *en, *zh;                                      /* one line */
    const char *example, *more_en, *more_zh;
};
extern const struct ctl_command ctl_commands[]; /* ends with a NULL name */
/* The command that argv begins with; *ret_words is how many words its name has. NULL: none. */
const struct ctl_command *ctl_command_find(int argc, char **argv, int *ret_words);

#define CTL_GIVEN_MAX 256
struct ctl_given {
    const struct ctl_param *param;
    const char *value; /* borrowed from argv; "" for a flag */
};
struct ctl_args {
    const struct ctl_command *command;
    struct ctl_given given[CTL_GIVEN_MAX];
    int count;
    bool help;
};
/* Takes the arguments behind the command's name; global options go to conf. On failure says what
 * is wrong, on stderr. 0 or -1. */
int ctl_args_parse(const struct ctl_command *command, int argc, char **argv, struct ctl_conf *conf,
                   struct ctl_args *ret);
/* Takes global options from the front; returns how many words they were, -1 after complaining. */
int ctl_args_global(int argc, char **argv, struct ctl_conf *conf, bool *ret_help);
/* The value of a parameter, NULL when it was not given. */
const char *ctl_args_get(const struct ctl_args *args, const char *name);
/* Checks all values without the clock, so that mistakes are told before anything is sent. */
int ctl_args_check(const struct ctl_args *args, int utc_offset_min);
/* The members of the request; needs the civil clock when a time is relative. NULL after saying
 * why. The caller deletes it. */
cJSON *ctl_args_members(struct ctl *ctl, const struct ctl_args *args);
void ctl_help(FILE *out);
void ctl_help_command(FILE *out, const struct ctl_command *command);
int ctl_help_run(struct ctl *ctl, const struct ctl_args *args);

/* ---- session.c ----------------------------------------------------------------------------- */
/* The domain's civil clock as its daemon last told it (tide/1/sys/{node}). */
struct ctl_clock {
    bool known;
    char node[72], state[24];
    int64_t civil_ms, real_ms;
    int scale, utc_offset_min; /* the offset is +08:00 until offset_known */
    bool offset_known;
};
struct ctl {
    struct ctl_conf conf;
    struct tide_client *client;
    struct ctl_clock clock;
    void *sink; /* of the running command */
    void (*on_message)(void *sink, const char *topic, const cJSON *body);
    void (*on_notice)(void *sink, const cJSON *row);
};
/* Connects when not yet connected. extra: a topic filter more, or NULL. 0, or an exit code after
 * saying why. */
int ctl_connect(struct ctl *ctl, const char *extra);
/* Says goodbye. False when paho's threads take their time (up to a second): then leave by _exit,
 * which loses nothing. */
bool ctl_disconnect(struct ctl *ctl);
/* Civil time now, as far as it is known; else this machine's clock. */
int64_t ctl_civil(struct ctl *ctl);
/* The same; connects if it must, and waits a second for the daemon's word. */
int64_t ctl_now(struct ctl *ctl);
/* Asks. *ret_reply (owned by the caller) is the reply, also a refusal; NULL without one. Returns 0
 * or an exit code after saying why (not in --json, where the reply itself is printed). */
int ctl_ask(struct ctl *ctl, const char *op, cJSON *members, cJSON **ret_reply);
/* The same, and shows the reply. */
int ctl_ask_and_show(struct ctl *ctl, const char *op, cJSON *members);
/* Prints a reply as it came, one line. */
void ctl_print_json(const cJSON *reply);
/* Reads one zone's name when the domain has just one; "" otherwise (then *ret_names lists them). */
void ctl_only_zone(struct ctl *ctl, char *ret, size_t cap, char *ret_names, size_t names_cap);

/* ---- say.c, notice.c ----------------------------------------------------------------------- */
/* "tidectl: …" on stderr. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A word of the protocol for people; the word itself (with blanks) when it is not known. */
const char *ctl_word(const char *member, const char *word);
/* The words of a list in a row; none for all seven weekdays. */
void ctl_word_list(const char *member, const cJSON *list, char *out, size_t cap);
/* Why a request was refused and what would help, one sentence a line, into out. what: "book". */
void ctl_refusal(const char *what, const cJSON *reply, char *out, size_t cap);
/* A notice as a sentence. */
void ctl_notice(const cJSON *row, char *out, size_t cap);
const char *ctl_text_of(const cJSON *object, const char *member); /* "" when there is none */
double ctl_number_of(const cJSON *object, const char *member);    /* 0 when there is none */
bool ctl_has(const char *words, const char *word);                /* in a list with blanks */

/* ---- table.c ------------------------------------------------------------------------------- */
/* Columns that a terminal needs for UTF-8 text; wide letters count two. */
size_t ctl_width(const char *text);
/* Writes text padded to width; control characters become '?'. right: blanks in front. */
void ctl_pad(FILE *out, const char *text, size_t width, bool right);
struct ctl_table;
struct ctl_table *ctl_table_new(size_t columns);
void ctl_table_right(struct ctl_table *table, size_t column);  /* numbers */
void ctl_table_add(struct ctl_table *table, const char *text); /* next cell; copies */
void ctl_table_print(const struct ctl_table *table, FILE *out);
struct ctl_table *ctl_table_free(struct ctl_table *table);
/* Finds the next code point; returns its bytes (1 for a bad byte, then U+FFFD). */
size_t ctl_utf8_next(const char *text, uint32_t *ret_point);

/* ---- show.c -------------------------------------------------------------------------------- */
/* show_done.c: the sentence for an empty answer (NULL: the operation is no read); for what was
 * done; how to ask for the rest. */
const char *ctl_nothing_of(const char *op);
void ctl_show_done(const char *op, double id, FILE *out);
void ctl_show_recall(const cJSON *reply, FILE *out);
void ctl_show_more(const char *op, const cJSON *items, FILE *out);
/* The items of a reply as tables, and a line on what was done. */
void ctl_show(const char *op, const cJSON *reply, FILE *out);

/* ---- chart.c ------------------------------------------------------------------------------- */
#define CTL_HOURS 24
struct ctl_hour {
    int hour; /* of the day, 0..23 */
    unsigned supply, promised, parked;
};
void ctl_chart(FILE *out, const char *title, const struct ctl_hour *hours, size_t count,
               bool ascii);
#define CTL_FORECAST_HOURS 48
struct ctl_ahead {
    int hour;                   /* of the day, 0..23 */
    char date[8];               /* "05-20" */
    unsigned low, middle, high; /* places that will be free */
};
/* What will be free, an hour a column. */
void ctl_chart_ahead(FILE *out, const char *title, const struct ctl_ahead *hours, size_t count,
                     bool ascii);

/* ---- commands of their own ----------------------------------------------------------------- */
int ctl_run_import(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_book(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_tide(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_forecast(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_watch(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_inbox(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_status(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_user_add(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_user_revoke(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_credential(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_calendar(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_setting(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_setting_get(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_verify(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_why(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_raw(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_share(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_arrive(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_forget(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_draw_ask(struct ctl *ctl, const struct ctl_args *args);
int ctl_run_draw_verify(struct ctl *ctl, const struct ctl_args *args);
/* Reads a whole file ("-": standard input) up to max bytes; malloc'ed, NUL behind. NULL: errno. */
char *ctl_read_file(const char *path, size_t max, size_t *ret_len);
/* Asks a yes-or-no question on the terminal. False when there is no terminal. */
bool ctl_confirm(const char *question);

#endif
