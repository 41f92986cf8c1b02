/* reseat.c - room for one more, by moving others that have not arrived.
 *
 * When no slot fits directly, free time is often there, but in pieces on several slots:
 *
 *     slot 1   ▓▓▓▓▓▓a▓▓▓░░░░░░▓▓▓           wish        ├────────┤
 *     slot 2   ░░░░░▓▓▓b▓▓▓░░░░░░░                       (slot 2, if only b were not there;
 *     slot 3   ▓▓▓░░░░░░░░░▓▓▓▓▓▓▓                        b fits into slot 3)
 *
 * The search works on a copy of some slots (board.h). It puts the wish onto a slot that is open for
 * it, takes off what is in its way, and finds each of these a seat in the same manner: directly
 * where it leaves the least over, else by taking off others, as deep as the setting reseat_depth
 * allows, short chains first. Slots are tried in the order of how many minutes are in the way.
 * Putting one piece somewhere is one step of the setting reseat_steps, so a refusal costs no more
 * in a large zone than in a small one. What worked becomes one PUT a booking that ends up
 * elsewhere; what did not has never happened.
 *
 * A zone with more slots than the board holds is looked at where most is free: those slots on which
 * the wish could begin and last longest, and those on which it could end and have begun earliest.
 *
 * Never moved: see board.c, may_move.
 */
#include "daemon/core/parking/board.h"
#include "daemon/core/parking/slices.h"

#define MOVES_MAX 96u     /* tried and not undone */
#define WIDTH 12u         /* slots that are tried for one piece */
#define IN_THE_WAY_MAX 4u /* pieces on one slot */

struct search {
    struct board board;
    tide_id but;   /* this slot stays as it is */
    int64_t steps; /* left */
    struct {
        uint16_t piece;
        uint8_t from;
    } log[MOVES_MAX];
    unsigned count;
};

/* ---- what was tried can be undone ------------------------------------------------------------ */
static bool move(struct search *search, unsigned piece, unsigned slot)
{
    if (search->count == MOVES_MAX)
        return false;
    search->log[search->count].piece = (uint16_t)piece;
    search->log[search->count++].from = search->board.pieces[piece].slot;
    board_move(&search->board, piece, slot);
    return true;
}

static void undo(struct search *search, unsigned mark)
{
    while (search->count > mark) {
        search->count--;
        board_move(&search->board, search->log[search->count].piece,
                   search->log[search->count].from);
    }
}

/* ---- which slots to try ---------------------------------------------------------------------- */
/* The slot that is free for the piece and leaves the least over; BOARD_SLOTS: none. */
static unsigned direct(const struct board *board, const struct piece *piece)
{
    unsigned best = BOARD_SLOTS, best_left = UINT32_MAX;
    for (unsigned slot = 0; slot < board->slot_count && best_left > 0; slot++) {
        if (!board_is_free(board, piece, slot))
            continue;
        unsigned left = board_left_over(board, piece, slot);
        if (left < best_left) {
            best_left = left;
            best = slot;
        }
    }
    return best;
}

static bool overlap(const struct piece *a, const struct piece *b)
{
    return a->from < b->until && b->from < a->until;
}

/* Collects the pieces in the way of one on a slot. How many grains they are; 0 when something is
 * there that may not be moved, too many are, or nothing is. */
static unsigned in_the_way(const struct board *board, const struct piece *piece, unsigned slot,
                           uint16_t way[IN_THE_WAY_MAX], unsigned *ret_count)
{
    unsigned cost = 0, count = 0;
    for (unsigned at = board->slots[slot].first; at != 0; at = board->pieces[at - 1].next) {
        const struct piece *other = &board->pieces[at - 1];
        if (!overlap(piece, other))
            continue;
        if (other->booking == 0 || count == IN_THE_WAY_MAX)
            return 0;
        way[count++] = (uint16_t)(at - 1);
        cost += other->until - other->from;
    }
    *ret_count = count;
    return cost;
}

struct trial {
    unsigned slot, cost;
};

/* True when nothing but the pieces in the way keeps the piece off the slot: what of it is free and
 * what they take are all of it. And when there is room to write their moves down. */
static bool would_fit(const struct search *search, const struct piece *piece, unsigned slot,
                      const uint16_t *way, unsigned count)
{
    unsigned grains = board_free_grains(&search->board, piece, slot);
    for (unsigned i = 0; i < count; i++) {
        const struct piece *other = &search->board.pieces[way[i]];
        unsigned from = other->from > piece->from ? other->from : piece->from;
        unsigned until = other->until < piece->until ? other->until : piece->until;
        grains += until - from;
    }
    return grains == (unsigned)(piece->until - piece->from) && search->count + count <= MOVES_MAX;
}

/* The WIDTH slots with the least in the way, the least first; ties by the lower number. */
static unsigned candidates(const struct search *search, unsigned number, unsigned but,
                           struct trial tries[WIDTH])
{
    const struct board *board = &search->board;
    const struct piece *piece = &board->pieces[number];
    unsigned count = 0;
    for (unsigned slot = 0; slot < board->slot_count; slot++) {
        uint16_t way[IN_THE_WAY_MAX];
        unsigned others;
        if (slot == but || !board_is_open(board, piece, slot))
            continue;
        unsigned cost = in_the_way(board, piece, slot, way, &others);
        if (cost == 0 || (count == WIDTH && cost >= tries[count - 1].cost) ||
            !would_fit(search, piece, slot, way, others))
            continue;
        unsigned at = count < WIDTH ? count++ : count - 1;
        for (; at > 0 && tries[at - 1].cost > cost; at--)
            tries[at] = tries[at - 1];
        tries[at] = (struct trial){slot, cost};
    }
    return count;
}

/* ---- the chain ------------------------------------------------------------------------------- */
static bool seat(struct search *search, unsigned piece, unsigned but, int64_t depth);

/* The piece on this slot, and those in its way elsewhere; or nothing happened. */
static bool push(struct search *search, unsigned piece, unsigned slot, int64_t depth)
{
    unsigned mark = search->count, count = 0;
    uint16_t way[IN_THE_WAY_MAX];
    (void)in_the_way(&search->board, &search->board.pieces[piece], slot, way, &count);
    bool done = true;
    for (unsigned i = 0; i < count && done; i++)
        done = move(search, way[i], BOARD_SLOTS);
    done = done && move(search, piece, slot);
    for (unsigned i = 0; i < count && done; i++)
        done = seat(search, way[i], slot, depth - 1);
    if (!done)
        undo(search, mark);
    return done;
}

static bool seat(struct search *search, unsigned piece, unsigned but, int64_t depth)
{
    struct trial tries[WIDTH];
    if (search->steps-- <= 0)
        return false;
    unsigned slot = direct(&search->board, &search->board.pieces[piece]);
    if (slot != BOARD_SLOTS)
        return move(search, piece, slot);
    if (depth <= 0)
        return false;
    unsigned count = candidates(search, piece, but, tries);
    for (unsigned i = 0; i < count; i++)
        if (push(search, piece, tries[i].slot, depth))
            return true;
    return false;
}

/* ---- which slots are looked at --------------------------------------------------------------- */
static void add_set(struct search *search, const struct slice_set *set, uint32_t chunk)
{
    struct board *board = &search->board;
    const struct engine *engine = board->engine;
    for (uint32_t i = 0; i < SLICE_CHUNK; i++)
        for (uint64_t left = set->word[i]; left != 0; left &= left - 1) {
            tide_id id = chunk * SLICE_SLOTS + i * 64 + (tide_id)__builtin_ctzll(left);
            bool there = id == search->but;
            for (unsigned k = 0; k < board->slot_count && !there; k++)
                there = board->slots[k].id == id;
            if (!there && !board_add_slot(board, slot_of(engine, id)))
                return;
        }
}

static void add_all(struct search *search, tide_id zone, enum tide_slot_class cls)
{
    struct board *board = &search->board;
    for (tide_id id = zone_of(board->engine, zone)->first_slot; id != 0;) {
        const struct slot_state *slot = slot_of(board->engine, id);
        id = slot->next_in_zone;
        if (slot->row.cls == cls && slot->row.id != search->but && !board_add_slot(board, slot))
            return;
    }
}

/* Where the span could begin and last longest (forward), or end and have begun earliest: shorter
 * and shorter spans are asked for, and who is free is added. */
static void add_nearly_free(struct search *search, tide_id zone, enum tide_slot_class cls,
                            struct span span, bool forward)
{
    const struct board *board = &search->board;
    struct slice_span chunks = slices_span(board->engine, zone);
    for (grain length = span.until - span.from; length > 0; length = length * 3 / 4) {
        struct span part = span;
        if (forward)
            part.until = part.from + length;
        else
            part.from = part.until - length;
        for (uint32_t chunk = chunks.first; chunk < chunks.until; chunk++) {
            struct slice_set set;
            if (board->slot_count < BOARD_SLOTS / (forward ? 2 : 1) &&
                slices_free(board->engine, &set, chunk, zone, cls,
                            freemap_at(board->engine, part.from),
                            (uint32_t)(part.until - part.from)))
                add_set(search, &set, chunk);
        }
    }
}

static void choose_slots(struct search *search, tide_id zone, enum tide_slot_class cls,
                         struct span span)
{
    if (zone_of(search->board.engine, zone)->slot_count <= BOARD_SLOTS) {
        add_all(search, zone, cls);
        return;
    }
    add_nearly_free(search, zone, cls, span, true);
    add_nearly_free(search, zone, cls, span, false);
}

/* ---- what was found happens ------------------------------------------------------------------ */
static void carry_out(struct step *step, const struct board *board)
{
    struct engine *engine = step->engine;
    for (unsigned round = 0; round < 2; round++) /* all off, then all on */
        for (unsigned i = 0; i < board->piece_count; i++) {
            const struct piece *piece = &board->pieces[i];
            if (piece->booking == 0 || piece->slot == piece->home)
                continue;
            struct booking_state *booking = booking_of(engine, piece->booking);
            tide_id to = board->slots[piece->slot].id;
            booking_lift(engine, booking, round == 0 ? 0 : to);
            if (round == 0)
                continue;
            trace(engine, "booking.move", booking->row.id, board->slots[piece->home].id, to);
            booking->row.moves++;
            step_put(step, TIDE_REC_booking, &booking->row);
        }
}

/* ---- and can be taken back ------------------------------------------------------------------- */
bool reseat_log_add(struct reseat_log *log, const struct tide_booking *before)
{
    for (unsigned i = 0; i < log->count; i++)
        if (log->before[i].booking == before->id)
            return true;
    if (log->count == RESEAT_LOG_MAX)
        return false;
    log->before[log->count].booking = before->id;
    log->before[log->count].slot = before->slot;
    log->before[log->count].moves = before->moves;
    log->before[log->count].buffer_min = before->buffer_min;
    log->before[log->count++].outside = before->outside;
    return true;
}

static bool log_all(struct reseat_log *log, const struct board *board)
{
    for (unsigned i = 0; i < board->piece_count; i++) {
        const struct piece *piece = &board->pieces[i];
        if (piece->booking != 0 && piece->slot != piece->home &&
            !reseat_log_add(log, &booking_of(board->engine, piece->booking)->row))
            return false;
    }
    return true;
}

void reseat_undo(struct engine *engine, const struct reseat_log *log)
{
    for (unsigned i = 0; i < log->count; i++) /* all off, then all on */
        booking_lift(engine, booking_of(engine, log->before[i].booking), 0);
    for (unsigned i = 0; i < log->count; i++) {
        struct booking_state *booking = booking_of(engine, log->before[i].booking);
        booking->row.moves = log->before[i].moves;
        booking->row.outside = log->before[i].outside;
        booking->row.buffer_min = log->before[i].buffer_min;
        booking_lift(engine, booking, log->before[i].slot);
    }
}

/* ---- asked ----------------------------------------------------------------------------------- */
/* steps: how many may be spent, and what is left of them. */
static tide_id find(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span,
                    tide_id but, struct reseat_log *log, int64_t *steps)
{
    const struct engine *engine = step->engine;
    struct search search = {.steps = *steps, .but = but};
    struct board *board = &search.board;
    int64_t depth = engine->setting[TIDE_SETTING_reseat_depth];
    if (search.steps <= 0 || cls != TIDE_SLOT_CLASS_standard ||
        span.until - span.from > TIDE_GRAINS_A_DAY || !freemap_knows(engine, span.from, span.until))
        return 0;
    board_begin(board, engine, span, step->now_ms);
    unsigned wish = board_add_piece(board, 0, span);
    choose_slots(&search, zone, cls, span);
    bool found = false;
    for (int64_t deep = 1; deep <= depth && !found; deep++)
        found = seat(&search, wish, BOARD_SLOTS, deep);
    *steps = search.steps;
    if (!found || (log != NULL && !log_all(log, board))) {
        trace(engine, "seat.stuck", zone, board->slot_count, search.steps);
        return 0;
    }
    carry_out(step, board);
    trace(engine, "seat.reseat", board->slots[board->pieces[wish].slot].id, search.count,
          search.steps);
    return board->slots[board->pieces[wish].slot].id;
}

tide_id reseat_find(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span)
{
    int64_t steps = step->engine->setting[TIDE_SETTING_reseat_steps];
    return find(step, zone, cls, span, 0, NULL, &steps);
}

tide_id reseat_find_but(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span,
                        tide_id but, struct reseat_log *log)
{
    int64_t all = step->engine->setting[TIDE_SETTING_reseat_steps];
    int64_t steps = all - step->reseat_spent;
    tide_id slot = find(step, zone, cls, span, but, log, &steps);
    step->reseat_spent = all - steps;
    return slot;
}

tide_id seat_elsewhere(struct step *step, const struct tide_booking *booking,
                       struct reseat_log *log)
{
    enum tide_slot_class cls = (enum tide_slot_class)booking->cls;
    struct span span = booking_span(booking, step->now_ms);
    struct span hold = booking_hold(booking, step->now_ms);
    tide_id slot = seat_find(step->engine, booking->zone, cls, hold, booking->slot);
    if (slot == 0)
        slot = reseat_find_but(step, booking->zone, cls, hold, booking->slot, log);
    if (slot == 0 && hold.until > span.until) /* rather late than broken: booking_move */
        slot = seat_find(step->engine, booking->zone, cls, span, booking->slot);
    return slot;
}
