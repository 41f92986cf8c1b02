/* main.c - tide-chaos: many real clients under orders, and a judge of what they saw.
 *
 *     tide-chaos swarm --port P --clients N --secret S [--seed N] [--qos 0|1] [--ledger FILE]
 *     tide-chaos check FILE…          histories of history.c: can they be put into an order?
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/swarm.h"

#define TICK_US 4000

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: tide-chaos swarm --port P --clients N --secret S [--seed N]\n"
                  "           [--qos Q] [--ledger FILE] [--zones AB] [--prefix s] [--first N]\n"
                  "       tide-chaos check FILE...\n");
    return 64;
}

static bool set_option(struct swarm_options *options, const char *name, const char *value)
{
    if (strcmp(name, "--port") == 0)
        options->port = (uint16_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--clients") == 0)
        options->clients = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--first") == 0)
        options->first = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--seed") == 0)
        options->seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--qos") == 0)
        options->qos = value[0] == '0' ? 0 : 1;
    else if (strcmp(name, "--secret") == 0)
        options->secret = value;
    else if (strcmp(name, "--ledger") == 0)
        options->ledger = value;
    else if (strcmp(name, "--zones") == 0)
        options->zones = value;
    else if (strcmp(name, "--prefix") == 0)
        options->prefix = value;
    else
        return false;
    return true;
}

/* A descriptor a client, and some. */
static void raise_limit(uint32_t clients)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < clients + 64) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The next civil midnight (+08:00) but one: nothing that is booked begins during a test. */
static void set_times(struct swarm *swarm)
{
    struct tm t;
    time_t now = time(NULL), life = now + 86400;
    swarm->day0_s = ((int64_t)now + 8 * 3600) / 86400 * 86400 - 8 * 3600 + 2 * 86400;
    gmtime_r(&life, &t);
    strftime(swarm->expires, sizeof swarm->expires, "%Y-%m-%dT%H:%M:%SZ", &t);
}

/* Takes whole lines; at the end of stdin it is over. */
static void read_orders(struct swarm *swarm)
{
    static char text[4096];
    static size_t len;
    ssize_t got = read(STDIN_FILENO, text + len, sizeof text - 1 - len);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        swarm->quit = true;
    if (got <= 0)
        return;
    len += (size_t)got;
    text[len] = '\0';
    for (char *end; (end = strchr(text, '\n')) != NULL;) {
        char line[4096];
        size_t used = (size_t)(end + 1 - text);
        memcpy(line, text, used);
        line[used - 1] = '\0';
        len -= used;
        memmove(text, end + 1, len + 1);
        orders_take(swarm, line);
    }
}

static int run(struct swarm *swarm)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = NOBODY};
    int64_t ticked_us = 0;
    (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
        return 1;
    while (!swarm->quit) {
        clients_turn(swarm, 2);
        int64_t now_us = swarm_now_us();
        if (now_us - ticked_us < TICK_US)
            continue;
        ticked_us = now_us;
        read_orders(swarm);
        clients_tick(swarm);
        orders_tick(swarm);
    }
    return 0;
}

static int swarm_main(int argc, char **argv)
{
    struct swarm swarm = {
        .options =
            {.seed = 1, .qos = 1, .domain = "home", .prefix = "s", .secret = "", .zones = "A"},
        .epoll = -1};
    for (int i = 0; i + 1 < argc; i += 2)
        if (!set_option(&swarm.options, argv[i], argv[i + 1]))
            return usage();
    if (swarm.options.clients == 0 || swarm.options.port == 0 || argc % 2 != 0)
        return usage();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_limit(swarm.options.clients);
    swarm.random = swarm.options.seed;
    /* Two swarms never share a rid: the process's number is in it. */
    (void)snprintf(swarm.run, sizeof swarm.run, "r%05x", (unsigned)getpid() & 0xfffff);
    set_times(&swarm);
    int code = clients_open(&swarm) == 0 && ledger_open(&swarm) == 0 ? run(&swarm) : 1;
    if (swarm.history != NULL)
        (void)history_end(&swarm);
    ledger_close(&swarm);
    clients_close(&swarm);
    return code;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "swarm") == 0)
        return swarm_main(argc - 2, argv + 2);
    if (argc >= 3 && strcmp(argv[1], "check") == 0)
        return check_main(argc - 2, argv + 2);
    return usage();
}
