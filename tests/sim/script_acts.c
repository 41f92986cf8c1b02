/* script_acts.c - the lines of a story in which somebody, or a device, does something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/script_state.h"

/* ---- what people and devices do ------------------------------------------------------------ */
static void do_book(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    const char *behalf = script_after(s, "for");
    script_span(s, 5, &start, &end);
    SEND(user, book, .plate = script_id(s, NAME_PLATE, s->token[2]),
         .zone = script_id(s, NAME_ZONE, s->token[4]),
         .cls = script_has(s, "charger") ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard,
         .start_ms = start, .end_ms = end,
         .household = behalf != NULL ? script_id(s, NAME_HOUSEHOLD, behalf) : 0,
         .visitor = script_has(s, "visitor"));
    script_check_reply(s, NAME_BOOKING);
}

static void do_repeat(struct script *s, tide_id user)
{
    struct tide_window rule = script_window(s, 5);
    SEND(user, repeat, .plate = script_id(s, NAME_PLATE, s->token[2]),
         .zone = script_id(s, NAME_ZONE, s->token[4]), .days = rule.days, .weekdays = rule.weekdays,
         .opens_min = rule.opens_min, .closes_min = rule.closes_min);
    script_check_reply(s, NAME_SERIES);
}

static void do_cancel(struct script *s, tide_id user)
{
    if (s->token[2][0] == 's')
        SEND(user, cancel, .series = script_id(s, NAME_SERIES, s->token[2]));
    else
        SEND(user, cancel, .booking = script_id(s, NAME_BOOKING, s->token[2]));
    script_check_reply(s, NAME_BOOKING);
}

static void do_extend(struct script *s, tide_id user)
{
    unsigned at = 4;
    tide_ms end = script_time(s, &at);
    SEND(user, extend, .booking = script_id(s, NAME_BOOKING, s->token[2]), .end_ms = end);
    script_check_reply(s, NAME_BOOKING);
}

static void do_arrive(struct script *s, tide_id user)
{
    const char *slot = script_after(s, "on");
    if (slot != NULL)
        SEND(user, arrive, .plate = script_id(s, NAME_PLATE, s->token[2]),
             .slot = script_id(s, NAME_SLOT, slot));
    else
        SEND(user, arrive, .booking = script_id(s, NAME_BOOKING, s->token[2]));
    script_check_reply(s, NAME_BOOKING);
}

static void do_leave(struct script *s, tide_id user)
{
    if (s->token[2][0] == 'P')
        SEND(user, leave, .plate = script_id(s, NAME_PLATE, s->token[2]));
    else
        SEND(user, leave, .booking = script_id(s, NAME_BOOKING, s->token[2]));
    script_check_reply(s, NAME_BOOKING);
}

static void do_share(struct script *s, tide_id user)
{
    struct tide_window w = script_window(s, 3);
    SEND(user, share, .slot = script_id(s, NAME_SLOT, s->token[2]), .kind = w.kind, .days = w.days,
         .weekdays = w.weekdays, .opens_min = w.opens_min, .closes_min = w.closes_min,
         .start_ms = w.start_ms, .end_ms = w.end_ms);
    script_check_reply(s, NAME_WINDOW);
}

static void do_wait(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    script_span(s, 5, &start, &end);
    SEND(user, wait, .plate = script_id(s, NAME_PLATE, s->token[2]),
         .zone = script_id(s, NAME_ZONE, s->token[4]), .start_ms = start, .end_ms = end);
    script_check_reply(s, NAME_WAITING);
    script_ticks(s); /* what comes free at once is his */
}

static void do_unwait(struct script *s, tide_id user)
{
    SEND(user, unwait, .waiting = script_id(s, NAME_WAITING, s->token[2]));
    script_check_reply(s, NAME_WAITING);
    script_ticks(s);
}

static void do_confirm(struct script *s, tide_id user)
{
    SEND(user, confirm, .booking = script_id(s, NAME_BOOKING, s->token[2]));
    script_check_reply(s, NAME_BOOKING);
}

static void do_accept(struct script *s, tide_id user)
{
    SEND(user, accept_rules, .rules_version = (uint16_t)strtoul(s->token[2], NULL, 10));
    script_check_reply(s, NAME_STRIKE);
}

static void do_contest(struct script *s, tide_id user)
{
    SEND(user, strike_contest, .strike = script_id(s, NAME_STRIKE, s->token[2]));
    script_check_reply(s, NAME_STRIKE);
}

static void do_uphold(struct script *s, tide_id user)
{
    SEND(user, strike_decide, .strike = script_id(s, NAME_STRIKE, s->token[2]),
         .verdict = TIDE_STRIKE_STATE_upheld);
    script_check_reply(s, NAME_STRIKE);
}

static void do_void(struct script *s, tide_id user)
{
    SEND(user, strike_decide, .strike = script_id(s, NAME_STRIKE, s->token[2]),
         .verdict = TIDE_STRIKE_STATE_void);
    script_check_reply(s, NAME_STRIKE);
}

static void do_unshare(struct script *s, tide_id user)
{
    SEND(user, unshare, .window = script_id(s, NAME_WINDOW, s->token[2]));
    script_check_reply(s, NAME_WINDOW);
}

static void do_recall(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    const char *swap = script_after(s, "swap");
    script_span(s, 3, &start, &end);
    SEND(user, recall, .slot = script_id(s, NAME_SLOT, s->token[2]), .start_ms = start,
         .end_ms = end, .swap = swap != NULL ? script_id(s, NAME_SLOT, swap) : 0,
         .plan = script_has(s, "plan"));
    script_check_reply(s, swap != NULL ? NAME_BOOKING : NAME_WINDOW);
}

static void do_blackout(struct script *s, tide_id user)
{
    tide_ms start = 0, end = 0;
    bool zone = s->token[2][1] == '\0';
    script_span(s, 3, &start, &end);
    SEND(user, blackout, .slot = zone ? 0 : script_id(s, NAME_SLOT, s->token[2]),
         .zone = zone ? script_id(s, NAME_ZONE, s->token[2]) : 0, .start_ms = start, .end_ms = end);
    script_ticks(s);
    script_check_reply(s, NAME_WINDOW);
}

static void do_open(struct script *s, tide_id user)
{
    bool in = strcmp(s->token[2], "in") == 0;
    SEND(user, hand, .lane = in ? LANE_IN : LANE_OUT,
         .plate = script_id(s, NAME_PLATE, s->token[3]));
    script_check_arm(s);
}

static void do_resolve(struct script *s, tide_id user)
{
    uint32_t cursor = 0;
    const union tide_any *row;
    tide_id slot = script_id(s, NAME_SLOT, s->token[2]), incident = 0;
    while ((row = sim_rows_next(s->rows, TIDE_REC_incident, &cursor)) != NULL)
        if (row->incident.slot == slot && row->incident.state == TIDE_INCIDENT_STATE_open)
            incident = row->incident.id;
    SEND(user, resolve, .incident = incident);
    script_check_reply(s, NAME_BOOKING);
}

static void do_camera(struct script *s)
{
    bool in = strcmp(s->token[1], "in") == 0;
    const char *alike = script_after(s, "alike"), * or = script_after(s, "or");
    s->fact++;
    SEND(GATEWAY, plate_seen, .lane = in ? LANE_IN : LANE_OUT,
         .plate = script_id(s, NAME_PLATE, s->token[2]),
         .alt1 = alike != NULL ? script_id(s, NAME_PLATE, alike) : 0,
         .alt2 = or != NULL ? script_id(s, NAME_PLATE, or) : 0, .replay = script_has(s, "replayed"),
         .ask = s->fact, .boot = 1, .seq = s->fact);
    script_check_arm(s);
}

static void do_sensor(struct script *s)
{
    int state = tide_enum_value(TIDE_FT_enum_occupancy, s->token[2], strlen(s->token[2]));
    s->fact++;
    SEND(GATEWAY, slot_seen, .slot = script_id(s, NAME_SLOT, s->token[1]),
         .state = (uint8_t)(state > 0 ? state : 0), .boot = 1, .seq = s->fact);
    script_check_reply(s, NAME_BOOKING);
}

/* ---- lines --------------------------------------------------------------------------------- */
static bool act_device(struct script *s)
{
    if (strcmp(s->token[0], "daemon") == 0)
        script_draw_needs(s);
    else if (strcmp(s->token[0], "camera") == 0 && s->count >= 3)
        do_camera(s);
    else if (strcmp(s->token[0], "sensor") == 0 && s->count >= 3)
        do_sensor(s);
    else
        return false;
    return true;
}

bool script_act(struct script *s)
{
    static const struct {
        const char *verb;
        void (*fn)(struct script *s, tide_id user);
        unsigned tokens; /* at least */
    } acts[] = {{"books", do_book, 6},          {"repeats", do_repeat, 7},
                {"cancels", do_cancel, 3},      {"extends", do_extend, 5},
                {"arrives", do_arrive, 3},      {"leaves", do_leave, 3},
                {"shares", do_share, 5},        {"unshares", do_unshare, 3},
                {"recalls", do_recall, 4},      {"closes", do_blackout, 4},
                {"opens", do_open, 4},          {"resolves", do_resolve, 3},
                {"waits", do_wait, 6},          {"unwaits", do_unwait, 3},
                {"confirms", do_confirm, 3},    {"accepts", do_accept, 3},
                {"contests", do_contest, 3},    {"upholds", do_uphold, 3},
                {"voids", do_void, 3},          {"draws", script_draw_open, 7},
                {"wishes", script_draw_wish, 6}};
    for (size_t i = 0; s->count > 2 && i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].verb, s->token[1]) == 0 && s->count >= acts[i].tokens) {
            acts[i].fn(s, script_person(s, s->token[0]));
            return true;
        }
    return act_device(s);
}
