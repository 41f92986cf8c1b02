/* audit_names.c - what is shown to whom, and what may be in no file any more.
 *
 * A driver does not learn his slot before he stands there; nobody but the staff sees what is
 * another household's; the bytes of a forgotten plate, name or phone are in no file of the
 * database's folder.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/audit_state.h"

#define STAFF                                                                                      \
    (1u << TIDE_ROLE_clerk | 1u << TIDE_ROLE_guard | 1u << TIDE_ROLE_property |                    \
     1u << TIDE_ROLE_steward | 1u << TIDE_ROLE_committee | 1u << TIDE_ROLE_admin)

/* ---- shown --------------------------------------------------------------------------------- */
static void check_item(struct audit *audit, unsigned kind, const union tide_any *item)
{
    const struct tide_person *speaker = audit_speaker(audit);
    if (speaker == NULL || (audit_roles(audit, speaker->id, 0) & STAFF) != 0)
        return;
    if (kind == TIDE_REC_booking) {
        if (item->booking.household != speaker->household)
            audit_fail(audit, "user %u was shown booking %u of household %u", audit->event->user,
                       item->booking.id, item->booking.household);
        if (item->booking.state == TIDE_BOOKING_STATE_booked && item->booking.slot != 0 &&
            item->booking.substitute_for == 0)
            audit_fail(audit, "user %u was shown the slot of booking %u before he came",
                       audit->event->user, item->booking.id);
    }
    if (kind == TIDE_REC_account && item->account.household != speaker->household)
        audit_fail(audit, "user %u was shown the account of household %u", audit->event->user,
                   item->account.household);
    const struct tide_slot *slot = NULL;
    if (kind == TIDE_REC_window)
        slot = audit_slot(audit, item->window.slot);
    if (kind == TIDE_REC_spot)
        slot = audit_slot(audit, item->spot.slot);
    if (slot != NULL && slot->owner != 0 && slot->owner != speaker->household)
        audit_fail(audit, "user %u was shown when slot %u is empty", audit->event->user, slot->id);
}

static void check_notice(struct audit *audit, const struct tide_notice *notice)
{
    const struct tide_booking *booking = audit_booking(audit, notice->booking);
    if (booking == NULL || notice->slot == 0 || booking->state != TIDE_BOOKING_STATE_booked ||
        booking->substitute_for != 0) /* he must find it: its slot is his to know */
        return;
    if ((audit_roles(audit, notice->person, 0) & STAFF) == 0)
        audit_fail(audit, "notice %u shows person %u the slot of booking %u before he came",
                   notice->id, notice->person, booking->id);
}

void audit_shown(struct audit *audit, const struct engine_event *event, const uint8_t *effects,
                 size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    (void)event;
    while (engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb == ENGINE_ITEM)
            check_item(audit, kind, &any);
        if (verb == ENGINE_PUT && kind == TIDE_REC_notice)
            check_notice(audit, &any.notice);
    }
}

/* ---- forgotten ----------------------------------------------------------------------------- */
void audit_name(struct audit *audit, enum tide_name_kind kind, tide_id id, const char *text)
{
    for (uint32_t i = 0; i < audit->name_count; i++) {
        struct audit_name_row *row = &audit->names[i];
        if (row->kind != kind || strcmp(row->text, text) != 0)
            continue;
        row->id = id;
        row->forgotten = false; /* he came back */
        return;
    }
    if (audit->name_count == audit->name_room) {
        audit->name_room = audit->name_room > 0 ? 2 * audit->name_room : 256;
        audit->names = realloc(audit->names, audit->name_room * sizeof *audit->names);
        if (audit->names == NULL)
            abort();
    }
    struct audit_name_row *row = &audit->names[audit->name_count++];
    memset(row, 0, sizeof *row);
    row->kind = (uint8_t)kind;
    row->id = id;
    snprintf(row->text, sizeof row->text, "%s", text);
}

static bool is_of(const struct audit_name_row *row, const struct tide_forgotten *what)
{
    if (row->id != what->id)
        return false;
    if (row->kind == what->kind)
        return true;
    return what->kind == TIDE_NAME_KIND_person &&
           (row->kind == TIDE_NAME_KIND_full_name || row->kind == TIDE_NAME_KIND_phone);
}

void audit_names_event(struct audit *audit)
{
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind != TIDE_REC_forgotten || change->verb != ENGINE_PUT)
            continue;
        for (uint32_t n = 0; n < audit->name_count; n++)
            if (is_of(&audit->names[n], &change->is.forgotten))
                audit->names[n].forgotten = true;
    }
}

static uint8_t *read_whole(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    size_t len = 0, room = 0, got = 0;
    do {
        len += got;
        if (len == room) {
            room = room > 0 ? 2 * room : 1 << 16;
            bytes = realloc(bytes, room);
            if (bytes == NULL)
                abort();
        }
        got = fread(bytes + len, 1, room - len, file);
    } while (got > 0);
    fclose(file);
    *ret_len = len;
    return bytes;
}

static void check_file(struct audit *audit, const char *path)
{
    size_t len = 0;
    uint8_t *bytes = read_whole(path, &len);
    for (uint32_t i = 0; bytes != NULL && i < audit->name_count; i++) {
        const struct audit_name_row *row = &audit->names[i];
        if (row->forgotten && memmem(bytes, len, row->text, strlen(row->text)) != NULL)
            audit_fail(audit, "%s %u is forgotten and its text is still in a file",
                       tide_enum_name(TIDE_FT_enum_name_kind, row->kind), row->id);
    }
    free(bytes);
}

void audit_files(struct audit *audit, const char *folder)
{
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *entry;
    char path[4400];
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        check_file(audit, path);
    }
    if (dir != NULL)
        closedir(dir);
}
