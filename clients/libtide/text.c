/* text.c - the small texts of the wire: rids, times, request bodies, the code of a reply. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "clients/libtide/libtide.h"

static int64_t clock_ms(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t libtide_elapsed_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

int64_t libtide_real_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

void libtide_time(char *out, size_t cap, int64_t real_ms)
{
    time_t seconds = (time_t)(real_ms / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        memset(&tm, 0, sizeof tm);
    snprintf(out, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (tm.tm_year + 1900) % 10000,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(real_ms % 1000));
}

bool libtide_name_ok(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    if (len == 0 || len > LIBTIDE_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c <= ' ' || c == 0x7f || c == '/' || c == '+' || c == '#' || c == '$')
            return false;
    }
    return true;
}

bool libtide_rid_ok(const char *rid)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(rid);

    return len >= 1 && len <= LIBTIDE_RID_MAX && strspn(rid, letters) == len;
}

int tide_client_rid(char *out, size_t cap)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[18] = {0};
    size_t got = 0;

    if (cap < 23)
        return -1;
    while (got < 16) {
        ssize_t n = getrandom(bytes + got, 16 - got, 0);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            got += (size_t)n;
    }
    for (size_t i = 0; i < 22; i++) {
        unsigned word = (unsigned)bytes[i / 4 * 3] << 16 | (unsigned)bytes[i / 4 * 3 + 1] << 8 |
                        bytes[i / 4 * 3 + 2];

        out[i] = letters[word >> (18 - 6 * (i % 4)) & 63];
    }
    out[22] = '\0';
    return 0;
}

/* Where the members of an object begin: behind its brace. NULL when fields are not what they must
 * be: one object, without the two members that the library adds. */
static const char *members_of(const char *fields, bool *ret_empty)
{
    const char *end = NULL;
    cJSON *object = cJSON_ParseWithOpts(fields, &end, 1);
    bool ok = cJSON_IsObject(object) && !cJSON_GetObjectItemCaseSensitive(object, "rid") &&
              !cJSON_GetObjectItemCaseSensitive(object, "expires");

    *ret_empty = !object || !object->child;
    cJSON_Delete(object);
    return ok ? strchr(fields, '{') + 1 : NULL;
}

char *libtide_body(const char *fields, const char *rid, int64_t expires_ms, size_t *ret_len,
                   bool *ret_usage)
{
    bool empty = false;
    const char *members = members_of(fields, &empty);
    size_t cap = strlen(fields) + 128;
    char expires[32], *body;
    int len;

    *ret_usage = !members;
    body = members ? malloc(cap) : NULL;
    if (!body)
        return NULL;
    libtide_time(expires, sizeof expires, expires_ms);
    len = snprintf(body, cap, "{\"rid\":\"%s\",\"expires\":\"%s\"%s%s", rid, expires,
                   empty ? "" : ",", empty ? "}" : members);
    *ret_len = (size_t)len;
    return body;
}

void libtide_code(const char *json, size_t len, char *out, size_t cap, uint32_t *ret_incarnation)
{
    cJSON *reply = cJSON_ParseWithLength(json, len);
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(reply, "code");
    const cJSON *incarnation = cJSON_GetObjectItemCaseSensitive(reply, "incarnation");

    snprintf(out, cap, "%s", cJSON_IsString(code) ? code->valuestring : "");
    *ret_incarnation = 0;
    if (cJSON_IsNumber(incarnation) && incarnation->valuedouble >= 0 &&
        incarnation->valuedouble < 4294967296.0)
        *ret_incarnation = (uint32_t)incarnation->valuedouble;
    cJSON_Delete(reply);
}
