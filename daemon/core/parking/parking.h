/* parking.h - the rooms of shared parking and what they ask of each other.
 *
 *   freemap (bits) ◄─ window ◄─ seat ◄─ booking ◄─ series
 *                                 ▲        ▲
 *                   presence ─────┘────────┤   sessions: cars that are there
 *                   ▲   ▲   ▲              │           above booking: draw (all wishes at once),
 *                   │   │   │              │           wait (who comes next)
 *                 gate  │  sensor       incident
 *                      tide (what may be looked at)
 */
#ifndef TIDE_CORE_PARKING_H
#define TIDE_CORE_PARKING_H

#include "daemon/core/parking/freemap.h"
#include "daemon/core/parking/order.h"

/* ---- window.c: supply ---------------------------------------------------------------------- */
/* Resolves the windows of a slot into open bits for civil days [from, until]. */
void windows_resolve(struct engine *engine, struct slot_state *slot, int32_t from, int32_t until);
void windows_resolve_zone(struct engine *engine, tide_id zone);
void windows_resolve_all(struct engine *engine);
/* Puts a window into its slot's (or zone's) list, or takes it out. */
void window_attach(struct engine *engine, struct window_state *window);
void window_detach(struct engine *engine, struct window_state *window);
/* True when the fields of a window can be. */
bool window_is_sound(const struct tide_window *window);
/* First resolved and last resolved civil day. */
int32_t windows_first_day(const struct engine *engine);
int32_t windows_last_day(const struct engine *engine);
void windows_roll(struct step *step); /* deadline: a new day comes into the horizon */
void windows_roll_due(struct engine *engine);
/* Live bookings of a slot that lie outside a window now keep their promise; the record says why,
 * and those concerned are told. After a blackout those that have not arrived move, or are broken.
 * Returns how many were touched. */
uint32_t window_resettle_slot(struct step *step, struct slot_state *slot, enum tide_why why);
/* The same for all slots, a bounded number a tick. False when one is under way already. */
bool windows_resettle(struct step *step, enum tide_why why);
void windows_resettle_due(struct engine *engine);
void windows_resettle_fall_due(struct step *step);

/* ---- share.c: owners' and the committee's hand on supply ------------------------------------ */
void share_take(struct step *step);
void unshare_take(struct step *step);
void recall_take(struct step *step);
void blackout_take(struct step *step);

/* ---- seat.c: which slot ------------------------------------------------------------------- */
struct span {
    grain from, until;
    grain now; /* when it is asked: who comes now needs an empty place */
};
/* The best slot of a zone for a span: the one with the least free time left around it; ties by
 * lower id. avoid: a slot that will not do (0: none). 0 when there is none. */
tide_id seat_find(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span, tide_id avoid);
/* The first grain from which on no slot is free that was free all through from the span's start, at
 * most its end; its start when none is free there. */
grain seats_carry(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                  struct span span);
/* What would have worked: the latest end from the same start, the earliest start of the same
 * length (within a day); 0 where nothing would. */
struct seat_hints {
    tide_ms free_until_ms, free_from_ms;
};
/* For a span that cannot be promised, with its buffer; returns why it cannot. */
enum tide_why seat_hints(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                         struct span span, struct seat_hints *ret);
/* How many slots could take the span. */
uint32_t seat_count(const struct engine *engine, tide_id zone, enum tide_slot_class cls,
                    struct span span);

/* ---- reseat.c: room for one more, by moving others ------------------------------------------ */
/* Looks for a chain of moves among bookings that have not arrived, after which the span fits; makes
 * them, and returns the slot that is free now. 0 when none was found: then nothing has changed. */
tide_id reseat_find(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span);
/* The same, with a slot (and who is on it) left alone, and the bookings that were moved kept in the
 * log (NULL: not wanted), each as it was before the first move. All of a step together cost no more
 * than the setting reseat_steps. */
#define RESEAT_LOG_MAX 192
struct reseat_log {
    unsigned count;
    struct {
        tide_id booking, slot;
        uint16_t moves;
        uint8_t outside, buffer_min;
    } before[RESEAT_LOG_MAX];
};
tide_id reseat_find_but(struct step *step, tide_id zone, enum tide_slot_class cls, struct span span,
                        tide_id but, struct reseat_log *log);
bool reseat_log_add(struct reseat_log *log, const struct tide_booking *before);
/* All that is in the log as it was. What was told of it since is the caller's to take back. */
void reseat_undo(struct engine *engine, const struct reseat_log *log);
/* Another slot for a booking that has not arrived: directly, else by moving others. 0: none. */
tide_id seat_elsewhere(struct step *step, const struct tide_booking *booking,
                       struct reseat_log *log);

/* ---- lateness.c: cars leave late ------------------------------------------------------------- */
/* What was learned of a zone's stays that end on such a day (enum tide_day_class); NULL: nothing.
 * _make: there must be none. */
struct tide_lateness *lateness_of(const struct engine *engine, tide_id zone, unsigned class);
struct tide_lateness *lateness_make(struct engine *engine, tide_id zone, unsigned class);
uint32_t lateness_cases(const struct tide_lateness *row);
/* A booking was kept, its row says until when. */
void lateness_learn(struct step *step, const struct tide_booking *booking);
/* Minutes to keep free after a promise that ends then; 0 when the zone takes any risk. */
int32_t lateness_buffer_min(const struct engine *engine, tide_id zone, tide_ms end_ms);
/* What a slot must be free for so that the span can be promised: its buffer with it. */
struct span lateness_hold(const struct engine *engine, tide_id zone, struct span span);
/* The latest end of such a span, at most its own, when a slot is free from its start to `carried`;
 * its start when there is none. */
grain lateness_until(const struct engine *engine, tide_id zone, struct span span, grain carried);

/* ---- booking.c: the promise ----------------------------------------------------------------- */
struct span booking_span(const struct tide_booking *booking, tide_ms now_ms);
/* What its slot is kept for: the promise and its buffer. */
struct span booking_hold(const struct tide_booking *booking, tide_ms now_ms);
/* Into and out of the lists and bits that follow from the row. */
void booking_attach(struct engine *engine, struct booking_state *booking);
void booking_detach(struct engine *engine, struct booking_state *booking);
void booking_due(struct engine *engine, struct booking_state *booking);
/* Takes a booking out of its slot (to: 0) or puts it into one, without a word to anybody; for a
 * search that undoes what it tried. */
void booking_lift(struct engine *engine, struct booking_state *booking, tide_id to);
/* Gives a booking that has not arrived another slot. */
void booking_move(struct step *step, struct booking_state *booking, tide_id slot);
/* Ends a live booking: frees what is left, settles what is held, writes the row, forgets it. */
void booking_end(struct step *step, struct booking_state *booking, enum tide_booking_state state,
                 enum tide_why reason);
/* Breaks a promise, with compensation. */
void booking_break(struct step *step, struct booking_state *booking, enum tide_why reason);
/* Others' doing touched the promise: what becomes of it now is no fault of its party. */
void booking_disturb(struct step *step, struct booking_state *booking, enum tide_why why);
/* Another slot for a booking whose slot is lost; broken when there is none. True when moved. */
bool booking_reseat_or_break(struct step *step, struct booking_state *booking,
                             enum tide_why reason);
/* Checks and makes a booking from a wish; on refusal fills *ret_reply and returns NULL. */
struct booking_wish {
    tide_id plate, zone, household, person, series;
    enum tide_slot_class cls;
    enum tide_via via;
    bool visitor;
    tide_ms start_ms, end_ms;
    uint32_t waiting; /* of the household in draws: counts against its cap and its account */
    int32_t waiting_min;
    tide_id by, drawn_slot; /* decided by a draw: who asked then, and where (0: no draw) */
    tide_id substitute_for; /* a household's slot that somebody else has, and why (overrun.c) */
    enum tide_why why;
    bool urgent;    /* others may have to give way, see urgent.c */
    tide_id waited; /* by whom it was waited for; refused without hints then */
};
/* What a booking will touch may come from memory meanwhile, see expect.c: when it is asked for,
 * when the rules allow it, when its slot is known. */
void booking_expect(const struct engine *engine, const struct booking_wish *wish);
void booking_expect_order(const struct engine *engine, const struct booking_wish *wish);
void seat_expect(const struct engine *engine, tide_id slot, struct span span);
/* Writes a booking that was checked: seat and room are there. */
struct booking_state *booking_write(struct step *step, const struct booking_wish *wish,
                                    struct span span, tide_id slot);
/* Whether the rules allow it at all, wherever there may be room; on refusal fills *ret_reply. */
bool booking_may_be(struct step *step, const struct booking_wish *wish, struct span span,
                    struct tide_reply *ret_reply);
struct booking_state *booking_make(struct step *step, const struct booking_wish *wish,
                                   struct tide_reply *ret_reply);
/* The same, as the wish of booking_could, and whether no draw keeps the time; told to nobody. */
bool booking_allowed(struct step *step, const struct booking_wish *wish);
/* Whether booking_make would grant the wish directly; changes nothing and is told to nobody. What
 * is 0 in the wish (plate, household) is not asked about. The zone must be there. */
bool booking_could(struct step *step, const struct booking_wish *wish);
struct span wish_span(const struct booking_wish *wish, tide_ms now_ms);
/* A live booking of the plate, other than `except`, that overlaps the span; 0 when none does. */
tide_id booking_overlapping(const struct engine *engine, tide_id plate, tide_id except,
                            struct span span);
/* As its party may see it: no slot before the car is there. */
void booking_item(struct step *step, const struct tide_booking *booking);
/* The speaker's live booking with this id; NULL after refusing. */
struct booking_state *booking_asked(struct step *step, tide_id id);
void book_take(struct step *step);
void cancel_take(struct step *step);
void extend_take(struct step *step);
void booking_fall_due(struct step *step, struct booking_state *booking);
/* A live booking of a plate at a compound that covers the time, early comers included. */
struct booking_state *booking_for_plate(const struct engine *engine, tide_id plate, tide_id place,
                                        tide_ms now_ms, tide_ms early_ms);

/* ---- urgent.c: who must have a place now ----------------------------------------------------- */
/* The household that is visited, if the speaker may ask for it with this plate; false after
 * refusing. */
struct party;
bool urgent_party(struct step *step, const struct tide_book *ask, struct party *ret);
/* A slot that is cleared for the span, where the fewest promised minutes give way; 0: none. */
tide_id urgent_seat(struct step *step, const struct booking_wish *wish, struct span span);

/* ---- offer.c: a refusal that helps ----------------------------------------------------------- */
/* After a refusal because of all_taken or no_window (else nothing): items `binding`, what stands in
 * the way, and items `offer`, the nearest that booking_could. The refusal holds the hints of
 * seat_hints for the wish. */
void offers_tell(struct step *step, const struct booking_wish *wish,
                 const struct tide_reply *refusal);

/* The zones within the walk from one, the nearest first, ties by the lower id. */
struct zone_near {
    tide_id zone;
    uint32_t walk_m;
};
unsigned zones_near(const struct engine *engine, tide_id zone,
                    struct zone_near found[TIDE_OFFER_ZONES_MAX]);

/* ---- overrun.c: cars that stay too long, owners who return ----------------------------------- */
/* When a parked booking that has not left is looked at next. */
tide_ms overrun_look_ms(const struct tide_booking *booking);
/* Somebody stands on the slot who should be gone: moves who comes after him, and promises the
 * returning owner a substitute. */
void overrun_look(struct step *step, const struct slot_state *slot);
/* The slot was left: a substitute that was not taken up is given back. */
void overrun_over(struct step *step, const struct slot_state *slot);
/* The live promise of a substitute for the slot; NULL: none. */
struct booking_state *substitute_of(const struct engine *engine, const struct slot_state *slot);
/* An owner's car is at the gate and his slot taken: the promise that it may take up now, made if
 * there is none; NULL when none can be. */
struct booking_state *substitute_for_car(struct step *step, const struct slot_state *slot,
                                         tide_id plate);
/* A seat in a zone that would do for the slot's owner; whether he has a car for it; the promise of
 * it, told (plate 0: one of his). */
tide_id substitute_seat(const struct engine *engine, const struct slot_state *slot, tide_id zone,
                        struct span span);
bool substitute_could(const struct engine *engine, const struct slot_state *slot, struct span span);
struct booking_state *substitute_hold(struct step *step, const struct slot_state *slot,
                                      tide_id seat, struct span span, enum tide_why why,
                                      tide_id plate);
void substitute_tell(struct step *step, const struct tide_booking *booking);
/* Somebody stands there, and nothing says when he goes: a stranger, or a promise that is over. */
bool slot_is_blocked(const struct engine *engine, const struct slot_state *slot);
/* What an owner earns who was on another slot because he left his own to others (share.c). */
int32_t swap_minutes(const struct engine *engine);

/* ---- series.c: every workday ---------------------------------------------------------------- */
void repeat_take(struct step *step);
void series_due(struct engine *engine, struct series_state *series);
void series_fall_due(struct step *step, struct series_state *series);
void series_end(struct step *step, struct series_state *series);

/* ---- presence.c: cars that are there -------------------------------------------------------- */
struct arrival {
    tide_id plate, place, zone, slot, booking, household;
    enum tide_session_right right;
    enum tide_source source;
    tide_ms at_ms;
};
struct session_state *session_begin(struct step *step, const struct arrival *arrival);
/* Ends a session; a booking that it carried is kept and paid. */
void session_end(struct step *step, struct session_state *session, tide_ms at_ms);
void session_attach(struct engine *engine, struct session_state *session);
/* A booked car is there: the booking is parked. Takes another slot first when its own is taken;
 * NULL when there is none (then the booking is broken). */
struct session_state *booking_arrive(struct step *step, struct booking_state *booking,
                                     enum tide_source source, tide_ms at_ms);
/* True when the promise covers this moment, after beginning it now if the place is free. */
bool booking_begin_early(struct step *step, struct booking_state *booking);
void arrive_take(struct step *step);
void leave_take(struct step *step);

/* ---- sensor.c, gate.c ----------------------------------------------------------------------- */
/* False when the fact is known already or older (then nothing is to be done but acknowledge). */
bool cursor_take(struct step *step, uint32_t boot, uint32_t seq);
/* The speaker, a gate's gateway, decided by itself at that time of its own (0: now). */
void cursor_alone(struct step *step, tide_id place, tide_ms device_ms);
void slot_seen_take(struct step *step);
void spot_fall_due(struct step *step, struct spot_state *spot);
void spot_due(struct engine *engine, struct spot_state *spot);
/* Somebody stands there who is not the one with this session (0: anybody). */
bool spot_taken_by_other(const struct engine *engine, const struct slot_state *slot,
                         tide_id session);
void plate_seen_take(struct step *step);
void hand_take(struct step *step);
void gate_report_take(struct step *step);
void command_done_take(struct step *step);
void hello_take(struct step *step);

/* ---- incident.c ----------------------------------------------------------------------------- */
/* Opens an incident unless the same one is open already; tells who must know. */
void incident_open(struct step *step, struct tide_incident what);
/* The open incident of this kind that a booking has; 0 when there is none. */
tide_id incident_open_of(const struct engine *engine, tide_id booking,
                         enum tide_incident_kind kind);
void incident_close(struct step *step, struct incident_state *incident);
/* Closes the open incidents of these kinds (mask of 1 << kind) at a slot, of a booking. */
void incidents_close_slot(struct step *step, tide_id slot, unsigned kinds);
void incidents_close_booking(struct step *step, tide_id booking, unsigned kinds);
/* The owner of the slot returns: what he was promised instead (0: nothing was found) goes into the
 * open incidents there. */
void incidents_substitute(struct step *step, tide_id slot, tide_id substitute);
void incident_due(struct engine *engine, struct incident_state *incident);
void incident_fall_due(struct step *step, struct incident_state *incident);
void resolve_take(struct step *step);

/* ---- forecast.c: the tide table -------------------------------------------------------------- */
/* The cell of a zone, a day class (workday..holiday) and an hour (below 24); NULL when nothing was
 * learned there yet. _make: there must be none. */
struct tide_forecast *forecast_cell(const struct engine *engine, tide_id zone, unsigned class,
                                    unsigned hour);
struct tide_forecast *forecast_cell_make(struct engine *engine, tide_id zone, unsigned class,
                                         unsigned hour);
/* At midnight: zones that have slots and are not learned about yet begin to be. */
void forecast_begin(struct step *step);
void forecast_due(struct engine *engine, struct zone_state *zone);
void forecast_fall_due(struct step *step, struct zone_state *zone);
void ask_forecast(struct step *step);

/* ---- tide.c: asked -------------------------------------------------------------------------- */
void zone_touch(struct engine *engine, tide_id zone);
void parking_ask(struct step *step);

#endif
