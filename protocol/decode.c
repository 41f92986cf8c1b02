/* decode.c - an object on the wire becomes a record, by the shape in messages.def.
 *
 *     {"plate":"浙F·12345","zone":"A","start":"...T18:00+08:00","for":"3-2-501"}
 *        │ normalise, find or make   │ find    │ parse              │ household or person
 *     struct tide_book {.plate = 7, .zone = 1, .start_ms = ..., .household = 44}
 *
 * Everything is decoded first with names only looked up (`dry`). Only when the whole message is
 * right and a name in it is new does a second round make it: a fault leaves no trace.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

int wire_refuse(struct wire_decoder *d, enum tide_code code, const char *member, const char *what)
{
    struct tide_fault fault = {.code = code, .what = what, .offset = -1};
    /* Unknown members come from outside and may hold anything: only plain ones are repeated. */
    bool plain = strspn(member, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_$") == strlen(member) &&
                 strlen(member) < WIRE_MEMBER_MAX && (member[0] < '0' || member[0] > '9');
    (void)snprintf(fault.path, sizeof fault.path, "%s%s", d->at, plain ? member : "?");
    size_t len = strlen(fault.path);
    if (len > 0 && fault.path[len - 1] == '.')
        fault.path[len - 1] = '\0'; /* the object itself */
    *d->fault = fault;
    return -1;
}

static int invalid(struct wire_decoder *d, const char *member, const char *what)
{
    return wire_refuse(d, TIDE_CODE_invalid, member, what);
}

/* ---- names ----------------------------------------------------------------------------------- */
static bool is_fresh(const struct wire_decoder *d, enum tide_name_kind kind, const char *text)
{
    for (unsigned i = 0; i < d->fresh_count; i++) {
        const struct wire_new_name *fresh = &d->fresh[i];
        const char *known = fresh->text != NULL ? fresh->text : fresh->plate;
        if (fresh->kind == kind && strcmp(known, text) == 0)
            return true;
    }
    return false;
}

/* The id of a name that is not known yet and may come into being. */
static tide_id make_name(struct wire_decoder *d, enum tide_name_kind kind, const char *text,
                         bool is_plate)
{
    if (!d->dry)
        return d->names->make(d->names->arg, kind, text, strlen(text));
    if (d->fresh_count == TIDE_ITEMS_MAX)
        return 0;
    struct wire_new_name *fresh = &d->fresh[d->fresh_count++];
    fresh->kind = kind;
    fresh->text = is_plate ? NULL : text;
    if (is_plate)
        (void)snprintf(fresh->plate, sizeof fresh->plate, "%s", text);
    return WIRE_ID_DRY;
}

static int decode_name(struct wire_decoder *d, enum tide_name_kind kind, const char *member,
                       const cJSON *value, bool may_make, int64_t *ret)
{
    char plate[16];
    bool is_plate = kind == TIDE_NAME_KIND_plate;
    if (!cJSON_IsString(value))
        return invalid(d, member, "not a text");
    const char *text = value->valuestring;
    size_t len = strlen(text);
    if (is_plate) {
        d->plate_class = tide_plate_normalise(text, len, plate, sizeof plate);
        if (d->plate_class < 0 && d->plate_may_be_garbage && len <= TIDE_NAME_BYTES_MAX) {
            *ret = 0;
            return 0;
        }
        if (d->plate_class < 0)
            return invalid(d, member, "not a plate");
        text = plate;
    } else {
        const char *what = wire_name_fault(kind, text, len);
        if (what != NULL)
            return invalid(d, member, what);
    }
    tide_id id = d->names->find(d->names->arg, kind, text, strlen(text));
    if (id == 0 && d->dry && is_fresh(d, kind, text))
        id = WIRE_ID_DRY;
    if (id == 0 && may_make) {
        id = make_name(d, kind, text, is_plate);
        if (id == 0)
            return wire_refuse(d, TIDE_CODE_unavailable, member, "no room for another name");
    }
    if (id == 0 && !d->name_may_be_unknown && !(is_plate && d->plate_may_be_unknown))
        return wire_refuse(d, TIDE_CODE_not_found, member, "nothing has this name");
    *ret = id;
    return 0;
}

/* "for": a household, or a person by the committee's key. */
static int decode_for(struct wire_decoder *d, const struct tide_record *desc, const cJSON *value,
                      void *record)
{
    const struct tide_field *household = wire_member_field(desc, "household");
    const struct tide_field *person = wire_member_field(desc, "person");
    if (!cJSON_IsString(value))
        return invalid(d, "for", "not a text");
    const char *text = value->valuestring;
    const char *what = wire_name_fault(TIDE_NAME_KIND_person, text, strlen(text));
    if (what != NULL)
        return invalid(d, "for", what);
    const struct tide_field *fields[] = {household, person};
    static const enum tide_name_kind kinds[] = {TIDE_NAME_KIND_place, TIDE_NAME_KIND_person};
    for (unsigned i = 0; i < 2; i++) {
        if (fields[i] == NULL)
            continue;
        tide_id id = d->names->find(d->names->arg, kinds[i], text, strlen(text));
        if (id != 0) {
            tide_field_set(fields[i], record, id);
            return 0;
        }
    }
    return wire_refuse(d, TIDE_CODE_not_found, "for", "nobody has this name");
}

/* ---- values ---------------------------------------------------------------------------------- */
static int decode_mask(struct wire_decoder *d, unsigned type, const char *member,
                       const cJSON *value, int64_t *ret)
{
    int64_t mask = 0;
    if (!cJSON_IsArray(value))
        return invalid(d, member, "not a list");
    const cJSON *word;
    cJSON_ArrayForEach(word, value)
    {
        unsigned bit = 0;
        const char *known = wire_mask_word(type, bit);
        while (known != NULL && (!cJSON_IsString(word) || strcmp(word->valuestring, known) != 0))
            known = wire_mask_word(type, ++bit);
        if (known == NULL)
            return invalid(d, member, "not one of its words");
        if ((mask & ((int64_t)1 << bit)) != 0)
            return invalid(d, member, "a word twice");
        mask |= (int64_t)1 << bit;
    }
    if (mask == 0)
        return invalid(d, member, "empty");
    *ret = mask;
    return 0;
}

static int decode_clock(struct wire_decoder *d, unsigned type, const char *member,
                        const cJSON *value, int64_t *ret)
{
    if (!cJSON_IsString(value))
        return invalid(d, member, "not a text");
    const char *text = value->valuestring;
    size_t len = strlen(text);
    int32_t small = 0;
    if (type == TIDE_FT_time)
        return tide_time_parse(text, len, ret) == 0
                   ? 0
                   : invalid(d, member, "not a time like 2019-05-20T18:00+08:00");
    int error = type == TIDE_FT_date ? tide_date_parse(text, len, &small)
                                     : tide_dayminute_parse(text, len, &small);
    if (error != 0)
        return invalid(d, member,
                       type == TIDE_FT_date ? "not a date like 2019-05-20"
                                            : "not a time of day like 08:30");
    *ret = small;
    return 0;
}

/* Sixteen hexadecimal digits, small letters. */
static int decode_hex(struct wire_decoder *d, const char *member, const cJSON *value, int64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t bits = 0;
    if (!cJSON_IsString(value))
        return invalid(d, member, "not a text");
    const char *text = value->valuestring;
    if (strlen(text) != 16 || strspn(text, digits) != 16)
        return invalid(d, member, "not 16 hexadecimal digits");
    for (unsigned i = 0; i < 16; i++)
        bits = bits << 4 | (uint64_t)(strchr(digits, text[i]) - digits);
    *ret = (int64_t)bits;
    return 0;
}

static int decode_enum(struct wire_decoder *d, unsigned type, const char *member,
                       const cJSON *value, int64_t *ret)
{
    if (!cJSON_IsString(value))
        return invalid(d, member, "not a text");
    int number = tide_enum_value(type, value->valuestring, strlen(value->valuestring));
    if (number < 0 || strcmp(value->valuestring, "none") == 0)
        return invalid(d, member, "not one of its words");
    *ret = number;
    return 0;
}

static int decode_number(struct wire_decoder *d, const struct tide_field *field, const char *member,
                         const cJSON *value, int64_t *ret)
{
    if (!cJSON_IsNumber(value))
        return invalid(d, member, "not a number");
    int64_t number = (int64_t)value->valuedouble; /* the gate lets only exact integers through */
    bool is_cursor = strcmp(member, "after") == 0 || strcmp(member, "before") == 0;
    bool is_percent = strcmp(member, "battery_pct") == 0;
    if (!tide_field_fits(field, number) || (is_percent && number > 100) ||
        (wire_is_number_id(field->type) && !is_cursor && number == 0))
        return invalid(d, member, "out of range");
    *ret = number;
    return 0;
}

static int decode_field(struct wire_decoder *d, const struct tide_record *desc,
                        const struct tide_field *field, const char *member, const cJSON *value,
                        void *record)
{
    int64_t number = 0;
    int error;
    enum tide_name_kind kind = wire_name_kind(field->type);
    if (kind != TIDE_NAME_KIND_none) {
        bool is_key = field == desc->fields && desc->key_count == 1;
        bool may_make = (is_key && d->make_key) || (kind == TIDE_NAME_KIND_plate && d->make_plate);
        error = decode_name(d, kind, member, value, may_make, &number);
    } else if (field->type > TIDE_FT_ENUMS) {
        error = decode_enum(d, field->type, member, value, &number);
    } else {
        switch (field->type) {
        case TIDE_FT_flag:
            if (!cJSON_IsBool(value))
                return invalid(d, member, "not true or false");
            number = cJSON_IsTrue(value) ? 1 : 0;
            error = 0;
            break;
        case TIDE_FT_time:
        case TIDE_FT_date:
        case TIDE_FT_dayminute:
            error = decode_clock(d, field->type, member, value, &number);
            break;
        case TIDE_FT_hex:
            error = decode_hex(d, member, value, &number);
            break;
        case TIDE_FT_days:
        case TIDE_FT_weekdays:
        case TIDE_FT_sense:
            error = decode_mask(d, field->type, member, value, &number);
            break;
        default:
            error = decode_number(d, field, member, value, &number);
        }
    }
    if (error == 0)
        tide_field_set(field, record, number);
    return error;
}

/* ---- texts that go to the directory ---------------------------------------------------------- */
static enum tide_name_kind text_kind(const struct tide_record *desc, const char *member)
{
    if (strcmp(member, "full_name") == 0)
        return TIDE_NAME_KIND_full_name;
    if (strcmp(member, "phone") == 0)
        return TIDE_NAME_KIND_phone;
    if (strcmp(member, "credential") == 0)
        return TIDE_NAME_KIND_credential;
    if (strcmp(member, "title") == 0)
        return desc->kind == TIDE_REC_zone ? TIDE_NAME_KIND_zone_title : TIDE_NAME_KIND_title;
    return TIDE_NAME_KIND_none;
}

static int decode_text(struct wire_decoder *d, enum tide_name_kind kind, const char *member,
                       const cJSON *value)
{
    if (!cJSON_IsString(value))
        return invalid(d, member, "not a text");
    const char *what = wire_name_fault(kind, value->valuestring, strlen(value->valuestring));
    if (what != NULL)
        return invalid(d, member, what);
    if (d->text_count == WIRE_TEXTS_MAX)
        return invalid(d, member, "too many texts");
    d->texts[d->text_count++] = (struct wire_text){kind, value->valuestring};
    return 0;
}

int wire_take_texts(struct wire_decoder *d, struct tide_request *request, tide_id id)
{
    for (unsigned i = 0; i < d->text_count; i++) {
        const struct wire_text *text = &d->texts[i];
        if (request->set_count == TIDE_NAME_SETS_MAX)
            return invalid(d, "", "too many texts");
        struct tide_name_set *set = &request->sets[request->set_count++];
        set->kind = text->kind;
        set->id = id;
        (void)snprintf(set->text, sizeof set->text, "%s", text->text);
    }
    d->text_count = 0;
    return 0;
}

/* ---- what must be there ---------------------------------------------------------------------- */
static int check_required(struct wire_decoder *d, const struct wire_shape *shape, uint32_t seen)
{
    char name[WIRE_MEMBER_MAX];
    for (unsigned i = 0; wire_list_at(shape->required, i, name); i++)
        if ((seen & (1u << i)) == 0)
            return invalid(d, name, "missing");
    return 0;
}

/* seen: bits of the optional members. */
static int check_choice(struct wire_decoder *d, const struct wire_shape *shape, uint32_t seen)
{
    char name[WIRE_MEMBER_MAX], first[WIRE_MEMBER_MAX] = "", last[WIRE_MEMBER_MAX] = "";
    unsigned count = 0;
    if (shape->choice[0] == '\0')
        return 0;
    for (unsigned i = 0; wire_list_at(shape->choice + 1, i, name); i++) {
        int index = wire_list_find(shape->optional, name);
        if (i == 0)
            memcpy(first, name, sizeof first);
        if (index >= 0 && (seen & (1u << index)) != 0) {
            count++;
            memcpy(last, name, sizeof last);
        }
    }
    if (count == 0 && shape->choice[0] != '?')
        return invalid(d, first, "missing, and what may stand for it");
    if (count > 1 && shape->choice[0] != '+')
        return invalid(d, last, "only one of these may be given");
    return 0;
}

static bool given(const struct tide_record *desc, const void *record, const char *member)
{
    const struct tide_field *field = wire_member_field(desc, member);
    return field != NULL && tide_field_get(field, record) != 0;
}

/* A weekly rule has hours, a single opening has a start and an end; neither has the other's. */
static int check_window_kind(struct wire_decoder *d, const struct tide_record *desc,
                             const void *record, bool has_opens)
{
    static const char *const weekly_only[] = {"days", "weekdays", "from_date", "until_date",
                                              "closes"};
    int64_t kind = tide_field_get(wire_member_field(desc, "kind"), record);
    if (kind != TIDE_WINDOW_KIND_weekly && kind != TIDE_WINDOW_KIND_once)
        return invalid(d, "kind", "not one of its words");
    if (kind == TIDE_WINDOW_KIND_weekly) {
        if (!has_opens)
            return invalid(d, "opens", "missing");
        if (!given(desc, record, "closes"))
            return invalid(d, "closes", "missing");
        if (given(desc, record, "start") || given(desc, record, "end"))
            return invalid(d, given(desc, record, "start") ? "start" : "end",
                           "not with kind weekly");
        return 0;
    }
    if (has_opens)
        return invalid(d, "opens", "not with kind once");
    for (size_t i = 0; i < sizeof weekly_only / sizeof *weekly_only; i++)
        if (given(desc, record, weekly_only[i]))
            return invalid(d, weekly_only[i], "not with kind once");
    if (!given(desc, record, "start") || !given(desc, record, "end"))
        return invalid(d, given(desc, record, "start") ? "end" : "start", "missing");
    return 0;
}

/* Hours across midnight, and "every day" when no days are named. */
static void complete_rule(const struct tide_record *desc, void *record)
{
    const struct tide_field *opens = wire_member_field(desc, "opens");
    const struct tide_field *closes = wire_member_field(desc, "closes");
    const struct tide_field *days = wire_member_field(desc, "days");
    const struct tide_field *weekdays = wire_member_field(desc, "weekdays");
    int64_t close = tide_field_get(closes, record);
    if (close <= tide_field_get(opens, record))
        tide_field_set(closes, record, close + 1440);
    if (tide_field_get(days, record) == 0)
        tide_field_set(days, record, TIDE_DAYS_ALL);
    if (tide_field_get(weekdays, record) == 0)
        tide_field_set(weekdays, record, TIDE_WEEKDAYS_ALL);
}

/* What a record of its own kind has to hold besides. */
static int check_record(struct wire_decoder *d, const struct wire_shape *shape, bool has_opens,
                        void *record)
{
    const struct tide_record *desc = tide_record_of(shape->kind);
    const union tide_any *any = record;
    bool is_window = (desc->kind == TIDE_REC_share || desc->kind == TIDE_REC_window) &&
                     wire_list_find(shape->required, "kind") >= 0; /* not when it is dropped */
    if (is_window && check_window_kind(d, desc, record, has_opens) != 0)
        return -1;
    if (has_opens && tide_field_get(wire_member_field(desc, "opens"), record) >= 1440)
        return invalid(d, "opens", "not within the day");
    if (has_opens)
        complete_rule(desc, record);
    if (desc->kind == TIDE_REC_command_done && any->command_done.state != TIDE_COMMAND_STATE_done &&
        any->command_done.state != TIDE_COMMAND_STATE_failed)
        return invalid(d, "state", "not one of its words");
    const struct tide_field *seq = wire_member_field(desc, "seq");
    if (seq != NULL && desc->kind != TIDE_REC_hello && tide_field_get(seq, record) == 0)
        return invalid(d, "seq", "out of range");
    return 0;
}

/* ---- objects --------------------------------------------------------------------------------- */
static int decode_member(struct wire_decoder *d, const struct tide_record *desc, const cJSON *value,
                         void *record)
{
    const char *member = value->string;
    if (strcmp(member, "for") == 0)
        return decode_for(d, desc, value, record);
    const struct tide_field *field = wire_member_field(desc, member);
    if (field != NULL)
        return decode_field(d, desc, field, member, value, record);
    enum tide_name_kind kind = text_kind(desc, member);
    return kind != TIDE_NAME_KIND_none ? decode_text(d, kind, member, value)
                                       : invalid(d, member, "not known here");
}

int wire_decode_object(struct wire_decoder *d, const struct wire_shape *shape,
                       const struct cJSON *object, const char *skip, void *ret_record)
{
    const struct tide_record *desc = tide_record_of(shape->kind);
    uint32_t required = 0, optional = 0;
    bool has_opens = false;
    memset(ret_record, 0, desc->size);
    d->text_count = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, object)
    {
        int r = wire_list_find(shape->required, value->string);
        int o = r < 0 ? wire_list_find(shape->optional, value->string) : -1;
        if (r >= 0)
            required |= 1u << r;
        else if (o >= 0)
            optional |= 1u << o;
        bool skipped = wire_list_find(skip, value->string) >= 0;
        if (r < 0 && o < 0 && !skipped)
            return invalid(d, value->string, "not known here");
        if (!skipped && decode_member(d, desc, value, ret_record) != 0)
            return -1;
        has_opens = has_opens || strcmp(value->string, "opens") == 0;
    }
    if (check_required(d, shape, required) != 0 || check_choice(d, shape, optional) != 0)
        return -1;
    return check_record(d, shape, has_opens, ret_record);
}
