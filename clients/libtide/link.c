/* link.c - the one connection: made by the worker, watched by paho's threads.
 *
 *   DOWN ──worker: MQTTAsync_connect──► CONNECTING ──CONNACK──► CONNECTED
 *    ▲ ▲                                   │                        │ worker: subscribeMany
 *    │ └───────────refused, timed out──────┘                        ▼
 *    └──────────────connection lost, subscription refused── SUBSCRIBING ──SUBACK──► UP
 *
 * paho's automatic reconnect is not used: it neither retries the first connection, nor subscribes,
 * nor tells why. The pause before the next attempt doubles from a quarter of a second to half a
 * minute, with a quarter of chance in it, so that a thousand clients do not come back together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clients/libtide/libtide.h"

#define BACKOFF_LEAST_MS 250u
#define BACKOFF_MOST_MS 30000u
#define SETTLED_MS 5000      /* a connection that lived so long was a good one */
#define DENIED_PAUSE_MS 3000 /* a user may have been added just now */
#define TAKEN_OVER_PAUSE_MS 10000
#define CONNECT_TIMEOUT_S 8

/* ---- on paho's threads: look, note, signal; nothing else ----------------------------------- */
static int64_t pause_ms(struct tide_client *client)
{
    uint32_t base = client->backoff_ms ? client->backoff_ms : BACKOFF_LEAST_MS, chance = 0;
    int64_t pause;

    (void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK);
    client->backoff_ms = base * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : base * 2;
    pause = base + (int64_t)(chance % (base / 4 + 1));
    if (client->denied && pause < DENIED_PAUSE_MS)
        pause = DENIED_PAUSE_MS;
    if (client->taken_over && pause < TAKEN_OVER_PAUSE_MS)
        pause = TAKEN_OVER_PAUSE_MS;
    return pause;
}

static void drop_facts(struct tide_client *client)
{
    while (client->facts) {
        struct libtide_fact *fact = client->facts;

        client->facts = fact->next;
        free(fact->payload);
        free(fact);
    }
    client->facts_tail = &client->facts;
    client->fact_count = 0;
}

/* Lock held. */
static void go_down(struct tide_client *client, const char *why)
{
    int64_t now = libtide_elapsed_ms();

    if (client->link == LIBTIDE_DOWN)
        return; /* told twice: the broker hung up, and the line broke */
    if (client->link == LIBTIDE_UP && now - client->up_since_ms > SETTLED_MS)
        client->backoff_ms = 0;
    if (why && *why)
        snprintf(client->trouble, sizeof client->trouble, "%s", why);
    client->link = LIBTIDE_DOWN;
    client->connect_due_ms = now + pause_ms(client);
    client->in_flight = 0;
    drop_facts(client);
    pthread_cond_signal(&client->wake);
    pthread_cond_broadcast(&client->changed);
}

static void connected(struct tide_client *client, uint32_t receive_maximum)
{
    bool nodelay = libtide_nodelay(client->port) > 0;

    pthread_mutex_lock(&client->lock);
    client->link = LIBTIDE_CONNECTED;
    client->denied = client->taken_over = false;
    client->in_flight = 0;
    client->window = client->conf.window;
    if (receive_maximum && receive_maximum < client->window)
        client->window = receive_maximum;
    client->stats.nodelay = nodelay;
    client->stats.connects++;
    pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
}

static void on_connect(void *context, MQTTAsync_successData *data)
{
    (void)data;
    connected(context, 0);
}

static void on_connect5(void *context, MQTTAsync_successData5 *data)
{
    int most = 0;

    if (data && MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
        most = (int)MQTTProperties_getNumericValue(&data->properties,
                                                   MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
    connected(context, most > 0 ? (uint32_t)most : 0);
}

/* code < 0: paho's; else the broker's. denied: 3.1.1 says 4 or 5, MQTT 5 0x86 or 0x87. */
static void connect_failed(struct tide_client *client, int code, const char *message)
{
    char why[200];
    bool denied = code == 4 || code == 5 || code == 0x86 || code == 0x87;

    if (denied)
        snprintf(why, sizeof why, "the broker refuses this user or secret");
    else if (message && *message)
        snprintf(why, sizeof why, "no connection to %s: %s", client->conf.uri, message);
    else if (code == MQTTASYNC_FAILURE)
        snprintf(why, sizeof why, "no connection to %s", client->conf.uri);
    else
        snprintf(why, sizeof why, "no connection to %s (%d)", client->conf.uri, code);
    pthread_mutex_lock(&client->lock);
    client->denied = denied;
    go_down(client, why);
    pthread_mutex_unlock(&client->lock);
}

static void on_connect_failed(void *context, MQTTAsync_failureData *data)
{
    connect_failed(context, data ? data->code : MQTTASYNC_FAILURE, data ? data->message : NULL);
}

static void on_connect_failed5(void *context, MQTTAsync_failureData5 *data)
{
    int code = MQTTASYNC_FAILURE;

    if (data)
        code = data->reasonCode >= 0x80 ? (int)data->reasonCode : data->code;
    connect_failed(context, code, data ? data->message : NULL);
}

static void subscribed(struct tide_client *client, bool granted)
{
    pthread_mutex_lock(&client->lock);
    if (client->link == LIBTIDE_SUBSCRIBING && granted) {
        client->link = LIBTIDE_UP;
        client->up_since_ms = client->heard_ms = libtide_elapsed_ms();
        client->trouble[0] = '\0';
        libtide_requests_resend(client);
        libtide_inbox_hint(client);
    } else if (client->link == LIBTIDE_SUBSCRIBING) {
        client->lost = client->denied = true;
        snprintf(client->trouble, sizeof client->trouble,
                 "the broker does not let this user subscribe to his own topics");
    }
    pthread_cond_signal(&client->wake);
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

/* paho fills the lists only when more than one filter was asked for. */
static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    struct tide_client *client = context;
    bool granted = data != NULL;

    if (data && client->filter_count == 1)
        granted = data->alt.qos <= 2;
    for (int i = 0; data && client->filter_count > 1 && i < client->filter_count; i++)
        granted = granted && data->alt.qosList[i] <= 2;
    subscribed(client, granted);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data)
{
    struct tide_client *client = context;
    bool granted = data != NULL;

    if (data && client->filter_count == 1)
        granted = data->reasonCode <= 2;
    for (int i = 0; data && client->filter_count > 1 && i < data->alt.sub.reasonCodeCount; i++)
        granted = granted && data->alt.sub.reasonCodes[i] <= 2;
    subscribed(client, granted);
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    subscribed(context, false);
}

static void on_subscribe_failed5(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    subscribed(context, false);
}

static void on_lost(void *context, char *cause)
{
    struct tide_client *client = context;

    (void)cause;
    pthread_mutex_lock(&client->lock);
    go_down(client, client->taken_over ? "another client of this user has connected"
                                       : "the connection to the broker broke");
    pthread_mutex_unlock(&client->lock);
}

/* MQTT 5 only: the broker says why it hangs up. */
static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
    struct tide_client *client = context;

    (void)properties;
    pthread_mutex_lock(&client->lock);
    client->taken_over = reason == MQTTREASONCODE_SESSION_TAKEN_OVER;
    go_down(client, client->taken_over ? "another client of this user has connected"
                                       : "the broker hung up");
    pthread_mutex_unlock(&client->lock);
}

static void published(struct tide_client *client, bool denied)
{
    pthread_mutex_lock(&client->lock);
    client->heard_ms = libtide_elapsed_ms();
    if (client->in_flight > 0)
        client->in_flight--;
    if (denied) {
        client->stats.denied++;
        snprintf(client->trouble, sizeof client->trouble,
                 "the broker does not let this user speak on this topic");
    }
    if (client->fresh || client->facts)
        pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
}

static void on_published(void *context, MQTTAsync_successData *data)
{
    (void)data;
    published(context, false);
}

static void on_published5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    published(context, false);
}

static void on_publish_failed(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    published(context, false);
}

static void on_publish_failed5(void *context, MQTTAsync_failureData5 *data)
{
    published(context, data && data->reasonCode == MQTTREASONCODE_NOT_AUTHORIZED);
}

/* Lock held. Bounded: what does not fit is counted and gone. */
static void keep_message(struct tide_client *client, const char *topic,
                         const MQTTAsync_message *message)
{
    size_t len = (size_t)message->payloadlen, topic_len = strlen(topic) + 1;
    struct libtide_message *copy = NULL;

    if (client->message_count < LIBTIDE_MESSAGES_MAX &&
        client->message_bytes + len <= LIBTIDE_MESSAGES_BYTES_MAX)
        copy = malloc(sizeof *copy + topic_len + len + 1);
    if (!copy) {
        client->stats.dropped++;
        return;
    }
    memcpy(copy->topic, topic, topic_len);
    copy->payload = copy->topic + topic_len;
    if (len)
        memcpy(copy->payload, message->payload, len);
    copy->payload[len] = '\0';
    copy->len = len;
    copy->retained = message->retained;
    copy->next = NULL;
    *client->messages_tail = copy;
    client->messages_tail = &copy->next;
    client->message_count++;
    client->message_bytes += len;
}

static int on_arrived(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
    struct tide_client *client = context;
    size_t prefix = strlen(client->prefix);
    const char *tail = strncmp(topic, client->prefix, prefix) == 0 ? topic + prefix : "";

    (void)topic_len; /* may be 0: the topic is NUL-terminated all the same */
    pthread_mutex_lock(&client->lock);
    client->heard_ms = libtide_elapsed_ms();
    if (!client->conf.gateway && strncmp(tail, "res/", 4) == 0)
        libtide_request_reply(client, tail + 4, strlen(tail + 4), message->payload,
                              (size_t)message->payloadlen);
    else if (!client->conf.gateway && strcmp(tail, "inbox") == 0 && client->conf.on_notice)
        libtide_inbox_hint(client);
    else if (client->conf.on_message)
        keep_message(client, topic, message);
    pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- on the worker, without the lock ------------------------------------------------------- */
static int ssl_error(const char *text, size_t len, void *context)
{
    struct tide_client *client = context;

    pthread_mutex_lock(&client->lock);
    snprintf(client->trouble, sizeof client->trouble, "TLS: %.*s", (int)(len < 150 ? len : 150),
             text);
    client->trouble[strcspn(client->trouble, "\n")] = '\0';
    pthread_mutex_unlock(&client->lock);
    return 1;
}

static int start_connect(struct tide_client *client)
{
    bool v5 = client->conf.mqtt_version == 5;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;

    if (v5) {
        options = options5;
        options.cleanstart = 1;
        options.onSuccess5 = on_connect5;
        options.onFailure5 = on_connect_failed5;
    } else {
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.cleansession = 1;
        options.onSuccess = on_connect;
        options.onFailure = on_connect_failed;
    }
    options.context = client;
    options.keepAliveInterval = (int)client->conf.keepalive_s;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.username = client->conf.user;
    options.password = client->conf.secret;
    if (strncmp(client->conf.uri, "ssl://", 6) == 0) {
        ssl.trustStore = client->conf.ca_file;
        ssl.verify = 1;
        ssl.ssl_error_cb = ssl_error;
        ssl.ssl_error_context = client;
        options.ssl = &ssl;
    }
    return MQTTAsync_connect(client->handle, &options);
}

static int start_subscribe(struct tide_client *client)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    int qos[64];

    for (int i = 0; i < client->filter_count; i++)
        qos[i] = 1;
    options.context = client;
    if (client->conf.mqtt_version == 5) {
        options.onSuccess5 = on_subscribed5;
        options.onFailure5 = on_subscribe_failed5;
    } else {
        options.onSuccess = on_subscribed;
        options.onFailure = on_subscribe_failed;
    }
    return MQTTAsync_subscribeMany(client->handle, client->filter_count, client->filters, qos,
                                   &options);
}

int libtide_link_send(struct tide_client *client, const char *topic, const char *payload,
                      size_t len, int qos)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    MQTTAsync_message message = MQTTAsync_message_initializer;

    options.context = client;
    if (client->conf.mqtt_version == 5) {
        options.onSuccess5 = on_published5;
        options.onFailure5 = on_publish_failed5;
    } else {
        options.onSuccess = on_published;
        options.onFailure = on_publish_failed;
    }
    message.payload = (void *)(uintptr_t)payload;
    message.payloadlen = (int)len;
    message.qos = qos;
    return MQTTAsync_sendMessage(client->handle, topic, &message, &options) == MQTTASYNC_SUCCESS
               ? 0
               : -1;
}

int libtide_link_init(struct tide_client *client)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    bool v5 = client->conf.mqtt_version == 5;

    options.MQTTVersion = v5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.maxBufferedMessages = (int)client->conf.window + 64;
    if (MQTTAsync_createWithOptions(&client->handle, client->conf.uri, client->conf.client_id,
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &options) != MQTTASYNC_SUCCESS)
        return TIDE_CLIENT_USAGE;
    if (MQTTAsync_setCallbacks(client->handle, client, on_lost, on_arrived, NULL) !=
        MQTTASYNC_SUCCESS)
        return TIDE_CLIENT_USAGE;
    if (v5)
        MQTTAsync_setDisconnected(client->handle, client, on_disconnected);
    client->link = LIBTIDE_DOWN;
    return TIDE_CLIENT_OK;
}

/* Calls paho without the lock; a refusal of the call itself counts as a lost connection. */
static void run_step(struct tide_client *client, int (*step)(struct tide_client *),
                     enum libtide_link_state meanwhile)
{
    client->link = meanwhile;
    pthread_mutex_unlock(&client->lock);
    int rc = step(client);
    pthread_mutex_lock(&client->lock);
    if (rc != MQTTASYNC_SUCCESS && client->link == meanwhile) {
        char why[120];

        snprintf(why, sizeof why, "%s", MQTTAsync_strerror(rc));
        go_down(client, why);
    }
}

static int hang_up(struct tide_client *client)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

    MQTTAsync_disconnect(client->handle, &options);
    return MQTTASYNC_SUCCESS;
}

static int pulse(struct tide_client *client)
{
    MQTTAsync_unsubscribe(client->handle, client->will_not_exist, NULL);
    return MQTTASYNC_SUCCESS;
}

bool libtide_link_turn(struct tide_client *client)
{
    int64_t now = libtide_elapsed_ms();

    if (client->lost) {
        client->lost = false;
        run_step(client, hang_up, client->link);
        go_down(client, NULL);
        return true;
    }
    if (client->link == LIBTIDE_DOWN && now >= client->connect_due_ms) {
        run_step(client, start_connect, LIBTIDE_CONNECTING);
        return true;
    }
    if (client->link == LIBTIDE_CONNECTED) {
        run_step(client, start_subscribe, LIBTIDE_SUBSCRIBING);
        return true;
    }
    if (client->link == LIBTIDE_UP && client->conf.pulse_ms > 1 && now >= client->pulse_due_ms) {
        client->pulse_due_ms = now + client->conf.pulse_ms;
        if (now - client->heard_ms >= client->conf.pulse_ms / 2)
            run_step(client, pulse, LIBTIDE_UP);
        return true;
    }
    return false;
}

int64_t libtide_link_due(const struct tide_client *client)
{
    if (client->link == LIBTIDE_DOWN)
        return client->connect_due_ms;
    if (client->link == LIBTIDE_UP && client->conf.pulse_ms > 1)
        return client->pulse_due_ms;
    return INT64_MAX;
}

void libtide_link_done(struct tide_client *client)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

    if (!client->handle)
        return;
    options.timeout = 200;
    if (MQTTAsync_isConnected(client->handle))
        MQTTAsync_disconnect(client->handle, &options);
    MQTTAsync_destroy(&client->handle);
}
