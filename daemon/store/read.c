/* read.c - the loop's own connection: answers already given, rows for those who ask.
 *
 * It never writes and never checkpoints. Its transactions are short: one statement, or one turn of
 * the loop (store_turn_begin .. _end), so that the log can be taken over again and again. Within a
 * turn it sees the tables as they were at its first look.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

enum store_error store_reader_init(struct store_reader *reader, const char *path)
{
    memset(reader, 0, sizeof *reader);
    enum store_error error = store_sql_open(&reader->db, path, STORE_SQL_READER);
    if (error != STORE_OK)
        return error;
    reader->begin = store_sql_prepare(reader->db, "BEGIN");
    reader->end = store_sql_prepare(reader->db, "COMMIT");
    reader->rid = store_sql_prepare(reader->db, "SELECT seq FROM rid WHERE domain=?1 AND"
                                                " user=?2 AND rid=?3");
    reader->effects = store_sql_prepare(
        reader->db, "SELECT effects, origin FROM journal WHERE domain=?1 AND seq=?2");
    if (reader->begin != NULL && reader->end != NULL && reader->rid != NULL &&
        reader->effects != NULL)
        return STORE_OK;
    error = store_sql_error(reader->db, sqlite3_extended_errcode(reader->db));
    store_reader_done(reader);
    return error != STORE_OK ? error : STORE_IO;
}

void store_reader_done(struct store_reader *reader)
{
    if (reader->open)
        store_sql_once(reader->end);
    for (unsigned i = 0; i < reader->select_count; i++)
        store_sql_finalize(reader->selects[i].statement);
    store_sql_finalize(reader->begin);
    store_sql_finalize(reader->end);
    store_sql_finalize(reader->rid);
    store_sql_finalize(reader->effects);
    if (reader->db != NULL)
        store_sql_close(reader->db);
    free(reader->answer);
    memset(reader, 0, sizeof *reader);
}

/* ---- turns ----------------------------------------------------------------------------------- */
void store_reader_look(struct store *store)
{
    struct store_reader *reader = &store->reader;
    if (reader->open) {
        store_sql_once(reader->end);
        reader->open = false;
    }
    for (unsigned i = 1; i < STORE_DOMAIN_SLOTS;
         i++) { /* before the look: it shows at least this */
        reader->seen[i] = atomic_load(&store->domains[i].applied);
        reader->seen_rids[i] = atomic_load(&store->domains[i].rids);
    }
    if (reader->in_turn && store_sql_once(reader->begin) == SQLITE_OK)
        reader->open = true;
    store_replies_trim(store->replies, reader->seen_rids);
}

void store_turn_begin(struct store *store)
{
    assert(!store->reader.in_turn);
    store->reader.in_turn = true;
}

void store_turn_end(struct store *store)
{
    assert(store->reader.in_turn);
    store->reader.in_turn = false;
    if (store->reader.open) {
        store_sql_once(store->reader.end);
        store->reader.open = false;
    }
}

/* ---- answers --------------------------------------------------------------------------------- */
static bool copy_answer(struct store_reader *reader, const void *bytes, size_t len)
{
    if (len > reader->answer_cap) {
        uint8_t *more = realloc(reader->answer, len);
        if (more == NULL)
            return false;
        reader->answer = more;
        reader->answer_cap = len;
    }
    if (len > 0)
        memcpy(reader->answer, bytes, len);
    return true;
}

/* The answer in a row of the journal, if it is there; *ret_same_body: it was for this body. */
static bool read_answer(struct store_reader *reader, uint32_t domain, uint64_t seq,
                        const struct store_origin *origin, size_t *ret_len, bool *ret_same_body)
{
    struct store_origin was;
    sqlite3_bind_int64(reader->effects, 1, domain);
    sqlite3_bind_int64(reader->effects, 2, (int64_t)seq);
    bool found = sqlite3_step(reader->effects) == SQLITE_ROW &&
                 store_origin_unpack(sqlite3_column_blob(reader->effects, 1),
                                     (size_t)sqlite3_column_bytes(reader->effects, 1), &was);
    if (found) {
        size_t len = (size_t)sqlite3_column_bytes(reader->effects, 0);
        found = copy_answer(reader, sqlite3_column_blob(reader->effects, 0), len);
        *ret_same_body = memcmp(was.digest, origin->digest, sizeof was.digest) == 0;
        *ret_len = len;
    }
    sqlite3_reset(reader->effects);
    return found;
}

static enum store_rid known(struct store *store, uint32_t domain, uint64_t seq,
                            const struct store_origin *origin, const uint8_t **ret_effects,
                            size_t *ret_len)
{
    size_t len = 0;
    bool same = false;
    bool found = read_answer(&store->reader, domain, seq, origin, &len, &same);
    if (!found && store->reader.open) {
        store_reader_look(store); /* committed after this turn's first look */
        found = read_answer(&store->reader, domain, seq, origin, &len, &same);
    }
    if (!found)
        return STORE_RID_PENDING; /* cannot be read just now: the client asks again */
    if (!same)
        return STORE_RID_CONFLICT;
    *ret_effects = store->reader.answer;
    *ret_len = len;
    return STORE_RID_KNOWN;
}

/* The row of the journal that the table of rids names; 0 when it has none. False when that cannot
 * be read: who takes that for a new request does it twice. */
static bool find_row(struct store_reader *reader, uint32_t domain,
                     const struct store_origin *origin, uint64_t *ret_seq)
{
    uint64_t seq = 0;
    sqlite3_bind_int64(reader->rid, 1, domain);
    sqlite3_bind_int64(reader->rid, 2, origin->user);
    sqlite3_bind_text(reader->rid, 3, origin->rid, -1, SQLITE_STATIC);
    int code = sqlite3_step(reader->rid);
    if (code == SQLITE_ROW)
        seq = (uint64_t)sqlite3_column_int64(reader->rid, 0);
    sqlite3_reset(reader->rid);
    *ret_seq = seq;
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

enum store_rid store_rid_find(struct store *store, uint32_t domain,
                              const struct store_origin *origin, const uint8_t **ret_effects,
                              size_t *ret_len)
{
    assert(domain > 0 && domain < STORE_DOMAIN_SLOTS && origin->rid[0] != '\0');
    struct store_reader *reader = &store->reader;
    if (!reader->open)
        store_reader_look(store);
    bool same = true;
    uint64_t seq = store_replies_find(store->replies, domain, origin, &same);
    if (seq == 0 && !find_row(reader, domain, origin, &seq))
        return STORE_RID_PENDING; /* cannot be read just now: the client asks again */
    if (seq == 0)
        return STORE_RID_NEW;
    if (!same)
        return STORE_RID_CONFLICT;
    if (seq > atomic_load(&store->domains[domain].durable))
        return STORE_RID_PENDING;
    return known(store, domain, seq, origin, ret_effects, ret_len);
}

/* ---- rows ------------------------------------------------------------------------------------ */
/* Only names of columns come into SQL. */
static bool has_field(const struct tide_record *desc, const char *name)
{
    for (unsigned i = 0; i < desc->field_count; i++)
        if (strcmp(desc->fields[i].name, name) == 0)
            return strlen(name) < sizeof((struct store_reader *)0)->selects[0].field;
    return name[0] == '\0';
}

static sqlite3_stmt *select_make(sqlite3 *db, const struct tide_record *desc, const char *field,
                                 const char *also, bool newest_first)
{
    char first[64] = "", second[64] = "", rest[320];
    const char *id = desc->fields[0].name;
    if (field[0] != '\0')
        snprintf(first, sizeof first, "AND \"%s\"=?2 ", field);
    if (also[0] != '\0') /* a plus: no index may be chosen for it */
        snprintf(second, sizeof second, "AND +\"%s\"=?6 ", also);
    snprintf(rest, sizeof rest, "%s%sAND \"%s\">?3 AND \"%s\"<?4 ORDER BY \"%s\" %s LIMIT ?5",
             first, second, id, id, id, newest_first ? "DESC" : "ASC");
    return store_table_select(db, desc, rest);
}

static sqlite3_stmt *select_of(struct store_reader *reader, const struct tide_record *desc,
                               const struct store_select *select)
{
    const char *field = select->field != NULL ? select->field : "";
    const char *also = select->also != NULL ? select->also : "";
    for (unsigned i = 0; i < reader->select_count; i++)
        if (reader->selects[i].kind == select->kind &&
            reader->selects[i].newest_first == select->newest_first &&
            strcmp(reader->selects[i].field, field) == 0 &&
            strcmp(reader->selects[i].also, also) == 0)
            return reader->selects[i].statement;
    if (reader->select_count == STORE_SELECTS_MAX || !has_field(desc, field) ||
        !has_field(desc, also))
        return NULL;
    sqlite3_stmt *statement = select_make(reader->db, desc, field, also, select->newest_first);
    if (statement != NULL) {
        unsigned i = reader->select_count++;
        reader->selects[i].kind = select->kind;
        reader->selects[i].newest_first = select->newest_first;
        memcpy(reader->selects[i].field, field, strlen(field) + 1);
        memcpy(reader->selects[i].also, also, strlen(also) + 1);
        reader->selects[i].statement = statement;
    }
    return statement;
}

static bool append_item(struct engine_effects *effects, const struct tide_record *desc,
                        const union tide_any *record)
{
    if (effects->cap - effects->len < 2)
        return false;
    uint8_t *out = effects->buf + effects->len;
    size_t used = tide_record_pack(desc, record, out + 2, effects->cap - effects->len - 2);
    if (used == 0)
        return false;
    out[0] = ENGINE_ITEM;
    out[1] = desc->kind;
    effects->len += 2 + used;
    effects->count++;
    return true;
}

enum store_error store_rows(struct store *store, uint32_t domain, const struct store_select *select,
                            struct engine_effects *effects, bool *ret_more)
{
    const struct tide_record *desc = tide_record_of(select->kind);
    if (desc == NULL || desc->key_count == 0 || select->limit == 0)
        return STORE_USAGE;
    if (store->reader.in_turn &&
        (!store->reader.open ||
         store->reader.seen[domain] < atomic_load(&store->domains[domain].applied)))
        store_reader_look(store);
    sqlite3_stmt *statement = select_of(&store->reader, desc, select);
    if (statement == NULL)
        return STORE_USAGE;
    sqlite3_bind_int64(statement, 1, domain);
    if (select->field != NULL)
        sqlite3_bind_int64(statement, 2, select->equals);
    if (select->also != NULL)
        sqlite3_bind_int64(statement, 6, select->also_equals);
    sqlite3_bind_int64(statement, 3, select->after == 0 ? -1 : (int64_t)select->after);
    sqlite3_bind_int64(statement, 4, select->before == 0 ? INT64_MAX : (int64_t)select->before);
    sqlite3_bind_int64(statement, 5, (int64_t)select->limit + 1);
    bool more = false;
    uint32_t count = 0;
    int code = SQLITE_DONE;
    union tide_any record;
    while (!more && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        bool reads = store_table_read(statement, desc, &record);
        more = count++ == select->limit || !reads || !append_item(effects, desc, &record);
    }
    sqlite3_reset(statement);
    if (!more && code != SQLITE_DONE)
        return store_sql_error(store->reader.db, code);
    *ret_more = more;
    return STORE_OK;
}
