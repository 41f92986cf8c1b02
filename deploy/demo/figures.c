/* figures.c - the figures themselves, and drawing from them. */
#include "deploy/demo/figures.h"

#include <assert.h>

const struct demo_lot demo_lot_park_workday = {
    .what = "an industrial park in Ningbo, workdays",
    .slots = 62,
    .arrivals_a_day_x100 = 5325,
    .arrivals_by_hour = {0,   0,   0,   0,  0,  0, 1, 98, 1834, 874, 254, 125,
                         215, 199, 141, 88, 40, 9, 3, 4,  0,    2,   0,   0},
    .bands =
        {
            {7, 10, {45, 131, 321, 529, 566, 598, 646}},
            {10, 17, {18, 41, 107, 232, 312, 427, 487}},
        },
    .band_count = 2,
};

const struct demo_lot demo_lot_park_offday = {
    .what = "an industrial park in Ningbo, days off",
    .slots = 62,
    .arrivals_a_day_x100 = 214,
    .arrivals_by_hour = {0, 0, 0, 0, 0, 0, 0, 2, 15, 13, 5, 3, 10, 4, 2, 5, 1, 0, 1, 1, 0, 0, 0, 0},
    .bands =
        {
            {7, 10, {47, 125, 212, 354, 451, 506, 536}},
            {10, 17, {14, 15, 55, 123, 196, 272, 363}},
        },
    .band_count = 2,
};

const struct demo_lot demo_lot_home_workday = {
    .what = "a community in Changsha, workdays",
    .slots = 65,
    .arrivals_a_day_x100 = 10059,
    .arrivals_by_hour = {305, 148, 103,  79,   51,  41,  50,   808, 1702, 1630, 1257, 759,
                         552, 616, 1443, 1293, 856, 865, 1025, 793, 720,  692,  555,  455},
    .bands =
        {
            {0, 7, {59, 250, 453, 676, 1018, 2178, 3050}},
            {7, 10, {26, 43, 84, 147, 233, 553, 648}},
            {10, 17, {18, 27, 56, 108, 241, 1054, 1483}},
            {17, 24, {29, 65, 227, 738, 972, 2109, 2954}},
        },
    .band_count = 4,
};

const struct demo_lot demo_lot_home_offday = {
    .what = "a community in Changsha, days off",
    .slots = 65,
    .arrivals_a_day_x100 = 6850,
    .arrivals_by_hour = {134, 85,  53,  27,  37,  22,  19,  96,  293, 389, 339, 240,
                         191, 263, 270, 350, 270, 330, 329, 292, 315, 290, 257, 178},
    .bands =
        {
            {0, 7, {91, 207, 478, 720, 1032, 2157, 3681}},
            {7, 10, {19, 30, 64, 122, 229, 596, 1332}},
            {10, 17, {17, 29, 65, 144, 415, 1309, 1895}},
            {17, 24, {28, 60, 218, 745, 1079, 2185, 3466}},
        },
    .band_count = 4,
};

/* Shares of the half hours from a first minute on, in hundredths of a percent. */
struct half_hours {
    int first_min;
    int share[6];
    int count;
};
static const struct half_hours owner_leaves = {7 * 60, {1176, 1765, 2648, 1568, 1470, 1373}, 6};
static const struct half_hours owner_returns = {17 * 60, {2000, 3667, 2333, 2000}, 4};

static int draw_half_hours(struct demo_dice *dice, const struct half_hours *of)
{
    int total = 0;
    for (int i = 0; i < of->count; i++) {
        total += of->share[i];
    }
    int at = demo_dice_below(dice, total);
    int i = 0;
    while (at >= of->share[i]) {
        at -= of->share[i++];
    }
    assert(i < of->count);
    return of->first_min + 30 * i + demo_dice_below(dice, 30);
}

int demo_figures_owner_leaves(struct demo_dice *dice)
{
    return draw_half_hours(dice, &owner_leaves);
}

int demo_figures_owner_returns(struct demo_dice *dice)
{
    return draw_half_hours(dice, &owner_returns);
}

/* The hours with no band of their own take the nearest earlier one, else the first. */
static const struct demo_band *band_of(const struct demo_lot *lot, int hour)
{
    const struct demo_band *found = &lot->bands[0];
    for (size_t i = 0; i < lot->band_count; i++) {
        if (lot->bands[i].from_hour <= hour) {
            found = &lot->bands[i];
        }
    }
    return found;
}

/* A length by its place among the quantiles, straight between two of them; the tails end at five
 * minutes and at the 95 % value stretched by a tenth. */
static int draw_length(struct demo_dice *dice, const struct demo_band *band)
{
    static const int at[DEMO_QUANTILES + 2] = {0, 5, 10, 25, 50, 75, 90, 95, 100};
    int value[DEMO_QUANTILES + 2];
    value[0] = 5;
    for (int i = 0; i < DEMO_QUANTILES; i++) {
        value[i + 1] = band->quantile_min[i];
    }
    value[DEMO_QUANTILES + 1] = value[DEMO_QUANTILES] + value[DEMO_QUANTILES] / 10;
    int permille = demo_dice_below(dice, 1000);
    int i = 0;
    while (permille >= at[i + 1] * 10) {
        i++;
    }
    int span = (at[i + 1] - at[i]) * 10;
    return value[i] + (value[i + 1] - value[i]) * (permille - at[i] * 10) / span;
}

struct demo_stay demo_figures_stay(struct demo_dice *dice, const struct demo_lot *lot)
{
    int total = 0;
    for (int hour = 0; hour < 24; hour++) {
        total += lot->arrivals_by_hour[hour];
    }
    int at = demo_dice_below(dice, total);
    int hour = 0;
    while (at >= lot->arrivals_by_hour[hour]) {
        at -= lot->arrivals_by_hour[hour++];
    }
    assert(hour < 24);
    struct demo_stay stay;
    stay.arrives_min = hour * 60 + demo_dice_below(dice, 60);
    stay.leaves_min = stay.arrives_min + draw_length(dice, band_of(lot, hour));
    assert(stay.leaves_min >= stay.arrives_min + 5);
    return stay;
}
