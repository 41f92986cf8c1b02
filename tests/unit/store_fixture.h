/* store_fixture.h - a small neighbourhood on a real store with a real engine, for its tests.
 *
 *   world_open ─ world_settle ─ world_book / world_event ... ─ world_flush ─ world_close
 *
 * One community, HOUSEHOLDS households with a plate and a user each, one zone of SLOTS slots that
 * are always open. Everything goes the daemon's way: names, engine_step, batch, journal thread.
 */
#ifndef TIDE_TEST_STORE_FIXTURE_H
#define TIDE_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>

#include "daemon/store/store.h"

#define HOUSEHOLDS 12u
#define SLOTS 8u
#define WORLD_START_MS 1558310400000LL /* 2019-05-20T00:00Z, a Monday */
#define WORLD_EXPIRES_MS 4102444800000LL
#define BACK_MAX 64

struct world {
    char folder[64], path[96];
    struct store *store;
    struct engine *engine;
    struct store_position position;
    struct engine_effects effects;
    uint32_t domain;
    tide_ms now_ms;
    struct store_batch *batch;
    tide_id community, zone, slots[SLOTS + 1], places[HOUSEHOLDS + 1], persons[HOUSEHOLDS + 1];
    tide_id users[HOUSEHOLDS + 1], plates[HOUSEHOLDS + 1]; /* [0]: the admin */
    unsigned rids;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct {
        struct store_batch *batch;
        enum store_error error;
    } back[BACK_MAX];
    unsigned back_count, applied_count;
};

static inline void world_on_durable(void *arg, struct store_batch *batch, enum store_error error)
{
    struct world *world = arg;
    pthread_mutex_lock(&world->lock);
    world->back[world->back_count].batch = batch;
    world->back[world->back_count++].error = error;
    pthread_cond_signal(&world->came);
    pthread_mutex_unlock(&world->lock);
}

static inline void world_on_applied(void *arg)
{
    struct world *world = arg;
    pthread_mutex_lock(&world->lock);
    world->applied_count++;
    pthread_cond_signal(&world->came);
    pthread_mutex_unlock(&world->lock);
}

/* ---- engine ---------------------------------------------------------------------------------- */
static inline struct engine_limits world_limits(void)
{
    return (struct engine_limits){.places = 256,
                                  .persons = 256,
                                  .roles = 256,
                                  .users = 256,
                                  .vehicles = 256,
                                  .zones = 8,
                                  .slots = 64,
                                  .lanes = 8,
                                  .windows = 256,
                                  .bookings = 4096,
                                  .series = 64,
                                  .sessions = 256,
                                  .incidents = 64,
                                  .horizon_days_max = 16};
}

static inline struct engine *world_engine(void)
{
    struct engine_limits limits = world_limits();
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    assert_non_null(memory);
    return engine_init(memory, size, &limits);
}

static inline void world_digest(const struct engine *engine, uint8_t ret[32])
{
    engine_digest(engine, ret);
}

/* Loads the engine anew from the store. */
static inline void world_load(struct world *world)
{
    free(world->engine);
    world->engine = world_engine();
    assert_int_equal(store_load(world->store, world->domain, world->engine, &world->position),
                     STORE_OK);
    if (world->position.when_ms > world->now_ms)
        world->now_ms = world->position.when_ms;
}

/* ---- opening and closing --------------------------------------------------------------------- */
static inline void world_reopen(struct world *world)
{
    char why[256] = "";
    struct store_conf conf = {.path = world->path,
                              .on_durable = world_on_durable,
                              .on_applied = world_on_applied,
                              .arg = world};
    enum store_error error = store_open(&world->store, &conf, why, sizeof why);
    if (error != STORE_OK)
        print_error("%s\n", why);
    assert_int_equal(error, STORE_OK);
    world->domain = store_domain(world->store, "home", true);
    assert_int_equal(world->domain, 1);
    world->batch = store_batch_take(world->store);
    world_load(world);
}

static inline void world_open_at(struct world *world, const char *folder)
{
    memset(world, 0, sizeof *world);
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->came, NULL);
    snprintf(world->folder, sizeof world->folder, "%s", folder);
    snprintf(world->path, sizeof world->path, "%s/tide.db", folder);
    world->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    world->effects.buf = malloc(world->effects.cap);
    assert_non_null(world->effects.buf);
    world->now_ms = WORLD_START_MS;
    world_reopen(world);
}

static inline void world_open(struct world *world)
{
    char folder[] = "/tmp/tide-store-XXXXXX";
    assert_non_null(mkdtemp(folder));
    world_open_at(world, folder);
}

static inline void world_shut(struct world *world)
{
    if (world->batch != NULL)
        store_batch_release(world->store, world->batch);
    world->batch = NULL;
    world->store = store_close(world->store);
}

static inline void world_remove(struct world *world)
{
    static const char *const suffixes[] = {
        "",      "-wal",       "-shm",      ".lock",     ".forgotten", ".backup",
        ".copy", ".restoring", ".copy-wal", ".copy-shm", ".copy.lock", ".copy.forgotten"};
    char path[128];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", world->path, suffixes[i]);
        unlink(path);
    }
    rmdir(world->folder);
    free(world->engine);
    free(world->effects.buf);
    pthread_mutex_destroy(&world->lock);
    pthread_cond_destroy(&world->came);
}

static inline void world_close(struct world *world)
{
    world_shut(world);
    world_remove(world);
}

/* ---- events ---------------------------------------------------------------------------------- */
/* The reply of the last step. */
static inline struct tide_reply world_reply(const struct world *world)
{
    struct tide_reply reply = {.code = 255};
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    while (engine_effect_next(world->effects.buf, world->effects.len, &at, &verb, &kind, &record))
        if (verb == ENGINE_REPLY)
            reply = record.reply;
    return reply;
}

/* Hands the batch over without waiting, and takes the next. */
static inline void world_commit(struct world *world)
{
    if (store_batch_count(world->batch) == 0)
        return;
    store_batch_commit(world->store, world->batch);
    world->batch = store_batch_take(world->store);
}

/* Waits for the next batch that comes back; does not release it. */
static inline struct store_batch *world_wait(struct world *world, enum store_error *ret_error)
{
    pthread_mutex_lock(&world->lock);
    while (world->back_count == 0)
        pthread_cond_wait(&world->came, &world->lock);
    struct store_batch *batch = world->back[0].batch;
    *ret_error = world->back[0].error;
    world->back_count--;
    memmove(&world->back[0], &world->back[1], world->back_count * sizeof world->back[0]);
    pthread_mutex_unlock(&world->lock);
    return batch;
}

/* Commits what is there and waits until it is durable; says with what error. */
static inline enum store_error world_flush(struct world *world)
{
    enum store_error error = STORE_OK;
    if (store_batch_count(world->batch) == 0)
        return STORE_OK;
    store_batch_commit(world->store, world->batch);
    store_batch_release(world->store, world_wait(world, &error));
    world->batch = store_batch_take(world->store);
    return error;
}

static inline uint64_t world_add(struct world *world, const struct engine_event *event,
                                 const struct store_origin *origin)
{
    world->effects.len = world->effects.count = 0;
    engine_step(world->engine, event, &world->effects);
    uint64_t seq = store_batch_add(world->batch, world->domain, origin, event, &world->effects);
    if (seq == 0) {
        assert_int_equal(world_flush(world), STORE_OK);
        seq = store_batch_add(world->batch, world->domain, origin, event, &world->effects);
    }
    assert_true(seq > 0);
    return seq;
}

/* Sets the clock forward and runs what fell due. */
static inline void world_pass(struct world *world, tide_ms now_ms)
{
    assert_true(now_ms >= world->now_ms);
    world->now_ms = now_ms;
    while (engine_next_deadline(world->engine) <= now_ms) {
        struct engine_event tick = {.when_ms = now_ms, .kind = TIDE_REC_tick};
        world_add(world, &tick, NULL);
    }
}

static inline uint64_t world_event(struct world *world, struct engine_event event,
                                   const struct store_origin *origin)
{
    world_pass(world, world->now_ms);
    event.when_ms = world->now_ms;
    return world_add(world, &event, origin);
}

static inline struct store_origin world_origin(struct world *world, tide_id user, const char *body)
{
    struct store_origin origin = {.user = user, .expires_ms = WORLD_EXPIRES_MS};
    snprintf(origin.rid, sizeof origin.rid, "rid-%06u", ++world->rids);
    store_body_digest(world->store, (const uint8_t *)body, strlen(body), origin.digest);
    return origin;
}

/* ---- names and rows -------------------------------------------------------------------------- */
static inline tide_id world_name(struct world *world, enum tide_name_kind kind, const char *text)
{
    const struct tide_names *names = store_names(world->store, world->domain);
    tide_id id = names->make(names->arg, kind, text, strlen(text));
    assert_true(id > 0);
    return id;
}

struct world_rows {
    uint8_t bytes[8192];
    size_t len;
};

static inline void world_row(struct world_rows *rows, unsigned kind, const void *row)
{
    rows->bytes[rows->len] = (uint8_t)kind;
    size_t used = tide_record_pack(tide_record_of(kind), row, rows->bytes + rows->len + 1,
                                   sizeof rows->bytes - rows->len - 1);
    assert_true(used > 0);
    rows->len += 1 + used;
}

static inline void world_put(struct world *world, struct world_rows *rows)
{
    struct engine_event put = {.user = world->users[0],
                               .kind = TIDE_REC_put,
                               .blob = rows->bytes,
                               .blob_len = (uint32_t)rows->len};
    world_event(world, put, NULL);
    assert_int_equal(world_reply(world).code, TIDE_CODE_ok);
    rows->len = 0;
}

static inline void world_household(struct world *world, struct world_rows *rows, unsigned i)
{
    char text[32];
    snprintf(text, sizeof text, "3-2-%u", 100 + i);
    world->places[i] = world_name(world, TIDE_NAME_KIND_place, text);
    snprintf(text, sizeof text, "3-2-%u/1", 100 + i);
    world->persons[i] = world_name(world, TIDE_NAME_KIND_person, text);
    snprintf(text, sizeof text, "u%u", i);
    world->users[i] = world_name(world, TIDE_NAME_KIND_user, text);
    snprintf(text, sizeof text, "浙F%05u", 10000 + i);
    world->plates[i] = world_name(world, TIDE_NAME_KIND_plate, text);
    struct tide_place place = {
        .id = world->places[i], .kind = TIDE_PLACE_KIND_household, .parent = world->community};
    struct tide_person person = {.id = world->persons[i], .household = world->places[i]};
    struct tide_user user = {
        .id = world->users[i], .person = world->persons[i], .kind = TIDE_USER_KIND_app};
    struct tide_role_row role = {
        .person = world->persons[i], .role = TIDE_ROLE_resident, .place = world->places[i]};
    world_row(rows, TIDE_REC_place, &place);
    world_row(rows, TIDE_REC_person, &person);
    world_row(rows, TIDE_REC_user, &user);
    world_row(rows, TIDE_REC_role_row, &role);
}

static inline void world_slots(struct world *world, struct world_rows *rows)
{
    char text[32];
    world->zone = world_name(world, TIDE_NAME_KIND_zone, "yard");
    struct tide_zone zone = {.id = world->zone, .place = world->community};
    world_row(rows, TIDE_REC_zone, &zone);
    for (unsigned i = 1; i <= SLOTS; i++) {
        snprintf(text, sizeof text, "A-%03u", i);
        world->slots[i] = world_name(world, TIDE_NAME_KIND_slot, text);
        struct tide_slot slot = {
            .id = world->slots[i], .zone = world->zone, .title = TIDE_SLOT_TITLE_common};
        struct tide_window window = {.slot = world->slots[i],
                                     .kind = TIDE_WINDOW_KIND_weekly,
                                     .days = TIDE_DAYS_ALL,
                                     .weekdays = TIDE_WEEKDAYS_ALL,
                                     .closes_min = 1440};
        world_row(rows, TIDE_REC_slot, &slot);
        world_row(rows, TIDE_REC_window, &window);
    }
}

/* The whole neighbourhood, durable. */
static inline void world_settle(struct world *world)
{
    static struct world_rows rows;
    rows.len = 0;
    world->community = world_name(world, TIDE_NAME_KIND_place, "compound");
    world->persons[0] = world_name(world, TIDE_NAME_KIND_person, "admin/1");
    world->users[0] = world_name(world, TIDE_NAME_KIND_user, "admin");
    struct engine_event genesis = {.kind = TIDE_REC_genesis};
    genesis.as.genesis = (struct tide_genesis){.community = world->community,
                                               .admin = world->persons[0],
                                               .admin_user = world->users[0],
                                               .utc_offset_min = 480};
    genesis.when_ms = world->now_ms;
    world_add(world, &genesis, NULL);
    for (unsigned i = 1; i <= HOUSEHOLDS; i++) {
        world_household(world, &rows, i);
        if (i % 8 == 0 || i == HOUSEHOLDS)
            world_put(world, &rows);
    }
    world_slots(world, &rows);
    world_put(world, &rows);
    assert_int_equal(world_flush(world), STORE_OK);
}

/* Household i books 10 minutes that begin `grain` grains of 5 minutes after the world's start. */
static inline uint64_t world_book(struct world *world, unsigned i, unsigned grain,
                                  const struct store_origin *origin)
{
    struct engine_event event = {.user = world->users[i], .kind = TIDE_REC_book};
    event.as.book = (struct tide_book){.plate = world->plates[i],
                                       .zone = world->zone,
                                       .start_ms = WORLD_START_MS + grain * TIDE_GRAIN_MS,
                                       .end_ms = WORLD_START_MS + (grain + 2) * TIDE_GRAIN_MS};
    return world_event(world, event, origin);
}

/* Waits until the tables show everything that is durable. */
static inline void world_catch_up(struct world *world)
{
    pthread_mutex_lock(&world->lock);
    store_hurry(world->store);
    while (store_applied_seq(world->store, world->domain) <
           store_durable_seq(world->store, world->domain))
        pthread_cond_wait(&world->came, &world->lock);
    pthread_mutex_unlock(&world->lock);
}

/* A number out of the database, through a connection of our own. */
static inline int64_t world_number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        print_error("%s: %s\n", sql, sqlite3_errmsg(db));
    else if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

#endif
