/* audit_draws.c - draws: nobody books around one, each wish is decided once, what was chosen can
 * be, nothing is left over that a refused wish would have fitted into, and the proof is one.
 * Hashes are OpenSSL's, and the tree is built from its definition (RFC 6962, section 2.1), not as
 * the core does.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/audit_state.h"

#define WISHES_MAX 4096u
#define LEAF_BYTES 61u

struct hashed {
    uint8_t bytes[32];
};

static struct hashed sha256(const uint8_t *bytes, size_t len)
{
    struct hashed out;
    unsigned size = sizeof out.bytes;
    if (EVP_Digest(bytes, len, out.bytes, &size, EVP_sha256(), NULL) != 1)
        abort();
    return out;
}

static uint8_t *number(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    return at + bytes;
}

static struct hashed digest_of(const int64_t *quarters)
{
    struct hashed out;
    for (unsigned i = 0; i < 4; i++)
        number(out.bytes + 8 * i, (uint64_t)quarters[i], 8);
    return out;
}

/* ---- the tree -------------------------------------------------------------------------------- */
static struct hashed leaf_of(const struct tide_wish *wish)
{
    uint8_t bytes[LEAF_BYTES + 8], *at = bytes;
    memcpy(at, "\0tide.wish.1", 12);
    at = number(at + 12, wish->draw, 4);
    at = number(at, wish->id, 4);
    at = number(at, wish->cls, 1);
    at = number(at, (uint64_t)(wish->start_ms / TIDE_GRAIN_MS), 8);
    at = number(at, (uint64_t)(wish->end_ms / TIDE_GRAIN_MS), 8);
    at = number(at, (uint64_t)wish->used_min, 4);
    at = number(at, (uint64_t)wish->nonce_1, 8);
    at = number(at, (uint64_t)wish->nonce_2, 8);
    return sha256(bytes, (size_t)(at - bytes));
}

static struct hashed tree_of(const struct tide_wish *const *wishes, uint32_t count)
{
    uint8_t bytes[65] = {1};
    uint32_t half = 1;
    if (count == 1)
        return leaf_of(wishes[0]);
    while (2 * half < count)
        half *= 2;
    struct hashed left = tree_of(wishes, half), right = tree_of(wishes + half, count - half);
    memcpy(bytes + 1, left.bytes, 32);
    memcpy(bytes + 33, right.bytes, 32);
    return sha256(bytes, sizeof bytes);
}

static int by_id(const void *a, const void *b)
{
    const struct tide_wish *const *x = a, *const *y = b;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* The wishes of a draw that stood when it was closed, by id. */
static uint32_t wishes_of(const struct audit *audit, tide_id draw,
                          const struct tide_wish *ret[WISHES_MAX])
{
    uint32_t cursor = 0, count = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_wish, &cursor)) != NULL)
        if (row->wish.draw == draw && row->wish.state != TIDE_WISH_STATE_withdrawn &&
            count < WISHES_MAX)
            ret[count++] = &row->wish;
    qsort(ret, count, sizeof *ret, by_id);
    return count;
}

/* ---- what was chosen ------------------------------------------------------------------------- */
static const struct tide_draw_span *span_of(const struct audit *audit, tide_id draw,
                                            uint32_t number_of)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_draw_span, &cursor)) != NULL)
        if (row->draw_span.draw == draw && row->draw_span.number == number_of)
            return &row->draw_span;
    return NULL;
}

static bool meets(const struct tide_wish *a, const struct tide_wish *b)
{
    return a->start_ms < b->end_ms && b->start_ms < a->end_ms;
}

static bool lies_in(const struct tide_wish *wish, const struct tide_draw_span *span)
{
    return span != NULL && span->cls == wish->cls && span->start_ms <= wish->start_ms &&
           wish->end_ms <= span->end_ms;
}

/* A refused wish would have had room on a piece of free time that was given away. */
static bool had_room(const struct audit *audit, const struct tide_wish *wish,
                     const struct tide_wish *const *wishes, uint32_t count)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_draw_span, &cursor)) != NULL) {
        const struct tide_draw_span *span = &row->draw_span;
        bool taken = span->draw != wish->draw || !lies_in(wish, span);
        for (uint32_t i = 0; i < count && !taken; i++)
            taken = wishes[i]->span == span->number && meets(wishes[i], wish);
        if (!taken)
            return true;
    }
    return false;
}

static void check_chosen(struct audit *audit, const struct tide_wish *const *wishes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct tide_wish *wish = wishes[i];
        if (wish->state == TIDE_WISH_STATE_waiting)
            audit_fail(audit, "wish %u still waits after its draw", wish->id);
        if (wish->span == 0) {
            if (wish->why == TIDE_WHY_not_drawn && had_room(audit, wish, wishes, count))
                audit_fail(audit, "wish %u was refused and had room", wish->id);
            continue;
        }
        if (!lies_in(wish, span_of(audit, wish->draw, wish->span)))
            audit_fail(audit, "wish %u does not lie in span %u", wish->id, wish->span);
        for (uint32_t k = 0; k < i; k++)
            if (wishes[k]->span == wish->span && meets(wishes[k], wish))
                audit_fail(audit, "wishes %u and %u meet on span %u", wishes[k]->id, wish->id,
                           wish->span);
    }
}

static void check_proof(struct audit *audit, const struct tide_draw *draw,
                        const struct tide_wish *const *wishes, uint32_t count)
{
    struct hashed secret = digest_of(&draw->secret_1);
    struct hashed commit = sha256(secret.bytes, 32), sealed = digest_of(&draw->commit_1);
    struct hashed root = tree_of(wishes, count), told = digest_of(&draw->root_1);
    if (memcmp(commit.bytes, sealed.bytes, 32) != 0)
        audit_fail(audit, "draw %u: its secret is not the one that was sealed", draw->id);
    if (memcmp(root.bytes, told.bytes, 32) != 0)
        audit_fail(audit, "draw %u: its root is not that of its wishes", draw->id);
}

static void check_over(struct audit *audit, const struct tide_draw *draw)
{
    static const struct tide_wish *wishes[WISHES_MAX];
    uint32_t count = wishes_of(audit, draw->id, wishes);
    check_chosen(audit, wishes, count);
    if (draw->wishes != count)
        audit_fail(audit, "draw %u counts %u wishes of %u", draw->id, draw->wishes, count);
    if (draw->state == TIDE_DRAW_STATE_decided && count > 0)
        check_proof(audit, draw, wishes, count);
    audit->counts.draws += draw->state == TIDE_DRAW_STATE_decided && count > 0;
}

/* ---- each change ----------------------------------------------------------------------------- */
static void check_draw(struct audit *audit, const struct audit_change *change)
{
    const struct tide_draw *was = &change->was.draw, *is = &change->is.draw;
    if (!change->had)
        return;
    if (was->state > is->state || !TIDE_DRAW_LIVE(was->state))
        audit_fail(audit, "draw %u went from state %u to %u", is->id, was->state, is->state);
    if (was->state >= TIDE_DRAW_STATE_open && was->commit_1 != is->commit_1)
        audit_fail(audit, "draw %u was sealed twice", is->id);
    if (was->state >= TIDE_DRAW_STATE_closed && was->root_1 != is->root_1)
        audit_fail(audit, "draw %u got another root", is->id);
    if (was->zone != is->zone || was->start_ms != is->start_ms || was->end_ms != is->end_ms ||
        was->aim != is->aim || was->source != is->source || was->issue != is->issue)
        audit_fail(audit, "draw %u became another", is->id);
    if (!TIDE_DRAW_LIVE(is->state))
        check_over(audit, is);
}

static void check_wish(struct audit *audit, const struct audit_change *change)
{
    const struct tide_wish *was = &change->was.wish, *is = &change->is.wish;
    const struct tide_booking *booking = audit_booking(audit, is->booking);
    if (change->had && was->state != TIDE_WISH_STATE_waiting)
        audit_fail(audit, "wish %u was decided twice", is->id);
    if (change->had && was->span != 0 && was->span != is->span)
        audit_fail(audit, "wish %u was drawn twice", is->id);
    if (change->had && (was->start_ms != is->start_ms || was->end_ms != is->end_ms ||
                        was->used_min != is->used_min || was->nonce_1 != is->nonce_1))
        audit_fail(audit, "wish %u became another", is->id);
    if ((is->state == TIDE_WISH_STATE_won) != (booking != NULL && is->booking != 0))
        audit_fail(audit, "wish %u is %s and has booking %u", is->id,
                   tide_enum_name(TIDE_FT_enum_wish_state, is->state), is->booking);
    if (is->state == TIDE_WISH_STATE_won && booking != NULL &&
        (booking->plate != is->plate || booking->household != is->household ||
         booking->start_ms != is->start_ms || booking->end_ms != is->end_ms ||
         booking->zone != is->zone || booking->cls != is->cls))
        audit_fail(audit, "booking %u is not what wish %u asked for", is->booking, is->id);
}

/* Who books while others wait for a draw takes what is to be drawn. */
static void check_around(struct audit *audit)
{
    const struct tide_booking *made = audit_booking(audit, audit->reply.id);
    uint32_t cursor = 0;
    const union tide_any *row;
    if (audit->event->kind != TIDE_REC_book || audit->reply.code != TIDE_CODE_ok || made == NULL)
        return;
    while ((row = sim_rows_next(audit->rows, TIDE_REC_draw, &cursor)) != NULL)
        if (TIDE_DRAW_LIVE(row->draw.state) && row->draw.zone == made->zone &&
            row->draw.start_ms < made->end_ms && made->start_ms < row->draw.end_ms)
            audit_fail(audit, "booking %u was made around draw %u", made->id, row->draw.id);
}

void audit_draws_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->verb != ENGINE_PUT)
            continue;
        if (change->kind == TIDE_REC_draw)
            check_draw(audit, change);
        if (change->kind == TIDE_REC_wish)
            check_wish(audit, change);
    }
    check_around(audit);
}
