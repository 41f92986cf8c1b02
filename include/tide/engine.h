/* engine.h - the whole of the logic: events in, effects out, nothing else.
 *
 *              event (when, user, record, blob)
 *                 │
 *     ┌───────────▼───────────┐      effects: a packed run of
 *     │ engine_step           │ ───► PUT row · DEL row · REPLY head · ITEM of the reply
 *     │  rows ─ derived state │      in the order in which they came to be
 *     └───────────▲───────────┘
 *                 │ engine_query (reads: same dispatch, changes nothing)
 *
 * Pure: time is event.when_ms; no input or output; no memory beyond the block given at start; no
 * floating point. The same events give the same effects on every machine (within one
 * ENGINE_RULES). One engine serves one domain and is used by one thread at a time.
 *
 * The caller's part of the bargain:
 *  - journal first: an effect is released only when its event is durable;
 *  - before an event at `when`, run ticks until engine_next_deadline() > when;
 *  - when_ms never goes back.
 */
#ifndef TIDE_ENGINE_H
#define TIDE_ENGINE_H

#include "tide/limits.h"
#include "tide/records.h"

/* Raised whenever the same events would give other effects. */
#define ENGINE_RULES 4u

struct engine;

/* How much there may be at once; sizes of the pools. 0 takes the default. */
struct engine_limits {
    uint32_t places, persons, roles, users, vehicles, zones, slots, lanes, windows;
    uint32_t bookings, series, sessions, incidents; /* live ones */
    uint32_t commands;
    uint32_t horizon_days_max;
};
void engine_limits_default(struct engine_limits *ret);

/* Why a decision fell as it did, in numbers; tests and `--trace` put it into words. */
struct engine_trace {
    const char *rule; /* a literal: "window.ends", "seat.best_fit" */
    int64_t a, b, c;
};
typedef void engine_trace_fn(void *arg, const struct engine_trace *line);

/* One event. record is the struct of `kind`; blob only for put and calendar. */
struct engine_event {
    tide_ms when_ms;
    tide_id user; /* who speaks: 0 for the daemon itself (tick, clock, genesis) */
    uint8_t kind; /* enum tide_record_kind, 100..169 */
    union tide_any as;
    const uint8_t *blob; /* of put, calendar, draw_result; borrowed for the call */
    uint32_t blob_len;
};

enum engine_verb { ENGINE_PUT = 1, ENGINE_DEL, ENGINE_REPLY, ENGINE_ITEM };

/* Where a step writes: verb u8, kind u8, packed record; again and again. */
struct engine_effects {
    uint8_t *buf;
    size_t cap; /* at least TIDE_EFFECTS_BYTES_MAX */
    size_t len;
    uint32_t count;
};

/* Walks a run of effects. Start with *offset = 0. Returns false at the end or at bytes that are no
 * effects (then *offset < len). */
bool engine_effect_next(const uint8_t *buf, size_t len, size_t *offset, enum engine_verb *ret_verb,
                        unsigned *ret_kind, union tide_any *ret_record);
/* Like engine_effect_next, but hands the packed record on unread, whatever its kind; false at the
 * end. */
bool engine_effect_skip(const uint8_t *buf, size_t len, size_t *offset, unsigned *ret_verb,
                        unsigned *ret_kind, size_t *ret_record_at);

/* Packs an event as the journal keeps it / reads it back. _unpack borrows the blob from `in`.
 * Both return the bytes used, 0 on failure. `when_ms` is kept beside, in a column of its own. */
size_t engine_event_pack(const struct engine_event *event, uint8_t *out, size_t cap);
size_t engine_event_unpack(const uint8_t *in, size_t len, struct engine_event *ret);

/* Bytes that an engine with these limits needs. */
size_t engine_size(const struct engine_limits *limits);

/* Makes an empty engine in mem (aligned to 64, zeroed or not, at least engine_size bytes, owned by
 * the caller, who just frees it at the end). Cannot fail. */
struct engine *engine_init(void *mem, size_t size, const struct engine_limits *limits);

/* Each decision is told to fn as it falls; NULL for silence. Not part of the state. */
void engine_set_trace(struct engine *engine, engine_trace_fn *fn, void *arg);

/* Takes one event. Effects are appended; a request always ends with exactly one REPLY. Requests
 * that are refused change nothing. */
void engine_step(struct engine *engine, const struct engine_event *event,
                 struct engine_effects *effects);

/* Answers an ask_… event from the state; changes nothing. ask_inbox, ask_history, ask_passages and
 * ask_person are answered from the tables: here only the right to ask is checked (REPLY ok). */
void engine_query(const struct engine *engine, const struct engine_event *event,
                  struct engine_effects *effects);

/* When the next deadline falls due; INT64_MAX when there is none or deadlines are suspended. */
tide_ms engine_next_deadline(const struct engine *engine);

/* The time of the last event. */
tide_ms engine_now(const struct engine *engine);

/* 32 bytes over all rows that decide anything: equal states, equal digests. */
void engine_digest(const struct engine *engine, uint8_t ret_digest[32]);

/* Loading: rows of the tables, in any order, then _load_end(now), which derives the rest.
 * _load returns 0, or -1 when a row cannot be. _load_end returns 0, -1 when a limit is too small,
 * -2 when the rows contradict each other (then the database is damaged). */
int engine_load(struct engine *engine, unsigned kind, const void *row);
int engine_load_end(struct engine *engine, tide_ms now);
/* True when a row of this kind belongs to the engine's state (live), false when it is history. */
bool engine_row_is_live(unsigned kind, const void *row);

/* ---- what the shell may look at ---------------------------------------------------------- */
/* The live row with this key, NULL when there is none. Valid until the next step. */
const void *engine_find(const struct engine *engine, unsigned kind, uint32_t k1, uint32_t k2,
                        uint32_t k3);
/* The live rows of a kind, one after another; start with *cursor = 0. NULL at the end. The order
 * is by key where keys are dense, else of no meaning. */
const void *engine_next(const struct engine *engine, unsigned kind, uint32_t *cursor);
/* Whether and when a plate may pass the gates of a compound while nobody answers: *ret_until_ms 0
 * for good. False when it has no right there (any more). */
bool engine_pass_of(const struct engine *engine, tide_id plate, tide_id place, tide_ms *ret_from_ms,
                    tide_ms *ret_until_ms, tide_id *ret_booking);
/* The value of a setting of the domain. */
int64_t engine_setting(const struct engine *engine, enum tide_setting key);
/* The devices of a person, by id: the first one above `after`; NULL when there is none. */
const struct tide_user *engine_user_of(const struct engine *engine, tide_id person, tide_id after);
bool engine_has_role(const struct engine *engine, tide_id person, enum tide_role role);
/* The next zone whose public state changed since it was last asked for; 0 when none. */
tide_id engine_take_dirty_zone(struct engine *engine);
void engine_zone_now(const struct engine *engine, tide_id zone, struct tide_zone_now *ret);
/* One hour of the tide of a zone from start_ms on. */
void engine_tide_hour(const struct engine *engine, tide_id zone, tide_ms start_ms,
                      struct tide_tide_hour *ret);
/* What a draw waits for from the shell: a secret, whose digest comes back as a draw_seal event; its
 * solution, which comes back as draw_result. The first such draw above `after`. */
enum engine_draw_need { ENGINE_DRAW_NOTHING, ENGINE_DRAW_SECRET, ENGINE_DRAW_SOLVED };
enum engine_draw_need engine_draw_needs(const struct engine *engine, tide_id after,
                                        tide_id *ret_draw);
/* A snapshot of all that decides a closed draw but its secret (daemon/core/parking/draw_proof.h).
 * False when the draw is not closed. */
struct draw_lot;
bool engine_draw_lot(const struct engine *engine, tide_id draw, struct draw_lot *ret);
/* What is to be expected of a zone at the full hour at or before start_ms (which lies ahead). */
void engine_forecast_hour(const struct engine *engine, tide_id zone, tide_ms start_ms,
                          struct tide_forecast_hour *ret);
/* Share of the fullest pool, in percent. */
unsigned engine_pool_used_pct(const struct engine *engine);

#endif
