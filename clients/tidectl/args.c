/* args.c - the command line against the tables of command.c, and the request that comes of it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

/* ---- global options: before or behind the command ------------------------------------------ */
static const struct {
    const char *option, *key; /* key NULL: a flag */
} globals[] = {
    {"--uri", "uri"},         {"--domain", "domain"},   {"--user", "user"},
    {"--ca-file", "ca_file"}, {"--mqtt", "mqtt"},       {"--secret-file", "secret_file"},
    {"--timeout", "timeout"}, {"--json", NULL},         {"--ascii", NULL},
    {"--quiet", NULL},        {"--conf-file", "conf!"},
};

/* "--name=value" or "--name value": the value, and how many words of argv it took (0: not this
 * option; -1: its value is missing). */
static int option_value(const char *name, int argc, char **argv, const char **ret_value)
{
    size_t len = strlen(name);

    if (strncmp(argv[0], name, len) != 0 || (argv[0][len] && argv[0][len] != '='))
        return 0;
    if (argv[0][len] == '=') {
        *ret_value = argv[0] + len + 1;
        return 1;
    }
    if (argc < 2)
        return -1;
    *ret_value = argv[1];
    return 2;
}

static int set_global(struct ctl_conf *conf, const char *option, const char *key, const char *value)
{
    char why[600];
    int rc;

    if (strcmp(key, "conf!") == 0) {
        rc = ctl_conf_read(conf, value, why, sizeof why);
        if (rc == 1)
            snprintf(why, sizeof why, CTL_T("there is no file %s", "没有文件 %s"), value);
    } else {
        rc = ctl_conf_set(conf, key, value, NULL, why, sizeof why);
    }
    if (rc != 0)
        ctl_complain("%s: %s", option, why);
    return rc == 0 ? 0 : -1;
}

/* How many words a global option at argv[0] takes; 0: it is none; -1 after complaining. */
static int take_global(int argc, char **argv, struct ctl_conf *conf, bool *ret_help)
{
    if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
        *ret_help = true;
        return 1;
    }
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        const char *value = NULL;
        int words;

        if (!globals[i].key) {
            if (strcmp(argv[0], globals[i].option) != 0)
                continue;
            conf->json = conf->json || strcmp(argv[0], "--json") == 0;
            conf->ascii = conf->ascii || strcmp(argv[0], "--ascii") == 0;
            conf->quiet = conf->quiet || strcmp(argv[0], "--quiet") == 0;
            return 1;
        }
        words = option_value(globals[i].option, argc, argv, &value);
        if (words < 0)
            ctl_complain(CTL_T("%s needs a value", "%s 需要一个值"), globals[i].option);
        if (words > 0 && set_global(conf, globals[i].option, globals[i].key, value) != 0)
            return -1;
        if (words != 0)
            return words;
    }
    return 0;
}

int ctl_args_global(int argc, char **argv, struct ctl_conf *conf, bool *ret_help)
{
    int at = 0;

    while (at < argc && argv[at][0] == '-' && argv[at][1]) {
        int words = take_global(argc - at, argv + at, conf, ret_help);

        if (words == 0)
            ctl_complain(CTL_T("there is no option %s; `tidectl help` lists them",
                               "没有选项 %s;见 `tidectl help`"),
                         argv[at]);
        if (words <= 0)
            return -1;
        at += words;
    }
    return at;
}

/* ---- a command's own ----------------------------------------------------------------------- */
static int keep(struct ctl_args *args, const struct ctl_param *param, const char *value)
{
    if (args->count == CTL_GIVEN_MAX) {
        ctl_complain(CTL_T("too many arguments", "参数过多"));
        return -1;
    }
    args->given[args->count++] = (struct ctl_given){param, value};
    return 0;
}

static bool is_given(const struct ctl_args *args, const struct ctl_param *param)
{
    for (int i = 0; i < args->count; i++)
        if (args->given[i].param == param)
            return true;
    return false;
}

static int take_option(struct ctl_args *args, int argc, char **argv)
{
    for (const struct ctl_param *param = args->command->params; param->name; param++) {
        const char *value = "";
        int words;

        if (param->name[0] != '-')
            continue;
        words = param->kind == CTL_FLAG ? strcmp(argv[0], param->name) == 0
                                        : option_value(param->name, argc, argv, &value);
        if (words == 0)
            continue;
        if (words < 0) {
            ctl_complain(CTL_T("%s needs a value: %s", "%s 需要一个值:%s"), param->name,
                         CTL_T(param->en, param->zh));
            return -1;
        }
        if (is_given(args, param)) {
            ctl_complain(CTL_T("%s is given twice", "%s 重复"), param->name);
            return -1;
        }
        return keep(args, param, value) == 0 ? words : -1;
    }
    ctl_complain(CTL_T("`tidectl %s` has no option %s; see `tidectl help %s`",
                       "`tidectl %s` 没有选项 %s;见 `tidectl help %s`"),
                 args->command->name, argv[0], args->command->name);
    return -1;
}

static int take_positional(struct ctl_args *args, const char *value)
{
    for (const struct ctl_param *param = args->command->params; param->name; param++) {
        if (param->name[0] == '-')
            continue;
        if (!is_given(args, param) || param->kind == CTL_FILES || param->kind == CTL_COMMANDS)
            return keep(args, param, value);
    }
    ctl_complain(CTL_T("`tidectl %s` does not take '%s'; a text with blanks needs quotes",
                       "`tidectl %s` 不需要“%s”;含空格的内容请加引号"),
                 args->command->name, value);
    return -1;
}

/* Commands that take exactly one of several parameters. */
static int check_one_of(const struct ctl_args *args)
{
    static const char *const rows[][2] = {{"cancel", "BOOKING --series"},
                                          {"blackout", "--zone --slot"},
                                          {"person forget", "PERSON --plate"}};

    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        int count = 0;

        if (strcmp(rows[row][0], args->command->name) != 0)
            continue;
        for (int i = 0; i < args->count; i++)
            count += ctl_has(rows[row][1], args->given[i].param->name);
        if (count == 1)
            continue;
        ctl_complain(CTL_T("`tidectl %s` takes one of these: %s\n  for example: %s",
                           "`tidectl %s` 须且只能给出其中之一:%s\n  例如:%s"),
                     args->command->name, rows[row][1], args->command->example);
        return -1;
    }
    return 0;
}

static int check_required(const struct ctl_args *args)
{
    for (const struct ctl_param *param = args->command->params; param->name; param++) {
        if (!param->required || is_given(args, param))
            continue;
        ctl_complain(CTL_T("`tidectl %s` needs %s: %s\n  for example: %s",
                           "`tidectl %s` 缺少 %s:%s\n  例如:%s"),
                     args->command->name, param->name, CTL_T(param->en, param->zh),
                     args->command->example);
        return -1;
    }
    return check_one_of(args);
}

int ctl_args_parse(const struct ctl_command *command, int argc, char **argv, struct ctl_conf *conf,
                   struct ctl_args *ret)
{
    bool options_over = false;

    memset(ret, 0, sizeof *ret);
    ret->command = command;
    for (int at = 0; at < argc;) {
        int words = 1;

        if (!options_over && strcmp(argv[at], "--") == 0) {
            options_over = true;
        } else if (!options_over && argv[at][0] == '-' && argv[at][1] &&
                   !isdigit((unsigned char)argv[at][1])) {
            words = take_global(argc - at, argv + at, conf, &ret->help);
            if (words == 0)
                words = take_option(ret, argc - at, argv + at);
        } else if (take_positional(ret, argv[at]) != 0) {
            words = -1;
        }
        if (words < 0)
            return -1;
        at += words;
    }
    return ret->help ? 0 : check_required(ret);
}

const char *ctl_args_get(const struct ctl_args *args, const char *name)
{
    for (int i = 0; i < args->count; i++)
        if (strcmp(args->given[i].param->name, name) == 0)
            return args->given[i].value;
    return NULL;
}

/* ---- values -------------------------------------------------------------------------------- */
static int bad_value(const struct ctl_given *given, const char *what)
{
    ctl_complain(CTL_T("%s: '%s' %s", "%s:“%s”%s"), given->param->name, given->value, what);
    return -1;
}

/* Splits at + and , (and blanks); calls for each word; false as soon as one is not allowed. */
static bool each_word(const char *list, const char *allowed, cJSON *into)
{
    while (*list) {
        char word[32];
        size_t len = strcspn(list, "+, ");

        snprintf(word, sizeof word, "%.*s", (int)(len < 31 ? len : 31), list);
        if (len && !ctl_has(allowed, word))
            return false;
        if (len && into)
            cJSON_AddItemToArray(into, cJSON_CreateString(word));
        list += len + (list[len] != '\0');
    }
    return true;
}

static int check_one(const struct ctl_given *given, int utc_offset_min)
{
    struct ctl_when when;
    char text[64], *end;
    const char *value = given->value;
    char what[400];

    switch (given->param->kind) {
    case CTL_PLATE:
        if (tide_plate_normalise(value, strlen(value), text, sizeof text) < 0)
            return bad_value(given, CTL_T("is no plate; write it like 浙F12345 or 浙FD12345",
                                          "不是车牌;应写作 浙F12345 或 浙FD12345"));
        return 0;
    case CTL_TIME:
        if (ctl_when_parse(value, utc_offset_min, &when) != 0)
            return bad_value(
                given, CTL_T("is no time; write now, 18:00, \"tomorrow 08:30\", +2h or "
                             "2019-05-20T18:00",
                             "不是时间;可写 now、18:00、\"明天 08:30\"、+2h 或 2019-05-20T18:00"));
        return 0;
    case CTL_DATE:
        if (ctl_when_date(value, 0, utc_offset_min, text, sizeof text) != 0)
            return bad_value(given, CTL_T("is no date; write 2019-05-20, 05-20, today, mon",
                                          "不是日期;可写 2019-05-20、05-20、今天、周一"));
        return 0;
    case CTL_HOUR:
        if (ctl_when_hour(value, text, sizeof text) != 0)
            return bad_value(given,
                             CTL_T("is no hour of the day; write 08:30", "不是时刻;应写作 08:30"));
        return 0;
    case CTL_INT:
        (void)strtoll(value, &end, 10);
        if (!*value || *end || strlen(value) > 15)
            return bad_value(given, CTL_T("is no number", "不是数字"));
        return 0;
    case CTL_WORD:
    case CTL_WORDS:
        if (given->param->kind == CTL_WORD ? ctl_has(given->param->words, value)
                                           : *value && each_word(value, given->param->words, NULL))
            return 0;
        snprintf(what, sizeof what, CTL_T("is none of: %s", "应为其中之一:%s"),
                 given->param->words);
        return bad_value(given, what);
    default:
        return *value || given->param->kind == CTL_FLAG
                   ? 0
                   : bad_value(given, CTL_T("is empty", "为空"));
    }
}

int ctl_args_check(const struct ctl_args *args, int utc_offset_min)
{
    for (int i = 0; i < args->count; i++)
        if (check_one(&args->given[i], utc_offset_min) != 0)
            return -1;
    return 0;
}

/* Instants are made one after another: an end counts from the start before it in the table. */
static cJSON *time_value(struct ctl *ctl, const char *value, const char *member, int64_t *start_ms)
{
    struct ctl_when when;
    char text[40];
    int64_t at;
    bool is_end = strcmp(member, "end") == 0 || strcmp(member, "ask_until") == 0;

    if (!ctl->clock.offset_known)
        (void)ctl_now(ctl);
    if (ctl_when_parse(value, ctl->clock.utc_offset_min, &when) != 0)
        return NULL;
    at = when.kind == CTL_WHEN_ABSOLUTE
             ? when.ms
             : ctl_when_resolve(&when, ctl_now(ctl), is_end ? *start_ms : 0,
                                ctl->clock.utc_offset_min);
    if (!is_end)
        *start_ms = at;
    if (tide_time_format(text, sizeof text, at, ctl->clock.utc_offset_min) == 0)
        return NULL;
    return cJSON_CreateString(text);
}

static cJSON *value_of(struct ctl *ctl, const struct ctl_given *given, int64_t *start_ms)
{
    char text[64];
    const char *value = given->value;
    cJSON *array;

    switch (given->param->kind) {
    case CTL_TIME:
        return time_value(ctl, value, given->param->member, start_ms);
    case CTL_DATE:
        if (ctl_when_date(value, ctl_now(ctl), ctl->clock.utc_offset_min, text, sizeof text) != 0)
            return NULL;
        return cJSON_CreateString(text);
    case CTL_HOUR:
        return ctl_when_hour(value, text, sizeof text) == 0 ? cJSON_CreateString(text) : NULL;
    case CTL_PLATE:
        if (tide_plate_normalise(value, strlen(value), text, sizeof text) < 0)
            return NULL;
        return cJSON_CreateString(text);
    case CTL_INT:
        return cJSON_CreateNumber((double)strtoll(value, NULL, 10));
    case CTL_FLAG:
        return cJSON_CreateTrue();
    case CTL_WORDS:
        array = cJSON_CreateArray();
        each_word(value, given->param->words, array);
        return array;
    default:
        return cJSON_CreateString(value);
    }
}

cJSON *ctl_args_members(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = cJSON_CreateObject();
    int64_t start_ms = 0;

    for (const struct ctl_param *param = args->command->params; param->name; param++) {
        for (int i = 0; i < args->count; i++) {
            cJSON *value;

            if (args->given[i].param != param || !param->member)
                continue;
            value = value_of(ctl, &args->given[i], &start_ms);
            if (!value) {
                bad_value(&args->given[i], CTL_T("cannot be used", "无法使用"));
                cJSON_Delete(members);
                return NULL;
            }
            cJSON_AddItemToObject(members, param->member, value);
        }
    }
    return members;
}
