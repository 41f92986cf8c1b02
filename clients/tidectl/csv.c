/* csv.c - tables as offices write them.
 *
 * Bytes are UTF-8 (with or without its mark), UTF-16 with its mark (a spreadsheet's "Unicode
 * text"), or else GB18030, which holds GBK and GB2312. The delimiter is the one of , ; tab that
 * stands most often in the first line, outside quotes. A quoted cell may hold delimiters, line ends
 * and doubled quotes. Lines end with LF or CRLF. Empty lines are passed over.
 *
 *   text   房号,姓名\n"3-2-501","陈 ""小"" 明"\n
 *   cells  ▲    ▲       ▲         ▲      NULs are written into the text, nothing is copied
 */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"

/* The last bytes may be the first ones of a letter: they are looked at with NULs behind. */
static bool is_utf8(const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        char last[8] = "";
        size_t left = len - at;
        uint32_t point;

        if (left < 4)
            memcpy(last, bytes + at, left);
        size_t step = ctl_utf8_next(left < 4 ? last : bytes + at, &point);
        if ((step == 1 && point == 0xfffd) || (point >= 0xd800 && point < 0xe000))
            return false;
        at += step;
    }
    return true;
}

/* malloc'ed UTF-8 with a NUL behind; NULL with the number of bytes that were right. */
static char *convert(const char *encoding, const char *bytes, size_t len, size_t *ret_good)
{
    iconv_t conversion = iconv_open("UTF-8", encoding);
    size_t cap = 3 * len + 8, left = cap - 1, in_left = len;
    char *out = malloc(cap), *to = out, *from = (char *)(uintptr_t)bytes;

    *ret_good = 0;
    if (conversion == (iconv_t)-1 || !out) {
        free(out);
        return NULL;
    }
    if (iconv(conversion, &from, &in_left, &to, &left) == (size_t)-1) {
        *ret_good = len - in_left;
        free(out);
        out = NULL;
    } else {
        *to = '\0';
    }
    iconv_close(conversion);
    return out;
}

static size_t line_at(const char *bytes, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += bytes[i] == '\n';
    return line;
}

/* The whole file as UTF-8, without a mark. NULL with line and reason. */
static char *to_utf8(struct csv *csv, const char *bytes, size_t len, size_t *ret_line, char *why,
                     size_t cap)
{
    size_t good = 0;
    char *text;

    csv->encoding = "UTF-8";
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        len -= 3;
    } else if (len >= 2 &&
               (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        csv->encoding = "UTF-16";
    }
    if (strcmp(csv->encoding, "UTF-8") == 0 && is_utf8(bytes, len)) {
        text = malloc(len + 1);
        if (text) {
            memcpy(text, bytes, len);
            text[len] = '\0';
        }
        return text;
    }
    if (strcmp(csv->encoding, "UTF-8") == 0)
        csv->encoding = "GB18030";
    text = convert(csv->encoding, bytes, len, &good);
    if (!text) {
        *ret_line = line_at(bytes, good);
        snprintf(why, cap,
                 CTL_T("neither UTF-8 nor GB18030: save it as \"CSV UTF-8\"",
                       "既不是 UTF-8 也不是 GB18030:请另存为“CSV UTF-8”"));
    }
    return text;
}

static char find_delimiter(const char *text)
{
    size_t counts[3] = {0};
    const char *const which = ",;\t";
    bool quoted = false;
    size_t best = 0;

    for (; *text && (quoted || *text != '\n'); text++) {
        const char *found = strchr(which, *text);

        if (*text == '"')
            quoted = !quoted;
        else if (found && !quoted)
            counts[found - which]++;
    }
    for (size_t i = 1; i < 3; i++)
        best = counts[i] > counts[best] ? i : best;
    return which[best];
}

/* ---- growing ------------------------------------------------------------------------------- */
static bool add_cell(struct csv *csv, char *cell)
{
    if (csv->cell_count == csv->cell_cap) {
        size_t cap = csv->cell_cap ? 2 * csv->cell_cap : 256;
        char **cells = realloc(csv->cells, cap * sizeof *cells);

        if (!cells)
            return false;
        csv->cells = cells;
        csv->cell_cap = cap;
    }
    csv->cells[csv->cell_count++] = cell;
    return true;
}

static bool add_row(struct csv *csv, size_t line, size_t first_cell)
{
    if (csv->count == csv->cap) {
        size_t cap = csv->cap ? 2 * csv->cap : 64;
        struct csv_row *rows = realloc(csv->rows, cap * sizeof *rows);

        if (!rows)
            return false;
        csv->rows = rows;
        csv->cap = cap;
    }
    /* cells is set when all are there: the array may still move */
    csv->rows[csv->count++] = (struct csv_row){.line = line, .count = csv->cell_count - first_cell};
    return true;
}

/* ---- cells --------------------------------------------------------------------------------- */
/* Blanks, and the blank of Chinese typesetting, around a cell mean nothing. */
static char *trim_cell(char *cell)
{
    size_t len;

    while (*cell == ' ' || *cell == '\t' || strncmp(cell, "　", 3) == 0)
        cell += *cell == ' ' || *cell == '\t' ? 1 : 3;
    len = strlen(cell);
    for (;;) {
        if (len && (cell[len - 1] == ' ' || cell[len - 1] == '\t' || cell[len - 1] == '\r'))
            len--;
        else if (len >= 3 && memcmp(cell + len - 3, "　", 3) == 0)
            len -= 3;
        else
            break;
    }
    cell[len] = '\0';
    return cell;
}

/* Takes one cell from *at; writes its NUL. Returns the byte that ended it (delimiter, '\n', 0), or
 * -1 for quotes that do not fit. */
static int take_cell(char **at, char delimiter, char **ret_cell, size_t *line)
{
    char *read = *at, *write, end;

    while (*read == ' ')
        read++;
    if (*read != '"') {
        size_t len = strcspn(*at, delimiter == ',' ? ",\n" : delimiter == ';' ? ";\n" : "\t\n");

        *ret_cell = *at;
        end = (*at)[len];
        (*at)[len] = '\0';
        *at += len + (end != '\0');
        return end;
    }
    *ret_cell = write = ++read;
    for (;; read++) {
        if (*read == '\0')
            return -1;
        if (*read == '"' && read[1] != '"')
            break;
        *line += *read == '\n';
        read += *read == '"';
        *write++ = *read;
    }
    read++;
    read += strspn(read, " \r");
    end = *read;
    if (end && end != delimiter && end != '\n')
        return -1;
    *write = '\0';
    *at = read + (end != '\0');
    return end;
}

static int parse_rows(struct csv *csv, size_t *ret_line, char *why, size_t cap)
{
    char *at = csv->text;
    size_t line = 1;

    while (*at) {
        size_t first = csv->cell_count, begin = line;
        int end;

        do {
            char *cell = NULL;

            *ret_line = line;
            end = take_cell(&at, csv->delimiter, &cell, &line);
            if (end < 0) {
                snprintf(why, cap,
                         CTL_T("a quoted cell does not end as it should: \" needs a "
                               "partner, then %s",
                               "引号未正确结束:\" 须成对,其后应为%s"),
                         csv->delimiter == '\t' ? CTL_T("a tab", "制表符")
                                                : CTL_T("the delimiter", "分隔符"));
                return -1;
            }
            if (csv->cell_count - first >= CSV_COLUMNS_MAX || !add_cell(csv, trim_cell(cell))) {
                snprintf(why, cap, CTL_T("more than %d columns", "超过 %d 列"), CSV_COLUMNS_MAX);
                return -1;
            }
        } while (end != '\n' && end != '\0');
        line++;
        if (csv->cell_count - first == 1 && !csv->cells[first][0]) {
            csv->cell_count = first; /* an empty line */
            continue;
        }
        if (!add_row(csv, begin, first))
            return -1;
    }
    return 0;
}

int csv_parse(struct csv *ret, const char *bytes, size_t len, size_t *ret_line, char *why,
              size_t cap)
{
    struct csv csv = {0};
    size_t at = 0;

    *ret_line = 1;
    snprintf(why, cap, CTL_T("no memory", "内存不足"));
    csv.text = to_utf8(&csv, bytes, len, ret_line, why, cap);
    if (!csv.text)
        return -1;
    csv.delimiter = find_delimiter(csv.text);
    if (strcmp(csv.encoding, "UTF-16") != 0 && memchr(bytes, '\0', len)) {
        snprintf(why, cap, CTL_T("it holds zero bytes: no CSV file", "含有零字节:不是 CSV 文件"));
        *ret_line = line_at(bytes, (size_t)((const char *)memchr(bytes, '\0', len) - bytes));
        csv_clear(&csv);
        return -1;
    }
    if (parse_rows(&csv, ret_line, why, cap) != 0) {
        csv_clear(&csv);
        return -1;
    }
    for (size_t i = 0; i < csv.count; i++) {
        csv.rows[i].cells = csv.cells + at;
        at += csv.rows[i].count;
    }
    *ret = csv;
    return 0;
}

void csv_clear(struct csv *csv)
{
    free(csv->text);
    free(csv->rows);
    free(csv->cells);
    memset(csv, 0, sizeof *csv);
}
