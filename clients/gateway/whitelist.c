/* whitelist.c - see whitelist.h. */
#include "clients/gateway/whitelist.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000LL

static const char *verb_of(char state)
{
    switch (state) {
    case GW_ROW_ADD:
        return "add";
    case GW_ROW_UPDATE:
        return "update";
    case GW_ROW_DELETE:
        return "delete";
    default:
        return NULL;
    }
}

void gw_whitelist_begin(struct gw_whitelist *list, const struct gw_camera_conf *camera)
{
    *list = (struct gw_whitelist){.camera = camera};
}

void gw_whitelist_done(struct gw_whitelist *list)
{
    free(list->rows);
    list->rows = NULL;
    list->count = 0;
}

/* ---- rows ----------------------------------------------------------------------------------- */
static struct gw_row *find(const struct gw_whitelist *list, const char *plate)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list->rows[middle].plate, plate) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < list->count && strcmp(list->rows[low].plate, plate) == 0;
    return found ? &list->rows[low] : NULL;
}

static void set_state(struct gw_whitelist *list, struct gw_row *row, char state)
{
    list->todo -= verb_of(row->state) != NULL;
    list->todo += verb_of(state) != NULL;
    row->state = state;
    list->changed = true;
}

static void erase(struct gw_whitelist *list, struct gw_row *row)
{
    size_t at = (size_t)(row - list->rows);
    list->todo -= verb_of(row->state) != NULL;
    memmove(row, row + 1, (list->count - at - 1) * sizeof *row);
    list->count--;
    list->changed = true;
}

/* ---- what is wanted ------------------------------------------------------------------------- */
/* What the camera should hold of a pass (NULL: none). false: nothing, yet or any more. */
static bool wanted_of(const struct gw_whitelist *list, const struct gw_pass *pass, int64_t civil_ms,
                      struct gw_row *ret)
{
    int64_t lapse_ms = civil_ms + list->camera->white_list_days * DAY_MS;
    if (pass == NULL || (pass->until_ms != 0 && pass->until_ms <= civil_ms) ||
        pass->from_ms >= lapse_ms)
        return false;
    bool ends = pass->until_ms != 0 && pass->until_ms < lapse_ms;
    *ret = (struct gw_row){.state = GW_ROW_ADD,
                           .from_ms = pass->from_ms > 0 ? pass->from_ms : civil_ms,
                           .until_ms = ends ? pass->until_ms : lapse_ms};
    memcpy(ret->plate, pass->plate, sizeof ret->plate);
    return true;
}

/* A row that is there suffices while it lets in when it should, and not for longer than it should:
 * a pass without end is renewed at half of its days. */
static bool suffices(const struct gw_whitelist *list, const struct gw_row *row,
                     const struct gw_row *wanted, int64_t civil_ms)
{
    int64_t days_ms = list->camera->white_list_days * DAY_MS;
    if (row->from_ms > civil_ms && row->from_ms != wanted->from_ms)
        return false;
    if (row->from_ms <= civil_ms && wanted->from_ms > civil_ms)
        return false;
    bool lapses = wanted->until_ms == civil_ms + days_ms;
    if (!lapses)
        return row->until_ms == wanted->until_ms;
    return row->until_ms >= civil_ms + days_ms / 2 && row->until_ms <= wanted->until_ms;
}

/* A row that is there, and is wanted so. */
static void want(const struct gw_whitelist *list, struct gw_row *row, const struct gw_row *wanted,
                 int64_t civil_ms, int64_t now_ms)
{
    if (row->state == GW_ROW_FOREIGN) {
        if (row->tried_ms == 0)
            row->tried_ms = now_ms;
        if (now_ms - row->tried_ms < GW_FOREIGN_AGAIN_MS)
            return;
        row->state = GW_ROW_ADD;
    } else if (row->state == GW_ROW_DELETE) {
        row->state = GW_ROW_UPDATE;
    } else if (suffices(list, row, wanted, civil_ms)) {
        return;
    } else if (row->state == GW_ROW_WRITTEN) {
        row->state = GW_ROW_UPDATE;
    }
    row->from_ms = wanted->from_ms;
    row->until_ms = wanted->until_ms;
}

/* A row that is there, and is not wanted. false: it is forgotten. */
static bool unwant(const struct gw_whitelist *list, struct gw_row *row)
{
    bool sent = list->awaiting && strcmp(list->awaited.plate, row->plate) == 0;
    if (row->state == GW_ROW_FOREIGN || (row->state == GW_ROW_ADD && !sent))
        return false;
    row->state = GW_ROW_DELETE;
    return true;
}

/* Takes over the rows, counts what is to be done, and notes whether anything changed. */
static void install(struct gw_whitelist *list, struct gw_row *rows, size_t count)
{
    list->todo = 0;
    list->changed |= count != list->count;
    for (size_t i = 0; i < count; i++) {
        list->todo += verb_of(rows[i].state) != NULL;
        list->changed |= i < list->count && (rows[i].state != list->rows[i].state ||
                                             rows[i].from_ms != list->rows[i].from_ms ||
                                             rows[i].until_ms != list->rows[i].until_ms ||
                                             strcmp(rows[i].plate, list->rows[i].plate) != 0);
    }
    free(list->rows);
    list->rows = rows;
    list->count = count;
}

void gw_whitelist_reconcile(struct gw_whitelist *list, const struct gw_passes *passes,
                            int64_t civil_ms, int64_t now_ms)
{
    size_t i = 0, k = 0, count = 0;
    struct gw_row *rows = malloc((list->count + passes->count + 1) * sizeof *rows);
    if (rows == NULL)
        return;                                    /* the next minute tries again */
    while (i < list->count || k < passes->count) { /* both are sorted by plate */
        int order = i == list->count     ? 1
                    : k == passes->count ? -1
                                         : strcmp(list->rows[i].plate, passes->rows[k].plate);
        const struct gw_pass *pass = order >= 0 ? &passes->rows[k++] : NULL;
        struct gw_row wanted, *row = &rows[count];
        bool is_wanted = wanted_of(list, pass, civil_ms, &wanted);
        if (order <= 0) {
            *row = list->rows[i++];
            if (is_wanted)
                want(list, row, &wanted, civil_ms, now_ms);
            count += is_wanted || unwant(list, row);
        } else if (is_wanted && count < GW_ROWS_MAX) {
            *row = wanted; /* a camera holds no more; the gateway's own list still does */
            count++;
        }
    }
    install(list, rows, count);
}

/* ---- writing -------------------------------------------------------------------------------- */
void gw_whitelist_alive(struct gw_whitelist *list, int64_t now_ms)
{
    bool was_gone =
        list->silent || (list->heard_ms != 0 && now_ms - list->heard_ms > GW_CAMERA_SILENT_MS);
    list->heard_ms = now_ms;
    list->silent = false;
    for (size_t i = 0; was_gone && i < list->count; i++)
        if (list->rows[i].state == GW_ROW_WRITTEN)
            set_state(list, &list->rows[i], GW_ROW_UPDATE);
}

/* Written as it is wanted, or as it was wanted when it was sent. */
static char written(const struct gw_whitelist *list, const struct gw_row *row)
{
    bool same = row->from_ms == list->awaited.from_ms && row->until_ms == list->awaited.until_ms;
    return same ? GW_ROW_WRITTEN : GW_ROW_UPDATE;
}

static void settle(struct gw_whitelist *list, const struct gw_whitelist_io *io, struct gw_row *row,
                   const char *verb, bool good, int64_t now_ms)
{
    switch (verb[0]) {
    case 'd':
        if (row->state == GW_ROW_DELETE)
            erase(list, row);
        else
            set_state(list, row, GW_ROW_ADD); /* wanted again meanwhile */
        break;
    case 'u':
        if (row->state == GW_ROW_UPDATE)
            set_state(list, row, good ? written(list, row) : (char)GW_ROW_ADD);
        break;
    default:
        if (!good) {
            io->tell(io->arg, list->camera, "white_list.foreign", row->plate);
            row->tried_ms = now_ms;
            set_state(list, row, GW_ROW_FOREIGN);
        } else if (row->state == GW_ROW_ADD) {
            set_state(list, row, written(list, row));
        }
    }
}

void gw_whitelist_reply(struct gw_whitelist *list, const struct gw_whitelist_io *io,
                        uint32_t serial, int code, int64_t now_ms)
{
    static const char *const verbs[] = {"add", "update", "delete"};
    if (!list->awaiting || serial != list->serial)
        return;
    list->awaiting = false;
    list->tries = 0;
    struct gw_row *row = find(list, list->awaited.plate);
    if (row != NULL)
        settle(list, io, row, verbs[serial % 4 - 1], code == 200, now_ms);
}

/* The low two bits of a serial tell the verb that was sent: the row may want another by now. */
static uint32_t next_serial(const struct gw_whitelist *list, char state)
{
    uint32_t verb = state == GW_ROW_ADD ? 1 : state == GW_ROW_UPDATE ? 2 : 3;
    return (list->serial / 4 + 1) * 4 + verb;
}

static struct gw_row *next_row(const struct gw_whitelist *list)
{
    struct gw_row *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct gw_row *row = &list->rows[i];
        if (row->state == GW_ROW_DELETE)
            return row;
        if (found == NULL && verb_of(row->state) != NULL)
            found = row;
    }
    return found;
}

static bool may_write(const struct gw_whitelist *list)
{
    return list->camera->white_list && list->todo > 0 && !list->awaiting && !list->silent &&
           list->heard_ms != 0;
}

void gw_whitelist_tick(struct gw_whitelist *list, const struct gw_whitelist_io *io, int64_t now_ms)
{
    if (list->awaiting && now_ms >= list->reply_due_ms) {
        list->awaiting = false;
        if (++list->tries >= GW_ROW_TRIES) {
            io->tell(io->arg, list->camera, "white_list.camera_silent", "");
            list->silent = true;
            list->tries = 0;
        }
    }
    if (list->heard_ms != 0 && now_ms - list->heard_ms > GW_CAMERA_SILENT_MS)
        list->silent = true;
    if (!may_write(list) || now_ms < list->next_ms)
        return;
    struct gw_row *row = next_row(list);
    assert(row != NULL);
    list->serial = next_serial(list, row->state);
    list->next_ms = now_ms + 1000 / list->camera->white_list_per_s;
    if (!io->write(io->arg, list->camera, verb_of(row->state), row, list->serial))
        return;
    list->awaiting = true;
    list->reply_due_ms = now_ms + GW_ROW_REPLY_MS;
    list->awaited = *row;
}

int64_t gw_whitelist_due(const struct gw_whitelist *list)
{
    if (list->awaiting)
        return list->reply_due_ms;
    return may_write(list) ? list->next_ms : INT64_MAX;
}
