/* cmd_user.c - users and their secrets: made here, hashed here, shown once, never sent. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"
#include "daemon/net/broker.h"

#define SECRET_MAX 64
#define HASH_MAX 192

/* A new file that only its owner reads. 0, or an exit code after saying why. */
static int write_secret(const char *path, const char *secret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len = strlen(secret);
    char line[SECRET_MAX + 2];

    snprintf(line, sizeof line, "%s\n", secret);
    if (fd >= 0 && write(fd, line, len + 1) == (ssize_t)len + 1 && close(fd) == 0)
        return CTL_EXIT_OK;
    ctl_complain("%s: %s%s", path, strerror(errno),
                 errno == EEXIST ? CTL_T("; choose a new name", ";请换一个新文件名") : "");
    return CTL_EXIT_USAGE;
}

static int make_secret(char *secret, char *hash)
{
    if (broker_secret(secret, SECRET_MAX) == 0 && broker_hash(secret, hash, HASH_MAX) == 0)
        return CTL_EXIT_OK;
    ctl_complain(CTL_T("no secret could be made", "无法生成密码"));
    return CTL_EXIT_REFUSED;
}

int ctl_run_credential(struct ctl *ctl, const struct ctl_args *args)
{
    const char *path = ctl_args_get(args, "--secret-out");
    char secret[SECRET_MAX], hash[HASH_MAX];
    int rc = make_secret(secret, hash);

    if (rc == CTL_EXIT_OK && path)
        rc = write_secret(path, secret);
    if (rc != CTL_EXIT_OK)
        return rc;
    if (ctl->conf.json)
        printf("{\"secret\":\"%s\",\"hash\":\"%s\"}\n", path ? "" : secret, hash);
    else if (path)
        printf("%s\n", hash);
    else
        printf("%s %s\n%s %s\n", CTL_T("secret", "密码"), secret, CTL_T("hash  ", "散列"), hash);
    return CTL_EXIT_OK;
}

static cJSON *user_row(const char *user, const char *person, const char *kind, const char *hash)
{
    cJSON *members = cJSON_CreateObject(), *rows = cJSON_AddArrayToObject(members, "rows");
    cJSON *row = cJSON_CreateObject();

    cJSON_AddItemToArray(rows, row);
    cJSON_AddStringToObject(row, "is", "user");
    cJSON_AddStringToObject(row, "user", user);
    cJSON_AddStringToObject(row, "person", person);
    cJSON_AddStringToObject(row, "kind", kind);
    cJSON_AddStringToObject(row, "credential", hash);
    return members;
}

static void show_user(const struct ctl *ctl, const char *user, const char *secret, const char *path)
{
    if (ctl->conf.json) {
        cJSON *out = cJSON_CreateObject();

        cJSON_AddStringToObject(out, "code", "ok");
        cJSON_AddStringToObject(out, "user", user);
        if (!path)
            cJSON_AddStringToObject(out, "secret", secret);
        ctl_print_json(out);
        cJSON_Delete(out);
        return;
    }
    printf(CTL_T("User %s may connect now.\n", "账号 %s 已可使用。\n"), user);
    if (path)
        printf(CTL_T("Its secret is in %s.\n", "密码已写入 %s。\n"), path);
    else
        printf(CTL_T("Its secret, shown this once:  %s\n", "密码(仅显示这一次):  %s\n"), secret);
}

int ctl_run_user_add(struct ctl *ctl, const struct ctl_args *args)
{
    const char *user = ctl_args_get(args, "USER"), *path = ctl_args_get(args, "--secret-out");
    const char *kind = ctl_args_get(args, "--kind");
    char secret[SECRET_MAX], hash[HASH_MAX];
    cJSON *members, *reply = NULL;
    int rc = make_secret(secret, hash);

    if (rc == CTL_EXIT_OK && strpbrk(user, "/+#$: \t")) {
        ctl_complain(CTL_T("'%s': a user's name has none of / + # $ : nor blanks",
                           "“%s”:账号名不能含 / + # $ : 与空格"),
                     user);
        rc = CTL_EXIT_USAGE;
    }
    if (rc == CTL_EXIT_OK)
        rc = ctl_connect(ctl, NULL);
    if (rc == CTL_EXIT_OK && path)
        rc = write_secret(path, secret);
    if (rc != CTL_EXIT_OK)
        return rc;
    members = user_row(user, ctl_args_get(args, "--person"), kind ? kind : "app", hash);
    rc = ctl_ask(ctl, args->command->op, members, &reply);
    if (rc == CTL_EXIT_OK)
        show_user(ctl, user, secret, path);
    else if (reply && ctl->conf.json)
        ctl_print_json(reply);
    if (rc != CTL_EXIT_OK && path)
        unlink(path);
    explicit_bzero(secret, sizeof secret);
    cJSON_Delete(reply);
    cJSON_Delete(members);
    return rc;
}

int ctl_run_user_revoke(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members = cJSON_CreateObject(), *row = cJSON_AddObjectToObject(members, "row");
    int rc;

    cJSON_AddStringToObject(row, "is", "user");
    cJSON_AddStringToObject(row, "user", ctl_args_get(args, "USER"));
    rc = ctl_ask_and_show(ctl, args->command->op, members);
    cJSON_Delete(members);
    return rc;
}
