/* test_why.c - "why did he get it and I did not?": the right row is found, decided again, told in
 * plain words, and nobody else is named.
 */
#include "store_fixture.h"

#include "daemon/why.h"

#define GRAIN 150

static struct store_origin asked[HOUSEHOLDS + 1];

/* Every slot is promised at GRAIN, one household after another; the next one hears no. */
static unsigned fill(struct world *world)
{
    for (unsigned i = 1; i <= HOUSEHOLDS; i++) {
        asked[i] = world_origin(world, world->users[i], "body");
        world_book(world, i, GRAIN, &asked[i]);
        if (world_reply(world).code == TIDE_CODE_full) {
            assert_int_equal(world_flush(world), STORE_OK);
            return i;
        }
        world_pass(world, world->now_ms + TIDE_MINUTE_MS);
    }
    fail_msg("more slots than households");
    return 0;
}

static struct store_why look(const struct world *world, const struct store_why_ask *ask)
{
    static struct store_why why;
    struct engine_limits limits = world_limits();
    assert_int_equal(store_why(world->path, &limits, ask, &why), STORE_OK);
    return why;
}

static void told(const struct store_why *why, char *out, size_t cap)
{
    memset(out, 0, cap);
    FILE *file = fmemopen(out, cap - 1, "w");
    assert_non_null(file);
    why_tell(why, file);
    fclose(file);
}

static void names_nobody(const struct world *world, const char *text)
{
    char name[32];
    for (unsigned i = 1; i <= HOUSEHOLDS; i++) {
        snprintf(name, sizeof name, "浙F%05u", 10000 + i);
        assert_null(strstr(text, name));
        snprintf(name, sizeof name, "3-2-%u", 100 + i);
        assert_null(strstr(text, name));
    }
    for (unsigned i = 1; i <= SLOTS; i++) {
        snprintf(name, sizeof name, "A-%03u", i);
        assert_null(strstr(text, name));
    }
    (void)world;
}

static void a_refused_request_is_explained(void **state)
{
    static char text[8192];
    struct world world;
    char user[16];
    (void)state;
    world_open(&world);
    world_settle(&world);
    unsigned refused = fill(&world);
    world_catch_up(&world);
    snprintf(user, sizeof user, "u%u", refused);
    struct store_why why =
        look(&world, &(struct store_why_ask){.user = user, .rid = asked[refused].rid});
    assert_true(why.found && why.redecided && why.same);
    assert_int_equal(why.reply.code, TIDE_CODE_full);
    assert_int_equal(why.booking.id, 0);
    assert_int_equal(why.zone.promises, refused - 1);
    assert_true(why.zone.last_made_ms < why.when_ms);
    assert_true(why.binding_count == 1 && why.offer_count > 0);
    told(&why, text, sizeof text);
    assert_non_null(strstr(text, "拒绝"));
    assert_non_null(strstr(text, "outcome: refused - what was open was promised or taken"));
    assert_non_null(strstr(text, "there was none"));
    assert_non_null(strstr(text, "first come, first served: all were made before"));
    assert_non_null(strstr(text, "the same, to the byte"));
    assert_non_null(strstr(text, "zone yard"));
    assert_true(strstr(text, "决定于") < strstr(text, "decided at")); /* Chinese first */
    names_nobody(&world, text);
    world_close(&world);
}

static void a_booking_and_what_became_of_it(void **state)
{
    static char text[8192];
    struct world world;
    (void)state;
    world_open(&world);
    world_settle(&world);
    fill(&world);
    struct engine_event cancel = {.user = world.users[2], .kind = TIDE_REC_cancel};
    cancel.as.cancel.booking = 2;
    world_event(&world, cancel, NULL);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_catch_up(&world);
    struct store_why why = look(&world, &(struct store_why_ask){.booking = 2});
    assert_true(why.found && why.redecided && why.same);
    assert_int_equal(why.booking.id, 2);
    assert_int_equal(why.zone.promises, 1); /* the one before it */
    assert_int_equal(why.later_count, 1);
    told(&why, text, sizeof text);
    assert_non_null(strstr(text, "预约 2 / booking 2"));
    assert_non_null(strstr(text, "outcome: granted"));
    assert_non_null(strstr(text, "that leaves least time over"));
    assert_non_null(strstr(text, "已取消"));
    names_nobody(&world, text);
    world_close(&world);
}

static void a_decision_that_falls_otherwise_is_said_to(void **state)
{
    static char text[8192];
    struct world world;
    struct engine_limits limits = world_limits();
    struct store_why why;
    sqlite3 *db = NULL;
    (void)state;
    world_open(&world);
    world_settle(&world);
    fill(&world);
    world_shut(&world);
    assert_int_equal(sqlite3_open(world.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TRIGGER journal_no_update; UPDATE journal SET"
                                  " effects=x'' WHERE seq=(SELECT max(seq) FROM journal)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    unsigned refused = 0;
    while (asked[refused + 1].rid[0] != '\0' && refused + 1 < HOUSEHOLDS)
        refused++;
    char user[16];
    snprintf(user, sizeof user, "u%u", refused);
    struct store_why_ask ask = {.user = user, .rid = asked[refused].rid};
    assert_int_equal(store_why(world.path, &limits, &ask, &why), STORE_OK);
    assert_true(why.found && why.redecided && !why.same);
    told(&why, text, sizeof text);
    assert_non_null(strstr(text, "run tided --verify"));
    world_remove(&world);
}

static void what_nobody_asked_is_not_found(void **state)
{
    static char text[1024];
    struct world world;
    struct engine_limits limits = world_limits();
    struct store_why why;
    (void)state;
    world_open(&world);
    world_settle(&world);
    world_catch_up(&world);
    why = look(&world, &(struct store_why_ask){.booking = 77});
    assert_false(why.found);
    told(&why, text, sizeof text);
    assert_non_null(strstr(text, "knows no such booking"));
    why = look(&world, &(struct store_why_ask){.user = "nobody", .rid = "r"});
    assert_false(why.found);
    struct store_why_ask elsewhere = {.domain = "elsewhere", .booking = 1};
    assert_int_equal(store_why(world.path, &limits, &elsewhere, &why), STORE_USAGE);
    world_close(&world);
}

static void words_of_the_command_line(void **state)
{
    static const struct {
        const char *what;
        bool fine;
        tide_id booking;
        const char *user, *rid;
    } rows[] = {
        {"12", true, 12, NULL, NULL},
        {"app1:b-1", true, 0, "app1", "b-1"},
        {"0", false, 0, NULL, NULL},
        {"-3", false, 0, NULL, NULL},
        {"", false, 0, NULL, NULL},
        {"12x", false, 0, NULL, NULL},
        {":b-1", false, 0, NULL, NULL},
        {"app1:", false, 0, NULL, NULL},
        {"4294967296", false, 0, NULL, NULL},
        {"app1:0123456789012345678901234567890123456", false, 0, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct store_why_ask ask;
        char user[TIDE_NAME_BYTES_MAX + 1];
        bool fine = why_parse(rows[i].what, &ask, user, sizeof user);
        if (fine != rows[i].fine)
            fail_msg("%s: %s", rows[i].what, fine ? "taken" : "refused");
        if (!fine)
            continue;
        assert_int_equal(ask.booking, rows[i].booking);
        if (rows[i].user != NULL) {
            assert_string_equal(ask.user, rows[i].user);
            assert_string_equal(ask.rid, rows[i].rid);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_request_is_explained),
        cmocka_unit_test(a_booking_and_what_became_of_it),
        cmocka_unit_test(a_decision_that_falls_otherwise_is_said_to),
        cmocka_unit_test(what_nobody_asked_is_not_found),
        cmocka_unit_test(words_of_the_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
