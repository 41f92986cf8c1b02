/* fuzz_conf.c - any file as configuration: accepted, or refused with its line and a reason. */
#include <string.h>

#include "daemon/ops/ops.h"
#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    static struct conf conf;
    conf_default(&conf);
    char why[256] = "";
    if (conf_read(&conf, path, why, sizeof why) != 0) {
        if (why[0] == '\0' || memchr(why, 0, sizeof why) == NULL)
            fuzz_fail("a refusal says where and why");
        return 0;
    }
    struct engine_limits limits;
    conf_limits(&conf, &limits);
    if (limits.slots < 16)
        fuzz_fail("what was accepted lies within its bounds");
    return 0;
}
