/* session.c - one connection, the daemon's civil clock, and asking with words for what goes wrong.
 *
 * tide/1/sys/{node} is retained and says what time it is for the domain: civil, real, scale. From
 * it "18:00" and "+2h" get their meaning, also when a demo's day runs at 720 times the speed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

#define LIFE_BEYOND_TIMEOUT_MS 20000 /* clocks of two machines differ */
#define CLOCK_WAIT_MS 1000
#define GOODBYE_MS 250

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t clock_came = PTHREAD_COND_INITIALIZER;

static int64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes the minutes east of Greenwich from the end of an RFC 3339 text, if they stand there. */
static void take_offset(struct ctl_clock *clock, const char *text)
{
    size_t len = strlen(text);
    const char *at = len > 6 ? text + len - 6 : "";
    int minutes;

    if ((at[0] != '+' && at[0] != '-') || at[3] != ':')
        return;
    minutes = (int)(strtol(at + 1, NULL, 10) * 60 + strtol(at + 4, NULL, 10));
    clock->utc_offset_min = at[0] == '-' ? -minutes : minutes;
    clock->offset_known = true;
}

static void take_clock(struct ctl *ctl, const cJSON *body)
{
    const char *civil = ctl_text_of(body, "civil"), *real = ctl_text_of(body, "real");
    struct ctl_clock clock = {.known = true, .scale = (int)ctl_number_of(body, "scale")};

    snprintf(clock.node, sizeof clock.node, "%s", ctl_text_of(body, "node"));
    snprintf(clock.state, sizeof clock.state, "%s", ctl_text_of(body, "state"));
    clock.scale = clock.scale < 1 ? 1 : clock.scale;
    clock.utc_offset_min = ctl->clock.utc_offset_min;
    clock.offset_known = ctl->clock.offset_known;
    if (tide_time_parse(civil, strlen(civil), &clock.civil_ms) == 0 &&
        tide_time_parse(real, strlen(real), &clock.real_ms) == 0)
        take_offset(&clock, civil);
    else
        clock.civil_ms = clock.real_ms = 0;
    pthread_mutex_lock(&lock);
    if (!ctl->clock.known || strcmp(clock.state, "up") == 0 || strcmp(ctl->clock.state, "up") != 0)
        ctl->clock = clock;
    pthread_cond_broadcast(&clock_came);
    pthread_mutex_unlock(&lock);
}

static void on_message(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    struct ctl *ctl = arg;
    cJSON *body = cJSON_ParseWithLength(payload, len);

    (void)retained;
    if (body && strncmp(topic, "tide/1/sys/", 11) == 0)
        take_clock(ctl, body);
    if (body && ctl->on_message)
        ctl->on_message(ctl->sink, topic, body);
    cJSON_Delete(body);
}

static void on_notice(void *arg, const char *topic, const char *payload, size_t len, bool retained)
{
    struct ctl *ctl = arg;
    cJSON *row = cJSON_ParseWithLength(payload, len);

    (void)topic;
    (void)retained;
    if (row && ctl->on_notice)
        ctl->on_notice(ctl->sink, row);
    cJSON_Delete(row);
}

/* ---- connecting ---------------------------------------------------------------------------- */
static int complain_offline(struct ctl *ctl, int error)
{
    char trouble[200] = "";

    if (ctl->client)
        tide_client_trouble(ctl->client, trouble, sizeof trouble);
    if (error == TIDE_CLIENT_DENIED)
        ctl_complain(
            CTL_T("%s does not let user '%s' in\n"
                  "  is the secret right (--secret-file), the user not revoked, and tided "
                  "running with this broker?",
                  "%s 拒绝账号“%s”登录\n"
                  "  请检查密码文件(--secret-file)、账号是否已停用,以及 tided 是否在使用此服务器"),
            ctl->conf.uri, ctl->conf.user);
    else
        ctl_complain(CTL_T("cannot connect: %s\n  is the broker running there? another address: "
                           "--uri, or uri = … in ~/.config/tide/tidectl.conf",
                           "无法连接:%s\n  服务器是否在运行?可用 --uri 或 "
                           "~/.config/tide/tidectl.conf 中的 uri = … 更换地址"),
                     trouble[0] ? trouble : ctl->conf.uri);
    return CTL_EXIT_OFFLINE;
}

static int open_client(struct ctl *ctl, const char *extra)
{
    const char *const filters[] = {"tide/1/sys/+", extra, NULL};
    char id[100], rid[24] = "";
    struct tide_client_conf conf = {
        .uri = ctl->conf.uri,
        .domain = ctl->conf.domain,
        .user = ctl->conf.user,
        .secret = ctl->conf.secret,
        .ca_file = ctl->conf.ca_file[0] ? ctl->conf.ca_file : NULL,
        .client_id = id,
        .mqtt_version = (int)ctl->conf.mqtt,
        .qos = 1,
        .retry_ms = 1000,
        .life_ms = (uint32_t)ctl->conf.timeout_s * 1000 + LIFE_BEYOND_TIMEOUT_MS,
        .subscriptions = filters,
        .on_message = on_message,
        .on_notice = ctl->on_notice ? on_notice : NULL,
        .arg = ctl,
    };

    tide_client_rid(rid, sizeof rid);
    snprintf(id, sizeof id, "%s-%.6s", ctl->conf.user, rid);
    return tide_client_open(&ctl->client, &conf);
}

int ctl_connect(struct ctl *ctl, const char *extra)
{
    char why[600];
    int rc;

    if (ctl->client)
        return CTL_EXIT_OK;
    if (!ctl->conf.user[0]) {
        ctl_complain(
            CTL_T("who are you? give --user and --secret-file, or put user = … and "
                  "secret_file = … into ~/.config/tide/tidectl.conf",
                  "缺少账号:请用 --user 与 --secret-file,或写入 ~/.config/tide/tidectl.conf"));
        return CTL_EXIT_USAGE;
    }
    if (ctl_conf_secret(&ctl->conf, why, sizeof why) != 0) {
        ctl_complain("%s", why);
        return CTL_EXIT_USAGE;
    }
    if (open_client(ctl, extra) != TIDE_CLIENT_OK) {
        ctl_complain(CTL_T("uri, domain or user cannot be used: %s %s %s",
                           "服务器地址、社区或账号无效:%s %s %s"),
                     ctl->conf.uri, ctl->conf.domain, ctl->conf.user);
        return CTL_EXIT_USAGE;
    }
    rc = tide_client_wait(ctl->client, (uint32_t)ctl->conf.timeout_s * 1000);
    return rc == TIDE_CLIENT_OK ? CTL_EXIT_OK : complain_offline(ctl, rc);
}

static void *close_client(void *arg)
{
    struct ctl *ctl = arg;

    ctl->client = tide_client_close(ctl->client);
    return NULL;
}

bool ctl_disconnect(struct ctl *ctl)
{
    struct timespec until;
    pthread_t closer;

    if (!ctl->client || pthread_create(&closer, NULL, close_client, ctl) != 0)
        return !ctl->client;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += GOODBYE_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_timedjoin_np(closer, NULL, &until) == 0;
}

/* ---- the clock ----------------------------------------------------------------------------- */
static void wait_for_clock(struct ctl *ctl)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOCK_WAIT_MS / 1000;
    pthread_mutex_lock(&lock);
    while (!ctl->clock.known)
        if (pthread_cond_timedwait(&clock_came, &lock, &until) != 0)
            break;
    pthread_mutex_unlock(&lock);
}

int64_t ctl_civil(struct ctl *ctl)
{
    int64_t now = real_ms();

    pthread_mutex_lock(&lock);
    if (ctl->clock.known && ctl->clock.civil_ms > 0)
        now = ctl->clock.civil_ms + (now - ctl->clock.real_ms) * ctl->clock.scale;
    pthread_mutex_unlock(&lock);
    return now;
}

/* The daemon writes civil times with the domain's offset; status.read has one. */
static void learn_offset(struct ctl *ctl)
{
    struct tide_answer answer = {0};
    cJSON *reply = NULL;
    const cJSON *item;

    if (tide_client_ask(ctl->client, "status.read", "{}", CLOCK_WAIT_MS, &answer) == TIDE_CLIENT_OK)
        reply = cJSON_Parse(answer.json);
    pthread_mutex_lock(&lock);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
    {
        take_offset(&ctl->clock, ctl_text_of(item, "now"));
    }
    pthread_mutex_unlock(&lock);
    cJSON_Delete(reply);
    tide_answer_clear(&answer);
}

int64_t ctl_now(struct ctl *ctl)
{
    int rc = ctl_connect(ctl, NULL);

    if (rc != CTL_EXIT_OK)
        exit(rc); /* said already; nothing was sent */
    wait_for_clock(ctl);
    if (!ctl->clock.offset_known)
        learn_offset(ctl);
    return ctl_civil(ctl);
}

/* ---- asking -------------------------------------------------------------------------------- */
void ctl_print_json(const cJSON *reply)
{
    char *text = cJSON_PrintUnformatted(reply);

    puts(text ? text : "{}");
    free(text);
}

static int complain_no_answer(struct ctl *ctl)
{
    pthread_mutex_lock(&lock);
    bool down = ctl->clock.known && strcmp(ctl->clock.state, "up") != 0, silent = !ctl->clock.known;
    pthread_mutex_unlock(&lock);
    ctl_complain(CTL_T("%s: no answer within %ld s", "%s:%ld 秒内没有应答"), ctl_doing,
                 ctl->conf.timeout_s);
    if (down || silent)
        fprintf(stderr, "  %s\n",
                CTL_T("the broker is there, but the daemon is not: is tided running?",
                      "服务器在线,但 tided 似乎没有运行"));
    else
        fprintf(stderr, "  %s\n",
                CTL_T("is the domain right (--domain)? otherwise try --timeout 30",
                      "请检查社区名(--domain),或加大 --timeout 30"));
    fprintf(stderr,
            CTL_T("  it may still be done within %d s: look before you repeat it\n",
                  "  该请求 %d 秒内仍可能被执行:重复操作前请先查看\n"),
            LIFE_BEYOND_TIMEOUT_MS / 1000);
    return CTL_EXIT_NO_ANSWER;
}

int ctl_ask(struct ctl *ctl, const char *op, cJSON *members, cJSON **ret_reply)
{
    struct tide_answer answer = {0};
    char *fields = cJSON_PrintUnformatted(members);
    char words[4000];
    int rc = ctl_connect(ctl, NULL);

    *ret_reply = NULL;
    if (rc == CTL_EXIT_OK) {
        rc = tide_client_ask(ctl->client, op, fields ? fields : "{}",
                             (uint32_t)ctl->conf.timeout_s * 1000, &answer);
        *ret_reply = answer.json ? cJSON_Parse(answer.json) : NULL;
        if (*ret_reply && rc != TIDE_CLIENT_OK) {
            if (!ctl->conf.json) {
                ctl_refusal(ctl_doing, *ret_reply, words, sizeof words);
                ctl_complain("%s", words);
            }
            rc = CTL_EXIT_REFUSED;
        } else if (rc == TIDE_CLIENT_OFFLINE || rc == TIDE_CLIENT_DENIED) {
            rc = complain_offline(ctl, rc);
        } else if (rc == TIDE_CLIENT_USAGE || rc == TIDE_CLIENT_NOMEM) {
            ctl_complain("%s: %s", ctl_doing, tide_client_strerror(rc));
            rc = CTL_EXIT_USAGE;
        } else if (rc != TIDE_CLIENT_OK || !*ret_reply) {
            rc = complain_no_answer(ctl);
        }
    }
    free(fields);
    tide_answer_clear(&answer);
    return rc;
}

int ctl_ask_and_show(struct ctl *ctl, const char *op, cJSON *members)
{
    cJSON *reply;
    int rc = ctl_ask(ctl, op, members, &reply);

    if (reply && ctl->conf.json)
        ctl_print_json(reply);
    else if (rc == CTL_EXIT_OK)
        ctl_show(op, reply, stdout);
    cJSON_Delete(reply);
    return rc;
}

void ctl_only_zone(struct ctl *ctl, char *ret, size_t cap, char *ret_names, size_t names_cap)
{
    cJSON *members = cJSON_CreateObject(), *reply = NULL;
    const cJSON *item;
    int count = 0;

    ret[0] = ret_names[0] = '\0';
    if (ctl_ask(ctl, "parking.zones", members, &reply) == CTL_EXIT_OK) {
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(reply, "items"))
        {
            size_t len = strlen(ret_names);
            const char *zone = ctl_text_of(item, "zone");

            if (!*zone || strcmp(ctl_text_of(item, "is"), "zone") != 0)
                continue;
            snprintf(ret_names + len, names_cap - len, "%s%s", len ? " " : "", zone);
            snprintf(ret, cap, "%s", count++ == 0 ? zone : "");
        }
    }
    cJSON_Delete(reply);
    cJSON_Delete(members);
}
