/* slices.h - free time turned round: which slots are free at a time.
 *
 * A slot's ring (freemap.h) tells when it is free; asking "who is free from s to e?" of every ring
 * costs more with every slot. So the same bits stand here a second time, a row a grain:
 *
 *              slot 1 2 3 4 5 6 7 8 ...  64 │ 65 ...
 *   08:00           1 1 0 1 0 1 1 0         │             free for all of [08:00, 08:10):
 *   08:05           1 0 0 1 0 1 1 0         │             row AND row, a word for 64 slots
 *   08:10           0 0 1 1 0 1 0 0         │
 *   ..              └──── one word ────┘
 *
 * and, so that long stays cost little more than short ones, once more a row for eight grains:
 *
 *   08:00-08:40     0 0 0 1 0 1 0 0                       1: free in all eight
 *
 * A span of n grains is at most 14 rows of one grain and n/8 of eight. Rows lie in a ring like the
 * slots' bits, at (grain mod ring): a new day takes the rows of one that is gone, nothing is built
 * anew. Bits of all zones stand in one row; a mask tells which are of a zone, another of a class.
 *
 * A row is cut into chunks of a cache line, and a chunk's rows lie one behind the other: who
 * walks along the time in one chunk walks along the memory:
 *
 *   chunk 0, slots 0..511:   08:00 │ 08:05 │ 08:10 │ ...   chunk 1, slots 512..1023:   08:00 │ ...
 */
#ifndef TIDE_CORE_PARKING_SLICES_H
#define TIDE_CORE_PARKING_SLICES_H

#include "daemon/core/state.h"

#define SLICE_BLOCK 8u /* grains a row of the second kind */
#define SLICE_CHUNK 8u /* words that are looked at together: a cache line of each row */
#define SLICE_SLOTS (64 * SLICE_CHUNK)

/* Takes rows and masks out of the engine's block, all clear. */
void slices_carve(struct engine *engine, struct carve *carve, const struct engine_limits *limits);

/* The free bits of a slot in one word of its ring: which changed, and how the word stands now. */
void slices_write(const struct engine *engine, tide_id slot, uint32_t word, uint64_t changed,
                  uint64_t now);

/* The slot is, or is no longer, one of this zone and class. */
void slices_mark(const struct engine *engine, tide_id slot, tide_id zone, unsigned cls, bool is);

/* The chunks of a row in which a zone has slots: [first, until). Slot id stands in chunk
 * id / SLICE_SLOTS. */
struct slice_span {
    uint32_t first, until;
};
struct slice_span slices_span(const struct engine *engine, tide_id zone);

/* The slots of one chunk. As one value it is as wide as the machine can: the compiler cuts it. */
typedef uint64_t slice_words __attribute__((vector_size(64), may_alias));
struct slice_set {
    slice_words word;
};
static inline bool slice_any(const struct slice_set *set)
{
    typedef uint64_t quarter __attribute__((vector_size(16), may_alias));
    const quarter *q = (const quarter *)&set->word;
    quarter all = q[0] | q[1] | q[2] | q[3];
    return (all[0] | all[1]) != 0;
}

/* Free at ring position `at`; free in all of the block with that number (position / 8). */
static inline const struct slice_set *slices_row(const struct engine *engine, uint32_t chunk,
                                                 uint32_t at)
{
    return engine->slices.rows + (size_t)chunk * engine->slices.positions + at;
}
static inline const struct slice_set *slices_block(const struct engine *engine, uint32_t chunk,
                                                   uint32_t block)
{
    return engine->slices.blocks + (size_t)chunk * (engine->slices.positions / SLICE_BLOCK) + block;
}
/* set &= free at ring position `at`; whether any is left. */
static inline bool slices_and(const struct engine *engine, struct slice_set *set, uint32_t chunk,
                              uint32_t at)
{
    set->word &= slices_row(engine, chunk, at)->word;
    return slice_any(set);
}
/* set = slots of the zone and class that are free at all of `count` ring positions from `at` on,
 * which may run over the ring's end. False when there is none. */
bool slices_free(const struct engine *engine, struct slice_set *set, uint32_t chunk, tide_id zone,
                 unsigned cls, uint32_t at, uint32_t count);

#endif
