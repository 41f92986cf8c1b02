/* http.h - /healthz and /metrics on loopback: libmicrohttpd on the libuv loop. */
#ifndef TIDE_NET_HTTP_H
#define TIDE_NET_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http;

/* Fills out with a body for a path; sets *ret_type. Returns the HTTP status, 404 for unknown. */
typedef int http_handler_fn(void *arg, const char *path, char *out, size_t cap, size_t *ret_len,
                            const char **ret_type);

/* Listens on 127.0.0.1:port (0: any; see http_port). 0 or -1. */
int http_start(struct http **ret, uv_loop_t *loop, uint16_t port, http_handler_fn *fn, void *arg);
uint16_t http_port(const struct http *http);
/* Ends; its handles are closed when done is called on the loop. */
void http_stop(struct http *http, void (*done)(void *arg), void *arg);

#endif
