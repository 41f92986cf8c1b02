/* codec.h - JSON on the wire to records in the engine, and back. The only place of the daemon that
 * knows cJSON.
 *
 * A request is one JSON object: {"rid": "...", "expires": "2026-...", <fields of the op>}. The
 * members are the fields of the event's record (records.h) under the same names, but `start_ms`
 * is written `start`, as a time of day with its offset. Which members an op takes and which it
 * must have stands in messages.def, one line an op. All else (unknown members, doubles, wrong
 * types, bad UTF-8, depth) is refused with the member's path.
 */
#ifndef TIDE_CODEC_H
#define TIDE_CODEC_H

#include "tide/engine.h"
#include "tide/names.h"

/* Where and why a message is not one. */
struct tide_fault {
    enum tide_code code; /* invalid, unknown_op, not_found */
    char path[64];       /* "start", "rows[3].zone"; "" for the whole */
    const char *what;    /* a literal, English, for logs and for the reply's "detail" */
    long offset;         /* byte, -1 when not known */
};

/* An op as declared in messages.def. */
struct tide_op {
    const char *name;    /* "parking.book" */
    uint8_t event_kind;  /* TIDE_REC_book */
    uint8_t makes_names; /* only for users with one of `roles` may decode make names */
    uint16_t roles;      /* mask of 1 << enum tide_role, 0: any known user; a coarse first check */
    uint8_t is_read;     /* TIDE_EVENT_IS_ASK(event_kind) */
    tide_ms life_ms;     /* `expires` lies at most this far ahead */
};
const struct tide_op *tide_op_find(const char *name); /* NULL when unknown */
const struct tide_op *tide_op_at(size_t index);       /* NULL past the last */

/* A text that goes into the directory when (and only when) the request is accepted. */
struct tide_name_set {
    enum tide_name_kind kind;
    tide_id id;
    char text[TIDE_SECRET_HASH_BYTES_MAX];
};

#define TIDE_NAME_SETS_MAX (4 * TIDE_ITEMS_MAX)
struct tide_request {
    char rid[TIDE_RID_BYTES_MAX + 1];
    tide_ms expires_ms;        /* real time; 0 when the request gave none (reads may) */
    struct engine_event event; /* kind, as, blob; when and user are the pump's */
    uint8_t blob[TIDE_EVENT_BLOB_BYTES_MAX];
    struct tide_name_set sets[TIDE_NAME_SETS_MAX];
    size_t set_count;
};

/* Decodes the body of a request of this op. Names are looked up (and made where the op may).
 * utc_offset_min is the domain's. Returns 0, or -1 with *ret_fault; *ret->rid is filled whenever it
 * could be read, so that a refusal can be addressed. */
int tide_decode_request(const struct tide_op *op, const uint8_t *bytes, size_t len,
                        const struct tide_names *names, int utc_offset_min,
                        struct tide_request *ret, struct tide_fault *ret_fault);

/* The rid of any body, well formed or not, so that a refusal without decoding (unknown_op, busy)
 * can be addressed. 0, or -1 when there is none to be found; rid is then "". */
int tide_request_rid(const uint8_t *bytes, size_t len, char rid[TIDE_RID_BYTES_MAX + 1]);

/* A gateway's fact: topic `up/{kind}` with kind plate, slot, gate, done, hello. What a camera could
 * not read (a text that is no plate) is plate 0. Its misread candidates (alt1..4) are the caller's
 * to fill. Returns 0, or -1 with *ret_fault; *ret is then untouched. */
int tide_decode_fact(const char *kind, const uint8_t *bytes, size_t len,
                     const struct tide_names *names, int utc_offset_min, struct engine_event *ret,
                     struct tide_fault *ret_fault);

/* What is the same on every message of a domain. */
struct tide_frame {
    const struct tide_names *names;
    int utc_offset_min;
    uint32_t incarnation;
};

/* All encoders write NUL-terminated JSON and return its length, 0 when cap is too small. */

/* Large enough for every message of the daemon; a packet with it stays under
 * TIDE_PACKET_BYTES_MAX, topic and properties included. */
#define TIDE_MESSAGE_BYTES_MAX (TIDE_PACKET_BYTES_MAX - 1024)

/* effects: one REPLY and its ITEMs (other verbs are passed over). Items that do not fit into cap
 * are left out at the end, and `more` says so. 0 when there is no REPLY or not even it fits. */
size_t tide_encode_reply(char *out, size_t cap, const struct tide_frame *frame, const char *rid,
                         const uint8_t *effects, size_t effects_len);
/* A refusal that never reached the engine. */
size_t tide_encode_refusal(char *out, size_t cap, const struct tide_frame *frame, const char *rid,
                           enum tide_code code, const struct tide_fault *fault);
size_t tide_encode_notice(char *out, size_t cap, const struct tide_frame *frame,
                          const struct tide_notice *notice);
size_t tide_encode_command(char *out, size_t cap, const struct tide_frame *frame,
                           const struct tide_command *command, tide_ms valid_until_real_ms);
/* Retained: one zone (or merged zones under one name) now and by hour. */
size_t tide_encode_zone(char *out, size_t cap, const struct tide_frame *frame, const char *name,
                        uint64_t ver, const struct tide_zone_now *now,
                        const struct tide_tide_hour *hours, size_t hour_count);
/* down/ack: facts up to here are durable. */
size_t tide_encode_ack(char *out, size_t cap, const struct tide_frame *frame, uint32_t boot,
                       uint32_t seq);
/* down/list: plates that may pass while nobody answers. delta: changes to the last list. */
struct tide_pass {
    tide_id plate;
    tide_ms from_ms, until_ms; /* until 0: for good; until < from: take it off */
    tide_id booking;
};
size_t tide_encode_passes(char *out, size_t cap, const struct tide_frame *frame, uint32_t ver,
                          unsigned page, unsigned pages, bool delta, const struct tide_pass *passes,
                          size_t count);
/* tide/1/sys/{node}: the daemon's own state, retained; also its will. */
struct tide_node_state {
    const char *node, *state; /* "up", "down", "unavailable" */
    tide_ms civil_ms, real_ms;
    int scale;
    uint32_t incarnation;
};
size_t tide_encode_node(char *out, size_t cap, const struct tide_node_state *state);

/* ---- topics (topics.def) ------------------------------------------------------------------- */
enum tide_topic_family { TIDE_TOPIC_none, TIDE_TOPIC_request, TIDE_TOPIC_fact };
struct tide_topic {
    enum tide_topic_family family;
    char domain[TIDE_NAME_BYTES_MAX + 1];
    char user[TIDE_NAME_BYTES_MAX + 1]; /* user or gateway */
    char tail[TIDE_NAME_BYTES_MAX + 1]; /* op or kind */
};
/* Takes tide/1/{domain}/u/{user}/req/{op} and tide/1/{domain}/gw/{gateway}/up/{kind} apart.
 * Returns 0, -1 for any other topic. */
int tide_topic_parse(const char *topic, size_t len, struct tide_topic *ret);
/* Writes a topic of a family ("reply", "inbox", "down", "zone", "sys"). user may be NULL for zone
 * and sys, domain for sys, tail for inbox; the tail of reply is the rid, of zone its name, of sys
 * the node's. Returns its length, 0 when cap is too small or a part has a character that no topic
 * may have. */
size_t tide_topic_make(char *out, size_t cap, const char *family, const char *domain,
                       const char *user, const char *tail);

/* ---- text forms, shared with the clients ---------------------------------------------------- */
/* RFC 3339 with offset; seconds optional. Returns 0 or -1. */
int tide_time_parse(const char *text, size_t len, tide_ms *ret);
size_t tide_time_format(char *out, size_t cap, tide_ms time_ms, int utc_offset_min);
/* Civil days "2019-05-20" and minutes of a day "08:30" (up to "48:00"). Parsers return 0 or -1;
 * formatters return the length, 0 when it cannot be. cap of all formatters: at least 32. */
int tide_date_parse(const char *text, size_t len, int32_t *ret);
size_t tide_date_format(char *out, size_t cap, int32_t date);
int tide_dayminute_parse(const char *text, size_t len, int32_t *ret);
size_t tide_dayminute_format(char *out, size_t cap, int32_t minute);
/* Plates of GA 36-2018: strips blanks and the dot, upper-cases, checks. out holds at least 16.
 * Returns the class, or -1 when it is no plate. */
int tide_plate_normalise(const char *text, size_t len, char *out, size_t cap);
/* Strict JSON gate before cJSON: UTF-8, depth, members, no duplicates, no NUL. 0 or -1. */
int tide_json_check(const uint8_t *bytes, size_t len, struct tide_fault *ret_fault);

#endif
