/* offer.c - a refusal that helps: what stands in the way of a wish, and what would fit instead.
 *
 *   wish                 ├──────────────────────────────┤
 *   slot 1          ░░░░░░░░░░░░░░▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░     ░ free   ▓ promised
 *   slot 2          ▓▓▓▓▓▓▓▓▓▓▓░░░░░░▓▓▓▓▓▓▓▓▓░░░░░░░░░░░
 *   bindings             ├───────────┤ in_pieces: nobody is free all through; here one would have
 *                                    ├───────┤ all_taken    to change places
 *
 * Bindings are found by going on from the start as far as one slot carries, over and over. Each is
 * a span for all of which no slot is free, so whoever asks why can check it. Offers are the nearest
 * wishes that would have been granted at this very moment to the same party: the same start and a
 * sooner end, a later or an earlier start of the same length within a day, another zone of the same
 * walk. Each was asked of the rules before it is told (booking_could). The last offer is to wait
 * for the wish itself, with the position and the chance that one would have (waiting.c).
 */
#include "daemon/core/parking/parking.h"
#include "daemon/core/parking/wait.h"

#define OPEN_WORDS 64u /* a stay of 14 days (setting stay_max_min), a bit a grain */

struct search {
    struct step *step;
    const struct booking_wish *wish;
    struct span span, hold; /* the wish; and its buffer with it, see lateness.c */
    unsigned bindings;
    uint64_t open[OPEN_WORDS]; /* some slot is open then; bit 0 is the start of the wish */
    bool open_known;
};

/* ---- what stands in the way ------------------------------------------------------------------ */
static void bind(struct search *search, grain from, grain until, enum tide_why why)
{
    struct tide_binding binding = {.zone = search->wish->zone,
                                   .cls = (uint8_t)search->wish->cls,
                                   .start_ms = from * TIDE_GRAIN_MS,
                                   .end_ms = until * TIDE_GRAIN_MS,
                                   .why = (uint8_t)why};
    search->bindings++;
    trace(search->step->engine, "offer.binding", binding.start_ms, binding.end_ms, why);
    step_item(search->step, TIDE_REC_binding, &binding);
}

/* As far as some one slot is free from here on, at most until the end; at itself when none is. */
static grain carried_until(const struct search *search, grain at, grain until)
{
    return seats_carry(search->step->engine, search->wish->zone, search->wish->cls,
                       (struct span){at, until, search->span.now});
}

static bool anybody_free(const struct search *search, grain at)
{
    return carried_until(search, at, at + 1) > at;
}

static void look_who_is_open(struct search *search)
{
    const struct engine *engine = search->step->engine;
    const struct zone_state *zone = zone_of(engine, search->wish->zone);
    grain until = search->span.from + (grain)OPEN_WORDS * 64;
    until = search->hold.until < until ? search->hold.until : until;
    search->open_known = true;
    for (tide_id id = zone->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(engine, id);
        if (slot->row.cls == search->wish->cls)
            freemap_or_open(engine, slot, search->span.from, until, search->open);
        id = slot->next_in_zone;
    }
}

static bool anybody_open(struct search *search, grain at)
{
    uint32_t bit = (uint32_t)(at - search->span.from);
    if (!search->open_known)
        look_who_is_open(search);
    return bit < OPEN_WORDS * 64 && (search->open[bit / 64] >> bit % 64 & 1) != 0;
}

/* Nobody is free at `at`: as long as that lasts for one and the same reason. Returns its end. */
static grain bind_full(struct search *search, grain at)
{
    bool open = anybody_open(search, at);
    grain end = at + 1;
    while (end < search->hold.until && anybody_open(search, end) == open &&
           !anybody_free(search, end))
        end++;
    bind(search, at, end, open ? TIDE_WHY_all_taken : TIDE_WHY_no_window);
    return end;
}

static void bindings_tell(struct search *search)
{
    grain at = search->span.from;
    while (at < search->hold.until && search->bindings < TIDE_BINDINGS_MAX) {
        grain end = carried_until(search, at, search->hold.until);
        if (end == at) {
            at = bind_full(search, at);
            continue;
        }
        if (end < search->hold.until && anybody_free(search, end))
            bind(search, at, end + 1, TIDE_WHY_in_pieces);
        at = end;
    }
}

/* ---- what would fit -------------------------------------------------------------------------- */
static bool offer(struct search *search, enum tide_offer_kind kind, tide_id zone, grain from,
                  grain until, uint32_t walk_m)
{
    struct booking_wish wish = *search->wish;
    wish.zone = zone;
    wish.start_ms = from * TIDE_GRAIN_MS;
    wish.end_ms = until * TIDE_GRAIN_MS;
    if (!booking_could(search->step, &wish))
        return false;
    struct tide_offer item = {.kind = (uint8_t)kind,
                              .zone = zone,
                              .cls = (uint8_t)wish.cls,
                              .start_ms = wish.start_ms,
                              .end_ms = wish.end_ms,
                              .minutes = (int32_t)((until - from) * TIDE_GRAIN_MIN),
                              .walk_m = (uint16_t)walk_m};
    trace(search->step->engine, "offer.made", kind, item.start_ms, item.end_ms);
    step_item(search->step, TIDE_REC_offer, &item);
    return true;
}

/* Sooner than the hints say there is no seat of this length, and none lasts longer. */
static void offer_other_times(struct search *search, const struct tide_reply *refusal)
{
    tide_id zone = search->wish->zone;
    grain from = search->span.from, length = search->span.until - from;
    grain carried = refusal->free_until_ms / TIDE_GRAIN_MS;
    grain later = refusal->free_from_ms / TIDE_GRAIN_MS;
    if (carried - from >= TIDE_OFFER_GRAINS_MIN)
        offer(search, TIDE_OFFER_KIND_shorter, zone, from, carried, 0);
    for (; later != 0 && later <= from + TIDE_GRAINS_A_DAY; later++)
        if (offer(search, TIDE_OFFER_KIND_later, zone, later, later + length, 0))
            break;
    for (grain k = 1; k <= TIDE_GRAINS_A_DAY && from - k >= search->span.now; k++)
        if (offer(search, TIDE_OFFER_KIND_earlier, zone, from - k, from - k + length, 0))
            break;
}

unsigned zones_near(const struct engine *engine, tide_id id,
                    struct zone_near found[TIDE_OFFER_ZONES_MAX])
{
    const struct tide_zone *here = &zone_of(engine, id)->row;
    uint32_t cursor = 0;
    unsigned count = 0;
    const struct zone_state *zone;
    while (here->walk_group != 0 && (zone = table_next(&engine->zones, &cursor)) != NULL) {
        uint32_t walk_m =
            (uint32_t)(zone->row.walk_m > here->walk_m ? zone->row.walk_m - here->walk_m
                                                       : here->walk_m - zone->row.walk_m);
        if (zone->row.id == here->id || zone->row.walk_group != here->walk_group ||
            walk_m > engine->setting[TIDE_SETTING_walk_max_m])
            continue;
        if (count == TIDE_OFFER_ZONES_MAX && walk_m >= found[count - 1].walk_m)
            continue;
        unsigned at = count < TIDE_OFFER_ZONES_MAX ? count++ : count - 1;
        for (; at > 0 && found[at - 1].walk_m > walk_m; at--)
            found[at] = found[at - 1];
        found[at] = (struct zone_near){zone->row.id, walk_m};
    }
    return count;
}

static void offer_other_zones(struct search *search)
{
    struct zone_near near[TIDE_OFFER_ZONES_MAX];
    unsigned count = zones_near(search->step->engine, search->wish->zone, near), made = 0;
    for (unsigned i = 0; i < count && made < TIDE_OFFERS_ELSEWHERE_MAX; i++)
        made += offer(search, TIDE_OFFER_KIND_elsewhere, near[i].zone, search->span.from,
                      search->span.until, near[i].walk_m);
}

/* Where there is no slot of a kind, none will come free. */
static bool has_any(const struct engine *engine, const struct booking_wish *wish)
{
    const struct slot_state *slot = slot_of(engine, zone_of(engine, wish->zone)->first_slot);
    while (slot != NULL && slot->row.cls != wish->cls)
        slot = slot_of(engine, slot->next_in_zone);
    return slot != NULL;
}

/* The wish itself, later: how far back one would stand, and how that went for others. */
static void offer_to_wait(struct search *search)
{
    const struct engine *engine = search->step->engine;
    const struct booking_wish *wish = search->wish;
    if (wish->urgent || !has_any(engine, wish) || !waiting_may_be(search->step, wish))
        return;
    struct tide_offer item = {.kind = TIDE_OFFER_KIND_wait,
                              .zone = wish->zone,
                              .cls = (uint8_t)wish->cls,
                              .start_ms = search->span.from * TIDE_GRAIN_MS,
                              .end_ms = search->span.until * TIDE_GRAIN_MS};
    struct tide_wait_place place;
    waiting_place(engine, wish, 0, &place);
    item.minutes = (int32_t)((item.end_ms - item.start_ms) / TIDE_MINUTE_MS);
    item.position = place.position;
    item.chance_pct = place.chance_pct;
    item.of = place.of;
    trace(engine, "offer.wait", place.position, place.chance_pct, place.of);
    step_item(search->step, TIDE_REC_offer, &item);
}

void offers_tell(struct step *step, const struct booking_wish *wish,
                 const struct tide_reply *refusal)
{
    struct search search = {.step = step, .wish = wish, .span = wish_span(wish, step->now_ms)};
    if (refusal->why != TIDE_WHY_all_taken && refusal->why != TIDE_WHY_no_window &&
        refusal->why != TIDE_WHY_kept_for_late)
        return;
    search.hold = lateness_hold(step->engine, wish->zone, search.span);
    CHECK(step->replied && search.span.from < search.span.until);
    bindings_tell(&search);
    offer_other_times(&search, refusal);
    offer_other_zones(&search);
    offer_to_wait(&search);
}
