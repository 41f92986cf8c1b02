/* upgrade.c - see upgrade.h. */
#include "tests/crash/upgrade.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "tests/crash/fail.h"
#include "tests/crash/life.h"
#include "tests/sim/script.h"

#define GOLDEN "tests/sim/golden/schema-%u.db"

struct facts { /* of a database: what no migration may change */
    uint64_t rows, hash, names, rids;
};

/* ---- files ----------------------------------------------------------------------------------- */
static bool bring(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct disk_file *to = NULL;
    uint8_t page[4096];
    size_t got = 0, wrote = 0;
    uint64_t at = 0;
    disk_format();
    if (file == NULL || disk_open(LIFE_PATH, O_CREAT, &to) != 0)
        return false;
    while ((got = fread(page, 1, sizeof page, file)) > 0) {
        (void)disk_write(to, page, got, at, &wrote);
        at += got;
    }
    (void)fclose(file);
    bool ok = at > 0 && disk_sync(to) == 0 && disk_sync_folder() == 0;
    disk_close(to);
    return ok;
}

int upgrade_write(const char *path)
{
    struct tape tape;
    struct life life;
    char why[2048];
    unsigned i = 0;
    while (i + 1 < story_count && strcmp(stories[i].name, "long_day") != 0)
        i++;
    if (!tape_record(&tape, stories[i].text, why, sizeof why) ||
        !life_prepare(&life, &stories[i], &tape))
        return -1;
    life_begin(&life);
    bool ok = life_open(&life) && life_play(&life);
    life_shut(&life);
    FILE *file = fopen(path, "wb");
    struct disk_file *from = NULL;
    uint8_t page[4096];
    size_t got = 0;
    ok = ok && file != NULL && disk_open(LIFE_PATH, 0, &from) == 0;
    for (uint64_t at = 0; ok && at < disk_size(from); at += got)
        ok = disk_read(from, page, sizeof page, at, &got) == 0 && fwrite(page, 1, got, file) == got;
    if (from != NULL)
        disk_close(from);
    if (file != NULL && fclose(file) != 0)
        ok = false;
    life_done(&life);
    tape_done(&tape);
    return ok ? 0 : -1;
}

/* ---- facts ----------------------------------------------------------------------------------- */
static void take(struct facts *facts, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        facts->hash = (facts->hash ^ at[i]) * 1099511628211u; /* FNV-1a */
}

/* Reads them with SQLite alone. */
static bool read_facts(struct facts *ret)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    *ret = (struct facts){.hash = 14695981039346656037u};
    bool ok = sqlite3_open_v2(LIFE_PATH, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(db,
                                 "SELECT domain, seq, when_ms, rules, origin, event, effects FROM"
                                 " journal ORDER BY domain, seq",
                                 -1, &rows, NULL) == SQLITE_OK;
    while (ok && sqlite3_step(rows) == SQLITE_ROW) {
        ret->rows++;
        for (int i = 0; i < 7; i++)
            take(ret, sqlite3_column_blob(rows, i), (size_t)sqlite3_column_bytes(rows, i));
    }
    sqlite3_finalize(rows);
    if (ok) {
        ret->names = (uint64_t)store_sql_number(db, "SELECT count(*) FROM name", 0);
        ret->rids = (uint64_t)store_sql_number(
            db, "SELECT count(*) FROM journal WHERE origin IS NOT NULL", 0);
    }
    sqlite3_close(db);
    return ok && ret->rows > 0;
}

/* ---- opening --------------------------------------------------------------------------------- */
static struct story one_day = {.name = "golden", .text = "", .domains = 1};
static struct tape no_tape;

static void nothing(struct life *life)
{
    memset(life, 0, sizeof *life);
    life->story = &one_day;
    life->tape = &no_tape;
    life->copied = UINT64_MAX;
}

/* The head opens it: whole, an engine loads, the journal is what it was, fold and re-decide find no
 * fault. */
static bool whole(struct life *life, const struct facts *before)
{
    struct engine_limits limits;
    struct store_report report = {0};
    struct store_position position;
    struct facts after;
    script_limits(&limits);
    if (!life_open(life)) {
        life_wrong(life, "does not open: %s, %s", store_error_name(life->error), life->said);
        return false;
    }
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    if (memory == NULL ||
        store_load(life->store, life->domains[0], engine_init(memory, size, &limits), &position) !=
            STORE_OK ||
        position.seq != before->rows)
        life_wrong(life, "no engine comes of it");
    free(memory);
    life_shut(life);
    enum store_error error = store_verify(LIFE_PATH, &limits, NULL, NULL, &report);
    if (error != STORE_OK || report.faults > 0)
        life_wrong(life, "verify: %s %s", store_error_name(error), report.first_fault);
    if (!read_facts(&after) || memcmp(&after, before, sizeof after) != 0)
        life_wrong(life, "the journal, the names or the requests are not what they were");
    return life->why[0] == '\0';
}

static bool cut_at(const struct disk_image *image, const struct facts *before, uint32_t at,
                   bool *ret_struck)
{
    const struct disk_plan sound = {.fault = DISK_SOUND};
    const struct disk_plan cut = {.fault = DISK_CUT, .at = at, .mask = DISK_CHANGES};
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct life life;
        nothing(&life);
        disk_load(image);
        disk_plan(&cut);
        if (life_open(&life))
            life_shut(&life);
        *ret_struck = disk_struck();
        life_kill(&life);
        disk_power(seed * 13 + at);
        disk_plan(&sound);
        nothing(&life);
        if (!whole(&life, before)) {
            printf("# cut at %u, seed %u: %s\n", at, (unsigned)seed, life.why);
            return false;
        }
    }
    return true;
}

/* ---- refusals -------------------------------------------------------------------------------- */
static bool refused(const struct disk_image *image, const char *change, const char *words)
{
    sqlite3 *db = NULL;
    struct life life;
    nothing(&life);
    disk_load(image);
    bool ok = sqlite3_open_v2(LIFE_PATH, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
              sqlite3_exec(db, change, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    struct facts before, after;
    ok = ok && read_facts(&before);
    if (life_open(&life)) {
        life_shut(&life);
        ok = false;
    }
    ok = ok && life.error == STORE_VERSION && strstr(life.said, words) != NULL &&
         read_facts(&after) && memcmp(&before, &after, sizeof after) == 0;
    if (!ok)
        printf("# %s: %s, %s\n", change, store_error_name(life.error), life.said);
    return ok;
}

static bool refusals(const struct disk_image *image)
{
    char newer[64];
    (void)snprintf(newer, sizeof newer, "PRAGMA user_version=%d", STORE_SCHEMA + 1);
    return refused(image, newer, "newer Tide") &&
           refused(image, "PRAGMA application_id=7", "another program");
}

/* ---- all of them ----------------------------------------------------------------------------- */
static bool upgrade_one(const char *path, uint32_t *ret_points)
{
    struct facts before;
    struct life life;
    bool struck = true;
    nothing(&life);
    if (!bring(path) || !read_facts(&before))
        return false;
    struct disk_image *image = disk_save();
    bool ok = whole(&life, &before);
    if (!ok)
        printf("# %s\n", life.why);
    uint32_t at = 1;
    for (; ok && struck && at < 5000; at++)
        ok = cut_at(image, &before, at, &struck);
    ok = refusals(image) && ok;
    *ret_points = at - 1;
    disk_forget(image);
    disk_format();
    return ok;
}

unsigned upgrade_play(void)
{
    unsigned bad = 0;
    for (unsigned version = 1; version <= STORE_SCHEMA; version++) {
        char path[64];
        uint32_t points = 0;
        (void)snprintf(path, sizeof path, GOLDEN, version);
        bool ok = upgrade_one(path, &points);
        printf("%s schema %u%s cut at each of %u calls; a newer and a foreign one are refused\n",
               ok ? "ok" : "not ok", version, ok ? " -" : ":", points);
        bad += !ok;
    }
    return bad;
}
