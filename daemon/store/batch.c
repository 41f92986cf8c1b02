/* batch.c - buffers between the loop and the journal thread.
 *
 *   bytes:  | event | effects || event | effects || ...      rows: where each stands, and its seq
 *
 *   FREE ──take──► FILLING ──commit──► GIVEN ──on_durable, release──► FREE
 *
 * All memory is there from the start (pages that were never touched cost nothing). While a batch is
 * GIVEN nobody writes to it, so the journal thread binds its bytes to statements as they are, and
 * the loop walks the same rows to release them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

#define BATCH_BYTES_DEFAULT (4u << 20)
#define BATCH_ROWS_MAX 16384u
/* The largest row: an empty batch always takes one. */
#define ROW_BYTES_MAX (TIDE_EFFECTS_BYTES_MAX + TIDE_EVENT_BLOB_BYTES_MAX + 1024)
#define DAY_MS 86400000LL

enum store_error store_batches_init(struct store *store)
{
    size_t bytes = store->conf.batch_bytes != 0 ? store->conf.batch_bytes : BATCH_BYTES_DEFAULT;
    if (bytes < ROW_BYTES_MAX)
        bytes = ROW_BYTES_MAX;
    store->batches = calloc(store->conf.batches, sizeof *store->batches);
    if (store->batches == NULL)
        return STORE_LIMIT;
    for (uint32_t i = 0; i < store->conf.batches; i++) {
        struct store_batch *batch = &store->batches[i];
        batch->store = store;
        batch->cap = bytes;
        batch->rows_cap = BATCH_ROWS_MAX;
        batch->bytes = malloc(bytes);
        batch->rows = malloc(batch->rows_cap * sizeof *batch->rows);
        if (batch->bytes == NULL || batch->rows == NULL)
            return STORE_LIMIT; /* store_batches_done takes what is there */
    }
    return STORE_OK;
}

void store_batches_done(struct store *store)
{
    for (uint32_t i = 0; store->batches != NULL && i < store->conf.batches; i++) {
        free(store->batches[i].bytes);
        free(store->batches[i].rows);
        store_changes_done(&store->batches[i].changes);
    }
    free(store->batches);
    store->batches = NULL;
}

struct store_batch *store_batch_take(struct store *store)
{
    for (uint32_t i = 0; store->batches != NULL && i < store->conf.batches; i++) {
        struct store_batch *batch = &store->batches[i];
        if (batch->state != STORE_BATCH_FREE)
            continue;
        batch->state = STORE_BATCH_FILLING;
        batch->len = 0;
        batch->count = 0;
        return batch;
    }
    return NULL;
}

/* ---- what effects mean for names ------------------------------------------------------------- */
static void follow_vehicle(struct store_domain_state *domain, unsigned verb, tide_id plate)
{
    tide_ms forget_at = verb == ENGINE_PUT ? 0 : domain->last_ms + domain->stranger_days * DAY_MS;
    store_identity_keep(domain->identity, plate, forget_at);
}

static void follow(struct store_domain_state *domain, const uint8_t *effects, size_t len)
{
    size_t at = 0, record_at = 0;
    unsigned verb = 0, kind = 0;
    union tide_any record;
    while (engine_effect_skip(effects, len, &at, &verb, &kind, &record_at)) {
        bool row = verb == ENGINE_PUT || verb == ENGINE_DEL;
        if (!row || (kind != TIDE_REC_forgotten && kind != TIDE_REC_vehicle &&
                     kind != TIDE_REC_setting_row))
            continue;
        if (tide_record_unpack(tide_record_of(kind), effects + record_at, at - record_at,
                               &record) == 0)
            continue;
        if (kind == TIDE_REC_forgotten && verb == ENGINE_PUT)
            store_identity_forget(domain->identity, record.forgotten.kind, record.forgotten.id);
        else if (kind == TIDE_REC_vehicle)
            follow_vehicle(domain, verb, record.vehicle.plate);
        else if (kind == TIDE_REC_setting_row && verb == ENGINE_PUT &&
                 record.setting_row.key == TIDE_SETTING_stranger_kept_days)
            domain->stranger_days = record.setting_row.value;
    }
}

/* ---- filling --------------------------------------------------------------------------------- */
uint64_t store_batch_add(struct store_batch *batch, uint32_t domain,
                         const struct store_origin *origin, const struct engine_event *event,
                         const struct engine_effects *effects)
{
    struct store *store = batch->store;
    assert(batch->state == STORE_BATCH_FILLING);
    assert(domain > 0 && domain < STORE_DOMAIN_SLOTS && store->domains[domain].name[0] != '\0');
    struct store_domain_state *state = &store->domains[domain];
    if (batch->count == batch->rows_cap || batch->cap - batch->len < effects->len)
        return 0;
    size_t event_len =
        engine_event_pack(event, batch->bytes + batch->len, batch->cap - batch->len - effects->len);
    if (event_len == 0)
        return 0;
    bool has_origin = origin != NULL && origin->rid[0] != '\0';
    if (has_origin && !store_replies_add(store->replies, domain, state->last_seq + 1, origin))
        return 0;
    struct store_batch_row *row = &batch->rows[batch->count++];
    row->domain = domain;
    row->event_kind = event->kind;
    row->has_origin = has_origin;
    row->seq = ++state->last_seq;
    row->when_ms = event->when_ms;
    row->event_at = batch->len;
    row->effects_at = batch->len + event_len;
    row->effects_len = effects->len;
    if (origin != NULL)
        row->origin = *origin;
    else
        memset(&row->origin, 0, sizeof row->origin);
    if (effects->len > 0)
        memcpy(batch->bytes + row->effects_at, effects->buf, effects->len);
    batch->len = row->effects_at + effects->len;
    state->last_ms = event->when_ms;
    follow(state, effects->buf, effects->len);
    return row->seq;
}

size_t store_batch_count(const struct store_batch *batch)
{
    return batch->count;
}

void store_batch_commit(struct store *store, struct store_batch *batch)
{
    assert(batch->state == STORE_BATCH_FILLING);
    uint64_t names = 0;
    for (uint32_t i = 1; store->staged.count > 0 && i < STORE_DOMAIN_SLOTS; i++) {
        struct store_domain_state *domain = &store->domains[i];
        if (domain->identity == NULL)
            continue;
        store_identity_settle(domain->identity, &store->staged, i,
                              domain->last_ms + domain->stranger_days * DAY_MS);
        names += store_identity_count(domain->identity);
    }
    if (store->staged.count > 0)
        atomic_store(&store->counts.names, names);
    struct store_changes empty = batch->changes;
    batch->changes = store->staged;
    store->staged = empty;
    store_changes_clear(&store->staged);
    batch->state = STORE_BATCH_GIVEN;
    store_journal_give(store->journal, batch);
}

/* ---- releasing ------------------------------------------------------------------------------- */
bool store_batch_row(const struct store_batch *batch, size_t index, struct store_row *ret)
{
    if (index >= batch->count)
        return false;
    const struct store_batch_row *row = &batch->rows[index];
    *ret = (struct store_row){.domain = row->domain,
                              .seq = row->seq,
                              .when_ms = row->when_ms,
                              .origin = &row->origin,
                              .event_kind = row->event_kind,
                              .effects = batch->bytes + row->effects_at,
                              .effects_len = row->effects_len};
    return true;
}

void store_batch_release(struct store *store, struct store_batch *batch)
{
    assert(batch->store == store && batch->state != STORE_BATCH_FREE);
    store_changes_clear(&batch->changes);
    batch->state = STORE_BATCH_FREE;
}
