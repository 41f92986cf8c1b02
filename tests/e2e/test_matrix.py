#!/usr/bin/python3
"""Who may write and read what: every role, family of topics, way and version of MQTT, against the
real broker with the files that tided writes.

MAY is the specification (protocol/README.md, 1 and 2), written down once more by hand: W the broker
takes a publish, R a subscriber gets what is published there. All else is refused: a publish reaches
nobody (MQTT 5 is told 0x87), a subscription stays silent.
"""
import json
import sys
import time

from harness import (DOMAIN, Tide, check, equal, expect, password_hash, run_tests, shared,
                     shipped_limits, test, wait_for)
from wire import DENIED, Wire, pump



def made():
    """The queues as deploy/mosquitto sets them: with none at all (0), mosquitto 2.0.11 cuts whoever
    is refused a publish."""
    one = Tide(scale=60, start_at="2019-05-20T08:00+08:00", up=False)
    one.broker.more = shipped_limits()
    one.broker.start()
    one.start()
    return one.import_neighbourhood()


tide = shared(made)

# role: user
ACTORS = {"resident": "res1", "owner": "owner1", "steward": "steward1", "guard": "guard1",
          "property": "property1", "clerk": "clerk1", "committee": "committee1", "admin": "admin",
          "gateway": "gw1", "no role": "plain1", "daemon": "tided"}
OUTSIDERS = {"unknown": "nobody1", "revoked": "gone1"}
OTHER, OTHER_GATEWAY = "victim1", "gw9"

# family: (topic, what a user may, what the daemon may)
MAY = {
    "own request": ("tide/1/home/u/%u/req/none", "W", "WR"),
    "own request elsewhere": ("tide/1/else/u/%u/req/none", "W", "WR"),
    "own request, deeper": ("tide/1/home/u/%u/req/a/b", "W", "WR"),
    "own reply": ("tide/1/home/u/%u/res/r1", "R", "WR"),
    "own inbox": ("tide/1/home/u/%u/inbox", "R", "WR"),
    "own inbox, deeper": ("tide/1/home/u/%u/inbox/x", "", "WR"),
    "own root": ("tide/1/home/u/%u", "", "WR"),
    "another's request": ("tide/1/home/u/%o/req/none", "", "WR"),
    "another's reply": ("tide/1/home/u/%o/res/r1", "", "WR"),
    "another's inbox": ("tide/1/home/u/%o/inbox", "", "WR"),
    "the daemon's request": ("tide/1/home/u/tided/req/none", "", "WR"),
    "own fact": ("tide/1/home/gw/%u/up/none", "W", "WR"),
    "own down": ("tide/1/home/gw/%u/down/none", "R", "WR"),
    "another gateway's fact": ("tide/1/home/gw/%g/up/none", "", "WR"),
    "another gateway's down": ("tide/1/home/gw/%g/down/none", "", "WR"),
    "zone": ("tide/1/else/pub/zone/Q", "R", "WR"),
    "public, deeper": ("tide/1/else/pub/a/b/c", "R", "WR"),
    "daemon's state": ("tide/1/sys/n9", "R", "WR"),
    "daemon's state, deeper": ("tide/1/sys/n9/x", "", "WR"),
    "beside": ("tide/1/home/other", "", "WR"),
    "another version": ("tide/2/home/u/%u/req/none", "", ""),
    "another tree": ("garden/gate", "", ""),
    "field devices": ("device/265e1040-85e01fb7/message/down/gpio_out", "", ""),
    "network server": ("application/1/device/0004a30b001c0530/event/up", "", ""),
    "control": ("$CONTROL/dynamic-security/v1", "", ""),
}
VERSIONS = {"3.1.1": 4, "5": 5}


def extra_users():
    """A steward, one without a role, a victim, another gateway, and one who was revoked."""
    rows = [{"is": "person", "person": "steward/1", "household": "3-2-502"},
            {"is": "role", "person": "steward/1", "role": "steward", "place": "3-2"},
            {"is": "person", "person": "plain/1", "household": "3-2-503"}]
    for user, kind, person in (("steward1", "app", "steward/1"), ("plain1", "app", "plain/1"),
                               (OTHER, "app", "3-2-503/1"), (OTHER_GATEWAY, "gateway", "gate/1"),
                               ("gone1", "app", "3-2-503/1")):
        tide().secrets[user] = "secret-of-" + user
        rows.append({"is": "user", "user": user, "person": person, "kind": kind,
                     "credential": password_hash(tide().secrets[user])})
    tide().put(rows)
    tide().wait_login("gone1")
    expect(tide().client("admin").ask("admin.drop", row={"is": "user", "user": "gone1"}), "ok")
    wait_for(lambda: wire("gone1", 4).connect().code != 0, "the broker knows that he is gone", 5)
    with open(tide().data + "/broker.secret", encoding="ascii") as file:
        tide().secrets["tided"] = file.read().strip()
    for client in tide().clients.values():
        client.close()  # they check what they see, and marks are no messages
    tide().clients.clear()


def topic_of(family, user):
    return MAY[family][0].replace("%u", user).replace("%o", OTHER).replace("%g", OTHER_GATEWAY)


def may(role, family, way):
    return way in MAY[family][2 if role == "daemon" else 1]


def wire(user, version, **options):
    return Wire(tide().broker.port, user, tide().secrets.get(user, "guess"), version, **options)


class Cells:
    """What was expected and what was seen; told at the end."""

    def __init__(self):
        self.count, self.wrong = 0, []

    def cell(self, good, words, *args):
        self.count += 1
        if not good:
            self.wrong.append(words % args)


CELLS = Cells()


@test
def who_may_write():
    extra_users()
    witness = wire("tided", 5, client_id="witness").connect()
    equal((witness.code, witness.subscribe("#")), (0, 1), "the witness")
    for name, version in VERSIONS.items():
        for role, user in ACTORS.items():
            actor = wire(user, version).connect()
            check(actor.code == 0, "%s cannot connect: %r", user, actor.code)
            for number, family in enumerate(MAY):
                mark = b"w-%d-%s-%d" % (version, user.encode(), number)
                code = actor.publish(topic_of(family, user), mark)
                told = DENIED if version == 5 and not may(role, family, "W") else None
                CELLS.cell(code in (0, 0x10) if told is None else code == told,
                           "%s, MQTT %s, publishes to %s: code %r", role, name, family, code)
            actor.close()
    mark = b"the end"
    witness.publish("tide/1/home/other", mark)
    witness.pump(lambda: any(seen[1] == mark for seen in witness.seen), 5)
    arrived = {seen[1] for seen in witness.seen}
    for name, version in VERSIONS.items():
        for role, user in ACTORS.items():
            for number, family in enumerate(MAY):
                mark = b"w-%d-%s-%d" % (version, user.encode(), number)
                CELLS.cell((mark in arrived) == may(role, family, "W"),
                           "%s, MQTT %s, publishes to %s: arrived %s", role, name, family,
                           mark in arrived)
    witness.close()


def listeners():
    """(role, version, way, wire): each role with the exact topics, and with everything at once."""
    for name, version in VERSIONS.items():
        for role, user in ACTORS.items():
            for way in ("exact", "wildcard", "shared"):
                if way == "shared" and version == 4 and role == "daemon":
                    continue
                listener = wire(user, version).connect()
                topics = {"exact": sorted({topic_of(family, user) for family in MAY}),
                          "wildcard": ["#", "$CONTROL/#"],
                          "shared": ["$share/g-%s-%d/#" % (user, version)]}[way]
                for topic in topics:
                    code = listener.subscribe(topic)
                    CELLS.cell(code is not None, "%s, MQTT %s: cut by subscribing to %s", role,
                               name, topic)
                yield role, name, way, listener


@test
def who_may_read():
    witness = wire("tided", 5, client_id="witness").connect()
    ears = list(listeners())
    written = {}
    for role, user in ACTORS.items():
        for number, family in enumerate(MAY):
            mark = ("r-%s-%d" % (user, number)).encode()
            written[mark] = (role, family)
            witness.publish(topic_of(family, user), mark, wait=False)
    end = b"the very end"
    witness.publish("tide/1/sys/n9", end)
    all_ears = [ear for _, _, _, ear in ears]
    pump(all_ears, lambda: all(any(s[1] == end for s in ear.seen) for ear in all_ears), 5)
    for role, name, way, ear in ears:
        got = {seen[1] for seen in ear.seen}
        own = ACTORS[role]
        for number, family in enumerate(MAY):
            mark = ("r-%s-%d" % (own, number)).encode()
            # The witness is the daemon: outside tide/1 nothing of it goes out in the first place.
            allowed = may(role, family, "R") and may("daemon", family, "W")
            CELLS.cell((mark in got) == allowed, "%s, MQTT %s, %s, gets %s: %s", role, name, way,
                       family, mark in got)
        if role != "daemon":
            foreign = [mark for mark in got & set(written)
                       if written[mark][0] != role and "own" in written[mark][1]]
            CELLS.cell(not foreign, "%s, MQTT %s, %s: gets %r of others", role, name, way, foreign)
        check(not ear.closed, "%s, MQTT %s, %s: was cut", role, name, way)
        ear.close()
    witness.close()


@test
def who_may_not_even_come_in():
    for version in VERSIONS.values():
        for user, secret in ((OUTSIDERS["unknown"], "x"), (OUTSIDERS["revoked"], "secret-of-gone1"),
                             ("res1", "secret-of-owner1"), ("res1", ""), ("res1", None),
                             (None, None), ("", ""), ("tided", "tided"), ("%u", "x"), ("+", "x"),
                             ("#", "x"), ("RES1", "secret-of-res1"), ("res1 ", "secret-of-res1")):
            stranger = Wire(tide().broker.port, user, secret, version).connect()
            CELLS.cell(stranger.code != 0, "%r with %r came in", user, secret)
            stranger.close(cut=True)


@test
def the_daemon_took_only_what_is_right():
    """What was let through was no request: it was counted, answered or dropped; it still serves."""
    expect(tide().client("res1").ask("whoami"), "ok")
    check(tide().metric("tide_invalid_total") > 0, "marks that are no requests were not counted")


@test
def every_cell_is_as_the_specification_says():
    print(json.dumps({"cells": CELLS.count, "roles": len(ACTORS) + len(OUTSIDERS),
                      "families": len(MAY),
                      "right": CELLS.count - len(CELLS.wrong) if not CELLS.wrong else 0}))
    check(CELLS.count >= 500, "only %d cells", CELLS.count)
    check(not CELLS.wrong, "%d of %d cells: %s", len(CELLS.wrong), CELLS.count,
          "; ".join(CELLS.wrong[:12]))


if __name__ == "__main__":
    began = time.monotonic()
    result = run_tests()
    print("%.1f s" % (time.monotonic() - began))
    sys.exit(result)
