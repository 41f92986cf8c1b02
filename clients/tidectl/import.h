/* import.h - a neighbourhood from spreadsheets.
 *
 *   bytes ─ csv.c: UTF-8 or GB18030, delimiter, quotes ─► cells
 *         ─ import_kinds.c: which kind of table, by its headings
 *         ─ import_check.c: each cell ─► rows of admin.put          ┐
 *         ─ import_fit.c: each row as the daemon reads it           │
 *         ─ import_link.c: keys twice, references, order            ├─► faults, all of them
 *         ─ import.c: summary, question ─ import_send.c: portions ──┘
 */
#ifndef TIDECTL_IMPORT_H
#define TIDECTL_IMPORT_H

#include "clients/tidectl/tidectl.h"

/* ---- csv.c --------------------------------------------------------------------------------- */
#define CSV_COLUMNS_MAX 64
#define CSV_BYTES_MAX (32u * 1024 * 1024)
struct csv_row {
    size_t line;  /* of the file, from 1 */
    size_t count; /* cells */
    char **cells; /* trimmed; point into the file's text */
};
struct csv {
    char *text;
    struct csv_row *rows; /* the first one is the heading */
    size_t count, cap;
    char **cells; /* all of them */
    size_t cell_count, cell_cap;
    char delimiter;
    const char *encoding; /* "UTF-8", "GB18030", "UTF-16" */
};
/* Takes bytes apart. 0, or -1 with the line and what is wrong there. The bytes are copied. */
int csv_parse(struct csv *ret, const char *bytes, size_t len, size_t *ret_line, char *why,
              size_t cap);
void csv_clear(struct csv *csv);

/* ---- import_kinds.c ------------------------------------------------------------------------ */
enum cell_kind {
    CELL_NAME, /* 1..64 bytes; a key, or a reference when refers is set */
    CELL_TEXT,
    CELL_PHONE,
    CELL_PLATE,
    CELL_WORD,
    CELL_WORDS,
    CELL_INT,
    CELL_FLAG,
    CELL_DATE,
    CELL_HOUR,
    CELL_CREDENTIAL
};
struct import_column {
    const char *name, *aliases; /* aliases: other headings, with blanks between */
    enum cell_kind kind;
    bool required;
    const char *words; /* allowed ones; a Chinese word after = : "owned=自有=产权 rented=租用" */
    const char *refers; /* kinds it may name: "place", "person" */
};
#define IMPORT_COLUMNS_MAX 12
struct import_kind {
    const char *name, *zh; /* "slots" */
    const char *is;        /* "slot" */
    int order;             /* what others need comes first */
    int keys;              /* the first columns are the key */
    struct import_column columns[IMPORT_COLUMNS_MAX];
};
extern const struct import_kind import_kinds[]; /* ends with a NULL name */
const struct import_kind *import_kind_is(const char *is);
/* Which kind a heading makes; ret_map[i]: the column of the kind under heading i, -1: a column that
 * belongs to a household's list (see import_roster). NULL with the reason. */
const struct import_kind *import_kind_find(const struct csv_row *heading,
                                           int ret_map[CSV_COLUMNS_MAX], char *why, size_t cap);
/* The column by its heading; -1: none. */
int import_column_find(const struct import_kind *kind, const char *heading);
/* plate, slot, zone, title in a people file: 0..3; -1: none. */
int import_roster_find(const char *heading);
/* The English word of a list for what was written; NULL: none. Valid until the next call. */
const char *import_word(const char *words, const char *text);

/* ---- rows and faults ----------------------------------------------------------------------- */
struct import_row {
    const struct import_kind *kind;
    size_t file, line;
    char *key;   /* of its kind: "A-017", "3-2-501/1 resident 3-2-501" */
    cJSON *json; /* of admin.put */
    long depth;  /* places: parents first */
};
struct import_fault {
    size_t file, line;
    char column[64];
    char words[400];
};
struct import {
    const char *files[CTL_GIVEN_MAX];
    size_t file_count;
    const struct import_kind *file_kinds[CTL_GIVEN_MAX];
    struct import_row *rows;
    size_t row_count, row_cap;
    struct import_fault *faults;
    size_t fault_count, fault_cap;
    struct import_fault *notes; /* nothing wrong, but worth a look */
    size_t note_count, note_cap;
    const char *secrets_path;
    FILE *secrets;
    bool sent; /* the daemon may have some of it */
};
void import_fault(struct import *import, size_t file, size_t line, const char *column,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
void import_note(struct import *import, size_t file, size_t line, const char *column,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Takes ownership of json. The key is made from the kind's first columns. */
void import_add(struct import *import, const struct import_kind *kind, size_t file, size_t line,
                cJSON *json);
void import_clear(struct import *import);

/* import_fit.c: false when the daemon's decoder would not take the row, whatever names there are;
 * with the column at fault ("": the row) and why. */
bool import_fits(const cJSON *row, char ret_column[64], const char **ret_why);

/* import_check.c: reads, checks and adds the rows of a file. */
void import_file(struct import *import, size_t file);
void import_bytes(struct import *import, size_t file, const char *bytes, size_t len);
/* import_link.c: keys given twice, references, parents; then the order in which rows are sent. */
void import_link(struct import *import);
/* import_send.c: an exit code. */
int import_send(struct import *import, struct ctl *ctl);
/* import.c: faults and notes, as a person reads them. */
void import_print_faults(const struct import *import, FILE *out);

#endif
