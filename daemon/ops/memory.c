/* memory.c - the block in which an engine lives.
 *
 * A decision looks at rows that lie all over the block. In pages of 4 KiB most looks cost a walk
 * through the page tables besides; in pages of 2 MiB the processor remembers them all. The kernel
 * is asked for those (transparent huge pages); where it has none, nothing but speed is lost.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "daemon/ops/ops.h"

#define LARGE_PAGE ((size_t)2 << 20)

void *memory_block(size_t bytes)
{
    size_t align = bytes < 2 * LARGE_PAGE ? 64 : LARGE_PAGE;
    size_t size = (bytes + align - 1) / align * align;
    void *block = aligned_alloc(align, size);
    if (block != NULL && align == LARGE_PAGE)
        (void)madvise(block, size, MADV_HUGEPAGE);
    return block;
}
