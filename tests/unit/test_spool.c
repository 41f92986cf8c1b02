/* test_spool.c - facts outlive crashes: order and acknowledgement, torn ends at every byte, damage
 * in the middle, a writer that is killed at random, a folder that is full. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clients/gateway/spool.h"
#include "clients/gateway/spool_file.h"

#define MIB (1u << 20)

static char folder[64];
static struct gw_disk *disk;

static int new_folder(void **state)
{
    (void)state;
    /* In memory where there is such a place: hundreds of folders are opened, synced and torn. */
    snprintf(folder, sizeof folder, "%s/tide-spool-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) == NULL ? -1 : gw_disk_open(&disk);
}

static int remove_folder(void **state)
{
    char path[512];
    (void)state;
    disk = gw_disk_close(disk);
    DIR *listing = opendir(folder);
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    if (listing != NULL)
        closedir(listing);
    return rmdir(folder);
}

static struct gw_spool *reopen_sized(uint64_t bytes_max)
{
    struct gw_spool *spool = NULL;
    if (gw_spool_open(&spool, folder, bytes_max, disk, 1) != 0)
        fail_msg("spool: %s", strerror(errno));
    return spool;
}

static struct gw_spool *reopen(void)
{
    return reopen_sized(MIB);
}

static uint32_t append(struct gw_spool *spool, unsigned number)
{
    char members[64];
    uint32_t seq = 0;
    snprintf(members, sizeof members, "\"slot\":\"A-%u\",\"state\":\"free\"", number);
    assert_int_equal(gw_spool_append(spool, GW_FACT_SLOT, false, members, 1000 + number, &seq), 0);
    return seq;
}

static uint64_t records(const struct gw_spool *spool)
{
    struct gw_spool_stats stats;
    gw_spool_stats(spool, &stats);
    return stats.records;
}

/* The next fact's number in its text; -1: none is left. */
static int next(struct gw_spool *spool, struct gw_fact *ret)
{
    static const char head[] = "\"slot\":\"A-";
    if (gw_spool_next(spool, ret) == 0)
        return -1;
    assert_int_equal(strlen(ret->members), ret->len);
    assert_memory_equal(ret->members, head, sizeof head - 1);
    int number = (int)strtol(ret->members + sizeof head - 1, NULL, 10);
    return number;
}

static void facts_come_back_in_order_until_acknowledged(void **state)
{
    struct gw_fact fact;
    (void)state;
    struct gw_spool *spool = reopen();
    uint32_t boot = gw_spool_boot(spool);
    assert_int_equal(gw_spool_seq(spool), 0);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(append(spool, i), i);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(next(spool, &fact), i);
        assert_int_equal(fact.boot, boot);
        assert_int_equal(fact.seq, i);
        assert_int_equal(fact.taken_ms, 1000 + i);
        assert_int_equal(fact.kind, GW_FACT_SLOT);
    }
    assert_int_equal(next(spool, &fact), -1);
    assert_int_equal(gw_spool_ack(spool, boot, 2), 2);
    assert_int_equal(gw_spool_ack(spool, boot, 2), 0);
    assert_int_equal(gw_spool_ack(spool, boot - 1, 99), 0);
    assert_int_equal(records(spool), 3);
    assert_int_equal(next(spool, &fact), -1);
    gw_spool_rewind(spool);
    assert_int_equal(next(spool, &fact), 3);
    gw_spool_unread(spool);
    assert_int_equal(next(spool, &fact), 3);
    /* An acknowledgement past what was read since the rewind: the daemon had it all along. */
    assert_int_equal(gw_spool_ack(spool, boot, 4), 2);
    assert_int_equal(next(spool, &fact), 5);
    assert_int_equal(append(spool, 6), 6);
    assert_int_equal(next(spool, &fact), 6);
    assert_int_equal(gw_spool_ack(spool, boot, UINT32_MAX), 2);
    assert_int_equal(records(spool), 0);
    assert_null(gw_spool_close(spool));
}

static void a_restart_keeps_numbers_and_raises_the_boot(void **state)
{
    struct gw_fact fact;
    (void)state;
    struct gw_spool *spool = reopen();
    uint32_t first = gw_spool_boot(spool);
    append(spool, 1);
    append(spool, 2);
    append(spool, 3);
    assert_int_equal(gw_spool_ack(spool, first, 1), 1);
    gw_spool_close(spool);
    spool = reopen();
    assert_int_equal(gw_spool_boot(spool), first + 1);
    assert_int_equal(gw_spool_seq(spool), 0);
    assert_int_equal(append(spool, 4), 1);
    assert_int_equal(next(spool, &fact), 2);
    assert_int_equal(fact.boot, first);
    assert_int_equal(fact.seq, 2);
    assert_int_equal(next(spool, &fact), 3);
    assert_int_equal(next(spool, &fact), 4);
    assert_int_equal(fact.boot, first + 1);
    assert_int_equal(fact.seq, 1);
    /* The old boot's facts go with any acknowledgement of the new one. */
    assert_int_equal(gw_spool_ack(spool, first + 1, 1), 3);
    gw_spool_close(spool);
    spool = reopen();
    assert_int_equal(records(spool), 0);
    assert_int_equal(gw_spool_boot(spool), first + 2);
    gw_spool_close(spool);
}

static void a_lost_folder_does_not_lower_the_boot(void **state)
{
    struct gw_spool *spool = NULL;
    (void)state;
    assert_int_equal(gw_spool_open(&spool, folder, MIB, disk, 1753080000), 0);
    assert_int_equal(gw_spool_boot(spool), 1753080000);
    gw_spool_close(spool);
    assert_int_equal(gw_spool_open(&spool, folder, MIB, disk, 1600000000), 0);
    assert_int_equal(gw_spool_boot(spool), 1753080001);
    gw_spool_close(spool);
}

static void a_folder_has_one_gateway(void **state)
{
    struct gw_spool *other = NULL;
    (void)state;
    struct gw_spool *spool = reopen();
    assert_int_equal(gw_spool_open(&other, folder, MIB, disk, 1), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_null(other);
    gw_spool_close(spool);
}

/* ---- damage --------------------------------------------------------------------------------- */
static void segment_path(char *out, size_t cap, uint32_t number)
{
    snprintf(out, cap, "%s/spool-%08x.seg", folder, number);
}

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return 0;
    size_t len = fread(out, 1, cap, in);
    fclose(in);
    return len;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

/* Removes everything but one segment with these bytes, opens, and counts what is there. */
static int count_after(const uint8_t *bytes, size_t len, uint64_t *ret_torn)
{
    char path[512];
    struct gw_fact fact;
    struct gw_spool_stats stats;
    int count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (strncmp(entry->d_name, "spool-", 6) == 0 || strcmp(entry->d_name, "acked") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            (void)unlink(path);
        }
    closedir(listing);
    segment_path(path, sizeof path, 1);
    write_file(path, bytes, len);
    struct gw_spool *spool = reopen();
    gw_spool_stats(spool, &stats);
    *ret_torn = stats.torn_bytes;
    for (int number; (number = next(spool, &fact)) >= 0;)
        assert_int_equal(number, ++count);
    assert_int_equal(stats.records, count);
    append(spool, 99); /* and it goes on */
    assert_int_equal(next(spool, &fact), 99);
    gw_spool_close(spool);
    return count;
}

static void a_torn_end_is_cut_wherever_it_tears(void **state)
{
    static uint8_t bytes[4096];
    uint64_t ends[4], torn;
    char path[512];
    (void)state;
    struct gw_spool *spool = reopen();
    ends[0] = GW_SEGMENT_HEAD;
    for (unsigned i = 1; i <= 3; i++) {
        struct gw_spool_stats stats;
        append(spool, i);
        gw_spool_stats(spool, &stats);
        ends[i] = stats.bytes;
    }
    gw_spool_close(spool);
    segment_path(path, sizeof path, 1);
    size_t len = read_file(path, bytes, sizeof bytes);
    assert_int_equal(len, ends[3]);
    for (size_t cut = 0; cut <= len; cut++) {
        int whole = 3;
        while (whole > 0 && ends[whole] > cut)
            whole--;
        int count = count_after(bytes, cut, &torn);
        if (count != whole || torn != (cut < GW_SEGMENT_HEAD ? cut : cut - ends[whole]))
            fail_msg("cut at %zu: %d facts, %llu torn", cut, count, (unsigned long long)torn);
    }
    for (size_t at = ends[2]; at < len; at++) { /* any flipped bit of the last record */
        bytes[at] ^= (uint8_t)(1 << at % 8);
        if (count_after(bytes, len, &torn) != 2)
            fail_msg("byte %zu flipped and nobody saw", at);
        bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    memset(bytes + len, 0, 512); /* a file system that lengthened the file, then lost power */
    assert_int_equal(count_after(bytes, len + 512, &torn), 3);
}

static void damage_in_the_middle_costs_one_segment(void **state)
{
    struct gw_fact fact;
    char path[512];
    uint8_t bytes[1];
    (void)state;
    struct gw_spool *spool = reopen_sized(16 * 1024); /* segments of 1 KiB */
    uint32_t boot = gw_spool_boot(spool);
    for (unsigned i = 1; i <= 60; i++)
        append(spool, i);
    gw_spool_close(spool);
    segment_path(path, sizeof path, 2);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bytes, 1, 200), 1);
    bytes[0] ^= 0x40;
    assert_int_equal(pwrite(fd, bytes, 1, 200), 1);
    close(fd);
    spool = reopen_sized(16 * 1024);
    int last = 0, holes = 0;
    for (int number; (number = next(spool, &fact)) >= 0; last = number) {
        assert_true(number > last);
        assert_int_equal(fact.seq, number);
        holes += number != last + 1;
    }
    assert_int_equal(last, 60);
    assert_int_equal(holes, 1);
    gw_spool_ack(spool, boot, 60);
    assert_int_equal(records(spool), 0);
    gw_spool_close(spool);
}

static void a_file_that_is_no_segment_is_put_aside(void **state)
{
    char path[512];
    struct stat status;
    static const uint8_t rubbish[100] = "not a segment";
    (void)state;
    segment_path(path, sizeof path, 7);
    write_file(path, rubbish, sizeof rubbish);
    struct gw_spool *spool = reopen();
    append(spool, 1);
    gw_spool_close(spool);
    snprintf(path, sizeof path, "%s/spool-00000007.seg.bad", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, sizeof rubbish);
}

/* ---- size ----------------------------------------------------------------------------------- */
static unsigned count_segments(void)
{
    unsigned count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += gw_segment_number(entry->d_name) != 0;
    closedir(listing);
    return count;
}

static void heartbeats_give_way_first_and_the_bound_holds(void **state)
{
    const uint64_t bound = 64 * 1024;
    struct gw_spool_stats stats;
    uint32_t seq, beats = 0, changes = 0;
    (void)state;
    struct gw_spool *spool = reopen_sized(bound);
    uint32_t boot = gw_spool_boot(spool);
    while (gw_spool_append(spool, GW_FACT_SLOT, true, "\"slot\":\"A-1\"", 1, &seq) == 0)
        beats++;
    assert_int_equal(errno, ENOSPC);
    assert_false(gw_spool_has_room(spool));
    gw_spool_stats(spool, &stats);
    assert_in_range(stats.bytes, bound / 2, bound / 2 + 200);
    assert_int_equal(stats.lost, 0); /* a heartbeat that falls away is none lost */
    while (gw_spool_append(spool, GW_FACT_SLOT, false, "\"slot\":\"A-1\"", 1, &seq) == 0)
        assert_int_equal(seq, beats + ++changes); /* no gap where heartbeats were refused */
    assert_true(changes > beats / 2);
    gw_spool_stats(spool, &stats);
    assert_true(stats.bytes <= bound);
    assert_int_equal(stats.lost, 1);
    assert_true(count_segments() > 10);
    /* Room comes back by whole segments. */
    gw_spool_ack(spool, boot, beats + changes);
    assert_int_equal(count_segments(), 1);
    assert_true(gw_spool_has_room(spool));
    assert_int_equal(gw_spool_append(spool, GW_FACT_SLOT, true, "\"slot\":\"A-1\"", 1, &seq), 0);
    assert_int_equal(seq, beats + changes + 1);
    gw_spool_close(spool);
}

static void a_fact_that_is_too_long_is_refused(void **state)
{
    static char members[GW_FACT_BYTES_MAX + 2];
    uint32_t seq = 7;
    struct gw_fact fact;
    (void)state;
    struct gw_spool *spool = reopen();
    memset(members, 'x', GW_FACT_BYTES_MAX + 1);
    assert_int_equal(gw_spool_append(spool, GW_FACT_SLOT, false, members, 1, &seq), -1);
    assert_int_equal(seq, 7);
    members[GW_FACT_BYTES_MAX] = '\0';
    assert_int_equal(gw_spool_append(spool, GW_FACT_SLOT, false, members, 1, &seq), 0);
    assert_int_equal(gw_spool_next(spool, &fact), 1);
    assert_int_equal(fact.len, GW_FACT_BYTES_MAX);
    gw_spool_close(spool);
}

/* ---- kill -9 -------------------------------------------------------------------------------- */
/* Appends and acknowledges for ever; says on the pipe what is on disk and what is acknowledged. */
static void write_until_killed(int pipe_fd)
{
    struct gw_disk *own = NULL;
    struct gw_spool *spool = NULL;
    struct gw_fact fact;
    uint32_t said[3];
    if (gw_disk_open(&own) != 0 || gw_spool_open(&spool, folder, 256 * 1024, own, 1) != 0)
        _exit(1);
    for (uint32_t i = 1;; i++) {
        char members[200];
        uint32_t seq = 0;
        snprintf(members, sizeof members, "\"slot\":\"A-%u\",\"pad\":\"%0*u\"", i,
                 (int)(1 + i * 37 % 120), i);
        if (gw_spool_append(spool, GW_FACT_SLOT, false, members, i, &seq) != 0 || seq != i)
            _exit(2);
        while (gw_spool_next(spool, &fact) == 1) {
        }
        said[0] = gw_spool_boot(spool);
        said[1] = 0;
        said[2] = i > 300 ? i - 300 : 0; /* acknowledged from now on, at most */
        if (i % 7 == 0) {
            gw_disk_flush(own);
            said[1] = i;
        }
        if (write(pipe_fd, said, sizeof said) != (ssize_t)sizeof said)
            _exit(3);
        if (said[2] > 0 && i % 5 == 0)
            gw_spool_ack(spool, said[0], said[2]);
    }
}

static void check_after_kill(uint32_t boot, uint32_t synced, uint32_t acked)
{
    struct gw_fact fact;
    uint32_t last = 0;
    struct gw_spool *spool = reopen_sized(256 * 1024);
    assert_true(gw_spool_boot(spool) > boot);
    while (gw_spool_next(spool, &fact) == 1) {
        assert_int_equal(fact.boot, boot);
        if (last == 0 && fact.seq > acked + 1)
            fail_msg("begins at %u, acknowledged were %u", fact.seq, acked);
        if (last != 0)
            assert_int_equal(fact.seq, last + 1);
        last = fact.seq;
        assert_int_equal(fact.taken_ms, last);
    }
    if (last < synced)
        fail_msg("ends at %u, on disk was %u", last, synced);
    gw_spool_ack(spool, boot, UINT32_MAX);
    gw_spool_close(spool);
}

static void a_writer_killed_at_random_loses_nothing(void **state)
{
    uint32_t dice = 7;
    (void)state;
    for (int round = 0; round < 25; round++) {
        int ends[2];
        uint32_t said[3], boot = 0, synced = 0, acked = 0;
        assert_int_equal(pipe(ends), 0);
        disk = gw_disk_close(disk); /* no threads across the fork */
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            write_until_killed(ends[1]);
        }
        close(ends[1]);
        dice = dice * 1664525u + 1013904223u;
        struct timespec pause = {0, ((dice >> 16) % 60 + 5) * 1000000L};
        assert_int_equal(read(ends[0], said, sizeof said), sizeof said); /* it is on its way */
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        do {
            boot = said[0];
            synced = said[1] > synced ? said[1] : synced;
            acked = said[2];
        } while (read(ends[0], said, sizeof said) == (ssize_t)sizeof said);
        close(ends[0]);
        assert_int_equal(gw_disk_open(&disk), 0);
        check_after_kill(boot, synced, acked);
    }
}

/* ---- the disk's thread ---------------------------------------------------------------------- */
static void files_are_replaced_whole_and_the_newest_wins(void **state)
{
    char path[512];
    uint8_t bytes[64];
    (void)state;
    snprintf(path, sizeof path, "%s/list", folder);
    for (int i = 0; i < 50; i++) {
        char *text = malloc(32);
        assert_non_null(text);
        int len = snprintf(text, 32, "version %d", i);
        assert_int_equal(gw_disk_save(disk, path, text, (size_t)len), 0);
        if (i % 9 == 0)
            gw_disk_flush(disk);
    }
    gw_disk_flush(disk);
    assert_int_equal(read_file(path, bytes, sizeof bytes), 10);
    assert_memory_equal(bytes, "version 49", 10);
    assert_int_equal(gw_disk_failures(disk), 0);
    assert_int_equal(gw_disk_save(disk, "/nonexistent/list", strdup("x"), 1), 0);
    gw_disk_flush(disk);
    assert_int_equal(gw_disk_failures(disk), 1);
}

static void the_crc_is_the_usual_one(void **state)
{
    (void)state;
    assert_int_equal(gw_crc32("123456789", 9), 0xcbf43926);
    assert_int_equal(gw_crc32("", 0), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, new_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(facts_come_back_in_order_until_acknowledged),
        IN_FOLDER(a_restart_keeps_numbers_and_raises_the_boot),
        IN_FOLDER(a_lost_folder_does_not_lower_the_boot),
        IN_FOLDER(a_folder_has_one_gateway),
        IN_FOLDER(a_torn_end_is_cut_wherever_it_tears),
        IN_FOLDER(damage_in_the_middle_costs_one_segment),
        IN_FOLDER(a_file_that_is_no_segment_is_put_aside),
        IN_FOLDER(heartbeats_give_way_first_and_the_bound_holds),
        IN_FOLDER(a_fact_that_is_too_long_is_refused),
        IN_FOLDER(a_writer_killed_at_random_loses_nothing),
        IN_FOLDER(files_are_replaced_whole_and_the_newest_wins),
        cmocka_unit_test(the_crc_is_the_usual_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
