/* main.c - tidectl: a person's or a script's hand on a Tide daemon.
 *
 *   settings ─► global options ─► command ─► its arguments, checked ─► asked ─► shown, exit code
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"

/* The shared records of include/tide assert through this hook (the daemon logs it first). */
_Noreturn void engine_check_failed(const char *expression, const char *file, int line);

_Noreturn void engine_check_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "tidectl: %s:%d: %s does not hold\n", file, line, expression);
    abort();
}

static bool wants_chinese(void)
{
    const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strncmp(value, "zh", 2) == 0;
    }
    return false;
}

/* For the shell's completion: commands, or the words that may follow one. */
static int print_words(int argc, char **argv)
{
    int used;
    const struct ctl_command *command = ctl_command_find(argc, argv, &used);

    for (const struct ctl_command *at = ctl_commands; !command && at->name; at++)
        if (argc == 0 ||
            (strncmp(at->name, argv[0], strlen(argv[0])) == 0 && at->name[strlen(argv[0])] == ' '))
            puts(argc == 0 ? at->name : strchr(at->name, ' ') + 1);
    for (const struct ctl_param *param = command ? command->params : NULL; param && param->name;
         param++)
        printf("%s%s%s\n", param->name, param->words ? " " : "", param->words ? param->words : "");
    return CTL_EXIT_OK;
}

static int run(struct ctl *ctl, const struct ctl_args *args)
{
    cJSON *members;
    int rc;

    if (args->help) {
        ctl_help_command(stdout, args->command);
        return CTL_EXIT_OK;
    }
    if (ctl_args_check(args, ctl->clock.utc_offset_min) != 0)
        return CTL_EXIT_USAGE;
    if (args->command->run)
        return args->command->run(ctl, args);
    members = ctl_args_members(ctl, args);
    rc = members ? ctl_ask_and_show(ctl, args->command->op, members) : CTL_EXIT_USAGE;
    cJSON_Delete(members);
    return rc;
}

static int complain_unknown(const char *word)
{
    for (const struct ctl_command *at = ctl_commands; at->name; at++)
        if (strncmp(at->name, word, strlen(word)) == 0 && at->name[strlen(word)] == ' ') {
            ctl_complain(CTL_T("`tidectl %s` needs one more word; see `tidectl help %s`",
                               "`tidectl %s` 还需要一个词;见 `tidectl help %s`"),
                         word, word);
            return CTL_EXIT_USAGE;
        }
    ctl_complain(CTL_T("there is no command '%s'; `tidectl help` lists them",
                       "没有命令“%s”;见 `tidectl help`"),
                 word);
    return CTL_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static struct ctl ctl = {.clock = {.scale = 1, .utc_offset_min = 480}};
    static struct ctl_args args;
    const struct ctl_command *command;
    char why[600];
    bool help = false;
    int used, at, rc;

    ctl_chinese = wants_chinese();
    if (argc > 1 && strcmp(argv[1], "__words") == 0)
        return print_words(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("tidectl " TIDE_VERSION);
        return CTL_EXIT_OK;
    }
    ctl_conf_default(&ctl.conf);
    if (ctl_conf_files(&ctl.conf, why, sizeof why) != 0) {
        ctl_complain("%s", why);
        return CTL_EXIT_USAGE;
    }
    at = ctl_args_global(argc - 1, argv + 1, &ctl.conf, &help);
    if (at < 0)
        return CTL_EXIT_USAGE;
    at++;
    if (at >= argc) {
        ctl_help(help ? stdout : stderr);
        return help ? CTL_EXIT_OK : CTL_EXIT_USAGE;
    }
    command = ctl_command_find(argc - at, argv + at, &used);
    if (!command)
        return complain_unknown(argv[at]);
    ctl_doing = command->name;
    if (ctl_args_parse(command, argc - at - used, argv + at + used, &ctl.conf, &args) != 0)
        return CTL_EXIT_USAGE;
    args.help = args.help || help;
    rc = run(&ctl, &args);
    if (fflush(stdout) != 0) {
        ctl_complain(CTL_T("cannot write to standard output", "无法写到标准输出"));
        rc = rc ? rc : CTL_EXIT_REFUSED;
    }
    if (!ctl_disconnect(&ctl))
        _exit(rc);
    return rc;
}
