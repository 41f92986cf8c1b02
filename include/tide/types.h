/* types.h - the words: identifiers, times, and every closed set of names.
 *
 * A closed set is one X-macro list. From it come the enum here and, in record.c, its names as they
 * are written in JSON, in SQL and in documents, so that a word is the same everywhere. Numbers are
 * stored in journals: they are never re-used and never change.
 */
#ifndef TIDE_TYPES_H
#define TIDE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t tide_ms;  /* civil time: milliseconds since 1970-01-01T00:00Z, leap-less */
typedef uint32_t tide_id; /* an entity of one domain; 0 is nobody, nothing, not given */

#define TIDE_MINUTE_MS 60000LL
#define TIDE_DAY_MS 86400000LL
#define TIDE_TIME_MAX 253402300799000LL /* 9999-12-31T23:59:59Z */
#define TIDE_DATE_MAX 2932896           /* that day */

/* clang-format off */
/* Why a request was not done. The wire carries the name; clients translate. `ok` comes first. */
#define TIDE_ENUM_code(E, P)                                                                       \
    E(P, 0, ok)                                                                                    \
    E(P, 1, invalid)        /* malformed, out of range; binds nothing */                           \
    E(P, 2, not_authorized) /* who speaks may not do this */                                       \
    E(P, 3, not_found)                                                                             \
    E(P, 4, conflict)     /* against another promise, another state, another body under one rid */ \
    E(P, 5, full)         /* no place; the reply says what would have worked */                    \
    E(P, 6, expired)      /* the rid's life is over: never executed */                             \
    E(P, 7, stale)        /* a device's fact older than what is known */                           \
    E(P, 8, quota)        /* caps, minutes */                                                      \
    E(P, 9, busy)         /* too much at once; try again; binds nothing */                         \
    E(P, 10, unavailable) /* no disk, recovering; try again; binds nothing */                      \
    E(P, 11, unknown_op)                                                                           \
    E(P, 12, moved) /* this domain is served elsewhere */

/* What a refusal is about, more closely. */
#define TIDE_ENUM_why(E, P)                                                                        \
    E(P, 0, none)                                                                                  \
    E(P, 1, in_the_past)                                                                           \
    E(P, 2, beyond_horizon)                                                                        \
    E(P, 3, ends_before_start)                                                                     \
    E(P, 4, too_long)                                                                              \
    E(P, 5, no_window)     /* nothing is open then */                                              \
    E(P, 6, all_taken)     /* open, but promised to others */                                      \
    E(P, 7, household_cap) /* live bookings of the household */                                    \
    E(P, 8, minutes_short) /* not enough minutes in the account */                                 \
    E(P, 9, plate_overlap) /* this plate holds another promise then */                             \
    E(P, 10, already_parked)                                                                       \
    E(P, 11, already_ended)                                                                        \
    E(P, 12, not_yours)                                                                            \
    E(P, 13, role_missing)                                                                         \
    E(P, 14, promised)  /* the time is promised to somebody */                                     \
    E(P, 15, pool_full) /* a limit of this installation */                                         \
    E(P, 16, unknown_plate)                                                                        \
    E(P, 17, too_early)                                                                            \
    E(P, 18, ambiguous) /* two candidates for a misread plate */                                   \
    E(P, 19, blocked)                                                                              \
    E(P, 20, revoked)                                                                              \
    E(P, 21, not_open_to_outsiders) /* needs a resolution on file */                               \
    E(P, 22, clock_untrusted)                                                                      \
    E(P, 23, duplicate)                                                                            \
    E(P, 24, resident) /* standing right: a household's own plate */                               \
    E(P, 25, booking)                                                                              \
    E(P, 26, emergency)                                                                            \
    E(P, 27, by_hand)                                                                              \
    E(P, 28, leaving)  /* who leaves is never held */                                              \
    E(P, 29, replayed) /* history: recorded, opens nothing */                                      \
    E(P, 30, recall)                                                                               \
    E(P, 31, calendar)                                                                             \
    E(P, 32, blackout)                                                                             \
    E(P, 33, withdrawn)                                                                            \
    E(P, 34, misread)    /* opened for the only candidate with a right */                          \
    E(P, 35, local_list) /* the gateway's own list decided */                                      \
    E(P, 36, overstayer) /* the place promised is still taken */                                   \
    E(P, 37, in_use)                                                                               \
    E(P, 38, visitor) E(P, 39, gap) /* a fact before this one is missing */                        \
    E(P, 40, to_be_drawn) /* this time is decided by a draw: ask there */                          \
    E(P, 41, not_drawn)   /* decided together with others, and not served */                       \
    E(P, 42, draw_closed) /* its wishes are collected already */                                   \
    E(P, 43, draw_void)   /* it came to nothing: secret or public value were not there in time */  \
    E(P, 45, in_pieces) /* somewhere at each moment, but nowhere all through */                    \
    E(P, 46, day_cap)   /* minutes of the household on a civil day */                              \
    E(P, 47, month_cap) /* in a month */                                                           \
    E(P, 48, strikes)   /* the household may book only what starts soon */                         \
    E(P, 49, sensor_unsure) /* silent, or it says otherwise */                                     \
    E(P, 50, rules_not_accepted)                                                                   \
    E(P, 51, undecided) /* nobody decided in time */                                               \
    E(P, 52, own_case)  /* decided by somebody else than the party and who reported it */          \
    E(P, 53, fits_now)  /* nothing to wait for: book it */                                         \
    E(P, 54, not_confirmed) /* was offered, and nobody said in time that he wants it */            \
    E(P, 56, kept_for_late) /* free, but not for as long after it as cars are late there */        \
    E(P, 57, preempted)     /* an urgent visit needed the place */                                 \
    E(P, 58, not_certified) /* the plate is no emergency vehicle's and no certified carer's */

#define TIDE_ENUM_place_kind(E, P)                                                                 \
    E(P, 0, none)                                                                                  \
    E(P, 1, city)                                                                                  \
    E(P, 2, town)                                                                                  \
    E(P, 3, community)                                                                             \
    E(P, 4, grid)                                                                                  \
    E(P, 5, compound)                                                                              \
    E(P, 6, building)                                                                              \
    E(P, 7, stair)                                                                                 \
    E(P, 8, household)                                                                             \
    E(P, 9, organisation)

#define TIDE_ENUM_role(E, P)                                                                       \
    E(P, 0, none)                                                                                  \
    E(P, 1, resident)  /* books, shares what his household owns */                                 \
    E(P, 2, clerk)     /* the committee's desk: everything, for anybody, recorded */               \
    E(P, 3, guard)     /* the gate and the sheet */                                                \
    E(P, 4, steward)   /* 楼道红管家 of a stair */                                            \
    E(P, 5, property)  /* the property firm's duty */                                              \
    E(P, 6, committee) /* settings, blackouts */                                                   \
    E(P, 7, gateway)   /* speaks for devices */                                                    \
    E(P, 8, admin)     /* users, roles, import, backup */

#define TIDE_ENUM_user_kind(E, P) E(P, 0, none) E(P, 1, app) E(P, 2, console) E(P, 3, gateway)
#define TIDE_ENUM_user_state(E, P) E(P, 0, active) E(P, 1, revoked)
#define TIDE_ENUM_via(E, P) E(P, 0, app) E(P, 1, phone) E(P, 2, desk) E(P, 3, visit) E(P, 4, paper)

#define TIDE_ENUM_day_class(E, P) E(P, 0, none) E(P, 1, workday) E(P, 2, restday) E(P, 3, holiday)
#define TIDE_ENUM_slot_title(E, P)                                                                 \
    E(P, 0, none) E(P, 1, owned) E(P, 2, rented) E(P, 3, common) E(P, 4, organisation)
#define TIDE_ENUM_slot_class(E, P)                                                                 \
    E(P, 0, standard) E(P, 1, accessible) E(P, 2, charger) E(P, 3, small)
/* draw: the hours of a day are decided the evening before, all wishes at once. */
#define TIDE_ENUM_zone_policy(E, P) E(P, 0, fcfs) E(P, 1, draw)
#define TIDE_ENUM_lane_dir(E, P) E(P, 0, both) E(P, 1, in) E(P, 2, out)
#define TIDE_ENUM_vehicle_kind(E, P)                                                               \
    E(P, 0, resident) E(P, 1, emergency) E(P, 2, blocked) E(P, 3, care)
#define TIDE_ENUM_plate_class(E, P)                                                                \
    E(P, 0, unknown)                                                                               \
    E(P, 1, ordinary)                                                                              \
    E(P, 2, new_energy)                                                                            \
    E(P, 3, suffixed)                                                                              \
    E(P, 4, embassy)                                                                               \
    E(P, 5, armed_police)                                                                          \
    E(P, 6, police)

/* weekly opens; once opens once; blackout closes by order; recall closes by its owner. */
#define TIDE_ENUM_window_kind(E, P) E(P, 0, weekly) E(P, 1, once) E(P, 2, blackout) E(P, 3, recall)

/*   booked ──arrive──► parked ──leave──► kept
 *     │ ├──cancel──► cancelled                    live: booked, parked
 *     │ ├──no-show deadline──► no_show
 *     └─┴──slot lost, none other──► broken (compensation posted)                                */
#define TIDE_ENUM_booking_state(E, P)                                                              \
    E(P, 0, booked)                                                                                \
    E(P, 1, parked) E(P, 2, kept) E(P, 3, cancelled) E(P, 4, no_show) E(P, 5, broken)
#define TIDE_BOOKING_LIVE(state) ((state) <= TIDE_BOOKING_STATE_parked)

/*   announced ──secret sealed──► open ──time over──► closed ──solved──► settling ──► decided
 *       └────────────────────────────┴──────────────────┴── or ──► void    live: up to settling  */
#define TIDE_ENUM_draw_state(E, P)                                                                 \
    E(P, 0, announced)                                                                             \
    E(P, 1, open) E(P, 2, closed) E(P, 3, settling) E(P, 4, decided) E(P, 5, void)
#define TIDE_DRAW_LIVE(state) ((state) <= TIDE_DRAW_STATE_settling)
/* What a draw serves the most of. */
#define TIDE_ENUM_draw_aim(E, P) E(P, 0, minutes) E(P, 1, households)
/* A public source of chance, named before (RFC 3797): ssq is 双色球 of the welfare lottery. */
#define TIDE_ENUM_draw_source(E, P) E(P, 0, none) E(P, 1, ssq)
#define TIDE_ENUM_wish_state(E, P)                                                                 \
    E(P, 0, waiting) E(P, 1, won) E(P, 2, lost) E(P, 3, withdrawn) /* before it was closed */

#define TIDE_ENUM_strike_kind(E, P) E(P, 0, none) E(P, 1, no_show) E(P, 2, overstay)
/*   pending ─┬─ contest ─► contested ─┬─► upheld ──► expired     live: up to upheld
 *            └── in time nobody ───────┘ └► void                                                 */
#define TIDE_ENUM_strike_state(E, P)                                                               \
    E(P, 0, pending) E(P, 1, contested) E(P, 2, upheld) E(P, 3, void) E(P, 4, expired)
#define TIDE_STRIKE_LIVE(state) ((state) <= TIDE_STRIKE_STATE_upheld)
#define TIDE_ENUM_witness(E, P)                                                                    \
    E(P, 0, none) E(P, 1, sensor) E(P, 2, gate) E(P, 3, hand) E(P, 4, clock)

/*   waiting ──a place comes free──► offered ──confirmed, or the car came──► taken
 *      │ └──hardly any time left──► over └──not in time──► passed
 *      └──taken back──► withdrawn ◄──taken back──┘          live: waiting, offered              */
#define TIDE_ENUM_waiting_state(E, P)                                                              \
    E(P, 0, waiting)                                                                               \
    E(P, 1, offered) E(P, 2, taken) E(P, 3, passed) E(P, 4, withdrawn) E(P, 5, over)
#define TIDE_WAITING_LIVE(state) ((state) <= TIDE_WAITING_STATE_offered)

#define TIDE_ENUM_series_state(E, P) E(P, 0, live) E(P, 1, ended)
#define TIDE_ENUM_session_state(E, P) E(P, 0, live) E(P, 1, ended)
#define TIDE_ENUM_session_right(E, P)                                                              \
    E(P, 0, none) E(P, 1, standing) E(P, 2, booking) E(P, 3, emergency) E(P, 4, hand)
#define TIDE_ENUM_source(E, P)                                                                     \
    E(P, 0, none) E(P, 1, camera) E(P, 2, sensor) E(P, 3, guard) E(P, 4, driver) E(P, 5, clerk)
#define TIDE_ENUM_occupancy(E, P) E(P, 0, unknown) E(P, 1, free) E(P, 2, occupied)

#define TIDE_ENUM_incident_kind(E, P)                                                              \
    E(P, 0, none)                                                                                  \
    E(P, 1, overstay)    /* still there after the promise and its grace */                         \
    E(P, 2, stranger)    /* a slot is taken and nobody has a right to it */                        \
    E(P, 3, ghost)       /* the books say parked, the sensor says empty */                         \
    E(P, 4, owner_taken) /* the owner is back and his slot is taken */                             \
    E(P, 5, late_supply) /* a booking starts and its slot is still taken */
#define TIDE_ENUM_incident_state(E, P) E(P, 0, open) E(P, 1, closed)

/* What would fit instead of a wish that was refused: another end, start or zone; or to wait. */
#define TIDE_ENUM_offer_kind(E, P)                                                                 \
    E(P, 0, none) E(P, 1, shorter) E(P, 2, later) E(P, 3, earlier) E(P, 4, elsewhere)              \
    E(P, 5, wait)

#define TIDE_ENUM_posting_reason(E, P)                                                             \
    E(P, 0, none)                                                                                  \
    E(P, 1, grant)                                                                                 \
    E(P, 2, stay) E(P, 3, overstay) E(P, 4, compensation) E(P, 5, correction) E(P, 6, lend)

#define TIDE_ENUM_notice_kind(E, P)                                                                \
    E(P, 0, none)                                                                                  \
    E(P, 1, booking_made)      /* to the party when somebody else booked for him */                \
    E(P, 2, booking_cancelled) /* by another than the party */                                     \
    E(P, 3, booking_moved)     /* after late_supply: there is a place for it now */                \
    E(P, 4, booking_broken)                                                                        \
    E(P, 5, no_show)                                                                               \
    E(P, 6, ending_soon)                                                                           \
    E(P, 7, overstay)                                                                              \
    E(P, 8, stranger)                                                                              \
    E(P, 9, ghost)                                                                                 \
    E(P, 10, owner_taken)                                                                          \
    E(P, 11, late_supply)                                                                          \
    E(P, 12, incident_closed)                                                                      \
    E(P, 13, calendar_changed)                                                                     \
    E(P, 14, calendar_missing)                                                                     \
    E(P, 15, series_gap) /* one day of a series could not be promised */                           \
    E(P, 16, substitute) /* go to this slot instead */                                             \
    E(P, 17, clock_jump)                                                                           \
    E(P, 18, visitor_came)                                                                         \
    E(P, 19, draw_won)                                                                             \
    E(P, 20, draw_lost)                                                                            \
    E(P, 21, wait_offered)     /* a place came free: confirm it until until_ms */                  \
    E(P, 22, wait_passed)      /* it was not confirmed, and went on to the next */                 \
    E(P, 23, wait_over)        /* none came free in time */                                        \
    E(P, 24, strike_made)      /* with its evidence; end_ms: until when it can be contested */     \
    E(P, 25, strike_contested) /* to those who decide, until end_ms */                             \
    E(P, 26, strike_decided)                                                                       \
    E(P, 30, slot_free) /* his own slot is free again, its substitute given back */

#define TIDE_ENUM_command_kind(E, P) E(P, 0, none) E(P, 1, open) E(P, 2, deny)
#define TIDE_ENUM_command_state(E, P) E(P, 0, sent) E(P, 1, done) E(P, 2, failed) E(P, 3, expired)
#define TIDE_ENUM_decision(E, P) E(P, 0, none) E(P, 1, open) E(P, 2, deny)

/* Names and texts that are kept apart from every decision (design, forgetting). A name of these
 * kinds stands for one id; ids are given in the order in which names first came.               */
#define TIDE_ENUM_name_kind(E, P)                                                                  \
    E(P, 0, none)                                                                                  \
    E(P, 1, plate)                                                                                 \
    E(P, 2, place)                                                                                 \
    E(P, 3, person) /* the person's key in the committee's books, e.g. 3-2-501/1 */                \
    E(P, 4, user)                                                                                  \
    E(P, 5, zone)                                                                                  \
    E(P, 6, slot)                                                                                  \
    E(P, 7, lane)                                                                                  \
    E(P, 8, full_name)   /* of a person: id = person */                                            \
    E(P, 9, phone)       /* of a person: id = person */                                            \
    E(P, 10, credential) /* of a user: its `$7$` hash, id = user */                                \
    E(P, 11, title)      /* of a place or zone, for people to read; id = place */                  \
    E(P, 12, zone_title)

#define TIDE_ENUM_counter(E, P)                                                                    \
    E(P, 0, none)                                                                                  \
    E(P, 1, booking)                                                                               \
    E(P, 2, series)                                                                                \
    E(P, 3, session)                                                                               \
    E(P, 4, incident)                                                                              \
    E(P, 5, posting) E(P, 6, notice) E(P, 7, command) E(P, 8, passage) E(P, 9, window)             \
    E(P, 10, draw) E(P, 11, wish) E(P, 12, draw_span) E(P, 13, waiting) E(P, 14, strike)

/* All closed sets. Each becomes an enum `tide_<set>` with members TIDE_<SET>_<name> below. */
#define TIDE_ENUMS(X)                                                                              \
    X(code, CODE)                                                                                  \
    X(why, WHY)                                                                                    \
    X(place_kind, PLACE_KIND)                                                                      \
    X(role, ROLE)                                                                                  \
    X(user_kind, USER_KIND)                                                                        \
    X(user_state, USER_STATE)                                                                      \
    X(via, VIA) X(day_class, DAY_CLASS) X(slot_title, SLOT_TITLE) X(slot_class, SLOT_CLASS)        \
    X(zone_policy, ZONE_POLICY) X(lane_dir, LANE_DIR) X(vehicle_kind, VEHICLE_KIND)                \
    X(plate_class, PLATE_CLASS) X(window_kind, WINDOW_KIND)                                        \
    X(booking_state, BOOKING_STATE) X(series_state, SERIES_STATE)                                  \
    X(draw_state, DRAW_STATE) X(draw_aim, DRAW_AIM) X(draw_source, DRAW_SOURCE)                    \
    X(wish_state, WISH_STATE) X(strike_kind, STRIKE_KIND) X(strike_state, STRIKE_STATE)            \
    X(witness, WITNESS) X(waiting_state, WAITING_STATE)                                            \
    X(session_state, SESSION_STATE) X(session_right, SESSION_RIGHT)                                \
    X(source, SOURCE) X(occupancy, OCCUPANCY) X(incident_kind, INCIDENT_KIND)                      \
    X(incident_state, INCIDENT_STATE) X(posting_reason, POSTING_REASON)                            \
    X(notice_kind, NOTICE_KIND) X(command_kind, COMMAND_KIND)                                      \
    X(command_state, COMMAND_STATE) X(decision, DECISION)                                          \
    X(name_kind, NAME_KIND) X(counter, COUNTER) X(offer_kind, OFFER_KIND)                          \
    X(setting, SETTING)

/* Settings of a domain: number, name, default, least, most. Units are in the name. */
#define TIDE_SETTINGS(S)                                                                           \
    S(0, none, 0, 0, 0)                                                                            \
    S(1, utc_offset_min, 480, -720, 840)                                                           \
    S(2, horizon_days, 14, 1, 60)                                                                  \
    S(3, no_show_min, 30, 5, 720) /* after the start, the place is given back */                   \
    S(4, early_min, 30, 0, 240)   /* who comes earlier may enter if his place is free */           \
    S(5, overstay_grace_min, 15, 0, 120)                                                           \
    S(6, ending_soon_min, 15, 0, 120)                                                              \
    S(7, household_live_max, 24, 1, 32) /* live bookings of one household */                       \
    S(8, stay_max_min, 1440, 5, 20160)                                                             \
    S(9, grant_min, 9000, 0, 1000000) /* minutes to each household, monthly */                     \
    S(10, account_floor_min, 0, -1000000, 0)                                                       \
    S(11, sensor_silence_min, 150, 5, 10080) /* 2.5 heartbeats of an hour */                       \
    S(12, settle_min, 10, 1, 120)    /* a taken slot without a right becomes an incident after */  \
    S(13, escalate_min, 30, 5, 1440) /* guard -> property when nobody acts */                      \
    S(14, stranger_kept_days, 30, 1, 365)                                                          \
    S(15, compensation_min, 60, 0, 1440)     /* posted to the party of a broken promise */         \
    S(16, calendar_through_year, 0, 0, 9999) /* last year whose holiday file is in */              \
    S(17, clock_suspended, 0, 0, 1)                                                                \
    S(18, granted_month, 0, 0, 120000)      /* year*12+month of the last grant */                  \
    S(19, rolled_date, 0, -100000, 3000000) /* last civil day whose windows are resolved up to */  \
    S(20, scaled, 0, 0, 1) /* this database lived in scaled time; a real daemon refuses it */      \
    S(21, resettle_from, 0, 0, 4294967295) /* next slot whose promises are looked at again */      \
    S(22, resettle_why, 0, 0, 255)                                                                 \
    S(23, reseat_steps, 1000, 0, 1000000) /* seats tried for moves that make room; 0: none */      \
    S(24, reseat_depth, 3, 1, 8)       /* how many have to make room for each other */             \
    S(25, freeze_min, 15, 0, 240)      /* before its start, a seat is not moved any more */        \
    S(26, walk_max_m, 400, 0, 5000)    /* how far another zone may be that is offered instead */   \
    S(27, household_day_max_min, 0, 0, 100000) /* of one civil day; 0: no cap */                   \
    S(28, household_month_max_min, 0, 0, 1000000)                                                  \
    S(29, rules_text_version, 0, 0, 65535) /* 0: there are no rules, strikes bind nobody */        \
    S(30, strike_contest_days, 7, 1, 60)                                                           \
    S(31, strike_decide_days, 14, 1, 90)                                                           \
    S(32, strike_life_days, 90, 1, 730)                                                            \
    S(33, strikes_max, 0, 0, 1000) /* from so many on only what starts soon; 0: no effect */       \
    S(34, strike_lead_min, 120, 0, 20160)                                                          \
    S(35, wait_confirm_min, 15, 1, 720) /* who waited and is offered a place has to say yes */

#define TIDE_ENUM_setting(E, P)                                                                    \
    E(P, 0, none)                                                                                  \
    E(P, 1, utc_offset_min)                                                                        \
    E(P, 2, horizon_days)                                                                          \
    E(P, 3, no_show_min)                                                                           \
    E(P, 4, early_min)                                                                             \
    E(P, 5, overstay_grace_min)                                                                    \
    E(P, 6, ending_soon_min) E(P, 7, household_live_max) E(P, 8, stay_max_min) E(P, 9, grant_min)  \
    E(P, 10, account_floor_min) E(P, 11, sensor_silence_min) E(P, 12, settle_min)                  \
    E(P, 13, escalate_min) E(P, 14, stranger_kept_days) E(P, 15, compensation_min)                 \
    E(P, 16, calendar_through_year) E(P, 17, clock_suspended) E(P, 18, granted_month)              \
    E(P, 19, rolled_date) E(P, 20, scaled) E(P, 21, resettle_from)                                 \
    E(P, 22, resettle_why) E(P, 23, reseat_steps) E(P, 24, reseat_depth) E(P, 25, freeze_min)      \
    E(P, 26, walk_max_m) E(P, 27, household_day_max_min) E(P, 28, household_month_max_min)         \
    E(P, 29, rules_text_version) E(P, 30, strike_contest_days) E(P, 31, strike_decide_days)        \
    E(P, 32, strike_life_days) E(P, 33, strikes_max) E(P, 34, strike_lead_min)                     \
    E(P, 35, wait_confirm_min)
#define TIDE_SETTINGS_COUNT 36

/* clang-format on */
#define TIDE_ENUM_MEMBER(P, number, name) TIDE_##P##_##name = (number),
#define TIDE_ENUM_DECLARE(set, P) enum tide_##set{TIDE_ENUM_##set(TIDE_ENUM_MEMBER, P)};
TIDE_ENUMS(TIDE_ENUM_DECLARE)
#undef TIDE_ENUM_DECLARE

/* Day-class masks of window rules; `eve` is a workday before an off day. */
#define TIDE_DAYS_WORKDAY 1u
#define TIDE_DAYS_RESTDAY 2u
#define TIDE_DAYS_HOLIDAY 4u
#define TIDE_DAYS_EVE 8u
#define TIDE_DAYS_ALL 7u
#define TIDE_WEEKDAYS_ALL 0x7fu /* bit 0 is Monday */

/* How a zone is watched. */
#define TIDE_SENSE_GATE 1u   /* cars pass a lane with a camera */
#define TIDE_SENSE_SENSOR 2u /* each slot has a sensor */
#define TIDE_SENSE_HAND 4u   /* the guard's or the driver's hand */

#endif
