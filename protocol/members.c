/* members.c - how fields are called and written on the wire, and which names are names.
 *
 * Nearly always a member is called as its field; the exceptions all stand in wire_member_name.
 */
#include <string.h>

#include "protocol/wire.h"
#include "tide/credential.h"

static bool ends_with(const char *name, size_t len, const char *tail)
{
    size_t n = strlen(tail);
    return len > n && memcmp(name + len - n, tail, n) == 0;
}

size_t wire_record_name_len(const struct tide_record *desc)
{
    size_t len = strlen(desc->name);
    return ends_with(desc->name, len, "_row") ? len - 4 : len;
}

void wire_member_name(const struct tide_record *desc, const struct tide_field *field,
                      const char **ret_name, size_t *ret_len)
{
    const char *name = field->name;
    size_t len = strlen(name);
    if (field == desc->fields && desc->key_count == 1 && strcmp(name, "id") == 0) {
        name = desc->name; /* a row's own id goes under the row's name */
        len = wire_record_name_len(desc);
    } else if (field->type == TIDE_FT_time && ends_with(name, len, "_ms")) {
        len -= 3;
    } else if (field->type == TIDE_FT_dayminute && ends_with(name, len, "_min")) {
        len -= 4;
    }
    *ret_name = name;
    *ret_len = len;
}

const struct tide_field *wire_member_field(const struct tide_record *desc, const char *name)
{
    size_t len = strlen(name);
    for (unsigned i = 0; i < desc->field_count; i++) {
        const char *member;
        size_t member_len;
        wire_member_name(desc, &desc->fields[i], &member, &member_len);
        if (member_len == len && memcmp(member, name, len) == 0)
            return &desc->fields[i];
    }
    /* A fact says when it was by the device's clock: its only time is called `at`. */
    return strcmp(name, "at") == 0 ? wire_member_field(desc, "device") : NULL;
}

enum tide_name_kind wire_name_kind(unsigned field_type)
{
    switch (field_type) {
    case TIDE_FT_place:
        return TIDE_NAME_KIND_place;
    case TIDE_FT_person:
        return TIDE_NAME_KIND_person;
    case TIDE_FT_user:
        return TIDE_NAME_KIND_user;
    case TIDE_FT_plate:
        return TIDE_NAME_KIND_plate;
    case TIDE_FT_zone:
        return TIDE_NAME_KIND_zone;
    case TIDE_FT_slot:
        return TIDE_NAME_KIND_slot;
    case TIDE_FT_lane:
        return TIDE_NAME_KIND_lane;
    default:
        return TIDE_NAME_KIND_none;
    }
}

bool wire_is_number_id(unsigned field_type)
{
    return field_type >= TIDE_FT_window && field_type <= TIDE_FT_waiting;
}

const char *wire_mask_word(unsigned field_type, unsigned bit)
{
    static const char *const days[] = {"workday", "restday", "holiday", "eve", NULL};
    static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
    static const char *const sense[] = {"gate", "sensor", "hand", NULL};
    const char *const *words = field_type == TIDE_FT_days       ? days
                               : field_type == TIDE_FT_weekdays ? weekdays
                                                                : sense;
    for (unsigned i = 0; words[i] != NULL; i++)
        if (i == bit)
            return words[i];
    return NULL;
}

/* ---- what may be a name ---------------------------------------------------------------------- */
/* Bytes of UTF-8 (valid already) that nobody sees or that turn the text around: control
 * characters, zero widths, marks of direction, line separators, the byte order mark. */
static bool is_hidden(const unsigned char *p)
{
    if (p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0))
        return true;
    if (p[0] == 0xe2 && p[1] == 0x80)
        return (p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae);
    if (p[0] == 0xe2 && p[1] == 0x81)
        return p[2] >= 0xa0 && p[2] <= 0xaf;
    return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
}

static bool is_user_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static const char *phone_fault(const char *text, size_t len)
{
    bool digits = strspn(text, "+0123456789 -") == len && strpbrk(text, "0123456789") != NULL;
    return digits && len >= 3 && len <= 32 ? NULL : "not a phone number";
}

static const char *text_fault(const char *text, size_t len, size_t max)
{
    if (len == 0)
        return "empty";
    if (len > max)
        return "too long";
    if (text[0] == ' ' || text[len - 1] == ' ')
        return "a blank at an end";
    for (size_t i = 0; i < len; i++)
        if (is_hidden((const unsigned char *)text + i))
            return "a hidden character";
    return NULL;
}

const char *wire_name_fault(enum tide_name_kind kind, const char *text, size_t len)
{
    const char *what;
    switch (kind) {
    case TIDE_NAME_KIND_credential:
        return tide_credential_ok(text) ? NULL : "not a $7$ hash";
    case TIDE_NAME_KIND_phone:
        return phone_fault(text, len);
    case TIDE_NAME_KIND_full_name:
    case TIDE_NAME_KIND_title:
    case TIDE_NAME_KIND_zone_title:
        return text_fault(text, len, 2 * TIDE_NAME_BYTES_MAX);
    default:
        break;
    }
    what = text_fault(text, len, TIDE_NAME_BYTES_MAX);
    if (what != NULL)
        return what;
    if (kind == TIDE_NAME_KIND_user) {
        for (size_t i = 0; i < len; i++)
            if (!is_user_letter(text[i]))
                return "not a user's name";
    }
    if (kind == TIDE_NAME_KIND_zone || kind == TIDE_NAME_KIND_lane) {
        if (strpbrk(text, "/+#") != NULL)
            return "a character that no topic may have";
        if (kind == TIDE_NAME_KIND_zone && strcmp(text, "others") == 0)
            return "the name of the merged zones";
    }
    return NULL;
}
