/* support.c - the directory of names that the fuzz targets decode against. */
#include "tests/fuzz/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tide/check.h"
#include "tide/limits.h"

#define MADE_MAX 128u
#define FIRST_MADE 8u /* above the known ids */

static const struct {
    enum tide_name_kind kind;
    tide_id id;
    const char *text;
} known[] = {
    {TIDE_NAME_KIND_plate, 1, "浙FA1234"},
    {TIDE_NAME_KIND_plate, 2, "浙FD12345"},
    {TIDE_NAME_KIND_place, 1, "lidu"},
    {TIDE_NAME_KIND_place, 2, "3-2-501"},
    {TIDE_NAME_KIND_person, 1, "admin/1"},
    {TIDE_NAME_KIND_person, 2, "3-2-501/1"},
    {TIDE_NAME_KIND_user, 1, "admin"},
    {TIDE_NAME_KIND_user, 2, "gw1"},
    {TIDE_NAME_KIND_zone, 1, "A"},
    {TIDE_NAME_KIND_slot, 1, "A-017"},
    {TIDE_NAME_KIND_lane, 1, "G1-in"},
    {TIDE_NAME_KIND_full_name, 2, "陈明"},
    {TIDE_NAME_KIND_phone, 2, "13800000000"},
};

/* What `make` handed out in this run, so that a later row may name what an earlier one made; ids
 * of a kind in the order in which they came. */
static struct {
    enum tide_name_kind kind;
    size_t len;
    char text[TIDE_NAME_BYTES_MAX];
} made[MADE_MAX];
static uint32_t made_count;

static tide_id find(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    (void)arg;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].kind == kind && strlen(known[i].text) == len &&
            memcmp(known[i].text, text, len) == 0)
            return known[i].id;
    tide_id id = FIRST_MADE;
    for (uint32_t i = 0; i < made_count; i++) {
        if (made[i].kind != kind)
            continue;
        if (made[i].len == len && memcmp(made[i].text, text, len) == 0)
            return id;
        id++;
    }
    return 0;
}

static tide_id make(void *arg, enum tide_name_kind kind, const char *text, size_t len)
{
    tide_id id = find(arg, kind, text, len);
    if (id != 0 || made_count == MADE_MAX)
        return id;
    if (len == 0 || len > TIDE_NAME_BYTES_MAX)
        fuzz_fail("a name that is made has 1 to TIDE_NAME_BYTES_MAX bytes");
    made[made_count].kind = kind;
    made[made_count].len = len;
    memcpy(made[made_count].text, text, len);
    made_count++;
    return find(arg, kind, text, len);
}

static int set(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len)
{
    (void)arg;
    (void)kind;
    (void)text;
    (void)len;
    return id == 0 ? -1 : 0;
}

static const char *text_of(void *arg, enum tide_name_kind kind, tide_id id)
{
    (void)arg;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].kind == kind && known[i].id == id)
            return known[i].text;
    return NULL;
}

const struct tide_names *fuzz_names(void)
{
    static const struct tide_names names = {NULL, find, make, set, text_of};
    return &names;
}

void fuzz_names_reset(void)
{
    made_count = 0;
}

_Noreturn void fuzz_fail(const char *what)
{
    fprintf(stderr, "property broken: %s\n", what);
    abort();
}

const char *fuzz_file(const uint8_t *bytes, size_t len)
{
    static int file = -1;
    static char path[32];
    if (file < 0) {
        file = memfd_create("input", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, len, 0) != (ssize_t)len)
        fuzz_fail("a file can be made");
    return path;
}

/* The daemon has one that logs; a fuzz target that links it takes that one. */
__attribute__((weak)) _Noreturn void engine_check_failed(const char *expression, const char *file,
                                                         int line)
{
    fprintf(stderr, "%s:%d: CHECK(%s)\n", file, line, expression);
    abort();
}

void fuzz_event_round_trip(const struct engine_event *event)
{
    static uint8_t first[2 * TIDE_EVENT_BLOB_BYTES_MAX], again[2 * TIDE_EVENT_BLOB_BYTES_MAX];
    size_t len = engine_event_pack(event, first, sizeof first);
    if (len == 0)
        fuzz_fail("what was decoded can be packed");
    struct engine_event back;
    memset(&back, 0, sizeof back);
    if (engine_event_unpack(first, len, &back) != len)
        fuzz_fail("what was packed can be unpacked, to its last byte");
    if (engine_event_pack(&back, again, sizeof again) != len || memcmp(first, again, len) != 0)
        fuzz_fail("packed, unpacked, packed again: the same bytes");
}

bool fuzz_same(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}
