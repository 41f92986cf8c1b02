/* journal.c - the thread that writes: takes what the loop gives, commits, folds when there is time.
 *
 *   queue ─► [ append all that wait · a unit of fold ] one COMMIT ─► on_durable a batch
 *               ▲ a batch that comes while an idle thread folds joins that very transaction
 *
 * How much is folded, and when:
 *   batches keep coming, tables close behind     nothing: the next commits carry it along
 *   behind by BEHIND_EVENTS or BEHIND_US         a unit of FOLD_US a commit
 *   behind by FAR_BEHIND_EVENTS                  until it is less: the tail of a start is bounded
 *   nobody has given anything for QUIET_US       all that is left
 *   store_hurry                                  at once
 * so folding has no fsync of its own as long as there is work, and holds nobody up for long.
 */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/store/write.h"

#define BEHIND_EVENTS 4096
#define BEHIND_US 500000
#define FAR_BEHIND_EVENTS 131072 /* from here on the fold keeps pace, whatever it costs */
#define FOLD_US 2500             /* a unit while batches wait */
#define FOLD_IDLE_US 4000        /* a unit while nobody waits */
#define FOLD_IDLE_ALL_US 10000   /* all units of one idle transaction */
#define FOLD_IDLE_FAR_US 90000   /* the same when much is left: pages are shared among more rows */
#define MUCH_LEFT_EVENTS 8192
#define FOLD_LEAST_US 300
#define QUIET_US 40000
#define FOLD_AGAIN_US 1000000

struct task {
    store_task_fn *fn;
    void *arg;
    enum store_error error;
    bool done;
};

struct store_journal {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* for the thread: something came */
    pthread_cond_t done; /* for callers: a task or a batch is through */
    struct store_batch *queue[STORE_BATCHES_MAX];
    unsigned queued, writing;
    _Atomic unsigned waiting; /* queued, read without the lock */
    struct task *task;
    bool hurry;
    _Atomic bool stop;
    _Atomic enum store_error failed;
    struct store_writer writer; /* the thread's, from here on */
    int64_t last_batch_us;
    bool hurrying;
};

/* ---- what the thread takes from the others --------------------------------------------------- */
static unsigned take_batches(struct store_journal *journal, struct store_batch **list)
{
    pthread_mutex_lock(&journal->lock);
    unsigned count = journal->queued;
    for (unsigned i = 0; i < count; i++)
        list[i] = journal->queue[i];
    journal->queued = 0;
    journal->writing += count;
    atomic_store(&journal->waiting, 0);
    pthread_mutex_unlock(&journal->lock);
    return count;
}

/* Every batch gets this from now on. STORE_FULL can be taken back, the others cannot. */
static void fail(struct store_journal *journal, enum store_error error)
{
    if (atomic_load(&journal->failed) == STORE_OK || error != STORE_FULL)
        atomic_store(&journal->failed, error);
}

static void report(struct store_journal *journal, struct store_batch **list, unsigned count,
                   enum store_error error)
{
    const struct store_conf *conf = &journal->store->conf;
    if (error != STORE_OK)
        fail(journal, error);
    for (unsigned i = 0; i < count; i++)
        conf->on_durable(conf->arg, list[i], error);
    pthread_mutex_lock(&journal->lock);
    journal->writing -= count; /* only now: store_rollback waits until nothing more is told */
    pthread_cond_broadcast(&journal->done);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- one transaction ------------------------------------------------------------------------- */
/* The tables lag enough to be folded while batches come. */
static bool lags(const struct store_journal *journal, int64_t now)
{
    const struct store_writer *writer = &journal->writer;
    return journal->hurrying || store_writer_behind(writer) >= BEHIND_EVENTS ||
           (writer->behind_since_us != 0 && now - writer->behind_since_us >= BEHIND_US);
}

static int64_t fold_budget_us(const struct store_journal *journal, bool idle)
{
    const struct store_writer *writer = &journal->writer;
    uint64_t behind = store_writer_behind(writer);
    int64_t now = store_now_us();
    if (behind == 0 || now < writer->fold_again_us)
        return 0;
    if (idle)
        return behind < MUCH_LEFT_EVENTS ? FOLD_IDLE_ALL_US : FOLD_IDLE_FAR_US;
    if (!lags(journal, now))
        return 0;
    return FOLD_US;
}

static enum store_error append_all(struct store_journal *journal, struct store_batch **list,
                                   unsigned count)
{
    enum store_error error = STORE_OK;
    for (unsigned i = 0; i < count && error == STORE_OK; i++)
        error = store_writer_append(&journal->writer, list[i]);
    if (count > 0)
        journal->last_batch_us = store_now_us();
    return error;
}

/* Folds inside the open transaction. While idle, a batch that comes ends it and joins in. */
static enum store_error fold_some(struct store_journal *journal, struct store_batch **list,
                                  unsigned *count)
{
    struct store_writer *writer = &journal->writer;
    bool idle = *count == 0;
    int64_t budget = fold_budget_us(journal, idle), start = store_now_us(), left = budget;
    enum store_error error = STORE_OK;
    while (left > FOLD_LEAST_US && store_writer_behind(writer) > 0 && error == STORE_OK) {
        error = store_writer_fold(writer, idle && left > FOLD_IDLE_US ? FOLD_IDLE_US : left);
        left = budget - (store_now_us() - start);
        if (budget > 0 && store_writer_behind(writer) >= FAR_BEHIND_EVENTS)
            left = FOLD_US;
        if (idle && atomic_load(&journal->waiting) > 0)
            break;
    }
    if (idle && error == STORE_OK && atomic_load(&journal->waiting) > 0) {
        *count = take_batches(journal, list);
        error = append_all(journal, list, *count);
    }
    return error;
}

static enum store_error transaction(struct store_journal *journal, struct store_batch **list,
                                    unsigned *count)
{
    struct store_writer *writer = &journal->writer;
    uint64_t folded = atomic_load(&journal->store->counts.folded);
    enum store_error error = store_writer_begin(writer);
    if (error == STORE_OK)
        error = append_all(journal, list, *count);
    bool idle = *count == 0;
    if (error == STORE_OK)
        error = fold_some(journal, list, count);
    if (error == STORE_OK)
        error = store_writer_sweep(writer, idle && *count == 0, atomic_load(&journal->stop));
    if (error != STORE_OK) {
        store_writer_undo(writer);
        return error;
    }
    error = store_writer_commit(writer);
    if (error != STORE_OK)
        return error;
    if (journal->hurrying && store_writer_behind(writer) == 0)
        journal->hurrying = false;
    if (atomic_load(&journal->store->counts.folded) != folded &&
        journal->store->conf.on_applied != NULL)
        journal->store->conf.on_applied(journal->store->conf.arg);
    return STORE_OK;
}

static void after_commit(struct store_journal *journal)
{
    bool far = store_writer_behind(&journal->writer) >= MUCH_LEFT_EVENTS;
    enum store_error error = store_house_after(&journal->writer.house, far);
    if (error != STORE_OK && error != STORE_FULL) /* keeping house can wait until there is room */
        fail(journal, error);
    store_backup_slice(journal->store);
}

static void write_batches(struct store_journal *journal)
{
    struct store_batch *list[STORE_BATCHES_MAX];
    unsigned count = take_batches(journal, list);
    enum store_error error = atomic_load(&journal->failed);
    if (error == STORE_OK)
        error = transaction(journal, list, &count);
    report(journal, list, count, error);
    if (error == STORE_OK)
        after_commit(journal);
}

/* ---- when nothing waits ---------------------------------------------------------------------- */
static bool fold_is_due(const struct store_journal *journal, int64_t now)
{
    const struct store_writer *writer = &journal->writer;
    if (now < writer->fold_again_us)
        return false;
    bool stop = atomic_load(&journal->stop), quiet = now - journal->last_batch_us >= QUIET_US;
    if ((stop || quiet) && store_writer_sweep_is_due(writer, stop))
        return true;
    if (store_writer_behind(writer) == 0)
        return false;
    return atomic_load(&journal->stop) || now - journal->last_batch_us >= QUIET_US ||
           lags(journal, now);
}

static void fold_idle(struct store_journal *journal)
{
    struct store_batch *list[STORE_BATCHES_MAX];
    unsigned count = 0;
    enum store_error error = transaction(journal, list, &count);
    if (error == STORE_FULL && count == 0) { /* nobody lost anything: try again later */
        journal->writer.fold_again_us = store_now_us() + FOLD_AGAIN_US;
        return;
    }
    report(journal, list, count, error);
    if (error == STORE_OK)
        after_commit(journal);
}

/* One small piece of work; false when there is none now. */
static bool work_idle(struct store_journal *journal)
{
    int64_t now = store_now_us();
    if (atomic_load(&journal->failed) != STORE_OK)
        return false;
    if (fold_is_due(journal, now)) {
        fold_idle(journal);
        return true;
    }
    if (atomic_load(&journal->stop))
        return false; /* the last checkpoint comes in store_journal_stop */
    if (store_backup_slice(journal->store))
        return true;
    enum store_error error = STORE_OK;
    bool quiet = now - journal->last_batch_us >= QUIET_US;
    bool worked = store_house_idle(&journal->writer.house, quiet, &error);
    if (error != STORE_OK && error != STORE_FULL)
        fail(journal, error);
    return worked;
}

static void run_task(struct store_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct task *task = journal->task;
    pthread_mutex_unlock(&journal->lock);
    enum store_error error = task->fn(journal, journal->writer.db, task->arg);
    pthread_mutex_lock(&journal->lock);
    journal->task = NULL;
    task->error = error;
    task->done = true;
    pthread_cond_broadcast(&journal->done);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */
static int64_t due_us(const struct store_journal *journal)
{
    const struct store_writer *writer = &journal->writer;
    int64_t quiet = journal->last_batch_us + QUIET_US;
    if (atomic_load(&journal->failed) != STORE_OK)
        return store_now_us() + FOLD_AGAIN_US;
    int64_t due = store_house_due_us(&writer->house, quiet);
    if (store_writer_behind(writer) > 0) {
        int64_t fold = quiet < writer->fold_again_us ? writer->fold_again_us : quiet;
        due = fold < due ? fold : due;
    }
    int64_t sweep = store_rids_due_us(writer->rids);
    if (sweep < quiet)
        sweep = quiet;
    return sweep < due ? sweep : due;
}

enum work { WORK_STOP, WORK_BATCHES, WORK_TASK, WORK_IDLE };

/* With the lock held. */
static enum work look(struct store_journal *journal)
{
    if (journal->hurry) {
        journal->hurrying = journal->queued > 0 || store_writer_behind(&journal->writer) > 0;
        journal->hurry = false;
    }
    if (journal->queued > 0)
        return WORK_BATCHES;
    if (journal->task != NULL)
        return WORK_TASK;
    return atomic_load(&journal->stop) ? WORK_STOP : WORK_IDLE;
}

static void sleep_until(struct store_journal *journal, int64_t us)
{
    struct timespec until = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    pthread_mutex_lock(&journal->lock);
    if (look(journal) == WORK_IDLE && !journal->hurrying)
        pthread_cond_timedwait(&journal->wake, &journal->lock, &until);
    pthread_mutex_unlock(&journal->lock);
}

static void *run(void *arg)
{
    struct store_journal *journal = arg;
    for (;;) {
        pthread_mutex_lock(&journal->lock);
        enum work work = look(journal);
        pthread_mutex_unlock(&journal->lock);
        if (work == WORK_BATCHES)
            write_batches(journal);
        else if (work == WORK_TASK)
            run_task(journal);
        else if (work == WORK_STOP && !work_idle(journal))
            return NULL;
        else if (work == WORK_IDLE && !work_idle(journal)) {
            journal->hurrying = false;
            sleep_until(journal, due_us(journal));
        }
    }
}

/* ---- from the loop --------------------------------------------------------------------------- */
static bool init_locks(struct store_journal *journal)
{
    pthread_condattr_t clock;
    bool ok = pthread_mutex_init(&journal->lock, NULL) == 0 && pthread_condattr_init(&clock) == 0;
    ok = ok && pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0;
    ok = ok && pthread_cond_init(&journal->wake, &clock) == 0;
    ok = ok && pthread_cond_init(&journal->done, &clock) == 0;
    pthread_condattr_destroy(&clock);
    return ok;
}

static bool start_thread(struct store_journal *journal)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&journal->thread, NULL, run, journal);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

enum store_error store_journal_start(struct store *store, sqlite3 *writer, char *why,
                                     size_t why_cap)
{
    struct store_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL || !init_locks(journal)) {
        free(journal);
        return store_say(why, why_cap, STORE_LIMIT, "no memory for the journal thread");
    }
    journal->store = store;
    enum store_error error = store_writer_init(&journal->writer, store, writer);
    if (error == STORE_OK && !start_thread(journal))
        error = STORE_LIMIT;
    if (error != STORE_OK) {
        store_writer_done(&journal->writer);
        free(journal);
        return store_say(why, why_cap, error, "the journal thread cannot start: %s",
                         sqlite3_errmsg(writer));
    }
    store->journal = journal;
    return STORE_OK;
}

void store_journal_stop(struct store *store)
{
    struct store_journal *journal = store->journal;
    pthread_mutex_lock(&journal->lock);
    atomic_store(&journal->stop, true);
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
    store_backup_stop(store);
    sqlite3 *db = journal->writer.db;
    enum store_error failed = atomic_load(&journal->failed);
    int code = SQLITE_IOERR;
    if (failed == STORE_OK && journal->writer.house.scrub)
        (void)store_namerows_scrub(db); /* else the next start does it */
    store_writer_done(&journal->writer);
    if (failed == STORE_OK || failed == STORE_FULL)
        code = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code == SQLITE_OK)
        store_sql_close(db);
    else
        store_sql_abandon(db); /* after a failed sync nothing more may be called durable */
    pthread_cond_destroy(&journal->wake);
    pthread_cond_destroy(&journal->done);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
    store->journal = NULL;
}

void store_journal_wake(struct store_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
}

void store_journal_give(struct store_journal *journal, struct store_batch *batch)
{
    pthread_mutex_lock(&journal->lock);
    assert(journal->queued < STORE_BATCHES_MAX);
    journal->queue[journal->queued++] = batch;
    atomic_store(&journal->waiting, journal->queued);
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
}

void store_journal_hurry(struct store_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->hurry = true;
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
}

enum store_error store_journal_call(struct store_journal *journal, store_task_fn *fn, void *arg)
{
    struct task task = {.fn = fn, .arg = arg};
    pthread_mutex_lock(&journal->lock);
    assert(journal->task == NULL); /* one thread calls */
    journal->task = &task;
    pthread_cond_signal(&journal->wake);
    while (!task.done)
        pthread_cond_wait(&journal->done, &journal->lock);
    pthread_mutex_unlock(&journal->lock);
    return task.error;
}

void store_journal_settle(struct store_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    while (journal->queued > 0 || journal->writing > 0)
        pthread_cond_wait(&journal->done, &journal->lock);
    if (atomic_load(&journal->failed) == STORE_FULL)
        atomic_store(&journal->failed, STORE_OK);
    pthread_mutex_unlock(&journal->lock);
}
