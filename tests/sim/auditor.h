/* auditor.h - the independent auditor: it reads what entered and what came out, and knows of the
 * engine nothing but include/tide. It keeps tables of its own (the fold of what it read), works out
 * days and windows the slow way (naive.h), and says after every event whether what must be true
 * always (design.md, section 8) still is.
 *
 *     event, effects ──► own tables ──► rooms: bookings · windows · ledger · gate · names
 *                                                 └── each may fail(…): the first words are kept
 *
 * Used by the simulator after each durable event, and by `tide-sim --audit DB` over the journal
 * of a real daemon.
 */
#ifndef TIDE_SIM_AUDITOR_H
#define TIDE_SIM_AUDITOR_H

#include <stdio.h>

#include "tide/engine.h"

struct audit;

struct audit *audit_new(void);
/* How many bookings the engine has room for. Who does not say so never hears that an owner could
 * been promised another slot. */
void audit_room(struct audit *audit, uint32_t bookings);
struct audit *audit_free(struct audit *audit); /* returns NULL */
/* A durable event, in order of seq. */
void audit_event(struct audit *audit, uint64_t seq, const struct engine_event *event,
                 const uint8_t *effects, size_t len);
/* What was answered without being journaled: a read, or a refusal that binds nothing. */
void audit_answer(struct audit *audit, const struct engine_event *event, const uint8_t *effects,
                  size_t len);
/* A text that the directory holds under an id from now on. After `forgotten` of this id no file may
 * hold it. */
void audit_name(struct audit *audit, enum tide_name_kind kind, tide_id id, const char *text);
/* Looks for forgotten texts in all files of a folder (NULL: none). The database must be closed and
 * checkpointed. */
void audit_files(struct audit *audit, const char *folder);
/* Compares the tables of a database with its own, row by row. */
void audit_tables(struct audit *audit, const char *database);
/* What can be said only at the end. */
void audit_end(struct audit *audit);

/* tide-sim --audit: reads journal and tables of a database, changes nothing, prints a verdict.
 * 0 clean, 1 violations, 2 not readable. */
int audit_database(const char *path, FILE *out);

unsigned audit_violations(const struct audit *audit);
const char *audit_first(const struct audit *audit);
struct audit_counts {
    uint64_t events, rows, bookings, kept, cancelled, no_show, broken, live, postings, passages;
    uint64_t checked_windows, checked_refusals, checked_offers, draws, incidents[8];
    uint64_t substitutes;
    uint64_t checked_caps, strikes;
    uint64_t moves, looks; /* promises moved; looks at who comes after a car that stays */
};
void audit_count(const struct audit *audit, struct audit_counts *ret);

#endif
