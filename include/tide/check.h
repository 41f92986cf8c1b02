/* check.h - assertions that stay on. The hook is the only thing that the core needs from outside
 * besides mem* and str*: the shell provides it (daemon/ops/check.c: a line in the log, abort). */
#ifndef TIDE_CHECK_H
#define TIDE_CHECK_H

_Noreturn void engine_check_failed(const char *expression, const char *file, int line);

#define CHECK(expression)                                                                          \
    ((expression) ? (void)0 : engine_check_failed(#expression, __FILE__, __LINE__))

#endif
