/* life.c - see life.h. */
#include "tests/crash/life.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "tests/crash/fail.h"
#include "tests/crash/libc.h"
#include "tests/sim/script.h"

#define EXPIRES_MS 4102444800000LL
#define EXPIRED_MS 1000000LL

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static unsigned batches_back;
static enum store_error batch_error;
static bool copy_ended;
static enum store_error copy_error;

void life_wrong(struct life *life, const char *format, ...)
{
    va_list args;
    if (life->why[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(life->why, sizeof life->why, format, args);
    va_end(args);
}

/* ---- what the journal thread says ------------------------------------------------------------ */
static void on_durable(void *arg, struct store_batch *batch, enum store_error error)
{
    (void)arg;
    (void)batch;
    pthread_mutex_lock(&lock);
    batches_back++;
    batch_error = error;
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
}

static void on_copied(void *arg, enum store_error error, const char *path, uint64_t bytes)
{
    (void)arg;
    (void)path;
    (void)bytes;
    pthread_mutex_lock(&lock);
    copy_ended = true;
    copy_error = error;
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
}

/* The journal thread has done all that it would do by now. */
static void settle(struct life *life)
{
    journal_sleeps(0);
    uint64_t naps = journal_naps();
    store_journal_wake(life->store->journal);
    journal_sleeps(naps);
}

/* ---- opening and closing --------------------------------------------------------------------- */
void life_shut(struct life *life)
{
    if (life->store == NULL)
        return;
    if (life->looking)
        store_turn_end(life->store);
    life->looking = false;
    if (life->batch != NULL)
        store_batch_release(life->store, life->batch);
    life->batch = NULL;
    life->store = store_close(life->store);
}

void life_kill(struct life *life)
{
    disk_halt(true);
    life_shut(life);
    disk_halt(false);
}

static bool failed(struct life *life, enum store_error error, const char *where)
{
    life->error = error;
    if (life->said[0] == '\0')
        (void)snprintf(life->said, sizeof life->said, "%s", where);
    return false;
}

static bool find_domains(struct life *life)
{
    static const char *const names[LIFE_DOMAINS_MAX] = {"home", "street"};
    life->domain_count = life->story->domains > 0 ? life->story->domains : 1;
    assert(life->domain_count <= LIFE_DOMAINS_MAX);
    for (unsigned i = 0; i < life->domain_count; i++) {
        life->domains[i] = store_domain(life->store, names[i], true);
        if (life->domains[i] == 0)
            return failed(life, STORE_IO, "a domain cannot be made");
    }
    return true;
}

bool life_open(struct life *life)
{
    struct store_conf conf = {.path = LIFE_PATH,
                              .backups = DISK_FOLDER,
                              .names_max = 1000,
                              .batches = 2,
                              .batch_bytes = 1u << 20,
                              .on_durable = on_durable,
                              .arg = life};
    life->said[0] = '\0';
    life->error = STORE_OK;
    enum store_error error = store_open(&life->store, &conf, life->said, sizeof life->said);
    if (error != STORE_OK) {
        life->store = NULL;
        return failed(life, error, "open");
    }
    settle(life);
    if (!find_domains(life))
        return false;
    life->batch = store_batch_take(life->store);
    if (life->batch == NULL)
        life_wrong(life, "no batch after opening");
    return life->batch != NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */
static bool commit(struct life *life)
{
    if (store_batch_count(life->batch) == 0)
        return true;
    struct store_batch *batch = life->batch;
    batches_back = 0;
    store_batch_commit(life->store, batch);
    pthread_mutex_lock(&lock);
    while (batches_back == 0)
        pthread_cond_wait(&came, &lock);
    enum store_error error = batch_error;
    pthread_mutex_unlock(&lock);
    settle(life);
    store_batch_release(life->store, batch);
    life->batch = store_batch_take(life->store);
    if (error != STORE_OK)
        return failed(life, error, "commit");
    life->told = life->given;
    return true;
}

void life_origin(const struct life *life, const struct act *act, struct store_origin *ret)
{
    *ret = (struct store_origin){.user = act->event.user, .expires_ms = EXPIRES_MS};
    if (life->story->old_requests)
        ret->expires_ms = EXPIRED_MS;
    (void)snprintf(ret->rid, sizeof ret->rid, "rid-%llu", (unsigned long long)act->seq);
    store_body_digest(life->store, (const uint8_t *)ret->rid, strlen(ret->rid), ret->digest);
}

static bool add_event(struct life *life, const struct act *act)
{
    struct store_origin origin;
    struct engine_effects effects = {
        .buf = act->effects, .len = act->effects_len, .cap = act->effects_len};
    life_origin(life, act, &origin);
    for (unsigned i = 0; i < life->domain_count; i++) {
        uint64_t seq = store_batch_add(life->batch, life->domains[i], act->asked ? &origin : NULL,
                                       &act->event, &effects);
        if (seq == 0)
            return failed(life, STORE_LIMIT, "no room in a batch");
        if (seq != act->seq)
            life_wrong(life, "event %llu got number %llu", (unsigned long long)act->seq,
                       (unsigned long long)seq);
    }
    life->given = act->seq;
    return life->why[0] == '\0';
}

static bool add_name(struct life *life, const struct act *act)
{
    for (unsigned i = 0; i < life->domain_count; i++) {
        const struct tide_names *names = store_names(life->store, life->domains[i]);
        size_t len = strlen(act->text);
        if (act->kind == ACT_SET) {
            if (names->set(names->arg, act->name_kind, act->name_id, act->text, len) != 0)
                return failed(life, STORE_LIMIT, "no room for a text");
            continue;
        }
        tide_id id = names->make(names->arg, act->name_kind, act->text, len);
        if (id == 0)
            return failed(life, STORE_LIMIT, "no room for a name");
        if (id != act->name_id)
            life_wrong(life, "%s got number %u instead of %u", act->text, id, act->name_id);
    }
    return life->why[0] == '\0';
}

bool life_resend(struct life *life)
{
    uint64_t durable = life->told;
    for (unsigned i = 0; i < life->act; i++) {
        const struct act *act = &life->tape->acts[i];
        if (act->seq <= durable)
            continue;
        if (act->kind == ACT_EVENT && !add_event(life, act))
            return false;
        if ((act->kind == ACT_NAME || act->kind == ACT_SET) && !add_name(life, act))
            return false;
    }
    return commit(life);
}

/* ---- the other acts -------------------------------------------------------------------------- */
static bool come_back(struct life *life)
{
    return life_open(life) && life_promises(life) && life_resend(life);
}

static bool act_copy(struct life *life, bool wait)
{
    copy_ended = false;
    uint64_t told = life->told;
    enum store_error error = store_backup(life->store, LIFE_COPY, on_copied, life);
    if (error != STORE_OK)
        return failed(life, error, "backup");
    pthread_mutex_lock(&lock);
    while (wait && !copy_ended)
        pthread_cond_wait(&came, &lock);
    pthread_mutex_unlock(&lock);
    if (!wait)
        return true;
    settle(life);
    if (copy_error != STORE_OK)
        return failed(life, copy_error, "backup's end");
    life->copied = told;
    return true;
}

/* Who was forgotten after the copy was made is forgotten in what came of it. */
static void still_forgotten(struct life *life, uint64_t told)
{
    const struct tide_names *names = store_names(life->store, life->domains[0]);
    for (unsigned i = 0; i < life->tape->gone_count; i++) {
        const char *text = life->tape->gone[i].text;
        uint64_t forgotten = life->tape->gone[i].forgotten;
        if (forgotten != 0 && forgotten <= told &&
            names->find(names->arg, TIDE_NAME_KIND_plate, text, strlen(text)) != 0)
            life_wrong(life, "a restore remembers %s, who was forgotten", text);
    }
}

static bool act_restore(struct life *life)
{
    uint64_t told = life->told;
    char why[512] = "";
    if (life->copied == UINT64_MAX)
        return true; /* that copy failed */
    uint32_t before = life->store->incarnation;
    life_shut(life);
    disk_halt(false);
    life->restoring = true;
    enum store_error error = store_restore(LIFE_COPY, LIFE_PATH, why, sizeof why);
    if (error != STORE_OK) {
        (void)snprintf(life->said, sizeof life->said, "restore: %s", why);
        return failed(life, error, "restore");
    }
    disk_halt(false); /* each a process of its own */
    life->told = life->given = life->copied;
    if (!life_open(life) || !life_promises(life))
        return false;
    still_forgotten(life, told);
    if (life->why[0] != '\0' || !life_resend(life))
        return false;
    life->restoring = false;
    if (life->store->incarnation <= before)
        life_wrong(life, "incarnation %u after %u", life->store->incarnation, before);
    return life->why[0] == '\0';
}

static bool act_verify(struct life *life)
{
    struct engine_limits limits;
    struct store_report report = {0};
    script_limits(&limits);
    enum store_error error = store_verify(LIFE_PATH, &limits, NULL, NULL, &report);
    if (error != STORE_OK)
        return failed(life, error, "verify");
    if (report.faults > 0 && life->spoilt) /* pages that cannot be read are a fault, too */
        return true;
    if (report.faults > 0)
        life_wrong(life, "verify while in use: %s", report.first_fault);
    return life->why[0] == '\0';
}

static bool act_epoch(struct life *life)
{
    uint8_t digest[32];
    struct engine_limits limits;
    struct store_position position;
    script_limits(&limits);
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    struct engine *engine = engine_init(memory, size, &limits);
    enum store_error error = store_load(life->store, life->domains[0], engine, &position);
    if (error == STORE_OK) {
        engine_digest(engine, digest);
        error = store_epoch(life->store, life->domains[0], engine, digest);
    }
    free(memory);
    settle(life);
    return error == STORE_OK ? true : failed(life, error, "epoch");
}

static bool act_look(struct life *life)
{
    struct store_origin origin = {.user = 1, .rid = "never"};
    const uint8_t *effects = NULL;
    size_t len = 0;
    store_turn_begin(life->store);
    life->looking = true;
    if (store_rid_find(life->store, life->domains[0], &origin, &effects, &len) != STORE_RID_NEW)
        life_wrong(life, "a request that never was is known");
    return life->why[0] == '\0';
}

static bool rest(struct life *life, uint32_t ms)
{
    clock_forward((int64_t)ms * 1000);
    settle(life);
    return true;
}

static bool act_one(struct life *life, const struct act *act)
{
    switch (act->kind) {
    case ACT_EVENT:
        return add_event(life, act);
    case ACT_NAME:
    case ACT_SET:
        return add_name(life, act);
    case ACT_COMMIT:
        return commit(life);
    case ACT_REST:
        return rest(life, act->number);
    case ACT_HURRY:
        store_hurry(life->store);
        return rest(life, 0);
    case ACT_REOPEN:
        life_shut(life);
        disk_halt(false);
        return come_back(life);
    case ACT_POWER:
        life_kill(life);
        disk_power(life->seed + life->act);
        return come_back(life);
    case ACT_KILL:
        life_kill(life);
        return come_back(life);
    case ACT_BACKUP:
    case ACT_COPYING:
        return act_copy(life, act->kind == ACT_BACKUP);
    case ACT_RESTORE:
        return act_restore(life);
    case ACT_VERIFY:
        return act_verify(life);
    case ACT_EPOCH:
        return act_epoch(life);
    case ACT_PROBE: {
        enum store_error error = store_probe(life->store);
        settle(life);
        return error == STORE_OK ? true : failed(life, error, "probe");
    }
    case ACT_LOOK:
        return act_look(life);
    case ACT_AWAY:
        if (life->looking)
            store_turn_end(life->store);
        life->looking = false;
        return true;
    }
    return false;
}

bool life_play(struct life *life)
{
    for (; life->act < life->tape->count; life->act++)
        if (!act_one(life, &life->tape->acts[life->act]))
            return false;
    return true;
}

/* ---- beginning ------------------------------------------------------------------------------- */
void life_begin(struct life *life)
{
    if (life->image != NULL)
        disk_load(life->image);
    else
        disk_format();
    life->act = life->tape->mark;
    life->told = life->given = life->act > 0 ? life->tape->acts[life->act - 1].seq - 1 : 0;
    life->copied = UINT64_MAX;
    life->restoring = life->looking = life->spoilt = false;
    life->why[0] = life->said[0] = '\0';
    life->error = STORE_OK;
}

bool life_prepare(struct life *life, const struct story *story, const struct tape *tape)
{
    memset(life, 0, sizeof *life);
    life->story = story;
    life->tape = tape;
    if (tape->mark == 0)
        return true;
    disk_format();
    life->copied = UINT64_MAX;
    bool ok = life_open(life);
    for (; ok && life->act < tape->mark; life->act++)
        ok = act_one(life, &tape->acts[life->act]);
    life_shut(life);
    if (!ok)
        life_wrong(life, "the neighbourhood cannot be founded: %s", life->said);
    else
        life->image = disk_save();
    return ok;
}

void life_done(struct life *life)
{
    life->image = disk_forget(life->image);
    disk_format();
}

bool life_roll_back(struct life *life)
{
    if (life->looking)
        store_turn_end(life->store);
    life->looking = false;
    if (life->batch != NULL)
        store_batch_release(life->store, life->batch);
    life->batch = NULL;
    life->error = STORE_OK;
    life->said[0] = '\0';
    enum store_error error = store_rollback(life->store);
    if (error != STORE_OK)
        return failed(life, error, "roll-back"); /* the daemon ends and is started again */
    error = store_probe(life->store);
    if (error != STORE_OK)
        return failed(life, error, "probe with room");
    life->batch = store_batch_take(life->store);
    if (life->batch == NULL)
        life_wrong(life, "no batch after a roll-back");
    return life->batch != NULL && life_promises(life) && life_resend(life);
}
