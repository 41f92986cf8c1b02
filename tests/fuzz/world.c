/* world.c - see world.h. */
#include "tests/fuzz/world.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/codec.h"
#include "tests/fuzz/support.h"

static const char *const neighbourhood =
    "{\"rid\":\"n\",\"expires\":\"2030-01-01T00:00:00Z\",\"rows\":["
    "{\"is\":\"place\",\"place\":\"3-2-501\",\"kind\":\"household\",\"parent\":\"lidu\"},"
    "{\"is\":\"person\",\"person\":\"3-2-501/1\",\"household\":\"3-2-501\"},"
    "{\"is\":\"role\",\"person\":\"3-2-501/1\",\"role\":\"resident\",\"place\":\"3-2-501\"},"
    "{\"is\":\"role\",\"person\":\"admin/1\",\"role\":\"gateway\",\"place\":\"lidu\"},"
    "{\"is\":\"user\",\"user\":\"gw1\",\"person\":\"admin/1\",\"kind\":\"gateway\"},"
    "{\"is\":\"user\",\"user\":\"app1\",\"person\":\"3-2-501/1\",\"kind\":\"app\"},"
    "{\"is\":\"vehicle\",\"plate\":\"浙FA1234\",\"household\":\"3-2-501\"},"
    "{\"is\":\"zone\",\"zone\":\"A\",\"place\":\"lidu\",\"sense\":[\"gate\",\"sensor\"],"
    "\"outsiders\":true,\"resolution\":1},"
    "{\"is\":\"slot\",\"slot\":\"A-017\",\"zone\":\"A\",\"title\":\"owned\","
    "\"owner\":\"3-2-501\",\"sensed\":true},"
    "{\"is\":\"slot\",\"slot\":\"A-018\",\"zone\":\"A\",\"title\":\"common\"},"
    "{\"is\":\"lane\",\"lane\":\"G1-in\",\"place\":\"lidu\",\"dir\":\"both\",\"gateway\":\"gw1\"},"
    "{\"is\":\"window\",\"slot\":\"A-017\",\"kind\":\"weekly\",\"days\":[\"workday\"],"
    "\"opens\":\"08:00\",\"closes\":\"18:00\"},"
    "{\"is\":\"window\",\"slot\":\"A-018\",\"kind\":\"weekly\","
    "\"days\":[\"workday\",\"restday\",\"holiday\"],\"opens\":\"00:00\",\"closes\":\"24:00\"}]}";

struct engine *fuzz_engine_empty(void)
{
    static const struct engine_limits limits = {.places = 160,
                                                .persons = 160,
                                                .roles = 32,
                                                .users = 160,
                                                .vehicles = 32,
                                                .zones = 160,
                                                .slots = 160,
                                                .lanes = 160,
                                                .windows = 64,
                                                .bookings = 64,
                                                .series = 16,
                                                .sessions = 64,
                                                .incidents = 64,
                                                .commands = 32,
                                                .horizon_days_max = 16};
    static void *memory;
    static size_t size;
    if (memory == NULL) {
        size = engine_size(&limits);
        memory = aligned_alloc(64, (size + 63) / 64 * 64);
        if (memory == NULL)
            fuzz_fail("there is memory");
    }
    return engine_init(memory, size, &limits);
}

static void put(struct engine *engine)
{
    static struct tide_request request;
    static uint8_t buf[TIDE_EFFECTS_BYTES_MAX];
    struct engine_effects effects = {.buf = buf, .cap = sizeof buf};
    struct tide_fault fault;
    struct engine_event genesis = {.when_ms = FUZZ_MORNING_MS, .kind = TIDE_REC_genesis};
    genesis.as.genesis =
        (struct tide_genesis){.community = 1, .admin = 1, .admin_user = 1, .utc_offset_min = 480};
    engine_step(engine, &genesis, &effects);
    if (tide_decode_request(tide_op_find("admin.put"), (const uint8_t *)neighbourhood,
                            strlen(neighbourhood), fuzz_names(), 480, &request, &fault) != 0)
        fuzz_fail("the neighbourhood can be read");
    request.event.when_ms = FUZZ_MORNING_MS;
    request.event.user = 1;
    engine_step(engine, &request.event, &effects);
    if (engine_find(engine, TIDE_REC_window, 2, 0, 0) == NULL)
        fuzz_fail("the neighbourhood can be put in");
}

struct engine *fuzz_world(void)
{
    struct engine *engine = fuzz_engine_empty();
    fuzz_names_reset();
    put(engine);
    return engine;
}
