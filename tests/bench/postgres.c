/* postgres.c - the peer: PostgreSQL writing the same rows, as well as it can on this machine.
 *
 *   one statement, one transaction a booking:
 *     journal (event, effects) + rid (digest) + booking (exclusion constraint) + account (held)
 *
 * A throw-away cluster under build, on a unix socket, fsync and synchronous_commit on, tuned for
 * writing (see settings below). The statement is prepared and does all four rows in one round
 * trip. The peer has it easier than Tide: slots are drawn by the client, so that nobody looks for
 * one, and no rule of parking is checked but the overlap. Rows have the sizes that Tide's have.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <postgresql/libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define CLIENTS_MAX 64
#define EVENT_BYTES 40 /* as Tide's journal has them on average */
#define EFFECTS_BYTES 170

/* Tuned for short transactions that write: what the manual and the wikis advise. */
static const char *const settings[] = {
    "shared_buffers=1GB",
    "wal_buffers=64MB",
    "max_wal_size=16GB",
    "min_wal_size=1GB",
    "checkpoint_timeout=30min",
    "wal_compression=lz4",
    "wal_init_zero=on",
    "wal_recycle=on",
    "synchronous_commit=on",
    "fsync=on",
    "full_page_writes=on",
    "max_connections=80",
    "autovacuum=off",
    "jit=off",
    "track_activities=off",
    "track_counts=off",
    "update_process_title=off",
    "max_wal_senders=0",
    "wal_level=minimal",
    "log_min_messages=fatal",
    "log_min_error_statement=panic",
    "client_min_messages=error",
};

static const char schema[] =
    "DROP TABLE IF EXISTS journal, rid, booking, account;"
    "CREATE EXTENSION IF NOT EXISTS btree_gist;"
    "CREATE TABLE journal(seq bigserial PRIMARY KEY, when_ms bigint NOT NULL,"
    "  rules int NOT NULL, usr int NOT NULL, rid text NOT NULL, digest bytea NOT NULL,"
    "  expires_ms bigint NOT NULL, event bytea NOT NULL, effects bytea NOT NULL);"
    "CREATE TABLE rid(usr int NOT NULL, rid text NOT NULL, seq bigint NOT NULL,"
    "  digest bytea NOT NULL, expires_ms bigint NOT NULL, PRIMARY KEY (usr, rid));"
    "CREATE TABLE booking(id bigserial PRIMARY KEY, state smallint NOT NULL, plate int NOT NULL,"
    "  zone int NOT NULL, slot int NOT NULL, household int NOT NULL, person int NOT NULL,"
    "  made_by int NOT NULL, span int8range NOT NULL, no_show_ms bigint NOT NULL,"
    "  made_ms bigint NOT NULL, held_min int NOT NULL,"
    "  EXCLUDE USING gist (slot WITH =, span WITH &&) WHERE (state <= 1));"
    "CREATE INDEX booking_household ON booking(household, id);"
    "CREATE TABLE account(household int PRIMARY KEY, balance_min int NOT NULL,"
    "  held_min int NOT NULL) WITH (fillfactor=50);";

static const char statement[] =
    "WITH j AS (INSERT INTO journal(when_ms, rules, usr, rid, digest, expires_ms, event, effects)"
    "  VALUES($1::int8, 1, $2::int4, $3::text, $4::bytea, $5::int8, $6::bytea, $7::bytea)"
    "  RETURNING seq),"
    " r AS (INSERT INTO rid SELECT $2::int4, $3::text, seq, $4::bytea, $5::int8 FROM j),"
    " a AS (UPDATE account SET held_min = held_min + $8::int4 WHERE household = $9::int4)"
    " INSERT INTO booking(state, plate, zone, slot, household, person, made_by, span, no_show_ms,"
    "  made_ms, held_min) VALUES(0, $10::int4, $11::int4, $12::int4, $9::int4, $9::int4, $2::int4,"
    "  int8range($13::int8, $14::int8), $13::int8, $1::int8, $8::int4)";

struct cluster {
    char bin[256], data[400], socket[300];
    uid_t uid;
    gid_t gid;
    bool other_user; /* root may not run it */
    pid_t postmaster;
    char conninfo[512];
};

/* ---- the cluster ----------------------------------------------------------------------------- */
static void find_bin(struct cluster *cluster)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0)
        bench_die("PostgreSQL is not there: apt-get install postgresql-15");
    snprintf(cluster->bin, sizeof cluster->bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    *strrchr(cluster->bin, '/') = '\0';
}

static void find_user(struct cluster *cluster)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL)
        user = getpwnam("nobody");
    if (user == NULL)
        bench_die("no user to run PostgreSQL as");
    cluster->other_user = true;
    cluster->uid = user->pw_uid;
    cluster->gid = user->pw_gid;
}

static pid_t start(const struct cluster *cluster, const char *program, char *const *argv)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", cluster->bin, program);
    pid_t child = fork();
    if (child != 0)
        return child;
    int quiet = open("/dev/null", O_RDWR);
    dup2(quiet, 0);
    dup2(quiet, 1);
    dup2(quiet, 2);
    if (cluster->other_user &&
        (setgroups(0, NULL) != 0 || setgid(cluster->gid) != 0 || setuid(cluster->uid) != 0))
        _exit(126);
    if (chdir("/") != 0)
        _exit(126);
    execv(path, argv);
    _exit(127);
}

static void init_cluster(struct cluster *cluster)
{
    char data[sizeof cluster->data + 4];
    int status = 0;
    snprintf(data, sizeof data, "%s", cluster->data);
    char *const argv[] = {"initdb", "-D", data, "-U",   "tide",       "-A",
                          "trust",  "-N", "-E", "UTF8", "--locale=C", NULL};
    pid_t child = start(cluster, "initdb", argv);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        bench_die("initdb failed in %s", cluster->data);
}

static void start_cluster(struct cluster *cluster)
{
    enum { FIXED = 9, COUNT = sizeof settings / sizeof *settings };
    char data[sizeof cluster->data + 4], socket[sizeof cluster->socket + 4];
    char *argv[FIXED + 2 * COUNT + 1] = {"postgres",          "-D", data,  "-k", socket, "-c",
                                         "listen_addresses=", "-p", "5432"};
    snprintf(data, sizeof data, "%s", cluster->data);
    snprintf(socket, sizeof socket, "%s", cluster->socket);
    for (unsigned i = 0; i < COUNT; i++) {
        argv[FIXED + 2 * i] = "-c";
        argv[FIXED + 2 * i + 1] = (char *)(uintptr_t)settings[i];
    }
    argv[FIXED + 2 * COUNT] = NULL;
    cluster->postmaster = start(cluster, "postgres", argv);
    snprintf(cluster->conninfo, sizeof cluster->conninfo,
             "host=%s port=5432 user=tide dbname=postgres", cluster->socket);
    for (unsigned i = 0; i < 300; i++) {
        if (PQping(cluster->conninfo) == PQPING_OK)
            return;
        if (waitpid(cluster->postmaster, NULL, WNOHANG) != 0)
            bench_die("PostgreSQL did not start in %s", cluster->data);
        usleep(100000);
    }
    kill(cluster->postmaster, SIGQUIT);
    bench_die("PostgreSQL does not answer in %s", cluster->socket);
}

static void stop_cluster(struct cluster *cluster)
{
    kill(cluster->postmaster, SIGINT); /* fast shutdown */
    waitpid(cluster->postmaster, NULL, 0);
}

/* ---- one client ------------------------------------------------------------------------------ */
struct client {
    const struct cluster *cluster;
    const struct bench_size *size;
    uint64_t seed, done, clashes;
    const _Atomic bool *go, *stop;
    pthread_t thread;
};

static PGconn *connect_to(const struct cluster *cluster)
{
    PGconn *connection = PQconnectdb(cluster->conninfo);
    if (PQstatus(connection) != CONNECTION_OK)
        bench_die("PostgreSQL: %s", PQerrorMessage(connection));
    return connection;
}

static void run_sql(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        bench_die("PostgreSQL: %s", PQerrorMessage(connection));
    PQclear(result);
}

/* Parameters in PostgreSQL's binary form: big-endian numbers, bytes as they are. */
struct parameters {
    const char *values[14];
    int lengths[14], formats[14];
    uint8_t numbers[14][8];
};

static void set_number(struct parameters *p, unsigned at, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p->numbers[at][i] = (uint8_t)((uint64_t)value >> (8 * (bytes - 1 - i)));
    p->values[at] = (const char *)p->numbers[at];
    p->lengths[at] = bytes;
    p->formats[at] = 1;
}

static void set_bytes(struct parameters *p, unsigned at, const void *bytes, int len)
{
    p->values[at] = bytes;
    p->lengths[at] = len;
    p->formats[at] = 1;
}

struct drawn {
    char rid[23];
    uint8_t digest[16], event[EVENT_BYTES], effects[EFFECTS_BYTES];
};

static void draw(struct client *client, struct drawn *drawn, struct parameters *p)
{
    const struct bench_size *size = client->size;
    uint64_t a = bench_random(&client->seed), b = bench_random(&client->seed);
    int32_t household = 1 + (int32_t)(a % size->households);
    int64_t from = BENCH_START_MS / 300000 + (int64_t)(b % (13 * TIDE_GRAINS_A_DAY));
    int64_t grains = 1 + (int64_t)(b >> 40) % 12;
    snprintf(drawn->rid, sizeof drawn->rid, "%016llx%06llx", (unsigned long long)a,
             (unsigned long long)b & 0xffffff);
    memcpy(drawn->digest, &a, 8);
    memcpy(drawn->digest + 8, &b, 8);
    for (unsigned i = 0; i < EFFECTS_BYTES; i += 8) /* bytes that do not compress to nothing */
        memcpy(drawn->effects + i, &a, i + 8 <= EFFECTS_BYTES ? 8 : EFFECTS_BYTES - i), a += b;
    memcpy(drawn->event, drawn->effects, EVENT_BYTES);
    set_number(p, 0, BENCH_START_MS, 8);
    set_number(p, 1, household, 4);
    set_bytes(p, 2, drawn->rid, 22);
    set_bytes(p, 3, drawn->digest, 16);
    set_number(p, 4, 4102444800000LL, 8);
    set_bytes(p, 5, drawn->event, EVENT_BYTES);
    set_bytes(p, 6, drawn->effects, EFFECTS_BYTES);
    set_number(p, 7, grains * TIDE_GRAIN_MIN, 4);
    set_number(p, 8, household, 4);
    set_number(p, 9, household * 4, 4);
    set_number(p, 10, 1 + (int64_t)(a % size->zones), 4);
    set_number(p, 11, 1 + (int64_t)(a % (size->zones * size->slots)), 4);
    set_number(p, 12, from, 8);
    set_number(p, 13, from + grains, 8);
}

static void *client_main(void *arg)
{
    struct client *client = arg;
    PGconn *connection = connect_to(client->cluster);
    PGresult *prepared = PQprepare(connection, "book", statement, 14, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        bench_die("PostgreSQL: %s", PQerrorMessage(connection));
    PQclear(prepared);
    while (!atomic_load(client->go))
        usleep(1000);
    while (!atomic_load(client->stop)) {
        struct drawn drawn;
        struct parameters p;
        draw(client, &drawn, &p);
        PGresult *result =
            PQexecPrepared(connection, "book", 14, p.values, p.lengths, p.formats, 1);
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            client->done++;
        else if (state != NULL && (strcmp(state, "23P01") == 0 || strcmp(state, "40P01") == 0))
            client->clashes++; /* taken by somebody else: refused, as Tide would */
        else
            bench_die("PostgreSQL: %s", PQerrorMessage(connection));
        PQclear(result);
    }
    PQfinish(connection);
    return NULL;
}

/* ---- one run --------------------------------------------------------------------------------- */
static double run(const struct cluster *cluster, const struct bench_size *size, unsigned clients,
                  unsigned commit_delay_us, double seconds)
{
    static struct client all[CLIENTS_MAX];
    static uint32_t next_seed = 1; /* no run repeats another's numbers */
    _Atomic bool go = false, stop = false;
    char sql[256];
    uint64_t done = 0, clashes = 0;
    PGconn *connection = connect_to(cluster);
    run_sql(connection, schema);
    snprintf(sql, sizeof sql, "INSERT INTO account SELECT i, 9000, 0 FROM generate_series(1, %u) i",
             size->households);
    run_sql(connection, sql);
    snprintf(sql, sizeof sql, "ALTER SYSTEM SET commit_delay=%u", commit_delay_us);
    run_sql(connection, sql);
    run_sql(connection, "ALTER SYSTEM SET commit_siblings=4");
    run_sql(connection, "SELECT pg_reload_conf()");
    run_sql(connection, "VACUUM ANALYZE account");
    run_sql(connection, "CHECKPOINT");
    for (unsigned i = 0; i < clients; i++) {
        all[i] = (struct client){.cluster = cluster,
                                 .size = size,
                                 .seed = (uint64_t)next_seed++ << 32,
                                 .go = &go,
                                 .stop = &stop};
        if (pthread_create(&all[i].thread, NULL, client_main, &all[i]) != 0)
            bench_die("no more threads");
    }
    usleep(300000);
    double start_s = bench_now_s();
    atomic_store(&go, true);
    usleep((unsigned)(seconds * 1e6));
    atomic_store(&stop, true);
    double took = bench_now_s() - start_s;
    for (unsigned i = 0; i < clients; i++) {
        pthread_join(all[i].thread, NULL);
        done += all[i].done;
        clashes += all[i].clashes;
    }
    PQfinish(connection);
    fprintf(stderr, "PostgreSQL, %2u clients, commit_delay %3u us: %.0f a second (%llu clashes)\n",
            clients, commit_delay_us, (double)done / took, (unsigned long long)clashes);
    return (double)done / took;
}

static void note(struct bench_peer *peer, unsigned at, unsigned clients, unsigned delay_us,
                 double per_s)
{
    if (per_s > peer->by_clients[at])
        peer->by_clients[at] = per_s;
    if (per_s > peer->per_s) {
        peer->per_s = per_s;
        peer->clients = clients;
        peer->commit_delay_us = delay_us;
    }
}

void bench_postgres(const char *folder, const struct bench_size *size, double seconds,
                    struct bench_peer *ret)
{
    static const unsigned clients[] = {1, 4, 16, 64};
    struct cluster cluster = {.postmaster = -1};
    struct bench_peer peer = {.per_s = 0};
    snprintf(cluster.data, sizeof cluster.data, "%s/data", folder);
    snprintf(cluster.socket, sizeof cluster.socket, "%s", folder);
    if (strlen(folder) > 85) /* a path of a socket has its limit */
        bench_die("%s is too long a name for PostgreSQL's socket; set TIDE_BUILD", folder);
    find_bin(&cluster);
    find_user(&cluster);
    if (cluster.other_user && chown(folder, cluster.uid, cluster.gid) != 0)
        bench_die("cannot give %s to the user of PostgreSQL", folder);
    init_cluster(&cluster);
    start_cluster(&cluster);
    PGconn *connection = connect_to(&cluster);
    snprintf(peer.version, sizeof peer.version, "%.30s",
             PQparameterStatus(connection, "server_version"));
    peer.version[strcspn(peer.version, " ")] = '\0';
    PQfinish(connection);
    for (unsigned i = 0; i < 4; i++) {
        note(&peer, i, clients[i], 0, run(&cluster, size, clients[i], 0, seconds));
        if (clients[i] >= 16)
            note(&peer, i, clients[i], 100, run(&cluster, size, clients[i], 100, seconds));
    }
    stop_cluster(&cluster);
    *ret = peer;
}
