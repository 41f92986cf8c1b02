/* sd_notify's protocol against sockets of our own: a file and an abstract name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ops/ops.h"

static int listen_at(const char *path, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    return fd;
}

static void check_got(int fd, const char *text)
{
    char got[100];
    ssize_t len = recv(fd, got, sizeof got, MSG_DONTWAIT);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static void to_a_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/tide-notify-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    int fd = listen_at(path, strlen(path) + 1);
    setenv("NOTIFY_SOCKET", path, 1);
    assert_int_equal(notify_send("READY=1\nSTATUS=up"), 0);
    check_got(fd, "READY=1\nSTATUS=up");
    close(fd);
    assert_int_equal(notify_send("READY=1"), -1); /* nobody there */
    unlink(path);
    rmdir(folder);
}

static void to_an_abstract_name(void **state)
{
    (void)state;
    char name[64];
    int len = snprintf(name, sizeof name, "@tide-notify-test-%d", (int)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    int fd = listen_at(name, (size_t)len);
    assert_int_equal(notify_send("WATCHDOG=1"), 0);
    check_got(fd, "WATCHDOG=1");
    close(fd);
}

static void without(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_send("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "relative/path", 1);
    assert_int_equal(notify_send("READY=1"), -1);
    assert_int_equal(errno, EINVAL);
    unsetenv("NOTIFY_SOCKET");
}

static void watchdog(void **state)
{
    (void)state;
    char pid[20];
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(notify_watchdog_us(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_us(), 15000000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_us(), 15000000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(notify_watchdog_us(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_a_file),
        cmocka_unit_test(to_an_abstract_name),
        cmocka_unit_test(without),
        cmocka_unit_test(watchdog),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
