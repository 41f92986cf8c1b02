/* encode.c - records become JSON: a reply and its items, notices, commands, public state.
 *
 * What is not there is not written: ids, times, dates and masks of 0, and the word `none`. Names
 * come from the directory; one that was forgotten is left out as well.
 */
#include <string.h>

#include "protocol/wire.h"

#define ITEMS_TAIL_BYTES 64 /* kept free for what follows a reply's items */

static void put_time(struct wire_out *out, const struct tide_frame *frame, const char *key,
                     size_t key_len, tide_ms time_ms)
{
    char text[WIRE_TIME_MAX];
    size_t len = tide_time_format(text, sizeof text, time_ms, frame->utc_offset_min);
    if (len == 0)
        return;
    wire_out_key(out, key, key_len);
    wire_out_string(out, text, len);
}

static void put_name(struct wire_out *out, const struct tide_frame *frame, const char *key,
                     size_t key_len, enum tide_name_kind kind, tide_id id)
{
    const char *text = id != 0 ? frame->names->text(frame->names->arg, kind, id) : NULL;
    if (text == NULL)
        return;
    wire_out_key(out, key, key_len);
    wire_out_string(out, text, strlen(text));
}

static void put_mask(struct wire_out *out, const char *key, size_t key_len, unsigned type,
                     int64_t mask)
{
    const char *word;
    wire_out_key(out, key, key_len);
    wire_out_open(out, '[');
    for (unsigned bit = 0; (word = wire_mask_word(type, bit)) != NULL; bit++)
        if ((mask & ((int64_t)1 << bit)) != 0)
            wire_out_string(out, word, strlen(word));
    wire_out_close(out, ']');
}

static void put_roles(struct wire_out *out, int64_t mask)
{
    wire_out_key(out, "roles", 5);
    wire_out_open(out, '[');
    for (unsigned role = 1; role < 16; role++) {
        const char *word = tide_enum_name(TIDE_ENUM_FIELD_TYPE(role), role);
        if (word != NULL && (mask & ((int64_t)1 << role)) != 0)
            wire_out_string(out, word, strlen(word));
    }
    wire_out_close(out, ']');
}

static void put_enum(struct wire_out *out, const char *key, size_t key_len, unsigned type,
                     int64_t value)
{
    const char *word = tide_enum_name(type, (unsigned)value);
    if (word == NULL || strcmp(word, "none") == 0)
        return;
    wire_out_key(out, key, key_len);
    wire_out_string(out, word, strlen(word));
}

/* Kept for the engine's own use, or written otherwise. */
static bool is_inner(const char *name)
{
    return strcmp(name, "unused") == 0 || strcmp(name, "warned") == 0 ||
           strncmp(name, "wait_", 5) == 0;
}

static void put_hex(struct wire_out *out, const char *key, size_t key_len, int64_t value)
{
    char text[17];
    if (value == 0)
        return; /* not there yet */
    for (unsigned i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[(uint64_t)value >> (60 - 4 * i) & 15];
    wire_out_key(out, key, key_len);
    wire_out_string(out, text, 16);
}

/* The hours of draws, of a zone that holds none; the minutes of a notice that is of no strike; a
 * chance of which nothing is known; where one would stand, in an offer of something else than to
 * wait. */
static bool is_idle(const struct tide_record *desc, const struct tide_field *field,
                    const union tide_any *record)
{
    bool chance = strcmp(field->name, "chance_pct") == 0;
    switch (desc->kind) {
    case TIDE_REC_zone:
        return record->zone.policy != TIDE_ZONE_POLICY_draw &&
               strncmp(field->name, "draw_", 5) == 0;
    case TIDE_REC_notice:
        return record->notice.strike == 0 && strcmp(field->name, "minutes") == 0;
    case TIDE_REC_wait_place:
        return chance && record->wait_place.of == 0;
    case TIDE_REC_offer:
        if (record->offer.kind == TIDE_OFFER_KIND_wait)
            return chance && record->offer.of == 0;
        return chance || strcmp(field->name, "position") == 0 || strcmp(field->name, "of") == 0;
    default:
        return false;
    }
}

static void put_field(struct wire_out *out, const struct tide_frame *frame,
                      const struct tide_record *desc, const struct tide_field *field,
                      const void *record)
{
    char text[WIRE_TIME_MAX];
    const char *key;
    size_t key_len, len = 0;
    int64_t value = tide_field_get(field, record);
    wire_member_name(desc, field, &key, &key_len);
    enum tide_name_kind kind = wire_name_kind(field->type);
    if (kind != TIDE_NAME_KIND_none) {
        put_name(out, frame, key, key_len, kind, (tide_id)value);
    } else if (field->type > TIDE_FT_ENUMS) {
        put_enum(out, key, key_len, field->type, value);
    } else if (field->type == TIDE_FT_hex) {
        put_hex(out, key, key_len, value);
    } else if (field->type == TIDE_FT_flag) {
        wire_out_key(out, key, key_len);
        wire_out_bool(out, value != 0);
    } else if (field->type == TIDE_FT_time) {
        if (value != 0)
            put_time(out, frame, key, key_len, value);
    } else if (field->type == TIDE_FT_date || field->type == TIDE_FT_dayminute) {
        if (field->type == TIDE_FT_dayminute)
            len = tide_dayminute_format(text, sizeof text, (int32_t)value);
        else if (value != 0)
            len = tide_date_format(text, sizeof text, (int32_t)value);
        if (len > 0) {
            wire_out_key(out, key, key_len);
            wire_out_string(out, text, len);
        }
    } else if (field->type == TIDE_FT_days || field->type == TIDE_FT_weekdays ||
               field->type == TIDE_FT_sense) {
        if (value != 0)
            put_mask(out, key, key_len, field->type, value);
    } else if (!wire_is_number_id(field->type) || value != 0) {
        wire_out_key(out, key, key_len);
        wire_out_int(out, value);
    }
}

/* Texts of the directory that belong to a row: what people call a place, a zone, a person. */
static void put_texts(struct wire_out *out, const struct tide_frame *frame, unsigned kind,
                      const union tide_any *record)
{
    switch (kind) {
    case TIDE_REC_place:
        put_name(out, frame, "title", 5, TIDE_NAME_KIND_title, record->place.id);
        break;
    case TIDE_REC_zone:
        put_name(out, frame, "title", 5, TIDE_NAME_KIND_zone_title, record->zone.id);
        break;
    case TIDE_REC_zone_now:
        put_name(out, frame, "title", 5, TIDE_NAME_KIND_zone_title, record->zone_now.zone);
        break;
    case TIDE_REC_person:
        put_name(out, frame, "full_name", 9, TIDE_NAME_KIND_full_name, record->person.id);
        put_name(out, frame, "phone", 5, TIDE_NAME_KIND_phone, record->person.id);
        break;
    default:
        break;
    }
}

/* The members of a record; no braces. */
static void put_record(struct wire_out *out, const struct tide_frame *frame,
                       const struct tide_record *desc, const union tide_any *record)
{
    const struct tide_field *closes = wire_member_field(desc, "closes");
    bool no_hours = closes != NULL && tide_field_get(closes, record) == 0;
    wire_out_key(out, "is", 2);
    wire_out_string(out, desc->name, wire_record_name_len(desc));
    for (unsigned i = 0; i < desc->field_count; i++) {
        const struct tide_field *field = &desc->fields[i];
        if (is_inner(field->name) || (no_hours && field->type == TIDE_FT_dayminute) ||
            is_idle(desc, field, record))
            continue;
        if (desc->kind == TIDE_REC_whoami && strcmp(field->name, "roles") == 0)
            put_roles(out, record->whoami.roles);
        else
            put_field(out, frame, desc, field, record);
    }
    put_texts(out, frame, desc->kind, record);
}

/* ---- replies --------------------------------------------------------------------------------- */
static void put_head(struct wire_out *out, const char *rid, enum tide_code code)
{
    if (rid != NULL && rid[0] != '\0')
        wire_put_text(out, "rid", rid);
    wire_put_text(out, "code", tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), code));
}

static void put_reply(struct wire_out *out, const struct tide_frame *frame, const char *rid,
                      const struct tide_reply *reply)
{
    put_head(out, rid, (enum tide_code)reply->code);
    put_enum(out, "why", 3, TIDE_ENUM_FIELD_TYPE(why), reply->why);
    if (reply->id != 0)
        wire_put_int(out, "id", reply->id);
    if (reply->free_from_ms != 0)
        put_time(out, frame, "free_from", 9, reply->free_from_ms);
    if (reply->free_until_ms != 0)
        put_time(out, frame, "free_until", 10, reply->free_until_ms);
    if (reply->limit != 0)
        wire_put_int(out, "limit", reply->limit);
    if (reply->why == TIDE_WHY_day_cap || reply->why == TIDE_WHY_month_cap)
        wire_put_int(out, "left_min", reply->left_min);
}

/* Finds the one REPLY. False when there is none. */
static bool find_reply(const uint8_t *effects, size_t len, struct tide_reply *ret)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &record)) {
        if (verb == ENGINE_REPLY && kind == TIDE_REC_reply) {
            *ret = record.reply;
            return true;
        }
    }
    return false;
}

/* The items, as many as leave room for the tail. Returns true when some had to stay out. */
static bool put_items(struct wire_out *out, const struct tide_frame *frame, const uint8_t *effects,
                      size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    out->cap -= ITEMS_TAIL_BYTES;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &record)) {
        if (verb != ENGINE_ITEM)
            continue;
        struct wire_out before = *out;
        wire_out_open(out, '{');
        put_record(out, frame, tide_record_of(kind), &record);
        wire_out_close(out, '}');
        if (out->full) {
            *out = before;
            out->cap += ITEMS_TAIL_BYTES;
            return true;
        }
    }
    out->cap += ITEMS_TAIL_BYTES;
    return false;
}

size_t tide_encode_reply(char *buf, size_t cap, const struct tide_frame *frame, const char *rid,
                         const uint8_t *effects, size_t effects_len)
{
    struct wire_out out;
    struct tide_reply reply;
    if (cap <= ITEMS_TAIL_BYTES || !find_reply(effects, effects_len, &reply))
        return 0;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    put_reply(&out, frame, rid, &reply);
    wire_out_key(&out, "items", 5);
    wire_out_open(&out, '[');
    if (out.full || out.len + ITEMS_TAIL_BYTES >= cap)
        return 0;
    bool cut = put_items(&out, frame, effects, effects_len);
    wire_out_close(&out, ']');
    if (cut || reply.more != 0)
        wire_put_bool(&out, "more", true);
    wire_put_int(&out, "incarnation", frame->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

size_t tide_encode_refusal(char *buf, size_t cap, const struct tide_frame *frame, const char *rid,
                           enum tide_code code, const struct tide_fault *fault)
{
    struct wire_out out;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    put_head(&out, rid, code);
    if (fault != NULL && fault->path[0] != '\0')
        wire_put_text(&out, "at", fault->path);
    if (fault != NULL && fault->what != NULL && fault->what[0] != '\0')
        wire_put_text(&out, "detail", fault->what);
    wire_out_key(&out, "items", 5);
    wire_out_open(&out, '[');
    wire_out_close(&out, ']');
    wire_put_int(&out, "incarnation", frame->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

/* ---- what the daemon says unasked ------------------------------------------------------------ */
size_t tide_encode_notice(char *buf, size_t cap, const struct tide_frame *frame,
                          const struct tide_notice *notice)
{
    struct wire_out out;
    union tide_any record;
    record.notice = *notice;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    put_record(&out, frame, tide_record_of(TIDE_REC_notice), &record);
    wire_put_int(&out, "incarnation", frame->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

size_t tide_encode_command(char *buf, size_t cap, const struct tide_frame *frame,
                           const struct tide_command *command, tide_ms valid_until_real_ms)
{
    struct wire_out out;
    char until[WIRE_TIME_MAX];
    size_t len =
        wire_time_format_ms(until, sizeof until, valid_until_real_ms, frame->utc_offset_min);
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    wire_put_int(&out, "command", command->id);
    put_enum(&out, "kind", 4, TIDE_ENUM_FIELD_TYPE(command_kind), command->kind);
    put_name(&out, frame, "lane", 4, TIDE_NAME_KIND_lane, command->lane);
    put_name(&out, frame, "plate", 5, TIDE_NAME_KIND_plate, command->plate);
    put_enum(&out, "why", 3, TIDE_ENUM_FIELD_TYPE(why), command->why);
    if (command->ask != 0)
        wire_put_int(&out, "ask", command->ask);
    if (command->booking != 0)
        wire_put_int(&out, "booking", command->booking);
    put_name(&out, frame, "slot", 4, TIDE_NAME_KIND_slot, command->slot);
    wire_out_key(&out, "valid_until", 11);
    wire_out_string(&out, until, len);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

static void put_hour(struct wire_out *out, const struct tide_frame *frame,
                     const struct tide_tide_hour *hour)
{
    wire_out_open(out, '{');
    put_time(out, frame, "start", 5, hour->start_ms);
    wire_put_int(out, "supply", hour->supply);
    wire_put_int(out, "promised", hour->promised);
    wire_put_int(out, "parked", hour->parked);
    wire_out_close(out, '}');
}

size_t tide_encode_zone(char *buf, size_t cap, const struct tide_frame *frame, const char *name,
                        uint64_t ver, const struct tide_zone_now *now,
                        const struct tide_tide_hour *hours, size_t hour_count)
{
    struct wire_out out;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    wire_put_text(&out, "zone", name);
    put_name(&out, frame, "title", 5, TIDE_NAME_KIND_zone_title, now->zone);
    wire_put_int(&out, "ver", (int64_t)ver);
    put_time(&out, frame, "ts", 2, now->at_ms);
    wire_put_int(&out, "slots", now->slots);
    wire_put_int(&out, "open", now->open);
    wire_put_int(&out, "promised", now->promised);
    wire_put_int(&out, "parked", now->parked);
    wire_put_int(&out, "free", now->free);
    wire_out_key(&out, "hours", 5);
    wire_out_open(&out, '[');
    for (size_t i = 0; i < hour_count; i++)
        put_hour(&out, frame, &hours[i]);
    wire_out_close(&out, ']');
    wire_put_int(&out, "incarnation", frame->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

size_t tide_encode_ack(char *buf, size_t cap, const struct tide_frame *frame, uint32_t boot,
                       uint32_t seq)
{
    struct wire_out out;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    wire_put_int(&out, "boot", boot);
    wire_put_int(&out, "seq", seq);
    wire_put_int(&out, "incarnation", frame->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

size_t tide_encode_passes(char *buf, size_t cap, const struct tide_frame *frame, uint32_t ver,
                          unsigned page, unsigned pages, bool delta, const struct tide_pass *passes,
                          size_t count)
{
    struct wire_out out;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    wire_put_int(&out, "ver", ver);
    wire_put_int(&out, "page", page);
    wire_put_int(&out, "pages", pages);
    wire_put_bool(&out, "delta", delta);
    wire_out_key(&out, "passes", 6);
    wire_out_open(&out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct tide_pass *pass = &passes[i];
        const char *plate =
            frame->names->text(frame->names->arg, TIDE_NAME_KIND_plate, pass->plate);
        if (plate == NULL)
            continue;
        wire_out_open(&out, '{');
        wire_put_text(&out, "plate", plate);
        if (pass->from_ms != 0)
            put_time(&out, frame, "from", 4, pass->from_ms);
        if (pass->until_ms != 0)
            put_time(&out, frame, "until", 5, pass->until_ms);
        wire_out_close(&out, '}');
    }
    wire_out_close(&out, ']');
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}

size_t tide_encode_node(char *buf, size_t cap, const struct tide_node_state *state)
{
    struct wire_out out;
    char civil[WIRE_TIME_MAX], real[WIRE_TIME_MAX];
    if (tide_time_format(civil, sizeof civil, state->civil_ms, 0) == 0 ||
        wire_time_format_ms(real, sizeof real, state->real_ms, 0) == 0)
        return 0;
    wire_out_start(&out, buf, cap);
    wire_out_open(&out, '{');
    wire_put_text(&out, "node", state->node);
    wire_put_text(&out, "state", state->state);
    wire_put_text(&out, "civil", civil);
    wire_put_text(&out, "real", real);
    wire_put_int(&out, "scale", state->scale);
    wire_put_int(&out, "incarnation", state->incarnation);
    wire_out_close(&out, '}');
    return wire_out_end(&out);
}
