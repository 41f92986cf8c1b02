/* auditor_tape.h - a run of events, told to the auditor one effect after another; one is wrong.
 *
 *   household 2 (person 1, user 1), household 3 (person 2, user 2), clerk 3, gateway 4, guard 5
 *   zone 1: slots 1 and 2, open all day; both households have 1000 minutes
 */
#ifndef TIDE_UNIT_AUDITOR_TAPE_H
#define TIDE_UNIT_AUDITOR_TAPE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/auditor.h"

#define NOW 1558310400000LL /* Monday 2019-05-20 08:00 at +08:00 */
#define MIN_MS TIDE_MINUTE_MS

struct tape {
    struct audit *audit;
    uint64_t seq;
    tide_ms now_ms;
    struct engine_event event;
    uint8_t bytes[16384];
    size_t len;
};

static inline void effect(struct tape *t, enum engine_verb verb, unsigned kind, const void *record)
{
    t->bytes[t->len] = (uint8_t)verb;
    t->bytes[t->len + 1] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), record, t->bytes + t->len + 2,
                                   sizeof t->bytes - t->len - 2);
    assert_true(used > 0);
    t->len += 2 + used;
}

#define PUT(kind, ...) effect(t, ENGINE_PUT, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})
#define DEL(kind, ...) effect(t, ENGINE_DEL, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})
#define ITEM(kind, ...) effect(t, ENGINE_ITEM, TIDE_REC_##kind, &(struct tide_##kind){__VA_ARGS__})
#define REPLY(...) effect(t, ENGINE_REPLY, TIDE_REC_reply, &(struct tide_reply){__VA_ARGS__})

/* EVENT(user, kind, members) ... effects ... DONE */
#define EVENT(who, what, ...)                                                                      \
    begin(t, who, TIDE_REC_##what);                                                                \
    t->event.as.what = (struct tide_##what)                                                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static inline void begin(struct tape *t, tide_id user, unsigned kind)
{
    memset(&t->event, 0, sizeof t->event);
    t->event.kind = (uint8_t)kind;
    t->event.user = user;
    t->len = 0;
}

static inline void done(struct tape *t)
{
    t->event.when_ms = t->now_ms;
    audit_event(t->audit, ++t->seq, &t->event, t->bytes, t->len);
}

static inline void found(struct tape *t)
{
    EVENT(0, genesis, .community = 1);
    PUT(setting_row, TIDE_SETTING_utc_offset_min, 480);
    PUT(place, 1, TIDE_PLACE_KIND_community, 0);
    PUT(place, 2, TIDE_PLACE_KIND_household, 1);
    PUT(place, 3, TIDE_PLACE_KIND_household, 1);
    for (tide_id id = 1; id <= 5; id++) {
        PUT(person, id, id <= 2 ? id + 1 : 0, 0);
        PUT(user, id, id, id == 4 ? TIDE_USER_KIND_gateway : TIDE_USER_KIND_app, 0);
    }
    PUT(role_row, 3, TIDE_ROLE_clerk, 1);
    PUT(role_row, 4, TIDE_ROLE_gateway, 1);
    PUT(role_row, 5, TIDE_ROLE_guard, 1);
    PUT(zone, .id = 1, .place = 1);
    PUT(lane, 1, 1, TIDE_LANE_DIR_in, 4);
    PUT(vehicle, 7, 2, TIDE_VEHICLE_KIND_resident, 0);
    for (tide_id id = 1; id <= 2; id++) {
        PUT(slot, .id = id, .zone = 1, .title = TIDE_SLOT_TITLE_owned, .owner = 3);
        PUT(window, .id = id, .slot = id, .zone = 1, .days = TIDE_DAYS_ALL,
            .weekdays = TIDE_WEEKDAYS_ALL, .closes_min = 1440);
        PUT(posting, .id = id, .at_ms = t->now_ms, .reason = TIDE_POSTING_REASON_grant,
            .to = id + 1, .minutes = 1000);
        PUT(account, .household = id + 1, .balance_min = 1000);
    }
    PUT(account, .household = 0, .balance_min = -2000);
    PUT(counter_row, TIDE_COUNTER_window, 3);
    PUT(counter_row, TIDE_COUNTER_posting, 3);
    done(t);
}

/* A promise of an hour from 9:00 on, as it should be; rows change one member of it. */
static inline struct tide_booking promise(struct tape *t, tide_id id, tide_id plate, tide_id slot)
{
    return (struct tide_booking){.id = id,
                                 .plate = plate,
                                 .zone = 1,
                                 .slot = slot,
                                 .household = 2,
                                 .person = 1,
                                 .by = 1,
                                 .start_ms = NOW + 60 * MIN_MS,
                                 .end_ms = NOW + 120 * MIN_MS,
                                 .no_show_ms = NOW + 90 * MIN_MS,
                                 .made_ms = t->now_ms,
                                 .held_min = 60};
}

static inline void book_as(struct tape *t, const struct tide_booking *booking, int32_t held_min)
{
    struct tide_booking shown = *booking;
    shown.slot = 0;
    EVENT(1, book, .plate = booking->plate, .zone = 1, .start_ms = NOW + 60 * MIN_MS,
          .end_ms = NOW + 120 * MIN_MS);
    effect(t, ENGINE_PUT, TIDE_REC_booking, booking);
    PUT(account, .household = 2, .balance_min = 1000, .held_min = held_min);
    REPLY(.id = booking->id);
    effect(t, ENGINE_ITEM, TIDE_REC_booking, &shown);
    PUT(counter_row, TIDE_COUNTER_booking, booking->id + 1);
    done(t);
}

static inline struct tide_booking booked(struct tape *t)
{
    struct tide_booking booking = promise(t, 1, 9, 1);
    book_as(t, &booking, 60);
    return booking;
}

/* The car of booking 1 comes at nine. */
static inline struct tide_booking parked(struct tape *t)
{
    struct tide_booking booking = booked(t);
    t->now_ms = NOW + 60 * MIN_MS;
    booking.state = TIDE_BOOKING_STATE_parked;
    booking.session = 1;
    EVENT(1, arrive, .booking = 1);
    PUT(session, .id = 1, .right = TIDE_SESSION_RIGHT_booking, .plate = 9, .place = 1, .zone = 1,
        .slot = 1, .booking = 1, .household = 2, .start_ms = t->now_ms);
    effect(t, ENGINE_PUT, TIDE_REC_booking, &booking);
    REPLY(.id = 1);
    PUT(counter_row, TIDE_COUNTER_session, 2);
    done(t);
    return booking;
}

/* What is played, and the words with which it must be noticed; NULL: nothing is wrong. */
struct tape_row {
    void (*play)(struct tape *t);
    const char *words;
};

static inline void tape_rows(const struct tape_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tape *t = calloc(1, sizeof *t);
        assert_non_null(t);
        t->audit = audit_new();
        audit_room(t->audit, 16);
        t->now_ms = NOW;
        found(t);
        rows[i].play(t);
        audit_end(t->audit);
        const char *first = audit_violations(t->audit) > 0 ? audit_first(t->audit) : "";
        if (rows[i].words == NULL ? first[0] != '\0' : strstr(first, rows[i].words) == NULL)
            fail_msg("row %zu: expected \"%s\", seen \"%s\"", i,
                     rows[i].words != NULL ? rows[i].words : "", first);
        audit_free(t->audit);
        free(t);
    }
}

#endif
