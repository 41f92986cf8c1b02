/* audit_state.h - what the rooms of the auditor share. */
#ifndef TIDE_SIM_AUDIT_STATE_H
#define TIDE_SIM_AUDIT_STATE_H

#include "tests/sim/auditor.h"
#include "tests/sim/naive.h"
#include "tests/sim/rows.h"

/* One PUT or DEL of an event, with what stood there before. */
struct audit_change {
    enum engine_verb verb;
    unsigned kind;
    bool had; /* there was a row */
    union tide_any was, is;
};

struct audit_ids { /* a growing set of ids */
    uint32_t *list;
    uint32_t count, room;
};

struct audit_name_row {
    char text[TIDE_NAME_BYTES_MAX + 1];
    uint8_t kind;
    bool forgotten;
    tide_id id;
};

#define AUDIT_CHANGES_MAX 16384

struct audit {
    struct sim_rows *rows;
    uint64_t seq;
    tide_ms when_ms;
    unsigned violations;
    char first[1000];
    struct audit_counts counts;

    /* the event at hand */
    const struct engine_event *event;
    struct audit_change *changes;
    uint32_t change_count;
    struct tide_reply reply;
    uint32_t replies, items;
    const uint8_t *effects; /* borrowed */
    size_t effects_len;

    uint32_t room; /* for bookings; 0: not told */
    struct audit_ids live_bookings, live_sessions, live_waits;
    uint32_t last_id[TIDE_COUNTER_strike + 1];
    struct tide_day *days;
    uint32_t day_count, day_room;
    const struct tide_window **windows;
    uint32_t window_count, window_room;
    bool days_stale, windows_stale;
    int64_t balance_sum;
    struct audit_name_row *names;
    uint32_t name_count, name_room;
};

void audit_fail(struct audit *audit, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t audit_setting(const struct audit *audit, enum tide_setting key);
/* Walks the effects' replies and items. */
const struct tide_booking *audit_booking(const struct audit *audit, tide_id id);
const struct tide_slot *audit_slot(const struct audit *audit, tide_id id);
/* Whether a place lies in another (or is it). */
bool audit_within(const struct audit *audit, tide_id inner, tide_id outer);
/* Mask of 1 << role that a person has at a place or above; place 0: anywhere. */
uint32_t audit_roles(const struct audit *audit, tide_id person, tide_id place);
/* The person who speaks; NULL for the daemon itself. */
const struct tide_person *audit_speaker(const struct audit *audit);
bool audit_ids_has(const struct audit_ids *ids, uint32_t id);
void audit_ids_add(struct audit_ids *ids, uint32_t id);
void audit_ids_remove(struct audit_ids *ids, uint32_t id);

/* Each room: what an event did, seen before (`was`) and after (`is`); the tables are those
 * after. */
void audit_bookings_event(struct audit *audit);
void audit_bookings_always(struct audit *audit);
void audit_windows_event(struct audit *audit);
struct naive_calendar audit_calendar(struct audit *audit);
struct naive_windows audit_windows(struct audit *audit);
/* Whether a slot could have taken a span as things stood *after* the event (a refusal changes
 * nothing). */
bool audit_slot_is_free(struct audit *audit, const struct tide_slot *slot, tide_ms start,
                        tide_ms end);
/* The same as if the booking `but` were not there. */
bool audit_slot_is_free_but(struct audit *audit, const struct tide_slot *slot, tide_ms start,
                            tide_ms end, tide_id but);
bool audit_slot_is_taken_now(const struct audit *audit, tide_id slot);
void audit_refusal(struct audit *audit, const struct tide_book *ask);
/* What a refusal for want of room says is in the way, and what it offers. */
void audit_offers_of_book(struct audit *audit, const uint8_t *effects, size_t len);
void audit_offers_of_quote(struct audit *audit, const uint8_t *effects, size_t len);
void audit_forecast_event(struct audit *audit);
/* The nth hour of an answer to ask_forecast. */
void audit_forecast_asked(struct audit *audit, const struct tide_forecast_hour *hour, unsigned nth);
void audit_ledger_event(struct audit *audit);
void audit_draws_event(struct audit *audit);
void audit_moves_event(struct audit *audit);
void audit_substitutes_event(struct audit *audit);
/* Whether one zone is within the walk of the other, or is the same. */
bool audit_zones_near(const struct audit *audit, tide_id a, tide_id b);
/* One live booking, after every event. */
void audit_substitutes_live(struct audit *audit, const struct tide_booking *booking,
                            bool deadlines_ran);
void audit_fair_event(struct audit *audit);
/* Whether caps and strikes leave a household room for one more promise like this. */
bool audit_fair_may(const struct audit *audit, tide_id household, tide_ms start, tide_ms end);
/* A booking that this event made of a wish of a draw. */
bool audit_was_drawn(const struct audit *audit, tide_id booking);
/* A booking that was made as urgent, and who gave way for it. */
void audit_urgent(struct audit *audit, const struct tide_booking *made);
/* One was refused for want of room: nobody could have given way. */
void audit_urgent_refused(struct audit *audit, const struct tide_book *ask);
void audit_late_event(struct audit *audit);
/* Until when a slot must be free so that a promise until `end` can be made now. */
tide_ms audit_kept_until(struct audit *audit, tide_id zone, tide_ms end);
void audit_waits_event(struct audit *audit);
/* Where somebody was told that he stands; and, of one who does not wait yet, whether that is so. */
void audit_wait_place(struct audit *audit, const struct tide_wait_place *place);
bool audit_wait_offer(struct audit *audit, const struct tide_offer *it);
void audit_ledger_always(struct audit *audit);
void audit_gate_event(struct audit *audit);
void audit_shown(struct audit *audit, const struct engine_event *event, const uint8_t *effects,
                 size_t len);
void audit_names_event(struct audit *audit);
/* An answer to a question, as things stood when it was asked. */
void audit_asked(struct audit *audit, const struct tide_reply *reply, const uint8_t *effects,
                 size_t len);

#endif
