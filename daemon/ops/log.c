/* log.c - what happened, one JSON object a line on stderr.
 *
 *     {"t":"2026-05-20T10:00:00.123Z","level":"warn","what":"broker.down","uri":"tcp://…"}
 *
 * A line is written by one write(2), so lines of two threads never mix. Each `what` has a token
 * bucket of its own: a fault that repeats ten thousand times a second costs a line now and then,
 * with "suppressed" counting the rest. Texts come in through log_str alone, which masks plates and
 * phone numbers: a log is read by more people than the database.
 */
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ops/ops.h"

#define LINE_BYTES 2048
#define TEXT_BYTES 256 /* of a text that log_str takes in */
#define BURST 40       /* lines of one `what` at once */
#define REFILL_MS 200  /* and then one each */
#define BUCKETS 64

static _Atomic int level_now = LOG_INFO_;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level)
{
    level_now = (int)level;
}

int log_level_named(const char *name)
{
    for (int i = LOG_DEBUG_; i <= LOG_ERROR_; i++)
        if (strcmp(name, level_names[i]) == 0)
            return i;
    return -1;
}

/* ---- rate ----------------------------------------------------------------------------------- */

struct bucket {
    uint64_t what; /* hash */
    int64_t filled_ms;
    unsigned tokens;
    unsigned long suppressed;
};
static struct bucket buckets[BUCKETS];
static pthread_mutex_t bucket_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
    return hash;
}

/* Whether a line may go; *ret_suppressed is how many before it did not. Two `what`s of one place
 * in the table take it from each other, which only lets more through. */
static bool may_log(const char *what, unsigned long *ret_suppressed)
{
    uint64_t hash = hash_of(what);
    int64_t now = clock_elapsed_ms();
    pthread_mutex_lock(&bucket_lock);
    struct bucket *b = &buckets[hash % BUCKETS];
    if (b->what != hash)
        *b = (struct bucket){.what = hash, .filled_ms = now, .tokens = BURST};
    int64_t more = (now - b->filled_ms) / REFILL_MS;
    if (more > 0) {
        b->tokens =
            more > BURST || b->tokens + (unsigned)more > BURST ? BURST : b->tokens + (unsigned)more;
        b->filled_ms += more * REFILL_MS;
    }
    bool may = b->tokens > 0;
    if (may) {
        b->tokens--;
        *ret_suppressed = b->suppressed;
        b->suppressed = 0;
    } else {
        b->suppressed++;
    }
    pthread_mutex_unlock(&bucket_lock);
    return may;
}

/* ---- masking -------------------------------------------------------------------------------- */

/* First characters of plates: the provinces, and 使 and 领 of embassies. Three bytes each. */
static const char provinces[] = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣" /* clang-format off */
                                "鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"; /* clang-format on */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_province(const char *p)
{
    if ((unsigned char)p[0] < 0xe4 || p[1] == '\0' || p[2] == '\0')
        return false;
    for (size_t i = 0; i + 3 < sizeof provinces; i += 3)
        if (memcmp(provinces + i, p, 3) == 0)
            return true;
    return false;
}

/* Bytes of one dot, blank or dash as people write it into plates. */
static size_t separator(const char *p)
{
    if (strncmp(p, "·", 2) == 0)
        return 2;
    if (strncmp(p, "•", 3) == 0 || strncmp(p, "・", 3) == 0)
        return 3;
    return *p != '\0' && strchr(" .-", *p) != NULL ? 1 : 0;
}

/* 浙 F · A 1 2 3 4: keeps the place and the first character, hides the rest. Returns the bytes
 * gone over, 0 when no plate begins here. */
static size_t mask_plate(char *p)
{
    if (!is_province(p))
        return 0;
    size_t i = 3 + separator(p + 3);
    if (is_letter(p[i]))
        i++;
    i += separator(p + i);
    size_t len = 0;
    while (is_digit(p[i + len]) || is_letter(p[i + len]))
        len++;
    if (len < 4)
        return 0;
    memset(p + i + 1, '*', len - 1);
    return i + len;
}

/* A run of at least 7 digits, or of 11 with single blanks or dashes between (138-1234-5678). A date
 * with its day has 8 and a hand is not a phone number. Returns the bytes gone over. */
static size_t mask_digits(char *p)
{
    size_t i = 0, plain = 0, digits = 0, end = 0;
    for (; is_digit(p[i]); i++)
        plain++;
    for (size_t j = 0; is_digit(p[j]); digits++) {
        end = ++j;
        if ((p[j] == ' ' || p[j] == '-') && is_digit(p[j + 1]))
            j++;
    }
    if (digits < 11)
        end = plain;
    if (plain < 7 && digits < 11)
        return plain;
    for (size_t j = 0; j < end; j++)
        if (is_digit(p[j]))
            p[j] = '*';
    return end;
}

void log_mask(char *text)
{
    while (*text != '\0') {
        size_t len = mask_plate(text);
        if (len == 0 && is_digit(*text))
            len = mask_digits(text);
        text += len > 0 ? len : 1;
    }
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* Bytes of the well-formed UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_len(const char *p)
{
    unsigned char c = (unsigned char)*p;
    size_t len = c < 0x80                ? 1
                 : c >= 0xc2 && c < 0xe0 ? 2
                 : c >= 0xe0 && c < 0xf0 ? 3
                 : c >= 0xf0 && c < 0xf5 ? 4
                                         : 0;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
    if (len >= 3) { /* overlong forms, surrogates, beyond U+10FFFF */
        unsigned char d = (unsigned char)p[1];
        if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
            (c == 0xf4 && d > 0x8f))
            return 0;
    }
    return len;
}

const char *log_str(const char *text)
{
    static _Thread_local char buffers[8][TEXT_BYTES * 6 + 8];
    static _Thread_local unsigned turn;
    char clean[TEXT_BYTES + 1];
    char *out = buffers[turn++ % 8], *start = out;
    size_t len = text == NULL ? 0 : strnlen(text, TEXT_BYTES + 1);
    bool cut = len > TEXT_BYTES;
    if (cut)
        for (len = TEXT_BYTES; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    if (len > 0)
        memcpy(clean, text, len);
    clean[len] = '\0';
    log_mask(clean);

    *out++ = '"';
    for (const char *p = clean; *p != '\0';) {
        size_t n = utf8_len(p);
        if (n == 0) {
            *out++ = '?';
            p++;
        } else if (n == 1 && ((unsigned char)*p < 0x20 || *p == 0x7f)) {
            out += snprintf(out, 7, "\\u%04x", (unsigned)(unsigned char)*p++);
        } else {
            if (*p == '"' || *p == '\\')
                *out++ = '\\';
            memcpy(out, p, n);
            out += n;
            p += n;
        }
    }
    memcpy(out, cut ? "…\"" : "\"", cut ? 5 : 2);
    return start;
}

void log_event(enum log_level level, const char *what, const char *format, ...)
{
    unsigned long suppressed = 0;
    if ((int)level < level_now || !may_log(what, &suppressed))
        return;
    char line[LINE_BYTES];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t head = strftime(line, sizeof line, "{\"t\":\"%Y-%m-%dT%H:%M:%S", &utc);
    head += (size_t)snprintf(line + head, sizeof line - head,
                             ".%03ldZ\",\"level\":\"%s\",\"what\":\"%.64s\"", now.tv_nsec / 1000000,
                             level_names[level], what);
    if (suppressed > 0)
        head +=
            (size_t)snprintf(line + head, sizeof line - head, ",\"suppressed\":%lu", suppressed);
    size_t len = head, room = sizeof line - 2; /* for "}\n" */
    if (format != NULL && *format != '\0') {
        va_list args;
        line[len++] = ',';
        va_start(args, format);
        int wrote = vsnprintf(line + len, room - len, format, args);
        va_end(args);
        if (wrote < 0 || (size_t)wrote >= room - len) /* half an object is none */
            len = head + (size_t)snprintf(line + head, room - head, ",\"cut\":true");
        else
            len += (size_t)wrote;
    }
    memcpy(line + len, "}\n", 2);
    ssize_t ignored = write(STDERR_FILENO, line, len + 2); /* where else to say it */
    (void)ignored;
}
