/* rows.h - tables in memory: what the PUT and DEL effects of a run of events add up to.
 *
 *   (kind, k1, k2, k3) ──hash──► row ──► row ──►        and for each kind its rows in the order in
 *                                                       which they first came (nothing moves)
 *
 * Knows records by their descriptors only. Used twice, by two who never share one: the journal that
 * lives in memory, and the auditor.
 */
#ifndef TIDE_SIM_ROWS_H
#define TIDE_SIM_ROWS_H

#include "tide/engine.h"

struct sim_row {
    uint32_t key[3];
    uint8_t kind;
    bool live; /* false after a DEL */
    uint32_t next_hash;
    uint32_t next_of_kind;
    union tide_any as;
};

struct sim_rows;

struct sim_rows *sim_rows_new(void);
struct sim_rows *sim_rows_free(struct sim_rows *rows); /* returns NULL */
/* The row with this key, NULL when there is none. Valid until it is put again or deleted. */
const union tide_any *sim_rows_find(const struct sim_rows *rows, unsigned kind, uint32_t k1,
                                    uint32_t k2, uint32_t k3);
void sim_rows_put(struct sim_rows *rows, unsigned kind, const union tide_any *row);
/* False when there was none. */
bool sim_rows_del(struct sim_rows *rows, unsigned kind, const union tide_any *row);
/* The rows of a kind, one after another; start with *cursor = 0; NULL at the end. Puts during the
 * walk are fine. */
const union tide_any *sim_rows_next(const struct sim_rows *rows, unsigned kind, uint32_t *cursor);
uint32_t sim_rows_count(const struct sim_rows *rows, unsigned kind);
/* The key of a record, unused parts 0. */
void sim_rows_key(unsigned kind, const void *row, uint32_t ret_key[3]);

#endif
