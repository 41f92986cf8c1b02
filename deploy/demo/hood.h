/* hood.h - the example neighbourhood as the demo's actors know it: who lives where, owns which
 * slot, drives which car, has which account. Read from the same CSV files that are imported.
 *
 *     households ──owns──► slots ──holds──► cars        indices into the arrays; -1 is none
 *         │└────drives───► cars
 *         └──account──────► accounts (an app, a console, a gateway)
 */
#ifndef DEMO_HOOD_H
#define DEMO_HOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEMO_HOUSEHOLDS_MAX 1024
#define DEMO_SLOTS_MAX 1024
#define DEMO_CARS_MAX 4096
#define DEMO_ACCOUNTS_MAX 512
#define DEMO_LANES_MAX 16
#define DEMO_ZONES_MAX 8
#define DEMO_NAME 48

struct demo_zone {
    char name[DEMO_NAME];
    char place[DEMO_NAME];
    bool gate, sensor, hand;
};

struct demo_household {
    char name[DEMO_NAME];
    int slot, car, account;
    bool outsider; /* of the office park: not at home in the compound */
};

enum demo_title { DEMO_OWNED, DEMO_RENTED, DEMO_COMMON, DEMO_ORGANISATION };

struct demo_slot {
    char name[DEMO_NAME];
    int zone;
    enum demo_title title;
    bool standard, sensed;
    int household;             /* whose it is; -1: nobody's */
    int opens_min, closes_min; /* lent on workdays; -1: not */
    int car;                   /* who stands there, in truth; -1: nobody */
};

struct demo_car {
    char plate[DEMO_NAME];
    int household; /* -1: a stranger or a visitor */
    int slot;      /* where it stands; -1: on the road or nowhere in particular */
    bool emergency;
};

struct demo_account {
    char user[DEMO_NAME];
    char person[DEMO_NAME];
    char kind[DEMO_NAME];
    char secret[80];
};

struct demo_lane {
    char name[DEMO_NAME];
    char place[DEMO_NAME];
    char gateway[DEMO_NAME];
    bool in, out;
};

struct demo_hood {
    struct demo_zone zones[DEMO_ZONES_MAX];
    struct demo_household households[DEMO_HOUSEHOLDS_MAX];
    struct demo_slot slots[DEMO_SLOTS_MAX];
    struct demo_car cars[DEMO_CARS_MAX];
    struct demo_account accounts[DEMO_ACCOUNTS_MAX];
    struct demo_lane lanes[DEMO_LANES_MAX];
    size_t zone_count, household_count, slot_count, car_count, account_count, lane_count;
};

/* Reads the folder's CSV files and, when secrets_path is not NULL, the accounts' secrets ("user
 * secret" a line). Returns NULL after telling stderr what is wrong. Freed by demo_hood_free. */
struct demo_hood *demo_hood_read(const char *folder, const char *secrets_path);
void demo_hood_free(struct demo_hood *hood);

/* Indices by name; -1 when there is none. */
int demo_hood_zone(const struct demo_hood *hood, const char *name);
int demo_hood_slot(const struct demo_hood *hood, const char *name);
int demo_hood_household(const struct demo_hood *hood, const char *name);
int demo_hood_account(const struct demo_hood *hood, const char *user);
int demo_hood_lane(const struct demo_hood *hood, const char *name);

/* A car that is not in the books (a visitor's). Returns its index, -1 when there is no room. */
int demo_hood_add_car(struct demo_hood *hood, const char *plate);

#endif
