/* audit_windows.c - every promise lies in an open window of its slot, or its record says why not;
 * and who was told that nothing is free was told the truth.
 */
#include <stdlib.h>

#include "tests/sim/audit_state.h"

#define HINTS_CHECKED_ONE_IN 4

static void *grow(void *old, uint32_t *room, uint32_t need, size_t size)
{
    if (need <= *room)
        return old;
    *room = need * 2 + 16;
    void *grown = realloc(old, *room * size);
    if (grown == NULL)
        abort();
    return grown;
}

struct naive_calendar audit_calendar(struct audit *audit)
{
    if (audit->days_stale) {
        uint32_t cursor = 0, count = 0;
        const union tide_any *row;
        uint32_t all = sim_rows_count(audit->rows, TIDE_REC_day);
        audit->days = grow(audit->days, &audit->day_room, all, sizeof *audit->days);
        while ((row = sim_rows_next(audit->rows, TIDE_REC_day, &cursor)) != NULL)
            audit->days[count++] = row->day;
        audit->day_count = count;
        audit->days_stale = false;
    }
    return (struct naive_calendar){.utc_offset_min =
                                       (int32_t)audit_setting(audit, TIDE_SETTING_utc_offset_min),
                                   .days = audit->days,
                                   .count = audit->day_count};
}

struct naive_windows audit_windows(struct audit *audit)
{
    if (audit->windows_stale) {
        uint32_t cursor = 0, count = 0;
        const union tide_any *row;
        uint32_t all = sim_rows_count(audit->rows, TIDE_REC_window);
        audit->windows = grow(audit->windows, &audit->window_room, all, sizeof(void *));
        while ((row = sim_rows_next(audit->rows, TIDE_REC_window, &cursor)) != NULL)
            audit->windows[count++] = &row->window;
        audit->window_count = count;
        audit->windows_stale = false;
    }
    return (struct naive_windows){.list = audit->windows, .count = audit->window_count};
}

/* ---- promises in windows ------------------------------------------------------------------- */
/* What is left of the promise must be open, unless the record says why it is not. */
static void check_open(struct audit *audit, const struct tide_booking *booking)
{
    const struct tide_slot *slot = audit_slot(audit, booking->slot);
    tide_ms from = booking->start_ms > audit->when_ms ? booking->start_ms : audit->when_ms;
    tide_ms closed = 0;
    if (slot == NULL) {
        audit_fail(audit, "booking %u lies on slot %u, which is not there", booking->id,
                   booking->slot);
        return;
    }
    if (booking->outside != TIDE_WHY_none || from >= booking->end_ms)
        return;
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    audit->counts.checked_windows++;
    if (!naive_slot_open(&calendar, slot, &windows, from, booking->end_ms, &closed))
        audit_fail(audit, "booking %u on slot %u (%lld-%lld) is closed at %lld and no word why",
                   booking->id, booking->slot, (long long)booking->start_ms,
                   (long long)booking->end_ms, (long long)closed);
}

static bool supply_changed(const struct audit_change *change)
{
    switch (change->kind) {
    case TIDE_REC_window:
    case TIDE_REC_day:
    case TIDE_REC_slot:
        return true;
    case TIDE_REC_setting_row:
        return change->is.setting_row.key == TIDE_SETTING_resettle_from ||
               change->is.setting_row.key == TIDE_SETTING_utc_offset_min;
    default:
        return false;
    }
}

static bool promise_changed(const struct audit_change *change)
{
    const struct tide_booking *was = &change->was.booking, *is = &change->is.booking;
    if (change->kind != TIDE_REC_booking || change->verb != ENGINE_PUT ||
        !TIDE_BOOKING_LIVE(is->state))
        return false;
    return !change->had || was->slot != is->slot || was->start_ms != is->start_ms ||
           was->end_ms != is->end_ms || was->outside != is->outside;
}

void audit_windows_event(struct audit *audit)
{
    bool all = false;
    for (uint32_t i = 0; i < audit->change_count; i++)
        all |= supply_changed(&audit->changes[i]);
    /* At work, which waits while the clock is not trusted: when it is done, all are looked at;
     * until then only what was promised anew. */
    bool at_work = audit_setting(audit, TIDE_SETTING_resettle_from) != 0;
    all = all && !at_work;
    for (uint32_t i = 0; all && i < audit->live_bookings.count; i++)
        check_open(audit, audit_booking(audit, audit->live_bookings.list[i]));
    for (uint32_t i = 0; !all && i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        bool waits = at_work && change->had && change->was.booking.slot == change->is.booking.slot;
        if (promise_changed(change) && !waits)
            check_open(audit, audit_booking(audit, change->is.booking.id));
    }
}

/* ---- refusals ------------------------------------------------------------------------------ */
bool audit_slot_is_taken_now(const struct audit *audit, tide_id slot)
{
    for (uint32_t i = 0; i < audit->live_sessions.count; i++) {
        const union tide_any *row =
            sim_rows_find(audit->rows, TIDE_REC_session, audit->live_sessions.list[i], 0, 0);
        if (row != NULL && row->session.slot == slot)
            return true;
    }
    const union tide_any *spot = sim_rows_find(audit->rows, TIDE_REC_spot, slot, 0, 0);
    return spot != NULL && spot->spot.state == TIDE_OCCUPANCY_occupied;
}

bool audit_slot_is_free(struct audit *audit, const struct tide_slot *slot, tide_ms start,
                        tide_ms end)
{
    return audit_slot_is_free_but(audit, slot, start, end, 0);
}

bool audit_slot_is_free_but(struct audit *audit, const struct tide_slot *slot, tide_ms start,
                            tide_ms end, tide_id but)
{
    for (uint32_t i = 0; i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        if (other->slot == slot->id && other->id != but && other->start_ms < end &&
            start < other->end_ms + other->buffer_min * TIDE_MINUTE_MS)
            return false;
    }
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    return naive_slot_open(&calendar, slot, &windows, start, end, NULL);
}

static bool could_take(struct audit *audit, const struct tide_book *ask,
                       const struct tide_slot *slot, tide_ms start, tide_ms end)
{
    tide_ms now = audit->when_ms - audit->when_ms % TIDE_GRAIN_MS;
    if (slot->zone != ask->zone || slot->cls != ask->cls)
        return false;
    if (start <= now && audit_slot_is_taken_now(audit, slot->id))
        return false;
    return audit_slot_is_free(audit, slot, start, audit_kept_until(audit, slot->zone, end));
}

/* Some slot that could have taken [start, end); 0 when none could. */
static tide_id taker(struct audit *audit, const struct tide_book *ask, tide_ms start, tide_ms end)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (could_take(audit, ask, &row->slot, start, end))
            return row->slot.id;
    return 0;
}

static void check_hints(struct audit *audit, const struct tide_book *ask, tide_ms start,
                        tide_ms end)
{
    const struct tide_reply *reply = &audit->reply;
    if (reply->free_until_ms != 0) {
        if (reply->free_until_ms >= end || reply->free_until_ms <= start)
            audit_fail(audit, "the offered end %lld lies outside the wish",
                       (long long)reply->free_until_ms);
        else if (taker(audit, ask, start, reply->free_until_ms) == 0)
            audit_fail(audit, "offered until %lld, and no slot is free until then",
                       (long long)reply->free_until_ms);
    }
    if (reply->free_until_ms + TIDE_GRAIN_MS < end &&
        taker(audit, ask, start,
              (reply->free_until_ms != 0 ? reply->free_until_ms : start) + TIDE_GRAIN_MS) != 0)
        audit_fail(audit, "more would have been free than was offered (until %lld)",
                   (long long)reply->free_until_ms);
    if (reply->free_from_ms != 0 &&
        taker(audit, ask, reply->free_from_ms, reply->free_from_ms + end - start) == 0)
        audit_fail(audit, "offered from %lld, and no slot is free then",
                   (long long)reply->free_from_ms);
}

/* Nothing was free for this wish: is that so? And what was offered instead, would it have
 * worked? */
void audit_refusal(struct audit *audit, const struct tide_book *ask)
{
    tide_ms start = ask->start_ms - ask->start_ms % TIDE_GRAIN_MS;
    tide_ms end = (ask->end_ms + TIDE_GRAIN_MS - 1) / TIDE_GRAIN_MS * TIDE_GRAIN_MS;
    audit->counts.checked_refusals++;
    tide_id slot = taker(audit, ask, start, end);
    if (slot != 0)
        audit_fail(audit, "refused as full, and slot %u was free", slot);
    else if (audit->counts.checked_refusals % HINTS_CHECKED_ONE_IN == 0) {
        check_hints(audit, ask, start, end);
        audit_offers_of_book(audit, audit->effects, audit->effects_len);
    }
}
