/* verify_decide.c - events decided again: the same effects, byte by byte, and one digest.
 *
 *   epoch of these rules (or nothing) ──► engine ── event ── event ── event ──► digest
 *                                                    effects = recorded?          =
 *   tables and tail ──────────────────────────────► engine loaded ──────────────► digest
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/store/verify.h"

#define FAULTS_MAX 100 /* decisions that went another way: the rest follows from them */
#define TELL_EVERY 16384

struct again {
    struct store_verify *verify;
    struct engine *engine;
    struct engine_effects effects;
    uint64_t seq; /* decided so far */
    uint64_t faults;
    bool unbroken; /* every row up to the end could be decided */
};

struct engine *store_verify_engine(const struct engine_limits *limits)
{
    size_t size = (engine_size(limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    return memory != NULL ? engine_init(memory, size, limits) : NULL;
}

/* ---- where to begin -------------------------------------------------------------------------- */
enum store_error store_verify_snapshot(struct engine *engine, const uint8_t *bytes, size_t len,
                                       tide_ms when_ms)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind = 0;
    union tide_any row;
    while (engine_effect_next(bytes, len, &at, &verb, &kind, &row))
        if (verb != ENGINE_PUT || engine_load(engine, kind, &row) != 0)
            return STORE_LIMIT;
    if (at != len)
        return STORE_CORRUPT;
    return engine_load_end(engine, when_ms) == 0 ? STORE_OK : STORE_LIMIT;
}

static enum store_error begin_at_epoch(struct again *again, sqlite3_stmt *epoch)
{
    uint8_t digest[32];
    enum store_error error = store_verify_snapshot(again->engine, sqlite3_column_blob(epoch, 3),
                                                   (size_t)sqlite3_column_bytes(epoch, 3),
                                                   sqlite3_column_int64(epoch, 1));
    if (error != STORE_OK)
        return error;
    again->seq = (uint64_t)sqlite3_column_int64(epoch, 0);
    engine_digest(again->engine, digest);
    if (sqlite3_column_bytes(epoch, 2) != 32 ||
        memcmp(digest, sqlite3_column_blob(epoch, 2), 32) != 0)
        store_verify_fault(again->verify, "domain %u: the snapshot at %llu has another digest",
                           again->verify->domain, (unsigned long long)again->seq);
    return STORE_OK;
}

static enum store_error begin(struct again *again)
{
    sqlite3 *db = again->verify->db;
    sqlite3_stmt *epoch =
        store_sql_prepare(db, "SELECT seq, when_ms, digest_after, snapshot FROM epoch WHERE"
                              " domain=?1 AND rules=?2 ORDER BY seq DESC LIMIT 1");
    if (epoch == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(epoch, 1, again->verify->domain);
    sqlite3_bind_int64(epoch, 2, ENGINE_RULES);
    int code = sqlite3_step(epoch);
    enum store_error error = store_sql_error(db, code);
    if (code == SQLITE_ROW)
        error = begin_at_epoch(again, epoch);
    store_sql_finalize(epoch);
    return error;
}

/* ---- one event ------------------------------------------------------------------------------- */
/* The engine trusts the daemon; a journal that somebody changed may not stop this program. */
bool store_verify_may_step(const struct engine *engine, const struct engine_event *event)
{
    uint32_t cursor = 0;
    if (TIDE_EVENT_IS_ASK(event->kind))
        return false;
    if (event->when_ms < engine_now(engine))
        return false;
    if (event->kind == TIDE_REC_genesis)
        return engine_next(engine, TIDE_REC_place, &cursor) == NULL;
    if (event->kind == TIDE_REC_tick || event->kind == TIDE_REC_clock)
        return true; /* a clock event comes before the deadlines that it may suspend */
    return engine_next_deadline(engine) > event->when_ms;
}

static void fault(struct again *again, uint64_t seq, const char *what)
{
    again->faults++;
    store_verify_fault(again->verify, "domain %u, journal row %llu: %s", again->verify->domain,
                       (unsigned long long)seq, what);
}

static void decide(struct again *again, sqlite3_stmt *row)
{
    struct engine_event event;
    uint64_t seq = (uint64_t)sqlite3_column_int64(row, 0);
    size_t len = (size_t)sqlite3_column_bytes(row, 3);
    if (sqlite3_column_int64(row, 2) != ENGINE_RULES) {
        again->unbroken = false; /* other rules: only its fold can be checked */
        return;
    }
    if (seq != again->seq + 1 ||
        engine_event_unpack(sqlite3_column_blob(row, 3), len, &event) != len) {
        again->unbroken = false;
        fault(again, seq, "the event cannot be read, or one before it is missing");
        return;
    }
    event.when_ms = sqlite3_column_int64(row, 1);
    again->seq = seq;
    if (!store_verify_may_step(again->engine, &event)) {
        again->unbroken = false;
        fault(again, seq, "the event cannot have happened then");
        return;
    }
    again->effects.len = again->effects.count = 0;
    engine_step(again->engine, &event, &again->effects);
    again->verify->report->redecided++;
    if ((size_t)sqlite3_column_bytes(row, 4) != again->effects.len ||
        (again->effects.len > 0 &&
         memcmp(sqlite3_column_blob(row, 4), again->effects.buf, again->effects.len) != 0))
        fault(again, seq, "decided again, it has other effects");
}

static enum store_error decide_all(struct again *again)
{
    sqlite3 *db = again->verify->db;
    sqlite3_stmt *rows =
        store_sql_prepare(db, "SELECT seq, when_ms, rules, event, effects FROM journal WHERE"
                              " domain=?1 AND seq>?2 ORDER BY seq");
    if (rows == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(rows, 1, again->verify->domain);
    sqlite3_bind_int64(rows, 2, (int64_t)again->seq);
    int code = SQLITE_DONE;
    while (again->unbroken && again->faults < FAULTS_MAX &&
           (code = sqlite3_step(rows)) == SQLITE_ROW) {
        decide(again, rows);
        if (again->seq % TELL_EVERY == 0)
            store_verify_tell(again->verify, "decide", again->seq, again->verify->position.seq);
    }
    store_sql_finalize(rows);
    return store_sql_error(db, code);
}

/* ---- the digests ----------------------------------------------------------------------------- */
static enum store_error compare_digests(struct again *again)
{
    struct store_verify *verify = again->verify;
    uint8_t loaded_digest[32];
    struct store_position position = {0};
    struct engine *loaded = store_verify_engine(verify->limits);
    if (loaded == NULL)
        return STORE_LIMIT;
    enum store_error error = store_load_engine(verify->db, verify->domain, loaded, &position);
    if (error == STORE_OK) {
        engine_digest(loaded, loaded_digest);
        engine_digest(again->engine, verify->report->digest);
        if (!again->unbroken)
            memcpy(verify->report->digest, loaded_digest, sizeof loaded_digest);
        else if (memcmp(loaded_digest, verify->report->digest, sizeof loaded_digest) != 0)
            store_verify_fault(verify,
                               "domain %u: the engine made of the tables differs from the one "
                               "that decided the events again",
                               verify->domain);
    }
    if (error == STORE_LIMIT || error == STORE_CORRUPT) {
        store_verify_fault(verify,
                           "domain %u: no engine can be made of the tables: a row refers to one "
                           "that is missing, or the limits are smaller than the daemon's",
                           verify->domain);
        error = STORE_OK;
    }
    free(loaded);
    return error;
}

enum store_error store_verify_decide(struct store_verify *verify)
{
    struct again again = {.verify = verify, .unbroken = true};
    again.engine = store_verify_engine(verify->limits);
    again.effects.cap = TIDE_EFFECTS_BYTES_MAX;
    again.effects.buf = malloc(again.effects.cap);
    enum store_error error = STORE_LIMIT;
    if (again.engine != NULL && again.effects.buf != NULL)
        error = begin(&again);
    if (error == STORE_OK)
        error = decide_all(&again);
    if (error == STORE_OK)
        error = compare_digests(&again);
    free(again.engine);
    free(again.effects.buf);
    return error;
}
