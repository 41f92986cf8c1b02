/* record.c - descriptors of all records, made from the lists in records.h, and their bytes.
 *
 *   packed: | length of the rest (varint) | field 1 | field 2 | ... |   zeros at the end left out
 *   field:  varint of 7 bits a byte, low bits first; signed ones zigzag (0 -1 1 -2 -> 0 1 2 3)
 */
#include "tide/records.h"

#include <string.h>

#include "tide/check.h"

/* ---- names of enum members ---------------------------------------------------------------- */
#define NAME_(P, number, name) [number] = #name,
#define NAMES_(set, P) static const char *const set##_names[] = {TIDE_ENUM_##set(NAME_, P)};
TIDE_ENUMS(NAMES_)
#undef NAMES_
#undef NAME_

struct enum_names {
    const char *const *names;
    size_t count;
};

static const struct enum_names enums[] = {
#define SET_(set, P) {set##_names, sizeof set##_names / sizeof *set##_names},
    TIDE_ENUMS(SET_)
#undef SET_
};

static const struct enum_names *enum_of(unsigned field_type)
{
    if (field_type <= TIDE_FT_ENUMS || field_type >= TIDE_FT_COUNT)
        return NULL;
    return &enums[field_type - TIDE_FT_ENUMS - 1];
}

const char *tide_enum_name(unsigned field_type, unsigned value)
{
    const struct enum_names *set = enum_of(field_type);
    return set != NULL && value < set->count ? set->names[value] : NULL;
}

int tide_enum_value(unsigned field_type, const char *name, size_t len)
{
    const struct enum_names *set = enum_of(field_type);
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        const char *member = set->names[i];
        if (member != NULL && strlen(member) == len && memcmp(member, name, len) == 0)
            return (int)i;
    }
    return -1;
}

/* ---- descriptors ------------------------------------------------------------------------- */
#define SIGNED_(ctype) ((ctype)-1 < (ctype)1)
#define FIELD_(owner, type, member)                                                                \
    {#member, (uint16_t)offsetof(struct tide_##owner, member), sizeof(tide_field_##type),          \
     SIGNED_(tide_field_##type), TIDE_FT_##type},
#define FIELDS_(number, name, keys)                                                                \
    static const struct tide_field name##_fields[] = {TIDE_FIELDS_##name(FIELD_, name)};
TIDE_RECORDS(FIELDS_)
#undef FIELDS_
#undef FIELD_
#undef SIGNED_

static const struct tide_record records[TIDE_REC_MAX] = {
#define RECORD_(number, rec, keys)                                                                 \
    [number] = {#rec,                                                                              \
                rec##_fields,                                                                      \
                sizeof(struct tide_##rec),                                                         \
                number,                                                                            \
                sizeof rec##_fields / sizeof *rec##_fields,                                        \
                keys},
    TIDE_RECORDS(RECORD_)
#undef RECORD_
};

const struct tide_record *tide_record_of(unsigned kind)
{
    return kind < TIDE_REC_MAX && records[kind].fields != NULL ? &records[kind] : NULL;
}

unsigned tide_record_named(const char *name)
{
    for (unsigned kind = 0; kind < TIDE_REC_MAX; kind++)
        if (records[kind].name != NULL && strcmp(records[kind].name, name) == 0)
            return kind;
    return 0;
}

/* ---- one field ----------------------------------------------------------------------------- */
#define GET_(ctype)                                                                                \
    {                                                                                              \
        ctype value;                                                                               \
        memcpy(&value, at, sizeof value);                                                          \
        return (int64_t)value;                                                                     \
    }

static inline int64_t get(const struct tide_field *field, const void *record)
{
    const uint8_t *at = (const uint8_t *)record + field->offset;
    switch (field->width) {
    case 1:
        return *at;
    case 2:
        GET_(uint16_t)
    case 4:
        if (field->is_signed)
            GET_(int32_t)
        else
            GET_(uint32_t)
    default:
        CHECK(field->width == 8 && field->is_signed);
        GET_(int64_t)
    }
}
#undef GET_

int64_t tide_field_get(const struct tide_field *field, const void *record)
{
    return get(field, record);
}

void tide_field_set(const struct tide_field *field, void *record, int64_t value)
{
    uint8_t *at = (uint8_t *)record + field->offset;
    uint64_t bits = (uint64_t)value;
    uint16_t two = (uint16_t)bits;
    uint32_t four = (uint32_t)bits;
    switch (field->width) {
    case 1:
        *at = (uint8_t)bits;
        break;
    case 2:
        memcpy(at, &two, sizeof two);
        break;
    case 4:
        memcpy(at, &four, sizeof four);
        break;
    default:
        memcpy(at, &bits, sizeof bits);
    }
}

bool tide_field_fits(const struct tide_field *field, int64_t value)
{
    if (field->width == 8)
        return true;
    int64_t range = (int64_t)1 << (8 * field->width);
    if (field->is_signed)
        return value >= -range / 2 && value < range / 2;
    if (value < 0 || value >= range)
        return false;
    if (field->type == TIDE_FT_flag)
        return value <= 1;
    return field->type <= TIDE_FT_ENUMS || tide_enum_name(field->type, (unsigned)value) != NULL;
}

/* ---- bytes ---------------------------------------------------------------------------------- */
static size_t varint_put(uint8_t *out, size_t cap, uint64_t value)
{
    size_t n = 0;
    do {
        if (n == cap)
            return 0;
        out[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
    return n;
}

static size_t varint_get(const uint8_t *in, size_t len, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t n = 0; n < len && n < 10; n++) {
        uint64_t bits = in[n] & 0x7f;
        if (n == 9 && bits > 1)
            return 0;
        value |= bits << (7 * n);
        if ((in[n] & 0x80) == 0) {
            *ret = value;
            return n + 1;
        }
    }
    return 0;
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t bits)
{
    return (int64_t)((bits >> 1) ^ (0 - (bits & 1)));
}

#define PACKED_MAX 320 /* of a record's fields, each as long as can be */

static size_t long_put(uint8_t *out, uint64_t bits)
{
    size_t len = 0;
    for (; bits > 0x7f; bits >>= 7)
        out[len++] = (uint8_t)(bits | 0x80);
    out[len++] = (uint8_t)bits;
    return len;
}

/* Appends a field; *used is where the last one that is not 0 ends. */
__attribute__((always_inline)) static inline size_t field_put(uint8_t body[PACKED_MAX], size_t len,
                                                              uint64_t bits, size_t *used)
{
    if (bits <= 0x7f) /* most are */
        body[len++] = (uint8_t)bits;
    else
        len += long_put(body + len, bits);
    if (bits != 0)
        *used = len;
    return len;
}

/* A function a record: a decision writes many, and every field at its own place costs little. */
#define SIGNED_(ctype) ((ctype)-1 < (ctype)1)
#define PUT_(owner, type, member)                                                                  \
    len = field_put(                                                                               \
        body, len,                                                                                 \
        SIGNED_(tide_field_##type) ? zigzag((int64_t)row->member) : (uint64_t)row->member, &used);
#define LONGEST_(owner, type, member) +(sizeof(tide_field_##type) * 8 + 6) / 7
#define PACKER_(number, name, keys)                                                                \
    _Static_assert((TIDE_FIELDS_##name(LONGEST_, name)) <= PACKED_MAX, "a record fits");           \
    static size_t pack_##name(const void *record, uint8_t body[PACKED_MAX])                        \
    {                                                                                              \
        const struct tide_##name *row = record;                                                    \
        size_t len = 0, used = 0;                                                                  \
        TIDE_FIELDS_##name(PUT_, name);                                                            \
        (void)len;                                                                                 \
        return used;                                                                               \
    }
TIDE_RECORDS(PACKER_)
#undef PACKER_
#undef LONGEST_
#undef PUT_
#undef SIGNED_

static size_t (*const packers[TIDE_REC_MAX])(const void *record, uint8_t body[PACKED_MAX]) = {
#define RECORD_(number, rec, keys) [number] = pack_##rec,
    TIDE_RECORDS(RECORD_)
#undef RECORD_
};

size_t tide_record_pack(const struct tide_record *desc, const void *record, uint8_t *out,
                        size_t cap)
{
    uint8_t body[PACKED_MAX];
    CHECK(packers[desc->kind] != NULL);
    size_t used = packers[desc->kind](record, body), head = varint_put(out, cap, used);
    if (head == 0 || used > cap - head)
        return 0;
    memcpy(out + head, body, used);
    return head + used;
}

size_t tide_record_unpack(const struct tide_record *desc, const uint8_t *in, size_t len, void *ret)
{
    uint64_t body = 0;
    size_t at = varint_get(in, len, &body);
    memset(ret, 0, desc->size);
    if (at == 0 || body > len - at)
        return 0;
    size_t end = at + (size_t)body;
    for (unsigned i = 0; i < desc->field_count && at < end; i++) {
        const struct tide_field *field = &desc->fields[i];
        uint64_t bits = 0;
        size_t n = varint_get(in + at, end - at, &bits);
        if (n == 0 || (!field->is_signed && bits > INT64_MAX))
            return 0;
        int64_t value = field->is_signed ? unzigzag(bits) : (int64_t)bits;
        if (!tide_field_fits(field, value))
            return 0;
        tide_field_set(field, ret, value);
        at += n;
    }
    return end; /* fields that a newer version appended are passed over */
}
