/* wire.h - what the codec's own files share and nobody else includes.
 *
 *     bytes ──json_check──► cJSON tree ──decode──► records        (requests, facts)
 *     records ──encode──► bytes                                    (json_out, no tree)
 *
 * A *shape* is one line of messages.def: which members an object of a kind has. The members are
 * the fields of a record under their wire names (wire_member_name), so a decoder or an encoder of
 * its own is needed only where the wire says more than the record.
 */
#ifndef TIDE_PROTOCOL_WIRE_H
#define TIDE_PROTOCOL_WIRE_H

#include "protocol/codec.h"

/* ---- strict gate (json_check.c) ------------------------------------------------------------- */
/* tide_json_check, and where the text of the top level's "rid" lies if it was passed before the
 * end or the fault: *ret_rid is NULL when it was not. It has no escapes; all else is unchecked. */
int wire_json_check(const uint8_t *bytes, size_t len, struct tide_fault *ret_fault,
                    const char **ret_rid, size_t *ret_rid_len);

/* ---- shapes (messages.c) --------------------------------------------------------------------- */
struct wire_shape {
    const char *name;     /* "parking.book", "place", "plate" */
    const char *required; /* member names with blanks between */
    const char *optional;
    const char *choice; /* "=a b": exactly one of them, "+a b": at least one, "?a b": at most one */
    uint8_t kind;       /* enum tide_record_kind */
    bool makes_plates;  /* a plate never seen gets an id */
};
const struct wire_shape *wire_shape_of_op(const struct tide_op *op);
const struct wire_shape *wire_shape_of_row(const char *is);    /* NULL: none */
const struct wire_shape *wire_shape_of_fact(const char *kind); /* NULL: none */
/* The keys of a row that may be dropped, NULL when there is no such row. */
const struct wire_shape *wire_shape_of_drop(const char *is);

/* Position of a name in a list with blanks, -1 when it is not there. */
int wire_list_find(const char *list, const char *name);
/* The name at a position, copied; false past the last. cap holds any member's name. */
#define WIRE_MEMBER_MAX 32
bool wire_list_at(const char *list, unsigned index, char name[WIRE_MEMBER_MAX]);

/* ---- members and words (members.c) ----------------------------------------------------------- */
/* The name of a field on the wire: *ret_name with *ret_len bytes, not NUL-terminated. */
void wire_member_name(const struct tide_record *desc, const struct tide_field *field,
                      const char **ret_name, size_t *ret_len);
/* The field with this name on the wire, NULL when the record has none. */
const struct tide_field *wire_member_field(const struct tide_record *desc, const char *name);
/* "booking", "setting": what stands after "is" for a record; len bytes of the descriptor's name. */
size_t wire_record_name_len(const struct tide_record *desc);
/* The kind of name that an id of this field type stands for, none when it is a plain number. */
enum tide_name_kind wire_name_kind(unsigned field_type);
/* True for ids that are numbers: booking, series, ... */
bool wire_is_number_id(unsigned field_type);
/* Words of a mask (days, weekdays, sense); NULL past the last. */
const char *wire_mask_word(unsigned field_type, unsigned bit);
/* NULL when the text may be a name of this kind, else why not (a literal). */
const char *wire_name_fault(enum tide_name_kind kind, const char *text, size_t len);

/* ---- times (time.c) -------------------------------------------------------------------------- */
/* Days since 1970-01-01 of a civil date of years 0..9999, and back. */
int32_t wire_days_from_civil(int year, unsigned month, unsigned day);
/* As tide_time_format, with milliseconds: for real times. */
size_t wire_time_format_ms(char *out, size_t cap, tide_ms time_ms, int utc_offset_min);
#define WIRE_TIME_MAX 32 /* bytes that any time, date or minute of a day needs, with its NUL */

/* ---- writing JSON (json_out.c) --------------------------------------------------------------- */
/* Writes compact JSON into a given buffer; commas by itself. Once full, it stays full. */
struct wire_out {
    char *buf;
    size_t cap, len;
    bool comma; /* the next value is not the first of its object or array */
    bool full;
};
void wire_out_start(struct wire_out *out, char *buf, size_t cap);
/* Ends the text with a NUL; returns its length, 0 when it did not fit. */
size_t wire_out_end(struct wire_out *out);
void wire_out_open(struct wire_out *out, char bracket);
void wire_out_close(struct wire_out *out, char bracket);
void wire_out_key(struct wire_out *out, const char *name, size_t len);
void wire_out_string(struct wire_out *out, const char *text, size_t len);
void wire_out_int(struct wire_out *out, int64_t value);
void wire_out_bool(struct wire_out *out, bool value);
/* A key and its value. */
void wire_put_text(struct wire_out *out, const char *key, const char *text);
void wire_put_int(struct wire_out *out, const char *key, int64_t value);
void wire_put_bool(struct wire_out *out, const char *key, bool value);

/* ---- decoding (decode.c; rows and days in decode_rows.c) ------------------------------------- */
struct cJSON;

/* A text of an object that goes into the directory, not into its record. */
struct wire_text {
    enum tide_name_kind kind;
    const char *text;
};
#define WIRE_TEXTS_MAX 4

/* A name that the request brings along. It is made only when all else is right. */
struct wire_new_name {
    enum tide_name_kind kind;
    const char *text; /* in the tree, or plate below */
    char plate[16];
};

struct wire_decoder {
    const struct tide_names *names;
    struct tide_fault *fault;
    char at[48];   /* where the object stands: "", "rows[3]." */
    bool dry;      /* only look: a name to be made counts as known, with the id WIRE_ID_DRY */
    bool make_key; /* the object's own name (or plate) may be new */
    bool make_plate;
    bool plate_may_be_unknown; /* then its id is 0 */
    bool name_may_be_unknown;  /* of a fact: its number counts all the same */
    bool plate_may_be_garbage; /* cameras: then its id is 0 too */
    int plate_class;           /* of the last plate; -1: none yet */
    struct wire_text texts[WIRE_TEXTS_MAX];
    unsigned text_count;
    struct wire_new_name fresh[TIDE_ITEMS_MAX];
    unsigned fresh_count;
};
#define WIRE_ID_DRY UINT32_MAX

/* Fills the fault: code, path of the member below d->at. Returns -1. */
int wire_refuse(struct wire_decoder *d, enum tide_code code, const char *member, const char *what);
/* Decodes an object's members into the record of its shape (zeroed first), except those that
 * `skip` lists; checks required ones and choices. Texts are left in d->texts. 0 or -1. */
int wire_decode_object(struct wire_decoder *d, const struct wire_shape *shape,
                       const struct cJSON *object, const char *skip, void *ret_record);
/* Hands the texts of the last object to the request, under this id. 0 or -1. */
int wire_take_texts(struct wire_decoder *d, struct tide_request *request, tide_id id);
/* put: rows into the blob. calendar: days into the blob. drop: the row's keys. 0 or -1. */
int wire_decode_put(struct wire_decoder *d, const struct cJSON *root, struct tide_request *request);
int wire_decode_calendar(struct wire_decoder *d, const struct cJSON *root,
                         struct tide_request *request);
int wire_decode_drop(struct wire_decoder *d, const struct cJSON *root,
                     struct tide_request *request);

#endif
