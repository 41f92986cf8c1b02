/* nodelay.c - finds the broker's socket among our descriptors: see nodelay.h. */
#include "daemon/net/nodelay.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

uint16_t nodelay_uri(const char *uri, char *ret_host, unsigned cap)
{
    const char *host = strstr(uri, "://");
    host = host != NULL ? host + 3 : uri;
    const char *colon = strrchr(host, ':');
    if (colon == NULL)
        return 0;
    size_t len = (size_t)(colon - host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= cap)
        return 0;
    memcpy(ret_host, host, len);
    ret_host[len] = '\0';
    long port = strtol(colon + 1, NULL, 10);
    return port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* A mapped IPv4 address (::ffff:a.b.c.d) is that IPv4 address. */
static bool is_peer(int fd, const char *host, uint16_t port)
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    struct in_addr wanted4;
    struct in6_addr wanted6;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        return false;
    if (peer.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&peer;
        return ntohs(in->sin_port) == port &&
               (inet_pton(AF_INET, host, &wanted4) != 1 || in->sin_addr.s_addr == wanted4.s_addr);
    }
    if (peer.ss_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)&peer;
    if (ntohs(in->sin6_port) != port)
        return false;
    if (inet_pton(AF_INET, host, &wanted4) == 1)
        return IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) &&
               memcmp(in->sin6_addr.s6_addr + 12, &wanted4, 4) == 0;
    return inet_pton(AF_INET6, host, &wanted6) != 1 ||
           memcmp(&in->sin6_addr, &wanted6, sizeof wanted6) == 0;
}

int nodelay_set(const char *host, uint16_t port)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        const int on = 1;
        if (*end != '\0' || end == entry->d_name || !is_peer((int)fd, host, port))
            continue;
        if (setsockopt((int)fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
            count++;
    }
    closedir(folder);
    return count;
}
