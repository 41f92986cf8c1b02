/* gate.c - see gate.h. Two rings: questions by their ask, orders by their command. */
#include "clients/gateway/gate.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/codec.h"

static const char *const directions[] = {"both", "in", "out"};
#define DIR_OUT 2
#define SAME_ORDER_MS 60000

void gw_gate_begin(struct gw_gate *gate, const struct gw_conf *conf, const struct gw_gate_io *io,
                   uint32_t boot)
{
    *gate = (struct gw_gate){.conf = conf, .io = *io};
    /* A question of an earlier life must not be taken for one of ours. */
    gate->ask_base = boot % 4096 << 20;
    for (size_t i = 0; i < GW_CAMERAS_MAX; i++)
        gate->open_ask[i] = -1;
}

void gw_gate_recall(struct gw_gate *gate, unsigned slot, const struct gw_order *order)
{
    if (slot >= GW_COMMANDS_MAX || order->command == 0)
        return;
    struct gw_order *place = &gate->orders[slot];
    *place = (struct gw_order){.command = order->command,
                               .ask = order->ask,
                               .valid_until_ms = order->valid_until_ms,
                               .state = order->state};
    /* A pulse whose acknowledgement we did not live to see: it is not repeated. */
    if (order->state == GW_ORDER_PULSED)
        place->state = GW_ORDER_FAILED;
    if (order->command >= gate->recalled) {
        gate->recalled = order->command;
        gate->order_next = (slot + 1) % GW_COMMANDS_MAX;
    }
}

/* ---- facts ---------------------------------------------------------------------------------- */
struct members {
    char text[768];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct members *members, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(members->text + members->used, sizeof members->text - members->used, format,
                      args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof members->text - members->used);
    members->used += (size_t)n;
}

static void add_lane_plate(struct members *members, const struct gw_gate *gate, unsigned camera,
                           const char *plate)
{
    char lane[2 * GW_NAME_CAP + 2], quoted[2 * GW_PLATE_CAP + 2];
    const struct gw_camera_conf *conf = &gate->conf->cameras[camera];
    size_t n = gw_json_quote(lane, sizeof lane, conf->lane);
    size_t m = gw_json_quote(quoted, sizeof quoted, plate);
    assert(n > 0 && m > 0); /* names and plates hold nothing that grows */
    add(members, "\"lane\":%s,\"plate\":%s", lane, quoted);
    if (conf->dir != 0)
        add(members, ",\"dir\":\"%s\"", directions[conf->dir]);
}

static void add_at(struct members *members, const struct gw_gate *gate, int64_t at_ms)
{
    char text[48];
    if (at_ms > 0 &&
        tide_time_format(text, sizeof text, at_ms, (int)gate->conf->own.utc_offset_min) > 0)
        add(members, ",\"at\":\"%s\"", text);
}

static void report(const struct gw_gate *gate, const struct gw_ask *ask, bool open)
{
    struct members members = {.used = 0};
    add_lane_plate(&members, gate, ask->camera, ask->plate);
    add(&members, ",\"decision\":\"%s\"", open ? "open" : "deny");
    add_at(&members, gate, ask->device_ms);
    add(&members, ",\"ask\":%u", ask->ask);
    gate->io.fact(gate->io.arg, GW_FACT_REPORT, members.text);
}

static void done(const struct gw_gate *gate, uint32_t command, bool good)
{
    char members[64];
    snprintf(members, sizeof members, "\"command\":%u,\"state\":\"%s\"", command,
             good ? "done" : "failed");
    gate->io.fact(gate->io.arg, GW_FACT_DONE, members);
}

/* ---- orders --------------------------------------------------------------------------------- */
static void set_order(struct gw_gate *gate, struct gw_order *order, enum gw_order_state state)
{
    order->state = (uint8_t)state;
    gate->io.remember(gate->io.arg, (unsigned)(order - gate->orders), order);
}

static struct gw_order *new_order(struct gw_gate *gate, const struct gw_command *command,
                                  unsigned camera)
{
    struct gw_order *order = &gate->orders[gate->order_next];
    gate->order_next = (gate->order_next + 1) % GW_COMMANDS_MAX;
    if (order->state == GW_ORDER_PULSED) /* pushed out by 256 others within 2 s */
        done(gate, order->command, false);
    *order = (struct gw_order){.command = command->command,
                               .ask = command->ask,
                               .valid_until_ms = command->valid_until_ms,
                               .camera = (uint8_t)camera};
    return order;
}

/* The same order, not another one under its number: a daemon that was restored counts anew. */
static struct gw_order *find_order(struct gw_gate *gate, const struct gw_command *command)
{
    for (size_t i = 0; i < GW_COMMANDS_MAX; i++) {
        struct gw_order *order = &gate->orders[i];
        int64_t apart_ms = order->valid_until_ms - command->valid_until_ms;
        if (order->state != GW_ORDER_NONE && order->command == command->command &&
            order->ask == command->ask && apart_ms < SAME_ORDER_MS && apart_ms > -SAME_ORDER_MS)
            return order;
    }
    return NULL;
}

static void finish_order(struct gw_gate *gate, struct gw_order *order, bool good)
{
    set_order(gate, order, good ? GW_ORDER_DONE : GW_ORDER_FAILED);
    done(gate, order->command, good);
}

/* ---- questions ------------------------------------------------------------------------------ */
static struct gw_ask *find_ask(struct gw_gate *gate, uint32_t ask)
{
    for (size_t i = 0; i < GW_ASKS_MAX; i++)
        if (gate->asks[i].state != GW_ASK_NONE && gate->asks[i].ask == ask)
            return &gate->asks[i];
    return NULL;
}

static void close_ask(struct gw_gate *gate, struct gw_ask *ask, enum gw_ask_state state)
{
    assert(ask->state == GW_ASK_OPEN && gate->open_ask[ask->camera] == (int)(ask - gate->asks));
    ask->state = (uint8_t)state;
    gate->open_ask[ask->camera] = -1;
}

static int64_t waited(const struct gw_gate *gate, const struct gw_ask *ask, int64_t now_ms)
{
    return now_ms - (ask->due_ms - gate->conf->own.answer_ms);
}

static void decide_here(struct gw_gate *gate, struct gw_ask *ask, int64_t now_ms)
{
    const struct gw_camera_conf *camera = &gate->conf->cameras[ask->camera];
    bool open = camera->dir == DIR_OUT || gate->io.may_pass(gate->io.arg, ask->plate);
    close_ask(gate, ask, GW_ASK_LOCAL);
    if (open)
        open = gate->io.pulse(gate->io.arg, ask->camera, ++gate->serial, TIDE_GATE_PULSE_VALID_MS);
    gate->io.tell(gate->io.arg, open ? "gate.opened_here" : "gate.denied_here", ask->camera,
                  ask->plate, waited(gate, ask, now_ms));
    report(gate, ask, open);
}

static void tell_plate(const struct gw_gate *gate, const struct gw_ask *ask, bool replay)
{
    struct members members = {.used = 0};
    add_lane_plate(&members, gate, ask->camera, ask->plate);
    add_at(&members, gate, ask->device_ms);
    if (replay)
        add(&members, ",\"replay\":true");
    else
        add(&members, ",\"ask\":%u", ask->ask);
    gate->io.fact(gate->io.arg, GW_FACT_PLATE, members.text);
}

void gw_gate_plate(struct gw_gate *gate, unsigned camera, const char *plate, int64_t at_ms,
                   bool replay, int64_t received_ms)
{
    struct gw_ask ask = {.camera = (uint8_t)camera,
                         .state = GW_ASK_OPEN,
                         .device_ms = at_ms,
                         .due_ms = received_ms + gate->conf->own.answer_ms};
    assert(camera < gate->conf->camera_count);
    snprintf(ask.plate, sizeof ask.plate, "%s", plate);
    if (replay) {
        tell_plate(gate, &ask, true);
        return;
    }
    int open = gate->open_ask[camera];
    if (open >= 0) {
        struct gw_ask *before = &gate->asks[open];
        if (strcmp(before->plate, plate) == 0)
            return; /* the same car, looked at twice */
        decide_here(gate, before, received_ms);
    }
    ask.ask = gate->ask_base | (++gate->ask_count & 0xfffff);
    if (ask.ask == gate->ask_base)
        ask.ask = gate->ask_base | (++gate->ask_count & 0xfffff);
    struct gw_ask *place = &gate->asks[gate->ask_next];
    if (place->state == GW_ASK_OPEN)
        decide_here(gate, place, received_ms);
    *place = ask;
    gate->open_ask[camera] = (int)gate->ask_next;
    gate->ask_next = (gate->ask_next + 1) % GW_ASKS_MAX;
    tell_plate(gate, place, false);
    if (!gate->up)
        decide_here(gate, place, received_ms);
}

/* ---- commands ------------------------------------------------------------------------------- */
/* Known already: the answer is given again, the arm is left alone. */
static bool was_known(struct gw_gate *gate, const struct gw_command *command)
{
    const struct gw_order *known = find_order(gate, command);
    if (known == NULL)
        return false;
    if (known->state != GW_ORDER_PULSED)
        done(gate, command->command, known->state == GW_ORDER_DONE);
    return true;
}

static void carry_out(struct gw_gate *gate, const struct gw_command *command, unsigned camera,
                      int64_t now_ms, int64_t real_ms, int64_t wait_ms)
{
    struct gw_order *order = new_order(gate, command, camera);
    order->serial = ++gate->serial;
    order->due_ms = now_ms + GW_REPLY_MS;
    set_order(gate, order, GW_ORDER_PULSED); /* kept before the arm moves */
    if (!gate->io.pulse(gate->io.arg, camera, order->serial, command->valid_until_ms - real_ms)) {
        gate->io.tell(gate->io.arg, "gate.no_camera", camera, command->plate, wait_ms);
        finish_order(gate, order, false);
        return;
    }
    gate->io.tell(gate->io.arg, "gate.opened", camera, command->plate, wait_ms);
    if (!gate->conf->cameras[camera].reply)
        finish_order(gate, order, true);
}

static void refuse(struct gw_gate *gate, const struct gw_command *command, unsigned camera,
                   const char *why)
{
    gate->io.tell(gate->io.arg, why, camera, command->plate, -1);
    finish_order(gate, new_order(gate, command, camera), false);
}

void gw_gate_command(struct gw_gate *gate, const struct gw_command *command, int64_t now_ms,
                     int64_t real_ms)
{
    struct gw_ask *ask = command->ask != 0 ? find_ask(gate, command->ask) : NULL;
    int camera = gw_conf_lane(gate->conf, command->lane);
    int64_t wait_ms = ask != NULL ? waited(gate, ask, now_ms) : -1;
    if (was_known(gate, command))
        return;
    if (camera < 0) {
        refuse(gate, command, 0, "gate.unknown_lane");
        return;
    }
    if (command->ask != 0 && (ask == NULL || ask->state != GW_ASK_OPEN || ask->camera != camera)) {
        refuse(gate, command, (unsigned)camera, "gate.late");
        return;
    }
    if (command->open && real_ms >= command->valid_until_ms) {
        /* An open question stays open: our own list decides when its time is over. */
        refuse(gate, command, (unsigned)camera, "gate.expired");
        return;
    }
    if (ask != NULL)
        close_ask(gate, ask, GW_ASK_ANSWERED);
    if (command->open) {
        carry_out(gate, command, (unsigned)camera, now_ms, real_ms, wait_ms);
        return;
    }
    gate->io.tell(gate->io.arg, "gate.denied", (unsigned)camera, command->plate, wait_ms);
    finish_order(gate, new_order(gate, command, (unsigned)camera), true);
}

void gw_gate_reply(struct gw_gate *gate, unsigned camera, uint32_t serial, int code)
{
    for (size_t i = 0; i < GW_COMMANDS_MAX; i++) {
        struct gw_order *order = &gate->orders[i];
        if (order->state != GW_ORDER_PULSED || order->serial != serial || order->camera != camera)
            continue;
        if (code != 200)
            gate->io.tell(gate->io.arg, "gate.camera_refused", order->camera, "", -1);
        finish_order(gate, order, code == 200);
        return;
    }
}

/* ---- time ----------------------------------------------------------------------------------- */
void gw_gate_state(struct gw_gate *gate, bool up, int64_t now_ms)
{
    gate->up = up;
    for (size_t i = 0; !up && i < gate->conf->camera_count; i++)
        if (gate->open_ask[i] >= 0)
            decide_here(gate, &gate->asks[gate->open_ask[i]], now_ms);
}

void gw_gate_tick(struct gw_gate *gate, int64_t now_ms)
{
    for (size_t i = 0; i < gate->conf->camera_count; i++) {
        int open = gate->open_ask[i];
        if (open >= 0 && gate->asks[open].due_ms <= now_ms)
            decide_here(gate, &gate->asks[open], now_ms);
    }
    for (size_t i = 0; i < GW_COMMANDS_MAX; i++) {
        struct gw_order *order = &gate->orders[i];
        if (order->state != GW_ORDER_PULSED || order->due_ms > now_ms)
            continue;
        gate->io.tell(gate->io.arg, "gate.camera_silent", order->camera, "", -1);
        finish_order(gate, order, false);
    }
}

int64_t gw_gate_due(const struct gw_gate *gate)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < gate->conf->camera_count; i++)
        if (gate->open_ask[i] >= 0 && gate->asks[gate->open_ask[i]].due_ms < due)
            due = gate->asks[gate->open_ask[i]].due_ms;
    for (size_t i = 0; i < GW_COMMANDS_MAX; i++)
        if (gate->orders[i].state == GW_ORDER_PULSED && gate->orders[i].due_ms < due)
            due = gate->orders[i].due_ms;
    return due;
}
