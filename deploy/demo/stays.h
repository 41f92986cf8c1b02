/* stays.h - the stays of one day at one lot: drawn from figures, or read from a recorded trace.
 *
 * A trace is a CSV file whose first two columns are arrival and departure as local time,
 * "2019-05-20 18:33"; other columns are passed over, and so are stays under five minutes.
 */
#ifndef DEMO_STAYS_H
#define DEMO_STAYS_H

#include "deploy/demo/figures.h"

#define DEMO_STAYS_MAX 4096

struct demo_stays {
    struct demo_stay stay[DEMO_STAYS_MAX];
    size_t count;
};

/* Days since 1970-01-01 of "2019-05-20"; -1 when it is no date. */
int demo_date_parse(const char *text);
/* Minute of the day of "18:33", up to "24:00"; -1 when the text does not begin with an hour. */
int demo_minute_parse(const char *text);
/* Writes "2019-05-20"; cap at least 11. */
void demo_date_format(int date, char *out, size_t cap);
/* 0 is Monday. */
int demo_date_weekday(int date);

/* Replaces what *stays held by count stays drawn from the figures, in order of arrival. */
void demo_stays_draw(struct demo_stays *stays, struct demo_dice *dice, const struct demo_lot *lot,
                     size_t count);

/* Replaces what *stays held by those that began on a date. When the trace has fewer than `enough`
 * that day, the nearest day of the same kind (Monday to Friday, or weekend) that has enough is
 * taken, and *ret_date says which. Returns 0; -1 with errno when the file cannot be read, with
 * errno ENODATA when no day will do. */
int demo_stays_read(struct demo_stays *stays, const char *path, int date, size_t enough,
                    int *ret_date);

/* Makes each stay stand for `copies` cars, the others shifted by up to 12 minutes. */
void demo_stays_copy(struct demo_stays *stays, struct demo_dice *dice, int copies);

#endif
