/* step.c - how a decision writes down what it decided. */
#include <string.h>

#include "daemon/core/state.h"

void effects_add(struct engine_effects *effects, enum engine_verb verb, unsigned kind,
                 const void *record)
{
    const struct tide_record *desc = tide_record_of(kind);
    CHECK(desc != NULL && effects->cap - effects->len > 2);
    uint8_t *out = effects->buf + effects->len;
    out[0] = (uint8_t)verb;
    out[1] = (uint8_t)kind;
    size_t used = tide_record_pack(desc, record, out + 2, effects->cap - effects->len - 2);
    CHECK(used > 0); /* a step's effects are bounded; the buffer is larger */
    effects->len += 2 + used;
    effects->count++;
}

void step_put(struct step *step, unsigned kind, const void *row)
{
    effects_add(step->effects, ENGINE_PUT, kind, row);
}

void step_del(struct step *step, unsigned kind, const void *row)
{
    effects_add(step->effects, ENGINE_DEL, kind, row);
}

void step_item(struct step *step, unsigned kind, const void *record)
{
    effects_add(step->effects, ENGINE_ITEM, kind, record);
}

void step_reply(struct step *step, const struct tide_reply *reply)
{
    CHECK(!step->replied);
    step->replied = true;
    step->refused = reply->code != TIDE_CODE_ok;
    effects_add(step->effects, ENGINE_REPLY, TIDE_REC_reply, reply);
}

void step_refuse(struct step *step, enum tide_code code, enum tide_why why)
{
    CHECK(code != TIDE_CODE_ok);
    trace(step->engine, "refuse", code, why, 0);
    step_reply(step, &(struct tide_reply){.code = (uint8_t)code, .why = (uint8_t)why});
}

void step_refuse_gone(struct step *step, enum tide_counter counter, tide_id id)
{
    bool was = id != 0 && id < step->engine->counter[counter];
    step_refuse(step, was ? TIDE_CODE_conflict : TIDE_CODE_not_found,
                was ? TIDE_WHY_already_ended : TIDE_WHY_none);
}

void step_ok(struct step *step, uint32_t id)
{
    step_reply(step, &(struct tide_reply){.code = TIDE_CODE_ok, .id = id});
}

uint32_t step_new_id(struct step *step, enum tide_counter counter)
{
    uint32_t *next = &step->engine->counter[counter];
    if (*next == 0)
        *next = 1;
    CHECK(*next < UINT32_MAX);
    return (*next)++;
}

void step_counters(struct step *step)
{
    struct engine *engine = step->engine;
    for (unsigned i = 1; i < sizeof engine->counter / sizeof *engine->counter; i++) {
        if (engine->counter[i] == engine->counter_told[i])
            continue;
        engine->counter_told[i] = engine->counter[i];
        step_put(step, TIDE_REC_counter_row,
                 &(struct tide_counter_row){.counter = (uint8_t)i, .next = engine->counter[i]});
    }
}

void step_setting(struct step *step, enum tide_setting key, int64_t value)
{
    CHECK(key > TIDE_SETTING_none && key < TIDE_SETTINGS_COUNT);
    step->engine->setting[key] = value;
    step_put(step, TIDE_REC_setting_row,
             &(struct tide_setting_row){.key = (uint8_t)key, .value = value});
}
