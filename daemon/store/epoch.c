/* epoch.c - where new rules begin: digests and a snapshot, so that events can be decided again.
 * The snapshot holds the rows as the tables had them: who loads it migrates them as the start did.
 *
 *   seq:   1 ........ 4711 │ 4712 .......          rules 1 │ rules 2
 *                          └ epoch(4711, rules 2, before, after, snapshot: live rows as PUTs)
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

struct snapshot {
    uint8_t *bytes;
    size_t len, cap;
};

static enum store_error add_row(void *arg, unsigned kind, const void *row)
{
    struct snapshot *snapshot = arg;
    if (snapshot->cap - snapshot->len < 512) {
        size_t cap = snapshot->cap == 0 ? 1u << 16 : snapshot->cap * 2;
        uint8_t *bytes = realloc(snapshot->bytes, cap);
        if (bytes == NULL)
            return STORE_LIMIT;
        snapshot->bytes = bytes;
        snapshot->cap = cap;
    }
    uint8_t *out = snapshot->bytes + snapshot->len;
    out[0] = ENGINE_PUT;
    out[1] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), row, out + 2, 510);
    snapshot->len += 2 + used;
    return used > 0 ? STORE_OK : STORE_LIMIT;
}

struct epoch_task {
    uint32_t domain;
    uint64_t seq;
    tide_ms when_ms;
    const uint8_t *before, *after;
    struct snapshot snapshot;
};

static enum store_error epoch_insert(struct store_journal *journal, sqlite3 *db, void *arg)
{
    (void)journal;
    const struct epoch_task *task = arg;
    sqlite3_stmt *insert = store_sql_prepare(
        db, "INSERT OR REPLACE INTO epoch(domain, seq, rules, schema, when_ms, digest_before,"
            " digest_after, snapshot) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    if (insert == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(insert, 1, task->domain);
    sqlite3_bind_int64(insert, 2, (int64_t)task->seq);
    sqlite3_bind_int64(insert, 3, ENGINE_RULES);
    sqlite3_bind_int64(insert, 4, STORE_SCHEMA);
    sqlite3_bind_int64(insert, 5, task->when_ms);
    sqlite3_bind_blob(insert, 6, task->before, 32, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 7, task->after, 32, SQLITE_STATIC);
    sqlite3_bind_blob64(insert, 8, task->snapshot.bytes, task->snapshot.len, SQLITE_STATIC);
    int code = store_sql_once(insert);
    store_sql_finalize(insert);
    return store_sql_error(db, code);
}

enum store_error store_epoch(struct store *store, uint32_t domain, const struct engine *engine,
                             const uint8_t digest_before[32])
{
    if (store->journal == NULL || domain == 0 || domain >= STORE_DOMAIN_SLOTS ||
        store->domains[domain].last_seq != atomic_load(&store->domains[domain].durable))
        return STORE_USAGE;
    uint8_t after[32];
    engine_digest(engine, after);
    struct epoch_task task = {.domain = domain,
                              .seq = store->domains[domain].last_seq,
                              .when_ms = engine_now(engine),
                              .before = digest_before,
                              .after = after};
    store_reader_look(store);
    enum store_error error = store_live_rows(store->reader.db, domain, add_row, &task.snapshot);
    if (error == STORE_OK)
        error = store_journal_call(store->journal, epoch_insert, &task);
    free(task.snapshot.bytes);
    return error;
}
