/* work.c - what clients ask for, and what an answer means to them.
 *
 * A client keeps a few promises and gives one back from time to time, so that any load goes on for
 * ever. Each booking has a plate of its own: two rows with one plate are one request done twice.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/chaos/swarm.h"

#define UNIT_S 1800
#define UNITS (11 * 48) /* eleven days from day0 on */
#define UNITS_A_STAY 4
#define LIVE_WISHED 3

/* ---- writing -------------------------------------------------------------------------------- */

static void civil(const struct swarm *swarm, uint32_t unit, char out[32])
{
    struct tm t;
    time_t at = (time_t)(swarm->day0_s + (int64_t)unit * UNIT_S + 8 * 3600);
    gmtime_r(&at, &t);
    strftime(out, 32, "%Y-%m-%dT%H:%M+08:00", &t);
}

/* The n-th plate of all: 34 letters and digits, I and O are left out (GA 36-2018). */
static void plate_of(uint64_t n, char out[16])
{
    static const char digits[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    char tail[6] = "00000";
    for (int i = 4; i >= 0; i--, n /= 34)
        tail[i] = digits[n % 34];
    (void)snprintf(out, 16, "浙%c%s", digits[10 + n % 8], tail);
}

void work_book(struct swarm *swarm, struct ask *ask, const char *zone, uint32_t unit,
               uint32_t units, const char *party)
{
    char start[32], end[32], plate[16], on_behalf[64] = "";
    civil(swarm, unit, start);
    civil(swarm, unit + units, end);
    plate_of((uint64_t)strtoul(swarm->run + 1, NULL, 16) * 7919 + ask->n, plate);
    if (party != NULL)
        (void)snprintf(on_behalf, sizeof on_behalf, ",\"for\":\"%s\",\"via\":\"desk\"", party);
    ask->len =
        (size_t)snprintf(ask->body, sizeof ask->body,
                         "{\"rid\":\"%s\",\"expires\":\"%s\",\"plate\":\"%s\","
                         "\"zone\":\"%s\",\"start\":\"%s\",\"end\":\"%s\",\"visitor\":true%s}",
                         ask->rid, swarm->expires, plate, zone, start, end, on_behalf);
}

void work_cancel(struct ask *ask, const struct swarm *swarm, uint32_t booking)
{
    ask->booking = booking;
    ask->len = (size_t)snprintf(ask->body, sizeof ask->body,
                                "{\"rid\":\"%s\",\"expires\":\"%s\",\"booking\":%u}", ask->rid,
                                swarm->expires, booking);
}

void work_extend(struct ask *ask, const struct swarm *swarm, uint32_t booking, uint32_t unit)
{
    char end[32];
    civil(swarm, unit, end);
    ask->booking = booking;
    ask->len = (size_t)snprintf(ask->body, sizeof ask->body,
                                "{\"rid\":\"%s\",\"expires\":\"%s\",\"booking\":%u,\"end\":\"%s\"}",
                                ask->rid, swarm->expires, booking, end);
}

struct ask *work_next(struct swarm *swarm, uint32_t number, enum ask_for why)
{
    struct client *client = &swarm->clients[number];
    bool give_back = client->live_count >= LIVE_WISHED ||
                     (client->live_count > 0 && swarm_random(swarm, 4) == 0);
    struct ask *ask = ask_new(swarm, number, give_back ? ASK_CANCEL : ASK_BOOK, why);
    if (ask == NULL)
        return NULL;
    if (give_back) {
        uint32_t at = (uint32_t)swarm_random(swarm, client->live_count);
        work_cancel(ask, swarm, client->live[at]);
        client->live[at] = client->live[--client->live_count];
        return ask;
    }
    char zone[2] = {swarm->options.zones[swarm_random(swarm, strlen(swarm->options.zones))], 0};
    work_book(swarm, ask, zone, (uint32_t)swarm_random(swarm, UNITS - UNITS_A_STAY),
              1 + (uint32_t)swarm_random(swarm, UNITS_A_STAY), NULL);
    return ask;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void word_after(const char *body, size_t len, const char *key, char *out, size_t cap)
{
    const char *at = memmem(body, len, key, strlen(key)), *end = body + len;
    size_t used = 0;
    for (at = at != NULL ? at + strlen(key) : end; at < end && *at != '"' && used + 1 < cap; at++)
        out[used++] = *at;
    out[used] = '\0';
}

void answer_read(const char *body, size_t len, struct answer *ret)
{
    const char *id = memmem(body, len, "\"id\":", 5), *items = memmem(body, len, "\"items\"", 7);
    size_t head = items != NULL ? (size_t)(items - body) : len;
    *ret = (struct answer){.body = body, .len = len};
    word_after(body, head, "\"code\":\"", ret->code, sizeof ret->code);
    word_after(body, head, "\"why\":\"", ret->why, sizeof ret->why);
    if (id != NULL && id < body + head)
        for (id += 5; id < body + len && *id >= '0' && *id <= '9'; id++)
            ret->id = ret->id * 10 + (uint32_t)(*id - '0');
}

void work_answered(struct swarm *swarm, struct ask *ask, const struct answer *answer)
{
    struct client *client = &swarm->clients[ask->client];
    bool ok = strcmp(answer->code, "ok") == 0;
    if (ok && ask->kind == ASK_BOOK && client->live_count < LIVE_MAX)
        client->live[client->live_count++] = answer->id;
    if (ask->kind != ASK_WHO)
        ledger_write(swarm, ask, answer);
}

/* Not done as far as we know; what was to be given back is still ours. */
void work_given_up(struct swarm *swarm, struct ask *ask)
{
    struct client *client = &swarm->clients[ask->client];
    if (ask->kind == ASK_CANCEL && client->live_count < LIVE_MAX)
        client->live[client->live_count++] = ask->booking;
}
