/* csv.c - see csv.h. */
#include "deploy/demo/csv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t split(char *line, char **fields)
{
    size_t count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && count < DEMO_CSV_FIELDS;) {
        fields[count++] = at;
        at = strchr(at, ',');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

int demo_csv_read(const char *folder, const char *name, demo_csv_row_fn *fn, void *arg)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
        (void)fprintf(stderr, "tide-demo: the path of %s is too long\n", name);
        return -1;
    }
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        (void)fprintf(stderr, "tide-demo: %s: %s\n", path, strerror(errno));
        return -1;
    }
    char line[1024];
    char *fields[DEMO_CSV_FIELDS];
    int result = 0;
    for (size_t number = 1; result == 0 && fgets(line, sizeof(line), in) != NULL; number++) {
        size_t count = split(line, fields);
        if (number > 1 && count > 0 && !fn(arg, fields, count)) {
            (void)fprintf(stderr, "tide-demo: %s:%zu: this row cannot be\n", path, number);
            result = -1;
        }
    }
    (void)fclose(in);
    return result;
}
