/* peak_put.c - see peak_put.h. */
#include "tests/bench/peak_put.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tide/client.h"

#define ROWS_MAX 48

static void send_rows(struct peak_put *put)
{
    struct tide_answer answer = {0};
    if (put->rows == 0 || put->failed)
        return;
    memcpy(put->text + put->len, "]}", 3);
    int error = tide_client_ask(put->client, "admin.put", put->text, 20000, &answer);
    if (error != 0) {
        fprintf(stderr, "admin.put: %s: %.300s\n", tide_client_strerror(error),
                answer.json != NULL ? answer.json : "");
        put->failed = 1;
    }
    tide_answer_clear(&answer);
    put->rows = 0;
    put->len = 0;
}

void peak_put_row(struct peak_put *put, const char *format, ...)
{
    if (put->rows == ROWS_MAX || put->len > sizeof put->text - 1000)
        send_rows(put);
    put->len += (size_t)snprintf(put->text + put->len, sizeof put->text - put->len, "%s",
                                 put->rows == 0 ? "{\"rows\":[" : ",");
    va_list args;
    va_start(args, format);
    put->len += (size_t)vsnprintf(put->text + put->len, sizeof put->text - put->len, format, args);
    va_end(args);
    put->rows++;
}

int peak_put_end(struct peak_put *put)
{
    send_rows(put);
    return put->failed ? -1 : 0;
}
