/* import.c - `tidectl import`: read all, check all, say all; ask; then write. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/import.h"

#define SHOWN_MAX 200

static void print_list(const struct import *import, const struct import_fault *list, size_t count,
                       FILE *out)
{
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct import_fault *fault = &list[i];

        fprintf(out, "%s: ", import->files[fault->file]);
        if (fault->line)
            fprintf(out, CTL_T("line %zu: ", "第 %zu 行:"), fault->line);
        if (fault->column[0]) {
            ctl_pad(out, fault->column, 0, false);
            fputs(CTL_T(": ", ":"), out);
        }
        ctl_pad(out, fault->words, 0, false);
        fputc('\n', out);
    }
    if (count > SHOWN_MAX)
        fprintf(out, CTL_T("… and %zu more\n", "……另有 %zu 条\n"), count - SHOWN_MAX);
}

void import_print_faults(const struct import *import, FILE *out)
{
    print_list(import, import->faults, import->fault_count, out);
}

static size_t count_rows(const struct import *import, const struct import_kind *kind)
{
    size_t count = 0;

    for (size_t i = 0; i < import->row_count; i++)
        count += import->rows[i].kind == kind;
    return count;
}

static void print_summary(const struct import *import, FILE *out)
{
    for (const struct import_kind *kind = import_kinds; kind->name; kind++) {
        size_t rows = count_rows(import, kind);
        bool any = false;

        if (rows == 0)
            continue;
        fputs("  ", out);
        ctl_pad(out, CTL_T(kind->name, kind->zh), 10, false);
        fprintf(out, " %6zu  ", rows);
        for (size_t i = 0; i < import->file_count; i++) {
            if (import->file_kinds[i] != kind)
                continue;
            fprintf(out, "%s%s", any ? ", " : "", import->files[i]);
            any = true;
        }
        fputc('\n', out);
    }
}

static void print_json(const struct import *import, const char *code)
{
    cJSON *out = cJSON_CreateObject(), *rows = cJSON_AddObjectToObject(out, "rows");
    cJSON *faults = cJSON_AddArrayToObject(out, "faults");

    cJSON_AddStringToObject(out, "code", code);
    for (const struct import_kind *kind = import_kinds; kind->name; kind++)
        if (count_rows(import, kind))
            cJSON_AddNumberToObject(rows, kind->is, (double)count_rows(import, kind));
    for (size_t i = 0; i < import->fault_count; i++) {
        cJSON *fault = cJSON_CreateObject();

        cJSON_AddStringToObject(fault, "file", import->files[import->faults[i].file]);
        cJSON_AddNumberToObject(fault, "line", (double)import->faults[i].line);
        cJSON_AddStringToObject(fault, "column", import->faults[i].column);
        cJSON_AddStringToObject(fault, "fault", import->faults[i].words);
        cJSON_AddItemToArray(faults, fault);
    }
    ctl_print_json(out);
    cJSON_Delete(out);
}

/* All files through the checks. 0, or an exit code. */
static int read_all(struct import *import, const struct ctl *ctl)
{
    for (size_t i = 0; i < import->file_count; i++)
        import_file(import, i);
    import_link(import);
    if (ctl->conf.json && import->fault_count)
        print_json(import, "invalid");
    if (ctl->conf.json)
        return import->fault_count ? CTL_EXIT_REFUSED : CTL_EXIT_OK;
    import_print_faults(import, stderr);
    if (import->fault_count) {
        ctl_complain(CTL_T("%zu faults; nothing was written", "共 %zu 处问题;未写入任何数据"),
                     import->fault_count);
        return CTL_EXIT_REFUSED;
    }
    if (!ctl->conf.quiet)
        print_list(import, import->notes, import->note_count, stderr);
    print_summary(import, stdout);
    fflush(stdout);
    return CTL_EXIT_OK;
}

static int open_secrets(struct import *import, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    import->secrets_path = path;
    import->secrets = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (import->secrets)
        return CTL_EXIT_OK;
    ctl_complain("%s: %s", path, strerror(errno));
    return CTL_EXIT_USAGE;
}

static int write_all(struct import *import, struct ctl *ctl, const struct ctl_args *args)
{
    int rc;

    if (import->row_count == 0) {
        ctl_complain(CTL_T("there is nothing in these files", "文件中没有数据"));
        return CTL_EXIT_REFUSED;
    }
    if (ctl_args_get(args, "--check")) {
        if (ctl->conf.json)
            print_json(import, "ok");
        return CTL_EXIT_OK;
    }
    if (!ctl_args_get(args, "--yes") && !ctl_confirm(CTL_T("Write these rows?", "写入以上数据?"))) {
        ctl_complain(CTL_T("nothing was written (without a terminal, say --yes)",
                           "未写入(非终端运行时请加 --yes)"));
        return CTL_EXIT_REFUSED;
    }
    if (import->secrets && fflush(import->secrets) != 0) {
        ctl_complain("%s: %s", import->secrets_path, strerror(errno));
        return CTL_EXIT_USAGE;
    }
    import->sent = true;
    rc = import_send(import, ctl);
    if (rc != CTL_EXIT_OK && import->secrets)
        ctl_complain(
            CTL_T("keep %s: some of its users may be written", "请保留 %s:其中部分账号可能已写入"),
            import->secrets_path);
    if (rc == CTL_EXIT_OK && ctl->conf.json)
        print_json(import, "ok");
    else if (rc == CTL_EXIT_OK)
        printf(CTL_T("%zu rows written.\n", "已写入 %zu 行。\n"), import->row_count);
    return rc;
}

int ctl_run_import(struct ctl *ctl, const struct ctl_args *args)
{
    static struct import import;
    const char *secrets = ctl_args_get(args, "--secrets");
    int rc = CTL_EXIT_OK;

    for (int i = 0; i < args->count; i++)
        if (args->given[i].param->kind == CTL_FILES)
            import.files[import.file_count++] = args->given[i].value;
    if (secrets)
        rc = open_secrets(&import, secrets);
    if (rc == CTL_EXIT_OK)
        rc = read_all(&import, ctl);
    if (rc == CTL_EXIT_OK)
        rc = write_all(&import, ctl, args);
    if (import.secrets && !import.sent)
        unlink(import.secrets_path);
    import_clear(&import);
    return rc;
}
