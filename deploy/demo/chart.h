/* chart.h - the tide of the day, drawn with characters.
 *
 *     slots                                   each hour is a column of three characters:
 *      300│━━━   ░░░░░░   ━━━                   ░ open to others (supply)
 *         │   ━━━▒▒▒▒▒▒━━━                      ▒ of these promised to somebody
 *         │   ░░░━━━━━━▒▒▒                      ━ cars that are there, all of them
 *        0└───────────────
 *          05 06 07 08 09
 */
#ifndef DEMO_CHART_H
#define DEMO_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEMO_CHART_HOURS 24

struct demo_hour {
    uint32_t supply, promised, parked;
    bool known;
};

struct demo_chart {
    int first_hour, last_hour; /* drawn, both included */
    int rows;                  /* height of the plot */
    int now_hour;              /* its label is marked; -1: none */
    bool color;
    struct demo_hour hour[DEMO_CHART_HOURS];
};

/* Writes the chart, rows + 3 lines each ended by "\n". Returns its length without the NUL, at most
 * cap - 1. */
size_t demo_chart_draw(const struct demo_chart *chart, char *out, size_t cap);
/* The same hour in one line without colors, for a log:
 * "08:00  supply 231  promised 180  parked 160  ▒▒▒▒▒▒┃▒░░░". */
size_t demo_chart_line(const struct demo_chart *chart, int hour, char *out, size_t cap);
/* A bar of `width` characters, filled by done of whole. */
size_t demo_chart_progress(char *out, size_t cap, int width, int64_t done, int64_t whole);

#endif
