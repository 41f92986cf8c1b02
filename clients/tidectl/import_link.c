/* import_link.c - what the rows say about each other, and in which order they must be sent.
 *
 * Looked up in one sorted index of (kind, key). A name that no file holds may be in the daemon
 * already; that is a note when the files bring other rows of that kind, and silence when they do
 * not, since then they are a later, smaller file.
 */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"

struct entry {
    struct import_row *row;
};
struct index {
    struct entry *entries; /* by kind, key, position */
    size_t count;
};

static int compare_rows(const void *a, const void *b)
{
    const struct import_row *left = ((const struct entry *)a)->row;
    const struct import_row *right = ((const struct entry *)b)->row;
    int kind = left->kind->order - right->kind->order;
    int key = kind ? kind : strcmp(left->key, right->key);

    return key ? key : (left > right) - (left < right);
}

static struct import_row *index_find(const struct index *index, const char *is, const char *key)
{
    const struct import_kind *kind = import_kind_is(is);
    size_t low = 0, high = index->count;

    while (kind && low < high) {
        size_t middle = low + (high - low) / 2;
        struct import_row *row = index->entries[middle].row;
        int order = row->kind->order - kind->order;

        order = order ? order : strcmp(row->key, key);
        if (order == 0)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- the same key twice -------------------------------------------------------------------- */
static void check_twice(struct import *import, struct import_row *first, struct import_row *second)
{
    char *left = cJSON_PrintUnformatted(first->json);
    char *right = cJSON_PrintUnformatted(second->json);
    bool same = left && right && strcmp(left, right) == 0;

    if (same && strcmp(second->kind->is, "vehicle") == 0)
        second->depth = -1; /* a couple's car stands in both their lines */
    else if (same)
        import_note(import, second->file, second->line, second->kind->columns[0].name,
                    CTL_T("'%s' stands in %s line %zu as well, with the same content",
                          "“%s”与 %s 第 %zu 行相同"),
                    second->key, import->files[first->file], first->line);
    else
        import_fault(import, second->file, second->line, second->kind->columns[0].name,
                     CTL_T("'%s' stands in %s line %zu as well, with other content: keep one",
                           "“%s”与 %s 第 %zu 行重复且内容不同:请只留一行"),
                     second->key, import->files[first->file], first->line);
    if (same)
        second->depth = -1;
    cJSON_free(left);
    cJSON_free(right);
}

/* ---- references ---------------------------------------------------------------------------- */
static bool has_kind(const struct import *import, const char *is)
{
    for (size_t i = 0; i < import->row_count; i++)
        if (strcmp(import->rows[i].kind->is, is) == 0)
            return true;
    return false;
}

static void check_references(struct import *import, const struct index *index,
                             const struct import_row *row)
{
    for (int i = 0; i < IMPORT_COLUMNS_MAX && row->kind->columns[i].name; i++) {
        const struct import_column *column = &row->kind->columns[i];
        const char *name = ctl_text_of(row->json, column->name);

        if (!column->refers || !*name || index_find(index, column->refers, name) ||
            !has_kind(import, column->refers))
            continue;
        import_note(import, row->file, row->line, column->name,
                    CTL_T("'%s' is in none of these files; the daemon must know it already",
                          "“%s”不在这些文件中;须已存在于系统"),
                    name);
    }
}

/* Parents before children: how many of these files' places stand above this one. */
static void find_depth(struct import *import, const struct index *index, struct import_row *row)
{
    const struct import_row *at = row;
    long depth = 0;

    while (at && depth <= 64) {
        at = index_find(index, "place", ctl_text_of(at->json, "parent"));
        depth += at != NULL;
    }
    row->depth = depth;
    if (depth > 64)
        import_fault(
            import, row->file, row->line, "parent",
            CTL_T("'%s' is its own ancestor: a place cannot lie in itself", "“%s”的上级形成循环"),
            row->key);
}

static int compare_send_order(const void *a, const void *b)
{
    const struct import_row *left = a, *right = b;
    int order = left->kind->order - right->kind->order;

    if (order)
        return order;
    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return strcmp(left->key, right->key);
}

void import_link(struct import *import)
{
    struct index index = {calloc(import->row_count + 1, sizeof *index.entries), 0};
    size_t kept = 0;

    if (!index.entries) {
        import_fault(import, 0, 0, "", "%s", CTL_T("no memory", "内存不足"));
        return;
    }
    for (size_t i = 0; i < import->row_count; i++)
        if (import->rows[i].key)
            index.entries[index.count++].row = &import->rows[i];
    qsort(index.entries, index.count, sizeof *index.entries, compare_rows);
    for (size_t i = 1; i < index.count; i++) {
        struct import_row *first = index.entries[i - 1].row, *second = index.entries[i].row;

        if (first->kind == second->kind && strcmp(first->key, second->key) == 0)
            check_twice(import, first, second);
    }
    for (size_t i = 0; i < import->row_count; i++) {
        struct import_row *row = &import->rows[i];

        check_references(import, &index, row);
        if (strcmp(row->kind->is, "place") == 0 && row->depth >= 0)
            find_depth(import, &index, row);
    }
    free(index.entries);
    for (size_t i = 0; i < import->row_count; i++) {
        if (import->rows[i].depth >= 0) {
            import->rows[kept++] = import->rows[i];
            continue;
        }
        free(import->rows[i].key);
        cJSON_Delete(import->rows[i].json);
    }
    import->row_count = kept;
    if (kept)
        qsort(import->rows, kept, sizeof *import->rows, compare_send_order);
}
