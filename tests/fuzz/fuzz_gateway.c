/* fuzz_gateway.c - any file as the gateway's configuration: accepted, or refused with its line. */
#include <stdio.h>
#include <string.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/decoder.h"
#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_conf conf;
    char why[256] = "";
    FILE *in = fopen(fuzz_file(data, size), "re");
    if (in == NULL)
        fuzz_fail("a file can be made");
    int fault = gw_conf_parse(&conf, in, "x", why, sizeof why);
    fclose(in);
    if (fault != 0) {
        if (why[0] == '\0' || memchr(why, 0, sizeof why) == NULL)
            fuzz_fail("a refusal says where and why");
        return 0;
    }
    for (size_t i = 0; i < conf.device_count; i++)
        if (conf.devices[i].model == NULL || conf.devices[i].slot[0] == '\0' ||
            (i > 0 && strcmp(conf.devices[i - 1].device, conf.devices[i].device) >= 0))
            fuzz_fail("a device is whole, and stands once");
    gw_conf_done(&conf);
    return 0;
}
