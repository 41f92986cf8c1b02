/* The text of /metrics: every name once with its type; a histogram that adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ops/ops.h"

static char text[65536];

static void text_format(void **state)
{
    (void)state;
    struct metrics metrics = {.requests_total = 12345678901ull, .broker_up = 1};
    size_t len = metrics_print(&metrics, text, sizeof text);
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "# HELP tide_requests_total requests taken in\n"
                                 "# TYPE tide_requests_total counter\n"
                                 "tide_requests_total 12345678901\n"));
    assert_non_null(strstr(text, "# TYPE tide_broker_up gauge\ntide_broker_up 1\n"));
    /* Each line is a comment or "name value". */
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (*line == '#')
            continue;
        assert_memory_equal(line, "tide_", 5);
        char *blank = strrchr(line, ' '), *rest;
        assert_non_null(blank);
        strtod(blank + 1, &rest);
        assert_true(rest == end && rest > blank + 1);
    }
}

static unsigned long long value_of(const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 10);
}

static void histogram(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    static const int64_t us[] = {-5, 0, 100, 101, 200, 3000, 60000000, INT64_MAX / 4};
    for (size_t i = 0; i < sizeof us / sizeof *us; i++)
        metrics_latency(&metrics, us[i]);
    assert_true(metrics_print(&metrics, text, sizeof text) > 0);
    assert_int_equal(value_of("tide_request_seconds_bucket{le=\"0.0001\"} "), 3);
    assert_int_equal(value_of("tide_request_seconds_bucket{le=\"0.0002\"} "), 5);
    assert_int_equal(value_of("tide_request_seconds_bucket{le=\"0.0032\"} "), 6);
    assert_int_equal(value_of("tide_request_seconds_bucket{le=\"52.4288\"} "), 6);
    assert_int_equal(value_of("tide_request_seconds_bucket{le=\"+Inf\"} "), 8);
    assert_int_equal(value_of("tide_request_seconds_count "), 8);
}

static void too_small(void **state)
{
    (void)state;
    struct metrics metrics = {0};
    size_t len = metrics_print(&metrics, text, sizeof text);
    assert_int_equal(metrics_print(&metrics, text, len), 0);
    assert_int_equal(metrics_print(&metrics, text, len + 1), len);
    assert_int_equal(metrics_print(&metrics, text, 10), 0);
    assert_int_equal(metrics_print(&metrics, text, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_format),
        cmocka_unit_test(histogram),
        cmocka_unit_test(too_small),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
