/* decode.c - what the codec does: the numbers of plates in an event become ids of the directory.
 */
#include <string.h>

#include "tests/sim/sim.h"

/* ---- the directory, with the auditor listening --------------------------------------------- */
static const struct tide_names *directory(struct sim *sim)
{
    return sim->journal->ops->names(sim->journal);
}

static void hear(struct sim *sim, enum tide_name_kind kind, tide_id id, const char *text)
{
    if (id != 0 && (kind == TIDE_NAME_KIND_plate || kind == TIDE_NAME_KIND_full_name ||
                    kind == TIDE_NAME_KIND_phone))
        audit_name(sim->audit, kind, id, text);
}

static tide_id names_find(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    return names->find(names->arg, kind, text, len);
}

static tide_id names_make(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    tide_id id = names->make(names->arg, kind, text, len);
    hear(arg, kind, id, text);
    return id;
}

static int names_set(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    const struct tide_names *names = directory(arg);
    hear(arg, kind, id, text);
    return names->set(names->arg, kind, id, text, len);
}

static const char *names_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    const struct tide_names *names = directory(arg);
    return names->text(names->arg, kind, id);
}

void sim_pump_listen(struct sim *sim)
{
    sim->names = (struct tide_names){
        .arg = sim, .find = names_find, .make = names_make, .set = names_set, .text = names_text};
}

/* ---- decoding: numbers of plates become ids ------------------------------------------------ */
static tide_id plate_id(struct sim *sim, uint32_t number)
{
    if (number == 0 || number > sim->world.plate_count)
        return 0;
    const char *text = sim->world.plates[number - 1].text;
    return sim->names.make(sim, TIDE_NAME_KIND_plate, text, strlen(text));
}

static void decode_record(struct sim *sim, unsigned kind, void *record)
{
    const struct tide_record *desc = tide_record_of(kind);
    for (unsigned i = 0; i < desc->field_count; i++)
        if (desc->fields[i].type == TIDE_FT_plate)
            tide_field_set(&desc->fields[i], record,
                           plate_id(sim, (uint32_t)tide_field_get(&desc->fields[i], record)));
}

static uint32_t decode_rows(struct sim *sim, const struct engine_event *event, uint8_t *out)
{
    size_t at = 0, len = 0;
    while (at < event->blob_len) {
        unsigned kind = event->blob[at];
        const struct tide_record *desc = tide_record_of(kind);
        union tide_any any;
        size_t used = desc == NULL ? 0
                                   : tide_record_unpack(desc, event->blob + at + 1,
                                                        event->blob_len - at - 1, &any);
        if (used == 0) { /* a chaotic blob: as it is */
            memcpy(out + len, event->blob + at, event->blob_len - at);
            return (uint32_t)(len + event->blob_len - at);
        }
        at += 1 + used;
        decode_record(sim, kind, &any);
        out[len] = (uint8_t)kind;
        len += 1 + tide_record_pack(desc, &any, out + len + 1, TIDE_EVENT_BLOB_BYTES_MAX - len - 1);
    }
    return (uint32_t)len;
}

/* Fills *ret from an event with numbers; its blob lies in sim->bytes afterwards. */
void sim_pump_decode(struct sim *sim, const struct engine_event *event, struct engine_event *ret)
{
    *ret = *event;
    decode_record(sim, ret->kind, &ret->as);
    if (ret->kind == TIDE_REC_forget && ret->as.forget.kind == TIDE_NAME_KIND_plate)
        ret->as.forget.id = plate_id(sim, ret->as.forget.id);
    if (ret->kind == TIDE_REC_drop && ret->as.drop.kind == TIDE_REC_vehicle)
        ret->as.drop.k1 = plate_id(sim, ret->as.drop.k1);
    if (ret->kind == TIDE_REC_plate_seen) {
        tide_id alt[TIDE_ALTERNATES_MAX] = {0};
        struct tide_plate_seen *seen = &ret->as.plate_seen;
        sim->journal->ops->alternates(sim->journal, seen->plate, alt);
        seen->alt1 = alt[0];
        seen->alt2 = alt[1];
        seen->alt3 = alt[2];
        seen->alt4 = alt[3];
    }
    if (event->blob_len > 0 && event->kind == TIDE_REC_put) {
        ret->blob_len = decode_rows(sim, event, sim->bytes);
        ret->blob = sim->bytes;
    }
}
