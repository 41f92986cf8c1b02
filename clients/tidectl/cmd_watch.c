/* cmd_watch.c - a zone's retained state and one's own notices, a line each, until Ctrl-C. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

struct watch {
    pthread_mutex_t lock;
    struct ctl *ctl;
    const char *zone;
    int64_t since_ms; /* civil; older notices are not news. 0: not known yet */
    long lines, lines_max;
};

/* Lock held: a line is out. */
static void count_line(struct watch *watch)
{
    watch->lines++;
    fflush(stdout);
    if (watch->lines_max > 0 && watch->lines >= watch->lines_max)
        kill(getpid(), SIGTERM);
}

static void print_body(const char *topic, const cJSON *body)
{
    char *text = cJSON_PrintUnformatted(body);

    printf("{\"topic\":\"%s\",\"message\":%s}\n", topic, text ? text : "null");
    cJSON_free(text);
}

static void on_message(void *sink, const char *topic, const cJSON *body)
{
    struct watch *watch = sink;
    bool is_zone = strstr(topic, "/pub/zone/") != NULL;
    char when[48];

    if (!is_zone && strncmp(topic, "tide/1/sys/", 11) != 0)
        return;
    pthread_mutex_lock(&watch->lock);
    if (!is_zone && watch->since_ms == 0)
        watch->since_ms = ctl_civil(watch->ctl);
    if (watch->ctl->conf.json) {
        print_body(topic, body);
        count_line(watch);
    } else if (is_zone) {
        ctl_when_show(ctl_text_of(body, "ts"), when, sizeof when);
        printf("%s  ", when);
        ctl_pad(stdout, ctl_text_of(body, "zone"), 10, false);
        printf(CTL_T("open %4.0f  promised %4.0f  parked %4.0f  free %4.0f\n",
                     "开放 %4.0f  已约 %4.0f  在停 %4.0f  空位 %4.0f\n"),
               ctl_number_of(body, "open"), ctl_number_of(body, "promised"),
               ctl_number_of(body, "parked"), ctl_number_of(body, "free"));
        count_line(watch);
    } else if (strcmp(ctl_text_of(body, "state"), "up") != 0) {
        printf(CTL_T("the daemon %s is %s\n", "系统 %s:%s\n"), ctl_text_of(body, "node"),
               ctl_word("state", ctl_text_of(body, "state")));
        count_line(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

static void on_notice(void *sink, const cJSON *row)
{
    struct watch *watch = sink;
    const char *at = ctl_text_of(row, "at");
    char when[48], words[600];
    tide_ms at_ms = 0;

    pthread_mutex_lock(&watch->lock);
    if (watch->since_ms == 0)
        watch->since_ms = ctl_civil(watch->ctl);
    if (tide_time_parse(at, strlen(at), &at_ms) == 0 && at_ms < watch->since_ms - 60000) {
        pthread_mutex_unlock(&watch->lock);
        return;
    }
    ctl_when_show(at, when, sizeof when);
    ctl_notice(row, words, sizeof words);
    if (watch->ctl->conf.json) {
        print_body("inbox", row);
    } else {
        printf("%s  ", when);
        ctl_pad(stdout, words, 0, false);
        putchar('\n');
    }
    count_line(watch);
    pthread_mutex_unlock(&watch->lock);
}

static void wait_for_signal(sigset_t *ends)
{
    int number;

    while (sigwait(ends, &number) != 0)
        ;
}

int ctl_run_watch(struct ctl *ctl, const struct ctl_args *args)
{
    static struct watch watch = {.lock = PTHREAD_MUTEX_INITIALIZER}; /* outlives this function */
    const char *count = ctl_args_get(args, "--count");
    char filter[300];
    sigset_t ends;
    int rc;

    watch.ctl = ctl;
    watch.zone = ctl_args_get(args, "ZONE");
    if (count)
        watch.lines_max = strtol(count, NULL, 10);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    snprintf(filter, sizeof filter, "tide/1/%s/pub/zone/%s", ctl->conf.domain,
             watch.zone ? watch.zone : "+");
    ctl->sink = &watch;
    ctl->on_message = on_message;
    ctl->on_notice = on_notice;
    rc = ctl_connect(ctl, filter);
    if (rc == CTL_EXIT_OK)
        wait_for_signal(&ends);
    return rc;
}
