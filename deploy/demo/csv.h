/* csv.h - rows of the example's own CSV files: no quotes, no blanks, a header first. */
#ifndef DEMO_CSV_H
#define DEMO_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define DEMO_CSV_FIELDS 12

/* One row; fields borrowed for the call. Returns false when the row cannot be. */
typedef bool demo_csv_row_fn(void *arg, char *const *fields, size_t count);

/* Reads folder/name, handing each row after the header to fn. Returns 0, or -1 after telling stderr
 * the file and the line. */
int demo_csv_read(const char *folder, const char *name, demo_csv_row_fn *fn, void *arg);

#endif
