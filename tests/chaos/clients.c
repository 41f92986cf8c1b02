/* clients.c - connections that come back, requests that are sent until they are answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/swarm.h"

#define REPEAT_MS 700 /* each time half of it more, up to the maximum: who waits does not shout */
#define REPEAT_MS_MAX 5000
#define BUSY_PAUSE_MS 150
#define PATIENCE_MS 10000 /* of who is paced: then it is called unanswered */
#define BACKOFF_MS 100
#define BACKOFF_MS_MAX 1000
#define OPENING_MS_MAX 10000
#define PING_MS 100000
#define EVENTS_MAX 512

int64_t swarm_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t swarm_random(struct swarm *swarm, uint64_t below)
{
    uint64_t z = swarm->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return below > 0 ? (z ^ z >> 31) % below : 0;
}

/* Half of it to one and a half: nobody comes in step with the others. */
static int64_t jitter_us(struct swarm *swarm, uint32_t ms)
{
    return (int64_t)ms * 500 + (int64_t)swarm_random(swarm, (uint64_t)ms * 1000 + 1);
}

void client_user(const struct swarm *swarm, uint32_t number, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s%u", swarm->options.prefix, swarm->options.first + number);
}

uint32_t clients_up(const struct swarm *swarm)
{
    uint32_t up = 0;
    for (uint32_t i = 0; i < swarm->options.clients; i++)
        up += swarm->clients[i].mq.state == MQ_UP;
    return up;
}

/* ---- asks ----------------------------------------------------------------------------------- */

uint32_t ask_lane(const struct swarm *swarm, const struct ask *ask)
{
    return (uint32_t)(ask - swarm->asks);
}

struct ask *ask_new(struct swarm *swarm, uint32_t client, enum ask_kind kind, enum ask_for why)
{
    uint32_t lane = NOBODY;
    if (swarm->idle_count > 0)
        lane = swarm->idle[--swarm->idle_count];
    else if (swarm->lane_top < LANES_MAX)
        lane = swarm->lane_top++;
    if (lane == NOBODY)
        return NULL;
    struct ask *ask = &swarm->asks[lane];
    *ask = (struct ask){.client = client,
                        .n = swarm->next_n++,
                        .kind = kind,
                        .why = why,
                        .busy = true,
                        .began_us = swarm_now_us(),
                        .entry = NOBODY};
    (void)snprintf(ask->rid, sizeof ask->rid, "%s-%u-%u", swarm->run, lane, ask->n);
    swarm->busy_count++;
    return ask;
}

void ask_done(struct swarm *swarm, struct ask *ask)
{
    uint32_t lane = ask_lane(swarm, ask);
    struct client *client = &swarm->clients[ask->client];
    ask->busy = false;
    swarm->busy_count--;
    swarm->idle[swarm->idle_count++] = lane;
    if (client->lane == lane) {
        client->lane = NOBODY;
        client->due_us = swarm_now_us() + jitter_us(swarm, swarm->think_ms);
    }
}

static const char *op_of(enum ask_kind kind)
{
    static const char *const ops[] = {"parking.book", "parking.cancel", "parking.extend", "whoami",
                                      "parking.quote"};
    return ops[kind];
}

static void watch(struct swarm *swarm, struct client *client, int how)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = client->number};
    if (mq_wants_write(&client->mq))
        event.events |= EPOLLOUT;
    if (epoll_ctl(swarm->epoll, how, client->mq.fd, &event) != 0)
        abort();
}

static void lost(struct swarm *swarm, struct client *client)
{
    swarm->counts.reconnects++;
    client->backoff_ms = client->backoff_ms == 0                   ? BACKOFF_MS
                         : client->backoff_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX
                                                                   : client->backoff_ms * 2;
    client->due_us = swarm_now_us() + jitter_us(swarm, client->backoff_ms);
}

bool ask_send(struct swarm *swarm, struct ask *ask)
{
    char topic[128], user[32];
    struct client *client = &swarm->clients[ask->client];
    client_user(swarm, ask->client, user, sizeof user);
    (void)snprintf(topic, sizeof topic, "tide/1/%s/u/%s/req/%s", swarm->options.domain, user,
                   op_of(ask->kind));
    bool waited = mq_wants_write(&client->mq);
    uint32_t wait_ms = REPEAT_MS + REPEAT_MS / 2 * ask->tries;
    if (wait_ms > REPEAT_MS_MAX)
        wait_ms = REPEAT_MS_MAX;
    ask->due_us = swarm_now_us() +
                  (ask->why == FOR_PACE ? PATIENCE_MS * (int64_t)1000 : jitter_us(swarm, wait_ms));
    if (!mq_publish(&client->mq, topic, ask->body, ask->len, swarm->options.qos))
        return false;
    swarm->counts.repeated += ask->sent_us != 0;
    ask->tries++;
    swarm->counts.sent++;
    ask->sent_us = client->spoke_us = swarm_now_us();
    if (waited)
        return true; /* the socket will say when it takes more */
    if (mq_writable(&client->mq) != 0)
        lost(swarm, client);
    else if (mq_wants_write(&client->mq))
        watch(swarm, client, EPOLL_CTL_MOD);
    return true;
}

/* ---- a message ------------------------------------------------------------------------------ */

static void on_answer(struct swarm *swarm, struct ask *ask, const struct answer *answer)
{
    struct client *client = &swarm->clients[ask->client];
    bool busy = strcmp(answer->code, "busy") == 0, away = strcmp(answer->code, "unavailable") == 0;
    swarm->counts.busy += busy;
    swarm->counts.unavailable += away;
    if ((busy || away) && ask->why != FOR_PACE) { /* binds nothing: the same rid a little later */
        ask->due_us = swarm_now_us() + jitter_us(swarm, BUSY_PAUSE_MS);
        return;
    }
    swarm->counts.answered++;
    if (busy || away) {
        work_given_up(swarm, ask);
        ask_done(swarm, ask);
        return;
    }
    int64_t now_us = swarm_now_us();
    bool ok = strcmp(answer->code, "ok") == 0;
    swarm->counts.ok += ok;
    swarm->counts.refused += !ok;
    if (ok && swarm->sample_count < SAMPLES_MAX)
        swarm->samples[swarm->sample_count++] = (uint32_t)(now_us - ask->began_us);
    if (client->served_us == 0 && ask->sent_us >= swarm->mark_us)
        client->served_us = now_us;
    if (ask->why == FOR_HISTORY)
        history_answered(swarm, ask, answer);
    else
        work_answered(swarm, ask, answer);
    ask_done(swarm, ask);
}

static void on_message(void *arg, const char *topic, size_t topic_len, const char *body, size_t len)
{
    struct client *client = arg;
    struct swarm *swarm = client->swarm;
    const char *slash = memrchr(topic, '/', topic_len);
    char rid[RID_BYTES_MAX + 1];
    size_t rid_len = slash != NULL ? topic_len - (size_t)(slash + 1 - topic) : 0;
    size_t run_len = strlen(swarm->run);
    if (rid_len <= run_len || rid_len > RID_BYTES_MAX)
        return;
    memcpy(rid, slash + 1, rid_len);
    rid[rid_len] = '\0';
    char *end = rid;
    if (memcmp(rid, swarm->run, run_len) != 0 || rid[run_len] != '-')
        return;
    unsigned long lane = strtoul(rid + run_len + 1, &end, 10), n = strtoul(end + 1, NULL, 10);
    struct ask *ask = lane < swarm->lane_top ? &swarm->asks[lane] : NULL;
    if (ask == NULL || !ask->busy || ask->n != n || ask->why == FOR_AUDIT) {
        ledger_heard(swarm, (uint32_t)n, rid, rid_len, body, len);
        return;
    }
    struct answer answer;
    answer_read(body, len, &answer);
    on_answer(swarm, ask, &answer);
}

/* ---- connections ---------------------------------------------------------------------------- */

static void connect_one(struct swarm *swarm, struct client *client)
{
    char user[32], id[48], filter[96];
    client_user(swarm, client->number, user, sizeof user);
    (void)snprintf(id, sizeof id, "%s-%s", user, swarm->run);
    (void)snprintf(filter, sizeof filter, "tide/1/%s/u/%s/res/#", swarm->options.domain, user);
    const struct mq_identity who = {
        .client_id = id, .user = user, .secret = swarm->options.secret, .filter = filter};
    client->due_us = swarm_now_us() + OPENING_MS_MAX * (int64_t)1000;
    if (mq_open(&client->mq, swarm->options.port, &who) != 0)
        lost(swarm, client);
    else
        watch(swarm, client, EPOLL_CTL_ADD);
}

static void serve(struct swarm *swarm, struct client *client, uint32_t events)
{
    bool was_up = client->mq.state == MQ_UP, wanted = mq_wants_write(&client->mq);
    if (client->mq.fd < 0)
        return;
    if (((events & EPOLLOUT) != 0 && mq_writable(&client->mq) != 0) ||
        ((events & ~(uint32_t)EPOLLOUT) != 0 &&
         mq_readable(&client->mq, on_message, client) != 0)) {
        lost(swarm, client);
        return;
    }
    if (client->mq.fd < 0)
        return;                          /* an answer to a message ended it */
    if (mq_writable(&client->mq) != 0) { /* what was to be acknowledged */
        lost(swarm, client);
        return;
    }
    if (client->mq.state == MQ_UP && !was_up) {
        client->up_us = client->spoke_us = swarm_now_us();
        client->backoff_ms = 0;
        client->due_us = client->up_us;
    }
    if (wanted != mq_wants_write(&client->mq))
        watch(swarm, client, EPOLL_CTL_MOD);
}

void clients_turn(struct swarm *swarm, int ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(swarm->epoll, events, EVENTS_MAX, ms);
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 != NOBODY)
            serve(swarm, &swarm->clients[events[i].data.u32], events[i].events);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void tick_asks(struct swarm *swarm, int64_t now_us)
{
    for (uint32_t lane = 0; lane < swarm->lane_top; lane++) {
        struct ask *ask = &swarm->asks[lane];
        if (!ask->busy)
            continue;
        const struct client *client = &swarm->clients[ask->client];
        /* Since then the connection is another. */
        bool again = ask->sent_us != 0 && ask->sent_us < client->up_us;
        if (now_us < ask->due_us && !again)
            continue;
        if (ask->why == FOR_PACE) {
            swarm->counts.given_up++;
            work_given_up(swarm, ask);
            ask_done(swarm, ask);
        } else if (client->mq.state == MQ_UP) {
            (void)ask_send(swarm, ask);
        }
    }
}

static void tick_client(struct swarm *swarm, struct client *client, int64_t now_us)
{
    if (client->mq.state == MQ_CLOSED) {
        if (now_us >= client->due_us)
            connect_one(swarm, client);
        return;
    }
    if (client->mq.state == MQ_OPENING) {
        if (now_us >= client->due_us) {
            mq_close(&client->mq);
            lost(swarm, client);
        }
        return;
    }
    if (now_us - client->spoke_us > PING_MS * (int64_t)1000) {
        client->spoke_us = now_us;
        mq_ping(&client->mq);
        watch(swarm, client, EPOLL_CTL_MOD);
    }
    if (client->lane != NOBODY || now_us < client->due_us)
        return;
    if (swarm->history != NULL)
        history_turn(swarm, client->number);
    else if (client->number < swarm->active && swarm->rate_per_s <= 0) {
        struct ask *ask = work_next(swarm, client->number, FOR_TURN);
        if (ask != NULL) {
            client->lane = ask_lane(swarm, ask);
            (void)ask_send(swarm, ask);
        }
    }
}

/* So many a second, whatever the answers do. What a full socket does not take was not offered. */
static void tick_pace(struct swarm *swarm, int64_t now_us)
{
    if (swarm->rate_per_s <= 0)
        return;
    swarm->owed += swarm->rate_per_s * (double)(now_us - swarm->paced_us) / 1e6;
    swarm->paced_us = now_us;
    unsigned due = (unsigned)swarm->owed;
    swarm->owed -= due;
    for (; due > 0; due--) {
        uint32_t client = swarm->cursor++ % swarm->active;
        struct ask *ask = work_next(swarm, client, FOR_PACE);
        if (ask == NULL || !ask_send(swarm, ask)) {
            swarm->counts.unsent++;
            if (ask != NULL) {
                work_given_up(swarm, ask);
                ask_done(swarm, ask);
            }
        }
    }
}

void clients_tick(struct swarm *swarm)
{
    int64_t now_us = swarm_now_us();
    tick_asks(swarm, now_us);
    for (uint32_t i = 0; i < swarm->options.clients; i++)
        tick_client(swarm, &swarm->clients[i], now_us);
    tick_pace(swarm, now_us);
    ledger_audit_tick(swarm);
}

int clients_open(struct swarm *swarm)
{
    swarm->clients = calloc(swarm->options.clients, sizeof *swarm->clients);
    swarm->asks = calloc(LANES_MAX, sizeof *swarm->asks);
    swarm->idle = calloc(LANES_MAX, sizeof *swarm->idle);
    swarm->samples = malloc(SAMPLES_MAX * sizeof *swarm->samples);
    swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (swarm->clients == NULL || swarm->asks == NULL || swarm->idle == NULL ||
        swarm->samples == NULL || swarm->epoll < 0)
        return -1;
    for (uint32_t i = 0; i < swarm->options.clients; i++) {
        struct client *client = &swarm->clients[i];
        *client = (struct client){.swarm = swarm, .number = i, .lane = NOBODY};
        mq_init(&client->mq);
    }
    return 0;
}

void clients_close(struct swarm *swarm)
{
    for (uint32_t i = 0; swarm->clients != NULL && i < swarm->options.clients; i++)
        mq_close(&swarm->clients[i].mq);
    if (swarm->epoll >= 0)
        (void)close(swarm->epoll);
    free(swarm->clients);
    free(swarm->asks);
    free(swarm->idle);
    free(swarm->samples);
}
