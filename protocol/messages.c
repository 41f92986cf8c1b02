/* messages.c - the tables made of messages.def, and looking things up in them. */
#include <string.h>

#include "protocol/wire.h"

#define R(role) (1u << TIDE_ROLE_##role)
#define ON_DUTY (R(guard) | R(property) | R(clerk) | R(admin))
#define PLATES 1
#define ALL 2

/* A hand at an arm means now: what lay in a queue for a minute must not open it. */
#define LIFE(event)                                                                                \
    (TIDE_REC_##event == TIDE_REC_hand ? TIDE_GATE_PULSE_VALID_MS : TIDE_RID_LIFE_MS_MAX)

static const struct tide_op ops[] = {
#define TIDE_OP(name, event, roles, makes, required, optional, choice)                             \
    {name,                                                                                         \
     TIDE_REC_##event,                                                                             \
     (makes) == ALL,                                                                               \
     (uint16_t)(roles),                                                                            \
     TIDE_EVENT_IS_ASK(TIDE_REC_##event),                                                          \
     LIFE(event)},
#include "protocol/messages.def"
};

static const struct wire_shape op_shapes[] = {
#define TIDE_OP(name, event, roles, makes, required, optional, choice)                             \
    {name, required, optional, choice, TIDE_REC_##event, (makes) != 0},
#include "protocol/messages.def"
};

static const struct wire_shape rows[] = {
#define TIDE_WIRE_ROW(is, record, required, optional)                                              \
    {is, required, optional, "", TIDE_REC_##record, true},
#include "protocol/messages.def"
};

static const struct wire_shape drops[] = {
#define TIDE_WIRE_DROP(is, record, keys) {is, keys, "", "", TIDE_REC_##record, false},
#include "protocol/messages.def"
};

static const struct wire_shape facts[] = {
#define TIDE_WIRE_FACT(kind, event, required, optional)                                            \
    {kind, required, optional, "", TIDE_REC_##event, true},
#include "protocol/messages.def"
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const struct tide_op *tide_op_at(size_t index)
{
    return index < COUNT(ops) ? &ops[index] : NULL;
}

const struct tide_op *tide_op_find(const char *name)
{
    for (size_t i = 0; i < COUNT(ops); i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    return NULL;
}

const struct wire_shape *wire_shape_of_op(const struct tide_op *op)
{
    return &op_shapes[op - ops];
}

static const struct wire_shape *shape_named(const struct wire_shape *table, size_t count,
                                            const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const struct wire_shape *wire_shape_of_row(const char *is)
{
    return shape_named(rows, COUNT(rows), is);
}

const struct wire_shape *wire_shape_of_drop(const char *is)
{
    return shape_named(drops, COUNT(drops), is);
}

const struct wire_shape *wire_shape_of_fact(const char *kind)
{
    return shape_named(facts, COUNT(facts), kind);
}

/* ---- lists of names -------------------------------------------------------------------------- */
int wire_list_find(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (int index = 0; *list != '\0'; index++) {
        size_t n = strcspn(list, " ");
        if (n == len && memcmp(list, name, n) == 0)
            return index;
        list += n + (list[n] == ' ' ? 1 : 0);
    }
    return -1;
}

bool wire_list_at(const char *list, unsigned index, char name[WIRE_MEMBER_MAX])
{
    while (*list != '\0') {
        size_t n = strcspn(list, " ");
        if (index-- == 0 && n < WIRE_MEMBER_MAX) {
            memcpy(name, list, n);
            name[n] = '\0';
            return true;
        }
        list += n + (list[n] == ' ' ? 1 : 0);
    }
    return false;
}
