/* fuzz_conf.c - any file as configuration: accepted, or refused with its line and a reason. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/ops/ops.h"
#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[32];
    if (file < 0) {
        file = memfd_create("conf", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        fuzz_fail("a file can be made");
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
