/* main.c - tide-gateway: options, signals, exit codes.
 *
 *   0 ended as asked   64 usage   75 the state folder is another gateway's   78 bad configuration
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients/gateway/bridge.h"
#include "daemon/ops/ops.h"

#define EXIT_USAGE 64
#define EXIT_CONFIG 78
#define DEFAULT_FILE "/etc/tide/gateway.conf"

#ifndef TIDE_VERSION
#define TIDE_VERSION "unknown"
#endif

struct options {
    const char *file;
    bool check;
};

static void usage(FILE *out)
{
    fputs("Usage: tide-gateway [-c FILE] [--check-config] [--version] [--help]\n"
          "Bridges field devices (ChirpStack sensors, plate cameras) to Tide.\n\n"
          "  -c, --config FILE   read FILE instead of " DEFAULT_FILE "\n"
          "      --check-config  check the file and the secrets, and end\n"
          "      --version       print the version, and end\n"
          "  -h, --help          print this, and end\n\n"
          "Runs in the foreground and logs JSON lines to standard error.\n"
          "See tide-gateway(1) for the file.\n",
          out);
}

static int parse(int argc, char **argv, struct options *ret)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"check-config", no_argument, NULL, 'k'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    *ret = (struct options){.file = DEFAULT_FILE};
    for (int c; (c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        switch (c) {
        case 'c':
            ret->file = optarg;
            break;
        case 'k':
            ret->check = true;
            break;
        case 'v':
            puts("tide-gateway " TIDE_VERSION);
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tide-gateway: %s: takes no such argument\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static int check_secret(const char *path)
{
    char secret[256], why[512];
    if (path[0] == '\0' || gw_secret_read(path, secret, sizeof secret, why, sizeof why) == 0)
        return 0;
    fprintf(stderr, "tide-gateway: %s\n", why);
    return EXIT_CONFIG;
}

static int check(const struct gw_conf *conf, const char *file)
{
    int code = check_secret(conf->people.secret_file);
    if (code == 0)
        code = check_secret(conf->field.secret_file);
    if (code == 0)
        printf("%s: good: %zu devices, %zu cameras\n", file, conf->device_count,
               conf->camera_count);
    return code;
}

/* Blocked in all threads, paho's too, and read from a descriptor. -1 on failure. */
static int block_signals(void)
{
    sigset_t all, ours;
    sigfillset(&all);
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    if (pthread_sigmask(SIG_SETMASK, &all, NULL) != 0)
        return -1;
    return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(const struct gw_conf *conf)
{
    static struct gw_bridge bridge;
    char why[1024] = "";
    int code = EXIT_FAILURE, signals = block_signals();
    if (signals < 0) {
        fprintf(stderr, "tide-gateway: no signals can be read\n");
        return EXIT_FAILURE;
    }
    log_set_level((enum log_level)conf->own.log_level);
    log_event(LOG_INFO_, "start", "\"version\":\"%s\",\"name\":%s,\"devices\":%zu,\"cameras\":%zu",
              TIDE_VERSION, log_str(conf->own.name), conf->device_count, conf->camera_count);
    if (gw_bridge_open(&bridge, conf, &code, why, sizeof why) == 0) {
        gw_bridge_run(&bridge, signals);
        code = EXIT_SUCCESS;
        log_event(LOG_INFO_, "stop", "\"boot\":%u,\"seq\":%u", gw_spool_boot(bridge.spool),
                  gw_spool_seq(bridge.spool));
    } else {
        log_event(LOG_ERROR_, "start.failed", "\"why\":%s", log_str(why));
    }
    gw_bridge_close(&bridge);
    close(signals);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct gw_conf conf;
    char why[1024];
    int code = parse(argc, argv, &options);
    if (code >= 0)
        return code;
    if (gw_conf_read(&conf, options.file, why, sizeof why) != 0) {
        fprintf(stderr, "tide-gateway: %s\n", why);
        return EXIT_CONFIG;
    }
    code = options.check ? check(&conf, options.file) : run(&conf);
    gw_conf_done(&conf);
    return code;
}
