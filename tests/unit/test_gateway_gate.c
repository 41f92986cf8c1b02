/* test_gateway_gate.c - a car before the arm, as scenes: what happens when, and the whole of what
 * the gateway does about it, in its own words.
 *
 * Two cameras: 0 looks at lane "in", 1 at lane "out" (which acknowledges no pulse). Plate A is on
 * our own list, plate B is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clients/gateway/gate.h"

#define A "浙FA1234"
#define B "沪B5678"
#define REAL_MS 1753080000000 /* wall clock at scene time 0 */
#define ELAPSED_MS 50000      /* elapsed at scene time 0 */
#define BOOT 3

enum verb { END, UP, DOWN, SEES, REPLAYS, OPEN, DENY, REPLY, TICK, CUT, RESTART };
struct step {
    int at_ms; /* scene time */
    enum verb verb;
    int camera;
    const char *plate;
    /* OPEN, DENY: command, ask (0: by hand; -1: the last one asked), ms from scene time 0 at which
     * it becomes invalid. REPLY: serial, code. */
    int command, ask, valid_ms;
};

struct scene {
    const char *what;
    struct step steps[12];
    const char *story;
};

#define IN 0
#define OUT 1
#define LAST (-1)

#define DO(at, what)                                                                               \
    {                                                                                              \
        .at_ms = (at), .verb = (what)                                                              \
    }
#define LINE_UP(at) DO(at, UP)
#define LINE_DOWN(at) DO(at, DOWN)
#define TICKS(at) DO(at, TICK)
#define CAMERAS_CUT(at) DO(at, CUT)
#define RESTARTS(at) DO(at, RESTART)
#define SEEN(at, which, text)                                                                      \
    {                                                                                              \
        .at_ms = (at), .verb = SEES, .camera = (which), .plate = text                              \
    }
#define REPLAYED(at, which, text)                                                                  \
    {                                                                                              \
        .at_ms = (at), .verb = REPLAYS, .camera = (which), .plate = text                           \
    }
#define ORDER(at, kind, which, text, number, question, until)                                      \
    {                                                                                              \
        .at_ms = (at), .verb = (kind), .camera = (which), .plate = text, .command = (number),      \
        .ask = (question), .valid_ms = (until)                                                     \
    }
#define OPENS(at, which, text, number, question, until)                                            \
    ORDER(at, OPEN, which, text, number, question, until)
#define DENIES(at, which, text, number, question, until)                                           \
    ORDER(at, DENY, which, text, number, question, until)
#define REPLIES(at, which, serial, code)                                                           \
    {                                                                                              \
        .at_ms = (at), .verb = REPLY, .camera = (which), .command = (serial), .ask = (code)        \
    }

/* clang-format off */
static const struct scene scenes[] = {
    {"the daemon opens in time",
     {LINE_UP(0), SEEN(0, IN, A), OPENS(40, IN, A, 7, LAST, 5000), REPLIES(60, IN, 1, 200)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; done 7 done"},
    {"the daemon opens for who is not on our list",
     {LINE_UP(0), SEEN(0, IN, B), OPENS(149, IN, B, 7, LAST, 5000), REPLIES(160, IN, 1, 200)},
     "plate in " B " ask 1; pulse 0 for 4851 ms; opened after 149 ms; done 7 done"},
    {"the daemon denies",
     {LINE_UP(0), SEEN(0, IN, A), DENIES(40, IN, A, 7, LAST, 5000), TICKS(500)},
     "plate in " A " ask 1; denied after 40 ms; done 7 done"},
    {"nobody answers: our list opens",
     {LINE_UP(0), SEEN(0, IN, A), TICKS(149), TICKS(150), TICKS(200)},
     "plate in " A " ask 1; pulse 0 for 5000 ms; opened_here after 150 ms; "
     "report in " A " open ask 1"},
    {"nobody answers: our list does not know him",
     {LINE_UP(0), SEEN(0, IN, B), TICKS(150)},
     "plate in " B " ask 1; denied_here after 150 ms; report in " B " deny ask 1"},
    {"a late command opens nothing",
     {LINE_UP(0), SEEN(0, IN, B), TICKS(150), OPENS(151, IN, B, 7, LAST, 5000)},
     "plate in " B " ask 1; denied_here after 150 ms; report in " B " deny ask 1; late; "
     "done 7 failed"},
    {"a late denial changes nothing either",
     {LINE_UP(0), SEEN(0, IN, A), TICKS(150), DENIES(900, IN, A, 7, LAST, 5000)},
     "plate in " A " ask 1; pulse 0 for 5000 ms; opened_here after 150 ms; "
     "report in " A " open ask 1; late; done 7 failed"},
    {"the same command again: one pulse, two answers",
     {LINE_UP(0),
      SEEN(0, IN, A),
      OPENS(40, IN, A, 7, LAST, 5000),
      REPLIES(60, IN, 1, 200),
      OPENS(3000, IN, A, 7, LAST, 5000)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; done 7 done; done 7 done"},
    {"again while the camera has not answered yet: still one pulse, one answer",
     {LINE_UP(0),
      SEEN(0, IN, A),
      OPENS(40, IN, A, 7, LAST, 5000),
      OPENS(50, IN, A, 7, LAST, 5000),
      REPLIES(60, IN, 1, 200)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; done 7 done"},
    {"the same denial again",
     {LINE_UP(0),
      SEEN(0, IN, A),
      DENIES(40, IN, A, 7, LAST, 5000),
      DENIES(90, IN, A, 7, LAST, 5000)},
     "plate in " A " ask 1; denied after 40 ms; done 7 done; done 7 done"},
    {"the camera is silent",
     {LINE_UP(0), SEEN(0, IN, A), OPENS(40, IN, A, 7, LAST, 5000), TICKS(2039), TICKS(2040)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; camera_silent; "
     "done 7 failed"},
    {"the camera refuses",
     {LINE_UP(0), SEEN(0, IN, A), OPENS(40, IN, A, 7, LAST, 5000), REPLIES(60, IN, 1, 500)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; camera_refused; "
     "done 7 failed"},
    {"another camera's answer is not this one's",
     {LINE_UP(0),
      SEEN(0, IN, A),
      OPENS(40, IN, A, 7, LAST, 5000),
      REPLIES(60, OUT, 1, 200),
      REPLIES(70, IN, 2, 200),
      REPLIES(80, IN, 1, 200)},
     "plate in " A " ask 1; pulse 0 for 4960 ms; opened after 40 ms; done 7 done"},
    {"a lane whose camera acknowledges nothing",
     {LINE_UP(0), SEEN(0, OUT, A), OPENS(40, OUT, A, 7, LAST, 5000), TICKS(3000)},
     "plate out " A " ask 1; pulse 1 for 4960 ms; opened after 40 ms; done 7 done"},
    {"an order is not carried out when its time is over; our list decides",
     {LINE_UP(0), SEEN(0, IN, A), OPENS(100, IN, A, 7, LAST, 100), TICKS(150)},
     "plate in " A " ask 1; expired; done 7 failed; pulse 0 for 5000 ms; "
     "opened_here after 150 ms; report in " A " open ask 1"},
    {"the guard's hand, without a question",
     {LINE_UP(0), OPENS(10, IN, "", 7, 0, 5000), REPLIES(20, IN, 1, 200)},
     "pulse 0 for 4990 ms; opened; done 7 done"},
    {"the guard's hand, too late",
     {LINE_UP(0), OPENS(5000, IN, "", 7, 0, 5000)},
     "expired; done 7 failed"},
    {"a lane that we do not have",
     {LINE_UP(0), OPENS(10, 2, "", 7, 0, 5000)},
     "unknown_lane; done 7 failed"},
    {"a question that we never asked",
     {LINE_UP(0), OPENS(10, IN, A, 7, 99, 5000)},
     "late; done 7 failed"},
    {"an answer to the other lane's question",
     {LINE_UP(0), SEEN(0, IN, A), OPENS(10, OUT, A, 7, LAST, 5000), TICKS(150)},
     "plate in " A " ask 1; late; done 7 failed; pulse 0 for 5000 ms; opened_here after 150 ms; "
     "report in " A " open ask 1"},
    {"no line to the daemon: nobody waits",
     {SEEN(0, IN, A), SEEN(5, IN, B)},
     "plate in " A " ask 1; pulse 0 for 5000 ms; opened_here after 0 ms; "
     "report in " A " open ask 1; plate in " B " ask 2; denied_here after 0 ms; "
     "report in " B " deny ask 2"},
    {"the line breaks while a car waits",
     {LINE_UP(0), SEEN(0, IN, A), LINE_DOWN(30)},
     "plate in " A " ask 1; pulse 0 for 5000 ms; opened_here after 30 ms; "
     "report in " A " open ask 1"},
    {"no line to the camera either: it stays shut, and the report says so",
     {CAMERAS_CUT(0), SEEN(0, IN, A)},
     "plate in " A " ask 1; no pulse 0; denied_here after 0 ms; report in " A " deny ask 1"},
    {"no line to the camera: the order fails at once",
     {LINE_UP(0), CAMERAS_CUT(0), SEEN(0, IN, A), OPENS(40, IN, A, 7, LAST, 5000)},
     "plate in " A " ask 1; no pulse 0; no_camera after 40 ms; done 7 failed"},
    {"who leaves is never held",
     {LINE_UP(0), SEEN(0, OUT, B), TICKS(150)},
     "plate out " B " ask 1; pulse 1 for 5000 ms; opened_here after 150 ms; "
     "report out " B " open ask 1"},
    {"history opens nothing",
     {LINE_UP(0), REPLAYED(0, IN, A), TICKS(500)},
     "plate in " A " replay"},
    {"a car that could not be read: nobody's list has it",
     {LINE_UP(0), SEEN(0, IN, ""), TICKS(150)},
     "plate in  ask 1; denied_here after 150 ms; report in  deny ask 1"},
    {"but it may leave",
     {SEEN(0, OUT, "")},
     "plate out  ask 1; pulse 1 for 5000 ms; opened_here after 0 ms; report out  open ask 1"},
    {"history opens nothing without a line either",
     {REPLAYED(0, OUT, A), TICKS(500)},
     "plate out " A " replay"},
    {"the same car looked at twice is one question",
     {LINE_UP(0), SEEN(0, IN, A), SEEN(20, IN, A), TICKS(150)},
     "plate in " A " ask 1; pulse 0 for 5000 ms; opened_here after 150 ms; "
     "report in " A " open ask 1"},
    {"another plate on the lane: the first one is decided here",
     {LINE_UP(0),
      SEEN(0, IN, B),
      SEEN(20, IN, A),
      OPENS(60, IN, A, 8, LAST, 5000),
      REPLIES(70, IN, 1, 200)},
     "plate in " B " ask 1; denied_here after 20 ms; report in " B " deny ask 1; "
     "plate in " A " ask 2; pulse 0 for 4940 ms; opened after 40 ms; done 8 done"},
    {"two lanes do not disturb each other",
     {LINE_UP(0),
      SEEN(0, IN, B),
      SEEN(10, OUT, A),
      OPENS(20, OUT, A, 8, LAST, 5000),
      TICKS(150)},
     "plate in " B " ask 1; plate out " A " ask 2; pulse 1 for 4980 ms; opened after 10 ms; "
     "done 8 done; denied_here after 150 ms; report in " B " deny ask 1"},
    {"a restart does not pulse again",
     {LINE_UP(0),
      OPENS(10, IN, "", 7, 0, 5000),
      REPLIES(20, IN, 1, 200),
      RESTARTS(900),
      LINE_UP(900),
      OPENS(910, IN, "", 7, 0, 5000)},
     "pulse 0 for 4990 ms; opened; done 7 done; restart; done 7 done"},
    {"nor when it came before the camera's answer",
     {LINE_UP(0),
      OPENS(10, IN, "", 7, 0, 5000),
      RESTARTS(15),
      LINE_UP(15),
      OPENS(910, IN, "", 7, 0, 5000)},
     "pulse 0 for 4990 ms; opened; restart; done 7 failed"},
    {"a restored daemon uses a number again: that is another order",
     {LINE_UP(0),
      OPENS(10, IN, "", 7, 0, 5000),
      REPLIES(20, IN, 1, 200),
      OPENS(90000, IN, "", 7, 0, 95000),
      REPLIES(90010, IN, 2, 200)},
     "pulse 0 for 4990 ms; opened; done 7 done; pulse 0 for 5000 ms; opened; done 7 done"},
    {"an answer to a question of an earlier life",
     {LINE_UP(0),
      SEEN(0, IN, A),
      RESTARTS(10),
      LINE_UP(10),
      SEEN(20, IN, A),
      OPENS(30, IN, A, 7, 1, 5000),
      OPENS(40, IN, A, 8, LAST, 5000),
      REPLIES(50, IN, 1, 200)},
     "plate in " A " ask 1; restart; plate in " A " ask 1; late; done 7 failed; "
     "pulse 0 for 4960 ms; opened after 20 ms; done 8 done"},
};
/* clang-format on */

/* ---- the stage ------------------------------------------------------------------------------ */
struct stage {
    struct gw_gate gate;
    char story[2048];
    size_t used;
    bool cut;
    uint32_t last_ask, boot;
    struct gw_order kept[GW_COMMANDS_MAX];
};

static const struct gw_camera_conf cameras[] = {
    {.device = "cam0", .lane = "in", .dir = 1, .reply = 1},
    {.device = "cam1", .lane = "out", .dir = 2, .reply = 0},
};
static const struct gw_conf conf = {.own = {.answer_ms = 150, .utc_offset_min = 480},
                                    .cameras = (struct gw_camera_conf *)(uintptr_t)cameras,
                                    .camera_count = 2};

__attribute__((format(printf, 2, 3))) static void tell(struct stage *stage, const char *format, ...)
{
    va_list args;
    if (stage->used > 0)
        stage->used +=
            (size_t)snprintf(stage->story + stage->used, sizeof stage->story - stage->used, "; ");
    va_start(args, format);
    stage->used += (size_t)vsnprintf(stage->story + stage->used, sizeof stage->story - stage->used,
                                     format, args);
    va_end(args);
    assert_true(stage->used < sizeof stage->story);
}

static void on_fact(void *arg, enum gw_fact_kind kind, const char *members)
{
    struct stage *stage = arg;
    char whole[1024], lane[16] = "", plate[32] = "", word[16] = "", ask[32] = "";
    int64_t number = 0;
    snprintf(whole, sizeof whole, "{%s}", members);
    cJSON *body = cJSON_Parse(whole);
    if (body == NULL)
        fail_msg("no JSON: %s", whole);
    (void)gw_json_text(body, "lane", lane, sizeof lane);
    (void)gw_json_text(body, "plate", plate, sizeof plate);
    if (gw_json_int(body, "ask", 1, UINT32_MAX, &number)) {
        /* The boot's part of the number is hidden, and checked. */
        assert_int_equal(number >> 20, stage->boot % 4096);
        stage->last_ask = (uint32_t)number;
        snprintf(ask, sizeof ask, " ask %u", (unsigned)number & 0xfffff);
    }
    switch (kind) {
    case GW_FACT_PLATE:
        assert_true(gw_json_flag(body, "replay") == (ask[0] == '\0'));
        tell(stage, "plate %s %s%s", lane, plate, ask[0] != '\0' ? ask : " replay");
        assert_true(gw_json_text(body, "at", word, 3) || gw_json_at(body, "at") != NULL);
        break;
    case GW_FACT_REPORT:
        assert_true(gw_json_text(body, "decision", word, sizeof word));
        tell(stage, "report %s %s %s%s", lane, plate, word, ask);
        break;
    case GW_FACT_DONE:
        assert_true(gw_json_int(body, "command", 1, UINT32_MAX, &number));
        assert_true(gw_json_text(body, "state", word, sizeof word));
        tell(stage, "done %d %s", (int)number, word);
        break;
    default:
        fail();
    }
    cJSON_Delete(body);
}

static bool on_pulse(void *arg, unsigned camera, uint32_t serial, int64_t valid_ms)
{
    struct stage *stage = arg;
    (void)serial;
    if (stage->cut)
        tell(stage, "no pulse %u", camera);
    else
        tell(stage, "pulse %u for %lld ms", camera, (long long)valid_ms);
    return !stage->cut;
}

static bool on_may_pass(void *arg, const char *plate)
{
    (void)arg;
    return strcmp(plate, A) == 0;
}

static void on_remember(void *arg, unsigned slot, const struct gw_order *order)
{
    struct stage *stage = arg;
    stage->kept[slot] = *order;
}

static void on_tell(void *arg, const char *what, unsigned camera, const char *plate,
                    int64_t wait_ms)
{
    (void)camera;
    (void)plate;
    assert_memory_equal(what, "gate.", 5);
    if (wait_ms >= 0)
        tell(arg, "%s after %lld ms", what + 5, (long long)wait_ms);
    else
        tell(arg, "%s", what + 5);
}

static void begin(struct stage *stage)
{
    const struct gw_gate_io io = {stage, on_fact, on_pulse, on_may_pass, on_remember, on_tell};
    gw_gate_begin(&stage->gate, &conf, &io, stage->boot);
    for (unsigned i = 0; i < GW_COMMANDS_MAX; i++)
        gw_gate_recall(&stage->gate, i, &stage->kept[i]);
}

static void command(struct stage *stage, const struct step *step)
{
    static const char *const lanes[] = {"in", "out", "nowhere"};
    struct gw_command order = {.command = (uint32_t)step->command,
                               .ask = step->ask == LAST ? stage->last_ask : (uint32_t)step->ask,
                               .open = step->verb == OPEN,
                               .valid_until_ms = REAL_MS + step->valid_ms};
    snprintf(order.lane, sizeof order.lane, "%s", lanes[step->camera]);
    snprintf(order.plate, sizeof order.plate, "%s", step->plate);
    gw_gate_command(&stage->gate, &order, ELAPSED_MS + step->at_ms, REAL_MS + step->at_ms);
}

static void act(struct stage *stage, const struct step *step)
{
    int64_t now_ms = ELAPSED_MS + step->at_ms;
    switch (step->verb) {
    case UP:
    case DOWN:
        gw_gate_state(&stage->gate, step->verb == UP, now_ms);
        break;
    case SEES:
    case REPLAYS:
        gw_gate_plate(&stage->gate, (unsigned)step->camera, step->plate, REAL_MS,
                      step->verb == REPLAYS, now_ms);
        break;
    case OPEN:
    case DENY:
        command(stage, step);
        break;
    case REPLY:
        gw_gate_reply(&stage->gate, (unsigned)step->camera, (uint32_t)step->command, step->ask);
        break;
    case TICK:
        gw_gate_tick(&stage->gate, now_ms);
        break;
    case CUT:
        stage->cut = true;
        break;
    case RESTART:
        tell(stage, "restart");
        stage->boot++;
        begin(stage);
        break;
    case END:
        break;
    }
}

static void every_scene_ends_as_told(void **state)
{
    static struct stage stage;
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        stage = (struct stage){.boot = BOOT};
        begin(&stage);
        for (const struct step *step = scenes[i].steps; step->verb != END; step++)
            act(&stage, step);
        if (strcmp(stage.story, scenes[i].story) != 0)
            fail_msg("%s:\n expected %s\n seen     %s", scenes[i].what, scenes[i].story,
                     stage.story);
    }
}

/* The next tick is never after what is due, and there is none when nothing is. */
static void the_clock_is_asked_for(void **state)
{
    static struct stage stage;
    (void)state;
    stage = (struct stage){.boot = BOOT};
    begin(&stage);
    assert_true(gw_gate_due(&stage.gate) == INT64_MAX);
    act(&stage, &(struct step)LINE_UP(0));
    act(&stage, &(struct step)SEEN(10, IN, A));
    assert_int_equal(gw_gate_due(&stage.gate), ELAPSED_MS + 160);
    act(&stage, &(struct step)OPENS(20, IN, A, 7, LAST, 5000));
    assert_int_equal(gw_gate_due(&stage.gate), ELAPSED_MS + 20 + GW_REPLY_MS);
    act(&stage, &(struct step)REPLIES(30, IN, 1, 200));
    assert_true(gw_gate_due(&stage.gate) == INT64_MAX);
}

/* More commands and questions than are remembered: nothing breaks, nothing is asked twice. */
static void the_rings_go_round(void **state)
{
    static struct stage stage;
    (void)state;
    stage = (struct stage){.boot = BOOT};
    begin(&stage);
    act(&stage, &(struct step)LINE_UP(0));
    for (int i = 0; i < 3 * GW_COMMANDS_MAX; i++) {
        stage.used = 0;
        act(&stage, &(struct step)SEEN(i, OUT, i % 2 ? A : B));
        act(&stage, &(struct step)OPENS(i, OUT, i % 2 ? A : B, 100 + i, LAST, i + 5000));
        char tail[32];
        snprintf(tail, sizeof tail, "done %d done", 100 + i);
        assert_string_equal(stage.story + stage.used - strlen(tail), tail);
    }
    assert_int_equal(stage.last_ask & 0xfffff, 3 * GW_COMMANDS_MAX);
    assert_true(gw_gate_due(&stage.gate) == INT64_MAX);
    stage.used = 0;
    act(&stage, &(struct step)OPENS(9999, OUT, A, 100 + 3 * GW_COMMANDS_MAX, LAST, 14999));
    assert_string_equal(stage.story, "late; done 868 failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scene_ends_as_told),
        cmocka_unit_test(the_clock_is_asked_for),
        cmocka_unit_test(the_rings_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
