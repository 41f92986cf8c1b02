/* why.c - see why.h.
 *
 *   booking or (user, rid) ──► its row of the journal
 *   epoch of these rules before it ──► engine ── events ──► the row, decided again, with its trace
 *   rows after it that touch the booking ──► what became of it
 */
#include "daemon/store/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/verify.h"

struct search {
    sqlite3 *db;
    uint32_t domain;
    struct engine *engine;
    struct engine_effects effects;
    struct store_why *ret;
    const uint8_t *recorded; /* effects of the row, a copy */
    size_t recorded_len;
};

static enum store_error fault(sqlite3 *db)
{
    return store_sql_error(db, sqlite3_extended_errcode(db));
}

/* ---- which row ------------------------------------------------------------------------------- */
static enum store_error find_domain(struct search *search, const char *name)
{
    sqlite3_stmt *rows = store_sql_prepare(
        search->db, "SELECT domain, (SELECT count(*) FROM domain WHERE ?1 IS NULL) FROM domain"
                    " WHERE ?1 IS NULL OR name=?1");
    if (rows == NULL)
        return fault(search->db);
    if (name != NULL)
        sqlite3_bind_text(rows, 1, name, -1, SQLITE_STATIC);
    enum store_error error = STORE_USAGE;
    if (sqlite3_step(rows) == SQLITE_ROW && sqlite3_column_int64(rows, 1) <= 1) {
        search->domain = (uint32_t)sqlite3_column_int64(rows, 0);
        error = STORE_OK;
    }
    store_sql_finalize(rows);
    return error;
}

/* The PUT of a booking among effects; false when there is none. */
static bool booking_in(const uint8_t *effects, size_t len, tide_id booking,
                       struct tide_booking *ret)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    bool found = false;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any))
        if (verb == ENGINE_PUT && kind == TIDE_REC_booking && any.booking.id == booking) {
            *ret = any.booking; /* the last one counts */
            found = true;
        }
    return found;
}

static enum store_error find_booking(struct search *search, tide_id booking)
{
    char ask[128];
    int64_t made_ms = 0;
    struct tide_booking row;
    snprintf(ask, sizeof ask, "SELECT made_ms FROM booking WHERE domain=%u AND id=%u",
             search->domain, booking);
    enum store_error error = store_sql_ask(search->db, ask, &made_ms);
    sqlite3_stmt *rows = store_sql_prepare(
        search->db, "SELECT seq, effects FROM journal WHERE domain=?1 AND (?2=0 OR when_ms=?2)"
                    " ORDER BY seq");
    if (error != STORE_OK || rows == NULL) {
        store_sql_finalize(rows);
        return error != STORE_OK ? error : fault(search->db);
    }
    sqlite3_bind_int64(rows, 1, search->domain);
    sqlite3_bind_int64(rows, 2, made_ms);
    while (search->ret->seq == 0 && sqlite3_step(rows) == SQLITE_ROW)
        if (booking_in(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1), booking,
                       &row))
            search->ret->seq = (uint64_t)sqlite3_column_int64(rows, 0);
    store_sql_finalize(rows);
    return STORE_OK;
}

/* Rids come into their table a little later than into the journal: the rest is looked through. */
static void find_in_tail(struct search *search, const char *user, const char *rid)
{
    sqlite3_stmt *rows = store_sql_prepare(
        search->db, "SELECT seq, origin, (SELECT id FROM name WHERE domain=?1 AND kind=?2 AND"
                    " text=?3) FROM journal WHERE domain=?1 AND origin IS NOT NULL AND seq>"
                    "(SELECT rids FROM applied WHERE domain=?1) ORDER BY seq");
    struct store_origin origin;
    if (rows == NULL)
        return;
    sqlite3_bind_int64(rows, 1, search->domain);
    sqlite3_bind_int64(rows, 2, TIDE_NAME_KIND_user);
    sqlite3_bind_text(rows, 3, user, -1, SQLITE_STATIC);
    while (search->ret->seq == 0 && sqlite3_step(rows) == SQLITE_ROW)
        if (store_origin_unpack(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1),
                                &origin) &&
            origin.user == sqlite3_column_int64(rows, 2) && strcmp(origin.rid, rid) == 0)
            search->ret->seq = (uint64_t)sqlite3_column_int64(rows, 0);
    store_sql_finalize(rows);
}

static enum store_error find_request(struct search *search, const char *user, const char *rid)
{
    sqlite3_stmt *row = store_sql_prepare(
        search->db, "SELECT rid.seq FROM rid JOIN name ON name.domain=rid.domain AND name.kind=?4"
                    " AND name.id=rid.user WHERE rid.domain=?1 AND name.text=?2 AND rid.rid=?3");
    if (row == NULL)
        return fault(search->db);
    sqlite3_bind_int64(row, 1, search->domain);
    sqlite3_bind_text(row, 2, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 3, rid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(row, 4, TIDE_NAME_KIND_user);
    if (sqlite3_step(row) == SQLITE_ROW)
        search->ret->seq = (uint64_t)sqlite3_column_int64(row, 0);
    store_sql_finalize(row);
    if (search->ret->seq == 0)
        find_in_tail(search, user, rid);
    return STORE_OK;
}

/* ---- what is recorded ------------------------------------------------------------------------ */
static void take_effects(struct store_why *why, const uint8_t *effects, size_t len, tide_id booking)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_REPLY)
            why->reply = any.reply;
        if (verb == ENGINE_ITEM && kind == TIDE_REC_binding &&
            why->binding_count < STORE_WHY_ITEMS_MAX)
            why->bindings[why->binding_count++] = any.binding;
        if (verb == ENGINE_ITEM && kind == TIDE_REC_offer && why->offer_count < STORE_WHY_ITEMS_MAX)
            why->offers[why->offer_count++] = any.offer;
    }
    if (booking == 0 && why->event.kind == TIDE_REC_book && why->reply.code == TIDE_CODE_ok)
        booking = why->reply.id;
    if (booking != 0)
        (void)booking_in(effects, len, booking, &why->booking);
}

static void take_asked(struct store_why *why)
{
    const struct tide_wait *wait = &why->event.as.wait;
    if (why->event.kind == TIDE_REC_book)
        why->asked = why->event.as.book;
    else if (why->event.kind == TIDE_REC_wait)
        why->asked = (struct tide_book){.plate = wait->plate,
                                        .zone = wait->zone,
                                        .cls = wait->cls,
                                        .start_ms = wait->start_ms,
                                        .end_ms = wait->end_ms};
}

static enum store_error read_row(struct search *search, tide_id booking)
{
    struct store_why *why = search->ret;
    sqlite3_stmt *row = store_sql_prepare(
        search->db,
        "SELECT when_ms, rules, event, effects FROM journal WHERE domain=?1 AND seq=?2");
    if (row == NULL)
        return fault(search->db);
    sqlite3_bind_int64(row, 1, search->domain);
    sqlite3_bind_int64(row, 2, (int64_t)why->seq);
    enum store_error error = STORE_CORRUPT;
    if (sqlite3_step(row) == SQLITE_ROW &&
        engine_event_unpack(sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2),
                            &why->event) > 0) {
        why->event.blob = NULL;
        why->event.blob_len = 0;
        why->when_ms = why->event.when_ms = sqlite3_column_int64(row, 0);
        why->rules = (uint32_t)sqlite3_column_int64(row, 1);
        search->recorded_len = (size_t)sqlite3_column_bytes(row, 3);
        uint8_t *copy = malloc(search->recorded_len + 1);
        search->recorded = copy;
        error = copy != NULL ? STORE_OK : STORE_LIMIT;
        if (copy != NULL && search->recorded_len > 0)
            memcpy(copy, sqlite3_column_blob(row, 3), search->recorded_len);
        why->found = copy != NULL;
        take_asked(why);
        if (copy != NULL)
            take_effects(why, search->recorded, search->recorded_len, booking);
    }
    store_sql_finalize(row);
    return error;
}

/* What later events made of the booking. */
static enum store_error read_later(struct search *search)
{
    struct store_why *why = search->ret;
    struct tide_booking last = why->booking, now;
    sqlite3_stmt *rows = store_sql_prepare(
        search->db, "SELECT when_ms, effects FROM journal WHERE domain=?1 AND seq>?2 ORDER BY seq");
    if (rows == NULL)
        return fault(search->db);
    sqlite3_bind_int64(rows, 1, search->domain);
    sqlite3_bind_int64(rows, 2, (int64_t)why->seq);
    while (TIDE_BOOKING_LIVE(last.state) && why->later_count < STORE_WHY_LATER_MAX &&
           sqlite3_step(rows) == SQLITE_ROW) {
        if (!booking_in(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1),
                        last.id, &now))
            continue;
        if (now.state != last.state || now.slot != last.slot || now.start_ms != last.start_ms ||
            now.end_ms != last.end_ms || now.outside != last.outside)
            why->later[why->later_count++] =
                (struct store_why_later){sqlite3_column_int64(rows, 0), last, now};
        last = now;
    }
    store_sql_finalize(rows);
    return STORE_OK;
}

/* ---- decided again --------------------------------------------------------------------------- */
static void listen(void *arg, const struct engine_trace *line)
{
    struct store_why *why = arg;
    if (why->line_count == STORE_WHY_LINES_MAX)
        return;
    unsigned n = why->line_count++;
    snprintf(why->lines[n].rule, sizeof why->lines[n].rule, "%s", line->rule);
    why->lines[n].a = line->a;
    why->lines[n].b = line->b;
    why->lines[n].c = line->c;
}

/* The engine as it was before the row: from the last epoch of its rules, or from the beginning.
 * *ret_from: where to go on. */
static enum store_error begin(struct search *search, uint64_t *ret_from)
{
    sqlite3_stmt *epoch = store_sql_prepare(
        search->db, "SELECT seq, when_ms, snapshot FROM epoch WHERE domain=?1 AND rules=?2"
                    " AND seq<?3 ORDER BY seq DESC LIMIT 1");
    if (epoch == NULL)
        return fault(search->db);
    sqlite3_bind_int64(epoch, 1, search->domain);
    sqlite3_bind_int64(epoch, 2, ENGINE_RULES);
    sqlite3_bind_int64(epoch, 3, (int64_t)search->ret->seq);
    enum store_error error = STORE_OK;
    *ret_from = 0;
    if (sqlite3_step(epoch) == SQLITE_ROW) {
        *ret_from = (uint64_t)sqlite3_column_int64(epoch, 0);
        error = store_verify_snapshot(search->engine, sqlite3_column_blob(epoch, 2),
                                      (size_t)sqlite3_column_bytes(epoch, 2),
                                      sqlite3_column_int64(epoch, 1));
    }
    store_sql_finalize(epoch);
    return error;
}

/* One row; false when it cannot be decided by these rules. */
static bool again(struct search *search, sqlite3_stmt *row)
{
    struct engine_event event;
    size_t len = (size_t)sqlite3_column_bytes(row, 3);
    if (sqlite3_column_int64(row, 2) != ENGINE_RULES ||
        engine_event_unpack(sqlite3_column_blob(row, 3), len, &event) != len)
        return false;
    event.when_ms = sqlite3_column_int64(row, 1);
    if (!store_verify_may_step(search->engine, &event))
        return false;
    search->effects.len = search->effects.count = 0;
    if ((uint64_t)sqlite3_column_int64(row, 0) == search->ret->seq)
        engine_set_trace(search->engine, listen, search->ret);
    engine_step(search->engine, &event, &search->effects);
    return true;
}

static enum store_error decide(struct search *search)
{
    uint64_t from = 0;
    enum store_error error = begin(search, &from);
    if (error != STORE_OK)
        return error;
    sqlite3_stmt *rows = store_sql_prepare(
        search->db, "SELECT seq, when_ms, rules, event FROM journal WHERE domain=?1 AND seq>?2"
                    " AND seq<=?3 ORDER BY seq");
    if (rows == NULL)
        return fault(search->db);
    sqlite3_bind_int64(rows, 1, search->domain);
    sqlite3_bind_int64(rows, 2, (int64_t)from);
    sqlite3_bind_int64(rows, 3, (int64_t)search->ret->seq);
    bool fine = true;
    while (fine && sqlite3_step(rows) == SQLITE_ROW)
        fine = again(search, rows);
    store_sql_finalize(rows);
    search->ret->redecided = fine;
    search->ret->same = fine && search->effects.len == search->recorded_len &&
                        (search->recorded_len == 0 ||
                         memcmp(search->effects.buf, search->recorded, search->recorded_len) == 0);
    return STORE_OK;
}

/* ---- what stood there ------------------------------------------------------------------------ */
static void look_round(struct search *search)
{
    struct store_why *why = search->ret;
    const struct tide_book *ask = &why->asked;
    bool booked = why->booking.id != 0;
    tide_id zone = booked ? why->booking.zone : ask->zone;
    unsigned cls = booked ? why->booking.cls : ask->cls;
    tide_ms start_ms = booked ? why->booking.start_ms : ask->start_ms;
    tide_ms end_ms = booked ? why->booking.end_ms : ask->end_ms;
    uint32_t cursor = 0;
    const struct tide_slot *slot;
    const struct tide_booking *other;
    if (!booked && ask->zone == 0)
        return;
    while ((slot = engine_next(search->engine, TIDE_REC_slot, &cursor)) != NULL)
        why->zone.slots += slot->zone == zone && slot->cls == cls;
    cursor = 0;
    while ((other = engine_next(search->engine, TIDE_REC_booking, &cursor)) != NULL) {
        if (other->id == why->booking.id || other->zone != zone || other->cls != cls ||
            other->start_ms >= end_ms || start_ms >= other->end_ms)
            continue;
        why->zone.promises++;
        why->zone.parked += other->state == TIDE_BOOKING_STATE_parked;
        if (why->zone.first_made_ms == 0 || other->made_ms < why->zone.first_made_ms)
            why->zone.first_made_ms = other->made_ms;
        if (other->made_ms > why->zone.last_made_ms)
            why->zone.last_made_ms = other->made_ms;
    }
}

static void read_zone_name(struct search *search)
{
    const struct store_why *why = search->ret;
    tide_id zone = why->booking.id != 0 ? why->booking.zone : why->asked.zone;
    sqlite3_stmt *row = store_sql_prepare(
        search->db, "SELECT text FROM name WHERE domain=?1 AND kind=?2 AND id=?3");
    if (row == NULL)
        return;
    sqlite3_bind_int64(row, 1, search->domain);
    sqlite3_bind_int64(row, 2, TIDE_NAME_KIND_zone);
    sqlite3_bind_int64(row, 3, zone);
    if (sqlite3_step(row) == SQLITE_ROW)
        snprintf(search->ret->zone_name, sizeof search->ret->zone_name, "%s",
                 (const char *)sqlite3_column_text(row, 0));
    store_sql_finalize(row);
}

static enum store_error answer(struct search *search, const struct store_why_ask *ask)
{
    enum store_error error = find_domain(search, ask->domain);
    if (error == STORE_OK)
        error = ask->booking != 0 ? find_booking(search, ask->booking)
                                  : find_request(search, ask->user, ask->rid);
    if (error != STORE_OK || search->ret->seq == 0)
        return error;
    error = read_row(search, ask->booking);
    if (error == STORE_OK)
        error = decide(search);
    if (error == STORE_OK && search->ret->redecided)
        look_round(search);
    if (error == STORE_OK && search->ret->booking.id != 0)
        error = read_later(search);
    search->ret->utc_offset_min = (int)engine_setting(search->engine, TIDE_SETTING_utc_offset_min);
    read_zone_name(search);
    return error;
}

enum store_error store_why(const char *path, const struct engine_limits *limits,
                           const struct store_why_ask *ask, struct store_why *ret)
{
    struct search search = {.ret = ret, .effects = {.cap = TIDE_EFFECTS_BYTES_MAX}};
    memset(ret, 0, sizeof *ret);
    enum store_error error = store_sql_open(&search.db, path, STORE_SQL_READER);
    if (error != STORE_OK)
        return error;
    int64_t version = 0;
    error = store_sql_ask(search.db, "PRAGMA user_version", &version);
    if (error == STORE_OK && version != STORE_SCHEMA)
        error = STORE_VERSION;
    search.engine = store_verify_engine(limits);
    search.effects.buf = malloc(search.effects.cap);
    if (error == STORE_OK && (search.engine == NULL || search.effects.buf == NULL))
        error = STORE_LIMIT;
    if (error == STORE_OK)
        error = store_sql_error(search.db, store_sql_run(search.db, "BEGIN"));
    if (error == STORE_OK) {
        error = answer(&search, ask);
        store_sql_run(search.db, "COMMIT");
    }
    store_sql_close(search.db);
    free((void *)(uintptr_t)search.recorded);
    free(search.engine);
    free(search.effects.buf);
    return error;
}
