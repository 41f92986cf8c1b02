/* message.c - whole messages that come in: the envelope (rid, expires), then the op's own members.
 *
 *     bytes ─ size ─ strict gate ─ tree ─ envelope ─ members, names looked up
 *                                                      │ nothing new: done
 *                                                      └ else again, making names
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "protocol/wire.h"

static void decoder_start(struct wire_decoder *d, const struct tide_names *names,
                          struct tide_fault *fault)
{
    d->names = names;
    d->fault = fault;
    d->at[0] = '\0';
    d->dry = true;
    d->make_key = d->make_plate = d->plate_may_be_unknown = d->plate_may_be_garbage = false;
    d->name_may_be_unknown = false;
    d->plate_class = -1;
    d->text_count = d->fresh_count = 0;
}

static bool is_rid(const char *rid, size_t len)
{
    if (len == 0 || len > TIDE_RID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = rid[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return true;
}

int tide_request_rid(const uint8_t *bytes, size_t len, char rid[TIDE_RID_BYTES_MAX + 1])
{
    struct tide_fault fault;
    const char *found = NULL;
    size_t found_len = 0;
    rid[0] = '\0';
    if (len > TIDE_PACKET_BYTES_MAX)
        len = TIDE_PACKET_BYTES_MAX; /* it may stand in front */
    (void)wire_json_check(bytes, len, &fault, &found, &found_len);
    if (found == NULL || !is_rid(found, found_len))
        return -1;
    memcpy(rid, found, found_len);
    rid[found_len] = '\0';
    return 0;
}

/* Bytes to a tree whose root is an object; *ret_rid gets the rid when there was a good one. */
static cJSON *read_object(struct wire_decoder *d, const uint8_t *bytes, size_t len,
                          char ret_rid[TIDE_RID_BYTES_MAX + 1])
{
    const char *rid = NULL;
    size_t rid_len = 0;
    if (len > TIDE_PACKET_BYTES_MAX) {
        if (ret_rid != NULL)
            (void)tide_request_rid(bytes, len, ret_rid);
        (void)wire_refuse(d, TIDE_CODE_invalid, "", "larger than 16 KiB");
        return NULL;
    }
    int error = wire_json_check(bytes, len, d->fault, &rid, &rid_len);
    if (rid != NULL && ret_rid != NULL && is_rid(rid, rid_len)) {
        memcpy(ret_rid, rid, rid_len);
        ret_rid[rid_len] = '\0';
    }
    if (error != 0)
        return NULL;
    cJSON *root = cJSON_ParseWithLength((const char *)bytes, len);
    if (root == NULL) {
        (void)wire_refuse(d, TIDE_CODE_unavailable, "", "no memory");
    } else if (!cJSON_IsObject(root)) {
        (void)wire_refuse(d, TIDE_CODE_invalid, "", "not an object");
        cJSON_Delete(root);
        root = NULL;
    }
    return root;
}

static int decode_envelope(struct wire_decoder *d, const cJSON *root, bool is_read,
                           struct tide_request *ret)
{
    const cJSON *rid = cJSON_GetObjectItemCaseSensitive(root, "rid");
    const cJSON *expires = cJSON_GetObjectItemCaseSensitive(root, "expires");
    if (rid == NULL)
        return wire_refuse(d, TIDE_CODE_invalid, "rid", "missing");
    if (ret->rid[0] == '\0')
        return wire_refuse(d, TIDE_CODE_invalid, "rid", "not 1 to 36 of A-Z a-z 0-9 _ -");
    if (expires == NULL)
        return is_read ? 0 : wire_refuse(d, TIDE_CODE_invalid, "expires", "missing");
    if (!cJSON_IsString(expires) ||
        tide_time_parse(expires->valuestring, strlen(expires->valuestring), &ret->expires_ms) != 0)
        return wire_refuse(d, TIDE_CODE_invalid, "expires",
                           "not a time like 2026-05-20T10:00:00.000Z");
    return 0;
}

/* {"person":"3-2-501/1"} or {"plate":"浙F12345"} */
static int decode_forget(struct wire_decoder *d, const struct wire_shape *shape, const cJSON *root,
                         struct tide_request *ret)
{
    static const struct wire_shape plate_shape = {"", "plate",          "rid expires person",
                                                  "", TIDE_REC_vehicle, false};
    static const struct wire_shape person_shape = {"", "person",        "rid expires plate",
                                                   "", TIDE_REC_person, false};
    union tide_any row;
    if (wire_decode_object(d, shape, root, "rid expires person plate", &ret->event.as) != 0)
        return -1;
    bool is_plate = cJSON_GetObjectItemCaseSensitive(root, "plate") != NULL;
    if (wire_decode_object(d, is_plate ? &plate_shape : &person_shape, root, "rid expires", &row) !=
        0)
        return -1;
    ret->event.as.forget.kind = is_plate ? TIDE_NAME_KIND_plate : TIDE_NAME_KIND_person;
    ret->event.as.forget.id = is_plate ? row.vehicle.plate : row.person.id;
    return 0;
}

/* {"person":"3-2-501/1","phone":"..."}: the texts go to the directory, the event says whose. */
static int decode_correct(struct wire_decoder *d, const struct wire_shape *shape, const cJSON *root,
                          struct tide_request *ret)
{
    static const struct wire_shape person_shape = {"", "person", "", "", TIDE_REC_person, false};
    struct tide_correct *correct = &ret->event.as.correct;
    union tide_any row;
    if (wire_decode_object(d, &person_shape, root, "rid expires full_name phone via", &row) != 0 ||
        wire_decode_object(d, shape, root, "rid expires person", correct) != 0)
        return -1;
    correct->kind = TIDE_NAME_KIND_person;
    correct->id = row.person.id;
    return wire_take_texts(d, ret, row.person.id);
}

static int decode_body(struct wire_decoder *d, const struct wire_shape *shape, const cJSON *root,
                       struct tide_request *ret)
{
    ret->set_count = 0;
    d->make_key = false;
    d->make_plate = shape->makes_plates && shape->kind != TIDE_REC_put;
    d->plate_may_be_unknown = shape->kind == TIDE_REC_ask_quote;
    switch (shape->kind) {
    case TIDE_REC_forget:
        return decode_forget(d, shape, root, ret);
    case TIDE_REC_correct:
        return decode_correct(d, shape, root, ret);
    case TIDE_REC_put:
        return wire_decode_object(d, shape, root, "rid expires rows", &ret->event.as) == 0
                   ? wire_decode_put(d, root, ret)
                   : -1;
    case TIDE_REC_drop:
        return wire_decode_object(d, shape, root, "rid expires row", &ret->event.as) == 0
                   ? wire_decode_drop(d, root, ret)
                   : -1;
    case TIDE_REC_calendar:
        return wire_decode_object(d, shape, root, "rid expires days papers $schema $id",
                                  &ret->event.as) == 0
                   ? wire_decode_calendar(d, root, ret)
                   : -1;
    default:
        return wire_decode_object(d, shape, root, "rid expires", &ret->event.as);
    }
}

int tide_decode_request(const struct tide_op *op, const uint8_t *bytes, size_t len,
                        const struct tide_names *names, int utc_offset_min,
                        struct tide_request *ret, struct tide_fault *ret_fault)
{
    const struct wire_shape *shape = wire_shape_of_op(op);
    struct wire_decoder d;
    (void)utc_offset_min; /* times carry their offset; dates and minutes are the domain's own */
    decoder_start(&d, names, ret_fault);
    ret->rid[0] = '\0';
    ret->expires_ms = 0;
    ret->set_count = 0;
    memset(&ret->event, 0, sizeof ret->event);
    ret->event.kind = op->event_kind;
    cJSON *root = read_object(&d, bytes, len, ret->rid);
    if (root == NULL)
        return -1;
    int error = decode_envelope(&d, root, op->is_read != 0, ret);
    if (error == 0)
        error = decode_body(&d, shape, root, ret);
    if (error == 0 && d.fresh_count > 0) {
        d.dry = false;
        error = decode_body(&d, shape, root, ret);
    }
    cJSON_Delete(root);
    return error;
}

int tide_decode_fact(const char *kind, const uint8_t *bytes, size_t len,
                     const struct tide_names *names, int utc_offset_min, struct engine_event *ret,
                     struct tide_fault *ret_fault)
{
    const struct wire_shape *shape = wire_shape_of_fact(kind);
    struct wire_decoder d;
    struct engine_event event;
    (void)utc_offset_min;
    decoder_start(&d, names, ret_fault);
    if (shape == NULL)
        return wire_refuse(&d, TIDE_CODE_unknown_op, "", "no such kind of fact");
    memset(&event, 0, sizeof event);
    event.kind = shape->kind;
    d.make_plate = d.plate_may_be_garbage = d.name_may_be_unknown = true;
    cJSON *root = read_object(&d, bytes, len, NULL);
    if (root == NULL)
        return -1;
    int error = wire_decode_object(&d, shape, root, "", &event.as);
    if (error == 0 && d.fresh_count > 0) {
        d.dry = false;
        error = wire_decode_object(&d, shape, root, "", &event.as);
    }
    cJSON_Delete(root);
    if (error != 0)
        return -1;
    if (event.kind == TIDE_REC_plate_seen && d.plate_class >= 0)
        event.as.plate_seen.plate_class = (uint8_t)d.plate_class;
    *ret = event;
    return 0;
}
