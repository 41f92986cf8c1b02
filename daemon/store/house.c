/* house.c - what keeps the database small and clean, between transactions of the journal thread.
 *
 *   log (WAL) past N pages, or idle          PASSIVE checkpoint: as far as readers let it
 *   log far past that                        RESTART: waits for the reader's turn to end, so that
 *                                            the log begins anew and does not grow without end
 *   something was forgotten                  names written anew, TRUNCATE checkpoint: no byte stays
 *   rids whose answers nobody may ask for    deleted, some hundred at a time
 *
 * Only this connection ever checkpoints: SQLite up to 3.51.2 can corrupt a database when two
 * connections do (WAL-reset bug).
 */
#include <assert.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/store/internal.h"

#define WAL_PAGES_MAX 1024   /* 4 MiB: then a checkpoint, busy or not; short, so nobody waits */
#define WAL_PAGES_FAR 4096   /* while the tables are far behind: less often, more at once */
#define WAL_PAGES_RETRY 512  /* a reader was in the way: so many more, then again */
#define WAL_PAGES_HARD 16384 /* 64 MiB: no further */
#define READER_WAIT_US 100   /* a turn of the loop takes some milliseconds */
#define READER_WAITS_MAX 80
#define WAL_PAGES_IDLE 64       /* when nothing else is to be done */
#define TRUNCATE_RETRY_US 20000 /* likewise */
#define PURGE_ROWS 512
#define PURGE_AGAIN_US 1000000 /* after a failure */
#define PURGE_EVERY_US (15LL * 60 * 1000000)

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct store_house *house = arg;
    (void)db;
    (void)name;
    if (pages < house->wal_pages) { /* the log began anew */
        house->wal_pages_seen = 0;
        house->blocked = false;
    }
    house->wal_pages = pages;
    return SQLITE_OK;
}

enum store_error store_house_init(struct store_house *house, struct store *store, sqlite3 *db)
{
    memset(house, 0, sizeof *house);
    house->store = store;
    house->db = db;
    house->purge_domain = 1;
    house->purge_at_us = store_now_us() + PURGE_EVERY_US / 15;
    house->old_rids =
        store_sql_prepare(db, "SELECT user, rid, expires_ms FROM rid WHERE domain=?1 AND"
                              " (user, rid) > (?2, ?3) ORDER BY user, rid LIMIT ?4");
    house->drop_rid =
        store_sql_prepare(db, "DELETE FROM rid WHERE domain=?1 AND user=?2 AND rid=?3");
    int64_t wipe = 0;
    house->scrub = house->truncate = store_meta_number(db, STORE_META_WIPE, &wipe);
    sqlite3_wal_hook(db, on_commit, house);
    return house->old_rids != NULL && house->drop_rid != NULL ? STORE_OK : STORE_IO;
}

void store_house_done(struct store_house *house)
{
    if (house->db == NULL)
        return;
    sqlite3_wal_hook(house->db, NULL, NULL);
    house->old_rids = store_sql_finalize(house->old_rids);
    house->drop_rid = store_sql_finalize(house->drop_rid);
}

/* A checkpoint meets a reader: waits a little. Nothing else of this connection is ever busy. */
static int on_reader(void *arg, int waited)
{
    struct timespec wait = {.tv_nsec = READER_WAIT_US * 1000L};
    (void)arg;
    if (waited >= READER_WAITS_MAX)
        return 0;
    nanosleep(&wait, NULL);
    return 1;
}

/* ---- checkpoints ----------------------------------------------------------------------------- */
static enum store_error checkpoint(struct store_house *house, int mode)
{
    int in_log = 0, done = 0;
    sqlite3_busy_handler(house->db, on_reader, NULL);
    int code = sqlite3_wal_checkpoint_v2(house->db, "main", mode, &in_log, &done);
    sqlite3_busy_handler(house->db, NULL, NULL);
    house->blocked = done < in_log;
    house->wal_pages_seen = house->wal_pages;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) /* a reader: as far as it went is good */
        code = SQLITE_OK;
    if (code != SQLITE_OK)
        return store_sql_error(house->db, code);
    if (mode == SQLITE_CHECKPOINT_TRUNCATE && in_log == 0)
        house->truncate = false;
    return STORE_OK;
}

static enum store_error leave_no_byte(struct store_house *house)
{
    enum store_error error = STORE_OK;
    if (house->scrub) {
        error = store_namerows_scrub(house->db);
        house->scrub = error != STORE_OK;
    }
    if (error == STORE_OK)
        error = checkpoint(house, SQLITE_CHECKPOINT_TRUNCATE);
    house->truncate_at_us = store_now_us() + TRUNCATE_RETRY_US;
    return error;
}

enum store_error store_house_after(struct store_house *house, bool far_behind)
{
    int since = house->wal_pages - house->wal_pages_seen;
    int most = house->blocked ? WAL_PAGES_RETRY : far_behind ? WAL_PAGES_FAR : WAL_PAGES_MAX;
    atomic_store(&house->store->counts.wal_bytes, (uint64_t)house->wal_pages * 4096);
    if (since < most)
        return STORE_OK;
    return checkpoint(house, house->wal_pages < WAL_PAGES_HARD ? SQLITE_CHECKPOINT_PASSIVE
                                                               : SQLITE_CHECKPOINT_RESTART);
}

/* ---- old rids -------------------------------------------------------------------------------- */
static tide_ms real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (tide_ms)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int drop_if_old(struct store_house *house, tide_ms now)
{
    if (sqlite3_column_int64(house->old_rids, 2) + TIDE_REPLY_KEPT_MS >= now)
        return SQLITE_OK;
    sqlite3_bind_int64(house->drop_rid, 1, house->purge_domain);
    sqlite3_bind_int64(house->drop_rid, 2, house->purge_from.user);
    sqlite3_bind_text(house->drop_rid, 3, house->purge_from.rid, -1, SQLITE_STATIC);
    return store_sql_once(house->drop_rid);
}

static int purge_rows(struct store_house *house, unsigned *ret_rows)
{
    tide_ms now = real_ms();
    unsigned rows = 0;
    int code = SQLITE_ROW, drop = SQLITE_OK;
    struct store_origin *from = &house->purge_from;
    sqlite3_bind_int64(house->old_rids, 1, house->purge_domain);
    sqlite3_bind_int64(house->old_rids, 2, from->user);
    sqlite3_bind_text(house->old_rids, 3, from->rid, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(house->old_rids, 4, PURGE_ROWS);
    while (drop == SQLITE_OK && (code = sqlite3_step(house->old_rids)) == SQLITE_ROW) {
        from->user = (tide_id)sqlite3_column_int64(house->old_rids, 0);
        const char *rid = (const char *)sqlite3_column_text(house->old_rids, 1);
        size_t len = rid != NULL ? strnlen(rid, TIDE_RID_BYTES_MAX) : 0;
        if (len > 0)
            memcpy(from->rid, rid, len);
        from->rid[len] = '\0';
        drop = drop_if_old(house, now);
        rows++;
    }
    sqlite3_reset(house->old_rids);
    *ret_rows = rows;
    return drop != SQLITE_OK ? drop : code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum store_error purge(struct store_house *house)
{
    unsigned rows = 0;
    house->purge_at_us = store_now_us() + PURGE_AGAIN_US;
    int code = store_sql_run(house->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = purge_rows(house, &rows);
    if (code == SQLITE_OK)
        code = store_sql_run(house->db, "COMMIT");
    enum store_error error = store_sql_error(house->db, code);
    if (sqlite3_get_autocommit(house->db) == 0)
        store_sql_run(house->db, "ROLLBACK");
    if (error != STORE_OK)
        return error;
    house->purge_at_us = 0;  /* on and on while nobody waits */
    if (rows < PURGE_ROWS) { /* the end of a domain */
        memset(&house->purge_from, 0, sizeof house->purge_from);
        if (++house->purge_domain == STORE_DOMAIN_SLOTS) {
            house->purge_domain = 1;
            house->purge_at_us = store_now_us() + PURGE_EVERY_US;
        }
    }
    return error;
}

/* ---- when idle ------------------------------------------------------------------------------- */
static bool log_is_worth_it(const struct store_house *house)
{
    return house->wal_pages >= WAL_PAGES_IDLE && house->wal_pages_seen != house->wal_pages;
}

bool store_house_idle(struct store_house *house, bool quiet, enum store_error *ret_error)
{
    int64_t now = store_now_us();
    if (house->truncate && now >= house->truncate_at_us) {
        *ret_error = leave_no_byte(house);
        return true;
    }
    if (quiet && log_is_worth_it(house)) {
        *ret_error = checkpoint(house, SQLITE_CHECKPOINT_PASSIVE);
        return true;
    }
    if (now >= house->purge_at_us) {
        *ret_error = purge(house);
        return true;
    }
    return false;
}

int64_t store_house_due_us(const struct store_house *house, int64_t quiet_us)
{
    int64_t due = house->purge_at_us;
    if (log_is_worth_it(house) && quiet_us < due)
        due = quiet_us;
    if (house->truncate && house->truncate_at_us < due)
        due = house->truncate_at_us;
    return due;
}
