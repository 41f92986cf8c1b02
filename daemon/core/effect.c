/* effect.c - the bytes of events and effects: how the journal and everybody who walks it see them.
 *
 *   event:    | kind u8 | user u32le | record packed | blob length u32le | blob |
 *   effects:  | verb u8 | kind u8 | record packed |  again and again
 */
#include <string.h>

#include "tide/check.h"
#include "tide/engine.h"

/* Verb and kind of the effect at `at`; NULL at the end or at bytes that are none. */
static const struct tide_record *head_of(const uint8_t *buf, size_t len, size_t at,
                                         enum engine_verb *ret_verb)
{
    if (len - at < 3 || buf[at] < ENGINE_PUT || buf[at] > ENGINE_ITEM)
        return NULL;
    *ret_verb = (enum engine_verb)buf[at];
    return tide_record_of(buf[at + 1]);
}

bool engine_effect_next(const uint8_t *buf, size_t len, size_t *offset, enum engine_verb *ret_verb,
                        unsigned *ret_kind, union tide_any *ret_record)
{
    size_t at = *offset;
    enum engine_verb verb;
    const struct tide_record *desc = head_of(buf, len, at, &verb);
    size_t used = 0;
    if (desc != NULL)
        used = tide_record_unpack(desc, buf + at + 2, len - at - 2, ret_record);
    if (used == 0)
        return false;
    *ret_verb = verb;
    *ret_kind = desc->kind;
    *offset = at + 2 + used;
    return true;
}

bool engine_effect_skip(const uint8_t *buf, size_t len, size_t *offset, enum engine_verb *ret_verb,
                        unsigned *ret_kind)
{
    size_t at = *offset;
    enum engine_verb verb;
    const struct tide_record *desc = head_of(buf, len, at, &verb);
    size_t used = desc != NULL ? tide_record_bytes(buf + at + 2, len - at - 2) : 0;
    if (used == 0)
        return false;
    *ret_verb = verb;
    *ret_kind = desc->kind;
    *offset = at + 2 + used;
    return true;
}

static void u32_put(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t u32_get(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

size_t engine_event_pack(const struct engine_event *event, uint8_t *out, size_t cap)
{
    const struct tide_record *desc = tide_record_of(event->kind);
    CHECK(desc != NULL && desc->key_count == 0);
    CHECK(event->blob_len == 0 || event->blob != NULL);
    if (cap < 5)
        return 0;
    out[0] = event->kind;
    u32_put(out + 1, event->user);
    size_t used = tide_record_pack(desc, &event->as, out + 5, cap - 5);
    if (used == 0 || cap - 5 - used < 4 + (size_t)event->blob_len)
        return 0;
    size_t at = 5 + used;
    u32_put(out + at, event->blob_len);
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
    if (desc == NULL || desc->key_count != 0 || desc->kind < 100 || desc->kind > 169)
        return 0;
    event.kind = in[0];
    event.user = u32_get(in + 1);
    size_t used = tide_record_unpack(desc, in + 5, len - 5, &event.as);
    if (used == 0 || len - 5 - used < 4)
        return 0;
    size_t at = 5 + used;
    event.blob_len = u32_get(in + at);
    if (event.blob_len > TIDE_EVENT_BLOB_BYTES_MAX || len - at - 4 < event.blob_len)
        return 0;
    event.blob = event.blob_len > 0 ? in + at + 4 : NULL;
    *ret = event;
    return at + 4 + event.blob_len;
}
