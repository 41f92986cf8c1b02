/* journal_store.c - the journal in the real store, and how its process is killed without a process.
 *
 *      root/1/tide.db  -wal  -shm  .lock
 *           2/…        the copy that the next life opens
 *
 * A killed process leaves its files as they are at one moment. So the files are copied while the
 * journal thread stands still inside on_durable, right after its commit; the copy is opened, the
 * old store is closed and its folder thrown away. For a kill *inside* a commit the copied WAL is
 * cut within the frames of its last transaction: what a power failure would leave.
 */
#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/journal.h"

#define DOMAIN_NAME "home"
#define PATH_BYTES 4200

struct database {
    struct sim_journal base;
    char root[PATH_BYTES], folder[PATH_BYTES + 16], path[PATH_BYTES + 32];
    unsigned life;
    struct store *store;
    uint32_t domain;
    struct store_batch *batch;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool durable, hold, holding; /* hold: the thread stands still in on_durable */
    enum store_error error;
};

/* ---- files --------------------------------------------------------------------------------- */
static int file_copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t got = 0;
    int rc = in != NULL && out != NULL ? 0 : -1;
    while (rc == 0 && (got = fread(bytes, 1, sizeof bytes, in)) > 0)
        rc = fwrite(bytes, 1, got, out) == got ? 0 : -1;
    if (in != NULL)
        fclose(in);
    if (out != NULL && fclose(out) != 0)
        rc = -1;
    return rc;
}

/* Calls fn with each file of a folder. */
static int folder_each(const char *folder, int (*fn)(const char *path, const char *name, void *arg),
                       void *arg)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int rc = dir != NULL ? 0 : -1;
    char path[PATH_BYTES + 300];
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        rc = fn(path, entry->d_name, arg);
    }
    if (dir != NULL)
        closedir(dir);
    return rc;
}

static int copy_one(const char *path, const char *name, void *arg)
{
    char to[PATH_BYTES + 300];
    snprintf(to, sizeof to, "%s/%s", (const char *)arg, name);
    return file_copy(path, to);
}

static int remove_one(const char *path, const char *name, void *arg)
{
    (void)name, (void)arg;
    return unlink(path);
}

static void folder_remove(const char *folder)
{
    folder_each(folder, remove_one, NULL);
    rmdir(folder);
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Finds where the last committed transaction of a WAL begins and ends (sqlite.org/fileformat2, "The
 * Write-Ahead Log"): frames of 24 bytes and a page; a commit frame tells the database's size. */
static bool wal_last_commit(FILE *wal, long *ret_begin, long *ret_end)
{
    uint8_t head[32], frame[24];
    if (fread(head, 1, sizeof head, wal) != sizeof head)
        return false;
    uint32_t page = be32(head + 8);
    long at = sizeof head, begin = at;
    bool found = false;
    while (fseek(wal, at, SEEK_SET) == 0 && fread(frame, 1, sizeof frame, wal) == sizeof frame &&
           memcmp(frame + 8, head + 16, 8) == 0) {
        at += (long)sizeof frame + (long)page;
        if (be32(frame + 4) == 0)
            continue;
        *ret_begin = begin;
        *ret_end = at;
        begin = at;
        found = true;
    }
    return found;
}

/* Cuts the WAL so that its last transaction did not get through. */
static int wal_tear(const char *database)
{
    char path[PATH_BYTES + 64];
    long begin = 0, end = 0;
    snprintf(path, sizeof path, "%s-wal", database);
    FILE *wal = fopen(path, "rb");
    bool found = wal != NULL && wal_last_commit(wal, &begin, &end);
    if (wal != NULL)
        fclose(wal);
    if (!found)
        return -1;
    return truncate(path, begin + (end - begin) * 2 / 3);
}

/* ---- the journal thread's side ------------------------------------------------------------- */
static void on_durable(void *arg, struct store_batch *batch, enum store_error error)
{
    struct database *d = arg;
    (void)batch;
    pthread_mutex_lock(&d->lock);
    d->durable = true;
    d->error = error;
    d->holding = d->hold;
    pthread_cond_broadcast(&d->changed);
    while (d->holding)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static void let_go(struct database *d)
{
    pthread_mutex_lock(&d->lock);
    d->hold = d->holding = false;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* ---- lives --------------------------------------------------------------------------------- */
static int life_open(struct database *d, char *why, size_t why_cap)
{
    struct store_conf conf = {.path = d->path, .on_durable = on_durable, .arg = d};
    enum store_error error = store_open(&d->store, &conf, why, why_cap);
    if (error != STORE_OK)
        return -1;
    d->domain = store_domain(d->store, DOMAIN_NAME, true);
    return d->domain != 0 ? 0 : -1;
}

static void life_paths(struct database *d)
{
    d->life++;
    snprintf(d->folder, sizeof d->folder, "%s/%u", d->root, d->life);
    snprintf(d->path, sizeof d->path, "%s/tide.db", d->folder);
}

static void life_close(struct database *d)
{
    let_go(d);
    if (d->batch != NULL)
        store_batch_release(d->store, d->batch);
    d->batch = NULL;
    d->store = store_close(d->store);
}

/* ---- the interface ------------------------------------------------------------------------- */
static enum store_rid db_find(struct sim_journal *j, const struct store_origin *origin,
                              const uint8_t **ret_effects, size_t *ret_len)
{
    struct database *d = (struct database *)j;
    return store_rid_find(d->store, d->domain, origin, ret_effects, ret_len);
}

static void db_digest(struct sim_journal *j, const uint8_t *bytes, size_t len, uint8_t ret[16])
{
    store_body_digest(((struct database *)j)->store, bytes, len, ret);
}

static uint64_t db_add(struct sim_journal *j, const struct store_origin *origin,
                       const struct engine_event *event, const struct engine_effects *effects)
{
    static const struct store_origin nobody;
    struct database *d = (struct database *)j;
    if (d->batch == NULL)
        d->batch = store_batch_take(d->store);
    if (d->batch == NULL)
        return 0;
    return store_batch_add(d->batch, d->domain, origin != NULL ? origin : &nobody, event, effects);
}

static int commit_and_wait(struct database *d, bool hold)
{
    let_go(d); /* the end of a run may come between a commit that holds and its kill */
    pthread_mutex_lock(&d->lock);
    d->durable = false;
    d->hold = hold;
    pthread_mutex_unlock(&d->lock);
    store_batch_commit(d->store, d->batch);
    pthread_mutex_lock(&d->lock);
    while (!d->durable)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    return d->error == STORE_OK ? 0 : -1;
}

static int db_commit(struct sim_journal *j, bool hold, sim_released_fn *fn, void *arg)
{
    struct database *d = (struct database *)j;
    struct store_row row;
    if (d->batch == NULL)
        return 0;
    int rc = commit_and_wait(d, hold);
    for (size_t i = 0; rc == 0 && store_batch_row(d->batch, i, &row); i++)
        fn(arg, &row);
    store_batch_release(d->store, d->batch);
    d->batch = NULL;
    return rc;
}

static int db_kill(struct sim_journal *j, enum sim_kill how)
{
    struct database *d = (struct database *)j;
    char old[PATH_BYTES + 16], why[512] = "";
    if (how != SIM_KILL_OPEN && (d->batch == NULL || commit_and_wait(d, true) != 0))
        return -1;
    if (!d->holding)
        return -1;
    snprintf(old, sizeof old, "%s", d->folder);
    life_paths(d);
    int rc = mkdir(d->folder, 0700);
    if (rc == 0)
        rc = folder_each(old, copy_one, d->folder);
    if (rc == 0 && how == SIM_KILL_TORN)
        rc = wal_tear(d->path);
    life_close(d);
    folder_remove(old);
    if (rc == 0)
        rc = life_open(d, why, sizeof why);
    if (rc != 0 && why[0] != '\0')
        fprintf(stderr, "%s\n", why);
    return rc;
}

static int db_start(struct sim_journal *j)
{
    char why[512] = "";
    struct database *d = (struct database *)j;
    int rc = life_open(d, why, sizeof why);
    if (rc != 0)
        fprintf(stderr, "%s\n", why);
    return rc;
}

static int db_stop(struct sim_journal *j)
{
    struct database *d = (struct database *)j;
    if (d->store != NULL)
        life_close(d);
    return 0;
}

static int db_load(struct sim_journal *j, struct engine *engine, struct store_position *ret)
{
    struct database *d = (struct database *)j;
    return store_load(d->store, d->domain, engine, ret) == STORE_OK ? 0 : -1;
}

static const struct tide_names *db_names(struct sim_journal *j)
{
    struct database *d = (struct database *)j;
    return store_names(d->store, d->domain);
}

static unsigned db_alternates(struct sim_journal *j, tide_id plate,
                              tide_id ret[TIDE_ALTERNATES_MAX])
{
    struct database *d = (struct database *)j;
    return store_plate_alternates(d->store, d->domain, plate, ret);
}

static unsigned db_names_due(struct sim_journal *j, tide_ms now, unsigned cap,
                             struct tide_forgotten *ret)
{
    struct database *d = (struct database *)j;
    return store_names_due(d->store, d->domain, now, cap, ret);
}

static const char *db_folder(struct sim_journal *j)
{
    return ((struct database *)j)->folder;
}

static int db_verify(struct sim_journal *j, const struct engine_limits *limits, char *why,
                     size_t why_cap)
{
    struct database *d = (struct database *)j;
    struct store_report report;
    memset(&report, 0, sizeof report);
    db_stop(j);
    enum store_error error = store_verify(d->path, limits, NULL, NULL, &report);
    if (error == STORE_OK && report.faults == 0)
        return 0;
    snprintf(why, why_cap, "%s, %llu faults: %s", store_error_name(error),
             (unsigned long long)report.faults, report.first_fault);
    return -1;
}

static void db_free(struct sim_journal *j)
{
    struct database *d = (struct database *)j;
    if (d->store != NULL)
        life_close(d);
    folder_remove(d->folder);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
    free(d);
}

static const struct sim_journal_ops store_ops = {.find = db_find,
                                                 .digest = db_digest,
                                                 .add = db_add,
                                                 .commit = db_commit,
                                                 .kill = db_kill,
                                                 .start = db_start,
                                                 .stop = db_stop,
                                                 .load = db_load,
                                                 .names = db_names,
                                                 .alternates = db_alternates,
                                                 .names_due = db_names_due,
                                                 .folder = db_folder,
                                                 .verify = db_verify,
                                                 .free = db_free};

struct sim_journal *sim_journal_store(const char *root, char *why, size_t why_cap)
{
    struct database *d = calloc(1, sizeof *d);
    if (d == NULL)
        abort();
    d->base.ops = &store_ops;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    snprintf(d->root, sizeof d->root, "%s", root);
    life_paths(d);
    if (mkdir(d->folder, 0700) != 0 || life_open(d, why, why_cap) != 0) {
        db_free(&d->base);
        return NULL;
    }
    return &d->base;
}
