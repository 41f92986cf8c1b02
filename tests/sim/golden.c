/* golden.c - see golden.h. */
#include "tests/sim/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "TIDEGOLD"
#define EVENT_BYTES_MAX (TIDE_EVENT_BLOB_BYTES_MAX + 1024)

struct golden {
    FILE *file;
    bool failed;
    uint8_t event[EVENT_BYTES_MAX];
};

void golden_limits(struct engine_limits *ret)
{
    *ret = (struct engine_limits){.places = 64,
                                  .persons = 128,
                                  .roles = 128,
                                  .users = 128,
                                  .vehicles = 128,
                                  .zones = 8,
                                  .slots = 32,
                                  .lanes = 8,
                                  .windows = 256,
                                  .bookings = 64,
                                  .series = 8,
                                  .sessions = 48,
                                  .incidents = 32,
                                  .horizon_days_max = 16};
}

/* ---- writing ------------------------------------------------------------------------------- */
static void write_bytes(struct golden *g, const void *bytes, size_t len)
{
    g->failed |= fwrite(bytes, 1, len, g->file) != len;
}

static void write_number(struct golden *g, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    write_bytes(g, bytes, width);
}

struct golden *golden_begin(const char *path)
{
    struct golden *g = calloc(1, sizeof *g);
    if (g == NULL)
        abort();
    g->file = fopen(path, "wb");
    if (g->file == NULL) {
        free(g);
        return NULL;
    }
    write_bytes(g, MAGIC, 8);
    write_number(g, ENGINE_RULES, 4);
    return g;
}

void golden_add(struct golden *g, const struct engine_event *event, const uint8_t *effects,
                size_t len)
{
    size_t event_len = engine_event_pack(event, g->event, sizeof g->event);
    g->failed |= event_len == 0;
    write_number(g, (uint64_t)event->when_ms, 8);
    write_number(g, event_len, 4);
    write_number(g, len, 4);
    write_bytes(g, g->event, event_len);
    write_bytes(g, effects, len);
}

int golden_end(struct golden *g, const struct engine *engine)
{
    uint8_t digest[32];
    if (g == NULL)
        return 0;
    engine_digest(engine, digest);
    write_number(g, 0, 8);
    write_bytes(g, digest, sizeof digest);
    g->failed |= fclose(g->file) != 0;
    int rc = g->failed ? -1 : 0;
    free(g);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------- */
static bool read_number(FILE *file, size_t width, uint64_t *ret)
{
    uint8_t bytes[8];
    *ret = 0;
    if (fread(bytes, 1, width, file) != width)
        return false;
    for (size_t i = 0; i < width; i++)
        *ret |= (uint64_t)bytes[i] << (8 * i);
    return true;
}

/* 1: an entry; 0: the end; -1: no entry. */
static int read_entry(FILE *file, uint64_t seq, golden_fn *fn, void *arg, uint8_t *bytes)
{
    uint64_t when, event_len, effects_len;
    struct engine_event event;
    if (!read_number(file, 8, &when))
        return -1;
    if (when == 0)
        return 0;
    if (!read_number(file, 4, &event_len) || !read_number(file, 4, &effects_len) ||
        event_len > EVENT_BYTES_MAX || effects_len > TIDE_EFFECTS_BYTES_MAX ||
        fread(bytes, 1, event_len + effects_len, file) != event_len + effects_len ||
        engine_event_unpack(bytes, event_len, &event) != event_len)
        return -1;
    event.when_ms = (tide_ms)when;
    fn(arg, seq, &event, bytes + event_len, effects_len);
    return 1;
}

int golden_read(const char *path, uint32_t *ret_rules, golden_fn *fn, void *arg,
                uint8_t ret_digest[32])
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(EVENT_BYTES_MAX + TIDE_EFFECTS_BYTES_MAX);
    char magic[8] = "";
    uint64_t rules = 0;
    int rc = file != NULL && bytes != NULL && fread(magic, 1, 8, file) == 8 &&
                     memcmp(magic, MAGIC, 8) == 0 && read_number(file, 4, &rules)
                 ? 1
                 : -1;
    for (uint64_t seq = 1; rc == 1; seq++)
        rc = read_entry(file, seq, fn, arg, bytes);
    if (rc == 0 && fread(ret_digest, 1, 32, file) != 32)
        rc = -1;
    if (rc == 0)
        *ret_rules = (uint32_t)rules;
    if (file != NULL)
        (void)fclose(file);
    free(bytes);
    return rc;
}
