/* credential.h - what a credential looks like: one line's second part of mosquitto's password file,
 *
 *     $7$ rounds $ salt $ hash        PBKDF2-HMAC-SHA512; salt and hash in base64
 *
 * as mosquitto_passwd writes it and tidectl makes it (12 bytes of salt; up to 64 are taken). The
 * broker refuses a whole file for one line that it cannot read: what passes here can be read.
 */
#ifndef TIDE_CREDENTIAL_H
#define TIDE_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#define TIDE_CREDENTIAL_ROUNDS_MAX 100000 /* more would cost the broker too much a login */
#define TIDE_CREDENTIAL_SALT_BYTES_MIN 12
#define TIDE_CREDENTIAL_SALT_BYTES_MAX 64
#define TIDE_CREDENTIAL_HASH_BYTES 64

static inline bool tide_is_base64_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* Moves *text over base64 in whole groups of four letters, padded at the end; returns how many
 * bytes it stands for, 0 when it is none. */
static inline size_t tide_base64_skip(const char **text)
{
    size_t letters = 0, padding = 0;
    while (tide_is_base64_letter((*text)[letters]))
        letters++;
    while ((*text)[letters + padding] == '=')
        padding++;
    *text += letters + padding;
    return padding <= 2 && (letters + padding) % 4 == 0 ? letters * 3 / 4 : 0;
}

/* text ends with a NUL. */
static inline bool tide_credential_ok(const char *text)
{
    long rounds = 0;
    if (text[0] != '$' || text[1] != '7' || text[2] != '$' || text[3] == '0')
        return false;
    for (text += 3; *text >= '0' && *text <= '9' && rounds <= TIDE_CREDENTIAL_ROUNDS_MAX; text++)
        rounds = rounds * 10 + (*text - '0');
    if (rounds < 1 || rounds > TIDE_CREDENTIAL_ROUNDS_MAX || *text++ != '$')
        return false;
    size_t salt = tide_base64_skip(&text);
    if (salt < TIDE_CREDENTIAL_SALT_BYTES_MIN || salt > TIDE_CREDENTIAL_SALT_BYTES_MAX ||
        *text++ != '$')
        return false;
    return tide_base64_skip(&text) == TIDE_CREDENTIAL_HASH_BYTES && *text == '\0';
}

#endif
