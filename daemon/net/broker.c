/* broker.c - password_file and acl_file of the broker: see broker.h.
 *
 *     tided:$7$101$<salt>$<hash>          password_file: one line a user, made by the clients;
 *     app1:$7$101$<salt>$<hash>           the daemon knows no secret but its own
 *
 *     user tided                          acl_file: the same whoever the users are, because
 *     topic readwrite tide/1/#            %u stands for the user who speaks
 *     pattern write tide/1/+/u/%u/req/#
 *     …
 *
 * A file is only written when its bytes differ, so that nothing is reloaded for nothing.
 */
#include "daemon/net/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tide/credential.h"
#include "tide/limits.h"

#define SALT_BYTES 12
#define HASH_BYTES 64
#define HASH_TEXT 88   /* of 64 bytes in base64 */
#define ITERATIONS 101 /* as mosquitto_passwd; the secrets are random, not words */

/* ---- hashes and secrets ---------------------------------------------------------------------- */

int broker_hash(const char *secret, char *out, size_t cap)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
    char salt_text[SALT_BYTES * 2], hash_text[HASH_TEXT + 1];
    if (RAND_bytes(salt, sizeof salt) != 1 ||
        PKCS5_PBKDF2_HMAC(secret, (int)strlen(secret), salt, sizeof salt, ITERATIONS, EVP_sha512(),
                          sizeof hash, hash) != 1)
        return -1;
    EVP_EncodeBlock((unsigned char *)salt_text, salt, sizeof salt);
    EVP_EncodeBlock((unsigned char *)hash_text, hash, sizeof hash);
    int len = snprintf(out, cap, "$7$%d$%s$%s", ITERATIONS, salt_text, hash_text);
    return len > 0 && (size_t)len < cap ? 0 : -1;
}

int broker_secret(char *out, size_t cap)
{
    unsigned char random[24];
    char text[33];
    if (cap < sizeof text || RAND_bytes(random, sizeof random) != 1)
        return -1;
    EVP_EncodeBlock((unsigned char *)text, random, sizeof random); /* 24 bytes: no padding */
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    memcpy(out, text, sizeof text);
    return 0;
}

/* ---- what may stand in the files ------------------------------------------------------------- */

/* A name that is one level of a topic and one field of a line. */
static bool is_user(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > TIDE_NAME_BYTES_MAX || name[0] == '$')
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr(":/+#%", *p) != NULL)
            return false;
    return true;
}

/* One wrong line and the broker refuses the whole file. */
static void print_passwords(FILE *out, const struct broker_conf *conf, broker_user_fn *next,
                            void *arg)
{
    if (conf->daemon_hash != NULL && tide_credential_ok(conf->daemon_hash))
        fprintf(out, "%s:%s\n", conf->daemon_user, conf->daemon_hash);
    for (const char *user, *hash; next(arg, &user, &hash);)
        if (user != NULL && hash != NULL && is_user(user) && tide_credential_ok(hash) &&
            strcmp(user, conf->daemon_user) != 0)
            fprintf(out, "%s:%s\n", user, hash);
}

static void print_acl(FILE *out, const struct broker_conf *conf)
{
    fprintf(out,
            "# Written by tided: changes made here are lost.\n"
            "user %s\n"
            "topic readwrite tide/1/#\n"
            "\n"
            "# Everybody, as himself.\n"
            "pattern write tide/1/+/u/%%u/req/#\n"
            "pattern read tide/1/+/u/%%u/res/#\n"
            "pattern read tide/1/+/u/%%u/inbox\n"
            "pattern write tide/1/+/gw/%%u/up/#\n"
            "pattern read tide/1/+/gw/%%u/down/#\n"
            "\n"
            "# What everybody may see.\n"
            "pattern read tide/1/+/pub/#\n"
            "pattern read tide/1/sys/+\n",
            conf->daemon_user);
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool is_same(int folder, const char *name, const char *text, size_t len)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool same = fstat(fd, &st) == 0 && (size_t)st.st_size == len;
    for (size_t at = 0; same && at < len;) {
        char part[4096];
        ssize_t got = read(fd, part, sizeof part);
        same = got > 0 && (size_t)got <= len - at && memcmp(part, text + at, (size_t)got) == 0;
        at += same ? (size_t)got : 0;
    }
    close(fd);
    return same;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, text, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        text += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

/* Beside, then over: a reader sees the old file or the new one. The broker reads as another user
 * of the folder's group, whatever our umask is. */
static int replace(int folder, const char *name, const char *text, size_t len)
{
    char beside[64];
    snprintf(beside, sizeof beside, ".%s.new", name);
    int fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    bool written = fchmod(fd, 0640) == 0 && write_all(fd, text, len) == 0 && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 && written) {
        written = false;
        saved = errno;
    }
    if (written && renameat(folder, beside, folder, name) == 0 && fsync(folder) == 0)
        return 0;
    if (written)
        saved = errno;
    unlinkat(folder, beside, 0);
    errno = saved;
    return -1;
}

/* 1 written, 0 as it was, -1 with errno. Takes the stream's text over. */
static int settle(int folder, const char *name, FILE *stream, char **text, const size_t *len)
{
    int result = -1;
    bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed)
        errno = ENOMEM;
    else if (is_same(folder, name, *text, *len))
        result = 0;
    else if (replace(folder, name, *text, *len) == 0)
        result = 1;
    free(*text);
    return result;
}

/* The pid file may be old and its number another's by now, whom a HUP would end. */
static bool is_broker(long pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool is = fgets(name, sizeof name, file) != NULL && strncmp(name, "mosquitto", 9) == 0;
    fclose(file);
    return is;
}

/* 0 when it was told or does not run (then it reads the files when it starts). */
static int tell(const char *pid_file)
{
    if (pid_file == NULL || *pid_file == '\0')
        return 0;
    FILE *file = fopen(pid_file, "re");
    if (file == NULL)
        return errno == ENOENT ? 0 : -1;
    char text[32] = "";
    bool got = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    long pid = got ? strtol(text, NULL, 10) : 0;
    if (pid <= 1 || pid > INT_MAX || !is_broker(pid))
        return 0;
    return kill((pid_t)pid, SIGHUP) == 0 || errno == ESRCH ? 0 : -1;
}

int broker_again(const struct broker_conf *conf)
{
    int folder = open(conf->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    int touched = utimensat(folder, "password_file", NULL, 0), saved = errno;
    close(folder);
    errno = saved;
    return touched == 0 ? tell(conf->pid_file) : -1;
}

int broker_write(const struct broker_conf *conf, broker_user_fn *next, void *arg)
{
    if (!is_user(conf->daemon_user)) {
        errno = EINVAL;
        return -1;
    }
    int folder = open(conf->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    char *text = NULL;
    size_t len = 0;
    int passwords = -1, acl = -1;
    FILE *out = open_memstream(&text, &len);
    if (out != NULL) {
        print_passwords(out, conf, next, arg);
        passwords = settle(folder, "password_file", out, &text, &len);
    }
    if (passwords >= 0 && (out = open_memstream(&text, &len)) != NULL) {
        print_acl(out, conf);
        acl = settle(folder, "acl_file", out, &text, &len);
    }
    int saved = errno;
    close(folder);
    errno = saved;
    if (passwords < 0 || acl < 0)
        return -1;
    if (passwords == 0 && acl == 0)
        return 0;
    return tell(conf->pid_file) == 0 ? 1 : -1;
}
