/* broker_fixture.h - a mosquitto of one's own for a test: free loopback port, folder of its own,
 * the settings that Tide recommends; ends with the test, however that ends.
 *
 *     struct broker_fixture broker;
 *     broker_fixture_start(&broker, NULL);          anybody may do anything
 *     broker_fixture_start(&broker, "allow_anonymous false\npassword_file …\n");
 *     ... broker.uri, broker.port, broker.folder, broker.pid ...
 *     broker_fixture_kill(&broker, SIGKILL);  broker_fixture_run(&broker);     the same port again
 *     broker_fixture_stop(&broker);
 *
 * Functions return 0, or -1 after saying on stderr what went wrong. All are static inline, so the
 * header may be included anywhere without a library behind it.
 */
#ifndef TIDE_TESTS_BROKER_FIXTURE_H
#define TIDE_TESTS_BROKER_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct broker_fixture {
    char folder[64]; /* made by _start, removed by _stop */
    char conf[96];   /* mosquitto.conf in it */
    char log[96];
    char pid_file[96];
    char uri[40]; /* tcp://127.0.0.1:port */
    int port;
    pid_t pid; /* 0 when it does not run */
};

static inline int broker_fixture_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int port = -1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)(const void *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)(void *)&address, &len) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}

static inline void broker_fixture_sleep_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static inline int broker_fixture_can_connect(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    int can = connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0;
    close(fd);
    return can;
}

/* Runs a program (a path, or a name to be looked for) with its arguments, the last of which is
 * NULL, without a shell. What it says on stdout and stderr goes to out when there is one. Returns
 * its exit code, -1 when it was ended otherwise. */
static inline int broker_fixture_command(char *out, size_t cap, const char *program, ...)
{
    const char *argv[24] = {program};
    int ends[2], status = -1;
    va_list args;
    va_start(args, program);
    for (int i = 1; i < 23 && argv[i - 1] != NULL; i++)
        argv[i] = va_arg(args, const char *);
    va_end(args);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    size_t len = 0;
    char part[512];
    for (ssize_t got; pid > 0 && (got = read(ends[0], part, sizeof part)) > 0;)
        for (ssize_t i = 0; i < got && out != NULL && len + 1 < cap; i++)
            out[len++] = part[i];
    if (out != NULL && cap > 0)
        out[len] = '\0';
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts the process on its configuration and waits until it listens. */
static inline int broker_fixture_run(struct broker_fixture *broker)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        int log = open(broker->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execlp("mosquitto", "mosquitto", "-c", broker->conf, (char *)NULL);
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", broker->conf, (char *)NULL);
        _exit(127);
    }
    broker->pid = pid;
    for (int i = 0; i < 500; i++) {
        if (broker_fixture_can_connect(broker->port))
            return 0;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            break;
        broker_fixture_sleep_ms(10);
    }
    fprintf(stderr, "mosquitto does not start; see %s\n", broker->log);
    broker->pid = 0;
    return -1;
}

/* Makes folder, port and names; nothing runs yet. */
static inline int broker_fixture_prepare(struct broker_fixture *broker)
{
    *broker = (struct broker_fixture){.folder = "/tmp/tide-broker-XXXXXX"};
    if (mkdtemp(broker->folder) == NULL || (broker->port = broker_fixture_free_port()) < 0)
        return -1;
    snprintf(broker->conf, sizeof broker->conf, "%s/mosquitto.conf", broker->folder);
    snprintf(broker->log, sizeof broker->log, "%s/log", broker->folder);
    snprintf(broker->pid_file, sizeof broker->pid_file, "%s/pid", broker->folder);
    snprintf(broker->uri, sizeof broker->uri, "tcp://127.0.0.1:%d", broker->port);
    return 0;
}

/* What is this broker's own: port, folder, and who it is. */
static inline void broker_fixture_own_lines(const struct broker_fixture *broker, FILE *file)
{
    fprintf(file, "listener %d 127.0.0.1\npid_file %s\n", broker->port, broker->pid_file);
    if (geteuid() == 0) /* else it turns into a user that may not read our folder */
        fputs("user root\n", file);
}

/* extra: further lines of mosquitto.conf; NULL: anybody may do anything. */
static inline int broker_fixture_start(struct broker_fixture *broker, const char *extra)
{
    if (broker_fixture_prepare(broker) != 0)
        return -1;
    FILE *file = fopen(broker->conf, "we");
    if (file == NULL)
        return -1;
    fputs("per_listener_settings false\n", file);
    broker_fixture_own_lines(broker, file);
    fprintf(file,
            "set_tcp_nodelay true\n"
            "max_inflight_messages 0\n"
            "max_queued_messages 100000\n"
            "max_packet_size 16384\n"
            "persistence false\n"
            "log_type error\nlog_type warning\n"
            "%s",
            extra != NULL ? extra : "allow_anonymous true\n");
    fclose(file);
    return broker_fixture_run(broker);
}

/* The configuration that is shipped (deploy/mosquitto/people.conf) with port and paths of one's
 * own: password_file and acl_file must lie in broker->folder, so call _prepare, make them, then
 * this. */
static inline int broker_fixture_run_shipped(struct broker_fixture *broker, const char *shipped)
{
    static const char *const own[] = {"listener",      "certfile", "keyfile",  "tls_version",
                                      "password_file", "acl_file", "protocol", "pid_file"};
    char line[512];
    FILE *in = fopen(shipped, "re"), *out = in != NULL ? fopen(broker->conf, "we") : NULL;
    if (out == NULL) {
        fprintf(stderr, "%s: %s\n", in == NULL ? shipped : broker->conf, strerror(errno));
        if (in != NULL)
            fclose(in);
        return -1;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        size_t word = strcspn(line, " \t\n"), i = 0;
        while (i < sizeof own / sizeof *own &&
               (strlen(own[i]) != word || strncmp(own[i], line, word) != 0))
            i++;
        if (i == sizeof own / sizeof *own)
            fputs(line, out);
    }
    fclose(in);
    broker_fixture_own_lines(broker, out);
    fprintf(out, "password_file %s/password_file\nacl_file %s/acl_file\n", broker->folder,
            broker->folder);
    fclose(out);
    return broker_fixture_run(broker);
}

static inline void broker_fixture_kill(struct broker_fixture *broker, int sig)
{
    if (broker->pid <= 0)
        return;
    kill(broker->pid, sig);
    while (waitpid(broker->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    broker->pid = 0;
}

static inline int broker_fixture_remove_one(const char *path, const struct stat *st, int type,
                                            struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void broker_fixture_stop(struct broker_fixture *broker)
{
    broker_fixture_kill(broker, SIGTERM);
    if (broker->folder[0] == '/' && strlen(broker->folder) > 5)
        nftw(broker->folder, broker_fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
