/* records.h - every row, event and reply of Tide, described once.
 *
 * A *record* is a flat struct of integers: no pointer, no string, no hole that matters. One X-macro
 * line a record gives its number; one list a record gives its fields. From these come
 *
 *     struct tide_booking { ... }              the struct that the engine works with
 *     tide_record_of(TIDE_REC_booking)         a descriptor: names, types, offsets
 *     tide_record_pack / _unpack               the bytes in the journal
 *     the columns of the SQL tables, the names in JSON, the digest of the engine's state
 *
 * so that a word is the same in code, protocol, database and documents.
 *
 *          1..99 rows           100..199 events              200..255 what only a reply carries
 *     ┌──────────────────┐  ┌──────────────────────┐  ┌───────────────────────────────┐
 *     │ booking, slot, … │  │ book, plate_seen, …  │  │ reply, quote, tide_hour, …    │
 *     └──────────────────┘  └──────────────────────┘  └───────────────────────────────┘
 *     state: the fold of     the whole input           shown, never state
 *     PUT and DEL effects
 *
 * A row is the *whole* of what the engine knows of an entity; whatever else it keeps in memory
 * (free time, lists, heaps) is derived from rows alone, which is why loaded = replayed = digest.
 *
 * Growing: fields are appended, never removed or re-ordered. Bytes of an older version lack the
 * last fields; they read as 0. A name of a field tells its unit.
 */
#ifndef TIDE_RECORDS_H
#define TIDE_RECORDS_H

#include "tide/types.h"

/* clang-format off */
/* Field types: what a number means. X(type, C type, enum set or none) */
#define TIDE_PLAIN_TYPES(X)                                                                        \
    X(u8, uint8_t)                                                                                 \
    X(u16, uint16_t)                                                                               \
    X(u32, uint32_t)                                                                               \
    X(i32, int32_t)                                                                                \
    X(i64, int64_t)                                                                                \
    X(flag, uint8_t)      /* 0 or 1 */                                                             \
    X(time, int64_t)      /* civil milliseconds UTC; 0 = not given */                              \
    X(date, int32_t)      /* civil day since 1970-01-01 in the domain's offset */                  \
    X(minutes, int32_t)   /* an amount of minutes */                                               \
    X(dayminute, int32_t) /* minute of a civil day, 0..2880 (past midnight: next day) */           \
    X(days, uint8_t)      /* mask of day classes */                                                \
    X(weekdays, uint8_t)                                                                           \
    X(sense, uint8_t)                                                                              \
    X(place, uint32_t)                                                                             \
    X(person, uint32_t) X(user, uint32_t) X(plate, uint32_t) X(zone, uint32_t) X(slot, uint32_t)   \
    X(lane, uint32_t) X(window, uint32_t) X(booking, uint32_t) X(series, uint32_t)                 \
    X(session, uint32_t) X(incident, uint32_t) X(posting, uint32_t) X(notice, uint32_t)            \
    X(command, uint32_t) X(passage, uint32_t) X(draw, uint32_t) X(wish, uint32_t)                  \
    X(strike, uint32_t)                                                                            \
    X(waiting, uint32_t)                                                                           \
    X(hex, int64_t) /* sixteen hexadecimal digits: a quarter of a digest, half of a nonce */

/* ---- rows: R(number, name, keys) -------------------------------------------------------- */
#define TIDE_ROWS(R)                                                                               \
    R(1, setting_row, 1)                                                                           \
    R(2, counter_row, 1)                                                                           \
    R(3, day, 1)                                                                                   \
    R(4, place, 1)                                                                                 \
    R(5, person, 1)                                                                                \
    R(6, role_row, 3)                                                                              \
    R(7, user, 1)                                                                                  \
    R(8, vehicle, 1)                                                                               \
    R(9, zone, 1) R(10, slot, 1) R(11, lane, 1) R(12, window, 1) R(13, account, 1)                 \
    R(14, booking, 1) R(15, series, 1) R(16, session, 1) R(17, spot, 1) R(18, incident, 1)         \
    R(19, posting, 1) R(20, notice, 1) R(21, command, 1) R(22, passage, 1)                         \
    R(23, gateway_cursor, 1) R(24, forgotten, 2) R(25, outcome, 1)                                 \
    R(26, draw, 1) R(27, wish, 1) R(28, draw_span, 1) R(29, waiting, 1) R(32, strike, 1)           \
    R(40, forecast, 3) R(41, forecast_level, 1) R(42, wait_record, 2)      \
    R(44, lateness, 2)

#define TIDE_FIELDS_setting_row(F, O) F(O, enum_setting, key) F(O, i64, value)
#define TIDE_FIELDS_counter_row(F, O) F(O, enum_counter, counter) F(O, u32, next)
#define TIDE_FIELDS_day(F, O) F(O, date, date) F(O, enum_day_class, day_class)
#define TIDE_FIELDS_place(F, O) F(O, place, id) F(O, enum_place_kind, kind) F(O, place, parent)
#define TIDE_FIELDS_person(F, O) F(O, person, id) F(O, place, household) F(O, u16, rules_version)
#define TIDE_FIELDS_role_row(F, O) F(O, person, person) F(O, enum_role, role) F(O, place, place)
#define TIDE_FIELDS_user(F, O)                                                                     \
    F(O, user, id) F(O, person, person) F(O, enum_user_kind, kind) F(O, enum_user_state, state)
/* A plate with a standing right (resident, of a household; until_ms 0 = for good), an emergency
 * vehicle, one that is blocked, or certified care, which may be given a place before others. */
#define TIDE_FIELDS_vehicle(F, O)                                                                  \
    F(O, plate, plate) F(O, place, household) F(O, enum_vehicle_kind, kind) F(O, time, until_ms)
/* outsiders: 1 when people from outside the compound may book; resolution: number on file.
 * With policy draw: each day from draw_opens to draw_closes wishes are collected for draw_from to
 * draw_until of the next; draw_next is the next day on which that happens, the engine's own.
 * walk_group: zones of one number lie along one walk, at walk_m metres from its beginning; 0: this
 * zone is nobody's neighbour. The engine's own as well: wait_look_ms, when those who wait for a
 * place are gone through again (0: nobody waits), and wait_from, the one with whom that goes on (0:
 * the first). */
#define TIDE_FIELDS_zone(F, O)                                                                     \
    F(O, zone, id)                                                                                 \
    F(O, place, place)                                                                             \
    F(O, enum_zone_policy, policy)                                                                 \
    F(O, sense, sense) F(O, flag, outsiders) F(O, u32, resolution) F(O, u16, walk_group)           \
    F(O, dayminute, draw_opens_min) F(O, dayminute, draw_closes_min)                               \
    F(O, dayminute, draw_from_min) F(O, dayminute, draw_until_min) F(O, enum_draw_aim, draw_aim)   \
    F(O, date, draw_next) F(O, u16, walk_m) F(O, waiting, wait_from) F(O, time, wait_look_ms)  \
    F(O, u16, risk_permille)
#define TIDE_FIELDS_slot(F, O)                                                                     \
    F(O, slot, id)                                                                                 \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_title, title)                                                                   \
    F(O, enum_slot_class, cls) F(O, place, owner) F(O, flag, sensed) F(O, date, lent_until)
#define TIDE_FIELDS_lane(F, O)                                                                     \
    F(O, lane, id) F(O, place, place) F(O, enum_lane_dir, dir) F(O, user, gateway)
/* weekly: days, weekdays, opens_min..closes_min from from_date to until_date (0 = open end).
 * once, blackout, recall: start_ms..end_ms. blackout may hold for a slot or, slot 0, a zone. */
#define TIDE_FIELDS_window(F, O)                                                                   \
    F(O, window, id)                                                                               \
    F(O, slot, slot)                                                                               \
    F(O, zone, zone)                                                                               \
    F(O, enum_window_kind, kind)                                                                   \
    F(O, days, days)                                                                               \
    F(O, weekdays, weekdays)                                                                       \
    F(O, date, from_date)                                                                          \
    F(O, date, until_date)                                                                         \
    F(O, dayminute, opens_min) F(O, dayminute, closes_min) F(O, time, start_ms) F(O, time, end_ms) \
    F(O, person, by)
/* All balances sum to 0; held is promised by live bookings. Account 0 is the pool.
 * granted_month: year * 12 + month - 1 of the last monthly grant. used: minutes of stays and
 * overstays, halved with each grant, so that what is long ago counts little (draws); lent: likewise
 * what its slots were used by others. day_min, month_min: what its ended bookings used of the civil
 * day day_date and of the month (year * 12 + month - 1), for the caps. pending: charges of strikes
 * that are not final. */
#define TIDE_FIELDS_account(F, O)                                                                  \
    F(O, place, household)                                                                         \
    F(O, minutes, balance_min)                                                                     \
    F(O, minutes, held_min) F(O, u16, no_shows) F(O, u16, overstays) F(O, i32, granted_month)      \
    F(O, minutes, used_min)                                                                        \
    F(O, minutes, lent_min)                                                                        \
    F(O, date, day_date) F(O, minutes, day_min) F(O, i32, month) F(O, minutes, month_min)          \
    F(O, minutes, pending_min)
/* slot is provisional until the car is there. outside: why the promise lies outside a window.
 * looked_ms: when it was last seen to who comes after it, since it overstays (parking/overrun.c).
 * substitute_for: the household's own slot, which somebody else has at the time; such a promise
 * costs nothing, its reason says why it was made (overstayer, recall) and later why it ended.
 * disturbed: what of others' doing first touched it (overstayer, recall, blackout, calendar).
 * waiting: who had waited for it; he has to confirm it as long as that one is offered.
 * urgent: a visit that others may have given way for; costs nothing (parking/urgent.c).
 * buffer_min: so long after its end its slot is kept free, because cars are late. */
#define TIDE_FIELDS_booking(F, O)                                                                  \
    F(O, booking, id)                                                                              \
    F(O, enum_booking_state, state)                                                                \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, slot, slot)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, user, by) F(O, enum_via, via) F(O, flag, visitor) F(O, series, series)                    \
    F(O, session, session) F(O, time, start_ms) F(O, time, end_ms) F(O, time, no_show_ms)          \
    F(O, time, made_ms) F(O, time, ended_ms) F(O, minutes, held_min)                               \
    F(O, minutes, charged_min) F(O, enum_why, outside) F(O, enum_why, reason)                      \
    F(O, u16, moves) F(O, u8, warned) F(O, time, looked_ms) F(O, slot, substitute_for)             \
    F(O, enum_why, disturbed) F(O, waiting, waiting) F(O, u8, buffer_min) F(O, flag, urgent)
#define TIDE_FIELDS_series(F, O)                                                                   \
    F(O, series, id)                                                                               \
    F(O, enum_series_state, state)                                                                 \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, user, by)                                                                                 \
    F(O, enum_via, via) F(O, flag, visitor) F(O, days, days) F(O, weekdays, weekdays)              \
    F(O, dayminute, opens_min) F(O, dayminute, closes_min) F(O, date, from_date)                   \
    F(O, date, until_date) F(O, date, next_date)
/* A car that is there. place: the compound; slot 0: somewhere in the zone. */
#define TIDE_FIELDS_session(F, O)                                                                  \
    F(O, session, id)                                                                              \
    F(O, enum_session_state, state)                                                                \
    F(O, enum_session_right, right)                                                                \
    F(O, plate, plate)                                                                             \
    F(O, place, place)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, slot, slot)                                                                               \
    F(O, booking, booking)                                                                         \
    F(O, place, household) F(O, enum_source, source) F(O, time, start_ms) F(O, time, end_ms)
/* What the sensor of a slot says. due_ms: when silence makes it unknown. stranger_ms: when a taken
 * slot without a right becomes an incident. ghost_ms: likewise an empty one with a session. */
#define TIDE_FIELDS_spot(F, O)                                                                     \
    F(O, slot, slot)                                                                               \
    F(O, enum_occupancy, state)                                                                    \
    F(O, time, since_ms) F(O, time, seen_ms) F(O, time, due_ms) F(O, time, settle_ms)
#define TIDE_FIELDS_incident(F, O)                                                                 \
    F(O, incident, id)                                                                             \
    F(O, enum_incident_kind, kind)                                                                 \
    F(O, enum_incident_state, state)                                                               \
    F(O, zone, zone)                                                                               \
    F(O, slot, slot)                                                                               \
    F(O, plate, plate)                                                                             \
    F(O, booking, booking)                                                                         \
    F(O, session, session)                                                                         \
    F(O, place, household) F(O, time, open_ms) F(O, time, close_ms) F(O, time, escalate_ms)        \
    F(O, u8, level) F(O, minutes, charged_min) F(O, slot, substitute) F(O, enum_why, why)
/* from loses what to gains; account 0 is the pool. */
#define TIDE_FIELDS_posting(F, O)                                                                  \
    F(O, posting, id)                                                                              \
    F(O, time, at_ms)                                                                              \
    F(O, enum_posting_reason, reason)                                                              \
    F(O, place, from) F(O, place, to) F(O, minutes, minutes) F(O, booking, booking)
#define TIDE_FIELDS_notice(F, O)                                                                   \
    F(O, notice, id)                                                                               \
    F(O, person, person)                                                                           \
    F(O, enum_notice_kind, kind)                                                                   \
    F(O, time, at_ms)                                                                              \
    F(O, booking, booking)                                                                         \
    F(O, incident, incident)                                                                       \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone) F(O, slot, slot) F(O, time, start_ms) F(O, time, end_ms) F(O, enum_why, why)  \
    F(O, strike, strike) F(O, enum_strike_kind, strike_kind) F(O, minutes, minutes)                \
    F(O, enum_witness, witness) F(O, time, until_ms)
#define TIDE_FIELDS_command(F, O)                                                                  \
    F(O, command, id)                                                                              \
    F(O, user, gateway)                                                                            \
    F(O, lane, lane)                                                                               \
    F(O, enum_command_kind, kind)                                                                  \
    F(O, enum_command_state, state)                                                                \
    F(O, plate, plate)                                                                             \
    F(O, enum_why, why) F(O, booking, booking) F(O, slot, slot) F(O, time, at_ms) F(O, u32, ask)
/* What became of a command. */
#define TIDE_FIELDS_outcome(F, O)                                                                  \
    F(O, command, command) F(O, enum_command_state, state) F(O, time, at_ms)
/* One car before one arm, and what was decided. */
#define TIDE_FIELDS_passage(F, O)                                                                  \
    F(O, passage, id)                                                                              \
    F(O, lane, lane)                                                                               \
    F(O, enum_lane_dir, dir)                                                                       \
    F(O, plate, plate)                                                                             \
    F(O, enum_decision, decision)                                                                  \
    F(O, enum_why, why)                                                                            \
    F(O, booking, booking)                                                                         \
    F(O, session, session)                                                                         \
    F(O, time, at_ms) F(O, time, device_ms) F(O, flag, replayed) F(O, enum_source, source)
/* alone_ms: when it last decided by itself, or told late what it saw while it was cut off. */
#define TIDE_FIELDS_gateway_cursor(F, O)                                                           \
    F(O, user, gateway) F(O, u32, boot) F(O, u32, seq) F(O, time, seen_ms) F(O, time, alone_ms)
#define TIDE_FIELDS_forgotten(F, O) F(O, enum_name_kind, kind) F(O, u32, id) F(O, time, at_ms)

/* All wishes of a time in a zone, decided together. Wishes are taken from ask_from to ask_until for
 * the time from start to end. commit = SHA-256 of a secret; root: of the tree of wishes; both parts
 * and what follows from them: daemon/core/parking/draw_proof.h. value: what the public source said
 * in its issue. limit: grains (or wishes) that nobody could have exceeded. */
#define TIDE_FIELDS_draw(F, O)                                                                     \
    F(O, draw, id)                                                                                 \
    F(O, enum_draw_state, state)                                                                   \
    F(O, zone, zone)                                                                               \
    F(O, enum_draw_aim, aim)                                                                       \
    F(O, enum_draw_source, source)                                                                 \
    F(O, u32, issue) F(O, i64, value) F(O, time, ask_from_ms) F(O, time, ask_until_ms)             \
    F(O, time, start_ms) F(O, time, end_ms) F(O, u32, wishes) F(O, u32, spans) F(O, u32, chosen)   \
    F(O, i64, limit) F(O, hex, commit_1) F(O, hex, commit_2) F(O, hex, commit_3)                   \
    F(O, hex, commit_4) F(O, hex, root_1) F(O, hex, root_2) F(O, hex, root_3) F(O, hex, root_4)    \
    F(O, hex, secret_1) F(O, hex, secret_2) F(O, hex, secret_3) F(O, hex, secret_4)
/* One wish of a draw. used: what its household had used and was promised when it asked. span: the
 * draw_span that was drawn for it, 0 for none; slot: where that is, until it is settled. */
#define TIDE_FIELDS_wish(F, O)                                                                     \
    F(O, wish, id)                                                                                 \
    F(O, draw, draw)                                                                               \
    F(O, enum_wish_state, state)                                                                   \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, user, by)                                                                                 \
    F(O, enum_via, via) F(O, flag, visitor) F(O, time, start_ms) F(O, time, end_ms)                \
    F(O, time, made_ms) F(O, minutes, used_min) F(O, hex, nonce_1) F(O, hex, nonce_2)              \
    F(O, u32, span) F(O, slot, slot) F(O, booking, booking) F(O, enum_why, why)
/* Free time that a draw could give away; of which slot is nobody's business. number: 1, 2, ... */
#define TIDE_FIELDS_draw_span(F, O)                                                                \
    F(O, u32, id)                                                                                  \
    F(O, draw, draw)                                                                               \
    F(O, u32, number) F(O, enum_slot_class, cls) F(O, time, start_ms) F(O, time, end_ms)
/* Held against a household. From start (of the promise of who did not come, its end of who
 * left late) to at is what the evidence covers; minutes: how many that were. reporter: whose hand
 * told it. charge_min goes to the lender once it is upheld; charged_min: what was really moved. */
#define TIDE_FIELDS_strike(F, O)                                                                   \
    F(O, strike, id)                                                                               \
    F(O, enum_strike_kind, kind)                                                                   \
    F(O, enum_strike_state, state)                                                                 \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, plate, plate)                                                                             \
    F(O, booking, booking)                                                                         \
    F(O, incident, incident)                                                                       \
    F(O, zone, zone)                                                                               \
    F(O, slot, slot)                                                                               \
    F(O, time, start_ms) F(O, time, at_ms) F(O, minutes, minutes) F(O, enum_witness, witness)      \
    F(O, person, reporter) F(O, u16, rules_version) F(O, time, made_ms)                            \
    F(O, time, contest_until_ms) F(O, time, contested_ms) F(O, time, decide_until_ms)              \
    F(O, person, decided_by) F(O, time, decided_ms) F(O, time, expires_ms) F(O, enum_why, why)     \
    F(O, minutes, charge_min) F(O, place, lender) F(O, minutes, charged_min)
/* Somebody waits for a place that is not free; see parking/promote.c. When one comes free for him,
 * a booking is made, and he has until confirm_by_ms to say that he wants it. first_position: the
 * place in the queue that he began at. */
#define TIDE_FIELDS_waiting(F, O)                                                                  \
    F(O, waiting, id)                                                                              \
    F(O, enum_waiting_state, state)                                                                \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, user, by)                                                                                 \
    F(O, enum_via, via) F(O, flag, visitor) F(O, time, start_ms) F(O, time, end_ms)                \
    F(O, time, made_ms) F(O, time, confirm_by_ms) F(O, booking, booking) F(O, time, ended_ms)      \
    F(O, enum_why, why) F(O, u16, first_position)
/* How those fared who began to wait in a zone at such a position (parking/chance.c): of so many who
 * asked, so many were offered a place. */
#define TIDE_FIELDS_wait_record(F, O)                                                              \
    F(O, zone, zone) F(O, u8, bucket) F(O, u16, asked) F(O, u16, got)
/* Stays in a zone that were promised to end on such a day: how many left in time, how many up to so
 * many minutes later, how many later than that (parking/lateness.c). */
#define TIDE_FIELDS_lateness(F, O)                                                                 \
    F(O, zone, zone)                                                                               \
    F(O, enum_day_class, day_class)                                                                \
    F(O, u16, in_time) F(O, u16, late_5) F(O, u16, late_10) F(O, u16, late_15) F(O, u16, late_20)  \
    F(O, u16, late_30) F(O, u16, late_40) F(O, u16, late_50) F(O, u16, late_60)                    \
    F(O, u16, late_75) F(O, u16, late_90) F(O, u16, late_105) F(O, u16, late_120)                  \
    F(O, u16, late_150) F(O, u16, late_180) F(O, u16, late_240) F(O, u16, later)
/* What a zone's open slots are used at this full hour of such a day, as a rule, by promises and
 * cars; how far days lie from it; of how many days that was learned (parking/forecast.c). */
#define TIDE_FIELDS_forecast(F, O)                                                                 \
    F(O, zone, zone)                                                                               \
    F(O, enum_day_class, day_class)                                                                \
    F(O, u8, hour) F(O, u16, days) F(O, i32, used_milli) F(O, i32, spread_milli)
/* at_ms: the full hour that was last seen. drift: by how much more was used then than as a rule.
 * low, high: between which 80 % of the days lie, in thousandths of the spread. */
#define TIDE_FIELDS_forecast_level(F, O)                                                           \
    F(O, zone, zone)                                                                               \
    F(O, time, at_ms) F(O, i32, drift_milli) F(O, i32, low_milli) F(O, i32, high_milli)

/* ---- events: what enters. R(number, name, keys = 0) ------------------------------------- */
#define TIDE_EVENTS(R)                                                                             \
    R(100, tick, 0)                                                                                \
    R(101, genesis, 0)                                                                             \
    R(102, clock, 0)                                                                               \
    R(103, put, 0)                                                                                 \
    R(104, drop, 0)                                                                                \
    R(105, calendar, 0)                                                                            \
    R(106, book, 0)                                                                                \
    R(107, repeat, 0)                                                                              \
    R(108, cancel, 0) R(109, extend, 0) R(110, arrive, 0) R(111, leave, 0) R(112, share, 0)        \
    R(113, unshare, 0) R(114, recall, 0) R(115, blackout, 0) R(116, hand, 0)                       \
    R(117, plate_seen, 0) R(118, slot_seen, 0) R(119, gate_report, 0)                              \
    R(120, command_done, 0) R(121, hello, 0) R(122, forget, 0) R(123, correct, 0)                  \
    R(124, resolve, 0) R(125, clock_accept, 0) R(126, accept_rules, 0)                             \
    R(127, reloaded, 0) R(128, draw_open, 0) R(129, draw_ask, 0) R(130, draw_withdraw, 0)          \
    R(131, draw_value, 0) R(132, draw_seal, 0) R(133, draw_result, 0)                              \
    R(134, wait, 0) R(135, unwait, 0) R(136, confirm, 0)                                           \
    R(140, ask_quote, 0) R(141, ask_bookings, 0)                                                   \
    R(142, ask_tide, 0) R(143, ask_shares, 0) R(144, ask_sheet, 0)                                 \
    R(145, ask_incidents, 0) R(146, ask_account, 0)                                                \
    R(147, ask_whoami, 0) R(148, ask_status, 0)                                                    \
    R(149, ask_inbox, 0) R(150, ask_history, 0)                                                    \
    R(151, ask_person, 0) R(152, ask_zones, 0)                                                     \
    R(153, backup, 0) R(154, ask_passages, 0) R(155, ask_draws, 0) R(156, ask_proof, 0)            \
    R(160, ask_forecast, 0) R(166, ask_strikes, 0) R(167, ask_strikes_past, 0)                     \
    R(176, strike_contest, 0) R(177, strike_decide, 0)
#define TIDE_EVENT_IS_ASK(kind) ((kind) >= 140 && (kind) <= 169)

#define TIDE_FIELDS_tick(F, O) F(O, u8, unused)
/* The first event of a domain: who may set up everything else. */
#define TIDE_FIELDS_genesis(F, O)                                                                  \
    F(O, place, community)                                                                         \
    F(O, person, admin) F(O, user, admin_user) F(O, i32, utc_offset_min) F(O, flag, scaled)
/* The clock jumped: suspended until accepted when the jump is forward and large. */
#define TIDE_FIELDS_clock(F, O) F(O, time, old_ms) F(O, time, new_ms) F(O, flag, suspend)
#define TIDE_FIELDS_clock_accept(F, O) F(O, u8, unused)
/* blob: packed rows (kind, record), all or none. Rows allowed: setting place person role_row user
 * vehicle zone slot lane window. A later put changes only the rows it names. */
#define TIDE_FIELDS_put(F, O) F(O, u16, rows)
/* kind: a row number; k1..k3 its keys. Only what nothing live depends on can go. */
#define TIDE_FIELDS_drop(F, O) F(O, u8, kind) F(O, u32, k1) F(O, u32, k2) F(O, u32, k3)
/* blob: packed day records of one year; replaces that year's exceptions. */
#define TIDE_FIELDS_calendar(F, O) F(O, i32, year) F(O, u16, rows)
#define TIDE_FIELDS_book(F, O)                                                                     \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, time, start_ms)                                                                           \
    F(O, time, end_ms)                                                                             \
    F(O, place, household) F(O, person, person) F(O, enum_via, via) F(O, flag, visitor)     \
    F(O, flag, urgent)
/* One booking each day that the rule names: "every workday 08:30-17:30". */
#define TIDE_FIELDS_repeat(F, O)                                                                   \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, days, days)                                                                               \
    F(O, weekdays, weekdays)                                                                       \
    F(O, dayminute, opens_min)                                                                     \
    F(O, dayminute, closes_min)                                                                    \
    F(O, date, from_date)                                                                          \
    F(O, date, until_date) F(O, place, household) F(O, person, person) F(O, enum_via, via)         \
    F(O, flag, visitor)
#define TIDE_FIELDS_cancel(F, O) F(O, booking, booking) F(O, series, series) F(O, enum_via, via)
#define TIDE_FIELDS_extend(F, O) F(O, booking, booking) F(O, time, end_ms) F(O, enum_via, via)
/* By hand: the driver's own, the guard's, the clerk's. slot 0: where the booking says. */
#define TIDE_FIELDS_arrive(F, O)                                                                   \
    F(O, booking, booking) F(O, plate, plate) F(O, zone, zone) F(O, slot, slot) F(O, enum_via, via)
#define TIDE_FIELDS_leave(F, O) F(O, booking, booking) F(O, plate, plate) F(O, enum_via, via)
#define TIDE_FIELDS_share(F, O)                                                                    \
    F(O, slot, slot)                                                                               \
    F(O, enum_window_kind, kind)                                                                   \
    F(O, days, days)                                                                               \
    F(O, weekdays, weekdays)                                                                       \
    F(O, date, from_date)                                                                          \
    F(O, date, until_date)                                                                         \
    F(O, dayminute, opens_min)                                                                     \
    F(O, dayminute, closes_min) F(O, time, start_ms) F(O, time, end_ms) F(O, enum_via, via)
#define TIDE_FIELDS_unshare(F, O) F(O, window, window) F(O, enum_via, via)
/* swap: the slot that is taken instead when it cannot be had; plan: only tell what would happen. */
#define TIDE_FIELDS_recall(F, O)                                                                   \
    F(O, slot, slot)                                                                               \
    F(O, time, start_ms) F(O, time, end_ms) F(O, enum_via, via) F(O, slot, swap) F(O, flag, plan)
#define TIDE_FIELDS_blackout(F, O)                                                                 \
    F(O, slot, slot) F(O, zone, zone) F(O, time, start_ms) F(O, time, end_ms) F(O, enum_via, via)
/* The guard opens: always done, and written down. */
#define TIDE_FIELDS_hand(F, O) F(O, lane, lane) F(O, plate, plate) F(O, enum_lane_dir, dir)
/* ask: the gateway's number of its question, comes back in the command. boot, seq: see
 * gateway_cursor. alt1..4: ids of plates that this one may be a misreading of. */
#define TIDE_FIELDS_plate_seen(F, O)                                                               \
    F(O, lane, lane)                                                                               \
    F(O, enum_lane_dir, dir)                                                                       \
    F(O, plate, plate)                                                                             \
    F(O, enum_plate_class, plate_class)                                                            \
    F(O, plate, alt1)                                                                              \
    F(O, plate, alt2)                                                                              \
    F(O, plate, alt3)                                                                              \
    F(O, plate, alt4)                                                                              \
    F(O, time, device_ms) F(O, flag, replay) F(O, u32, ask) F(O, u32, boot) F(O, u32, seq)
#define TIDE_FIELDS_slot_seen(F, O)                                                                \
    F(O, slot, slot)                                                                               \
    F(O, enum_occupancy, state)                                                                    \
    F(O, flag, heartbeat)                                                                          \
    F(O, time, device_ms) F(O, flag, replay) F(O, u8, battery_pct) F(O, u32, boot) F(O, u32, seq)
/* The gateway's own list decided because no answer came in time. */
#define TIDE_FIELDS_gate_report(F, O)                                                              \
    F(O, lane, lane)                                                                               \
    F(O, enum_lane_dir, dir)                                                                       \
    F(O, plate, plate)                                                                             \
    F(O, enum_decision, decision)                                                                  \
    F(O, time, device_ms) F(O, u32, ask) F(O, u32, boot) F(O, u32, seq)
#define TIDE_FIELDS_command_done(F, O)                                                             \
    F(O, command, command) F(O, enum_command_state, state) F(O, u32, boot) F(O, u32, seq)
/* "What comes next from me is (boot, seq + 1)": also after a restore, when the gateway no longer
 * has what the daemon lost. */
#define TIDE_FIELDS_hello(F, O) F(O, u32, boot) F(O, u32, seq)
#define TIDE_FIELDS_forget(F, O) F(O, enum_name_kind, kind) F(O, u32, id)
/* A name's text changed; the text itself is not here. */
#define TIDE_FIELDS_correct(F, O) F(O, enum_name_kind, kind) F(O, u32, id) F(O, enum_via, via)
#define TIDE_FIELDS_resolve(F, O) F(O, incident, incident) F(O, enum_via, via)
/* The configuration was read again (SIGHUP): which keys changed, as a checksum of the file. */
#define TIDE_FIELDS_reloaded(F, O) F(O, u32, checksum)
#define TIDE_FIELDS_accept_rules(F, O)                                                             \
    F(O, u16, rules_version) F(O, person, person) F(O, enum_via, via)

/* The committee's own draw, beside those that a zone holds each day. */
#define TIDE_FIELDS_draw_open(F, O)                                                                \
    F(O, zone, zone)                                                                               \
    F(O, time, ask_from_ms)                                                                        \
    F(O, time, ask_until_ms)                                                                       \
    F(O, time, start_ms)                                                                           \
    F(O, time, end_ms)                                                                             \
    F(O, enum_draw_aim, aim) F(O, enum_draw_source, source) F(O, u32, issue) F(O, enum_via, via)
/* A wish for the draw that collects for this time. nonce: the client's own 128 bits of chance. */
#define TIDE_FIELDS_draw_ask(F, O)                                                                 \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, time, start_ms)                                                                           \
    F(O, time, end_ms)                                                                             \
    F(O, place, household)                                                                         \
    F(O, person, person)                                                                           \
    F(O, enum_via, via) F(O, flag, visitor) F(O, hex, nonce_1) F(O, hex, nonce_2)
#define TIDE_FIELDS_draw_withdraw(F, O) F(O, wish, wish) F(O, enum_via, via)
/* What the public source said, its digits in a row. */
#define TIDE_FIELDS_draw_value(F, O) F(O, draw, draw) F(O, i64, value) F(O, enum_via, via)
/* The daemon's own: the secret is chosen, and bound by its digest. */
#define TIDE_FIELDS_draw_seal(F, O)                                                                \
    F(O, draw, draw)                                                                               \
    F(O, hex, commit_1) F(O, hex, commit_2) F(O, hex, commit_3) F(O, hex, commit_4)
/* The daemon's own: solved. blob: see draw_proof.h. */
#define TIDE_FIELDS_draw_result(F, O)                                                              \
    F(O, draw, draw)                                                                               \
    F(O, hex, secret_1)                                                                            \
    F(O, hex, secret_2) F(O, hex, secret_3) F(O, hex, secret_4) F(O, i64, limit)

#define TIDE_FIELDS_strike_contest(F, O) F(O, strike, strike) F(O, enum_via, via)
/* verdict: upheld or void. */
#define TIDE_FIELDS_strike_decide(F, O)                                                            \
    F(O, strike, strike) F(O, enum_strike_state, verdict) F(O, enum_via, via)

/* The same as book, of which there is none at the moment: when one comes free. */
#define TIDE_FIELDS_wait(F, O)                                                                     \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, time, start_ms)                                                                           \
    F(O, time, end_ms)                                                                             \
    F(O, place, household) F(O, person, person) F(O, enum_via, via) F(O, flag, visitor)
#define TIDE_FIELDS_unwait(F, O) F(O, waiting, waiting) F(O, enum_via, via)
/* Whoever waited says that he wants the booking that he was offered. */
#define TIDE_FIELDS_confirm(F, O) F(O, booking, booking) F(O, enum_via, via)

/* Asked, answered, not journaled. */
#define TIDE_FIELDS_ask_quote(F, O)                                                                \
    F(O, plate, plate)                                                                             \
    F(O, zone, zone) F(O, enum_slot_class, cls) F(O, time, start_ms) F(O, time, end_ms)
#define TIDE_FIELDS_ask_bookings(F, O) F(O, place, household) F(O, person, person)
#define TIDE_FIELDS_ask_tide(F, O) F(O, zone, zone) F(O, time, start_ms) F(O, u16, hours)
#define TIDE_FIELDS_ask_forecast(F, O) F(O, zone, zone) F(O, u16, hours)
#define TIDE_FIELDS_ask_strikes(F, O) F(O, zone, zone) F(O, place, household) F(O, strike, after)
/* From the tables: all there were, void ones too, newest first. */
#define TIDE_FIELDS_ask_strikes_past(F, O) F(O, place, household) F(O, strike, before)
#define TIDE_FIELDS_ask_shares(F, O) F(O, slot, slot) F(O, place, household)
#define TIDE_FIELDS_ask_sheet(F, O)                                                                \
    F(O, zone, zone) F(O, time, start_ms) F(O, time, end_ms) F(O, booking, after)
#define TIDE_FIELDS_ask_incidents(F, O) F(O, zone, zone) F(O, incident, after)
#define TIDE_FIELDS_ask_account(F, O) F(O, place, household)
#define TIDE_FIELDS_ask_whoami(F, O) F(O, u8, unused)
#define TIDE_FIELDS_ask_status(F, O) F(O, u8, unused)
#define TIDE_FIELDS_ask_inbox(F, O) F(O, notice, after) F(O, person, person)
/* From the tables: ended bookings of a household, newest first, before this id. */
#define TIDE_FIELDS_ask_history(F, O) F(O, place, household) F(O, booking, before)
#define TIDE_FIELDS_ask_person(F, O) F(O, person, person)
#define TIDE_FIELDS_ask_zones(F, O) F(O, zone, after)
#define TIDE_FIELDS_ask_passages(F, O) F(O, lane, lane) F(O, passage, before)
/* Draws that are not over yet, and the household's wishes in them. */
#define TIDE_FIELDS_ask_draws(F, O) F(O, zone, zone) F(O, place, household)
/* From the tables: all that decided a draw, a page at a time. */
#define TIDE_FIELDS_ask_proof(F, O) F(O, draw, draw) F(O, u32, after_wish) F(O, u32, after_span)
#define TIDE_FIELDS_backup(F, O) F(O, u8, unused)

/* ---- what only replies carry ------------------------------------------------------------ */
#define TIDE_REPLIES(R)                                                                            \
    R(200, reply, 0)                                                                               \
    R(201, quote, 0)                                                                               \
    R(202, tide_hour, 0) R(203, status, 0) R(204, whoami, 0) R(205, zone_now, 0)                   \
    R(206, gap_day, 0) R(207, receipt, 0) R(210, binding, 0) R(211, offer, 0)                      \
    R(212, forecast_hour, 0) R(213, wait_place, 0) R(220, swap, 0)
/* Heads each answer. free_from..free_until: the nearest span that would have fitted. left_min: what
 * a cap leaves, told with day_cap and month_cap. */
#define TIDE_FIELDS_reply(F, O)                                                                    \
    F(O, enum_code, code)                                                                          \
    F(O, enum_why, why)                                                                            \
    F(O, u32, id)                                                                                  \
    F(O, time, free_from_ms)                                                                       \
    F(O, time, free_until_ms) F(O, i64, limit) F(O, u16, items) F(O, flag, more)                   \
    F(O, minutes, left_min)
#define TIDE_FIELDS_quote(F, O)                                                                    \
    F(O, zone, zone)                                                                               \
    F(O, time, start_ms)                                                                           \
    F(O, time, end_ms) F(O, u32, places) F(O, minutes, minutes) F(O, time, free_until_ms)
#define TIDE_FIELDS_tide_hour(F, O)                                                                \
    F(O, zone, zone) F(O, time, start_ms) F(O, u32, supply) F(O, u32, promised) F(O, u32, parked)
#define TIDE_FIELDS_status(F, O)                                                                   \
    F(O, time, now_ms)                                                                             \
    F(O, u32, zones)                                                                               \
    F(O, u32, slots)                                                                               \
    F(O, u32, persons)                                                                             \
    F(O, u32, bookings)                                                                            \
    F(O, u32, sessions)                                                                            \
    F(O, u32, incidents)                                                                           \
    F(O, u16, pool_used_pct) F(O, date, calendar_until) F(O, flag, clock_suspended)
#define TIDE_FIELDS_whoami(F, O)                                                                   \
    F(O, user, user) F(O, person, person) F(O, place, household) F(O, u16, roles)
/* A zone at this moment, pooled; what retained public state is made of. */
#define TIDE_FIELDS_zone_now(F, O)                                                                 \
    F(O, zone, zone)                                                                               \
    F(O, time, at_ms)                                                                              \
    F(O, u32, slots) F(O, u32, open) F(O, u32, promised) F(O, u32, parked) F(O, u32, free)
#define TIDE_FIELDS_gap_day(F, O) F(O, date, date) F(O, enum_why, why)
/* A wish is in: its leaf of the tree, and what the secret of its draw is bound by. */
#define TIDE_FIELDS_receipt(F, O)                                                                  \
    F(O, wish, wish)                                                                               \
    F(O, draw, draw)                                                                               \
    F(O, minutes, used_min)                                                                        \
    F(O, hex, leaf_1)                                                                              \
    F(O, hex, leaf_2)                                                                              \
    F(O, hex, leaf_3) F(O, hex, leaf_4) F(O, hex, commit_1) F(O, hex, commit_2)                    \
    F(O, hex, commit_3) F(O, hex, commit_4)
/* One full hour ahead: slots open then, and how many of them will be free: as a rule, and between
 * low and high on 8 of 10 days. days: of how many such days that is known; 0: of none, then all
 * that is not promised yet. zone 0: all zones too small to be told by themselves. */
#define TIDE_FIELDS_forecast_hour(F, O)                                                            \
    F(O, zone, zone)                                                                               \
    F(O, time, start_ms)                                                                           \
    F(O, u32, supply) F(O, u32, free_low) F(O, u32, free) F(O, u32, free_high) F(O, u16, days)
/* What stood in the way of a wish: a span for all of which no slot of the zone and class is free.
 * why: no_window, nothing is open at any moment of it; all_taken, what is open is taken at each
 * moment of it; in_pieces, no slot is free from its start to its end. */
#define TIDE_FIELDS_binding(F, O)                                                                  \
    F(O, zone, zone) F(O, enum_slot_class, cls) F(O, time, start_ms) F(O, time, end_ms)            \
    F(O, enum_why, why)
/* Another slot that an owner may take for a span while he leaves his own to others, free of charge;
 * minutes: posted to him when he has been there. */
#define TIDE_FIELDS_swap(F, O)                                                                     \
    F(O, slot, slot)                                                                               \
    F(O, zone, zone) F(O, time, start_ms) F(O, time, end_ms) F(O, minutes, minutes)                \
    F(O, u16, walk_m)
/* What would have been granted instead, at that moment, to the same party and plate. Kind wait: the
 * wish itself, by waiting for it at this position, with this chance (see wait_place). */
#define TIDE_FIELDS_offer(F, O)                                                                    \
    F(O, enum_offer_kind, kind)                                                                    \
    F(O, zone, zone)                                                                               \
    F(O, enum_slot_class, cls)                                                                     \
    F(O, time, start_ms) F(O, time, end_ms) F(O, minutes, minutes) F(O, u16, walk_m)               \
    F(O, u16, position) F(O, u8, chance_pct) F(O, u16, of)
/* Where one stands who waits: how many before him want the same, and he. chance_pct: of being
 * offered a place, as far as `of` earlier ones who began there can tell; of 0: nothing is known,
 * and no chance is claimed. */
#define TIDE_FIELDS_wait_place(F, O)                                                               \
    F(O, waiting, waiting) F(O, u16, position) F(O, u8, chance_pct) F(O, u16, of)

/* clang-format on */
#define TIDE_RECORDS(R) TIDE_ROWS(R) TIDE_EVENTS(R) TIDE_REPLIES(R)

/* ---- from the lists: numbers, structs --------------------------------------------------- */
#define TIDE_REC_NUMBER_(number, name, keys) TIDE_REC_##name = (number),
enum tide_record_kind { TIDE_RECORDS(TIDE_REC_NUMBER_) TIDE_REC_MAX = 256 };
#undef TIDE_REC_NUMBER_

#define TIDE_CTYPE_(type, ctype) typedef ctype tide_field_##type;
TIDE_PLAIN_TYPES(TIDE_CTYPE_)
#undef TIDE_CTYPE_
#define TIDE_CTYPE_(set, P) typedef uint8_t tide_field_enum_##set;
TIDE_ENUMS(TIDE_CTYPE_)
#undef TIDE_CTYPE_

#define TIDE_MEMBER_(owner, type, name) tide_field_##type name;
#define TIDE_STRUCT_(number, name, keys)                                                           \
    struct tide_##name {                                                                           \
        TIDE_FIELDS_##name(TIDE_MEMBER_, name)                                                     \
    };
TIDE_RECORDS(TIDE_STRUCT_)
#undef TIDE_STRUCT_
#undef TIDE_MEMBER_

/* Any record: large enough, aligned enough for each. */
union tide_any {
#define TIDE_UNION_(number, name, keys) struct tide_##name name;
    TIDE_RECORDS(TIDE_UNION_)
#undef TIDE_UNION_
};

/* ---- descriptors (implemented in daemon/core/record.c) ----------------------------------- */
enum tide_field_type {
#define TIDE_FT_(type, ctype) TIDE_FT_##type,
    TIDE_PLAIN_TYPES(TIDE_FT_)
#undef TIDE_FT_
        TIDE_FT_ENUMS, /* from here on: an enum; its set is type - TIDE_FT_ENUMS - 1 */
#define TIDE_FT_(set, P) TIDE_FT_enum_##set,
    TIDE_ENUMS(TIDE_FT_)
#undef TIDE_FT_
        TIDE_FT_COUNT
};

struct tide_field {
    const char *name;
    uint16_t offset;
    uint8_t width;     /* bytes: 1, 2, 4, 8 */
    uint8_t is_signed; /* 0 or 1 */
    uint8_t type;      /* enum tide_field_type */
};

struct tide_record {
    const char *name; /* "booking": the SQL table's and the JSON object's name */
    const struct tide_field *fields;
    uint16_t size; /* sizeof the struct */
    uint8_t kind;
    uint8_t field_count;
    uint8_t key_count; /* the first fields are the key; 0 for what is no row */
};

/* The descriptor of a kind, NULL when there is none. */
const struct tide_record *tide_record_of(unsigned kind);

/* The kind whose name this is; 0 when there is none. */
unsigned tide_record_named(const char *name);

/* Reads or writes one field of a record as a number. Writing cuts to the field's width; check with
 * tide_field_fits first. */
int64_t tide_field_get(const struct tide_field *field, const void *record);
void tide_field_set(const struct tide_field *field, void *record, int64_t value);
bool tide_field_fits(const struct tide_field *field, int64_t value);

/* Packs a record: each field as a varint (zigzag when signed), trailing zeros left out, its length
 * in front. Returns the bytes written, 0 when they do not fit into cap. */
size_t tide_record_pack(const struct tide_record *desc, const void *record, uint8_t *out,
                        size_t cap);

/* Unpacks one record from the front of the bytes into *ret (zeroed first; desc->size bytes).
 * Returns the bytes consumed, 0 when they are not a record of this kind: cut, or out of range. */
size_t tide_record_unpack(const struct tide_record *desc, const uint8_t *in, size_t len, void *ret);

/* The name of a member of an enum field ("no_show"); NULL when the number has none. */
const char *tide_enum_name(unsigned field_type, unsigned value);

/* The number of a name of len bytes; -1 when there is none. */
int tide_enum_value(unsigned field_type, const char *name, size_t len);

#define TIDE_ENUM_FIELD_TYPE(set) TIDE_FT_enum_##set

#endif
