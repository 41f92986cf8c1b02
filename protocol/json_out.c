/* json_out.c - writes compact JSON straight into a buffer, without a tree: the reply to each
 * booking goes this way. Keys are our own words and need no escaping; texts are escaped. */
#include <string.h>

#include "protocol/wire.h"

void wire_out_start(struct wire_out *out, char *buf, size_t cap)
{
    *out = (struct wire_out){.buf = buf, .cap = cap, .full = cap == 0};
}

size_t wire_out_end(struct wire_out *out)
{
    if (out->full || out->len >= out->cap)
        return 0;
    out->buf[out->len] = '\0';
    return out->len;
}

static void add(struct wire_out *out, const char *bytes, size_t len)
{
    if (out->full || len > out->cap - out->len) {
        out->full = true;
        return;
    }
    memcpy(out->buf + out->len, bytes, len);
    out->len += len;
}

static void add_char(struct wire_out *out, char c)
{
    if (out->full || out->len == out->cap)
        out->full = true;
    else
        out->buf[out->len++] = c;
}

/* Before each value: a comma unless it is the first, or follows its key. */
static void before_value(struct wire_out *out)
{
    if (out->comma)
        add_char(out, ',');
    out->comma = true;
}

void wire_out_open(struct wire_out *out, char bracket)
{
    before_value(out);
    add_char(out, bracket);
    out->comma = false;
}

void wire_out_close(struct wire_out *out, char bracket)
{
    add_char(out, bracket);
    out->comma = true;
}

void wire_out_key(struct wire_out *out, const char *name, size_t len)
{
    before_value(out);
    add_char(out, '"');
    add(out, name, len);
    add(out, "\":", 2);
    out->comma = false;
}

void wire_out_string(struct wire_out *out, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    before_value(out);
    add_char(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        add(out, text + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\') {
            char escape[2] = {'\\', (char)c};
            add(out, escape, sizeof escape);
        } else {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            add(out, escape, sizeof escape);
        }
    }
    add(out, text + from, len - from);
    add_char(out, '"');
}

void wire_out_int(struct wire_out *out, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    before_value(out);
    add(out, digits + at, sizeof digits - at);
}

void wire_out_bool(struct wire_out *out, bool value)
{
    before_value(out);
    add(out, value ? "true" : "false", value ? 4 : 5);
}

void wire_put_text(struct wire_out *out, const char *key, const char *text)
{
    wire_out_key(out, key, strlen(key));
    wire_out_string(out, text, strlen(text));
}

void wire_put_int(struct wire_out *out, const char *key, int64_t value)
{
    wire_out_key(out, key, strlen(key));
    wire_out_int(out, value);
}

void wire_put_bool(struct wire_out *out, const char *key, bool value)
{
    wire_out_key(out, key, strlen(key));
    wire_out_bool(out, value);
}
