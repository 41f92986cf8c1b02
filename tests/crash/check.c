/* check.c - what must hold when a store comes back (life.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "tests/crash/life.h"
#include "tests/sim/auditor.h"
#include "tests/sim/script.h"

/* ---- of an open store ------------------------------------------------------------------------ */
static struct engine *engine_new(void)
{
    static void *memory;
    struct engine_limits limits;
    script_limits(&limits);
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    if (memory == NULL)
        memory = aligned_alloc(64, size);
    if (memory == NULL)
        abort();
    return engine_init(memory, size, &limits);
}

/* Nothing told is missing; of what was given all is there, or nothing. */
static bool check_position(struct life *life, uint32_t domain, uint64_t seq)
{
    bool held = seq == life->told || seq == life->given;
    if (life->restoring && seq == life->copied)
        held = true;
    if (!held)
        life_wrong(life, "domain %u: told %llu, given %llu, there are %llu", domain,
                   (unsigned long long)life->told, (unsigned long long)life->given,
                   (unsigned long long)seq);
    if (store_durable_seq(life->store, domain) != seq || store_last_seq(life->store, domain) != seq)
        life_wrong(life, "domain %u: the store counts otherwise", domain);
    return life->why[0] == '\0';
}

static void check_rid(struct life *life, uint32_t domain, const struct act *act, bool there)
{
    struct store_origin origin;
    const uint8_t *effects = NULL;
    size_t len = 0;
    life_origin(life, act, &origin);
    enum store_rid found = store_rid_find(life->store, domain, &origin, &effects, &len);
    if (found == STORE_RID_NEW && (!there || life->story->old_requests))
        return;
    if (found == STORE_RID_PENDING && life->spoilt)
        return; /* it cannot be read just now */
    if (found != STORE_RID_KNOWN || !there)
        life_wrong(life, "request %llu of domain %u is %s and the store says %d",
                   (unsigned long long)act->seq, domain, there ? "there" : "not there", (int)found);
    else if (len != act->effects_len || memcmp(effects, act->effects, len) != 0)
        life_wrong(life, "request %llu of domain %u has another answer",
                   (unsigned long long)act->seq, domain);
}

static bool is_gone(const struct tape *tape, const char *text)
{
    for (unsigned i = 0; i < tape->gone_count; i++)
        if (strcmp(tape->gone[i].text, text) == 0)
            return true;
    return false;
}

static void check_name(struct life *life, uint32_t domain, const struct act *act)
{
    const struct tide_names *names = store_names(life->store, domain);
    const char *text = names->text(names->arg, act->name_kind, act->name_id);
    if (text == NULL || (act->kind == ACT_NAME && strcmp(text, act->text) != 0))
        life_wrong(life, "the name %s of domain %u is %s", act->text, domain,
                   text != NULL ? text : "lost");
}

bool life_promises(struct life *life)
{
    uint64_t there = 0;
    for (unsigned d = 0; d < life->domain_count; d++) {
        uint32_t domain = life->domains[d];
        struct store_position position = {0};
        enum store_error error = store_load(life->store, domain, engine_new(), &position);
        if (error != STORE_OK) {
            life->error = error;
            return false;
        }
        if (!check_position(life, domain, position.seq))
            return false;
        if (d > 0 && position.seq != there)
            life_wrong(life, "a batch is in one domain and not in the other");
        there = position.seq;
        for (unsigned i = 0; i < life->tape->count; i++) {
            const struct act *act = &life->tape->acts[i];
            bool is = act->seq <= there;
            if (act->kind == ACT_EVENT && act->asked)
                check_rid(life, domain, act, is);
            if (is && (act->kind == ACT_NAME || act->kind == ACT_SET) &&
                !is_gone(life->tape, act->text))
                check_name(life, domain, act);
        }
    }
    life->told = life->given = there;
    return life->why[0] == '\0';
}

/* ---- of the whole, closed -------------------------------------------------------------------- */
static void check_verify(struct life *life, const char *path, uint64_t events)
{
    struct engine_limits limits;
    struct store_report report = {0};
    script_limits(&limits);
    enum store_error error = store_verify(path, &limits, NULL, NULL, &report);
    if (error != STORE_OK)
        life_wrong(life, "%s cannot be verified: %s", path, store_error_name(error));
    else if (report.faults > 0)
        life_wrong(life, "%s: %llu faults, the first: %s", path, (unsigned long long)report.faults,
                   report.first_fault);
    else if (events > 0 && report.events != events)
        life_wrong(life, "%s: %llu events", path, (unsigned long long)report.events);
    else if (events > 0 && memcmp(report.digest, life->tape->digest, sizeof report.digest) != 0)
        life_wrong(life, "%s: not the engine that never crashed", path);
}

static void check_audit(struct life *life)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        abort();
    int verdict = audit_database(LIFE_PATH, out);
    (void)fclose(out);
    if (verdict != 0)
        life_wrong(life, "the auditor: %s", text);
    free(text);
}

static void check_gone(struct life *life)
{
    const char *name = NULL;
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(LIFE_PATH, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        store_sql_number(db, "SELECT count(*) FROM meta WHERE key='" STORE_META_WIPE "'", 1) != 0)
        life_wrong(life, "a text went away and its table was never scrubbed");
    sqlite3_close(db);
    for (unsigned i = 0; i < life->tape->gone_count; i++)
        if (disk_search(life->tape->gone[i].text, strlen(life->tape->gone[i].text), &name) > 0)
            life_wrong(life, "%s is forgotten and stands in %s", life->tape->gone[i].text, name);
}

static void check_engine(struct life *life)
{
    uint8_t digest[32];
    struct store_position position;
    for (unsigned i = 0; i < life->domain_count; i++) {
        struct engine *engine = engine_new();
        if (store_load(life->store, life->domains[i], engine, &position) != STORE_OK) {
            life_wrong(life, "the engine cannot be loaded at the end");
            return;
        }
        engine_digest(engine, digest);
        if (memcmp(digest, life->tape->digest, sizeof digest) != 0)
            life_wrong(life, "loaded at the end: not the engine that never crashed");
    }
}

bool life_finish(struct life *life)
{
    life->act = life->tape->count;
    if (!life_resend(life))
        return false;
    check_engine(life);
    life->store = life->batch != NULL
                      ? (store_batch_release(life->store, life->batch), store_close(life->store))
                      : store_close(life->store);
    life->batch = NULL;
    check_verify(life, LIFE_PATH, life->domain_count * life->tape->events);
    check_audit(life);
    if (disk_has(LIFE_COPY)) {
        check_verify(life, LIFE_COPY, 0);
        (void)disk_remove(LIFE_COPY); /* it may hold what was forgotten after it */
    }
    check_gone(life);
    return life->why[0] == '\0';
}

bool life_recover(struct life *life)
{
    if (life_open(life) && life_promises(life) && life_finish(life))
        return true;
    if (life->why[0] == '\0')
        life_wrong(life, "does not come back: %s, %s", store_error_name(life->error), life->said);
    return false;
}
