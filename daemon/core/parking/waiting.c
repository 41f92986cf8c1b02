/* waiting.c - who waits for a place: asked, taken back, confirmed, ended.
 *
 *   zone ──► first ◄──► ... ◄──► last       by id: who came first stands first
 *
 * Waiting is checked like a booking, and again when a place comes free (promote.c). It holds no
 * minutes and no place, but counts with the household's bookings against its cap. What would fit at
 * this moment is not waited for, it is booked; a time that a draw decides is asked for there.
 */
#include "daemon/core/parking/wait.h"

#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/draw.h"

struct waiting_state *waiting_of(const struct engine *engine, tide_id id)
{
    return table_find(&engine->waits, id);
}

/* ---- a zone's waits -------------------------------------------------------------------------- */
void waiting_attach(struct engine *engine, struct waiting_state *waiting)
{
    struct zone_state *zone = zone_of(engine, waiting->row.zone);
    tide_id id = waiting->row.id, before = zone->last_waiting;
    while (before > id) /* hardly ever */
        before = waiting_of(engine, before)->prev_in_zone;
    uint32_t *link = before != 0 ? &waiting_of(engine, before)->next_in_zone : &zone->first_waiting;
    waiting->prev_in_zone = before;
    waiting->next_in_zone = *link;
    *link = id;
    if (waiting->next_in_zone != 0)
        waiting_of(engine, waiting->next_in_zone)->prev_in_zone = id;
    else
        zone->last_waiting = id;
}

static void waiting_detach(struct engine *engine, struct waiting_state *waiting)
{
    struct zone_state *zone = zone_of(engine, waiting->row.zone);
    tide_id before = waiting->prev_in_zone, after = waiting->next_in_zone;
    if (before != 0)
        waiting_of(engine, before)->next_in_zone = after;
    else
        zone->first_waiting = after;
    if (after != 0)
        waiting_of(engine, after)->prev_in_zone = before;
    else
        zone->last_waiting = before;
    heap_set(&engine->heap, DUE_WAITING, waiting->row.id, &waiting->due_position, DUE_NEVER);
}

/* ---- ends ------------------------------------------------------------------------------------ */
static void tell_party(struct step *step, const struct tide_waiting *row)
{
    bool passed = row->state == TIDE_WAITING_STATE_passed;
    struct tide_notice what = {.kind = passed ? TIDE_NOTICE_KIND_wait_passed
                                              : TIDE_NOTICE_KIND_wait_over,
                               .booking = row->booking,
                               .plate = row->plate,
                               .zone = row->zone,
                               .start_ms = row->start_ms,
                               .end_ms = row->end_ms,
                               .why = row->why};
    notice_one(step, row->person, row->household, what);
}

void waiting_end(struct step *step, struct waiting_state *waiting, enum tide_waiting_state state,
                 enum tide_why why)
{
    struct engine *engine = step->engine;
    struct tide_waiting row = waiting->row;
    CHECK(TIDE_WAITING_LIVE(row.state) && !TIDE_WAITING_LIVE(state));
    bool offered = row.state == TIDE_WAITING_STATE_offered;
    row.state = (uint8_t)state;
    row.why = (uint8_t)why;
    row.ended_ms = step->now_ms;
    row.confirm_by_ms = 0;
    waiting_detach(engine, waiting);
    table_remove(&engine->waits, waiting);
    trace(engine, "wait.end", row.id, state, why);
    step_put(step, TIDE_REC_waiting, &row);
    if (offered || state == TIDE_WAITING_STATE_over)
        chance_learn(step, row.zone, row.first_position, offered);
    if (state == TIDE_WAITING_STATE_passed || (state == TIDE_WAITING_STATE_over && !offered))
        tell_party(step, &row); /* of a broken promise he is told as such */
}

void waiting_lost(struct step *step, const struct tide_booking *booking)
{
    struct waiting_state *waiting = waiting_of(step->engine, booking->waiting);
    enum tide_waiting_state state = TIDE_WAITING_STATE_over;
    if (waiting == NULL)
        return;
    CHECK(waiting->row.booking == booking->id);
    if (booking->reason == TIDE_WHY_not_confirmed)
        state = TIDE_WAITING_STATE_passed;
    else if (booking->state == TIDE_BOOKING_STATE_cancelled)
        state = TIDE_WAITING_STATE_withdrawn;
    waiting_end(step, waiting, state, (enum tide_why)booking->reason);
}

void waiting_came(struct step *step, const struct tide_booking *booking)
{
    struct waiting_state *waiting = waiting_of(step->engine, booking->waiting);
    if (waiting != NULL)
        waiting_end(step, waiting, TIDE_WAITING_STATE_taken, TIDE_WHY_none);
}

/* ---- over all waits -------------------------------------------------------------------------- */
static struct waiting_state *waiting_above(const struct engine *engine, tide_id after,
                                           bool (*is)(const struct tide_waiting *row, tide_id what),
                                           tide_id what)
{
    uint32_t cursor = 0;
    struct waiting_state *waiting, *found = NULL;
    while ((waiting = table_next(&engine->waits, &cursor)) != NULL)
        if (waiting->row.id > after && is(&waiting->row, what) &&
            (found == NULL || waiting->row.id < found->row.id))
            found = waiting;
    return found;
}

static bool is_of_person(const struct tide_waiting *row, tide_id person)
{
    return row->person == person;
}

static bool is_of_household(const struct tide_waiting *row, tide_id household)
{
    return row->household == household;
}

static bool is_for_plate(const struct tide_waiting *row, tide_id plate)
{
    return row->plate == plate;
}

bool waits_have_plate(const struct engine *engine, tide_id plate)
{
    return waiting_above(engine, 0, is_for_plate, plate) != NULL;
}

void waits_forget(struct step *step, tide_id person)
{
    struct waiting_state *waiting;
    while ((waiting = waiting_above(step->engine, 0, is_of_person, person)) != NULL)
        waiting_end(step, waiting, TIDE_WAITING_STATE_withdrawn, TIDE_WHY_withdrawn);
}

/* ---- where one stands ------------------------------------------------------------------------ */
struct booking_wish waiting_wish(const struct tide_waiting *row)
{
    return (struct booking_wish){.plate = row->plate,
                                 .zone = row->zone,
                                 .household = row->household,
                                 .person = row->person,
                                 .cls = (enum tide_slot_class)row->cls,
                                 .via = (enum tide_via)row->via,
                                 .visitor = row->visitor,
                                 .start_ms = row->start_ms,
                                 .end_ms = row->end_ms,
                                 .by = row->by,
                                 .waited = row->id};
}

static bool meets(const struct tide_waiting *row, struct span span)
{
    return row->start_ms < span.until * TIDE_GRAIN_MS && span.from * TIDE_GRAIN_MS < row->end_ms;
}

void waiting_place(const struct engine *engine, const struct booking_wish *wish, tide_id id,
                   struct tide_wait_place *ret)
{
    struct span span = wish_span(wish, 0);
    const struct waiting_state *other;
    *ret = (struct tide_wait_place){.waiting = id, .position = 1};
    for (tide_id at = zone_of(engine, wish->zone)->first_waiting; at != 0 && at != id;
         at = other->next_in_zone) {
        other = waiting_of(engine, at);
        if (other->row.state == TIDE_WAITING_STATE_waiting && other->row.cls == wish->cls &&
            meets(&other->row, span))
            ret->position++;
    }
    chance_of(engine, wish->zone, ret);
}

static void tell_place(struct step *step, const struct tide_waiting *row)
{
    struct booking_wish wish = waiting_wish(row);
    struct tide_wait_place place;
    waiting_place(step->engine, &wish, row->id, &place);
    step_item(step, TIDE_REC_wait_place, &place);
}

bool waits_tell(struct step *step, tide_id household, unsigned items)
{
    const struct waiting_state *waiting = NULL;
    while ((waiting = waiting_above(step->engine, waiting != NULL ? waiting->row.id : 0,
                                    is_of_household, household)) != NULL) {
        bool waits = waiting->row.state == TIDE_WAITING_STATE_waiting;
        if (items < (waits ? 2u : 1u))
            return false;
        step_item(step, TIDE_REC_waiting, &waiting->row);
        if (waits)
            tell_place(step, &waiting->row);
        items -= waits ? 2 : 1;
    }
    return true;
}

/* ---- asking ---------------------------------------------------------------------------------- */
/* Counts what the household waits for already; false when this plate waits for that time as well:
 * then *ret_reply says so. Who was offered a place counts as a booking. */
static bool goes_with_others(const struct engine *engine, struct booking_wish *want,
                             struct span span, struct tide_reply *ret_reply)
{
    uint32_t cursor = 0;
    const struct waiting_state *other;
    tide_id met = 0;
    while ((other = table_next(&engine->waits, &cursor)) != NULL) {
        const struct tide_waiting *row = &other->row;
        if (row->state != TIDE_WAITING_STATE_waiting)
            continue;
        if (row->plate == want->plate && meets(row, span) && (met == 0 || row->id < met))
            met = row->id;
        if (row->household != want->household)
            continue;
        want->waiting++;
        want->waiting_min += (int32_t)((row->end_ms - row->start_ms) / TIDE_MINUTE_MS);
    }
    if (met != 0)
        *ret_reply = (struct tide_reply){
            .code = TIDE_CODE_conflict, .why = TIDE_WHY_plate_overlap, .id = met};
    return met == 0;
}

bool waiting_may_be(struct step *step, const struct booking_wish *wish)
{
    const struct engine *engine = step->engine;
    struct booking_wish want = *wish;
    struct tide_reply reply;
    return goes_with_others(engine, &want, wish_span(&want, step->now_ms), &reply) &&
           booking_allowed(step, &want) && engine->waits.count < engine->waits.cap;
}

/* All that stands against waiting; false after refusing. */
static bool accepted(struct step *step, struct booking_wish *want, struct span span)
{
    const struct engine *engine = step->engine;
    const struct booking_wish asked = *want;
    struct tide_reply reply = {0};
    tide_ms from_ms;
    bool ok =
        goes_with_others(engine, want, span, &reply) && booking_may_be(step, want, span, &reply);
    if (ok && draw_keeps(engine, want->zone, span, &from_ms)) {
        reply = (struct tide_reply){
            .code = TIDE_CODE_conflict, .why = TIDE_WHY_to_be_drawn, .free_from_ms = from_ms};
        ok = false;
    } else if (ok && booking_could(step, &asked)) {
        reply = (struct tide_reply){.code = TIDE_CODE_conflict, .why = TIDE_WHY_fits_now};
        ok = false;
    } else if (ok && engine->waits.count == engine->waits.cap) {
        reply = (struct tide_reply){
            .code = TIDE_CODE_full, .why = TIDE_WHY_pool_full, .limit = engine->waits.cap};
        ok = false;
    }
    if (!ok) {
        trace(engine, "wait.refuse", reply.code, reply.why, reply.id);
        step_reply(step, &reply);
    }
    return ok;
}

static void waiting_write(struct step *step, const struct booking_wish *want, struct span span)
{
    struct engine *engine = step->engine;
    struct tide_wait_place place;
    waiting_place(engine, want, 0, &place);
    struct waiting_state *waiting =
        table_add(&engine->waits, step_new_id(step, TIDE_COUNTER_waiting));
    CHECK(waiting != NULL);
    tide_id id = waiting->row.id;
    waiting->row = (struct tide_waiting){.id = id,
                                         .plate = want->plate,
                                         .zone = want->zone,
                                         .cls = (uint8_t)want->cls,
                                         .household = want->household,
                                         .person = want->person,
                                         .by = step->user,
                                         .via = (uint8_t)want->via,
                                         .visitor = want->visitor,
                                         .start_ms = span.from * TIDE_GRAIN_MS,
                                         .end_ms = span.until * TIDE_GRAIN_MS,
                                         .made_ms = step->now_ms,
                                         .first_position = place.position};
    waiting_attach(engine, waiting);
    waiting_due(engine, waiting);
    waits_freed(engine, want->zone); /* moves that make room may serve it at once */
    trace(engine, "wait.made", id, want->zone, place.position);
    step_put(step, TIDE_REC_waiting, &waiting->row);
    step_ok(step, id);
    step_item(step, TIDE_REC_waiting, &waiting->row);
    tell_place(step, &waiting->row);
}

void wait_take(struct step *step)
{
    const struct tide_wait *ask = &step->event->as.wait;
    struct party party;
    if (!step_party(step, ask->household, ask->person, &party))
        return;
    if (zone_of(step->engine, ask->zone) == NULL || ask->plate == 0) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    struct booking_wish want = {.plate = ask->plate,
                                .zone = ask->zone,
                                .household = party.household,
                                .person = party.person,
                                .cls = (enum tide_slot_class)ask->cls,
                                .via = (enum tide_via)ask->via,
                                .visitor = ask->visitor,
                                .start_ms = ask->start_ms,
                                .end_ms = ask->end_ms};
    struct span span = wish_span(&want, step->now_ms);
    if (span.from >= span.until) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_ends_before_start);
        return;
    }
    if (accepted(step, &want, span))
        waiting_write(step, &want, span);
}

/* ---- taking back, confirming ----------------------------------------------------------------- */
/* The speaker's live wait with this id; NULL after refusing. */
static struct waiting_state *waiting_asked(struct step *step, tide_id id)
{
    struct waiting_state *waiting = waiting_of(step->engine, id);
    if (waiting == NULL) {
        step_refuse_gone(step, TIDE_COUNTER_waiting, id);
    } else if (!step_owns(step, waiting->row.household, waiting->row.person)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        waiting = NULL;
    }
    return waiting;
}

void unwait_take(struct step *step)
{
    tide_id id = step->event->as.unwait.waiting;
    struct waiting_state *waiting = waiting_asked(step, id);
    if (waiting == NULL)
        return;
    struct booking_state *booking = booking_of(step->engine, waiting->row.booking);
    if (booking == NULL) {
        waiting_end(step, waiting, TIDE_WAITING_STATE_withdrawn, TIDE_WHY_withdrawn);
    } else {
        if (booking->row.person != step->person)
            notice_party(step, &booking->row, TIDE_NOTICE_KIND_booking_cancelled, TIDE_WHY_none);
        booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
    }
    step_ok(step, id);
}

void confirm_take(struct step *step)
{
    const struct tide_confirm *ask = &step->event->as.confirm;
    const struct booking_state *booking = booking_asked(step, ask->booking);
    if (booking == NULL)
        return;
    struct waiting_state *waiting = waiting_of(step->engine, booking->row.waiting);
    if (waiting == NULL) { /* confirmed before, or never waited for */
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_duplicate);
        return;
    }
    waiting_end(step, waiting, TIDE_WAITING_STATE_taken, TIDE_WHY_none);
    step_ok(step, ask->booking);
    booking_item(step, &booking->row);
}
