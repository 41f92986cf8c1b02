/* tally.c - see tally.h. */
#include "deploy/demo/tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void demo_tally_refusal(struct demo_tally *tally, const char *code, const char *why)
{
    char text[sizeof(tally->refusals[0].why)] = "";
    bool plain = why == NULL || *why == '\0' || strcmp(why, "none") == 0;
    (void)snprintf(text, sizeof(text), "%s%s%s", code, plain ? "" : ", ", plain ? "" : why);
    for (size_t i = 0; i < tally->refusal_count; i++) {
        if (strcmp(tally->refusals[i].why, text) == 0) {
            tally->refusals[i].count++;
            return;
        }
    }
    if (tally->refusal_count < DEMO_WHYS_MAX) {
        memcpy(tally->refusals[tally->refusal_count].why, text, sizeof(text));
        tally->refusals[tally->refusal_count++].count = 1;
    }
}

uint64_t demo_tally_refusals(const struct demo_tally *tally)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < tally->refusal_count; i++) {
        sum += tally->refusals[i].count;
    }
    return sum;
}

void demo_tally_latency(struct demo_tally *tally, int64_t us)
{
    if (tally->latency_count < DEMO_LATENCIES_MAX && us >= 0) {
        tally->latency_us[tally->latency_count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    }
}

static int by_value(const void *left, const void *right)
{
    uint32_t a, b;
    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return (a > b) - (a < b);
}

int64_t demo_tally_quantile_us(struct demo_tally *tally, unsigned permille)
{
    if (tally->latency_count == 0) {
        return 0;
    }
    qsort(tally->latency_us, tally->latency_count, sizeof(tally->latency_us[0]), by_value);
    size_t rank = (tally->latency_count * permille + 999) / 1000; /* 1-based, rounded up */
    return tally->latency_us[rank == 0 ? 0 : rank - 1];
}

int demo_tally_write(struct demo_tally *tally, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return -1;
    }
#define WRITE_(name) (void)fprintf(out, #name " %" PRIu64 "\n", tally->name);
    DEMO_COUNTERS(WRITE_)
#undef WRITE_
    for (size_t i = 0; i < tally->refusal_count; i++) {
        (void)fprintf(out, "refused %" PRIu64 " %s\n", tally->refusals[i].count,
                      tally->refusals[i].why);
    }
    for (size_t i = 0; i < tally->latency_count; i++) {
        (void)fprintf(out, "gate_us %" PRIu32 "\n", tally->latency_us[i]);
    }
    bool failed = ferror(out) != 0;
    return fclose(out) != 0 || failed ? -1 : 0;
}

static void read_line(struct demo_tally *ret, const char *key, uint64_t value, const char *rest)
{
#define READ_(name)                                                                                \
    if (strcmp(key, #name) == 0) {                                                                 \
        ret->name = value;                                                                         \
    }
    DEMO_COUNTERS(READ_)
#undef READ_
    if (strcmp(key, "gate_us") == 0) {
        demo_tally_latency(ret, (int64_t)value);
    } else if (strcmp(key, "refused") == 0 && ret->refusal_count < DEMO_WHYS_MAX) {
        size_t at = ret->refusal_count++;
        (void)snprintf(ret->refusals[at].why, sizeof(ret->refusals[at].why), "%s", rest);
        ret->refusals[at].count = value;
    }
}

int demo_tally_read(struct demo_tally *ret, const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        return -1;
    }
    memset(ret, 0, sizeof(*ret));
    char line[256];
    while (fgets(line, sizeof(line), in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, ' '), *rest = NULL;
        if (value != NULL) {
            *value++ = '\0';
            uint64_t number = strtoull(value, &rest, 10);
            read_line(ret, line, number, *rest == ' ' ? rest + 1 : rest);
        }
    }
    (void)fclose(in);
    return 0;
}
