/* help.c - help made from the tables of command.c, and the words that the shell completes. */
#include <string.h>

#include "clients/tidectl/tidectl.h"

static void help_params(FILE *out, const struct ctl_command *command)
{
    size_t widest = 0;

    for (const struct ctl_param *param = command->params; param->name; param++)
        widest = strlen(param->name) > widest ? strlen(param->name) : widest;
    for (const struct ctl_param *param = command->params; param->name; param++) {
        fputs("  ", out);
        ctl_pad(out, param->name, widest + 2, false);
        fprintf(out, "%s%s\n", CTL_T(param->en, param->zh),
                param->required && param->name[0] == '-' ? CTL_T(" (needed)", "(必填)") : "");
    }
}

void ctl_help_command(FILE *out, const struct ctl_command *command)
{
    fprintf(out, "tidectl %s", command->name);
    for (const struct ctl_param *param = command->params; param->name; param++)
        if (param->name[0] != '-')
            fprintf(out, param->required ? " %s" : " [%s]", param->name);
    fprintf(out, "%s\n    %s\n\n", command->params->name ? CTL_T(" [options]", " [选项]") : "",
            CTL_T(command->en, command->zh));
    help_params(out, command);
    if (command->more_en)
        fprintf(out, "\n%s\n", CTL_T(command->more_en, command->more_zh));
    fprintf(out, "\n%s\n    %s\n", CTL_T("Example:", "示例:"), command->example);
}

void ctl_help(FILE *out)
{
    fputs(CTL_T("tidectl [options] COMMAND ...    talk to a Tide daemon\n\n",
                "tidectl [选项] 命令 ...    潮汐邻里命令行\n\n"),
          out);
    for (const struct ctl_command *at = ctl_commands; at->name; at++) {
        fputs("  ", out);
        ctl_pad(out, at->name, 17, false);
        fprintf(out, "%s\n", CTL_T(at->en, at->zh));
    }
    fputs(CTL_T("\nOptions:\n"
                "  --uri URI           the broker: tcp://HOST:PORT, ssl://HOST:PORT\n"
                "  --domain NAME       the community (home)\n"
                "  --user NAME         who speaks\n"
                "  --secret-file FILE  that user's secret\n"
                "  --ca-file FILE      the broker's certificate authority, for ssl://\n"
                "  --mqtt 3|5          version of MQTT (5)\n"
                "  --timeout SECONDS   how long to wait for an answer (10)\n"
                "  --conf-file FILE    more settings from this file\n"
                "  --json              the reply as it came, one line\n"
                "  --ascii             no drawing letters   --quiet  no progress, no warnings\n"
                "  -h, --help          help for a command   --version\n\n"
                "The same settings stand in ~/.config/tide/tidectl.conf and $TIDECTL_CONF as\n"
                "`key = value`. Exit codes: 0 done, 1 refused, 2 usage, 3 no answer, 4 no "
                "connection.\n",
                "\n选项:\n"
                "  --uri URI           服务器:tcp://主机:端口、ssl://主机:端口\n"
                "  --domain NAME       社区(home)\n"
                "  --user NAME         账号\n"
                "  --secret-file FILE  密码文件\n"
                "  --ca-file FILE      ssl:// 所用的 CA 证书\n"
                "  --mqtt 3|5          MQTT 版本(5)\n"
                "  --timeout 秒        等待应答的时间(10)\n"
                "  --conf-file FILE    另读此设置文件\n"
                "  --json              原样输出应答,一行\n"
                "  --ascii             不用制图字符   --quiet  不显示进度与警告\n"
                "  -h, --help          命令帮助       --version\n\n"
                "设置也可写在 ~/.config/tide/tidectl.conf 与 $TIDECTL_CONF 中(键 = 值)。\n"
                "退出码:0 完成,1 被拒,2 用法错误,3 无应答,4 无法连接。\n"),
          out);
}

int ctl_help_run(struct ctl *ctl, const struct ctl_args *args)
{
    char *words[2] = {NULL, NULL};
    int count = 0, used;
    const struct ctl_command *command;

    (void)ctl;
    for (int i = 0; i < args->count && count < 2; i++)
        words[count++] = (char *)(uintptr_t)args->given[i].value;
    if (count == 0) {
        ctl_help(stdout);
        return CTL_EXIT_OK;
    }
    command = ctl_command_find(count, words, &used);
    if (command) {
        ctl_help_command(stdout, command);
        return CTL_EXIT_OK;
    }
    for (const struct ctl_command *at = ctl_commands; at->name; at++) {
        size_t len = strlen(words[0]);

        if (strncmp(at->name, words[0], len) != 0 || at->name[len] != ' ')
            continue;
        ctl_help_command(stdout, at);
        fputc('\n', stdout);
        command = at;
    }
    if (command)
        return CTL_EXIT_OK;
    ctl_complain(CTL_T("there is no command '%s'; `tidectl help` lists them",
                       "没有命令“%s”;见 `tidectl help`"),
                 words[0]);
    return CTL_EXIT_USAGE;
}
