/* judge.c - one case a line on stdin, one verdict a line on stdout: the real decoders alone.
 *
 *   R op hex          a request       ok | code path
 *   F kind hex        a fact          ok | code path
 *   E user op hex     a request, decided by an engine on a Monday at 06:00       code why
 *   S model event hex a sensor        pass | malformed | nojson | kind occupied distance ...
 *   C topic hex       a camera        pass | malformed | nojson | kind plate ms
 *
 * "-" stands for what is empty. The names that are known are those of tests/fuzz/support.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/decoder.h"
#include "protocol/codec.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/world.h"

static uint8_t *body;
static size_t body_len;

static int digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes in memory of exactly their size, so that a sanitizer sees one too many. */
static void take_hex(const char *hex)
{
    size_t len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    free(body);
    body = malloc(len > 0 ? len : 1);
    if (body == NULL)
        fuzz_fail("there is memory");
    for (size_t i = 0; i < len; i++)
        body[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    body_len = len;
}

static const char *or_dash(const char *text)
{
    return text == NULL || text[0] == '\0' ? "-" : text;
}

static void say_fault(const struct tide_fault *fault)
{
    printf("%s %s\n", tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), fault->code),
           or_dash(fault->path));
}

static struct tide_request request;

static bool decode(const char *name)
{
    struct tide_fault fault = {.path = ""};
    const struct tide_op *op = tide_op_find(name);
    fuzz_names_reset();
    if (op == NULL) {
        puts("unknown_op -");
        return false;
    }
    if (tide_decode_request(op, body, body_len, fuzz_names(), 480, &request, &fault) != 0) {
        say_fault(&fault);
        return false;
    }
    return true;
}

static void judge_fact(const char *kind)
{
    struct engine_event event;
    struct tide_fault fault = {.path = ""};
    fuzz_names_reset();
    if (tide_decode_fact(kind, body, body_len, fuzz_names(), 480, &event, &fault) != 0)
        say_fault(&fault);
    else
        puts("ok");
}

static void judge_decided(const char *user, const char *op)
{
    static uint8_t buf[TIDE_EFFECTS_BYTES_MAX];
    struct engine_effects effects = {.buf = buf, .cap = sizeof buf};
    struct engine *engine = fuzz_world();
    if (!decode(op))
        return;
    request.event.when_ms = FUZZ_MORNING_MS;
    request.event.user = (tide_id)(user[0] - '0');
    if (TIDE_EVENT_IS_ASK(request.event.kind))
        engine_query(engine, &request.event, &effects);
    else
        engine_step(engine, &request.event, &effects);
    size_t offset = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    while (engine_effect_next(buf, effects.len, &offset, &verb, &kind, &any))
        if (verb == ENGINE_REPLY) {
            const char *why = tide_enum_name(TIDE_ENUM_FIELD_TYPE(why), any.reply.why);
            printf("%s %s\n", tide_enum_name(TIDE_ENUM_FIELD_TYPE(code), any.reply.code),
                   any.reply.why == 0 ? "-" : or_dash(why));
            return;
        }
    puts("silent -");
}

static const char *const kinds[] = {"change", "heartbeat", "start", "status",
                                    "tamper", "plate",     "gate",  "alive"};

static void say_verdict(enum gw_verdict verdict, const struct gw_event *event)
{
    char plate[GW_PLATE_CAP] = "";
    if (verdict != GW_DECODED) {
        puts(verdict == GW_MALFORMED ? "malformed" : "pass");
        return;
    }
    if (tide_plate_normalise(event->plate, strlen(event->plate), plate, sizeof plate) < 0)
        plate[0] = '\0';
    printf("%s occupied=%d distance=%d battery=%d mv=%d temp=%d seq=%u ms=%lld plate=%s "
           "replay=%d differs=%d\n",
           kinds[event->kind], event->occupied, event->distance_mm, event->battery_pct,
           event->battery_mv, event->temperature_dc, event->seq, (long long)event->device_ms,
           or_dash(plate), event->replay, event->identity_differs);
}

static void judge_device(const char *first, const char *name, const struct gw_model *model)
{
    struct gw_vz_topic topic = {.sn = ""};
    struct gw_event event = gw_event_none();
    if (model == NULL && (gw_vz_topic(first, &topic) != 0 || topic.reply)) {
        puts("notopic");
        return;
    }
    snprintf(event.device, sizeof event.device, "%s",
             model != NULL ? "0004a30b001c0530" : topic.sn);
    cJSON *parsed = fuzz_slim(body, body_len);
    if (parsed == NULL) {
        puts("nojson");
        return;
    }
    say_verdict(model != NULL ? gw_chirpstack_decode(name, parsed, model, &event)
                              : gw_vz_decode(topic.name, parsed, &event),
                &event);
    cJSON_Delete(parsed);
}

static bool judge_line(char *line)
{
    char *word[4] = {NULL}, *rest = NULL;
    size_t count = 0;
    for (char *at = strtok_r(line, " \n", &rest); at != NULL && count < 4;
         at = strtok_r(NULL, " \n", &rest))
        word[count++] = at;
    if (count < 3)
        return false;
    take_hex(word[count - 1]);
    if (word[0][0] == 'R') {
        if (decode(word[1]))
            puts("ok");
    } else if (word[0][0] == 'F') {
        judge_fact(word[1]);
    } else if (word[0][0] == 'E' && count == 4) {
        judge_decided(word[1], word[2]);
    } else if (word[0][0] == 'S' && count == 4 && gw_model_named(word[1]) != NULL) {
        judge_device(NULL, word[2], gw_model_named(word[1]));
    } else if (word[0][0] == 'C') {
        judge_device(word[1], NULL, NULL);
    } else {
        return false;
    }
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0)
        if (!judge_line(line)) {
            fputs("judge: a line that is no case\n", stderr);
            return 2;
        }
    free(line);
    free(body);
    return 0;
}
