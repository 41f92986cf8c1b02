/* stories.h - the scenarios: one row a story; tape.h tells what the lines mean. */
#ifndef TIDE_CRASH_STORIES_H
#define TIDE_CRASH_STORIES_H

#include <stdbool.h>

struct story {
    const char *name, *text;
    unsigned domains;  /* 0: one; the same happens in each */
    bool old_requests; /* their answers are kept no longer: the sweep takes them */
};

extern const struct story stories[];
extern const unsigned story_count;

#endif
