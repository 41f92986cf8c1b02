/* server.h - the daemon: comes up in order, goes down in reverse. */
#ifndef TIDE_SERVER_H
#define TIDE_SERVER_H

#include "daemon/ops/ops.h"

/* Exit codes (sysexits.h where there is one). */
enum server_exit {
    EXIT_FINE = 0,
    EXIT_BAD_USAGE = 64,
    EXIT_FAULTS_FOUND = 65, /* --verify */
    EXIT_NO_BROKER = 69,
    EXIT_INTERNAL = 70,
    EXIT_DISK = 74,    /* a write or sync failed: start again, recovery mends */
    EXIT_HELD = 75,    /* another daemon has the database */
    EXIT_CORRUPT = 76, /* stay down; restore a backup */
    EXIT_BAD_CONFIG = 78
};

struct server_options {
    const char *conf_path; /* for SIGHUP; NULL: none */
    int scale;             /* civil milliseconds a real one */
    tide_ms start_ms;      /* civil time to begin with; 0: now */
};

/* Serves until SIGTERM or SIGINT. */
int server_run(struct conf *conf, const struct server_options *options);

/* Makes the database of a domain with its first admin, and the broker's files. */
struct server_genesis {
    const char *domain, *community, *admin_user, *admin_hash;
    tide_ms start_ms; /* 0: now */
    bool scaled;
};
int server_init(struct conf *conf, const struct server_genesis *genesis);

/* Where backups of this configuration go. */
void server_backup_folder(const struct conf *conf, char *out, size_t cap);

#endif
