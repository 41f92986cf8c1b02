/* main.c - options and exit codes of tided. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/server.h"
#include "daemon/store/store.h"
#include "daemon/why.h"
#include "protocol/codec.h"
#include "tide/credential.h"

static const char usage[] =
    "Usage: tided [-c FILE] [-o key=value]... [MODE]\n"
    "\n"
    "Brokers shared parking of a neighbourhood over MQTT; keeps what it decided in SQLite.\n"
    "Without a mode it serves in the foreground until SIGTERM.\n"
    "\n"
    "  -c, --conf FILE          configuration (all keys: tided --print-config)\n"
    "  -o key=value             one key, over the file\n"
    "      --time-scale N       civil time runs N times as fast (demos; marks the database)\n"
    "      --start TIME         civil time to begin with, e.g. 2019-05-20T05:00+08:00\n"
    "\n"
    "Modes:\n"
    "      --init               makes the database with its first admin; needs\n"
    "        --domain NAME --community NAME --admin USER --admin-hash '$7$...'\n"
    "                           (tidectl credential makes a secret and its hash)\n"
    "      --verify [FILE]      checks journal against tables and decides everything again\n"
    "      --why BOOKING        why a booking was granted, or USER:RID: why a request was not;\n"
    "                           with --domain where there are several\n"
    "      --restore BACKUP     puts a backup in the database's place; no daemon may run\n"
    "      --print-config       all keys, documented, with their present values\n"
    "      --check-config       says what is wrong with the configuration\n"
    "      --version, --help\n"
    "\n"
    "Exit: 0 fine, 64 usage, 65 verify found faults, 74 disk, 75 database held by another,\n"
    "76 database damaged (restore a backup), 78 configuration.  Manual: tided(8)\n";

enum {
    OPT_SCALE = 256,
    OPT_START,
    OPT_INIT,
    OPT_DOMAIN,
    OPT_COMMUNITY,
    OPT_ADMIN,
    OPT_HASH,
    OPT_VERIFY,
    OPT_WHY,
    OPT_RESTORE,
    OPT_PRINT,
    OPT_CHECK,
    OPT_VERSION
};

static const struct option longs[] = {
    {"conf", required_argument, NULL, 'c'},
    {"time-scale", required_argument, NULL, OPT_SCALE},
    {"start", required_argument, NULL, OPT_START},
    {"init", no_argument, NULL, OPT_INIT},
    {"domain", required_argument, NULL, OPT_DOMAIN},
    {"community", required_argument, NULL, OPT_COMMUNITY},
    {"admin", required_argument, NULL, OPT_ADMIN},
    {"admin-hash", required_argument, NULL, OPT_HASH},
    {"verify", optional_argument, NULL, OPT_VERIFY},
    {"why", required_argument, NULL, OPT_WHY},
    {"restore", required_argument, NULL, OPT_RESTORE},
    {"print-config", no_argument, NULL, OPT_PRINT},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct server_options server;
    struct server_genesis genesis;
    int mode;
    const char *file; /* of --verify, --restore; what --why is about */
    const char *sets[64];
    unsigned set_count;
};

static int bad(const char *what, const char *value)
{
    (void)fprintf(stderr, "tided: %s%s%s\nTry: tided --help\n", what, value != NULL ? ": " : "",
                  value != NULL ? value : "");
    return EXIT_BAD_USAGE;
}

static int take_scale(struct arguments *args, const char *text)
{
    char *end = NULL;
    long scale = strtol(text, &end, 10);
    if (*end != '\0' || scale < 1 || scale > 100000)
        return bad("--time-scale takes a whole number from 1 to 100000", text);
    args->server.scale = (int)scale;
    return 0;
}

static int take_option(struct arguments *args, int option, const char *value)
{
    switch (option) {
    case 'c':
        args->server.conf_path = value;
        return 0;
    case 'o':
        if (args->set_count == sizeof args->sets / sizeof *args->sets)
            return bad("too many -o", NULL);
        args->sets[args->set_count++] = value;
        return 0;
    case OPT_SCALE:
        return take_scale(args, value);
    case OPT_START:
        if (tide_time_parse(value, strlen(value), &args->server.start_ms) != 0)
            return bad("--start takes a time such as 2019-05-20T05:00+08:00", value);
        return 0;
    case OPT_DOMAIN:
        args->genesis.domain = value;
        return 0;
    case OPT_COMMUNITY:
        args->genesis.community = value;
        return 0;
    case OPT_ADMIN:
        args->genesis.admin_user = value;
        return 0;
    case OPT_HASH:
        args->genesis.admin_hash = value;
        return 0;
    default:
        if (args->mode != 0)
            return bad("one mode at a time", NULL);
        args->mode = option;
        args->file = value;
        return 0;
    }
}

/* Returns 0 to go on, -1 when all is said (help), else an exit code. */
static int parse(int argc, char **argv, struct arguments *args)
{
    int option;
    args->server.scale = 1;
    while ((option = getopt_long(argc, argv, "c:o:h", longs, NULL)) != -1) {
        if (option == '?')
            return bad("unknown option", NULL);
        if (option == 'h') {
            (void)fputs(usage, stdout);
            return -1;
        }
        if (option == OPT_VERSION) {
            (void)printf("tided %s (rules %u)\n", TIDE_VERSION, ENGINE_RULES);
            return -1;
        }
        int code = take_option(args, option, optarg);
        if (code != 0)
            return code;
    }
    if (optind < argc && args->mode == OPT_VERIFY && args->file == NULL)
        args->file = argv[optind++];
    return optind < argc ? bad("what is this", argv[optind]) : 0;
}

static int configure(struct conf *conf, const struct arguments *args)
{
    char why[512] = "";
    conf_default(conf);
    if (args->server.conf_path != NULL &&
        conf_read(conf, args->server.conf_path, why, sizeof why) != 0) {
        (void)fprintf(stderr, "tided: %s\n", why);
        return EXIT_BAD_CONFIG;
    }
    for (unsigned i = 0; i < args->set_count; i++)
        if (conf_set(conf, args->sets[i], why, sizeof why) != 0) {
            (void)fprintf(stderr, "tided: -o %s: %s\n", args->sets[i], why);
            return EXIT_BAD_CONFIG;
        }
    log_set_level((enum log_level)log_level_named(conf->log_level));
    return 0;
}

static void on_progress(void *arg, const char *phase, uint64_t done, uint64_t all)
{
    static uint64_t last;
    (void)arg;
    uint64_t pct = all > 0 ? done * 100 / all : 100;
    if (pct == last && done != all)
        return;
    last = pct;
    (void)fprintf(stderr, "\r%s %llu %%   ", phase, (unsigned long long)pct);
    if (done == all)
        (void)fputc('\n', stderr);
}

static int verify(const struct conf *conf, const char *path)
{
    struct engine_limits limits;
    struct store_report report = {0};
    conf_limits(conf, &limits);
    enum store_error error =
        store_verify(path != NULL ? path : conf->database, &limits,
                     isatty(STDERR_FILENO) ? on_progress : NULL, NULL, &report);
    if (error != STORE_OK) {
        (void)fprintf(stderr, "tided: cannot verify: %s: %s\n", store_error_name(error),
                      report.first_fault);
        return error == STORE_CORRUPT ? EXIT_CORRUPT : EXIT_DISK;
    }
    (void)printf("verify: %llu events in %u domain(s), %llu decided again, %llu rows compared: ",
                 (unsigned long long)report.events, report.domains,
                 (unsigned long long)report.redecided, (unsigned long long)report.rows);
    if (report.faults == 0) {
        (void)printf("all is as the journal says\n");
        return EXIT_FINE;
    }
    (void)printf("%llu FAULTS, the first: %s\n", (unsigned long long)report.faults,
                 report.first_fault);
    return EXIT_FAULTS_FOUND;
}

/* 0 also when nothing is known of it: that is an answer. */
static int why(const struct conf *conf, const struct arguments *args)
{
    static struct store_why told;
    struct store_why_ask ask;
    struct engine_limits limits;
    char user[TIDE_NAME_BYTES_MAX + 1];
    if (!why_parse(args->file, &ask, user, sizeof user))
        return bad("--why takes a booking's number, or USER:RID of a request", args->file);
    ask.domain = args->genesis.domain;
    conf_limits(conf, &limits);
    enum store_error error = store_why(conf->database, &limits, &ask, &told);
    if (error == STORE_USAGE)
        return bad("which domain? --domain NAME", args->genesis.domain);
    if (error != STORE_OK) {
        (void)fprintf(stderr, "tided: cannot look into %s: %s\n", conf->database,
                      store_error_name(error));
        return error == STORE_CORRUPT ? EXIT_CORRUPT : EXIT_DISK;
    }
    why_tell(&told, stdout);
    return EXIT_FINE;
}

static int restore(const struct conf *conf, const char *backup)
{
    char why[512] = "";
    enum store_error error = store_restore(backup, conf->database, why, sizeof why);
    (void)fprintf(error == STORE_OK ? stdout : stderr, "tided: restore: %s%s%s\n",
                  error == STORE_OK ? "done" : store_error_name(error), why[0] != '\0' ? ": " : "",
                  why);
    if (error == STORE_LOCKED)
        return EXIT_HELD;
    return error == STORE_OK ? EXIT_FINE : EXIT_DISK;
}

static int init(struct conf *conf, struct arguments *args)
{
    struct server_genesis *genesis = &args->genesis;
    if (genesis->domain == NULL || genesis->community == NULL || genesis->admin_user == NULL ||
        genesis->admin_hash == NULL)
        return bad("--init needs --domain, --community, --admin and --admin-hash", NULL);
    if (!tide_credential_ok(genesis->admin_hash))
        return bad("--admin-hash takes a whole $7$ hash (tidectl credential makes one)", NULL);
    genesis->start_ms = args->server.start_ms;
    genesis->scaled = args->server.scale != 1 || args->server.start_ms != 0;
    return server_init(conf, genesis);
}

int main(int argc, char **argv)
{
    static struct conf conf;
    struct arguments args = {.mode = 0};
    int code = parse(argc, argv, &args);
    if (code != 0)
        return code < 0 ? EXIT_FINE : code;
    code = configure(&conf, &args);
    if (code != 0)
        return code;
    switch (args.mode) {
    case OPT_INIT:
        return init(&conf, &args);
    case OPT_VERIFY:
        return verify(&conf, args.file);
    case OPT_WHY:
        return why(&conf, &args);
    case OPT_RESTORE:
        return restore(&conf, args.file);
    case OPT_PRINT:
        conf_print(&conf, stdout);
        return EXIT_FINE;
    case OPT_CHECK:
        (void)printf("tided: the configuration is fine\n");
        return EXIT_FINE;
    default:
        return server_run(&conf, &args.server);
    }
}
