/* disk.c - see disk.h. */
#include "tests/crash/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crash/fail.h"
#include "tests/sim/rng.h"

#define FILES_MAX 32
#define NAME_BYTES 40
#define CHANGES_MAX 64

struct bytes {
    uint8_t *at;
    size_t len, cap;
};

struct want { /* a write of len bytes, or a cut to len when bytes is NULL */
    uint64_t at;
    size_t len;
    uint8_t *bytes;
};

struct disk_file {
    struct bytes seen, kept;
    struct want *wants;
    uint32_t want_count, want_cap;
    uint32_t users, names; /* who has it open; names seen, kept and in changes */
    bool temporary, sync_failed;
    void *extra;
};

struct name {
    char text[NAME_BYTES];
    struct disk_file *file;
};

struct names {
    struct name list[FILES_MAX];
    unsigned count;
};

struct change { /* make: from "", remove: to "", rename: both */
    char from[NAME_BYTES], to[NAME_BYTES];
    struct disk_file *file; /* of make */
};

static struct {
    pthread_mutex_t lock;
    struct names seen, kept;
    struct change changes[CHANGES_MAX];
    unsigned change_count;
    struct disk_plan plan;
    uint32_t calls, calls_of[DISK_CALLS], retried;
    bool off, struck, halted;
    bool cut_now; /* the call at hand is the cut: it may have got through, by seed */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- bytes ----------------------------------------------------------------------------------- */
static void bytes_size(struct bytes *bytes, size_t len)
{
    if (len > bytes->cap) {
        bytes->cap = len > 2 * bytes->cap ? len : 2 * bytes->cap;
        bytes->at = fail_not_realloc(bytes->at, bytes->cap);
    }
    if (len > bytes->len)
        memset(bytes->at + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static void bytes_write(struct bytes *bytes, uint64_t at, const uint8_t *from, size_t len)
{
    if (at + len > bytes->len)
        bytes_size(bytes, at + len);
    memcpy(bytes->at + at, from, len);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
    bytes_size(to, from->len);
    if (from->len > 0)
        memcpy(to->at, from->at, from->len);
}

static void want_add(struct disk_file *file, uint64_t at, const void *bytes, size_t len)
{
    if (file->want_count == file->want_cap) {
        file->want_cap = file->want_cap == 0 ? 16 : 2 * file->want_cap;
        file->wants = fail_not_realloc(file->wants, file->want_cap * sizeof *file->wants);
    }
    struct want *want = &file->wants[file->want_count++];
    *want = (struct want){.at = at, .len = len};
    if (bytes == NULL)
        return;
    want->bytes = fail_not_realloc(NULL, len);
    memcpy(want->bytes, bytes, len);
}

static void wants_drop(struct disk_file *file)
{
    for (uint32_t i = 0; i < file->want_count; i++)
        free(file->wants[i].bytes);
    file->want_count = 0;
}

static void want_keep(struct disk_file *file, const struct want *want)
{
    if (want->bytes != NULL)
        bytes_write(&file->kept, want->at, want->bytes, want->len);
    else
        bytes_size(&file->kept, want->len);
}

/* ---- names ----------------------------------------------------------------------------------- */
static void file_drop(struct disk_file *file)
{
    if (file->users > 0 || file->names > 0)
        return;
    wants_drop(file);
    free(file->wants);
    free(file->seen.at);
    free(file->kept.at);
    free(file->extra);
    free(file);
}

static struct name *names_find(struct names *names, const char *text)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->list[i].text, text) == 0)
            return &names->list[i];
    return NULL;
}

static void names_remove(struct names *names, const char *text)
{
    struct name *name = names_find(names, text);
    if (name == NULL)
        return;
    struct disk_file *file = name->file;
    *name = names->list[--names->count];
    file->names--;
    file_drop(file);
}

static void names_add(struct names *names, const char *text, struct disk_file *file)
{
    file->names++;
    names_remove(names, text);
    if (names->count == FILES_MAX)
        abort();
    struct name *name = &names->list[names->count++];
    (void)snprintf(name->text, sizeof name->text, "%s", text);
    name->file = file;
}

static void names_clear(struct names *names)
{
    while (names->count > 0)
        names_remove(names, names->list[0].text);
}

static void change_apply(struct names *names, const struct change *change)
{
    if (change->from[0] == '\0') {
        assert(change->file != NULL);
        names_add(names, change->to, change->file);
        return;
    }
    struct name *from = names_find(names, change->from);
    if (change->to[0] != '\0' && from != NULL)
        names_add(names, change->to, from->file);
    names_remove(names, change->from);
}

static void changes_drop(void)
{
    for (unsigned i = 0; i < disk.change_count; i++)
        if (disk.changes[i].file != NULL) {
            disk.changes[i].file->names--;
            file_drop(disk.changes[i].file);
        }
    disk.change_count = 0;
}

static void folder_keep(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        change_apply(&disk.kept, &disk.changes[i]);
    changes_drop();
}

static void change_add(const char *from, const char *to, struct disk_file *file)
{
    if (disk.change_count == CHANGES_MAX) { /* a file system writes its log at times */
        folder_keep(disk.change_count);
    }
    struct change *change = &disk.changes[disk.change_count++];
    (void)snprintf(change->from, sizeof change->from, "%s", from);
    (void)snprintf(change->to, sizeof change->to, "%s", to);
    change->file = file;
    if (file != NULL)
        file->names++;
    change_apply(&disk.seen, change);
}

/* ---- faults ---------------------------------------------------------------------------------- */
/* With the lock. 0: go on. */
static int gate(enum disk_call call)
{
    const struct disk_plan *plan = &disk.plan;
    bool changes = (DISK_BIT(call) & DISK_CHANGES) != 0;
    disk.cut_now = false;
    if ((disk.off || disk.halted) && changes)
        return EIO;
    disk.calls_of[call]++;
    if ((DISK_BIT(call) & plan->mask) == 0)
        return 0;
    disk.calls++;
    if (plan->fault == DISK_SOUND || disk.calls < plan->at ||
        (plan->fault != DISK_LASTS && disk.calls > plan->at))
        return 0;
    disk.struck = true;
    disk.cut_now = plan->fault == DISK_CUT;
    disk.off = disk.cut_now;
    return disk.cut_now ? EIO : plan->error;
}

void disk_plan(const struct disk_plan *plan)
{
    pthread_mutex_lock(&disk.lock);
    disk.plan = *plan;
    disk.calls = disk.retried = 0;
    memset(disk.calls_of, 0, sizeof disk.calls_of);
    disk.struck = disk.off = false;
    for (unsigned i = 0; i < disk.seen.count; i++)
        disk.seen.list[i].file->sync_failed = false;
    pthread_mutex_unlock(&disk.lock);
}

uint32_t disk_calls_of(uint32_t mask)
{
    uint32_t calls = 0;
    pthread_mutex_lock(&disk.lock);
    for (unsigned i = 0; i < DISK_CALLS; i++)
        calls += (mask & DISK_BIT(i)) != 0 ? disk.calls_of[i] : 0;
    pthread_mutex_unlock(&disk.lock);
    return calls;
}

uint32_t disk_retried(void)
{
    pthread_mutex_lock(&disk.lock);
    uint32_t retried = disk.retried;
    pthread_mutex_unlock(&disk.lock);
    return retried;
}

uint32_t disk_calls(void)
{
    pthread_mutex_lock(&disk.lock);
    uint32_t calls = disk.calls;
    pthread_mutex_unlock(&disk.lock);
    return calls;
}

bool disk_struck(void)
{
    pthread_mutex_lock(&disk.lock);
    bool struck = disk.struck;
    pthread_mutex_unlock(&disk.lock);
    return struck;
}

/* ---- power ----------------------------------------------------------------------------------- */
enum mood { DROP_ALL, KEEP_ALL, SOME_WRITES, TORN_WRITES, MOODS };

static void tear(struct disk_file *file, const struct want *want, struct sim_rng *rng)
{
    for (size_t done = 0; done < want->len;) {
        size_t left = DISK_SECTOR - (size_t)((want->at + done) % DISK_SECTOR);
        size_t part = left < want->len - done ? left : want->len - done;
        if (sim_rng_chance(rng, 500))
            bytes_write(&file->kept, want->at + done, want->bytes + done, part);
        done += part;
    }
}

static void settle_file(struct disk_file *file, enum mood mood, struct sim_rng *rng)
{
    for (uint32_t i = 0; i < file->want_count; i++) {
        const struct want *want = &file->wants[i];
        bool keep = mood == KEEP_ALL || (mood != DROP_ALL && sim_rng_chance(rng, 500));
        if (mood == TORN_WRITES && want->bytes != NULL && sim_rng_chance(rng, 700))
            tear(file, want, rng);
        else if (keep)
            want_keep(file, want);
    }
    wants_drop(file);
    bytes_copy(&file->seen, &file->kept);
}

void disk_power(uint64_t seed)
{
    struct sim_rng rng;
    sim_rng_init(&rng, seed, 11);
    enum mood mood = (enum mood)sim_rng_below(&rng, MOODS);
    pthread_mutex_lock(&disk.lock);
    folder_keep(mood == KEEP_ALL   ? disk.change_count
                : mood == DROP_ALL ? 0
                                   : sim_rng_below(&rng, disk.change_count + 1));
    names_clear(&disk.seen);
    for (unsigned i = 0; i < disk.kept.count; i++) {
        settle_file(disk.kept.list[i].file, mood, &rng);
        names_add(&disk.seen, disk.kept.list[i].text, disk.kept.list[i].file);
    }
    disk.off = false;
    pthread_mutex_unlock(&disk.lock);
}

void disk_halt(bool halted)
{
    pthread_mutex_lock(&disk.lock);
    disk.halted = halted;
    for (unsigned i = 0; i < disk.seen.count; i++) /* the next process may sync what it likes */
        disk.seen.list[i].file->sync_failed = false;
    pthread_mutex_unlock(&disk.lock);
}

void disk_format(void)
{
    pthread_mutex_lock(&disk.lock);
    changes_drop();
    names_clear(&disk.seen);
    names_clear(&disk.kept);
    disk.off = disk.struck = false;
    disk.plan = (struct disk_plan){.fault = DISK_SOUND};
    pthread_mutex_unlock(&disk.lock);
}

/* ---- images ---------------------------------------------------------------------------------- */
struct disk_image { /* all of it on the platter */
    struct names names;
};

struct disk_image *disk_save(void)
{
    struct disk_image *image = fail_not_realloc(NULL, sizeof *image);
    memset(image, 0, sizeof *image);
    pthread_mutex_lock(&disk.lock);
    for (unsigned i = 0; i < disk.seen.count; i++) {
        struct disk_file *copy = fail_not_realloc(NULL, sizeof *copy);
        memset(copy, 0, sizeof *copy);
        bytes_copy(&copy->kept, &disk.seen.list[i].file->seen);
        names_add(&image->names, disk.seen.list[i].text, copy);
    }
    pthread_mutex_unlock(&disk.lock);
    return image;
}

void disk_load(const struct disk_image *image)
{
    disk_format();
    pthread_mutex_lock(&disk.lock);
    for (unsigned i = 0; i < image->names.count; i++) {
        struct disk_file *copy = fail_not_realloc(NULL, sizeof *copy);
        memset(copy, 0, sizeof *copy);
        bytes_copy(&copy->kept, &image->names.list[i].file->kept);
        bytes_copy(&copy->seen, &copy->kept);
        names_add(&disk.seen, image->names.list[i].text, copy);
        names_add(&disk.kept, image->names.list[i].text, copy);
    }
    pthread_mutex_unlock(&disk.lock);
}

struct disk_image *disk_forget(struct disk_image *image)
{
    if (image != NULL)
        names_clear(&image->names);
    free(image);
    return NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */
bool disk_owns(const char *path)
{
    size_t len = sizeof DISK_FOLDER - 1;
    return path != NULL && strncmp(path, DISK_FOLDER, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

static const char *name_of(const char *path)
{
    return path[sizeof DISK_FOLDER - 1] == '/' ? path + sizeof DISK_FOLDER : "";
}

static struct disk_file *file_new(void)
{
    struct disk_file *file = fail_not_realloc(NULL, sizeof *file);
    memset(file, 0, sizeof *file);
    return file;
}

int disk_open(const char *path, int flags, struct disk_file **ret)
{
    pthread_mutex_lock(&disk.lock);
    struct name *name = names_find(&disk.seen, name_of(path));
    struct disk_file *file = name != NULL ? name->file : NULL;
    int error = gate(DISK_OPEN);
    if (error == 0 && file != NULL && (flags & O_EXCL) != 0)
        error = EEXIST;
    if (error == 0 && file == NULL) {
        error = (flags & O_CREAT) == 0 ? ENOENT : gate(DISK_MAKE);
        if (error == 0 || disk.cut_now) {
            file = file_new();
            change_add("", name_of(path), file);
        }
    }
    if (error == 0) {
        file->users++;
        *ret = file;
    }
    pthread_mutex_unlock(&disk.lock);
    return error;
}

struct disk_file *disk_temporary(void)
{
    struct disk_file *file = file_new();
    file->temporary = true;
    file->users = 1;
    return file;
}

void disk_close(struct disk_file *file)
{
    pthread_mutex_lock(&disk.lock);
    file->users--;
    file_drop(file);
    pthread_mutex_unlock(&disk.lock);
}

int disk_read(struct disk_file *file, void *out, size_t len, uint64_t at, size_t *ret_got)
{
    pthread_mutex_lock(&disk.lock);
    int error = file->temporary ? 0 : gate(DISK_READ);
    size_t got = at < file->seen.len ? file->seen.len - at : 0;
    got = got < len ? got : len;
    if (error == 0 && got > 0)
        memcpy(out, file->seen.at + at, got);
    *ret_got = error == 0 ? got : 0;
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_write(struct disk_file *file, const void *bytes, size_t len, uint64_t at,
               size_t *ret_wrote)
{
    pthread_mutex_lock(&disk.lock);
    int error = file->temporary ? 0 : gate(DISK_WRITE);
    size_t wrote = error == 0 || (!file->temporary && disk.cut_now) ? len : 0;
    if (error != 0 && !disk.off && !disk.halted && disk.plan.partly)
        wrote = len / 2;
    if (wrote > 0) {
        bytes_write(&file->seen, at, bytes, wrote);
        if (!file->temporary)
            want_add(file, at, bytes, wrote);
    }
    *ret_wrote = wrote;
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_truncate(struct disk_file *file, uint64_t len)
{
    pthread_mutex_lock(&disk.lock);
    int error = file->temporary ? 0 : gate(DISK_TRUNCATE);
    if (error == 0 || disk.cut_now) {
        bytes_size(&file->seen, len);
        if (!file->temporary)
            want_add(file, 0, NULL, len);
    }
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_sync(struct disk_file *file)
{
    pthread_mutex_lock(&disk.lock);
    int error = file->temporary ? 0 : gate(DISK_SYNC);
    for (uint32_t i = 0; error == 0 && i < file->want_count; i++)
        want_keep(file, &file->wants[i]);
    if (file->sync_failed && !disk.halted && !disk.off)
        disk.retried++;
    file->sync_failed = file->sync_failed || (error != 0 && !disk.halted);
    if (!disk.off && !disk.halted)
        wants_drop(file);
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_sync_folder(void)
{
    pthread_mutex_lock(&disk.lock);
    int error = gate(DISK_SYNC);
    if (error == 0)
        folder_keep(disk.change_count);
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_remove(const char *path)
{
    pthread_mutex_lock(&disk.lock);
    int error = gate(DISK_REMOVE);
    if (names_find(&disk.seen, name_of(path)) == NULL) {
        pthread_mutex_unlock(&disk.lock);
        return ENOENT;
    }
    if (error == 0 || disk.cut_now)
        change_add(name_of(path), "", NULL);
    pthread_mutex_unlock(&disk.lock);
    return error;
}

int disk_rename(const char *from, const char *to)
{
    pthread_mutex_lock(&disk.lock);
    int error = gate(DISK_RENAME);
    if (names_find(&disk.seen, name_of(from)) == NULL) {
        pthread_mutex_unlock(&disk.lock);
        return ENOENT;
    }
    if (error == 0 || disk.cut_now)
        change_add(name_of(from), name_of(to), NULL);
    pthread_mutex_unlock(&disk.lock);
    return error;
}

bool disk_has(const char *path)
{
    pthread_mutex_lock(&disk.lock);
    bool has = names_find(&disk.seen, name_of(path)) != NULL;
    pthread_mutex_unlock(&disk.lock);
    return has;
}

uint64_t disk_size(struct disk_file *file)
{
    pthread_mutex_lock(&disk.lock);
    uint64_t size = file->seen.len;
    pthread_mutex_unlock(&disk.lock);
    return size;
}

unsigned disk_search(const void *bytes, size_t len, const char **ret_name)
{
    unsigned found = 0;
    pthread_mutex_lock(&disk.lock);
    for (unsigned i = 0; i < disk.seen.count; i++) {
        const struct bytes *seen = &disk.seen.list[i].file->seen;
        if (seen->len < len || memmem(seen->at, seen->len, bytes, len) == NULL)
            continue;
        if (found++ == 0)
            *ret_name = disk.seen.list[i].text;
    }
    pthread_mutex_unlock(&disk.lock);
    return found;
}

const char *disk_name(unsigned index)
{
    return index < disk.seen.count ? disk.seen.list[index].text : NULL;
}

void **disk_extra(struct disk_file *file)
{
    return &file->extra;
}
