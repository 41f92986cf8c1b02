/* setup.c - what a neighbourhood needs before it can be played: accounts with secrets of their own,
 * the gateways' configuration. Secrets are made here and now; only their hashes go to tided.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/net/broker.h"
#include "deploy/demo/demo.h"
#include "deploy/demo/devices.h"
#include "deploy/demo/hood.h"

#define PATH_CAP 4096
#define HASH_CAP 256
#define SECRET_CAP 80

/* A file that nobody else may read. NULL after telling stderr. */
static FILE *open_private(const char *folder, const char *name)
{
    char path[PATH_CAP];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
        FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
        if (out != NULL) {
            return out;
        }
    }
    (void)fprintf(stderr, "tide-demo: %s: %s\n", name, strerror(errno));
    return NULL;
}

static int close_checked(FILE *file)
{
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) {
        (void)fprintf(stderr, "tide-demo: %s\n", strerror(errno));
        return -1;
    }
    return 0;
}

/* tide-demo account: prints a new secret and its hash. */
int demo_account(int argc, char **argv)
{
    char secret[SECRET_CAP], hash[HASH_CAP];
    (void)argv;
    if (argc != 1) {
        return DEMO_USAGE;
    }
    if (broker_secret(secret, sizeof(secret)) != 0 ||
        broker_hash(secret, hash, sizeof(hash)) != 0) {
        (void)fputs("tide-demo: no secret could be made\n", stderr);
        return 1;
    }
    (void)printf("%s %s\n", secret, hash);
    return 0;
}

static int write_users(const struct demo_hood *hood, FILE *users, FILE *secrets)
{
    (void)fputs("user,person,kind,credential\n", users);
    for (size_t i = 0; i < hood->account_count; i++) {
        const struct demo_account *account = &hood->accounts[i];
        char secret[SECRET_CAP], hash[HASH_CAP];
        if (broker_secret(secret, sizeof(secret)) != 0 ||
            broker_hash(secret, hash, sizeof(hash)) != 0) {
            return -1;
        }
        (void)fprintf(users, "%s,%s,%s,%s\n", account->user, account->person, account->kind, hash);
        (void)fprintf(secrets, "%s %s\n", account->user, secret);
    }
    return 0;
}

/* tide-demo users EXAMPLE SECRETS_FOLDER: EXAMPLE/users.csv and SECRETS_FOLDER/secrets. */
int demo_users(int argc, char **argv)
{
    if (argc != 3) {
        return DEMO_USAGE;
    }
    struct demo_hood *hood = demo_hood_read(argv[1], NULL);
    if (hood == NULL) {
        return 1;
    }
    int result = 1;
    FILE *users = open_private(argv[1], "users.csv");
    FILE *secrets = open_private(argv[2], "secrets");
    if (users != NULL && secrets != NULL) {
        result = write_users(hood, users, secrets) == 0 ? 0 : 1;
    }
    if (users != NULL && close_checked(users) != 0) {
        result = 1;
    }
    if (secrets != NULL && close_checked(secrets) != 0) {
        result = 1;
    }
    demo_hood_free(hood);
    return result;
}

/* The gateway's lanes, and the sensors of the zones at the same places. */
static int write_gateway(const struct demo_hood *hood, const char *gateway, FILE *out)
{
    char name[DEMO_DEVICE];
    int lanes = 0;
    for (size_t i = 0; i < hood->lane_count; i++) {
        const struct demo_lane *lane = &hood->lanes[i];
        if (strcmp(lane->gateway, gateway) == 0) {
            demo_camera_sn((int)i, name);
            (void)fprintf(out, "[camera %s] lane=%s dir=%s\n", name, lane->name,
                          lane->in && lane->out ? "both"
                          : lane->in            ? "in"
                                                : "out");
            lanes++;
        }
    }
    for (size_t i = 0; i < hood->slot_count; i++) {
        const struct demo_slot *slot = &hood->slots[i];
        const char *place = hood->zones[slot->zone].place;
        bool ours = false;
        for (size_t lane = 0; lane < hood->lane_count; lane++) {
            ours |= strcmp(hood->lanes[lane].place, place) == 0 &&
                    strcmp(hood->lanes[lane].gateway, gateway) == 0;
        }
        if (slot->sensed && ours) {
            demo_sensor_eui((int)i, name);
            (void)fprintf(out, "[device %s] model=bosch_tps110 slot=%s\n", name, slot->name);
        }
    }
    return lanes > 0 ? 0 : -1;
}

/* tide-demo gateway EXAMPLE FOLDER NAME PEOPLE_URI FIELD_URI: FOLDER/NAME.conf, FOLDER/NAME.secret.
 * From FOLDER/secrets; FOLDER/NAME.field.secret, for the field broker, is expected to be there. */
int demo_gateway(int argc, char **argv)
{
    if (argc != 6) {
        return DEMO_USAGE;
    }
    const char *folder = argv[2], *name = argv[3];
    char path[PATH_CAP], file[DEMO_NAME + 16];
    (void)snprintf(path, sizeof(path), "%s/secrets", folder);
    struct demo_hood *hood = demo_hood_read(argv[1], path);
    int account = hood == NULL ? -1 : demo_hood_account(hood, name);
    if (account < 0) {
        demo_hood_free(hood);
        return 1;
    }
    int result = 1;
    (void)snprintf(file, sizeof(file), "%.32s.secret", name);
    FILE *secret = open_private(folder, file);
    (void)snprintf(file, sizeof(file), "%.32s.conf", name);
    FILE *conf = open_private(folder, file);
    if (secret != NULL && conf != NULL) {
        (void)fprintf(secret, "%s\n", hood->accounts[account].secret);
        (void)fprintf(conf,
                      "[gateway]\nname = %s\nstate_folder = %s/%s\n\n[people]\nuri = %s\n"
                      "secret_file = %s/%s.secret\ndomain = home\n\n[field]\nuri = %s\n"
                      "user = %s\nsecret_file = %s/%s.field.secret\n\n",
                      name, folder, name, argv[4], folder, name, argv[5], name, folder, name);
        result = write_gateway(hood, name, conf) == 0 ? 0 : 1;
    }
    if ((secret != NULL && close_checked(secret) != 0) ||
        (conf != NULL && close_checked(conf) != 0)) {
        result = 1;
    }
    demo_hood_free(hood);
    return result;
}
