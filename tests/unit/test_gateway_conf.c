/* test_gateway_conf.c - the gateway's file: what it takes, and each way of writing it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/gateway/conf.h"
#include "clients/gateway/decoder.h"

#define HEAD "[gateway] name=gw1\n[people]\n[field]\n" /* three lines */

static int parse(struct gw_conf *ret, const char *text, char *why, size_t why_cap)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    int fault = gw_conf_parse(ret, in, "file", why, why_cap);
    fclose(in);
    return fault;
}

static void a_whole_file_is_read(void **state)
{
    struct gw_conf conf = {.device_count = 9};
    char why[512] = "";
    (void)state;
    int fault =
        parse(&conf,
              "# a comment\n"
              "[gateway]  # another\n"
              "name = gw-north\n"
              "answer_ms=120 spool_mib = 8   # two on a line\n"
              "log_level = warn\n"
              "[people] uri = ssl://tide.example:8883 domain=home user=gw9 ca_file=/etc/ca.pem\n"
              "secret_file = \"/etc/tide/my secret\"\n"
              "[ field ]\n"
              "mqtt=3\n"
              "[device 0004A30B001C0530] model=bosch_tps110 slot=A-017 heartbeat_min=30\n"
              "[device 0004a30b001c052f]\n"
              "  model = milesight_em400\n"
              "  slot = \"地下 1\"\n"
              "  distance_occupied_mm = 900 distance_free_mm = 1400 debounce_count=3\n"
              "[camera 265e1040-85e01fb7] lane=G1-in dir=in gpio_io=1 white_list=no\n"
              "[camera 265e1040-85e01fb8] lane=G1-out dir=out reply=no",
              why, sizeof why);
    if (fault != 0)
        fail_msg("%s", why);
    assert_string_equal(conf.own.name, "gw-north");
    assert_string_equal(conf.own.state_folder, "/var/lib/tide-gateway");
    assert_int_equal(conf.own.answer_ms, 120);
    assert_int_equal(conf.own.spool_mib, 8);
    assert_int_equal(conf.own.utc_offset_min, 480);
    assert_int_equal(conf.own.log_level, 2);
    assert_string_equal(conf.people.uri, "ssl://tide.example:8883");
    assert_string_equal(conf.people.user, "gw9");
    assert_string_equal(conf.people.secret_file, "/etc/tide/my secret");
    assert_string_equal(conf.field.uri, "tcp://127.0.0.1:1884");
    assert_int_equal(conf.field.mqtt, 3);
    assert_int_equal(conf.device_count, 2);
    const struct gw_device_conf *device = gw_conf_device(&conf, "0004a30b001c0530");
    assert_non_null(device);
    assert_ptr_equal(device->model, &gw_bosch_tps110);
    assert_string_equal(device->slot, "A-017");
    assert_int_equal(device->heartbeat_min, 30);
    device = gw_conf_device(&conf, "0004a30b001c052f");
    assert_non_null(device);
    assert_string_equal(device->slot, "地下 1");
    assert_int_equal(device->distance_free_mm, 1400);
    assert_int_equal(device->debounce_count, 3);
    assert_null(gw_conf_device(&conf, "0004a30b001c0531"));
    assert_int_equal(conf.camera_count, 2);
    int camera = gw_conf_camera(&conf, "265e1040-85e01fb7");
    assert_int_equal(camera, gw_conf_lane(&conf, "G1-in"));
    assert_int_equal(conf.cameras[camera].dir, 1);
    assert_int_equal(conf.cameras[camera].gpio_io, 1);
    assert_int_equal(conf.cameras[camera].pulse_delay_ms, 500);
    assert_false(conf.cameras[camera].white_list);
    camera = gw_conf_lane(&conf, "G1-out");
    assert_false(conf.cameras[camera].reply);
    assert_true(conf.cameras[camera].white_list);
    assert_int_equal(gw_conf_lane(&conf, "G2"), -1);
    gw_conf_done(&conf);
}

static void the_user_is_the_gateway_unless_said(void **state)
{
    struct gw_conf conf;
    char why[512];
    (void)state;
    assert_int_equal(parse(&conf, HEAD, why, sizeof why), 0);
    assert_string_equal(conf.people.user, "gw1");
    gw_conf_done(&conf);
}

static const struct {
    const char *text, *why;
} faults[] = {
    {"", "file:0: [gateway] is missing"},
    {"[gateway] name=gw1\n[people]\n", "file:2: [field] is missing"},
    {"[gateway]\n[people]\n", "file:1: [gateway] needs name"},
    {"name = gw1\n", "file:1: name stands before the first [section]"},
    {"[gatway] name=gw1\n", "file:1: no section is called [gatway]"},
    {"[gateway x] name=gw1\n", "file:1: [gateway] takes no name"},
    {"[gateway] name=gw1\n[gateway]\n", "file:2: [gateway] stands here a second time"},
    {"[gateway\nname=gw1\n", "file:1: a [section] without its ]"},
    {"[gateway] name=gw1 colour=red\n", "file:1: [gateway] has no key colour"},
    {"[gateway] name=gw1 name=gw2\n", "file:1: name is given twice"},
    {"[gateway] name\n", "file:1: name lacks its = and a value"},
    {"[gateway] name=gw1 ; x\n", "file:1: here should stand a key: ; x\n"},
    {"[gateway] name=\"gw1\n", "file:1: name: the value is too long or lacks its \""},
    {"[gateway] name=\n", "file:1: name: \"\" must not be empty"},
    {"[gateway] name=a/b\n",
     "file:1: name: \"a/b\" has a character that no name may have (+ # / \" \\)"},
    {"[gateway] name=gw1 answer_ms=fast\n",
     "file:1: answer_ms: \"fast\" is not a whole number (20 to 5000)"},
    {"[gateway] name=gw1\nanswer_ms=19\n",
     "file:2: answer_ms: \"19\" is out of range (20 to 5000)"},
    {"[gateway] name=gw1\nanswer_ms=5001\n",
     "file:2: answer_ms: \"5001\" is out of range (20 to 5000)"},
    {"[gateway] name=gw1\nanswer_ms=99999999999999999999\n",
     "file:2: answer_ms: \"99999999999999999999\" is not a whole number (20 to 5000)"},
    {"[gateway] name=gw1\nlog_level=loud\n",
     "file:2: log_level: \"loud\" is none of the words that this key takes"},
    {"[people] uri=mqtt://h:1\n", "file:1: uri: \"mqtt://h:1\" must begin with tcp:// or ssl://"},
    {"[people] uri=tcp://host\n", "file:1: uri: \"tcp://host\" must end with :port"},
    {"[people] uri=tcp://host:\n", "file:1: uri: \"tcp://host:\" must end with :port"},
    {"[people] mqtt=5\n", "file:1: [people] has no key mqtt"},
    {"[field] domain=home\n", "file:1: [field] has no key domain"},
    {"[field] mqtt=6\n", "file:1: mqtt: \"6\" is out of range (3 to 5)"},
    {"[gateway] name=gw1\n[people]\n[field] mqtt=4\n", "file:3: mqtt is 3 or 5"},
    {HEAD "[device 0004a30b001c053] model=bosch_tps110 slot=A\n",
     "file:4: a device is named by its EUI: 16 hexadecimal digits"},
    {HEAD "[device 0004a30b001c053g] model=bosch_tps110 slot=A\n",
     "file:4: a device is named by its EUI: 16 hexadecimal digits"},
    {HEAD "[device] model=bosch_tps110 slot=A\n",
     "file:4: a device is named by its EUI: 16 hexadecimal digits"},
    {HEAD "[device 0004a30b001c0530] slot=A\n", "file:4: [device] needs model"},
    {HEAD "[device 0004a30b001c0530] model=bosch_tps110\n[camera x] lane=L\n",
     "file:4: [device] needs slot"},
    {HEAD "[device 0004a30b001c0530] model=bosch slot=A\n",
     "file:4: model: \"bosch\" is no model that the gateway can read"},
    {HEAD "[device 0004a30b001c0530] model=milesight_em400 slot=A\n",
     "file:4: milesight_em400 measures a distance: it needs distance_occupied_mm below "
     "distance_free_mm"},
    {HEAD "[device 0004a30b001c0530] model=milesight_em400 slot=A distance_occupied_mm=900 "
          "distance_free_mm=900\n",
     "file:4: milesight_em400 measures a distance: it needs distance_occupied_mm below "
     "distance_free_mm"},
    {HEAD "[device 0004a30b001c0530] model=bosch_tps110 slot=A distance_free_mm=900\n",
     "file:4: bosch_tps110 measures no distance"},
    {HEAD "[device 0004a30b001c0530] model=bosch_tps110 slot=A\n"
          "[device 0004A30B001C0530] model=bosch_tps110 slot=B\n",
     "file:5: [device 0004a30b001c0530] stands here a second time"},
    {HEAD "[device 0004a30b001c0531] model=bosch_tps110 slot=A\n"
          "[device 0004a30b001c0530] model=bosch_tps110 slot=A\n",
     "file:5: slot A has another sensor (line 4)"},
    {HEAD "[camera] lane=L\n", "file:4: the serial number must have 1 to 39 characters"},
    {HEAD "[camera a/b] lane=L\n",
     "file:4: the serial number has a character that no topic may have"},
    {HEAD "[camera a] dir=in\n", "file:4: [camera] needs lane"},
    {HEAD "[camera a] lane=L dir=inwards\n",
     "file:4: dir: \"inwards\" is none of the words that this key takes"},
    {HEAD "[camera a] lane=L gpio_io=4\n", "file:4: gpio_io: \"4\" is out of range (0 to 3)"},
    {HEAD "[camera a] lane=L white_list=maybe\n",
     "file:4: white_list: \"maybe\" is none of the words that this key takes"},
    {HEAD "[camera a] lane=L\n[camera a] lane=M\n", "file:5: [camera a] stands here a second time"},
    {HEAD "[camera a] lane=L\n[camera b] lane=L\n", "file:5: lane L has another camera (line 4)"},
};

static void each_fault_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct gw_conf conf = {.device_count = 77};
        char why[512] = "";
        /* fmemopen refuses an empty text */
        const char *text = faults[i].text[0] != '\0' ? faults[i].text : "\n";
        const char *wanted =
            faults[i].text[0] != '\0' ? faults[i].why : "file:1: [gateway] is missing";
        if (parse(&conf, text, why, sizeof why) == 0)
            fail_msg("taken: %s", faults[i].text);
        if (strcmp(why, wanted) != 0)
            fail_msg("\"%s\"\n expected \"%s\"\n told     \"%s\"", faults[i].text, wanted, why);
        assert_int_equal(conf.device_count, 77); /* untouched */
    }
}

static void a_line_has_an_end(void **state)
{
    struct gw_conf conf;
    char why[512], text[6000];
    (void)state;
    memset(text, ' ', sizeof text);
    memcpy(text, "[gateway]", 9);
    text[sizeof text - 1] = '\0';
    assert_int_equal(parse(&conf, text, why, sizeof why), -1);
    assert_string_equal(why, "file:1: the line is too long");
    assert_int_equal(gw_conf_read(&conf, "/nonexistent/gateway.conf", why, sizeof why), -1);
    assert_string_equal(why, "/nonexistent/gateway.conf: No such file or directory");
}

/* A thousand sensors, in no order. */
static void a_table_of_a_thousand_is_searched(void **state)
{
    static char text[100000];
    struct gw_conf conf;
    char why[512], eui[20];
    int at = snprintf(text, sizeof text, HEAD);
    (void)state;
    for (int i = 0; i < 1000; i++)
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "[device 0004a30b00%06x] model=bosch_tps110 slot=A-%d\n",
                       (unsigned)(i * 7919 % 1000), i);
    assert_int_equal(parse(&conf, text, why, sizeof why), 0);
    assert_int_equal(conf.device_count, 1000);
    for (int i = 0; i < 1000; i++) {
        char slot[16];
        snprintf(eui, sizeof eui, "0004a30b00%06x", (unsigned)(i * 7919 % 1000));
        snprintf(slot, sizeof slot, "A-%d", i);
        assert_string_equal(gw_conf_device(&conf, eui)->slot, slot);
    }
    gw_conf_done(&conf);
}

static void a_secret_is_the_first_line(void **state)
{
    char path[] = "/tmp/tide-secret-XXXXXX", secret[16] = "", why[512] = "";
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "s3cret\nmore\n", 12), 12);
    assert_int_equal(gw_secret_read(path, secret, sizeof secret, why, sizeof why), 0);
    assert_string_equal(secret, "s3cret");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/tmp", 1), 0);
    assert_int_equal(gw_secret_read(path + 5, secret, sizeof secret, why, sizeof why), 0);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(gw_secret_read(path, secret, sizeof secret, why, sizeof why), -1);
    assert_non_null(strstr(why, "is empty"));
    assert_int_equal(pwrite(fd, "\n", 1, 0), 1);
    assert_int_equal(gw_secret_read(path, secret, sizeof secret, why, sizeof why), -1);
    close(fd);
    unlink(path);
    assert_int_equal(gw_secret_read(path, secret, sizeof secret, why, sizeof why), -1);
    assert_non_null(strstr(why, "No such file"));
}

/* The file that we hand out is itself right. */
static void the_example_is_good(void **state)
{
    struct gw_conf conf;
    char why[512] = "";
    (void)state;
    if (access("deploy/gateway.conf", R_OK) != 0) {
        print_message("deploy/gateway.conf is not here\n");
        skip();
    }
    if (gw_conf_read(&conf, "deploy/gateway.conf", why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(conf.device_count, 3);
    assert_int_equal(conf.camera_count, 2);
    gw_conf_done(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(the_user_is_the_gateway_unless_said),
        cmocka_unit_test(each_fault_is_told_with_its_line),
        cmocka_unit_test(a_line_has_an_end),
        cmocka_unit_test(a_table_of_a_thousand_is_searched),
        cmocka_unit_test(a_secret_is_the_first_line),
        cmocka_unit_test(the_example_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
