/* board.h - some slots of a zone for some hours, copied out to try moves on.
 *
 *   grains     first                                  first + BOARD_GRAINS
 *   slot 0     ▓▓▓▓aaaaaa░░░░bbbb░░░░▓▓▓▓              a, b: pieces, bookings that may be moved
 *   slot 1     ▓▓▓▓░░░░░█████████░░░░░▓▓▓              █ a booking that may not, ▓ no window
 *   slot 2     ▓▓▓▓▓▓cccccccccccccccc▓▓▓▓              ░ free
 *
 * Trying is cheap here: a slot is a few words of bits, a move writes some of them, and what was
 * tried is undone by moving back. Nothing of the engine changes until the search is over.
 */
#ifndef TIDE_CORE_PARKING_BOARD_H
#define TIDE_CORE_PARKING_BOARD_H

#include "daemon/core/parking/parking.h"

#define BOARD_SLOTS 64u
#define BOARD_WORDS 14u /* the wish, at most a day, with a day on either side */
#define BOARD_GRAINS ((grain)BOARD_WORDS * 64)
#define BOARD_PIECES 512u

struct piece {
    tide_id booking;      /* 0: the wish itself */
    uint16_t from, until; /* grains of the board */
    uint16_t next;        /* on the same slot, in no order; index + 1, 0: none */
    uint8_t slot, home;   /* where it is now, where it was; BOARD_SLOTS: nowhere */
};
struct board_slot {
    tide_id id;
    uint64_t open[BOARD_WORDS], free[BOARD_WORDS];
    uint16_t first; /* piece, index + 1 */
};
struct board {
    const struct engine *engine;
    grain first; /* the grain at bit 0 */
    tide_ms now_ms;
    unsigned slot_count, piece_count;
    struct board_slot slots[BOARD_SLOTS];
    struct piece pieces[BOARD_PIECES];
};

/* An empty board around a span that is at most a day long. */
void board_begin(struct board *board, const struct engine *engine, struct span span,
                 tide_ms now_ms);
/* Copies a slot onto the board; false when there is no room for it. */
bool board_add_slot(struct board *board, const struct slot_state *slot);
/* A piece that is on no slot yet, from grains of the engine; its index. There must be room. */
unsigned board_add_piece(struct board *board, tide_id booking, struct span span);

/* True when the piece could lie there with others off (open) or as it stands (free). */
bool board_is_open(const struct board *board, const struct piece *piece, unsigned slot);
bool board_is_free(const struct board *board, const struct piece *piece, unsigned slot);
/* How many of the piece's grains are free there. */
unsigned board_free_grains(const struct board *board, const struct piece *piece, unsigned slot);
/* Grains that the piece would leave free right before and after it. */
unsigned board_left_over(const struct board *board, const struct piece *piece, unsigned slot);
/* Takes a piece off its slot, or puts it onto one that is free for it (BOARD_SLOTS: nowhere). */
void board_move(struct board *board, unsigned piece, unsigned slot);

#endif
