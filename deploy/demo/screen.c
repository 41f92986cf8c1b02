/* screen.c - the day on a terminal, redrawn in place; in a log, a line an hour. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "deploy/demo/player.h"

#define DRAW_EVERY_US 150000
#define FRAME_CAP 32768
#define LINES_BESIDES_CHART 12 /* head, axis, counters, a spare one */

struct frame {
    char text[FRAME_CAP];
    size_t len;
};

static void put(struct frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct frame *frame, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = vsnprintf(frame->text + frame->len, FRAME_CAP - frame->len, format, args);
    va_end(args);
    if (written > 0) {
        size_t room = FRAME_CAP - frame->len - 1;
        frame->len += (size_t)written < room ? (size_t)written : room;
    }
}

void demo_screen_begin(struct demo_player *player)
{
    struct winsize size = {0};
    player->tty = isatty(STDOUT_FILENO) == 1;
    player->chart.first_hour = player->first_min / 60;
    player->chart.last_hour = (player->last_min - 1) / 60 > 23 ? 23 : (player->last_min - 1) / 60;
    player->chart.color = player->tty;
    player->chart.rows = 14;
    player->told_hours = player->chart.first_hour;
    if (player->tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
        int room = size.ws_row - LINES_BESIDES_CHART;
        player->chart.rows = room < 4 ? 4 : room > 14 ? 14 : room;
        player->tty = size.ws_col >= 70;
    }
    if (player->tty) {
        (void)fputs("\033[?25l", stdout);
    }
}

static struct demo_hour sum_now(const struct demo_player *player)
{
    struct demo_hour sum = {0};
    for (size_t i = 0; i < player->public_zones; i++) {
        sum.supply += player->zone_now[i].supply;
        sum.promised += player->zone_now[i].promised;
        sum.parked += player->zone_now[i].parked;
    }
    return sum;
}

static void put_counters(struct frame *frame, struct demo_player *player)
{
    struct demo_tally *tally = player->tally;
    struct demo_hour now = sum_now(player);
    put(frame, " now        %4u slots open to others, %u promised, %u cars on them\n", now.supply,
        now.promised, now.parked);
    put(frame,
        " people     %4" PRIu64 " asked for a place, %" PRIu64 " promised (%" PRIu64
        " by the clerk), %" PRIu64 " got none, %zu connected\n",
        tally->wishes, tally->promised, tally->by_clerk, tally->unmet,
        demo_links_count(player->links));
    put(frame,
        " gates      %4" PRIu64 " plates read, %" PRIu64 " arms lifted, %" PRIu64
        " stayed down; p50 %.1f ms, p99 %.1f ms\n",
        tally->plates_read, tally->opened, tally->denied,
        (double)demo_tally_quantile_us(tally, 500) / 1000,
        (double)demo_tally_quantile_us(tally, 990) / 1000);
    put(frame,
        " troubles   %4" PRIu64 " overstays, %" PRIu64 " no-shows, %" PRIu64 " strangers, %" PRIu64
        " owners found their slot taken\n",
        tally->overstayed, tally->no_shows, tally->strangers, tally->owner_slot_taken);
    put(frame, " %.90s\n", player->last);
}

static void compose(struct frame *frame, struct demo_player *player)
{
    int64_t minute = demo_now_min(player);
    char bar[256];
    if (minute > player->last_min) {
        minute = player->last_min;
    }
    (void)demo_chart_progress(bar, sizeof(bar), 40, minute - player->first_min,
                              player->last_min - player->first_min);
    put(frame, " 潮汐邻里 Tide   %s   %02d:%02d\n", player->day_text, (int)(minute / 60),
        (int)(minute % 60));
    put(frame, " %s %3d %%   %d civil seconds a second\n", bar,
        (int)((minute - player->first_min) * 100 / (player->last_min - player->first_min)),
        player->scale);
    player->chart.now_hour = (int)(minute / 60);
    frame->len += demo_chart_draw(&player->chart, frame->text + frame->len, FRAME_CAP - frame->len);
    put_counters(frame, player);
}

/* Each line is cleared to its end before the next; then the cursor goes back up. */
static void show(struct demo_player *player, const struct frame *frame)
{
    static char out[2 * FRAME_CAP];
    size_t len = 0;
    int lines = 0;
    if (player->lines > 0) {
        len = (size_t)snprintf(out, sizeof(out), "\033[%dA", player->lines);
    }
    for (size_t i = 0; i < frame->len && len + 8 < sizeof(out); i++) {
        if (frame->text[i] == '\n') {
            memcpy(out + len, "\033[K", 3);
            len += 3;
            lines++;
        }
        out[len++] = frame->text[i];
    }
    player->lines = lines;
    (void)fwrite(out, 1, len, stdout);
    (void)fflush(stdout);
}

static void tell_hours(struct demo_player *player)
{
    int64_t now = demo_now_min(player);
    int until = now >= player->last_min ? player->chart.last_hour + 1 : (int)(now / 60);
    for (; player->told_hours < until && player->told_hours <= player->chart.last_hour;
         player->told_hours++) {
        char line[512];
        (void)demo_chart_line(&player->chart, player->told_hours, line, sizeof(line));
        (void)puts(line);
        (void)fflush(stdout);
    }
}

void demo_screen_turn(struct demo_player *player, bool whole)
{
    if (!player->tty) {
        tell_hours(player);
        return;
    }
    int64_t now_us = demo_elapsed_us();
    if (!whole && now_us < player->draw_due_us) {
        return;
    }
    static struct frame frame;
    player->draw_due_us = now_us + DRAW_EVERY_US;
    frame.len = 0;
    compose(&frame, player);
    show(player, &frame);
}

void demo_screen_end(struct demo_player *player)
{
    demo_screen_turn(player, true);
    if (player->tty) {
        (void)fputs("\033[?25h\n", stdout);
    }
    (void)fflush(stdout);
}
