/* share.c - owners open and recall their slots; the committee closes by order.
 *
 *   share     a new window                     its owner's household, the desk
 *   unshare   a window goes                    promises made in it are kept, the record says why
 *   recall    "I am home from 16:40"           the cheapest that works: nobody is in the way; who
 *                                              is has not arrived, and moves; he takes another
 *                                              slot in exchange, offered; no, and from when on
 *   blackout  by order, of a slot or a zone    promises move, or are broken with compensation;
 *                                              a parked car stays
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/wait.h"

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
/* What it would take: the bookings in the way move, all of them, or none. */
struct plan {
    struct reseat_log moved;
    size_t mark_len; /* of the effects, before it */
    uint32_t mark_count;
    tide_id stays;                   /* the first that cannot be moved; 0: all can */
    tide_ms stays_from, stays_until; /* of all that cannot */
    tide_id zone;
    bool freed; /* something had come free there before it */
};

static bool move_one(struct step *step, struct booking_state *booking, struct plan *plan)
{
    const struct tide_booking *row = &booking->row;
    if (row->state != TIDE_BOOKING_STATE_booked || row->substitute_for != 0 ||
        plan->moved.count == RESEAT_LOG_MAX)
        return false; /* who is there, or was named his slot, stays */
    tide_id to = seat_elsewhere(step, row, &plan->moved);
    if (to == 0 || !reseat_log_add(&plan->moved, row))
        return false;
    booking_move(step, booking, to);
    return true;
}

/* Moves who is in the way of the span; true when that were all. */
static bool plan_make(struct step *step, const struct slot_state *slot, struct span span,
                      struct plan *plan)
{
    struct engine *engine = step->engine;
    *plan = (struct plan){.mark_len = step->effects->len,
                          .mark_count = step->effects->count,
                          .zone = slot->row.zone,
                          .freed = waits_are_freed(engine, slot->row.zone)};
    for (uint32_t id = slot->bookings.first; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        struct span theirs = booking_span(row, 0);
        id = order_next(engine, booking, ORDER_OF_SLOT);
        if (theirs.from >= span.until || span.from >= theirs.until || move_one(step, booking, plan))
            continue;
        if (plan->stays == 0) {
            plan->stays = row->id;
            plan->stays_from = row->start_ms;
        }
        plan->stays_until = row->end_ms;
    }
    return plan->stays == 0;
}

static void plan_undo(struct step *step, const struct plan *plan)
{
    reseat_undo(step->engine, &plan->moved);
    if (!plan->freed)
        waits_unfreed(step->engine, plan->zone);
    step->effects->len = plan->mark_len;
    step->effects->count = plan->mark_count;
}

/* A seat for the owner in this zone goes into the reply. */
static bool swap_item(struct step *step, const struct slot_state *slot, struct zone_near near,
                      struct span span)
{
    tide_id seat = substitute_seat(step->engine, slot, near.zone, span);
    if (seat == 0)
        return false;
    step_item(step, TIDE_REC_swap,
              &(struct tide_swap){.slot = seat,
                                  .zone = near.zone,
                                  .start_ms = span.from * TIDE_GRAIN_MS,
                                  .end_ms = span.until * TIDE_GRAIN_MS,
                                  .minutes = swap_minutes(step->engine),
                                  .walk_m = (uint16_t)near.walk_m});
    return true;
}

static bool swap_could(const struct engine *engine, const struct slot_state *slot, struct span span)
{
    return slot->row.owner != 0 &&
           (span.until - span.from) * TIDE_GRAIN_MIN <=
               engine->setting[TIDE_SETTING_stay_max_min] &&
           substitute_of(engine, slot) == NULL && substitute_could(engine, slot, span);
}

static void recall_refuse(struct step *step, const struct slot_state *slot, struct span span,
                          const struct plan *plan)
{
    const struct engine *engine = step->engine;
    struct zone_near near[TIDE_OFFER_ZONES_MAX];
    struct tide_reply reply = {.code = TIDE_CODE_conflict,
                               .why = TIDE_WHY_promised,
                               .free_from_ms = plan->stays_until,
                               .free_until_ms = plan->stays_from};
    struct span rest = {grain_ceil(plan->stays_until), span.until, span.now};
    struct plan later = {0};
    trace(engine, "recall.refuse", plan->stays, plan->stays_from, plan->stays_until);
    if (rest.from < rest.until) { /* what is said would work */
        if (!plan_make(step, slot, rest, &later))
            reply.free_from_ms = later.stays_until;
        plan_undo(step, &later);
    }
    step_reply(step, &reply);
    if (!swap_could(engine, slot, span))
        return;
    unsigned count = zones_near(engine, slot->row.zone, near);
    unsigned made = swap_item(step, slot, (struct zone_near){slot->row.zone, 0}, span);
    for (unsigned i = 0; i < count && made < TIDE_OFFERS_ELSEWHERE_MAX; i++)
        made += swap_item(step, slot, near[i], span);
}

/* True when the slot would do for the owner: near by, and free for the span. */
static bool swap_fits(const struct engine *engine, const struct slot_state *slot,
                      const struct slot_state *other, struct span span)
{
    struct zone_near near[TIDE_OFFER_ZONES_MAX];
    tide_ms from_ms;
    if (other == NULL || other == slot || !swap_could(engine, slot, span) ||
        (other->row.cls != slot->row.cls && other->row.cls != TIDE_SLOT_CLASS_standard) ||
        draw_keeps(engine, other->row.zone, span, &from_ms) ||
        !freemap_is_free(engine, other, span.from, span.until) ||
        (span.from <= span.now && spot_taken_by_other(engine, other, 0)) ||
        (span.from <= span.now + TIDE_OVERRUN_AHEAD_MIN / TIDE_GRAIN_MIN &&
         slot_is_blocked(engine, other)))
        return false;
    bool found = other->row.zone == slot->row.zone;
    unsigned count = zones_near(engine, slot->row.zone, near);
    for (unsigned i = 0; i < count && !found; i++)
        found = near[i].zone == other->row.zone;
    return found;
}

/* He leaves his slot to those it is promised to, and has another. */
static bool swap_take(struct step *step, const struct slot_state *slot, struct span span)
{
    const struct tide_recall *ask = &step->event->as.recall;
    if (ask->swap == 0 || ask->plan ||
        !swap_fits(step->engine, slot, slot_of(step->engine, ask->swap), span))
        return false;
    const struct booking_state *booking =
        substitute_hold(step, slot, ask->swap, span, TIDE_WHY_recall, 0);
    if (booking == NULL)
        return false;
    step_ok(step, booking->row.id);
    booking_item(step, &booking->row);
    return true;
}

static void recall_carry_out(struct step *step, struct slot_state *slot, struct tide_window row,
                             const struct plan *plan)
{
    const struct window_state *window = window_add(step, row);
    slot_resolve(step->engine, slot);
    for (unsigned i = 0; i < plan->moved.count; i++)
        booking_disturb(step, booking_of(step->engine, plan->moved.before[i].booking),
                        TIDE_WHY_recall);
    step_reply(step,
               &(struct tide_reply){.id = window->row.id, .limit = (int64_t)plan->moved.count});
    step_item(step, TIDE_REC_window, &window->row);
}

void recall_take(struct step *step)
{
    const struct tide_recall *ask = &step->event->as.recall;
    struct engine *engine = step->engine;
    struct slot_state *slot = slot_asked(step, ask->slot);
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
    struct plan plan;
    if (plan_make(step, slot, span, &plan) && !ask->plan) {
        recall_carry_out(step, slot, row, &plan);
        return;
    }
    plan_undo(step, &plan);
    if (plan.stays == 0) {
        step_reply(step, &(struct tide_reply){.limit = (int64_t)plan.moved.count});
        return;
    }
    span.from = span.from > span.now ? span.from : span.now;
    if (!swap_take(step, slot, span))
        recall_refuse(step, slot, span, &plan);
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
