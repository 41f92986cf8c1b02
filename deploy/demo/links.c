/* links.c - see links.h. The field broker is spoken to through paho itself, as a device would: its
 * topics are not Tide's. */
#include "deploy/demo/links.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/net/nodelay.h"
#include "tide/client.h"

#define FIELD_WAIT_MS 8000
#define FIELD_BUFFERED_MAX 20000
#define CLOSERS 16

struct demo_link {
    struct demo_links *links;
    struct tide_client *client; /* NULL: has not spoken yet */
    int account;
    bool watches;
};

struct demo_links {
    const struct demo_hood *hood;
    const char *people_uri, *field_uri, *domain;
    struct demo_link link[DEMO_ACCOUNTS_MAX];
    MQTTAsync field;
    bool field_up;
    size_t open;

    pthread_mutex_t lock;
    pthread_cond_t came;
    struct demo_news *first, *last;
    size_t waiting;
};

/* What a reply callback needs. */
struct asked {
    struct demo_links *links;
    int what, who;
};

int64_t demo_elapsed_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the queue ---------------------------------------------------------------------------- */

static void push(struct demo_links *links, const struct demo_news *head, const char *topic,
                 const char *json, size_t len)
{
    struct demo_news *news = malloc(sizeof(*news) + len + 1);
    if (news == NULL) {
        (void)fputs("tide-demo: out of memory\n", stderr);
        abort();
    }
    *news = *head;
    news->next = NULL;
    news->at_us = demo_elapsed_us();
    (void)snprintf(news->topic, sizeof(news->topic), "%s", topic != NULL ? topic : "");
    if (len > 0) {
        memcpy(news->json, json, len);
    }
    news->json[len] = '\0';
    (void)pthread_mutex_lock(&links->lock);
    if (links->last == NULL) {
        links->first = news;
    } else {
        links->last->next = news;
    }
    links->last = news;
    if (news->kind == DEMO_REPLY) {
        links->waiting--;
    }
    (void)pthread_cond_signal(&links->came);
    (void)pthread_mutex_unlock(&links->lock);
}

struct demo_news *demo_links_next(struct demo_links *links, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    (void)pthread_mutex_lock(&links->lock);
    while (links->first == NULL &&
           pthread_cond_timedwait(&links->came, &links->lock, &until) == 0) {
    }
    struct demo_news *news = links->first;
    if (news != NULL) {
        links->first = news->next;
        if (links->first == NULL) {
            links->last = NULL;
        }
    }
    (void)pthread_mutex_unlock(&links->lock);
    return news;
}

size_t demo_links_waiting(struct demo_links *links)
{
    (void)pthread_mutex_lock(&links->lock);
    size_t waiting = links->waiting;
    (void)pthread_mutex_unlock(&links->lock);
    return waiting;
}

size_t demo_links_count(const struct demo_links *links)
{
    return links->open;
}

/* ---- people -------------------------------------------------------------------------------- */

static void on_reply(void *arg, int error, const char *rid, const char *code, const char *json,
                     size_t len)
{
    (void)rid;
    struct asked *asked = arg;
    struct demo_news head = {
        .kind = DEMO_REPLY, .what = asked->what, .who = asked->who, .error = error};
    (void)snprintf(head.code, sizeof(head.code), "%s", code != NULL ? code : "");
    push(asked->links, &head, NULL, json, json != NULL ? len : 0);
    free(asked);
}

static void on_notice(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    (void)topic;
    (void)retained;
    const struct demo_link *link = arg;
    push(link->links, &(struct demo_news){.kind = DEMO_NOTICE, .who = link->account}, NULL, payload,
         len);
}

static void on_public(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    (void)retained;
    const struct demo_link *link = arg;
    push(link->links, &(struct demo_news){.kind = DEMO_MESSAGE, .who = link->account}, topic,
         payload, len);
}

static int open_link(struct demo_links *links, struct demo_link *link)
{
    const struct demo_account *account = &links->hood->accounts[link->account];
    char zones[128];
    (void)snprintf(zones, sizeof(zones), "tide/1/%s/pub/zone/+", links->domain);
    const char *const public[] = {zones, "tide/1/sys/+", NULL};
    struct tide_client_conf conf = {
        .uri = links->people_uri,
        .domain = links->domain,
        .user = account->user,
        .secret = account->secret,
        .on_notice = strcmp(account->kind, "app") == 0 ? on_notice : NULL,
        .on_message = link->watches ? on_public : NULL,
        .subscriptions = link->watches ? public : NULL,
        .arg = link,
    };
    int error = tide_client_open(&link->client, &conf);
    if (error != 0) {
        (void)fprintf(stderr, "tide-demo: %s: %s\n", account->user, tide_client_strerror(error));
        return -1;
    }
    links->open++;
    return 0;
}

void demo_links_watch(struct demo_links *links, int account)
{
    links->link[account].watches = true;
}

int demo_links_ask(struct demo_links *links, int account, const char *op, const char *fields,
                   int what, int who)
{
    struct demo_link *link = &links->link[account];
    if (link->client == NULL && open_link(links, link) != 0) {
        return -1;
    }
    struct asked *asked = malloc(sizeof(*asked));
    if (asked == NULL) {
        return -1;
    }
    *asked = (struct asked){.links = links, .what = what, .who = who};
    (void)pthread_mutex_lock(&links->lock);
    links->waiting++;
    (void)pthread_mutex_unlock(&links->lock);
    int error = tide_client_send(link->client, op, fields, NULL, on_reply, asked);
    if (error == 0) {
        return 0;
    }
    (void)fprintf(stderr, "tide-demo: %s %s: %s\n", op, fields, tide_client_strerror(error));
    (void)pthread_mutex_lock(&links->lock);
    links->waiting--;
    (void)pthread_mutex_unlock(&links->lock);
    free(asked);
    return -1;
}

/* ---- devices ------------------------------------------------------------------------------- */

static int on_field(void *arg, char *topic, int topic_len, MQTTAsync_message *message)
{
    (void)topic_len;
    struct demo_links *links = arg;
    push(links, &(struct demo_news){.kind = DEMO_FIELD}, topic, message->payload,
         (size_t)message->payloadlen);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_field_up(void *arg, char *cause)
{
    (void)cause;
    struct demo_links *links = arg;
    char host[128];
    (void)nodelay_set(host, nodelay_uri(links->field_uri, host, sizeof(host)));
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    /* One of our own messages comes back now and then: it keeps paho's receiver awake, which else
     * sleeps a tenth of a second after each quiet one and would be measured with the gates. */
    (void)MQTTAsync_subscribe(links->field, "device/+/message/down/+", 1, &options);
    (void)MQTTAsync_subscribe(links->field, "device/+/message/up/keep_alive", 0, &options);
    (void)pthread_mutex_lock(&links->lock);
    links->field_up = true;
    (void)pthread_cond_signal(&links->came);
    (void)pthread_mutex_unlock(&links->lock);
}

static bool wait_field(struct demo_links *links)
{
    int64_t end_us = demo_elapsed_us() + FIELD_WAIT_MS * 1000;
    struct timespec end = {.tv_sec = end_us / 1000000, .tv_nsec = end_us % 1000000 * 1000};
    (void)pthread_mutex_lock(&links->lock);
    while (!links->field_up && pthread_cond_timedwait(&links->came, &links->lock, &end) == 0) {
    }
    bool up = links->field_up;
    (void)pthread_mutex_unlock(&links->lock);
    return up;
}

static int open_field(struct demo_links *links, const char *user, const char *secret)
{
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
    create.maxBufferedMessages = FIELD_BUFFERED_MAX;
    create.sendWhileDisconnected = 1;
    if (MQTTAsync_createWithOptions(&links->field, links->field_uri, "tide-demo-devices",
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &create) != MQTTASYNC_SUCCESS) {
        return -1;
    }
    (void)MQTTAsync_setCallbacks(links->field, links, NULL, on_field, NULL);
    (void)MQTTAsync_setConnected(links->field, links, on_field_up);
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
    connect.username = *user != '\0' ? user : NULL;
    connect.password = *user != '\0' ? secret : NULL;
    connect.automaticReconnect = 1;
    connect.cleansession = 1;
    if (MQTTAsync_connect(links->field, &connect) != MQTTASYNC_SUCCESS || !wait_field(links)) {
        (void)fprintf(stderr, "tide-demo: no connection to the field broker at %s\n",
                      links->field_uri);
        return -1;
    }
    return 0;
}

int demo_links_field(struct demo_links *links, const char *topic, const char *json)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    return MQTTAsync_send(links->field, topic, (int)strlen(json), json, 1, 0, &options) ==
                   MQTTASYNC_SUCCESS
               ? 0
               : -1;
}

/* ---- open, close --------------------------------------------------------------------------- */

struct demo_links *demo_links_open(const struct demo_hood *hood, const char *people_uri,
                                   const char *field_uri, const char *field_user,
                                   const char *field_secret, const char *domain)
{
    struct demo_links *links = calloc(1, sizeof(*links));
    if (links == NULL) {
        return NULL;
    }
    links->hood = hood;
    links->people_uri = people_uri;
    links->field_uri = field_uri;
    links->domain = domain;
    for (int i = 0; i < DEMO_ACCOUNTS_MAX; i++) {
        links->link[i] = (struct demo_link){.links = links, .account = i};
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&links->lock, NULL);
    (void)pthread_cond_init(&links->came, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (open_field(links, field_user, field_secret) != 0) {
        demo_links_close(links);
        return NULL;
    }
    return links;
}

struct closer {
    struct demo_links *links;
    size_t first;
};

static void *close_some(void *arg)
{
    const struct closer *closer = arg;
    for (size_t i = closer->first; i < DEMO_ACCOUNTS_MAX; i += CLOSERS) {
        closer->links->link[i].client = tide_client_close(closer->links->link[i].client);
    }
    return NULL;
}

/* A connection takes a while to close (paho waits for its threads): many at once. */
void demo_links_close(struct demo_links *links)
{
    pthread_t threads[CLOSERS];
    struct closer closers[CLOSERS];
    for (size_t i = 0; i < CLOSERS; i++) {
        closers[i] = (struct closer){.links = links, .first = i};
        if (pthread_create(&threads[i], NULL, close_some, &closers[i]) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < CLOSERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (links->field != NULL) {
        MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
        (void)MQTTAsync_disconnect(links->field, &options);
        MQTTAsync_destroy(&links->field);
    }
    while (links->first != NULL) {
        struct demo_news *next = links->first->next;
        free(links->first);
        links->first = next;
    }
    (void)pthread_cond_destroy(&links->came);
    (void)pthread_mutex_destroy(&links->lock);
    free(links);
}
