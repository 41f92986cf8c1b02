/* stories.c - see stories.h. */
#include "tests/crash/stories.h"

#include <stddef.h>

/* h1 lends A1 and A2 on workdays from eight to half past five; B is for the guard's hand. */
#define TOWN                                                                                       \
    "household h1\n"                                                                               \
    "household h2\n"                                                                               \
    "household h3\n"                                                                               \
    "plate P1 of h1\n"                                                                             \
    "plate P2 of h2\n"                                                                             \
    "zone A gate sensor\n"                                                                         \
    "slot A1 of h1\n"                                                                              \
    "slot A2 of h1\n"                                                                              \
    "window A1 workday 08:00-17:30\n"                                                              \
    "window A2 workday 08:00-17:30\n"                                                              \
    "zone B hand\n"                                                                                \
    "slot B1\n"                                                                                    \
    "window B1 all 00:00-24:00\n"
#define START TOWN "mark\n"
#define BOOKED START "h2 books P3 in A 09:00-12:00 -> ok as b1\n"
#define PARKED BOOKED "at 09:00\ncamera in P3 -> open booking slot A1\n"
#define STAYED BOOKED "h2 cancels b1 -> ok\n"
/* Both slots are promised, and h3 waits for one. */
#define WAITED                                                                                     \
    BOOKED "h2 books P4 in A 09:00-12:00 -> ok as b2\n"                                            \
           "h3 waits P5 in A 09:00-11:00 -> ok as q1\n"
#define OFFERED WAITED "at 08:50\nh2 cancels b1 -> ok\nat 08:51\nwaiting q1 offered as b3\n"
/* h2 stays half an hour too long, and has accepted the rules. */
#define RULES                                                                                      \
    TOWN "set rules_text_version 1\nset strike_contest_days 1\nset strike_decide_days 1\n"         \
         "set strike_life_days 2\nset strikes_max 1\nmark\nh2 accepts 1 -> ok\n"
#define STRUCK                                                                                     \
    RULES "h2 books P3 in B 08:00-10:00 -> ok as b1\nh2 arrives b1 -> ok\nat 10:30\n"              \
          "h2 leaves b1 -> ok\nstrike h2 pending as x1\n"
#define CAPPED TOWN "set household_day_max_min 120\nset household_month_max_min 150\nmark\n"
/* b1 stays on A1 when the window ends and its owner h1 is back; A2 is open for the evening. */
#define OVERSTAYED                                                                                 \
    TOWN "window A2 all 17:30-23:00\nmark\nh2 books P3 in A 15:00-17:30 -> ok as b1\n"             \
         "at 15:00\ncamera in P3 -> open booking slot A1\nsensor A1 occupied\nat 17:31\n"          \
         "told h1 substitute slot A2\n"

/* Three wish for two slots; the draw is sealed. */
#define WISHED                                                                                     \
    START "clerk draws A 05-21 08:00-17:00 until 10:00 -> ok\ndaemon draws\n"                      \
          "h2 wishes P3 in A 05-21 09:00-12:00 -> ok\n"                                            \
          "h3 wishes P4 in A 05-21 09:00-12:00 -> ok\n"                                            \
          "h1 wishes P5 in A 05-21 10:00-12:00 -> ok\n"

const struct story stories[] = {
    /* ---- a database comes to be ---- */
    {"empty", "", 0, false},
    {"founded", TOWN "hurry\n", 0, false},
    {"founded_twice", TOWN "rest 50\n", 2, false},
    {"opened_and_shut", START "reopen\nreopen\n", 0, false},
    /* ---- what people ask for ---- */
    {"book", BOOKED "hurry\n", 0, false},
    {"book_refused", START "h2 books P3 in A 09:00-17:45 -> full no_window until 17:30\n", 0,
     false},
    {"book_chain",
     START "h2 books P3 in A 09:00-10:00 -> ok\nh2 books P4 in A 10:00-11:00 -> ok\n"
           "h3 books P5 in A 11:00-12:00 -> ok\nh3 books P6 in A 12:00-13:00 -> ok\n"
           "h3 books P7 in A 13:00-14:00 -> ok\nrest 50\n",
     0, false},
    {"book_together",
     START "batch\nh2 books P3 in A 09:00-10:00 -> ok\nh2 books P4 in A 10:00-11:00 -> ok\n"
           "h3 books P5 in A 11:00-12:00 -> ok\nh3 books P6 in A 12:00-13:00 -> ok\ndone\n",
     0, false},
    {"book_for", START "clerk books P3 in A 09:00-10:00 for h2 -> ok\n", 0, false},
    {"book_visitor", START "h2 books P3 in A 09:00-10:00 visitor -> ok\nhurry\n", 0, false},
    {"cancel", BOOKED "h2 cancels b1 -> ok\n", 0, false},
    {"cancel_after_tables", BOOKED "hurry\nh2 cancels b1 -> ok\nhurry\n", 0, false},
    {"extend", BOOKED "h2 extends b1 until 13:00 -> ok\n", 0, false},
    {"extend_moves", BOOKED "h3 books P4 in A 12:00-13:00 -> ok\nh2 extends b1 until 12:30 -> ok\n",
     0, false},
    {"series", START "h2 repeats P3 in A workday 09:00-10:00 -> ok as s1\nhurry\n", 0, false},
    {"series_ends",
     START "h2 repeats P3 in A workday 09:00-10:00 -> ok as s1\nh2 cancels s1 -> ok\nrest 50\n", 0,
     false},
    {"no_show", BOOKED "at 09:30\nhurry\n", 0, false},
    {"share", START "h1 shares A1 once 05-20 18:00-23:00 -> ok as w1\n", 0, false},
    {"share_back", START "h1 shares A1 once 05-20 18:00-23:00 -> ok as w1\nh1 unshares w1 -> ok\n",
     0, false},
    {"recall", BOOKED "h1 recalls A1 10:00-20:00 -> ok\nhurry\n", 0, false},
    {"blackout", BOOKED "clerk closes A1 08:30-18:00 -> ok\nhurry\n", 0, false},
    {"blackout_zone", BOOKED "clerk closes A 08:30-18:00 -> ok\nrest 50\n", 0, false},
    {"holidays", BOOKED "days 05-21 holiday 05-25 workday\n", 0, false},
    {"setting", BOOKED "set household_live_max 2\n", 0, false},
    /* ---- who waits ---- */
    {"wait", WAITED "hurry\n", 0, false},
    {"wait_refused", START "h3 waits P5 in A 09:00-11:00 -> conflict fits_now\nhurry\n", 0, false},
    {"wait_confirmed", OFFERED "h3 confirms b3 -> ok\nwaiting q1 taken\nhurry\n", 0, false},
    {"wait_came", OFFERED "at 09:00\ncamera in P5 -> open booking slot A1\nwaiting q1 taken\n", 0,
     false},
    {"wait_passes_on",
     OFFERED "h1 waits P6 in A 09:30-11:00 -> ok as q2\nat 09:06\nwaiting q1 passed\n"
             "waiting q2 offered as b4\nhurry\nh1 confirms b4 -> ok\n",
     0, false},
    {"wait_over",
     WAITED "at 09:00\ncamera in P3 -> open booking\ncamera in P4 -> open booking\nat 10:36\n"
            "told h3 wait_over\nwaiting q1 over\nhurry\n",
     0, false},
    {"wait_taken_back", WAITED "h3 unwaits q1 -> ok\nwaiting q1 withdrawn\nrest 50\n", 0, false},
    {"wait_offer_taken_back", OFFERED "h3 unwaits q1 -> ok\nbooking b3 cancelled\nhurry\n", 0,
     false},
    {"wait_killed", OFFERED "kill\nh3 confirms b3 -> ok\nkill\nhurry\n", 0, false},
    {"wait_restored", WAITED "backup\nh2 cancels b1 -> ok\nat 08:01\nrestore\n", 0, false},
    {"wait_forgotten", WAITED "h3 unwaits q1 -> ok\nforget P5\nrest 50\n", 0, false},
    {"wait_two_domains", OFFERED "h3 confirms b3 -> ok\nhurry\n", 2, false},
    /* ---- draws ---- */
    {"draw_sealed", WISHED "hurry\n", 0, false},
    {"draw_decided",
     WISHED
     "at 10:00\ndaemon draws\ntold h2 draw_won\ntold h3 draw_won\ntold h1 draw_lost\nhurry\n",
     0, false},
    {"draw_killed", WISHED "kill\nat 10:00\npower\ndaemon draws\nkill\nrest 50\n", 0, false},
    {"draw_too_late",
     WISHED "at 05-21 08:00\ntold h2 draw_lost\nh2 books P3 in A 09:00-12:00 -> ok\nhurry\n", 0,
     false},
    {"draw_restored", WISHED "backup\nat 10:00\ndaemon draws\nrestore\n", 0, false},
    /* ---- fairness ---- */
    {"strike", STRUCK "hurry\n", 0, false},
    {"strike_counts",
     STRUCK "at 05-21 10:31\nstrike h2 upheld charged 30\n"
            "h2 books P3 in B 20:00-21:00 -> quota strikes limit 1\nhurry\n",
     0, false},
    {"strike_contested",
     STRUCK "h2 contests x1 -> ok\nhurry\nproperty upholds x1 -> ok\n"
            "strike h2 upheld charged 30\nrest 50\n",
     0, false},
    {"strike_void",
     STRUCK "h2 contests x1 -> ok\nproperty voids x1 -> ok\nstrike h2 void charged 0\nhurry\n", 0,
     false},
    {"strike_undecided",
     STRUCK "h2 contests x1 -> ok\nat 05-21 10:31\nstrike h2 void why undecided\nhurry\n", 0,
     false},
    {"strike_expires", STRUCK "at 05-22 10:31\nstrike h2 expired charged 30\nhurry\n", 0, false},
    {"strike_no_show",
     RULES "h2 books P3 in B 09:00-10:00 -> ok\nat 09:30\nstrike h2 pending as x1\npower\n"
           "h2 contests x1 -> ok\nhurry\n",
     0, false},
    {"strike_at_once_void",
     RULES "h3 books P3 in B 09:00-10:00 -> ok\nat 09:30\nstrike h3 void why rules_not_accepted\n",
     0, false},
    {"strike_killed", STRUCK "kill\nh2 contests x1 -> ok\nkill\nproperty upholds x1 -> ok\n", 0,
     false},
    {"caps",
     CAPPED "h2 books P3 in A 09:00-10:30 -> ok\n"
            "h2 books P3 in A 11:00-12:00 -> quota day_cap limit 120 until 11:30\n"
            "h2 waits P3 in A 11:00-12:00 -> quota day_cap limit 120\n"
            "h2 books P3 in A 05-21 09:00-10:30 -> quota month_cap limit 150 until 05-21 10:00\n"
            "h2 books P3 in A 11:00-11:30 -> ok\nhurry\n",
     0, false},
    /* ---- the owner comes first ---- */
    {"recall_chain",
     TOWN "slot A3 of h2\nwindow A3 workday 08:00-11:00\nmark\n"
          "h3 books P5 in A 08:05-11:00 -> ok as b1\nh2 books P4 in A 09:00-10:00 -> ok as b2\n"
          "h2 books P3 in A 09:00-12:00 -> ok as b3\nh3 cancels b1 -> ok\n"
          "booking b2 booked on A1\nbooking b3 booked on A2\n"
          "h1 recalls A2 09:00-12:00 plan -> ok limit 2\nh1 recalls A2 09:00-12:00 -> ok limit 2\n"
          "booking b2 booked on A3\nbooking b3 booked on A1\nhurry\n",
     0, false},
    {"recall_swap",
     PARKED "h1 recalls A1 10:00-11:30 -> conflict promised from 12:00\n"
            "h1 recalls A1 10:00-11:30 swap A2 -> ok as b2\nbooking b2 booked on A2\nat 10:00\n"
            "camera in P1 -> open resident\nbooking b2 parked on A2\nat 11:00\n"
            "camera out P1 -> open leaving\nbooking b2 kept\naccount h1 9120\nhurry\n",
     0, false},
    {"recall_swap_killed",
     PARKED "h1 recalls A1 10:00-11:30 swap A2 -> ok as b2\nkill\nat 11:31\n"
            "booking b2 cancelled\nhurry\n",
     0, false},
    {"substitute_taken",
     OVERSTAYED "camera in P1 -> open resident\nat 17:40\ncamera out P3 -> open leaving\n"
                "at 18:00\ncamera out P1 -> open leaving\nhurry\n",
     0, false},
    {"substitute_given_back",
     OVERSTAYED "at 17:40\ncamera out P3 -> open leaving\ntold h1 slot_free\nsensor A1 free\n"
                "hurry\n",
     0, false},
    {"substitute_killed", OVERSTAYED "kill\ncamera in P1 -> open resident\npower\n", 0, false},
    {"overrun_moves",
     PARKED "h3 books P4 in A 12:00-13:00 -> ok as b2\nbooking b2 booked on A1\nat 12:01\n"
            "booking b2 booked on A2\nhurry\n",
     0, false},
    /* ---- what cars do ---- */
    {"arrive", PARKED "hurry\n", 0, false},
    {"leave", PARKED "at 11:00\ncamera out P3 -> open leaving\n", 0, false},
    {"overstay", PARKED "at 12:15\nat 12:45\ncamera out P3 -> open leaving\n", 0, false},
    {"day_passes", PARKED "at 17:00\nhurry\nat 23:50\n", 0, false},
    {"gate_denies", START "camera in P5 -> deny unknown_plate\ncamera in P2 -> open resident\n", 0,
     false},
    {"gate_hand", START "guard opens in P5 -> open by_hand\nhurry\n", 0, false},
    {"gate_replayed", START "camera in P5 replayed -> none replayed\n", 0, false},
    {"stranger", START "sensor A1 free\nat 09:00\nsensor A1 occupied\nat 09:10\nsensor A1 free\n",
     0, false},
    {"ghost",
     PARKED "sensor A1 occupied\nat 10:00\nsensor A1 free\nat 10:10\nguard resolves A1 -> ok\n", 0,
     false},
    {"hand",
     START "h2 books P3 in B 08:00-10:00 -> ok as b1\nh2 arrives b1 -> ok\nat 08:04\n"
           "h2 leaves b1 -> ok\n",
     0, false},
    {"guard_counts", START "guard arrives P5 on B1 -> ok\nguard leaves P5 -> ok\nhurry\n", 0,
     false},
    /* ---- names ---- */
    {"forget", STAYED "forget P3\n", 0, false},
    {"forget_rests", STAYED "hurry\nforget P3\nrest 50\n", 0, false},
    {"forget_many", STAYED "batch\nforget P3\nforget P6\nforget P7\ndone\nrest 50\n", 0, false},
    {"forget_reopens", STAYED "forget P3\nreopen\nforget P6\nrest 50\n", 0, false},
    {"forget_kill", STAYED "forget P3\nkill\n", 0, false},
    {"forget_power", STAYED "forget P3\npower\n", 0, false},
    {"crowd", TOWN "crowd\nmark\nrename\n", 0, false},
    {"crowd_rests", TOWN "crowd\nmark\nrename\nrest 50\n", 0, false},
    {"crowd_killed", TOWN "crowd\nmark\nrename\nkill\nrest 50\n", 0, false},
    {"correct", START "correct h2\n", 0, false},
    {"correct_rests", START "correct h2\nrest 50\ncorrect h3\nrest 50\n", 0, false},
    /* ---- keeping house ---- */
    {"checkpoint_idle", BOOKED "churn 40\nrest 50\n", 0, false},
    {"checkpoint_far", BOOKED "churn 420\nrest 50\n", 0, false},
    {"checkpoint_read", BOOKED "look\nchurn 40\nrest 50\naway\nrest 50\n", 0, false},
    {"tables_late", START "batch\nchurn 60\ndone\nhurry\nrest 50\n", 0, false},
    {"tables_never", START "churn 12\nh2 books P3 in A 09:00-12:00 -> ok\n", 0, false},
    {"rids_swept", BOOKED "h2 cancels b1 -> ok\nrest 31000\nrest 50\n", 0, false},
    {"rids_dropped", BOOKED "h2 cancels b1 -> ok\nrest 31000\nrest 700000\nrest 50\n", 0, true},
    {"epoch", BOOKED "epoch\nh2 cancels b1 -> ok\nhurry\n", 0, false},
    {"probe", BOOKED "probe\nh2 cancels b1 -> ok\n", 0, false},
    {"verify", BOOKED "verify\nh2 cancels b1 -> ok\nhurry\nverify\n", 0, false},
    /* ---- copies ---- */
    {"backup", BOOKED "backup\nh2 cancels b1 -> ok\n", 0, false},
    {"backup_twice", BOOKED "backup\nh2 cancels b1 -> ok\nbackup\n", 0, false},
    {"backup_busy", BOOKED "copying\nh2 cancels b1 -> ok\nchurn 8\nrest 50\n", 0, false},
    {"backup_cut_short", BOOKED "copying\nreopen\n", 0, false},
    {"restore", BOOKED "backup\nh2 cancels b1 -> ok\nrestore\n", 0, false},
    {"restore_again", BOOKED "backup\nrestore\nh2 cancels b1 -> ok\nrestore\n", 0, false},
    {"restore_forgets", STAYED "backup\nforget P3\nrest 50\nrestore\n", 0, false},
    {"restore_forgets_power", STAYED "backup\nforget P3\npower\nrestore\n", 0, false},
    /* ---- more of it ---- */
    {"two_domains", BOOKED "h2 cancels b1 -> ok\nhurry\n", 2, false},
    {"two_domains_forget", STAYED "forget P3\nrest 50\n", 2, false},
    {"power_between", BOOKED "power\nh2 extends b1 until 13:00 -> ok\npower\nhurry\n", 0, false},
    {"power_idle", BOOKED "hurry\npower\nh2 cancels b1 -> ok\nrest 50\npower\n", 0, false},
    {"killed_between", BOOKED "kill\nh2 extends b1 until 13:00 -> ok\nkill\nhurry\n", 0, false},
    {"long_day",
     PARKED "hurry\nh3 books P4 in A 12:00-13:00 -> ok\nat 12:30\nrest 50\nreopen\n"
            "camera out P3 -> open leaving\nbackup\nat 17:00\nrest 31000\n",
     0, false},
};
const unsigned story_count = sizeof stories / sizeof *stories;
