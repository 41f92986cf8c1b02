/* draw.c - all wishes for a time in a zone, decided together: the hours in which they are taken,
 * and what becomes of them.
 *
 *     20:00            20:15                                       tomorrow 07:00      19:00
 *       ├─ wishes taken ─┤ closed: root ─► solved ─► settled         ├── time given away ──┤
 *       ▲ sealed: commit                     │          └► bookings, one or the other a word
 *       └ daemon: secret                     └ off the loop, of a snapshot (draw_proof.h)
 *
 * A zone with policy draw holds one each evening for the next day; the committee may hold others
 * (draw_open), with a public source of chance named beforehand. Until a draw is over nobody books
 * in its time: who is fastest gains nothing. What it leaves is booked as ever.
 *
 * The solver worked on a snapshot; what it chose is promised by the rules of any booking
 * (booking_make), on the slot that was drawn or, if that has been lost since, on another. So a
 * result can be out of date, but never breaks a promise. A result whose secret is not the one that
 * was sealed makes the draw void, as does a time that begins undecided.
 */
#include "daemon/core/parking/draw.h"

#include <string.h>

#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/parking/draw_proof.h"
#include "daemon/core/parking/wait.h"

struct draw_state *draw_of(const struct engine *engine, tide_id id)
{
    return table_find(&engine->draws, id);
}

/* ---- which time is whose --------------------------------------------------------------------- */
static bool meets(tide_ms from_ms, tide_ms until_ms, struct span span)
{
    return from_ms < span.until * TIDE_GRAIN_MS && span.from * TIDE_GRAIN_MS < until_ms;
}

/* The live draw of a zone that gives away some of the span; by the lowest id. */
static struct draw_state *draw_meeting(const struct engine *engine, tide_id zone, struct span span)
{
    uint32_t cursor = 0;
    struct draw_state *draw, *found = NULL;
    while ((draw = table_next(&engine->draws, &cursor)) != NULL)
        if (draw->row.zone == zone && meets(draw->row.start_ms, draw->row.end_ms, span) &&
            (found == NULL || draw->row.id < found->row.id))
            found = draw;
    return found;
}

static tide_ms time_of(const struct engine *engine, int32_t date, int32_t minute)
{
    return calendar_day_start(engine, date) + minute * TIDE_MINUTE_MS;
}

bool draw_keeps(const struct engine *engine, tide_id zone, struct span span, tide_ms *ret_from_ms)
{
    const struct tide_zone *row = &zone_of(engine, zone)->row;
    const struct draw_state *draw =
        engine->draws.count > 0 ? draw_meeting(engine, zone, span) : NULL;
    if (draw != NULL) {
        *ret_from_ms = draw->row.ask_from_ms;
        return true;
    }
    if (row->policy != TIDE_ZONE_POLICY_draw)
        return false;
    int32_t first = calendar_date(engine, span.from * TIDE_GRAIN_MS);
    int32_t last = calendar_date(engine, span.until * TIDE_GRAIN_MS - 1);
    first = first > row->draw_next ? first : row->draw_next + 1; /* days before: drawn already */
    for (int32_t date = first; date <= last; date++)
        if (meets(time_of(engine, date, row->draw_from_min),
                  time_of(engine, date, row->draw_until_min), span)) {
            *ret_from_ms = time_of(engine, date - 1, row->draw_opens_min);
            return true;
        }
    return false;
}

/* ---- opening --------------------------------------------------------------------------------- */
void draw_due(struct engine *engine, struct draw_state *draw)
{
    const struct tide_draw *row = &draw->row;
    bool closed = row->state == TIDE_DRAW_STATE_closed;
    heap_set(&engine->heap, DUE_DRAW, row->id, &draw->due_position,
             closed ? row->start_ms : row->ask_until_ms); /* settling: at once */
}

static struct draw_state *draw_make(struct step *step, const struct tide_draw *row)
{
    struct draw_state *draw = table_add(&step->engine->draws, step_new_id(step, TIDE_COUNTER_draw));
    CHECK(draw != NULL);
    tide_id id = draw->row.id;
    draw->row = *row;
    draw->row.id = id;
    draw->row.state = TIDE_DRAW_STATE_announced;
    trace(step->engine, "draw.announced", id, row->zone, row->ask_until_ms);
    step_put(step, TIDE_REC_draw, &draw->row);
    draw_due(step->engine, draw);
    return draw;
}

bool draw_zone_is_sound(const struct tide_zone *row)
{
    if (row->risk_permille > TIDE_RISK_PERMILLE_MAX)
        return false;
    if (row->policy == TIDE_ZONE_POLICY_draw && row->risk_permille != 0)
        return false; /* what a draw gives away lies end to end */
    if (row->policy != TIDE_ZONE_POLICY_draw)
        return row->draw_opens_min == 0 && row->draw_closes_min == 0 && row->draw_from_min == 0 &&
               row->draw_until_min == 0;
    return row->draw_opens_min >= 0 && row->draw_opens_min < row->draw_closes_min &&
           row->draw_closes_min <= 1440 && row->draw_from_min >= 0 &&
           row->draw_from_min < row->draw_until_min && row->draw_until_min <= 1440 &&
           row->draw_from_min % TIDE_GRAIN_MIN == 0 && row->draw_until_min % TIDE_GRAIN_MIN == 0;
}

void draw_zone_due(struct engine *engine, struct zone_state *zone)
{
    const struct tide_zone *row = &zone->row;
    tide_ms due = row->policy == TIDE_ZONE_POLICY_draw
                      ? time_of(engine, row->draw_next, row->draw_opens_min)
                      : DUE_NEVER;
    heap_set(&engine->heap, DUE_ZONE_DRAW, row->id, &zone->due_position, due);
}

void draw_zone_put(struct step *step, const struct tide_zone *row)
{
    struct engine *engine = step->engine;
    struct zone_state *zone = zone_of(engine, row->id);
    int32_t next = calendar_date(engine, step->now_ms);
    if (zone == NULL)
        zone = table_add(&engine->zones, row->id);
    CHECK(zone != NULL);
    if (time_of(engine, next, row->draw_opens_min) <= step->now_ms)
        next++;
    if (zone->row.policy == TIDE_ZONE_POLICY_draw && zone->row.draw_next > next)
        next = zone->row.draw_next; /* today's was held */
    tide_id wait_from = zone->row.wait_from;
    tide_ms wait_look_ms = zone->row.wait_look_ms;
    zone->row = *row;
    zone->row.wait_from = wait_from;
    zone->row.wait_look_ms = wait_look_ms;
    zone->row.draw_next = row->policy == TIDE_ZONE_POLICY_draw ? next : 0;
    draw_zone_due(engine, zone);
    zone_touch(engine, row->id);
    waits_freed(engine, row->id);
    step_put(step, TIDE_REC_zone, &zone->row);
}

void draw_zone_fall_due(struct step *step, struct zone_state *zone)
{
    struct engine *engine = step->engine;
    struct tide_zone *row = &zone->row;
    int32_t date = row->draw_next++;
    struct tide_draw draw = {.zone = row->id,
                             .aim = row->draw_aim,
                             .ask_from_ms = time_of(engine, date, row->draw_opens_min),
                             .ask_until_ms = time_of(engine, date, row->draw_closes_min),
                             .start_ms = time_of(engine, date + 1, row->draw_from_min),
                             .end_ms = time_of(engine, date + 1, row->draw_until_min)};
    struct span span = {draw.start_ms / TIDE_GRAIN_MS, draw.end_ms / TIDE_GRAIN_MS, 0};
    /* Missed while nobody was there, or given away by the committee: booked as ever. */
    if (draw.ask_until_ms > step->now_ms && draw_meeting(engine, row->id, span) == NULL &&
        engine->draws.count < engine->draws.cap)
        draw_make(step, &draw);
    waits_freed(engine, row->id); /* where none was held */
    step_put(step, TIDE_REC_zone, row);
    draw_zone_due(engine, zone);
}

#define ROLES_DRAW (ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee))

static enum tide_why open_fault(const struct engine *engine, const struct tide_draw_open *ask,
                                tide_ms now_ms)
{
    tide_ms horizon_ms = calendar_day_start(engine, windows_last_day(engine) + 1);
    if (ask->ask_until_ms <= ask->ask_from_ms || ask->end_ms <= ask->start_ms)
        return TIDE_WHY_ends_before_start;
    if (ask->ask_until_ms <= now_ms || ask->start_ms < ask->ask_until_ms)
        return TIDE_WHY_in_the_past;
    return ask->end_ms > horizon_ms ? TIDE_WHY_beyond_horizon : TIDE_WHY_none;
}

void draw_open_take(struct step *step)
{
    const struct tide_draw_open *ask = &step->event->as.draw_open;
    struct engine *engine = step->engine;
    const struct zone_state *zone = zone_of(engine, ask->zone);
    struct span span = {grain_ceil(ask->start_ms), grain_floor(ask->end_ms), 0};
    if (zone == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_DRAW, zone->row.place))
        return;
    enum tide_why why = open_fault(engine, ask, step->now_ms);
    bool whole = (ask->source == TIDE_DRAW_SOURCE_none) == (ask->issue == 0);
    if (why != TIDE_WHY_none || !whole || span.from >= span.until) {
        step_refuse(step, TIDE_CODE_invalid, why);
        return;
    }
    if (draw_meeting(engine, ask->zone, span) != NULL) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use);
        return;
    }
    if (engine->draws.count == engine->draws.cap) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    const struct draw_state *draw =
        draw_make(step, &(struct tide_draw){.zone = ask->zone,
                                            .aim = ask->aim,
                                            .source = ask->source,
                                            .issue = ask->issue,
                                            .ask_from_ms = ask->ask_from_ms,
                                            .ask_until_ms = ask->ask_until_ms,
                                            .start_ms = span.from * TIDE_GRAIN_MS,
                                            .end_ms = span.until * TIDE_GRAIN_MS});
    step_ok(step, draw->row.id);
    step_item(step, TIDE_REC_draw, &draw->row);
}

void draw_seal_take(struct step *step)
{
    const struct tide_draw_seal *told = &step->event->as.draw_seal;
    struct draw_state *draw = draw_of(step->engine, told->draw);
    if (draw == NULL || draw->row.state != TIDE_DRAW_STATE_announced) {
        trace(step->engine, "draw.seal_late", told->draw, 0, 0);
        return;
    }
    memcpy(&draw->row.commit_1, &told->commit_1, 4 * sizeof told->commit_1);
    draw->row.state = TIDE_DRAW_STATE_open;
    trace(step->engine, "draw.open", told->draw, 0, 0);
    step_put(step, TIDE_REC_draw, &draw->row);
}

void draw_value_take(struct step *step)
{
    const struct tide_draw_value *ask = &step->event->as.draw_value;
    struct draw_state *draw = draw_of(step->engine, ask->draw);
    if (draw == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_DRAW, zone_of(step->engine, draw->row.zone)->row.place))
        return;
    bool early = draw->row.state < TIDE_DRAW_STATE_closed; /* it must not be known while one asks */
    bool waits = draw->row.source != TIDE_DRAW_SOURCE_none && draw->row.value == 0;
    if (ask->value <= 0)
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
    else if (early || !waits || draw->row.state != TIDE_DRAW_STATE_closed)
        step_refuse(step, TIDE_CODE_conflict, early ? TIDE_WHY_too_early : TIDE_WHY_in_use);
    else {
        draw->row.value = ask->value;
        step_put(step, TIDE_REC_draw, &draw->row);
        step_ok(step, ask->draw);
    }
}

/* ---- the snapshot ---------------------------------------------------------------------------- */
static bool lot_wishes(const struct engine *engine, const struct draw_state *draw,
                       struct draw_lot *lot)
{
    for (uint32_t id = draw->first_wish; id != 0;) {
        const struct wish_state *wish = wish_of(engine, id);
        CHECK(wish != NULL && lot->wish_count < TIDE_DRAW_WISHES_MAX);
        draw_lot_set(lot, lot->wish_count++, &wish->row);
        id = wish->next_of_draw;
    }
    return lot->wish_count > 0;
}

static void lot_spans(const struct engine *engine, const struct draw_state *draw,
                      struct draw_lot *lot)
{
    grain first = draw->row.start_ms / TIDE_GRAIN_MS, last = draw->row.end_ms / TIDE_GRAIN_MS;
    first = first > engine->known_from ? first : engine->known_from;
    last = last < engine->known_until ? last : engine->known_until;
    for (tide_id id = zone_of(engine, draw->row.zone)->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        for (grain at = first, until; at < last; at = until) {
            at = freemap_next_free(engine, slot, at, last);
            until = freemap_free_until(engine, slot, at, last);
            if (at >= last || lot->span_count == TIDE_DRAW_SPANS_MAX)
                break;
            lot->spans[lot->span_count++] =
                (struct draw_span){.pool = slot->row.cls,
                                   .from = (uint32_t)(at - lot->base_grain),
                                   .until = (uint32_t)(until - lot->base_grain),
                                   .slot = slot->row.id};
        }
    }
}

bool engine_draw_lot(const struct engine *engine, tide_id id, struct draw_lot *ret)
{
    const struct draw_state *draw = draw_of(engine, id);
    if (draw == NULL || draw->row.state != TIDE_DRAW_STATE_closed)
        return false;
    ret->draw = id;
    ret->aim = draw->row.aim;
    ret->source = draw->row.source;
    ret->value = draw->row.value;
    ret->base_grain = draw->row.start_ms / TIDE_GRAIN_MS;
    ret->span_count = ret->wish_count = 0;
    memset(ret->secret, 0, sizeof ret->secret);
    draw_hex_get(&draw->row.root_1, ret->root);
    lot_wishes(engine, draw, ret);
    lot_spans(engine, draw, ret);
    return true;
}

enum engine_draw_need engine_draw_needs(const struct engine *engine, tide_id after,
                                        tide_id *ret_draw)
{
    uint32_t cursor = 0;
    const struct draw_state *draw, *found = NULL;
    enum engine_draw_need need = ENGINE_DRAW_NOTHING;
    while ((draw = table_next(&engine->draws, &cursor)) != NULL) {
        const struct tide_draw *row = &draw->row;
        bool value = row->source == TIDE_DRAW_SOURCE_none || row->value != 0;
        bool secret = row->state == TIDE_DRAW_STATE_announced;
        bool solve = row->state == TIDE_DRAW_STATE_closed && value;
        if (row->id <= after || (found != NULL && row->id > found->row.id) || !(secret || solve))
            continue;
        found = draw;
        need = secret ? ENGINE_DRAW_SECRET : ENGINE_DRAW_SOLVED;
    }
    *ret_draw = found != NULL ? found->row.id : 0;
    return need;
}

/* ---- closing --------------------------------------------------------------------------------- */
static void settle_begin(struct step *step, struct draw_state *draw)
{
    draw->row.state = TIDE_DRAW_STATE_settling;
    step_put(step, TIDE_REC_draw, &draw->row);
    draw_due(step->engine, draw);
}

static void draw_close(struct step *step, struct draw_state *draw)
{
    struct draw_lot *lot = step->engine->draw_lot;
    uint8_t root[32];
    lot->draw = draw->row.id;
    lot->base_grain = draw->row.start_ms / TIDE_GRAIN_MS;
    lot->wish_count = 0;
    bool any = lot_wishes(step->engine, draw, lot);
    draw->row.wishes = lot->wish_count;
    trace(step->engine, "draw.closed", draw->row.id, draw->row.wishes, draw->row.state);
    if (!any || draw->row.state == TIDE_DRAW_STATE_announced) {
        settle_begin(step, draw); /* nothing to decide, or nobody bound himself */
        return;
    }
    draw_root(lot, root);
    draw_hex_set(root, &draw->row.root_1);
    draw->row.state = TIDE_DRAW_STATE_closed;
    step_put(step, TIDE_REC_draw, &draw->row);
    draw_due(step->engine, draw);
}

/* ---- the result ------------------------------------------------------------------------------ */
static bool span_is_sound(const struct engine *engine, const struct tide_draw *row,
                          struct draw_span span)
{
    const struct slot_state *slot = slot_of(engine, span.slot);
    grain length = (row->end_ms - row->start_ms) / TIDE_GRAIN_MS;
    return slot != NULL && slot->row.zone == row->zone && span.from < span.until &&
           span.until <= length;
}

/* The secret is the one that was sealed, and every number in the blob means something. */
static bool result_is_sound(const struct engine *engine, const struct draw_state *draw,
                            const struct tide_draw_result *told, const struct draw_blob *blob)
{
    uint8_t secret[32], commit[32], sealed[32];
    uint32_t wish_id, span;
    draw_hex_get(&told->secret_1, secret);
    draw_hex_get(&draw->row.commit_1, sealed);
    draw_commit_of(secret, commit);
    if (memcmp(commit, sealed, sizeof commit) != 0)
        return false;
    for (uint32_t i = 0; i < blob->span_count; i++)
        if (!span_is_sound(engine, &draw->row, draw_blob_span(blob, i)))
            return false;
    for (uint32_t i = 0; i < blob->chosen_count; i++) {
        draw_blob_chosen(blob, i, &wish_id, &span);
        if (span == 0 || span > blob->span_count)
            return false;
    }
    return true;
}

static void result_write(struct step *step, struct draw_state *draw, const struct draw_blob *blob)
{
    struct engine *engine = step->engine;
    for (uint32_t i = 0; i < blob->span_count; i++) {
        struct draw_span span = draw_blob_span(blob, i);
        step_put(
            step, TIDE_REC_draw_span,
            &(struct tide_draw_span){.id = step_new_id(step, TIDE_COUNTER_draw_span),
                                     .draw = draw->row.id,
                                     .number = i + 1,
                                     .cls = slot_of(engine, span.slot)->row.cls,
                                     .start_ms = draw->row.start_ms + span.from * TIDE_GRAIN_MS,
                                     .end_ms = draw->row.start_ms + span.until * TIDE_GRAIN_MS});
    }
    for (uint32_t i = 0; i < blob->chosen_count; i++) {
        uint32_t id, span;
        draw_blob_chosen(blob, i, &id, &span);
        struct wish_state *wish = wish_of(engine, id);
        if (wish == NULL || wish->row.draw != draw->row.id || wish->row.span != 0)
            continue; /* forgotten since */
        wish->row.span = span;
        wish->row.slot = draw_blob_span(blob, span - 1).slot;
        step_put(step, TIDE_REC_wish, &wish->row);
    }
    draw->row.spans = blob->span_count;
    draw->row.chosen = blob->chosen_count;
}

void draw_result_take(struct step *step)
{
    const struct tide_draw_result *told = &step->event->as.draw_result;
    struct draw_state *draw = draw_of(step->engine, told->draw);
    struct draw_blob blob;
    if (draw == NULL || draw->row.state != TIDE_DRAW_STATE_closed) {
        trace(step->engine, "draw.result_late", told->draw, 0, 0);
        return;
    }
    if (draw_blob_open(step->event->blob, step->event->blob_len, &blob) &&
        result_is_sound(step->engine, draw, told, &blob)) {
        memcpy(&draw->row.secret_1, &told->secret_1, 4 * sizeof told->secret_1);
        draw->row.limit = told->limit;
        result_write(step, draw, &blob);
        trace(step->engine, "draw.result", told->draw, draw->row.chosen, draw->row.limit);
    } else {
        trace(step->engine, "draw.result_void", told->draw, step->event->blob_len, 0);
    }
    settle_begin(step, draw);
}

/* ---- settling -------------------------------------------------------------------------------- */
static bool is_decided(const struct tide_draw *row)
{
    return (row->secret_1 | row->secret_2 | row->secret_3 | row->secret_4) != 0 || row->wishes == 0;
}

static void wish_promise(struct step *step, struct wish_state *wish)
{
    const struct tide_wish *row = &wish->row;
    struct tide_reply reply = {0};
    struct booking_wish want = {.plate = row->plate,
                                .zone = row->zone,
                                .household = row->household,
                                .person = row->person,
                                .cls = (enum tide_slot_class)row->cls,
                                .via = (enum tide_via)row->via,
                                .visitor = row->visitor,
                                .start_ms = row->start_ms,
                                .end_ms = row->end_ms,
                                .by = row->by,
                                .drawn_slot = row->slot};
    const struct booking_state *booking = booking_make(step, &want, &reply);
    wish->row.booking = booking != NULL ? booking->row.id : 0;
    wish_end(step, wish, booking != NULL ? TIDE_WISH_STATE_won : TIDE_WISH_STATE_lost,
             (enum tide_why)reply.why);
}

static void settle_some(struct step *step, struct draw_state *draw)
{
    struct engine *engine = step->engine;
    bool decided = is_decided(&draw->row);
    for (unsigned n = 0; n < TIDE_DRAW_SETTLED_A_STEP && draw->first_wish != 0; n++) {
        struct wish_state *wish = wish_of(engine, draw->first_wish);
        CHECK(wish != NULL);
        if (wish->row.span != 0)
            wish_promise(step, wish);
        else
            wish_end(step, wish, TIDE_WISH_STATE_lost,
                     decided ? TIDE_WHY_not_drawn : TIDE_WHY_draw_void);
    }
    if (draw->first_wish != 0)
        return; /* still due */
    draw->row.state = decided ? TIDE_DRAW_STATE_decided : TIDE_DRAW_STATE_void;
    trace(engine, "draw.over", draw->row.id, draw->row.state, draw->row.chosen);
    waits_freed(engine, draw->row.zone);
    step_put(step, TIDE_REC_draw, &draw->row);
    heap_set(&engine->heap, DUE_DRAW, draw->row.id, &draw->due_position, DUE_NEVER);
    table_remove(&engine->draws, draw);
}

void draw_fall_due(struct step *step, struct draw_state *draw)
{
    CHECK(draw != NULL);
    switch ((enum tide_draw_state)draw->row.state) {
    case TIDE_DRAW_STATE_announced:
    case TIDE_DRAW_STATE_open:
        draw_close(step, draw);
        break;
    case TIDE_DRAW_STATE_closed:
        trace(step->engine, "draw.too_late", draw->row.id, draw->row.start_ms, 0);
        settle_begin(step, draw); /* without a secret: void */
        break;
    default:
        CHECK(draw->row.state == TIDE_DRAW_STATE_settling);
        settle_some(step, draw);
    }
}
