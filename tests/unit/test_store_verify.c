/* --verify finds what is not so; a backup is whole; a restore forgets again and says so. */
#include "store_fixture.h"

static void busy_days(struct world *world)
{
    for (unsigned day = 0; day < 3; day++) {
        for (unsigned i = 0; i < 60; i++) {
            struct store_origin origin =
                world_origin(world, world->users[1 + i % HOUSEHOLDS], "body");
            world_book(world, 1 + i % HOUSEHOLDS, 12 * 24 * day + 150 + 2 * (i / HOUSEHOLDS),
                       &origin);
        }
        struct engine_event cancel = {.user = world->users[1], .kind = TIDE_REC_cancel};
        cancel.as.cancel.booking = 1 + 40 * day;
        world_event(world, cancel, NULL);
        assert_int_equal(world_flush(world), STORE_OK);
        world_pass(world, world->now_ms + TIDE_DAY_MS);
    }
    assert_int_equal(world_flush(world), STORE_OK);
}

static struct store_report verify(const char *path)
{
    struct engine_limits limits = world_limits();
    struct store_report report = {0};
    assert_int_equal(store_verify(path, &limits, NULL, NULL, &report), STORE_OK);
    return report;
}

/* ---- verify ---------------------------------------------------------------------------------- */
static void clean_is_clean(void **state)
{
    (void)state;
    struct world world;
    uint8_t digest[32];
    world_open(&world);
    world_settle(&world);
    busy_days(&world);
    engine_digest(world.engine, digest);
    struct store_report report = verify(world.path); /* in use, perhaps with a tail */
    assert_int_equal(report.faults, 0);
    world_shut(&world);
    report = verify(world.path);
    if (report.faults > 0)
        print_error("%s\n", report.first_fault);
    assert_int_equal(report.faults, 0);
    assert_int_equal(report.domains, 1);
    assert_int_equal(report.redecided, report.events);
    assert_true(report.events > 180 && report.rows > 300);
    assert_memory_equal(report.digest, digest, 32);
    world_remove(&world);
}

struct tampering {
    const char *sql, *found;
};

static void tampering_is_found(void **state)
{
    (void)state;
    static const struct tampering table[] = {
        {"UPDATE booking SET plate=plate+1 WHERE id=7", "booking id=7: plate is"},
        {"DELETE FROM booking WHERE id=9", "booking id=9: is missing"},
        {"INSERT INTO account(domain, household, balance_min, held_min, no_shows, overstays,"
         " granted_month) SELECT domain, 999, 0, 0, 0, 0, 0 FROM account LIMIT 1",
         "account household=999: is in the table, not in the journal"},
        {"UPDATE rid SET seq=seq+1 WHERE rid='rid-000011'", "rid of user"},
        {"DELETE FROM rid WHERE rid='rid-000012'", "is missing"},
        {"UPDATE rid SET expires_ms=1 WHERE rid='rid-000013'", "differs from the journal"},
        {"DROP TRIGGER journal_no_update; UPDATE journal SET effects=zeroblob(4) WHERE seq=30",
         "after 0 is missing or unreadable"},
        {"DROP TRIGGER journal_no_update; UPDATE journal SET effects=x'' WHERE seq=30", ""},
        {"DROP TRIGGER journal_no_update; UPDATE journal SET event=x'00' WHERE seq=30",
         "journal row 30: the event cannot be read"},
        {"DROP TRIGGER journal_no_update; UPDATE journal SET when_ms=when_ms+864000000 WHERE"
         " seq=30",
         "journal row 30: "},
        {"DROP TRIGGER journal_no_update; UPDATE journal SET event=(SELECT event FROM journal"
         " WHERE seq=20) WHERE seq=30",
         "journal row 30: decided again, it has other effects"},
        {"DROP TRIGGER journal_no_delete; DELETE FROM journal WHERE seq=30",
         "is missing or unreadable"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct world world;
        sqlite3 *db = NULL;
        world_open(&world);
        world_settle(&world);
        busy_days(&world);
        world_shut(&world);
        assert_int_equal(sqlite3_open(world.path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, table[i].sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_total_changes(db), 1);
        sqlite3_close(db);
        struct store_report report = verify(world.path);
        assert_true(report.faults > 0);
        if (strstr(report.first_fault, table[i].found) == NULL)
            print_error("%s\n  found: %s\n", table[i].sql, report.first_fault);
        assert_non_null(strstr(report.first_fault, table[i].found));
        world_remove(&world);
    }
}

/* New rules begin at an epoch: from there on events are decided again. */
static void epochs_are_beginnings(void **state)
{
    (void)state;
    struct world world;
    sqlite3 *db = NULL;
    uint8_t digest[32];
    world_open(&world);
    world_settle(&world);
    busy_days(&world);
    world_shut(&world);
    assert_int_equal(sqlite3_open(world.path, &db), SQLITE_OK); /* as older rules left it */
    assert_int_equal(sqlite3_exec(db, "DROP TRIGGER journal_no_update; UPDATE journal SET rules=0",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    struct store_report report = verify(world.path);
    assert_int_equal(report.faults, 0); /* the fold holds across all rules */
    assert_int_equal(report.redecided, 0);
    world_reopen(&world);
    assert_int_equal(world.position.rules, 0);
    engine_digest(world.engine, digest);
    assert_int_equal(store_epoch(world.store, 1, world.engine, digest), STORE_OK);
    for (unsigned i = 1; i <= 8; i++)
        world_book(&world, i, 2000, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    engine_digest(world.engine, digest);
    world_shut(&world);
    report = verify(world.path);
    if (report.faults > 0)
        print_error("%s\n", report.first_fault);
    assert_int_equal(report.faults, 0);
    assert_true(report.redecided >= 8 && report.redecided < 30);
    assert_memory_equal(report.digest, digest, 32);
    world_remove(&world);
}

/* ---- backup and restore ---------------------------------------------------------------------- */
struct copied {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool done;
    enum store_error error;
    uint64_t bytes;
};

static void on_copied(void *arg, enum store_error error, const char *path, uint64_t bytes)
{
    struct copied *copied = arg;
    (void)path;
    pthread_mutex_lock(&copied->lock);
    copied->done = true;
    copied->error = error;
    copied->bytes = bytes;
    pthread_cond_signal(&copied->came);
    pthread_mutex_unlock(&copied->lock);
}

static void backup(struct world *world, const char *path)
{
    struct copied copied = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    assert_int_equal(store_backup(world->store, path, on_copied, &copied), STORE_OK);
    for (unsigned i = 1; i <= 5; i++) { /* the daemon goes on meanwhile */
        world_book(world, i, 3000, NULL);
        assert_int_equal(world_flush(world), STORE_OK);
    }
    pthread_mutex_lock(&copied.lock);
    while (!copied.done)
        pthread_cond_wait(&copied.came, &copied.lock);
    pthread_mutex_unlock(&copied.lock);
    assert_int_equal(copied.error, STORE_OK);
    assert_true(copied.bytes > 100000);
}

static void forget_plate(struct world *world, tide_id plate)
{
    struct engine_event event = {.user = world->users[0], .kind = TIDE_REC_forget};
    event.as.forget = (struct tide_forget){.kind = TIDE_NAME_KIND_plate, .id = plate};
    world_event(world, event, NULL);
    assert_int_equal(world_flush(world), STORE_OK);
}

static void restore_forgets_again(void **state)
{
    (void)state;
    struct world world;
    char copy[112], why[256] = "";
    world_open(&world);
    world_settle(&world);
    busy_days(&world);
    snprintf(copy, sizeof copy, "%s.backup", world.path);
    tide_id stranger = world_name(&world, TIDE_NAME_KIND_plate, "沪E77777");
    tide_id other = world_name(&world, TIDE_NAME_KIND_plate, "沪E88888");
    struct engine_event tick = {.kind = TIDE_REC_tick};
    world_event(&world, tick, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    backup(&world, copy);
    forget_plate(&world, stranger);
    uint64_t seq = store_durable_seq(world.store, 1);
    tide_id later = world_name(&world, TIDE_NAME_KIND_plate, "沪E99999"); /* not in the backup */
    world_event(&world, tick, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    forget_plate(&world, later);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_LOCKED);
    world_shut(&world);
    assert_int_equal(verify(copy).faults, 0);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_OK);
    assert_non_null(strstr(why, "1 names forgotten again"));
    world_reopen(&world);
    const struct tide_names *names = store_names(world.store, 1);
    assert_int_equal(world.position.incarnation, 2);
    assert_true(world.position.seq < seq && world.position.seq > 180);
    assert_null(names->text(names->arg, TIDE_NAME_KIND_plate, stranger));
    assert_string_equal(names->text(names->arg, TIDE_NAME_KIND_plate, other), "沪E88888");
    /* The id that was forgotten after the backup is given anew, to another; it must stay. */
    assert_int_equal(world_name(&world, TIDE_NAME_KIND_plate, "沪E66666"), later);
    world_event(&world, tick, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    unlink(copy);
    backup(&world, copy);
    world_shut(&world);
    assert_int_equal(verify(world.path).faults, 0);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_OK);
    world_reopen(&world);
    names = store_names(world.store, 1);
    assert_int_equal(world.position.incarnation, 3);
    assert_string_equal(names->text(names->arg, TIDE_NAME_KIND_plate, later), "沪E66666");
    unlink(copy);
    world_close(&world);
}

/* A crash while a line was written must not spoil the next one. */
static void cut_line_spoils_nothing(void **state)
{
    (void)state;
    struct world world;
    char copy[112], list[112], why[256] = "";
    struct engine_event tick = {.kind = TIDE_REC_tick};
    world_open(&world);
    world_settle(&world);
    snprintf(copy, sizeof copy, "%s.backup", world.path);
    snprintf(list, sizeof list, "%s.forgotten", world.path);
    tide_id stranger = world_name(&world, TIDE_NAME_KIND_plate, "沪E77777");
    world_event(&world, tick, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    backup(&world, copy);
    world_shut(&world);
    FILE *file = fopen(list, "a");
    assert_non_null(file);
    fprintf(file, "1 home pla");
    fclose(file);
    world_reopen(&world);
    forget_plate(&world, stranger);
    world_shut(&world);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_OK);
    assert_non_null(strstr(why, "1 names forgotten again"));
    unlink(copy);
    world_remove(&world);
}

static void bad_backups_are_refused(void **state)
{
    (void)state;
    struct world world;
    char copy[112], why[256] = "";
    world_open(&world);
    world_settle(&world);
    snprintf(copy, sizeof copy, "%s.backup", world.path);
    world_shut(&world);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_USAGE);
    FILE *file = fopen(copy, "w");
    assert_non_null(file);
    fprintf(file, "not a database at all, only a text that somebody wrote");
    fclose(file);
    assert_int_equal(store_restore(copy, world.path, why, sizeof why), STORE_CORRUPT);
    world_reopen(&world); /* nothing was touched */
    assert_int_equal(world.position.incarnation, 1);
    unlink(copy);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_is_clean),          cmocka_unit_test(tampering_is_found),
        cmocka_unit_test(epochs_are_beginnings),   cmocka_unit_test(restore_forgets_again),
        cmocka_unit_test(cut_line_spoils_nothing), cmocka_unit_test(bad_backups_are_refused),
    };
    return cmocka_run_group_tests_name("store_verify", tests, NULL, NULL);
}
