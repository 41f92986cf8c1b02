/* Names: ids and texts, kept apart; forgotten without a trace in any file. */
#include <fcntl.h>
#include <sys/stat.h>

#include "store_fixture.h"

static const struct tide_names *names_of(struct world *world)
{
    return store_names(world->store, world->domain);
}

static tide_id find(struct world *world, enum tide_name_kind kind, const char *text)
{
    const struct tide_names *names = names_of(world);
    return names->find(names->arg, kind, text, strlen(text));
}

static tide_id make(struct world *world, enum tide_name_kind kind, const char *text)
{
    const struct tide_names *names = names_of(world);
    return names->make(names->arg, kind, text, strlen(text));
}

static const char *text_of(struct world *world, enum tide_name_kind kind, tide_id id)
{
    const struct tide_names *names = names_of(world);
    return names->text(names->arg, kind, id);
}

static int set(struct world *world, enum tide_name_kind kind, tide_id id, const char *text)
{
    const struct tide_names *names = names_of(world);
    return names->set(names->arg, kind, id, text, strlen(text));
}

/* Something must happen for a batch to go. */
static void happen(struct world *world)
{
    struct engine_event tick = {.kind = TIDE_REC_tick};
    world_event(world, tick, NULL);
    assert_int_equal(world_flush(world), STORE_OK);
}

static void forget(struct world *world, enum tide_name_kind kind, tide_id id)
{
    struct engine_event event = {.user = world->users[0], .kind = TIDE_REC_forget};
    event.as.forget = (struct tide_forget){.kind = (uint8_t)kind, .id = id};
    world_event(world, event, NULL);
    assert_int_equal(world_reply(world).code, TIDE_CODE_ok);
    assert_int_equal(world_flush(world), STORE_OK);
}

/* ---- ids and texts --------------------------------------------------------------------------- */
static void ids_are_gapless_and_last(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "A-001"), 1);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "A-002"), 2);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "A-001"), 1);
    assert_int_equal(make(&world, TIDE_NAME_KIND_zone, "A-001"), 1); /* kinds do not mix */
    assert_int_equal(find(&world, TIDE_NAME_KIND_slot, "A-002"), 2);
    assert_int_equal(find(&world, TIDE_NAME_KIND_slot, "A-00"), 0);
    assert_int_equal(find(&world, TIDE_NAME_KIND_slot, "A-0022"), 0);
    assert_string_equal(text_of(&world, TIDE_NAME_KIND_slot, 2), "A-002");
    assert_null(text_of(&world, TIDE_NAME_KIND_slot, 3));
    assert_null(text_of(&world, TIDE_NAME_KIND_slot, 0));
    assert_null(text_of(&world, TIDE_NAME_KIND_slot, UINT32_MAX));
    happen(&world);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "A-003"), 3); /* no event: not kept */
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(find(&world, TIDE_NAME_KIND_slot, "A-001"), 1);
    assert_int_equal(find(&world, TIDE_NAME_KIND_slot, "A-003"), 0);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "A-004"), 3);
    world_close(&world);
}

struct bad_name {
    enum tide_name_kind kind;
    const char *text;
    size_t len;
};

static void bad_names_get_no_id(void **state)
{
    (void)state;
    struct world world;
    char long_text[TIDE_NAME_BYTES_MAX + 2];
    memset(long_text, 'x', sizeof long_text);
    const struct bad_name table[] = {
        {TIDE_NAME_KIND_slot, "", 0},
        {TIDE_NAME_KIND_slot, "a\0b", 3},
        {TIDE_NAME_KIND_slot, long_text, TIDE_NAME_BYTES_MAX + 1},
        {TIDE_NAME_KIND_none, "x", 1},
        {TIDE_NAME_KIND_full_name, "x", 1}, /* hangs on a person: only set */
        {(enum tide_name_kind)200, "x", 1},
    };
    world_open(&world);
    const struct tide_names *names = names_of(&world);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(names->make(names->arg, table[i].kind, table[i].text, table[i].len), 0);
        assert_int_equal(names->find(names->arg, table[i].kind, table[i].text, table[i].len), 0);
    }
    assert_int_equal(names->make(names->arg, TIDE_NAME_KIND_slot, long_text, TIDE_NAME_BYTES_MAX),
                     1);
    assert_int_equal(set(&world, TIDE_NAME_KIND_slot, 1, "x"), -1);
    assert_int_equal(set(&world, TIDE_NAME_KIND_phone, 0, "x"), -1);
    assert_int_equal(set(&world, TIDE_NAME_KIND_phone, 1, ""), -1);
    world_close(&world);
}

static void texts_hang_on_ids(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    tide_id person = world.persons[1];
    assert_int_equal(set(&world, TIDE_NAME_KIND_full_name, person, "王小明"), 0);
    assert_int_equal(set(&world, TIDE_NAME_KIND_phone, person, "13800000001"), 0);
    happen(&world);
    assert_int_equal(set(&world, TIDE_NAME_KIND_phone, person, "13800000002"), 0);
    assert_string_equal(text_of(&world, TIDE_NAME_KIND_phone, person), "13800000002");
    happen(&world);
    assert_int_equal(world_number(world.path, "SELECT count(DISTINCT salt) FROM name WHERE kind=9"),
                     1);
    world_shut(&world);
    world_reopen(&world);
    assert_string_equal(text_of(&world, TIDE_NAME_KIND_full_name, person), "王小明");
    assert_string_equal(text_of(&world, TIDE_NAME_KIND_phone, person), "13800000002");
    world_close(&world);
}

static void many_names(void **state)
{
    (void)state;
    struct world world;
    char text[32];
    world_open(&world);
    for (unsigned i = 1; i <= 5000; i++) {
        snprintf(text, sizeof text, "place %u", i * 7919);
        assert_int_equal(make(&world, TIDE_NAME_KIND_place, text), i);
    }
    happen(&world);
    world_shut(&world);
    world_reopen(&world);
    for (unsigned i = 1; i <= 5000; i++) {
        snprintf(text, sizeof text, "place %u", i * 7919);
        assert_int_equal(find(&world, TIDE_NAME_KIND_place, text), i);
        assert_string_equal(text_of(&world, TIDE_NAME_KIND_place, i), text);
    }
    world_close(&world);
}

static void names_have_a_limit(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_shut(&world);
    struct store_conf conf = {
        .path = world.path, .on_durable = world_on_durable, .arg = &world, .names_max = 3};
    assert_int_equal(store_open(&world.store, &conf, NULL, 0), STORE_OK);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "1"), 1);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "2"), 2);
    assert_int_equal(make(&world, TIDE_NAME_KIND_zone, "3"), 1);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "4"), 0);
    assert_int_equal(make(&world, TIDE_NAME_KIND_slot, "1"), 1);
    assert_int_equal(set(&world, TIDE_NAME_KIND_phone, 1, "5"), -1);
    world_close(&world);
}

/* ---- misread plates -------------------------------------------------------------------------- */
static void alternates(void **state)
{
    (void)state;
    static const struct {
        const char *seen, *others[6];
    } table[] = {
        {"浙F8B021", {"浙F8B021"}}, /* itself is no alternate */
        {"浙F88021", {"浙F8B021", "浙FB8021"}},
        {"浙FA0000", {"浙FAD000", "浙FAO000", "浙FAQ000", "浙FA0D00", "浙FA00D0"}}, /* 4 at most */
        {"浙F1Z5S7", {"浙FIZ5S7", "浙F125S7", "浙F1Z5S1", "浙F1ZSS7"}},
        {"浙F33333", {"浙F33334", "浙FE3333"}},
    };
    struct world world;
    world_open(&world);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        tide_id expected[6], found[TIDE_ALTERNATES_MAX] = {0};
        unsigned count = 0;
        tide_id seen = make(&world, TIDE_NAME_KIND_plate, table[i].seen);
        for (; count < 6 && table[i].others[count] != NULL; count++)
            expected[count] = make(&world, TIDE_NAME_KIND_plate, table[i].others[count]);
        unsigned most = i == 0 || i == 4 ? 0 : count < 4 ? count : 4;
        assert_int_equal(store_plate_alternates(world.store, 1, seen, found), most);
        for (unsigned n = 0; n < most; n++)
            assert_int_equal(found[n], expected[n]);
    }
    tide_id none[TIDE_ALTERNATES_MAX];
    assert_int_equal(store_plate_alternates(world.store, 1, 9999, none), 0);
    world_close(&world);
}

/* ---- strangers' plates ----------------------------------------------------------------------- */
static void strangers_fall_due(void **state)
{
    (void)state;
    struct world world;
    struct tide_forgotten due[8];
    static struct world_rows rows;
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 1; i <= HOUSEHOLDS; i++) { /* residents' plates */
        struct tide_vehicle vehicle = {.plate = world.plates[i], .household = world.places[i]};
        world_row(&rows, TIDE_REC_vehicle, &vehicle);
    }
    world_put(&world, &rows);
    tide_id stranger = make(&world, TIDE_NAME_KIND_plate, "沪A88888");
    happen(&world);
    assert_int_equal(store_names_due(world.store, 1, world.now_ms + 29 * TIDE_DAY_MS, 8, due), 0);
    tide_ms later = world.now_ms + 31 * TIDE_DAY_MS;
    assert_int_equal(store_names_due(world.store, 1, later, 8, due), 1);
    assert_int_equal(due[0].id, stranger);
    assert_int_equal(due[0].kind, TIDE_NAME_KIND_plate);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(store_names_due(world.store, 1, later, 8, due), 1);
    struct tide_vehicle bought = {.plate = stranger, .household = world.places[1]};
    world_row(&rows, TIDE_REC_vehicle, &bought);
    world_put(&world, &rows);
    assert_int_equal(world_flush(&world), STORE_OK);
    assert_int_equal(store_names_due(world.store, 1, later, 8, due), 0);
    struct engine_event drop = {.user = world.users[0], .kind = TIDE_REC_drop};
    drop.as.drop = (struct tide_drop){.kind = TIDE_REC_vehicle, .k1 = stranger};
    world_event(&world, drop, NULL);
    assert_int_equal(world_reply(&world).code, TIDE_CODE_ok);
    assert_int_equal(world_flush(&world), STORE_OK);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(store_names_due(world.store, 1, later, 8, due), 1); /* a stranger again */
    world_close(&world);
}

/* ---- forgetting ------------------------------------------------------------------------------ */
static size_t read_file(const char *path, uint8_t **ret)
{
    struct stat file;
    int fd = open(path, O_RDONLY);
    *ret = NULL;
    if (fd < 0)
        return 0;
    assert_int_equal(fstat(fd, &file), 0);
    size_t len = (size_t)file.st_size;
    *ret = malloc(len + 1);
    assert_non_null(*ret);
    ssize_t got = read(fd, *ret, len); /* less, when the file shrank meanwhile */
    close(fd);
    return got > 0 ? (size_t)got : 0;
}

/* How often a text stands in the database's files. */
static unsigned traces(struct world *world, const char *text)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".forgotten", ".lock"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[128];
        uint8_t *bytes = NULL;
        snprintf(path, sizeof path, "%s%s", world->path, suffixes[i]);
        size_t len = read_file(path, &bytes), n = strlen(text);
        for (const uint8_t *at = bytes; len > 0;) {
            at = memmem(at, len - (size_t)(at - bytes), text, n);
            if (at == NULL)
                break;
            count++;
            at++;
        }
        free(bytes);
    }
    return count;
}

#define WAITS_MAX 2000 /* of 10 ms: the machine may be busy */

/* Twice in a row: between two reads a page may move from one file into the other. */
static void wait_without_trace(struct world *world, const char *text)
{
    unsigned without = 0;
    for (unsigned i = 0; i < WAITS_MAX && without < 2; i++) {
        without = traces(world, text) == 0 ? without + 1 : 0;
        usleep(10000);
    }
    assert_int_equal(without, 2);
}

/* The tables follow the journal, on a slow day by a second. */
static void wait_with_trace(struct world *world, const char *text)
{
    unsigned found = 0;
    for (unsigned i = 0; i < WAITS_MAX && found == 0; i++) {
        found = traces(world, text);
        usleep(10000);
    }
    assert_true(found > 0);
}

static void forgotten_is_gone(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    tide_id person = world.persons[3];
    char plate[] = "沪C55555";
    set(&world, TIDE_NAME_KIND_full_name, person, "欧阳某某");
    set(&world, TIDE_NAME_KIND_phone, person, "13957399999");
    tide_id stranger = make(&world, TIDE_NAME_KIND_plate, plate);
    happen(&world);
    wait_with_trace(&world, "13957399999");
    wait_with_trace(&world, plate);
    forget(&world, TIDE_NAME_KIND_person, person);
    forget(&world, TIDE_NAME_KIND_plate, stranger);
    assert_null(text_of(&world, TIDE_NAME_KIND_phone, person));
    assert_null(text_of(&world, TIDE_NAME_KIND_person, person));
    assert_null(text_of(&world, TIDE_NAME_KIND_plate, stranger));
    assert_int_equal(find(&world, TIDE_NAME_KIND_plate, plate), 0);
    wait_without_trace(&world, "13957399999"); /* while the daemon goes on */
    wait_without_trace(&world, "欧阳某某");
    wait_without_trace(&world, "3-2-103/1");
    wait_without_trace(&world, plate);
    tide_id again = make(&world, TIDE_NAME_KIND_plate, plate);
    assert_true(again > stranger); /* an id is never given twice */
    happen(&world);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(find(&world, TIDE_NAME_KIND_plate, plate), again);
    assert_null(text_of(&world, TIDE_NAME_KIND_phone, person));
    assert_string_equal(text_of(&world, TIDE_NAME_KIND_person, world.persons[4]), "3-2-104/1");
    world_close(&world);
}

static void last_id_is_not_given_again(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_settle(&world);
    tide_id stranger = make(&world, TIDE_NAME_KIND_plate, "沪D00001");
    happen(&world);
    forget(&world, TIDE_NAME_KIND_plate, stranger);
    world_shut(&world);
    world_reopen(&world);
    assert_int_equal(make(&world, TIDE_NAME_KIND_plate, "沪D00002"), stranger + 1);
    world_close(&world);
}

/* A step that forgets one plate, written by hand. */
static void forget_by_hand(struct world *world, tide_id plate)
{
    struct tide_forgotten row = {.kind = TIDE_NAME_KIND_plate, .id = plate, .at_ms = world->now_ms};
    struct engine_event tick = {.when_ms = world->now_ms, .kind = TIDE_REC_tick};
    uint8_t bytes[64] = {ENGINE_PUT, TIDE_REC_forgotten};
    size_t used = tide_record_pack(tide_record_of(TIDE_REC_forgotten), &row, bytes + 2, 62);
    struct engine_effects effects = {
        .buf = bytes, .cap = sizeof bytes, .len = 2 + used, .count = 1};
    assert_true(store_batch_add(world->batch, 1, NULL, &tick, &effects) > 0);
}

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8 & 0x7fffff) % below;
}

/* Rows wander between pages as a table grows, and SQLite leaves copies of them behind. */
static void no_copies_in_gaps(void **state)
{
    (void)state;
    struct world world;
    char text[300], filler[300];
    tide_id gone[2000];
    unsigned count = 0, seed = 7; /* with this one it does */
    memset(filler, 'y', sizeof filler);
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 0; i < 8000; i++) {
        bool goes = draw(&seed, 5) == 0;
        int more = (int)draw(&seed, 40);
        snprintf(text, sizeof text, "%s%06u%.*s", goes ? "GONE" : "STAY", i, more, filler);
        tide_id plate = make(&world, TIDE_NAME_KIND_plate, text);
        if (goes && count < 2000)
            gone[count++] = plate;
        snprintf(text, sizeof text, "%.*s", 1 + (int)draw(&seed, 250), filler);
        assert_int_equal(set(&world, TIDE_NAME_KIND_full_name, 1 + draw(&seed, 300), text), 0);
        if (i % 50 == 49)
            happen(&world);
    }
    for (unsigned i = 0; i < count; i++)
        forget_by_hand(&world, gone[i]);
    assert_int_equal(world_flush(&world), STORE_OK);
    wait_without_trace(&world, "GONE");
    assert_true(traces(&world, "STAY") > 0);
    world_shut(&world);
    assert_int_equal(traces(&world, "GONE"), 0);
    world_remove(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_gapless_and_last),   cmocka_unit_test(bad_names_get_no_id),
        cmocka_unit_test(texts_hang_on_ids),          cmocka_unit_test(many_names),
        cmocka_unit_test(names_have_a_limit),         cmocka_unit_test(alternates),
        cmocka_unit_test(strangers_fall_due),         cmocka_unit_test(forgotten_is_gone),
        cmocka_unit_test(last_id_is_not_given_again), cmocka_unit_test(no_copies_in_gaps),
    };
    return cmocka_run_group_tests_name("store_names", tests, NULL, NULL);
}
