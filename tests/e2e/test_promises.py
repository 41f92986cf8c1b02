#!/usr/bin/python3
"""What is promised when things break: repeats, kill -9, a broker that loses everything, a second
daemon, a full disk, a wrong configuration, orders by signal."""
import contextlib
import datetime
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid

from harness import (BUILD, DOMAIN, FOLDERS, MOUNTS, QUIET_S, Failed, Skip, Tide, check,
                     civil, equal, expect, items, parse_time, real_time, round_up, run_tests,
                     shared, tempfile, test, wait_for)

HOUR = datetime.timedelta(hours=1)

tide = shared(lambda: Tide().import_neighbourhood())


def span(hours_ahead=3.0, hours=1.0):
    start = round_up(datetime.datetime.now(datetime.timezone.utc)
                     + datetime.timedelta(hours=hours_ahead))
    return {"start": civil(start), "end": civil(start + hours * HOUR)}


def a_plate(number):
    return "浙FP%04d" % number


# ---- the life of a rid --------------------------------------------------------------------------


@test
def the_same_rid_gets_the_same_answer_and_is_done_once():
    res1, rid, life = tide().client("res1"), "same-1", real_time(60)
    body = dict(span(), plate=a_plate(1), zone="A", visitor=True)
    first = expect(res1.request("parking.book", body, rid, life), "ok")
    before = tide().events()
    for _ in range(3):
        equal(res1.request("parking.book", body, rid, life), first, "answer to a repeat")
    equal(tide().events(), before, "events in the journal")
    expect(res1.ask("parking.cancel", booking=first["id"]), "ok")
    equal(res1.request("parking.book", body, rid, life), first, "answer after more has happened")


@test
def a_refusal_is_kept_like_an_answer():
    res1, rid, life = tide().client("res1"), "same-2", real_time(60)
    body = {"booking": 999999}
    first = res1.request("parking.cancel", body, rid, life)
    check(first["code"] in ("not_found", "not_authorized"), "seen %r", first)
    equal(res1.request("parking.cancel", body, rid, life), first, "answer to a repeat")


@test
def another_body_under_the_same_rid_is_a_conflict():
    res1, rid, life = tide().client("res1"), "same-3", real_time(60)
    body = dict(span(), plate=a_plate(2), zone="A", visitor=True)
    made = expect(res1.request("parking.book", body, rid, life), "ok")
    other = dict(body, plate=a_plate(3))
    expect(res1.request("parking.book", other, rid, life), "conflict")
    equal(res1.request("parking.book", body, rid, life), made, "the first body still has its own")
    expect(res1.ask("parking.cancel", booking=made["id"]), "ok")


@test
def users_do_not_share_rids():
    rid, life = "same-4", real_time(60)
    mine = tide().client("res1").request("account.read", {}, rid, life)
    his = tide().client("owner1").request("account.read", {}, rid, life)
    check(items(mine, "account") != items(his, "account"), "one answer for two users")


@test
def after_its_life_a_rid_is_expired_and_never_done():
    res1 = tide().client("res1")
    body = dict(span(), plate=a_plate(4), zone="A", visitor=True)
    before = tide().events()
    expect(res1.request("parking.book", body, "late-1", real_time(-5)), "expired")
    equal(tide().events(), before, "events in the journal")
    reply = res1.request("parking.book", body, "late-2", real_time(8 * 86400))
    expect(reply, "invalid")


@test
def one_answer_is_stored_across_a_restart():
    res1, rid, life = tide().client("res1"), "same-5", real_time(120)
    body = dict(span(), plate=a_plate(5), zone="A", visitor=True)
    first = expect(res1.request("parking.book", body, rid, life), "ok")
    tide().stop(signal.SIGKILL)
    tide().start()
    equal(res1.request("parking.book", body, rid, life), first, "answer after kill -9")
    expect(res1.ask("parking.cancel", booking=first["id"]), "ok")


@test
def a_press_at_the_arm_is_not_done_late():
    guard = tide().client("guard1")
    commands = tide().rows("SELECT count(*) FROM command")[0][0]
    for seconds in (11, 60, 3600):
        reply = guard.request("gate.open", {"lane": "G1-in"}, expires=real_time(seconds))
        equal(expect(reply, "invalid")["at"], "expires", "place of the fault")
    with guard.turn:
        start_at = len(guard.messages)
    tide().process.send_signal(signal.SIGSTOP)
    try:
        rid = guard.send("gate.open", {"lane": "G1-in"}, expires=real_time(1))
        time.sleep(1.2)
    finally:
        tide().process.send_signal(signal.SIGCONT)
    expect(guard.reply(rid, start_at=start_at), "expired")
    equal(tide().rows("SELECT count(*) FROM command")[0][0], commands, "commands")
    life = real_time(5)
    made = expect(guard.request("gate.open", {"lane": "G1-in"}, "press-1", life), "ok")
    equal(guard.request("gate.open", {"lane": "G1-in"}, "press-1", life), made, "a repeat")
    wait_for(lambda: tide().rows("SELECT count(*) FROM command")[0][0] == commands + 1,
             "one command")


# ---- kill -9 under load -------------------------------------------------------------------------


class Load:
    """Books and cancels without end; remembers what was acknowledged."""

    def __init__(self, client, number):
        self.client, self.number = client, number
        self.live, self.gone, self.asked, self.going = {}, set(), 0, True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def request(self, op, members):
        """Repeats the same request until it is answered, as any client would."""
        rid, life = uuid.uuid4().hex[:20], real_time(120)
        while self.going:
            try:
                reply = self.client.request(op, members, rid, life, seconds=1.0)
            except Failed:
                time.sleep(0.05)
                continue
            if reply["code"] not in ("busy", "unavailable"):
                self.asked += 1
                return reply
            time.sleep(0.05)
        return None

    def run(self):
        rnd = random.Random(self.number)
        while self.going:
            if len(self.live) > 3:
                booking = rnd.choice(sorted(self.live))
                del self.live[booking]
                reply = self.request("parking.cancel", {"booking": booking})
                if reply is not None:  # else asked and not answered: it may be there or not
                    check(reply["code"] == "ok", "cancel: %r", reply)
                    self.gone.add(booking)
                continue
            body = dict(span(rnd.randint(2, 200), 1), zone="A", visitor=True,
                        plate=a_plate(self.number * 1000 + rnd.randint(100, 999)))
            reply = self.request("parking.book", body)
            if reply is not None and reply["code"] == "ok":
                check(reply["id"] not in self.live, "id %d twice", reply["id"])
                self.live[reply["id"]] = body

    def stop(self):
        self.going = False
        self.thread.join(20)


@test
def nothing_acknowledged_is_lost_by_kill_9():
    clerk = tide().client("clerk1")
    loads = [Load(tide().new_client(user), number)
             for number, user in enumerate(("res1", "res1", "owner1", "owner1"), 1)]
    try:
        for _ in range(5):
            asked = sum(load.asked for load in loads)
            wait_for(lambda n=asked: sum(load.asked for load in loads) > n + 20, "load is served")
            time.sleep(random.uniform(0.0, 0.2))
            tide().stop(signal.SIGKILL)
            tide().start()
    finally:
        for load in loads:
            load.stop()
    listed = {}
    for party in ("3-2-501", "3-2-502"):
        reply = expect(clerk.request("parking.list", {"for": party}), "ok")
        listed.update({row["booking"]: row for row in items(reply, "booking")})
    for load in loads:
        for booking, body in load.live.items():
            row = listed.get(booking)
            check(row is not None, "booking %d was acknowledged and is lost", booking)
            equal((row["state"], parse_time(row["start"])), ("booked", parse_time(body["start"])),
                  "booking %d" % booking)
        check(not set(load.gone) & set(listed), "a cancelled booking is back")
    # Asked and never answered: at most one a client, and each slot has one promise at a time.
    extra = set(listed) - {booking for load in loads for booking in load.live}
    check(len(extra) <= len(loads) + 2, "%d bookings that nobody asked for", len(extra))
    total = sum(load.asked for load in loads)
    print("# %d requests, 5 kills" % total)
    overlaps = tide().rows(
        "SELECT a.booking, b.booking FROM booking a JOIN booking b ON a.slot = b.slot"
        " AND a.slot <> 0 AND a.id < b.id AND a.start_ms < b.end_ms AND b.start_ms < a.end_ms"
        " AND a.state <= 1 AND b.state <= 1") if column("booking") else tide().rows(
        "SELECT a.id, b.id FROM booking a JOIN booking b ON a.slot = b.slot"
        " AND a.slot <> 0 AND a.id < b.id AND a.start_ms < b.end_ms AND b.start_ms < a.end_ms"
        " AND a.state <= 1 AND b.state <= 1")
    equal(overlaps, [], "bookings that share a slot")


def column(name):
    return name in [row[1] for row in tide().rows("PRAGMA table_info(booking)")]


@test
def what_was_decided_verifies_after_all_that():
    tide().stop()
    code, words = tide().verify()
    equal(code, 0, "tided --verify: " + words[-300:])
    tide().start()


# ---- the broker dies ----------------------------------------------------------------------------


@test
def a_broker_that_lost_everything_gets_it_all_again():
    res1 = tide().client("res1")
    res1.wait_message("/pub/zone/A")
    tide().broker.stop(signal.SIGKILL)
    time.sleep(0.3)
    tide().broker.start()
    fresh = tide().new_client("owner1")
    zone = fresh.wait_message("/pub/zone/A", seconds=15)
    equal(zone["slots"], 24, "zone A")
    fresh.wait_message("/pub/zone/others")
    fresh.wait_message("/sys/n1", lambda body: body["state"] == "up")
    expect(fresh.ask("account.read"), "ok")
    res1.wait(lambda: res1.connected, "the old client is back", 10)
    expect(res1.ask("account.read"), "ok")
    with fresh.turn:
        retained = {topic for topic, _body, retain, _raw in fresh.messages if retain}
    check("tide/1/%s/pub/zone/A" % DOMAIN in retained
          or tide().new_client("res1").wait_message("/pub/zone/A"), "retained: %r", retained)


@test
def who_asked_while_the_broker_was_away_is_answered_after():
    res1, rid, life = tide().client("res1"), "away-1", real_time(60)
    body = dict(span(), plate=a_plate(6), zone="A", visitor=True)
    tide().broker.stop(signal.SIGKILL)
    time.sleep(0.2)
    tide().broker.start()

    def again():
        try:
            return res1.request("parking.book", body, rid, life, seconds=1)
        except Failed:
            return None

    reply = expect(wait_for(again, "an answer", 20), "ok")
    expect(res1.ask("parking.cancel", booking=reply["id"]), "ok")


@test
def a_death_is_told_by_the_will():
    res1 = tide().client("res1")
    with res1.turn:
        seen = len(res1.messages)
    tide().stop(signal.SIGKILL)
    res1.wait_message("/sys/n1", lambda body: body["state"] == "down", 15, seen)
    tide().start()
    res1.wait_message("/sys/n1", lambda body: body["state"] == "up", 15, seen)


# ---- orders and refusals of the daemon ----------------------------------------------------------


@test
def a_second_daemon_is_refused():
    code, _out, err = tide().run("-o", "http_port=0", seconds=20)
    equal(code, 75, "exit code: " + err[-200:])
    expect(tide().client("res1").ask("account.read"), "ok")


@test
def a_database_that_is_not_ours_is_left_alone():
    """Written by a newer Tide, by another program, in scaled time: 78, and no table is changed."""
    equal(tide().stop(), 0, "exit code")
    path, kept = tide().database, tide().database + ".kept"
    shutil.copyfile(path, kept)

    def content():
        with contextlib.closing(sqlite3.connect(path)) as link:
            marks = [link.execute("PRAGMA " + name).fetchone() for name in (
                "user_version", "application_id")]
            return marks + list(link.iterdump())

    table = [("PRAGMA user_version=99", "newer"),
             ("PRAGMA user_version=99; PRAGMA application_id=7", "another program"),
             ("UPDATE meta SET value=1 WHERE key='scaled'", "scaled")]
    try:
        for sql, word in table:
            with contextlib.closing(sqlite3.connect(path)) as link:
                link.executescript(sql)
                link.commit()
            before = content()
            code, out, err = tide().run("-o", "http_port=0", seconds=20)
            equal(code, 78, "exit code: " + err[-200:])
            said = [json.loads(line) for line in (out + err).splitlines() if line.startswith("{")]
            why = [line["why"] for line in said if line["what"] == "store.open"]
            check(why and word in why[0], "no reason: %s", out + err)
            check(content() == before, "the database was changed: %s", sql)
            check(not os.path.exists(path + "-wal"), "a WAL is left")
            shutil.copyfile(kept, path)
    finally:
        os.replace(kept, path)
        tide().start()
    expect(tide().client("res1").ask("account.read"), "ok")


@test
def a_wrong_configuration_is_told_by_line():
    table = [("nodes = x", "nodes"), ("http_port = 70000", "http_port"),
             ("log_level = loud", "log_level"), ("slots_max = many", "slots_max"),
             ("no equals sign", "")]
    path = os.path.join(tide().folder, "wrong.conf")
    for line, word in table:
        with open(path, "w", encoding="utf-8") as file:
            file.write("# first\nnode = n1\n%s\n" % line)
        for more in ([], ["--check-config"]):
            done = subprocess.run([os.path.join(BUILD, "tided"), "-c", path] + more, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20,
                                  check=False)
            equal(done.returncode, 78, "exit code for %r" % line)
            check("wrong.conf:3" in done.stderr and word in done.stderr, "no line, no reason: %s",
                  done.stderr)
    equal(tide().run("-o", "nodes=x", seconds=20)[0], 78, "exit code for a wrong -o")
    equal(tide().run("--frobnicate", seconds=20)[0], 64, "exit code for a wrong option")
    done = subprocess.run([os.path.join(BUILD, "tided"), "-c", "/nowhere/tided.conf"], text=True,
                          stderr=subprocess.PIPE, timeout=20, check=False)
    equal(done.returncode, 78, "exit code without a file")


@test
def a_printed_configuration_is_a_good_one():
    code, out, _err = tide().run("--print-config")
    equal(code, 0, "exit code")
    path = os.path.join(tide().folder, "printed.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(out)
    done = subprocess.run([os.path.join(BUILD, "tided"), "-c", path, "--check-config"], timeout=20,
                          check=False)
    equal(done.returncode, 0, "exit code")


@test
def sighup_reads_the_configuration_again():
    tide().conf["log_level"] = "debug"
    tide().write_conf()
    lines = len(tide().log_lines())
    tide().process.send_signal(signal.SIGHUP)
    wait_for(lambda: any('"reload' in line for line in tide().log_lines()[lines:]),
             "the log tells of the reload")
    expect(tide().client("res1").ask("account.read"), "ok")
    tide().conf["log_level"] = "shouting"
    tide().write_conf()
    tide().process.send_signal(signal.SIGHUP)
    time.sleep(QUIET_S)
    expect(tide().client("res1").ask("account.read"), "ok")
    tide().conf["log_level"] = "info"
    tide().write_conf()
    tide().process.send_signal(signal.SIGHUP)


@test
def sigterm_answers_what_it_took_and_ends():
    clients = [tide().new_client("res1") for _ in range(2)]
    body = span(300, 1)
    rids = [(clients[n % 2], clients[n % 2].send("parking.book", dict(
        body, plate=a_plate(7000 + n), zone="A", visitor=True))) for n in range(6)]
    began = time.monotonic()
    equal(tide().stop(), 0, "exit code")
    check(time.monotonic() - began < 8, "it took %.1f s", time.monotonic() - began)
    wal = tide().database + "-wal"
    check(not os.path.exists(wal) or os.path.getsize(wal) == 0, "the WAL was left full")
    tide().start()
    answered = [client.find("/res/" + rid) for client, rid in rids]
    made = [reply["id"] for reply in answered if reply and reply["code"] == "ok"]
    rows = items(expect(tide().client("res1").ask("parking.list"), "ok"), "booking")
    check(set(made) <= {row["booking"] for row in rows}, "an answered booking is not there")
    for booking in {row["booking"] for row in rows}:
        expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


# ---- the disk is full ---------------------------------------------------------------------------


def small_disk():
    """A folder of 24 MiB that is a file system of its own."""
    folder = tempfile.mkdtemp(prefix="tide-disk-")
    FOLDERS.append(folder)
    if os.geteuid() != 0 or subprocess.call(["mount", "-t", "tmpfs", "-o", "size=24m", "tide",
                                             folder], stderr=subprocess.DEVNULL) != 0:
        raise Skip("mounting a small tmpfs needs root")
    MOUNTS.append(folder)
    return folder


def fill(folder):
    """Takes all the room that is left; returns the file to remove."""
    path = os.path.join(folder, "ballast")
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return path


@test
def a_full_disk_refuses_and_heals_in_the_same_process():
    data = small_disk()
    small = Tide(data=os.path.join(data, "data")).import_neighbourhood()
    res1 = small.client("res1")
    made = expect(res1.request("parking.book", dict(span(), plate=a_plate(8), zone="A",
                                                    visitor=True)), "ok")
    pid = small.process.pid
    ballast = fill(data)
    refused, answered = None, {made["id"]}
    for number in range(400):
        body = dict(span(5 + number % 200), plate=a_plate(2000 + number), zone="A", visitor=True)
        reply = res1.request("parking.book", body, seconds=10)
        if reply["code"] == "unavailable":
            refused = reply
            break
        if reply["code"] == "ok":
            answered.add(reply["id"])
            expect(res1.ask("parking.cancel", booking=reply["id"]), "ok")
            answered.discard(reply["id"])
    check(refused is not None, "the disk is full and nobody noticed")
    check(small.http("/healthz")[0] != 200, "/healthz is content with a full disk")
    equal(small.metric("tide_unavailable"), 1.0, "metric")
    os.remove(ballast)
    body = dict(span(4), plate=a_plate(9), zone="A", visitor=True)

    def again():
        reply = res1.request("parking.book", body, seconds=10)
        return reply if reply["code"] != "unavailable" else None

    reply = expect(wait_for(again, "it serves again", 20, 0.3), "ok")
    answered.add(reply["id"])
    equal(small.process.pid, pid, "process")
    check(small.process.poll() is None, "it ended")
    rows = items(expect(res1.ask("parking.list"), "ok"), "booking")
    equal({row["booking"] for row in rows}, answered, "bookings")
    equal(small.stop(), 0, "exit code")
    code, words = small.verify()
    equal(code, 0, "tided --verify: " + words[-300:])
    check(json.dumps(refused), "refusal")
    small.close()


if __name__ == "__main__":
    sys.exit(run_tests())
