/* The store's daily work: rows in, durable, released; rids; the fold; a start. */
#include <fcntl.h>

#include "store_fixture.h"

/* ---- opening --------------------------------------------------------------------------------- */
static void not_told(void *arg, struct store_batch *batch, enum store_error error)
{
    (void)arg;
    (void)batch;
    (void)error;
}

static void second_daemon_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct store_conf conf = {.path = world.path, .on_durable = not_told};
    struct store *other = NULL;
    char why[256] = "";
    assert_int_equal(store_open(&other, &conf, why, sizeof why), STORE_LOCKED);
    assert_null(other);
    assert_non_null(strstr(why, "another daemon"));
    conf.read_only = true; /* a report may look on */
    assert_int_equal(store_open(&other, &conf, why, sizeof why), STORE_OK);
    assert_null(store_batch_take(other));
    assert_null(store_close(other));
    world_close(&world);
    assert_null(store_close(NULL));
}

static enum store_error try_open(const char *path, bool scaled, char *why, size_t why_cap)
{
    struct store_conf conf = {.path = path, .on_durable = not_told, .scaled = scaled};
    struct store *store = NULL;
    enum store_error error = store_open(&store, &conf, why, why_cap);
    store_close(store);
    return error;
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    struct world world;
    char why[256] = "";
    world_open(&world);
    world_shut(&world);
    assert_int_equal(try_open(world.path, true, why, sizeof why), STORE_VERSION);
    assert_non_null(strstr(why, "real time"));
    run_sql(world.path, "PRAGMA user_version=99");
    assert_int_equal(try_open(world.path, false, why, sizeof why), STORE_VERSION);
    assert_non_null(strstr(why, "newer"));
    run_sql(world.path, "PRAGMA user_version=2; PRAGMA application_id=7");
    assert_int_equal(try_open(world.path, false, why, sizeof why), STORE_VERSION);
    assert_non_null(strstr(why, "another program"));
    int fd = open(world.path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is no database, whatever its name", 38), 38);
    close(fd);
    assert_int_equal(try_open(world.path, false, why, sizeof why), STORE_CORRUPT);
    assert_non_null(strstr(why, "restore"));
    assert_int_equal(try_open("/nowhere/at/all.db", false, why, sizeof why), STORE_IO);
    assert_int_equal(try_open("", false, why, sizeof why), STORE_USAGE);
    world_remove(&world);
}

static void domains_have_numbers(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(store_domain(world.store, "street", false), 0);
    assert_int_equal(store_domain(world.store, "street", true), 2);
    assert_int_equal(store_domain(world.store, "street", true), 2);
    static const char *const bad[] = {"", "a b", "a/b", "a+", "家"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(store_domain(world.store, bad[i], true), 0);
    for (unsigned i = 3; i <= TIDE_DOMAINS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%u", i);
        assert_int_equal(store_domain(world.store, name, true), i);
    }
    assert_int_equal(store_domain(world.store, "one-too-many", true), 0);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(store_domain(world.store, "street", false), 2);
    world_close(&world);
}

/* ---- writing --------------------------------------------------------------------------------- */
static void rows_come_back_in_order(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    uint64_t first = store_last_seq(world.store, 1) + 1, seq = first;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 1; i <= 4; i++)
            assert_int_equal(world_book(&world, i, 4 + 2 * round, NULL), seq++);
        world_commit(&world);
    }
    assert_int_equal(store_last_seq(world.store, 1), seq - 1);
    uint64_t next = first;
    for (unsigned round = 0; round < 3; round++) {
        enum store_error error = STORE_IO;
        struct store_batch *batch = world_wait(&world, &error);
        struct store_row row;
        assert_int_equal(error, STORE_OK);
        assert_int_equal(store_batch_count(batch), 4);
        for (size_t i = 0; store_batch_row(batch, i, &row); i++) {
            assert_int_equal(row.seq, next++);
            assert_int_equal(row.event_kind, TIDE_REC_book);
            assert_true(row.effects_len > 0 && row.origin->rid[0] == '\0');
        }
        assert_true(store_durable_seq(world.store, 1) >= next - 1);
        store_batch_release(world.store, batch);
    }
    assert_int_equal(next, seq);
    world_close(&world);
}

static void full_batch_says_so(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct store_batch *taken[4] = {world.batch};
    for (unsigned i = 1; i < 4; i++)
        assert_non_null(taken[i] = store_batch_take(world.store));
    assert_null(store_batch_take(world.store)); /* four in flight, as configured */
    struct engine_event tick = {.when_ms = WORLD_START_MS, .kind = TIDE_REC_tick};
    struct engine_effects large = {.buf = calloc(1, TIDE_EFFECTS_BYTES_MAX),
                                   .cap = TIDE_EFFECTS_BYTES_MAX,
                                   .len = TIDE_EFFECTS_BYTES_MAX};
    uint64_t seq = 0, last = 0;
    while ((seq = store_batch_add(taken[1], 1, NULL, &tick, &large)) != 0)
        last = seq;
    assert_true(last >= 3); /* 4 MiB */
    assert_int_equal(store_last_seq(world.store, 1), last);
    free(large.buf);
    for (unsigned i = 1; i < 4; i++)
        store_batch_release(world.store, taken[i]);
    assert_int_equal(store_rollback(world.store), STORE_OK);
    assert_int_equal(store_last_seq(world.store, 1), 0);
    world.batch = NULL;
    world_close(&world);
}

/* Rolled back, what is durable is read again. When it cannot be, that is said and nothing more: a
 * new start recovers. */
static void an_unreadable_roll_back_is_told(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"ALTER TABLE name RENAME TO gone", "ALTER TABLE gone RENAME TO name"},
        {"ALTER TABLE name_next RENAME TO gone", "ALTER TABLE gone RENAME TO name_next"},
        {"ALTER TABLE journal RENAME TO gone", "ALTER TABLE gone RENAME TO journal"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_open(&world);
        world_settle(&world);
        tide_id known = world_name(&world, TIDE_NAME_KIND_plate, "沪A00001");
        world_book(&world, 1, 4, NULL);
        assert_int_equal(world_flush(&world), STORE_OK);
        world_catch_up(&world);
        uint64_t durable = store_durable_seq(world.store, 1);
        world_book(&world, 2, 8, NULL); /* is lost */
        store_batch_release(world.store, world.batch);
        world.batch = NULL;
        run_sql(world.path, rows[i][0]);
        assert_int_equal(store_rollback(world.store), STORE_IO);
        run_sql(world.path, rows[i][1]);
        world_shut(&world);
        world_reopen(&world);
        const struct tide_names *names = store_names(world.store, 1);
        assert_int_equal(store_durable_seq(world.store, 1), durable);
        assert_int_equal(names->find(names->arg, TIDE_NAME_KIND_plate, "沪A00001", 9), known);
        world_close(&world);
    }
}

/* ---- rids ------------------------------------------------------------------------------------ */
static enum store_rid find(struct world *world, const struct store_origin *origin)
{
    const uint8_t *effects = NULL;
    size_t len = 0, at = 0;
    store_turn_begin(world->store);
    enum store_rid found = store_rid_find(world->store, world->domain, origin, &effects, &len);
    store_turn_end(world->store);
    if (found != STORE_RID_KNOWN) {
        assert_null(effects);
        return found;
    }
    unsigned kind = 0, replies = 0;
    enum engine_verb verb;
    union tide_any record;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &record))
        replies += verb == ENGINE_REPLY;
    assert_int_equal(at, len);
    assert_int_equal(replies, 1);
    return found;
}

static void rid_lives(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    struct store_origin origin = world_origin(&world, world.users[1], "{\"plate\":\"a\"}");
    struct store_origin other = origin, elsewhere = origin;
    store_body_digest(world.store, (const uint8_t *)"another", 7, other.digest);
    elsewhere.user = world.users[2];
    assert_int_equal(find(&world, &origin), STORE_RID_NEW);
    world_book(&world, 1, 10, &origin);
    assert_int_equal(find(&world, &origin), STORE_RID_PENDING);
    assert_int_equal(find(&world, &other), STORE_RID_CONFLICT);
    assert_int_equal(find(&world, &elsewhere), STORE_RID_NEW);
    assert_int_equal(world_flush(&world), STORE_OK);
    assert_int_equal(find(&world, &origin), STORE_RID_KNOWN); /* from the journal */
    assert_int_equal(find(&world, &other), STORE_RID_CONFLICT);
    world_catch_up(&world);
    assert_int_equal(find(&world, &origin), STORE_RID_KNOWN); /* from the table */
    assert_int_equal(find(&world, &other), STORE_RID_CONFLICT);
    assert_int_equal(find(&world, &elsewhere), STORE_RID_NEW);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(find(&world, &origin), STORE_RID_KNOWN);
    assert_int_equal(find(&world, &other), STORE_RID_CONFLICT);
    assert_int_equal(find(&world, &elsewhere), STORE_RID_NEW);
    world_close(&world);
}

/* Within one turn the loop keeps its first look, and still finds what became durable since. */
static void rid_in_a_long_turn(void **state)
{
    (void)state;
    struct world world;
    const uint8_t *effects = NULL;
    size_t len = 0;
    world_open(&world);
    world_settle(&world);
    struct store_origin origin = world_origin(&world, world.users[1], "body");
    store_turn_begin(world.store);
    assert_int_equal(store_rid_find(world.store, 1, &origin, &effects, &len), STORE_RID_NEW);
    world_book(&world, 1, 10, &origin);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    assert_int_equal(store_rid_find(world.store, 1, &origin, &effects, &len), STORE_RID_KNOWN);
    assert_non_null(effects);
    store_turn_end(world.store);
    world_close(&world);
}

static void many_rids_are_told_apart(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    struct store_origin first = {0}, last = {0};
    for (unsigned i = 0; i < 3000; i++) { /* refused for the most part: kept like answers */
        last = world_origin(&world, world.users[1 + i % HOUSEHOLDS], "same");
        if (i == 0)
            first = last;
        world_book(&world, 1 + i % HOUSEHOLDS, 10 + i % 50, &last);
        if (i % 700 == 0)
            assert_int_equal(world_flush(&world), STORE_OK);
    }
    assert_int_equal(find(&world, &last), STORE_RID_PENDING);
    assert_int_equal(world_flush(&world), STORE_OK);
    assert_int_equal(find(&world, &first), STORE_RID_KNOWN);
    assert_int_equal(find(&world, &last), STORE_RID_KNOWN);
    world_catch_up(&world);
    assert_int_equal(find(&world, &first), STORE_RID_KNOWN);
    assert_int_equal(find(&world, &last), STORE_RID_KNOWN);
    world_shut(&world);
    world_reopen(&world); /* from the table */
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM rid"), 3000);
    assert_int_equal(find(&world, &first), STORE_RID_KNOWN);
    assert_int_equal(find(&world, &last), STORE_RID_KNOWN);
    first.rid[4] = 'x';
    assert_int_equal(find(&world, &first), STORE_RID_NEW);
    world_close(&world);
}

static int64_t rids_swept(const struct world *world)
{
    return world_number(world->path, "SELECT rids FROM applied");
}

/* So many that the table of rids is swept while others come; written by hand, for speed. */
static void rids_are_swept(void **state)
{
    (void)state;
    enum { COUNT = 70000 };
    struct world world;
    struct tide_reply reply = {.id = 7};
    uint8_t bytes[64] = {ENGINE_REPLY, TIDE_REC_reply};
    size_t used = tide_record_pack(tide_record_of(TIDE_REC_reply), &reply, bytes + 2, 62);
    struct engine_effects effects = {.buf = bytes, .cap = 64, .len = 2 + used, .count = 1};
    world_open(&world);
    world_settle(&world);
    struct engine_event tick = {.when_ms = world.now_ms, .kind = TIDE_REC_tick};
    static struct store_origin some[COUNT / 1000];
    for (unsigned i = 0; i < COUNT; i++) {
        struct store_origin origin = world_origin(&world, 1 + i * 7919 % 1000, "body");
        snprintf(origin.rid, sizeof origin.rid, "%08x", i * 2654435761u);
        if (i % 1000 == 0)
            some[i / 1000] = origin;
        assert_true(store_batch_add(world.batch, 1, &origin, &tick, &effects) > 0);
        if (i % 500 == 499)
            assert_int_equal(world_flush(&world), STORE_OK);
        if (i % 10000 == 5000) /* wherever it stands by now */
            assert_int_equal(find(&world, &some[i / 2000]), STORE_RID_KNOWN);
    }
    for (unsigned i = 0; i < 300 && rids_swept(&world) < 32768; i++)
        usleep(10000);
    assert_true(rids_swept(&world) >= 32768);
    for (unsigned i = 0; i < COUNT / 1000; i++)
        assert_int_equal(find(&world, &some[i]), STORE_RID_KNOWN);
    world_shut(&world);
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM rid"), COUNT);
    assert_int_equal(world_number(world.path, "SELECT rids=seq FROM applied"), 1);
    world_reopen(&world);
    for (unsigned i = 0; i < COUNT / 1000; i++)
        assert_int_equal(find(&world, &some[i]), STORE_RID_KNOWN);
    world_close(&world);
}

/* ---- the fold, and a start ------------------------------------------------------------------- */
static void same_state(struct world *world)
{
    uint8_t before[32], after[32];
    engine_digest(world->engine, before);
    world_load(world);
    engine_digest(world->engine, after);
    assert_memory_equal(before, after, 32);
}

static void tables_follow(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 1; i <= HOUSEHOLDS; i++)
        world_book(&world, i, 10, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    assert_true(world.applied_count > 0);
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM booking WHERE state=0"), SLOTS);
    assert_int_equal(world_number(world.path, "SELECT seq FROM applied WHERE domain=1"),
                     store_last_seq(world.store, 1));
    assert_int_equal(world_number(world.path, "SELECT held_min FROM account WHERE household=2"),
                     10);
    same_state(&world);
    world_pass(&world, WORLD_START_MS + 3 * TIDE_DAY_MS); /* all of them are no-shows by then */
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM booking WHERE state=0"), 0);
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM booking WHERE state=4"), SLOTS);
    same_state(&world);
    world_close(&world);
}

static void start_with_a_tail(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    world_book(&world, 1, 10, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    for (unsigned i = 2; i <= 5; i++)
        world_book(&world, i, 20, NULL);
    struct engine_event cancel = {.user = world.users[1], .kind = TIDE_REC_cancel};
    cancel.as.cancel.booking = 1;
    world_event(&world, cancel, NULL);
    assert_int_equal(world_reply(&world).code, TIDE_CODE_ok);
    assert_int_equal(world_flush(&world), STORE_OK);
    assert_true(store_applied_seq(world.store, 1) < store_durable_seq(world.store, 1));
    same_state(&world); /* booking 1 stands live in the table, ended in the tail */
    assert_int_equal(world.position.seq, store_last_seq(world.store, 1));
    assert_int_equal(world.position.rules, ENGINE_RULES);
    assert_int_equal(world.position.incarnation, 1);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(store_applied_seq(world.store, 1), store_last_seq(world.store, 1));
    world_close(&world);
}

static void fold_comes_by_itself(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 0; i < 200; i++) {
        if (store_applied_seq(world.store, 1) == store_last_seq(world.store, 1))
            break;
        usleep(10000);
    }
    assert_int_equal(store_applied_seq(world.store, 1), store_last_seq(world.store, 1));
    world_close(&world);
}

static void two_domains_do_not_mix(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    uint32_t street = store_domain(world.store, "street", true);
    struct engine_event tick = {.when_ms = WORLD_START_MS, .kind = TIDE_REC_tick};
    struct engine_effects none = {.buf = world.effects.buf, .cap = world.effects.cap};
    assert_int_equal(store_batch_add(world.batch, street, NULL, &tick, &none), 1);
    world_book(&world, 1, 10, NULL);
    none.len = 0;
    assert_int_equal(store_batch_add(world.batch, street, NULL, &tick, &none), 2);
    assert_int_equal(world_flush(&world), STORE_OK);
    assert_int_equal(store_durable_seq(world.store, street), 2);
    struct engine *empty = world_engine();
    struct store_position position;
    assert_int_equal(store_load(world.store, street, empty, &position), STORE_OK);
    assert_int_equal(position.seq, 2);
    uint32_t cursor = 0;
    assert_null(engine_next(empty, TIDE_REC_booking, &cursor));
    free(empty);
    const struct tide_names *names = store_names(world.store, street);
    assert_int_equal(names->find(names->arg, TIDE_NAME_KIND_place, "compound", 8), 0);
    world_close(&world);
}

/* ---- reading --------------------------------------------------------------------------------- */
struct asked {
    struct store_select select;
    enum store_error error;
    bool more;
    unsigned count;
    uint32_t first, last;
};

static void rows_are_read(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 0; i < 6; i++)
        world_book(&world, 1, 10 + 4 * i, NULL);
    world_book(&world, 2, 10, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    tide_id home = world.places[1];
    const struct asked table[] = {
        {{TIDE_REC_booking, "household", home, 0, 0, false, 10, NULL, 0}, STORE_OK, false, 6, 1, 6},
        {{TIDE_REC_booking, "household", home, 0, 0, true, 10, NULL, 0}, STORE_OK, false, 6, 6, 1},
        {{TIDE_REC_booking, "household", home, 0, 0, true, 2, NULL, 0}, STORE_OK, true, 2, 6, 5},
        {{TIDE_REC_booking, "household", home, 0, 5, true, 2, NULL, 0}, STORE_OK, true, 2, 4, 3},
        {{TIDE_REC_booking, "household", home, 4, 0, false, 2, NULL, 0}, STORE_OK, false, 2, 5, 6},
        {{TIDE_REC_booking, "household", home, 2, 5, false, 9, NULL, 0}, STORE_OK, false, 2, 3, 4},
        {{TIDE_REC_booking, "household", 999, 0, 0, false, 9, NULL, 0}, STORE_OK, false, 0, 0, 0},
        {{TIDE_REC_booking, NULL, 0, 0, 0, false, 99, NULL, 0}, STORE_OK, false, 7, 1, 7},
        {{TIDE_REC_booking, "household", home, 0, 0, false, 9, "person", world.persons[1]},
         STORE_OK,
         false,
         6,
         1,
         6},
        {{TIDE_REC_booking, "household", home, 0, 0, false, 9, "person", 99},
         STORE_OK,
         false,
         0,
         0,
         0},
        {{TIDE_REC_booking, "household", home, 0, 0, false, 9, "x\"", 99},
         STORE_USAGE,
         false,
         0,
         0,
         0},
        {{TIDE_REC_booking, "no_such", 1, 0, 0, false, 9, NULL, 0}, STORE_USAGE, false, 0, 0, 0},
        {{TIDE_REC_reply, "code", 1, 0, 0, false, 9, NULL, 0}, STORE_USAGE, false, 0, 0, 0},
    };
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        bool more = false;
        uint32_t first = 0, last = 0;
        world.effects.len = world.effects.count = 0;
        assert_int_equal(store_rows(world.store, 1, &table[n].select, &world.effects, &more),
                         table[n].error);
        assert_int_equal(more, table[n].more);
        assert_int_equal(world.effects.count, table[n].count);
        size_t at = 0;
        enum engine_verb verb;
        unsigned kind;
        union tide_any record;
        while (
            engine_effect_next(world.effects.buf, world.effects.len, &at, &verb, &kind, &record)) {
            assert_int_equal(verb, ENGINE_ITEM);
            first = first == 0 ? record.booking.id : first;
            last = record.booking.id;
        }
        assert_int_equal(first, table[n].first);
        assert_int_equal(last, table[n].last);
    }
    world_close(&world);
}

static void figures_are_told(void **state)
{
    (void)state;
    struct world world;
    struct store_stats stats;
    world_open(&world);
    world_settle(&world);
    world_catch_up(&world);
    store_stats(world.store, &stats);
    assert_true(stats.commits > 0 && stats.rows == store_last_seq(world.store, 1));
    assert_int_equal(stats.folded, stats.rows);
    assert_true(stats.db_bytes > 0 && stats.commit_us_last > 0 && stats.names > 0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_daemon_is_refused),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(domains_have_numbers),
        cmocka_unit_test(rows_come_back_in_order),
        cmocka_unit_test(full_batch_says_so),
        cmocka_unit_test(an_unreadable_roll_back_is_told),
        cmocka_unit_test(rid_lives),
        cmocka_unit_test(rid_in_a_long_turn),
        cmocka_unit_test(many_rids_are_told_apart),
        cmocka_unit_test(rids_are_swept),
        cmocka_unit_test(tables_follow),
        cmocka_unit_test(start_with_a_tail),
        cmocka_unit_test(fold_comes_by_itself),
        cmocka_unit_test(two_domains_do_not_mix),
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(figures_are_told),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
