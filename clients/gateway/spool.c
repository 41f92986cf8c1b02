/* spool.c - segments in a row, a head, a cursor and an end. */
#include "clients/gateway/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/gateway/spool_file.h"

#define SEGMENTS_MAX 4096

struct segment {
    uint32_t number;
    uint64_t end; /* sound bytes, its head included */
};

struct place {
    size_t segment; /* index */
    uint64_t offset;
};

struct gw_spool {
    struct gw_disk *disk;
    char *folder_path;
    int folder, lock, append_fd, ack_fd; /* append_fd belongs to the last segment; -1: none */
    int read_fd;                         /* of segment read_number */
    uint32_t read_number;
    struct segment segments[SEGMENTS_MAX];
    size_t segment_count;
    struct place head, cursor;
    uint64_t last_read; /* length of the record that gw_spool_next gave, 0: none */
    uint64_t bytes_max, segment_bytes;
    uint32_t boot, seq, acked_boot, acked_seq;
    struct gw_spool_stats stats;
    uint8_t buffer[GW_RECORD_BYTES_MAX + 1];
};

/* ---- reading -------------------------------------------------------------------------------- */
/* A descriptor of the segment, kept open since the next read is most often there too. */
static int reader_of(struct gw_spool *spool, uint32_t number)
{
    if (spool->read_fd >= 0 && spool->read_number == number)
        return spool->read_fd;
    if (spool->read_fd >= 0)
        close(spool->read_fd);
    spool->read_fd = gw_segment_open(spool->folder, number);
    spool->read_number = number;
    return spool->read_fd;
}

/* Steps over the ends of segments. false at the end of all. */
static bool settle(const struct gw_spool *spool, struct place *place)
{
    while (place->segment < spool->segment_count &&
           place->offset >= spool->segments[place->segment].end) {
        if (place->segment + 1 == spool->segment_count)
            return false;
        place->segment++;
        place->offset = GW_SEGMENT_HEAD;
    }
    return place->segment < spool->segment_count;
}

/* The record at a settled place; its length. A segment that can be read no more is passed over:
 * what is after it is worth more than waiting for it. The last one is still being written. */
static size_t read_at(struct gw_spool *spool, struct place *place, struct gw_fact *ret)
{
    while (settle(spool, place)) {
        struct segment *segment = &spool->segments[place->segment];
        int fd = reader_of(spool, segment->number);
        size_t n = fd < 0 ? 0 : gw_record_read(fd, place->offset, spool->buffer, ret);
        if (n > 0 || place->segment + 1 == spool->segment_count)
            return n;
        spool->stats.torn_bytes += segment->end - place->offset;
        segment->end = place->offset;
    }
    return 0;
}

int gw_spool_next(struct gw_spool *spool, struct gw_fact *ret)
{
    size_t n = read_at(spool, &spool->cursor, ret);
    spool->last_read = n;
    if (n == 0)
        return 0;
    spool->cursor.offset += n;
    spool->stats.sent++;
    return 1;
}

void gw_spool_unread(struct gw_spool *spool)
{
    assert(spool->last_read > 0 && spool->stats.sent > 0);
    spool->cursor.offset -= spool->last_read;
    spool->last_read = 0;
    spool->stats.sent--;
}

void gw_spool_rewind(struct gw_spool *spool)
{
    spool->cursor = spool->head;
    spool->last_read = 0;
    spool->stats.sent = 0;
}

/* ---- acknowledging -------------------------------------------------------------------------- */
/* Unlinks segments before the head; the last one stays, it is being written. */
static void drop_segments(struct gw_spool *spool)
{
    size_t gone = spool->head.segment;
    if (gone == 0)
        return;
    for (size_t i = 0; i < gone; i++) {
        spool->stats.bytes -= spool->segments[i].end;
        (void)gw_segment_remove(spool->folder, spool->segments[i].number);
    }
    memmove(spool->segments, spool->segments + gone,
            (spool->segment_count - gone) * sizeof *spool->segments);
    spool->segment_count -= gone;
    spool->head.segment = 0;
    spool->cursor.segment -= gone;
    gw_disk_folder(spool->disk, spool->folder);
}

static bool before(const struct place *a, const struct place *b)
{
    return a->segment < b->segment || (a->segment == b->segment && a->offset < b->offset);
}

static bool covered(const struct gw_fact *fact, uint32_t boot, uint32_t seq)
{
    return fact->boot < boot || (fact->boot == boot && fact->seq <= seq);
}

/* Kept without a sync: if it is lost, facts are sent again, and the daemon knows them. */
static void keep_ack(struct gw_spool *spool)
{
    uint32_t words[3] = {spool->acked_boot, spool->acked_seq, 0};
    words[2] = gw_crc32(words, 2 * sizeof *words);
    if (spool->ack_fd >= 0 && pwrite(spool->ack_fd, words, sizeof words, 0) < 0)
        spool->ack_fd = -1;
}

uint64_t gw_spool_ack(struct gw_spool *spool, uint32_t boot, uint32_t seq)
{
    struct gw_fact fact;
    uint64_t gone = 0;
    size_t n;
    while ((n = read_at(spool, &spool->head, &fact)) > 0 && covered(&fact, boot, seq)) {
        spool->head.offset += n;
        gone++;
        assert(spool->stats.records > 0);
        spool->stats.records--;
        if (spool->stats.sent > 0)
            spool->stats.sent--;
        spool->acked_boot = fact.boot;
        spool->acked_seq = fact.seq;
    }
    if (gone == 0)
        return 0;
    (void)settle(spool, &spool->head);
    if (before(&spool->cursor, &spool->head))
        gw_spool_rewind(spool);
    spool->last_read = 0;
    drop_segments(spool);
    keep_ack(spool);
    return gone;
}

/* ---- appending ------------------------------------------------------------------------------ */
static int begin_segment(struct gw_spool *spool)
{
    uint32_t number =
        spool->segment_count == 0 ? 1 : spool->segments[spool->segment_count - 1].number + 1;
    if (spool->segment_count == SEGMENTS_MAX) {
        errno = ENOSPC;
        return -1;
    }
    int fd = gw_segment_create(spool->folder, number);
    if (fd < 0)
        return -1;
    if (spool->append_fd >= 0)
        gw_disk_retire(spool->disk, spool->append_fd);
    spool->append_fd = fd;
    spool->segments[spool->segment_count++] = (struct segment){number, GW_SEGMENT_HEAD};
    spool->stats.bytes += GW_SEGMENT_HEAD;
    gw_disk_dirty(spool->disk, fd);
    gw_disk_folder(spool->disk, spool->folder);
    return 0;
}

bool gw_spool_has_room(const struct gw_spool *spool)
{
    return spool->stats.bytes <= spool->bytes_max / 2;
}

static int refused(struct gw_spool *spool, int fault)
{
    spool->stats.lost++;
    errno = fault;
    return -1;
}

int gw_spool_append(struct gw_spool *spool, enum gw_fact_kind kind, bool heartbeat,
                    const char *members, int64_t taken_ms, uint32_t *ret_seq)
{
    uint8_t record[GW_RECORD_BYTES_MAX];
    struct gw_fact fact = {.boot = spool->boot,
                           .seq = spool->seq + 1,
                           .taken_ms = taken_ms,
                           .kind = kind,
                           .heartbeat = heartbeat,
                           .members = members,
                           .len = strlen(members)};
    if (heartbeat && !gw_spool_has_room(spool)) {
        errno = ENOSPC;
        return -1;
    }
    size_t len = gw_record_write(record, &fact);
    if (len == 0)
        return refused(spool, EMSGSIZE);
    if (spool->stats.bytes + len > spool->bytes_max)
        return refused(spool, ENOSPC);
    struct segment *last = &spool->segments[spool->segment_count - 1];
    if (last->end + len > spool->segment_bytes && last->end > GW_SEGMENT_HEAD) {
        if (begin_segment(spool) != 0)
            return refused(spool, errno);
        last = &spool->segments[spool->segment_count - 1];
    }
    ssize_t n = write(spool->append_fd, record, len);
    if (n != (ssize_t)len) {
        int fault = n < 0 ? errno : ENOSPC;
        if (n > 0 && ftruncate(spool->append_fd, (off_t)last->end) != 0 &&
            begin_segment(spool) != 0)
            fault = EIO;
        return refused(spool, fault);
    }
    last->end += len;
    spool->stats.bytes += len;
    spool->stats.records++;
    spool->seq = fact.seq;
    gw_disk_dirty(spool->disk, spool->append_fd);
    *ret_seq = fact.seq;
    return 0;
}

/* ---- opening -------------------------------------------------------------------------------- */
static int by_number(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int list_segments(struct gw_spool *spool)
{
    DIR *listing = opendir(spool->folder_path);
    if (listing == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        uint32_t number = gw_segment_number(entry->d_name);
        if (number != 0 && spool->segment_count < SEGMENTS_MAX - 1)
            spool->segments[spool->segment_count++] = (struct segment){.number = number};
    }
    closedir(listing);
    qsort(spool->segments, spool->segment_count, sizeof *spool->segments, by_number);
    return 0;
}

/* Reads every segment once, cuts torn ends, removes empty ones, puts aside what is none. */
static void recover(struct gw_spool *spool, uint32_t *ret_boot)
{
    size_t kept = 0;
    for (size_t i = 0; i < spool->segment_count; i++) {
        struct segment segment = spool->segments[i];
        struct gw_segment_scan scan = {0};
        int fd = gw_segment_open(spool->folder, segment.number);
        if (fd < 0) {
            spool->stats.torn_bytes += gw_segment_put_aside(spool->folder, segment.number);
            continue;
        }
        gw_segment_scan(fd, spool->buffer, &scan);
        close(fd);
        spool->stats.torn_bytes += scan.size - scan.end;
        if (scan.records == 0) {
            (void)gw_segment_remove(spool->folder, segment.number);
            continue;
        }
        if (scan.size > scan.end)
            (void)gw_segment_cut(spool->folder, segment.number, scan.end);
        segment.end = scan.end;
        spool->segments[kept++] = segment;
        spool->stats.records += scan.records;
        spool->stats.bytes += scan.end;
        *ret_boot = scan.boot > *ret_boot ? scan.boot : *ret_boot;
    }
    spool->segment_count = kept;
}

static int open_ack(struct gw_spool *spool)
{
    uint32_t words[3] = {0};
    spool->ack_fd = openat(spool->folder, "acked", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->ack_fd < 0)
        return -1;
    if (pread(spool->ack_fd, words, sizeof words, 0) == (ssize_t)sizeof words &&
        words[2] == gw_crc32(words, 2 * sizeof *words)) {
        spool->acked_boot = words[0];
        spool->acked_seq = words[1];
    }
    return 0;
}

/* The new boot number, above every one that was ever used, synced before anything is sent. */
static int raise_boot(struct gw_spool *spool, uint32_t seen, uint32_t real_s)
{
    char path[4096], text[32] = "";
    snprintf(path, sizeof path, "%s/boot", spool->folder_path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
    }
    unsigned long kept = strtoul(text, NULL, 10);
    if (kept > seen && kept < UINT32_MAX)
        seen = (uint32_t)kept;
    if (spool->acked_boot > seen)
        seen = spool->acked_boot;
    spool->boot = seen + 1 > real_s ? seen + 1 : real_s;
    int n = snprintf(text, sizeof text, "%u\n", spool->boot);
    return gw_disk_replace(path, text, (size_t)n);
}

static int open_folder(struct gw_spool *spool, const char *folder)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return -1;
    spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder < 0)
        return -1;
    spool->lock = openat(spool->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock < 0)
        return -1;
    return flock(spool->lock, LOCK_EX | LOCK_NB);
}

static int open_all(struct gw_spool *spool, const char *folder, uint32_t real_s)
{
    uint32_t seen = 0;
    if (open_folder(spool, folder) != 0 || list_segments(spool) != 0 || open_ack(spool) != 0)
        return -1;
    recover(spool, &seen);
    if (raise_boot(spool, seen, real_s) != 0 || begin_segment(spool) != 0)
        return -1;
    spool->head = spool->cursor = (struct place){0, GW_SEGMENT_HEAD};
    if (spool->acked_boot != 0)
        (void)gw_spool_ack(spool, spool->acked_boot, spool->acked_seq);
    return 0;
}

int gw_spool_open(struct gw_spool **ret, const char *folder, uint64_t bytes_max,
                  struct gw_disk *disk, uint32_t real_s)
{
    struct gw_spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        return -1;
    spool->disk = disk;
    spool->folder = spool->lock = spool->append_fd = spool->ack_fd = spool->read_fd = -1;
    spool->bytes_max = bytes_max;
    spool->segment_bytes = bytes_max / 16 < (1 << 20) ? bytes_max / 16 : 1 << 20;
    spool->folder_path = strdup(folder);
    if (spool->folder_path == NULL || open_all(spool, folder, real_s) != 0) {
        int fault = errno;
        gw_spool_close(spool);
        errno = fault;
        return -1;
    }
    *ret = spool;
    return 0;
}

struct gw_spool *gw_spool_close(struct gw_spool *spool)
{
    if (spool == NULL)
        return NULL;
    if (spool->append_fd >= 0)
        gw_disk_retire(spool->disk, spool->append_fd);
    gw_disk_flush(spool->disk); /* it may still use the folder's descriptor */
    const int rest[] = {spool->read_fd, spool->ack_fd, spool->lock, spool->folder};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i] >= 0)
            close(rest[i]);
    free(spool->folder_path);
    free(spool);
    return NULL;
}

uint32_t gw_spool_boot(const struct gw_spool *spool)
{
    return spool->boot;
}

uint32_t gw_spool_seq(const struct gw_spool *spool)
{
    return spool->seq;
}

void gw_spool_stats(const struct gw_spool *spool, struct gw_spool_stats *ret)
{
    *ret = spool->stats;
}
