/* sound.c - rows that contradict each other are not loaded.
 *
 * Each column was checked by the store; what a damaged page or a careless hand leaves is a row that
 * names what is not there, a place that is its own grandparent, two promises of one slot at once.
 * The engine would find out in the middle of a decision, at each start anew. So it is asked once,
 * before it begins: a database that fails here is damaged, and the daemon stays down and says so.
 */
#include "daemon/core/sound.h"

#include "daemon/core/calendar.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/parking.h"

#define PLACE_DEPTH_MAX 64u
#define MINUTES_MAX 1000000000
#define IDS_LEFT_MIN 1000000u

/* ---- each field by its type ------------------------------------------------------------------ */
static bool field_is_sound(const struct tide_field *field, int64_t value)
{
    switch (field->type) {
    case TIDE_FT_flag:
        return value == 0 || value == 1;
    case TIDE_FT_time:
        return value >= 0 && value <= TIDE_TIME_MAX;
    case TIDE_FT_date:
        return value >= 0 && value <= TIDE_DATE_MAX;
    case TIDE_FT_minutes:
        return value >= -MINUTES_MAX && value <= MINUTES_MAX;
    case TIDE_FT_dayminute:
        return value >= 0 && value <= 2 * 1440;
    case TIDE_FT_days:
        return value >= 0 && value <= 15;
    case TIDE_FT_weekdays:
        return value >= 0 && value <= TIDE_WEEKDAYS_ALL;
    default:
        return true;
    }
}

static bool row_is_sound(const struct tide_record *desc, const void *row)
{
    for (unsigned i = 0; i < desc->field_count; i++) {
        int64_t value = tide_field_get(&desc->fields[i], row);
        if (!tide_field_fits(&desc->fields[i], value) || !field_is_sound(&desc->fields[i], value))
            return false;
    }
    return true;
}

/* ---- each row by what it names --------------------------------------------------------------- */
static bool has_account(const struct engine *engine, tide_id household)
{
    return household != 0 && place_of(engine, household) != NULL &&
           engine_find(engine, TIDE_REC_account, household, 0, 0) != NULL;
}

/* What may be left out is there when it is named. */
static bool place_or_none(const struct engine *engine, tide_id place)
{
    return place == 0 || place_of(engine, place) != NULL;
}

static bool place_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_place *it = row;
    tide_id up = it->parent;
    for (unsigned depth = 0; up != 0; depth++) {
        const struct place_state *place = place_of(engine, up);
        if (place == NULL || depth == PLACE_DEPTH_MAX)
            return false;
        up = place->row.parent;
    }
    return true;
}

static bool person_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_person *it = row;
    return place_or_none(engine, it->household);
}

static bool role_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_role_row *it = row;
    return person_of(engine, it->person) != NULL && place_of(engine, it->place) != NULL;
}

static bool user_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_user *it = row;
    return it->person == 0 || person_of(engine, it->person) != NULL;
}

static bool vehicle_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_vehicle *it = row;
    return place_or_none(engine, it->household);
}

static bool zone_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_zone *it = row;
    return place_of(engine, it->place) != NULL && draw_zone_is_sound(it);
}

static bool slot_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_slot *it = row;
    return zone_of(engine, it->zone) != NULL && place_or_none(engine, it->owner);
}

static bool lane_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_lane *it = row;
    return place_of(engine, it->place) != NULL;
}

static bool window_row_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_window *it = row;
    const struct slot_state *slot = slot_of(engine, it->slot);
    return window_is_sound(it) && zone_of(engine, it->zone) != NULL &&
           (it->slot == 0 || (slot != NULL && slot->row.zone == it->zone));
}

static bool account_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_account *it = row;
    return place_of(engine, it->household) != NULL && it->held_min >= 0 && it->pending_min >= 0;
}

static bool booking_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_booking *b = row;
    const struct slot_state *slot = slot_of(engine, b->slot);
    const struct tide_session *session = engine_find(engine, TIDE_REC_session, b->session, 0, 0);
    tide_ms horizon_ms = calendar_day_start(engine, windows_last_day(engine) + 1);
    bool parked = b->state == TIDE_BOOKING_STATE_parked;
    bool instead = b->substitute_for == 0 || /* of a slot that may have another owner by now */
                   (slot_of(engine, b->substitute_for) != NULL && b->held_min == 0);
    return instead && slot != NULL && slot->row.zone == b->zone &&
           has_account(engine, b->household) && b->plate != 0 && b->start_ms > 0 &&
           b->start_ms < b->end_ms && b->held_min >= 0 && (!b->urgent || b->held_min == 0) &&
           b->buffer_min <= TIDE_BUFFER_MIN_MAX && b->buffer_min % TIDE_GRAIN_MIN == 0 &&
           (b->buffer_min == 0 || booking_hold(b, 0).until * TIDE_GRAIN_MS <= horizon_ms) &&
           b->end_ms - b->start_ms <= (tide_ms)engine->ring_days * TIDE_DAY_MS &&
           (!parked || (session != NULL && session->booking == b->id));
}

static bool series_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_series *s = row;
    return zone_of(engine, s->zone) != NULL && has_account(engine, s->household) && s->plate != 0 &&
           s->opens_min < 1440 && s->closes_min > s->opens_min &&
           (s->until_date == 0 || s->until_date >= s->from_date);
}

static bool session_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_session *s = row;
    const struct booking_state *booking = booking_of(engine, s->booking);
    const struct slot_state *slot = slot_of(engine, s->slot);
    return s->plate != 0 && place_or_none(engine, s->place) &&
           (s->zone == 0 || zone_of(engine, s->zone) != NULL) &&
           place_or_none(engine, s->household) &&
           (s->slot == 0 || (slot != NULL && slot->row.zone == s->zone)) &&
           (s->booking == 0 || (booking != NULL && booking->row.session == s->id &&
                                booking->row.state == TIDE_BOOKING_STATE_parked &&
                                booking->row.slot == s->slot && booking->row.plate == s->plate));
}

static bool spot_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_spot *it = row;
    return slot_of(engine, it->slot) != NULL;
}

static bool incident_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_incident *it = row;
    return it->kind != TIDE_INCIDENT_KIND_none && zone_of(engine, it->zone) != NULL &&
           (it->slot == 0 || slot_of(engine, it->slot) != NULL);
}

/* Learned numbers stay within what slots there can be; thousandths of a slot. */
#define LEARNED_MAX 100000000

static bool forecast_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_forecast *it = row;
    return zone_of(engine, it->zone) != NULL && it->used_milli >= 0 &&
           it->used_milli <= LEARNED_MAX && it->spread_milli >= 0 &&
           it->spread_milli <= LEARNED_MAX;
}

static bool level_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_forecast_level *it = row;
    return zone_of(engine, it->zone) != NULL && it->at_ms <= engine->now_ms &&
           it->drift_milli >= -LEARNED_MAX && it->drift_milli <= LEARNED_MAX &&
           it->low_milli >= -LEARNED_MAX && it->low_milli <= LEARNED_MAX &&
           it->high_milli >= -LEARNED_MAX && it->high_milli <= LEARNED_MAX;
}

static bool cursor_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_gateway_cursor *it = row;
    (void)engine;
    return it->gateway != 0;
}

static bool draw_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_draw *d = row;
    return zone_of(engine, d->zone) != NULL && d->ask_from_ms < d->ask_until_ms &&
           d->ask_until_ms <= d->start_ms && d->start_ms < d->end_ms &&
           d->end_ms - d->start_ms <= (tide_ms)TIDE_HORIZON_DAYS_MAX * TIDE_DAY_MS &&
           d->start_ms % TIDE_GRAIN_MS == 0 && d->end_ms % TIDE_GRAIN_MS == 0;
}

static bool wish_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_wish *w = row;
    const struct draw_state *draw = draw_of(engine, w->draw);
    return draw != NULL && draw->row.zone == w->zone && has_account(engine, w->household) &&
           w->plate != 0 && w->used_min >= 0 && w->start_ms < w->end_ms &&
           w->start_ms >= draw->row.start_ms && w->end_ms <= draw->row.end_ms &&
           w->start_ms % TIDE_GRAIN_MS == 0 && w->end_ms % TIDE_GRAIN_MS == 0;
}

static bool strike_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_strike *s = row;
    return has_account(engine, s->household) && zone_of(engine, s->zone) != NULL &&
           place_or_none(engine, s->lender) && s->kind != TIDE_STRIKE_KIND_none &&
           s->charge_min >= 0 && s->start_ms <= s->at_ms && s->contest_until_ms > s->made_ms &&
           (s->state != TIDE_STRIKE_STATE_contested || s->decide_until_ms > s->made_ms);
}

static bool waiting_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_waiting *w = row;
    const struct booking_state *booking = booking_of(engine, w->booking);
    bool offered = w->state == TIDE_WAITING_STATE_offered;
    return zone_of(engine, w->zone) != NULL && zone_of(engine, w->zone)->row.wait_look_ms != 0 &&
           has_account(engine, w->household) && w->plate != 0 && w->start_ms < w->end_ms &&
           w->start_ms % TIDE_GRAIN_MS == 0 && w->end_ms % TIDE_GRAIN_MS == 0 &&
           (booking != NULL) == offered && (w->confirm_by_ms != 0) == offered &&
           (booking == NULL || (booking->row.waiting == w->id && booking->row.plate == w->plate &&
                                booking->row.state == TIDE_BOOKING_STATE_booked));
}

static bool record_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_wait_record *it = row;
    return zone_of(engine, it->zone) != NULL && it->got <= it->asked &&
           it->asked < TIDE_WAIT_CASES_MAX;
}

static bool lateness_is_sound(const struct engine *engine, const void *row)
{
    const struct tide_lateness *it = row;
    return zone_of(engine, it->zone) != NULL && lateness_cases(it) < TIDE_LATENESS_CASES_MAX;
}

static const struct {
    uint8_t kind, counter; /* 0: its ids are not counted here */
    bool (*is_sound)(const struct engine *engine, const void *row);
} rules[] = {
    {TIDE_REC_place, 0, place_is_sound},
    {TIDE_REC_person, 0, person_is_sound},
    {TIDE_REC_role_row, 0, role_is_sound},
    {TIDE_REC_user, 0, user_is_sound},
    {TIDE_REC_vehicle, 0, vehicle_is_sound},
    {TIDE_REC_zone, 0, zone_is_sound},
    {TIDE_REC_slot, 0, slot_is_sound},
    {TIDE_REC_lane, 0, lane_is_sound},
    {TIDE_REC_window, TIDE_COUNTER_window, window_row_is_sound},
    {TIDE_REC_account, 0, account_is_sound},
    {TIDE_REC_booking, TIDE_COUNTER_booking, booking_is_sound},
    {TIDE_REC_series, TIDE_COUNTER_series, series_is_sound},
    {TIDE_REC_session, TIDE_COUNTER_session, session_is_sound},
    {TIDE_REC_spot, 0, spot_is_sound},
    {TIDE_REC_incident, TIDE_COUNTER_incident, incident_is_sound},
    {TIDE_REC_gateway_cursor, 0, cursor_is_sound},
    {TIDE_REC_draw, TIDE_COUNTER_draw, draw_is_sound},
    {TIDE_REC_wish, TIDE_COUNTER_wish, wish_is_sound},
    {TIDE_REC_strike, TIDE_COUNTER_strike, strike_is_sound},
    {TIDE_REC_forecast, 0, forecast_is_sound},
    {TIDE_REC_forecast_level, 0, level_is_sound},
    {TIDE_REC_waiting, TIDE_COUNTER_waiting, waiting_is_sound},
    {TIDE_REC_wait_record, 0, record_is_sound},
    {TIDE_REC_lateness, 0, lateness_is_sound},
};

static bool kind_is_sound(const struct engine *engine, size_t rule)
{
    const struct tide_record *desc = tide_record_of(rules[rule].kind);
    unsigned counter = rules[rule].counter;
    uint32_t cursor = 0;
    const void *row;
    while ((row = engine_next(engine, rules[rule].kind, &cursor)) != NULL)
        if (!row_is_sound(desc, row) || !rules[rule].is_sound(engine, row) ||
            (counter != 0 &&
             (uint64_t)tide_field_get(desc->fields, row) >= engine->counter[counter]))
            return false;
    return true;
}

static bool settings_are_sound(const struct engine *engine)
{
    static const struct {
        int64_t least, most;
    } bounds[] = {
#define BOUNDS_(number, name, def, least, most) [number] = {least, most},
        TIDE_SETTINGS(BOUNDS_)
#undef BOUNDS_
    };
    if (engine->now_ms < 0 || engine->now_ms > TIDE_TIME_MAX)
        return false;
    for (unsigned key = 1; key < TIDE_SETTINGS_COUNT; key++)
        if (engine->setting[key] < bounds[key].least || engine->setting[key] > bounds[key].most)
            return false;
    int64_t today = calendar_date(engine, engine->now_ms); /* the ring ends with the horizon */
    int64_t rolled = engine->setting[TIDE_SETTING_rolled_date];
    return rolled >= 0 && rolled <= today + engine->limits.horizon_days_max;
}

/* The last ids are not given out: a number that is used up would stop a decision half-way. */
static bool counters_are_sound(const struct engine *engine)
{
    for (unsigned i = 0; i < sizeof engine->counter / sizeof *engine->counter; i++)
        if (engine->counter[i] > UINT32_MAX - IDS_LEFT_MIN)
            return false;
    return true;
}

bool rows_are_sound(const struct engine *engine)
{
    if (!settings_are_sound(engine) || !counters_are_sound(engine))
        return false;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!kind_is_sound(engine, i))
            return false;
    uint32_t cursor = 0;
    const struct tide_day *day;
    while ((day = engine_next(engine, TIDE_REC_day, &cursor)) != NULL)
        if (!row_is_sound(tide_record_of(TIDE_REC_day), day) ||
            day->day_class == TIDE_DAY_CLASS_none)
            return false;
    return row_is_sound(tide_record_of(TIDE_REC_account), &engine->pool);
}

/* ---- what stands in the same place ----------------------------------------------------------- */
/* Neighbours in the order of a slot: half-open spans that do not meet. */
static bool slot_is_promised_once(const struct engine *engine, const struct slot_state *slot)
{
    grain until = INT64_MIN;
    for (const struct booking_state *b = booking_of(engine, slot->bookings.first); b != NULL;
         b = booking_of(engine, order_next(engine, b, ORDER_OF_SLOT))) {
        struct span span = booking_hold(&b->row, 0);
        if (span.from < until)
            return false;
        until = span.until;
    }
    return true;
}

static bool account_holds(const struct engine *engine, const struct tide_account *account)
{
    int64_t held = 0;
    const struct place_state *place = place_of(engine, account->household);
    for (const struct booking_state *b = booking_of(engine, place->bookings.first); b != NULL;
         b = booking_of(engine, order_next(engine, b, ORDER_OF_HOUSEHOLD)))
        held += b->row.held_min;
    return held <= account->held_min;
}

/* The lists lead back: a second car on a slot, a second session of a plate has taken the place of
 * the first. */
static bool session_stands_alone(const struct engine *engine, const struct tide_session *session)
{
    const struct plate_state *plate = plate_of(engine, session->plate);
    const struct slot_state *slot = slot_of(engine, session->slot);
    return plate != NULL && plate->session == session->id &&
           (slot == NULL || slot->session == session->id);
}

bool links_are_sound(const struct engine *engine)
{
    uint32_t cursor = 0;
    const struct slot_state *slot;
    while ((slot = table_next(&engine->slots, &cursor)) != NULL)
        if (!slot_is_promised_once(engine, slot))
            return false;
    cursor = 0;
    const struct account_state *account;
    while ((account = table_next(&engine->accounts, &cursor)) != NULL)
        if (!account_holds(engine, &account->row))
            return false;
    cursor = 0;
    const struct draw_state *draw;
    while ((draw = table_next(&engine->draws, &cursor)) != NULL)
        if (draw->wish_count > TIDE_DRAW_WISHES_MAX)
            return false;
    cursor = 0;
    const struct session_state *session;
    while ((session = table_next(&engine->sessions, &cursor)) != NULL)
        if (!session_stands_alone(engine, &session->row))
            return false;
    return true;
}
