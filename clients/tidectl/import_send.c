/* import_send.c - rows in portions: at most 64 of them and 12 KiB a request, in their order.
 *
 * A request is taken whole or not at all. When one is refused, the daemon's path ("rows[3].zone")
 * leads back to file, line and column. What went before stays written, and running the import
 * again is harmless: a row that is there already stays as it is.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/import.h"

#define PORTION_ROWS_MAX 64
#define PORTION_BYTES_MAX (12 * 1024)

/* "rows[3].zone": 3, and the rest behind the dot. -1: no such path. */
static long path_row(const char *path, const char **ret_member)
{
    char *end;
    long row;

    *ret_member = "";
    if (strncmp(path, "rows[", 5) != 0)
        return -1;
    row = strtol(path + 5, &end, 10);
    if (*end != ']')
        return -1;
    *ret_member = end[1] == '.' ? end + 2 : end + 1;
    return row;
}

static void say_refused(const struct import *import, const struct ctl *ctl, size_t first,
                        size_t count, cJSON *reply)
{
    const char *member;
    long at = path_row(ctl_text_of(reply, "at"), &member);
    char words[2000];

    if (ctl->conf.json)
        return;
    if (at >= 0 && (size_t)at < count) {
        const struct import_row *row = &import->rows[first + (size_t)at];

        fprintf(stderr, CTL_T("%s: line %zu: %s: ", "%s:第 %zu 行:%s:"), import->files[row->file],
                row->line, *member ? member : row->key);
        cJSON_DeleteItemFromObjectCaseSensitive(reply, "at");
    } else {
        const struct import_row *row = &import->rows[first];

        fprintf(stderr, CTL_T("%s: from line %zu on: ", "%s:自第 %zu 行起:"),
                import->files[row->file], row->line);
    }
    ctl_refusal(CTL_T("refused", "被拒绝"), reply, words, sizeof words);
    fprintf(stderr, "%s\n", words);
}

static void progress(const struct ctl *ctl, size_t done, size_t all)
{
    if (ctl->conf.quiet || ctl->conf.json || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, CTL_T("\rwriting %zu of %zu%s", "\r已写入 %zu / %zu%s"), done, all,
            done == all ? "\n" : "");
}

/* Members with as many rows as fit; *ret_count tells how many. */
static cJSON *portion(const struct import *import, size_t first, size_t *ret_count)
{
    cJSON *members = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(members, "rows");
    size_t bytes = 0, count = 0;

    while (first + count < import->row_count && count < PORTION_ROWS_MAX) {
        const struct import_row *row = &import->rows[first + count];
        char *text = cJSON_PrintUnformatted(row->json);
        size_t len = text ? strlen(text) + 1 : PORTION_BYTES_MAX;

        cJSON_free(text);
        if (row->kind != import->rows[first].kind || (count && bytes + len > PORTION_BYTES_MAX))
            break;
        cJSON_AddItemToArray(rows, cJSON_Duplicate(row->json, 1));
        bytes += len;
        count++;
    }
    *ret_count = count;
    return members;
}

/* ctl_ask complains by itself; here the place in the files comes first. */
static int ask_quietly(struct ctl *ctl, cJSON *members, cJSON **ret_reply)
{
    bool json = ctl->conf.json;
    int rc;

    ctl->conf.json = true;
    rc = ctl_ask(ctl, "admin.put", members, ret_reply);
    ctl->conf.json = json;
    return rc;
}

int import_send(struct import *import, struct ctl *ctl)
{
    size_t done = 0;
    int rc = CTL_EXIT_OK;

    while (done < import->row_count && rc == CTL_EXIT_OK) {
        size_t count;
        cJSON *members = portion(import, done, &count), *reply = NULL;

        rc = ask_quietly(ctl, members, &reply);
        cJSON_Delete(members);
        if (rc == CTL_EXIT_OK) {
            done += count;
            progress(ctl, done, import->row_count);
        } else if (reply) {
            if (done)
                progress(ctl, done, import->row_count);
            if (ctl->conf.json)
                ctl_print_json(reply);
            say_refused(import, ctl, done, count, reply);
        }
        cJSON_Delete(reply);
    }
    if (rc != CTL_EXIT_OK && !ctl->conf.json)
        ctl_complain(
            CTL_T("stopped: %zu of %zu rows are written. Mend it and run the import again; "
                  "what is there already stays as it is",
                  "已中止:已写入 %zu / %zu 行。修正后重新导入即可,已有数据不受影响"),
            done, import->row_count);
    return rc;
}
