/* client.c - opening, waiting, asking, closing; and the worker's round. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/libtide/libtide.h"

#define WORKER_NAP_MAX_MS 60000
#define EXTRA_FILTERS_MAX 32

const char *tide_client_strerror(int error)
{
    switch (error) {
    case TIDE_CLIENT_OK:
        return "ok";
    case TIDE_CLIENT_REFUSED:
        return "refused";
    case TIDE_CLIENT_TIMEOUT:
        return "no answer in time";
    case TIDE_CLIENT_EXPIRED:
        return "its life is over, it was not done";
    case TIDE_CLIENT_OFFLINE:
        return "no connection";
    case TIDE_CLIENT_DENIED:
        return "the broker refuses this user or secret";
    case TIDE_CLIENT_USAGE:
        return "an argument that cannot be";
    case TIDE_CLIENT_NOMEM:
        return "no room";
    default:
        return "unknown error";
    }
}

void tide_answer_clear(struct tide_answer *answer)
{
    if (!answer)
        return;
    free(answer->json);
    memset(answer, 0, sizeof *answer);
}

/* ---- the worker ---------------------------------------------------------------------------- */
static bool tell_state(struct tide_client *client)
{
    bool up = client->link == LIBTIDE_UP;

    if (up == client->told_up)
        return false;
    client->told_up = up;
    if (client->conf.on_state) {
        pthread_mutex_unlock(&client->lock);
        client->conf.on_state(client->conf.arg, up);
        pthread_mutex_lock(&client->lock);
    }
    return true;
}

static bool tell_messages(struct tide_client *client)
{
    struct libtide_message *message = client->messages;

    if (!message)
        return false;
    client->messages = message->next;
    if (!client->messages)
        client->messages_tail = &client->messages;
    client->message_count--;
    client->message_bytes -= message->len;
    pthread_mutex_unlock(&client->lock);
    client->conf.on_message(client->conf.arg, message->topic, message->payload, message->len,
                            message->retained);
    free(message);
    pthread_mutex_lock(&client->lock);
    return true;
}

static void wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t wait_ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(cond, lock, &until);
}

/* Lock held. How long the worker may sleep, 0: not at all. */
static int64_t nap_ms(const struct tide_client *client)
{
    int64_t due = libtide_requests_due(client), other;
    int64_t now = libtide_elapsed_ms();

    if (client->answered || client->messages || client->lost || client->link == LIBTIDE_CONNECTED)
        return 0;
    if (client->link == LIBTIDE_UP && (client->fresh || client->facts) &&
        client->in_flight < client->window)
        return 0;
    other = libtide_link_due(client);
    due = other < due ? other : due;
    other = libtide_inbox_due(client);
    due = other < due ? other : due;
    if (due <= now)
        return 0;
    return due - now > WORKER_NAP_MAX_MS ? WORKER_NAP_MAX_MS : due - now;
}

static void *work(void *arg)
{
    struct tide_client *client = arg;

    pthread_mutex_lock(&client->lock);
    while (!client->stopping) {
        bool did = libtide_link_turn(client);

        did |= tell_state(client);
        did |= libtide_requests_turn(client);
        did |= tell_messages(client);
        did |= libtide_inbox_turn(client);
        if (did || client->stopping)
            continue;
        int64_t nap = nap_ms(client);

        if (nap > 0)
            wait_until(&client->wake, &client->lock, nap);
    }
    pthread_mutex_unlock(&client->lock);
    return NULL;
}

/* ---- opening ------------------------------------------------------------------------------- */
static unsigned port_of(const char *uri)
{
    const char *colon = strrchr(uri, ':');
    char *end;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

    if (port > 0 && port < 65536 && !*end)
        return (unsigned)port;
    return strncmp(uri, "ssl://", 6) == 0 ? 8883 : 1883;
}

/* paho's own spelling of the schemes people write. malloc'ed; NULL: not one, or no memory. */
static char *uri_copy(const char *uri)
{
    static const char *const schemes[][2] = {
        {"tcp://", "tcp://"}, {"mqtt://", "tcp://"}, {"ssl://", "ssl://"}, {"mqtts://", "ssl://"}};

    for (size_t i = 0; uri && i < 4; i++) {
        size_t len = strlen(schemes[i][0]);
        char *copy = NULL;

        if (strncmp(uri, schemes[i][0], len) != 0 || !uri[len])
            continue;
        if (asprintf(&copy, "%s%s", schemes[i][1], uri + len) < 0)
            return NULL;
        return copy;
    }
    return NULL;
}

static bool conf_ok(const struct tide_client_conf *conf)
{
    return conf->uri && libtide_name_ok(conf->domain) && libtide_name_ok(conf->user) &&
           (conf->qos == 0 || conf->qos == 1) &&
           (conf->mqtt_version == 0 || conf->mqtt_version == 3 || conf->mqtt_version == 5);
}

static bool copy_strings(struct tide_client *client, const struct tide_client_conf *conf)
{
    client->conf.uri = uri_copy(conf->uri);
    client->conf.domain = strdup(conf->domain);
    client->conf.user = strdup(conf->user);
    client->conf.secret = strdup(conf->secret ? conf->secret : "");
    client->conf.ca_file = conf->ca_file ? strdup(conf->ca_file) : NULL;
    client->conf.client_id = strdup(conf->client_id ? conf->client_id : conf->user);
    client->conf.subscriptions = NULL;
    return client->conf.uri && client->conf.domain && client->conf.user && client->conf.secret &&
           client->conf.client_id && (client->conf.ca_file || !conf->ca_file);
}

static bool make_filters(struct tide_client *client, const char *const *extra)
{
    int count = 0, at = 0;
    const char *const own[] = {client->conf.gateway ? "down/#" : "res/#", "inbox"};
    int owns = client->conf.gateway ? 1 : 2;

    while (extra && extra[count])
        count++;
    if (count > EXTRA_FILTERS_MAX)
        return false;
    client->filters = calloc((size_t)(owns + count) + 1, sizeof *client->filters);
    for (int i = 0; client->filters && i < owns; i++)
        if (asprintf(&client->filters[at++], "%s%s", client->prefix, own[i]) < 0)
            return false;
    for (int i = 0; client->filters && i < count; i++) {
        client->filters[at++] = strdup(extra[i]);
        if (!client->filters[at - 1])
            return false;
    }
    client->filter_count = at;
    return client->filters != NULL;
}

static void fill_in(struct tide_client *client)
{
    struct tide_client_conf *conf = &client->conf;

    conf->mqtt_version = conf->mqtt_version ? conf->mqtt_version : 5;
    conf->retry_ms = conf->retry_ms ? conf->retry_ms : 3000;
    conf->life_ms = conf->life_ms ? conf->life_ms : 600000;
    conf->window = conf->window ? conf->window : LIBTIDE_WINDOW_DEFAULT;
    conf->window = conf->window > 60000 ? 60000 : conf->window;
    conf->keepalive_s = conf->keepalive_s ? conf->keepalive_s : 30;
    if (conf->pulse_ms == 0 && conf->gateway)
        conf->pulse_ms = 400;
    client->window = conf->window;
    client->stats.incarnation = conf->incarnation;
    client->port = port_of(conf->uri);
    snprintf(client->prefix, sizeof client->prefix, "tide/1/%s/%s/%s/", conf->domain,
             conf->gateway ? "gw" : "u", conf->user);
    snprintf(client->will_not_exist, sizeof client->will_not_exist, "tide/1/sys/-/pulse");
}

static void client_free(struct tide_client *client)
{
    for (int i = 0; client->filters && client->filters[i]; i++)
        free(client->filters[i]);
    free(client->filters);
    while (client->messages) {
        struct libtide_message *message = client->messages;

        client->messages = message->next;
        free(message);
    }
    free((void *)(uintptr_t)client->conf.uri);
    free((void *)(uintptr_t)client->conf.domain);
    free((void *)(uintptr_t)client->conf.user);
    if (client->conf.secret)
        explicit_bzero((void *)(uintptr_t)client->conf.secret, strlen(client->conf.secret));
    free((void *)(uintptr_t)client->conf.secret);
    free((void *)(uintptr_t)client->conf.ca_file);
    free((void *)(uintptr_t)client->conf.client_id);
    pthread_cond_destroy(&client->wake);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

static void init_locks(struct tide_client *client)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&client->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&client->wake, &attr);
    pthread_cond_init(&client->changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* paho's threads are made by the worker's first connect and inherit its mask: all blocked. */
static int start_worker(struct tide_client *client)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = libtide_link_init(client);
    if (rc == TIDE_CLIENT_OK && pthread_create(&client->worker, NULL, work, client) != 0)
        rc = TIDE_CLIENT_NOMEM;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    client->worker_runs = rc == TIDE_CLIENT_OK;
    return rc;
}

int tide_client_open(struct tide_client **ret, const struct tide_client_conf *conf)
{
    struct tide_client *client;
    int rc;

    if (!ret || !conf || !conf_ok(conf))
        return TIDE_CLIENT_USAGE;
    client = calloc(1, sizeof *client);
    if (!client)
        return TIDE_CLIENT_NOMEM;
    client->conf = *conf;
    init_locks(client);
    libtide_requests_init(client);
    rc = copy_strings(client, conf) ? TIDE_CLIENT_OK : TIDE_CLIENT_USAGE;
    if (rc == TIDE_CLIENT_OK) {
        fill_in(client);
        rc = make_filters(client, conf->subscriptions) ? TIDE_CLIENT_OK : TIDE_CLIENT_USAGE;
    }
    if (rc == TIDE_CLIENT_OK)
        rc = start_worker(client);
    if (rc != TIDE_CLIENT_OK) {
        libtide_link_done(client);
        client_free(client);
        return rc;
    }
    *ret = client;
    return TIDE_CLIENT_OK;
}

struct tide_client *tide_client_close(struct tide_client *client)
{
    if (!client)
        return NULL;
    pthread_mutex_lock(&client->lock);
    client->stopping = true;
    pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
    if (client->worker_runs)
        pthread_join(client->worker, NULL);
    libtide_link_done(client);
    pthread_mutex_lock(&client->lock);
    libtide_requests_clear(client);
    pthread_mutex_unlock(&client->lock);
    client_free(client);
    return NULL;
}

/* ---- asking -------------------------------------------------------------------------------- */
int tide_client_wait(struct tide_client *client, uint32_t timeout_ms)
{
    int64_t until = libtide_elapsed_ms() + timeout_ms;
    int rc = TIDE_CLIENT_OFFLINE;

    pthread_mutex_lock(&client->lock);
    for (;;) {
        int64_t left = until - libtide_elapsed_ms();

        if (client->link == LIBTIDE_UP)
            rc = TIDE_CLIENT_OK;
        else if (client->denied && client->link == LIBTIDE_DOWN)
            rc = TIDE_CLIENT_DENIED;
        if (rc != TIDE_CLIENT_OFFLINE || left <= 0)
            break;
        wait_until(&client->changed, &client->lock, left);
    }
    pthread_mutex_unlock(&client->lock);
    return rc;
}

void tide_client_trouble(struct tide_client *client, char *out, size_t cap)
{
    pthread_mutex_lock(&client->lock);
    snprintf(out, cap, "%s", client->trouble);
    pthread_mutex_unlock(&client->lock);
}

void tide_client_stats(struct tide_client *client, struct tide_client_stats *ret)
{
    pthread_mutex_lock(&client->lock);
    *ret = client->stats;
    ret->waiting = client->request_count;
    ret->in_flight = client->in_flight;
    ret->window = client->window;
    ret->inbox_after = client->conf.inbox_after;
    pthread_mutex_unlock(&client->lock);
}

int tide_client_send(struct tide_client *client, const char *op, const char *fields,
                     const char *rid, tide_reply_fn *fn, void *arg)
{
    char made[LIBTIDE_RID_MAX + 1];
    int rc;

    if (!op || !fields)
        return TIDE_CLIENT_USAGE;
    if (!rid && tide_client_rid(made, sizeof made) != 0)
        return TIDE_CLIENT_NOMEM;
    pthread_mutex_lock(&client->lock);
    rc = libtide_request_add(client, op, fields, rid ? rid : made, client->conf.life_ms, fn, arg);
    if (rc == TIDE_CLIENT_OK)
        pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
    return rc;
}

struct asked {
    struct tide_client *client;
    struct tide_answer answer;
    int error;
    bool done;
};

static void on_answer(void *arg, int error, const char *rid, const char *code, const char *json,
                      size_t len)
{
    struct asked *asked = arg;

    (void)rid;
    pthread_mutex_lock(&asked->client->lock);
    if (json && (asked->answer.json = malloc(len + 1))) {
        memcpy(asked->answer.json, json, len + 1);
        asked->answer.len = len;
    }
    snprintf(asked->answer.code, sizeof asked->answer.code, "%s", code);
    asked->error = json && !asked->answer.json ? TIDE_CLIENT_NOMEM : error;
    asked->done = true;
    pthread_cond_broadcast(&asked->client->changed);
    pthread_mutex_unlock(&asked->client->lock);
}

/* Lock held, time is over: takes the request back, unless its answer is on its way to us. */
static int give_up(struct tide_client *client, struct asked *asked, const char *rid)
{
    struct libtide_request *request = libtide_request_find(client, rid, strlen(rid));
    int rc = TIDE_CLIENT_TIMEOUT;

    if (!request || request->state == LIBTIDE_ANSWERED)
        return 0;
    if (request->sends == 0)
        rc = client->denied ? TIDE_CLIENT_DENIED : TIDE_CLIENT_OFFLINE;
    if (request->reply) { /* busy, again and again: that is an answer */
        uint32_t incarnation;

        libtide_code(request->reply, request->reply_len, asked->answer.code,
                     sizeof asked->answer.code, &incarnation);
        asked->answer.json = request->reply;
        asked->answer.len = request->reply_len;
        request->reply = NULL;
        rc = TIDE_CLIENT_REFUSED;
    }
    libtide_request_drop(client, request);
    asked->error = rc;
    asked->done = true;
    return rc;
}

int tide_client_ask(struct tide_client *client, const char *op, const char *fields,
                    uint32_t timeout_ms, struct tide_answer *ret)
{
    struct asked asked = {.client = client, .error = TIDE_CLIENT_TIMEOUT};
    int64_t until = libtide_elapsed_ms() + timeout_ms;
    int rc;

    if (!op || !fields || !ret || pthread_equal(pthread_self(), client->worker))
        return TIDE_CLIENT_USAGE;
    if (tide_client_rid(asked.answer.rid, sizeof asked.answer.rid) != 0)
        return TIDE_CLIENT_NOMEM;
    pthread_mutex_lock(&client->lock);
    rc = libtide_request_add(client, op, fields, asked.answer.rid, client->conf.life_ms, on_answer,
                             &asked);
    if (rc == TIDE_CLIENT_OK)
        pthread_cond_signal(&client->wake);
    while (rc == TIDE_CLIENT_OK && !asked.done) {
        int64_t left = until - libtide_elapsed_ms();

        if (left <= 0 && give_up(client, &asked, asked.answer.rid) != 0)
            break;
        wait_until(&client->changed, &client->lock, left > 0 ? left : 10);
    }
    pthread_mutex_unlock(&client->lock);
    if (rc != TIDE_CLIENT_OK)
        return rc;
    *ret = asked.answer;
    return asked.error;
}

int tide_client_publish(struct tide_client *client, const char *kind, const char *json)
{
    struct libtide_fact *fact;
    size_t len = strlen(json);
    int rc = TIDE_CLIENT_OK;

    if (!client->conf.gateway || !libtide_name_ok(kind))
        return TIDE_CLIENT_USAGE;
    fact = calloc(1, sizeof *fact);
    if (!fact || !(fact->payload = strdup(json))) {
        free(fact);
        return TIDE_CLIENT_NOMEM;
    }
    fact->len = len;
    snprintf(fact->topic, sizeof fact->topic, "%sup/%s", client->prefix, kind);
    pthread_mutex_lock(&client->lock);
    if (client->link != LIBTIDE_UP)
        rc = TIDE_CLIENT_OFFLINE;
    else if (client->fact_count >= LIBTIDE_FACTS_MAX)
        rc = TIDE_CLIENT_NOMEM;
    if (rc == TIDE_CLIENT_OK) {
        *client->facts_tail = fact;
        client->facts_tail = &fact->next;
        client->fact_count++;
        pthread_cond_signal(&client->wake);
    }
    pthread_mutex_unlock(&client->lock);
    if (rc != TIDE_CLIENT_OK) {
        free(fact->payload);
        free(fact);
    }
    return rc;
}
