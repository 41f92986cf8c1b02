/* The broker's files, read by the real broker: who is in them gets in and speaks as himself only;
 * who is taken out is cut off; what could break a file never gets into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker_fixture.h"
#include "daemon/net/broker.h"

struct user {
    const char *name, *hash;
};
struct users {
    const struct user *list;
    size_t count, at;
};

static bool next_user(void *arg, const char **ret_user, const char **ret_hash)
{
    struct users *users = arg;
    if (users->at == users->count)
        return false;
    *ret_user = users->list[users->at].name;
    *ret_hash = users->list[users->at++].hash;
    return true;
}

static struct broker_fixture broker;
static char hashes[4][192];
static struct broker_conf conf = {
    .folder = broker.folder, .pid_file = "", .daemon_user = "tided", .daemon_hash = hashes[0]};

static int write_users(const struct user *list, size_t count)
{
    struct users users = {.list = list, .count = count};
    return broker_write(&conf, next_user, &users);
}

static const char *file_text(const char *name)
{
    static char text[65536];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", broker.folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Exit code of mosquitto_pub; what it says in `said` (NULL: does not matter). */
static int publish(const char *user, const char *secret, const char *topic, char *said, size_t cap)
{
    char port[16];
    snprintf(port, sizeof port, "%d", broker.port);
    return broker_fixture_command(said, cap, "mosquitto_pub", "-d", "-V", "5", "-h", "127.0.0.1",
                                  "-p", port, "-u", user, "-P", secret, "-q", "1", "-t", topic,
                                  "-m", "x", NULL);
}

static int publish_as(const char *user, const char *secret, const char *topic)
{
    return publish(user, secret, topic, NULL, 0);
}

static void secrets(void **state)
{
    (void)state;
    char a[40], b[40], hash[192], again[192];
    assert_int_equal(broker_secret(a, sizeof a), 0);
    assert_int_equal(broker_secret(b, sizeof b), 0);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     32);
    assert_string_not_equal(a, b);
    assert_int_equal(broker_secret(a, 32), -1);
    assert_int_equal(broker_hash("s", hash, sizeof hash), 0);
    assert_int_equal(broker_hash("s", again, sizeof again), 0);
    assert_string_not_equal(hash, again); /* salted */
    assert_memory_equal(hash, "$7$101$", 7);
    assert_int_equal(broker_hash("s", hash, 50), -1);
}

static void files(void **state)
{
    (void)state;
    const struct user list[] = {{"app1", hashes[1]}, {"门卫", hashes[2]}};
    assert_int_equal(write_users(list, 2), 1);
    assert_int_equal(write_users(list, 2), 0); /* as it was: nothing to do */
    char wanted[700];
    snprintf(wanted, sizeof wanted, "tided:%s\napp1:%s\n门卫:%s\n", hashes[0], hashes[1],
             hashes[2]);
    assert_string_equal(file_text("password_file"), wanted);
    assert_non_null(strstr(file_text("acl_file"), "user tided\ntopic readwrite tide/1/#\n"));
    assert_non_null(strstr(file_text("acl_file"), "\npattern write tide/1/+/u/%u/req/#\n"));
    assert_int_equal(write_users(list, 1), 1);
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/password_file", broker.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    snprintf(path, sizeof path, "%s/.password_file.new", broker.folder);
    assert_int_equal(stat(path, &st), -1); /* nothing is left beside */
}

static void poison(void **state)
{
    (void)state;
    static char long_name[100], odd[8][192];
    const char *good = hashes[1];
    memset(long_name, 'x', 65);
    for (size_t i = 0; i < 8; i++)
        snprintf(odd[i], sizeof odd[i], "%s", good);
    odd[0][strlen(good) - 1] = '\0';        /* too short */
    odd[1][20] = '\n';                      /* a line more */
    odd[2][1] = '6';                        /* another kind */
    memcpy(odd[3], "$7$999999999$", 13);    /* would keep the broker busy */
    odd[4][strlen(good) - 4] = '=';         /* 63 bytes */
    odd[5][7] = '$';                        /* no salt */
    memcpy(odd[6], "$7$-01$", 7);           /* a sign */
    memcpy(odd[7] + strlen(good), " x", 3); /* something behind */
    const struct user list[] = {
        {"", good},        {"a:b", good},    {"a/b", good},   {"a+", good},   {"#", good},
        {"a b", good},     {"a\nb:x", good}, {"%u", good},    {"$SYS", good}, {"tided", good},
        {long_name, good}, {"n0", ""},       {"n1", "plain"}, {"n2", odd[0]}, {"n3", odd[1]},
        {"n4", odd[2]},    {"n5", odd[3]},   {"n6", odd[4]},  {"n7", odd[5]}, {"n8", odd[6]},
        {"n9", odd[7]},    {NULL, good},     {"n10", NULL},   {"\x7f", good},
    };
    char wanted[300];
    write_users(list, sizeof list / sizeof *list);
    snprintf(wanted, sizeof wanted, "tided:%s\n", hashes[0]);
    assert_string_equal(file_text("password_file"), wanted);

    conf.daemon_user = "ti:ded";
    assert_int_equal(write_users(NULL, 0), -1);
    conf.daemon_user = "tided";
    conf.folder = "/nonexistent/folder";
    assert_int_equal(write_users(NULL, 0), -1);
    assert_int_equal(errno, ENOENT);
    conf.folder = broker.folder;
}

/* The broker's own program makes the same of the same secret: checked by logging in. */
static void the_broker_agrees(void **state)
{
    (void)state;
    const struct user both[] = {{"app1", hashes[1]}, {"gw1", hashes[2]}};
    conf.pid_file = broker.pid_file;
    assert_int_equal(write_users(both, 2), 1); /* HUP */
    broker_fixture_sleep_ms(200);
    assert_int_equal(publish_as("tided", "secret0", "tide/1/home/u/app1/res/x"), 0);
    assert_int_equal(publish_as("app1", "secret1", "tide/1/home/u/app1/req/parking.book"), 0);
    assert_int_not_equal(publish_as("app1", "secret2", "tide/1/home/u/app1/req/x"), 0);
    assert_int_not_equal(publish_as("nobody", "secret1", "tide/1/home/u/app1/req/x"), 0);
    /* mosquitto_pub tells a PUBACK with 0x87 in words only. */
    static const struct {
        const char *user, *secret, *topic;
        bool may;
    } rows[] = {
        {"app1", "secret1", "tide/1/home/u/app1/req/x", true},
        {"app1", "secret1", "tide/1/home/u/gw1/req/x", false},
        {"app1", "secret1", "tide/1/home/u/app1/res/x", false},
        {"app1", "secret1", "tide/1/home/u/app1/inbox", false},
        {"app1", "secret1", "tide/1/home/pub/zone/A", false},
        {"app1", "secret1", "tide/1/sys/tide1", false},
        {"app1", "secret1", "tide/1/home/gw/app1/down/list", false},
        {"app1", "secret1", "other", false},
        {"gw1", "secret2", "tide/1/home/gw/gw1/up/plate", true},
        {"gw1", "secret2", "tide/1/home/gw/app1/up/plate", false},
        {"tided", "secret0", "tide/1/home/gw/gw1/down/list", true},
        {"tided", "secret0", "other", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char said[2000];
        publish(rows[i].user, rows[i].secret, rows[i].topic, said, sizeof said);
        bool refused = strstr(said, "RC:135") != NULL || strcasestr(said, "not authori") != NULL;
        if (refused == rows[i].may)
            fail_msg("%s to %s: %s", rows[i].user, rows[i].topic, rows[i].may ? "no" : "yes");
    }
}

static int count_lines(const char *name)
{
    int lines = 0;
    for (const char *p = file_text(name); *p != '\0'; p++)
        lines += *p == '\n';
    return lines;
}

/* Subscribed to everything, a user sees his own and the public; taken out, he is cut off. */
static void own_topics_only(void **state)
{
    (void)state;
    const struct user both[] = {{"app1", hashes[1]}, {"app2", hashes[2]}};
    write_users(both, 2);
    broker_fixture_sleep_ms(200);
    pid_t sub = fork();
    if (sub == 0) {
        char port[16], path[128];
        snprintf(port, sizeof port, "%d", broker.port);
        snprintf(path, sizeof path, "%s/seen", broker.folder);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen(path, "w", stdout) == NULL)
            _exit(1);
        execlp("mosquitto_sub", "mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-u", "app1", "-P",
               "secret1", "-t", "#", "-t", "$share/g/tide/1/#", "-v", (char *)NULL);
        _exit(127);
    }
    broker_fixture_sleep_ms(400);
    static const char *const topics[] = {"tide/1/home/u/app1/res/r1", "tide/1/home/u/app2/res/r2",
                                         "tide/1/home/u/app2/inbox",  "tide/1/home/pub/zone/A",
                                         "tide/1/home/gw/gw1/down/a", "tide/1/sys/tide1",
                                         "tide/1/sys/tide1/beat"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        assert_int_equal(publish_as("tided", "secret0", topics[i]), 0);
    broker_fixture_sleep_ms(300);
    const char *seen = file_text("seen");
    assert_non_null(strstr(seen, "u/app1/res/r1 x"));
    assert_non_null(strstr(seen, "pub/zone/A x"));
    assert_non_null(strstr(seen, "sys/tide1 x"));
    assert_null(strstr(seen, "app2"));
    assert_null(strstr(seen, "down"));
    assert_null(strstr(seen, "beat"));

    int before = count_lines("seen");
    assert_int_equal(write_users(both + 1, 1), 1);
    broker_fixture_sleep_ms(300);
    publish_as("tided", "secret0", "tide/1/home/u/app1/res/r3");
    publish_as("tided", "secret0", "tide/1/home/pub/zone/A");
    broker_fixture_sleep_ms(300);
    assert_int_equal(count_lines("seen"), before);
    assert_int_not_equal(publish_as("app1", "secret1", "tide/1/home/u/app1/req/x"), 0);
    kill(sub, SIGKILL);
    waitpid(sub, NULL, 0);
}

/* A HUP that the broker forgot while it read: it is told again, and knows who came. */
static void told_again(void **state)
{
    (void)state;
    const struct user late[] = {{"late", hashes[1]}};
    conf.pid_file = ""; /* as if the HUP had been lost */
    assert_int_equal(write_users(late, 1), 1);
    broker_fixture_sleep_ms(200);
    assert_int_not_equal(publish_as("late", "secret1", "tide/1/home/u/late/req/x"), 0);
    conf.pid_file = broker.pid_file;
    assert_int_equal(broker_again(&conf), 0);
    broker_fixture_sleep_ms(200);
    assert_int_equal(publish_as("late", "secret1", "tide/1/home/u/late/req/x"), 0);
    conf.folder = "/nonexistent/folder";
    assert_int_equal(broker_again(&conf), -1);
    conf.folder = broker.folder;
}

/* A pid file whose number is another's now must not cost that other its life. */
static void old_pid_file(void **state)
{
    (void)state;
    const struct user one[] = {{"app1", hashes[3]}};
    char path[128];
    snprintf(path, sizeof path, "%s/old_pid", broker.folder);
    pid_t victim = fork();
    if (victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    FILE *file = fopen(path, "w");
    fprintf(file, "%d\n", (int)victim);
    fclose(file);
    conf.pid_file = path;
    assert_int_equal(write_users(one, 1), 1);
    broker_fixture_sleep_ms(50);
    assert_int_equal(waitpid(victim, NULL, WNOHANG), 0); /* lives */
    kill(victim, SIGKILL);
    waitpid(victim, NULL, 0);
    conf.pid_file = "/nonexistent/pid"; /* the broker does not run yet */
    assert_int_equal(write_users(NULL, 0), 1);
}

static int begin(void **state)
{
    (void)state;
    char extra[300], secret[32];
    for (int i = 0; i < 4; i++) {
        snprintf(secret, sizeof secret, "secret%d", i);
        if (broker_hash(secret, hashes[i], sizeof hashes[i]) != 0)
            return -1;
    }
    /* Its folder is only known once it was made: begin with an open broker, then close it. */
    if (broker_fixture_start(&broker, NULL) != 0 || write_users(NULL, 0) != 1)
        return -1;
    broker_fixture_kill(&broker, SIGTERM);
    snprintf(extra, sizeof extra,
             "allow_anonymous false\npassword_file %s/password_file\nacl_file %s/acl_file\n",
             broker.folder, broker.folder);
    FILE *file = fopen(broker.conf, "a");
    fputs(extra, file);
    fclose(file);
    return broker_fixture_run(&broker);
}

static int end(void **state)
{
    (void)state;
    broker_fixture_stop(&broker);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets),         cmocka_unit_test(files),
        cmocka_unit_test(poison),          cmocka_unit_test(the_broker_agrees),
        cmocka_unit_test(own_topics_only), cmocka_unit_test(told_again),
        cmocka_unit_test(old_pid_file),
    };
    return cmocka_run_group_tests_name("broker", tests, begin, end);
}
