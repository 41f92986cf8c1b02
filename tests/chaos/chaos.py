"""chaos.py - a neighbourhood for a thousand clients, their swarm, and the look into the ledger.

    town = Town(clients=1000)                    broker, daemon, zone A with its slots, users s0 …
    swarm = Swarm(town, ledger=True)             tide-chaos swarm, connected
    swarm.order("load", 1000, 300)               see orders.c
    ledger = Ledger(swarm.ledger); ledger.look(town, exact=False)

Everything else is tests/e2e/harness.py. FIGURES collects what was measured; figures() prints it as
one line of JSON, which tests/soak reads.
"""
import json
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402
from harness import (ALL_DAYS, BUILD, Tide, check, equal, expect, password_hash,  # noqa: E402
                     start, stop)

PROGRAM = os.path.join(BUILD, "tide-chaos")
SECRET = "secret-of-the-swarm"
BOOKED, CANCELLED = 0, 3  # of TIDE_ENUM_booking_state
FIGURES = {}
SEED = int(os.environ.get("TIDE_SEED", "1"))
SHIPPED_LIMITS = harness.shipped_limits()
LONG = bool(os.environ.get("TIDE_SOAK"))


def figures():
    print("figures " + json.dumps(FIGURES, sort_keys=True), flush=True)


def dice(more=0):
    """The chance of this run: the same seed, the same moments."""
    return random.Random(SEED * 1000003 + more)


class Town(Tide):
    """A daemon with its broker, zone A of common slots that are always open, clients at home."""

    def __init__(self, clients=1000, slots=400, conf=None, broker_more=None, homes=None):
        self.homes = homes or clients
        pools = {"slots_max": 2048, "households_max": max(1024, self.homes + 64),
                 "bookings_max": 32768}
        pools.update(conf or {})
        super().__init__(conf=pools, up=False)
        self.size = clients
        self.broker.more += broker_more or []
        self.broker.start()
        self.start()
        self.move_in(clients, slots)

    def put_quickly(self, rows):
        """admin.put, several under way; all must be taken."""
        admin = self.client("admin")
        at = 0
        while at < len(rows):
            rids = []
            for _ in range(8):
                if at < len(rows):
                    rids.append(admin.send("admin.put", {"rows": rows[at:at + 60]}))
                    at += 60
            for rid in rids:
                expect(admin.reply(rid, 20), "ok")
            with admin.turn:
                admin.messages.clear()

    def move_in(self, clients, slots):
        # Rows of one kind stand together: each portion names only what an earlier one brought.
        self.put([{"is": "setting", "key": "grant_min", "value": 1000000},
                  {"is": "setting", "key": "household_live_max", "value": 32},
                  {"is": "place", "place": "yard", "kind": "compound", "parent": "lidu"}])
        self.put(zone_rows("A", slots))
        hashed = password_hash(SECRET)
        homes = ["h%d" % n for n in range(self.homes)]
        home = {"is": "place", "kind": "household", "parent": "yard"}
        role = {"is": "role", "role": "resident"}
        kinds = [[dict(home, place=h) for h in homes],
                 [{"is": "person", "person": h + "/1", "household": h} for h in homes],
                 [dict(role, person=h + "/1", place=h) for h in homes],
                 [{"is": "user", "user": "s%d" % n, "person": homes[n % len(homes)] + "/1",
                   "kind": "app", "credential": hashed} for n in range(clients)]]
        for rows in kinds:
            self.put_quickly(rows)
        last = "s%d" % (clients - 1)
        self.secrets[last] = SECRET
        for patience in range(6):  # a broker with ten thousand accounts reads them for a while
            try:
                self.wait_login(last)
                break
            except harness.Failed:
                check(patience < 5, "the broker does not know %s", last)

    def again(self, wait=True):
        """tided is killed and started; returns when it answers."""
        self.stop(harness.signal.SIGKILL)
        self.start(wait)

    def broker_again(self):
        self.broker.stop(harness.signal.SIGKILL)
        self.broker.start()

    def rss_kib(self, process=None):
        with open("/proc/%d/status" % (process or self.process).pid, encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS"):
                    return int(line.split()[1])
        return 0


def zone_rows(zone, slots):
    rows = [{"is": "zone", "zone": zone, "place": "yard", "sense": ["gate"]}]
    for number in range(slots):
        slot = "%s-%04d" % (zone, number)
        rows.append({"is": "slot", "slot": slot, "zone": zone, "title": "common"})
        rows.append({"is": "window", "slot": slot, "kind": "weekly", "days": ALL_DAYS,
                     "opens": "00:00", "closes": "24:00"})
    return rows


class Swarm:
    """tide-chaos swarm as a child; order() gives an order and returns its answer."""

    def __init__(self, town, clients=None, ledger=False, prefix="s", qos=1, more=0, first=0):
        self.ledger = os.path.join(town.folder, "ledger-%s%d.tsv" % (prefix, more))
        self.clients = clients or town.size
        argv = [PROGRAM, "swarm", "--port", str(town.broker.port), "--clients", str(self.clients),
                "--secret", SECRET, "--seed", str(SEED + more), "--prefix", prefix,
                "--qos", str(qos), "--first", str(first)]
        if ledger:
            argv += ["--ledger", self.ledger]
        self.process = start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        up = self.order("up", 60000)["up"]
        equal(up, self.clients, "clients connected")

    def send(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        check(line != "", "the swarm ended: %s", self.process.poll())
        return json.loads(line)

    def order(self, *words):
        self.send(*words)
        return self.answer()

    def close(self):
        self.send("quit")
        self.answer()
        equal(self.process.wait(10), 0, "exit code of the swarm")
        stop(self.process)


class Ledger:
    """What clients were told, held against the tables."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8")
        self.told = {}  # booking -> state as it was told last
        self.fresh, self.lines = set(), 0

    def read(self):
        """Takes the lines that are new; a number given twice is a fault."""
        while True:
            at = self.file.tell()
            line = self.file.readline()
            if not line.endswith("\n"):
                self.file.seek(at)
                return
            _user, _rid, kind, _digest, code, booking, _reply = line.rstrip("\n").split("\t", 6)
            self.lines += 1
            number = int(booking)
            if kind == "book" and code == "ok":
                check(number not in self.told, "booking %d was given to two requests", number)
                self.told[number] = BOOKED
                self.fresh.add(number)
            elif kind == "cancel":
                check(code == "ok" or code == "conflict", "cancel of %d: %s", number, line)
                self.told[number] = CANCELLED
                self.fresh.add(number)

    def look(self, town, seconds):
        """Every answer read since the last look is in the tables, at once or after so long."""
        deadline = time.monotonic() + seconds
        least = min(self.fresh, default=0)
        while True:
            rows = dict(town.rows("SELECT id, state FROM booking WHERE id >= ?", least))
            missing = [number for number in self.fresh if not self.is_there(number, rows)]
            if not missing or time.monotonic() >= deadline:
                break
            time.sleep(0.1)
        check(not missing, "acknowledged and lost: %r",
              [(n, self.told[n], rows.get(n)) for n in missing[:10]])
        self.fresh.clear()

    def is_there(self, number, rows):
        """A cancellation may be done and its answer still on the way; the other way it is lost."""
        state = rows.get(number)
        return state == CANCELLED or (state == BOOKED and self.told[number] == BOOKED)

    def look_exactly(self, town):
        """Nothing is under way: tables and ledger are one."""
        rows = dict(town.rows("SELECT id, state FROM booking"))
        wrong = {n: (self.told.get(n), rows.get(n)) for n in set(rows) | set(self.told)
                 if self.told.get(n) != rows.get(n)}
        equal(wrong, {}, "bookings that differ (told, in the tables)")
        twice = town.rows("SELECT plate, count(*) FROM booking GROUP BY plate HAVING count(*) > 1")
        equal(twice, [], "requests that were done twice")


def verify(town):
    """The daemon ends in order; tided --verify finds nothing."""
    equal(town.stop(), 0, "exit code")
    code, words = town.verify()
    equal(code, 0, "tided --verify: " + words[-400:])
