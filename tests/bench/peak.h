/* peak.h - the parts of the benchmark `peak`; what it measures stands in peak.c.
 *
 *     peak.c         the plan: phases, medians, the JSON line
 *     peak_swarm.c   the clients: one code, one window, one payload for both that answer
 *     peak_echo.c    the bare echo: the daemon's own connection code and nothing behind it
 *     peak_world.c   broker, tided and echo as processes of their own; the neighbourhood; the check
 */
#ifndef TIDE_BENCH_PEAK_H
#define TIDE_BENCH_PEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/unit/broker_fixture.h"

/* ---- requests: the n-th booking of the run, the same bytes for daemon and echo -------------- */
#define PEAK_SPAN_MIN 30
#define PEAK_DAYS 12 /* from tomorrow on; the horizon is 14 */
#define PEAK_SPANS (PEAK_DAYS * 24 * 60 / PEAK_SPAN_MIN)
#define PEAK_LIVE_MAX 32 /* bookings a household */
#define PEAK_SLOTS 500   /* a zone */
#define PEAK_ZONES 2

struct peak_plan {
    uint32_t households;
    int64_t first_day; /* civil days since 1970, the first to be booked */
    char expires[32];  /* of all requests */
};
/* The n-th booking that this neighbourhood has room for; more there are not. */
uint32_t peak_plan_room(const struct peak_plan *plan);
size_t peak_request(const struct peak_plan *plan, uint32_t n, const char *rid, char *out,
                    size_t cap);

/* ---- clients ------------------------------------------------------ */
struct peak_swarm;
struct peak_phase {
    const char *domain; /* "home": tided; "echo": the echo */
    unsigned clients;   /* of those that are connected */
    unsigned window;    /* requests under way, each client */
    double rate_per_s;  /* 0: the next one as soon as an answer is there */
    double warm_up_s, seconds;
};
struct peak_result {
    double per_s; /* answered `ok` while it was measured */
    double p50_ms, p99_ms, max_ms;
    uint64_t answered, refused, repeated;
    char refusal[200]; /* the first one */
};

/* Connects users u0, u1, …; 0 or -1. */
int peak_swarm_open(struct peak_swarm **ret, const char *uri, const char *secret, unsigned users,
                    const struct peak_plan *plan);
int peak_swarm_run(struct peak_swarm *swarm, const struct peak_phase *phase,
                   struct peak_result *ret);
/* Calls fn for each booking that was acknowledged: its number in the plan, its id. */
void peak_swarm_acked(const struct peak_swarm *swarm,
                      void (*fn)(void *arg, uint32_t n, uint32_t id), void *arg);
size_t peak_swarm_reply_bytes(const struct peak_swarm *swarm); /* of tided's, on average */
void peak_swarm_close(struct peak_swarm *swarm);
int64_t peak_now_us(void); /* monotonic */

/* ---- processes ------------------------------------------------------ */
struct peak_world {
    struct broker_fixture broker;
    char folder[512]; /* beside the programs, on the same disk as the source */
    char conf[600], tided[600];
    char secret[40], admin_secret[40];
    pid_t daemon, echo;
    struct peak_plan plan;
};
/* bookings: how many there must be room for, at most 524,288. 0 or -1, which is told on stderr;
 * _end in both cases. */
int peak_world_start(struct peak_world *world, unsigned users, uint32_t bookings);
int peak_world_start_echo(struct peak_world *world, size_t reply_bytes);
/* Ends tided in order; 0 when it did. */
int peak_world_stop_daemon(struct peak_world *world);
void peak_world_end(struct peak_world *world);
struct peak_check {
    uint64_t acknowledged, lost, twice, rows;
};
int peak_world_check(const struct peak_world *world, const struct peak_swarm *swarm,
                     struct peak_check *ret);
/* Processor time so far, microseconds; pid 0: our own. */
double peak_cpu_us(pid_t pid);

/* The echo's main: answers every request of domain "echo" until SIGTERM. */
int peak_echo_main(const char *uri, const char *secret_file, size_t reply_bytes);

#endif
