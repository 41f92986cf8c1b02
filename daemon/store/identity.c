/* identity.c - the directory of one domain: words of the wire to ids and back, in memory.
 *
 *   kind plate:   slots (hash, id)        texts by id       forget_at by id (plates alone)
 *                 │ 7c01.. │ 2 │ ────►  1 │ 浙F12345 │       │ 0            │ a vehicle's
 *                 │        │   │        2 │ 浙F88888 │       │ 1558310400000│ a stranger's
 *                 │ 03aa.. │ 1 │        3 │ (forgotten)      │ 0            │
 *
 * Kinds up to `lane` have ids of their own, gapless in the order in which names first came, never
 * given twice. The kinds after it (full_name, phone, ...) hang on the id of another kind and are
 * not looked up by text. What changes is also noted in store->staged and goes to disk with the
 * batch that is being filled. The loop's alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

#define OWN_IDS_MAX TIDE_NAME_KIND_lane
#define UNSETTLED (-1) /* forget_at of a plate made since the last commit */

struct slot {
    uint32_t hash, id; /* id 0: empty */
};

struct kind_names {
    char **texts; /* by id; NULL: unknown or forgotten */
    tide_ms *forget_at;
    uint32_t cap;  /* of texts */
    uint32_t next; /* the id that the next new name gets */
    struct slot *slots;
    uint32_t used, mask;
};

struct store_identity {
    struct store *store;
    uint32_t domain, names_max, count;
    uint32_t due_at; /* where store_names_due goes on */
    struct kind_names kinds[STORE_NAME_KINDS];
    struct tide_names face;
};

static bool has_own_ids(unsigned kind)
{
    return kind >= TIDE_NAME_KIND_plate && kind <= OWN_IDS_MAX;
}

static uint32_t hash_of(const struct store_identity *identity, const char *text, size_t len)
{
    return (uint32_t)store_hash(&identity->store->hash_key, text, len);
}

/* ---- texts by id ----------------------------------------------------------------------------- */
static bool reserve(struct kind_names *names, unsigned kind, uint32_t id)
{
    if (id < names->cap)
        return true;
    uint32_t cap = names->cap == 0 ? 64 : names->cap;
    while (cap <= id)
        cap *= 2;
    char **texts = realloc(names->texts, cap * sizeof *texts);
    if (texts == NULL)
        return false;
    memset(texts + names->cap, 0, (cap - names->cap) * sizeof *texts);
    names->texts = texts;
    if (kind == TIDE_NAME_KIND_plate) {
        tide_ms *times = realloc(names->forget_at, cap * sizeof *times);
        if (times == NULL)
            return false;
        memset(times + names->cap, 0, (cap - names->cap) * sizeof *times);
        names->forget_at = times;
    }
    names->cap = cap;
    return true;
}

static void text_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* ---- ids by text ----------------------------------------------------------------------------- */
static bool slots_grow(struct kind_names *names)
{
    uint32_t cap = names->slots == NULL ? 64 : (names->mask + 1) * 2;
    struct slot *slots = calloc(cap, sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; names->slots != NULL && i <= names->mask; i++) {
        if (names->slots[i].id == 0)
            continue;
        uint32_t at = names->slots[i].hash & (cap - 1);
        while (slots[at].id != 0)
            at = (at + 1) & (cap - 1);
        slots[at] = names->slots[i];
    }
    free(names->slots);
    names->slots = slots;
    names->mask = cap - 1;
    return true;
}

static bool slots_add(struct kind_names *names, uint32_t hash, uint32_t id)
{
    if ((names->slots == NULL || (names->used + 1) * 4ull > (names->mask + 1ull) * 3) &&
        !slots_grow(names))
        return false;
    uint32_t at = hash & names->mask;
    while (names->slots[at].id != 0)
        at = (at + 1) & names->mask;
    names->slots[at] = (struct slot){hash, id};
    names->used++;
    return true;
}

static void slots_drop(struct kind_names *names, uint32_t hash, uint32_t id)
{
    uint32_t at = hash & names->mask;
    while (names->slots[at].id != id) {
        assert(names->slots[at].id != 0);
        at = (at + 1) & names->mask;
    }
    names->used--;
    for (uint32_t gap = at;;) { /* close the gap: no slot may stand behind an empty one */
        names->slots[gap].id = 0;
        for (;;) {
            at = (at + 1) & names->mask;
            if (names->slots[at].id == 0)
                return;
            uint32_t home = names->slots[at].hash & names->mask;
            if (((at - home) & names->mask) >= ((at - gap) & names->mask))
                break;
        }
        names->slots[gap] = names->slots[at];
        gap = at;
    }
}

static tide_id find_in(const struct kind_names *names, uint32_t hash, const char *text, size_t len)
{
    if (names->slots == NULL)
        return 0;
    for (uint32_t at = hash & names->mask; names->slots[at].id != 0; at = (at + 1) & names->mask) {
        const char *known = names->texts[names->slots[at].id];
        if (names->slots[at].hash == hash && strncmp(known, text, len) == 0 && known[len] == '\0')
            return names->slots[at].id;
    }
    return 0;
}

/* ---- the face -------------------------------------------------------------------------------- */
static bool is_text(const char *text, size_t len, size_t max)
{
    return len > 0 && len <= max && memchr(text, '\0', len) == NULL;
}

static tide_id face_find(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    struct store_identity *identity = arg;
    if (!has_own_ids(kind) || !is_text(text, len, TIDE_NAME_BYTES_MAX))
        return 0;
    return find_in(&identity->kinds[kind], hash_of(identity, text, len), text, len);
}

static bool put_text(struct store_identity *identity, unsigned kind, tide_id id, const char *text,
                     size_t len)
{
    struct kind_names *names = &identity->kinds[kind];
    if (!reserve(names, kind, id))
        return false;
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (names->texts[id] == NULL)
        identity->count++;
    text_free(names->texts[id]);
    names->texts[id] = copy;
    return true;
}

static bool stage(struct store_identity *identity, enum store_change_op op, unsigned kind,
                  tide_id id, const char *text, size_t len, tide_ms forget_at)
{
    struct store_change change = {.op = (uint8_t)op,
                                  .kind = (uint8_t)kind,
                                  .len = (uint16_t)len,
                                  .domain = identity->domain,
                                  .id = id,
                                  .forget_at = forget_at};
    return store_changes_add(&identity->store->staged, &change, text);
}

static void unput_text(struct store_identity *identity, unsigned kind, tide_id id)
{
    struct kind_names *names = &identity->kinds[kind];
    text_free(names->texts[id]);
    names->texts[id] = NULL;
    identity->count--;
}

static tide_id face_make(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    struct store_identity *identity = arg;
    if (!has_own_ids(kind) || !is_text(text, len, TIDE_NAME_BYTES_MAX))
        return 0;
    struct kind_names *names = &identity->kinds[kind];
    uint32_t hash = hash_of(identity, text, len);
    tide_id id = find_in(names, hash, text, len);
    if (id != 0)
        return id;
    if (identity->count >= identity->names_max || names->next == UINT32_MAX)
        return 0;
    id = names->next;
    if (!put_text(identity, kind, id, text, len))
        return 0;
    if (!slots_add(names, hash, id)) {
        unput_text(identity, kind, id);
        return 0;
    }
    if (!stage(identity, STORE_CHANGE_MAKE, kind, id, text, len, 0)) {
        slots_drop(names, hash, id);
        unput_text(identity, kind, id);
        return 0;
    }
    names->next++;
    if (kind == TIDE_NAME_KIND_plate)
        names->forget_at[id] = UNSETTLED;
    return id;
}

static int face_set(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    struct store_identity *identity = arg;
    unsigned k = kind;
    if (has_own_ids(k) || k == TIDE_NAME_KIND_none || k >= STORE_NAME_KINDS || id == 0 ||
        !is_text(text, len, TIDE_TEXT_BYTES_MAX))
        return -1;
    const struct kind_names *names = &identity->kinds[k];
    bool known = id < names->cap && names->texts[id] != NULL;
    if (!known && (identity->count >= identity->names_max || id > identity->names_max * 4ull))
        return -1;
    if (!stage(identity, STORE_CHANGE_SET, k, id, text, len, 0))
        return -1;
    if (put_text(identity, k, id, text, len))
        return 0;
    identity->store->staged.count--;
    return -1;
}

static const char *face_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    const struct store_identity *identity = arg;
    unsigned k = kind;
    return k < STORE_NAME_KINDS && id < identity->kinds[k].cap ? identity->kinds[k].texts[id]
                                                               : NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */
static void clear(struct store_identity *identity)
{
    for (unsigned kind = 0; kind < STORE_NAME_KINDS; kind++) {
        struct kind_names *names = &identity->kinds[kind];
        for (uint32_t id = 0; id < names->cap; id++)
            text_free(names->texts[id]);
        free(names->texts);
        free(names->forget_at);
        free(names->slots);
        memset(names, 0, sizeof *names);
        names->next = 1;
    }
    identity->count = 0;
    identity->due_at = 0;
}

struct store_identity *store_identity_new(struct store *store, uint32_t domain, uint32_t names_max)
{
    struct store_identity *identity = calloc(1, sizeof *identity);
    if (identity == NULL)
        return NULL;
    identity->store = store;
    identity->domain = domain;
    identity->names_max = names_max;
    clear(identity);
    identity->face = (struct tide_names){
        .arg = identity, .find = face_find, .make = face_make, .set = face_set, .text = face_text};
    return identity;
}

struct store_identity *store_identity_free(struct store_identity *identity)
{
    if (identity != NULL)
        clear(identity);
    free(identity);
    return NULL;
}

const struct tide_names *store_identity_face(const struct store_identity *identity)
{
    return &identity->face;
}

uint32_t store_identity_count(const struct store_identity *identity)
{
    return identity->count;
}

/* ---- loading --------------------------------------------------------------------------------- */
static enum store_error load_row(struct store_identity *identity, sqlite3_stmt *row)
{
    int64_t kind = sqlite3_column_int64(row, 0), id = sqlite3_column_int64(row, 1);
    const char *text = (const char *)sqlite3_column_text(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    if (kind <= 0 || kind >= STORE_NAME_KINDS || id <= 0 || id >= UINT32_MAX || text == NULL)
        return STORE_CORRUPT;
    struct kind_names *names = &identity->kinds[kind];
    if (!put_text(identity, (unsigned)kind, (tide_id)id, text, len))
        return STORE_LIMIT;
    if (has_own_ids((unsigned)kind)) {
        if (!slots_add(names, hash_of(identity, text, len), (uint32_t)id))
            return STORE_LIMIT;
        if (id >= names->next)
            names->next = (uint32_t)id + 1;
    }
    if (kind == TIDE_NAME_KIND_plate)
        names->forget_at[id] = sqlite3_column_int64(row, 3);
    return STORE_OK;
}

static enum store_error load_next(struct store_identity *identity, sqlite3_stmt *row)
{
    int64_t kind = sqlite3_column_int64(row, 0), next = sqlite3_column_int64(row, 1);
    if (!has_own_ids((unsigned)kind) || next <= 0 || next > UINT32_MAX)
        return STORE_CORRUPT;
    identity->kinds[kind].next = (uint32_t)next;
    return STORE_OK;
}

static enum store_error load_all(struct store_identity *identity, sqlite3 *db, const char *text,
                                 enum store_error (*take)(struct store_identity *, sqlite3_stmt *))
{
    sqlite3_stmt *statement = store_sql_prepare(db, text);
    if (statement == NULL)
        return store_sql_error(db, sqlite3_extended_errcode(db));
    sqlite3_bind_int64(statement, 1, identity->domain);
    enum store_error error = STORE_OK;
    int code = SQLITE_ROW;
    while (error == STORE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        error = take(identity, statement);
    if (error == STORE_OK)
        error = store_sql_error(db, code);
    store_sql_finalize(statement);
    return error;
}

enum store_error store_identity_load(struct store_identity *identity, sqlite3 *db)
{
    clear(identity);
    enum store_error error = load_all(
        identity, db, "SELECT kind, id, text, forget_at FROM name WHERE domain=?1", load_row);
    if (error == STORE_OK)
        error =
            load_all(identity, db, "SELECT kind, next FROM name_next WHERE domain=?1", load_next);
    return error;
}

/* ---- forgetting ------------------------------------------------------------------------------ */
void store_identity_forget(struct store_identity *identity, unsigned kind, tide_id id)
{
    if (kind == 0 || kind >= STORE_NAME_KINDS || face_text(identity, kind, id) == NULL)
        return;
    struct kind_names *names = &identity->kinds[kind];
    if (has_own_ids(kind))
        slots_drop(names, hash_of(identity, names->texts[id], strlen(names->texts[id])), id);
    unput_text(identity, kind, id);
    if (kind == TIDE_NAME_KIND_plate)
        names->forget_at[id] = 0;
    if (!stage(identity, STORE_CHANGE_FORGET, kind, id, NULL, 0, 0))
        identity->store->staged.lost = true; /* the commit fails; a new start goes on before it */
}

void store_identity_keep(struct store_identity *identity, tide_id plate, tide_ms forget_at)
{
    struct kind_names *names = &identity->kinds[TIDE_NAME_KIND_plate];
    if (face_text(identity, TIDE_NAME_KIND_plate, plate) == NULL ||
        names->forget_at[plate] == forget_at)
        return;
    names->forget_at[plate] = forget_at;
    stage(identity, STORE_CHANGE_KEEP, TIDE_NAME_KIND_plate, plate, NULL, 0, forget_at);
}

void store_identity_settle(struct store_identity *identity, struct store_changes *changes,
                           uint32_t domain, tide_ms forget_at)
{
    struct kind_names *names = &identity->kinds[TIDE_NAME_KIND_plate];
    for (uint32_t i = 0; i < changes->count; i++) {
        struct store_change *change = &changes->items[i];
        if (change->domain != domain || change->op != STORE_CHANGE_MAKE ||
            change->kind != TIDE_NAME_KIND_plate)
            continue;
        if (names->forget_at[change->id] == UNSETTLED)
            names->forget_at[change->id] = forget_at;
        change->forget_at = names->forget_at[change->id];
    }
}

#define DUE_LOOKED_AT_MAX 65536 /* plates a call, so that a call is short */

unsigned store_names_due(struct store *store, uint32_t domain, tide_ms now, unsigned cap,
                         struct tide_forgotten *ret)
{
    if (domain == 0 || domain >= STORE_DOMAIN_SLOTS || store->domains[domain].identity == NULL)
        return 0;
    struct store_identity *identity = store->domains[domain].identity;
    const struct kind_names *names = &identity->kinds[TIDE_NAME_KIND_plate];
    unsigned found = 0;
    uint32_t looked = names->next < DUE_LOOKED_AT_MAX ? names->next : DUE_LOOKED_AT_MAX;
    for (; looked > 0 && found < cap; looked--) {
        if (++identity->due_at >= names->next)
            identity->due_at = 0;
        uint32_t id = identity->due_at;
        if (id == 0 || id >= names->cap || names->texts[id] == NULL)
            continue;
        tide_ms at = names->forget_at[id];
        if (at > 0 && at <= now)
            ret[found++] =
                (struct tide_forgotten){.kind = TIDE_NAME_KIND_plate, .id = id, .at_ms = at};
    }
    return found;
}

/* ---- misread plates -------------------------------------------------------------------------- */
static const char *const confusable[] = {"8B", "0DOQ", "17I", "2Z", "5S"};

static const char *confusable_with(char c)
{
    for (size_t i = 0; c != '\0' && i < sizeof confusable / sizeof *confusable; i++)
        if (strchr(confusable[i], c) != NULL)
            return confusable[i];
    return "";
}

static unsigned insert_sorted(tide_id *ids, unsigned count, tide_id id)
{
    unsigned at = 0;
    while (at < count && ids[at] < id)
        at++;
    if (at == TIDE_ALTERNATES_MAX || (at < count && ids[at] == id))
        return count;
    unsigned kept = count < TIDE_ALTERNATES_MAX ? count : TIDE_ALTERNATES_MAX - 1;
    memmove(ids + at + 1, ids + at, (kept - at) * sizeof *ids);
    ids[at] = id;
    return kept + 1;
}

unsigned store_plate_alternates(struct store *store, uint32_t domain, tide_id plate,
                                tide_id ret[TIDE_ALTERNATES_MAX])
{
    const struct tide_names *names = store_names(store, domain);
    const char *text = names != NULL ? names->text(names->arg, TIDE_NAME_KIND_plate, plate) : NULL;
    if (text == NULL)
        return 0;
    char other[TIDE_NAME_BYTES_MAX + 1];
    size_t len = strlen(text);
    unsigned count = 0;
    memcpy(other, text, len + 1);
    for (size_t i = 0; i < len; i++) {
        for (const char *c = confusable_with(text[i]); *c != '\0'; c++) {
            if (*c == text[i])
                continue;
            other[i] = *c;
            tide_id id = names->find(names->arg, TIDE_NAME_KIND_plate, other, len);
            if (id != 0)
                count = insert_sorted(ret, count, id);
        }
        other[i] = text[i];
    }
    return count;
}
