/* import_fit.c - a row as the daemon will read it, before it is sent.
 *
 * The checks of cells know what people write; the protocol's own decoder knows what is a message.
 * Each row goes through it here, against a directory in which every name is known, so that what a
 * file is refused for by the daemon is only what the daemon alone can know. */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"
#include "protocol/codec.h"

static tide_id any_name(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    (void)arg;
    (void)kind;
    (void)text;
    (void)len;
    return 1;
}

static int any_text(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    (void)arg;
    (void)kind;
    (void)id;
    (void)text;
    (void)len;
    return 0;
}

static const char *no_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    (void)arg;
    (void)kind;
    (void)id;
    return NULL;
}

/* "rows[0].zone" is about the column zone, "rows[0]" about the row. */
static const char *column_of(const char *path)
{
    const char *dot = strchr(path, '.');
    return dot ? dot + 1 : "";
}

bool import_fits(const cJSON *row, char ret_column[64], const char **ret_why)
{
    static const struct tide_names names = {NULL, any_name, any_name, any_text, no_text};
    static struct tide_request request;
    struct tide_fault fault;
    cJSON *body = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(body, "rows");
    bool fits = false;

    *ret_why = CTL_T("no memory", "内存不足");
    ret_column[0] = '\0';
    cJSON_AddStringToObject(body, "rid", "import");
    cJSON_AddStringToObject(body, "expires", "2000-01-01T00:00:00Z");
    cJSON_AddItemReferenceToArray(rows, (cJSON *)(uintptr_t)row);
    char *text = cJSON_PrintUnformatted(body);
    if (text != NULL) {
        fits = tide_decode_request(tide_op_find("admin.put"), (const uint8_t *)text, strlen(text),
                                   &names, 480, &request, &fault) == 0;
        if (!fits) {
            snprintf(ret_column, 64, "%s", column_of(fault.path));
            *ret_why = fault.what;
        }
    }
    cJSON_free(text);
    cJSON_Delete(body);
    return fits;
}
