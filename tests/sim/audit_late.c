/* audit_late.c - cars leave late: each stay that was kept is learned once, and what a booking is
 * kept free after its end is what the zone's risk asks for, by the textbook's formula.
 */
#include "tests/sim/audit_state.h"

#define Z (2 * 1.645)
#define EDGES (sizeof edges / sizeof *edges)

static const int edges[] = {0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 105, 120, 150, 180, 240};

/* ---- what is known --------------------------------------------------------------------------- */
/* Stays in bin i of a row; the last are those that were later than every edge. */
static unsigned bin(const struct tide_lateness *row, unsigned i)
{
    const struct tide_record *desc = tide_record_of(TIDE_REC_lateness);
    return (unsigned)tide_field_get(&desc->fields[2 + i], row);
}

static unsigned cases(const struct tide_lateness *row)
{
    unsigned n = 0;
    for (unsigned i = 0; i <= EDGES; i++)
        n += bin(row, i);
    return n;
}

/* The largest share of which k of n is not too few to be believed (the upper end of Wilson's
 * interval), found by halving. */
static double wilson(double k, double n)
{
    double low = k / n, high = 1;
    for (unsigned i = 0; i < 60; i++) {
        double p = (low + high) / 2;
        if ((p - k / n) * (p - k / n) <= Z * Z * p * (1 - p) / n)
            low = p;
        else
            high = p;
    }
    return low;
}

static int buffer(const unsigned *bins, double risk)
{
    double n = 0, in_time = 0;
    for (unsigned i = 0; i <= EDGES; i++)
        n += bins[i];
    for (unsigned i = 0; n > 0 && i < EDGES; i++) {
        in_time += bins[i];
        if (wilson(n - in_time, n) <= risk + 1e-9)
            return edges[i];
    }
    return edges[EDGES - 1];
}

static int buffer_of(struct audit *audit, tide_id zone, unsigned class, double risk)
{
    unsigned sums[EDGES + 1] = {0};
    const union tide_any *own = sim_rows_find(audit->rows, TIDE_REC_lateness, zone, class, 0);
    bool known = own != NULL && cases(&own->lateness) >= 30;
    for (unsigned other = TIDE_DAY_CLASS_workday; other <= TIDE_DAY_CLASS_holiday; other++) {
        const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_lateness, zone, other, 0);
        for (unsigned i = 0; row != NULL && (!known || other == class) && i <= EDGES; i++)
            sums[i] += bin(&row->lateness, i);
    }
    return buffer(sums, risk);
}

tide_ms audit_kept_until(struct audit *audit, tide_id zone, tide_ms end)
{
    const union tide_any *row = sim_rows_find(audit->rows, TIDE_REC_zone, zone, 0, 0);
    struct naive_calendar calendar = audit_calendar(audit);
    int64_t rolled = audit_setting(audit, TIDE_SETTING_rolled_date);
    tide_ms horizon = naive_midnight(&calendar, (int32_t)rolled + 1);
    if (row == NULL || row->zone.risk_permille == 0)
        return end;
    unsigned class = naive_day_class(&calendar, naive_date(&calendar, end - 1));
    int min = buffer_of(audit, zone, class, row->zone.risk_permille / 1000.0);
    tide_ms until = end + min * TIDE_MINUTE_MS;
    return until < horizon || end > horizon ? until : horizon;
}

/* ---- what an event did ----------------------------------------------------------------------- */
static void check_made(struct audit *audit, const struct tide_booking *is)
{
    tide_ms kept = is->end_ms + is->buffer_min * TIDE_MINUTE_MS;
    tide_ms due = is->substitute_for != 0 || is->urgent || audit_was_drawn(audit, is->id)
                      ? is->end_ms
                      : audit_kept_until(audit, is->zone, is->end_ms);
    if (kept != due)
        audit_fail(audit, "booking %u keeps %u minutes free after it, not %lld", is->id,
                   is->buffer_min, (long long)(due - is->end_ms) / TIDE_MINUTE_MS);
}

/* One stay more, in a table that is halved when it is full. */
static unsigned learned(struct audit *audit, const struct audit_change *change)
{
    unsigned is = cases(&change->is.lateness);
    unsigned was = change->had ? cases(&change->was.lateness) : 0;
    if (is != was + 1 && !(was + 1 >= TIDE_LATENESS_CASES_MAX && is <= was / 2 + 1))
        audit_fail(audit, "lateness of zone %u went from %u stays to %u", change->is.lateness.zone,
                   was, is);
    return 1;
}

void audit_late_event(struct audit *audit)
{
    unsigned kept = 0, counted = 0;
    for (uint32_t i = 0; i < audit->change_count; i++) {
        const struct audit_change *change = &audit->changes[i];
        if (change->kind == TIDE_REC_lateness)
            counted += learned(audit, change);
        if (change->kind == TIDE_REC_booking && change->had &&
            TIDE_BOOKING_LIVE(change->was.booking.state) &&
            change->is.booking.state == TIDE_BOOKING_STATE_kept)
            kept += change->is.booking.substitute_for == 0 && !change->is.booking.urgent;
    }
    if (kept != 0 && counted == 0)
        audit_fail(audit, "%u stays were kept, and nothing was learned of them", kept);
    for (uint32_t i = 0; counted == 0 && i < audit->change_count; i++)
        if (audit->changes[i].kind == TIDE_REC_booking && !audit->changes[i].had)
            check_made(audit, &audit->changes[i].is.booking);
}
