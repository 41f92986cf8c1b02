/* office.c - what changes the rules under people's feet: holiday files, settings, new vehicles,
 * people who ask to be forgotten. And chaos: requests that nobody in his senses would send.
 */
#include <string.h>

#include "tests/sim/sim.h"

static uint32_t one_with_role(const struct sim *sim, enum tide_role role)
{
    for (uint32_t i = 0; i < sim->world.person_count; i++)
        if (sim->world.persons[i].role == role)
            return i;
    return 0;
}

struct rows {
    uint8_t bytes[4096];
    uint32_t len;
    uint16_t count;
};

static void rows_add(struct rows *rows, unsigned kind, const void *record)
{
    rows->bytes[rows->len] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), record, rows->bytes + rows->len + 1,
                                   sizeof rows->bytes - rows->len - 1);
    if (used == 0)
        return;
    rows->len += 1 + (uint32_t)used;
    rows->count++;
}

static void send_rows(struct sim *sim, unsigned kind, struct rows *rows, int32_t year)
{
    struct engine_event event = sim_event(kind);
    event.blob = rows->bytes;
    event.blob_len = rows->len;
    if (kind == TIDE_REC_put) {
        event.as.put.rows = rows->count;
    } else {
        event.as.calendar.year = year;
        event.as.calendar.rows = rows->count;
    }
    sim_net_call(sim, one_with_role(sim, TIDE_ROLE_clerk), &event, 0);
}

/* ---- the calendar -------------------------------------------------------------------------- */
static void new_calendar(struct sim *sim)
{
    const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
    struct rows rows = {.len = 0};
    int32_t day = naive_date(&plain, sim_civil(sim)) - 10;
    int year, month, dom;
    naive_civil(day + 10, &year, &month, &dom);
    for (unsigned i = 0; i < 60; i++, day++) {
        bool weekend = naive_weekday(day) >= 5;
        struct tide_day row = {.date = day};
        if (weekend && sim_rng_chance(&sim->bad, 180))
            row.day_class = TIDE_DAY_CLASS_workday; /* made up for another day */
        else if (sim_rng_chance(&sim->bad, 80))
            row.day_class = TIDE_DAY_CLASS_holiday;
        else
            continue;
        rows_add(&rows, TIDE_REC_day, &row);
    }
    send_rows(sim, TIDE_REC_calendar, &rows, year);
}

/* ---- settings ------------------------------------------------------------------------------ */
static void new_setting(struct sim *sim)
{
    static const struct {
        enum tide_setting key;
        int32_t least, most;
    } some[] = {{TIDE_SETTING_no_show_min, 5, 60},
                {TIDE_SETTING_early_min, 0, 60},
                {TIDE_SETTING_overstay_grace_min, 0, 40},
                {TIDE_SETTING_ending_soon_min, 0, 40},
                {TIDE_SETTING_household_live_max, 1, 12},
                {TIDE_SETTING_stay_max_min, 120, 2000},
                {TIDE_SETTING_sensor_silence_min, 60, 400},
                {TIDE_SETTING_settle_min, 1, 30},
                {TIDE_SETTING_escalate_min, 5, 60},
                {TIDE_SETTING_compensation_min, 0, 120},
                {TIDE_SETTING_grant_min, 600, 9000},
                {TIDE_SETTING_horizon_days, 5, 16},
                {TIDE_SETTING_walk_max_m, 0, 500},
                {TIDE_SETTING_household_day_max_min, 0, 900},
                {TIDE_SETTING_household_month_max_min, 0, 9000}};
    struct rows rows = {.len = 0};
    uint32_t which = sim_rng_below(&sim->bad, sizeof some / sizeof *some);
    struct tide_setting_row row = {
        .key = (uint8_t)some[which].key,
        .value = sim_rng_range(&sim->bad, some[which].least, some[which].most)};
    rows_add(&rows, TIDE_REC_setting_row, &row);
    send_rows(sim, TIDE_REC_put, &rows, 0);
}

/* ---- people and things --------------------------------------------------------------------- */
static void new_vehicle(struct sim *sim)
{
    struct rows rows = {.len = 0};
    uint32_t h = sim_rng_below(&sim->people, sim->world.household_count);
    uint32_t plate = sim_world_plate(&sim->world, &sim->people, SIM_PLATE_OWN);
    sim->world.plates[plate - 1].household = h;
    struct tide_vehicle row = {.plate = plate,
                               .household = sim->world.households[h].id,
                               .kind = TIDE_VEHICLE_KIND_resident};
    if (sim_rng_chance(&sim->people, 300))
        row.until_ms = sim_civil(sim) + sim_rng_range(&sim->people, 1, 6) * TIDE_DAY_MS;
    rows_add(&rows, TIDE_REC_vehicle, &row);
    send_rows(sim, TIDE_REC_put, &rows, 0);
}

static void slot_changes_title(struct sim *sim)
{
    struct rows rows = {.len = 0};
    uint32_t index = sim_rng_below(&sim->people, sim->world.slot_count);
    const struct sim_slot *slot = &sim->world.slots[index];
    struct tide_slot row = {.id = slot->id,
                            .zone = sim->world.zones[slot->zone].id,
                            .title = TIDE_SLOT_TITLE_owned,
                            .sensed = slot->sensed};
    if (slot->owner != UINT32_MAX)
        row.owner = sim->world.households[slot->owner].id;
    else
        row.title = TIDE_SLOT_TITLE_common;
    if (sim_rng_chance(&sim->people, 300)) {
        const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
        row.lent_until =
            naive_date(&plain, sim_civil(sim)) + (int32_t)sim_rng_below(&sim->people, 12);
    }
    rows_add(&rows, TIDE_REC_slot, &row);
    send_rows(sim, TIDE_REC_put, &rows, 0);
}

/* The committee opens what is common, the organisation what is its own. */
static void open_common(struct sim *sim)
{
    struct rows rows = {.len = 0};
    for (uint32_t i = 0; i < sim->world.slot_count && rows.count < 40; i++) {
        if (sim->world.slots[i].owner != UINT32_MAX || !sim_rng_chance(&sim->people, 500))
            continue;
        struct tide_window row = {.slot = sim->world.slots[i].id,
                                  .kind = TIDE_WINDOW_KIND_weekly,
                                  .days = TIDE_DAYS_ALL,
                                  .weekdays = TIDE_WEEKDAYS_ALL,
                                  .opens_min = (int32_t)sim_rng_range(&sim->people, 0, 20) * 60,
                                  .closes_min = 24 * 60};
        rows_add(&rows, TIDE_REC_window, &row);
    }
    if (rows.count > 0)
        send_rows(sim, TIDE_REC_put, &rows, 0);
}

static void forget_somebody(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_forget);
    if (sim_rng_chance(&sim->people, 800)) {
        uint32_t number = 1 + sim_rng_below(&sim->people, sim->world.plate_count);
        if (sim->world.plates[number - 1].kind == SIM_PLATE_OWN &&
            sim_rng_chance(&sim->people, 800))
            return;
        event.as.forget.kind = TIDE_NAME_KIND_plate;
        event.as.forget.id = number;
    } else {
        uint32_t p = sim_rng_below(&sim->people, sim->world.person_count);
        if (sim->world.persons[p].role != TIDE_ROLE_resident)
            return;
        event.as.forget.kind = TIDE_NAME_KIND_person;
        event.as.forget.id = sim->world.persons[p].id;
    }
    sim_net_call(sim, one_with_role(sim, TIDE_ROLE_clerk), &event, 0);
}

/* ---- strikes ------------------------------------------------------------------------------- */
/* Short times, so that all of a strike's life lies in a few days. */
static void strike_settings(struct sim *sim)
{
    const struct tide_setting_row few[] = {
        {TIDE_SETTING_rules_text_version, sim_rng_chance(&sim->people, 800) ? 1 : 2},
        {TIDE_SETTING_strike_contest_days, 1},
        {TIDE_SETTING_strike_decide_days, 1},
        {TIDE_SETTING_strike_life_days, sim_rng_range(&sim->people, 2, 4)},
        {TIDE_SETTING_strikes_max, sim_rng_below(&sim->people, 3)},
        {TIDE_SETTING_strike_lead_min, sim_rng_range(&sim->people, 0, 300)}};
    struct rows rows = {.len = 0};
    for (unsigned i = 0; i < sizeof few / sizeof *few; i++)
        rows_add(&rows, TIDE_REC_setting_row, &few[i]);
    send_rows(sim, TIDE_REC_put, &rows, 0);
}

/* Everybody has read the rules; each strike is objected to by somebody, decided by anybody. */
static void strikes_day(struct sim *sim)
{
    static const enum tide_role judges[] = {TIDE_ROLE_committee, TIDE_ROLE_property,
                                            TIDE_ROLE_resident, TIDE_ROLE_guard};
    struct engine_event event = sim_event(TIDE_REC_accept_rules);
    event.as.accept_rules.rules_version = 1;
    strike_settings(sim);
    for (uint32_t p = 0; p < sim->world.person_count; p++)
        if (sim->world.persons[p].role == TIDE_ROLE_resident && sim_rng_chance(&sim->people, 500))
            sim_net_call(sim, p, &event, 0);
    uint32_t cursor = 0;
    const struct tide_strike *strike;
    while ((strike = engine_next(sim->live, TIDE_REC_strike, &cursor)) != NULL) {
        uint32_t p = 0;
        while (p + 1 < sim->world.person_count && sim->world.persons[p].id != strike->person)
            p++;
        event = sim_event(TIDE_REC_strike_contest);
        event.as.strike_contest.strike = strike->id;
        if (sim_rng_chance(&sim->people, 600))
            sim_net_call(sim, p, &event, 0);
        event = sim_event(TIDE_REC_strike_decide);
        event.as.strike_decide.strike = strike->id;
        event.as.strike_decide.verdict =
            sim_rng_chance(&sim->people, 500) ? TIDE_STRIKE_STATE_upheld : TIDE_STRIKE_STATE_void;
        uint32_t judge = sim_rng_below(&sim->people, sizeof judges / sizeof *judges);
        if (sim_rng_chance(&sim->people, 600))
            sim_net_call(sim, one_with_role(sim, judges[judge]), &event, 0);
    }
    event = sim_event(TIDE_REC_ask_strikes);
    event.as.ask_strikes.zone = 1;
    sim_net_call(sim, one_with_role(sim, TIDE_ROLE_property), &event, 0);
    event = sim_event(TIDE_REC_ask_strikes_past);
    uint32_t p = sim_rng_below(&sim->people, sim->world.person_count);
    if (sim->world.persons[p].household != UINT32_MAX)
        event.as.ask_strikes_past.household =
            sim->world.households[sim->world.persons[p].household].id;
    sim_net_call(sim, p, &event, 0);
}

void sim_workload_day(struct sim *sim)
{
    sim_later(sim, TIDE_DAY_MS, SIM_TODO_DAY, 0, 0);
    open_common(sim);
    if (sim_rng_chance(&sim->people, 500))
        new_vehicle(sim);
    if (sim_rng_chance(&sim->people, 200))
        slot_changes_title(sim);
    if (sim_may(sim, SIM_FAULT_calendar) && sim_rng_chance(&sim->bad, 350))
        new_calendar(sim);
    for (unsigned i = 0; sim_may(sim, SIM_FAULT_settings) && i < 2; i++)
        if (sim_rng_chance(&sim->bad, 500))
            new_setting(sim);
    for (unsigned i = 0; sim_may(sim, SIM_FAULT_forget) && i < 2; i++)
        forget_somebody(sim);
    sim_errands_day(sim);
    strikes_day(sim);
}

/* ---- chaos --------------------------------------------------------------------------------- */
static int64_t any_value(struct sim *sim, const struct tide_field *field)
{
    tide_ms now = sim_civil(sim);
    switch (field->type) {
    case TIDE_FT_plate:
        return sim_rng_range(&sim->bad, 0, sim->world.plate_count);
    case TIDE_FT_time:
        return sim_rng_chance(&sim->bad, 700)   ? now + sim_rng_bell(&sim->bad, 5 * TIDE_DAY_MS)
               : sim_rng_chance(&sim->bad, 500) ? sim_rng_range(&sim->bad, 0, 2)
                                                : sim_rng_range(&sim->bad, 0, TIDE_TIME_MAX);
    case TIDE_FT_date:
        return now / TIDE_DAY_MS + sim_rng_bell(&sim->bad, 40);
    case TIDE_FT_dayminute:
        return sim_rng_range(&sim->bad, -5, 2900);
    case TIDE_FT_flag:
        return sim_rng_below(&sim->bad, 2);
    default:
        break;
    }
    if (field->type > TIDE_FT_ENUMS) {
        int64_t value = sim_rng_below(&sim->bad, 24);
        return tide_field_fits(field, value) ? value : 0;
    }
    if (field->type == TIDE_FT_booking && sim_rng_chance(&sim->bad, 900)) /* one of somebody's */
        return sim_rng_range(&sim->bad, 1, (int64_t)sim->stats.bookings + 2);
    int64_t value = sim_rng_chance(&sim->bad, 800) ? sim_rng_range(&sim->bad, 0, 40)
                                                   : (int64_t)(sim_rng_next(&sim->bad) >> 1);
    return tide_field_fits(field, value) ? value : sim_rng_range(&sim->bad, 0, 255);
}

static void scramble(struct sim *sim, unsigned kind, void *record)
{
    const struct tide_record *desc = tide_record_of(kind);
    for (unsigned i = 0; i < desc->field_count; i++)
        if (sim_rng_chance(&sim->bad, 850))
            tide_field_set(&desc->fields[i], record, any_value(sim, &desc->fields[i]));
}

static void chaos_rows(struct sim *sim, struct rows *rows)
{
    static const uint8_t kinds[] = {TIDE_REC_setting_row, TIDE_REC_place,  TIDE_REC_person,
                                    TIDE_REC_role_row,    TIDE_REC_user,   TIDE_REC_vehicle,
                                    TIDE_REC_zone,        TIDE_REC_slot,   TIDE_REC_lane,
                                    TIDE_REC_window,      TIDE_REC_booking};
    unsigned count = sim_rng_below(&sim->bad, 4);
    for (unsigned i = 0; i < count; i++) {
        unsigned kind = kinds[sim_rng_below(&sim->bad, sizeof kinds)];
        union tide_any any;
        memset(&any, 0, sizeof any);
        scramble(sim, kind, &any);
        rows_add(rows, kind, &any);
    }
    if (rows->len > 2 && sim_rng_chance(&sim->bad, 50))
        rows->len -= 1 + sim_rng_below(&sim->bad, rows->len - 1); /* cut off */
}

void sim_chaos_event(struct sim *sim, uint32_t person)
{
    static const uint8_t kinds[] = {
        TIDE_REC_put,          TIDE_REC_drop,         TIDE_REC_calendar,      TIDE_REC_book,
        TIDE_REC_repeat,       TIDE_REC_cancel,       TIDE_REC_extend,        TIDE_REC_arrive,
        TIDE_REC_leave,        TIDE_REC_share,        TIDE_REC_unshare,       TIDE_REC_recall,
        TIDE_REC_blackout,     TIDE_REC_hand,         TIDE_REC_correct,       TIDE_REC_resolve,
        TIDE_REC_accept_rules, TIDE_REC_ask_quote,    TIDE_REC_ask_bookings,  TIDE_REC_ask_tide,
        TIDE_REC_ask_shares,   TIDE_REC_ask_sheet,    TIDE_REC_ask_incidents, TIDE_REC_ask_account,
        TIDE_REC_ask_inbox,    TIDE_REC_ask_history,  TIDE_REC_ask_person,    TIDE_REC_ask_zones,
        TIDE_REC_backup,       TIDE_REC_ask_passages, TIDE_REC_ask_forecast};
    struct engine_event event = sim_event(kinds[sim_rng_below(&sim->bad, sizeof kinds)]);
    struct rows rows = {.len = 0};
    scramble(sim, event.kind, &event.as);
    if (event.kind == TIDE_REC_put || event.kind == TIDE_REC_calendar) {
        chaos_rows(sim, &rows);
        event.blob = rows.bytes;
        event.blob_len = rows.len;
        if (event.kind == TIDE_REC_put && sim_rng_chance(&sim->bad, 800))
            event.as.put.rows = rows.count;
    }
    sim_net_call(sim, person, &event, 0);
}
