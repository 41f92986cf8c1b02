/* import_check.c - from cells to rows of admin.put; every fault is kept, with its remedy. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/import.h"
#include "daemon/net/broker.h"
#include "protocol/codec.h"
#include "tide/credential.h"

#define NAME_BYTES_MAX 64
#define TEXT_BYTES_MAX 190

/* ---- keeping ------------------------------------------------------------------------------- */
static void keep_words(struct import_fault **list, size_t *count, size_t *cap,
                       const struct import_fault *fault)
{
    if (*count == *cap) {
        size_t more = *cap ? 2 * *cap : 32;
        struct import_fault *grown = realloc(*list, more * sizeof *grown);

        if (!grown)
            return;
        *list = grown;
        *cap = more;
    }
    (*list)[(*count)++] = *fault;
}

void import_fault(struct import *import, size_t file, size_t line, const char *column,
                  const char *format, ...)
{
    struct import_fault fault = {.file = file, .line = line};
    va_list args;

    snprintf(fault.column, sizeof fault.column, "%s", column);
    va_start(args, format);
    vsnprintf(fault.words, sizeof fault.words, format, args);
    va_end(args);
    keep_words(&import->faults, &import->fault_count, &import->fault_cap, &fault);
}

void import_note(struct import *import, size_t file, size_t line, const char *column,
                 const char *format, ...)
{
    struct import_fault note = {.file = file, .line = line};
    va_list args;

    snprintf(note.column, sizeof note.column, "%s", column);
    va_start(args, format);
    vsnprintf(note.words, sizeof note.words, format, args);
    va_end(args);
    keep_words(&import->notes, &import->note_count, &import->note_cap, &note);
}

/* The key's columns, one after another. */
static char *make_key(const struct import_kind *kind, const cJSON *json)
{
    char *key = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&key, &size);

    if (!out)
        return NULL;
    for (int i = 0; i < kind->keys; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, kind->columns[i].name);
        char *text = value && !cJSON_IsString(value) ? cJSON_PrintUnformatted(value) : NULL;

        fprintf(out, "%s%s", i ? " " : "", text ? text : ctl_text_of(json, kind->columns[i].name));
        cJSON_free(text);
    }
    fclose(out);
    return key;
}

void import_add(struct import *import, const struct import_kind *kind, size_t file, size_t line,
                cJSON *json)
{
    char column[64];
    const char *why;

    if (!import_fits(json, column, &why)) {
        import_fault(import, file, line, column, "%s", why);
        cJSON_Delete(json);
        return;
    }
    if (import->row_count == import->row_cap) {
        size_t cap = import->row_cap ? 2 * import->row_cap : 256;
        struct import_row *rows = realloc(import->rows, cap * sizeof *rows);

        if (!rows) {
            cJSON_Delete(json);
            import_fault(import, file, line, "", "%s", CTL_T("no memory", "内存不足"));
            return;
        }
        import->rows = rows;
        import->row_cap = cap;
    }
    import->rows[import->row_count++] = (struct import_row){
        .kind = kind, .file = file, .line = line, .key = make_key(kind, json), .json = json};
}

void import_clear(struct import *import)
{
    for (size_t i = 0; i < import->row_count; i++) {
        free(import->rows[i].key);
        cJSON_Delete(import->rows[i].json);
    }
    free(import->rows);
    free(import->faults);
    free(import->notes);
    if (import->secrets)
        fclose(import->secrets);
    memset(import, 0, sizeof *import);
}

/* ---- one cell ------------------------------------------------------------------------------ */
static const char *name_fault(const char *text, bool is_user)
{
    if (strlen(text) > NAME_BYTES_MAX)
        return CTL_T("is longer than 64 bytes (21 Chinese characters): shorten it",
                     "超过 64 字节(约 21 个汉字),请缩短");
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '+' || *at == '#')
            return CTL_T("holds a character that a name may not have (+ # or a control character)",
                         "含有名称不允许的字符(+、# 或控制字符)");
    if (is_user && strpbrk(text, "/:$ "))
        return CTL_T("is a user's name: it may not hold / : $ or blanks",
                     "账号名不能含 / : $ 或空格");
    return NULL;
}

static cJSON *words_value(const struct import_column *column, const char *text, char *bad,
                          size_t cap)
{
    cJSON *array = cJSON_CreateArray();

    while (*text) {
        char word[48];
        size_t len = 0;
        const char *english;

        while (text[len] && !strchr("+,;| /", text[len]) && strncmp(text + len, "、", 3) != 0)
            len++;
        snprintf(word, sizeof word, "%.*s", (int)(len < 47 ? len : 47), text);
        english = import_word(column->words, word);
        if (len && !english) {
            snprintf(bad, cap, "%s", word);
            cJSON_Delete(array);
            return NULL;
        }
        if (len)
            cJSON_AddItemToArray(array, cJSON_CreateString(english));
        text += len;
        text += *text == '\0' ? 0 : strncmp(text, "、", 3) == 0 ? 3 : 1;
    }
    return array;
}

static bool is_phone(const char *text)
{
    int digits = 0;

    for (; *text; text++) {
        if (isdigit((unsigned char)*text))
            digits++;
        else if (!strchr("+- ()", *text))
            return false;
    }
    return digits >= 5 && digits <= 15;
}

/* A number of at most `most` digits and what must stand behind it; moves on. */
static bool take_part(const char **at, size_t most, const char *behind, long *ret)
{
    size_t digits = strspn(*at, "0123456789");

    if (digits == 0 || digits > most || strncmp(*at + digits, behind, strlen(behind)) != 0)
        return false;
    *ret = strtol(*at, NULL, 10);
    *at += digits + strlen(behind);
    return true;
}

/* A date as spreadsheets write it: 2019-05-20, 2019/5/20, 2019.5.20, 2019年5月20日. */
static bool normal_date(const char *text, char *out, size_t cap)
{
    static const char *const marks[][3] = {
        {"-", "-", ""}, {"/", "/", ""}, {".", ".", ""}, {"年", "月", "日"}};
    char full[40];

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = text;
        long year, month, day;
        tide_ms ignored;

        if (!take_part(&at, 4, marks[i][0], &year) || !take_part(&at, 2, marks[i][1], &month) ||
            !take_part(&at, 2, marks[i][2], &day) || *at)
            continue;
        snprintf(full, sizeof full, "%04ld-%02ld-%02ldT00:00:00Z", year, month, day);
        snprintf(out, cap, "%.10s", full);
        return year >= 1970 && tide_time_parse(full, strlen(full), &ignored) == 0;
    }
    return false;
}

static cJSON *flag_value(const char *text)
{
    static const char *const yes[] = {"true", "yes", "y", "1", "是", "有", "开", NULL};
    static const char *const no[] = {"false", "no", "n", "0", "否", "无", "关", NULL};

    for (size_t i = 0; yes[i]; i++)
        if (strcasecmp(yes[i], text) == 0)
            return cJSON_CreateTrue();
    for (size_t i = 0; no[i]; i++)
        if (strcasecmp(no[i], text) == 0)
            return cJSON_CreateFalse();
    return NULL;
}

static cJSON *word_cell(const struct import_column *column, const char *text, const char **ret_why)
{
    static char why[360];
    char bad[48] = "";
    const char *word;
    cJSON *array;

    snprintf(why, sizeof why, CTL_T("is none of: %s", "应为其中之一:%s"), column->words);
    *ret_why = why;
    if (column->kind == CELL_WORD) {
        word = import_word(column->words, text);
        return word ? cJSON_CreateString(word) : NULL;
    }
    array = words_value(column, text, bad, sizeof bad);
    if (!array && strcmp(bad, text) != 0)
        snprintf(why, sizeof why,
                 CTL_T("holds '%s', which is none of: %s", "中的“%s”应为其中之一:%s"), bad,
                 column->words);
    return array;
}

/* The value of a cell that is not empty; NULL with the reason. */
static cJSON *cell_value(const struct import_kind *kind, const struct import_column *column,
                         const char *text, const char **ret_why)
{
    char out[64], *end;
    long long number;

    *ret_why = NULL;
    switch (column->kind) {
    case CELL_NAME:
        *ret_why = name_fault(text, strcmp(column->name, "user") == 0 ||
                                        strcmp(column->name, "gateway") == 0);
        return *ret_why ? NULL : cJSON_CreateString(text);
    case CELL_TEXT:
        *ret_why = CTL_T("is too long", "过长");
        return strlen(text) > TEXT_BYTES_MAX ? NULL : cJSON_CreateString(text);
    case CELL_PHONE:
        *ret_why = CTL_T("is no phone number (digits, + - and blanks)", "不是电话号码");
        return is_phone(text) ? cJSON_CreateString(text) : NULL;
    case CELL_PLATE:
        *ret_why = CTL_T("is no plate; write it like 浙F12345 or 浙FD12345",
                         "不是车牌;应写作 浙F12345 或 浙FD12345");
        return tide_plate_normalise(text, strlen(text), out, sizeof out) < 0
                   ? NULL
                   : cJSON_CreateString(out);
    case CELL_INT:
        errno = 0;
        number = strtoll(text, &end, 10);
        *ret_why = CTL_T("is no whole number", "不是整数");
        return *end || errno ? NULL : cJSON_CreateNumber((double)number);
    case CELL_FLAG:
        *ret_why = CTL_T("is neither yes nor no", "应为 是 或 否");
        return flag_value(text);
    case CELL_DATE:
        *ret_why = CTL_T("is no date; write 2019-05-20", "不是日期;应写作 2019-05-20");
        return normal_date(text, out, sizeof out) ? cJSON_CreateString(out) : NULL;
    case CELL_HOUR:
        *ret_why = CTL_T("is no hour of the day; write 08:30", "不是时刻;应写作 08:30");
        return ctl_when_hour(text, out, sizeof out) == 0 ? cJSON_CreateString(out) : NULL;
    case CELL_CREDENTIAL:
        *ret_why = CTL_T("is no hash; `tidectl credential` makes one ($7$…). Secrets do not belong "
                         "into a file",
                         "不是密码散列;请用 `tidectl credential` 生成($7$…)。文件中不要写密码");
        return tide_credential_ok(text) ? cJSON_CreateString(text) : NULL;
    default:
        return word_cell(column, text, ret_why);
    }
    (void)kind;
}

/* ---- one row ------------------------------------------------------------------------------- */
/* Secrets for users who have none, when a file for them was named. */
static void make_credential(struct import *import, cJSON *json)
{
    char secret[64], hash[192];

    if (!import->secrets || cJSON_HasObjectItem(json, "credential"))
        return;
    if (broker_secret(secret, sizeof secret) != 0 || broker_hash(secret, hash, sizeof hash) != 0)
        return;
    cJSON_AddStringToObject(json, "credential", hash);
    fprintf(import->secrets, "%s,%s\n", ctl_text_of(json, "user"), secret);
}

/* What a row of one list says of the household's cars and slots. */
struct roster {
    const char *cells[4]; /* plate, slot, zone, title */
};

static void add_plates(struct import *import, size_t file, size_t line, const char *household,
                       const char *plates)
{
    while (*plates) {
        char word[64], plate[32];
        size_t len = 0;

        while (plates[len] && !strchr("+,;|/ ", plates[len]) && strncmp(plates + len, "、", 3) != 0)
            len++;
        snprintf(word, sizeof word, "%.*s", (int)(len < 63 ? len : 63), plates);
        plates += len;
        plates += *plates == '\0' ? 0 : strncmp(plates, "、", 3) == 0 ? 3 : 1;
        if (!len)
            continue;
        if (tide_plate_normalise(word, strlen(word), plate, sizeof plate) < 0) {
            import_fault(
                import, file, line, "plate",
                CTL_T("'%s' is no plate; write it like 浙F12345", "“%s”不是车牌;应写作 浙F12345"),
                word);
            continue;
        }
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "is", "vehicle");
        cJSON_AddStringToObject(json, "plate", plate);
        cJSON_AddStringToObject(json, "household", household);
        cJSON_AddStringToObject(json, "kind", "resident");
        import_add(import, import_kind_is("vehicle"), file, line, json);
    }
}

static void add_roster(struct import *import, size_t file, size_t line, const char *household,
                       const struct roster *roster)
{
    const struct import_kind *slots = import_kind_is("slot");
    const char *title = roster->cells[3], *word = "owned";
    cJSON *json;

    if (!*household) {
        if (*roster->cells[0] || *roster->cells[1])
            import_fault(import, file, line, "household", "%s",
                         CTL_T("a car or slot needs its household", "车辆或车位须有房号"));
        return;
    }
    add_plates(import, file, line, household, roster->cells[0]);
    if (!*roster->cells[1])
        return;
    if (*title)
        word = import_word(slots->columns[2].words, title);
    if (!word)
        import_fault(import, file, line, "title", CTL_T("'%s' is none of: %s", "“%s”不在其中:%s"),
                     title, slots->columns[2].words);
    if (!*roster->cells[2])
        import_fault(import, file, line, "zone", "%s",
                     CTL_T("a slot needs its zone", "车位须填写车区"));
    if (!word || !*roster->cells[2])
        return;
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "is", "slot");
    cJSON_AddStringToObject(json, "slot", roster->cells[1]);
    cJSON_AddStringToObject(json, "zone", roster->cells[2]);
    cJSON_AddStringToObject(json, "title", word);
    cJSON_AddStringToObject(json, "owner", household);
    import_add(import, slots, file, line, json);
}

/* A person without a key of his own: 3-2-501/1, /2, … in the order of the list. */
static void number_person(const struct import *import, cJSON *json)
{
    const char *household = ctl_text_of(json, "household");
    char key[NAME_BYTES_MAX + 16];
    int number = 1;

    for (size_t i = import->row_count; i-- > 0;) {
        const struct import_row *row = &import->rows[i];

        if (strcmp(row->kind->is, "person") == 0 &&
            strcmp(ctl_text_of(row->json, "household"), household) == 0)
            number++;
    }
    snprintf(key, sizeof key, "%s/%d", household, number);
    cJSON_AddStringToObject(json, "person", key);
}

static void take_row(struct import *import, const struct import_kind *kind, size_t file,
                     const struct csv_row *row, const struct csv_row *heading, const int *map)
{
    cJSON *json = cJSON_CreateObject();
    struct roster roster = {{"", "", "", ""}};
    size_t faults = import->fault_count;
    bool has_roster = false;

    cJSON_AddStringToObject(json, "is", kind->is);
    for (size_t i = 0; i < row->count && i < heading->count; i++) {
        const char *why;
        cJSON *value;

        if (map[i] == -1) {
            roster.cells[import_roster_find(heading->cells[i])] = row->cells[i];
            has_roster = true;
        }
        if (map[i] < 0 || !row->cells[i][0])
            continue;
        value = cell_value(kind, &kind->columns[map[i]], row->cells[i], &why);
        if (value)
            cJSON_AddItemToObject(json, kind->columns[map[i]].name, value);
        else
            import_fault(import, file, row->line, heading->cells[i], CTL_T("'%s' %s", "“%s”%s"),
                         row->cells[i], why);
    }
    for (int i = 0; i < IMPORT_COLUMNS_MAX && kind->columns[i].name; i++)
        if (kind->columns[i].required && !cJSON_HasObjectItem(json, kind->columns[i].name) &&
            import->fault_count == faults)
            import_fault(import, file, row->line, kind->columns[i].name, "%s",
                         CTL_T("is empty", "为空"));
    if (has_roster)
        add_roster(import, file, row->line, ctl_text_of(json, "household"), &roster);
    if (strcmp(kind->is, "person") == 0 && !cJSON_HasObjectItem(json, "person")) {
        if (!ctl_text_of(json, "household")[0])
            import_fault(import, file, row->line, "person", "%s",
                         CTL_T("neither person nor household is given", "人员编号与房号都为空"));
        else
            number_person(import, json);
    }
    if (import->fault_count != faults) {
        cJSON_Delete(json);
        return;
    }
    if (strcmp(kind->is, "user") == 0)
        make_credential(import, json);
    import_add(import, kind, file, row->line, json);
}

void import_bytes(struct import *import, size_t file, const char *bytes, size_t len)
{
    struct csv csv;
    const struct import_kind *kind;
    int map[CSV_COLUMNS_MAX];
    char why[700];
    size_t line;

    if (csv_parse(&csv, bytes, len, &line, why, sizeof why) != 0) {
        import_fault(import, file, line, "", "%s", why);
        return;
    }
    if (csv.count == 0) {
        import_fault(import, file, 1, "", "%s", CTL_T("is empty", "文件为空"));
        csv_clear(&csv);
        return;
    }
    kind = import_kind_find(&csv.rows[0], map, why, sizeof why);
    import->file_kinds[file] = kind;
    if (!kind)
        import_fault(import, file, csv.rows[0].line, "", "%.399s", why);
    for (size_t i = 1; kind && i < csv.count; i++) {
        if (csv.rows[i].count > csv.rows[0].count)
            import_fault(import, file, csv.rows[i].line, "",
                         CTL_T("%zu cells, but %zu headings: a cell with '%c' in it needs quotes",
                               "有 %zu 个单元格,而表头只有 %zu 个:含“%c”的内容请加引号"),
                         csv.rows[i].count, csv.rows[0].count, csv.delimiter);
        else
            take_row(import, kind, file, &csv.rows[i], &csv.rows[0], map);
    }
    csv_clear(&csv);
}

void import_file(struct import *import, size_t file)
{
    size_t len = 0;
    char *bytes = ctl_read_file(import->files[file], CSV_BYTES_MAX, &len);

    if (!bytes) {
        import_fault(import, file, 0, "", "%s", strerror(errno));
        return;
    }
    import_bytes(import, file, bytes, len);
    free(bytes);
}
