/* conf.c - reading and checking the gateway's file.
 *
 * The keys of a section are a table made from conf.h's lists: name, where the value goes, its kind
 * and range. A line is taken apart into an optional [section] and `key = value` pairs; each pair
 * goes through its kind's parser, which knows nothing of files or lines.
 */
#include "clients/gateway/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clients/gateway/decoder.h"

#define VALUE_CAP GW_PATH_MAX
#define LINE_CAP 4096

/* ---- kinds of values ------------------------------------------------------------------------ */
struct key;
/* Puts a checked value at `at`; returns NULL or why not. */
typedef const char *kind_fn(const struct key *key, const char *value, void *at);

struct key {
    const char *name;
    kind_fn *parse;
    size_t offset;
    const char *fallback;
    long least, most;
};

static const char *text_kind(const struct key *key, const char *value, char *at)
{
    size_t len = strlen(value);
    if (len < (size_t)key->least)
        return "must not be empty";
    if (len > (size_t)key->most)
        return "is too long";
    memcpy(at, value, len + 1);
    return NULL;
}

/* Names become parts of topics and of JSON. */
static const char *name_kind(const struct key *key, const char *value, void *at)
{
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || strchr("+#/\"\\", *c) != NULL)
            return "has a character that no name may have (+ # / \" \\)";
    return text_kind(key, value, at);
}

static const char *path_kind(const struct key *key, const char *value, void *at)
{
    return text_kind(key, value, at);
}

static const char *uri_kind(const struct key *key, const char *value, void *at)
{
    if (strncmp(value, "tcp://", 6) != 0 && strncmp(value, "ssl://", 6) != 0)
        return "must begin with tcp:// or ssl://";
    const char *port = strrchr(value, ':');
    if (port < value + 6 || port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1))
        return "must end with :port";
    return text_kind(key, value, at);
}

static const char *number_kind(const struct key *key, const char *value, void *at)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0')
        return "is not a whole number";
    if (n < key->least || n > key->most)
        return "is out of range";
    int64_t number = n;
    memcpy(at, &number, sizeof number);
    return NULL;
}

static const char *word_kind(const char *value, void *at, const char *const *words)
{
    for (int64_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], value) == 0) {
            memcpy(at, &i, sizeof i);
            return NULL;
        }
    return "is none of the words that this key takes";
}

static const char *flag_kind(const struct key *key, const char *value, void *at)
{
    static const char *const words[] = {"no", "yes", NULL};
    (void)key;
    return word_kind(value, at, words);
}

static const char *dir_kind(const struct key *key, const char *value, void *at)
{
    static const char *const words[] = {"both", "in", "out", NULL};
    (void)key;
    return word_kind(value, at, words);
}

static const char *level_kind(const struct key *key, const char *value, void *at)
{
    static const char *const words[] = {"debug", "info", "warn", "error", NULL};
    (void)key;
    return word_kind(value, at, words);
}

static const char *model_kind(const struct key *key, const char *value, void *at)
{
    (void)key;
    const struct gw_model **place = at;
    const struct gw_model *model = gw_model_named(value);
    if (model == NULL)
        return "is no model that the gateway can read";
    *place = model;
    return NULL;
}

/* ---- sections ------------------------------------------------------------------------------- */
#define OWNER_own gw_own_conf
#define OWNER_people gw_broker_conf
#define OWNER_field gw_broker_conf
#define OWNER_device gw_device_conf
#define OWNER_camera gw_camera_conf
#define OWNER_(tag) OWNER_##tag
#define STRUCT__(name) struct name
#define STRUCT_(name) STRUCT__(name)
#define KEY_(owner, member, kind, def, least, most, help)                                          \
    {#member, kind##_kind, offsetof(STRUCT_(OWNER_(owner)), member), def, least, most},
static const struct key gateway_keys[] = {GW_KEYS_gateway(KEY_){0}};
static const struct key people_keys[] = {GW_KEYS_people(KEY_){0}};
static const struct key field_keys[] = {GW_KEYS_field(KEY_){0}};
static const struct key device_keys[] = {GW_KEYS_device(KEY_){0}};
static const struct key camera_keys[] = {GW_KEYS_camera(KEY_){0}};

enum section {
    SECTION_none,
    SECTION_gateway,
    SECTION_people,
    SECTION_field,
    SECTION_device,
    SECTION_camera,
    SECTION_COUNT
};
static const struct {
    const char *name;
    const struct key *keys;
} sections[SECTION_COUNT] = {
    [SECTION_gateway] = {"gateway", gateway_keys}, [SECTION_people] = {"people", people_keys},
    [SECTION_field] = {"field", field_keys},       [SECTION_device] = {"device", device_keys},
    [SECTION_camera] = {"camera", camera_keys},
};

struct reader {
    struct gw_conf conf;
    const char *name;
    unsigned line;
    char *why;
    size_t why_cap;
    enum section section;
    void *base;      /* the struct that the section fills */
    uint32_t given;  /* bit a key of the section */
    unsigned opened; /* bit a section that may stand once */
    unsigned head;   /* line of the section's head */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct reader *reader, unsigned line,
                                                        const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    snprintf(reader->why, reader->why_cap, "%s:%u: %s", reader->name, line, reason);
    return -1;
}

static void defaults(const struct key *keys, void *base)
{
    for (const struct key *key = keys; key->name != NULL; key++)
        if (key->fallback[0] != '\0')
            (void)key->parse(key, key->fallback, (char *)base + key->offset);
}

/* Keys that have no default and must be given. */
static int close_section(struct reader *reader)
{
    if (reader->section == SECTION_none)
        return 0;
    const struct key *keys = sections[reader->section].keys;
    for (unsigned i = 0; keys[i].name != NULL; i++)
        if (keys[i].fallback[0] == '\0' && keys[i].least > 0 && (reader->given >> i & 1) == 0)
            return refuse(reader, reader->head, "[%s] needs %s", sections[reader->section].name,
                          keys[i].name);
    return 0;
}

/* A device's name as it is compared: an EUI in lower case, a camera's serial number as it is. */
static const char *device_name(enum section section, const char *text, char out[static 1])
{
    size_t len = strlen(text);
    if (section == SECTION_camera) {
        if (len < 1 || len >= GW_DEVICE_NAME_MAX)
            return "the serial number must have 1 to 39 characters";
        for (size_t i = 0; i < len; i++)
            if (text[i] <= ' ' || strchr("+#/\"\\", text[i]) != NULL)
                return "the serial number has a character that no topic may have";
        memcpy(out, text, len + 1);
        return NULL;
    }
    if (len != 16)
        return "a device is named by its EUI: 16 hexadecimal digits";
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return "a device is named by its EUI: 16 hexadecimal digits";
        out[i] = c;
    }
    out[len] = '\0';
    return NULL;
}

/* Arrays grow by doubling; they only do so here, while the file is read. */
static void *grow(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array;
    return realloc(array, (count == 0 ? 1 : 2 * count) * size);
}

static void *new_device(struct reader *reader, const char *name)
{
    struct gw_conf *conf = &reader->conf;
    if (conf->device_count == GW_DEVICES_MAX)
        return NULL;
    void *grown = grow(conf->devices, conf->device_count, sizeof *conf->devices);
    if (grown == NULL)
        return NULL;
    conf->devices = grown;
    struct gw_device_conf *device = &conf->devices[conf->device_count++];
    *device = (struct gw_device_conf){.line = reader->line};
    memcpy(device->device, name, strlen(name) + 1);
    return device;
}

static void *new_camera(struct reader *reader, const char *name)
{
    struct gw_conf *conf = &reader->conf;
    if (conf->camera_count == GW_CAMERAS_MAX)
        return NULL;
    void *grown = grow(conf->cameras, conf->camera_count, sizeof *conf->cameras);
    if (grown == NULL)
        return NULL;
    conf->cameras = grown;
    struct gw_camera_conf *camera = &conf->cameras[conf->camera_count++];
    *camera = (struct gw_camera_conf){.line = reader->line};
    memcpy(camera->device, name, strlen(name) + 1);
    return camera;
}

static int open_named(struct reader *reader, const char *argument)
{
    char name[GW_DEVICE_NAME_MAX];
    const char *fault = device_name(reader->section, argument, name);
    if (fault != NULL)
        return refuse(reader, reader->line, "%s", fault);
    reader->base =
        reader->section == SECTION_device ? new_device(reader, name) : new_camera(reader, name);
    if (reader->base == NULL)
        return refuse(reader, reader->line, "too many of [%s]", sections[reader->section].name);
    return 0;
}

/* head: what stands between the brackets; its blanks at the ends are gone. */
static int open_section(struct reader *reader, char *head)
{
    if (close_section(reader) != 0)
        return -1;
    char *argument = head + strcspn(head, " \t");
    if (*argument != '\0') {
        *argument++ = '\0';
        argument += strspn(argument, " \t");
    }
    reader->section = SECTION_none;
    for (unsigned i = SECTION_gateway; i < SECTION_COUNT; i++)
        if (strcmp(sections[i].name, head) == 0)
            reader->section = (enum section)i;
    if (reader->section == SECTION_none)
        return refuse(reader, reader->line, "no section is called [%s]", head);
    reader->given = 0;
    reader->head = reader->line;
    if (reader->section >= SECTION_device) {
        if (open_named(reader, argument) != 0)
            return -1;
    } else {
        if (*argument != '\0')
            return refuse(reader, reader->line, "[%s] takes no name", head);
        if (reader->opened & 1u << reader->section)
            return refuse(reader, reader->line, "[%s] stands here a second time", head);
        reader->opened |= 1u << reader->section;
        void *const bases[] = {[SECTION_gateway] = &reader->conf.own,
                               [SECTION_people] = &reader->conf.people,
                               [SECTION_field] = &reader->conf.field};
        reader->base = bases[reader->section];
    }
    defaults(sections[reader->section].keys, reader->base);
    return 0;
}

static int set_key(struct reader *reader, const char *name, const char *value)
{
    if (reader->section == SECTION_none)
        return refuse(reader, reader->line, "%s stands before the first [section]", name);
    const struct key *keys = sections[reader->section].keys;
    for (unsigned i = 0; keys[i].name != NULL; i++) {
        const struct key *key = &keys[i];
        if (strcmp(key->name, name) != 0)
            continue;
        if (reader->given >> i & 1)
            return refuse(reader, reader->line, "%s is given twice", name);
        reader->given |= 1u << i;
        const char *fault = key->parse(key, value, (char *)reader->base + key->offset);
        if (fault == NULL)
            return 0;
        if (key->parse == number_kind)
            return refuse(reader, reader->line, "%s: \"%s\" %s (%ld to %ld)", name, value, fault,
                          key->least, key->most);
        return refuse(reader, reader->line, "%s: \"%s\" %s", name, value, fault);
    }
    return refuse(reader, reader->line, "[%s] has no key %s", sections[reader->section].name, name);
}

/* ---- lines ---------------------------------------------------------------------------------- */
static char *blanks(char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Copies a value, quoted or bare, and returns where it ends; NULL when it is none. */
static char *take_value(char *at, char *out, size_t cap)
{
    size_t len = 0;
    bool quoted = *at == '"';
    at += quoted;
    while (*at != '\0' && (quoted ? *at != '"' : strchr(" \t\r\n#", *at) == NULL)) {
        if (len + 1 >= cap)
            return NULL;
        out[len++] = *at++;
    }
    if (quoted && *at++ != '"')
        return NULL;
    out[len] = '\0';
    return at;
}

static int take_line(struct reader *reader, char *text)
{
    char *at = blanks(text);
    if (*at == '[') {
        char *end = strchr(at, ']');
        if (end == NULL)
            return refuse(reader, reader->line, "a [section] without its ]");
        *end = '\0';
        char *head = blanks(at + 1);
        size_t len = strlen(head);
        while (len > 0 && strchr(" \t", head[len - 1]) != NULL)
            head[--len] = '\0';
        if (open_section(reader, head) != 0)
            return -1;
        at = blanks(end + 1);
    }
    while (*at != '\0' && *at != '#') {
        char key[40], value[VALUE_CAP];
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        if (len == 0 || len >= sizeof key)
            return refuse(reader, reader->line, "here should stand a key: %.20s", at);
        memcpy(key, at, len);
        key[len] = '\0';
        at = blanks(at + len);
        if (*at != '=')
            return refuse(reader, reader->line, "%s lacks its = and a value", key);
        at = take_value(blanks(at + 1), value, sizeof value);
        if (at == NULL)
            return refuse(reader, reader->line, "%s: the value is too long or lacks its \"", key);
        if (set_key(reader, key, value) != 0)
            return -1;
        at = blanks(at);
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */
static int by_device(const void *a, const void *b)
{
    const struct gw_device_conf *x = a, *y = b;
    return strcmp(x->device, y->device);
}

static int by_slot(const void *a, const void *b)
{
    const struct gw_device_conf *x = a, *y = b;
    return strcmp(x->slot, y->slot);
}

static int check_devices(struct reader *reader)
{
    struct gw_conf *conf = &reader->conf;
    struct gw_device_conf *all = conf->devices;
    size_t n = conf->device_count;
    for (size_t i = 0; i < n; i++) {
        int64_t low = all[i].distance_occupied_mm, high = all[i].distance_free_mm;
        if (all[i].model->by_distance && (low <= 0 || high <= low))
            return refuse(reader, all[i].line,
                          "%s measures a distance: it needs distance_occupied_mm below "
                          "distance_free_mm",
                          all[i].model->name);
        if (!all[i].model->by_distance && (low != 0 || high != 0))
            return refuse(reader, all[i].line, "%s measures no distance", all[i].model->name);
    }
    if (n > 0)
        qsort(all, n, sizeof *all, by_slot);
    for (size_t i = 1; i < n; i++)
        if (strcmp(all[i].slot, all[i - 1].slot) == 0)
            return refuse(reader, all[i].line, "slot %s has another sensor (line %u)", all[i].slot,
                          all[i - 1].line);
    if (n > 0)
        qsort(all, n, sizeof *all, by_device);
    for (size_t i = 1; i < n; i++)
        if (strcmp(all[i].device, all[i - 1].device) == 0)
            return refuse(reader, all[i].line, "[device %s] stands here a second time",
                          all[i].device);
    return 0;
}

static int check_cameras(struct reader *reader)
{
    const struct gw_camera_conf *all = reader->conf.cameras;
    for (size_t i = 0; i < reader->conf.camera_count; i++)
        for (size_t k = 0; k < i; k++) {
            if (strcmp(all[i].device, all[k].device) == 0)
                return refuse(reader, all[i].line, "[camera %s] stands here a second time",
                              all[i].device);
            if (strcmp(all[i].lane, all[k].lane) == 0)
                return refuse(reader, all[i].line, "lane %s has another camera (line %u)",
                              all[i].lane, all[k].line);
        }
    return 0;
}

static int check_whole(struct reader *reader)
{
    struct gw_conf *conf = &reader->conf;
    for (unsigned i = SECTION_gateway; i <= SECTION_field; i++)
        if ((reader->opened & 1u << i) == 0)
            return refuse(reader, reader->line, "[%s] is missing", sections[i].name);
    if (conf->field.mqtt == 4)
        return refuse(reader, reader->line, "mqtt is 3 or 5");
    if (conf->people.user[0] == '\0')
        memcpy(conf->people.user, conf->own.name, sizeof conf->people.user);
    if (check_devices(reader) != 0 || check_cameras(reader) != 0)
        return -1;
    return 0;
}

int gw_conf_parse(struct gw_conf *ret, FILE *in, const char *name, char *why, size_t why_cap)
{
    struct reader reader = {.name = name, .why = why, .why_cap = why_cap};
    char text[LINE_CAP];
    int fault = 0;
    while (fault == 0 && fgets(text, sizeof text, in) != NULL) {
        reader.line++;
        if (strlen(text) + 1 == sizeof text && strchr(text, '\n') == NULL)
            fault = refuse(&reader, reader.line, "the line is too long");
        else
            fault = take_line(&reader, text);
    }
    if (fault == 0 && ferror(in))
        fault = refuse(&reader, reader.line, "cannot be read: %s", strerror(errno));
    if (fault == 0)
        fault = close_section(&reader);
    if (fault == 0)
        fault = check_whole(&reader);
    if (fault != 0) {
        gw_conf_done(&reader.conf);
        return -1;
    }
    *ret = reader.conf;
    return 0;
}

int gw_conf_read(struct gw_conf *ret, const char *path, char *why, size_t why_cap)
{
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        snprintf(why, why_cap, "%s: %s", path, strerror(errno));
        return -1;
    }
    int fault = gw_conf_parse(ret, in, path, why, why_cap);
    fclose(in);
    return fault;
}

void gw_conf_done(struct gw_conf *conf)
{
    free(conf->devices);
    free(conf->cameras);
    conf->devices = NULL;
    conf->cameras = NULL;
    conf->device_count = conf->camera_count = 0;
}

const struct gw_device_conf *gw_conf_device(const struct gw_conf *conf, const char *device)
{
    struct gw_device_conf key = {.slot = ""};
    size_t len = strlen(device);
    if (len >= sizeof key.device || conf->device_count == 0)
        return NULL;
    memcpy(key.device, device, len + 1);
    return bsearch(&key, conf->devices, conf->device_count, sizeof key, by_device);
}

int gw_conf_camera(const struct gw_conf *conf, const char *device)
{
    for (size_t i = 0; i < conf->camera_count; i++)
        if (strcmp(conf->cameras[i].device, device) == 0)
            return (int)i;
    return -1;
}

int gw_conf_lane(const struct gw_conf *conf, const char *lane)
{
    for (size_t i = 0; i < conf->camera_count; i++)
        if (strcmp(conf->cameras[i].lane, lane) == 0)
            return (int)i;
    return -1;
}

int gw_secret_read(const char *name, char *out, size_t cap, char *why, size_t why_cap)
{
    char path[2 * GW_PATH_MAX];
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    bool apart = name[0] != '/' && folder != NULL;
    snprintf(path, sizeof path, "%s%s%s", apart ? folder : "", apart ? "/" : "", name);
    FILE *in = fopen(path, "re");
    if (in == NULL || fgets(out, (int)cap, in) == NULL) {
        snprintf(why, why_cap, "%s: %s", path, in == NULL ? strerror(errno) : "is empty");
        if (in != NULL)
            fclose(in);
        return -1;
    }
    fclose(in);
    out[strcspn(out, "\r\n")] = '\0';
    if (out[0] == '\0') {
        snprintf(why, why_cap, "%s: the first line is empty", path);
        return -1;
    }
    return 0;
}
