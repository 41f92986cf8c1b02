/* libtide_peer.h - what libtide talks to in its tests: a private mosquitto, and a small daemon's
 * stand-in (paho, in this process) that answers by the op's name:
 *
 *   echo      ok, with the request's own members and a count of how often this rid came
 *   late      as echo, but only from the second time on that this rid comes
 *   busy      twice busy, then ok           always_busy   busy for ever
 *   full      a refusal                     never         no answer, ever
 *   expiring  no answer before `expires`, after it the code expired
 *   inbox.read  the rows of peer.notices after `after`, PEER_PAGE at a time
 *
 * It sends itself a heartbeat: paho serves all handles of a process with one thread, which sleeps
 * through a second of silence, and the tests would pay for it at each connection.
 */
#ifndef LIBTIDE_PEER_H
#define LIBTIDE_PEER_H

#include <MQTTAsync.h>
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEER_PAGE 4
#define PEER_RIDS_MAX 65536

struct peer {
    char folder[64], uri[64];
    int port;
    pid_t broker;
    MQTTAsync paho;
    pthread_mutex_t lock;
    pthread_t beat;
    bool up, stopping;
    char rids[PEER_RIDS_MAX][40]; /* in order of arrival, repeats and all */
    unsigned rid_count, notices;
    unsigned incarnation;
};

static inline void peer_sleep_ms(long ms)
{
    struct timespec nap = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&nap, NULL);
}

static inline int peer_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0), port = 0;

    if (bind(fd, (struct sockaddr *)&at, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        port = ntohs(at.sin_port);
    close(fd);
    return port;
}

static inline void peer_write(const struct peer *peer, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", peer->folder, name);
    file = fopen(path, "w");
    if (file) {
        fputs(text, file);
        fclose(file);
    }
}

static inline bool peer_port_open(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool open = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;

    close(fd);
    return open;
}

static inline int peer_run(char *const argv[])
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return status;
}

static inline int peer_broker_start(struct peer *peer)
{
    char conf[128];

    snprintf(conf, sizeof conf, "%s/mosquitto.conf", peer->folder);
    peer->broker = fork();
    if (peer->broker == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes it along */
        if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
            _exit(126);
        execl("/usr/sbin/mosquitto", "mosquitto", "-c", conf, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200 && !peer_port_open(peer->port); i++)
        peer_sleep_ms(20);
    return peer_port_open(peer->port) ? 0 : -1;
}

static inline void peer_broker_stop(struct peer *peer)
{
    if (peer->broker > 0) {
        kill(peer->broker, SIGTERM);
        waitpid(peer->broker, NULL, 0);
    }
    peer->broker = 0;
}

/* extra: more lines of mosquitto.conf. Users: app1, gw1, peer; the secret of each is "pw". */
static inline int peer_prepare(struct peer *peer, const char *extra)
{
    char text[1024], passwords[128];
    const char *const users[] = {"app1", "gw1", "peer"};

    memset(peer, 0, sizeof *peer);
    pthread_mutex_init(&peer->lock, NULL);
    peer->incarnation = 1;
    snprintf(peer->folder, sizeof peer->folder, "%s/tide_peer_XXXXXX", "/tmp");
    if (!mkdtemp(peer->folder))
        return -1;
    chmod(peer->folder, 0755);
    peer->port = peer_free_port();
    snprintf(peer->uri, sizeof peer->uri, "tcp://127.0.0.1:%d", peer->port);
    snprintf(passwords, sizeof passwords, "%s/passwords", peer->folder);
    peer_write(peer, "passwords", "");
    chmod(passwords, 0644);
    for (size_t i = 0; i < 3; i++) {
        char *const argv[] = {"mosquitto_passwd",          "-b", passwords,
                              (char *)(uintptr_t)users[i], "pw", NULL};

        if (peer_run(argv) != 0)
            return -1;
    }
    snprintf(text, sizeof text,
             "listener %d 127.0.0.1\nallow_anonymous false\npassword_file %s\n"
             "persistence false\nset_tcp_nodelay true\nlog_type none\n%s",
             peer->port, passwords, extra);
    peer_write(peer, "mosquitto.conf", text);
    return peer_broker_start(peer);
}

static inline void peer_publish(struct peer *peer, const char *topic, const char *text, int retain)
{
    MQTTAsync_send(peer->paho, topic, (int)strlen(text), text, 1, retain, NULL);
}

static inline void peer_reply(struct peer *peer, const char *user, const char *rid, cJSON *reply)
{
    char topic[200];
    char *text;

    cJSON_AddStringToObject(reply, "rid", rid);
    cJSON_AddNumberToObject(reply, "incarnation", peer->incarnation);
    text = cJSON_PrintUnformatted(reply);
    snprintf(topic, sizeof topic, "tide/1/home/u/%s/res/%s", user, rid);
    peer_publish(peer, topic, text, 0);
    cJSON_free(text);
}

static inline cJSON *peer_coded(const char *code)
{
    cJSON *reply = cJSON_CreateObject();

    cJSON_AddStringToObject(reply, "code", code);
    return reply;
}

static inline cJSON *peer_inbox(const struct peer *peer, const cJSON *request)
{
    const cJSON *member = cJSON_GetObjectItem(request, "after");
    unsigned after = cJSON_IsNumber(member) ? (unsigned)member->valueint : 0;
    cJSON *reply = peer_coded("ok"), *items = cJSON_AddArrayToObject(reply, "items");

    for (unsigned id = after + 1; id <= peer->notices && id <= after + PEER_PAGE; id++) {
        cJSON *row = cJSON_CreateObject();

        cJSON_AddStringToObject(row, "is", "notice");
        cJSON_AddNumberToObject(row, "notice", id);
        cJSON_AddItemToArray(items, row);
    }
    if (after + PEER_PAGE < peer->notices)
        cJSON_AddTrueToObject(reply, "more");
    return reply;
}

static inline bool peer_is_over(const cJSON *request)
{
    const cJSON *expires = cJSON_GetObjectItem(request, "expires");
    time_t now = time(NULL);
    char text[40];
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return cJSON_IsString(expires) && strncmp(text, expires->valuestring, 19) > 0;
}

static inline cJSON *peer_decide(const struct peer *peer, const char *op, const cJSON *request,
                                 unsigned times)
{
    cJSON *reply = NULL;

    if (strcmp(op, "inbox.read") == 0)
        return peer_inbox(peer, request);
    if (strcmp(op, "full") == 0)
        return peer_coded("full");
    if (strcmp(op, "always_busy") == 0 || (strcmp(op, "busy") == 0 && times < 3))
        return peer_coded("busy");
    if (strcmp(op, "expiring") == 0)
        return peer_is_over(request) ? peer_coded("expired") : NULL;
    if (strcmp(op, "never") == 0 || (strcmp(op, "late") == 0 && times < 2))
        return NULL;
    reply = peer_coded("ok");
    cJSON_AddNumberToObject(reply, "times", times);
    cJSON_AddItemToObject(reply, "was", cJSON_Duplicate(request, 1));
    return reply;
}

/* How often a rid has come. Under the lock. */
static inline unsigned peer_times(const struct peer *peer, const char *rid)
{
    unsigned times = 0;

    for (unsigned i = 0; i < peer->rid_count; i++)
        times += strcmp(peer->rids[i], rid) == 0;
    return times;
}

static inline void peer_request(struct peer *peer, const char *user, const char *op,
                                const cJSON *request)
{
    const cJSON *rid = cJSON_GetObjectItem(request, "rid");
    unsigned times = 0;
    cJSON *reply;

    if (!cJSON_IsString(rid) || peer->rid_count >= PEER_RIDS_MAX)
        return;
    pthread_mutex_lock(&peer->lock);
    snprintf(peer->rids[peer->rid_count++], 40, "%.39s", rid->valuestring);
    times = peer_times(peer, rid->valuestring);
    reply = peer_decide(peer, op, request, times);
    pthread_mutex_unlock(&peer->lock);
    if (reply)
        peer_reply(peer, user, rid->valuestring, reply);
    cJSON_Delete(reply);
}

static inline int peer_arrived(void *context, char *topic, int topic_len,
                               MQTTAsync_message *message)
{
    struct peer *peer = context;
    cJSON *request = cJSON_ParseWithLength(message->payload, (size_t)message->payloadlen);
    char user[64], op[64];

    (void)topic_len;
    if (request && sscanf(topic, "tide/1/home/u/%63[^/]/req/%63s", user, op) == 2)
        peer_request(peer, user, op, request);
    cJSON_Delete(request);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static inline void peer_subscribed(void *context, MQTTAsync_successData *data)
{
    struct peer *peer = context;

    (void)data;
    pthread_mutex_lock(&peer->lock);
    peer->up = true;
    pthread_mutex_unlock(&peer->lock);
}

static inline void peer_connected(void *context, char *cause)
{
    struct peer *peer = context;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    char *topics[] = {"tide/1/home/u/+/req/#", "tide/1/home/gw/+/up/#", "peer/beat"};
    int qos[] = {1, 1, 0};

    (void)cause;
    options.context = peer;
    options.onSuccess = peer_subscribed;
    MQTTAsync_subscribeMany(peer->paho, 3, topics, qos, &options);
}

static inline void *peer_beat(void *arg)
{
    struct peer *peer = arg;

    for (bool stopping = false; !stopping;) {
        peer_sleep_ms(40);
        pthread_mutex_lock(&peer->lock);
        stopping = peer->stopping;
        pthread_mutex_unlock(&peer->lock);
        MQTTAsync_send(peer->paho, "peer/beat", 1, "x", 0, 0, NULL);
    }
    return NULL;
}

static inline int peer_start(struct peer *peer)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;

    if (MQTTAsync_create(&peer->paho, peer->uri, "peer", MQTTCLIENT_PERSISTENCE_NONE, NULL) != 0)
        return -1;
    MQTTAsync_setCallbacks(peer->paho, peer, NULL, peer_arrived, NULL);
    MQTTAsync_setConnected(peer->paho, peer, peer_connected);
    options.cleansession = 1;
    options.automaticReconnect = 1;
    options.minRetryInterval = 1;
    options.maxRetryInterval = 1;
    options.username = "peer";
    options.password = "pw";
    if (MQTTAsync_connect(peer->paho, &options) != 0)
        return -1;
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&peer->lock);
        bool up = peer->up;
        pthread_mutex_unlock(&peer->lock);
        if (up)
            return pthread_create(&peer->beat, NULL, peer_beat, peer);
        peer_sleep_ms(10);
    }
    return -1;
}

static inline unsigned peer_seen(struct peer *peer, const char *rid)
{
    pthread_mutex_lock(&peer->lock);
    unsigned seen = peer_times(peer, rid);
    pthread_mutex_unlock(&peer->lock);
    return seen;
}

static inline void peer_stop(struct peer *peer)
{
    char *const argv[] = {"rm", "-rf", peer->folder, NULL};

    pthread_mutex_lock(&peer->lock);
    peer->stopping = true;
    pthread_mutex_unlock(&peer->lock);
    if (peer->beat)
        pthread_join(peer->beat, NULL);
    if (peer->paho)
        MQTTAsync_destroy(&peer->paho);
    peer_broker_stop(peer);
    peer_run(argv);
}

#endif
