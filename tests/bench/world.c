/* world.c - a neighbourhood on the real engine and the real store, and bookings without end.
 *
 * Everything goes the daemon's way but for the broker: a body's digest, the look for its rid, the
 * decision, the batch; rows are walked when they are durable, as who sends the replies does. Spans
 * are random, 5 to 60 minutes within 13 days, so that places stay free and few are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ops/ops.h"
#include "tests/bench/bench.h"

#define DAYS 13
#define ROWS_A_PUT 60

static void on_durable(void *arg, struct store_batch *batch, enum store_error error)
{
    struct bench_world *world = arg;
    pthread_mutex_lock(&world->lock);
    world->back[world->back_count].batch = batch;
    world->back[world->back_count++].error = error;
    atomic_store(&world->back_waiting, world->back_count);
    pthread_cond_signal(&world->came);
    pthread_mutex_unlock(&world->lock);
}

static void on_applied(void *arg)
{
    struct bench_world *world = arg;
    pthread_mutex_lock(&world->lock);
    pthread_cond_signal(&world->came);
    pthread_mutex_unlock(&world->lock);
}

/* ---- batches --------------------------------------------------------------------------------- */
static void release(struct bench_world *world, struct store_batch *batch)
{
    struct store_row row;
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    for (size_t i = 0; store_batch_row(batch, i, &row); i++)
        for (size_t at = 0;
             engine_effect_next(row.effects, row.effects_len, &at, &verb, &kind, &record);)
            world->released += verb == ENGINE_REPLY && record.reply.code == TIDE_CODE_ok;
    store_batch_release(world->store, batch);
    world->in_flight--;
}

static void take_back(struct bench_world *world, bool wait)
{
    if (!wait && atomic_load(&world->back_waiting) == 0)
        return;
    pthread_mutex_lock(&world->lock);
    while (wait && world->back_count == 0)
        pthread_cond_wait(&world->came, &world->lock);
    unsigned count = world->back_count;
    struct store_batch *list[16];
    for (unsigned i = 0; i < count; i++) {
        if (world->back[i].error != STORE_OK)
            bench_die("the store failed: %s", store_error_name(world->back[i].error));
        list[i] = world->back[i].batch;
    }
    world->back_count = 0;
    atomic_store(&world->back_waiting, 0);
    pthread_mutex_unlock(&world->lock);
    for (unsigned i = 0; i < count; i++)
        release(world, list[i]);
}

static void need_batch(struct bench_world *world)
{
    while (world->batch == NULL) {
        world->batch = store_batch_take(world->store);
        if (world->batch == NULL)
            take_back(world, true);
    }
}

static void commit(struct bench_world *world)
{
    if (world->batch == NULL || store_batch_count(world->batch) == 0)
        return;
    world->in_flight++;
    store_batch_commit(world->store, world->batch);
    world->batch = NULL;
}

void bench_world_turn(struct bench_world *world)
{
    take_back(world, false);
    if (world->in_flight == 0)
        commit(world);
}

void bench_world_drain(struct bench_world *world)
{
    commit(world);
    while (world->in_flight > 0)
        take_back(world, true);
}

void bench_world_catch_up(struct bench_world *world)
{
    bench_world_drain(world);
    pthread_mutex_lock(&world->lock);
    store_hurry(world->store);
    while (store_applied_seq(world->store, world->domain) <
           store_durable_seq(world->store, world->domain))
        pthread_cond_wait(&world->came, &world->lock);
    pthread_mutex_unlock(&world->lock);
}

void bench_world_write(struct bench_world *world, const struct engine_event *event,
                       const struct store_origin *origin, const struct engine_effects *effects)
{
    need_batch(world);
    while (store_batch_add(world->batch, world->domain, origin, event, effects) == 0) {
        commit(world);
        need_batch(world);
    }
}

static void add(struct bench_world *world, const struct engine_event *event,
                const struct store_origin *origin)
{
    world->effects.len = world->effects.count = 0;
    engine_step(world->engine, event, &world->effects);
    bench_world_write(world, event, origin, &world->effects);
}

static void reply_of(const struct bench_world *world, struct tide_reply *ret)
{
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    for (size_t at = 0;
         engine_effect_next(world->effects.buf, world->effects.len, &at, &verb, &kind, &record);)
        if (verb == ENGINE_REPLY)
            *ret = record.reply;
}

/* Deadlines that fell due come first. */
static void tick(struct bench_world *world)
{
    while (engine_next_deadline(world->engine) <= world->now_ms) {
        struct engine_event event = {.when_ms = world->now_ms, .kind = TIDE_REC_tick};
        add(world, &event, NULL);
    }
}

void bench_world_event(struct bench_world *world, struct engine_event *event)
{
    tick(world);
    event->when_ms = world->now_ms;
    add(world, event, NULL);
}

/* ---- the neighbourhood ----------------------------------------------------------------------- */
struct rows {
    uint8_t bytes[16384];
    size_t len;
    unsigned count;
};

static void flush_rows(struct bench_world *world, struct rows *rows)
{
    struct tide_reply reply = {0};
    if (rows->count == 0)
        return;
    struct engine_event put = {.user = world->admin,
                               .kind = TIDE_REC_put,
                               .blob = rows->bytes,
                               .blob_len = (uint32_t)rows->len};
    bench_world_event(world, &put);
    reply_of(world, &reply);
    if (reply.code != TIDE_CODE_ok)
        bench_die("the neighbourhood is refused: %s %s at row %lld",
                  tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), reply.code),
                  tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), reply.why), (long long)reply.limit);
    rows->len = rows->count = 0;
    bench_world_turn(world);
}

static void put(struct bench_world *world, struct rows *rows, unsigned kind, const void *row)
{
    if (rows->count >= ROWS_A_PUT || sizeof rows->bytes - rows->len < 300)
        flush_rows(world, rows);
    rows->bytes[rows->len] = (uint8_t)kind;
    rows->len += 1 + tide_record_pack(tide_record_of(kind), row, rows->bytes + rows->len + 1, 299);
    rows->count++;
}

static tide_id name(struct bench_world *world, enum tide_name_kind kind, const char *format,
                    uint32_t a, uint32_t b)
{
    const struct tide_names *names = store_names(world->store, world->domain);
    char text[TIDE_NAME_BYTES_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(text, sizeof text, format, a, b);
#pragma GCC diagnostic pop
    tide_id id = names->make(names->arg, kind, text, (size_t)len);
    if (id == 0)
        bench_die("no room for the name %s", text);
    return id;
}

static void genesis(struct bench_world *world)
{
    struct engine_event event = {.when_ms = world->now_ms, .kind = TIDE_REC_genesis};
    world->community = name(world, TIDE_NAME_KIND_place, "compound", 0, 0);
    world->admin = name(world, TIDE_NAME_KIND_user, "admin", 0, 0);
    event.as.genesis =
        (struct tide_genesis){.community = world->community,
                              .admin = name(world, TIDE_NAME_KIND_person, "admin/1", 0, 0),
                              .admin_user = world->admin,
                              .utc_offset_min = 480};
    add(world, &event, NULL);
}

static void take_ids(struct bench_world *world)
{
    const struct bench_size *size = &world->size;
    world->admin = name(world, TIDE_NAME_KIND_user, "admin", 0, 0);
    for (uint32_t i = 0; i < size->households; i++) {
        world->households[i] = name(world, TIDE_NAME_KIND_place, "%u-%u", i / 100 + 1, i % 100);
        world->users[i] = name(world, TIDE_NAME_KIND_user, "u%u.%u", i, 1);
        for (uint32_t k = 0; k < size->plates; k++)
            world->plates[i * size->plates + k] =
                name(world, TIDE_NAME_KIND_plate, "浙F%05X%u", i, k);
    }
    for (uint32_t i = 0; i < size->zones; i++)
        world->zones[i] = name(world, TIDE_NAME_KIND_zone, "zone %u%.0u", i, 0);
}

static void put_households(struct bench_world *world, struct rows *rows)
{
    for (uint32_t i = 0; i < world->size.households; i++) {
        tide_id person = name(world, TIDE_NAME_KIND_person, "%u-%u/1", i / 100 + 1, i % 100);
        struct tide_place place = {.id = world->households[i],
                                   .kind = TIDE_PLACE_KIND_household,
                                   .parent = world->community};
        struct tide_person someone = {.id = person, .household = place.id};
        struct tide_user user = {
            .id = world->users[i], .person = person, .kind = TIDE_USER_KIND_app};
        struct tide_role_row role = {
            .person = person, .role = TIDE_ROLE_resident, .place = place.id};
        struct tide_vehicle vehicle = {.plate = world->plates[i * world->size.plates],
                                       .household = place.id};
        put(world, rows, TIDE_REC_place, &place);
        put(world, rows, TIDE_REC_person, &someone);
        put(world, rows, TIDE_REC_user, &user);
        put(world, rows, TIDE_REC_role_row, &role);
        put(world, rows, TIDE_REC_vehicle, &vehicle);
    }
}

static void put_slots(struct bench_world *world, struct rows *rows)
{
    for (uint32_t z = 0; z < world->size.zones; z++) {
        struct tide_zone zone = {.id = world->zones[z], .place = world->community};
        put(world, rows, TIDE_REC_zone, &zone);
        for (uint32_t i = 0; i < world->size.slots; i++) {
            struct tide_slot slot = {.id = name(world, TIDE_NAME_KIND_slot, "%u-%03u", z, i),
                                     .zone = zone.id,
                                     .title = TIDE_SLOT_TITLE_common};
            struct tide_window window = {.slot = slot.id,
                                         .kind = TIDE_WINDOW_KIND_weekly,
                                         .days = TIDE_DAYS_ALL,
                                         .weekdays = TIDE_WEEKDAYS_ALL,
                                         .closes_min = 1440};
            put(world, rows, TIDE_REC_slot, &slot);
            put(world, rows, TIDE_REC_window, &window);
        }
    }
}

static void settle(struct bench_world *world)
{
    struct rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        bench_die("no memory");
    genesis(world);
    take_ids(world);
    struct tide_setting_row live = {.key = TIDE_SETTING_household_live_max,
                                    .value = world->size.live_max};
    put(world, rows, TIDE_REC_setting_row, &live);
    put_slots(world, rows);
    put_households(world, rows);
    flush_rows(world, rows);
    free(rows);
    bench_world_catch_up(world);
}

/* ---- life ------------------------------------------------------------------------------------ */
static void prepare(struct bench_world *world, const struct bench_size *size, const char *folder)
{
    memset(world, 0, sizeof *world);
    world->size = *size;
    world->limits = (struct engine_limits){.places = size->households + 16,
                                           .persons = size->households + 16,
                                           .roles = size->households + 80,
                                           .users = size->households + 16,
                                           .vehicles = size->households + 80,
                                           .zones = size->zones + 1,
                                           .slots = size->zones * size->slots + 16,
                                           .windows = size->zones * size->slots + 80,
                                           .bookings = size->households * size->live_max + 80,
                                           .horizon_days_max = 16};
    snprintf(world->folder, sizeof world->folder, "%s", folder);
    snprintf(world->path, sizeof world->path, "%s/tide.db", folder);
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->came, NULL);
    world->seed = 2019;
    world->now_ms = BENCH_START_MS;
    world->first_ms = BENCH_START_MS + TIDE_DAY_MS / 24;
    world->grains = DAYS * TIDE_GRAINS_A_DAY - 36;
    world->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    world->effects.buf = malloc(world->effects.cap);
    world->users = calloc(size->households, sizeof *world->users);
    world->households = calloc(size->households, sizeof *world->households);
    world->plates = calloc((size_t)size->households * size->plates, sizeof *world->plates);
    world->zones = calloc(size->zones, sizeof *world->zones);
    size_t bytes = (engine_size(&world->limits) + 63) & ~(size_t)63;
    world->memory = memory_block(bytes); /* as the daemon has it */
    if (world->effects.buf == NULL || world->users == NULL || world->households == NULL ||
        world->plates == NULL || world->zones == NULL || world->memory == NULL)
        bench_die("no memory");
    world->engine = engine_init(world->memory, bytes, &world->limits);
}

static void open_store(struct bench_world *world)
{
    char why[256] = "";
    struct store_conf conf = {
        .path = world->path, .on_durable = on_durable, .on_applied = on_applied, .arg = world};
    if (store_open(&world->store, &conf, why, sizeof why) != STORE_OK)
        bench_die("%s", why);
    world->domain = store_domain(world->store, "home", true);
    if (world->domain == 0)
        bench_die("no domain");
}

void bench_world_make(struct bench_world *world, const struct bench_size *size, const char *folder)
{
    prepare(world, size, folder);
    open_store(world);
    settle(world);
}

void bench_world_open(struct bench_world *world, const struct bench_size *size, const char *folder)
{
    struct store_position position;
    prepare(world, size, folder);
    double start = bench_now_s();
    open_store(world);
    world->open_s = bench_now_s() - start;
    enum store_error error = store_load(world->store, world->domain, world->engine, &position);
    if (error != STORE_OK)
        bench_die("cannot load: %s", store_error_name(error));
    world->load_s = bench_now_s() - start - world->open_s;
    world->now_ms = position.when_ms > world->now_ms ? position.when_ms : world->now_ms;
    take_ids(world);
}

void bench_world_close(struct bench_world *world)
{
    bench_world_drain(world);
    store_close(world->store);
    free(world->memory);
    free(world->effects.buf);
    free(world->users);
    free(world->households);
    free(world->plates);
    free(world->zones);
    pthread_mutex_destroy(&world->lock);
    pthread_cond_destroy(&world->came);
}

/* ---- bookings -------------------------------------------------------------------------------- */
void bench_world_origin(struct bench_world *world, tide_id user, struct store_origin *ret)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char body[200];
    memset(ret, 0, sizeof *ret);
    ret->user = user;
    ret->expires_ms = 4102444800000LL;
    for (unsigned i = 0; i < 22; i += 10) {
        uint64_t bits = bench_random(&world->seed);
        for (unsigned k = i; k < i + 10 && k < 22; k++, bits >>= 6)
            ret->rid[k] = letters[bits & 63];
    }
    int len = snprintf(body, sizeof body,
                       "{\"rid\":\"%s\",\"expires\":\"2026-05-20T18:00:00+08:00\","
                       "\"plate\":\"浙F12345\",\"zone\":\"A\",\"start\":\"2019-05-21T09:00+08:00\","
                       "\"end\":\"2019-05-21T10:00+08:00\"}",
                       ret->rid);
    store_body_digest(world->store, (const uint8_t *)body, (size_t)len, ret->digest);
}

void bench_world_book(struct bench_world *world)
{
    const struct bench_size *size = &world->size;
    uint64_t bits = bench_random(&world->seed);
    if (world->step_ms > 0) {
        world->now_ms += world->step_ms;
        world->first_ms = (world->now_ms / TIDE_GRAIN_MS + 1) * TIDE_GRAIN_MS;
        tick(world);
    }
    uint32_t household = (uint32_t)(world->asked++ * 7919 % size->households);
    uint32_t plate = (uint32_t)(bits & 0xff) % size->plates;
    uint32_t start = (uint32_t)(bits >> 8 & 0xffffff) % world->grains;
    uint32_t grains = 1 + (uint32_t)(bits >> 32 & 0xff) % 12;
    struct engine_event event = {.user = world->users[household], .kind = TIDE_REC_book};
    event.as.book = (struct tide_book){
        .plate = world->plates[household * size->plates + plate],
        .zone = world->zones[(uint32_t)(bits >> 40) % size->zones],
        .start_ms = world->first_ms + start * TIDE_GRAIN_MS,
        .end_ms = world->first_ms + (start + grains) * TIDE_GRAIN_MS,
    };
    struct store_origin origin;
    const uint8_t *effects = NULL;
    size_t len = 0;
    bench_world_origin(world, event.user, &origin);
    if (store_rid_find(world->store, world->domain, &origin, &effects, &len) != STORE_RID_NEW)
        bench_die("a rid that nobody used is known");
    event.when_ms = world->now_ms;
    add(world, &event, &origin);
    struct tide_reply reply = {0};
    reply_of(world, &reply);
    world->accepted += reply.code == TIDE_CODE_ok;
}
