/* plate.c - number plates of GA 36-2018, matched by a table of patterns, one letter a character:
 *
 *     P  province (京 ... 琼)      R  letter of the town: A-H J-Z      S  A-H J-N P-Z 0-9
 *     d  digit                     E  letter of new energy: A-H J K    X  挂 学 港 澳 领
 *     G  警    U  使    W  the letter W    J  the letter J    T  digit or one of T D S H B X J
 *
 * A plate is compared as characters, never through a locale or a regular expression.
 */
#include <string.h>

#include "protocol/codec.h"

#define CHARACTERS_MAX 8

static const struct pattern {
    const char *classes;
    enum tide_plate_class plate_class;
} patterns[] = {
    {"PRSSSSS", TIDE_PLATE_CLASS_ordinary},     {"PRESdddd", TIDE_PLATE_CLASS_new_energy},
    {"PRdddddE", TIDE_PLATE_CLASS_new_energy},  {"PRSSSSG", TIDE_PLATE_CLASS_police},
    {"PRSSSSX", TIDE_PLATE_CLASS_suffixed},     {"ddddddU", TIDE_PLATE_CLASS_embassy},
    {"WJddddT", TIDE_PLATE_CLASS_armed_police}, {"WJPddddT", TIDE_PLATE_CLASS_armed_police},
};

/* One character of UTF-8 as the number made of its bytes; 3 bytes at most. */
#define C3(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

/* True when the character (1 or 3 bytes) stands in a text of such characters. */
static bool is_in(const char *set, uint32_t character)
{
    for (const uint8_t *p = (const uint8_t *)set; *p != 0;) {
        uint32_t member = *p < 0x80 ? *p : C3(p[0], p[1], p[2]);
        if (member == character)
            return true;
        p += *p < 0x80 ? 1 : 3;
    }
    return false;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_of_class(char pattern, uint32_t c)
{
    switch (pattern) {
    case 'P':
        return is_in("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼", c);
    case 'R':
        return c >= 'A' && c <= 'Z' && c != 'I';
    case 'S':
        return is_digit(c) || (c >= 'A' && c <= 'Z' && c != 'I' && c != 'O');
    case 'd':
        return is_digit(c);
    case 'E':
        return c >= 'A' && c <= 'K' && c != 'I';
    case 'X':
        return is_in("挂学港澳领", c);
    case 'G':
        return is_in("警", c);
    case 'U':
        return is_in("使", c);
    case 'T':
        return is_digit(c) || is_in("TDSHBXJ", c);
    default:
        return c == (uint32_t)pattern;
    }
}

static int class_of(const uint32_t *characters, size_t count)
{
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *classes = patterns[i].classes;
        if (strlen(classes) != count)
            continue;
        size_t n = 0;
        while (n < count && is_of_class(classes[n], characters[n]))
            n++;
        if (n == count)
            return (int)patterns[i].plate_class;
    }
    return -1;
}

/* Bytes of the character at p when it is passed over: a blank, an ideographic blank, the dot ·. */
static size_t passed_over(const uint8_t *p, size_t left)
{
    if (p[0] == ' ' || p[0] == '\t')
        return 1;
    if (left >= 2 && p[0] == 0xc2 && p[1] == 0xb7)
        return 2;
    return left >= 3 && C3(p[0], p[1], p[2]) == C3(0xe3, 0x80, 0x80) ? 3 : 0;
}

int tide_plate_normalise(const char *text, size_t len, char *out, size_t cap)
{
    uint32_t characters[CHARACTERS_MAX];
    char plate[3 * CHARACTERS_MAX + 1];
    size_t count = 0, bytes = 0;
    for (size_t at = 0; at < len;) {
        const uint8_t *p = (const uint8_t *)text + at;
        size_t skip = passed_over(p, len - at);
        size_t n = p[0] < 0x80 ? 1 : 3;
        at += skip > 0 ? skip : n;
        if (skip > 0)
            continue;
        if (count == CHARACTERS_MAX || at > len || (n == 3 && p[0] < 0xe0))
            return -1;
        uint8_t ascii = p[0] >= 'a' && p[0] <= 'z' ? (uint8_t)(p[0] - 'a' + 'A') : p[0];
        characters[count++] = n == 1 ? ascii : C3(p[0], p[1], p[2]);
        if (n == 1)
            plate[bytes] = (char)ascii;
        else
            memcpy(plate + bytes, p, n);
        bytes += n;
    }
    int plate_class = class_of(characters, count);
    if (plate_class < 0 || bytes >= cap)
        return -1;
    plate[bytes] = '\0';
    memcpy(out, plate, bytes + 1);
    return plate_class;
}
