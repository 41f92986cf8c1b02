/* gates.c - the cars before the arms, and the devices that see them.
 *
 * A camera sees one car at a time: each lane has a queue, and the next plate is read when the car
 * before is through or has turned round. What opens is seen at the camera: gpio_out. A refusal has
 * no message there; the guard sees it in the gate's log, and that is where it is looked for. Where
 * the guard then opens, the car stays before the arm until it has lifted.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "deploy/demo/devices.h"
#include "deploy/demo/player.h"

#define LOG_AFTER_US 160000 /* the gateway's own list has decided by then */
#define LOG_AGAIN_US 200000
#define SILENCE_US 2500000
#define HAND_US 3000000
#define ALIVE_EVERY_US 350000
#define TEXT_CAP 2048

int demo_gate_lane(struct demo_player *player, int zone, bool in)
{
    const struct demo_hood *hood = player->hood;
    int found[DEMO_LANES_MAX], count = 0;
    for (int lane = 0; lane < (int)hood->lane_count; lane++) {
        bool fits = in ? hood->lanes[lane].in : hood->lanes[lane].out;
        if (fits && strcmp(hood->lanes[lane].place, hood->zones[zone].place) == 0) {
            found[count++] = lane;
        }
    }
    return count == 0 ? -1 : found[demo_dice_below(&player->dice, count)];
}

static void read_plate(struct demo_player *player, int lane)
{
    struct demo_gate *gate = &player->gate[lane];
    const struct demo_trip *trip = &player->plan->trips[gate->queue[0]];
    const struct demo_car *car = &player->hood->cars[trip->car];
    char topic[128], text[TEXT_CAP];
    (void)snprintf(gate->plate, sizeof(gate->plate), "%s", car->plate);
    if (trip->misread && demo_plate_misread(car->plate, gate->plate, sizeof(gate->plate))) {
        player->tally->plates_misread++;
    }
    gate->asked = true;
    gate->asked_min = (int)demo_now_min(player);
    if (demo_say_plate(topic, sizeof(topic), text, sizeof(text), lane, gate->plate, ++gate->plates,
                       demo_now_ms(player)) == 0) {
        return;
    }
    player->tally->plates_read++;
    gate->asked_us = demo_elapsed_us();
    (void)demo_links_field(player->links, topic, text);
}

void demo_gate_queue(struct demo_player *player, int lane, int trip)
{
    struct demo_gate *gate = &player->gate[lane];
    if (gate->count == DEMO_QUEUE_MAX) {
        return; /* turned round */
    }
    gate->queue[gate->count++] = trip;
    if (!gate->asked) {
        read_plate(player, lane);
    }
}

/* The first car is through or away; the next one moves up. */
static void answered(struct demo_player *player, int lane, bool opened)
{
    struct demo_gate *gate = &player->gate[lane];
    int trip = gate->queue[0];
    gate->count--;
    memmove(gate->queue, gate->queue + 1, (size_t)gate->count * sizeof(gate->queue[0]));
    gate->asked = gate->handed = false;
    demo_passed(player, trip, lane, opened);
    if (gate->count > 0 && !gate->asked) {
        read_plate(player, lane);
    }
}

static void acknowledge(struct demo_player *player, int lane, const char *name, const char *json)
{
    cJSON *message = cJSON_Parse(json);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(message, "id");
    char topic[128], text[TEXT_CAP];
    if (cJSON_IsString(id) && demo_say_done(topic, sizeof(topic), text, sizeof(text), lane, name,
                                            id->valuestring, demo_now_ms(player)) > 0) {
        (void)demo_links_field(player->links, topic, text);
    }
    cJSON_Delete(message);
}

void demo_on_field(struct demo_player *player, const struct demo_news *news)
{
    char name[32];
    int lane = demo_heard_lane(news->topic, name, sizeof(name));
    if (lane < 0 || lane >= (int)player->hood->lane_count) {
        return; /* our own sign of life */
    }
    struct demo_gate *gate = &player->gate[lane];
    if (strcmp(name, "gpio_out") == 0 && gate->asked) {
        if (!gate->handed) {
            player->tally->opened++;
            demo_tally_latency(player->tally, news->at_us - gate->asked_us);
        }
        acknowledge(player, lane, name, news->json);
        answered(player, lane, true);
    } else {
        gate->listed += strcmp(name, "white_list_operator") == 0;
        acknowledge(player, lane, name, news->json);
    }
}

static void denied(struct demo_player *player, int lane, const char *why)
{
    struct demo_gate *gate = &player->gate[lane];
    player->tally->denied++;
    gate->handed = demo_denied(player, gate->queue[0], lane, why);
    gate->asked_us = demo_elapsed_us();
    if (!gate->handed) {
        answered(player, lane, false);
    }
}

void demo_gate_logged(struct demo_player *player, int lane, const char *plate, bool deny,
                      const char *why, int minute)
{
    struct demo_gate *gate = &player->gate[lane];
    /* tided's clock and ours are a moment apart, which may lie on two sides of a minute. */
    if (gate->asked && !gate->handed && deny && minute >= gate->asked_min - 1 &&
        strcmp(plate, gate->plate) == 0) {
        denied(player, lane, why);
    }
}

static void lane_turn(struct demo_player *player, int lane, int64_t now_us)
{
    struct demo_gate *gate = &player->gate[lane];
    int64_t waited_us = now_us - gate->asked_us;
    if (!gate->asked) {
        return;
    }
    if (gate->handed && waited_us > HAND_US) {
        answered(player, lane, false);
    } else if (!gate->handed && waited_us > SILENCE_US) {
        player->tally->silent++;
        denied(player, lane, "no answer");
    } else if (!gate->handed && waited_us > LOG_AFTER_US && now_us >= gate->log_due_us) {
        gate->log_due_us = now_us + LOG_AGAIN_US;
        demo_ask_log(player, lane);
    }
}

void demo_gates_turn(struct demo_player *player)
{
    int64_t now_us = demo_elapsed_us();
    for (int lane = 0; lane < (int)player->hood->lane_count; lane++) {
        lane_turn(player, lane, now_us);
    }
    if (now_us >= player->alive_due_us && player->hood->lane_count > 0) {
        char topic[128], text[TEXT_CAP];
        player->alive_due_us = now_us + ALIVE_EVERY_US;
        player->alive_next = (player->alive_next + 1) % (int)player->hood->lane_count;
        if (demo_say_alive(topic, sizeof(topic), text, sizeof(text), player->alive_next,
                           demo_now_ms(player)) > 0) {
            (void)demo_links_field(player->links, topic, text);
        }
    }
}

void demo_sensor_says(struct demo_player *player, int slot, bool heartbeat)
{
    const struct demo_slot *at = &player->hood->slots[slot];
    char topic[128], text[TEXT_CAP];
    if (!at->sensed ||
        demo_say_slot(topic, sizeof(topic), text, sizeof(text), slot, at->car >= 0, heartbeat,
                      ++player->uplinks[slot], demo_now_ms(player)) == 0) {
        return;
    }
    player->tally->sensor_messages++;
    (void)demo_links_field(player->links, topic, text);
}
