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

static void chart_numbers(FILE *out, const char *name, const struct ctl_hour *hours, size_t count,
                          size_t which)
{
    ctl_pad(out, name, 6, false);
    for (size_t i = 0; i < count; i++) {
        unsigned value = which == 0   ? hours[i].supply
                         : which == 1 ? hours[i].promised
                                      : hours[i].parked;
        fprintf(out, value > 999 ? " **" : "%3u", value);
    }
    fputc('\n', out);
}

/* A round number that is not below the highest value, and a multiple of the rows. */
static unsigned ceiling(const struct ctl_hour *hours, size_t count)
{
    unsigned most = 1, step = 1;

    for (size_t i = 0; i < count; i++) {
        most = hours[i].supply > most ? hours[i].supply : most;
        most = hours[i].promised > most ? hours[i].promised : most;
        most = hours[i].parked > most ? hours[i].parked : most;
    }
    while (step * ROWS < most)
        step += step < 5 ? 1 : step < 20 ? 5 : step < 100 ? 10 : 50;
    return step * ROWS;
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
