/* conf.c - the configuration file: one list of keys (CONF_KEYS in ops.h) gives the struct, the
 * defaults, the checks and the documented file.
 *
 *     # a comment            whole lines only, so that a value may hold a '#'
 *     key = value            blanks around both are dropped; each key once a file
 *
 * Nothing is guessed: an unknown key, a value of the wrong kind or out of range is refused with the
 * line and the reason, and the daemon does not start.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ops/ops.h"

enum conf_kind { CONF_text, CONF_number };

struct conf_key {
    const char *name, *def, *help;
    size_t offset;
    enum conf_kind kind;
    int64_t least, most;
};

static const struct conf_key keys[] = {
#define CONF_KEY_(key, kind, def, least, most, help)                                               \
    {#key, def, help, offsetof(struct conf, key), CONF_##kind, least, most},
    CONF_KEYS(CONF_KEY_)
#undef CONF_KEY_
};
#define KEY_COUNT (sizeof keys / sizeof *keys)
#define LINE_BYTES_MAX 4200

static char *text_of(struct conf *conf, const struct conf_key *key)
{
    return (char *)conf + key->offset;
}

static int64_t *number_of(struct conf *conf, const struct conf_key *key)
{
    return (int64_t *)(void *)((char *)conf + key->offset);
}

/* ---- checks of single values ---------------------------------------------------------------- */

/* A level of a topic, a user of the broker: nothing that either would read as something else. */
static bool is_name(const char *text, size_t len)
{
    if (len == 0 || len > TIDE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return false;
    return true;
}

static const char *check_domains(const char *text)
{
    size_t count = 0;
    for (const char *p = text; *p != '\0';) {
        size_t blank = strspn(p, " ");
        size_t len = strcspn(p + blank, " ");
        if (len == 0)
            break;
        p += blank;
        if (!is_name(p, len))
            return "a domain has 1 to 64 letters, digits, '.', '_' or '-'";
        for (const char *q = text; q < p; q += strcspn(q, " ")) {
            q += strspn(q, " ");
            if (q < p && strcspn(q, " ") == len && memcmp(q, p, len) == 0)
                return "a domain stands there twice";
        }
        p += len;
        if (++count > TIDE_DOMAINS_MAX)
            return "too many domains";
    }
    return count == 0 ? "at least one domain is needed" : NULL;
}

static const char *check_uri(const char *text)
{
    if (strncmp(text, "tcp://", 6) != 0 && strncmp(text, "ssl://", 6) != 0)
        return "it begins with tcp:// or ssl://";
    const char *colon = strrchr(text + 6, ':');
    if (colon == NULL || colon == text + 6)
        return "it is scheme://host:port";
    char *end;
    long port = strtol(colon + 1, &end, 10);
    return *end != '\0' || !isdigit((unsigned char)colon[1]) || port < 1 || port > 65535
               ? "its port is a number from 1 to 65535"
               : NULL;
}

static const char *check_text(const struct conf_key *key, const char *text)
{
    if (strcmp(key->name, "domains") == 0)
        return check_domains(text);
    if (strcmp(key->name, "broker_uri") == 0)
        return check_uri(text);
    if (strcmp(key->name, "log_level") == 0)
        return log_level_named(text) < 0 ? "it is debug, info, warn or error" : NULL;
    if (strcmp(key->name, "node") == 0 || strcmp(key->name, "broker_user") == 0)
        return is_name(text, strlen(text)) ? NULL : "only letters, digits, '.', '_' and '-'";
    return NULL;
}

static int set_text(struct conf *conf, const struct conf_key *key, const char *value, char *why,
                    size_t cap)
{
    size_t len = strlen(value);
    if ((int64_t)len < key->least || (int64_t)len > key->most) {
        snprintf(why, cap, "%s: %lld to %lld bytes are allowed, not %zu", key->name,
                 (long long)key->least, (long long)key->most, len);
        return -1;
    }
    const char *fault = check_text(key, value);
    if (fault != NULL) {
        snprintf(why, cap, "%s: %s", key->name, fault);
        return -1;
    }
    memcpy(text_of(conf, key), value, len + 1);
    return 0;
}

static int set_number(struct conf *conf, const struct conf_key *key, const char *value, char *why,
                      size_t cap)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0) {
        snprintf(why, cap, "%s: a whole number is needed, not \"%.60s\"", key->name, value);
        return -1;
    }
    if (number < key->least || number > key->most) {
        snprintf(why, cap, "%s: %lld to %lld is allowed, not %lld", key->name,
                 (long long)key->least, (long long)key->most, number);
        return -1;
    }
    *number_of(conf, key) = number;
    return 0;
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* Letters to change, add or drop between two words (Levenshtein), for "did you mean". */
static unsigned edits(const char *a, size_t alen, const char *b)
{
    unsigned row[64];
    size_t blen = strlen(b);
    if (alen >= 64 || blen >= 64)
        return 64;
    for (size_t j = 0; j <= blen; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= alen; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= blen; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[blen];
}

static const struct conf_key *find_key(const char *name, size_t len, char *why, size_t cap)
{
    const struct conf_key *near = NULL;
    unsigned best = 4;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0)
            return &keys[i];
        unsigned distance = edits(name, len, keys[i].name);
        if (distance < best) {
            best = distance;
            near = &keys[i];
        }
    }
    snprintf(why, cap, "unknown key \"%.*s\"%s%s%s", (int)(len < 60 ? len : 60), name,
             near != NULL ? "; did you mean " : "", near != NULL ? near->name : "",
             near != NULL ? "?" : "");
    return NULL;
}

/* Takes "key = value" apart and sets it; *ret_key tells which it was. */
static int assign(struct conf *conf, char *line, const struct conf_key **ret_key, char *why,
                  size_t cap)
{
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        snprintf(why, cap, "\"key = value\" is needed");
        return -1;
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    size_t value_len = strlen(value);
    while (value_len > 0 && strchr(" \t\r\n", value[value_len - 1]) != NULL)
        value[--value_len] = '\0';
    size_t key_len = (size_t)(equals - line);
    while (key_len > 0 && strchr(" \t", line[key_len - 1]) != NULL)
        key_len--;

    const struct conf_key *key = find_key(line, key_len, why, cap);
    if (key == NULL)
        return -1;
    *ret_key = key;
    return key->kind == CONF_text ? set_text(conf, key, value, why, cap)
                                  : set_number(conf, key, value, why, cap);
}

void conf_default(struct conf *ret)
{
    char why[200];
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        int set = keys[i].kind == CONF_text
                      ? set_text(ret, &keys[i], keys[i].def, why, sizeof why)
                      : set_number(ret, &keys[i], keys[i].def, why, sizeof why);
        if (set != 0)
            abort(); /* the list itself is wrong */
    }
}

int conf_set(struct conf *conf, const char *assignment, char *why, size_t why_cap)
{
    char line[LINE_BYTES_MAX];
    const struct conf_key *key;
    if (strlen(assignment) >= sizeof line) {
        snprintf(why, why_cap, "the line is too long");
        return -1;
    }
    memcpy(line, assignment, strlen(assignment) + 1);
    return assign(conf, line + strspn(line, " \t"), &key, why, why_cap);
}

/* One line of the file. 0, or -1 with the reason alone in why. */
static int read_line(struct conf *conf, char *line, size_t len, long number,
                     long first_seen[KEY_COUNT], char *why, size_t cap)
{
    const struct conf_key *key = NULL;
    if (number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3, len -= 3; /* an editor's byte order mark */
    if (strlen(line) != len) {
        snprintf(why, cap, "a NUL byte stands there");
        return -1;
    }
    char *start = line + strspn(line, " \t");
    if (*start == '#' || start[strspn(start, " \t\r\n")] == '\0')
        return 0;
    if (assign(conf, start, &key, why, cap) != 0)
        return -1;
    long *seen = &first_seen[key - keys];
    if (*seen != 0) {
        snprintf(why, cap, "%s is set twice, first in line %ld", key->name, *seen);
        return -1;
    }
    *seen = number;
    return 0;
}

int conf_read(struct conf *conf, const char *path, char *why, size_t why_cap)
{
    char line[LINE_BYTES_MAX], reason[300];
    long first_seen[KEY_COUNT] = {0}, number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(why, why_cap, "%s: %s", path, strerror(errno));
        return -1;
    }
    int result = 0;
    while (result == 0) {
        size_t len = 0;
        int c;
        while ((c = getc(file)) != EOF && c != '\n' && len < sizeof line - 1)
            line[len++] = (char)c;
        if (c == EOF && len == 0)
            break;
        line[len] = '\0';
        number++;
        if (c != EOF && c != '\n') {
            snprintf(reason, sizeof reason, "the line is too long");
            result = -1;
        } else {
            result = read_line(conf, line, len, number, first_seen, reason, sizeof reason);
        }
        if (result != 0)
            snprintf(why, why_cap, "%s:%ld: %s", path, number, reason);
    }
    if (result == 0 && ferror(file)) {
        snprintf(why, why_cap, "%s: cannot be read", path);
        result = -1;
    }
    fclose(file);
    return result;
}

void conf_print(const struct conf *conf, FILE *out)
{
    fputs("# tided.conf - the configuration of tided, the daemon of Tide.\n"
          "#\n"
          "# key = value, one a line; comments are lines of their own. What is left out has the\n"
          "# value shown here. `tided -c FILE --check-config` tells what is wrong with a file,\n"
          "# `tided -c FILE --print-config` prints it like this one.\n",
          out);
    struct conf *values = (struct conf *)(uintptr_t)conf; /* only read below */
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct conf_key *key = &keys[i];
        fprintf(out, "\n# %s (%s%lld to %lld%s)\n", key->help,
                key->kind == CONF_text ? "text, " : "", (long long)key->least, (long long)key->most,
                key->kind == CONF_text ? " bytes" : "");
        if (key->kind == CONF_number)
            fprintf(out, "%s = %lld\n", key->name, (long long)*number_of(values, key));
        else
            fprintf(out, "%s =%s%s\n", key->name, *text_of(values, key) != '\0' ? " " : "",
                    text_of(values, key));
    }
}

void conf_limits(const struct conf *conf, struct engine_limits *ret)
{
    /* What has no key of its own follows from how many live and park there. */
    uint32_t households = (uint32_t)conf->households_max, slots = (uint32_t)conf->slots_max;
    memset(ret, 0, sizeof *ret); /* 0: the engine's default */
    ret->places = households + households / 4 + 256;
    ret->persons = 3 * households + 256;
    ret->roles = 3 * households + 512;
    ret->users = 4 * households + 256;
    ret->vehicles = 3 * households + 256;
    ret->slots = slots;
    ret->windows = 4 * slots;
    ret->bookings = (uint32_t)conf->bookings_max;
    ret->sessions = 2 * slots + 256;
    ret->horizon_days_max = (uint32_t)conf->horizon_days_max;
}
