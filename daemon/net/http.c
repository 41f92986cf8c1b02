/* http.c - a small HTTP server for those who watch the daemon: see http.h.
 *
 * libmicrohttpd does not get a thread: it hands out its epoll descriptor, which is watched on the
 * loop (an epoll set is readable when one of its members is), and says until when it must be
 * called for its time-outs. Everything is bounded: GET and HEAD only, few connections, short
 * time-outs, little memory each, loopback only.
 */
#include "daemon/net/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 32
#define TIMEOUT_S 2
#define CONNECTION_BYTES 16384
#define BODY_BYTES_MAX 65536
#define TURN_MS_MAX 1000

struct http {
    uv_poll_t poll;
    uv_timer_t timer;
    struct MHD_Daemon *daemon;
    http_handler_fn *fn;
    void *fn_arg;
    int open_handles;
    void (*done)(void *arg);
    void *done_arg;
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, char *body,
                               size_t len, const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    static char nothing[] = "not found\n", only_get[] = "GET and HEAD only\n";
    struct http *http = arg;
    const char *type = "text/plain; charset=utf-8";
    (void)version;
    (void)upload;
    (void)upload_len;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, only_get, sizeof only_get - 1,
                       type);
    char *body = malloc(BODY_BYTES_MAX);
    if (body == NULL)
        return MHD_NO;
    size_t len = 0;
    int status = http->fn(http->fn_arg, path, body, BODY_BYTES_MAX, &len, &type);
    enum MHD_Result result =
        status == MHD_HTTP_NOT_FOUND && len == 0
            ? respond(connection, MHD_HTTP_NOT_FOUND, nothing, sizeof nothing - 1, type)
            : respond(connection, (unsigned)status, body, len, type);
    free(body);
    return result;
}

static void on_timer(uv_timer_t *timer);

/* Lets it work, and comes back when it wants to; after a second in any case, because having been at
 * its limit of connections it forgets to ask for the turn in which it would accept again. */
static void run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &wait_ms) != MHD_YES || wait_ms > TURN_MS_MAX)
        wait_ms = TURN_MS_MAX;
    uv_timer_start(&http->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static struct MHD_Daemon *start_daemon(struct http *http, uint16_t port)
{
    const struct sockaddr_in loopback = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(MHD_USE_EPOLL, port, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR,
                            &loopback, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
                            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

int http_start(struct http **ret, uv_loop_t *loop, uint16_t port, http_handler_fn *fn, void *arg)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return -1;
    http->fn = fn;
    http->fn_arg = arg;
    http->poll.data = http;
    http->timer.data = http;
    http->daemon = start_daemon(http, port);
    const union MHD_DaemonInfo *info =
        http->daemon != NULL ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (info == NULL || uv_poll_init(loop, &http->poll, info->epoll_fd) != 0) {
        if (http->daemon != NULL)
            MHD_stop_daemon(http->daemon);
        free(http);
        return -1;
    }
    uv_timer_init(loop, &http->timer);
    uv_poll_start(&http->poll, UV_READABLE, on_readable);
    run(http);
    *ret = http;
    return 0;
}

uint16_t http_port(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct http *http = handle->data;
    if (--http->open_handles > 0)
        return;
    void (*done)(void *) = http->done;
    void *arg = http->done_arg;
    MHD_stop_daemon(http->daemon); /* only now: it closes the descriptor that was watched */
    free(http);
    if (done != NULL)
        done(arg);
}

void http_stop(struct http *http, void (*done)(void *arg), void *arg)
{
    http->done = done;
    http->done_arg = arg;
    http->open_handles = 2;
    uv_close((uv_handle_t *)&http->poll, on_closed);
    uv_close((uv_handle_t *)&http->timer, on_closed);
}
