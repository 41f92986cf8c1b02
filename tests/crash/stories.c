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
