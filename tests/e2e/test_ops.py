#!/usr/bin/python3
"""What who runs it sees: health, metrics, the log, backup and restore, verify, the clock, exit
codes, a database of scaled time."""
import datetime
import glob
import json
import os
import re
import signal
import sqlite3
import sys
import time

from harness import (RES_PLATE, Tide, check, civil, equal, expect, items, round_up, run_tests,
                     shared, test, wait_for)

HOUR = datetime.timedelta(hours=1)

tide = shared(lambda: Tide().import_neighbourhood())


def book(where, plate=RES_PLATE, hours=3):
    start = round_up(datetime.datetime.now(datetime.timezone.utc) + hours * HOUR)
    return expect(where.client("res1").ask("parking.book", plate=plate, zone="A", visitor=True,
                                           start=civil(start), end=civil(start + HOUR)), "ok")["id"]


@test
def healthz_says_yes():
    status, body = tide().http("/healthz")
    equal(status, 200, "status")
    check(body, "it says nothing")
    equal(tide().http("/secrets")[0], 404, "an unknown path")


@test
def metrics_are_in_the_text_format():
    booking = book(tide())
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")
    status, body = tide().http("/metrics")
    equal(status, 200, "status")
    line = re.compile(r"^tide_[a-z0-9_]+(\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\})? "
                      r"[0-9.eE+-]+$")
    seen = set()
    for text in body.splitlines():
        if text.startswith("#"):
            check(re.match(r"^# (HELP|TYPE) tide_\w+ .+$", text), "a comment: %r", text)
            continue
        check(line.match(text), "a line: %r", text)
        seen.add(re.split(r"[ {]", text)[0])
    for name in ("tide_requests_total", "tide_replies_total", "tide_commits_total",
                 "tide_broker_up", "tide_wal_bytes", "tide_inbox_depth"):
        check(name in seen, "no %s", name)
    equal(tide().metric("tide_broker_up"), 1.0, "broker")
    for word in ("res1", "浙F", "3-2-502"):
        check(word not in body, "%s is in the metrics", word)


@test
def requests_are_counted():
    before = tide().metric("tide_requests_total")
    for _ in range(5):
        expect(tide().client("res1").ask("account.read"), "ok")
    check(tide().metric("tide_requests_total") >= before + 5, "requests are not counted")


@test
def health_knows_the_broker():
    tide().broker.stop(signal.SIGKILL)
    wait_for(lambda: tide().metric("tide_broker_up") == 0.0, "the metric falls", 10)
    status, body = tide().http("/healthz")
    check(status != 200, "healthy without a broker: %s", body)
    tide().broker.start()
    wait_for(lambda: tide().http("/healthz")[0] == 200, "healthy again", 15)


@test
def the_log_is_json_and_masked():
    client = tide().client("res1")
    client.send_raw("parking.book", '{"rid":"log-1","plate":"浙FA1234x13857312345"}'.encode())
    expect(client.ask("whoami"), "ok")
    for line in tide().log_lines():
        entry = json.loads(line)
        check({"t", "level", "what"} <= set(entry), "a line without t, level, what: %r", line)
        check(entry["level"] in ("debug", "info", "warn", "error"), "level: %r", line)
        for secret in ("浙FA1234", "浙FB5678", "13857312345", "王芳菲", "secret-of"):
            check(secret not in line, "the log has %s: %s", secret, line)


@test
def version_and_help():
    code, out, _err = tide().run("--version")
    equal(code, 0, "exit code")
    check(re.search(r"\d+\.\d+\.\d+", out), "version: %r", out)
    code, out, _err = tide().run("--help")
    equal(code, 0, "exit code")
    for word in ("--init", "--verify", "--restore", "--check-config", "--time-scale"):
        check(word in out, "--help does not tell of %s", word)


def backup(where):
    """Asks for a backup; returns the new file when it is complete."""
    folder = os.path.join(where.data, "backups")
    before = set(glob.glob(folder + "/*"))
    expect(where.client("admin").ask("backup.start"), "ok")

    def done():
        new = [path for path in set(glob.glob(folder + "/*")) - before
               if path.endswith(".db") and not path.endswith((".part.db", ".tmp.db"))]
        return new[0] if new else None

    return wait_for(done, "the backup is there", 20, 0.1)


@test
def a_backup_is_whole_and_restores():
    kept = book(tide(), "浙FK0001")
    path = backup(tide())
    link = sqlite3.connect("file:%s?mode=ro&immutable=1" % path, uri=True)
    equal(link.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity of the backup")
    link.close()
    code, out, err = tide().run("--verify", path, seconds=120)
    equal(code, 0, "verify of the backup: " + (out + err)[-300:])
    lost = book(tide(), "浙FK0002", 5)
    code, _out, err = tide().run("--restore", path)
    check(code != 0, "restored under a living daemon: %s", err)
    equal(tide().stop(), 0, "exit code")
    code, out, err = tide().run("--restore", path)
    equal(code, 0, "restore: " + out + err)
    tide().start()
    res1 = tide().client("res1")
    reply = expect(res1.ask("parking.list"), "ok")
    equal(reply["incarnation"], 2, "incarnation")
    rows = {row["booking"] for row in items(reply, "booking")}
    check(kept in rows and lost not in rows, "kept %d, lost %d, seen %r", kept, lost, rows)
    zone = tide().new_client("owner1").wait_message("/pub/zone/A")
    check(zone, "no public state after the restore")
    sys_state = tide().new_client("owner1").wait_message("/sys/n1")
    equal(sys_state["incarnation"], 2, "incarnation in the node's state")
    expect(res1.ask("parking.cancel", booking=kept), "ok")


@test
def two_backups_of_one_second_are_two_files():
    first, second = backup(tide()), backup(tide())
    check(os.path.exists(first) and os.path.exists(second), "%s and %s", first, second)


@test
def a_broken_backup_is_refused():
    path = backup(tide())
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"\xaa" * 8192)
    equal(tide().stop(), 0, "exit code")
    code, out, err = tide().run("--restore", path)
    check(code != 0, "a broken backup was restored: %s %s", out, err)
    with open(path, "wb") as file:
        file.write(b"hello")
    check(tide().run("--restore", path)[0] != 0, "five bytes were restored")
    tide().start()
    expect(tide().client("res1").ask("account.read"), "ok")


@test
def verify_is_content_and_finds_a_change():
    booking = book(tide(), "浙FV0001")
    equal(tide().stop(), 0, "exit code")
    code, words = tide().verify()
    equal(code, 0, "verify: " + words[-300:])
    copy = Tide(init=False, up=False)
    for end in ("", "-wal"):
        if os.path.exists(tide().database + end):
            with open(tide().database + end, "rb") as file, open(copy.database + end, "wb") as out:
                out.write(file.read())
    link = sqlite3.connect(copy.database)
    link.execute("UPDATE booking SET end_ms = end_ms + 300000 WHERE plate = "
                 "(SELECT id FROM name WHERE text = '浙FV0001')")
    check(link.total_changes == 1, "%d rows changed", link.total_changes)
    link.commit()
    link.close()
    code, words = copy.verify()
    equal(code, 65, "exit code of verify over a changed table: " + words[-300:])
    copy.close()
    tide().start()
    expect(tide().client("res1").ask("parking.cancel", booking=booking), "ok")


@test
def the_journal_cannot_be_edited():
    equal(tide().stop(), 0, "exit code")
    link = sqlite3.connect(tide().database)
    for sql in ("UPDATE journal SET when_ms = 0", "DELETE FROM journal"):
        try:
            link.execute(sql)
            seen = "done"
        except sqlite3.Error as error:
            seen = str(error)
        check(seen != "done", "%s was done", sql)
    link.close()
    tide().start()


@test
def a_scaled_database_is_marked():
    scaled = Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood()
    equal(scaled.stop(), 0, "exit code")
    scaled.scale = None
    code, _out, err = scaled.run(seconds=20)
    check(code not in (0, 75), "a real daemon took a scaled database: %d %s", code, err)
    scaled.close()


@test
def a_start_far_from_the_last_row_waits_for_the_clock():
    """A daemon that wakes more than a week later runs no deadline until the clock is accepted."""
    late = Tide(scale=1, start_at="2019-05-20T08:00+08:00").import_neighbourhood()
    booking_start = civil(late.now().replace(hour=10, minute=0, second=0, microsecond=0))
    booking_end = civil(late.now().replace(hour=11, minute=0, second=0, microsecond=0))
    made = expect(late.client("res1").ask("parking.book", plate="浙FT0001", zone="A", visitor=True,
                                          start=booking_start, end=booking_end), "ok")["id"]
    equal(late.stop(), 0, "exit code")
    late.start_at = "2019-05-29T08:00+08:00"
    late.start()
    status = items(expect(late.client("admin").ask("status.read"), "ok"), "status")[0]
    equal(status.get("clock_suspended"), True, "clock_suspended")
    equal(late.metric("tide_clock_suspended"), 1.0, "metric")
    rows = items(expect(late.client("res1").ask("parking.list"), "ok"), "booking")
    check(made in [row["booking"] for row in rows], "a deadline ran on an untrusted clock")
    expect(late.client("res1").ask("clock.accept"), "not_authorized")
    expect(late.client("admin").ask("clock.accept"), "ok")
    wait_for(lambda: made not in [row["booking"] for row in items(
        late.client("res1").ask("parking.list"), "booking")], "the no-show runs", 10, 0.2)
    late.close()


@test
def init_refuses_a_database_that_is_there():
    equal(tide().stop(), 0, "exit code")
    code, _out, err = tide().run("--init", "--domain", "home", "--community", "lidu", "--admin",
                                 "admin", "--admin-hash", "$7$101$AAAA$BBBB")
    check(code != 0, "a second --init was done: %s", err)
    tide().start()
    expect(tide().client("admin").ask("whoami"), "ok")


@test
def the_day_goes_on_without_a_broker():
    """Started before its broker, the daemon waits and then serves."""
    alone = Tide(up=False)
    alone.start(wait=False)
    time.sleep(1)
    check(alone.process.poll() is None, "it ended: %s", alone.log_tail())
    alone.broker.start()
    wait_for(alone.healthy, "it is up", 15)
    expect(alone.client("admin").ask("whoami"), "ok")
    equal(alone.stop(), 0, "exit code")
    alone.close()


if __name__ == "__main__":
    sys.exit(run_tests())
