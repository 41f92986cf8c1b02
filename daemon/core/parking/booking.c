/* booking.c - the promise of a place: made, moved, cancelled, extended, ended.
 *
 * States and their moves stand above the enum in types.h. A booking is in four places at once:
 * its row, its slot's list (by start), its plate's and its household's list; and its span is busy
 * in the slot's bits. booking_attach and booking_detach keep these together.
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/caps.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"

struct span booking_span(const struct tide_booking *booking, tide_ms now_ms)
{
    return (struct span){.from = grain_floor(booking->start_ms),
                         .until = grain_ceil(booking->end_ms),
                         .now = grain_floor(now_ms)};
}

struct span booking_hold(const struct tide_booking *booking, tide_ms now_ms)
{
    struct span span = booking_span(booking, now_ms);
    span.until += booking->buffer_min / TIDE_GRAIN_MIN;
    return span;
}

/* ---- lists and bits ------------------------------------------------------------------------- */
/* The ring holds the last `ring_days` days up to the last resolved one; what lies outside has no
 * bits of its own. */
static void busy_write(struct engine *engine, const struct booking_state *booking, bool busy)
{
    struct slot_state *slot = slot_of(engine, booking->row.slot);
    struct span span = booking_hold(&booking->row, 0);
    int32_t last = windows_last_day(engine);
    grain ring_from =
        grain_floor(calendar_day_start(engine, last + 1 - (int32_t)engine->ring_days));
    grain ring_until = grain_floor(calendar_day_start(engine, last + 1));
    CHECK(slot != NULL);
    grain from = span.from > ring_from ? span.from : ring_from;
    grain until = span.until < ring_until ? span.until : ring_until;
    if (busy)
        freemap_set(engine, slot->busy, from, until);
    else
        freemap_clear(engine, slot->busy, from, until);
    freemap_publish(engine, slot, from, until);
}

static void slot_attach(struct engine *engine, struct booking_state *booking)
{
    struct slot_state *slot = slot_of(engine, booking->row.slot);
    CHECK(slot != NULL);
    order_add(engine, &slot->bookings, booking, ORDER_OF_SLOT);
    busy_write(engine, booking, true);
    zone_touch(engine, booking->row.zone);
}

static void slot_detach(struct engine *engine, struct booking_state *booking)
{
    struct slot_state *slot = slot_of(engine, booking->row.slot);
    CHECK(slot != NULL);
    order_remove(engine, &slot->bookings, booking, ORDER_OF_SLOT);
    busy_write(engine, booking, false);
    zone_touch(engine, booking->row.zone);
}

static struct plate_state *plate_make(struct engine *engine, tide_id plate)
{
    struct plate_state *state = plate_of(engine, plate);
    return state != NULL ? state : table_add(&engine->plates, plate);
}

void booking_attach(struct engine *engine, struct booking_state *booking)
{
    struct plate_state *plate = plate_make(engine, booking->row.plate);
    struct place_state *household = place_of(engine, booking->row.household);
    CHECK(plate != NULL && household != NULL);
    order_add(engine, &plate->bookings, booking, ORDER_OF_PLATE);
    order_expect_below(engine, &slot_of(engine, booking->row.slot)->bookings, ORDER_OF_SLOT,
                       booking->row.start_ms);
    order_add(engine, &household->bookings, booking, ORDER_OF_HOUSEHOLD);
    household->live_bookings++;
    slot_attach(engine, booking);
    booking_due(engine, booking);
}

void booking_detach(struct engine *engine, struct booking_state *booking)
{
    struct plate_state *plate = plate_of(engine, booking->row.plate);
    struct place_state *household = place_of(engine, booking->row.household);
    CHECK(plate != NULL && household != NULL && household->live_bookings > 0);
    order_remove(engine, &plate->bookings, booking, ORDER_OF_PLATE);
    if (plate->bookings.first == 0 && plate->session == 0)
        table_remove(&engine->plates, plate);
    order_remove(engine, &household->bookings, booking, ORDER_OF_HOUSEHOLD);
    household->live_bookings--;
    slot_detach(engine, booking);
    heap_set(&engine->heap, DUE_BOOKING, booking->row.id, &booking->due_position, DUE_NEVER);
}

void booking_lift(struct engine *engine, struct booking_state *booking, tide_id to)
{
    CHECK(booking->row.state == TIDE_BOOKING_STATE_booked);
    if (booking->row.slot != 0)
        slot_detach(engine, booking);
    booking->row.slot = to;
    if (to != 0)
        slot_attach(engine, booking);
}

void booking_move(struct step *step, struct booking_state *booking, tide_id slot)
{
    CHECK(booking->row.state == TIDE_BOOKING_STATE_booked && slot != booking->row.slot);
    trace(step->engine, "booking.move", booking->row.id, booking->row.slot, slot);
    slot_detach(step->engine, booking);
    booking->row.slot = slot;
    booking->row.outside = TIDE_WHY_none;
    booking->row.moves++;
    struct span hold = booking_hold(&booking->row, step->now_ms);
    if (!freemap_is_free(step->engine, slot_of(step->engine, slot), hold.from, hold.until))
        booking->row.buffer_min = 0;
    slot_attach(step->engine, booking);
    waits_freed(step->engine, booking->row.zone); /* where it was, others may fit */
    step_put(step, TIDE_REC_booking, &booking->row);
    if (booking->row.substitute_for != 0)
        substitute_tell(step, &booking->row);
}

/* ---- making --------------------------------------------------------------------------------- */
void booking_item(struct step *step, const struct tide_booking *booking)
{
    struct tide_booking shown = *booking;
    if (shown.state == TIDE_BOOKING_STATE_booked && shown.substitute_for == 0)
        shown.slot = 0;
    step_item(step, TIDE_REC_booking, &shown);
}

static bool refuse(struct step *step, struct tide_reply *reply, enum tide_code code,
                   enum tide_why why, int64_t limit)
{
    trace(step->engine, "booking.refuse", code, why, limit);
    *reply = (struct tide_reply){.code = (uint8_t)code, .why = (uint8_t)why, .limit = limit};
    return false;
}

static bool times_are_sound(struct step *step, const struct booking_wish *wish, struct span span,
                            struct tide_reply *reply)
{
    const struct engine *engine = step->engine;
    tide_ms horizon = calendar_day_start(engine, windows_last_day(engine) + 1);
    int64_t stay_max = engine->setting[TIDE_SETTING_stay_max_min];
    if (wish->end_ms <= wish->start_ms)
        return refuse(step, reply, TIDE_CODE_invalid, TIDE_WHY_ends_before_start, 0);
    if (span.from < span.now)
        return refuse(step, reply, TIDE_CODE_invalid, TIDE_WHY_in_the_past, 0);
    if (span.until > grain_floor(horizon)) {
        refuse(step, reply, TIDE_CODE_invalid, TIDE_WHY_beyond_horizon, 0);
        reply->free_until_ms = horizon;
        return false;
    }
    if ((span.until - span.from) * TIDE_GRAIN_MIN > stay_max)
        return refuse(step, reply, TIDE_CODE_invalid, TIDE_WHY_too_long, stay_max);
    return true;
}

tide_id booking_overlapping(const struct engine *engine, tide_id plate, tide_id except,
                            struct span span)
{
    const struct plate_state *state = plate_of(engine, plate);
    for (uint32_t id = state != NULL ? state->bookings.first : 0; id != 0;) {
        const struct booking_state *other = booking_of(engine, id);
        struct span theirs = booking_span(&other->row, 0);
        if (id != except && theirs.from < span.until && span.from < theirs.until)
            return id;
        id = order_next(engine, other, ORDER_OF_PLATE);
    }
    return 0;
}

static bool plate_is_clear(struct step *step, tide_id plate, tide_id except, struct span span,
                           struct tide_reply *reply)
{
    const struct vehicle_state *vehicle = vehicle_of(step->engine, plate);
    if (vehicle != NULL && vehicle->row.kind == TIDE_VEHICLE_KIND_blocked)
        return refuse(step, reply, TIDE_CODE_not_authorized, TIDE_WHY_blocked, 0);
    tide_id other = booking_overlapping(step->engine, plate, except, span);
    if (other == 0)
        return true;
    refuse(step, reply, TIDE_CODE_conflict, TIDE_WHY_plate_overlap, 0);
    reply->id = other;
    return false;
}

static bool household_may(struct step *step, const struct booking_wish *wish, struct span span,
                          struct tide_reply *reply)
{
    const struct zone_state *zone = zone_of(step->engine, wish->zone);
    int64_t need_min = (span.until - span.from) * TIDE_GRAIN_MIN;
    const struct engine *engine = step->engine;
    const struct place_state *household = place_of(engine, wish->household);
    int64_t live_max = engine->setting[TIDE_SETTING_household_live_max];
    CHECK(household != NULL);
    if (!zone->row.outsiders && !place_within(engine, wish->household, zone->row.place))
        return refuse(step, reply, TIDE_CODE_not_authorized, TIDE_WHY_not_open_to_outsiders, 0);
    if (household->live_bookings + wish->waiting >= live_max)
        return refuse(step, reply, TIDE_CODE_quota, TIDE_WHY_household_cap, live_max);
    int64_t available = ledger_available(engine, wish->household);
    if (need_min + wish->waiting_min > available)
        return refuse(step, reply, TIDE_CODE_quota, TIDE_WHY_minutes_short, available);
    bool drawn = wish->drawn_slot != 0; /* asked about when the wish was made */
    return (drawn || strikes_allow(engine, wish->household, wish->start_ms, reply)) &&
           caps_allow(engine, wish->household, span, drawn, reply);
}

static void refuse_full(struct step *step, const struct booking_wish *wish, struct span span,
                        struct tide_reply *reply)
{
    struct seat_hints hints;
    enum tide_why why = seat_hints(step->engine, wish->zone, wish->cls, span, &hints);
    refuse(step, reply, TIDE_CODE_full, why, 0);
    reply->free_until_ms = hints.free_until_ms;
    reply->free_from_ms = hints.free_from_ms;
}

struct booking_state *booking_write(struct step *step, const struct booking_wish *wish,
                                    struct span span, tide_id slot)
{
    struct engine *engine = step->engine;
    tide_ms start_ms = span.from * TIDE_GRAIN_MS, end_ms = span.until * TIDE_GRAIN_MS;
    int64_t patience_ms = engine->setting[TIDE_SETTING_no_show_min] * TIDE_MINUTE_MS;
    tide_ms base_ms = start_ms > step->now_ms ? start_ms : step->now_ms;
    seat_expect(engine, slot, span);
    struct booking_state *booking =
        table_add(&engine->bookings, step_new_id(step, TIDE_COUNTER_booking));
    CHECK(booking != NULL);
    struct tide_booking *row = &booking->row;
    row->plate = wish->plate;
    row->zone = wish->zone;
    row->slot = slot;
    row->cls = (uint8_t)wish->cls;
    row->household = wish->household;
    row->person = wish->person;
    row->by = wish->by != 0 ? wish->by : step->user;
    row->via = (uint8_t)wish->via;
    row->visitor = wish->visitor;
    row->series = wish->series;
    row->start_ms = start_ms;
    row->end_ms = end_ms;
    row->no_show_ms = base_ms + patience_ms < end_ms ? base_ms + patience_ms : end_ms;
    row->made_ms = step->now_ms;
    row->held_min = (int32_t)((span.until - span.from) * TIDE_GRAIN_MIN);
    row->substitute_for = wish->substitute_for;
    row->reason = (uint8_t)wish->why;
    row->urgent = wish->urgent;
    if (row->substitute_for != 0) /* waits for its owner */
        row->no_show_ms = end_ms;
    if (row->substitute_for != 0 || row->urgent) /* costs nothing */
        row->held_min = 0;
    row->waiting = wish->waited;
    if (wish->drawn_slot == 0 && wish->substitute_for == 0 && !wish->urgent)
        row->buffer_min = (uint8_t)((lateness_hold(engine, wish->zone, span).until - span.until) *
                                    TIDE_GRAIN_MIN);
    booking_attach(engine, booking);
    step_put(step, TIDE_REC_booking, row);
    ledger_hold(step, row->household, row->held_min);
    return booking;
}

/* Whether the rules allow it, wherever there may be room. What is 0 (plate, household) is not asked
 * about. */
static bool rules_allow(struct step *step, const struct booking_wish *wish, struct span span,
                        struct tide_reply *ret_reply)
{
    return times_are_sound(step, wish, span, ret_reply) &&
           (wish->plate == 0 || plate_is_clear(step, wish->plate, 0, span, ret_reply)) &&
           (wish->household == 0 || wish->urgent || household_may(step, wish, span, ret_reply));
}

bool booking_may_be(struct step *step, const struct booking_wish *wish, struct span span,
                    struct tide_reply *ret_reply)
{
    CHECK(wish->plate != 0 && wish->household != 0);
    return rules_allow(step, wish, span, ret_reply);
}

/* A time that a draw gives away is asked for there. */
static bool is_drawn(struct step *step, tide_id zone, struct span span, struct tide_reply *reply)
{
    tide_ms from_ms;
    if (!draw_keeps(step->engine, zone, span, &from_ms))
        return false;
    refuse(step, reply, TIDE_CODE_conflict, TIDE_WHY_to_be_drawn, 0);
    reply->free_from_ms = from_ms;
    return true;
}

static tide_id seat_for(struct step *step, const struct booking_wish *wish, struct span span)
{
    const struct slot_state *drawn = slot_of(step->engine, wish->drawn_slot);
    if (drawn != NULL && drawn->row.zone == wish->zone && drawn->row.cls == wish->cls &&
        freemap_is_free(step->engine, drawn, span.from, span.until) &&
        (span.from > span.now || !spot_taken_by_other(step->engine, drawn, 0)))
        return drawn->row.id;
    struct span hold = wish->urgent ? span : lateness_hold(step->engine, wish->zone, span);
    tide_id slot = seat_find(step->engine, wish->zone, wish->cls, hold, 0);
    if (slot == 0)
        slot = reseat_find(step, wish->zone, wish->cls, hold);
    return slot == 0 && wish->urgent ? urgent_seat(step, wish, span) : slot;
}

struct span wish_span(const struct booking_wish *wish, tide_ms now_ms)
{
    return (struct span){grain_floor(wish->start_ms), grain_ceil(wish->end_ms),
                         grain_floor(now_ms)};
}

bool booking_allowed(struct step *step, const struct booking_wish *wish)
{
    struct engine *engine = step->engine;
    struct span span = wish_span(wish, step->now_ms);
    struct tide_reply why_not;
    tide_ms from_ms;
    engine_trace_fn *told = engine->trace;
    CHECK(zone_of(engine, wish->zone) != NULL);
    engine->trace = NULL; /* nothing is decided here */
    bool allowed =
        !draw_keeps(engine, wish->zone, span, &from_ms) && rules_allow(step, wish, span, &why_not);
    engine->trace = told;
    return allowed;
}

bool booking_could(struct step *step, const struct booking_wish *wish)
{
    struct engine *engine = step->engine;
    engine_trace_fn *told = engine->trace;
    if (!booking_allowed(step, wish))
        return false;
    engine->trace = NULL;
    struct span hold = lateness_hold(engine, wish->zone, wish_span(wish, step->now_ms));
    tide_id slot = seat_find(engine, wish->zone, wish->cls, hold, 0);
    engine->trace = told;
    return slot != 0;
}

struct booking_state *booking_make(struct step *step, const struct booking_wish *wish,
                                   struct tide_reply *ret_reply)
{
    struct engine *engine = step->engine;
    booking_expect(engine, wish);
    const struct zone_state *zone = zone_of(engine, wish->zone);
    struct span span = wish_span(wish, step->now_ms);
    if (zone == NULL || wish->plate == 0) {
        refuse(step, ret_reply, TIDE_CODE_not_found, TIDE_WHY_none, 0);
        return NULL;
    }
    if (!booking_may_be(step, wish, span, ret_reply) ||
        (wish->drawn_slot == 0 && is_drawn(step, wish->zone, span, ret_reply)))
        return NULL;
    if (engine->bookings.count == engine->bookings.cap ||
        (plate_of(engine, wish->plate) == NULL && engine->plates.count == engine->plates.cap)) {
        refuse(step, ret_reply, TIDE_CODE_full, TIDE_WHY_pool_full, engine->bookings.cap);
        return NULL;
    }
    booking_expect_order(engine, wish);
    tide_id slot = seat_for(step, wish, span);
    if (slot == 0 && wish->waited != 0) { /* nobody asked: nobody needs hints */
        refuse(step, ret_reply, TIDE_CODE_full, TIDE_WHY_all_taken, 0);
        return NULL;
    }
    if (slot == 0) {
        refuse_full(step, wish, span, ret_reply);
        return NULL;
    }
    return booking_write(step, wish, span, slot);
}

/* ---- extending ------------------------------------------------------------------------------- */
/* Of the buffer that its end asks for, what its slot has, while the booking is in nobody's bits. */
static grain buffer_that_fits(const struct engine *engine, const struct booking_state *booking)
{
    struct span span = booking_span(&booking->row, 0);
    struct span hold = lateness_hold(engine, booking->row.zone, span);
    grain free =
        freemap_free_until(engine, slot_of(engine, booking->row.slot), span.until, hold.until);
    return (free - span.until) * TIDE_GRAIN_MIN;
}

/* Gives a live booking another end; the slot must have been found to fit. */
static void end_write(struct step *step, struct booking_state *booking, grain until, tide_id slot)
{
    struct tide_booking *row = &booking->row;
    struct span span = booking_span(row, step->now_ms);
    int32_t more = (int32_t)((until - span.until) * TIDE_GRAIN_MIN);
    slot_detach(step->engine, booking);
    if (more < 0 || slot != row->slot)
        waits_freed(step->engine, row->zone);
    row->end_ms = until * TIDE_GRAIN_MS;
    if (slot != row->slot)
        row->moves++;
    row->slot = slot;
    row->buffer_min = (uint8_t)buffer_that_fits(step->engine, booking);
    row->held_min += more;
    row->warned &= (uint8_t)~6u; /* a new end: warn anew */
    row->looked_ms = 0;
    if (row->no_show_ms > row->end_ms)
        row->no_show_ms = row->end_ms;
    slot_attach(step->engine, booking);
    booking_due(step->engine, booking);
    step_put(step, TIDE_REC_booking, row);
    ledger_hold(step, row->household, more);
    incidents_close_booking(step, row->id, 1u << TIDE_INCIDENT_KIND_overstay);
}

/* How long its slot could be the booking's: its own buffer, while that is open, and what is free
 * after it; at most `limit`. */
static grain slot_lasts(const struct engine *engine, const struct booking_state *booking,
                        grain limit)
{
    const struct slot_state *slot = slot_of(engine, booking->row.slot);
    grain at = grain_ceil(booking->row.end_ms), own = booking_hold(&booking->row, 0).until;
    while (at < own && at < limit && freemap_is_open(engine, slot, at, at + 1))
        at++;
    return at == own && at < limit ? freemap_free_until(engine, slot, at, limit) : at;
}

static void extension_refuse(struct step *step, const struct booking_state *booking, grain until,
                             grain lasts, struct tide_reply *ret_reply)
{
    struct engine *engine = step->engine;
    const struct slot_state *slot = slot_of(engine, booking->row.slot);
    struct span wider = {grain_floor(booking->row.start_ms), until, 0};
    grain now_until = grain_ceil(booking->row.end_ms);
    grain free = lateness_until(engine, booking->row.zone, wider, lasts);
    grain own = booking_hold(&booking->row, 0).until;
    if (booking->row.state == TIDE_BOOKING_STATE_parked && free < own)
        free = lasts < own ? lasts : own;
    bool open = freemap_is_open(engine, slot, lasts, lasts + 1);
    *ret_reply =
        (struct tide_reply){.code = TIDE_CODE_full,
                            .why = lasts >= until ? TIDE_WHY_kept_for_late
                                   : open         ? TIDE_WHY_promised
                                                  : TIDE_WHY_no_window,
                            .free_until_ms = (free > now_until ? free : now_until) * TIDE_GRAIN_MS};
    trace(engine, "extend.refuse", until * TIDE_GRAIN_MS, ret_reply->free_until_ms, open);
}

/* The slot on which the booking could last until `until`, with the buffer of that end: its own, or,
 * before the car is there, any. A car that is there may use up its own buffer: who says that he
 * leaves later is less late than who does not. 0 when there is none; *ret_reply then says what
 * would have worked. */
static tide_id slot_for_extension(struct step *step, struct booking_state *booking, grain until,
                                  struct tide_reply *ret_reply)
{
    struct engine *engine = step->engine;
    const struct tide_booking *row = &booking->row;
    struct span wider = {grain_floor(row->start_ms), until, grain_floor(step->now_ms)};
    struct span hold = lateness_hold(engine, row->zone, wider);
    grain lasts = slot_lasts(engine, booking, hold.until);
    if (lasts >= hold.until)
        return row->slot;
    if (row->state == TIDE_BOOKING_STATE_parked && until <= lasts &&
        until <= booking_hold(row, 0).until)
        return row->slot;
    tide_id other = 0;
    if (row->state == TIDE_BOOKING_STATE_booked)
        other = seat_find(engine, row->zone, (enum tide_slot_class)row->cls, hold, row->slot);
    if (other == 0)
        extension_refuse(step, booking, until, lasts, ret_reply);
    return other;
}

void extend_take(struct step *step)
{
    const struct tide_extend *ask = &step->event->as.extend;
    struct engine *engine = step->engine;
    struct booking_state *booking = booking_asked(step, ask->booking);
    struct tide_reply reply = {0};
    if (booking == NULL)
        return;
    if (booking->row.substitute_for != 0 || booking->row.urgent) { /* free, so not for ever */
        step_refuse(step, TIDE_CODE_conflict, (enum tide_why)booking->row.reason);
        return;
    }
    struct span span = booking_span(&booking->row, step->now_ms);
    struct booking_wish wish = {.start_ms = booking->row.start_ms, .end_ms = ask->end_ms};
    struct span asked = {span.now > span.from ? span.now : span.from, grain_ceil(ask->end_ms),
                         span.now};
    if (asked.until <= asked.from) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_ends_before_start);
        return;
    }
    asked.from = span.from > span.now ? span.from : span.now;
    struct span whole = {span.from, asked.until, span.from}; /* its start may lie in the past */
    if (!times_are_sound(step, &wish, whole, &reply) ||
        !plate_is_clear(step, booking->row.plate, booking->row.id, whole, &reply)) {
        step_reply(step, &reply);
        return;
    }
    struct span added = {span.until, asked.until, span.now};
    if (added.from < added.until && is_drawn(step, booking->row.zone, added, &reply)) {
        step_reply(step, &reply);
        return;
    }
    int64_t more = (asked.until - span.until) * TIDE_GRAIN_MIN;
    int64_t available = ledger_available(engine, booking->row.household);
    tide_id slot = booking->row.slot;
    if (more > available) {
        step_reply(step, &(struct tide_reply){.code = TIDE_CODE_quota,
                                              .why = TIDE_WHY_minutes_short,
                                              .limit = available});
        return;
    }
    if (!caps_allow(engine, booking->row.household, added, false, &reply)) {
        step_reply(step, &reply);
        return;
    }
    if (more > 0)
        slot = slot_for_extension(step, booking, asked.until, &reply);
    if (slot == 0) {
        step_reply(step, &reply);
        return;
    }
    end_write(step, booking, asked.until, slot);
    step_ok(step, booking->row.id);
    booking_item(step, &booking->row);
}
