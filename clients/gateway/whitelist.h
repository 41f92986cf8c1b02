/* whitelist.h - plates in a camera's own list, for the hour in which even the gateway is away.
 *
 *            ┌─────── refused: somebody else's row ──────► FOREIGN (left alone for a day)
 *   wanted ──┴─► ADD ──200──► WRITTEN ──expiry changed, camera came back──► UPDATE ──200──► WRITTEN
 *                                │                                             └─refused──► ADD
 *                                └──no longer wanted──► DELETE ──answered──► forgotten
 *
 * The camera may belong to another maker's system, which keeps rows of its own there. So the
 * gateway remembers in a file of its own which rows it wrote, and changes and deletes only those.
 * A row that it adds and that is refused was there before: it is somebody else's.
 *
 * Every row lapses: at the end of its pass, or after white_list_days (renewed at half of it), so
 * that a camera that is never reached again forgets by itself. One write is under way a camera,
 * at most white_list_per_s are begun a second, and none while the camera is silent.
 */
#ifndef TIDE_GATEWAY_WHITELIST_H
#define TIDE_GATEWAY_WHITELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/passes.h"

#define GW_ROWS_MAX 10000
#define GW_ROW_REPLY_MS 3000
#define GW_ROW_TRIES 3
#define GW_CAMERA_SILENT_MS 35000 /* it says keep_alive every 10 s */
#define GW_FOREIGN_AGAIN_MS 86400000LL

enum gw_row_state {
    GW_ROW_ADD = 'a',
    GW_ROW_WRITTEN = 'w',
    GW_ROW_UPDATE = 'u',
    GW_ROW_DELETE = 'd',
    GW_ROW_FOREIGN = 'f'
};

struct gw_row {
    char plate[GW_PLATE_CAP];
    int64_t from_ms, until_ms; /* civil, as written or to be written */
    char state;                /* enum gw_row_state */
    int64_t tried_ms;          /* FOREIGN: elapsed, when it was refused; 0: before this start */
};

struct gw_whitelist {
    const struct gw_camera_conf *camera;
    struct gw_row *rows; /* sorted by plate */
    size_t count;
    size_t todo;  /* rows in ADD, UPDATE, DELETE */
    bool changed; /* since the last gw_whitelist_write */

    bool awaiting;         /* a write is under way */
    struct gw_row awaited; /* as it was sent */
    uint32_t serial;       /* of the write under way */
    unsigned tries;
    int64_t reply_due_ms, next_ms; /* elapsed */
    int64_t heard_ms;              /* elapsed: last sign of life; 0: never */
    bool silent;
};

struct gw_whitelist_io {
    void *arg;
    /* Sends to the camera; verb "add", "update", "delete". false: not sent. */
    bool (*write)(void *arg, const struct gw_camera_conf *camera, const char *verb,
                  const struct gw_row *row, uint32_t serial);
    /* For the log. */
    void (*tell)(void *arg, const struct gw_camera_conf *camera, const char *what,
                 const char *plate);
};

void gw_whitelist_begin(struct gw_whitelist *list, const struct gw_camera_conf *camera);
void gw_whitelist_done(struct gw_whitelist *list);
/* Compares with what is wanted; call when the passes changed and every few minutes. */
void gw_whitelist_reconcile(struct gw_whitelist *list, const struct gw_passes *passes,
                            int64_t civil_ms, int64_t now_ms);
/* The camera gave a sign of life. After a silence all rows are written again. */
void gw_whitelist_alive(struct gw_whitelist *list, int64_t now_ms);
void gw_whitelist_reply(struct gw_whitelist *list, const struct gw_whitelist_io *io,
                        uint32_t serial, int code, int64_t now_ms);
void gw_whitelist_tick(struct gw_whitelist *list, const struct gw_whitelist_io *io, int64_t now_ms);
/* Elapsed time of the next tick, INT64_MAX: none. */
int64_t gw_whitelist_due(const struct gw_whitelist *list);

/* The rows that are ours, as a file: text malloc'ed, NULL without memory; clears `changed`. */
char *gw_whitelist_write(struct gw_whitelist *list, size_t *ret_len);
/* 0; -1 with errno (EBADMSG: damaged; then the list stays empty: rows of ours that are forgotten so
 * lapse by themselves). */
int gw_whitelist_read(struct gw_whitelist *list, const char *path);

#endif
