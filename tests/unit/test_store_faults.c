/* What breaks: the disk is full, the process is killed, files are tampered with. */
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "store_fixture.h"

/* ---- disk full ------------------------------------------------------------------------------- */
#define DISK_MIB 6

static bool mount_small(const char *folder)
{
    char options[32];
    snprintf(options, sizeof options, "size=%dm", DISK_MIB);
    return mount("tide-test", folder, "tmpfs", 0, options) == 0;
}

/* Leaves `left` bytes of the small disk. */
static void fill_disk(const char *folder, size_t left)
{
    char path[96];
    struct statvfs disk;
    snprintf(path, sizeof path, "%s/ballast", folder);
    assert_int_equal(statvfs(folder, &disk), 0);
    size_t bytes = disk.f_bavail * disk.f_bsize;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (; bytes > left; bytes -= 4096) {
        char page[4096] = {1};
        assert_int_equal(fwrite(page, 1, sizeof page, file), sizeof page);
    }
    fclose(file);
}

static void empty_disk(const char *folder)
{
    char path[96];
    snprintf(path, sizeof path, "%s/ballast", folder);
    assert_int_equal(unlink(path), 0);
}

/* Books until the disk is full: every durable row was told so, the rest came back as STORE_FULL. */
static void book_until_full(struct world *world, unsigned *ret_booked)
{
    enum store_error error = STORE_OK;
    unsigned booked = 0;
    for (unsigned n = 0; error == STORE_OK && n < 100000; n++) {
        struct store_origin origin = world_origin(world, world->users[1 + n % 12], "x");
        world_book(world, 1 + n % HOUSEHOLDS, 10 + n % 500, &origin);
        if (n % 20 == 19) {
            error = world_flush(world);
            booked += error == STORE_OK ? 20 : 0;
        }
    }
    assert_int_equal(error, STORE_FULL);
    *ret_booked = booked;
}

static void full_disk_is_survived(void **state)
{
    (void)state;
    struct world world;
    char folder[] = "/tmp/tide-full-XXXXXX";
    unsigned booked = 0;
    assert_non_null(mkdtemp(folder));
    if (!mount_small(folder)) {
        rmdir(folder);
        print_message("not root, or no tmpfs: a full disk cannot be made here\n");
        skip();
    }
    world_open_at(&world, folder);
    world_settle(&world);
    tide_id kept = world_name(&world, TIDE_NAME_KIND_plate, "沪A00001");
    world_book(&world, 1, 4, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    uint64_t before = store_durable_seq(world.store, 1);
    fill_disk(folder, 400 * 1024);
    book_until_full(&world, &booked);
    tide_id lost = world_name(&world, TIDE_NAME_KIND_plate, "沪A00002");
    struct store_origin origin = world_origin(&world, world.users[1], "lost");
    world_book(&world, 1, 600, &origin);
    assert_int_equal(world_flush(&world), STORE_FULL); /* and every later one */
    store_batch_release(world.store, world.batch);
    assert_int_equal(store_rollback(world.store), STORE_OK);
    world.batch = store_batch_take(world.store);
    world_load(&world); /* nothing needs to be written for that */
    assert_int_equal(store_last_seq(world.store, 1), before + booked);
    assert_int_equal(store_durable_seq(world.store, 1), before + booked);
    assert_int_equal(store_probe(world.store), STORE_FULL);
    empty_disk(folder);
    assert_int_equal(store_probe(world.store), STORE_OK);
    const struct tide_names *names = store_names(world.store, 1);
    const uint8_t *effects = NULL;
    size_t len = 0;
    assert_int_equal(names->find(names->arg, TIDE_NAME_KIND_plate, "沪A00001", 9), kept);
    assert_int_equal(names->find(names->arg, TIDE_NAME_KIND_plate, "沪A00002", 9), 0);
    assert_int_equal(store_rid_find(world.store, 1, &origin, &effects, &len), STORE_RID_NEW);
    assert_int_equal(world_name(&world, TIDE_NAME_KIND_plate, "沪A00003"), lost);
    world_book(&world, 1, 600, &origin);
    assert_int_equal(world_flush(&world), STORE_OK); /* it goes on, gapless */
    assert_int_equal(store_durable_seq(world.store, 1), before + booked + 1);
    world_catch_up(&world);
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM journal"), before + booked + 1);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(store_durable_seq(world.store, 1), before + booked + 1);
    world_shut(&world);
    umount(folder);
    world_remove(&world);
}

/* ---- killed ---------------------------------------------------------------------------------- */
/* In the child: books without end and writes each durable seq to the pipe. */
static void child_main(const char *folder, int to)
{
    struct world world;
    world_open_at(&world, folder);
    for (unsigned i = 0; i <= HOUSEHOLDS; i++) /* the names are there already */
        world.users[i] = i + 1;
    for (unsigned i = 1; i <= HOUSEHOLDS; i++)
        world.plates[i] = i;
    world.zone = 1;
    world.rids = (unsigned)store_last_seq(world.store, 1) * 10;
    for (unsigned n = 0;; n++) {
        char text[32];
        snprintf(text, sizeof text, "name %u", world.rids);
        world_name(&world, TIDE_NAME_KIND_place, text);
        struct store_origin origin = world_origin(&world, world.users[1 + n % HOUSEHOLDS], "x");
        world_book(&world, 1 + n % HOUSEHOLDS, 10 + n % 3000, &origin);
        if (n % 7 != 6)
            continue;
        if (world_flush(&world) != STORE_OK)
            _exit(1);
        uint64_t seq = store_durable_seq(world.store, 1);
        if (write(to, &seq, sizeof seq) != sizeof seq)
            _exit(1);
    }
}

static uint64_t run_and_kill(const char *folder, unsigned after_us)
{
    int ends[2];
    uint64_t seq = 0, last = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_main(folder, ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &seq, sizeof seq), sizeof seq); /* it works */
    last = seq;
    usleep(after_us);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &seq, sizeof seq) == sizeof seq)
        last = seq;
    close(ends[0]);
    return last;
}

static void killed_loses_nothing(void **state)
{
    (void)state;
    struct world world;
    struct engine_limits limits = world_limits();
    struct store_report report;
    world_open(&world);
    world_settle(&world);
    world_shut(&world);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t told = run_and_kill(world.folder, 3000 + i * 2500);
        world_reopen(&world);
        assert_true(store_durable_seq(world.store, 1) >= told);
        assert_int_equal(world.position.seq, store_durable_seq(world.store, 1));
        world_shut(&world);
    }
    assert_int_equal(store_verify(world.path, &limits, NULL, NULL, &report), STORE_OK);
    if (report.faults > 0)
        print_error("%s\n", report.first_fault);
    assert_int_equal(report.faults, 0);
    assert_true(report.events > 100 && report.redecided == report.events);
    world_remove(&world);
}

/* ---- damaged --------------------------------------------------------------------------------- */
static void damage_is_told(void **state)
{
    (void)state;
    struct world world;
    char why[256] = "";
    world_open(&world);
    world_settle(&world);
    world_shut(&world);
    FILE *file = fopen(world.path, "r+");
    assert_non_null(file);
    for (long page = 1; page < 60; page++) {
        fseek(file, page * 4096, SEEK_SET);
        fwrite("damage", 1, 6, file);
    }
    fclose(file);
    struct store_conf conf = {.path = world.path, .on_durable = world_on_durable, .arg = &world};
    struct store *store = NULL;
    assert_int_equal(store_open(&store, &conf, why, sizeof why), STORE_CORRUPT);
    assert_non_null(strstr(why, "--restore"));
    world_remove(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_is_survived),
        cmocka_unit_test(killed_loses_nothing),
        cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
