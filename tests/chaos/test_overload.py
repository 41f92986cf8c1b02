#!/usr/bin/python3
"""Too much at once: what is refused is refused aloud, memory is bounded, who is modest is served.

Two floods. *Greedy users*: a few ask ten times as often as each may (user_rate_per_s): they get
what they may and `busy` for the rest. *More than the broker carries*: ten times the peak from a
thousand sockets. Stock mosquitto takes one packet a socket and turn, so when
all sockets have something to say the daemon's replies and acknowledgements get the share of one
among a thousand, whatever the daemon does: here nothing must break, grow without bound or be lost,
and service must be back soon after."""
import os
import sys
import time

import chaos
from chaos import FIGURES, LONG, SHIPPED_LIMITS, Swarm, Town, check, equal, figures
from harness import run_tests, shared, signal, test, wait_for

CLIENTS, GREEDY, CALM = 1000, 32, 200
RATE, BURST = 20, 60  # as shipped
SECONDS = 20 if LONG else 3
GOODPUT_MIN = 0.9 if LONG else 0.0  # `make test` shares its machine: there it is only told
CALM_MS_MAX = 1000 if LONG else 15000
RSS_KIB_MAX = 160 * 1024
BACK_S_MAX = 45

town = shared(lambda: limit(Town(clients=CLIENTS, broker_more=SHIPPED_LIMITS)))


def limit(made):
    """The rates that ship; moving in took more."""
    lines = len(made.log_lines())
    made.conf.update(user_rate_per_s=RATE, user_burst=BURST)
    made.write_conf()
    made.process.send_signal(signal.SIGHUP)
    wait_for(lambda: any('"reloaded"' in line for line in made.log_lines()[lines:]), "reloaded")
    return made


def measured(swarm, seconds, others=None):
    """Counts of so many seconds; (stats, stats of the others, KiB of the daemon at most)."""
    for one in (swarm, others):
        if one is not None:
            one.order("stats")
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.2)
        most = max(most, town().rss_kib())
    stats = swarm.order("stats")
    # Decided and answered: a household that has too many promises by now is told so.
    stats["done_per_s"] = (stats["ok"] + stats["refused"]) / stats["seconds"]
    return stats, others.order("stats") if others is not None else None, most


def settle(swarm):
    """Waits until nothing is under way; returns how many were left without a word."""
    equal(swarm.order("drain", 30000)["pending"], 0, "requests under way")
    return swarm.order("stats")["given_up"]


@test
def the_greedy_get_what_they_may_and_busy_for_the_rest():
    calm = Swarm(town(), clients=CALM, more=1)
    greedy = Swarm(town(), clients=GREEDY, more=2, first=CALM, qos=0)
    calm.order("load", CALM, 1000)
    greedy.order("pace", GREEDY * RATE * 0.95, GREEDY)
    time.sleep(1.0)
    peak, before, _ = measured(greedy, SECONDS, calm)
    equal(settle(greedy), 0, "requests of the peak without a word")
    greedy.order("pace", GREEDY * RATE * 10, GREEDY)
    time.sleep(BURST / RATE / 9 + 0.5)  # the burst is spent
    flood, during, rss = measured(greedy, SECONDS, calm)
    silent = settle(greedy) + flood["given_up"]
    ratio = flood["done_per_s"] / peak["done_per_s"]
    FIGURES.update(
        greedy_goodput_pct=round(100 * ratio), greedy_peak_per_s=round(peak["done_per_s"]),
        greedy_offered_per_s=round(flood["sent"] / flood["seconds"]),
        busy_per_s=round(flood["busy"] / flood["seconds"]), greedy_silent=silent,
        greedy_rss_mib=rss // 1024,
        calm_p99_before_ms=before["p99_us"] // 1000, calm_p99_during_ms=during["p99_us"] // 1000)
    print("# may %d/s; offered %d/s: %d/s done, %d/s busy; others' p99 %d -> %d ms; %d MiB"
          % (FIGURES["greedy_peak_per_s"], FIGURES["greedy_offered_per_s"], flood["done_per_s"],
             FIGURES["busy_per_s"], before["p99_us"] / 1000, during["p99_us"] / 1000, rss / 1024))
    # As often as they may ask they are told that they ask too often; beyond that, silence.
    told = flood["busy"] / flood["seconds"] / (GREEDY * RATE)
    check(told > (0.5 if LONG else 0.1), "told to be too fast at %.2f of the rate", told)
    check(ratio >= GOODPUT_MIN, "goodput %.2f of the peak", ratio)
    check(during["answered"] > 0, "the modest were not served: %r", during)
    check(during["p99_us"] < CALM_MS_MAX * 1000, "the modest waited %d ms", during["p99_us"] / 1000)
    greedy.close()
    calm.close()


@test
def ten_times_what_the_machine_carries_breaks_nothing():
    swarm = Swarm(town(), clients=CLIENTS, more=3)
    swarm.order("load", 256, 0)
    time.sleep(1.0)
    peak, _, _ = measured(swarm, SECONDS)
    swarm.order("drain", 10000)
    before = town().rss_kib()
    swarm.order("pace", peak["done_per_s"] * 10, CLIENTS)
    flood, _, rss = measured(swarm, SECONDS if LONG else 1.5)
    broker = town().rss_kib(town().broker.process)
    began = time.monotonic()
    swarm.order("drain", 60000)
    wait_for(town().healthy, "tided is up", 15)
    swarm.order("mark")
    swarm.order("load", CLIENTS, 500)
    served = swarm.order("served", BACK_S_MAX * 1000)
    back_s = time.monotonic() - began
    equal(served["served"], CLIENTS, "clients served after the flood")
    equal(swarm.order("drain", 30000)["pending"], 0, "requests under way")
    FIGURES.update(
        peak_per_s=round(peak["done_per_s"]), flood_wished_per_s=round(10 * peak["done_per_s"]),
        flood_sent_per_s=round(flood["sent"] / flood["seconds"]),
        flood_done_per_s=round(flood["done_per_s"]), flood_rss_mib=rss // 1024,
        flood_broker_mib=broker // 1024, back_after_s=round(back_s, 1))
    print("# peak %d/s; sockets took %d/s: %d/s answered in time; %d -> %d MiB, broker %d MiB;"
          " all served %.1f s after" % (peak["done_per_s"], FIGURES["flood_sent_per_s"],
                                        flood["done_per_s"], before // 1024, rss // 1024,
                                        broker // 1024, back_s))
    check(rss < RSS_KIB_MAX, "tided grew to %d KiB", rss)
    check(back_s < BACK_S_MAX, "served again after %.1f s", back_s)
    swarm.close()


@test
def and_it_verifies():
    chaos.verify(town())


if __name__ == "__main__":
    code = run_tests()
    figures()
    sys.exit(code)
