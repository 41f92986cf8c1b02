/* journal_mem.c - the journal in memory: what a store does, without a disk.
 *
 *   entries: │ 1 │ 2 │ ... │ durable │ ... │ last │      a kill cuts after `durable`
 *   names:   │ text, kind, id │ ...                      each knows the seq with which it was made
 *
 * Tables are folded anew from the entries at each load, so a load here is a replay of effects.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/journal.h"
#include "tests/sim/rows.h"

struct entry {
    struct store_origin origin;
    tide_ms when_ms;
    uint8_t *event, *effects;
    size_t event_len, effects_len;
    uint8_t event_kind;
};

struct name {
    char text[TIDE_SECRET_HASH_BYTES_MAX + 1];
    uint8_t kind;
    tide_id id;
    uint64_t seq; /* of the entry that was open when it was made */
    bool gone;
};

struct memory {
    struct sim_journal base;
    struct entry *entries;
    uint64_t count, durable, room;
    struct name *names;
    size_t name_count, name_room;
    tide_id next_id[TIDE_NAME_KIND_zone_title + 1];
    struct tide_names directory;
};

static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = must(malloc(len > 0 ? len : 1));
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* ---- names --------------------------------------------------------------------------------- */
static struct name *name_of(struct memory *m, enum tide_name_kind kind, const char *text,
                            size_t len)
{
    for (size_t i = 0; i < m->name_count; i++) {
        struct name *name = &m->names[i];
        if (name->kind == kind && !name->gone && strlen(name->text) == len &&
            memcmp(name->text, text, len) == 0)
            return name;
    }
    return NULL;
}

static tide_id names_find(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    struct name *name = name_of(arg, kind, text, len);
    return name != NULL ? name->id : 0;
}

static struct name *name_add(struct memory *m, enum tide_name_kind kind, const char *text,
                             size_t len)
{
    if (m->name_count == m->name_room) {
        m->name_room = m->name_room > 0 ? 2 * m->name_room : 256;
        m->names = must(realloc(m->names, m->name_room * sizeof *m->names));
    }
    struct name *name = &m->names[m->name_count++];
    memset(name, 0, sizeof *name);
    assert(len < sizeof name->text);
    memcpy(name->text, text, len);
    name->kind = (uint8_t)kind;
    name->seq = m->count + 1;
    return name;
}

static tide_id names_make(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    struct memory *m = arg;
    tide_id known = names_find(m, kind, text, len);
    if (known != 0)
        return known;
    struct name *name = name_add(m, kind, text, len);
    name->id = ++m->next_id[kind];
    return name->id;
}

static int names_set(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    struct memory *m = arg;
    for (size_t i = 0; i < m->name_count; i++)
        if (m->names[i].kind == kind && m->names[i].id == id)
            m->names[i].gone = true;
    name_add(m, kind, text, len)->id = id;
    return 0;
}

static const char *names_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    struct memory *m = arg;
    for (size_t i = 0; i < m->name_count; i++)
        if (m->names[i].kind == kind && m->names[i].id == id && !m->names[i].gone)
            return m->names[i].text;
    return NULL;
}

static const struct tide_names *mem_names(struct sim_journal *j)
{
    return &((struct memory *)j)->directory;
}

static bool confusable(char a, char b)
{
    static const char *const groups[] = {"8B", "0DOQ", "1I7", "2Z", "5S"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strchr(groups[i], a) != NULL && strchr(groups[i], b) != NULL)
            return true;
    return false;
}

static bool one_misread_away(const char *a, const char *b)
{
    size_t len = strlen(a), apart = 0;
    if (strlen(b) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (a[i] == b[i])
            continue;
        if (!confusable(a[i], b[i]))
            return false;
        apart++;
    }
    return apart == 1;
}

static unsigned mem_alternates(struct sim_journal *j, tide_id plate,
                               tide_id ret[TIDE_ALTERNATES_MAX])
{
    struct memory *m = (struct memory *)j;
    const char *text = names_text(m, TIDE_NAME_KIND_plate, plate);
    unsigned count = 0;
    for (size_t i = 0; text != NULL && i < m->name_count && count < TIDE_ALTERNATES_MAX; i++) {
        const struct name *name = &m->names[i];
        if (name->kind == TIDE_NAME_KIND_plate && !name->gone && one_misread_away(text, name->text))
            ret[count++] = name->id; /* names lie in the order of their ids */
    }
    return count;
}

static unsigned mem_names_due(struct sim_journal *j, tide_ms now, unsigned cap,
                              struct tide_forgotten *ret)
{
    (void)j, (void)now, (void)cap, (void)ret;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------- */
static enum store_rid mem_find(struct sim_journal *j, const struct store_origin *origin,
                               const uint8_t **ret_effects, size_t *ret_len)
{
    struct memory *m = (struct memory *)j;
    for (uint64_t i = m->count; i > 0; i--) {
        const struct entry *e = &m->entries[i - 1];
        if (e->origin.rid[0] == '\0' || e->origin.user != origin->user ||
            strcmp(e->origin.rid, origin->rid) != 0)
            continue;
        if (memcmp(e->origin.digest, origin->digest, sizeof origin->digest) != 0)
            return STORE_RID_CONFLICT;
        if (i > m->durable)
            return STORE_RID_PENDING;
        *ret_effects = e->effects;
        *ret_len = e->effects_len;
        return STORE_RID_KNOWN;
    }
    return STORE_RID_NEW;
}

static void mem_digest(struct sim_journal *j, const uint8_t *bytes, size_t len, uint8_t ret[16])
{
    (void)j;
    uint64_t a = 0xcbf29ce484222325u, b = 0x84222325cbf29ce4u;
    for (size_t i = 0; i < len; i++) {
        a = (a ^ bytes[i]) * 0x100000001b3u;
        b = (b + bytes[i]) * 0x9e3779b97f4a7c15u;
        b ^= b >> 29;
    }
    memcpy(ret, &a, 8);
    memcpy(ret + 8, &b, 8);
}

static void forget_names(struct memory *m, const uint8_t *effects, size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_PUT || kind != TIDE_REC_forgotten)
            continue;
        for (size_t i = 0; i < m->name_count; i++) {
            struct name *name = &m->names[i];
            bool of_person =
                any.forgotten.kind == TIDE_NAME_KIND_person &&
                (name->kind == TIDE_NAME_KIND_full_name || name->kind == TIDE_NAME_KIND_phone);
            if (name->id == any.forgotten.id && (name->kind == any.forgotten.kind || of_person))
                name->gone = true;
        }
    }
}

static uint64_t mem_add(struct sim_journal *j, const struct store_origin *origin,
                        const struct engine_event *event, const struct engine_effects *effects)
{
    struct memory *m = (struct memory *)j;
    uint8_t packed[TIDE_EVENT_BLOB_BYTES_MAX + 512];
    if (m->count == m->room) {
        m->room = m->room > 0 ? 2 * m->room : 1024;
        m->entries = must(realloc(m->entries, m->room * sizeof *m->entries));
    }
    struct entry *e = &m->entries[m->count];
    memset(e, 0, sizeof *e);
    e->event_len = engine_event_pack(event, packed, sizeof packed);
    assert(e->event_len > 0);
    e->event = copy_of(packed, e->event_len);
    e->effects = copy_of(effects->buf, effects->len);
    e->effects_len = effects->len;
    e->when_ms = event->when_ms;
    e->event_kind = event->kind;
    if (origin != NULL)
        e->origin = *origin;
    return ++m->count;
}

static int mem_commit(struct sim_journal *j, bool hold, sim_released_fn *fn, void *arg)
{
    struct memory *m = (struct memory *)j;
    (void)hold;
    while (m->durable < m->count) {
        const struct entry *e = &m->entries[m->durable++];
        forget_names(m, e->effects, e->effects_len);
        struct store_row row = {.domain = 1,
                                .seq = m->durable,
                                .when_ms = e->when_ms,
                                .origin = &e->origin,
                                .event_kind = e->event_kind,
                                .effects = e->effects,
                                .effects_len = e->effects_len};
        fn(arg, &row);
    }
    return 0;
}

/* ---- death and resurrection ---------------------------------------------------------------- */
static void ignore_row(void *arg, const struct store_row *row)
{
    (void)arg, (void)row;
}

static int mem_kill(struct sim_journal *j, enum sim_kill how)
{
    struct memory *m = (struct memory *)j;
    if (how == SIM_KILL_UNTOLD)
        mem_commit(j, false, ignore_row, NULL);
    for (uint64_t i = m->durable; i < m->count; i++) {
        free(m->entries[i].event);
        free(m->entries[i].effects);
    }
    m->count = m->durable;
    size_t kept = 0;
    for (size_t i = 0; i < m->name_count; i++)
        if (m->names[i].seq <= m->durable)
            m->names[kept++] = m->names[i];
    m->name_count = kept;
    memset(m->next_id, 0, sizeof m->next_id);
    for (size_t i = 0; i < m->name_count; i++)
        if (m->names[i].id > m->next_id[m->names[i].kind])
            m->next_id[m->names[i].kind] = m->names[i].id;
    return 0;
}

static int mem_stop(struct sim_journal *j)
{
    return mem_commit(j, false, ignore_row, NULL);
}

static int mem_start(struct sim_journal *j)
{
    (void)j;
    return 0;
}

static int fold(const struct memory *m, struct sim_rows *rows)
{
    for (uint64_t i = 0; i < m->durable; i++) {
        const struct entry *e = &m->entries[i];
        size_t at = 0;
        enum engine_verb verb;
        unsigned kind;
        union tide_any any;
        while (engine_effect_next(e->effects, e->effects_len, &at, &verb, &kind, &any)) {
            if (verb == ENGINE_PUT)
                sim_rows_put(rows, kind, &any);
            else if (verb == ENGINE_DEL)
                sim_rows_del(rows, kind, &any);
        }
        if (at != e->effects_len)
            return -1;
    }
    return 0;
}

static int mem_load(struct sim_journal *j, struct engine *engine, struct store_position *ret)
{
    struct memory *m = (struct memory *)j;
    struct sim_rows *rows = sim_rows_new();
    tide_ms when = m->durable > 0 ? m->entries[m->durable - 1].when_ms : 0;
    int rc = fold(m, rows);
    for (unsigned kind = 1; rc == 0 && kind < 100; kind++) {
        uint32_t cursor = 0;
        const union tide_any *row;
        while (rc == 0 && (row = sim_rows_next(rows, kind, &cursor)) != NULL)
            if (engine_row_is_live(kind, row))
                rc = engine_load(engine, kind, row);
    }
    sim_rows_free(rows);
    if (rc == 0 && m->durable > 0)
        rc = engine_load_end(engine, when);
    if (rc == 0)
        *ret = (struct store_position){
            .seq = m->durable, .when_ms = when, .incarnation = 1, .rules = ENGINE_RULES};
    return rc;
}

static const char *mem_folder(struct sim_journal *j)
{
    (void)j;
    return NULL;
}

static int mem_verify(struct sim_journal *j, const struct engine_limits *limits, char *why,
                      size_t why_cap)
{
    (void)j, (void)limits, (void)why, (void)why_cap;
    return 0; /* the run re-decides every event in any case */
}

static void mem_free(struct sim_journal *j)
{
    struct memory *m = (struct memory *)j;
    for (uint64_t i = 0; i < m->count; i++) {
        free(m->entries[i].event);
        free(m->entries[i].effects);
    }
    free(m->entries);
    free(m->names);
    free(m);
}

static const struct sim_journal_ops memory_ops = {.find = mem_find,
                                                  .digest = mem_digest,
                                                  .add = mem_add,
                                                  .commit = mem_commit,
                                                  .kill = mem_kill,
                                                  .stop = mem_stop,
                                                  .start = mem_start,
                                                  .load = mem_load,
                                                  .names = mem_names,
                                                  .alternates = mem_alternates,
                                                  .names_due = mem_names_due,
                                                  .folder = mem_folder,
                                                  .verify = mem_verify,
                                                  .free = mem_free};

struct sim_journal *sim_journal_memory(void)
{
    struct memory *m = must(calloc(1, sizeof *m));
    m->base.ops = &memory_ops;
    m->directory = (struct tide_names){
        .arg = m, .find = names_find, .make = names_make, .set = names_set, .text = names_text};
    return &m->base;
}
