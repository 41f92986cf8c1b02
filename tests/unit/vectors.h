/* vectors.h - what the codec's tests share: the files in protocol/vectors, and the directory of
 * names that these files suppose. A file is looked for below the current folder (make runs tests in
 * the root) or below TIDE_ROOT. */
#ifndef TIDE_TESTS_VECTORS_H
#define TIDE_TESTS_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/codec.h"

static inline cJSON *vectors_read(const char *name)
{
    static char text[1 << 20];
    char path[512];
    const char *root = getenv("TIDE_ROOT");
    (void)snprintf(path, sizeof path, "%s/protocol/vectors/%s", root != NULL ? root : ".", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing: run in the root of the sources or set TIDE_ROOT", path);
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_true(len < sizeof text);
    cJSON *root_object = cJSON_ParseWithLength(text, len);
    if (root_object == NULL)
        fail_msg("%s is not JSON", path);
    return root_object;
}

static inline const cJSON *vectors_cases(const cJSON *file)
{
    const cJSON *cases = cJSON_GetObjectItemCaseSensitive(file, "cases");
    assert_true(cJSON_GetArraySize(cases) > 0);
    return cases;
}

static inline const char *vectors_text(const cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

static inline int64_t vectors_int(const cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : 0;
}

/* Fills a record from an object of field names and numbers; a name that is no field fails. */
static inline void vectors_record(unsigned kind, const cJSON *object, void *ret)
{
    const struct tide_record *desc = tide_record_of(kind);
    assert_non_null(desc);
    memset(ret, 0, desc->size);
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        unsigned i = 0;
        if (strcmp(member->string, "record") == 0)
            continue;
        while (i < desc->field_count && strcmp(desc->fields[i].name, member->string) != 0)
            i++;
        if (i == desc->field_count)
            fail_msg("%s has no field %s", desc->name, member->string);
        int64_t value = cJSON_IsBool(member) ? cJSON_IsTrue(member) : (int64_t)member->valuedouble;
        assert_true(tide_field_fits(&desc->fields[i], value));
        tide_field_set(&desc->fields[i], ret, value);
    }
}

/* ---- the directory --------------------------------------------------------------------------- */
#define DIRECTORY_MAX 512
struct directory {
    struct directory_entry {
        enum tide_name_kind kind;
        tide_id id;
        char text[200];
    } entry[DIRECTORY_MAX];
    unsigned count, given; /* given: by the file; those after it were made */
    unsigned room;         /* how many may still be made */
    int utc_offset_min;
    uint32_t incarnation;
    struct tide_names names;
};

static inline struct directory_entry *directory_find(struct directory *d, enum tide_name_kind kind,
                                                     const char *text, size_t len)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->entry[i].kind == kind && strlen(d->entry[i].text) == len &&
            memcmp(d->entry[i].text, text, len) == 0)
            return &d->entry[i];
    return NULL;
}

static inline tide_id directory_find_id(void *arg, enum tide_name_kind kind, const char *text,
                                        size_t len)
{
    struct directory_entry *entry = directory_find(arg, kind, text, len);
    return entry != NULL ? entry->id : 0;
}

static inline tide_id directory_make(void *arg, enum tide_name_kind kind, const char *text,
                                     size_t len)
{
    struct directory *d = arg;
    struct directory_entry *entry = directory_find(d, kind, text, len);
    if (entry != NULL)
        return entry->id;
    if (d->room == 0 || d->count == DIRECTORY_MAX || len >= sizeof entry->text)
        return 0;
    d->room--;
    entry = &d->entry[d->count];
    entry->kind = kind;
    entry->id = 1000 + d->count++ - d->given;
    memcpy(entry->text, text, len);
    entry->text[len] = '\0';
    return entry->id;
}

static inline const char *directory_text(void *arg, enum tide_name_kind kind, tide_id id)
{
    const struct directory *d = arg;
    for (unsigned i = 0; i < d->count; i++)
        if (d->entry[i].kind == kind && d->entry[i].id == id)
            return d->entry[i].text;
    return NULL;
}

/* One entry of names.json: a name with its id, or (texts) an id with its text. */
static inline void directory_add(struct directory *d, const char *kind_name, const cJSON *item)
{
    int kind = tide_enum_value(TIDE_ENUM_FIELD_TYPE(name_kind), kind_name, strlen(kind_name));
    assert_true(kind > 0 && d->count < DIRECTORY_MAX);
    struct directory_entry *entry = &d->entry[d->count++];
    bool is_text = cJSON_IsString(item);
    entry->kind = (enum tide_name_kind)kind;
    entry->id = is_text ? (tide_id)strtoul(item->string, NULL, 10) : (tide_id)item->valuedouble;
    (void)snprintf(entry->text, sizeof entry->text, "%s",
                   is_text ? item->valuestring : item->string);
}

static inline void directory_load(struct directory *d)
{
    cJSON *file = vectors_read("names.json");
    const cJSON *kind, *item;
    memset(d, 0, sizeof *d);
    cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(file, "names"))
    {
        cJSON_ArrayForEach(item, kind)
        {
            directory_add(d, kind->string, item);
        }
    }
    d->given = d->count;
    d->room = DIRECTORY_MAX;
    d->utc_offset_min = (int)vectors_int(file, "utc_offset_min");
    d->incarnation = (uint32_t)vectors_int(file, "incarnation");
    d->names = (struct tide_names){
        .arg = d, .find = directory_find_id, .make = directory_make, .text = directory_text};
    cJSON_Delete(file);
}

/* As it was after loading. */
static inline void directory_reset(struct directory *d)
{
    d->count = d->given;
    d->room = DIRECTORY_MAX;
}

#endif
