/* shrink.c - from a run of thousands of events that fails to the few that matter (delta debugging).
 *
 *   all ──► without the first half? without the second? ... quarters, eighths, single events ──►
 *   again, until nothing more can be left out
 *
 * Each try is a process of its own: it may die by an assertion, and that is a failure too. A try
 * counts only when it fails in the same way: the same words, numbers aside, or the same signal.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/script.h"
#include "tests/sim/tape.h"

#define TICKS_MAX 20000
#define SECONDS_MAX 900
#define STORY_BYTES (1u << 18)

struct verdict { /* what a try says, in memory that outlives it */
    char words[512];
    uint32_t at; /* the entry that failed */
};

struct shrink {
    struct engine_limits limits;
    struct tape_entry *list;
    uint32_t count;
    struct verdict *verdict;
    char wanted[512];
    uint64_t tries;
    time_t until;
};

/* ---- one try -------------------------------------------------------------------------------- */
static struct replay replay_new(const struct engine_limits *limits)
{
    struct replay r = {.limits = *limits};
    size_t size = (engine_size(limits) + 63) & ~(size_t)63;
    r.memory = aligned_alloc(64, size);
    r.effects.cap = TIDE_EFFECTS_BYTES_MAX;
    r.effects.buf = malloc(r.effects.cap);
    if (r.memory == NULL || r.effects.buf == NULL)
        abort();
    r.engine = engine_init(r.memory, size, limits);
    r.audit = audit_new();
    audit_room(r.audit, limits->bookings);
    r.rows = sim_rows_new();
    return r;
}

static void remember(struct replay *r)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(r->effects.buf, r->effects.len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_DEL)
            sim_rows_del(r->rows, kind, &any);
        if (verb == ENGINE_PUT)
            sim_rows_put(r->rows, kind, &any);
    }
}

static void step(struct replay *r, const struct engine_event *event)
{
    r->effects.len = r->effects.count = 0;
    if (TIDE_EVENT_IS_ASK(event->kind)) {
        engine_query(r->engine, event, &r->effects);
        audit_answer(r->audit, event, r->effects.buf, r->effects.len);
        return;
    }
    engine_step(r->engine, event, &r->effects);
    remember(r);
    audit_event(r->audit, ++r->seq, event, r->effects.buf, r->effects.len);
}

/* Each deadline at its own time, as the daemon's timer runs them. */
static void ticks(struct replay *r, tide_ms until)
{
    for (unsigned i = 0; i < TICKS_MAX && audit_violations(r->audit) == 0; i++) {
        tide_ms due = engine_next_deadline(r->engine);
        if (due > until)
            break;
        r->now_ms = due > r->now_ms ? due : r->now_ms;
        step(r, &(struct engine_event){.kind = TIDE_REC_tick, .when_ms = r->now_ms});
    }
}

static enum tape_made made_by(unsigned type)
{
    return type == TIDE_FT_booking   ? TAPE_BOOKING
           : type == TIDE_FT_window  ? TAPE_WINDOW
           : type == TIDE_FT_series  ? TAPE_SERIES
           : type == TIDE_FT_command ? TAPE_COMMAND
                                     : TAPE_MADE_KINDS;
}

/* What an event refers to was made by the last entry before it that made such an id. */
static void refer(const struct shrink *s, uint32_t index, struct engine_event *event)
{
    const struct tide_record *desc = tide_record_of(event->kind);
    for (unsigned f = 0; f < desc->field_count; f++) {
        enum tape_made made = made_by(desc->fields[f].type);
        uint32_t old = (uint32_t)tide_field_get(&desc->fields[f], &event->as);
        if (made == TAPE_MADE_KINDS || old == 0)
            continue;
        for (uint32_t i = index; i > 0; i--) {
            const struct tape_entry *e = &s->list[i - 1];
            if (old - e->made.first[made] >= e->made.count[made])
                continue;
            if (e->kept && e->now.count[made] > 0)
                tide_field_set(&desc->fields[f], &event->as,
                               e->now.first[made] + (old - e->made.first[made]));
            break;
        }
    }
}

static bool loaded_is_another(const struct replay *r)
{
    struct replay l = replay_new(&r->limits);
    uint8_t a[32], b[32];
    int rc = 0;
    for (unsigned kind = 1; kind < 100; kind++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while ((row = sim_rows_next(r->rows, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row))
                rc |= engine_load(l.engine, kind, row);
    }
    rc |= engine_load_end(l.engine, r->now_ms);
    engine_digest(r->engine, a);
    engine_digest(l.engine, b);
    return rc != 0 || memcmp(a, b, sizeof a) != 0;
}

/* Plays what is kept; writes to the verdict how it failed. Ends the process. */
static void play(struct shrink *s, FILE *story)
{
    struct replay r = replay_new(&s->limits);
    struct retell tell = {.out = story};
    for (uint32_t i = 0; i < s->count; i++) {
        struct tape_entry *e = &s->list[i];
        if (!e->kept)
            continue;
        s->verdict->at = i;
        struct engine_event event = e->event;
        refer(s, i, &event);
        ticks(&r, event.when_ms);
        if (audit_violations(r.audit) > 0)
            break;
        r.now_ms = event.when_ms > r.now_ms ? event.when_ms : r.now_ms;
        event.when_ms = r.now_ms;
        if (story != NULL)
            retell_event(&tell, &r, &event);
        step(&r, &event);
        tape_ids_of(&event, r.effects.buf, r.effects.len, &e->now);
        if (story != NULL)
            retell_reply(&tell, &r, &event, r.effects.buf, r.effects.len);
        if (audit_violations(r.audit) > 0)
            break;
    }
    if (audit_violations(r.audit) > 0)
        (void)snprintf(s->verdict->words, sizeof s->verdict->words, "%s", audit_first(r.audit));
    else if (loaded_is_another(&r))
        (void)snprintf(s->verdict->words, sizeof s->verdict->words,
                       "loaded and never-crashed engines differ in their digest");
    if (story != NULL)
        (void)fflush(story);
    _exit(0);
}

/* The same failure has the same words, whatever the numbers. */
static void without_numbers(char *words)
{
    char *to = words;
    for (const char *from = words; *from != '\0'; from++)
        if (*from < '0' || *from > '9')
            *to++ = *from;
    *to = '\0';
}

static void attempt(struct shrink *s, FILE *story)
{
    int status = 0;
    memset(s->verdict, 0, sizeof *s->verdict);
    s->tries++;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) /* assertions speak; they were heard */
            _exit(1);
        (void)alarm(120);
        play(s, story);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    if (WIFSIGNALED(status))
        (void)snprintf(s->verdict->words, sizeof s->verdict->words, "%s",
                       strsignal(WTERMSIG(status)));
}

static bool fails(struct shrink *s)
{
    char words[512];
    attempt(s, NULL);
    memcpy(words, s->verdict->words, sizeof words);
    without_numbers(words);
    return words[0] != '\0' && strcmp(words, s->wanted) == 0;
}

/* ---- leaving out ---------------------------------------------------------------------------- */
static uint32_t kept(const struct shrink *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++)
        count += s->list[i].kept;
    return count;
}

/* Leaves out up to `chunk` kept entries from `from` on. Returns where the next ones begin; *ret_out
 * lists them. */
static uint32_t leave_out(struct shrink *s, uint32_t from, uint32_t chunk, uint32_t *out,
                          uint32_t *ret_count)
{
    uint32_t count = 0, i = from;
    for (; i < s->count && count < chunk; i++)
        if (s->list[i].kept && i > 0) { /* the first is the founding */
            s->list[i].kept = false;
            out[count++] = i;
        }
    *ret_count = count;
    return i;
}

/* One sweep with chunks of this size; true when something could be left out. */
static bool sweep(struct shrink *s, uint32_t chunk, uint32_t *out)
{
    bool any = false;
    for (uint32_t at = 0; at < s->count && time(NULL) < s->until;) {
        uint32_t count = 0;
        at = leave_out(s, at, chunk, out, &count);
        if (count == 0)
            break;
        if (fails(s)) {
            any = true;
            for (uint32_t i = s->verdict->at + 1; i < s->count; i++)
                s->list[i].kept = false;
            continue;
        }
        for (uint32_t i = 0; i < count; i++)
            s->list[out[i]].kept = true;
    }
    return any;
}

static void shrink(struct shrink *s)
{
    uint32_t *out = malloc((s->count + 1) * sizeof *out);
    if (out == NULL)
        abort();
    for (uint32_t i = s->verdict->at + 1; i < s->count; i++)
        s->list[i].kept = false;
    for (uint32_t chunk = kept(s) / 2; chunk > 1; chunk /= 2)
        (void)sweep(s, chunk, out);
    while (sweep(s, 1, out) && time(NULL) < s->until)
        ;
    free(out);
}

/* ---- telling -------------------------------------------------------------------------------- */
static void tell_story(struct shrink *s, FILE *out)
{
    char why[1024] = "", *text = calloc(1, STORY_BYTES);
    FILE *file = tmpfile();
    int status = 0;
    if (file == NULL || text == NULL)
        abort();
    attempt(s, file);
    rewind(file);
    size_t len = fread(text, 1, STORY_BYTES - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    fprintf(out, "%s", text);
    fprintf(out, "# fails: %s\n", s->verdict->words);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int rc = script_play(text, why, sizeof why);
        why[strcspn(why, "\n")] = '\0'; /* the line and its fault, without the narrative */
        fprintf(out, "# told as a story: %s\n", rc != 0 ? why : "nothing is wrong with it");
        (void)fflush(out);
        _exit(0);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
        fprintf(out, "# told as a story: %s\n", strsignal(WTERMSIG(status)));
    free(text);
}

int shrink_tell(const struct tape *tape, FILE *out)
{
    struct shrink s = {.limits = *tape_limits(tape), .until = time(NULL) + SECONDS_MAX};
    s.count = tape_read(tape, &s.list);
    s.verdict =
        mmap(NULL, sizeof *s.verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s.verdict == MAP_FAILED)
        abort();
    attempt(&s, NULL);
    if (s.count == 0 || s.verdict->words[0] == '\0') {
        fprintf(out, "tide-sim: %u events alone do not fail: it takes the store, or a crash\n",
                s.count);
        return 1;
    }
    memcpy(s.wanted, s.verdict->words, sizeof s.wanted);
    without_numbers(s.wanted);
    shrink(&s);
    fprintf(out, "# %u events made %u, in %llu tries\n", s.count, kept(&s),
            (unsigned long long)s.tries);
    tell_story(&s, out);
    for (uint32_t i = 0; i < s.count; i++)
        free((void *)(uintptr_t)s.list[i].event.blob);
    free(s.list);
    return 0;
}
