/* slim.c - what devices say, as the gateway reads it. */
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/json.h"
#include "tests/fuzz/support.h"

cJSON *fuzz_slim(const uint8_t *bytes, size_t len)
{
    static char slim[GW_JSON_SLIM_MAX];
    const char *why = NULL;
    uint8_t *exact = malloc(len > 0 ? len : 1); /* one byte too many is seen */
    if (exact == NULL)
        fuzz_fail("there is memory");
    if (len > 0)
        memcpy(exact, bytes, len);
    size_t left = gw_json_slim(exact, len, slim, sizeof slim, &why);
    free(exact);
    if (left == 0) {
        if (why == NULL)
            fuzz_fail("a refusal says why");
        return NULL;
    }
    cJSON *body = cJSON_ParseWithLength(slim, left);
    if (body == NULL)
        fuzz_fail("what the walk lets through is JSON");
    return body;
}
