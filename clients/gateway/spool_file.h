/* spool_file.h - the bytes of a segment: records in, records out, the torn end found. */
#ifndef TIDE_GATEWAY_SPOOL_FILE_H
#define TIDE_GATEWAY_SPOOL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/spool.h"

#define GW_SEGMENT_HEAD 16
#define GW_RECORD_HEAD 32
#define GW_RECORD_BYTES_MAX (GW_RECORD_HEAD + GW_FACT_BYTES_MAX)

uint32_t gw_crc32(const void *bytes, size_t len);

/* Writes a record to out (GW_RECORD_BYTES_MAX); returns its length, 0 when members is too long. */
size_t gw_record_write(uint8_t *out, const struct gw_fact *fact);
/* Reads the record at offset into buffer (GW_RECORD_BYTES_MAX + 1) and *ret, whose members point
 * into buffer. Returns its length, 0 when no whole, sound record is there. */
size_t gw_record_read(int fd, uint64_t offset, uint8_t *buffer, struct gw_fact *ret);

/* Creates a segment. Returns a descriptor for appending, or -1 with errno. */
int gw_segment_create(int folder, uint32_t number);
/* Opens a segment to read; -1 with errno, EBADMSG when its head is wrong. */
int gw_segment_open(int folder, uint32_t number);
int gw_segment_remove(int folder, uint32_t number);
/* For a segment that cannot be opened: removes it when it holds no record, else renames it to .bad
 * for a person to look at. Returns its bytes. */
uint64_t gw_segment_put_aside(int folder, uint32_t number);
/* The number in a file's name, 0 when it is no segment's. */
uint32_t gw_segment_number(const char *name);
/* Walks the records of an open segment: how many are sound, where they end, and the last one's
 * numbers. */
struct gw_segment_scan {
    uint64_t records, end, size;
    uint32_t boot, seq;
};
void gw_segment_scan(int fd, uint8_t *buffer, struct gw_segment_scan *ret);
/* Cuts the file at end and syncs. */
int gw_segment_cut(int folder, uint32_t number, uint64_t end);

#endif
