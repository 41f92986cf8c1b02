/* peak_echo.c - what the broker and the client library can do at all: daemon/net as tided uses it,
 * each request answered at once with as many bytes as tided would answer, nothing kept. */
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "daemon/net/mqtt.h"
#include "tests/bench/peak.h"

struct echo {
    uv_loop_t loop;
    uv_signal_t term;
    struct mqtt *mqtt;
    size_t reply_bytes;
    uint32_t answered;
};

/* rid is the first member of a request, see peak_request. */
static bool on_message(void *arg, const struct mqtt_message *message)
{
    struct echo *echo = arg;
    char topic[200], reply[16384];
    const char *user = strstr(message->topic, "/u/"), *rid = (const char *)message->payload + 8;
    const char *user_end = user != NULL ? strchr(user + 3, '/') : NULL;
    const char *rid_end = message->len > 8 ? memchr(rid, '"', message->len - 8) : NULL;
    if (user_end == NULL || rid_end == NULL)
        return true;
    int rid_len = (int)(rid_end - rid);
    snprintf(topic, sizeof topic, "tide/1/echo/u/%.*s/res/%.*s", (int)(user_end - user - 3),
             user + 3, rid_len, rid);
    int len =
        snprintf(reply, sizeof reply, "{\"rid\":\"%.*s\",\"code\":\"ok\",\"id\":%u,\"pad\":\"",
                 rid_len, rid, ++echo->answered);
    size_t used = (size_t)len;
    while (used + 2 < echo->reply_bytes && used + 3 < sizeof reply)
        reply[used++] = 'x';
    memcpy(reply + used, "\"}", 2);
    mqtt_publish(echo->mqtt, topic, reply, used + 2, message->qos, false);
    return true;
}

static void on_state(void *arg, bool up)
{
    (void)arg;
    (void)up;
}

static void on_stopped(void *arg)
{
    struct echo *echo = arg;
    uv_close((uv_handle_t *)&echo->term, NULL);
}

static void on_term(uv_signal_t *handle, int signum)
{
    struct echo *echo = handle->data;
    (void)signum;
    uv_signal_stop(handle);
    mqtt_stop(echo->mqtt, 500, on_stopped, echo);
}

int peak_echo_main(const char *uri, const char *secret_file, size_t reply_bytes)
{
    static const char *const topics[] = {"tide/1/echo/u/+/req/#", NULL};
    struct echo echo = {.reply_bytes = reply_bytes};
    char secret[100] = "";
    FILE *file = fopen(secret_file, "re");
    if (file == NULL || fgets(secret, sizeof secret, file) == NULL)
        return 1;
    fclose(file);
    secret[strcspn(secret, "\r\n")] = '\0';
    const struct mqtt_conf conf = {.uri = uri,
                                   .user = "tided",
                                   .secret = secret,
                                   .subscriptions = topics,
                                   .heartbeat_topic = "tide/1/beat/echo",
                                   .on_message = on_message,
                                   .on_state = on_state,
                                   .arg = &echo};
    uv_loop_init(&echo.loop);
    uv_signal_init(&echo.loop, &echo.term);
    echo.term.data = &echo;
    uv_signal_start(&echo.term, on_term, SIGTERM);
    if (mqtt_start(&echo.mqtt, &echo.loop, &conf) != 0)
        return 1;
    uv_run(&echo.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&echo.loop) == 0 ? 0 : 1;
}
