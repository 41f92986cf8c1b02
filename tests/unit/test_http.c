/* /metrics and /healthz over real sockets: answers, methods, nonsense, bounds, an end that leaves
 * nothing on the loop. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker_fixture.h"
#include "daemon/net/http.h"

static uv_loop_t loop;
static struct http *http;
static uint16_t port;

static int handle(void *arg, const char *path, char *out, size_t cap, size_t *ret_len,
                  const char **ret_type)
{
    unsigned *calls = arg;
    ++*calls;
    if (strcmp(path, "/healthz") == 0) {
        *ret_len = (size_t)snprintf(out, cap, "{\"state\":\"up\"}");
        *ret_type = "application/json";
        return 200;
    }
    if (strcmp(path, "/large") == 0) {
        memset(out, 'x', cap);
        *ret_len = cap;
        return 200;
    }
    if (strcmp(path, "/down") == 0) {
        *ret_len = (size_t)snprintf(out, cap, "down");
        return 503;
    }
    return 404;
}

struct exchange {
    const char *request;
    char reply[80000];
    size_t len;
    uv_async_t finished;
};

static int connect_to_it(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address),
                     0);
    return fd;
}

/* On a thread of its own: sends, reads to the end. */
static void *talk(void *arg)
{
    struct exchange *exchange = arg;
    const struct timeval patience = {.tv_sec = 8};
    int fd = connect_to_it();
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(fd, exchange->request, strlen(exchange->request), MSG_NOSIGNAL);
    exchange->len = 0;
    for (ssize_t got; (got = recv(fd, exchange->reply + exchange->len,
                                  sizeof exchange->reply - 1 - exchange->len, 0)) > 0;)
        exchange->len += (size_t)got;
    exchange->reply[exchange->len] = '\0';
    close(fd);
    uv_async_send(&exchange->finished);
    return NULL;
}

static void on_finished(uv_async_t *async)
{
    uv_close((uv_handle_t *)async, NULL);
    uv_stop(&loop);
}

static const char *ask(const char *request)
{
    static struct exchange exchange;
    pthread_t thread;
    exchange.request = request;
    uv_async_init(&loop, &exchange.finished, on_finished);
    pthread_create(&thread, NULL, talk, &exchange);
    uv_run(&loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return exchange.reply;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static unsigned calls;

static void answers(void **state)
{
    (void)state;
    const char *reply = ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(starts(reply, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(reply, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\n{\"state\":\"up\"}"));
    reply = ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(starts(reply, "HTTP/1.1 200 OK\r\n"));
    assert_null(strstr(reply, "{\"state\""));
    reply = ask("GET /down HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(reply, " 503 "));
    assert_non_null(strstr(reply, "\r\n\r\ndown"));
    reply = ask("GET /large HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(reply, "Content-Length: 65536\r\n"));
    assert_true(strlen(reply) > 65536);
}

static void refusals(void **state)
{
    (void)state;
    const char *reply = ask("GET /nothing HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(reply, " 404 "));
    unsigned before = calls;
    reply = ask("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                "Connection: close\r\n\r\nabc");
    assert_non_null(strstr(reply, " 405 "));
    assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
    reply = ask("\x16\x03\x01\x02 nonsense\r\n\r\n");
    assert_null(strstr(reply, " 200 "));
    assert_int_equal(calls, before); /* nobody was asked */
    static char long_line[40000];
    memset(long_line, 'a', sizeof long_line - 1);
    memcpy(long_line, "GET /", 5);
    reply = ask(long_line);
    assert_null(strstr(reply, " 200 "));
}

/* Forty that connect and say nothing keep others out for some seconds at most. */
static void idlers(void **state)
{
    (void)state;
    int fds[40];
    for (int i = 0; i < 40; i++)
        fds[i] = connect_to_it();
    const char *reply = ask("GET /healthz HTTP/1.0\r\n\r\n");
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    assert_non_null(strstr(reply, "200 OK"));
}

static void on_done(void *arg)
{
    unsigned *dones = arg;
    ++*dones;
}

static void stops(void **state)
{
    (void)state;
    unsigned dones = 0;
    http_stop(http, on_done, &dones);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(dones, 1);
    assert_int_equal(broker_fixture_can_connect(port), 0);
    /* A port that is taken is told at once. */
    struct http *first, *second = NULL;
    assert_int_equal(http_start(&first, &loop, 0, handle, &calls), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in taken = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof taken;
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&taken, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)(void *)&taken, &len);
    assert_int_equal(http_start(&second, &loop, ntohs(taken.sin_port), handle, &calls), -1);
    assert_null(second);
    close(fd);
    http_stop(first, NULL, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static int begin(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    int result = http_start(&http, &loop, 0, handle, &calls);
    port = result == 0 ? http_port(http) : 0;
    return result == 0 && port != 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(refusals),
        cmocka_unit_test(idlers),
        cmocka_unit_test(stops),
    };
    return cmocka_run_group_tests_name("http", tests, begin, end);
}
