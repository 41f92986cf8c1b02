/* engine_fixture.h - a small neighbourhood around a real engine, for tests of single rules.
 *
 *   community 1 ─ compound 2 ─ household 3 (slot 1), household 4, household 6
 *              └─ household 5 (outside the compound)
 *   zone 1: slots 1..4, watched by gate and sensor, residents only; slot 1 is household 3's
 *   zone 2: slots 5..6, by hand, open to outsiders
 *   zone 3: slots 7..8, by sensor alone
 *   persons = users: 1 admin, 2 of household 3, 3 of household 4, 4 of household 5, 5 guard,
 *   6 clerk, 7 gateway, 8 of household 6, 9 property
 *   plates: 1 of household 3, 2 of household 4, 3 emergency, 4 blocked; others are strangers
 *
 * The day is Monday 2019-05-20, 08:00 at +08:00; all slots are open on workdays 08:00-20:00.
 */
#ifndef TIDE_TESTS_ENGINE_FIXTURE_H
#define TIDE_TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tide/engine.h"

#define MONDAY_0800 1558310400000LL
#define MIN_MS TIDE_MINUTE_MS
#define HOUR_MS (60 * MIN_MS)

enum { ADMIN = 1, OWNER, NEIGHBOUR, OUTSIDER, GUARD, CLERK, GATEWAY, THIRD, PROPERTY };
enum { COMMUNITY = 1, COMPOUND, HOME_OWNER, HOME_NEIGHBOUR, HOME_OUTSIDE, HOME_THIRD };

struct fixture {
    void *memory;
    struct engine *engine;
    struct engine_effects effects;
    tide_ms now_ms;
    uint32_t seq;
    struct tide_reply reply; /* of the last step */
};

/* Runs ticks up to now, then one event; remembers its reply. */
static inline void fixture_send(struct fixture *f, tide_id user, unsigned kind, const void *record)
{
    struct engine_event event = {.kind = (uint8_t)kind, .user = user, .when_ms = f->now_ms};
    enum engine_verb verb;
    unsigned seen;
    union tide_any any;
    memcpy(&event.as, record, tide_record_of(kind)->size);
    f->effects.len = f->effects.count = 0;
    while (engine_next_deadline(f->engine) <= f->now_ms) {
        struct engine_event tick = {.kind = TIDE_REC_tick, .when_ms = f->now_ms};
        engine_step(f->engine, &tick, &f->effects);
    }
    if (TIDE_EVENT_IS_ASK(kind))
        engine_query(f->engine, &event, &f->effects);
    else if (kind != TIDE_REC_tick)
        engine_step(f->engine, &event, &f->effects);
    memset(&f->reply, 0xff, sizeof f->reply);
    for (size_t at = 0;
         engine_effect_next(f->effects.buf, f->effects.len, &at, &verb, &seen, &any);)
        if (verb == ENGINE_REPLY)
            f->reply = any.reply;
}

/* The n-th effect of this verb and kind in the last step; false when there are fewer. */
static inline bool fixture_effect(const struct fixture *f, enum engine_verb verb, unsigned kind,
                                  unsigned n, void *ret_record)
{
    enum engine_verb seen_verb;
    unsigned seen_kind;
    union tide_any any;
    for (size_t at = 0;
         engine_effect_next(f->effects.buf, f->effects.len, &at, &seen_verb, &seen_kind, &any);)
        if (seen_verb == verb && seen_kind == kind && n-- == 0) {
            memcpy(ret_record, &any, tide_record_of(kind)->size);
            return true;
        }
    return false;
}

/* Lets time pass, with all its deadlines. */
static inline void fixture_pass(struct fixture *f, tide_ms ms)
{
    f->now_ms += ms;
    fixture_send(f, 0, TIDE_REC_tick, &(struct tide_tick){0});
}

static inline size_t fixture_row(uint8_t *blob, size_t at, unsigned kind, const void *row)
{
    blob[at] = (uint8_t)kind;
    return at + 1 + tide_record_pack(tide_record_of(kind), row, blob + at + 1, 4096);
}

static inline void fixture_put_blob(struct fixture *f, tide_id user, const uint8_t *blob,
                                    size_t len, unsigned kind)
{
    struct engine_event event = {.kind = (uint8_t)kind,
                                 .user = user,
                                 .when_ms = f->now_ms,
                                 .blob = blob,
                                 .blob_len = (uint32_t)len};
    enum engine_verb verb;
    unsigned seen;
    union tide_any any;
    if (kind == TIDE_REC_calendar)
        event.as.calendar.year = 2019;
    f->effects.len = f->effects.count = 0;
    engine_step(f->engine, &event, &f->effects);
    for (size_t at = 0;
         engine_effect_next(f->effects.buf, f->effects.len, &at, &verb, &seen, &any);)
        if (verb == ENGINE_REPLY)
            f->reply = any.reply;
}

#define ROW(kind, ...)                                                                             \
    at = fixture_row(blob, at, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})

static inline size_t fixture_people_rows(uint8_t *blob)
{
    size_t at = 0;
    ROW(place, COMPOUND, TIDE_PLACE_KIND_compound, COMMUNITY);
    for (tide_id id = HOME_OWNER; id <= HOME_THIRD; id++)
        ROW(place, id, TIDE_PLACE_KIND_household, id == HOME_OUTSIDE ? COMMUNITY : COMPOUND);
    static const tide_id homes[] = {[OWNER] = HOME_OWNER,
                                    [NEIGHBOUR] = HOME_NEIGHBOUR,
                                    [OUTSIDER] = HOME_OUTSIDE,
                                    [THIRD] = HOME_THIRD,
                                    [PROPERTY] = 0};
    for (tide_id id = OWNER; id <= PROPERTY; id++) {
        ROW(person, id, homes[id], 0);
        ROW(user, id, id, id == GATEWAY ? TIDE_USER_KIND_gateway : TIDE_USER_KIND_app, 0);
    }
    ROW(role_row, GUARD, TIDE_ROLE_guard, COMPOUND);
    ROW(role_row, CLERK, TIDE_ROLE_clerk, COMMUNITY);
    ROW(role_row, GATEWAY, TIDE_ROLE_gateway, COMPOUND);
    ROW(role_row, PROPERTY, TIDE_ROLE_property, COMPOUND);
    ROW(vehicle, 1, HOME_OWNER, TIDE_VEHICLE_KIND_resident, 0);
    ROW(vehicle, 2, HOME_NEIGHBOUR, TIDE_VEHICLE_KIND_resident, 0);
    ROW(vehicle, 3, 0, TIDE_VEHICLE_KIND_emergency, 0);
    ROW(vehicle, 4, 0, TIDE_VEHICLE_KIND_blocked, 0);
    return at;
}

static inline size_t fixture_supply_rows(uint8_t *blob)
{
    size_t at = 0;
    ROW(zone, .id = 1, .place = COMPOUND, .sense = TIDE_SENSE_GATE | TIDE_SENSE_SENSOR);
    ROW(zone, .id = 2, .place = COMPOUND, .sense = TIDE_SENSE_HAND, .outsiders = 1,
        .resolution = 2019);
    ROW(zone, .id = 3, .place = COMPOUND, .sense = TIDE_SENSE_SENSOR);
    for (tide_id id = 1; id <= 8; id++) {
        bool owned = id == 1;
        ROW(slot, id,
            id <= 4   ? 1
            : id <= 6 ? 2
                      : 3,
            owned ? TIDE_SLOT_TITLE_owned : TIDE_SLOT_TITLE_common, 0, owned ? HOME_OWNER : 0, 1,
            0);
    }
    for (tide_id id = 1; id <= 8; id++)
        ROW(window, .slot = id, .days = TIDE_DAYS_WORKDAY, .weekdays = TIDE_WEEKDAYS_ALL,
            .opens_min = 8 * 60, .closes_min = 20 * 60);
    ROW(lane, 1, COMPOUND, TIDE_LANE_DIR_in, GATEWAY);
    ROW(lane, 2, COMPOUND, TIDE_LANE_DIR_out, GATEWAY);
    return at;
}

static inline void fixture_put_all(struct fixture *f)
{
    static uint8_t people[16384], supply[16384];
    fixture_put_blob(f, ADMIN, people, fixture_people_rows(people), TIDE_REC_put);
    assert_int_equal(f->reply.code, TIDE_CODE_ok);
    fixture_put_blob(f, ADMIN, supply, fixture_supply_rows(supply), TIDE_REC_put);
    assert_int_equal(f->reply.code, TIDE_CODE_ok);
}

static inline void fixture_genesis(struct fixture *f)
{
    struct engine_event event = {.kind = TIDE_REC_genesis, .when_ms = f->now_ms};
    event.as.genesis = (struct tide_genesis){COMMUNITY, ADMIN, ADMIN, 480, 0};
    engine_step(f->engine, &event, &f->effects);
}

static inline void fixture_make_engine(struct fixture *f)
{
    struct engine_limits limits = {.places = 64,
                                   .persons = 64,
                                   .roles = 64,
                                   .users = 64,
                                   .vehicles = 64,
                                   .zones = 8,
                                   .slots = 32,
                                   .lanes = 8,
                                   .windows = 256,
                                   .bookings = 256,
                                   .series = 16,
                                   .sessions = 64,
                                   .incidents = 32};
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    f->memory = aligned_alloc(64, size);
    assert_non_null(f->memory);
    f->engine = engine_init(f->memory, size, &limits);
}

static inline int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    f->effects.buf = malloc(f->effects.cap);
    f->now_ms = MONDAY_0800;
    fixture_make_engine(f);
    fixture_genesis(f);
    fixture_put_all(f);
    *state = f;
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->memory);
    free(f->effects.buf);
    free(f);
    return 0;
}

/* ---- what tests say often ------------------------------------------------------------------ */
static inline uint32_t fixture_book(struct fixture *f, tide_id user, tide_id plate, tide_id zone,
                                    int from_min, int until_min)
{
    struct tide_book book = {.plate = plate,
                             .zone = zone,
                             .start_ms = MONDAY_0800 + from_min * MIN_MS,
                             .end_ms = MONDAY_0800 + until_min * MIN_MS};
    fixture_send(f, user, TIDE_REC_book, &book);
    return f->reply.code == TIDE_CODE_ok ? f->reply.id : 0;
}

static inline const struct tide_booking *fixture_booking(const struct fixture *f, uint32_t id)
{
    return engine_find(f->engine, TIDE_REC_booking, id, 0, 0);
}

/* A camera reads a plate; returns the command that went down. */
static inline struct tide_command fixture_camera(struct fixture *f, tide_id lane, tide_id plate)
{
    struct tide_command command = {0};
    struct tide_plate_seen seen = {
        .lane = lane, .plate = plate, .ask = ++f->seq, .boot = 1, .seq = f->seq};
    fixture_send(f, GATEWAY, TIDE_REC_plate_seen, &seen);
    fixture_effect(f, ENGINE_PUT, TIDE_REC_command, 0, &command);
    return command;
}

static inline void fixture_sensor(struct fixture *f, tide_id slot, enum tide_occupancy state)
{
    struct tide_slot_seen seen = {
        .slot = slot, .state = (uint8_t)state, .boot = 1, .seq = ++f->seq};
    fixture_send(f, GATEWAY, TIDE_REC_slot_seen, &seen);
}

/* The open incident of a kind; NULL when there is none. */
static inline const struct tide_incident *fixture_incident(const struct fixture *f, unsigned kind)
{
    uint32_t cursor = 0;
    const struct tide_incident *incident;
    while ((incident = engine_next(f->engine, TIDE_REC_incident, &cursor)) != NULL)
        if (incident->kind == kind)
            return incident;
    return NULL;
}

/* A person was told this in the last step. */
static inline bool fixture_told(const struct fixture *f, tide_id person, unsigned kind)
{
    struct tide_notice notice;
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_notice, n, &notice); n++)
        if (notice.person == person && notice.kind == kind)
            return true;
    return false;
}

#define CODE_IS(f, expected) assert_string_equal(code_name((f)->reply.code), #expected)
#define WHY_IS(f, expected) assert_string_equal(why_name((f)->reply.why), #expected)
static inline const char *code_name(unsigned code)
{
    const char *name = tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), code);
    return name != NULL ? name : "?";
}
static inline const char *why_name(unsigned why)
{
    const char *name = tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), why);
    return name != NULL ? name : "?";
}

#endif
