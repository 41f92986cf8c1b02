/* devices.h - what cameras and sensors say, byte for byte as the real ones do.
 *
 *   camera   臻识: device/{sn}/message/up/ivs_result, plate in base64; answers what it is told
 *   sensor   Bosch TPS110 behind ChirpStack v4: application/{id}/device/{eui}/event/up
 */
#ifndef DEMO_DEVICES_H
#define DEMO_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEMO_DEVICE 24

/* Serial number of the camera at a lane, EUI of the sensor in a slot (indices of the hood). */
void demo_camera_sn(int lane, char out[DEMO_DEVICE]);
void demo_sensor_eui(int slot, char out[DEMO_DEVICE]);

/* Each writes topic and JSON text; civil times are the devices' own clocks. Return the length of
 * the text, 0 when it does not fit. */
size_t demo_say_plate(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                      const char *plate, uint32_t number, int64_t civil_ms);
size_t demo_say_alive(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                      int64_t civil_ms);
size_t demo_say_slot(char *topic, size_t topic_cap, char *out, size_t cap, int slot, bool occupied,
                     bool heartbeat, uint32_t count, int64_t civil_ms);
/* A camera's answer to a message that it was sent: "code":200 under the message's id. */
size_t demo_say_done(char *topic, size_t topic_cap, char *out, size_t cap, int lane,
                     const char *name, const char *id, int64_t civil_ms);

/* What a camera was told: its lane and the message's name ("gpio_out") from a topic; -1 when the
 * topic is none of ours. */
int demo_heard_lane(const char *topic, char *ret_name, size_t cap);

#endif
