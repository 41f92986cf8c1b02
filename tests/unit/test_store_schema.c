/* The tables are what the descriptors of records say, and what is written stays written. */
#include "store_fixture.h"

static struct world world;

static int open_world(void **state)
{
    (void)state;
    world_open(&world);
    world_settle(&world);
    for (unsigned i = 1; i <= 4; i++)
        world_book(&world, i, 10, NULL);
    world_flush(&world);
    world_catch_up(&world);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* ---- columns --------------------------------------------------------------------------------- */
static void print_expected(const struct tide_record *desc)
{
    print_error("the table %s should have, after domain:\n", desc->name);
    for (unsigned i = 0; i < desc->field_count; i++)
        print_error("  %s%s\n", desc->fields[i].name, i < desc->key_count ? " (key)" : "");
}

static bool same_columns(sqlite3 *db, const struct tide_record *desc)
{
    char sql[128];
    sqlite3_stmt *info = NULL;
    snprintf(sql, sizeof sql, "SELECT name, type, \"notnull\", pk FROM pragma_table_info('%s')",
             desc->name);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &info, NULL), SQLITE_OK);
    unsigned column = 0;
    bool same = true;
    for (; sqlite3_step(info) == SQLITE_ROW; column++) {
        const char *name = (const char *)sqlite3_column_text(info, 0);
        unsigned key = column <= desc->key_count ? column + 1 : 0; /* domain comes first */
        if (column > desc->field_count)
            same = false;
        else
            same =
                same && strcmp(name, column == 0 ? "domain" : desc->fields[column - 1].name) == 0;
        same = same && strcmp((const char *)sqlite3_column_text(info, 1), "INTEGER") == 0 &&
               sqlite3_column_int(info, 2) == 1 && (unsigned)sqlite3_column_int(info, 3) == key;
    }
    sqlite3_finalize(info);
    return same && column == desc->field_count + 1u;
}

static void columns_are_fields(void **state)
{
    (void)state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(world.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    unsigned kinds = 0, wrong = 0;
    for (unsigned kind = 1; kind < 100; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        if (desc == NULL)
            continue;
        kinds++;
        if (!same_columns(db, desc)) {
            print_expected(desc);
            wrong++;
        }
    }
    sqlite3_close(db);
    assert_true(kinds > 20);
    assert_int_equal(wrong, 0);
}

static void tables_are_strict(void **state)
{
    (void)state;
    assert_int_equal(world_number(world.path, "SELECT count(*) FROM pragma_table_list WHERE"
                                              " schema='main' AND name NOT LIKE 'sqlite_%'"
                                              " AND strict=0"),
                     0);
    assert_int_equal(world_number(world.path, "PRAGMA application_id"), 0x54494445);
    assert_int_equal(world_number(world.path, "PRAGMA user_version"), 3);
}

/* ---- which rows are live: SQL and the engine say the same ------------------------------------ */
struct live {
    unsigned kind;
    const char *where;
};

/* The start must not walk history: each kind that has some has a partial index over the rest. */
static void live_rows_have_an_index(void **state)
{
    (void)state;
    static const struct live table[] = {
        {TIDE_REC_booking, "state <= 1"}, {TIDE_REC_series, "state = 0"},
        {TIDE_REC_session, "state = 0"},  {TIDE_REC_incident, "state = 0"},
        {TIDE_REC_draw, "state <= 3"},    {TIDE_REC_wish, "state = 0"},
        {TIDE_REC_waiting, "state <= 1"},
    };
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(world.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *name = tide_record_of(table[i].kind)->name;
        char sql[256];
        snprintf(sql, sizeof sql, "SELECT * FROM %s INDEXED BY %s_live WHERE domain=1 AND %s", name,
                 name, table[i].where); /* an index that does not serve cannot be prepared */
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    sqlite3_close(db);
}

static bool table_says_live(unsigned kind, uint8_t state)
{
    switch (kind) {
    case TIDE_REC_booking:
    case TIDE_REC_waiting:
        return state <= 1;
    case TIDE_REC_draw:
        return state <= 3;
    case TIDE_REC_strike:
        return state <= 2;
    case TIDE_REC_series:
    case TIDE_REC_session:
    case TIDE_REC_incident:
    case TIDE_REC_wish:
        return state == 0;
    case TIDE_REC_posting:
    case TIDE_REC_notice:
    case TIDE_REC_command:
    case TIDE_REC_outcome:
    case TIDE_REC_passage:
    case TIDE_REC_forgotten:
    case TIDE_REC_draw_span:
        return false;
    default:
        return true;
    }
}

static void live_means_the_same(void **state)
{
    (void)state;
    for (unsigned kind = 1; kind < 100; kind++) {
        const struct tide_record *desc = tide_record_of(kind);
        for (uint8_t value = 0; desc != NULL && value < 8; value++) {
            union tide_any row;
            memset(&row, 0, sizeof row);
            for (unsigned i = 0; i < desc->field_count; i++)
                if (strcmp(desc->fields[i].name, "state") == 0 ||
                    strcmp(desc->fields[i].name, "kind") == 0)
                    tide_field_set(&desc->fields[i], &row, value);
            assert_int_equal(engine_row_is_live(kind, &row), table_says_live(kind, value));
        }
    }
}

/* ---- what is written stays written ----------------------------------------------------------- */
static void append_only(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "UPDATE journal SET effects=x'' WHERE seq=1",
        "DELETE FROM journal WHERE seq=1",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT * FROM journal WHERE seq=1",
        "UPDATE posting SET minutes=minutes+1",
        "DELETE FROM posting",
    };
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(world.path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_busy_timeout(db, 5000);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        int code = sqlite3_exec(db, refused[i], NULL, NULL, NULL);
        if (code != SQLITE_CONSTRAINT)
            print_error("not refused: %s\n", refused[i]);
        assert_int_equal(code, SQLITE_CONSTRAINT);
        if (strncmp(refused[i], "INSERT", 6) != 0)
            assert_non_null(strstr(sqlite3_errmsg(db), "append-only"));
    }
    sqlite3_close(db);
}

static void types_are_held(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "UPDATE booking SET state='booked'",
        "UPDATE booking SET visitor=2",
        "UPDATE booking SET state=256",
        "UPDATE booking SET plate=NULL",
        "INSERT INTO name VALUES(1, 1, 0, 'x', zeroblob(16), 0)",
        "INSERT INTO name VALUES(1, 1, 99, 'x', zeroblob(15), 0)",
        "INSERT INTO domain VALUES(17, 'x')",
    };
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(world.path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_busy_timeout(db, 5000);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(sqlite3_exec(db, refused[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_fields),
        cmocka_unit_test(tables_are_strict),
        cmocka_unit_test(live_rows_have_an_index),
        cmocka_unit_test(live_means_the_same),
        cmocka_unit_test(append_only),
        cmocka_unit_test(types_are_held),
    };
    return cmocka_run_group_tests_name("store_schema", tests, open_world, close_world);
}
