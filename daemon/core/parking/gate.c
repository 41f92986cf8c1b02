/* gate.c - the arm: who may pass, in which order the reasons are tried.
 *
 *   out                          open: who leaves is never held
 *   in   replayed                recorded, opens nothing
 *        emergency, police       open
 *        blocked                 deny
 *        resident's own plate    open: nobody is locked out of home; to the slot that he was
 *                                promised instead while his own is taken (overrun.c)
 *        a promise for now       open, and the booking is parked
 *        exactly one misreading  open for the one candidate with a right
 *        else                    deny, with the reason
 *
 * The decision goes down as a command, is written as a passage, and moves sessions.
 */
#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

/* A car before an arm, while it is decided. */
struct pass {
    const struct tide_lane *lane;
    enum tide_lane_dir dir;
    tide_id plate;
    enum tide_decision decision;
    enum tide_why why;
    tide_id booking, session, slot;
    enum tide_source source;
    tide_ms at_ms, device_ms;
    bool replayed;
    uint32_t ask;
};

/* ---- rights --------------------------------------------------------------------------------- */
struct right {
    enum tide_why why; /* resident, booking, emergency; blocked, too_early, unknown_plate */
    bool open;
    tide_id household;
    struct booking_state *booking;
};

static struct right right_of(const struct engine *engine, tide_id plate, tide_id place,
                             tide_ms now_ms)
{
    const struct vehicle_state *vehicle = vehicle_of(engine, plate);
    const struct plate_state *state = plate_of(engine, plate);
    const struct session_state *there = state != NULL ? session_of(engine, state->session) : NULL;
    tide_ms early_ms = engine->setting[TIDE_SETTING_early_min] * TIDE_MINUTE_MS;
    struct right right = {.why = TIDE_WHY_unknown_plate};
    if (vehicle != NULL && (vehicle->row.until_ms == 0 || vehicle->row.until_ms > now_ms)) {
        right.household = vehicle->row.household;
        if (vehicle->row.kind == TIDE_VEHICLE_KIND_emergency)
            return (struct right){.why = TIDE_WHY_emergency, .open = true};
        if (vehicle->row.kind == TIDE_VEHICLE_KIND_blocked)
            return (struct right){.why = TIDE_WHY_blocked};
        if (place_within(engine, vehicle->row.household, place)) {
            right.why = TIDE_WHY_resident;
            right.open = true;
            right.booking = booking_for_plate(engine, plate, place, now_ms, early_ms);
            return right;
        }
    }
    right.booking = booking_for_plate(engine, plate, place, now_ms, early_ms);
    if (right.booking != NULL) {
        right.why = TIDE_WHY_booking;
        right.open = true;
        return right;
    }
    if (there != NULL && there->row.place == place && there->row.booking != 0) {
        right.why = TIDE_WHY_booking; /* read twice: it is being let in already */
        right.open = true;
    } else if (state != NULL && state->bookings.first != 0) {
        right.why = TIDE_WHY_too_early;
    }
    return right;
}

/* The only candidate of a misread plate that has a right here; 0 when none or several have. */
static tide_id candidate(const struct engine *engine, const struct tide_plate_seen *seen,
                         tide_id place, tide_ms now_ms, bool *ret_several)
{
    const tide_id alternates[] = {seen->alt1, seen->alt2, seen->alt3, seen->alt4};
    tide_id found = 0;
    *ret_several = false;
    for (unsigned i = 0; i < sizeof alternates / sizeof *alternates; i++) {
        if (alternates[i] == 0 || alternates[i] == found ||
            !right_of(engine, alternates[i], place, now_ms).open)
            continue;
        *ret_several |= found != 0;
        found = alternates[i];
    }
    return *ret_several ? 0 : found;
}

bool engine_pass_of(const struct engine *engine, tide_id plate, tide_id place, tide_ms *ret_from_ms,
                    tide_ms *ret_until_ms, tide_id *ret_booking)
{
    const struct vehicle_state *vehicle = vehicle_of(engine, plate);
    const struct plate_state *state = plate_of(engine, plate);
    tide_ms early_ms = engine->setting[TIDE_SETTING_early_min] * TIDE_MINUTE_MS;
    tide_ms from_ms = INT64_MAX, until_ms = 0;
    tide_id first = 0;
    if (vehicle != NULL && vehicle->row.kind == TIDE_VEHICLE_KIND_blocked)
        return false;
    if (vehicle != NULL && (vehicle->row.kind == TIDE_VEHICLE_KIND_emergency ||
                            place_within(engine, vehicle->row.household, place))) {
        *ret_from_ms = 0;
        *ret_until_ms = vehicle->row.until_ms;
        *ret_booking = 0;
        return true;
    }
    for (uint32_t id = state != NULL ? state->bookings.first : 0; id != 0;) {
        const struct booking_state *booking = booking_of(engine, id);
        const struct tide_booking *row = &booking->row;
        id = order_next(engine, booking, ORDER_OF_PLATE);
        if (zone_of(engine, row->zone)->row.place != place)
            continue;
        first = first != 0 ? first : row->id;
        from_ms = row->start_ms - early_ms < from_ms ? row->start_ms - early_ms : from_ms;
        until_ms = row->end_ms > until_ms ? row->end_ms : until_ms;
    }
    if (first == 0)
        return false;
    *ret_from_ms = from_ms;
    *ret_until_ms = until_ms;
    *ret_booking = first;
    return true;
}

/* ---- entering and leaving ------------------------------------------------------------------- */
static tide_id own_slot_at(const struct engine *engine, tide_id household, tide_id place,
                           bool *ret_taken)
{
    const struct place_state *owner = place_of(engine, household);
    tide_id first = 0;
    *ret_taken = false;
    for (uint32_t id = owner != NULL ? owner->first_slot : 0; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_of_owner;
        if (zone_of(engine, slot->row.zone)->row.place != place)
            continue;
        if (!spot_taken_by_other(engine, slot, 0)) {
            *ret_taken = false;
            return slot->row.id;
        }
        if (first == 0)
            first = slot->row.id;
        *ret_taken = true;
    }
    return first;
}

static void owner_finds_taken(struct step *step, tide_id slot, tide_id plate, tide_id household)
{
    const struct slot_state *state = slot_of(step->engine, slot);
    const struct session_state *by = session_of(step->engine, state->session);
    if (by != NULL && by->row.household == household)
        return; /* the family's other car */
    incident_open(step, (struct tide_incident){.kind = TIDE_INCIDENT_KIND_owner_taken,
                                               .zone = state->row.zone,
                                               .slot = slot,
                                               .plate = by != NULL ? by->row.plate : plate,
                                               .booking = by != NULL ? by->row.booking : 0,
                                               .session = by != NULL ? by->row.id : 0,
                                               .household = household});
}

/* What a resident's car is let in for: its own promise; or, while his slot is taken, another slot
 * (overrun.c), which is given back when his is free after all. ret_taken: his slot, when it is. */
static struct booking_state *residents_booking(struct step *step, const struct pass *pass,
                                               const struct right *right, tide_id *ret_taken)
{
    struct booking_state *booking = right->booking;
    bool taken = false;
    tide_id own = own_slot_at(step->engine, right->household, pass->lane->place, &taken);
    const struct slot_state *slot = slot_of(step->engine, own);
    *ret_taken = taken ? own : 0;
    if (slot == NULL || (booking != NULL && booking->row.substitute_for == 0))
        return booking;
    if (taken)
        return booking != NULL ? booking : substitute_for_car(step, slot, pass->plate);
    if (booking != NULL && booking->row.reason == TIDE_WHY_overstayer) {
        booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
        booking = NULL;
    }
    return booking;
}

static void enter_resident(struct step *step, struct pass *pass, const struct right *right)
{
    bool taken = false;
    tide_id slot = own_slot_at(step->engine, right->household, pass->lane->place, &taken);
    struct arrival arrival = {.plate = pass->plate,
                              .place = pass->lane->place,
                              .household = right->household,
                              .slot = taken ? 0 : slot,
                              .right = TIDE_SESSION_RIGHT_standing,
                              .source = pass->source,
                              .at_ms = pass->at_ms};
    if (arrival.slot != 0)
        arrival.zone = slot_of(step->engine, slot)->row.zone;
    const struct session_state *session = session_begin(step, &arrival);
    pass->session = session != NULL ? session->row.id : 0;
    pass->slot = arrival.slot;
    if (taken)
        owner_finds_taken(step, slot, pass->plate, right->household);
}

static void enter_booked(struct step *step, struct pass *pass, struct booking_state *booking)
{
    tide_id id = booking->row.id;
    if (!booking_begin_early(step, booking)) {
        pass->decision = TIDE_DECISION_deny;
        pass->why = TIDE_WHY_too_early;
        pass->booking = id;
        return;
    }
    const struct session_state *session = booking_arrive(step, booking, pass->source, pass->at_ms);
    pass->booking = id;
    if (session == NULL) { /* its place is taken and there is no other */
        pass->decision = TIDE_DECISION_deny;
        pass->why = TIDE_WHY_overstayer;
        return;
    }
    pass->session = session->row.id;
    pass->slot = session->row.slot;
}

static void enter(struct step *step, struct pass *pass, const struct right *right)
{
    struct booking_state *booking = right->booking;
    tide_id taken = 0;
    const struct plate_state *plate = plate_of(step->engine, pass->plate);
    if (plate != NULL && plate->session != 0) { /* read twice, or it went out unseen */
        pass->session = plate->session;
        const struct session_state *session = session_of(step->engine, plate->session);
        pass->booking = session->row.booking;
        pass->slot = session->row.slot;
        return;
    }
    if (right->why == TIDE_WHY_resident)
        booking = residents_booking(step, pass, right, &taken);
    if (right->why == TIDE_WHY_booking || booking != NULL) {
        tide_id for_slot = booking->row.substitute_for;
        enter_booked(step, pass, booking);
        if (pass->decision == TIDE_DECISION_open && for_slot != 0 && for_slot == taken)
            owner_finds_taken(step, taken, pass->plate, right->household);
        if (pass->decision == TIDE_DECISION_open || right->why == TIDE_WHY_booking)
            return;
        pass->decision = TIDE_DECISION_open; /* a resident goes home whatever his booking says */
        pass->why = TIDE_WHY_resident;
    }
    if (right->why == TIDE_WHY_resident)
        enter_resident(step, pass, right);
}

static void decide_in(struct step *step, struct pass *pass, const struct tide_plate_seen *seen)
{
    const struct engine *engine = step->engine;
    struct right right = right_of(engine, pass->plate, pass->lane->place, pass->at_ms);
    pass->why = right.why;
    unsigned class = seen != NULL ? seen->plate_class : TIDE_PLATE_CLASS_unknown;
    if (class == TIDE_PLATE_CLASS_police || class == TIDE_PLATE_CLASS_armed_police) {
        right = (struct right){.why = TIDE_WHY_emergency, .open = true};
        pass->why = right.why;
    }
    if (!right.open && right.why == TIDE_WHY_unknown_plate && seen != NULL) {
        bool several = false;
        tide_id other = candidate(engine, seen, pass->lane->place, pass->at_ms, &several);
        if (other != 0) {
            trace(engine, "gate.misread", pass->plate, other, 0);
            pass->plate = other;
            right = right_of(engine, other, pass->lane->place, pass->at_ms);
            pass->why = TIDE_WHY_misread;
        } else if (several) {
            pass->why = TIDE_WHY_ambiguous;
        }
    }
    pass->decision = right.open ? TIDE_DECISION_open : TIDE_DECISION_deny;
    if (right.open)
        enter(step, pass, &right);
}

static void leave_by_gate(struct step *step, struct pass *pass)
{
    const struct plate_state *plate = plate_of(step->engine, pass->plate);
    struct session_state *session = plate != NULL ? session_of(step->engine, plate->session) : NULL;
    pass->decision = TIDE_DECISION_open;
    pass->why = TIDE_WHY_leaving;
    if (session == NULL || session->row.place != pass->lane->place)
        return;
    pass->session = session->row.id;
    pass->booking = session->row.booking;
    session_end(step, session, pass->at_ms);
}

/* ---- writing it down ------------------------------------------------------------------------ */
static tide_id passage_write(struct step *step, const struct pass *pass)
{
    struct tide_passage row = {.id = step_new_id(step, TIDE_COUNTER_passage),
                               .lane = pass->lane->id,
                               .dir = (uint8_t)pass->dir,
                               .plate = pass->plate,
                               .decision = (uint8_t)pass->decision,
                               .why = (uint8_t)pass->why,
                               .booking = pass->booking,
                               .session = pass->session,
                               .at_ms = step->now_ms,
                               .device_ms = pass->device_ms,
                               .replayed = pass->replayed,
                               .source = (uint8_t)pass->source};
    step_put(step, TIDE_REC_passage, &row);
    trace(step->engine, "gate.passage", row.decision, row.why, pass->plate);
    return row.id;
}

static void command_write(struct step *step, const struct pass *pass)
{
    struct tide_command row = {.id = step_new_id(step, TIDE_COUNTER_command),
                               .gateway = pass->lane->gateway,
                               .lane = pass->lane->id,
                               .kind = pass->decision == TIDE_DECISION_open
                                           ? TIDE_COMMAND_KIND_open
                                           : TIDE_COMMAND_KIND_deny,
                               .state = TIDE_COMMAND_STATE_sent,
                               .plate = pass->plate,
                               .why = (uint8_t)pass->why,
                               .booking = pass->booking,
                               .slot = pass->slot,
                               .at_ms = step->now_ms,
                               .ask = pass->ask};
    step_put(step, TIDE_REC_command, &row);
}

static enum tide_lane_dir direction(const struct tide_lane *lane, unsigned said)
{
    return lane->dir != TIDE_LANE_DIR_both ? (enum tide_lane_dir)lane->dir
                                           : (enum tide_lane_dir)said;
}

/* The lane, if it is this gateway's. Else the fact is taken (it counts) and means nothing. */
static const struct tide_lane *lane_asked(struct step *step, tide_id id)
{
    const struct lane_state *lane = table_find(&step->engine->lanes, id);
    if (lane != NULL && lane->row.gateway == step->user)
        return &lane->row;
    step_reply(step, &(struct tide_reply){.why = TIDE_WHY_not_yours});
    return NULL;
}

void plate_seen_take(struct step *step)
{
    const struct tide_plate_seen *seen = &step->event->as.plate_seen;
    if (!step_need_role(step, ROLE_BIT(TIDE_ROLE_gateway), 0) ||
        !cursor_take(step, seen->boot, seen->seq))
        return;
    const struct tide_lane *lane = lane_asked(step, seen->lane);
    if (lane == NULL)
        return;
    struct pass pass = {.lane = lane,
                        .dir = direction(lane, seen->dir),
                        .plate = seen->plate,
                        .source = TIDE_SOURCE_camera,
                        .at_ms = step->now_ms,
                        .device_ms = seen->device_ms,
                        .replayed = seen->replay,
                        .ask = seen->ask};
    if (seen->replay)
        cursor_alone(step, lane->place, seen->device_ms);
    if (seen->plate == 0) {
        pass.decision = TIDE_DECISION_deny;
        pass.why = TIDE_WHY_unknown_plate;
    } else if (seen->replay) {
        pass.why = TIDE_WHY_replayed;
    } else if (pass.dir == TIDE_LANE_DIR_out) {
        leave_by_gate(step, &pass);
    } else {
        decide_in(step, &pass, seen);
    }
    tide_id id = passage_write(step, &pass);
    if (!seen->replay)
        command_write(step, &pass);
    step_ok(step, id);
}

/* The gateway's list decided because nobody answered in time: history that moves sessions. */
void gate_report_take(struct step *step)
{
    const struct tide_gate_report *report = &step->event->as.gate_report;
    if (!step_need_role(step, ROLE_BIT(TIDE_ROLE_gateway), 0) ||
        !cursor_take(step, report->boot, report->seq))
        return;
    const struct tide_lane *lane = lane_asked(step, report->lane);
    if (lane == NULL)
        return;
    struct pass pass = {.lane = lane,
                        .dir = direction(lane, report->dir),
                        .plate = report->plate,
                        .source = TIDE_SOURCE_camera,
                        .at_ms = step->now_ms,
                        .device_ms = report->device_ms,
                        .replayed = true,
                        .ask = report->ask};
    cursor_alone(step, lane->place, report->device_ms);
    bool opened = report->decision == TIDE_DECISION_open && report->plate != 0;
    if (opened && pass.dir == TIDE_LANE_DIR_out)
        leave_by_gate(step, &pass);
    else if (opened)
        decide_in(step, &pass, NULL);
    pass.decision = (enum tide_decision)report->decision;
    pass.why = TIDE_WHY_local_list;
    step_ok(step, passage_write(step, &pass));
}

void hand_take(struct step *step)
{
    const struct tide_hand *hand = &step->event->as.hand;
    const struct lane_state *lane = table_find(&step->engine->lanes, hand->lane);
    if (lane == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_GATE, lane->row.place))
        return;
    struct pass pass = {.lane = &lane->row,
                        .dir = direction(&lane->row, hand->dir),
                        .plate = hand->plate,
                        .source = TIDE_SOURCE_guard,
                        .at_ms = step->now_ms};
    if (hand->plate != 0 && pass.dir == TIDE_LANE_DIR_out)
        leave_by_gate(step, &pass);
    else if (hand->plate != 0)
        decide_in(step, &pass, NULL);
    pass.decision = TIDE_DECISION_open; /* the guard's hand always opens */
    pass.why = TIDE_WHY_by_hand;
    tide_id id = passage_write(step, &pass);
    if (lane->row.gateway != 0)
        command_write(step, &pass);
    step_ok(step, id);
}

void command_done_take(struct step *step)
{
    const struct tide_command_done *done = &step->event->as.command_done;
    if (!step_need_role(step, ROLE_BIT(TIDE_ROLE_gateway), 0) ||
        !cursor_take(step, done->boot, done->seq))
        return;
    if (done->command == 0 || done->command >= step->engine->counter[TIDE_COUNTER_command]) {
        step_reply(step, &(struct tide_reply){.why = TIDE_WHY_not_yours});
        return;
    }
    step_put(step, TIDE_REC_outcome,
             &(struct tide_outcome){
                 .command = done->command, .state = done->state, .at_ms = step->now_ms});
    step_ok(step, done->command);
}
