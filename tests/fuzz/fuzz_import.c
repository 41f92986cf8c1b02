/* fuzz_import.c - any file as a table of the neighbourhood: UTF-8, UTF-16, GB18030.
 *
 * Properties: taken, or a fault with its line; and what was taken without a fault the daemon's
 * decoder takes as well, but for names that it does not know. */
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"
#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static void check_row(const struct import_row *row)
{
    static struct tide_request request;
    struct tide_fault fault = {.path = ""};
    char *json = cJSON_PrintUnformatted(row->json);
    if (json == NULL)
        fuzz_fail("there is memory");
    size_t cap = strlen(json) + 128;
    char *body = malloc(cap);
    if (body == NULL)
        fuzz_fail("there is memory");
    int len = snprintf(body, cap,
                       "{\"rid\":\"r\",\"expires\":\"2030-01-01T00:00:00Z\",\"rows\":[%s]}", json);
    fuzz_names_reset();
    if (len < 12 * 1024 &&
        tide_decode_request(tide_op_find("admin.put"), (const uint8_t *)body, (size_t)len,
                            fuzz_names(), 480, &request, &fault) != 0 &&
        fault.code != TIDE_CODE_not_found) {
        fprintf(stderr, "%s\n%s at %s\n", json, fault.what, fault.path);
        fuzz_fail("what the import lets through the daemon takes");
    }
    free(body);
    cJSON_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import import = {.file_count = 1, .files = {"a.csv"}};
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        fuzz_fail("there is memory");
    if (size > 0)
        memcpy(exact, data, size);
    import_bytes(&import, 0, (const char *)exact, size);
    free(exact);
    size_t faults = import.fault_count;
    for (size_t i = 0; i < faults; i++)
        if (import.faults[i].words[0] == '\0')
            fuzz_fail("a fault says what is wrong");
    for (size_t i = 0; i < import.row_count && faults == 0; i++)
        check_row(&import.rows[i]);
    import_link(&import);
    import_clear(&import);
    return 0;
}
