/* fuzz_engine.c - a day in text lines, through the codec into a whole engine.
 *
 *    +15                              a quarter of an hour goes by, deadlines run
 *    1 parking.book {"plate":...}     user 1 (the admin) asks; 2 is the gateway, 8 a resident
 *    ! plate {"lane":"G1-in",...}     the gateway saw
 *
 * Properties: the engine never stops; effects can be walked to their last byte; a request ends with
 * exactly one REPLY; what was refused changed nothing; the accounts sum to zero at the end.
 */
#include <string.h>

#include "protocol/codec.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/world.h"

#define LINES_MAX 64

static struct engine *engine;
static tide_ms now_ms;

/* Walks the effects; returns the code of the last REPLY, -1 when there is none. */
static int walk(const struct engine_effects *effects, bool asked)
{
    size_t offset = 0;
    enum engine_verb verb;
    unsigned kind, replies = 0, changes = 0, count = 0;
    int code = -1;
    union tide_any any;
    while (engine_effect_next(effects->buf, effects->len, &offset, &verb, &kind, &any)) {
        count++;
        if (verb == ENGINE_REPLY) {
            replies++;
            code = any.reply.code;
        } else if (verb != ENGINE_ITEM) {
            changes++;
        }
    }
    if (offset != effects->len || count != effects->count)
        fuzz_fail("effects can be walked to their end");
    if (asked && replies != 1)
        fuzz_fail("a request has exactly one reply");
    if (asked && code != TIDE_CODE_ok && changes != 0)
        fuzz_fail("what was refused changed nothing");
    return code;
}

static int step(const struct engine_event *event, bool asked)
{
    static uint8_t buf[TIDE_EFFECTS_BYTES_MAX];
    struct engine_effects effects = {.buf = buf, .cap = sizeof buf};
    if (TIDE_EVENT_IS_ASK(event->kind))
        engine_query(engine, event, &effects);
    else
        engine_step(engine, event, &effects);
    return walk(&effects, asked);
}

static void run_deadlines(void)
{
    for (unsigned rounds = 0; engine_next_deadline(engine) <= now_ms; rounds++) {
        if (rounds > 100000)
            fuzz_fail("deadlines come to an end");
        struct engine_event tick = {.when_ms = now_ms, .kind = TIDE_REC_tick};
        step(&tick, false);
    }
}

static int ask(tide_id user, const char *name, const uint8_t *body, size_t len)
{
    static struct tide_request request;
    struct tide_fault fault;
    const struct tide_op *op = tide_op_find(name);
    if (op == NULL || tide_decode_request(op, body, len, fuzz_names(), 480, &request, &fault) != 0)
        return -1;
    run_deadlines();
    request.event.when_ms = now_ms;
    request.event.user = user;
    return step(&request.event, true);
}

static void see(const char *kind, const uint8_t *body, size_t len)
{
    struct engine_event event;
    struct tide_fault fault;
    memset(&event, 0, sizeof event);
    if (tide_decode_fact(kind, body, len, fuzz_names(), 480, &event, &fault) != 0)
        return;
    run_deadlines();
    event.when_ms = now_ms;
    event.user = fuzz_names()->find(NULL, TIDE_NAME_KIND_user, "gw1", 3);
    step(&event, false);
}

/* One line: returns false when it is none. */
static bool line(const uint8_t *text, size_t len)
{
    char word[33] = "";
    if (len >= 2 && text[0] == '+') {
        for (size_t i = 1; i < len && i < 6; i++)
            if (text[i] >= '0' && text[i] <= '9')
                now_ms += (text[i] - '0') * 5 * TIDE_MINUTE_MS;
        run_deadlines();
        return true;
    }
    const uint8_t *body = len > 2 ? memchr(text + 2, ' ', len - 2) : NULL;
    if (body == NULL || text[1] != ' ' || body - text - 2 >= (ptrdiff_t)sizeof word)
        return false;
    memcpy(word, text + 2, (size_t)(body - text) - 2);
    body++;
    size_t body_len = len - (size_t)(body - text);
    if (text[0] == '!')
        see(word, body, body_len);
    else if (text[0] >= '0' && text[0] <= '9')
        ask((tide_id)(text[0] - '0'), word, body, body_len);
    return true;
}

static void check_balance(void)
{
    const struct tide_account *account = engine_find(engine, TIDE_REC_account, 0, 0, 0);
    int64_t sum = account != NULL ? account->balance_min : 0; /* the pool's */
    uint32_t cursor = 0;
    while ((account = engine_next(engine, TIDE_REC_account, &cursor)) != NULL)
        sum += account->balance_min;
    if (sum != 0)
        fuzz_fail("the accounts sum to zero");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    engine = fuzz_world();
    now_ms = FUZZ_MORNING_MS;
    for (unsigned lines = 0; size > 0 && lines < LINES_MAX; lines++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end == NULL ? size : (size_t)(end - data);
        if (!line(data, len))
            break;
        data += len;
        size -= len;
        if (end != NULL) {
            data++;
            size--;
        }
    }
    check_balance();
    return 0;
}
