/* check.c - can a history be put into an order? (Wing, Gong 1993; Lowe 2017; as in Porcupine.)
 *
 *     calls and returns, a zone at a time        the model: slots as bits, the rule of seat.c
 *
 *       a ├────book 2-5────┤ ok 7                   slot 0  ..111......
 *       b    ├─book 2-4─┤ full              ──►      slot 1  .1111111...
 *       c          ├──cancel 7──────────── (no answer)
 *
 * Wanted is one order of all operations that keeps what was over before another began, in which
 * every answer is the one that the model gives. An operation without an answer may come anywhere
 * behind its call, or never. Nothing ties one zone to another (each plate and each household is
 * used so that it decides nothing), so each zone is judged by itself: a history is linearizable
 * when each of its objects is (Herlihy, Wing 1990).
 *
 * The search takes the operations by their calls; a set of done operations together with the state
 * that they led to is not tried a second time.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/model.h"
#include "tests/chaos/swarm.h"

#define OPS_MAX 1024
#define WORDS (OPS_MAX / 64)
#define STEPS_MAX 50000000ull

struct op {
    struct model_op what;
    uint32_t client, zone;
    int64_t call_us, return_us; /* INT64_MAX: open */
};

struct seen {
    uint64_t (*of)[2];
    size_t cap, count;
};

struct search {
    const struct op *ops[OPS_MAX]; /* by their calls */
    uint32_t count, answered;
    uint64_t done[WORDS];
    struct seen seen;
    uint64_t steps;
    uint32_t best;             /* answered operations in the longest order found */
    uint64_t best_done[WORDS]; /* which */
};

/* ---- what was tried ------------------------------------------------------------------------- */

static bool seen_add(struct seen *seen, const uint64_t digest[2])
{
    if (seen->count * 2 >= seen->cap) {
        struct seen wider = {.cap = seen->cap != 0 ? seen->cap * 2 : 4096};
        wider.of = calloc(wider.cap, sizeof *wider.of);
        if (wider.of == NULL)
            abort();
        for (size_t i = 0; i < seen->cap; i++)
            if (seen->of[i][0] != 0)
                (void)seen_add(&wider, seen->of[i]);
        free(seen->of);
        *seen = wider;
    }
    size_t at = (size_t)digest[0] & (seen->cap - 1);
    for (; seen->of[at][0] != 0; at = (at + 1) & (seen->cap - 1))
        if (seen->of[at][0] == digest[0] && seen->of[at][1] == digest[1])
            return false;
    seen->of[at][0] = digest[0];
    seen->of[at][1] = digest[1];
    seen->count++;
    return true;
}

static bool is_new(struct search *search, const struct model *model)
{
    uint64_t digest[2] = {model_digest(model, 1) | 1, model_digest(model, 2)};
    for (unsigned i = 0; i < WORDS; i++) {
        digest[0] = (digest[0] ^ search->done[i]) * 0x9e3779b97f4a7c15u;
        digest[1] = (digest[1] + search->done[i]) * 0xbf58476d1ce4e5b9u;
        digest[1] ^= digest[1] >> 31;
    }
    digest[0] |= 1; /* 0 is an empty place */
    return seen_add(&search->seen, digest);
}

/* ---- the search ----------------------------------------------------------------------------- */

static bool is_done(const uint64_t *done, uint32_t i)
{
    return (done[i / 64] >> i % 64 & 1) != 0;
}

static int64_t first_return(const struct search *search)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < search->count; i++) {
        if (search->ops[i]->call_us > first)
            break;
        if (!is_done(search->done, i) && search->ops[i]->return_us < first)
            first = search->ops[i]->return_us;
    }
    return first;
}

/* 1: there is an order; 0: there is none; -1: given up. */
static int find_order(struct search *search, const struct model *model, uint32_t answered)
{
    if (answered > search->best) {
        search->best = answered;
        memcpy(search->best_done, search->done, sizeof search->done);
    }
    if (answered == search->answered)
        return 1;
    if (++search->steps > STEPS_MAX)
        return -1;
    int64_t limit_us = first_return(search);
    for (uint32_t i = 0; i < search->count && search->ops[i]->call_us <= limit_us; i++) {
        const struct op *op = search->ops[i];
        struct model next = *model;
        if (is_done(search->done, i) || !model_apply(&next, &op->what))
            continue;
        search->done[i / 64] |= 1ull << i % 64;
        int found =
            is_new(search, &next) ? find_order(search, &next, answered + !op->what.open) : 0;
        search->done[i / 64] &= ~(1ull << i % 64);
        if (found != 0)
            return found;
    }
    return 0;
}

/* ---- telling -------------------------------------------------------------------------------- */

static void tell(const struct search *search, const char *path, uint32_t zone)
{
    static const char *const kinds[] = {"book", "cancel", "extend", "?", "quote"};
    uint32_t told = 0;
    (void)printf("%s: zone %u: no order explains these answers; %u of %u can be, then none of:\n",
                 path, zone, search->best, search->answered);
    for (uint32_t i = 0; i < search->count && told < 12; i++) {
        const struct op *op = search->ops[i];
        if (is_done(search->best_done, i))
            continue;
        (void)printf("  client %u %s %u %u-%u: %s %s %u\n", op->client, kinds[op->what.kind],
                     op->what.booking, op->what.from, op->what.until,
                     op->what.open ? "(open)" : op->what.code, op->what.why, op->what.id);
        told++;
    }
}

/* ---- one file ------------------------------------------------------------------------------- */

static int by_call(const void *a, const void *b)
{
    const struct op *x = a, *y = b;
    return (x->call_us > y->call_us) - (x->call_us < y->call_us);
}

#define FIELDS 11

/* One line: client call return kind zone booking from until code why id. False: it is none. */
static bool read_op(char *line, struct op *op)
{
    const char *field[FIELDS];
    char *rest = line;
    for (unsigned i = 0; i < FIELDS; i++)
        if ((field[i] = strtok_r(i == 0 ? line : NULL, " \n", &rest)) == NULL)
            return false;
    int64_t back = strtoll(field[2], NULL, 10);
    unsigned long kind = strtoul(field[3], NULL, 10);
    *op = (struct op){.client = (uint32_t)strtoul(field[0], NULL, 10),
                      .zone = (uint32_t)strtoul(field[4], NULL, 10),
                      .call_us = strtoll(field[1], NULL, 10),
                      .return_us = back < 0 ? INT64_MAX : back};
    op->what = (struct model_op){.kind = (enum model_kind)kind,
                                 .booking = (uint32_t)strtoul(field[5], NULL, 10),
                                 .from = (uint32_t)strtoul(field[6], NULL, 10),
                                 .until = (uint32_t)strtoul(field[7], NULL, 10),
                                 .open = back < 0,
                                 .id = (uint32_t)strtoul(field[10], NULL, 10)};
    (void)snprintf(op->what.code, sizeof op->what.code, "%s", field[8]);
    (void)snprintf(op->what.why, sizeof op->what.why, "%s", field[9]);
    return kind <= MODEL_QUOTE && op->what.from < op->what.until && op->what.until <= 24;
}

static int read_ops(FILE *file, struct op *ops, uint32_t *ret_slots)
{
    char line[256];
    int count = 0;
    if (fgets(line, sizeof line, file) == NULL || strncmp(line, "slots ", 6) != 0)
        return -1;
    *ret_slots = (uint32_t)strtoul(line + 6, NULL, 10);
    while (fgets(line, sizeof line, file) != NULL && count < OPS_MAX * 4)
        if (!read_op(line, &ops[count++]))
            return -1;
    return *ret_slots <= MODEL_SLOTS_MAX ? count : -1;
}

static int check_zone(const char *path, const struct op *ops, int count, uint32_t zone,
                      uint32_t slots, uint64_t *steps)
{
    struct search *search = calloc(1, sizeof *search);
    struct model model = {.slots = slots};
    if (search == NULL)
        abort();
    for (int i = 0; i < count && search->count < OPS_MAX; i++)
        if (ops[i].zone == zone && (!ops[i].what.open || ops[i].what.kind != MODEL_QUOTE)) {
            search->ops[search->count++] = &ops[i];
            search->answered += !ops[i].what.open;
        }
    int found = find_order(search, &model, 0);
    if (found == 0)
        tell(search, path, zone);
    *steps += search->steps;
    free(search->seen.of);
    free(search);
    return found;
}

static int check_file(const char *path)
{
    struct op *ops = calloc(OPS_MAX * 4, sizeof *ops);
    FILE *file = fopen(path, "re");
    uint32_t slots = 0, zones = 0, open = 0;
    uint64_t steps = 0;
    int count = ops != NULL && file != NULL ? read_ops(file, ops, &slots) : -1, worst = 1;
    if (count < 0)
        (void)printf("%s: is no history\n", path);
    for (int i = 0; i < count; i++) {
        zones = ops[i].zone + 1 > zones ? ops[i].zone + 1 : zones;
        open += ops[i].what.open;
    }
    if (count > 0)
        qsort(ops, (size_t)count, sizeof *ops, by_call);
    for (uint32_t zone = 0; zone < zones; zone++) {
        int found = check_zone(path, ops, count, zone, slots, &steps);
        worst = found == 0 || worst == 0 ? 0 : found < 0 ? -1 : worst;
    }
    if (count >= 0)
        (void)printf("%s: %s, %d operations, %u zones, %u open, %llu steps\n", path,
                     worst > 0    ? "linearizable"
                     : worst == 0 ? "NOT linearizable"
                                  : "undecided",
                     count, zones, open, (unsigned long long)steps);
    if (file != NULL)
        (void)fclose(file);
    free(ops);
    return count < 0 ? -1 : worst;
}

int check_main(int argc, char **argv)
{
    int code = 0;
    for (int i = 0; i < argc; i++) {
        int found = check_file(argv[i]);
        code = found == 0 ? 1 : found < 0 && code == 0 ? 2 : code;
    }
    return code;
}
