/* schema.h - the texts of which the versions of the schema are made; used by schema.c alone. */
#ifndef TIDE_STORE_SCHEMA_H
#define TIDE_STORE_SCHEMA_H

extern const char *const store_schema_v1_own;
extern const char *const store_schema_v1_fold;
extern const char *const store_schema_v1_indexes;
extern const char *const store_schema_v1_triggers;
extern const char *const store_schema_v2_fold;
extern const char *const store_schema_v2_indexes;
extern const char *const store_schema_v3_fold;

#endif
