#!/usr/bin/python3
"""tidectl against a real tided and a real broker: what people read, what scripts get, what an
import does, and the exit codes (0 done, 1 refused, 2 usage, 3 no answer, 4 no connection)."""
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from harness import (BUILD, DOMAIN, OWNER_PLATE, RES_PLATE, Tide, check, equal, has, parse_time,
                     run_tests, shared, test, wait_for)

TIDECTL = os.path.join(BUILD, "tidectl")
tide = shared(lambda: Tide(scale=60, start_at="2019-05-20T08:00+08:00").import_neighbourhood())
FILES = tempfile.TemporaryDirectory(prefix="tidectl-")


def path(name):
    return os.path.join(FILES.name, name)


def put_file(name, content, mode=0o600):
    with open(path(name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path(name), mode)
    return path(name)


def settings(user, secret=None):
    """A settings file of a user; its secret lies beside it."""
    put_file(user + ".secret", (secret or tide().secrets[user]) + "\n")
    return put_file(user + ".conf", "uri = tcp://127.0.0.1:%d\ndomain = %s\nuser = %s\n"
                    "secret_file = %s.secret\n" % (tide().broker.port, DOMAIN, user, user))


def environment(user=None, lang="C.UTF-8"):
    env = {"PATH": os.environ["PATH"], "HOME": FILES.name, "LANG": lang}
    if user:
        env["TIDECTL_CONF"] = settings(user)
    return env


def run(user, *words, code=0, lang="C.UTF-8", env=None):
    """stdout and stderr of `tidectl words`, which must end with this code."""
    done = subprocess.run([TIDECTL, *words], env=env or environment(user, lang), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=False)
    check(done.returncode == code, "tidectl %s: exit %d, expected %d: %s%s", " ".join(words),
          done.returncode, code, done.stdout[-500:], done.stderr[-800:])
    return done.stdout, done.stderr


def reply(user, *words, code=0):
    """The reply of `tidectl --json words`: one line."""
    lines = run(user, "--json", *words, code=code)[0].splitlines()
    check(len(lines) == 1, "one line: %r", lines)
    return json.loads(lines[0])


# ---- the command line ---------------------------------------------------------------------------


@test
def help_and_usage():
    has(run(None, "help")[0], "book", "import", "Exit codes")
    has(run(None, "help", "book")[0], "PLATE", "--until", "Example:")
    has(run(None, "incident", "close", "-h")[0], "INCIDENT")
    has(run(None, "help", "user")[0], "user add", "user revoke")
    has(run(None, "help", lang="zh_CN.UTF-8")[0], "预约车位", "退出码")
    has(run(None, "--version")[0], "tidectl ")
    has(run(None, code=2)[1], "COMMAND")
    has(run(None, "boook", code=2)[1], "no command 'boook'")
    has(run(None, "gate", code=2)[1], "one more word")
    has(run(None, "whoami", code=2)[1], "--user")
    has(run("res1", "book", RES_PLATE, code=2)[1], "needs --until", "for example")
    has(run("res1", "book", "X1", "--until", "+2h", code=2)[1], "is no plate")
    has(run("res1", "list", "--nonsense", code=2)[1], "--nonsense")


@test
def every_command_has_help_and_words_for_the_shell():
    names = run(None, "__words")[0].splitlines()
    check(len(names) > 35, "commands: %d", len(names))
    for name in names:
        for lang, mark in (("C.UTF-8", "Example:"), ("zh_CN.UTF-8", "示例")):
            has(run(None, "help", *name.split(), lang=lang)[0], mark, "tidectl " + name)
    has(run(None, "__words", "book")[0], "--via app phone")
    equal(run(None, "__words", "incident")[0].split(), ["list", "close"])


@test
def connection_troubles_have_their_own_code():
    has(run("res1", "--uri", "tcp://127.0.0.1:9", "list", code=4)[1], "cannot connect")
    for user, secret in ("nobody1", "whatever"), ("res1", "wrong"):
        env = dict(environment(), TIDECTL_CONF=settings(user, secret))
        has(run(None, "list", code=4, env=env)[1], "does not let user '%s' in" % user, "secret")
    has(run("res1", "--timeout", "1", "--domain", "elsewhere", "list", code=3)[1], "no answer")
    env = environment("res1")
    os.chmod(path("res1.secret"), 0o644)
    has(run(None, "whoami", env=env)[1], "chmod 600")
    put_file("bad.conf", "usr = x\n")
    has(run(None, "whoami", code=2, env=dict(env, TIDECTL_CONF=path("bad.conf")))[1],
        "bad.conf:1: there is no setting 'usr'")


# ---- parking ------------------------------------------------------------------------------------


@test
def who_and_what():
    has(run("res1", "whoami")[0], "3-2-502/1", "resident")
    has(run("res1", "whoami", lang="zh_CN.UTF-8")[0], "角色", "居民")
    for version in "3", "5":
        has(run("clerk1", "--mqtt", version, "status")[0], "time runs at 60:1", "slots")
    has(run("res1", "zones")[0], "东区")


@test
def a_booking_from_quote_to_history():
    has(run("res1", "quote", "--zone", "A", "--until", "+2h")[0], "120")
    made = reply("res1", "book", RES_PLATE, "--zone", "A", "--from", "+1h", "--until", "+2h")
    number = str(made["id"])
    equal(made["code"], "ok")
    has(run("res1", "list")[0], number, "booked", RES_PLATE)
    has(run("res1", "list", lang="zh_CN.UTF-8")[0], "已预约")
    refused = run("res1", "book", RES_PLATE, "--zone", "A", "--from", "+1h", "--until", "+2h",
                  code=1)
    has(refused[1], "already has a booking at that time", "[code conflict plate_overlap]")
    equal(reply("res1", "book", RES_PLATE, "--zone", "A", "--from", "+1h", "--until", "+2h",
                code=1)["why"], "plate_overlap")
    has(run("res1", "extend", number, "--until", "+5h")[0], "Extended")
    has(run("res1", "cancel", number)[0], "Cancelled")
    has(run("res1", "cancel", number, code=1)[1], "[code ")
    has(run("res1", "cancel", "4711", code=1)[1], "no such thing")
    has(run("clerk1", "history", "--for", "3-2-502")[0], "cancelled")


@test
def arriving_and_leaving_by_hand():
    number = str(reply("res1", "book", RES_PLATE, "--zone", "H", "--until", "+3h")["id"])
    has(run("res1", "arrive", number)[0], "Welcome", "parked")
    has(run("guard1", "sheet", "H")[0], RES_PLATE)
    has(run("res1", "leave", RES_PLATE)[0], "Goodbye")
    has(run("res1", "history")[0], "kept")
    has(run("res1", "arrive", "hello", code=2)[1], "neither")


@test
def times_are_civil_times_of_the_daemon():
    begin = tide().now()
    start = parse_time(reply("res1", "quote", "--zone", "A", "--from", "+1h", "--until",
                             "+1h")["items"][0]["start"])
    end = tide().now()
    hour = datetime.timedelta(hours=1)
    grain = datetime.timedelta(minutes=5)
    check(begin + hour - grain <= start <= end + hour, "%s is not an hour after %s", start, begin)
    item = reply("res1", "quote", "--zone", "A", "--from", "tomorrow 18:00", "--until",
                 "20:00")["items"][0]
    tomorrow = (begin + datetime.timedelta(days=1)).strftime("%Y-%m-%d")
    equal((item["start"][:16], item["end"][:16]), (tomorrow + "T18:00", tomorrow + "T20:00"))


@test
def the_only_zone_may_be_left_out_else_all_are_named():
    has(run("res1", "book", RES_PLATE, "--until", "+2h", code=2)[1], "needs a zone", "A B H")


@test
def the_desk_books_for_who_phoned_and_the_party_is_told():
    before = run("res1", "inbox")[0]
    made = reply("clerk1", "book", "浙F99999", "--zone", "A", "--for", "3-2-502", "--via", "phone",
                 "--visitor", "--from", "tomorrow 10:00", "--until", "12:00")
    equal(made["items"][0]["via"], "phone")
    after = run("res1", "inbox")[0]
    check(len(after) > len(before), "a notice came: %r", after)
    has(after, "浙F99999 was booked in for you")
    has(run("res1", "inbox", lang="zh_CN.UTF-8")[0], "已为您预约")


@test
def every_workday():
    made = reply("res1", "repeat", RES_PLATE, "--zone", "A", "--days", "workday", "--opens",
                 "20:00", "--closes", "21:00", "--from-date", "05-22", "--until-date",
                 "2019-05-27")
    days = [item["start"][:10] for item in made["items"] if item["is"] == "booking"]
    equal(days, ["2019-05-22", "2019-05-23", "2019-05-24", "2019-05-27"])
    has(run("res1", "cancel", "--series", str(made["id"]))[0], "Cancelled")


@test
def sharing():
    has(run("owner1", "share", "A-001", code=2)[1], "--opens 08:00 --closes 17:30")
    made = reply("owner1", "share", "A-001", "--days", "workday", "--opens", "8:00", "--closes",
                 "17:30")
    window = str(made["id"])
    has(run("owner1", "shares")[0], window, "A-001", "workday", "08:00", "17:30")
    has(run("owner1", "recall", "A-001", "--from", "tomorrow 10:00", "--until", "+2h")[0], "A-001")
    has(run("res1", "recall", "A-001", "--from", "tomorrow 10:00", "--until", "+2h", code=1)[1],
        "not_yours")
    has(run("owner1", "unshare", window)[0], "closed")
    has(run("clerk1", "blackout", "--slot", "H-002", "--from", "sat 08:00", "--until",
            "sat 12:00")[0], "Closed")


@test
def the_tide_is_drawn():
    chart = run("res1", "tide", "A", "--ascii")[0]
    check(all(ord(letter) < 128 for letter in chart), "plain letters")
    has(chart, "Zone A", "..", "open")
    chart = run("res1", "tide", "A", lang="zh_CN.UTF-8")[0]
    has(chart, "░░", "开放")
    check(max(len(line) for line in chart.splitlines()) <= 80, "80 columns")
    hours = reply("res1", "tide", "A")["items"]
    equal(len(hours), 24, "hours")


@test
def watching():
    env = environment("res1")
    process = subprocess.Popen([TIDECTL, "watch", "A"], env=env, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    lines = []
    try:
        lines.append(process.stdout.readline())
        made = reply("clerk1", "book", "浙F88888", "--zone", "A", "--for", "3-2-502", "--from",
                     "tomorrow 13:00", "--until", "14:00")
        end = time.monotonic() + 8
        while time.monotonic() < end and not any("浙F88888" in line for line in lines):
            lines.append(process.stdout.readline())
        run("clerk1", "cancel", str(made["id"]))
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=10)[0]
    equal(process.returncode, 0, "exit code of watch")
    has(lines[0], "A", "open")
    has("".join(lines) + rest, "浙F88888 was booked in for you")


@test
def guards():
    has(run("guard1", "gate", "open", "G1-in", "--plate", OWNER_PLATE)[0], "opens")
    has(run("guard1", "gate", "log")[0], "G1-in", "by hand")
    run("guard1", "incident", "list")
    has(run("res1", "incident", "list", code=1)[1], "You may not do this")
    has(run("guard1", "incident", "close", "99", code=1)[1], "not_found")


# ---- desk and operator --------------------------------------------------------------------------


@test
def a_user_comes_and_goes():
    said = run("admin", "user", "add", "newcomer", "--person", "3-2-502/1")[0]
    secret = re.search(r"shown this once:\s+(\S{32})\n", said).group(1)
    tide().secrets["newcomer"] = secret
    tide().wait_login("newcomer")
    has(run("newcomer", "whoami")[0], "3-2-502/1")
    with open(tide().database, "rb") as database:
        check(secret.encode() not in database.read(), "the secret is in the database")
    has(run("admin", "user", "revoke", "newcomer")[0], "away")
    wait_for(lambda: subprocess.run([TIDECTL, "whoami"], env=environment("newcomer"),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    timeout=60, check=False).returncode == 4, "newcomer is out", 15)
    out = run("admin", "user", "add", "another", "--person", "3-2-502/1", "--secret-out",
              path("another.new"))[0]
    with open(path("another.new"), encoding="utf-8") as file:
        check(file.read().strip() not in out, "the secret is shown")
    equal(os.stat(path("another.new")).st_mode & 0o777, 0o600)
    has(run("admin", "user", "add", "more", "--person", "nobody/9", code=1)[1], "not_found")
    has(run("res1", "user", "add", "more", "--person", "3-2-502/1", code=1)[1], "may not")
    has(run("admin", "user", "add", "a/b", "--person", "3-2-502/1", code=2)[1], "name")


@test
def credentials_are_made_here():
    secret, hashed = [line.split()[1] for line in run(None, "credential")[0].splitlines()]
    check(len(secret) == 32 and hashed.startswith("$7$"), "%s %s", secret, hashed)
    check(reply(None, "credential")["secret"] != secret, "another one each time")


@test
def persons():
    has(run("clerk1", "person", "correct", "3-2-502/1", "--phone", "13700000000")[0], "Corrected")
    exported = reply("clerk1", "person", "export", "3-2-502/1")
    has(json.dumps(exported, ensure_ascii=False), "13700000000", "王芳菲", RES_PLATE)
    has(run("clerk1", "person", "forget", "3-2-503/1", code=1)[1], "--yes")
    has(run("clerk1", "person", "forget", "3-2-503/1", "--yes")[0], "Forgotten")
    has(run("clerk1", "person", "export", "3-2-503/1", code=1)[1], "not_found")


@test
def settings_calendar_clock_backup():
    has(run("admin", "setting", "set", "no_show_min", "40")[0], "Written")
    has(run("admin", "setting", "set", "no_show_min", "100000", code=1)[1], "code invalid")
    has(run("admin", "setting", "set", "no_such", "1", code=1)[1], "rows[0].key")
    calendar = {"$schema": "x", "$id": "y", "year": 2019, "papers": [], "days": [
        {"name": "劳动节", "date": "2019-05-01", "isOffDay": True},
        {"name": "劳动节", "date": "2019-05-05", "isOffDay": False}]}
    put_file("2019.json", json.dumps(calendar))
    has(run("clerk1", "calendar", "put", path("2019.json"))[0], "calendar is in")
    put_file("broken.json", '{"year": 2019,\n"days": [\n}')
    has(run("clerk1", "calendar", "put", path("broken.json"), code=2)[1], "broken.json", "line 3")
    put_file("other.json", '{"a": 1}')
    has(run("clerk1", "calendar", "put", path("other.json"), code=2)[1], "holiday-cn")
    run("clerk1", "clock", "accept")
    run("admin", "backup")
    run("res1", "rules", "accept", "1")


@test
def anything_by_hand():
    equal(json.loads(run("res1", "raw", "whoami")[0])["code"], "ok")
    equal(json.loads(run("res1", "raw", "parking.tide", '{"zone":"A","hours":2}')[0])["code"], "ok")
    equal(json.loads(run("res1", "raw", "no.such", code=1)[0])["code"], "unknown_op")
    has(run("res1", "raw", "parking.tide", "{zone:A}", code=2)[1], "single quotes")


# ---- import -------------------------------------------------------------------------------------

PLACES = "place,kind,parent,title\n9-1-101,household,9-1,\n9-1,stair,9,\n9,building,yard,九号楼\n"
ROSTER = ("房号,姓名,电话,车牌,车位,区域,产权\n"
          "9-1-101,陈小明,13812345678,浙F90001、浙FD90002,A-901,A,自有\n"
          "9-1-101,王小芳,,浙F90001,,,\n")


def counts():
    return [tide().rows("SELECT count(*) FROM " + table)[0][0]
            for table in ("place", "person", "vehicle", "slot")]


@test
def an_import_tells_all_faults_and_writes_nothing():
    events = tide().events()
    put_file("bad1.csv", "slot,zone,title\nA-902,A,mine\nA-903,,owned\n")
    put_file("bad2.csv", "plate,household\n浙F90003,9-1-101\nF9,9-1-101\n")
    put_file("bad3.csv", "apples,pears\n1,2\n")
    said = run("clerk1", "import", path("bad1.csv"), path("bad2.csv"), path("bad3.csv"), "--yes",
               code=1)[1]
    has(said, "bad1.csv: line 2: title: 'mine'", "bad1.csv: line 3: zone: is empty",
        "bad2.csv: line 3: plate: 'F9' is no plate", "bad3.csv: line 1:", "4 faults",
        "nothing was written")
    equal(tide().events(), events, "events")
    faults = reply("clerk1", "import", path("bad2.csv"), code=1)["faults"]
    equal([(fault["line"], fault["column"]) for fault in faults], [(3, "plate")])
    has(run("clerk1", "import", path("none.csv"), code=1)[1], "none.csv")
    has(run("clerk1", "import", path("bad1.csv"), code=1, lang="zh_CN.UTF-8")[1], "第 2 行")


@test
def an_import_in_gb18030_asks_first_then_writes_once():
    put_file("places.csv", b"\xef\xbb\xbf" + PLACES.replace("\n", "\r\n").encode())
    put_file("roster.csv", ROSTER.encode("gb18030"))
    words = ["import", path("roster.csv"), path("places.csv")]
    before, events = counts(), tide().events()
    has(run("clerk1", *words, "--check")[0], "places", "vehicles")
    has(run("clerk1", *words, code=1)[1], "--yes")
    equal((counts(), tide().events()), (before, events), "nothing written yet")
    has(run("clerk1", *words, "--yes")[0], "8 rows written")
    wait_for(lambda: counts() == [before[0] + 3, before[1] + 2, before[2] + 2, before[3] + 1],
             "the tables hold the rows")
    after = counts()
    has(run("clerk1", *words, "--yes")[0], "8 rows written")
    equal(counts(), after, "a second time changes nothing")
    put_file("later.csv", "slot,zone,title,owner\nA-901,A,owned,9-1-101\n")
    run("clerk1", "import", path("later.csv"), "--yes")
    equal(counts(), after, "a smaller file deletes nothing")
    has(json.dumps(reply("clerk1", "person", "export", "9-1-101/1"), ensure_ascii=False), "陈小明",
        "13812345678")


@test
def what_the_daemon_refuses_is_told_with_file_and_line():
    put_file("zone.csv", "slot,zone,title\nA-904,A,common\nA-905,Q,common\n")
    said = run("clerk1", "import", path("zone.csv"), "--yes", code=1)[1]
    has(said, "zone.csv: line 3: zone:", "not_found", "0 of 2 rows")


@test
def secrets_for_users_of_an_import():
    put_file("users.csv", "账号,人员,类型\nr-502-pad,3-2-502/1,手机\n")
    run("admin", "import", path("users.csv"), "--yes", "--secrets", path("secrets.csv"))
    with open(path("secrets.csv"), encoding="utf-8") as file:
        user, secret = file.read().strip().split(",")
    equal((user, os.stat(path("secrets.csv")).st_mode & 0o777), ("r-502-pad", 0o600))
    tide().secrets[user] = secret
    tide().wait_login(user)
    has(run(user, "whoami")[0], "3-2-502/1")
    has(run("admin", "import", path("users.csv"), "--yes", "--secrets", path("secrets.csv"),
            code=2)[1], "exists")


# ---- the end ------------------------------------------------------------------------------------


@test
def no_daemon_is_no_answer_and_verify_needs_none():
    tide().stop()
    has(run("res1", "--timeout", "1", "list", code=3)[1], "is tided running?")
    run(None, "verify", tide().database, "--tided", os.path.join(BUILD, "tided"))
    put_file("no.db", "this is no database")
    run(None, "verify", path("no.db"), "--tided", os.path.join(BUILD, "tided"), code=1)
    has(run(None, "verify", "--tided", path("no-program"), code=2)[1], "no-program")


if __name__ == "__main__":
    sys.exit(run_tests())
