/* metrics.c - counters, gauges and one histogram in Prometheus' text format 0.0.4.
 *
 * Names are tide_<name>; no label ever holds a person, a plate or a user.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "daemon/ops/ops.h"

#define BUCKETS (sizeof((struct metrics *)0)->latency_bucket / sizeof(uint64_t))

/* Appends; once something did not fit, *used is cap and stays there. */
static void append(char *out, size_t cap, size_t *used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void append(char *out, size_t cap, size_t *used, const char *format, ...)
{
    if (*used >= cap)
        return;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out + *used, cap - *used, format, args);
    va_end(args);
    *used = len < 0 || (size_t)len >= cap - *used ? cap : *used + (size_t)len;
}

void metrics_latency(struct metrics *metrics, int64_t us)
{
    if (us < 0)
        us = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        if (us <= 100LL << i) {
            metrics->latency_bucket[i]++;
            break;
        }
    metrics->latency_count++;
    metrics->latency_sum_s += (double)us / 1e6;
}

size_t metrics_print(const struct metrics *metrics, char *out, size_t cap)
{
    size_t used = 0;
#define KIND_COUNTER "counter"
#define KIND_GAUGE "gauge"
#define METRIC_PRINT_(name, kind, help)                                                            \
    append(out, cap, &used,                                                                        \
           "# HELP tide_" #name " " help "\n# TYPE tide_" #name " " KIND_##kind "\n"               \
                                                                                "tide_" #name      \
                                                                                " %" PRIu64 "\n",  \
           metrics->name);
    METRICS(METRIC_PRINT_)
#undef METRIC_PRINT_
    append(out, cap, &used,
           "# HELP tide_request_seconds from a request's arrival to its released reply\n"
           "# TYPE tide_request_seconds histogram\n");
    uint64_t below = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        below += metrics->latency_bucket[i];
        append(out, cap, &used, "tide_request_seconds_bucket{le=\"%.4f\"} %" PRIu64 "\n",
               0.0001 * (double)(1u << i), below);
    }
    append(out, cap, &used,
           "tide_request_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
           "tide_request_seconds_sum %.6f\n"
           "tide_request_seconds_count %" PRIu64 "\n",
           metrics->latency_count, metrics->latency_sum_s, metrics->latency_count);
    return used < cap ? used : 0;
}
