/* mqtt.c - the loop's side of the connection: see mqtt.h for the drawing.
 *
 *     mqlink (paho) ──arrived──► inbox ──wake──► deliver: ≤ 256 messages, then on_turn
 *            ▲    └──up, down──► epoch ──wake──► tell_state
 *            └──────send─────── outbox ◄──────── mqtt_publish
 *
 * There is one uv_async for all of it. It coalesces, so its callback looks at everything and wakes
 * itself again when it left something. Messages that on_message would not take yet stay in `turn`
 * until mqtt_resume.
 */
#include "daemon/net/mqtt.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/net/inbox.h"
#include "daemon/net/mqlink.h"
#include "daemon/net/outbox.h"

#define TURN_MAX 256
#define OVERFLOW_TURN_MAX 256
#define HEARTBEAT_MS 400
#define WINDOW_DEFAULT 1000
#define INBOX_DEFAULT 8192
#define OUTBOX_DEFAULT 65536
#define INBOX_BYTES_EACH 4096 /* on average; a full inbox of the largest would be 128 MiB */
#define OUTBOX_BYTES_EACH 1024
#define BYTES_MIN (1 << 20)

struct mqtt {
    uv_loop_t *loop;
    uv_async_t wake;
    uv_timer_t beat;
    struct mqtt_conf conf; /* its texts: only heartbeat_topic is kept, and is ours */
    char *heartbeat_topic;
    struct mqlink *link;
    struct inbox *inbox;
    struct outbox *outbox;

    struct net_message *turn[TURN_MAX]; /* taken from the inbox, delivered from turn_at on */
    uint32_t turn_at, turn_count;
    bool blocked;

    /* Written by paho's threads. */
    _Atomic bool up, finished;
    _Atomic uint32_t epoch; /* connections so far */
    _Atomic uint32_t beats;

    /* What the loop has told and seen. */
    bool told_up, stopping;
    uint32_t told_epoch, seen_beats;
    uint64_t last_heartbeat_ms;
    int open_handles;
    void (*done)(void *arg);
    void *done_arg;
};

/* ---- hooks: on paho's threads ---------------------------------------------------------------- */

static void link_up(void *arg, uint32_t send_max)
{
    struct mqtt *mqtt = arg;
    outbox_open(mqtt->outbox, send_max);
    mqtt->epoch++;
    mqtt->up = true;
    uv_async_send(&mqtt->wake);
}

static void link_down(void *arg)
{
    struct mqtt *mqtt = arg;
    mqtt->up = false;
    outbox_shut(mqtt->outbox);
    uv_async_send(&mqtt->wake);
}

static void link_arrived(void *arg, const char *topic, size_t topic_len, const void *payload,
                         size_t len, int qos)
{
    struct mqtt *mqtt = arg;
    if (mqtt->heartbeat_topic != NULL && strcmp(topic, mqtt->heartbeat_topic) == 0)
        mqtt->beats++;
    else if (!inbox_push(mqtt->inbox, topic, topic_len, payload, len, qos))
        return; /* the loop is awake already */
    uv_async_send(&mqtt->wake);
}

static void link_settled(void *arg, uint32_t ticket)
{
    struct mqtt *mqtt = arg;
    outbox_done(mqtt->outbox, ticket);
}

/* ---- on the outbox thread -------------------------------------------------------------------- */

static int send_one(void *arg, const struct net_message *message, uint32_t ticket)
{
    struct mqtt *mqtt = arg;
    return mqlink_send(mqtt->link, message, ticket);
}

static void send_nudge(void *arg)
{
    struct mqtt *mqtt = arg;
    mqlink_nudge(mqtt->link);
}

static void step(void *arg)
{
    struct mqtt *mqtt = arg;
    mqlink_step(mqtt->link);
}

static void finish(void *arg)
{
    struct mqtt *mqtt = arg;
    mqlink_close(mqtt->link);
    mqtt->finished = true;
    uv_async_send(&mqtt->wake);
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static struct mqtt_message view(const struct net_message *message)
{
    return (struct mqtt_message){.topic = message->topic,
                                 .topic_len = message->topic_len,
                                 .payload = net_message_payload(message),
                                 .len = message->len,
                                 .qos = message->qos};
}

/* A connection that went and came back between two turns is told as both. */
static void tell_state(struct mqtt *mqtt)
{
    uint32_t epoch = mqtt->epoch;
    bool up = mqtt->up;
    if (mqtt->told_up && (!up || epoch != mqtt->told_epoch)) {
        mqtt->told_up = false;
        mqtt->conf.on_state(mqtt->conf.arg, false);
    }
    if (up && !mqtt->told_up) {
        mqtt->told_up = true;
        mqtt->told_epoch = epoch;
        mqtt->last_heartbeat_ms = uv_now(mqtt->loop);
        mqtt->conf.on_state(mqtt->conf.arg, true);
    }
}

static void refuse_overflow(struct mqtt *mqtt)
{
    struct net_message *over[OVERFLOW_TURN_MAX];
    uint32_t count = inbox_take_overflow(mqtt->inbox, over, OVERFLOW_TURN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct mqtt_message message = view(over[i]);
        if (mqtt->conf.on_overflow != NULL)
            mqtt->conf.on_overflow(mqtt->conf.arg, &message);
        free(over[i]);
    }
    if (count == OVERFLOW_TURN_MAX)
        uv_async_send(&mqtt->wake);
}

static void deliver(struct mqtt *mqtt)
{
    uint32_t delivered = 0;
    bool offered = false;
    while (!mqtt->blocked && delivered < TURN_MAX) {
        if (mqtt->turn_at == mqtt->turn_count) {
            mqtt->turn_at = 0;
            mqtt->turn_count = inbox_take(mqtt->inbox, mqtt->turn, TURN_MAX - delivered);
            if (mqtt->turn_count == 0)
                break;
        }
        struct net_message *next = mqtt->turn[mqtt->turn_at];
        struct mqtt_message message = view(next);
        offered = true;
        if (!mqtt->conf.on_message(mqtt->conf.arg, &message)) {
            mqtt->blocked = true;
            break;
        }
        mqtt->turn_at++;
        delivered++;
        free(next);
    }
    if (offered && mqtt->conf.on_turn != NULL)
        mqtt->conf.on_turn(mqtt->conf.arg);
    if (delivered == TURN_MAX)
        uv_async_send(&mqtt->wake); /* others get their turn first */
}

static void free_mqtt(struct mqtt *mqtt)
{
    while (mqtt->turn_at < mqtt->turn_count)
        free(mqtt->turn[mqtt->turn_at++]);
    mqlink_free(mqtt->link);
    inbox_free(mqtt->inbox);
    free(mqtt->heartbeat_topic);
    free(mqtt);
}

static void on_closed(uv_handle_t *handle)
{
    struct mqtt *mqtt = handle->data;
    if (--mqtt->open_handles > 0)
        return;
    void (*done)(void *) = mqtt->done;
    void *arg = mqtt->done_arg;
    free_mqtt(mqtt);
    if (done != NULL)
        done(arg);
}

static void close_handles(struct mqtt *mqtt)
{
    mqtt->open_handles = 2;
    uv_close((uv_handle_t *)&mqtt->beat, on_closed);
    uv_close((uv_handle_t *)&mqtt->wake, on_closed);
}

static void on_wake(uv_async_t *handle)
{
    struct mqtt *mqtt = handle->data;
    if (mqtt->finished) { /* nobody is left who could wake us again */
        mqtt->outbox = outbox_join(mqtt->outbox);
        close_handles(mqtt);
        return;
    }
    uint32_t beats = mqtt->beats;
    if (beats != mqtt->seen_beats) {
        mqtt->seen_beats = beats;
        mqtt->last_heartbeat_ms = uv_now(mqtt->loop);
    }
    if (mqtt->stopping)
        return; /* who listened may be gone */
    tell_state(mqtt);
    refuse_overflow(mqtt);
    deliver(mqtt);
}

static void on_beat(uv_timer_t *timer)
{
    struct mqtt *mqtt = timer->data;
    if (mqtt->told_up && mqtt->heartbeat_topic != NULL)
        mqtt_publish(mqtt, mqtt->heartbeat_topic, "", 0, 0, false);
}

void mqtt_resume(struct mqtt *mqtt)
{
    if (!mqtt->blocked)
        return;
    mqtt->blocked = false;
    if (!mqtt->finished)
        uv_async_send(&mqtt->wake);
}

bool mqtt_is_up(const struct mqtt *mqtt)
{
    return mqtt->told_up;
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t len, int qos,
                 bool retain)
{
    if (mqtt->stopping)
        return -1;
    struct net_message *message = net_message_new(topic, strlen(topic), payload, len, qos, retain);
    return message != NULL ? outbox_put(mqtt->outbox, message) : -1;
}

void mqtt_stats(const struct mqtt *mqtt, struct mqtt_stats *ret)
{
    struct inbox_stats in;
    struct outbox_stats out;
    struct mqlink_stats link;
    inbox_stats(mqtt->inbox, &in);
    outbox_stats(mqtt->outbox, &out);
    mqlink_stats(mqtt->link, &link);
    *ret = (struct mqtt_stats){.received = in.received,
                               .sent = out.sent,
                               .inbox_dropped = in.dropped,
                               .outbox_dropped = out.dropped,
                               .reconnects = mqtt->epoch,
                               .inbox_depth = in.depth + mqtt->turn_count - mqtt->turn_at,
                               .outbox_depth = out.depth,
                               .in_flight = out.under_way,
                               .in_flight_max = out.under_way_max,
                               .window = out.window,
                               .nudges = out.nudges,
                               .nodelay_set = link.nodelay_set,
                               .refused_code = link.refused_code,
                               .last_heartbeat_ms = mqtt->last_heartbeat_ms};
}

void mqtt_stop_intake(struct mqtt *mqtt)
{
    inbox_shut(mqtt->inbox);
}

void mqtt_stop(struct mqtt *mqtt, unsigned wait_ms, void (*done)(void *arg), void *arg)
{
    if (mqtt->stopping)
        return;
    mqtt->stopping = true;
    mqtt->done = done;
    mqtt->done_arg = arg;
    mqtt_stop_intake(mqtt);
    uv_timer_stop(&mqtt->beat);
    outbox_stop(mqtt->outbox, wait_ms);
}

static size_t bytes_for(uint32_t messages, size_t each)
{
    return messages * each < BYTES_MIN ? BYTES_MIN : messages * each;
}

static int start_parts(struct mqtt *mqtt, const struct mqtt_conf *conf)
{
    const struct mqlink_hooks hooks = {.up = link_up,
                                       .down = link_down,
                                       .arrived = link_arrived,
                                       .settled = link_settled,
                                       .arg = mqtt};
    uint32_t inbox_max = conf->inbox_max != 0 ? conf->inbox_max : INBOX_DEFAULT;
    uint32_t outbox_max = conf->outbox_max != 0 ? conf->outbox_max : OUTBOX_DEFAULT;
    const struct outbox_conf outbox = {.max = outbox_max,
                                       .window = conf->window != 0 ? conf->window : WINDOW_DEFAULT,
                                       .bytes_max = bytes_for(outbox_max, OUTBOX_BYTES_EACH),
                                       .send = send_one,
                                       .nudge = send_nudge,
                                       .idle = step,
                                       .end = finish,
                                       .arg = mqtt};
    if (conf->heartbeat_topic != NULL &&
        (mqtt->heartbeat_topic = strdup(conf->heartbeat_topic)) == NULL)
        return -1;
    if (mqlink_new(&mqtt->link, conf, &hooks) != 0)
        return -1;
    if (inbox_new(&mqtt->inbox, inbox_max, bytes_for(inbox_max, INBOX_BYTES_EACH)) == 0 &&
        outbox_start(&mqtt->outbox, &outbox) == 0)
        return 0;
    mqlink_close(mqtt->link); /* was never connected: does not wait */
    return -1;
}

int mqtt_start(struct mqtt **ret, uv_loop_t *loop, const struct mqtt_conf *conf)
{
    struct mqtt *mqtt = calloc(1, sizeof *mqtt);
    if (mqtt == NULL)
        return -1;
    mqtt->loop = loop;
    mqtt->conf = *conf;
    mqtt->wake.data = mqtt;
    mqtt->beat.data = mqtt;
    if (uv_async_init(loop, &mqtt->wake, on_wake) != 0) {
        free(mqtt);
        return -1;
    }
    uv_timer_init(loop, &mqtt->beat);
    if (start_parts(mqtt, conf) != 0) {
        close_handles(mqtt); /* frees it in the loop's next turn */
        return -1;
    }
    uv_timer_start(&mqtt->beat, on_beat, HEARTBEAT_MS, HEARTBEAT_MS);
    *ret = mqtt;
    return 0;
}
