#!/usr/bin/python3
"""kill -9 of the daemon and, in turn, of the broker, under the load of a thousand clients, at
moments that the seed draws. After each: what was acknowledged is in the tables, and rids that are
asked again get the same bytes. At the end the tables are the ledger, and the journal verifies."""
import os
import sys
import time

import chaos
from chaos import FIGURES, Ledger, Swarm, Town, check, dice, equal, figures, verify
from harness import run_tests, shared, signal, test, wait_for

KILLS = int(os.environ.get("TIDE_KILLS", "20"))
CLIENTS = int(os.environ.get("TIDE_CLIENTS", "1000"))
THINK_MS = int(os.environ.get("TIDE_THINK_MS", "400"))
TABLES_BEHIND_S = 3  # of a daemon that runs; one that comes up has folded all before it answers
HEARD_AGAIN_MAX = 200000 if chaos.LONG else 20000
SERVED_MS_MAX = 10000  # p99 of a client's next answer, once the port is back

town = shared(lambda: Town(clients=CLIENTS))


def kill_daemon(chance, ledger):
    """Down, up; now and then killed again while it recovers."""
    town().stop(signal.SIGKILL)
    ledger.read()
    town().start(wait=False)
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.15))
        town().stop(signal.SIGKILL)
        town().start(wait=False)


def kill_broker(_chance, ledger):
    town().broker.stop(signal.SIGKILL)
    ledger.read()
    town().broker.start()


def one_kill(swarm, ledger, chance, kill):
    time.sleep(chance.uniform(0.05, 0.3))
    kill(chance, ledger)
    swarm.order("mark")  # the daemon only begins to recover: the bar holds from here on
    served = swarm.order("served", 15000)
    equal(served["served"], served["of"], "clients served again")
    wait_for(town().healthy, "tided is up", 15)
    ledger.look(town(), 0 if kill is kill_daemon else TABLES_BEHIND_S)
    heard = swarm.order("audit", 100, 10000)
    equal((heard["differ"], heard["pending"]), (0, 0), "answers heard again")
    return served


@test
def nothing_is_lost_or_done_twice():
    chance, swarm = dice(), Swarm(town(), ledger=True)
    ledger, p99_ms, worst_ms = Ledger(swarm.ledger), [], 0.0
    swarm.order("load", CLIENTS, THINK_MS)
    time.sleep(0.5)
    for number in range(KILLS):
        kill = kill_broker if number % 2 else kill_daemon
        served = one_kill(swarm, ledger, chance, kill)
        p99_ms.append(served["p99_us"] / 1000)
        worst_ms = max(worst_ms, served["max_us"] / 1000)
        if chaos.LONG and number % 20 == 19:
            print("# %d kills, %d lines in the ledger" % (number + 1, ledger.lines), flush=True)
    equal(swarm.order("drain", 15000)["pending"], 0, "requests without an answer")
    ledger.read()
    wait_for(lambda: town().metric("tide_fold_lag_events") == 0, "the tables are there")
    ledger.look_exactly(town())
    heard = swarm.order("audit", HEARD_AGAIN_MAX, 600000 if chaos.LONG else 60000)
    equal((heard["differ"], heard["pending"]), (0, 0), "answers heard again")
    check(ledger.lines > KILLS * 20, "there was no load: %d lines", ledger.lines)
    stats = swarm.order("stats")
    FIGURES.update(kills=KILLS, clients=CLIENTS, acknowledged=ledger.lines, lost=0, twice=0,
                   heard_again=heard["same"], repeated=stats["repeated"],
                   served_p99_ms=round(max(p99_ms)), served_max_ms=round(worst_ms))
    print("# %d kills, %d answers, %d heard again, served p99 %.0f ms (median), %.0f ms (worst)"
          % (KILLS, ledger.lines, heard["same"], sorted(p99_ms)[len(p99_ms) // 2], max(p99_ms)))
    swarm.close()
    check(max(p99_ms) <= SERVED_MS_MAX, "served again p99: %.0f ms", max(p99_ms))


@test
def and_it_verifies():
    verify(town())


if __name__ == "__main__":
    code = run_tests()
    figures()
    sys.exit(code)
