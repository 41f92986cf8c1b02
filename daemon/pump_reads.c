/* pump_reads.c - questions: answered at once from the engine, sent when what they saw is durable.
 *
 *   engine ask   answer ready, waits for its domain's last given-out seq to be durable
 *   table ask    the right to ask is checked now; the rows are read when the tables have come up to
 *                the same seq
 *
 * So a reader never sees what a crash could take back.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/pump.h"
#include "daemon/server.h"
#include "tide/check.h"

#define WAITS_MAX 8192
#define PERSON_ROWS_MAX 24

static bool is_from_tables(unsigned kind)
{
    return kind == TIDE_REC_ask_inbox || kind == TIDE_REC_ask_history ||
           kind == TIDE_REC_ask_passages || kind == TIDE_REC_ask_person ||
           kind == TIDE_REC_ask_proof || kind == TIDE_REC_ask_strikes_past;
}

/* ---- tables --------------------------------------------------------------------------------- */
static void put_record(struct engine_effects *effects, enum engine_verb verb, unsigned kind,
                       const void *record)
{
    uint8_t *out = effects->buf + effects->len;
    out[0] = (uint8_t)verb;
    out[1] = (uint8_t)kind;
    size_t used =
        tide_record_pack(tide_record_of(kind), record, out + 2, effects->cap - effects->len - 2);
    CHECK(used > 0);
    effects->len += 2 + used;
    effects->count++;
}

static void select_rows(struct pump *pump, const struct waiting *wait, struct store_select select,
                        bool *ret_more)
{
    bool more = false;
    if (select.limit == 0)
        select.limit = TIDE_REPLY_ITEMS_MAX;
    enum store_error error =
        store_rows(pump->store, wait->domain->number, &select, &pump->effects, &more);
    if (error != STORE_OK)
        log_event(LOG_ERROR_, "tables.read", "\"error\":%s", log_str(store_error_name(error)));
    *ret_more |= more;
}

/* What is kept about a person, the latest of each kind; older: history, inbox, statements. */
static void read_person(struct pump *pump, const struct waiting *wait, bool *ret_more)
{
    const struct domain *domain = wait->domain;
    const struct tide_person *person =
        engine_find(domain->engine, TIDE_REC_person, wait->subject, 0, 0);
    if (person == NULL)
        return;
    put_record(&pump->effects, ENGINE_ITEM, TIDE_REC_person, person);
    const struct tide_user *user = NULL;
    while ((user = engine_user_of(domain->engine, person->id, user != NULL ? user->id : 0)) != NULL)
        put_record(&pump->effects, ENGINE_ITEM, TIDE_REC_user, user);
    uint32_t cursor = 0;
    const struct tide_vehicle *vehicle;
    while ((vehicle = engine_next(domain->engine, TIDE_REC_vehicle, &cursor)) != NULL)
        if (person->household != 0 && vehicle->household == person->household)
            put_record(&pump->effects, ENGINE_ITEM, TIDE_REC_vehicle, vehicle);
    const void *account = engine_find(domain->engine, TIDE_REC_account, person->household, 0, 0);
    if (person->household != 0 && account != NULL)
        put_record(&pump->effects, ENGINE_ITEM, TIDE_REC_account, account);
    select_rows(pump, wait,
                (struct store_select){.kind = TIDE_REC_booking,
                                      .field = "person",
                                      .equals = person->id,
                                      .newest_first = true,
                                      .limit = PERSON_ROWS_MAX},
                ret_more);
    static const uint8_t of_household[] = {TIDE_REC_wish, TIDE_REC_strike, TIDE_REC_waiting};
    for (size_t i = 0; i < sizeof of_household; i++) /* indexed by household: theirs among those */
        select_rows(pump, wait,
                    (struct store_select){.kind = of_household[i],
                                          .field = "household",
                                          .equals = person->household,
                                          .also = "person",
                                          .also_equals = person->id,
                                          .newest_first = true,
                                          .limit = PERSON_ROWS_MAX},
                    ret_more);
    select_rows(pump, wait,
                (struct store_select){.kind = TIDE_REC_notice,
                                      .field = "person",
                                      .equals = person->id,
                                      .newest_first = true,
                                      .limit = PERSON_ROWS_MAX},
                ret_more);
}

/* Whose a wish was is nobody's business; that it was there, and what became of it, is everybody's.
 * What is left out makes a record shorter, so it is written over itself. */
static void hide_parties(struct engine_effects *effects)
{
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    size_t at = 0, to = 0, from = 0;
    while (engine_effect_next(effects->buf, effects->len, &at, &verb, &kind, &any)) {
        if (kind == TIDE_REC_wish) {
            struct tide_wish shown = {.id = any.wish.id,
                                      .draw = any.wish.draw,
                                      .state = any.wish.state,
                                      .cls = any.wish.cls,
                                      .start_ms = any.wish.start_ms,
                                      .end_ms = any.wish.end_ms,
                                      .used_min = any.wish.used_min,
                                      .nonce_1 = any.wish.nonce_1,
                                      .nonce_2 = any.wish.nonce_2,
                                      .span = any.wish.span,
                                      .why = any.wish.why};
            effects->buf[to] = (uint8_t)verb;
            effects->buf[to + 1] = (uint8_t)kind;
            to += 2 + tide_record_pack(tide_record_of(kind), &shown, effects->buf + to + 2,
                                       at - to - 2);
        } else {
            memmove(effects->buf + to, effects->buf + from, at - from);
            to += at - from;
        }
        from = at;
    }
    effects->len = to;
}

static void read_proof(struct pump *pump, const struct waiting *wait, bool *ret_more)
{
    const struct tide_ask_proof *ask = &wait->event.as.ask_proof;
    select_rows(pump, wait,
                (struct store_select){.kind = TIDE_REC_draw,
                                      .after = wait->subject - 1,
                                      .before = wait->subject + 1,
                                      .limit = 1},
                ret_more);
    select_rows(pump, wait,
                (struct store_select){.kind = TIDE_REC_wish,
                                      .field = "draw",
                                      .equals = wait->subject,
                                      .after = ask->after_wish,
                                      .limit = TIDE_DRAW_PAGE},
                ret_more);
    select_rows(pump, wait,
                (struct store_select){.kind = TIDE_REC_draw_span,
                                      .field = "draw",
                                      .equals = wait->subject,
                                      .after = ask->after_span,
                                      .limit = TIDE_DRAW_PAGE},
                ret_more);
    hide_parties(&pump->effects);
}

static void read_tables(struct pump *pump, const struct waiting *wait, bool *ret_more)
{
    const union tide_any *ask = &wait->event.as;
    switch (wait->event.kind) {
    case TIDE_REC_ask_inbox:
        select_rows(pump, wait,
                    (struct store_select){.kind = TIDE_REC_notice,
                                          .field = "person",
                                          .equals = wait->subject,
                                          .after = ask->ask_inbox.after},
                    ret_more);
        break;
    case TIDE_REC_ask_history:
        select_rows(pump, wait,
                    (struct store_select){.kind = TIDE_REC_booking,
                                          .field = "household",
                                          .equals = wait->subject,
                                          .before = ask->ask_history.before,
                                          .newest_first = true},
                    ret_more);
        break;
    case TIDE_REC_ask_strikes_past:
        select_rows(pump, wait,
                    (struct store_select){.kind = TIDE_REC_strike,
                                          .field = "household",
                                          .equals = wait->subject,
                                          .before = ask->ask_strikes_past.before,
                                          .newest_first = true},
                    ret_more);
        break;
    case TIDE_REC_ask_passages:
        select_rows(pump, wait,
                    (struct store_select){.kind = TIDE_REC_passage,
                                          .field = wait->subject != 0 ? "lane" : NULL,
                                          .equals = wait->subject,
                                          .before = ask->ask_passages.before,
                                          .newest_first = true},
                    ret_more);
        break;
    case TIDE_REC_ask_proof:
        read_proof(pump, wait, ret_more);
        break;
    default:
        read_person(pump, wait, ret_more);
    }
}

/* ---- waiting -------------------------------------------------------------------------------- */
static struct waiting *wait_new(struct pump *pump, struct domain *domain,
                                const struct store_origin *origin, size_t len)
{
    struct waiting *wait = pump->waits.count < WAITS_MAX ? calloc(1, sizeof *wait + len) : NULL;
    if (wait == NULL)
        return NULL;
    wait->domain = domain;
    wait->seq = store_last_seq(pump->store, domain->number);
    wait->user = origin->user;
    wait->qos = origin->qos;
    memcpy(wait->rid, origin->rid, sizeof wait->rid);
    wait->len = len;
    *pump->waits.last = wait;
    pump->waits.last = &wait->next;
    pump->waits.count++;
    return wait;
}

static void refuse_read(struct pump *pump, struct domain *domain, const struct store_origin *origin,
                        enum tide_code code, const char *what)
{
    const char *name = domain->names->text(domain->names->arg, TIDE_NAME_KIND_user, origin->user);
    pump->metrics.busy_total++;
    if (name != NULL)
        pump_refuse(pump, domain, name, origin->rid, code,
                    &(struct tide_fault){.code = code, .what = what, .offset = -1}, origin->qos);
}

static void on_backup(void *arg, enum store_error error, const char *path, uint64_t bytes)
{
    (void)arg;
    log_event(error == STORE_OK ? LOG_INFO_ : LOG_ERROR_, "backup.done",
              "\"error\":%s,\"file\":%s,\"bytes\":%llu", log_str(store_error_name(error)),
              log_str(path), (unsigned long long)bytes);
}

/* Named to the millisecond: two backups of one second must not share a name, or the second would
 * take the place of the first. */
static void backup_path(const struct conf *conf, char *out, size_t cap)
{
    char folder[8300], when[32];
    int64_t now_ms = clock_real_ms();
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H-%M-%S", &tm);
    server_backup_folder(conf, folder, sizeof folder);
    (void)mkdir(folder, 0700); /* there already is fine; else the copy says what is wrong */
    (void)snprintf(out, cap, "%s/tide-%s-%03d.db", folder, when, (int)(now_ms % 1000));
}

static enum store_error start_backup(struct pump *pump)
{
    char path[8400];
    backup_path(pump->conf, path, sizeof path);
    enum store_error error = store_backup(pump->store, path, on_backup, pump);
    log_event(LOG_INFO_, "backup.start", "\"file\":%s,\"error\":%s", log_str(path),
              log_str(store_error_name(error)));
    return error;
}

void pump_read(struct pump *pump, struct domain *domain, const struct engine_event *event,
               const struct store_origin *origin)
{
    enum engine_verb verb;
    unsigned kind;
    union tide_any record = {0};
    struct engine_effects answer = {.buf = pump->effects.buf, .cap = pump->effects.cap};
    CHECK(!pump->held); /* nothing is taken in then: a step stands in the buffer */
    engine_query(domain->engine, event, &answer);
    for (size_t at = 0; engine_effect_next(answer.buf, answer.len, &at, &verb, &kind, &record);)
        if (verb == ENGINE_REPLY)
            break;
    bool ok = record.reply.code == TIDE_CODE_ok;
    bool from_tables = ok && is_from_tables(event->kind);
    if (ok && event->kind == TIDE_REC_backup && start_backup(pump) != STORE_OK) {
        refuse_read(pump, domain, origin, TIDE_CODE_unavailable, "the copy cannot be begun");
        return;
    }
    if (!from_tables && store_durable_seq(pump->store, domain->number) ==
                            store_last_seq(pump->store, domain->number)) {
        pump_send_reply(pump, domain, origin->user, origin->rid, answer.buf, answer.len,
                        origin->qos);
        return;
    }
    struct waiting *wait = wait_new(pump, domain, origin, from_tables ? 0 : answer.len);
    if (wait == NULL) {
        refuse_read(pump, domain, origin, TIDE_CODE_busy, "too many questions wait");
        return;
    }
    wait->from_tables = from_tables;
    wait->event = *event;
    wait->subject = record.reply.id;
    if (!from_tables)
        memcpy(wait->effects, answer.buf, answer.len);
    else
        pump_reads_ready(pump);
}

static bool is_ready(const struct pump *pump, const struct waiting *wait)
{
    uint64_t there = wait->from_tables ? store_applied_seq(pump->store, wait->domain->number)
                                       : store_durable_seq(pump->store, wait->domain->number);
    return there >= wait->seq;
}

static void answer(struct pump *pump, const struct waiting *wait)
{
    if (!wait->from_tables) {
        pump_send_reply(pump, wait->domain, wait->user, wait->rid, wait->effects, wait->len,
                        wait->qos);
        return;
    }
    bool more = false;
    struct tide_reply reply = {.code = TIDE_CODE_ok};
    pump->effects.len = 0;
    pump->effects.count = 0;
    read_tables(pump, wait, &more);
    reply.more = more;
    put_record(&pump->effects, ENGINE_REPLY, TIDE_REC_reply, &reply);
    pump_send_reply(pump, wait->domain, wait->user, wait->rid, pump->effects.buf, pump->effects.len,
                    wait->qos);
}

void pump_reads_ready(struct pump *pump)
{
    struct waiting **link = &pump->waits.first;
    bool hurry = false;
    if (pump->held)
        return;          /* its effects stand in the buffer */
    pump_turn_end(pump); /* what is read now may be younger than that look */
    while (*link != NULL) {
        struct waiting *wait = *link;
        if (!is_ready(pump, wait)) {
            hurry |= wait->from_tables;
            link = &wait->next;
            continue;
        }
        answer(pump, wait);
        *link = wait->next;
        pump->waits.count--;
        free(wait);
    }
    pump->waits.last = link;
    if (hurry)
        store_hurry(pump->store);
}

void pump_reads_drop(struct pump *pump)
{
    while (pump->waits.first != NULL) {
        struct waiting *wait = pump->waits.first;
        struct store_origin origin = {.user = wait->user, .qos = wait->qos};
        memcpy(origin.rid, wait->rid, sizeof origin.rid);
        if (pump->mqtt != NULL && !pump->stopping)
            refuse_read(pump, wait->domain, &origin, TIDE_CODE_unavailable, "try again");
        pump->waits.first = wait->next;
        pump->waits.count--;
        free(wait);
    }
    pump->waits.last = &pump->waits.first;
}
