/* allocate.c - the allocator on an instance from files: how many minutes of those that were wished
 * are served, beside what nobody can exceed.
 *
 *   S.csv  zone,slot,from_min,until_min    R.csv  id,zone,from_min,until_min    A.csv  id,slot
 *
 * best-fit and online go the daemon's way: each wish is a `book` event of a real engine, decided
 * before the next is read. draw decides all at once, by the solver that the daemon runs, without
 * regard to who had what before. first-fit and random-fit are here only to be compared with; the
 * exact optimum of an instance is told by tests/bench/optimum.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/parking/draw_solve.h"
#include "tests/bench/bench.h"
#include "tests/bench/bound.h"
#include "tests/bench/lot.h"

#define ZONES_MAX 64u
#define RESEAT_STEPS 1000 /* the setting as it comes, for online */

struct window_row {
    uint32_t zone, slot;
    int64_t from_min, until_min;
};
struct request_row {
    uint64_t id;
    uint32_t zone;
    int64_t from_min, until_min;
    tide_id booking, slot; /* 0: refused */
};
struct instance {
    struct window_row *windows;
    struct request_row *requests;
    uint32_t window_count, request_count, slots, grains;
    bool zones[ZONES_MAX];
    char extra[160]; /* figures of a policy's own, as JSON */
};

/* ---- files ----------------------------------------------------------------------------------- */
static void *grow(void *list, uint32_t count, size_t size)
{
    if ((count & (count + 1)) != 0 && count != 0)
        return list;
    void *more = realloc(list, 2 * ((size_t)count + 1) * size);
    if (more == NULL)
        bench_die("no memory");
    return more;
}

static void note_zone(struct instance *in, const char *path, unsigned line, uint64_t zone,
                      int64_t from, int64_t until)
{
    if (zone == 0 || zone >= ZONES_MAX)
        bench_die("%s, line %u: zones are 1 to %u", path, line, ZONES_MAX - 1);
    if (from < 0 || until <= from || until > 55LL * 1440)
        bench_die("%s, line %u: minutes are 0 to 79200, the end after the start", path, line);
    in->zones[zone] = true;
    uint32_t grains = (uint32_t)((until + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN);
    in->grains = grains > in->grains ? grains : in->grains;
}

/* Rows of whole numbers behind a line of headings. */
static void read_rows(const char *path, unsigned columns, struct instance *in,
                      void (*row)(struct instance *, const char *, unsigned, const long long *))
{
    char line[256];
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL)
        bench_die("cannot read %s", path != NULL ? path : "a file that is not named");
    for (unsigned at = 1; fgets(line, sizeof line, file) != NULL; at++) {
        long long values[4] = {0};
        char *text = line, *end = line;
        unsigned n = 0;
        while (n < columns && (values[n] = strtoll(text, &end, 10), end != text)) {
            n++;
            text = *end == ',' ? end + 1 : end;
        }
        if (n == columns)
            row(in, path, at, values);
        else if (at > 1 && line[strspn(line, " \r\n")] != '\0')
            bench_die("%s, line %u: %u whole numbers are wanted", path, at, columns);
    }
    fclose(file);
}

static void window_line(struct instance *in, const char *path, unsigned line, const long long *v)
{
    note_zone(in, path, line, (uint64_t)v[0], v[2], v[3]);
    if (v[1] < 1 || v[1] > 20000)
        bench_die("%s, line %u: slots are 1 to 20000", path, line);
    in->windows = grow(in->windows, in->window_count, sizeof *in->windows);
    in->windows[in->window_count++] =
        (struct window_row){(uint32_t)v[0], (uint32_t)v[1], v[2], v[3]};
    in->slots = (uint32_t)v[1] > in->slots ? (uint32_t)v[1] : in->slots;
}

static void request_line(struct instance *in, const char *path, unsigned line, const long long *v)
{
    note_zone(in, path, line, (uint64_t)v[1], v[2], v[3]);
    in->requests = grow(in->requests, in->request_count, sizeof *in->requests);
    in->requests[in->request_count++] = (struct request_row){
        .id = (uint64_t)v[0], .zone = (uint32_t)v[1], .from_min = v[2], .until_min = v[3]};
}

static void write_seats(const char *path, const struct instance *in)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        bench_die("cannot write %s", path);
    fprintf(out, "id,slot\n");
    for (uint32_t i = 0; i < in->request_count; i++)
        if (in->requests[i].slot != 0)
            fprintf(out, "%llu,%u\n", (unsigned long long)in->requests[i].id, in->requests[i].slot);
        else
            fprintf(out, "%llu,\n", (unsigned long long)in->requests[i].id);
    if (fclose(out) != 0)
        bench_die("cannot write %s", path);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- the engine's policies ------------------------------------------------------------------- */
static void open_lot(struct lot *lot, const struct instance *in)
{
    uint32_t days = in->grains / TIDE_GRAINS_A_DAY + 3;
    struct engine_limits limits = {.zones = ZONES_MAX + 80,
                                   .slots = in->slots + 80,
                                   .windows = in->window_count + 80,
                                   .bookings = in->request_count + 80};
    bool *known = calloc(in->slots + 1, sizeof *known);
    if (known == NULL)
        bench_die("no memory");
    lot_open(lot, limits, in->request_count, 32, days);
    for (uint32_t zone = 1; zone < ZONES_MAX; zone++)
        if (in->zones[zone])
            lot_zone(lot, zone);
    for (uint32_t i = 0; i < in->window_count; i++) {
        const struct window_row *window = &in->windows[i];
        if (!known[window->slot])
            lot_slot(lot, window->slot, window->zone);
        known[window->slot] = true;
        lot_window(lot, window->slot, window->from_min, window->until_min);
    }
    lot_flush(lot);
    free(known);
}

/* A search for a chain of moves was made, found or not. */
static void note_search(void *arg, const struct engine_trace *told)
{
    if (strcmp(told->rule, "seat.reseat") == 0 || strcmp(told->rule, "seat.stuck") == 0)
        *(bool *)arg = true;
}

/* Of those decisions alone that needed a search; us is sorted by it. */
static void tell_searches(struct instance *in, double *us, uint32_t count)
{
    qsort(us, count, sizeof *us, by_size);
    snprintf(in->extra, sizeof in->extra,
             "\"searches\":%u,\"search_p50_us\":%.2f,\"search_p99_us\":%.2f,"
             "\"search_max_us\":%.2f,",
             count, count > 0 ? us[count / 2] : 0, count > 0 ? us[(size_t)count * 99 / 100] : 0,
             count > 0 ? us[count - 1] : 0);
}

static uint64_t decide_all(struct lot *lot, struct instance *in, double *us)
{
    uint64_t moves = 0;
    uint32_t searches = 0;
    bool searched;
    double *search_us = calloc(in->request_count, sizeof *search_us);
    if (search_us == NULL)
        bench_die("no memory");
    engine_set_trace(lot->engine, note_search, &searched);
    for (uint32_t i = 0; i < in->request_count; i++) {
        struct request_row *request = &in->requests[i];
        struct lot_wish wish = {.household = i,
                                .plate = i + 1,
                                .zone = request->zone,
                                .from_min = request->from_min,
                                .until_min = request->until_min};
        searched = false;
        double start = bench_cpu_s();
        request->booking = lot_book(lot, &wish);
        us[i] = (bench_cpu_s() - start) * 1e6;
        if (searched)
            search_us[searches++] = us[i];
    }
    engine_set_trace(lot->engine, NULL, NULL);
    tell_searches(in, search_us, searches);
    free(search_us);
    for (uint32_t i = 0; i < in->request_count; i++) {
        const struct tide_booking *booking =
            engine_find(lot->engine, TIDE_REC_booking, in->requests[i].booking, 0, 0);
        in->requests[i].slot = booking != NULL ? booking->slot : 0;
        moves += booking != NULL ? booking->moves : 0;
    }
    return moves;
}

static uint64_t by_engine(struct instance *in, bool reseat, double *us)
{
    static struct lot lot;
    open_lot(&lot, in);
    lot_setting(&lot, TIDE_SETTING_reseat_steps, reseat ? RESEAT_STEPS : 0);
    lot_flush(&lot);
    uint64_t moves = decide_all(&lot, in, us);
    lot_close(&lot);
    return moves;
}

/* ---- to be compared with --------------------------------------------------------------------- */
struct grid { /* free grains by slot */
    uint8_t *free;
    uint32_t *zone;
};

static bool fits(const struct instance *in, const struct grid *grid, uint32_t slot,
                 const struct request_row *request)
{
    size_t from = (size_t)(request->from_min / TIDE_GRAIN_MIN);
    size_t until = (size_t)((request->until_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN);
    const uint8_t *row = grid->free + (size_t)slot * in->grains;
    return grid->zone[slot] == request->zone && memchr(row + from, 0, until - from) == NULL;
}

/* The first that fits, counted from a slot drawn by lot (random-fit) or from the lowest. */
static void by_order(struct instance *in, bool random, uint64_t seed, double *us)
{
    struct grid grid = {.free = calloc(in->slots + 1, in->grains),
                        .zone = calloc(in->slots + 1, sizeof *grid.zone)};
    if (grid.free == NULL || grid.zone == NULL)
        bench_die("no memory");
    for (uint32_t i = 0; i < in->window_count; i++) {
        const struct window_row *w = &in->windows[i];
        int64_t from = (w->from_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN;
        grid.zone[w->slot] = w->zone;
        for (int64_t g = from; g < w->until_min / TIDE_GRAIN_MIN; g++)
            grid.free[(size_t)w->slot * in->grains + (size_t)g] = 1;
    }
    for (uint32_t i = 0; i < in->request_count; i++) {
        struct request_row *request = &in->requests[i];
        double start = bench_cpu_s();
        uint32_t first = random ? (uint32_t)(bench_random(&seed) % in->slots) : 0;
        for (uint32_t k = 0; k < in->slots && request->slot == 0; k++) {
            uint32_t slot = 1 + (first + k) % in->slots;
            if (fits(in, &grid, slot, request))
                request->slot = slot;
        }
        for (int64_t g = request->from_min / TIDE_GRAIN_MIN;
             request->slot != 0 && g * TIDE_GRAIN_MIN < request->until_min; g++)
            grid.free[(size_t)request->slot * in->grains + (size_t)g] = 0;
        us[i] = (bench_cpu_s() - start) * 1e6;
    }
    free(grid.free);
    free(grid.zone);
}

/* ---- decided together ------------------------------------------------------------------------ */
/* Free time of each slot, cut into runs; the daemon does the same with its bits. */
static uint32_t spans_of(const struct instance *in, struct draw_span *spans)
{
    uint32_t count = 0;
    uint8_t *free_grains = calloc((size_t)in->slots + 1, in->grains + 1);
    uint32_t *zone = calloc((size_t)in->slots + 1, sizeof *zone);
    if (free_grains == NULL || zone == NULL)
        bench_die("no memory");
    for (uint32_t i = 0; i < in->window_count; i++) {
        const struct window_row *w = &in->windows[i];
        int64_t from = (w->from_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN;
        zone[w->slot] = w->zone;
        for (int64_t g = from; g < w->until_min / TIDE_GRAIN_MIN; g++)
            free_grains[(size_t)w->slot * (in->grains + 1) + (size_t)g] = 1;
    }
    for (uint32_t slot = 1; slot <= in->slots; slot++) {
        const uint8_t *row = free_grains + (size_t)slot * (in->grains + 1);
        for (uint32_t from = 0, until = 0; from < in->grains; from = until + 1) {
            for (until = from; row[until] != 0; until++)
                ;
            if (until > from)
                spans[count++] = (struct draw_span){zone[slot], from, until, slot};
        }
    }
    free(free_grains);
    free(zone);
    return count;
}

static void by_draw(struct instance *in, uint64_t seed, uint64_t steps_max, double *us)
{
    struct draw_span *spans = calloc(in->window_count + 1, sizeof *spans);
    struct draw_wish *wishes = calloc(in->request_count + 1, sizeof *wishes);
    if (spans == NULL || wishes == NULL)
        bench_die("no memory");
    struct draw_problem problem = {.spans = spans,
                                   .wishes = wishes,
                                   .span_count = spans_of(in, spans),
                                   .wish_count = in->request_count,
                                   .seed = seed,
                                   .steps_max = steps_max};
    for (uint32_t i = 0; i < in->request_count; i++) {
        const struct request_row *r = &in->requests[i];
        wishes[i] = (struct draw_wish){
            .pool = r->zone,
            .from = (uint32_t)(r->from_min / TIDE_GRAIN_MIN),
            .until = (uint32_t)((r->until_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN),
            .lot = bench_random(&seed)};
    }
    if (!draw_problem_is_sound(&problem))
        bench_die("too many windows or requests for one draw");
    size_t size = draw_solve_bytes(&problem);
    void *memory = malloc(size);
    struct draw_outcome outcome;
    if (memory == NULL)
        bench_die("no memory");
    double start = bench_cpu_s();
    draw_solve(&problem, memory, size, &outcome);
    double took_us = (bench_now_s() - start) * 1e6;
    for (uint32_t i = 0; i < in->request_count; i++) {
        in->requests[i].slot = wishes[i].span != 0 ? spans[wishes[i].span - 1].slot : 0;
        us[i] = took_us / in->request_count;
    }
    snprintf(in->extra, sizeof in->extra,
             "\"solve_ms\":%.1f,\"steps\":%llu,\"limit_min\":%lld,\"settled\":%s,", took_us / 1e3,
             (unsigned long long)outcome.steps, (long long)outcome.limit * TIDE_GRAIN_MIN,
             outcome.settled ? "true" : "false");
    free(memory);
    free(spans);
    free(wishes);
}

/* ---- figures --------------------------------------------------------------------------------- */
static int64_t bound_min(const struct instance *in)
{
    int64_t sum = 0;
    uint32_t *open = calloc(in->grains, sizeof *open);
    struct bound_wish *wishes = calloc(in->request_count + 1, sizeof *wishes);
    if (open == NULL || wishes == NULL)
        bench_die("no memory");
    for (uint32_t zone = 1; zone < ZONES_MAX; zone++) {
        uint32_t count = 0;
        memset(open, 0, in->grains * sizeof *open);
        for (uint32_t i = 0; i < in->window_count; i++) {
            const struct window_row *w = &in->windows[i];
            for (int64_t g = (w->from_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN;
                 w->zone == zone && g < w->until_min / TIDE_GRAIN_MIN; g++)
                open[g]++;
        }
        for (uint32_t i = 0; i < in->request_count; i++) {
            const struct request_row *r = &in->requests[i];
            if (r->zone == zone)
                wishes[count++] = (struct bound_wish){
                    (uint32_t)(r->from_min / TIDE_GRAIN_MIN),
                    (uint32_t)((r->until_min + TIDE_GRAIN_MIN - 1) / TIDE_GRAIN_MIN)};
        }
        int64_t part = in->zones[zone] ? bound_profile(open, in->grains, wishes, count) : 0;
        if (part < 0)
            bench_die("no memory");
        sum += part;
    }
    free(open);
    free(wishes);
    return sum * TIDE_GRAIN_MIN;
}

static void print(const struct instance *in, const char *policy, uint64_t moves, double *us)
{
    uint32_t accepted = 0, n = in->request_count;
    int64_t served = 0, bound = bound_min(in);
    double sum = 0;
    char machine[256];
    for (uint32_t i = 0; i < n; i++) {
        const struct request_row *r = &in->requests[i];
        accepted += r->slot != 0;
        served += r->slot != 0 ? r->until_min - r->from_min : 0;
        sum += us[i];
    }
    qsort(us, n, sizeof *us, by_size);
    bench_machine(machine, sizeof machine);
    printf("{\"bench\":\"allocate\",\"policy\":\"%s\",\"requests\":%u,\"accepted\":%u,"
           "\"served_min\":%lld,\"bound_min\":%lld,\"ratio\":%.4f,\"moves\":%llu,"
           "\"decisions_per_s\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f,\"max_us\":%.2f,%s"
           "\"machine\":\"%s\"}\n",
           policy, n, accepted, (long long)served, (long long)bound,
           bound > 0 ? (double)served / (double)bound : 1, (unsigned long long)moves,
           sum > 0 ? n * 1e6 / sum : 0, us[n / 2], us[(size_t)n * 99 / 100], us[n - 1], in->extra,
           machine);
}

int bench_allocate(int argc, char **argv)
{
    struct instance in = {.slots = 0};
    const char *policy = bench_option_text(argc, argv, "policy", "online");
    const char *out = bench_option_text(argc, argv, "out", NULL);
    uint64_t seed = (uint64_t)bench_option(argc, argv, "seed", 1), moves = 0;
    read_rows(bench_option_text(argc, argv, "slots", NULL), 4, &in, window_line);
    read_rows(bench_option_text(argc, argv, "requests", NULL), 4, &in, request_line);
    if (in.window_count == 0 || in.request_count == 0)
        bench_die("there are no slots, or no requests");
    double *us = calloc(in.request_count, sizeof *us);
    if (us == NULL)
        bench_die("no memory");
    if (strcmp(policy, "online") == 0 || strcmp(policy, "best-fit") == 0)
        moves = by_engine(&in, strcmp(policy, "online") == 0, us);
    else if (strcmp(policy, "first-fit") == 0 || strcmp(policy, "random-fit") == 0)
        by_order(&in, strcmp(policy, "random-fit") == 0, seed, us);
    else if (strcmp(policy, "draw") == 0)
        by_draw(&in, seed, (uint64_t)bench_option(argc, argv, "steps", 0), us);
    else
        bench_die("--policy wants first-fit, random-fit, best-fit, online or draw, not %s", policy);
    if (out != NULL)
        write_seats(out, &in);
    print(&in, policy, moves, us);
    free(us);
    free(in.windows);
    free(in.requests);
    return 0;
}
