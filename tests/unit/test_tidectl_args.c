/* Tests the command line: the table of commands itself, parsing, settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"
#include "protocol/codec.h"

static char complaint[2000];

/* Runs with stderr in complaint. */
static int parse(const char *line, struct ctl_conf *conf, struct ctl_args *args)
{
    static char words[500];
    char *argv[32];
    int argc = 0, used = 0, rc = -1, saved = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    const struct ctl_command *command;

    snprintf(words, sizeof words, "%s", line);
    for (char *at = words; *at && argc < 32;) {
        argv[argc++] = at;
        at += strcspn(at, "|");
        if (*at)
            *at++ = '\0';
    }
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    command = ctl_command_find(argc, argv, &used);
    if (command) {
        rc = ctl_args_parse(command, argc - used, argv + used, conf, args);
        if (rc == 0)
            rc = ctl_args_check(args, 480);
    }
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    complaint[fread(complaint, 1, sizeof complaint - 1, file)] = '\0';
    fclose(file);
    return rc;
}

static void the_table_is_whole(void **state)
{
    (void)state;
    for (const struct ctl_command *at = ctl_commands; at->name; at++) {
        assert_non_null(at->en);
        assert_non_null(at->zh);
        assert_true(strlen(at->en) < 60);
        assert_int_equal(strncmp(at->example, "tidectl ", 8), 0);
        assert_true(at->run || at->op);
        if (at->op && !tide_op_find(at->op))
            fail_msg("%s: the protocol has no %s", at->name, at->op);
        for (const struct ctl_command *other = at + 1; other->name; other++)
            assert_string_not_equal(at->name, other->name);
        for (const struct ctl_param *param = at->params; param->name; param++) {
            assert_true(param->en && *param->en && param->zh && *param->zh);
            assert_true((param->kind != CTL_WORD && param->kind != CTL_WORDS) || param->words);
            assert_true(param->kind != CTL_TIME ||
                        ctl_has("start end ask_from ask_until", param->member));
        }
    }
}

static void each_operation_of_the_protocol_has_a_command(void **state)
{
    (void)state;
    for (size_t i = 0; tide_op_at(i); i++) {
        bool found = false;

        for (const struct ctl_command *at = ctl_commands; at->name; at++)
            found = found || (at->op && strcmp(at->op, tide_op_at(i)->name) == 0);
        if (!found)
            fail_msg("no command for %s", tide_op_at(i)->name);
    }
}

static void lines_and_verdicts(void **state)
{
    static const struct {
        const char *line;
        int rc;
        const char *word; /* in the complaint */
    } rows[] = {
        {"book|浙F12345|--until|+2h", 0, NULL},
        {"book|浙f·12345|--until=+2h|--zone=A", 0, NULL},
        {"book|--until|+2h|浙F12345|--visitor|--via|phone|--for|3-2-501", 0, NULL},
        {"book|--|浙F12345", -1, "--until"},
        {"book|浙F12345", -1, "needs --until"},
        {"book|浙F12345|--until", -1, "needs a value"},
        {"book|浙F12345|--until|soon", -1, "'soon' is no time"},
        {"book|F12345|--until|+2h", -1, "is no plate"},
        {"book|浙F12345|--until|+2h|--until|+3h", -1, "twice"},
        {"book|浙F12345|--until|+2h|--via|pigeon", -1, "none of: app phone desk visit paper"},
        {"book|浙F12345|浙F12346|--until|+2h", -1, "does not take '浙F12346'"},
        {"book|浙F12345|--till|+2h", -1, "no option --till"},
        {"book|浙F12345|--until|+2h|--zone=", -1, "is empty"},
        {"cancel", -1, "one of these"},
        {"cancel|12", 0, NULL},
        {"cancel|--series|12", 0, NULL},
        {"cancel|12|--series|12", -1, "one of these"},
        {"cancel|twelve", -1, "is no number"},
        {"cancel|1234567890123456", -1, "is no number"},
        {"share|A-1|--days|workday+holiday|--opens|8:00|--closes|17:30", 0, NULL},
        {"share|A-1|--days|workday,holiday", 0, NULL},
        {"share|A-1|--days|weekend", -1, "none of"},
        {"share|A-1|--opens|8", -1, "no hour"},
        {"repeat|浙F12345|--opens|08:30|--closes|17:30|--from-date|mon|--until-date|06-30", 0,
         NULL},
        {"repeat|浙F12345|--opens|08:30|--closes|17:30|--from-date|mon|--until-date|june", -1,
         "is no date"},
        {"incident close|3", -1, NULL}, /* one word, not two */
        {"incident|close|3", 0, NULL},
        {"setting|set|account_floor_min|-30", 0, NULL},
        {"import|a.csv|b.csv|c.csv|--check", 0, NULL},
        {"import", -1, "needs FILE"},
        {"blackout|--from|now|--until|+1h", -1, "one of these"},
        {"person|forget|3-2-501/1|--plate|浙F12345", -1, "one of these"},
        {"book|--help", 0, NULL},
        {"nonsense", -1, NULL},
    };
    struct ctl_args args;
    struct ctl_conf conf;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctl_conf_default(&conf);
        if (parse(rows[i].line, &conf, &args) != rows[i].rc ||
            (rows[i].word && !strstr(complaint, rows[i].word)))
            fail_msg("%s: %s", rows[i].line, complaint);
    }
}

static void global_options_stand_anywhere(void **state)
{
    struct ctl_args args;
    struct ctl_conf conf;

    (void)state;
    ctl_conf_default(&conf);
    assert_int_equal(
        parse("list|--json|--uri|ssl://h:8883|--mqtt=3|--timeout|2|--user|u", &conf, &args), 0);
    assert_true(conf.json);
    assert_string_equal(conf.uri, "ssl://h:8883");
    assert_int_equal(conf.mqtt, 3);
    assert_int_equal(conf.timeout_s, 2);
    assert_string_equal(conf.user, "u");
    assert_int_equal(parse("list|--mqtt|4", &conf, &args), -1);
    assert_non_null(strstr(complaint, "3 or 5"));
    assert_int_equal(parse("list|--uri|http://h", &conf, &args), -1);
    assert_int_equal(parse("list|--timeout|0", &conf, &args), -1);
}

static void members_of_a_request(void **state)
{
    static struct ctl ctl = {.clock = {.scale = 1, .utc_offset_min = 480, .offset_known = true}};
    struct ctl_args args;
    struct ctl_conf conf;
    cJSON *members;
    char *text;

    (void)state;
    ctl_conf_default(&conf);
    assert_int_equal(parse("book|浙f·12345|--zone|A|--until|2019-05-20T20:00|--from|"
                           "2019-05-20 18:00|--visitor|--via|desk|--for|3-2-501",
                           &conf, &args),
                     0);
    members = ctl_args_members(&ctl, &args);
    text = cJSON_PrintUnformatted(members);
    assert_string_equal(text, "{\"plate\":\"浙F12345\",\"zone\":\"A\","
                              "\"start\":\"2019-05-20T18:00:00+08:00\","
                              "\"end\":\"2019-05-20T20:00:00+08:00\",\"for\":\"3-2-501\","
                              "\"via\":\"desk\",\"visitor\":true}");
    free(text);
    cJSON_Delete(members);
    assert_int_equal(
        parse("share|A-1|--days|workday+eve|--opens|8:00|--closes|17:30", &conf, &args), 0);
    members = ctl_args_members(&ctl, &args);
    text = cJSON_PrintUnformatted(members);
    assert_string_equal(text, "{\"slot\":\"A-1\",\"days\":[\"workday\",\"eve\"],"
                              "\"opens\":\"08:00\",\"closes\":\"17:30\"}");
    free(text);
    cJSON_Delete(members);
}

/* ---- settings ------------------------------------------------------------------------------ */
static char folder[64];

static void put_file(const char *name, const char *text, mode_t mode)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void settings_come_in_layers(void **state)
{
    struct ctl_conf conf;
    char path[128], why[600] = "";

    (void)state;
    snprintf(path, sizeof path, "%s/tide", folder);
    mkdir(path, 0700);
    put_file("tide/tidectl.conf", "# mine\nuri = tcp://a:1\n\n user=one \ndomain = d1\n", 0600);
    put_file("two.conf", "\xef\xbb\xbf# marks are not for us", 0600);
    put_file("two.conf", "user = two\nsecret_file = two.secret\n", 0600);
    put_file("two.secret", "  s3cret \n", 0600);
    setenv("XDG_CONFIG_HOME", folder, 1);
    snprintf(path, sizeof path, "%s/two.conf", folder);
    setenv("TIDECTL_CONF", path, 1);
    ctl_conf_default(&conf);
    assert_int_equal(ctl_conf_files(&conf, why, sizeof why), 0);
    assert_string_equal(conf.uri, "tcp://a:1");
    assert_string_equal(conf.domain, "d1");
    assert_string_equal(conf.user, "two");
    assert_int_equal(ctl_conf_secret(&conf, why, sizeof why), 0);
    assert_string_equal(conf.secret, "s3cret"); /* beside the file that names it */
}

static void a_bad_setting_is_told_with_its_line(void **state)
{
    static const char *const rows[][2] = {
        {"uri = tcp://a\nusr = x\n", ":2: there is no setting 'usr'"},
        {"uri\n", ":1: not key = value"},
        {"\n\nmqtt = 4\n", ":3: mqtt: 3 or 5"},
        {"timeout = soon\n", ":1: timeout: a number from 1 to 3600"},
        {"user =\n", ":1: user: empty or too long"},
    };
    struct ctl_conf conf;
    char path[128], why[600];

    (void)state;
    snprintf(path, sizeof path, "%s/bad.conf", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_file("bad.conf", rows[i][0], 0600);
        ctl_conf_default(&conf);
        assert_int_equal(ctl_conf_read(&conf, path, why, sizeof why), -1);
        if (!strstr(why, rows[i][1]))
            fail_msg("%s", why);
    }
    setenv("TIDECTL_CONF", "/nowhere/at/all", 1);
    assert_int_equal(ctl_conf_files(&conf, why, sizeof why), -1);
    assert_non_null(strstr(why, "/nowhere/at/all"));
}

static void a_secret_that_is_not_there(void **state)
{
    struct ctl_conf conf;
    char why[600];

    (void)state;
    ctl_conf_default(&conf);
    snprintf(conf.secret_file, sizeof conf.secret_file, "%s/none", folder);
    assert_int_equal(ctl_conf_secret(&conf, why, sizeof why), -1);
    put_file("none", "\n", 0600);
    assert_int_equal(ctl_conf_secret(&conf, why, sizeof why), -1);
    assert_non_null(strstr(why, "empty"));
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/tidectl_XXXXXX", "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *at)
{
    (void)info;
    (void)flag;
    (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_table_is_whole),
    cmocka_unit_test(each_operation_of_the_protocol_has_a_command),
    cmocka_unit_test(lines_and_verdicts),
    cmocka_unit_test(global_options_stand_anywhere),
    cmocka_unit_test(members_of_a_request),
    cmocka_unit_test(settings_come_in_layers),
    cmocka_unit_test(a_bad_setting_is_told_with_its_line),
    cmocka_unit_test(a_secret_that_is_not_there),
};

int main(void)
{
    return cmocka_run_group_tests(tests, setup, teardown);
}
