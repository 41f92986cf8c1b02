/* sensor.c - what a slot's sensor says, and what follows.
 *
 *              taken, somebody expected ─────────────────► fine (or: he has arrived)
 *     ┌──────┐ taken, nobody expected ── settle_min ──► stranger
 *     │ spot │ free, a car on the books ─ settle_min ──► ghost
 *     └──────┘ silent for 2.5 heartbeats ─────────────► unknown, never free
 *
 * A heartbeat carries the state too and repairs a lost change. A replayed message is history: it
 * moves the cursor and nothing else.
 */
#include "daemon/core/authority.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"

#define STRANGER (1u << TIDE_INCIDENT_KIND_stranger)
#define GHOST (1u << TIDE_INCIDENT_KIND_ghost)

bool cursor_take(struct step *step, uint32_t boot, uint32_t seq)
{
    struct engine *engine = step->engine;
    struct tide_gateway_cursor *cursor = table_find(&engine->cursors, step->user);
    uint32_t last_boot = cursor != NULL ? cursor->boot : 0,
             last_seq = cursor != NULL ? cursor->seq : 0;
    bool next = boot == last_boot ? seq == last_seq + 1 : boot > last_boot && seq == 1;
    if (!next) { /* the ack is cumulative: what lies in a gap must be sent again first */
        bool known = boot < last_boot || (boot == last_boot && seq <= last_seq);
        step_refuse(step, TIDE_CODE_stale, known ? TIDE_WHY_duplicate : TIDE_WHY_gap);
        return false;
    }
    if (cursor == NULL)
        cursor = table_add(&engine->cursors, step->user);
    CHECK(cursor != NULL); /* as many as users */
    cursor->boot = boot;
    cursor->seq = seq;
    cursor->seen_ms = step->now_ms;
    step_put(step, TIDE_REC_gateway_cursor, cursor);
    return true;
}

void cursor_alone(struct step *step, tide_id place, tide_ms device_ms)
{
    struct tide_gateway_cursor *cursor = table_find(&step->engine->cursors, step->user);
    tide_ms at_ms = device_ms > 0 && device_ms < step->now_ms ? device_ms : step->now_ms;
    CHECK(cursor != NULL); /* its number was just taken */
    if (at_ms > cursor->alone_ms) {
        cursor->alone_ms = at_ms;
        step_put(step, TIDE_REC_gateway_cursor, cursor);
    }
    strikes_gate_alone(step, place, at_ms);
}

/* "What comes next is the one after this": all before is with us, or is gone for good. */
void hello_take(struct step *step)
{
    struct engine *engine = step->engine;
    const struct tide_hello *hello = &step->event->as.hello;
    struct tide_gateway_cursor *cursor = table_find(&engine->cursors, step->user);
    if (!step_need_role(step, ROLE_BIT(TIDE_ROLE_gateway), 0))
        return;
    if (cursor == NULL)
        cursor = table_add(&engine->cursors, step->user);
    CHECK(cursor != NULL); /* as many as users */
    if (hello->boot > cursor->boot || (hello->boot == cursor->boot && hello->seq > cursor->seq)) {
        cursor->boot = hello->boot;
        cursor->seq = hello->seq;
    }
    cursor->seen_ms = step->now_ms;
    step_put(step, TIDE_REC_gateway_cursor, cursor);
    step_ok(step, hello->boot);
}

bool spot_taken_by_other(const struct engine *engine, const struct slot_state *slot,
                         tide_id session)
{
    if (slot->session != 0)
        return slot->session != session;
    const struct spot_state *spot = spot_of(engine, slot->row.id);
    return spot != NULL && spot->row.state == TIDE_OCCUPANCY_occupied;
}

void spot_due(struct engine *engine, struct spot_state *spot)
{
    const struct tide_spot *row = &spot->row;
    tide_ms due = row->due_ms != 0 ? row->due_ms : DUE_NEVER;
    if (row->settle_ms != 0 && row->settle_ms < due)
        due = row->settle_ms;
    heap_set(&engine->heap, DUE_SPOT, row->slot, &spot->due_position, due);
}

/* The booking that the slot is promised to at this moment, not arrived yet. */
static struct booking_state *booking_expected(const struct engine *engine,
                                              const struct slot_state *slot, tide_ms now_ms)
{
    tide_ms early_ms = engine->setting[TIDE_SETTING_early_min] * TIDE_MINUTE_MS;
    for (uint32_t id = slot->bookings.first; id != 0;) {
        struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        if (row->state == TIDE_BOOKING_STATE_booked && row->start_ms - early_ms <= now_ms &&
            row->end_ms > now_ms)
            return booking;
        id = order_next(engine, booking, ORDER_OF_SLOT);
    }
    return NULL;
}

/* Somebody of the owner's household is in the compound: then it is his car that stands there. */
static bool owner_is_in(const struct engine *engine, const struct slot_state *slot)
{
    const struct place_state *owner = place_of(engine, slot->row.owner);
    for (uint32_t id = owner != NULL ? owner->first_vehicle : 0; id != 0;) {
        const struct vehicle_state *vehicle = vehicle_of(engine, id);
        CHECK(vehicle != NULL);
        id = vehicle->next_of_household;
        const struct plate_state *plate = plate_of(engine, vehicle->row.plate);
        const struct session_state *session =
            plate != NULL ? session_of(engine, plate->session) : NULL;
        if (session != NULL && (session->row.slot == 0 || session->row.slot == slot->row.id))
            return true;
    }
    return false;
}

/* Nobody needs to answer for a car on this slot. */
static bool is_expected(const struct engine *engine, const struct slot_state *slot, tide_ms now_ms)
{
    if (slot->session != 0)
        return true;
    bool promised = booking_expected(engine, slot, now_ms) != NULL;
    if (slot->row.title == TIDE_SLOT_TITLE_common && !promised)
        return true; /* common slots are everybody's unless promised */
    /* Without a camera at the gate an owner's car is known only by where it stands. */
    const struct zone_state *zone = zone_of(engine, slot->row.zone);
    bool owners_hours =
        !freemap_is_open(engine, slot, grain_floor(now_ms), grain_floor(now_ms) + 1);
    if ((zone->row.sense & TIDE_SENSE_GATE) == 0)
        return owners_hours && !promised;
    return owner_is_in(engine, slot);
}

static void settle(struct step *step, struct spot_state *spot, bool wanted)
{
    tide_ms wait_ms = step->engine->setting[TIDE_SETTING_settle_min] * TIDE_MINUTE_MS;
    if (!wanted)
        spot->row.settle_ms = 0;
    else if (spot->row.settle_ms == 0)
        spot->row.settle_ms = step->now_ms + wait_ms;
}

static void became_occupied(struct step *step, struct slot_state *slot, struct spot_state *spot)
{
    struct engine *engine = step->engine;
    const struct zone_state *zone = zone_of(engine, slot->row.zone);
    struct booking_state *expected = booking_expected(engine, slot, step->now_ms);
    if (slot->session == 0 && expected != NULL && (zone->row.sense & TIDE_SENSE_GATE) == 0) {
        const struct plate_state *plate = plate_of(engine, expected->row.plate);
        if ((plate == NULL || plate->session == 0) && booking_begin_early(step, expected))
            booking_arrive(step, expected, TIDE_SOURCE_sensor, step->now_ms);
    }
    incidents_close_slot(step, slot->row.id, GHOST);
    settle(step, spot, !is_expected(engine, slot, step->now_ms));
}

static void became_free(struct step *step, struct slot_state *slot, struct spot_state *spot)
{
    struct engine *engine = step->engine;
    const struct zone_state *zone = zone_of(engine, slot->row.zone);
    struct session_state *session = session_of(engine, slot->session);
    incidents_close_slot(step, slot->row.id,
                         STRANGER | 1u << TIDE_INCIDENT_KIND_owner_taken |
                             1u << TIDE_INCIDENT_KIND_late_supply);
    overrun_over(step, slot);
    if (session != NULL && (zone->row.sense & TIDE_SENSE_GATE) == 0 &&
        session->row.source == TIDE_SOURCE_sensor) {
        session_end(step, session, step->now_ms);
        session = NULL;
    }
    /* An owner's car is where it likes; a promised one that is not on its place is a ghost. */
    bool ghost = session != NULL && session->row.right == TIDE_SESSION_RIGHT_booking;
    settle(step, spot, ghost);
}

static struct spot_state *spot_make(struct step *step, struct slot_state *slot)
{
    struct spot_state *spot = spot_of(step->engine, slot->row.id);
    if (spot != NULL)
        return spot;
    spot = table_add(&step->engine->spots, slot->row.id);
    CHECK(spot != NULL); /* as many as slots */
    return spot;
}

void slot_seen_take(struct step *step)
{
    struct engine *engine = step->engine;
    const struct tide_slot_seen *seen = &step->event->as.slot_seen;
    struct slot_state *slot = slot_of(engine, seen->slot);
    if (!step_need_role(step, ROLE_BIT(TIDE_ROLE_gateway), 0) ||
        !cursor_take(step, seen->boot, seen->seq))
        return;
    if (slot == NULL) { /* its number counts, else the gateway would send it for ever */
        step_reply(step, &(struct tide_reply){.why = TIDE_WHY_not_yours});
        return;
    }
    if (seen->replay) {
        step_reply(step, &(struct tide_reply){.why = TIDE_WHY_replayed});
        return;
    }
    struct spot_state *spot = spot_make(step, slot);
    bool changed = spot->row.state != seen->state;
    spot->row.seen_ms = step->now_ms;
    spot->row.due_ms =
        step->now_ms + engine->setting[TIDE_SETTING_sensor_silence_min] * TIDE_MINUTE_MS;
    if (changed) {
        spot->row.state = seen->state;
        spot->row.since_ms = step->now_ms;
        spot->row.settle_ms = 0;
        trace(engine, "sensor.change", slot->row.id, seen->state, 0);
        zone_touch(engine, slot->row.zone);
        waits_freed(engine, slot->row.zone);
        if (seen->state == TIDE_OCCUPANCY_occupied)
            became_occupied(step, slot, spot);
        else if (seen->state == TIDE_OCCUPANCY_free)
            became_free(step, slot, spot);
    }
    step_put(step, TIDE_REC_spot, &spot->row);
    spot_due(engine, spot);
    step_ok(step, slot->row.id);
}

/* ---- deadlines ------------------------------------------------------------------------------ */
static void settled(struct step *step, const struct slot_state *slot, const struct spot_state *spot)
{
    struct engine *engine = step->engine;
    const struct session_state *session = session_of(engine, slot->session);
    struct tide_incident what = {.zone = slot->row.zone, .slot = slot->row.id};
    if (spot->row.state == TIDE_OCCUPANCY_occupied && !is_expected(engine, slot, step->now_ms)) {
        what.kind = TIDE_INCIDENT_KIND_stranger;
        incident_open(step, what);
    } else if (spot->row.state == TIDE_OCCUPANCY_free && session != NULL) {
        what.kind = TIDE_INCIDENT_KIND_ghost;
        what.plate = session->row.plate;
        what.booking = session->row.booking;
        what.session = session->row.id;
        what.household = session->row.household;
        incident_open(step, what);
    }
}

void spot_fall_due(struct step *step, struct spot_state *spot)
{
    struct engine *engine = step->engine;
    const struct slot_state *slot = slot_of(engine, spot->row.slot);
    CHECK(slot != NULL);
    if (spot->row.settle_ms != 0 && spot->row.settle_ms <= step->now_ms) {
        spot->row.settle_ms = 0;
        settled(step, slot, spot);
    }
    if (spot->row.due_ms != 0 && spot->row.due_ms <= step->now_ms) {
        trace(engine, "sensor.silent", slot->row.id, spot->row.seen_ms, 0);
        spot->row.state = TIDE_OCCUPANCY_unknown;
        spot->row.since_ms = step->now_ms;
        spot->row.due_ms = 0;
        spot->row.settle_ms = 0;
        zone_touch(engine, slot->row.zone);
        waits_freed(engine, slot->row.zone);
    }
    step_put(step, TIDE_REC_spot, &spot->row);
    spot_due(engine, spot);
}
