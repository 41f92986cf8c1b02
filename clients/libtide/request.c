/* request.c - the requests under way: found by rid, ordered by when to look at them next.
 *
 *   bucket[hash(rid)] ─► request ─► request          found when a reply comes
 *   heap[0] = the one due first                      retry, or the end of its life
 *   fresh ─► request ─► …                            waiting for room in the window
 *   answered ─► request ─► …                         waiting for the worker to call back
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/libtide/libtide.h"
#include "tide/limits.h"

/* ---- the heap: each request knows where it stands ------------------------------------------ */
static void heap_place(struct tide_client *client, struct libtide_request *request, size_t at)
{
    client->heap[at] = request;
    request->heap_at = at + 1;
}

static void heap_up(struct tide_client *client, size_t at)
{
    struct libtide_request *request = client->heap[at];

    while (at > 0 && client->heap[(at - 1) / 2]->due_ms > request->due_ms) {
        heap_place(client, client->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    heap_place(client, request, at);
}

static void heap_down(struct tide_client *client, size_t at)
{
    struct libtide_request *request = client->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= client->heap_len)
            break;
        if (child + 1 < client->heap_len &&
            client->heap[child + 1]->due_ms < client->heap[child]->due_ms)
            child++;
        if (client->heap[child]->due_ms >= request->due_ms)
            break;
        heap_place(client, client->heap[child], at);
        at = child;
    }
    heap_place(client, request, at);
}

static void heap_remove(struct tide_client *client, struct libtide_request *request)
{
    size_t at = request->heap_at;
    struct libtide_request *last;

    if (at == 0)
        return;
    request->heap_at = 0;
    last = client->heap[--client->heap_len];
    if (last == request)
        return;
    heap_place(client, last, at - 1);
    heap_up(client, last->heap_at - 1);
    heap_down(client, last->heap_at - 1);
}

/* (Re)places a request so that it is looked at when due. */
static void heap_set(struct tide_client *client, struct libtide_request *request, int64_t due_ms)
{
    heap_remove(client, request);
    request->due_ms = due_ms;
    heap_place(client, request, client->heap_len++);
    heap_up(client, request->heap_at - 1);
}

/* ---- the table ----------------------------------------------------------------------------- */
static size_t bucket_of(const char *rid, size_t len)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)rid[i]) * 16777619u;
    return hash & (LIBTIDE_BUCKETS - 1);
}

void libtide_requests_init(struct tide_client *client)
{
    client->fresh_tail = &client->fresh;
    client->answered_tail = &client->answered;
    client->facts_tail = &client->facts;
    client->messages_tail = &client->messages;
}

static void enqueue(struct libtide_request ***tail, struct libtide_request *request)
{
    request->queue_next = NULL;
    **tail = request;
    *tail = &request->queue_next;
}

static void queue_fresh(struct tide_client *client, struct libtide_request *request)
{
    request->state = LIBTIDE_QUEUED;
    enqueue(&client->fresh_tail, request);
}

static void unqueue(struct libtide_request **head, struct libtide_request ***tail,
                    const struct libtide_request *request)
{
    for (struct libtide_request **at = head; *at; at = &(*at)->queue_next) {
        if (*at != request)
            continue;
        *at = request->queue_next;
        if (*tail == &request->queue_next)
            *tail = at;
        return;
    }
}

static void request_free(struct libtide_request *request)
{
    free(request->body);
    free(request->reply);
    free(request);
}

struct libtide_request *libtide_request_find(struct tide_client *client, const char *rid,
                                             size_t len)
{
    struct libtide_request *at = client->bucket[bucket_of(rid, len)];

    while (at && (strlen(at->rid) != len || memcmp(at->rid, rid, len) != 0))
        at = at->hash_next;
    return at;
}

/* Out of table, heap and queues; still whole. */
static void request_unlink(struct tide_client *client, struct libtide_request *request)
{
    struct libtide_request **at = &client->bucket[bucket_of(request->rid, strlen(request->rid))];

    while (*at && *at != request)
        at = &(*at)->hash_next;
    if (*at)
        *at = request->hash_next;
    heap_remove(client, request);
    if (request->state == LIBTIDE_QUEUED)
        unqueue(&client->fresh, &client->fresh_tail, request);
    if (request->state == LIBTIDE_ANSWERED)
        unqueue(&client->answered, &client->answered_tail, request);
    client->request_count--;
}

void libtide_request_drop(struct tide_client *client, struct libtide_request *request)
{
    request_unlink(client, request);
    if (request->sending)
        request->dropped = true;
    else
        request_free(request);
}

/* A hand at an arm means now; the daemon takes no longer life for it. */
static uint32_t life_of(const char *op, uint32_t life_ms)
{
    bool pulse = strcmp(op, "gate.open") == 0 && life_ms > TIDE_GATE_PULSE_VALID_MS;

    return pulse ? TIDE_GATE_PULSE_VALID_MS : life_ms;
}

int libtide_request_add(struct tide_client *client, const char *op, const char *fields,
                        const char *rid, uint32_t life_ms, tide_reply_fn *fn, void *arg)
{
    struct libtide_request *request;
    size_t bucket;
    bool usage = false;

    if (!libtide_name_ok(op) || !libtide_rid_ok(rid) || client->conf.gateway)
        return TIDE_CLIENT_USAGE;
    if (libtide_request_find(client, rid, strlen(rid)))
        return TIDE_CLIENT_USAGE;
    if (client->request_count >= LIBTIDE_REQUESTS_MAX)
        return TIDE_CLIENT_NOMEM;
    request = calloc(1, sizeof *request);
    if (!request)
        return TIDE_CLIENT_NOMEM;
    life_ms = life_of(op, life_ms);
    request->body =
        libtide_body(fields, rid, libtide_real_ms() + life_ms, &request->body_len, &usage);
    if (!request->body) {
        free(request);
        return usage ? TIDE_CLIENT_USAGE : TIDE_CLIENT_NOMEM;
    }
    memcpy(request->rid, rid, strlen(rid) + 1);
    memcpy(request->op, op, strlen(op) + 1);
    request->fn = fn;
    request->arg = arg;
    request->end_ms = libtide_elapsed_ms() + life_ms;
    bucket = bucket_of(rid, strlen(rid));
    request->hash_next = client->bucket[bucket];
    client->bucket[bucket] = request;
    client->request_count++;
    heap_set(client, request, request->end_ms);
    queue_fresh(client, request);
    return TIDE_CLIENT_OK;
}

void libtide_request_reply(struct tide_client *client, const char *rid, size_t rid_len,
                           const char *json, size_t len)
{
    struct libtide_request *request = libtide_request_find(client, rid, rid_len);
    char *copy;

    if (!request || request->state == LIBTIDE_ANSWERED || request->sends == 0) {
        client->stats.strays++;
        return;
    }
    copy = malloc(len + 1);
    if (!copy)
        return; /* it is asked for again */
    memcpy(copy, json, len);
    copy[len] = '\0';
    free(request->reply);
    request->reply = copy;
    request->reply_len = len;
    if (request->state == LIBTIDE_QUEUED)
        unqueue(&client->fresh, &client->fresh_tail, request);
    heap_remove(client, request);
    request->state = LIBTIDE_ANSWERED;
    enqueue(&client->answered_tail, request);
    client->stats.replies++;
}

void libtide_requests_resend(struct tide_client *client)
{
    for (size_t i = 0; i < client->heap_len; i++)
        if (client->heap[i]->state == LIBTIDE_SENT)
            queue_fresh(client, client->heap[i]);
}

int64_t libtide_requests_due(const struct tide_client *client)
{
    return client->heap_len ? client->heap[0]->due_ms : INT64_MAX;
}

/* ---- the worker's part --------------------------------------------------------------------- */
static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Calls back without the lock, then frees. The request is out of everything already. */
static void call_back(struct tide_client *client, struct libtide_request *request, int error,
                      const char *code)
{
    if (request->fn) {
        pthread_mutex_unlock(&client->lock);
        request->fn(request->arg, error, request->rid, code, request->reply, request->reply_len);
        pthread_mutex_lock(&client->lock);
    }
    request_free(request);
    pthread_cond_broadcast(&client->changed);
}

static void note_incarnation(struct tide_client *client, uint32_t incarnation)
{
    uint32_t known = client->stats.incarnation;

    if (incarnation <= known)
        return;
    client->stats.incarnation = incarnation;
    if (known == 0)
        return;
    client->conf.inbox_after = 0; /* a restore: numbers of notices began anew below ours */
    client->inbox_wanted = true;
}

static void take_answer(struct tide_client *client, struct libtide_request *request)
{
    char code[24];
    uint32_t incarnation;
    int error = TIDE_CLIENT_REFUSED;

    libtide_code(request->reply, request->reply_len, code, sizeof code, &incarnation);
    note_incarnation(client, incarnation);
    if (!code[0] || strcmp(code, "busy") == 0 || strcmp(code, "unavailable") == 0) {
        unqueue(&client->answered, &client->answered_tail, request);
        request->state = LIBTIDE_SENT;
        heap_set(client, request,
                 least(libtide_elapsed_ms() + client->conf.retry_ms, request->end_ms));
        return;
    }
    if (strcmp(code, "ok") == 0)
        error = TIDE_CLIENT_OK;
    else if (strcmp(code, "expired") == 0)
        error = TIDE_CLIENT_EXPIRED;
    request_unlink(client, request);
    call_back(client, request, error, code);
}

/* Its time to be looked at: again, once more, or the end. */
static void fall_due(struct tide_client *client, struct libtide_request *request, int64_t now)
{
    if (now < request->end_ms) {
        if (request->state == LIBTIDE_SENT)
            queue_fresh(client, request);
        heap_set(client, request, request->end_ms);
        return;
    }
    if (request->sends > 0 && !request->last_call) {
        request->last_call = true;
        request->end_ms = now + LIBTIDE_LAST_CALL_MS;
        heap_set(client, request, request->end_ms);
        if (request->state == LIBTIDE_SENT)
            queue_fresh(client, request);
        return;
    }
    request_unlink(client, request);
    if (request->reply) {
        char code[24];
        uint32_t incarnation;

        libtide_code(request->reply, request->reply_len, code, sizeof code, &incarnation);
        call_back(client, request, TIDE_CLIENT_REFUSED, code);
        return;
    }
    call_back(client, request, request->sends ? TIDE_CLIENT_TIMEOUT : TIDE_CLIENT_EXPIRED, "");
}

static void send_one(struct tide_client *client, struct libtide_request *request)
{
    char topic[LIBTIDE_TOPIC_MAX];
    int64_t now = libtide_elapsed_ms();

    unqueue(&client->fresh, &client->fresh_tail, request);
    request->state = LIBTIDE_SENT;
    request->sending = true;
    client->stats.repeated += request->sends > 0;
    client->stats.sent++;
    request->sends++;
    client->in_flight++;
    heap_set(client, request, least(now + client->conf.retry_ms, request->end_ms));
    snprintf(topic, sizeof topic, "%sreq/%s", client->prefix, request->op);
    pthread_mutex_unlock(&client->lock);
    int rc = libtide_link_send(client, topic, request->body, request->body_len, client->conf.qos);
    pthread_mutex_lock(&client->lock);
    if (rc != 0 && client->in_flight > 0)
        client->in_flight--;
    request->sending = false;
    if (request->dropped)
        request_free(request);
}

static void send_fact(struct tide_client *client)
{
    struct libtide_fact *fact = client->facts;

    client->facts = fact->next;
    if (!client->facts)
        client->facts_tail = &client->facts;
    client->fact_count--;
    client->in_flight++;
    pthread_mutex_unlock(&client->lock);
    int rc = libtide_link_send(client, fact->topic, fact->payload, fact->len, 1);
    pthread_mutex_lock(&client->lock);
    if (rc != 0 && client->in_flight > 0)
        client->in_flight--;
    free(fact->payload);
    free(fact);
}

bool libtide_requests_turn(struct tide_client *client)
{
    int64_t now = libtide_elapsed_ms();
    bool did = false;

    while (client->answered && !client->stopping) {
        take_answer(client, client->answered);
        did = true;
    }
    while (client->heap_len && client->heap[0]->due_ms <= now && !client->stopping) {
        fall_due(client, client->heap[0], now);
        did = true;
    }
    while (client->facts && client->link == LIBTIDE_UP && client->in_flight < client->window) {
        send_fact(client);
        did = true;
    }
    while (client->fresh && client->link == LIBTIDE_UP && client->in_flight < client->window) {
        send_one(client, client->fresh);
        did = true;
        if (client->answered)
            break;
    }
    return did;
}

void libtide_requests_clear(struct tide_client *client)
{
    for (size_t i = 0; i < LIBTIDE_BUCKETS; i++) {
        while (client->bucket[i]) {
            struct libtide_request *request = client->bucket[i];

            request_unlink(client, request);
            call_back(client, request, TIDE_CLIENT_TIMEOUT, "");
        }
    }
    while (client->facts) {
        struct libtide_fact *fact = client->facts;

        client->facts = fact->next;
        free(fact->payload);
        free(fact);
    }
    client->facts_tail = &client->facts;
    client->fact_count = 0;
}
