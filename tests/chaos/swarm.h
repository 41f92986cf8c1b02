/* swarm.h - thousands of real clients in one thread, and the ledger of what they were told.
 *
 *     orders on stdin ──► orders.c ──► work.c: what to ask      ┐
 *                                      history.c: the same,     ├─► asks ──► clients.c ──► mq.c
 *                                      written down with times  ┘    ▲                      │
 *     answers on stdout ◄── stats, served, audit           ledger.c ◄┴──── a reply ◄────────┘
 *
 * An ask is one request: it is sent, and sent again with the same bytes, until its answer is there.
 * Its place and number stand in the rid, so a reply finds it at once:  {run}-{lane}-{n}
 */
#ifndef TIDE_CHAOS_SWARM_H
#define TIDE_CHAOS_SWARM_H

#include <stdio.h>

#include "tests/chaos/mq.h"

#define LANES_MAX 65536u
#define LIVE_MAX 8
#define BODY_BYTES_MAX 320
#define RID_BYTES_MAX 36
#define SAMPLES_MAX (1u << 20)
#define NOBODY UINT32_MAX

enum ask_kind { ASK_BOOK, ASK_CANCEL, ASK_EXTEND, ASK_WHO, ASK_QUOTE };
/* Why an ask was made: by a client in its turn; paced, and given up when refused or late; to hear
 * an answer of the ledger again; as part of a history. */
enum ask_for { FOR_TURN, FOR_PACE, FOR_AUDIT, FOR_HISTORY };

struct ask {
    uint32_t client, n;
    enum ask_kind kind;
    enum ask_for why;
    bool busy;
    int64_t began_us, sent_us, due_us; /* due: when it is sent again (or given up) */
    uint32_t tries;
    uint32_t booking; /* to be cancelled or extended */
    uint32_t entry;   /* FOR_AUDIT: whose answer is to be heard again */
    uint32_t step;    /* FOR_HISTORY: which operation */
    size_t len;
    char rid[RID_BYTES_MAX + 1];
    char body[BODY_BYTES_MAX];
};

struct client {
    struct mq mq;
    struct swarm *swarm;
    uint32_t number, lane; /* lane: of its own turn, NOBODY when it thinks */
    int64_t due_us;        /* next try to connect, or end of thinking */
    int64_t up_us, served_us, spoke_us;
    uint32_t backoff_ms, plates;
    uint32_t live[LIVE_MAX], live_count;
};

struct entry {
    uint32_t client, n, lane; /* n: of its ask; lane: of its audit */
    enum ask_kind kind;
    char *rid, *body, *reply;
};

struct counts {
    uint64_t sent, unsent, repeated, answered, ok, refused, busy, unavailable, given_up, reconnects,
        twice;
};

/* What an order waits for before it is answered. */
enum wait { WAIT_NOTHING, WAIT_UP, WAIT_DRAINED, WAIT_SERVED, WAIT_AUDIT, WAIT_HISTORY };

struct swarm_options {
    uint16_t port;
    uint32_t clients, first; /* users {prefix}{first} … */
    uint64_t seed;
    int qos;
    const char *domain, *prefix, *secret, *zones, *ledger;
};

struct history;

struct swarm {
    struct swarm_options options;
    char run[8], expires[32];
    int64_t day0_s; /* the first civil midnight that is booked */
    int epoll;
    struct client *clients;
    struct ask *asks;
    uint32_t lane_top, *idle, idle_count, busy_count; /* lanes: used ever; free ones */
    uint32_t next_n, cursor;
    uint64_t random;
    bool quit;

    uint32_t active, think_ms; /* clients that take turns */
    uint32_t watched;          /* clients of whom it is asked whether they are served */
    double rate_per_s, owed;   /* paced */
    int64_t paced_us;

    FILE *ledger;
    struct entry *entries;
    uint32_t entry_count, entry_cap, *entry_of_n, n_cap;
    bool restored; /* since then answers may carry another incarnation */
    uint32_t *audit, audit_count, audit_at, audit_busy, audit_same, audit_differ;
    char differs[1200];

    enum wait wait;
    int64_t wait_until_us, mark_us;
    int64_t counted_from_us;
    struct counts counts;
    uint32_t *samples, sample_count;
    struct history *history;
};

/* ---- clients.c: connections, asks on their way ---------------------------------------------- */
int64_t swarm_now_us(void);
uint64_t swarm_random(struct swarm *swarm, uint64_t below);
int clients_open(struct swarm *swarm);
void clients_close(struct swarm *swarm);
/* Waits for sockets for at most ms, and serves them. */
void clients_turn(struct swarm *swarm, int ms);
/* What time brings: connections, repeats, turns, pace. */
void clients_tick(struct swarm *swarm);
void client_user(const struct swarm *swarm, uint32_t number, char *out, size_t cap);
uint32_t clients_up(const struct swarm *swarm);

/* A free lane for this client; NULL when all are taken. Fills rid, n, times; not yet sent. */
struct ask *ask_new(struct swarm *swarm, uint32_t client, enum ask_kind kind, enum ask_for why);
/* Sends it; false when the socket's buffer is full or the client is away. */
bool ask_send(struct swarm *swarm, struct ask *ask);
void ask_done(struct swarm *swarm, struct ask *ask);
uint32_t ask_lane(const struct swarm *swarm, const struct ask *ask);

/* ---- work.c: what is asked, what the answer means ------------------------------------------- */
struct answer {
    const char *body;
    size_t len;
    char code[24], why[24];
    uint32_t id;
};
void answer_read(const char *body, size_t len, struct answer *ret);
/* Writes the body of a booking of `units` half hours from the unit on. */
void work_book(struct swarm *swarm, struct ask *ask, const char *zone, uint32_t unit,
               uint32_t units, const char *party);
void work_cancel(struct ask *ask, const struct swarm *swarm, uint32_t booking);
void work_extend(struct ask *ask, const struct swarm *swarm, uint32_t booking, uint32_t unit);
/* The next turn of a client: books, or gives something back. NULL: no lane is free. */
struct ask *work_next(struct swarm *swarm, uint32_t client, enum ask_for why);
void work_answered(struct swarm *swarm, struct ask *ask, const struct answer *answer);
void work_given_up(struct swarm *swarm, struct ask *ask);

/* ---- ledger.c ------------------------------------------------------------------------------- */
int ledger_open(struct swarm *swarm);
void ledger_close(struct swarm *swarm);
void ledger_write(struct swarm *swarm, const struct ask *ask, const struct answer *answer);
/* Asks `count` of the ledger's rids again (0: all), drawn by the seed; or the first ones. */
void ledger_audit(struct swarm *swarm, uint32_t count, bool first);
void ledger_audit_tick(struct swarm *swarm);
/* A reply to a rid that is not under way: an answer heard again? */
void ledger_heard(struct swarm *swarm, uint32_t n, const char *rid, size_t rid_len,
                  const char *body, size_t len);

/* ---- history.c ------------------------------------------------------------------------------ */
/* words: FILE OPS CLIENTS ZONES SLOTS PREFIX PARTY PARTIES; -1 when they are not all there. */
int history_begin(struct swarm *swarm, char *words);
void history_turn(struct swarm *swarm, uint32_t client);
void history_answered(struct swarm *swarm, struct ask *ask, const struct answer *answer);
/* Each operation under way is left alone, by the toss of a coin: whether it is done stays open. */
void history_abandon(struct swarm *swarm);
bool history_over(const struct swarm *swarm);
int history_end(struct swarm *swarm);

/* ---- orders.c ------------------------------------------------------------------------------- */
void orders_take(struct swarm *swarm, char *line);
void orders_tick(struct swarm *swarm);

/* ---- check*.c ------------------------------------------------------------------------------- */
int check_main(int argc, char **argv);

#endif
