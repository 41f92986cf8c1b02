/* table.c - tide-demo table: the day in figures, from the daemon's own database and from what the
 * cameras and people of the demo saw. The database is opened for reading only; tided has stopped.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/demo/demo.h"
#include "deploy/demo/tally.h"
#include "tide/records.h"

#define NOTE_CAP 512
#define BUSY_MS 700

/* ---- asking the database ------------------------------------------------------------------- */

/* The first number of the first row; -1 when the query fails. */
static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "tide-demo: %s\n", sqlite3_errmsg(db));
    } else if (sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

static int64_t count(sqlite3 *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int64_t count(sqlite3 *db, const char *format, ...)
{
    char sql[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    return number(db, sql);
}

/* "overstayer 3, blackout 1": rows of (number of an enum's member, count) in words. */
static const char *in_words(sqlite3 *db, unsigned field_type, const char *sql, char out[NOTE_CAP])
{
    sqlite3_stmt *statement = NULL;
    size_t len = 0;
    out[0] = '\0';
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "tide-demo: %s\n", sqlite3_errmsg(db));
    }
    while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW && len < NOTE_CAP - 64) {
        const char *word = tide_enum_name(field_type, (unsigned)sqlite3_column_int(statement, 0));
        len += (size_t)snprintf(out + len, NOTE_CAP - len, "%s%s %d", len > 0 ? ", " : "",
                                word != NULL ? word : "?", sqlite3_column_int(statement, 1));
    }
    (void)sqlite3_finalize(statement);
    return out;
}

/* ---- printing ------------------------------------------------------------------------------ */

#define NOTE_AT 41
#define WIDTH 80

/* Words of a note, broken where the page ends and continued below its beginning. */
static void print_note(const char *note)
{
    size_t column = NOTE_AT;
    for (const char *at = note; *at != '\0';) {
        size_t blanks = strspn(at, " ");
        size_t len = strcspn(at + blanks, " ");
        if (column > NOTE_AT && column + blanks + len > WIDTH) {
            (void)printf("\n%*s", NOTE_AT, "");
            column = NOTE_AT;
            at += blanks;
            blanks = 0;
        }
        (void)printf("%.*s", (int)(blanks + len), at);
        column += blanks + len;
        at += blanks + len;
    }
    (void)putchar('\n');
}

static void row(const char *what, int64_t value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void row(const char *what, int64_t value, const char *format, ...)
{
    char note[NOTE_CAP];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(note, sizeof(note), format, args);
    va_end(args);
    (void)printf(" %-29s %7" PRId64 "   ", what, value);
    print_note(note);
}

static void rule(void)
{
    for (int i = 0; i < WIDTH; i++) {
        (void)fputs("─", stdout);
    }
    (void)putchar('\n');
}

static void print_promises(sqlite3 *db, const struct demo_tally *tally)
{
    char note[NOTE_CAP];
    /* A series makes promises for days to come; today's alone belong here. */
#define TODAY "(series = 0 OR start_ms < (SELECT min(start_ms) FROM booking) + 86400000)"
    int64_t made = count(db, "SELECT count(*) FROM booking WHERE " TODAY);
    row("asked for a place", (int64_t)tally->wishes,
        "in %" PRIu64 " attempts; %" PRIu64 " of the cars found none", tally->bookings_asked,
        tally->unmet);
    row("promised", made,
        "%" PRIu64 " by the clerk for somebody; %" PRIu64 " as every workday; %" PRIu64
        " at the hours offered",
        tally->by_clerk, tally->series, tally->adapted);
    row("   kept",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_kept),
        "came and left");
    row("   there at the end of the day",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_parked),
        "%" PRId64 " more are promised and still to come",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_booked));
    row("   cancelled",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_cancelled),
        "by those who had asked");
    row("   no-shows",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_no_show),
        "%" PRIu64 " did not come; their place was given back at the deadline", tally->no_shows);
    in_words(db, TIDE_ENUM_FIELD_TYPE(why),
             "SELECT reason, count(*) FROM booking WHERE state = 5 GROUP BY reason ORDER BY 2 DESC",
             note);
    row("   broken",
        count(db, "SELECT count(*) FROM booking WHERE " TODAY " AND state = %d",
              TIDE_BOOKING_STATE_broken),
        "%s", *note != '\0' ? note : "none");
    _Static_assert(TIDE_BOOKING_STATE_broken == 5, "the query above");
    row("extensions granted", (int64_t)tally->extensions_granted, "of %" PRIu64 " asked for",
        tally->extensions_asked);
    row("recalls granted", (int64_t)tally->recalls_granted,
        "of %" PRIu64 " owners who wanted their slot back earlier", tally->recalls_asked);
}

static int64_t incidents(sqlite3 *db, enum tide_incident_kind kind)
{
    return count(db, "SELECT count(*) FROM incident WHERE kind = %d", (int)kind);
}

static int64_t open_incidents(sqlite3 *db, enum tide_incident_kind kind)
{
    return count(db, "SELECT count(*) FROM incident WHERE kind = %d AND state = %d", (int)kind,
                 TIDE_INCIDENT_STATE_open);
}

static void print_incidents(sqlite3 *db, const struct demo_tally *tally)
{
    row("overstays", incidents(db, TIDE_INCIDENT_KIND_overstay),
        "%" PRId64 " not ended yet; %" PRId64 " minutes posted for them",
        open_incidents(db, TIDE_INCIDENT_KIND_overstay),
        count(db, "SELECT coalesce(sum(minutes), 0) FROM posting WHERE reason = %d",
              TIDE_POSTING_REASON_overstay));
    row("strangers on a slot", incidents(db, TIDE_INCIDENT_KIND_stranger),
        "%" PRIu64 " were put there, where only sensors can tell", tally->strangers);
    row("owners found their slot taken", incidents(db, TIDE_INCIDENT_KIND_owner_taken),
        "in truth %" PRIu64, tally->owner_slot_taken);
    row("promised slots found taken", (int64_t)tally->slot_taken,
        "%" PRIu64 " cars were sent round by the gate for it", tally->turned_away);
    row("ghosts", incidents(db, TIDE_INCIDENT_KIND_ghost), "arrived, and stands elsewhere");
    row("late supply", incidents(db, TIDE_INCIDENT_KIND_late_supply),
        "a promise began, its slot was still taken");
}

static void print_gates(sqlite3 *db, struct demo_tally *tally)
{
    char note[NOTE_CAP];
    row("plates read at the gates", (int64_t)tally->plates_read,
        "%" PRIu64 " of them misread on purpose; %" PRIu64 " messages of slot sensors",
        tally->plates_misread, tally->sensor_messages);
    row("   arms lifted", (int64_t)tally->opened, "and %" PRIu64 " by the guard's hand",
        tally->by_hand);
    row("   stayed down", (int64_t)tally->denied, "%s",
        in_words(db, TIDE_ENUM_FIELD_TYPE(why),
                 "SELECT why, count(*) FROM passage WHERE decision = 2 GROUP BY why ORDER BY 2 "
                 "DESC",
                 note));
    _Static_assert(TIDE_DECISION_deny == 2, "the query above");
    (void)printf(" %-29s %7s   ", "   answered", "");
    (void)snprintf(note, sizeof(note),
                   "p50 %.1f ms, p99 %.1f ms, slowest %.1f ms; the gateways' own lists decided "
                   "%" PRId64 " times; %" PRIu64 " without any answer",
                   (double)demo_tally_quantile_us(tally, 500) / 1000,
                   (double)demo_tally_quantile_us(tally, 990) / 1000,
                   (double)demo_tally_quantile_us(tally, 1000) / 1000,
                   count(db, "SELECT count(*) FROM passage WHERE why = %d", TIDE_WHY_local_list),
                   tally->silent);
    print_note(note);
}

static void print_requests(sqlite3 *db, const struct demo_tally *tally)
{
    row("requests", (int64_t)tally->requests, "%" PRIu64 " without any answer", tally->unanswered);
    row("refusals", (int64_t)demo_tally_refusals(tally), "%s",
        tally->refusal_count == 0 ? "" : "by why:");
    for (size_t i = 0; i < tally->refusal_count; i++) {
        (void)printf("    %-26s %7" PRIu64 "\n", tally->refusals[i].why, tally->refusals[i].count);
    }
    row("notices to people", number(db, "SELECT count(*) FROM notice"),
        "%" PRIu64 " read on their phones during the day", tally->notices);
    row("facts in the journal", number(db, "SELECT count(*) FROM journal"),
        "each durable before anybody heard of it");
    row("lag of the demo itself", (int64_t)tally->late_ms_max, "ms at most%s",
        tally->late_ms_max < BUSY_MS ? ""
                                     : ": this machine was busy with something else, "
                                       "and on the day's clock cars came late");
}

/* Every promise that somebody was told of is a row: -1 when one is missing. */
static int print_promises_held(sqlite3 *db, const struct demo_tally *tally)
{
    int64_t made = count(db, "SELECT count(*) FROM booking WHERE " TODAY);
    bool held = made >= (int64_t)tally->promised;
    (void)printf(" %-16s told to people %" PRIu64 ", in the database %" PRId64 ": %s\n", "promises",
                 tally->promised, made, held ? "none is missing" : "SOME ARE MISSING");
    return held ? 0 : -1;
}

int demo_table(int argc, char **argv)
{
    static struct demo_tally tally;
    sqlite3 *db = NULL;
    if (argc != 3) {
        return DEMO_USAGE;
    }
    if (demo_tally_read(&tally, argv[2]) != 0) {
        perror(argv[2]);
        return 1;
    }
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "tide-demo: %s: %s\n", argv[1], sqlite3_errmsg(db));
        (void)sqlite3_close(db);
        return 1;
    }
    rule();
    print_promises(db, &tally);
    rule();
    print_incidents(db, &tally);
    rule();
    print_gates(db, &tally);
    rule();
    print_requests(db, &tally);
    rule();
    int result = print_promises_held(db, &tally) == 0 ? 0 : 1;
    (void)sqlite3_close(db);
    return result;
}
