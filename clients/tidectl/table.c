/* table.c - columns that stand straight, also when they hold Chinese.
 *
 * A letter of East Asian scripts is two columns wide on every terminal, a combining mark none. What
 * comes from others' hands (titles, names) may hold control characters: they become '?', so that
 * nobody's text moves the reader's cursor.
 */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"

size_t ctl_utf8_next(const char *text, uint32_t *ret_point)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t more = at[0] < 0x80                    ? 0
                  : at[0] >= 0xc2 && at[0] < 0xe0 ? 1
                  : at[0] >= 0xe0 && at[0] < 0xf0 ? 2
                  : at[0] >= 0xf0 && at[0] < 0xf5 ? 3
                                                  : 4;
    uint32_t point = more == 0 ? at[0] : more == 4 ? 0 : at[0] & (0x3fu >> more);

    for (size_t i = 1; more < 4 && i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            more = 4;
        else
            point = point << 6 | (at[i] & 0x3f);
    }
    *ret_point = more == 4 ? 0xfffd : point;
    return more == 4 ? 1 : more + 1;
}

static bool in_ranges(uint32_t point, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return true;
    return false;
}

static size_t point_width(uint32_t point)
{
    static const uint32_t wide[][2] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe4f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
        {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    static const uint32_t none[][2] = {
        {0x0300, 0x036f}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2069}, {0xfe00, 0xfe0f}};

    if (in_ranges(point, none, sizeof none / sizeof *none))
        return 0;
    return in_ranges(point, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

/* Letters that would move the cursor or turn the direction of writing. */
static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

size_t ctl_width(const char *text)
{
    size_t width = 0;
    uint32_t point;

    while (*text) {
        text += ctl_utf8_next(text, &point);
        width += is_control(point) ? 1 : point_width(point);
    }
    return width;
}

static void put_clean(FILE *out, const char *text)
{
    uint32_t point;

    while (*text) {
        size_t len = ctl_utf8_next(text, &point);

        if (is_control(point) || (point == 0xfffd && len == 1))
            fputc('?', out);
        else
            fwrite(text, 1, len, out);
        text += len;
    }
}

void ctl_pad(FILE *out, const char *text, size_t width, bool right)
{
    size_t own = ctl_width(text);

    for (size_t i = own; right && i < width; i++)
        fputc(' ', out);
    put_clean(out, text);
    for (size_t i = own; !right && i < width; i++)
        fputc(' ', out);
}

/* Cells row by row; the first row is the head. */
struct ctl_table {
    size_t columns, count, cap;
    char **cells;
    bool right[32];
};

struct ctl_table *ctl_table_new(size_t columns)
{
    struct ctl_table *table = calloc(1, sizeof *table);

    if (table)
        table->columns = columns;
    return table;
}

void ctl_table_right(struct ctl_table *table, size_t column)
{
    if (table && column < 32)
        table->right[column] = true;
}

void ctl_table_add(struct ctl_table *table, const char *text)
{
    if (!table)
        return;
    if (table->count == table->cap) {
        size_t cap = table->cap ? 2 * table->cap : 64;
        char **cells = realloc(table->cells, cap * sizeof *cells);

        if (!cells)
            return;
        table->cells = cells;
        table->cap = cap;
    }
    table->cells[table->count] = strdup(text ? text : "");
    if (table->cells[table->count])
        table->count++;
}

static size_t column_width(const struct ctl_table *table, size_t column)
{
    size_t most = 0;

    for (size_t at = column; at < table->count; at += table->columns) {
        size_t width = ctl_width(table->cells[at]);

        most = width > most ? width : most;
    }
    return most;
}

/* A column in which no row has anything is not shown. */
static bool column_empty(const struct ctl_table *table, size_t column)
{
    for (size_t at = column + table->columns; at < table->count; at += table->columns)
        if (table->cells[at][0])
            return false;
    return true;
}

void ctl_table_print(const struct ctl_table *table, FILE *out)
{
    size_t width[32] = {0}, last = 0;

    if (!table || table->columns > 32 || table->columns == 0)
        return;
    for (size_t i = 0; i < table->columns; i++) {
        width[i] = column_empty(table, i) ? SIZE_MAX : column_width(table, i);
        last = width[i] == SIZE_MAX ? last : i;
    }
    for (size_t at = 0; at + table->columns <= table->count; at += table->columns) {
        bool first = true;

        for (size_t i = 0; i < table->columns; i++) {
            if (width[i] == SIZE_MAX)
                continue;
            fputs(first ? "" : "  ", out);
            first = false;
            ctl_pad(out, table->cells[at + i], i == last && !table->right[i] ? 0 : width[i],
                    table->right[i]);
        }
        fputc('\n', out);
    }
}

struct ctl_table *ctl_table_free(struct ctl_table *table)
{
    for (size_t i = 0; table && i < table->count; i++)
        free(table->cells[i]);
    if (table)
        free(table->cells);
    free(table);
    return NULL;
}
