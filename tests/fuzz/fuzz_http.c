/* fuzz_http.c - any bytes at the port of those who watch the daemon, over a real socket.
 *
 * Properties: the server lives, hands its handler a path that ends, and what it answers is HTTP. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/http.h"
#include "tests/fuzz/support.h"

#define TURNS_MAX 200

static uv_loop_t loop;
static struct http *http;

static int handle(void *arg, const char *path, char *out, size_t cap, size_t *ret_len,
                  const char **ret_type)
{
    (void)arg;
    if (memchr(path, '\0', 65536) == NULL)
        fuzz_fail("a path ends");
    if (strcmp(path, "/metrics") == 0) {
        memset(out, 'x', cap);
        *ret_len = cap;
        return 200;
    }
    if (strcmp(path, "/healthz") != 0)
        return 404;
    memcpy(out, "{}\n", 3);
    *ret_len = 3;
    *ret_type = "application/json";
    return 503;
}

/* -1 when every port of this machine waits for an old connection to die, or a timer went off. */
static int connect_to_it(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(http_port(http)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger at_once = {.l_onoff = 1}; /* no port is left waiting */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fuzz_fail(strerror(errno));
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0) {
        if (errno != EADDRNOTAVAIL && errno != EINTR)
            fuzz_fail(strerror(errno));
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        fuzz_fail("a socket need not block");
    return fd;
}

/* Gives the server turns until it has nothing to say for a while. */
static void listen_to(int fd)
{
    char answer[4096];
    bool first = true;
    for (unsigned turn = 0, quiet = 0; turn < TURNS_MAX && quiet < 3; turn++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got == 0)
            return;
        quiet = got < 0 ? quiet + 1 : 0;
        if (got > 0 && first && (got < 9 || memcmp(answer, "HTTP/1.", 7) != 0))
            fuzz_fail("what it answers is HTTP");
        first = first && got < 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (http == NULL &&
        (uv_loop_init(&loop) != 0 || http_start(&http, &loop, 0, handle, NULL) != 0))
        fuzz_fail("it comes up");
    int fd = connect_to_it();
    if (fd < 0)
        return 0;
    size_t half = size / 2; /* in two pieces: a request need not come whole */
    if (half > 0 && send(fd, data, half, MSG_NOSIGNAL) > 0)
        uv_run(&loop, UV_RUN_NOWAIT);
    if (size > half)
        (void)send(fd, data + half, size - half, MSG_NOSIGNAL);
    listen_to(fd);
    close(fd);
    uv_run(&loop, UV_RUN_NOWAIT);
    return 0;
}
