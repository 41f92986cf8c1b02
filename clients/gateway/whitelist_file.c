/* whitelist_file.c - which rows of a camera's list are ours, on disk.
 *
 *   tide-gateway white list 1
 *   浙F12345 1558346400000 1558382400000 w      plate, from, until (civil), state
 *   crc 0a1b2c3d
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/listfile.h"
#include "clients/gateway/whitelist.h"

#define FILE_HEAD "tide-gateway white list 1\n"
#define ROW_CAP (GW_PLATE_CAP + 48)

char *gw_whitelist_write(struct gw_whitelist *list, size_t *ret_len)
{
    size_t cap = 64 + list->count * ROW_CAP;
    char *text = malloc(cap);
    if (text == NULL)
        return NULL;
    size_t at = (size_t)snprintf(text, cap, FILE_HEAD);
    for (size_t i = 0; i < list->count; i++) {
        const struct gw_row *row = &list->rows[i];
        at += (size_t)snprintf(text + at, cap - at, "%s %" PRId64 " %" PRId64 " %c\n", row->plate,
                               row->from_ms, row->until_ms, row->state);
    }
    list->changed = false;
    *ret_len = gw_listfile_seal(text, at);
    return text;
}

static int by_plate(const void *a, const void *b)
{
    const struct gw_row *x = a, *y = b;
    return strcmp(x->plate, y->plate);
}

static bool parse_row(char **at, struct gw_row *ret)
{
    char state[2];
    *ret = (struct gw_row){.state = 0};
    if (!gw_take_word(at, ret->plate, sizeof ret->plate) || !gw_take_number(at, &ret->from_ms) ||
        !gw_take_number(at, &ret->until_ms) || !gw_take_word(at, state, sizeof state) ||
        strchr("awudf", state[0]) == NULL)
        return false;
    ret->state = state[0];
    return true;
}

static int parse(struct gw_whitelist *list, char *at, const char *end)
{
    size_t lines = 0;
    for (const char *c = at; c < end; c++)
        lines += *c == '\n';
    struct gw_row *rows = calloc(lines + 1, sizeof *rows);
    if (rows == NULL)
        return -1;
    for (size_t i = 0; i < lines; i++)
        if (!parse_row(&at, &rows[i])) {
            free(rows);
            return -1;
        }
    qsort(rows, lines, sizeof *rows, by_plate);
    for (size_t i = 1; i < lines; i++)
        if (by_plate(&rows[i - 1], &rows[i]) == 0) {
            free(rows);
            return -1;
        }
    list->rows = rows;
    list->count = lines;
    /* A row whose writing we did not see the end of may be there: its verb is tried again. */
    for (size_t i = 0; i < lines; i++)
        list->todo += strchr("aud", rows[i].state) != NULL;
    return 0;
}

int gw_whitelist_read(struct gw_whitelist *list, const char *path)
{
    char *at, *end;
    char *text = gw_listfile_read(path, FILE_HEAD, 64 + 2 * GW_ROWS_MAX * ROW_CAP, &at, &end);
    if (text == NULL)
        return -1;
    int fault = parse(list, at, end);
    free(text);
    if (fault != 0)
        errno = EBADMSG;
    return fault;
}
