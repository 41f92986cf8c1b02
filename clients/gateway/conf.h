/* conf.h - tide-gateway's one file: who it is, its two brokers, and which device stands for which
 * slot or lane.
 *
 *   [gateway]                     name, state_folder, ...          once
 *   [people]                      the broker that tided serves     once
 *   [field]                       the broker of the devices        once
 *   [device 0004a30b001c0530] model=bosch_tps110 slot=A-017        a line a sensor
 *   [camera 265e1040-85e01fb7] lane=G1-in dir=in gpio_io=0         a line a camera
 *
 * After a section's head, on its line or on lines of their own, come `key = value` pairs. A value
 * with blanks stands in double quotes; # begins a comment. Every key is checked: an unknown one,
 * one given twice, a value out of its range, a slot with two sensors are refused with the line.
 */
#ifndef TIDE_GATEWAY_CONF_H
#define TIDE_GATEWAY_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tide/limits.h"

#define GW_DEVICES_MAX 8192
#define GW_CAMERAS_MAX 64
#define GW_PATH_MAX 1024
#define GW_DEVICE_NAME_MAX 40 /* an EUI, a camera's serial number */

#define GW_NAME_CAP (TIDE_NAME_BYTES_MAX + 1)

/* All keys. X(struct, member, kind, default, least, most, help); kind text: most is its length. */
#define GW_KEYS_gateway(X)                                                                         \
    X(own, name, name, "", 1, 64, "this gateway's name; also its user at the people's broker")     \
    X(own, state_folder, path, "/var/lib/tide-gateway", 1, 1000, "spool, lists, boot number")      \
    X(own, utc_offset_min, number, "480", -720, 840, "civil time of the domain")                   \
    X(own, answer_ms, number, "150", 20, 5000, "how long a car waits before the own list decides") \
    X(own, spool_mib, number, "64", 1, 4096, "facts kept at most while nobody takes them")         \
    X(own, log_level, level, "info", 0, 0, "debug, info, warn, error")

#define GW_KEYS_people(X)                                                                          \
    X(people, uri, uri, "tcp://127.0.0.1:1883", 1, 200, "tcp:// or ssl://")                        \
    X(people, user, name, "", 0, 64, "empty: the gateway's name")                                  \
    X(people, secret_file, path, "", 0, 1000, "first line: the secret")                            \
    X(people, ca_file, path, "", 0, 1000, "for ssl://")                                            \
    X(people, domain, name, "home", 1, 64, "the domain of tided that is served")

#define GW_KEYS_field(X)                                                                           \
    X(field, uri, uri, "tcp://127.0.0.1:1884", 1, 200, "tcp:// or ssl://")                         \
    X(field, user, name, "", 0, 64, "empty: without user and secret")                              \
    X(field, secret_file, path, "", 0, 1000, "first line: the secret")                             \
    X(field, ca_file, path, "", 0, 1000, "for ssl://")                                             \
    X(field, mqtt, number, "5", 3, 5, "3 for a broker that knows 3.1.1 only")

#define GW_KEYS_device(X)                                                                          \
    X(device, model, model, "", 1, 32, "bosch_tps110, netvox_r719a, milesight_em400")              \
    X(device, slot, name, "", 1, 64, "the slot that it watches")                                   \
    X(device, heartbeat_min, number, "60", 1, 1440, "silence of 2.5 of these: state unknown")      \
    X(device, distance_occupied_mm, number, "0", 0, 10000, "a car at or below")                    \
    X(device, distance_free_mm, number, "0", 0, 10000, "no car at or above; between: as before")   \
    X(device, debounce_count, number, "2", 1, 10, "readings in a row that make a change")

#define GW_KEYS_camera(X)                                                                          \
    X(camera, lane, name, "", 1, 64, "the lane that it looks at")                                  \
    X(camera, dir, dir, "both", 0, 0, "in, out, both")                                             \
    X(camera, gpio_io, number, "0", 0, 3, "the output that lifts the arm")                         \
    X(camera, pulse_delay_ms, number, "500", 50, 5000, "length of the pulse")                      \
    X(camera, reply, flag, "yes", 0, 0, "no: firmware that does not acknowledge gpio_out")         \
    X(camera, white_list, flag, "yes", 0, 0, "keep plates in the camera for when we are away")     \
    X(camera, white_list_days, number, "7", 1, 90, "a row lapses after these; renewed at half")    \
    X(camera, white_list_per_s, number, "5", 1, 50, "rows written a second at most")

struct gw_own_conf {
    char name[GW_NAME_CAP], state_folder[GW_PATH_MAX];
    int64_t utc_offset_min, answer_ms, spool_mib;
    int64_t log_level; /* 0 debug ... 3 error, as enum log_level */
};

struct gw_broker_conf {
    char uri[256], user[GW_NAME_CAP], secret_file[GW_PATH_MAX], ca_file[GW_PATH_MAX];
    char domain[GW_NAME_CAP]; /* people only */
    int64_t mqtt;             /* field only: 3 or 5 */
};

struct gw_model; /* decoder.h */

struct gw_device_conf {
    char device[GW_DEVICE_NAME_MAX]; /* EUI-64, 16 lower-case hex digits */
    char slot[GW_NAME_CAP];
    const struct gw_model *model;
    int64_t heartbeat_min, distance_occupied_mm, distance_free_mm, debounce_count;
    unsigned line; /* of the section's head, for messages */
};

struct gw_camera_conf {
    char device[GW_DEVICE_NAME_MAX]; /* serial number as in the topic */
    char lane[GW_NAME_CAP];
    int64_t dir; /* 0 both, 1 in, 2 out, as enum tide_lane_dir */
    int64_t gpio_io, pulse_delay_ms, white_list_days, white_list_per_s;
    int64_t reply, white_list; /* flags */
    unsigned line;
};

struct gw_conf {
    struct gw_own_conf own;
    struct gw_broker_conf people, field;
    struct gw_device_conf *devices; /* sorted by device */
    size_t device_count;
    struct gw_camera_conf *cameras;
    size_t camera_count;
};

/* Reads and checks a whole file. 0, or -1 with "file:line: reason" in why and *ret untouched.
 * gw_conf_done frees what *ret holds. */
int gw_conf_read(struct gw_conf *ret, const char *path, char *why, size_t why_cap);
/* The same from an open stream; name stands in the messages. */
int gw_conf_parse(struct gw_conf *ret, FILE *in, const char *name, char *why, size_t why_cap);
void gw_conf_done(struct gw_conf *conf);

/* NULL when there is none. */
const struct gw_device_conf *gw_conf_device(const struct gw_conf *conf, const char *device);
/* Index, -1 when there is none. */
int gw_conf_camera(const struct gw_conf *conf, const char *device);
int gw_conf_lane(const struct gw_conf *conf, const char *lane);

/* First line of a secret file, without its end. A name without a leading / is looked for among the
 * credentials that systemd hands over. 0, or -1 with the reason in why. */
int gw_secret_read(const char *name, char *out, size_t cap, char *why, size_t why_cap);

#endif
