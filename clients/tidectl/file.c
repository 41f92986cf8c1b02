/* file.c - reading whole files, and asking a person on the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/tidectl/tidectl.h"

char *ctl_read_file(const char *path, size_t max, size_t *ret_len)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    size_t cap = 65536, len = 0;
    char *bytes = fd >= 0 ? malloc(cap) : NULL;
    ssize_t got = bytes ? 1 : -1;

    while (got > 0) {
        if (len + 1 >= cap) {
            char *more = realloc(bytes, cap * 2);

            if (!more)
                break;
            bytes = more;
            cap *= 2;
        }
        got = read(fd, bytes + len, cap - len - 1);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            len += (size_t)got;
        if (len > max) {
            errno = EFBIG;
            got = -1;
        }
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (got != 0) {
        free(bytes);
        errno = error ? error : ENOMEM;
        return NULL;
    }
    bytes[len] = '\0';
    *ret_len = len;
    return bytes;
}

bool ctl_confirm(const char *question)
{
    char line[64];

    if (!isatty(STDIN_FILENO))
        return false;
    fprintf(stderr, "%s %s ", question, CTL_T("[y/N]", "[y/N,是请输 y]"));
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        return false;
    return line[0] == 'y' || line[0] == 'Y' || strncmp(line, "是", strlen("是")) == 0;
}
