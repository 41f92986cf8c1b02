/* stays.c - see stays.h. A trace is read twice at most: once to count what each day has, once for
 * the day that was chosen. */
#include "deploy/demo/stays.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MIN (24 * 60)
#define STAY_MIN_MIN 5
#define SHIFT_MAX_MIN 12

/* ---- dates ------------------------------------------------------------------------------- */

static int days_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = y / 400;
    int of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A number of exactly count digits; -1 when it is none. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

int demo_minute_parse(const char *text)
{
    int hour = digits(text, 2);
    int minute = hour < 0 || text[2] != ':' ? -1 : digits(text + 3, 2);
    return minute < 0 || minute > 59 || hour * 60 + minute > DAY_MIN ? -1 : hour * 60 + minute;
}

int demo_date_parse(const char *text)
{
    int year = digits(text, 4);
    int month = year < 1970 || text[4] != '-' ? -1 : digits(text + 5, 2);
    int day = month < 1 || month > 12 || text[7] != '-' ? -1 : digits(text + 8, 2);
    if (day < 1) {
        return -1;
    }
    int date = days_of(year, month, day);
    char back[16];
    demo_date_format(date, back, sizeof(back));
    for (int i = 0; i < 10; i++) {
        if (back[i] != text[i]) {
            return -1; /* the 31st of a month that has 30 */
        }
    }
    return date;
}

void demo_date_format(int date, char *out, size_t cap)
{
    int shifted = date + 719468;
    int era = shifted / 146097;
    int of_era = shifted - era * 146097;
    int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153;
    int day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    (void)snprintf(out, cap, "%04d-%02d-%02d", year, month, day);
}

int demo_date_weekday(int date)
{
    return (date + 3) % 7; /* 1970-01-01 was a Thursday */
}

/* ---- order ------------------------------------------------------------------------------- */

static int by_arrival(const void *left, const void *right)
{
    const struct demo_stay *a = left, *b = right;
    if (a->arrives_min != b->arrives_min) {
        return a->arrives_min < b->arrives_min ? -1 : 1;
    }
    return (a->leaves_min > b->leaves_min) - (a->leaves_min < b->leaves_min);
}

static void sort(struct demo_stays *stays)
{
    qsort(stays->stay, stays->count, sizeof(stays->stay[0]), by_arrival);
}

static void add(struct demo_stays *stays, int arrives_min, int leaves_min)
{
    if (stays->count < DEMO_STAYS_MAX && leaves_min - arrives_min >= STAY_MIN_MIN) {
        stays->stay[stays->count++] =
            (struct demo_stay){.arrives_min = arrives_min, .leaves_min = leaves_min};
    }
}

void demo_stays_draw(struct demo_stays *stays, struct demo_dice *dice, const struct demo_lot *lot,
                     size_t count)
{
    stays->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct demo_stay stay = demo_figures_stay(dice, lot);
        add(stays, stay.arrives_min, stay.leaves_min);
    }
    sort(stays);
}

void demo_stays_copy(struct demo_stays *stays, struct demo_dice *dice, int copies)
{
    size_t recorded = stays->count;
    for (int copy = 1; copy < copies; copy++) {
        for (size_t i = 0; i < recorded; i++) {
            int shift = demo_dice_range(dice, -SHIFT_MAX_MIN, SHIFT_MAX_MIN);
            struct demo_stay stay = stays->stay[i];
            if (stay.arrives_min + shift >= 0 && stay.arrives_min + shift < DAY_MIN) {
                add(stays, stay.arrives_min + shift, stay.leaves_min + shift);
            }
        }
    }
    sort(stays);
}

/* ---- traces ------------------------------------------------------------------------------ */

/* "2019-05-20 18:33" at *text: its day and minute; false when it is none. Moves on behind it. */
static bool parse_moment(const char **text, int *ret_date, int *ret_min)
{
    int date = demo_date_parse(*text);
    int minute = date < 0 || (*text)[10] != ' ' ? -1 : demo_minute_parse(*text + 11);
    if (minute < 0) {
        return false;
    }
    *ret_date = date;
    *ret_min = minute;
    *text += 16;
    return true;
}

static bool parse_row(const char *line, int *ret_date, struct demo_stay *ret)
{
    int from_date, from_min, until_date, until_min;
    if (!parse_moment(&line, &from_date, &from_min) || *line++ != ',' ||
        !parse_moment(&line, &until_date, &until_min)) {
        return false;
    }
    *ret_date = from_date;
    ret->arrives_min = from_min;
    ret->leaves_min = (until_date - from_date) * DAY_MIN + until_min;
    return ret->leaves_min - from_min >= STAY_MIN_MIN;
}

static void read_day(FILE *in, int date, struct demo_stays *stays)
{
    char line[256];
    stays->count = 0;
    rewind(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        int row_date;
        struct demo_stay stay;
        if (parse_row(line, &row_date, &stay) && row_date == date) {
            add(stays, stay.arrives_min, stay.leaves_min);
        }
    }
    sort(stays);
}

/* The day nearest to `date`, of its kind, with enough stays; -1 when there is none. */
static int nearest_day(FILE *in, int date, size_t enough)
{
    enum { SPAN = 400 };
    static uint32_t counts[2 * SPAN + 1];
    for (size_t i = 0; i < 2 * SPAN + 1; i++) {
        counts[i] = 0;
    }
    char line[256];
    rewind(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        int row_date;
        struct demo_stay stay;
        if (parse_row(line, &row_date, &stay) && row_date >= date - SPAN &&
            row_date <= date + SPAN) {
            counts[row_date - date + SPAN]++;
        }
    }
    bool weekend = demo_date_weekday(date) >= 5;
    for (int away = 0; away <= SPAN; away++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            int candidate = date + sign * away;
            if (counts[candidate - date + SPAN] >= enough &&
                (demo_date_weekday(candidate) >= 5) == weekend) {
                return candidate;
            }
        }
    }
    return -1;
}

int demo_stays_read(struct demo_stays *stays, const char *path, int date, size_t enough,
                    int *ret_date)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        return -1;
    }
    int found = nearest_day(in, date, enough);
    if (found >= 0) {
        read_day(in, found, stays);
        *ret_date = found;
    }
    (void)fclose(in);
    if (found < 0) {
        errno = ENODATA;
        return -1;
    }
    return 0;
}
