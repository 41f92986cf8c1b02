/* tide.c - what may be looked at: quotes, the tide of a zone, lists, the guard's sheet.
 *
 * All here is const: a question changes nothing. What is public is pooled; which slot is empty is
 * never told but to those whose duty it is (design, absence privacy).
 */
#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"

#define HOUR_MS (60 * TIDE_MINUTE_MS)

void zone_touch(struct engine *engine, tide_id zone)
{
    struct zone_state *state = zone_of(engine, zone);
    if (state == NULL || state->dirty)
        return;
    state->dirty = 1;
    engine->dirty_zones++;
}

tide_id engine_take_dirty_zone(struct engine *engine)
{
    uint32_t cursor = 0;
    struct zone_state *zone;
    if (engine->dirty_zones == 0)
        return 0;
    while ((zone = table_next(&engine->zones, &cursor)) != NULL) {
        if (!zone->dirty)
            continue;
        zone->dirty = 0;
        engine->dirty_zones--;
        return zone->row.id;
    }
    CHECK(false); /* one was counted */
    return 0;
}

/* ---- the tide ------------------------------------------------------------------------------- */
static bool promised_in(const struct engine *engine, const struct slot_state *slot,
                        struct span span)
{
    for (uint32_t id = slot->bookings.first; id != 0;) {
        const struct booking_state *booking = booking_of(engine, id);
        struct span theirs = booking_span(&booking->row, 0);
        if (theirs.from >= span.until)
            return false; /* the list is ordered by start */
        if (span.from < theirs.until)
            return true;
        id = order_next(engine, booking, ORDER_OF_SLOT);
    }
    return false;
}

void engine_tide_hour(const struct engine *engine, tide_id zone, tide_ms start_ms,
                      struct tide_tide_hour *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    struct span span = {grain_floor(start_ms), grain_floor(start_ms + HOUR_MS), 0};
    bool is_now = start_ms <= engine->now_ms && engine->now_ms < start_ms + HOUR_MS;
    *ret = (struct tide_tide_hour){.zone = zone, .start_ms = start_ms};
    for (uint32_t id = state != NULL ? state->first_slot : 0; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        bool promised = promised_in(engine, slot, span);
        ret->supply += promised || freemap_is_open(engine, slot, span.from, span.until);
        ret->promised += promised;
        ret->parked += is_now && slot->session != 0;
        id = slot->next_in_zone;
    }
}

void engine_zone_now(const struct engine *engine, tide_id zone, struct tide_zone_now *ret)
{
    const struct zone_state *state = zone_of(engine, zone);
    grain now = grain_floor(engine->now_ms);
    struct span span = {now, now + 1, now};
    *ret = (struct tide_zone_now){.zone = zone, .at_ms = engine->now_ms};
    for (uint32_t id = state != NULL ? state->first_slot : 0; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        bool open = freemap_is_open(engine, slot, now, now + 1);
        bool promised = promised_in(engine, slot, span);
        bool taken = spot_taken_by_other(engine, slot, 0);
        ret->slots++;
        ret->open += open;
        ret->promised += promised;
        ret->parked += slot->session != 0;
        ret->free += open && !promised && !taken;
        id = slot->next_in_zone;
    }
}

/* ---- asked ---------------------------------------------------------------------------------- */
static void ask_quote(struct step *step)
{
    const struct tide_ask_quote *ask = &step->event->as.ask_quote;
    const struct engine *engine = step->engine;
    struct span span = {grain_floor(ask->start_ms), grain_ceil(ask->end_ms),
                        grain_floor(step->now_ms)};
    tide_ms horizon = calendar_day_start(engine, windows_last_day(engine) + 1);
    if (zone_of(engine, ask->zone) == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (span.until <= span.from || span.from < span.now || span.until > grain_floor(horizon)) {
        step_refuse(step, TIDE_CODE_invalid,
                    span.until <= span.from ? TIDE_WHY_ends_before_start
                    : span.from < span.now  ? TIDE_WHY_in_the_past
                                            : TIDE_WHY_beyond_horizon);
        return;
    }
    tide_ms from_ms;
    if (draw_keeps(engine, ask->zone, span, &from_ms)) {
        step_reply(step, &(struct tide_reply){.code = TIDE_CODE_conflict,
                                              .why = TIDE_WHY_to_be_drawn,
                                              .free_from_ms = from_ms});
        return;
    }
    enum tide_slot_class cls = (enum tide_slot_class)ask->cls;
    struct tide_quote quote = {
        .zone = ask->zone,
        .start_ms = span.from * TIDE_GRAIN_MS,
        .end_ms = span.until * TIDE_GRAIN_MS,
        .places = seat_count(engine, ask->zone, cls, lateness_hold(engine, ask->zone, span)),
        .minutes = (int32_t)((span.until - span.from) * TIDE_GRAIN_MIN)};
    struct span longest = {span.from, span.from + TIDE_GRAINS_A_DAY, span.now};
    grain carried = seats_carry(engine, ask->zone, cls, longest);
    carried = lateness_until(engine, ask->zone, longest, carried);
    quote.free_until_ms = carried > span.from ? carried * TIDE_GRAIN_MS : 0;
    step_item(step, TIDE_REC_quote, &quote);
    if (quote.places > 0) {
        step_ok(step, 0);
        return;
    }
    struct seat_hints hints;
    enum tide_why why = seat_hints(engine, ask->zone, cls, span, &hints);
    struct tide_reply refusal = {.code = TIDE_CODE_full,
                                 .why = (uint8_t)why,
                                 .free_until_ms = hints.free_until_ms,
                                 .free_from_ms = hints.free_from_ms};
    step_reply(step, &refusal);
    struct booking_wish wish = {.plate = ask->plate,
                                .zone = ask->zone,
                                .household = step->household,
                                .cls = cls,
                                .start_ms = ask->start_ms,
                                .end_ms = ask->end_ms};
    offers_tell(step, &wish, &refusal);
}

static void ask_bookings(struct step *step)
{
    const struct tide_ask_bookings *ask = &step->event->as.ask_bookings;
    struct party party;
    unsigned count = 0;
    if (!step_party(step, ask->household, ask->person, &party))
        return;
    const struct place_state *household = place_of(step->engine, party.household);
    uint32_t id = household->bookings.first;
    for (; id != 0 && count < TIDE_REPLY_ITEMS_MAX; count++) {
        const struct booking_state *booking = booking_of(step->engine, id);
        booking_item(step, &booking->row);
        id = order_next(step->engine, booking, ORDER_OF_HOUSEHOLD);
    }
    bool all = waits_tell(step, party.household, TIDE_REPLY_ITEMS_MAX - count);
    step_reply(step, &(struct tide_reply){.more = id != 0 || !all});
}

static void ask_tide(struct step *step)
{
    const struct tide_ask_tide *ask = &step->event->as.ask_tide;
    tide_ms start_ms = ask->start_ms != 0 ? ask->start_ms : step->now_ms;
    unsigned hours = ask->hours == 0 || ask->hours > 48 ? 24 : ask->hours;
    if (zone_of(step->engine, ask->zone) == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    start_ms -= start_ms % HOUR_MS;
    for (unsigned i = 0; i < hours; i++) {
        struct tide_tide_hour hour;
        engine_tide_hour(step->engine, ask->zone, start_ms + i * HOUR_MS, &hour);
        step_item(step, TIDE_REC_tide_hour, &hour);
    }
    step_ok(step, 0);
}

static void ask_shares(struct step *step)
{
    const struct tide_ask_shares *ask = &step->event->as.ask_shares;
    const struct engine *engine = step->engine;
    unsigned count = 0;
    struct party party = {0};
    const struct slot_state *only = slot_of(engine, ask->slot);
    if (only != NULL && only->row.owner == 0) { /* common: nobody's own */
        if (!step_need_role(step, ROLES_DESK | ROLE_BIT(TIDE_ROLE_committee), 0))
            return;
        party.household = step->household;
    } else if (!step_party(step, only != NULL ? only->row.owner : ask->household, 0, &party)) {
        return;
    }
    const struct place_state *owner = place_of(engine, party.household);
    for (uint32_t id = only != NULL ? only->row.id : owner->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = only != NULL ? 0 : slot->next_of_owner;
        for (uint32_t at = slot->first_window; at != 0 && count < TIDE_REPLY_ITEMS_MAX; count++) {
            const struct window_state *window = window_of(engine, at);
            step_item(step, TIDE_REC_window, &window->row);
            at = window->next;
        }
    }
    step_reply(step, &(struct tide_reply){.more = count == TIDE_REPLY_ITEMS_MAX});
}

/* The guard's sheet: who is promised a place in a zone, with slot and plate, slot by slot. A page
 * ends between slots; the reply's id is the slot after which the next page begins. */
static unsigned sheet_slot(struct step *step, const struct slot_state *slot, tide_ms start_ms,
                           tide_ms end_ms)
{
    unsigned count = 0;
    for (uint32_t id = slot->bookings.first; id != 0 && count < TIDE_REPLY_ITEMS_MAX / 4;) {
        const struct booking_state *booking = booking_of(step->engine, id);
        id = order_next(step->engine, booking, ORDER_OF_SLOT);
        if (booking->row.start_ms >= end_ms || booking->row.end_ms <= start_ms)
            continue;
        step_item(step, TIDE_REC_booking, &booking->row);
        count++;
    }
    return count;
}

static void ask_sheet(struct step *step)
{
    const struct tide_ask_sheet *ask = &step->event->as.ask_sheet;
    const struct zone_state *zone = zone_of(step->engine, ask->zone);
    if (zone == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    if (!step_need_role(step, ROLES_GATE, zone->row.place))
        return;
    tide_ms start_ms = ask->start_ms != 0 ? ask->start_ms : step->now_ms;
    tide_ms end_ms = ask->end_ms != 0 ? ask->end_ms : start_ms + TIDE_DAY_MS;
    uint32_t at = zone->first_slot, last = ask->after;
    unsigned count = 0;
    while (at != 0 && count <= TIDE_REPLY_ITEMS_MAX * 3 / 4) {
        const struct slot_state *slot = slot_of(step->engine, at);
        at = slot->next_in_zone;
        if (slot->row.id <= ask->after)
            continue;
        count += sheet_slot(step, slot, start_ms, end_ms);
        last = slot->row.id;
    }
    step_reply(step, &(struct tide_reply){.id = last, .more = at != 0});
}

static void ask_incidents(struct step *step)
{
    const struct tide_ask_incidents *ask = &step->event->as.ask_incidents;
    const struct engine *engine = step->engine;
    uint32_t after = ask->after;
    unsigned count = 0;
    bool more = false;
    if (!step_need_role(step, ROLES_GATE, 0))
        return;
    for (;;) { /* by id; there are few open ones */
        uint32_t cursor = 0;
        const struct incident_state *incident, *next = NULL;
        while ((incident = table_next(&engine->incidents, &cursor)) != NULL)
            if (incident->row.id > after && (ask->zone == 0 || incident->row.zone == ask->zone) &&
                (next == NULL || incident->row.id < next->row.id))
                next = incident;
        if (next == NULL)
            break;
        if (count++ == TIDE_REPLY_ITEMS_MAX) {
            more = true;
            break;
        }
        after = next->row.id;
        step_item(step, TIDE_REC_incident, &next->row);
    }
    step_reply(step, &(struct tide_reply){.id = after, .more = more});
}

static void ask_account(struct step *step)
{
    struct party party;
    if (!step_party(step, step->event->as.ask_account.household, 0, &party))
        return;
    const struct account_state *account = table_find(&step->engine->accounts, party.household);
    if (account == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    step_item(step, TIDE_REC_account, &account->row);
    step_reply(step,
               &(struct tide_reply){.limit = ledger_available(step->engine, party.household)});
}

static void ask_whoami(struct step *step)
{
    struct tide_whoami who = {.user = step->user,
                              .person = step->person,
                              .household = step->household,
                              .roles = (uint16_t)roles_at(step->engine, step->person, 0)};
    step_item(step, TIDE_REC_whoami, &who);
    step_ok(step, 0);
}

static void ask_status(struct step *step)
{
    const struct engine *engine = step->engine;
    struct tide_status status = {
        .now_ms = step->now_ms,
        .zones = engine->zones.count,
        .slots = engine->slots.count,
        .persons = engine->persons.count,
        .bookings = engine->bookings.count,
        .sessions = engine->sessions.count,
        .incidents = engine->incidents.count,
        .pool_used_pct = (uint16_t)engine_pool_used_pct(engine),
        .calendar_until =
            engine->setting[TIDE_SETTING_calendar_through_year] != 0
                ? calendar_month_start(
                      (int32_t)engine->setting[TIDE_SETTING_calendar_through_year] * 12 + 12) -
                      1
                : 0,
        .clock_suspended = engine->setting[TIDE_SETTING_clock_suspended] != 0};
    step_item(step, TIDE_REC_status, &status);
    for (unsigned key = TIDE_SETTING_horizon_days; key <= TIDE_SETTING_compensation_min; key++)
        step_item(step, TIDE_REC_setting_row,
                  &(struct tide_setting_row){.key = (uint8_t)key, .value = engine->setting[key]});
    step_ok(step, 0);
}

static void ask_zones(struct step *step)
{
    const struct engine *engine = step->engine;
    uint32_t cursor = step->event->as.ask_zones.after;
    const struct zone_state *zone;
    unsigned count = 0;
    while (count < TIDE_REPLY_ITEMS_MAX / 2 &&
           (zone = table_next(&engine->zones, &cursor)) != NULL) {
        struct tide_zone_now now;
        engine_zone_now(engine, zone->row.id, &now);
        step_item(step, TIDE_REC_zone, &zone->row);
        if (now.slots >= TIDE_PUBLIC_ZONE_SLOTS_MIN || step_has_role(step, ROLES_GATE, 0))
            step_item(step, TIDE_REC_zone_now, &now);
        count++;
    }
    step_reply(step, &(struct tide_reply){.id = cursor, .more = count == TIDE_REPLY_ITEMS_MAX / 2});
}

/* Answered from the tables by the shell; here stands who may ask. */
static void ask_tables(struct step *step)
{
    const struct engine_event *event = step->event;
    struct party party;
    switch (event->kind) {
    case TIDE_REC_ask_inbox:
        if (event->as.ask_inbox.person != 0 && event->as.ask_inbox.person != step->person &&
            !step_need_role(step, ROLES_DESK, 0))
            return;
        step_ok(step, event->as.ask_inbox.person != 0 ? event->as.ask_inbox.person : step->person);
        return;
    case TIDE_REC_ask_history:
        if (step_party(step, event->as.ask_history.household, 0, &party))
            step_ok(step, party.household);
        return;
    case TIDE_REC_ask_strikes_past:
        if (step_party(step, event->as.ask_strikes_past.household, 0, &party))
            step_ok(step, party.household);
        return;
    case TIDE_REC_ask_passages:
        if (step_need_role(step, ROLES_GATE, 0))
            step_ok(step, event->as.ask_passages.lane);
        return;
    default:
        CHECK(event->kind == TIDE_REC_ask_person);
        if (event->as.ask_person.person != step->person && !step_need_role(step, ROLES_DESK, 0))
            return;
        step_ok(step, event->as.ask_person.person);
    }
}

/* The copying is the shell's; here stands who may ask for it. */
static void ask_backup(struct step *step)
{
    if (step_need_role(step, ROLE_BIT(TIDE_ROLE_admin), 0))
        step_ok(step, 0);
}

void parking_ask(struct step *step)
{
    static void (*const asks[TIDE_REC_MAX])(struct step *) = {
        [TIDE_REC_ask_quote] = ask_quote,     [TIDE_REC_ask_bookings] = ask_bookings,
        [TIDE_REC_ask_tide] = ask_tide,       [TIDE_REC_ask_shares] = ask_shares,
        [TIDE_REC_ask_sheet] = ask_sheet,     [TIDE_REC_ask_incidents] = ask_incidents,
        [TIDE_REC_ask_account] = ask_account, [TIDE_REC_ask_whoami] = ask_whoami,
        [TIDE_REC_ask_status] = ask_status,   [TIDE_REC_ask_inbox] = ask_tables,
        [TIDE_REC_ask_history] = ask_tables,  [TIDE_REC_ask_person] = ask_tables,
        [TIDE_REC_ask_zones] = ask_zones,     [TIDE_REC_ask_passages] = ask_tables,
        [TIDE_REC_backup] = ask_backup,       [TIDE_REC_ask_draws] = draws_ask,
        [TIDE_REC_ask_proof] = proof_ask,     [TIDE_REC_ask_forecast] = ask_forecast,
        [TIDE_REC_ask_strikes] = strikes_ask, [TIDE_REC_ask_strikes_past] = ask_tables,
    };
    CHECK(asks[step->event->kind] != NULL);
    asks[step->event->kind](step);
}
