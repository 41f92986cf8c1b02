/* chart.c - see chart.h. Drawn into memory: one write a frame, so that a terminal never shows half
 * of one. */
#include "deploy/demo/chart.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct canvas {
    char *out;
    size_t cap, len;
};

static void put(struct canvas *canvas, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put(struct canvas *canvas, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = vsnprintf(canvas->out + canvas->len, canvas->cap - canvas->len, format, args);
    va_end(args);
    if (written > 0) {
        size_t room = canvas->cap - canvas->len - 1;
        canvas->len += (size_t)written < room ? (size_t)written : room;
    }
}

/* The next of 20, 50, 100, 200, ... that holds the highest value. */
static uint32_t top_of(const struct demo_chart *chart)
{
    uint32_t most = 0;
    for (int h = chart->first_hour; h <= chart->last_hour; h++) {
        const struct demo_hour *hour = &chart->hour[h];
        most = hour->supply > most ? hour->supply : most;
        most = hour->promised > most ? hour->promised : most;
        most = hour->parked > most ? hour->parked : most;
    }
    uint32_t step = 20;
    while (most > step * 10) {
        step *= 2;
    }
    return (most + step - 1) / step * step + (most == 0 ? step : 0);
}

enum layer { EMPTY, SUPPLY, PROMISED, PARKED };
static const char *const glyph[] = {" ", "░", "▒", "━"};
static const char *const color[] = {"", "\033[38;5;250m", "\033[38;5;37m", "\033[1;38;5;208m"};

/* What stands in a row whose span is lower..upper: the line of the cars that are there before the
 * areas, whose border is the middle of the row. */
static enum layer layer_at(const struct demo_hour *hour, uint32_t lower, uint32_t upper)
{
    uint32_t middle_x2 = lower + upper;
    if (!hour->known) {
        return EMPTY;
    }
    if (hour->parked > lower && hour->parked <= upper) {
        return PARKED;
    }
    return hour->promised * 2 > middle_x2 ? PROMISED
           : hour->supply * 2 > middle_x2 ? SUPPLY
                                          : EMPTY;
}

static void draw_row(struct canvas *canvas, const struct demo_chart *chart, int row, uint32_t top)
{
    uint32_t rows = (uint32_t)chart->rows;
    uint32_t upper = top * ((uint32_t)row + 1) / rows;
    uint32_t lower = top * (uint32_t)row / rows;
    bool named = row == chart->rows - 1 || (uint32_t)row + 1 == (rows + 1) / 2;
    if (named) {
        put(canvas, "%6u┤", upper);
    } else {
        put(canvas, "      │");
    }
    enum layer before = EMPTY;
    for (int h = chart->first_hour; h <= chart->last_hour; h++) {
        enum layer layer = layer_at(&chart->hour[h], lower, upper);
        if (chart->color && layer != before) {
            put(canvas, "%s", layer == EMPTY ? "\033[0m" : color[layer]);
        }
        before = layer;
        put(canvas, "%s%s%s", glyph[layer], glyph[layer], glyph[layer]);
    }
    put(canvas, "%s\n", chart->color ? "\033[0m" : "");
}

size_t demo_chart_draw(const struct demo_chart *chart, char *out, size_t cap)
{
    struct canvas canvas = {.out = out, .cap = cap};
    uint32_t top = top_of(chart);
    out[0] = '\0';
    for (int row = chart->rows - 1; row >= 0; row--) {
        draw_row(&canvas, chart, row, top);
    }
    put(&canvas, "     0└");
    for (int h = chart->first_hour; h <= chart->last_hour; h++) {
        put(&canvas, "───");
    }
    put(&canvas, "\n       ");
    for (int h = chart->first_hour; h <= chart->last_hour; h++) {
        bool marked = chart->color && h == chart->now_hour;
        put(&canvas, "%s%02d%s ", marked ? "\033[7m" : "", h, marked ? "\033[0m" : "");
    }
    put(&canvas, "\n       ░ open to others   ▒ promised   ━ cars that are there\n");
    return canvas.len;
}

size_t demo_chart_line(const struct demo_chart *chart, int hour, char *out, size_t cap)
{
    enum { WIDTH = 40 };
    struct canvas canvas = {.out = out, .cap = cap};
    const struct demo_hour *at = &chart->hour[hour];
    uint32_t top = top_of(chart);
    out[0] = '\0';
    put(&canvas, "%02d:00  supply %4u  promised %4u  parked %4u  ", hour, at->supply, at->promised,
        at->parked);
    for (uint32_t i = 0; i < WIDTH; i++) {
        enum layer layer = layer_at(at, top * i / WIDTH, top * (i + 1) / WIDTH);
        put(&canvas, "%s", layer == PARKED ? "┃" : glyph[layer]);
    }
    while (canvas.len > 0 && out[canvas.len - 1] == ' ') {
        out[--canvas.len] = '\0';
    }
    return canvas.len;
}

size_t demo_chart_progress(char *out, size_t cap, int width, int64_t done, int64_t whole)
{
    struct canvas canvas = {.out = out, .cap = cap};
    int64_t filled = whole <= 0 ? 0 : done * width / whole;
    out[0] = '\0';
    for (int i = 0; i < width; i++) {
        put(&canvas, "%s", i < filled ? "━" : "╌");
    }
    return canvas.len;
}
