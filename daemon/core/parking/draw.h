/* draw.h - all wishes for a time in a zone, decided together. See draw.c. */
#ifndef TIDE_CORE_PARKING_DRAW_H
#define TIDE_CORE_PARKING_DRAW_H

#include "daemon/core/parking/parking.h"

/* ---- draw.c: from opening to the last word --------------------------------------------------- */
struct draw_state *draw_of(const struct engine *engine, tide_id id);
/* A zone row comes in by put: when its next draw opens is the engine's own. */
void draw_zone_put(struct step *step, const struct tide_zone *row);
/* True when the hours of a zone row can be. */
bool draw_zone_is_sound(const struct tide_zone *row);
void draw_zone_due(struct engine *engine, struct zone_state *zone);
void draw_zone_fall_due(struct step *step, struct zone_state *zone);
void draw_due(struct engine *engine, struct draw_state *draw);
void draw_fall_due(struct step *step, struct draw_state *draw);
/* True when a time in a zone is decided by a draw that is not over or still to come; then
 * *ret_from_ms is when wishes are taken from. */
bool draw_keeps(const struct engine *engine, tide_id zone, struct span span, tide_ms *ret_from_ms);
void draw_open_take(struct step *step);
void draw_value_take(struct step *step);
void draw_seal_take(struct step *step);
void draw_result_take(struct step *step);

/* ---- wish.c: who asks ------------------------------------------------------------------------ */
struct wish_state *wish_of(const struct engine *engine, tide_id id);
/* Into its draw's list, by id. */
void wish_attach(struct engine *engine, struct wish_state *wish);
/* Ends a wish: writes the row, tells the party (kind none: nobody), forgets it. */
void wish_end(struct step *step, struct wish_state *wish, enum tide_wish_state state,
              enum tide_why why);
/* Ends the wishes of somebody who is forgotten. */
void wishes_forget(struct step *step, tide_id person);
bool wishes_have_plate(const struct engine *engine, tide_id plate);
void draw_ask_take(struct step *step);
void draw_withdraw_take(struct step *step);
void draws_ask(struct step *step);
/* Who may see the proof, and whether there is one yet. */
void proof_ask(struct step *step);

#endif
