/* fuzz_record.c - bytes of a journal as a record: the kind in the first byte, then the record.
 *
 * What unpacks must pack to at most the bytes that it came from, and unpack to the same again. */
#include <string.h>

#include "tests/fuzz/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t offset = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(data, size, &offset, &verb, &kind, &any))
        if (offset > size)
            fuzz_fail("a walk stays within its bytes");
    const struct tide_record *desc = tide_record_of(data[0]);
    if (desc == NULL)
        return 0;
    union tide_any first, again;
    size_t used = tide_record_unpack(desc, data + 1, size - 1, &first);
    if (used == 0)
        return 0;
    if (used > size - 1)
        fuzz_fail("no byte beyond the end is used");
    uint8_t packed[sizeof first * 2];
    size_t len = tide_record_pack(desc, &first, packed, sizeof packed);
    if (len == 0)
        fuzz_fail("what unpacks can be packed");
    memset(&again, 0xa5, sizeof again);
    if (tide_record_unpack(desc, packed, len, &again) != len ||
        memcmp(&first, &again, desc->size) != 0)
        fuzz_fail("packed and unpacked again it is the same");
    return 0;
}
