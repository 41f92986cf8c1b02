/* narrate.c - see narrate.h. A sentence is a format in which {a:t} stands for the first number,
 * told as a time; the letter after the colon says how a number is told.
 *
 *   n number  t time  d date  m month  c code  w why  s booking's state  k incident  o occupancy
 *   r session's right  D decision  R role mask  b yes or no  q kind of deadline
 */
#include "tests/sim/narrate.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/naive.h"

struct sentence {
    const char *rule, *words;
};

static const struct sentence sentences[] = {
    {"arrive.early", "booking {a:n} begins early, at {b:t}: {c:n} minutes more"},
    {"authority.party", "person {a:n} may not act for household {b:n}"},
    {"authority.role", "person {a:n} has none of the roles {b:R} at place {c:n}"},
    {"booking.end", "booking {a:n} ends as {b:s}, {c:n} minutes charged"},
    {"booking.move", "booking {a:n} moves from slot {b:n} to slot {c:n}"},
    {"booking.refuse", "wish refused: {a:c}, {b:w}, limit {c:n}"},
    {"calendar.take", "holiday file of {a:n}: {b:n} days"},
    {"clock.jump", "the clock jumps from {a:t} to {b:t}; deadlines wait: {c:b}"},
    {"deadline", "due at {c:t}: {a:q} {b:n}"},
    {"draw.announced", "draw {a:n} of zone {b:n}: wishes until {c:t}"},
    {"draw.closed", "draw {a:n} takes no more: {b:n} wishes"},
    {"draw.open", "draw {a:n} is sealed and takes wishes"},
    {"draw.over", "draw {a:n} is over, {c:n} served"},
    {"draw.result", "draw {a:n} is solved: {b:n} served, nobody could have exceeded {c:n}"},
    {"draw.result_late", "a result for draw {a:n}, which does not wait for one"},
    {"draw.result_void", "the result of draw {a:n} is none: another secret, or bad bytes"},
    {"draw.seal_late", "a seal for draw {a:n}, which has one"},
    {"draw.too_late", "draw {a:n} is undecided and its time begins -> void"},
    {"extend.refuse", "asked until {a:t}, free until {b:t} -> refuse, open then: {c:b}"},
    {"forecast.learn",
     "zone {a:n}: {b:n} thousandths used at the full hour, {c:n} more than usual"},
    {"gate.misread", "plate {a:n} is read for plate {b:n}, the only one with a right"},
    {"gate.passage", "arm: {a:D}, because {b:w}, plate {c:n}"},
    {"incident.close", "{a:k} on slot {b:n} is over"},
    {"incident.escalate", "{a:k} on slot {b:n} goes to the property: incident {c:n}"},
    {"incident.open", "{a:k} on slot {b:n}, booking {c:n}"},
    {"lateness.learned", "zone {a:n}: a stay in bin {b:n} of lateness, of {c:n}"},
    {"ledger.granted", "minutes of {a:m} granted to {b:n} households"},
    {"offer.binding", "in the way: {a:t} to {b:t}, {c:w}"},
    {"offer.made", "offered instead ({a:n}): {b:t} to {c:t}"},
    {"overrun.next", "booking {a:n} would begin behind a car that should be gone from slot {b:n}; "
                     "other: {c:n}"},
    {"offer.wait", "or to wait: at position {a:n}, {b:n} % of {c:n} cases"},
    {"put.refuse", "row {a:n} (kind {b:n}) is refused: {c:c}"},
    {"recall.refuse", "booking {a:n} stays: promised from {b:t} until {c:t} -> refuse"},
    {"refuse", "refuse: {a:c}, {b:w}"},
    {"reloaded", "the configuration was read again: {a:n}"},
    {"seat.best_fit", "slot {a:n} fits best: {b:n} grains left over"},
    {"seat.hints", "free until {a:t}, or from {b:t}; open all through: {c:b}"},
    {"seat.none", "no slot of zone {c:n} fits"},
    {"seat.reseat", "moves of others make room on slot {a:n}: {b:n} were tried"},
    {"seat.stuck", "nor do moves of others make room: {b:n} slots looked at"},
    {"sensor.change", "the sensor of slot {a:n} says {b:o}"},
    {"sensor.silent", "the sensor of slot {a:n} is silent since {b:t} -> unknown"},
    {"series.made", "series {a:n}: {b:n} bookings made, next day {c:d}"},
    {"session.begin", "session {a:n} begins on slot {b:n}, by right of {c:r}"},
    {"session.end", "session {a:n} on slot {b:n} ends at {c:t}"},
    {"start.taken", "booking {a:n} begins and slot {b:n} is taken; other: {c:n}"},
    {"strike.end", "strike {a:n} is over: {c:w}"},
    {"strike.made", "held against household {b:n}, if nothing speaks for it: {c:w}"},
    {"strike.upheld", "strike {a:n} of household {b:n} counts, {c:n} minutes charged"},
    {"substitute.held", "the owner of slot {a:n} is promised slot {b:n} instead, until {c:t}"},
    {"substitute.none", "no slot for the owner of slot {a:n}, who is back at {b:t}"},
    {"wait.end", "wait {a:n} ends: {b:W}, {c:w}"},
    {"wait.freed", "zone {a:n}: something may have come free for who waits, from wait {b:n} on"},
    {"wait.lapsed", "wait {a:n} did not confirm booking {b:n} by {c:t}"},
    {"wait.learned", "zone {a:n}: of {b:n} who began to wait there {c:n} were offered a place"},
    {"wait.looked", "zone {a:n}: {b:n} who wait were looked at; next: {c:n}"},
    {"wait.made", "wait {a:n} for zone {b:n}, at position {c:n}"},
    {"wait.offered", "wait {a:n} is offered booking {b:n}, to confirm by {c:t}"},
    {"wait.refuse", "waiting refused: {a:c}, {b:w}"},
    {"wish.end", "wish {a:n} ends: {b:n}, {c:w}"},
    {"wish.made", "wish {a:n} for draw {b:n}; its household had {c:n} minutes"},
    {"window.roll", "days {a:d} to {b:d} come into the horizon"},
};

static const struct sentence *sentence_of(const char *rule)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(sentences[i].rule, rule) == 0)
            return &sentences[i];
    return NULL;
}

bool narrate_knows(const char *rule)
{
    return sentence_of(rule) != NULL;
}

/* ---- numbers ------------------------------------------------------------------------------- */
char *narrate_time(tide_ms at, int utc_offset_min, char *out, size_t cap)
{
    struct naive_calendar calendar = {.utc_offset_min = utc_offset_min};
    int year, month, day;
    if (at <= 0 || at >= TIDE_TIME_MAX) {
        snprintf(out, cap, at == 0 ? "-" : "never");
        return out;
    }
    int32_t date = naive_date(&calendar, at);
    naive_civil(date, &year, &month, &day);
    long long of_day = at - naive_midnight(&calendar, date);
    int used = snprintf(out, cap, "%02d-%02d %02lld:%02lld", month, day, of_day / 3600000,
                        of_day / 60000 % 60);
    if (of_day % 60000 != 0 && used > 0 && (size_t)used < cap)
        used += snprintf(out + used, cap - (size_t)used, ":%02lld", of_day / 1000 % 60);
    if (of_day % 1000 != 0 && used > 0 && (size_t)used < cap)
        snprintf(out + used, cap - (size_t)used, ".%03lld", of_day % 1000);
    return out;
}

static void tell_date(int64_t date, char *out, size_t cap)
{
    int year, month, day;
    if (date <= 0 || date > 3000000) {
        snprintf(out, cap, "%lld", (long long)date);
        return;
    }
    naive_civil((int32_t)date, &year, &month, &day);
    snprintf(out, cap, "%04d-%02d-%02d", year, month, day);
}

static void tell_enum(unsigned type, int64_t value, char *out, size_t cap)
{
    const char *name = value >= 0 && value < 256 ? tide_enum_name(type, (unsigned)value) : NULL;
    snprintf(out, cap, "%s", name != NULL ? name : "?");
}

static void tell(char how, int64_t value, int utc_offset_min, char *out, size_t cap)
{
    static const struct {
        char how;
        unsigned type;
    } enums[] = {{'c', TIDE_FT_enum_code},          {'w', TIDE_FT_enum_why},
                 {'s', TIDE_FT_enum_booking_state}, {'k', TIDE_FT_enum_incident_kind},
                 {'o', TIDE_FT_enum_occupancy},     {'r', TIDE_FT_enum_session_right},
                 {'D', TIDE_FT_enum_decision},      {'W', TIDE_FT_enum_waiting_state}};
    for (size_t i = 0; i < sizeof enums / sizeof *enums; i++)
        if (enums[i].how == how) {
            tell_enum(enums[i].type, value, out, cap);
            return;
        }
    static const char *const dues[] = {"confirmation", "day",     "resettle", "grant",
                                       "series",       "booking", "spot",     "incident",
                                       "day of draws", "draw",    "forecast", "waits"};
    if (how == 'q' && value >= 0 && value < 12)
        snprintf(out, cap, "%s", dues[value]);
    else if (how == 't')
        narrate_time(value, utc_offset_min, out, cap);
    else if (how == 'd')
        tell_date(value, out, cap);
    else if (how == 'm')
        snprintf(out, cap, "%04lld-%02lld", (long long)value / 12, (long long)value % 12 + 1);
    else if (how == 'b')
        snprintf(out, cap, "%s", value != 0 ? "yes" : "no");
    else if (how == 'R')
        snprintf(out, cap, "%#llx", (unsigned long long)value);
    else
        snprintf(out, cap, "%lld", (long long)value);
}

/* ---- lines --------------------------------------------------------------------------------- */
char *narrate_line(const struct engine_trace *line, int utc_offset_min, char *out, size_t cap)
{
    const struct sentence *sentence = sentence_of(line->rule);
    const int64_t numbers[3] = {line->a, line->b, line->c};
    size_t used = 0;
    if (sentence == NULL) {
        snprintf(out, cap, "%s %lld %lld %lld", line->rule, (long long)line->a, (long long)line->b,
                 (long long)line->c);
        return out;
    }
    for (const char *p = sentence->words; *p != '\0' && used + 1 < cap; p++) {
        if (*p != '{') {
            out[used++] = *p;
            continue;
        }
        tell(p[3], numbers[p[1] - 'a'], utc_offset_min, out + used, cap - used);
        used += strlen(out + used);
        p += 4;
    }
    out[used] = '\0';
    return out;
}

static void tell_field(const struct tide_field *field, int64_t value, int utc_offset_min, char *out,
                       size_t cap)
{
    if (field->type > TIDE_FT_ENUMS)
        tell_enum(field->type, value, out, cap);
    else if (field->type == TIDE_FT_time)
        narrate_time(value, utc_offset_min, out, cap);
    else if (field->type == TIDE_FT_date)
        tell_date(value, out, cap);
    else if (field->type == TIDE_FT_dayminute)
        snprintf(out, cap, "%02lld:%02lld", (long long)value / 60, (long long)value % 60);
    else
        snprintf(out, cap, "%lld", (long long)value);
}

char *narrate_record(unsigned kind, const void *record, int utc_offset_min, char *out, size_t cap)
{
    const struct tide_record *desc = tide_record_of(kind);
    int used = snprintf(out, cap, "%s", desc->name);
    for (unsigned i = 0; i < desc->field_count && (size_t)used + 1 < cap; i++) {
        int64_t value = tide_field_get(&desc->fields[i], record);
        char text[48];
        if (value == 0)
            continue;
        tell_field(&desc->fields[i], value, utc_offset_min, text, sizeof text);
        used += snprintf(out + used, cap - (size_t)used, " %s=%s", desc->fields[i].name, text);
    }
    return out;
}
