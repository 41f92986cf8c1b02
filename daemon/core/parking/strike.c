/* strike.c - what is held against a household: shown, contested, decided by somebody else, and gone
 * after its time.
 *
 *   made ──► pending ──nobody objects for contest_days──────────────► upheld ──life_days──► expired
 *     │         └──contest──► contested ──upheld by the committee──────┘
 *     │             │             └── void by it, or nobody decides for decide_days ──► void
 *     └─ void at once: ───────────┴──► or later: the gate was alone then, the party is forgotten
 *        the rules bind nobody, or somebody else was the cause
 *
 * Only what is upheld counts: against the household's lead, and its charge is posted then. Until
 * then the charge is pending_min of the account. What is void never counted at all.
 */
#include "daemon/core/parking/strike.h"

#include "daemon/core/authority.h"
#include "daemon/core/ledger.h"
#include "daemon/core/notice.h"

#define ROLES_JUDGE (ROLE_BIT(TIDE_ROLE_committee) | ROLE_BIT(TIDE_ROLE_property))

static struct strike_state *strike_of(const struct engine *engine, tide_id id)
{
    return table_find(&engine->strikes, id);
}

static tide_id place_of_strike(const struct engine *engine, const struct tide_strike *row)
{
    const struct zone_state *zone = zone_of(engine, row->zone);
    CHECK(zone != NULL);
    return zone->row.place;
}

static tide_ms days_ms(const struct engine *engine, enum tide_setting key)
{
    return engine->setting[key] * TIDE_DAY_MS;
}

/* ---- lists ---------------------------------------------------------------------------------- */
void strike_attach(struct engine *engine, struct strike_state *strike)
{
    struct place_state *household = place_of(engine, strike->row.household);
    CHECK(household != NULL);
    strike->next_of_household = household->first_strike;
    household->first_strike = strike->row.id;
    household->strikes += strike->row.state == TIDE_STRIKE_STATE_upheld;
}

static void strike_detach(struct engine *engine, struct strike_state *strike)
{
    struct place_state *household = place_of(engine, strike->row.household);
    uint32_t *link = &household->first_strike;
    while (*link != strike->row.id) {
        CHECK(*link != 0);
        link = &strike_of(engine, *link)->next_of_household;
    }
    *link = strike->next_of_household;
    household->strikes -= strike->row.state == TIDE_STRIKE_STATE_upheld;
    heap_set(&engine->heap, DUE_STRIKE, strike->row.id, &strike->due_position, DUE_NEVER);
}

void strike_due(struct engine *engine, struct strike_state *strike)
{
    const struct tide_strike *row = &strike->row;
    tide_ms due = row->state == TIDE_STRIKE_STATE_pending     ? row->contest_until_ms
                  : row->state == TIDE_STRIKE_STATE_contested ? row->decide_until_ms
                                                              : row->expires_ms;
    heap_set(&engine->heap, DUE_STRIKE, row->id, &strike->due_position, due);
}

/* ---- words ---------------------------------------------------------------------------------- */
static struct tide_notice notice_of(const struct tide_strike *row, enum tide_notice_kind kind)
{
    return (struct tide_notice){.kind = (uint8_t)kind,
                                .strike = row->id,
                                .strike_kind = row->kind,
                                .minutes = row->minutes,
                                .witness = row->witness,
                                .booking = row->booking,
                                .incident = row->incident,
                                .plate = row->plate,
                                .zone = row->zone,
                                .start_ms = row->at_ms,
                                .end_ms = row->contest_until_ms,
                                .why = row->why};
}

static void tell_party(struct step *step, const struct tide_strike *row, enum tide_notice_kind kind)
{
    notice_one(step, row->person, row->household, notice_of(row, kind));
}

/* ---- evidence ------------------------------------------------------------------------------- */
/* Who saw it: what brought the event at hand. A driver who tells of himself is no reporter. */
static void witness(const struct step *step, struct tide_strike *row)
{
    switch (step->event->kind) {
    case TIDE_REC_slot_seen:
        row->witness = TIDE_WITNESS_sensor;
        break;
    case TIDE_REC_plate_seen:
    case TIDE_REC_gate_report:
        row->witness = TIDE_WITNESS_gate;
        break;
    case TIDE_REC_tick:
        row->witness = TIDE_WITNESS_clock;
        break;
    default:
        row->witness = TIDE_WITNESS_hand;
        row->reporter = step->household != row->household ? step->person : 0;
    }
}

/* A gate of the place decided by itself, or was cut off, in the time that the evidence covers. */
static bool gate_was_alone(const struct engine *engine, const struct tide_strike *row)
{
    const struct zone_state *zone = zone_of(engine, row->zone);
    uint32_t cursor = 0;
    const struct lane_state *lane;
    if ((zone->row.sense & TIDE_SENSE_GATE) == 0)
        return false;
    while ((lane = table_next(&engine->lanes, &cursor)) != NULL) {
        const struct tide_gateway_cursor *gate = table_find(&engine->cursors, lane->row.gateway);
        if (gate != NULL && gate->alone_ms >= row->start_ms &&
            place_within(engine, zone->row.place, lane->row.place))
            return true;
    }
    return false;
}

/* The slot's sensor must bear it out: of who did not come, that the slot was empty all through; of
 * who left late, that it was not empty before the grace was over. */
static bool sensor_doubts(const struct engine *engine, const struct tide_strike *row)
{
    const struct slot_state *slot = slot_of(engine, row->slot);
    const struct zone_state *zone = zone_of(engine, row->zone);
    const struct spot_state *spot = spot_of(engine, row->slot);
    tide_ms grace_ms = engine->setting[TIDE_SETTING_overstay_grace_min] * TIDE_MINUTE_MS;
    bool has_sensor = spot != NULL || ((zone->row.sense & TIDE_SENSE_SENSOR) != 0 && slot != NULL &&
                                       slot->row.sensed);
    if (!has_sensor)
        return false;
    if (spot == NULL || spot->row.state == TIDE_OCCUPANCY_unknown)
        return true;
    bool empty = spot->row.state == TIDE_OCCUPANCY_free;
    if (row->kind == TIDE_STRIKE_KIND_no_show)
        return !empty || spot->row.since_ms > row->start_ms;
    return empty && spot->row.since_ms < row->start_ms + grace_ms;
}

static bool is_bound(const struct engine *engine, const struct tide_strike *row)
{
    const struct person_state *person = person_of(engine, row->person);
    int64_t version = engine->setting[TIDE_SETTING_rules_text_version];
    return version != 0 && person != NULL && person->row.rules_version >= version;
}

/* Why it is void from the beginning; none when it is not. */
static enum tide_why void_because(const struct engine *engine, const struct tide_booking *booking,
                                  const struct tide_strike *row)
{
    if (booking->outside != TIDE_WHY_none)
        return (enum tide_why)booking->outside;
    if (booking->disturbed != TIDE_WHY_none)
        return (enum tide_why)booking->disturbed;
    if (sensor_doubts(engine, row))
        return TIDE_WHY_sensor_unsure;
    if (gate_was_alone(engine, row))
        return TIDE_WHY_local_list;
    return is_bound(engine, row) ? TIDE_WHY_none : TIDE_WHY_rules_not_accepted;
}

/* ---- made ----------------------------------------------------------------------------------- */
void strike_make(struct step *step, const struct tide_booking *booking, struct tide_strike what)
{
    struct engine *engine = step->engine;
    bool late = what.kind == TIDE_STRIKE_KIND_overstay;
    what.household = booking->household;
    what.person = booking->person;
    what.plate = booking->plate;
    what.booking = booking->id;
    what.zone = booking->zone;
    what.slot = booking->slot;
    what.incident = late ? incident_open_of(engine, booking->id, TIDE_INCIDENT_KIND_overstay) : 0;
    what.start_ms = late ? booking->end_ms : booking->start_ms;
    what.rules_version = (uint16_t)engine->setting[TIDE_SETTING_rules_text_version];
    what.made_ms = step->now_ms;
    witness(step, &what);
    what.why = (uint8_t)void_because(engine, booking, &what);
    if (what.why == TIDE_WHY_none && engine->strikes.count == engine->strikes.cap)
        what.why = TIDE_WHY_pool_full; /* what cannot be shown and contested does not count */
    what.id = step_new_id(step, TIDE_COUNTER_strike);
    trace(engine, "strike.made", what.kind, what.household, what.why);
    if (what.why != TIDE_WHY_none) {
        what.state = TIDE_STRIKE_STATE_void;
        what.decided_ms = step->now_ms;
        step_put(step, TIDE_REC_strike, &what);
        return;
    }
    what.contest_until_ms = step->now_ms + days_ms(engine, TIDE_SETTING_strike_contest_days);
    what.expires_ms = step->now_ms + days_ms(engine, TIDE_SETTING_strike_life_days);
    struct strike_state *strike = table_add(&engine->strikes, what.id);
    CHECK(strike != NULL);
    strike->row = what;
    strike_attach(engine, strike);
    strike_due(engine, strike);
    step_put(step, TIDE_REC_strike, &strike->row);
    ledger_pend(step, what.household, what.charge_min);
    tell_party(step, &strike->row, TIDE_NOTICE_KIND_strike_made);
}

/* ---- how it ends ---------------------------------------------------------------------------- */
static void strike_uphold(struct step *step, struct strike_state *strike)
{
    struct tide_strike *row = &strike->row;
    struct place_state *household = place_of(step->engine, row->household);
    row->state = TIDE_STRIKE_STATE_upheld;
    row->decided_by = step->person;
    row->decided_ms = step->now_ms;
    household->strikes++;
    ledger_pend(step, row->household, -row->charge_min);
    row->charged_min = ledger_post(step, TIDE_POSTING_REASON_overstay, row->household, row->lender,
                                   row->charge_min, row->booking);
    strike_due(step->engine, strike);
    step_put(step, TIDE_REC_strike, row);
    trace(step->engine, "strike.upheld", row->id, row->household, row->charged_min);
    tell_party(step, row, TIDE_NOTICE_KIND_strike_decided);
}

/* Ends one that lives. Quiet when it expires; else its party is told. */
static void strike_end(struct step *step, struct strike_state *strike, enum tide_strike_state state,
                       enum tide_why why)
{
    struct tide_strike row = strike->row;
    bool counted = row.state == TIDE_STRIKE_STATE_upheld;
    strike_detach(step->engine, strike);
    table_remove(&step->engine->strikes, strike);
    if (!counted)
        ledger_pend(step, row.household, -row.charge_min);
    row.state = (uint8_t)state;
    row.why = (uint8_t)why;
    if (state == TIDE_STRIKE_STATE_void) {
        row.decided_ms = step->now_ms;
        row.decided_by = why == TIDE_WHY_none ? step->person : 0;
        tell_party(step, &row, TIDE_NOTICE_KIND_strike_decided);
    }
    step_put(step, TIDE_REC_strike, &row);
    trace(step->engine, "strike.end", row.id, state, why);
}

void strike_fall_due(struct step *step, struct strike_state *strike)
{
    if (strike->row.state == TIDE_STRIKE_STATE_pending)
        strike_uphold(step, strike); /* nobody objected */
    else if (strike->row.state == TIDE_STRIKE_STATE_contested)
        strike_end(step, strike, TIDE_STRIKE_STATE_void, TIDE_WHY_undecided);
    else
        strike_end(step, strike, TIDE_STRIKE_STATE_expired, TIDE_WHY_none);
}

/* The strike with the lowest id above `after` for which `is` holds. */
static struct strike_state *strike_above(const struct engine *engine, tide_id after,
                                         bool (*is)(const struct engine *engine,
                                                    const struct tide_strike *row, const void *arg),
                                         const void *arg)
{
    uint32_t cursor = 0, left = engine->strikes.count;
    struct strike_state *strike, *found = NULL;
    while (left-- > 0 && (strike = table_next(&engine->strikes, &cursor)) != NULL)
        if (strike->row.id > after && (found == NULL || strike->row.id < found->row.id) &&
            is(engine, &strike->row, arg))
            found = strike;
    return found;
}

struct alone {
    tide_id place;
    tide_ms at_ms;
};

static bool is_covered(const struct engine *engine, const struct tide_strike *row, const void *arg)
{
    const struct alone *alone = arg;
    const struct zone_state *zone = zone_of(engine, row->zone);
    return row->state != TIDE_STRIKE_STATE_upheld && row->start_ms <= alone->at_ms &&
           alone->at_ms <= row->at_ms && (zone->row.sense & TIDE_SENSE_GATE) != 0 &&
           place_within(engine, zone->row.place, alone->place);
}

void strikes_gate_alone(struct step *step, tide_id place, tide_ms at_ms)
{
    struct alone alone = {place, at_ms};
    struct strike_state *strike;
    for (unsigned n = 0; n < TIDE_STRIKES_VOIDED_A_STEP; n++) {
        strike = strike_above(step->engine, 0, is_covered, &alone);
        if (strike == NULL)
            return;
        strike_end(step, strike, TIDE_STRIKE_STATE_void, TIDE_WHY_local_list);
    }
}

static bool is_of_person(const struct engine *engine, const struct tide_strike *row,
                         const void *arg)
{
    (void)engine;
    return row->person == *(const tide_id *)arg;
}

void strikes_forget(struct step *step, tide_id person)
{
    struct strike_state *strike;
    while ((strike = strike_above(step->engine, 0, is_of_person, &person)) != NULL)
        strike_end(step, strike, TIDE_STRIKE_STATE_void, TIDE_WHY_withdrawn);
}

/* ---- what it does --------------------------------------------------------------------------- */
bool strikes_allow(const struct engine *engine, tide_id household, tide_ms start_ms,
                   struct tide_reply *ret_reply)
{
    const struct place_state *place = place_of(engine, household);
    int64_t most = engine->setting[TIDE_SETTING_strikes_max];
    tide_ms lead_ms = engine->setting[TIDE_SETTING_strike_lead_min] * TIDE_MINUTE_MS;
    if (most == 0 || place->strikes < most || start_ms <= engine->now_ms + lead_ms)
        return true;
    tide_ms next_ms = 0;
    for (uint32_t id = place->first_strike; id != 0;) {
        const struct strike_state *strike = strike_of(engine, id);
        id = strike->next_of_household;
        if (strike->row.state == TIDE_STRIKE_STATE_upheld &&
            (next_ms == 0 || strike->row.expires_ms < next_ms))
            next_ms = strike->row.expires_ms;
    }
    *ret_reply = (struct tide_reply){.code = TIDE_CODE_quota,
                                     .why = TIDE_WHY_strikes,
                                     .limit = place->strikes,
                                     .free_from_ms = next_ms};
    trace(engine, "booking.refuse", ret_reply->code, ret_reply->why, ret_reply->limit);
    return false;
}

/* ---- asked ---------------------------------------------------------------------------------- */
/* The strike with this id that lives, or refused. */
static struct strike_state *strike_asked(struct step *step, tide_id id)
{
    struct strike_state *strike = strike_of(step->engine, id);
    if (strike == NULL)
        step_refuse_gone(step, TIDE_COUNTER_strike, id);
    return strike;
}

void strike_contest_take(struct step *step)
{
    struct engine *engine = step->engine;
    struct strike_state *strike = strike_asked(step, step->event->as.strike_contest.strike);
    if (strike == NULL)
        return;
    struct tide_strike *row = &strike->row;
    if (!step_owns(step, row->household, row->person)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        return;
    }
    /* Its time may be over before its deadline was looked at: while the clock is not trusted. */
    if (row->state != TIDE_STRIKE_STATE_pending || step->now_ms >= row->contest_until_ms) {
        step_refuse(step, TIDE_CODE_conflict,
                    row->state == TIDE_STRIKE_STATE_contested ? TIDE_WHY_duplicate
                                                              : TIDE_WHY_already_ended);
        return;
    }
    row->state = TIDE_STRIKE_STATE_contested;
    row->contested_ms = step->now_ms;
    row->decide_until_ms = step->now_ms + days_ms(engine, TIDE_SETTING_strike_decide_days);
    strike_due(engine, strike);
    step_put(step, TIDE_REC_strike, row);
    struct tide_notice what = notice_of(row, TIDE_NOTICE_KIND_strike_contested);
    what.end_ms = row->decide_until_ms;
    notice_duty(step, TIDE_ROLE_committee, place_of_strike(engine, row), what);
    notice_duty(step, TIDE_ROLE_property, place_of_strike(engine, row), what);
    step_ok(step, row->id);
    step_item(step, TIDE_REC_strike, row);
}

void strike_decide_take(struct step *step)
{
    const struct tide_strike_decide *ask = &step->event->as.strike_decide;
    struct strike_state *strike = strike_asked(step, ask->strike);
    if (strike == NULL)
        return;
    const struct tide_strike *row = &strike->row;
    tide_id id = row->id;
    if (!step_need_role(step, ROLES_JUDGE, place_of_strike(step->engine, row)))
        return;
    if (step->person == row->person || step->person == row->reporter ||
        (step->household != 0 && step->household == row->household)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_own_case);
    } else if (row->state != TIDE_STRIKE_STATE_contested || step->now_ms >= row->decide_until_ms) {
        step_refuse(step, TIDE_CODE_conflict,
                    row->state == TIDE_STRIKE_STATE_pending ? TIDE_WHY_too_early
                                                            : TIDE_WHY_already_ended);
    } else if (ask->verdict == TIDE_STRIKE_STATE_upheld) {
        strike_uphold(step, strike);
        step_ok(step, id);
    } else if (ask->verdict == TIDE_STRIKE_STATE_void) {
        strike_end(step, strike, TIDE_STRIKE_STATE_void, TIDE_WHY_none);
        step_ok(step, id);
    } else {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_none);
    }
}

static bool is_of_household(const struct engine *engine, const struct tide_strike *row,
                            const void *arg)
{
    (void)engine;
    return row->household == *(const tide_id *)arg;
}

static bool waits_in_zone(const struct engine *engine, const struct tide_strike *row,
                          const void *arg)
{
    (void)engine;
    return row->zone == *(const tide_id *)arg && row->state == TIDE_STRIKE_STATE_contested;
}

/* One's own that live; or, of a zone, those that wait for a decision. */
void strikes_ask(struct step *step)
{
    const struct tide_ask_strikes *ask = &step->event->as.ask_strikes;
    const struct zone_state *zone = zone_of(step->engine, ask->zone);
    struct party party = {0};
    if (ask->zone != 0 && zone == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (zone != NULL ? !step_need_role(step, ROLES_JUDGE | ROLES_DESK, zone->row.place)
                     : !step_party(step, ask->household, 0, &party))
        return;
    tide_id after = ask->after, what = zone != NULL ? ask->zone : party.household;
    const struct strike_state *strike = NULL;
    unsigned count = 0;
    while ((strike = strike_above(step->engine, after,
                                  zone != NULL ? waits_in_zone : is_of_household, &what)) != NULL &&
           count++ < TIDE_REPLY_ITEMS_MAX / 2) {
        after = strike->row.id;
        step_item(step, TIDE_REC_strike, &strike->row);
    }
    step_reply(step, &(struct tide_reply){.id = after, .more = strike != NULL});
}
