/* audit_gate.c - the arm and the cars: who lives there always enters, who leaves is never held,
 * one car stands on one slot, and a fact is taken once.
 */
#include <string.h>

#include "tests/sim/audit_state.h"

/* ---- cars ---------------------------------------------------------------------------------- */
static void check_session(struct audit *audit, const struct audit_change *change)
{
    const struct tide_session *was = &change->was.session, *is = &change->is.session;
    if (change->had && was->state == TIDE_SESSION_STATE_ended &&
        audit->event->kind != TIDE_REC_forget)
        audit_fail(audit, "session %u was over and changed", is->id);
    if (change->had && was->slot != is->slot)
        audit_fail(audit, "the car of session %u was moved from slot %u to %u", is->id, was->slot,
                   is->slot);
    if (is->state == TIDE_SESSION_STATE_ended) {
        if (is->end_ms == 0 || is->end_ms < is->start_ms)
            audit_fail(audit, "session %u ended at no time", is->id);
        return;
    }
    for (uint32_t i = 0; i < audit->live_sessions.count; i++) {
        const union tide_any *row =
            sim_rows_find(audit->rows, TIDE_REC_session, audit->live_sessions.list[i], 0, 0);
        const struct tide_session *other = &row->session;
        if (other->id == is->id)
            continue;
        if (other->plate == is->plate)
            audit_fail(audit, "plate %u is there twice: sessions %u and %u", is->plate, other->id,
                       is->id);
        if (other->slot != 0 && other->slot == is->slot)
            audit_fail(audit, "two cars on slot %u: sessions %u and %u", is->slot, other->id,
                       is->id);
    }
}

/* ---- the arm ------------------------------------------------------------------------------- */
struct answer { /* what an event said to the arm */
    unsigned passages, commands;
    const struct tide_passage *passage;
    const struct tide_command *command;
};

static struct answer answer_of(const struct audit *audit)
{
    struct answer answer = {.passages = 0};
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->verb != ENGINE_PUT)
            continue;
        if (change->kind == TIDE_REC_passage) {
            answer.passages++;
            answer.passage = &change->is.passage;
        }
        if (change->kind == TIDE_REC_command) {
            answer.commands++;
            answer.command = &change->is.command;
        }
    }
    return answer;
}

/* The vehicle row of a plate before this event, when it holds now. */
static const struct tide_vehicle *right_of(const struct audit *audit, tide_id plate)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_vehicle, plate, 0, 0);
    if (row == NULL || (row->vehicle.until_ms != 0 && row->vehicle.until_ms <= audit->when_ms))
        return NULL;
    return &row->vehicle;
}

/* What a plate has at a compound before this event: a promise for now, or its car is in. */
struct has {
    bool promise, inside, resident, emergency, blocked;
};

static bool promise_holds(const struct audit *audit, const struct tide_booking *booking,
                          tide_id place)
{
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, booking->zone, 0, 0);
    tide_ms early = audit_setting(audit, TIDE_SETTING_early_min) * TIDE_MINUTE_MS;
    return booking->state == TIDE_BOOKING_STATE_booked && zone != NULL &&
           zone->zone.place == place && booking->start_ms - early <= audit->when_ms &&
           booking->end_ms > audit->when_ms;
}

static struct has has_of(const struct audit *audit, tide_id plate, tide_id place)
{
    struct has has = {.promise = false};
    const struct tide_vehicle *vehicle = right_of(audit, plate);
    if (vehicle != NULL) {
        has.emergency = vehicle->kind == TIDE_VEHICLE_KIND_emergency;
        has.blocked = vehicle->kind == TIDE_VEHICLE_KIND_blocked;
        has.resident =
            !has.emergency && !has.blocked && audit_within(audit, vehicle->household, place);
    }
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *booking = audit_booking(audit, audit->live_bookings.list[i]);
        has.promise |= booking->plate == plate && promise_holds(audit, booking, place);
    }
    for (uint32_t i = 0; i < audit->change_count; i++) { /* as it was when the car came */
        const struct audit_change *change = &audit->changes[i];
        has.promise |= change->kind == TIDE_REC_booking && change->had &&
                       change->was.booking.plate == plate &&
                       promise_holds(audit, &change->was.booking, place);
    }
    for (uint32_t i = 0; i < audit->live_sessions.count; i++) {
        const union tide_any *row =
            sim_rows_find(audit->rows, TIDE_REC_session, audit->live_sessions.list[i], 0, 0);
        has.inside |=
            row->session.plate == plate && row->session.place == place && row->session.booking != 0;
    }
    return has;
}

static bool may_enter(const struct has *has)
{
    return !has->blocked && (has->emergency || has->resident || has->promise || has->inside);
}

/* Who has no right, and is no misreading of somebody who has, stays outside; who was promised a
 * place for now is let in, or his promise is broken in the same breath, or he is told to wait. */
static void check_stranger(struct audit *audit, const struct answer *answer, tide_id place)
{
    const struct tide_plate_seen *seen = &audit->event->as.plate_seen;
    const tide_id alternates[] = {seen->alt1, seen->alt2, seen->alt3, seen->alt4};
    struct has own = has_of(audit, seen->plate, place);
    bool open = answer->command->kind == TIDE_COMMAND_KIND_open;
    unsigned candidates = 0;
    for (size_t i = 0; i < sizeof alternates / sizeof *alternates; i++) {
        struct has other = has_of(audit, alternates[i], place);
        candidates += alternates[i] != 0 && may_enter(&other);
    }
    if (seen->plate_class >= TIDE_PLATE_CLASS_armed_police)
        return;
    if (open && !may_enter(&own) && (candidates != 1 || own.blocked))
        audit_fail(audit, "plate %u has no right and was let in (%u candidates)", seen->plate,
                   candidates);
    if (!open && may_enter(&own) && answer->passage->why != TIDE_WHY_overstayer &&
        answer->passage->why != TIDE_WHY_too_early)
        audit_fail(audit, "plate %u was promised a place and is held: %s", seen->plate,
                   tide_enum_name(TIDE_FT_enum_why, answer->passage->why));
}

static void check_opened(struct audit *audit, const struct answer *answer, bool open,
                         const char *who)
{
    enum tide_command_kind kind = open ? TIDE_COMMAND_KIND_open : TIDE_COMMAND_KIND_deny;
    if (answer->command->kind != kind)
        audit_fail(audit, "%s: the arm was told %s", who,
                   tide_enum_name(TIDE_FT_enum_command_kind, answer->command->kind));
}

static void check_plate_seen(struct audit *audit)
{
    const struct tide_plate_seen *seen = &audit->event->as.plate_seen;
    struct answer answer = answer_of(audit);
    const union tide_any *lane = sim_rows_find(audit->rows, TIDE_REC_lane, seen->lane, 0, 0);
    if (audit->reply.code != TIDE_CODE_ok)
        return;
    if (answer.passages != 1 || answer.commands != (seen->replay ? 0u : 1u) || lane == NULL) {
        audit_fail(audit, "a plate was seen: %u passages, %u commands", answer.passages,
                   answer.commands);
        return;
    }
    if (seen->replay)
        return;
    if (answer.command->ask != seen->ask || answer.command->gateway != audit->event->user ||
        (answer.command->kind == TIDE_COMMAND_KIND_open) !=
            (answer.passage->decision == TIDE_DECISION_open))
        audit_fail(audit, "command %u is not the answer to what was asked", answer.command->id);
    enum tide_lane_dir dir = lane->lane.dir != TIDE_LANE_DIR_both
                                 ? (enum tide_lane_dir)lane->lane.dir
                                 : (enum tide_lane_dir)seen->dir;
    if (seen->plate == 0)
        return;
    if (dir == TIDE_LANE_DIR_out) {
        check_opened(audit, &answer, true, "who leaves is held");
        return;
    }
    const struct tide_vehicle *vehicle = right_of(audit, seen->plate);
    if (vehicle == NULL)
        check_stranger(audit, &answer, lane->lane.place);
    else if (vehicle->kind == TIDE_VEHICLE_KIND_emergency)
        check_opened(audit, &answer, true, "an emergency vehicle is held");
    else if (vehicle->kind == TIDE_VEHICLE_KIND_blocked)
        check_opened(audit, &answer, false, "a blocked vehicle enters");
    else if (audit_within(audit, vehicle->household, lane->lane.place))
        check_opened(audit, &answer, true, "a resident is locked out of home");
    else
        check_stranger(audit, &answer, lane->lane.place);
}

/* ---- facts --------------------------------------------------------------------------------- */
static bool numbers_of(const struct engine_event *event, uint32_t *ret_boot, uint32_t *ret_seq)
{
    const struct tide_record *desc = tide_record_of(event->kind);
    bool found = false;
    for (unsigned i = 0; i < desc->field_count; i++) {
        if (strcmp(desc->fields[i].name, "boot") == 0)
            *ret_boot = (uint32_t)tide_field_get(&desc->fields[i], &event->as);
        if (strcmp(desc->fields[i].name, "seq") == 0) {
            *ret_seq = (uint32_t)tide_field_get(&desc->fields[i], &event->as);
            found = true;
        }
    }
    return found && event->kind != TIDE_REC_hello;
}

/* What the cursor of this gateway was before the event. */
static void cursor_before(const struct audit *audit, uint32_t *ret_boot, uint32_t *ret_seq)
{
    const union tide_any *row =
        sim_rows_find(audit->rows, TIDE_REC_gateway_cursor, audit->event->user, 0, 0);
    *ret_boot = *ret_seq = 0;
    if (row != NULL) {
        *ret_boot = row->gateway_cursor.boot;
        *ret_seq = row->gateway_cursor.seq;
    }
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind != TIDE_REC_gateway_cursor)
            continue;
        *ret_boot = change->had ? change->was.gateway_cursor.boot : 0;
        *ret_seq = change->had ? change->was.gateway_cursor.seq : 0;
        return;
    }
}

static void check_fact(struct audit *audit)
{
    uint32_t boot = 0, seq = 0, had_boot, had_seq;
    if (!numbers_of(audit->event, &boot, &seq))
        return;
    cursor_before(audit, &had_boot, &had_seq);
    bool next = boot == had_boot ? seq == had_seq + 1 : boot > had_boot && seq == 1;
    if (!next && audit->change_count > 0)
        audit_fail(audit, "fact %u.%u of gateway %u was taken after %u.%u", boot, seq,
                   audit->event->user, had_boot, had_seq);
    if (next && audit->reply.code == TIDE_CODE_stale)
        audit_fail(audit, "fact %u.%u of gateway %u is the next one and was called stale", boot,
                   seq, audit->event->user);
}

void audit_gate_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->verb != ENGINE_PUT)
            continue;
        if (change->kind == TIDE_REC_session)
            check_session(audit, change);
        if (change->kind == TIDE_REC_passage)
            audit->counts.passages++;
        if (change->kind == TIDE_REC_incident && !change->had)
            audit->counts.incidents[change->is.incident.kind & 7]++;
    }
    check_fact(audit);
    if (audit->event->kind == TIDE_REC_plate_seen)
        check_plate_seen(audit);
    if (audit->event->kind == TIDE_REC_hand && audit->reply.code == TIDE_CODE_ok) {
        struct answer answer = answer_of(audit);
        if (answer.commands == 1)
            check_opened(audit, &answer, true, "the guard's hand");
    }
}
