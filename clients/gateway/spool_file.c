/* spool_file.c - numbers are little-endian, whatever the machine.
 *
 *   head of a segment: 0 "TIDEGWS1"  8 number  12 CRC of bytes 0-11
 *   head of a record:  0 length of the members  4 CRC of all after it  8 boot  12 seq
 *                      16 taken_ms (8)  24 kind  25 flags  26-31 zero
 */
#include "clients/gateway/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = {'T', 'I', 'D', 'E', 'G', 'W', 'S', '1'};

uint32_t gw_crc32(const void *bytes, size_t len)
{
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc = nibble[(crc ^ at[i]) & 15] ^ crc >> 4;
        crc = nibble[(crc ^ at[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static void put32(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

const char *gw_fact_name(enum gw_fact_kind kind)
{
    static const char *const names[GW_FACT_KINDS] = {[GW_FACT_PLATE] = "plate",
                                                     [GW_FACT_SLOT] = "slot",
                                                     [GW_FACT_REPORT] = "gate",
                                                     [GW_FACT_DONE] = "done"};
    return (unsigned)kind < GW_FACT_KINDS ? names[kind] : NULL;
}

size_t gw_record_write(uint8_t *out, const struct gw_fact *fact)
{
    if (fact->len > GW_FACT_BYTES_MAX)
        return 0;
    memset(out, 0, GW_RECORD_HEAD);
    put32(out, (uint32_t)fact->len);
    put32(out + 8, fact->boot);
    put32(out + 12, fact->seq);
    put32(out + 16, (uint32_t)((uint64_t)fact->taken_ms & UINT32_MAX));
    put32(out + 20, (uint32_t)((uint64_t)fact->taken_ms >> 32));
    out[24] = (uint8_t)fact->kind;
    out[25] = fact->heartbeat;
    memcpy(out + GW_RECORD_HEAD, fact->members, fact->len);
    put32(out + 4, gw_crc32(out + 8, GW_RECORD_HEAD - 8 + fact->len));
    return GW_RECORD_HEAD + fact->len;
}

/* All len bytes at offset, or false. */
static bool read_all(int fd, uint8_t *out, size_t len, uint64_t offset)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, out + at, len - at, (off_t)(offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

size_t gw_record_read(int fd, uint64_t offset, uint8_t *buffer, struct gw_fact *ret)
{
    if (!read_all(fd, buffer, GW_RECORD_HEAD, offset))
        return 0;
    size_t len = get32(buffer);
    if (len > GW_FACT_BYTES_MAX ||
        !read_all(fd, buffer + GW_RECORD_HEAD, len, offset + GW_RECORD_HEAD) ||
        get32(buffer + 4) != gw_crc32(buffer + 8, GW_RECORD_HEAD - 8 + len) ||
        gw_fact_name((enum gw_fact_kind)buffer[24]) == NULL)
        return 0;
    buffer[GW_RECORD_HEAD + len] = '\0';
    *ret = (struct gw_fact){.boot = get32(buffer + 8),
                            .seq = get32(buffer + 12),
                            .taken_ms =
                                (int64_t)((uint64_t)get32(buffer + 20) << 32 | get32(buffer + 16)),
                            .kind = (enum gw_fact_kind)buffer[24],
                            .heartbeat = buffer[25] != 0,
                            .members = (const char *)buffer + GW_RECORD_HEAD,
                            .len = len};
    return GW_RECORD_HEAD + len;
}

static void segment_name(char out[static 32], uint32_t number)
{
    snprintf(out, 32, "spool-%08x.seg", number);
}

uint32_t gw_segment_number(const char *name)
{
    char again[32];
    if (strncmp(name, "spool-", 6) != 0)
        return 0;
    unsigned long number = strtoul(name + 6, NULL, 16);
    if (number > UINT32_MAX)
        return 0;
    segment_name(again, (uint32_t)number);
    return strcmp(again, name) == 0 ? (uint32_t)number : 0;
}

static void segment_head(uint8_t out[static GW_SEGMENT_HEAD], uint32_t number)
{
    memcpy(out, magic, sizeof magic);
    put32(out + 8, number);
    put32(out + 12, gw_crc32(out, 12));
}

int gw_segment_create(int folder, uint32_t number)
{
    char name[32];
    uint8_t head[GW_SEGMENT_HEAD];
    segment_name(name, number);
    segment_head(head, number);
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (write(fd, head, sizeof head) != (ssize_t)sizeof head) {
        int fault = errno;
        close(fd);
        (void)unlinkat(folder, name, 0);
        errno = fault;
        return -1;
    }
    return fd;
}

int gw_segment_open(int folder, uint32_t number)
{
    char name[32];
    uint8_t head[GW_SEGMENT_HEAD], right[GW_SEGMENT_HEAD];
    segment_name(name, number);
    segment_head(right, number);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (!read_all(fd, head, sizeof head, 0) || memcmp(head, right, sizeof head) != 0) {
        close(fd);
        errno = EBADMSG;
        return -1;
    }
    return fd;
}

int gw_segment_remove(int folder, uint32_t number)
{
    char name[32];
    segment_name(name, number);
    return unlinkat(folder, name, 0);
}

uint64_t gw_segment_put_aside(int folder, uint32_t number)
{
    char name[32], aside[40];
    struct stat status;
    segment_name(name, number);
    snprintf(aside, sizeof aside, "%s.bad", name);
    if (fstatat(folder, name, &status, 0) != 0)
        return 0;
    if (status.st_size <= GW_SEGMENT_HEAD)
        (void)unlinkat(folder, name, 0);
    else
        (void)renameat(folder, name, folder, aside);
    return (uint64_t)status.st_size;
}

void gw_segment_scan(int fd, uint8_t *buffer, struct gw_segment_scan *ret)
{
    struct gw_segment_scan scan = {.end = GW_SEGMENT_HEAD};
    struct gw_fact fact;
    struct stat status;
    for (size_t n; (n = gw_record_read(fd, scan.end, buffer, &fact)) > 0; scan.end += n) {
        scan.records++;
        scan.boot = fact.boot;
        scan.seq = fact.seq;
    }
    scan.size = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : scan.end;
    *ret = scan;
}

int gw_segment_cut(int folder, uint32_t number, uint64_t end)
{
    char name[32];
    segment_name(name, number);
    int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int fault = ftruncate(fd, (off_t)end) != 0 || fdatasync(fd) != 0 ? -1 : 0;
    close(fd);
    return fault;
}
