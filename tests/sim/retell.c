/* retell.c - events as the lines of a story (script.h): what can be pasted into a test. What a
 * story has no words for is a comment.
 *
 * Names are made of ids: household 7 is h7, zone 2 is B, slot 31 of it B31, plate 5 P5. A story
 * plays in 2019 from Monday, May 20th on; so all times move by whole weeks.
 */
#include <string.h>

#include "tests/sim/naive.h"
#include "tests/sim/narrate.h"
#include "tests/sim/tape.h"

#define UTC_OFFSET_MIN 480
#define WEEK_MS (7 * TIDE_DAY_MS)

static const struct naive_calendar plain = {.utc_offset_min = UTC_OFFSET_MIN};

/* ---- times ---------------------------------------------------------------------------------- */
static void say_time(struct retell *r, tide_ms at)
{
    int year, month, day;
    int32_t date = naive_date(&plain, at + r->shift_ms);
    int minute = (int)((at + r->shift_ms - naive_midnight(&plain, date)) / TIDE_MINUTE_MS);
    naive_civil(date, &year, &month, &day);
    fprintf(r->out, "%02d-%02d %02d:%02d", month, day, minute / 60, minute % 60);
}

static void say_span(struct retell *r, tide_ms start, tide_ms end)
{
    int32_t date = naive_date(&plain, end + r->shift_ms);
    int minute = (int)((end + r->shift_ms - naive_midnight(&plain, date)) / TIDE_MINUTE_MS);
    say_time(r, start);
    fprintf(r->out, "-%02d:%02d", minute / 60, minute % 60);
}

static void say_hours(struct retell *r, int32_t opens, int32_t closes)
{
    closes = closes > 1440 ? closes - 1440 : closes;
    fprintf(r->out, "%02d:%02d-%02d:%02d", opens / 60, opens % 60, closes / 60, closes % 60);
}

static const char *days_name(uint8_t days)
{
    return days == TIDE_DAYS_WORKDAY   ? "workday"
           : days == TIDE_DAYS_RESTDAY ? "restday"
           : days == TIDE_DAYS_HOLIDAY ? "holiday"
           : days == TIDE_DAYS_EVE     ? "eve"
                                       : "all";
}

static void pass_time(struct retell *r, tide_ms now)
{
    const tide_ms monday = naive_days_from(2019, 5, 20) * TIDE_DAY_MS;
    if (r->minute == 0) {
        while (now + r->shift_ms < monday)
            r->shift_ms += WEEK_MS;
        while (now + r->shift_ms - WEEK_MS >= monday)
            r->shift_ms -= WEEK_MS;
    }
    if (now / TIDE_MINUTE_MS == r->minute)
        return;
    r->minute = now / TIDE_MINUTE_MS;
    fprintf(r->out, "at ");
    say_time(r, now);
    fprintf(r->out, "\n");
}

/* ---- names ---------------------------------------------------------------------------------- */
static void say_zone(struct retell *r, tide_id zone)
{
    fprintf(r->out, "%c", zone >= 1 && zone <= 26 ? (int)('A' + zone - 1) : 'Z');
}

static void say_slot(struct retell *r, const struct replay *replay, tide_id slot)
{
    const union tide_any *row = sim_rows_find(replay->rows, TIDE_REC_slot, slot, 0, 0);
    say_zone(r, row != NULL ? row->slot.zone : 0);
    fprintf(r->out, "%u", slot);
}

static void say_who(struct retell *r, const struct replay *replay, tide_id user)
{
    static const enum tide_role staff[] = {TIDE_ROLE_clerk, TIDE_ROLE_guard, TIDE_ROLE_property};
    const union tide_any *u = sim_rows_find(replay->rows, TIDE_REC_user, user, 0, 0);
    tide_id person = u != NULL ? u->user.person : 0;
    const union tide_any *p = sim_rows_find(replay->rows, TIDE_REC_person, person, 0, 0);
    if (p != NULL && p->person.household != 0) {
        fprintf(r->out, "h%u", p->person.household);
        return;
    }
    for (unsigned i = 0; i < 3; i++)
        if (engine_has_role(replay->engine, person, staff[i])) {
            fprintf(r->out, "%s", tide_enum_name(TIDE_FT_enum_role, staff[i]));
            return;
        }
    fprintf(r->out, "admin");
}

/* ---- rows ----------------------------------------------------------------------------------- */
static bool is_outside(const struct replay *replay, tide_id place)
{
    for (unsigned i = 0; place != 0 && i < 16; i++) {
        const union tide_any *row = sim_rows_find(replay->rows, TIDE_REC_place, place, 0, 0);
        if (row == NULL || row->place.kind == TIDE_PLACE_KIND_compound)
            return row == NULL;
        place = row->place.parent;
    }
    return true;
}

static void say_window(struct retell *r, const struct replay *replay, const char *verb,
                       const struct tide_window *w)
{
    fprintf(r->out, "%s ", verb);
    say_slot(r, replay, w->slot);
    if (w->kind == TIDE_WINDOW_KIND_weekly) {
        fprintf(r->out, " %s ", days_name(w->days));
        say_hours(r, w->opens_min, w->closes_min);
        return;
    }
    fprintf(r->out, " once ");
    say_span(r, w->start_ms, w->end_ms);
}

static void say_vehicle(struct retell *r, const struct tide_vehicle *v)
{
    const char *kind = v->kind == TIDE_VEHICLE_KIND_emergency ? "emergency"
                       : v->kind == TIDE_VEHICLE_KIND_blocked ? "blocked"
                                                              : "plate";
    fprintf(r->out, "%s P%u", kind, v->plate);
    if (v->household != 0)
        fprintf(r->out, " of h%u", v->household);
}

static void say_slot_row(struct retell *r, const struct tide_slot *s)
{
    fprintf(r->out, "slot ");
    say_zone(r, s->zone);
    fprintf(r->out, "%u", s->id);
    if (s->owner != 0)
        fprintf(r->out, " of h%u", s->owner);
    if (s->cls == TIDE_SLOT_CLASS_charger)
        fprintf(r->out, " charger");
}

static void say_zone_row(struct retell *r, const struct tide_zone *z)
{
    fprintf(r->out, "zone ");
    say_zone(r, z->id);
    fprintf(r->out, "%s%s%s%s", (z->sense & TIDE_SENSE_GATE) != 0 ? " gate" : "",
            (z->sense & TIDE_SENSE_SENSOR) != 0 ? " sensor" : "",
            (z->sense & TIDE_SENSE_HAND) != 0 ? " hand" : "", z->outsiders ? " outsiders" : "");
}

/* False when a story needs no line for it. */
static bool say_row(struct retell *r, const struct replay *replay, const struct engine_event *event)
{
    unsigned kind = event->blob_len > 0 ? event->blob[0] : 0;
    const struct tide_record *desc = tide_record_of(kind);
    union tide_any row;
    if (desc == NULL || tide_record_unpack(desc, event->blob + 1, event->blob_len - 1, &row) == 0)
        return false;
    if (kind == TIDE_REC_place && (row.place.kind == TIDE_PLACE_KIND_household ||
                                   row.place.kind == TIDE_PLACE_KIND_organisation))
        fprintf(r->out, "household h%u%s", row.place.id,
                is_outside(replay, row.place.parent) ? " outside" : "");
    else if (kind == TIDE_REC_vehicle)
        say_vehicle(r, &row.vehicle);
    else if (kind == TIDE_REC_zone)
        say_zone_row(r, &row.zone);
    else if (kind == TIDE_REC_slot)
        say_slot_row(r, &row.slot);
    else if (kind == TIDE_REC_window)
        say_window(r, replay, "window", &row.window);
    else if (kind == TIDE_REC_setting_row)
        fprintf(r->out, "set %s %lld", tide_enum_name(TIDE_FT_enum_setting, row.setting_row.key),
                (long long)row.setting_row.value);
    else
        return false;
    return true;
}

/* ---- events --------------------------------------------------------------------------------- */
static void say_book(struct retell *r, const struct tide_book *b)
{
    fprintf(r->out, " books P%u in ", b->plate);
    say_zone(r, b->zone);
    fprintf(r->out, " ");
    say_span(r, b->start_ms, b->end_ms);
    if (b->cls == TIDE_SLOT_CLASS_charger)
        fprintf(r->out, " charger");
    if (b->household != 0)
        fprintf(r->out, " for h%u", b->household);
    if (b->visitor)
        fprintf(r->out, " visitor");
}

static void say_repeat(struct retell *r, const struct tide_repeat *p)
{
    fprintf(r->out, " repeats P%u in ", p->plate);
    say_zone(r, p->zone);
    fprintf(r->out, " %s ", days_name(p->days));
    say_hours(r, p->opens_min, p->closes_min);
}

static void say_of_slot(struct retell *r, const struct replay *replay,
                        const struct engine_event *event)
{
    const union tide_any *as = &event->as;
    if (event->kind == TIDE_REC_share) {
        struct tide_window w = {.slot = as->share.slot,
                                .kind = as->share.kind,
                                .days = as->share.days,
                                .opens_min = as->share.opens_min,
                                .closes_min = as->share.closes_min,
                                .start_ms = as->share.start_ms,
                                .end_ms = as->share.end_ms};
        say_window(r, replay, " shares", &w);
    } else if (event->kind == TIDE_REC_recall) {
        fprintf(r->out, " recalls ");
        say_slot(r, replay, as->recall.slot);
        fprintf(r->out, " ");
        say_span(r, as->recall.start_ms, as->recall.end_ms);
    } else {
        fprintf(r->out, " closes ");
        if (as->blackout.slot != 0)
            say_slot(r, replay, as->blackout.slot);
        else
            say_zone(r, as->blackout.zone);
        fprintf(r->out, " ");
        say_span(r, as->blackout.start_ms, as->blackout.end_ms);
    }
}

static void say_stay(struct retell *r, const struct replay *replay,
                     const struct engine_event *event)
{
    const union tide_any *as = &event->as;
    bool arrive = event->kind == TIDE_REC_arrive;
    uint32_t booking = arrive ? as->arrive.booking : as->leave.booking;
    fprintf(r->out, arrive ? " arrives " : " leaves ");
    if (booking != 0)
        fprintf(r->out, "b%u", booking);
    else
        fprintf(r->out, "P%u", arrive ? as->arrive.plate : as->leave.plate);
    if (arrive && booking == 0 && as->arrive.slot != 0) {
        fprintf(r->out, " on ");
        say_slot(r, replay, as->arrive.slot);
    }
}

/* What a person does. False when a story has no words for it. */
static bool say_act(struct retell *r, const struct replay *replay, const struct engine_event *event)
{
    const union tide_any *as = &event->as;
    if (event->kind < TIDE_REC_book || event->kind > TIDE_REC_hand)
        return false;
    say_who(r, replay, event->user);
    if (event->kind == TIDE_REC_book)
        say_book(r, &as->book);
    else if (event->kind == TIDE_REC_repeat)
        say_repeat(r, &as->repeat);
    else if (event->kind == TIDE_REC_cancel)
        fprintf(r->out, as->cancel.series != 0 ? " cancels s%u" : " cancels b%u",
                as->cancel.series != 0 ? as->cancel.series : as->cancel.booking);
    else if (event->kind == TIDE_REC_extend) {
        fprintf(r->out, " extends b%u until ", as->extend.booking);
        say_time(r, as->extend.end_ms);
    } else if (event->kind == TIDE_REC_unshare)
        fprintf(r->out, " unshares w%u", as->unshare.window);
    else if (event->kind == TIDE_REC_hand)
        fprintf(r->out, " opens %s P%u", as->hand.dir == TIDE_LANE_DIR_out ? "out" : "in",
                as->hand.plate);
    else if (event->kind == TIDE_REC_arrive || event->kind == TIDE_REC_leave)
        say_stay(r, replay, event);
    else
        say_of_slot(r, replay, event);
    return true;
}

static bool say_device(struct retell *r, const struct replay *replay,
                       const struct engine_event *event)
{
    const struct tide_plate_seen *seen = &event->as.plate_seen;
    if (event->kind == TIDE_REC_plate_seen) {
        fprintf(r->out, "camera %s P%u", seen->dir == TIDE_LANE_DIR_out ? "out" : "in",
                seen->plate);
        if (seen->alt1 != 0)
            fprintf(r->out, " alike P%u", seen->alt1);
        if (seen->alt2 != 0)
            fprintf(r->out, " or P%u", seen->alt2);
        if (seen->replay)
            fprintf(r->out, " replayed");
        return true;
    }
    if (event->kind != TIDE_REC_slot_seen)
        return false;
    fprintf(r->out, "sensor ");
    say_slot(r, replay, event->as.slot_seen.slot);
    fprintf(r->out, " %s", tide_enum_name(TIDE_FT_enum_occupancy, event->as.slot_seen.state));
    return true;
}

void retell_event(struct retell *r, const struct replay *replay, const struct engine_event *event)
{
    char words[400];
    if (event->kind == TIDE_REC_genesis)
        return;
    if (event->kind == TIDE_REC_put) {
        if (say_row(r, replay, event))
            fprintf(r->out, "\n");
        return;
    }
    pass_time(r, event->when_ms);
    if (!say_act(r, replay, event) && !say_device(r, replay, event))
        fprintf(r->out, "# user %u: %s", event->user,
                narrate_record(event->kind, &event->as, UTC_OFFSET_MIN, words, sizeof words));
    (void)fflush(r->out); /* the next step may be the last */
}

void retell_reply(struct retell *r, const struct replay *replay, const struct engine_event *event,
                  const uint8_t *effects, size_t len)
{
    size_t at = 0;
    enum engine_verb verb;
    unsigned kind;
    union tide_any any;
    (void)replay;
    if (event->kind == TIDE_REC_genesis || event->kind == TIDE_REC_put)
        return;
    const char *made = event->kind == TIDE_REC_book     ? "b"
                       : event->kind == TIDE_REC_repeat ? "s"
                       : event->kind == TIDE_REC_share || event->kind == TIDE_REC_recall ||
                               event->kind == TIDE_REC_blackout
                           ? "w"
                           : NULL;
    bool told = event->kind >= TIDE_REC_book && event->kind < TIDE_REC_hand;
    while (told && engine_effect_next(effects, len, &at, &verb, &kind, &any)) {
        if (verb != ENGINE_REPLY)
            continue;
        fprintf(r->out, " -> %s", tide_enum_name(TIDE_FT_enum_code, any.reply.code));
        if (any.reply.code == TIDE_CODE_ok && made != NULL)
            fprintf(r->out, " as %s%u", made, any.reply.id);
    }
    fprintf(r->out, "\n");
}
