/* table.c - statements made from the descriptors of rows, so that no SQL names a column by hand.
 *
 * The one thing that descriptors do not say is which rows are history: the engine never holds an
 * ended booking, and at a start nobody may walk a million of them. The list below says it in SQL,
 * with a partial index in the schema for each; a test holds it against engine_row_is_live.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/internal.h"

const char *store_table_live(unsigned kind)
{
    switch (kind) {
    case TIDE_REC_booking:
    case TIDE_REC_waiting:
        return "state <= 1";
    case TIDE_REC_draw:
        return "state <= 3";
    case TIDE_REC_strike:
        return "state <= 2";
    case TIDE_REC_wish:
    case TIDE_REC_series:
    case TIDE_REC_session:
    case TIDE_REC_incident:
        return "state = 0";
    case TIDE_REC_posting:
    case TIDE_REC_notice:
    case TIDE_REC_command:
    case TIDE_REC_outcome:
    case TIDE_REC_passage:
    case TIDE_REC_forgotten:
    case TIDE_REC_draw_span:
        return NULL;
    default:
        return "";
    }
}

struct text {
    char bytes[4096];
    size_t len;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text->bytes + text->len, sizeof text->bytes - text->len, format, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof text->bytes - text->len);
    text->len += (size_t)n;
}

static void add_columns(struct text *text, const struct tide_record *desc)
{
    for (unsigned i = 0; i < desc->field_count; i++)
        add(text, "%s\"%s\"", i > 0 ? "," : "", desc->fields[i].name);
}

sqlite3_stmt *store_table_put(sqlite3 *db, const struct tide_record *desc)
{
    struct text text = {.len = 0};
    add(&text, "INSERT OR REPLACE INTO \"%s\"(domain,", desc->name);
    add_columns(&text, desc);
    add(&text, ") VALUES(?");
    for (unsigned i = 0; i < desc->field_count; i++)
        add(&text, ",?");
    add(&text, ")");
    return store_sql_prepare(db, text.bytes);
}

sqlite3_stmt *store_table_delete(sqlite3 *db, const struct tide_record *desc)
{
    struct text text = {.len = 0};
    add(&text, "DELETE FROM \"%s\" WHERE domain=?", desc->name);
    for (unsigned i = 0; i < desc->key_count; i++)
        add(&text, " AND \"%s\"=?", desc->fields[i].name);
    return store_sql_prepare(db, text.bytes);
}

sqlite3_stmt *store_table_select(sqlite3 *db, const struct tide_record *desc, const char *rest)
{
    struct text text = {.len = 0};
    add(&text, "SELECT ");
    add_columns(&text, desc);
    add(&text, " FROM \"%s\" WHERE domain=?1 %s", desc->name, rest);
    return store_sql_prepare(db, text.bytes);
}

sqlite3_stmt *store_table_select_live(sqlite3 *db, const struct tide_record *desc)
{
    const char *live = store_table_live(desc->kind);
    struct text text = {.len = 0};
    assert(live != NULL);
    if (live[0] == '\0')
        return store_table_select(db, desc, "");
    add(&text, "SELECT ");
    add_columns(&text, desc);
    add(&text, " FROM \"%s\" INDEXED BY %s_live WHERE domain=?1 AND %s", desc->name, desc->name,
        live);
    return store_sql_prepare(db, text.bytes);
}

bool store_table_read(sqlite3_stmt *statement, const struct tide_record *desc, void *ret)
{
    memset(ret, 0, desc->size);
    for (unsigned i = 0; i < desc->field_count; i++) {
        int64_t value = sqlite3_column_int64(statement, (int)i);
        if (!tide_field_fits(&desc->fields[i], value))
            return false;
        tide_field_set(&desc->fields[i], ret, value);
    }
    return true;
}

int store_table_bind(sqlite3_stmt *statement, const struct tide_record *desc, uint32_t domain,
                     const void *record, unsigned fields)
{
    int code = sqlite3_bind_int64(statement, 1, domain);
    for (unsigned i = 0; i < fields && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(statement, (int)i + 2, tide_field_get(&desc->fields[i], record));
    return code;
}
