/* libtide.h - what the files of the library share; nobody else includes it.
 *
 *   caller ──send/ask──► table of requests ◄──reply── paho's receive thread
 *                          │   │  ▲                      │ (copies, links, signals; never waits)
 *                    fresh │   │  │ retry, expiry        ▼
 *                          ▼   ▼  │                 answered, messages
 *                        worker thread ◄─────────────────┘
 *                          │   └──► callbacks of the application
 *                          └──► MQTTAsync_send (own window), connect, subscribe
 *
 * One lock a client. paho calls back under a mutex of its whole process and takes that mutex in
 * each of its functions, so: **no MQTTAsync_… call while the lock is held**. All of them are made
 * by the worker (and by close, when the worker is gone).
 */
#ifndef LIBTIDE_H
#define LIBTIDE_H

#include <MQTTAsync.h>
#include <pthread.h>

#include "tide/client.h"

#define LIBTIDE_REQUESTS_MAX 4096
#define LIBTIDE_FACTS_MAX 4096
#define LIBTIDE_MESSAGES_MAX 1024
#define LIBTIDE_MESSAGES_BYTES_MAX (8u * 1024 * 1024)
#define LIBTIDE_BUCKETS 4096 /* a power of two */
#define LIBTIDE_NAME_MAX 64
#define LIBTIDE_RID_MAX 36
#define LIBTIDE_TOPIC_MAX 320
#define LIBTIDE_WINDOW_DEFAULT 1000
#define LIBTIDE_LAST_CALL_MS 5000    /* after its life a request is asked for once more */
#define LIBTIDE_INBOX_POLL_MS 300000 /* in case a hint was lost */

/*   QUEUED ──worker──► SENT ──reply──► ANSWERED ──worker──► callback, freed
 *     ▲                 │ │                │
 *     └──retry, new line┘ └──life over──►  └── busy: back to SENT                             */
enum libtide_request_state { LIBTIDE_QUEUED, LIBTIDE_SENT, LIBTIDE_ANSWERED };

struct libtide_request {
    struct libtide_request *hash_next;  /* same bucket */
    struct libtide_request *queue_next; /* fresh or answered */
    char rid[LIBTIDE_RID_MAX + 1];
    char op[LIBTIDE_NAME_MAX + 1];
    char *body; /* the same bytes each time */
    size_t body_len;
    char *reply; /* last one; NULL: none yet */
    size_t reply_len;
    tide_reply_fn *fn;
    void *arg;
    int64_t due_ms; /* elapsed: when to look at it next */
    int64_t end_ms; /* elapsed: its life is over */
    size_t heap_at; /* index + 1; 0: not in the heap */
    uint32_t sends;
    enum libtide_request_state state;
    bool sending;   /* the worker reads body without the lock */
    bool dropped;   /* ... and frees it afterwards */
    bool last_call; /* life over: asked once more for the answer that may exist */
};

struct libtide_message {
    struct libtide_message *next;
    char *payload; /* behind topic, same block */
    size_t len;
    bool retained;
    char topic[];
};

struct libtide_fact {
    struct libtide_fact *next;
    size_t len;
    char *payload;
    char topic[LIBTIDE_TOPIC_MAX];
};

enum libtide_link_state {
    LIBTIDE_DOWN,
    LIBTIDE_CONNECTING,
    LIBTIDE_CONNECTED,
    LIBTIDE_SUBSCRIBING,
    LIBTIDE_UP
};

struct tide_client {
    struct tide_client_conf conf;          /* strings are our own copies */
    char prefix[192];                      /* tide/1/{domain}/u/{user}/ */
    char will_not_exist[LIBTIDE_NAME_MAX]; /* the filter of the pulse */
    char **filters;                        /* what is subscribed, NULL-terminated */
    int filter_count;
    unsigned port;

    pthread_mutex_t lock;
    pthread_cond_t wake;    /* the worker */
    pthread_cond_t changed; /* whoever waits: state, answers */
    pthread_t worker;
    bool worker_runs, stopping;

    /* link.c */
    MQTTAsync handle;
    enum libtide_link_state link;
    bool lost;       /* to be torn down by the worker before it connects anew */
    bool told_up;    /* what on_state heard last */
    bool denied;     /* the last attempt ended so */
    bool taken_over; /* another client of this user came */
    int64_t connect_due_ms, up_since_ms, pulse_due_ms, heard_ms;
    uint32_t backoff_ms;
    uint32_t in_flight, window;
    char trouble[200];

    /* request.c */
    struct libtide_request *bucket[LIBTIDE_BUCKETS];
    struct libtide_request *heap[LIBTIDE_REQUESTS_MAX];
    size_t heap_len;
    uint32_t request_count;
    struct libtide_request *fresh, **fresh_tail, *answered, **answered_tail;
    struct libtide_fact *facts, **facts_tail;
    uint32_t fact_count;

    /* messages on their way to on_message */
    struct libtide_message *messages, **messages_tail;
    uint32_t message_count;
    size_t message_bytes;

    /* inbox.c */
    bool inbox_wanted, inbox_asking;
    int64_t inbox_due_ms;

    struct tide_client_stats stats;
};

/* text.c: elapsed milliseconds (CLOCK_BOOTTIME) and real ones (the wall clock). */
int64_t libtide_elapsed_ms(void);
int64_t libtide_real_ms(void);
/* RFC 3339 in UTC with milliseconds; out holds at least 32. */
void libtide_time(char *out, size_t cap, int64_t real_ms);
bool libtide_name_ok(const char *name); /* 1..64 bytes, nothing that a topic could not hold */
bool libtide_rid_ok(const char *rid);
/* {"rid":…,"expires":…, fields}. malloc'ed; NULL: no memory, or fields are no object or hold rid or
 * expires (then *ret_usage is true). */
char *libtide_body(const char *fields, const char *rid, int64_t expires_ms, size_t *ret_len,
                   bool *ret_usage);
/* Copies "code" of a reply; "" when it is none. Also the incarnation, 0 when there is none. */
void libtide_code(const char *json, size_t len, char *out, size_t cap, uint32_t *ret_incarnation);

/* socket.c: sets TCP_NODELAY on this process's sockets to that port; how many there were. */
int libtide_nodelay(unsigned port);

/* request.c; the lock is held in all of these. */
void libtide_requests_init(struct tide_client *client);
/* Takes ownership of nothing. 0 or an error. */
int libtide_request_add(struct tide_client *client, const char *op, const char *fields,
                        const char *rid, uint32_t life_ms, tide_reply_fn *fn, void *arg);
struct libtide_request *libtide_request_find(struct tide_client *client, const char *rid,
                                             size_t len);
/* Takes it out of everything; frees it, or leaves that to the worker which is sending it. */
void libtide_request_drop(struct tide_client *client, struct libtide_request *request);
/* A reply came: keeps a copy and hands it to the worker. */
void libtide_request_reply(struct tide_client *client, const char *rid, size_t rid_len,
                           const char *json, size_t len);
void libtide_requests_resend(struct tide_client *client); /* all: there is a new line */
/* On the worker; the lock is let go around callbacks and sends. True when something was done. */
bool libtide_requests_turn(struct tide_client *client);
int64_t libtide_requests_due(const struct tide_client *client);
void libtide_requests_clear(struct tide_client *client); /* fn gets TIMEOUT */

/* link.c */
int libtide_link_init(struct tide_client *client);
bool libtide_link_turn(struct tide_client *client); /* on the worker, lock held, let go inside */
int64_t libtide_link_due(const struct tide_client *client);
void libtide_link_done(struct tide_client *client); /* without the lock, the worker being gone */
/* On the worker, without the lock, in_flight already counted. 0 or -1. */
int libtide_link_send(struct tide_client *client, const char *topic, const char *payload,
                      size_t len, int qos);

/* inbox.c; lock held. */
void libtide_inbox_hint(struct tide_client *client);
bool libtide_inbox_turn(struct tide_client *client);
int64_t libtide_inbox_due(const struct tide_client *client);

#endif
