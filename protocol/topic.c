/* topic.c - topics taken apart and put together, from the patterns in topics.def.
 *
 * A part comes from outside (the name of a user, of a zone), so it is checked each time: nobody
 * may smuggle a level or a wildcard in.
 */
#include <string.h>

#include "protocol/codec.h"

static const struct pattern {
    const char *family, *text;
} patterns[] = {
#define TIDE_TOPIC(family, pattern, writer, reader, qos, retained) {#family, pattern},
#include "protocol/topics.def"
#undef TIDE_TOPIC
};

/* A part of a topic: no level, no wildcard, no control character; 1 to 64 bytes. */
static bool is_part(const char *text, size_t len)
{
    if (len == 0 || len > TIDE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '+' || c == '#')
            return false;
    }
    return true;
}

/* Matches one pattern; parts[0..2] get domain, user, tail. */
static bool matches(const char *pattern, const char *topic, size_t len,
                    char (*parts[3])[TIDE_NAME_BYTES_MAX + 1])
{
    size_t at = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (at == len || topic[at++] != *pattern++)
                return false;
            continue;
        }
        const char *end = memchr(topic + at, '/', len - at);
        size_t n = end != NULL ? (size_t)(end - topic) - at : len - at;
        if (!is_part(topic + at, n))
            return false;
        char(*part)[TIDE_NAME_BYTES_MAX + 1] = parts[pattern[1] == 'd'   ? 0
                                                     : pattern[1] == 'u' ? 1
                                                                         : 2];
        memcpy(*part, topic + at, n);
        (*part)[n] = '\0';
        at += n;
        pattern = strchr(pattern, '}') + 1;
    }
    return at == len;
}

int tide_topic_parse(const char *topic, size_t len, struct tide_topic *ret)
{
    static const struct {
        const char *family;
        enum tide_topic_family value;
    } incoming[] = {{"request", TIDE_TOPIC_request}, {"fact", TIDE_TOPIC_fact}};
    struct tide_topic parsed;
    char(*parts[3])[TIDE_NAME_BYTES_MAX + 1] = {&parsed.domain, &parsed.user, &parsed.tail};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (strcmp(patterns[i].family, incoming[k].family) != 0 ||
                !matches(patterns[i].text, topic, len, parts))
                continue;
            parsed.family = incoming[k].value;
            *ret = parsed;
            return 0;
        }
    }
    return -1;
}

static bool append(char *out, size_t cap, size_t *len, const char *text, size_t text_len)
{
    if (text_len >= cap - *len)
        return false;
    memcpy(out + *len, text, text_len);
    *len += text_len;
    out[*len] = '\0';
    return true;
}

size_t tide_topic_make(char *out, size_t cap, const char *family, const char *domain,
                       const char *user, const char *tail)
{
    const char *pattern = NULL;
    size_t len = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(patterns[i].family, family) == 0)
            pattern = patterns[i].text;
    while (cap > 0 && pattern != NULL && *pattern != '\0') {
        const char *brace = strchr(pattern, '{');
        size_t plain = brace != NULL ? (size_t)(brace - pattern) : strlen(pattern);
        if (!append(out, cap, &len, pattern, plain))
            return 0;
        if (brace == NULL)
            break;
        const char *part = brace[1] == 'd' ? domain : brace[1] == 'u' ? user : tail;
        size_t n = part != NULL ? strlen(part) : 0;
        if (!is_part(part, n) || !append(out, cap, &len, part, n))
            return 0;
        pattern = strchr(brace, '}') + 1;
    }
    return len;
}
