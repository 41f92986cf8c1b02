/* client.h - libtide: a person's, a console's or a gateway's side of Tide, over MQTT.
 *
 * A request carries a rid of its own and a life. It is sent again (at each reconnect and every few
 * seconds) until its reply is there or its life is over; the daemon does it once at most. Notices
 * are read from the daemon's rows with inbox.read{after} at each connect, so none is missed; the
 * topic `inbox` is only the hint to look.
 *
 *     struct tide_client *c;
 *     struct tide_client_conf conf = {.uri = "tcp://127.0.0.1:1883", .domain = "home",
 *                                     .user = "app1", .secret = "..."};
 *     if (tide_client_open(&c, &conf) != 0) ...
 *     struct tide_answer a;
 *     if (tide_client_ask(c, "parking.quote", "{\"zone\":\"A\",...}", 10000, &a) == 0)
 *         puts(a.json);
 *     tide_answer_clear(&a);
 *     tide_client_close(c);
 *
 * Threads: functions may be called from any one thread at a time per client; callbacks run on a
 * thread of the library (one a client, never paho's) and must not call tide_client_ask or _close
 * (tide_client_send and _publish are fine). Signals are blocked on the library's threads.
 *
 * Every bound: 4096 requests under way, 4096 facts and 1024 messages (8 MiB) waiting; what comes
 * on top is refused or, for messages, counted in tide_client_stats.dropped.
 *
 * The idle blind spot: paho's receive thread sleeps 100 ms after each quiet second, so the first
 * answer after a pause may be up to 100 ms late (about one in eleven is). A person does not feel
 * it; a gateway does: with pulse_ms the library keeps the line awake by an empty UNSUBSCRIBE that
 * only the broker sees (a gateway has 400 unless it says otherwise).
 */
#ifndef TIDE_CLIENT_H
#define TIDE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tide_client;

enum tide_client_error {
    TIDE_CLIENT_OK = 0,
    TIDE_CLIENT_REFUSED = -1, /* answered, and the answer is a refusal: see code */
    TIDE_CLIENT_TIMEOUT = -2, /* no answer in time; the same rid may still be done: ask again */
    TIDE_CLIENT_EXPIRED = -3, /* its life is over: it will never be done */
    TIDE_CLIENT_OFFLINE = -4, /* no connection (yet) */
    TIDE_CLIENT_DENIED = -5,  /* the broker does not know this user or secret */
    TIDE_CLIENT_USAGE = -6,   /* an argument that cannot be */
    TIDE_CLIENT_NOMEM = -7
};
const char *tide_client_strerror(int error);

struct tide_answer {
    char *json; /* the whole reply, NUL-terminated; owned by the answer */
    size_t len;
    char code[24]; /* "ok", "full", ... */
    char rid[40];
};
void tide_answer_clear(struct tide_answer *answer);

/* On the library's thread. json is borrowed, NULL when nothing came. error: OK; REFUSED (`busy` and
 * `unavailable` bind nothing and are asked again, they come here only when time runs out); EXPIRED:
 * never done, as the daemon says, or because it never left this machine; TIMEOUT: it left, and
 * nothing came back even after its life: look before asking anew. */
typedef void tide_reply_fn(void *arg, int error, const char *rid, const char *code,
                           const char *json, size_t len);
typedef void tide_message_fn(void *arg, const char *topic, const char *payload, size_t len,
                             bool retained);
typedef void tide_state_fn(void *arg, bool up);

struct tide_client_conf {
    const char *uri; /* tcp:// or ssl:// */
    const char *domain;
    const char *user, *secret;
    const char *ca_file;              /* for ssl:// */
    const char *client_id;            /* NULL: the user's name */
    int mqtt_version;                 /* 3 or 5; 0: 5 */
    bool gateway;                     /* speaks under gw/ instead of u/ */
    int qos;                          /* of requests: 0 or 1; requests are repeated, so 0 is safe */
    uint32_t retry_ms;                /* 0: 3000 */
    uint32_t life_ms;                 /* of a rid; 0: 10 minutes; of gate.open: 5 s at most */
    const char *const *subscriptions; /* more topic filters, NULL-terminated, or NULL */
    tide_message_fn *on_notice;       /* each notice once, in order, as its JSON row; NULL: none */
    tide_message_fn *on_message;      /* whatever else came (retained state, gateway's down/) */
    tide_state_fn *on_state;
    uint32_t inbox_after; /* read notices after this one */
    void *arg;
    uint32_t window;      /* publishes without PUBACK; 0: 1000, or what an MQTT 5 broker grants */
    uint32_t pulse_ms;    /* see above; 0: 400 for a gateway, none for a person; 1: none */
    uint32_t keepalive_s; /* 0: 30 */
    uint32_t incarnation; /* to which inbox_after belongs; 0: not known. After a restore of the
                             daemon notices are numbered anew and delivered from the first on */
};

/* Connects in the background. 0 or an error about the arguments. */
int tide_client_open(struct tide_client **ret, const struct tide_client_conf *conf);
/* Waits until connected and subscribed. */
int tide_client_wait(struct tide_client *client, uint32_t timeout_ms);
/* Why there is no connection, in words for a log or a person ("" when there is one). Copies at most
 * cap bytes with the NUL. */
void tide_client_trouble(struct tide_client *client, char *out, size_t cap);
/* fields: a JSON object without rid and expires ("{}" for none); rid NULL: one is made. Sends and
 * keeps at it; fn is called exactly once. At most 4096 requests are under way. */
int tide_client_send(struct tide_client *client, const char *op, const char *fields,
                     const char *rid, tide_reply_fn *fn, void *arg);
/* The same, waiting. *ret must be cleared also after REFUSED. */
int tide_client_ask(struct tide_client *client, const char *op, const char *fields,
                    uint32_t timeout_ms, struct tide_answer *ret);
/* A gateway's fact: published to gw/{user}/up/{kind} at QoS 1. Not kept: the caller's spool is. */
int tide_client_publish(struct tide_client *client, const char *kind, const char *json);
/* What the library did so far. */
struct tide_client_stats {
    uint64_t sent, repeated;    /* publishes of requests; of them not the first */
    uint64_t replies, strays;   /* taken; for nobody here */
    uint64_t notices, dropped;  /* delivered; messages given up because nobody took them in time */
    uint64_t denied;            /* publishes that the broker refused (MQTT 5) */
    uint32_t connects, waiting; /* times connected; requests under way */
    uint32_t in_flight, window; /* publishes without PUBACK, and how many there may be */
    uint32_t inbox_after;       /* the last notice delivered: keep it, give it to the next _open */
    uint32_t incarnation;       /* of the daemon, as last heard; a restore raises it */
    bool nodelay;               /* Nagle is off on the socket */
};
void tide_client_stats(struct tide_client *client, struct tide_client_stats *ret);
/* A rid: 16 random bytes in base64url, 22 letters. out holds at least 23. 0 or -1. */
int tide_client_rid(char *out, size_t cap);
/* Gives up what is under way (fn gets TIMEOUT), disconnects. NULL is fine. Returns NULL. */
struct tide_client *tide_client_close(struct tide_client *client);

#endif
