/* fuzz_event.c - bytes of a journal as an event. */
#include <string.h>

#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engine_event event;
    memset(&event, 0, sizeof event);
    size_t used = engine_event_unpack(data, size, &event);
    if (used == 0)
        return 0;
    if (used > size)
        fuzz_fail("no byte beyond the end is used");
    if (event.blob_len != 0 && (event.blob < data || event.blob + event.blob_len > data + size))
        fuzz_fail("a blob lies within the bytes that it is borrowed from");
    if (event.blob_len <= TIDE_EVENT_BLOB_BYTES_MAX)
        fuzz_event_round_trip(&event);
    return 0;
}
