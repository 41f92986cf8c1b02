#!/usr/bin/python3
"""A reconnect storm: the broker is killed under thousands of connections, comes back empty, and all
come back at once, each with one request, spread over a second for each thousand clients (phones
that wake do not speak in one millisecond). How many there are is bounded by the machine: a
descriptor for each client and one more in the broker."""
import os
import resource
import sys

from chaos import FIGURES, SHIPPED_LIMITS, Swarm, Town, check, equal, figures
from harness import run_tests, shared, test

WISHED = int(os.environ.get("TIDE_CONNECTIONS", "1500"))
HOMES = 500
SERVED_MS_MAX = 60000


def how_many():
    """As many as are wished for and each of the two processes may have open."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the broker inherits it
    return min(WISHED, hard - 200 if hard != resource.RLIM_INFINITY else WISHED)


CONNECTIONS = how_many()
town = shared(lambda: Town(clients=CONNECTIONS, homes=HOMES, slots=24, broker_more=SHIPPED_LIMITS,
                           conf={"households_max": max(1024, CONNECTIONS // 4 + 64)}))


@test
def all_are_served_again_after_the_storm():
    swarm = Swarm(town())
    calm = swarm.order("who", SERVED_MS_MAX, CONNECTIONS)
    equal(calm["served"], CONNECTIONS, "clients served before")
    town().broker_again()
    storm = swarm.order("who", SERVED_MS_MAX, CONNECTIONS)  # counted from here: the port is back
    equal(storm["served"], CONNECTIONS, "clients served after")
    stats = swarm.order("stats")
    check(stats["reconnects"] >= CONNECTIONS, "nobody had to come back: %r", stats)
    FIGURES.update(connections=CONNECTIONS, wished=WISHED, storm_p50_ms=storm["p50_us"] // 1000,
                   storm_p99_ms=storm["p99_us"] // 1000, storm_max_ms=storm["max_us"] // 1000,
                   storm_rss_mib=town().rss_kib() // 1024,
                   storm_broker_mib=town().rss_kib(town().broker.process) // 1024)
    print("# %d connections (descriptors: %d): served again p50 %d, p99 %d, last %d ms; %d MiB"
          % (CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0], FIGURES["storm_p50_ms"],
             FIGURES["storm_p99_ms"], FIGURES["storm_max_ms"], FIGURES["storm_rss_mib"]))
    swarm.close()


if __name__ == "__main__":
    code = run_tests()
    figures()
    sys.exit(code)
