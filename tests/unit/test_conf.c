/* The configuration file: what is taken, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ops/ops.h"

static struct conf conf;
static char path[] = "/tmp/tide-conf-XXXXXX";

static int read_text(const char *text, size_t len, char *why, size_t cap)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    conf_default(&conf);
    return conf_read(&conf, path, why, cap);
}

static void defaults(void **state)
{
    (void)state;
    conf_default(&conf);
    assert_string_equal(conf.node, "tide1");
    assert_string_equal(conf.domains, "home");
    assert_string_equal(conf.broker_ca_file, "");
    assert_int_equal(conf.send_window, 1000);
    assert_int_equal(conf.horizon_days_max, 16);
}

static void taken(void **state)
{
    (void)state;
    char why[400] = "";
    static const char text[] = "\xef\xbb\xbf# a file of a Windows editor\r\n"
                               "\r\n"
                               "  domains =  home  street-2 \r\n"
                               "database=/data/with # and = in it.db\r\n"
                               "\t# indented\n"
                               "broker_uri = ssl://[::1]:8883\n"
                               "broker_ca_file =\n"
                               "user_burst = 7";
    assert_int_equal(read_text(text, sizeof text - 1, why, sizeof why), 0);
    assert_string_equal(conf.domains, "home  street-2");
    assert_string_equal(conf.database, "/data/with # and = in it.db");
    assert_string_equal(conf.broker_uri, "ssl://[::1]:8883");
    assert_string_equal(conf.broker_ca_file, "");
    assert_int_equal(conf.user_burst, 7);
    assert_int_equal(conf.user_rate_per_s, 20); /* not named: as before */
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"node = a\nnod = b\n", ":2: unknown key \"nod\"; did you mean node?"},
        {"frobnicate = 1\n", ":1: unknown key \"frobnicate\""},
        {"node\n", ":1: \"key = value\" is needed"},
        {"= 3\n", ":1: unknown key \"\""},
        {"node =\n", ":1: node: 1 to 32 bytes are allowed, not 0"},
        {"node = a/b\n", ":1: node: only letters"},
        {"node = a\n\nnode = b\n", ":3: node is set twice, first in line 1"},
        {"http_port = 65536\n", ":1: http_port: 0 to 65535 is allowed, not 65536"},
        {"http_port = -1\n", ":1: http_port: a whole number is needed, not \"-1\""},
        {"http_port = 80x\n", ":1: http_port: a whole number is needed"},
        {"http_port = 1e3\n", ":1: http_port: a whole number is needed"},
        {"http_port =\n", ":1: http_port: a whole number is needed, not \"\""},
        {"inbox_max = 99999999999999999999\n", ":1: inbox_max: a whole number"},
        {"log_level = loud\n", ":1: log_level: it is debug, info, warn or error"},
        {"broker_uri = http://x:1\n", ":1: broker_uri: it begins with tcp:// or ssl://"},
        {"broker_uri = tcp://x\n", ":1: broker_uri: it is scheme://host:port"},
        {"broker_uri = tcp://x:0\n", ":1: broker_uri: its port"},
        {"broker_uri = tcp://x:1883/y\n", ":1: broker_uri: its port"},
        {"domains = a b a\n", ":1: domains: a domain stands there twice"},
        {"domains = a +\n", ":1: domains: a domain has 1 to 64 letters"},
        {"domains = a b c d e f g h i j k l m n o p q\n", ":1: domains: too many domains"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char why[400] = "";
        assert_int_equal(read_text(rows[i].text, strlen(rows[i].text), why, sizeof why), -1);
        assert_memory_equal(why, path, strlen(path));
        if (strncmp(why + strlen(path), rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("row %zu: \"%s\", not \"%s\"", i, why + strlen(path), rows[i].why);
    }
}

static void odd_files(void **state)
{
    (void)state;
    char why[400] = "", lines[5000];
    conf_default(&conf);
    assert_int_equal(conf_read(&conf, "/nonexistent/x", why, sizeof why), -1);
    assert_non_null(strstr(why, "/nonexistent/x: No such file"));
    assert_int_equal(read_text("node = a\0b\n", 11, why, sizeof why), -1);
    assert_non_null(strstr(why, ":1: a NUL byte"));
    memset(lines, 'x', sizeof lines);
    assert_int_equal(read_text(lines, sizeof lines, why, sizeof why), -1);
    assert_non_null(strstr(why, ":1: the line is too long"));
    assert_int_equal(read_text("", 0, why, sizeof why), 0);
}

static void options(void **state)
{
    (void)state;
    char why[400] = "";
    conf_default(&conf);
    assert_int_equal(conf_set(&conf, "user_rate_per_s=100000", why, sizeof why), 0);
    assert_int_equal(conf.user_rate_per_s, 100000);
    assert_int_equal(conf_set(&conf, "user_rate_per_s=0", why, sizeof why), -1);
    assert_string_equal(why, "user_rate_per_s: 1 to 100000 is allowed, not 0");
    assert_int_equal(conf.user_rate_per_s, 100000); /* untouched */
    assert_int_equal(conf_set(&conf, "user_rate_per_s", why, sizeof why), -1);
}

static char *printed(const struct conf *from, size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    conf_print(from, out);
    fclose(out);
    return text;
}

/* What --print-config prints can be read again and is the same. */
static void round_trip(void **state)
{
    (void)state;
    char why[400] = "";
    size_t len, again_len;
    conf_default(&conf);
    assert_int_equal(conf_set(&conf, "node=n2", why, sizeof why), 0);
    assert_int_equal(conf_set(&conf, "slots_max=500", why, sizeof why), 0);
    char *first = printed(&conf, &len);
    if (read_text(first, len, why, sizeof why) != 0)
        fail_msg("%s", why);
    char *again = printed(&conf, &again_len);
    assert_string_equal(first, again);
    free(first);
    free(again);
}

/* deploy/tided.conf is what the code says, word for word. */
static void documented_file(void **state)
{
    (void)state;
    if (access("deploy/tided.conf", R_OK) != 0) {
        print_message("deploy/tided.conf is looked for from the root of the source\n");
        skip();
    }
    size_t len, cap = 0;
    conf_default(&conf);
    char *text = printed(&conf, &len), *file = NULL;
    FILE *in = fopen("deploy/tided.conf", "r");
    assert_non_null(in);
    ssize_t got = getdelim(&file, &cap, '\0', in);
    fclose(in);
    assert_int_equal(got, len);
    assert_string_equal(file, text);
    free(text);
    free(file);
}

static void limits(void **state)
{
    (void)state;
    struct engine_limits pools;
    char why[400] = "";
    conf_default(&conf);
    assert_int_equal(conf_set(&conf, "slots_max=500", why, sizeof why), 0);
    assert_int_equal(conf_set(&conf, "households_max=1000", why, sizeof why), 0);
    conf_limits(&conf, &pools);
    assert_int_equal(pools.slots, 500);
    assert_int_equal(pools.bookings, 32768);
    assert_int_equal(pools.horizon_days_max, 16);
    assert_true(pools.places > 1000 && pools.persons > 1000 && pools.windows >= 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),        cmocka_unit_test(taken),   cmocka_unit_test(refused),
        cmocka_unit_test(odd_files),       cmocka_unit_test(options), cmocka_unit_test(round_trip),
        cmocka_unit_test(documented_file), cmocka_unit_test(limits),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests_name("conf", tests, NULL, NULL);
    unlink(path);
    return failed;
}
