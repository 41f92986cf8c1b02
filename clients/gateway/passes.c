/* passes.c - a sorted array; a whole list replaces it, a change is worked into it row by row.
 *
 *   file:  tide-gateway passes 1
 *          17 1558346400000 1753080000000 720           ver; civil, real time, scale
 *          浙F12345 1558346400000 1558382400000        a line a row: plate, from, until
 *          crc 0a1b2c3d                                of all bytes before this line
 */
#include "clients/gateway/passes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/listfile.h"
#include "protocol/codec.h"

#define FILE_HEAD "tide-gateway passes 1\n"
#define ROW_CAP (GW_PLATE_CAP + 48)

void gw_passes_done(struct gw_passes *passes)
{
    free(passes->rows);
    free(passes->staged);
    *passes = (struct gw_passes){0};
}

static int by_plate(const void *a, const void *b)
{
    const struct gw_pass *x = a, *y = b;
    return strcmp(x->plate, y->plate);
}

/* Index of the plate's row, or of where it belongs. */
static size_t position(const struct gw_passes *passes, const char *plate, bool *ret_found)
{
    size_t low = 0, high = passes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(passes->rows[middle].plate, plate) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < passes->count && strcmp(passes->rows[low].plate, plate) == 0;
    return low;
}

const struct gw_pass *gw_passes_of(const struct gw_passes *passes, const char *plate)
{
    bool found;
    size_t at = position(passes, plate, &found);
    return found ? &passes->rows[at] : NULL;
}

bool gw_passes_may(const struct gw_passes *passes, const char *plate, int64_t civil_ms)
{
    const struct gw_pass *row = gw_passes_of(passes, plate);
    return row != NULL && civil_ms >= row->from_ms &&
           (row->until_ms == 0 || civil_ms < row->until_ms);
}

static bool reserve(struct gw_pass **rows, size_t *cap, size_t count)
{
    if (count < *cap)
        return true;
    size_t wanted = *cap == 0 ? 64 : 2 * *cap;
    if (wanted > GW_PASSES_MAX)
        wanted = GW_PASSES_MAX;
    struct gw_pass *grown = count < wanted ? realloc(*rows, wanted * sizeof **rows) : NULL;
    if (grown == NULL)
        return false;
    *rows = grown;
    *cap = wanted;
    return true;
}

/* ---- messages ------------------------------------------------------------------------------- */
static bool take_time(const cJSON *item, const char *name, int64_t *ret)
{
    char text[48];
    if (gw_json_at(item, name) == NULL) {
        *ret = 0;
        return true;
    }
    return gw_json_text(item, name, text, sizeof text) &&
           tide_time_parse(text, strlen(text), ret) == 0;
}

static bool take_row(const cJSON *item, struct gw_pass *ret)
{
    *ret = (struct gw_pass){.from_ms = 0};
    if (!gw_json_text(item, "plate", ret->plate, sizeof ret->plate) || ret->plate[0] == '\0' ||
        strpbrk(ret->plate, " \n") != NULL)
        return false;
    return take_time(item, "from", &ret->from_ms) && take_time(item, "until", &ret->until_ms);
}

static bool change(struct gw_passes *passes, const struct gw_pass *row)
{
    bool found, off = row->until_ms != 0 && row->until_ms < row->from_ms;
    size_t at = position(passes, row->plate, &found);
    if (off && found) {
        passes->count--;
        memmove(passes->rows + at, passes->rows + at + 1,
                (passes->count - at) * sizeof *passes->rows);
    } else if (!off && found) {
        passes->rows[at] = *row;
    } else if (!off) {
        if (!reserve(&passes->rows, &passes->cap, passes->count))
            return false;
        memmove(passes->rows + at + 1, passes->rows + at,
                (passes->count - at) * sizeof *passes->rows);
        passes->rows[at] = *row;
        passes->count++;
    }
    return true;
}

static enum gw_passes_result take_changes(struct gw_passes *passes, const cJSON *rows, uint32_t ver)
{
    const cJSON *item;
    bool whole = true;
    if (ver <= passes->ver)
        return GW_PASSES_PART; /* came twice, or was overtaken by the whole list */
    cJSON_ArrayForEach(item, rows)
    {
        struct gw_pass row;
        whole = take_row(item, &row) && change(passes, &row) && whole;
    }
    passes->ver = ver;
    return whole ? GW_PASSES_NEW : GW_PASSES_INVALID;
}

/* The staged list becomes the list: sorted, one row a plate. */
static void install(struct gw_passes *passes)
{
    struct gw_pass *rows = passes->staged;
    size_t n = passes->staged_count, kept = 0;
    if (n > 0)
        qsort(rows, n, sizeof *rows, by_plate);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && by_plate(&rows[kept - 1], &rows[i]) == 0)
            kept--;
        rows[kept++] = rows[i];
    }
    free(passes->rows);
    passes->rows = rows;
    passes->count = kept;
    passes->cap = passes->staged_cap;
    passes->ver = passes->staged_ver;
    passes->staged = NULL;
    passes->staged_count = passes->staged_cap = 0;
    passes->staged_pages = 0;
}

static enum gw_passes_result take_page(struct gw_passes *passes, const cJSON *rows, uint32_t ver,
                                       unsigned page, unsigned pages)
{
    const cJSON *item;
    if (passes->staged_pages != pages || passes->staged_ver != ver) {
        passes->staged_count = passes->staged_seen = 0;
        passes->staged_ver = ver;
        passes->staged_pages = pages;
        memset(passes->page_seen, 0, sizeof passes->page_seen);
    }
    uint8_t bit = (uint8_t)(1u << page % 8), *seen = &passes->page_seen[page / 8];
    if (*seen & bit)
        return GW_PASSES_PART;
    cJSON_ArrayForEach(item, rows)
    {
        struct gw_pass row;
        if (!take_row(item, &row))
            return GW_PASSES_INVALID;
        if (!reserve(&passes->staged, &passes->staged_cap, passes->staged_count))
            return GW_PASSES_INVALID;
        passes->staged[passes->staged_count++] = row;
    }
    *seen |= bit;
    if (++passes->staged_seen < pages)
        return GW_PASSES_PART;
    install(passes);
    return GW_PASSES_NEW;
}

enum gw_passes_result gw_passes_take(struct gw_passes *passes, const cJSON *body)
{
    int64_t ver = 0, page = 0, pages = 1;
    const cJSON *rows = gw_json_at(body, "passes");
    if (!gw_json_int(body, "ver", 0, UINT32_MAX, &ver) || !cJSON_IsArray(rows))
        return GW_PASSES_INVALID;
    if (gw_json_flag(body, "delta"))
        return take_changes(passes, rows, (uint32_t)ver);
    /* Pages are counted from 0 or from 1: only that each came counts. */
    if (gw_json_at(body, "page") != NULL && !gw_json_int(body, "page", 0, GW_PAGES_MAX - 1, &page))
        return GW_PASSES_INVALID;
    if (gw_json_at(body, "pages") != NULL &&
        !gw_json_int(body, "pages", 0, GW_PAGES_MAX - 1, &pages))
        return GW_PASSES_INVALID;
    return take_page(passes, rows, (uint32_t)ver, (unsigned)page, pages > 0 ? (unsigned)pages : 1);
}

/* ---- file ------------------------------------------------------------------------------------ */
char *gw_passes_write(const struct gw_passes *passes, size_t *ret_len)
{
    size_t cap = 256 + passes->count * ROW_CAP;
    char *text = malloc(cap);
    if (text == NULL)
        return NULL;
    size_t at = (size_t)snprintf(text, cap, FILE_HEAD "%u %" PRId64 " %" PRId64 " %" PRId64 "\n",
                                 passes->ver, passes->civil.civil_ms, passes->civil.real_ms,
                                 passes->civil.scale);
    for (size_t i = 0; i < passes->count; i++)
        at += (size_t)snprintf(text + at, cap - at, "%s %" PRId64 " %" PRId64 "\n",
                               passes->rows[i].plate, passes->rows[i].from_ms,
                               passes->rows[i].until_ms);
    *ret_len = gw_listfile_seal(text, at);
    return text;
}

static bool parse(struct gw_passes *made, char *at, const char *end)
{
    int64_t ver = 0;
    if (!gw_take_number(&at, &ver) || !gw_take_number(&at, &made->civil.civil_ms) ||
        !gw_take_number(&at, &made->civil.real_ms) || !gw_take_number(&at, &made->civil.scale))
        return false;
    made->ver = (uint32_t)ver;
    while (at < end) {
        struct gw_pass row = {.from_ms = 0};
        if (!gw_take_word(&at, row.plate, sizeof row.plate) || !gw_take_number(&at, &row.from_ms) ||
            !gw_take_number(&at, &row.until_ms) || !reserve(&made->rows, &made->cap, made->count))
            return false;
        made->rows[made->count++] = row;
    }
    return true;
}

int gw_passes_read(struct gw_passes *ret, const char *path)
{
    struct gw_passes made = {.count = 0};
    char *at, *end;
    char *text = gw_listfile_read(path, FILE_HEAD, 256 + GW_PASSES_MAX * ROW_CAP, &at, &end);
    if (text == NULL)
        return -1;
    bool sound = parse(&made, at, end);
    free(text);
    if (sound && made.count > 0)
        qsort(made.rows, made.count, sizeof *made.rows, by_plate);
    for (size_t i = 1; sound && i < made.count; i++)
        sound = by_plate(&made.rows[i - 1], &made.rows[i]) != 0;
    if (!sound) {
        gw_passes_done(&made);
        errno = EBADMSG;
        return -1;
    }
    *ret = made;
    return 0;
}
