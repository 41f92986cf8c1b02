/* milesight_em400.c - Milesight EM400 (and EM310): an ultrasonic or laser distance sensor.
 *
 * Triples of channel, type and value, little-endian, in any order:
 *
 *   01 75  battery %        03 67  0.1 degree C      04 82  distance, mm      05 00  1: tilted
 *   06 88  location, 8+1    83 67  temperature+flag  84 82  distance+flag     (flag 1: alarm)
 *
 * A distance of 0 or above 65,000 is a reading without echo. Whether a car stands there is decided
 * by slot.c (threshold, hysteresis, debounce). A tilted sensor measures nothing of use.
 */
#include "clients/gateway/decoder.h"

enum field { F_NONE, F_BATTERY, F_TEMPERATURE, F_DISTANCE, F_POSITION };

static const struct {
    uint8_t channel, type, length;
    enum field field;
} rows[] = {
    {0x01, 0x75, 1, F_BATTERY},  {0x03, 0x67, 2, F_TEMPERATURE}, {0x04, 0x82, 2, F_DISTANCE},
    {0x05, 0x00, 1, F_POSITION}, {0x06, 0x88, 9, F_NONE},        {0x83, 0x67, 3, F_TEMPERATURE},
    {0x84, 0x82, 3, F_DISTANCE},
};

#define NO_ECHO_MM 65000

static bool take(enum field field, const uint8_t *value, struct gw_event *ret)
{
    switch (field) {
    case F_BATTERY:
        if (value[0] > 100)
            return false;
        ret->battery_pct = value[0];
        return true;
    case F_TEMPERATURE:
        ret->temperature_dc = (int16_t)(value[0] | value[1] << 8);
        return true;
    case F_DISTANCE:
        ret->distance_mm = value[0] | value[1] << 8;
        if (ret->distance_mm == 0 || ret->distance_mm > NO_ECHO_MM)
            ret->distance_mm = -1;
        return true;
    case F_POSITION:
        if (value[0] > 1)
            return false;
        if (value[0] == 1)
            ret->kind = GW_TAMPER;
        return true;
    case F_NONE:
        return true;
    }
    return false;
}

static enum gw_verdict decode(unsigned port, const uint8_t *bytes, size_t len, struct gw_event *ret)
{
    const size_t count = sizeof rows / sizeof *rows;
    bool spoke = false;
    (void)port; /* 85 as delivered, but it can be set */
    ret->kind = GW_HEARTBEAT;
    for (size_t at = 0; at < len;) {
        size_t i = 0;
        while (i < count &&
               (len - at < 2 || rows[i].channel != bytes[at] || rows[i].type != bytes[at + 1]))
            i++;
        /* The length of an unknown triple is unknown: what follows cannot be read. */
        if (i == count)
            return spoke ? GW_DECODED : at == 0 && len >= 2 ? GW_PASS_OVER : GW_MALFORMED;
        if (len - at - 2 < rows[i].length)
            return GW_MALFORMED;
        if (!take(rows[i].field, bytes + at + 2, ret))
            return GW_MALFORMED;
        spoke = true;
        at += 2u + rows[i].length;
    }
    return spoke ? GW_DECODED : GW_MALFORMED;
}

const struct gw_model gw_milesight_em400 = {
    .name = "milesight_em400", .by_distance = true, .decode = decode};
