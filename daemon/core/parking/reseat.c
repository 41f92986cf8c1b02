/* reseat.c - room for one more, by moving others that have not arrived.
 *
 * When no slot fits directly, free time is often there, but in pieces on several slots:
 *
 *     slot 1   ▓▓▓▓▓▓a▓▓▓░░░░░░▓▓▓           wish        ├────────┤
 *     slot 2   ░░░░░▓▓▓b▓▓▓░░░░░░░                       (slot 2, if only b were not there;
 *     slot 3   ▓▓▓░░░░░░░░░▓▓▓▓▓▓▓                        b fits into slot 3)
 *
 * The search puts the wish onto a slot that is open for it, takes away what is in its way, and
 * finds each of these a seat in the same manner: directly if it can, else by taking away others,
 * as deep as the setting reseat_depth allows. Slots are tried in the order of how many minutes are
 * in the way. A slot that is looked at is one step of the setting reseat_steps, so a refusal costs
 * no more in a large zone than in a small one. What did not work is undone; what worked becomes
 * one PUT a booking that ends up elsewhere.
 *
 * Never moved: a car that is there; a booking within freeze_min of its start; one of a class of its
 * own (accessible, charger); the owner's on his own slot; one whose slot is no longer open for it,
 * but which keeps it (window.c).
 */
#include "daemon/core/parking/parking.h"

#define MOVES_MAX 64u
#define WIDTH 12u         /* slots that are tried for one booking */
#define IN_THE_WAY_MAX 4u /* bookings on one slot */

struct
try {
    tide_id slot;
    grain cost; /* grains in the way */
};

struct search {
    struct step *step;
    tide_id zone;
    enum tide_slot_class cls;
    tide_id slot; /* given to the wish: no longer open to others for `span` */
    struct span span;
    int64_t steps; /* left */
    struct {
        tide_id booking, from; /* 0: it was lifted */
    } log[MOVES_MAX];
    uint32_t count;
};

/* ---- who may be moved ------------------------------------------------------------------------ */
static bool may_move(const struct engine *engine, const struct tide_booking *booking,
                     tide_ms now_ms)
{
    tide_ms frozen_ms = engine->setting[TIDE_SETTING_freeze_min] * TIDE_MINUTE_MS;
    const struct slot_state *slot = slot_of(engine, booking->slot);
    return booking->state == TIDE_BOOKING_STATE_booked && booking->outside == TIDE_WHY_none &&
           booking->start_ms - frozen_ms > now_ms && booking->cls == TIDE_SLOT_CLASS_standard &&
           slot != NULL && (slot->row.owner == 0 || slot->row.owner != booking->household);
}

/* ---- what was tried can be undone ------------------------------------------------------------ */
static bool lift(struct search *search, struct booking_state *booking, tide_id to)
{
    if (search->count == MOVES_MAX)
        return false;
    search->log[search->count].booking = booking->row.id;
    search->log[search->count++].from = booking->row.slot;
    booking_lift(search->step->engine, booking, to);
    return true;
}

static void undo(struct search *search, uint32_t mark)
{
    struct engine *engine = search->step->engine;
    while (search->count > mark) {
        search->count--;
        booking_lift(engine, booking_of(engine, search->log[search->count].booking),
                     search->log[search->count].from);
    }
}

/* ---- which slots to try ---------------------------------------------------------------------- */
/* Grains of others in the way of a span on a slot; -1 when they cannot be moved or are too many. */
static grain in_the_way(const struct search *search, const struct slot_state *slot,
                        struct span span)
{
    const struct engine *engine = search->step->engine;
    const struct booking_state *other =
        order_after(engine, &slot->bookings, ORDER_OF_SLOT, span.from * TIDE_GRAIN_MS);
    grain cost = 0;
    unsigned count = 0;
    while (other != NULL && other->row.start_ms < span.until * TIDE_GRAIN_MS) {
        struct span theirs = booking_span(&other->row, 0);
        if (!may_move(engine, &other->row, search->step->now_ms) || ++count > IN_THE_WAY_MAX)
            return -1;
        cost += theirs.until - theirs.from;
        other = booking_of(engine, order_next(engine, other, ORDER_OF_SLOT));
    }
    return cost;
}

static bool is_candidate(const struct search *search, const struct slot_state *slot,
                         struct span span)
{
    const struct engine *engine = search->step->engine;
    if (slot->row.cls != search->cls || !freemap_is_open(engine, slot, span.from, span.until))
        return false;
    if (span.from <= span.now && spot_taken_by_other(engine, slot, 0))
        return false;
    return slot->row.id != search->slot || span.until <= search->span.from ||
           span.from >= search->span.until;
}

/* The WIDTH slots with the least in the way, the least first; ties by the lower id. */
static unsigned candidates(struct search *search, struct span span, tide_id but,
                           struct try tries[WIDTH])
{
    const struct engine *engine = search->step->engine;
    unsigned count = 0;
    search->steps -= zone_of(engine, search->zone)->slot_count;
    for (tide_id id = zone_of(engine, search->zone)->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        id = slot->next_in_zone;
        if (slot->row.id == but || !is_candidate(search, slot, span))
            continue;
        grain cost = in_the_way(search, slot, span);
        if (cost < 0 || (count == WIDTH && cost >= tries[count - 1].cost))
            continue;
        unsigned at = count < WIDTH ? count++ : count - 1;
        for (; at > 0 && tries[at - 1].cost > cost; at--)
            tries[at] = tries[at - 1];
        tries[at] = (struct try){slot->row.id, cost};
    }
    return count;
}

/* ---- the chain ------------------------------------------------------------------------------- */
static bool seat(struct search *search, struct booking_state *booking, tide_id but, int64_t depth);

/* Lifts what is in the way on a slot; returns how many, in ids; 0 when the log is full. */
static unsigned clear_slot(struct search *search, tide_id slot, struct span span,
                           tide_id lifted[IN_THE_WAY_MAX])
{
    struct engine *engine = search->step->engine;
    unsigned count = 0;
    for (;;) {
        struct booking_state *other = order_after(engine, &slot_of(engine, slot)->bookings,
                                                  ORDER_OF_SLOT, span.from * TIDE_GRAIN_MS);
        if (other == NULL || other->row.start_ms >= span.until * TIDE_GRAIN_MS)
            return count;
        CHECK(count < IN_THE_WAY_MAX);
        lifted[count++] = other->row.id;
        if (!lift(search, other, 0))
            return 0;
    }
}

/* Each of those that were lifted gets a seat, or none of it happened. */
static bool seat_all(struct search *search, const tide_id *lifted, unsigned count, tide_id but,
                     int64_t depth)
{
    for (unsigned i = 0; i < count; i++)
        if (!seat(search, booking_of(search->step->engine, lifted[i]), but, depth))
            return false;
    return true;
}

static bool seat(struct search *search, struct booking_state *booking, tide_id but, int64_t depth)
{
    struct engine *engine = search->step->engine;
    struct span span = booking_span(&booking->row, search->step->now_ms);
    tide_id lifted[IN_THE_WAY_MAX];
    struct try tries[WIDTH];
    tide_id direct = seat_find(engine, search->zone, search->cls, span, 0);
    if (direct != 0)
        return lift(search, booking, direct);
    if (depth <= 1)
        return false;
    unsigned count = candidates(search, span, but, tries);
    for (unsigned i = 0; i < count && search->steps > 0; i++) {
        uint32_t mark = search->count;
        unsigned moved = clear_slot(search, tries[i].slot, span, lifted);
        if (moved > 0 && lift(search, booking, tries[i].slot) &&
            seat_all(search, lifted, moved, tries[i].slot, depth - 1))
            return true;
        undo(search, mark);
    }
    return false;
}

static void hold(struct search *search, bool busy)
{
    struct engine *engine = search->step->engine;
    struct slot_state *slot = slot_of(engine, search->slot);
    if (busy)
        freemap_set(engine, slot->busy, search->span.from, search->span.until);
    else
        freemap_clear(engine, slot->busy, search->span.from, search->span.until);
    freemap_publish(engine, slot, search->span.from, search->span.until);
}

static bool make_room(struct search *search, tide_id slot, int64_t depth)
{
    tide_id lifted[IN_THE_WAY_MAX];
    unsigned moved = clear_slot(search, slot, search->span, lifted);
    if (moved == 0) {
        undo(search, 0);
        return false;
    }
    search->slot = slot;
    hold(search, true);
    bool done = seat_all(search, lifted, moved, slot, depth);
    hold(search, false);
    if (!done)
        undo(search, 0);
    search->slot = 0;
    return done;
}

/* What was tried last for each booking is where it stays: told once. */
static void tell(struct search *search)
{
    struct engine *engine = search->step->engine;
    for (uint32_t i = 0; i < search->count; i++) {
        struct booking_state *booking = booking_of(engine, search->log[i].booking);
        tide_id first = search->log[i].from;
        bool earlier = false;
        for (uint32_t k = 0; k < i && !earlier; k++)
            earlier = search->log[k].booking == booking->row.id;
        if (earlier || first == booking->row.slot)
            continue;
        trace(engine, "booking.move", booking->row.id, first, booking->row.slot);
        booking->row.moves++;
        step_put(search->step, TIDE_REC_booking, &booking->row);
    }
}

tide_id reseat_find(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span)
{
    const struct engine *engine = step->engine;
    struct search search = {.step = step,
                            .zone = zone,
                            .cls = cls,
                            .span = span,
                            .steps = engine->setting[TIDE_SETTING_reseat_steps]};
    int64_t depth = engine->setting[TIDE_SETTING_reseat_depth];
    struct try tries[WIDTH];
    if (search.steps == 0 || cls != TIDE_SLOT_CLASS_standard ||
        !freemap_knows(engine, span.from, span.until))
        return 0;
    unsigned count = candidates(&search, span, 0, tries);
    for (int64_t deep = 1; deep <= depth; deep++) /* short chains first */
        for (unsigned i = 0; i < count && search.steps > 0; i++) {
            if (!make_room(&search, tries[i].slot, deep))
                continue;
            tell(&search);
            trace(step->engine, "seat.reseat", tries[i].slot, search.count, search.steps);
            return tries[i].slot;
        }
    trace(step->engine, "seat.stuck", zone, search.steps, count);
    return 0;
}
