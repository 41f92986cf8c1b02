/* passes.h - the gateway's own list: which plate may pass while nobody answers.
 *
 * It comes from the daemon, whole and in pages after each hello, then as changes. A whole list
 * takes effect when its last page is there; until then the old one stands. It is kept on disk, so
 * that a gate works on a morning without network after a night without power.
 *
 * A plate stands in it once, with one span; a change takes the place of what the list says of its
 * plate. Times are civil and half-open.
 */
#ifndef TIDE_GATEWAY_PASSES_H
#define TIDE_GATEWAY_PASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/civil.h"
#include "clients/gateway/decoder.h"

#define GW_PASSES_MAX 65536
#define GW_PAGES_MAX 4096

struct gw_pass {
    char plate[GW_PLATE_CAP];
    int64_t from_ms, until_ms; /* until 0: for good */
};

struct gw_passes {
    struct gw_pass *rows; /* sorted by plate */
    size_t count, cap;
    uint32_t ver;
    struct gw_civil civil; /* kept with the list: what its times mean after a restart */

    struct gw_pass *staged; /* of a whole list that is still coming */
    size_t staged_count, staged_cap;
    uint32_t staged_ver;
    unsigned staged_pages, staged_seen;
    uint8_t page_seen[GW_PAGES_MAX / 8];
};

enum gw_passes_result {
    GW_PASSES_PART = 0, /* a page, more must come; or a change that is older than the list */
    GW_PASSES_NEW = 1,  /* the list changed */
    GW_PASSES_INVALID = -1
};

void gw_passes_done(struct gw_passes *passes);
/* The body of down/list. */
enum gw_passes_result gw_passes_take(struct gw_passes *passes, const cJSON *body);
bool gw_passes_may(const struct gw_passes *passes, const char *plate, int64_t civil_ms);
/* What the list says of a plate; NULL: nothing. Good until the list changes. */
const struct gw_pass *gw_passes_of(const struct gw_passes *passes, const char *plate);

/* The file's text, malloc'ed; NULL without memory. */
char *gw_passes_write(const struct gw_passes *passes, size_t *ret_len);
/* Reads such a file. 0; -1 with errno (EBADMSG: damaged, *ret untouched). */
int gw_passes_read(struct gw_passes *ret, const char *path);

#endif
