/* server.c - the daemon's table of contents: what comes up in which order, and goes down again.
 *
 *   up     store (recovery) ► engines ► pump ► broker files ► http ► mqtt ► READY after the SUBACK
 *   down   intake stops ► drain, commit ► outbox flushed ► mqtt gone ► http gone ► store closed ►
 *          handles closed ► loop ends by itself
 *
 * kill -9 at any step loses nothing that was answered.
 */
#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/net/http.h"
#include "daemon/pump.h"
#include "tide/check.h"

#define FLUSH_WAIT_MS 5000
#define START_GAP_MS_MAX (7 * TIDE_DAY_MS)

struct server {
    uv_loop_t loop;
    struct conf *conf;
    const struct server_options *options;
    struct pump pump;
    struct clock_state clock;
    struct store *store;
    struct mqtt *mqtt;
    struct http *http;
    uv_signal_t sigterm, sigint, sighup;
    uv_timer_t watchdog;
    char secret[256], broker_hash[TIDE_SECRET_HASH_BYTES_MAX];
    char sys_topic[128], beat_topic[128], will[256];
    char subscriptions[2 * TIDE_DOMAINS_MAX][160];
    const char *subscription_list[2 * TIDE_DOMAINS_MAX + 1];
    struct domain domains[TIDE_DOMAINS_MAX];
    bool ready, stopping;
    uint64_t watched_beat, watched_commits;
    int exit_code;
};

/* ---- the store and what is in it ------------------------------------------------------------ */
static int exit_of(enum store_error error)
{
    switch (error) {
    case STORE_OK:
        return EXIT_FINE;
    case STORE_LOCKED:
        return EXIT_HELD;
    case STORE_CORRUPT:
        return EXIT_CORRUPT;
    case STORE_VERSION:
    case STORE_LIMIT:
    case STORE_USAGE:
        return EXIT_BAD_CONFIG;
    default:
        return EXIT_DISK;
    }
}

void server_backup_folder(const struct conf *conf, char *out, size_t cap)
{
    const char *slash = strrchr(conf->database, '/');
    int head = slash != NULL ? (int)(slash - conf->database + 1) : 0;
    if (conf->backup_folder[0] != '\0')
        (void)snprintf(out, cap, "%s", conf->backup_folder);
    else
        (void)snprintf(out, cap, "%.*sbackups", head, conf->database);
}

static enum store_error open_store(struct server *server, bool scaled)
{
    char why[512] = "", folder[8400];
    server_backup_folder(server->conf, folder, sizeof folder);
    struct store_conf conf = {.path = server->conf->database,
                              .backups = folder,
                              .scaled = scaled,
                              .on_durable = pump_on_durable,
                              .on_applied = pump_on_applied,
                              .arg = &server->pump};
    enum store_error error = store_open(&server->store, &conf, why, sizeof why);
    if (error == STORE_OK)
        return error;
    log_event(LOG_ERROR_, "store.open", "\"error\":%s,\"why\":%s,\"backups\":%s",
              log_str(store_error_name(error)), log_str(why), log_str(folder));
    return error;
}

static bool add_domain(struct server *server, const char *name, size_t len)
{
    struct pump *pump = &server->pump;
    struct domain *domain = &server->domains[pump->domain_count];
    if (len > TIDE_NAME_BYTES_MAX || pump->domain_count == TIDE_DOMAINS_MAX)
        return false;
    memcpy(domain->name, name, len);
    domain->number = store_domain(server->store, domain->name, true);
    domain->buckets_max = (uint32_t)server->conf->households_max * 4 + 1024;
    domain->buckets = calloc(domain->buckets_max, sizeof *domain->buckets);
    pump->domain_count++;
    return domain->number != 0 && domain->buckets != NULL;
}

static enum store_error load_domains(struct server *server)
{
    struct pump *pump = &server->pump;
    const char *at = server->conf->domains;
    pump->domains = server->domains;
    conf_limits(server->conf, &pump->limits);
    while (*(at += strspn(at, " ,")) != '\0') {
        size_t len = strcspn(at, " ,");
        if (!add_domain(server, at, len))
            return STORE_USAGE;
        at += len;
    }
    for (unsigned i = 0; i < pump->domain_count; i++) {
        struct domain *domain = &server->domains[i];
        uint64_t began = uv_hrtime();
        enum store_error error = domain_load(pump, domain);
        if (error != STORE_OK) {
            log_event(LOG_ERROR_, "domain.load", "\"domain\":%s,\"error\":%s",
                      log_str(domain->name), log_str(store_error_name(error)));
            return error;
        }
        domain->public_ver = (uint64_t)clock_real_ms();
        log_event(LOG_INFO_, "domain.loaded", "\"domain\":%s,\"seq\":%llu,\"ms\":%llu",
                  log_str(domain->name), (unsigned long long)domain->position.seq,
                  (unsigned long long)((uv_hrtime() - began) / 1000000));
        if (domain->position.seq > 0 && domain->position.rules != ENGINE_RULES) {
            uint8_t digest[32];
            engine_digest(domain->engine, digest);
            error = store_epoch(server->store, domain->number, domain->engine, digest);
            if (error != STORE_OK)
                return error;
        }
    }
    return STORE_OK;
}

/* ---- the daemon's own account at the broker ------------------------------------------------- */
static int read_secret(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t len = read(fd, out, cap - 1);
    (void)close(fd);
    if (len <= 0)
        return -1;
    out[len] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return 0;
}

static int own_account(struct server *server)
{
    char path[8400];
    const struct conf *conf = server->conf;
    const char *slash = strrchr(conf->database, '/');
    int head = slash != NULL ? (int)(slash - conf->database + 1) : 0;
    if (conf->broker_secret_file[0] != '\0')
        (void)snprintf(path, sizeof path, "%s", conf->broker_secret_file);
    else
        (void)snprintf(path, sizeof path, "%.*sbroker.secret", head, conf->database);
    if (read_secret(path, server->secret, sizeof server->secret) != 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || broker_secret(server->secret, sizeof server->secret) != 0 ||
            write(fd, server->secret, strlen(server->secret)) < 0 || fsync(fd) != 0) {
            log_event(LOG_ERROR_, "broker.secret", "\"file\":%s,\"error\":%s", log_str(path),
                      log_str(strerror(errno)));
            return -1;
        }
        (void)close(fd);
    }
    server->pump.broker_hash = server->broker_hash;
    return broker_hash(server->secret, server->broker_hash, sizeof server->broker_hash);
}

/* ---- going down ----------------------------------------------------------------------------- */
static void on_closed_http(void *arg)
{
    struct server *server = arg;
    pump_close(&server->pump);
    server->store = store_close(server->store);
    uv_close((uv_handle_t *)&server->sigterm, NULL);
    uv_close((uv_handle_t *)&server->sigint, NULL);
    uv_close((uv_handle_t *)&server->sighup, NULL);
    uv_close((uv_handle_t *)&server->watchdog, NULL);
}

static void on_closed_mqtt(void *arg)
{
    struct server *server = arg;
    server->mqtt = NULL;
    server->pump.mqtt = NULL;
    if (server->http != NULL)
        http_stop(server->http, on_closed_http, server);
    else
        on_closed_http(server);
}

static void stop(struct server *server)
{
    if (server->stopping)
        return;
    server->stopping = true;
    (void)notify_send("STOPPING=1");
    log_event(LOG_INFO_, "stopping", "\"exit\":%d", server->exit_code);
    mqtt_stop_intake(server->mqtt);
    pump_drain(&server->pump);
    pump_node_state(&server->pump, "down");
    mqtt_stop(server->mqtt, FLUSH_WAIT_MS, on_closed_mqtt, server);
}

/* What cannot be gone on with: out at once; the next start recovers. */
static void on_fatal(void *arg, enum store_error error)
{
    struct server *server = arg;
    char folder[8400];
    server_backup_folder(server->conf, folder, sizeof folder);
    log_event(LOG_ERROR_, "store.failed", "\"error\":%s,\"backups\":%s,\"advice\":%s",
              log_str(store_error_name(error)), log_str(folder),
              log_str(error == STORE_CORRUPT
                          ? "the database is damaged: tided --restore BACKUP"
                          : "a write failed: look at the disk; a new start recovers"));
    _exit(exit_of(error));
}

/* ---- signals, watchdog ---------------------------------------------------------------------- */
static void on_term(uv_signal_t *handle, int signum)
{
    (void)signum;
    stop(handle->data);
}

static uint32_t conf_checksum(const struct conf *conf)
{
    const uint8_t *bytes = (const uint8_t *)conf;
    uint32_t hash = 2166136261u; /* FNV-1a, Fowler, Noll, Vo */
    for (size_t i = 0; i < sizeof *conf; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* Read again: what can change while running (log level, rates, windows of time) does. */
static void on_hup(uv_signal_t *handle, int signum)
{
    struct server *server = handle->data;
    struct pump *pump = &server->pump;
    struct conf *fresh = malloc(sizeof *fresh);
    char why[512] = "";
    (void)signum;
    if (fresh == NULL || server->options->conf_path == NULL) {
        free(fresh);
        return;
    }
    conf_default(fresh);
    if (conf_read(fresh, server->options->conf_path, why, sizeof why) != 0) {
        log_event(LOG_ERROR_, "reload.refused", "\"why\":%s", log_str(why));
        free(fresh);
        return;
    }
    memcpy(server->conf->log_level, fresh->log_level, sizeof fresh->log_level);
    server->conf->user_rate_per_s = fresh->user_rate_per_s;
    server->conf->user_burst = fresh->user_burst;
    server->conf->flood_mute_s = fresh->flood_mute_s;
    server->conf->clock_jump_s = fresh->clock_jump_s;
    log_set_level((enum log_level)log_level_named(fresh->log_level));
    for (unsigned i = 0; i < pump->domain_count && pump_has_room(pump); i++) {
        struct domain *domain = &pump->domains[i];
        struct engine_event event = {.when_ms = pump_now(pump, domain), .kind = TIDE_REC_reloaded};
        event.as.reloaded.checksum = conf_checksum(fresh);
        if (pump_ticks_domain(pump, domain, event.when_ms) && pump_has_room(pump))
            pump_step(pump, domain, &event, NULL, NULL);
    }
    pump_commit(pump);
    pump_write_accounts(pump, true);
    log_event(LOG_INFO_, "reloaded", "\"file\":%s", log_str(server->options->conf_path));
    free(fresh);
}

/* Alive is: the loop turns, the journal has nothing stuck, the broker brings our heartbeat back. */
static void on_watchdog(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct mqtt_stats mqtt;
    struct store_stats store;
    mqtt_stats(server->mqtt, &mqtt);
    store_stats(server->store, &store);
    bool journal = server->pump.in_flight == 0 || store.commits != server->watched_commits;
    bool broker = !mqtt_is_up(server->mqtt) || mqtt.last_heartbeat_ms != server->watched_beat;
    server->watched_commits = store.commits;
    server->watched_beat = mqtt.last_heartbeat_ms;
    if (journal && broker)
        (void)notify_send("WATCHDOG=1");
}

static void on_mqtt_state(void *arg, bool up)
{
    struct server *server = arg;
    pump_on_state(&server->pump, up);
    if (up && !server->ready) {
        server->ready = true;
        (void)notify_send("READY=1");
    }
}

static bool on_mqtt_message(void *arg, const struct mqtt_message *message)
{
    return pump_on_message(&((struct server *)arg)->pump, message);
}

static void on_mqtt_turn(void *arg)
{
    pump_on_turn(&((struct server *)arg)->pump);
}

static void on_mqtt_overflow(void *arg, const struct mqtt_message *message)
{
    pump_on_overflow(&((struct server *)arg)->pump, message);
}

/* ---- http ----------------------------------------------------------------------------------- */
static int on_http(void *arg, const char *path, char *out, size_t cap, size_t *ret_len,
                   const char **ret_type)
{
    struct server *server = arg;
    bool up = mqtt_is_up(server->mqtt) && !server->pump.unavailable;
    if (strcmp(path, "/metrics") == 0) {
        pump_gather_metrics(&server->pump);
        *ret_type = "text/plain; version=0.0.4";
        *ret_len = metrics_print(&server->pump.metrics, out, cap);
        return *ret_len > 0 ? 200 : 500;
    }
    if (strcmp(path, "/healthz") != 0)
        return 404;
    *ret_type = "application/json";
    *ret_len = (size_t)snprintf(out, cap, "{\"state\":\"%s\",\"broker\":%s,\"disk_full\":%s}\n",
                                up ? "up" : "degraded", mqtt_is_up(server->mqtt) ? "true" : "false",
                                server->pump.unavailable ? "true" : "false");
    return up ? 200 : 503;
}

/* ---- coming up ------------------------------------------------------------------------------ */
static void plan_topics(struct server *server, struct mqtt_conf *conf)
{
    struct tide_node_state down = {.node = server->conf->node,
                                   .state = "down",
                                   .civil_ms = clock_civil_ms(&server->clock),
                                   .real_ms = clock_real_ms(),
                                   .scale = server->clock.scale,
                                   .incarnation = server->domains[0].position.incarnation};
    unsigned n = 0;
    for (unsigned i = 0; i < server->pump.domain_count; i++) {
        (void)snprintf(server->subscriptions[n], sizeof server->subscriptions[n],
                       "tide/1/%s/u/+/req/#", server->domains[i].name);
        server->subscription_list[n] = server->subscriptions[n];
        n++;
        (void)snprintf(server->subscriptions[n], sizeof server->subscriptions[n],
                       "tide/1/%s/gw/+/up/#", server->domains[i].name);
        server->subscription_list[n] = server->subscriptions[n];
        n++;
    }
    server->subscription_list[n] = NULL;
    (void)tide_topic_make(server->sys_topic, sizeof server->sys_topic, "sys", NULL, NULL,
                          server->conf->node);
    (void)snprintf(server->beat_topic, sizeof server->beat_topic, "tide/1/beat/%.32s",
                   server->conf->node);
    (void)tide_encode_node(server->will, sizeof server->will, &down);
    conf->subscriptions = server->subscription_list;
    conf->will_topic = server->sys_topic;
    conf->will_body = server->will;
    conf->heartbeat_topic = server->beat_topic;
}

static int start_mqtt(struct server *server)
{
    struct conf *c = server->conf;
    struct mqtt_conf conf = {.uri = c->broker_uri,
                             .user = c->broker_user,
                             .secret = server->secret,
                             .ca_file = c->broker_ca_file[0] != '\0' ? c->broker_ca_file : NULL,
                             .window = (uint32_t)c->send_window,
                             .inbox_max = (uint32_t)c->inbox_max,
                             .outbox_max = (uint32_t)c->outbox_max,
                             .on_message = on_mqtt_message,
                             .on_turn = on_mqtt_turn,
                             .on_state = on_mqtt_state,
                             .on_overflow = on_mqtt_overflow,
                             .arg = server};
    plan_topics(server, &conf);
    if (mqtt_start(&server->mqtt, &server->loop, &conf) != 0)
        return -1;
    server->pump.mqtt = server->mqtt;
    return 0;
}

static void start_signals(struct server *server)
{
    uv_signal_init(&server->loop, &server->sigterm);
    uv_signal_init(&server->loop, &server->sigint);
    uv_signal_init(&server->loop, &server->sighup);
    server->sigterm.data = server->sigint.data = server->sighup.data = server;
    uv_signal_start(&server->sigterm, on_term, SIGTERM);
    uv_signal_start(&server->sigint, on_term, SIGINT);
    uv_signal_start(&server->sighup, on_hup, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    uint64_t ms = notify_watchdog_us() / 1000;
    uv_timer_init(&server->loop, &server->watchdog);
    server->watchdog.data = server;
    if (ms > 0)
        uv_timer_start(&server->watchdog, on_watchdog, ms, ms);
}

/* A start far from the last row: whoever knows the time says so before deadlines run. */
static void look_at_start(struct server *server)
{
    for (unsigned i = 0; i < server->pump.domain_count; i++) {
        struct domain *domain = &server->domains[i];
        tide_ms last = domain->position.when_ms, now = clock_civil_ms(&server->clock);
        bool far = domain->position.seq > 0 && server->clock.scale == 1 &&
                   (now - last > START_GAP_MS_MAX || last - now > TIDE_MINUTE_MS);
        if (!far || !pump_has_room(&server->pump))
            continue;
        struct engine_event event = {.when_ms = pump_now(&server->pump, domain),
                                     .kind = TIDE_REC_clock};
        event.as.clock = (struct tide_clock){.old_ms = last, .new_ms = now, .suspend = 1};
        event.when_ms = last; /* before any deadline */
        if (engine_next_deadline(domain->engine) <= event.when_ms)
            continue;
        pump_step(&server->pump, domain, &event, NULL, NULL);
        log_event(LOG_WARN_, "clock.far", "\"domain\":%s,\"advice\":%s", log_str(domain->name),
                  log_str("deadlines wait for: tidectl clock accept"));
    }
    pump_commit(&server->pump);
}

static int come_up(struct server *server)
{
    struct pump *pump = &server->pump;
    const struct server_options *options = server->options;
    clock_begin(&server->clock, options->scale, options->start_ms);
    pump->own_clock = options->scale != 1 || options->start_ms != 0;
    pump->loop = &server->loop;
    pump->conf = server->conf;
    pump->clock = &server->clock;
    pump->on_fatal = on_fatal;
    pump->arg = server;
    uv_mutex_init(&pump->mutex);
    enum store_error error = open_store(server, pump->own_clock);
    if (error != STORE_OK)
        return exit_of(error);
    pump->store = server->store;
    error = load_domains(server);
    if (error != STORE_OK)
        return exit_of(error);
    if (own_account(server) != 0 || pump_start(pump) != 0)
        return EXIT_INTERNAL;
    look_at_start(server);
    pump_write_accounts(pump, true);
    start_signals(server);
    if (http_start(&server->http, &server->loop, (uint16_t)server->conf->http_port, on_http,
                   server) != 0) {
        log_event(LOG_ERROR_, "http.start", "\"port\":%d,\"advice\":%s",
                  (int)server->conf->http_port, log_str("choose another http_port, or 0"));
        return EXIT_BAD_CONFIG;
    }
    log_event(LOG_INFO_, "http.listens", "\"port\":%d", (int)http_port(server->http));
    return start_mqtt(server) == 0 ? EXIT_FINE : EXIT_BAD_CONFIG;
}

static void free_domains(struct server *server)
{
    for (unsigned i = 0; i < server->pump.domain_count; i++) {
        free(server->domains[i].memory);
        free(server->domains[i].buckets);
    }
}

int server_run(struct conf *conf, const struct server_options *options)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return EXIT_INTERNAL;
    server->conf = conf;
    server->options = options;
    CHECK(uv_loop_init(&server->loop) == 0);
    int code = come_up(server);
    if (code != EXIT_FINE) {
        server->store = store_close(server->store);
        return code; /* the process ends: nothing is left to be tidied */
    }
    CHECK(uv_run(&server->loop, UV_RUN_DEFAULT) == 0);
    CHECK(uv_loop_close(&server->loop) == 0);
    code = server->exit_code;
    free_domains(server);
    uv_mutex_destroy(&server->pump.mutex);
    free(server);
    log_event(LOG_INFO_, "stopped", "\"exit\":%d", code);
    return code;
}

/* ---- --init --------------------------------------------------------------------------------- */
static int write_genesis(struct server *server, const struct server_genesis *genesis)
{
    struct domain *domain = &server->domains[0];
    const struct tide_names *names = domain->names;
    struct engine_event event = {.kind = TIDE_REC_genesis};
    event.when_ms = genesis->start_ms != 0 ? genesis->start_ms : clock_real_ms();
    event.as.genesis = (struct tide_genesis){
        .community = names->make(names->arg, TIDE_NAME_KIND_place, genesis->community,
                                 strlen(genesis->community)),
        .admin = names->make(names->arg, TIDE_NAME_KIND_person, "admin/1", 7),
        .admin_user = names->make(names->arg, TIDE_NAME_KIND_user, genesis->admin_user,
                                  strlen(genesis->admin_user)),
        .utc_offset_min = 480,
        .scaled = genesis->scaled};
    if (event.as.genesis.community == 0 || event.as.genesis.admin == 0 ||
        event.as.genesis.admin_user == 0 ||
        names->set(names->arg, TIDE_NAME_KIND_credential, event.as.genesis.admin_user,
                   genesis->admin_hash, strlen(genesis->admin_hash)) != 0)
        return EXIT_BAD_USAGE;
    enum tide_code code;
    return pump_step(&server->pump, domain, &event, NULL, &code) ? EXIT_FINE : EXIT_INTERNAL;
}

int server_init(struct conf *conf, const struct server_genesis *genesis)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return EXIT_INTERNAL;
    struct pump *pump = &server->pump;
    server->conf = conf;
    (void)snprintf(conf->domains, sizeof conf->domains, "%s", genesis->domain);
    clock_begin(&server->clock, 1, genesis->start_ms);
    CHECK(uv_loop_init(&server->loop) == 0);
    pump->loop = &server->loop;
    pump->conf = conf;
    pump->clock = &server->clock;
    pump->on_fatal = on_fatal;
    pump->arg = server;
    uv_mutex_init(&pump->mutex);
    enum store_error error = open_store(server, genesis->scaled);
    pump->store = server->store;
    if (error == STORE_OK)
        error = load_domains(server);
    int code = exit_of(error);
    if (code == EXIT_FINE && server->domains[0].position.seq > 0) {
        log_event(LOG_ERROR_, "init.exists", "\"domain\":%s,\"advice\":%s",
                  log_str(genesis->domain), log_str("this domain has a history already"));
        code = EXIT_BAD_USAGE;
    }
    if (code == EXIT_FINE && (own_account(server) != 0 || pump_start(pump) != 0))
        code = EXIT_INTERNAL;
    if (code == EXIT_FINE)
        code = write_genesis(server, genesis);
    if (code == EXIT_FINE) {
        pump_drain(pump);
        pump_write_accounts(pump, true);
        pump_close(pump);
        CHECK(uv_run(&server->loop, UV_RUN_DEFAULT) == 0);
    }
    server->store = store_close(server->store);
    free_domains(server);
    (void)uv_loop_close(&server->loop);
    uv_mutex_destroy(&pump->mutex);
    free(server);
    return code;
}
