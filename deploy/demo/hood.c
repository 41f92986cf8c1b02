/* hood.c - see hood.h. Each file has a row function; they are read in the order in which one
 * refers to another. */
#include "deploy/demo/hood.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/demo/csv.h"
#include "deploy/demo/stays.h"

/* ---- by name ----------------------------------------------------------------------------- */

#define FIND(array, count, member, wanted)                                                         \
    for (size_t i = 0; i < (count); i++) {                                                         \
        if (strcmp((array)[i].member, (wanted)) == 0) {                                            \
            return (int)i;                                                                         \
        }                                                                                          \
    }                                                                                              \
    return -1

int demo_hood_zone(const struct demo_hood *hood, const char *name)
{
    FIND(hood->zones, hood->zone_count, name, name);
}

int demo_hood_slot(const struct demo_hood *hood, const char *name)
{
    FIND(hood->slots, hood->slot_count, name, name);
}

int demo_hood_household(const struct demo_hood *hood, const char *name)
{
    FIND(hood->households, hood->household_count, name, name);
}

int demo_hood_account(const struct demo_hood *hood, const char *user)
{
    FIND(hood->accounts, hood->account_count, user, user);
}

int demo_hood_lane(const struct demo_hood *hood, const char *name)
{
    FIND(hood->lanes, hood->lane_count, name, name);
}

static bool keep(char *out, const char *text)
{
    size_t len = strlen(text);
    if (len >= DEMO_NAME) {
        return false;
    }
    memcpy(out, text, len + 1);
    return true;
}

int demo_hood_add_car(struct demo_hood *hood, const char *plate)
{
    if (hood->car_count == DEMO_CARS_MAX) {
        return -1;
    }
    struct demo_car *car = &hood->cars[hood->car_count];
    *car = (struct demo_car){.household = -1, .slot = -1};
    return keep(car->plate, plate) ? (int)hood->car_count++ : -1;
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool zone_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    if (count < 3 || hood->zone_count == DEMO_ZONES_MAX) {
        return false;
    }
    struct demo_zone *zone = &hood->zones[hood->zone_count++];
    zone->gate = strstr(fields[2], "gate") != NULL;
    zone->sensor = strstr(fields[2], "sensor") != NULL;
    zone->hand = strstr(fields[2], "hand") != NULL;
    return keep(zone->name, fields[0]) && keep(zone->place, fields[1]);
}

static bool place_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    if (count < 3) {
        return false;
    }
    if (strcmp(fields[1], "household") != 0) {
        return true;
    }
    if (hood->household_count == DEMO_HOUSEHOLDS_MAX) {
        return false;
    }
    struct demo_household *household = &hood->households[hood->household_count++];
    household->slot = household->car = household->account = -1;
    household->outsider = strchr(fields[2], '-') == NULL; /* homes hang below a stair, "3-2" */
    return keep(household->name, fields[0]);
}

static bool slot_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    int zone = count < 6 ? -1 : demo_hood_zone(hood, fields[1]);
    if (zone < 0 || hood->slot_count == DEMO_SLOTS_MAX) {
        return false;
    }
    static const char *const titles[] = {"owned", "rented", "common", "organisation"};
    struct demo_slot *slot = &hood->slots[hood->slot_count];
    *slot = (struct demo_slot){.zone = zone, .opens_min = -1, .closes_min = -1, .car = -1};
    int title = 0;
    while (strcmp(titles[title], fields[2]) != 0) {
        if (++title == 4) {
            return false;
        }
    }
    slot->title = (enum demo_title)title;
    slot->standard = strcmp(fields[3], "standard") == 0;
    slot->sensed = strcmp(fields[5], "1") == 0;
    slot->household = demo_hood_household(hood, fields[4]);
    if (slot->household >= 0) {
        hood->households[slot->household].slot = (int)hood->slot_count;
    }
    hood->slot_count++;
    return keep(slot->name, fields[0]);
}

static bool vehicle_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    int car = count < 3 ? -1 : demo_hood_add_car(hood, fields[0]);
    if (car < 0) {
        return false;
    }
    hood->cars[car].emergency = strcmp(fields[2], "emergency") == 0;
    hood->cars[car].household = demo_hood_household(hood, fields[1]);
    if (hood->cars[car].household >= 0) {
        hood->households[hood->cars[car].household].car = car;
    }
    return true;
}

static bool window_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    int slot = count < 8 ? -1 : demo_hood_slot(hood, fields[0]);
    int opens = slot < 0 ? -1 : demo_minute_parse(fields[6]);
    int closes = opens < 0 ? -1 : demo_minute_parse(fields[7]);
    if (closes < 0) {
        return false;
    }
    if (strstr(fields[2], "workday") != NULL) {
        hood->slots[slot].opens_min = opens;
        hood->slots[slot].closes_min = closes <= opens ? closes + 24 * 60 : closes;
    }
    return true;
}

static bool lane_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    if (count < 4 || hood->lane_count == DEMO_LANES_MAX) {
        return false;
    }
    struct demo_lane *lane = &hood->lanes[hood->lane_count++];
    lane->in = strcmp(fields[2], "out") != 0;
    lane->out = strcmp(fields[2], "in") != 0;
    return keep(lane->name, fields[0]) && keep(lane->place, fields[1]) &&
           keep(lane->gateway, fields[3]);
}

static bool account_row(void *arg, char *const *fields, size_t count)
{
    struct demo_hood *hood = arg;
    if (count < 3 || hood->account_count == DEMO_ACCOUNTS_MAX) {
        return false;
    }
    struct demo_account *account = &hood->accounts[hood->account_count];
    if (!keep(account->user, fields[0]) || !keep(account->person, fields[1]) ||
        !keep(account->kind, fields[2])) {
        return false;
    }
    char door[DEMO_NAME];
    (void)keep(door, fields[1]);
    door[strcspn(door, "/")] = '\0';
    int household = demo_hood_household(hood, door);
    if (household >= 0) {
        hood->households[household].account = (int)hood->account_count;
    }
    hood->account_count++;
    return true;
}

static int read_secrets(struct demo_hood *hood, const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        return -1;
    }
    char user[DEMO_NAME], secret[80];
    size_t known = 0;
    while (fscanf(in, "%47s %79s", user, secret) == 2) {
        int account = demo_hood_account(hood, user);
        if (account >= 0) {
            memcpy(hood->accounts[account].secret, secret, sizeof(secret));
            known++;
        }
    }
    (void)fclose(in);
    if (known < hood->account_count) {
        (void)fprintf(stderr, "tide-demo: %s lacks secrets\n", path);
        return -1;
    }
    return 0;
}

struct demo_hood *demo_hood_read(const char *folder, const char *secrets_path)
{
    static const struct {
        const char *name;
        demo_csv_row_fn *fn;
    } files[] = {
        {"zones.csv", zone_row},       {"places.csv", place_row},   {"slots.csv", slot_row},
        {"vehicles.csv", vehicle_row}, {"windows.csv", window_row}, {"lanes.csv", lane_row},
        {"accounts.csv", account_row},
    };
    struct demo_hood *hood = calloc(1, sizeof(*hood));
    if (hood == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (demo_csv_read(folder, files[i].name, files[i].fn, hood) != 0) {
            demo_hood_free(hood);
            return NULL;
        }
    }
    if (secrets_path != NULL && read_secrets(hood, secrets_path) != 0) {
        demo_hood_free(hood);
        return NULL;
    }
    return hood;
}

void demo_hood_free(struct demo_hood *hood)
{
    free(hood);
}
