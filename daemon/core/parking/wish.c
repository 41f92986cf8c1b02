/* wish.c - what somebody would like to have of a draw: asked, taken back, answered.
 *
 * A wish is checked like a booking when it is made, and again when it wins (draw.c). It holds no
 * minutes, but counts with the household's other wishes against its account and its cap.
 */
#include <string.h>

#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/draw.h"
#include "daemon/core/parking/draw_proof.h"

struct wish_state *wish_of(const struct engine *engine, tide_id id)
{
    return table_find(&engine->wishes, id);
}

/* ---- a draw's wishes, by id ------------------------------------------------------------------ */
void wish_attach(struct engine *engine, struct wish_state *wish)
{
    struct draw_state *draw = draw_of(engine, wish->row.draw);
    uint32_t id = wish->row.id, *link = &draw->first_wish;
    if (draw->last_wish != 0 && draw->last_wish < id)
        link = &wish_of(engine, draw->last_wish)->next_of_draw; /* nearly always */
    while (*link != 0 && *link < id)
        link = &wish_of(engine, *link)->next_of_draw;
    wish->next_of_draw = *link;
    *link = id;
    if (wish->next_of_draw == 0)
        draw->last_wish = id;
    draw->wish_count++;
    place_of(engine, wish->row.household)->wishes++; /* it is there: sound.c */
}

static void wish_detach(struct engine *engine, struct wish_state *wish)
{
    struct draw_state *draw = draw_of(engine, wish->row.draw);
    uint32_t *link = &draw->first_wish, before = 0;
    while (*link != wish->row.id) {
        CHECK(*link != 0);
        before = *link;
        link = &wish_of(engine, before)->next_of_draw;
    }
    *link = wish->next_of_draw;
    if (draw->last_wish == wish->row.id)
        draw->last_wish = before;
    draw->wish_count--;
    place_of(engine, wish->row.household)->wishes--;
}

static void tell_party(struct step *step, const struct tide_wish *row)
{
    bool won = row->state == TIDE_WISH_STATE_won;
    struct tide_notice what = {.kind = won ? TIDE_NOTICE_KIND_draw_won : TIDE_NOTICE_KIND_draw_lost,
                               .booking = row->booking,
                               .plate = row->plate,
                               .zone = row->zone,
                               .start_ms = row->start_ms,
                               .end_ms = row->end_ms,
                               .why = row->why};
    notice_one(step, row->person, row->household, what);
}

void wish_end(struct step *step, struct wish_state *wish, enum tide_wish_state state,
              enum tide_why why)
{
    struct tide_wish row = wish->row;
    CHECK(state != TIDE_WISH_STATE_waiting && row.state == TIDE_WISH_STATE_waiting);
    row.state = (uint8_t)state;
    row.why = (uint8_t)why;
    row.slot = 0; /* the booking knows */
    wish_detach(step->engine, wish);
    table_remove(&step->engine->wishes, wish);
    trace(step->engine, "wish.end", row.id, state, why);
    step_put(step, TIDE_REC_wish, &row);
    if (state == TIDE_WISH_STATE_won || why != TIDE_WHY_withdrawn)
        tell_party(step, &row);
}

/* ---- over all wishes ------------------------------------------------------------------------- */
static struct wish_state *wish_above(const struct engine *engine, tide_id after,
                                     bool (*is)(const struct tide_wish *row, tide_id what),
                                     tide_id what)
{
    uint32_t cursor = 0;
    struct wish_state *wish, *found = NULL;
    while ((wish = table_next(&engine->wishes, &cursor)) != NULL)
        if (wish->row.id > after && is(&wish->row, what) &&
            (found == NULL || wish->row.id < found->row.id))
            found = wish;
    return found;
}

static bool is_of_person(const struct tide_wish *row, tide_id person)
{
    return row->person == person;
}

static bool is_of_household(const struct tide_wish *row, tide_id household)
{
    return row->household == household;
}

static bool is_for_plate(const struct tide_wish *row, tide_id plate)
{
    return row->plate == plate;
}

bool wishes_have_plate(const struct engine *engine, tide_id plate)
{
    return wish_above(engine, 0, is_for_plate, plate) != NULL;
}

/* After the closing a wish stands in the root: it is lost, not as if it had never been. */
void wishes_forget(struct step *step, tide_id person)
{
    struct wish_state *wish;
    while ((wish = wish_above(step->engine, 0, is_of_person, person)) != NULL) {
        const struct draw_state *draw = draw_of(step->engine, wish->row.draw);
        wish_end(step, wish,
                 draw->row.state == TIDE_DRAW_STATE_open ? TIDE_WISH_STATE_withdrawn
                                                         : TIDE_WISH_STATE_lost,
                 TIDE_WHY_withdrawn);
    }
}

/* ---- asking ---------------------------------------------------------------------------------- */
/* The draw that takes wishes for this span now; NULL after refusing. */
static struct draw_state *draw_asked(struct step *step, tide_id zone, struct span span)
{
    const struct engine *engine = step->engine;
    struct tide_reply reply = {.code = TIDE_CODE_not_found};
    uint32_t cursor = 0;
    struct draw_state *draw;
    while ((draw = table_next(&engine->draws, &cursor)) != NULL) {
        const struct tide_draw *row = &draw->row;
        bool covers =
            row->start_ms <= span.from * TIDE_GRAIN_MS && span.until * TIDE_GRAIN_MS <= row->end_ms;
        if (row->zone == zone && covers && row->state == TIDE_DRAW_STATE_open &&
            row->ask_from_ms <= step->now_ms)
            return draw; /* there is one at most: draws of a zone do not meet */
        if (row->zone == zone && covers && row->state > TIDE_DRAW_STATE_open)
            reply = (struct tide_reply){.code = TIDE_CODE_conflict, .why = TIDE_WHY_draw_closed};
    }
    tide_ms from_ms = 0;
    if (reply.code == TIDE_CODE_not_found && draw_keeps(engine, zone, span, &from_ms))
        reply = (struct tide_reply){
            .code = TIDE_CODE_conflict, .why = TIDE_WHY_too_early, .free_from_ms = from_ms};
    step_reply(step, &reply);
    return NULL;
}

/* What the household waits for already; false when this wish does not go with it. */
static bool goes_with_others(struct step *step, const struct draw_state *draw,
                             struct booking_wish *want, struct span span)
{
    uint32_t cursor = 0;
    const struct wish_state *wish;
    struct tide_reply reply = {0};
    while ((wish = table_next(&step->engine->wishes, &cursor)) != NULL) {
        const struct tide_wish *row = &wish->row;
        bool meets =
            row->start_ms < span.until * TIDE_GRAIN_MS && span.from * TIDE_GRAIN_MS < row->end_ms;
        if (row->plate == want->plate && meets && (reply.id == 0 || row->id < reply.id))
            reply = (struct tide_reply){
                .code = TIDE_CODE_conflict, .why = TIDE_WHY_plate_overlap, .id = row->id};
        if (row->household != want->household)
            continue;
        want->waiting++;
        want->waiting_min += (int32_t)((row->end_ms - row->start_ms) / TIDE_MINUTE_MS);
        if (draw->row.aim == TIDE_DRAW_AIM_households && row->draw == draw->row.id &&
            reply.code == TIDE_CODE_ok)
            reply = (struct tide_reply){
                .code = TIDE_CODE_quota, .why = TIDE_WHY_household_cap, .limit = 1};
    }
    if (reply.code != TIDE_CODE_ok)
        step_reply(step, &reply);
    return reply.code == TIDE_CODE_ok;
}

static void receipt(struct step *step, const struct draw_state *draw, const struct tide_wish *row)
{
    struct draw_lot *lot = step->engine->draw_lot;
    struct tide_receipt item = {.wish = row->id, .draw = row->draw, .used_min = row->used_min};
    uint8_t leaf[32];
    lot->draw = row->draw;
    lot->base_grain = 0;
    draw_lot_set(lot, 0, row);
    draw_leaf(lot, 0, leaf);
    draw_hex_set(leaf, &item.leaf_1);
    memcpy(&item.commit_1, &draw->row.commit_1, 4 * sizeof item.commit_1);
    step_item(step, TIDE_REC_wish, row);
    step_item(step, TIDE_REC_receipt, &item);
}

static void wish_write(struct step *step, const struct draw_state *draw,
                       const struct booking_wish *want, struct span span)
{
    struct engine *engine = step->engine;
    const struct tide_draw_ask *ask = &step->event->as.draw_ask;
    const struct account_state *account = table_find(&engine->accounts, want->household);
    struct wish_state *wish = table_add(&engine->wishes, step_new_id(step, TIDE_COUNTER_wish));
    CHECK(wish != NULL && account != NULL);
    tide_id id = wish->row.id;
    wish->row = (struct tide_wish){.id = id,
                                   .draw = draw->row.id,
                                   .plate = want->plate,
                                   .zone = want->zone,
                                   .cls = (uint8_t)want->cls,
                                   .household = want->household,
                                   .person = want->person,
                                   .by = step->user,
                                   .via = (uint8_t)want->via,
                                   .visitor = want->visitor,
                                   .start_ms = span.from * TIDE_GRAIN_MS,
                                   .end_ms = span.until * TIDE_GRAIN_MS,
                                   .made_ms = step->now_ms,
                                   .used_min = account->row.used_min + account->row.held_min +
                                               want->waiting_min,
                                   .nonce_1 = ask->nonce_1,
                                   .nonce_2 = ask->nonce_2};
    wish_attach(engine, wish);
    trace(engine, "wish.made", id, draw->row.id, wish->row.used_min);
    step_put(step, TIDE_REC_wish, &wish->row);
    step_ok(step, id);
    receipt(step, draw, &wish->row);
}

void draw_ask_take(struct step *step)
{
    const struct tide_draw_ask *ask = &step->event->as.draw_ask;
    const struct engine *engine = step->engine;
    struct party party;
    struct tide_reply reply = {0};
    if (!step_party(step, ask->household, ask->person, &party))
        return;
    if (zone_of(engine, ask->zone) == NULL || ask->plate == 0) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        return;
    }
    struct booking_wish want = {.plate = ask->plate,
                                .zone = ask->zone,
                                .household = party.household,
                                .person = party.person,
                                .cls = (enum tide_slot_class)ask->cls,
                                .via = (enum tide_via)ask->via,
                                .visitor = ask->visitor,
                                .start_ms = ask->start_ms,
                                .end_ms = ask->end_ms};
    struct span span = wish_span(&want, step->now_ms);
    if (span.from >= span.until) {
        step_refuse(step, TIDE_CODE_invalid, TIDE_WHY_ends_before_start);
        return;
    }
    const struct draw_state *draw = draw_asked(step, ask->zone, span);
    if (draw == NULL || !goes_with_others(step, draw, &want, span))
        return;
    if (!booking_may_be(step, &want, span, &reply)) {
        step_reply(step, &reply);
        return;
    }
    if (engine->wishes.count == engine->wishes.cap || draw->wish_count == TIDE_DRAW_WISHES_MAX) {
        step_refuse(step, TIDE_CODE_full, TIDE_WHY_pool_full);
        return;
    }
    wish_write(step, draw, &want, span);
}

void draw_withdraw_take(struct step *step)
{
    const struct tide_draw_withdraw *ask = &step->event->as.draw_withdraw;
    const struct engine *engine = step->engine;
    struct wish_state *wish = wish_of(engine, ask->wish);
    if (wish == NULL) {
        step_refuse_gone(step, TIDE_COUNTER_wish, ask->wish);
    } else if (!step_owns(step, wish->row.household, wish->row.person)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
    } else if (draw_of(engine, wish->row.draw)->row.state != TIDE_DRAW_STATE_open) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_draw_closed);
    } else {
        wish_end(step, wish, TIDE_WISH_STATE_withdrawn, TIDE_WHY_withdrawn);
        step_ok(step, ask->wish);
    }
}

/* ---- looking --------------------------------------------------------------------------------- */
void draws_ask(struct step *step)
{
    const struct tide_ask_draws *ask = &step->event->as.ask_draws;
    const struct engine *engine = step->engine;
    struct party party = {.household = step->household};
    if (ask->household != 0 && !step_party(step, ask->household, 0, &party))
        return;
    uint32_t left = TIDE_REPLY_ITEMS_MAX;
    for (tide_id after = 0; left > TIDE_REPLY_ITEMS_MAX / 2; left--) {
        uint32_t cursor = 0;
        const struct draw_state *draw, *next = NULL;
        while ((draw = table_next(&engine->draws, &cursor)) != NULL)
            if (draw->row.id > after && (ask->zone == 0 || draw->row.zone == ask->zone) &&
                (next == NULL || draw->row.id < next->row.id))
                next = draw;
        if (next == NULL)
            break;
        after = next->row.id;
        step_item(step, TIDE_REC_draw, &next->row);
    }
    const struct wish_state *wish = NULL;
    while (party.household != 0 && left > 0 &&
           (wish = wish_above(engine, wish != NULL ? wish->row.id : 0, is_of_household,
                              party.household)) != NULL) {
        struct tide_wish shown = wish->row;
        shown.slot = 0;
        step_item(step, TIDE_REC_wish, &shown);
        left--;
    }
    step_reply(step, &(struct tide_reply){.more = left == 0});
}

void proof_ask(struct step *step)
{
    tide_id id = step->event->as.ask_proof.draw;
    if (draw_of(step->engine, id) != NULL)
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_too_early);
    else if (id == 0 || id >= step->engine->counter[TIDE_COUNTER_draw])
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
    else
        step_ok(step, id);
}
