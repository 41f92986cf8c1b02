/* chart.c - the tide of a day, drawn in a terminal.
 *
 *   60 ┤         ░░ ░░ ░░            ░ supply    places open in that hour
 *      │      ░░ ▒▒ ▒▒ ░░            ▒ promised  of them promised
 *      │   ░░ ▒▒ ██ ██ ▒▒            █ parked    cars that are there
 *    0 ┼──────────────────────
 *       05 06 07 08 09 10 11
 *
 * One hour is three columns wide: 24 of them and the axis fit into 80.
 */
#include <string.h>

#include "clients/tidectl/tidectl.h"

#define ROWS 10

struct strokes {
    const char *supply, *promised, *parked, *axis, *corner, *tick, *line;
};

static const char *stroke(const struct strokes *strokes, const struct ctl_hour *hour, unsigned from,
                          unsigned top)
{
    /* the middle of a row decides; in the lowest one, whatever there is shows */
    unsigned half = from ? from + (top - from) / 2 : 0;

    if (hour->parked > half)
        return strokes->parked;
    if (hour->promised > half)
        return strokes->promised;
    return hour->supply > half ? strokes->supply : "  ";
}

static unsigned value_of(const struct ctl_hour *hour, size_t which)
{
    return which == 0 ? hour->supply : which == 1 ? hour->promised : hour->parked;
}

/* Numbers of three digits leave no blank between them: then every second hour has one. */
static void chart_numbers(FILE *out, const char *name, const struct ctl_hour *hours, size_t count,
                          size_t which)
{
    size_t step = 1;

    for (size_t i = 0; i < count; i++)
        step = value_of(&hours[i], which) > 99 ? 2 : step;
    ctl_pad(out, name, 7, false);
    for (size_t i = 0; i < count; i += step)
        fprintf(out, "%-*u", (int)step * 3, value_of(&hours[i], which));
    fputc('\n', out);
}

/* A round number that is not below the highest value, and a multiple of the rows. */
static unsigned ceiling(const struct ctl_hour *hours, size_t count)
{
    static const unsigned steps[] = {10, 12, 15, 20, 25, 30, 40, 50, 60, 80};
    unsigned most = 1, scale = 1;

    for (size_t i = 0; i < count; i++)
        for (size_t which = 0; which < 3; which++)
            most = value_of(&hours[i], which) > most ? value_of(&hours[i], which) : most;
    for (unsigned step = 1; step < 10; step++)
        if (step * ROWS >= most)
            return step * ROWS;
    for (;; scale *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * scale * ROWS >= most || scale > 1000000)
                return steps[i] * scale * ROWS;
}

void ctl_chart(FILE *out, const char *title, const struct ctl_hour *hours, size_t count, bool ascii)
{
    static const struct strokes utf8 = {"░░", "▒▒", "██", "│", "┼", "┤", "─"};
    static const struct strokes plain = {"..", "oo", "##", "|", "+", "+", "-"};
    const struct strokes *strokes = ascii ? &plain : &utf8;
    unsigned top = ceiling(hours, count), step = top / ROWS;

    fprintf(out, "%s\n", title);
    for (unsigned row = ROWS; row-- > 0;) {
        if (row == ROWS - 1 || row == ROWS / 2 - 1)
            fprintf(out, "%5u %s", (row + 1) * step, strokes->tick);
        else
            fprintf(out, "      %s", strokes->axis);
        for (size_t i = 0; i < count; i++)
            fprintf(out, "%s ", stroke(strokes, &hours[i], row * step, (row + 1) * step));
        fputc('\n', out);
    }
    fprintf(out, "    0 %s", strokes->corner);
    for (size_t i = 0; i < count * 3; i++)
        fputs(strokes->line, out);
    fputs("\n       ", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%02d ", hours[i].hour % 24);
    fputc('\n', out);
    chart_numbers(out, CTL_T("open", "开放"), hours, count, 0);
    chart_numbers(out, CTL_T("promd", "已约"), hours, count, 1);
    chart_numbers(out, CTL_T("parked", "在停"), hours, count, 2);
    fprintf(out, CTL_T("%s open  %s promised  %s parked\n", "%s 开放  %s 已预约  %s 在停\n"),
            strokes->supply, strokes->promised, strokes->parked);
}
