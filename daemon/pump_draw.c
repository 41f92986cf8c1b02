/* pump_draw.c - what the engine cannot do itself for a draw: keep a secret, and think for long.
 *
 *     announced ─► secret = SHA-256(key of this database, domain, incarnation, draw)
 *                  commit = SHA-256(secret) ──► draw_seal
 *     closed ────► snapshot ──► thread pool: draw_decide ──► draw_result, secret with it
 *
 * The key is a file beside the database, in no backup: what is told of a draw tells nothing of the
 * next. After a crash the same secret comes out again; after a restore another, and draws that were
 * under way are void, for theirs may have been told already.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/core/parking/draw_proof.h"
#include "daemon/core/sha256.h"
#include "daemon/pump.h"
#include "tide/check.h"

#define KEY_BYTES 32

struct draw_job {
    uv_work_t work;
    struct pump *pump;
    uint32_t domain;
    struct draw_lot lot;
    struct draw_outcome outcome;
    uint64_t took_ns;
    size_t size;
    uint8_t memory[] __attribute__((aligned(8)));
};

/* ---- the secret ------------------------------------------------------------------------------ */
static bool key_read(const char *path, uint8_t key[KEY_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && read(fd, key, KEY_BYTES) == KEY_BYTES;
    if (fd >= 0)
        (void)close(fd);
    return whole;
}

static bool key_make(const char *path, uint8_t key[KEY_BYTES])
{
    if (getrandom(key, KEY_BYTES, 0) != KEY_BYTES)
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool kept = fd >= 0 && write(fd, key, KEY_BYTES) == KEY_BYTES && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        kept = false;
    return kept;
}

static bool key_get(struct pump *pump, uint8_t ret[KEY_BYTES])
{
    char path[8400];
    (void)snprintf(path, sizeof path, "%s-draw-key", pump->conf->database);
    if (key_read(path, ret) || key_make(path, ret))
        return true;
    log_event(LOG_ERROR_, "draw.key", "\"file\":%s,\"error\":%s", log_str(path),
              log_str(strerror(errno)));
    return false;
}

static bool secret_of(struct pump *pump, const struct domain *domain, tide_id draw, uint8_t ret[32])
{
    static const char head[] = "tide.draw.secret.1";
    uint8_t key[KEY_BYTES];
    uint32_t numbers[2] = {(uint32_t)domain->position.incarnation, draw};
    struct sha256 sha;
    if (!key_get(pump, key))
        return false;
    sha256_begin(&sha);
    sha256_add(&sha, head, sizeof head);
    sha256_add(&sha, key, sizeof key);
    sha256_add(&sha, domain->name, strlen(domain->name) + 1);
    sha256_add(&sha, numbers, sizeof numbers);
    sha256_end(&sha, ret);
    return true;
}

/* ---- events ---------------------------------------------------------------------------------- */
static void step_own(struct pump *pump, struct domain *domain, struct engine_event *event)
{
    event->when_ms = pump_now(pump, domain);
    if (pump_step_own(pump, domain, event)) /* else the draw still wants it: in a second again */
        pump_ticks(pump);                   /* commits; and settles what has been decided */
}

static void seal(struct pump *pump, struct domain *domain, tide_id draw)
{
    struct engine_event event = {.kind = TIDE_REC_draw_seal};
    uint8_t secret[32], commit[32];
    if (!secret_of(pump, domain, draw, secret))
        return;
    draw_commit_of(secret, commit);
    event.as.draw_seal.draw = draw;
    draw_hex_set(commit, &event.as.draw_seal.commit_1);
    step_own(pump, domain, &event);
}

/* ---- off the loop ---------------------------------------------------------------------------- */
static void work(uv_work_t *request)
{
    struct draw_job *job = request->data;
    uint64_t begin_ns = uv_hrtime();
    draw_decide(&job->lot, job->memory, job->size, &job->outcome);
    job->took_ns = uv_hrtime() - begin_ns;
}

static void tell_result(struct pump *pump, struct draw_job *job)
{
    struct domain *domain = pump_domain(pump, job->domain);
    struct engine_event event = {.kind = TIDE_REC_draw_result, .blob = pump->draw_blob};
    CHECK(domain != NULL);
    event.as.draw_result.draw = job->lot.draw;
    event.as.draw_result.limit = job->outcome.limit;
    draw_hex_set(job->lot.secret, &event.as.draw_result.secret_1);
    event.blob_len = (uint32_t)draw_blob_write(&job->lot, pump->draw_blob);
    log_event(LOG_INFO_, "draw.solved",
              "\"draw\":%u,\"wishes\":%u,\"spans\":%u,\"served\":%u,\"ms\":%llu", job->lot.draw,
              job->lot.wish_count, job->lot.span_count, job->outcome.served,
              (unsigned long long)(job->took_ns / 1000000));
    step_own(pump, domain, &event);
}

static void after_work(uv_work_t *request, int status)
{
    struct draw_job *job = request->data;
    struct pump *pump = job->pump;
    pump->draw_running = false;
    if (status == 0 && !pump->stopping && !pump->draining && !pump->unavailable && !pump->held)
        tell_result(pump, job); /* pump->draw_blob is free: no step of ours is held */
    free(job);
}

static void solve(struct pump *pump, struct domain *domain, tide_id draw)
{
    struct draw_lot *lot = calloc(1, sizeof *lot);
    struct draw_job *job = NULL;
    if (lot != NULL && engine_draw_lot(domain->engine, draw, lot) &&
        secret_of(pump, domain, draw, lot->secret)) {
        size_t size = draw_decide_bytes(lot);
        job = calloc(1, sizeof *job + size);
        if (job != NULL) {
            job->work.data = job;
            job->pump = pump;
            job->domain = domain->number;
            job->size = size;
            memcpy(&job->lot, lot, sizeof *lot);
        }
    }
    free(lot);
    if (job != NULL && uv_queue_work(pump->loop, &job->work, work, after_work) == 0)
        pump->draw_running = true;
    else
        free(job);
}

void pump_draws(struct pump *pump)
{
    if (pump->draw_blob == NULL)
        pump->draw_blob = malloc(TIDE_EVENT_BLOB_BYTES_MAX);
    for (unsigned i = 0; i < pump->domain_count && pump->draw_blob != NULL; i++) {
        struct domain *domain = &pump->domains[i];
        enum engine_draw_need need;
        tide_id draw = 0;
        while ((need = engine_draw_needs(domain->engine, draw, &draw)) != ENGINE_DRAW_NOTHING &&
               pump_has_room(pump))
            if (need == ENGINE_DRAW_SECRET)
                seal(pump, domain, draw);
            else if (!pump->draw_running)
                solve(pump, domain, draw);
    }
}
