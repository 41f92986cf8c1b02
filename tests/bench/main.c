/* main.c - tide-bench WHAT [options]: which measurement, and what all of them need. */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* Not every build has all of them. */
int bench_peak(int argc, char **argv) __attribute__((weak));

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} all[] = {
    {"engine", "decisions a second, the engine alone [--slots N] [--fill F] [--horizon-days D]",
     bench_engine},
    {"allocate", "how well wishes are served --slots S.csv --requests R.csv --policy P",
     bench_allocate},
    {"instance", "makes such files --kind office|home --slots N --load L --seed K", bench_instance},
    {"peak", "durable bookings a second through the broker, against a bare echo", bench_peak},
    {"journal", "engine and store, against PostgreSQL [--peer postgres|none] [--seconds N]",
     bench_journal},
    {"recover", "a start over a long history [--bookings N] [--live N]", bench_recover},
    {"memory", "a large community at rest [--slots N] [--households N]", bench_memory},
    {"forecast", "the tide table against two simple ones, on recorded stays [--data FOLDER]",
     bench_forecast},
    {"lateness",
     "whether the buffer after a stay keeps a zone's risk, on recorded stays [--data FOLDER]",
     bench_lateness},
    {"verify", "--verify over a journal of the real engine [--events N]", bench_verify},
};

static char build_folder[PATH_MAX];

double bench_cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

_Noreturn void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "tide-bench: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

void bench_machine(char *out, size_t cap)
{
    char line[256], model[160] = "unknown";
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        value[strcspn(value, "\n")] = '\0';
        snprintf(model, sizeof model, "%.150s", value + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
    for (char *c = model; *c != '\0'; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            *c = ' ';
    snprintf(out, cap, "%ld x %s", sysconf(_SC_NPROCESSORS_ONLN), model);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_fsync_us(const char *folder)
{
    enum { TIMES = 101 };
    double us[TIMES];
    char path[PATH_MAX], page[4096];
    memset(page, 7, sizeof page);
    snprintf(path, sizeof path, "%s/fsync", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die("cannot write into %s", folder);
    for (int i = 0; i < TIMES; i++) {
        double start = bench_now_s();
        if (pwrite(fd, page, sizeof page, (off_t)i * 4096) != sizeof page || fdatasync(fd) != 0)
            bench_die("cannot write into %s", folder);
        us[i] = (bench_now_s() - start) * 1e6;
    }
    close(fd);
    unlink(path);
    qsort(us, TIMES, sizeof *us, by_size);
    return us[TIMES / 2];
}

const char *bench_option_text(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
            return argv[i + 1];
    return otherwise;
}

double bench_option(int argc, char **argv, const char *name, double otherwise)
{
    const char *text = bench_option_text(argc, argv, name, NULL);
    char *end = NULL;
    if (text == NULL)
        return otherwise;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || value < 0)
        bench_die("--%s wants a number, not %s", name, text);
    return value;
}

void bench_folder(const char *what, char *out, size_t cap)
{
    int len = snprintf(out, cap, "%s/bench-%s-XXXXXX", build_folder, what);
    if (len < 0 || (size_t)len >= cap || mkdtemp(out) == NULL)
        bench_die("cannot make a folder in %s", build_folder);
    chmod(out, 0755); /* a peer may run as another user */
}

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *place)
{
    (void)file;
    (void)kind;
    (void)place;
    return remove(path);
}

void bench_folder_remove(const char *folder)
{
    if (strncmp(folder, build_folder, strlen(build_folder)) != 0)
        bench_die("will not remove %s", folder);
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "tide-bench: %s is left\n", folder);
}

uint64_t bench_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void find_build_folder(void)
{
    const char *given = getenv("TIDE_BUILD");
    char *slash;
    if (given != NULL && realpath(given, build_folder) != NULL)
        return;
    ssize_t len = readlink("/proc/self/exe", build_folder, sizeof build_folder - 1);
    if (len <= 0)
        bench_die("cannot find its own folder");
    build_folder[len] = '\0';
    if ((slash = strrchr(build_folder, '/')) != NULL)
        *slash = '\0';
}

static int usage(FILE *out)
{
    fprintf(out, "tide-bench WHAT [options]\n");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].run != NULL)
            fprintf(out, "  %-8s %s\n", all[i].name, all[i].what);
    return out == stdout ? 0 : 64;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout);
    find_build_folder();
    for (size_t i = 0; argc >= 2 && i < sizeof all / sizeof *all; i++)
        if (strcmp(argv[1], all[i].name) == 0 && all[i].run != NULL)
            return all[i].run(argc - 1, argv + 1);
    return usage(stderr);
}
