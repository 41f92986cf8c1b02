/* player.c - time, and small things that all of the player's files use. */
#include "deploy/demo/player.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t demo_real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t demo_now_ms(const struct demo_player *player)
{
    return player->anchor_civil_ms + (demo_elapsed_us() - player->anchor_us) * player->scale / 1000;
}

int64_t demo_now_min(const struct demo_player *player)
{
    return (demo_now_ms(player) - player->midnight_ms) / DEMO_MINUTE_MS;
}

int64_t demo_at(const struct demo_player *player, int64_t minute)
{
    return player->midnight_ms + minute * DEMO_MINUTE_MS;
}

void demo_plan_act(struct demo_player *player, int64_t minute, enum demo_act_kind what, int who)
{
    int64_t jitter_ms = demo_dice_below(&player->dice, (int)DEMO_MINUTE_MS);
    int64_t at_ms = demo_at(player, minute) + jitter_ms, now_ms = demo_now_ms(player);
    demo_agenda_add(&player->agenda, at_ms > now_ms ? at_ms : now_ms, (int)what, who);
}

void demo_plate_masked(const char *plate, char *out, size_t cap)
{
    size_t len = strlen(plate), head = len > 5 ? 5 : len; /* province, region, first sign */
    (void)snprintf(out, cap, "%.*s***", (int)head, plate);
}

void demo_tell(struct demo_player *player, const char *format, ...)
{
    int64_t minute = demo_now_min(player);
    int head = snprintf(player->last, sizeof(player->last), "%02d:%02d  ", (int)(minute / 60 % 24),
                        (int)(minute % 60));
    va_list args;
    va_start(args, format);
    (void)vsnprintf(player->last + head, sizeof(player->last) - (size_t)head, format, args);
    va_end(args);
}
