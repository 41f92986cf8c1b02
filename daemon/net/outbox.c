/* outbox.c - the send thread with its own window: see outbox.h. */
#include "daemon/net/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define RUN_MAX 32  /* messages taken from the row at once */
#define IDLE_MS 100 /* between two calls of idle */
#define NUDGE_MS 20 /* of silence while something is under way */

struct outbox {
    struct outbox_conf conf;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct net_row row;
    uint32_t ticket; /* of the present connection */
    uint32_t window, under_way, under_way_max;
    bool open, stopping, sleeping;
    int64_t stop_by_ms, settled_ms; /* monotonic; settled: when the last one came back */
    uint64_t sent, dropped, nudges;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wakes the thread if it sleeps; the lock is held. */
static void wake(struct outbox *outbox)
{
    if (outbox->sleeping)
        pthread_cond_signal(&outbox->changed);
}

/* Sleeps until woken or for ms; the lock is held. */
static void sleep_ms(struct outbox *outbox, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    outbox->sleeping = true;
    pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
    outbox->sleeping = false;
}

/* Sends some of the row, as far as the window goes. The lock is held at entry and exit. */
static void send_some(struct outbox *outbox)
{
    struct net_message *run[RUN_MAX];
    uint32_t count = 0, room = outbox->window - outbox->under_way, ticket = outbox->ticket;
    while (count < RUN_MAX && count < room && (run[count] = net_row_pop(&outbox->row)) != NULL)
        count++;
    if (outbox->under_way == 0)
        outbox->settled_ms = now_ms();
    outbox->under_way += count;
    if (outbox->under_way > outbox->under_way_max)
        outbox->under_way_max = outbox->under_way;
    pthread_mutex_unlock(&outbox->lock);

    uint32_t refused = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (outbox->conf.send(outbox->conf.arg, run[i], ticket) != 0)
            refused++;
        free(run[i]);
    }
    pthread_mutex_lock(&outbox->lock);
    outbox->sent += count - refused;
    outbox->dropped += refused;
    if (ticket == outbox->ticket)
        outbox->under_way -= refused;
}

/* Open, and nothing can be sent right now. */
static void wait_open(struct outbox *outbox)
{
    int64_t silent = now_ms() - outbox->settled_ms;
    if (outbox->under_way > 0 && silent >= NUDGE_MS) {
        outbox->nudges++;
        outbox->settled_ms = now_ms();
        pthread_mutex_unlock(&outbox->lock);
        outbox->conf.nudge(outbox->conf.arg);
        pthread_mutex_lock(&outbox->lock);
        return;
    }
    sleep_ms(outbox, outbox->under_way > 0 ? NUDGE_MS - silent : 1000);
}

/* Shut: somebody has to bring the connection up. */
static void wait_shut(struct outbox *outbox)
{
    pthread_mutex_unlock(&outbox->lock);
    outbox->conf.idle(outbox->conf.arg);
    pthread_mutex_lock(&outbox->lock);
    if (!outbox->open && !outbox->stopping)
        sleep_ms(outbox, IDLE_MS);
}

static bool is_finished(const struct outbox *outbox)
{
    return outbox->stopping && (!outbox->open || now_ms() >= outbox->stop_by_ms ||
                                (outbox->row.count == 0 && outbox->under_way == 0));
}

static void *run_thread(void *arg)
{
    struct outbox *outbox = arg;
    pthread_setname_np(pthread_self(), "tide-outbox");
    pthread_mutex_lock(&outbox->lock);
    while (!is_finished(outbox)) {
        if (!outbox->open)
            wait_shut(outbox);
        else if (outbox->row.count > 0 && outbox->under_way < outbox->window)
            send_some(outbox);
        else
            wait_open(outbox);
    }
    outbox->open = false;
    outbox->dropped += net_row_clear(&outbox->row);
    pthread_mutex_unlock(&outbox->lock);
    outbox->conf.end(outbox->conf.arg);
    return NULL;
}

/* The thread must never take a signal: neither it nor the threads that paho makes from it. */
static int start_thread(struct outbox *outbox)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&outbox->thread, NULL, run_thread, outbox);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static void free_outbox(struct outbox *outbox)
{
    net_row_done(&outbox->row);
    pthread_cond_destroy(&outbox->changed);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

int outbox_start(struct outbox **ret, const struct outbox_conf *conf)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    if (outbox == NULL)
        return -1;
    outbox->conf = *conf;
    outbox->window = conf->window;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&outbox->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&outbox->lock, NULL);
    *ret = outbox; /* the thread's callbacks may look for it at once */
    if (net_row_init(&outbox->row, conf->max, conf->bytes_max) == 0 && start_thread(outbox) == 0)
        return 0;
    *ret = NULL;
    free_outbox(outbox);
    return -1;
}

void outbox_open(struct outbox *outbox, uint32_t window_limit)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->ticket++;
    outbox->under_way = 0;
    outbox->window = window_limit != 0 && window_limit < outbox->conf.window ? window_limit
                                                                             : outbox->conf.window;
    outbox->open = true;
    wake(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_shut(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->open = false;
    outbox->ticket++;
    outbox->under_way = 0;
    outbox->dropped += net_row_clear(&outbox->row);
    wake(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_done(struct outbox *outbox, uint32_t ticket)
{
    pthread_mutex_lock(&outbox->lock);
    if (ticket == outbox->ticket && outbox->under_way > 0) {
        outbox->settled_ms = now_ms();
        outbox->under_way--;
        /* With a full window, an eighth of it at a time: fewer wake-ups, the same rate. */
        if (outbox->stopping || (outbox->row.count > 0 &&
                                 outbox->under_way <= outbox->window - (outbox->window + 7) / 8))
            wake(outbox);
    }
    pthread_mutex_unlock(&outbox->lock);
}

int outbox_put(struct outbox *outbox, struct net_message *message)
{
    pthread_mutex_lock(&outbox->lock);
    bool kept = outbox->open && net_row_push(&outbox->row, message);
    if (!kept)
        outbox->dropped++;
    else if (outbox->under_way < outbox->window)
        wake(outbox);
    pthread_mutex_unlock(&outbox->lock);
    if (!kept)
        free(message);
    return kept ? 0 : -1;
}

void outbox_stop(struct outbox *outbox, unsigned wait_ms)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->stopping = true;
    outbox->stop_by_ms = now_ms() + wait_ms;
    wake(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

struct outbox *outbox_join(struct outbox *outbox)
{
    pthread_join(outbox->thread, NULL);
    free_outbox(outbox);
    return NULL;
}

void outbox_stats(struct outbox *outbox, struct outbox_stats *ret)
{
    pthread_mutex_lock(&outbox->lock);
    *ret = (struct outbox_stats){.sent = outbox->sent,
                                 .dropped = outbox->dropped,
                                 .nudges = outbox->nudges,
                                 .depth = outbox->row.count,
                                 .under_way = outbox->under_way,
                                 .under_way_max = outbox->under_way_max,
                                 .window = outbox->window};
    pthread_mutex_unlock(&outbox->lock);
}
