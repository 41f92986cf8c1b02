/* What is shipped for the machine: the sandboxes of the units score as promised, the broker takes
 * its configuration as it is. Run from the root of the source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker_fixture.h"
#include "daemon/net/broker.h"

#define EXPOSURE_MAX 1.5

static void need(const char *path)
{
    if (access(path, R_OK) == 0)
        return;
    print_message("%s is not here\n", path);
    skip();
}

/* "→ Overall exposure level for x.service: 1.1 OK" */
static double exposure(const char *unit)
{
    static char text[65536];
    broker_fixture_command(text, sizeof text, "systemd-analyze", "security", "--no-pager",
                           "--offline=true", unit, NULL);
    const char *level = strstr(text, "exposure level");
    level = level != NULL ? strchr(level, ':') : NULL;
    return level != NULL ? strtod(level + 1, NULL) : 99;
}

static void sandboxes(void **state)
{
    (void)state;
    static const char *const units[] = {"deploy/tided.service", "deploy/tide-gateway.service",
                                        "deploy/tide-backup.service",
                                        "deploy/mosquitto/mosquitto-field.service"};
    need("deploy/tided.service");
    need("/usr/bin/systemd-analyze");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double level = exposure(units[i]);
        if (level > EXPOSURE_MAX)
            fail_msg("%s: %.1f, more than %.1f", units[i], level, EXPOSURE_MAX);
    }
}

static bool no_user(void *arg, const char **ret_user, const char **ret_hash)
{
    (void)arg;
    (void)ret_user;
    (void)ret_hash;
    return false;
}

static void peoples_broker(void **state)
{
    (void)state;
    struct broker_fixture broker;
    char hash[192], port[16], log[400] = "";
    need("deploy/mosquitto/people.conf");
    assert_int_equal(broker_fixture_prepare(&broker), 0);
    assert_int_equal(broker_hash("secret", hash, sizeof hash), 0);
    const struct broker_conf conf = {
        .folder = broker.folder, .daemon_user = "tided", .daemon_hash = hash};
    assert_int_equal(broker_write(&conf, no_user, NULL), 1);
    assert_int_equal(broker_fixture_run_shipped(&broker, "deploy/mosquitto/people.conf"), 0);
    snprintf(port, sizeof port, "%d", broker.port);
    assert_int_equal(broker_fixture_command(NULL, 0, "mosquitto_pub", "-h", "127.0.0.1", "-p", port,
                                            "-u", "tided", "-P", "secret", "-q", "1", "-t",
                                            "tide/1/x", "-m", "y", NULL),
                     0);
    assert_int_not_equal(broker_fixture_command(NULL, 0, "mosquitto_pub", "-h", "127.0.0.1", "-p",
                                                port, "-u", "tided", "-P", "wrong", "-t",
                                                "tide/1/x", "-m", "y", NULL),
                         0);
    FILE *file = fopen(broker.log, "r");
    assert_non_null(file);
    while (fgets(log, sizeof log, file) != NULL)
        assert_null(strstr(log, "deprecated"));
    fclose(file);
    broker_fixture_stop(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandboxes),
        cmocka_unit_test(peoples_broker),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
