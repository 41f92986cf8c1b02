/* check.c - what a failed assertion of the core does in every program: a line, an end. */
#include <stdlib.h>

#include "daemon/ops/ops.h"
#include "tide/check.h"

_Noreturn void engine_check_failed(const char *expression, const char *file, int line)
{
    log_event(LOG_ERROR_, "check.failed", "\"check\":%s,\"file\":%s,\"line\":%d",
              log_str(expression), log_str(file), line);
    abort();
}
