/* rules_table.h - rules told as tables: who sends what to a fresh neighbourhood, and what he hears.
 */
#ifndef TIDE_TESTS_RULES_TABLE_H
#define TIDE_TESTS_RULES_TABLE_H

#include "tests/unit/engine_fixture.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a row does not name is 0 */

static inline void expect(const struct fixture *f, const char *rule, const char *code,
                          const char *why)
{
    if (strcmp(code_name(f->reply.code), code) != 0 || strcmp(why_name(f->reply.why), why) != 0)
        fail_msg("%s: expected %s/%s, seen %s/%s", rule, code, why, code_name(f->reply.code),
                 why_name(f->reply.why));
}

static inline struct fixture *fresh(void)
{
    void *state = NULL;
    fixture_set_up(&state);
    return state;
}

static inline void done(struct fixture *f)
{
    void *state = f;
    fixture_tear_down(&state);
}

struct rule_row {
    const char *rule;
    tide_id user;
    unsigned kind;
    union tide_any row;
    const char *code, *why;
};

#define RULE_(what, by, name, code_, why_, ...)                                                    \
    {                                                                                              \
        .rule = what, .user = by, .kind = TIDE_REC_##name, .row = {.name = {__VA_ARGS__}},         \
        .code = code_, .why = why_                                                                 \
    }

#endif
