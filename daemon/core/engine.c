/* engine.c - made, stepped, asked: the table of contents of the core.
 *
 * A step: who speaks? ─► the rule of this event (one row of the table below) ─► ids told, reply
 * there. Deadlines come as `tick` events of their own; each tick runs a bounded number, earliest
 * first. A request that is refused has changed nothing.
 */
#include "tide/engine.h"

#include <string.h>

#include "daemon/core/authority.h"
#include "daemon/core/calendar.h"
#include "daemon/core/erase.h"
#include "daemon/core/ledger.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/draw_proof.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/slices.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"
#include "daemon/core/put.h"

/* ---- memory --------------------------------------------------------------------------------- */
void engine_limits_default(struct engine_limits *ret)
{
    *ret = (struct engine_limits){.places = 16384,
                                  .persons = 32768,
                                  .roles = 49152,
                                  .users = 32768,
                                  .vehicles = 32768,
                                  .zones = 256,
                                  .slots = 8192,
                                  .lanes = 256,
                                  .windows = 65536,
                                  .bookings = 32768,
                                  .series = 8192,
                                  .sessions = 16384,
                                  .incidents = 1024,
                                  .horizon_days_max = 16};
}

static uint32_t pick(uint32_t given, uint32_t otherwise)
{
    return given != 0 ? given : otherwise;
}

static void limits_complete(struct engine_limits *l)
{
    struct engine_limits d;
    engine_limits_default(&d);
    l->places = pick(l->places, d.places);
    l->persons = pick(l->persons, d.persons);
    l->roles = pick(l->roles, d.roles);
    l->users = pick(l->users, d.users);
    l->vehicles = pick(l->vehicles, d.vehicles);
    l->zones = pick(l->zones, d.zones);
    l->slots = pick(l->slots, d.slots);
    l->lanes = pick(l->lanes, d.lanes);
    l->windows = pick(l->windows, d.windows);
    l->bookings = pick(l->bookings, d.bookings);
    l->series = pick(l->series, d.series);
    l->sessions = pick(l->sessions, d.sessions);
    l->incidents = pick(l->incidents, d.incidents);
    l->horizon_days_max = pick(l->horizon_days_max, d.horizon_days_max);
    if (l->horizon_days_max > TIDE_HORIZON_DAYS_MAX)
        l->horizon_days_max = TIDE_HORIZON_DAYS_MAX;
}

static void carve_all(struct engine *e, struct carve *carve, const struct engine_limits *l)
{
    table_carve(&e->places, carve, sizeof(struct place_state), l->places, true);
    table_carve(&e->accounts, carve, sizeof(struct account_state), l->places, true);
    table_carve(&e->persons, carve, sizeof(struct person_state), l->persons, true);
    table_carve(&e->roles, carve, sizeof(struct role_state), l->roles, false);
    table_carve(&e->users, carve, sizeof(struct user_state), l->users, true);
    table_carve(&e->cursors, carve, sizeof(struct tide_gateway_cursor), l->users, true);
    table_carve(&e->vehicles, carve, sizeof(struct vehicle_state), l->vehicles, false);
    table_carve(&e->zones, carve, sizeof(struct zone_state), l->zones, true);
    table_carve(&e->slots, carve, sizeof(struct slot_state), l->slots, true);
    table_carve(&e->spots, carve, sizeof(struct spot_state), l->slots, true);
    table_carve(&e->lanes, carve, sizeof(struct lane_state), l->lanes, true);
    table_carve(&e->windows, carve, sizeof(struct window_state), l->windows, false);
    table_carve(&e->bookings, carve, sizeof(struct booking_state), l->bookings, false);
    orders_carve(e, carve, l);
    table_carve(&e->series, carve, sizeof(struct series_state), l->series, false);
    table_carve(&e->sessions, carve, sizeof(struct session_state), l->sessions, false);
    table_carve(&e->incidents, carve, sizeof(struct incident_state), l->incidents, false);
    table_carve(&e->days, carve, sizeof(struct day_state), TIDE_DAY_EXCEPTIONS_MAX, false);
    table_carve(&e->forecasts, carve, sizeof(struct forecast_state),
                (l->zones + 1) * FORECAST_CELLS_A_ZONE, true);
    table_carve(&e->levels, carve, sizeof(struct tide_forecast_level), l->zones, true);
    table_carve(&e->plates, carve, sizeof(struct plate_state), l->bookings + l->sessions, false);
    table_carve(&e->draws, carve, sizeof(struct draw_state), TIDE_DRAWS_MAX, false);
    table_carve(&e->wishes, carve, sizeof(struct wish_state), l->bookings / 4 + 64, false);
    table_carve(&e->strikes, carve, sizeof(struct strike_state), l->bookings / 4 + 64, false);
    table_carve(&e->waits, carve, sizeof(struct waiting_state), TIDE_WAITS_MAX, false);
    table_carve(&e->wait_records, carve, sizeof(struct wait_record_state),
                (l->zones + 1) * TIDE_WAIT_BUCKETS, true);
    table_carve(&e->lateness, carve, sizeof(struct lateness_state), (l->zones + 1) * 3, true);
    e->draw_lot = carve_take(carve, sizeof *e->draw_lot);
    heap_carve(&e->heap, carve,
               l->bookings + l->series + l->slots + l->incidents + 3 * l->zones + TIDE_DRAWS_MAX +
                   TIDE_WAITS_MAX + l->bookings / 4 + 64 + 3);
    e->ring_days = freemap_ring_days(l->horizon_days_max);
    e->ring_words = e->ring_days * TIDE_GRAINS_A_DAY / 64;
    freemap_carve(e, carve, l);
    slices_carve(e, carve, l);
}

size_t engine_size(const struct engine_limits *limits)
{
    struct engine_limits complete = *limits;
    struct engine counted = {0};
    struct carve carve = {.used = (sizeof(struct engine) + 63) & ~(size_t)63};
    limits_complete(&complete);
    carve_all(&counted, &carve, &complete);
    return carve.used;
}

struct engine *engine_init(void *mem, size_t size, const struct engine_limits *limits)
{
    struct engine *engine = mem;
    CHECK(((uintptr_t)mem & 63) == 0 && size >= engine_size(limits));
    memset(engine, 0, sizeof *engine);
    engine->limits = *limits;
    limits_complete(&engine->limits);
    struct carve carve = {.base = mem, .used = (sizeof(struct engine) + 63) & ~(size_t)63};
    carve_all(engine, &carve, &engine->limits);
    for (unsigned key = 1; key < TIDE_SETTINGS_COUNT; key++)
        engine->setting[key] = setting_default(key);
    return engine;
}

void engine_set_trace(struct engine *engine, engine_trace_fn *fn, void *arg)
{
    engine->trace = fn;
    engine->trace_arg = arg;
}

unsigned engine_pool_used_pct(const struct engine *engine)
{
    const struct table *tables[] = {
        &engine->places, &engine->persons,  &engine->roles,     &engine->users,   &engine->vehicles,
        &engine->zones,  &engine->slots,    &engine->lanes,     &engine->windows, &engine->bookings,
        &engine->series, &engine->sessions, &engine->incidents, &engine->days,    &engine->draws,
        &engine->wishes, &engine->strikes,  &engine->waits};
    unsigned most = 0;
    for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++) {
        unsigned pct = (unsigned)((uint64_t)tables[i]->count * 100 / tables[i]->cap);
        most = pct > most ? pct : most;
    }
    return most;
}

tide_ms engine_now(const struct engine *engine)
{
    return engine->now_ms;
}

/* ---- deadlines ------------------------------------------------------------------------------ */
tide_ms engine_next_deadline(const struct engine *engine)
{
    const struct due *due = heap_first(&engine->heap);
    if (due == NULL || engine->setting[TIDE_SETTING_clock_suspended] != 0)
        return INT64_MAX;
    return due->time_ms;
}

static void fall_due(struct step *step, const struct due *due)
{
    struct engine *engine = step->engine;
    uint32_t id = due->id;
    switch ((enum due_kind)due->kind) {
    case DUE_WAITING:
        waiting_fall_due(step, waiting_of(engine, id));
        break;
    case DUE_WAITS:
        waits_fall_due(step, zone_of(engine, id));
        break;
    case DUE_DAY:
        windows_roll(step);
        break;
    case DUE_RESETTLE:
        windows_resettle_fall_due(step);
        break;
    case DUE_GRANT:
        ledger_grant(step);
        break;
    case DUE_SERIES:
        series_fall_due(step, table_find(&engine->series, id));
        break;
    case DUE_BOOKING:
        booking_fall_due(step, booking_of(engine, id));
        break;
    case DUE_SPOT:
        spot_fall_due(step, spot_of(engine, id));
        break;
    case DUE_INCIDENT:
        incident_fall_due(step, incident_of(engine, id));
        break;
    case DUE_ZONE_DRAW:
        draw_zone_fall_due(step, zone_of(engine, id));
        break;
    case DUE_DRAW:
        draw_fall_due(step, draw_of(engine, id));
        break;
    case DUE_STRIKE:
        strike_fall_due(step, table_find(&engine->strikes, id));
        break;
    case DUE_FORECAST:
        forecast_fall_due(step, zone_of(engine, id));
        break;
    }
}

static void tick_take(struct step *step)
{
    struct engine *engine = step->engine;
    for (unsigned i = 0; i < TIDE_DEADLINES_A_STEP_MAX; i++) {
        if (engine_next_deadline(engine) > step->now_ms)
            break;
        const struct due due = *heap_first(&engine->heap);
        trace(engine, "deadline", due.kind, due.id, due.time_ms);
        fall_due(step, &due);
        if (due.kind == DUE_WAITS)
            break; /* as much work as all others together; the next tick goes on */
    }
}

/* ---- the daemon's own events ---------------------------------------------------------------- */
static void genesis_take(struct step *step)
{
    struct engine *engine = step->engine;
    const struct tide_genesis *ask = &step->event->as.genesis;
    CHECK(engine->places.count == 0 && engine->persons.count == 0);
    CHECK(ask->community != 0 && ask->admin != 0 && ask->admin_user != 0);
    step_setting(step, TIDE_SETTING_utc_offset_min, ask->utc_offset_min);
    step_setting(step, TIDE_SETTING_scaled, ask->scaled);
    int32_t today = calendar_date(engine, step->now_ms);
    step_setting(step, TIDE_SETTING_rolled_date,
                 today + (int32_t)engine->setting[TIDE_SETTING_horizon_days]);
    freemap_horizon(engine);
    step_setting(step, TIDE_SETTING_granted_month, calendar_month(today));
    struct place_state *place = table_add(&engine->places, ask->community);
    struct person_state *person = table_add(&engine->persons, ask->admin);
    struct user_state *user = table_add(&engine->users, ask->admin_user);
    CHECK(place != NULL && person != NULL && user != NULL);
    place->row.kind = TIDE_PLACE_KIND_community;
    user->row.person = ask->admin;
    user->row.kind = TIDE_USER_KIND_console;
    user_attach(engine, user);
    struct tide_role_row role = {
        .person = ask->admin, .role = TIDE_ROLE_admin, .place = ask->community};
    CHECK(role_add(engine, &role) != NULL);
    step_put(step, TIDE_REC_place, &place->row);
    step_put(step, TIDE_REC_person, &person->row);
    step_put(step, TIDE_REC_user, &user->row);
    step_put(step, TIDE_REC_role_row, &role);
    deadlines_rebuild(engine);
}

static void tell_desk(struct step *step, struct tide_notice what)
{
    uint32_t cursor = 0;
    const struct place_state *place;
    while ((place = table_next(&step->engine->places, &cursor)) != NULL)
        if (place->row.kind == TIDE_PLACE_KIND_community)
            notice_duty(step, TIDE_ROLE_clerk, place->row.id, what);
}

static void clock_take(struct step *step)
{
    const struct tide_clock *ask = &step->event->as.clock;
    trace(step->engine, "clock.jump", ask->old_ms, ask->new_ms, ask->suspend);
    if (!ask->suspend)
        return;
    step_setting(step, TIDE_SETTING_clock_suspended, 1);
    tell_desk(step, (struct tide_notice){.kind = TIDE_NOTICE_KIND_clock_jump,
                                         .start_ms = ask->old_ms,
                                         .end_ms = ask->new_ms});
}

static void reloaded_take(struct step *step)
{
    trace(step->engine, "reloaded", step->event->as.reloaded.checksum, 0, 0);
}

static void clock_accept_take(struct step *step)
{
    if (!step_need_role(step, ROLES_DESK, 0))
        return;
    step_setting(step, TIDE_SETTING_clock_suspended, 0);
    step_ok(step, 0);
}

/* ---- dispatch ------------------------------------------------------------------------------- */
typedef void rule(struct step *step);
static rule *const rules[TIDE_REC_MAX] = {
    [TIDE_REC_tick] = tick_take,
    [TIDE_REC_genesis] = genesis_take,
    [TIDE_REC_clock] = clock_take,
    [TIDE_REC_put] = put_take,
    [TIDE_REC_drop] = drop_take,
    [TIDE_REC_calendar] = calendar_take,
    [TIDE_REC_book] = book_take,
    [TIDE_REC_repeat] = repeat_take,
    [TIDE_REC_cancel] = cancel_take,
    [TIDE_REC_extend] = extend_take,
    [TIDE_REC_arrive] = arrive_take,
    [TIDE_REC_leave] = leave_take,
    [TIDE_REC_share] = share_take,
    [TIDE_REC_unshare] = unshare_take,
    [TIDE_REC_recall] = recall_take,
    [TIDE_REC_blackout] = blackout_take,
    [TIDE_REC_hand] = hand_take,
    [TIDE_REC_plate_seen] = plate_seen_take,
    [TIDE_REC_slot_seen] = slot_seen_take,
    [TIDE_REC_gate_report] = gate_report_take,
    [TIDE_REC_command_done] = command_done_take,
    [TIDE_REC_hello] = hello_take,
    [TIDE_REC_forget] = forget_take,
    [TIDE_REC_correct] = correct_take,
    [TIDE_REC_resolve] = resolve_take,
    [TIDE_REC_clock_accept] = clock_accept_take,
    [TIDE_REC_accept_rules] = accept_rules_take,
    [TIDE_REC_reloaded] = reloaded_take,
    [TIDE_REC_draw_open] = draw_open_take,
    [TIDE_REC_draw_ask] = draw_ask_take,
    [TIDE_REC_draw_withdraw] = draw_withdraw_take,
    [TIDE_REC_draw_value] = draw_value_take,
    [TIDE_REC_draw_seal] = draw_seal_take,
    [TIDE_REC_draw_result] = draw_result_take,
    [TIDE_REC_strike_contest] = strike_contest_take,
    [TIDE_REC_strike_decide] = strike_decide_take,
    [TIDE_REC_wait] = wait_take,
    [TIDE_REC_unwait] = unwait_take,
    [TIDE_REC_confirm] = confirm_take,
};

/* The daemon's own: nobody speaks, nobody is answered. */
static bool is_own(const struct engine_event *event)
{
    return event->kind == TIDE_REC_tick || event->kind == TIDE_REC_genesis ||
           event->kind == TIDE_REC_clock || event->kind == TIDE_REC_reloaded ||
           event->kind == TIDE_REC_draw_seal || event->kind == TIDE_REC_draw_result ||
           (event->kind == TIDE_REC_forget && event->user == 0);
}

static bool is_fact(unsigned kind)
{
    return kind == TIDE_REC_plate_seen || kind == TIDE_REC_slot_seen ||
           kind == TIDE_REC_gate_report || kind == TIDE_REC_command_done || kind == TIDE_REC_hello;
}

/* A gateway tells facts and nothing else; a person tells none. */
static bool may_speak(struct step *step)
{
    if (!step_identify(step))
        return false;
    const struct user_state *user = user_of(step->engine, step->user);
    if ((user->row.kind == TIDE_USER_KIND_gateway) == is_fact(step->event->kind))
        return true;
    step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_role_missing);
    return false;
}

void engine_step(struct engine *engine, const struct engine_event *event,
                 struct engine_effects *effects)
{
    struct step step = {
        .engine = engine, .event = event, .effects = effects, .now_ms = event->when_ms};
    CHECK(rules[event->kind] != NULL && event->when_ms >= engine->now_ms);
    CHECK(event->kind == TIDE_REC_tick || event->kind == TIDE_REC_genesis ||
          event->kind == TIDE_REC_clock || /* which may suspend them */
          engine_next_deadline(engine) > event->when_ms);
    engine->now_ms = event->when_ms;
    freemap_horizon(engine);
    if (is_own(event) || may_speak(&step))
        rules[event->kind](&step);
    waits_mark(&step);
    step_counters(&step);
    CHECK(is_own(event) || step.replied);
}

void engine_query(const struct engine *engine, const struct engine_event *event,
                  struct engine_effects *effects)
{
    struct step step = {.engine = (struct engine *)(uintptr_t)engine, /* asks change nothing */
                        .event = event,
                        .effects = effects,
                        .now_ms = event->when_ms};
    CHECK(TIDE_EVENT_IS_ASK(event->kind));
    if (may_speak(&step))
        parking_ask(&step);
    CHECK(step.replied);
}
