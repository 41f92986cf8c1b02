/* field.c - paho beside our loop.
 *
 *   loop ──connect, beat, publish──► paho ──callbacks (its threads, its mutex)──► flags, on_message
 *
 * Callbacks only set fields under our own small lock, which is never held while paho is called.
 * paho connects anew by itself only after a first success; so we do it always ourselves, from the
 * loop, and leave its automatic way off.
 */
#include "clients/gateway/field.h"

#include <MQTTAsync.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECONNECT_MS 1000
#define CONNECT_TIMEOUT_S 5
#define KEEPALIVE_S 10
#define NODELAY_FDS 1024

enum line { LINE_DOWN, LINE_CONNECTING, LINE_UP };

struct gw_field {
    struct gw_field_conf conf;
    MQTTAsync handle;
    char *filters[GW_FIELD_FILTERS_MAX + 1];
    int filter_count;

    pthread_mutex_t lock; /* of what follows */
    enum line line;
    struct gw_field_stats stats;
    int64_t due_ms; /* the loop's own */
};

/* ---- on paho's threads ---------------------------------------------------------------------- */
static void set_line(struct gw_field *field, enum line line)
{
    pthread_mutex_lock(&field->lock);
    bool was_up = field->line == LINE_UP;
    field->line = line;
    pthread_mutex_unlock(&field->lock);
    if (was_up != (line == LINE_UP))
        field->conf.on_state(field->conf.arg, line == LINE_UP);
}

/* Nagle makes a PUBLISH after a PUBACK wait 40 ms for the peer. paho has no option for it and does
 * not hand its socket out: we set it on every TCP connection that we have: all are MQTT. */
static int quicken_sockets(void)
{
    int set = 0, one = 1;
    for (int fd = 3; fd < NODELAY_FDS; fd++) {
        struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
            (peer.ss_family == AF_INET || peer.ss_family == AF_INET6))
            set += setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
    }
    return set;
}

/* A filter that the broker's rules refuse costs its devices, not the others. */
static void subscribed(struct gw_field *field, int refused)
{
    pthread_mutex_lock(&field->lock);
    field->stats.refused = refused;
    pthread_mutex_unlock(&field->lock);
    set_line(field, LINE_UP);
}

static void on_subscribed(void *context, MQTTAsync_successData *data)
{
    struct gw_field *field = context;
    int refused = 0;
    for (int i = 0; data != NULL && i < field->filter_count; i++)
        refused += data->alt.qosList[i] > 2;
    subscribed(field, refused);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data)
{
    struct gw_field *field = context;
    int refused = 0;
    for (int i = 0; data != NULL && i < data->alt.sub.reasonCodeCount; i++)
        refused += (int)data->alt.sub.reasonCodes[i] > 2;
    subscribed(field, refused);
}

static void failed(struct gw_field *field, int code)
{
    pthread_mutex_lock(&field->lock);
    field->stats.last_error = code;
    pthread_mutex_unlock(&field->lock);
    set_line(field, LINE_DOWN);
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
    failed(context, data != NULL ? data->code : -1);
}

static void on_failed5(void *context, MQTTAsync_failureData5 *data)
{
    failed(context, data == NULL ? -1 : data->reasonCode != 0 ? (int)data->reasonCode : data->code);
}

/* Neither a session nor paho keeps our subscriptions: they are made on each connection. */
static void subscribe(struct gw_field *field)
{
    int qos[GW_FIELD_FILTERS_MAX];
    MQTTSubscribe_options each[GW_FIELD_FILTERS_MAX];
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    for (int i = 0; i < field->filter_count; i++) {
        qos[i] = 1;
        each[i] = (MQTTSubscribe_options)MQTTSubscribe_options_initializer;
        each[i].retainHandling = 2; /* no retained messages */
    }
    options.context = field;
    if (field->conf.mqtt == 5) {
        options.onSuccess5 = on_subscribed5;
        options.onFailure5 = on_failed5;
        options.subscribeOptionsCount = field->filter_count;
        options.subscribeOptionsList = each;
    } else {
        options.onSuccess = on_subscribed;
        options.onFailure = on_failed;
    }
    if (MQTTAsync_subscribeMany(field->handle, field->filter_count, field->filters, qos,
                                &options) != MQTTASYNC_SUCCESS)
        failed(field, -1);
}

static void on_connected(void *context, char *cause)
{
    struct gw_field *field = context;
    (void)cause;
    int nodelay = quicken_sockets();
    pthread_mutex_lock(&field->lock);
    field->stats.connects++;
    field->stats.nodelay = nodelay;
    pthread_mutex_unlock(&field->lock);
    subscribe(field);
}

static void on_lost(void *context, char *cause)
{
    (void)cause;
    set_line(context, LINE_DOWN);
}

static int on_arrived(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
    struct gw_field *field = context;
    (void)topic_len; /* 0 unless the topic holds a NUL, which no topic of ours does */
    bool beat = strcmp(topic, field->conf.beat_topic) == 0;
    pthread_mutex_lock(&field->lock);
    field->stats.received += !beat;
    field->stats.beats += beat;
    pthread_mutex_unlock(&field->lock);
    if (!beat && !message->retained && message->payloadlen >= 0)
        field->conf.on_message(field->conf.arg, topic, message->payload,
                               (size_t)message->payloadlen);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- on the loop ---------------------------------------------------------------------------- */
static int copy_filters(struct gw_field *field)
{
    for (int i = 0; field->conf.filters[i] != NULL; i++) {
        if (i + 1 == GW_FIELD_FILTERS_MAX)
            return -1;
        field->filters[field->filter_count++] = strdup(field->conf.filters[i]);
    }
    field->filters[field->filter_count++] = strdup(field->conf.beat_topic);
    for (int i = 0; i < field->filter_count; i++)
        if (field->filters[i] == NULL)
            return -1;
    return 0;
}

int gw_field_open(struct gw_field **ret, const struct gw_field_conf *conf)
{
    struct gw_field *field = calloc(1, sizeof *field);
    if (field == NULL)
        return -1;
    field->conf = *conf;
    pthread_mutex_init(&field->lock, NULL);
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.MQTTVersion = conf->mqtt == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    options.sendWhileDisconnected = 0;
    if (copy_filters(field) != 0 ||
        MQTTAsync_createWithOptions(&field->handle, conf->uri, conf->client_id,
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL, &options) != 0 ||
        MQTTAsync_setCallbacks(field->handle, field, on_lost, on_arrived, NULL) != 0 ||
        MQTTAsync_setConnected(field->handle, field, on_connected) != 0) {
        gw_field_close(field);
        return -1;
    }
    *ret = field;
    return 0;
}

static int connect_now(struct gw_field *field)
{
    MQTTAsync_disconnectOptions away = MQTTAsync_disconnectOptions_initializer;
    if (MQTTAsync_isConnected(field->handle)) { /* it would not let us subscribe: begin anew */
        (void)MQTTAsync_disconnect(field->handle, &away);
        return MQTTASYNC_FAILURE;
    }
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty packet = {.identifier = MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE,
                           .value.integer4 = GW_FIELD_PACKET_MAX + 4096};
    if (field->conf.mqtt == 5) {
        options = options5;
        options.cleanstart = 1;
        options.onFailure5 = on_failed5;
        if (MQTTProperties_add(&properties, &packet) == 0)
            options.connectProperties = &properties;
    } else {
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.cleansession = 1;
        options.onFailure = on_failed;
    }
    options.keepAliveInterval = KEEPALIVE_S;
    options.connectTimeout = CONNECT_TIMEOUT_S;
    options.username = field->conf.user;
    options.password = field->conf.secret;
    options.context = field;
    if (strncmp(field->conf.uri, "ssl://", 6) == 0) {
        tls.trustStore = field->conf.ca_file;
        tls.verify = 1;
        options.ssl = &tls;
    }
    int fault = MQTTAsync_connect(field->handle, &options);
    MQTTProperties_free(&properties);
    return fault;
}

static bool send_text(struct gw_field *field, const char *topic, const char *text,
                      uint32_t expiry_s)
{
    MQTTAsync_message message = MQTTAsync_message_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL,
                           .value.integer4 = expiry_s};
    size_t len = strlen(text);
    if (len > GW_FIELD_PACKET_MAX)
        return false;
    message.payload = (void *)(uintptr_t)text; /* paho copies it */
    message.payloadlen = (int)len;
    message.qos = 0;
    if (field->conf.mqtt == 5 && expiry_s > 0)
        (void)MQTTProperties_add(&message.properties, &expiry);
    int fault = MQTTAsync_sendMessage(field->handle, topic, &message, NULL);
    MQTTProperties_free(&message.properties);
    return fault == MQTTASYNC_SUCCESS;
}

void gw_field_tick(struct gw_field *field, int64_t now_ms)
{
    pthread_mutex_lock(&field->lock);
    enum line line = field->line;
    bool due = now_ms >= field->due_ms;
    if (due && line == LINE_DOWN)
        field->line = LINE_CONNECTING;
    pthread_mutex_unlock(&field->lock);
    if (!due)
        return;
    field->due_ms = now_ms + (line == LINE_UP ? GW_FIELD_BEAT_MS : RECONNECT_MS);
    if (line == LINE_UP)
        (void)send_text(field, field->conf.beat_topic, "", 1);
    else if (line == LINE_DOWN && connect_now(field) != MQTTASYNC_SUCCESS)
        set_line(field, LINE_DOWN);
}

int64_t gw_field_due(const struct gw_field *field)
{
    return field->due_ms;
}

bool gw_field_is_up(struct gw_field *field)
{
    pthread_mutex_lock(&field->lock);
    bool up = field->line == LINE_UP;
    pthread_mutex_unlock(&field->lock);
    return up;
}

bool gw_field_publish(struct gw_field *field, const char *topic, const char *text,
                      uint32_t expiry_s)
{
    return gw_field_is_up(field) && send_text(field, topic, text, expiry_s);
}

void gw_field_stats(struct gw_field *field, struct gw_field_stats *ret)
{
    pthread_mutex_lock(&field->lock);
    *ret = field->stats;
    pthread_mutex_unlock(&field->lock);
}

struct gw_field *gw_field_close(struct gw_field *field)
{
    if (field == NULL)
        return NULL;
    if (field->handle != NULL) {
        MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
        options.timeout = 100;
        (void)MQTTAsync_disconnect(field->handle, &options);
        MQTTAsync_destroy(&field->handle);
    }
    for (int i = 0; i < field->filter_count; i++)
        free(field->filters[i]);
    pthread_mutex_destroy(&field->lock);
    free(field);
    return NULL;
}
