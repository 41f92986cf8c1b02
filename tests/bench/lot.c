/* lot.c - see lot.h. */
#include "tests/bench/lot.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/ops/ops.h"
#include "tests/bench/bench.h"

#define ROWS_A_PUT 60
enum { COMMUNITY = 1, ADMIN = 1, FIRST = 2 };

/* Only the reply is read: the rest would cost the bench more than it cost the engine. */
static void step(struct lot *lot, struct engine_event *event)
{
    const struct engine_effects *effects = &lot->effects;
    unsigned verb, kind;
    size_t record_at;
    bool replied = false;
    lot->effects.len = lot->effects.count = 0;
    event->when_ms = lot->now_ms;
    engine_step(lot->engine, event, &lot->effects);
    for (size_t at = 0;
         engine_effect_skip(effects->buf, effects->len, &at, &verb, &kind, &record_at);)
        if (verb == ENGINE_REPLY)
            replied = tide_record_unpack(tide_record_of(TIDE_REC_reply), effects->buf + record_at,
                                         effects->len - record_at, &lot->reply) != 0;
    if (!replied && event->user != 0)
        bench_die("a request without a reply");
}

void lot_flush(struct lot *lot)
{
    struct engine_event put = {.user = ADMIN,
                               .kind = TIDE_REC_put,
                               .blob = lot->rows.bytes,
                               .blob_len = (uint32_t)lot->rows.len};
    if (lot->rows.count == 0)
        return;
    step(lot, &put);
    if (lot->reply.code != TIDE_CODE_ok)
        bench_die("the lot is refused: %s %s at row %lld",
                  tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), lot->reply.code),
                  tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), lot->reply.why),
                  (long long)lot->reply.limit);
    lot->rows.len = lot->rows.count = 0;
}

static void put(struct lot *lot, unsigned kind, const void *row)
{
    if (lot->rows.count >= ROWS_A_PUT || sizeof lot->rows.bytes - lot->rows.len < 300)
        lot_flush(lot);
    uint8_t *at = lot->rows.bytes + lot->rows.len;
    *at = (uint8_t)kind;
    lot->rows.len += 1 + tide_record_pack(tide_record_of(kind), row, at + 1, 299);
    lot->rows.count++;
}

void lot_setting(struct lot *lot, enum tide_setting key, int64_t value)
{
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    put(lot, TIDE_REC_setting_row, &row);
}

void lot_zone(struct lot *lot, tide_id zone)
{
    struct tide_zone row = {.id = zone, .place = COMMUNITY};
    put(lot, TIDE_REC_zone, &row);
}

void lot_slot(struct lot *lot, tide_id slot, tide_id zone)
{
    struct tide_slot row = {.id = slot, .zone = zone, .title = TIDE_SLOT_TITLE_common};
    put(lot, TIDE_REC_slot, &row);
}

void lot_window(struct lot *lot, tide_id slot, int64_t from_min, int64_t until_min)
{
    struct tide_window row = {.slot = slot,
                              .kind = TIDE_WINDOW_KIND_once,
                              .start_ms = lot->base_ms + from_min * TIDE_MINUTE_MS,
                              .end_ms = lot->base_ms + until_min * TIDE_MINUTE_MS};
    put(lot, TIDE_REC_window, &row);
}

static void put_households(struct lot *lot)
{
    for (uint32_t i = 0; i < lot->households; i++) {
        tide_id id = FIRST + i;
        struct tide_place place = {
            .id = id, .kind = TIDE_PLACE_KIND_household, .parent = COMMUNITY};
        struct tide_person person = {.id = id, .household = id};
        struct tide_user user = {.id = id, .person = id, .kind = TIDE_USER_KIND_app};
        struct tide_role_row role = {.person = id, .role = TIDE_ROLE_resident, .place = id};
        put(lot, TIDE_REC_place, &place);
        put(lot, TIDE_REC_person, &person);
        put(lot, TIDE_REC_user, &user);
        put(lot, TIDE_REC_role_row, &role);
    }
}

void lot_open(struct lot *lot, struct engine_limits limits, uint32_t households, uint32_t live_max,
              uint32_t horizon_days)
{
    memset(lot, 0, sizeof *lot);
    uint32_t many = households + FIRST + 80; /* put wants room for a whole message of each */
    limits.places = limits.persons = limits.users = limits.roles = many;
    limits.vehicles = 80;
    limits.horizon_days_max =
        horizon_days < 14 ? 16 : horizon_days + 2; /* genesis looks 14 ahead */
    size_t size = (engine_size(&limits) + 63) & ~(size_t)63;
    lot->memory = memory_block(size); /* as the daemon has it */
    lot->effects.cap = TIDE_EFFECTS_BYTES_MAX;
    lot->effects.buf = malloc(lot->effects.cap);
    if (lot->memory == NULL || lot->effects.buf == NULL)
        bench_die("no memory");
    lot->engine = engine_init(lot->memory, size, &limits);
    lot->now_ms = BENCH_START_MS;
    lot->base_ms = BENCH_START_MS + 16 * 60 * TIDE_MINUTE_MS;
    lot->households = households;
    struct engine_event genesis = {.kind = TIDE_REC_genesis};
    genesis.as.genesis = (struct tide_genesis){
        .community = COMMUNITY, .admin = ADMIN, .admin_user = ADMIN, .utc_offset_min = 480};
    step(lot, &genesis);
    lot_setting(lot, TIDE_SETTING_household_live_max, live_max);
    lot_setting(lot, TIDE_SETTING_horizon_days, horizon_days);
    lot_setting(lot, TIDE_SETTING_stay_max_min, 20160);
    lot_setting(lot, TIDE_SETTING_grant_min, 1000000);
    put_households(lot);
    lot_flush(lot);
}

void lot_close(struct lot *lot)
{
    free(lot->memory);
    free(lot->effects.buf);
    memset(lot, 0, sizeof *lot);
}

tide_id lot_book(struct lot *lot, const struct lot_wish *wish)
{
    struct engine_event event = {.user = FIRST + wish->household, .kind = TIDE_REC_book};
    event.as.book = (struct tide_book){
        .plate = wish->plate,
        .zone = wish->zone,
        .start_ms = lot->base_ms + wish->from_min * TIDE_MINUTE_MS,
        .end_ms = lot->base_ms + wish->until_min * TIDE_MINUTE_MS,
    };
    step(lot, &event);
    return lot->reply.code == TIDE_CODE_ok ? lot->reply.id : 0;
}

bool lot_cancel(struct lot *lot, uint32_t household, tide_id booking)
{
    struct engine_event event = {.user = FIRST + household, .kind = TIDE_REC_cancel};
    event.as.cancel = (struct tide_cancel){.booking = booking};
    step(lot, &event);
    return lot->reply.code == TIDE_CODE_ok;
}
