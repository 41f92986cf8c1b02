/* names.h - how the wire's words become ids and back, without the codec knowing the store.
 *
 * The directory (daemon/store/identity.c) implements this; tests bring their own. Texts are UTF-8.
 */
#ifndef TIDE_NAMES_H
#define TIDE_NAMES_H

#include "tide/types.h"

struct tide_names {
    void *arg;
    /* The id of a text; 0 when it is unknown. */
    tide_id (*find)(void *arg, enum tide_name_kind kind, const char *text, size_t len);
    /* The id of a text, a new one when it is unknown; 0 when there is no room. The new name becomes
     * durable with the batch that is being filled. */
    tide_id (*make)(void *arg, enum tide_name_kind kind, const char *text, size_t len);
    /* Sets the text of a kind whose id is another's (full_name, phone, credential, title).
     * Returns 0, or -1 when there is no room. */
    int (*set)(void *arg, enum tide_name_kind kind, tide_id id, const char *text, size_t len);
    /* The text of an id, NUL-terminated, valid until the next make, set or forget; NULL when it is
     * unknown or forgotten. */
    const char *(*text)(void *arg, enum tide_name_kind kind, tide_id id);
};

#endif
