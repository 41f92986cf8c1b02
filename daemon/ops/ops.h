/* ops.h - what surrounds the daemon: configuration, log, clocks, service manager, counters. */
#ifndef TIDE_OPS_H
#define TIDE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tide/engine.h"

/* ---- conf.c: one file, every key documented, checked --------------------------------------- */
/* key = value, # comments; deploy/tided.conf shows all. X(key, kind, default, least, most, help) */
#define CONF_KEYS(X)                                                                               \
    X(node, text, "tide1", 1, 32, "name of this daemon in tide/1/sys/{node}")                      \
    X(database, text, "/var/lib/tide/tide.db", 1, 4000, "the SQLite database")                     \
    X(domains, text, "home", 1, 1000, "domains served here, with a blank between")                 \
    X(broker_uri, text, "tcp://127.0.0.1:1883", 1, 200, "the broker of the people")                \
    X(broker_user, text, "tided", 1, 64, "the daemon's own account there")                         \
    X(broker_secret_file, text, "", 0, 4000,                                                       \
      "its secret; made when missing; empty: broker.secret beside the database")                   \
    X(broker_ca_file, text, "", 0, 4000,                                                           \
      "certificate authorities for ssl://; empty: the system's")                                   \
    X(broker_folder, text, "", 0, 4000, "where password_file and acl_file go; empty: none")        \
    X(broker_pid_file, text, "", 0, 4000,                                                          \
      "the broker's pid, to be told of new files; empty: nobody")                                  \
    X(backup_folder, text, "", 0, 4000, "where backups go; empty: backups/ beside the database")   \
    X(http_port, number, "9180", 0, 65535, "/metrics and /healthz on loopback; 0: any")            \
    X(log_level, text, "info", 4, 5, "least to be logged: debug, info, warn or error")             \
    X(send_window, number, "1000", 1, 60000, "outstanding messages to the broker")                 \
    X(inbox_max, number, "8192", 16, 1000000, "messages waiting to be decided")                    \
    X(outbox_max, number, "65536", 16, 1000000, "messages waiting to be sent")                     \
    X(user_rate_per_s, number, "20", 1, 100000, "requests a second that one user may make")        \
    X(user_burst, number, "60", 1, 100000, "and how many at once")                                 \
    X(flood_mute_s, number, "60", 0, 3600,                                                         \
      "seconds for which one who asks 25 times as often is shut out; 0: never")                    \
    X(clock_jump_s, number, "60", 5, 86400, "a larger forward jump suspends deadlines")            \
    X(slots_max, number, "8192", 16, 65536, "pool: slots a domain")                                \
    X(households_max, number, "8192", 16, 65536, "pool: households a domain")                      \
    X(bookings_max, number, "32768", 16, 1048576, "pool: live bookings a domain")                  \
    X(horizon_days_max, number, "16", 2, 60, "pool: days of free time kept")

struct conf {
#define CONF_FIELD_text(key) char key[4096];
#define CONF_FIELD_number(key) int64_t key;
#define CONF_FIELD_(key, kind, def, least, most, help) CONF_FIELD_##kind(key)
    CONF_KEYS(CONF_FIELD_)
#undef CONF_FIELD_
};
void conf_default(struct conf *ret);
/* Reads a file over what *conf holds. 0; -1 with "file:line: reason" in why. */
int conf_read(struct conf *conf, const char *path, char *why, size_t why_cap);
/* Sets one key from "key=value" (the -o option). 0 or -1 with why. */
int conf_set(struct conf *conf, const char *assignment, char *why, size_t why_cap);
/* Writes a documented file with all keys and their present values (tided --print-config). */
void conf_print(const struct conf *conf, FILE *out);
/* Pools for an engine from the configuration. */
void conf_limits(const struct conf *conf, struct engine_limits *ret);

/* ---- log.c: one JSON object a line on stderr ------------------------------------------------ */
enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };
void log_set_level(enum log_level level);
int log_level_named(const char *name); /* -1 */
/* {"t":"…","level":"info","what":"<what>",<members>}. format makes the members, for example
 * "\"seq\":%llu"; texts among them go through log_str, which escapes and masks. Thread-safe;
 * rate-limited a `what`. */
void log_event(enum log_level level, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Escapes and masks text (at most 256 bytes of it) into one of 8 thread-local buffers, with quotes;
 * NULL is "". */
const char *log_str(const char *text);
/* Masks in place: a plate keeps its place and first character ("浙F·A****"); of a run of at least
 * 7 digits, or of 11 with single blanks or dashes between, nothing is left. */
void log_mask(char *text);

/* ---- clock.c: civil and elapsed ------------------------------------------------------------- */
struct clock_state {
    int64_t anchor_civil_ms; /* civil time at anchor_boot_ns */
    int64_t anchor_boot_ns;  /* CLOCK_BOOTTIME */
    int scale;               /* civil ms a real ms; 1 outside demos */
    int64_t last_ms;         /* never goes back */
};
/* start_ms: civil time to begin with, 0: the wall clock. */
void clock_begin(struct clock_state *clock, int scale, int64_t start_ms);
int64_t clock_civil_ms(struct clock_state *clock);
int64_t clock_real_ms(void);    /* wall clock, unscaled: rids, validity */
int64_t clock_elapsed_ms(void); /* CLOCK_BOOTTIME: retries, rates */
/* How far the wall clock went away from the anchor (scale 1 only), ms; for `clock` events. */
int64_t clock_drift_ms(const struct clock_state *clock);
/* Moves the anchor to the wall clock now. */
void clock_reanchor(struct clock_state *clock);
/* Real milliseconds until a civil time; at least 0, at most max. */
uint64_t clock_wait_ms(struct clock_state *clock, int64_t civil_ms, uint64_t max);

/* ---- notify.c: sd_notify without libsystemd ------------------------------------------------- */
/* Sends "READY=1" etc. to $NOTIFY_SOCKET; 0, also when there is none; -1 on failure. */
int notify_send(const char *state);
/* Microseconds between watchdog pings wanted (half of WATCHDOG_USEC), 0: none. */
uint64_t notify_watchdog_us(void);

/* ---- metrics.c: text format 0.0.4 ----------------------------------------------------------- */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };
#define METRICS(X)                                                                                 \
    X(requests_total, COUNTER, "requests taken in")                                                \
    X(replies_total, COUNTER, "replies released")                                                  \
    X(refused_total, COUNTER, "requests refused by the engine")                                    \
    X(invalid_total, COUNTER, "messages that were none")                                           \
    X(busy_total, COUNTER, "refused because of load or rate")                                      \
    X(muted_total, COUNTER, "users shut out for a while because they flooded")                     \
    X(repeats_total, COUNTER, "repeated requests answered from the journal")                       \
    X(facts_total, COUNTER, "facts from gateways")                                                 \
    X(facts_stale_total, COUNTER, "facts known already")                                           \
    X(notices_total, COUNTER, "notices written")                                                   \
    X(commands_total, COUNTER, "commands to devices")                                              \
    X(commands_expired_total, COUNTER, "commands never acknowledged")                              \
    X(commits_total, COUNTER, "journal commits")                                                   \
    X(events_total, COUNTER, "events decided")                                                     \
    X(ticks_total, COUNTER, "deadline ticks")                                                      \
    X(inbox_depth, GAUGE, "messages waiting to be decided")                                        \
    X(inbox_dropped_total, COUNTER, "messages refused because the inbox was full")                 \
    X(outbox_depth, GAUGE, "messages waiting to be sent")                                          \
    X(outbox_dropped_total, COUNTER, "messages given up because the outbox was full")              \
    X(reconnects_total, COUNTER, "connections to the broker")                                      \
    X(broker_up, GAUGE, "1 when connected and subscribed")                                         \
    X(pool_used_ratio_pct, GAUGE, "fullest pool, percent")                                         \
    X(fold_lag_events, GAUGE, "journal rows not yet in the tables")                                \
    X(wal_bytes, GAUGE, "size of the write-ahead log")                                             \
    X(unavailable, GAUGE, "1 while the disk is full")                                              \
    X(clock_suspended, GAUGE, "1 while deadlines wait for the clock")
struct metrics {
#define METRIC_FIELD_(name, kind, help) uint64_t name;
    METRICS(METRIC_FIELD_)
#undef METRIC_FIELD_
    uint64_t latency_bucket[20]; /* request to release, upper bounds 2^i * 0.1 ms */
    uint64_t latency_count;
    double latency_sum_s;
};
void metrics_latency(struct metrics *metrics, int64_t us);
/* Text for /metrics; returns its length, 0 when cap is too small. */
size_t metrics_print(const struct metrics *metrics, char *out, size_t cap);

/* ---- memory.c: the block in which an engine lives ------------------------------------------- */
/* So many bytes, in large pages where there are any; NULL when there is no memory. free() it. */
void *memory_block(size_t bytes);

#endif
