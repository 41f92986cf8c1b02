/* main.c - tide-demo: plays a day in the example neighbourhood through everything that is real:
 * brokers, tided, gateways, clients. deploy/demo/run.sh starts those and calls this. */
#include <stdio.h>
#include <string.h>

#include "deploy/demo/demo.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
} commands[] = {
    {"account", demo_account, "                                    a new secret and its hash"},
    {"users", demo_users, "EXAMPLE FOLDER                      EXAMPLE/users.csv, FOLDER/secrets"},
    {"gateway", demo_gateway, "EXAMPLE FOLDER NAME PEOPLE_URI FIELD_URI"},
    {"play", demo_play,
     "--people-uri URI --field-uri URI --example FOLDER --dir FOLDER [--field-user USER]\n"
     "           [--domain home] [--seed N] [--date 2019-05-20] [--from 05:00] [--until 24:00]\n"
     "           [--day-off] [--trace P10.csv] [--office P4.csv]"},
    {"table", demo_table, "DATABASE TALLY                      the day in figures"},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            int result = commands[i].run(argc - 1, argv + 1);
            if (result == DEMO_USAGE) {
                (void)fprintf(stderr, "usage: tide-demo %s %s\n", commands[i].name,
                              commands[i].usage);
            }
            return result;
        }
    }
    (void)fputs("usage:\n", stderr);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)fprintf(stderr, "  tide-demo %-8s %s\n", commands[i].name, commands[i].usage);
    }
    return DEMO_USAGE;
}
