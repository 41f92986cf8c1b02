#!/usr/bin/python3
"""Export, correct, forget. Afterwards no byte of plate, name or phone is in any file of the data
folder, and the journal still verifies."""
import datetime
import os
import sys
import time

from harness import (Tide, check, civil, equal, expect, items, round_up, run_tests, shared, test,
                     wait_for)

HOUR = datetime.timedelta(hours=1)
PLATE, NAME, PHONE, VISITOR = "浙FZ9Q88", "欧阳修竹", "13958461357", "苏E7Q7Z7"
STRANGER = "皖A5X5Y5"

tide = shared(lambda: Tide().import_neighbourhood())


def found(words):
    """(file, word) of each word that is in any file of the data and the broker's folder."""
    hits = []
    for top in (tide().data, tide().broker.folder):
        for folder, _folders, files in os.walk(top):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                hits += [(name, word) for word in words if word.encode() in content]
    return hits


@test
def a_person_comes_and_leaves_traces():
    home = "3-2-999"
    tide().put([
        {"is": "place", "place": home, "kind": "household", "parent": "3-2"},
        {"is": "person", "person": home + "/1", "household": home, "full_name": NAME,
         "phone": PHONE},
        {"is": "role", "person": home + "/1", "role": "resident", "place": home},
        {"is": "vehicle", "plate": PLATE, "household": home, "kind": "resident"}])
    clerk = tide().client("clerk1")
    start = round_up(datetime.datetime.now(datetime.timezone.utc) + 3 * HOUR)
    for plate in (PLATE, VISITOR):
        expect(clerk.request("parking.book", {
            "plate": plate, "zone": "A", "start": civil(start), "end": civil(start + HOUR),
            "for": home + "/1", "via": "phone", "visitor": plate == VISITOR}), "ok")
    gateway = tide().client("gw1")
    gateway.hello()
    gateway.fact("plate", {"lane": "G1-in", "plate": PLATE, "dir": "in", "ask": 1})
    gateway.wait_message("/down/command", lambda body: body.get("ask") == 1)
    gateway.fact("plate", {"lane": "G1-in", "plate": STRANGER, "dir": "in", "ask": 2})
    gateway.wait_message("/down/command", lambda body: body.get("ask") == 2)
    time.sleep(1.2)
    check({word for _file, word in found([PLATE, NAME, PHONE])} == {PLATE, NAME, PHONE},
          "the test itself is blind: %r", found([PLATE, NAME, PHONE]))


@test
def an_export_tells_all():
    reply = expect(tide().client("clerk1").ask("person.export", person="3-2-999/1"), "ok")
    text = str(reply)
    for word in (NAME, PHONE, PLATE):
        check(word in text, "the export lacks %s: %s", word, text[:500])
    kinds = {item["is"] for item in reply["items"]}
    check({"person", "booking"} <= kinds, "kinds: %r", kinds)


@test
def a_correction_replaces():
    clerk = tide().client("clerk1")
    expect(clerk.ask("person.correct", person="3-2-999/1", phone="13958460000"), "ok")
    text = str(expect(clerk.ask("person.export", person="3-2-999/1"), "ok"))
    check("13958460000" in text and PHONE not in text, "not corrected: %s", text[:500])
    wait_for(lambda: not found([PHONE]), "the old phone is in a file: %r" % found([PHONE]), 15, 0.5)
    expect(clerk.ask("person.correct", person="3-2-999/1", phone=PHONE), "ok")


@test
def the_journal_never_had_a_text():
    for event, effects in tide().rows("SELECT event, effects FROM journal"):
        for word in (PLATE, NAME, PHONE):
            check(word.encode() not in bytes(event) + bytes(effects or b""),
                  "%s is in the journal", word)


@test
def forgetting_leaves_no_byte():
    """A plate with a live promise or a standing right is in use: these end first."""
    clerk = tide().client("clerk1")
    expect(clerk.ask("person.forget", plate=PLATE), "conflict", "in_use")
    rows = items(expect(clerk.request("parking.list", {"for": "3-2-999/1"}), "ok"), "booking")
    for row in rows:
        how = "parking.leave" if row["state"] == "parked" else "parking.cancel"
        expect(clerk.request(how, {"booking": row["booking"]}), "ok")
    gateway = tide().client("gw1")
    gateway.fact("plate", {"lane": "G1-out", "plate": PLATE, "dir": "out", "ask": 3})
    gateway.wait_message("/down/command", lambda body: body.get("ask") == 3)
    admin = tide().client("admin")
    expect(admin.ask("admin.drop", row={"is": "vehicle", "plate": PLATE}), "ok")
    expect(clerk.ask("person.forget", person="3-2-999/1"), "ok")
    for plate in (PLATE, VISITOR, STRANGER):
        reply = clerk.ask("person.forget", plate=plate)
        check(reply["code"] in ("ok", "not_found"), "%s: %r", plate, reply)
    words = [NAME, PHONE, PLATE, VISITOR, STRANGER]
    wait_for(lambda: not found(words), "no byte is left while it runs: %r" % found(words), 15, 0.5)


@test
def nor_after_a_restart():
    equal(tide().stop(), 0, "exit code")
    equal(found([NAME, PHONE, PLATE, VISITOR, STRANGER]), [], "bytes left")
    code, words = tide().verify()
    equal(code, 0, "tided --verify: " + words[-300:])
    tide().start()


@test
def the_forgotten_is_gone_for_everybody():
    clerk = tide().client("clerk1")
    reply = clerk.ask("person.export", person="3-2-999/1")
    text = str(reply)
    for word in (NAME, PHONE, PLATE):
        check(word not in text, "the export still has %s", word)
    reply = expect(clerk.request("parking.list", {"for": "3-2-999"}), "ok")
    check(PLATE not in str(reply), "the list still has the plate")
    log = expect(tide().client("guard1").ask("gate.log", lane="G1-in"), "ok")
    check(items(log, "passage"), "the passages went away with the plate")
    check(PLATE not in str(log) and STRANGER not in str(log), "the gate's log has the plate")


@test
def a_restore_forgets_again():
    """A backup from before the forgetting brings nobody back."""
    home, plate, name = "3-2-998", "浙FY8W77", "司马相如"
    tide().put([
        {"is": "place", "place": home, "kind": "household", "parent": "3-2"},
        {"is": "person", "person": home + "/1", "household": home, "full_name": name},
        {"is": "vehicle", "plate": plate, "household": home, "kind": "resident"}])
    folder = os.path.join(tide().data, "backups")
    expect(tide().client("admin").ask("backup.start"), "ok")
    wait_for(lambda: [f for f in os.listdir(folder) if f.endswith(".db")]
             if os.path.isdir(folder) else None, "the backup is there", 20, 0.2)
    clerk = tide().client("clerk1")
    expect(clerk.ask("person.forget", person=home + "/1"), "ok")
    # The last of a household takes its cars along: their plates are unknown by now.
    expect(clerk.ask("person.forget", plate=plate), "not_found")
    equal(tide().stop(), 0, "exit code")
    backup = os.path.join(folder, [f for f in sorted(os.listdir(folder)) if f.endswith(".db")][-1])
    code, out, err = tide().run("--restore", backup)
    equal(code, 0, "restore: " + out + err)
    os.remove(backup)
    tide().start()
    equal(found([plate, name]), [], "bytes that came back")
    equal(tide().stop(), 0, "exit code")
    equal(found([plate, name]), [], "bytes that came back")
    code, words = tide().verify()
    equal(code, 0, "tided --verify: " + words[-300:])


if __name__ == "__main__":
    sys.exit(run_tests())
