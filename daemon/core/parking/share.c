/* share.c - owners open and recall their slots; the committee closes by order.
 *
 *   share     a new window                     its owner's household, the desk
 *   unshare   a window goes                    promises made in it are kept, the record says why
 *   recall    "I am home from 16:40"           only if every promise there can move elsewhere
 *   blackout  by order, of a slot or a zone    promises move, or are broken with compensation;
 *                                              a parked car stays
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

static struct window_state *window_add(struct step *step, struct tide_window row)
{
    struct engine *engine = step->engine;
    if (engine->windows.count == engine->windows.cap)
        return NULL;
    struct window_state *window =
        table_add(&engine->windows, step_new_id(step, TIDE_COUNTER_window));
    CHECK(window != NULL);
    row.id = window->row.id;
    window->row = row;
    window_attach(engine, window);
    step_put(step, TIDE_REC_window, &window->row);
    return window;
}

static void slot_resolve(struct engine *engine, struct slot_state *slot)
{
    int32_t first = windows_first_day(engine), last = windows_last_day(engine);
    if (first <= last)
        windows_resolve(engine, slot, first, last);
    zone_touch(engine, slot->row.zone);
}

/* The slot, if the speaker may dispose of it; else refused. */
static struct slot_state *slot_asked(struct step *step, tide_id id)
{
    struct slot_state *slot = slot_of(step->engine, id);
    if (slot == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return NULL;
    }
    tide_id place = zone_of(step->engine, slot->row.zone)->row.place;
    if (step_has_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee), place) ||
        (slot->row.owner != 0 && slot->row.owner == step->household))
        return slot;
    step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
    return NULL;
}

void share_take(struct step *step)
{
    const struct tide_share *ask = &step->event->as.share;
    struct slot_state *slot = slot_asked(step, ask->slot);
    if (slot == NULL)
        return;
    struct tide_window row = {.slot = ask->slot,
                              .zone = slot->row.zone,
                              .kind = ask->kind,
                              .days = ask->days,
                              .weekdays = ask->weekdays != 0 ? ask->weekdays : TIDE_WEEKDAYS_ALL,
                              .from_date = ask->from_date,
                              .until_date = ask->until_date,
                              .opens_min = ask->opens_min,
                              .closes_min = ask->closes_min,
                              .start_ms = ask->start_ms,
                              .end_ms = ask->end_ms,
                              .by = step->person};
    if (ask->kind == TIDE_WINDOW_KIND_weekly && row.days == 0)
        row.days = TIDE_DAYS_WORKDAY;
    bool opening = ask->kind == TIDE_WINDOW_KIND_weekly || ask->kind == TIDE_WINDOW_KIND_once;
    if (!opening || !window_is_sound(&row) ||
        (ask->kind == TIDE_WINDOW_KIND_once && ask->end_ms <= step->now_ms)) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    const struct window_state *window = window_add(step, row);
    if (window == NULL) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    slot_resolve(step->engine, slot);
    step_ok(step, window->row.id);
    step_item(step, TIDE_REC_window, &window->row);
}

void unshare_take(struct step *step)
{
    struct engine *engine = step->engine;
    struct window_state *window = window_of(engine, step->event->as.unshare.window);
    if (window == NULL || window->row.slot == 0) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    struct slot_state *slot = slot_asked(step, window->row.slot);
    if (slot == NULL)
        return;
    if (window->row.kind == TIDE_WINDOW_KIND_blackout &&
        !step_need_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee),
                        zone_of(engine, slot->row.zone)->row.place))
        return;
    uint32_t id = window->row.id;
    step_del(step, TIDE_REC_window, &window->row);
    window_detach(engine, window);
    table_remove(&engine->windows, window);
    slot_resolve(engine, slot);
    uint32_t kept = window_resettle_slot(step, slot, TIDE_WHY_withdrawn);
    step_reply(step, &(struct tide_reply){.id = id, .limit = kept});
}

/* ---- recall --------------------------------------------------------------------------------- */
#define MOVES_MAX 64

struct move { /* and what the booking was before it */
    struct tide_booking before;
    tide_id to;
};

/* The next booking of the slot that overlaps the span, after `after` (0: the first). */
static struct booking_state *overlapping(const struct engine *engine, const struct slot_state *slot,
                                         struct span span)
{
    for (uint32_t id = slot->bookings.first; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        struct span theirs = booking_span(&booking->row, 0);
        if (theirs.from < span.until && span.from < theirs.until)
            return booking;
        id = order_next(engine, booking, ORDER_OF_SLOT);
    }
    return NULL;
}

/* Moves every promise in the span elsewhere, or none: then *ret_blocking is the one in the way. */
static bool move_away(struct step *step, struct slot_state *slot, struct span span,
                      tide_id *ret_blocking)
{
    struct engine *engine = step->engine;
    struct move moves[MOVES_MAX];
    unsigned count = 0;
    struct booking_state *booking;
    size_t mark_len = step->effects->len;
    uint32_t mark_count = step->effects->count;
    while ((booking = overlapping(engine, slot, span)) != NULL) {
        tide_id to = 0;
        if (booking->row.state == TIDE_BOOKING_STATE_booked && count < MOVES_MAX)
            to = seat_find(engine, booking->row.zone, (enum tide_slot_class)booking->row.cls,
                           booking_span(&booking->row, step->now_ms), slot->row.id);
        if (to == 0)
            break;
        moves[count++] = (struct move){booking->row, to};
        booking_move(step, booking, to);
    }
    if (booking == NULL)
        return true;
    *ret_blocking = booking->row.id;
    while (count > 0) { /* back again: what is refused has not happened */
        const struct move *move = &moves[--count];
        struct booking_state *moved = booking_of(engine, move->before.id);
        booking_move(step, moved, move->before.slot);
        moved->row = move->before;
    }
    step->effects->len = mark_len;
    step->effects->count = mark_count;
    return false;
}

void recall_take(struct step *step)
{
    const struct tide_recall *ask = &step->event->as.recall;
    struct engine *engine = step->engine;
    struct slot_state *slot = slot_asked(step, ask->slot);
    tide_id blocking = 0;
    if (slot == NULL)
        return;
    struct tide_window row = {.slot = ask->slot,
                              .zone = slot->row.zone,
                              .kind = TIDE_WINDOW_KIND_recall,
                              .start_ms = ask->start_ms,
                              .end_ms = ask->end_ms,
                              .by = step->person};
    if (!window_is_sound(&row) || ask->end_ms <= step->now_ms) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    if (engine->windows.count == engine->windows.cap) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    struct span span = {grain_floor(ask->start_ms), grain_ceil(ask->end_ms),
                        grain_floor(step->now_ms)};
    if (!move_away(step, slot, span, &blocking)) {
        const struct tide_booking *other = &booking_of(engine, blocking)->row;
        trace(engine, "recall.refuse", blocking, other->start_ms, other->end_ms);
        step_reply(step, &(struct tide_reply){.code = TIDE_CODE_conflict,
                                              .why = TIDE_WHY_promised,
                                              .free_from_ms = other->end_ms,
                                              .free_until_ms = other->start_ms});
        return;
    }
    const struct window_state *window = window_add(step, row);
    slot_resolve(engine, slot);
    step_ok(step, window->row.id);
    step_item(step, TIDE_REC_window, &window->row);
}

/* ---- blackout ------------------------------------------------------------------------------- */
void blackout_take(struct step *step)
{
    const struct tide_blackout *ask = &step->event->as.blackout;
    struct engine *engine = step->engine;
    struct slot_state *only = slot_of(engine, ask->slot);
    tide_id zone_id = only != NULL ? only->row.zone : ask->zone;
    const struct zone_state *zone = zone_of(engine, zone_id);
    if (zone == NULL || (ask->slot != 0 && only == NULL)) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee), zone->row.place))
        return;
    struct tide_window row = {.slot = ask->slot,
                              .zone = zone_id,
                              .kind = TIDE_WINDOW_KIND_blackout,
                              .start_ms = ask->start_ms,
                              .end_ms = ask->end_ms,
                              .by = step->person};
    if (!window_is_sound(&row) || ask->end_ms <= step->now_ms) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
        return;
    }
    if (only == NULL && engine->setting[TIDE_SETTING_resettle_from] != 0) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_in_use); /* the last is still at work */
        return;
    }
    const struct window_state *window = window_add(step, row);
    if (window == NULL) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    tide_id id = window->row.id;
    if (only != NULL) {
        slot_resolve(engine, only);
        window_resettle_slot(step, only, TIDE_WHY_blackout);
    } else {
        windows_resolve_zone(engine, zone_id);
        windows_resettle(step, TIDE_WHY_blackout);
    }
    step_ok(step, id);
}
