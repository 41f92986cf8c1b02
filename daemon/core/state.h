/* state.h - what an engine knows: rows, and what follows from them.
 *
 *   place ◄── household of ── person ◄── role, user          zone ──► slots (by id)
 *     ▲                          │                             ▲        │ ├► windows (by id)
 *     └── account, vehicles ─────┘                             │        │ ├► bookings (by start)
 *                                                              │        │ └► open, busy bits
 *                     booking ── plate ── session ─────────────┘        └──► spot (its sensor)
 *
 * Each struct begins with its row (records.h). All that stands behind the row is *derived*: it can
 * be made anew from the rows of all tables (load.c does), and never decides by its own order.
 * Lists are chained by keys, not by pointers, so that nothing depends on an address.
 */
#ifndef TIDE_CORE_STATE_H
#define TIDE_CORE_STATE_H

#include "daemon/core/base.h"
#include "tide/engine.h"

/* Live bookings by (start, id), see parking/order.h. */
struct order {
    uint32_t first, root;
};
struct order_node;
struct orders { /* what all of one kind are made of */
    struct order_node *nodes;
    uint32_t *next; /* at a booking's index: who follows on it */
    uint32_t cap, used, free;
};

struct slice_set; /* parking/slices.h */
struct slice_span;
struct draw_lot; /* parking/draw_proof.h */

struct place_state {
    struct tide_place row;
    uint32_t first_person; /* of a household */
    uint32_t first_slot;   /* owned */
    uint32_t live_bookings;
    struct order bookings; /* of a household */
    uint32_t first_vehicle;
    uint32_t wishes;                /* that wait for draws */
    uint32_t first_strike, strikes; /* that live, in no order; how many of them are upheld */
};
struct person_state {
    struct tide_person row;
    uint32_t next_in_household;
    uint32_t first_role, first_user;
    uint32_t padding[2];
};
struct role_state { /* hashed by a running number: the row's key has three parts */
    uint32_t number;
    struct tide_role_row row;
    uint32_t next_of_person, next_of_role;
    uint32_t padding;
};
struct user_state {
    struct tide_user row;
    uint32_t next_of_person;
};
struct vehicle_state {
    struct tide_vehicle row;
    uint32_t next_of_household, padding;
};
struct zone_state {
    struct tide_zone row;
    uint32_t first_slot, slot_count;
    uint32_t first_blackout; /* windows with slot 0 */
    uint32_t dirty;
    uint32_t due_position; /* of its next draw */
    uint32_t forecast_position, waits_position;
    uint32_t first_waiting, last_waiting; /* by id */
    uint32_t freed;                       /* in this step: see promote.c */
    uint32_t padding;
};
struct forecast_state {     /* dense: by zone, class and hour, see parking/forecast.c */
    uint32_t cell, padding; /* rows begin where 64 bits may */
    struct tide_forecast row;
};
#define FORECAST_CELLS_A_ZONE (3 * 24u)
struct slot_state {
    struct tide_slot row;
    uint32_t next_in_zone, next_of_owner;
    uint32_t first_window;
    struct order bookings;
    uint32_t session;             /* live one that stands here */
    uint64_t *open, *busy, *free; /* rings of grains, see freemap.h */
};
struct lane_state {
    struct tide_lane row;
};
struct window_state {
    struct tide_window row;
    uint32_t next, padding;
};
struct account_state {
    struct tide_account row;
};
struct booking_state {
    struct tide_booking row;
    uint32_t due_position;
    uint32_t padding;
};
struct series_state {
    struct tide_series row;
    uint32_t due_position, padding;
};
struct session_state {
    struct tide_session row;
    uint32_t next_in_place, prev_in_place; /* live ones of a compound */
};
struct spot_state {
    struct tide_spot row;
    uint32_t due_position, padding;
};
struct incident_state {
    struct tide_incident row;
    uint32_t due_position, padding;
};
struct draw_state {
    struct tide_draw row;
    uint32_t due_position;
    uint32_t first_wish, last_wish, wish_count; /* by id */
};
struct wish_state {
    struct tide_wish row;
    uint32_t next_of_draw, padding;
};
struct strike_state {
    struct tide_strike row;
    uint32_t next_of_household, due_position;
};
struct waiting_state {
    struct tide_waiting row;
    uint32_t due_position;
    uint32_t next_in_zone, prev_in_zone;
    uint32_t padding;
};
struct wait_record_state {  /* dense: by zone and bucket, see parking/chance.c */
    uint32_t cell, padding; /* as with forecasts */
    struct tide_wait_record row;
};
struct lateness_state {     /* dense: by zone and class, see parking/lateness.c */
    uint32_t cell, padding; /* as with forecasts */
    struct tide_lateness row;
};
struct day_state {
    struct tide_day row;
};
struct plate_state { /* derived: what a plate has at the moment */
    uint32_t plate;
    struct order bookings; /* live */
    uint32_t session;
};

/* Free bits by time, see parking/slices.h. */
struct slices {
    uint32_t chunks, positions; /* of a row; of the ring */
    struct slice_set *rows;     /* by chunk and ring position */
    struct slice_set *blocks;   /* by chunk and eight positions */
    struct slice_set *zones;    /* by zone and chunk: its slots */
    struct slice_set *classes;  /* by class and chunk: its slots */
    struct slice_span *spans;   /* by zone: chunks that hold its slots */
};

struct engine {
    struct engine_limits limits;
    engine_trace_fn *trace;
    void *trace_arg;
    tide_ms now_ms;
    int64_t setting[TIDE_SETTINGS_COUNT];
    uint32_t counter[16], counter_told[16]; /* next id of each kind; as last PUT */
    int64_t ring_base;                      /* the grain at bit 0 of the rings */
    int64_t known_from, known_until;        /* grains that the rings know, see freemap.h */
    uint32_t ring_days, ring_words;
    struct orders orders[3]; /* of bookings, by enum order_of */
    uint64_t *ring_bits;     /* open, busy and free of slot 1, of slot 2, ... */
    struct slices slices;
    struct tide_account pool; /* account 0 */
    struct table places, persons, roles, users, vehicles, zones, slots, lanes, windows, accounts,
        bookings, series, sessions, spots, incidents, days, cursors, plates, commands, draws,
        wishes, strikes, forecasts, levels, waits, wait_records, lateness;
    struct draw_lot *draw_lot; /* scratch, see parking/draw_proof.h */
    uint32_t first_of_role[16];
    uint32_t role_number; /* last given */
    uint32_t day_due_position, grant_due_position, resettle_due_position;
    uint32_t dirty_zones, dirty_from;
    uint32_t freed_zones, padding;
    uint32_t pool_sessions_parked;
    struct heap heap;
};

/* What a step works with: the event, who speaks, where effects go. */
struct step {
    struct engine *engine;
    const struct engine_event *event;
    struct engine_effects *effects;
    tide_ms now_ms;
    tide_id user, person, household; /* the speaker; 0 for the daemon */
    int64_t reseat_spent;            /* on moves that make room, see parking/reseat.c */
    bool replied, refused;
};

/* ---- effect.c ---------------------------------------------------------------------------- */
void step_put(struct step *step, unsigned kind, const void *row);
void step_del(struct step *step, unsigned kind, const void *row);
void step_item(struct step *step, unsigned kind, const void *record);
/* The one reply of a request. */
void step_reply(struct step *step, const struct tide_reply *reply);
void step_refuse(struct step *step, enum tide_code code, enum tide_why why);
/* Of an id of this counter that does not live: it has ended already, or there never was one. */
void step_refuse_gone(struct step *step, enum tide_counter counter, tide_id id);
void step_ok(struct step *step, uint32_t id);
void effects_add(struct engine_effects *effects, enum engine_verb verb, unsigned kind,
                 const void *record);
/* Next id of a kind; told to the tables at the end of the step. */
uint32_t step_new_id(struct step *step, enum tide_counter counter);
void step_counters(struct step *step);
void step_setting(struct step *step, enum tide_setting key, int64_t value);

static inline void trace(const struct engine *engine, const char *rule, int64_t a, int64_t b,
                         int64_t c)
{
    if (engine->trace != NULL)
        engine->trace(engine->trace_arg,
                      &(struct engine_trace){.rule = rule, .a = a, .b = b, .c = c});
}

/* ---- lookups ------------------------------------------------------------------------------- */
static inline struct place_state *place_of(const struct engine *e, tide_id id)
{
    return table_at(&e->places, id);
}
static inline struct person_state *person_of(const struct engine *e, tide_id id)
{
    return table_at(&e->persons, id);
}
static inline struct user_state *user_of(const struct engine *e, tide_id id)
{
    return table_at(&e->users, id);
}
static inline struct vehicle_state *vehicle_of(const struct engine *e, tide_id plate)
{
    return table_find(&e->vehicles, plate);
}
static inline struct zone_state *zone_of(const struct engine *e, tide_id id)
{
    return table_at(&e->zones, id);
}
static inline struct slot_state *slot_of(const struct engine *e, tide_id id)
{
    return table_at(&e->slots, id);
}
static inline struct window_state *window_of(const struct engine *e, tide_id id)
{
    return table_find(&e->windows, id);
}
static inline struct booking_state *booking_of(const struct engine *e, tide_id id)
{
    return table_find(&e->bookings, id);
}
static inline struct session_state *session_of(const struct engine *e, tide_id id)
{
    return table_find(&e->sessions, id);
}
static inline struct spot_state *spot_of(const struct engine *e, tide_id slot)
{
    return table_at(&e->spots, slot);
}
static inline struct incident_state *incident_of(const struct engine *e, tide_id id)
{
    return table_find(&e->incidents, id);
}
static inline struct plate_state *plate_of(const struct engine *e, tide_id plate)
{
    return table_find(&e->plates, plate);
}

#endif
