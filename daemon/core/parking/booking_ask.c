/* booking_ask.c - what people ask of bookings: to make one, to cancel it. Extending stands beside
 * the bits that it writes (booking.c).
 */
#include "daemon/core/authority.h"
#include "daemon/core/notice.h"
#include "daemon/core/parking/parking.h"

void book_take(struct step *step)
{
    const struct tide_book *ask = &step->event->as.book;
    struct party party;
    struct tide_reply reply;
    if (!(ask->urgent ? urgent_party(step, ask, &party)
                      : step_party(step, ask->household, ask->person, &party)))
        return;
    struct booking_wish wish = {.plate = ask->plate,
                                .zone = ask->zone,
                                .household = party.household,
                                .person = party.person,
                                .cls = (enum tide_slot_class)ask->cls,
                                .via = (enum tide_via)ask->via,
                                .visitor = ask->visitor,
                                .urgent = ask->urgent,
                                .start_ms = ask->start_ms,
                                .end_ms = ask->end_ms};
    struct booking_state *booking = booking_make(step, &wish, &reply);
    if (booking == NULL) {
        step_reply(step, &reply);
        offers_tell(step, &wish, &reply);
        return;
    }
    if (booking->row.person != step->person)
        notice_party(step, &booking->row, TIDE_NOTICE_KIND_booking_made, TIDE_WHY_none);
    step_ok(step, booking->row.id);
    booking_item(step, &booking->row);
}

struct booking_state *booking_asked(struct step *step, tide_id id)
{
    struct booking_state *booking = booking_of(step->engine, id);
    if (booking == NULL) {
        step_refuse_gone(step, TIDE_COUNTER_booking, id);
        return NULL;
    }
    if (!step_owns(step, booking->row.household, booking->row.person)) {
        step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        return NULL;
    }
    return booking;
}

void cancel_take(struct step *step)
{
    const struct tide_cancel *ask = &step->event->as.cancel;
    if (ask->series != 0) {
        struct series_state *series = table_find(&step->engine->series, ask->series);
        if (series == NULL)
            step_refuse(step, TIDE_CODE_not_found, TIDE_WHY_none);
        else if (!step_owns(step, series->row.household, series->row.person))
            step_refuse(step, TIDE_CODE_not_authorized, TIDE_WHY_not_yours);
        else {
            series_end(step, series);
            step_ok(step, ask->series);
        }
        return;
    }
    struct booking_state *booking = booking_asked(step, ask->booking);
    if (booking == NULL)
        return;
    if (booking->row.state == TIDE_BOOKING_STATE_parked) {
        step_refuse(step, TIDE_CODE_conflict, TIDE_WHY_already_parked);
        return;
    }
    if (booking->row.person != step->person)
        notice_party(step, &booking->row, TIDE_NOTICE_KIND_booking_cancelled, TIDE_WHY_none);
    booking_end(step, booking, TIDE_BOOKING_STATE_cancelled, TIDE_WHY_withdrawn);
    step_ok(step, ask->booking);
}
