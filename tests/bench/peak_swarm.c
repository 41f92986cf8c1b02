/* peak_swarm.c - many clients in one process, over paho, each with a window of requests.
 *
 *     main thread                         paho's receive thread
 *     starts each lane once ──send──►     reply ─► lane: note the time, send its next
 *     (or paces: a lane a tick)           (closed loop; nothing else in between)
 *     looks for lanes that wait too long, asks again with the same rid, as real clients do
 *
 * A lane is one request under way. Its index stands in the rid, so that a reply finds it at once.
 *
 * Order of locks: paho's, then ours. paho holds its own during callbacks and takes it in a send; so
 * the main thread never sends with our lock held.
 */
#include "tests/bench/peak.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdlib.h>

#include "daemon/net/nodelay.h"

#define LANES_MAX 4096
#define SAMPLES_MAX (1u << 21)
#define REPEAT_US 3000000
#define DRAIN_US 20000000

struct client {
    struct peak_swarm *swarm;
    MQTTAsync handle;
    char user[16];
    bool up;
};

struct lane {
    unsigned client;
    uint32_t n;
    int64_t began_us, sent_us; /* when it was due; when it was sent last */
    bool busy;
};

struct peak_swarm {
    const struct peak_plan *plan;
    unsigned client_count;
    struct client *clients;
    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t changed;
    struct lane lanes[LANES_MAX];
    unsigned lane_count, busy, ups;
    unsigned idle[LANES_MAX], idle_count;
    uint32_t next_n;
    uint32_t *ids; /* by number in the plan; 0: not acknowledged */
    uint64_t reply_bytes, echo_n;

    struct peak_phase phase;
    bool is_home, refill;
    int64_t from_us, until_us; /* measured in between */
    uint64_t counted;
    uint32_t *samples;
    uint32_t sample_count;
    struct peak_result result;
};

int64_t peak_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- one request ------------------------------------------------------ */

/* What is needed to send without the lock. */
struct outgoing {
    const struct client *client;
    const char *domain;
    unsigned index;
    uint32_t n;
};

static void send_out(const struct peak_swarm *swarm, const struct outgoing *out)
{
    MQTTAsync_message message = MQTTAsync_message_initializer;
    char topic[100], rid[40], body[512];
    snprintf(rid, sizeof rid, "%u-%u", out->index, out->n);
    snprintf(topic, sizeof topic, "tide/1/%s/u/%s/req/parking.book", out->domain,
             out->client->user);
    message.payloadlen = (int)peak_request(swarm->plan, out->n, rid, body, sizeof body);
    message.payload = body;
    message.qos = 1;
    MQTTAsync_sendMessage(out->client->handle, topic, &message, NULL);
}

static struct outgoing outgoing_of(struct peak_swarm *swarm, unsigned index)
{
    struct lane *lane = &swarm->lanes[index];
    lane->sent_us = peak_now_us();
    return (struct outgoing){.client = &swarm->clients[lane->client],
                             .domain = swarm->phase.domain,
                             .index = index,
                             .n = lane->n};
}

/* The next booking of the plan on this lane. The lock is held. False: the plan has no more. */
static bool claim(struct peak_swarm *swarm, unsigned index, int64_t due_us, struct outgoing *ret)
{
    struct lane *lane = &swarm->lanes[index];
    uint32_t room = peak_plan_room(swarm->plan);
    if (swarm->is_home && swarm->next_n >= room)
        return false;
    /* The echo does not mind which; its replies just have to be told apart. */
    lane->n = swarm->is_home ? swarm->next_n++ : (uint32_t)(swarm->echo_n++ % room);
    lane->began_us = due_us;
    lane->busy = true;
    swarm->busy++;
    *ret = outgoing_of(swarm, index);
    return true;
}

/* Takes an idle lane and sends on it; false when there is none, or nothing to send. The lock is not
 * held. */
static bool start_one(struct peak_swarm *swarm, int64_t due_us)
{
    struct outgoing out;
    pthread_mutex_lock(&swarm->lock);
    bool started =
        swarm->idle_count > 0 && claim(swarm, swarm->idle[swarm->idle_count - 1], due_us, &out);
    swarm->idle_count -= started;
    pthread_mutex_unlock(&swarm->lock);
    if (started)
        send_out(swarm, &out);
    return started;
}

static void note(struct peak_swarm *swarm, struct lane *lane, const char *reply, size_t len)
{
    int64_t now_us = peak_now_us();
    bool ok = memmem(reply, len, "\"code\":\"ok\"", 11) != NULL;
    const char *id = memmem(reply, len, "\"id\":", 5);
    swarm->result.answered++;
    if (!ok && swarm->result.refused++ == 0)
        snprintf(swarm->result.refusal, sizeof swarm->result.refusal, "%.*s",
                 (int)(len < 190 ? len : 190), reply);
    if (ok && swarm->is_home && id != NULL) {
        swarm->ids[lane->n] = (uint32_t)strtoul(id + 5, NULL, 10);
        swarm->reply_bytes += len;
    }
    if (ok && now_us >= swarm->from_us && now_us < swarm->until_us) {
        swarm->counted++;
        if (swarm->sample_count < SAMPLES_MAX)
            swarm->samples[swarm->sample_count++] = (uint32_t)(now_us - lane->began_us);
    }
}

static int on_reply(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
    struct client *client = context;
    struct peak_swarm *swarm = client->swarm;
    const char *rid = strrchr(topic, '/');
    char *dash = NULL;
    unsigned long index = rid != NULL ? strtoul(rid + 1, &dash, 10) : LANES_MAX;
    unsigned long n = dash != NULL && *dash == '-' ? strtoul(dash + 1, NULL, 10) : UINT32_MAX;
    (void)topic_len;
    pthread_mutex_lock(&swarm->lock);
    struct lane *lane = index < swarm->lane_count ? &swarm->lanes[index] : NULL;
    if (lane != NULL && lane->busy && lane->n == n) { /* else an answer that came twice */
        note(swarm, lane, message->payload, (size_t)message->payloadlen);
        lane->busy = false;
        swarm->busy--;
        struct outgoing out;
        if (swarm->refill && claim(swarm, (unsigned)index, peak_now_us(), &out))
            send_out(swarm, &out);
        else
            swarm->idle[swarm->idle_count++] = (unsigned)index;
        if (swarm->busy == 0)
            pthread_cond_broadcast(&swarm->changed);
    }
    pthread_mutex_unlock(&swarm->lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- connecting ------------------------------------------------------ */

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
    struct client *client = context;
    (void)data;
    pthread_mutex_lock(&client->swarm->lock);
    client->swarm->ups += !client->up;
    client->up = true;
    pthread_cond_broadcast(&client->swarm->changed);
    pthread_mutex_unlock(&client->swarm->lock);
}

static void on_connected(void *context, MQTTAsync_successData5 *data)
{
    struct client *client = context;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    char topic[64];
    (void)data;
    snprintf(topic, sizeof topic, "tide/1/+/u/%s/res/#", client->user);
    options.onSuccess5 = on_subscribed;
    options.context = client;
    MQTTAsync_subscribe(client->handle, topic, 1, &options);
}

static int connect_one(struct client *client, const char *uri, const char *secret)
{
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
    create.maxBufferedMessages = 1 << 20;
    options.cleanstart = 1;
    options.username = client->user;
    options.password = secret;
    options.onSuccess5 = on_connected;
    options.context = client;
    return MQTTAsync_createWithOptions(&client->handle, uri, client->user,
                                       MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                       &create) == MQTTASYNC_SUCCESS &&
                   MQTTAsync_setCallbacks(client->handle, client, NULL, on_reply, NULL) ==
                       MQTTASYNC_SUCCESS &&
                   MQTTAsync_connect(client->handle, &options) == MQTTASYNC_SUCCESS
               ? 0
               : -1;
}

/* Waits with the lock held until busy or ups is as wished, or for so long. */
static bool await(struct peak_swarm *swarm, const unsigned *what, unsigned wished, int64_t us)
{
    int64_t until = peak_now_us() + us;
    while (*what != wished && peak_now_us() < until) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 50000000;
        if (soon.tv_nsec >= 1000000000) {
            soon.tv_nsec -= 1000000000;
            soon.tv_sec++;
        }
        pthread_cond_timedwait(&swarm->changed, &swarm->lock, &soon);
    }
    return *what == wished;
}

int peak_swarm_open(struct peak_swarm **ret, const char *uri, const char *secret, unsigned users,
                    const struct peak_plan *plan)
{
    char host[64];
    struct peak_swarm *swarm = calloc(1, sizeof *swarm);
    if (swarm == NULL)
        return -1;
    *ret = swarm;
    swarm->plan = plan;
    swarm->clients = calloc(users, sizeof *swarm->clients);
    swarm->ids = calloc(peak_plan_room(plan), sizeof *swarm->ids);
    swarm->samples = malloc(SAMPLES_MAX * sizeof *swarm->samples);
    pthread_mutex_init(&swarm->lock, NULL);
    pthread_cond_init(&swarm->changed, NULL);
    if (swarm->clients == NULL || swarm->ids == NULL || swarm->samples == NULL)
        return -1;
    for (; swarm->client_count < users; swarm->client_count++) {
        struct client *client = &swarm->clients[swarm->client_count];
        client->swarm = swarm;
        snprintf(client->user, sizeof client->user, "u%u", swarm->client_count);
        if (connect_one(client, uri, secret) != 0)
            return -1;
    }
    pthread_mutex_lock(&swarm->lock);
    bool all = await(swarm, &swarm->ups, users, 20000000);
    pthread_mutex_unlock(&swarm->lock);
    uint16_t port = nodelay_uri(uri, host, sizeof host);
    return all && nodelay_set(host, port) >= (int)users ? 0 : -1;
}

void peak_swarm_close(struct peak_swarm *swarm)
{
    if (swarm == NULL)
        return;
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    for (unsigned i = 0; i < swarm->client_count; i++)
        MQTTAsync_disconnect(swarm->clients[i].handle, &options);
    broker_fixture_sleep_ms(200);
    for (unsigned i = 0; i < swarm->client_count; i++)
        MQTTAsync_destroy(&swarm->clients[i].handle);
    free(swarm->clients);
    free(swarm->ids);
    free(swarm->samples);
    free(swarm);
}

/* ---- a phase ------------------------------------------------------ */

static void begin_phase(struct peak_swarm *swarm, const struct peak_phase *phase)
{
    swarm->phase = *phase;
    swarm->is_home = strcmp(phase->domain, "home") == 0;
    swarm->refill = phase->rate_per_s <= 0;
    swarm->lane_count = swarm->refill ? phase->clients * phase->window : LANES_MAX;
    if (swarm->lane_count > LANES_MAX)
        swarm->lane_count = LANES_MAX;
    swarm->idle_count = 0;
    for (unsigned i = swarm->lane_count; i-- > 0;) {
        swarm->lanes[i] = (struct lane){.client = i % phase->clients};
        swarm->idle[swarm->idle_count++] = i;
    }
    swarm->from_us = peak_now_us() + (int64_t)(phase->warm_up_s * 1e6);
    swarm->until_us = swarm->from_us + (int64_t)(phase->seconds * 1e6);
    swarm->counted = swarm->sample_count = 0;
    memset(&swarm->result, 0, sizeof swarm->result);
}

/* Whoever waits too long asks again; the same rid, so it is done once. */
static void repeat_late(struct peak_swarm *swarm)
{
    for (unsigned i = 0; i < swarm->lane_count; i++) {
        struct outgoing out;
        pthread_mutex_lock(&swarm->lock);
        bool late = swarm->lanes[i].busy && peak_now_us() - swarm->lanes[i].sent_us > REPEAT_US;
        if (late) {
            swarm->result.repeated++;
            out = outgoing_of(swarm, i);
        }
        pthread_mutex_unlock(&swarm->lock);
        if (late)
            send_out(swarm, &out);
    }
}

static void run_closed(struct peak_swarm *swarm)
{
    unsigned lanes = swarm->lane_count;
    while (lanes > 0 && start_one(swarm, peak_now_us()))
        lanes--;
    while (peak_now_us() < swarm->until_us) {
        broker_fixture_sleep_ms(100);
        repeat_late(swarm);
    }
    pthread_mutex_lock(&swarm->lock);
    swarm->refill = false;
    pthread_mutex_unlock(&swarm->lock);
}

/* A request each 1/rate seconds, whatever the answers do; late ones count from when they were due.
 * All lanes busy: then the next is later than due, and counts so. */
static void run_paced(struct peak_swarm *swarm)
{
    double each_us = 1e6 / swarm->phase.rate_per_s, due = (double)peak_now_us();
    int64_t looked_us = peak_now_us();
    prctl(PR_SET_TIMERSLACK, 1000);
    while (due < (double)swarm->until_us && peak_now_us() < swarm->until_us + DRAIN_US) {
        int64_t now_us = peak_now_us(), wait_us = (int64_t)due - now_us;
        if (wait_us > 0) {
            const struct timespec t = {.tv_sec = wait_us / 1000000,
                                       .tv_nsec = wait_us % 1000000 * 1000};
            nanosleep(&t, NULL);
        }
        if (start_one(swarm, (int64_t)due))
            due += each_us;
        else
            broker_fixture_sleep_ms(1);
        if (now_us - looked_us > 500000) {
            looked_us = now_us;
            repeat_late(swarm);
        }
    }
}

static bool drain(struct peak_swarm *swarm)
{
    bool drained = false;
    for (int64_t until = peak_now_us() + DRAIN_US; !drained && peak_now_us() < until;) {
        pthread_mutex_lock(&swarm->lock);
        drained = await(swarm, &swarm->busy, 0, 500000);
        pthread_mutex_unlock(&swarm->lock);
        repeat_late(swarm);
    }
    return drained;
}

static int by_size(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double at_share(const struct peak_swarm *swarm, double share)
{
    if (swarm->sample_count == 0)
        return 0;
    uint32_t at = (uint32_t)(share * (double)(swarm->sample_count - 1));
    return (double)swarm->samples[at] / 1000;
}

int peak_swarm_run(struct peak_swarm *swarm, const struct peak_phase *phase,
                   struct peak_result *ret)
{
    pthread_mutex_lock(&swarm->lock);
    begin_phase(swarm, phase);
    pthread_mutex_unlock(&swarm->lock);
    if (swarm->refill)
        run_closed(swarm);
    else
        run_paced(swarm);
    bool drained = drain(swarm);
    qsort(swarm->samples, swarm->sample_count, sizeof *swarm->samples, by_size);
    *ret = swarm->result;
    ret->per_s = (double)swarm->counted / phase->seconds;
    ret->p50_ms = at_share(swarm, 0.50);
    ret->p99_ms = at_share(swarm, 0.99);
    ret->max_ms = at_share(swarm, 1);
    return drained ? 0 : -1;
}

void peak_swarm_acked(const struct peak_swarm *swarm,
                      void (*fn)(void *arg, uint32_t n, uint32_t id), void *arg)
{
    uint32_t room = peak_plan_room(swarm->plan);
    for (uint32_t n = 0; n < swarm->next_n && n < room; n++)
        if (swarm->ids[n] != 0)
            fn(arg, n, swarm->ids[n]);
}

size_t peak_swarm_reply_bytes(const struct peak_swarm *swarm)
{
    uint64_t acked = 0;
    for (uint32_t n = 0; n < swarm->next_n && n < peak_plan_room(swarm->plan); n++)
        acked += swarm->ids[n] != 0;
    return acked > 0 ? (size_t)(swarm->reply_bytes / acked) : 400;
}
