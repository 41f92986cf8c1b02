/* audit_offers.c - a refusal that is said to help: is what it names really in the way, and would
 * what it offers have been granted? Asked slot by slot, the slow way (naive.h).
 */
#include "tests/sim/audit_state.h"

struct wish {
    tide_id plate, zone, household;
    unsigned cls;
    bool urgent; /* no account is asked */
    tide_ms start, end, now;
};

static bool can_take(struct audit *audit, const struct wish *wish, const struct tide_slot *slot,
                     tide_id zone, tide_ms start, tide_ms end)
{
    return slot->zone == zone && slot->cls == wish->cls &&
           !(start <= wish->now && audit_slot_is_taken_now(audit, slot->id)) &&
           audit_slot_is_free(audit, slot, start, end);
}

static bool any_slot(struct audit *audit, const struct wish *wish, tide_id zone, tide_ms start,
                     tide_ms end)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (can_take(audit, wish, &row->slot, zone, start, end))
            return true;
    return false;
}

static bool any_open(struct audit *audit, const struct wish *wish, tide_ms grain)
{
    struct naive_calendar calendar = audit_calendar(audit);
    struct naive_windows windows = audit_windows(audit);
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_slot, &cursor)) != NULL)
        if (row->slot.zone == wish->zone && row->slot.cls == wish->cls &&
            naive_grain_open(&calendar, &row->slot, &windows, grain))
            return true;
    return false;
}

/* ---- what is in the way ---------------------------------------------------------------------- */
static void check_binding(struct audit *audit, const struct wish *wish,
                          const struct tide_binding *it)
{
    tide_ms last = it->end_ms - TIDE_GRAIN_MS;
    const char *why = tide_enum_name(TIDE_FT_enum_why, it->why);
    if (it->zone != wish->zone || it->cls != wish->cls || it->start_ms < wish->start ||
        it->end_ms > audit_kept_until(audit, wish->zone, wish->end) || it->start_ms >= it->end_ms) {
        audit_fail(audit, "what is in the way lies outside the wish");
        return;
    }
    if (any_slot(audit, wish, it->zone, it->start_ms, it->end_ms))
        audit_fail(audit, "%lld to %lld is said to be in the way (%s), and a slot is free",
                   (long long)it->start_ms, (long long)it->end_ms, why);
    if (it->why == TIDE_WHY_in_pieces) {
        if (!any_slot(audit, wish, it->zone, it->start_ms, last) ||
            !any_slot(audit, wish, it->zone, last, it->end_ms))
            audit_fail(audit, "%lld to %lld is not in pieces, but full", (long long)it->start_ms,
                       (long long)it->end_ms);
        return;
    }
    bool open = it->why == TIDE_WHY_all_taken;
    if ((!open && it->why != TIDE_WHY_no_window) || any_open(audit, wish, it->start_ms) != open ||
        any_open(audit, wish, last) != open ||
        any_slot(audit, wish, it->zone, it->start_ms, it->start_ms + TIDE_GRAIN_MS) ||
        any_slot(audit, wish, it->zone, last, it->end_ms))
        audit_fail(audit, "%lld to %lld is not %s", (long long)it->start_ms, (long long)it->end_ms,
                   why);
}

/* ---- what is offered ------------------------------------------------------------------------- */
static bool walk_is_right(const struct audit *audit, const struct wish *wish,
                          const struct tide_offer *it)
{
    const union tide_any *here = sim_rows_find(audit->rows, TIDE_REC_zone, wish->zone, 0, 0);
    const union tide_any *there = sim_rows_find(audit->rows, TIDE_REC_zone, it->zone, 0, 0);
    if (here == NULL || there == NULL)
        return false;
    int walk = (int)here->zone.walk_m - (int)there->zone.walk_m;
    walk = walk < 0 ? -walk : walk;
    return here->zone.walk_group != 0 && here->zone.walk_group == there->zone.walk_group &&
           it->walk_m == walk && walk <= audit_setting(audit, TIDE_SETTING_walk_max_m);
}

static bool kind_is_right(const struct audit *audit, const struct wish *wish,
                          const struct tide_offer *it)
{
    bool same_length = it->end_ms - it->start_ms == wish->end - wish->start;
    bool here = it->zone == wish->zone;
    switch ((enum tide_offer_kind)it->kind) {
    case TIDE_OFFER_KIND_shorter:
        return here && it->start_ms == wish->start && it->end_ms < wish->end;
    case TIDE_OFFER_KIND_later:
        return here && same_length && it->start_ms > wish->start;
    case TIDE_OFFER_KIND_earlier:
        return here && same_length && it->start_ms < wish->start;
    case TIDE_OFFER_KIND_elsewhere:
        return !here && same_length && it->start_ms == wish->start &&
               walk_is_right(audit, wish, it);
    case TIDE_OFFER_KIND_wait:
        return here && same_length && it->start_ms == wish->start;
    default:
        return false;
    }
}

static bool party_may(const struct audit *audit, const struct wish *wish,
                      const struct tide_offer *it)
{
    const union tide_any *zone = sim_rows_find(audit->rows, TIDE_REC_zone, it->zone, 0, 0);
    const union tide_any *account =
        sim_rows_find(audit->rows, TIDE_REC_account, wish->household, 0, 0);
    if (wish->household == 0 || wish->urgent)
        return !(wish->urgent && it->kind == TIDE_OFFER_KIND_wait);
    if (zone == NULL || account == NULL ||
        (!zone->zone.outsiders && !audit_within(audit, wish->household, zone->zone.place)))
        return false;
    return it->minutes <= account->account.balance_min - account->account.held_min -
                              audit_setting(audit, TIDE_SETTING_account_floor_min);
}

static bool plate_is_elsewhere(const struct audit *audit, const struct wish *wish,
                               const struct tide_offer *it)
{
    for (uint32_t i = 0; wish->plate != 0 && i < audit->live_bookings.count; i++) {
        const struct tide_booking *other = audit_booking(audit, audit->live_bookings.list[i]);
        if (other->plate == wish->plate && other->start_ms < it->end_ms &&
            it->start_ms < other->end_ms)
            return true;
    }
    return false;
}

static void check_offer(struct audit *audit, const struct wish *wish, const struct tide_offer *it)
{
    const char *kind = tide_enum_name(TIDE_FT_enum_offer_kind, it->kind);
    if (!kind_is_right(audit, wish, it) || it->cls != wish->cls || it->start_ms < wish->now ||
        it->start_ms >= it->end_ms || it->minutes != (it->end_ms - it->start_ms) / TIDE_MINUTE_MS)
        audit_fail(audit, "the offer (%s, zone %u, %lld to %lld) is not what it says", kind,
                   it->zone, (long long)it->start_ms, (long long)it->end_ms);
    else if (it->kind == TIDE_OFFER_KIND_wait && !audit_wait_offer(audit, it))
        audit_fail(audit, "offered to wait at position %u, %u %% of %u", it->position,
                   it->chance_pct, it->of);
    else if (it->kind != TIDE_OFFER_KIND_wait &&
             !any_slot(audit, wish, it->zone, it->start_ms,
                       audit_kept_until(audit, it->zone, it->end_ms)))
        audit_fail(audit, "offered (%s) zone %u from %lld to %lld, and no slot is free", kind,
                   it->zone, (long long)it->start_ms, (long long)it->end_ms);
    else if (!party_may(audit, wish, it) || plate_is_elsewhere(audit, wish, it))
        audit_fail(audit, "offered (%s) zone %u to somebody who may not have it", kind, it->zone);
}

static void check_items(struct audit *audit, const struct wish *wish, const uint8_t *effects,
                        size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind, bindings = 0;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_ITEM && kind == TIDE_REC_binding) {
            bindings++;
            check_binding(audit, wish, &any.binding);
        }
        if (verb == ENGINE_ITEM && kind == TIDE_REC_offer) {
            audit->counts.checked_offers++;
            check_offer(audit, wish, &any.offer);
        }
    }
    if (bindings == 0 || bindings > TIDE_BINDINGS_MAX)
        audit_fail(audit, "refused as full, and %u things are in the way", bindings);
}

static tide_ms floor_of(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

void audit_offers_of_book(struct audit *audit, const uint8_t *effects, size_t len)
{
    const struct tide_book *ask = &audit->event->as.book;
    const struct tide_person *speaker = audit_speaker(audit);
    const union tide_any *person = sim_rows_find(audit->rows, TIDE_REC_person, ask->person, 0, 0);
    struct wish wish = {.plate = ask->plate,
                        .zone = ask->zone,
                        .household = ask->household,
                        .cls = ask->cls,
                        .urgent = ask->urgent,
                        .start = floor_of(ask->start_ms),
                        .end = floor_of(ask->end_ms + TIDE_GRAIN_MS - 1),
                        .now = floor_of(audit->when_ms)};
    if (wish.household == 0 && person != NULL)
        wish.household = person->person.household;
    else if (wish.household == 0 && speaker != NULL)
        wish.household = speaker->household;
    check_items(audit, &wish, effects, len);
}

void audit_offers_of_quote(struct audit *audit, const uint8_t *effects, size_t len)
{
    const struct tide_ask_quote *ask = &audit->event->as.ask_quote;
    const struct tide_person *speaker = audit_speaker(audit);
    struct wish wish = {.plate = ask->plate,
                        .zone = ask->zone,
                        .household = speaker != NULL ? speaker->household : 0,
                        .cls = ask->cls,
                        .start = floor_of(ask->start_ms),
                        .end = floor_of(ask->end_ms + TIDE_GRAIN_MS - 1),
                        .now = floor_of(audit->event->when_ms)};
    check_items(audit, &wish, effects, len);
}
