/* script_world.c - the lines of a story that say what is there: households, zones, windows,
 * days. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/naive.h"
#include "tests/sim/script_state.h"

/* ---- the world ----------------------------------------------------------------------------- */
static void person(struct script *s, tide_id id, tide_id household, enum tide_role role,
                   tide_id place)
{
    PUT(person, .id = id, .household = household);
    PUT(role_row, .person = id, .role = (uint8_t)role, .place = place);
    PUT(user, .id = id, .person = id,
        .kind = id == GATEWAY ? TIDE_USER_KIND_gateway : TIDE_USER_KIND_app);
}

void script_begin(struct script *s)
{
    static const enum tide_role roles[] = {[CLERK] = TIDE_ROLE_clerk,
                                           [GUARD] = TIDE_ROLE_guard,
                                           [PROPERTY] = TIDE_ROLE_property,
                                           [GATEWAY] = TIDE_ROLE_gateway};
    struct engine_event genesis = {.kind = TIDE_REC_genesis};
    genesis.as.genesis = (struct tide_genesis){.community = COMMUNITY,
                                               .admin = ADMIN,
                                               .admin_user = ADMIN,
                                               .utc_offset_min = SCRIPT_UTC_OFFSET_MIN};
    s->now_ms = naive_days_from(2019, 5, 20) * TIDE_DAY_MS; /* Monday 08:00 at +08:00 */
    script_step(s, &genesis);
    PUT(place, .id = COMPOUND, .kind = TIDE_PLACE_KIND_compound, .parent = COMMUNITY);
    for (tide_id id = CLERK; id <= GATEWAY; id++)
        person(s, id, 0, roles[id], COMMUNITY);
    PUT(lane, .id = LANE_IN, .place = COMPOUND, .dir = TIDE_LANE_DIR_in, .gateway = GATEWAY);
    PUT(lane, .id = LANE_OUT, .place = COMPOUND, .dir = TIDE_LANE_DIR_out, .gateway = GATEWAY);
}

bool script_has(const struct script *s, const char *word)
{
    for (unsigned i = 1; i < s->count; i++)
        if (strcmp(s->token[i], word) == 0)
            return true;
    return false;
}

const char *script_after(const struct script *s, const char *word)
{
    for (unsigned i = 1; i + 1 < s->count; i++)
        if (strcmp(s->token[i], word) == 0)
            return s->token[i + 1];
    return NULL;
}

static void tell_household(struct script *s)
{
    tide_id id = COMPOUND + 1 + s->names[NAME_HOUSEHOLD].count;
    script_name(s, NAME_HOUSEHOLD, s->token[1], id);
    PUT(place, .id = id, .kind = TIDE_PLACE_KIND_household,
        .parent = script_has(s, "outside") ? COMMUNITY : COMPOUND);
    person(s, script_person(s, s->token[1]), id, TIDE_ROLE_resident, id);
}

static void tell_zone(struct script *s)
{
    tide_id id = 1 + s->names[NAME_ZONE].count;
    uint8_t sense = (uint8_t)((script_has(s, "gate") ? TIDE_SENSE_GATE : 0) |
                              (script_has(s, "sensor") ? TIDE_SENSE_SENSOR : 0) |
                              (script_has(s, "hand") ? TIDE_SENSE_HAND : 0));
    script_name(s, NAME_ZONE, s->token[1], id);
    PUT(zone, .id = id, .place = COMPOUND, .sense = sense, .outsiders = script_has(s, "outsiders"),
        .resolution = 1);
}

static void tell_slot(struct script *s)
{
    tide_id id = 1 + s->names[NAME_SLOT].count;
    char zone[2] = {s->token[1][0], '\0'};
    const char *owner = script_after(s, "of");
    script_name(s, NAME_SLOT, s->token[1], id);
    PUT(slot, .id = id, .zone = script_id(s, NAME_ZONE, zone),
        .title = owner != NULL ? TIDE_SLOT_TITLE_owned : TIDE_SLOT_TITLE_common,
        .cls = script_has(s, "charger") ? TIDE_SLOT_CLASS_charger : TIDE_SLOT_CLASS_standard,
        .owner = owner != NULL ? script_id(s, NAME_HOUSEHOLD, owner) : 0, .sensed = 1);
}

static void tell_vehicle(struct script *s, enum tide_vehicle_kind kind)
{
    const char *owner = script_after(s, "of");
    PUT(vehicle, .plate = script_id(s, NAME_PLATE, s->token[1]),
        .household = owner != NULL ? script_id(s, NAME_HOUSEHOLD, owner) : 0,
        .kind = (uint8_t)kind);
}

/* "workday 08:00-17:30", "all 00:00-24:00", "once 05-20 18:00-23:00" from token `at` on. */
struct tide_window script_window(struct script *s, unsigned at)
{
    struct tide_window w = {.kind = TIDE_WINDOW_KIND_weekly, .weekdays = TIDE_WEEKDAYS_ALL};
    const char *days = at < s->count ? s->token[at] : "";
    if (strcmp(days, "once") == 0) {
        w.kind = TIDE_WINDOW_KIND_once;
        w.weekdays = 0;
        script_span(s, at + 1, &w.start_ms, &w.end_ms);
        return w;
    }
    w.days = strcmp(days, "workday") == 0   ? TIDE_DAYS_WORKDAY
             : strcmp(days, "restday") == 0 ? TIDE_DAYS_RESTDAY
             : strcmp(days, "holiday") == 0 ? TIDE_DAYS_HOLIDAY
             : strcmp(days, "eve") == 0     ? TIDE_DAYS_EVE
                                            : TIDE_DAYS_ALL;
    char *dash = at + 1 < s->count ? strchr(s->token[at + 1], '-') : NULL;
    int opens = 0, closes = 0;
    if (dash == NULL || !script_clock(s->token[at + 1], &opens) || !script_clock(dash + 1, &closes))
        script_fail(s, "the hours of a window are missing");
    w.opens_min = opens;
    w.closes_min = closes > opens ? closes : closes + 1440;
    return w;
}

static void tell_window(struct script *s)
{
    struct tide_window w = script_window(s, 2);
    w.slot = script_id(s, NAME_SLOT, s->token[1]);
    script_put(s, TIDE_REC_window, &w);
}

static void tell_setting(struct script *s)
{
    int key = tide_enum_value(TIDE_FT_enum_setting, s->token[1], strlen(s->token[1]));
    if (key <= 0 || s->count < 3) {
        script_fail(s, "no such setting");
        return;
    }
    PUT(setting_row, .key = (uint8_t)key, .value = strtoll(s->token[2], NULL, 10));
}

/* "days 05-21 holiday 05-25 workday": the whole holiday file of the year. */
static void tell_days(struct script *s)
{
    uint8_t blob[1024];
    size_t len = 0;
    for (unsigned at = 1; at + 1 < s->count; at += 2) {
        int month = 0, day = 0;
        struct tide_day row = {.day_class = TIDE_DAY_CLASS_workday};
        if (!script_pair(s->token[at], '-', &month, &day)) {
            script_fail(s, "no day");
            return;
        }
        row.date = naive_days_from(2019, month, day);
        if (strcmp(s->token[at + 1], "holiday") == 0)
            row.day_class = TIDE_DAY_CLASS_holiday;
        blob[len++] = TIDE_REC_day;
        len += tide_record_pack(tide_record_of(TIDE_REC_day), &row, blob + len, sizeof blob - len);
    }
    struct engine_event event = {.kind = TIDE_REC_calendar, .user = CLERK, .blob = blob};
    event.as.calendar.year = 2019;
    event.blob_len = (uint32_t)len;
    script_ticks(s);
    script_step(s, &event);
    script_ticks(s);
}

static void tell_resident(struct script *s)
{
    tell_vehicle(s, TIDE_VEHICLE_KIND_resident);
}

static void tell_emergency(struct script *s)
{
    tell_vehicle(s, TIDE_VEHICLE_KIND_emergency);
}

static void tell_blocked(struct script *s)
{
    tell_vehicle(s, TIDE_VEHICLE_KIND_blocked);
}

/* ---- lines --------------------------------------------------------------------------------- */
bool script_tell(struct script *s)
{
    static const struct {
        const char *word;
        void (*fn)(struct script *s);
        unsigned tokens; /* at least */
    } tells[] = {{"household", tell_household, 2},
                 {"zone", tell_zone, 3},
                 {"slot", tell_slot, 2},
                 {"plate", tell_resident, 2},
                 {"emergency", tell_emergency, 2},
                 {"blocked", tell_blocked, 2},
                 {"window", tell_window, 4},
                 {"set", tell_setting, 3},
                 {"days", tell_days, 1}};
    for (size_t i = 0; i < sizeof tells / sizeof *tells; i++)
        if (strcmp(tells[i].word, s->token[0]) == 0 && s->count >= tells[i].tokens) {
            tells[i].fn(s);
            return true;
        }
    return false;
}
