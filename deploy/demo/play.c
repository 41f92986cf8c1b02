/* play.c - tide-demo play: one day, from the first act to the last. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/demo/demo.h"
#include "deploy/demo/player.h"

#define CLOCK_WAIT_US 10000000
#define LAST_REPLIES_US 6000000
#define TURN_US 20000
#define ENOUGH_STAYS 20 /* of a recorded day */
#define PARK_COPIES 2

struct options {
    const char *people_uri, *field_uri, *field_user, *domain, *folder, *example;
    const char *trace, *office, *date;
    uint64_t seed;
    int first_min, last_min;
    bool workday;
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

/* ---- demand -------------------------------------------------------------------------------- */

/* How many cars each of the lot's stays stands for in a neighbourhood with that many slots. */
static int copies_for(const struct demo_hood *hood, const struct demo_lot *lot)
{
    int slots = 0;
    for (size_t i = 0; i < hood->slot_count; i++) {
        slots += hood->slots[i].title != DEMO_ORGANISATION;
    }
    return (slots + lot->slots / 2) / lot->slots;
}

static int read_trace(struct demo_stays *stays, const char *path, int date, const char *what)
{
    int used = date;
    if (demo_stays_read(stays, path, date, ENOUGH_STAYS, &used) != 0) {
        (void)fprintf(stderr, "tide-demo: %s: %s\n", path,
                      errno == ENODATA ? "no day like that one has enough stays" : strerror(errno));
        return -1;
    }
    char day[16];
    demo_date_format(used, day, sizeof(day));
    (void)printf("%s: %zu recorded stays of %s%s\n", what, stays->count, day,
                 used == date ? "" : ", the nearest day of its kind (the day itself has too few)");
    return 0;
}

static int make_demand(const struct options *options, const struct demo_hood *hood,
                       struct demo_stays *home, struct demo_stays *park)
{
    struct demo_dice dice;
    demo_dice_seed(&dice, options->seed ^ 0x5eed);
    const struct demo_lot *home_lot =
        options->workday ? &demo_lot_home_workday : &demo_lot_home_offday;
    const struct demo_lot *park_lot =
        options->workday ? &demo_lot_park_workday : &demo_lot_park_offday;
    int date = demo_date_parse(options->date), copies = copies_for(hood, home_lot);
    if (options->trace == NULL) {
        demo_stays_draw(home, &dice, home_lot,
                        (size_t)(home_lot->arrivals_a_day_x100 * copies / 100));
    } else if (read_trace(home, options->trace, date, "homes") != 0) {
        return -1;
    } else {
        demo_stays_copy(home, &dice, copies);
    }
    if (options->office == NULL) {
        demo_stays_draw(park, &dice, park_lot,
                        (size_t)(park_lot->arrivals_a_day_x100 * PARK_COPIES / 100));
    } else if (read_trace(park, options->office, date, "office") != 0) {
        return -1;
    } else {
        demo_stays_copy(park, &dice, PARK_COPIES);
    }
    (void)printf("demand: %zu stays in the compound (each of a lot with %d slots stands for %d), "
                 "%zu at the office park\n",
                 home->count, home_lot->slots, copies, park->count);
    return 0;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void take_news(struct demo_player *player, struct demo_news *news)
{
    switch (news->kind) {
    case DEMO_REPLY:
        demo_on_reply(player, news);
        break;
    case DEMO_NOTICE:
        demo_on_notice(player, news);
        break;
    case DEMO_MESSAGE:
        demo_on_message(player, news);
        break;
    case DEMO_FIELD:
        demo_on_field(player, news);
        break;
    }
    free(news);
}

/* Acts that are due; notes how late the first of them is. */
static void act_all(struct demo_player *player)
{
    struct demo_act act;
    while (!stopped && demo_agenda_take(&player->agenda, demo_now_ms(player), &act)) {
        uint64_t late = (uint64_t)((demo_now_ms(player) - act.at_ms) / player->scale);
        if (late > player->tally->late_ms_max) {
            player->tally->late_ms_max = late;
        }
        demo_act(player, &act);
    }
}

static void turn(struct demo_player *player)
{
    act_all(player);
    int64_t until_us = demo_elapsed_us() + TURN_US;
    const struct demo_act *next = demo_agenda_first(&player->agenda);
    if (next != NULL) {
        int64_t wait_us = (next->at_ms - demo_now_ms(player)) * 1000 / player->scale;
        int64_t due_us = demo_elapsed_us() + (wait_us < 0 ? 0 : wait_us);
        until_us = due_us < until_us ? due_us : until_us;
    }
    for (struct demo_news *news; (news = demo_links_next(player->links, until_us)) != NULL;) {
        take_news(player, news);
        until_us = demo_elapsed_us(); /* what is there, without waiting more */
    }
    demo_gates_turn(player);
}

/* tided's clock is ours; it tells it in its retained state. */
static int wait_clock(struct demo_player *player)
{
    int64_t end_us = demo_elapsed_us() + CLOCK_WAIT_US;
    if (demo_links_ask(player->links, player->clerk, "whoami", "{}", DEMO_ASK_OTHER, 0) != 0) {
        return -1;
    }
    while (player->scale == 0 && demo_elapsed_us() < end_us && !stopped) {
        struct demo_news *news = demo_links_next(player->links, demo_elapsed_us() + TURN_US);
        if (news != NULL) {
            take_news(player, news);
        }
    }
    if (player->scale == 0) {
        (void)fputs("tide-demo: tided does not tell its time; is it running?\n", stderr);
        return -1;
    }
    return 0;
}

static void play_day(struct demo_player *player)
{
    (void)puts("the evening before: cars come home");
    demo_acts_evening(player);
    while (!stopped && demo_now_min(player) < player->first_min) {
        turn(player);
    }
    *player->tally = (struct demo_tally){0}; /* the day alone counts */
    player->last[0] = '\0';
    demo_acts_begin(player);
    demo_screen_begin(player);
    while (!stopped && demo_now_min(player) < player->last_min) {
        turn(player);
        demo_screen_turn(player, false);
    }
    int64_t end_us = demo_elapsed_us() + LAST_REPLIES_US;
    demo_agenda_clear(&player->agenda);
    while (!stopped && demo_links_waiting(player->links) > 0 && demo_elapsed_us() < end_us) {
        turn(player);
    }
    player->tally->unanswered += demo_links_waiting(player->links);
    demo_screen_end(player);
}

static int find_accounts(struct demo_player *player)
{
    const struct demo_hood *hood = player->hood;
    player->clerk = demo_hood_account(hood, "desk-1");
    player->guard_east = demo_hood_account(hood, "guard-east");
    player->guard_gate = demo_hood_account(hood, "guard-south");
    player->guard_park = demo_hood_account(hood, "guard-park");
    if (player->clerk < 0 || player->guard_east < 0 || player->guard_gate < 0 ||
        player->guard_park < 0) {
        (void)fputs("tide-demo: accounts.csv lacks desk-1 or a guard\n", stderr);
        return -1;
    }
    return 0;
}

static int play(struct demo_player *player, const struct options *options)
{
    static struct demo_stays home, park;
    char path[4096], secret[80] = "";
    if (find_accounts(player) != 0 || make_demand(options, player->hood, &home, &park) != 0) {
        return 1;
    }
    const struct demo_plan_conf conf = {.seed = options->seed,
                                        .workday = options->workday,
                                        .first_min = options->first_min,
                                        .last_min = options->last_min,
                                        .home = &home,
                                        .park = &park};
    player->plan = demo_plan_make(player->hood, &conf);
    (void)snprintf(path, sizeof(path), "%s/%s.field.secret", options->folder, options->field_user);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%79s", secret) != 1) {
            secret[0] = '\0';
        }
        (void)fclose(file);
    }
    player->links = demo_links_open(player->hood, options->people_uri, options->field_uri,
                                    options->field_user, secret, options->domain);
    if (player->plan == NULL || player->links == NULL) {
        return 1;
    }
    demo_links_watch(player->links, player->clerk);
    if (wait_clock(player) != 0) {
        return 1;
    }
    play_day(player);
    (void)snprintf(path, sizeof(path), "%s/tally", options->folder);
    if (demo_tally_write(player->tally, path) != 0) {
        perror(path);
        return 1;
    }
    return stopped ? 130 : 0;
}

/* ---- options ------------------------------------------------------------------------------- */

static int set_option(struct options *options, int letter, const char *value)
{
    switch (letter) {
    case 'p':
        options->people_uri = value;
        return 0;
    case 'f':
        options->field_uri = value;
        return 0;
    case 'U':
        options->field_user = value;
        return 0;
    case 'd':
        options->domain = value;
        return 0;
    case 'D':
        options->folder = value;
        return 0;
    case 'e':
        options->example = value;
        return 0;
    case 's':
        options->seed = strtoull(value, NULL, 10);
        return 0;
    case 't':
        options->trace = value;
        return 0;
    case 'o':
        options->office = value;
        return 0;
    case 'y':
        options->date = value;
        return demo_date_parse(value) >= 0 ? 0 : -1;
    case 'F':
        options->first_min = demo_minute_parse(value);
        return options->first_min >= 0 ? 0 : -1;
    case 'L':
        options->last_min = demo_minute_parse(value);
        return options->last_min >= 0 ? 0 : -1;
    case 'r':
        options->workday = false;
        return 0;
    default:
        return -1;
    }
}

static int read_options(int argc, char **argv, struct options *ret)
{
    static const struct option names[] = {
        {"people-uri", required_argument, NULL, 'p'}, {"field-uri", required_argument, NULL, 'f'},
        {"field-user", required_argument, NULL, 'U'}, {"domain", required_argument, NULL, 'd'},
        {"dir", required_argument, NULL, 'D'},        {"example", required_argument, NULL, 'e'},
        {"seed", required_argument, NULL, 's'},       {"trace", required_argument, NULL, 't'},
        {"office", required_argument, NULL, 'o'},     {"date", required_argument, NULL, 'y'},
        {"from", required_argument, NULL, 'F'},       {"until", required_argument, NULL, 'L'},
        {"day-off", no_argument, NULL, 'r'},          {NULL, 0, NULL, 0}};
    for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (set_option(ret, letter, optarg) != 0) {
            (void)fprintf(stderr, "tide-demo play: not understood: %s\n",
                          optarg != NULL ? optarg : argv[optind - 1]);
            return -1;
        }
    }
    return optind == argc && ret->people_uri != NULL && ret->field_uri != NULL &&
                   ret->folder != NULL && ret->example != NULL && ret->first_min < ret->last_min
               ? 0
               : -1;
}

static const char *describe_day(const struct options *options, char *out, size_t cap)
{
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    (void)snprintf(out, cap, "%s %s, a %s",
                   weekdays[demo_date_weekday(demo_date_parse(options->date))], options->date,
                   options->workday ? "workday" : "day off");
    return out;
}

int demo_play(int argc, char **argv)
{
    static struct demo_player player;
    static struct demo_tally tally;
    struct options options = {.domain = "home",
                              .field_user = "",
                              .date = "2019-05-20",
                              .seed = 1,
                              .first_min = 5 * 60,
                              .last_min = 24 * 60,
                              .workday = true};
    if (read_options(argc, argv, &options) != 0) {
        return DEMO_USAGE;
    }
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    char path[4096], day[80];
    (void)snprintf(path, sizeof(path), "%s/secrets", options.folder);
    player.hood = demo_hood_read(options.example, path);
    if (player.hood == NULL) {
        return 1;
    }
    player.tally = &tally;
    player.day_text = describe_day(&options, day, sizeof(day));
    player.first_min = options.first_min;
    player.last_min = options.last_min;
    player.midnight_ms = (int64_t)demo_date_parse(options.date) * 24 * 60 * DEMO_MINUTE_MS -
                         DEMO_OFFSET_MIN * DEMO_MINUTE_MS;
    demo_dice_seed(&player.dice, options.seed);
    int result = play(&player, &options);
    if (player.links != NULL) {
        demo_links_close(player.links);
    }
    demo_agenda_clear(&player.agenda);
    free(player.plan);
    demo_hood_free(player.hood);
    return result;
}
