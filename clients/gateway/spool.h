/* spool.h - facts that nobody has acknowledged yet, kept through our own crash.
 *
 *   state_folder/boot              how often the gateway started: grows, never comes twice
 *   state_folder/acked             (boot, seq) up to which the daemon has committed
 *   state_folder/spool-0000002a.seg
 *   state_folder/spool-0000002b.seg
 *
 *      acked ──►│ head          sent ──►│ cursor                 │ end
 *   ┌───────────┬────────────────────────┬────────────────────────┐
 *   │ unlinked  │ sent, unacknowledged   │ not sent yet           │ ◄── append
 *   └───────────┴────────────────────────┴────────────────────────┘
 *
 *   segment: "TIDEGWS1", number │ record │ record │ ...
 *   record:  length, CRC-32 of the rest, boot, seq, taken, kind, flags │ JSON members
 *
 * Append-only files and not a database: a record costs one write, is never changed, and is removed
 * by unlinking a file whose records are all acknowledged. What a crash tore off at the end is cut
 * at the first record whose length or CRC is wrong.
 *
 * Why a fact may be sent before it is synced: after a power cut the new boot has a higher number
 * that was synced before anything was sent, so a number never stands for two facts; and a fact that
 * was sent is either with the daemon, or as lost as if it had never been written.
 *
 * Bounded: past half of bytes_max heartbeats are refused (the caller keeps the newest one a slot
 * and offers it later: what falls away is the oldest heartbeats, which later ones make worthless);
 * changes, plates and reports are taken up to bytes_max. seq has no gaps.
 */
#ifndef TIDE_GATEWAY_SPOOL_H
#define TIDE_GATEWAY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/disk.h"

enum gw_fact_kind { GW_FACT_PLATE = 1, GW_FACT_SLOT, GW_FACT_REPORT, GW_FACT_DONE };
#define GW_FACT_KINDS 5
#define GW_FACT_BYTES_MAX 4096

struct gw_fact {
    uint32_t boot, seq;
    int64_t taken_ms; /* wall clock of this machine */
    enum gw_fact_kind kind;
    bool heartbeat;
    const char
        *members; /* inside of the JSON object, NUL-terminated; the spool's until next call */
    size_t len;
};
/* The {kind} of up/{kind}. */
const char *gw_fact_name(enum gw_fact_kind kind);

struct gw_spool;
struct gw_spool_stats {
    uint64_t records, bytes; /* unacknowledged, in all segments */
    uint64_t sent;           /* of records: read by gw_spool_next since the last rewind */
    uint64_t torn_bytes;     /* cut off when it was opened */
    uint64_t lost;           /* facts that could not be written (disk) or had no room */
};

/* Locks the folder (made when missing), recovers, raises and syncs the boot number. real_s: wall
 * clock in seconds, the least boot number, so that a lost folder does not make the daemon take all
 * we say for old. 0; -1 with errno (EWOULDBLOCK: another gateway has the folder). */
int gw_spool_open(struct gw_spool **ret, const char *folder, uint64_t bytes_max,
                  struct gw_disk *disk, uint32_t real_s);
struct gw_spool *gw_spool_close(struct gw_spool *spool);

uint32_t gw_spool_boot(const struct gw_spool *spool);
/* The last seq of this boot, 0: none yet. */
uint32_t gw_spool_seq(const struct gw_spool *spool);
void gw_spool_stats(const struct gw_spool *spool, struct gw_spool_stats *ret);
/* Would a heartbeat be taken now? */
bool gw_spool_has_room(const struct gw_spool *spool);

/* Numbers and keeps a fact. 0 with *ret_seq; -1: not kept (ENOSPC and the like; it has no number,
 * and is counted as lost unless it was a heartbeat without room). */
int gw_spool_append(struct gw_spool *spool, enum gw_fact_kind kind, bool heartbeat,
                    const char *members, int64_t taken_ms, uint32_t *ret_seq);
/* The oldest fact that was not read since the last rewind. 1, or 0 when there is none. */
int gw_spool_next(struct gw_spool *spool, struct gw_fact *ret);
/* Begins anew at the first unacknowledged fact. */
void gw_spool_rewind(struct gw_spool *spool);
/* Takes back the last gw_spool_next (it could not be sent). */
void gw_spool_unread(struct gw_spool *spool);
/* All facts up to (boot, seq) are durable at the daemon. Returns how many fell away. */
uint64_t gw_spool_ack(struct gw_spool *spool, uint32_t boot, uint32_t seq);

#endif
