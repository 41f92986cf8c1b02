/* pump_release.c - what is durable goes out: replies, notices, commands, acknowledgements.
 *
 * Nothing here decides anything. Every line of it may be lost in a crash: a reply is asked for
 * again by its rid, a notice is read with inbox.read, a fact without an ack is sent again.
 */
#include <string.h>

#include "daemon/pump.h"
#include "tide/check.h"

static const char *user_name(const struct domain *domain, tide_id user)
{
    return domain->names->text(domain->names->arg, TIDE_NAME_KIND_user, user);
}

void pump_send_reply(struct pump *pump, struct domain *domain, tide_id user, const char *rid,
                     const uint8_t *effects, size_t len, int qos)
{
    char topic[256];
    const char *name = user_name(domain, user);
    if (name == NULL)
        return; /* forgotten meanwhile */
    if (tide_topic_make(topic, sizeof topic, "reply", domain->name, name, rid) == 0)
        return;
    size_t used =
        tide_encode_reply(pump->text, TIDE_MESSAGE_BYTES_MAX, &domain->frame, rid, effects, len);
    if (used == 0)
        return;
    pump->metrics.replies_total++;
    mqtt_publish(pump->mqtt, topic, pump->text, used, qos, false);
}

/* ---- one effect ----------------------------------------------------------------------------- */
static void send_notice(struct pump *pump, struct domain *domain, const struct tide_notice *notice)
{
    char topic[256];
    size_t used = tide_encode_notice(pump->text, TIDE_MESSAGE_BYTES_MAX, &domain->frame, notice);
    pump->metrics.notices_total++;
    for (const struct tide_user *user = engine_user_of(domain->engine, notice->person, 0);
         user != NULL && used > 0;
         user = engine_user_of(domain->engine, notice->person, user->id)) {
        const char *name = user_name(domain, user->id);
        if (name != NULL && user->state == TIDE_USER_STATE_active &&
            tide_topic_make(topic, sizeof topic, "inbox", domain->name, name, NULL) > 0)
            mqtt_publish(pump->mqtt, topic, pump->text, used, 1, false);
    }
}

static void list_changes(struct pump *pump, struct domain *domain,
                         const struct tide_booking *booking)
{
    const struct tide_zone *zone = engine_find(domain->engine, TIDE_REC_zone, booking->zone, 0, 0);
    if (zone != NULL)
        pump_list_delta(pump, domain, booking->plate, zone->place);
}

static void release_put(struct pump *pump, struct domain *domain, unsigned kind,
                        const union tide_any *row)
{
    switch (kind) {
    case TIDE_REC_notice:
        send_notice(pump, domain, &row->notice);
        break;
    case TIDE_REC_command:
        pump_command(pump, domain, &row->command);
        break;
    case TIDE_REC_outcome:
        pump_command_done(domain, row->outcome.command);
        break;
    case TIDE_REC_booking:
        list_changes(pump, domain, &row->booking);
        break;
    case TIDE_REC_vehicle:
        pump_list_delta(pump, domain, row->vehicle.plate, 0);
        break;
    case TIDE_REC_user:
    case TIDE_REC_forgotten:
        domain->users_dirty = true;
        break;
    default:
        break;
    }
}

/* ---- acknowledgements: one a gateway and batch ---------------------------------------------- */
#define ACKS_MAX 64
struct acks {
    struct {
        uint32_t domain;
        struct tide_gateway_cursor cursor;
    } of[ACKS_MAX];
    unsigned count;
};

static void send_ack(struct pump *pump, uint32_t number, const struct tide_gateway_cursor *cursor)
{
    struct domain *domain = pump_domain(pump, number);
    size_t used = tide_encode_ack(pump->text, TIDE_PACKET_BYTES_MAX, &domain->frame, cursor->boot,
                                  cursor->seq);
    pump_down(pump, domain, cursor->gateway, "ack", used);
}

static void note_ack(struct pump *pump, struct acks *acks, uint32_t domain,
                     const struct tide_gateway_cursor *cursor)
{
    for (unsigned i = 0; i < acks->count; i++)
        if (acks->of[i].domain == domain && acks->of[i].cursor.gateway == cursor->gateway) {
            acks->of[i].cursor = *cursor;
            return;
        }
    if (acks->count == ACKS_MAX) {
        send_ack(pump, domain, cursor);
        return;
    }
    acks->of[acks->count].domain = domain;
    acks->of[acks->count++].cursor = *cursor;
}

/* A fact that was known already is acknowledged again, up to what is known. */
static void note_known(struct pump *pump, struct acks *acks, const struct domain *domain,
                       tide_id gateway)
{
    const struct tide_gateway_cursor *cursor =
        engine_find(domain->engine, TIDE_REC_gateway_cursor, gateway, 0, 0);
    if (cursor != NULL)
        note_ack(pump, acks, domain->number, cursor);
}

/* ---- rows ----------------------------------------------------------------------------------- */
static void release_row(struct pump *pump, const struct store_row *row, struct acks *acks)
{
    struct domain *domain = pump_domain(pump, row->domain);
    enum engine_verb verb;
    unsigned kind;
    union tide_any record;
    size_t at = 0;
    CHECK(domain != NULL);
    bool is_request = row->origin != NULL && row->origin->rid[0] != '\0';
    bool is_fact = row->origin != NULL && row->origin->user != 0 && !is_request;
    while (engine_effect_next(row->effects, row->effects_len, &at, &verb, &kind, &record)) {
        if (verb == ENGINE_PUT && kind == TIDE_REC_gateway_cursor)
            note_ack(pump, acks, row->domain, &record.gateway_cursor);
        else if (verb == ENGINE_PUT || verb == ENGINE_DEL)
            release_put(pump, domain, kind, &record);
        else if (verb == ENGINE_REPLY && is_fact && record.reply.code == TIDE_CODE_stale)
            note_known(pump, acks, domain, row->origin->user);
    }
    CHECK(at == row->effects_len);
    if (is_request) {
        uint64_t took_ns = uv_hrtime() - row->origin->arrived_ns;
        metrics_latency(&pump->metrics, (int64_t)(took_ns / 1000));
        pump_send_reply(pump, domain, row->origin->user, row->origin->rid, row->effects,
                        row->effects_len, row->origin->qos);
    }
    if (row->event_kind == TIDE_REC_hello && row->origin != NULL)
        pump_list(pump, domain, row->origin->user);
}

void pump_release(struct pump *pump, struct store_batch *batch)
{
    struct acks acks = {.count = 0};
    struct store_row row;
    for (size_t i = 0; store_batch_row(batch, i, &row); i++)
        release_row(pump, &row, &acks);
    for (unsigned i = 0; i < acks.count; i++)
        send_ack(pump, acks.of[i].domain, &acks.of[i].cursor);
}

/* The disk was full: whoever asked is told to ask again. */
void pump_fail(struct pump *pump, struct store_batch *batch)
{
    struct store_row row;
    struct tide_fault fault = {
        .code = TIDE_CODE_unavailable, .what = "try again a little later", .offset = -1};
    for (size_t i = 0; store_batch_row(batch, i, &row); i++) {
        const struct domain *domain = pump_domain(pump, row.domain);
        if (row.origin == NULL || row.origin->rid[0] == '\0')
            continue;
        const char *name = user_name(domain, row.origin->user);
        if (name != NULL)
            pump_refuse(pump, domain, name, row.origin->rid, TIDE_CODE_unavailable, &fault,
                        row.origin->qos);
    }
}

/* ---- accounts at the broker ----------------------------------------------------------------- */
struct account_walk {
    const struct pump *pump;
    unsigned domain;
    uint32_t cursor;
};

static bool next_account(void *arg, const char **ret_user, const char **ret_hash)
{
    struct account_walk *walk = arg;
    for (; walk->domain < walk->pump->domain_count; walk->domain++, walk->cursor = 0) {
        const struct domain *domain = &walk->pump->domains[walk->domain];
        const struct tide_user *user;
        while ((user = engine_next(domain->engine, TIDE_REC_user, &walk->cursor)) != NULL) {
            const char *name = user_name(domain, user->id);
            static char copy[TIDE_NAME_BYTES_MAX + 1];
            if (name == NULL || user->state != TIDE_USER_STATE_active ||
                strlen(name) >= sizeof copy || pump_is_muted(walk->pump, domain, user->id))
                continue;
            memcpy(copy, name, strlen(name) + 1);
            const char *hash =
                domain->names->text(domain->names->arg, TIDE_NAME_KIND_credential, user->id);
            if (hash == NULL)
                continue;
            *ret_user = copy;
            *ret_hash = hash;
            return true;
        }
    }
    return false;
}

#define BROKER_AGAIN_S 10u
#define BROKER_AGAIN_FIRST_S 2u

static struct broker_conf broker_conf_of(const struct pump *pump)
{
    return (struct broker_conf){.folder = pump->conf->broker_folder,
                                .pid_file = pump->conf->broker_pid_file,
                                .daemon_user = pump->conf->broker_user,
                                .daemon_hash = pump->broker_hash};
}

void pump_tell_broker_again(struct pump *pump)
{
    if (pump->broker_again_s == 0)
        return;
    pump->broker_again_s--;
    if (pump->broker_again_s != BROKER_AGAIN_S - BROKER_AGAIN_FIRST_S && pump->broker_again_s != 0)
        return;
    struct broker_conf broker = broker_conf_of(pump);
    if (broker_again(&broker) != 0)
        log_event(LOG_ERROR_, "broker.again", "\"folder\":%s", log_str(broker.folder));
}

void pump_write_accounts(struct pump *pump, bool anyway)
{
    const struct conf *conf = pump->conf;
    bool dirty = anyway;
    for (unsigned i = 0; i < pump->domain_count; i++) {
        dirty |= pump->domains[i].users_dirty;
        pump->domains[i].users_dirty = false;
    }
    if (!dirty || conf->broker_folder[0] == '\0')
        return;
    struct broker_conf broker = broker_conf_of(pump);
    struct account_walk walk = {.pump = pump};
    int changed = broker_write(&broker, next_account, &walk);
    if (changed < 0)
        log_event(LOG_ERROR_, "broker.files", "\"folder\":%s,\"advice\":%s",
                  log_str(conf->broker_folder), log_str("the folder must be writable"));
    if (changed <= 0)
        return;
    log_event(LOG_INFO_, "broker.files", "\"folder\":%s", log_str(conf->broker_folder));
    pump->broker_again_s = BROKER_AGAIN_S;
}
