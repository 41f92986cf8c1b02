/* acts.c - what people and cars do when its time has come. */
#include <stdio.h>
#include <string.h>

#include "deploy/demo/player.h"

#define WAITS_MAX 6
#define HEARTBEAT_MIN 60

static bool books(const struct demo_trip *trip)
{
    return trip->kind == DEMO_COMMUTER || trip->kind == DEMO_NIGHT || trip->kind == DEMO_VISITOR;
}

static void drive(struct demo_player *player, int number);

/* ---- the beginning of the day -------------------------------------------------------------- */

static void begin_owner(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    demo_plan_act(player, trip->leaves_min, DEMO_ACT_GO, number);
    if (trip->habit == DEMO_RECALLS) {
        demo_plan_act(player, trip->arrives_min - 60, DEMO_ACT_RECALL, number);
    }
    demo_plan_act(player, trip->arrives_min, DEMO_ACT_DRIVE, number);
}

/* Who spent the night on one of the park's slots leaves before the park fills. */
static void begin_night(struct demo_player *player, int number, size_t *next_slot)
{
    struct demo_trip *trip = &player->plan->trips[number];
    struct demo_hood *hood = player->hood;
    while (*next_slot < hood->slot_count && (hood->slots[*next_slot].title != DEMO_ORGANISATION ||
                                             hood->slots[*next_slot].car >= 0)) {
        (*next_slot)++;
    }
    if (*next_slot < hood->slot_count && demo_dice_percent(&player->dice, 70)) {
        struct demo_life *life = &player->life[number];
        hood->slots[*next_slot].car = trip->car;
        hood->cars[trip->car].slot = (int)*next_slot;
        life->slot = (int)*next_slot;
        life->zone = hood->slots[*next_slot].zone;
        life->state = DEMO_PARKED;
        demo_plan_act(player, demo_dice_range(&player->dice, 5 * 60 + 20, 7 * 60 + 20), DEMO_ACT_GO,
                      number);
    }
}

void demo_acts_evening(struct demo_player *player)
{
    struct demo_hood *hood = player->hood;
    size_t next_slot = 0;
    for (int number = 0; number < (int)player->plan->count; number++) {
        const struct demo_trip *trip = &player->plan->trips[number];
        struct demo_life *life = &player->life[number];
        life->slot = -1;
        if (trip->kind == DEMO_OWNER) {
            life->slot = hood->households[trip->household].slot;
            life->zone = hood->slots[life->slot].zone;
            life->away = true;
            drive(player, number);
        } else if (trip->kind == DEMO_NIGHT) {
            begin_night(player, number, &next_slot);
        }
    }
}

void demo_acts_begin(struct demo_player *player)
{
    for (int slot = 0; slot < (int)player->hood->slot_count; slot++) {
        if (player->hood->slots[slot].sensed) {
            demo_plan_act(player,
                          player->first_min + demo_dice_range(&player->dice, 1, HEARTBEAT_MIN),
                          DEMO_ACT_HEARTBEAT, slot);
        }
    }
    for (int number = 0; number < (int)player->plan->count; number++) {
        const struct demo_trip *trip = &player->plan->trips[number];
        if (trip->kind == DEMO_OWNER) {
            begin_owner(player, number);
        } else if (books(trip)) {
            demo_plan_act(player, trip->books_min, DEMO_ACT_BOOK, number);
        } else {
            player->life[number].zone = 0;
            demo_plan_act(player, trip->arrives_min, DEMO_ACT_DRIVE, number);
        }
    }
}

/* ---- promises ------------------------------------------------------------------------------ */

void demo_promised(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    life->state = DEMO_PROMISED;
    player->tally->promised++;
    if (trip->habit == DEMO_CANCELS) {
        demo_plan_act(player, trip->cancels_min, DEMO_ACT_CANCEL, number);
    } else if (trip->habit == DEMO_NO_SHOW) {
        player->tally->no_shows++;
        life->state = DEMO_GONE;
    } else {
        /* "Come at 18:30": then he does. */
        bool later = life->from_min > trip->asks_from_min;
        demo_plan_act(player,
                      later && trip->arrives_min < life->from_min ? life->from_min
                                                                  : trip->arrives_min,
                      DEMO_ACT_DRIVE, number);
    }
}

/* Another zone; the clerk and the apps know a handful of them. */
void demo_refused(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    if (++life->tries < trip->zone_count) {
        demo_ask_book(player, number);
        return;
    }
    player->tally->unmet++;
    life->state = DEMO_GONE;
}

/* ---- driving ------------------------------------------------------------------------------- */

static void drive(struct demo_player *player, int number)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    if (trip->kind == DEMO_OWNER && !life->away) {
        return; /* never left: still behind its arm */
    }
    if (life->state == DEMO_GONE && trip->kind != DEMO_OWNER) {
        return; /* cancelled or broken meanwhile */
    }
    if (player->hood->zones[life->zone].hand) {
        life->state = DEMO_AT_GATE;
        if (books(trip)) {
            demo_ask_arrive(player, number);
        } else {
            demo_plan_act(player, demo_now_min(player) + 1, DEMO_ACT_PARK, number);
        }
        return;
    }
    int lane = demo_gate_lane(player, life->zone, true);
    if (lane >= 0) {
        life->state = DEMO_AT_GATE;
        demo_gate_queue(player, lane, number);
    }
}

static void entered(struct demo_player *player, int number)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    life->state = DEMO_INSIDE;
    if (books(trip)) {
        demo_ask_where(player, number);
    }
    demo_plan_act(player, demo_now_min(player) + demo_dice_range(&player->dice, 2, 4),
                  DEMO_ACT_PARK, number);
}

/* The guard opens for whoever lives here or was misread, and for a delivery; a promise that could
 * not be kept sends its car round once more, with a new wish. */
bool demo_denied(struct demo_player *player, int number, int lane, const char *why)
{
    const struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    const char *name = player->hood->lanes[lane].name;
    char plate[DEMO_NAME];
    demo_plate_masked(player->hood->cars[trip->car].plate, plate, sizeof(plate));
    bool stranger = trip->kind == DEMO_STRANGER && !trip->by_hand;
    if (stranger || (life->state == DEMO_AT_GATE && books(trip) && !trip->misread)) {
        demo_tell(player, "%s: the arm stays down for %s (%s)", name, plate, why);
        return false;
    }
    demo_tell(player, "%s: %s has no right (%s), the guard opens", name, plate, why);
    demo_ask_hand(player, number, lane);
    return true;
}

/* Before the arm, and it stayed down. */
static void turned_round(struct demo_player *player, int number, int lane)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    if (!books(trip)) {
        life->state = DEMO_GONE;
    } else if (player->gate[lane].asked_min < life->from_min) {
        life->state = DEMO_PROMISED;
        demo_plan_act(player, life->from_min, DEMO_ACT_DRIVE, number);
    } else if (!life->turned_away) {
        life->turned_away = true;
        player->tally->turned_away++;
        life->booking = 0;
        life->slot = -1;
        life->tries = 0;
        demo_ask_book(player, number);
    } else {
        player->tally->unmet++;
        life->state = DEMO_GONE;
    }
}

void demo_passed(struct demo_player *player, int number, int lane, bool opened)
{
    struct demo_life *life = &player->life[number];
    if (life->state == DEMO_LEAVING) {
        life->state = DEMO_GONE;
        life->away = player->plan->trips[number].kind == DEMO_OWNER;
    } else if (opened) {
        entered(player, number);
    } else {
        turned_round(player, number, lane);
    }
}

/* ---- parking ------------------------------------------------------------------------------- */

/* A slot of the zone where nobody stands: a common one rather than another's; -1 when all are
 * taken. */
static int empty_slot(const struct demo_player *player, int zone, bool sensed_first)
{
    int found = -1;
    for (int slot = 0; slot < (int)player->hood->slot_count; slot++) {
        const struct demo_slot *at = &player->hood->slots[slot];
        if (at->zone == zone && at->car < 0) {
            if (at->title == DEMO_COMMON || sensed_first) {
                return slot;
            }
            found = slot;
        }
    }
    return found;
}

static void found_taken(struct demo_player *player, int number)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    const struct demo_slot *slot = &player->hood->slots[life->slot];
    if (trip->kind == DEMO_OWNER) {
        player->tally->owner_slot_taken++;
        demo_tell(player, "the owner of %s is back and finds it taken", slot->name);
    } else {
        player->tally->slot_taken++;
        demo_tell(player, "%s was promised and is taken", slot->name);
    }
    int other = empty_slot(player, life->zone, false);
    life->slot = other >= 0 ? other : life->slot;
}

static void plan_leaving(struct demo_player *player, int number)
{
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_life *life = &player->life[number];
    if (trip->kind == DEMO_OWNER) {
        return; /* at home for the night */
    }
    int leaves = trip->leaves_min;
    if (books(trip) && trip->habit != DEMO_OVERSTAYS && trip->habit != DEMO_EXTENDS &&
        leaves > life->until_min) {
        leaves = life->until_min - 1; /* took the shorter promise, and keeps it */
    }
    if (leaves < demo_now_min(player) + 3) {
        leaves = (int)demo_now_min(player) + 3;
    }
    if (books(trip) && trip->habit == DEMO_EXTENDS && leaves > life->until_min) {
        demo_plan_act(player, life->until_min - 20, DEMO_ACT_EXTEND, number);
    }
    demo_plan_act(player, leaves, DEMO_ACT_GO, number);
}

static void park(struct demo_player *player, int number)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_hood *hood = player->hood;
    if (trip->kind == DEMO_STRANGER || (life->slot < 0 && life->waits >= WAITS_MAX)) {
        life->slot = empty_slot(player, life->zone, trip->kind == DEMO_STRANGER);
        player->tally->strangers += trip->kind == DEMO_STRANGER;
    } else if (life->slot < 0 && trip->kind != DEMO_EMERGENCY) {
        life->waits++;
        demo_plan_act(player, demo_now_min(player) + 1, DEMO_ACT_PARK, number);
        return;
    }
    if (life->slot >= 0 && hood->slots[life->slot].car >= 0) {
        found_taken(player, number);
    }
    if (life->slot >= 0 && hood->slots[life->slot].car < 0) {
        hood->slots[life->slot].car = trip->car;
        hood->cars[trip->car].slot = life->slot;
        demo_sensor_says(player, life->slot, false);
    }
    life->state = DEMO_PARKED;
    life->away = false;
    plan_leaving(player, number);
}

static void go(struct demo_player *player, int number)
{
    struct demo_life *life = &player->life[number];
    const struct demo_trip *trip = &player->plan->trips[number];
    struct demo_car *car = &player->hood->cars[trip->car];
    if (life->state != DEMO_PARKED) {
        return;
    }
    int zone = life->zone;
    if (car->slot >= 0) {
        zone = player->hood->slots[car->slot].zone;
        int slot = car->slot;
        player->hood->slots[slot].car = -1;
        car->slot = -1;
        demo_sensor_says(player, slot, false);
    }
    if (books(trip) && life->state == DEMO_PARKED && life->booking != 0 && !life->overstays &&
        demo_now_min(player) > life->until_min + 15) {
        life->overstays = true;
        player->tally->overstayed++;
    }
    if (books(trip) && life->booking == 0) {
        life->slot = -1; /* the night before; today's place is still to be found */
    }
    int lane = demo_gate_lane(player, zone, false);
    if (player->hood->zones[zone].hand || lane < 0) {
        if (books(trip) && life->booking != 0) {
            demo_ask_leave(player, number);
        }
        life->state = DEMO_GONE;
        life->away = trip->kind == DEMO_OWNER;
        return;
    }
    life->state = DEMO_LEAVING;
    demo_gate_queue(player, lane, number);
}

/* ---- dispatch ------------------------------------------------------------------------------ */

void demo_act(struct demo_player *player, const struct demo_act *act)
{
    struct demo_life *life = &player->life[act->who];
    switch ((enum demo_act_kind)act->what) {
    case DEMO_ACT_BOOK:
        player->tally->wishes++;
        demo_ask_book(player, act->who);
        break;
    case DEMO_ACT_CANCEL:
        if (life->state == DEMO_PROMISED) {
            demo_ask_cancel(player, act->who);
        }
        break;
    case DEMO_ACT_EXTEND:
        if (life->state == DEMO_PARKED) {
            demo_ask_extend(player, act->who);
        }
        break;
    case DEMO_ACT_RECALL:
        if (life->away) {
            demo_ask_recall(player, act->who);
        }
        break;
    case DEMO_ACT_DRIVE:
        drive(player, act->who);
        break;
    case DEMO_ACT_PARK:
        park(player, act->who);
        break;
    case DEMO_ACT_GO:
        go(player, act->who);
        break;
    case DEMO_ACT_HEARTBEAT:
        demo_sensor_says(player, act->who, true);
        demo_plan_act(player, demo_now_min(player) + HEARTBEAT_MIN, DEMO_ACT_HEARTBEAT, act->who);
        break;
    }
}
