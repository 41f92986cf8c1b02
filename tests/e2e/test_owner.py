#!/usr/bin/python3
"""The owner comes first, through the gate and tidectl: a slot called back (what it would take, who
moves, another in exchange), and another slot for him when a car stays on his.

The day is 2019-05-20, a Monday; a second is three minutes. Slot 1 is A-001, the owner's."""
import datetime
import sys

from harness import (OTHER_PLATE, OWNER_PLATE, Tide, check, civil, equal, expect, has, items,
                     round_up, run_tests, shared, test, wait_for)

MINUTE = datetime.timedelta(minutes=1)
HOUR = 60 * MINUTE

SETTINGS = {"compensation_min": 45, "ending_soon_min": 0}
tide = shared(lambda: prepared(
    Tide(scale=180, start_at="2019-05-20T08:00+08:00").import_neighbourhood()))
ASK = [0]


def prepared(made):
    made.put([{"is": "setting", "key": key, "value": value} for key, value in SETTINGS.items()])
    return made


def say(user, *words, **more):
    return tide().tidectl(user, *words, **more)


def span(start, end):
    return ["--from", start.strftime("%Y-%m-%d %H:%M"), "--until", end.strftime("%Y-%m-%d %H:%M")]


def lend(start, end):
    """A-001 is open for this time, from a little earlier on, and no longer at any other."""
    client = tide().client("owner1")
    for row in items(client.ask("share.list", slot="A-001"), "window"):
        if row["kind"] == "once":
            expect(client.ask("share.close", window=row["window"]), "ok")
    has(say("owner1", "share", "A-001", *span(start - HOUR, end)), "Opened")


def lend_and_book(plate, start, end):
    """Who books just the time for which A-001 is open is promised it: nothing is left over."""
    lend(start, end)
    booking = expect(tide().client("res1").ask(
        "parking.book", plate=plate, zone="A", start=civil(start), end=civil(end), visitor=True),
        "ok")["id"]
    wait_for(lambda: slot_of(booking) == 1, "booking %d lies on A-001" % booking)
    return booking


def slot_of(booking):
    """Where a booking lies: the tables follow within a second."""
    rows = tide().rows("SELECT slot FROM booking WHERE id=?", booking)
    return rows[0][0] if rows else None


def gate(plate, way, why):
    """A car before the gate; the command that it is opened with."""
    gateway = tide().client("gw1")
    ASK[0] += 1
    ask = ASK[0]
    gateway.fact("plate", {"lane": "G1-" + way, "plate": plate, "dir": way, "ask": ask})
    command = gateway.wait_message("/down/command", lambda body: body.get("ask") == ask)
    equal((command["kind"], command["why"]), ("open", why), "%s goes %s" % (plate, way))
    return command


def told(user, kind):
    return [row for row in items(tide().client(user).ask("inbox.read"), "notice")
            if row["kind"] == kind]


# ---- called back --------------------------------------------------------------------------------


@test
def who_has_not_arrived_moves():
    start = round_up(tide().now() + 3 * HOUR, 60)
    booking = lend_and_book("浙F90001", start, start + 2 * HOUR)
    words = say("owner1", "recall", "A-001", *span(start + HOUR, start + 2 * HOUR), "--plan",
                lang="zh_CN.UTF-8")
    has(words, "可以收回;需移动的预约:1")
    has(say("res1", "recall", "A-001", *span(start, start + HOUR), "--plan", code=1), "not_yours")
    equal(slot_of(booking), 1, "a plan moves nobody: the slot")
    has(say("owner1", "recall", "A-001", *span(start + HOUR, start + 2 * HOUR)), "is yours")
    wait_for(lambda: slot_of(booking) not in (None, 1), "booking %d lies elsewhere" % booking)
    equal(len(told("res1", "booking_broken")), 0, "nothing is broken")
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def who_is_there_stays_and_another_slot_is_offered():
    start = round_up(tide().now() + 2 * MINUTE)
    lend_and_book(OTHER_PLATE, start, start + 3 * HOUR)
    equal(gate(OTHER_PLATE, "in", "booking")["slot"], "A-001", "the slot that he is shown")
    until = round_up(tide().now() + 30 * MINUTE)
    times = span(round_up(tide().now() + 2 * MINUTE), until)
    words = say("owner1", "recall", "A-001", *times, code=1)
    other = has(words, "promised", "with 45 minutes for you").split("--swap ")[1].split()[0]
    has(say("owner1", "recall", "A-001", *times, "--swap", "A-001", code=1), "promised")
    has(say("owner1", "recall", "A-001", *times, "--swap", other, lang="zh_CN.UTF-8"),
        "已改停车位 " + other)
    rows = items(tide().client("owner1").ask("parking.list"), "booking")
    equal([(row["slot"], row["substitute_for"]) for row in rows], [(other, "A-001")], "his promise")
    has(say("owner1", "extend", rows[0]["booking"], "--until", "+4h", code=1), "recall")
    equal(gate(OWNER_PLATE, "in", "resident")["slot"], other, "the slot at the gate")
    gate(OWNER_PLATE, "out", "leaving")
    gate(OTHER_PLATE, "out", "leaving")
    rows = wait_for(lambda: tide().rows(
        "SELECT minutes FROM posting WHERE reason=4 AND booking=?", rows[0]["booking"]),
        "he has his thanks")
    equal(rows, [(45,)], "minutes for who gave way")


# ---- a car that stays ---------------------------------------------------------------------------


@test
def the_owner_is_named_another_slot_before_the_gate():
    start = round_up(tide().now() + 2 * MINUTE)
    lend_and_book(OTHER_PLATE, start, start + 15 * MINUTE)
    gate(OTHER_PLATE, "in", "booking")
    notice = wait_for(lambda: [row for row in told("owner1", "substitute")
                               if row["why"] == "overstayer"], "he is told", 20, step=0.2)[0]
    check(notice["slot"] != "A-001", "his own slot: %r", notice)
    command = gate(OWNER_PLATE, "in", "resident")
    equal((command["slot"], command["booking"]), (notice["slot"], notice["booking"]), "at the gate")
    rows = items(tide().client("guard1").ask("incident.list"), "incident")
    check(all(row["substitute"] == notice["slot"] for row in rows if row["slot"] == "A-001"),
          "the guard's sheet: %r", rows)
    has(say("owner1", "inbox"), notice["slot"])
    gate(OTHER_PLATE, "out", "leaving")
    gate(OWNER_PLATE, "out", "leaving")


@test
def who_comes_after_it_is_moved_before_he_comes():
    start = round_up(tide().now() + 2 * MINUTE)
    lend(start, start + 45 * MINUTE)
    client, made = tide().client("res1"), []
    for plate, first, last in ((OTHER_PLATE, 0, 15), ("浙F90002", 15, 45)):
        made.append(expect(client.ask(
            "parking.book", plate=plate, zone="A", start=civil(start + first * MINUTE),
            end=civil(start + last * MINUTE), visitor=True), "ok")["id"])
    equal(gate(OTHER_PLATE, "in", "booking")["slot"], "A-001", "the first")
    wait_for(lambda: slot_of(made[1]) == 1, "the next lies on A-001 as well")
    wait_for(lambda: slot_of(made[1]) != 1, "the next has another slot", 20, step=0.2)
    check(gate("浙F90002", "in", "booking")["slot"] != "A-001", "two on a slot")


@test
def the_journal_holds_all_of_it():
    tide().stop()
    code, words = tide().verify()
    equal(code, 0, words)


if __name__ == "__main__":
    sys.exit(run_tests())
