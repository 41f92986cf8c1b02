/* fuzz_store.c - what a database may hold, byte by byte, as the store reads it at a start.
 *
 *   o<bytes>   an origin of the journal        t<bytes>   the effects of the journal's last row
 *   f<text>    the list of the forgotten       r<kind><8 bytes a column>   a row of a table
 *
 * Each on a database in memory, rolled back afterwards. Properties: a start ends well or says what
 * is wrong; an origin packs as it was; the list forgets whom it names with his salt, no other. */
#include <stdio.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/world.h"

static sqlite3 *db;

static void run(const char *text)
{
    if (store_sql_run(db, text) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(db));
        fuzz_fail("the database in memory works");
    }
}

static void make_db(void)
{
    char why[256] = "";
    if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
        store_schema_migrate(db, why, sizeof why) != STORE_OK)
        fuzz_fail("there is a database");
    run("INSERT INTO domain VALUES(1,'home')");
    run("INSERT INTO name VALUES(1,1,7,'浙FA1234',x'000102030405060708090a0b0c0d0e0f',0)");
    run("INSERT INTO name VALUES(1,6,2,'陈明',x'101112131415161718191a1b1c1d1e1f',0)");
}

static void load(void)
{
    struct store_position position = {.seq = 0};
    enum store_error error = store_load_engine(db, 1, fuzz_engine_empty(), &position);
    if (error != STORE_OK && error != STORE_CORRUPT && error != STORE_LIMIT) {
        fprintf(stderr, "%s\n", store_error_name(error));
        fuzz_fail("a start ends well or says what is wrong");
    }
}

static void take_tail(const uint8_t *bytes, size_t len)
{
    sqlite3_stmt *insert =
        store_sql_prepare(db, "INSERT INTO journal VALUES(1,1,1558303200000,1,NULL,x'00',?1)");
    sqlite3_bind_blob64(insert, 1, bytes, len, SQLITE_STATIC);
    if (store_sql_once(insert) != SQLITE_OK)
        fuzz_fail("the journal takes a row");
    store_sql_finalize(insert);
    load();
}

static void take_row(const uint8_t *bytes, size_t len)
{
    const struct tide_record *desc = len > 0 ? tide_record_of(bytes[0]) : NULL;
    if (desc == NULL || store_table_live(desc->kind) == NULL)
        return;
    sqlite3_stmt *insert = store_table_put(db, desc);
    if (insert == NULL)
        return; /* an event has no table */
    sqlite3_bind_int64(insert, 1, 1);
    for (unsigned i = 0; i < desc->field_count; i++) {
        int64_t value = 0;
        if (1 + (i + 1) * sizeof value <= len)
            memcpy(&value, bytes + 1 + i * sizeof value, sizeof value);
        sqlite3_bind_int64(insert, (int)i + 2, value);
    }
    int code = store_sql_once(insert);
    store_sql_finalize(insert);
    if (code == SQLITE_OK)
        load();
}

static void take_origin(const uint8_t *bytes, size_t len)
{
    struct store_origin origin;
    uint8_t packed[STORE_ORIGIN_BYTES_MAX];
    if (!store_origin_unpack(bytes, len, &origin))
        return;
    if (strnlen(origin.rid, sizeof origin.rid) > TIDE_RID_BYTES_MAX)
        fuzz_fail("a rid ends");
    size_t used = store_origin_pack(&origin, packed);
    if (memchr(bytes + 28, '\0', len - 28) == NULL &&
        (used != len || memcmp(packed, bytes, len) != 0))
        fuzz_fail("an origin packs as it was");
}

static void take_list(const uint8_t *bytes, size_t len)
{
    uint64_t count = 0;
    if (store_namerows_reapply(db, fuzz_file(bytes, len), &count) != STORE_OK)
        fuzz_fail("a list can be read whatever it says");
    int64_t left = store_sql_number(db, "SELECT count(*) FROM name", -1);
    if (left < 0 || (uint64_t)left + count < 2)
        fuzz_fail("who was forgotten was counted");
    static const char digest_7[] =
        "be45cb2605bf36bebde684841a28f0fd43c69850a3dce5fedba69928ee3a8991";
    bool named = memmem(bytes, len, digest_7, 64) != NULL;
    if (!named && store_sql_number(db, "SELECT count(*) FROM name WHERE id=7", -1) != 1)
        fuzz_fail("nobody is forgotten without his salt");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char letter;
        void (*take)(const uint8_t *bytes, size_t len);
    } ways[] = {{'o', take_origin}, {'t', take_tail}, {'r', take_row}, {'f', take_list}};
    if (db == NULL)
        make_db();
    for (size_t i = 0; size > 0 && i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].letter != (char)data[0])
            continue;
        run("SAVEPOINT one");
        ways[i].take(data + 1, size - 1);
        run("ROLLBACK TO one");
        run("RELEASE one");
    }
    return 0;
}
