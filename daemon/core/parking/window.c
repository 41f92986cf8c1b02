/* window.c - supply: an owner's rules become open bits over the rolling horizon.
 *
 *   rules of a slot (by id)             resolved, one civil day after another
 *     weekly  workday 08:00-17:30   ──►   ░░▓▓▓▓▓▓░░   may run past midnight into the next day
 *     once    2019-05-21 18:00-…    ──►   ░░▓▓▓▓▓▓▓▓
 *     recall, blackout              ──►   ░░▓▓░░▓▓▓▓   closers win over openers
 *
 * Starts are rounded up and ends down to the grain: what is promised is really open.
 */
#include "daemon/core/calendar.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/wait.h"

int32_t windows_first_day(const struct engine *engine)
{
    return calendar_date(engine, engine->now_ms) - 1;
}

int32_t windows_last_day(const struct engine *engine)
{
    return (int32_t)engine->setting[TIDE_SETTING_rolled_date];
}

static bool opens(const struct tide_window *window)
{
    return window->kind == TIDE_WINDOW_KIND_weekly || window->kind == TIDE_WINDOW_KIND_once;
}

/* What a kind of window does not use must be a number of its field all the same: a row that could
 * not be loaded again is never made. */
static bool fields_fit(const struct tide_window *w)
{
    return w->days <= 15 && w->weekdays <= TIDE_WEEKDAYS_ALL && w->from_date >= 0 &&
           w->from_date <= TIDE_DATE_MAX && w->until_date >= 0 && w->until_date <= TIDE_DATE_MAX &&
           w->opens_min >= 0 && w->opens_min <= 2880 && w->closes_min >= 0 &&
           w->closes_min <= 2880 && w->start_ms >= 0 && w->start_ms <= TIDE_TIME_MAX &&
           w->end_ms >= 0 && w->end_ms <= TIDE_TIME_MAX;
}

bool window_is_sound(const struct tide_window *w)
{
    if (!fields_fit(w))
        return false;
    if (w->slot == 0 && (w->kind != TIDE_WINDOW_KIND_blackout || w->zone == 0))
        return false;
    if (w->kind != TIDE_WINDOW_KIND_weekly)
        return w->start_ms > 0 && w->end_ms > w->start_ms && w->end_ms <= TIDE_TIME_MAX;
    return w->days != 0 && w->days <= 15 && w->weekdays != 0 && w->weekdays <= TIDE_WEEKDAYS_ALL &&
           w->opens_min >= 0 && w->opens_min < 1440 && w->closes_min > w->opens_min &&
           w->closes_min <= 2880 && w->closes_min - w->opens_min <= 1440 &&
           (w->until_date == 0 || w->until_date >= w->from_date);
}

/* ---- lists ---------------------------------------------------------------------------------- */
static uint32_t *list_of(struct engine *engine, const struct tide_window *window)
{
    if (window->slot != 0) {
        struct slot_state *slot = slot_of(engine, window->slot);
        CHECK(slot != NULL);
        return &slot->first_window;
    }
    struct zone_state *zone = zone_of(engine, window->zone);
    CHECK(zone != NULL);
    return &zone->first_blackout;
}

void window_attach(struct engine *engine, struct window_state *window)
{
    uint32_t *link = list_of(engine, &window->row);
    while (*link != 0 && *link < window->row.id)
        link = &window_of(engine, *link)->next;
    window->next = *link;
    *link = window->row.id;
}

void window_detach(struct engine *engine, struct window_state *window)
{
    uint32_t *link = list_of(engine, &window->row);
    while (*link != window->row.id) {
        CHECK(*link != 0);
        link = &window_of(engine, *link)->next;
    }
    *link = window->next;
    window->next = 0;
}

/* ---- resolving ------------------------------------------------------------------------------ */
struct bounds { /* the span that is being resolved */
    grain from, until;
};

static struct bounds clip(struct bounds bounds, tide_ms start_ms, tide_ms end_ms)
{
    grain from = grain_ceil(start_ms), until = grain_floor(end_ms);
    return (struct bounds){.from = from > bounds.from ? from : bounds.from,
                           .until = until < bounds.until ? until : bounds.until};
}

static void open_weekly(struct engine *engine, struct slot_state *slot, const struct tide_window *w,
                        int32_t date, struct bounds bounds)
{
    if (date < w->from_date || (w->until_date != 0 && date > w->until_date) ||
        !calendar_matches(engine, date, w->days, w->weekdays))
        return;
    tide_ms day = calendar_day_start(engine, date);
    struct bounds part =
        clip(bounds, day + w->opens_min * TIDE_MINUTE_MS, day + w->closes_min * TIDE_MINUTE_MS);
    freemap_set(engine, slot->open, part.from, part.until);
}

static void apply_list(struct engine *engine, struct slot_state *slot, uint32_t first,
                       struct bounds bounds, bool openers, int32_t from, int32_t until)
{
    for (uint32_t id = first; id != 0;) {
        const struct window_state *window = window_of(engine, id);
        const struct tide_window *w = &window->row;
        id = window->next;
        if (opens(w) != openers)
            continue;
        if (w->kind == TIDE_WINDOW_KIND_weekly) {
            for (int32_t date = from - 1; date <= until; date++)
                open_weekly(engine, slot, w, date, bounds);
            continue;
        }
        struct bounds part = openers
                                 ? clip(bounds, w->start_ms, w->end_ms)
                                 : (struct bounds){grain_floor(w->start_ms), grain_ceil(w->end_ms)};
        if (!openers) {
            part.from = part.from > bounds.from ? part.from : bounds.from;
            part.until = part.until < bounds.until ? part.until : bounds.until;
        }
        if (openers)
            freemap_set(engine, slot->open, part.from, part.until);
        else
            freemap_clear(engine, slot->open, part.from, part.until);
    }
}

void windows_resolve(struct engine *engine, struct slot_state *slot, int32_t from, int32_t until)
{
    const struct zone_state *zone = zone_of(engine, slot->row.zone);
    CHECK(zone != NULL && from <= until);
    struct bounds bounds = {grain_floor(calendar_day_start(engine, from)),
                            grain_floor(calendar_day_start(engine, until + 1))};
    const struct bounds all = bounds;
    freemap_clear(engine, slot->open, all.from, all.until);
    if (slot->row.lent_until != 0) { /* an agreement that ends */
        grain end = grain_floor(calendar_day_start(engine, slot->row.lent_until + 1));
        bounds.until = end < bounds.until ? end : bounds.until;
    }
    apply_list(engine, slot, slot->first_window, bounds, true, from, until);
    apply_list(engine, slot, slot->first_window, bounds, false, from, until);
    apply_list(engine, slot, zone->first_blackout, bounds, false, from, until);
    freemap_publish(engine, slot, all.from, all.until);
    waits_freed(engine, zone->row.id);
}

void windows_resolve_zone(struct engine *engine, tide_id zone)
{
    const struct zone_state *state = zone_of(engine, zone);
    int32_t first = windows_first_day(engine), last = windows_last_day(engine);
    for (uint32_t id = state->first_slot; id != 0 && first <= last;) {
        struct slot_state *slot = slot_of(engine, id);
        windows_resolve(engine, slot, first, last);
        id = slot->next_in_zone;
    }
    zone_touch(engine, zone);
}

void windows_resolve_all(struct engine *engine)
{
    uint32_t cursor = 0;
    const struct zone_state *zone;
    while ((zone = table_next(&engine->zones, &cursor)) != NULL)
        windows_resolve_zone(engine, zone->row.id);
}

/* ---- the horizon moves on ------------------------------------------------------------------- */
void windows_roll_due(struct engine *engine)
{
    int32_t next =
        windows_last_day(engine) - (int32_t)engine->setting[TIDE_SETTING_horizon_days] + 1;
    heap_set(&engine->heap, DUE_DAY, 0, &engine->day_due_position,
             windows_last_day(engine) == 0 ? DUE_NEVER : calendar_day_start(engine, next));
}

void windows_roll(struct step *step)
{
    struct engine *engine = step->engine;
    int32_t today = calendar_date(engine, step->now_ms);
    int32_t last = today + (int32_t)engine->setting[TIDE_SETTING_horizon_days];
    int32_t from = windows_last_day(engine) + 1;
    if (last - from >= (int32_t)engine->ring_days) /* away for long: all days are new */
        from = last - (int32_t)engine->setting[TIDE_SETTING_horizon_days];
    CHECK(from <= last);
    step_setting(step, TIDE_SETTING_rolled_date, last);
    freemap_horizon(engine);
    uint32_t cursor = 0;
    struct slot_state *slot;
    while ((slot = table_next(&engine->slots, &cursor)) != NULL) {
        freemap_clear(engine, slot->busy, grain_floor(calendar_day_start(engine, from)),
                      grain_floor(calendar_day_start(engine, last + 1)));
        windows_resolve(engine, slot, from, last);
    }
    cursor = 0;
    const struct zone_state *zone;
    while ((zone = table_next(&engine->zones, &cursor)) != NULL)
        zone_touch(engine, zone->row.id);
    forecast_begin(step);
    trace(engine, "window.roll", from, last, 0);
    if (!calendar_covers(engine, last) && calendar_covers(engine, from - 1)) {
        struct tide_notice what = {.kind = TIDE_NOTICE_KIND_calendar_missing,
                                   .start_ms = calendar_day_start(engine, last)};
        uint32_t at = 0;
        const struct place_state *place;
        while ((place = table_next(&engine->places, &at)) != NULL)
            if (place->row.kind == TIDE_PLACE_KIND_community)
                notice_duty(step, TIDE_ROLE_clerk, place->row.id, what);
    }
    windows_roll_due(engine);
}

/* ---- promises that the new supply would not have allowed ------------------------------------ */
static void keep_outside(struct step *step, struct booking_state *booking, enum tide_why why)
{
    booking->row.outside = (uint8_t)why;
    if (booking->row.disturbed == TIDE_WHY_none)
        booking->row.disturbed = (uint8_t)why;
    step_put(step, TIDE_REC_booking, &booking->row);
    notice_party(step, &booking->row, TIDE_NOTICE_KIND_calendar_changed, why);
    const struct slot_state *slot = slot_of(step->engine, booking->row.slot);
    if (slot != NULL && slot->row.owner != 0)
        notice_household(step, slot->row.owner,
                         (struct tide_notice){.kind = TIDE_NOTICE_KIND_calendar_changed,
                                              .slot = slot->row.id,
                                              .zone = slot->row.zone,
                                              .start_ms = booking->row.start_ms,
                                              .end_ms = booking->row.end_ms,
                                              .why = (uint8_t)why});
}

static bool needs_resettling(const struct engine *engine, const struct slot_state *slot,
                             const struct tide_booking *booking, tide_ms now_ms)
{
    struct span span = booking_span(booking, now_ms);
    grain from = span.from > span.now ? span.from : span.now;
    return booking->outside == TIDE_WHY_none && from < span.until &&
           !freemap_is_open(engine, slot, from, span.until);
}

uint32_t window_resettle_slot(struct step *step, struct slot_state *slot, enum tide_why why)
{
    struct engine *engine = step->engine;
    uint32_t touched = 0;
    for (uint32_t id = slot->bookings.first; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        id = order_next(engine, booking, ORDER_OF_SLOT);
        if (!needs_resettling(engine, slot, &booking->row, step->now_ms))
            continue;
        touched++;
        if (why == TIDE_WHY_blackout && booking->row.state == TIDE_BOOKING_STATE_booked)
            booking_reseat_or_break(step, booking, why);
        else
            keep_outside(step, booking, why);
    }
    return touched;
}

/* ---- all slots, a bounded number at a time -------------------------------------------------- */
#define RESETTLED_A_STEP_MAX 64

void windows_resettle_due(struct engine *engine)
{
    bool under_way = engine->setting[TIDE_SETTING_resettle_from] != 0;
    heap_set(&engine->heap, DUE_RESETTLE, 0, &engine->resettle_due_position,
             under_way ? 0 : DUE_NEVER);
}

bool windows_resettle(struct step *step, enum tide_why why)
{
    struct engine *engine = step->engine;
    if (engine->setting[TIDE_SETTING_resettle_from] != 0)
        return false;
    step_setting(step, TIDE_SETTING_resettle_why, why);
    step_setting(step, TIDE_SETTING_resettle_from, 1);
    windows_resettle_due(engine);
    return true;
}

void windows_resettle_fall_due(struct step *step)
{
    struct engine *engine = step->engine;
    enum tide_why why = (enum tide_why)engine->setting[TIDE_SETTING_resettle_why];
    uint32_t cursor = (uint32_t)engine->setting[TIDE_SETTING_resettle_from] - 1, touched = 0;
    struct slot_state *slot = NULL;
    while (touched < RESETTLED_A_STEP_MAX && (slot = table_next(&engine->slots, &cursor)) != NULL)
        touched += window_resettle_slot(step, slot, why);
    step_setting(step, TIDE_SETTING_resettle_from, slot == NULL ? 0 : (int64_t)cursor + 1);
    windows_resettle_due(engine);
}
