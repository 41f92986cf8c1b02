/* peak_world.c - the world around the measurement: a broker on the shipped configuration, tided
 * with a neighbourhood whose slots are open day and night, and the look into its database at the
 * end.
 *
 * The users are consoles of clerks who book for households: so any number of connections can book
 * for any number of households, each of which may hold so many bookings only.
 */
#include "tests/bench/peak.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

#include "daemon/net/broker.h"
#include "tests/bench/bench.h"
#include "tests/bench/peak_put.h"
#include "tide/client.h"

#define ROOM_MAX (PEAK_SLOTS * PEAK_ZONES * PEAK_SPANS * 9 / 10)

/* ---- the plan of bookings ------------------------------------------------------ */

uint32_t peak_plan_room(const struct peak_plan *plan)
{
    return plan->households * PEAK_LIVE_MAX;
}

/* "2026-11-25T08:30+08:00" */
static void civil_text(const struct peak_plan *plan, uint32_t span, char *out, size_t cap)
{
    time_t minutes = (time_t)span * PEAK_SPAN_MIN;
    time_t at = (time_t)(plan->first_day * 86400) + minutes * 60;
    struct tm civil;
    gmtime_r(&at, &civil);
    strftime(out, cap, "%Y-%m-%dT%H:%M+08:00", &civil);
}

/* Household by household, then the next round: spans of one household never meet (11 and the number
 * of spans have no common divisor), and all spans fill alike. */
size_t peak_request(const struct peak_plan *plan, uint32_t n, const char *rid, char *out,
                    size_t cap)
{
    uint32_t household = n % plan->households, round = n / plan->households;
    uint32_t span = (household * 7 + round * 11) % PEAK_SPANS;
    char start[32], end[32];
    civil_text(plan, span, start, sizeof start);
    civil_text(plan, span + 1, end, sizeof end);
    return (size_t)snprintf(out, cap,
                            "{\"rid\":\"%s\",\"expires\":\"%s\",\"plate\":\"浙F%05u\","
                            "\"zone\":\"%c\",\"for\":\"h%u\",\"start\":\"%s\",\"end\":\"%s\"}",
                            rid, plan->expires, household, household / PEAK_SPANS % 2 ? 'B' : 'A',
                            household, start, end);
}

static void make_plan(struct peak_plan *plan, uint32_t bookings)
{
    time_t now = time(NULL), tomorrow = now + 86400;
    struct tm utc;
    if (bookings > ROOM_MAX)
        bookings = ROOM_MAX;
    plan->households = bookings / PEAK_LIVE_MAX + 1;
    plan->first_day = (now + 8 * 3600) / 86400 + 1;
    gmtime_r(&tomorrow, &utc);
    strftime(plan->expires, sizeof plan->expires, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* ---- processes ------------------------------------------------------ */

static pid_t launch(const struct peak_world *world, const char *log_name, const char *const *argv)
{
    char log_path[700];
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    snprintf(log_path, sizeof log_path, "%s/%s", world->folder, log_name);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Asks it to end and waits for at most 30 s. 0 when it ended with 0. */
static int finish(pid_t *pid)
{
    int status = -1;
    if (*pid <= 0)
        return 0;
    kill(*pid, SIGTERM);
    for (int i = 0; i < 3000 && waitpid(*pid, &status, WNOHANG) == 0; i++)
        broker_fixture_sleep_ms(10);
    if (status == -1) {
        kill(*pid, SIGKILL);
        waitpid(*pid, &status, 0);
    }
    *pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int find_folder(struct peak_world *world)
{
    bench_folder("peak", world->folder, sizeof world->folder);
    snprintf(world->tided, sizeof world->tided, "%s/../tided", world->folder);
    if (access(world->tided, X_OK) == 0)
        return 0;
    fprintf(stderr, "%s is missing: make\n", world->tided);
    return -1;
}

static int write_conf(struct peak_world *world)
{
    snprintf(world->conf, sizeof world->conf, "%s/tided.conf", world->folder);
    FILE *file = fopen(world->conf, "we");
    if (file == NULL)
        return -1;
    fprintf(file,
            "node = peak\ndatabase = %s/tide.db\nbroker_uri = %s\nbroker_folder = %s\n"
            "broker_pid_file = %s\nhttp_port = 0\nlog_level = warn\n"
            "user_rate_per_s = 100000\nuser_burst = 100000\n"
            "slots_max = %d\nhouseholds_max = %u\nbookings_max = %u\n",
            world->folder, world->broker.uri, world->broker.folder, world->broker.pid_file,
            PEAK_SLOTS * PEAK_ZONES + 16, world->plan.households + 64,
            peak_plan_room(&world->plan) + 64);
    return fclose(file);
}

static int init_database(struct peak_world *world)
{
    char hash[192];
    if (broker_secret(world->admin_secret, sizeof world->admin_secret) != 0 ||
        broker_hash(world->admin_secret, hash, sizeof hash) != 0)
        return -1;
    const char *argv[] = {world->tided,   "-c",          world->conf, "--init",  "--domain",
                          "home",         "--community", "peak",      "--admin", "admin",
                          "--admin-hash", hash,          NULL};
    pid_t pid = launch(world, "init.log", argv);
    int status = -1;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
                                                                                            : -1;
}

/* The shipped configuration lies beside the source's folders: build/../deploy. */
static int start_broker(struct peak_world *world)
{
    char shipped[700];
    snprintf(shipped, sizeof shipped, "%s/../../deploy/mosquitto/people.conf", world->folder);
    if (access(shipped, R_OK) != 0)
        snprintf(shipped, sizeof shipped, "deploy/mosquitto/people.conf");
    return broker_fixture_run_shipped(&world->broker, shipped);
}

static int start_daemon(struct peak_world *world)
{
    const char *argv[] = {world->tided, "-c", world->conf, NULL};
    world->daemon = launch(world, "tided.log", argv);
    return world->daemon > 0 ? 0 : -1;
}

int peak_world_start_echo(struct peak_world *world, size_t reply_bytes)
{
    char secret_file[600], bytes[24];
    snprintf(secret_file, sizeof secret_file, "%s/broker.secret", world->folder);
    snprintf(bytes, sizeof bytes, "%zu", reply_bytes);
    const char *argv[] = {"/proc/self/exe", "peak", "--echo", world->broker.uri,
                          secret_file,      bytes,  NULL};
    world->echo = launch(world, "echo.log", argv);
    broker_fixture_sleep_ms(500);
    return world->echo > 0 && waitpid(world->echo, NULL, WNOHANG) == 0 ? 0 : -1;
}

int peak_world_stop_daemon(struct peak_world *world)
{
    return finish(&world->daemon);
}

/* ---- the neighbourhood ------------------------------------------------------ */

static int populate(struct peak_world *world, struct tide_client *client, unsigned users)
{
    struct peak_put put = {.client = client};
    char hash[192];
    if (broker_secret(world->secret, sizeof world->secret) != 0 ||
        broker_hash(world->secret, hash, sizeof hash) != 0)
        return -1;
    peak_put_row(&put, "{\"is\":\"setting\",\"key\":\"household_live_max\",\"value\":%d}",
                 PEAK_LIVE_MAX);
    peak_put_row(&put, "{\"is\":\"place\",\"place\":\"yard\",\"kind\":\"compound\","
                       "\"parent\":\"peak\"}");
    peak_put_row(&put, "{\"is\":\"place\",\"place\":\"office\",\"kind\":\"organisation\","
                       "\"parent\":\"peak\"}");
    for (int zone = 0; zone < PEAK_ZONES; zone++)
        peak_put_row(&put,
                     "{\"is\":\"zone\",\"zone\":\"%c\",\"place\":\"yard\","
                     "\"sense\":[\"gate\"]}",
                     'A' + zone);
    for (uint32_t i = 0; i < world->plan.households; i++)
        peak_put_row(&put,
                     "{\"is\":\"place\",\"place\":\"h%u\",\"kind\":\"household\","
                     "\"parent\":\"yard\"}",
                     i);
    for (int i = 0; i < PEAK_SLOTS * PEAK_ZONES; i++) {
        peak_put_row(&put,
                     "{\"is\":\"slot\",\"slot\":\"S%d\",\"zone\":\"%c\",\"title\":\"owned\","
                     "\"owner\":\"h0\"}",
                     i, 'A' + i % PEAK_ZONES);
        peak_put_row(&put,
                     "{\"is\":\"window\",\"slot\":\"S%d\",\"kind\":\"weekly\","
                     "\"days\":[\"workday\",\"restday\",\"holiday\"],\"opens\":\"00:00\","
                     "\"closes\":\"24:00\"}",
                     i);
    }
    for (unsigned i = 0; i < users; i++) {
        peak_put_row(&put, "{\"is\":\"person\",\"person\":\"desk/%u\",\"household\":\"office\"}",
                     i);
        peak_put_row(&put,
                     "{\"is\":\"role\",\"person\":\"desk/%u\",\"role\":\"clerk\","
                     "\"place\":\"peak\"}",
                     i);
        peak_put_row(&put,
                     "{\"is\":\"user\",\"user\":\"u%u\",\"person\":\"desk/%u\","
                     "\"kind\":\"console\",\"credential\":\"%s\"}",
                     i, i, hash);
    }
    return peak_put_end(&put);
}

static int move_in(struct peak_world *world, unsigned users)
{
    const struct tide_client_conf conf = {
        .uri = world->broker.uri, .domain = "home", .user = "admin", .secret = world->admin_secret};
    struct tide_client *client = NULL;
    if (tide_client_open(&client, &conf) != 0)
        return -1;
    int result = tide_client_wait(client, 20000) == 0 ? populate(world, client, users) : -1;
    tide_client_close(client);
    broker_fixture_sleep_ms(500); /* the broker reads the accounts */
    return result;
}

int peak_world_start(struct peak_world *world, unsigned users, uint32_t bookings)
{
    memset(world, 0, sizeof *world);
    make_plan(&world->plan, bookings);
    if (find_folder(world) != 0 || broker_fixture_prepare(&world->broker) != 0 ||
        write_conf(world) != 0) {
        fprintf(stderr, "no folder for the benchmark: %s\n", strerror(errno));
        return -1;
    }
    if (init_database(world) != 0 || start_broker(world) != 0 || start_daemon(world) != 0 ||
        move_in(world, users) != 0) {
        fprintf(stderr, "tided or the broker does not start; see %s\n", world->folder);
        return -1;
    }
    return 0;
}

void peak_world_end(struct peak_world *world)
{
    finish(&world->echo);
    finish(&world->daemon);
    if (world->broker.folder[0] != '\0')
        broker_fixture_stop(&world->broker);
    if (world->folder[0] == '/' && getenv("PEAK_KEEP") == NULL)
        bench_folder_remove(world->folder);
}

/* ---- the check ------------------------------------------------------ */

struct check_walk {
    sqlite3_stmt *find;
    struct peak_check *check;
};

static void check_one(void *arg, uint32_t n, uint32_t id)
{
    struct check_walk *walk = arg;
    (void)n;
    walk->check->acknowledged++;
    sqlite3_bind_int64(walk->find, 1, id);
    if (sqlite3_step(walk->find) != SQLITE_ROW)
        walk->check->lost++;
    sqlite3_reset(walk->find);
}

static uint64_t count(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    uint64_t value = UINT64_MAX;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

/* Each request of the plan has a plate and a start of its own: two rows of one are one twice. */
int peak_world_check(const struct peak_world *world, const struct peak_swarm *swarm,
                     struct peak_check *ret)
{
    char path[600];
    sqlite3 *db = NULL;
    struct check_walk walk = {.check = ret};
    memset(ret, 0, sizeof *ret);
    snprintf(path, sizeof path, "%s/tide.db", world->folder);
    int result = -1;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT 1 FROM booking WHERE domain = 1 AND id = ?1", -1, &walk.find,
                           NULL) == SQLITE_OK) {
        peak_swarm_acked(swarm, check_one, &walk);
        ret->rows = count(db, "SELECT count(*) FROM booking");
        ret->twice = count(db, "SELECT count(*) FROM (SELECT 1 FROM booking "
                               "GROUP BY plate, start_ms HAVING count(*) > 1)");
        result = ret->rows != UINT64_MAX && ret->twice != UINT64_MAX ? 0 : -1;
    }
    sqlite3_finalize(walk.find);
    sqlite3_close(db);
    return result;
}

/* ---- the machine ------------------------------------------------------ */

double peak_cpu_us(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid != 0 ? (int)pid : (int)getpid());
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *at = strrchr(text, ')'); /* behind the name: state and 10 numbers, then ours */
    for (int field = 0; at != NULL && field < 12; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return 0;
    char *rest;
    unsigned long long user = strtoull(at, &rest, 10), kernel = strtoull(rest, NULL, 10);
    return (double)(user + kernel) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}
