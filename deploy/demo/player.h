/* player.h - a day as it is played: the plan's people act, the world answers.
 *
 *   agenda ──due──► acts.c ──► asks.c ──► a person's request        ──► tided
 *                          └─► gates.c ──► a camera's, a sensor's message ──► tide-gateway
 *   links  ──news─► replies, arms that lift, notices, public state ──► lives, counters, chart
 *
 * A trip's life:
 *
 *   NOTHING ─book─► ASKING ─ok─► PROMISED ─drives─► AT_GATE ─arm─► INSIDE ─► PARKED ─► LEAVING
 *                     │ no            │ cancelled, no-show           │ denied
 *                     └─► other zone, shorter, or GONE ◄─────────────┘
 *
 * Owners, strangers and ambulances have no promise; they go the same way from PROMISED on.
 */
#ifndef DEMO_PLAYER_H
#define DEMO_PLAYER_H

#include "deploy/demo/agenda.h"
#include "deploy/demo/chart.h"
#include "deploy/demo/links.h"
#include "deploy/demo/plan.h"
#include "deploy/demo/tally.h"

#define DEMO_MINUTE_MS 60000LL
#define DEMO_OFFSET_MIN 480

enum demo_act_kind {
    DEMO_ACT_BOOK,
    DEMO_ACT_CANCEL,
    DEMO_ACT_EXTEND,
    DEMO_ACT_RECALL,
    DEMO_ACT_DRIVE, /* to the entrance */
    DEMO_ACT_PARK,
    DEMO_ACT_GO, /* from the slot to the exit */
    DEMO_ACT_HEARTBEAT
};

/* What a reply belongs to. */
enum demo_ask_kind {
    DEMO_ASK_BOOK,
    DEMO_ASK_REPEAT,
    DEMO_ASK_CANCEL,
    DEMO_ASK_EXTEND,
    DEMO_ASK_RECALL,
    DEMO_ASK_WHERE, /* which slot is mine? */
    DEMO_ASK_ARRIVE,
    DEMO_ASK_LEAVE,
    DEMO_ASK_HAND, /* the guard lifts the arm */
    DEMO_ASK_LOG,  /* the guard looks at a lane's log; who: the lane */
    DEMO_ASK_OTHER
};

enum demo_life_state {
    DEMO_NOTHING,
    DEMO_ASKING,
    DEMO_PROMISED,
    DEMO_AT_GATE,
    DEMO_INSIDE,
    DEMO_PARKED,
    DEMO_LEAVING,
    DEMO_GONE
};

struct demo_life {
    enum demo_life_state state;
    uint32_t booking, series;
    int zone;                /* where it is promised, or where its owner's slot is */
    int slot;                /* promised or owned; -1: not known */
    int tries;               /* zones that were asked */
    int from_min, until_min; /* asked for, then promised */
    int again;               /* other times asked for in this zone */
    int waits;               /* for the answer where to park */
    bool away;               /* an owner who has left this morning */
    bool recalled;           /* the place came back by a recall */
    bool overstays;          /* counted */
    bool turned_away;        /* once: the arm stayed down in spite of a promise */
};

#define DEMO_QUEUE_MAX 512

struct demo_gate {
    int queue[DEMO_QUEUE_MAX]; /* trips, the first before the arm */
    int count;
    bool asked, handed; /* the camera; then the guard */
    int64_t asked_us;
    int asked_min; /* civil minute of the day */
    int64_t log_due_us;
    char plate[DEMO_NAME]; /* as the camera read it */
    uint32_t plates;       /* read by this camera so far */
    uint32_t listed;       /* rows of the white list it was given */
};

struct demo_player {
    struct demo_hood *hood;
    struct demo_plan *plan;
    struct demo_links *links;
    struct demo_tally *tally;
    struct demo_agenda agenda;
    struct demo_chart chart;
    struct demo_dice dice;
    struct demo_life life[DEMO_TRIPS_MAX];
    struct demo_gate gate[DEMO_LANES_MAX];
    uint32_t uplinks[DEMO_SLOTS_MAX];

    int64_t midnight_ms; /* civil, of the day that is played */
    int first_min, last_min;
    int scale;
    int64_t anchor_civil_ms, anchor_us; /* civil time at an elapsed time, as tided told us */
    int clerk, guard_east, guard_gate, guard_park; /* accounts */

    struct demo_hour zone_hours[DEMO_ZONES_MAX + 1][DEMO_CHART_HOURS];
    char zone_names[DEMO_ZONES_MAX + 1][DEMO_NAME]; /* as public topics call them */
    size_t public_zones;
    struct demo_hour zone_now[DEMO_ZONES_MAX + 1]; /* supply: open to others at this moment */
    char last[200];                                /* the last thing worth telling */
    int64_t alive_due_us;
    int alive_next;

    const char *day_text; /* "Monday 2019-05-20, a workday" */
    bool tty;
    int64_t draw_due_us;
    int lines;      /* of the frame that stands */
    int told_hours; /* without a terminal: hours told so far */
};

/* ---- player.c: time, state of the world ------------------------------------------------------ */
int64_t demo_now_ms(const struct demo_player *player);
int64_t demo_now_min(const struct demo_player *player);            /* of the day */
int64_t demo_at(const struct demo_player *player, int64_t minute); /* civil ms of a minute */
void demo_plan_act(struct demo_player *player, int64_t minute, enum demo_act_kind what, int who);
/* Real milliseconds since 1970. */
int64_t demo_real_ms(void);
void demo_tell(struct demo_player *player, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "浙Z·8****": what of a plate may be shown on a screen. */
void demo_plate_masked(const char *plate, char *out, size_t cap);

/* ---- screen.c: what the person before the terminal sees ------------------------------------ */
/* Begins, draws when it is time to (whole: at once), ends and leaves the last frame standing. */
void demo_screen_begin(struct demo_player *player);
void demo_screen_turn(struct demo_player *player, bool whole);
void demo_screen_end(struct demo_player *player);

/* ---- acts.c: what falls due ------------------------------------------------------------------ */
/* Before the day: those who live here come home, so that the gates know who is in. */
void demo_acts_evening(struct demo_player *player);
void demo_acts_begin(struct demo_player *player);
void demo_act(struct demo_player *player, const struct demo_act *act);
/* The arm stays down: true when the guard opens, and the car waits for that. */
bool demo_denied(struct demo_player *player, int trip, int lane, const char *why);
/* The arm has lifted for a car, or the car has turned round. */
void demo_passed(struct demo_player *player, int trip, int lane, bool opened);
/* A promise was made, refused, moved, broken: what that means for the trip's life. */
void demo_promised(struct demo_player *player, int trip);
void demo_refused(struct demo_player *player, int trip);

/* ---- asks.c: requests and their replies, notices ------------------------------------------- */
void demo_ask_book(struct demo_player *player, int trip);
void demo_ask_cancel(struct demo_player *player, int trip);
void demo_ask_extend(struct demo_player *player, int trip);
void demo_ask_recall(struct demo_player *player, int trip);
void demo_ask_where(struct demo_player *player, int trip);
void demo_ask_arrive(struct demo_player *player, int trip);
void demo_ask_leave(struct demo_player *player, int trip);
void demo_ask_hand(struct demo_player *player, int trip, int lane);
void demo_ask_log(struct demo_player *player, int lane);
void demo_on_reply(struct demo_player *player, const struct demo_news *news);
void demo_on_notice(struct demo_player *player, const struct demo_news *news);
void demo_on_message(struct demo_player *player, const struct demo_news *news);

/* ---- gates.c: cameras, arms, sensors ------------------------------------------------------- */
/* A lane in this direction at the place of a zone; -1 when it has none. */
int demo_gate_lane(struct demo_player *player, int zone, bool in);
void demo_gate_queue(struct demo_player *player, int lane, int trip);
/* What the guard reads in a lane's log, row by row. */
void demo_gate_logged(struct demo_player *player, int lane, const char *plate, bool deny,
                      const char *why, int minute);
void demo_on_field(struct demo_player *player, const struct demo_news *news);
/* Gives up waiting where an answer is overdue; lets cameras and sensors show that they live. */
void demo_gates_turn(struct demo_player *player);
void demo_sensor_says(struct demo_player *player, int slot, bool heartbeat);

#endif
