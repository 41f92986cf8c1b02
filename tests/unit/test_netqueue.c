/* Inbox and outbox without a broker: bounds by number and bytes, wake-ups, the window, what a lost
 * connection and a lost wake-up of the client library do. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/net/inbox.h"
#include "daemon/net/nodelay.h"
#include "daemon/net/outbox.h"
#include "tide/limits.h"

static void rows(void **state)
{
    (void)state;
    struct net_row row;
    struct net_message *m[6];
    assert_int_equal(net_row_init(&row, 3, 1000), 0);
    for (int i = 0; i < 6; i++)
        m[i] = net_message_new("t/x", 3, "0123456789", i == 5 ? 10 : 4, 1, i == 1);
    assert_null(net_row_pop(&row));
    for (int turn = 0; turn < 5; turn++) { /* goes round */
        assert_true(net_row_push(&row, m[0]) && net_row_push(&row, m[1]));
        assert_ptr_equal(net_row_pop(&row), m[0]);
        assert_ptr_equal(net_row_pop(&row), m[1]);
    }
    assert_true(net_row_push(&row, m[0]) && net_row_push(&row, m[1]) && net_row_push(&row, m[2]));
    assert_false(net_row_push(&row, m[3])); /* by number */
    row.bytes_max = row.bytes;
    assert_ptr_equal(net_row_pop(&row), m[0]);
    assert_false(net_row_push(&row, m[5])); /* by bytes: six more than m[0] */
    assert_true(net_row_push(&row, m[0]));
    assert_string_equal(m[1]->topic, "t/x");
    assert_memory_equal(net_message_payload(m[1]), "0123", 4);
    assert_true(m[1]->retain && !m[0]->retain);
    assert_int_equal(net_row_clear(&row), 3);
    assert_int_equal(row.bytes, 0);
    net_row_done(&row);
    for (int i = 3; i < 6; i++)
        free(m[i]);
}

static void inbox(void **state)
{
    (void)state;
    struct inbox *in;
    struct inbox_stats stats;
    struct net_message *got[1000];
    static char large[TIDE_PACKET_BYTES_MAX + 100];
    assert_int_equal(inbox_new(&in, 4, 100000), 0);
    assert_true(inbox_push(in, "a", 1, "1", 1, 1));   /* wakes */
    assert_false(inbox_push(in, "b", 1, NULL, 0, 0)); /* is awake */
    assert_int_equal(inbox_take(in, got, 1), 1);
    assert_string_equal(got[0]->topic, "a");
    free(got[0]);
    assert_false(inbox_push(in, "c", 1, "1", 1, 1)); /* something was left */
    assert_false(inbox_push(in, "d", 1, large, sizeof large, 1));
    assert_false(inbox_push(in, "e", 1, "1", 1, 1));
    assert_true(inbox_push(in, "f", 1, "1", 1, 1)); /* full: to the side, and that wakes */
    for (int i = 0; i < 9000; i++)
        assert_false(inbox_push(in, "g", 1, "1", 1, 1));
    inbox_stats(in, &stats);
    assert_int_equal(stats.depth, 4);
    assert_int_equal(stats.side, 8192); /* it has an end too */
    assert_int_equal(stats.received, 9006);
    assert_int_equal(stats.dropped, 9001);
    for (uint32_t left = 8192, count; left > 0; left -= count) {
        count = inbox_take_overflow(in, got, 1000);
        assert_int_equal(count, left < 1000 ? left : 1000);
        assert_string_equal(got[0]->topic, left == 8192 ? "f" : "g");
        for (uint32_t i = 0; i < count; i++)
            free(got[i]);
    }
    assert_int_equal(inbox_take(in, got, 1000), 4);
    assert_int_equal(got[0]->len, 0);
    assert_int_equal(got[2]->len, TIDE_PACKET_BYTES_MAX + 1); /* cut */
    for (int i = 0; i < 4; i++)
        free(got[i]);
    assert_true(inbox_push(in, "h", 1, "1", 1, 1));
    inbox_shut(in);
    assert_false(inbox_push(in, "i", 1, "1", 1, 1));
    assert_int_equal(inbox_take(in, got, 1000), 1);
    free(got[0]);
    assert_null(inbox_free(in));
    assert_null(inbox_free(NULL));
}

/* A client library that completes when it is told to. */
struct fake {
    struct outbox *outbox;
    pthread_mutex_t lock;
    unsigned sent, settled, nudges, idles, refuse;
    uint32_t ticket;
    bool ended;
};

static int fake_send(void *arg, const struct net_message *message, uint32_t ticket)
{
    struct fake *fake = arg;
    assert_true(message->topic_len > 0);
    pthread_mutex_lock(&fake->lock);
    bool refuse = fake->refuse > 0;
    if (refuse)
        fake->refuse--;
    else
        fake->sent++;
    fake->ticket = ticket;
    pthread_mutex_unlock(&fake->lock);
    return refuse ? -1 : 0;
}

static void count_up(struct fake *fake, unsigned *what)
{
    pthread_mutex_lock(&fake->lock);
    ++*what;
    pthread_mutex_unlock(&fake->lock);
}

static void fake_nudge(void *arg)
{
    struct fake *fake = arg;
    count_up(fake, &fake->nudges);
}

static void fake_idle(void *arg)
{
    struct fake *fake = arg;
    count_up(fake, &fake->idles);
}

static void fake_end(void *arg)
{
    struct fake *fake = arg;
    fake->ended = true;
}

static unsigned read_of(struct fake *fake, const unsigned *what)
{
    pthread_mutex_lock(&fake->lock);
    unsigned value = *what;
    pthread_mutex_unlock(&fake->lock);
    return value;
}

static void await(struct fake *fake, const unsigned *what, unsigned value)
{
    for (int i = 0; i < 5000 && read_of(fake, what) < value; i++)
        usleep(1000);
    assert_int_equal(read_of(fake, what), value);
}

static void start(struct fake *fake, uint32_t window)
{
    const struct outbox_conf conf = {.max = 100,
                                     .window = window,
                                     .bytes_max = 100000,
                                     .send = fake_send,
                                     .nudge = fake_nudge,
                                     .idle = fake_idle,
                                     .end = fake_end,
                                     .arg = fake};
    *fake = (struct fake){.lock = PTHREAD_MUTEX_INITIALIZER};
    assert_int_equal(outbox_start(&fake->outbox, &conf), 0);
}

static void settle(struct fake *fake, unsigned count)
{
    uint32_t ticket = read_of(fake, &fake->ticket);
    while (count-- > 0)
        outbox_done(fake->outbox, ticket);
}

static int put(struct fake *fake)
{
    return outbox_put(fake->outbox, net_message_new("t", 1, "x", 1, 1, false));
}

static void window(void **state)
{
    (void)state;
    struct fake fake;
    struct outbox_stats stats;
    start(&fake, 10);
    assert_int_equal(put(&fake), -1); /* shut: nothing is kept */
    await(&fake, &fake.idles, 1);
    outbox_open(fake.outbox, 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(put(&fake), 0);
    await(&fake, &fake.sent, 10);
    usleep(5000);
    assert_int_equal(read_of(&fake, &fake.sent), 10);
    settle(&fake, 2);
    await(&fake, &fake.sent, 12);
    outbox_stats(fake.outbox, &stats);
    assert_int_equal(stats.depth, 38);
    assert_int_equal(stats.under_way, 10);
    for (int i = 0; i < 62; i++) /* bounded: 38 + 62 */
        assert_int_equal(put(&fake), 0);
    assert_int_equal(put(&fake), -1);
    pthread_mutex_lock(&fake.lock);
    fake.refuse = 3; /* paho would not have it: gone, and the window is free again */
    pthread_mutex_unlock(&fake.lock);
    settle(&fake, 10);
    await(&fake, &fake.sent, 22);
    outbox_stats(fake.outbox, &stats);
    assert_int_equal(stats.under_way, 10);
    assert_int_equal(stats.under_way_max, 10);
    assert_int_equal(stats.dropped, 5);
    outbox_stop(fake.outbox, 0);
    assert_null(outbox_join(fake.outbox));
    assert_true(fake.ended);
}

static void lost(void **state)
{
    (void)state;
    struct fake fake;
    struct outbox_stats stats;
    start(&fake, 10);
    outbox_open(fake.outbox, 4); /* the broker wants less */
    for (int i = 0; i < 20; i++)
        put(&fake);
    await(&fake, &fake.sent, 4);
    uint32_t old = read_of(&fake, &fake.ticket);
    outbox_shut(fake.outbox);
    outbox_open(fake.outbox, 0);
    outbox_stats(fake.outbox, &stats);
    assert_int_equal(stats.depth, 0);
    assert_int_equal(stats.dropped, 16);
    assert_int_equal(stats.under_way, 0);
    for (int i = 0; i < 20; i++)
        put(&fake);
    await(&fake, &fake.sent, 14);
    for (int i = 0; i < 4; i++)
        outbox_done(fake.outbox, old); /* of the connection that is gone: counts no more */
    usleep(3000);
    assert_int_equal(read_of(&fake, &fake.sent), 14);
    outbox_stop(fake.outbox, 0);
    outbox_join(fake.outbox);
}

/* Something is under way and nothing comes back: the library is woken now and then. */
static void nudge(void **state)
{
    (void)state;
    struct fake fake;
    start(&fake, 10);
    outbox_open(fake.outbox, 0);
    usleep(50000);
    assert_int_equal(read_of(&fake, &fake.nudges), 0); /* nothing under way */
    put(&fake);
    usleep(150000);
    assert_in_range(read_of(&fake, &fake.nudges), 2, 8);
    settle(&fake, 1);
    unsigned before = read_of(&fake, &fake.nudges);
    usleep(50000);
    assert_in_range(read_of(&fake, &fake.nudges), before, before + 1);
    outbox_stop(fake.outbox, 0);
    outbox_join(fake.outbox);
}

static void *settle_later(void *arg)
{
    struct fake *fake = arg;
    usleep(30000);
    for (unsigned settled = 0; settled < 20;) {
        for (; settled < read_of(fake, &fake->sent); settled++)
            outbox_done(fake->outbox, read_of(fake, &fake->ticket));
        usleep(1000);
    }
    return NULL;
}

/* Stopping sends what waits and sees it settled; or gives up in time. */
static void flush(void **state)
{
    (void)state;
    struct fake fake;
    pthread_t thread;
    start(&fake, 5);
    outbox_open(fake.outbox, 0);
    for (int i = 0; i < 20; i++)
        put(&fake);
    pthread_create(&thread, NULL, settle_later, &fake);
    outbox_stop(fake.outbox, 5000);
    pthread_join(thread, NULL);
    outbox_join(fake.outbox);
    assert_int_equal(fake.sent, 20);

    start(&fake, 5);
    outbox_open(fake.outbox, 0);
    for (int i = 0; i < 20; i++)
        put(&fake);
    outbox_stop(fake.outbox, 100); /* nothing is ever settled */
    outbox_join(fake.outbox);
    assert_int_equal(fake.sent, 5);
    assert_true(fake.ended);
}

static void uris(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *host;
        unsigned port;
    } table[] = {
        {"tcp://127.0.0.1:1883", "127.0.0.1", 1883},
        {"ssl://broker.example:8883", "broker.example", 8883},
        {"tcp://[::1]:1884", "::1", 1884},
        {"tcp://nowhere", "", 0},
        {"tcp://x:99999", "x", 0},
        {"tcp://x:", "x", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char host[64] = "";
        assert_int_equal(nodelay_uri(table[i].uri, host, sizeof host), table[i].port);
        assert_string_equal(host, table[i].host);
    }
    char tiny[4];
    assert_int_equal(nodelay_uri("tcp://127.0.0.1:1883", tiny, sizeof tiny), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows), cmocka_unit_test(inbox), cmocka_unit_test(window),
        cmocka_unit_test(lost), cmocka_unit_test(nudge), cmocka_unit_test(flush),
        cmocka_unit_test(uris),
    };
    return cmocka_run_group_tests_name("netqueue", tests, NULL, NULL);
}
