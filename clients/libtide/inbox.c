/* inbox.c - notices, each once and in order, none missed.
 *
 *   connected ──┐
 *   hint ───────┼──► wanted ──► inbox.read{after} ──► deliver, after = last id ──► more? again
 *   5 minutes ──┘        ▲                                │
 *                        └─────────── refused ────────────┘ (after a while)
 *
 * The topic `inbox` only says "look"; what is delivered are the rows that the daemon answers with.
 * One read is under way at a time; a hint that comes meanwhile leads to another read.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "clients/libtide/libtide.h"

#define REFUSED_PAUSE_MS 15000
#define READ_LIFE_MS 60000

void libtide_inbox_hint(struct tide_client *client)
{
    client->inbox_wanted = true;
    client->inbox_due_ms = 0;
}

/* On the worker, without the lock. */
static void deliver(struct tide_client *client, const cJSON *row, uint32_t id)
{
    char *text = cJSON_PrintUnformatted(row);

    if (!text)
        return;
    client->conf.on_notice(client->conf.arg, "inbox", text, strlen(text), false);
    cJSON_free(text);
    pthread_mutex_lock(&client->lock);
    client->conf.inbox_after = id;
    client->stats.notices++;
    pthread_mutex_unlock(&client->lock);
}

static void deliver_all(struct tide_client *client, const cJSON *reply)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(reply, "items"), *row;

    cJSON_ArrayForEach(row, items)
    {
        const cJSON *is = cJSON_GetObjectItemCaseSensitive(row, "is");
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(row, "notice");

        if (!cJSON_IsString(is) || strcmp(is->valuestring, "notice") != 0 || !cJSON_IsNumber(id))
            continue;
        if (id->valuedouble > client->conf.inbox_after && id->valuedouble < 4294967296.0)
            deliver(client, row, (uint32_t)id->valuedouble);
    }
}

static void on_page(void *arg, int error, const char *rid, const char *code, const char *json,
                    size_t len)
{
    struct tide_client *client = arg;
    uint32_t before = client->conf.inbox_after;
    cJSON *reply = error == TIDE_CLIENT_OK ? cJSON_ParseWithLength(json, len) : NULL;
    bool more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "more"));

    (void)rid;
    (void)code;
    if (reply)
        deliver_all(client, reply);
    cJSON_Delete(reply);
    pthread_mutex_lock(&client->lock);
    client->inbox_asking = false;
    if (!reply) {
        client->inbox_wanted = true;
        client->inbox_due_ms = libtide_elapsed_ms() + REFUSED_PAUSE_MS;
    } else if (more && client->conf.inbox_after != before) {
        libtide_inbox_hint(client);
    } else if (!client->inbox_wanted) {
        client->inbox_due_ms = libtide_elapsed_ms() + LIBTIDE_INBOX_POLL_MS;
    }
    pthread_mutex_unlock(&client->lock);
}

bool libtide_inbox_turn(struct tide_client *client)
{
    char rid[LIBTIDE_RID_MAX + 1], fields[32];

    if (!client->conf.on_notice || client->inbox_asking || client->link != LIBTIDE_UP)
        return false;
    if (libtide_elapsed_ms() < client->inbox_due_ms)
        return false;
    if (tide_client_rid(rid, sizeof rid) != 0)
        return false;
    snprintf(fields, sizeof fields, "{\"after\":%u}", client->conf.inbox_after);
    client->inbox_wanted = false;
    client->inbox_due_ms = libtide_elapsed_ms() + REFUSED_PAUSE_MS;
    if (libtide_request_add(client, "inbox.read", client->conf.inbox_after ? fields : "{}", rid,
                            READ_LIFE_MS, on_page, client) != TIDE_CLIENT_OK)
        return false;
    client->inbox_asking = true;
    return true;
}

int64_t libtide_inbox_due(const struct tide_client *client)
{
    if (!client->conf.on_notice || client->inbox_asking || client->link != LIBTIDE_UP)
        return INT64_MAX;
    return client->inbox_due_ms;
}
