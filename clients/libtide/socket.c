/* socket.c - turning Nagle off where paho has no option for it.
 *
 * With Nagle on, a PUBACK followed by a PUBLISH waits for the peer's delayed ACK: 44 ms a request
 * instead of one. paho does not hand its descriptor out, so we look among our own descriptors for
 * those whose peer has the broker's port. Another connection to that port which gets the same
 * treatment takes no harm.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clients/libtide/libtide.h"

/* The port at the other end of a TCP socket; 0 for everything else. */
static unsigned peer_port(int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    unsigned char *at = (unsigned char *)&peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        return 0;
    if (peer.ss_family == AF_INET && len >= sizeof v4) {
        memcpy(&v4, at, sizeof v4);
        return ntohs(v4.sin_port);
    }
    if (peer.ss_family == AF_INET6 && len >= sizeof v6) {
        memcpy(&v6, at, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

int libtide_nodelay(unsigned port)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int set = 0;

    if (!folder)
        return 0;
    while ((entry = readdir(folder))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        int one = 1;

        if (*end || fd < 0 || fd == dirfd(folder) || peer_port((int)fd) != port)
            continue;
        if (setsockopt((int)fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0)
            set++;
    }
    closedir(folder);
    return set;
}
