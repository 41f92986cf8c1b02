/* whitelist_file.c - which rows of a camera's list are ours, on disk.
 *
 *   tide-gateway white list 1
 *   浙F12345 1558346400000 1558382400000 w      plate, from, until (civil), state
 *   crc 0a1b2c3d                                of all bytes before this line
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/gateway/spool_file.h"
#include "clients/gateway/whitelist.h"

#define FILE_HEAD "tide-gateway white list 1\n"
#define LINE_CAP (GW_PLATE_CAP + 48)
#define TAIL_BYTES 13 /* "crc 0a1b2c3d\n" */

char *gw_whitelist_write(struct gw_whitelist *list, size_t *ret_len)
{
    size_t cap = 64 + list->count * LINE_CAP;
    char *text = malloc(cap);
    if (text == NULL)
        return NULL;
    size_t at = (size_t)snprintf(text, cap, FILE_HEAD);
    for (size_t i = 0; i < list->count; i++) {
        const struct gw_row *row = &list->rows[i];
        at += (size_t)snprintf(text + at, cap - at, "%s %" PRId64 " %" PRId64 " %c\n", row->plate,
                               row->from_ms, row->until_ms, row->state);
    }
    at += (size_t)snprintf(text + at, cap - at, "crc %08x\n", gw_crc32(text, at));
    list->changed = false;
    *ret_len = at;
    return text;
}

static int by_plate(const void *a, const void *b)
{
    const struct gw_row *x = a, *y = b;
    return strcmp(x->plate, y->plate);
}

static bool parse_row(char **at, struct gw_row *ret)
{
    int used = 0;
    *ret = (struct gw_row){.state = 0};
    if (sscanf(*at, "%31s %" SCNd64 " %" SCNd64 " %c%n", ret->plate, &ret->from_ms, &ret->until_ms,
               &ret->state, &used) != 4 ||
        (*at)[used] != '\n' || strchr("awudf", ret->state) == NULL)
        return false;
    *at += used + 1;
    return true;
}

static int parse(struct gw_whitelist *list, char *text, size_t len)
{
    unsigned crc = 0;
    if (len < sizeof FILE_HEAD - 1 + TAIL_BYTES ||
        memcmp(text, FILE_HEAD, sizeof FILE_HEAD - 1) != 0)
        return -1;
    char *last = text + len - TAIL_BYTES, *at = text + sizeof FILE_HEAD - 1;
    if (sscanf(last, "crc %8x", &crc) != 1 || gw_crc32(text, (size_t)(last - text)) != crc)
        return -1;
    size_t lines = 0;
    for (const char *c = at; c < last; c++)
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
    list->rows = rows;
    list->count = lines;
    list->cap = lines + 1;
    for (size_t i = 0; i < lines; i++) {
        /* A row whose writing we did not see the end of may be there: only an add finds out. */
        list->todo += strchr("aud", rows[i].state) != NULL;
    }
    return 0;
}

int gw_whitelist_read(struct gw_whitelist *list, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC), fault = -1;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && status.st_size <= 64 + 2 * GW_ROWS_MAX * (int64_t)LINE_CAP) {
        size_t len = (size_t)status.st_size;
        char *text = malloc(len + 1);
        if (text != NULL && read(fd, text, len) == (ssize_t)len) {
            text[len] = '\0';
            fault = parse(list, text, len);
        }
        free(text);
    }
    close(fd);
    if (fault != 0)
        errno = EBADMSG;
    return fault;
}
