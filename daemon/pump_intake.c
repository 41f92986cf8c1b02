/* pump_intake.c - a message becomes an event, or a refusal with the place of its fault.
 *
 * Order of the gates, cheapest and most protective first: topic, known user, rate, op, role of ops
 * that make names, decode, life of the rid, seen before, engine. Whatever is refused before the
 * engine binds nothing and is not journaled.
 */
#include <string.h>

#include "daemon/pump.h"
#include "tide/check.h"

/* One message on its way in. */
struct intake {
    const struct mqtt_message *message;
    struct tide_topic topic;
    struct domain *domain;
    tide_id user;
    const struct tide_op *op;
    struct store_origin origin;
};

void pump_refuse(struct pump *pump, const struct domain *domain, const char *user, const char *rid,
                 enum tide_code code, const struct tide_fault *fault, int qos)
{
    char topic[256];
    if (rid[0] == '\0')
        return; /* nobody could know which request is meant */
    size_t len =
        tide_encode_refusal(pump->text, TIDE_PACKET_BYTES_MAX, &domain->frame, rid, code, fault);
    if (len > 0 && tide_topic_make(topic, sizeof topic, "reply", domain->name, user, rid) > 0)
        mqtt_publish(pump->mqtt, topic, pump->text, len, qos, false);
}

static void refuse(struct pump *pump, const struct intake *in, const char *rid, enum tide_code code,
                   const struct tide_fault *fault)
{
    pump_refuse(pump, in->domain, in->topic.user, rid, code, fault, in->message->qos);
}

/* ---- facts ---------------------------------------------------------------------------------- */
static void alternates(struct pump *pump, const struct domain *domain, struct tide_plate_seen *seen)
{
    tide_id found[TIDE_ALTERNATES_MAX] = {0};
    if (seen->plate != 0)
        store_plate_alternates(pump->store, domain->number, seen->plate, found);
    seen->alt1 = found[0];
    seen->alt2 = found[1];
    seen->alt3 = found[2];
    seen->alt4 = found[3];
}

static bool take_fact(struct pump *pump, struct intake *in)
{
    struct engine_event event = {0};
    struct tide_fault fault = {0};
    const struct mqtt_message *message = in->message;
    const struct tide_user *user = engine_find(in->domain->engine, TIDE_REC_user, in->user, 0, 0);
    if (user == NULL || user->kind != TIDE_USER_KIND_gateway) { /* a person who plays a gateway */
        pump->metrics.invalid_total++;
        return true;
    }
    if (tide_decode_fact(in->topic.tail, message->payload, message->len, in->domain->names,
                         in->domain->frame.utc_offset_min, &event, &fault) != 0) {
        pump->metrics.invalid_total++;
        log_event(LOG_WARN_, "fact.invalid", "\"gateway\":%s,\"kind\":%s,\"at\":%s,\"why\":%s",
                  log_str(in->topic.user), log_str(in->topic.tail), log_str(fault.path),
                  log_str(fault.what));
        return true;
    }
    event.user = in->user;
    event.when_ms = pump_now(pump, in->domain);
    if (event.kind == TIDE_REC_plate_seen)
        alternates(pump, in->domain, &event.as.plate_seen);
    if (!pump_ticks_domain(pump, in->domain, event.when_ms) || !pump_has_room(pump))
        return false;
    enum tide_code code = TIDE_CODE_ok;
    in->origin.user = in->user;
    pump_step(pump, in->domain, &event, &in->origin, &code);
    pump->metrics.facts_total++;
    pump->metrics.facts_stale_total += code == TIDE_CODE_stale;
    return true;
}

/* ---- requests ------------------------------------------------------------------------------- */
static bool any_role(const struct domain *domain, tide_id user, uint16_t roles)
{
    const struct tide_user *row = engine_find(domain->engine, TIDE_REC_user, user, 0, 0);
    if (row == NULL)
        return false;
    for (unsigned role = 1; role < 16; role++)
        if ((roles & 1u << role) != 0 &&
            engine_has_role(domain->engine, row->person, (enum tide_role)role))
            return true;
    return false;
}

/* The body and the op: the same rid for something else is a conflict. */
static void body_digest(struct pump *pump, struct intake *in)
{
    const struct mqtt_message *message = in->message;
    size_t op_len = strlen(in->op->name);
    CHECK(op_len <= TIDE_NAME_BYTES_MAX && message->len <= TIDE_PACKET_BYTES_MAX);
    memcpy(pump->digest_bytes, in->op->name, op_len);
    pump->digest_bytes[op_len] = '\n';
    memcpy(pump->digest_bytes + op_len + 1, message->payload, message->len);
    store_body_digest(pump->store, pump->digest_bytes, op_len + 1 + message->len,
                      in->origin.digest);
}

static void refuse_unread(struct pump *pump, const struct intake *in, enum tide_code code,
                          const char *what)
{
    struct tide_fault fault = {.code = code, .what = what, .offset = -1};
    char rid[TIDE_RID_BYTES_MAX + 1];
    (void)tide_request_rid(in->message->payload, in->message->len, rid);
    refuse(pump, in, rid, code, &fault);
}

/* What stands before the engine. True when the request may go on. */
static bool pass_gates(struct pump *pump, struct intake *in)
{
    struct tide_fault fault = {.code = TIDE_CODE_invalid, .what = "", .offset = -1};
    const struct mqtt_message *message = in->message;
    if (in->op == NULL) {
        refuse_unread(pump, in, TIDE_CODE_unknown_op, "there is no such operation");
        return false;
    }
    if (in->op->roles != 0 && !any_role(in->domain, in->user, in->op->roles)) {
        refuse_unread(pump, in, TIDE_CODE_not_authorized, "needs another role");
        return false;
    }
    if (tide_decode_request(in->op, message->payload, message->len, in->domain->names,
                            in->domain->frame.utc_offset_min, pump->request, &fault) == 0)
        return true;
    pump->metrics.invalid_total++;
    refuse(pump, in, pump->request->rid, fault.code, &fault);
    return false;
}

/* Refuses what has no life of its own: an end is needed, not passed, not too far away. The clock of
 * who asks may be fast by a minute; for a life of seconds, by one more such life. */
static bool alive(struct pump *pump, struct intake *in)
{
    const struct tide_request *request = pump->request;
    int64_t now_ms = clock_real_ms(), life_ms = in->op->life_ms;
    int64_t slack_ms = life_ms < TIDE_MINUTE_MS ? life_ms : TIDE_MINUTE_MS;
    struct tide_fault fault = {.code = TIDE_CODE_invalid, .path = "expires", .offset = -1};
    if (request->expires_ms == 0) {
        fault.what = "missing";
    } else if (request->expires_ms > now_ms + life_ms + slack_ms) {
        fault.what = life_ms < TIDE_MINUTE_MS ? "more than 5 seconds ahead: an arm opens now or not"
                                              : "more than 7 days ahead";
    } else if (request->expires_ms <= now_ms) {
        fault.code = TIDE_CODE_expired;
        fault.what = "the life of this rid is over; it was not done";
    } else {
        return true;
    }
    refuse(pump, in, request->rid, fault.code, &fault);
    return false;
}

/* True when the answer is known, or on its way, or refused: nothing is left to do. Comes before
 * roles and names are looked at: the same rid gets the same answer whatever changed since. */
static bool seen_before(struct pump *pump, struct intake *in)
{
    const uint8_t *effects = NULL;
    size_t len = 0;
    struct tide_fault fault = {
        .code = TIDE_CODE_conflict, .path = "rid", .what = "used for another body", .offset = -1};
    (void)tide_request_rid(in->message->payload, in->message->len, in->origin.rid);
    if (in->origin.rid[0] == '\0')
        return false; /* decoding will say what is wrong */
    body_digest(pump, in);
    if (!pump->turn_open)
        store_turn_begin(pump->store); /* one look for all of this turn */
    pump->turn_open = true;
    switch (store_rid_find(pump->store, in->domain->number, &in->origin, &effects, &len)) {
    case STORE_RID_NEW:
        return false;
    case STORE_RID_PENDING:
        return true;
    case STORE_RID_KNOWN:
        pump->metrics.repeats_total++;
        pump_send_reply(pump, in->domain, in->user, in->origin.rid, effects, len, in->message->qos);
        return true;
    case STORE_RID_CONFLICT:
        refuse(pump, in, in->origin.rid, TIDE_CODE_conflict, &fault);
        return true;
    }
    return true;
}

static void apply_names(struct pump *pump, struct domain *domain)
{
    const struct tide_request *request = pump->request;
    for (size_t i = 0; i < request->set_count; i++) {
        const struct tide_name_set *set = &request->sets[i];
        domain->names->set(domain->names->arg, set->kind, set->id, set->text, strlen(set->text));
        domain->users_dirty |= set->kind == TIDE_NAME_KIND_credential;
    }
}

static bool decide(struct pump *pump, struct intake *in, const struct engine_event *event)
{
    enum tide_code code = TIDE_CODE_ok;
    if (!pump_ticks_domain(pump, in->domain, event->when_ms) || !pump_has_room(pump))
        return false;
    pump_step(pump, in->domain, event, &in->origin, &code);
    if (code == TIDE_CODE_ok)
        apply_names(pump, in->domain);
    else
        pump->metrics.refused_total++;
    return true;
}

static bool take_request(struct pump *pump, struct intake *in)
{
    in->op = tide_op_find(in->topic.tail);
    in->origin.user = in->user;
    in->origin.qos = (uint8_t)in->message->qos;
    in->origin.arrived_ns = uv_hrtime();
    if (in->op != NULL && !in->op->is_read && seen_before(pump, in))
        return true;
    if (!pass_gates(pump, in))
        return true;
    const struct tide_request *request = pump->request;
    struct engine_event event = request->event;
    event.user = in->user;
    event.when_ms = pump_now(pump, in->domain);
    in->origin.expires_ms = request->expires_ms;
    memcpy(in->origin.rid, request->rid, sizeof in->origin.rid);
    if (in->op->is_read) {
        pump_read(pump, in->domain, &event, &in->origin);
        return true;
    }
    return !alive(pump, in) || decide(pump, in, &event);
}

/* ---- the door ------------------------------------------------------------------------------- */
static bool look_at(struct pump *pump, const struct mqtt_message *message, struct intake *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->message = message;
    if (message->len > TIDE_PACKET_BYTES_MAX ||
        tide_topic_parse(message->topic, message->topic_len, &ret->topic) != 0)
        return false;
    for (unsigned i = 0; i < pump->domain_count; i++)
        if (strcmp(pump->domains[i].name, ret->topic.domain) == 0)
            ret->domain = &pump->domains[i];
    if (ret->domain == NULL)
        return false;
    const struct tide_names *names = ret->domain->names;
    ret->user =
        names->find(names->arg, TIDE_NAME_KIND_user, ret->topic.user, strlen(ret->topic.user));
    return ret->user != 0;
}

bool pump_on_message(void *arg, const struct mqtt_message *message)
{
    struct pump *pump = arg;
    struct intake in;
    if (pump->draining)
        return true;
    if (!pump->unavailable && !pump_has_room(pump))
        return false;
    if (!look_at(pump, message, &in)) {
        pump->metrics.invalid_total++;
        return true;
    }
    if (pump->unavailable) {
        pump_on_overflow(pump, message);
        return true;
    }
    if (in.topic.family == TIDE_TOPIC_fact)
        return take_fact(pump, &in);
    pump->metrics.requests_total++;
    if (!pump_within_rate(pump, in.domain, in.user, message))
        return true;
    return take_request(pump, &in);
}

void pump_turn_end(struct pump *pump)
{
    if (pump->turn_open)
        store_turn_end(pump->store);
    pump->turn_open = false;
}

void pump_on_turn(void *arg)
{
    struct pump *pump = arg;
    pump_turn_end(pump);
    pump_ticks(pump); /* commits as well */
}

/* Too much, or no disk: said aloud instead of silence. */
void pump_on_overflow(void *arg, const struct mqtt_message *message)
{
    struct pump *pump = arg;
    struct intake in;
    if (!look_at(pump, message, &in))
        return;
    if (in.topic.family != TIDE_TOPIC_request)
        return; /* a fact without its ack is sent again */
    pump->metrics.busy_total++;
    refuse_unread(pump, &in, pump->unavailable ? TIDE_CODE_unavailable : TIDE_CODE_busy,
                  "try again a little later");
}
