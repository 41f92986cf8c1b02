/* links.h - the demo's connections, and one queue of what comes in on them.
 *
 *   account ── libtide client (opened when it first speaks) ──┐
 *   account ── ...                                            ├──► queue ──► the player's loop
 *   cameras, sensors ── one client of the field broker ───────┘
 *
 * Callbacks come on threads of the libraries; all they do is to put a news into the queue.
 */
#ifndef DEMO_LINKS_H
#define DEMO_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deploy/demo/hood.h"

enum demo_news_kind {
    DEMO_REPLY,   /* to what was asked with `what` and `who` */
    DEMO_NOTICE,  /* to `who` (an account): json is the notice row */
    DEMO_MESSAGE, /* public retained state: topic, json */
    DEMO_FIELD    /* to a device: topic, json */
};

struct demo_news {
    struct demo_news *next;
    enum demo_news_kind kind;
    int what, who;
    int error;     /* enum tide_client_error, of a reply */
    int64_t at_us; /* elapsed, when it came */
    char code[24];
    char topic[160];
    char json[]; /* NUL-terminated, "" when there was none */
};

struct demo_links;

/* uris are kept, not copied. Connects to the field broker at once, waiting a few seconds. Returns
 * NULL after telling stderr what is wrong. */
struct demo_links *demo_links_open(const struct demo_hood *hood, const char *people_uri,
                                   const char *field_uri, const char *field_user,
                                   const char *field_secret, const char *domain);
/* Sends a request as an account; its reply comes as news with what and who. 0 or -1. */
int demo_links_ask(struct demo_links *links, int account, const char *op, const char *fields,
                   int what, int who);
/* Subscribes an account also to the public state; before it speaks for the first time. */
void demo_links_watch(struct demo_links *links, int account);
/* Publishes as a device. 0 or -1. */
int demo_links_field(struct demo_links *links, const char *topic, const char *json);
/* The next news, waiting until a time (elapsed, us) at most; NULL when there was none. The caller
 * frees it with free(). */
struct demo_news *demo_links_next(struct demo_links *links, int64_t until_us);
/* Requests whose reply is still to come; connections that are open. */
size_t demo_links_waiting(struct demo_links *links);
size_t demo_links_count(const struct demo_links *links);
/* Disconnects all. */
void demo_links_close(struct demo_links *links);

int64_t demo_elapsed_us(void);

#endif
