/* vz_down.c - 臻识 plate cameras, what they are told.
 *
 *   {"id","sn","name":N,"version":"1.0","timestamp":s,"payload":{"type":N,"body":{...}}}
 *
 *   gpio_out             {"io":0,"value":2,"delay":500}   value 2: a pulse of delay ms
 *   white_list_operator  {"operator_type":"add"|"update","dldb_rec":[{"plate","enable":1,
 *                         "enable_time","overdue_time","time_seg_enable":0,"need_alarm":0,
 *                         "context":"tide"}]}
 *                        {"operator_type":"delete","plate":"..."}
 *
 * The camera's clock is local time without a zone. `context` tells a person who reads the camera's
 * list where a row came from.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/gateway/decoder.h"

size_t gw_vz_down_topic(char *out, size_t cap, enum gw_vz_form form, const char *sn,
                        const char *name)
{
    int n = form == GW_VZ_DEVICE_FIRST ? snprintf(out, cap, "device/%s/message/down/%s", sn, name)
                                       : snprintf(out, cap, "%s/device/message/down/%s", sn, name);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* body: the inside of payload.body, an object. */
static size_t envelope(char *out, size_t cap, const char *sn, const char *id, int64_t now_s,
                       const char *name, const char *body)
{
    int n = snprintf(out, cap,
                     "{\"id\":\"%s\",\"sn\":\"%s\",\"name\":\"%s\",\"version\":\"1.0\","
                     "\"timestamp\":%lld,\"payload\":{\"type\":\"%s\",\"body\":%s}}",
                     id, sn, name, (long long)now_s, name, body);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

size_t gw_vz_gpio_out(char *out, size_t cap, const char *sn, const char *id, int64_t now_s, int io,
                      int delay_ms)
{
    char body[96];
    snprintf(body, sizeof body, "{\"io\":%d,\"value\":2,\"delay\":%d}", io, delay_ms);
    return envelope(out, cap, sn, id, now_s, "gpio_out", body);
}

/* "2019-05-20 18:00:00", 19 characters. */
static void local_time(char out[static 24], int64_t ms, int utc_offset_min)
{
    time_t seconds = (time_t)(ms / 1000 + (int64_t)utc_offset_min * 60);
    struct tm parts;
    memset(&parts, 0, sizeof parts);
    (void)gmtime_r(&seconds, &parts);
    if (strftime(out, 24, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        out[0] = '\0';
}

size_t gw_vz_list_put(char *out, size_t cap, const char *sn, const char *id, int64_t now_s,
                      const char *verb, const char *plate, int64_t from_ms, int64_t until_ms,
                      int utc_offset_min)
{
    char body[512], quoted[128], from[24], until[24];
    if (gw_json_quote(quoted, sizeof quoted, plate) == 0)
        return 0;
    local_time(from, from_ms, utc_offset_min);
    local_time(until, until_ms, utc_offset_min);
    int n = snprintf(body, sizeof body,
                     "{\"operator_type\":\"%s\",\"dldb_rec\":[{\"plate\":%s,\"enable\":1,"
                     "\"create_time\":\"%s\",\"enable_time\":\"%s\",\"overdue_time\":\"%s\","
                     "\"time_seg_enable\":0,\"need_alarm\":0,\"context\":\"tide\"}]}",
                     verb, quoted, from, from, until);
    if (n <= 0 || (size_t)n >= sizeof body)
        return 0;
    return envelope(out, cap, sn, id, now_s, "white_list_operator", body);
}

size_t gw_vz_list_delete(char *out, size_t cap, const char *sn, const char *id, int64_t now_s,
                         const char *plate)
{
    char body[192], quoted[128];
    if (gw_json_quote(quoted, sizeof quoted, plate) == 0)
        return 0;
    snprintf(body, sizeof body, "{\"operator_type\":\"delete\",\"plate\":%s}", quoted);
    return envelope(out, cap, sn, id, now_s, "white_list_operator", body);
}
