/* demo.h - the subcommands of tide-demo. Each takes its own arguments (argv[0] is its name) and
 * returns the exit code. */
#ifndef DEMO_H
#define DEMO_H

int demo_account(int argc, char **argv); /* setup.c */
int demo_users(int argc, char **argv);
int demo_gateway(int argc, char **argv);
int demo_play(int argc, char **argv);  /* play.c */
int demo_table(int argc, char **argv); /* table.c */

#define DEMO_USAGE 64

#endif
