/* Tests libtide against a real mosquitto and a stand-in for the daemon (libtide_peer.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <netinet/tcp.h>

#include "protocol/codec.h"
#include "tests/unit/libtide_peer.h"
#include "tide/client.h"

static struct peer peer;

static struct tide_client_conf conf_of(int version)
{
    struct tide_client_conf conf = {.uri = peer.uri,
                                    .domain = "home",
                                    .user = "app1",
                                    .secret = "pw",
                                    .mqtt_version = version,
                                    .qos = 1,
                                    .retry_ms = 200};
    return conf;
}

static struct tide_client *open_one(const struct tide_client_conf *conf)
{
    struct tide_client *client = NULL;

    assert_int_equal(tide_client_open(&client, conf), TIDE_CLIENT_OK);
    assert_int_equal(tide_client_wait(client, 5000), TIDE_CLIENT_OK);
    return client;
}

static int setup(void **state)
{
    (void)state;
    if (peer_prepare(&peer, "max_inflight_messages 0\n") != 0)
        return -1;
    return peer_start(&peer);
}

static int teardown(void **state)
{
    (void)state;
    peer_stop(&peer);
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */
static void refuses_what_cannot_be(void **state)
{
    struct tide_client *client = NULL;
    struct tide_client_conf good = conf_of(5), conf;

    (void)state;
    const struct {
        const char *uri, *domain, *user;
        int version, qos;
    } rows[] = {
        {"http://127.0.0.1", "home", "app1", 5, 1},
        {"tcp://", "home", "app1", 5, 1},
        {NULL, "home", "app1", 5, 1},
        {"tcp://h", "", "app1", 5, 1},
        {"tcp://h", "ho/me", "app1", 5, 1},
        {"tcp://h", "home", "a+b", 5, 1},
        {"tcp://h", "home", "a#", 5, 1},
        {"tcp://h", "home", "app1", 4, 1},
        {"tcp://h", "home", "app1", 5, 2},
        {"tcp://h", "home", NULL, 5, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        conf = good;
        conf.uri = rows[i].uri;
        conf.domain = rows[i].domain;
        conf.user = rows[i].user;
        conf.mqtt_version = rows[i].version;
        conf.qos = rows[i].qos;
        assert_int_equal(tide_client_open(&client, &conf), TIDE_CLIENT_USAGE);
        assert_null(client);
    }
    assert_null(tide_client_close(NULL));
}

static void a_wrong_secret_is_denied_at_once(void **state)
{
    const int versions[] = {3, 5};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tide_client_conf conf = conf_of(versions[i]);
        struct tide_client *client;
        struct tide_answer answer = {0};
        char trouble[200];

        conf.secret = "wrong";
        assert_int_equal(tide_client_open(&client, &conf), TIDE_CLIENT_OK);
        assert_int_equal(tide_client_wait(client, 5000), TIDE_CLIENT_DENIED);
        tide_client_trouble(client, trouble, sizeof trouble);
        assert_non_null(strstr(trouble, "secret"));
        assert_int_equal(tide_client_ask(client, "echo", "{}", 100, &answer), TIDE_CLIENT_DENIED);
        tide_answer_clear(&answer);
        tide_client_close(client);
    }
}

static void no_broker_is_offline_and_says_so(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client;
    struct tide_answer answer = {0};
    char uri[64], trouble[200];

    (void)state;
    snprintf(uri, sizeof uri, "tcp://127.0.0.1:%d", peer_free_port());
    conf.uri = uri;
    assert_int_equal(tide_client_open(&client, &conf), TIDE_CLIENT_OK);
    assert_int_equal(tide_client_wait(client, 600), TIDE_CLIENT_OFFLINE);
    for (int i = 0; i < 500; i++) {
        tide_client_trouble(client, trouble, sizeof trouble);
        if (trouble[0])
            break;
        peer_sleep_ms(10);
    }
    assert_true(trouble[0] != '\0');
    assert_int_equal(tide_client_ask(client, "echo", "{}", 100, &answer), TIDE_CLIENT_OFFLINE);
    tide_answer_clear(&answer);
    tide_client_close(client);
}

/* ---- asking -------------------------------------------------------------------------------- */
static cJSON *ask(struct tide_client *client, const char *op, const char *fields, int want,
                  const char *code)
{
    struct tide_answer answer = {0};
    cJSON *reply = NULL;

    assert_int_equal(tide_client_ask(client, op, fields, 5000, &answer), want);
    assert_string_equal(answer.code, code);
    if (answer.json) {
        reply = cJSON_Parse(answer.json);
        assert_non_null(reply);
        assert_string_equal(cJSON_GetObjectItem(reply, "rid")->valuestring, answer.rid);
        assert_int_equal(strlen(answer.rid), 22);
    }
    tide_answer_clear(&answer);
    return reply;
}

static void asks_over_both_versions_and_qualities(void **state)
{
    const int rows[][2] = {{3, 0}, {3, 1}, {5, 0}, {5, 1}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct tide_client_conf conf = conf_of(rows[i][0]);
        struct tide_client *client;
        struct tide_client_stats stats;
        cJSON *reply, *was;

        conf.qos = rows[i][1];
        conf.retry_ms = 10000;
        client = open_one(&conf);
        reply = ask(client, "echo", " { \"zone\" : \"A\\u533a\", \"n\":[1,{}] } ", 0, "ok");
        was = cJSON_GetObjectItem(reply, "was");
        assert_string_equal(cJSON_GetObjectItem(was, "zone")->valuestring, "A\xe5\x8c\xba");
        assert_int_equal(cJSON_GetArraySize(was), 4); /* rid, expires, zone, n */
        cJSON_Delete(reply);
        cJSON_Delete(ask(client, "echo", "{}", 0, "ok"));
        cJSON_Delete(ask(client, "full", "{}", TIDE_CLIENT_REFUSED, "full"));
        tide_client_stats(client, &stats);
        assert_true(stats.nodelay);
        assert_int_equal(stats.sent, 3);
        assert_int_equal(stats.repeated, 0);
        assert_int_equal(stats.waiting, 0);
        assert_int_equal(stats.incarnation, 1);
        tide_client_close(client);
    }
}

static int64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A press of the guard is over after five seconds, whatever life other requests have. */
static void a_hand_at_an_arm_lives_for_seconds(void **state)
{
    static const struct {
        const char *op;
        uint32_t life_ms, least_ms, most_ms;
    } rows[] = {
        {"gate.open", 0, 3000, 5000},
        {"gate.open", 60000, 3000, 5000},
        {"gate.open", 4000, 2000, 4000},
        {"gate.opened", 60000, 58000, 60000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tide_client_conf conf = conf_of(5);
        struct tide_client *client;
        tide_ms expires_ms = 0;
        int64_t before_ms;
        cJSON *reply;
        const char *text;

        conf.life_ms = rows[i].life_ms;
        client = open_one(&conf);
        before_ms = real_ms();
        reply = ask(client, rows[i].op, "{\"lane\":\"G1-in\"}", 0, "ok");
        text = cJSON_GetObjectItem(cJSON_GetObjectItem(reply, "was"), "expires")->valuestring;
        assert_int_equal(tide_time_parse(text, strlen(text), &expires_ms), 0);
        assert_in_range(expires_ms - before_ms, rows[i].least_ms, rows[i].most_ms + 2000);
        assert_true(expires_ms <= real_ms() + rows[i].most_ms);
        cJSON_Delete(reply);
        tide_client_close(client);
    }
}

static void fields_must_be_an_object_of_ones_own(void **state)
{
    const char *const bad[] = {"",        "[]",          "{",
                               "{} x",    "\"a\"",       "{\"rid\":\"me\"}",
                               "{\"a\":", "{\"a\":1}{}", "{\"b\":1,\"expires\":\"x\"}"};
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client = open_one(&conf);
    struct tide_answer answer = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tide_client_ask(client, "echo", bad[i], 100, &answer), TIDE_CLIENT_USAGE);
    assert_int_equal(tide_client_ask(client, "ec/ho", "{}", 100, &answer), TIDE_CLIENT_USAGE);
    assert_int_equal(tide_client_send(client, "echo", "{}", "bad rid", NULL, NULL),
                     TIDE_CLIENT_USAGE);
    assert_int_equal(tide_client_publish(client, "plate", "{}"), TIDE_CLIENT_USAGE);
    tide_client_close(client);
}

static void repeats_until_the_answer_is_there(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client = open_one(&conf);
    struct tide_client_stats stats;
    cJSON *reply;

    (void)state;
    reply = ask(client, "late", "{\"a\":1}", 0, "ok");
    assert_in_range(cJSON_GetObjectItem(reply, "times")->valueint, 2, 20);
    cJSON_Delete(reply);
    reply = ask(client, "busy", "{}", 0, "ok"); /* busy binds nothing: asked again */
    assert_in_range(cJSON_GetObjectItem(reply, "times")->valueint, 3, 20);
    cJSON_Delete(reply);
    tide_client_stats(client, &stats);
    assert_in_range(stats.repeated, 3, 30); /* a slow machine repeats more often */
    tide_client_close(client);
}

static void time_runs_out_in_four_ways(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client;
    struct tide_answer answer = {0};

    (void)state;
    conf.life_ms = 1200;
    client = open_one(&conf);
    assert_int_equal(tide_client_ask(client, "never", "{}", 300, &answer), TIDE_CLIENT_TIMEOUT);
    assert_null(answer.json);
    tide_answer_clear(&answer);
    assert_int_equal(tide_client_ask(client, "always_busy", "{}", 1000, &answer),
                     TIDE_CLIENT_REFUSED);
    assert_string_equal(answer.code, "busy");
    tide_answer_clear(&answer);
    /* past its life it is asked once more, and the daemon says that it never did it */
    assert_int_equal(tide_client_ask(client, "expiring", "{}", 7000, &answer), TIDE_CLIENT_EXPIRED);
    assert_string_equal(answer.code, "expired");
    tide_answer_clear(&answer);
    /* nobody ever answers: the last call ends as well */
    assert_int_equal(tide_client_ask(client, "never", "{}", 9000, &answer), TIDE_CLIENT_TIMEOUT);
    tide_answer_clear(&answer);
    tide_client_close(client);
}

/* ---- many at once -------------------------------------------------------------------------- */
struct tally {
    pthread_mutex_t lock;
    int ok, refused, expired, timeout;
};

static void count_reply(void *arg, int error, const char *rid, const char *code, const char *json,
                        size_t len)
{
    struct tally *tally = arg;

    assert_true(rid[0] != '\0');
    assert_true(!json || strlen(json) == len);
    assert_non_null(code);
    pthread_mutex_lock(&tally->lock);
    tally->ok += error == TIDE_CLIENT_OK;
    tally->refused += error == TIDE_CLIENT_REFUSED;
    tally->expired += error == TIDE_CLIENT_EXPIRED;
    tally->timeout += error == TIDE_CLIENT_TIMEOUT;
    pthread_mutex_unlock(&tally->lock);
}

static int settled(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    int sum = tally->ok + tally->refused + tally->expired + tally->timeout;
    pthread_mutex_unlock(&tally->lock);
    return sum;
}

static void wait_settled(struct tally *tally, int want, long ms)
{
    for (long at = 0; at < ms && settled(tally) < want; at += 10)
        peer_sleep_ms(10);
    assert_int_equal(settled(tally), want);
}

static void four_thousand_at_once_and_not_one_more(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client;
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    conf.retry_ms = 10000;
    client = open_one(&conf);
    for (int i = 0; i < 4096; i++)
        assert_int_equal(tide_client_send(client, "never", "{}", NULL, count_reply, &tally), 0);
    assert_int_equal(tide_client_send(client, "echo", "{}", NULL, count_reply, &tally),
                     TIDE_CLIENT_NOMEM);
    assert_null(tide_client_close(client)); /* each is told once */
    assert_int_equal(tally.timeout, 4096);
}

static void a_window_of_a_default_broker_does_not_stall(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client;
    struct tide_client_stats stats;
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    conf.window = 16;
    conf.retry_ms = 5000;
    client = open_one(&conf);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(tide_client_send(client, "echo", "{}", NULL, count_reply, &tally), 0);
    wait_settled(&tally, 1000, 8000);
    tide_client_stats(client, &stats);
    assert_int_equal(tally.ok, 1000);
    assert_int_equal(stats.window, 16);
    tide_client_close(client);
}

static void the_same_rid_twice_is_refused_here(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client = open_one(&conf);
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    assert_int_equal(tide_client_send(client, "never", "{}", "r-1", count_reply, &tally), 0);
    assert_int_equal(tide_client_send(client, "never", "{}", "r-1", count_reply, &tally),
                     TIDE_CLIENT_USAGE);
    tide_client_close(client);
    assert_int_equal(tally.timeout, 1);
}

/* ---- the broker's death -------------------------------------------------------------------- */
static void outlives_the_broker(void **state)
{
    const int versions[] = {3, 5};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tide_client_conf conf = conf_of(versions[i]);
        struct tide_client *client = open_one(&conf);
        struct tide_client_stats stats;
        struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

        peer_broker_stop(&peer);
        for (int k = 0; k < 50; k++)
            assert_int_equal(tide_client_send(client, "echo", "{}", NULL, count_reply, &tally), 0);
        peer_sleep_ms(300);
        assert_int_equal(settled(&tally), 0);
        assert_int_equal(peer_broker_start(&peer), 0);
        wait_settled(&tally, 50, 15000);
        assert_int_equal(tally.ok, 50);
        tide_client_stats(client, &stats);
        assert_in_range(stats.connects, 2, 6);
        assert_true(stats.nodelay);
        tide_client_close(client);
    }
}

static void asks_again_as_soon_as_there_is_a_new_line(void **state)
{
    struct tide_client_conf conf = conf_of(5);
    struct tide_client *client;
    struct tally tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    conf.retry_ms = 60000; /* not the retry, the new line */
    client = open_one(&conf);
    assert_int_equal(tide_client_send(client, "late", "{}", "again-1", count_reply, &tally), 0);
    for (int i = 0; i < 500 && peer_seen(&peer, "again-1") == 0; i++)
        peer_sleep_ms(10);
    assert_int_equal(peer_seen(&peer, "again-1"), 1);
    tide_client_close(open_one(&conf)); /* of the same name: pushes the first one out */
    wait_settled(&tally, 1, 15000);
    assert_int_equal(tally.ok, 1);
    tide_client_close(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(refuses_what_cannot_be),
    cmocka_unit_test(a_wrong_secret_is_denied_at_once),
    cmocka_unit_test(no_broker_is_offline_and_says_so),
    cmocka_unit_test(asks_over_both_versions_and_qualities),
    cmocka_unit_test(a_hand_at_an_arm_lives_for_seconds),
    cmocka_unit_test(fields_must_be_an_object_of_ones_own),
    cmocka_unit_test(repeats_until_the_answer_is_there),
    cmocka_unit_test(time_runs_out_in_four_ways),
    cmocka_unit_test(four_thousand_at_once_and_not_one_more),
    cmocka_unit_test(a_window_of_a_default_broker_does_not_stall),
    cmocka_unit_test(the_same_rid_twice_is_refused_here),
    cmocka_unit_test(outlives_the_broker),
    cmocka_unit_test(asks_again_as_soon_as_there_is_a_new_line),
};

int main(void)
{
    return cmocka_run_group_tests(tests, setup, teardown);
}
