/* decode_rows.c - messages that carry rows: import, removal, a year's holiday file.
 *
 *     {"rows":[{"is":"person","person":"3-2-501/1","household":"3-2-501","phone":"..."}, ...]}
 *       blob: | kind | packed record |  again and again          sets: (phone, id of the person)
 *
 * Rows come in an order in which each names only what stands before it or is known already.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

static int append_row(struct wire_decoder *d, struct tide_request *request, unsigned kind,
                      const void *record)
{
    size_t at = request->event.blob_len, cap = sizeof request->blob - at;
    size_t used =
        cap > 1 ? tide_record_pack(tide_record_of(kind), record, request->blob + at + 1, cap - 1)
                : 0;
    if (used == 0)
        return wire_refuse(d, TIDE_CODE_invalid, "", "too much at once");
    request->blob[at] = (uint8_t)kind;
    request->event.blob_len += (uint32_t)(1 + used);
    request->event.blob = request->blob;
    return 0;
}

/* The row's "is", or NULL with the fault told. */
static const char *row_is(struct wire_decoder *d, const cJSON *row)
{
    const cJSON *is = cJSON_GetObjectItemCaseSensitive(row, "is");
    if (!cJSON_IsObject(row))
        (void)wire_refuse(d, TIDE_CODE_invalid, "", "not an object");
    else if (is == NULL)
        (void)wire_refuse(d, TIDE_CODE_invalid, "is", "missing");
    else if (!cJSON_IsString(is))
        (void)wire_refuse(d, TIDE_CODE_invalid, "is", "not a text");
    else
        return is->valuestring;
    return NULL;
}

/* A setting has bounds of its own. */
static bool setting_fits(const struct tide_setting_row *row)
{
    static const struct {
        int64_t least, most;
    } bounds[] = {
#define SETTING_(number, name, standard, least, most) [number] = {least, most},
        TIDE_SETTINGS(SETTING_)
#undef SETTING_
    };
    return row->key < sizeof bounds / sizeof *bounds && row->value >= bounds[row->key].least &&
           row->value <= bounds[row->key].most;
}

static int put_row(struct wire_decoder *d, const cJSON *row, struct tide_request *request)
{
    union tide_any record;
    const char *is = row_is(d, row);
    if (is == NULL)
        return -1;
    const struct wire_shape *shape = wire_shape_of_row(is);
    if (shape == NULL)
        return wire_refuse(d, TIDE_CODE_invalid, "is", "not one of its words");
    d->make_key = true;
    if (wire_decode_object(d, shape, row, "is", &record) != 0)
        return -1;
    if (shape->kind == TIDE_REC_setting_row && !setting_fits(&record.setting_row))
        return wire_refuse(d, TIDE_CODE_invalid, "value", "out of range");
    const struct tide_field *key = tide_record_of(shape->kind)->fields;
    tide_id id = (tide_id)tide_field_get(key, &record);
    if (wire_take_texts(d, request, id) != 0)
        return -1;
    return append_row(d, request, shape->kind, &record);
}

int wire_decode_put(struct wire_decoder *d, const cJSON *root, struct tide_request *request)
{
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(root, "rows");
    if (!cJSON_IsArray(rows))
        return wire_refuse(d, TIDE_CODE_invalid, "rows", rows != NULL ? "not a list" : "missing");
    int count = cJSON_GetArraySize(rows);
    if (count < 1 || count > TIDE_ITEMS_MAX)
        return wire_refuse(d, TIDE_CODE_invalid, "rows", count < 1 ? "empty" : "too many rows");
    request->event.blob_len = 0;
    request->set_count = 0;
    unsigned index = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        (void)snprintf(d->at, sizeof d->at, "rows[%u].", index++);
        if (put_row(d, row, request) != 0)
            return -1;
    }
    d->at[0] = '\0';
    request->event.as.put.rows = (uint16_t)count;
    return 0;
}

int wire_decode_drop(struct wire_decoder *d, const cJSON *root, struct tide_request *request)
{
    union tide_any record;
    const cJSON *row = cJSON_GetObjectItemCaseSensitive(root, "row");
    if (row == NULL)
        return wire_refuse(d, TIDE_CODE_invalid, "row", "missing");
    (void)snprintf(d->at, sizeof d->at, "row.");
    const char *is = row_is(d, row);
    if (is == NULL)
        return -1;
    const struct wire_shape *shape = wire_shape_of_drop(is);
    if (shape == NULL)
        return wire_refuse(d, TIDE_CODE_invalid, "is", "not one of its words");
    /* Only keys are here: what a whole row must hold besides is not asked for. */
    struct tide_drop *drop = &request->event.as.drop;
    const struct tide_record *desc = tide_record_of(shape->kind);
    if (wire_decode_object(d, shape, row, "is", &record) != 0)
        return -1;
    uint32_t *keys[3] = {&drop->k1, &drop->k2, &drop->k3};
    for (unsigned i = 0; i < desc->key_count && i < 3; i++)
        *keys[i] = (uint32_t)tide_field_get(&desc->fields[i], &record);
    drop->kind = shape->kind;
    d->at[0] = '\0';
    return 0;
}

/* {"name":"元旦","date":"2019-01-01","isOffDay":true} */
static int decode_day(struct wire_decoder *d, const cJSON *day, struct tide_day *ret)
{
    static const char *const members[] = {"name", "date", "isOffDay"};
    const cJSON *value[3] = {NULL, NULL, NULL}, *member;
    if (!cJSON_IsObject(day))
        return wire_refuse(d, TIDE_CODE_invalid, "", "not an object");
    cJSON_ArrayForEach(member, day)
    {
        unsigned i = 0;
        while (i < 3 && strcmp(member->string, members[i]) != 0)
            i++;
        if (i == 3)
            return wire_refuse(d, TIDE_CODE_invalid, member->string, "not known here");
        value[i] = member;
    }
    for (unsigned i = 1; i < 3; i++)
        if (value[i] == NULL)
            return wire_refuse(d, TIDE_CODE_invalid, members[i], "missing");
    if (value[0] != NULL && !cJSON_IsString(value[0]))
        return wire_refuse(d, TIDE_CODE_invalid, "name", "not a text");
    if (!cJSON_IsString(value[1]) ||
        tide_date_parse(value[1]->valuestring, strlen(value[1]->valuestring), &ret->date) != 0)
        return wire_refuse(d, TIDE_CODE_invalid, "date", "not a date like 2019-05-20");
    if (!cJSON_IsBool(value[2]))
        return wire_refuse(d, TIDE_CODE_invalid, "isOffDay", "not true or false");
    ret->day_class = cJSON_IsTrue(value[2]) ? TIDE_DAY_CLASS_holiday : TIDE_DAY_CLASS_workday;
    return 0;
}

int wire_decode_calendar(struct wire_decoder *d, const cJSON *root, struct tide_request *request)
{
    const cJSON *days = cJSON_GetObjectItemCaseSensitive(root, "days");
    if (!cJSON_IsArray(days))
        return wire_refuse(d, TIDE_CODE_invalid, "days", "not a list");
    if (cJSON_GetArraySize(days) > TIDE_DAY_EXCEPTIONS_MAX)
        return wire_refuse(d, TIDE_CODE_invalid, "days", "too many days");
    int32_t year = request->event.as.calendar.year; /* its paper names days of the years beside */
    if (year < 1971 || year > 9998)
        return wire_refuse(d, TIDE_CODE_invalid, "year", "out of range");
    unsigned index = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, days)
    {
        struct tide_day day;
        memset(&day, 0, sizeof day);
        (void)snprintf(d->at, sizeof d->at, "days[%u].", index++);
        if (decode_day(d, value, &day) != 0)
            return -1;
        if (day.date < wire_days_from_civil(year - 1, 1, 1) ||
            day.date >= wire_days_from_civil(year + 2, 1, 1))
            return wire_refuse(d, TIDE_CODE_invalid, "date", "not of this year");
        if (append_row(d, request, TIDE_REC_day, &day) != 0)
            return -1;
    }
    d->at[0] = '\0';
    request->event.as.calendar.rows = (uint16_t)index;
    return 0;
}
