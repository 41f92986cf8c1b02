/* figures.h - how real lots fill and empty, as figures; from them a day is made.
 *
 * Sources (the figures alone are carried over, not the records):
 *  - stays: NingxuanFeng/PewLSTM (MIT), data/record/P4.csv, an industrial park in Ningbo with 62
 *    slots, and P10.csv, a community in Changsha with 65; rows under 5 minutes left out, days
 *    classed by the statutory calendar. Cite Zhang et al., PewLSTM, IJCAI 2020.
 *  - owners' hours: He, Liu, Xiong, Li, doi 10.19734/j.issn.1001-3695.2018.05.0503 (Chengdu).
 */
#ifndef DEMO_FIGURES_H
#define DEMO_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "deploy/demo/dice.h"

#define DEMO_QUANTILES 7

/* Minutes that stays last which began in these hours: quantiles 5, 10, 25, 50, 75, 90, 95 %. */
struct demo_band {
    int from_hour, until_hour;
    int quantile_min[DEMO_QUANTILES];
};

struct demo_lot {
    const char *what;
    int slots;
    int arrivals_a_day_x100;
    int arrivals_by_hour[24];
    struct demo_band bands[4];
    size_t band_count;
};

extern const struct demo_lot demo_lot_park_workday, demo_lot_park_offday;
extern const struct demo_lot demo_lot_home_workday, demo_lot_home_offday;

/* A stay: minutes of the civil day; leaves may lie in the next days. */
struct demo_stay {
    int arrives_min, leaves_min;
};

/* Draws one stay of at least five minutes. */
struct demo_stay demo_figures_stay(struct demo_dice *dice, const struct demo_lot *lot);

/* Draws the minute at which an owner leaves in the morning, comes back in the evening. */
int demo_figures_owner_leaves(struct demo_dice *dice);
int demo_figures_owner_returns(struct demo_dice *dice);

#endif
