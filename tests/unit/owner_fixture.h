/* owner_fixture.h - what the tests of the owner's rights say often. */
#ifndef TIDE_TESTS_OWNER_FIXTURE_H
#define TIDE_TESTS_OWNER_FIXTURE_H

#include "tests/unit/engine_fixture.h"

#define AT(hour, minute) (((hour)-8) * 60 + (minute)) /* minutes after eight */

static inline void set(struct fixture *f, enum tide_setting key, int64_t value)
{
    uint8_t blob[64];
    struct tide_setting_row row = {.key = (uint8_t)key, .value = value};
    fixture_pass(f, 0);
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_setting_row, &row),
                     TIDE_REC_put);
    CODE_IS(f, ok);
}

static inline void put_vehicle(struct fixture *f, tide_id plate, tide_id household)
{
    uint8_t blob[64];
    struct tide_vehicle row = {.plate = plate, .household = household};
    fixture_put_blob(f, ADMIN, blob, fixture_row(blob, 0, TIDE_REC_vehicle, &row), TIDE_REC_put);
    CODE_IS(f, ok);
}

static inline void until(struct fixture *f, int hour, int minute)
{
    fixture_pass(f, MONDAY_0800 + AT(hour, minute) * MIN_MS - f->now_ms);
}

static inline void open_for_the_night(struct fixture *f, tide_id slot)
{
    fixture_send(f, CLERK, TIDE_REC_share,
                 &(struct tide_share){.slot = slot,
                                      .kind = TIDE_WINDOW_KIND_once,
                                      .start_ms = MONDAY_0800 + AT(20, 0) * MIN_MS,
                                      .end_ms = MONDAY_0800 + AT(32, 0) * MIN_MS});
    CODE_IS(f, ok);
}

static inline const struct tide_account *account(const struct fixture *f, tide_id household)
{
    return engine_find(f->engine, TIDE_REC_account, household, 0, 0);
}

/* The owner's live promise of another slot; NULL when there is none. */
static inline const struct tide_booking *substitute(const struct fixture *f)
{
    uint32_t cursor = 0;
    const struct tide_booking *booking;
    while ((booking = engine_next(f->engine, TIDE_REC_booking, &cursor)) != NULL)
        if (booking->substitute_for != 0)
            return booking;
    return NULL;
}

static inline struct tide_booking written(const struct fixture *f, uint32_t id)
{
    struct tide_booking row, last = {0};
    for (unsigned n = 0; fixture_effect(f, ENGINE_PUT, TIDE_REC_booking, n, &row); n++)
        if (row.id == id)
            last = row;
    return last;
}

#endif
