/* nodelay.h - TCP_NODELAY on a socket that nobody hands out.
 *
 * paho leaves Nagle's algorithm on and has no option for it: a PUBACK followed by a PUBLISH then
 * waits for the peer's delayed acknowledgement, 44 ms for a client alone instead of 1. Its
 * descriptor is among ours, though, and is known by its peer.
 */
#ifndef TIDE_NET_NODELAY_H
#define TIDE_NET_NODELAY_H

#include <stdint.h>

/* Takes "scheme://host:port" apart; host may stand in [ ]. Returns the port, 0 when there is none;
 * copies the host. */
uint16_t nodelay_uri(const char *uri, char *ret_host, unsigned cap);

/* Sets it on each of our connected TCP sockets whose peer has this port and, when host is a
 * number, this address. Returns how many sockets have it now, -1 with errno. Async threads are
 * fine: descriptors that come and go meanwhile are passed over. */
int nodelay_set(const char *host, uint16_t port);

#endif
