/* cmd_admin.c - what the committee's desk and the operator do: status, settings, calendar,
 * verifying, forgetting, and any operation by hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"

#define JSON_FILE_MAX (256 * 1024)

int ctl_run_status(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = cJSON_CreateObject(), *reply = NULL;
    int rc = ctl_ask(ctl, args->command->op, members, &reply);

    if (reply && ctl->conf.json) {
        ctl_print_json(reply);
    } else if (rc == CTL_EXIT_OK) {
        (void)ctl_now(ctl);
        if (ctl->clock.known)
            printf(CTL_T("node %s is %s, domain %s, time runs at %d:1\n",
                         "节点 %s %s,社区 %s,时间倍率 %d:1\n"),
                   ctl->clock.node, ctl_word("state", ctl->clock.state), ctl->conf.domain,
                   ctl->clock.scale);
        ctl_show(args->command->op, reply, stdout);
    }
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

/* ---- settings ------------------------------------------------------------------------------ */
int ctl_run_setting(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(members, "rows");
    cJSON *row = cJSON_CreateObject();
    int rc;

    cJSON_AddItemToArray(rows, row);
    cJSON_AddStringToObject(row, "is", "setting");
    cJSON_AddStringToObject(row, "key", ctl_args_get(args, "KEY"));
    cJSON_AddNumberToObject(row, "value", (double)strtoll(ctl_args_get(args, "VALUE"), NULL, 10));
    rc = ctl_ask_and_show(ctl, args->command->op, members);
    cJSON_Delete(members);
    return rc;
}

/* Settings come with the answer of status.read, as items of their own. */
int ctl_run_setting_get(struct ctl *ctl, const struct ctl_args *args)
{
    const char *key = ctl_args_get(args, "KEY");
    cJSON *members = cJSON_CreateObject(), *reply = NULL, *items;
    int rc = ctl_ask(ctl, args->command->op, members, &reply);

    items = cJSON_GetObjectItemCaseSensitive(reply, "items");
    for (int i = cJSON_GetArraySize(items) - 1; i >= 0; i--) {
        const cJSON *item = cJSON_GetArrayItem(items, i);

        if (strcmp(ctl_text_of(item, "is"), "setting") != 0 ||
            (key && strcmp(ctl_text_of(item, "key"), key) != 0))
            cJSON_DeleteItemFromArray(items, i);
    }
    if (reply && ctl->conf.json) {
        ctl_print_json(reply);
    } else if (rc == CTL_EXIT_OK && cJSON_GetArraySize(items) > 0) {
        ctl_show(args->command->op, reply, stdout);
    }
    if (rc == CTL_EXIT_OK && cJSON_GetArraySize(items) == 0) {
        if (key)
            ctl_complain(CTL_T("there is no setting '%s'; `tidectl setting get` lists them",
                               "没有设置项“%s”;见 `tidectl setting get`"),
                         key);
        else
            ctl_complain(CTL_T("the daemon tells no settings", "系统未返回设置"));
        rc = CTL_EXIT_REFUSED;
    }
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

/* ---- files of JSON ------------------------------------------------------------------------- */
/* The object in a file; NULL after saying what is wrong, and where. */
static cJSON *read_json(const char *path)
{
    size_t len = 0;
    char *text = ctl_read_file(path, JSON_FILE_MAX, &len);
    const char *at = text;
    cJSON *object;

    if (!text) {
        ctl_complain("%s: %s", path, strerror(errno));
        return NULL;
    }
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    object = cJSON_ParseWithOpts(at, NULL, 1);
    if (!cJSON_IsObject(object)) {
        const char *where = cJSON_GetErrorPtr();
        int line = 1;

        for (const char *c = text; where && c < where; c++)
            line += *c == '\n';
        ctl_complain(CTL_T("%s: no JSON object (line %d)", "%s:不是 JSON 对象(第 %d 行)"), path,
                     line);
        cJSON_Delete(object);
        object = NULL;
    }
    free(text);
    return object;
}

static int put_calendar(struct ctl *ctl, const char *op, const char *path)
{
    cJSON *file = read_json(path), *members;
    const cJSON *year = cJSON_GetObjectItemCaseSensitive(file, "year");
    const cJSON *days = cJSON_GetObjectItemCaseSensitive(file, "days");
    int rc = CTL_EXIT_USAGE;

    if (!file)
        return rc;
    if (!cJSON_IsNumber(year) || !cJSON_IsArray(days)) {
        ctl_complain(CTL_T("%s is no holiday-cn file: it lacks \"year\" or \"days\"",
                           "%s 不是 holiday-cn 文件:缺少 year 或 days"),
                     path);
    } else {
        if (cJSON_GetArraySize(days) == 0 && !ctl->conf.quiet)
            ctl_complain(CTL_T("note: %s has no days yet (the State Council publishes them in "
                               "autumn)",
                               "提示:%s 尚无日期(国务院通常于秋季公布)"),
                         path);
        members = cJSON_CreateObject();
        cJSON_AddItemToObject(members, "year", cJSON_Duplicate(year, 1));
        cJSON_AddItemToObject(members, "days", cJSON_Duplicate(days, 1));
        rc = ctl_ask_and_show(ctl, op, members);
        cJSON_Delete(members);
    }
    cJSON_Delete(file);
    return rc;
}

int ctl_run_calendar(struct ctl *ctl, const struct ctl_args *args)
{
    int rc = CTL_EXIT_OK;

    for (int i = 0; i < args->count && rc == CTL_EXIT_OK; i++)
        if (args->given[i].param->kind == CTL_FILES)
            rc = put_calendar(ctl, args->command->op, args->given[i].value);
    return rc;
}

int ctl_run_raw(struct ctl *ctl, const struct ctl_args *args)
{
    const char *op = ctl_args_get(args, "OP"), *json = ctl_args_get(args, "JSON");
    cJSON *members, *reply = NULL;
    int rc;

    if (!json)
        members = cJSON_CreateObject();
    else if (strcmp(json, "-") == 0 || json[0] == '@')
        members = read_json(json[0] == '@' ? json + 1 : json);
    else
        members = cJSON_ParseWithOpts(json, NULL, 1);
    if (!cJSON_IsObject(members)) {
        if (json && json[0] != '-' && json[0] != '@')
            ctl_complain(CTL_T("'%s' is no JSON object; in a shell put it into single quotes: "
                               "'{\"zone\":\"A\"}'",
                               "“%s”不是 JSON 对象;在命令行中请用单引号:'{\"zone\":\"A\"}'"),
                         json);
        cJSON_Delete(members);
        return CTL_EXIT_USAGE;
    }
    ctl->conf.json = true;
    rc = ctl_ask(ctl, op, members, &reply);
    if (reply)
        ctl_print_json(reply);
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

int ctl_run_forget(struct ctl *ctl, const struct ctl_args *args)
{
    const char *person = ctl_args_get(args, "PERSON"), *plate = ctl_args_get(args, "--plate");
    char question[300];
    cJSON *members;
    int rc;

    snprintf(question, sizeof question,
             CTL_T("Erase %s for good? This cannot be undone.", "确定彻底删除 %s?此操作不可撤销。"),
             person ? person : plate);
    if (!ctl_args_get(args, "--yes") && !ctl_confirm(question)) {
        ctl_complain(CTL_T("nothing was erased (without a terminal, say --yes)",
                           "未删除(非终端运行时请加 --yes)"));
        return CTL_EXIT_REFUSED;
    }
    members = ctl_args_members(ctl, args);
    rc = members ? ctl_ask_and_show(ctl, args->command->op, members) : CTL_EXIT_USAGE;
    cJSON_Delete(members);
    return rc;
}

/* ---- verify: tided's own work -------------------------------------------------------------- */
/* tided beside this program, else by the search path. */
static void find_tided(char *out, size_t cap)
{
    ssize_t len = readlink("/proc/self/exe", out, cap - 1);
    char *slash;

    out[len > 0 ? len : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash && (size_t)(slash - out) + 8 < cap) {
        memcpy(slash + 1, "tided", 6);
        if (access(out, X_OK) == 0)
            return;
    }
    snprintf(out, cap, "tided");
}

/* Runs tided in one of its modes, with what it needs behind it, and takes over how it ended. */
static int run_tided(const struct ctl_args *args, const char *const *mode, int words)
{
    const char *given = ctl_args_get(args, "--tided"), *conf = ctl_args_get(args, "--conf");
    char tided[CTL_PATH_MAX];
    const char *argv[10];
    int count = 0, status = 0;
    pid_t pid;

    if (given)
        snprintf(tided, sizeof tided, "%s", given);
    else
        find_tided(tided, sizeof tided);
    argv[count++] = tided;
    if (conf) {
        argv[count++] = "-c";
        argv[count++] = conf;
    }
    for (int i = 0; i < words; i++)
        argv[count++] = mode[i];
    argv[count] = NULL;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        execvp(tided, (char *const *)(uintptr_t)argv);
        ctl_complain(CTL_T("cannot run %s: %s (say where it is: --tided)",
                           "无法运行 %s:%s(可用 --tided 指定位置)"),
                     tided, strerror(errno));
        _exit(CTL_EXIT_USAGE);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return CTL_EXIT_REFUSED;
    if (!WIFEXITED(status))
        return CTL_EXIT_REFUSED;
    switch (WEXITSTATUS(status)) {
    case 0:
        return CTL_EXIT_OK;
    case CTL_EXIT_USAGE:
    case 64:
    case 78:
        return CTL_EXIT_USAGE;
    default:
        return CTL_EXIT_REFUSED;
    }
}

int ctl_run_verify(struct ctl *ctl, const struct ctl_args *args)
{
    const char *database = ctl_args_get(args, "DATABASE");
    const char *mode[] = {"--verify", database};

    (void)ctl;
    return run_tided(args, mode, database ? 2 : 1);
}

int ctl_run_why(struct ctl *ctl, const struct ctl_args *args)
{
    const char *mode[] = {"--why", ctl_args_get(args, "WHAT"), "--domain", ctl->conf.domain};

    return run_tided(args, mode, 4);
}
