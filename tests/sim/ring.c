/* ring.c - the last lines of the narrative, so that a violation is told with what led to it. It
 * lies in memory that is shared with the process that watches: it can tell them when the player
 * died of a failed assertion.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/sim/sim.h"

#define RING_LINES 512u
#define RING_LINE_BYTES 480u

struct sim_ring {
    bool aloud;
    uint32_t next, used;
    uint64_t last_seq;
    char line[RING_LINES][RING_LINE_BYTES];
};

struct sim_ring *sim_ring_new(bool aloud)
{
    struct sim_ring *ring =
        mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        abort();
    ring->aloud = aloud;
    return ring;
}

struct sim_ring *sim_ring_free(struct sim_ring *ring)
{
    if (ring != NULL)
        munmap(ring, sizeof *ring);
    return NULL;
}

void sim_ring_say(struct sim_ring *ring, const char *format, ...)
{
    va_list args;
    char *line = ring->line[ring->next];
    va_start(args, format);
    vsnprintf(line, RING_LINE_BYTES, format, args);
    va_end(args);
    ring->next = (ring->next + 1) % RING_LINES;
    ring->used += ring->used < RING_LINES ? 1 : 0;
    if (ring->aloud)
        puts(line);
}

void sim_ring_trace(void *arg, const struct engine_trace *line)
{
    char text[RING_LINE_BYTES - 16];
    sim_ring_say(arg, "        %s", narrate_line(line, SIM_UTC_OFFSET_MIN, text, sizeof text));
}

void sim_ring_tell(const struct sim_ring *ring, FILE *out, unsigned lines)
{
    uint32_t count = lines < ring->used ? lines : ring->used;
    for (uint32_t i = count; i > 0; i--)
        fprintf(out, "%s\n", ring->line[(ring->next + RING_LINES - i) % RING_LINES]);
}

uint64_t sim_ring_last_seq(const struct sim_ring *ring)
{
    return ring->last_seq;
}

void sim_ring_event(struct sim_ring *ring, uint64_t seq, const struct engine_event *event)
{
    ring->last_seq = seq > 0 ? seq : ring->last_seq;
    char when[40], what[360];
    sim_ring_say(ring, "#%llu %s user %u: %s", (unsigned long long)seq,
                 narrate_time(event->when_ms, SIM_UTC_OFFSET_MIN, when, sizeof when), event->user,
                 narrate_record(event->kind, &event->as, SIM_UTC_OFFSET_MIN, what, sizeof what));
}

void sim_ring_effects(struct sim_ring *ring, const uint8_t *effects, size_t len)
{
    static const char *const verbs[] = {"?", "put", "del", "reply", "item"};
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    char what[400];
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any))
        sim_ring_say(ring, "    %s %s", verbs[verb],
                     narrate_record(kind, &any, SIM_UTC_OFFSET_MIN, what, sizeof what));
}
