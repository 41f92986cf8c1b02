/* origin.c - the bytes of an origin: who asked, and under which rid.
 *
 *   | user u32le | expires i64le | digest 16 | rid, the rest |
 */
#include <assert.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "tide/bytes.h"

size_t store_origin_pack(const struct store_origin *origin, uint8_t *out)
{
    size_t len = strnlen(origin->rid, sizeof origin->rid);
    assert(len <= TIDE_RID_BYTES_MAX);
    tide_little_put(out, origin->user, 4);
    tide_little_put(out + 4, (uint64_t)origin->expires_ms, 8);
    memcpy(out + 12, origin->digest, 16);
    memcpy(out + 28, origin->rid, len);
    return 28 + len;
}

bool store_origin_unpack(const uint8_t *in, size_t len, struct store_origin *ret)
{
    if (len < 28 || len > STORE_ORIGIN_BYTES_MAX)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->user = (tide_id)tide_little_get(in, 4);
    ret->expires_ms = (tide_ms)tide_little_get(in + 4, 8);
    memcpy(ret->digest, in + 12, 16);
    memcpy(ret->rid, in + 28, len - 28);
    return true;
}
