#!/usr/bin/python3
"""Everybody wants the same: a thousand clients on one zone that is nearly full.

Measured in one run, on the same promises: the latency of a few clients (calm); of a thousand that
take turns, each with a second's thought (at once: the bar of three times the calm p99 is for these,
and only `make soak` holds it, alone on its machine); and of a thousand requests in one instant
(burst), whose last one waits for all the others. Always: each request is answered, none is done
twice, none is lost, and the journal verifies."""
import sys
import time

from chaos import FIGURES, LONG, Ledger, Swarm, Town, check, equal, figures, verify
from harness import run_tests, shared, test, wait_for

CLIENTS, FEW = 1000, 20
SLOTS = 16  # three quarters of their eleven days are promised
SECONDS = 20 if LONG else 1
BURSTS = 10 if LONG else 1
RATIO_MAX = 3.0

town = shared(lambda: Town(clients=CLIENTS, slots=SLOTS))


def measured(swarm, clients, think_ms):
    """Stats of so many clients that take turns; nothing is under way before and after."""
    swarm.order("load", clients, think_ms)
    time.sleep(1.0)  # the first turns come all at once
    swarm.order("stats")
    time.sleep(SECONDS)
    stats = swarm.order("stats")
    equal(swarm.order("drain", 20000)["pending"], 0, "requests without an answer")
    return stats


def bursts(swarm):
    """(p50, p99, last) of a request of each client in one instant; the median of several."""
    seen = []
    for _ in range(BURSTS):
        told = swarm.order("burst", 20000)
        equal(told["served"], CLIENTS, "clients answered after a burst")
        seen.append((told["p50_us"], told["p99_us"], told["max_us"]))
    return sorted(seen)[len(seen) // 2]


@test
def all_are_answered_none_twice_none_lost():
    swarm = Swarm(town(), ledger=True)
    ledger = Ledger(swarm.ledger)
    swarm.order("load", CLIENTS, 400 if LONG else 100)  # until the zone is as full as it stays
    time.sleep(4.0 if LONG else 1.0)
    equal(swarm.order("drain", 20000)["pending"], 0, "requests without an answer")
    swarm.order("stats")
    calm = measured(swarm, FEW, 100)
    hot = measured(swarm, CLIENTS, 1000)
    p50, p99, last = bursts(swarm)
    after = swarm.order("stats")
    for stats in (calm, hot, after):
        equal((stats["given_up"], stats["twice"]), (0, 0), "requests given up, answered twice")
    ledger.read()
    wait_for(lambda: town().metric("tide_fold_lag_events") == 0, "the tables are there")
    ledger.look_exactly(town())
    ratio = hot["p99_us"] / calm["p99_us"]
    FIGURES.update(
        hot_clients=CLIENTS, hot_answers=ledger.lines, hot_lost=0, hot_twice=0,
        hot_per_s=round(hot["answered"] / hot["seconds"]), hot_refused=hot["refused"],
        calm_p50_ms=calm["p50_us"] / 1000, calm_p99_ms=calm["p99_us"] / 1000,
        hot_p50_ms=hot["p50_us"] / 1000, hot_p99_ms=hot["p99_us"] / 1000,
        hot_ratio=round(ratio, 2), burst_p50_ms=p50 / 1000, burst_p99_ms=p99 / 1000,
        burst_last_ms=last / 1000)
    print("# calm p50 %.1f p99 %.1f ms; %d at once, %d/s: p50 %.1f p99 %.1f ms, %.2f times calm;"
          " %d in one instant: p50 %.1f p99 %.1f last %.1f ms"
          % (FIGURES["calm_p50_ms"], FIGURES["calm_p99_ms"], CLIENTS, FIGURES["hot_per_s"],
             FIGURES["hot_p50_ms"], FIGURES["hot_p99_ms"], ratio, CLIENTS, p50 / 1000, p99 / 1000,
             last / 1000))
    swarm.close()
    check(not LONG or ratio <= RATIO_MAX, "p99 %.2f times the calm one", ratio)


@test
def and_it_verifies():
    verify(town())


if __name__ == "__main__":
    code = run_tests()
    figures()
    sys.exit(code)
