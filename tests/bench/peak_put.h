/* peak_put.h - rows to the daemon by admin.put, 48 at a time; the first failure is told on stderr
 * and stays. */
#ifndef TIDE_BENCH_PEAK_PUT_H
#define TIDE_BENCH_PEAK_PUT_H

#include <stddef.h>

struct tide_client;

struct peak_put {
    struct tide_client *client;
    char text[14000];
    size_t len;
    unsigned rows;
    int failed;
};

void peak_put_row(struct peak_put *put, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends the rest. 0 when all were taken. */
int peak_put_end(struct peak_put *put);

#endif
