/* json.h - JSON from strangers, bounded.
 *
 * A camera sends a plate of nine bytes inside a message of half a megabyte of picture. The text is
 * walked once, in place: grammar, UTF-8, depth and count are checked, and what is left (strings of
 * at most GW_JSON_STRING_MAX bytes; longer ones become "") goes into a small copy. Only that copy
 * ever reaches cJSON.
 */
#ifndef TIDE_GATEWAY_JSON_H
#define TIDE_GATEWAY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define GW_JSON_BYTES_MAX (1 << 20)
#define GW_JSON_SLIM_MAX (64 * 1024) /* what may be left of it */
#define GW_JSON_STRING_MAX 1024
#define GW_JSON_DEPTH_MAX 16
#define GW_JSON_VALUES_MAX 8192

/* Copies bytes without blanks and without long strings to out, NUL-terminated. Returns the length;
 * 0 with a literal in *ret_why when the text is not JSON or passes a bound. */
size_t gw_json_slim(const uint8_t *bytes, size_t len, char *out, size_t cap, const char **ret_why);

/* Member by a path of names, "payload.body.code". NULL when there is none. */
const cJSON *gw_json_at(const cJSON *root, const char *path);
/* A whole number in the range; false and *ret untouched otherwise. */
bool gw_json_int(const cJSON *root, const char *path, int64_t least, int64_t most, int64_t *ret);
/* A string shorter than cap; false and out untouched otherwise. */
bool gw_json_text(const cJSON *root, const char *path, char *out, size_t cap);
/* true only for the literal true or the number 1. */
bool gw_json_flag(const cJSON *root, const char *path);

/* Writes text as a JSON string with quotes. Returns its length, 0 when cap is too small. */
size_t gw_json_quote(char *out, size_t cap, const char *text);

#endif
