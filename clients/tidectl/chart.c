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
static unsigned ceiling_of(unsigned most)
{
    static const unsigned steps[] = {10, 12, 15, 20, 25, 30, 40, 50, 60, 80};
    unsigned scale = 1;

    for (unsigned step = 1; step < 10; step++)
        if (step * ROWS >= most)
            return step * ROWS;
    for (;; scale *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * scale * ROWS >= most || scale > 1000000)
                return steps[i] * scale * ROWS;
}

static unsigned ceiling(const struct ctl_hour *hours, size_t count)
{
    unsigned most = 1;

    for (size_t i = 0; i < count; i++)
        for (size_t which = 0; which < 3; which++)
            most = value_of(&hours[i], which) > most ? value_of(&hours[i], which) : most;
    return ceiling_of(most);
}

/* What stands left of a row, 0 the lowest: two of them carry a number. */
static void chart_axis(FILE *out, const struct strokes *strokes, unsigned row, unsigned step)
{
    if (row == ROWS - 1 || row == ROWS / 2 - 1)
        fprintf(out, "%5u %s", (row + 1) * step, strokes->tick);
    else
        fprintf(out, "      %s", strokes->axis);
}

static void chart_floor(FILE *out, const struct strokes *strokes, size_t columns)
{
    fprintf(out, "    0 %s", strokes->corner);
    for (size_t i = 0; i < columns; i++)
        fputs(strokes->line, out);
    fputc('\n', out);
}

void ctl_chart(FILE *out, const char *title, const struct ctl_hour *hours, size_t count, bool ascii)
{
    static const struct strokes utf8 = {"░░", "▒▒", "██", "│", "┼", "┤", "─"};
    static const struct strokes plain = {"..", "oo", "##", "|", "+", "+", "-"};
    const struct strokes *strokes = ascii ? &plain : &utf8;
    unsigned top = ceiling(hours, count), step = top / ROWS;

    fprintf(out, "%s\n", title);
    for (unsigned row = ROWS; row-- > 0;) {
        chart_axis(out, strokes, row, step);
        for (size_t i = 0; i < count; i++)
            fprintf(out, "%s ", stroke(strokes, &hours[i], row * step, (row + 1) * step));
        fputc('\n', out);
    }
    chart_floor(out, strokes, count * 3);
    fputs("       ", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%02d ", hours[i].hour % 24);
    fputc('\n', out);
    chart_numbers(out, CTL_T("open", "开放"), hours, count, 0);
    chart_numbers(out, CTL_T("promd", "已约"), hours, count, 1);
    chart_numbers(out, CTL_T("parked", "在停"), hours, count, 2);
    fprintf(out, CTL_T("%s open  %s promised  %s parked\n", "%s 开放  %s 已预约  %s 在停\n"),
            strokes->supply, strokes->promised, strokes->parked);
}

/* ---- two days ahead ------------------------------------------------------------------------ */
/*   20 ┤      ░░░                  ░ at best      on one day of ten there are as many
 *      │    ▒▒▒▒▒░░                ▒ as a rule
 *      │ ████████▒▒▒               █ nearly surely on nine days of ten
 *    0 ┼────────────
 *       18    00    06 */
static const char *ahead_stroke(const struct strokes *strokes, const struct ctl_ahead *hour,
                                unsigned half)
{
    if (hour->low > half)
        return strokes->parked;
    if (hour->middle > half)
        return strokes->promised;
    return hour->high > half ? strokes->supply : " ";
}

/* Every sixth hour of the day, and under the first hour of a day its date. */
static void ahead_hours(FILE *out, const struct ctl_ahead *hours, size_t count)
{
    fputs("       ", out);
    for (size_t i = 0; i < count; i++)
        if (hours[i].hour % 6 == 0 && i + 1 < count)
            fprintf(out, "%02d", hours[i].hour);
        else if (i == 0 || hours[i - 1].hour % 6 != 0)
            fputc(' ', out);
    fputs("\n       ", out);
    for (size_t i = 0, used = 0; i < count; i++) {
        bool first = i == 0 || hours[i].hour == 0;

        if (!first || (i == 0 && hours[0].hour > 18) || i + 5 > count)
            continue;
        used += (size_t)fprintf(out, "%*s%s", (int)(i - used), "", hours[i].date);
    }
    fputc('\n', out);
}

void ctl_chart_ahead(FILE *out, const char *title, const struct ctl_ahead *hours, size_t count,
                     bool ascii)
{
    static const struct strokes utf8 = {"░", "▒", "█", "│", "┼", "┤", "─"};
    static const struct strokes plain = {".", "o", "#", "|", "+", "+", "-"};
    const struct strokes *strokes = ascii ? &plain : &utf8;
    unsigned most = 1, step;

    for (size_t i = 0; i < count; i++)
        most = hours[i].high > most ? hours[i].high : most;
    step = ceiling_of(most) / ROWS;
    fprintf(out, "%s\n", title);
    for (unsigned row = ROWS; row-- > 0;) {
        chart_axis(out, strokes, row, step);
        for (size_t i = 0; i < count; i++)
            fputs(ahead_stroke(strokes, &hours[i], row > 0 ? row * step + step / 2 : 0), out);
        fputc('\n', out);
    }
    chart_floor(out, strokes, count);
    ahead_hours(out, hours, count);
    fprintf(out,
            CTL_T("free: %s nearly surely (9 days of 10)  %s as a rule  %s at best (1 of 10)\n",
                  "空位:%s 基本可靠(十天有九天)  %s 通常  %s 最好情况(十天有一天)\n"),
            strokes->parked, strokes->promised, strokes->supply);
}
