/* wait.h - who waits for a place that is not free: who asked (waiting.c), who comes next
 * (promote.c), and how that went for others (chance.c). */
#ifndef TIDE_CORE_PARKING_WAIT_H
#define TIDE_CORE_PARKING_WAIT_H

#include "daemon/core/parking/parking.h"

/* ---- waiting.c: who asks --------------------------------------------------------------------- */
struct waiting_state *waiting_of(const struct engine *engine, tide_id id);
/* Into its zone's list, by id. */
void waiting_attach(struct engine *engine, struct waiting_state *waiting);
/* Ends a wait: writes the row, remembers how it went, tells the party, forgets it. */
void waiting_end(struct step *step, struct waiting_state *waiting, enum tide_waiting_state state,
                 enum tide_why why);
/* A booking has ended: whoever had it offered has lost it. Nothing when nobody had. */
void waiting_lost(struct step *step, const struct tide_booking *booking);
/* A booked car is there: that confirms it as well. */
void waiting_came(struct step *step, const struct tide_booking *booking);
/* Ends the waits of somebody who is forgotten; his bookings have ended. */
void waits_forget(struct step *step, tide_id person);
bool waits_have_plate(const struct engine *engine, tide_id plate);
/* Whether wait_take would accept the wish if it did not fit; told to nobody. */
bool waiting_may_be(struct step *step, const struct booking_wish *wish);
/* Where the wish stands before the wait `id`, or, with 0, behind all who wait now. */
void waiting_place(const struct engine *engine, const struct booking_wish *wish, tide_id id,
                   struct tide_wait_place *ret);
struct booking_wish waiting_wish(const struct tide_waiting *row);
/* Items for the waits of a household, at most so many. True when these were all. */
bool waits_tell(struct step *step, tide_id household, unsigned items);
void wait_take(struct step *step);
void unwait_take(struct step *step);
void confirm_take(struct step *step);

/* ---- promote.c: who comes next --------------------------------------------------------------- */
/* In this step something may have come free in the zone. */
void waits_freed(struct engine *engine, tide_id zone);
/* Whether that was said of the zone in this step; and taken back: it was only tried. */
bool waits_are_freed(const struct engine *engine, tide_id zone);
void waits_unfreed(struct engine *engine, tide_id zone);
/* At the end of a step: where something did and somebody waits, that is due at once. */
void waits_mark(struct step *step);
void waits_due(struct engine *engine, struct zone_state *zone);
void waits_fall_due(struct step *step, struct zone_state *zone);
void waiting_due(struct engine *engine, struct waiting_state *waiting);
void waiting_fall_due(struct step *step, struct waiting_state *waiting);

/* ---- chance.c: how that went for others ------------------------------------------------------ */
/* The record of a zone and bucket (below TIDE_WAIT_BUCKETS); NULL when nobody has asked yet. _make:
 * there must be none. */
struct tide_wait_record *wait_record_of(const struct engine *engine, tide_id zone, unsigned bucket);
struct tide_wait_record *wait_record_make(struct engine *engine, tide_id zone, unsigned bucket);
/* Somebody who began at this position has ended: offered a place, or not. */
void chance_learn(struct step *step, tide_id zone, unsigned position, bool got);
/* Fills chance_pct and of. */
void chance_of(const struct engine *engine, tide_id zone, struct tide_wait_place *place);

#endif
