/* listfile.h - small text files that are replaced as a whole: a head line, a line a row, and at the
 * end `crc 0a1b2c3d` over all bytes before it. A file that is cut or changed anywhere is refused.
 */
#ifndef TIDE_GATEWAY_LISTFILE_H
#define TIDE_GATEWAY_LISTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_LISTFILE_TAIL 13 /* bytes of the last line */

/* Writes the last line behind at bytes of text (room for GW_LISTFILE_TAIL + 1). The new length. */
size_t gw_listfile_seal(char *text, size_t at);
/* Reads a file of at most `most` bytes. Its text, malloc'ed, *ret_at after the head and *ret_end
 * before the last line; NULL with errno (EBADMSG: damaged). */
char *gw_listfile_read(const char *path, const char *head, size_t most, char **ret_at,
                       char **ret_end);

/* Take what stands at *at up to a blank or the end of the line, and step over that one character.
 * false: it is none, or does not fit. */
bool gw_take_word(char **at, char *out, size_t cap);
bool gw_take_number(char **at, int64_t *ret);

#endif
