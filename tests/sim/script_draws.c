/* script_draws.c - the lines of a story about draws: who holds one, who wishes, and what the daemon
 * does for it.
 *
 *     clerk draws A 05-21 08:00-17:00 until 10:00 -> ok
 *     daemon draws                                         seals with a secret, or solves
 *     h2 wishes P3 in A 05-21 09:00-12:00 -> ok
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/core/parking/draw_proof.h"
#include "tests/sim/script_state.h"

void script_draw_open(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    unsigned at = 3;
    while (at < s->count && strcmp(s->token[at], "until") != 0)
        at++;
    at++;
    script_span(s, 3, &start, &end);
    tide_ms until = script_time(s, &at);
    SEND(user, draw_open, .zone = script_id(s, NAME_ZONE, s->token[2]), .ask_from_ms = s->now_ms,
         .ask_until_ms = until, .start_ms = start, .end_ms = end);
    script_check_reply(s, NAME_BOOKING);
}

void script_draw_wish(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    script_span(s, 5, &start, &end);
    SEND(user, draw_ask, .plate = script_id(s, NAME_PLATE, s->token[2]),
         .zone = script_id(s, NAME_ZONE, s->token[4]), .start_ms = start, .end_ms = end,
         .nonce_1 = user, .nonce_2 = 7);
    script_check_reply(s, NAME_BOOKING);
}

static void own(struct script *s, struct engine_event *event)
{
    script_ticks(s);
    script_step(s, event);
    script_ticks(s);
}

static void secret_of(tide_id draw, uint8_t ret[32])
{
    memset(ret, (int)(draw + 1), 32);
}

static void seal(struct script *s, tide_id draw)
{
    struct engine_event event = {.kind = TIDE_REC_draw_seal};
    uint8_t secret[32], commit[32];
    secret_of(draw, secret);
    draw_commit_of(secret, commit);
    event.as.draw_seal.draw = draw;
    draw_hex_set(commit, &event.as.draw_seal.commit_1);
    own(s, &event);
}

static void solve(struct script *s, tide_id draw)
{
    struct draw_lot *lot = calloc(1, sizeof *lot);
    uint8_t *blob = malloc(TIDE_EVENT_BLOB_BYTES_MAX);
    struct draw_outcome outcome;
    struct engine_event event = {.kind = TIDE_REC_draw_result, .blob = blob};
    if (lot == NULL || blob == NULL)
        abort();
    if (engine_draw_lot(s->engine, draw, lot)) {
        secret_of(draw, lot->secret);
        size_t size = draw_decide_bytes(lot);
        void *memory = malloc(size);
        if (memory == NULL)
            abort();
        draw_decide(lot, memory, size, &outcome);
        free(memory);
        event.as.draw_result.draw = draw;
        event.as.draw_result.limit = outcome.limit;
        draw_hex_set(lot->secret, &event.as.draw_result.secret_1);
        event.blob_len = (uint32_t)draw_blob_write(lot, blob);
        own(s, &event);
    }
    free(lot);
    free(blob);
}

void script_draw_needs(struct script *s)
{
    tide_id draw = 0;
    enum engine_draw_need need;
    bool any = false;
    while (!s->failed &&
           (need = engine_draw_needs(s->engine, draw, &draw)) != ENGINE_DRAW_NOTHING) {
        any = true;
        if (need == ENGINE_DRAW_SECRET)
            seal(s, draw);
        else
            solve(s, draw);
    }
    if (!any)
        script_fail(s, "no draw needs anything");
}
