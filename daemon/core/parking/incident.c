/* incident.c - what is off on a slot, and who is told.
 *
 *   kind          told at once                              after escalate_min, still open
 *   overstay      the driver, the guard; the owner          the property
 *   stranger      the guard; the owner of the slot          the property
 *   ghost         the guard; the party                      the property
 *   owner_taken   the owner; the guard                      the property
 *   late_supply   the driver whose promise begins; guard    the property
 *
 * The guard and the property see plate and slot; an owner sees his slot, never whose car; a driver
 * sees what is his own. An incident ends when its cause does, or when the guard says so. What an
 * owner is promised instead of his slot (overrun.c) stands in it; why all_taken: there was nothing.
 */
#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

static tide_id incident_place(const struct engine *engine, const struct tide_incident *row)
{
    const struct zone_state *zone = zone_of(engine, row->zone);
    return zone != NULL ? zone->row.place : 0;
}

static enum tide_notice_kind notice_kind(enum tide_incident_kind kind)
{
    static const uint8_t kinds[] = {
        [TIDE_INCIDENT_KIND_overstay] = TIDE_NOTICE_KIND_overstay,
        [TIDE_INCIDENT_KIND_stranger] = TIDE_NOTICE_KIND_stranger,
        [TIDE_INCIDENT_KIND_ghost] = TIDE_NOTICE_KIND_ghost,
        [TIDE_INCIDENT_KIND_owner_taken] = TIDE_NOTICE_KIND_owner_taken,
        [TIDE_INCIDENT_KIND_late_supply] = TIDE_NOTICE_KIND_late_supply,
    };
    CHECK(kind > TIDE_INCIDENT_KIND_none && kind < sizeof kinds);
    return (enum tide_notice_kind)kinds[kind];
}

static struct tide_notice notice_of(const struct tide_incident *row)
{
    return (struct tide_notice){.kind = (uint8_t)notice_kind((enum tide_incident_kind)row->kind),
                                .incident = row->id,
                                .booking = row->booking,
                                .plate = row->plate,
                                .zone = row->zone,
                                .slot = row->slot,
                                .start_ms = row->open_ms,
                                .why = row->why};
}

static void tell_owner(struct step *step, const struct tide_incident *row)
{
    struct engine *engine = step->engine;
    const struct slot_state *slot = slot_of(engine, row->slot);
    if (slot == NULL || slot->row.owner == 0)
        return;
    struct tide_notice what = notice_of(row);
    what.plate = 0;
    what.booking = 0;
    notice_household(step, slot->row.owner, what);
}

static void tell_party(struct step *step, const struct tide_incident *row)
{
    const struct booking_state *booking = booking_of(step->engine, row->booking);
    if (booking != NULL)
        notice_party(step, &booking->row, notice_kind((enum tide_incident_kind)row->kind),
                     TIDE_WHY_none);
}

static void tell(struct step *step, const struct tide_incident *row)
{
    notice_duty(step, TIDE_ROLE_guard, incident_place(step->engine, row), notice_of(row));
    if (row->kind == TIDE_INCIDENT_KIND_stranger || row->kind == TIDE_INCIDENT_KIND_owner_taken ||
        row->kind == TIDE_INCIDENT_KIND_overstay)
        tell_owner(step, row);
    if (row->kind == TIDE_INCIDENT_KIND_overstay || row->kind == TIDE_INCIDENT_KIND_ghost ||
        row->kind == TIDE_INCIDENT_KIND_late_supply)
        tell_party(step, row);
}

void incident_due(struct engine *engine, struct incident_state *incident)
{
    const struct tide_incident *row = &incident->row;
    heap_set(&engine->heap, DUE_INCIDENT, row->id, &incident->due_position,
             row->level == 0 ? row->escalate_ms : DUE_NEVER);
}

static struct incident_state *open_one(const struct engine *engine, tide_id slot,
                                       enum tide_incident_kind kind)
{
    uint32_t cursor = 0, left = engine->incidents.count;
    struct incident_state *incident;
    while (left-- > 0 && (incident = table_next(&engine->incidents, &cursor)) != NULL)
        if (incident->row.slot == slot && incident->row.kind == kind)
            return incident;
    return NULL;
}

void incident_open(struct step *step, struct tide_incident what)
{
    struct engine *engine = step->engine;
    if (open_one(engine, what.slot, (enum tide_incident_kind)what.kind) != NULL ||
        engine->incidents.count == engine->incidents.cap)
        return;
    struct incident_state *incident =
        table_add(&engine->incidents, step_new_id(step, TIDE_COUNTER_incident));
    CHECK(incident != NULL);
    what.id = incident->row.id;
    what.open_ms = step->now_ms;
    what.escalate_ms = step->now_ms + engine->setting[TIDE_SETTING_escalate_min] * TIDE_MINUTE_MS;
    incident->row = what;
    const struct slot_state *slot = slot_of(engine, what.slot);
    const struct booking_state *other = slot != NULL ? substitute_of(engine, slot) : NULL;
    if (other != NULL)
        incident->row.substitute = other->row.slot;
    else if (what.kind == TIDE_INCIDENT_KIND_owner_taken)
        incident->row.why = TIDE_WHY_all_taken;
    step_put(step, TIDE_REC_incident, &incident->row);
    incident_due(engine, incident);
    trace(engine, "incident.open", what.kind, what.slot, what.booking);
    if (what.kind == TIDE_INCIDENT_KIND_stranger || what.kind == TIDE_INCIDENT_KIND_overstay)
        overrun_look(step, slot); /* which may close others, and say more of this one */
    tell(step, &incident_of(engine, what.id)->row);
}

void incident_close(struct step *step, struct incident_state *incident)
{
    struct tide_incident row = incident->row;
    heap_set(&step->engine->heap, DUE_INCIDENT, row.id, &incident->due_position, DUE_NEVER);
    table_remove(&step->engine->incidents, incident);
    row.state = TIDE_INCIDENT_STATE_closed;
    row.close_ms = step->now_ms;
    step_put(step, TIDE_REC_incident, &row);
    trace(step->engine, "incident.close", row.kind, row.slot, 0);
    struct tide_notice what = notice_of(&row);
    what.kind = TIDE_NOTICE_KIND_incident_closed;
    what.end_ms = row.close_ms;
    notice_duty(step, row.level == 0 ? TIDE_ROLE_guard : TIDE_ROLE_property,
                incident_place(step->engine, &row), what);
}

/* The open incident with the lowest id that fits, so that the order never hangs on the pool. */
static struct incident_state *lowest(const struct engine *engine, tide_id slot, tide_id booking,
                                     unsigned kinds)
{
    uint32_t cursor = 0, left = engine->incidents.count;
    struct incident_state *incident, *found = NULL;
    while (left-- > 0 && (incident = table_next(&engine->incidents, &cursor)) != NULL) {
        const struct tide_incident *row = &incident->row;
        if ((kinds & 1u << row->kind) != 0 && (slot == 0 || row->slot == slot) &&
            (booking == 0 || row->booking == booking) && (found == NULL || row->id < found->row.id))
            found = incident;
    }
    return found;
}

tide_id incident_open_of(const struct engine *engine, tide_id booking, enum tide_incident_kind kind)
{
    const struct incident_state *incident = lowest(engine, 0, booking, 1u << kind);
    CHECK(booking != 0);
    return incident != NULL ? incident->row.id : 0;
}

void incidents_close_slot(struct step *step, tide_id slot, unsigned kinds)
{
    struct incident_state *incident;
    CHECK(slot != 0);
    while ((incident = lowest(step->engine, slot, 0, kinds)) != NULL)
        incident_close(step, incident);
}

void incidents_close_booking(struct step *step, tide_id booking, unsigned kinds)
{
    struct incident_state *incident;
    CHECK(booking != 0);
    while ((incident = lowest(step->engine, 0, booking, kinds)) != NULL)
        incident_close(step, incident);
}

void incidents_substitute(struct step *step, tide_id slot, tide_id substitute)
{
    static const uint8_t kinds[] = {TIDE_INCIDENT_KIND_overstay, TIDE_INCIDENT_KIND_stranger,
                                    TIDE_INCIDENT_KIND_owner_taken};
    for (unsigned i = 0; i < sizeof kinds; i++) {
        struct incident_state *incident =
            open_one(step->engine, slot, (enum tide_incident_kind)kinds[i]);
        uint8_t why = substitute != 0 ? TIDE_WHY_none : TIDE_WHY_all_taken;
        if (incident == NULL ||
            (incident->row.substitute == substitute && incident->row.why == why))
            continue;
        incident->row.substitute = substitute;
        incident->row.why = why;
        step_put(step, TIDE_REC_incident, &incident->row);
    }
}

void incident_fall_due(struct step *step, struct incident_state *incident)
{
    struct tide_incident *row = &incident->row;
    row->level = 1;
    step_put(step, TIDE_REC_incident, row);
    incident_due(step->engine, incident);
    trace(step->engine, "incident.escalate", row->kind, row->slot, row->id);
    notice_duty(step, TIDE_ROLE_property, incident_place(step->engine, row), notice_of(row));
    if (row->kind == TIDE_INCIDENT_KIND_stranger)
        overrun_look(step, slot_of(step->engine, row->slot));
}

void resolve_take(struct step *step)
{
    struct incident_state *incident = incident_of(step->engine, step->event->as.resolve.incident);
    if (incident == NULL) {
        step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_already_ended);
        return;
    }
    if (!step_need_role(step, ROLES_GATE, incident_place(step->engine, &incident->row)))
        return;
    tide_id id = incident->row.id;
    incident_close(step, incident);
    step_ok(step, id);
}
