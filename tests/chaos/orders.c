/* orders.c - one line on stdin is an order, one line of JSON on stdout its answer.
 *
 *     up MS              all clients are connected                       {"up":N,"us":…}
 *     load N THINK_MS    N clients take turns, thinking in between       {}
 *     pace RATE N        RATE requests a second over N clients           {}
 *     idle               nothing new                                     {}
 *     drain MS           nothing is under way                            {"pending":N}
 *     mark               from now on it is looked at who is served       {}
 *     served N MS        the first N clients got an answer since         {"served":N,"p50_us":…}
 *     who MS SPREAD_MS   every client asks who it is, once, within so long
 *     burst MS           every client takes one turn, all in one instant
 *     stats              counts and latencies since the last stats       {…}
 *     audit N MS         N rids of the ledger again (0: all)             {"same":N,"differ":N,…}
 *     restored N MS      the same for the first N: a backup of then was restored; the incarnation
 *                        is another, all else must be as it was
 *     history …          see history.c
 *     abandon            leave alone what is under way, by the toss of a coin
 *     quit
 *
 * What waits is answered when it is there or its time is over; an order at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/swarm.h"

static int by_size(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t at_share(const uint32_t *sorted, uint32_t count, double share)
{
    return count == 0 ? 0 : sorted[(uint32_t)(share * (double)(count - 1))];
}

static void say(const char *text)
{
    (void)printf("%s\n", text);
    (void)fflush(stdout);
}

static void say_stats(struct swarm *swarm)
{
    const struct counts *c = &swarm->counts;
    uint32_t n = swarm->sample_count;
    int64_t now_us = swarm_now_us();
    qsort(swarm->samples, n, sizeof *swarm->samples, by_size);
    (void)printf(
        "{\"seconds\":%.3f,\"sent\":%llu,\"unsent\":%llu,\"repeated\":%llu,\"answered\":%llu,"
        "\"ok\":%llu,\"refused\":%llu,\"busy\":%llu,\"unavailable\":%llu,\"given_up\":%llu,"
        "\"reconnects\":%llu,\"twice\":%llu,\"pending\":%u,\"up\":%u,\"p50_us\":%u,\"p99_us\":%u,"
        "\"max_us\":%u}\n",
        (double)(now_us - swarm->counted_from_us) / 1e6, (unsigned long long)c->sent,
        (unsigned long long)c->unsent, (unsigned long long)c->repeated,
        (unsigned long long)c->answered, (unsigned long long)c->ok, (unsigned long long)c->refused,
        (unsigned long long)c->busy, (unsigned long long)c->unavailable,
        (unsigned long long)c->given_up, (unsigned long long)c->reconnects,
        (unsigned long long)c->twice, swarm->busy_count, clients_up(swarm),
        at_share(swarm->samples, n, 0.5), at_share(swarm->samples, n, 0.99),
        at_share(swarm->samples, n, 1));
    (void)fflush(stdout);
    swarm->counts = (struct counts){0};
    swarm->sample_count = 0;
    swarm->counted_from_us = now_us;
}

/* ---- who is served -------------------------------------------------------------------------- */

static uint32_t served(const struct swarm *swarm)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < swarm->watched; i++)
        count += swarm->clients[i].served_us != 0;
    return count;
}

static void mark(struct swarm *swarm)
{
    swarm->mark_us = swarm_now_us();
    for (uint32_t i = 0; i < swarm->options.clients; i++)
        swarm->clients[i].served_us = 0;
}

static void say_served(const struct swarm *swarm)
{
    uint32_t count = 0, *times = calloc(swarm->options.clients + 1, sizeof *times);
    if (times == NULL)
        abort();
    for (uint32_t i = 0; i < swarm->watched; i++)
        if (swarm->clients[i].served_us != 0)
            times[count++] = (uint32_t)(swarm->clients[i].served_us - swarm->mark_us);
    qsort(times, count, sizeof *times, by_size);
    (void)printf("{\"of\":%u,\"served\":%u,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
                 swarm->watched, count, at_share(times, count, 0.5), at_share(times, count, 0.99),
                 at_share(times, count, 1));
    (void)fflush(stdout);
    free(times);
}

static void ask_who(struct swarm *swarm, const char *spread_ms)
{
    uint64_t spread_us = spread_ms != NULL ? strtoull(spread_ms, NULL, 10) * 1000 : 0;
    swarm->watched = swarm->options.clients;
    mark(swarm);
    for (uint32_t i = 0; i < swarm->options.clients; i++) {
        struct ask *ask = ask_new(swarm, i, ASK_WHO, FOR_TURN);
        if (ask == NULL)
            return;
        ask->len = (size_t)snprintf(ask->body, sizeof ask->body, "{\"rid\":\"%s\"}", ask->rid);
        ask->due_us = ask->began_us + (int64_t)swarm_random(swarm, spread_us);
    }
}

static void burst(struct swarm *swarm)
{
    swarm->watched = swarm->options.clients;
    mark(swarm);
    for (uint32_t i = 0; i < swarm->options.clients; i++)
        if (work_next(swarm, i, FOR_TURN) == NULL)
            return;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void await(struct swarm *swarm, enum wait wait, const char *ms)
{
    swarm->wait = wait;
    swarm->wait_until_us = swarm_now_us() + (ms != NULL ? strtoll(ms, NULL, 10) : 1000) * 1000;
}

static bool is_there(const struct swarm *swarm)
{
    switch (swarm->wait) {
    case WAIT_UP:
        return clients_up(swarm) == swarm->options.clients;
    case WAIT_DRAINED:
        return swarm->busy_count == 0;
    case WAIT_SERVED:
        return served(swarm) == swarm->watched;
    case WAIT_AUDIT:
        return swarm->audit_at == swarm->audit_count && swarm->audit_busy == 0;
    case WAIT_HISTORY:
        return history_over(swarm);
    default:
        return true;
    }
}

static void answer(struct swarm *swarm)
{
    switch (swarm->wait) {
    case WAIT_UP:
        (void)printf("{\"up\":%u}\n", clients_up(swarm));
        break;
    case WAIT_DRAINED:
        (void)printf("{\"pending\":%u}\n", swarm->busy_count);
        break;
    case WAIT_SERVED:
        say_served(swarm);
        break;
    case WAIT_AUDIT:
        (void)printf("{\"asked\":%u,\"same\":%u,\"differ\":%u,\"pending\":%u,\"entries\":%u}\n",
                     swarm->audit_count, swarm->audit_same, swarm->audit_differ,
                     swarm->audit_busy + swarm->audit_count - swarm->audit_at, swarm->entry_count);
        if (swarm->differs[0] != '\0')
            (void)fprintf(stderr, "another answer: %s\n", swarm->differs);
        break;
    case WAIT_HISTORY:
        (void)printf("{\"written\":%d}\n", history_end(swarm));
        break;
    default:
        break;
    }
    (void)fflush(stdout);
    swarm->wait = WAIT_NOTHING;
}

void orders_tick(struct swarm *swarm)
{
    if (swarm->wait != WAIT_NOTHING && (is_there(swarm) || swarm_now_us() >= swarm->wait_until_us))
        answer(swarm);
}

/* ---- orders --------------------------------------------------------------------------------- */

static void set_load(struct swarm *swarm, uint32_t clients, uint32_t think_ms, double rate_per_s)
{
    swarm->active = clients < swarm->options.clients ? clients : swarm->options.clients;
    swarm->think_ms = think_ms;
    swarm->watched = swarm->active;
    swarm->rate_per_s = rate_per_s;
    swarm->owed = 0;
    swarm->paced_us = swarm_now_us();
}

static bool take_waiting(struct swarm *swarm, const char *word, const char *one, const char *two)
{
    if (strcmp(word, "up") == 0) {
        await(swarm, WAIT_UP, one);
    } else if (strcmp(word, "drain") == 0) {
        set_load(swarm, 0, 0, 0);
        await(swarm, WAIT_DRAINED, one);
    } else if (strcmp(word, "served") == 0) {
        await(swarm, WAIT_SERVED, one);
    } else if (strcmp(word, "who") == 0) {
        ask_who(swarm, two);
        await(swarm, WAIT_SERVED, one);
    } else if (strcmp(word, "burst") == 0) {
        burst(swarm);
        await(swarm, WAIT_SERVED, one);
    } else if (strcmp(word, "audit") == 0) {
        ledger_audit(swarm, one != NULL ? (uint32_t)strtoul(one, NULL, 10) : 0, false);
        await(swarm, WAIT_AUDIT, two);
    } else if (strcmp(word, "restored") == 0) {
        swarm->restored = true;
        ledger_audit(swarm, one != NULL ? (uint32_t)strtoul(one, NULL, 10) : 0, true);
        await(swarm, WAIT_AUDIT, two);
    } else {
        return false;
    }
    return true;
}

void orders_take(struct swarm *swarm, char *line)
{
    char *rest = NULL;
    char *word = strtok_r(line, " \n", &rest);
    if (word == NULL)
        return;
    if (strcmp(word, "history") == 0) {
        if (history_begin(swarm, rest) == 0)
            await(swarm, WAIT_HISTORY, "60000");
        else
            say("{\"error\":\"history\"}");
        return;
    }
    const char *one = strtok_r(NULL, " \n", &rest), *two = strtok_r(NULL, " \n", &rest);
    if (take_waiting(swarm, word, one, two))
        return;
    if (strcmp(word, "stats") == 0) {
        say_stats(swarm);
        return;
    }
    if (strcmp(word, "load") == 0 && two != NULL)
        set_load(swarm, (uint32_t)strtoul(one, NULL, 10), (uint32_t)strtoul(two, NULL, 10), 0);
    else if (strcmp(word, "pace") == 0 && two != NULL)
        set_load(swarm, (uint32_t)strtoul(two, NULL, 10), 0, strtod(one, NULL));
    else if (strcmp(word, "idle") == 0)
        set_load(swarm, 0, 0, 0);
    else if (strcmp(word, "mark") == 0)
        mark(swarm);
    else if (strcmp(word, "abandon") == 0) {
        history_abandon(swarm);
        return; /* while another order waits: its answer is enough */
    } else if (strcmp(word, "quit") == 0)
        swarm->quit = true;
    else {
        say("{\"error\":\"no such order\"}");
        return;
    }
    say("{}");
}
