/* mqlink.c - the connection over paho's MQTTAsync: see mqlink.h.
 *
 * What paho 1.3.12 does, and what follows from it here:
 *  - a PUBACK goes out whatever messageArrived returns: copy, return 1 always; our reply, not the
 *    PUBACK, says that something is durable;
 *  - callbacks run under its one mutex, which sends need too: nothing here waits in a callback;
 *  - it does not subscribe again after a reconnect: subscribe after every CONNACK;
 *  - past the broker's Receive Maximum its sender stalls: the outbox stays below;
 *  - its send thread may miss a wake-up (it looks at its queue, then waits, and a signal between is
 *    lost), and its receive thread sleeps 100 ms after a quiet second: any small message wakes
 *    both, hence heartbeat and nudge;
 *  - MQTTAsync_destroy sleeps: never on the loop.
 */
#include "daemon/net/mqlink.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/net/nodelay.h"

#define SUBSCRIPTIONS_MAX 40 /* two a domain, and the heartbeat */
#define TICKETS 8
#define KEEP_ALIVE_S 10
#define CONNECT_TIMEOUT_S 5
#define STUCK_MS 15000 /* paho should have called back long ago */
#define SUBACK_MS 5000
#define RETRY_MS_MIN 50
#define RETRY_MS_MAX 2000

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_SUBSCRIBING, LINK_UP };

/* What a send carries as its context. A connection's sends are all settled before the next one
 * begins, so a few of these suffice. */
struct ticket {
    struct mqlink *link;
    _Atomic uint32_t number;
};

struct mqlink {
    struct mqlink_hooks hooks;
    MQTTAsync client;
    char *uri, *user, *secret, *ca_file, *will_topic, *will_body;
    char *topics[SUBSCRIPTIONS_MAX]; /* the heartbeat's is the last */
    int topic_count;
    bool has_heartbeat;
    char host[256];
    uint16_t port;
    struct ticket tickets[TICKETS];

    pthread_mutex_t lock; /* for what follows; never held while calling paho or a hook */
    pthread_cond_t changed;
    enum link_state state;
    bool disconnected; /* our DISCONNECT went out */
    int64_t since_ms, next_try_ms;
    unsigned retry_ms;
    uint32_t send_max;
    struct mqlink_stats stats;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void set_state(struct mqlink *link, enum link_state state)
{
    link->state = state;
    link->since_ms = now_ms();
}

/* Down; when the next try is depends on how often it went wrong. The lock is held. */
static void fall(struct mqlink *link)
{
    set_state(link, LINK_DOWN);
    link->next_try_ms = link->since_ms + link->retry_ms;
    link->retry_ms = link->retry_ms * 2 > RETRY_MS_MAX ? RETRY_MS_MAX : link->retry_ms * 2;
}

/* ---- on paho's threads ----------------------------------------------------------------------- */

static void on_lost(void *context, char *cause)
{
    struct mqlink *link = context;
    (void)cause;
    pthread_mutex_lock(&link->lock);
    fall(link);
    pthread_mutex_unlock(&link->lock);
    link->hooks.down(link->hooks.arg);
}

static int on_arrived(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
    struct mqlink *link = context;
    size_t len = strlen(topic);
    if (topic_len == 0 || (size_t)topic_len == len) /* else a NUL stands in it: none of ours */
        link->hooks.arrived(link->hooks.arg, topic, len, message->payload,
                            message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
                            message->qos);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_send_done(void *context)
{
    struct ticket *ticket = context;
    ticket->link->hooks.settled(ticket->link->hooks.arg, ticket->number);
}

static void on_sent(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    on_send_done(context);
}

static void on_not_sent(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    on_send_done(context);
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
    struct mqlink *link = context;
    int refused = 0;
    if (link->topic_count == 1)
        refused = data->reasonCode >= 0x80 ? (int)data->reasonCode : 0;
    for (int i = 0; link->topic_count > 1 && i < data->alt.sub.reasonCodeCount; i++)
        if (data->alt.sub.reasonCodes[i] >= 0x80)
            refused = (int)data->alt.sub.reasonCodes[i];
    pthread_mutex_lock(&link->lock);
    link->stats.refused_code = refused;
    if (refused == 0) {
        set_state(link, LINK_UP);
        link->retry_ms = RETRY_MS_MIN;
    }
    uint32_t send_max = link->send_max;
    pthread_mutex_unlock(&link->lock);
    if (refused == 0) /* else step gives up the connection after a while and tries again */
        link->hooks.up(link->hooks.arg, send_max);
}

static void on_not_subscribed(void *context, MQTTAsync_failureData5 *data)
{
    struct mqlink *link = context;
    pthread_mutex_lock(&link->lock);
    link->stats.refused_code = (int)data->reasonCode;
    pthread_mutex_unlock(&link->lock);
}

static void subscribe(struct mqlink *link)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    MQTTSubscribe_options wishes[SUBSCRIPTIONS_MAX];
    int qos[SUBSCRIPTIONS_MAX];
    for (int i = 0; i < link->topic_count; i++) {
        MQTTSubscribe_options wish = MQTTSubscribe_options_initializer;
        wish.retainHandling = 2; /* a request that somebody retained is not one */
        wishes[i] = wish;
        qos[i] = link->has_heartbeat && i == link->topic_count - 1 ? 0 : 1;
    }
    options.subscribeOptions = wishes[0];
    options.subscribeOptionsList = wishes;
    options.subscribeOptionsCount = link->topic_count;
    options.onSuccess5 = on_subscribed;
    options.onFailure5 = on_not_subscribed;
    options.context = link;
    MQTTAsync_subscribeMany(link->client, link->topic_count, link->topics, qos, &options);
}

static void on_connected(void *context, MQTTAsync_successData5 *data)
{
    struct mqlink *link = context;
    int limit =
        MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
    bool limited = MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
    int sockets = nodelay_set(link->host, link->port);
    pthread_mutex_lock(&link->lock);
    set_state(link, LINK_SUBSCRIBING);
    /* A little below, so that paho never sees its own limit (26 messages a second there). */
    link->send_max = !limited || limit <= 0 ? 0 : (uint32_t)(limit > 8 ? limit - 4 : 1);
    link->stats.nodelay_set = sockets > 0;
    pthread_mutex_unlock(&link->lock);
    subscribe(link);
}

static void on_not_connected(void *context, MQTTAsync_failureData5 *data)
{
    struct mqlink *link = context;
    pthread_mutex_lock(&link->lock);
    link->stats.refused_code = data->code > 0 ? data->code : (int)data->reasonCode;
    fall(link);
    pthread_mutex_unlock(&link->lock);
}

static void on_disconnected(void *context, MQTTAsync_successData5 *data)
{
    struct mqlink *link = context;
    (void)data;
    pthread_mutex_lock(&link->lock);
    link->disconnected = true;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

/* ---- on the outbox thread -------------------------------------------------------------------- */

static void try_connect(struct mqlink *link)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    options.cleanstart = 1;
    options.keepAliveInterval = KEEP_ALIVE_S;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.username = link->user;
    options.password = link->secret;
    options.onSuccess5 = on_connected;
    options.onFailure5 = on_not_connected;
    options.context = link;
    if (link->will_topic != NULL) {
        will.topicName = link->will_topic;
        will.message = link->will_body;
        will.retained = 1;
        will.qos = 1;
        options.will = &will;
    }
    if (strncmp(link->uri, "ssl://", 6) == 0) {
        ssl.trustStore = link->ca_file;
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;
        options.ssl = &ssl;
    }
    pthread_mutex_lock(&link->lock);
    set_state(link, LINK_CONNECTING);
    pthread_mutex_unlock(&link->lock);
    if (MQTTAsync_connect(link->client, &options) != MQTTASYNC_SUCCESS) {
        pthread_mutex_lock(&link->lock);
        if (link->state == LINK_CONNECTING)
            fall(link);
        pthread_mutex_unlock(&link->lock);
    }
}

/* Gives a connection up without waiting; paho then does not call on_lost. */
static void give_up(struct mqlink *link)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnect(link->client, &options);
    pthread_mutex_lock(&link->lock);
    fall(link);
    pthread_mutex_unlock(&link->lock);
}

void mqlink_step(struct mqlink *link)
{
    int64_t now = now_ms();
    pthread_mutex_lock(&link->lock);
    enum link_state state = link->state;
    int64_t in_state = now - link->since_ms;
    bool due = now >= link->next_try_ms;
    pthread_mutex_unlock(&link->lock);
    if (state == LINK_DOWN && due)
        try_connect(link);
    else if ((state == LINK_CONNECTING && in_state > STUCK_MS) ||
             (state == LINK_SUBSCRIBING && in_state > SUBACK_MS))
        give_up(link);
}

int mqlink_send(struct mqlink *link, const struct net_message *message, uint32_t ticket)
{
    MQTTAsync_message out = MQTTAsync_message_initializer;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    struct ticket *context = &link->tickets[ticket % TICKETS];
    context->number = ticket;
    out.payload = (void *)(uintptr_t)net_message_payload(message); /* copied by paho */
    out.payloadlen = (int)message->len;
    out.qos = message->qos;
    out.retained = message->retain;
    options.onSuccess5 = on_sent;
    options.onFailure5 = on_not_sent;
    options.context = context;
    return MQTTAsync_sendMessage(link->client, message->topic, &out, &options) == MQTTASYNC_SUCCESS
               ? 0
               : -1;
}

void mqlink_nudge(struct mqlink *link)
{
    if (!link->has_heartbeat)
        return;
    MQTTAsync_message out = MQTTAsync_message_initializer;
    MQTTAsync_sendMessage(link->client, link->topics[link->topic_count - 1], &out, NULL);
}

void mqlink_close(struct mqlink *link)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    options.timeout = 500; /* ms for what is in flight; the outbox waited for it already */
    options.onSuccess5 = on_disconnected;
    options.context = link;
    if (MQTTAsync_disconnect(link->client, &options) == MQTTASYNC_SUCCESS) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        pthread_mutex_lock(&link->lock);
        while (!link->disconnected &&
               pthread_cond_timedwait(&link->changed, &link->lock, &until) != ETIMEDOUT)
            ;
        pthread_mutex_unlock(&link->lock);
    }
    MQTTAsync_destroy(&link->client);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

/* Copies a text that may be missing. */
static int copy(char **ret, const char *text)
{
    if (text != NULL && *text != '\0' && (*ret = strdup(text)) == NULL)
        return -1;
    return 0;
}

static int copy_conf(struct mqlink *link, const struct mqtt_conf *conf)
{
    if (copy(&link->uri, conf->uri) != 0 || copy(&link->user, conf->user) != 0 ||
        copy(&link->secret, conf->secret) != 0 || copy(&link->ca_file, conf->ca_file) != 0 ||
        copy(&link->will_topic, conf->will_topic) != 0 ||
        copy(&link->will_body, conf->will_body) != 0)
        return -1;
    const char *const *topic = conf->subscriptions;
    for (; topic != NULL && *topic != NULL; topic++)
        if (link->topic_count == SUBSCRIPTIONS_MAX - 1 ||
            copy(&link->topics[link->topic_count++], *topic) != 0)
            return -1;
    link->has_heartbeat = conf->heartbeat_topic != NULL;
    if (link->has_heartbeat && copy(&link->topics[link->topic_count++], conf->heartbeat_topic) != 0)
        return -1;
    link->port = nodelay_uri(conf->uri, link->host, sizeof link->host);
    return link->port != 0 && link->topic_count > 0 ? 0 : -1;
}

/* A broker throws out who has the same client id as a newcomer, whoever that is: so ours is not to
 * be guessed. */
static int make_client_id(const struct mqlink *link, char *out, size_t cap)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    snprintf(out, cap, "%.64s-%016llx", link->user != NULL ? link->user : "tide",
             (unsigned long long)random);
    return 0;
}

static int create_client(struct mqlink *link, const struct mqtt_conf *conf)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
    char own_id[96];
    if (conf->client_id == NULL && make_client_id(link, own_id, sizeof own_id) != 0)
        return -1;
    options.maxBufferedMessages = 1 << 20; /* our window is the limit */
    if (MQTTAsync_createWithOptions(
            &link->client, link->uri, conf->client_id != NULL ? conf->client_id : own_id,
            MQTTCLIENT_PERSISTENCE_NONE, NULL, &options) != MQTTASYNC_SUCCESS)
        return -1;
    if (MQTTAsync_setCallbacks(link->client, link, on_lost, on_arrived, NULL) == MQTTASYNC_SUCCESS)
        return 0;
    MQTTAsync_destroy(&link->client);
    return -1;
}

int mqlink_new(struct mqlink **ret, const struct mqtt_conf *conf, const struct mqlink_hooks *hooks)
{
    struct mqlink *link = calloc(1, sizeof *link);
    if (link == NULL)
        return -1;
    link->hooks = *hooks;
    link->retry_ms = RETRY_MS_MIN;
    for (int i = 0; i < TICKETS; i++)
        link->tickets[i].link = link;
    pthread_mutex_init(&link->lock, NULL);
    pthread_cond_init(&link->changed, NULL);
    if (copy_conf(link, conf) != 0 || create_client(link, conf) != 0) {
        mqlink_free(link);
        return -1;
    }
    *ret = link;
    return 0;
}

struct mqlink *mqlink_free(struct mqlink *link)
{
    if (link == NULL)
        return NULL;
    for (int i = 0; i < link->topic_count; i++)
        free(link->topics[i]);
    free(link->uri);
    free(link->user);
    free(link->secret);
    free(link->ca_file);
    free(link->will_topic);
    free(link->will_body);
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free(link);
    return NULL;
}

void mqlink_stats(struct mqlink *link, struct mqlink_stats *ret)
{
    pthread_mutex_lock(&link->lock);
    *ret = link->stats;
    pthread_mutex_unlock(&link->lock);
}
