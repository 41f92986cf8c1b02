/* auditor.c - the frame: reads an event's effects into changes, keeps the tables, and checks what
 * holds for every event alike: one reply a request, refusals that change nothing, ids without
 * gaps.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/audit_state.h"

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

struct audit *audit_new(void)
{
    struct audit *audit = must(calloc(1, sizeof *audit));
    audit->rows = sim_rows_new();
    audit->changes = must(calloc(AUDIT_CHANGES_MAX, sizeof *audit->changes));
    return audit;
}

struct audit *audit_free(struct audit *audit)
{
    if (audit == NULL)
        return NULL;
    sim_rows_free(audit->rows);
    free(audit->changes);
    free(audit->live_bookings.list);
    free(audit->live_sessions.list);
    free(audit->live_waits.list);
    free(audit->days);
    free(audit->windows);
    free(audit->names);
    free(audit);
    return NULL;
}

void audit_room(struct audit *audit, uint32_t bookings)
{
    audit->room = bookings;
}

void audit_fail(struct audit *audit, const char *format, ...)
{
    if (audit->violations++ > 0)
        return;
    va_list args;
    int at =
        snprintf(audit->first, sizeof audit->first, "seq %llu: ", (unsigned long long)audit->seq);
    va_start(args, format);
    vsnprintf(audit->first + at, sizeof audit->first - (size_t)at, format, args);
    va_end(args);
}

unsigned audit_violations(const struct audit *audit)
{
    return audit->violations;
}

const char *audit_first(const struct audit *audit)
{
    return audit->first;
}

/* ---- lookups ------------------------------------------------------------------------------- */
int64_t audit_setting(const struct audit *audit, enum tide_setting key)
{
    static const int64_t defaults[] = {
#define DEFAULT_(number, name, value, least, most) [number] = value,
        TIDE_SETTINGS(DEFAULT_)
#undef DEFAULT_
    };
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_setting_row, key, 0, 0);
    return row != NULL ? row->setting_row.value : defaults[key];
}

const struct tide_booking *audit_booking(const struct audit *audit, tide_id id)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_booking, id, 0, 0);
    return row != NULL ? &row->booking : NULL;
}

const struct tide_slot *audit_slot(const struct audit *audit, tide_id id)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_slot, id, 0, 0);
    return row != NULL ? &row->slot : NULL;
}

bool audit_within(const struct audit *audit, tide_id inner, tide_id outer)
{
    for (unsigned depth = 0; inner != 0 && depth < 32; depth++) {
        if (inner == outer)
            return true;
        const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_place, inner, 0, 0);
        inner = row != NULL ? row->place.parent : 0;
    }
    return false;
}

uint32_t audit_roles(const struct audit *audit, tide_id person, tide_id place)
{
    uint32_t cursor = 0, mask = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_role_row, &cursor)) != NULL)
        if (row->role_row.person == person &&
            (place == 0 || audit_within(audit, place, row->role_row.place)))
            mask |= 1u << row->role_row.role;
    return mask;
}

const struct tide_person *audit_speaker(const struct audit *audit)
{
    const union tide_any *user =
        sim_rows_find(audit->rows, TIDE_REC_user, audit->event->user, 0, 0);
    if (user != NULL && user->user.state == TIDE_USER_STATE_revoked)
        return NULL;
    const union tide_any *person =
        user != NULL ? sim_rows_find(audit->rows, TIDE_REC_person, user->user.person, 0, 0) : NULL;
    return person != NULL ? &person->person : NULL;
}

bool audit_ids_has(const struct audit_ids *ids, uint32_t id)
{
    for (uint32_t i = 0; i < ids->count; i++)
        if (ids->list[i] == id)
            return true;
    return false;
}

void audit_ids_add(struct audit_ids *ids, uint32_t id)
{
    if (audit_ids_has(ids, id))
        return;
    if (ids->count == ids->room) {
        ids->room = ids->room > 0 ? 2 * ids->room : 64;
        ids->list = must(realloc(ids->list, ids->room * sizeof *ids->list));
    }
    ids->list[ids->count++] = id;
}

void audit_ids_remove(struct audit_ids *ids, uint32_t id)
{
    for (uint32_t i = 0; i < ids->count; i++)
        if (ids->list[i] == id) {
            ids->list[i] = ids->list[--ids->count];
            return;
        }
}

/* ---- effects become changes ---------------------------------------------------------------- */
static void take_change(struct audit *audit, enum engine_verb verb, unsigned kind,
                        const union tide_any *any)
{
    uint32_t key[3];
    const struct tide_record *desc = tide_record_of(kind);
    if (desc->key_count == 0) {
        audit_fail(audit, "%s is no row and was put", desc->name);
        return;
    }
    if (audit->change_count == AUDIT_CHANGES_MAX) {
        audit_fail(audit, "more than %d changes by one event", AUDIT_CHANGES_MAX);
        return;
    }
    sim_rows_key(kind, any, key);
    const union tide_any *was = sim_rows_find(audit->rows, kind, key[0], key[1], key[2]);
    struct audit_change *change = &audit->changes[audit->change_count++];
    change->verb = verb;
    change->kind = kind;
    change->had = was != NULL;
    change->is = *any;
    if (was != NULL)
        change->was = *was;
    if (verb == ENGINE_PUT)
        sim_rows_put(audit->rows, kind, any);
    else if (!sim_rows_del(audit->rows, kind, any))
        audit_fail(audit, "deleted a %s that was not there", desc->name);
    audit->days_stale |= kind == TIDE_REC_day;
    audit->windows_stale |= kind == TIDE_REC_window;
}

static void take_effects(struct audit *audit, const uint8_t *effects, size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    audit->change_count = audit->replies = audit->items = 0;
    memset(&audit->reply, 0, sizeof audit->reply);
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_REPLY) {
            audit->replies++;
            audit->reply = any.reply;
        } else if (verb == ENGINE_ITEM) {
            audit->items++;
        } else {
            take_change(audit, verb, kind, &any);
        }
    }
    if (at != len)
        audit_fail(audit, "bytes that are no effects at %zu of %zu", at, len);
}

/* ---- what holds for every event ------------------------------------------------------------ */
static bool is_request(unsigned kind)
{
    return kind != TIDE_REC_tick && kind != TIDE_REC_clock && kind != TIDE_REC_genesis &&
           kind != TIDE_REC_reloaded && kind != TIDE_REC_draw_seal && kind != TIDE_REC_draw_result;
}

/* A fact may be refused and yet have been received: the cursor moves. */
static bool may_change_though_refused(const struct audit_change *change)
{
    return change->kind == TIDE_REC_gateway_cursor;
}

static void check_reply(struct audit *audit)
{
    const char *name = tide_record_of(audit->event->kind)->name;
    if (is_request(audit->event->kind) && audit->replies != 1)
        audit_fail(audit, "%s got %u replies", name, audit->replies);
    if (!is_request(audit->event->kind) && audit->replies > 1)
        audit_fail(audit, "%s got %u replies", name, audit->replies);
    if (audit->replies != 1 || audit->reply.code == TIDE_CODE_ok)
        return;
    for (uint32_t i = 0; i < audit->change_count; i++)
        if (!may_change_though_refused(&audit->changes[i])) {
            audit_fail(audit, "%s was refused (%s) and changed a %s", name,
                       tide_enum_name(TIDE_FT_enum_code, audit->reply.code),
                       tide_record_of(audit->changes[i].kind)->name);
            return;
        }
}

static enum tide_counter counter_of(unsigned kind)
{
    switch (kind) {
    case TIDE_REC_booking:
        return TIDE_COUNTER_booking;
    case TIDE_REC_series:
        return TIDE_COUNTER_series;
    case TIDE_REC_session:
        return TIDE_COUNTER_session;
    case TIDE_REC_incident:
        return TIDE_COUNTER_incident;
    case TIDE_REC_posting:
        return TIDE_COUNTER_posting;
    case TIDE_REC_notice:
        return TIDE_COUNTER_notice;
    case TIDE_REC_command:
        return TIDE_COUNTER_command;
    case TIDE_REC_passage:
        return TIDE_COUNTER_passage;
    case TIDE_REC_window:
        return TIDE_COUNTER_window;
    case TIDE_REC_draw:
        return TIDE_COUNTER_draw;
    case TIDE_REC_wish:
        return TIDE_COUNTER_wish;
    case TIDE_REC_draw_span:
        return TIDE_COUNTER_draw_span;
    case TIDE_REC_strike:
        return TIDE_COUNTER_strike;
    case TIDE_REC_waiting:
        return TIDE_COUNTER_waiting;
    default:
        return TIDE_COUNTER_none;
    }
}

static void check_ids(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        enum tide_counter counter = counter_of(change->kind);
        uint32_t key[3];
        if (change->kind == TIDE_REC_counter_row &&
            change->is.counter_row.next != audit->last_id[change->is.counter_row.counter] + 1)
            audit_fail(audit, "counter %u says %u, the last id was %u",
                       change->is.counter_row.counter, change->is.counter_row.next,
                       audit->last_id[change->is.counter_row.counter]);
        if (counter == TIDE_COUNTER_none || change->had || change->verb != ENGINE_PUT)
            continue;
        sim_rows_key(change->kind, &change->is, key);
        if (key[0] == audit->last_id[counter])
            continue; /* put twice in this event */
        if (key[0] != audit->last_id[counter] + 1)
            audit_fail(audit, "a new %s has id %u after %u", tide_record_of(change->kind)->name,
                       key[0], audit->last_id[counter]);
        audit->last_id[counter] = key[0];
    }
}

/* Which rows are never deleted, never changed once written. */
static void check_history(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        bool record = change->kind == TIDE_REC_posting || change->kind == TIDE_REC_passage ||
                      change->kind == TIDE_REC_notice || change->kind == TIDE_REC_draw_span;
        bool kept = record || change->kind == TIDE_REC_booking ||
                    change->kind == TIDE_REC_session || change->kind == TIDE_REC_incident ||
                    change->kind == TIDE_REC_draw || change->kind == TIDE_REC_wish ||
                    change->kind == TIDE_REC_strike || change->kind == TIDE_REC_waiting;
        bool forgetting = audit->event->kind == TIDE_REC_forget;
        if (change->verb == ENGINE_DEL && kept && !forgetting)
            audit_fail(audit, "a %s was deleted", tide_record_of(change->kind)->name);
        if (change->verb == ENGINE_PUT && record && change->had && !forgetting)
            audit_fail(audit, "a written %s was changed", tide_record_of(change->kind)->name);
    }
}

static void keep_lists(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_booking) {
            if (change->verb == ENGINE_PUT && TIDE_BOOKING_LIVE(change->is.booking.state))
                audit_ids_add(&audit->live_bookings, change->is.booking.id);
            else
                audit_ids_remove(&audit->live_bookings, change->is.booking.id);
        }
        if (change->kind == TIDE_REC_waiting) {
            if (change->verb == ENGINE_PUT && TIDE_WAITING_LIVE(change->is.waiting.state))
                audit_ids_add(&audit->live_waits, change->is.waiting.id);
            else
                audit_ids_remove(&audit->live_waits, change->is.waiting.id);
        }
        if (change->kind == TIDE_REC_session) {
            if (change->verb == ENGINE_PUT && change->is.session.state == TIDE_SESSION_STATE_live)
                audit_ids_add(&audit->live_sessions, change->is.session.id);
            else
                audit_ids_remove(&audit->live_sessions, change->is.session.id);
        }
    }
}

void audit_event(struct audit *audit, uint64_t seq, const struct engine_event *event,
                 const uint8_t *effects, size_t len)
{
    if (seq != audit->seq + 1)
        audit_fail(audit, "seq %llu follows %llu", (unsigned long long)seq,
                   (unsigned long long)audit->seq);
    audit->seq = seq;
    if (event->when_ms < audit->when_ms)
        audit_fail(audit, "time went back");
    audit->when_ms = event->when_ms;
    audit->event = event;
    audit->counts.events++;
    audit->effects = effects;
    audit->effects_len = len;
    take_effects(audit, effects, len);
    audit->counts.rows += audit->change_count;
    keep_lists(audit);
    check_reply(audit);
    check_ids(audit);
    check_history(audit);
    audit_names_event(audit);
    audit_gate_event(audit);
    audit_bookings_event(audit);
    audit_windows_event(audit);
    audit_forecast_event(audit);
    audit_ledger_event(audit);
    audit_draws_event(audit);
    audit_moves_event(audit);
    audit_substitutes_event(audit);
    audit_fair_event(audit);
    audit_late_event(audit);
    audit_waits_event(audit);
    audit_shown(audit, event, effects, len);
    audit_bookings_always(audit);
    audit->event = NULL;
}

void audit_answer(struct audit *audit, const struct engine_event *event, const uint8_t *effects,
                  size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind, replies = 0;
    union tide_any any;
    struct tide_reply reply = {.code = TIDE_CODE_ok};
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        replies += verb == ENGINE_REPLY;
        if (verb == ENGINE_REPLY)
            reply = any.reply;
        if (verb == ENGINE_PUT || verb == ENGINE_DEL)
            audit_fail(audit, "%s is not journaled and changed a %s",
                       tide_record_of(event->kind)->name, tide_record_of(kind)->name);
    }
    if (replies != 1)
        audit_fail(audit, "%s got %u replies", tide_record_of(event->kind)->name, replies);
    audit->event = event;
    audit_shown(audit, event, effects, len);
    audit_asked(audit, &reply, effects, len);
    audit->event = NULL;
}

void audit_end(struct audit *audit)
{
    audit_ledger_always(audit);
    audit_bookings_always(audit);
}

void audit_count(const struct audit *audit, struct audit_counts *ret)
{
    *ret = audit->counts;
    ret->live = audit->live_bookings.count;
}
