/* fuzz_list.c - the gateway's list of passes: from the daemon, line by line, and from its file.
 *
 *   {"ver":8,"pages":2,"page":0,"passes":[...]}\n{...}    bodies of down/list
 *   @<bytes>                                              a file on disk, its CRC put right
 *   *<bytes>                                              the same of a camera's white list
 *
 * Properties: sorted, one row a plate; written and read again it is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clients/gateway/listfile.h"
#include "clients/gateway/passes.h"
#include "clients/gateway/whitelist.h"
#include "tests/fuzz/support.h"

static void check_sorted(const struct gw_passes *passes)
{
    for (size_t i = 1; i < passes->count; i++)
        if (strcmp(passes->rows[i - 1].plate, passes->rows[i].plate) >= 0)
            fuzz_fail("a plate stands once, in its order");
}

static void round_trip(const struct gw_passes *passes)
{
    size_t len = 0;
    struct gw_passes again = {.count = 0};
    char *text = gw_passes_write(passes, &len);
    if (text == NULL)
        fuzz_fail("there is memory");
    if (gw_passes_read(&again, fuzz_file((const uint8_t *)text, len)) != 0)
        fuzz_fail("what was written can be read");
    if (again.count != passes->count || again.ver != passes->ver)
        fuzz_fail("written and read, it is the same");
    for (size_t i = 0; i < again.count; i++)
        if (strcmp(again.rows[i].plate, passes->rows[i].plate) != 0 ||
            again.rows[i].from_ms != passes->rows[i].from_ms ||
            again.rows[i].until_ms != passes->rows[i].until_ms)
            fuzz_fail("written and read, each row is the same");
    gw_passes_done(&again);
    free(text);
}

static void from_daemon(const uint8_t *data, size_t size)
{
    struct gw_passes passes = {.count = 0};
    for (unsigned lines = 0; size > 0 && lines < 16; lines++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end == NULL ? size : (size_t)(end - data);
        cJSON *body = fuzz_slim(data, len);
        if (body != NULL)
            (void)gw_passes_take(&passes, body);
        cJSON_Delete(body);
        check_sorted(&passes);
        data += len;
        size -= len;
        if (end != NULL) {
            data++;
            size--;
        }
    }
    (void)gw_passes_may(&passes, "浙FA1234", 1558346400000);
    round_trip(&passes);
    gw_passes_done(&passes);
}

/* The bytes with a sound checksum behind, as a file. */
static const char *sealed(const uint8_t *bytes, size_t len)
{
    static char text[8192];
    size_t used = len < sizeof text - 64 ? len : sizeof text - 64;
    memcpy(text, bytes, used);
    used = gw_listfile_seal(text, used);
    return fuzz_file((const uint8_t *)text, used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '@') {
        struct gw_passes passes = {.count = 0};
        if (gw_passes_read(&passes, sealed(data + 1, size - 1)) == 0) {
            check_sorted(&passes);
            round_trip(&passes);
        }
        gw_passes_done(&passes);
    } else if (size > 0 && data[0] == '*') {
        struct gw_whitelist list = {.count = 0};
        if (gw_whitelist_read(&list, sealed(data + 1, size - 1)) == 0 && list.todo > list.count)
            fuzz_fail("no more is to be done than there is");
        free(list.rows);
    } else {
        from_daemon(data, size);
    }
    return 0;
}
