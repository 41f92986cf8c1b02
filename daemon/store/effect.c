/* effect.c - the bytes of effects without reading each record, and the bytes of an origin.
 *
 *   effects: | verb u8 | kind u8 | length varint | fields |  again and again (engine.h, records.h)
 *   origin:  | user u32le | expires i64le | digest 16 | rid, the rest |
 */
#include <assert.h>
#include <string.h>

#include "daemon/store/internal.h"

bool store_effect_skip(const uint8_t *buf, size_t len, size_t *offset, unsigned *ret_verb,
                       unsigned *ret_kind, size_t *ret_record_at)
{
    size_t at = *offset;
    if (len - at < 3)
        return false;
    unsigned verb = buf[at], kind = buf[at + 1];
    size_t record = at + 2, body = 0;
    at = record;
    for (unsigned shift = 0;; shift += 7) {
        if (at == len || shift > 14)
            return false;
        body |= (size_t)(buf[at] & 0x7f) << shift;
        if ((buf[at++] & 0x80) == 0)
            break;
    }
    if (body > len - at || verb < ENGINE_PUT || verb > ENGINE_ITEM)
        return false;
    *ret_verb = verb;
    *ret_kind = kind;
    *ret_record_at = record;
    *offset = at + body;
    return true;
}

static void number_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t number_get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

size_t store_origin_pack(const struct store_origin *origin, uint8_t *out)
{
    size_t len = strnlen(origin->rid, sizeof origin->rid);
    assert(len <= TIDE_RID_BYTES_MAX);
    number_put(out, origin->user, 4);
    number_put(out + 4, (uint64_t)origin->expires_ms, 8);
    memcpy(out + 12, origin->digest, 16);
    memcpy(out + 28, origin->rid, len);
    return 28 + len;
}

bool store_origin_unpack(const uint8_t *in, size_t len, struct store_origin *ret)
{
    if (len < 28 || len > STORE_ORIGIN_BYTES_MAX)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->user = (tide_id)number_get(in, 4);
    ret->expires_ms = (tide_ms)number_get(in + 4, 8);
    memcpy(ret->digest, in + 12, 16);
    memcpy(ret->rid, in + 28, len - 28);
    return true;
}
