/* narrate.h - decisions in words. The engine tells why it decided as a rule's name and three
 * numbers (struct engine_trace); a table here turns them into a sentence. Tests compare the
 * sentences, and a violation is reported with those that led to it.
 */
#ifndef TIDE_SIM_NARRATE_H
#define TIDE_SIM_NARRATE_H

#include "tide/engine.h"

/* "window ends 17:30, request ends 17:45 -> refuse, offer 17:30". Returns out. */
char *narrate_line(const struct engine_trace *line, int utc_offset_min, char *out, size_t cap);
/* "book plate=12 zone=1 start=05-20 18:00 end=05-20 20:00": what is not 0, enums by name. */
char *narrate_record(unsigned kind, const void *record, int utc_offset_min, char *out, size_t cap);
/* "05-20 18:00:05" (with .123 when not on the second). */
char *narrate_time(tide_ms at, int utc_offset_min, char *out, size_t cap);
/* Whether the table knows a rule: a test asks this of every rule that it sees. */
bool narrate_knows(const char *rule);

#endif
