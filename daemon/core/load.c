/* load.c - rows in from the tables, what follows from them made anew, and the digest over both.
 *
 *   engine_load(kind, row) ...   rows in any order, only stored
 *   engine_load_end(now)         lists, bits, heap: the same as if the engine had never stopped
 */
#include <string.h>

#include "daemon/core/calendar.h"
#include "daemon/core/ledger.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/strike.h"
#include "daemon/core/parking/wait.h"
#include "daemon/core/put.h"
#include "daemon/core/sound.h"

bool setting_bounds(unsigned key, int64_t *ret_least, int64_t *ret_most)
{
    static const struct {
        int64_t least, most;
    } bounds[] = {
#define BOUNDS_(number, name, def, least, most) [number] = {least, most},
        TIDE_SETTINGS(BOUNDS_)
#undef BOUNDS_
    };
    bool of_the_engine = key > TIDE_SETTING_compensation_min && key < TIDE_SETTING_reseat_steps;
    if (key < TIDE_SETTING_horizon_days || key >= TIDE_SETTINGS_COUNT || of_the_engine)
        return false;
    *ret_least = bounds[key].least;
    *ret_most = bounds[key].most;
    return true;
}

int64_t setting_default(unsigned key)
{
    static const int64_t defaults[] = {
#define DEFAULT_(number, name, def, least, most) [number] = def,
        TIDE_SETTINGS(DEFAULT_)
#undef DEFAULT_
    };
    return key < sizeof defaults / sizeof *defaults ? defaults[key] : 0;
}

/* ---- which table ---------------------------------------------------------------------------- */
/* Tables whose elements begin with their row and are found by its first field. */
static struct table *table_of(struct engine *e, unsigned kind)
{
    switch (kind) {
    case TIDE_REC_day:
        return &e->days;
    case TIDE_REC_place:
        return &e->places;
    case TIDE_REC_person:
        return &e->persons;
    case TIDE_REC_user:
        return &e->users;
    case TIDE_REC_vehicle:
        return &e->vehicles;
    case TIDE_REC_zone:
        return &e->zones;
    case TIDE_REC_slot:
        return &e->slots;
    case TIDE_REC_lane:
        return &e->lanes;
    case TIDE_REC_window:
        return &e->windows;
    case TIDE_REC_account:
        return &e->accounts;
    case TIDE_REC_booking:
        return &e->bookings;
    case TIDE_REC_series:
        return &e->series;
    case TIDE_REC_session:
        return &e->sessions;
    case TIDE_REC_spot:
        return &e->spots;
    case TIDE_REC_incident:
        return &e->incidents;
    case TIDE_REC_gateway_cursor:
        return &e->cursors;
    case TIDE_REC_draw:
        return &e->draws;
    case TIDE_REC_wish:
        return &e->wishes;
    case TIDE_REC_strike:
        return &e->strikes;
    case TIDE_REC_forecast_level:
        return &e->levels;
    case TIDE_REC_waiting:
        return &e->waits;
    default:
        return NULL;
    }
}

bool engine_row_is_live(unsigned kind, const void *row)
{
    const union tide_any *any = row;
    switch (kind) {
    case TIDE_REC_booking:
        return TIDE_BOOKING_LIVE(any->booking.state);
    case TIDE_REC_series:
        return any->series.state == TIDE_SERIES_STATE_live;
    case TIDE_REC_session:
        return any->session.state == TIDE_SESSION_STATE_live;
    case TIDE_REC_incident:
        return any->incident.state == TIDE_INCIDENT_STATE_open;
    case TIDE_REC_draw:
        return TIDE_DRAW_LIVE(any->draw.state);
    case TIDE_REC_wish:
        return any->wish.state == TIDE_WISH_STATE_waiting;
    case TIDE_REC_strike:
        return TIDE_STRIKE_LIVE(any->strike.state);
    case TIDE_REC_waiting:
        return TIDE_WAITING_LIVE(any->waiting.state);
    case TIDE_REC_posting:
    case TIDE_REC_notice:
    case TIDE_REC_command:
    case TIDE_REC_outcome:
    case TIDE_REC_passage:
    case TIDE_REC_forgotten:
    case TIDE_REC_draw_span:
        return false;
    default:
        return true;
    }
}

static int load_forecast(struct engine *engine, const struct tide_forecast *row)
{
    if (row->zone == 0 || row->zone > engine->zones.cap || row->hour >= 24 ||
        row->day_class < TIDE_DAY_CLASS_workday || row->day_class > TIDE_DAY_CLASS_holiday ||
        forecast_cell(engine, row->zone, row->day_class, row->hour) != NULL)
        return -1;
    *forecast_cell_make(engine, row->zone, row->day_class, row->hour) = *row;
    return 0;
}

static int load_wait_record(struct engine *engine, const struct tide_wait_record *row)
{
    if (row->zone == 0 || row->zone > engine->zones.cap || row->bucket >= TIDE_WAIT_BUCKETS ||
        wait_record_of(engine, row->zone, row->bucket) != NULL)
        return -1;
    *wait_record_make(engine, row->zone, row->bucket) = *row;
    return 0;
}

static int load_lateness(struct engine *engine, const struct tide_lateness *row)
{
    if (row->zone == 0 || row->zone > engine->zones.cap ||
        row->day_class < TIDE_DAY_CLASS_workday || row->day_class > TIDE_DAY_CLASS_holiday ||
        lateness_of(engine, row->zone, row->day_class) != NULL)
        return -1;
    *lateness_make(engine, row->zone, row->day_class) = *row;
    return 0;
}

int engine_load(struct engine *engine, unsigned kind, const void *row)
{
    const struct tide_record *desc = tide_record_of(kind);
    const union tide_any *any = row;
    if (kind == TIDE_REC_setting_row) {
        if (any->setting_row.key >= TIDE_SETTINGS_COUNT)
            return -1;
        engine->setting[any->setting_row.key] = any->setting_row.value;
        return 0;
    }
    if (kind == TIDE_REC_counter_row) {
        if (any->counter_row.counter >= sizeof engine->counter / sizeof *engine->counter)
            return -1;
        engine->counter[any->counter_row.counter] = any->counter_row.next;
        engine->counter_told[any->counter_row.counter] = any->counter_row.next;
        return 0;
    }
    if (kind == TIDE_REC_account && any->account.household == 0) {
        engine->pool = any->account;
        return 0;
    }
    if (kind == TIDE_REC_forecast)
        return load_forecast(engine, &any->forecast);
    if (kind == TIDE_REC_wait_record)
        return load_wait_record(engine, &any->wait_record);
    if (kind == TIDE_REC_lateness)
        return load_lateness(engine, &any->lateness);
    if (kind == TIDE_REC_role_row) {
        struct role_state *role = table_add(&engine->roles, ++engine->role_number);
        if (role == NULL)
            return -1;
        role->row = any->role_row;
        return 0;
    }
    struct table *table = table_of(engine, kind);
    uint32_t key = desc != NULL ? (uint32_t)tide_field_get(desc->fields, row) : 0;
    if (table == NULL || key == 0 || table_find(table, key) != NULL)
        return -1;
    void *element = table_add(table, key);
    if (element == NULL)
        return -1;
    memcpy(element, row, desc->size);
    return 0;
}

/* ---- what follows --------------------------------------------------------------------------- */
static int link_people(struct engine *engine)
{
    uint32_t cursor = 0;
    struct person_state *person;
    while ((person = table_next(&engine->persons, &cursor)) != NULL)
        person_attach(engine, person);
    cursor = 0;
    struct user_state *user;
    while ((user = table_next(&engine->users, &cursor)) != NULL)
        user_attach(engine, user);
    cursor = 0;
    struct vehicle_state *vehicle;
    while ((vehicle = table_next(&engine->vehicles, &cursor)) != NULL)
        vehicle_attach(engine, vehicle);
    cursor = 0;
    const struct role_state *role;
    uint32_t last = engine->role_number; /* re-added, linked, under new numbers */
    while (engine->roles.count > 0 && (role = table_next(&engine->roles, &cursor)) != NULL) {
        if (role->number > last)
            continue;
        struct tide_role_row row = role->row;
        if (person_of(engine, row.person) == NULL)
            return -1;
        table_remove(&engine->roles, (void *)(uintptr_t)role);
        if (role_add(engine, &row) == NULL)
            return -1;
    }
    return 0;
}

static int link_supply(struct engine *engine)
{
    uint32_t cursor = 0;
    struct slot_state *slot;
    while ((slot = table_next(&engine->slots, &cursor)) != NULL) {
        if (zone_of(engine, slot->row.zone) == NULL)
            return -1;
        freemap_adopt(engine, slot);
        slot_attach_zone(engine, slot);
    }
    cursor = 0;
    struct window_state *window;
    while ((window = table_next(&engine->windows, &cursor)) != NULL) {
        if (zone_of(engine, window->row.zone) == NULL ||
            (window->row.slot != 0 && slot_of(engine, window->row.slot) == NULL))
            return -1;
        window_attach(engine, window);
    }
    windows_resolve_all(engine);
    return 0;
}

static int link_promises(struct engine *engine)
{
    uint32_t cursor = 0;
    struct booking_state *booking;
    while ((booking = table_next(&engine->bookings, &cursor)) != NULL) {
        if (slot_of(engine, booking->row.slot) == NULL ||
            place_of(engine, booking->row.household) == NULL || booking->row.plate == 0)
            return -1;
        booking_attach(engine, booking);
    }
    cursor = 0;
    struct session_state *session;
    while ((session = table_next(&engine->sessions, &cursor)) != NULL) {
        if (session->row.plate == 0 ||
            (session->row.slot != 0 && slot_of(engine, session->row.slot) == NULL))
            return -1;
        session_attach(engine, session);
    }
    cursor = 0;
    struct wish_state *wish;
    while ((wish = table_next(&engine->wishes, &cursor)) != NULL)
        wish_attach(engine, wish); /* its draw is there: sound.c */
    cursor = 0;
    struct strike_state *strike;
    while ((strike = table_next(&engine->strikes, &cursor)) != NULL)
        strike_attach(engine, strike);
    cursor = 0;
    struct waiting_state *waiting;
    while ((waiting = table_next(&engine->waits, &cursor)) != NULL)
        waiting_attach(engine, waiting);
    return 0;
}

void deadlines_rebuild(struct engine *engine)
{
    uint32_t cursor = 0;
    struct booking_state *booking;
    while ((booking = table_next(&engine->bookings, &cursor)) != NULL)
        booking_due(engine, booking);
    cursor = 0;
    struct series_state *series;
    while ((series = table_next(&engine->series, &cursor)) != NULL)
        series_due(engine, series);
    cursor = 0;
    struct spot_state *spot;
    while ((spot = table_next(&engine->spots, &cursor)) != NULL)
        spot_due(engine, spot);
    cursor = 0;
    struct incident_state *incident;
    while ((incident = table_next(&engine->incidents, &cursor)) != NULL)
        incident_due(engine, incident);
    cursor = 0;
    struct zone_state *zone;
    while ((zone = table_next(&engine->zones, &cursor)) != NULL) {
        draw_zone_due(engine, zone);
        forecast_due(engine, zone);
        waits_due(engine, zone);
    }
    cursor = 0;
    struct waiting_state *waiting;
    while ((waiting = table_next(&engine->waits, &cursor)) != NULL)
        waiting_due(engine, waiting);
    cursor = 0;
    struct draw_state *draw;
    while ((draw = table_next(&engine->draws, &cursor)) != NULL)
        draw_due(engine, draw);
    cursor = 0;
    struct strike_state *strike;
    while ((strike = table_next(&engine->strikes, &cursor)) != NULL)
        strike_due(engine, strike);
    windows_roll_due(engine);
    windows_resettle_due(engine);
    ledger_grant_due(engine);
}

int engine_load_end(struct engine *engine, tide_ms now)
{
    engine->now_ms = now;
    if (engine->setting[TIDE_SETTING_horizon_days] > engine->limits.horizon_days_max)
        return -1;
    if (!rows_are_sound(engine))
        return -2;
    freemap_horizon(engine);
    if (link_people(engine) != 0 || link_supply(engine) != 0 || link_promises(engine) != 0)
        return -1;
    if (!links_are_sound(engine))
        return -2;
    deadlines_rebuild(engine);
    return 0;
}

/* ---- looked at ------------------------------------------------------------------------------ */
const void *engine_find(const struct engine *engine, unsigned kind, uint32_t k1, uint32_t k2,
                        uint32_t k3)
{
    if (kind == TIDE_REC_role_row) {
        const struct role_state *role = role_find(engine, k1, (enum tide_role)k2, k3);
        return role != NULL ? &role->row : NULL;
    }
    if (kind == TIDE_REC_account && k1 == 0)
        return &engine->pool;
    if (kind == TIDE_REC_forecast)
        return k1 != 0 && k2 >= TIDE_DAY_CLASS_workday && k2 <= TIDE_DAY_CLASS_holiday && k3 < 24
                   ? forecast_cell(engine, k1, k2, k3)
                   : NULL;
    if (kind == TIDE_REC_wait_record)
        return k1 != 0 && k2 < TIDE_WAIT_BUCKETS ? wait_record_of(engine, k1, k2) : NULL;
    if (kind == TIDE_REC_lateness)
        return k1 != 0 && k2 >= TIDE_DAY_CLASS_workday && k2 <= TIDE_DAY_CLASS_holiday
                   ? lateness_of(engine, k1, k2)
                   : NULL;
    const struct table *table = table_of((struct engine *)(uintptr_t)engine, kind);
    return table != NULL ? table_find(table, k1) : NULL;
}

const void *engine_next(const struct engine *engine, unsigned kind, uint32_t *cursor)
{
    if (kind == TIDE_REC_role_row) {
        const struct role_state *role = table_next(&engine->roles, cursor);
        return role != NULL ? &role->row : NULL;
    }
    if (kind == TIDE_REC_forecast) {
        const struct forecast_state *state = table_next(&engine->forecasts, cursor);
        return state != NULL ? &state->row : NULL;
    }
    if (kind == TIDE_REC_lateness) {
        const struct lateness_state *state = table_next(&engine->lateness, cursor);
        return state != NULL ? &state->row : NULL;
    }
    if (kind == TIDE_REC_wait_record) {
        const struct wait_record_state *state = table_next(&engine->wait_records, cursor);
        return state != NULL ? &state->row : NULL;
    }
    const struct table *table = table_of((struct engine *)(uintptr_t)engine, kind);
    return table != NULL ? table_next(table, cursor) : NULL;
}

int64_t engine_setting(const struct engine *engine, enum tide_setting key)
{
    CHECK(key < TIDE_SETTINGS_COUNT);
    return engine->setting[key];
}

/* ---- the digest ----------------------------------------------------------------------------- */
static void digest_row(struct digest *digest, unsigned kind, const void *row)
{
    uint8_t bytes[256];
    size_t len = tide_record_pack(tide_record_of(kind), row, bytes, sizeof bytes);
    CHECK(len > 0);
    digest_add(digest, kind, bytes, len);
}

void engine_digest(const struct engine *engine, uint8_t ret_digest[32])
{
    struct digest digest = {{0}};
    for (unsigned key = 1; key < TIDE_SETTINGS_COUNT; key++)
        digest_row(&digest, TIDE_REC_setting_row,
                   &(struct tide_setting_row){.key = (uint8_t)key, .value = engine->setting[key]});
    for (unsigned i = 1; i < sizeof engine->counter / sizeof *engine->counter; i++)
        if (engine->counter[i] > 1)
            digest_row(
                &digest, TIDE_REC_counter_row,
                &(struct tide_counter_row){.counter = (uint8_t)i, .next = engine->counter[i]});
    digest_row(&digest, TIDE_REC_account, &engine->pool);
    for (unsigned kind = TIDE_REC_day; kind < 100; kind++) {
        uint32_t cursor = 0;
        const void *row;
        while (tide_record_of(kind) != NULL && (row = engine_next(engine, kind, &cursor)) != NULL)
            digest_row(&digest, kind, row);
    }
    digest_out(&digest, ret_digest);
}
