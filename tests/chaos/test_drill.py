#!/usr/bin/python3
"""Backup, forgetting and restore, drilled under load with the very commands of README.md.

    load ──► backup ──► load ──► somebody is forgotten ──► load ──► stop ──► restore ──► start
      │ acknowledged before: must be there, same rid same answer
      └ acknowledged after: gone, and every number that is given anew carries another incarnation
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

import chaos
from chaos import FIGURES, Ledger, Swarm, Town, check, equal, expect, figures
from harness import BUILD, ROOT, run_tests, shared, test, wait_for

CLIENTS = 200
NAME, PHONE, PLATE, VISITOR = "慕容雪村", "13958461357", "浙FZ9Q88", "苏E7Q7Z7"
HOME = "h-gone"

town = shared(lambda: Town(clients=CLIENTS))
swarm = shared(lambda: Swarm(town(), ledger=True))
ledger = shared(lambda: Ledger(swarm().ledger))
kept = {}  # what one test leaves for the next


def readme_command():
    """The words of the README's restore section, as they stand there."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    found = re.search(r"\*\*Restore\*\*: stop tided,\s+`([^`]+)`, start", text)
    check(found, "README.md has no restore section of the form: stop tided, `...`, start")
    return found.group(1)


def restore(backup):
    """stop tided, `tided -c … --restore BACKUP`, start: only the paths are this test's own."""
    words = readme_command().split()
    check("tided" in words and "BACKUP" in words, "the README's command changed: %r", words)
    mine = {"tided": os.path.join(BUILD, "tided"), "BACKUP": backup,
            "/etc/tide/tided.conf": town().conf_file}
    done = subprocess.run([mine.get(word, word) for word in words], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    equal(done.returncode, 0, "restore: " + done.stdout)


def found(words):
    """(file, word) of each word that is in any file of the daemon's and the broker's folder."""
    hits = []
    for top in (town().data, town().broker.folder):
        for folder, _folders, files in os.walk(top):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                hits += [(name, word) for word in words if word.encode() in content]
    return hits


def journal():
    """(domain, seq) -> what stands there."""
    return {(d, seq): (bytes(event), bytes(effects)) for d, seq, event, effects in
            town().rows("SELECT domain, seq, event, effects FROM journal")}


def incarnation():
    link = sqlite3.connect("file:%s?mode=ro" % town().database, uri=True)
    try:
        return link.execute("SELECT value FROM meta WHERE key = 'incarnation'").fetchone()[0]
    finally:
        link.close()


@test
def a_backup_is_taken_under_load():
    town().put([
        {"is": "place", "place": HOME, "kind": "household", "parent": "yard"},
        {"is": "person", "person": HOME + "/1", "household": HOME, "full_name": NAME,
         "phone": PHONE},
        {"is": "role", "person": HOME + "/1", "role": "resident", "place": HOME},
        {"is": "vehicle", "plate": PLATE, "household": HOME, "kind": "resident"}])
    day = town().now() + chaos.harness.datetime.timedelta(days=3)
    for plate in (PLATE, VISITOR):
        expect(town().client("admin").request("parking.book", {
            "plate": plate, "zone": "A", "for": HOME + "/1", "via": "phone",
            "visitor": plate == VISITOR, "start": day.strftime("%Y-%m-%dT10:00+08:00"),
            "end": day.strftime("%Y-%m-%dT12:00+08:00")}), "ok")
    swarm().order("load", CLIENTS, 100)
    time.sleep(1.0)
    ledger().read()
    kept["before"] = ledger().lines
    folder = os.path.join(town().data, "backups")
    expect(town().client("admin").ask("backup.start"), "ok")

    def done():
        names = [n for n in os.listdir(folder) if n.endswith(".db") and ".part" not in n] \
            if os.path.isdir(folder) else []
        return os.path.join(folder, names[0]) if names else None

    kept["backup"] = wait_for(done, "the backup is there", 20, 0.05)
    time.sleep(1.0)
    ledger().read()
    check(ledger().lines > kept["before"] > 100, "there was no load: %d", kept["before"])


@test
def somebody_is_forgotten_under_load():
    admin = town().client("admin")
    for row in harness_items(expect(admin.request("parking.list", {"for": HOME + "/1"}), "ok")):
        expect(admin.ask("parking.cancel", booking=row["booking"]), "ok")
    check({word for _name, word in found([NAME, PHONE, PLATE, VISITOR])}
          == {NAME, PHONE, PLATE, VISITOR}, "the test is blind")
    expect(admin.ask("admin.drop", row={"is": "vehicle", "plate": PLATE}), "ok")
    expect(admin.ask("person.forget", person=HOME + "/1"), "ok")
    for plate in (PLATE, VISITOR):
        check(admin.ask("person.forget", plate=plate)["code"] in ("ok", "not_found"), "not taken")
    time.sleep(0.5)


def harness_items(reply):
    return chaos.harness.items(reply, "booking")


@test
def the_readme_restores_it():
    equal(town().stop(), 0, "exit code")  # under load, as it comes
    ledger().read()
    swarm().order("idle")
    kept["journal"], kept["incarnation"] = journal(), incarnation()
    kept["told"] = dict(ledger().told)
    restore(kept["backup"])
    check(incarnation() > kept["incarnation"], "the incarnation was not raised")
    town().start()
    heard = swarm().order("restored", kept["before"], 20000)
    equal((heard["differ"], heard["pending"]), (0, 0), "answers from before the backup")
    equal(heard["same"], kept["before"], "answers from before the backup")
    FIGURES.update(drill_before=kept["before"], drill_lost=0, drill_after=ledger().lines)


@test
def clients_repeat_what_the_backup_did_not_have():
    """Their rids are new to it: they are decided anew, once; the load goes on."""
    equal(swarm().order("drain", 20000)["pending"], 0, "repeated requests without an answer")
    swarm().order("load", CLIENTS, 100)
    time.sleep(1.0)
    equal(swarm().order("drain", 20000)["pending"], 0, "requests without an answer")
    wait_for(lambda: town().metric("tide_fold_lag_events") == 0, "the tables are there")
    twice = town().rows("SELECT plate, count(*) FROM booking GROUP BY plate HAVING count(*) > 1")
    equal(twice, [], "requests that were done twice")


@test
def no_number_means_two_things_in_one_incarnation():
    given, lines = {}, 0
    with open(swarm().ledger, encoding="utf-8") as file:
        for line in file:
            _user, rid, kind, _digest, code, number, reply = line.rstrip("\n").split("\t", 6)
            if kind != "book" or code != "ok":
                continue
            lines += 1
            key = (json.loads(reply)["incarnation"], number)
            equal(given.setdefault(key, rid), rid, "who was given booking %s" % number)
    incarnations = {key[0] for key in given}
    equal(incarnations, {kept["incarnation"], incarnation()}, "incarnations seen")
    now, shared_part = journal(), 0
    backup = sqlite3.connect("file:%s?mode=ro&immutable=1" % kept["backup"], uri=True)
    last = backup.execute("SELECT max(seq) FROM journal").fetchone()[0]
    backup.close()
    for key, row in kept["journal"].items():
        if key[1] <= last:
            equal(now.get(key), row, "journal row %d from before the backup" % key[1])
            shared_part += 1
    other = sum(key[1] > last and now.get(key) not in (None, row)
                for key, row in kept["journal"].items())
    print("# backup at seq %d; %d rows after it were decided anew, under incarnation %d"
          % (last, other, incarnation()))
    check(shared_part == last, "%d of %d rows", shared_part, last)


@test
def the_forgotten_stay_forgotten():
    os.rename(kept["backup"], os.path.join(town().folder, "backup.db"))
    words = [NAME, PHONE, PLATE, VISITOR]
    equal(found(words), [], "bytes that came back")
    swarm().close()
    chaos.verify(town())
    equal(found(words), [], "bytes that came back")
    FIGURES.update(forgotten_bytes=0)


@test
def a_second_restore_after_a_lost_disk_is_another_incarnation():
    """The same backup once more, and the database that knew of the first restore is gone."""
    first = incarnation()
    os.remove(town().database)
    restore(os.path.join(town().folder, "backup.db"))
    check(incarnation() > first, "incarnation %d again: %d", first, incarnation())
    equal(found([NAME, PHONE, PLATE, VISITOR]), [], "bytes that came back")
    town().start()
    chaos.verify(town())


if __name__ == "__main__":
    result = run_tests()
    figures()
    sys.exit(result)
