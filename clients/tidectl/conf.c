/* conf.c - where to connect and as whom: files, then options.
 *
 *   ~/.config/tide/tidectl.conf  <  $TIDECTL_CONF  <  --uri, --user, …
 *
 * A file has lines `key = value`; # begins a comment. A relative path in a file is seen from the
 * folder of that file, so a folder with a tidectl.conf and a secret beside it can be carried about.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clients/tidectl/tidectl.h"

void ctl_conf_default(struct ctl_conf *ret)
{
    memset(ret, 0, sizeof *ret);
    snprintf(ret->uri, sizeof ret->uri, "tcp://127.0.0.1:1883");
    snprintf(ret->domain, sizeof ret->domain, "home");
    ret->mqtt = 5;
    ret->timeout_s = 10;
}

static int set_text(char *field, size_t size, const char *key, const char *value, char *why,
                    size_t cap)
{
    if (!*value || strlen(value) >= size) {
        snprintf(why, cap, CTL_T("%s: empty or too long", "%s:为空或过长"), key);
        return -1;
    }
    snprintf(field, size, "%s", value);
    return 0;
}

static int set_number(long *field, const char *key, const char *value, long least, long most,
                      char *why, size_t cap)
{
    char *end;
    long number = strtol(value, &end, 10);

    if (!*value || *end || number < least || number > most) {
        snprintf(why, cap, CTL_T("%s: a number from %ld to %ld", "%s:应为 %ld 到 %ld 的数"), key,
                 least, most);
        return -1;
    }
    *field = number;
    return 0;
}

static int set_path(char *field, const char *key, const char *value, const char *base, char *why,
                    size_t cap)
{
    int len = value[0] == '/' || !base ? snprintf(field, CTL_PATH_MAX, "%s", value)
                                       : snprintf(field, CTL_PATH_MAX, "%s/%s", base, value);

    if (!*value || len >= CTL_PATH_MAX) {
        snprintf(why, cap, CTL_T("%s: empty or too long", "%s:为空或过长"), key);
        return -1;
    }
    return 0;
}

int ctl_conf_set(struct ctl_conf *conf, const char *key, const char *value, const char *base,
                 char *why, size_t cap)
{
    if (strcmp(key, "uri") == 0) {
        if (strncmp(value, "tcp://", 6) != 0 && strncmp(value, "ssl://", 6) != 0 &&
            strncmp(value, "mqtt://", 7) != 0 && strncmp(value, "mqtts://", 8) != 0) {
            snprintf(why, cap,
                     CTL_T("uri: tcp://HOST:PORT or ssl://HOST:PORT, not '%s'",
                           "uri:应写成 tcp://主机:端口 或 ssl://主机:端口,而不是“%s”"),
                     value);
            return -1;
        }
        return set_text(conf->uri, sizeof conf->uri, key, value, why, cap);
    }
    if (strcmp(key, "domain") == 0)
        return set_text(conf->domain, sizeof conf->domain, key, value, why, cap);
    if (strcmp(key, "user") == 0) {
        conf->secret[0] = '\0';
        return set_text(conf->user, sizeof conf->user, key, value, why, cap);
    }
    if (strcmp(key, "secret_file") == 0) {
        conf->secret[0] = '\0';
        return set_path(conf->secret_file, key, value, base, why, cap);
    }
    if (strcmp(key, "ca_file") == 0)
        return set_path(conf->ca_file, key, value, base, why, cap);
    if (strcmp(key, "mqtt") == 0) {
        if (set_number(&conf->mqtt, key, value, 3, 5, why, cap) != 0 || conf->mqtt == 4) {
            snprintf(why, cap, CTL_T("mqtt: 3 or 5", "mqtt:3 或 5"));
            return -1;
        }
        return 0;
    }
    if (strcmp(key, "timeout") == 0)
        return set_number(&conf->timeout_s, key, value, 1, 3600, why, cap);
    snprintf(why, cap,
             CTL_T("there is no setting '%s'; there are uri domain user secret_file ca_file mqtt "
                   "timeout",
                   "没有设置项“%s”;可用:uri domain user secret_file ca_file mqtt timeout"),
             key);
    return -1;
}

/* The text without blanks around it, in place. */
static char *trim(char *text)
{
    size_t len;

    text += strspn(text, " \t\r\n");
    len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    return text;
}

static int read_line(struct ctl_conf *conf, char *line, const char *base, char *why, size_t cap)
{
    char *equals, *key, *value;

    line = trim(line);
    if (!*line || *line == '#')
        return 0;
    equals = strchr(line, '=');
    if (!equals) {
        snprintf(why, cap, CTL_T("not key = value", "不是“键 = 值”的形式"));
        return -1;
    }
    *equals = '\0';
    key = trim(line);
    value = trim(equals + 1);
    return ctl_conf_set(conf, key, value, base, why, cap);
}

int ctl_conf_read(struct ctl_conf *conf, const char *path, char *why, size_t cap)
{
    FILE *file = fopen(path, "re");
    char line[CTL_PATH_MAX + 64], base[CTL_PATH_MAX], fault[300] = "";
    const char *slash = strrchr(path, '/');
    int number = 0, rc = 0;

    if (!file && errno == ENOENT)
        return 1;
    if (!file) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return -1;
    }
    snprintf(base, sizeof base, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    while (rc == 0 && fgets(line, sizeof line, file)) {
        number++;
        rc = read_line(conf, line, base, fault, sizeof fault);
    }
    fclose(file);
    if (rc != 0)
        snprintf(why, cap, "%s:%d: %s", path, number, fault);
    return rc;
}

int ctl_conf_files(struct ctl_conf *conf, char *why, size_t cap)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    const char *extra = getenv("TIDECTL_CONF");
    char path[CTL_PATH_MAX];
    int rc = 0;

    if (config && *config)
        snprintf(path, sizeof path, "%s/tide/tidectl.conf", config);
    else
        snprintf(path, sizeof path, "%s/.config/tide/tidectl.conf", home ? home : "");
    if (ctl_conf_read(conf, path, why, cap) < 0)
        return -1;
    if (extra && *extra)
        rc = ctl_conf_read(conf, extra, why, cap);
    if (rc == 1)
        snprintf(why, cap, CTL_T("$TIDECTL_CONF: there is no file %s", "$TIDECTL_CONF:没有文件 %s"),
                 extra);
    return rc == 0 ? 0 : -1;
}

int ctl_conf_secret(struct ctl_conf *conf, char *why, size_t cap)
{
    struct stat info;
    FILE *file;
    char *got;

    if (conf->secret[0] || !conf->secret_file[0])
        return 0;
    file = fopen(conf->secret_file, "re");
    if (!file) {
        snprintf(why, cap, CTL_T("secret_file %s: %s", "密码文件 %s:%s"), conf->secret_file,
                 strerror(errno));
        return -1;
    }
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0 &&
        !conf->quiet)
        ctl_complain(CTL_T("warning: others can read %s; chmod 600 it",
                           "警告:他人可读取 %s;请执行 chmod 600"),
                     conf->secret_file);
    got = fgets(conf->secret, sizeof conf->secret, file);
    fclose(file);
    if (!got || !*trim(conf->secret)) {
        snprintf(why, cap, CTL_T("secret_file %s is empty", "密码文件 %s 为空"), conf->secret_file);
        return -1;
    }
    memmove(conf->secret, trim(conf->secret), strlen(trim(conf->secret)) + 1);
    return 0;
}
