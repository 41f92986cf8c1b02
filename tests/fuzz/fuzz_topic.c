/* fuzz_topic.c - short texts from outside: topics of people, gateways and devices, plates, times.
 *
 * Properties: a topic that was taken apart and put together is the same text; what a parser takes
 * its formatter writes, and read again it is the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/decoder.h"
#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static void check_topic(const char *text, size_t len)
{
    struct tide_topic topic;
    char again[4 * TIDE_NAME_BYTES_MAX];
    if (tide_topic_parse(text, len, &topic) != 0)
        return;
    const char *family = topic.family == TIDE_TOPIC_request ? "request" : "fact";
    size_t made =
        tide_topic_make(again, sizeof again, family, topic.domain, topic.user, topic.tail);
    if (made != len || memcmp(again, text, len) != 0)
        fuzz_fail("taken apart and put together, a topic is the same");
    if (strpbrk(topic.user, "/+#") != NULL || strpbrk(topic.tail, "/+#") != NULL)
        fuzz_fail("no part has a level or a wildcard in it");
}

static void check_device_topics(const char *text)
{
    char eui[GW_DEVICE_NAME_MAX], event[16];
    struct gw_vz_topic vz;
    if (gw_chirpstack_topic(text, eui, sizeof eui, event, sizeof event) == 0 &&
        (eui[0] == '\0' || event[0] == '\0' || strpbrk(eui, "/ABCDEF") != NULL))
        fuzz_fail("an EUI is one part in small letters");
    if (gw_vz_topic(text, &vz) == 0 && (vz.sn[0] == '\0' || strchr(vz.sn, '/') != NULL))
        fuzz_fail("a serial number is one part");
}

static void check_plate(const char *text, size_t len)
{
    char plate[32], again[32];
    int cls = tide_plate_normalise(text, len, plate, sizeof plate);
    if (cls < 0)
        return;
    if (tide_plate_normalise(plate, strlen(plate), again, sizeof again) != cls ||
        strcmp(plate, again) != 0)
        fuzz_fail("a plate in its one form stays so");
}

static void check_times(const char *text, size_t len)
{
    tide_ms time_ms, time_again;
    int32_t number, number_again;
    char out[48];
    size_t made;
    if (tide_time_parse(text, len, &time_ms) == 0 &&
        (made = tide_time_format(out, sizeof out, time_ms, 480)) > 0 &&
        (tide_time_parse(out, made, &time_again) != 0 || time_again > time_ms ||
         time_ms - time_again >= 1000))
        fuzz_fail("a time that was written can be read");
    if (tide_date_parse(text, len, &number) == 0 &&
        ((made = tide_date_format(out, sizeof out, number)) == 0 ||
         tide_date_parse(out, made, &number_again) != 0 || number_again != number))
        fuzz_fail("a date that was written can be read");
    if (tide_dayminute_parse(text, len, &number) == 0 &&
        ((made = tide_dayminute_format(out, sizeof out, number)) == 0 ||
         tide_dayminute_parse(out, made, &number_again) != 0 || number_again != number))
        fuzz_fail("a time of day that was written can be read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        fuzz_fail("there is memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_topic(text, size);
    check_device_topics(text);
    check_plate(text, size);
    check_times(text, size);
    free(text);
    return 0;
}
