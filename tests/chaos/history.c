/* history.c - a few clients compete for a few slots; who asked when, and who was told what when.
 *
 *     order:  history FILE OPS CLIENTS ZONES SLOTS PREFIX PARTY PARTIES
 *             zones are called PREFIX0 …, have SLOTS slots each; parties are h{PARTY} …
 *     file:   slots SLOTS units UNITS
 *             client call return kind zone booking from until code why id      (a line a operation)
 *
 * Times are microseconds of one clock; a return of -1 says that no answer was waited for: it may
 * have been done or not, at once or later. Spans are half hours of one afternoon and lie more than
 * a day ahead, so that the present moment decides nothing (seat.c: a gap counts up to a day).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/swarm.h"

#define UNITS 24
#define FIRST_UNIT (2 * 48 + 12) /* of work.c: two days after day0, 06:00 */
#define STAY_MAX 6

struct op {
    uint32_t client, zone, booking, from, until, id;
    enum ask_kind kind;
    int64_t call_us, return_us;
    char code[16], why[20];
};

struct promise {
    uint32_t id, zone, from, until;
};

struct history {
    char path[512], prefix[32];
    uint32_t ops, clients, zones, slots, party, parties;
    uint32_t begun, under_way, live_count;
    struct op *op;
    struct promise *live; /* as far as anybody was told */
};

/* Takes the order's words into *h; false when one is missing. */
static bool read_order(struct history *h, char *words)
{
    uint32_t *const numbers[] = {&h->ops,   &h->clients, &h->zones,
                                 &h->slots, &h->party,   &h->parties};
    char *rest = words;
    for (unsigned i = 0, n = 0; i < 8; i++) {
        const char *word = rest != NULL ? strtok_r(i == 0 ? words : NULL, " ", &rest) : NULL;
        if (word == NULL)
            return false;
        if (i == 0)
            (void)snprintf(h->path, sizeof h->path, "%s", word);
        else if (i == 5)
            (void)snprintf(h->prefix, sizeof h->prefix, "%s", word);
        else
            *numbers[n++] = (uint32_t)strtoul(word, NULL, 10);
    }
    return h->ops > 0;
}

int history_begin(struct swarm *swarm, char *words)
{
    struct history *h = calloc(1, sizeof *h);
    if (h == NULL || words == NULL || !read_order(h, words)) {
        free(h);
        return -1;
    }
    h->op = calloc(h->ops, sizeof *h->op);
    h->live = calloc(h->ops, sizeof *h->live);
    if (h->op == NULL || h->live == NULL)
        abort();
    swarm->think_ms = 0;
    swarm->history = h;
    return 0;
}

bool history_over(const struct swarm *swarm)
{
    return swarm->history == NULL ||
           (swarm->history->begun == swarm->history->ops && swarm->history->under_way == 0);
}

static void write_quote(struct swarm *swarm, struct ask *ask, const char *zone, const struct op *op)
{
    work_book(swarm, ask, zone, FIRST_UNIT + op->from, op->until - op->from, NULL);
    /* The same span without what only a booking has. */
    char *start = strstr(ask->body, "\"zone\""), *end = strstr(ask->body, ",\"visitor\"");
    char tail[BODY_BYTES_MAX];
    (void)snprintf(tail, sizeof tail, "%.*s}", (int)(end - start), start);
    ask->len = (size_t)snprintf(ask->body, sizeof ask->body, "{\"rid\":\"%s\",%s", ask->rid, tail);
}

/* What this operation shall be; bookings that somebody was told of are cancelled and extended. */
static enum ask_kind choose(struct swarm *swarm, struct history *h, struct op *op)
{
    uint32_t toss = (uint32_t)swarm_random(swarm, 100);
    op->zone = (uint32_t)swarm_random(swarm, h->zones);
    op->from = (uint32_t)swarm_random(swarm, UNITS - STAY_MAX);
    op->until = op->from + 1 + (uint32_t)swarm_random(swarm, STAY_MAX);
    if (toss < 50 || h->live_count == 0)
        return ASK_BOOK;
    if (toss < 62)
        return ASK_QUOTE;
    const struct promise *one = &h->live[swarm_random(swarm, h->live_count)];
    op->zone = one->zone;
    op->booking = one->id;
    op->from = one->from;
    op->until = one->from + 1 + (uint32_t)swarm_random(swarm, UNITS - one->from);
    return toss < 85 ? ASK_CANCEL : ASK_EXTEND;
}

void history_turn(struct swarm *swarm, uint32_t client)
{
    struct history *h = swarm->history;
    char zone[48], party[16];
    if (client >= h->clients || h->begun == h->ops)
        return;
    struct op *op = &h->op[h->begun];
    enum ask_kind kind = choose(swarm, h, op);
    struct ask *ask = ask_new(swarm, client, kind, FOR_HISTORY);
    if (ask == NULL)
        return;
    ask->step = h->begun;
    (void)snprintf(zone, sizeof zone, "%s%u", h->prefix, op->zone);
    (void)snprintf(party, sizeof party, "h%u", h->party + h->begun % h->parties);
    if (kind == ASK_BOOK)
        work_book(swarm, ask, zone, FIRST_UNIT + op->from, op->until - op->from, party);
    else if (kind == ASK_QUOTE)
        write_quote(swarm, ask, zone, op);
    else if (kind == ASK_CANCEL)
        work_cancel(ask, swarm, op->booking);
    else
        work_extend(ask, swarm, op->booking, FIRST_UNIT + op->until);
    h->begun++;
    h->under_way++;
    op->client = client;
    op->kind = kind;
    op->return_us = -1;
    op->call_us = swarm_now_us();
    swarm->clients[client].lane = ask_lane(swarm, ask);
    (void)ask_send(swarm, ask);
}

static void forget(struct history *h, uint32_t booking)
{
    for (uint32_t i = 0; i < h->live_count; i++)
        if (h->live[i].id == booking)
            h->live[i] = h->live[--h->live_count];
}

void history_answered(struct swarm *swarm, struct ask *ask, const struct answer *answer)
{
    struct history *h = swarm->history;
    struct op *op = &h->op[ask->step];
    op->return_us = swarm_now_us();
    op->id = answer->id;
    (void)snprintf(op->code, sizeof op->code, "%.15s", answer->code);
    (void)snprintf(op->why, sizeof op->why, "%.19s", answer->why);
    bool ok = strcmp(op->code, "ok") == 0;
    if (op->kind == ASK_QUOTE && ok) {
        const char *at = memmem(answer->body, answer->len, "\"places\":", 9);
        op->id = at != NULL ? (uint32_t)strtoul(at + 9, NULL, 10) : 0;
    }
    if (op->kind == ASK_BOOK && ok)
        h->live[h->live_count++] = (struct promise){op->id, op->zone, op->from, op->until};
    else if (op->kind == ASK_CANCEL)
        forget(h, op->booking);
    h->under_way--;
}

void history_abandon(struct swarm *swarm)
{
    struct history *h = swarm->history;
    for (uint32_t lane = 0; h != NULL && lane < swarm->lane_top; lane++) {
        struct ask *ask = &swarm->asks[lane];
        if (!ask->busy || ask->why != FOR_HISTORY || swarm_random(swarm, 2) == 0)
            continue;
        ask_done(swarm, ask);
        h->under_way--;
    }
}

int history_end(struct swarm *swarm)
{
    struct history *h = swarm->history;
    FILE *file = fopen(h->path, "we");
    if (file == NULL)
        return -1;
    (void)fprintf(file, "slots %u units %d\n", h->slots, UNITS);
    for (uint32_t i = 0; i < h->begun; i++) {
        const struct op *op = &h->op[i];
        bool open = op->return_us < 0;
        (void)fprintf(file, "%u %lld %lld %d %u %u %u %u %s %s %u\n", op->client,
                      (long long)op->call_us, (long long)op->return_us, (int)op->kind, op->zone,
                      op->booking, op->from, op->until, open ? "-" : op->code,
                      op->why[0] != '\0' ? op->why : "-", op->id);
    }
    int written = (int)h->begun;
    bool good = fclose(file) == 0;
    free(h->op);
    free(h->live);
    free(h);
    swarm->history = NULL;
    return good ? written : -1;
}
