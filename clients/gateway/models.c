/* models.c - which sensor is read by which decoder, and what all decoders share. */
#include <string.h>

#include "clients/gateway/decoder.h"

static const struct gw_model *const models[] = {&gw_bosch_tps110, &gw_netvox_r719a,
                                                &gw_milesight_em400, NULL};

const struct gw_model *gw_model_named(const char *name)
{
    for (size_t i = 0; models[i] != NULL; i++)
        if (strcmp(models[i]->name, name) == 0)
            return models[i];
    return NULL;
}

struct gw_event gw_event_none(void)
{
    return (struct gw_event){.occupied = -1,
                             .distance_mm = -1,
                             .battery_pct = -1,
                             .battery_mv = -1,
                             .temperature_dc = INT16_MIN,
                             .confidence = -1};
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int gw_base64(const char *text, uint8_t *out, size_t cap)
{
    size_t len = strlen(text), used = 0;
    if (len % 4 != 0)
        return -1;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t bits = 0;
        unsigned pad = 0;
        for (size_t k = 0; k < 4; k++) {
            char c = text[i + k];
            bool may_pad = i + 4 == len && k >= 2;
            int digit = base64_digit(c);
            if (c == '=' && may_pad)
                pad++;
            else if (digit < 0 || pad > 0)
                return -1;
            bits = bits << 6 | (digit < 0 ? 0u : (uint32_t)digit);
        }
        for (unsigned k = 0; k < 3 - pad; k++) {
            if (used == cap)
                return -1;
            out[used++] = (uint8_t)(bits >> (16 - 8 * k));
        }
    }
    return (int)used;
}

uint64_t gw_digest(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    return hash;
}
