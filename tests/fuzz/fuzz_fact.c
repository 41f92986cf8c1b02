/* fuzz_fact.c - what a gateway may send: the kind in the first line, then the body. */
#include <string.h>

#include "protocol/codec.h"
#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    if (size > TIDE_PACKET_BYTES_MAX || end == NULL || end - data > 16)
        return 0;
    char kind[17] = "";
    memcpy(kind, data, (size_t)(end - data));
    fuzz_names_reset();
    struct engine_event event;
    memset(&event, 0, sizeof event);
    struct tide_fault fault;
    memset(&fault, 0, sizeof fault);
    const uint8_t *body = end + 1;
    if (tide_decode_fact(kind, body, size - (size_t)(body - data), fuzz_names(), 480, &event,
                         &fault) != 0) {
        if (fault.code == TIDE_CODE_ok)
            fuzz_fail("a refusal says what");
        return 0;
    }
    if (event.kind < TIDE_REC_plate_seen || event.kind > TIDE_REC_hello)
        fuzz_fail("a fact is a fact");
    fuzz_event_round_trip(&event);
    return 0;
}
