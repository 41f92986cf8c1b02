#!/usr/bin/python3
"""Linearisability: a few clients compete for a few slots while the daemon is killed; what they saw
must be explained by one order of all operations (tests/chaos/check.c). The judge is judged too: it
must refuse histories that were spoilt on purpose."""
import os
import subprocess
import sys
import threading

import chaos
from chaos import FIGURES, SECRET, Swarm, Town, check, dice, equal, figures
from harness import FOLDERS, password_hash, run_tests, shared, signal, tempfile, test, wait_for

HISTORIES = int(os.environ.get("TIDE_HISTORIES", "6"))
OPERATIONS, CLIENTS, ZONES, PARTIES = 500, 8, 4, 20
BATCH = 20  # histories a town


class Arena(Town):
    """Clerks k0 … k7 who book for households; zones that no history had before."""

    def __init__(self, histories):
        self.histories = histories
        super().__init__(clients=PARTIES * BATCH, slots=2, conf={"households_max": 1024})

    def move_in(self, clients, slots):
        self.put([{"is": "setting", "key": "grant_min", "value": 1000000},
                  {"is": "setting", "key": "household_live_max", "value": 32},
                  # The model knows direct seats only; moves that make room are the auditor's.
                  {"is": "setting", "key": "reseat_steps", "value": 0},
                  {"is": "place", "place": "yard", "kind": "compound", "parent": "lidu"},
                  {"is": "place", "place": "office", "kind": "organisation", "parent": "lidu"}])
        rows = [{"is": "place", "place": "h%d" % n, "kind": "household", "parent": "yard"}
                for n in range(clients)]
        for number in range(self.histories):
            for zone in range(ZONES):
                rows += chaos.zone_rows("Z%d.%d" % (number, zone), slots_of(number))
        for n in range(CLIENTS):
            rows += [{"is": "person", "person": "desk/%d" % n, "household": "office"},
                     {"is": "role", "person": "desk/%d" % n, "role": "clerk", "place": "lidu"},
                     {"is": "user", "user": "k%d" % n, "person": "desk/%d" % n, "kind": "console",
                      "credential": password_hash(SECRET)}]
        self.put(rows)
        self.secrets["k%d" % (CLIENTS - 1)] = SECRET
        self.wait_login("k%d" % (CLIENTS - 1))


def slots_of(number):
    """One slot a zone: whether a booking stands in the way of another is all there is. Three: which
    of them it takes matters too."""
    return (1, 3, 2)[number % 3]


FOLDER = tempfile.mkdtemp(prefix="tide-history-")
FOLDERS.append(FOLDER)
RECORDED = []


def disturb(town, swarm, chance, over):
    """Kills the daemon, or the broker, while a history is under way."""
    for _ in range(chance.choice((1, 1, 2))):
        if over.wait(chance.uniform(0.02, 0.3)):
            return
        if chance.random() < 0.3:
            town.broker_again()
        else:
            town.stop(signal.SIGKILL)
            swarm.send("abandon")  # whoever waits: half of them never learn what became of it
            town.start(wait=False)
        wait_for(town.healthy, "tided is up", 20)


def record(town, swarm, number, chance):
    path = os.path.join(FOLDER, "history-%d.txt" % len(RECORDED))
    swarm.send("history", path, OPERATIONS, CLIENTS, ZONES, slots_of(number), "Z%d." % number,
               PARTIES * (number % BATCH), PARTIES)
    over = threading.Event()
    thread = threading.Thread(target=disturb, args=(town, swarm, chance, over))
    thread.start()
    try:
        equal(swarm.answer().get("written"), OPERATIONS, "operations of history %d" % number)
    finally:
        over.set()
        thread.join()
    wait_for(town.healthy, "tided is up", 20)
    RECORDED.append(path)


def judge(*paths):
    """(exit code, words) of the judge: 0 an order was found for each, 1 not, 2 given up."""
    done = subprocess.run([chaos.PROGRAM, "check"] + list(paths), text=True, timeout=600,
                          stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


@test
def histories_with_kills_are_recorded():
    chance = dice(5)
    for first in range(0, HISTORIES, BATCH):
        count = min(BATCH, HISTORIES - first)
        town = Arena(count)
        swarm = Swarm(town, clients=CLIENTS, prefix="k", more=first)
        for number in range(count):
            record(town, swarm, number, chance)
        swarm.close()
        chaos.verify(town)
        town.close()


@test
def each_has_an_order():
    check(RECORDED, "nothing was recorded")
    code, words = judge(*RECORDED)
    for line in words.splitlines()[-4:]:
        print("# " + line.replace(FOLDER + "/", ""))
    equal(code, 0, "judge: " + words[-1500:])
    open_ones = sum(" -1 " in line for path in RECORDED for line in lines_of(path))
    FIGURES.update(histories=len(RECORDED), operations=OPERATIONS * len(RECORDED),
                   linearizable=words.count(": linearizable"), left_open=open_ones)
    check(open_ones > 0, "no kill left anything open")


# ---- the judge is judged ------------------------------------------------------------------------


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def spoil_first(rows):
    """The first booking of a zone that nobody else has begun in: told it is full."""
    for row in rows:
        before = [r for r in rows if r[4] == row[4] and int(r[1]) <= int(row[2])]
        if row[3] == "0" and row[8] == "ok" and all(r is row for r in before):
            row[8:11] = ["full", "all_taken", "0"]
            return True
    return False


def spoil_lost(rows):
    """A booking that was acknowledged, and of which nothing shows afterwards: all its slots are
    given to others for the same span."""
    gone = {r[5] for r in rows if r[3] in ("1", "2")}
    kept = [r for r in rows if r[3] == "0" and r[8] == "ok" and r[10] not in gone]
    if not kept:
        return False
    row, late = kept[0], max(int(r[2]) for r in rows) + 1000
    highest = max(int(r[10]) for r in rows if r[3] == "0")
    for n in range(8):
        rows.append(list(row))
        rows[-1][1:3] = [str(late + 2 * n), str(late + 2 * n + 1)]
        rows[-1][10] = str(highest + 1 + n)
    return True


def spoil_numbers(rows):
    """Two bookings, one after the other, with each other's numbers."""
    made = [r for r in rows if r[3] == "0" and r[8] == "ok" and r[4] == "0"]
    used = {r[5] for r in rows}
    free = [r for r in made if r[10] not in used]
    for one in free:
        for other in free:
            if int(one[2]) < int(other[1]):
                one[10], other[10] = other[10], one[10]
                return True
    return False


def spoil_stale(rows):
    """A quote after everything that still counts a slot which is taken for sure."""
    gone = {r[5] for r in rows if r[3] in ("1", "2")}
    kept = [r for r in rows if r[3] == "0" and r[8] == "ok" and r[10] not in gone]
    slots = int(HEAD[0].split()[1])
    if not kept:
        return False
    late = max(int(r[2]) for r in rows) + 1000
    rows.append(["0", str(late), str(late + 1), "4"] + kept[0][4:5] + ["0"] + kept[0][6:8]
                + ["ok", "-", str(slots)])
    return True


HEAD = [""]


@test
def the_judge_refuses_what_was_spoilt():
    noticed, made = 0, 0
    for spoil in (spoil_first, spoil_lost, spoil_numbers, spoil_stale):
        for path in RECORDED[:6]:
            HEAD[0], *lines = lines_of(path)
            rows = [line.split() for line in lines]
            if not spoil(rows):
                continue
            bad = os.path.join(FOLDER, "spoilt.txt")
            with open(bad, "w", encoding="utf-8") as file:
                file.write("\n".join([HEAD[0]] + [" ".join(row) for row in rows]) + "\n")
            code, words = judge(bad)
            made += 1
            noticed += code == 1
            check(code == 1, "%s of %s was not noticed: %d %s", spoil.__name__, path, code, words)
    check(made >= 8, "only %d histories could be spoilt", made)
    print("# %d of %d spoilt histories noticed" % (noticed, made))
    FIGURES.update(spoilt=made, noticed=noticed)


if __name__ == "__main__":
    result = run_tests()
    figures()
    sys.exit(result)
