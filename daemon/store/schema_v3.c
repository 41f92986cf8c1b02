/* schema_v3.c - what version 3 of the tables adds, as text that never changes again: how late cars
 * leave, what a zone risks for that, and what is kept free after a booking.
 */
#include "daemon/store/schema.h"

const char *const store_schema_v3_fold =
    "ALTER TABLE zone ADD COLUMN risk_permille INTEGER NOT NULL DEFAULT 0"
    " CHECK (risk_permille BETWEEN 0 AND 65535);\n"
    "ALTER TABLE booking ADD COLUMN buffer_min INTEGER NOT NULL DEFAULT 0"
    " CHECK (buffer_min BETWEEN 0 AND 255);\n"
    "CREATE TABLE lateness(\n"
    "  domain INTEGER NOT NULL,\n"
    "  zone INTEGER NOT NULL,\n"
    "  day_class INTEGER NOT NULL CHECK (day_class BETWEEN 0 AND 255),\n"
    "  in_time INTEGER NOT NULL,\n"
    "  late_5 INTEGER NOT NULL,\n"
    "  late_10 INTEGER NOT NULL,\n"
    "  late_15 INTEGER NOT NULL,\n"
    "  late_20 INTEGER NOT NULL,\n"
    "  late_30 INTEGER NOT NULL,\n"
    "  late_40 INTEGER NOT NULL,\n"
    "  late_50 INTEGER NOT NULL,\n"
    "  late_60 INTEGER NOT NULL,\n"
    "  late_75 INTEGER NOT NULL,\n"
    "  late_90 INTEGER NOT NULL,\n"
    "  late_105 INTEGER NOT NULL,\n"
    "  late_120 INTEGER NOT NULL,\n"
    "  late_150 INTEGER NOT NULL,\n"
    "  late_180 INTEGER NOT NULL,\n"
    "  late_240 INTEGER NOT NULL,\n"
    "  later INTEGER NOT NULL,\n"
    "  PRIMARY KEY (domain, zone, day_class)\n"
    ") STRICT, WITHOUT ROWID;\n";
