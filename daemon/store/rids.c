/* rids.c - rids on their way into their table.
 *
 * The table is ordered by user and rid, and rids come in any order: written one by one, each would
 * touch a page of its own, and these pages would be most of what is written. So they are gathered,
 * sorted, and written in one sweep in the order of the table, a slice a transaction:
 *
 *   append ──► filling │ run │ run │ .. │     each run of RUN_RIDS sorted when it is durable
 *                 │ many, or old
 *                 ▼
 *              merging │ run │ run │ .. │ ──smallest of all runs, again and again──► table rid
 *                 │ all written
 *                 ▼
 *              applied.rids = last row of the journal when it was sealed
 *
 * Nothing depends on it being there soon: what is not written yet the loop has in replies.c, and
 * after a crash it is read from the journal. A sweep that was cut short is begun anew; writing a
 * row twice changes nothing. The journal thread's alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

#define RUN_RIDS 2048u
#define MANY_RIDS 32768u       /* then a sweep begins */
#define TOO_MANY_RIDS 262144u  /* then it hurries, whoever waits */
#define FEW_RIDS 256u          /* not worth a sweep before they are old */
#define QUIET_AGE_US 2000000LL /* worth one when idle */
#define OLD_AGE_US 30000000LL  /* few are swept too */
#define SLICE_US 800
#define SLICE_HURRY_US 20000
#define SLICE_IDLE_US 4000
#define LOOK_EVERY 16 /* rids between two looks at the clock */

struct entry {
    uint64_t seq;
    tide_ms expires_ms;
    uint32_t domain, user;
    char rid[TIDE_RID_BYTES_MAX + 4]; /* ends with NUL */
};

struct set {
    struct entry *entries;
    uint32_t count, cap;
    uint32_t sorted;                   /* the first so many stand in sorted runs */
    uint64_t upto[STORE_DOMAIN_SLOTS]; /* the journal when it was sealed */
    int64_t since_us;                  /* of the oldest; 0: empty */
};

struct store_rids {
    sqlite3 *db;
    sqlite3_stmt *put, *mark;
    struct set filling, merging;
    uint32_t durable; /* of filling: those of transactions that are through */
    uint32_t *at;     /* by run: next entry to be written; the run's end when it is done */
    uint32_t *heap;   /* runs, the one with the smallest entry first */
    uint32_t runs_cap, heap_count;
    bool finished; /* in the open transaction the last entry was written */
};

/* ---- rows ------------------------------------------------------------------------------------ */
sqlite3_stmt *store_rid_statement(sqlite3 *db)
{
    return store_sql_prepare(
        db, "INSERT OR REPLACE INTO rid(domain, user, rid, seq, expires_ms) VALUES(?,?,?,?,?)");
}

int store_rid_put(sqlite3_stmt *statement, uint32_t domain, uint64_t seq, tide_id user,
                  const char *rid, tide_ms expires_ms)
{
    sqlite3_bind_int64(statement, 1, domain);
    sqlite3_bind_int64(statement, 2, user);
    sqlite3_bind_text(statement, 3, rid, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, (int64_t)seq);
    sqlite3_bind_int64(statement, 5, expires_ms);
    return store_sql_once(statement);
}

/* ---- life ------------------------------------------------------------------------------------ */
struct store_rids *store_rids_new(sqlite3 *db)
{
    struct store_rids *rids = calloc(1, sizeof *rids);
    if (rids == NULL)
        return NULL;
    rids->db = db;
    rids->put = store_rid_statement(db);
    rids->mark = store_sql_prepare(db, "INSERT INTO applied(domain, seq, rids) VALUES(?1,0,?2)"
                                       " ON CONFLICT DO UPDATE SET rids=excluded.rids");
    return rids->put != NULL && rids->mark != NULL ? rids : store_rids_free(rids);
}

struct store_rids *store_rids_free(struct store_rids *rids)
{
    if (rids == NULL)
        return NULL;
    store_sql_finalize(rids->put);
    store_sql_finalize(rids->mark);
    free(rids->filling.entries);
    free(rids->merging.entries);
    free(rids->at);
    free(rids->heap);
    free(rids);
    return NULL;
}

static bool reserve(struct set *set, uint32_t count)
{
    if (set->cap >= count)
        return true;
    uint32_t cap = set->cap == 0 ? RUN_RIDS : set->cap;
    while (cap < count)
        cap *= 2;
    struct entry *entries = realloc(set->entries, cap * sizeof *entries);
    if (entries == NULL)
        return false;
    set->entries = entries;
    set->cap = cap;
    return true;
}

bool store_rids_add(struct store_rids *rids, uint32_t domain, uint64_t seq,
                    const struct store_origin *origin)
{
    struct set *set = &rids->filling;
    if (!reserve(set, set->count + 1))
        return false;
    struct entry *entry = &set->entries[set->count++];
    *entry = (struct entry){
        .seq = seq, .expires_ms = origin->expires_ms, .domain = domain, .user = origin->user};
    memcpy(entry->rid, origin->rid, strnlen(origin->rid, TIDE_RID_BYTES_MAX));
    return true;
}

/* ---- order ----------------------------------------------------------------------------------- */
static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    int order = strcmp(x->rid, y->rid);
    if (order != 0)
        return order;
    return x->seq < y->seq ? -1 : x->seq > y->seq; /* the later one is written last and stays */
}

static void sort_run(struct set *set, uint32_t count)
{
    qsort(set->entries + set->sorted, count, sizeof *set->entries, compare);
    set->sorted += count;
}

static uint32_t run_count(const struct set *set)
{
    return (set->count + RUN_RIDS - 1) / RUN_RIDS;
}

static uint32_t run_end(const struct set *set, uint32_t run)
{
    uint32_t end = (run + 1) * RUN_RIDS;
    return end < set->count ? end : set->count;
}

static bool run_before(const struct store_rids *rids, uint32_t a, uint32_t b)
{
    const struct entry *entries = rids->merging.entries;
    return compare(&entries[rids->at[a]], &entries[rids->at[b]]) < 0;
}

static void sift_down(struct store_rids *rids, uint32_t i)
{
    for (;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < rids->heap_count; child++)
            if (run_before(rids, rids->heap[child], rids->heap[least]))
                least = child;
        if (least == i)
            return;
        uint32_t run = rids->heap[i];
        rids->heap[i] = rids->heap[least];
        rids->heap[least] = run;
        i = least;
    }
}

/* Sets the sweep to its beginning. */
static void rewind_merge(struct store_rids *rids)
{
    rids->heap_count = run_count(&rids->merging);
    for (uint32_t run = 0; run < rids->heap_count; run++) {
        rids->at[run] = run * RUN_RIDS;
        rids->heap[run] = run;
    }
    for (uint32_t i = rids->heap_count / 2; i-- > 0;)
        sift_down(rids, i);
}

/* ---- sealing --------------------------------------------------------------------------------- */
static bool grow(uint32_t **list, uint32_t count)
{
    uint32_t *more = realloc(*list, count * sizeof *more);
    if (more == NULL)
        return false;
    *list = more;
    return true;
}

static bool reserve_runs(struct store_rids *rids, uint32_t runs)
{
    if (rids->runs_cap >= runs)
        return true;
    if (!grow(&rids->at, runs) || !grow(&rids->heap, runs))
        return false;
    rids->runs_cap = runs;
    return true;
}

/* What is filling becomes what is merging, but for rows of the open transaction. */
static bool seal(struct store_rids *rids)
{
    struct set *from = &rids->filling, *next = &rids->merging;
    uint32_t open = from->count - rids->durable;
    assert(next->count == 0);
    if (!reserve_runs(rids, rids->durable / RUN_RIDS + 1) || !reserve(next, open))
        return false;
    if (open > 0)
        memcpy(next->entries, from->entries + rids->durable, open * sizeof *next->entries);
    from->count = rids->durable;
    if (from->sorted < from->count)
        sort_run(from, from->count - from->sorted);
    struct set sealed = *from;
    rids->filling = *next;
    rids->merging = sealed;
    rids->filling.count = open;
    rids->filling.sorted = rids->durable = 0;
    rids->filling.since_us = 0;
    rewind_merge(rids);
    return true;
}

bool store_rids_committed(struct store_rids *rids, const uint64_t journal[STORE_DOMAIN_SLOTS],
                          uint64_t ret_upto[STORE_DOMAIN_SLOTS])
{
    struct set *set = &rids->filling;
    rids->durable = set->count;
    if (set->count > 0 && set->since_us == 0)
        set->since_us = store_now_us();
    memcpy(set->upto, journal, sizeof set->upto);
    while (set->count - set->sorted >= RUN_RIDS)
        sort_run(set, RUN_RIDS);
    if (!rids->finished)
        return false;
    rids->finished = false;
    memcpy(ret_upto, rids->merging.upto, sizeof rids->merging.upto);
    rids->merging.count = 0;
    if (rids->merging.cap > 2 * MANY_RIDS) { /* after a peak: give the room back */
        free(rids->merging.entries);
        rids->merging.entries = NULL;
        rids->merging.cap = 0;
    }
    return true;
}

void store_rids_undo(struct store_rids *rids)
{
    rids->filling.count = rids->durable;
    rids->finished = false;
    if (rids->merging.count > 0)
        rewind_merge(rids);
}

/* ---- sweeping -------------------------------------------------------------------------------- */
static bool is_old(const struct set *set, int64_t now)
{
    int64_t age = set->count >= FEW_RIDS ? QUIET_AGE_US : OLD_AGE_US;
    return set->since_us != 0 && now - set->since_us >= age;
}

int64_t store_rids_due_us(const struct store_rids *rids)
{
    if (rids->merging.count > 0)
        return 0;
    if (rids->filling.since_us == 0)
        return INT64_MAX;
    return rids->filling.since_us + (rids->filling.count >= FEW_RIDS ? QUIET_AGE_US : OLD_AGE_US);
}

int64_t store_rids_budget_us(const struct store_rids *rids, bool idle, bool all)
{
    uint32_t waiting = rids->filling.count;
    if (rids->merging.count == 0 && waiting < MANY_RIDS &&
        !(idle && is_old(&rids->filling, store_now_us())) && !(all && waiting > 0))
        return 0;
    if (waiting >= TOO_MANY_RIDS)
        return SLICE_HURRY_US;
    return idle ? SLICE_IDLE_US : SLICE_US;
}

static int write_next(struct store_rids *rids)
{
    uint32_t run = rids->heap[0];
    const struct entry *entry = &rids->merging.entries[rids->at[run]++];
    int code = store_rid_put(rids->put, entry->domain, entry->seq, entry->user, entry->rid,
                             entry->expires_ms);
    if (rids->at[run] == run_end(&rids->merging, run))
        rids->heap[0] = rids->heap[--rids->heap_count];
    sift_down(rids, 0);
    return code;
}

static int write_marks(struct store_rids *rids)
{
    int code = SQLITE_OK;
    for (uint32_t i = 1; i < STORE_DOMAIN_SLOTS && code == SQLITE_OK; i++) {
        if (rids->merging.upto[i] == 0)
            continue;
        sqlite3_bind_int64(rids->mark, 1, i);
        sqlite3_bind_int64(rids->mark, 2, (int64_t)rids->merging.upto[i]);
        code = store_sql_once(rids->mark);
    }
    return code;
}

enum store_error store_rids_slice(struct store_rids *rids, int64_t budget_us)
{
    int64_t end = store_now_us() + budget_us;
    int code = SQLITE_OK;
    if (rids->finished)
        return STORE_OK;
    if (rids->merging.count == 0 && rids->durable == 0)
        return STORE_OK; /* all are of this very transaction */
    if (rids->merging.count == 0 && !seal(rids))
        return STORE_LIMIT;
    uint32_t pace = 2 * (rids->filling.count - rids->durable); /* done before it is many again */
    for (uint32_t n = 0; rids->heap_count > 0 && code == SQLITE_OK; n++) {
        if (n >= pace && n % LOOK_EVERY == LOOK_EVERY - 1 && store_now_us() >= end)
            return STORE_OK;
        code = write_next(rids);
    }
    if (code == SQLITE_OK)
        code = write_marks(rids);
    rids->finished = code == SQLITE_OK;
    return store_sql_error(rids->db, code);
}
