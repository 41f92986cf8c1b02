/* json.c - the walk over a text: a stack of brackets and one expectation.
 *
 *   expect VALUE ──scalar──► AFTER ──","──► VALUE or KEY      "[" and "{" push, "]" and "}" pop
 *          KEY  ──string, ":"──► VALUE
 */
#include "clients/gateway/json.h"

#include <assert.h>
#include <string.h>

struct walk {
    const uint8_t *in;
    size_t len, at;
    char *out;
    size_t cap, used;
    uint8_t stack[GW_JSON_DEPTH_MAX]; /* '{' or '[' */
    unsigned depth, values;
    const char *why;
};

static bool fail(struct walk *walk, const char *why)
{
    walk->why = why;
    return false;
}

static bool put(struct walk *walk, char c)
{
    if (walk->used + 1 >= walk->cap)
        return fail(walk, "too much beside its pictures");
    walk->out[walk->used++] = c;
    return true;
}

static int peek(const struct walk *walk)
{
    return walk->at < walk->len ? walk->in[walk->at] : -1;
}

static void skip_blanks(struct walk *walk)
{
    int c = peek(walk);
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        walk->at++;
        c = peek(walk);
    }
}

/* Length of the UTF-8 sequence at in, 0 when it is none (overlong, surrogate, past U+10FFFF). */
static size_t utf8_length(const uint8_t *in, size_t left)
{
    static const struct {
        uint8_t first_low, first_high, second_low, second_high, length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (in[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (in[0] < rows[i].first_low || in[0] > rows[i].first_high)
            continue;
        if (left < rows[i].length || in[1] < rows[i].second_low || in[1] > rows[i].second_high)
            return 0;
        for (size_t k = 2; k < rows[i].length; k++)
            if ((in[k] & 0xc0) != 0x80)
                return 0;
        return rows[i].length;
    }
    return 0;
}

/* Four hex digits at in; -1 when they are none. */
static int hex4(const uint8_t *in, size_t left)
{
    int value = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i >= left)
            return -1;
        int c = in[i];
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

/* Length of the escape at in (after its backslash is in[0]), 0 when it is none. A pair of
 * surrogates is one escape; U+0000 is refused, since C's strings end there. */
static size_t escape_length(const uint8_t *in, size_t left)
{
    if (left < 2)
        return 0;
    if (in[1] != 'u')
        return strchr("\"\\/bfnrt", in[1]) != NULL && in[1] != '\0' ? 2 : 0;
    int unit = hex4(in + 2, left - 2);
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return 0;
    if (unit < 0xd800 || unit > 0xdbff)
        return 6;
    if (left < 12 || in[6] != '\\' || in[7] != 'u')
        return 0;
    int low = hex4(in + 8, left - 8);
    return low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* Copies a string, or "" when it is longer than what anybody here reads. */
static bool walk_string(struct walk *walk)
{
    size_t begin = walk->used, bytes = 0;
    bool keep = true;
    if (!put(walk, '"'))
        return false;
    walk->at++;
    for (int c = peek(walk); c != '"'; c = peek(walk)) {
        if (c < 0)
            return fail(walk, "ends inside a string");
        if (c < 0x20)
            return fail(walk, "a control character in a string");
        const uint8_t *here = walk->in + walk->at;
        size_t left = walk->len - walk->at;
        size_t n = c == '\\' ? escape_length(here, left) : utf8_length(here, left);
        if (n == 0)
            return fail(walk, c == '\\' ? "a wrong escape" : "not UTF-8");
        bytes += n;
        if (bytes > GW_JSON_STRING_MAX && keep) {
            keep = false;
            walk->used = begin + 1;
        }
        for (size_t i = 0; keep && i < n; i++)
            if (!put(walk, (char)here[i]))
                return false;
        walk->at += n;
    }
    walk->at++;
    return put(walk, '"');
}

static size_t digits(const struct walk *walk, size_t at)
{
    size_t n = 0;
    while (at + n < walk->len && walk->in[at + n] >= '0' && walk->in[at + n] <= '9')
        n++;
    return n;
}

static bool walk_number(struct walk *walk)
{
    size_t at = walk->at;
    at += walk->in[at] == '-';
    size_t n = digits(walk, at);
    if (n == 0 || (n > 1 && walk->in[at] == '0'))
        return fail(walk, "a wrong number");
    at += n;
    if (at < walk->len && walk->in[at] == '.') {
        n = digits(walk, at + 1);
        if (n == 0)
            return fail(walk, "a wrong number");
        at += 1 + n;
    }
    if (at < walk->len && (walk->in[at] == 'e' || walk->in[at] == 'E')) {
        at++;
        at += at < walk->len && (walk->in[at] == '+' || walk->in[at] == '-');
        n = digits(walk, at);
        if (n == 0)
            return fail(walk, "a wrong number");
        at += n;
    }
    if (at - walk->at > 32)
        return fail(walk, "a number of too many digits");
    while (walk->at < at)
        if (!put(walk, (char)walk->in[walk->at++]))
            return false;
    return true;
}

static bool walk_word(struct walk *walk)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (walk->len - walk->at < n || memcmp(walk->in + walk->at, words[i], n) != 0)
            continue;
        walk->at += n;
        for (size_t k = 0; k < n; k++)
            if (!put(walk, words[i][k]))
                return false;
        return true;
    }
    return fail(walk, "no JSON value");
}

static bool walk_key(struct walk *walk)
{
    skip_blanks(walk);
    if (peek(walk) != '"')
        return fail(walk, "a member without its name");
    if (!walk_string(walk))
        return false;
    skip_blanks(walk);
    if (peek(walk) != ':')
        return fail(walk, "a member without its colon");
    walk->at++;
    return put(walk, ':');
}

/* At a value. Opens a bracket (true, *ret_open) or takes a scalar. */
static bool walk_value(struct walk *walk, bool *ret_open)
{
    *ret_open = false;
    if (++walk->values > GW_JSON_VALUES_MAX)
        return fail(walk, "too many values");
    int c = peek(walk);
    if (c == '"')
        return walk_string(walk);
    if (c == '-' || (c >= '0' && c <= '9'))
        return walk_number(walk);
    if (c != '{' && c != '[')
        return walk_word(walk);
    if (walk->depth == GW_JSON_DEPTH_MAX)
        return fail(walk, "too deep");
    walk->stack[walk->depth++] = (uint8_t)c;
    walk->at++;
    *ret_open = true;
    return put(walk, (char)c);
}

enum step { STEP_VALUE, STEP_END, STEP_BAD };

/* After a value: closes what ends here, and says what must come next. */
static enum step walk_after(struct walk *walk)
{
    while (walk->depth > 0) {
        skip_blanks(walk);
        int c = peek(walk), open = walk->stack[walk->depth - 1];
        if (c == ',') {
            walk->at++;
            bool good = put(walk, ',') && (open == '[' || walk_key(walk));
            return good ? STEP_VALUE : STEP_BAD;
        }
        if (c != (open == '{' ? '}' : ']')) {
            walk->why = c < 0 ? "ends before its brackets" : "a bracket or comma is missing";
            return STEP_BAD;
        }
        walk->at++;
        walk->depth--;
        if (!put(walk, (char)c))
            return STEP_BAD;
    }
    return STEP_END;
}

/* Just inside an opened bracket: empty ones close at once. */
static bool walk_opened(struct walk *walk, bool *ret_empty)
{
    int open = walk->stack[walk->depth - 1];
    skip_blanks(walk);
    *ret_empty = peek(walk) == (open == '{' ? '}' : ']');
    if (*ret_empty || open == '[')
        return true;
    return walk_key(walk);
}

static bool walk_all(struct walk *walk)
{
    for (;;) {
        bool open = false, empty = false;
        skip_blanks(walk);
        if (!walk_value(walk, &open))
            return false;
        if (open && !walk_opened(walk, &empty))
            return false;
        if (open && !empty)
            continue;
        enum step step = walk_after(walk);
        if (step == STEP_BAD)
            return false;
        if (step == STEP_END)
            break;
    }
    skip_blanks(walk);
    return walk->at == walk->len ? true : fail(walk, "more after the end");
}

size_t gw_json_slim(const uint8_t *bytes, size_t len, char *out, size_t cap, const char **ret_why)
{
    struct walk walk = {.in = bytes, .len = len, .out = out, .cap = cap};
    if (len > GW_JSON_BYTES_MAX) {
        *ret_why = "more than 1 MiB";
        return 0;
    }
    if (cap == 0 || !walk_all(&walk)) {
        *ret_why = walk.why != NULL ? walk.why : "no room";
        return 0;
    }
    assert(walk.used < cap);
    out[walk.used] = '\0';
    return walk.used;
}

/* ---- reading -------------------------------------------------------------------------------- */
const cJSON *gw_json_at(const cJSON *root, const char *path)
{
    const cJSON *here = root;
    while (here != NULL && *path != '\0') {
        char name[64];
        size_t len = strcspn(path, ".");
        if (len >= sizeof name || !cJSON_IsObject(here))
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        here = cJSON_GetObjectItemCaseSensitive(here, name);
        path += len + (path[len] == '.');
    }
    return here;
}

bool gw_json_int(const cJSON *root, const char *path, int64_t least, int64_t most, int64_t *ret)
{
    const cJSON *item = gw_json_at(root, path);
    if (!cJSON_IsNumber(item))
        return false;
    double value = item->valuedouble;
    if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0))
        return false;
    int64_t whole = (int64_t)value;
    if ((double)whole < value || (double)whole > value || whole < least || whole > most)
        return false;
    *ret = whole;
    return true;
}

bool gw_json_text(const cJSON *root, const char *path, char *out, size_t cap)
{
    const cJSON *item = gw_json_at(root, path);
    if (!cJSON_IsString(item) || item->valuestring == NULL)
        return false;
    size_t len = strlen(item->valuestring);
    if (len >= cap)
        return false;
    memcpy(out, item->valuestring, len + 1);
    return true;
}

bool gw_json_flag(const cJSON *root, const char *path)
{
    const cJSON *item = gw_json_at(root, path);
    int64_t one = 0;
    return cJSON_IsTrue(item) || (gw_json_int(root, path, 1, 1, &one) && one == 1);
}

size_t gw_json_quote(char *out, size_t cap, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    if (cap < 3)
        return 0;
    out[used++] = '"';
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (used + 8 > cap)
            return 0;
        if (byte == '"' || byte == '\\') {
            out[used++] = '\\';
            out[used++] = *c;
        } else if (byte < 0x20) {
            memcpy(out + used, "\\u00", 4);
            out[used + 4] = hex[byte >> 4];
            out[used + 5] = hex[byte & 15];
            used += 6;
        } else {
            out[used++] = *c;
        }
    }
    if (used + 2 > cap)
        return 0;
    out[used++] = '"';
    out[used] = '\0';
    return used;
}
