/* fuzz_request.c - what a phone may send: the op in the first line, then the body.
 *
 * Properties: never crashes; a refusal has a code and a path that fits; what is accepted names an
 * event of that op, packs, unpacks, and keeps its rid within the alphabet. */
#include <string.h>

#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static void check_rid(const char *rid)
{
    size_t len = strnlen(rid, TIDE_RID_BYTES_MAX + 1);
    if (len > TIDE_RID_BYTES_MAX)
        fuzz_fail("a rid ends within its bounds");
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-";
    if (strspn(rid, alphabet) != len)
        fuzz_fail("a rid has only the characters that a topic may carry");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    if (size > TIDE_PACKET_BYTES_MAX || end == NULL || end == data || end - data > 32)
        return 0;
    char name[33] = "";
    memcpy(name, data, (size_t)(end - data));
    const struct tide_op *op = tide_op_find(name);
    if (op == NULL)
        return 0;
    fuzz_names_reset();
    static struct tide_request request;
    memset(&request, 0, sizeof request);
    struct tide_fault fault;
    memset(&fault, 0, sizeof fault);
    const uint8_t *body = end + 1;
    int result = tide_decode_request(op, body, size - (size_t)(body - data), fuzz_names(), 480,
                                     &request, &fault);
    check_rid(request.rid);
    if (result != 0) {
        if (fault.code == TIDE_CODE_ok || memchr(fault.path, 0, sizeof fault.path) == NULL)
            fuzz_fail("a refusal says what and where");
        return 0;
    }
    if (request.event.kind != op->event_kind || request.set_count > TIDE_NAME_SETS_MAX)
        fuzz_fail("an op gives its own event");
    fuzz_event_round_trip(&request.event);
    return 0;
}
