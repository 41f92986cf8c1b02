/* bosch_tps110.c - Bosch Parking Lot Sensor: a magnetometer with radar.
 *
 *   port 1  state changed   byte 0 bit 0: 1 = car
 *   port 2  heartbeat       byte 0 bit 0; byte 1: degrees Celsius, signed
 *   port 3  started         byte 16 bit 0; 0-11 debug, 12-14 firmware, 15 cause of the reset
 */
#include "clients/gateway/decoder.h"

static const struct {
    unsigned port;
    enum gw_kind kind;
    size_t least, state_at, celsius_at; /* celsius_at 0: says none */
} rows[] = {
    {1, GW_CHANGE, 1, 0, 0},
    {2, GW_HEARTBEAT, 1, 0, 1},
    {3, GW_START, 17, 16, 0},
};

static enum gw_verdict decode(unsigned port, const uint8_t *bytes, size_t len, struct gw_event *ret)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].port != port)
            continue;
        if (len < rows[i].least)
            return GW_MALFORMED;
        ret->kind = rows[i].kind;
        ret->occupied = bytes[rows[i].state_at] & 1;
        if (rows[i].celsius_at != 0 && rows[i].celsius_at < len)
            ret->temperature_dc = 10 * (int8_t)bytes[rows[i].celsius_at];
        return GW_DECODED;
    }
    return GW_PASS_OVER;
}

const struct gw_model gw_bosch_tps110 = {.name = "bosch_tps110", .decode = decode};
