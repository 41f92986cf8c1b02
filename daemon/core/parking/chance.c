/* chance.c - how likely a place comes free: told honestly, or not at all.
 *
 *   position at which one began      1     2    3-4   5-8   9 and more       a bucket each
 *   asked                           12     9    14     3      1
 *   of these, offered a place       10     6     5     0      0
 *   told                           78 %  63 %  37 %  20 %   nothing: one case is no ground
 *
 * chance = (got + 1) / (asked + 2), Laplace's rule of succession: what is to be expected of the
 * next one when nothing else is known than how those before him fared. It never claims 0 or 100 %,
 * and with few cases it stays near one half; with fewer than three it is not told. Beside it stands
 * on how many cases it rests, so that everybody can judge it.
 *
 * Offered counts as got, confirmed or not: the place was there. Who took his wish back before
 * anything came free is no case: what he would have got nobody knows. At 200 cases both numbers are
 * halved, so that last year counts little.
 */
#include "daemon/core/parking/wait.h"

static uint32_t cell_number(tide_id zone, unsigned bucket)
{
    CHECK(bucket < TIDE_WAIT_BUCKETS);
    return zone * TIDE_WAIT_BUCKETS + bucket;
}

struct tide_wait_record *wait_record_of(const struct engine *engine, tide_id zone, unsigned bucket)
{
    struct wait_record_state *state = table_at(&engine->wait_records, cell_number(zone, bucket));
    return state != NULL ? &state->row : NULL;
}

struct tide_wait_record *wait_record_make(struct engine *engine, tide_id zone, unsigned bucket)
{
    struct wait_record_state *state = table_add(&engine->wait_records, cell_number(zone, bucket));
    CHECK(state != NULL); /* as many as zones and buckets */
    state->row.zone = zone;
    state->row.bucket = (uint8_t)bucket;
    return &state->row;
}

static unsigned bucket_of(unsigned position)
{
    static const unsigned last[TIDE_WAIT_BUCKETS - 1] = {1, 2, 4, 8};
    unsigned bucket = 0;
    CHECK(position > 0);
    while (bucket < TIDE_WAIT_BUCKETS - 1 && position > last[bucket])
        bucket++;
    return bucket;
}

void chance_learn(struct step *step, tide_id zone, unsigned position, bool got)
{
    unsigned bucket = bucket_of(position);
    struct tide_wait_record *record = wait_record_of(step->engine, zone, bucket);
    if (record == NULL)
        record = wait_record_make(step->engine, zone, bucket);
    record->asked++;
    record->got = (uint16_t)(record->got + got);
    if (record->asked >= TIDE_WAIT_CASES_MAX) {
        record->asked /= 2;
        record->got /= 2;
    }
    CHECK(record->got <= record->asked);
    trace(step->engine, "wait.learned", zone, record->asked, record->got);
    step_put(step, TIDE_REC_wait_record, record);
}

void chance_of(const struct engine *engine, tide_id zone, struct tide_wait_place *place)
{
    const struct tide_wait_record *record =
        wait_record_of(engine, zone, bucket_of(place->position));
    bool known = record != NULL && record->asked >= TIDE_WAIT_CASES_MIN;
    place->of = known ? record->asked : 0;
    place->chance_pct = known ? (uint8_t)(100 * (record->got + 1) / (record->asked + 2)) : 0;
}
