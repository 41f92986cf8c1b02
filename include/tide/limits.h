/* limits.h - everything has a limit, and all limits stand here.
 *
 * A limit is either fixed (the shape of a message, a name) or the default size of a pool that the
 * configuration may raise at start (struct engine_limits in engine.h). Nothing grows at run time.
 */
#ifndef TIDE_LIMITS_H
#define TIDE_LIMITS_H

/* The wire. */
#define TIDE_PACKET_BYTES_MAX (16 * 1024) /* one MQTT message of a phone, a console, a gateway */
#define TIDE_JSON_DEPTH_MAX 8
#define TIDE_JSON_MEMBERS_MAX 4096      /* members and elements of one message, all levels */
#define TIDE_JSON_OBJECT_MEMBERS_MAX 64 /* members of one object */
#define TIDE_RID_BYTES_MAX 36           /* [A-Za-z0-9_-]: a UUID fits */
#define TIDE_NAME_BYTES_MAX 64          /* a user, a slot's label, a household's number: UTF-8 */
#define TIDE_TEXT_BYTES_MAX 2048        /* free text */
#define TIDE_SECRET_HASH_BYTES_MAX 192  /* a `$7$` line of the broker's password file */
#define TIDE_RID_LIFE_MS_MAX (7LL * 86400000) /* `expires` lies at most this far ahead */
#define TIDE_REPLY_KEPT_MS 86400000LL /* a reply is kept this long after its request expired */
#define TIDE_ITEMS_MAX 64             /* rows in one import request */
#define TIDE_REPLY_ITEMS_MAX 32       /* rows in one reply: it must fit a packet */

/* Promises. */
#define TIDE_GRAIN_MIN 5
#define TIDE_GRAIN_MS (TIDE_GRAIN_MIN * 60000LL)
#define TIDE_GRAINS_A_DAY 288
#define TIDE_HORIZON_DAYS_DEFAULT 14
#define TIDE_HORIZON_DAYS_MAX 60
#define TIDE_ALTERNATES_MAX 4       /* misread candidates that come along with a plate */
#define TIDE_BINDINGS_MAX 6         /* spans that a refusal names as standing in the way */
#define TIDE_OFFERS_ELSEWHERE_MAX 3 /* other zones that it offers, out of so many looked at: */
#define TIDE_OFFER_ZONES_MAX 16
#define TIDE_OFFER_GRAINS_MIN 3       /* a stay cut shorter than this is no offer */
#define TIDE_FORECAST_HOURS_MAX 48    /* hours that a tide table looks ahead */
#define TIDE_PUBLIC_ZONE_SLOTS_MIN 20 /* smaller zones are merged in public (design, privacy) */

/* Cars that stay beyond their promise (parking/overrun.c). */
#define TIDE_OVERRUN_AHEAD_MIN 60      /* who begins within this is moved away from behind them */
#define TIDE_OVERRUN_EVERY_MIN 15      /* how often that is looked at */
#define TIDE_OVERRUN_MOVES_A_STEP 4    /* promises for which another seat is looked for at once */
#define TIDE_SUBSTITUTE_GRAINS_MAX 144 /* how long an owner is promised another slot: half a day */
#define TIDE_SUBSTITUTE_GRAINS_MIN 18  /* at best, an hour and a half at least */

/* Draws. */
#define TIDE_DRAWS_MAX 64          /* that are not over yet */
#define TIDE_DRAW_WISHES_MAX 4096  /* of one draw */
#define TIDE_DRAW_SPANS_MAX 4000   /* pieces of free time that one draw gives away */
#define TIDE_DRAW_SETTLED_A_STEP 8 /* wishes told by one deadline */
#define TIDE_DRAW_PAGE 16          /* wishes, and spans, of a draw in one reply */

/* Strikes. */
#define TIDE_STRIKES_VOIDED_A_STEP 64 /* by one word of a gate that was cut off */

/* Waiting. */
#define TIDE_WAITS_MAX 2048        /* who wait or were offered a place, at once */
#define TIDE_WAIT_GRAINS_MIN 6     /* what is left of a wish must be as long, or it is over */
#define TIDE_WAIT_LOOK_MIN 15      /* gone through this often, whatever happens */
#define TIDE_WAIT_LOOKED_A_STEP 64 /* of those who wait in a zone, by one deadline */
#define TIDE_WAIT_CASES_MIN 3      /* fewer earlier cases are no ground for a chance */
#define TIDE_WAIT_CASES_MAX 200    /* more are halved: what is long ago counts little */
#define TIDE_WAIT_BUCKETS 5        /* positions 1, 2, 3-4, 5-8, 9 and more */

/* How late cars leave. */
#define TIDE_LATENESS_BINS 17        /* in time, up to so many minutes, later than the last */
#define TIDE_LATENESS_CASES_MAX 2048 /* more are halved: what is long ago counts little */
#define TIDE_BUFFER_MIN_MAX 240      /* what may be kept free after a booking */
#define TIDE_RISK_PERMILLE_MAX 500

/* Devices. Elapsed time, never scaled. */
#define TIDE_GATE_PULSE_VALID_MS 5000
#define TIDE_GATE_ANSWER_MS 150

/* The engine. */
#define TIDE_DEADLINES_A_STEP_MAX 32     /* run by one tick; more wait for the next tick */
#define TIDE_EVENT_BLOB_BYTES_MAX 65536  /* import rows, holiday files, compiled definitions */
#define TIDE_EFFECTS_BYTES_MAX (1 << 20) /* what one step may bring about, packed */
#define TIDE_DOMAINS_MAX 16              /* engines in one daemon */
#define TIDE_DAY_EXCEPTIONS_MAX 512      /* calendar days that differ from their weekday */

#endif
