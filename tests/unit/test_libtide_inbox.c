/* Tests what libtide does beside asking: notices, retained state, a gateway's facts, the socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <netinet/tcp.h>

#include "tests/unit/libtide_peer.h"
#include "tide/client.h"

static struct peer peer;

struct heard {
    pthread_mutex_t lock;
    unsigned notices[512], notice_count;
    char topics[64][80];
    char payloads[64][80];
    bool retained[64];
    unsigned message_count, ups, downs;
    long slow_ms; /* each message takes so long */
};

static void on_notice(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    struct heard *heard = arg;
    cJSON *row = cJSON_ParseWithLength(payload, len);

    assert_string_equal(topic, "inbox");
    assert_false(retained);
    pthread_mutex_lock(&heard->lock);
    if (heard->notice_count < 512)
        heard->notices[heard->notice_count++] =
            (unsigned)cJSON_GetObjectItem(row, "notice")->valueint;
    pthread_mutex_unlock(&heard->lock);
    cJSON_Delete(row);
}

static void on_message(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    struct heard *heard = arg;

    assert_int_equal(strlen(payload), len);
    if (heard->slow_ms)
        peer_sleep_ms(heard->slow_ms);
    pthread_mutex_lock(&heard->lock);
    if (heard->message_count < 64) {
        snprintf(heard->topics[heard->message_count], 80, "%s", topic);
        snprintf(heard->payloads[heard->message_count], 80, "%s", payload);
        heard->retained[heard->message_count] = retained;
    }
    heard->message_count++;
    pthread_mutex_unlock(&heard->lock);
}

static void on_state(void *arg, bool up)
{
    struct heard *heard = arg;

    pthread_mutex_lock(&heard->lock);
    heard->ups += up;
    heard->downs += !up;
    pthread_mutex_unlock(&heard->lock);
}

static unsigned read_count(struct heard *heard, const unsigned *count)
{
    pthread_mutex_lock(&heard->lock);
    unsigned value = *count;
    pthread_mutex_unlock(&heard->lock);
    return value;
}

static void wait_count(struct heard *heard, const unsigned *count, unsigned want, long ms)
{
    for (long at = 0; at < ms && read_count(heard, count) < want; at += 10)
        peer_sleep_ms(10);
    assert_int_equal(read_count(heard, count), want);
}

static struct tide_client *open_as(const char *user, struct heard *heard, const char *const *more,
                                   uint32_t after)
{
    struct tide_client_conf conf = {.uri = peer.uri,
                                    .domain = "home",
                                    .user = user,
                                    .secret = "pw",
                                    .gateway = strcmp(user, "gw1") == 0,
                                    .qos = 1,
                                    .retry_ms = 200,
                                    .subscriptions = more,
                                    .on_message = on_message,
                                    .on_state = on_state,
                                    .inbox_after = after,
                                    .arg = heard};
    struct tide_client *client = NULL;

    if (!conf.gateway && !more)
        conf.on_notice = on_notice;
    pthread_mutex_init(&heard->lock, NULL);
    assert_int_equal(tide_client_open(&client, &conf), TIDE_CLIENT_OK);
    assert_int_equal(tide_client_wait(client, 5000), TIDE_CLIENT_OK);
    return client;
}

static int setup(void **state)
{
    (void)state;
    if (peer_prepare(&peer, "max_inflight_messages 0\nmax_queued_messages 0\n") != 0)
        return -1;
    return peer_start(&peer);
}

static int teardown(void **state)
{
    (void)state;
    peer_stop(&peer);
    return 0;
}

static void set_notices(unsigned count)
{
    pthread_mutex_lock(&peer.lock);
    peer.notices = count;
    pthread_mutex_unlock(&peer.lock);
}

static void assert_in_order(struct heard *heard, unsigned first, unsigned count)
{
    pthread_mutex_lock(&heard->lock);
    assert_int_equal(heard->notice_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(heard->notices[i], first + i);
    pthread_mutex_unlock(&heard->lock);
}

/* ---- notices ------------------------------------------------------------------------------- */
static void reads_pages_until_there_is_no_more(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client;

    (void)state;
    set_notices(3 * PEER_PAGE + 1);
    client = open_as("app1", &heard, NULL, 2);
    wait_count(&heard, &heard.notice_count, 3 * PEER_PAGE - 1, 3000);
    assert_in_order(&heard, 3, 3 * PEER_PAGE - 1);
    tide_client_close(client);
}

static void hints_lead_to_rows_each_once(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client;
    struct tide_client_stats stats;

    (void)state;
    set_notices(0);
    client = open_as("app1", &heard, NULL, 0);
    for (unsigned i = 1; i <= 60; i++) {
        set_notices(i);
        peer_publish(&peer, "tide/1/home/u/app1/inbox", "{\"is\":\"notice\",\"notice\":1}", 0);
        if (i % 7 == 0)
            peer_sleep_ms(5);
    }
    wait_count(&heard, &heard.notice_count, 60, 4000);
    assert_in_order(&heard, 1, 60);
    tide_client_stats(client, &stats);
    assert_int_equal(stats.inbox_after, 60);
    assert_int_equal(stats.notices, 60);
    assert_int_equal(read_count(&heard, &heard.message_count), 0);
    tide_client_close(client);
}

static void what_came_while_away_is_read_on_return(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client;

    (void)state;
    set_notices(2);
    client = open_as("app1", &heard, NULL, 0);
    wait_count(&heard, &heard.notice_count, 2, 3000);
    peer_broker_stop(&peer);
    set_notices(7); /* no hint of these ever comes */
    peer_sleep_ms(200);
    assert_int_equal(peer_broker_start(&peer), 0);
    wait_count(&heard, &heard.notice_count, 7, 15000);
    assert_in_order(&heard, 1, 7);
    wait_count(&heard, &heard.ups, 2, 1000);
    assert_int_equal(read_count(&heard, &heard.downs), 1);
    tide_client_close(client);
}

static void a_restore_reads_from_the_first_on(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client;
    struct tide_answer answer = {0};

    (void)state;
    set_notices(6);
    client = open_as("app1", &heard, NULL, 0);
    wait_count(&heard, &heard.notice_count, 6, 3000);
    pthread_mutex_lock(&peer.lock);
    peer.incarnation = 2;
    peer.notices = 3; /* the restored database knows three */
    pthread_mutex_unlock(&peer.lock);
    assert_int_equal(tide_client_ask(client, "echo", "{}", 3000, &answer), 0);
    tide_answer_clear(&answer);
    peer_publish(&peer, "tide/1/home/u/app1/inbox", "{}", 0);
    wait_count(&heard, &heard.notice_count, 9, 3000);
    assert_int_equal(heard.notices[6], 1);
    assert_int_equal(heard.notices[8], 3);
    tide_client_close(client);
}

/* ---- other messages ------------------------------------------------------------------------ */
static void retained_state_is_handed_on(void **state)
{
    const char *const more[] = {"tide/1/home/pub/#", "tide/1/sys/+", NULL};
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client;

    (void)state;
    peer_publish(&peer, "tide/1/home/pub/zone/A", "{\"zone\":\"A\"}", 1);
    peer_sleep_ms(200);
    client = open_as("app1", &heard, more, 0);
    wait_count(&heard, &heard.message_count, 1, 3000);
    assert_string_equal(heard.topics[0], "tide/1/home/pub/zone/A");
    assert_string_equal(heard.payloads[0], "{\"zone\":\"A\"}");
    assert_true(heard.retained[0]);
    peer_publish(&peer, "tide/1/sys/n1", "", 0);
    wait_count(&heard, &heard.message_count, 2, 3000);
    assert_false(heard.retained[1]);
    tide_client_close(client);
}

static void a_slow_reader_loses_the_newest_and_is_told(void **state)
{
    const char *const more[] = {"tide/1/home/pub/#", NULL};
    struct heard heard = {.slow_ms = 400};
    struct tide_client *client = open_as("app1", &heard, more, 0);
    struct tide_client_stats stats;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        peer_publish(&peer, "tide/1/home/pub/zone/A", "x", 0);
        if (i % 50 == 0)
            peer_sleep_ms(2);
    }
    for (int i = 0; i < 300; i++) {
        tide_client_stats(client, &stats);
        if (stats.dropped > 900)
            break;
        peer_sleep_ms(10);
    }
    assert_in_range(stats.dropped, 900, 2000 - 1024);
    tide_client_close(client);
}

static void a_gateway_speaks_and_listens_under_its_own_name(void **state)
{
    struct heard heard = {.slow_ms = 0}, watcher = {.slow_ms = 0};
    const char *const all[] = {"tide/1/home/gw/gw1/up/#", NULL};
    struct tide_client *client = open_as("gw1", &heard, NULL, 0);
    struct tide_client *other = open_as("app1", &watcher, all, 0);
    struct tide_answer answer = {0};

    (void)state;
    assert_int_equal(tide_client_publish(client, "plate", "{\"seq\":1}"), 0);
    assert_int_equal(tide_client_publish(client, "a/b", "{}"), TIDE_CLIENT_USAGE);
    assert_int_equal(tide_client_ask(client, "echo", "{}", 100, &answer), TIDE_CLIENT_USAGE);
    wait_count(&watcher, &watcher.message_count, 1, 3000);
    assert_string_equal(watcher.topics[0], "tide/1/home/gw/gw1/up/plate");
    peer_publish(&peer, "tide/1/home/gw/gw1/down/command", "{\"command\":7}", 0);
    wait_count(&heard, &heard.message_count, 1, 3000);
    assert_string_equal(heard.payloads[0], "{\"command\":7}");
    tide_client_close(other);
    tide_client_close(client);
}

/* Two of one name push each other out (mosquitto 2.0 does not say so). The pauses double, so that
 * it does not become a storm. */
static void two_of_one_name_do_not_storm(void **state)
{
    struct heard one = {.slow_ms = 0}, two = {.slow_ms = 0};
    struct tide_client *first, *second;

    (void)state;
    set_notices(0);
    first = open_as("app1", &one, NULL, 0);
    second = open_as("app1", &two, NULL, 0);
    peer_sleep_ms(4000);
    assert_in_range(read_count(&one, &one.downs) + read_count(&two, &two.downs), 1, 8);
    tide_client_close(second);
    tide_client_close(first);
}

/* ---- the socket and the threads ------------------------------------------------------------ */
static int each_socket(int (*look)(int fd))
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            count += look((int)strtol(entry->d_name, NULL, 10));
    closedir(folder);
    return count;
}

static int to_broker(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof at;

    return getpeername(fd, (struct sockaddr *)&at, &len) == 0 && at.sin_family == AF_INET &&
           ntohs(at.sin_port) == peer.port;
}

static int to_broker_without_nagle(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;

    return to_broker(fd) && getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on;
}

static void nagle_is_off_on_every_connection(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client = open_as("app1", &heard, NULL, 0);

    (void)state;
    assert_int_equal(each_socket(to_broker), 2); /* the peer's and ours */
    assert_int_equal(each_socket(to_broker_without_nagle), 2);
    tide_client_close(client);
}

static void the_threads_take_no_signals(void **state)
{
    struct heard heard = {.slow_ms = 0};
    struct tide_client *client = open_as("app1", &heard, NULL, 0);
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int open_to_term = 0;

    (void)state;
    while ((entry = readdir(folder))) {
        char path[300], line[200];
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            if (strncmp(line, "SigBlk:", 7) == 0)
                open_to_term += !(strtoull(line + 7, NULL, 16) >> (SIGTERM - 1) & 1);
        if (file)
            fclose(file);
    }
    closedir(folder);
    assert_true(open_to_term >= 1); /* this thread; the peer's, made without care, may be others */
    assert_true(open_to_term <= 4);
    tide_client_close(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_pages_until_there_is_no_more),
    cmocka_unit_test(hints_lead_to_rows_each_once),
    cmocka_unit_test(what_came_while_away_is_read_on_return),
    cmocka_unit_test(a_restore_reads_from_the_first_on),
    cmocka_unit_test(retained_state_is_handed_on),
    cmocka_unit_test(a_slow_reader_loses_the_newest_and_is_told),
    cmocka_unit_test(a_gateway_speaks_and_listens_under_its_own_name),
    cmocka_unit_test(two_of_one_name_do_not_storm),
    cmocka_unit_test(nagle_is_off_on_every_connection),
    cmocka_unit_test(the_threads_take_no_signals),
};

int main(void)
{
    return cmocka_run_group_tests(tests, setup, teardown);
}
