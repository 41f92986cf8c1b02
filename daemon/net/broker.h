/* broker.h - the broker's files: who may connect, and to which topics.
 *
 * mosquitto reads password_file and acl_file; tided writes both from its database, atomically
 * (write beside, fsync, rename, fsync the folder), and has the broker read them again by SIGHUP to
 * the pid in pid_file, or leaves that to a systemd path unit when there is none.
 */
#ifndef TIDE_NET_BROKER_H
#define TIDE_NET_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker_conf {
    const char *folder;                    /* where password_file and acl_file lie */
    const char *pid_file;                  /* NULL or "": do not signal */
    const char *daemon_user, *daemon_hash; /* tided's own line */
};

/* One line of the password file: user and `$7$` hash. Returns false at the end. */
typedef bool broker_user_fn(void *arg, const char **ret_user, const char **ret_hash);

/* Writes both files; returns 1 when something changed (and the broker was told), 0 when all was
 * as it should be, -1 with errno. Skips a user whose name or hash could break the file. */
int broker_write(const struct broker_conf *conf, broker_user_fn *next, void *arg);

/* Tells the broker once more to read its files (and touches them, for who watches them): mosquitto
 * 2.0 forgets a HUP that comes while it reads, so what was written at that moment it would not
 * know. To be called some time after broker_write. 0, or -1 with errno. */
int broker_again(const struct broker_conf *conf);

/* Makes a `$7$101$salt$hash` line's second part (PBKDF2-HMAC-SHA512, as mosquitto_passwd) from a
 * secret. Used by the clients and for tided's own account. 0 or -1. */
int broker_hash(const char *secret, char *out, size_t cap);
/* A new secret, URL-safe, of 24 random bytes. */
int broker_secret(char *out, size_t cap);

#endif
