/* model.c - the sequential specification of a zone: see model.h. */
#include "tests/chaos/model.h"

#include <string.h>

#define UNITS 24
#define UNIT_GRAINS 6
#define GAP_GRAINS_MAX 288
#define NO_SLOT MODEL_SLOTS_MAX

static uint32_t bits(uint32_t from, uint32_t until)
{
    return ((1u << (until - from)) - 1) << from;
}

static uint32_t gap_before(uint32_t busy, uint32_t from)
{
    uint32_t at = from;
    while (at > 0 && (busy >> (at - 1) & 1) == 0)
        at--;
    return at == 0 ? GAP_GRAINS_MAX : (from - at) * UNIT_GRAINS;
}

static uint32_t gap_behind(uint32_t busy, uint32_t until)
{
    uint32_t at = until;
    while (at < UNITS && (busy >> at & 1) == 0)
        at++;
    return at == UNITS ? GAP_GRAINS_MAX : (at - until) * UNIT_GRAINS;
}

static uint32_t best_slot(const struct model *model, uint32_t from, uint32_t until, uint32_t avoid)
{
    uint32_t best = NO_SLOT, least = UINT32_MAX;
    for (uint32_t slot = 0; slot < model->slots; slot++) {
        if (slot == avoid)
            continue;
        uint32_t busy = model->busy[slot];
        if ((busy & bits(from, until)) != 0)
            continue;
        uint32_t left = gap_before(busy, from) + gap_behind(busy, until);
        if (left < least) {
            least = left;
            best = slot;
        }
    }
    return best;
}

static bool told(const struct model_op *op, const char *code, const char *why)
{
    return !op->open && strcmp(op->code, code) == 0 && strcmp(op->why, why) == 0;
}

static bool book(struct model *model, const struct model_op *op)
{
    uint32_t slot = best_slot(model, op->from, op->until, NO_SLOT);
    if (slot == NO_SLOT)
        return told(op, "full", "all_taken");
    /* Numbers of bookings grow in the order in which they are made. */
    if (!op->open && (!told(op, "ok", "-") || op->id <= model->last_id))
        return false;
    if (model->count == MODEL_BOOKINGS_MAX)
        return false;
    model->busy[slot] |= bits(op->from, op->until);
    model->bookings[model->count++] = (struct model_booking){.id = op->open ? 0 : op->id,
                                                             .slot = (uint8_t)slot,
                                                             .from = (uint8_t)op->from,
                                                             .until = (uint8_t)op->until};
    if (!op->open)
        model->last_id = op->id;
    return true;
}

static struct model_booking *find(struct model *model, uint32_t id)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->bookings[i].id == id)
            return &model->bookings[i];
    return NULL;
}

static bool cancel(struct model *model, const struct model_op *op)
{
    struct model_booking *one = find(model, op->booking);
    if (one == NULL)
        return told(op, "conflict", "already_ended");
    if (!op->open && !told(op, "ok", "-"))
        return false;
    model->busy[one->slot] &= ~bits(one->from, one->until);
    *one = model->bookings[--model->count];
    return true;
}

static bool extend(struct model *model, const struct model_op *op)
{
    struct model_booking *one = find(model, op->booking);
    if (one == NULL)
        return told(op, "conflict", "already_ended");
    uint32_t slot = one->slot, own = bits(one->from, one->until);
    bool fits = op->until <= one->until || (model->busy[slot] & bits(one->until, op->until)) == 0;
    if (!fits)
        slot = best_slot(model, one->from, op->until, one->slot);
    if (slot == NO_SLOT)
        return told(op, "full", "promised");
    if (!op->open && !told(op, "ok", "-"))
        return false;
    model->busy[one->slot] &= ~own;
    one->slot = (uint8_t)slot;
    one->until = (uint8_t)op->until;
    model->busy[slot] |= bits(one->from, one->until);
    return true;
}

static bool quote(const struct model *model, const struct model_op *op)
{
    uint32_t places = 0;
    for (uint32_t slot = 0; slot < model->slots; slot++)
        places += (model->busy[slot] & bits(op->from, op->until)) == 0;
    return places == 0 ? told(op, "full", "all_taken") : told(op, "ok", "-") && op->id == places;
}

bool model_apply(struct model *model, const struct model_op *op)
{
    switch (op->kind) {
    case MODEL_BOOK:
        return book(model, op);
    case MODEL_CANCEL:
        return cancel(model, op);
    case MODEL_EXTEND:
        return extend(model, op);
    case MODEL_QUOTE:
        return quote(model, op);
    default:
        return false;
    }
}

static uint64_t scramble(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t model_digest(const struct model *model, uint64_t salt)
{
    uint64_t sum = scramble(salt + model->last_id);
    for (uint32_t i = 0; i < model->count; i++) {
        const struct model_booking *one = &model->bookings[i];
        uint64_t where = (uint64_t)one->slot << 16 | (uint64_t)one->from << 8 | one->until;
        sum += scramble(scramble(salt ^ one->id) ^ where); /* a sum: in whatever order they came */
    }
    return sum;
}
