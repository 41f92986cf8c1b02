/* notice.c - see notice.h. */
#include "daemon/core/notice.h"

#define NOTICES_OF_ONE_CAUSE_MAX 64

void notice_person(struct step *step, tide_id person, struct tide_notice what)
{
    CHECK(what.kind != TIDE_NOTICE_KIND_none);
    if (person_of(step->engine, person) == NULL)
        return;
    what.id = step_new_id(step, TIDE_COUNTER_notice);
    what.person = person;
    what.at_ms = step->now_ms;
    step_put(step, TIDE_REC_notice, &what);
}

void notice_household(struct step *step, tide_id household, struct tide_notice what)
{
    const struct place_state *place = place_of(step->engine, household);
    unsigned told = 0;
    for (tide_id id = place != NULL ? place->first_person : 0;
         id != 0 && told < NOTICES_OF_ONE_CAUSE_MAX; told++) {
        const struct person_state *person = person_of(step->engine, id);
        CHECK(person != NULL);
        notice_person(step, id, what);
        id = person->next_in_household;
    }
}

static void tell(struct step *step, tide_id person, void *arg)
{
    notice_person(step, person, *(const struct tide_notice *)arg);
}

void notice_duty(struct step *step, enum tide_role role, tide_id place, struct tide_notice what)
{
    for_each_on_duty(step, role, place, tell, &what);
}

void notice_one(struct step *step, tide_id person, tide_id household, struct tide_notice what)
{
    if (person != 0)
        notice_person(step, person, what);
    else
        notice_household(step, household, what);
}

void notice_party(struct step *step, const struct tide_booking *booking, enum tide_notice_kind kind,
                  enum tide_why why)
{
    struct tide_notice what = {.kind = (uint8_t)kind,
                               .booking = booking->id,
                               .plate = booking->plate,
                               .zone = booking->zone,
                               .slot =
                                   booking->state == TIDE_BOOKING_STATE_parked ? booking->slot : 0,
                               .start_ms = booking->start_ms,
                               .end_ms = booking->end_ms,
                               .why = (uint8_t)why};
    notice_one(step, booking->person, booking->household, what);
}
