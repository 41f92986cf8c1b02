/* netvox_r719a.c - Netvox R719A parking sensor.
 *
 *   port 6  report   0 version, 1 device type 0x59, 2 report type 1,
 *                    3 battery (bits 0-6: 0.1 V, bit 7: low), 4: 1 = car, 0 = none, 5-10 reserved
 *   port 7  answers to configuration: of no concern
 *
 * It sends the same report on a change and on its timer, so every report is taken as a heartbeat
 * that carries state; slot.c sees whether something changed.
 */
#include "clients/gateway/decoder.h"

#define NETVOX_PORT 6
#define NETVOX_TYPE 0x59
#define NETVOX_REPORT 1

static enum gw_verdict decode(unsigned port, const uint8_t *bytes, size_t len, struct gw_event *ret)
{
    if (port != NETVOX_PORT)
        return GW_PASS_OVER;
    if (len < 5 || bytes[1] != NETVOX_TYPE || bytes[4] > 1)
        return GW_MALFORMED;
    if (bytes[2] != NETVOX_REPORT)
        return GW_PASS_OVER;
    ret->kind = GW_HEARTBEAT;
    ret->battery_mv = (bytes[3] & 0x7f) * 100;
    ret->occupied = bytes[4];
    return GW_DECODED;
}

const struct gw_model gw_netvox_r719a = {.name = "netvox_r719a", .decode = decode};
