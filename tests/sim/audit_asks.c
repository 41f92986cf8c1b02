/* audit_asks.c - what is answered to questions is what is so: places that are free, promises that a
 * household has, minutes on its account.
 */
#include "tests/sim/audit_state.h"

static tide_ms grain_floor(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

static void check_quote(struct audit *audit, const struct tide_quote *quote, unsigned code)
{
    const struct tide_ask_quote *ask = &audit->event->as.ask_quote;
    tide_ms now = grain_floor(audit->event->when_ms);
    tide_ms until = audit_kept_until(audit, ask->zone, quote->end_ms);
    uint32_t cursor = 0, places = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL) {
        const struct tide_slot *slot = &row->slot;
        bool here = slot->zone == ask->zone && slot->cls == ask->cls;
        bool taken = quote->start_ms <= now && audit_slot_is_taken_now(audit, slot->id);
        places += here && !taken && audit_slot_is_free(audit, slot, quote->start_ms, until);
    }
    if (quote->places != places)
        audit_fail(audit, "quoted %u places, %u are free", quote->places, places);
    if ((code == TIDE_CODE_ok) != (places > 0))
        audit_fail(audit, "%u places are free and the answer is %s", places,
                   tide_enum_name(TIDE_FT_enum_code, code));
    if (quote->minutes != (quote->end_ms - quote->start_ms) / TIDE_MINUTE_MS)
        audit_fail(audit, "quoted %d minutes", quote->minutes);
}

/* The same row as ours; booked ones come without their slot. */
static bool is_ours(const struct audit *audit, const struct tide_booking *shown)
{
    const struct tide_record *desc = tide_record_of(TIDE_REC_booking);
    const struct tide_booking *ours = audit_booking(audit, shown->id);
    if (ours == NULL)
        return false;
    struct tide_booking hidden = *ours;
    if (hidden.state == TIDE_BOOKING_STATE_booked && shown->slot == 0)
        hidden.slot = 0;
    for (unsigned i = 0; i < desc->field_count; i++)
        if (tide_field_get(&desc->fields[i], shown) != tide_field_get(&desc->fields[i], &hidden))
            return false;
    return true;
}

static void check_bookings(struct audit *audit, uint32_t shown, bool more)
{
    const struct tide_person *speaker = audit_speaker(audit);
    const struct tide_ask_bookings *ask = &audit->event->as.ask_bookings;
    uint32_t have = 0;
    if (speaker == NULL || ask->household != 0 || ask->person != 0 || more)
        return;
    for (uint32_t i = 0; i < audit->live_bookings.count; i++)
        have += audit_booking(audit, audit->live_bookings.list[i])->household == speaker->household;
    if (have != shown)
        audit_fail(audit, "household %u was shown %u live bookings of %u", speaker->household,
                   shown, have);
}

static void check_account(struct audit *audit, const struct tide_account *shown)
{
    const union tide_any *row =
        sim_rows_find(audit->rows, TIDE_REC_account, shown->household, 0, 0);
    if (row == NULL || row->account.balance_min != shown->balance_min ||
        row->account.held_min != shown->held_min || row->account.lent_min != shown->lent_min)
        audit_fail(audit, "account %u was shown with %d minutes, %d held", shown->household,
                   shown->balance_min, shown->held_min);
}

void audit_asked(struct audit *audit, const struct tide_reply *reply, const uint8_t *effects,
                 size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    uint32_t bookings = 0, hours = 0;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_ITEM)
            continue;
        if (kind == TIDE_REC_quote)
            check_quote(audit, &any.quote, reply->code);
        if (kind == TIDE_REC_account)
            check_account(audit, &any.account);
        if (kind == TIDE_REC_wait_place)
            audit_wait_place(audit, &any.wait_place);
        if (kind == TIDE_REC_forecast_hour)
            audit_forecast_asked(audit, &any.forecast_hour, hours++);
        if (kind != TIDE_REC_booking)
            continue;
        bookings++;
        if (!is_ours(audit, &any.booking))
            audit_fail(audit, "booking %u was shown otherwise than it is", any.booking.id);
    }
    if (audit->event->kind == TIDE_REC_ask_quote && reply->code == TIDE_CODE_full)
        audit_offers_of_quote(audit, effects, len);
    if (audit->event->kind == TIDE_REC_ask_bookings && reply->code == TIDE_CODE_ok)
        check_bookings(audit, bookings, reply->more);
}
