/* effect.c - the bytes of events and effects: how the journal and everybody who walks it see them.
 *
 *   event:    | kind u8 | user u32le | record packed | blob length u32le | blob |
 *   effects:  | verb u8 | kind u8 | record packed |  again and again
 */
#include <string.h>

#include "tide/bytes.h"
#include "tide/check.h"
#include "tide/engine.h"

bool engine_effect_skip(const uint8_t *buf, size_t len, size_t *offset, unsigned *ret_verb,
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

bool engine_effect_next(const uint8_t *buf, size_t len, size_t *offset, enum engine_verb *ret_verb,
                        unsigned *ret_kind, union tide_any *ret_record)
{
    size_t at = *offset;
    if (len - at < 3)
        return false;
    unsigned verb = buf[at];
    const struct tide_record *desc = tide_record_of(buf[at + 1]);
    if (verb < ENGINE_PUT || verb > ENGINE_ITEM || desc == NULL)
        return false;
    size_t used = tide_record_unpack(desc, buf + at + 2, len - at - 2, ret_record);
    if (used == 0)
        return false;
    *ret_verb = (enum engine_verb)verb;
    *ret_kind = desc->kind;
    *offset = at + 2 + used;
    return true;
}

size_t engine_event_pack(const struct engine_event *event, uint8_t *out, size_t cap)
{
    const struct tide_record *desc = tide_record_of(event->kind);
    CHECK(desc != NULL && desc->key_count == 0);
    CHECK(event->blob_len == 0 || event->blob != NULL);
    if (cap < 5)
        return 0;
    out[0] = event->kind;
    tide_little_put(out + 1, event->user, 4);
    size_t used = tide_record_pack(desc, &event->as, out + 5, cap - 5);
    if (used == 0 || cap - 5 - used < 4 + (size_t)event->blob_len)
        return 0;
    size_t at = 5 + used;
    tide_little_put(out + at, event->blob_len, 4);
    if (event->blob_len > 0)
        memcpy(out + at + 4, event->blob, event->blob_len);
    return at + 4 + event->blob_len;
}

size_t engine_event_unpack(const uint8_t *in, size_t len, struct engine_event *ret)
{
    struct engine_event event;
    memset(&event, 0, sizeof event);
    if (len < 5)
        return 0;
    const struct tide_record *desc = tide_record_of(in[0]);
    if (desc == NULL || desc->key_count != 0 || desc->kind < 100 || desc->kind > 199)
        return 0;
    event.kind = in[0];
    event.user = (uint32_t)tide_little_get(in + 1, 4);
    size_t used = tide_record_unpack(desc, in + 5, len - 5, &event.as);
    if (used == 0 || len - 5 - used < 4)
        return 0;
    size_t at = 5 + used;
    event.blob_len = (uint32_t)tide_little_get(in + at, 4);
    if (event.blob_len > TIDE_EVENT_BLOB_BYTES_MAX || len - at - 4 < event.blob_len)
        return 0;
    event.blob = event.blob_len > 0 ? in + at + 4 : NULL;
    *ret = event;
    return at + 4 + event.blob_len;
}
