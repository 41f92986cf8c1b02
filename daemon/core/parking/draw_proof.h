/* draw_proof.h - all that decides a draw, so that anybody can decide it again (tidectl draw
 * verify).
 *
 *     opening   commit = SHA-256(secret)                       told to all; the secret kept apart
 *     asking    leaf   = SHA-256(0, "tide.wish.1", draw, wish, cls, from, until, used, nonce)
 *               the receipt: the wish's leaf, with the client's own nonce in it
 *     closing   root   = the Merkle tree over all leaves, by wish (RFC 6962, section 2.1)
 *     deciding  seed   = SHA-256(secret, root [, value of the public source])
 *               lot    = first 8 bytes of SHA-256(seed, wish), for each wish
 *               search = first 8 bytes of SHA-256(seed, "search")
 *               draw_solve (draw_solve.h) over spans and wishes gives who is served, and where
 *     telling   secret, wishes, spans, who got which
 *
 * Who runs the daemon knows the secret, but is bound by it before the first wish; who asks puts his
 * nonce into the root, but does not know the secret. A public source that speaks after the closing
 * binds even both together (RFC 3797). Numbers are big-endian: draw, wish, used 4 bytes; cls 1;
 * from, until (grains since 1970) and value 8; nonce 16. Nothing of this needs more than
 * <stdint.h>.
 */
#ifndef TIDE_CORE_PARKING_DRAW_PROOF_H
#define TIDE_CORE_PARKING_DRAW_PROOF_H

#include "daemon/core/parking/draw_solve.h"
#include "tide/limits.h"
#include "tide/records.h"

struct draw_named { /* of the wish with the same index */
    uint32_t wish;
    int64_t nonce[2];
};

/* Spans are in order (pool, from, until), wishes by id; pool is the class of slots; times count
 * from base_grain on. */
struct draw_lot {
    uint32_t draw, aim, source;
    int64_t value, base_grain;
    uint8_t secret[32], root[32];
    uint32_t span_count, wish_count;
    struct draw_span spans[TIDE_DRAW_SPANS_MAX];
    struct draw_wish wishes[TIDE_DRAW_WISHES_MAX];
    struct draw_named named[TIDE_DRAW_WISHES_MAX];
};

/* Number i of the lot is this wish. base_grain must be set. */
void draw_lot_set(struct draw_lot *lot, uint32_t i, const struct tide_wish *row);

/* Digests as four numbers, as records hold them; and back. */
void draw_hex_get(const int64_t *quarters, uint8_t ret[32]);
void draw_hex_set(const uint8_t digest[32], int64_t *ret_quarters);

void draw_commit_of(const uint8_t secret[32], uint8_t ret[32]);
/* The leaf of wish number i of the lot. */
void draw_leaf(const struct draw_lot *lot, uint32_t i, uint8_t ret[32]);
/* The root over all wishes; of none: SHA-256 of nothing. */
void draw_root(const struct draw_lot *lot, uint8_t ret[32]);

/* Puts the spans in order, draws the lots from secret, root and value, and solves: fills in `span`
 * of each wish. mem as for draw_solve, draw_decide_bytes large. Takes up to half a second. */
size_t draw_decide_bytes(const struct draw_lot *lot);
void draw_decide(struct draw_lot *lot, void *mem, size_t size, struct draw_outcome *ret);

/* The blob of a draw_result event: u32 span count, then for each slot u32, from u16, until u16
 * (grains from base_grain); then for each wish that was chosen wish u32, span number u16. Little-
 * endian. Returns the bytes used; they fit into TIDE_EVENT_BLOB_BYTES_MAX. */
size_t draw_blob_write(const struct draw_lot *lot, uint8_t *out);
/* Reads it back, one after another; false at bytes that are none. */
struct draw_blob {
    const uint8_t *bytes;
    uint32_t len, span_count, chosen_count;
};
bool draw_blob_open(const uint8_t *bytes, uint32_t len, struct draw_blob *ret);
struct draw_span draw_blob_span(const struct draw_blob *blob, uint32_t i);
void draw_blob_chosen(const struct draw_blob *blob, uint32_t i, uint32_t *ret_wish,
                      uint32_t *ret_span);

#endif
