/* workload.c - what people want: to lend, to book, to change their minds; the desk, the guard and
 * the committee to do their work. Each wakes from time to time and does one thing; what he knows
 * he knows from replies alone.
 */
#include <string.h>

#include "tests/sim/sim.h"

#define HOUR_MS 3600000LL

struct engine_event sim_event(unsigned kind)
{
    struct engine_event event;
    memset(&event, 0, sizeof event);
    event.kind = (uint8_t)kind;
    return event;
}

static tide_ms grain_of(tide_ms at)
{
    return at - at % TIDE_GRAIN_MS;
}

static const struct sim_household *house_of(const struct sim *sim, uint32_t person)
{
    uint32_t h = sim->world.persons[person].household;
    return h == UINT32_MAX ? NULL : &sim->world.households[h];
}

static int32_t today(const struct sim *sim)
{
    const struct naive_calendar plain = {.utc_offset_min = SIM_UTC_OFFSET_MIN};
    return naive_date(&plain, sim_civil(sim));
}

static uint32_t some_plate(struct sim *sim, uint32_t person)
{
    const struct sim_household *house = house_of(sim, person);
    if (house != NULL && sim_rng_chance(&sim->people, 550))
        return house->plate;
    if (sim->world.plate_count > 40 && sim_rng_chance(&sim->people, 500))
        return 1 + sim_rng_below(&sim->people, sim->world.plate_count);
    return sim_world_plate(&sim->world, &sim->people, SIM_PLATE_VISITOR);
}

static struct sim_held *some_held(struct sim *sim, uint32_t person)
{
    struct sim_client *client = &sim->clients[person];
    uint32_t have = client->held_count < 16 ? client->held_count : 16;
    return have == 0 ? NULL : &client->held[sim_rng_below(&sim->people, have)];
}

/* ---- residents ----------------------------------------------------------------------------- */
static void want_share(struct sim *sim, uint32_t person)
{
    const struct sim_household *house = house_of(sim, person);
    if (house == NULL || house->slot == 0)
        return;
    struct engine_event event = sim_event(TIDE_REC_share);
    struct tide_share *s = &event.as.share;
    s->slot = sim->world.slots[house->slot - 1].id;
    if (sim_rng_chance(&sim->people, 700)) {
        static const uint8_t days[] = {TIDE_DAYS_WORKDAY, TIDE_DAYS_WORKDAY, TIDE_DAYS_ALL,
                                       TIDE_DAYS_EVE, TIDE_DAYS_RESTDAY | TIDE_DAYS_HOLIDAY};
        s->kind = TIDE_WINDOW_KIND_weekly;
        s->days = days[sim_rng_below(&sim->people, 5)];
        s->weekdays = sim_rng_chance(&sim->people, 850)
                          ? TIDE_WEEKDAYS_ALL
                          : (uint8_t)sim_rng_range(&sim->people, 1, TIDE_WEEKDAYS_ALL);
        s->opens_min = (int32_t)sim_rng_range(&sim->people, 7 * 60, 10 * 60);
        s->closes_min = (int32_t)sim_rng_range(&sim->people, 14 * 60, 18 * 60);
        if (sim_rng_chance(&sim->people, 300)) {
            s->opens_min = (int32_t)sim_rng_range(&sim->people, 0, 23 * 60);
            s->closes_min = s->opens_min + (int32_t)sim_rng_range(&sim->people, 5, 24 * 60);
        }
        if (sim_rng_chance(&sim->people, 200))
            s->until_date = today(sim) + (int32_t)sim_rng_below(&sim->people, 20);
    } else {
        s->kind = TIDE_WINDOW_KIND_once;
        s->start_ms = sim_civil(sim) + sim_rng_range(&sim->people, 0, 60 * HOUR_MS);
        s->end_ms = s->start_ms + sim_rng_range(&sim->people, HOUR_MS, 30 * HOUR_MS);
    }
    sim_net_call(sim, person, &event, 0);
}

static void want_recall(struct sim *sim, uint32_t person)
{
    const struct sim_household *house = house_of(sim, person);
    if (house == NULL || house->slot == 0)
        return;
    struct engine_event event = sim_event(TIDE_REC_recall);
    event.as.recall.slot = sim->world.slots[house->slot - 1].id;
    event.as.recall.start_ms = sim_civil(sim) + sim_rng_range(&sim->people, 0, 30 * HOUR_MS);
    event.as.recall.end_ms =
        event.as.recall.start_ms + sim_rng_range(&sim->people, HOUR_MS / 2, 10 * HOUR_MS);
    event.as.recall.plan = sim_rng_chance(&sim->people, 150);
    uint32_t other = sim_rng_below(&sim->people, sim->world.slot_count);
    if (sim_rng_chance(&sim->people, 300)) /* as if it had been offered */
        event.as.recall.swap = sim->world.slots[other].id;
    sim_net_call(sim, person, &event, sim->world.slots[other].zone);
}

static void want_unshare(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_unshare);
    event.as.unshare.window = sim->clients[person].window;
    if (event.as.unshare.window != 0)
        sim_net_call(sim, person, &event, 0);
}

static tide_ms some_start(struct sim *sim)
{
    tide_ms now = sim_civil(sim);
    uint32_t kind = sim_rng_below(&sim->people, 100);
    if (kind < 25)
        return now + sim_rng_range(&sim->people, 0, 20 * 60000);
    if (kind < 75)
        return now + sim_rng_range(&sim->people, 0, 16 * HOUR_MS);
    if (kind < 95)
        return now + sim_rng_range(&sim->people, 0, 4 * TIDE_DAY_MS);
    return now + sim_rng_range(&sim->people, 11 * TIDE_DAY_MS, 15 * TIDE_DAY_MS);
}

static void want_book(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_book);
    struct tide_book *b = &event.as.book;
    uint32_t zone = sim_rng_below(&sim->people, SIM_ZONES);
    b->plate = some_plate(sim, person);
    b->zone = sim->world.zones[zone].id;
    b->cls = sim_rng_chance(&sim->people, 80) ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard;
    b->start_ms = some_start(sim);
    b->end_ms = b->start_ms + sim_rng_range(&sim->people, 10, 600) * TIDE_MINUTE_MS;
    if (sim_rng_chance(&sim->people, 700)) {
        b->start_ms = grain_of(b->start_ms);
        b->end_ms = grain_of(b->end_ms);
    }
    b->visitor = house_of(sim, person) == NULL || b->plate != house_of(sim, person)->plate;
    if (house_of(sim, person) == NULL || sim_rng_chance(&sim->people, 20)) {
        uint32_t h = sim_rng_below(&sim->people, sim->world.household_count);
        b->household = sim->world.households[h].id;
        b->via = TIDE_VIA_phone;
    }
    sim_net_call(sim, person, &event, zone);
}

static void want_repeat(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_repeat);
    struct tide_repeat *r = &event.as.repeat;
    uint32_t zone = sim_rng_below(&sim->people, SIM_ZONES);
    const struct sim_household *house = house_of(sim, person);
    if (house == NULL)
        return;
    r->plate = house->plate;
    r->zone = sim->world.zones[zone].id;
    r->days = sim_rng_chance(&sim->people, 700) ? TIDE_DAYS_WORKDAY : TIDE_DAYS_ALL;
    r->weekdays = sim_rng_chance(&sim->people, 700) ? 0x1f : TIDE_WEEKDAYS_ALL;
    r->opens_min = (int32_t)sim_rng_range(&sim->people, 70, 240) * 5;
    r->closes_min = r->opens_min + (int32_t)sim_rng_range(&sim->people, 6, 120) * 5;
    r->until_date = sim_rng_chance(&sim->people, 500)
                        ? today(sim) + (int32_t)sim_rng_below(&sim->people, 8)
                        : 0;
    sim_net_call(sim, person, &event, zone);
}

static void want_cancel(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_cancel);
    struct sim_client *client = &sim->clients[person];
    if (client->series != 0 && sim_rng_chance(&sim->people, 250)) {
        event.as.cancel.series = client->series;
        client->series = 0;
    } else {
        const struct sim_held *held = some_held(sim, person);
        if (held == NULL)
            return;
        event.as.cancel.booking = held->booking;
    }
    sim_net_call(sim, person, &event, 0);
}

static void want_extend(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_extend);
    const struct sim_held *held = some_held(sim, person);
    if (held == NULL)
        return;
    event.as.extend.booking = held->booking;
    event.as.extend.end_ms = held->end_ms + sim_rng_range(&sim->people, -60, 240) * TIDE_MINUTE_MS;
    sim_net_call(sim, person, &event, 0);
}

static void want_to_know(struct sim *sim, uint32_t person)
{
    static const uint8_t kinds[] = {
        TIDE_REC_ask_quote,   TIDE_REC_ask_bookings, TIDE_REC_ask_tide,    TIDE_REC_ask_shares,
        TIDE_REC_ask_account, TIDE_REC_ask_whoami,   TIDE_REC_ask_status,  TIDE_REC_ask_inbox,
        TIDE_REC_ask_history, TIDE_REC_ask_zones,    TIDE_REC_ask_forecast};
    struct engine_event event = sim_event(kinds[sim_rng_below(&sim->people, sizeof kinds)]);
    tide_id zone = sim->world.zones[sim_rng_below(&sim->people, SIM_ZONES)].id;
    if (event.kind == TIDE_REC_ask_quote) {
        event.as.ask_quote.plate = some_plate(sim, person);
        event.as.ask_quote.zone = zone;
        event.as.ask_quote.start_ms = grain_of(some_start(sim));
        event.as.ask_quote.end_ms =
            event.as.ask_quote.start_ms + sim_rng_range(&sim->people, 2, 120) * TIDE_GRAIN_MS;
    }
    if (event.kind == TIDE_REC_ask_tide) {
        event.as.ask_tide.zone = zone;
        event.as.ask_tide.hours = 24;
    }
    if (event.kind == TIDE_REC_ask_forecast)
        event.as.ask_forecast.zone = zone;
    sim_net_call(sim, person, &event, 0);
}

static void want_as_resident(struct sim *sim, uint32_t person)
{
    static const struct {
        uint16_t up_to;
        void (*fn)(struct sim *sim, uint32_t person);
    } wants[] = {{160, want_share},   {200, want_recall},    {230, want_unshare},
                 {470, want_book},    {570, sim_draws_want}, {620, sim_waits_want},
                 {660, want_repeat},  {740, want_cancel},    {830, want_extend},
                 {1000, want_to_know}};
    uint32_t chance = sim_rng_below(&sim->people, 1000);
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
        if (chance < wants[i].up_to) {
            wants[i].fn(sim, person);
            return;
        }
}

/* ---- the desk, the guard, the committee ---------------------------------------------------- */
static void want_sheet(struct sim *sim, uint32_t person)
{
    struct engine_event event =
        sim_event(sim_rng_chance(&sim->people, 500) ? TIDE_REC_ask_sheet : TIDE_REC_ask_incidents);
    if (event.kind == TIDE_REC_ask_sheet) {
        event.as.ask_sheet.zone = sim->world.zones[sim_rng_below(&sim->people, SIM_ZONES)].id;
        event.as.ask_sheet.start_ms = sim_civil(sim);
        event.as.ask_sheet.end_ms = sim_civil(sim) + 12 * HOUR_MS;
    }
    sim_net_call(sim, person, &event, 0);
}

/* An ambulance, a carer, and now and then a plate that may not. */
static void want_urgently(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_book);
    uint32_t plate = 1 + sim_rng_below(&sim->people, sim->world.plate_count);
    for (uint32_t i = 0; i < sim->world.plate_count && !sim_rng_chance(&sim->people, 50); i++) {
        plate = plate % sim->world.plate_count + 1;
        if (sim->world.plates[plate - 1].kind == SIM_PLATE_EMERGENCY)
            break;
    }
    event.as.book.plate = plate;
    event.as.book.zone = sim->world.zones[sim_rng_below(&sim->people, SIM_ZONES)].id;
    event.as.book.household =
        sim->world.households[sim_rng_below(&sim->people, sim->world.household_count)].id;
    event.as.book.start_ms = grain_of(sim_civil(sim) + sim_rng_range(&sim->people, 0, 3 * HOUR_MS));
    event.as.book.end_ms =
        event.as.book.start_ms + sim_rng_range(&sim->people, 2, 60) * TIDE_GRAIN_MS;
    event.as.book.urgent = 1;
    sim_net_call(sim, person, &event, 0);
}

/* The guard walks round and writes down who stands where. */
static void want_round(struct sim *sim, uint32_t person)
{
    uint32_t index = sim_rng_below(&sim->people, sim->world.slot_count);
    const struct sim_slot *slot = &sim->world.slots[index];
    struct engine_event event = sim_event(TIDE_REC_arrive);
    if (slot->car == 0)
        return;
    event.as.arrive.plate = slot->car;
    event.as.arrive.slot = slot->id;
    event.as.arrive.zone = sim->world.zones[slot->zone].id;
    sim_net_call(sim, person, &event, 0);
}

static void want_blackout(struct sim *sim, uint32_t person)
{
    struct engine_event event = sim_event(TIDE_REC_blackout);
    uint32_t zone = sim_rng_below(&sim->people, SIM_ZONES);
    if (sim_rng_chance(&sim->people, 800))
        event.as.blackout.slot =
            sim->world.slots[sim_rng_below(&sim->people, sim->world.slot_count)].id;
    else
        event.as.blackout.zone = sim->world.zones[zone].id;
    event.as.blackout.start_ms = sim_civil(sim) + sim_rng_range(&sim->people, 0, 40 * HOUR_MS);
    event.as.blackout.end_ms =
        event.as.blackout.start_ms + sim_rng_range(&sim->people, HOUR_MS, 6 * HOUR_MS);
    sim_net_call(sim, person, &event, 0);
}

static void want_as_staff(struct sim *sim, uint32_t person)
{
    enum tide_role role = sim->world.persons[person].role;
    uint32_t chance = sim_rng_below(&sim->people, 100);
    if (role == TIDE_ROLE_guard || role == TIDE_ROLE_property) {
        if (chance < 8)
            want_urgently(sim, person);
        else if (chance < 55)
            want_round(sim, person);
        else
            want_sheet(sim, person);
    } else if (role == TIDE_ROLE_clerk || role == TIDE_ROLE_steward) {
        if (chance < 50)
            want_book(sim, person);
        else if (chance < 60)
            want_extend(sim, person);
        else if (chance < 70)
            want_cancel(sim, person);
        else if (chance < 74 && role == TIDE_ROLE_clerk)
            want_blackout(sim, person);
        else
            want_sheet(sim, person);
    } else if (role == TIDE_ROLE_committee && chance < 10) {
        want_blackout(sim, person);
    }
}

void sim_workload_wake(struct sim *sim, uint32_t person)
{
    const struct sim_person *p = &sim->world.persons[person];
    tide_ms pause = p->role == TIDE_ROLE_resident ? 5 * HOUR_MS : HOUR_MS;
    sim_later(sim, sim_rng_range(&sim->people, pause / 8, pause), SIM_TODO_WAKE, person, 0);
    if (p->role == TIDE_ROLE_gateway || sim->clients[person].offline_until > sim->real_ms)
        return;
    if (p->role == TIDE_ROLE_resident)
        want_as_resident(sim, person);
    else
        want_as_staff(sim, person);
}

void sim_workload_begin(struct sim *sim)
{
    sim->clients = NULL;
    uint32_t room = 0;
    sim->clients = sim_grow(NULL, &room, sim->world.person_count, sizeof *sim->clients);
    memset(sim->clients, 0, room * sizeof *sim->clients);
    for (uint32_t i = 0; i < sim->world.person_count; i++)
        sim_later(sim, sim_rng_range(&sim->people, 0, 3 * HOUR_MS), SIM_TODO_WAKE, i, 0);
    sim_later(sim, 1000, SIM_TODO_DAY, 0, 0);
}

/* ---- what they learn ----------------------------------------------------------------------- */
static void learn_booking(struct sim *sim, const struct sim_call *call,
                          const struct tide_booking *booking, uint32_t plate)
{
    struct sim_client *client = &sim->clients[call->person];
    struct sim_held *held = &client->held[client->held_count++ % 16];
    *held = (struct sim_held){.booking = booking->id,
                              .series = booking->series,
                              .plate = plate,
                              .zone = call->context,
                              .start_ms = booking->start_ms,
                              .end_ms = booking->end_ms};
    sim_cars_promised(sim, call->person, held);
}

static void learn_extension(struct sim *sim, const struct sim_call *call)
{
    struct sim_client *client = &sim->clients[call->person];
    for (uint32_t i = 0; i < 16; i++)
        if (client->held[i].booking == call->event.as.extend.booking)
            client->held[i].end_ms = call->event.as.extend.end_ms;
}

static void maybe_resolve(struct sim *sim, uint32_t person, tide_id incident)
{
    struct engine_event event = sim_event(TIDE_REC_resolve);
    if (!sim_rng_chance(&sim->people, 150))
        return;
    event.as.resolve.incident = incident;
    sim_net_call(sim, person, &event, 0);
}

static uint32_t zone_index(const struct sim *sim, tide_id zone)
{
    uint32_t index = 0;
    while (index + 1 < SIM_ZONES && sim->world.zones[index].id != zone)
        index++;
    return index;
}

/* Somebody else has his slot, and another is offered in exchange: some take it. */
static void take_a_swap(struct sim *sim, const struct sim_call *call, const uint8_t *effects,
                        size_t len)
{
    struct engine_event event = call->event;
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any))
        if (verb == ENGINE_ITEM && kind == TIDE_REC_swap && sim_rng_chance(&sim->people, 700)) {
            event.as.recall.swap = any.swap.slot;
            event.as.recall.plan = 0;
            sim_net_call(sim, call->person, &event, zone_index(sim, any.swap.zone));
            return;
        }
}

/* Refused for want of room: some take one of the offers. */
static void take_an_offer(struct sim *sim, const struct sim_call *call, const uint8_t *effects,
                          size_t len)
{
    struct engine_event event = call->event;
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_ITEM || kind != TIDE_REC_offer || !sim_rng_chance(&sim->people, 300))
            continue;
        uint32_t zone = zone_index(sim, any.offer.zone);
        if (any.offer.kind == TIDE_OFFER_KIND_wait) {
            sim_waits_instead(sim, call->person, &event.as.book, zone);
            return;
        }
        event.as.book.zone = any.offer.zone;
        event.as.book.start_ms = any.offer.start_ms;
        event.as.book.end_ms = any.offer.end_ms;
        sim_net_call(sim, call->person, &event, zone);
        return;
    }
}

void sim_workload_reply(struct sim *sim, uint32_t number, const struct tide_reply *reply,
                        const uint8_t *effects, size_t len)
{
    const struct sim_call *call = sim->calls[number];
    struct sim_client *client = &sim->clients[call->person];
    const struct engine_event *event = &call->event;
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    if (event->kind == TIDE_REC_book && reply->code == TIDE_CODE_full)
        take_an_offer(sim, call, effects, len);
    if (event->kind == TIDE_REC_recall && reply->code == TIDE_CODE_conflict)
        take_a_swap(sim, call, effects, len);
    if (reply->code != TIDE_CODE_ok)
        return;
    if (event->kind == TIDE_REC_share)
        client->window = reply->id;
    if (event->kind == TIDE_REC_repeat)
        client->series = reply->id;
    if (event->kind == TIDE_REC_draw_ask)
        client->wish = reply->id;
    if (event->kind == TIDE_REC_wait) {
        client->waiting = reply->id;
        client->wait_plate = event->as.wait.plate;
        client->wait_zone = call->context;
    }
    if (event->kind == TIDE_REC_extend)
        learn_extension(sim, call);
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_ITEM)
            continue;
        if (kind == TIDE_REC_booking && event->kind == TIDE_REC_book)
            learn_booking(sim, call, &any.booking, event->as.book.plate);
        if (kind == TIDE_REC_booking && event->kind == TIDE_REC_recall)
            learn_booking(sim, call, &any.booking, any.booking.plate);
        if (kind == TIDE_REC_booking && event->kind == TIDE_REC_confirm &&
            any.booking.waiting == client->waiting)
            learn_booking(sim, call, &any.booking, client->wait_plate);
        if (kind == TIDE_REC_booking && event->kind == TIDE_REC_repeat)
            learn_booking(sim, call, &any.booking, event->as.repeat.plate);
        if (kind == TIDE_REC_incident && event->kind == TIDE_REC_ask_incidents)
            maybe_resolve(sim, call->person, any.incident.id);
    }
}

void sim_workload_trust(struct sim *sim)
{
    struct engine_event event = sim_event(TIDE_REC_clock_accept);
    for (uint32_t i = 0; i < sim->world.person_count; i++)
        if (sim->world.persons[i].role == TIDE_ROLE_clerk) {
            sim_net_call(sim, i, &event, 0);
            break;
        }
    sim->suspended = false;
}
