/* test_scenarios.c - small stories of a neighbourhood, with what must come of them and the words in
 * which the engine explains itself. How a story is told stands in tests/sim/script.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/script.h"

/* Two households; h1 lends A1 and A2 on workdays from eight to half past five. */
#define NEIGHBOURHOOD                                                                              \
    "household h1\n"                                                                               \
    "household h2\n"                                                                               \
    "household h3\n"                                                                               \
    "plate P1 of h1\n"                                                                             \
    "plate P2 of h2\n"                                                                             \
    "zone A gate sensor\n"                                                                         \
    "slot A1 of h1\n"                                                                              \
    "slot A2 of h1\n"                                                                              \
    "window A1 workday 08:00-17:30\n"                                                              \
    "window A2 workday 08:00-17:30\n"

static void tell(const char *story)
{
    char why[4096];
    if (script_play(story, why, sizeof why) != 0)
        fail_msg("%s", why);
}

/* ---- promises -------------------------------------------------------------------------------- */
static void a_window_that_ends_too_early(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 09:00-17:45 -> full no_window until 17:30\n"
                       "say no slot of zone 1 fits\n"
                       "say nor do moves of others make room: 2 slots looked at\n"
                       "say free until 05-20 17:30, or from 05-21 08:00; open all through: no\n"
                       "say wish refused: full, no_window, limit 0\n"
                       "h2 books P9 in A 09:00-17:30 -> ok as b1\n"
                       "booking b1 booked on A1\n"
                       "account h2 9000 held 510\n");
}

static void back_to_back_is_no_clash(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 10:00-11:00 -> ok as b1\n"
                       "h2 books P9 in A 11:00-12:00 -> ok as b2\n"
                       "booking b1 booked on A1\n"
                       "booking b2 booked on A1\n"
                       "h3 books P9 in A 10:55-11:05 -> conflict plate_overlap\n"
                       "h3 books P8 in A 09:55-10:05 -> ok as b3\n"
                       "booking b3 booked on A2\n");
}

static void the_best_fit_keeps_long_spans_whole(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "window A2 workday 17:30-20:00\n"
                       "h2 books P9 in A 09:00-10:00 -> ok as b1\n"
                       "booking b1 booked on A1\n" /* less is left over around it */
                       "h2 books P8 in A 10:00-11:00 -> ok as b2\n"
                       "booking b2 booked on A1\n"
                       "say slot 1 fits best: 78 grains left over\n"
                       "h3 books P7 in A 08:30-20:00 -> ok as b3\n"
                       "booking b3 booked on A2\n"
                       "say slot 2 fits best: 6 grains left over\n");
}

static void past_midnight_into_the_next_day(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "window A1 all 20:00-07:00\n"
                       "h2 books P9 in A 22:00-06:30 -> ok as b1\n"
                       "booking b1 booked on A1 until 05-21 06:30\n"
                       "h3 books P8 in A 23:00-01:00 -> full all_taken from 05-21 08:00\n"
                       "h3 books P8 in A 05-21 06:30-07:00 -> ok as b2\n"
                       "booking b2 booked on A1\n");
}

static void nobody_came(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 09:00-12:00 -> ok as b1\n"
                       "at 09:29\n"
                       "booking b1 booked\n"
                       "at 09:30\n"
                       "say booking 1 ends as no_show, 30 minutes charged\n"
                       "told h2 no_show\n"
                       "booking b1 no_show charged 30\n"
                       "account h2 8970\n"
                       "account h1 9030\n"
                       "h3 books P8 in A 09:30-12:00 -> ok\n");
}

static void longer_please(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 09:00-10:00 -> ok as b1\n"
                       "h2 extends b1 until 10:30 -> ok\n"
                       "booking b1 booked on A1 until 10:30\n"
                       "h3 books P8 in A 11:00-12:00 -> ok as b2\n"
                       "booking b2 booked on A1\n"
                       "h2 extends b1 until 11:30 -> ok\n" /* not there yet: another slot will do */
                       "booking b1 booked on A2 until 11:30\n"
                       "camera in P9 -> deny too_early\n"
                       "at 09:00\n"
                       "camera in P9 -> open booking slot A2\n"
                       "h3 books P7 in A 12:00-13:00 -> ok as b3\n"
                       "h3 books P6 in A 12:00-14:00 -> ok as b4\n"
                       "h2 extends b1 until 13:00 -> full promised until 12:00\n"
                       "say asked until 05-20 13:00, free until 05-20 12:00 -> refuse, open then: "
                       "yes\n"
                       "h3 cancels b3 -> ok\n"
                       "h3 cancels b4 -> ok\n"
                       "h2 extends b1 until 18:00 -> full no_window until 17:30\n");
}

static void caps_and_minutes(void **state)
{
    (void)state;
    tell("set grant_min 100\n"
         "set household_live_max 2\n" NEIGHBOURHOOD
         "h2 books P9 in A 09:00-10:45 -> quota minutes_short limit 100\n"
         "h2 books P9 in A 09:00-09:50 -> ok as b1\n"
         "h2 books P8 in A 09:00-09:55 -> quota minutes_short limit 50\n"
         "h2 books P8 in A 09:00-09:10 -> ok\n"
         "h2 books P7 in A 10:00-10:05 -> quota household_cap limit 2\n"
         "h2 cancels b1 -> ok\n"
         "account h2 100 held 10\n");
}

static void for_somebody_without_an_account(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "clerk books P9 in A 09:00-10:00 for h2 -> ok as b1\n"
                       "told h2 booking_made\n"
                       "h3 books P8 in A 09:00-10:00 for h2 -> not_authorized not_yours\n"
                       "h3 cancels b1 -> not_authorized not_yours\n"
                       "clerk cancels b1 -> ok\n"
                       "told h2 booking_cancelled\n"
                       "h2 cancels b1 -> conflict already_ended\n");
}

static void every_workday(void **state)
{
    (void)state;
    tell("days 05-22 holiday 05-25 workday\n" NEIGHBOURHOOD
         "h2 repeats P9 in A workday 09:00-10:00 -> ok as s1\n"
         "say series 1: 11 bookings made, next day 2019-06-04\n"
         "h3 books P9 in A 05-25 09:30-10:30 -> conflict plate_overlap\n" /* the made-up Saturday */
         "h3 books P9 in A 05-22 09:30-10:30 -> full no_window\n"
         "h2 cancels s1 -> ok\n"
         "account h2 9000\n");
}

/* ---- supply ---------------------------------------------------------------------------------- */
static void the_owner_comes_home_early(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD
         "h2 books P9 in A 14:00-17:00 -> ok as b1\n"
         "booking b1 booked on A1\n"
         "h1 recalls A1 16:00-20:00 -> ok as w1\n" /* the promise moves */
         "say booking 1 moves from slot 1 to slot 2\n"
         "booking b1 booked on A2 moves 1\n"
         "h1 recalls A2 16:30-20:00 -> conflict promised from 17:00 until 14:00\n"
         "say booking 1 stays: promised from 05-20 14:00 until 05-20 17:00 -> refuse\n"
         "booking b1 booked on A2 moves 1\n"
         "h3 books P8 in A 15:00-16:30 -> full all_taken until 16:00\n"
         "h1 unshares w1 -> ok\n"
         "h3 books P8 in A 15:00-16:30 -> ok\n");
}

static void what_was_promised_is_kept(void **state)
{
    (void)state;
    tell("household h1\n"
         "household h2\n"
         "zone A gate\n"
         "slot A1 of h1\n"
         "h1 shares A1 workday 08:00-17:30 -> ok as w1\n"
         "h2 books P9 in A 14:00-17:00 -> ok as b1\n"
         "h1 unshares w1 -> ok limit 1\n"
         "booking b1 booked on A1 outside withdrawn\n"
         "told h2 calendar_changed\n"
         "h2 books P8 in A 10:00-11:00 -> full no_window\n");
}

static void a_holiday_file_comes_late(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 05-21 09:00-10:00 -> ok as b1\n"
                       "days 05-21 holiday\n"
                       "booking b1 booked on A1 outside calendar\n"
                       "told h2 calendar_changed\n"
                       "h3 books P8 in A 05-21 09:00-10:00 -> full no_window\n");
}

static void by_order_of_the_committee(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 09:00-12:00 -> ok as b1\n"
                       "h2 books P8 in A 14:00-15:00 -> ok as b2\n"
                       "h3 books P7 in A 14:00-15:00 -> ok as b3\n"
                       "booking b3 booked on A2\n"
                       "at 09:00\n"
                       "camera in P9 -> open booking slot A1\n"
                       "clerk closes A1 08:30-18:00 -> ok\n"
                       "booking b1 parked on A1 outside blackout\n" /* a parked car stays */
                       "booking b2 broken reason blackout\n"
                       "told h2 booking_broken\n"
                       "account h2 9060 held 180\n" /* 60 for the broken promise */
                       "booking b3 booked on A2\n"
                       "h1 closes A2 08:30-18:00 -> not_authorized role_missing\n");
}

/* ---- the arm --------------------------------------------------------------------------------- */
static void who_may_pass(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "emergency P5\n"
                       "blocked P4\n"
                       "camera in P2 -> open resident\n"
                       "camera in P5 -> open emergency\n"
                       "camera in P4 -> deny blocked\n"
                       "camera in P9 -> deny unknown_plate\n"
                       "camera out P4 -> open leaving\n"
                       "guard opens in P4 -> open by_hand\n"
                       "camera in P9 replayed -> none replayed\n"
                       "h2 books P9 in A 09:00-10:00 -> ok as b1\n"
                       "camera in P9 -> deny too_early\n"
                       "at 08:30\n" /* half an hour early is early enough */
                       "camera in P9 -> open booking slot A1\n"
                       "say booking 1 begins early, at 05-20 08:30: 30 minutes more\n"
                       "camera in P9 -> open booking slot A1\n" /* read twice */
                       "booking b1 parked on A1\n"
                       "at 09:50\n"
                       "camera out P9 -> open leaving\n"
                       "booking b1 kept charged 80\n"
                       "account h2 8920\n"
                       "account h1 9080\n");
}

static void eight_or_b(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 08:00-10:00 -> ok as b1\n"
                       "camera in P8 alike P9 -> open misread\n"
                       "say plate 4 is read for plate 3, the only one with a right\n"
                       "booking b1 parked\n"
                       "camera in P7 alike P1 or P2 -> deny ambiguous\n");
}

/* ---- things that are off --------------------------------------------------------------------- */
static void too_long(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 08:00-10:00 -> ok as b1\n"
                       "camera in P9 -> open booking slot A1\n"
                       "at 09:45\n"
                       "told h2 ending_soon\n"
                       "at 10:14\n"
                       "no incident overstay on A1\n"
                       "at 10:15\n"
                       "incident overstay on A1\n"
                       "told h2 overstay\n"
                       "told guard overstay\n"
                       "told h1 overstay\n"
                       "not told h1 substitute\n" /* he is back at half past five */
                       "not told property overstay\n"
                       "at 10:45\n"
                       "told property overstay\n"
                       "say overstay on slot 1 goes to the property: incident 1\n"
                       "camera out P9 -> open leaving\n"
                       "no incident overstay on A1\n"
                       "told property incident_closed\n"
                       "booking b1 kept charged 120\n" /* 45 over: a strike */
                       "account h2 8880\n"
                       "account h1 9120\n");
}

static void his_place_is_still_taken(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 08:00-10:00 -> ok as b1\n"
                       "camera in P9 -> open booking slot A1\n"
                       "h3 books P8 in A 10:00-11:00 -> ok as b2\n"
                       "booking b2 booked on A1\n"
                       "at 10:00\n"
                       "say booking 2 would begin behind a car that should be gone from slot 1; "
                       "other: 2\n"
                       "booking b2 booked on A2 moves 1\n"
                       "camera in P8 -> open booking slot A2\n");
}

static void no_other_place(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 08:00-10:00 -> ok as b1\n"
                       "camera in P9 -> open booking slot A1\n"
                       "h3 books P8 in A 10:00-11:00 -> ok as b2\n"
                       "h3 books P7 in A 09:45-12:00 -> ok as b3\n"
                       "booking b3 booked on A2\n"
                       "at 10:00\n"
                       "incident late_supply on A1\n"
                       "told h3 late_supply\n"
                       "told guard late_supply\n"
                       "camera in P8 -> deny overstayer\n"
                       "booking b2 broken reason overstayer\n"
                       "told h3 booking_broken\n"
                       "account h3 9060 held 135\n");
}

static void a_stranger_on_a_slot(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "sensor A1 free\n"
                       "at 09:00\n"
                       "sensor A1 occupied\n"
                       "at 09:09\n"
                       "no incident stranger on A1\n"
                       "at 09:10\n"
                       "incident stranger on A1\n"
                       "told guard stranger\n"
                       "told h1 stranger\n"
                       "h2 resolves A1 -> not_authorized role_missing\n"
                       "sensor A1 free\n"
                       "no incident stranger on A1\n");
}

static void a_car_in_the_books_only(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "h2 books P9 in A 08:00-10:00 -> ok as b1\n"
                       "camera in P9 -> open booking slot A1\n"
                       "sensor A1 occupied\n"
                       "at 09:00\n"
                       "sensor A1 free\n"
                       "at 09:10\n"
                       "incident ghost on A1\n"
                       "told guard ghost\n"
                       "told h2 ghost\n"
                       "guard resolves A1 -> ok\n"
                       "no incident ghost on A1\n"
                       "booking b1 parked on A1\n");
}

static void somebody_stands_on_my_slot(void **state)
{
    (void)state;
    tell("household h1\n"
         "household h2\n"
         "plate P1 of h1\n"
         "zone A gate sensor\n"
         "slot A1 of h1\n"
         "slot A2\n"
         "window A1 workday 08:00-17:30\n"
         "window A2 all 00:00-24:00\n"
         "h2 books P9 in A 16:00-17:30 -> ok as b1\n"
         "booking b1 booked on A1\n"
         "at 16:00\n"
         "camera in P9 -> open booking slot A1\n"
         "at 17:30\n"
         "told h1 substitute slot A2\n"
         "say the owner of slot 1 is promised slot 2 instead, until 05-21 05:30\n"
         "at 17:40\n"
         "camera in P1 -> open resident slot A2\n"
         "incident owner_taken on A1\n"
         "told h1 owner_taken slot A1\n"
         "told guard owner_taken\n"
         "camera out P9 -> open leaving\n"
         "no incident owner_taken on A1\n");
}

static void a_sensor_falls_silent(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "sensor A1 free\n"
                       "at 10:29\n"
                       "silent is silent\n"
                       "at 10:30\n"
                       "say the sensor of slot 1 is silent since 05-20 08:00 -> unknown\n");
}

static void the_hand_of_the_guard(void **state)
{
    (void)state;
    tell(NEIGHBOURHOOD "zone B hand\n"
                       "slot B1\n"
                       "window B1 all 00:00-24:00\n"
                       "h2 books P9 in B 08:00-10:00 -> ok as b1\n"
                       "h3 arrives b1 -> not_authorized not_yours\n"
                       "h2 arrives b1 -> ok\n"
                       "booking b1 parked on B1\n"
                       "guard arrives P8 on B1 -> conflict in_use\n"
                       "at 08:04\n"
                       "h2 leaves b1 -> ok\n"
                       "booking b1 kept charged 5\n"
                       "guard arrives P8 on B1 -> ok\n"
                       "incident stranger on B1\n"
                       "guard leaves P8 -> ok\n"
                       "no incident stranger on B1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_that_ends_too_early),
        cmocka_unit_test(back_to_back_is_no_clash),
        cmocka_unit_test(the_best_fit_keeps_long_spans_whole),
        cmocka_unit_test(past_midnight_into_the_next_day),
        cmocka_unit_test(nobody_came),
        cmocka_unit_test(longer_please),
        cmocka_unit_test(caps_and_minutes),
        cmocka_unit_test(for_somebody_without_an_account),
        cmocka_unit_test(every_workday),
        cmocka_unit_test(the_owner_comes_home_early),
        cmocka_unit_test(what_was_promised_is_kept),
        cmocka_unit_test(a_holiday_file_comes_late),
        cmocka_unit_test(by_order_of_the_committee),
        cmocka_unit_test(who_may_pass),
        cmocka_unit_test(eight_or_b),
        cmocka_unit_test(too_long),
        cmocka_unit_test(his_place_is_still_taken),
        cmocka_unit_test(no_other_place),
        cmocka_unit_test(a_stranger_on_a_slot),
        cmocka_unit_test(a_car_in_the_books_only),
        cmocka_unit_test(somebody_stands_on_my_slot),
        cmocka_unit_test(a_sensor_falls_silent),
        cmocka_unit_test(the_hand_of_the_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
