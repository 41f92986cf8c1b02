/* promote.c - who comes next when a place comes free: whoever asked first, among those for whom it
 * fits.
 *
 *   cancelled, no-show, left early, ─┐
 *   shortened, moved, a window more, │    zone: look now, from the first who waits
 *   a draw over, a car gone ─────────┘              │
 *   and each quarter of an hour ────────────────────┤
 *                                                   ▼
 *     1 ── 2 ── 3 ── 4 ── 5   by id               fits? ── no ──► he goes on waiting
 *               ▲ wait_from: so far; the             │
 *                 next tick goes on                  ▼
 *                              a booking like any other (booking_make, moves that make room
 *                              included), offered until confirm_by_ms
 *                                   │               │              │
 *                              confirmed,      not in time:     taken back
 *                              or arrived      cancelled, the      │
 *                                   │          place goes on       │
 *                                 taken           passed       withdrawn
 *
 * First come, first served is right here, and is not at eight in the morning: who waits has asked
 * at a time of his own, everybody is told his position, and being faster by a second gains nothing.
 * Who wants what does not fit holds up nobody behind him.
 *
 * That something came free is a row (wait_look_ms, wait_from of the zone) and nothing else, so a
 * daemon that starts again goes on where it was. It is due at once, and deadlines run before the
 * next event: nobody books a place away from those who wait. A step looks at a bounded number, and
 * at few by searching for moves that make room; that is not tried where at some moment of the time
 * no place is free at all, because moves make none.
 *
 * A wish whose start has passed goes on for what is left of it, as long as that is half an hour (or
 * all of it, where it was less).
 */
#include "daemon/core/notice.h"
#include "daemon/core/parking/wait.h"

#define LOOK_MS (TIDE_WAIT_LOOK_MIN * TIDE_MINUTE_MS)

/* ---- when it is looked ----------------------------------------------------------------------- */
void waits_freed(struct engine *engine, tide_id zone)
{
    struct zone_state *state = zone_of(engine, zone);
    if (state == NULL || state->first_waiting == 0 || state->freed)
        return;
    state->freed = 1;
    engine->freed_zones++;
}

bool waits_are_freed(const struct engine *engine, tide_id zone)
{
    const struct zone_state *state = zone_of(engine, zone);
    return state != NULL && state->freed;
}

void waits_unfreed(struct engine *engine, tide_id zone)
{
    struct zone_state *state = zone_of(engine, zone);
    if (state == NULL || !state->freed)
        return;
    state->freed = 0;
    engine->freed_zones--;
}

void waits_due(struct engine *engine, struct zone_state *zone)
{
    tide_ms due = zone->row.wait_look_ms != 0 ? zone->row.wait_look_ms : DUE_NEVER;
    heap_set(&engine->heap, DUE_WAITS, zone->row.id, &zone->waits_position, due);
}

static void look_now(struct step *step, struct zone_state *zone)
{
    struct tide_zone *row = &zone->row;
    if (row->wait_from == 0 && row->wait_look_ms != 0 && row->wait_look_ms <= step->now_ms)
        return; /* it is due already, from the first */
    row->wait_from = 0;
    row->wait_look_ms = step->now_ms;
    trace(step->engine, "wait.freed", row->id, zone->first_waiting, 0);
    step_put(step, TIDE_REC_zone, row);
    waits_due(step->engine, zone);
}

void waits_mark(struct step *step)
{
    struct engine *engine = step->engine;
    uint32_t cursor = 0;
    struct zone_state *zone;
    while (engine->freed_zones > 0 && (zone = table_next(&engine->zones, &cursor)) != NULL) {
        if (!zone->freed)
            continue;
        zone->freed = 0;
        engine->freed_zones--;
        if (!step->refused && zone->first_waiting != 0) /* what is refused has freed nothing */
            look_now(step, zone);
    }
}

/* ---- whom it serves -------------------------------------------------------------------------- */
/* So many grains have to be left. */
static grain least_left(const struct tide_waiting *row)
{
    grain whole = (row->end_ms - row->start_ms) / TIDE_GRAIN_MS;
    return whole < TIDE_WAIT_GRAINS_MIN ? whole : TIDE_WAIT_GRAINS_MIN;
}

/* At each moment of the span some place is free: else no moves make room for it. */
static bool is_free_throughout(const struct engine *engine, const struct booking_wish *want,
                               struct span span)
{
    for (grain at = span.from, next; at < span.until; at = next) {
        next = seats_carry(engine, want->zone, want->cls, (struct span){at, span.until, span.now});
        if (next == at)
            return false;
    }
    return true;
}

static void tell_offered(struct step *step, const struct tide_waiting *row,
                         const struct tide_booking *booking)
{
    struct tide_notice what = {.kind = TIDE_NOTICE_KIND_wait_offered,
                               .booking = booking->id,
                               .plate = row->plate,
                               .zone = row->zone,
                               .start_ms = booking->start_ms,
                               .end_ms = booking->end_ms,
                               .until_ms = row->confirm_by_ms};
    notice_one(step, row->person, row->household, what);
}

static void offer(struct step *step, struct waiting_state *waiting,
                  const struct tide_booking *booking)
{
    struct tide_waiting *row = &waiting->row;
    tide_ms patience_ms = step->engine->setting[TIDE_SETTING_wait_confirm_min] * TIDE_MINUTE_MS;
    tide_ms by_ms = step->now_ms + patience_ms;
    CHECK(booking->no_show_ms > step->now_ms);
    row->state = TIDE_WAITING_STATE_offered;
    row->booking = booking->id;
    row->confirm_by_ms = by_ms < booking->no_show_ms ? by_ms : booking->no_show_ms;
    trace(step->engine, "wait.offered", row->id, booking->id, row->confirm_by_ms);
    step_put(step, TIDE_REC_waiting, row);
    waiting_due(step->engine, waiting);
    tell_offered(step, row, booking);
}

/* Offers him a place if there is one for him. False when that takes a search for moves and this
 * step has made one: then he was not looked at, and is the first in the next. */
static bool look_at(struct step *step, struct waiting_state *waiting)
{
    const struct engine *engine = step->engine;
    struct booking_wish want = waiting_wish(&waiting->row);
    grain now = grain_floor(step->now_ms);
    struct tide_reply reply;
    if (want.start_ms < now * TIDE_GRAIN_MS)
        want.start_ms = now * TIDE_GRAIN_MS;
    struct span span = wish_span(&want, step->now_ms);
    if (waiting->row.state != TIDE_WAITING_STATE_waiting ||
        span.until - span.from < least_left(&waiting->row) || !booking_allowed(step, &want))
        return true;
    bool direct = booking_could(step, &want);
    struct span hold = lateness_hold(engine, want.zone, span);
    if (!direct && !is_free_throughout(engine, &want, hold))
        return true;
    if (!direct && step->reseat_spent > 0)
        return false;
    const struct booking_state *booking = booking_make(step, &want, &reply);
    if (booking != NULL)
        offer(step, waiting, &booking->row);
    return true;
}

void waits_fall_due(struct step *step, struct zone_state *zone)
{
    struct engine *engine = step->engine;
    struct tide_zone *row = &zone->row;
    unsigned looked = 0;
    tide_id id = zone->first_waiting;
    if (zone->freed) { /* in this very step: the first may be served by it */
        zone->freed = 0;
        engine->freed_zones--;
        row->wait_from = 0;
    }
    while (id != 0 && id < row->wait_from)
        id = waiting_of(engine, id)->next_in_zone;
    for (; id != 0 && looked < TIDE_WAIT_LOOKED_A_STEP; looked++) {
        struct waiting_state *waiting = waiting_of(engine, id);
        if (!look_at(step, waiting))
            break;
        id = waiting->next_in_zone;
    }
    trace(engine, "wait.looked", row->id, looked, id);
    row->wait_from = id;
    if (id == 0) /* all were looked at */
        row->wait_look_ms = zone->first_waiting != 0 ? (step->now_ms / LOOK_MS + 1) * LOOK_MS : 0;
    step_put(step, TIDE_REC_zone, row);
    waits_due(engine, zone);
}

/* ---- when it is over ------------------------------------------------------------------------- */
void waiting_due(struct engine *engine, struct waiting_state *waiting)
{
    const struct tide_waiting *row = &waiting->row;
    tide_ms due = row->end_ms - (least_left(row) - 1) * TIDE_GRAIN_MS;
    if (row->state == TIDE_WAITING_STATE_offered)
        due = row->confirm_by_ms;
    heap_set(&engine->heap, DUE_WAITING, row->id, &waiting->due_position, due);
}

void waiting_fall_due(struct step *step, struct waiting_state *waiting)
{
    if (waiting->row.state == TIDE_WAITING_STATE_waiting) {
        waiting_end(step, waiting, TIDE_WAITING_STATE_over, TIDE_WHY_none);
        return;
    }
    struct booking_state *booking = booking_of(step->engine, waiting->row.booking);
    CHECK(booking != NULL && booking->row.waiting == waiting->row.id);
    trace(step->engine, "wait.lapsed", waiting->row.id, booking->row.id,
          waiting->row.confirm_by_ms);
    booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_not_confirmed);
}
