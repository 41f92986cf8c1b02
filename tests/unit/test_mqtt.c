/* The daemon's connection against a real mosquitto: nothing lost in a burst, back after the broker
 * died, a full inbox answered, its window kept, TCP_NODELAY set, gone within three seconds. */
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker_fixture.h"
#include "daemon/net/mqtt.h"
#include "tide/limits.h"

#define WAIT_MS 20000
#define SAMPLES_MAX 400

/* One side: the daemon's (takes requests, answers) or a client's. */
struct side {
    struct mqtt *mqtt;
    unsigned ups, downs, messages, turns, overflows, answers, in_a_row, in_a_row_max;
    unsigned refuse_every; /* say "not now" at each so-manieth message, once */
    bool refused_last, echo, blocked_for_good;
    uint8_t *seen; /* by number in the payload */
    unsigned seen_max, twice;
    size_t longest;
    unsigned dones;
};

static struct broker_fixture broker;
static uv_loop_t loop;
static const char *const daemon_topics[] = {"tide/1/+/u/+/req/#", NULL};
static const char *const client_topics[] = {"tide/1/home/u/c/res/#", NULL};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static void answer(struct side *side, const struct mqtt_message *message)
{
    char topic[200];
    const char *op = strrchr(message->topic, '/');
    snprintf(topic, sizeof topic, "tide/1/home/u/c/res%s", op);
    if (mqtt_publish(side->mqtt, topic, message->payload, message->len, message->qos, false) == 0)
        side->answers++;
}

static bool on_message(void *arg, const struct mqtt_message *message)
{
    struct side *side = arg;
    if (side->blocked_for_good)
        return false;
    if (side->refuse_every != 0 && !side->refused_last &&
        side->messages % side->refuse_every == side->refuse_every - 1) {
        side->refused_last = true;
        return false;
    }
    side->refused_last = false;
    side->messages++;
    if (++side->in_a_row > side->in_a_row_max)
        side->in_a_row_max = side->in_a_row;
    if (message->len > side->longest)
        side->longest = message->len;
    assert_int_equal(strlen(message->topic), message->topic_len);
    unsigned number = 0;
    if (message->len >= 4)
        memcpy(&number, message->payload, 4);
    if (side->seen != NULL && number < side->seen_max && side->seen[number]++ > 0)
        side->twice++;
    if (side->echo)
        answer(side, message);
    return true;
}

static void on_turn(void *arg)
{
    struct side *side = arg;
    side->turns++;
    side->in_a_row = 0;
}

static void on_state(void *arg, bool up)
{
    struct side *side = arg;
    if (up)
        side->ups++;
    else
        side->downs++;
    assert_int_equal(mqtt_is_up(side->mqtt), up);
}

static void on_overflow(void *arg, const struct mqtt_message *message)
{
    struct side *side = arg;
    side->overflows++;
    assert_true(message->topic_len > 0 && message->len > 0);
}

static void start_side(struct side *side, const struct mqtt_conf *more)
{
    struct mqtt_conf conf = *more;
    conf.uri = conf.uri != NULL ? conf.uri : broker.uri;
    conf.user = conf.user != NULL ? conf.user : "tided";
    conf.on_message = on_message;
    conf.on_turn = on_turn;
    conf.on_state = on_state;
    conf.on_overflow = on_overflow;
    conf.arg = side;
    assert_int_equal(mqtt_start(&side->mqtt, &loop, &conf), 0);
}

static void on_done(void *arg)
{
    struct side *side = arg;
    side->dones++;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs the loop until *what reaches at_least; the timer bounds each uv_run. */
static bool run_until(const unsigned *what, unsigned at_least, unsigned ms)
{
    static uv_timer_t tick;
    uint64_t until = now_us() + ms * 1000ull;
    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 5, 5);
    while (*what < at_least && now_us() < until)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return *what >= at_least;
}

static void run_for(unsigned ms)
{
    const unsigned never = 0;
    run_until(&never, 1, ms);
}

static void stop_sides(struct side *a, struct side *b)
{
    uint64_t began = now_us();
    mqtt_stop(a->mqtt, 1000, on_done, a);
    if (b != NULL)
        mqtt_stop(b->mqtt, 1000, on_done, b);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* nothing of it is left */
    assert_true(a->dones == 1 && (b == NULL || b->dones == 1));
    assert_in_range((now_us() - began) / 1000, 0, 3000);
}

static int begin(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    return broker_fixture_start(&broker, NULL);
}

static int end(void **state)
{
    (void)state;
    broker_fixture_stop(&broker);
    return uv_loop_close(&loop);
}

static void publish_numbers(struct side *side, unsigned count, size_t len, int qos)
{
    char topic[100], payload[256] = {0};
    for (unsigned i = 0; i < count; i++) {
        snprintf(topic, sizeof topic, "tide/1/home/u/c/req/r%u", i);
        memcpy(payload, &i, 4);
        assert_int_equal(mqtt_publish(side->mqtt, topic, payload, len, qos, false), 0);
    }
}

/* 3,000 requests at once, answered one by one, a small window on the daemon's side: all there, none
 * twice, never more under way than allowed, never more than 256 in a row; now and then the daemon
 * cannot take one and is asked again. */
static void burst(void **state)
{
    (void)state;
    struct side daemon = {.echo = true, .refuse_every = 100}, client = {0};
    client.seen = calloc(client.seen_max = 3000, 1);
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics,
                                            .heartbeat_topic = "tide/1/sys/n/beat",
                                            .window = 64});
    start_side(&client,
               &(struct mqtt_conf){.subscriptions = client_topics, .user = "c", .window = 500});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS) && run_until(&client.ups, 1, WAIT_MS));

    publish_numbers(&client, 3000, 200, 1);
    struct mqtt_stats stats;
    uint32_t most = 0;
    for (uint64_t until = now_us() + WAIT_MS * 1000; client.messages < 3000 && now_us() < until;) {
        uv_run(&loop, UV_RUN_ONCE);
        mqtt_resume(daemon.mqtt);
        mqtt_stats(daemon.mqtt, &stats);
        most = stats.in_flight > most ? stats.in_flight : most;
    }
    assert_int_equal(client.messages, 3000);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(client.seen[i], 1);
    assert_int_equal(client.twice, 0);
    mqtt_stats(daemon.mqtt, &stats);
    assert_in_range(most, 2, 64);
    assert_in_range(stats.in_flight_max, 2, 64);
    assert_int_equal(stats.window, 64);
    assert_int_equal(stats.inbox_dropped, 0);
    assert_int_equal(stats.outbox_dropped, 0);
    assert_true(daemon.in_a_row_max <= 256);
    stop_sides(&daemon, &client);
    free(client.seen);
}

/* What is in the outbox when the daemon goes is still sent. */
static void flush_at_the_end(void **state)
{
    (void)state;
    struct side daemon = {0}, client = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics});
    start_side(&client, &(struct mqtt_conf){.subscriptions = client_topics, .user = "c"});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS) && run_until(&client.ups, 1, WAIT_MS));
    for (unsigned i = 0; i < 500; i++)
        mqtt_publish(daemon.mqtt, "tide/1/home/u/c/res/x", "12345678", 8, 1, false);
    mqtt_stop(daemon.mqtt, 2000, on_done, &daemon);
    assert_true(run_until(&client.messages, 500, WAIT_MS));
    stop_sides(&client, NULL);
    assert_int_equal(daemon.dones, 1);
}

/* kill -9 and a new broker on the same port: told down, then up, and subscribed again. */
static void broker_dies(void **state)
{
    (void)state;
    struct side daemon = {.echo = true}, client = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics,
                                            .heartbeat_topic = "tide/1/sys/n/beat"});
    start_side(&client, &(struct mqtt_conf){.subscriptions = client_topics, .user = "c"});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS) && run_until(&client.ups, 1, WAIT_MS));
    publish_numbers(&client, 100, 200, 1);
    broker_fixture_kill(&broker, SIGKILL);
    assert_true(run_until(&daemon.downs, 1, WAIT_MS) && run_until(&client.downs, 1, WAIT_MS));
    assert_int_equal(mqtt_publish(daemon.mqtt, "t", "x", 1, 0, false), -1);
    run_for(700);
    assert_int_equal(daemon.ups, 1);

    uint64_t began = now_us();
    assert_int_equal(broker_fixture_run(&broker), 0);
    assert_true(run_until(&daemon.ups, 2, WAIT_MS) && run_until(&client.ups, 2, WAIT_MS));
    print_message("back %llu ms after the broker\n", (unsigned long long)(now_us() - began) / 1000);
    assert_in_range((now_us() - began) / 1000, 0, 4000);
    unsigned before = client.messages;
    publish_numbers(&client, 100, 200, 1);
    assert_true(run_until(&client.messages, before + 100, WAIT_MS));
    struct mqtt_stats stats;
    mqtt_stats(daemon.mqtt, &stats);
    assert_int_equal(stats.reconnects, 2);
    assert_true(stats.nodelay_set);
    stop_sides(&daemon, &client);
}

/* The loop is busy while the connection goes and comes back: it is told both all the same, since
 * what was retained at the broker is gone. */
static void broker_dies_unseen(void **state)
{
    (void)state;
    struct side daemon = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS));
    broker_fixture_kill(&broker, SIGKILL);
    assert_int_equal(broker_fixture_run(&broker), 0);
    struct mqtt_stats stats = {0};
    for (int i = 0; i < 500 && stats.reconnects < 2; i++) {
        broker_fixture_sleep_ms(10);
        mqtt_stats(daemon.mqtt, &stats);
    }
    assert_int_equal(stats.reconnects, 2);
    run_for(50);
    assert_int_equal(daemon.downs, 1);
    assert_int_equal(daemon.ups, 2);
    stop_sides(&daemon, NULL);
}

/* No broker at first, then one: the order of starting does not matter. */
static void broker_comes_later(void **state)
{
    (void)state;
    struct side daemon = {0};
    broker_fixture_kill(&broker, SIGKILL);
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics});
    run_for(500);
    assert_int_equal(daemon.ups, 0);
    assert_int_equal(broker_fixture_run(&broker), 0);
    assert_true(run_until(&daemon.ups, 1, WAIT_MS));
    stop_sides(&daemon, NULL);

    struct side never = {0}; /* and stops as quickly when there is none at all */
    broker_fixture_kill(&broker, SIGKILL);
    start_side(&never, &(struct mqtt_conf){.subscriptions = daemon_topics});
    run_for(100);
    stop_sides(&never, NULL);
    assert_int_equal(broker_fixture_run(&broker), 0);
}

/* The daemon takes nothing for a while: 16 wait, some are refused aloud, the rest is counted. */
static void overflow(void **state)
{
    (void)state;
    struct side daemon = {.blocked_for_good = true}, client = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics, .inbox_max = 16});
    start_side(&client, &(struct mqtt_conf){.subscriptions = client_topics, .user = "c"});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS) && run_until(&client.ups, 1, WAIT_MS));
    publish_numbers(&client, 1000, 200, 1);
    struct mqtt_stats stats = {0};
    for (uint64_t until = now_us() + WAIT_MS * 1000; stats.received < 1000 && now_us() < until;) {
        run_for(20);
        mqtt_stats(daemon.mqtt, &stats);
    }
    run_for(50);
    assert_int_equal(stats.received, 1000);
    assert_in_range(daemon.overflows, 1, stats.inbox_dropped);
    assert_in_range(stats.inbox_depth, 16, 32); /* the inbox, and what the loop had taken from it */
    assert_int_equal(stats.inbox_dropped + stats.inbox_depth, 1000);

    daemon.blocked_for_good = false; /* and goes on where it was */
    mqtt_resume(daemon.mqtt);
    assert_true(run_until(&daemon.messages, stats.inbox_depth, WAIT_MS));
    publish_numbers(&client, 10, 200, 1);
    assert_true(run_until(&daemon.messages, stats.inbox_depth + 10, WAIT_MS));
    stop_sides(&daemon, &client);
}

/* Our descriptors whose peer is the broker, and how many of them have TCP_NODELAY. */
static unsigned broker_sockets(unsigned *ret_nodelay, int fds[4])
{
    unsigned count = 0;
    *ret_nodelay = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t len = sizeof peer;
        int on = 0;
        if (getpeername(fd, (struct sockaddr *)(void *)&peer, &len) != 0 ||
            peer.sin_family != AF_INET || ntohs(peer.sin_port) != broker.port)
            continue;
        if (count < 4)
            fds[count] = fd;
        count++;
        len = sizeof on;
        if (getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on != 0)
            ++*ret_nodelay;
    }
    return count;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* One client alone, one request at a time: the case that Nagle's algorithm makes 44 ms of. */
static void alone(void **state)
{
    (void)state;
    static uint64_t us[SAMPLES_MAX];
    unsigned nodelay;
    int sockets[4];
    struct side daemon = {.echo = true}, client = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics,
                                            .heartbeat_topic = "tide/1/sys/n/beat"});
    start_side(&client, &(struct mqtt_conf){.subscriptions = client_topics, .user = "c"});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS) && run_until(&client.ups, 1, WAIT_MS));
    assert_int_equal(broker_sockets(&nodelay, sockets), 2);
    assert_int_equal(nodelay, 2);
    for (unsigned i = 0; i < SAMPLES_MAX; i++) {
        uint64_t began = now_us();
        publish_numbers(&client, 1, 200, 1);
        while (client.messages <= i)
            uv_run(&loop, UV_RUN_ONCE);
        us[i] = now_us() - began;
    }
    qsort(us, SAMPLES_MAX, sizeof *us, by_size);
    print_message("one client alone, QoS 1: p50 %llu us, p99 %llu us, most %llu us\n",
                  (unsigned long long)us[SAMPLES_MAX / 2],
                  (unsigned long long)us[SAMPLES_MAX * 99 / 100],
                  (unsigned long long)us[SAMPLES_MAX - 1]);
    assert_in_range(us[SAMPLES_MAX / 2], 1, 20000); /* not 44 ms, whatever else runs here */
    stop_sides(&daemon, &client);
}

/* The heartbeat comes back to us and not to the pump. */
static void heartbeat(void **state)
{
    (void)state;
    struct side daemon = {0};
    start_side(&daemon, &(struct mqtt_conf){.subscriptions = daemon_topics,
                                            .heartbeat_topic = "tide/1/sys/n/beat"});
    assert_true(run_until(&daemon.ups, 1, WAIT_MS));
    struct mqtt_stats before, after;
    mqtt_stats(daemon.mqtt, &before);
    run_for(1000);
    mqtt_stats(daemon.mqtt, &after);
    assert_true(after.last_heartbeat_ms > before.last_heartbeat_ms);
    assert_in_range(uv_now(&loop) - after.last_heartbeat_ms, 0, 800);
    assert_int_equal(daemon.messages, 0);
    stop_sides(&daemon, NULL);
}

/* The will is told, and kept, when the connection breaks; not when the daemon goes in order. */
static void will(void **state)
{
    (void)state;
    static const char *const sys[] = {"tide/1/sys/+", NULL};
    const struct mqtt_conf conf = {.subscriptions = daemon_topics,
                                   .will_topic = "tide/1/sys/n",
                                   .will_body = "{\"state\":\"down\"}"};
    struct side watcher = {0}, daemon = {0}, again = {0};
    int sockets[4] = {0};
    unsigned nodelay;
    start_side(&watcher, &(struct mqtt_conf){.subscriptions = sys, .user = "w"});
    assert_true(run_until(&watcher.ups, 1, WAIT_MS));
    start_side(&daemon, &conf);
    assert_true(run_until(&daemon.ups, 1, WAIT_MS));
    mqtt_stop(daemon.mqtt, 1000, on_done, &daemon);
    assert_true(run_until(&daemon.dones, 1, WAIT_MS));
    run_for(100);
    assert_int_equal(watcher.messages, 0);

    assert_int_equal(broker_sockets(&nodelay, sockets), 1);
    int watchers = sockets[0];
    start_side(&again, &conf);
    assert_true(run_until(&again.ups, 1, WAIT_MS));
    assert_int_equal(broker_sockets(&nodelay, sockets), 2);
    shutdown(sockets[0] != watchers ? sockets[0] : sockets[1], SHUT_RDWR);
    assert_true(run_until(&watcher.messages, 1, WAIT_MS));
    assert_int_equal(watcher.longest, strlen(conf.will_body));
    assert_true(run_until(&again.ups, 2, WAIT_MS)); /* and it comes back */
    assert_int_equal(broker_sockets(&nodelay, sockets), 2);
    assert_int_equal(nodelay, 2);
    stop_sides(&again, &watcher);
}

/* A message larger than any request may be arrives cut, one with a window of a default broker
 * keeps below its Receive Maximum. */
static void cautious(void **state)
{
    (void)state;
    struct broker_fixture strict;
    struct side side = {0};
    static const char *const all[] = {"tide/1/home/u/c/req/#", NULL};
    assert_int_equal(broker_fixture_start(&strict, "allow_anonymous true\n"
                                                   "max_inflight_messages 20\n"
                                                   "max_packet_size 100000\n"),
                     0);
    start_side(&side, &(struct mqtt_conf){.uri = strict.uri, .subscriptions = all, .user = "c"});
    assert_true(run_until(&side.ups, 1, WAIT_MS));
    static uint8_t large[50000];
    memset(large, 0xff, sizeof large);
    assert_int_equal(
        mqtt_publish(side.mqtt, "tide/1/home/u/c/req/x", large, sizeof large, 1, false), 0);
    assert_true(run_until(&side.messages, 1, WAIT_MS));
    assert_int_equal(side.longest, TIDE_PACKET_BYTES_MAX + 1);

    uint64_t began = now_us();
    publish_numbers(&side, 1000, 200, 1);
    assert_true(run_until(&side.messages, 1001, WAIT_MS));
    struct mqtt_stats stats;
    mqtt_stats(side.mqtt, &stats);
    assert_int_equal(stats.window, 16);
    assert_in_range(stats.in_flight_max, 1, 16);
    assert_true(now_us() - began < 10000000); /* at 26 a second it would be 38 */
    stop_sides(&side, NULL);
    broker_fixture_stop(&strict);
}

/* Who is refused keeps trying and says why; a configuration that cannot be is refused at once. */
static void refused(void **state)
{
    (void)state;
    struct broker_fixture strict;
    struct side side = {0};
    struct mqtt *none = NULL;
    assert_int_equal(broker_fixture_start(&strict, "allow_anonymous false\n"), 0);
    start_side(&side, &(struct mqtt_conf){.uri = strict.uri, .subscriptions = daemon_topics});
    run_for(300);
    struct mqtt_stats stats;
    mqtt_stats(side.mqtt, &stats);
    assert_int_equal(side.ups, 0);
    assert_true(stats.refused_code > 0);
    stop_sides(&side, NULL);
    broker_fixture_stop(&strict);

    assert_int_equal(mqtt_start(&none, &loop,
                                &(struct mqtt_conf){.uri = "tcp://nowhere",
                                                    .user = "x",
                                                    .subscriptions = daemon_topics}),
                     -1);
    assert_null(none);
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* TLS with the certificates of deploy/certs: in with our authority, out with another. */
static void tls(void **state)
{
    (void)state;
    struct broker_fixture secure;
    struct side side = {0}, stranger = {0};
    char lines[300], uri[64], ca_file[100], folder[100];
    if (access("deploy/certs/make-dev-certs.sh", X_OK) != 0) {
        print_message("deploy/certs is looked for from the root of the source\n");
        skip();
    }
    assert_int_equal(broker_fixture_prepare(&secure), 0);
    snprintf(folder, sizeof folder, "%s/tls", secure.folder);
    assert_int_equal(
        broker_fixture_command(NULL, 0, "deploy/certs/make-dev-certs.sh", folder, NULL), 0);
    FILE *file = fopen(secure.conf, "w");
    broker_fixture_own_lines(&secure, file);
    snprintf(lines, sizeof lines, "certfile %s/tls/server.crt\nkeyfile %s/tls/server.key\n",
             secure.folder, secure.folder);
    fprintf(file, "%sallow_anonymous true\nlog_type error\n", lines);
    fclose(file);
    assert_int_equal(broker_fixture_run(&secure), 0);

    snprintf(uri, sizeof uri, "ssl://localhost:%d", secure.port);
    snprintf(ca_file, sizeof ca_file, "%s/tls/ca.crt", secure.folder);
    start_side(&side,
               &(struct mqtt_conf){
                   .uri = uri, .ca_file = ca_file, .user = "c", .subscriptions = daemon_topics});
    start_side(&stranger,
               &(struct mqtt_conf){.uri = uri, .user = "d", .subscriptions = daemon_topics});
    assert_true(run_until(&side.ups, 1, WAIT_MS));
    publish_numbers(&side, 300, 200, 1);
    assert_true(run_until(&side.messages, 300, WAIT_MS));
    struct mqtt_stats stats;
    mqtt_stats(side.mqtt, &stats);
    assert_true(stats.nodelay_set);
    run_for(500);
    assert_int_equal(stranger.ups, 0); /* the system's authorities do not know ours */
    stop_sides(&side, &stranger);
    broker_fixture_stop(&secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst),
        cmocka_unit_test(flush_at_the_end),
        cmocka_unit_test(broker_dies),
        cmocka_unit_test(broker_dies_unseen),
        cmocka_unit_test(broker_comes_later),
        cmocka_unit_test(overflow),
        cmocka_unit_test(alone),
        cmocka_unit_test(heartbeat),
        cmocka_unit_test(will),
        cmocka_unit_test(cautious),
        cmocka_unit_test(refused),
        cmocka_unit_test(tls),
    };
    return cmocka_run_group_tests_name("mqtt", tests, begin, end);
}
