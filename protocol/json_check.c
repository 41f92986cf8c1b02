/* json_check.c - the gate before cJSON: bytes that are not exactly one strict JSON value stay out.
 *
 * cJSON is a kind parser: it takes doubles, a NUL in the middle, bad UTF-8, a key twice, a
 * thousand levels. Here nothing of that passes, nothing is allocated, and a fault has its place:
 *
 *     {"rows":[{"zone":"A"},{"zone":1.5}]}      "rows[1].zone", byte 31: a number with a fraction
 *      └step 1─┘└step 2───┘ └step 3┘
 *
 * The open objects and arrays are a stack of steps (at most TIDE_JSON_DEPTH_MAX); the path is put
 * together from it only when there is a fault.
 *
 * Numbers are integers of at most 2^53 - 1 either way (RFC 7493): every parser holds them exactly.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

#define NUMBER_MAX 9007199254740991 /* 2^53 - 1 */

struct key {
    uint32_t at;
    uint32_t len;
};

struct step {
    bool is_array;
    uint32_t index; /* of the element under way */
    struct key key; /* of the member under way; len 0: none yet */
};

struct gate {
    const uint8_t *bytes;
    size_t len, at;
    struct step steps[TIDE_JSON_DEPTH_MAX];
    unsigned depth;
    unsigned members; /* members and elements so far, all levels */
    struct tide_fault *fault;
    struct key rid;
};

/* ---- where it went wrong -------------------------------------------------------------------- */
/* A member's name goes into a path only when it looks like ours: a path is shown and logged. */
static bool is_plain_name(const uint8_t *name, size_t len)
{
    if (len == 0 || len >= WIRE_MEMBER_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return true;
}

static void path_add(char *path, size_t cap, size_t *len, const char *text, size_t text_len)
{
    if (text_len >= cap - *len)
        return; /* a path that is too long ends early; it stays well formed */
    memcpy(path + *len, text, text_len);
    *len += text_len;
    path[*len] = '\0';
}

static void write_path(const struct gate *g, char *path, size_t cap)
{
    size_t len = 0;
    path[0] = '\0';
    for (unsigned i = 0; i < g->depth; i++) {
        const struct step *step = &g->steps[i];
        char index[16];
        if (step->is_array) {
            int n = snprintf(index, sizeof index, "[%u]", step->index);
            path_add(path, cap, &len, index, (size_t)n);
        } else if (step->key.len > 0) {
            const uint8_t *name = g->bytes + step->key.at;
            bool plain = is_plain_name(name, step->key.len);
            if (len > 0)
                path_add(path, cap, &len, ".", 1);
            path_add(path, cap, &len, plain ? (const char *)name : "?", plain ? step->key.len : 1);
        }
    }
}

static int fail(struct gate *g, const char *what)
{
    g->fault->code = TIDE_CODE_invalid;
    g->fault->what = what;
    g->fault->offset = (long)g->at;
    write_path(g, g->fault->path, sizeof g->fault->path);
    return -1;
}

/* ---- strings --------------------------------------------------------------------------------- */
static bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 sequence at p that starts with a byte >= 0x80; 0 when it is none: a stray
 * tail, overlong, a surrogate, above U+10FFFF, cut off. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    if (p[0] < 0xe0)
        return left >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xf0) {
        uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80, high = p[0] == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
    }
    uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xf4 ? 0x8f : 0xbf;
    return left >= 4 && p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
}

/* The number of \uXXXX at p (after the u), -1 when it is none. */
static long hex4(const uint8_t *p, size_t left)
{
    long value = 0;
    if (left < 4)
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static int check_unicode_escape(struct gate *g)
{
    const uint8_t *p = g->bytes + g->at;
    size_t left = g->len - g->at;
    long unit = hex4(p + 2, left - 2);
    if (unit < 0)
        return fail(g, "not an escape");
    if (unit == 0)
        return fail(g, "a NUL in a text");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return fail(g, "half of a surrogate pair");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        long low = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, left - 8) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(g, "half of a surrogate pair");
        g->at += 12;
        return 0;
    }
    g->at += 6;
    return 0;
}

static int check_escape(struct gate *g)
{
    if (g->len - g->at < 2)
        return fail(g, "the text ends within a string");
    uint8_t c = g->bytes[g->at + 1];
    if (c == 'u')
        return check_unicode_escape(g);
    if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
        return fail(g, "not an escape");
    g->at += 2;
    return 0;
}

/* At a quote; leaves *ret around the text between the quotes and tells whether it has escapes. */
static int check_string(struct gate *g, struct key *ret, bool *ret_escaped)
{
    size_t start = ++g->at;
    *ret_escaped = false;
    while (g->at < g->len) {
        uint8_t c = g->bytes[g->at];
        if (c == '"') {
            *ret = (struct key){(uint32_t)start, (uint32_t)(g->at - start)};
            g->at++;
            return 0;
        }
        if (c == '\\') {
            *ret_escaped = true;
            if (check_escape(g) != 0)
                return -1;
        } else if (c < 0x20) {
            return fail(g, c == 0 ? "a NUL in a text" : "a control character in a string");
        } else if (c < 0x80) {
            g->at++;
        } else {
            size_t n = utf8_len(g->bytes + g->at, g->len - g->at);
            if (n == 0)
                return fail(g, "not UTF-8");
            g->at += n;
        }
    }
    return fail(g, "the text ends within a string");
}

/* ---- values ---------------------------------------------------------------------------------- */
static void skip_blanks(struct gate *g)
{
    while (g->at < g->len && (g->bytes[g->at] == ' ' || g->bytes[g->at] == '\t' ||
                              g->bytes[g->at] == '\n' || g->bytes[g->at] == '\r'))
        g->at++;
}

static int peek(const struct gate *g)
{
    return g->at < g->len ? g->bytes[g->at] : -1;
}

static int check_number(struct gate *g)
{
    size_t start = g->at;
    int64_t value = 0;
    if (peek(g) == '-')
        g->at++;
    size_t first = g->at;
    while (peek(g) >= '0' && peek(g) <= '9') {
        if (value <= NUMBER_MAX)
            value = value * 10 + (peek(g) - '0');
        g->at++;
    }
    size_t digits = g->at - first;
    int next = peek(g);
    const char *what = NULL;
    if (digits == 0 || (digits > 1 && g->bytes[first] == '0'))
        what = "not a number";
    else if (next == '.' || next == 'e' || next == 'E')
        what = "a number with a fraction or an exponent";
    else if (value > NUMBER_MAX)
        what = "a number out of range";
    if (what == NULL)
        return 0;
    g->at = start;
    return fail(g, what);
}

static int check_literal(struct gate *g)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strlen(literals[i]);
        if (g->len - g->at >= n && memcmp(g->bytes + g->at, literals[i], n) == 0) {
            g->at += n;
            return 0;
        }
    }
    return fail(g, g->at < g->len ? "not JSON" : "the text ends too early");
}

static int check_value(struct gate *g);

static int push(struct gate *g, bool is_array)
{
    if (g->depth == TIDE_JSON_DEPTH_MAX)
        return fail(g, "too deep");
    g->steps[g->depth++] = (struct step){.is_array = is_array};
    g->at++;
    skip_blanks(g);
    return 0;
}

/* After a member or element: a comma (true: go on) or the end. */
static int check_separator(struct gate *g, char end, bool *ret_more)
{
    skip_blanks(g);
    int c = peek(g);
    if (c != ',' && c != end)
        return fail(g, c < 0 ? "the text ends too early" : "a comma or the end expected");
    g->at++;
    *ret_more = c == ',';
    if (*ret_more)
        skip_blanks(g);
    else
        g->depth--;
    return 0;
}

static int count_member(struct gate *g)
{
    if (++g->members > TIDE_JSON_MEMBERS_MAX)
        return fail(g, "too many members");
    return 0;
}

static int check_array(struct gate *g)
{
    bool more = true;
    if (push(g, true) != 0)
        return -1;
    struct step *step = &g->steps[g->depth - 1];
    if (peek(g) == ']')
        return check_separator(g, ']', &more);
    while (more) {
        if (count_member(g) != 0 || check_value(g) != 0 || check_separator(g, ']', &more) != 0)
            return -1;
        step->index++;
    }
    return 0;
}

/* A member's name: plain, and not one of those before it. */
static int check_key(struct gate *g, struct key *keys, unsigned count)
{
    struct key key;
    bool escaped;
    size_t start = g->at;
    if (peek(g) != '"')
        return fail(g, peek(g) < 0 ? "the text ends too early" : "a member's name expected");
    if (check_string(g, &key, &escaped) != 0)
        return -1;
    const char *what = escaped ? "an escape in a member's name" : NULL;
    g->steps[g->depth - 1].key = key;
    if (count == TIDE_JSON_OBJECT_MEMBERS_MAX)
        what = "too many members";
    for (unsigned i = 0; what == NULL && i < count; i++)
        if (keys[i].len == key.len &&
            memcmp(g->bytes + keys[i].at, g->bytes + key.at, key.len) == 0)
            what = "the same member twice";
    if (what != NULL) {
        g->at = start;
        return fail(g, what);
    }
    keys[count] = key;
    skip_blanks(g);
    if (peek(g) != ':')
        return fail(g, "a colon expected");
    g->at++;
    skip_blanks(g);
    return 0;
}

/* The request's own rid, as soon as it has been passed: a refusal is addressed by it. */
static void note_rid(struct gate *g, struct key key, size_t value_at)
{
    const uint8_t *value = g->bytes + value_at;
    size_t len = g->at - value_at;
    if (g->depth != 1 || key.len != 3 || memcmp(g->bytes + key.at, "rid", 3) != 0)
        return;
    if (len < 2 || value[0] != '"' || memchr(value, '\\', len) != NULL)
        return;
    g->rid = (struct key){(uint32_t)value_at + 1, (uint32_t)len - 2};
}

static int check_object(struct gate *g)
{
    struct key keys[TIDE_JSON_OBJECT_MEMBERS_MAX];
    bool more = true;
    if (push(g, false) != 0)
        return -1;
    if (peek(g) == '}')
        return check_separator(g, '}', &more);
    for (unsigned count = 0; more; count++) {
        if (count_member(g) != 0 || check_key(g, keys, count) != 0)
            return -1;
        size_t value_at = g->at;
        if (check_value(g) != 0)
            return -1;
        note_rid(g, keys[count], value_at);
        if (check_separator(g, '}', &more) != 0)
            return -1;
        if (more)
            g->steps[g->depth - 1].key.len = 0;
    }
    return 0;
}

static int check_value(struct gate *g)
{
    struct key text;
    bool escaped;
    switch (peek(g)) {
    case '{':
        return check_object(g);
    case '[':
        return check_array(g);
    case '"':
        return check_string(g, &text, &escaped);
    default:
        if (peek(g) == '-' || (peek(g) >= '0' && peek(g) <= '9'))
            return check_number(g);
        return check_literal(g);
    }
}

int wire_json_check(const uint8_t *bytes, size_t len, struct tide_fault *ret_fault,
                    const char **ret_rid, size_t *ret_rid_len)
{
    struct gate g = {.bytes = bytes, .len = len, .fault = ret_fault};
    int error;
    if (len >= UINT32_MAX)
        error = fail(&g, "too long");
    else if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        error = fail(&g, "a byte order mark");
    else {
        skip_blanks(&g);
        error = check_value(&g);
        skip_blanks(&g);
        if (error == 0 && g.at < g.len)
            error = fail(&g, "more after the end");
    }
    *ret_rid = g.rid.at > 0 ? (const char *)bytes + g.rid.at : NULL;
    *ret_rid_len = g.rid.len;
    return error;
}

int tide_json_check(const uint8_t *bytes, size_t len, struct tide_fault *ret_fault)
{
    const char *rid;
    size_t rid_len;
    return wire_json_check(bytes, len, ret_fault, &rid, &rid_len);
}
