/* board.c - see board.h. */
#include "daemon/core/parking/board.h"

#include <string.h>

/* ---- bits ------------------------------------------------------------------------------------ */
/* The bits [from, until) that lie in a word of the board. */
static uint64_t mask_of(unsigned word, unsigned from, unsigned until)
{
    unsigned first = word * 64, last = first + 64;
    if (from >= last || until <= first)
        return 0;
    uint64_t mask = UINT64_MAX;
    if (from > first)
        mask &= UINT64_MAX << (from - first);
    if (until < last)
        mask &= UINT64_MAX >> (last - until);
    return mask;
}

static bool all_set(const uint64_t *bits, const struct piece *piece)
{
    for (unsigned w = piece->from / 64; w <= (piece->until - 1u) / 64; w++) {
        uint64_t mask = mask_of(w, piece->from, piece->until);
        if ((bits[w] & mask) != mask)
            return false;
    }
    return true;
}

bool board_is_open(const struct board *board, const struct piece *piece, unsigned slot)
{
    return all_set(board->slots[slot].open, piece);
}

bool board_is_free(const struct board *board, const struct piece *piece, unsigned slot)
{
    return all_set(board->slots[slot].free, piece);
}

unsigned board_free_grains(const struct board *board, const struct piece *piece, unsigned slot)
{
    const uint64_t *free = board->slots[slot].free;
    unsigned grains = 0;
    for (unsigned w = piece->from / 64; w <= (piece->until - 1u) / 64; w++)
        grains += (unsigned)__builtin_popcountll(free[w] & mask_of(w, piece->from, piece->until));
    return grains;
}

unsigned board_left_over(const struct board *board, const struct piece *piece, unsigned slot)
{
    const uint64_t *free = board->slots[slot].free;
    unsigned before = piece->from, after = piece->until;
    while (before > 0) {
        unsigned at = before - 1;
        uint64_t taken = ~free[at / 64] << (63 - at % 64);
        unsigned run = taken != 0 ? (unsigned)__builtin_clzll(taken) : at % 64 + 1;
        before -= run;
        if (taken != 0)
            break;
    }
    while (after < BOARD_GRAINS) {
        uint64_t taken = ~free[after / 64] >> after % 64;
        after += taken != 0 ? (unsigned)__builtin_ctzll(taken) : 64 - after % 64;
        if (taken != 0)
            break;
    }
    return piece->from - before + (after - piece->until);
}

/* ---- making ---------------------------------------------------------------------------------- */
void board_begin(struct board *board, const struct engine *engine, struct span span, tide_ms now_ms)
{
    CHECK(span.until - span.from <= TIDE_GRAINS_A_DAY);
    board->engine = engine;
    board->first = span.from - TIDE_GRAINS_A_DAY;
    board->now_ms = now_ms;
    board->slot_count = board->piece_count = 0;
}

/* Grains that the engine does not know are neither open nor free; nor are those up to now, while
 * somebody stands there. */
static void copy_bits(const struct board *board, const struct slot_state *slot,
                      struct board_slot *copy)
{
    const struct engine *engine = board->engine;
    grain from = board->first > engine->known_from ? board->first : engine->known_from;
    grain until = board->first + BOARD_GRAINS;
    until = until < engine->known_until ? until : engine->known_until;
    grain after_now = grain_floor(board->now_ms) + 1;
    if (from < after_now && spot_taken_by_other(engine, slot, 0))
        from = after_now;
    memset(copy, 0, sizeof *copy);
    for (grain at = from; at < until;) {
        uint32_t bit = freemap_at(engine, at), to = (uint32_t)(at - board->first);
        uint32_t run = 64 - bit % 64 < 64 - to % 64 ? 64 - bit % 64 : 64 - to % 64;
        run = (grain)run < until - at ? run : (uint32_t)(until - at);
        uint64_t mask = (UINT64_MAX >> (64 - run)) << to % 64;
        copy->open[to / 64] |= slot->open[bit / 64] >> bit % 64 << to % 64 & mask;
        copy->free[to / 64] |= slot->free[bit / 64] >> bit % 64 << to % 64 & mask;
        at += run;
    }
}

static bool lies_on(const struct board *board, struct span span)
{
    return span.from >= board->first && span.until <= board->first + BOARD_GRAINS;
}

/* Who may be moved: not who is there or nearly, who has this slot by right or a class of his own,
 * nor who keeps a slot that is no longer open for him (window.c) or was named one (overrun.c). */
static bool may_move(const struct board *board, const struct slot_state *slot,
                     const struct tide_booking *booking)
{
    tide_ms frozen_ms = board->engine->setting[TIDE_SETTING_freeze_min] * TIDE_MINUTE_MS;
    return booking->state == TIDE_BOOKING_STATE_booked && booking->outside == TIDE_WHY_none &&
           booking->start_ms - frozen_ms > board->now_ms &&
           booking->cls == TIDE_SLOT_CLASS_standard && booking->substitute_for == 0 &&
           (slot->row.owner == 0 || slot->row.owner != booking->household);
}

static void link_piece(struct board *board, unsigned piece, unsigned slot)
{
    board->pieces[piece].slot = (uint8_t)slot;
    board->pieces[piece].next = board->slots[slot].first;
    board->slots[slot].first = (uint16_t)(piece + 1);
}

unsigned board_add_piece(struct board *board, tide_id booking, struct span span)
{
    CHECK(board->piece_count < BOARD_PIECES && lies_on(board, span));
    board->pieces[board->piece_count] =
        (struct piece){.booking = booking,
                       .from = (uint16_t)(span.from - board->first),
                       .until = (uint16_t)(span.until - board->first),
                       .slot = BOARD_SLOTS,
                       .home = BOARD_SLOTS};
    return board->piece_count++;
}

bool board_add_slot(struct board *board, const struct slot_state *slot)
{
    const struct engine *engine = board->engine;
    if (board->slot_count == BOARD_SLOTS)
        return false;
    unsigned number = board->slot_count, before = board->piece_count;
    copy_bits(board, slot, &board->slots[number]);
    board->slots[number].id = slot->row.id;
    const struct booking_state *booking =
        order_after(engine, &slot->bookings, ORDER_OF_SLOT, board->first * TIDE_GRAIN_MS);
    for (; booking != NULL;
         booking = booking_of(engine, order_next(engine, booking, ORDER_OF_SLOT))) {
        struct span span = booking_hold(&booking->row, 0);
        if (span.from >= board->first + BOARD_GRAINS)
            break;
        if (!lies_on(board, span) || !may_move(board, slot, &booking->row) ||
            !freemap_is_open(engine, slot, span.from, span.until)) /* its buffer: withdrawn since */
            continue;
        if (board->piece_count == BOARD_PIECES) {
            board->piece_count = before;
            return false;
        }
        unsigned piece = board_add_piece(board, booking->row.id, span);
        board->pieces[piece].home = (uint8_t)number;
        link_piece(board, piece, number);
    }
    board->slot_count++;
    return true;
}

/* ---- moving ---------------------------------------------------------------------------------- */
static void write_span(struct board_slot *slot, const struct piece *piece, bool taken)
{
    for (unsigned w = piece->from / 64; w <= (piece->until - 1u) / 64; w++) {
        uint64_t mask = mask_of(w, piece->from, piece->until);
        slot->free[w] = taken ? slot->free[w] & ~mask : slot->free[w] | (mask & slot->open[w]);
    }
}

void board_move(struct board *board, unsigned piece, unsigned slot)
{
    struct piece *moved = &board->pieces[piece];
    if (moved->slot < BOARD_SLOTS) {
        uint16_t *link = &board->slots[moved->slot].first;
        while (*link != piece + 1)
            link = &board->pieces[*link - 1].next;
        *link = moved->next;
        write_span(&board->slots[moved->slot], moved, false);
    }
    moved->slot = BOARD_SLOTS;
    if (slot == BOARD_SLOTS)
        return;
    CHECK(board_is_free(board, moved, slot));
    write_span(&board->slots[slot], moved, true);
    link_piece(board, piece, slot);
}
