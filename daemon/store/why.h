/* why.h - what can be said of one decision: read from the journal, decided again with the engine's
 * own words listened to. Used by `tided --why` alone; reads, never writes, beside a running daemon.
 */
#ifndef TIDE_STORE_WHY_H
#define TIDE_STORE_WHY_H

#include "daemon/store/store.h"

#define STORE_WHY_LINES_MAX 64
#define STORE_WHY_LATER_MAX 24
#define STORE_WHY_ITEMS_MAX 16

struct store_why_ask {
    const char *domain; /* NULL: the only one there is */
    tide_id booking;    /* or a request: */
    const char *user, *rid;
};

/* One row of the booking that a later event left behind. */
struct store_why_later {
    tide_ms when_ms;
    struct tide_booking was, is;
};

struct store_why {
    bool found;     /* there is such a booking or request in the journal */
    bool redecided; /* it was decided again; else only what is recorded is told */
    bool same;      /* with the same effects, byte by byte */
    uint64_t seq;
    tide_ms when_ms;
    uint32_t rules;
    int utc_offset_min;
    struct engine_event event;   /* without its blob */
    struct tide_reply reply;     /* code ok when the daemon itself decided (a series) */
    struct tide_booking booking; /* made by it; id 0 when none was */
    struct tide_book asked;      /* what a book or a wait was about; else zeroes */
    struct {
        char rule[32];
        int64_t a, b, c;
    } lines[STORE_WHY_LINES_MAX];
    unsigned line_count;
    struct tide_binding bindings[STORE_WHY_ITEMS_MAX];
    struct tide_offer offers[STORE_WHY_ITEMS_MAX];
    unsigned binding_count, offer_count;
    /* Promises of the zone and class that overlap the wish, when it was decided. */
    struct {
        uint32_t slots, promises, parked;
        tide_ms first_made_ms, last_made_ms;
    } zone;
    char zone_name[TIDE_NAME_BYTES_MAX + 1];
    struct store_why_later later[STORE_WHY_LATER_MAX];
    unsigned later_count;
};

/* Fills *ret. STORE_USAGE when the domain or user cannot be told, STORE_VERSION for a database of
 * another schema; STORE_OK with found false when nothing is known of it (a request's answer is
 * forgotten a day after its life). */
enum store_error store_why(const char *path, const struct engine_limits *limits,
                           const struct store_why_ask *ask, struct store_why *ret);

#endif
