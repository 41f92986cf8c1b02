/* listfile.c - see listfile.h. */
#include "clients/gateway/listfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clients/gateway/spool_file.h"

size_t gw_listfile_seal(char *text, size_t at)
{
    snprintf(text + at, GW_LISTFILE_TAIL + 1, "crc %08x\n", gw_crc32(text, at));
    return at + GW_LISTFILE_TAIL;
}

static bool is_sound(const char *text, size_t len, const char *head)
{
    char tail[GW_LISTFILE_TAIL + 1];
    size_t head_len = strlen(head);
    if (len < head_len + GW_LISTFILE_TAIL || memcmp(text, head, head_len) != 0)
        return false;
    snprintf(tail, sizeof tail, "crc %08x\n", gw_crc32(text, len - GW_LISTFILE_TAIL));
    return memcmp(text + len - GW_LISTFILE_TAIL, tail, GW_LISTFILE_TAIL) == 0;
}

char *gw_listfile_read(const char *path, const char *head, size_t most, char **ret_at,
                       char **ret_end)
{
    struct stat status;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t len = fstat(fd, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
    if (len > 0 && len <= most)
        text = malloc(len + 1);
    if (text != NULL && read(fd, text, len) == (ssize_t)len && is_sound(text, len, head)) {
        text[len] = '\0';
        *ret_at = text + strlen(head);
        *ret_end = text + len - GW_LISTFILE_TAIL;
    } else {
        free(text);
        text = NULL;
    }
    close(fd);
    if (text == NULL)
        errno = EBADMSG;
    return text;
}

bool gw_take_word(char **at, char *out, size_t cap)
{
    size_t len = strcspn(*at, " \n");
    if (len == 0 || len >= cap || (*at)[len] == '\0')
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len + 1;
    return true;
}

bool gw_take_number(char **at, int64_t *ret)
{
    char word[24], *end = NULL;
    if (!gw_take_word(at, word, sizeof word))
        return false;
    errno = 0;
    long long number = strtoll(word, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = number;
    return true;
}
